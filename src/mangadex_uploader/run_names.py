"""What `names` does."""

from __future__ import annotations

import os
from pathlib import Path

from mangadex_uploader import chapter_names
from mangadex_uploader.errors import UploadError, UsageError
from mangadex_uploader.failures import common_status, report
from mangadex_uploader.gathering import Gathering
from mangadex_uploader.metadata import DEFAULT, Gathered
from mangadex_uploader.name_parts import ChapterName
from mangadex_uploader.output import Output
from mangadex_uploader.telling import ORDER, Told, named, written


def explain_all(paths: list[Path], output: Output) -> int:
    """Tell of each path what is known; the exit status."""
    gathering = Gathering({})
    return common_status([_explain(path, gathering, output) for path in paths])


def _explain(path: Path, gathering: Gathering, output: Output) -> int:
    try:
        found = gathering.of(path) if os.path.lexists(path) else gathering.of_name(path)
    except UploadError as error:
        return report(output, named(path, error), str(path))
    strict, reason = _strict(found)
    told = Told(found)
    doubts = [str(doubt) for doubt in found.doubts]
    output.tell("values", path=str(path), **told.keys(), doubts=doubts, strict=strict)
    for key in ORDER:
        if key in found.values:
            value = found.values[key]
            output.result(str(path), key, written(value.value), value.origin)
    for kind, texts in {"warning": told.warnings, "doubt": doubts}.items():
        for text in texts:
            output.result(str(path), kind, text)
    output.result(str(path), "strict", *([strict] if strict else ["none", reason]))
    return 0


def _strict(found: Gathered) -> tuple[str | None, str]:
    """The form that bulk uploaders use, or why it cannot be written."""
    is_default = "language" in found.values and found.values["language"].origin == DEFAULT
    try:
        name = ChapterName(
            manga=found.text("manga") or None,
            language=None if is_default else found.text("language") or None,
            chapter=found.text("chapter") or None,
            volume=found.text("volume") or None,
            title=found.text("title") or None,
            publish_at=found.text("publish_at") or None,
            groups=found.groups,
        )
        return chapter_names.format(name), ""
    except UsageError as error:
        return None, error.problem
