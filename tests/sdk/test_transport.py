"""Below the requests: certificates, proxies, HTTP/2, timeouts, the pool, and pacing on the wire."""

from __future__ import annotations

import os
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import pytest
import trustme
from service import Answer, Service, Stall, running
from twin import Api, Twin

import mangadex_openapi as sdk


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


@pytest.fixture
def server_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


def settings(address: str, **more: object) -> sdk.Configuration:
    return sdk.Configuration(host=address, access_token="t", retries=0, pacing=False, **more)  # type: ignore[arg-type]


def test_an_unknown_certificate_is_refused(twin: Twin, server_context: ssl.SSLContext) -> None:
    with running(Service(), server_context) as service:
        with pytest.raises(sdk.ConnectionFailed, match="certificate") as caught:
            twin.api("UploadApi", settings(service.address)).begin_upload_session()
        assert caught.value.maybe_sent is False
        assert service.requests == []


def test_a_given_authority_is_trusted(twin: Twin, server_context: ssl.SSLContext, ca_file: Path) -> None:
    with running(Service(), server_context) as service:
        api = twin.api("UploadApi", settings(service.address, ssl_ca_cert=ca_file))
        assert api.begin_upload_session().id


def test_verification_can_be_off(twin: Twin, server_context: ssl.SSLContext) -> None:
    with running(Service(), server_context) as service:
        assert twin.api("UploadApi", settings(service.address, verify_ssl=False)).begin_upload_session().id


def test_a_client_certificate_is_shown(
    twin: Twin, authority: trustme.CA, server_context: ssl.SSLContext, ca_file: Path, tmp_path: Path
) -> None:
    authority.configure_trust(server_context)
    server_context.verify_mode = ssl.CERT_REQUIRED
    own = authority.issue_cert("ann@example.org")
    own.private_key_pem.write_to_path(tmp_path / "key.pem")
    own.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    with running(Service(), server_context) as service:
        with pytest.raises(sdk.ConnectionFailed):
            twin.api("UploadApi", settings(service.address, ssl_ca_cert=ca_file)).begin_upload_session()
        with_own = settings(
            service.address, ssl_ca_cert=ca_file, cert_file=tmp_path / "cert.pem", key_file=tmp_path / "key.pem"
        )
        assert twin.api("UploadApi", with_own).begin_upload_session().id


def test_a_given_proxy_is_used(twin: Twin) -> None:
    with running(Service()) as proxy:
        proxy.fault(".*", Answer(404, None))
        far = sdk.Configuration(
            host="http://service.example", allow_plain_http=True, proxy=proxy.address, pacing=False, retries=0
        )
        with pytest.raises(sdk.NotFound):
            twin.api("UploadApi", far).get_upload_session()
        assert proxy.requests[0].headers["host"] == "service.example"


@pytest.mark.parametrize("trusted", [True, False])
def test_the_environments_proxy_is_used_unless_told_not_to(
    twin: Twin, trusted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(Service()) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.address)
        proxy.fault(".*", Answer(404, None))
        far = sdk.Configuration(
            host="http://service.invalid", allow_plain_http=True, trust_env=trusted, pacing=False, retries=0
        )
        with pytest.raises(sdk.NotFound if trusted else sdk.ConnectionFailed):
            twin.api("UploadApi", far).get_upload_session()
        assert len(proxy.requests) == trusted


def test_a_service_on_this_machine_is_not_asked_through_the_environments_proxy(
    twin: Twin, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(Service()) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.address)
        assert twin.api("UploadApi", settings(service.address)).begin_upload_session().id
        assert proxy.requests == []


class _GarbageHandler(socketserver.BaseRequestHandler):
    """Breaks the encryption in the middle of the answer."""

    def handle(self) -> None:
        self.request.recv(65_536)
        self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
        with socket.socket(fileno=os.dup(self.request.fileno())) as unencrypted:
            unencrypted.sendall(b"no TLS record " * 100)


@contextmanager
def tls_server(context: ssl.SSLContext, handler: type[socketserver.BaseRequestHandler]) -> Iterator[str]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"https://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_broken_encryption_is_a_broken_connection(twin: Twin, server_context: ssl.SSLContext, ca_file: Path) -> None:
    with tls_server(server_context, _GarbageHandler) as address:
        api = twin.api("UploadApi", settings(address, ssl_ca_cert=ca_file))
        with pytest.raises(sdk.ConnectionFailed, match=r"^begin_upload_session: the connection to 127\.0\.0\.1 broke"):
            api.begin_upload_session()
        raw = api.begin_upload_session_without_preload_content()
        with pytest.raises(sdk.ConnectionFailed):
            twin.finish(raw.read())


class _Http2Handler(socketserver.BaseRequestHandler):
    """Answers every request of a connection with an open session."""

    def handle(self) -> None:
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        connection.initiate_connection()
        self.request.sendall(connection.data_to_send())
        while data := self.request.recv(65_536):
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.DataReceived):
                    connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                if isinstance(event, h2.events.StreamEnded):
                    connection.send_headers(event.stream_id, [(":status", "404")])
                    connection.send_data(event.stream_id, b'{"id": "over-http2"}', end_stream=True)
            self.request.sendall(connection.data_to_send())


