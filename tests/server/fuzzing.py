"""schemathesis over the whole document, against a sandbox of its own: `python fuzzing.py [options of its run]`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
from program import sandbox

from mangadex_server.sandbox import CLIENT_ID, CLIENT_SECRET, PASSWORD, USERNAME

HERE = Path(__file__).parent
SCHEMATHESIS = shutil.which("schemathesis", path=str(Path(sys.executable).parent)) or "schemathesis"
TOKEN_PATH = "/realms/mangadex/protocol/openid-connect/token"


@contextmanager
def fuzzing(folder: Path) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    """Runs schemathesis with these options; in the folder, `answers.txt` collects operations and their statuses."""
    with sandbox(folder / "data", MANGADEX_SERVER_DURABILITY="normal") as running:
        form = {"grant_type": "password", "username": USERNAME, "password": PASSWORD}
        form |= {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        answer = httpx2.post(running.url + TOKEN_PATH, data=form, trust_env=False).raise_for_status()
        environment = os.environ | {"SANDBOX_TOKEN": answer.json()["access_token"], "PYTHONPATH": str(HERE)}
        command = [SCHEMATHESIS, "--config-file", str(HERE / "schemathesis.toml"), "run", f"{running.url}/openapi.json"]

        def run(*options: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [*command, "--no-color", *options],
                env=environment,
                cwd=folder,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )

        yield run


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made, fuzzing(Path(made)) as run_with:
        done = run_with(*sys.argv[1:])
        sys.stdout.write(done.stdout)
    sys.exit(done.returncode)
