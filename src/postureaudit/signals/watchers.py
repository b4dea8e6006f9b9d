"""The alarms on what trails' metric filters write: can one event ring them, and do they then tell anyone."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from postureaudit.evidence import Refusal, RefusalKind, heavier
from postureaudit.resources import Facet, Resource, ResourceType, ScopeKind, View, any_of, body, facts, member
from postureaudit.services import cloudtrail
from postureaudit.services.base import Remedy
from postureaudit.signals import alarms, asks, decisions, events, mends, rules, sources
from postureaudit.signals.arns import Arn
from postureaudit.signals.decisions import About
from postureaudit.signals.log_filter import FilterError

CALLS = ("cloudtrail:DescribeTrails", "logs:DescribeMetricFilters", asks.ALARMS.call)


class Actions(msgspec.Struct, frozen=True, kw_only=True):
    """`Lead`: the alarm's actions, or a composite alarm's above it, are on and lead somewhere; `Why` not."""

    Lead: bool | Refusal
    Why: str


class Ringing(msgspec.Struct, frozen=True, kw_only=True):
    """`Signals`: a metric filter behind the alarm takes an event that must reach someone.

    `OneEvent`: one such event rings it; `Why` not.
    """

    Signals: bool | Refusal
    OneEvent: bool | Refusal
    Why: str


class Watcher(msgspec.Struct, frozen=True):
    """A metric alarm, the listing that it stands in, and what metric filters write into its metric."""

    body: dict[str, Any]
    listing: dict[str, Any]
    region: str
    written: tuple[tuple[dict[str, Any], dict[str, Any]], ...]  # (filter, metric transformation)

    @property
    def name(self) -> str:
        return str(self.body["AlarmName"])


def produce(view: View) -> Iterator[Resource]:
    """One alarm each; "*" in a region where a refusal may hide some."""
    for region in view.regions:
        found, hidden = watchers(view, region)
        for item in found:
            yield _resource(view, region, item.name, _actions(view, item), _ringing(view, item))
        if hidden is not None:
            unseen = Ringing(Signals=hidden, OneEvent=hidden, Why="")
            yield _resource(view, region, "*", Actions(Lead=hidden, Why=""), unseen)


def _resource(view: View, region: str, name: str, actions: Actions, ringing: Ringing) -> Resource:
    return Resource(
        type="alarms.alarm",
        id=name,
        account=view.account,
        region=region,
        facts=facts(Actions=actions, Ringing=ringing),
    )


def watchers(view: View, region: str) -> tuple[list[Watcher], Refusal | None]:
    """The alarms on metrics that the filters of trails' log groups here write, and what hides others."""
    return view.once(("watchers", region), lambda: _watchers(view, region))


def groups(view: View) -> list[tuple[str, str]]:
    """(name, region) of the log groups of this account that trails write to."""
    found = {cloudtrail.log_group(trail.body) for trail in cloudtrail.trails(view)}
    return sorted((name, region) for name, region, account in found if name and account == view.account)


def filters(view: View, region: str) -> tuple[list[dict[str, Any]], Refusal | None]:
    """The metric filters of the trails' log groups of a region, and what hides others."""
    here = cloudtrail.listed(view, region)
    hidden = here if isinstance(here, Refusal) else None
    found: list[dict[str, Any]] = []
    for name, where in groups(view):
        if where != region:
            continue
        ask = asks.filters_ask(name, region)
        listed = member(view.outcome(ask.call, region, **ask.params), "metricFilters", [])
        if isinstance(listed, Refusal):
            hidden = heavier(hidden, listed)
        else:
            found += sorted(listed, key=lambda item: str(item.get("filterName")))
    return found, hidden


def _watchers(view: View, region: str) -> tuple[list[Watcher], Refusal | None]:
    listed, hidden = filters(view, region)
    written: dict[tuple[str, str], list[tuple[dict[str, Any], dict[str, Any]]]] = {}
    for item in listed:
        for metric in item.get("metricTransformations") or []:
            key = (str(metric.get("metricNamespace")), str(metric.get("metricName")))
            written.setdefault(key, []).append((item, metric))
    if not written:
        return [], hidden
    described = body(view.outcome(asks.ALARMS.call, region, **asks.ALARMS.params))
    if isinstance(described, Refusal):
        return [], heavier(hidden, described)
    found = []
    for alarm in sorted(described.get("MetricAlarms") or [], key=lambda item: str(item["AlarmName"])):
        behind = [
            pair
            for (space, name), pairs in written.items()
            if (alarm.get("Namespace"), alarm.get("MetricName")) == (space, name)
            or alarms.in_expression(alarm, space, name)
            for pair in pairs
        ]
        if behind:
            found.append(Watcher(alarm, described, region, tuple(behind)))
    return found, hidden


def _actions(view: View, item: Watcher) -> Actions:
    own, why = _leads(view, item.body)
    above = [_leads(view, parent)[0] for parent in alarms.parents(item.body, item.listing)]
    found = any_of([own, *above])
    return Actions(Lead=found, Why="" if found is True else f"{item.name}: {why}")


def _leads(view: View, alarm: Mapping[str, Any]) -> tuple[bool | Refusal, str]:
    """Whether an alarm's actions are on and one of them is there, and why not."""
    actions = [str(arn) for arn in alarm.get("AlarmActions") or []]
    if alarm.get("ActionsEnabled") is False:
        return False, "its actions are switched off"
    if not actions:
        return False, "it has no action for ALARM"
    missing = [rules.gone(view, arn) for arn in actions]
    there = any_of(found if isinstance(found, Refusal) else not found for found in missing)
    return there, f"what it calls is gone: {', '.join(actions)}" if there is False else ""


