"""A local TLS endpoint that answers as AWS does, after the latency of each region, and counts what it is asked.

python benchmarks/endpoint.py OPTIONS.json  prints its port and serves until it is ended. GET /_stats tells what it
counted, GET /_reset forgets it. It answers a request that it knows in some 0.1 ms of CPU, TLS included: one that
differs from all before is answered by answers.py, and the bytes are kept.
"""

from __future__ import annotations

import asyncio
import datetime
import json
import re
import resource
import ssl
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import answers
from limits import Limits

_SCOPE = re.compile(r"Credential=A[KS]IA(\d{12})?[^/]*/\d+/([^/]+)/([^/]+)/aws4_request")
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_TARGET = re.compile(rb"x-amz-target: *(\S+)", re.IGNORECASE)
_HOST = re.compile(rb"\r\nhost: *(\S+)", re.IGNORECASE)
_REGION = re.compile(rb"([a-z]{2}(?:-[a-z]+)+-\d)\.(?:amazonaws|api\.aws)")
_ROLE = re.compile(rb"RoleArn=arn%3Aaws%3Aiam%3A%3A(\d{12})%3Arole%2F([^&]+)", re.IGNORECASE)
_THROTTLED = {  # by protocol, as botocore recognises them
    "json": (400, b'{"__type":"ThrottlingException","message":"Rate exceeded"}'),
    "query": (
        400,
        b"<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>",
    ),
}


