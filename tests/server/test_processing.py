"""Decoding pages: what is refused, and what happens to the process that does it."""

from __future__ import annotations

import asyncio
import os
import resource
import select
import signal
import struct
import subprocess
import sys
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pyvips

from mangadex_server.page_process import BrokenPage, Limits, PageProcess, Processed
from mangadex_server.processing import process
from mangadex_server.settings import Settings

MIB = 1 << 20
LIMITS = Limits(200_000_000, ("jpeg", "png", "gif"))
WITH_WEBP = Limits(200_000_000, ("jpeg", "png", "gif", "webp", "avif"))


def picture(width: int = 1200, height: int = 400) -> Any:
    noise = pyvips.Image.gaussnoise(width, height, mean=128, sigma=40, seed=7)
    return noise.bandjoin([noise, noise]).cast("uchar").copy(interpretation="srgb")


def flat(width: int, height: int, options: str) -> bytes:
    data: bytes = pyvips.Image.black(width, height, bands=3).copy(interpretation="srgb").write_to_buffer(options)
    return data


def animation(frames: int, width: int = 300, height: int = 100) -> bytes:
    joined = pyvips.Image.arrayjoin(
        [picture(width, height).rot180() if n % 2 else picture(width, height) for n in range(frames)], across=1
    ).copy()
    joined.set_type(pyvips.GValue.gint_type, "page-height", height)
    data: bytes = joined.gifsave_buffer()
    return data


def test_the_saver_is_a_narrower_jpeg() -> None:
    page = process(picture().pngsave_buffer(), LIMITS)
    saver = pyvips.Image.new_from_buffer(page.saver, "")
    assert (page.width, page.height, page.saver_mime) == (1200, 400, "image/jpeg")
    assert (saver.get("vips-loader"), saver.width, saver.height) == ("jpegload_buffer", 980, 327)


@pytest.mark.parametrize(
    "make",
    [
        lambda: picture(300, 100).pngsave_buffer(),
        lambda: picture(300, 100).extract_band(0).pngsave_buffer(),
        lambda: picture(300, 100).bandjoin(100).pngsave_buffer(),
        lambda: picture(300, 100).colourspace("rgb16").pngsave_buffer(bitdepth=16),
        lambda: picture(300, 100).pngsave_buffer(palette=True),
        lambda: picture(300, 100).colourspace("cmyk").jpegsave_buffer(),
        lambda: picture(300, 100).jpegsave_buffer(interlace=True),
        lambda: picture(300, 100).gifsave_buffer(),
        lambda: animation(3),
        lambda: picture(300, 100).webpsave_buffer(),
        lambda: picture(300, 100).write_to_buffer(".avif"),
    ],
    ids=["rgb", "grey", "alpha", "16 bit", "palette", "cmyk", "progressive", "gif", "animated", "webp", "avif"],
)
def test_all_sorts_are_taken_and_never_enlarged(make: Callable[[], bytes]) -> None:
    page = process(make(), WITH_WEBP)
    saver = pyvips.Image.new_from_buffer(page.saver, "")
    assert (page.width, page.height) == (saver.width, saver.height) == (300, 100)
    assert (saver.bands, saver.format) in {(3, "uchar"), (1, "uchar")}


CUTS = (0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.97)


@pytest.mark.parametrize("options", [".png", ".png[interlace]", ".jpg", ".jpg[interlace]", ".gif"])
def test_pages_that_are_cut_off_are_refused(options: str) -> None:
    data = picture().write_to_buffer(options)
    process(data, LIMITS)
    for share in CUTS:
        with pytest.raises(BrokenPage, match="cannot be decoded"):
            process(data[: int(len(data) * share)], LIMITS)


@pytest.mark.parametrize("options", [".jpg", ".jpg[interlace]"])
def test_a_jpeg_without_its_last_byte_is_refused(options: str) -> None:
    with pytest.raises(BrokenPage, match="cannot be decoded"):
        process(picture().write_to_buffer(options)[:-1], LIMITS)


