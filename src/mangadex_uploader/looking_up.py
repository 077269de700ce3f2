"""Manga and groups by name: what the service finds, and whether one of them is meant beyond doubt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import mangadex_openapi as sdk
from mangadex_uploader.catalogue import ALL_RATINGS
from mangadex_uploader.identifiers import compared

MOST = 100  # of an answer (contract 9.1, 9.2)
BEST_FIRST = {"relevance": "desc"}


@dataclass(frozen=True, slots=True)
class Name:
    """What a user calls a manga or a group; `kind` is `manga` or `group`."""

    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind} {self.text!r}"


@dataclass(frozen=True, slots=True)
class Match:
    """A manga or group that the service found; `more` tells it from others of its name, such as `2019, by A`."""

    id: str
    names: tuple[str, ...]
    more: str = ""

    def __str__(self) -> str:
        return f"{self.names[0]}{f', {self.more}' if self.more else ''} ({self.id})"

    def is_called(self, name: str) -> bool:
        """Whether one of its names is this one."""
        return compared(name) in map(compared, self.names)


Outcome: TypeAlias = Sequence[Match] | sdk.OpenApiException


async def look_up(client: sdk.AsyncApiClient, names: Iterable[Name]) -> Mapping[Name, Outcome]:
    """Ask the service for each; those that are called so come first. What fails for one name may do for others."""
    return {name: await _outcome(client, name) for name in names}


def the_one(name: Name, found: Sequence[Match]) -> Match | None:
    """The only one of this name; None where several have it, or none."""
    equal = [match for match in found if match.is_called(name.text)]
    return equal[0] if len(equal) == 1 else None


async def _outcome(client: sdk.AsyncApiClient, name: Name) -> Outcome:
    try:
        found = await (_manga if name.kind == "manga" else _groups)(client, name.text.strip())
    except sdk.OpenApiException as error:
        return error
    return sorted(found, key=lambda match: not match.is_called(name.text))


async def _manga(client: sdk.AsyncApiClient, title: str) -> list[Match]:
    answer = await sdk.AsyncMangaApi(client).get_search_manga(
        limit=MOST, title=title, content_rating=ALL_RATINGS, order=BEST_FIRST, includes=["author", "artist"]
    )
    return [_manga_match(manga) for manga in answer.data or []]


def _manga_match(manga: sdk.Manga) -> Match:
    told = manga.attributes or sdk.MangaAttributes()
    titles = [text for names in [told.title or {}, *(told.alt_titles or [])] for text in names.values() if text]
    by = [str(it.attributes["name"]) for it in manga.relationships or [] if it.attributes and "name" in it.attributes]
    people = f"by {', '.join(dict.fromkeys(by))}" if by else ""
    more = ", ".join(filter(None, [str(told.year or ""), people]))
    return Match(str(manga.id), tuple(titles) or ("without a title",), more)


async def _groups(client: sdk.AsyncApiClient, name: str) -> list[Match]:
    answer = await sdk.AsyncScanlationGroupApi(client).get_search_group(limit=MOST, name=name, order=BEST_FIRST)
    return [_group_match(group) for group in answer.data or []]


def _group_match(group: sdk.ScanlationGroup) -> Match:
    told = group.attributes or sdk.ScanlationGroupAttributes()
    names = [told.name, *(text for others in told.alt_names or [] for text in others.values())]
    return Match(str(group.id), tuple(filter(None, names)) or ("without a name",), told.website or "")
