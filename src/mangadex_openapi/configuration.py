"""Everything that can be set about the client."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx2

from mangadex_openapi._bearer import AccessToken, PersonalAuth, TokenAuth
from mangadex_openapi._connections import connect
from mangadex_openapi._log import show_debug_log
from mangadex_openapi._options import check_header, is_seconds
from mangadex_openapi._pacing import Pacer
from mangadex_openapi._retry import RetryPolicy
from mangadex_openapi._version import __version__
from mangadex_openapi.auth import PersonalClient, TokenKey
from mangadex_openapi.exceptions import InvalidRequest

DOCUMENTED_HOST = "https://api.mangadex.org"
DOCUMENTED_AUTH_URL = "https://auth.mangadex.org/realms/mangadex/protocol/openid-connect"
AUTH_PATH = "/realms/mangadex/protocol/openid-connect"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds; None waits for ever. `slow_read_s` is for sending pages and committing, whose answers may take
    minutes; `pool_s` is the wait for a free connection.
    """

    connect_s: float | None = 10.0
    write_s: float | None = 60.0
    read_s: float | None = 30.0
    slow_read_s: float | None = 300.0
    pool_s: float | None = 600.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and not is_seconds(value):
                raise InvalidRequest(f"timeouts.{field.name}", f"{value!r} is neither seconds above 0 nor None")


class Configuration:
    """Settings of the clients made from it, which share its pace and its sign-in.

    Args:
        host: the service's address; MANGADEX_API_URL where set, else the documented one.
        access_token: a token, or a callable that gives one (for the async client it may be asynchronous). It may
            also be set later, and goes before `auth`.
        auth: a personal client that signs in by itself.
        allow_plain_http: permit http:// beyond this machine, where others can read token and password.
        user_agent: names the program to the service, which requires it.
        retries: how often to try again (0: never), or a whole RetryPolicy.
        pacing: False sends as fast as it can; a Pacer may be shared with other Configurations.
        timeouts: see Timeouts.
        proxy: address of a proxy; MangaDex refuses those that add a Via header.
        trust_env: take proxies from HTTP_PROXY and the like, and certificates from SSL_CERT_FILE.
        verify_ssl: False accepts any certificate: for tests only.
        ssl_ca_cert: file of certificates to trust instead of the system's.
        cert_file, key_file: the client's own certificate and key.
        connection_pool_maxsize: connections at once.
        http2: use HTTP/2 where the service offers it; needs `mangadex-openapi[http2]`.
        debug: log requests and answers, without secrets, to standard error.

    Raises:
        InvalidRequest: a value that cannot be used, naming it.
    """

    def __init__(
        self,
        host: str | None = None,
        *,
        access_token: AccessToken | None = None,
        auth: PersonalClient | None = None,
        allow_plain_http: bool = False,
        user_agent: str = f"mangadex-openapi/{__version__}",
        retries: int | RetryPolicy = RetryPolicy(),
        pacing: bool | Pacer = True,
        timeouts: Timeouts = Timeouts(),
        proxy: str | None = None,
        trust_env: bool = True,
        verify_ssl: bool = True,
        ssl_ca_cert: str | os.PathLike[str] | None = None,
        cert_file: str | os.PathLike[str] | None = None,
        key_file: str | os.PathLike[str] | None = None,
        connection_pool_maxsize: int = 20,
        http2: bool = False,
        debug: bool = False,
    ) -> None:
        self.access_token = access_token
        self.allow_plain_http = allow_plain_http
        self._auth = auth
        self.host = host or os.environ.get("MANGADEX_API_URL") or DOCUMENTED_HOST
        self.user_agent = user_agent
        self.retries = retries
        self.pacing = pacing
        self.timeouts = timeouts
        self.proxy = proxy
        self.trust_env = trust_env
        self.verify_ssl = verify_ssl
        self.ssl_ca_cert = ssl_ca_cert
        self.cert_file = cert_file
        self.key_file = key_file
        self.connection_pool_maxsize = connection_pool_maxsize
        self.http2 = http2
        self.debug = debug

    @property
    def host(self) -> str:
        """The service's address, without a slash at the end."""
        return self._host

    @host.setter
    def host(self, host: str) -> None:
        self._host = checked_address("host", host, self.allow_plain_http)
        self._bind()

    @property
    def auth(self) -> PersonalClient | None:
        """The personal client that signs in."""
        return self._auth

    @auth.setter
    def auth(self, auth: PersonalClient | None) -> None:
        self._auth = auth
        self._bind()

    @property
    def user_agent(self) -> str:
        """What names the program to the service."""
        return self._user_agent

    @user_agent.setter
    def user_agent(self, user_agent: str) -> None:
        check_header("user_agent", "User-Agent", user_agent)
        if not user_agent:
            raise InvalidRequest("user_agent", "is empty; the service refuses requests that do not name their program")
        self._user_agent = user_agent

    @property
    def retries(self) -> RetryPolicy:
        """When to try again; a number of retries may be assigned."""
        return self._retries

    @retries.setter
    def retries(self, retries: int | RetryPolicy) -> None:
        self._retries = retries if isinstance(retries, RetryPolicy) else _policy(retries)

    @property
    def pacing(self) -> Pacer | None:
        """What keeps the pace, None for nothing; True or False may be assigned."""
        return self._pacer

    @pacing.setter
    def pacing(self, pacing: bool | Pacer) -> None:
        self._pacer = pacing if isinstance(pacing, Pacer) else Pacer() if pacing else None

    @property
    def timeouts(self) -> Timeouts:
        """How long to wait for what."""
        return self._timeouts

    @timeouts.setter
    def timeouts(self, timeouts: Timeouts) -> None:
        if not isinstance(timeouts, Timeouts):
            raise InvalidRequest("timeouts", f"is {type(timeouts).__name__}; give Timeouts(...)")
        self._timeouts = timeouts

    @property
    def debug(self) -> bool:
        """Whether requests and answers are logged to standard error."""
        return self._debug

    @debug.setter
    def debug(self, debug: bool) -> None:
        self._debug = debug
        if debug:
            show_debug_log()

    @property
    def is_on_this_machine(self) -> bool:
        """Whether the host is a loopback address, so that no proxy of the environment is asked."""
        return _is_loopback(urlsplit(self._host).hostname or "")

    def http_auth(self) -> httpx2.Auth | None:
        """What puts the token on a request: `access_token` if it is set, else the personal client."""
        return TokenAuth(self.access_token) if self.access_token else self._personal_auth

    def _bind(self) -> None:
        self._personal_auth: PersonalAuth | None = None
        if self._auth is not None:
            auth_url = self._auth.auth_url or os.environ.get("MANGADEX_AUTH_URL")
            if not auth_url:
                auth_url = DOCUMENTED_AUTH_URL if self._host == DOCUMENTED_HOST else f"{self._host}{AUTH_PATH}"
            auth_url = checked_address("auth_url", auth_url, self.allow_plain_http)
            key = TokenKey(self._host, auth_url, self._auth.username)
            self._personal_auth = PersonalAuth(self._auth, key, lambda: connect(httpx2.Client, self))

    def __repr__(self) -> str:
        signs_in = "an access token" if self.access_token else repr(self._auth) if self._auth else "nothing"
        return f"Configuration(host={self._host!r}, signs in with {signs_in})"


