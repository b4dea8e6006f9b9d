"""Routes judged by what becomes of the signal: each single fault breaks the road at its hop and says why."""
# ruff: noqa: E501 - one case, one line

from __future__ import annotations

from typing import Any

import pytest

from postureaudit.evidence import Evidence
from postureaudit.resources import View
from postureaudit.signals import routes
from postureaudit.signals.events import signal, signals
from postureaudit.signals.model import Outcome, Route, State, stopping
from tests.conftest import Collect, walk_world
from tests.fakeaws.pipeline import ENABLED_FOR_READS
from tests.fakeaws.policies import allow_service, policy, topic_policy
from tests.fakeaws.world import ACCOUNT, ARCHIVE, Region
from tests.parts import part
from tests.replay import replay
from tests.signals.worlds import (
    ALARM_CASES,
    CRITICAL,
    FINDINGS,
    GROUPS,
    HERE,
    HIGH,
    HUB_CASES,
    HUB_FINDINGS,
    PEOPLE,
    RULE_CASES,
    STOP,
    THERE,
    WANTED,
    a_topic,
    a_world,
    again,
    aim,
    alarm,
    at,
    by_alarm,
    by_bus,
    by_hub,
    by_rule,
    pattern,
    rule,
    topic,
    traced,
    walked,
    with_key,
)


@pytest.fixture
def collect(monkeypatch: pytest.MonkeyPatch) -> Collect:
    """Walk with the calls of routes only."""
    return lambda world, **options: walk_world(monkeypatch, world, **{"wanted": WANTED, **options})


def broken(route: Route, kind: str, words: str) -> None:
    hop = stopping(route.hops)
    assert (route.outcome, hop and hop.kind) == (Outcome.BROKEN, kind), route
    assert hop and words in hop.reason and words in route.reason, hop


@pytest.mark.parametrize("name", part(RULE_CASES, of=3))
def test_single_fault_breaks_the_road_of_a_rule(name: str) -> None:
    """Each fault alone breaks the road, at its hop, with its reason."""
    change, kind, words = RULE_CASES[name]
    world = by_rule()
    change(at(world))

    broken(traced(world), kind, words)


@pytest.mark.parametrize("name", part(ALARM_CASES, of=3))
def test_single_fault_breaks_the_road_of_an_alarm(name: str) -> None:
    """Each fault alone breaks the road, at its hop, with its reason."""
    change, kind, words = ALARM_CASES[name]
    world = by_alarm()
    change(at(world))

    broken(traced(world, STOP), kind, words)


@pytest.mark.parametrize("name", part(HUB_CASES, of=3))
def test_single_fault_breaks_the_road_through_the_hub(name: str) -> None:
    """Each fault alone breaks the road, at its hop, with its reason."""
    change, kind, words = HUB_CASES[name]
    world = by_hub()
    change(at(world))

    broken(traced(world), kind, words)


# ---------------------------------------------------------------- what reaches


def test_base_worlds_reach() -> None:
    """Without a fault every road reaches, and names each station."""
    rule, alarm, hub, bus = (
        traced(by_rule()),
        traced(by_alarm(), STOP),
        traced(by_hub()),
        traced(by_bus(), region=THERE),
    )

    assert {route.outcome for route in (rule, alarm, hub, bus)} == {Outcome.REACHES}
    kinds = [[hop.kind for hop in route.hops] for route in (rule, alarm, hub, bus)]
    assert kinds == [
        ["source", "rule", "topic", "subscription"],
        ["trail", "metric filter", "alarm", "topic", "subscription"],
        ["source", "hub", "integration", "rule", "topic", "subscription"],
        ["source", "rule", "role", "bus", "rule", "topic", "subscription"],
    ]


def test_pattern_that_stops_at_8_9() -> None:
    """A pattern of severities up to 8.9 misses the critical findings, which GuardDuty gives 9.0 and more."""
    world = by_rule()
    pattern(severity=[7, 7.0, 8, 8.0, 8.9, {"numeric": [">=", 7, "<=", 8.9]}])(at(world))
    evidence = walked(world)

    assert traced(evidence).outcome is Outcome.REACHES
    broken(traced(evidence, CRITICAL), "rule", "detail.severity is 9.5, the pattern wants")


