"""Where settings come from, and which go first. No request is made: `logout --json` says which host it means."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer.main
from user import User

from mangadex_uploader.errors import UsageError
from mangadex_uploader.identifiers import chapter_page, compared, id_in
from mangadex_uploader.program import program
from mangadex_uploader.settings import SettingsFile, read, variable

MANGA = "f9c33607-9180-4ba6-b85c-e4b5faee7192"
GROUP = "e11e461b-8c3a-4b5c-8b07-8892c2dcf449"


def settings_file(folder: Path, text: str, mode: int = 0o644) -> Path:
    path = folder / "config.toml"
    path.write_text(text)
    path.chmod(mode)
    return path


def read_file(path: Path) -> SettingsFile:
    return read(path, texts=["manga", "chapter", "api-url"], flags=["json", "accept-terms"], lists=["group"])


def test_a_file_with_every_kind_of_setting(tmp_path: Path) -> None:
    text = 'manga = "m"\ngroup = ["a", "b"]\naccept-terms = true\napi_url = "https://x.example"\n'
    assert read_file(settings_file(tmp_path, text)).values == {
        "manga": "m",
        "group": ["a", "b"],
        "accept-terms": True,
        "api-url": "https://x.example",
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[manga]\n"A" = "B"', r"\[manga\] 'A' must be an id or an address"),
        ("[groups]\nA = 1", r"\[groups\] 'A' must be an id"),
        (f'[groups]\nA = "https://mangadex.org/title/{MANGA}"', "is no address like https://mangadex.org/group/"),
        (f'[manga]\nA = "{MANGA}"\n"a!" = "{GROUP}"', "'a!': another line there has this name too"),
        ('groups = ["A"]', r"groups must be a table, \[groups\]"),
        ('mnaga = "x"', "there is no setting 'mnaga'; did you mean 'manga'?"),
        ('zzz = "x"', r"there is no setting 'zzz'\."),
        ("chapter = 7.10", "chapter must be a text in quotes"),  # which would become 7.1
        ('json = "yes"', "json must be true or false"),
        ("group = [1]", "group must be a list of texts"),
        ("manga = ", "is no TOML"),
    ],
)
def test_what_a_file_may_not_say(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        read_file(settings_file(tmp_path, text))


def test_a_secret_in_a_file_that_others_may_read(tmp_path: Path) -> None:
    text = 'client-secret = "very secret"'
    with pytest.raises(UsageError, match="chmod 600") as refused:
        read_file(settings_file(tmp_path, text, 0o640))
    assert "very secret" not in str(refused.value)

    settings = read_file(settings_file(tmp_path, text, 0o600))
    assert settings.secret("client-secret") == "very secret"
    assert "very secret" not in repr(settings)


def test_the_environment_goes_before_a_secret_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read_file(settings_file(tmp_path, 'password = "of the file"', 0o600))
    monkeypatch.setenv("MANGADEX_PASSWORD", "of the environment")
    assert settings.secret("password") == "of the environment"


def test_every_option_has_its_variable_by_rule() -> None:
    without = {"config", "yes", "dry_run", "send_again", "version", "help", "install_completion", "show_completion"}
    found = set()
    commands = [typer.main.get_command(program)]
    while commands:
        command = commands.pop()
        commands += getattr(command, "commands", {}).values()
        for option in command.params:
            if option.name.startswith("new_"):  # of `edit`: a setting for uploads may not change a published chapter
                assert option.envvar is None
            elif option.param_type_name == "option" and option.name not in without:
                assert option.envvar == variable(option.name)
                found.add(option.opts[0])
    assert {"--manga", "--group", "--api-url", "--publish-at", "--accept-terms", "--json"} <= found
    assert not {"--password", "--client-secret", "--access-token"} & found


def test_tables_say_which_id_a_name_has(tmp_path: Path) -> None:
    text = f'[manga]\n"My Manga" = "{MANGA}"\n[groups]\nA = "https://mangadex.org/group/{GROUP}"\n'
    settings = read_file(settings_file(tmp_path, text))
    assert settings.ids == {("manga", "mymanga"): MANGA, ("group", "a"): GROUP}
    assert settings.values == {}


def test_flags_go_before_the_environment_and_that_before_the_file(tmp_path: Path) -> None:
    user = User(tmp_path, "")
    path = settings_file(tmp_path, 'api-url = "https://file.example"\nmanga = "for others"\njson = true\n')

    def host(*words: str, **variables: str) -> object:
        return user.invoke("logout", *words, **variables).objects[0]["host"]

    assert host("--json") == "https://api.mangadex.org"
    assert host("--config", str(path)) == "https://file.example"
    assert host(MANGADEX_CONFIG=str(path), MANGADEX_API_URL="https://env.example") == "https://env.example"
    flag = ["--api-url", "https://flag.example", "--json"]
    assert host(*flag, MANGADEX_CONFIG=str(path), MANGADEX_API_URL="https://env.example") == "https://flag.example"


def test_the_file_in_its_usual_place(tmp_path: Path) -> None:
    user = User(tmp_path, "")
    places = user.invoke("paths", "--json").objects[0]
    Path(places["config"]).parent.mkdir(parents=True)
    settings_file(Path(places["config"]).parent, 'api-url = "https://file.example"')
    assert user.invoke("logout", "--json").objects[0]["host"] == "https://file.example"

    settings_file(Path(places["config"]).parent, 'langauge = "de"')
    done = user.run("logout")
    assert done.status == 2
    assert "did you mean 'language'?" in done.errors


@pytest.mark.parametrize(
    ("option", "given"),
    [
        ("manga", MANGA),
        ("manga", f" {MANGA.upper()} "),
        ("manga", f"https://mangadex.org/title/{MANGA}/some-name"),
        ("manga", f"https://mangadex.org/title/{MANGA}?tab=chapters"),
        ("group", f"https://mangadex.org/group/{MANGA}"),
    ],
)
def test_ids_as_people_give_them(option: str, given: str) -> None:
    assert id_in(option, given, "--x") == MANGA


@pytest.mark.parametrize(
    ("option", "given"),
    [
        ("manga", f"https://mangadex.org/group/{MANGA}"),
        ("group", f"https://mangadex.org/title/{MANGA}/x"),
        ("group", f"https://mangadex.org/group/{MANGA}0"),
        ("manga", "HTTPS://mangadex.org"),
    ],
)
def test_addresses_of_something_else(option: str, given: str) -> None:
    with pytest.raises(UsageError, match=f"chapters.toml: '{given}' is no address like "):
        id_in(option, given, "chapters.toml")


@pytest.mark.parametrize("given", ["Official Test Manga", "", MANGA[:-1], f"{MANGA} x", "Re:Zero", "httpx"])
def test_what_is_neither_id_nor_address_is_a_name(given: str) -> None:
    assert id_in("manga", given, "--manga") is None


@pytest.mark.parametrize(
    ("one", "other", "are_equal"),
    [
        ('Official "Test" Manga', "official test manga", True),
        ("One-Punch Man", "One Punch Man", True),
        ("Re:Zero", "Re: Zero", True),
        ("\uff21\uff22\uff23", "abc", True),
        ("Stra\u00dfe", "STRASSE", True),
        ("...", "?!", False),
        ("Area 88", "Area 89", False),
        ("C++", "C", False),
        ("\u304c", "\u304b", False),
    ],
)
def test_names_are_compared_without_what_people_write_differently(one: str, other: str, are_equal: bool) -> None:
    assert (compared(one) == compared(other)) is are_equal


def test_where_people_read() -> None:
    assert chapter_page("https://api.mangadex.org", "x") == "https://mangadex.org/chapter/x"
    assert chapter_page("http://127.0.0.1:8000", "x") == "http://127.0.0.1:8000/chapter/x/read"
