"""JMESPath made strict: an expression holds, does not hold, or nobody knows and why."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import jmespath.exceptions
import jmespath.functions
import jmespath.parser
import jmespath.visitor

from postureaudit.errors import PostureAuditError
from postureaudit.evidence import Json, Refusal, heavier
from postureaudit.problems import near

MAX_LENGTH = 2000
MAX_DEPTH = 60
MAX_COPIES = 1000  # of one item that an expression may ask for, such as `[@, @] | [@, @]` for four
MAX_WORK = 20_000  # items an expression may produce in all; a real one needs a few hundred


class ExpressionError(PostureAuditError):
    """An expression that cannot be used: it does not parse, or it is needlessly expensive."""


class Unclear(Exception):
    """Evaluation met a type that has no meaning there (an ordering of text, a length of null)."""


class TooExpensive(Exception):
    """Evaluation was stopped: the expression multiplies items."""


class _Functions(jmespath.functions.Functions):  # type: ignore[misc]  # jmespath ships no types
    """The standard functions, and the few of ours."""

    def call_function(self, function_name: str, resolved_args: list[Any]) -> Any:
        if (refusal := refusal_in(resolved_args)) is not None:
            return refusal
        return super().call_function(function_name, resolved_args)

    @jmespath.functions.signature({"types": ["string", "null"]}, {"types": ["string"]})  # type: ignore[untyped-decorator]  # jmespath ships no types
    def _func_version_at_least(self, version: str | None, wanted: str) -> bool | None:
        """version_at_least('3.0.0', '1.4'): compare dotted numbers; null for a version that is none."""
        if version is None or not _is_version(version) or not _is_version(wanted):
            return None
        left, right = _version(version), _version(wanted)
        width = max(len(left), len(right))
        return left + (0,) * (width - len(left)) >= right + (0,) * (width - len(right))

    @jmespath.functions.signature({"types": ["array"]})  # type: ignore[untyped-decorator]  # jmespath ships no types
    def _func_any_true(self, items: list[Json]) -> bool | None:
        """any_true(list): one is true; null on an empty list or one with anything but booleans."""
        if not items or not all(isinstance(item, bool) for item in items):
            return None
        return any(items)

    @jmespath.functions.signature({"types": ["array"]})  # type: ignore[untyped-decorator]  # jmespath ships no types
    def _func_all_true(self, items: list[Json]) -> bool | None:
        """all_true(list): each is true; null on an empty list or one with anything but booleans."""
        if not items or not all(isinstance(item, bool) for item in items):
            return None
        return all(items)

    @jmespath.functions.signature({"types": ["array"]}, {"types": ["array"]})  # type: ignore[untyped-decorator]  # jmespath ships no types
    def _func_contains_all(self, items: list[Json], wanted: list[Json]) -> bool | None:
        """contains_all(list, wanted): every wanted item is in the list; null when nothing is wanted."""
        return all(any(_same(item, one) for item in items) for one in wanted) if wanted else None

    @jmespath.functions.signature({"types": ["array"]}, {"types": ["array"]})  # type: ignore[untyped-decorator]  # jmespath ships no types
    def _func_without(self, items: list[Json], others: list[Json]) -> list[Json]:
        """without(list, others): the items of the list that the other list does not have."""
        return [item for item in items if not any(_same(item, other) for other in others)]

    @jmespath.functions.signature({"types": ["string", "null"]}, {"types": ["string"]})  # type: ignore[untyped-decorator]  # jmespath ships no types
    def _func_equals_loose(self, left: str | None, right: str) -> bool | None:
        """equals_loose('SUCCESS', 'Success'): equal but for case and underscores; null for null."""
        return None if left is None else loose(left) == loose(right)


class _Interpreter(jmespath.visitor.TreeInterpreter):  # type: ignore[misc]  # jmespath ships no types
    """jmespath's interpreter, in which a Refusal is an unknown value that nothing turns into a known one."""

    def __init__(self) -> None:
        super().__init__(jmespath.visitor.Options(custom_functions=_Functions()))
        self._work = 0
        self._made: dict[int, tuple[Any, int]] = {}  # what was found, by identity, and how much is in it

    def visit(self, node: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        found = super().visit(node, *args, **kwargs)
        self._work += self._weight(found)
        if self._work > MAX_WORK:
            raise TooExpensive
        return found

    def _weight(self, found: Any) -> int:
        """How much a result holds. Items that stand in it twice count twice: whoever reads it reads them twice."""
        match found:
            case list():
                items: Iterable[Any] = found
            case dict():
                items = found.values()
            case str():
                return 1 + len(found) // 1000
            case _:
                return 1
        known = self._made.get(id(found))
        if known is None:
            weight = max(1, sum(self._made.get(id(item), (item, 1))[1] for item in items))
            known = self._made[id(found)] = (found, weight)  # kept alive, so that its identity stays its own
        return known[1]

    def visit_field(self, node: dict[str, Any], value: Any) -> Any:
        return value if isinstance(value, Refusal) else super().visit_field(node, value)

    def visit_subexpression(self, node: dict[str, Any], value: Any) -> Any:
        """Link by link; what comes after a refusal is refused, even where it does not look at it."""
        for child in node["children"]:
            value = self.visit(child, value)
            if isinstance(value, Refusal):
                break
        return value

    visit_pipe = visit_index_expression = visit_subexpression

    def visit_index(self, node: dict[str, Any], value: Any) -> Any:
        return value if isinstance(value, Refusal) else super().visit_index(node, value)

    def visit_slice(self, node: dict[str, Any], value: Any) -> Any:
        try:
            return value if isinstance(value, Refusal) else super().visit_slice(node, value)
        except ValueError as error:
            raise Unclear(str(error)) from error

    def visit_flatten(self, node: dict[str, Any], value: Any) -> Any:
        base = self.visit(node["children"][0], value)
        if isinstance(base, Refusal):
            return base
        if not isinstance(base, list):
            return None
        merged: list[Any] = []
        for element in base:
            merged.extend(element) if isinstance(element, list) else merged.append(element)
        return merged

    def visit_projection(self, node: dict[str, Any], value: Any) -> Any:
        base = self.visit(node["children"][0], value)
        if isinstance(base, Refusal):
            return base
        return self._project(node["children"][1], base) if isinstance(base, list) else None

    def visit_value_projection(self, node: dict[str, Any], value: Any) -> Any:
        base = self.visit(node["children"][0], value)
        if isinstance(base, Refusal):
            return base
        return self._project(node["children"][1], list(base.values())) if isinstance(base, dict) else None

    def visit_filter_projection(self, node: dict[str, Any], value: Any) -> Any:
        base = self.visit(node["children"][0], value)
        if isinstance(base, Refusal):
            return base
        if not isinstance(base, list):
            return None
        kept = []
        hidden: Refusal | None = None
        for element in base:
            holds = self.visit(node["children"][2], element)
            if isinstance(holds, Refusal):
                hidden = heavier(hidden, holds)
            elif self._is_true(holds):
                kept.append(element)
        if hidden is not None:
            return hidden  # whether an item belongs to the list is not known: neither is the list
        return self._project(node["children"][1], kept)

    def _project(self, node: dict[str, Any], items: list[Any]) -> list[Any]:
        found = (self.visit(node, item) for item in items)
        return [item for item in found if item is not None]

    def visit_comparator(self, node: dict[str, Any], value: Any) -> Any:
        left, right = (self.visit(child, value) for child in node["children"])
        if (refusal := refusal_in([left, right])) is not None:
            return refusal
        operator = node["value"]
        if operator in ("eq", "ne"):
            return _same(left, right) is (operator == "eq")
        if not (_is_number(left) and _is_number(right)):
            raise Unclear(f"cannot order {_kind(left)} and {_kind(right)}")
        found: bool = self.COMPARATOR_FUNC[operator](left, right)
        return found

    def visit_or_expression(self, node: dict[str, Any], value: Any) -> Any:
        left = self._boolean_side(node["children"][0], value)
        if left is True:
            return True
        right = self._boolean_side(node["children"][1], value)
        return True if right is True else _undecided(left, right)

    def visit_and_expression(self, node: dict[str, Any], value: Any) -> Any:
        left = self._boolean_side(node["children"][0], value)
        if left is False:
            return False
        right = self._boolean_side(node["children"][1], value)
        return False if right is False else _undecided(left, right)

    def _boolean_side(self, node: dict[str, Any], value: Any) -> bool | Refusal | Unclear:
        """One side; what is unclear there is for the other side to decide, whichever of the two comes first."""
        try:
            found = self.visit(node, value)
        except Unclear as unclear:
            return unclear
        if isinstance(found, bool | Refusal):
            return found
        return Unclear(f"&& and || take true or false, not {_kind(found)}")

    def visit_not_expression(self, node: dict[str, Any], value: Any) -> Any:
        found = self.visit(node["children"][0], value)
        if isinstance(found, Refusal):
            return found
        if not isinstance(found, bool):
            raise Unclear(f"! takes true or false, not {_kind(found)}")
        return not found

    def visit_multi_select_list(self, node: dict[str, Any], value: Any) -> Any:
        return value if isinstance(value, Refusal) else super().visit_multi_select_list(node, value)

    def visit_multi_select_dict(self, node: dict[str, Any], value: Any) -> Any:
        return value if isinstance(value, Refusal) else super().visit_multi_select_dict(node, value)

    def visit_function_expression(self, node: dict[str, Any], value: Any) -> Any:
        try:
            return super().visit_function_expression(node, value)
        except (jmespath.exceptions.JMESPathError, ArithmeticError, ValueError) as error:
            raise Unclear(str(error).partition("\n")[0]) from error


class Expression:
    """A compiled expression. `text` is the source, `tree` jmespath's syntax tree."""

    __slots__ = ("text", "tree")

    def __init__(self, text: str, tree: dict[str, Any]) -> None:
        self.text = text
        self.tree = tree

    def value(self, facts: Mapping[str, Json]) -> Json | Refusal:
        """What the expression finds; a Refusal when that is unknown. Raises Unclear or TooExpensive."""
        return _Interpreter().visit(self.tree, facts)

    def holds(self, facts: Mapping[str, Json]) -> bool | Refusal | None:
        """True, False, the refusal that hides the answer, or None when the result is neither."""
        try:
            found = self.value(facts)
        except (Unclear, TooExpensive):
            return None
        return found if isinstance(found, bool | Refusal) else None


@functools.lru_cache(maxsize=4096)
def compile(text: str) -> Expression:
    """Parse an expression once. Raises ExpressionError for what cannot be used."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"expression of {len(text)} characters; the limit is {MAX_LENGTH}")
    try:
        tree = jmespath.parser.Parser().parse(text).parsed
        depth = _depth(tree)
    except (jmespath.exceptions.JMESPathError, RecursionError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ExpressionError(f"not JMESPath: {first}") from error
    if depth > MAX_DEPTH:
        raise ExpressionError(f"expression nested {depth} deep; the limit is {MAX_DEPTH}")
    unknown = sorted(set(_function_names(tree)) - set(_Functions.FUNCTION_TABLE))
    if unknown:
        raise ExpressionError(
            f"no such function: {', '.join(unknown)}", hint=near(unknown[0], _Functions.FUNCTION_TABLE)
        )
    copies = _copies(tree)
    if copies > MAX_COPIES:
        raise ExpressionError(
            f"too expensive: it multiplies its items more than {MAX_COPIES}-fold",
            hint="name what is compared once, not in several places of a chain",
        )
    return Expression(text, tree)


def signature(function: str) -> Sequence[Mapping[str, Any]]:
    """The arguments of a function as jmespath declares them: allowed types, and whether more may follow."""
    found: Sequence[Mapping[str, Any]] = _Functions.FUNCTION_TABLE[function]["signature"]
    return found


def refusal_in(value: Any) -> Refusal | None:
    """Every Refusal anywhere in a value as one, None where there is none."""
    if isinstance(value, Refusal):
        return value
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    found: Refusal | None = None
    for item in items:
        if (hidden := refusal_in(item)) is not None:
            found = heavier(found, hidden)
    return found


def paths(tree: dict[str, Any]) -> list[tuple[str, ...]]:
    """The field paths an expression reads from its top level: ("Trail", "HomeRegion"), "[]" for an item."""
    found: list[tuple[str, ...]] = []
    _walk_paths(tree, (), found)
    return found


def _walk_paths(
    node: dict[str, Any], base: tuple[str, ...] | None, out: list[tuple[str, ...]]
) -> tuple[str, ...] | None:
    """Collect paths read below `base`; returns the path this node yields (None: a computed value)."""
    kind, children = node["type"], node.get("children", [])
    match kind:
        case "field":
            if base is None:
                return None
            path = (*base, node["value"])
            out.append(path)
            return path
        case "current" | "identity":
            return base
        case "subexpression" | "index_expression" | "pipe":
            at = base
            for child in children:
                at = _walk_paths(child, at, out)
            return at
        case "index" | "slice":
            return None if base is None else (*base, "[]")
        case "flatten":
            at = _walk_paths(children[0], base, out)
            return at if at is None or at[-1:] == ("[]",) else (*at, "[]")
        case "projection" | "filter_projection" | "value_projection":
            at = _walk_paths(children[0], base, out)
            item = None if at is None else at if at[-1:] == ("[]",) else (*at, "[]")
            if kind == "value_projection" and at is not None:
                item = (*at, "*")
            if kind == "filter_projection":
                _walk_paths(children[2], item, out)
            return _walk_paths(children[1], item, out)
        case "literal":
            return None
        case "expref":
            _walk_paths(children[0], None, out)
            return None
        case "function_expression" if node["value"] == "not_null" and children:
            ats = [_walk_paths(child, base, out) for child in children]
            return ats[0]
        case _:
            for child in children:
                _walk_paths(child, base, out)
            return None


def _depth(node: Any) -> int:
    if not isinstance(node, dict):
        return 0
    return 1 + max((_depth(child) for child in node.get("children", [])), default=0)


def _copies(node: dict[str, Any]) -> int:
    """How often one item of what an expression is given may stand in what any part of it finds, at most.

    What is refused here doubles with each link of a chain; how much work the data makes is bounded in evaluation.
    """
    children = [child for child in node.get("children", []) if isinstance(child, dict)]
    inner = [_copies(child) for child in children]
    match node["type"]:
        case "multi_select_list" | "multi_select_dict" | "function_expression":
            named = (
                copies for copies, child in zip(inner, children, strict=True) if child["type"] != "literal"
            )
            return max(1, sum(named))
        case "comparator" | "or_expression" | "and_expression" | "not_expression":
            return max(inner)
        case _:
            return math.prod(inner)


def _function_names(node: dict[str, Any]) -> list[str]:
    own = [node["value"]] if node["type"] == "function_expression" else []
    children = [child for child in node.get("children", []) if isinstance(child, dict)]
    return own + [name for child in children for name in _function_names(child)]


def _undecided(left: bool | Refusal | Unclear, right: bool | Refusal | Unclear) -> bool | Refusal:
    """What an "and" or "or" gives that neither side decides: a refusal before all else, since it can be lifted."""
    if isinstance(left, Refusal):
        return heavier(left, right) if isinstance(right, Refusal) else left
    if isinstance(right, Refusal):
        return right
    for side in (left, right):
        if isinstance(side, Unclear):
            raise side
    return bool(right)


def _same(left: Json, right: Json) -> bool:
    """Equality that keeps true and 1 apart, as JSON does."""
    match left, right:
        case (bool(), _) | (_, bool()):
            return left is right
        case list(), list():
            return len(left) == len(right) and all(map(_same, left, right))
        case dict(), dict():
            return left.keys() == right.keys() and all(_same(left[name], right[name]) for name in left)
        case _:
            found: bool = left == right
            return found


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _kind(value: Any) -> str:
    return "null" if value is None else type(value).__name__


def _is_version(text: str) -> bool:
    return re.fullmatch(r"v?\d{1,9}(\.\d{1,9}){0,5}", text) is not None


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.removeprefix("v").split("."))


def loose(text: str) -> str:
    """A status as one can compare it: AWS's models and answers differ in case and underscores."""
    return text.replace("_", "").casefold()
