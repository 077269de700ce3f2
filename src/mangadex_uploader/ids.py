"""Ids for what users call manga and groups: by the settings file's tables, by what the service found, or an answer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

import mangadex_openapi as sdk
from mangadex_uploader import asking, places
from mangadex_uploader.errors import UsageError
from mangadex_uploader.identifiers import compared, id_in
from mangadex_uploader.looking_up import Match, Name, Outcome, the_one
from mangadex_uploader.metadata import FLAGS
from mangadex_uploader.options import Talking
from mangadex_uploader.output import Output
from mangadex_uploader.printable import printable
from mangadex_uploader.settings import TABLES

SHOWN = 5
_FLAG = {"manga": FLAGS["manga"], "group": FLAGS["groups"]}


class Ids:
    """Remembers every answer for the run."""

    def __init__(self, talking: Talking, output: Output) -> None:
        self._talking = talking
        self._output = output
        self._known: dict[Name, str] = {}
        self._open: dict[Name, Outcome] = {}
        self._refused: dict[Name, UsageError] = {}

    def unknown(self, names: Iterable[Name]) -> list[Name]:
        """Those that only the service can know, each once."""
        return list(dict.fromkeys(name for name in names if self._given(name) is None))

    def learn(self, outcomes: Mapping[Name, Outcome]) -> None:
        """What the service answered."""
        for name, outcome in outcomes.items():
            meant = None if isinstance(outcome, sdk.OpenApiException) else the_one(name, outcome)
            if meant:
                self._known[name] = meant.id
                self._output.say(f"{name} is {meant}")
            else:
                self._open[name] = outcome

    def of(self, name: Name) -> str:
        """The id; asked where it is not certain.

        Raises:
            UsageError: nothing has this name or several things have, and nobody may be asked or nothing was chosen.
            OpenApiException: the service could not be asked.
        """
        known = self._given(name) or self._known.get(name)
        if known:
            return known
        if name in self._refused:
            raise self._refused[name]
        outcome = self._open[name]
        if isinstance(outcome, sdk.OpenApiException):
            raise outcome
        try:
            self._known[name] = self._chosen(name, outcome)
        except UsageError as error:
            self._refused[name] = error
            raise
        return self._known[name]

    def _given(self, name: Name) -> str | None:
        by_table = self._talking.file.ids.get((name.kind, compared(name.text)))
        return id_in(name.kind, name.text, _FLAG[name.kind]) or by_table

    def _chosen(self, name: Name, found: Iterable[Match]) -> str:
        shown = list(found)
        if not asking.may_ask(self._talking):
            raise UsageError(f"{_problem(name, shown)} {self._advice(name)}")
        self._output.problem(_problem(name, shown))
        while answer := asking.ask("Which is it? A number of these, an id or an address; empty for none"):
            chosen = self._answered(name, shown, answer)
            if chosen:
                self._output.say(f"To be known next time: {self._line(name, chosen)}")
                return chosen
        raise UsageError(f"{_upper(name)}: none was chosen.")

    def _answered(self, name: Name, shown: list[Match], answer: str) -> str | None:
        if answer.isdecimal() and 1 <= int(answer) <= min(len(shown), SHOWN):
            return shown[int(answer) - 1].id
        try:
            found = id_in(name.kind, answer, "The answer")
        except UsageError as error:
            self._output.problem(error.problem)
            return None
        if found is None:
            self._output.problem(f"{answer!r} is none of these, no id and no address.")
        return found

    def _advice(self, name: Name) -> str:
        return f"Give the right one's id with {_FLAG[name.kind]}, or write it down: {self._line(name, '...')}"

    def _line(self, name: Name, its: str) -> str:
        table = next(table for table, kind in TABLES.items() if kind == name.kind)
        file = self._talking.file.path or places.config_file()
        return f"{json.dumps(name.text, ensure_ascii=False)} = {json.dumps(its)} below [{table}] in {file}"


def _problem(name: Name, found: list[Match]) -> str:
    """What was found, with numbers to choose by."""
    if not found:
        return f"{_upper(name)}: the service finds none of this name."
    count = sum(match.is_called(name.text) for match in found)
    what = f"{count} are called so" if count else "none is called so, but there are similar ones"
    lines = [f"\n  {at}  {printable(str(match))}" for at, match in enumerate(found[:SHOWN], 1)]
    more = f"\n  and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return f"{_upper(name)}: {what}:{''.join(lines)}{more}\n"


def _upper(name: Name) -> str:
    text = str(name)
    return text[0].upper() + text[1:]
