"""Runs one client of `upload.py` and prints what it took, as JSON: `upload_run.py JOB`.

A process of its own that stays small, because Linux counts the size of the process that started another into the
other's peak. JOB is a file of JSON: `command`, `folder`, `environment`, `input`, `output`, `errors` (files).
"""

from __future__ import annotations

import json
import os
import sys
from time import perf_counter

_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


def main(path: str) -> None:
    """Run it to its end. Of its children the CPU time is included, and the largest one's peak."""
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - pathlib would be a third of this process
        job = json.load(file)
    os.chdir(job["folder"])
    new = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    streams = [
        (os.POSIX_SPAWN_OPEN, 0, job["input"], os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, job["output"], new, 0o600),
        (os.POSIX_SPAWN_OPEN, 2, job["errors"], new, 0o600),
    ]
    start = perf_counter()
    process = os.posix_spawn(job["command"][0], job["command"], job["environment"], file_actions=streams)
    _, status, usage = os.wait4(process, 0)
    print(
        json.dumps(
            {
                "status": os.waitstatus_to_exitcode(status),
                "seconds": perf_counter() - start,
                "cpu_seconds": usage.ru_utime + usage.ru_stime,
                "peak_bytes": usage.ru_maxrss * _MAXRSS_UNIT,
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1])
