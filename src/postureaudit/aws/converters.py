"""An output shape compiled to one function: from the bytes of an answer to what `answers.plain` makes of it.

botocore's parsers ask each member's shape anew what to do with it, and then `answers.plain` asks again. A converter
has asked once. It takes only answers that are exactly what the shape says; anything else raises, and the caller has
botocore's own parser decide (Odd is one such error; a converter may raise any other). Sources of what is done: the
parsers in botocore/parsers.py, which the tests compare with for every call of the allow-list.
"""

from __future__ import annotations

import base64
import datetime
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from postureaudit.aws import answers

Converter = Callable[[bytes], dict[str, Any]]
_Part = Callable[[Any], Any]
_LOCATED = ("location", "payload", "jsonvalue", "eventstream", "eventheader", "eventpayload", "xmlAttribute")
_ISO = re.compile(r"[12]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z", re.ASCII)
_LATEST = 32503680000  # the year 3000: beyond it botocore parses times in other ways


class Odd(Exception):
    """An answer is not what its shape says."""


class _Unusual(Exception):
    """A shape has something that is not compiled."""


def compiled(shape: Any, protocol: str, service: str) -> Converter | None:
    """The converter of an operation's output shape, or None where only botocore's own parser will do."""
    makers = {"json": _Json, "rest-json": _RestJson, "query": _Xml, "ec2": _Xml}
    if shape is None or protocol not in makers or not shape.members:
        return None
    try:
        return makers[protocol](service).whole(shape)
    except (_Unusual, RecursionError):
        return None


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


class _Compiler:
    """What the protocols have in common: which members are kept, under which names, in which order."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.rules = answers.Rules(service)
        self.structures: dict[str, _Part] = {}

    def whole(self, shape: Any) -> Converter:
        raise NotImplementedError

    def structure(self, shape: Any) -> _Part:
        """A structure's converter; one that holds itself finds its own by name once it is there."""
        name = shape.name
        if name not in self.structures:
            self.structures[name] = lambda value: self.structures[name](value)
            self.structures[name] = self.made_structure(shape)
        return self.structures[name]

    def made_structure(self, shape: Any) -> _Part:
        raise NotImplementedError

    def part(self, shape: Any) -> _Part:
        raise NotImplementedError

    def fields(self, shape: Any) -> Iterator[tuple[str, Any, _Part, bool]]:
        """(name, shape, converter, kept) of each member that has to be looked at, sorted by name."""
        for name in sorted(shape.members):
            member = shape.members[name]
            if any(key in member.serialization for key in _LOCATED):
                raise _Unusual(f"{shape.name}.{name}")
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
            raise _Unusual(shape.name)


def _emptied(part: _Part, *, is_dict: bool) -> _Part:
    def empty(value: Any) -> Any:
        part(value)
        return {} if is_dict else ""

    return empty


def _addressed(part: _Part) -> _Part:
    def addressed(value: Any) -> Any:
        found = part(value)
        return answers.address(found) if isinstance(found, str) else found

    return addressed


def _text(value: Any) -> Any:
    # msgspec refuses half a surrogate pair, so there is none to make readable here.
    if type(value) is not str:
        raise Odd
    return value


def _number(value: Any) -> Any:
    if type(value) is not int and type(value) is not float:
        raise Odd
    return value


def _integer(value: Any) -> Any:
    if type(value) is not int:
        raise Odd
    return value


def _float(value: Any) -> Any:
    if type(value) is not float and type(value) is not int:
        raise Odd
    return float(value)


def _boolean(value: Any) -> Any:
    if type(value) is not bool:
        raise Odd
    return value


def _blob(value: Any) -> Any:
    return base64.b64decode(_text(value))


