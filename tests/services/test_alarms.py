"""Alarms on what trails' metric filters write: can one event ring them, and do they then tell anyone."""

from __future__ import annotations

from typing import Any

import pytest

from postureaudit.findings import Finding, Place, Verdict
from tests.conftest import Collect, Mend, judge
from tests.fakeaws import Fault, World
from tests.fakeaws.world import ACCOUNT, Region
from tests.replay import replay

HERE, THERE = "us-east-1", "eu-west-1"
TELLS, RINGS = "alarms.can-notify", "alarms.can-ring"
ROOT = "{ $.userIdentity.type = Root }"
PASS, FAIL, UNKNOWN, NONE = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN, Verdict.NOT_APPLICABLE


def a_world(**fields: Any) -> World:
    world = World(**fields)
    world.account(regions=(HERE, THERE))
    return world


def at(world: World, name: str = HERE) -> Region:
    return world.account().region(name)


def only(finding: Finding) -> Place:
    [place] = finding.places
    return place


def watched(world: World, pattern: str = ROOT, **fields: Any) -> Region:
    """A region whose trail writes to a log group with one metric filter, and a topic."""
    region = at(world)
    region.add_log_group("trail", 400)
    group = region.arn("logs", "log-group:trail:*")
    region.add_trail(CloudWatchLogsLogGroupArn=group, CloudWatchLogsRoleArn="x")
    region.add_metric_filter("trail", "root", pattern, "Root", **fields)
    region.add_topic("alerts")
    return region


def topic(region: Region) -> str:
    return region.arn("sns", "alerts")


def test_other_alarms_are_not_judged(collect: Collect) -> None:
    """An alarm on other metrics, and a filter on a log group that no trail writes to, are no business of ours."""
    world = a_world()
    region = watched(world)
    region.add_log_group("app", 30)
    region.add_metric_filter("app", "errors", "ERROR", "Errors", "App")
    region.add_alarm("errors", "Errors", "App", enabled=False)
    region.add_alarm("namesake", "Root", "Elsewhere", enabled=False)

    found = judge(collect(world))

    assert {found[TELLS].verdict, found[RINGS].verdict} == {NONE}
    assert only(found[TELLS]).reason.startswith("no alarm watches")


@pytest.mark.parametrize(
    ("alarm", "verdict", "said"),
    [
        pytest.param({"actions": ["alerts"]}, PASS, "", id="a topic"),
        pytest.param({}, FAIL, "no action", id="no action"),
        pytest.param({"actions": ["alerts"], "enabled": False}, FAIL, "switched off", id="off"),
        pytest.param({"actions": ["deleted"]}, FAIL, "is gone", id="a deleted topic"),
        pytest.param({"actions": ["deleted", "alerts"]}, PASS, "", id="one of two is there"),
        pytest.param({"OKActions": ["alerts"]}, FAIL, "no action", id="tells of OK alone"),
    ],
)
def test_who_is_told(collect: Collect, alarm: dict[str, Any], verdict: Verdict, said: str) -> None:
    """Actions for ALARM, switched on, of which one is there."""
    world = a_world()
    region = watched(world)
    arns = {
        key: [region.arn("sns", name) for name in value] if key.lower().endswith("actions") else value
        for key, value in alarm.items()
    }
    region.add_alarm("root", "Root", **arns)

    place = only(judge(collect(world))[TELLS])

    assert place.verdict is verdict and said in place.reason


@pytest.mark.parametrize(("enabled", "verdict"), [(True, PASS), (False, FAIL)])
def test_composite_alarm_tells_for_its_child(collect: Collect, enabled: bool, verdict: Verdict) -> None:
    """A child without actions is usual below a composite alarm that has them."""
    world = a_world()
    region = watched(world)
    region.add_alarm("root", "Root")
    region.add_composite_alarm("any", "ALARM(root)", actions=[topic(region)], enabled=enabled)

    assert judge(collect(world))[TELLS].verdict is verdict


@pytest.mark.parametrize(
    ("alarm", "written", "verdict"),
    [
        pytest.param({}, {}, PASS, id="one"),
        pytest.param({"threshold": 5}, {}, FAIL, id="five"),
        pytest.param({"ComparisonOperator": "GreaterThanThreshold"}, {}, FAIL, id="more than one"),
        pytest.param({"threshold": 5}, {"value": "10"}, PASS, id="the filter writes ten"),
        pytest.param({"Statistic": "Average", "threshold": 1}, {}, PASS, id="average of what is there"),
        pytest.param({"EvaluationPeriods": 3}, {}, FAIL, id="three periods"),
        pytest.param({"EvaluationPeriods": 3, "DatapointsToAlarm": 1}, {}, PASS, id="one of three periods"),
        pytest.param({"ComparisonOperator": "LessThanThreshold"}, {}, FAIL, id="when it is low"),
        pytest.param({"Dimensions": [{"Name": "x", "Value": "y"}]}, {}, FAIL, id="other dimensions"),
        pytest.param({}, {"value": "$.count"}, UNKNOWN, id="a value of the event's"),
    ],
)
def test_what_one_event_rings(
    collect: Collect, alarm: dict[str, Any], written: dict[str, Any], verdict: Verdict
) -> None:
    """One event of the filter has to cross the threshold."""
    world = a_world()
    region = watched(world, **written)
    region.add_alarm("root", "Root", actions=[topic(region)], **alarm)

    assert judge(collect(world))[RINGS].verdict is verdict


