"""`mangadex queue`: what was given to `upload`, how far each is, and what is done about it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from link import Cut, Link
from pages import draw_chapter
from rig import CREDENTIALS, GROUP, MANGA, Rig, link, rig
from rig import Chapter as Drawn
from user import User

IDS = ["--manga", MANGA, "--group", GROUP, "--accept-terms", "--no-pacing", "--json"]
PUT = r"/upload/[0-9a-f-]{36}"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with rig(tmp_path_factory.mktemp("rig")) as made:
        yield made


@pytest.fixture
def network(service: Rig) -> Iterator[Link]:
    with link(service) as made:
        yield made


@pytest.fixture
def user(service: Rig, network: Link, tmp_path: Path) -> User:
    (tmp_path / "home").mkdir()
    auth_url = f"{service.service.url}/realms/mangadex/protocol/openid-connect"
    return User(tmp_path / "home", network.url, CREDENTIALS | {"MANGADEX_AUTH_URL": auth_url})


def several(folder: Path, numbers: list[int]) -> list[Path]:
    paths = [folder / f"c{number}" for number in numbers]
    for path in paths:
        path.mkdir(parents=True)
        for name, data in draw_chapter(2, width=160, height=220).items():
            (path / name).write_bytes(data)
    return paths


def drawn(path: Path) -> Drawn:
    return Drawn(path, [it.read_bytes() for it in sorted(path.iterdir())], path.name.removeprefix("c"))


def states(user: User) -> dict[str, str]:
    return {Path(it["path"]).name: it["state"] for it in user.invoke("queue", "--json").objects}


def test_before_anything_was_given_it_is_empty(user: User) -> None:
    done = user.invoke("queue")
    assert (done.status, done.output) == (0, "")
    assert not user.files()


def test_what_was_not_reached_waits_and_survives_a_kill(
    user: User, service: Rig, network: Link, tmp_path: Path
) -> None:
    paths = several(tmp_path / "all", [1, 2, 3])
    process = user.start("upload", str(tmp_path / "all"), *IDS)
    seen = []

    def killed() -> None:
        seen.append(states(user))
        process.kill()

    network.fail(Cut.AFTER, "POST", PUT, after=1, then=killed)
    process.communicate()
    assert seen == [{"c1": "done", "c2": "running", "c3": "waiting"}]
    assert states(user) == {"c1": "done", "c2": "waiting", "c3": "waiting"}
    done = user.invoke("queue", "run", "--no-pacing", "--json")
    assert done.status == 0, done.errors
    assert states(user) == dict.fromkeys(["c1", "c2", "c3"], "done")
    for path in paths:
        service.assert_published_once(drawn(path))


def test_what_failed_is_listed_with_its_reason_and_tried_again_as_it_was_given(
    user: User, service: Rig, tmp_path: Path
) -> None:
    good, bad, worse = several(tmp_path / "all", [11, 12, 13])
    page = min(bad.iterdir())
    whole = page.read_bytes()
    page.write_bytes(whole[:-100])
    min(worse.iterdir()).write_bytes(b"\x89PNG\r\n\x1a\n")
    assert user.invoke("upload", str(tmp_path / "all"), *IDS, "--volume", "").status == 2
    assert user.invoke("upload", str(tmp_path / "all"), *IDS).status == 7
    assert states(user) == {"c11": "done", "c12": "failed", "c13": "failed"}
    listed = user.invoke("queue").output.splitlines()
    assert page.name in listed[1]
    assert listed[0].split("\t")[1:3] == ["done", str(good)]
    page.write_bytes(whole)
    assert user.invoke("queue", "retry", str(bad), "--no-pacing").status == 0
    service.assert_published_once(drawn(bad))
    assert states(user) == {"c11": "done", "c12": "done", "c13": "failed"}
    assert user.invoke("queue", "retry", "--no-pacing").status == 7
    number = user.invoke("queue").output.splitlines()[2].split("\t")[0]
    assert user.invoke("queue", "forget", number).status == 0
    assert user.invoke("queue", "forget", str(good)).status == 0
    assert states(user) == {"c12": "done"}
    assert worse.exists()


def test_one_that_is_not_there_is_an_error(user: User, tmp_path: Path) -> None:
    several(tmp_path / "all", [21])
    assert user.invoke("upload", str(tmp_path / "all"), *IDS).status == 0
    for words in (["retry", "1"], ["forget", "x"]):
        done = user.invoke("queue", *words)
        assert done.status == 2
        assert f"{words[1]}: there is none of this id or path" in done.errors
    nothing = user.invoke("queue", "run")
    assert (nothing.status, nothing.errors) == (0, "There is nothing to upload.\n")


def test_fail_fast_leaves_the_rest_waiting(user: User, service: Rig, network: Link, tmp_path: Path) -> None:
    paths = several(tmp_path / "all", [31, 32])
    service.fault(fault="reject-page", method="POST", path=PUT, times=4, page=1)
    assert user.invoke("upload", str(tmp_path / "all"), *IDS, "--fail-fast").status == 7
    assert states(user) == {"c31": "failed", "c32": "waiting"}
    assert service.session() is not None
    assert user.invoke("upload", str(tmp_path / "all"), *IDS).status == 0
    for path in paths:
        service.assert_published_once(drawn(path))
