"""Both ways of making a call, on one wire that is not there: what each sends, and what each makes of an answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

import botocore.awsrequest
import botocore.credentials
import botocore.handlers
import botocore.httpsession
import botocore.session
import pytest

from postureaudit.aws import guard, models
from postureaudit.aws.allowed import ALLOWED
from postureaudit.aws.clients import Clients
from postureaudit.aws.connections import Connections, Received

CALLS = sorted(ALLOWED)
THROUGH_BOTO3 = [call for call in CALLS if call.startswith(("s3:", "s3control:"))]
DIRECT = [call for call in CALLS if call not in THROUGH_BOTO3]
CREDENTIALS = botocore.credentials.Credentials("AKIDEXAMPLE", "secret", "token")


@dataclass
class Wire:
    """What was sent, and the answer that all get."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    direct: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    boto3: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.body, self.status = body, status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def put_up(self, patch: pytest.MonkeyPatch) -> None:
        """Take the place of both HTTP sessions."""

        def exchange(_: Any, host: Any, request: bytes, url: str) -> Received:
            self.direct.append(read(request, url))
            return Received(self.status, list(self.headers.items()), self.body)

        def send(_: Any, request: Any) -> Any:
            headers = {name.lower(): text(value) for name, value in request.headers.items()}
            body = request.body.encode() if isinstance(request.body, str) else request.body or b""
            self.boto3.append((request.method, request.url, headers, body))
            return botocore.awsrequest.AWSResponse(request.url, self.status, self.headers, _Raw(self.body))

        patch.setattr(Connections, "exchange", exchange)
        patch.setattr(botocore.httpsession.URLLib3Session, "send", send)


class _Raw:
    def __init__(self, body: bytes) -> None:
        self.body = body

    def stream(self) -> Iterator[bytes]:
        yield self.body


