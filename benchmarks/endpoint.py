"""A local TLS endpoint with latency that answers one audit's call mix cheaply, and counts the calls."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import json
import re
import ssl
import sys
from collections import Counter
from pathlib import Path
from typing import ClassVar

REGIONS = [
    f"{area}-{side}-{number}"
    for area in ("us", "eu", "ap", "sa", "ca", "me")
    for side in ("east", "west", "central")
    for number in (1, 2)
]
TRAIL = "arn:aws:cloudtrail:us-east-1:111122223333:trail/main"
FEATURES = [{"name": f"FEATURE_{n}", "status": "ENABLED"} for n in range(9)]
RULES = [
    {"ConfigRuleName": f"rule-{n}", "Source": {"Owner": "AWS", "SourceIdentifier": "X"}} for n in range(20)
]
ANSWERS: dict[str, object] = {
    "DescribeTrails": {
        "trailList": [{"Name": "main", "TrailARN": TRAIL, "S3BucketName": "b", "HomeRegion": "us-east-1"}]
    },
    "GetTrailStatus": {"IsLogging": True, "LatestDeliveryTime": 1790000000},
    "GetEventSelectors": {"TrailARN": TRAIL, "EventSelectors": [{"ReadWriteType": "All"}]},
    "ListEventDataStores": {"EventDataStores": []},
    "DescribeConfigurationRecorders": {
        "ConfigurationRecorders": [{"name": "default", "roleARN": "arn:aws:iam::1:role/x"}]
    },
    "DescribeConfigurationRecorderStatus": {
        "ConfigurationRecordersStatus": [{"name": "default", "recording": True}]
    },
    "DescribeDeliveryChannels": {"DeliveryChannels": [{"name": "default", "s3BucketName": "b"}]},
    "DescribeDeliveryChannelStatus": {"DeliveryChannelsStatus": [{"name": "default"}]},
    "DescribeConfigRules": {"ConfigRules": RULES},
    "DescribeRetentionConfigurations": {"RetentionConfigurations": []},
    "DescribeKey": {"KeyMetadata": {"KeyId": "k", "KeyState": "Enabled"}},
    "DescribeLogGroups": {"logGroups": [{"logGroupName": f"g{n}"} for n in range(20)]},
    "ListClusters": {"clusterArns": []},
}
PATHS: list[tuple[str, object]] = [
    (r"GET /detector/[^/]+/filter", {"filterNames": ["one"]}),
    (r"GET /detector/[^/]+/publishingDestination", {"destinations": []}),
    (r"GET /detector/[^/? ]+[? ]", {"status": "ENABLED", "serviceRole": "r", "features": FEATURES}),
    (r"GET /detector", {"detectorIds": ["d1"]}),
    (r"GET /accounts", {"HubArn": "arn:aws:securityhub:us-east-1:111122223333:hub/default"}),
    (r"POST /standards/get", {"StandardsSubscriptions": []}),
    (r"GET /productSubscriptions", {"ProductSubscriptions": [f"arn:p{n}" for n in range(10)]}),
    (r"GET /findingAggregator/list", {"FindingAggregators": [{"FindingAggregatorArn": "arn-a"}]}),
    (r"GET /findingAggregator/get", {"FindingAggregatorArn": "arn-a", "RegionLinkingMode": "ALL_REGIONS"}),
    (r"GET /2015-03-31/functions", {"Functions": []}),
    (r"GET /clusters", {"clusters": []}),
    (r"POST /listRegions", {"Regions": []}),
]
COMPILED = [(re.compile(pattern), json.dumps(body).encode()) for pattern, body in PATHS]
TARGET = re.compile(r"x-amz-target: *\S+\.(\w+)", re.IGNORECASE)
LENGTH = re.compile(r"content-length: *(\d+)", re.IGNORECASE)
ACTION = re.compile(rb"Action=(\w+)")


def xml(action: str, regions: int) -> bytes:
    """The answers of the query services."""
    if action == "GetCallerIdentity":
        inner = "<Arn>arn:aws:sts::111122223333:assumed-role/bench/x</Arn><UserId>u</UserId>"
        inner += "<Account>111122223333</Account>"
        return f"<{action}Response><{action}Result>{inner}</{action}Result></{action}Response>".encode()
    if action == "DescribeRegions":
        item = "<item><regionName>{}</regionName><optInStatus>opt-in-not-required</optInStatus></item>"
        found = "".join(item.format(name) for name in REGIONS[:regions])
        return f"<{action}Response><regionInfo>{found}</regionInfo></{action}Response>".encode()
    return f"<{action}Response><reservationSet/><{action}Result/></{action}Response>".encode()


class Server(asyncio.Protocol):
    """One connection: requests are answered in order, each after the latency."""

    counts: ClassVar[Counter[str]] = Counter()
    connections = 0
    latency = 0.1
    regions = 17

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.buffer = b""
        Server.connections += 1

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].decode("latin-1")
            length = LENGTH.search(head)
            size = end + 4 + (int(length[1]) if length else 0)
            if len(self.buffer) < size:
                return
            body, self.buffer = self.buffer[end + 4 : size], self.buffer[size:]
            asyncio.get_running_loop().call_later(self.latency, self.answer, head, body)

    def answer(self, head: str, body: bytes) -> None:
        if head.startswith("GET /_stats"):
            found = json.dumps({"counts": self.counts, "connections": self.connections}).encode()
            return self.send(found)
        target = TARGET.search(head)
        if target:
            self.counts[target[1]] += 1
            return self.send(json.dumps(ANSWERS.get(target[1], {})).encode())
        action = ACTION.search(body)
        if action:
            self.counts[action[1].decode()] += 1
            return self.send(xml(action[1].decode(), self.regions))
        for pattern, found in COMPILED:
            if pattern.match(head):
                self.counts[pattern.pattern] += 1
                return self.send(found)
        self.counts["?" + head.split("\r\n")[0]] += 1
        return self.send(b"{}")

    def send(self, body: bytes) -> None:
        if not self.transport.is_closing():
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            self.transport.write(head.encode() + body)  # type: ignore[attr-defined]  # a stream's transport


def certificate(folder: Path) -> tuple[Path, Path]:
    """(server key and certificate, CA bundle padded with botocore's own, so that loading it costs what it does)."""
    import botocore
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = cert.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    server, bundle = folder / "server.pem", folder / "bundle.pem"
    server.write_bytes(private + pem)
    bundle.write_bytes((Path(botocore.__file__).parent / "cacert.pem").read_bytes() + b"\n" + pem)
    return server, bundle


async def serve(server: Path, latency: float, regions: int) -> None:
    """Listen on a free port of 127.0.0.1, print it, and answer until ended."""
    Server.latency, Server.regions = latency, regions
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server)
    listening = await asyncio.get_running_loop().create_server(
        Server, "127.0.0.1", 0, ssl=context, backlog=1024
    )
    print(listening.sockets[0].getsockname()[1], flush=True)
    await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), float(sys.argv[2]) / 1000, int(sys.argv[3])))
