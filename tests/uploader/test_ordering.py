"""Awkward sets of page names: in which order they are read, and what is said about them.

In each case the names stand in the order that is expected. `said` has a part of each warning, and `()` where there
has to be none.
"""

# ruff: noqa: RUF001 - characters that look alike are what is tested

from __future__ import annotations

import random
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mangadex_uploader.errors import UsageError
from mangadex_uploader.order_file import read_order
from mangadex_uploader.order_warnings import warnings
from mangadex_uploader.ordering import in_reading_order
from mangadex_uploader.printable import printable

GAP = "the numbers have gaps"
SAME = "have the same number"
WIDTHS = "different widths"
DIGITS = "circled, full-width or other unusual digits"
UNNUMBERED = "has no number among pages that have"
FOLDERS = "there are pages in"
CHAPTERS = "there are pages of"
LETTERS = "in the order of their letters"
WORDS = "have different words before their numbers, and these words decide"
COUNTED = "have different words before their numbers, and their numbers decide"
SIGNS = "have different signs or spaces before their numbers"
BACKWARDS = "come in this order, though their numbers do not"
FIRST = "come before all others, as covers do, and are not counted"
LAST = "come after all others, as credits do, and are not counted"

NFD_GA = unicodedata.normalize("NFD", "が")

CASES: dict[str, tuple[list[str], tuple[str, ...]]] = {
    # counting
    "counted": (["1.png", "2.png", "3.png"], ()),
    "past nine": ([f"{number}.png" for number in range(1, 13)], ()),
    "padded": ([f"{number:03}.jpg" for number in range(1, 13)], ()),
    "padding outgrown": ([f"{number:02}.jpg" for number in range(1, 102)], ()),
    "from nought": ([f"{number}.png" for number in range(12)], ()),
    "cover 000 before unpadded pages": (["000.png", "1.png", "2.png", "3.png"], ()),
    "in the middle of a volume": (["055.png", "056.png", "057.png"], ()),
    "one page": (["1.png"], ()),
    "one page without number": (["page.png"], ()),
    "words before": (["page 1.png", "page 2.png", "page 3.png"], ()),
    "words after": (["1 intro.png", "2 fight.png", "3 end of it.png"], ()),
    "the title in each name": ([f"Area 88 - {number:03}.png" for number in range(1, 6)], ()),
    "volume, chapter and page": ([f"Title v02 c010 p{number:03}.png" for number in range(1, 6)], ()),
    "a group's tag": ([f"[Group] Title {number:02}.png" for number in range(1, 6)], ()),
    "case is no order": (["Page1.png", "page2.png", "PAGE3.png"], ()),
    "suffix is no order": (["1.png", "2.gif", "3.JPG", "4.jpeg", "5.avif"], ()),
    "no suffix": (["1", "2", "3"], ()),
    "signs in names": (["a (1) $.png", "a (2) $.png"], ()),
    "underscores": (["my_page_1.png", "my_page_2.png"], ()),
    "separators differ": (
        ["page 1.png", "page-2.png", "page_3.png"],
        ("page 1.png, page-2.png: have different signs",),
    ),
    "step of ten": (["010.png", "020.png", "030.png", "040.png"], (GAP,)),
    "times": (["20240101_120301.png", "20240101_120305.png", "20240101_120944.png"], ()),
    "times on two days": (["20240101_120301.png", "20240102_090000.png"], ()),
    "dates": (["20240101.png", "20240103.png", "20240104.png"], ()),
    "ids": (["10283746.jpg", "55555512.jpg", "91028374.jpg"], ()),
    "sparse numbers": (["12.png", "4012.png", "9999.png"], ()),
    "huge numbers": ([f"{'9' * 40}.png", f"1{'0' * 40}.png"], ()),
    "a number too long for a number": (["1.png", f"{'1' * 5000}.png"], ()),
    # widths
    "mixed padding": (["1.png", "02.png", "003.png"], (WIDTHS,)),
    "one without padding": (["001.png", "2.png", "003.png"], (WIDTHS,)),
    "padding changes within": (["001.png", "002.png", "03.png", "04.png"], (WIDTHS,)),
    "equal numbers": (["01.png", "1.png"], (SAME, WIDTHS)),
    # gaps
    "missing 7": (["5.png", "6.png", "8.png", "9.png"], ("7 missing (first after 6.png)",)),
    "missing several": (["1.png", "5.png", "6.png", "9.png"], ("2 to 4, 7 to 8 missing (first after 1.png)",)),
    "missing, with words": (["p01.png", "p02.png", "p04.png"], ("3 missing (first after p02.png)",)),
    "missing in a chapter": (["c1 p01.png", "c1 p02.png", "c1 p04.png"], ("3 missing",)),
    "missing in many places": ([f"{number}.png" for number in range(1, 16, 2)], ("2, 4, 6 and 4 more missing",)),
    "missing beside a double page": (["1.png", "2-3.png", "5.png"], ("4 missing (first after 2-3.png)",)),
    # double pages
    "double page": (["009.png", "010-011.png", "012.png"], ()),
    "double page, underscore": (["009.png", "010_011.png", "012.png"], ()),
    "double page, plus": (["9.png", "10+11.png", "12.png"], ()),
    "double page, spaces": (["9.png", "10 - 11.png", "12.png"], ()),
    "double page with words": (["page 09.png", "page 10-11.png", "page 12.png"], ()),
    "double page, both with a letter": (["c1 p001.png", "c1 p002-p003.png", "c1 p004.png"], ()),
    "only double pages": (["1-2.png", "3-4.png", "5-6.png"], ()),
    "only double pages, padded": (["008-009.png", "010-011.png"], ()),
    "double page first": (["001-002.png", "003.png", "004.png"], ()),
    "three in one": (["1.png", "2-4.png", "5.png"], ()),
    "a minus is no sign": (["page-1.png", "page-2.png", "page-3.png"], ()),
    "halves": (["1.png", "1-2.png", "1.5.png", "2.png"], ()),
    # parts of pages
    "letters after": (["p003a.png", "p003b.png", "p004.png"], ()),
    "strips of a page": (["001_1.png", "001_2.png", "002_1.png", "002_2.png"], ()),
    "one page in two files": (["001.png", "002_1.png", "002_2.png", "003.png"], ()),
    "after the decimal point": (["1.png", "2.png", "2.5.png", "3.png"], ()),
    "chapter.page": ([f"3.{number}.png" for number in range(1, 12)], ()),
    # doubles
    "same number, other suffix": (["6.png", "7.jpg", "7.png"], ("7.jpg, 7.png: have the same number",)),
    "same number, other width": (["007.jpg", "7.png", "8.png"], (SAME, WIDTHS)),
    "same number, full width": (["6.png", "7.png", "\uff17.png"], (DIGITS, "7.png, \uff17.png: have the same number")),
    "same number, circled": (["1.png", "①.png", "2.png"], (DIGITS, SAME)),
    "same number, other case": (["P1.png", "p1.png", "p2.png"], (SAME,)),
    # unusual digits
    "circled": (["①.png", "②.png", "③.png", "⑩.png", "⑪.png"], (DIGITS, "4 to 9 missing")),
    "circled beyond twenty": (["⑲.png", "⑳.png", "㉑.png", "㉒.png"], (DIGITS,)),
    "circled to fifty": (["㉟.png", "㊱.png", "㊿.png"], (DIGITS, GAP)),
    "circled nought": (["⓪.png", "①.png", "②.png"], (DIGITS,)),
    "circled among plain": (["1.png", "②.png", "3.png"], (DIGITS,)),
    "circled chapter": (["AR①_001.png", "AR①_002.png", "AR②_001.png", "AR②_002.png"], (DIGITS, CHAPTERS)),
    "circled beside a digit": (["1①.png", "1②.png", "2①.png", "11.png"], (DIGITS, GAP)),
    "black circles": (["❶.png", "❷.png", "❿.png"], (DIGITS, GAP)),
    "in brackets": (["⑴.png", "⑵.png", "⑽.png"], (DIGITS, GAP)),
    "full width": (["１.png", "２.png", "１０.png"], (DIGITS, GAP)),
    "full width among plain": (["1.png", "２.png", "3.png"], (DIGITS,)),
    "full-width letters": (["Ｐage 1.png", "page 2.png", "ＰＡＧＥ 3.png"], ()),
    "Arabic digits": (["١.png", "٢.png", "٣.png"], (DIGITS,)),
    # without numbers
    "cover first": (["cover.png", "1.png", "2.png"], ()),
    "cover with the title": (["Title - Cover.png", "Title - 1.png", "Title - 2.png"], ()),
    "front first": (["front.png", "001.png", "002.png"], ()),
    "Japanese cover": (["表紙.png", "001.png", "002.png"], ()),
    "credits last": (["1.png", "2.png", "credits.png"], ()),
    "credits last, even before letters": (["page1.png", "page2.png", "Credits.png"], ()),
    "zzz last": (["001.png", "002.png", "zzz.png"], ()),
    "zz credits last": (["p1.png", "p2.png", "zz_credits.png"], ()),
    "end last": (["page 1.png", "page 2.png", "End.png"], ()),
    "back cover last": (["cover.png", "1.png", "2.png", "back cover.png"], ()),
    "backcover last": (["front cover.png", "1.png", "backcover.png"], ()),
    "discover is no cover": (["1.png", "2.png", "discover.png"], (UNNUMBERED,)),
    "weekend is no end": (["a weekend.png", "b cover up 1.png"], (UNNUMBERED,)),
    "a numbered cover is counted": (["1.png", "2 cover.png", "3.png"], ()),
    "credits with a number are counted": (["1.png", "2 credits.png", "3.png"], ()),
    "afterword": (["1.png", "2.png", "afterword.png"], ("afterword.png: has no number",)),
    "words only": (["alpha.png", "beta.png", "gamma.png"], (LETTERS,)),
    "words with cover and credits": (
        ["cover.png", "alpha.png", "beta.png", "credits.png"],
        ("alpha.png, beta.png: have no numbers",),
    ),
    # separators are no order
    "underscores, then none": (["page_1", "page_2", "page3", "page4"], ("page_2, page3: have different signs",)),
    "underscores, then a minus": (["IMG_1.png", "IMG_2.png", "IMG-3.png"], ("IMG_2.png, IMG-3.png: have",)),
    "a point, then none": (["p.1.png", "p.2.png", "p3.png"], (SIGNS,)),
    "separators within words": (["my page 1.png", "my_page 2.png", "mypage 3.png"], (SIGNS,)),
    "separators between numbers": (["1_1.png", "1-2.png", "1 3.png"], ()),
    "separators of folders": (["vol 1/1.png", "vol-2/1.png", "vol_3/1.png"], (FOLDERS,)),
    "folders that are alike": (["a b/1.png", "a b/2.png", "a-b/1.png", "a-b/2.png"], (FOLDERS,)),
    # different words before the numbers
    "numbers go on behind another word": (
        ["Scan1.png", "Scan2.png", "page3.png", "page4.png"],
        (f"Scan2.png, page3.png: {COUNTED}",),
    ),
    "numbers go on, in letters too": (["p1.png", "p2.png", "x3.png", "y4.png"], (COUNTED,)),
    "words among plain numbers": (["01.png", "page 02.png", "03.png", "page 04.png"], (COUNTED,)),
    "each word counts for itself": (["a1.png", "a2.png", "b1.png", "b2.png"], (f"a2.png, b1.png: {BACKWARDS}",)),
    "a word that goes on with a gap": (
        ["page7.png", "Scan1.png", "Scan2.png"],
        (f"page7.png, Scan1.png: {BACKWARDS}",),
    ),
    "words that rise with a gap": (["a1.png", "a2.png", "b9.png"], (f"a2.png, b9.png: {WORDS}",)),
    "the last numbers count": (["1 - 02.png", "2 - 03.png", "3 - 01.png"], (CHAPTERS,)),
    "the last numbers count, as wide": (
        ["1 - 2.png", "2 - 3.png", "3 - 1.png"],
        (f"2 - 3.png, 3 - 1.png: {BACKWARDS}",),
    ),
    "words between numbers": (["c1 p2.png", "c1 scan1.png"], (BACKWARDS,)),
    # covers and credits with numbers
    "counted cover": (["cover1.png", "01.png", "02.png"], (f"cover1.png: {FIRST}",)),
    "counted covers": (["cover 1.png", "cover 2.png", "1.png", "2.png"], (f"cover 1.png, cover 2.png: {FIRST}",)),
    "counted cover with the title": (["T 2 - cover 1.png", "T 2 - 1.png", "T 2 - 2.png"], (FIRST,)),
    "counted credits": (["p1.png", "p2.png", "credits1.png"], (f"credits1.png: {LAST}",)),
    "counted back cover": (["p1.png", "p2.png", "back cover 1.png"], (LAST,)),
    "a cover that is counted as the others": (["cover 1.png", "page 2.png", "page 3.png"], (COUNTED,)),
    "a manga called Front": (["Front 1.png", "Front 2.png"], ()),
    "covers of two chapters": (
        ["c1 cover1.png", "c1 p1.png", "c2 cover1.png", "c2 p1.png"],
        (CHAPTERS,),
    ),
    # Chinese numerals
    "Chinese pages": (["第一頁.png", "第二頁.png", "第三頁.png", "第四頁.png"], ()),
    "Chinese pages past ten": (["九页.png", "十页.png", "十一页.png", "十二页.png"], ()),
    "Chinese hundreds": (["第九十九话.png", "第一百话.png", "第百零一话.png", "第一〇二话.png"], ()),
    "Chinese numerals alone": (["一.png", "二.png", "三.png", "四.png", "五.png"], ()),
    "a Chinese numeral as a word": (["p 一.png", "p 二.png", "p 三.png"], ()),
    "Japanese numerals of documents": (["壱.png", "弐.png", "参.png", "四.png"], ()),
    "Japanese pages": (["一ページ.png", "二ページ.png", "三ページ.png"], ()),
    "Chinese chapters": (["第二話 01.png", "第二話 02.png", "第三話 01.png"], (CHAPTERS,)),
    "Chinese chapters in folders": (["第一章/1.png", "第二章/1.png", "第三章/1.png"], (FOLDERS,)),
    "numerals within words are none": (["七人 1.png", "三人 1.png"], (WORDS,)),
    # Roman numerals
    "Roman": (["I.png", "II.png", "V.png", "IX.png", "X.png"], (DIGITS, GAP)),
    "Roman to twenty": (["xviii.png", "xix.png", "xx.png"], (DIGITS,)),
    "Roman signs": (["Ⅳ.png", "Ⅴ.png", "Ⅵ.png"], (DIGITS,)),
    "Roman with words": (["Page IV - a.png", "Page_V.png", "Page VI.png"], (DIGITS, SIGNS)),
    "Roman with a cover": (["cover.png", "V.png", "VI.png", "credits.png"], (DIGITS,)),
    "Roman that go on": (["I.png", "II.png", "3.png", "4.png"], (DIGITS,)),
    "Roman before counting anew": (["1.png", "2.png", "i.png", "ii.png"], (UNNUMBERED,)),
    "Roman and words": (["alpha.png", "IX.png", "V.png"], (LETTERS,)),
    "twice the same Roman": (["IX.png", "V a.png", "V b.png"], (LETTERS,)),
    # chapters in one source
    "chapter 3.5 in folders": (
        ["chapter 3/1.png", "chapter 3/2.png", "chapter 3.5/1.png", "chapter 4/1.png"],
        ("in 3 folders (chapter 3, chapter 3.5, chapter 4)",),
    ),
    "chapter 3.25 before 3.5": (["c3.25/1.png", "c3.5/1.png", "c3.75/1.png"], (FOLDERS,)),
    "chapter 10 after chapter 9": (["c9/1.png", "c10/1.png"], (FOLDERS,)),
    "chapter 3.5 in names": (
        ["c003_p01.png", "c003_p02.png", "c003.5_p01.png", "c004_p01.png"],
        ("pages of 3 chapters (c003_p01.png, c003.5_p01.png, c004_p01.png)",),
    ),
    "chapter 3.5 in names with spaces": (["Ch 3 - 01.png", "Ch 3 - 02.png", "Ch 3.5 - 01.png"], (CHAPTERS,)),
    "Japanese chapters": (["第1話 002.png", "第1話 003.png", "第2話 001.png"], (CHAPTERS,)),
    "Korean chapters": (["제1화 01.png", "제1화 02.png", "제2화 01.png"], (CHAPTERS,)),
    "chapters without a mark": (["1-01.png", "1-02.png", "2-01.png", "2-02.png"], (CHAPTERS,)),
    "a gap in the second chapter": (["c1 p1.png", "c1 p2.png", "c2 p1.png", "c2 p3.png"], (CHAPTERS, "2 missing")),
    "top and folder": (["cover.png", "a/1.png", "a/2.png"], ("in 2 folders (the top, a)",)),
    "cover in each folder": (["a/cover.png", "a/1.png", "b/cover.png", "b/1.png"], (FOLDERS,)),
    "the folder's number is no page's": (["chapter 12/cover.png", "chapter 12/1.png"], ()),
    "a folder within": (["a/b/1.png", "a/b/2.png", "a/b/10.png"], (GAP,)),
    # forms of Unicode
    "composed and not": ([f"{NFD_GA}1.png", "が2.png", f"{NFD_GA}3.png"], ()),
    "accents": (["é1.png", unicodedata.normalize("NFD", "é2.png"), "é3.png"], ()),
}


