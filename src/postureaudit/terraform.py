"""Terraform beside a fix's commands: one resource as HCL, from data in checks.yaml and what was read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any

import msgspec

from postureaudit.characters import acts
from postureaudit.evidence import Json

PROVIDER = ">= 6.0"  # the first with a region argument on every resource
_HOLE = re.compile(r"\{([A-Z][A-Za-z0-9_.\[\]]*)\}")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_RESERVED = frozenset(("region", "count", "for_each", "provider", "lifecycle", "depends_on"))


class Unwritable(Exception):
    """A value that no HCL can say safely: the reason, for people."""


class Template(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A resource that closes the gap, as the provider's documentation spells it.

    A mapping among the arguments is a nested block, a list of mappings several of them. Strings may hold
    {placeholders}; one that is only a placeholder takes the value as it is. `region` is where the resource is, "" for
    one that is of no region.
    """

    type: str
    arguments: dict[str, Json]
    region: str = "{Region}"


class Variable(msgspec.Struct, frozen=True):
    """A reference to what only the user knows: the need's name, as in --set."""

    need: str


Find = Callable[[str], Any]  # a placeholder's value: JSON, or a Variable


def block(template: Template, check: str, subject: str, find: Find) -> str:
    """The resource block, with a final newline. Raises Unwritable."""
    lines = _body(template.arguments, find, "  ")
    where = _where(template, find)
    if where:
        lines.insert(0, f'  region = "{text(where)}"')
    return "\n".join([f'resource "{template.type}" "{label(check, where, subject)}" {{', *lines, "}"]) + "\n"


def _where(template: Template, find: Find) -> str:
    hole = _HOLE.fullmatch(template.region)
    found = find(hole[1]) if hole else template.region
    if found is None or isinstance(found, str):
        return found or ""
    raise Unwritable("its region is not known")


def shown(template: Template) -> str:
    """The template with its placeholders, for people."""

    def find(name: str) -> Json | Variable:
        return Variable(name.removeprefix("Need.")) if name.startswith("Need.") else f"{{{name}}}"

    lines = _body(template.arguments, find, "  ")
    where = [f'  region = "{template.region}"'] if template.region else []
    return "\n".join([f'resource "{template.type}" "this" {{', *where, *lines, "}"])


def label(check: str, region: str, subject: str) -> str:
    """A resource's name, which AWS's text cannot shape: the check, the region and a hash of the subject."""
    parts = [check, region, sha256(subject.encode("utf-8", "replace")).hexdigest()[:8] if subject else ""]
    return re.sub(r"[^a-z0-9]+", "_", "_".join(filter(None, parts)).lower())


def variable(need: str, description: str) -> str:
    """The declaration of what only the user knows."""
    return (
        f'variable "{need.lower()}" {{\n  type        = string\n  description = "{text(description)}"\n}}\n'
    )


def versions() -> str:
    """The provider that the resources are written for."""
    return (
        "terraform {\n  required_providers {\n    aws = {\n"
        f'      source  = "hashicorp/aws"\n      version = "{PROVIDER}"\n    }}\n  }}\n}}\n'
    )


def needs(template: Template) -> tuple[str, ...]:
    """The names of what only the user knows, in the template."""
    return tuple(name.removeprefix("Need.") for name in holes(template.arguments) if name.startswith("Need."))


def holes(value: Json) -> Iterator[str]:
    """The names of all placeholders in a template's arguments."""
    match value:
        case str():
            yield from _HOLE.findall(value)
        case dict():
            for item in value.values():
                yield from holes(item)
        case list():
            for item in value:
                yield from holes(item)


def problems(template: Template) -> Iterator[str]:
    """What is wrong with a template's names."""
    if not re.fullmatch(r"aws_[a-z0-9_]+", template.type):
        yield f"terraform: {template.type!r} is no resource type of the AWS provider"
    for name in _names(template.arguments):
        if not _NAME.fullmatch(name):
            yield f"terraform: {name!r} is no argument's name"
    for name in sorted(_RESERVED & set(template.arguments)):
        yield f"terraform: {name} is not an argument of a template"


def text(value: str) -> str:
    """The inside of a quoted string: nothing in it starts a template, ends the string or acts on a terminal."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    # A run of $ or % before a brace would start a template; written as numbers, it is text for every parser.
    escaped = re.sub(r"[$%]+(?=\{|$)", lambda match: "".join(map(_number, match[0])), escaped)
    return "".join(_number(char) if acts(char) else char for char in escaped)


def _number(char: str) -> str:
    point = ord(char)
    if 0xD800 <= point <= 0xDFFF:
        raise Unwritable("a name holds half a character")
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"


def _names(arguments: Mapping[str, Json]) -> Iterator[str]:
    for name, value in arguments.items():
        yield name
        for block in value if isinstance(value, list) else [value]:
            if isinstance(block, dict):
                yield from _names(block)


def _body(arguments: Mapping[str, Json], find: Find, indent: str) -> list[str]:
    lines = []
    for name, value in arguments.items():
        blocks = value if isinstance(value, list) and value and isinstance(value[0], dict) else [value]
        if isinstance(blocks[0], dict):
            for block in blocks:
                lines += [f"{indent}{name} {{", *_body(block, find, indent + "  "), f"{indent}}}"]
        else:
            lines.append(f"{indent}{name} = {_value(value, find)}")
    return lines


def _value(value: Json, find: Find) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case str():
            whole = _HOLE.fullmatch(value)
            found = find(whole[1]) if whole else None
            if isinstance(found, Variable):
                return f"var.{found.need.lower()}"
            return _value(found, find) if whole and not isinstance(found, str) else _string(value, find)
        case list():
            return "[" + ", ".join(_value(item, find) for item in value) + "]"
        case _:
            raise Unwritable("a value is missing")


def _string(value: str, find: Find) -> str:
    parts: list[str] = []
    for index, part in enumerate(_HOLE.split(value)):
        found = find(part) if index % 2 else part
        match found:
            case Variable(need=need):
                parts.append(f"${{var.{need.lower()}}}")
            case str() | int() | float():
                parts.append(text(str(found)))
            case _:
                raise Unwritable(f"AWS gave no {part}")
    return '"' + "".join(parts) + '"'


def distinct(texts: Iterable[str]) -> str:
    """Resources of several places as one text, each once."""
    return "\n".join(dict.fromkeys(item for item in texts if item))