KMS_OK = {"alarm": "cloudwatch.amazonaws.com", "rule": "events.amazonaws.com"}


def test_key_that_admits_the_publisher() -> None:
    """A topic under a key of one's own reaches where the key's policy lets the publisher use it."""
    ruled, alarmed = by_rule(), by_alarm()
    with_key(at(ruled), KMS_OK["rule"])
    with_key(at(alarmed), KMS_OK["alarm"])

    assert (traced(ruled).outcome, traced(alarmed, STOP).outcome) == (Outcome.REACHES, Outcome.REACHES)


@pytest.mark.parametrize(
    "alarm_rule", ["ALARM(stops)", 'ALARM("stops") OR ALARM(other)', "(ALARM('stops')) OR (ALARM(x))"]
)
def test_composite_alarm_that_rings_with_its_child(alarm_rule: str) -> None:
    """The child is silent, its parent's parent tells: an OR of alarms rings with each of them."""
    world = by_alarm()
    here = at(world)
    alarm(here).update(AlarmActions=[])
    here.add_composite_alarm("middle", alarm_rule)
    here.add_composite_alarm("top", "ALARM(middle)", actions=[here.arn("sns", "alerts")])

    assert traced(world, STOP).outcome is Outcome.REACHES


@pytest.mark.parametrize(
    "alarm_rule",
    ["ALARM(stops) AND ALARM(x)", "NOT ALARM(stops)", "OK(stops)", "AT_LEAST(2, ALARM, (stops, x, y))"],
)
def test_composite_alarm_that_needs_more_is_unknown(alarm_rule: str) -> None:
    """Whether it rings depends on more than this alarm: never a pass, never a failure."""
    world = by_alarm()
    alarm(at(world)).update(AlarmActions=[])
    at(world).add_composite_alarm("any", alarm_rule, actions=[at(world).arn("sns", "alerts")])

    assert traced(world, STOP).outcome is Outcome.UNKNOWN


def test_one_good_road_suffices() -> None:
    """A broken rule beside a good one harms nothing; two good subscriptions have no weakest link."""
    world = by_rule()
    at(world).add_event_rule("old", pattern=FINDINGS, targets=[at(world).arn("sns", "gone")])

    assert traced(world).outcome is Outcome.REACHES


def test_weakest_link_is_named() -> None:
    """One e-mail address and no dead-letter queue: it reaches, and says how thin that is."""
    world = by_rule()
    again(at(world), subscriptions=PEOPLE[:1])

    assert traced(world).weakest == "no dead-letter queue; one e-mail address only"


def test_read_only_state_of_a_rule_takes_writes_too() -> None:
    """The third state of a rule is as good as the first."""
    world = by_rule()
    rule(at(world))["rule"]["State"] = ENABLED_FOR_READS

    assert traced(world).outcome is Outcome.REACHES


def test_linked_region_gets_the_finding() -> None:
    """A finding of a linked region is announced in the aggregation region, under that region's name."""
    world = a_world(HERE, THERE)
    here, there = at(world), at(world, THERE)
    there.add_detector()
    there.add_hub(products=("guardduty",))
    here.add_hub()
    here.securityhub["aggregator"] = None
    link(here, "ALL_REGIONS")
    wanted = {**HUB_FINDINGS, "region": [HERE], "detail": {"findings": {"Region": [THERE]}}}
    here.add_event_rule("hub", pattern=wanted, targets=[a_topic(here)])

    route = traced(world, region=THERE)

    assert route.outcome is Outcome.REACHES, route
    assert "aggregation" in [hop.kind for hop in route.hops]


def link(region: Region, mode: str) -> None:
    arn = region.arn("securityhub", "finding-aggregator/1")
    found = {"FindingAggregatorArn": arn, "FindingAggregationRegion": region.name, "RegionLinkingMode": mode}
    region.securityhub["aggregator"] = found