def test_damage_within_a_png_is_refused() -> None:
    data = bytearray(picture().pngsave_buffer())
    data[len(data) // 2 : len(data) // 2 + 4] = b"oops"
    with pytest.raises(BrokenPage, match="cannot be decoded"):
        process(bytes(data), LIMITS)


def test_damage_in_a_later_frame_is_found() -> None:
    data = bytearray(animation(3))
    at = len(data) * 3 // 4
    data[at : at + 4] = b"\xff" * 4
    assert pyvips.Image.new_from_buffer(bytes(data), "", fail_on="error").avg() > 0  # the first frame alone is good
    with pytest.raises(BrokenPage, match="cannot be decoded"):
        process(bytes(data), LIMITS)


def test_other_kinds_are_refused_even_if_libvips_reads_them() -> None:
    with pytest.raises(BrokenPage, match="allowed kind"):
        process(picture().webpsave_buffer(), LIMITS)
    with pytest.raises(BrokenPage, match="cannot be decoded"):  # untrusted loaders are blocked
        process(b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', LIMITS)


def test_pixels_are_counted_before_decoding() -> None:
    data = flat(60, 60, ".png")
    header = b"IHDR" + struct.pack(">II", 60_000, 60_000) + data[24:29]
    bomb = data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:]
    assert process(data, Limits(3_600, ("png",))).width == 60
    with pytest.raises(BrokenPage, match="has 3600000000 pixels"):
        process(bomb, LIMITS)


@pytest.mark.parametrize("options", [".png[interlace]", ".jpg[interlace]", ".webp", ".avif"])
def test_kinds_that_are_held_whole_may_have_half_as_many(options: str) -> None:
    data = flat(100, 100, options)
    assert process(data, Limits(20_000, WITH_WEBP.formats)).width == 100
    with pytest.raises(BrokenPage, match="may have 9999"):
        process(data, Limits(19_999, WITH_WEBP.formats))


def test_the_pixels_of_all_frames_count() -> None:
    data = animation(3, 100, 100)
    assert process(data, Limits(30_000, LIMITS.formats)).height == 100
    with pytest.raises(BrokenPage, match="has 30000 pixels"):
        process(data, Limits(29_999, LIMITS.formats))


# The process


@asynccontextmanager
async def running(memory_bytes: int = 512 * MIB, deadline_s: float = 60.0) -> AsyncIterator[tuple[PageProcess, int]]:
    async with PageProcess(LIMITS, memory_bytes=memory_bytes, deadline_s=deadline_s) as pages:
        yield pages, (await pages.start()).pid


def is_gone(pid: int, within_s: float = 20.0) -> bool:
    try:
        watch = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([watch], [], [], within_s)[0])
    finally:
        os.close(watch)


def test_pages_go_through_the_process_one_after_another() -> None:
    png, jpeg = picture().pngsave_buffer(), picture(500, 300).jpegsave_buffer()

    async def several() -> list[Processed]:
        async with running() as (pages, pid):
            results = [await pages.process(data) for data in (png, jpeg, png)]
            assert (await pages.start()).pid == pid
            return results

    assert asyncio.run(several()) == [process(data, LIMITS) for data in (png, jpeg, png)]


def test_a_broken_page_is_no_harm_to_the_next() -> None:
    data = picture().jpegsave_buffer()

    async def broken_then_good() -> Processed:
        async with running() as (pages, _):
            with pytest.raises(BrokenPage, match="cannot be decoded"):
                await pages.process(data[:-500])
            return await pages.process(data)

    assert asyncio.run(broken_then_good()).width == 1200


def test_the_memory_limit_is_set() -> None:
    async def limits() -> tuple[int, int]:
        async with running(200 * MIB) as (_, pid):
            return resource.prlimit(pid, resource.RLIMIT_DATA)

    assert asyncio.run(limits()) == (200 * MIB, 200 * MIB)


