"""One condition of a CloudWatch Logs filter pattern: what its selector finds in an event, and whether that holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from postureaudit.evidence import Json
from postureaudit.signals.log_filter_outcome import NO, YES, Fail, Outcome, all_of, any_of, unless, unsure
from postureaudit.signals.log_filter_tree import Comparison, Each, Keyword, Operator, Selector, State, Word
from postureaudit.signals.log_filter_values import MISSING, Found, Missing, equal, ordered, show, unequal

Event = Mapping[str, Json]


def judge(leaf: Comparison | State, event: Event) -> Outcome:
    """One condition, on what its selector finds: one value, or with a wildcard any number."""
    found = select(leaf.selector, event)
    outcomes = [holds(leaf, value) for value in found]
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


def select(selector: Selector, event: Event) -> list[Found]:
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


def holds(leaf: Comparison | State, found: Found) -> Outcome:
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


def is_container(leaf: Comparison | State, event: Event) -> bool:
    if leaf.selector.wild or (isinstance(leaf, State) and leaf.keyword is Keyword.NOT_EXISTS):
        return False
    return isinstance(select(leaf.selector, event)[0], list | Mapping)


def quick(leaf: Comparison | State) -> Callable[[Event], bool | None]:
    """The value of `judge` as a function of its own, without the reasons; quick for plain names and plain text."""
    selector = leaf.selector
    if selector.wild:
        return lambda event: judge(leaf, event).value
    if not all(isinstance(step, str) for step in selector.steps):
        return lambda event: holds(leaf, select(selector, event)[0]).value
    names = selector.steps

    def found(event: Event) -> Found:
        value: Found = event
        for name in names:
            if type(value) is not dict and not isinstance(value, Mapping):
                return MISSING
            value = value.get(name, MISSING)
        return value

    if isinstance(leaf, State) or not _is_plain(leaf):
        return lambda event: holds(leaf, found(event)).value
    assert isinstance(leaf.value, Word)
    text, same = leaf.value.text, leaf.operator is Operator.EQUAL

    def compared(event: Event) -> bool | None:
        value = found(event)
        return (value == text) is same if isinstance(value, str) else holds(leaf, value).value

    return compared


def _is_plain(leaf: Comparison) -> bool:
    """Whether a text fits if it is the same: it has no wildcard, is no number, and no quotation marks are wanting."""
    value = leaf.value
    if not isinstance(value, Word) or leaf.operator not in (Operator.EQUAL, Operator.UNEQUAL):
        return False
    return not (value.number is not None or value.needs_quotes or "*" in value.text or "\\" in value.text)