def test_http2_where_the_service_offers_it(twin: Twin, server_context: ssl.SSLContext, ca_file: Path) -> None:
    server_context.set_alpn_protocols(["h2"])
    with tls_server(server_context, _Http2Handler) as address:
        api = twin.api("UploadApi", settings(address, ssl_ca_cert=ca_file, http2=True))
        with pytest.raises(sdk.NotFound, match=r"^\(404\) Not Found: put_upload_session_file"):
            api.put_upload_session_file("some id", file=b"page" * 100_000)


@pytest.fixture
def stalled(service: Service) -> Iterator[threading.Event]:
    event = threading.Event()
    service.fault(".*", Stall(event))
    yield event
    event.set()


@pytest.mark.parametrize("timeout", [0.05, (5, 0.05)])
@pytest.mark.usefixtures("stalled")
def test_the_timeout_of_one_call(upload: Api, timeout: object) -> None:
    with pytest.raises(sdk.TimedOut, match="did not answer in time"):
        upload.begin_upload_session(_request_timeout=timeout)


@pytest.mark.usefixtures("stalled")
def test_the_configured_timeout(twin: Twin, service: Service) -> None:
    impatient = settings(service.address, timeouts=sdk.Timeouts(read_s=0.05))
    with pytest.raises(sdk.TimedOut):
        twin.api("UploadApi", impatient).begin_upload_session()


def test_pages_and_commits_have_a_timeout_of_their_own(twin: Twin, service: Service) -> None:
    quick = settings(service.address, timeouts=sdk.Timeouts(read_s=1e-9, slow_read_s=30))
    api = twin.api("UploadApi", quick)
    with pytest.raises(sdk.NotFound):
        api.put_upload_session_file("s", file=b"page")
    with pytest.raises(sdk.NotFound):
        api.commit_upload_session("s")


def test_a_service_that_stops_reading_ends_in_a_timeout(twin: Twin) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        deaf = settings(
            f"http://127.0.0.1:{listening.getsockname()[1]}", timeouts=sdk.Timeouts(write_s=0.1, slow_read_s=0.1)
        )
        with pytest.raises(sdk.TimedOut):
            twin.api("UploadApi", deaf).put_upload_session_file("s", file=bytes(30 << 20))


def test_a_full_pool_of_unread_answers_is_told(twin: Twin, service: Service) -> None:
    small = settings(service.address, connection_pool_maxsize=1, timeouts=sdk.Timeouts(pool_s=0.05))
    api = twin.api("UploadApi", small)
    held = api.get_upload_session_without_preload_content()

    with pytest.raises(sdk.TimedOut, match="raw answers"):
        api.get_upload_session()

    twin.finish(held.close())
    with pytest.raises(sdk.NotFound):
        api.get_upload_session()


def test_a_retry_of_an_unread_answer_gives_its_connection_back(twin: Twin, service: Service) -> None:
    small = sdk.Configuration(
        host=service.address, connection_pool_maxsize=1, pacing=False, retries=sdk.RetryPolicy(base_s=0)
    )
    service.fault(".*", Answer(503), Answer(503))

    raw = twin.api("UploadApi", small).get_upload_session_without_preload_content()

    assert raw.status == 404
    twin.finish(raw.close())


def test_the_pace_is_kept_by_all_clients_of_a_configuration(twin: Twin, service: Service) -> None:
    paced = sdk.Configuration(host=service.address, pacing=sdk.Pacer(per_second=50, burst=1), retries=0)
    apis = [twin.api("UploadApi", paced) for _ in range(2)]
    calls = [api.raw.upload_check_approval_required for api in apis for _ in range(5)]

    times: list[float] = []
    handle = service.handle

    def timed(request: object) -> tuple[int, object]:
        times.append(time.monotonic())
        return handle(request)  # type: ignore[arg-type]

    service.handle = timed  # type: ignore[method-assign]
    twin.all_at_once(calls)

    assert len(times) == 10
    assert max(times) - min(times) >= 9 / 50 * 0.8


def test_what_the_headers_say_is_learnt(twin: Twin, service: Service) -> None:
    pacer = sdk.Pacer()
    resets_at = int(time.time()) + 50
    limits = {"X-RateLimit-Limit": "10", "X-RateLimit-Remaining": "0", "X-RateLimit-Retry-After": str(resets_at)}
    service.fault("POST /upload/begin", Answer(409, None, limits))
    with pytest.raises(sdk.Conflict):
        twin.api("UploadApi", sdk.Configuration(host=service.address, pacing=pacer)).begin_upload_session()

    assert 40 < pacer.reserve(time.time(), "begin") <= 51
    assert pacer.reserve(time.time(), "commit") == 0
