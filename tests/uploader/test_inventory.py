"""What a session has of a plan (design 4): by names, by the journal's ids, with doubles, moves and damage."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from mangadex_openapi import UploadSession
from mangadex_uploader.chapter import PlannedPage
from mangadex_uploader.inventory import Inventory, ListedFile, OpenSession, take_stock


def page(position: int, content: str, size: int = 10) -> PlannedPage:
    digest = hashlib.sha256(content.encode()).hexdigest()
    return PlannedPage(position, f"{content}.png", digest, size, "image/png", 1, 1)


def listed(of: PlannedPage, id_: str, **other: object) -> ListedFile:
    told = {"name": of.wire_name, "size_bytes": of.size_bytes, "digest": of.digest} | other
    return ListedFile(id_, **told)  # type: ignore[arg-type]


A, B, C = page(1, "a"), page(2, "b"), page(3, "c")


def stock(
    pages: list[PlannedPage], files: list[ListedFile], journaled: dict[str, str] | None = None, **more: bool
) -> Inventory:
    return take_stock(pages, files, journaled or {}, hashes_are_sha256=more.get("proven", False))


def test_named_files_are_found_whatever_their_order() -> None:
    found = stock([A, B, C], [listed(C, "3"), listed(A, "1")])
    assert found.stored == {1: "1", 3: "3"}
    assert found.surplus == []


def test_a_file_sent_twice_is_kept_once() -> None:
    found = stock([A, B], [listed(A, "1"), listed(A, "2"), listed(B, "3")])
    assert found.stored == {1: "1", 2: "3"}
    assert found.surplus == ["2"]


def test_a_page_that_moved_is_not_sent_again() -> None:
    moved = page(7, "a")
    assert stock([moved], [listed(A, "1")]).stored == {7: "1"}


def test_equal_pages_are_told_apart_by_position() -> None:
    first, second = page(1, "blank"), page(2, "blank")
    found = stock([first, second], [listed(second, "2"), listed(first, "1")])
    assert found.stored == {1: "1", 2: "2"}
    assert stock([first, second], [listed(second, "2")]).stored == {2: "2"}


def test_another_size_is_another_page() -> None:
    found = stock([A], [listed(A, "1", size_bytes=9)])
    assert found.stored == {}
    assert found.surplus == ["1"]


def test_a_hash_counts_only_once_it_is_known_to_be_sha256() -> None:
    damaged = listed(A, "1", digest="0" * 64)
    assert stock([A], [damaged]).stored == {1: "1"}
    assert stock([A], [damaged], proven=True).stored == {}
    assert stock([A], [listed(A, "1", digest="0" * 32)], proven=True).stored == {1: "1"}


def test_bare_ids_are_known_by_the_journal() -> None:
    bare = [ListedFile("1"), ListedFile("2")]
    found = stock([A, B], bare, {"2": B.digest})
    assert found.stored == {2: "2"}
    assert found.surplus == ["1"]


def test_files_of_others_are_surplus() -> None:
    found = stock([A], [ListedFile("9", name="cover.png", size_bytes=10)])
    assert (found.stored, found.surplus) == ({}, ["9"])


@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=8), st.data())
def test_any_part_of_a_chapter_is_found_whole_and_used_once(contents: list[str], data: st.DataObject) -> None:
    pages = [page(position, content) for position, content in enumerate(contents, 1)]
    there = data.draw(st.lists(st.sampled_from(pages), max_size=12))
    found = stock(pages, [listed(it, str(number)) for number, it in enumerate(there)])
    by_id = {str(number): it for number, it in enumerate(there)}
    assert len(set(found.stored.values())) == len(found.stored)
    assert sorted([*found.stored.values(), *found.surplus], key=int) == list(by_id)
    for position, file_id in found.stored.items():
        assert by_id[file_id].digest == pages[position - 1].digest
    for digest in {it.digest for it in pages}:
        wanted = sum(it.digest == digest for it in pages)
        present = sum(it.digest == digest for it in there)
        kept = sum(by_id[file_id].digest == digest for file_id in found.stored.values())
        assert kept == min(wanted, present)


def test_an_answer_of_the_service_is_read() -> None:
    answer = UploadSession.from_dict(
        {
            "id": "s",
            "attributes": {"createdAt": "2026-11-24T10:00:00+00:00"},
            "relationships": [
                {"id": "u", "type": "user"},
                {"id": "m", "type": "manga"},
                {"id": "g", "type": "scanlation_group"},
                {"id": "f1", "type": "upload_session_file", "attributes": {"originalFileName": "", "fileHash": ""}},
                {
                    "id": "f2",
                    "type": "upload_session_file",
                    "attributes": {"originalFileName": "n", "fileHash": "h", "fileSize": 3},
                },
            ],
        }
    )
    session = OpenSession.of(answer)
    assert (session.id, session.user_id, session.manga, session.groups) == ("s", "u", "m", ("g",))
    assert session.files == (ListedFile("f1"), ListedFile("f2", "n", 3, "h"))
    assert session.created_at is not None
    assert session.created_at.isoformat() == "2026-11-24T10:00:00+00:00"
