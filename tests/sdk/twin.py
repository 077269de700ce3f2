"""One face for both twins, so that every test runs on both."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import mangadex_openapi as sdk


class Twin:
    """Calls the synchronous API, or awaits the asynchronous one."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.runner = asyncio.Runner()
        self.clients: list[Any] = []

    def client(self, configuration: sdk.Configuration, **more: Any) -> Any:
        kind = sdk.ApiClient if self.kind == "sync" else sdk.AsyncApiClient
        client = kind(configuration, **more)
        self.clients.append(client)
        return client

    def api(self, name: str, configuration: sdk.Configuration) -> Api:
        return self.api_on(name, self.client(configuration))

    def api_on(self, name: str, client: Any) -> Api:
        return Api(self, getattr(sdk, name if self.kind == "sync" else f"Async{name}")(client))

    def finish(self, value: Any) -> Any:
        """The value itself, or what it gives when awaited."""

        async def awaited() -> Any:
            return await value

        return self.runner.run(awaited()) if inspect.isawaitable(value) else value

    def all_at_once(self, calls: Sequence[Callable[[], Any]]) -> list[Any]:
        """The results of calls (on the raw API object) that run at the same time."""
        if self.kind == "sync":
            with ThreadPoolExecutor(len(calls)) as pool:
                return [future.result() for future in [pool.submit(call) for call in calls]]

        async def together() -> list[Any]:
            return list(await asyncio.gather(*(call() for call in calls)))

        return self.runner.run(together())

    def close(self) -> None:
        for client in self.clients:
            self.finish(client.close())
        self.runner.close()


class Api:
    """An API object whose methods return when they are done."""

    def __init__(self, twin: Twin, raw: Any) -> None:
        self.twin = twin
        self.raw = raw

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self.raw, name)
        return lambda *args, **kwargs: self.twin.finish(method(*args, **kwargs))