# ---------------------------------------------------------------- buses, roles and other accounts


def test_role_that_may_not_send_breaks_the_hop() -> None:
    """A role without events:PutEvents on the bus sends nothing."""
    broken(
        traced(by_bus(actions="events:PutRule"), region=THERE),
        "role",
        "the role may not call events:PutEvents",
    )


def test_bus_policy_that_denies_breaks_the_hop() -> None:
    """An explicit deny on the bus wins over the role."""
    deny = {"Effect": "Deny", "Principal": "*", "Action": "events:PutEvents", "Resource": "*"}

    broken(traced(by_bus(policy=policy(deny)), region=THERE), "bus", "denies")


def test_bus_in_another_region_needs_a_role() -> None:
    """Without a role nothing goes to another region."""
    world = by_bus()
    for item in rule(at(world, THERE), "forward")["targets"].values():
        item.pop("RoleArn")

    broken(traced(world, region=THERE), "bus", "no role is named that may send to it")


def test_role_does_not_get_past_a_deny_of_the_topic() -> None:
    """A target with a role is admitted by the role, unless the topic's policy denies it."""
    world = by_rule()
    here = at(world)
    arn = here.arn("sns", "alerts")
    allow = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sns:Publish", "Resource": arn}],
    }
    role = world.account().add_role("Publish", "events.amazonaws.com", {"p": allow})
    topic(here)["Attributes"]["Policy"] = topic_policy(arn)
    aim(here, {"Id": "1", "Arn": arn, "RoleArn": role})
    assert traced(world).outcome is Outcome.REACHES

    deny = {"Effect": "Deny", "Principal": {"AWS": role}, "Action": "sns:Publish", "Resource": arn}
    topic(here)["Attributes"]["Policy"] = topic_policy(arn, deny)

    broken(traced(world), "role", "denies")


@pytest.mark.parametrize("service", ["sns", "lambda", "sqs", "events"])
def test_target_in_another_account_leaves(service: str) -> None:
    """What another account does with it is not seen: never a pass."""
    world = by_rule()
    rest = {"lambda": "function:f", "events": "event-bus/default"}.get(service, "x")
    aim(at(world), f"arn:aws:{service}:us-east-1:{ARCHIVE}:{rest}")

    route = traced(world)

    assert (route.outcome, route.hops[-1].state) == (Outcome.LEAVES, State.LEAVES)
    assert f"it belongs to account {ARCHIVE}, which is not read here" in route.reason


@pytest.mark.parametrize("protocol", ["sqs", "lambda"])
def test_subscriber_of_another_account_leaves(protocol: str) -> None:
    """A subscription of somebody else's queue or function is not a human who hears."""
    world = by_rule()
    rest = "function:f" if protocol == "lambda" else "q"
    endpoint = f"arn:aws:{protocol}:us-east-1:{ARCHIVE}:{rest}"
    again(at(world), subscriptions=[{"Protocol": protocol, "Endpoint": endpoint}])

    assert traced(world).outcome is Outcome.LEAVES


def test_subscribed_encrypted_queue_needs_the_key() -> None:
    """A topic cannot send to a queue whose key does not let SNS use it."""
    world = by_rule()
    here = at(world)
    allow = allow_service("sns.amazonaws.com", "sqs:SendMessage", here.arn("sqs", "q"))
    queue = here.add_queue("q", policy=policy(allow), kms=here.add_key())
    again(here, subscriptions=[{"Protocol": "sqs", "Endpoint": queue}])

    broken(traced(world), "key", "its policy refuses")


