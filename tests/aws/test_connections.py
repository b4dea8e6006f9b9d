"""Connections of the direct path: kept, closed, broken and mistrusted as botocore's own HTTP session does it."""

from __future__ import annotations

import contextlib
import datetime
import functools
import ipaddress
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import botocore.exceptions as failed
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from postureaudit.aws import connections
from postureaudit.aws.clients import Clients
from tests.aws.test_direct import outcome
from tests.aws.transports import CREDENTIALS, clients

READ_BUNDLES = ssl.SSLContext.load_verify_locations  # which other tests do without
BODY = b'{"KeyMetadata": {"KeyId": "k"}}'
ANSWER = {"KeyMetadata": {"KeyId": "k"}}
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\n"
WHOLE = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
CHUNKS = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"%x\r\n" % len(BODY) + BODY + b"\r\n0\r\n\r\n"


class Server:
    """A server of bytes: each request gets `reply`, and the connection is closed after it when `closes`."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.reply: bytes = WHOLE
        self.closes = False
        self.silent = False
        self.requests: list[bytes] = []
        self.accepted: list[socket.socket] = []
        self.streams: list[socket.socket] = []
        self._context = context
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.close()
        for sock in self.accepted:
            sock.close()

    def drop(self) -> None:
        """Close what is open, as AWS does with connections that nobody uses."""
        for stream in self.streams:
            with contextlib.suppress(OSError):  # it is closed already
                stream.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listening.accept()
            except OSError:
                return
            self.accepted.append(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        try:
            stream = self._context.wrap_socket(sock, server_side=True) if self._context else sock
            self.streams.append(stream)
            buffer = b""
            while True:
                while b"\r\n\r\n" not in buffer or len(buffer) < _length(buffer):
                    data = stream.recv(65536)
                    if not data:
                        return
                    buffer += data
                self.requests.append(buffer)
                buffer = b""
                if not self.silent:
                    stream.sendall(self.reply)
                if self.closes:
                    stream.close()
                    return
        except OSError:
            return


def _length(request: bytes) -> int:
    head, _, _ = request.partition(b"\r\n\r\n")
    given = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return len(head) + 4 + (int(given[0].partition(b":")[2]) if given else 0)


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that speaks plain HTTP."""
    made = Server()
    yield made
    made.close()


Ways = Callable[..., list[Clients]]


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> Ways:
    """Clients of the direct path and of boto3's, for an endpoint."""

    def make(url: str, **settings: Any) -> list[Clients]:
        made = []
        for direct in (True, False):
            made.append(clients(monkeypatch, direct=direct, AWS_ENDPOINT_URL=url, **settings))
            made[-1]._client("kms")
        return made

    return make


def key(way: Clients, region: str = "eu-west-1", credentials: Any = CREDENTIALS) -> dict[str, Any]:
    return way.answer("kms", "DescribeKey", {"KeyId": "k"}, region=region, credentials=credentials)


def test_a_connection_is_used_again(server: Server, ways: Ways) -> None:
    """Three calls, one connection; and the request on the wire is boto3's, header for header."""
    direct, boto3 = ways(f"http://127.0.0.1:{server.port}")
    for _ in range(3):
        assert key(direct) == ANSWER
    assert len(server.accepted) == 1

    key(boto3)
    *_, ours, theirs = (
        {line.partition(b":")[0].lower() for line in each.split(b"\r\n")} for each in server.requests
    )
    assert ours == theirs
    assert server.requests[-2].split(b"\r\n")[0] == server.requests[-1].split(b"\r\n")[0]


def test_a_connection_that_was_closed_in_between_is_not_used(server: Server, ways: Ways) -> None:
    """AWS closes idle connections: the next call opens another, and nobody sees an error."""
    direct, _ = ways(f"http://127.0.0.1:{server.port}")
    key(direct)
    server.drop()

    assert key(direct) == ANSWER
    assert len(server.accepted) == 2