def read(request: bytes, url: str) -> tuple[str, str, dict[str, str], bytes]:
    """(method, URL, headers without those of HTTP itself, body) of a request's bytes."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, path, version = first.split(" ")
    pairs = [line.split(": ", 1) for line in lines]
    headers = {name.lower(): value for name, value in pairs}
    assert version == "HTTP/1.1" and len(headers) == len(pairs)
    base = url[: len(url) - len(path)]
    assert base + path == url and base.endswith("://" + headers.pop("host"))
    assert headers.pop("accept-encoding") == "identity"
    return method, url, headers, body


def text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def clients(
    patch: pytest.MonkeyPatch, *, direct: bool, read_timeout: float = 5, **environment: str
) -> Clients:
    """Clients of one way or the other; what moto taught botocore in this process is forgotten."""
    own = [item for item in botocore.handlers.BUILTIN_HANDLERS if "moto" not in str(item[1].__module__)]
    patch.setattr(botocore.handlers, "BUILTIN_HANDLERS", own)
    patch.setenv("AWS_CONFIG_FILE", "/nowhere")
    patch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    for name, value in {"POSTUREAUDIT_TRANSPORT": "" if direct else "botocore", **environment}.items():
        patch.setenv(name, value)
    core = botocore.session.Session()
    guard.install(core.get_component("event_emitter"))
    models.slim(core)
    return Clients(core, leader="us-east-1", read_timeout=read_timeout)


def filled(shape: Any, *, depth: int = 0, optional: bool = True, word: str = "a/b c+\u00fc&=%") -> Any:
    """A value for an input shape: every member, or only what is required."""
    match shape.type_name:
        case "structure":
            names = shape.members if optional and depth < 4 else shape.required_members
            return {
                name: filled(shape.members[name], depth=depth + 1, optional=optional, word=word)
                for name in names
            }
        case "list":
            return [filled(shape.member, depth=depth + 1, optional=optional, word=word)] * 2
        case "map":
            return {"key": filled(shape.value, depth=depth + 1, optional=optional, word=word)}
        case "integer" | "long":
            return 7
        case "float" | "double":
            return 2.5
        case "boolean":
            return True
        case "timestamp":
            return "2026-01-02T03:04:05Z"
        case "string":
            return shape.enum[0] if shape.enum else word
    raise AssertionError(shape.type_name)


class Built:
    """Bytes of an answer, made from an output shape. `style` turns the knobs that AWS turns."""

    def __init__(self, protocol: str, *, style: int = 0) -> None:
        self.protocol = protocol
        self.style = style
        self.count = style

    def answer(self, model: Any) -> bytes:
        shape = model.output_shape
        if self.protocol in ("json", "rest-json"):
            return json.dumps(self.json(shape, 0), ensure_ascii=self.style % 2 == 0).encode()
        inner = self.xml(shape, 0)
        wrapper = shape.serialization.get("resultWrapper")
        if wrapper:
            inner = f"<{wrapper}>{inner}</{wrapper}>"
        tail = "<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata><requestId>r</requestId>"
        space = ' xmlns="http://example.com/doc/"' if self.style % 2 == 0 else ""
        return f"<{model.name}Response{space}>{inner}{tail}</{model.name}Response>".encode()

    def scalar(self, shape: Any) -> Any:
        self.count += 1
        match shape.type_name:
            case "integer" | "long":
                return self.count
            case "float" | "double":
                return self.count + 0.5 if self.count % 2 else self.count
            case "boolean":
                return self.count % 2 == 0
            case "blob":
                return "aGVsbG8="
            case "timestamp":
                kinds = (1790000000, 1790000000.75, "2026-09-01T02:03:04Z", "2026-09-01T02:03:04.56+02:00")
                more = ("Tue, 01 Sep 2026 02:03:04 GMT", 0, "1790000000.5", "2026-09-01T02:03:04.123456789Z")
                return (*kinds, *more)[self.count % 8]
        words = ("plain", "h\u00e9 \u4e2d", "https://hooks.example.com/t/secret", "", "a<b>&c")
        return words[self.count % 5] if not shape.enum else shape.enum[self.count % len(shape.enum)]

    def members(self, shape: Any, depth: int) -> Mapping[str, Any]:
        names = list(shape.members)
        if getattr(shape, "is_tagged_union", False):
            names = names[self.count % len(names) :][:1]
        elif self.style % 3 == 1:
            names = names[:: 2 if depth else 1]
        return {name: shape.members[name] for name in names if depth < 7 or name in shape.required_members}

    def json(self, shape: Any, depth: int) -> Any:
        match shape.type_name:
            case "structure":
                found = {
                    member.serialization.get("name", name): self.json(member, depth + 1)
                    for name, member in self.members(shape, depth).items()
                }
                if not getattr(shape, "is_tagged_union", False):
                    if self.style % 2:
                        found |= {"ZzUnknown": {"deep": [1, None]}, "__type": "x"}
                    if self.style % 3 == 2 and found:
                        found[next(iter(found))] = None
                return found
            case "list":
                items = [self.json(shape.member, depth + 1) for _ in range(2 if depth < 6 else 0)]
                return [*items, None] if self.style % 4 == 3 else items
            case "map":
                return {
                    name: self.json(shape.value, depth + 1) for name in ("b", "Environment", "Endpoint", "a")
                }
        return self.scalar(shape)

    def xml(self, shape: Any, depth: int) -> str:
        match shape.type_name:
            case "structure":
                parts = [
                    self.element(member.serialization.get("name") or name, member, depth + 1)
                    for name, member in self.members(shape, depth).items()
                ]
                return "".join([*parts, "<ZzUnknown><a>1</a></ZzUnknown>" if self.style % 2 else ""])
            case "list":
                return self.items(shape, shape.member.serialization.get("name") or "member", depth)
            case "map":
                return "".join(self.entry(shape, name, "entry", depth) for name in ("b", "Endpoint", "a"))
        value = self.scalar(shape)
        return escape(str(value).lower() if isinstance(value, bool) else str(value))

    def element(self, name: str, shape: Any, depth: int) -> str:
        if shape.type_name == "list" and shape.serialization.get("flattened"):
            return self.items(shape, shape.member.serialization.get("name") or name, depth)
        if shape.type_name == "map" and shape.serialization.get("flattened"):
            return "".join(self.entry(shape, key, name, depth) for key in ("b", "a"))
        inner = self.xml(shape, depth)
        return f"<{name}>{inner}</{name}>" if inner else f"<{name}/>"

    def items(self, shape: Any, name: str, depth: int) -> str:
        return "".join(self.element(name, shape.member, depth + 1) for _ in range(2 if depth < 6 else 0))

    def entry(self, shape: Any, key: str, name: str, depth: int) -> str:
        first = shape.key.serialization.get("name") or "key"
        second = shape.value.serialization.get("name") or "value"
        value = self.xml(shape.value, depth + 1)
        return f"<{name}><{first}>{key}</{first}><{second}>{value}</{second}></{name}>"
