"""What a person is told when a command cannot do its work."""

from __future__ import annotations

from sqlalchemy.exc import ArgumentError, DBAPIError

from mangadex_server.backup import BackupError
from mangadex_server.data_folder import DataFolderInUseError, HalfRestoredError
from mangadex_server.engine_checks import EngineError
from mangadex_server.errors import ServiceError
from mangadex_server.listening import CannotServeError
from mangadex_server.migrate import SchemaError
from mangadex_server.moving import MoveError
from mangadex_server.settings_report import SettingsError
from mangadex_server.signing_keys import KeyFileError

OURS = (
    ServiceError,
    KeyFileError,
    DataFolderInUseError,
    HalfRestoredError,
    CannotServeError,
    BackupError,
    SettingsError,
    SchemaError,
    EngineError,
    MoveError,
)


def sentence(error: Exception) -> str | None:
    """What is wrong and what to do; None for a fault of the program."""
    if isinstance(error, OURS):
        return str(error)
    if isinstance(error, DBAPIError):
        reason = str(error.orig).strip().partition("\n")[0].rstrip(".")
        return f"The database cannot be used: {reason}. Check database_url, and that it runs."
    if isinstance(error, ArgumentError):
        return f"database_url cannot be used: {error}."
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror or error}. Choose another place, or give this user the right to use it."
    return None
