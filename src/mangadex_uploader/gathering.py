"""What is said of a chapter on disk: by chapters.toml beside it, by the ComicInfo.xml in it, and by its name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from mangadex_uploader import chapter_names, comic_info
from mangadex_uploader.chapters_file import CHAPTERS_FILE, ChaptersFile, read_chapters
from mangadex_uploader.errors import UsageError
from mangadex_uploader.metadata import Gathered, Text, gathered
from mangadex_uploader.printable import printable
from mangadex_uploader.sources import ARCHIVES, open_source


class Gathering:
    """Reads each chapters.toml once.

    Args:
        flags: what was given for all chapters, by the keys of chapters.toml.
        zip_encoding: of names in archives; None finds it out.
    """

    def __init__(self, flags: Mapping[str, Text | None], zip_encoding: str | None = None) -> None:
        self._flags = flags
        self._zip_encoding = zip_encoding
        self._files: dict[Path, ChaptersFile | UsageError] = {}

    def of(self, path: Path) -> Gathered:
        """All that is said of a chapter.

        Raises:
            UsageError: the path is no chapter, or one of the files is wrong.
        """
        place = _absolute(path)
        data = open_source(path, self._zip_encoding).comic_info()
        info = comic_info.parse(data) if data is not None else None
        return gathered(self._flags, self._file(place.parent).of(place.name), info, chapter_names.parse(place.name))

    def of_name(self, path: Path) -> Gathered:
        """What the name alone says."""
        return gathered(self._flags, {}, None, chapter_names.parse(_absolute(path).name))

    def _file(self, folder: Path) -> ChaptersFile:
        if folder not in self._files:
            try:
                self._files[folder] = _read(folder)
            except UsageError as error:
                self._files[folder] = error
        found = self._files[folder]
        if isinstance(found, UsageError):
            raise found
        return found


def _read(folder: Path) -> ChaptersFile:
    try:
        text = (folder / CHAPTERS_FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return ChaptersFile()
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8"
        raise UsageError(
            f"{printable(str(folder / CHAPTERS_FILE))}: cannot be read ({reason}); mend it, or take it away"
        ) from error
    beside = [it.name for it in folder.iterdir() if it.is_dir() or it.suffix.lower() in ARCHIVES]
    try:
        return read_chapters(text, beside)
    except UsageError as error:
        raise UsageError(f"{printable(str(folder))}: {error.problem}") from error


def _absolute(path: Path) -> Path:
    """With a name also where it is `.`; links are not followed, since their names are the user's."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.absolute() keeps the dots
