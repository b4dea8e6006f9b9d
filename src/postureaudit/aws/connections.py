"""HTTP/1.1 connections that are kept open: one request at a time on each, one TLS context for all.

http.client reads the answers; what botocore's own HTTP session (urllib3) does beside it costs as much again as all
the rest of a request. Errors are the botocore exceptions which that session raises.
"""

from __future__ import annotations

import http.client
import io
import os
import select
import socket
import ssl
import threading
import weakref
from collections import Counter, OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple

from botocore import exceptions as failed

_BUFFER = 16384  # bytes read at once at most: as many as a TLS record has
MAX_IDLE = 512  # open connections that wait for their next request, to all hosts


class Received(NamedTuple):
    """An answer as it came: status, header lines, body."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Host(NamedTuple):
    """Where a connection goes."""

    scheme: str
    name: str
    port: int


class Connections:
    """All connections of a run. Threads share it; a connection is one thread's until its answer is read."""

    def __init__(
        self,
        context: ssl.SSLContext,
        *,
        connect_timeout: float,
        read_timeout: float,
        options: Sequence[tuple[int, int, int]] = (),
        max_idle: int = MAX_IDLE,
    ) -> None:
        self._max_idle = max_idle
        self._context = context
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._options = options
        self._begin()
        _ALL.add(self)

    def _begin(self) -> None:
        """With nothing open: at first, and in a forked process, whose parent goes on with what is open."""
        self._lock = threading.Lock()
        self._idle: OrderedDict[Host, list[_Wire]] = OrderedDict()  # longest unused first
        self._count = 0
        self._coming: dict[Host, list[Future[_Wire | None]]] = {}  # opened ahead, and not open yet
        self._ahead: Counter[Host] = Counter()  # how many were

    def exchange(self, host: Host, request: bytes, url: str) -> Received:
        """Send a request and read its answer. `url` is for the errors: botocore's, as its HTTP session raises them."""
        wire = self._take(host)
        try:
            if wire is None:
                wire = self._connected(host, url)
            wire.send(request)
            response = _Response(wire)  # type: ignore[arg-type]  # of which only makefile() is called
            try:
                response.begin()
                body = _whole(response)
                found = Received(response.status, response.lines, body)
                reusable = not response.will_close and response.isclosed()
            finally:
                response.close()
        except BaseException as error:
            if wire is not None:
                wire.close()
            match error:
                case failed.BotoCoreError():
                    raise
                case ssl.SSLError():
                    raise failed.SSLError(endpoint_url=url, error=error) from error
                case TimeoutError():
                    raise failed.ReadTimeoutError(endpoint_url=url, error=error) from error
                case OSError() | http.client.HTTPException():
                    raise failed.ConnectionClosedError(endpoint_url=url, error=error) from error
                case Exception():
                    raise failed.HTTPClientError(error=error) from error
            raise
        if reusable:
            self._give_back(host, wire)
        else:
            wire.close()
        return found

    def open_ahead(self, host: Host, most: int) -> None:
        """Open a connection for a request to come, unless `most` were opened so. One that fails leaves no trace."""
        coming: Future[_Wire | None] = Future()
        with self._lock:
            if self._ahead[host] >= most or self._count >= self._max_idle:
                return
            self._ahead[host] += 1
            awaited = self._coming.setdefault(host, [])
            awaited.append(coming)
        try:
            wire = self._connected(host, "")
        except Exception:  # the call that needs a connection meets the same, and tells it
            wire = None
        with self._lock:
            claimed = coming not in awaited
            if not claimed:
                awaited.remove(coming)
        if claimed:
            coming.set_result(wire)
        elif wire is not None:
            self._give_back(host, wire)

    def close(self) -> None:
        """Close what is idle."""
        with self._lock:
            idle = [wire for wires in self._idle.values() for wire in wires]
            self._idle.clear()
            self._count = 0
        for wire in idle:
            wire.close()

    def _take(self, host: Host) -> _Wire | None:
        """An idle connection that the other side has not closed, else one that is being opened, or None."""
        while True:
            with self._lock:
                wires = self._idle.get(host)
                if not wires:
                    awaited = self._coming.get(host)
                    coming = awaited.pop(0) if awaited else None
                    break
                wire = wires.pop()  # the one used last: the others may go
                self._count -= 1
                if not wires:
                    del self._idle[host]
            if not wire.spoilt():
                return wire
            wire.close()
        return coming.result() if coming else None

    def _give_back(self, host: Host, wire: _Wire) -> None:
        unused = None
        with self._lock:
            if self._count >= self._max_idle > 0:
                oldest = next(iter(self._idle))
                unused = self._idle[oldest].pop(0)
                self._count -= 1
                if not self._idle[oldest]:
                    del self._idle[oldest]
            if self._max_idle > 0:
                self._idle.setdefault(host, []).append(wire)
                self._idle.move_to_end(host)
                self._count += 1
            else:
                unused = wire
        if unused is not None:
            unused.close()

    def _connected(self, host: Host, url: str) -> _Wire:
        try:
            sock = socket.create_connection((host.name, host.port), self._connect_timeout)
        except TimeoutError as error:
            raise failed.ConnectTimeoutError(endpoint_url=url, error=error) from error
        except OSError as error:
            raise failed.EndpointConnectionError(endpoint_url=url, error=error) from error
        try:
            for option in self._options:
                sock.setsockopt(*option)
            if host.scheme == "https":
                sock = self._context.wrap_socket(sock, server_hostname=host.name)
            return _Wire(sock, self._read_timeout)
        except BaseException:
            sock.close()
            raise


