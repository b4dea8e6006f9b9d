"""The other road: a trail's log group, a metric filter that matches the event, an alarm that it can ring."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from postureaudit.evidence import Absent, Json, Refusal
from postureaudit.resources import View, all_of, body, member
from postureaudit.services import cloudtrail
from postureaudit.signals import asks, decisions, mends, targets
from postureaudit.signals.decisions import About
from postureaudit.signals.events import Place
from postureaudit.signals.log_filter import FilterError
from postureaudit.signals.model import Hop, Mend, Road, State, distinct
from postureaudit.signals.targets import Parcel, Sender

CALLS = (
    *cloudtrail.EVENT_CALLS,
    *("logs:DescribeMetricFilters", "cloudwatch:DescribeAlarms"),
    *("cloudwatch:ListAlarmMuteRules", "cloudwatch:GetAlarmMuteRule"),
    *targets.CALLS,
)
_UP = ("GreaterThanOrEqualToThreshold", "GreaterThanThreshold")


def roads(
    view: View, event: Mapping[str, Json], region: str, *, about: About, place: Place, globally: bool
) -> list[Road]:
    """Every road of a CloudTrail event by way of a log group.

    `event` is the record itself, `about` names it, and `place` is where it happens: what does not look at the place is
    decided once for all.
    """
    found: list[Road] = []
    here = cloudtrail.listed(view, region)
    if isinstance(here, Refusal):  # a trail that nobody else lists may be hidden here
        found.append((targets.unknown("trail", "trails", region, here),))
    for trail in cloudtrail.trails(view):
        name, where, account = cloudtrail.log_group(trail.body)
        if not name or not (trail.multi or trail.home == region):
            continue
        start = _trail(view, trail, event, region, globally=globally)
        other = view.other(account)
        if other is not None:
            tails = _group(other, name, where, event, about, place)
            found += [(*start, *targets.abroad(tail, account)) for tail in tails]
            continue
        if account != view.account:
            reason = f"the log group belongs to account {account}, which is not read here"
            group = Hop(kind="log group", name=name, region=where, state=State.LEAVES, reason=reason)
            found.append((*start, group))
            continue
        found += [(*start, *tail) for tail in _group(view, name, where, event, about, place)]
    return distinct([*found, *_in_vain(view, about, place)])


def _in_vain(view: View, about: About, place: Place) -> list[Road]:
    """Filters that would match the record, with alarms, in log groups that no trail writes to."""
    unfed = view.once("unfed filters", lambda: _unfed(view))
    if not unfed:
        return []
    near = _near(view, "unfed", [item for item, _ in unfed], about, place)
    return view.once(("in vain", about, near), lambda: _waiting(view, unfed, about, near))


def _waiting(
    view: View, unfed: Iterable[tuple[Mapping[str, Any], str]], about: About, place: Place
) -> list[Road]:
    found: list[Road] = []
    for item, region in unfed:
        if any(len(tail) > 1 for tail in _filter(view, item, region, about, place)):
            name = str(item.get("logGroupName"))
            reason = "no trail writes to the log group, in which a metric filter waits for this event"
            step = mends.elsewhere(
                f"Have a trail deliver to log group {name} in {region} (cloudtrail.cloudwatch-logs), or set its metric "
                "filters up in a log group that a trail writes to."
            )
            hop = Hop(
                kind="log group", name=name, region=region, state=State.BROKEN, reason=reason, mend=step
            )
            found.append((hop,))
    return found


def _unfed(view: View) -> list[tuple[Mapping[str, Any], str]]:
    """(metric filter, region) of those written for CloudTrail's records, in groups that no trail writes to.

    Where their list is refused nothing is hidden: no road of theirs gets anywhere.
    """
    fed = {cloudtrail.log_group(trail.body)[:2] for trail in cloudtrail.trails(view)}
    found: list[tuple[Mapping[str, Any], str]] = []
    for region in view.regions:
        listed = member(view.outcome(asks.ALL_FILTERS.call, region), "metricFilters", [])
        if not isinstance(listed, Refusal):
            found += [
                (item, region)
                for item in listed
                if asks.of_records(item) and (item.get("logGroupName"), region) not in fed
            ]
    return found


def _near(
    view: View, group: Hashable, items: Iterable[Mapping[str, Any]], about: About, place: Place
) -> Place:
    """The place as far as these metric filters, which `group` names, look at it."""
    looked = view.once(("looked at", group, about), lambda: decisions.looked_at(map(_pattern, items), about))
    return decisions.narrowed(place, looked)


def _pattern(item: Mapping[str, Any]) -> str:
    return str(item.get("filterPattern") or "")


def _trail(
    view: View, trail: cloudtrail.Trail, event: Mapping[str, Json], region: str, *, globally: bool
) -> Road:
    """The trail logs here, records this event, and delivers to its log group."""
    source = str(event["eventSource"])
    key = ("trail to a group", trail.arn, region, source, globally)
    return view.once(key, lambda: _delivering(view, trail, source, region, globally=globally))


def _delivering(view: View, trail: cloudtrail.Trail, source: str, region: str, *, globally: bool) -> Road:
    name = trail.arn.rpartition("/")[2]
    stands = all_of(
        [
            cloudtrail.logging(view, trail, region),
            cloudtrail.writes(trail, source=source, globally=globally),
        ]
    )
    if isinstance(stands, Refusal):
        return (targets.unknown("trail", name, trail.home, stands),)
    if not stands:
        off = cloudtrail.logging(view, trail, region) is False
        reason = "the trail is stopped" if off else f"the trail does not record the events of {source} here"
        return (Hop(kind="trail", name=name, region=trail.home, state=State.BROKEN, reason=reason),)
    status = body(cloudtrail.status(view, trail, trail.home))
    if isinstance(status, Refusal):
        return (targets.unknown("trail", name, trail.home, status),)
    if error := status.get("LatestCloudWatchLogsDeliveryError"):
        reason = f"it cannot deliver to its log group: {error}"
        return (Hop(kind="trail", name=name, region=trail.home, state=State.BROKEN, reason=reason),)
    return (Hop(kind="trail", name=name, region=trail.home),)


def _group(
    view: View, name: str, region: str, event: Mapping[str, Json], about: About, place: Place
) -> list[Road]:
    ask = asks.filters_ask(name, region)
    outcome = view.outcome(ask.call, region, **ask.params)
    listed = member(outcome, "metricFilters", [])
    if isinstance(listed, Refusal):
        return [(targets.unknown("metric filter", name, region, listed),)]
    if isinstance(outcome, Absent):
        reason = "the trail's log group does not exist"
        return [(Hop(kind="log group", name=name, region=region, state=State.BROKEN, reason=reason),)]
    near = _near(view, (name, region), listed, about, place)
    filtered = view.once(
        ("filtered", name, region, about, near),
        lambda: [
            road
            for item in sorted(listed, key=lambda item: str(item.get("filterName")))
            for road in _filter(view, item, region, about, near)
        ],
    )
    return [*filtered, *_queried(view, name, region, event)]


def _queried(view: View, group: str, region: str, event: Mapping[str, Json]) -> list[Road]:
    """Alarms on a query of the log group that may be about the event: what queries find is not worked out."""
    found = view.once(("described alarms", region), lambda: _described(view, region))
    if isinstance(found, Refusal):
        return [(targets.unknown("alarm", f"alarms on {group}", region, found),)]
    reason = "it watches the log group by a query, which is not worked out"
    return [
        (
            Hop(
                kind="log alarm",
                name=str(alarm["AlarmName"]),
                region=region,
                state=State.UNKNOWN,
                reason=reason,
            ),
        )
        for alarm in found.get("LogAlarms") or []
        if alarm.get("ActionsEnabled") is not False and alarm.get("AlarmActions")
        if _may_find(alarm.get("ScheduledQueryConfiguration") or {}, group, event)
    ]


def _described(view: View, region: str) -> dict[str, Json] | Refusal:
    return body(view.outcome(asks.ALARMS.call, region, **asks.ALARMS.params))


def _may_find(query: Mapping[str, Any], group: str, event: Mapping[str, Json]) -> bool:
    """Whether a query of this group may be about the event, going by the words in it."""
    named = [str(item).split(":log-group:")[-1] for item in query.get("LogGroupIdentifiers") or [group]]
    text = str(query.get("QueryString"))
    words = [event.get("eventName"), event.get("errorCode"), event["userIdentity"].get("type")]
    about = "eventName" not in text or any(word and word in text for word in words)
    return about and group in [item.removesuffix(":*") for item in named]


def _filter(view: View, item: Mapping[str, Any], region: str, about: About, place: Place) -> list[Road]:
    """A metric filter that matches, and what watches its metric; none for one that is about other events."""
    name = str(item.get("filterName"))
    hop = Hop(kind="metric filter", name=name, region=region)

    def unsure(reason: str) -> list[Road]:
        return [(msgspec.structs.replace(hop, state=State.UNKNOWN, reason=reason),)]

    try:
        found = decisions.decided(_pattern(item), about, place)
    except FilterError as error:
        return unsure(f"its pattern is not understood: {error.message}")
    if found.value is False:
        return []
    if found.value is None:
        return unsure(f"whether it matches is not documented: {'; '.join(found.reasons)}")
    if item.get("applyOnTransformedLogs") or item.get("fieldSelectionCriteria"):
        return unsure("it looks at transformed or selected logs only")
    return [
        (hop, *tail)
        for metric in item.get("metricTransformations") or []
        for tail in _metric(view, metric, region)
    ]


def _metric(view: View, metric: Mapping[str, Any], region: str) -> list[Road]:
    key = ("metric", region, msgspec.json.encode(metric, order="deterministic"))
    return view.once(key, lambda: _watched(view, metric, region))


def _watched(view: View, metric: Mapping[str, Any], region: str) -> list[Road]:
    space, name = str(metric.get("metricNamespace")), str(metric.get("metricName"))
    outcome = view.outcome(asks.ALARMS.call, region, **asks.ALARMS.params)
    found = body(outcome)
    if isinstance(found, Refusal):
        return [(targets.unknown("alarm", f"{space}/{name}", region, found),)]
    alarms = found.get("MetricAlarms") or []
    watching = [item for item in alarms if (item.get("Namespace"), item.get("MetricName")) == (space, name)]
    within = [item for item in alarms if in_expression(item, space, name)]
    roads = [road for item in watching for road in _alarm(view, item, found, metric, region)]
    for item in within:
        reason = "it watches the metric in an expression, which is not worked out"
        roads.append(
            (
                Hop(
                    kind="alarm",
                    name=str(item["AlarmName"]),
                    region=region,
                    state=State.UNKNOWN,
                    reason=reason,
                ),
            )
        )
    return roads or [(_unwatched(alarms, found, space, name, region),)]


def _unwatched(
    alarms: Iterable[Mapping[str, Any]], body: Mapping[str, Json], space: str, name: str, region: str
) -> Hop:
    """No alarm watches the metric; one that watches its namesake elsewhere is likely to be meant."""
    for item in alarms:
        if item.get("MetricName") == name:
            return Hop(
                kind="alarm",
                name=str(item["AlarmName"]),
                region=region,
                state=State.BROKEN,
                reason=f"it watches {name} in {item.get('Namespace')}, the filter writes it in {space}",
                mend=mends.copy_alarm(item, body, region, Namespace=space),
            )
    metric = {"MetricName": name, "Namespace": space}
    return Hop(
        kind="alarm",
        name=f"{space}/{name}",
        region=region,
        state=State.BROKEN,
        reason="no alarm watches the metric",
        mend=mends.new_alarm(mends.free_name(name, body), region, **metric),
    )


def in_expression(alarm: Mapping[str, Any], space: str, name: str) -> bool:
    return any(
        (metric.get("Namespace"), metric.get("MetricName")) == (space, name)
        for query in alarm.get("Metrics") or []
        for metric in [((query.get("MetricStat") or {}).get("Metric") or {})]
    )


def _alarm(
    view: View, alarm: Mapping[str, Any], found: Mapping[str, Json], metric: Mapping[str, Any], region: str
) -> list[Road]:
    name = str(alarm["AlarmName"])
    hop = Hop(kind="alarm", name=name, region=region)

    def stopped(reason: str, mend: Mend | None = None) -> list[Road]:
        return [(msgspec.structs.replace(hop, state=State.BROKEN, reason=reason, mend=mend),)]

    rung, why = rings(alarm, metric)
    if rung is None:
        return [(msgspec.structs.replace(hop, state=State.UNKNOWN, reason=why),)]
    if not rung:
        return stopped(why, _mend(alarm, found, metric, region))
    muted = _muted(view, alarm, region)
    if muted is not None:
        return [(muted,)]
    above = parents(alarm, found)
    calls = [str(item) for item in alarm.get("AlarmActions") or []]
    roads: list[Road] = []
    if alarm.get("ActionsEnabled") is False:
        roads += stopped("its actions are switched off", mends.ring(alarm, found, region))
    elif calls:
        hop = msgspec.structs.replace(hop, weakness=_stuck(alarm))
        roads += [(hop, *tail) for tail in _actions(view, calls, alarm, found, region)]
    elif not above:
        mend = mends.change_alarm(alarm, found, region, AlarmActions=[mends.ALERT_TOPIC], ActionsEnabled=True)
        roads += stopped("it has no action for ALARM", mend)
    for parent in above:
        roads += [(hop, *tail) for tail in _composite(view, parent, found, region, (name,))]
    return roads


def _mend(
    alarm: Mapping[str, Any], found: Mapping[str, Json], metric: Mapping[str, Any], region: str
) -> Mend:
    """An alarm that waits for something else than an event is left alone and gets a sister."""
    if (
        alarm.get("ComparisonOperator") in _UP
        and not metric.get("dimensions")
        and not alarm.get("Dimensions")
    ):
        return mends.change_alarm(alarm, found, region, **ringing(alarm, metric))
    if metric.get("dimensions"):
        return mends.elsewhere("Take the dimensions out of the metric filter, or give each value an alarm.")
    return mends.copy_alarm(alarm, found, region, **ringing(alarm, metric), Dimensions=[])


def _stuck(alarm: Mapping[str, Any]) -> str:
    return (
        "it is in ALARM now, and rings again only after it was OK"
        if alarm.get("StateValue") == "ALARM"
        else ""
    )


def _actions(
    view: View, calls: Sequence[str], alarm: Mapping[str, Any], found: Mapping[str, Json], region: str
) -> list[Road]:
    """The roads of an alarm's actions. Where one is gone, the topic that alerts people takes its place."""
    sender = Sender(kind="alarm", arn=str(alarm.get("AlarmArn")))

    def mended(tail: Road, call: str) -> Road:
        first = tail[0]
        if first.state is not State.BROKEN or first.mend is not None:
            return tail
        kept = [item for item in calls if item != call or not first.reason.endswith(targets.MISSING)]
        if "AlarmRule" in alarm:
            mend = mends.act(alarm, region, kept)
        else:
            mend = mends.change_alarm(alarm, found, region, AlarmActions=[*kept, mends.ALERT_TOPIC])
        return (msgspec.structs.replace(first, mend=mend), *tail[1:])

    return [
        mended(road, call)
        for call in calls
        for road in targets.deliver(view, call, sender, Parcel(body=None))
    ]


