"""The service as several machines would run it, here as processes of this one.

Two nodes behind a balancer, two workers, PostgreSQL, an S3 store and Valkey. Two chapters go through it and are
compared; a node and a worker are killed on the way. Run by `make cluster`; `make cluster KEEP=1` leaves it running.
"""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import threading
from pathlib import Path

from demo import say, show

from cluster import Cluster, clustered


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="mangadex-cluster-") as name, clustered(Path(name)) as all_of_it:
        tell(all_of_it)
        killing = threading.Thread(target=kill_some, args=(all_of_it,))
        killing.start()
        show(all_of_it.url, Path(name))
        killing.join()
        if os.environ.get("KEEP"):
            say(f"The service stays at {all_of_it.url} until you press Ctrl-C.")
            with contextlib.suppress(KeyboardInterrupt):
                signal.pause()


def tell(all_of_it: Cluster) -> None:
    say(f"A balancer at {all_of_it.url} has {len(all_of_it.nodes)} nodes behind it, each a process:")
    for node in all_of_it.nodes:
        say(f"  node {node.url}")
    for engine in all_of_it.engines.all:
        say(f"  {engine.name} 127.0.0.1:{engine.port}")
    say(f"  {len(all_of_it.workers)} workers")


def kill_some(all_of_it: Cluster) -> None:
    """While the first chapter is on its way."""
    threading.Event().wait(2.0)
    for part in (all_of_it.nodes[0], all_of_it.workers[0]):
        part.kill()
        part.start()
    say("A node and a worker were killed meanwhile, and started again.")


if __name__ == "__main__":
    main()
