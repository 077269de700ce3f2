"""Closing a client's connection under the server, which itself sends an answer, whatever an application does. Linux."""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from starlette.types import Scope


def hang_up(scope: Scope) -> None:
    """Close it, once the request has arrived."""
    for connection in _connection(scope):
        connection.shutdown(socket.SHUT_RDWR)


def reset(scope: Scope) -> None:
    """End it at once, whatever is still arriving: who merely hangs up on a sender may leave it waiting for ever."""
    no_address = bytes(16)  # of the family AF_UNSPEC, to which connect(2) "dissolves the association"
    for connection in _connection(scope):
        ctypes.CDLL(None).connect(connection.fileno(), no_address, len(no_address))


def _connection(scope: Scope) -> Iterator[socket.socket]:
    """The one that a request came on, if it is still there: a copy of the server's socket."""
    client = scope["client"][0], int(scope["client"][1])
    for open_file in Path("/dev/fd").iterdir():
        with contextlib.suppress(OSError):  # not a socket, or not one with a peer
            copy = os.dup(int(open_file.name))
            try:
                connection = socket.socket(fileno=copy)
            except OSError:
                os.close(copy)
                raise
            with connection:
                if connection.getpeername()[:2] == client:
                    yield connection
                    return
