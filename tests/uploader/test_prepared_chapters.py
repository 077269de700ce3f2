"""Chapters whose pages the service would not take as they are: prepared, published, and what readers get of them."""

from __future__ import annotations

import gc
import hashlib
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from drawing import noise, photo, pixels, same, stacked, strip
from link import Cut, Link
from pages import draw, write_archive, write_folder
from rig import Chapter as Drawn
from rig import Ran, Rig, link, rig

from mangadex_uploader.chapter import Chapter, PageChange, Plan
from mangadex_uploader.checking import plan_chapter
from mangadex_uploader.errors import Hopeless, UploadError, UsageError
from mangadex_uploader.events import Planned
from mangadex_uploader.json_output import of_plan
from mangadex_uploader.output import Output
from mangadex_uploader.page_files import LIMITS, Limits
from mangadex_uploader.progress import NoProgress
from mangadex_uploader.reading import read_page
from mangadex_uploader.reporting import Reporter, tell_changes

MANGA = "f9c33607-9180-4ba6-b85c-e4b5faee7192"
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
PUT = r"/upload/[0-9a-f-]{36}"
MIB = 1 << 20
ORDER = ["strip.png", "lossless.webp", "large.png", "plain.jpg"]
SMALL = replace(LIMITS, side_px=1_000)
WEBP = photo(2, 300, 400).webpsave_buffer(lossless=True, effort=0)
PLAIN = draw(kind="jpeg", width=300, height=400)


@cache
def images() -> dict[str, Any]:
    """What is drawn on the pages that stay lossless."""
    return {
        "strip.png": strip(3, width=800, height=25_000, panel_rows=(300, 1_500)).image,
        "lossless.webp": photo(2, 700, 1_000),
        "large.png": photo(1, 2_800, 2_600),
    }


@cache
def files() -> dict[str, bytes]:
    """A chapter in which only the last page is one that the service takes."""
    made = {
        "strip.png": images()["strip.png"].pngsave_buffer(compression=1),
        "lossless.webp": images()["lossless.webp"].webpsave_buffer(lossless=True, effort=0),
        "large.png": images()["large.png"].pngsave_buffer(compression=0),
        "plain.jpg": PLAIN,
    }
    assert len(made["large.png"]) > 20 * MIB
    return made


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with rig(tmp_path_factory.mktemp("rig")) as made:
        yield made


@pytest.fixture
def network(service: Rig) -> Iterator[Link]:
    with link(service) as made:
        yield made


def on_disk(folder: Path, *, as_archive: bool) -> Drawn:
    contents = {**files(), "order.txt": "\n".join(ORDER).encode()}
    write = write_archive(folder / "c.cbz", contents) if as_archive else write_folder(folder / "c", contents)
    return Drawn(write, [files()[name] for name in ORDER])


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def told_of(ran: Ran, event: str) -> dict[str, Any]:
    """What the program told of the only event of this name."""
    [found] = [it for it in ran.events if it["event"] == event]
    return found


def named(planned: dict[str, Any], published: list[bytes]) -> dict[str, list[bytes]]:
    """The published files by the user's page that they were made of."""
    made: dict[str, list[bytes]] = {}
    for page, data in zip(planned["pages"], published, strict=True):
        made.setdefault(page["name"].partition(" (")[0], []).append(data)
    return made


def assert_published(service: Rig, drawn: Drawn, planned: dict[str, Any]) -> None:
    [chapter_id] = service.published(drawn)
    published = service.pages_of(chapter_id)
    assert [sha256(data) for data in published] == [page["sha256"] for page in planned["pages"]]
    made = named(planned, published)
    assert list(made) == ORDER == planned["order"]
    assert made["plain.jpg"] == [PLAIN]
    assert len(made["strip.png"]) > 1
    assert {name: same(stacked(made[name]), images()[name]) for name in images()} == dict.fromkeys(images(), True)
    for data in published:
        image = pixels(data)
        assert max(image.width, image.height) <= 10_000
        assert len(data) <= 20 * MIB


