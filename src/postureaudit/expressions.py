"""JMESPath made strict: an expression holds, does not hold, or nobody knows and why."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import jmespath.exceptions
import jmespath.parser

from postureaudit.errors import PostureAuditError
from postureaudit.evidence import Json, Refusal
from postureaudit.expression_code import (
    MAX_WORK,
    Code,
    Functions,
    Run,
    TooExpensive,
    Unclear,
    code,
    loose,
    refusal_in,
)
from postureaudit.problems import near

__all__ = [
    "MAX_COPIES",
    "MAX_DEPTH",
    "MAX_LENGTH",
    "MAX_WORK",
    "Expression",
    "ExpressionError",
    "TooExpensive",
    "Unclear",
    "compile",
    "loose",
    "paths",
    "refusal_in",
    "signature",
]
MAX_LENGTH = 2000
MAX_DEPTH = 60
MAX_COPIES = 1000  # of one item that an expression may ask for, such as `[@, @] | [@, @]` for four


class ExpressionError(PostureAuditError):
    """An expression that cannot be used: it does not parse, or it is needlessly expensive."""


class Expression:
    """A compiled expression. `text` is the source, `tree` jmespath's syntax tree."""

    __slots__ = ("_code", "text", "tree")

    def __init__(self, text: str, tree: dict[str, Any]) -> None:
        self.text = text
        self.tree = tree
        self._code: Code | None = None

    def value(self, facts: Mapping[str, Json]) -> Json | Refusal:
        """What the expression finds; a Refusal when that is unknown. Raises Unclear or TooExpensive."""
        if self._code is None:
            self._code = code(self.tree)
        return self._code(facts, Run())

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
    unknown = sorted(set(_function_names(tree)) - set(Functions.FUNCTION_TABLE))
    if unknown:
        raise ExpressionError(
            f"no such function: {', '.join(unknown)}", hint=near(unknown[0], Functions.FUNCTION_TABLE)
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
    found: Sequence[Mapping[str, Any]] = Functions.FUNCTION_TABLE[function]["signature"]
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
