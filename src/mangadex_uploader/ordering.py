"""The order of pages: as a person counts, case aside, the same on every machine."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

from natsort import natsort_keygen, ns

_natural = natsort_keygen(alg=ns.INT | ns.IGNORECASE)  # no locale; not ns.REAL, which takes "1-2" for 1 and -2


def in_reading_order(names: Iterable[str]) -> list[str]:
    """Names with `/` between folders, folder by folder. Equal ones, such as `1` and `01`, as their characters come."""
    return sorted(names, key=lambda name: (_key(name), name))


def _key(name: str) -> tuple[Any, ...]:
    path = PurePosixPath(name)  # the suffix apart: "1.png" comes before "1-2.png"
    return tuple(_natural(part) for part in (*path.parent.parts, path.stem, path.suffix))
