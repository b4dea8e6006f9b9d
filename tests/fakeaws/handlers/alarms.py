"""CloudWatch alarms of three kinds, and the rules that mute them."""

from __future__ import annotations

import re

from ..faults import AwsError
from ..world import Call, Json, now
from .registry import handles, only

_LISTS = {
    "CompositeAlarm": ("composite", "CompositeAlarms"),
    "MetricAlarm": ("metric", "MetricAlarms"),
    "LogAlarm": ("log", "LogAlarms"),
}
_CHILD = re.compile(r"\b(?:ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:\"([^\"]+)\"|'([^']+)'|([^\s)]+))\s*\)")
_ACTIONS = ("OKActions", "AlarmActions", "InsufficientDataActions")


def _invalid(text: str) -> AwsError:
    return AwsError("ValidationError", text)


def children(rule: str) -> list[str]:
    """The names (or ARNs' names) of the alarms in a composite alarm's rule."""
    found = ("".join(groups) for groups in _CHILD.findall(rule))
    return [name.rpartition(":alarm:")[2] for name in found]


def _all(call: Call) -> Json:
    state = call.here.cloudwatch
    return {**state["metric"], **state["composite"], **state["log"]}


@handles("cloudwatch:DescribeAlarms")
def _describe(call: Call, given: Json) -> Json:
    names, prefix = given.get("AlarmNames"), given.get("AlarmNamePrefix")
    if names and prefix is not None:
        raise _invalid("AlarmNames and AlarmNamePrefix cannot be used together.")
    wanted = set(names) if names else None
    # Without AlarmTypes there are metric alarms only, whatever else exists.
    kinds = given.get("AlarmTypes") or ["MetricAlarm"]
    composites = call.here.cloudwatch["composite"]
    if parent := given.get("ChildrenOfAlarmName"):
        wanted = set(children(composites[parent]["AlarmRule"])) if parent in composites else set()
        kinds = list(_LISTS)
    if child := given.get("ParentsOfAlarmName"):
        wanted = {name for name, item in composites.items() if child in children(item["AlarmRule"])}
        kinds = ["CompositeAlarm"]

    def fits(alarm: Json) -> bool:
        return (
            (wanted is None or alarm["AlarmName"] in wanted)
            and alarm["AlarmName"].startswith(prefix or "")
            and given.get("StateValue") in (None, alarm["StateValue"])
            and (
                "ActionPrefix" not in given
                or any(arn.startswith(given["ActionPrefix"]) for key in _ACTIONS for arn in alarm[key])
            )
        )

    found: Json = {}
    for kind, (state, key) in _LISTS.items():
        known = call.here.cloudwatch[state]
        found[key] = [known[name] for name in sorted(known) if kind in kinds and fits(known[name])]
    return found


@handles("cloudwatch:DescribeAlarmsForMetric")
def _for_metric(call: Call, given: Json) -> Json:
    dimensions = sorted((item["Name"], item["Value"]) for item in given.get("Dimensions") or [])
    return {
        "MetricAlarms": [
            alarm
            for _, alarm in sorted(call.here.cloudwatch["metric"].items())
            if (alarm.get("MetricName"), alarm.get("Namespace")) == (given["MetricName"], given["Namespace"])
            and sorted((item["Name"], item["Value"]) for item in alarm.get("Dimensions", [])) == dimensions
            and all(
                given.get(key) in (None, alarm.get(key))
                for key in ("Statistic", "ExtendedStatistic", "Period", "Unit")
            )
        ]
    }


def _check_actions(call: Call, given: Json) -> None:
    """Refuse topics of another region, which AWS does."""
    for arn in (arn for key in _ACTIONS for arn in given.get(key) or []):
        region = arn.split(":")[3:4]
        if region not in ([call.region], [""], []) and ":sns:" in arn:
            raise _invalid(f"Invalid region {region[0]} specified. Only {call.region} is supported.")


def _put(call: Call, kind: str, given: Json) -> None:
    """Write an alarm over the old one, whose state it keeps."""
    name = given["AlarmName"]
    old = call.here.cloudwatch[kind].get(name)
    if old is None and name in _all(call):
        raise _invalid(f"An alarm of another type has the name {name}.")
    state = only(old or {}, "StateValue", "StateReason", "StateUpdatedTimestamp") or {
        "StateValue": "INSUFFICIENT_DATA",
        "StateReason": "Unchecked: Initial alarm creation",
        "StateUpdatedTimestamp": now(),
    }
    call.here.cloudwatch[kind][name] = {
        "AlarmArn": call.here.arn("cloudwatch", f"alarm:{name}"),
        "AlarmConfigurationUpdatedTimestamp": now(),
        "ActionsEnabled": True,
        **{key: [] for key in _ACTIONS},
        **state,
        **{key: value for key, value in given.items() if key != "Tags"},
    }