@pytest.mark.parametrize(
    ("reply", "closes", "opened"),
    [
        (CHUNKS, False, 1),
        (HEAD + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY, False, 2),
        (HEAD + b"\r\n" + BODY, True, 2),
        (b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY, True, 2),
        (b"HTTP/1.1 100 Continue\r\nX: 1\r\n\r\n" + WHOLE, False, 1),
        (HEAD + b"X-Long: a\r\n  b\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY, False, 1),
        (WHOLE.replace(b"HTTP/1.1 200 OK", b"HTTP/1.1 200"), False, 1),
    ],
    ids=["chunked", "says close", "ends with the connection", "HTTP/1.0", "after 100", "folded", "no reason"],
)
def test_framings_of_answers(server: Server, ways: Ways, reply: bytes, closes: bool, opened: int) -> None:
    """However an answer's end is told, it is read whole, and the connection is kept only where it stays open."""
    server.reply, server.closes = reply, closes
    direct, boto3 = ways(f"http://127.0.0.1:{server.port}")

    assert key(direct) == key(direct) == ANSWER
    assert len(server.accepted) == opened
    assert key(boto3) == ANSWER


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"a" * 70000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 150 + b"\r\n",
        CHUNKS[:-30],
        CHUNKS.replace(b"1f\r\n", b"zz\r\n"),
        WHOLE[:-5],
        WHOLE.replace(b"200 OK", b"503 Slow"),
        WHOLE.replace(b"200 OK", b"204 None"),
    ],
    ids=[
        *("nothing", "garbage", "another version", "no status", "long header", "many headers"),
        *("cut chunk", "bad chunk", "cut body", "503", "204"),
    ],
)
def test_broken_answers_are_boto3s(server: Server, ways: Ways, reply: bytes) -> None:
    """The same exception with the same words; and a connection that broke is not used again."""
    server.reply, server.closes = reply, True
    direct, boto3 = ways(f"http://127.0.0.1:{server.port}")

    ours, theirs = (outcome(functools.partial(key, way)) for way in (direct, boto3))

    assert ours == theirs
    assert ours[0] != "{", "an answer, where there was none"
    server.reply, server.closes = WHOLE, False
    assert key(direct) == ANSWER


def test_silence_is_a_time_out(server: Server, ways: Ways) -> None:
    """Whoever does not answer in time is told from who refuses the connection."""
    server.silent = True
    pair = ways(f"http://127.0.0.1:{server.port}", read_timeout=0.2)
    silent = [outcome(functools.partial(key, way)) for way in pair]
    server.close()
    closed = socket.create_server(("127.0.0.1", 0))
    port = closed.getsockname()[1]
    closed.close()
    refused = [outcome(functools.partial(key, way)) for way in ways(f"http://127.0.0.1:{port}")]

    assert silent[0] == silent[1] and silent[0][0] == "ReadTimeoutError"
    assert refused[0] == refused[1] and refused[0][0] == "EndpointConnectionError"


def test_an_answer_that_stops_in_the_middle_is_a_time_out(server: Server, ways: Ways) -> None:
    """Half a body and then nothing: no answer, and told as the time-out that it is."""
    server.reply = WHOLE[:-5]
    pair = ways(f"http://127.0.0.1:{server.port}", read_timeout=0.2)
    found = [outcome(functools.partial(key, way)) for way in pair]

    assert found[0][0] == "ReadTimeoutError"
    assert found[1][0] != "{"


def test_a_request_larger_than_the_sockets_buffers_is_sent_whole(server: Server) -> None:
    """What the other side takes piece by piece is sent piece by piece."""
    made = connections.Connections(ssl.create_default_context(), connect_timeout=1, read_timeout=5)
    body = bytes(range(256)) * 40_000
    request = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    assert made.exchange(connections.Host("http", "127.0.0.1", server.port), request, "").body == BODY
    assert server.requests == [request]


