"""The other road: a trail's log group, a metric filter that matches the event, an alarm that it can ring."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import msgspec

from postureaudit.evidence import Absent, Json, Refusal
from postureaudit.resources import View, all_of, body, member
from postureaudit.services import cloudtrail
from postureaudit.signals import asks, log_filter, mends, targets
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
    view: View, event: Mapping[str, Json], region: str, *, about: Hashable, globally: bool
) -> list[Road]:
    """Every road of a CloudTrail event by way of a log group. `event` is the record itself.

    `about` names the event whatever its region: what does not look at the region is decided once for all.
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
        if account != view.account:
            reason = f"the log group belongs to account {account}, which is not read here"
            group = Hop(kind="log group", name=name, region=where, state=State.LEAVES, reason=reason)
            found.append((*start, group))
            continue
        found += [(*start, *tail) for tail in _group(view, name, where, event, about)]
    return distinct(found)


def _trail(
    view: View, trail: cloudtrail.Trail, event: Mapping[str, Json], region: str, *, globally: bool
) -> Road:
    """The trail logs here, records this event, and delivers to its log group."""
    source = str(event["eventSource"])
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
        reason = f"the trail does not record the events of {source} here"
        return (Hop(kind="trail", name=name, region=trail.home, state=State.BROKEN, reason=reason),)
    status = body(cloudtrail.status(view, trail, trail.home))
    if isinstance(status, Refusal):
        return (targets.unknown("trail", name, trail.home, status),)
    if error := status.get("LatestCloudWatchLogsDeliveryError"):
        reason = f"it cannot deliver to its log group: {error}"
        return (Hop(kind="trail", name=name, region=trail.home, state=State.BROKEN, reason=reason),)
    return (Hop(kind="trail", name=name, region=trail.home),)


def _group(view: View, name: str, region: str, event: Mapping[str, Json], about: Hashable) -> list[Road]:
    ask = asks.filters_ask(name, region)
    outcome = view.outcome(ask.call, region, **ask.params)
    listed = member(outcome, "metricFilters", [])
    if isinstance(listed, Refusal):
        return [(targets.unknown("metric filter", name, region, listed),)]
    if isinstance(outcome, Absent):
        reason = "the trail's log group does not exist"
        return [(Hop(kind="log group", name=name, region=region, state=State.BROKEN, reason=reason),)]
    return [
        road
        for item in sorted(listed, key=lambda item: str(item.get("filterName")))
        for road in _filter(view, item, region, event, about)
    ]


def _filter(
    view: View, item: Mapping[str, Any], region: str, event: Mapping[str, Json], about: Hashable
) -> list[Road]:
    """A metric filter that matches, and what watches its metric; none for one that is about other events."""
    name = str(item.get("filterName"))
    hop = Hop(kind="metric filter", name=name, region=region)

    def unsure(reason: str) -> list[Road]:
        return [(msgspec.structs.replace(hop, state=State.UNKNOWN, reason=reason),)]

    try:
        found = decided(view, str(item.get("filterPattern") or ""), event, about)
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


# Fields in which the same event differs from region to region (see events.yaml); ARNs hold the region too.
_REGIONAL = ("awsRegion", "arn", "Arn", "ARN", "requestParameters", "eventTime")


def decided(view: View, text: str, event: Mapping[str, Json], about: Hashable) -> log_filter.Decision:
    regional = not text.lstrip().startswith("{") or any(word in text for word in _REGIONAL)
    key = ("filter", text, about, event["awsRegion"] if regional else "")
    return view.once(key, lambda: log_filter.decide(text, event))


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
                mend=mends.change_alarm(item, body, region, Namespace=space),
            )
    metric = {"MetricName": name, "Namespace": space}
    return Hop(
        kind="alarm",
        name=f"{space}/{name}",
        region=region,
        state=State.BROKEN,
        reason="no alarm watches the metric",
        mend=mends.new_alarm(f"{name}", region, **metric),
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
        return stopped(why, mends.change_alarm(alarm, found, region, **ringing(alarm)))
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
        roads += [(hop, *tail) for tail in _actions(view, calls, str(alarm.get("AlarmArn")))]
    elif not above:
        mend = mends.change_alarm(alarm, found, region, AlarmActions=[mends.ALERT_TOPIC], ActionsEnabled=True)
        roads += stopped("it has no action for ALARM", mend)
    for parent in above:
        roads += [(hop, *tail) for tail in _composite(view, parent, alarm, found, region)]
    return roads


def _stuck(alarm: Mapping[str, Any]) -> str:
    return (
        "it is in ALARM now, and rings again only after it was OK"
        if alarm.get("StateValue") == "ALARM"
        else ""
    )


def _actions(view: View, calls: Iterable[str], arn: str) -> list[Road]:
    sender = Sender(kind="alarm", arn=arn)
    return [road for call in calls for road in targets.deliver(view, call, sender, Parcel(body=None))]


def rings(alarm: Mapping[str, Any], metric: Mapping[str, Any]) -> tuple[bool | None, str]:
    """Whether one event rings the alarm (CloudWatch user guide, "Alarm evaluation" and "missing data").

    One event makes one data point. A metric that has values for other events as well can only be higher.
    """
    dimensions = metric.get("dimensions") or {}
    named = {str(item.get("Name")) for item in alarm.get("Dimensions") or []}
    if named != set(dimensions):
        return False, "it watches the metric with other dimensions than the filter writes"
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


def ringing(alarm: Mapping[str, Any]) -> dict[str, Json]:
    """The settings with which one event rings an alarm."""
    return {
        "Statistic": "Sum",
        "Threshold": 1,
        "ComparisonOperator": _UP[0],
        "EvaluationPeriods": 1,
        "DatapointsToAlarm": 1,
        "Dimensions": [],
        "TreatMissingData": "notBreaching",
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


_ALARM_FUNCTION = re.compile(r"ALARM\(\s*[\"']?([^\"')]+?)[\"']?\s*\)")


def parents(alarm: Mapping[str, Any], found: Mapping[str, Json]) -> list[Mapping[str, Any]]:
    """The composite alarms whose rule names this one."""
    names = {str(alarm.get("AlarmName")), str(alarm.get("AlarmArn"))}
    return [
        item
        for item in found.get("CompositeAlarms") or []
        if names & set(_ALARM_FUNCTION.findall(str(item.get("AlarmRule"))))
    ]


def _composite(
    view: View, parent: Mapping[str, Any], alarm: Mapping[str, Any], found: Mapping[str, Json], region: str
) -> list[Road]:
    """A composite alarm rings with its child where its rule is a plain OR of alarms."""
    name = str(parent["AlarmName"])
    hop = Hop(kind="composite alarm", name=name, region=region)
    rest = _ALARM_FUNCTION.sub("", str(parent.get("AlarmRule")))
    if re.search(r"\b(AND|NOT|OK|INSUFFICIENT_DATA)\b", rest) or parent.get("ActionsSuppressor"):
        reason = "its rule needs more than this alarm, or another alarm may suppress it"
        return [(msgspec.structs.replace(hop, state=State.UNKNOWN, reason=reason),)]
    if parent.get("ActionsEnabled") is False:
        mend = mends.ring(parent, found, region)
        reason = "its actions are switched off"
        return [(msgspec.structs.replace(hop, state=State.BROKEN, reason=reason, mend=mend),)]
    calls = [str(item) for item in parent.get("AlarmActions") or []]
    if not calls:
        reason = "it has no action for ALARM"
        return [(msgspec.structs.replace(hop, state=State.BROKEN, reason=reason),)]
    return [(hop, *tail) for tail in _actions(view, calls, str(parent.get("AlarmArn")))]
