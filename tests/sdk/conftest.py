from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from service import Service, running
from twin import Api, Twin

import mangadex_openapi as sdk

PATIENT = sdk.RetryPolicy(attempts=3, base_s=0.0)
"""Retries without waiting, so that no test sleeps."""


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the machine has set must not change what the tests see."""
    for name in list(os.environ):
        if name.startswith("MANGADEX_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
def service() -> Iterator[Service]:
    with running(Service()) as service:
        yield service


@pytest.fixture(params=["sync", "async"])
def twin(request: pytest.FixtureRequest) -> Iterator[Twin]:
    twin = Twin(request.param)
    yield twin
    twin.close()


@pytest.fixture
def configuration(service: Service) -> sdk.Configuration:
    return sdk.Configuration(host=service.address, access_token="token-abc", retries=PATIENT, pacing=False)


@pytest.fixture
def upload(twin: Twin, configuration: sdk.Configuration) -> Api:
    return twin.api("UploadApi", configuration)
