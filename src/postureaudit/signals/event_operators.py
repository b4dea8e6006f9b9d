"""Read the operators of an event pattern, each with the operands it takes and the refusals of those it does not.

The operators are those of the user guide, "Comparison operators for use in event patterns"
(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from decimal import Decimal

from postureaudit.evidence import Json
from postureaudit.signals import event_matchers
from postureaudit.signals.event_json import PatternError, items, kind, members
from postureaudit.signals.event_matchers import Matcher, Where, show

_MASK = re.compile(r"[+-]?[0-9]{1,9}")
_NUMERIC_HINT = (
    'one of =, <, <=, >, >= with a number, or a range that begins with its lower bound: [">", 0, "<=", 5]'
)


def read(value: Json, field: str) -> Matcher:
    """Read an operator's object, such as `{"prefix": "us-"}`, out of a field's list."""
    name, operand = _single(value, field)
    if name not in _READERS:
        documented = ", ".join(key for key in _READERS if key != "exactly")
        raise PatternError(f"{field}: there is no operator {show(name)}", hint=f"there are: {documented}")
    return _READERS[name](operand, field)


def _single(value: Json, field: str) -> tuple[str, Json]:
    pairs = members(value) or ()
    if len(pairs) != 1:
        has = " and ".join(kind(name) for name, _ in pairs) or "none"
        raise PatternError(
            f"{field}: an operator's object must have exactly one key, this one has {has}",
            hint="operators beside each other in the list are a choice; only a numeric range is both at once",
        )
    return pairs[0]


def _text(operand: Json, field: str, operator: str) -> str:
    if not isinstance(operand, str):
        raise PatternError(f"{field}: {operator} wants a string, not {kind(operand)}")
    return operand


def _exactly(operand: Json, field: str) -> Matcher:
    """Read `exactly`: the engine's long form of a literal string, which the user guide does not name."""
    return event_matchers.Text(_text(operand, field, "exactly"))


def _prefix(operand: Json, field: str) -> Matcher:
    """Read `prefix` ("Prefix matching", "Prefix matching while ignoring case")."""
    return _affix(operand, field, Where.START)


def _suffix(operand: Json, field: str) -> Matcher:
    """Read `suffix` ("Suffix matching", "Suffix matching while ignoring case")."""
    return _affix(operand, field, Where.END)


def _affix(operand: Json, field: str, where: Where) -> Matcher:
    if members(operand) is None:
        return event_matchers.Affix(_text(operand, field, where.value), where)
    name, inner = _single(operand, field)
    if name != "equals-ignore-case":
        raise PatternError(f"{field}: {where.value} wants a string or equals-ignore-case, not {show(name)}")
    return event_matchers.IgnoreCase(_text(inner, field, name), where)


def _ignore_case(operand: Json, field: str) -> Matcher:
    """Read `equals-ignore-case` ("Equals-ignore-case matching")."""
    return event_matchers.IgnoreCase(_text(operand, field, "equals-ignore-case"), Where.ALL)


def _wildcard(operand: Json, field: str) -> Matcher:
    r"""Read `wildcard` ("Matching using wildcards"): no two in a row; `\*` and `\\` are the only escapes."""
    text = _text(operand, field, "wildcard")
    parts = [""]
    at = 0
    while at < len(text):
        match text[at : at + 2]:
            case "**":
                raise PatternError(f"{field}: wildcard has two * in a row, at character {at + 1}")
            case "\\*" | "\\\\" as escaped:
                parts[-1] += escaped[1]
                at += 1
            case pair if pair.startswith("\\"):
                raise PatternError(
                    f"{field}: wildcard has an invalid escape, at character {at + 1}",
                    hint="a backslash may only stand before * or another backslash",
                )
            case pair if pair.startswith("*"):
                parts.append("")
            case pair:
                parts[-1] += pair[0]
        at += 1
    return event_matchers.Wildcard(text, tuple(parts))