def test_rate_of_what_is_no_signal_may_be_a_rate(collect: Collect) -> None:
    """An alarm on throttling may want a hundred: its filter takes nothing that must reach someone."""
    world = a_world()
    region = watched(world, '{ $.errorCode = "ThrottlingException" }')
    region.add_alarm("throttled", "Root", threshold=100, actions=[topic(region)])

    found = judge(collect(world))

    assert (found[RINGS].verdict, found[TELLS].verdict) == (NONE, PASS)


def test_filter_that_is_not_understood(collect: Collect) -> None:
    """What a filter takes is unknown where its pattern is; an alarm that tells nobody is a gap all the same."""
    world = a_world()
    region = watched(world, "{ $.eventName = }")
    region.add_alarm("root", "Root", threshold=5)

    found = judge(collect(world))

    assert (found[RINGS].verdict, found[TELLS].verdict) == (UNKNOWN, FAIL)


def test_metric_in_an_expression_is_unknown(collect: Collect) -> None:
    """An expression over the metric is not worked out; whether it tells anyone is."""
    world = a_world()
    region = watched(world)
    metric = {"Namespace": "CISBenchmark", "MetricName": "Root"}
    query = {"Id": "m", "MetricStat": {"Metric": metric, "Period": 300, "Stat": "Sum"}, "ReturnData": False}
    region.add_alarm("sum", "", "", Metrics=[query, {"Id": "e", "Expression": "m * 2"}])
    del region.cloudwatch["metric"]["sum"]["MetricName"], region.cloudwatch["metric"]["sum"]["Namespace"]

    found = judge(collect(world))

    assert (found[RINGS].verdict, found[TELLS].verdict) == (UNKNOWN, FAIL)


@pytest.mark.parametrize(
    "call", ["cloudtrail:DescribeTrails", "logs:DescribeMetricFilters", "cloudwatch:DescribeAlarms"]
)
def test_refused_list_may_hide_alarms(collect: Collect, call: str) -> None:
    """Where a trail, a filter or an alarm may be hidden, a place "*" is unknown; nothing passes by it."""
    world = a_world()
    region = watched(world)
    region.add_alarm("root", "Root", threshold=5)

    found = judge(replay(collect(world), denied={call}))

    for name in (TELLS, RINGS):
        assert {place.resource for place in found[name].places} == {"*"}
        assert found[name].verdict is UNKNOWN


def test_refused_topic_is_unknown(collect: Collect) -> None:
    """An action that may not be looked at is no proof that somebody is told."""
    world = a_world(faults=[Fault(service="sns", operation="GetTopicAttributes")])
    region = watched(world)
    region.add_alarm("root", "Root", actions=[topic(region)])

    assert judge(collect(world))[TELLS].verdict is UNKNOWN


# ---------------------------------------------------------------- printed fixes

HOSTILE = ["--debug", "file:///etc/passwd", "x,roleARN=arn:aws:iam::666666666666:role/evil", "[/]", "a'b$(x)"]


@pytest.mark.parametrize("name", ["root", *HOSTILE])
def test_printed_fixes_close_the_gaps(mend: Mend, collect: Collect, name: str) -> None:
    """Actions on, an action given, a threshold of one, whatever the alarm is called; what it had stays."""
    world = a_world()
    region = watched(world)
    alerts = topic(region)
    region.add_alarm(name, "Root", threshold=5, actions=[alerts], enabled=False, AlarmDescription="Root")
    region.add_alarm("mute", "Root", actions=[region.arn("sns", "deleted")])
    region.add_alarm("child", "Root")
    region.add_composite_alarm("any", "ALARM(child)", actions=[alerts], enabled=False)

    found = mend(world, TELLS, RINGS, needs={"ALERT_TOPIC_ARN": alerts})

    assert {found[check].verdict for check in (TELLS, RINGS)} == {PASS}
    alarms = region.cloudwatch["metric"]
    assert alarms[name]["AlarmDescription"] == "Root" and alarms[name]["Threshold"] == 1
    assert alarms["mute"]["AlarmActions"] == [alerts]
    assert not alarms["child"]["AlarmActions"] and region.cloudwatch["composite"]["any"]["ActionsEnabled"]


def test_filter_that_writes_nothing_gets_steps(collect: Collect) -> None:
    """No threshold helps where the filter writes 0."""
    world = a_world()
    region = watched(world, value="0")
    region.add_alarm("root", "Root", actions=[topic(region)])

    fix = only(judge(collect(world))[RINGS]).fix

    assert fix and not fix.argv and "write 1" in fix.steps[0]


def test_log_group_of_another_account_is_not_asked(collect: Collect) -> None:
    """An organization's central log group is read by its owner."""
    world = a_world()
    region = at(world)
    region.add_trail(CloudWatchLogsLogGroupArn=f"arn:aws:logs:{HERE}:999988887777:log-group:trail:*")

    found = judge(collect(world))

    assert found[TELLS].verdict is NONE
    assert ACCOUNT not in only(found[TELLS]).reason
