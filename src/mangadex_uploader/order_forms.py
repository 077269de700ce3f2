"""Whether the names of a folder's pages have one form, and whether their order is that of their numbers. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

from mangadex_uploader.ordering import Folder, number_key
from mangadex_uploader.page_numbers import Pieces, are_a_sequence, folded, head, numbers, unseparated
from mangadex_uploader.printable import printable

SHOWN = 3


def forms(names: list[str], folder: Folder, *, has_chapters: bool) -> Iterator[str]:
    """What is odd about names that are in their order; of what is mixed, the worst.

    `has_chapters`: it is known that later numbers begin again.
    """
    read = [(name, folder.pieces[file], folder.places[file]) for name in names for file in [name.rpartition("/")[2]]]
    for side, where in ((-1, "before all others, as covers do"), (1, "after all others, as credits do")):
        if covers := [name for name, parts, place in read if place == side and numbers(parts)]:
            yield f"{some(covers)}: come {where}, and are not counted; see whether this is right"
    pages = [(name, parts) for name, parts, place in read if numbers(parts) and not place]
    if unlike := _unlike_numbers(pages, folder, has_chapters=has_chapters):
        yield f"{unlike}: come in this order, though their numbers do not; see whether it is right"
    elif found := _first(pages, lambda one, other: unseparated(head(one)) != unseparated(head(other))):
        decides = "their numbers decide" if folder.by_numbers else "these words decide"
        yield f"{found}: have different words before their numbers, and {decides}; see whether the order is right"
    elif found := _first(pages, lambda one, other: folded(head(one)) != folded(head(other))):
        yield f"{found}: have different signs or spaces before their numbers, which do not count for the order"


def some(names: list[str]) -> str:
    """Up to three of them, and how many more there are."""
    shown = ", ".join(printable(name) or "the top" for name in names[:SHOWN])
    return shown + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def _unlike_numbers(pages: list[tuple[str, Pieces]], folder: Folder, *, has_chapters: bool) -> str | None:
    """Where all numbers of the names, or the last ones if these count the pages, go back."""
    if folder.by_numbers:
        return None
    back = _first(pages, lambda one, other: _keys(one) > _keys(other))
    if back or has_chapters or not are_a_sequence([numbers(parts)[-1] for _, parts in pages]):
        return back
    return _first(pages, lambda one, other: _keys(one)[-1] > _keys(other)[-1])


def _keys(parts: Pieces) -> list[tuple[int, int, str, int, str]]:
    return [number_key(number) for number in numbers(parts)]


def _first(pages: list[tuple[str, Pieces]], is_odd: Callable[[Pieces, Pieces], bool]) -> str | None:
    found = ((one, other) for (one, left), (other, right) in pairwise(pages) if is_odd(left, right))
    return next((some([one, other]) for one, other in found), None)
