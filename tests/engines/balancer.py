"""A small load balancer: connections go to the nodes in turn, but not to those that do not answer `/healthz`."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

ASK_S = 0.2
"""Between two looks at a node."""

PIECE_BYTES = 256 << 10
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: balancer\r\nConnection: close\r\n\r\n"


class Balancer:
    """Passes bytes on, in a loop of its own."""

    def __init__(self, nodes: Sequence[str]) -> None:
        self._nodes = [(str(urlsplit(url).hostname), int(urlsplit(url).port or 80)) for url in nodes]
        self._healthy = set(self._nodes)
        self._turns = itertools.count()
        self.url = ""

    async def serve(self, ready: threading.Event, stop: asyncio.Event) -> None:
        """Until `stop`."""
        server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        self.url = "http://{}:{}".format(*server.sockets[0].getsockname())
        ready.set()
        watching = [asyncio.create_task(self._watch(node)) for node in self._nodes]
        await stop.wait()
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, *watching, return_exceptions=True)

    async def _pass_on(self, client: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError), contextlib.closing(answer):
            in_turn = [node for node in self._nodes if node in self._healthy] or self._nodes
            host, port = in_turn[next(self._turns) % len(in_turn)]
            node, request = await asyncio.open_connection(host, port)
            with contextlib.closing(request):
                ways = [asyncio.create_task(_copy(client, request)), asyncio.create_task(_copy(node, answer))]
                await asyncio.wait(
                    ways, return_when=asyncio.FIRST_COMPLETED
                )  # half-closed connections are not passed on
                for way in ways:
                    way.cancel()

    async def _watch(self, node: tuple[str, int]) -> None:
        while True:
            if await _is_healthy(*node):
                self._healthy.add(node)
            else:
                self._healthy.discard(node)
            await asyncio.sleep(ASK_S)


@contextmanager
def balancing(nodes: Sequence[str]) -> Iterator[str]:
    """The address of a balancer before these nodes, until the block ends."""
    balancer, ready, stop = Balancer(nodes), threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=lambda: loop.run_until_complete(balancer.serve(ready, stop)))
    thread.start()
    try:
        ready.wait()
        yield balancer.url
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await source.read(PIECE_BYTES):
            target.write(piece)
            await target.drain()


async def _is_healthy(host: str, port: int) -> bool:
    try:
        async with asyncio.timeout(5):
            node, request = await asyncio.open_connection(host, port)
            with contextlib.closing(request):
                request.write(HEALTH)
                return b" 200 " in await node.readline()
    except (OSError, TimeoutError):
        return False