class _Json(_Compiler):
    """The "json" protocol: numbers as they come."""

    scalars: Mapping[str, _Part] = {
        "string": _text,
        "character": _text,
        "boolean": _boolean,
        "integer": _number,
        "long": _number,
        "float": _number,
        "double": _number,
        "timestamp": moment,
        "blob": _blob,
    }

    def whole(self, shape: Any) -> Converter:
        convert, decode = self.structure(shape), msgspec.json.decode

        def from_bytes(body: bytes) -> dict[str, Any]:
            found: dict[str, Any] = convert(decode(body))
            return found

        return from_bytes

    def part(self, shape: Any) -> _Part:
        self.check(shape)
        match shape.type_name:
            case "structure":
                return self.structure(shape)
            case "list":
                return self.list_of(shape)
            case "map":
                return self.map_of(shape)
            case kind if kind in self.scalars:
                return self.scalars[kind]
        raise _Unusual(shape.type_name)

    def made_structure(self, shape: Any) -> _Part:
        self.check(shape)
        fields = [
            (member.serialization.get("name", name), name if kept else None, None if part is _text else part)
            for name, member, part, kept in self.fields(shape)
        ]
        return _union(shape, _json_structure(fields)) if shape.is_tagged_union else _json_structure(fields)

    def list_of(self, shape: Any) -> _Part:
        if shape.member.type_name == "blob":
            raise _Unusual(shape.name)
        part, kept = self.part(shape.member), answers.is_kept_in_lists(shape.member)

        def convert(value: Any) -> Any:
            if type(value) is not list:
                raise Odd
            found = [None if item is None else part(item) for item in value]
            return found if kept else []

        return convert

    def map_of(self, shape: Any) -> _Part:
        if shape.key.type_name != "string" or shape.value.type_name == "blob":
            raise _Unusual(shape.name)
        part, rule = self.part(shape.value), self.rules.of_map(shape.value)
        is_dict = shape.value.type_name in ("structure", "map")

        def convert(value: Any) -> Any:
            if type(value) is not dict:
                raise Odd
            found = {}
            for name in sorted(value):
                item = part(value[name])
                match rule(name):
                    case answers.Kept.WHOLE:
                        found[name] = item
                    case answers.Kept.EMPTY:
                        found[name] = {} if is_dict else ""
                    case answers.Kept.ADDRESS:
                        found[name] = answers.address(item) if isinstance(item, str) else item
            return found

        return convert


class _RestJson(_Json):
    """The "rest-json" protocol: numbers are made what the shape says."""

    scalars: Mapping[str, _Part] = {
        **_Json.scalars,
        "integer": _integer,
        "long": _integer,
        "float": _float,
        "double": _float,
    }


def _json_structure(fields: list[tuple[str, str | None, _Part | None]]) -> _Part:
    """Of (name on the wire, our name, converter): no name where it is not kept, no converter where it is a string."""

    def convert(value: Any) -> Any:
        if type(value) is not dict:
            raise Odd
        found = {}
        get = value.get
        for wire, name, part in fields:
            item = get(wire)
            if item is None:
                continue
            if part is None:
                if type(item) is not str:
                    raise Odd
            else:
                item = part(item)
            if name is not None:
                found[name] = item
        return found

    return convert


def _union(shape: Any, convert: _Part) -> _Part:
    """Of a tagged union exactly one member is set, and it is a known one."""
    known = {member.serialization.get("name", name) for name, member in shape.members.items()}

    def checked(value: Any) -> Any:
        if type(value) is not dict:
            raise Odd
        tags = [name for name, item in value.items() if item is not None and name != "__type"]
        if len(tags) != 1 or tags[0] not in known:
            raise Odd
        return convert(value)

    return checked


