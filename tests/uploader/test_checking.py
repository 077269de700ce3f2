"""From a path to a plan: chapters on a real disk, of real images, good and bad."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pages import draw, draw_animation, draw_as, write_archive, write_folder

from mangadex_uploader.chapter import Chapter, Plan
from mangadex_uploader.checking import plan_chapter
from mangadex_uploader.errors import BadPages, Hopeless, UploadError, UsageError
from mangadex_uploader.page_files import Limits

MANGA = "f9c33607-9180-4ba6-b85c-e4b5faee7192"
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
PNG, JPEG, GIF = (draw(kind=kind, width=200, height=300) for kind in ("png", "jpeg", "gif"))
TINY = draw(width=8, height=8)
MOVING = draw_animation(frames=4)
MIB = 1 << 20


def plan(path: Path, limits: Limits | None = None, *, as_is: bool = False) -> Plan:
    chapter = Chapter(path=path, manga=MANGA, chapter="025", as_is=as_is)
    return plan_chapter(chapter, now=NOW, limits=limits) if limits else plan_chapter(chapter, now=NOW)


def problems(path: Path, limits: Limits | None = None, *, as_is: bool = False) -> dict[str, str]:
    with pytest.raises(BadPages) as refusal:
        plan(path, limits, as_is=as_is)
    assert refusal.value.exit_status == 7
    return {problem.name: problem.problem for problem in refusal.value.problems}


@pytest.mark.parametrize("as_is", [True, False])
@pytest.mark.parametrize(
    "write",
    [
        lambda folder, files: write_folder(folder / "c", files),
        lambda folder, files: write_archive(folder / "c.zip", files),
    ],
    ids=["folder", "archive"],
)
def test_a_good_chapter(tmp_path: Path, write: Callable[[Path, Mapping[str, bytes]], Path], as_is: bool) -> None:
    files = {"1.png": PNG, "2.jpg": JPEG, "10.gif": GIF, "11.gif": MOVING, "Thumbs.db": b""}
    planned = plan(write(tmp_path, files), as_is=as_is)
    assert [page.name for page in planned.pages] == ["1.png", "2.jpg", "10.gif", "11.gif"]
    assert [page.position for page in planned.pages] == [1, 2, 3, 4]
    assert [page.mime_type for page in planned.pages] == ["image/png", "image/jpeg", "image/gif", "image/gif"]
    assert [(page.width, page.height) for page in planned.pages] == [*3 * [(200, 300)], (80, 60)]
    for page in planned.pages:
        data = planned.source.read(page.name)
        assert data == files[page.name]
        assert (page.digest, page.size_bytes) == (hashlib.sha256(data).hexdigest(), len(data))
    assert list(planned.source.ignored) == ["Thumbs.db"]
    assert planned.chapter.chapter == "25"
    assert planned.warnings == (
        "chapter '025' is sent as '25'",
        "the numbers have gaps: 3 to 9 missing (first after 2.jpg)",
    )
    assert planned.done == ()


@pytest.mark.parametrize(
    ("name", "data", "mime_type"),
    [
        ("1.jpg", PNG, "image/png"),
        ("1.webp", JPEG, "image/jpeg"),
        ("1", GIF, "image/gif"),
        ("1.PNG", draw_as(".png[interlace]"), "image/png"),
        ("1.png", draw_as(".png[bitdepth=1]"), "image/png"),
        ("1.jpg", draw_as(".jpg[interlace]"), "image/jpeg"),
        ("1.png", draw(width=1, height=1), "image/png"),
        ("1.png", PNG + b"left by an editor" * 2000, "image/png"),
        ("1.jpg", JPEG + bytes(100_000), "image/jpeg"),
        ("1.gif", GIF + b"left by a camera;", "image/gif"),
        ("1.gif", MOVING + bytes(50_000), "image/gif"),
    ],
)
def test_images_that_the_service_takes(tmp_path: Path, name: str, data: bytes, mime_type: str) -> None:
    planned = plan(write_folder(tmp_path / "c", {name: data}))
    assert [(page.mime_type, page.size_bytes) for page in planned.pages] == [(mime_type, len(data))]


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


def with_preview(data: bytes) -> bytes:
    """As cameras write: a whole small image in the header of the large one."""
    preview = draw_as(".jpg")
    return data[:2] + b"\xff\xe1" + (len(preview) + 2).to_bytes(2) + preview + data[2:]


def header_only_png(width: int, height: int) -> bytes:
    """A header that promises what is not there; who decodes before looking runs out of memory."""
    header = width.to_bytes(4) + height.to_bytes(4) + b"\x08\x06\0\0\0"
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(9))), (b"IEND", b"")]
    body = b"".join(len(it).to_bytes(4) + kind + it + zlib.crc32(kind + it).to_bytes(4) for kind, it in chunks)
    return b"\x89PNG\r\n\x1a\n" + body


BAD: dict[str, tuple[str, bytes, str]] = {
    "empty": ("1.png", b"", "it is empty"),
    "text": ("1.png", b"<html>404</html>", "it is no image"),
    "a link out of an archive": ("1.png", b"../2.png", "it is no image"),
    "WebP by another name": ("1.jpg", draw_as(".webp"), "it is WebP, which the service does not take"),
    "WebP": ("1.webp", draw_as(".webp[lossless]"), "it is WebP, which the service does not take"),
    "AVIF": ("1.avif", draw_as(".avif[effort=0]"), "it is AVIF, which the service does not take"),
    "TIFF": ("1.tif", draw_as(".tif"), "it is TIFF, which the service does not take"),
    "BMP": ("1.bmp", b"BM" + bytes(80), "it is BMP, which the service does not take"),
    "WebP without suffix": ("1", draw_as(".webp"), "it is WebP, which the service does not take"),
    "only the beginning of a PNG": ("1.png", PNG[:8], "it is cut off"),
    "only the beginning of a JPEG": ("1.jpg", JPEG[:3], "it is cut off"),
    "only the beginning of a GIF": ("1.gif", GIF[:6], "it is cut off"),
    "broken PNG": ("1.png", flipped(PNG, len(PNG) // 2), "it cannot be decoded"),
    "broken header": ("1.png", flipped(PNG, 19), "it cannot be decoded"),
    "JPEG with nothing in it": ("1.jpg", b"\xff\xd8\xff\xda\0\0\xff\xd9", "it cannot be decoded"),
    "wide": ("1.png", draw(width=10_001, height=8), "it is 10001 x 8 px, a side may have 10000"),
    "high": ("1.jpg", draw(kind="jpeg", width=8, height=12_000), "it is 8 x 12000 px, a side may have 10000"),
    "of giant size": ("1.png", header_only_png(60_000, 60_000), "it is 60000 x 60000 px"),
    "not what its header says": ("1.png", header_only_png(9_000, 9_000), "it cannot be decoded"),
    "21 MB": ("1.png", PNG + bytes(21 * MIB - len(PNG)), "it has 21.0 MB, a page may have 20"),
}


@pytest.mark.parametrize(("name", "data", "said"), BAD.values(), ids=BAD)
def test_images_that_the_service_would_refuse_as_they_are(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    found = problems(write_folder(tmp_path / "c", {name: data, "9.png": PNG}), as_is=True)
    assert list(found) == [name]
    assert found[name].startswith(said)


HOPELESS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "it is empty; get the file again"),
    "text": (b"<html>404</html>", "it is no image"),
    "JPEG XL": (b"\xff\x0a" + bytes(80), "it is JPEG XL, which cannot be read here"),
    "only the beginning of a PNG": (PNG[:8], "it is cut off"),
    "only the beginning of a WebP": (draw_as(".webp[lossless]")[:90], "it cannot be decoded"),
    "broken PNG": (flipped(PNG, len(PNG) // 2), "it cannot be decoded"),
    "JPEG with nothing in it": (b"\xff\xd8\xff\xda\0\0\xff\xd9", "it cannot be decoded"),
    "of giant size": (header_only_png(60_000, 60_000), "it has 3600000000 pixels in all"),
    "a strip that is cut off": (draw(width=8, height=12_000)[:-20], "it is cut off"),
    "a large animation": (MOVING + bytes(21 * MIB), "it is an animated GIF of 80 x 60 px and 21.0 MB"),
}


@pytest.mark.parametrize(("data", "said"), HOPELESS.values(), ids=HOPELESS)
def test_images_of_which_nothing_can_be_made(tmp_path: Path, data: bytes, said: str) -> None:
    found = problems(write_folder(tmp_path / "c", {"1.png": data, "9.png": PNG}))
    assert list(found) == ["1.png"]
    assert found["1.png"].startswith(said)


WHOLE = {"png": PNG, "jpeg": JPEG, "gif": GIF, "moving": MOVING, "progressive": draw_as(".jpg[interlace]")}


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize("missing", [1, 2, 13, 0.1, 0.5, 0.9])
def test_images_that_are_cut_off(tmp_path: Path, kind: str, missing: float) -> None:
    data = WHOLE[kind]
    kept = len(data) - (missing if isinstance(missing, int) else int(len(data) * missing))
    found = problems(write_folder(tmp_path / "c", {"1.png": data[:kept], "2.png": PNG}))
    assert found == {"1.png": found["1.png"]}
    assert "cut off" in found["1.png"]


def test_the_end_of_a_preview_is_not_the_end_of_the_image(tmp_path: Path) -> None:
    data = with_preview(JPEG)
    found = problems(write_folder(tmp_path / "c", {"1.jpg": data, "2.jpg": data[: len(data) // 2]}))
    assert list(found) == ["2.jpg"]


def test_frames_count_together(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "c", {"1.gif": MOVING, "2.gif": draw_animation(frames=3)})
    limits = Limits(pixels=3 * 80 * 60)
    assert problems(folder, limits) == {"1.gif": "it has 19200 pixels in all, it may have 14400; scale it down"}


def test_all_bad_pages_are_named_at_once(tmp_path: Path) -> None:
    bad = {f"{number}.png": b"bad" for number in range(1, 8)}
    archive = write_archive(tmp_path / "c.cbz", {**bad, "10.png": PNG, "11.gif": GIF[:-1]})
    with pytest.raises(BadPages) as refusal:
        plan(archive)
    assert [problem.name for problem in refusal.value.problems] == [*bad, "11.gif"]
    text = str(refusal.value)
    assert text.startswith("c.cbz: nothing was sent, because of these pages:\n  1.png: it is no image")
    assert text.count("\n") == 8


def test_pages_that_cannot_be_read_are_bad_pages(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "c.cbz", {"1.png": PNG, "2.png": JPEG}, method=0)
    archive.write_bytes(archive.read_bytes().replace(JPEG, flipped(JPEG, 200)))
    assert list(problems(archive)) == ["2.png"]


def test_doubles_are_warned_about_and_sent(tmp_path: Path) -> None:
    files = {"1.png": PNG, "2.jpg": JPEG, "3.png": PNG, "4.jpg": JPEG, "5.png": PNG, "6.gif": GIF}
    planned = plan(write_folder(tmp_path / "c", files))
    assert len(planned.pages) == 6
    assert planned.warnings[1:] == (
        "1.png and 3.png and 5.png are the same image; all are sent",
        "2.jpg and 4.jpg are the same image; all are sent",
    )


def test_a_guess_about_names_and_what_is_odd_about_them_are_warned_about(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        for name in ("N1.png", "N3.png"):
            archive.writestr(name, PNG if name == "N1.png" else JPEG)
    data = (tmp_path / "c.zip").read_bytes()
    (tmp_path / "c.zip").write_bytes(data.replace(b"N1.", b"\x811.").replace(b"N3.", b"\x813."))  # an ü of old
    planned = plan(tmp_path / "c.zip")
    assert [page.name for page in planned.pages] == ["ü1.png", "ü3.png"]
    assert ["cp437" in warning for warning in planned.warnings] == [False, True, False]
    assert planned.warnings[2] == "the numbers have gaps: 2 missing (first after ü1.png)"


def test_an_order_file_decides_and_what_the_names_say_is_no_warning(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "c", {"1.png": PNG, "3.jpg": JPEG, "order.txt": b"3.jpg\n1.png"})
    planned = plan(folder)
    assert [(page.position, page.name) for page in planned.pages] == [(1, "3.jpg"), (2, "1.png")]
    assert planned.warnings == ("chapter '025' is sent as '25'",)


@pytest.mark.parametrize("count", [500, 501])
def test_the_number_of_pages(tmp_path: Path, count: int) -> None:
    archive = write_archive(tmp_path / "c.zip", {f"{number}.png": TINY + b"%d" % number for number in range(count)})
    if count == 500:
        assert len(plan(archive).pages) == 500
    else:
        with pytest.raises(Hopeless, match="has 501 pages, a chapter may have 500"):
            plan(archive)


def test_the_total(tmp_path: Path) -> None:
    large = TINY + bytes(19 * MIB - len(TINY))
    archive = write_archive(tmp_path / "c.zip", {f"{number}.png": large for number in range(8)}, method=0)
    with pytest.raises(Hopeless, match="more than 150 MB together"):
        plan(archive)
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("check")] == []


def test_values_come_before_pages(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "c", {"1.png": b"bad"})
    with pytest.raises(UsageError, match="language 'EN'"):
        plan_chapter(Chapter(path=folder, manga=MANGA, language="EN"), now=NOW)


def test_a_page_that_goes_while_it_is_checked(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "c", {"1.png": PNG, "2.png": PNG})
    planned = plan(folder)
    (folder / "2.png").write_bytes(JPEG)
    assert hashlib.sha256(planned.source.read("2.png")).hexdigest() != planned.pages[1].digest
    (folder / "2.png").unlink()
    with pytest.raises(UploadError, match=r"2\.png: it is no longer in"):
        planned.source.read("2.png")


def test_libvips_is_loaded_with_the_first_page_and_stays_silent(tmp_path: Path) -> None:
    write_folder(tmp_path / "c", {"1.png": flipped(PNG, len(PNG) // 2)})
    script = f"""
