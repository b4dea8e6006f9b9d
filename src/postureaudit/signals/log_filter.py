"""Whether a CloudWatch Logs filter pattern matches a CloudTrail event: yes, no, or AWS does not say.

The rules are those of the CloudWatch Logs user guide, "Filter pattern syntax for metric filters, subscription filters,
filter log events, and Live Tail":
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html and, for JSON events,
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/matching-terms-json-log-events.html.
Where the guide is silent, the answer is no guess but "unsure", with the reason, unless the rest of the filter decides.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from postureaudit.evidence import Json
from postureaudit.signals.log_filter_outcome import (
    NO,
    YES,
    Fail,
    Outcome,
    all_of,
    any_of,
    sentences,
    unless,
    unsure,
)
from postureaudit.signals.log_filter_syntax import FilterError, parse
from postureaudit.signals.log_filter_terms import search
from postureaudit.signals.log_filter_tree import (
    And,
    Columns,
    Comparison,
    Each,
    Everything,
    Keyword,
    Node,
    Operator,
    Or,
    Selector,
    State,
    Terms,
    Tree,
    Word,
    leaves,
)
from postureaudit.signals.log_filter_values import MISSING, Found, Missing, equal, ordered, show, unequal

__all__ = ["Decision", "Filter", "FilterError", "compile", "decide", "explain", "matches"]

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


@functools.lru_cache(maxsize=1024)
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
    wrong = [leaf.selector for leaf in leaves(node) if _is_container(leaf, event)]
    if not wrong:
        return outcome
    return unsure(f"{wrong[0]} is an array or object, and AWS does not say whether the rest may match then")


def _is_container(leaf: Comparison | State, event: Event) -> bool:
    if leaf.selector.wild or (isinstance(leaf, State) and leaf.keyword is Keyword.NOT_EXISTS):
        return False
    return isinstance(_select(leaf.selector, event)[0], list | Mapping)


def _node(node: Node, event: Event) -> Outcome:
    match node:
        case And(parts):
            return all_of([_node(part, event) for part in parts])
        case Or(parts):
            return any_of([_node(part, event) for part in parts])
        case leaf:
            return _leaf(leaf, event)


def _leaf(leaf: Comparison | State, event: Event) -> Outcome:
    """One condition, on what its selector finds: one value, or with a wildcard any number."""
    found = _select(leaf.selector, event)
    outcomes = [_holds(leaf, value) for value in found]
    outcome = _across(leaf, outcomes) if leaf.selector.wild else outcomes[0]
    if outcome.value is not False:
        return outcome
    shown = show(found[0]) if not leaf.selector.wild else ", ".join(map(show, found[:3])) or "empty"
    return Outcome(False, fails=(Fail(str(leaf.selector), shown, _wanted(leaf)),))


def _across(leaf: Comparison | State, outcomes: Sequence[Outcome]) -> Outcome:
    """ "You can use the JSON wildcard to select any array element or any JSON object field": one that holds is enough.

    Of != and NOT EXISTS the guide does not say whether one or all must differ.
    """
    some = any_of(outcomes)
    if not _is_negative(leaf) or some.value is all_of(outcomes).value:
        return some
    return unsure(
        f"AWS does not say whether {_negation(leaf)} holds for one or for all that {leaf.selector} selects"
    )


def _is_negative(leaf: Comparison | State) -> bool:
    return (
        leaf.keyword is Keyword.NOT_EXISTS if isinstance(leaf, State) else leaf.operator is Operator.UNEQUAL
    )


def _negation(leaf: Comparison | State) -> str:
    return leaf.keyword if isinstance(leaf, State) else leaf.operator


def _select(selector: Selector, event: Event) -> list[Found]:
    """What is there. "The elements in arrays follow a zero-based numbering system." """
    found: list[Found] = [event]
    for step in selector.steps:
        found = [inner for value in found for inner in _step(step, value)]
    return found


def _step(step: str | int | Each, value: Found) -> Iterable[Found]:
    match step, value:
        case str(name), Mapping():
            return [value.get(name, MISSING)]
        case int(index), list() if index < len(value):
            return [value[index]]
        case Each.FIELD, Mapping():
            return list(value.values())
        case Each.ELEMENT, list():
            return value
        case _:
            return [MISSING]


def _holds(leaf: Comparison | State, found: Found) -> Outcome:
    if isinstance(leaf, State):
        return _state(leaf, found)
    selector, operator, value = leaf.selector, leaf.operator, leaf.value
    match found:
        case Missing() if operator is Operator.UNEQUAL:
            # Seen in the console's test of a pattern: no match (github.com/DataBiosphere/azul/issues/5884).
            return unsure(f"{selector} is missing, and AWS does not say whether {operator} holds then")
        case Missing() | list() | Mapping():
            return NO
    if operator is Operator.UNEQUAL:
        outcome = unequal(selector, found, value)
    elif operator is Operator.EQUAL:
        outcome = equal(selector, found, value)
    else:
        outcome = ordered(selector, operator, found, value)
    if outcome.value and isinstance(value, Word) and value.needs_quotes:
        return unsure(f"AWS wants double quotation marks around {value}")
    return outcome


def _state(leaf: State, found: Found) -> Outcome:
    """IS NULL: "set to null"; NOT EXISTS: not there at all; IS TRUE and IS FALSE: the boolean."""
    match leaf.keyword:
        case Keyword.NOT_EXISTS:
            return YES if found is MISSING else NO
        case Keyword.IS_NULL:
            return YES if found is None else NO
        case Keyword.IS_TRUE | Keyword.IS_FALSE as keyword:
            wanted = keyword is Keyword.IS_TRUE
            if isinstance(found, bool):
                return YES if found is wanted else NO
            same = isinstance(found, str) and found.casefold() == str(wanted).casefold()
            return unless(
                same,
                f"{leaf.selector} is the text {show(found)}, and AWS does not say whether that {keyword}",
            )


def _wanted(leaf: Comparison | State) -> str:
    match leaf:
        case State(keyword=Keyword.NOT_EXISTS):
            return "it not to exist"
        case State(keyword=keyword):
            return keyword.removeprefix("IS ").lower()
        case Comparison(operator=Operator.EQUAL, value=value):
            return value.text if isinstance(value, Word) else str(value)
        case Comparison(operator=Operator.UNEQUAL, value=value):
            return f"anything but {value.text if isinstance(value, Word) else value}"
        case Comparison(operator=operator, value=value):
            return f"{operator} {value}"
