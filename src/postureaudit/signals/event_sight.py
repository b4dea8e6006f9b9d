"""What a pattern sees of an event, along the way to its fields, and which of its tests fail on that."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from postureaudit.evidence import Json
from postureaudit.signals.event_matchers import Text
from postureaudit.signals.event_syntax import Field

# Which element of which array: the arrays of an event are numbered as they are met.
Spot = frozenset[tuple[int, int]]
NOWHERE: Spot = frozenset()


class Leaf(NamedTuple):
    """A value of the event that is no object and no array, and the array elements around it."""

    value: Json
    spot: Spot


class Seen(NamedTuple):
    """Of an event, the leaves that a pattern may look at, by dotted path, and what else stands at its fields.

    `flat` is an event none of whose leaves stands in an element of an array: its fields are apart from each other.
    """

    leaves: Mapping[str, list[Leaf]]
    shapes: Mapping[str, str]
    flat: bool

    def at(self, name: str) -> Sequence[Leaf]:
        return self.leaves.get(name, ())


class Test:
    """A field of a pattern, ready to be tried."""

    __slots__ = ("_others", "_texts", "absent", "matchers", "name")

    def __init__(self, field: Field) -> None:
        self.name, self.matchers, self.absent = field.name, field.matchers, field.may_be_absent()
        plain = [item.text for item in field.matchers if isinstance(item, Text) and item.address is None]
        self._texts = frozenset(plain)
        self._others = tuple(
            item for item in field.matchers if not isinstance(item, Text) or item.address is not None
        )

    def fits(self, value: Json) -> bool:
        """Whether one of its matchers takes the value."""
        if isinstance(value, str) and value in self._texts:
            return True
        return any(item.fits(value) for item in self._others) if self._others else False

    def may_match(self, event: Seen) -> bool:
        """Whether it holds by itself, whatever array elements the other fields are in."""
        leaves = event.at(self.name)
        if self.absent and all(leaf.spot for leaf in leaves):
            return True
        return any(self.fits(leaf.value) for leaf in leaves)


class Ways:
    """The ways to the fields of a pattern: below each path that leads to one, the names that lead on."""

    __slots__ = ("_names", "_plain", "_tables")

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)
        on_the_way = {prefix for name in self._names for prefix in _prefixes(name)}
        # A name of the event may hold dots itself: {"a": {"b": ..}} and {"a.b": ..} both lead to a.b.
        self._tables: dict[str | None, dict[str, str]] = {None: {path: path for path in on_the_way}}
        for path in on_the_way:
            for begin in _prefixes(path):
                if begin != path:
                    self._tables.setdefault(begin, {})[path[len(begin) + 1 :]] = path
        self._plain = {
            begin: [(name, path) for name, path in table.items() if "." not in name]
            for begin, table in self._tables.items()
        }

    def look(self, event: Mapping[str, Json]) -> Seen:
        """Walk the event along the fields of the pattern. Not recursive: an event may be nested at will."""
        leaves: dict[str, list[Leaf]] = {}
        shapes: dict[str, str] = {}
        arrays = itertools.count()
        flat = True
        todo: list[tuple[str, Json, Spot]] = self._inside(event, None, NOWHERE)
        while todo:
            path, value, spot = todo.pop()
            if isinstance(value, str):  # most are, and whether something is a Mapping takes long to see
                if path in self._names:
                    leaves.setdefault(path, []).append(Leaf(value, spot))
            elif isinstance(value, Mapping):
                shapes.setdefault(path, "an object")
                todo += self._inside(value, path, spot)
            elif isinstance(value, list | tuple):
                shapes.setdefault(path, "a list with no plain value in it" if value else "an empty list")
                array = next(arrays)
                for index in range(len(value) - 1, -1, -1):
                    item = value[index]
                    # A plain value in an array stands in no object, so that it goes with every element.
                    if isinstance(item, Mapping | list | tuple):
                        flat = False
                        todo.append((path, item, spot | {(array, index)}))
                    else:
                        todo.append((path, item, spot))
            elif path in self._names:
                leaves.setdefault(path, []).append(Leaf(value, spot))
        return Seen(leaves, shapes, flat)

    def _inside(
        self, value: Mapping[str, Json], path: str | None, spot: Spot
    ) -> list[tuple[str, Json, Spot]]:
        """What leads on inside an object, the last first: the order counts where two names lead to one path."""
        table = self._tables.get(path)
        if not table:
            return []
        plain = self._plain[path]
        if len(plain) < len(table) and any(name in table and "." in name for name in value):
            return [(table[name], value[name], spot) for name in reversed(list(value)) if name in table]
        return [(inner, value[name], spot) for name, inner in plain if name in value]


def _prefixes(name: str) -> Iterator[str]:
    steps = name.split(".")
    return (".".join(steps[:count]) for count in range(1, len(steps) + 1))


def failing(by_name: Sequence[Test], event: Seen) -> Test | None:
    """The test at which no choice of array elements is left; None if all hold.

    The engine goes through the fields by name and keeps the array elements it has entered. `exists: false` asks
    about those alone, which is why the order counts: with one element entered, the others are out of sight.
    """
    if event.flat:
        return next((test for test in by_name if not test.may_match(event)), None)
    spots: set[Spot] = {NOWHERE}
    for test, ahead in zip(by_name, _arrays_ahead(by_name, event), strict=True):
        leaves = event.at(test.name)
        fitting = {leaf.spot for leaf in leaves if test.fits(leaf.value)}
        reached = {spot | entered for spot in spots for entered in _beside(spot, fitting)}
        if test.absent:
            present = {leaf.spot for leaf in leaves}
            reached |= {spot for spot in spots if next(_beside(spot, present), None) is None}
        if not reached:
            return test
        # Elements of arrays that no later field stands in are forgotten, or they would multiply.
        spots = {frozenset(place for place in spot if place[0] in ahead) for spot in reached}
    return None


def _arrays_ahead(tests: Sequence[Test], event: Seen) -> list[set[int]]:
    """For each test, the arrays around the leaves of those after it."""
    ahead: list[set[int]] = [set()] if tests else []
    for test in reversed(tests[1:]):
        ahead.append(ahead[-1] | {array for leaf in event.at(test.name) for array, _ in leaf.spot})
    return ahead[::-1]


def _beside(spot: Spot, others: Iterable[Spot]) -> Iterator[Spot]:
    """Those of the others that enter no array at another element than `spot` does."""
    entered = dict(spot)
    return (other for other in others if all(entered.get(array, index) == index for array, index in other))


def all_failing(tests: Sequence[Test], by_name: Sequence[Test], event: Seen) -> list[Test]:
    """The tests that fail by themselves, in the document's order; else the one that fails beside the others."""
    alone = [test for test in tests if not test.may_match(event)]
    if alone or event.flat:
        return alone
    last = failing(by_name, event)
    return [last] if last else []


def apart(test: Test, tests: Sequence[Test], event: Seen) -> tuple[str, ...]:
    """The other fields in the same arrays, if this one matches a value and fails for where it stands."""
    arrays = {array for leaf in event.at(test.name) if test.fits(leaf.value) for array, _ in leaf.spot}
    return tuple(
        other.name
        for other in tests
        if other.name < test.name
        and arrays & {array for leaf in event.at(other.name) for array, _ in leaf.spot}
    )
