"""The HTTP side: one threaded server, faults, paging and a call log in front of the handlers."""

from __future__ import annotations

import contextlib
import http.server
import itertools
import os
import re
import runpy
import socket
import threading
from pathlib import Path
from typing import Any

from . import protocol
from .faults import AwsError, Fault
from .handlers import HANDLERS
from .world import Call, World

CHILD = Path(__file__).parent / "child"
_OUT_TOKENS = ("NextToken", "nextToken", "NextMarker", "Marker", "ContinuationToken")
_IN_TOKENS = ("NextToken", "nextToken", "Marker", "ContinuationToken")
_LIMITS = ("MaxResults", "maxResults", "Limit", "limit", "MaxItems", "MaxRecords", "MaxBuckets")
_DEFAULT_PAGE = {
    "cloudwatch:DescribeAlarms": 50,
    "config:DescribeConfigRules": 25,
    "events:ListRules": 100,
    "logs:DescribeMetricFilters": 50,
    "securityhub:ListStandardsControlAssociations": 25,
    "sns:ListSubscriptions": 100,
    "sns:ListSubscriptionsByTopic": 100,
    "sns:ListTopics": 100,
}
_ACROSS = {"cloudwatch:DescribeAlarms"}  # one page is a cut through all lists, one after the other
_REGIONLESS = {
    *("iam", "organizations", "account", "s3", "s3control", "notifications", "notificationscontacts"),
}


class FakeAws:
    """A running fake AWS over a World; a context manager."""

    def __init__(self, world: World, port: int = 0) -> None:
        self.world = world
        self.stopping = threading.Event()
        handler = type("Handler", (_Handler,), {"world": world, "stopping": self.stopping})
        self._server = _Server(("127.0.0.1", port), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def bugs(self) -> list[str]:
        """What went wrong inside the fake itself."""
        return self.world.bugs

    def start(self) -> FakeAws:
        """Listen, in a thread of this process."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening, and let hanging answers go."""
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> FakeAws:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def env(self, account: str | None = None) -> dict[str, str]:
        """The environment in which a child process sees this fake."""
        return env(self, account)


def env(server: FakeAws, account: str | None = None) -> dict[str, str]:
    """The environment in which a child process sees this fake and nothing of this machine's AWS set-up."""
    own = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "POSTUREAUDIT_"))}
    own.pop("PYTHONDONTWRITEBYTECODE", None)  # it doubles the start of every child
    key, secret = server.world.credentials(account)
    path = os.pathsep.join(filter(None, [str(CHILD), own.get("PYTHONPATH", "")]))
    return {
        **own,
        "AWS_ENDPOINT_URL": server.url,
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        "AWS_PAGER": "",
        "PYTHONPATH": path,
        "NO_COLOR": "1",
        "CI": "true",
    }


def resolve_account_hosts() -> None:
    """In this process too, let `ACCOUNT.127.0.0.1` (S3 Control's host) lead to the fake."""
    if socket.getaddrinfo.__module__ == "socket":
        runpy.run_path(str(CHILD / "sitecustomize.py"))


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def handle_error(self, request: Any, client_address: Any) -> None:
        return