def test_there_are_at_least_eighty_sets() -> None:
    assert len(CASES) >= 80


@pytest.mark.parametrize("order", [case[0] for case in CASES.values()], ids=CASES)
def test_pages_come_in_reading_order_however_they_are_found(order: list[str]) -> None:
    for seed in range(5):
        assert in_reading_order(random.Random(seed).sample(order, len(order))) == order


@pytest.mark.parametrize(("order", "said"), CASES.values(), ids=CASES)
def test_what_is_odd_is_said_and_nothing_else(order: list[str], said: tuple[str, ...]) -> None:
    found = warnings(random.Random(1).sample(order, len(order)))
    assert len(found) == len(said), found
    assert [part in warning for part, warning in zip(said, found, strict=True)] == [True] * len(said), found


def test_a_warning_names_three_files_and_counts_the_rest() -> None:
    names = ["1.png", "a.png", "b.png", "c.png", "d.png", "e.png"]
    assert warnings(names) == (
        "a.png, b.png, c.png and 2 more: has no number among pages that have; see where it comes in the order",
    )


@pytest.mark.parametrize("part", ["一", "第", "一 ", "i ", "1", "_1", "cover "])
def test_a_name_of_thousands_of_parts_has_its_place(part: str) -> None:
    names = ["1.png", part * 5_000, f"a{part * 5_000}"]
    assert sorted(in_reading_order(names)) == sorted(names)
    assert all(warning.isprintable() for warning in warnings(names))


