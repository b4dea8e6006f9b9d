"""Small worlds in which a signal reaches, and single faults that break its road at a hop, for a reason."""
# ruff: noqa: E501 - one case, one line

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from postureaudit import catalog, services
from postureaudit.evidence import Evidence
from postureaudit.resources import View
from postureaudit.signals import routes
from postureaudit.signals.events import signal
from postureaudit.signals.model import Route
from tests.conftest import walk_world
from tests.fakeaws import World
from tests.fakeaws.policies import allow_service, policy, topic_policy
from tests.fakeaws.world import ACCOUNT, ALL_MANAGEMENT, Region

HERE, THERE = "us-east-1", "eu-west-1"
HIGH, CRITICAL, STOP, GROUPS = (
    "guardduty-high",
    "guardduty-critical",
    "tamper-stop-logging",
    "security-group-change",
)
FINDINGS = {"source": ["aws.guardduty"], "detail": {"severity": [{"numeric": [">=", 4]}]}}
HUB_FINDINGS = {"source": ["aws.securityhub"], "detail-type": ["Security Hub Findings - Imported"]}
PEOPLE = (
    {"Protocol": "email", "Endpoint": "soc@example.com"},
    {"Protocol": "https", "Endpoint": "https://soc.example.com"},
)
WANTED = catalog.calls(catalog.builtin(), [f"signal.{HIGH}"], services.types())
KEY_USE = ["kms:GenerateDataKey*", "kms:Decrypt"]
Change = Callable[[Region], Any]


# ---------------------------------------------------------------- worlds


def a_world(*regions: str, **fields: Any) -> World:
    world = World(**fields)
    world.account(regions=regions or (HERE,))
    return world


def at(world: World, name: str = HERE) -> Region:
    return world.account().region(name)


def a_topic(region: Region, name: str = "alerts", **fields: Any) -> str:
    """A topic that rules may publish to and people hear."""
    arn = region.arn("sns", name)
    rules = allow_service(
        "events.amazonaws.com", "sns:Publish", arn, source_arn=region.arn("events", "rule/*")
    )
    return region.add_topic(name, **{"policy": topic_policy(arn, rules), "subscriptions": PEOPLE, **fields})


def by_rule(*regions: str, **fields: Any) -> World:
    """GuardDuty, a rule that takes its findings, and the topic: the signal reaches."""
    world = a_world(*regions, **fields)
    here = at(world)
    here.add_detector()
    here.add_event_rule("findings", pattern=FINDINGS, targets=[a_topic(here)])
    return world


def by_alarm(*regions: str, **fields: Any) -> World:
    """A trail, its log group, a metric filter, an alarm and the topic: the signal reaches."""
    world = a_world(*regions, **fields)
    here = at(world)
    a_trail(here)
    here.add_metric_filter("trail", "stops", "{ $.eventName = StopLogging }", "Stops")
    here.add_alarm("stops", "Stops", actions=[a_topic(here)])
    return world


def a_trail(region: Region, **fields: Any) -> None:
    region.add_log_group("trail")
    group = region.arn("logs", "log-group:trail:*")
    region.add_trail(
        CloudWatchLogsLogGroupArn=group,
        CloudWatchLogsRoleArn="arn:aws:iam::1:role/x",
        selectors=ALL_MANAGEMENT,
        **fields,
    )


def by_hub(*regions: str) -> World:
    """GuardDuty, Security Hub that takes its findings, a rule on the hub's findings, and the topic."""
    world = a_world(*regions)
    here = at(world)
    here.add_detector()
    here.add_hub(products=("guardduty",))
    here.add_event_rule("hub", pattern=HUB_FINDINGS, targets=[a_topic(here)])
    return world


def by_bus(policy: Any = None, actions: str = "events:PutEvents") -> World:
    """A rule in one region forwards to the bus of another, with a role, and a rule there tells the topic."""
    world = a_world(HERE, THERE)
    here, there = at(world), at(world, THERE)
    there.add_detector()
    bus = here.arn("events", "event-bus/default")
    if policy:
        here.add_bus("default", policy=policy)
    allow = {"Effect": "Allow", "Action": actions, "Resource": bus}
    role = world.account().add_role(
        "Forward", "events.amazonaws.com", {"put": {"Version": "2012-10-17", "Statement": [allow]}}
    )
    there.add_event_rule("forward", pattern=FINDINGS, targets=[{"Id": "1", "Arn": bus, "RoleArn": role}])
    here.add_event_rule("findings", pattern=FINDINGS, targets=[a_topic(here)])
    return world


