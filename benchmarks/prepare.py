"""What preparing pages takes, beside a plain loop with Pillow: cutting strips, and WebP to PNG and JPEG.

Run it with `make bench`. It takes about 90 s and 100 MB of files. Each contender reads its pages from a folder
and writes what it makes of them into another, in a process of its own; this one stays small, because Linux counts the
size of the process that started another into the other's peak. Their memory is that of the whole process, interpreter
and libraries included. Of the pages a few are drawn, and each is there several times: nobody remembers them.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from itertools import count
from math import ceil
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from statistics import median
from time import perf_counter
from typing import TypeAlias, cast

HERE = Path(__file__).parent
DRAWING = HERE.parent / "tests" / "uploader"
ROUNDS = 3
PAGES, PNG_PAGES = 60, 20  # Pillow takes half a second and more for one to PNG
DRAWINGS = 5
WIDTH, HEIGHT, MAX_SIDE = 800, 130_000, 10_000
PAGE_SIDES = (1_400, 2_000)
GRAIN = 0.4
MB = 1_000_000
CORES = 2
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024

Figures: TypeAlias = dict[str, float]
JOBS = {  # its folder: what it is, and how often as fast and in which part of the memory it shall be
    "strip": (f"a PNG strip of {WIDTH} x {HEIGHT} px in flat colours, cut", 5, 1 / 4),
    "png": (f"{PNG_PAGES} lossless WebP pages to PNG", 4, 1),
    "jpeg": (f"{PAGES} lossy WebP pages to JPEG of quality 95, 4:4:4", 1.5, 1),
}


def main() -> None:
    if find_spec("PIL") is None:
        raise SystemExit("Pillow is not installed, which this compares with: pip install pillow, and run it again")
    with tempfile.TemporaryDirectory() as name:
        run("draw", name)
        for job, (title, faster, part) in JOBS.items():
            size_mb = sum(file.stat().st_size for file in Path(name, job).iterdir()) / MB
            print(f"{title} ({size_mb:.0f} MB), median of {ROUNDS} interleaved rounds")
            ours, rival = compare(job, Path(name))
            print_aim("times as fast", rival["seconds"] / ours["seconds"], at_least=faster)
            print_aim("part of the memory", ours["peak_mb"] / rival["peak_mb"], at_most=part)


def compare(job: str, folder: Path) -> tuple[Figures, Figures]:
    rounds: dict[str, list[Figures]] = {"ours": [], "pillow": []}
    for _ in range(ROUNDS):
        for contender, figures in rounds.items():
            figures.append(run(contender, str(folder), job))
    ours, rival = ({key: median(one[key] for one in runs) for key in runs[0]} for runs in rounds.values())
    for contender, figure in (("ours", ours), ("pillow", rival)):
        files, written_mb = int(figure["files"]), figure["written_mb"]
        seconds, peak_mb = figure["seconds"], figure["peak_mb"]
        print(f"  {contender:<8}{seconds:7.2f} s {peak_mb:6.0f} MB at most   {files:3} files of {written_mb:5.1f} MB")
    return ours, rival


def print_aim(name: str, figure: float, *, at_least: float | None = None, at_most: float = 0) -> None:
    is_met = figure >= at_least if at_least is not None else figure <= at_most
    aim = f"at least {at_least:g}" if at_least is not None else f"at most {at_most:g}"
    print(f"  {name}: {figure:.2f} (aim: {aim}), {'met' if is_met else 'MISSED'}", flush=True)


def run(*arguments: str) -> Figures:
    command = [sys.executable, str(HERE / "prepare.py"), *arguments]
    return cast("Figures", json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))


def contend(contender: str, folder: Path, job: str) -> Figures:
    """Make of the job's pages what the service takes; the time is without that of starting Python."""
    target = folder / "made"
    target.mkdir()
    work: Callable[[Path, Path], None] = {
        "ours": prepare_all,
        "pillow": {"png": pillow_png, "jpeg": pillow_jpeg}.get(job, pillow_cut),
    }[contender]
    start = perf_counter()
    work(folder / job, target)
    seconds = perf_counter() - start
    sizes = [file.stat().st_size for file in target.iterdir()]
    shutil.rmtree(target)
    peak_mb = getrusage(RUSAGE_SELF).ru_maxrss * _MAXRSS_UNIT / MB
    return {"seconds": seconds, "peak_mb": peak_mb, "files": len(sizes), "written_mb": sum(sizes) / MB}


def prepare_all(folder: Path, target: Path) -> None:
    from mangadex_uploader.folder_source import FolderSource  # noqa: PLC0415 - not in the other contender's memory
    from mangadex_uploader.memory import give_back_pages  # noqa: PLC0415
    from mangadex_uploader.preparing import prepare  # noqa: PLC0415
    from mangadex_uploader.shrinking import Piece  # noqa: PLC0415

    give_back_pages()  # as the program does
    source = FolderSource(folder)

    def work(name: str) -> None:
        number = count()

        def keep(piece: Piece) -> None:
            (target / f"{Path(name).stem}-{next(number):02}.{piece.mime_type[6:]}").write_bytes(piece.data)

        prepare(source.read(name), keep)

    with ThreadPoolExecutor(CORES) as pool:
        list(pool.map(work, source.names))


def pillow_cut(folder: Path, target: Path) -> None:
    from PIL import Image  # noqa: PLC0415

    Image.MAX_IMAGE_PIXELS = 2 * WIDTH * HEIGHT
    for path in sorted(folder.iterdir()):
        with Image.open(path) as strip:
            rows = ceil(strip.height / ceil(strip.height / MAX_SIDE))
            for number, top in enumerate(range(0, strip.height, rows)):
                box = (0, top, strip.width, min(top + rows, strip.height))
                strip.crop(box).save(target / f"{path.stem}-{number:02}.png")


def pillow_png(folder: Path, target: Path) -> None:
    from PIL import Image  # noqa: PLC0415

    for path in sorted(folder.iterdir()):
        with Image.open(path) as page:
            page.save(target / f"{path.stem}.png")


def pillow_jpeg(folder: Path, target: Path) -> None:
    from PIL import Image  # noqa: PLC0415

    for path in sorted(folder.iterdir()):
        with Image.open(path) as page:
            page.convert("RGB").save(target / f"{path.stem}.jpg", quality=95, subsampling=0)


def draw(folder: Path) -> Figures:
    """The pages of all jobs: a strip, and pages with grain, whose art is in colour."""
    sys.path.insert(0, str(DRAWING))
    from drawing import strip  # noqa: PLC0415

    for job in JOBS:
        (folder / job).mkdir()
    tall = strip(5, width=WIDTH, height=HEIGHT, panel_rows=(300, 1_500), gutter_rows=(30, 400))
    tall.image.pngsave(str(folder / "strip" / "1.png"))
    width, height = PAGE_SIDES
    for number in range(DRAWINGS):
        page = strip(number, width=width, height=height, panel_rows=(300, 700), gutter_rows=(20, 60), grain=GRAIN).image
        lossless = page.webpsave_buffer(lossless=True, effort=1)
        lossy = page.webpsave_buffer(Q=90, effort=1)
        for again in range(number, PAGES, DRAWINGS):
            (folder / "jpeg" / f"{again:02}.webp").write_bytes(lossy)
        for again in range(number, PNG_PAGES, DRAWINGS):
            (folder / "png" / f"{again:02}.webp").write_bytes(lossless)
    return {}


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            main()
        case ["draw", place]:
            print(json.dumps(draw(Path(place))))
        case [contender, place, job]:
            print(json.dumps(contend(contender, Path(place), job)))