def test_a_warning_does_not_obey_control_characters() -> None:
    assert all(warning.isprintable() for warning in warnings(["1.png", "\x1b[2J.png"]))


def test_an_order_that_plain_sorting_would_not_give_is_no_warning() -> None:
    names = [f"page {number}.png" for number in range(1, 31)]
    assert sorted(names) != names
    assert warnings(names) == ()


NAMES = st.text(alphabet=st.sampled_from("aéが1２③0.- _/pC第一十頁IV"), min_size=1, max_size=12)


@given(st.lists(NAMES, unique=True, max_size=12), st.randoms())
def test_the_order_does_not_depend_on_where_names_come_from(names: list[str], chance: random.Random) -> None:
    shuffled = chance.sample(names, len(names))
    assert in_reading_order(shuffled) == in_reading_order(names)
    assert sorted(in_reading_order(names)) == sorted(names)
    assert warnings(shuffled) == warnings(names)


@given(st.lists(NAMES, unique_by=lambda name: unicodedata.normalize("NFC", name), max_size=12))
def test_the_order_does_not_depend_on_the_normal_form(names: list[str]) -> None:
    ordered = [unicodedata.normalize("NFD", name) for name in in_reading_order(names)]
    assert in_reading_order([unicodedata.normalize("NFD", name) for name in names]) == ordered


