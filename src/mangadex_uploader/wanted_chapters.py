"""Which chapters the paths and options describe: gathered, settled, and with ids in place of names."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

from mangadex_uploader import places
from mangadex_uploader.chapter import Chapter
from mangadex_uploader.connected import Connected, run_connected
from mangadex_uploader.endings import Ending, What
from mangadex_uploader.errors import UsageError
from mangadex_uploader.expanding import Wrong, expanded
from mangadex_uploader.failures import explained, report
from mangadex_uploader.fields import parse_publish_at
from mangadex_uploader.gathering import Gathering
from mangadex_uploader.gone import finished_at, is_gone, tell_gone
from mangadex_uploader.identifiers import id_in
from mangadex_uploader.ids import Ids
from mangadex_uploader.looking_up import Name, Outcome, look_up
from mangadex_uploader.metadata import Gathered, Text
from mangadex_uploader.name_parts import ONESHOT
from mangadex_uploader.options import Reach, Talking, Wanted
from mangadex_uploader.output import Output
from mangadex_uploader.queue_journal import Queue, Queued
from mangadex_uploader.settling import Settling
from mangadex_uploader.telling import Told, named
from mangadex_uploader.whereabouts import placed

Connect: TypeAlias = Callable[[Reach, Talking, Output, Callable[[Connected], Awaitable[Any]]], Any]
"""Does work with a client, as `run_connected`."""

Expand: TypeAlias = Callable[[Path, Wrong], list[Path]]
"""Which chapters are at a path; is given what to tell of folders in it that are wrong."""


@dataclass(frozen=True, slots=True)
class Described:
    """A chapter, and what is told about its values, if anything is."""

    chapter: Chapter
    told: Told | None = None


class WantedChapters:
    """What is wrong with one path stops that chapter: it is told, and kept in `ended`, with what is not there any more.

    Args:
        connect: how the service is asked.
        expand: which chapters are at a path, as `expanded`.
    """

    def __init__(  # noqa: PLR0913 - groups of options
        self,
        wanted: Wanted,
        reach: Reach,
        talking: Talking,
        output: Output,
        connect: Connect = run_connected,
        expand: Expand = expanded,
    ) -> None:
        self._wanted = wanted
        self._reach = reach
        self._talking = talking
        self._output = output
        self._connect = connect
        self._expand = expand
        self.ended: list[Ending] = []

    @property
    def has_failed(self) -> bool:
        """Whether something is wrong with a path."""
        return any(it.what is What.FAILED for it in self.ended)

    def of(self, paths: list[Path]) -> list[Described]:
        """Those at these paths with which nothing is wrong, each once.

        Asks for what is missing or doubtful, and the service for ids of names.

        Raises:
            UploadError: options that exclude each other, or nobody is signed in.
            InterruptedBySignalError: a signal stopped it.
        """
        given = len(paths)
        paths = self._expanded(paths)
        _check_for_several(len(paths) + len(self.ended), self._wanted, given)
        paths = self._without_finished(paths)
        gathering = Gathering(flags_of(self._wanted), self._wanted.zip_encoding)
        settling = Settling(self._talking)
        found: list[tuple[Path, Gathered, datetime | None]] = []
        for path in paths:
            with self._telling(path):
                settled = settling.settled(path, gathering.of(path))
                _check_addresses(settled)
                found.append((path, settled, _publish_at(settled)))
        ids = Ids(self._talking, self._output)
        ids.learn(self._looked_up(ids.unknown(name for _, values, _ in found for name in _names(values))))
        described = []
        for path, values, publish_at in found:
            with self._telling(path):
                described.append(self._described(path, values, publish_at, ids))
        return described

    def _looked_up(self, names: list[Name]) -> Mapping[Name, Outcome]:
        async def ask(connected: Connected) -> Mapping[Name, Outcome]:
            return await look_up(connected.client, names)

        return self._connect(self._reach, self._talking, self._output, ask) if names else {}

    def _expanded(self, paths: list[Path]) -> list[Path]:
        """Each once, by whatever way it is given."""
        found: dict[str, Path] = {}
        for path in paths:
            with self._telling(path):
                for chapter in self._expand(path, self._fail):
                    found.setdefault(placed(chapter), chapter)
        return list(found.values())

    def _without_finished(self, paths: list[Path]) -> list[Path]:
        """What is gone, or is an empty folder, was moved away if by the journal all of it is published."""
        gone = [path for path in paths if is_gone(path)]
        if not gone or self._wanted.allow_duplicate or not places.journal_file().exists():
            return paths

        async def ask(connected: Connected) -> list[Queued]:
            host = connected.client.configuration.host
            return [it for it in Queue(connected.journal).all() if it.host == host]

        queued = self._connect(self._reach, self._talking, self._output, ask)
        finished = {path: its for path in gone if (its := finished_at(path, queued))}
        self.ended += [tell_gone(path, its, self._output) for path, its in finished.items()]
        return [path for path in paths if path not in finished]

    def _described(self, path: Path, values: Gathered, publish_at: datetime | None, ids: Ids) -> Described:
        manga = ids.of(Name("manga", values.text("manga") or ""))
        groups = tuple(ids.of(Name("group", group)) for group in values.groups)
        number = values.text("chapter")
        chapter = Chapter(
            path=path,
            manga=manga,
            groups=groups,
            language=values.text("language") or "",
            chapter=None if number is None or number.strip().lower() == ONESHOT else number,
            volume=values.text("volume"),
            title=values.text("title"),
            publish_at=publish_at,
            as_is=self._wanted.as_is,
            zip_encoding=self._wanted.zip_encoding,
        )
        return Described(chapter, Told(values, {"manga": (manga,)} | ({"groups": groups} if groups else {})))

    @contextmanager
    def _telling(self, path: Path) -> Iterator[None]:
        """Errors in the block stop this chapter; the others go on."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - an unexpected one goes on
            self._fail(path, error)

    def _fail(self, path: Path, error: Exception) -> None:
        failure = explained(named(path, error))
        if failure is None:
            raise error
        report(self._output, named(path, error), str(path))
        self.ended.append(Ending(path, What.FAILED, failure.status, failure.problem))


