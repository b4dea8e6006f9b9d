"""What metric filters make of the signals' records, decided once for all places that a filter cannot tell apart.

A record is a template with the account, region, partition and time of a place filled in. Which of these a filter looks
at is read from the template: the values that its selectors lead to, before anything is filled in. So one decision
stands for every region and every account, exactly, where none of them stands in what the filter looks at.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

from postureaudit.evidence import Json
from postureaudit.signals import events, log_filter
from postureaudit.signals.events import Place
from postureaudit.signals.log_filter import Decision, FilterError
from postureaudit.signals.log_filter_leaf import select
from postureaudit.signals.log_filter_tree import Columns, Everything, Selector, Terms, leaves

About = tuple[str, str]  # the id of a signal and the name of its event


def decided(text: str, about: About, place: Place) -> Decision:
    """Whether a metric filter takes the record of this event at this place; with reasons where that is unsure.

    Raises FilterError for a pattern that is not understood.
    """
    if (refused := _refused(text)) is not None:
        message, hint = refused
        raise FilterError(message, hint=hint)
    return _decided(text, about, narrowed(place, looks(text, about)))


def looks(text: str, about: About) -> frozenset[str]:
    """The fields of a place (events.FIELDS) that decide whether a metric filter takes an event."""
    return frozenset() if _refused(text) is not None else _looks(text, about)


def looked_at(texts: Iterable[str], about: About) -> frozenset[str]:
    """The fields of a place that decide for one of these filters at least."""
    return frozenset().union(*(looks(text, about) for text in texts))


def narrowed(place: Place, fields: frozenset[str]) -> Place:
    """The place as far as these fields go: places that differ in others only become one."""
    if len(fields) == len(events.FIELDS):
        return place
    return Place(**{name: getattr(place, name) if name in fields else "" for name in events.FIELDS})


# The caches are bounded, and hold no account but as a word in a key: judging goes on through thousands of accounts.
@functools.lru_cache(maxsize=4096)
def _refused(text: str) -> tuple[str, str] | None:
    """Why a pattern is not understood, and what to write instead; None where it is."""
    try:
        log_filter.compile(text)
    except FilterError as error:
        return error.message, error.hint
    return None


@functools.lru_cache(maxsize=32768)
def _looks(text: str, about: About) -> frozenset[str]:
    match log_filter.compile(text).tree:
        case Everything() | Columns():
            return frozenset()
        case Terms():
            return frozenset(events.FIELDS)  # the text of the whole event
        case _:
            return frozenset().union(*(_marks_at(selector, about) for selector in _selectors(text)))


@functools.lru_cache(maxsize=4096)
def _selectors(text: str) -> tuple[Selector, ...]:
    node = log_filter.compile(text).tree
    assert not isinstance(node, Everything | Columns | Terms), "these have none"
    return tuple(dict.fromkeys(leaf.selector for leaf in leaves(node)))


@functools.lru_cache(maxsize=32768)
def _marks_at(selector: Selector, about: About) -> frozenset[str]:
    """What is filled in where a selector leads."""
    return events.marks(select(selector, events.member(about).template["detail"]))


@functools.lru_cache(maxsize=32768)
def _decided(text: str, about: About, place: Place) -> Decision:
    record = _record(about, place)
    value = log_filter.verdict(text, record)
    return log_filter.decide(text, record) if value is None else Decision(value)


@functools.lru_cache(maxsize=256)
def _record(about: About, place: Place) -> dict[str, Json]:
    found: dict[str, Json] = events.document(events.member(about).template["detail"], place)
    return found
