"""Whether a CloudWatch Logs filter pattern matches a CloudTrail event: yes, no, or AWS does not say.

The rules are those of the CloudWatch Logs user guide, "Filter pattern syntax for metric filters, subscription filters,
filter log events, and Live Tail":
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html and, for JSON events,
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/matching-terms-json-log-events.html.
Where the guide is silent, the answer is no guess but "unsure", with the reason, unless the rest of the filter decides.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

import msgspec

from postureaudit.evidence import Json
from postureaudit.signals import log_filter_leaf
from postureaudit.signals.log_filter_outcome import Outcome, all_of, any_of, sentences, unsure
from postureaudit.signals.log_filter_syntax import FilterError, parse
from postureaudit.signals.log_filter_terms import search
from postureaudit.signals.log_filter_tree import (
    And,
    Columns,
    Comparison,
    Everything,
    Node,
    Or,
    State,
    Terms,
    Tree,
    leaves,
)

__all__ = ["Decision", "Filter", "FilterError", "compile", "decide", "explain", "matches", "verdict"]

Event = Mapping[str, Json]


class Decision(msgspec.Struct, frozen=True):
    """True, False, or None for unsure; and why: what failed, or what AWS does not say."""

    value: bool | None
    reasons: tuple[str, ...] = ()


class Filter(msgspec.Struct, frozen=True):
    """A compiled filter pattern. `text` is the source, `tree` what it says."""

    text: str
    tree: Tree

    def decide(self, event: Event) -> Decision:
        """Whether the event matches, and why not."""
        match self.tree:
            case Everything():
                return Decision(True)
            case Columns():
                return Decision(None, ("a space-delimited pattern is not meant for JSON events",))
            case Terms() as terms:
                return _decision(search(terms, event))
            case node:
                return _decision(_whole(node, event))


@functools.lru_cache(maxsize=4096)
def compile(text: str) -> Filter:
    """Read a filter pattern once. Raises FilterError for what CloudWatch Logs would refuse."""
    return Filter(text, parse(text))


def decide(text: str, event: Event) -> Decision:
    """Whether a filter pattern matches an event, and why not. Raises FilterError."""
    return compile(text).decide(event)


def matches(text: str, event: Event) -> bool:
    """Whether a filter pattern certainly matches an event; False when unsure. Raises FilterError.

    Who needs proof that an event raises an alarm gets no match without it. Who would take False for a gap had better
    ask `decide`, whose None is neither.
    """
    return decide(text, event).value is True


def verdict(text: str, event: Event) -> bool | None:
    """The value of `decide` without its reasons, which is most of the work: a part that decides ends it."""
    found = compile(text)
    match found.tree:
        case Everything() | Terms() | Columns():
            return found.decide(event).value
        case _:
            return _ready(text)(event)


def explain(text: str, event: Event) -> str:
    """One sentence: what failed, or what AWS does not say. Raises FilterError."""
    decision = decide(text, event)
    match decision.value:
        case True:
            return "the event matches the filter"
        case False:
            return "; ".join(decision.reasons)
        case None:
            return f"unsure: {'; '.join(decision.reasons)}"


def _decision(outcome: Outcome) -> Decision:
    return Decision(outcome.value, outcome.doubts or tuple(sentences(outcome.fails)))


def _whole(node: Node, event: Event) -> Outcome:
    """A JSON filter.

    "If a property selector points to an array or object, the filter pattern won't match the log format": the
    comparison fails for certain. That the whole filter fails, although another side of || holds, the guide leaves open.
    """
    outcome = _node(node, event)
    if not outcome.value:
        return outcome
    wrong = [leaf.selector for leaf in leaves(node) if log_filter_leaf.is_container(leaf, event)]
    if not wrong:
        return outcome
    return unsure(f"{wrong[0]} is an array or object, and AWS does not say whether the rest may match then")


def _node(node: Node, event: Event) -> Outcome:
    match node:
        case And(parts):
            return all_of([_node(part, event) for part in parts])
        case Or(parts):
            return any_of([_node(part, event) for part in parts])
        case leaf:
            return log_filter_leaf.judge(leaf, event)


Quick = Callable[[Event], bool | None]


@functools.lru_cache(maxsize=4096)
def _ready(text: str) -> Quick:
    """A JSON filter as one function."""
    node = compile(text).tree
    assert isinstance(node, And | Or | Comparison | State), "of the other kinds it is none"
    holds = _quick(node)
    conditions = list(leaves(node))

    def whole(event: Event) -> bool | None:
        found = holds(event)
        if found and any(log_filter_leaf.is_container(leaf, event) for leaf in conditions):
            return None  # see _whole
        return found

    return whole


def _quick(node: Node) -> Quick:
    match node:
        case And(parts):
            return _series([_quick(part) for part in parts], ends=False)
        case Or(parts):
            return _series([_quick(part) for part in parts], ends=True)
        case leaf:
            return log_filter_leaf.quick(leaf)


def _series(parts: list[Quick], *, ends: bool) -> Quick:
    """Three-valued "and" (ended by a False) or "or" (ended by a True)."""

    def series(event: Event) -> bool | None:
        doubtful = False
        for part in parts:
            found = part(event)
            if found is ends:
                return ends
            doubtful = doubtful or found is None
        return None if doubtful else not ends

    return series
