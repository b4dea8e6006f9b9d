"""What keeps plain data from being a check: each field of another type, with its path and what was probably meant."""

from __future__ import annotations

import types as python_types
import typing
from collections.abc import Iterator
from typing import Any

import msgspec

from postureaudit.catalog import Check, Variant
from postureaudit.findings import Severity
from postureaudit.problems import At, near

NOT_WRITTEN = ("origin", "line")  # fields of Check that no file sets
_JSON_NAMES = {bool: "true or false", int: "a number", float: "a number", str: "text", type(None): "empty"}


def conform(value: Any, kind: Any, at: At) -> Iterator[tuple[At, str, str]]:
    """What keeps a value from being of a type of ours: path, sentence and hint of each mistake."""
    name = str(at[-1]) if at else "it"
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return
    if origin in (typing.Union, python_types.UnionType):
        if not any(not list(conform(value, option, at)) for option in arguments):
            yield at, f"{name} cannot be {_json(value)}", ""
    elif isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield from _conform_struct(value, kind, at)
    elif kind is Severity:
        if value not in list(Severity):
            yield at, f"no severity {value!r}", near(str(value), [item.value for item in Severity])
    elif origin in (tuple, list):
        if not isinstance(value, list):
            yield (
                at,
                f"{name} is a list, not {_json(value)}",
                f"write [{value}]" if isinstance(value, str) else "",
            )
        else:
            for index, item in enumerate(value):
                yield from conform(item, arguments[0], (*at, index))
    elif origin is dict:
        if not isinstance(value, dict):
            yield at, f"{name} is a mapping, not {_json(value)}", ""
        else:
            for key, item in value.items():
                yield from conform(item, arguments[1], (*at, key))
    elif type(value) is not kind:
        named = f"{at[-2]}[{name}]" if isinstance(at[-1], int) and len(at) > 1 else name
        hint = f'quote it: "{value}"' if kind is str and isinstance(value, bool | int | float) else ""
        yield at, f"{named} is {_JSON_NAMES.get(kind, kind.__name__)}, not {_json(value)}", hint


def _conform_struct(value: Any, kind: type[msgspec.Struct], at: At) -> Iterator[tuple[At, str, str]]:
    what = "a fix variant" if kind is Variant else "a check"
    if not isinstance(value, dict):
        yield at, f"{what} is a mapping, not {_json(value)}", ""
        return
    hints = typing.get_type_hints(kind)
    known = [field for field in kind.__struct_fields__ if field not in NOT_WRITTEN]
    known += ["each"] if kind is Check else []
    for key, item in value.items():
        if key not in known:
            yield (*at, key), f"{what} has no field {key!r}", near(key, known)
        elif key != "each":
            yield from conform(item, hints[key], (*at, key))
    for field in msgspec.structs.fields(kind):
        if field.required and field.name not in value:
            yield (*at, field.name), f"{what} has a {field.name}; this one has none", ""


def _json(value: Any) -> str:
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    return "empty" if value is None else f"{_JSON_NAMES.get(type(value), type(value).__name__)} ({value})"