@pytest.mark.parametrize(
    "rewrite", [{"Input": '{"source": "x"}'}, {"InputTransformer": {"InputTemplate": "x"}}]
)
def test_filter_on_the_body_of_a_rewritten_event_is_unknown(rewrite: dict[str, Any]) -> None:
    """What a target makes of the event is not kept, so the filter cannot be judged by the event."""
    world = by_rule()
    here = at(world)
    again(
        here,
        subscriptions=[{**PEOPLE[0], "filter_policy": {"source": ["aws.guardduty"]}, "scope": "MessageBody"}],
    )
    assert traced(world).outcome is Outcome.REACHES

    aim(here, {"Id": "alerts", "Arn": here.arn("sns", "alerts"), **rewrite})

    assert traced(world).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("state", "outcome", "words"),
    [("ACTIVE", Outcome.REACHES, ""), ("INACTIVE", Outcome.BROKEN, "its connection is not authorized")],
)
def test_api_destination_reaches_while_it_is_active(state: str, outcome: Outcome, words: str) -> None:
    """EventBridge makes a destination inactive when its connection is no longer authorized."""
    world = by_rule()
    here = at(world)
    allow = policy({"Effect": "Allow", "Action": "events:InvokeApiDestination", "Resource": "*"})
    role = world.account().add_role("Page", "events.amazonaws.com", {"p": allow})
    arn = here.add_api_destination("page", state=state)
    aim(here, {"Id": "page", "Arn": here.arn("events", "api-destination/page/0"), "RoleArn": role})
    assert "the API destination does not exist" in traced(world).reason

    aim(here, {"Id": "page", "Arn": arn, "RoleArn": role})

    route = traced(world)
    assert route.outcome is outcome and words in route.reason


def test_log_group_that_no_trail_writes_to_breaks_the_road() -> None:
    """Filter and alarm stand, and the trail delivers to another group, or to none, since."""
    for moved in (False, True):
        world = by_alarm()
        here = at(world)
        trail = here.cloudtrail["trails"]["main"]["Trail"]
        if moved:
            here.add_log_group("other", 400)
            trail["CloudWatchLogsLogGroupArn"] = here.arn("logs", "log-group:other:*")
        else:
            del trail["CloudWatchLogsLogGroupArn"], trail["CloudWatchLogsRoleArn"]

        broken(traced(world, STOP), "log group", "no trail writes to the log group")
        assert traced(world, GROUPS).outcome is Outcome.NO_ROUTE


def test_stream_is_nobody_that_is_seen() -> None:
    """Who reads a stream is not seen, whether a rule or a topic fills it."""
    ruled, subscribed = by_rule(), by_rule()
    aim(at(ruled), at(ruled).add_delivery_stream("s"))
    again(
        at(subscribed),
        subscriptions=[{"Protocol": "firehose", "Endpoint": at(subscribed).add_delivery_stream("s")}],
    )

    assert {traced(ruled).outcome, traced(subscribed).outcome} == {Outcome.LEAVES}


# ---------------------------------------------------------------- no road, and no knowledge


def test_rule_in_another_region_is_no_road() -> None:
    """A finding exists in its own region only."""
    world = by_rule(HERE, THERE)
    at(world, THERE).add_detector()
    evidence = walked(world)

    assert traced(evidence).outcome is Outcome.REACHES
    route = traced(evidence, region=THERE)
    assert (route.outcome, route.reason) == (Outcome.NO_ROUTE, "no rule and no alarm takes it")


def test_filter_on_a_group_that_no_trail_writes_to() -> None:
    """A metric filter sees nothing where no trail writes."""
    world = by_alarm()
    at(world).logs["metric_filters"][0]["logGroupName"] = "other"
    at(world).add_log_group("other")

    assert traced(world, STOP).outcome is not Outcome.REACHES


def test_pattern_that_we_cannot_read_is_unknown() -> None:
    """EventBridge took it, so it may match."""
    world = by_rule()
    rule(at(world))["rule"]["EventPattern"] = '{"source": [{"some-new-operator": 1}]}'

    route = traced(world)

    assert route.outcome is Outcome.UNKNOWN
    assert "its pattern is not understood" in route.reason


def test_alarm_on_a_query_is_unknown() -> None:
    """What a query of the log group finds is not worked out."""
    world = by_alarm()
    here = at(world)
    here.logs["metric_filters"].clear()
    here.add_log_alarm("query", 'filter eventName = "StopLogging"', actions=[here.arn("sns", "alerts")])

    evidence = walked(world)

    assert traced(evidence, STOP).outcome is Outcome.UNKNOWN
    assert traced(evidence, "tamper-delete-alarms").outcome is Outcome.NO_ROUTE


