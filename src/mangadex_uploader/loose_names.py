"""Names of chapters as people write them: `Title v03 c012 [Group]`, `[Group] Title - Ch.012.5`, `タイトル 第12話`.

Brackets are taken out first; what remains is read around the marks of volume and chapter. What is not used is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

from mangadex_uploader.doubts import Doubt, is_tag, is_year, language, left_out_year, plain_number
from mangadex_uploader.name_marks import (
    CHAPTER,
    HASH,
    LONE,
    ONE_LETTER,
    RELEASE,
    VOLUME,
    Bracket,
    Mark,
    brackets,
    marks,
    narrow,
)
from mangadex_uploader.name_parts import DATE, ONESHOT, ChapterName, credited, moment, titled

_ONESHOT = re.compile(r"(?<![^\W_])one[ _-]?shot(?![^\W_])|読み?切り?|단편", re.IGNORECASE)
_SPECIAL = re.compile(
    r"(?<![^\W_])(?:extras?|omake|bonus|specials?|side[ _-]?story|prologue|epilogue|afterword)(?![^\W\d_])"
    "|番外編?|おまけ|외전|번외편?|특별편",
    re.IGNORECASE,
)
_SEPARATORS = " -\u2013\u2014_,:;~|+"
_FILLER = "\0"


def parse_loosely(text: str) -> ChapterName:
    """Read a name that is not of the strict form."""
    return _Reading(text).result()


class _Reading:
    """One name on its way to its values."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.doubts: list[Doubt] = []
        shown = narrow(text)
        self.brackets = brackets(text)
        self.plain = shown
        for it in self.brackets:
            self.plain = self.plain[: it.start] + _FILLER * (it.end - it.start) + self.plain[it.end :]
        self.volumes = marks(VOLUME, self.plain)
        self.chapters = marks(CHAPTER, self.plain) or marks(HASH, self.plain)

    def result(self) -> ChapterName:
        chapter, title, found = self._chapter()
        volume = self._one("volume", self.volumes)
        found = sorted([*found, *self.volumes], key=lambda mark: mark.start)
        start = min((mark.start for mark in found), default=len(self.text))
        end = max((mark.end for mark in found), default=len(self.text))
        self._tell_what_is_between(found)
        manga = self._manga(start)
        title = title or self._trimmed(end, len(self.text)) or None
        groups, said = self._groups_and_language(end)
        return ChapterName(
            manga=manga or None,
            language=said,
            chapter=chapter,
            volume=volume,
            title=self._title(title, end, has_chapter=bool(self.chapters)),
            publish_at=self._publish_at(),
            groups=groups,
            doubts=tuple(self.doubts),
        )

    def _chapter(self) -> tuple[str | None, str | None, list[Mark]]:
        """The number, a title that it brought along, and where it stands."""
        if self.chapters:
            return self._one("chapter", self.chapters), None, self.chapters
        if found := _ONESHOT.search(self.plain):
            return ONESHOT, None, [Mark(*found.span(), "")]
        if found := _SPECIAL.search(self.plain):
            self._doubt("chapter", f"{found[0]} has no chapter number; give one, or say that it is a oneshot")
            return None, self._trimmed(found.start(), len(self.text)), [Mark(*found.span(), "")]
        return self._lone_number()

    def _lone_number(self) -> tuple[str | None, None, list[Mark]]:
        after = max((mark.end for mark in self.volumes), default=0)
        found = [mark for mark in marks(LONE, self.plain) if mark.start >= after]
        for mark in found:
            if is_year(mark.number):
                self._doubt("chapter", f"{mark.number} may be a year, and is taken neither as volume nor as chapter")
        numbers = [mark for mark in found if not is_year(mark.number)]
        if not numbers:
            if not found:
                self._doubt("chapter", "there is no chapter number in it; give one, or say that it is a oneshot")
            return None, None, []
        last = numbers[-1]
        if last.is_range or last.extra:
            return self._one("chapter", [last]), None, [last]
        if self._trimmed(0, last.start) or self._trimmed(last.end, len(self.text)) or self.volumes:
            self._doubt(
                "chapter", f"{last.number} is taken as the chapter, though nothing says so; write c{last.number}"
            )
        return plain_number(last.number), None, [last]

    def _one(self, about: str, marked: list[Mark]) -> str | None:
        found = [mark for mark in marked if not self._may_be_year(mark)]
        for mark in marked:
            if mark not in found:
                self._doubt(about, left_out_year(self.text[mark.start : mark.end].strip(), about, mark.number))
        if not found:
            return None
        shown = " and ".join(dict.fromkeys(self.text[mark.start : mark.end].strip() for mark in found))
        if any(mark.is_range for mark in found) or len({plain_number(mark.number) for mark in found}) > 1:
            self._doubt(about, f"{shown}: that is more than one {about}; give the right one")
            return None
        if any(mark.extra for mark in found):
            self._doubt(
                about, f"{shown}: it is an extra of {about} {plain_number(found[0].number)}; give its own number"
            )
        if about == "volume" and self.chapters and self._may_be_release(found[0]):
            self._doubt(about, f"{shown} is taken as the volume, though it may be the release's version")
        return plain_number(found[0].number)

    def _may_be_year(self, mark: Mark) -> bool:
        return is_year(mark.number) and ONE_LETTER.match(self.plain, mark.start) is not None

    def _may_be_release(self, mark: Mark) -> bool:
        is_short = RELEASE.fullmatch(self.plain[mark.start : mark.end]) is not None
        return is_short and mark.start > self.chapters[0].start and self.plain[mark.start - 1] != "("

    def _tell_what_is_between(self, found: list[Mark]) -> None:
        for one, other in pairwise(found):
            if one.end < other.start and (between := self._trimmed(one.end, other.start)):
                self._doubt("title", f"{between!r} is left out: it stands between volume and chapter")

    def _manga(self, end: int) -> str:
        kept = []
        for it in self.brackets:
            if it.kind != "(" or it.start >= end:
                continue
            if is_tag(it.text):
                text = f"({it.text}) is left out: it looks like a tag, not like a part of the title"
                self._doubt("manga", text, changes_nothing=True)
            else:
                kept.append(it)
        return self._trimmed(0, end, kept)

    def _title(self, plain: str | None, after: int, *, has_chapter: bool) -> str | None:
        """What follows the numbers, or stands in the first of the brackets there."""
        behind = [it for it in self.brackets if it.kind == "(" and it.start >= after]
        title = plain
        for it in behind:
            own, doubts = titled(it.text)
            self.doubts += doubts
            if own and title is None and has_chapter and it is behind[0]:
                title = own
            elif own:
                self._doubt("title", f"({own}) is left out: it may be the title, a group or neither")
        return title

    def _groups_and_language(self, after: int) -> tuple[tuple[str, ...], str | None]:
        squares = [it for it in self.brackets if it.kind == "[" and it.text]
        said = None
        for it in squares:
            if said is None and (code := language(it.text)) and (it.start < after or len(squares) > 1):
                said, squares = code, [other for other in squares if other is not it]
        opening = len(self.plain) - len(self.plain.lstrip(_FILLER + _SEPARATORS))
        front = [it for it in squares if it.start < min(opening, after)]
        behind = [it for it in squares if it.start >= after]
        groups, own, doubts = credited("+".join(it.text for it in behind or front) or None, said)
        self.doubts += doubts
        used = {it.start for it in behind or front}
        for it in squares:
            if it.start not in used:
                text = f"[{it.text}] is left out: it may be a group, an author or a tag"
                self._doubt("groups", text, changes_nothing=is_tag(it.text))
        return groups, said or own

    def _publish_at(self) -> str | None:
        moments = []
        for it in self.brackets:
            if it.kind == "{" and re.fullmatch(DATE, it.text):
                moments.append(moment(it.text))
            elif it.kind == "{":
                is_release = RELEASE.fullmatch(it.text) is not None
                what = "the release's version" if is_release else "no time"
                self._doubt("publish_at", f"{{{it.text}}} is left out: it is {what}", changes_nothing=is_release)
        if len(moments) > 1:
            self._doubt("publish_at", f"there are {len(moments)} times in it; give the right one")
        return moments[0] if len(moments) == 1 else None

    def _trimmed(self, start: int, end: int, kept: Iterable[Bracket] = ()) -> str:
        """A part of the name without its brackets, other than those to keep, and without what only separates."""
        inside = {at for it in kept for at in range(it.start, it.end)}
        taken = (self.text[at] if at in inside or self.plain[at] != _FILLER else " " for at in range(start, end))
        has_spaces = " " in self.plain.strip()
        text = "".join(taken)
        text = " ".join((text if has_spaces else text.replace("_", " ")).split())
        return text.lstrip(_SEPARATORS + ".)]").rstrip(_SEPARATORS + "([" + ("" if has_spaces else "."))

    def _doubt(self, about: str, text: str, *, changes_nothing: bool = False) -> None:
        self.doubts.append(Doubt(about, text, changes_nothing))
