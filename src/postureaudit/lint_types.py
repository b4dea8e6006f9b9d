"""What a path of facts can hold: its JSON types, its words and its members, from AWS's models and our Structs."""

from __future__ import annotations

import functools
import types as python_types
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from postureaudit import shapes
from postureaudit.catalog import TOP_LEVEL
from postureaudit.evidence import Json, Refusal
from postureaudit.problems import near
from postureaudit.resources import Facet, ResourceType, Shape

_ANYTHING = object()


class Type(msgspec.Struct, frozen=True):
    """What a path ends at. `kinds` are JSON types, none where anything may be; null is always possible.

    `values` are the texts that it can be, where they are a closed list. `source` says what is inside: a botocore
    shape, a Python type, a `Type` (of a list's items), or a dict of them. `name` is the path, for messages.
    """

    kinds: frozenset[str] = frozenset()
    values: tuple[str, ...] = ()
    source: Any = _ANYTHING
    name: str = ""

    def item(self) -> Type:
        """What the items of a list are, or the values of a map."""
        match self.source:
            case Type():
                return self.source
            case source if _is_shape(source):
                found = shapes.descend(source, "[]") or shapes.descend(source, "*")
                return ANYTHING if found is None else of(found, self.name + "[]")
            case _:
                return _python_item(self.source, self.name + "[]")

    def names(self) -> dict[str, Callable[[], Type]] | None:
        """The members of an object by name; None where any name may be."""
        if isinstance(self.source, dict):
            return {name: lambda found=found: found for name, found in self.source.items()}  # type: ignore[misc]  # the default is bound
        if _is_shape(self.source):
            if self.source.type_name != "structure":
                return None
            return {
                name: lambda shape=shape, name=name: of(shape, _dotted(self.name, name))  # type: ignore[misc]  # bound
                for name, shape in self.source.members.items()
            }
        found: dict[str, Callable[[], Type]] = {}
        for option in _options(self.source):
            if not (isinstance(option, type) and issubclass(option, msgspec.Struct)):
                return None
            hints = _hints(option)
            for name in option.__struct_fields__:
                found[name] = lambda hint=hints[name], name=name: of(hint, _dotted(self.name, name))  # type: ignore[misc]  # bound
        return found

    def member(self, name: str) -> Type:
        """The member of this name. Raises ShapeError when there can be none."""
        if not self.kinds:
            return ANYTHING
        if "object" not in self.kinds:
            what = f"{self.name} is a {listed(self.kinds)}" if self.name else "this"
            hint = "write [] behind a list" if "array" in self.kinds else ""
            raise shapes.ShapeError(f"{what} has no {name!r}", hint=hint)
        names = self.names()
        if names is None:
            found = self.item()
            return msgspec.structs.replace(found, name=_dotted(self.name, name))
        if name not in names:
            raise shapes.ShapeError(f"{self.name or 'the item'} has no {name!r}", hint=near(name, names))
        return names[name]()


ANYTHING = Type()
BOOLEAN = Type(frozenset({"boolean"}))
NUMBER = Type(frozenset({"number"}))
TEXT = Type(frozenset({"string"}))


def of(source: Any, name: str = "") -> Type:
    """The type of a botocore shape or of a Python annotation."""
    if _is_shape(source):
        leaf = shapes.leaf(source)
        return Type(frozenset({leaf.type}), leaf.enum, source, name)
    kinds: set[str] = set()
    values: list[str] = []
    for option in _options(source):
        kind = _kind(option)
        if not kind:
            return Type(name=name)
        kinds.add(kind)
        if typing.get_origin(option) is typing.Literal:
            values += [str(value) for value in typing.get_args(option)]
        elif words := _words(option):
            values += words
        elif kind == "string":
            return Type(frozenset(kinds), (), source, name)
    return Type(frozenset(kinds), tuple(values), source, name)


def of_value(value: Json, name: str = "") -> Type:
    """The type of a literal or of a parameter's default; a text is its own closed list."""
    match value:
        case None:
            return Type(frozenset({"null"}), name=name)
        case bool():
            return msgspec.structs.replace(BOOLEAN, name=name)
        case int() | float():
            return msgspec.structs.replace(NUMBER, name=name)
        case str():
            return Type(frozenset({"string"}), (value,), str, name)
        case list():
            items = [of_value(item) for item in value]
            texts = tuple(text for item in items for text in item.values)
            same = len({item.kinds for item in items}) == 1
            inside = Type(items[0].kinds, texts, items[0].source, name) if same else ANYTHING
            return Type(frozenset({"array"}), (), inside, name)
        case _:
            return Type(
                frozenset({"object"}),
                (),
                {key: of_value(item, _dotted(name, key)) for key, item in value.items()},
                name,
            )


def top(kind: ResourceType, parameters: Mapping[str, Json]) -> Type:
    """What an expression of a check on this resource type sees."""
    names: dict[str, Type] = {name: Type(TEXT.kinds, (), str, name) for name in (*TOP_LEVEL, "Owner")}
    names["Param"] = of_value(dict(parameters), "Param")
    names |= {facet.name: of(_declared(facet), facet.name) for facet in kind.facets}
    return Type(frozenset({"object"}), (), names, kind.name)


def _declared(facet: Facet) -> Any:
    if isinstance(facet.shape, Shape):
        return shapes.output(facet.shape.call, facet.shape.path)
    return facet.shape


def _options(hint: Any) -> tuple[Any, ...]:
    """The members of a union but for Refusal and None; the type itself when it is no union."""
    if typing.get_origin(hint) in (typing.Union, python_types.UnionType):
        return tuple(option for option in typing.get_args(hint) if option not in (Refusal, type(None)))
    return (hint,)


@functools.lru_cache(maxsize=512)
def _words(hint: Any) -> tuple[str, ...]:
    """AWS's words for an annotated text, none where it is no such text."""
    if typing.get_origin(hint) is not typing.Annotated:
        return ()
    found = (shapes.output(item.call, item.path) for item in hint.__metadata__ if isinstance(item, Shape))
    return tuple(word for shape in found for word in shapes.leaf(shape).enum)


def _kind(hint: Any) -> str:
    """The JSON type of a Python annotation, "" for anything."""
    if typing.get_origin(hint) is typing.Annotated:
        return _kind(typing.get_args(hint)[0])
    origin = typing.get_origin(hint) or hint
    if origin is typing.Literal:
        return "string"
    if not isinstance(origin, type):
        return ""
    if issubclass(origin, bool):
        return "boolean"
    if issubclass(origin, int | float):
        return "number"
    if issubclass(origin, str):
        return "string"
    if issubclass(origin, list | tuple):
        return "array"
    return "object" if issubclass(origin, msgspec.Struct | dict | Mapping) else ""


def _python_item(hint: Any, name: str) -> Type:
    for option in _options(hint):
        arguments = typing.get_args(option)
        if _kind(option) == "array" and arguments:
            return of(arguments[0], name)
        if _kind(option) == "object" and len(arguments) == 2:
            return of(arguments[1], name)
    return ANYTHING


def _is_shape(source: Any) -> bool:
    return hasattr(source, "type_name")


def _dotted(name: str, step: str) -> str:
    return f"{name}.{step}" if name else step


@functools.lru_cache(maxsize=512)
def _hints(kind: type[msgspec.Struct]) -> Mapping[str, Any]:
    return typing.get_type_hints(kind, include_extras=True)


def listed(kinds: Iterable[str]) -> str:
    return " or ".join(sorted(kinds))
