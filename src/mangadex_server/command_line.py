"""What the commands have in common: options, work on the parts of an installation, errors as one sentence.

The parts are slow to load, and so is what they stand on. What imports them does it in its functions, in a `loading()`.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

from mangadex_server import data_folder
from mangadex_server.settings import Settings, given
from mangadex_server.settings_report import load

if TYPE_CHECKING:
    from mangadex_server.parts import Parts

T = TypeVar("T")

DataDir = Annotated[Path | None, typer.Option(help="Where everything is kept.")]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", envvar="MANGADEX_SERVER_CONFIG", help="A TOML file with settings.")
]
Host = Annotated[str | None, typer.Option(help="The address to listen on.")]
Port = Annotated[int | None, typer.Option(help="The port; 0 takes a free one.")]
Sandbox = Annotated[bool, typer.Option("--sandbox", help="A test bench with known passwords, on this machine only.")]
Strict = Annotated[bool, typer.Option("--strict", help="Ask of clients what the real service asks.")]


def settings_for(data_dir: Path | None = None, config: Path | None = None, **flags: Any) -> Settings:
    """The settings of a command."""
    with refusals():
        return load(config, given(data_dir=data_dir, **flags))


def work(settings: Settings, do: Callable[[Parts], Awaitable[T]]) -> T:
    """Do something with the parts of an installation, which is made where there is none."""
    with loading():
        from mangadex_server.migrate import migrate_alone  # noqa: PLC0415
        from mangadex_server.parts import Parts  # noqa: PLC0415

    async def done() -> T:
        parts = Parts(settings)
        try:
            return await do(parts)
        finally:
            await parts.database.close()

    with refusals():
        data_folder.make(settings.data_dir)
        migrate_alone(settings)
        return asyncio.run(done())


@contextmanager
def refusals() -> Iterator[None]:
    """Say what is wrong in one sentence, and end with status 2."""
    try:
        yield
    except Exception as error:
        from mangadex_server.refusals import sentence  # noqa: PLC0415

        if problem := sentence(error):
            stop(problem)
        raise


@contextmanager
def loading() -> Iterator[None]:
    """For imports. All that they make stays: looking for garbage in it takes an eighth of a start."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def secret(what: str) -> str:
    """Ask for a secret, or take a line of standard input."""
    if sys.stdin.isatty():
        return str(typer.prompt(what, hide_input=True, confirmation_prompt=True))
    try:
        return sys.stdin.readline().rstrip("\r\n")
    except UnicodeDecodeError:
        stop(f"The {what.lower()} on standard input is no UTF-8 text.")


def stop(problem: str) -> NoReturn:
    """End with this sentence and status 2."""
    typer.echo(problem, err=True)
    raise typer.Exit(2)
