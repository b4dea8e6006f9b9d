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
from collections.abc import Mapping

import msgspec

from postureaudit.evidence import Json
from postureaudit.signals.event_json import PatternError
from postureaudit.signals.event_matchers import listed, one_of, show
from postureaudit.signals.event_sight import NOWHERE, Leaf, Seen, Test, Ways, all_failing, apart, failing
from postureaudit.signals.event_syntax import Branch, read

__all__ = ["Mismatch", "Pattern", "PatternError", "compile", "explain", "matches", "may_take", "missed"]


class Pattern(msgspec.Struct, frozen=True, dict=True):
    """A pattern that EventBridge accepts, ready to be matched: one of its branches must match."""

    branches: tuple[Branch, ...]

    @functools.cached_property
    def ways(self) -> Ways:
        """The way to its fields, worked out once."""
        return Ways(field.name for branch in self.branches for field in branch.fields)

    @functools.cached_property
    def choices(self) -> tuple[tuple[tuple[Test, ...], tuple[Test, ...]], ...]:
        """The tests of each branch, in the order of the document and by name."""
        found = [tuple(map(Test, branch.fields)) for branch in self.branches]
        return tuple((tests, tuple(sorted(tests, key=lambda test: test.name))) for tests in found)


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


def compile(pattern: str | Mapping[str, Json]) -> Pattern:
    """Read a pattern, from its JSON text or as a mapping; a PatternError says why EventBridge would refuse it."""
    return _compile_text(pattern) if isinstance(pattern, str) else Pattern(read(pattern))


def may_take(pattern: Pattern, plain: Mapping[str, str]) -> bool:
    """Whether a pattern takes events with these plain fields at the top, as far as these fields go."""
    seen = Seen({name: [Leaf(value, NOWHERE)] for name, value in plain.items()}, {}, flat=True)
    return any(
        all(test.may_match(seen) for test in tests if test.name.partition(".")[0] in plain)
        for tests, _ in pattern.choices
    )


def matches(pattern: Pattern | str | Mapping[str, Json], event: Mapping[str, Json]) -> bool:
    """Tell whether EventBridge would send this event to the targets of a rule with this pattern."""
    ready = pattern if isinstance(pattern, Pattern) else compile(pattern)
    seen = ready.ways.look(event)
    return any(failing(tests, seen) is None for _, tests in ready.choices)


def missed(pattern: Pattern | str | Mapping[str, Json], event: Mapping[str, Json]) -> str | None:
    """The field that `explain` names, without the rest of it."""
    ready = pattern if isinstance(pattern, Pattern) else compile(pattern)
    found = _nearest(ready, ready.ways.look(event))
    return found[0][0].name if found else None


def explain(pattern: Pattern | str | Mapping[str, Json], event: Mapping[str, Json]) -> Mismatch | None:
    """Name the field for which the pattern does not match the event; None if it does match.

    Of the branches of a `$or` it is the one with the fewest failing fields, of its fields the first.
    """
    ready = pattern if isinstance(pattern, Pattern) else compile(pattern)
    seen = ready.ways.look(event)
    nearest = _nearest(ready, seen)
    if nearest is None:
        return None
    [test, *_], tests, choices, elsewhere = nearest
    found = seen.at(test.name)
    return Mismatch(
        field=test.name,
        has=tuple(leaf.value for leaf in found),
        wants=one_of(tuple(itertools.chain.from_iterable(choice.matchers for choice in choices))),
        shape=seen.shapes.get(test.name, ""),
        apart=apart(test, tests, seen),
        branches=len(ready.branches) if elsewhere else 1,
    )


def _nearest(pattern: Pattern, seen: Seen) -> tuple[list[Test], tuple[Test, ...], list[Test], bool] | None:
    """None for a match; else of the nearest branch the failing tests and all of them.

    Then, of all branches as near, those that fail at the same field: they are one choice between their values; and
    whether others fail elsewhere.
    """
    failures = []
    for tests, by_name in pattern.choices:
        found = all_failing(tests, by_name, seen)
        if not found:
            return None
        failures.append(found)
    fewest = min(map(len, failures))
    found, (tests, _) = next(
        pair for pair in zip(failures, pattern.choices, strict=True) if len(pair[0]) == fewest
    )
    name = found[0].name
    choices = [names[0] for names in failures if len(names) == fewest and names[0].name == name]
    return found, tests, choices, any(names[0].name != name for names in failures)


@functools.lru_cache(maxsize=8192)
def _compile_text(pattern: str) -> Pattern:
    return Pattern(read(pattern))
