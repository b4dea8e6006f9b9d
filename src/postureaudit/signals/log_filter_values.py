"""How a filter pattern compares one value of an event with what it wants."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import Enum

from postureaudit.evidence import Json
from postureaudit.signals.log_filter_outcome import NO, YES, Outcome, negated, unless, unsure
from postureaudit.signals.log_filter_regex import Regex
from postureaudit.signals.log_filter_tree import Operator, Selector, Word, number


class Missing(Enum):
    """What a selector finds where there is nothing; null is something."""

    MISSING = "missing"


MISSING = Missing.MISSING
Found = Json | Missing


def equal(selector: Selector, found: Json, value: Word | Regex) -> Outcome:
    """= "Value nodes can be strings or numbers": of booleans and null the guide says IS, and nothing of =."""
    match found, value:
        case str(), Regex():
            return YES if value.found_in(found) else NO
        case str(), Word():
            return _same_text(selector, found, value)
        case _, Regex():
            return unless(
                value.found_in(_text(found)),
                f"{selector} is {show(found)}, and AWS matches a regex with text",
            )
        case ((bool() | None), Word()):
            return unless(
                _like(_text(found), value), f"{selector} is {show(found)}, and AWS asks for IS there"
            )
        case _, Word():
            return _same_number(selector, found, value)


def unequal(selector: Selector, found: Json, value: Word | Regex) -> Outcome:
    """!= holds for a value of the right kind that is another one. For one of another kind AWS does not say."""
    same = equal(selector, found, value)
    if same.value is not False:
        return negated(same)
    is_number = (
        isinstance(value, Word) and not value.quoted and (value.number is not None or "*" in value.text)
    )
    is_text = isinstance(value, Regex) or value.number is None
    if (is_text and isinstance(found, str)) or (is_number and _is_number(found)):
        return YES
    return unsure(f"{selector} is {show(found)}, and AWS does not say whether that != {value}")


def ordered(selector: Selector, operator: Operator, found: Json, value: Word | Regex) -> Outcome:
    """<, >, <= and >= compare numbers."""
    wanted = value.number if isinstance(value, Word) else None
    if wanted is None:
        return NO  # parse lets none through
    if _is_number(found):
        return YES if _compare(operator, _decimal(found), wanted) else NO
    numeric = isinstance(found, str) and number(found) is not None
    return unless(numeric, f"{selector} is the text {show(found)}, and AWS compares numbers with {operator}")


def _compare(operator: Operator, left: Decimal, right: Decimal) -> bool:
    match operator:
        case Operator.LESS:
            return left < right
        case Operator.GREATER:
            return left > right
        case Operator.AT_MOST:
            return left <= right
        case _:
            return left >= right


def _same_text(selector: Selector, found: str, value: Word) -> Outcome:
    """A string, in which "the asterisk" is "a wild card to match text"; digits may be a string as well."""
    if value.number is not None:
        if found == value.text:
            return YES
        same = number(found) == value.number
        return unless(
            same, f"{selector} is the text {show(found)}, and AWS does not say whether that = {value}"
        )
    readings = {_fits(found, chunks) for chunks in _readings(value)}
    if len(readings) == 1:
        return YES if readings == {True} else NO
    return unsure(f"AWS does not say what {_puzzle(value)} within {value} stands for")


def _same_number(selector: Selector, found: Json, value: Word) -> Outcome:
    """A number: "use the asterisk as a wild card to match numbers"."""
    if value.number is not None:
        return YES if _decimal(found) == value.number else NO
    if value.quoted or "*" not in value.text:
        return unless(_like(_text(found), value), f"{selector} is a number, and {value} is text")
    return YES if _like(_text(found), value) else NO


def _like(text: str, value: Word) -> bool:
    """Whether it may be the same in any reading, whatever the case."""
    return any(_fits(text.casefold(), [chunk.casefold() for chunk in chunks]) for chunks in _readings(value))


def _readings(value: Word) -> list[list[str]]:
    """What a word may stand for, as the chunks between its wildcards.

    The guide has wildcards at the start and at the end, and in 2018 said that Ev*ent is nothing but Ev*ent. It does
    not tell how to write a quotation mark within quotation marks.
    """
    texts = [value.text]
    if value.quoted and "\\" in value.text:
        texts = [value.text.replace('\\"', '"'), unescaped(value.text)]
    return [chunks for text in texts for chunks in (text.split("*"), _edges(text))]


def _edges(text: str) -> list[str]:
    core = text.strip("*")
    return [""] * text.startswith("*") + [core] + [""] * (text.endswith("*") and bool(core))


def _puzzle(value: Word) -> str:
    return "a backslash" if "\\" in value.text else "*"


def unescaped(text: str) -> str:
    chars = iter(text)
    return "".join(next(chars, "") if char == "\\" else char for char in chars)


def _fits(text: str, chunks: Sequence[str]) -> bool:
    """Whether the text is these chunks, in order, with anything between them."""
    first, *rest = chunks
    if not rest:
        return text == first
    if not text.startswith(first):
        return False
    *middle, last = rest
    at = len(first)
    for chunk in middle:
        if (at := text.find(chunk, at)) < 0:
            return False
        at += len(chunk)
    return len(text) - at >= len(last) and text.endswith(last)


def _is_number(found: Json) -> bool:
    if isinstance(found, bool) or not isinstance(found, int | float):
        return False
    return isinstance(found, int) or math.isfinite(found)


def _decimal(found: Json) -> Decimal:
    return Decimal(found if isinstance(found, int) else repr(found))


def _text(found: Json) -> str:
    """A value as it stands in the event; a whole number without its point."""
    if isinstance(found, float) and found.is_integer() and abs(found) < 1e15:
        return str(int(found))
    return (
        str(Decimal(found)) if isinstance(found, int) and not isinstance(found, bool) else json.dumps(found)
    )


def show(found: Found) -> str:
    """A value for people: short, on one line."""
    match found:
        case Missing.MISSING:
            return "missing"
        case str():
            return repr(found if len(found) <= 80 else found[:77] + "...")
        case list():
            return "an array"
        case Mapping():
            return "an object"
        case _:
            return _text(found)[:80]
