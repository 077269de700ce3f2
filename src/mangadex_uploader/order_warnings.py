"""What looks odd about the names of a chapter's pages. Pure; the order itself is never changed here."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mangadex_uploader.order_forms import forms, some
from mangadex_uploader.ordering import Folder, folded, in_reading_order, read_folder
from mangadex_uploader.page_numbers import LONGEST_COUNTED, Number, numbers, pieces
from mangadex_uploader.printable import printable

SHOWN = 3
OF_CHAPTERS = "there are pages of"
MOST_SPARSE = 10  # numbers that fill less than a tenth of their range count something else than pages
CHAPTER_MARK = re.compile(r"(?<![^\W\d_])(c|ch|chap|chapter|ep|episode|第|제)[\W_]*$")


@dataclass(frozen=True, slots=True)
class _Page:
    name: str
    pieces: tuple[Number | str, ...]

    def number(self, column: int) -> Number | None:
        numbers = [piece for piece in self.pieces if isinstance(piece, Number)]
        return numbers[column] if column < len(numbers) else None

    def before(self, column: int) -> tuple[str, ...]:
        """What stands before a number, so that pages of one series are found."""
        at = [index for index, piece in enumerate(self.pieces) if isinstance(piece, Number)][column]
        return tuple(_bare(piece) if isinstance(piece, str) else _written(piece) for piece in self.pieces[:at])

    def after(self, column: int) -> tuple[Number | str, ...]:
        at = [index for index, piece in enumerate(self.pieces) if isinstance(piece, Number)][column]
        return self.pieces[at + 1 :]


@dataclass(frozen=True, slots=True)
class _Series:
    """Pages that are counted by the same number of their names."""

    pages: tuple[_Page, ...]
    column: int

    def counted(self) -> Iterator[tuple[_Page, Number]]:
        for page in self.pages:
            if number := page.number(self.column):
                yield page, number


def warnings(names: Iterable[str]) -> tuple[str, ...]:
    """Sentences for people, each of which names the files. None for what is usual, such as double pages `010-011`."""
    folders: dict[str, list[str]] = defaultdict(list)
    for name in in_reading_order(names):
        folders[name.rpartition("/")[0]].append(name)
    found = []
    if len(folders) > 1:
        found.append(f"there are pages in {len(folders)} folders ({some(list(folders))}): is this one chapter?")
    read = {folder: read_folder([_file(name) for name in inside]) for folder, inside in folders.items()}
    found += _unusual_digits(folders, read)
    for folder, inside in folders.items():
        found += _of_folder(inside, read[folder])
    return tuple(found)


def _of_folder(names: list[str], folder: Folder) -> list[str]:
    numbered = [_Page(name, parts) for name in names if numbers(parts := folder.pieces[_file(name)])]
    others = [name for name in names if not numbers(folder.pieces[_file(name)]) and not folder.places[_file(name)]]
    found = []
    if numbered and others:
        found.append(f"{some(others)}: has no number among pages that have; see where it comes in the order")
    elif len(others) > 1:
        found.append(f"{some(others)}: have no numbers, and are in the order of their letters; see whether it is right")
    by_start: dict[tuple[str, ...], list[_Page]] = defaultdict(list)
    for page in numbered:
        by_start[() if folder.by_numbers else page.before(0)].append(page)
    of_series = [one for together in by_start.values() for one in _of_series(together, 0)]
    has_chapters = any(one.startswith(OF_CHAPTERS) for one in of_series)
    return [*found, *of_series, *forms(names, folder, has_chapters=has_chapters)]


def _of_series(pages: list[_Page], column: int) -> Iterator[str]:
    """Follow the numbers of a name to the one that counts pages: those before it are volumes, chapters and the like."""
    longer = [page for page in pages if page.number(column + 1)]
    parts: dict[tuple[str, ...], list[_Page]] = defaultdict(list)
    for page in longer:
        parts[page.before(column + 1)].append(page)
    if not _counts_more_than_pages(pages, longer, column):
        yield from _of_numbers(_Series(tuple(pages), column))
        return
    by_value = {_written(page.number(column)): page.name for page in reversed(longer)}
    if len(by_value) > 1 and _are_chapters(longer, column):
        yield f"{OF_CHAPTERS} {len(by_value)} chapters ({some(list(by_value.values())[::-1])}): is this one?"
    for part in parts.values():
        yield from _of_series(part, column + 1)


def _counts_more_than_pages(pages: list[_Page], longer: list[_Page], column: int) -> bool:
    """Whether nearly all names go on to another number, and this one is that of a volume or chapter."""
    if len(longer) < 2 or len(longer) * 5 < len(pages) * 4:
        return False
    same = len({_written(page.number(column)) for page in longer}) == 1
    return same or _are_chapters(longer, column)


def _are_chapters(pages: list[_Page], column: int) -> bool:
    """By the mark before the number; without one, where the next is written wider, as in `1-01` to `2-20`."""
    if all(_is_marked(page, column) for page in pages):
        return True
    width = max(len(number.digits) for page in pages if (number := page.number(column)))
    return all(len(number.digits) > width for page in pages if (number := page.number(column + 1)))


def _is_marked(page: _Page, column: int) -> bool:
    at = [index for index, piece in enumerate(page.pieces) if isinstance(piece, Number)][column]
    before = page.pieces[at - 1] if at else ""
    return isinstance(before, str) and CHAPTER_MARK.search(folded(before)) is not None


def _of_numbers(series: _Series) -> Iterator[str]:
    counted = list(series.counted())
    by_number: dict[object, list[str]] = defaultdict(list)
    for page, number in counted:
        tail = tuple(_bare(one) if isinstance(one, str) else _written(one) for one in page.after(series.column))
        by_number[number.value, number.fraction, tail].append(page.name)
    for same in by_number.values():
        if len(same) > 1:
            yield f"{some(same)}: have the same number; is one of them too many?"
    yield from _padding(counted)
    yield from _gaps(series, counted)


def _padding(counted: list[tuple[_Page, Number]]) -> Iterator[str]:
    by_width = {len(number.digits): page.name for page, number in reversed(counted) if number.value}
    padded = [len(number.digits) for _, number in counted if number.value and number.digits[0] == "0"]
    if padded and min(by_width) < max(padded):
        odd = [by_width[width] for width in sorted(by_width)]
        yield f"{some(odd)}: their numbers have different widths; they are ordered by value"


def _gaps(series: _Series, counted: list[tuple[_Page, Number]]) -> Iterator[str]:
    if any(len(number.digits) > LONGEST_COUNTED for _, number in counted):
        return
    there = {covered for page, number in counted for covered in _covered(page, series.column, int(number.digits))}
    low, high = min(there), max(there)
    if high - low + 1 > MOST_SPARSE * len(there):
        return
    by_start = {int(number.digits): page.name for page, number in reversed(counted)}
    missing = [number for number in range(low, high) if number not in there]
    if missing:
        before = by_start[max(number for number in by_start if number < missing[0])]
        yield f"the numbers have gaps: {_ranges(missing)} missing (first after {printable(before)})"


def _covered(page: _Page, column: int, first: int) -> range:
    """Also the further numbers of a double page, such as `010-011`, `p010-p011` and `010_011`."""
    between, *rest = page.after(column)[:2] or ("",)
    if rest and isinstance(between, str) and between.strip() in {"-", "-p", "_", "~", "+", "&", ","}:
        last = rest[0]
        if isinstance(last, Number) and len(last.digits) <= LONGEST_COUNTED and first < int(last.digits) <= first + 3:
            return range(first, int(last.digits) + 1)
    return range(first, first + 1)


def _unusual_digits(folders: Mapping[str, list[str]], read: Mapping[str, Folder]) -> Iterator[str]:
    odd = [
        name
        for folder, names in folders.items()
        for name in names
        if not all(one.is_plain for one in numbers((*pieces(folder), *read[folder].pieces[_file(name)])))
    ]
    if odd:
        yield f"{some(odd)}: circled, full-width or other unusual digits and numerals are counted as numbers"


def _file(name: str) -> str:
    return name.rpartition("/")[2]


def _bare(text: str) -> str:
    return re.sub(r"[\W_]+", "", folded(text))


def _written(number: Number | None) -> str:
    return "" if number is None else f"{number.value}.{number.fraction or ''}"


def _ranges(numbers: list[int]) -> str:
    """Such as `7`, or `4 to 6, 9 and 3 more`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    shown = [str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs[:SHOWN]]
    more = sum(len(run) for run in runs[SHOWN:])
    return ", ".join(shown) + (f" and {more} more" if more else "")