@pytest.mark.parametrize("as_archive", [False, True], ids=["folder", "archive"])
def test_readers_get_what_was_drawn(service: Rig, network: Link, tmp_path: Path, as_archive: bool) -> None:
    drawn = on_disk(tmp_path, as_archive=as_archive)
    ran = service.upload(drawn, network.url)
    assert ran.status == 0, ran.errors
    planned = told_of(ran, "planned")
    assert_published(service, drawn, planned)
    assert [change["name"] for change in planned["done"]] == ORDER[:3]
    assert planned["order_file"] == "order.txt"
    told = [line for line in ran.errors.splitlines() if "lossless.webp" in line]
    assert told == [
        f"{drawn.folder.name}: lossless.webp: was WebP (lossless), which the service does not take: sent as PNG"
    ]


@pytest.mark.parametrize("as_archive", [False, True], ids=["folder", "archive"])
def test_killed_in_the_middle_the_same_command_finds_its_prepared_pages(
    service: Rig, network: Link, tmp_path: Path, as_archive: bool
) -> None:
    drawn = on_disk(tmp_path, as_archive=as_archive)
    process = service.start(drawn, network.url)
    network.fail(Cut.AFTER, "POST", PUT, then=process.kill)
    process.communicate(timeout=120)
    assert process.returncode == -9
    session = service.session()
    assert session is not None
    there = {
        item["attributes"]["originalFileName"]
        for item in session["relationships"]
        if item["type"] == "upload_session_file"
    }
    ran = service.upload(drawn, network.url)
    assert ran.status == 0, ran.errors
    planned, begun = told_of(ran, "planned"), told_of(ran, "session")
    wire_names = {page["sent_as"]: page["name"] for page in planned["pages"]}
    assert there
    assert there <= wire_names.keys()
    assert {wire_names[name].partition(" (")[0] for name in there} - {"plain.jpg"}
    assert begun["resumed"]
    assert begun["kept_pages"] >= len(there)  # a request that was on its way beside the fatal one may come through late
    assert ran.result["sent_bytes"] == planned["bytes"] - begun["kept_bytes"]
    assert_published(service, drawn, planned)


def plan(path: Path, limits: Limits = LIMITS, stop: threading.Event | None = None, *, as_is: bool = False) -> Plan:
    return plan_chapter(Chapter(path=path, manga=MANGA, as_is=as_is), now=NOW, limits=limits, stop=stop)


STRIP = strip(5, width=60, height=2_500, panel_rows=(50, 200), gutter_rows=(30, 60)).image.pngsave_buffer()


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Small pages for a limit of 1000 px."""
    return write_folder(tmp_path / "c", {"1.png": STRIP, "2.webp": WEBP, "3.jpg": PLAIN})


def test_pages_are_the_pieces_in_order_and_it_is_said_what_was_done(mixed: Path) -> None:
    planned = plan(mixed, SMALL)
    pieces = [f"1.png ({number} of 3)" for number in (1, 2, 3)]
    assert [page.name for page in planned.pages] == [*pieces, "2.webp", "3.jpg"]
    assert [page.position for page in planned.pages] == [1, 2, 3, 4, 5]
    assert list(planned.source.names) == ["1.png", "2.webp", "3.jpg"]
    assert planned.done == (
        PageChange(
            "1.png",
            (
                "strip of 60 x 2500 px, a side may have 1000: cut into 3 at blank rows",
                "the pieces were saved as PNG",
            ),
        ),
        PageChange("2.webp", ("was WebP (lossless), which the service does not take: sent as PNG",)),
    )
    assert planned.warnings == ()
    strip_files = [read_page(planned.source, page) for page in planned.pages[:3]]
    assert same(stacked(strip_files), pixels(STRIP))
    assert read_page(planned.source, planned.pages[4]) == PLAIN


def test_the_same_chapter_becomes_the_same_bytes(mixed: Path) -> None:
    for name, image in {"4.webp": noise(1, 500, 400), "5.avif": photo(4, 300, 200)}.items():
        (mixed / name).write_bytes(image.write_to_buffer(f".{name.partition('.')[2]}[Q=80]"))
    assert plan(mixed, SMALL).pages == plan(mixed, SMALL).pages


def test_prepared_pages_stay_and_others_are_read_again(mixed: Path) -> None:
    planned = plan(mixed, SMALL)
    for name in ("1.png", "2.webp", "3.jpg"):
        (mixed / name).write_bytes(draw(width=20, height=20))
    for page in planned.pages[:4]:
        assert sha256(read_page(planned.source, page)) == page.digest
    with pytest.raises(UploadError, match=r"3\.jpg changed"):
        read_page(planned.source, planned.pages[4])


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads take turns as often as they can."""
    usual_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual_s)


