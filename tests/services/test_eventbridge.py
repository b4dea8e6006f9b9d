"""Rules, targets and buses judged whatever the signal: what cannot match, leads nowhere or stands open."""

from __future__ import annotations

import json
from typing import Any

import pytest

from postureaudit.findings import Finding, Place, Verdict
from tests.conftest import Collect, Mend, judge
from tests.fakeaws import Fault
from tests.fakeaws.policies import allow_service, policy, topic_policy
from tests.fakeaws.world import ACCOUNT, Region
from tests.replay import replay
from tests.signals.worlds import HERE, THERE, a_world, at

FINDINGS = {"source": ["aws.guardduty"], "detail-type": ["GuardDuty Finding"]}
MATCH, TARGETS, EXIST, CLOSED = (
    f"eventbridge.{name}" for name in ("rules-match", "rules-have-targets", "targets-exist", "bus-not-public")
)
STRANGER = "777788889999"


def only(finding: Finding) -> Place:
    [place] = finding.places
    return place


def alerts(region: Region) -> str:
    """The topic that alerts people, to which rules may publish."""
    topic = region.arn("sns", "alerts")
    allow = allow_service("events.amazonaws.com", "sns:Publish", topic)
    return region.add_topic(
        "alerts",
        policy=topic_policy(topic, allow),
        subscriptions=[{"Protocol": "email", "Endpoint": "soc@example.com"}],
    )


def failing(found: dict[str, Finding] | Any) -> set[str]:
    return {name for name, item in found.items() if item.verdict in (Verdict.FAIL, Verdict.UNKNOWN)}


# ---------------------------------------------------------------- rules and targets


def test_region_without_rules_has_nothing_to_judge(collect: Collect) -> None:
    """No rule about detection: not applicable, never a pass."""
    world = a_world()
    at(world).add_event_rule("nightly", schedule="rate(1 day)")
    at(world).add_event_rule(
        "state", pattern={"source": ["aws.ec2"], "detail-type": ["EC2 Instance State-change Notification"]}
    )

    found = judge(collect(world))

    assert {found[name].verdict for name in (MATCH, TARGETS, EXIST)} == {Verdict.NOT_APPLICABLE}
    assert found[CLOSED].verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        pytest.param({}, Verdict.FAIL, id="enabled"),
        pytest.param({"state": "DISABLED"}, Verdict.NOT_APPLICABLE, id="disabled"),
        pytest.param(
            {"ManagedBy": "securityhub.amazonaws.com"}, Verdict.NOT_APPLICABLE, id="a service's own"
        ),
    ],
)
def test_rule_that_can_match_nothing(collect: Collect, fields: dict[str, Any], verdict: Verdict) -> None:
    """A severity in quotes is told, of rules that are on and the account's own."""
    world = a_world()
    pattern = {**FINDINGS, "detail": {"severity": ["8"]}}
    at(world).add_event_rule("findings", pattern=pattern, targets=[alerts(at(world))], **fields)

    place = only(judge(collect(world))[MATCH])

    assert place.verdict is verdict
    assert verdict is not Verdict.FAIL or "findings: detail.severity is a number" in place.reason


def test_misspelt_rule_counts_though_no_signal_is_named(collect: Collect) -> None:
    """A rule whose detail-type is misspelt is about detection all the same."""
    world = a_world()
    at(world).add_event_rule("findings", pattern={**FINDINGS, "detail-type": ["GuardDuty Findings"]})

    found = judge(collect(world))

    assert found[MATCH].verdict is Verdict.FAIL
    assert found[TARGETS].verdict is Verdict.NOT_APPLICABLE


def test_pattern_that_is_not_understood_is_unknown_beside_good_ones(collect: Collect) -> None:
    """What we cannot read is no pass; a rule that certainly matches nothing is a gap whatever else there is."""
    world = a_world()
    strange = {**FINDINGS, "detail": {"severity": [{"newer-than": 7}]}}
    at(world).add_event_rule("strange", pattern=strange, targets=[alerts(at(world))])
    unknown = judge(collect(world))[MATCH]
    at(world).add_event_rule("wrong", pattern={**FINDINGS, "detail": {"severity": ["8"]}})
    failed = judge(collect(world))[MATCH]

    assert (unknown.verdict, failed.verdict) == (Verdict.UNKNOWN, Verdict.FAIL)
    assert "newer-than" in only(unknown).reason


def test_rules_of_every_bus_count(collect: Collect) -> None:
    """A bus that other accounts send to has rules too; those of partners' buses are about that partner."""
    world = a_world()
    at(world).add_bus("security")
    at(world).add_bus("aws.partner/example.com/1")
    at(world).add_event_rule("findings", pattern=FINDINGS, bus="security")
    at(world).add_event_rule("theirs", pattern=FINDINGS, bus="aws.partner/example.com/1")

    place = only(judge(collect(world))[TARGETS])

    assert place.verdict is Verdict.FAIL
    assert place.reason.endswith("no target: findings (bus security)")


