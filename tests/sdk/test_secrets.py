"""No token, password or client secret in any repr, log line, error or traceback."""

from __future__ import annotations

import logging
import subprocess
import sys
import traceback
from collections.abc import Iterator

import hpack
import pytest
from service import Answer, Cut, Service
from twin import Twin

import mangadex_openapi as sdk

SECRETS = {
    "password": "pass-SECRET-1",
    "client_secret": "client-SECRET-2",
    "token": "token-SECRET-3",
    "proxy": "proxy-SECRET-4",
}


def secret_free(text: str) -> bool:
    return "SECRET" not in text and "access-1" not in text and "refresh-1" not in text


@pytest.fixture
def debug_log() -> Iterator[None]:
    """Lets the debug switch be used without leaving its handler behind."""
    logger = logging.getLogger("mangadex_openapi")
    handlers, level = list(logger.handlers), logger.level
    yield
    logger.handlers[:] = handlers
    logger.setLevel(level)


def person() -> sdk.PersonalClient:
    return sdk.PersonalClient(
        username="ann",
        password=SECRETS["password"],
        client_id="personal-client-1",
        client_secret=SECRETS["client_secret"],
    )


def test_reprs() -> None:
    for configuration in (
        sdk.Configuration(auth=person()),
        sdk.Configuration(access_token=SECRETS["token"]),
        sdk.Configuration(proxy=f"http://user:{SECRETS['proxy']}@127.0.0.1:1"),
    ):
        assert secret_free(repr(configuration))
        assert secret_free(repr(configuration.http_auth()))
        with sdk.ApiClient(configuration) as client:
            assert secret_free(repr(client))
    assert secret_free(repr(person()))
    assert secret_free(repr(sdk.Tokens(SECRETS["token"], SECRETS["token"], 1, 2)))
    store = sdk.MemoryTokenStore()
    store.save(sdk.TokenKey("h", "a", "u"), sdk.Tokens(SECRETS["token"], None, 1, 2))
    assert secret_free(repr(store))


@pytest.mark.usefixtures("debug_log")
def test_everything_that_is_logged_on_all_levels(
    twin: Twin, service: Service, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    service.valid_tokens, service.password = set(), SECRETS["password"]
    auth = sdk.PersonalClient(
        username="ann", password=SECRETS["password"], client_id="personal-client-1", client_secret="secret"
    )
    configuration = sdk.Configuration(
        host=service.address, auth=auth, debug=True, pacing=False, retries=sdk.RetryPolicy(base_s=0)
    )
    api = twin.api("UploadApi", configuration)
    service.fault("POST /upload/begin", Answer(429, None, {"Set-Cookie": "sid=COOKIE"}))
    session = api.begin_upload_session(begin_upload_session={"groups": []})
    api.put_upload_session_file(session.id, file=b"page")
    service.fault("GET /upload", Cut())
    api.get_upload_session(_headers={"X-Captcha-Result": "SECRET"})
    service.valid_tokens = set()
    api.get_upload_session()

    assert {"mangadex_openapi"} <= {record.name for record in caplog.records}
    told = caplog.text + capsys.readouterr().err
    assert "begin_upload_session: POST http://127.0.0.1" in told
    assert '{"groups":[]}' in told
    assert "'authorization': '(hidden)'" in told
    assert "sign-in of ann by password" in told
    assert "sign-in of ann by refresh_token" in told
    assert "get_upload_session had no answer" in told
    assert secret_free(told)
    own = "".join(record.getMessage() for record in caplog.records if record.name == "mangadex_openapi")
    assert "set-cookie" in own
    assert "COOKIE" not in own


def test_nothing_is_printed_by_default(twin: Twin, service: Service, capfd: pytest.CaptureFixture[str]) -> None:
    configuration = sdk.Configuration(host=service.address, access_token=SECRETS["token"], retries=0, pacing=False)
    service.fault(".*", Cut())
    with pytest.raises(sdk.ConnectionFailed):
        twin.api("UploadApi", configuration).get_upload_session()

    assert capfd.readouterr() == ("", "")


def test_the_debug_switch_tells_on_standard_error_in_a_program_without_logging(service: Service) -> None:
    program = f"""
import mangadex_openapi as sdk
configuration = sdk.Configuration(host={service.address!r}, access_token={SECRETS["token"]!r}, debug=True)
with sdk.ApiClient(configuration) as client:
    sdk.UploadApi(client).begin_upload_session()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert done.stderr.count("begin_upload_session: POST") == 1
    assert secret_free(done.stderr)


def failures(twin: Twin, service: Service) -> Iterator[BaseException]:
    host = service.address
    for configuration, fault in (
        (sdk.Configuration(host=host, access_token=SECRETS["token"], retries=0), Cut()),
        (sdk.Configuration(host=host, access_token=SECRETS["token"], retries=0), Answer(403, "no")),
        (sdk.Configuration(host=host, access_token=SECRETS["token"] + "\n", retries=0), Answer()),
        (sdk.Configuration(host=host, access_token=SECRETS["token"] + " ", retries=0), Answer()),
        (sdk.Configuration(host=host, access_token=SECRETS["token"] + "\t", retries=0), Answer()),
        (sdk.Configuration(host=host, access_token=SECRETS["token"] + "é€", retries=0), Answer()),
        (sdk.Configuration(host=host, access_token=lambda: SECRETS["token"] + "\n", retries=0), Answer()),
        (sdk.Configuration(host=host, auth=person(), retries=0), Answer(400, {"error": "invalid_grant"})),
        (sdk.Configuration(host=host, auth=person(), retries=0), Answer(502, "<html>")),
        (sdk.Configuration(host=host, auth=person(), retries=0), Cut()),
    ):
        service.fault(".*", fault)
        with pytest.raises(sdk.OpenApiException) as caught:
            twin.api("UploadApi", configuration).get_upload_session()
        service.faults.clear()
        yield caught.value


def test_errors_and_their_tracebacks(twin: Twin, service: Service) -> None:
    for failure in failures(twin, service):
        assert secret_free(repr(failure) + str(failure))
        assert secret_free("".join(traceback.format_exception(failure)))


@pytest.mark.parametrize(
    "settings",
    [{"host": "ann:SECRET@api.mangadex.org"}, {"proxy": "ann:SECRET@127.0.0.1:3128"}, {"proxy": "socks5://a:SECRET@h"}],
)
def test_settings_that_are_refused(settings: dict[str, str]) -> None:
    with pytest.raises(sdk.InvalidRequest) as caught:
        sdk.ApiClient(sdk.Configuration(**settings))  # type: ignore[arg-type]
    assert secret_free("".join(traceback.format_exception(caught.value)))


def test_the_http2_librarys_own_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        hpack.Encoder().encode([(b"authorization", b"Bearer SECRET")])
    assert secret_free(caplog.text)
