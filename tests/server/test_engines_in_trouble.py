"""Engines that hang, addresses that are wrong, and sign-outs beside renewals: on PostgreSQL and a store."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from program import PROGRAM, start

from engines import BUCKET, Engines, running
from mangadex_server.migrate import migrate
from mangadex_server.parts import Parts
from mangadex_server.sandbox import CLIENT_ID, CLIENT_SECRET, PASSWORD, USERNAME, fill
from mangadex_server.settings import Settings
from mangadex_server.sign_ins import ClientSecret, OAuthError

pytestmark = pytest.mark.embedded(reason="it has engines of its own, and stops them")

CLIENT = ClientSecret(CLIENT_ID, CLIENT_SECRET, "192.0.2.1")


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    with running(tmp_path_factory.mktemp("engines")) as started:
        yield started


@pytest.fixture
def environment(engines: Engines) -> dict[str, str]:
    name = f"trouble_{uuid4().hex[:16]}"
    engines.create_database(name)
    migrate(engines.database_url(name))
    return engines.store_environment | {
        "MANGADEX_SERVER_DATABASE_URL": engines.database_url(name),
        "MANGADEX_SERVER_BLOBS_URL": f"s3://{BUCKET}/{name}",
    }


def test_a_database_that_hangs_is_told_to_the_balancer(
    tmp_path: Path, engines: Engines, environment: dict[str, str]
) -> None:
    node = start("--sandbox", "--port", "0", "--data-dir", str(tmp_path / "node"), **environment)
    assert engines.postgresql.process is not None
    group = [engines.postgresql.process.pid, *children(engines.postgresql.process.pid)]
    try:
        for process in group:
            os.kill(process, signal.SIGSTOP)
        with httpx2.Client(base_url=node.url, trust_env=False, timeout=60) as client:
            assert client.get("/healthz").status_code == 503
    finally:
        for process in group:
            os.kill(process, signal.SIGCONT)
        node.stop()


def children(process: int) -> list[int]:
    text = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(child) for child in text.split()]


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("AWS_ENDPOINT_URL", "127.0.0.1:1", "The store of pages"),
        ("MANGADEX_SERVER_LIMITS_URL", "valkey://127.0.0.1:1?foo=bar", "limits_url"),
        ("MANGADEX_SERVER_DATABASE_URL", "postgresql+psycopg://a@127.0.0.1:abc/x", "database_url"),
        ("MANGADEX_SERVER_DATABASE_URL", "postgresql+psycopg://a@127.0.0.1:1/x?password=s3cretpw", "The database"),
    ],
)
def test_a_wrong_address_is_one_sentence_without_a_secret(
    tmp_path: Path, environment: dict[str, str], name: str, value: str, told: str
) -> None:
    given = os.environ | environment | {name: value, "MANGADEX_SERVER_RATE_LIMITS": "true"}
    command = [PROGRAM, "run", "--port", "0", "--data-dir", str(tmp_path)]
    ended = subprocess.run(command, env=given, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2, ended.stderr
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "s3cretpw" not in ended.stderr


def test_a_sign_out_ends_what_is_being_renewed(tmp_path: Path, environment: dict[str, str]) -> None:
    """The renewal begins before the sign-out looks for tokens, and ends after it: whichever is first, none is left."""

    async def whole() -> None:
        parts = parts_of(tmp_path, environment)
        try:
            await fill(parts.accounts, parts.catalog)
            for _ in range(20):
                granted = await parts.sign_ins.sign_in(USERNAME, PASSWORD, CLIENT)
                renewed, _ = await asyncio.gather(
                    parts.sign_ins.renew(granted.refresh_token, CLIENT),
                    parts.account_changes.sign_out(USERNAME),
                    return_exceptions=True,
                )
                newest = granted if isinstance(renewed, BaseException) else renewed
                for token in (granted.refresh_token, newest.refresh_token):
                    with pytest.raises(OAuthError):
                        await parts.sign_ins.renew(token, CLIENT)
        finally:
            await parts.database.close()

    asyncio.run(whole())


def parts_of(folder: Path, environment: dict[str, str]) -> Parts:
    prefix = "MANGADEX_SERVER_"
    ours = {name: value for name, value in environment.items() if name.startswith(prefix)}
    given: dict[str, Any] = {name.removeprefix(prefix).lower(): value for name, value in ours.items()}
    del given["blobs_url"]
    return Parts(Settings.model_validate(given | {"data_dir": folder}))


def test_redirects_lead_to_the_page_for_get_and_head(tmp_path: Path, environment: dict[str, str]) -> None:
    given = environment | {"MANGADEX_SERVER_REDIRECT_PAGES": "true"}
    node = start("--sandbox", "--port", "0", "--data-dir", str(tmp_path / "node"), **given)
    try:
        page = publish(node.url, environment)
        with httpx2.Client(base_url=node.url, trust_env=False, follow_redirects=True) as reader:
            got, head = reader.get(page), reader.head(page)
            assert hashlib.sha256(got.content).hexdigest() in page
            assert (head.status_code, head.headers["content-length"]) == (200, str(len(got.content)))
            etag = got.history[0].headers["etag"]
            assert reader.get(page, headers={"If-None-Match": etag}).status_code == 304
    finally:
        node.stop()


def publish(url: str, environment: dict[str, str]) -> str:
    """The address of a published page, below the service's."""
    from test_program import until  # noqa: PLC0415 - it has fixtures of its own
    from uploading import Caller, png  # noqa: PLC0415

    fields = {"grant_type": "password", "username": USERNAME, "password": PASSWORD}
    fields |= {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    token = httpx2.post(f"{url}/realms/mangadex/protocol/openid-connect/token", data=fields, trust_env=False)
    caller = Caller(url, token.raise_for_status().json()["access_token"])
    try:
        chapter = caller.chapter(png(1, 50_000))["id"]
        until(lambda: caller.http.get(f"/at-home/server/{chapter}").status_code == 200)
        place = caller.http.get(f"/at-home/server/{chapter}").json()["chapter"]
        return f"/data/{place['hash']}/{place['data'][0]}"
    finally:
        caller.http.close()