_ALL: weakref.WeakSet[Connections] = weakref.WeakSet()


def _after_fork() -> None:
    for each in list(_ALL):
        each._begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class _Wire:
    """An open connection. The socket does not block: what has to wait, waits once, in poll.

    A socket with a time-out asks the kernel before each send and around each read whether it may, and lets other
    threads in each time: with a hundred of them that costs more than the request does.
    """

    __slots__ = ("_reading", "_timeout", "_writing", "sock")

    def __init__(self, sock: socket.socket, timeout: float) -> None:
        sock.setblocking(False)
        self.sock = sock
        self._timeout = timeout
        self._reading, self._writing = _Waiter(sock, write=False), _Waiter(sock, write=True)

    def send(self, data: bytes) -> None:
        """Send it all. Raises TimeoutError where the other side takes nothing for that long."""
        left = memoryview(data)
        while left:
            try:
                left = left[self.sock.send(left) :]
            except (ssl.SSLWantWriteError, BlockingIOError):
                self._writing.wait(self._timeout)
            except ssl.SSLWantReadError:
                self._reading.wait(self._timeout)

    def makefile(self, mode: str) -> io.BufferedReader:
        """What http.client reads an answer from."""
        return io.BufferedReader(_Answering(self), _BUFFER)

    def read(self, buffer: Any) -> int:
        """Read what there is, after waiting for it. Raises TimeoutError where nothing comes for that long."""
        while True:
            try:
                return self.sock.recv_into(buffer)
            except (ssl.SSLWantReadError, BlockingIOError):
                self._reading.wait(self._timeout)
            except ssl.SSLWantWriteError:
                self._writing.wait(self._timeout)

    def wait(self) -> None:
        """Wait until there is something to read."""
        self._reading.wait(self._timeout)

    def spoilt(self) -> bool:
        """Whether it has been closed by the other side while idle, or says something that nobody asked for."""
        try:
            if not self._reading.ready(0):
                return False
            self.sock.recv(1)
        except (ssl.SSLWantReadError, BlockingIOError):  # TLS's own: a session ticket, after the handshake
            return False
        except (OSError, ValueError):
            return True
        return True

    def close(self) -> None:
        self.sock.close()


class _Answering(io.RawIOBase):
    """The bytes of one answer. Waits before it reads first: the request has only just been sent."""

    def __init__(self, wire: _Wire) -> None:
        self._wire = wire
        self._begun = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._begun:
            self._begun = True
            self._wire.wait()
        return self._wire.read(buffer)