def walked(world: World) -> Evidence:
    with pytest.MonkeyPatch.context() as patch:
        return walk_world(patch, world, wanted=WANTED)


def traced(found: World | Evidence, name: str = HIGH, region: str = HERE) -> Route:
    evidence = walked(found) if isinstance(found, World) else found
    route = routes.trace(View(evidence, ACCOUNT), signal(name), region)
    assert route is not None
    return route


# ---------------------------------------------------------------- what single faults do


def rule(region: Region, name: str = "findings") -> Any:
    return region.events["buses"]["default"]["rules"][name]


def aim(region: Region, *targets: Any) -> None:
    """Point the rule at other targets."""
    listed = [
        {"Id": f"t{number}", "Arn": item} if isinstance(item, str) else item
        for number, item in enumerate(targets)
    ]
    rule(region)["targets"] = {item["Id"]: item for item in listed}


def topic(region: Region) -> Any:
    return region.sns["topics"][region.arn("sns", "alerts")]


def again(region: Region, **fields: Any) -> None:
    """The topic, made otherwise."""
    region.sns["topics"].clear()
    a_topic(region, **fields)


def alarm(region: Region) -> Any:
    return region.cloudwatch["metric"]["stops"]


def stopped(region: Region) -> None:
    region.cloudtrail["trails"]["main"]["Status"]["IsLogging"] = False


def reads_only(region: Region) -> None:
    region.cloudtrail["trails"]["main"]["EventSelectors"] = [
        {**ALL_MANAGEMENT[0], "ReadWriteType": "ReadOnly"}
    ]


def admits(region: Region, source: str) -> str:
    arn = region.arn("sns", "alerts")
    return topic_policy(arn, allow_service("events.amazonaws.com", "sns:Publish", arn, source_arn=source))


def with_key(region: Region, *services: str, **fields: Any) -> None:
    root = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    statements = [allow_service(name, KEY_USE, "*") for name in services]
    again(region, kms=region.add_key(policy=policy(root, *statements), **fields))


def pattern(**detail: Any) -> Change:
    def change(region: Region) -> None:
        rule(region)["rule"]["EventPattern"] = json.dumps({"source": ["aws.guardduty"], "detail": detail})

    return change


def pending(region: Region) -> None:
    again(region, subscriptions=[{**item, "confirmed": False} for item in PEOPLE])


def only_filtered(scope: str, **wanted: Any) -> Change:
    return lambda region: again(
        region, subscriptions=[{**PEOPLE[0], "filter_policy": wanted, "scope": scope}]
    )


def to_queue(region: Region) -> None:
    region.add_queue("q")
    aim(region, region.arn("sqs", "q"))


def to_function(**fields: Any) -> Change:
    def change(region: Region) -> None:
        allow = ("events.amazonaws.com", region.arn("events", "rule/*"))
        aim(region, region.add_function("f", **{"allow": allow, **fields}))

    return change


def to_own_bus(region: Region) -> None:
    """A bus whose only rule sends the event back."""
    bus = region.add_bus("loop", policy=policy(allow_bus(region, "loop")))
    region.add_bus("default", policy=policy(allow_bus(region, "default")))
    aim(region, bus)
    region.add_event_rule(
        "back", pattern=FINDINGS, bus="loop", targets=[region.arn("events", "event-bus/default")]
    )


def allow_bus(region: Region, name: str) -> dict[str, Any]:
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    arn = region.arn("events", f"event-bus/{name}")
    return {"Effect": "Allow", "Principal": root, "Action": "events:PutEvents", "Resource": arn}


def third_bus(region: Region) -> None:
    for name, after in (("one", region.arn("events", "event-bus/two")), ("two", region.arn("sns", "alerts"))):
        bus = region.add_bus(name, policy=policy(allow_bus(region, name)))
        region.add_event_rule(name, pattern=FINDINGS, bus=name, targets=[after])
        if name == "one":
            aim(region, bus)


