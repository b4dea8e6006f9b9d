"""CloudWatch Logs: groups and the filters on them."""

from __future__ import annotations

import json

from ..faults import AwsError
from ..world import Call, Json
from .registry import handles, tools_own


@handles("logs:DescribeLogGroups")
def _groups(call: Call, given: Json) -> Json:
    prefix, part = given.get("logGroupNamePrefix", ""), given.get("logGroupNamePattern", "")
    wanted, filters = given.get("logGroupIdentifiers"), call.here.logs["metric_filters"]
    return {
        "logGroups": [
            {**group, "metricFilterCount": sum(item["logGroupName"] == name for item in filters)}
            for name, group in sorted(call.here.logs["groups"].items())
            if name.startswith(prefix)
            and part in name
            and (not wanted or name in wanted or group["logGroupArn"] in wanted)
        ]
    }


def _group(call: Call, given: Json) -> Json:
    name = given["logGroupName"]
    if name not in call.here.logs["groups"]:
        raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
    found: Json = call.here.logs["groups"][name]
    return found


@handles("logs:DescribeMetricFilters")
def _metric_filters(call: Call, given: Json) -> Json:
    group, metric, namespace = (given.get(key) for key in ("logGroupName", "metricName", "metricNamespace"))
    if group:
        _group(call, given)
    if bool(metric) != bool(namespace):
        text = "metricName and metricNamespace must be specified together."
        raise AwsError("InvalidParameterException", text)

    def fits(item: Json) -> bool:
        made = [(one["metricName"], one["metricNamespace"]) for one in item["metricTransformations"]]
        return (
            group in (None, item["logGroupName"])
            and item["filterName"].startswith(given.get("filterNamePrefix", ""))
            and (not metric or (metric, namespace) in made)
        )

    return {"metricFilters": [item for item in call.here.logs["metric_filters"] if fits(item)]}


@handles("logs:DescribeSubscriptionFilters")
def _subscriptions(call: Call, given: Json) -> Json:
    _group(call, given)
    found = call.here.logs["subscription_filters"]
    return {"subscriptionFilters": [item for item in found if item["logGroupName"] == given["logGroupName"]]}


@handles("logs:DescribeAccountPolicies")
def _account_policies(call: Call, given: Json) -> Json:
    return {"accountPolicies": []}


@handles("logs:CreateLogGroup")
def _create_group(call: Call, given: Json) -> Json:
    if given["logGroupName"] in call.here.logs["groups"]:
        raise AwsError("ResourceAlreadyExistsException", "The specified log group already exists")
    call.here.add_log_group(given["logGroupName"], logGroupClass=given.get("logGroupClass", "STANDARD"))
    return {}


@handles("logs:StartQuery")
def _start_query(call: Call, given: Json) -> Json:
    if given["startTime"] >= given["endTime"]:
        raise AwsError("MalformedQueryException", "end date and time is before start date and time")
    _group(call, given)
    return {"queryId": "11111111-2222-3333-4444-555555555555"}


@handles("logs:PutRetentionPolicy")
def _retention(call: Call, given: Json) -> Json:
    _group(call, given)["retentionInDays"] = given["retentionInDays"]
    return {}


@handles("logs:DeleteRetentionPolicy")
def _no_retention(call: Call, given: Json) -> Json:
    _group(call, given).pop("retentionInDays", None)
    return {}


@handles("logs:PutMetricFilter")
def _put_metric_filter(call: Call, given: Json) -> Json:
    kind = _group(call, given)["logGroupClass"]
    if kind != "STANDARD":
        text = f"Metric filters are not supported for log groups of the class {kind}."
        raise AwsError("InvalidOperationException", text)
    kept = [
        item
        for item in call.here.logs["metric_filters"]
        if (item["logGroupName"], item["filterName"]) != (given["logGroupName"], given["filterName"])
    ]
    call.here.logs["metric_filters"] = [*kept, {**given, "creationTime": 1_700_000_000_000}]
    return {}


@handles("logs:DeleteMetricFilter")
def _delete_metric_filter(call: Call, given: Json) -> Json:
    _group(call, given)
    known = call.here.logs["metric_filters"]
    wanted = (given["logGroupName"], given["filterName"])
    kept = [item for item in known if (item["logGroupName"], item["filterName"]) != wanted]
    if len(kept) == len(known):
        raise AwsError("ResourceNotFoundException", "The specified metric filter does not exist.")
    call.here.logs["metric_filters"] = kept
    return {}


@handles("logs:TestMetricFilter")
def _test(call: Call, given: Json) -> Json:
    def fits(message: str) -> bool:
        if call.world.test_metric_filter:
            return call.world.test_metric_filter(given["filterPattern"], message)
        matcher = tools_own(call, "postureaudit.signals.log_filter")
        return bool(matcher.matches(given["filterPattern"], json.loads(message)))

    return {
        "matches": [
            {"eventNumber": number, "eventMessage": message, "extractedValues": {}}
            for number, message in enumerate(given["logEventMessages"], 1)
            if fits(message)
        ]
    }
