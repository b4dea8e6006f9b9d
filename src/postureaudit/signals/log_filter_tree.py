"""What a CloudWatch Logs filter pattern says, as a tree; every class names the rule of the user guide it follows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from enum import Enum, StrEnum

import msgspec

from postureaudit.signals.log_filter_regex import Regex


class Each(Enum):
    """A wildcard in a selector: "any array element or any JSON object field"."""

    FIELD = ".*"
    ELEMENT = "[*]"


class Operator(StrEnum):
    """A comparison. Text knows = and != only; numbers know all six."""

    EQUAL = "="
    UNEQUAL = "!="
    LESS = "<"
    GREATER = ">"
    AT_MOST = "<="
    AT_LEAST = ">="


class Keyword(StrEnum):
    """ "The IS variable can match fields that contain the values NULL, TRUE, or FALSE", and NOT EXISTS."""

    IS_NULL = "IS NULL"
    IS_TRUE = "IS TRUE"
    IS_FALSE = "IS FALSE"
    NOT_EXISTS = "NOT EXISTS"


class Selector(msgspec.Struct, frozen=True):
    """Where to look: names, positions in arrays, and at most one wildcard."""

    steps: tuple[str | int | Each, ...]

    @property
    def wild(self) -> bool:
        return any(isinstance(step, Each) for step in self.steps)

    def __str__(self) -> str:
        return "$" + "".join(map(_step, self.steps))


class Word(msgspec.Struct, frozen=True):
    """Text or a number to compare with, as written; of a quoted one, what stands between the quotes."""

    text: str
    quoted: bool = False

    @property
    def number(self) -> Decimal | None:
        """What it counts as a number. "Strings don't support scientific notation", so a quoted one is none."""
        return None if self.quoted else number(self.text)

    @property
    def needs_quotes(self) -> bool:
        """ "Strings that contain types other than alphanumeric characters and the underscore symbol must be placed in
        double quotation marks." The guide's own 123.123.* has no quotes, and neither have CIS's kms.amazonaws.com.
        """
        return not self.quoted and self.number is None and not re.fullmatch(r"[A-Za-z0-9_.*]*", self.text)

    def __str__(self) -> str:
        return f'"{self.text}"' if self.quoted else self.text


class Comparison(msgspec.Struct, frozen=True):
    """{ PropertySelector EqualityOperator String } or { PropertySelector NumericOperator Number }."""

    selector: Selector
    operator: Operator
    value: Word | Regex


class State(msgspec.Struct, frozen=True):
    """{ PropertySelector IS NULL } and its kin."""

    selector: Selector
    keyword: Keyword


class And(msgspec.Struct, frozen=True):
    """&&, which binds tighter than ||: "() > && > ||"."""

    parts: tuple[Node, ...]


class Or(msgspec.Struct, frozen=True):
    """||"""

    parts: tuple[Node, ...]


Node = And | Or | Comparison | State


class Term(msgspec.Struct, frozen=True):
    """A word, phrase or regular expression that the text of an event contains."""

    value: Word | Regex


class Everything(msgspec.Struct, frozen=True):
    """The empty pattern, which matches all events."""


class Terms(msgspec.Struct, frozen=True):
    """Terms for unstructured events: all of `wanted` and none of `unwanted`, or else any of `options`."""

    wanted: tuple[Term, ...] = ()
    unwanted: tuple[Term, ...] = ()
    options: tuple[Term, ...] = ()


class Columns(msgspec.Struct, frozen=True):
    """[a, b, ...]: a pattern for events that are words between blanks. What is inside is not read."""


Tree = Node | Everything | Terms | Columns


def leaves(node: Node) -> Iterator[Comparison | State]:
    """The comparisons of a filter, in order."""
    if isinstance(node, And | Or):
        for part in node.parts:
            yield from leaves(part)
    else:
        yield node


def number(text: str) -> Decimal | None:
    """A number as filters write it: "integers that contain plus or minus symbols and follow scientific notation"."""
    if len(text) > 400 or not re.fullmatch(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?", text):
        return None
    return Decimal(text)


def _step(step: str | int | Each) -> str:
    match step:
        case Each():
            return step.value
        case int():
            return f"[{step}]"
        case _:
            return f".{step}" if re.fullmatch(r"[A-Za-z0-9_-]+", step) else f".['{step}']"
