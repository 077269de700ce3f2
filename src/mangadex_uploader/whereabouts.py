"""Where a chapter is: one text for one place, however it was typed. What is known of a chapter is kept by it."""

from __future__ import annotations

import os
from pathlib import Path


def placed(path: Path) -> str:
    """Its absolute path without `..`, and without links above it; one that it is itself stays."""
    if path.name in ("", ".."):
        return os.path.realpath(path)
    return str(Path(os.path.realpath(path.parent)) / path.name)
