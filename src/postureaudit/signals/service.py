"""Signals as checks see them: one route for each signal and region, and what would mend it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any

import msgspec

from postureaudit import fixes
from postureaudit.evidence import Refusal, RefusalKind
from postureaudit.resources import Facet, Resource, ResourceType, ScopeKind, View, facts
from postureaudit.services.base import Remedy, Service
from postureaudit.signals import mends, routes, rules, topics, watchers
from postureaudit.signals.asks import collect
from postureaudit.signals.events import signal, signals
from postureaudit.signals.model import Outcome, Route


class RouteFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a signal. `Reaches` is unknown where a call was refused or the road leaves the account."""

    Reaches: bool | Refusal
    Outcome: str
    Reason: str
    Weakest: str
    Missing: list[str]


def produce(view: View) -> Iterator[Resource]:
    """One place for each signal and audited region."""
    for item in signals():
        for region in view.regions:
            elsewhere = routes.elsewhere(view, item, region)
            route = None if elsewhere else route_of(view, item.id, region)
            yield Resource(
                type="signal.route",
                account=view.account,
                region=region,
                topic=item.id,
                elsewhere=elsewhere,
                facts=facts(Route=_facts(route)) if route else {},
            )


def routes_of(view: View, names: Set[str]) -> Iterator[Route]:
    """The routes of these signals in every audited region where they can arise."""
    for item in signals():
        for region in view.regions if item.id in names else ():
            route = route_of(view, item.id, region)
            if route is not None:
                yield route


def route_of(view: View, name: str, region: str) -> Route | None:
    """The route of a signal in a region, traced once for a view; None where it cannot arise."""
    known: dict[tuple[str, str], Route | None] = view.memo(_known)
    if (name, region) not in known:
        known[(name, region)] = routes.trace(view, signal(name), region)
    return known[(name, region)]


def _known(view: View) -> dict[tuple[str, str], Any]:
    return {}


def _facts(route: Route) -> RouteFacts:
    reaches: bool | Refusal
    match route.outcome:
        case Outcome.REACHES:
            reaches = True
        case Outcome.BROKEN | Outcome.NO_ROUTE:
            reaches = False
        case _:
            hidden = route.refusal or Refusal(RefusalKind.NOT_COLLECTED, message=route.reason)
            # whether another account's trail records it is told there; what follows, in this account alone
            elsewhere = hidden.kind is RefusalKind.ELSEWHERE
            reaches = msgspec.structs.replace(hidden, kind=RefusalKind.NOT_COLLECTED) if elsewhere else hidden
    return RouteFacts(
        Reaches=reaches,
        Outcome=route.outcome.value,
        Reason=route.reason,
        Weakest=route.weakest,
        Missing=list(route.missing),
    )


def mend(view: View, resource: Resource, needs: Mapping[str, str]) -> Remedy:
    """What mends a route that breaks, traced again on the changed model; for one that is not there, a new one."""
    item, region = signal(resource.topic), str(resource.region)
    route = route_of(view, item.id, region)
    if route is None:
        return Remedy(steps=("There is nothing to mend here.",))
    if route.outcome is Outcome.NO_ROUTE or not route.hops:
        return mends.new_route(view, item, region, needs)
    done, after = routes.mended(view, item, route)
    if not done:
        return mends.by_hand(route)
    remedy = rules.remedy([hop.mend for hop in done if hop.mend])
    if after.outcome is not Outcome.REACHES and not fixes.needed(remedy.argv):
        more = f"After that the signal is still not through: {after.reason}."
        return msgspec.structs.replace(remedy, steps=(*remedy.steps, more))
    return remedy


ROUTE = ResourceType(
    name="signal.route",
    scope=ScopeKind.REGION,
    none="no region audited",
    facets=(Facet(name="Route", calls=routes.CALLS, shape=RouteFacts),),
    produce=produce,
)
SERVICE = Service(
    name="signal",
    title="Response",
    collect=collect,
    prefixes=("eventbridge", "sns", "alarms"),
    types=(rules.REGION, topics.TOPIC, watchers.ALARM, ROUTE),
    menders={**rules.MENDERS, **topics.MENDERS, **watchers.MENDERS, "signal_route": mend},
)