def test_no_way_to_connect_in_time(ways: Ways, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that swallows packets is a connection's time-out, one without an address no endpoint."""
    direct, _ = ways("http://127.0.0.1:9")
    found = []
    for error in (TimeoutError("timed out"), socket.gaierror(-2, "Name or service not known")):

        def fail(*_: Any, error: OSError = error) -> None:
            raise error

        monkeypatch.setattr(socket, "create_connection", fail)
        found.append(outcome(functools.partial(key, direct))[0])

    assert found == ["ConnectTimeoutError", "EndpointConnectionError"]


def certificate(folder: Path, name: str) -> Path:
    """A file with a new key and a certificate for a host name and for no address."""
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([_alternative(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    keyed = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / f"{name}.pem"
    file.write_bytes(keyed + made.public_bytes(serialization.Encoding.PEM))
    return file


def _alternative(name: str) -> x509.GeneralName:
    if name[0].isdigit():
        return x509.IPAddress(ipaddress.ip_address(name))
    return x509.DNSName(name)


@pytest.mark.parametrize(
    ("named", "asked", "trusted", "fits"),
    [
        ("localhost", "localhost", True, True),
        ("127.0.0.1", "127.0.0.1", True, True),
        ("localhost", "localhost", False, False),
        ("other.example.com", "localhost", True, False),
        ("localhost", "127.0.0.1", True, False),
    ],
    ids=["name", "address", "unknown issuer", "another host", "a name for an address"],
)
def test_certificates_are_checked(
    ways: Ways,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    named: str,
    asked: str,
    trusted: bool,
    fits: bool,
) -> None:
    """Only a certificate of a known issuer, for this very host, is spoken to; the common name counts for nothing."""
    monkeypatch.setattr("ssl.SSLContext.load_verify_locations", READ_BUNDLES)
    file = certificate(tmp_path, named)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server = Server(context)
    bundle = file if trusted else certificate(tmp_path, "issuer.example.com")
    try:
        pair = ways(f"https://{asked}:{server.port}", AWS_CA_BUNDLE=str(bundle))
        ours, theirs = (outcome(functools.partial(key, way)) for way in pair)
    finally:
        server.close()

    assert ours[0] == theirs[0]
    assert (ours[0] == "{") == fits
    assert fits or (ours[0] == "SSLError" and not server.requests)


def test_a_bundle_that_cannot_be_read_is_named(
    ways: Ways, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AWS_CA_BUNDLE with a slip in it is told as what it is, before any call."""
    monkeypatch.setattr("ssl.SSLContext.load_verify_locations", READ_BUNDLES)
    (tmp_path / "empty.pem").write_text("none")
    for name in ("missing.pem", "empty.pem"):
        with pytest.raises(failed.SSLError, match=f"CA bundle .*{name}"):
            ways("https://127.0.0.1:9", AWS_CA_BUNDLE=str(tmp_path / name))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_process_opens_connections_of_its_own(server: Server, ways: Ways) -> None:
    """Two processes on one connection would read each other's answers."""
    direct, _ = ways(f"http://127.0.0.1:{server.port}")
    key(direct)

    child = os.fork()
    if not child:
        os._exit(0 if key(direct) == ANSWER else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert key(direct) == ANSWER
    assert len(server.accepted) == 2


def test_the_bundle_is_read_once(monkeypatch: pytest.MonkeyPatch, server: Server, ways: Ways) -> None:
    """Reading the CA bundle is what a connection costs most: one context serves both ways and all services."""
    read = []
    monkeypatch.setattr("ssl.SSLContext.load_verify_locations", lambda *given, **_: read.append(given[1:]))
    [direct] = ways(f"http://127.0.0.1:{server.port}")[:1]
    before = len(read)
    for service in ("ec2", "sts", "cloudtrail"):
        direct._client(service)
    key(direct)

    assert len(read) == before


def test_threads_aim_at_their_own_account_and_region(server: Server, ways: Ways) -> None:
    """Two hundred calls on eight threads: each is signed with its own keys, for its own region."""
    direct, _ = ways(f"http://127.0.0.1:{server.port}")

    def ask(number: int) -> None:
        own = type(CREDENTIALS)(f"AKID{number:03}", f"secret{number}", f"token{number}")
        key(direct, f"eu-test-{number % 17}", own)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(200)))

    found = set()
    for request in server.requests:
        head = request.decode()
        scope = head.partition("Credential=")[2].partition(",")[0].split("/")
        token = head.partition("X-Amz-Security-Token: token")[2].partition("\r\n")[0]
        found.add((scope[0], scope[2], token))
    assert found == {(f"AKID{number:03}", f"eu-test-{number % 17}", str(number)) for number in range(200)}
    assert len(server.accepted) <= 8


def test_idle_connections_are_bounded(server: Server) -> None:
    """Of many hosts, those are closed that were used the longest time ago."""
    made = connections.Connections(
        ssl.create_default_context(), connect_timeout=1, read_timeout=1, max_idle=3
    )
    request = b"GET / HTTP/1.1\r\n\r\n"
    hosts = [connections.Host("http", f"127.0.0.{number}", server.port) for number in (1, 1, 1, 1)]
    wires = [made._connected(host, "") for host in hosts]
    socks = [wire.sock for wire in wires]
    for number, wire in enumerate(wires):
        made._give_back(connections.Host("http", f"host{number}", 1), wire)

    assert made._count == 3 == sum(len(idle) for idle in made._idle.values())
    assert socks[0].fileno() == -1 and socks[3].fileno() != -1
    assert made.exchange(hosts[0], request, "").body == BODY
    made.close()
    assert all(sock.fileno() == -1 for sock in socks)


def test_without_room_no_connection_waits(server: Server) -> None:
    """Where a process may open few files, each request has a connection of its own."""
    made = connections.Connections(
        ssl.create_default_context(), connect_timeout=1, read_timeout=1, max_idle=0
    )
    host = connections.Host("http", "127.0.0.1", server.port)
    made.open_ahead(host, 2)
    for _ in range(2):
        assert made.exchange(host, b"GET / HTTP/1.1\r\n\r\n", "").body == BODY

    assert len(server.accepted) == 2 and not made._idle


@pytest.mark.parametrize("encrypted", [True, False], ids=["TLS", "plain"])
def test_connections_opened_ahead_are_used(
    ways: Ways, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encrypted: bool
) -> None:
    """Two are opened, whatever is asked for; the calls open no others. TLS sends tickets on them, which are no answer;
    nothing was sent before the first call."""
    monkeypatch.setattr("ssl.SSLContext.load_verify_locations", READ_BUNDLES)
    file = certificate(tmp_path, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server = Server(context if encrypted else None)
    try:
        scheme = "https" if encrypted else "http"
        direct, boto3 = ways(f"{scheme}://localhost:{server.port}", AWS_CA_BUNDLE=str(file))
        openings = [direct.opening("kms", "DescribeKey", "eu-west-1", most=2) for _ in range(3)]
        assert boto3.opening("kms", "DescribeKey", "eu-west-1", most=2) is None
        for opening in openings:
            assert opening is not None
            opening()
        wait_until(lambda: len(server.accepted) == 2)
        assert not server.requests

        for _ in range(3):
            assert key(direct) == ANSWER
        assert len(server.accepted) == 2
        server.drop()
        assert key(direct) == ANSWER
        assert len(server.accepted) == 3
    finally:
        server.close()


def test_a_connection_that_cannot_be_opened_ahead_is_the_calls_to_tell(
    ways: Ways, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate that nobody trusts, a port that nobody serves: silence first, then the error that it is."""
    monkeypatch.setattr("ssl.SSLContext.load_verify_locations", READ_BUNDLES)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path, "localhost"))
    server = Server(context)
    bundle = certificate(tmp_path, "issuer.example.com")
    said = []
    try:
        for url in (f"https://localhost:{server.port}", "http://localhost:9"):
            direct, _ = ways(url, AWS_CA_BUNDLE=str(bundle))
            opening = direct.opening("kms", "DescribeKey", "eu-west-1", most=1)
            assert opening is not None
            opening()
            said.append(outcome(functools.partial(key, direct))[0])
    finally:
        server.close()

    assert said == ["SSLError", "EndpointConnectionError"]


def test_a_call_waits_for_the_connection_that_is_being_opened(
    server: Server, ways: Ways, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is open sooner than another one would be; where it does not open, the call opens its own."""
    direct, _ = ways(f"http://127.0.0.1:{server.port}")
    opening = direct.opening("kms", "DescribeKey", "eu-west-1", most=2)
    assert opening is not None
    real, begun, go_on = connections.Connections._connected, threading.Event(), threading.Event()
    fails = [False, True]
    [made] = direct._connections.values()
    coming = made._coming

    def slow(self: connections.Connections, host: connections.Host, url: str) -> connections._Wire:
        if url:
            return real(self, host, url)
        begun.set()
        go_on.wait(5)
        if fails.pop(0):
            raise failed.ConnectTimeoutError(endpoint_url=url)
        return real(self, host, url)

    monkeypatch.setattr(connections.Connections, "_connected", slow)
    for opened in (1, 2):
        begun.clear(), go_on.clear()
        with ThreadPoolExecutor(2) as pool:
            ahead = pool.submit(opening)
            assert begun.wait(5)
            call = pool.submit(key, direct)
            wait_until(lambda: not any(coming.values()))
            go_on.set()
            assert call.result(5) == ANSWER and ahead.result(5) is None
        assert len(server.accepted) == opened
        server.drop()


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait for what another thread does, a few seconds at most."""
    for _ in range(500):
        if holds():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen")