@pytest.mark.usefixtures("restless")
def test_prepared_pages_are_read_from_several_threads(tmp_path: Path) -> None:
    webps = {f"{number}.webp": photo(number, 20, 30).webpsave_buffer(lossless=True, effort=0) for number in range(8)}
    planned = plan(write_folder(tmp_path / "c", webps))
    wrong: list[str] = []

    def read_all() -> None:
        again = planned.pages * 100
        wrong.extend(page.name for page in again if sha256(planned.source.read(page.name)) != page.digest)

    threads = [threading.Thread(target=read_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_prepared_pages_are_nobody_elses_and_go_with_the_plan(
    mixed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    gc.collect()
    before = open_files()
    planned = plan(mixed, SMALL)
    assert list(folder.iterdir()) == []
    assert open_files() == before + 1
    del planned
    gc.collect()
    assert open_files() == before


def test_a_chapter_that_needs_nothing_takes_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    assert len(plan(write_folder(tmp_path / "c", {"1.jpg": PLAIN})).pages) == 1
    with pytest.raises(UploadError, match=r"c: its prepared pages cannot be kept in .*missing \(No such file"):
        plan(write_folder(tmp_path / "c", {"2.webp": WEBP}))


FULL = f"""
import resource, sys
from datetime import UTC, datetime
from pathlib import Path
from mangadex_uploader.chapter import Chapter
from mangadex_uploader.checking import plan_chapter
from mangadex_uploader.errors import UploadError
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    plan_chapter(Chapter(path=Path(sys.argv[1]), manga="{MANGA}"), now=datetime.now(UTC))
except UploadError as error:
    print(error)
"""


def test_no_room_for_prepared_pages_is_said(tmp_path: Path) -> None:
    """A limit on a file's size fails its write after some bytes, as a full disk does."""
    folder = write_folder(tmp_path / "c", {"1.webp": WEBP})
    done = subprocess.run([sys.executable, "-c", FULL, str(folder)], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout.startswith("c: its prepared pages cannot be kept in ")
    assert "make room there" in done.stdout


def test_limits_are_of_what_is_sent(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "c", {"1.png": STRIP, "2.jpg": PLAIN})
    assert len(plan(folder, replace(SMALL, pages=4)).pages) == 4
    with pytest.raises(Hopeless, match="c: has 4 pages, a chapter may have 3"):
        plan(folder, replace(SMALL, pages=3))
    stored = write_folder(tmp_path / "d", {"1.png": photo(1, 400, 500).pngsave_buffer(compression=0)})
    smaller = replace(LIMITS, page_bytes=500_000, total_bytes=500_000)
    [page] = plan(stored, smaller).pages
    assert page.size_bytes < 500_000 < (stored / "1.png").stat().st_size
    webp = write_folder(tmp_path / "e", {"1.webp": WEBP})
    [page] = plan(webp).pages
    with pytest.raises(Hopeless, match="more than 0 MB together"):
        plan(webp, replace(LIMITS, total_bytes=page.size_bytes - 1))


def test_a_cut_through_a_drawing_is_a_warning(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "c", {"1.png": noise(1, 40, 1_500).pngsave_buffer()})
    planned = plan(folder, SMALL)
    [warning] = planned.warnings
    assert warning.startswith("1.png: there was no blank row to cut at")
    assert not [sentence for change in planned.done for sentence in change.done if "no blank row" in sentence]


def test_a_page_that_is_called_like_a_piece(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "c", {"a": STRIP, "a (2 of 3)": PLAIN})
    with pytest.raises(UsageError, match=r"c: a \(2 of 3\) is a page, and a piece of another; rename one of them"):
        plan(folder, SMALL)


def test_as_is_nothing_is_prepared(mixed: Path) -> None:
    with pytest.raises(Hopeless, match=r"1\.png: it is 60 x 2500 px, a side may have 1000(.|\n)*2\.webp: it is WebP"):
        plan(mixed, SMALL, as_is=True)


class StopAfter(threading.Event):
    """Is set once it was asked so often."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.asked = 0
        self._times = times

    def is_set(self) -> bool:
        self.asked += 1
        return self.asked > self._times


def test_when_it_is_stopped_no_other_page_is_begun(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "c", {f"{number}.webp": WEBP for number in range(60)})
    stop = StopAfter(5)
    with pytest.raises(UploadError, match="c: stopped while its pages were being checked"):
        plan(folder, stop=stop)
    assert stop.asked < 60
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith(("check", "piece"))]


def test_what_is_stopped_at_once_begins_no_page(mixed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(mixed / "missing"))  # a page that is begun says that there is no room
    with pytest.raises(UploadError, match="c: stopped"):
        plan(mixed, SMALL, StopAfter(0))


def test_memory_does_not_grow_with_the_pages_that_are_prepared(tmp_path: Path) -> None:
    page = photo(1, 900, 1_200).webpsave_buffer(lossless=True, effort=0)
    few = write_folder(tmp_path / "few", {f"{number}.webp": page for number in range(6)})
    many = write_folder(tmp_path / "many", {f"{number}.webp": page for number in range(40)})
    assert peak_mb(many) < peak_mb(few) + 10


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
    return int(subprocess.run([sys.executable, "-c", PEAK, str(path)], stdout=subprocess.PIPE, check=True).stdout)


def told(planned: Plan, *, is_verbose: bool = False) -> list[str]:
    output = Output(is_verbose=is_verbose)
    lines: list[str] = []
    output.write_line = lines.append
    tell_changes(planned, output)
    return lines


def test_people_are_told_of_each_changed_page_and_programs_too(mixed: Path) -> None:
    planned = plan(mixed, SMALL)
    assert told(planned) == [
        "c: 1.png: strip of 60 x 2500 px, a side may have 1000: cut into 3 at blank rows; the pieces were saved as PNG",
        "c: 2.webp: was WebP (lossless), which the service does not take: sent as PNG",
    ]
    keys = of_plan(planned)
    assert (keys["order"], keys["order_file"]) == (["1.png", "2.webp", "3.jpg"], None)
    assert [change["name"] for change in keys["done"]] == ["1.png", "2.webp"]
    assert keys["done"][1]["done"] == ["was WebP (lossless), which the service does not take: sent as PNG"]


def test_people_are_told_of_many_changed_pages_in_one_line(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "c", {f"{number}.webp": WEBP for number in range(1, 12)})
    (folder / "order.txt").write_text("\n".join(f"{number}.webp" for number in range(11, 0, -1)))
    planned = plan(folder)
    counted = "c: 11 pages were changed, as the service would refuse them: 11 pages: WebP (lossless) sent as PNG"
    assert told(planned) == ["c: the pages are in the order of order.txt", counted]
    lines = told(planned, is_verbose=True)
    assert lines[1] == counted
    assert [line.split(": ")[1] for line in lines[2:]] == [f"{number}.webp" for number in range(11, 0, -1)]


def see_through(width: int, height: int) -> bytes:
    """A lossy WebP with holes."""
    image = photo(1, width, height)
    data: bytes = image.bandjoin((image[0] > 128).ifthenelse(0, 255).cast("uchar")).webpsave_buffer(Q=80)
    return data


def test_of_many_changed_pages_the_kinds_are_counted_and_what_loses_something_is_told_each(tmp_path: Path) -> None:
    lossy = photo(3, 60, 40).webpsave_buffer(Q=80)
    files = {f"{number:02}.webp": WEBP for number in range(1, 10)} | {"10.webp": lossy, "11.webp": lossy}
    files["12.png"] = STRIP
    files["13.webp"] = see_through(60, 40)
    files["14.png"] = photo(4, 3_000, 80).pngsave_buffer()
    files["15.png"] = noise(1, 40, 1_500).pngsave_buffer()
    files["16.tif"] = photo(5, 60, 40).tiffsave_buffer()
    planned = plan(write_folder(tmp_path / "c", files), SMALL)
    counted, *each = told(planned)
    assert counted == (
        "c: 16 pages were changed, as the service would refuse them: 9 pages: WebP (lossless) sent as PNG; "
        "2 pages: WebP (lossy) sent as JPEG of quality 95; 1 page: cut into pieces at blank rows; "
        "1 page: pieces saved as PNG; 1 page: TIFF (lossless) sent as PNG; 3 pages: see below"
    )
    assert [line.split(": ")[1] for line in each] == ["13.webp", "14.png", "15.png"]
    assert "what was transparent is white now" in each[0]
    assert "was 3000 px wide, a side may have 1000: scaled to 1000 x 27 px" in each[1]
    assert len(told(planned, is_verbose=True)) == 1 + 16


LOSING = {
    "fewer colours": "was animated WebP, which the service does not take: sent as GIF, of 3 frames in 256 colours",
    "other colours": "CMYK, the colours of printing, made sRGB",
    "lower quality": "had 21.0 MB, a page may have 20 MB: sent as JPEG of quality 90",
    "scaled": "as JPEG it would have 30.0 MB, a page may have 20 MB: scaled to 80%, as JPEG of quality 80",
    "a cut": "strip of 800 x 25000 px, a side may have 10000: cut into 3",
    "unknown": "something that nobody has thought of",
}
KEEPING = {
    "PNG": "was WebP (lossless), which the service does not take: sent as PNG",
    "packed": "had 21.0 MB, a page may have 20 MB: packed tighter as PNG, its pixels are the same",
    "repacked": "as PNG it would have 9.0 MB, a page may have 8 MB: packed tighter as PNG, its pixels are the same",
    "turned": "turned upright, as its metadata says",
    "position": "the position at which it was taken was left out",
    "a cut": "strip of 800 x 25000 px, a side may have 10000: cut into 3 at blank rows",
}


@pytest.mark.parametrize("sentence", LOSING.values(), ids=LOSING)
def test_what_loses_something_is_told_of_each_page(mixed: Path, sentence: str) -> None:
    done = tuple(PageChange(f"{number}.png", (KEEPING["PNG"], sentence)) for number in range(30))
    lines = told(replace(plan(mixed, SMALL), done=done))
    assert lines[1:] == [f"c: {number}.png: {KEEPING['PNG']}; {sentence}" for number in range(30)]


@pytest.mark.parametrize("sentence", KEEPING.values(), ids=KEEPING)
def test_what_loses_nothing_is_counted(mixed: Path, sentence: str) -> None:
    done = tuple(PageChange(f"{number}.png", (sentence,)) for number in range(30))
    [line] = told(replace(plan(mixed, SMALL), done=done))
    assert line.startswith("c: 30 pages were changed, as the service would refuse them: 30 pages: ")


def left_out(path: Path, *, is_verbose: bool = False) -> list[str]:
    """What `upload` says of it."""
    output = Output(is_verbose=is_verbose)
    lines: list[str] = []
    output.write_line = lines.append
    Reporter(output, NoProgress(), "example.org").on_event(Planned(plan(path)))
    return [line for line in lines if "left out" in line]


@pytest.mark.parametrize("count", [1, 5, 6, 12])
def test_what_is_left_out_is_told_in_one_line(tmp_path: Path, count: int) -> None:
    names = [f"note {number}.txt" for number in range(1, count + 1)]
    programs = ["Thumbs.db", ".DS_Store", "__MACOSX/._1.jpg", "._1.jpg", "desktop.ini", "sub/Thumbs.db"]
    folder = write_folder(tmp_path / "c", {"1.jpg": PLAIN} | dict.fromkeys([*names, *programs], b"x"))
    more = f" and {count - 5} more" if count > 5 else ""
    assert left_out(folder) == [f"c: left out: {', '.join(names[:5])}{more}"]
    [line] = left_out(folder, is_verbose=True)
    assert [name for name in names if name not in line] == []
    assert "Thumbs.db" in line


def test_what_only_programs_left_is_not_told(tmp_path: Path) -> None:
    folder = write_folder(
        tmp_path / "c", {"1.jpg": PLAIN, "Thumbs.db": b"x", ".DS_Store": b"x", "__MACOSX/1.png": b"x"}
    )
    assert left_out(folder) == []