def test_a_page_that_takes_too_much_memory_is_broken_and_the_next_is_good() -> None:
    hungry = flat(5_000, 5_000, ".jpg[interlace,subsample-mode=off]")  # holds six bytes a pixel

    async def hungry_then_good() -> Processed:
        async with running(128 * MIB) as (pages, _):
            with pytest.raises(BrokenPage, match="memory"):
                await pages.process(hungry)
            return await pages.process(picture().jpegsave_buffer())

    assert asyncio.run(hungry_then_good()).width == 1200


def test_a_process_killed_in_mid_page_is_replaced() -> None:
    data = picture().pngsave_buffer()

    async def killed_once() -> tuple[Processed, int, int]:
        async with running() as (pages, pid):
            os.kill(pid, signal.SIGSTOP)
            asyncio.get_running_loop().call_later(0.05, os.kill, pid, signal.SIGKILL)
            return await pages.process(data), pid, (await pages.start()).pid

    page, before, after = asyncio.run(killed_once())
    assert page == process(data, LIMITS)
    assert before != after
    assert is_gone(before)
    assert is_gone(after)


def test_a_page_that_kills_the_process_twice_is_broken() -> None:
    async def killed_always() -> set[int]:
        killed: set[int] = set()
        async with running() as (pages, _):
            page = asyncio.create_task(pages.process(picture(2_500, 2_500).pngsave_buffer()))
            while not page.done():
                if (child := pages._child) and child.returncode is None and child.pid not in killed:
                    os.kill(child.pid, signal.SIGKILL)
                    killed.add(child.pid)
                await asyncio.sleep(0)
            with pytest.raises(BrokenPage, match="memory or time"):
                await page
        return killed

    assert len(asyncio.run(killed_always())) == 2


def test_a_page_that_takes_for_ever_is_broken() -> None:
    async def stuck() -> int:
        async with running(deadline_s=0.01) as (pages, pid):
            os.kill(pid, signal.SIGSTOP)
            with pytest.raises(BrokenPage, match="memory or time"):
                await pages.process(picture(2_500, 2_500).pngsave_buffer(compression=1))
            return pid

    assert is_gone(asyncio.run(stuck()))


def test_a_cancelled_page_does_not_answer_for_the_next() -> None:
    async def cancelled() -> Processed:
        async with running() as (pages, pid):
            os.kill(pid, signal.SIGSTOP)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(pages.process(picture(800, 800).pngsave_buffer()), 0.05)
            return await pages.process(picture(500, 300).pngsave_buffer())

    assert asyncio.run(cancelled()).width == 500


def test_a_process_that_cannot_start_is_not_the_pages_fault() -> None:
    async def start() -> None:
        async with PageProcess(LIMITS, memory_bytes=512 * MIB) as pages:
            pages._orders["parent"] = 0  # as if we had died before it looked
            await pages.process(b"")

    with pytest.raises(RuntimeError, match="does not start"):
        asyncio.run(start())


PARENT = """
import asyncio
from mangadex_server.page_process import Limits, PageProcess

async def main():
    pages = PageProcess(Limits(1000, ["png"]), memory_bytes=512 << 20)
    print((await pages.start()).pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def test_it_dies_with_its_parent_even_while_it_is_busy() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        os.kill(pid, signal.SIGSTOP)  # it cannot notice a closed pipe
        parent.kill()
    assert is_gone(pid)


def test_the_worker_does_not_load_libvips() -> None:
    code = "import sys, mangadex_server.worker, mangadex_server.images; sys.exit('pyvips' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_limits_come_from_the_settings() -> None:
    given = Settings.model_validate({"max_pixels": 5, "formats": ["png"], "job_memory_bytes": 300 * MIB})
    expected = {"max_pixels": 5, "formats": ("png",), "memory_bytes": 300 * MIB}
    assert expected.items() <= PageProcess.of(given)._orders.items()
