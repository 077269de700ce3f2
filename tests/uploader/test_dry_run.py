"""`upload --dry-run`: it shows what the real run then does, and leaves no trace on either side."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from link import Cut, Link
from pages import draw, draw_animation
from rig import CREDENTIALS, GROUP, MANGA, Rig, link, rig
from user import Ended, User

IDS = ["--manga", MANGA, "--group", GROUP, "--no-pacing", "--json"]


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
    for name in ("home", "temporary"):
        (tmp_path / name).mkdir()
    auth_url = f"{service.service.url}/realms/mangadex/protocol/openid-connect"
    made = User(tmp_path / "home", network.url, {"TMPDIR": str(tmp_path / "temporary")})
    assert made.login(MANGADEX_AUTH_URL=auth_url).status == 0
    return made


def random_chapter(folder: Path, number: int, chance: random.Random, *, may_be_broken: bool = False) -> Path:
    """Odd names, formats that are changed, an order file, files that are no pages, sometimes a broken page."""
    path = folder / f"c{number}"
    path.mkdir()
    names = [f"{chance.choice(['', 'page ', 'p'])}{at}.png" for at in chance.sample(range(1, 40), chance.randint(1, 5))]
    for name in names:
        (path / name).write_bytes(draw(chance.randrange(90), width=chance.randint(100, 200), height=200))
    if chance.random() < 0.4:
        (path / "order.txt").write_text("\n".join(chance.sample(names, len(names))))
    elif chance.random() < 0.5:
        (path / "50.gif").write_bytes(draw_animation(2))
    if chance.random() < 0.3:
        (path / "notes.txt").write_text("not a page")
    if may_be_broken and chance.random() < 0.2:
        (path / "60.png").write_bytes((path / names[0]).read_bytes()[:-300])
    return path


def told(done: Ended, event: str) -> list[dict[str, Any]]:
    return [it for it in done.objects if it["event"] == event]


def how(done: Ended, event: str = "summary") -> dict[str, str]:
    (summary,) = [it for it in done.objects if it["event"] == event]
    return {Path(it["path"]).name: it["outcome"].replace("would_publish", "published") for it in summary["chapters"]}


def everything_below(folder: Path) -> dict[str, str]:
    """All folders, and all files with their times and contents."""
    return {
        str(it.relative_to(folder)): f"{it.stat().st_mtime_ns} {hashlib.sha256(it.read_bytes()).hexdigest()}"
        if it.is_file()
        else ""
        for it in folder.rglob("*")
    }


@pytest.mark.parametrize("seed", range(10))
def test_the_plan_is_what_the_real_run_then_does(user: User, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    folder = tmp_path / "all"
    folder.mkdir()
    for number in range(3):
        random_chapter(folder, 1000 + seed * 10 + number, chance, may_be_broken=True)
    publish_at = (datetime.now(UTC) + timedelta(days=3)).replace(microsecond=0).isoformat()
    options = [*IDS, *(["--publish-at", publish_at] if chance.random() < 0.5 else []), "--accept-terms"]
    dry = user.invoke("upload", str(folder), *options, "--dry-run")
    real = user.invoke("upload", str(folder), *options)
    assert told(dry, "planned")
    assert told(dry, "planned") == told(real, "planned")
    assert told(dry, "values") == told(real, "values")
    assert (how(dry), dry.status) == (how(real), real.status)
    assert "would" in {it["event"] for it in dry.objects}
    again = user.invoke("upload", str(folder), *options, "--dry-run")
    assert {name: it for name, it in how(again).items() if it != "failed"} == {
        name: "finished" for name, it in how(real).items() if it != "failed"
    }


def packed(folder: Path) -> Path:
    """The same pages, which go in the order of their names, in an archive."""
    archive = folder.with_name(f"{folder.name}.cbz")
    with zipfile.ZipFile(archive, "w") as opened:
        for file in sorted(folder.iterdir()):
            opened.write(file, file.name)
    return archive


def random_folder(folder: Path, first: int, chance: random.Random) -> None:
    """Chapters, and what is the same as one, or nearly; some broken, some without a number."""
    made = [random_chapter(folder, first + at, chance, may_be_broken=chance.random() < 0.5) for at in range(3)]
    for path in chance.sample(made, chance.randint(1, 3)):
        match chance.randrange(4):
            case 0:
                packed(path)
            case 1:
                shutil.copytree(path, path.with_name(f"v01 {path.name}"))
            case 2:
                shutil.copytree(path, path.with_name(f"again {path.name}"))
                (path / "70.png").write_bytes(draw(1, width=100, height=200))
            case 3:
                path.rename(path.with_name(f"no number {'i' * int(path.name[-1])}"))


def compare(user: User, folder: Path, options: list[str]) -> tuple[dict[str, str], Ended]:
    """Look first, and then do it: what was told of each chapter, and of all, is the same."""
    dry = user.invoke("upload", str(folder), *options, "--dry-run")
    real = user.invoke("upload", str(folder), *options)
    assert (list(how(dry).items()), dry.status) == (list(how(real).items()), real.status)
    assert told(dry, "planned") == told(real, "planned")
    kinds = [[(it["path"], it["kind"]) for it in told(done, "error")] for done in (dry, real)]
    assert sorted(kinds[0]) == sorted(kinds[1])
    return how(real), dry


def compare_random(user: User, folder: Path, seed: int, first: int) -> dict[str, str]:
    chance = random.Random(seed)
    folder.mkdir()
    random_folder(folder, first, chance)
    more = [it for it in ("--fail-fast", "--allow-duplicate") if chance.random() < 0.4]
    ended, _ = compare(user, folder, [*IDS, "--accept-terms", *more])
    if chance.random() < 0.5:  # a second time, where some of it is finished
        compare(user, folder, [*IDS, *more])
    return ended


def test_with_doubles_and_fail_fast_it_is_the_real_run_too(user: User, tmp_path: Path) -> None:
    seen = [compare_random(user, tmp_path / f"all {seed}", seed, 4000 + seed * 10) for seed in range(12)]
    assert {it for ended in seen for it in ended.values()} == {"published", "finished", "failed", "waiting"}


def test_with_approval_it_is_the_real_run_too(tmp_path: Path) -> None:
    with rig(tmp_path / "rig", MANGADEX_SERVER_APPROVAL="all") as service:
        auth_url = f"{service.service.url}/realms/mangadex/protocol/openid-connect"
        made = User(tmp_path, service.service.url, CREDENTIALS | {"MANGADEX_AUTH_URL": auth_url})
        for seed in range(4):
            compare_random(made, tmp_path / f"all {seed}", seed, 5000 + seed * 10)


@pytest.mark.proof
@pytest.mark.parametrize("seed", range(100, 160))
def test_sixty_more_folders(user: User, tmp_path: Path, seed: int) -> None:
    compare_random(user, tmp_path / "all", seed, 10_000 + seed * 10)


def chapters(folder: Path, *names: str) -> list[Path]:
    made = []
    for at, name in enumerate(names):
        made.append(folder / name)
        made[-1].mkdir(parents=True)
        (made[-1] / "1.png").write_bytes(draw(at, width=100, height=200))
    return made


def test_with_fail_fast_the_others_wait_as_in_the_real_run(user: User, tmp_path: Path) -> None:
    for bad, names in {"c6002": ("c6001", "c6002"), "c6011": ("c6011", "c6012")}.items():
        folder = tmp_path / f"all {bad}"
        for path in chapters(folder, *names):
            if path.name == bad:
                (path / "1.png").write_bytes((path / "1.png").read_bytes()[:-300])
        ended, dry = compare(user, folder, [*IDS, "--accept-terms", "--fail-fast"])
        assert ended == {name: "failed" if name == bad else "waiting" for name in names}
        assert told(dry, "would") == []


def test_what_becomes_the_same_chapter_on_the_way_is_told_before(user: User, tmp_path: Path) -> None:
    chapters(tmp_path / "one", "c6101", "v01 c6101")
    ended, _ = compare(user, tmp_path / "one", [*IDS, "--accept-terms"])
    assert ended == {"c6101": "published", "v01 c6101": "failed"}
    chapters(tmp_path / "fast", "c6121", "v01 c6121", "z c6122")
    ended, _ = compare(user, tmp_path / "fast", [*IDS, "--fail-fast"])
    assert ended == {"c6121": "published", "v01 c6121": "failed", "z c6122": "waiting"}
    (same,) = chapters(tmp_path / "two", "c6111")
    packed(same)
    ended, _ = compare(user, tmp_path / "two", IDS)
    assert ended == {"c6111": "published", "c6111.cbz": "finished"}


def test_after_a_kill_whose_commit_came_through_it_is_finished(user: User, network: Link, tmp_path: Path) -> None:
    chapters(tmp_path / "all", "c6201", "c6202")
    process = user.start("upload", str(tmp_path / "all"), *IDS, "--accept-terms")
    network.fail(Cut.AFTER, "POST", r"/upload/[0-9a-f-]{36}/commit", then=process.kill)
    process.communicate()
    assert process.returncode == -9
    ended, _ = compare(user, tmp_path / "all", IDS)
    assert ended == {"c6201": "finished", "c6202": "published"}


def test_it_leaves_no_trace_on_either_side(user: User, network: Link, tmp_path: Path) -> None:
    folder = tmp_path / "all"
    folder.mkdir()
    chance = random.Random(1)
    done, new = random_chapter(folder, 3001, chance), random_chapter(folder, 3002, chance)
    assert user.run("upload", str(done), *IDS, "--accept-terms").status == 0
    user.home.joinpath(".local/state/mangadex/terms.json").unlink()
    before, asked = everything_below(tmp_path), len(network.requests)
    dry = user.run("upload", str(folder), *IDS, "--dry-run", "--move-done", str(tmp_path / "done"))
    assert dry.status == 0, dry.errors
    assert how(dry) == {done.name: "finished", new.name: "published"}
    assert everything_below(tmp_path) == before
    assert "are not accepted yet" in dry.errors
    changing = {(method, path) for method, path in network.requests[asked:] if method != "GET"}
    assert changing == {("POST", "/upload/check-approval-required")}


def test_before_anything_was_done_nothing_is_made_either(user: User, tmp_path: Path) -> None:
    path = random_chapter(tmp_path, 2101, random.Random(1))
    before = everything_below(tmp_path)
    assert user.run("upload", str(path), *IDS, "--dry-run").status == 0
    assert everything_below(tmp_path) == before


def test_a_token_that_is_over_is_not_renewed(user: User, tmp_path: Path) -> None:
    path = random_chapter(tmp_path, 2201, random.Random(1))
    (tokens,) = [it for it in user.files() if "tokens" in it.name]
    told = json.loads(tokens.read_text())
    tokens.write_text(json.dumps(told | {"expires_at": time.time() - 1, "renew_at": time.time() - 1}))
    before = everything_below(tmp_path)
    dry = user.run("upload", str(path), *IDS, "--dry-run")
    assert dry.status == 0, dry.errors
    (would,) = [it for it in dry.objects if it["event"] == "would"]
    assert would["needs_approval"] is None
    assert everything_below(tmp_path) == before


def test_what_the_service_has_is_told_by_the_dry_run_too(user: User, tmp_path: Path) -> None:
    path = random_chapter(tmp_path, 2301, random.Random(1))
    assert user.invoke("upload", str(path), *IDS, "--accept-terms").status == 0
    home = tmp_path / "another home"
    home.mkdir()
    other = User(home, user.url, user.variables)
    assert other.login(MANGADEX_AUTH_URL=f"{user.url}/realms/mangadex/protocol/openid-connect").status == 0
    dry = other.invoke("upload", str(path), *IDS, "--dry-run")
    assert (dry.status, dry.objects[-1]["kind"]) == (6, "duplicate_chapter")


def test_the_publish_time_is_shown_in_both_clocks(user: User, tmp_path: Path) -> None:
    path = random_chapter(tmp_path, 2401, random.Random(1))
    publish_at = (datetime.now(UTC) + timedelta(days=2)).replace(hour=12, minute=0, second=0, microsecond=0)
    options = [it for it in IDS if it != "--json"]
    given = publish_at.replace(tzinfo=None).isoformat()
    dry = user.run("upload", str(path), *options, "-n", "--publish-at", given, "--time-zone", "UTC", TZ="Asia/Tokyo")
    assert dry.status == 0, dry.errors
    local = publish_at + timedelta(hours=9)
    assert f"{local:%Y-%m-%d %H:%M} JST, which is {publish_at:%Y-%m-%d %H:%M} UTC" in dry.errors