RULE_CASES: dict[str, tuple[Change, str, str]] = {
    "rule disabled": (lambda r: rule(r)["rule"].update(State="DISABLED"), "rule", "the rule is disabled"),
    "pattern without this severity": (pattern(severity=[{"numeric": [">=", 4, "<", 8]}]), "rule", "detail.severity is 8, the pattern wants numeric >= 4 and < 8"),
    "no target": (aim, "rule", "the rule has no target"),
    "topic deleted": (lambda r: r.sns["topics"].clear(), "topic", "the topic does not exist"),
    "function deleted": (lambda r: aim(r, r.arn("lambda", "function:gone")), "function", "the function does not exist"),
    "queue deleted": (lambda r: aim(r, r.arn("sqs", "gone")), "queue", "the queue does not exist"),
    "state machine deleted": (lambda r: aim(r, r.arn("states", "stateMachine:gone")), "state machine", "the state machine does not exist"),
    "topic policy without events": (lambda r: topic(r)["Attributes"].update(Policy=topic_policy(r.arn("sns", "alerts"))), "topic", "its policy refuses: statement '__default_statement_ID'"),
    "topic policy for another rule": (lambda r: topic(r)["Attributes"].update(Policy=admits(r, r.arn("events", "rule/other"))), "topic", "aws:SourceArn"),
    "topic policy denies": (lambda r: topic(r)["Attributes"].update(Policy=policy(allow_service("events.amazonaws.com", "sns:Publish", "*"), {"Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": "*"})), "topic", "its policy refuses: statement 2 denies events.amazonaws.com"),
    "alias/aws/sns": (lambda r: (r.add_managed_key("sns"), again(r, kms="alias/aws/sns")), "key", "alias/aws/sns is AWS's own key"),
    "key policy without events": (lambda r: with_key(r, "cloudwatch.amazonaws.com"), "key", "its policy refuses: "),
    "key disabled": (lambda r: with_key(r, "events.amazonaws.com", KeyState="Disabled"), "key", "the key's state is Disabled"),
    "key pending deletion": (lambda r: with_key(r, "events.amazonaws.com", KeyState="PendingDeletion"), "key", "the key's state is PendingDeletion"),
    "no subscription": (lambda r: again(r, subscriptions=[]), "subscription", "nobody hears the topic: it has no subscription"),
    "only pending subscriptions": (pending, "subscription", "nobody hears the topic: 2 subscriptions pending, none confirmed"),
    "filter on attributes": (only_filtered("MessageAttributes", severity=["HIGH"]), "subscription", "its filter policy drops the message by its attributes, of which there are none"),
    "filter on body": (only_filtered("MessageBody", source=["aws.config"]), "subscription", "by its body: source is \"aws.guardduty\""),
    "detector suspended": (lambda r: r.guardduty["detector"].update(Status="DISABLED"), "source", "the GuardDuty detector is suspended"),
    "no detector": (lambda r: r.guardduty.update(detector=None), "source", "GuardDuty has no detector here"),
    "archive filter": (lambda r: r.add_filter("noise", {"severity": {"Gte": 4}}), "suppression", "the filter 'noise' archives the finding"),
    "function without permission": (to_function(allow=None), "function", "its policy refuses: no statement lets events.amazonaws.com"),
    "function for another rule": (to_function(allow=("events.amazonaws.com", "arn:aws:events:us-east-1:111122223333:rule/x")), "function", "aws:SourceArn"),
    "function with concurrency 0": (to_function(concurrency=0), "function", "its reserved concurrency is 0"),
    "function failed": (to_function(state="Failed"), "function", "the function's state is Failed"),
    "queue without policy": (to_queue, "queue", "its policy refuses: no statement lets events.amazonaws.com"),
    "topic in another region": (lambda r: aim(r, f"arn:aws:sns:eu-west-1:{ACCOUNT}:alerts"), "target", "EventBridge reaches from us-east-1 into another region by way of an event bus only"),
    "log group": (lambda r: aim(r, r.arn("logs", "log-group:/aws/events/x")), "log group", "a log group tells nobody"),
    "bus in a loop": (to_own_bus, "bus", "the event comes round to a bus where it was before"),
    "third bus": (third_bus, "bus", "EventBridge does not route an event that came from another bus to a third one"),
    "bus deleted": (lambda r: aim(r, r.arn("events", "event-bus/gone")), "bus", "the bus does not exist"),
    "bus without a rule": (lambda r: (r.add_bus("b", policy=policy(allow_bus(r, "b"))), aim(r, r.arn("events", "event-bus/b"))), "bus", "no rule on this bus takes the event"),
}  # fmt: skip

