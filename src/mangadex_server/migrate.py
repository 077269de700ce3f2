"""The database's schema, by Alembic's migrations in `migrations/`."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

MIGRATIONS = Path(__file__).parent / "migrations"


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("sqlalchemy.url", synchronous(url).replace("%", "%%"))
    return config


def synchronous(url: str) -> str:
    """The URL for a driver without an event loop."""
    return url.replace("sqlite+aiosqlite:", "sqlite:")


def migrate(url: str) -> None:
    """Bring the schema to the newest version."""
    command.upgrade(_config(url), "head")


def is_current(url: str) -> bool:
    """Whether the schema is at the newest version."""
    engine = create_engine(synchronous(url))
    try:
        with engine.connect() as connection:
            present = MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()
    return present == ScriptDirectory.from_config(_config(url)).get_current_head()
