"""Signal routes as drawings: boxes from the source to whoever acts, equal ones drawn once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from postureaudit.findings import Severity
from postureaudit.signals.model import Hop, Outcome, Route, State

_WIDTH, _HEIGHT, _GAP = 168, 46, 26  # of a box, and between boxes, in pixels
_CUT = 24  # characters of a name that fit into a box
_MOST = 3  # drawings of one signal: the outcomes that matter most
_ORDER = (Outcome.BROKEN, Outcome.NO_ROUTE, Outcome.UNKNOWN, Outcome.LEAVES, Outcome.REACHES)
_MARK = {State.OK: "✓", State.BROKEN: "✗", State.UNKNOWN: "?", State.LEAVES: "→"}


def drawings(routes: Iterable[Route]) -> Iterator[dict[str, Any]]:
    """A signal at a time, those that reach nobody first: its outcomes by region, and up to three drawings.

    A drawing has `boxes` (x, kind, name, mark, state), its `width` and `height` in pixels, the sentence that a screen
    reader reads instead, and the places it stands for.
    """
    by_signal: dict[str, list[Route]] = defaultdict(list)
    for route in routes:
        by_signal[route.signal].append(route)
    ordered = sorted(by_signal.items(), key=lambda pair: (_worst(pair[1]), -_rank(pair[1]), pair[0]))
    for name, found in ordered:
        counts = {outcome: sum(route.outcome is outcome for route in found) for outcome in _ORDER}
        groups: dict[tuple[Any, ...], list[Route]] = defaultdict(list)
        for route in found:
            groups[_alike(route)].append(route)
        picked = sorted(groups.values(), key=lambda group: (_ORDER.index(group[0].outcome), -len(group)))
        yield {
            "signal": name,
            "severity": found[0].severity.value,
            "worst": _ORDER[_worst(found)].value.replace("_", " "),
            "counts": [
                (outcome.value.replace("_", " "), count) for outcome, count in counts.items() if count
            ],
            "drawings": [_drawing(group) for group in picked[:_MOST]],
            "more": max(0, len(picked) - _MOST),
        }


def _worst(routes: Iterable[Route]) -> int:
    return min(_ORDER.index(route.outcome) for route in routes)


def _rank(routes: list[Route]) -> int:
    found: Severity = routes[0].severity
    return found.rank


def _alike(route: Route) -> tuple[Any, ...]:
    """What two routes have in common that are drawn once: outcome, and kind and state of each hop."""
    return (route.outcome, tuple((hop.kind, hop.state) for hop in route.hops))


def _drawing(group: list[Route]) -> dict[str, Any]:
    first = group[0]
    boxes = [_box(index, hop) for index, hop in enumerate(first.hops)]
    places = sorted({f"{route.account} {route.region}" for route in group})
    told = " then ".join(f"{hop.kind} {hop.name} {hop.state.value}" for hop in first.hops)
    return {
        "boxes": boxes,
        "width": max(1, len(boxes)) * (_WIDTH + _GAP) - _GAP + 4,
        "height": _HEIGHT + 4,
        "box_width": _WIDTH,
        "box_height": _HEIGHT,
        "gap": _GAP,
        "words": told or first.reason,
        "outcome": first.outcome.value.replace("_", " "),
        "state": "ok" if first.outcome is Outcome.REACHES else first.outcome.value,
        "reason": first.reason,
        "places": places[:20],
        "count": len(places),
    }


def _box(index: int, hop: Hop) -> dict[str, Any]:
    name = hop.name if len(hop.name) <= _CUT else hop.name[: _CUT - 1] + "…"
    return {
        "x": 2 + index * (_WIDTH + _GAP),
        "kind": hop.kind,
        "name": name,
        "full": f"{hop.kind} {hop.name}" + (f": {hop.reason}" if hop.reason else ""),
        "mark": _MARK[hop.state],
        "state": hop.state.value,
    }