def test_missing_member_of_a_family_is_named() -> None:
    """CIS lists the calls; the one that came later is left out, and named."""
    world = by_alarm()
    names = [item.name for item in signal(GROUPS).members if item.name != "ModifySecurityGroupRules"]
    at(world).logs["metric_filters"][0]["filterPattern"] = (
        "{ " + " || ".join(f"($.eventName = {name})" for name in names) + " }"
    )

    route = traced(world, GROUPS)

    assert (route.outcome, route.missing) == (Outcome.BROKEN, ("ModifySecurityGroupRules",))
    assert route.reason == "6 of 7 get through; not ModifySecurityGroupRules. no rule and no alarm takes it"


def test_global_call_needs_a_trail_of_global_services() -> None:
    """A trail without global services records no call of IAM, and EventBridge gets none."""
    world = a_world()
    here = at(world)
    here.add_trail(IncludeGlobalServiceEvents=False)
    here.add_event_rule(
        "root", pattern={"detail": {"userIdentity": {"type": ["Root"]}}}, targets=[a_topic(here)]
    )

    assert traced(world, "root-api-call").missing == ("CreateAccessKey",)


# ---------------------------------------------------------------- refused calls

ROADS = {"rule": (by_rule, HIGH, HERE), "alarm": (by_alarm, STOP, HERE), "hub": (by_hub, HIGH, HERE), "bus": (by_bus, HIGH, THERE)}  # fmt: skip
NEEDED = {
    "rule": ("guardduty:ListDetectors", "guardduty:GetDetector", "guardduty:ListFilters", "events:ListRules", "events:ListTargetsByRule", "sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic", "sns:GetSubscriptionAttributes"),
    "alarm": ("cloudtrail:DescribeTrails", "cloudtrail:GetTrailStatus", "cloudtrail:GetEventSelectors", "logs:DescribeMetricFilters", "cloudwatch:DescribeAlarms", "cloudwatch:ListAlarmMuteRules", "sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic", "sns:GetSubscriptionAttributes"),
    "hub": ("securityhub:DescribeHub", "securityhub:ListEnabledProductsForImport", "securityhub:ListAutomationRules", "events:ListRules"),
    "bus": ("iam:GetRole", "iam:ListRolePolicies", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "events:ListEventBuses", "events:ListRules", "events:ListTargetsByRule"),
}  # fmt: skip


@pytest.fixture(scope="module")
def recorded() -> dict[str, Evidence]:
    return {name: walked(make()) for name, (make, _, _) in ROADS.items()}


@pytest.mark.parametrize(("road", "call"), [(road, call) for road, calls in NEEDED.items() for call in calls])
def test_refused_call_on_the_way_is_unknown(recorded: dict[str, Evidence], road: str, call: str) -> None:
    """Whatever call is refused, the signal is unknown and the call is named: never a pass."""
    _, name, region = ROADS[road]

    route = traced(replay(recorded[road], denied={call}), name, region)

    assert route.outcome is Outcome.UNKNOWN
    assert route.refusal and route.refusal.call == call and call in route.reason


@pytest.mark.parametrize("road", ROADS)
def test_no_refused_call_makes_a_signal_reach(recorded: dict[str, Evidence], road: str) -> None:
    """Of all calls that were made, refusing one never turns a signal that does not reach into one that does."""
    evidence = recorded[road]
    reached = {item.id for item in signals() if _outcome(evidence, item.id) is Outcome.REACHES}

    for call in sorted({record.call for record in evidence}):
        denied = replay(evidence, denied={call})
        assert {item.id for item in signals() if _outcome(denied, item.id) is Outcome.REACHES} <= reached, (
            call
        )


def _outcome(evidence: Evidence, name: str) -> Outcome | None:
    route = routes.trace(View(evidence, ACCOUNT), signal(name), HERE)
    return route.outcome if route else None
