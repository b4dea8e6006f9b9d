"""Whether the Condition block of a policy statement holds, as far as a request is known: yes, no, or not known.

Rules from the IAM User Guide, "IAM JSON policy elements":
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_multi-value-conditions.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import base64
import ipaddress
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from typing import Union

import msgspec

from postureaudit.evidence import Json


class Either(msgspec.Struct, frozen=True):
    """A context value that is one of these; None among them means that the key may be absent."""

    options: tuple[str | None, ...]


# A value, several values, None for a key that is known to be absent, or one of a few.
# A key that is not in the context at all is unknown.
Value = Union[str, Sequence[str], None, Either]  # noqa: UP007 - msgspec reads this form on every Python we support


class Match(msgspec.Struct, frozen=True):
    """Whether a part of a statement fits the request; `why` reads on after "statement X ..."."""

    met: bool | None
    why: str = ""


class Context:
    """What is known of a request's context. Keys are case-insensitive."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = {key.lower(): value for key, value in values.items()}

    def states(self, key: str) -> list[tuple[str, ...] | None]:
        """Every state the key may be in (its values, or None for absent); empty when nothing is known of it."""
        if key.lower() not in self._values:
            return []
        match self._values[key.lower()]:
            case None:
                return [None]
            case str(value):
                return [(value,)]
            case Either(options):
                return [None if option is None else (option,) for option in options]
            case values:
                return [tuple(values)]


def any_of(values: Iterable[bool | None]) -> bool | None:
    """True if one is true, else unknown if one is unknown, else false."""
    found = list(values)
    return True if True in found else None if None in found else False


def all_of(values: Iterable[bool | None]) -> bool | None:
    """False if one is false, else unknown if one is unknown, else true."""
    return not_(any_of(not_(value) for value in values))


def not_(value: bool | None) -> bool | None:
    return None if value is None else not value


def every(matches: Iterable[Match]) -> Match:
    """All of them: the first that is false, else the first that is unknown, else yes."""
    found = list(matches)
    for met in (False, None):
        for match in found:
            if match.met is met:
                return match
    return Match(True)


def strings(value: Json) -> list[str]:
    """A text or a list of texts as a list; empty when it is anything else."""
    found = value if isinstance(value, list) else [value]
    return found if all(isinstance(item, str) for item in found) else []


def texts(value: Json) -> list[str]:
    """A policy value or list of values as texts; empty when it is not understood."""
    found = [_text(item) for item in (value if isinstance(value, list) else [value])]
    return [item for item in found if item is not None] if None not in found else []


def _text(value: Json) -> str | None:
    match value:
        case str():
            return value
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
    return None


def conditions(block: Json, context: Context, *, variables: bool) -> Match:
    """Operators and keys all have to hold; of the values of one key, one (of a negated operator, none)."""
    if not isinstance(block, dict):
        return Match(None, "has a Condition that is not understood")
    return every(_operator(name, keys, context, variables=variables) for name, keys in block.items())


def _operator(name: str, keys: Json, context: Context, *, variables: bool) -> Match:
    test = _parse(name)
    if test is None or not isinstance(keys, dict):
        return Match(None, f"has a condition {name!r} that is not understood")
    return every(_key(test, key, value, context, variables=variables) for key, value in keys.items())


def _key(test: _Test, key: str, value: Json, context: Context, *, variables: bool) -> Match:
    wanted, states = texts(value), context.states(key)
    if not wanted:
        return Match(None, f"compares {key} with something that is not understood")
    if not states:
        return Match(None, f"depends on {key}, which is not known for this call")
    if test.form:
        resolved = [resolve(item, context, form=test.form, variables=variables) for item in wanted]
    else:
        resolved = list(wanted)
    outcomes = {_holds(test, resolved, state) for state in states}
    if len(outcomes) > 1:
        return Match(None, f"depends on {key}, and AWS does not document whether this call carries it")
    met = outcomes.pop()
    if met is None:
        return Match(None, f"compares {key} in a way that is not understood")
    return Match(met, _demand(test, key, wanted))


