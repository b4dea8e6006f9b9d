"""How an expression is worked out: a function for each part of it, which knows what is unknown and what it costs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jmespath.exceptions
import jmespath.functions
import jmespath.visitor

from postureaudit.evidence import Json, Refusal, heavier

MAX_WORK = 20_000  # items an expression may produce in all; a real one needs a few hundred


class Unclear(Exception):
    """Evaluation met a type that has no meaning there (an ordering of text, a length of null)."""


class TooExpensive(Exception):
    """Evaluation was stopped: the expression multiplies items."""


class Functions(jmespath.functions.Functions):  # type: ignore[misc]  # jmespath ships no types
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


class Run:
    """One evaluation: how many items it has produced so far."""

    __slots__ = ("_made", "work")

    def __init__(self) -> None:
        self.work = 0
        self._made: dict[int, tuple[Any, int]] = {}  # what was found, by identity, and how much is in it

    def count(self, found: Any) -> None:
        """Add what was found. Raises TooExpensive above the limit."""
        self.work += self._weight(found)
        if self.work > MAX_WORK:
            raise TooExpensive

    def _weight(self, found: Any) -> int:
        """How much a result holds. Items that stand in it twice count twice: whoever reads it reads them twice."""
        if found is None or isinstance(found, bool):
            return 1
        if isinstance(found, str):
            return 1 + len(found) // 1000
        if isinstance(found, list):
            items: Iterable[Any] = found
        elif isinstance(found, dict):
            items = found.values()
        else:
            return 1
        made = self._made
        known = made.get(id(found))
        if known is None:
            weight = len(found)
            if made:
                weight += sum(made[at][1] - 1 for at in map(id, items) if at in made)
            known = made[id(found)] = (
                found,
                max(1, weight),
            )  # kept alive, so that its identity stays its own
        return known[1]


Code = Callable[[Any, Run], Any]
_FUNCTIONS = Functions()


def code(node: Mapping[str, Any]) -> Code:
    """What works out a node of jmespath's syntax tree on a value. A Refusal is unknown: nothing makes it known."""
    children = node["children"]
    if node["type"] == "field":
        return _path((node["value"],))
    if node["type"] == "subexpression" and all(child["type"] == "field" for child in children):
        return _path(tuple(child["value"] for child in children))
    inner = _MAKERS[node["type"]](node, [code(child) for child in children if isinstance(child, dict)])

    def counted(value: Any, run: Run) -> Any:
        found = inner(value, run)
        run.count(found)
        return found

    return counted


def _path(names: tuple[str, ...]) -> Code:
    """Field after field (A.b.c): _series, whose parts are known to be fields."""
    several = len(names) > 1

    def path(value: Any, run: Run) -> Any:
        for name in names:
            value = _member(value, name)
            run.count(value)
            if isinstance(value, Refusal):
                break
        if several:
            run.count(value)
        return value

    return path


def _member(value: Any, name: str) -> Any:
    if isinstance(value, Refusal):
        return value
    return value.get(name) if isinstance(value, dict | Mapping) else None


Node = Mapping[str, Any]
Codes = list[Code]


def _itself(node: Node, parts: Codes) -> Code:
    return lambda value, run: value


def _literal(node: Node, parts: Codes) -> Code:
    found = node["value"]
    return lambda value, run: found


def _series(node: Node, parts: Codes) -> Code:
    """Link by link; what comes after a refusal is refused, even where it does not look at it."""

    def series(value: Any, run: Run) -> Any:
        for part in parts:
            value = part(value, run)
            if isinstance(value, Refusal):
                break
        return value

    return series


def _index(node: Node, parts: Codes) -> Code:
    at = node["value"]

    def index(value: Any, run: Run) -> Any:
        if isinstance(value, Refusal):
            return value
        if not isinstance(value, list):
            return None
        return value[at] if -len(value) <= at < len(value) else None

    return index


def _slice(node: Node, parts: Codes) -> Code:
    bounds = slice(*node["children"])

    def cut(value: Any, run: Run) -> Any:
        if isinstance(value, Refusal):
            return value
        try:
            return value[bounds] if isinstance(value, list) else None
        except ValueError as error:
            raise Unclear(str(error)) from error

    return cut


def _flatten(node: Node, parts: Codes) -> Code:
    [base] = parts

    def flatten(value: Any, run: Run) -> Any:
        found = base(value, run)
        if isinstance(found, Refusal):
            return found
        if not isinstance(found, list):
            return None
        merged: list[Any] = []
        for element in found:
            merged.extend(element) if isinstance(element, list) else merged.append(element)
        return merged

    return flatten


def _projected(part: Code, items: Iterable[Any], run: Run) -> list[Any]:
    found = (part(item, run) for item in items)
    return [item for item in found if item is not None]


def _projection(node: Node, parts: Codes) -> Code:
    base, part = parts

    def projection(value: Any, run: Run) -> Any:
        found = base(value, run)
        if isinstance(found, Refusal):
            return found
        return _projected(part, found, run) if isinstance(found, list) else None

    return projection


def _value_projection(node: Node, parts: Codes) -> Code:
    base, part = parts

    def projection(value: Any, run: Run) -> Any:
        found = base(value, run)
        if isinstance(found, Refusal):
            return found
        return _projected(part, list(found.values()), run) if isinstance(found, dict) else None

    return projection


