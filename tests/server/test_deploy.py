"""The example of a deployment, as far as it can be looked at without a container engine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from mangadex_server.program import program
from mangadex_server.settings import Settings

DEPLOY = Path(__file__).parents[2] / "deploy"
PREFIX = "MANGADEX_SERVER_"
SECRET = "letters1and2digits"


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    variables = re.findall(r"^(\w+)=", (DEPLOY / "example.env").read_text(), re.MULTILINE)
    text = (DEPLOY / "compose.yaml").read_text().replace("$$", "\0")
    assert set(re.findall(r"\$\{(\w+)\}", text)) == set(variables)
    address = text.replace("${PUBLIC_URL}", "http://127.0.0.1:8080")
    filled = re.sub(r"\$\{(\w+)\}", SECRET, address).replace("\0", "$")
    found: dict[str, Any] = yaml.safe_load(filled)["services"]
    return found


def test_its_settings_are_taken(services: dict[str, Any]) -> None:
    for service in (services["node-1"], services["node-2"], services["worker"], services["migrate"]):
        given = {name.removeprefix(PREFIX): value for name, value in service["environment"].items() if PREFIX in name}
        with pytest.MonkeyPatch.context() as patch:
            for name, value in given.items():
                patch.setenv(f"{PREFIX}{name}", value)
            settings = Settings()
        assert not settings.is_embedded
        assert {name.lower() for name in given} <= settings.model_fields_set
        assert SECRET not in repr(settings)


def test_its_commands_and_dependencies_exist(services: dict[str, Any]) -> None:
    commands = get_command(program).commands  # type: ignore[attr-defined]
    for name, service in services.items():
        assert set(service.get("depends_on", {})) <= set(services), name
        if service.get("image") == "mangadex-server":
            assert set(service.get("command", ["run"])) <= set(commands), name
    upstream = re.findall(r"server (\S+):8080", (DEPLOY / "nginx.conf").read_text())
    assert set(upstream) <= set(services)


def test_no_secret_is_on_a_command_line(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert SECRET not in str(service.get("command")), name
