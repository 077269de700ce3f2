"""Signing in: which grant is tried, once for all who wait, and never mistaken for the operation's own failure."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from service import REALM, Answer, Cut, Service, running, wait_until
from twin import Api, Twin

import mangadex_openapi as sdk
from mangadex_openapi._login import obtain

NOW = 1_700_000_000.0
TOKEN_REQUEST = httpx2.Request("POST", "http://127.0.0.1/token")


def person(**changes: Any) -> sdk.PersonalClient:
    given = {
        "username": "ann",
        "password": "right password",
        "client_id": "personal-client-1",
        "client_secret": "secret",
    }
    return sdk.PersonalClient(**{**given, **changes})


def answer(status: int, body: Any) -> httpx2.Response:
    return httpx2.Response(status, json=body, request=TOKEN_REQUEST)


def stored(**changes: Any) -> sdk.Tokens:
    given = {
        "access_token": "a",
        "refresh_token": "r",
        "renew_at": NOW,
        "expires_at": NOW,
        "refresh_expires_at": NOW + 9,
    }
    return sdk.Tokens(**{**given, **changes})


def result(client: sdk.PersonalClient, kept: sdk.Tokens | None, *answers: httpx2.Response) -> tuple[list[str], Any]:
    """The grants that were tried, and the tokens or the error in the end."""
    flow = obtain(client, lambda: kept, lambda _: False, lambda: NOW)
    grants: list[str] = []
    try:
        form = next(flow)
        for item in answers:
            grants.append(form["grant_type"])
            form = flow.send(item)
        grants.append(form["grant_type"])
    except StopIteration as done:
        return grants, done.value
    except sdk.LoginFailed as failure:
        return grants, failure
    return grants, None


GOOD = {"access_token": "new", "expires_in": 900, "refresh_token": "newer", "refresh_expires_in": 3600}


def test_the_first_sign_in_is_by_password() -> None:
    grants, tokens = result(person(), None, answer(200, GOOD))
    assert grants == ["password"]
    assert tokens == sdk.Tokens("new", "newer", NOW + 840, NOW + 900, NOW + 3600)


def test_later_ones_are_by_refresh_token_which_is_kept_if_none_comes() -> None:
    grants, tokens = result(person(), stored(), answer(200, {"access_token": "new", "expires_in": 900}))
    assert (grants, tokens.refresh_token, tokens.refresh_expires_at) == (["refresh_token"], "r", None)


def test_a_dead_refresh_token_falls_back_to_the_password() -> None:
    dead = answer(400, {"error": "invalid_grant", "error_description": "Token is not active"})
    assert result(person(), stored(), dead, answer(200, GOOD))[0] == ["refresh_token", "password"]


def test_a_lapsed_refresh_token_is_not_tried() -> None:
    assert result(person(), stored(refresh_expires_at=NOW), answer(200, GOOD))[0] == ["password"]


def test_short_lives_are_renewed_after_two_thirds() -> None:
    assert result(person(), None, answer(200, {**GOOD, "expires_in": 30}))[1].renew_at == NOW + 20


def test_a_life_that_is_no_time_is_taken_for_the_documented_one() -> None:
    assert result(person(), None, answer(200, {**GOOD, "expires_in": 10**400}))[1].expires_at == NOW + 900


@pytest.mark.parametrize("refresh_life", [0, None, "soon"])
def test_a_refresh_token_without_a_known_end_is_kept(refresh_life: Any) -> None:
    assert (
        result(person(), None, answer(200, {**GOOD, "refresh_expires_in": refresh_life}))[1].refresh_expires_at is None
    )


REFUSALS = [
    (401, {"error": "invalid_grant", "error_description": "Invalid user credentials"}, "user name and the password"),
    (400, {"error": "invalid_grant"}, "user name and the password"),
    (401, {"error": "invalid_client"}, "client id and secret"),
    (401, {"error": "unauthorized_client"}, "client id and secret"),
    (400, {"error": "unsupported_grant_type"}, "settings"),
]


@pytest.mark.parametrize(("status", "body", "told"), REFUSALS)
def test_refusals_say_what_to_check(status: int, body: Any, told: str) -> None:
    _, failure = result(person(), None, answer(status, body))
    assert type(failure) is sdk.LoginRefused
    assert (failure.status, failure.error) == (status, body["error"])
    assert told in str(failure)
    assert "right password" not in str(failure)


@pytest.mark.parametrize("status", [200, 404, 429, 500, 503])
@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"access_token": ""}'])
def test_anything_else_is_for_later(status: int, body: bytes) -> None:
    _, failure = result(person(), None, httpx2.Response(status, content=body, request=TOKEN_REQUEST))
    assert type(failure) is sdk.LoginUnavailable
    assert failure.status == status


def test_without_password_or_tokens_the_user_must_sign_in() -> None:
    grants, failure = result(person(password=None), None)
    assert (grants, type(failure)) == ([], sdk.LoginRefused)
    assert "sign in again" in str(failure)


@pytest.fixture
def signing_in(service: Service) -> sdk.Configuration:
    service.valid_tokens = set()
    return sdk.Configuration(
        host=service.address, auth=person(), pacing=False, connection_pool_maxsize=2, retries=sdk.RetryPolicy(base_s=0)
    )


@pytest.fixture
def upload(twin: Twin, signing_in: sdk.Configuration) -> Api:
    return twin.api("UploadApi", signing_in)


def test_the_form_is_keycloaks(upload: Api, service: Service) -> None:
    upload.upload_check_approval_required()

    assert service.logins == [
        {
            "grant_type": "password",
            "username": "ann",
            "password": "right password",
            "client_id": "personal-client-1",
            "client_secret": "secret",
        }
    ]
    login = service.sent(f"POST {REALM}/token")[0]
    assert login.headers["content-type"] == "application/x-www-form-urlencoded"
    assert login.headers["user-agent"].startswith("mangadex-openapi/")
    assert "authorization" not in login.headers
    assert service.requests[-1].headers["authorization"] == "Bearer access-1"


def checks(upload: Api, count: int) -> list[Callable[[], Any]]:
    return [upload.raw.upload_check_approval_required] * count


def test_eight_requests_on_two_connections_sign_in_once(upload: Api, service: Service) -> None:
    answers = upload.twin.all_at_once(checks(upload, 8))

    assert [item.requires_approval for item in answers] == [True] * 8
    assert [form["grant_type"] for form in service.logins] == ["password"]


def test_a_revoked_token_is_renewed_once_for_all_eight(upload: Api, service: Service) -> None:
    upload.upload_check_approval_required()
    service.valid_tokens = set()

    answers = upload.twin.all_at_once(checks(upload, 8))

    assert [item.requires_approval for item in answers] == [True] * 8
    assert [form["grant_type"] for form in service.logins] == ["password", "refresh_token"]


def test_a_token_is_renewed_before_it_expires(upload: Api, service: Service) -> None:
    service.token_life_s = 1e-9
    upload.upload_check_approval_required()
    service.token_life_s = 900
    upload.upload_check_approval_required()
    upload.upload_check_approval_required()

    assert [form["grant_type"] for form in service.logins] == ["password", "refresh_token"]
    assert all(request.headers["authorization"] != "Bearer access-1" for request in service.requests[3:])


def test_a_401_that_stays_is_raised_after_one_renewal(upload: Api, service: Service) -> None:
    service.fault("POST /upload/begin/.*", *[Answer(401, {"result": "error", "errors": []})] * 9)

    with pytest.raises(sdk.Unauthorized):
        upload.begin_edit_session("a chapter of somebody else")

    assert len(service.sent("POST /upload/begin/.*")) == 2
    assert [form["grant_type"] for form in service.logins] == ["password", "refresh_token"]


def test_refused_credentials_are_an_error_of_their_own(upload: Api, service: Service) -> None:
    service.password = "another"

    with pytest.raises(sdk.LoginRefused, match="check the user name") as caught:
        upload.begin_upload_session()

    assert not isinstance(caught.value, sdk.ApiException)
    assert service.sent("POST /upload/begin") == []
    assert len(service.logins) == 1


@pytest.mark.parametrize("fault", [Cut(), Answer(503, "<html>")], ids=["cut", "503"])
def test_a_token_endpoint_that_is_down_delays_even_what_is_never_repeated(
    upload: Api, service: Service, fault: Any
) -> None:
    service.fault(f"POST {REALM}/token", fault, fault)

    assert upload.begin_upload_session().id
    assert len(service.sent("POST /upload/begin")) == 1


def test_a_token_endpoint_that_stays_down_is_not_the_operations_failure(upload: Api, service: Service) -> None:
    service.fault(f"POST {REALM}/token", *[Cut()] * 3)

    with pytest.raises(sdk.LoginUnavailable, match="could not be reached for signing in"):
        upload.begin_upload_session()


class Store(sdk.MemoryTokenStore):
    def __init__(self) -> None:
        super().__init__()
        self.keys: set[sdk.TokenKey] = set()

    def load(self, key: sdk.TokenKey) -> sdk.Tokens | None:
        self.keys.add(key)
        return super().load(key)


def test_tokens_are_kept_by_host_realm_and_user(twin: Twin, service: Service, signing_in: sdk.Configuration) -> None:
    store = Store()
    signing_in.auth = person(token_store=store)
    twin.api("UploadApi", signing_in).upload_check_approval_required()
    later = sdk.Configuration(host=service.address, auth=person(token_store=store, password=None), pacing=False)
    twin.api("UploadApi", later).upload_check_approval_required()

    [key] = store.keys
    assert key == sdk.TokenKey(service.address, f"{service.address}{REALM}", "ann")
    assert len(service.logins) == 1

    tokens = store.load(key)
    assert tokens is not None
    service.valid_tokens, service.refresh_tokens = set(), set()
    with pytest.raises(sdk.LoginRefused, match="sign in again"):
        twin.api("UploadApi", later).upload_check_approval_required()
    assert store.load(key) is None


def test_a_refused_client_secret_forgets_nothing(twin: Twin, service: Service, signing_in: sdk.Configuration) -> None:
    store = Store()
    key = sdk.TokenKey(service.address, f"{service.address}{REALM}", "ann")
    store.save(key, stored(renew_at=0, refresh_expires_at=None))
    signing_in.auth = person(token_store=store, client_secret="wrong")

    with pytest.raises(sdk.LoginRefused, match="client id and secret"):
        twin.api("UploadApi", signing_in).upload_check_approval_required()

    assert store.load(key) is not None


def test_another_process_that_renewed_is_noticed(twin: Twin, service: Service, signing_in: sdk.Configuration) -> None:
    store = Store()
    signing_in.auth = person(token_store=store)
    api = twin.api("UploadApi", signing_in)
    api.upload_check_approval_required()
    service.valid_tokens = {"from elsewhere"}
    later = time.time() + 900
    store.save(next(iter(store.keys)), stored(access_token="from elsewhere", renew_at=later, expires_at=later))

    api.upload_check_approval_required()

    assert len(service.logins) == 1


def test_those_who_wait_for_a_sign_in_hold_no_connection(upload: Api, service: Service) -> None:
    """With two connections and a slow token endpoint, a request that needs no token still gets through."""
    upload.upload_check_approval_required()
    service.valid_tokens = set()
    service.token_gate = threading.Event()
    plain = sdk.ApiClient(sdk.Configuration(host=service.address, pacing=False))

    def open_the_gate() -> None:
        wait_until(lambda: len(service.sent(f"POST {REALM}/token")) == 2)
        with plain, pytest.raises(sdk.Unauthorized):
            sdk.UploadApi(plain).get_upload_session()
        assert service.token_gate is not None
        service.token_gate.set()

    opener = threading.Thread(target=open_the_gate)
    opener.start()
    answers = upload.twin.all_at_once(checks(upload, 8))
    opener.join()

    assert len(answers) == 8
    assert len(service.logins) == 2


def test_a_callable_token_is_asked_for_every_request_and_again_after_a_401(twin: Twin, service: Service) -> None:
    service.valid_tokens = {"third"}
    tokens = iter(["first", "second", "third", "third", "third"])
    configuration = sdk.Configuration(host=service.address, access_token=lambda: next(tokens), pacing=False)
    api = twin.api("UploadApi", configuration)

    with pytest.raises(sdk.Unauthorized):
        api.upload_check_approval_required()
    api.upload_check_approval_required()

    sent = [request.headers["authorization"] for request in service.requests]
    assert sent == ["Bearer first", "Bearer second", "Bearer third"]


def test_an_asynchronous_callable_serves_the_async_client_only(twin: Twin, service: Service) -> None:
    async def token() -> str:
        return "from afar"

    api = twin.api("UploadApi", sdk.Configuration(host=service.address, access_token=token, pacing=False))
    if twin.kind == "sync":
        with (
            pytest.warns(RuntimeWarning, match="never awaited"),
            pytest.raises(sdk.InvalidRequest, match="access_token"),
        ):
            api.upload_check_approval_required()
    else:
        api.upload_check_approval_required()
        assert service.requests[0].headers["authorization"] == "Bearer from afar"


def test_a_token_set_later_is_used_and_goes_before_the_personal_client(
    twin: Twin, service: Service, signing_in: sdk.Configuration
) -> None:
    service.valid_tokens = None
    api = twin.api("UploadApi", signing_in)
    signing_in.access_token = "set later"

    api.upload_check_approval_required()

    assert service.requests[0].headers["authorization"] == "Bearer set later"
    assert service.logins == []


def test_the_token_does_not_follow_a_redirect(upload: Api, service: Service) -> None:
    with running(Service()) as elsewhere:
        for status in (301, 302, 303, 307, 308):
            service.fault("GET /upload", Answer(status, None, {"Location": f"{elsewhere.address}/upload"}))
            with pytest.raises(sdk.ApiException, match=rf"^\({status}\)"):
                upload.get_upload_session()
        moved = Answer(307, None, {"Location": f"{elsewhere.address}/token"})
        service.fault(f"POST {REALM}/token", moved, moved, moved)
        service.valid_tokens = set()
        with pytest.raises(sdk.LoginUnavailable):
            upload.get_upload_session(_request_timeout=5)

    assert elsewhere.requests == []


def test_wrong_credentials_are_sent_once_for_all_who_wait(upload: Api, service: Service) -> None:
    service.password = "another"
    service.token_gate = threading.Event()

    def refused() -> Any:
        return upload.raw.upload_check_approval_required()

    def open_the_gate() -> None:
        assert service.token_gate is not None
        wait_until(lambda: len(service.sent(f"POST {REALM}/token")) == 1)
        service.token_gate.set()

    opener = threading.Thread(target=open_the_gate)
    opener.start()
    with pytest.raises(sdk.LoginRefused):
        upload.twin.all_at_once([refused] * 8)
    opener.join()

    assert len(service.logins) <= 2  # whoever came after the end of the first one asked again


def test_both_twins_and_two_loops_sign_in_once(service: Service, signing_in: sdk.Configuration) -> None:
    service.token_gate = threading.Event()

    def synchronous() -> Any:
        with sdk.ApiClient(signing_in) as client:
            return sdk.UploadApi(client).upload_check_approval_required()

    async def asynchronous() -> Any:
        async with sdk.AsyncApiClient(signing_in) as client:
            return await sdk.AsyncUploadApi(client).upload_check_approval_required()

    with ThreadPoolExecutor(3) as pool:
        calls = [pool.submit(synchronous), *(pool.submit(asyncio.run, asynchronous()) for _ in range(2))]
        wait_until(lambda: len(service.sent(f"POST {REALM}/token")) == 1)
        service.token_gate.set()
        assert [call.result().requires_approval for call in calls] == [True] * 3

    assert len(service.logins) == 1


def test_two_programs_with_one_store_do_not_sign_each_other_out(twin: Twin, service: Service) -> None:
    store = Store()
    service.valid_tokens, service.token_life_s = set(), 1e-9
    first = sdk.Configuration(host=service.address, auth=person(token_store=store), pacing=False)
    twin.api("UploadApi", first).upload_check_approval_required()
    [key] = store.keys
    second = sdk.Configuration(host=service.address, auth=person(token_store=Stale(store), password=None), pacing=False)
    service.token_life_s = 900
    twin.api("UploadApi", first).upload_check_approval_required()

    twin.api("UploadApi", second).upload_check_approval_required()

    assert store.load(key) is not None
    assert [form["grant_type"] for form in service.logins] == ["password", "refresh_token", "refresh_token"]


class Stale(sdk.MemoryTokenStore):
    """Shows once what another program has replaced meanwhile."""

    def __init__(self, inner: sdk.MemoryTokenStore) -> None:
        super().__init__()
        self.inner = inner
        self.old: sdk.Tokens | None = next(iter(inner._tokens.values()))

    def load(self, key: sdk.TokenKey) -> sdk.Tokens | None:
        old, self.old = self.old, None
        return old if old is not None else self.inner.load(key)

    def save(self, key: sdk.TokenKey, tokens: sdk.Tokens | None) -> None:
        self.inner.save(key, tokens)


def test_a_cancelled_task_does_not_end_the_sign_in_it_began(service: Service) -> None:
    store = Store()
    service.valid_tokens, service.token_life_s = set(), 1e-9
    configuration = sdk.Configuration(host=service.address, auth=person(token_store=store), pacing=False)

    async def cancelled_in_the_middle() -> None:
        async with sdk.AsyncApiClient(configuration) as client:
            api = sdk.AsyncUploadApi(client)
            await api.upload_check_approval_required()
            service.token_life_s, service.token_gate = 900, threading.Event()
            task = asyncio.create_task(api.upload_check_approval_required())
            await asyncio.to_thread(wait_until, lambda: len(service.sent(f"POST {REALM}/token")) == 2)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            service.token_gate.set()
            await api.upload_check_approval_required()

    asyncio.run(cancelled_in_the_middle())

    assert [form["grant_type"] for form in service.logins] == ["password", "refresh_token"]
    [key] = store.keys
    assert store.load(key) is not None


class Broken(sdk.MemoryTokenStore):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def load(self, key: sdk.TokenKey) -> sdk.Tokens | None:
        if self.name == "load":
            raise PermissionError("no access to the store")
        return None

    def save(self, key: sdk.TokenKey, tokens: sdk.Tokens | None) -> None:
        raise OSError("no space left")


def test_a_token_store_that_cannot_be_read_is_a_failed_login(twin: Twin, service: Service) -> None:
    configuration = sdk.Configuration(host=service.address, auth=person(token_store=Broken("load")), pacing=False)
    with pytest.raises(sdk.LoginFailed, match=r"token store cannot be read .*no access"):
        twin.api("UploadApi", configuration).begin_upload_session()
    assert service.requests == []


def test_a_token_store_that_cannot_be_written_stops_nobody(
    twin: Twin, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    configuration = sdk.Configuration(host=service.address, auth=person(token_store=Broken("save")), pacing=False)
    assert twin.api("UploadApi", configuration).begin_upload_session().id
    assert "token store cannot be written" in caplog.text


def test_an_error_of_the_callers_own_callable_is_the_callers(twin: Twin, service: Service) -> None:
    def token() -> str:
        raise FileNotFoundError("token.txt")

    with pytest.raises(FileNotFoundError):
        twin.api("UploadApi", sdk.Configuration(host=service.address, access_token=token)).begin_upload_session()


@pytest.mark.parametrize("token", [lambda: None, lambda: b"abc", lambda: ""])
def test_what_is_no_token_is_not_sent(twin: Twin, service: Service, token: Any) -> None:
    with pytest.raises(sdk.InvalidRequest, match="access_token"):
        twin.api("UploadApi", sdk.Configuration(host=service.address, access_token=token)).begin_upload_session()
    assert service.requests == []


def test_the_configured_timeouts_hold_for_the_token_endpoint(twin: Twin, service: Service) -> None:
    service.token_gate = threading.Event()
    impatient = sdk.Configuration(
        host=service.address, auth=person(), retries=0, pacing=False, timeouts=sdk.Timeouts(read_s=0.1)
    )
    with pytest.raises(sdk.LoginUnavailable, match="could not be reached") as caught:
        twin.api("UploadApi", impatient).begin_upload_session()
    assert isinstance(caught.value.__cause__, httpx2.ReadTimeout)
    service.token_gate.set()


def test_the_request_after_a_401_takes_a_place(twin: Twin, service: Service) -> None:
    service.valid_tokens = {"new"}
    tokens = iter(["old", "new"])
    pacer = sdk.Pacer(per_second=0.001, burst=5)
    configuration = sdk.Configuration(host=service.address, access_token=lambda: next(tokens), pacing=pacer)

    twin.api("UploadApi", configuration).upload_check_approval_required()

    assert [pacer.reserve(time.time()) > 0 for _ in range(4)] == [False, False, False, True]