def _filter_projection(node: Node, parts: Codes) -> Code:
    base, part, condition = parts

    def projection(value: Any, run: Run) -> Any:
        found = base(value, run)
        if isinstance(found, Refusal):
            return found
        if not isinstance(found, list):
            return None
        kept = []
        hidden: Refusal | None = None
        for element in found:
            holds = condition(element, run)
            if isinstance(holds, Refusal):
                hidden = heavier(hidden, holds)
            elif not (holds is None or holds is False or holds in ("", [], {})):
                kept.append(element)
        if hidden is not None:
            return hidden  # whether an item belongs to the list is not known: neither is the list
        return _projected(part, kept, run)

    return projection


_ORDERS = {
    name: jmespath.visitor.TreeInterpreter.COMPARATOR_FUNC[name] for name in ("lt", "gt", "lte", "gte")
}


def _comparator(node: Node, parts: Codes) -> Code:
    one, other = parts
    operator = node["value"]
    equal = operator == "eq"

    def comparator(value: Any, run: Run) -> Any:
        left = one(value, run)
        right = other(value, run)
        if (refusal := refusal_in([left, right])) is not None:
            return refusal
        if operator in ("eq", "ne"):
            return _same(left, right) is equal
        if not (_is_number(left) and _is_number(right)):
            raise Unclear(f"cannot order {_kind(left)} and {_kind(right)}")
        return _ORDERS[operator](left, right)

    return comparator


def _either(node: Node, parts: Codes) -> Code:
    return _logical(parts, ends=True)


def _both(node: Node, parts: Codes) -> Code:
    return _logical(parts, ends=False)


def _logical(parts: Codes, *, ends: bool) -> Code:
    """Three-valued "or" (True ends it) and "and" (False does)."""
    one, other = parts

    def logical(value: Any, run: Run) -> Any:
        left = _side(one, value, run)
        if left is ends:
            return ends
        right = _side(other, value, run)
        return ends if right is ends else _undecided(left, right)

    return logical


def _side(part: Code, value: Any, run: Run) -> bool | Refusal | Unclear:
    """One side; what is unclear there is for the other side to decide, whichever of the two comes first."""
    try:
        found = part(value, run)
    except Unclear as unclear:
        return Unclear(str(unclear))  # see _undecided
    if isinstance(found, bool | Refusal):
        return found
    return Unclear(f"&& and || take true or false, not {_kind(found)}")


def _not(node: Node, parts: Codes) -> Code:
    [part] = parts

    def negated(value: Any, run: Run) -> Any:
        found = part(value, run)
        if isinstance(found, Refusal):
            return found
        if not isinstance(found, bool):
            raise Unclear(f"! takes true or false, not {_kind(found)}")
        return not found

    return negated


def _list(node: Node, parts: Codes) -> Code:
    def collected(value: Any, run: Run) -> Any:
        if value is None or isinstance(value, Refusal):
            return value
        return [part(value, run) for part in parts]

    return collected


def _dict(node: Node, parts: Codes) -> Code:
    names = [child["value"] for child in node["children"]]

    def collected(value: Any, run: Run) -> Any:
        if value is None or isinstance(value, Refusal):
            return value
        return {name: part(value, run) for name, part in zip(names, parts, strict=True)}

    return collected


class _Interpreter:
    """What the functions that take an expression (sort_by) work it out with."""

    def __init__(self, part: Code, run: Run) -> None:
        self._part, self._run = part, run

    def visit(self, node: Node, value: Any) -> Any:
        return self._part(value, self._run)


def _expression(node: Node, parts: Codes) -> Code:
    [part], [inner] = parts, node["children"]
    return lambda value, run: jmespath.visitor._Expression(inner, _Interpreter(part, run))


def _function(node: Node, parts: Codes) -> Code:
    name = node["value"]

    def call(value: Any, run: Run) -> Any:
        try:
            return _FUNCTIONS.call_function(name, [part(value, run) for part in parts])
        except (jmespath.exceptions.JMESPathError, ArithmeticError, ValueError) as error:
            raise Unclear(str(error).partition("\n")[0]) from error

    return call


_MAKERS: Mapping[str, Callable[[Node, Codes], Code]] = {
    "identity": _itself,
    "current": _itself,
    "literal": _literal,
    "subexpression": _series,
    "index_expression": _series,
    "pipe": _series,
    "key_val_pair": _series,
    "index": _index,
    "slice": _slice,
    "flatten": _flatten,
    "projection": _projection,
    "value_projection": _value_projection,
    "filter_projection": _filter_projection,
    "comparator": _comparator,
    "or_expression": _either,
    "and_expression": _both,
    "not_expression": _not,
    "multi_select_list": _list,
    "multi_select_dict": _dict,
    "expref": _expression,
    "function_expression": _function,
}


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


def _undecided(left: bool | Refusal | Unclear, right: bool | Refusal | Unclear) -> bool | Refusal:
    """What an "and" or "or" gives that neither side decides: a refusal before all else, since it can be lifted."""
    if isinstance(left, Refusal):
        return heavier(left, right) if isinstance(right, Refusal) else left
    if isinstance(right, Refusal):
        return right
    for side in (left, right):
        if isinstance(side, Unclear):
            raise Unclear(str(side))  # never one that a variable holds: its traceback would hold the variable
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
