"""`order.txt`: the order of pages as somebody wrote it down. It overrides what their names say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from mangadex_uploader.errors import UsageError
from mangadex_uploader.ordering import composed
from mangadex_uploader.printable import printable

ORDER_FILE = "order.txt"
SHOWN = 10
ADVICE = "write each page's name on a line of its own, once, as `mangadex check` shows it"


def read_order(text: str, names: Sequence[str]) -> list[str]:
    """The pages in the order of the file.

    Blank lines do not count, nor do those that begin with `#` and name no page. A page in a folder may go by its bare
    name, where no other has it. Between folders there may be a backslash.

    Raises:
        UsageError: a name that is no page's, a page that is missing, or there twice; names up to ten of each.
    """
    known = _known(names)
    lines = [line.strip("\ufeff\r") for line in text.split("\n")]
    wanted = [line for line in lines if line.strip() and (_found(line, known) or not line.lstrip().startswith("#"))]
    found = [_found(line, known) for line in wanted]
    pages = [page for page in found if page is not None]
    times = Counter(pages)
    problems = [
        _problem("is no page", [line.strip() for line, page in zip(wanted, found, strict=True) if page is None]),
        _problem("is not in it", [name for name in names if name not in times]),
        _problem("is in it more than once", [name for name, count in times.items() if count > 1]),
    ]
    if any(problems):
        raise UsageError(f"{ORDER_FILE}: {'; '.join(filter(None, problems))}; {ADVICE}")
    return pages


def _known(names: Iterable[str]) -> dict[str, str]:
    """The pages by all that they may be called."""
    bare = Counter(_bare(name) for name in names)
    short = {_bare(name): name for name in names if bare[_bare(name)] == 1}
    return short | {composed(name): name for name in names} | {name: name for name in names}


def _bare(name: str) -> str:
    return composed(name.rpartition("/")[2])


def _found(line: str, known: dict[str, str]) -> str | None:
    written = (line, line.strip())
    candidates = (*written, *(one.replace("\\", "/") for one in written))
    return next((known[it] for one in candidates for it in (one, composed(one)) if it in known), None)


def _problem(what: str, names: list[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{', '.join(printable(name) for name in names[:SHOWN])}{more} {what}"
