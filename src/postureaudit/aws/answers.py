"""From botocore's response to plain JSON: nothing secret, no clock types, no metadata."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Callable
from enum import Enum
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

# Beside what AWS's models mark sensitive: settings in which people keep passwords.
_SECRET = frozenset(
    {
        *("Environment", "environment", "ImageConfigResponse", "Code", "Content", "DefaultValue"),
        *("Input", "InputTransformer", "HttpParameters", "SageMakerPipelineParameters"),
        *("InputParameters", "ParameterValue"),  # of AWS Config's rules and conformance packs
    }
)
_SECRET_SERVICES = frozenset({"lambda", "ecs", "eks", "events", "ssm", "config"})
# Addresses of web hooks: whoever has one may post, so the path is a password.
_ADDRESSES = frozenset({("sns", "Endpoint"), ("events", "InvocationEndpoint"), ("events", "HttpEndpoint")})


def plain(body: Any, shape: Any, service: str) -> Any:
    """The answer in AWS's own spelling, with times as ISO 8601 UTC, without sensitive members and bytes.

    A setting in which people keep passwords stays as a member with nothing in it: that it is set can matter.
    Members are in the order of their names, as saved evidence has them, so that both give the same report.
    """
    match body:
        case dict():
            found = {}
            for name, value in sorted(body.items()):
                if name == "ResponseMetadata" or isinstance(value, bytes):
                    continue
                if service in _SECRET_SERVICES and name in _SECRET:
                    found[name] = {} if isinstance(value, dict) else ""
                    continue
                if (service, name) in _ADDRESSES and isinstance(value, str):
                    found[name] = address(value)
                    continue
                inner = _member(shape, name)
                if inner is not None and _sensitive(inner):
                    continue
                found[name] = plain(value, inner, service)
            return found
        case list():
            inner = shape.member if shape is not None and shape.type_name == "list" else None
            if inner is not None and _sensitive(inner):
                return []
            return [plain(item, inner, service) for item in body if not isinstance(item, bytes)]
        case datetime.datetime():
            return iso(body)
        case str() if not body.isascii():
            # Half of a surrogate pair is valid in JSON and in no file: it stays readable as \ud800.
            return body.encode("utf-8", "backslashreplace").decode()
        case str() | int() | float() | bool() | None:
            return body
        case _:
            return None  # a streaming body: never read


class Kept(Enum):
    """How much of a member's value is kept."""

    WHOLE = "whole"
    EMPTY = "empty"  # that it is set, and nothing of it
    ADDRESS = "address"  # of a URL only where it points
    NOTHING = "nothing"


class Rules:
    """`plain`'s decisions for one service, by a member's name and shape: for who compiles them once."""

    def __init__(self, service: str) -> None:
        self._empty = _SECRET if service in _SECRET_SERVICES else frozenset()
        self._addresses = frozenset(name for owner, name in _ADDRESSES if owner == service)

    def kept(self, name: str, shape: Any) -> Kept:
        """What of a structure's member is kept."""
        if name == "ResponseMetadata" or shape.type_name == "blob":
            return Kept.NOTHING
        if name in self._empty:
            return Kept.EMPTY
        if name in self._addresses and shape.type_name == "string":
            return Kept.ADDRESS
        return Kept.NOTHING if _sensitive(shape) else Kept.WHOLE

    def of_map(self, value: Any) -> Callable[[str], Kept]:
        """The same for a map's entries, by their name, where `value` is the shape of them all."""
        rest = Kept.NOTHING if _sensitive(value) else Kept.WHOLE
        special = {
            name: self.kept(name, value) for name in {"ResponseMetadata", *self._empty, *self._addresses}
        }
        return lambda name: special.get(name, rest)


def is_kept_in_lists(shape: Any) -> bool:
    """Whether a list's items of this shape are kept."""
    return not _sensitive(shape)


def address(text: str) -> str:
    """A URL as scheme, host and a hash of all the rest; what is no URL (an ARN, an e-mail address) as it is."""
    if not text.lower().startswith(("http://", "https://")):
        return text
    try:
        parts = urlsplit(text)
        host, scheme = parts.hostname or "", parts.scheme
    except ValueError:
        host, scheme = "", "https"
    return f"{scheme}://{host}/#sha256:{sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


@functools.lru_cache(maxsize=16384)
def _sensitive(shape: Any) -> bool:
    return bool(shape.metadata.get("sensitive"))


def _member(shape: Any, name: str) -> Any:
    if shape is None:
        return None
    if shape.type_name == "structure":
        return shape.members.get(name)
    return shape.value if shape.type_name == "map" else None


def iso(when: datetime.datetime) -> str:
    """ISO 8601 in UTC, to the second: 2026-11-24T09:53:00Z."""
    utc = when.astimezone(datetime.UTC) if when.tzinfo else when.replace(tzinfo=datetime.UTC)
    return utc.strftime("%Y-%m-%dT%H:%M:%SZ")