class _Xml(_Compiler):
    """The "query" and "ec2" protocols: elements of an XML document."""

    def whole(self, shape: Any) -> Converter:
        from botocore.compat import ETree

        convert, wrapper = self.structure(shape), shape.serialization.get("resultWrapper")

        def from_bytes(body: bytes) -> dict[str, Any]:
            parser = ETree.XMLParser(target=ETree.TreeBuilder(), encoding="utf-8")
            parser.feed(body)
            root = parser.close()
            if wrapper is not None:
                inner = [node for node in root if _local(node.tag) == wrapper]
                if len(inner) != 1:
                    raise Odd
                root = inner[0]
            found: dict[str, Any] = convert(root)
            return found

        return from_bytes

    def part(self, shape: Any) -> _Part:
        self.check(shape)
        match shape.type_name:
            case "structure":
                return self.structure(shape)
            case "list":
                return self.list_of(shape)
            case "map":
                return self.map_of(shape)
            case kind if kind in _XML_SCALARS:
                return _XML_SCALARS[kind]
        raise _Unusual(shape.type_name)

    def made_structure(self, shape: Any) -> _Part:
        self.check(shape)
        if shape.is_tagged_union:
            raise _Unusual(shape.name)
        fields = {}
        order = []
        for name, member, part, kept in self.fields(shape):
            wire = _xml_name(member, name)
            if wire in fields:
                raise _Unusual(f"{shape.name}.{name}")
            flat = member.type_name in ("list", "map") and bool(member.serialization.get("flattened"))
            fields[wire] = (name, part, kept, flat)
            order.append(name)

        def convert(node: Any) -> Any:
            found: dict[str, Any] = {}
            nodes: dict[str, list[Any]] = {}
            for child in node:
                nodes.setdefault(_local(child.tag), []).append(child)
            for wire, same in nodes.items():
                field = fields.get(wire)
                if field is None:
                    continue
                name, part, kept, flat = field
                if not flat and len(same) != 1:
                    raise Odd
                item = part(same if flat else same[0])
                if kept:
                    found[name] = item
            return {name: found[name] for name in sorted(found)} if len(found) > 1 else found

        return convert

    def list_of(self, shape: Any) -> _Part:
        if shape.member.type_name == "blob" or shape.member.serialization.get("flattened"):
            raise _Unusual(shape.name)
        part, kept = self.part(shape.member), answers.is_kept_in_lists(shape.member)

        def convert(nodes: Any) -> Any:
            found = [part(node) for node in nodes]
            return found if kept else []

        return convert

    def map_of(self, shape: Any) -> _Part:
        if shape.key.type_name != "string" or shape.value.type_name != "string":
            raise _Unusual(shape.name)
        rule = self.rules.of_map(shape.value)
        key_name = shape.key.serialization.get("name") or "key"
        value_name = shape.value.serialization.get("name") or "value"

        def convert(nodes: Any) -> Any:
            read: dict[str, str] = {}
            for entry in nodes:
                pair = {_local(child.tag): child.text or "" for child in entry}
                if len(entry) != 2 or set(pair) != {key_name, value_name}:
                    raise Odd
                read[pair[key_name]] = pair[value_name]
            found = {}
            for name in sorted(read):
                match rule(name):
                    case answers.Kept.WHOLE:
                        found[name] = read[name]
                    case answers.Kept.EMPTY:
                        found[name] = ""
                    case answers.Kept.ADDRESS:
                        found[name] = answers.address(read[name])
            return found

        return convert


def _local(tag: str) -> str:
    return tag.rpartition("}")[2] if tag[:1] == "{" else tag


def _xml_name(member: Any, name: str) -> str:
    """What a member's element is called: of a flattened list, what its items are."""
    if member.type_name == "list" and member.serialization.get("flattened"):
        inner = member.member.serialization.get("name")
        if inner is not None:
            return str(inner)
    return str(member.serialization.get("name") or name)


_XML_SCALARS: Mapping[str, _Part] = {
    "string": lambda node: node.text or "",
    "character": lambda node: node.text or "",
    "boolean": lambda node: node.text == "true",
    "integer": lambda node: int(node.text or ""),
    "long": lambda node: int(node.text or ""),
    "float": lambda node: float(node.text or ""),
    "double": lambda node: float(node.text or ""),
    "timestamp": lambda node: moment(node.text or ""),
    "blob": lambda node: base64.b64decode(node.text or ""),
}
