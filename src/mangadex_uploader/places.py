"""Where this program keeps things: the places that the system has for it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from platformdirs import PlatformDirs

_DIRS = PlatformDirs("mangadex", appauthor=False)


def config_file() -> Path:
    """The settings, where there are any and `--config` names no other file."""
    return _DIRS.user_config_path / "config.toml"


def state_folder() -> Path:
    """Everything that is kept between runs."""
    return _DIRS.user_state_path


def journal_file() -> Path:
    """What was begun, sent and finished."""
    return state_folder() / "journal.sqlite3"


def logins_folder() -> Path:
    """Who is signed in where; also the secrets, where no keyring is to be had."""
    return state_folder() / "logins"


def consent_file() -> Path:
    """When which service's terms were accepted."""
    return state_folder() / "terms.json"


def crash_log() -> Path:
    """Where an error of this program itself leaves its details."""
    return _DIRS.user_log_path / "errors.log"


def write_private(path: Path, text: str) -> None:
    """Write a file that only this user can read, whole or not at all.

    Raises:
        OSError: it cannot be written there.
    """
    _make_private(path.parent)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)  # mode 0600
    written = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        written.replace(path)
    except BaseException:
        written.unlink(missing_ok=True)
        raise


def _make_private(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for this user only."""
    if not folder.exists():
        _make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