def _demand(test: _Test, key: str, wanted: Sequence[str]) -> str:
    more = f" and {len(wanted) - 3} more" if len(wanted) > 3 else ""
    shown = ", ".join(wanted[:3]) + more
    if test.null:
        return f"wants {key} {'absent' if wanted[0].lower() == 'true' else 'present'}"
    return f"{'leaves out' if test.negated else 'is bound to'} {key} {shown}"


class _Test(msgspec.Struct, frozen=True):
    """A condition operator: how it compares one wanted value with one actual value, and over which of them."""

    compare: Callable[[str, str], bool | None]
    form: str = (
        ""  # how policy variables and wildcards are read: "text", "pattern" or, where there are none, ""
    )
    negated: bool = False
    if_exists: bool = False
    over: str = ""
    null: bool = False


def _holds(test: _Test, wanted: Sequence[str | None], state: tuple[str, ...] | None) -> bool | None:
    """One operator on one state of its key.

    An absent key does not match, so that a negated operator holds; IfExists and ForAllValues hold as well,
    ForAnyValue never does. Several values without a set operator are not documented: unknown.
    """
    if test.null:
        return None if state == () else any_of(_is_null(item, state is None) for item in wanted)
    if state is None:
        return test.if_exists or test.over == "ForAllValues" or (test.negated and not test.over)
    if not test.over:
        return _one(test, wanted, state[0]) if len(state) == 1 else None
    found = [_one(test, wanted, value) for value in state if value]  # "" is "a null data set"
    return all_of(found) if test.over == "ForAllValues" else any_of(found)


def _one(test: _Test, wanted: Sequence[str | None], value: str) -> bool | None:
    met = any_of(None if item is None else test.compare(item, value) for item in wanted)
    return not_(met) if test.negated else met


def _is_null(wanted: str | None, absent: bool) -> bool | None:
    asked = _bool(wanted or "")
    return None if asked is None else asked == absent


def resolve(text: str, context: Context, *, form: str, variables: bool) -> str | None:
    """A policy value with its variables filled in, as text or as a pattern for `glob`; None when one is unknown.

    Variables exist in Version 2012-10-17 only; ${*}, ${?} and ${$} are those characters themselves.
    """
    pattern = form == "pattern"
    parts: list[str] = []
    end = 0
    for found in _VARIABLE.finditer(text) if variables else ():
        value = _variable(found["name"], context)
        if value is None:
            return None
        parts += [_literal(text[end : found.start()], pattern), _escaped(value) if pattern else value]
        end = found.end()
    rest = text[end:]
    if variables and "${" in rest:
        return None
    return "".join([*parts, _literal(rest, pattern)])


_VARIABLE = re.compile(r"\$\{(?P<name>[^{}]*)\}")
_DEFAULT = re.compile(r"\s*(?P<key>[^,\s]+)\s*,\s*'(?P<default>[^']*)'\s*")


def _variable(name: str, context: Context) -> str | None:
    if name in ("*", "?", "$"):
        return name
    default = _DEFAULT.fullmatch(name)
    match context.states(default["key"] if default else name.strip()):
        case [None] if default:
            return default["default"]
        case [(str(value),)] if not re.search(
            r"[*?$]", value
        ):  # whether AWS takes these for wildcards is not said
            return value
    return None


def _literal(text: str, pattern: bool) -> str:
    return text.replace("[", "[[]") if pattern else text


