r"""The file name of a part, as its sender meant it: it comes back as `originalFileName`, unchanged (contract 4.2).

`filename="..."` is UTF-8. Of backslashes only the escapes of a quote and of a backslash are undone, which httpx, Go
and old browsers send (and PHP undoes): today's browsers escape nothing, so `C:\page.png` stays whole. `%22`, a
browser's quote, stays as it is, since a name may have it by itself and clients look for what they sent.
`filename*=` (RFC 5987) has no place in a form (RFC 7578, 4.2), but some send nothing else: it is read where there is
no `filename=`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from urllib.parse import unquote_to_bytes

from mangadex_server.errors import Invalid

MAX_CHARACTERS = 1024  # a file system gives a name 255 bytes
MAX_PARAMETERS = 16  # a form's part has two or three, and a hostile one thousands that are slow to tell apart
CHARSETS = frozenset({"utf-8", "iso-8859-1"})  # RFC 5987, 3.2

_PARAMETER = re.compile(
    r"""; \s* ([!#$%&'*+.^_`|~0-9A-Za-z-]+) \s* = \s* (?:
        "( (?: [^"\\] | \\. )* )" (?= \s* (?: ; | \Z ) )   # quoted, escapes and all
        | "( .*? )" (?= \s* (?: ; | \Z ) )                 # quoted by who escapes nothing: it ends where it can
        | ( [^;]* ) )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r'\\(["\\])')


@dataclass(frozen=True, slots=True)
class PartName:
    """A name, and why its page is refused if it cannot be kept."""

    text: str
    problem: str | None = None

    @property
    def shown(self) -> str:
        """For a message."""
        return f'"{self.text}"' if len(self.text) <= MAX_CHARACTERS else f'"{self.text[:100]}…"'

    def refused(self, problem: str) -> Invalid:
        """The refusal of its page."""
        return Invalid(f"Could not accept file {self.shown}: {problem}")


def file_name(disposition: str) -> PartName | None:
    """The name in a Content-Disposition; None where it is no file's."""
    given: dict[str, str] = {}
    for found in islice(_PARAMETER.finditer(disposition), MAX_PARAMETERS):
        key, escaped, bare, token = found.groups(default="")
        given.setdefault(key.lower(), _ESCAPED.sub(r"\1", escaped) or bare or token.strip())
    if "filename" in given:
        return _checked(given["filename"])
    return _decoded(given["filename*"]) if "filename*" in given else None


def _decoded(extended: str) -> PartName:
    charset, _, text = extended.partition("'")
    raw = unquote_to_bytes(text.partition("'")[2])
    unreadable = PartName(extended, "its name cannot be read; send it as filename, in UTF-8")
    if charset.lower() not in CHARSETS:
        return unreadable
    try:
        return _checked(raw.decode(charset))
    except UnicodeDecodeError:
        return unreadable


def _checked(name: str) -> PartName:
    if "\0" in name:  # PostgreSQL keeps no text with one
        return PartName(name, "its name has a NUL character; rename it")
    if len(name) > MAX_CHARACTERS:
        return PartName(name, f"its name has {len(name)} characters, {MAX_CHARACTERS} are the most; rename it")
    return PartName(name)