@given(st.lists(st.text(), unique=True, max_size=6))
def test_any_names_have_an_order(names: list[str]) -> None:
    assert sorted(in_reading_order(names)) == sorted(names)
    assert all(printable(warning) == warning for warning in warnings(names))


PAGES = ["01.png", "02.png", "#3.png", "が.png"]
ORDERS: dict[str, tuple[str, list[str]]] = {
    "as written": ("が.png\n02.png\n#3.png\n01.png\n", ["が.png", "02.png", "#3.png", "01.png"]),
    "comments and blank lines": ("# mine\n\n01.png\n  \n02.png\n # more\n#3.png\nが.png", PAGES),
    "from Windows": ("\ufeff01.png\r\n02.png\r\n#3.png\r\nが.png\r\n", PAGES),
    "spaces around": ("  01.png \n02.png\t\n#3.png\nが.png", PAGES),
    "decomposed": (f"01.png\n02.png\n#3.png\n{NFD_GA}.png", PAGES),
}


@pytest.mark.parametrize(("text", "order"), ORDERS.values(), ids=ORDERS)
def test_an_order_file_decides(text: str, order: list[str]) -> None:
    assert read_order(text, PAGES) == order


def test_pages_in_a_folder_may_go_by_their_bare_names() -> None:
    assert read_order("2.png\na/1.png\n", ["a/1.png", "a/2.png"]) == ["a/2.png", "a/1.png"]


