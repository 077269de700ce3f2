"""`upload --dry-run`: it shows what the real run then does, and leaves no trace on either side."""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from link import Link
from pages import draw, draw_animation
from rig import GROUP, MANGA, Rig, link, rig
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
