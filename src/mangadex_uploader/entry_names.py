"""The names of a zip archive's entries as text. They are only names, never paths. Pure."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mangadex_uploader.printable import printable
from mangadex_uploader.zip_names import HISTORICAL, Detected, decoded, detect, unicode_path

UTF8_NAME = 1 << 11  # of the general purpose bit flag (APPNOTE 4.4.4)


@dataclass(frozen=True, slots=True)
class EntryNames:
    """Of all entries in the archive's order, with `/` between folders and behind a folder's own name."""

    names: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def entry_names(entries: Iterable[zipfile.ZipInfo], zip_encoding: str | None) -> EntryNames:
    """Decode all names.

    Args:
        entries: as the library gives them.
        zip_encoding: of the names that do not say theirs; None finds it out.

    Raises:
        UsageError: a name is not in this encoding, or there is none of its name.
    """
    said = [_said(entry) for entry in entries]
    unclear = [name for name in said if isinstance(name, bytes)]
    found = Detected(zip_encoding, is_certain=True) if zip_encoding else detect(unclear)
    names = tuple(_tidy(name) if isinstance(name, str) else _tidy(_decoded(name, found)) for name in said)
    return EntryNames(names, _warnings(unclear, found))


def _said(entry: zipfile.ZipInfo) -> str | bytes:
    """The name as the archive has it, or its bytes if their encoding is not said. The library's own is cut at a NUL."""
    name = entry.orig_filename
    if entry.flag_bits & UTF8_NAME or name.isascii():
        return _with_slashes(name)
    raw = name.encode(HISTORICAL)  # by which the library has decoded it
    by_field = unicode_path(entry.extra, raw)
    return raw if by_field is None else _with_slashes(by_field)


def _decoded(raw: bytes, found: Detected) -> str:
    text = decoded(raw, found.encoding)
    return _with_slashes(text) if found.is_certain else text  # else a backslash may be half of a character


def _with_slashes(name: str) -> str:
    return name.replace("\\", "/")


def _tidy(name: str) -> str:
    tidy = "/".join(part for part in name.split("/") if part not in {"", "."}) or "?"
    return f"{tidy}/" if name.endswith("/") else tidy


def _warnings(unclear: Sequence[bytes], found: Detected) -> tuple[str, ...]:
    if found.is_certain:
        return ()
    example = printable(decoded(next(raw for raw in unclear if not raw.isascii()), found.encoding))
    taken = f"the names in the archive do not say their encoding, and were read as {found.encoding} (such as {example})"
    return (f"{taken}; if that is wrong, give the right one with --zip-encoding",)