WRONG_ORDERS: dict[str, tuple[str, str]] = {
    "unknown": ("01.png\n02.png\n03.png", r"03\.png is no page"),
    "missing": ("01.png", r"02\.png is not in it"),
    "empty": ("# nothing\n", r"01\.png, 02\.png is not in it"),
    "twice": ("01.png\n02.png\n01.png", r"01\.png is in it more than once"),
    "case differs": ("01.PNG\n02.png", r"01\.PNG is no page; 01\.png is not in it"),
    "all at once": ("x\n02.png\n02.png", r"x is no page; 01\.png is not in it; 02\.png is in it more than once"),
    "advice": ("01.png", "order.txt: .*; write each page's name on a line of its own, once"),
    "control characters": ("01.png\n02.png\n\x1b[2J", r"\\x1b\[2J is no page"),
    "more than ten": ("01.png\n02.png\n" + "\n".join("abcdefghijklm"), "a, b, c, d, e, f, g, h, i, j and 3 more is no"),
}


@pytest.mark.parametrize(("text", "said"), WRONG_ORDERS.values(), ids=WRONG_ORDERS)
def test_an_order_file_that_is_wrong_says_in_what(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_order(text, ["01.png", "02.png"])


def test_a_bare_name_that_two_pages_have_is_no_name() -> None:
    with pytest.raises(UsageError, match=r"1\.png is no page"):
        read_order("1.png\nb/1.png\na/1.png", ["a/1.png", "b/1.png"])


@given(st.lists(NAMES.filter(lambda name: name.strip() == name), unique_by=lambda name: name.rpartition("/")[2]))
def test_an_order_that_was_written_is_read(names: list[str]) -> None:
    wanted = list(reversed(names))
    assert read_order("\n".join(wanted), names) == wanted