def test_hidden_buses_leave_only_gaps_certain(collect: Collect) -> None:
    """Without the list of buses the default one still decides a gap, and never a pass."""
    world = a_world(HERE, THERE)
    for name in (HERE, THERE):
        at(world, name).add_event_rule("good", pattern=FINDINGS, targets=[alerts(at(world, name))])
    at(world).add_event_rule("idle", pattern=FINDINGS)
    evidence = replay(collect(world), denied={"events:ListEventBuses"})

    found = judge(evidence)

    assert {place.region: place.verdict for place in found[TARGETS].places} == {
        HERE: Verdict.FAIL,
        THERE: Verdict.UNKNOWN,
    }
    assert {place.verdict for place in found[CLOSED].places} == {Verdict.UNKNOWN}


@pytest.mark.parametrize(
    ("target", "gone"),
    [
        ("sns:alerts", False),
        ("sns:deleted", True),
        ("lambda:function:responder", False),
        ("lambda:function:deleted", True),
        ("sqs:queue", False),
        ("sqs:deleted", True),
        ("states:stateMachine:respond", False),
        ("states:stateMachine:deleted", True),
        ("events:api-destination/page/0", True),
    ],
)
def test_target_that_is_gone(collect: Collect, target: str, gone: bool) -> None:
    """A topic, function, queue, state machine or API destination of this account that is gone is told by its ARN."""
    world = a_world()
    region = at(world)
    alerts(region)
    region.add_function("responder")
    region.add_queue("queue")
    region.add_state_machine("respond")
    arn = region.arn(*target.split(":", 1))
    region.add_event_rule("findings", pattern=FINDINGS, targets=[{"Id": "one", "Arn": arn, "RoleArn": "x"}])

    place = only(judge(collect(world))[EXIST])

    assert place.verdict is (Verdict.FAIL if gone else Verdict.PASS)
    assert not gone or f"findings -> {arn}" in place.reason


def test_target_elsewhere_is_not_called_gone(collect: Collect) -> None:
    """What belongs to another account, and what no call looks at, is not judged."""
    world = a_world()
    region = at(world)
    far = [f"arn:aws:sns:{HERE}:{STRANGER}:alerts", region.arn("logs", "log-group:/aws/events/x")]
    region.add_event_rule("findings", pattern=FINDINGS, targets=far)

    assert judge(collect(world))[EXIST].verdict is Verdict.PASS


def test_refused_target_is_unknown(collect: Collect) -> None:
    """A topic that may not be looked at is neither there nor gone."""
    world = a_world(faults=[Fault(service="sns", operation="GetTopicAttributes")])
    at(world).add_event_rule("findings", pattern=FINDINGS, targets=[at(world).arn("sns", "alerts")])

    place = only(judge(collect(world))[EXIST])

    assert place.verdict is Verdict.UNKNOWN and "sns:GetTopicAttributes" in place.reason


# ---------------------------------------------------------------- open buses


def opened(condition: dict[str, Any] | None = None, who: Any = "*") -> dict[str, Any]:
    bus = f"arn:aws:events:{HERE}:{ACCOUNT}:event-bus/default"
    found = {
        "Sid": "Open",
        "Effect": "Allow",
        "Principal": who,
        "Action": "events:PutEvents",
        "Resource": bus,
    }
    return {**found, "Condition": condition} if condition else found


