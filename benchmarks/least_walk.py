"""The least that the mix can cost in Python: a hand-written asyncio client that knows these 25 calls and no others.

It signs nothing, models nothing, retries nothing and keeps no answers; uvloop is used where it is installed.
Its CPU is the lower bound that the walk is compared with.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import ssl
import sys
import time
from typing import Any
from urllib.parse import quote

STARTED = time.perf_counter()

import mix  # noqa: E402 - its import is part of what is measured

PER_HOST = 3
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_TARGETS = {
    "cloudtrail": ("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101", "1.1"),
    "config": ("StarlingDoveService", "1.1"),
    "ecs": ("AmazonEC2ContainerServiceV20141113", "1.1"),
    "kms": ("TrentService", "1.1"),
    "logs": ("Logs_20140328", "1.1"),
}
_PATHS = {
    "guardduty:ListDetectors": ("GET", "/detector"),
    "guardduty:GetDetector": ("GET", "/detector/{DetectorId}"),
    "guardduty:ListFilters": ("GET", "/detector/{DetectorId}/filter"),
    "guardduty:ListPublishingDestinations": ("GET", "/detector/{DetectorId}/publishingDestination"),
    "securityhub:DescribeHub": ("GET", "/accounts"),
    "securityhub:GetEnabledStandards": ("POST", "/standards/get"),
    "securityhub:ListEnabledProductsForImport": ("GET", "/productSubscriptions"),
    "securityhub:ListFindingAggregators": ("GET", "/findingAggregator/list"),
    "securityhub:GetFindingAggregator": ("GET", "/findingAggregator/get/{FindingAggregatorArn}"),
    "lambda:ListFunctions": ("GET", "/2015-03-31/functions"),
    "eks:ListClusters": ("GET", "/clusters"),
}
_FOLLOWS = {
    "cloudtrail:DescribeTrails": ("cloudtrail", "kms", "logs"),
    "guardduty:ListDetectors": ("guardduty",),
}
_FOLLOWS["securityhub:ListFindingAggregators"] = ("securityhub",)


def request(service: str, operation: str, params: dict[str, Any], host: str, region: str) -> bytes:
    """The bytes of one call; its scope is there, its signature is not."""
    scope = f"AWS4-HMAC-SHA256 Credential=AKIA111122223333/20260101/{region}/{service}/aws4_request"
    head = f"Host: {host}\r\nAuthorization: {scope}\r\n"
    name = f"{service}:{operation}"
    body = b""
    if service in _TARGETS:
        prefix, version = _TARGETS[service]
        method, path, body = "POST", "/", json.dumps(params).encode()
        head += f"X-Amz-Target: {prefix}.{operation}\r\nContent-Type: application/x-amz-json-{version}\r\n"
    elif name in _PATHS:
        method, path = _PATHS[name]
        path = path.format(**{key: quote(str(value), safe="") for key, value in params.items()})
        body = b"{}" if method == "POST" else b""
    else:
        method, path, body = "POST", "/", f"Action={operation}&Version=2016-11-15".encode()
        head += "Content-Type: application/x-www-form-urlencoded\r\n"
    return f"{method} {path} HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Wire(asyncio.Protocol):
    """One connection, one call at a time."""

    def __init__(self) -> None:
        self.buffer = b""
        self.size = 0
        self.waiting: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.size:
            end = self.buffer.find(b"\r\n\r\n")
            length = _LENGTH.search(self.buffer, 0, end) if end >= 0 else None
            self.size = end + 4 + int(length[1]) if length else 0
        if self.size and len(self.buffer) >= self.size and self.waiting:
            body = self.buffer[self.buffer.find(b"\r\n\r\n") + 4 : self.size]
            self.buffer, self.size = self.buffer[self.size :], 0
            self.waiting.set_result(body)

    def ask(self, data: bytes, loop: asyncio.AbstractEventLoop) -> asyncio.Future[bytes]:
        self.waiting = loop.create_future()
        self.transport.write(data)
        return self.waiting


class Host:
    """Up to three connections to one host."""

    def __init__(self, context: ssl.SSLContext, name: str, address: tuple[str, int]) -> None:
        self.context, self.name, self.address = context, name, address
        self.idle: list[Wire] = []
        self.free = asyncio.Semaphore(PER_HOST)

    async def ask(self, data: bytes) -> Any:
        loop = asyncio.get_running_loop()
        async with self.free:
            if self.idle:
                wire = self.idle.pop()
            else:
                _, wire = await loop.create_connection(
                    Wire, *self.address, ssl=self.context, server_hostname=self.name
                )
            body = await wire.ask(data, loop)
            self.idle.append(wire)
        return json.loads(body) if body[:1] == b"{" else body


class Walk:
    """The calls of all regions."""

    def __init__(self) -> None:
        self.context = ssl.create_default_context(cafile=os.environ["AWS_CA_BUNDLE"])
        self.hosts: dict[str, Host] = {}
        self.calls = 0
        port = os.environ.get("POSTUREAUDIT_BENCH_PORT")
        self.one = None if port else os.environ["AWS_ENDPOINT_URL"].partition("//")[2]
        self.address = ("127.0.0.1", int(port or self.one.partition(":")[2]))  # type: ignore[union-attr]  # one of both

    async def call(self, service: str, operation: str, params: dict[str, Any], region: str) -> Any:
        prefix = "api.ecs" if service == "ecs-fargate" else service
        name = f"{prefix}.{region}.amazonaws.com"
        host = self.hosts.get(name)
        if host is None:
            server = "127.0.0.1" if self.one else name
            host = self.hosts[name] = Host(self.context, server, self.address)
        self.calls += 1
        return await host.ask(request(service, operation, params, name, region))

    async def first(self, item: tuple[str, str, dict[str, Any]], region: str) -> None:
        await self.call(*item, region)
        follows = _FOLLOWS.get(f"{item[0]}:{item[1]}", ())
        await asyncio.gather(*(self.call(*ask, region) for ask in mix.SECOND if ask[0] in follows))

    async def all(self) -> None:
        _, found = await asyncio.gather(
            self.call("sts", "GetCallerIdentity", {}, "us-east-1"),
            self.call("ec2", "DescribeRegions", {}, "us-east-1"),
        )
        names = re.findall(r"<regionName>([^<]+)", found.decode())
        await asyncio.gather(*(self.first(item, name) for name in names for item in mix.FIRST))


def main() -> None:
    walk = Walk()
    try:
        import uvloop

        uvloop.run(walk.all())
        loop = "uvloop"
    except ImportError:
        asyncio.run(walk.all())
        loop = "asyncio"
    usage = resource.getrusage(resource.RUSAGE_SELF)
    found = {
        "calls": walk.calls,
        "wall": time.perf_counter() - STARTED,
        "cpu": usage.ru_utime + usage.ru_stime,
        "rss_mb": usage.ru_maxrss / 1024,
        "loop": loop,
    }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
