"""The values of a chapter: what is sent, what is warned about, what is refused and with which advice."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mangadex_openapi.models import ChapterDraft
from mangadex_uploader.chapter import Chapter
from mangadex_uploader.errors import UsageError
from mangadex_uploader.fields import check_publish_at, checked, parse_publish_at, publish_at_on_the_wire

MANGA = "f9c33607-9180-4ba6-b85c-e4b5faee7192"
GROUP = "145f9110-0a6c-4b71-8737-6acb1a3c5da4"
CHAPTER = Chapter(path=Path("x"), manga=MANGA)
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)


def taken(**given: Any) -> tuple[Chapter, tuple[str, ...]]:
    return checked(replace(CHAPTER, **given), now=NOW)


SENT: list[tuple[str, Any, Any]] = [
    ("manga", MANGA.upper(), MANGA),
    ("manga", f" {MANGA} ", MANGA),
    ("groups", (), ()),
    ("groups", (GROUP.upper(), MANGA), (GROUP, MANGA)),
    ("language", "en", "en"),
    ("language", "pt-br", "pt-br"),
    ("chapter", None, None),
    ("chapter", "", None),
    ("chapter", " ", None),
    ("chapter", "0", "0"),
    ("chapter", "12", "12"),
    ("chapter", " 12 ", "12"),
    ("chapter", "10.5", "10.5"),
    ("chapter", "10.50", "10.50"),
    ("chapter", "7a", "7a"),
    ("chapter", "7.5b", "7.5b"),
    ("volume", "12345678", "12345678"),
    ("title", None, None),
    ("title", "", None),
    ("title", " \t", None),
    ("title", "あ" * 255, "あ" * 255),
]
MENDED: list[tuple[str, Any, Any, str]] = [
    ("chapter", "025", "25", "chapter '025' is sent as '25'"),
    ("chapter", "00", "0", "chapter '00' is sent as '0'"),
    ("chapter", "00.5", "0.5", "chapter '00.5' is sent as '0.5'"),
    ("chapter", "0000000001", "1", "is sent as '1'"),
    ("volume", "04", "4", "volume '04' is sent as '4'"),
    ("language", "xx", "xx", "none of those known here"),
    ("groups", (GROUP, GROUP.upper()), (GROUP,), "given twice"),
]
REFUSED: list[tuple[str, Any, str]] = [
    ("manga", "One Piece", "manga 'One Piece': it is no id"),
    ("manga", "", "manga '': it is no id"),
    ("manga", MANGA.replace("-", ""), "it is no id"),
    ("manga", f"{{{MANGA}}}", "it is no id"),
    ("manga", "\x1b[2J", r"manga '\x1b[2J'"),
    ("groups", ("x",), "group 'x': it is no id"),
    ("groups", tuple(f"{GROUP[:-2]}{number}" for number in range(10, 21)), "there are 11, a chapter may have 10"),
    ("language", "pt-BR", "write two small letters"),
    ("language", "eng", "write two small letters"),
    ("language", "en\n", "write two small letters"),
    ("language", "", "write two small letters"),
    *(("chapter", text, "write a number") for text in ("1.", ".5", "1A", "1-2", "1ab", "ten", "-1", "123456789")),
    *(
        ("volume", text, "write a number")
        for text in ("1\n2", "\uff11", "\u0663", "1\u0663", "1.\uff15", "1e3", "v04", "1,5")
    ),
    ("title", "a" * 256, "it has 256 characters, it may have 255"),
    ("publish_at", NOW.replace(tzinfo=None), "without a zone"),
    ("publish_at", NOW, "is past"),
    ("publish_at", NOW - timedelta(seconds=1), "is past"),
    ("publish_at", datetime(2026, 12, 1, 13, 59, tzinfo=timezone(timedelta(hours=2))), "is past"),
]


@pytest.mark.parametrize(("name", "value", "sent"), SENT)
def test_values_are_sent_as_the_service_wants_them(name: str, value: Any, sent: Any) -> None:
    chapter, warnings = taken(**{name: value})
    assert (getattr(chapter, name), warnings) == (sent, ())


@pytest.mark.parametrize(("name", "value", "sent", "warned"), MENDED)
def test_what_is_changed_or_odd_is_warned_about(name: str, value: Any, sent: Any, warned: str) -> None:
    chapter, warnings = taken(**{name: value})
    assert getattr(chapter, name) == sent
    assert [warned in warning for warning in warnings] == [True]


@pytest.mark.parametrize(("name", "value", "said"), REFUSED)
def test_what_the_service_would_refuse_is_refused_here(name: str, value: Any, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)) as refusal:
        taken(**{name: value})
    assert refusal.value.exit_status == 2


@given(st.text(max_size=12))
def test_numbers_that_are_taken_fit_the_model_of_the_client(text: str) -> None:
    try:
        chapter, _ = taken(chapter=text, volume=text)
    except UsageError:
        return
    draft = ChapterDraft(chapter=chapter.chapter, volume=chapter.volume, title=None, translated_language="en")
    assert draft.chapter == chapter.chapter


def test_far_ahead_is_warned_about() -> None:
    assert check_publish_at(NOW + timedelta(days=14), now=NOW) == ()
    assert "14 days ahead" in check_publish_at(NOW + timedelta(days=14, seconds=1), now=NOW)[0]
    assert "14 days ahead" in taken(publish_at=NOW + timedelta(days=15))[1][0]


TIMES: list[tuple[str, str | None, str]] = [
    ("2026-12-24T18:00:00Z", None, "2026-12-24T18:00:00"),
    ("2026-12-24T18:00+01:00", None, "2026-12-24T17:00:00"),
    ("2026-12-24 18:00-05:30", None, "2026-12-24T23:30:00"),
    ("20261224T180000Z", None, "2026-12-24T18:00:00"),
    (" 2026-12-24T18:00:01.9Z ", None, "2026-12-24T18:00:01"),
    ("2026-12-24 18:00", "UTC", "2026-12-24T18:00:00"),
    ("2026-12-24 18:00", "Europe/Berlin", "2026-12-24T17:00:00"),
    ("2026-07-24 18:00", "Europe/Berlin", "2026-07-24T16:00:00"),
    ("2026-12-24 18:00", "Asia/Tokyo", "2026-12-24T09:00:00"),
    ("2026-12-24T18:00Z", "Asia/Tokyo", "2026-12-24T18:00:00"),
    ("2026-10-25T02:30+02:00", "Europe/Berlin", "2026-10-25T00:30:00"),
    ("2026-10-25T01:59", "Europe/Berlin", "2026-10-24T23:59:00"),
    ("2026-10-25T03:00", "Europe/Berlin", "2026-10-25T02:00:00"),
    ("2026-03-29T01:59", "Europe/Berlin", "2026-03-29T00:59:00"),
    ("2026-03-29T03:00", "Europe/Berlin", "2026-03-29T01:00:00"),
]
NO_TIMES: list[tuple[str, str | None, str]] = [
    ("2026-12-24T18:00", None, "without a zone"),
    ("2026-12-24", "UTC", "no time of day"),
    ("20261224", "UTC", "no time of day"),
    ("tomorrow", "UTC", "it is no time"),
    ("", "UTC", "it is no time"),
    ("24.12.2026 18:00", "UTC", "it is no time"),
    ("2026-02-31T18:00", "UTC", "it is no time"),
    ("2026-12-24T25:00Z", None, "it is no time"),
    ("2026-12-24T18:00 Berlin", None, "it is no time"),
    ("\x1b[2J", None, r"\x1b[2J"),
    ("2026-12-24T18:00", "Berlin", "time zone 'Berlin': there is none"),
    ("2026-12-24T18:00", "Europe", "time zone 'Europe': there is none"),
    ("2026-12-24T18:00", "", "there is none"),
    ("2026-12-24T18:00", "/etc/localtime", "there is none"),
    ("2026-12-24T18:00", "../etc/passwd", "there is none"),
    ("2026-12-24T18:00", "\0", "there is none"),
    ("2026-12-24T18:00", "ü" * 300, "there is none"),
    ("2026-10-25T02:30", "Europe/Berlin", "twice; write 2026-10-25T02:30+02:00 or 2026-10-25T02:30+01:00"),
    ("2026-03-29T02:30", "Europe/Berlin", "the clocks of Europe/Berlin skip this time"),
    ("9999-12-31T23:59-05:00", None, "too far away"),
    ("0001-01-01T00:00+05:00", None, "too far away"),
    ("0001-01-01T00:00", "Asia/Tokyo", "too far away"),
]


@pytest.mark.parametrize(("text", "zone", "wire"), TIMES)
def test_times_as_people_write_them(text: str, zone: str | None, wire: str) -> None:
    assert publish_at_on_the_wire(parse_publish_at(text, zone)) == wire


@pytest.mark.parametrize(("text", "zone", "said"), NO_TIMES)
def test_times_that_could_mean_something_else_are_refused(text: str, zone: str | None, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)) as refusal:
        parse_publish_at(text, zone)
    assert str(refusal.value).isprintable()


@given(st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1)), st.integers(-840, 840))  # noqa: DTZ001
def test_what_is_written_is_read_as_the_same_moment(naive: datetime, offset_min: int) -> None:
    moment = naive.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=offset_min)))
    read = parse_publish_at(moment.isoformat(), None)
    assert read == moment
    assert datetime.fromisoformat(publish_at_on_the_wire(read)).replace(tzinfo=UTC) == moment
