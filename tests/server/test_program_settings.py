"""What the program says of settings that it cannot use: which one, what it is, where it was set, what it could be."""

from __future__ import annotations

import os
from pathlib import Path

from typer.testing import CliRunner

from mangadex_server.program import program


def said(*arguments: str | Path, **environment: str) -> str:
    """What `settings` says to people, in one line and with status 2."""
    hidden: dict[str, str | None] = {name: None for name in os.environ if name.startswith("MANGADEX_")}
    done = CliRunner().invoke(program, ["settings", *map(str, arguments)], env=hidden | environment)
    assert (done.exit_code, done.stdout) == (2, ""), done.output
    [line] = done.stderr.splitlines()
    return line


def test_names_in_the_environment() -> None:
    assert said(MANGADEX_SERVER_PROT="1") == (
        "The environment has MANGADEX_SERVER_PROT, and there is no such setting. Did you mean MANGADEX_SERVER_PORT?"
    )
    assert said(mangadex_server_data_die="x").endswith("Did you mean MANGADEX_SERVER_DATA_DIR?")
    assert said(MANGADEX_SERVER_XYZZY="1").endswith("MANGADEX_SERVER_XYZZY, and there is no such setting. Unset it.")


def test_names_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('data_dri = "x"')
    assert said("--config", file) == f"{file}: there is no setting data_dri. Did you mean data_dir?"
    file.write_text("xyzzy = 1")
    assert said("--config", file) == (f"{file}: there is no setting xyzzy. `mangadex-server settings` has all names.")


def test_values(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("access_token_s = 0")
    assert said(MANGADEX_SERVER_DURABILITY="fast") == (
        "durability cannot be 'fast' (environment MANGADEX_SERVER_DURABILITY): Input should be 'full' or 'normal'."
    )
    assert said("--port", "99999").startswith("port cannot be 99999 (flag --port): Input should be less than")
    assert said("--config", file).startswith(f"access_token_s cannot be 0 (file {file}): Input should be greater than")
    assert said(MANGADEX_SERVER_FORMATS='["jpeg", "bmp"]').startswith(
        "formats cannot be 'bmp' (environment MANGADEX_SERVER_FORMATS): Input should be 'jpeg', 'png'"
    )
    assert said(MANGADEX_SERVER_FORMATS="jpeg,png") == (
        "formats cannot be 'jpeg,png' (environment MANGADEX_SERVER_FORMATS): "
        'a list is JSON there, such as ["a", "b"].'
    )
    long = said(MANGADEX_SERVER_PORT="9" * 10_000)
    assert len(long) < 300
