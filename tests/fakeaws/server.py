"""The HTTP side: one threaded server, faults, paging and a call log in front of the handlers."""

from __future__ import annotations

import http.server
import os
import re
import socket
import threading
import time
from pathlib import Path
from typing import Any

from tests.fakeaws import protocol
from tests.fakeaws.handlers import HANDLERS
from tests.fakeaws.world import Failure, Fault, World

_SCOPE = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request")
# Signing name to botocore service, where they differ.
_SERVICES = {"monitoring": "cloudwatch"}
_TOKENS = (("NextToken", "NextToken"), ("nextToken", "nextToken"), ("ContinuationToken", "ContinuationToken"))


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256  # the walk opens many connections at once


class FakeAws:
    """A running fake AWS over a World; a context manager."""

    def __init__(self, world: World) -> None:
        self.world = world
        handler = type("Handler", (_Handler,), {"world": world})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> FakeAws:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def env(self) -> dict[str, str]:
        """The environment in which a child process sees this fake and nothing of this machine's AWS set-up."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "POSTUREAUDIT_"))
        }
        here = Path(__file__).parent
        return {
            **kept,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "AKIAFAKE",
            "AWS_SECRET_ACCESS_KEY": "fake",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": str(here / "none"),
            "AWS_SHARED_CREDENTIALS_FILE": str(here / "none"),
            "PYTHONPATH": str(here / "child"),
            "NO_COLOR": "1",
            "CI": "true",
        }


class _Handler(http.server.BaseHTTPRequestHandler):
    world: World
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_message(self, *_: Any) -> None:
        return

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, query = self.path.partition("?")
        match = _SCOPE.search(self.headers.get("Authorization", ""))
        if match is None:
            return self._send(403, {}, b"<Error><Code>MissingAuthenticationToken</Code></Error>")
        region, service = match[2], _SERVICES.get(match[3], match[3])
        if service == "s3" and self.headers.get("x-amz-account-id"):
            service = "s3control"
        try:
            operation, given = protocol.parse(service, self.command, path, query, self.headers, body)
            with self.world.lock:
                self.world.calls.append((self.world.account, region, service, operation))
                fault = self._fault(region, service, operation)
            if fault is not None and self._broken(fault, service):
                return None
            handler = HANDLERS.get(f"{service}:{operation}")
            if handler is None:
                raise Failure("NotImplementedByFake", f"{service}:{operation}", 501)
            with self.world.lock:
                found = self._paged(handler(self.world, region, given), given, service, operation)
                headers, data = protocol.answer(service, operation, found)
            self._send(200, headers, data)
        except Failure as error:
            headers, data = protocol.failure(service, error.code, error.message)
            self._send(error.status, headers, b"" if self.command == "HEAD" else data)
        except Exception as error:
            self.world.bugs.append(f"{service} {self.command} {self.path}: {error!r}")
            self._send(500, {"x-amzn-errortype": "FakeAwsBug"}, b"{}")
        return None

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _serve

    def _fault(self, region: str, service: str, operation: str) -> Fault | None:
        if service == "sts":
            candidates = [item for item in self.world.faults if item.service == "sts"]
        else:
            candidates = self.world.faults
        for fault in candidates:
            if not fault.fits(self.world.account, region, service, operation) or fault.times == 0:
                continue
            if fault.after > 0:
                fault.after -= 1
                continue
            if fault.times is not None:
                fault.times -= 1
            return fault
        return None

    def _broken(self, fault: Fault, service: str) -> bool:
        """Carry out a fault; True when the request is answered (or never will be)."""
        match fault.action:
            case "hang":
                time.sleep(fault.seconds)
                return False
            case "drop":
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
            case "garbage":
                self._send(200, {}, b"\x00 not an answer <")
            case _:
                code = str(fault.status) if self.command == "HEAD" else fault.code
                headers, data = protocol.failure(service, code, fault.message)
                self._send(fault.status, headers, b"" if self.command == "HEAD" else data)
        return True

    def _paged(
        self, found: dict[str, Any], given: dict[str, Any], service: str, operation: str
    ) -> dict[str, Any]:
        """Cut every answer that AWS would page, and honour the token."""
        spec = protocol.model(service).operation_model(operation)
        outputs = spec.output_shape.members if spec.output_shape else {}
        inputs = spec.input_shape.members if spec.input_shape else {}
        token = next((pair for pair in _TOKENS if pair[0] in outputs and pair[1] in inputs), None)
        if not self.world.page_size or token is None:
            return found
        start = int(given.get(token[1]) or 0)
        end = start + self.world.page_size
        cut = {name: value[start:end] if isinstance(value, list) else value for name, value in found.items()}
        longest = max((len(value) for value in found.values() if isinstance(value, list)), default=0)
        return {**cut, token[0]: str(end)} if end < longest else cut

    def _send(self, status: int, headers: dict[str, str], data: bytes) -> None:
        try:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)
        except OSError:
            self.close_connection = True