def rings(alarm: Mapping[str, Any], metric: Mapping[str, Any]) -> tuple[bool | None, str]:
    """Whether one event rings the alarm (CloudWatch user guide, "Alarm evaluation" and "missing data").

    One event makes one data point. A metric that has values for other events as well can only be higher.
    """
    dimensions = metric.get("dimensions") or {}
    named = {str(item.get("Name")) for item in alarm.get("Dimensions") or []}
    if named != set(dimensions):
        return False, "it watches the metric with other dimensions than the filter writes"
    if (unit := alarm.get("Unit")) and unit != (metric.get("unit") or "None"):
        return (
            False,
            f"it watches values in {unit}, the filter writes them in {metric.get('unit') or 'no unit'}",
        )
    if dimensions:
        return None, "the metric has dimensions, whose values one event does not tell"
    value = _value(metric)
    if value is None:
        return None, f"the filter writes {metric.get('metricValue')}, which depends on the event"
    point = 1.0 if alarm.get("Statistic") == "SampleCount" else value
    if alarm.get("Statistic") not in ("Sum", "SampleCount", "Maximum", "Average", "Minimum"):
        return None, f"its statistic {alarm.get('ExtendedStatistic')} is not worked out"
    if alarm.get("Statistic") in ("Average", "Minimum") and metric.get("defaultValue") is not None:
        return False, f"its statistic {alarm['Statistic']} is drawn down by the filter's default value"
    threshold, operator = alarm.get("Threshold"), alarm.get("ComparisonOperator")
    if threshold is None or operator not in (*_UP, "LessThanThreshold", "LessThanOrEqualToThreshold"):
        return None, f"its comparison {operator} is not worked out"
    if operator not in _UP:
        return False, "it rings when the metric is low, and an event makes it high"
    high = point >= threshold if operator == _UP[0] else point > threshold
    if not high:
        sign = ">=" if operator == _UP[0] else ">"
        return False, f"one event makes {point:g}, the alarm wants {sign} {threshold:g}"
    needed = int(alarm.get("DatapointsToAlarm") or alarm.get("EvaluationPeriods") or 1)
    missing = alarm.get("TreatMissingData") or "missing"
    if needed > 1 and (metric.get("defaultValue") is not None or missing in ("notBreaching", "ignore")):
        return False, f"it wants {needed} periods over the threshold, and one event makes one"
    return True, ""


