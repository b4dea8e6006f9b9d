"""Converters of XML answers: the "query" and "ec2" protocols."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from postureaudit.aws import answers
from postureaudit.aws.compiling import Compiler, Converter, NotCompiled, Odd, Part, moment


class Xml(Compiler):
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

    def part(self, shape: Any) -> Part:
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
        raise NotCompiled(shape.type_name)

    def made_structure(self, shape: Any) -> Part:
        self.check(shape)
        if shape.is_tagged_union:
            raise NotCompiled(shape.name)
        fields = {}
        order = []
        for name, member, part, kept in self.fields(shape):
            wire = _xml_name(member, name)
            if wire in fields:
                raise NotCompiled(f"{shape.name}.{name}")
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

    def list_of(self, shape: Any) -> Part:
        if shape.member.type_name == "blob" or shape.member.serialization.get("flattened"):
            raise NotCompiled(shape.name)
        part, kept = self.part(shape.member), answers.is_kept_in_lists(shape.member)

        def convert(nodes: Any) -> Any:
            found = [part(node) for node in nodes]
            return found if kept else []

        return convert

    def map_of(self, shape: Any) -> Part:
        if shape.key.type_name != "string" or shape.value.type_name != "string":
            raise NotCompiled(shape.name)
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


_XML_SCALARS: Mapping[str, Part] = {
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
