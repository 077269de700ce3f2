"""The database's schema, by Alembic's migrations in `migrations/`."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, create_engine, inspect, text

from mangadex_server.data_folder import DataFolderInUseError, locked
from mangadex_server.settings import Settings

MIGRATIONS = Path(__file__).parent / "migrations"

MIGRATED_WITHIN_S = 3.0
"""For so long a command waits for another that migrates."""


class SchemaError(Exception):
    """The database is not one of this version of the program; the message says what to do."""


def migrate(url: str) -> None:
    """Bring the schema to the newest version.

    Raises:
        SchemaError: it is of a version that this program does not know.
    """
    if is_current(url):
        return
    from alembic import command  # noqa: PLC0415 - a tenth of a start, for what is rarely needed
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("sqlalchemy.url", synchronous(url).replace("%", "%%"))
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise SchemaError(
            f"The database is not of this version of the program ({error}). Use the one that wrote it, or a newer one."
        ) from error


def migrate_alone(settings: Settings) -> None:
    """As `migrate`, unless a server is running: it may be of an older version, and would meet tables it does not know.

    Raises:
        SchemaError: the schema is of a version that this program does not know, or other nodes may be using it.
        DataFolderInUseError: a server is running on it that left it at another version.
    """
    if is_current(settings.database):
        return
    if not settings.is_embedded:
        raise SchemaError("The database is not at this program's version. Run `mangadex-server migrate` first.")
    try:
        with locked(settings.data_dir, MIGRATED_WITHIN_S):
            migrate(settings.database)
    except DataFolderInUseError:
        if not is_current(settings.database):
            raise DataFolderInUseError(
                "The database is not of this version of the program, and a mangadex-server is running on"
                f" {settings.data_dir}. Use that one's version, or stop it first."
            ) from None


def is_current(url: str) -> bool:
    """Whether the schema is at the newest version."""
    engine = create_engine(synchronous(url))
    try:
        return version(engine) == newest()
    finally:
        engine.dispose()


def newest() -> str:
    """The version that the last migration leads to; its file's name begins with it."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def synchronous(url: str) -> str:
    """The URL for a driver without an event loop."""
    return url.replace("sqlite+aiosqlite:", "sqlite:")


def version(engine: Engine) -> str | None:
    """The version of its schema; None where there is none."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return found
