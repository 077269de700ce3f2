"""The processes that `client.py` measures: `sender.py rates HOST` or `sender.py SENDER HOST FOLDER`; prints JSON."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import BinaryIO, TypeAlias

import httpx2

from mangadex_openapi import ApiClient, AsyncApiClient, AsyncUploadApi, Configuration, UploadApi

SESSION = "11111111-1111-4111-8111-111111111111"
AUTHORIZATION = {"Authorization": "Bearer x"}
FILES_PER_REQUEST = 10
RATE_ROUNDS = 9
REQUESTS_PER_ROUND = 400
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024

Batches: TypeAlias = list[list[Path]]


def configuration(host: str) -> Configuration:
    return Configuration(host=host, access_token="x", pacing=False)


def sync_rates(host: str) -> dict[str, float]:
    with ApiClient(configuration(host)) as api_client, httpx2.Client(trust_env=False) as bare:
        api = UploadApi(api_client)

        def ask() -> object:
            return api.get_upload_session()

        def ask_bare() -> object:
            return bare.get(f"{host}/upload", headers=AUTHORIZATION).json()

        ask(), ask_bare()
        rounds = [(_rate(ask), _rate(ask_bare)) for _ in range(RATE_ROUNDS)]
    return _medians("sync", rounds)


async def async_rates(host: str) -> dict[str, float]:
    async with AsyncApiClient(configuration(host)) as api_client, httpx2.AsyncClient(trust_env=False) as bare:
        api = AsyncUploadApi(api_client)

        async def ask() -> object:
            return await api.get_upload_session()

        async def ask_bare() -> object:
            return (await bare.get(f"{host}/upload", headers=AUTHORIZATION)).json()

        await ask(), await ask_bare()
        rounds = [(await _async_rate(ask), await _async_rate(ask_bare)) for _ in range(RATE_ROUNDS)]
    return _medians("async", rounds)


def _rate(ask: Callable[[], object]) -> float:
    start = perf_counter()
    for _ in range(REQUESTS_PER_ROUND):
        ask()
    return REQUESTS_PER_ROUND / (perf_counter() - start)


async def _async_rate(ask: Callable[[], Awaitable[object]]) -> float:
    start = perf_counter()
    for _ in range(REQUESTS_PER_ROUND):
        await ask()
    return REQUESTS_PER_ROUND / (perf_counter() - start)


def _medians(twin: str, rounds: list[tuple[float, float]]) -> dict[str, float]:
    ours, bare = zip(*rounds, strict=True)
    return {f"client {twin}": median(ours), f"httpx2 {twin}": median(bare)}


class Meter:
    """Time and memory of sending, counted from the end of one small request."""

    def start(self) -> None:
        """Call it when everything is loaded and one small request was answered."""
        self._idle = _peak_bytes()
        self._start = perf_counter()

    def report(self) -> dict[str, float]:
        """What sending took."""
        return {
            "seconds": perf_counter() - self._start,
            "idle_bytes": self._idle,
            "peak_bytes": _peak_bytes(),
        }


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_UNIT


def read_folder(folder: Path) -> Batches:
    paths = sorted(folder.glob("*.jpg"))
    return [paths[start : start + FILES_PER_REQUEST] for start in range(0, len(paths), FILES_PER_REQUEST)]


def send_sync(host: str, batches: Batches, meter: Meter) -> None:
    with ApiClient(configuration(host)) as api_client:
        api = UploadApi(api_client)
        api.get_upload_session()
        meter.start()
        for batch in batches:
            api.put_upload_session_file(SESSION, file=list(batch))


async def send_async(host: str, batches: Batches, meter: Meter) -> None:
    async with AsyncApiClient(configuration(host)) as api_client:
        api = AsyncUploadApi(api_client)
        await api.get_upload_session()
        meter.start()
        for batch in batches:
            await api.put_upload_session_file(SESSION, file=list(batch))


def send_bare_sync(host: str, batches: Batches, meter: Meter) -> None:
    with httpx2.Client(trust_env=False, headers=AUTHORIZATION) as client:
        client.get(f"{host}/upload").json()
        meter.start()
        for batch in batches:
            with ExitStack() as stack:
                client.post(f"{host}/upload/{SESSION}", files=_open_files(batch, stack)).json()


async def send_bare_async(host: str, batches: Batches, meter: Meter) -> None:
    async with httpx2.AsyncClient(trust_env=False, headers=AUTHORIZATION) as client:
        (await client.get(f"{host}/upload")).json()
        meter.start()
        for batch in batches:
            with ExitStack() as stack:
                (await client.post(f"{host}/upload/{SESSION}", files=_open_files(batch, stack))).json()


def _open_files(batch: list[Path], stack: ExitStack) -> dict[str, tuple[str, BinaryIO, str]]:
    return {
        f"file{number}": (path.name, stack.enter_context(path.open("rb")), "image/jpeg")
        for number, path in enumerate(batch, start=1)
    }


def measured(sender: str, host: str, folder: Path) -> dict[str, float]:
    meter, batches = Meter(), read_folder(folder)
    match sender:
        case "client sync":
            send_sync(host, batches, meter)
        case "client async":
            asyncio.run(send_async(host, batches, meter))
        case "httpx2 sync":
            send_bare_sync(host, batches, meter)
        case "httpx2 async":
            asyncio.run(send_bare_async(host, batches, meter))
        case _:
            raise ValueError(sender)
    return meter.report()


def main(what: str, host: str, *folder: str) -> None:
    if what == "rates":
        figures = {**sync_rates(host), **asyncio.run(async_rates(host))}
    else:
        figures = measured(what, host, Path(*folder))
    print(json.dumps(figures))


if __name__ == "__main__":
    main(*sys.argv[1:])
