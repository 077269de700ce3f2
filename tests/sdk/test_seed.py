"""The documented client: its examples run as they stand, and no documented name is missing."""

from __future__ import annotations

import inspect
import os
import re
from pathlib import Path

import pytest
from service import Service

import mangadex_openapi as sdk
from mangadex_openapi import rest

SEED = (Path(__file__).parent / "seed" / "UploadApi.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^# \*\*(\w+)\*\*\n(.*?)(?=^# \*\*|\Z)", SEED, re.MULTILINE | re.DOTALL))
OUTCOMES = {
    "abandon_upload_session": "(404) Not Found: abandon_upload_session: No upload session found.",
    "begin_edit_session": "The response of UploadApi->begin_edit_session:",
    "begin_upload_session": "The response of UploadApi->begin_upload_session:",
    "commit_upload_session": "(404) Not Found: commit_upload_session: No upload session found.",
    "delete_uploaded_session_file": "(404) Not Found: delete_uploaded_session_file: No upload session found.",
    "delete_uploaded_session_files": "(404) Not Found: delete_uploaded_session_files: No upload session found.",
    "get_upload_session": "(404) Not Found: get_upload_session: No upload session found.",
    "put_upload_session_file": "(404) Not Found: put_upload_session_file: No upload session found.",
    "upload_check_approval_required": "The response of UploadApi->upload_check_approval_required:",
}


def test_the_seed_documents_nine_operations() -> None:
    assert set(SECTIONS) == set(OUTCOMES)


@pytest.mark.parametrize("name", OUTCOMES)
def test_the_example_runs_unchanged(
    name: str, service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MANGADEX_API_URL", service.address)
    monkeypatch.setenv("BEARER_TOKEN", "token-of-the-example")
    [example] = re.findall(r"```python\n(.*?)```", SECTIONS[name], re.DOTALL)

    exec(compile(example, name, "exec"), {"os": os})

    assert OUTCOMES[name] in capsys.readouterr().out
    assert service.requests[-1].headers["authorization"] == "Bearer token-of-the-example"


@pytest.mark.parametrize("name", OUTCOMES)
@pytest.mark.parametrize("api", [sdk.UploadApi, sdk.AsyncUploadApi])
def test_parameters_stand_as_documented(name: str, api: type) -> None:
    documented = re.findall(r"^ \*\*(\w+)\*\* \| ", SECTIONS[name], re.MULTILINE)
    for suffix in ("", "_with_http_info", "_without_preload_content"):
        own = list(inspect.signature(getattr(api, name + suffix)).parameters)
        assert own[1 : 1 + len(documented)] == documented


@pytest.mark.parametrize("name", OUTCOMES)
def test_the_answer_has_the_documented_model(name: str) -> None:
    [documented] = re.findall(r"### Return type\n\n\[\*\*(\w+)\*\*\]", SECTIONS[name])
    assert inspect.signature(getattr(sdk.UploadApi, name)).return_annotation == documented


@pytest.mark.parametrize(
    ("module", "model"), sorted(set(re.findall(r"from mangadex_openapi\.models\.(\w+) import (\w+)", SEED)))
)
def test_documented_models_come_from_both_places(module: str, model: str) -> None:
    namespace: dict[str, object] = {}
    exec(f"from mangadex_openapi.models.{module} import {model}", namespace)
    assert namespace[model] is getattr(sdk, model)


def test_the_exception_comes_from_rest() -> None:
    assert rest.ApiException is sdk.ApiException