class _Handler(http.server.BaseHTTPRequestHandler):
    world: World
    stopping: threading.Event
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, *_: Any) -> None:
        return

    def _serve(self) -> None:
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = protocol.Request(self.command, path, query, self.headers, body)  # type: ignore[arg-type]
        service = "sts"
        try:
            key, region, service = request.scope
            name, given = protocol.parse(request, service)
            call = self.world.call(key, region, service, name)
            fault = self._record(call, given)
            if fault is not None and self._broken(fault, service, call):
                return
            self._reachable(call)
            self._send(*self._answer(call, given))
        except AwsError as error:
            self._send(*protocol.failure(service, error))
        except Exception as error:
            self.world.bugs.append(f"{service} {self.command} {self.path}: {error!r}")
            self._send(
                500,
                {"x-amzn-errortype": "FakeAwsBug"},
                f'{{"__type":"FakeAwsBug","message":"{type(error)}"}}'.encode(),
            )

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = do_PATCH = _serve

    def _record(self, call: Call, given: dict[str, Any]) -> Fault | None:
        where = (call.account.id, call.region, call.service, call.operation)
        with self.world.lock:
            self.world.calls.append((*where, given))
            return next((item for item in self.world.faults if item.fits(*where) and item.due()), None)

    def _answer(self, call: Call, given: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        handler = HANDLERS.get(f"{call.service}:{call.operation}")
        if handler is None:
            self.world.missing.append(f"{call.service}:{call.operation}")
            raise AwsError("NotImplementedByFake", f"{call.service}:{call.operation}", 501)
        with self.world.lock:
            found = _page(call, given, handler(call, given), self.world.page_size)
            return protocol.answer(call.service, call.operation, found)

    def _reachable(self, call: Call) -> None:
        """Refuse what a region that is not enabled refuses."""
        if call.region in call.account.regions or call.service in _REGIONLESS:
            return
        message = "The security token included in the request is invalid."
        code, status = {"ec2": ("AuthFailure", 401), "query": ("InvalidClientTokenId", 403)}.get(
            protocol.protocol_of(call.service), ("UnrecognizedClientException", 400)
        )
        raise AwsError(code, message, status)

    def _broken(self, fault: Fault, service: str, call: Call) -> bool:
        """Carry out a fault; True when the request is answered (or never will be)."""
        if fault.delay or fault.action == "hang":
            self.stopping.wait(fault.delay or 3600)
        if fault.delay and not fault.code and fault.action in ("error", "hang"):
            return False
        match fault.action:
            case "drop" | "hang":
                self.close_connection = True
                with contextlib.suppress(OSError):
                    self.connection.shutdown(socket.SHUT_RDWR)
            case "answer":
                self._send(fault.status or 200, {"Content-Type": "text/html"}, fault.body)
            case "cut":
                self.close_connection = True
                self._send(200, {}, b"{", length=1000)
            case "garbage":
                self._send(200, {}, b"\x00 not an answer <")
            case "expire_after_n":
                code = fault.code or _spelling(service, "ExpiredToken")
                text = fault.message or "The security token included in the request is expired"
                raise AwsError(code, text, fault.status or 400)
            case _:
                text = (
                    fault.message
                    or f"User: {call.arn} is not authorized to perform: {service}:{call.operation}"
                )
                raise AwsError(fault.code or _spelling(service, "AccessDenied"), text, fault.status or 403)
        return True

    def _send(self, status: int, headers: dict[str, str], data: bytes, *, length: int | None = None) -> None:
        with contextlib.suppress(OSError):
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() != "content-length":
                    self.send_header(name, str(value))
            self.send_header("Content-Length", "0" if self.command == "HEAD" else str(length or len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)
            self.wfile.flush()


def _spelling(service: str, code: str) -> str:
    """An error code as the service's protocol spells it."""
    kind = protocol.protocol_of(service)
    if kind == "ec2":
        return {"AccessDenied": "UnauthorizedOperation", "ExpiredToken": "RequestExpired"}[code]
    plain = kind not in ("json", "rest-json") or protocol.keeps_query_codes(service)
    return code if plain else code + "Exception"


def _page(call: Call, given: dict[str, Any], found: dict[str, Any], size: int | None) -> dict[str, Any]:
    """The page of an answer that the token asks for, of every operation that has a token."""
    spec = protocol.operation(call.service, call.operation)
    outputs = spec.output_shape.members if spec.output_shape else {}
    inputs = spec.input_shape.members if spec.input_shape else {}
    out = next((name for name in _OUT_TOKENS if name in outputs), None)
    token = next((name for name in _IN_TOKENS if name in inputs), None)
    if out is None or token is None or found.get(out):
        return found
    asked = next((int(given[name]) for name in _LIMITS if given.get(name)), None)
    default = _DEFAULT_PAGE.get(f"{call.service}:{call.operation}")
    sizes = [number for number in (size, asked or default) if number]
    start = _offset(given.get(token))
    if not sizes and not start:
        return found
    end = start + min(sizes, default=10**6)
    lists = {name: value for name, value in found.items() if isinstance(value, list)}
    starts = dict.fromkeys(lists, 0)
    if f"{call.service}:{call.operation}" in _ACROSS:
        before = itertools.accumulate((len(value) for value in lists.values()), initial=0)
        starts = dict(zip(lists, before, strict=False))
    cut: dict[str, Any] = {**found}
    for name, value in lists.items():
        cut[name] = value[max(start - starts[name], 0) : max(end - starts[name], 0)]
    if end < max((starts[name] + len(value) for name, value in lists.items()), default=0):
        cut[out] = f"page-{end}"
        if "IsTruncated" in outputs:
            cut["IsTruncated"] = True
    return cut


def _offset(token: str | None) -> int:
    match = re.fullmatch(r"page-(\d+)", token or "page-0")
    if match is None:
        raise AwsError("InvalidNextTokenException", "The specified next token is not valid")
    return int(match[1])
