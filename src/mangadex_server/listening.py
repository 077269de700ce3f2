"""The address and the certificate, looked at before granian has them: it does not say what is wrong with them."""

from __future__ import annotations

import errno
import socket
import ssl
import time

from mangadex_server.data_folder import DEAD_WITHIN_S, POLL_S
from mangadex_server.settings import Settings


class CannotServeError(Exception):
    """It cannot listen; the message says what to do."""


def check_address(settings: Settings) -> None:
    """Find out whether we can listen. Granian shares a port that another granian has, and dies of one in other hands.

    Raises:
        CannotServeError: we cannot.
    """
    where = f"port {settings.port} of {settings.host}"
    until = time.monotonic() + DEAD_WITHIN_S
    while True:
        try:
            family, kind, _, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, kind) as trial:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                trial.bind(address)
                trial.listen()
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise CannotServeError(f"Cannot listen on {where}: {error.strerror}. Choose another one.") from None
            if time.monotonic() > until:
                raise CannotServeError(f"Another program listens on {where}. Choose another --port.") from None
            time.sleep(POLL_S)
        else:
            return


def check_certificate(settings: Settings) -> None:
    """Find out whether the certificate and its key do, if there are any; a key with a password would be asked for.

    Raises:
        CannotServeError: they do not.
    """
    if settings.tls_certificate and settings.tls_key:
        try:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(settings.tls_certificate, settings.tls_key, password="")
        except OSError as error:  # ssl.SSLError is one
            files = f"{settings.tls_certificate} with {settings.tls_key}"
            raise CannotServeError(
                f"Cannot use the certificate {files} ({error.strerror or error}). Give PEM files that belong together."
            ) from None


def free_port(host: str) -> int:
    """A port that nobody listens on just now."""
    family, kind, _, _, address = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind) as listening:
        listening.bind(address)
        port: int = listening.getsockname()[1]
        return port
