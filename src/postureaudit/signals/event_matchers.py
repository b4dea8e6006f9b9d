"""What one value of an event may be: EventBridge's comparison operators, each as a small frozen test.

The rules are those of the user guide, "Comparison operators for use in event patterns"
(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html), and where it is silent
those of AWS's own engine (https://github.com/aws/event-ruler). A matcher looks at one leaf: the lists of a pattern,
the arrays of an event and missing fields are the business of `event_pattern`.
"""

from __future__ import annotations

import enum
import ipaddress
import json
import math
import operator
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Protocol

import msgspec

from postureaudit.evidence import Json

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

SHOWN_LENGTH = 80
SHOWN_ITEMS = 5

# What the engine takes for an address before it parses one: no zone, no dotted tail in IPv6.
_LIKE_ADDRESS = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+|[0-9a-fA-F]*:[0-9a-fA-F:]*")
_SIGNS: Mapping[str, Callable[[Decimal, Decimal], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Matcher(Protocol):
    """A test of one leaf value, which can also say what it wants."""

    def fits(self, value: Json) -> bool:
        """Tell whether this value passes."""

    def wants(self) -> str:
        """Say it in the words of the pattern: `numeric >= 7`, `prefix "us-"`."""


class Where(enum.Enum):
    """Which part of the text is compared."""

    ALL = ""
    START = "prefix"
    END = "suffix"


class Text(msgspec.Struct, frozen=True):
    """A string, "exact (character-by-character) matching without case-folding" ("Event pattern syntax").

    A string is never equal to a number: "1" is not 1. The engine reads a literal that is an IP address as that
    address, so that `2001:db8::1` also matches `2001:0db8::1`.
    """

    text: str
    address: Address | None = None

    def fits(self, value: Json) -> bool:
        if not isinstance(value, str):
            return False
        return value == self.text or (self.address is not None and as_address(value) == self.address)

    def wants(self) -> str:
        return show(self.text)


class Number(msgspec.Struct, frozen=True):
    """A number by its value: 300, 300.0 and 3.0e2 are the same ("Event pattern syntax"); true is not 1."""

    number: Decimal

    def fits(self, value: Json) -> bool:
        return as_number(value) == self.number

    def wants(self) -> str:
        return show(self.number)


class Constant(msgspec.Struct, frozen=True):
    """true, false or null ("Matching null values": null is neither a missing field nor an empty string)."""

    value: bool | None

    def fits(self, value: Json) -> bool:
        return value is self.value

    def wants(self) -> str:
        return show(self.value)


class Affix(msgspec.Struct, frozen=True):
    """`prefix` and `suffix` ("Prefix matching", "Suffix matching"): for strings only."""

    text: str
    where: Where

    def fits(self, value: Json) -> bool:
        if not isinstance(value, str):
            return False
        return value.startswith(self.text) if self.where is Where.START else value.endswith(self.text)

    def wants(self) -> str:
        return f"{self.where.value} {show(self.text)}"


class IgnoreCase(msgspec.Struct, frozen=True):
    """`equals-ignore-case`, alone or inside `prefix` and `suffix` ("Equals-ignore-case matching").

    As in the engine a character of the pattern stands for its upper and its lower case, which may be longer than
    itself: the ends of all possible matches are followed, one character of the pattern at a time.
    """

    text: str
    where: Where

    def fits(self, value: Json) -> bool:
        if not isinstance(value, str):
            return False
        if self.where is Where.END:
            starts = {len(value)}
            for forms in map(_both_cases, reversed(self.text)):
                starts = {at - len(form) for at in starts for form in forms if value.endswith(form, 0, at)}
            return bool(starts)
        ends = {0}
        for forms in map(_both_cases, self.text):
            ends = {at + len(form) for at in ends for form in forms if value.startswith(form, at)}
        return bool(ends) if self.where is Where.START else len(value) in ends

    def wants(self) -> str:
        return f"{self.where.value} equals-ignore-case {show(self.text)}".lstrip()


class Wildcard(msgspec.Struct, frozen=True):
    """`wildcard` ("Matching using wildcards"): each `*` stands for any characters, or none; strings only.

    `parts` is the text between the wildcards. Taking the leftmost place for each part in turn is enough, so that a
    long pattern on a long string costs one pass and never tries again.
    """

    text: str
    parts: tuple[str, ...]

    def fits(self, value: Json) -> bool:
        if not isinstance(value, str):
            return False
        first, *middle = self.parts
        if not middle:
            return value == first
        last = middle.pop()
        end = len(value) - len(last)
        at = len(first)
        if at > end or not value.startswith(first) or not value.endswith(last):
            return False
        for part in middle:
            found = value.find(part, at, end)
            if found < 0:
                return False
            at = found + len(part)
        return True

    def wants(self) -> str:
        return f"wildcard {show(self.text)}"


class Range(msgspec.Struct, frozen=True):
    """`numeric` ("Numeric matching"): JSON numbers only, so "8" and true never fit."""

    bounds: tuple[tuple[str, Decimal], ...]

    def fits(self, value: Json) -> bool:
        number = as_number(value)
        if number is None or not is_comparable(number):
            return False
        return all(_SIGNS[sign](number, bound) for sign, bound in self.bounds)

    def wants(self) -> str:
        return "numeric " + " and ".join(f"{sign} {show(bound)}" for sign, bound in self.bounds)


class Cidr(msgspec.Struct, frozen=True):
    """`cidr` ("IP address matching"): strings that are an IPv4 or IPv6 address of the network."""

    text: str
    network: Network

    def fits(self, value: Json) -> bool:
        if not isinstance(value, str):
            return False
        address = as_address(value)
        return address is not None and address in self.network

    def wants(self) -> str:
        return f"cidr {show(self.text)}"


class Exists(msgspec.Struct, frozen=True):
    """`exists` ("Exists matching"): a leaf is there, be it null, or none is; an object is no leaf."""

    present: bool

    def fits(self, value: Json) -> bool:
        return self.present

    def wants(self) -> str:
        return f"exists: {show(self.present)}"


class AnythingBut(msgspec.Struct, frozen=True):
    """`anything-but` ("Anything-but matching"): a value of any type that is there and passes none of the tests."""

    tests: tuple[Matcher, ...]

    def fits(self, value: Json) -> bool:
        return not any(test.fits(value) for test in self.tests)

    def wants(self) -> str:
        return f"anything-but {one_of(self.tests)}"


def one_of(matchers: tuple[Matcher, ...]) -> str:
    """Name the first few matchers and count the rest: `7, 7.1, 7.2, 7.3, 7.4 or 15 more`."""
    words = list(dict.fromkeys(matcher.wants() for matcher in matchers))
    return listed(words, "or")


def listed(words: list[str], joint: str) -> str:
    """Join words as a sentence does, the first few and a count of the others."""
    if len(words) > SHOWN_ITEMS + 1:
        words = [*words[:SHOWN_ITEMS], f"{len(words) - SHOWN_ITEMS} more"]
    head, last = ", ".join(words[:-1]), words[-1]
    return f"{head} {joint} {last}" if head else last


def show(value: Json) -> str:
    """A leaf as JSON writes it, cut to what fits in a sentence."""
    number = as_number(value)
    text = json.dumps(value, ensure_ascii=False, default=str) if number is None else str(number)
    return text if len(text) <= SHOWN_LENGTH else f"{text[: SHOWN_LENGTH - 1]}…"


def as_number(value: Json) -> Decimal | None:
    """Take a JSON number for what its digits say; None for anything else, true and false included."""
    match value:
        case bool():
            return None
        case int():
            return Decimal(value)
        case float():
            return Decimal(repr(value)) if math.isfinite(value) else None
        case Decimal():
            return value if value.is_finite() else None
        case _:
            return None


def is_comparable(number: Decimal) -> bool:
    """Tell whether the engine can put the number in order: one that a 64-bit float writes back unchanged.

    The user guide still names the older limits, -5.0e9 to 5.0e9 with six decimals.
    """
    rounded = float(number)
    return math.isfinite(rounded) and Decimal(repr(rounded)) == number


def as_address(text: str) -> Address | None:
    """Take the text for an IP address, if the engine would."""
    if _LIKE_ADDRESS.fullmatch(text) is None:
        return None
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _both_cases(character: str) -> set[str]:
    # Java folds UTF-16 units: a character beyond U+FFFF is two of them, and stays as it is.
    return {character} if ord(character) > 0xFFFF else {character.lower(), character.upper()}
