"""The options of the commands. Each may also stand in the environment and in the settings file, by rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from mangadex_uploader.settings import SettingsFile, read, variable


def setting(name: str, *short: str, help: str, **more: Any) -> Any:  # noqa: A002 - typer's name for it
    """An option `--name`, with its variable."""
    return typer.Option(f"--{name}", *short, envvar=variable(name), help=help, **more)


def given_path(text: str) -> Path:
    """The path of an option or argument.

    Raises:
        BadParameter: it is empty, as from a variable that is not set; it does not mean the current folder.
    """
    if not text:
        raise typer.BadParameter("an empty path names nothing; the current folder is '.'")
    return Path(text)


def _with_file(context: typer.Context, path: Path | None) -> Any:
    """Make the settings file the source of what neither flags nor environment give."""
    from mangadex_uploader import places  # noqa: PLC0415 - not for --help

    path = path or (default if (default := places.config_file()).exists() else None)
    if path is None or context.resilient_parsing:
        return SettingsFile()
    kinds = {option: kind for command in _commands(context.find_root().command) for option, kind in _kinds(command)}
    names = {kind: [name for name, its in kinds.items() if its == kind] for kind in ("text", "flag", "list")}
    settings = read(path, texts=names["text"], flags=names["flag"], lists=names["list"])
    context.default_map = {key.replace("-", "_"): value for key, value in settings.values.items()}
    return settings


def _commands(command: Any) -> Iterator[Any]:
    yield command
    for below in getattr(command, "commands", {}).values():
        yield from _commands(below)


def _kinds(command: Any) -> Iterator[tuple[str, str]]:
    for option in command.params:
        name = option.name.replace("_", "-")
        if option.envvar == variable(name) and name != "config":
            yield name, "flag" if getattr(option, "is_flag", False) else "list" if option.multiple else "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Talking:
    """How the program speaks, and its settings file."""

    json: Annotated[bool, setting("json", help="One JSON object a line on standard output.")] = False
    quiet: Annotated[bool, setting("quiet", "-q", help="Say nothing but results and errors.")] = False
    verbose: Annotated[bool, setting("verbose", "-v", help="Say more.")] = False
    non_interactive: Annotated[bool, setting("non-interactive", help="Ask nothing; what is missing is an error.")] = (
        False
    )
    config: Annotated[
        Path | None,
        typer.Option(
            envvar=variable("config"),
            is_eager=True,
            callback=_with_file,
            parser=given_path,
            metavar="PATH",
            help="A TOML file with settings.",
        ),
    ] = None

    @property
    def file(self) -> SettingsFile:
        """The settings file, as the option's callback read it."""
        return cast("SettingsFile", self.config)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Which service, and who asks."""

    api_url: Annotated[str | None, setting("api-url", help="The service's address, if it is not MangaDex.")] = None
    auth_url: Annotated[str | None, setting("auth-url", help="The address for signing in, if it is another.")] = None
    username: Annotated[str | None, setting("username", help="The account's name.")] = None
    client_id: Annotated[str | None, setting("client-id", help="The personal client's id.")] = None
    no_pacing: Annotated[bool, setting("no-pacing", help="As fast as it can; only on this machine.")] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the chapter shall be."""

    manga: Annotated[str | None, setting("manga", help="The manga's id, address or name.")] = None
    group: Annotated[list[str] | None, setting("group", help="A group's id, address or name; up to ten times.")] = None
    chapter: Annotated[str | None, setting("chapter", help="Its number, or 'oneshot'.")] = None
    volume: Annotated[str | None, setting("volume", help="The volume's number.")] = None
    title: Annotated[str | None, setting("title", help="Its title.")] = None
    language: Annotated[str | None, setting("language", help="Its language, such as pt-br.")] = None
    publish_at: Annotated[str | None, setting("publish-at", help="When it shall become readable.")] = None
    time_zone: Annotated[str | None, setting("time-zone", help="Of --publish-at, such as Europe/Berlin.")] = None
    as_is: Annotated[bool, setting("as-is", help="Change no page; one that the service refuses is an error.")] = False
    zip_encoding: Annotated[str | None, setting("zip-encoding", help="Of names in archives, such as cp932.")] = None
    allow_duplicate: Annotated[bool, setting("allow-duplicate", help="Also if the service has the chapter.")] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """How to upload."""

    accept_terms: Annotated[bool, setting("accept-terms", help="Accept https://mangadex.org/compliance.")] = False
    adopt: Annotated[bool, setting("adopt", help="Go on in a session that is open, whoever began it.")] = False
    abandon_existing: Annotated[
        bool, setting("abandon-existing", help="Throw an open session away, with its pages.")
    ] = False
    no_progress: Annotated[bool, setting("no-progress", help="Show neither bar nor percentages.")] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Many:
    """How to upload several chapters."""

    fail_fast: Annotated[bool, setting("fail-fast", help="Stop at the first chapter that fails.")] = False
    move_done: Annotated[
        Path | None,
        setting("move-done", parser=given_path, metavar="DIR", help="Move finished chapters into this folder."),
    ] = None