class Endpoint:
    """What all connections share: the answers, the counters, the limits."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.regions = tuple(options["regions"])
        self.latencies: dict[str, float] = options["latencies"]
        self.farthest = max(self.latencies.values(), default=0.0)
        self.round_trips: int = options["handshake_round_trips"]
        self.hanging = frozenset(options["hang"])
        self.faults: list[list[str]] = options["faults"]  # [region or *, service or *, code]
        self.refusing = frozenset(options["refusing"])  # accounts whose role cannot be assumed
        self.limits = Limits() if options["throttle"] else None
        accounts = options["accounts"]
        self.answers: answers.Answers = (
            answers.Mix(self.regions)
            if options["state"] == "mix"
            else answers.Accounts(options["state"], self.regions, accounts, lenient=options["lenient"])
        )
        self.known: dict[tuple[Any, ...], tuple[str, bytes, bool]] = {}
        self.reset()

    def reset(self) -> None:
        self.counts: Counter[str] = Counter()
        self.by_account: Counter[str] = Counter()
        self.by_agent: Counter[str] = Counter()
        self.throttles: Counter[str] = Counter()
        self.peaks: dict[str, int] = {}
        self.second = 0
        self.this_second: Counter[tuple[str, str, str]] = Counter()
        self.connections = self.requests = self.flying = self.peak_flying = 0
        self.missed = 0
        usage = resource.getrusage(resource.RUSAGE_SELF)
        self.started = usage.ru_utime + usage.ru_stime

    def stats(self) -> bytes:
        """The counters as JSON."""
        self._new_second(0)
        usage = resource.getrusage(resource.RUSAGE_SELF)
        world = getattr(self.answers, "world", None)
        found = {
            "counts": dict(sorted(self.counts.items())),
            "accounts": self.by_account,
            "throttles": self.throttles,
            "peak_tps": self.peaks,
            "connections": self.connections,
            "requests": self.requests,
            "peak_in_flight": self.peak_flying,
            "answered_anew": self.missed,
            "cpu": usage.ru_utime + usage.ru_stime - self.started,
            "bugs": list(world.bugs) if world else [],
            "missing": sorted(set(world.missing) & set(self.counts)) if world else [],
        }
        return json.dumps(found).encode()

    def _new_second(self, second: int) -> None:
        for (_, _, operation), count in self.this_second.items():
            if count > self.peaks.get(operation, 0):
                self.peaks[operation] = count
        self.this_second.clear()
        self.second = second

    def answer(self, head: bytes, body: bytes) -> tuple[float, bytes] | None:
        """(seconds to wait, the response), or None for no answer ever."""
        if head.startswith((b"GET /_stats", b"GET /_reset")):
            found = self.stats()
            if head.startswith(b"GET /_reset"):
                self.reset()
            return 0.0, _response(200, b"Content-Type: application/json\r\n", found)
        text = head.decode("latin-1")
        scope = _SCOPE.search(text)
        account, region, service = scope.groups() if scope else (None, "us-east-1", "unsigned")
        account = account or answers.MANAGEMENT
        region = "us-east-1" if region == "aws-global" else region
        operation, response, is_json = self._known(head, text, body, account, region, service)
        self._count(account, region, operation)
        latency = self.latencies.get(region, self.farthest)
        if region in self.hanging:
            return None
        if self.limits is not None and not self.limits.allows(account, region, operation, time.monotonic()):
            self.throttles[operation] += 1
            status, data = _THROTTLED["json" if is_json else "query"]
            return latency, _response(status, b"", data)
        return latency, response

    def _count(self, account: str, region: str, operation: str) -> None:
        self.requests += 1
        self.counts[operation] += 1
        self.by_account[account] += 1
        second = int(time.monotonic())
        if second != self.second:
            self._new_second(second)
        self.this_second[account, region, operation] += 1

    def _known(
        self, head: bytes, text: str, body: bytes, account: str, region: str, service: str
    ) -> tuple[str, bytes, bool]:
        if service == "sts" and body.startswith(b"Action=AssumeRole&"):
            return "sts:AssumeRole", self._assumed(body), False
        template = self.answers.template(account)
        own, other = account.encode(), template.encode()
        line = head[: head.find(b"\r\n")]
        target = _TARGET.search(head)
        host = _HOST.search(head)
        key = (
            template,
            region,
            service,
            line.replace(own, other),
            target and target[1],
            body.replace(own, other),
            host[1].replace(own, other) if host and service == "s3" else b"",
        )
        found = self.known.get(key)
        if found is None:
            found = self.known[key] = self._made(text, body, account, template, region, service)
            self.missed += 1
        operation, response, is_json = found
        if own != other and other in response:
            response = response.replace(other, own)  # both have twelve digits: the length stays
        return operation, response, is_json

    def _made(
        self, text: str, body: bytes, account: str, template: str, region: str, service: str
    ) -> tuple[str, bytes, bool]:
        method, _, rest = text.partition(" ")
        path = rest.partition(" ")[0]
        for where, what, code in self.faults:
            if where in ("*", region) and what in ("*", service) and service != "sts":
                data = json.dumps({"__type": code, "message": "a fault of the benchmark"}).encode()
                return (
                    f"{service}:fault",
                    _response(403, f"x-amzn-errortype: {code}\r\n".encode(), data),
                    True,
                )
        replaced = text.replace(account, template)
        path = path.replace(account, template)
        body = body.replace(account.encode(), template.encode())
        request = answers.Request(method, path, replaced, body, template, region, service)
        found = self.answers.answer(request)
        return (
            found.operation,
            _response(found.status, found.headers, found.body),
            not found.body.startswith(b"<"),
        )

    def _assumed(self, body: bytes) -> bytes:
        match = _ROLE.search(body)
        account = match[1].decode() if match else answers.MANAGEMENT
        role = match[2].decode() if match else "unknown"
        if account in self.refusing:
            text = f"User is not authorized to perform: sts:AssumeRole on arn:aws:iam::{account}:role/{role}"
            detail = f"<Error><Code>AccessDenied</Code><Message>{text}</Message></Error>"
            return _response(403, b"", f"<ErrorResponse>{detail}</ErrorResponse>".encode())
        ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
        inner = (
            f"<Credentials><AccessKeyId>ASIA{account}BENCH</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
            f"<SessionToken>t</SessionToken><Expiration>{ends:%Y-%m-%dT%H:%M:%SZ}</Expiration></Credentials>"
            f"<AssumedRoleUser><AssumedRoleId>AROABENCH:x</AssumedRoleId>"
            f"<Arn>arn:aws:sts::{account}:assumed-role/{role}/x</Arn></AssumedRoleUser>"
        )
        found = f"<AssumeRoleResponse><AssumeRoleResult>{inner}</AssumeRoleResult></AssumeRoleResponse>"
        return _response(200, b"Content-Type: text/xml\r\n", found.encode())


def _response(status: int, headers: bytes, body: bytes) -> bytes:
    start = b"HTTP/1.1 %d X\r\nContent-Length: %d\r\nx-amzn-RequestId: b\r\n" % (status, len(body))
    return start + headers + b"\r\n" + body


class Connection(asyncio.Protocol):
    """One connection. TLS is done here, over bytes in memory, so that a handshake can take its round trips."""

    def __init__(self, endpoint: Endpoint, context: ssl.SSLContext, loop: asyncio.AbstractEventLoop) -> None:
        self.endpoint = endpoint
        self.loop = loop
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.greeted = self.waiting = False
        self.shaken = False
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.endpoint.connections += 1

    def data_received(self, data: bytes) -> None:
        self.incoming.write(data)
        if not self.greeted:
            self.greeted = True
            region = _REGION.search(data)
            endpoint = self.endpoint
            # A name without a region (iam.amazonaws.com) is a global service's, which is in us-east-1.
            name = region[1].decode() if region else "us-east-1"
            near = endpoint.latencies.get(name, 0.0 if region else endpoint.farthest)
            if wait := near * endpoint.round_trips:
                self.waiting = True
                self.loop.call_later(wait, self.let_in)
                return
        if not self.waiting:
            self.go_on()

    def let_in(self) -> None:
        self.waiting = False
        if not self.transport.is_closing():
            self.go_on()

    def go_on(self) -> None:
        try:
            if not self.shaken:
                self.tls.do_handshake()
                self.shaken = True
            while data := self.tls.read(65536):
                self.buffer += data
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            self.transport.close()
            return
        self.flush()
        if self.buffer:
            self.take()

    def flush(self) -> None:
        if self.outgoing.pending:
            self.transport.write(self.outgoing.read())

    def take(self) -> None:
        """Answer the requests that have arrived whole."""
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end]
            length = _LENGTH.search(head)
            size = end + 4 + (int(length[1]) if length else 0)
            if len(self.buffer) < size:
                if b"100-continue" in head and len(self.buffer) == end + 4:
                    self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
                return
            body, self.buffer = self.buffer[end + 4 : size], self.buffer[size:]
            found = self.endpoint.answer(head, body)
            if found is None:
                continue
            endpoint = self.endpoint
            endpoint.flying += 1
            endpoint.peak_flying = max(endpoint.peak_flying, endpoint.flying)
            if found[0]:
                self.loop.call_later(found[0], self.respond, found[1])
            else:
                self.respond(found[1])

    def respond(self, response: bytes) -> None:
        self.endpoint.flying -= 1
        self.send(response)

    def send(self, data: bytes) -> None:
        if not self.transport.is_closing():
            self.tls.write(data)
            self.flush()


def contexts(folder: Path, regions: tuple[str, ...]) -> ssl.SSLContext:
    """The context of names that are no region's; it hands over to that of the region that the client names."""

    def load(name: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / f"{name}.pem")
        return context

    by_region = {name: load(name) for name in regions}
    local, somewhere = load("local"), by_region[regions[0]]

    def choose(connection: Any, name: str | None, _: ssl.SSLContext) -> None:
        if name is None or name.endswith(".127.0.0.1"):
            return
        match = _REGION.search(name.encode())
        connection.context = by_region.get(match[1].decode(), somewhere) if match else somewhere

    local.sni_callback = choose  # type: ignore[assignment]  # typeshed names the second argument otherwise
    return local


async def serve(options: dict[str, Any]) -> None:
    """Listen on a free port of 127.0.0.1, print it, and answer until ended."""
    endpoint = Endpoint(options)
    context = contexts(Path(options["folder"]), endpoint.regions)
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(
        lambda: Connection(endpoint, context, loop), "127.0.0.1", options.get("port", 0), backlog=4096
    )
    print(listening.sockets[0].getsockname()[1], flush=True)
    await listening.serve_forever()


def main() -> None:
    sys.path.insert(0, str(Path(__file__).parent))
    options = json.loads(Path(sys.argv[1]).read_text())
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard > 0 else soft, hard))
    try:
        import uvloop

        uvloop.run(serve(options))
    except ImportError:
        asyncio.run(serve(options))


if __name__ == "__main__":
    main()
