"""What is doubtful or missing in a chapter's values: asked where somebody may be asked, else an error that names it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from mangadex_uploader import asking
from mangadex_uploader.chapters_file import CHAPTERS_FILE, KEYS
from mangadex_uploader.doubts import Doubt
from mangadex_uploader.errors import UsageError
from mangadex_uploader.metadata import FLAGS, Gathered, Text, Value
from mangadex_uploader.name_parts import ONESHOT
from mangadex_uploader.options import Talking
from mangadex_uploader.printable import printable
from mangadex_uploader.telling import written

ANSWER = "your answer"
NONE = "-"
_QUESTIONS = {"manga": "Manga (id, address or name)", "groups": "Group (id, address or name; empty for none)"}


class Settling:
    """Asks for a manga and a group once, for all chapters that have none."""

    def __init__(self, talking: Talking) -> None:
        self._talking = talking
        self._answers: dict[str, str] = {}

    def settled(self, path: Path, found: Gathered) -> Gathered:
        """The values without doubts, with a manga and a number.

        Raises:
            UsageError: something is doubtful or missing, and nobody may be asked, or did not answer.
        """
        doubts = {key: [doubt for doubt in found.doubts if doubt.about == key] for key in KEYS}
        if not asking.may_ask(self._talking):
            problems = list(_problems(found, doubts))
            if problems:
                raise UsageError("\n".join(f"{printable(str(path))}: {problem}" for problem in problems))
            return found
        values = dict(found.values)
        for key in KEYS:
            given = values.get(key)
            answered = self._answered(path, key, given, doubts[key])
            if answered is not None:
                values[key] = answered
        return replace(found, values=values, doubts=())

    def _answered(self, path: Path, key: str, given: Value | None, doubts: list[Doubt]) -> Value | None:
        """None where nothing has to be asked, or all stays as it is."""
        if key == "chapter" and _is_missing(key, given):
            told = "".join(f"{doubt}\n" for doubt in doubts)
            number = asking.ask(f"{told}Number of the chapter {printable(path.name)} (empty for a oneshot)")
            return Value(number or ONESHOT, ANSWER)
        if doubts:
            return _confirmed(path, key, given, doubts)
        if key in _QUESTIONS and _is_missing(key, given):
            return self._once(key)
        return None

    def _once(self, key: str) -> Value | None:
        if key not in self._answers:
            self._answers[key] = asking.ask(_QUESTIONS[key])
        answer = self._answers[key]
        if key == "manga" and not answer:
            raise UsageError(asking.missing("manga", _QUESTIONS[key]))
        return Value(_as_value(key, answer), ANSWER) if answer else None


def _confirmed(path: Path, key: str, given: Value | None, doubts: Iterable[Doubt]) -> Value | None:
    told = "".join(f"{printable(path.name)}: {doubt}\n" for doubt in doubts)
    taken = f"{_words(key)} {written(given.value)}" if given else f"no {_words(key)}"
    answer = asking.ask(f"{told}Enter for {taken}, or the right one{f', or {NONE} for none' if given else ''}")
    return Value(_as_value(key, "" if answer == NONE else answer), ANSWER) if answer else None


def _problems(found: Gathered, doubts: dict[str, list[Doubt]]) -> Iterable[str]:
    for key in KEYS:
        if key in ("manga", "chapter") and _is_missing(key, found.values.get(key)):
            yield _missing(key, doubts[key])
        else:
            for doubt in doubts[key]:
                given = found.values.get(key)
                would = f"{_words(key)} would be {written(given.value) if given else 'none'}"
                yield f"{doubt} ({would}). Decide it with {FLAGS[key]}, or in {CHAPTERS_FILE} beside it."


def _is_missing(key: str, given: Value | None) -> bool:
    """An empty manga is none; an empty number, and no groups, may be what is wanted."""
    return given is None or (key == "manga" and not given.value)


def _missing(key: str, doubts: Iterable[Doubt]) -> str:
    if key == "manga":
        return asking.missing("manga", _QUESTIONS[key])
    oneshot = f"{FLAGS[key]} {ONESHOT} if it has none"
    told = "".join(f" ({doubt})" for doubt in doubts)
    return f"{asking.missing(key, 'the number')[:-1]}, or write it in {CHAPTERS_FILE} beside it; {oneshot}.{told}"


def _as_value(key: str, text: str) -> Text:
    return tuple(part.strip() for part in text.split("+")) if key == "groups" else text


def _words(key: str) -> str:
    return {"groups": "group"}.get(key, key.replace("_", " "))