class _Waiter:
    """Waits until a socket can be read or written."""

    __slots__ = ("_poll", "_sock", "_write")

    def __init__(self, sock: socket.socket, *, write: bool) -> None:
        self._sock, self._write = sock, write
        self._poll = select.poll() if hasattr(select, "poll") else None
        if self._poll is not None:
            self._poll.register(sock, select.POLLOUT if write else select.POLLIN)

    def ready(self, seconds: float) -> bool:
        if self._poll is not None:
            return bool(self._poll.poll(seconds * 1000))
        socks = [self._sock]
        found = select.select([] if self._write else socks, socks if self._write else [], [], seconds)
        return bool(found[0] or found[1])

    def wait(self, seconds: float) -> None:
        if not self.ready(seconds):
            raise TimeoutError("timed out")


class _Response(http.client.HTTPResponse):
    """http.client's response, with the header lines read into a dictionary and not by its slow e-mail parser."""

    lines: list[tuple[str, str]]

    def begin(self) -> None:
        while True:
            version, status, reason = self._read_status()  # type: ignore[attr-defined]  # http.client's own
            self.lines = self._header_lines()
            if status != http.client.CONTINUE:
                break
        if not version.startswith("HTTP/1."):
            raise http.client.UnknownProtocol(version)
        self.code = self.status = status
        self.reason = reason.strip()
        self.version = 10 if version == "HTTP/1.0" else 11
        headers: dict[str, str] = {}
        for name, value in self.lines:
            headers.setdefault(name.lower(), value)
        self.headers = self.msg = headers  # type: ignore[assignment]  # of which only get() is called
        self.chunked = headers.get("transfer-encoding", "").lower() == "chunked"
        self.chunk_left = None
        self.length = None
        given = headers.get("content-length", "").strip()
        if given and not self.chunked:
            self.length = int(given) if given.isdecimal() else None
        if status in (http.client.NO_CONTENT, http.client.NOT_MODIFIED):
            self.length = 0
        self.will_close = self._check_close()  # type: ignore[attr-defined]  # http.client's own
        if not self.will_close and not self.chunked and self.length is None:
            self.will_close = True

    def _header_lines(self) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        while True:
            line = self.fp.readline(65537)
            if len(line) > 65536:
                raise http.client.LineTooLong("header line")
            if line in (b"\r\n", b"\n", b""):
                return found
            if len(found) > 100:
                raise http.client.HTTPException("got more than 100 headers")
            text = line.decode("iso-8859-1").rstrip("\r\n")
            if text[:1] in " \t" and found:
                name, value = found[-1]
                found[-1] = (name, f"{value} {text.strip()}")
                continue
            name, colon, value = text.partition(":")
            if not colon or not name or name != name.strip():
                raise http.client.HTTPException(f"no header line: {text[:100]!r}")
            found.append((name, value.strip()))


def _whole(response: http.client.HTTPResponse) -> bytes:
    """The body. A shorter one than announced comes as it is, as from botocore's session: it will not parse."""
    try:
        return response.read()
    except http.client.IncompleteRead as error:
        if response.chunked:
            raise
        response.will_close = True
        response.close()
        return error.partial


def tls_context(verify: Any, certificate: Any = None) -> Any:
    """botocore's TLS context with the CA bundle read once; certificates and host names are checked unless `verify` is
    False. `certificate` is a client certificate's file, or (certificate, key). Raises botocore's SSLError for a bundle
    or certificate that cannot be read."""
    from botocore.httpsession import create_urllib3_context, get_cert_path

    context = create_urllib3_context()
    if verify:
        bundle = get_cert_path(verify)
        try:
            context.load_verify_locations(bundle)
        except OSError as error:
            raise failed.SSLError(endpoint_url=f"CA bundle {bundle}:", error=error) from error
        context.check_hostname = True
        if hasattr(context, "hostname_checks_common_name"):
            context.hostname_checks_common_name = False
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if certificate:
        try:
            context.load_cert_chain(*((certificate,) if isinstance(certificate, str) else certificate))
        except OSError as error:
            raise failed.SSLError(endpoint_url=f"client certificate {certificate}:", error=error) from error
    return context