def _numeric(operand: Json, field: str) -> Matcher:
    """Read `numeric` ("Numeric matching"): one comparison, or a range from its lower bound to its upper one."""
    match items(operand):
        case None:
            raise PatternError(f"{field}: numeric wants a list, not {kind(operand)}", hint=_NUMERIC_HINT)
        case (("=" | "<" | "<=" | ">" | ">=") as sign, bound):
            return event_matchers.Range(((sign, _comparable(bound, field, f"numeric {sign}")),))
        case ((">" | ">=") as above, low, ("<" | "<=") as below, high):
            bottom = _comparable(low, field, f"numeric {above}")
            top = _comparable(high, field, f"numeric {below}")
            if bottom >= top:
                raise PatternError(
                    f"{field}: numeric range ends at {top}, not above its beginning at {bottom}"
                )
            return event_matchers.Range(((above, bottom), (below, top)))
        case others:
            written = ", ".join(map(kind, others))
            raise PatternError(f"{field}: numeric cannot be [{written}]", hint=_NUMERIC_HINT)


def _comparable(value: Json, field: str, operator: str) -> Decimal:
    number = event_matchers.as_number(value)
    if number is None:
        raise PatternError(f"{field}: {operator} wants a number, not {kind(value)}")
    if not event_matchers.is_comparable(number):
        raise PatternError(
            f"{field}: {operator} cannot compare {show(number)}",
            hint="a number must fit a 64-bit float without losing a digit",
        )
    return number


def _exists(operand: Json, field: str) -> Matcher:
    """Read `exists` ("Exists matching")."""
    if not isinstance(operand, bool):
        raise PatternError(f"{field}: exists must be either true or false, not {kind(operand)}")
    return event_matchers.Exists(operand)


def _cidr(operand: Json, field: str) -> Matcher:
    """Read `cidr` ("IP address matching"), with the engine's limits: below /32 for IPv4, below /128 for IPv6."""
    text = _text(operand, field, "cidr")
    host, _, mask = text.partition("/")
    if not mask or "/" in mask:
        raise PatternError(f"{field}: cidr {show(text)} needs one slash", hint="10.0.0.0/8 or 2001:db8::/32")
    if _MASK.fullmatch(mask) is None or int(mask) < 0:
        raise PatternError(f"{field}: cidr {show(text)} needs a number of mask bits")
    if (address := event_matchers.as_address(host)) is None:
        raise PatternError(f"{field}: cidr {show(text)} has no IP address before its slash")
    if int(mask) >= address.max_prefixlen:
        raise PatternError(
            f"{field}: cidr {show(text)} has too many mask bits, IPv{address.version} takes less than "
            f"{address.max_prefixlen}",
            hint=f"write a single address as a plain value: {show(host)}",
        )
    return event_matchers.Cidr(text, ipaddress.ip_network(f"{address}/{int(mask)}", strict=False))


def _anything_but(operand: Json, field: str) -> Matcher:
    """Read `anything-but` ("Anything-but matching"): values of one type, or one text operator with its values."""
    if members(operand) is None:
        return event_matchers.AnythingBut(_excluded(_one_or_more(operand), field))
    name, inner = _single(operand, field)
    if name not in _INSIDE_ANYTHING_BUT:
        raise PatternError(
            f"{field}: anything-but cannot hold {show(name)}",
            hint=f"it takes values, or one of: {', '.join(_INSIDE_ANYTHING_BUT)}",
        )
    values = _one_or_more(inner)
    if not values or not all(isinstance(value, str) for value in values):
        raise PatternError(f"{field}: anything-but {name} wants a string or a list of strings")
    if name in ("prefix", "suffix") and "" in values:
        raise PatternError(f"{field}: anything-but {name} must not be an empty string, no string would match")
    return event_matchers.AnythingBut(tuple(_READERS[name](value, field) for value in values))


def _excluded(values: tuple[Json, ...], field: str) -> tuple[Matcher, ...]:
    if values and all(isinstance(value, str) for value in values):
        return tuple(event_matchers.Text(value) for value in values)
    if values and all(event_matchers.as_number(value) is not None for value in values):
        return tuple(event_matchers.Number(_comparable(value, field, "anything-but")) for value in values)
    raise PatternError(
        f"{field}: anything-but wants a string or a number, or a list with only strings or only numbers",
        hint="true, false and null cannot be excluded, nor strings together with numbers",
    )


def _one_or_more(operand: Json) -> tuple[Json, ...]:
    values = items(operand)
    return (operand,) if values is None else values


_READERS: Mapping[str, Callable[[Json, str], Matcher]] = {
    "exactly": _exactly,
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _ignore_case,
    "wildcard": _wildcard,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "exists": _exists,
    "cidr": _cidr,
}
_INSIDE_ANYTHING_BUT = ("prefix", "suffix", "equals-ignore-case", "wildcard")
