"""What is wrong with an expression: misspelt names and words, impossible comparisons and arguments."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

import msgspec

from postureaudit import expressions, shapes
from postureaudit.lint_types import ANYTHING, BOOLEAN, NUMBER, TEXT, Type, listed, of_value
from postureaudit.problems import near

Said = tuple[str, str]  # a sentence, and a hint
_BOOLEANS = (
    "contains",
    "starts_with",
    "ends_with",
    "version_at_least",
    "any_true",
    "all_true",
    "contains_all",
)
_NUMBERS = ("length", "abs", "avg", "ceil", "floor", "sum", "to_number")
_TEXTS = ("join", "type", "to_string")
_SAME = ("sort", "sort_by", "reverse", "to_array", "without")
_ITEMS = ("max", "min", "max_by", "min_by")


def problems(text: str, sees: Type, *, wanted: str = "") -> Iterable[Said]:
    """What is wrong with an expression; `wanted` is the JSON type that it is to give."""
    tree = expressions.compile(text).tree
    walker = _Walker(dict.fromkeys(step for path in expressions.paths(tree) for step in path))
    found = walker.type(tree, sees)
    if wanted and found.kinds and wanted not in found.kinds:
        walker.said.append((f"gives a {listed(found.kinds)}, not a {wanted}: {text}", ""))
    return dict.fromkeys(walker.said)


def result(text: str, sees: Type) -> Type:
    """What an expression finds."""
    return _Walker(()).type(expressions.compile(text).tree, sees)


class _Walker:
    """Follows jmespath's syntax tree with types instead of values."""

    def __init__(self, names: Iterable[str]) -> None:
        self.said: list[Said] = []
        self.names = tuple(names)  # the fields that the expression reads

    def type(self, node: dict[str, Any], here: Type) -> Type:
        children = node.get("children", [])
        match node["type"]:
            case "field":
                return self._field(here, node["value"])
            case "current" | "identity":
                return here
            case "subexpression" | "index_expression" | "pipe":
                for child in children:
                    here = self.type(child, here)
                return here
            case "index":
                return here.item() if self._is(here, "array", "takes an item of") else ANYTHING
            case "slice":
                return here
            case "literal":
                return of_value(node["value"])
            case "flatten":
                return self._flatten(self.type(children[0], here))
            case "projection" | "filter_projection" | "value_projection":
                return self._projection(node, here)
            case "comparator":
                self._compare(node["value"], *(self.type(child, here) for child in children))
                return BOOLEAN
            case "and_expression" | "or_expression" | "not_expression":
                sign = {"and_expression": "&&", "or_expression": "||", "not_expression": "!"}[node["type"]]
                for child in children:
                    self._is(self.type(child, here), "boolean", f"{sign} takes true or false, not")
                return BOOLEAN
            case "multi_select_list":
                found = [self.type(child, here) for child in children]
                same = found and all(item == found[0] for item in found)
                return Type(frozenset({"array"}), (), found[0] if same else ANYTHING)
            case "multi_select_dict":
                pairs = {child["value"]: self.type(child["children"][0], here) for child in children}
                return Type(frozenset({"object"}), (), pairs)
            case "function_expression":
                return self._call(node["value"], children, here)
            case _:
                return ANYTHING

    def _field(self, here: Type, name: str) -> Type:
        try:
            return here.member(name)
        except shapes.ShapeError as error:
            self.said.append((error.message, error.hint))
            return ANYTHING

    def _is(self, found: Type, kind: str, said: str) -> bool:
        if not found.kinds or kind in found.kinds:
            return True
        self.said.append((f"{said} {found.name or 'a value'}, a {listed(found.kinds)}", ""))
        return False

    def _flatten(self, base: Type) -> Type:
        if not self._is(base, "array", "[] flattens a list, not"):
            return ANYTHING
        inside = base.item()
        return Type(
            frozenset({"array"}), (), inside.item() if inside.kinds == {"array"} else inside, base.name
        )

    def _projection(self, node: dict[str, Any], here: Type) -> Type:
        children = node["children"]
        base = self.type(children[0], here)
        wanted = "object" if node["type"] == "value_projection" else "array"
        item = ANYTHING
        if self._is(base, wanted, "a projection needs a list or map, not"):
            item = ANYTHING if wanted == "object" and base.names() is not None else base.item()
        if node["type"] == "filter_projection":
            self.type(children[2], item)
        return Type(frozenset({"array"}), (), self.type(children[1], item), base.name)

    def _compare(self, sign: str, left: Type, right: Type) -> None:
        if sign not in ("eq", "ne"):
            for side in (left, right):
                self._is(side, "number", "only numbers are ordered, not")
        else:
            self._equal(left, right)

    def _equal(self, left: Type, right: Type) -> None:
        """Told when the two sides can never be equal."""
        if "null" in left.kinds | right.kinds or not left.kinds or not right.kinds:
            return
        path, other = (left, right) if left.name else (right, left)
        if not left.kinds & right.kinds:
            given = f" {other.values[0]!r}" if other.values and not other.name else f" {other.name}"
            sides = f"{listed(path.kinds)} and is compared with the {listed(other.kinds)}"
            what = f"{path.name or 'a value'} is a {sides}"
            self.said.append((what + given.rstrip(), ""))
        elif left.values and right.values and not set(left.values) & set(right.values):
            said = f"{path.name or 'this'} is never {other.values[0]!r}"
            self.said.append((said, near(other.values[0], path.values)))

    def _call(self, name: str, children: list[dict[str, Any]], here: Type) -> Type:
        signature = expressions.signature(name)
        variadic = bool(signature and signature[-1].get("variadic"))
        if len(children) < len(signature) or (len(children) > len(signature) and not variadic):
            self.said.append((f"{name}() takes {len(signature)} arguments, not {len(children)}", ""))
            return ANYTHING
        plain = [None if child["type"] == "expref" else self.type(child, here) for child in children]
        over = next((found.item() for found in plain if found is not None), ANYTHING)
        found = [
            self.type(child["children"][0], over) if given is None else given
            for child, given in zip(children, plain, strict=True)
        ]
        for index, given in enumerate(plain):
            allowed = signature[min(index, len(signature) - 1)]["types"]
            kinds = {kind.partition("-")[0] for kind in allowed}
            if given is not None and kinds and given.kinds and not given.kinds & (kinds | {"null"}):
                text = f"{name}() takes a {listed(kinds)}, not {given.name or 'a value'}, a {listed(given.kinds)}"
                self.said.append((text, ""))
                return ANYTHING
        self._arguments(name, found)
        return _returned(name, found)

    def _arguments(self, name: str, given: list[Type]) -> None:
        """What is looked for must be something that can be there."""
        if name == "contains" and given[0].kinds == {"array"}:
            self._equal(_inside(given[0]), given[1])
            self._misspelt(given[0], given[1])
        elif name in ("contains_all", "without"):
            self._equal(_inside(given[0]), _inside(given[1]))
        elif name == "equals_loose" and given[0].values and given[1].values:
            known = {expressions.loose(value) for value in given[0].values}
            if expressions.loose(given[1].values[0]) not in known:
                said = f"{given[0].name} is never {given[1].values[0]!r}"
                self.said.append((said, near(given[1].values[0], given[0].values)))

    def _misspelt(self, parameter: Type, given: Type) -> None:
        """A user may set other texts than the default's; one that is all but one of those is a slip."""
        known = parameter.item().values
        text = given.values[0] if given.values and not given.name else ""
        if not parameter.name.startswith("Param.") or not text or text in (*known, *self.names):
            return
        if close := get_close_matches(text, (*known, *self.names), cutoff=0.85):
            self.said.append((f"{text!r} is no value of {parameter.name}", near(text, close)))


def _inside(found: Type) -> Type:
    """The items of a list; those of a parameter are no closed list, because a user may set others."""
    item = found.item()
    return (
        msgspec.structs.replace(item, values=(), name=found.name) if found.name.startswith("Param.") else item
    )


def _returned(name: str, given: list[Type]) -> Type:
    if name in (*_BOOLEANS, "equals_loose"):
        return BOOLEAN
    if name in _NUMBERS:
        return NUMBER
    if name in _TEXTS:
        return TEXT
    if name in _SAME:
        return given[0] if given[0].kinds == {"array"} else ANYTHING
    if name in _ITEMS:
        return given[0].item()
    if name == "map":
        return Type(frozenset({"array"}), (), given[0])
    if name == "keys":
        return Type(frozenset({"array"}), (), TEXT)
    if name == "not_null" and all(item == given[0] for item in given):
        return given[0]
    return ANYTHING
