"""What the compilers of output shapes share: which members are kept, under which names, in which order; and times."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator
from typing import Any

from postureaudit.aws import answers

Converter = Callable[[bytes], dict[str, Any]]
Part = Callable[[Any], Any]
_LOCATED = ("location", "payload", "jsonvalue", "eventstream", "eventheader", "eventpayload", "xmlAttribute")
_ISO = re.compile(r"[12]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z", re.ASCII)
_LATEST = 32503680000  # the year 3000: beyond it botocore parses times in other ways


class Odd(Exception):
    """An answer is not what its shape says."""


class NotCompiled(Exception):
    """A shape has something that is not compiled."""


def moment(value: Any) -> str:
    """A timestamp of any kind that AWS sends, as ISO 8601 UTC to the second. Raises as botocore does."""
    if type(value) is str:
        if _ISO.fullmatch(value):
            datetime.datetime.fromisoformat(value[:19])
            return value[:19] + "Z"
    elif (type(value) is int or type(value) is float) and 0 <= value < _LATEST:
        return answers.iso(datetime.datetime.fromtimestamp(value, datetime.UTC))
    from botocore.utils import parse_timestamp

    return answers.iso(parse_timestamp(value))


class Compiler:
    """What the protocols have in common: which members are kept, under which names, in which order."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.rules = answers.Rules(service)
        self.structures: dict[str, Part] = {}

    def whole(self, shape: Any) -> Converter:
        raise NotImplementedError

    def structure(self, shape: Any) -> Part:
        """A structure's converter; one that holds itself finds its own by name once it is there."""
        name = shape.name
        if name not in self.structures:
            self.structures[name] = lambda value: self.structures[name](value)
            self.structures[name] = self.made_structure(shape)
        return self.structures[name]

    def made_structure(self, shape: Any) -> Part:
        raise NotImplementedError

    def part(self, shape: Any) -> Part:
        raise NotImplementedError

    def fields(self, shape: Any) -> Iterator[tuple[str, Any, Part, bool]]:
        """(name, shape, converter, kept) of each member that has to be looked at, sorted by name."""
        for name in sorted(shape.members):
            member = shape.members[name]
            if any(key in member.serialization for key in _LOCATED):
                raise NotCompiled(f"{shape.name}.{name}")
            part = self.part(member)
            kept = self.rules.kept(name, member)
            match kept:
                case answers.Kept.EMPTY:
                    yield name, member, _emptied(part, is_dict=member.type_name in ("structure", "map")), True
                case answers.Kept.ADDRESS:
                    yield name, member, _addressed(part), True
                case answers.Kept.WHOLE:
                    yield name, member, part, True
                case _ if member.type_name != "string":
                    yield name, member, part, False  # not kept, but an answer with nonsense in it is odd

    def check(self, shape: Any) -> None:
        if shape.metadata.get("exception") or getattr(shape, "is_document_type", False):
            raise NotCompiled(shape.name)


def _emptied(part: Part, *, is_dict: bool) -> Part:
    def empty(value: Any) -> Any:
        part(value)
        return {} if is_dict else ""

    return empty


def _addressed(part: Part) -> Part:
    def addressed(value: Any) -> Any:
        found = part(value)
        return answers.address(found) if isinstance(found, str) else found

    return addressed