def ringing(alarm: Mapping[str, Any], metric: Mapping[str, Any]) -> dict[str, Json]:
    """The settings with which one event rings an alarm."""
    unit = {"Unit": metric.get("unit") or None} if alarm.get("Unit") else {}
    return {
        "Statistic": "Sum",
        "Threshold": min(1.0, _value(metric) or 1.0),
        "ComparisonOperator": _UP[0],
        "EvaluationPeriods": 1,
        "DatapointsToAlarm": 1,
        "TreatMissingData": "notBreaching",
        **unit,
    }


def _value(metric: Mapping[str, Any]) -> float | None:
    try:
        return float(str(metric.get("metricValue")))
    except ValueError:
        return None


def _muted(view: View, alarm: Mapping[str, Any], region: str) -> Hop | None:
    """The mute rule in force that silences the alarm."""
    listed = member(view.outcome(asks.MUTES.call, region, **asks.MUTES.params), "AlarmMuteRuleSummaries", [])
    name = str(alarm["AlarmName"])
    if isinstance(listed, Refusal):
        return targets.unknown("mute", name, region, listed)
    for item in listed:
        if item.get("Status") != "ACTIVE":
            continue
        ask = asks.mute_ask(str(item.get("AlarmMuteRuleArn")))
        found = member(view.outcome(ask.call, region, **ask.params), "MuteTargets", {})
        if isinstance(found, Refusal):
            return targets.unknown("mute", name, region, found)
        if name in (found.get("AlarmNames") or []):
            rule = ask.params["AlarmMuteRuleName"]
            reason = f"the mute rule {rule!r} silences the alarm now"
            return Hop(kind="mute", name=str(rule), region=region, state=State.BROKEN, reason=reason)
    return None


