"""Read an event pattern, and refuse what EventBridge would refuse, with its reason.

The grammar is the user guide's "Event pattern syntax"
(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern.html); the reasons are those that AWS's
engine gives in an `InvalidEventPatternException`, with the field they are about.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

import msgspec

from postureaudit.evidence import Json
from postureaudit.signals import event_matchers, event_operators
from postureaudit.signals.event_json import MAX_DEPTH, PatternError, items, kind, members, parse, too_deep
from postureaudit.signals.event_matchers import Matcher, show

OR = "$or"
OR_HINT = (
    f'{OR} holds two objects or more, each with fields as the pattern has them: {{"{OR}": [{{..}}, {{..}}]}}'
)
MAX_BRANCHES = 1000  # AWS's limit on what the `$or`s of a pattern may multiply to

# Names the engine keeps for itself: inside `$or` they are taken for a misplaced operator.
_RESERVED_IN_OR = frozenset(
    """
    exactly equals-ignore-case prefix suffix anything-but exists wildcard numeric cidr = < <= > >= regex not-wildcard
    not-equals-ignore-case date-after date-on-or-after date-before date-on-or-before in-date-range
    ip-address-in-range ip-address-not-in-range
    """.split()  # noqa: SIM905 one name a line would be a page of them
)


class Field(msgspec.Struct, frozen=True):
    """One field a pattern names, by its dotted path, and the tests of which one value must pass one."""

    name: str
    matchers: tuple[Matcher, ...]

    def fits(self, value: Json) -> bool:
        return any(matcher.fits(value) for matcher in self.matchers)

    def may_be_absent(self) -> bool:
        return any(
            isinstance(matcher, event_matchers.Exists) and not matcher.present for matcher in self.matchers
        )


class Branch(msgspec.Struct, frozen=True):
    """Fields that must all match, in the order of the document."""

    fields: tuple[Field, ...]


_Fields = dict[str, tuple[Matcher, ...]]


def read(pattern: str | Mapping[str, Json]) -> tuple[Branch, ...]:
    """Read a pattern into its branches, of which one must match: one, or more if it has `$or`."""
    document = parse(pattern) if isinstance(pattern, str) else pattern
    if members(document) is None:
        raise PatternError(
            "the pattern is not a JSON object", hint='begin with {"source": ["aws.guardduty"]}'
        )
    branches = _object(document, None, depth=1)
    return tuple(Branch(tuple(itertools.starmap(Field, fields.items()))) for fields in branches)


def dotted(path: str | None, name: str) -> str:
    """The path of a field inside another, or of one that stands in none."""
    return name if path is None else f"{path}.{name}"


def _object(document: Json, path: str | None, *, depth: int, inside_or: bool = False) -> list[_Fields]:
    """The branches of one object: its fields, all of them, times each of its `$or`s."""
    here = "the pattern" if path is None else path
    if depth > MAX_DEPTH:
        raise too_deep()
    branches: list[_Fields] = [{}]
    for name, value in members(document) or _refuse_empty(here):
        if not isinstance(name, str):
            raise PatternError(f"{here}: a field name must be a string, not {kind(name)}")
        field = dotted(path, name)
        if name == OR:
            more = _alternatives(value, path, depth=depth)
        elif inside_or and name in _RESERVED_IN_OR:
            raise PatternError(
                f"{field}: {name} is a reserved name, no field inside {OR} can have it", hint=OR_HINT
            )
        elif members(value) is not None:
            more = _object(value, field, depth=depth + 1, inside_or=inside_or)
        else:
            more = [{field: _values(value, field)}]
        branches = list(_combined(branches, more))
    return branches


def _refuse_empty(here: str) -> tuple[tuple[str, Json], ...]:
    raise PatternError(
        f"{here}: an object must not be empty",
        hint='for a field that only has to be there, write [{"exists": true}]',
    )


def _alternatives(value: Json, path: str | None, *, depth: int) -> list[_Fields]:
    """`$or` ("OR matching"): two objects or more, each read as if it stood where the `$or` does."""
    where = dotted(path, OR)
    choices = items(value)
    if choices is None:
        raise PatternError(f"{where}: must be a list of objects, not {kind(value)}", hint=OR_HINT)
    if any(members(choice) is None for choice in choices):
        raise PatternError(f"{where}: only objects may stand in its list", hint=OR_HINT)
    if len(choices) < 2:
        raise PatternError(f"{where}: needs at least two objects", hint=OR_HINT)
    branches: list[_Fields] = []
    for choice in choices:
        branches += _object(choice, path, depth=depth + 1, inside_or=True)
        _check_count(len(branches))
    return branches


def _combined(branches: list[_Fields], more: list[_Fields]) -> Iterator[_Fields]:
    _check_count(len(branches) * len(more))
    for left, right in itertools.product(branches, more):
        if twice := left.keys() & right.keys():
            raise PatternError(
                f"{min(twice)}: stands in the pattern more than once",
                hint=f"put its values into one list; a field outside {OR} must not stand inside it too",
            )
        yield left | right


def _check_count(branches: int) -> None:
    if branches > MAX_BRANCHES:
        raise PatternError(
            f"the {OR}s of the pattern multiply to more than {MAX_BRANCHES} combinations",
            hint="write a choice between values of one field as a list, or split the rule",
        )


def _values(value: Json, field: str) -> tuple[Matcher, ...]:
    values = items(value)
    if values is None:
        short = show(field.rpartition(".")[2])
        raise PatternError(
            f"{field}: must be an object or a list of values, not {show(value)}",
            hint=f"write {short}: [{show(value)}]",
        )
    if not values:
        raise PatternError(
            f"{field}: a list of values must not be empty", hint="leave the field out to match any value"
        )
    return tuple(_matcher(value, field) for value in values)


def _matcher(value: Json, field: str) -> Matcher:
    """One entry of a field's list: a literal, or an operator with its operand."""
    match value:
        case str():
            return event_matchers.Text(value, event_matchers.as_address(value))
        case bool() | None:
            return event_matchers.Constant(value)
    if (number := event_matchers.as_number(value)) is not None:
        return event_matchers.Number(number)
    if members(value) is not None:
        return event_operators.read(value, field)
    raise PatternError(
        f"{field}: a value must be a string, a number, true, false or null, not {kind(value)}",
        hint="one list is enough: each of its values is a choice",
    )