@handles("cloudwatch:PutMetricAlarm")
def _put_metric(call: Call, given: Json) -> Json:
    _check_actions(call, given)
    if "EvaluationCriteria" not in given:
        if not given.get("Metrics") and not {"MetricName", "Namespace", "Period"} <= set(given):
            raise _invalid("MetricName, Namespace and Period, or Metrics, must be specified.")
        if not {"EvaluationPeriods", "ComparisonOperator"} <= set(given):
            raise _invalid("EvaluationPeriods and ComparisonOperator must be specified.")
    if not given.get("Metrics") and "MetricName" in given:
        given = {"Dimensions": [], **given}
        if not {"Statistic", "ExtendedStatistic"} & set(given):
            raise _invalid("Exactly one of Statistic and ExtendedStatistic must be specified.")
    _put(call, "metric", given)
    return {}


@handles("cloudwatch:PutCompositeAlarm")
def _put_composite(call: Call, given: Json) -> Json:
    _check_actions(call, given)
    absent = [name for name in children(given["AlarmRule"]) if name not in _all(call)]
    if absent:
        listed = ", ".join(absent)
        raise _invalid(
            f"Could not save the composite alarm as alarms [{listed}] in the alarm rule do not exist"
        )
    _put(call, "composite", given)
    return {}


@handles("cloudwatch:EnableAlarmActions", "cloudwatch:DisableAlarmActions")
def _switch(call: Call, given: Json) -> Json:
    known = _all(call)
    for name in given["AlarmNames"]:
        if name in known:
            known[name]["ActionsEnabled"] = call.operation == "EnableAlarmActions"
    return {}


@handles("cloudwatch:DeleteAlarms")
def _delete(call: Call, given: Json) -> Json:
    state, names = call.here.cloudwatch, given["AlarmNames"]
    if sum(name in state["composite"] for name in names) > 1:
        raise _invalid("You can't delete two composite alarms with one operation.")
    for name in names:
        for parent, item in state["composite"].items():
            if name in children(item["AlarmRule"]) and name in state["composite"]:
                text = f"Cannot delete {name} as there are composite alarm(s) depending on it: {parent}"
                raise AwsError("ResourceConflict", text, 409)
    absent = [name for name in names if name not in _all(call)]
    for kind in ("metric", "composite", "log"):
        for name in names:
            state[kind].pop(name, None)
    if absent:
        raise AwsError("ResourceNotFound", f"Alarm does not exist: {absent[0]}", 404)
    return {}


@handles("cloudwatch:ListAlarmMuteRules")
def _mute_rules(call: Call, given: Json) -> Json:
    names = ("AlarmMuteRuleArn", "ExpireDate", "Status", "MuteType", "LastUpdatedTimestamp")
    return {
        "AlarmMuteRuleSummaries": [
            only(item, *names)
            for _, item in sorted(call.here.cloudwatch["mute_rules"].items())
            if given.get("AlarmName") in (None, *item.get("MuteTargets", {}).get("AlarmNames", []))
            and (not given.get("Statuses") or item["Status"] in given["Statuses"])
        ]
    }


def _muter(call: Call, name: str) -> Json:
    known = call.here.cloudwatch["mute_rules"]
    if name not in known:
        raise AwsError("ResourceNotFoundException", f"Alarm mute rule {name} does not exist.", 404)
    found: Json = known[name]
    return found


@handles("cloudwatch:GetAlarmMuteRule")
def _mute_rule(call: Call, given: Json) -> Json:
    return _muter(call, given["AlarmMuteRuleName"])


@handles("cloudwatch:PutAlarmMuteRule")
def _put_mute_rule(call: Call, given: Json) -> Json:
    kept = only(given, "Description", "Rule", "StartDate", "ExpireDate")
    once = given["Rule"]["Schedule"]["Expression"].startswith("at(")
    kind = "ONE_TIME" if once else "RECURRING"
    alarms = (given.get("MuteTargets") or {}).get("AlarmNames", [])
    call.here.add_mute_rule(given["Name"], alarms, status="SCHEDULED", MuteType=kind, **kept)
    return {}


@handles("cloudwatch:DeleteAlarmMuteRule")
def _delete_mute_rule(call: Call, given: Json) -> Json:
    call.here.cloudwatch["mute_rules"].pop(given["AlarmMuteRuleName"], None)
    return {}