def flags_of(wanted: Wanted) -> dict[str, Text | None]:
    """What was given for all paths, by the keys of chapters.toml."""
    return {
        "manga": wanted.manga,
        "groups": tuple(wanted.group or ()),
        "language": wanted.language,
        "chapter": wanted.chapter,
        "volume": wanted.volume,
        "title": wanted.title,
        "publish_at": wanted.publish_at,
        "time_zone": wanted.time_zone,
    }


def _names(values: Gathered) -> Iterator[Name]:
    yield Name("manga", values.text("manga") or "")
    yield from (Name("group", group) for group in values.groups)


def _check_addresses(values: Gathered) -> None:
    for key, kind in {"manga": "manga", "groups": "group"}.items():
        given = values.values.get(key)
        for text in (given.value if isinstance(given.value, tuple) else (given.value,)) if given else ():
            id_in(kind, text, given.origin if given else "")


def _publish_at(values: Gathered) -> datetime | None:
    text = values.text("publish_at")
    return parse_publish_at(text, values.text("time_zone") or None) if text else None


def _check_for_several(count: int, wanted: Wanted, given: int) -> None:
    if count <= 1:
        return
    what = "paths are given" if given == count else "chapters are at what is given"
    is_oneshot = wanted.chapter is not None and wanted.chapter.strip().lower() == ONESHOT
    number = None if is_oneshot else wanted.chapter
    for name, value in {"chapter": number, "volume": wanted.volume, "title": wanted.title}.items():
        if value is not None:
            raise UsageError(f"--{name} is one chapter's, and {count} {what}: upload that one by itself.")
