"""Killed without warning at any step, the same command completes the chapter and sends little twice."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import pytest
from link import Cut
from rig import Rig, ended, link, rig

from mangadex_uploader.transfer import UNACKNOWLEDGED_BYTES

PUT, BEGIN, COMMIT = r"/upload/[0-9a-f-]{36}", "/upload/begin", r"/upload/[0-9a-f-]{36}/commit"
STEPS = {
    "before the session is begun": (Cut.BEFORE, BEGIN, 0),
    "after it was begun, unheard": (Cut.AFTER, BEGIN, 0),
    "before the first pages": (Cut.BEFORE, PUT, 0),
    "in the first pages": (Cut.IN_REQUEST, PUT, 0),
    "after the first pages, unheard": (Cut.AFTER, PUT, 0),
    "in the second pages": (Cut.IN_REQUEST, PUT, 1),
    "in the answer to the last pages": (Cut.IN_ANSWER, PUT, 2),
    "before the commit": (Cut.BEFORE, COMMIT, 0),
    "after the commit, unheard": (Cut.AFTER, COMMIT, 0),
    "in the answer to the commit": (Cut.IN_ANSWER, COMMIT, 0),
}
OVERHEAD_BYTES = 100_000  # heads of parts and requests


CRUCIAL = {"after it was begun, unheard", "in the second pages", "after the commit, unheard"}
"""What is tested wherever the service lists no files either; `make prove` has the others there too."""

AT_EACH_LEVEL = [
    pytest.param(level, step, marks=() if level == "full" or step in CRUCIAL else pytest.mark.proof)
    for level in ("full", "none")
    for step in STEPS
]


@pytest.fixture(scope="module")
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    level = getattr(request, "param", "full")
    with rig(tmp_path_factory.mktemp("rig"), MANGADEX_SERVER_SANDBOX_FILE_LIST=level) as made:
        yield made


@pytest.mark.parametrize(("service", "step"), AT_EACH_LEVEL, indirect=["service"])
def test_killed_at_a_step_the_same_command_completes_it(service: Rig, step: str) -> None:
    cut, path, after = STEPS[step]
    chapter = service.chapter()
    with link(service) as network:
        process = service.start(chapter, network.url)
        network.fail(cut, "POST", path, after=after, then=process.kill)
        process.communicate(timeout=60)
        assert process.returncode == -9
        assert service.until_done(chapter, network.url).status == 0
        service.assert_published_once(chapter)


def kill_at_moments(service: Rig, moments: int, page_bytes: int) -> None:
    chance = random.Random(5)
    with link(service, bytes_per_s=40e6) as network:
        measured = service.chapter(24, page_bytes, width=1400, height=2000)
        began = time.monotonic()
        assert service.upload(measured, network.url).status == 0
        whole_s = time.monotonic() - began
        for moment in range(moments):
            chapter = service.chapter(24, page_bytes, width=1400, height=2000)
            before = network.put_bytes
            process = service.start(chapter, network.url)
            wait_until = time.monotonic() + whole_s * (moment + chance.random()) / moments
            while process.poll() is None and time.monotonic() < wait_until:
                time.sleep(0.005)  # nothing is waited for: the moment is the point
            process.kill()
            ended(process)
            assert service.until_done(chapter, network.url).status == 0
            service.assert_published_once(chapter)
            sent = network.put_bytes - before
            twice = sent - sum(map(len, chapter.pages))
            print(f"moment {moment + 1} of {moments}: {max(0, twice) / 1e6:.1f} MB sent twice")  # noqa: T201 - with -s
            assert twice <= UNACKNOWLEDGED_BYTES + OVERHEAD_BYTES


def test_killed_at_some_moments(service: Rig) -> None:
    kill_at_moments(service, 3, 400_000)


@pytest.mark.proof
def test_killed_at_forty_moments(service: Rig) -> None:
    kill_at_moments(service, 40, 1_000_000)
