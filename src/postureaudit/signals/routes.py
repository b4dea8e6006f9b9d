"""What becomes of a signal: every road from its source, the one that decides, and the members that get lost."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from postureaudit.evidence import Refusal
from postureaudit.findings import Severity
from postureaudit.resources import View
from postureaudit.signals import alarms, buses, notifications, sources, targets
from postureaudit.signals.events import Member, Signal, signals
from postureaudit.signals.model import (
    Change,
    Hop,
    Mend,
    Outcome,
    Road,
    Route,
    State,
    applied,
    best,
    distinct,
    outcome,
    ranked,
    stopping,
    worst,
)

CALLS = tuple(dict.fromkeys((*sources.CALLS, *buses.CALLS, *alarms.CALLS, *notifications.CALLS)))
_SHOWN = 4  # other roads kept of a route


def trace(view: View, signal: Signal, region: str) -> Route | None:
    """Follow a signal that arises in a region; None where it cannot arise (see `elsewhere`)."""
    if elsewhere(view, signal, region):
        return None
    possible = sources.applies(view, signal, region)
    items = [item for item in signal.members if not item.leader_only or region == view.leader]
    found = {item.name: roads(view, signal, item, region) for item in items}
    if isinstance(possible, Refusal):
        hidden = Hop(
            kind="source",
            name=signal.kind,
            region=region,
            state=State.UNKNOWN,
            reason=possible.reason(),
            refusal=possible,
        )
        found = {name: [(hidden,)] for name in found}
    return _route(view, signal, region, found)


def elsewhere(view: View, signal: Signal, region: str) -> str:
    """Why the signal cannot arise in this region; "" where it can."""
    if signal.leader_only and region != view.leader:
        return f"AWS sends these events in {view.leader} only"
    if sources.applies(view, signal, region) is False:
        return "the new Security Hub is not on here"
    return ""


def routes(view: View) -> Iterable[Route]:
    """Every signal in every audited region where it can arise."""
    for signal in signals():
        for region in view.regions:
            found = trace(view, signal, region)
            if found is not None:
                yield found


def roads(view: View, signal: Signal, item: Member, region: str) -> list[Road]:
    """Every road of one event, the one that decides first."""
    found: list[Road] = []
    for sent in sources.administered(view, signal, item, region):
        if sent.view is None:
            found.append(sent.hops)
            continue
        there = [road for emission in sent.emissions for road in _taken(sent.view, emission)]
        found += [(*sent.hops, *targets.abroad(road, sent.view.account)) for road in there]
    for emission in sources.emissions(view, signal, item, region):
        found += _taken(view, emission)
        if signal.by_cloudtrail:
            record = emission.event["detail"]
            about = (signal.id, item.name)
            found += alarms.roads(
                view,
                record,
                region,
                about=about,
                place=sources.place_of(view, region),
                globally=signal.leader_only or item.leader_only,
            )
    return ranked(distinct(found))


def _taken(view: View, emission: sources.Emission) -> list[Road]:
    """The roads of an event from the bus on which it appears; where none takes it, how it came there, if that tells."""
    tails = [
        *buses.roads(view, emission.event, emission.region),
        *notifications.roads(view, emission.event, emission.region),
    ]
    if not tails and _tells(emission.hops):
        return [emission.hops]
    return [(*emission.hops, *tail) for tail in tails]


def _tells(hops: Road) -> bool:
    """Whether a road without an end says something: its source is off, or it may go on where we cannot look.

    That Security Hub is off, or does not take a product's findings, is no fault where no rule waits for them.
    """
    stopped = next((hop for hop in hops if hop.state is not State.OK), None)
    own = all(hop.kind not in ("hub", "integration") for hop in hops)
    return stopped is not None and (own or stopped.kind in ("source", "aggregation"))


def _route(view: View, signal: Signal, region: str, found: dict[str, list[Road]]) -> Route:
    each = {name: best(outcome(road) for road in roads) for name, roads in found.items()}
    whole = worst(each.values())
    if whole is Outcome.NO_ROUTE and len(set(each.values())) > 1:
        whole = Outcome.BROKEN  # some get through, so there is a road, and it lets the others drop
    decides = next(name for name, verdict in each.items() if verdict is worst(each.values()))
    road = found[decides][0] if found[decides] else ()
    lost = tuple(name for name, verdict in each.items() if verdict is not Outcome.REACHES)
    others = [other for name, roads in found.items() for other in roads[: 1 + _SHOWN] if other != road]
    return Route(
        signal=signal.id,
        severity=Severity(signal.severity),
        account=view.account,
        region=region,
        outcome=whole,
        reason=_reason(whole, road, lost, total=len(found)),
        hops=road,
        others=tuple(distinct(others))[:_SHOWN],
        missing=lost if len(found) > 1 else (),
        weakest=_weakest(found[decides]) if whole is Outcome.REACHES else "",
    )


def _reason(whole: Outcome, road: Road, lost: tuple[str, ...], *, total: int) -> str:
    share = ""
    if 0 < len(lost) < total:
        share = f"{total - len(lost)} of {total} get through; not {_listed(lost)}. "
    hop = stopping(road)
    match whole:
        case Outcome.REACHES:
            return ""
        case Outcome.NO_ROUTE:
            return share + "no rule and no alarm takes it"
        case _ if hop is None:
            return share + "no rule and no alarm takes it"
        case _:
            return f"{share}{hop.kind} {hop.name} in {hop.region}: {hop.reason}"


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def _weakest(found: list[Road]) -> str:
    """What is thin about the only road, or about the best of several; several good ones back each other up."""
    good = [road for road in found if outcome(road) is Outcome.REACHES]
    thin = [[hop.weakness for hop in road if hop.weakness] for road in good]
    if not all(thin):
        return ""
    first = min(thin, key=len)
    return "; ".join(dict.fromkeys(first))


def mended(view: View, signal: Signal, found: Route, *, most: int = 6) -> tuple[tuple[Hop, ...], Route]:
    """The hops to mend so that a signal whose route was found gets through, in order.

    Each is traced again on the changed model.

    Ends when the signal reaches, when a hop has no mend, or after `most` of them. The second value is what the
    tracer says then.
    """
    done: list[Hop] = []
    tried: list[Mend] = []
    while found.outcome is Outcome.BROKEN and len(done) < most:
        hop = next((hop for hop in found.hops if hop.state is State.BROKEN), None)
        if hop is None or hop.mend is None or hop.mend in tried:
            break
        tried.append(hop.mend)
        _add(done, hop, hop.mend)
        if not hop.mend.changes:
            break
        view = _changed(view, hop.mend.changes)
        after = trace(view, signal, found.region)
        if after is None:
            break
        found = after
    return tuple(done), found


def _changed(view: View, changes: tuple[Change, ...]) -> View:
    """The account after these changes; signals that are mended by the same ones look at the same."""
    key = ("changed", msgspec.json.encode(changes, order="deterministic"))
    return view.once(key, lambda: View(applied(view.evidence, view.account, changes), view.account))


def _add(done: list[Hop], hop: Hop, mend: Mend) -> None:
    """A command that carries the whole of what it changes takes the place of the one before; undone is all of it."""
    for at, before in enumerate(done):
        same = (before.kind, before.name, before.region) == (hop.kind, hop.name, hop.region)
        if mend.whole and same and before.mend is not None and before.mend.whole:
            done[at] = msgspec.structs.replace(hop, mend=msgspec.structs.replace(mend, undo=before.mend.undo))
            return
    done.append(hop)
