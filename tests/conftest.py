"""The option `--engines`: what the service under test keeps its data in."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from installations import COUNTERS, DATABASES, STORE, TEMPLATE, drop_databases

from engines import BUCKET, running
from mangadex_server.migrate import migrate

LEFT_OUT = {"embedded": "big", "big": "embedded"}
"""The marker of the tests that a run with these engines leaves out; why is in the marker."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--engines",
        choices=tuple(LEFT_OUT),
        default="embedded",
        help="embedded: SQLite, a folder and memory; big: PostgreSQL, an S3 store and Valkey of this run",
    )


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: many tests wait for a service that is away, or for its limits."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the engines once, before the processes of pytest-xdist, which take the environment over."""
    config = session.config
    if config.getoption("engines") == "embedded" or hasattr(config, "workerinput"):
        return
    started = contextlib.ExitStack()
    config.add_cleanup(started.close)
    folder = started.enter_context(tempfile.TemporaryDirectory(prefix="mangadex-engines-"))
    try:
        engines = started.enter_context(running(Path(folder)))
    except (AssertionError, OSError) as error:
        raise pytest.UsageError(f"the engines of --engines=big do not start: {error}") from error
    engines.create_database(TEMPLATE)
    migrate(engines.database_url(TEMPLATE))
    addresses = {DATABASES: engines.database_url("").rstrip("/"), STORE: f"s3://{BUCKET}", COUNTERS: engines.limits_url}
    os.environ.update(addresses | engines.store_environment)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = [item for item in items if item.get_closest_marker(LEFT_OUT[config.getoption("engines")])]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    folder = getattr(item, "funcargs", {}).get("tmp_path")
    yield
    if folder is not None:
        drop_databases(folder)