def _policy(retries: int) -> RetryPolicy:
    if isinstance(retries, bool) or not isinstance(retries, int) or retries < 0:
        raise InvalidRequest("retries", "must be 0 or more, or a RetryPolicy")
    return RetryPolicy(attempts=retries + 1)


def checked_address(field: str, address: str, allow_plain_http: bool) -> str:
    """An http(s) address without a slash at the end.

    Raises:
        InvalidRequest: no address, one with a password in it, or plain http to another machine.
    """
    example = f"give one like {DOCUMENTED_HOST}"
    if not isinstance(address, str):
        raise InvalidRequest(field, f"is {type(address).__name__} and no address; {example}")
    if "@" in address:
        raise InvalidRequest(field, "has a user name in it; give credentials by access_token or auth")
    address = address.rstrip("/")
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
        httpx2.URL(address)
        is_name = all(0 < len(label) < 64 for label in (host or "").removesuffix(".").split("."))
    except (ValueError, httpx2.InvalidURL):
        is_name = False
    if not is_name:
        raise InvalidRequest(field, f"{address!r} is no address; {example}")
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        raise InvalidRequest(field, f"{address!r} is no address; {example}")
    if parts.scheme == "http" and not _is_loopback(host) and not allow_plain_http:
        raise InvalidRequest(field, f"{address} would carry tokens unencrypted; use https, or allow_plain_http=True")
    return address


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
