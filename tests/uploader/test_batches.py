"""Pages in requests."""

from __future__ import annotations

from itertools import chain, repeat

from hypothesis import given
from hypothesis import strategies as st

from mangadex_uploader.chapter import BATCH_BYTES, BATCH_PAGES, PlannedPage, batches
from mangadex_uploader.transfer import BATCH_TARGET_BYTES, FIRST_BATCHES_BYTES, SENDERS

MB = 1_000_000


def planned(sizes: list[int]) -> list[PlannedPage]:
    return [
        PlannedPage(position, f"{position}.png", "0" * 64, size_bytes, "image/png", 1, 1)
        for position, size_bytes in enumerate(sizes, start=1)
    ]


def limits() -> chain[int]:
    return chain(FIRST_BATCHES_BYTES, repeat(BATCH_TARGET_BYTES))


@given(st.lists(st.integers(1, 20 * MB), max_size=60))
def test_every_page_is_in_one_request_that_is_small_enough(sizes: list[int]) -> None:
    pages = planned(sizes)

    made = list(batches(pages, limits()))

    assert [page for batch in made for page in batch] == pages
    assert all(1 <= len(batch) <= BATCH_PAGES for batch in made)
    assert all(len(batch) == 1 or sum(page.size_bytes for page in batch) <= BATCH_BYTES for batch in made)


def test_senders_that_begin_together_do_not_end_together() -> None:
    made = list(batches(planned([MB] * 40), limits()))

    at_once = [len(batch) for batch in made[:SENDERS]]
    assert at_once == sorted(set(at_once), reverse=True)
