"""Decide whether an EventBridge event pattern matches an event, as EventBridge does, and say why not.

    >>> pattern = '{"source": ["aws.guardduty"], "detail": {"severity": [{"numeric": [">=", 7]}]}}'
    >>> matches(pattern, {"source": "aws.guardduty", "detail": {"severity": 5}})
    False
    >>> print(explain(pattern, {"source": "aws.guardduty", "detail": {"severity": 5}}).sentence())
    detail.severity is 5, the pattern wants numeric >= 7

Pure: no call, no clock. The rules are cited where they are kept: what may stand in a pattern in `event_syntax` and
`event_operators`, what a value may be in `event_matchers`, and here how fields find their values:

- Every field of the pattern must match, and a field matches if one value of its list does; fields of the event that
  the pattern does not name are ignored ("Event pattern syntax").
- An array of the event matches if any of its elements does ("Arrays in event patterns").
- Fields inside an array of objects must match in the same element: the engine refuses "any match in which any two
  fields are within JSON objects that are in different elements of the same array" (event-ruler's README, "JSON
  Array Matching").
- A field is known by its dotted path: `{"a": {"b": ..}}` and `{"a.b": ..}` are the same (README, "Compiled rules and
  JSON keys with dots").
"""

from __future__ import annotations

import functools
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from postureaudit.evidence import Json
from postureaudit.signals.event_json import PatternError
from postureaudit.signals.event_matchers import listed, one_of, show
from postureaudit.signals.event_syntax import Branch, Field, dotted, read

__all__ = ["Mismatch", "Pattern", "PatternError", "compile", "explain", "matches", "only"]

# Which element of which array: the arrays of an event are numbered as they are met.
_Spot = frozenset[tuple[int, int]]


class Pattern(msgspec.Struct, frozen=True):
    """A pattern that EventBridge accepts, ready to be matched: one of its branches must match."""

    branches: tuple[Branch, ...]


class Mismatch(msgspec.Struct, frozen=True, kw_only=True):
    """The first field of a pattern that an event fails.

    `has` is what the event has there: no value if the field is missing, an object or an empty list (`shape` says
    which). `apart` names the fields that match too, but only in another element of the same array. `branches` is how
    many ways `$or` left open, if the field is that of the nearest one; else 1.
    """

    field: str
    has: tuple[Json, ...]
    wants: str
    shape: str = ""
    apart: tuple[str, ...] = ()
    branches: int = 1

    def sentence(self) -> str:
        """Say it in one sentence: `detail.severity is 5, the pattern wants numeric >= 7`."""
        nearest = f" (the nearest of {self.branches} $or branches)" if self.branches > 1 else ""
        if self.apart:
            others = listed(list(self.apart), "and")
            return f"{self.field} matches, but not in the same array element as {others}{nearest}"
        return f"{self.field} {self._event_side()}, the pattern wants {self.wants}{nearest}"

    def _event_side(self) -> str:
        values = list(dict.fromkeys(map(show, self.has)))
        match values:
            case []:
                return f"is {self.shape}" if self.shape else "is not in the event"
            case [value]:
                return f"is {value}"
            case _:
                return f"has {listed(values, 'and')}"


class _Leaf(msgspec.Struct, frozen=True):
    """A value of the event that is no object and no array, and the array elements around it."""

    value: Json
    spot: _Spot


class _Event(msgspec.Struct, frozen=True):
    """Of an event, the leaves that a pattern may look at, by dotted path, and what else stands at its fields."""

    leaves: Mapping[str, list[_Leaf]]
    shapes: Mapping[str, str]

    def at(self, name: str) -> list[_Leaf]:
        return self.leaves.get(name, [])


def compile(pattern: str | Mapping[str, Json]) -> Pattern:
    """Read a pattern, from its JSON text or as a mapping; a PatternError says why EventBridge would refuse it."""
    return _compile_text(pattern) if isinstance(pattern, str) else Pattern(read(pattern))


def only(pattern: Pattern, names: Iterable[str]) -> Pattern:
    """A pattern with just its fields at these top-level names: what it takes as far as they go."""
    kept = set(names)
    return Pattern(
        tuple(
            Branch(tuple(field for field in branch.fields if field.name.partition(".")[0] in kept))
            for branch in pattern.branches
        )
    )


def matches(pattern: Pattern | str | Mapping[str, Json], event: Mapping[str, Json]) -> bool:
    """Tell whether EventBridge would send this event to the targets of a rule with this pattern."""
    ready = pattern if isinstance(pattern, Pattern) else compile(pattern)
    seen = _look(event, ready)
    return any(_failing(branch, seen) is None for branch in ready.branches)


