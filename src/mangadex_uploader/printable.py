"""Names from outside, as they may be shown: a terminal obeys control characters."""

from __future__ import annotations

import unicodedata

UNSHOWN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # controls, direction marks, undecodable bytes, line ends


def printable(text: str) -> str:
    r"""The text, with `\n`, `\x1b` and the like in place of what is not to be sent to a terminal."""
    return "".join(_escaped(it) if unicodedata.category(it) in UNSHOWN else it for it in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
