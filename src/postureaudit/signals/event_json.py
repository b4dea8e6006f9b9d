"""The JSON of an event pattern, as it was written: numbers keep their digits, objects the names that stand twice."""

from __future__ import annotations

import decimal
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import NoReturn

from postureaudit.errors import PostureAuditError
from postureaudit.evidence import Json
from postureaudit.signals.event_matchers import show

MAX_DEPTH = 100  # ours: no event of AWS is nested a quarter as deep


class PatternError(PostureAuditError):
    """A pattern that EventBridge would refuse: the field and the reason stand in the message."""


class _Members(tuple[tuple[str, Json], ...]):
    """A JSON object of a text: what `json` would keep of it as a dict, and what it would drop."""

    __slots__ = ()


def parse(text: str) -> Json:
    """Read a pattern's text; it must be JSON by the letter."""
    try:
        return json.loads(
            text,
            object_pairs_hook=_Members,
            parse_int=Decimal,
            parse_float=_decimal,
            parse_constant=_refuse_constant,
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise PatternError(f"the pattern is not valid JSON: {error.msg} ({where})") from error
    except RecursionError as error:
        raise too_deep() from error


def members(value: Json) -> tuple[tuple[str, Json], ...] | None:
    """The names and values of an object; None for anything else."""
    if isinstance(value, Mapping):
        return tuple(value.items())
    return value if isinstance(value, _Members) else None


def items(value: Json) -> tuple[Json, ...] | None:
    """The elements of a list; None for anything else."""
    return tuple(value) if isinstance(value, list | tuple) and not isinstance(value, _Members) else None


def kind(value: Json) -> str:
    """Name a value in a sentence: a scalar by itself, the others by what they are."""
    if members(value) is not None:
        return "an object"
    return show(value) if items(value) is None else "a list"


def too_deep() -> PatternError:
    """The refusal of a pattern that nobody can have meant."""
    return PatternError(f"the pattern is nested more than {MAX_DEPTH} levels deep")


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except decimal.InvalidOperation as error:
        raise PatternError(f"the pattern has a number out of all range: {show(text)}") from error


def _refuse_constant(text: str) -> NoReturn:
    raise PatternError(f"the pattern is not valid JSON: {text} is no JSON number")