def explain(pattern: Pattern | str | Mapping[str, Json], event: Mapping[str, Json]) -> Mismatch | None:
    """Name the field for which the pattern does not match the event; None if it does match.

    Of the branches of a `$or` it is the one with the fewest failing fields, of its fields the first.
    """
    ready = pattern if isinstance(pattern, Pattern) else compile(pattern)
    seen = _look(event, ready)
    if any(_failing(branch, seen) is None for branch in ready.branches):
        return None
    failing = [_all_failing(branch, seen) for branch in ready.branches]
    fewest = min(map(len, failing))
    [field, *_], branch = next(
        pair for pair in zip(failing, ready.branches, strict=True) if len(pair[0]) == fewest
    )
    # Branches that are as near and fail at the same field are one choice between their values.
    choices = [names[0] for names in failing if len(names) == fewest and names[0].name == field.name]
    elsewhere = any(names[0].name != field.name for names in failing)
    found = seen.at(field.name)
    return Mismatch(
        field=field.name,
        has=tuple(leaf.value for leaf in found),
        wants=one_of(tuple(itertools.chain.from_iterable(choice.matchers for choice in choices))),
        shape=seen.shapes.get(field.name, ""),
        apart=_apart(field, branch, seen),
        branches=len(ready.branches) if elsewhere else 1,
    )


@functools.lru_cache(maxsize=1024)
def _compile_text(pattern: str) -> Pattern:
    return Pattern(read(pattern))


def _look(event: Mapping[str, Json], pattern: Pattern) -> _Event:
    """Walk the event along the fields of the pattern. Not recursive: an event may be nested at will."""
    names = {field.name for branch in pattern.branches for field in branch.fields}
    on_the_way = {prefix for name in names for prefix in _prefixes(name)}
    leaves: dict[str, list[_Leaf]] = defaultdict(list)
    shapes: dict[str, str] = {}
    arrays = itertools.count()
    todo: list[tuple[str, Json, _Spot]] = list(_inside(event, None, frozenset(), on_the_way))
    while todo:
        path, value, spot = todo.pop()
        if isinstance(value, Mapping):
            shapes.setdefault(path, "an object")
            todo.extend(_inside(value, path, spot, on_the_way))
        elif isinstance(value, list | tuple):
            shapes.setdefault(path, "a list with no plain value in it" if value else "an empty list")
            array = next(arrays)
            todo.extend(
                # A plain value in an array stands in no object, so that it goes with every element.
                (path, item, spot | {(array, index)} if isinstance(item, Mapping | list | tuple) else spot)
                for index, item in reversed(list(enumerate(value)))
            )
        elif path in names:
            leaves[path].append(_Leaf(value, spot))
    return _Event(leaves, shapes)


def _inside(
    value: Mapping[str, Json], path: str | None, spot: _Spot, on_the_way: set[str]
) -> Iterator[tuple[str, Json, _Spot]]:
    for name, item in reversed(list(value.items())):
        if (inner := dotted(path, name)) in on_the_way:
            yield inner, item, spot


def _prefixes(name: str) -> Iterator[str]:
    steps = name.split(".")
    return (".".join(steps[:count]) for count in range(1, len(steps) + 1))


def _failing(branch: Branch, event: _Event) -> Field | None:
    """The field at which no choice of array elements is left; None if the branch matches.

    The engine goes through the fields by name and keeps the array elements it has entered. `exists: false` asks
    about those alone, which is why the order counts: with one element entered, the others are out of sight.
    """
    fields = sorted(branch.fields, key=lambda field: field.name)
    spots: set[_Spot] = {frozenset()}
    for field, ahead in zip(fields, _arrays_ahead(fields, event), strict=True):
        leaves = event.at(field.name)
        fitting = {leaf.spot for leaf in leaves if field.fits(leaf.value)}
        reached = {spot | entered for spot in spots for entered in _beside(spot, fitting)}
        if field.may_be_absent():
            present = {leaf.spot for leaf in leaves}
            reached |= {spot for spot in spots if next(_beside(spot, present), None) is None}
        if not reached:
            return field
        # Elements of arrays that no later field stands in are forgotten, or they would multiply.
        spots = {frozenset(place for place in spot if place[0] in ahead) for spot in reached}
    return None


def _arrays_ahead(fields: list[Field], event: _Event) -> list[set[int]]:
    """For each field, the arrays around the leaves of the fields after it."""
    ahead: list[set[int]] = [set()] if fields else []
    for field in reversed(fields[1:]):
        ahead.append(ahead[-1] | {array for leaf in event.at(field.name) for array, _ in leaf.spot})
    return ahead[::-1]


def _beside(spot: _Spot, others: Iterable[_Spot]) -> Iterator[_Spot]:
    """Those of the others that enter no array at another element than `spot` does."""
    entered = dict(spot)
    return (other for other in others if all(entered.get(array, index) == index for array, index in other))


def _all_failing(branch: Branch, event: _Event) -> list[Field]:
    """The fields that fail by themselves, in the document's order; else the one that fails beside the others."""
    alone = [field for field in branch.fields if not _may_match(field, event)]
    last = _failing(branch, event)
    return alone or ([last] if last else [])


def _may_match(field: Field, event: _Event) -> bool:
    leaves = event.at(field.name)
    if field.may_be_absent() and all(leaf.spot for leaf in leaves):
        return True
    return any(field.fits(leaf.value) for leaf in leaves)


def _apart(field: Field, branch: Branch, event: _Event) -> tuple[str, ...]:
    """The other fields in the same arrays, if this one matches a value and fails for where it stands."""
    arrays = {array for leaf in event.at(field.name) if field.fits(leaf.value) for array, _ in leaf.spot}
    return tuple(
        other.name
        for other in branch.fields
        if other.name < field.name
        and arrays & {array for leaf in event.at(other.name) for array, _ in leaf.spot}
    )