ALARM_CASES: dict[str, tuple[Change, str, str]] = {
    "actions off": (lambda r: alarm(r).update(ActionsEnabled=False), "alarm", "its actions are switched off"),
    "no action": (lambda r: alarm(r).update(AlarmActions=[]), "alarm", "it has no action for ALARM"),
    "threshold out of reach": (lambda r: alarm(r).update(Threshold=5.0), "alarm", "one event makes 1, the alarm wants >= 5"),
    "greater than one": (lambda r: alarm(r).update(ComparisonOperator="GreaterThanThreshold"), "alarm", "one event makes 1, the alarm wants > 1"),
    "three periods": (lambda r: alarm(r).update(EvaluationPeriods=3), "alarm", "it wants 3 periods over the threshold"),
    "rings when low": (lambda r: alarm(r).update(ComparisonOperator="LessThanThreshold"), "alarm", "it rings when the metric is low"),
    "other unit": (lambda r: alarm(r).update(Unit="Percent"), "alarm", "it watches values in Percent, the filter writes them in no unit"),
    "other namespace": (lambda r: alarm(r).update(Namespace="Other"), "alarm", "it watches Stops in Other, the filter writes it in CISBenchmark"),
    "no alarm": (lambda r: r.cloudwatch["metric"].clear(), "alarm", "no alarm watches the metric"),
    "other dimensions": (lambda r: alarm(r).update(Dimensions=[{"Name": "A", "Value": "b"}]), "alarm", "it watches the metric with other dimensions"),
    "muted": (lambda r: r.add_mute_rule("night", ["stops"]), "mute", "the mute rule 'night' silences the alarm now"),
    "acts on machines": (lambda r: alarm(r).update(AlarmActions=["arn:aws:automate:us-east-1:ec2:stop"]), "action", "it acts on machines and tells nobody"),
    "topic deleted": (lambda r: r.sns["topics"].clear(), "topic", "the topic does not exist"),
    "trail stopped": (stopped, "source", "no logging trail records the events of cloudtrail.amazonaws.com here"),
    "trail stopped beside another": (lambda r: (stopped(r), r.add_trail("other")), "trail", "the trail is stopped"),
    "trail leaves writes out": (reads_only, "source", "no logging trail records the events of cloudtrail.amazonaws.com here"),
    "trail leaves writes out beside another": (lambda r: (reads_only(r), r.add_trail("other")), "trail", "the trail does not record the events of cloudtrail.amazonaws.com here"),
    "trail cannot deliver": (lambda r: r.cloudtrail["trails"]["main"]["Status"].update(LatestCloudWatchLogsDeliveryError="AccessDenied"), "trail", "it cannot deliver to its log group: AccessDenied"),
    "log group deleted": (lambda r: r.logs["groups"].clear(), "log group", "the trail's log group does not exist"),
    "topic admits no alarm": (lambda r: topic(r)["Attributes"].update(Policy=policy(allow_service("events.amazonaws.com", "sns:Publish", r.arn("sns", "alerts")))), "topic", "no statement lets cloudwatch.amazonaws.com"),
    "key policy without alarms": (lambda r: with_key(r, "events.amazonaws.com"), "key", "its policy refuses"),
    "composite silent": (lambda r: (alarm(r).update(AlarmActions=[]), r.add_composite_alarm("any", "ALARM(stops)", actions=[r.arn("sns", "alerts")], enabled=False)), "composite alarm", "its actions are switched off"),
    "composite without action": (lambda r: (alarm(r).update(AlarmActions=[]), r.add_composite_alarm("any", 'ALARM("stops")')), "composite alarm", "it has no action for ALARM"),
    "composite muted": (lambda r: (alarm(r).update(AlarmActions=[]), r.add_composite_alarm("any", "ALARM(stops)", actions=[r.arn("sns", "alerts")]), r.add_mute_rule("night", ["any"])), "mute", "the mute rule 'night' silences the alarm now"),
}  # fmt: skip

HUB_CASES: dict[str, tuple[Change, str, str]] = {
    "hub off": (lambda r: r.securityhub.update(hub=None), "hub", "Security Hub is off here"),
    "integration off": (lambda r: r.securityhub["products"].clear(), "integration", "Security Hub does not accept findings of guardduty here"),
    "automation rule": (lambda r: r.add_automation_rule("quiet", {"ProductName": [{"Value": "GuardDuty", "Comparison": "EQUALS"}]}), "suppression", "the automation rule 'quiet' suppresses the finding before EventBridge sees it"),
    "archive filter": (lambda r: r.add_filter("noise", {"severity": {"Gte": 4}}), "suppression", "archives the finding"),
}  # fmt: skip
