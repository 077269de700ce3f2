"""Whose address counts behind proxies, and proxies that are none."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest
from program import sandbox
from test_program_settings import said


def test_an_address_in_a_header_of_its_own_is_not_believed(tmp_path: Path) -> None:
    trusted = {"MANGADEX_SERVER_TRUSTED_PROXIES": '["127.0.0.1"]', "MANGADEX_SERVER_RATE_LIMITS": "true"}
    with sandbox(tmp_path / "data", **trusted) as running, httpx2.Client(base_url=running.url, trust_env=False) as http:

        def remaining(forged: str) -> int:
            lines = [("X-Forwarded-For", forged), ("X-Forwarded-For", "198.51.100.7")]  # the proxy's own line is last
            return int(http.get("/upload", headers=lines).headers["X-RateLimit-Remaining"])

        first = remaining("203.0.113.1")
        assert [remaining(f"203.0.113.{number}") for number in (2, 3)] == [first - 1, first - 2]


@pytest.mark.parametrize("proxy", ["not-an-address", "10.0.0.1/8", "10.0.0.0/40"])
def test_proxies_that_are_none_are_named(proxy: str) -> None:
    line = said(MANGADEX_SERVER_TRUSTED_PROXIES=f'["10.0.0.0/8", "{proxy}"]')
    assert line.startswith("trusted_proxies cannot be ")
    assert f"{proxy} is neither an address nor a network" in line