DENY_ALL = {**opened(), "Sid": "Shut", "Effect": "Deny"}
CLEAN, OPEN, UNSURE = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("statements", "verdict"),
    [
        pytest.param([opened()], OPEN, id="everyone"),
        pytest.param([opened(who={"AWS": "*"})], OPEN, id="every principal"),
        pytest.param([opened(who={"AWS": STRANGER})], CLEAN, id="one other account"),
        pytest.param([opened(who={"Service": "events.amazonaws.com"})], CLEAN, id="a service"),
        pytest.param([opened({"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}})], CLEAN, id="organization"),
        pytest.param([opened({"StringLike": {"aws:PrincipalOrgID": "o-*"}})], OPEN, id="any organization"),
        pytest.param([opened({"StringNotEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}})], OPEN, id="all others"),
        pytest.param([opened({"StringEquals": {"events:source": "my.app"}})], OPEN, id="what the event says"),
        pytest.param([opened({"StringEquals": {"aws:PrincipalTag/team": "soc"}})], OPEN, id="a tag of the caller's"),
        pytest.param([opened({"StringEquals": {"aws:PrincipalAccount": STRANGER}})], CLEAN, id="account key"),
        pytest.param([opened({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})], CLEAN, id="a network"),
        pytest.param([opened({"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}})], OPEN, id="every address"),
        pytest.param([opened({"ArnLike": {"aws:SourceArn": "arn:aws:events:*:*:rule/*"}})], OPEN, id="any rule"),
        pytest.param(
            [opened({"ArnLike": {"aws:SourceArn": f"arn:aws:events:*:{STRANGER}:rule/*"}})], CLEAN, id="their rules"
        ),
        pytest.param([opened({"StringEquals": {"aws:NewKey": "x"}})], UNSURE, id="a key nobody knows"),
        pytest.param([opened({"StringResembles": {"aws:PrincipalOrgID": "x"}})], UNSURE, id="an operator"),
        pytest.param([opened(), DENY_ALL], CLEAN, id="denied"),
        pytest.param(
            [opened(), {**DENY_ALL, "Condition": {"StringEquals": {"events:source": "x"}}}], OPEN, id="denied by choice"
        ),
        pytest.param([{**opened(), "Action": "events:ListRules"}], CLEAN, id="another action"),
        pytest.param([{**opened(), "Action": "events:*"}], OPEN, id="every action"),
        pytest.param([{**opened(), "NotPrincipal": {"AWS": STRANGER}}], UNSURE, id="not understood"),
    ],
)  # fmt: skip
def test_whom_a_bus_lets_in(collect: Collect, statements: list[dict[str, Any]], verdict: Verdict) -> None:
    """A condition counts where it keeps a stranger out, whatever the stranger chooses to send."""
    world = a_world()
    at(world).add_bus("default", policy=policy(*statements))

    assert judge(collect(world))[CLOSED].verdict is verdict


# ---------------------------------------------------------------- printed fixes

HOSTILE = ["--debug", "file:///etc/passwd", "x,roleARN=arn:aws:iam::666666666666:role/evil", "[/]", "a'b$(x)"]


@pytest.mark.parametrize("name", ["findings", *HOSTILE])
def test_printed_fixes_close_the_gaps(mend: Mend, collect: Collect, name: str) -> None:
    """A pattern is put right, a target given and a dead one taken off, whatever the rule is called."""
    world = a_world()
    region = at(world)
    topic = alerts(region)
    dead = region.arn("sns", "deleted")
    description = "Findings to the SOC"
    region.add_event_rule(
        name,
        pattern={**FINDINGS, "detail": {"severity": ["8"]}},
        targets=[topic, dead],
        Description=description,
    )
    region.add_event_rule("idle", pattern=FINDINGS)
    region.add_event_rule("lost", pattern=FINDINGS, targets=[dead, region.arn("sqs", "deleted")])
    before = failing(judge(collect(world)))

    mend(world, MATCH, TARGETS, EXIST, needs={"ALERT_TOPIC_ARN": topic})
    after = failing(judge(collect(world)))

    assert {MATCH, TARGETS, EXIST} <= before and not {MATCH, TARGETS, EXIST} & after
    assert after <= before
    rule = region.events["buses"]["default"]["rules"][name]
    assert json.loads(rule["rule"]["EventPattern"])["detail"]["severity"] == [8]
    assert rule["rule"]["Description"] == description
    assert [item["Arn"] for item in rule["targets"].values()] == [topic]
    lost = region.events["buses"]["default"]["rules"]["lost"]["targets"]
    assert [item["Arn"] for item in lost.values()] == [topic]


def test_topic_of_another_region_gets_steps(collect: Collect) -> None:
    """EventBridge reaches topics of its own region only: no command that would be refused."""
    from postureaudit import catalog, evaluate

    world = a_world(HERE, THERE)
    at(world, THERE).add_event_rule("idle", pattern=FINDINGS)
    needs = {"ALERT_TOPIC_ARN": f"arn:aws:sns:{HERE}:{ACCOUNT}:alerts"}

    [found] = evaluate.evaluate(collect(world), catalog.builtin(), ids=[TARGETS], needs=needs)

    assert found.fix and not found.fix.argv and THERE in found.fix.steps[0]


def test_plain_mistakes_only_are_corrected(collect: Collect) -> None:
    """Where nobody knows what was meant, the fix says which rule to rewrite."""
    world = a_world()
    pattern = {**FINDINGS, "detail": {"severity": [{"numeric": [">", 10]}]}}
    at(world).add_event_rule("never", pattern=pattern, targets=[alerts(at(world))])

    fix = only(judge(collect(world))[MATCH]).fix

    assert fix and not fix.argv and "rule never" in fix.steps[0]


@pytest.mark.parametrize("organized", [False, True])
def test_open_bus_is_bound(mend: Mend, organized: bool) -> None:
    """The open statement is bound to the organization, or to the account; the others stay as they are."""
    world = a_world()
    if organized:
        world.organize(ACCOUNT, (STRANGER,))
    named = {**opened(who={"AWS": STRANGER}), "Sid": "Named"}
    at(world).add_bus("default", policy=policy(opened(), named))

    found = mend(world, CLOSED)

    assert found[CLOSED].verdict is Verdict.PASS
    first, second = json.loads(at(world).events["buses"]["default"]["bus"]["Policy"])["Statement"]
    assert second == named
    if organized:
        assert first["Condition"]["StringEquals"]["aws:PrincipalOrgID"].startswith("o-")
    else:
        assert first["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}


def test_hidden_organization_prints_no_policy(collect: Collect) -> None:
    """Whom to let in is not known without the organization."""
    world = a_world()
    at(world).add_bus("default", policy=policy(opened()))
    evidence = replay(collect(world), denied={"organizations:DescribeOrganization"})

    fix = only(judge(evidence)[CLOSED]).fix

    assert fix and not fix.argv and "organizations:DescribeOrganization" in fix.steps[0]
