"""The drawn pages are what they say: other tests and the demo rely on it."""

from __future__ import annotations

import pytest
import pyvips
from pages import Kind, draw, draw_chapter

from mangadex_uploader.images import inspect


@pytest.mark.parametrize("kind", ["png", "jpeg", "gif"])
def test_pages_have_the_sides_and_about_the_bytes_that_were_asked_for(kind: Kind) -> None:
    data = draw(12, width=700, height=1000, kind=kind, size_bytes=300_000)
    assert 270_000 < len(data) < 330_000
    image = inspect(data, max_side_px=10_000, max_pixels=10**9)
    assert (image.mime_type, image.width, image.height) == (f"image/{kind}", 700, 1000)


def test_too_few_bytes_for_the_sides_are_refused() -> None:
    with pytest.raises(ValueError, match="700 x 1000 px has"):
        draw(width=700, height=1000, size_bytes=100)


def test_pages_differ_and_are_the_same_each_time() -> None:
    names = draw_chapter(12, kinds=("png", "gif"), width=100, height=150)
    assert list(names)[:3] == ["001.gif", "002.png", "003.gif"]
    assert len(set(names.values())) == 12
    assert draw_chapter(12, kinds=("png", "gif"), width=100, height=150) == names


def test_the_number_is_on_the_page() -> None:
    one, two = (pyvips.Image.new_from_buffer(draw(number, width=240, height=300), "") for number in (1, 2))
    assert (one != two).crop(0, 0, 40, 40).avg() > 0
    assert (one != two).crop(40, 40, 200, 260).avg() == 0
