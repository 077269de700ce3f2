"""Folders and archives as people have them, on a real disk: which are chapters, of which pages, in which order."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import socket
import struct
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pages import draw, draw_as, write_archive, write_folder

from mangadex_uploader.archive_source import STEP_BYTES
from mangadex_uploader.chapter import Source
from mangadex_uploader.errors import UploadError, UsageError
from mangadex_uploader.listing import MOST_ENTRIES, READ_BYTES, UnreadablePage, listed
from mangadex_uploader.sources import open_source

PAGE = draw(width=64, height=64)
WEBP = draw_as(".webp")
Write = Callable[[Path, Mapping[str, bytes]], Path]


def as_folder(folder: Path, files: Mapping[str, bytes]) -> Path:
    (folder / "chapter").mkdir()
    return write_folder(folder / "chapter", files)


def as_archive(folder: Path, files: Mapping[str, bytes]) -> Path:
    return write_archive(folder / "chapter.cbz", files)


@pytest.fixture(params=[as_folder, as_archive])
def write(request: pytest.FixtureRequest) -> Write:
    made: Write = request.param
    return made


ORDERS: dict[str, list[str]] = {
    "counted": ["1.png", "2.png", "10.png"],
    "padded": ["001.jpg", "002.jpg", "010.jpg", "100.jpg"],
    "mixed padding": ["001.png", "2.png", "010.png"],
    "equal numbers": ["01.png", "1.png"],
    "words": ["page 1.png", "page 2.png", "page 10.png"],
    "case is no order": ["Page1.png", "page2.png", "PAGE3.png"],
    "suffix is no order": ["1.png", "2.gif", "3.JPG", "4.jpeg", "5.jpe", "6.jfif"],
    "halves": ["1.png", "1-2.png", "1.5.png", "2.png"],
    "minus is no sign": ["page-1.png", "page-2.png", "page-10.png"],
    "spaces and brackets": ["[Group] a (1) $.png", "[Group] a (2) $.png"],
    "Japanese": ["第1話 002.png", "第1話 010.png", "第2話 001.png"],
    "inside": ["a/b/c/1.png", "a/b/c/2.png"],
}


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_pages_come_in_the_order_that_a_person_counts(tmp_path: Path, write: Write, order: list[str]) -> None:
    shuffled = random.Random(7).sample(order, len(order))
    source = open_source(write(tmp_path, {name: name.encode() for name in shuffled}))
    assert list(source.names) == order
    assert list(source.ignored) == []
    assert [source.read(name) for name in source.names] == [name.encode() for name in order]


IGNORED: dict[str, tuple[dict[str, bytes], set[str]]] = {
    "left by programs": (
        {"Thumbs.db": b"x", ".DS_Store": b"x", "desktop.ini": b""},
        {"Thumbs.db", ".DS_Store", "desktop.ini"},
    ),
    "hidden pages": ({".001.png": PAGE, "._001.png": PAGE}, {".001.png", "._001.png"}),
    "no images": ({"notes.txt": PAGE, "raw.psd": b"8BPS", "play.mp3": b""}, {"notes.txt", "raw.psd", "play.mp3"}),
    "no images, no suffix": ({"README": b"read me", "LICENSE": b""}, {"README", "LICENSE"}),
    "a folder without images": ({"sources/001.psd": b"8BPS"}, {"sources/001.psd"}),
}


@pytest.mark.parametrize(("others", "ignored"), IGNORED.values(), ids=IGNORED)
def test_what_is_no_page_is_ignored_and_listed(
    tmp_path: Path, write: Write, others: dict[str, bytes], ignored: set[str]
) -> None:
    source = open_source(write(tmp_path, {"001.png": PAGE, **others}))
    assert list(source.names) == ["001.png"]
    assert set(source.ignored) == ignored


@pytest.mark.parametrize("folder", ["__MACOSX", "@eaDir", ".git"])
def test_folders_of_programs_are_not_looked_at(tmp_path: Path, write: Write, folder: str) -> None:
    source = open_source(write(tmp_path, {"001.png": PAGE, f"{folder}/001.png": PAGE, f"{folder}/x/002.png": PAGE}))
    assert list(source.names) == ["001.png"]
    assert {name.split("/")[0] for name in source.ignored} == {folder}


@pytest.mark.parametrize(
    "name", ["2.webp", "2.AVIF", "2.bmp", "2.tif", "2.tiff", "2.jxl", "2.heic", "2", "page 0.2", "2."]
)
def test_images_that_the_service_does_not_take_are_pages_and_not_left_out(
    tmp_path: Path, write: Write, name: str
) -> None:
    assert name in open_source(write(tmp_path, {"1.png": PAGE, name: WEBP})).names


REFUSED: dict[str, tuple[dict[str, bytes], list[str]]] = {
    "empty": ({}, ["is no chapter", "it is empty"]),
    "only others": ({"a.txt": b"", "b.cbz": b""}, ["is no chapter", "a.txt, b.cbz"]),
    "images beside folders of images": (
        {"1.png": PAGE, "extra/1.png": PAGE},
        ["images in 2 folders (the top, extra)", "one chapter"],
    ),
    "several folders": (
        {f"c{number}/1.png": PAGE for number in (1, 2, 10, 11)},
        ["images in 4 folders (c1, c2, c10 and 1 more)", "one chapter"],
    ),
}


@pytest.mark.parametrize(("files", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_one_chapter_says_what_was_found(
    tmp_path: Path, write: Write, files: dict[str, bytes], said: list[str]
) -> None:
    path = write(tmp_path, files)
    with pytest.raises(UsageError) as refusal:
        open_source(path)
    assert str(refusal.value).startswith(f"{path}: ")
    assert [part for part in said if part not in str(refusal.value)] == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a.rar", "rar archives are not supported"),
        ("a.CBR", "rar archives are not supported"),
        ("a.7z", "7z archives are not supported"),
        ("a.pdf", "PDF documents are not supported"),
        ("a.epub", "EPUB books are not supported"),
        ("a.png", "is no chapter"),
        ("a.zip", "cannot be read as a zip archive"),
    ],
)
def test_files_of_other_kinds_say_what_is_supported(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / name).write_bytes(b"something")
    with pytest.raises(UsageError, match=said):
        open_source(tmp_path / name)


@pytest.mark.parametrize("name", ["nothing.cbz", "nothing", "\0", "n" * 300])
def test_a_path_without_anything(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"give a folder with images, a \.zip or a \.cbz"):
        open_source(tmp_path / name)


def test_a_fifo_as_the_path_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.cbz")
    with pytest.raises(UsageError, match="neither a folder nor a file"):
        open_source(tmp_path / "a.cbz")


def test_links_to_files_are_followed_and_what_is_no_file_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = write_folder(tmp_path / "elsewhere", {"a": PAGE})
    folder = tmp_path / "chapter"
    folder.mkdir()
    (folder / "1.png").symlink_to(elsewhere / "a")
    (folder / "2.png").symlink_to(elsewhere / "missing")
    (folder / "3.png").symlink_to("3.png")
    (folder / "4.png").symlink_to(elsewhere)
    (folder / "5.png").symlink_to("/dev/zero")
    os.mkfifo(folder / "6.png")
    os.mkfifo(folder / "7")
    (folder / "8").symlink_to(folder)
    with socket.socket(socket.AF_UNIX) as bound:
        monkeypatch.chdir(folder)  # the path of a socket has to be short
        bound.bind("9.png")
    source = open_source(folder)
    assert list(source.names) == [f"{number}.png" for number in (1, 2, 3, 4, 5, 6, 9)]
    assert list(source.ignored) == ["7", "8"]
    assert source.read("1.png") == PAGE
    for name in source.names[1:]:
        with pytest.raises(UnreadablePage, match=f"^{name}: it (is|cannot)"):
            source.read(name)


def test_a_linked_folder_as_the_path(tmp_path: Path) -> None:
    write_folder(tmp_path / "real", {"1.png": PAGE})
    (tmp_path / "link").symlink_to("real")
    assert list(open_source(tmp_path / "link").names) == ["1.png"]


def test_a_page_that_vanished_from_a_folder(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "chapter", {"1.png": PAGE, "2.png": PAGE})
    source = open_source(folder)
    (folder / "2.png").unlink()
    assert source.read("1.png") == PAGE
    with pytest.raises(UploadError, match=r"2\.png: it is no longer in") as gone:
        source.read("2.png")
    assert gone.value.exit_status == 1


@pytest.mark.parametrize("change", [Path.unlink, lambda path: write_archive(path, {"2.png": PAGE})])
def test_an_archive_that_was_changed(tmp_path: Path, change: Callable[[Path], object]) -> None:
    path = as_archive(tmp_path, {"1.png": PAGE})
    source = open_source(path)
    change(path)
    with pytest.raises(UploadError, match=r"chapter\.cbz: (was changed|cannot be read any more)") as changed:
        source.read("1.png")
    assert changed.value.exit_status == 1


def test_too_large_a_page_is_not_read_to_its_end(tmp_path: Path, write: Write) -> None:
    source = open_source(write(tmp_path, {"1.png": bytes(READ_BYTES + 1), "2.png": PAGE}))
    with pytest.raises(UnreadablePage, match=r"1\.png: it (has more than 64 MB|would grow)"):
        source.read("1.png")


STRANGE = {
    "\x1b[2J\r.png": "\\x1b[2J\\r.png",
    "a\nb 1.png": "a\\nb 1.png",
    "right \u202egnp.png": "right \\u202egnp.png",
    "ideographic\u3000space.png": "ideographic\u3000space.png",
}


def test_names_are_shown_without_control_characters(tmp_path: Path, write: Write) -> None:
    source = open_source(write(tmp_path, {name: name.encode() for name in STRANGE}))
    assert set(source.names) == set(STRANGE.values())
    for name, shown in STRANGE.items():
        assert source.read(shown) == name.encode()


def test_names_that_are_no_text(tmp_path: Path) -> None:
    for name in (b"\xff.png", b"1.png"):
        (tmp_path / os.fsdecode(name)).write_bytes(PAGE)
    source = open_source(tmp_path)
    assert list(source.names) == ["1.png", "\\udcff.png"]
    assert source.read("\\udcff.png") == PAGE


def test_a_folder_of_everything_is_refused_early(tmp_path: Path) -> None:
    for number in range(MOST_ENTRIES + 1):
        (tmp_path / f"{number}").touch()
    with pytest.raises(UsageError, match="more than 5000 files"):
        open_source(tmp_path)


PATHS = {
    "../../etc/1.png": "../../etc/1.png",
    "/etc/1.png": "etc/1.png",
    "C:\\pages\\1.png": "C:/pages/1.png",
    "pages\\1.png": "pages/1.png",
    "./pages//1.png": "pages/1.png",
    "1.png\0.txt": None,
    "\0.png": "\\x00.png",
    "1.txt\0.png": "1.txt\\x00.png",
}


@pytest.mark.parametrize(("name", "shown"), PATHS.items())
def test_names_in_archives_never_become_paths(tmp_path: Path, name: str, shown: str | None) -> None:
    placeholder = "N" * len(name)
    path = write_archive(tmp_path / "a.zip", {placeholder: PAGE, "n/9.txt": b""})
    path.write_bytes(path.read_bytes().replace(placeholder.encode(), name.encode()))
    if shown is None:
        with pytest.raises(UsageError, match=r"no images in it \(it holds 1\.png\\x00\.txt, n/9\.txt\)"):
            open_source(path)
        return
    source = open_source(path)
    assert list(source.names) == [shown]
    assert source.read(shown) == PAGE


def renamed(path: Path, names: Mapping[str, bytes]) -> Path:
    """The archive with other names in it, of the same length; they do not say their encoding."""
    data = path.read_bytes()
    for placeholder, name in names.items():
        assert len(placeholder) == len(name)
        data = data.replace(placeholder.encode(), name)
    path.write_bytes(data)
    return path


def in_encoding(folder: Path, names: list[str], encoding: str) -> Path:
    """An archive whose names are written in this encoding, each page with its name in UTF-8 as its bytes."""
    raws = [name.encode(encoding) for name in names]
    placeholders = [f"{number:x}".rjust(len(raw), "N") for number, raw in enumerate(raws)]
    files = {one: name.encode() for one, name in zip(placeholders, names, strict=True)}
    return renamed(write_archive(folder / "a.zip", files), dict(zip(placeholders, raws, strict=True)))


ENCODED = {
    "cp932": ["表示/第1話 1.png", "表示/第1話 2.png", "表示/表紙.png"],
    "gbk": ["第1话/第01页.png", "第1话/第02页.png"],
    "cp949": ["제1화 1.png", "제1화 2.png"],
    "big5": ["第12話 開始 1.png"],
    "utf-8": ["第1話 1.png"],
}


@pytest.mark.parametrize("encoding", ENCODED)
@pytest.mark.parametrize("is_given", [True, False])
def test_names_in_other_encodings_are_read(tmp_path: Path, encoding: str, is_given: bool) -> None:
    names = ENCODED[encoding]
    source = open_source(in_encoding(tmp_path, names, encoding), encoding if is_given else None)
    assert sorted(source.names) == sorted(names)
    assert [source.read(name).decode() for name in source.names] == list(source.names)
    assert list(source.warnings) == []


def test_a_guessed_encoding_is_said(tmp_path: Path) -> None:
    path = in_encoding(tmp_path, ["猫1.png", "猫2.png"], "cp932")
    [warning] = open_source(path).warnings
    assert [part for part in ("cp932", "猫1.png", "--zip-encoding") if part not in warning] == []
    assert list(open_source(path, "cp932").warnings) == []
    assert list(open_source(path, "cp437").names) == ["\u00f6L1.png", "\u00f6L2.png"]


@pytest.mark.parametrize(
    ("encoding", "said"), [("cp949", "the name is not in cp949"), ("cp999", "there is none of this name")]
)
def test_a_given_encoding_that_does_not_fit(tmp_path: Path, encoding: str, said: str) -> None:
    path = in_encoding(tmp_path, ["第1話 表示.png"], "cp932")
    with pytest.raises(UsageError, match=rf"a\.zip: .*{said}"):
        open_source(path, encoding)


def test_the_unicode_name_of_an_entry_counts_more_than_any_encoding(tmp_path: Path) -> None:
    raw, name = "猫".encode("cp932") + b".png", "犬/1.png"
    body = b"\1" + zlib.crc32(raw).to_bytes(4, "little") + name.encode()
    entry = zipfile.ZipInfo("NN.png")
    entry.extra = struct.pack("<HH", 0x7075, len(body)) + body
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(entry, PAGE)
    source = open_source(renamed(tmp_path / "a.zip", {"NN.png": raw}), "cp949")
    assert list(source.names) == [name]
    assert source.read(name) == PAGE
    assert list(source.warnings) == []


@pytest.mark.parametrize("folder", ["", "ch 1/"])
@pytest.mark.parametrize("called", ["order.txt", "Order.TXT"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_an_order_file_beside_the_pages_decides(
    tmp_path: Path, write: Write, folder: str, called: str, encoding: str
) -> None:
    text = "# as drawn\r\n2.png\r\n\r\nintro é.png\r\n1.png\r\n"
    pages = {f"{folder}{name}": name.encode() for name in ("1.png", "2.png", "intro é.png")}
    source = open_source(write(tmp_path, pages | {f"{folder}{called}": text.encode(encoding), "notes.txt": b""}))
    assert list(source.names) == [f"{folder}{name}" for name in ("2.png", "intro é.png", "1.png")]
    assert source.order_file == f"{folder}{called}"
    assert list(source.ignored) == ["notes.txt"]


@pytest.mark.parametrize("folder", ["c/", "a/b/"])
@pytest.mark.parametrize("order", ["{folder}2.png\n{folder}1.png", "2.png\n1.png", "{folder}2.png\n1.png"])
def test_an_order_file_at_the_top_decides_where_the_pages_are_further_down(
    tmp_path: Path, write: Write, folder: str, order: str
) -> None:
    pages = {f"{folder}1.png": b"1", f"{folder}2.png": b"2"}
    path = write(tmp_path, {**pages, "order.txt": order.format(folder=folder).encode()})
    source = open_source(path)
    assert list(source.names) == [f"{folder}2.png", f"{folder}1.png"]
    assert [source.read(name) for name in source.names] == [b"2", b"1"]
    assert source.order_file == "order.txt"
    assert list(source.ignored) == []


def test_an_order_file_beside_the_pages_names_them_from_the_top_too(tmp_path: Path, write: Write) -> None:
    path = write(tmp_path, {"c/1.png": PAGE, "c/2.png": PAGE, "c/order.txt": b"c/2.png\n1.png"})
    assert list(open_source(path).names) == ["c/2.png", "c/1.png"]


def test_an_order_file_with_backslashes_fits_an_archive_with_such(tmp_path: Path) -> None:
    path = write_archive(
        tmp_path / "a.zip", {"ch\\1.png": b"1", "ch\\3.png": b"3", "order.txt": b"ch\\3.png\nch\\1.png"}
    )
    source = open_source(path)
    assert list(source.names) == ["ch/3.png", "ch/1.png"]
    assert source.read("ch/3.png") == b"3"


def test_two_order_files_are_one_too_many(tmp_path: Path, write: Write) -> None:
    path = write(tmp_path, {"c/1.png": PAGE, "c/order.txt": b"1.png", "Order.txt": b"1.png"})
    with pytest.raises(UsageError, match=rf"{path.name}: .*c/order\.txt.* and Order\.txt.*; take one of them away"):
        open_source(path)


def test_an_order_file_elsewhere_is_none(tmp_path: Path, write: Write) -> None:
    source = open_source(write(tmp_path, {"a/c/1.png": PAGE, "a/c/2.png": PAGE, "a/order.txt": b"2.png\n1.png"}))
    assert list(source.names) == ["a/c/1.png", "a/c/2.png"]
    assert source.order_file is None
    assert list(source.ignored) == ["a/order.txt"]


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (b"1.png\n3.png", r"3\.png is no page; 2\.png is not in it"),
        (b"1.png\n2.png\n1.png", r"1\.png is in it more than once"),
        (b"", "1.png, 2.png is not in it"),
        (b"1.png\n2\xff.png", "it is not in UTF-8"),
        (b"\n".join(b"# %d" % number for number in range(200_000)), "it has more than 1 MB"),
    ],
)
def test_an_order_file_that_does_not_fit(tmp_path: Path, write: Write, order: bytes, said: str) -> None:
    path = write(tmp_path, {"1.png": PAGE, "2.png": PAGE, "order.txt": order})
    with pytest.raises(UsageError, match=rf"{path.name}: order\.txt: .*{said}"):
        open_source(path)


def test_an_order_file_that_cannot_be_read(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "c", {"1.png": PAGE})
    (folder / "order.txt").symlink_to("missing")
    with pytest.raises(UsageError, match=r"order\.txt: it is a link that leads nowhere"):
        open_source(folder)
    path = tmp_path / "a.cbz"
    path.write_bytes(zip_of(("1.png", PAGE), ("order.txt", b"1.png"), ("order.txt", b"1.png"), method=0))
    with pytest.raises(UsageError, match=r"a\.cbz: order\.txt: the archive has it 2 times"):
        open_source(path)


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"ComicInfo.xml": b"top"}, b"top"),
        ({"c/comicinfo.XML": b"inside"}, b"inside"),
        ({"c/ComicInfo.xml": b"inside", "ComicInfo.xml": b"top"}, b"inside"),
        ({"ComicInfo.xml.bak": b"other", "extra/ComicInfo.xml": b"elsewhere"}, None),
    ],
)
def test_comic_info_is_found_beside_the_pages_or_at_the_top(
    tmp_path: Path, write: Write, files: dict[str, bytes], found: bytes | None
) -> None:
    source = open_source(write(tmp_path, {"c/1.png": PAGE, **files}))
    assert source.comic_info() == found
    assert found not in [files[name] for name in source.ignored]


def test_too_large_a_comic_info_says_so_when_it_is_wanted(tmp_path: Path, write: Write) -> None:
    source = open_source(write(tmp_path, {"1.png": PAGE, "ComicInfo.xml": os.urandom((1 << 20) + 1)}))
    with pytest.raises(UsageError, match=r"ComicInfo\.xml: it has more than 1 MB"):
        source.comic_info()


def zip_of(
    *entries: tuple[str, bytes], declared: int | None = None, crc: int | None = None, flags: int = 0, method: int = 8
) -> bytes:
    """An archive as a liar writes it. The payloads are packed already."""
    body, directory = bytearray(), bytearray()
    for name, payload in entries:
        size = len(payload) if declared is None else declared
        rest = (flags, method, 0, 33, zlib.crc32(payload) if crc is None else crc, len(payload), size, len(name), 0)
        directory += struct.pack("<4s2B5H3L5H2L", b"PK\1\2", 20, 3, 20, *rest, 0, 0, 0, 0, len(body)) + name.encode()
        body += struct.pack("<4s5H3L2H", b"PK\3\4", 20, *rest) + name.encode() + payload
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(directory), len(body), 0)
    return bytes(body + directory + end)


def deflated_zeros(total_bytes: int) -> bytes:
    packer = zlib.compressobj(9, wbits=-15)
    block = packer.compress(bytes(1 << 24)) + packer.flush(zlib.Z_FULL_FLUSH)  # stands alone: it can be repeated
    return block * (total_bytes >> 24) + packer.flush()


GIGABYTES = deflated_zeros(2 << 30)


def peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


@pytest.mark.parametrize(
    ("declared", "crc", "said"),
    [
        (10, 0, "it is damaged"),
        (10, zlib.crc32(bytes(10)), None),
        (1000 << 20, 0, "would grow"),
        (200 * len(GIGABYTES), 0, "has more than 64 MB"),
    ],
    ids=["says ten bytes", "says ten bytes, and means it", "says what it is", "just below the ratio"],
)
def test_a_bomb_is_stopped_early(tmp_path: Path, declared: int, crc: int, said: str | None) -> None:
    path = tmp_path / "bomb.cbz"
    path.write_bytes(zip_of(("1.png", GIGABYTES), declared=declared, crc=crc))
    source, before, began = open_source(path), peak_mb(), time.perf_counter()
    if said is None:
        assert source.read("1.png") == bytes(10)
    else:
        with pytest.raises(UnreadablePage, match=rf"1\.png: .*{said}"):
            source.read("1.png")
    assert peak_mb() - before < 3 * READ_BYTES >> 20
    assert time.perf_counter() - began < 2


def test_many_pages_at_the_limit_are_a_bomb(tmp_path: Path) -> None:
    path = tmp_path / "bomb.cbz"
    payload = bytes(400_000)
    path.write_bytes(zip_of(*((f"{number}.png", payload) for number in range(30)), declared=60 << 20))
    with pytest.raises(UsageError, match="its pages have 1800 MB together"):
        open_source(path)


@pytest.mark.parametrize("count", [MOST_ENTRIES + 1, 100_000])
def test_an_archive_of_very_many_entries_is_refused_early(tmp_path: Path, count: int) -> None:
    path = tmp_path / "many.zip"
    path.write_bytes(zip_of(*((f"{number}.png", b"") for number in range(count))))
    began = time.perf_counter()
    with pytest.raises(UsageError, match=r"many\.zip: (has 5001 entries|.*its list of names has more than 2 MB)"):
        open_source(path)
    assert time.perf_counter() - began < 2


LIARS: dict[str, tuple[bytes, str]] = {
    "encrypted": (zip_of(("1.png", PAGE), flags=1, method=0), "it is encrypted"),
    "bzip2": (zip_of(("1.png", PAGE), method=12), r"it is compressed by a method that is not supported \(number 12\)"),
    "lzma": (zip_of(("1.png", PAGE), method=14), r"it is compressed by a method that is not supported \(number 14\)"),
    "unknown method": (
        zip_of(("1.png", PAGE), method=99),
        r"it is compressed by a method that is not supported \(number 99\)",
    ),
    "wrong CRC": (zip_of(("1.png", PAGE), method=0, crc=7), "it is damaged .*CRC"),
    "no deflate": (zip_of(("1.png", b"\xff" * 64)), "it is damaged"),
    "smaller than it says": (zip_of(("1.png", PAGE), method=0, declared=len(PAGE) + 9), "its size is not what"),
    "twice": (zip_of(("1.png", PAGE), ("1.png", WEBP), method=0), "the archive has it 2 times"),
    "twice, by another name": (zip_of(("a/1.png", PAGE), ("a//1.png", PAGE), method=0), "the archive has it 2 times"),
}


@pytest.mark.parametrize(("data", "said"), LIARS.values(), ids=LIARS)
def test_entries_that_cannot_be_read_stop_the_chapter_by_name(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "a.cbz"
    path.write_bytes(data)
    source = open_source(path)
    with pytest.raises(UnreadablePage, match=rf"1\.png: {said}.*; pack the archive again") as refusal:
        source.read(source.names[0])
    assert refusal.value.page_problem.name == source.names[0]


def test_an_entry_without_suffix_that_cannot_be_read_may_be_a_page(tmp_path: Path) -> None:
    path = tmp_path / "a.cbz"
    path.write_bytes(zip_of(("1", PAGE), flags=1, method=0))
    assert list(open_source(path).names) == ["1"]


def test_entries_that_share_bytes(tmp_path: Path) -> None:
    one = zip_of(("1.png", PAGE), method=0)
    at = one.index(b"PK\1\2")
    entry = one[at:-22]
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 3, 3, 3 * len(entry), at, 0)
    path = tmp_path / "a.cbz"
    path.write_bytes(one[:at] + entry + entry.replace(b"1.png", b"2.png") + entry.replace(b"1.png", b"3.png") + end)
    source = open_source(path)
    for name in source.names:
        with pytest.raises(UnreadablePage, match="shares its bytes with another"):
            source.read(name)


def test_a_name_that_is_no_utf8(tmp_path: Path) -> None:
    path = tmp_path / "a.cbz"
    path.write_bytes(zip_of(("1.png", PAGE), flags=1 << 11, method=0).replace(b"1.png", b"\xff.png"))
    with pytest.raises(UsageError, match="cannot be read as a zip archive"):
        open_source(path)


def test_an_archive_that_is_cut_off(tmp_path: Path) -> None:
    path = as_archive(tmp_path, {"1.png": PAGE})
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(UsageError, match=r"cannot be read as a zip archive \(File is not a zip file\)"):
        open_source(path)


def test_damage_to_one_page_leaves_the_others(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "a.cbz", {"1.png": PAGE, "2.png": WEBP, "3.png": PAGE}, method=zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(WEBP, WEBP[:-1] + b"\xaa"))
    source = open_source(path)
    assert (source.read("1.png"), source.read("3.png")) == (PAGE, PAGE)
    with pytest.raises(UnreadablePage, match=r"2\.png: it is damaged"):
        source.read("2.png")


def test_archives_are_read_from_several_threads(tmp_path: Path) -> None:
    files = {f"{number}.png": os.urandom(STEP_BYTES + number) for number in range(8)}
    source = open_source(as_archive(tmp_path, files))
    wrong: list[str] = []

    def read_all() -> None:
        wrong.extend(name for name in source.names if source.read(name) != files[name])

    threads = [threading.Thread(target=read_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_damaged_archive_gives_the_pages_or_a_clear_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    good = bytearray(zip_of(("a/1.png", PAGE), ("a/2", b"GIF89a"), ("b.txt", b"x"), method=0))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.zip"
    path.write_bytes(good[: data.draw(st.integers(0, 300))] if data.draw(st.booleans()) else good)
    with contextlib.suppress(UploadError):
        everything(open_source(path))


def everything(source: Source) -> list[bytes]:
    return [source.read(name) for name in source.names]


def test_pages_of_a_volume_whose_names_have_points_and_no_suffix_are_all_there(tmp_path: Path, write: Write) -> None:
    names = ["Vol.1 Ch.2 - 001", "Vol.1 Ch.2 - 002", "Vol.1 Ch.2 - 003.png"]
    source = open_source(write(tmp_path, dict.fromkeys(names, PAGE)))
    assert list(source.names) == names
    assert list(source.warnings) == []


@pytest.mark.parametrize(
    "name",
    [
        "3.apng",
        "3.png ",
        "3. png",
        "3.jpg_large",
        "3.pjpeg",
        "3.jpg!d",
        "3.webp?x=1",
        "3.PNG~1",
        "3.画像",
        "3.part",
        "a.b",
    ],
)
def test_what_is_an_image_is_a_page_whatever_its_name_says(tmp_path: Path, write: Write, name: str) -> None:
    source = open_source(write(tmp_path, {"1.png": PAGE, name: PAGE}))
    assert sorted(source.names) == sorted(["1.png", name])
    assert list(source.ignored) == []


@pytest.mark.parametrize("name", ["2.png", "2.png ", "2. png", "2.apng", "2.pjpeg", "2.JXL", "2.jp2"])
def test_what_is_called_like_an_image_is_a_page_whatever_is_in_it(tmp_path: Path, write: Write, name: str) -> None:
    assert name in open_source(write(tmp_path, {"1.png": PAGE, name: b"no image"})).names


@pytest.mark.parametrize("name", ["2.jpg_large", "Vol.1 - 2", "2.foo", "2.part", "play.mp3", "read.me"])
def test_what_is_no_image_by_name_and_content_is_none(tmp_path: Path, write: Write, name: str) -> None:
    source = open_source(write(tmp_path, {"1.png": PAGE, name: b"no image"}))
    assert list(source.names) == ["1.png"]
    assert list(source.ignored) == [name]


@pytest.mark.parametrize("name", [".2.png", "...2.png", "2.png~", "2.png.bak", ".2", "c.orig"])
def test_images_that_are_hidden_or_backups_are_left_out_and_told(tmp_path: Path, write: Write, name: str) -> None:
    source = open_source(write(tmp_path, {"1.png": PAGE, name: PAGE}))
    assert list(source.names) == ["1.png"]
    assert list(source.ignored) == [name]
    [warning] = source.warnings
    assert name in warning
    assert "rename" in warning


def test_many_hidden_images_are_told_in_one_line(tmp_path: Path, write: Write) -> None:
    source = open_source(write(tmp_path, {"1.png": PAGE, **{f".{number}.png": PAGE for number in range(2, 9)}}))
    [warning] = source.warnings
    assert ".2.png, .3.png, .4.png and 4 more" in warning


@pytest.mark.parametrize("name", [".DS_Store", "._1.png", "__MACOSX/._1.png", "Thumbs.db", "@eaDir/.1.png", ".hidden"])
def test_what_programs_leave_is_no_warning(tmp_path: Path, write: Write, name: str) -> None:
    data = PAGE if "1.png" in name or name == "Thumbs.db" else b"no image"
    source = open_source(write(tmp_path, {"1.png": PAGE, name: data}))
    assert list(source.names) == ["1.png"]
    assert list(source.warnings) == []


def test_only_names_that_do_not_say_what_they_are_are_looked_into() -> None:
    seen: list[str] = []

    def is_image(name: str) -> bool:
        seen.append(name)
        return True

    known = [f"{number}.png" for number in range(500)]
    listing = listed("c", [*known, "a.txt", "b.NFO", "ComicInfo.xml", "c.psd ", "500.jpg_large"], is_image)
    assert seen == ["500.jpg_large"]
    assert len(listing.pages) == 501