# ALARM(name), with the name bare or in quotes (API reference, PutCompositeAlarm, AlarmRule).
_ALARM_FUNCTION = re.compile(r"""\bALARM\(\s*(?:"([^"]*)"|'([^']*)'|([^\s"'()]+))\s*\)""")


def _named(rule: str) -> set[str]:
    """The alarms, by name or ARN, that a composite alarm's rule wants in ALARM."""
    return {next(filter(None, found), "") for found in _ALARM_FUNCTION.findall(rule)}


def parents(alarm: Mapping[str, Any], found: Mapping[str, Json]) -> list[Mapping[str, Any]]:
    """The composite alarms whose rule names this one, in whatever function."""
    if not found.get("CompositeAlarms"):
        return []
    name, arn = str(alarm.get("AlarmName")), str(alarm.get("AlarmArn"))
    bare = re.compile(rf"(?<![\w.:/-])(?:{re.escape(name)}|{re.escape(arn)})(?![\w./-])")
    return [
        item
        for item in found.get("CompositeAlarms") or []
        if item.get("AlarmName") != name and bare.search(str(item.get("AlarmRule")))
    ]


def _composite(
    view: View, alarm: Mapping[str, Any], found: Mapping[str, Json], region: str, below: tuple[str, ...]
) -> list[Road]:
    """A composite alarm rings with its child where its rule is a plain OR of alarms."""
    name = str(alarm["AlarmName"])
    if name in below:
        return []
    hop = Hop(kind="composite alarm", name=name, region=region)

    def stopped(reason: str, mend: Mend | None = None) -> Road:
        return (msgspec.structs.replace(hop, state=State.BROKEN, reason=reason, mend=mend),)

    rule = str(alarm.get("AlarmRule"))
    plain = re.fullmatch(r"[\s()]*(?:OR[\s()]*)*", re.sub(r"\bOR\b", " OR ", _ALARM_FUNCTION.sub(" ", rule)))
    if not plain or alarm.get("ActionsSuppressor") or not _named(rule):
        reason = "its rule needs more than this alarm, or another alarm may suppress it"
        return [(msgspec.structs.replace(hop, state=State.UNKNOWN, reason=reason),)]
    muted = _muted(view, alarm, region)
    if muted is not None:
        return [(hop, muted)]
    above = parents(alarm, found)
    calls = [str(item) for item in alarm.get("AlarmActions") or []]
    roads: list[Road] = []
    if alarm.get("ActionsEnabled") is False:
        roads.append(stopped("its actions are switched off", mends.ring(alarm, found, region)))
    elif calls:
        roads += [(hop, *tail) for tail in _actions(view, calls, alarm, found, region)]
    elif not above:
        roads.append(stopped("it has no action for ALARM", mends.act(alarm, region)))
    for parent in above:
        roads += [(hop, *tail) for tail in _composite(view, parent, found, region, (*below, name))]
    return roads
