"""Converters of JSON answers: the "json" and "rest-json" protocols."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import msgspec

from postureaudit.aws import answers
from postureaudit.aws.compiling import Compiler, Converter, NotCompiled, Odd, Part, moment


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


class Json(Compiler):
    """The "json" protocol: numbers as they come."""

    scalars: Mapping[str, Part] = {
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

    def part(self, shape: Any) -> Part:
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
        raise NotCompiled(shape.type_name)

    def made_structure(self, shape: Any) -> Part:
        self.check(shape)
        fields = [
            (member.serialization.get("name", name), name if kept else None, None if part is _text else part)
            for name, member, part, kept in self.fields(shape)
        ]
        return _union(shape, _json_structure(fields)) if shape.is_tagged_union else _json_structure(fields)

    def list_of(self, shape: Any) -> Part:
        if shape.member.type_name == "blob":
            raise NotCompiled(shape.name)
        part, kept = self.part(shape.member), answers.is_kept_in_lists(shape.member)

        def convert(value: Any) -> Any:
            if type(value) is not list:
                raise Odd
            found = [None if item is None else part(item) for item in value]
            return found if kept else []

        return convert

    def map_of(self, shape: Any) -> Part:
        if shape.key.type_name != "string" or shape.value.type_name == "blob":
            raise NotCompiled(shape.name)
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


class RestJson(Json):
    """The "rest-json" protocol: numbers are made what the shape says."""

    scalars: Mapping[str, Part] = {
        **Json.scalars,
        "integer": _integer,
        "long": _integer,
        "float": _float,
        "double": _float,
    }


def _json_structure(fields: list[tuple[str, str | None, Part | None]]) -> Part:
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


def _union(shape: Any, convert: Part) -> Part:
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
