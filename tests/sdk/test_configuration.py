"""Settings: checked where they are given, and where they lead."""

from __future__ import annotations

import pickle
import sys
from typing import Any

import pytest

import mangadex_openapi as sdk
from mangadex_openapi.configuration import DOCUMENTED_AUTH_URL, DOCUMENTED_HOST


def person(auth_url: str | None = None) -> sdk.PersonalClient:
    return sdk.PersonalClient(username="ann", password="p", client_id="c", client_secret="s", auth_url=auth_url)


def test_the_documented_host_is_the_default() -> None:
    assert sdk.Configuration().host == DOCUMENTED_HOST


def test_the_environment_names_the_host_unless_the_caller_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MANGADEX_API_URL", "https://api.example.org/v2/")
    assert sdk.Configuration().host == "https://api.example.org/v2"
    assert sdk.Configuration(host="https://other.example").host == "https://other.example"


@pytest.mark.parametrize(
    "host",
    [
        "api.mangadex.org",
        "ftp://api.mangadex.org",
        "https://",
        "https://user:password@example.org",
        "https://example.org/?a=b",
        "https://example.org:port",
        "https://[::1",
        "https://api.mangadex.org\n",
        "https://a..b",
        "https://" + "x" * 64 + ".org",
    ],
)
def test_an_address_that_is_none_is_refused(host: str) -> None:
    with pytest.raises(sdk.InvalidRequest, match=r"^host: ") as caught:
        sdk.Configuration(host=host)
    assert "password" not in str(caught.value)


@pytest.mark.parametrize("host", ["http://example.org", "http://192.0.2.1:8000", "http://localhost.example.org"])
def test_plain_http_leaves_this_machine_only_with_a_flag(host: str) -> None:
    with pytest.raises(sdk.InvalidRequest, match="unencrypted"):
        sdk.Configuration(host=host)
    assert sdk.Configuration(host=host, allow_plain_http=True).host == host


@pytest.mark.parametrize("host", ["http://localhost:8000", "http://127.0.0.1", "http://[::1]:8000", "http://127.9.9.9"])
def test_plain_http_on_this_machine_is_fine(host: str) -> None:
    assert sdk.Configuration(host=host).host == host


def realm(configuration: sdk.Configuration) -> str:
    auth: Any = configuration.http_auth()
    return str(auth._key.auth_url)


def test_the_realm_belongs_to_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    assert realm(sdk.Configuration(auth=person())) == DOCUMENTED_AUTH_URL
    own = sdk.Configuration(host="https://example.org/api", auth=person())
    assert realm(own) == "https://example.org/api/realms/mangadex/protocol/openid-connect"
    own.host = "https://moved.example.org"
    assert realm(own) == "https://moved.example.org/realms/mangadex/protocol/openid-connect"
    monkeypatch.setenv("MANGADEX_AUTH_URL", "https://auth.example.org/realm/")
    assert realm(sdk.Configuration(auth=person())) == "https://auth.example.org/realm"
    assert realm(sdk.Configuration(auth=person("https://given.example.org"))) == "https://given.example.org"


def test_a_password_does_not_go_out_unencrypted() -> None:
    with pytest.raises(sdk.InvalidRequest, match=r"auth_url.*unencrypted"):
        sdk.Configuration(auth=person("http://auth.example.org"))


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"user_agent": " "}, "user_agent"),
    ({"user_agent": "a\nb"}, "user_agent"),
    ({"connection_pool_maxsize": 0}, "connection_pool_maxsize"),
    ({"proxy": "no address"}, "proxy"),
    ({"ssl_ca_cert": "missing.pem"}, "ssl_ca_cert"),
    ({"cert_file": "missing.pem"}, "cert_file"),
    ({"retries": -1}, "retries"),
    ({"retries": True}, "retries"),
    ({"retries": "3"}, "retries"),
    ({"host": b"https://api.mangadex.org"}, "host"),
    ({"key_file": "key.pem"}, "key_file"),
    ({"timeouts": 5}, "timeouts"),
    ({"user_agent": "мой"}, "user_agent"),
]


@pytest.mark.parametrize(("settings", "field"), REFUSED)
@pytest.mark.parametrize("client", [sdk.ApiClient, sdk.AsyncApiClient])
def test_settings_that_cannot_be_used_are_named(client: Any, settings: dict[str, Any], field: str) -> None:
    with pytest.raises(sdk.InvalidRequest) as caught:
        client(sdk.Configuration(**settings))
    assert caught.value.field == field


def test_http2_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h2", None)
    with pytest.raises(sdk.InvalidRequest, match=r"http2: .*mangadex-openapi\[http2\]"):
        sdk.ApiClient(sdk.Configuration(http2=True))


def test_an_api_makes_its_own_client_if_none_is_given() -> None:
    api = sdk.UploadApi()
    assert api.api_client.configuration.host == DOCUMENTED_HOST
    api.api_client.close()


def test_pacing_can_be_off_or_shared() -> None:
    pacer = sdk.Pacer()
    assert sdk.Configuration(pacing=False).pacing is None
    assert sdk.Configuration(pacing=pacer).pacing is pacer
    assert sdk.Configuration().pacing is not sdk.Configuration().pacing


def test_headers_and_the_user_agent_can_be_set_as_in_generated_clients() -> None:
    with sdk.ApiClient(header_name="X-Tool", header_value="yes") as client:
        client.user_agent = "my-tool/2 (me@example.org)"
        assert client.default_headers == {"X-Tool": "yes", "User-Agent": "my-tool/2 (me@example.org)"}
        assert client.user_agent == "my-tool/2 (me@example.org)"
        with pytest.raises(sdk.InvalidRequest, match="X-Tool"):
            client.set_default_header("X-Tool", "a\r\nb")


def test_tokens_can_be_stored_by_pickle() -> None:
    tokens = sdk.Tokens("a", "r", 1, 2, 3)
    assert pickle.loads(pickle.dumps(tokens)) == tokens


@pytest.mark.parametrize(("name", "value"), [("retries", -1), ("timeouts", 5), ("user_agent", "a\nb"), ("host", "x")])
def test_settings_that_are_assigned_are_checked_too(name: str, value: Any) -> None:
    configuration = sdk.Configuration()
    with pytest.raises(sdk.InvalidRequest, match=name):
        setattr(configuration, name, value)


def test_settings_that_are_assigned_take_effect() -> None:
    configuration = sdk.Configuration()
    configuration.retries = 5
    configuration.pacing = False
    assert (configuration.retries.attempts, configuration.pacing) == (6, None)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), "5", True])
def test_timeouts_are_seconds(seconds: Any) -> None:
    with pytest.raises(sdk.InvalidRequest, match=r"timeouts\.read_s"):
        sdk.Timeouts(read_s=seconds)


@pytest.mark.parametrize("variable", ["ALL_PROXY", "HTTPS_PROXY"])
def test_a_proxy_of_the_environment_that_cannot_be_used_is_named(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "socks5://127.0.0.1:1" if variable == "ALL_PROXY" else "http://h:port")
    with pytest.raises(sdk.InvalidRequest, match="environment: a proxy"):
        sdk.ApiClient(sdk.Configuration())
    sdk.ApiClient(sdk.Configuration(trust_env=False)).close()
