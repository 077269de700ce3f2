"""The program that sends in `ingest.py`: `ingest_sender.py JOB` posts prepared requests as fast as it can; prints JSON.

JOB is a file of JSON: `port`, `connections`, and `requests`, each with its `head` and its body: `size` bytes of
the file `path`, from `start` on.
Bodies go from the page cache to the socket (sendfile), so that the sender takes little from the two that it measures.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPResponse
from pathlib import Path
from time import perf_counter
from typing import TypedDict, cast

TAKEN = (200, 201, 204)


class Request(TypedDict):
    """One prepared request."""

    head: str
    path: str
    start: int
    size: int


class Job(TypedDict):
    """What to send, and where."""

    port: int
    connections: int
    requests: list[Request]


def send(connection: socket.socket, requests: list[Request]) -> int:
    """One request after the other; returns how many bytes of bodies."""
    sent = 0
    for request in requests:
        connection.sendall(request["head"].encode(), socket.MSG_MORE)
        with Path(request["path"]).open("rb") as body:
            sent += connection.sendfile(body, request["start"], request["size"])
        answer = HTTPResponse(connection)
        answer.begin()
        text = answer.read()
        if answer.status not in TAKEN or (b'"errors"' in text and b'"errors":[]' not in text):
            raise SystemExit(f"refused with {answer.status}: {text[:2000]!r}")
    return sent


def main(job_file: str) -> None:
    job = cast("Job", json.loads(Path(job_file).read_text()))
    connections = [socket.create_connection(("127.0.0.1", job["port"])) for _ in range(job["connections"])]
    shares = [job["requests"][number :: len(connections)] for number in range(len(connections))]
    start = perf_counter()
    cpu = os.times()
    with ThreadPoolExecutor(len(connections)) as pool:
        sent = sum(pool.map(send, connections, shares))
    seconds = perf_counter() - start
    used = os.times()
    cpu_s = used.user + used.system - cpu.user - cpu.system
    print(json.dumps({"seconds": seconds, "bytes": sent, "cpu_seconds": cpu_s}))


if __name__ == "__main__":
    main(*sys.argv[1:])