def _escaped(text: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", text)


def glob(pattern: str, text: str) -> bool:
    """A resolved pattern: * stands for any characters, ? for one, case-sensitively."""
    if not any(char in pattern for char in "*?["):
        return pattern == text  # most are plain, and building an expression for each is what takes the time
    return fnmatchcase(text, pattern)


def arn_like(pattern: str, text: str) -> bool | None:
    """Each of the six parts of an ARN on its own; ArnEquals is the same as ArnLike."""
    wanted, actual = pattern.split(":", 5), text.split(":", 5)
    if len(actual) < 6:
        return None
    fits = all(glob(part, value) for part, value in zip(wanted, actual, strict=False))
    return fits if len(wanted) == 6 or not fits else None


def _ordered(compare: Callable[[Decimal, Decimal], bool]) -> Callable[[str, str], bool | None]:
    def numbers(wanted: str, actual: str) -> bool | None:
        left, right = _number(actual), _number(wanted)
        return None if left is None or right is None else compare(left, right)

    return numbers


def _number(text: str) -> Decimal | None:
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _timed(compare: Callable[[datetime, datetime], bool]) -> Callable[[str, str], bool | None]:
    def dates(wanted: str, actual: str) -> bool | None:
        left, right = _date(actual), _date(wanted)
        return None if left is None or right is None else compare(left, right)

    return dates


def _date(text: str) -> datetime | None:
    """An ISO 8601 date or seconds since 1970; four digits alone could be either."""
    try:
        if re.fullmatch(r"[0-9]{5,11}(\.[0-9]+)?", text):
            return datetime.fromtimestamp(float(text), UTC)
        if "-" not in text:
            return None
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _bool(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text.lower())


def _bools(wanted: str, actual: str) -> bool | None:
    left, right = _bool(wanted), _bool(actual)
    return None if left is None or right is None else left == right


def _addresses(wanted: str, actual: str) -> bool | None:
    try:
        return ipaddress.ip_address(actual) in ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return None


def _binaries(wanted: str, actual: str) -> bool | None:
    try:
        return base64.b64decode(wanted, validate=True) == base64.b64decode(actual, validate=True)
    except ValueError:
        return None


def _same_but_case(wanted: str, actual: str) -> bool:
    return wanted.lower() == actual.lower()


_TESTS = {
    "StringEquals": _Test(operator.eq, "text"),
    "StringNotEquals": _Test(operator.eq, "text", negated=True),
    "StringEqualsIgnoreCase": _Test(_same_but_case, "text"),
    "StringNotEqualsIgnoreCase": _Test(_same_but_case, "text", negated=True),
    "StringLike": _Test(glob, "pattern"),
    "StringNotLike": _Test(glob, "pattern", negated=True),
    "ArnEquals": _Test(arn_like, "pattern"),
    "ArnLike": _Test(arn_like, "pattern"),
    "ArnNotEquals": _Test(arn_like, "pattern", negated=True),
    "ArnNotLike": _Test(arn_like, "pattern", negated=True),
    "NumericEquals": _Test(_ordered(operator.eq)),
    "NumericNotEquals": _Test(_ordered(operator.eq), negated=True),
    "NumericLessThan": _Test(_ordered(operator.lt)),
    "NumericLessThanEquals": _Test(_ordered(operator.le)),
    "NumericGreaterThan": _Test(_ordered(operator.gt)),
    "NumericGreaterThanEquals": _Test(_ordered(operator.ge)),
    "DateEquals": _Test(_timed(operator.eq)),
    "DateNotEquals": _Test(_timed(operator.eq), negated=True),
    "DateLessThan": _Test(_timed(operator.lt)),
    "DateLessThanEquals": _Test(_timed(operator.le)),
    "DateGreaterThan": _Test(_timed(operator.gt)),
    "DateGreaterThanEquals": _Test(_timed(operator.ge)),
    "Bool": _Test(_bools),
    "BinaryEquals": _Test(_binaries),
    "IpAddress": _Test(_addresses),
    "NotIpAddress": _Test(_addresses, negated=True),
    "Null": _Test(operator.eq, null=True),
}


def _parse(name: str) -> _Test | None:
    over, colon, rest = name.rpartition(":")
    if colon and over not in ("ForAllValues", "ForAnyValue"):
        return None
    base = rest.removesuffix("IfExists")
    test = _TESTS.get(base)
    if test is None or (test.null and (over or base != rest)):
        return None
    return msgspec.structs.replace(test, over=over, if_exists=base != rest)
