"""The engines that the settings name, looked at before the service starts; one sentence for each thing wrong."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError

from mangadex_server.migrate import newest, synchronous, version
from mangadex_server.settings import Settings
from mangadex_server.settings_report import without_secrets
from mangadex_server.tables import metadata

RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE")
CONNECT_S = 5

log = logging.getLogger(__name__)


class EngineError(Exception):
    """An engine cannot be used; the message has a line for each thing that is wrong, and what to do."""


def check_engines(settings: Settings) -> None:
    """Look at the database, the store of pages and the store of counters, where they are not of this machine. Blocks.

    A store of counters that does not answer is only told: limits do without it.

    Raises:
        EngineError: one of the others cannot be used.
    """
    problems = [problem for problem in (_database(settings), _store(settings), _limits(settings)) if problem]
    if problems:
        raise EngineError("\n".join(problems))


def _database(settings: Settings) -> str | None:
    if settings.is_embedded:
        return None
    engine = create_engine(synchronous(settings.database), connect_args={"connect_timeout": CONNECT_S})
    where = without_secrets(settings.database)
    try:
        present = version(engine)
        if present != newest():
            return _not_current(where, present)
        if lacking := _rights(engine):
            return f"The database {where}: its user may not {lacking}. Grant it that right, or name the tables' owner."
    except DBAPIError as error:
        return f"The database {where} cannot be used: {_first_line(error.orig)}. Check database_url, and that it runs."
    finally:
        engine.dispose()
    return None


def _not_current(where: str, present: str | None) -> str:
    if present is None:
        return f"The database {where} has no tables yet. Run `mangadex-server migrate` with the same settings."
    if present > newest():
        return f"The database {where} is of a newer version of this program ({present}). Use that version."
    return (
        f"The database {where} is of an older version ({present}). Run `mangadex-server migrate` with these settings."
    )


def _rights(engine: Engine) -> str | None:
    with engine.connect() as connection:
        for table in metadata.tables:
            for right in RIGHTS:
                has_it = text("SELECT has_table_privilege(:table, :right)").bindparams(table=table, right=right)
                if not connection.execute(has_it).scalar_one():
                    return f"{right} in {table}"
    return None


def _store(settings: Settings) -> str | None:
    """In a process of its own: its library has threads, and does not survive that granian forks after it was used."""
    if settings.blobs_url is None:
        return None
    call = f"from {__name__} import tell_of_store; tell_of_store()"
    words = [sys.executable, "-P", "-c", call, settings.blobs_url, str(settings.data_dir)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - our own program
    if done.returncode:
        reason = done.stderr.strip().rpartition("\n")[2]
        return f"The store of pages {settings.blobs_url} cannot be used: {reason}. Check the variables AWS_..."
    return done.stdout.strip() or None


def tell_of_store() -> None:
    """Print what is wrong with the store that the arguments name, if anything is."""
    url, data_dir = sys.argv[1:]
    sys.stdout.write(_blobs(url, Path(data_dir)) or "")


def _blobs(url: str, data_dir: Path) -> str | None:
    from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError  # noqa: PLC0415 - slow to load, and only for this

    from mangadex_server.object_blobs import ObjectBlobs  # noqa: PLC0415

    where = f"The store of pages {url}"
    try:
        ObjectBlobs(url, data_dir / "blobs").check()
    except FileNotFoundError:
        return f"{where}: there is no such bucket. Make it, or correct blobs_url."
    except (PermissionDeniedError, UnauthenticatedError):
        return f"{where}: the credentials may not write there. Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
    except BaseError as error:
        return f"{where} cannot be used: {_first_line(error)}. Check AWS_ENDPOINT_URL and AWS_REGION, and that it runs."
    return None


def _limits(settings: Settings) -> str | None:
    if settings.limits_url is None or not settings.limits_are_on:
        return None
    import valkey  # noqa: PLC0415 - slow to load, and only for this

    where = settings.limits_url.rpartition("@")[2].removeprefix("valkey://").removeprefix("valkeys://")
    try:
        with valkey.Valkey.from_url(
            settings.limits_url, socket_connect_timeout=CONNECT_S, socket_timeout=CONNECT_S
        ) as it:
            it.ping()
    except valkey.AuthenticationError as error:
        return f"The store of counters {where} refuses to be used: {error}. Check the password in limits_url."
    except (valkey.ConnectionError, valkey.TimeoutError) as error:
        log.warning("requests are not limited while the store of counters %s does not answer: %s", where, error)
    except (valkey.ValkeyError, ValueError, TypeError) as error:
        return f"The store of counters {where} cannot be used: {error}. Check limits_url."
    return None


def _first_line(error: BaseException | None) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".")
