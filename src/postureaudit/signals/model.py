"""A signal's way from what raises it to someone who acts: hops, roads and the route that they make."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec

from postureaudit.evidence import Evidence, Json, Refusal
from postureaudit.findings import Severity


class State(StrEnum):
    """How a hop stands. `leaves`: it goes into an account that is not read here."""

    OK = "ok"
    BROKEN = "broken"
    UNKNOWN = "unknown"
    LEAVES = "leaves"


class Outcome(StrEnum):
    """What becomes of a signal. Only `reaches` is proof."""

    REACHES = "reaches"
    UNKNOWN = "unknown"
    LEAVES = "leaves"
    BROKEN = "broken"
    NO_ROUTE = "no_route"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What a mend does to the model: the answer that one call gives once it has run."""

    call: str
    region: str
    params: dict[str, Json]
    body: dict[str, Json]


class Mend(msgspec.Struct, frozen=True, kw_only=True):
    """Commands that mend a hop, as argv, with what they change in the model; or steps where none is safe.

    Where the command carries the `whole` of what it changes, a later one of the same hop takes its place.
    """

    argv: tuple[tuple[str, ...], ...] = ()
    steps: tuple[str, ...] = ()
    effect: str = ""
    undo: str = ""
    permissions: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    whole: bool = False


class Hop(msgspec.Struct, frozen=True, kw_only=True):
    """One station: its kind (rule, topic, alarm ...), its name, where it is, how it stands and why.

    `refusal` is what hides an unknown hop. `weakness` says what is thin about a hop that stands.
    """

    kind: str
    name: str
    region: str
    state: State = State.OK
    reason: str = ""
    refusal: Refusal | None = None
    weakness: str = ""
    mend: Mend | None = None


Road = tuple[Hop, ...]  # from the source on; the last hop is an end unless one before it is not ok


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of one signal in one region: the outcome, the road that decides it, and the others.

    `missing` names the members of a family that do not get through. `reason` is one sentence.
    """

    signal: str
    severity: Severity
    account: str
    region: str
    outcome: Outcome
    reason: str
    hops: Road = ()
    others: tuple[Road, ...] = ()
    missing: tuple[str, ...] = ()
    weakest: str = ""

    @property
    def refusal(self) -> Refusal | None:
        """The refusal behind an unknown outcome."""
        return next((hop.refusal for hop in self.hops if hop.state is State.UNKNOWN and hop.refusal), None)


_OK, _BROKEN, _UNKNOWN = State.OK, State.BROKEN, State.UNKNOWN  # looked at for every hop of every road
_REACHES, _NO_ROUTE = Outcome.REACHES, Outcome.NO_ROUTE
_BEST = (Outcome.REACHES, Outcome.UNKNOWN, Outcome.LEAVES, Outcome.BROKEN, Outcome.NO_ROUTE)


def outcome(road: Road) -> Outcome:
    """What becomes of a signal on this road: a broken hop is certain, whatever is unknown before or behind it."""
    found = _REACHES if road else _NO_ROUTE
    for hop in road:
        state = hop.state
        if state is _OK:
            continue
        if state is _BROKEN:
            return Outcome.BROKEN
        if state is _UNKNOWN:
            found = Outcome.UNKNOWN
        elif found is _REACHES:
            found = Outcome.LEAVES
    return found


def best(outcomes: Iterable[Outcome]) -> Outcome:
    """One road that reaches suffices; what is unknown may hide one."""
    return min(outcomes, key=_BEST.index, default=Outcome.NO_ROUTE)


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """Every member of a family must reach; one that certainly does not is a gap, whatever is unknown of others."""
    return max(outcomes, key=_BEST.index, default=Outcome.NO_ROUTE)


def distinct(roads: Iterable[Road]) -> list[Road]:
    """The roads without those that are there twice, in order."""
    roads = list(roads)
    if len(roads) < 2:
        return roads
    found = {
        tuple((hop.kind, hop.name, hop.region, hop.state, hop.reason) for hop in road): road for road in roads
    }
    return list(found.values())


def ranked(roads: Iterable[Road]) -> list[Road]:
    """The roads, the one that decides first: by outcome, then the one that gets furthest, then the shortest."""
    roads = list(roads)
    if len(roads) < 2:
        return roads
    return sorted(roads, key=lambda road: (_BEST.index(outcome(road)), -progress(road), len(road)))


def progress(road: Road) -> int:
    """How many hops are ok before the first that is not."""
    return next((index for index, hop in enumerate(road) if hop.state is not _OK), len(road))


def stopping(road: Road) -> Hop | None:
    """The hop that decides a road which does not reach."""
    wanted = {Outcome.BROKEN: State.BROKEN, Outcome.UNKNOWN: State.UNKNOWN, Outcome.LEAVES: State.LEAVES}
    state = wanted.get(outcome(road))
    return next((hop for hop in road if hop.state is state), None)


def applied(evidence: Evidence, account: str, changes: Sequence[Change]) -> Evidence:
    """The evidence as it would be after these changes."""
    return evidence.changed(
        (change.call, account, change.region, change.params, change.body) for change in changes
    )