import sys
from datetime import UTC, datetime
from pathlib import Path
from mangadex_uploader.chapter import Chapter
from mangadex_uploader.checking import plan_chapter
from mangadex_uploader.errors import BadPages
assert "pyvips" not in sys.modules
try:
    plan_chapter(Chapter(path=Path(sys.argv[1]), manga="{MANGA}"), now=datetime.now(UTC))
except BadPages as error:
    print(error)
assert "pyvips" in sys.modules
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "c")], capture_output=True, text=True, check=True, timeout=60
    )
    assert "1.png: it cannot be decoded" in done.stdout
    assert done.stderr == ""


PEAK = f"""
import resource, sys
from datetime import UTC, datetime
from pathlib import Path
from mangadex_uploader.chapter import Chapter
from mangadex_uploader.checking import plan_chapter
plan_chapter(Chapter(path=Path(sys.argv[1]), manga="{MANGA}"), now=datetime.now(UTC))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def peak_mb(path: Path) -> int:
    done = subprocess.run([sys.executable, "-c", PEAK, str(path)], stdout=subprocess.PIPE, check=True, timeout=60)
    return int(done.stdout)


def test_memory_does_not_grow_with_the_chapter(tmp_path: Path) -> None:
    page = draw(width=1000, height=1200, size_bytes=900_000)
    small = write_archive(tmp_path / "small.cbz", {f"{number}.png": page for number in range(10)}, method=0)
    large = write_archive(tmp_path / "large.cbz", {f"{number}.png": page for number in range(120)}, method=0)
    assert peak_mb(large) < peak_mb(small) + 10


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"language": "klingon"}, "language 'klingon': write two small letters"),
        ({"title": "t" * 300}, "title: it has 300 characters"),
        ({"chapter": "twelve"}, "chapter 'twelve': write a number"),
        ({"publish_at": datetime(2026, 11, 1, tzinfo=UTC)}, "publish at 2026-11-01T00:00:00"),
    ],
)
def test_a_value_that_cannot_be_used_names_the_chapter(tmp_path: Path, values: dict[str, Any], said: str) -> None:
    folder = write_folder(tmp_path / "My Manga \x1b[2J c12", {"1.png": PNG})
    with pytest.raises(UsageError) as refusal:
        plan_chapter(replace(Chapter(path=folder, manga=MANGA), **values), now=NOW)
    assert str(refusal.value).startswith(f"My Manga \\x1b[2J c12: {said}")


def test_a_hidden_image_is_a_warning_of_the_plan(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "c", {"1.png": PNG, "...2.png": JPEG})
    planned = plan(folder)
    assert [page.name for page in planned.pages] == ["1.png"]
    assert [warning for warning in planned.warnings if "...2.png" in warning] != []


@pytest.mark.parametrize("name", ["Vol.1 Ch.2 - 002", "2.apng", "2.png ", "2.jpg_large"])
def test_a_page_by_its_content_is_sent_as_it_is(tmp_path: Path, name: str) -> None:
    planned = plan(write_folder(tmp_path / "c", {"1.png": PNG, name: JPEG}))
    assert {page.name: page.digest for page in planned.pages}[name] == hashlib.sha256(JPEG).hexdigest()


def test_a_page_by_its_content_that_is_damaged_stops_the_chapter(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "c", {"1.png": PNG, "2.jpg_large": JPEG[: len(JPEG) // 2], "3.apng": b"no image"})
    assert set(problems(folder)) == {"2.jpg_large", "3.apng"}
