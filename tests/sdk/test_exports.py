"""The public surface: what is named is there, both twins have it, and it loads lightly."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import mangadex_openapi as sdk
from mangadex_openapi import api, models

APIS = [name for name in dir(api) if name.endswith("Api") and not name.startswith("Async")]


def test_all_names_are_there_and_all_public_classes_are_named() -> None:
    assert {name for name in sdk.__all__ if not hasattr(sdk, name)} == set()
    defined = {
        name
        for module in ("api", "models", "exceptions", "auth", "rest", "configuration", "api_client", "api_response")
        for name, value in vars(getattr(sdk, module)).items()
        if inspect.isclass(value) and value.__module__.startswith(f"mangadex_openapi.{module}") and name[0] != "_"
    }
    assert defined - set(sdk.__all__) == set()
    assert len(defined) > 60


def test_no_model_hides_a_client() -> None:
    assert not {"ApiClient", "AsyncApiClient", "Configuration", *APIS} & set(models.__all__)
    assert inspect.getmodule(sdk.ApiClient) is sdk.api_client


def test_unknown_names_are_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="UplaodApi"):
        sdk.UplaodApi  # noqa: B018
    assert set(sdk.__all__) <= set(dir(sdk))


def methods(kind: type) -> dict[str, inspect.Signature]:
    return {
        name: inspect.signature(value)
        for name, value in vars(kind).items()
        if inspect.isfunction(value) and not name.startswith("_")
    }


@pytest.mark.parametrize("name", APIS)
def test_the_twins_of_an_api_agree(name: str) -> None:
    sync, asynchronous = methods(getattr(sdk, name)), methods(getattr(sdk, f"Async{name}"))
    assert list(sync) == list(asynchronous)
    for method, signature in sync.items():
        twin = asynchronous[method]
        assert list(signature.parameters.values()) == list(twin.parameters.values())
        assert str(twin.return_annotation).replace("AsyncREST", "REST") == signature.return_annotation
        assert inspect.iscoroutinefunction(getattr(getattr(sdk, f"Async{name}"), method))
    plain = [method for method in sync if not method.endswith(("_with_http_info", "_without_preload_content"))]
    assert len(sync) == 3 * len(plain)
    for method in plain:
        assert {f"{method}_with_http_info", f"{method}_without_preload_content"} <= set(sync)
        assert getattr(sdk, name).__dict__[method].__doc__


@pytest.mark.parametrize(("one", "other"), [("ApiClient", "AsyncApiClient"), ("RESTResponse", "AsyncRESTResponse")])
def test_the_twin_clients_agree(one: str, other: str) -> None:
    sync, asynchronous = methods(getattr(sdk, one)), methods(getattr(sdk, other))
    assert set(sync) == set(asynchronous)
    for method, signature in sync.items():
        assert signature.parameters == asynchronous[method].parameters


def loaded_by(statement: str) -> set[str]:
    code = f"{statement}; import sys; print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_models_load_no_http_library() -> None:
    loaded = loaded_by("import mangadex_openapi.models")
    assert "pydantic" in loaded
    assert not {"httpx2", "httpcore2", "anyio", "ssl"} & loaded


def test_the_package_itself_loads_nothing_of_others() -> None:
    assert not {"pydantic", "httpx2"} & loaded_by("import mangadex_openapi")


def test_it_is_typed() -> None:
    assert (Path(sdk.__file__).parent / "py.typed").exists()
