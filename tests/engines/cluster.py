"""The service on several nodes, with workers of its own, the three engines and a balancer; all on this machine."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from balancer import balancing
from program import PROGRAM, Running, start

from engines import BUCKET, Engines, free_port, running

DATABASE = "mangadex"
WORKER_READY = "mangadex-server worker is ready"


@dataclass
class Node:
    """A node on a port of its own, and a folder for pages on their way."""

    folder: Path
    environment: dict[str, str]
    port: int = field(default_factory=free_port)
    running: Running | None = None

    @property
    def url(self) -> str:
        """Its own address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it is ready. It ends at once where an engine is away: start it again then."""
        self.running = start("--sandbox", "--port", str(self.port), "--data-dir", str(self.folder), **self.environment)

    def kill(self) -> None:
        """SIGKILL."""
        if self.running:
            self.running.kill()
            self.running = None

    def stop(self) -> None:
        """Let it end in order."""
        if self.running:
            self.running.stop()
            self.running = None


@dataclass
class Worker:
    """A process that decodes pages."""

    folder: Path
    environment: dict[str, str]
    process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it and wait until it is ready. It ends at once where an engine is away: start it again then."""
        self.process = subprocess.Popen(
            [PROGRAM, "worker", "--data-dir", str(self.folder)],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | self.environment,
        )
        assert self.process.stdout is not None
        if self.process.stdout.readline().strip() != WORKER_READY:
            self.kill()
            raise AssertionError("the worker did not start")

    def kill(self) -> None:
        """SIGKILL."""
        self._end("kill")

    def stop(self) -> None:
        """Let it end in order."""
        self._end("terminate")

    def _end(self, how: str) -> None:
        if self.process is not None:
            getattr(self.process, how)()
            self.process.communicate()
            self.process = None


@dataclass
class Cluster:
    """All of it. `url` is the balancer's."""

    engines: Engines
    nodes: list[Node]
    workers: list[Worker]
    environment: dict[str, str]
    url: str


@contextlib.contextmanager
def clustered(folder: Path, nodes: int = 2, workers: int = 2, **settings: str) -> Iterator[Cluster]:
    """A cluster until the block ends; `settings` are those of the environment, without their prefix."""
    (folder / "engines").mkdir()
    with running(folder / "engines") as engines, contextlib.ExitStack() as started:
        engines.create_database(DATABASE)
        environment = engines.store_environment | {
            "MANGADEX_SERVER_DATABASE_URL": engines.database_url(DATABASE),
            "MANGADEX_SERVER_BLOBS_URL": f"s3://{BUCKET}/{DATABASE}",
            "MANGADEX_SERVER_LIMITS_URL": engines.limits_url,
        }
        environment |= {f"MANGADEX_SERVER_{name.upper()}": value for name, value in settings.items()}
        subprocess.run(
            [PROGRAM, "migrate", "--data-dir", str(folder / "migrate")],
            env=os.environ | environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        all_nodes = [Node(folder / f"node-{number}", environment) for number in range(nodes)]
        all_workers = [Worker(folder / f"worker-{number}", environment) for number in range(workers)]
        parts: list[Node | Worker] = [*all_nodes, *all_workers]
        for part in parts:
            started.callback(part.stop)
            part.start()
        url = started.enter_context(balancing([node.url for node in all_nodes]))
        yield Cluster(engines, all_nodes, all_workers, environment, url)
