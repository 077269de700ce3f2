"""How the client compares: import time with its libraries, requests with bare httpx2, sending with curl and httpx2.

Run it with `make bench`. It takes about a minute, needs 400 MB of temporary files, and talks to `sink.py`, a server
of its own on the loopback. What is measured runs in processes of its own (`sender.py`); this one stays small, because
Linux counts the size of the process that started another into the other's peak.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TypeAlias, cast

HERE = Path(__file__).parent
IMPORT_ROUNDS = 15
SEND_ROUNDS = 3
FILES, FILE_BYTES, FILES_PER_REQUEST = 400, 1_000_000, 10
MB = 1_000_000
SENDERS = ("client sync", "client async", "httpx2 sync", "httpx2 async")
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024

Figures: TypeAlias = dict[str, float]

MODELS = (
    "BeginEditSession, BeginUploadSession, Chapter, CommitUploadSession, PutUploadSessionFile200Response, Response,"
    " UploadCheckApprovalRequired200Response, UploadCheckApprovalRequiredRequest, UploadSession"
)
LOADED = f"from mangadex_openapi import Configuration, ApiClient, UploadApi, {MODELS}"
PROCESS_START = "nothing (process start)"
LIBRARIES = "httpx2 and pydantic"
LIBRARIES_IN_USE = "the same, and one model"  # `import pydantic` alone loads next to nothing of it
BARE = "mangadex_openapi, bare"
UPLOADING = "all that uploading needs"
IMPORTS = {
    PROCESS_START: "pass",
    LIBRARIES: "import httpx2, pydantic",
    LIBRARIES_IN_USE: "import httpx2, pydantic\nclass Model(pydantic.BaseModel): field: int",
    BARE: "import mangadex_openapi",
    UPLOADING: f"import mangadex_openapi; {LOADED}",
    "the same, models built": f"{LOADED}\nfor model in ({MODELS}): model.model_rebuild()",
}


def main() -> None:
    print_imports()
    with sink() as host, tempfile.TemporaryDirectory() as folder:
        print_rates(host)
        print_sending(host, Path(folder))


@contextmanager
def sink() -> Iterator[str]:
    """The receiving server; gives its address."""
    command = [sys.executable, str(HERE / "sink.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            port = process.stdout.readline().strip() if process.stdout else ""
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def print_imports() -> None:
    with tempfile.TemporaryDirectory() as compiled:
        runs = [
            {name: interpreter_s(code, compiled) for name, code in IMPORTS.items()} for _ in range(1 + IMPORT_ROUNDS)
        ]
    medians = {name: median(run[name] for run in runs[1:]) for name in IMPORTS}  # the first run compiled
    start = medians[PROCESS_START]
    print(f"Import: a fresh interpreter, compiled files at hand, median of {IMPORT_ROUNDS} interleaved runs")
    for name, value in medians.items():
        print(f"  {name:<26}{value * 1000:8.1f} ms {(value - start) * 1000:8.1f} ms beyond process start")
    print_aim(f"bare / {LIBRARIES}", medians[BARE] / medians[LIBRARIES], at_most=1.25)
    print("  Stricter: names load when used, and pydantic loads BaseModel only with the first model:")
    for rival in (LIBRARIES, LIBRARIES_IN_USE):
        print_aim(f"uploading / {rival}", medians[UPLOADING] / medians[rival], at_most=1.25)
        beyond = (medians[UPLOADING] - start) / (medians[rival] - start)
        print_aim(f"uploading / {rival}, beyond process start", beyond, at_most=1.25)


def interpreter_s(code: str, compiled: str) -> float:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = compiled
    start = perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    return perf_counter() - start


def print_rates(host: str) -> None:
    rates = measure("rates", host)
    print("\nget_upload_session: one after the other on one connection, median of interleaved rounds")
    for name, rate in rates.items():
        print(f"  {name:<14}{rate:8.0f} requests/s")
    for twin in ("sync", "async"):
        print_aim(f"{twin} client / httpx2", rates[f"client {twin}"] / rates[f"httpx2 {twin}"], at_least=0.8)


def print_sending(host: str, folder: Path) -> None:
    write_pages(folder)
    curl = shutil.which("curl")
    runs: dict[str, list[Figures]] = {name: [] for name in SENDERS}
    curl_runs: list[Figures] = []
    for _ in range(SEND_ROUNDS):
        for name, figures in runs.items():
            figures.append(measure(name, host, str(folder)))
        if curl:
            curl_runs.append(measure_curl(curl, host, folder))
    print(
        f"\nput_upload_session_file: {FILES * FILE_BYTES // MB} MB in requests of {FILES_PER_REQUEST} files,"
        f" median of {SEND_ROUNDS} interleaved rounds, beyond an idle process of the same kind"
    )
    medians = {name: middle(figures) for name, figures in runs.items()}
    for name, run in medians.items():
        print(f"  {name:<14}{speed(run):8.0f} MB/s   memory +{growth(run):5.1f} MB on {run['idle_bytes'] / MB:5.1f} MB")
    for name in SENDERS[:2]:
        print_aim(f"{name}: memory in MB beyond idle", growth(medians[name]), at_most=40)
    if not curl:
        print("  There is no curl on this machine, so nothing is compared with it.")
        return
    rival = middle(curl_runs)
    print(f"  {'curl':<14}{speed(rival):8.0f} MB/s   memory at most {rival['peak_bytes'] / MB:.1f} MB in all")
    for name in SENDERS[:2]:
        print_aim(f"{name} / curl, MB/s", speed(medians[name]) / speed(rival), at_least=1)


def middle(figures: list[Figures]) -> Figures:
    return {key: median(run[key] for run in figures) for key in figures[0]}


def write_pages(folder: Path) -> None:
    for number in range(FILES):
        (folder / f"{number:03}.jpg").write_bytes(b"\xff\xd8\xff" + os.urandom(FILE_BYTES - 3))


def speed(run: Figures) -> float:
    return FILES * FILE_BYTES / MB / run["seconds"]


def growth(run: Figures) -> float:
    return (run["peak_bytes"] - run["idle_bytes"]) / MB


def measure(*arguments: str) -> Figures:
    """What `sender.py` reports."""
    command = [sys.executable, str(HERE / "sender.py"), *arguments]
    report = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return cast("Figures", json.loads(report))


def measure_curl(curl: str, host: str, folder: Path) -> Figures:
    """One curl for all requests, less what it takes to start and make one small request."""
    idle_s, _ = run_curl(curl, [f'url = "{host}/upload"'], folder)
    pages = sorted(folder.glob("*.jpg"))
    requests = [
        "\n".join(
            [f'url = "{host}/upload/session"']
            + [f'form = "file{number}=@{page};type=image/jpeg"' for number, page in enumerate(batch, start=1)]
        )
        for batch in (pages[start : start + FILES_PER_REQUEST] for start in range(0, FILES, FILES_PER_REQUEST))
    ]
    seconds, peak_bytes = run_curl(curl, requests, folder)
    return {"seconds": seconds - idle_s, "peak_bytes": peak_bytes}


def run_curl(curl: str, requests: list[str], folder: Path) -> tuple[float, int]:
    """Seconds and peak memory of a curl process."""
    common = (
        'silent\nfail\nnoproxy = "*"\nheader = "Expect:"\nheader = "Authorization: Bearer x"\noutput = "/dev/null"\n'
    )
    settings = folder / "curl.txt"
    settings.write_text("\nnext\n".join(common + request for request in requests))
    start = perf_counter()
    process = os.posix_spawn(curl, [curl, "-q", "--config", str(settings)], os.environ)
    _, status, usage = os.wait4(process, 0)
    if status:
        raise SystemExit(f"curl failed (exit status {os.waitstatus_to_exitcode(status)})")
    return perf_counter() - start, usage.ru_maxrss * _MAXRSS_UNIT


def print_aim(name: str, figure: float, *, at_least: float | None = None, at_most: float | None = None) -> None:
    if at_least is not None:
        aim, is_met = f"at least {at_least:g}", figure >= at_least
    else:
        aim, is_met = f"at most {at_most:g}", at_most is not None and figure <= at_most
    print(f"  {name}: {figure:.2f} (aim: {aim}), {'met' if is_met else 'MISSED'}")


if __name__ == "__main__":
    main()