def _takes(view: View, item: Mapping[str, Any], region: str) -> bool | Refusal:
    """Whether a metric filter takes an event of a signal."""
    text = str(item.get("filterPattern") or "")

    place = sources.place_of(view, region)

    def one(about: About) -> bool | Refusal:
        try:
            found = decisions.decided(text, about, place).value
        except FilterError as error:
            return _unsure(f"filter {item.get('filterName')}: its pattern is not understood: {error.message}")
        return (
            _unsure(f"filter {item.get('filterName')}: AWS does not say what it takes")
            if found is None
            else found
        )

    return any_of(map(one, recorded()))


@functools.lru_cache(maxsize=1)
def recorded() -> tuple[About, ...]:
    """(signal, event) of every event that comes out of CloudTrail."""
    return tuple(
        (signal.id, item.name)
        for signal in events.signals()
        if signal.by_cloudtrail
        for item in signal.members
    )


def _ringing(view: View, item: Watcher) -> Ringing:
    """One event of a filter that takes signals suffices; else why the first of them does not."""
    takes = {str(source.get("filterName")): _takes(view, source, item.region) for source, _ in item.written}
    found: list[bool | Refusal] = []
    reasons = []
    for source, metric in item.written:
        if takes[str(source.get("filterName"))] is False:
            continue
        space, name = str(metric.get("metricNamespace")), str(metric.get("metricName"))
        rings: bool | None
        if alarms.in_expression(item.body, space, name):
            rings, why = None, "it watches the metric in an expression, which is not worked out"
        else:
            rings, why = alarms.rings(item.body, metric)
        found.append(_unsure(f"alarm {item.name}: {why}") if rings is None else rings)
        reasons.append(why)
    verdict = any_of(found)
    first = f"{item.name}: {reasons[0]}" if verdict is False and reasons else ""
    return Ringing(Signals=any_of(takes.values()), OneEvent=verdict, Why=first)


def _unsure(reason: str) -> Refusal:
    return Refusal(RefusalKind.NOT_COLLECTED, message=reason)


# ---------------------------------------------------------------- what mends them


def _of(view: View, resource: Resource) -> Watcher:
    found, _ = watchers(view, str(resource.region))
    return next(item for item in found if item.name == resource.id)


def speak(view: View, resource: Resource, needs: Mapping[str, str]) -> Remedy:
    """Turn the actions on of the alarm, or of the composite above it; give it one where it has none that is there."""
    item = _of(view, resource)
    for parent in alarms.parents(item.body, item.listing):
        if (
            parent.get("ActionsEnabled") is False
            and _leads(view, {**parent, "ActionsEnabled": True})[0] is True
        ):
            return rules.remedy([mends.ring(parent, item.listing, item.region)])
    return _changed(view, item, needs)


def ring(view: View, resource: Resource, needs: Mapping[str, str]) -> Remedy:
    """The settings with which one event rings the alarm; steps where no setting of the alarm's does."""
    item = _of(view, resource)
    after = {**item.body, **_settings(item)}
    if not any(alarms.rings(after, metric)[0] for _, metric in item.written):
        return Remedy(
            steps=(
                f"No setting of alarm {item.name} lets one event ring it: let its metric filter write 1 for each "
                "event, without dimensions.",
            )
        )
    return _changed(view, item, needs)


def _settings(item: Watcher) -> dict[str, Any]:
    """The settings with which an event that a metric filter writes rings the alarm."""
    metric = next((metric for _, metric in item.written if not metric.get("dimensions")), item.written[0][1])
    return {**alarms.ringing(item.body, metric), "Dimensions": []}


def _changed(view: View, item: Watcher, needs: Mapping[str, str]) -> Remedy:
    """One command for all that is wrong with the alarm: each carries the whole alarm, and would undo the other."""
    ringing = _ringing(view, item)
    fields: dict[str, Any] = {}
    if ringing.Signals is True and ringing.OneEvent is False:
        fields |= _settings(item)
    if _actions(view, item).Lead is False:
        fields["ActionsEnabled"] = True
        actions = [str(arn) for arn in item.body.get("AlarmActions") or []]
        kept = [arn for arn in actions if rules.gone(view, arn) is not True]
        if not kept:
            topic = needs.get(mends.ALERT_TOPIC.name, "")
            if topic and Arn.parse(topic).region != item.region:
                text = f"The topic {topic} is in another region; that of alarm {item.name} has to be in {item.region}."
                return Remedy(steps=(text,))
            fields["AlarmActions"] = [mends.ALERT_TOPIC]
    if fields == {"ActionsEnabled": True}:
        return rules.remedy([mends.ring(item.body, item.listing, item.region)])
    return rules.remedy([mends.change_alarm(item.body, item.listing, item.region, **fields)])


ALARM = ResourceType(
    name="alarms.alarm",
    scope=ScopeKind.RESOURCE,
    none="no alarm watches what a trail's metric filters write",
    facets=(
        Facet(name="Actions", calls=(*CALLS, *rules.THERE_CALLS), shape=Actions),
        Facet(name="Ringing", calls=CALLS, shape=Ringing),
    ),
    produce=produce,
)
MENDERS = {"alarms_speak": speak, "alarms_ring": ring}
