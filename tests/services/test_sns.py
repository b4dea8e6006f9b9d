"""Topics that alerts are sent to: who may publish and subscribe, and whether somebody listens."""

from __future__ import annotations

import json
from typing import Any

import pytest

from postureaudit.findings import Finding, Place, Verdict
from tests.conftest import Collect, Mend, judge
from tests.fakeaws.policies import allow_service, default_topic_statement, topic_policy
from tests.fakeaws.world import ACCOUNT, Region
from tests.replay import replay
from tests.signals.worlds import HERE, a_world, at

PRIVATE, HEARD, SETTLED, SECRET = (
    f"sns.{name}"
    for name in (
        *("topic-not-public", "topic-has-confirmed-subscription"),
        *("subscriptions-confirmed", "topic-encrypted"),
    )
)
FINDINGS = {"source": ["aws.guardduty"], "detail-type": ["GuardDuty Finding"]}
MAIL = {"Protocol": "email", "Endpoint": "soc@example.com"}
WAITING = {**MAIL, "Endpoint": "new@example.com", "confirmed": False}
STRANGER = "777788889999"
ROOT = "{ $.userIdentity.type = Root }"


def only(finding: Finding) -> Place:
    [place] = finding.places
    return place


def routed(
    region: Region, *statements: dict[str, Any], listeners: Any = (MAIL,), name: str = "alerts"
) -> str:
    """A topic that a rule about findings sends to, with these statements beside the default one."""
    topic = region.arn("sns", name)
    region.add_topic(name, policy=topic_policy(topic, *statements), subscriptions=listeners)
    region.add_event_rule(f"to-{name}"[:64], pattern=FINDINGS, targets=[topic])
    return topic


def opened(condition: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    topic = f"arn:aws:sns:{HERE}:{ACCOUNT}:alerts"
    found = {"Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": topic, **fields}
    return {**found, "Condition": condition} if condition else found


# ---------------------------------------------------------------- which topics


def test_only_topics_that_alerts_go_to(collect: Collect) -> None:
    """A rule about other things, a rule that is off and an alarm on other metrics bring no topic in."""
    world = a_world()
    region = at(world)
    for name in ("billing", "off", "cpu"):
        region.add_topic(name, policy=json.dumps({"Statement": [opened(Resource="*")]}))
    region.add_event_rule("x", pattern={"source": ["my.app"]}, targets=[region.arn("sns", "billing")])
    region.add_event_rule("y", pattern=FINDINGS, state="DISABLED", targets=[region.arn("sns", "off")])
    region.add_alarm("cpu", "CPUUtilization", "AWS/EC2", actions=[region.arn("sns", "cpu")])

    found = judge(collect(world))

    assert {found[name].verdict for name in (PRIVATE, HEARD, SETTLED)} == {Verdict.NOT_APPLICABLE}
    assert only(found[PRIVATE]).reason.startswith("no rule about signals")


def test_topics_of_alarms_and_of_composite_alarms_count(collect: Collect) -> None:
    """What an alarm on a trail's metric calls is judged, also by way of a composite alarm."""
    world = a_world()
    region = at(world)
    one, two = region.add_topic("one"), region.add_topic("two")
    region.add_log_group("trail", 400)
    region.add_trail(
        CloudWatchLogsLogGroupArn=region.arn("logs", "log-group:trail:*"), CloudWatchLogsRoleArn="x"
    )
    region.add_metric_filter("trail", "root", ROOT, "Root")
    region.add_alarm("root", "Root", actions=[one])
    region.add_composite_alarm("any", "ALARM(root)", actions=[two])

    found = judge(collect(world))

    assert [place.resource for place in found[HEARD].places] == ["one", "two"]
    assert found[HEARD].verdict is Verdict.FAIL


def test_deleted_topic_is_no_place_here(collect: Collect) -> None:
    """A topic that is gone is told by eventbridge.targets-exist, once."""
    world = a_world()
    at(world).add_event_rule("findings", pattern=FINDINGS, targets=[at(world).arn("sns", "gone")])

    assert judge(collect(world))[HEARD].verdict is Verdict.NOT_APPLICABLE


@pytest.mark.parametrize(
    "call", ["events:ListRules", "events:ListTargetsByRule", "cloudtrail:DescribeTrails"]
)
def test_refused_list_may_hide_topics(collect: Collect, call: str) -> None:
    """Where a rule, a target or a trail may be hidden, a place "*" is unknown beside the topics that are seen."""
    world = a_world()
    routed(at(world))

    found = judge(replay(collect(world), denied={call}))

    verdicts = {place.resource: place.verdict for place in found[HEARD].places}
    assert verdicts["*"] is Verdict.UNKNOWN
    assert verdicts.get("alerts", Verdict.PASS) is Verdict.PASS


# ---------------------------------------------------------------- who may


@pytest.mark.parametrize(
    ("statement", "verdict"),
    [
        pytest.param(None, Verdict.PASS, id="AWS's own policy"),
        pytest.param(opened(), Verdict.FAIL, id="everyone publishes"),
        pytest.param(opened(Action="SNS:Subscribe"), Verdict.FAIL, id="everyone subscribes"),
        pytest.param(opened(Action="SNS:*", Principal={"AWS": "*"}), Verdict.FAIL, id="everything"),
        pytest.param(opened(Action="sns:GetTopicAttributes"), Verdict.PASS, id="everyone looks"),
        pytest.param(
            opened({"StringEquals": {"sns:Protocol": "email"}}, Action="SNS:Subscribe"), Verdict.FAIL, id="protocol"
        ),
        pytest.param(
            opened({"StringLike": {"sns:Endpoint": "*@example.com"}}, Action="SNS:Subscribe"),
            Verdict.PASS,
            id="addresses of ours",
        ),
        pytest.param(opened({"StringEquals": {"aws:SourceAccount": ACCOUNT}}), Verdict.PASS, id="source account"),
        pytest.param(opened({"ArnLike": {"aws:SourceArn": "arn:aws:s3:*:*:*"}}), Verdict.PASS, id="any bucket"),
        pytest.param(opened({"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}), Verdict.PASS, id="organization"),
        pytest.param(opened({"Bool": {"aws:SecureTransport": "true"}}), Verdict.FAIL, id="by TLS"),
        pytest.param(opened({"StringEquals": {"aws:Unheard": "x"}}), Verdict.UNKNOWN, id="a key nobody knows"),
        pytest.param(opened(Principal={"AWS": STRANGER}), Verdict.PASS, id="one account"),
    ],
)  # fmt: skip
def test_who_may_use_a_topic(collect: Collect, statement: dict[str, Any] | None, verdict: Verdict) -> None:
    """Publishing, subscribing and changing count; a condition counts where it keeps strangers out."""
    world = a_world()
    routed(at(world), *([statement] if statement else []))

    assert judge(collect(world))[PRIVATE].verdict is verdict


# ---------------------------------------------------------------- who listens


@pytest.mark.parametrize(
    ("listeners", "heard", "settled"),
    [
        pytest.param([], Verdict.FAIL, Verdict.NOT_APPLICABLE, id="none"),
        pytest.param([MAIL], Verdict.PASS, Verdict.PASS, id="one"),
        pytest.param([WAITING], Verdict.FAIL, Verdict.FAIL, id="one that waits"),
        pytest.param([MAIL, WAITING], Verdict.PASS, Verdict.FAIL, id="one of two waits"),
        pytest.param([{**MAIL, "deleted": True}], Verdict.FAIL, Verdict.NOT_APPLICABLE, id="deleted"),
    ],
)
def test_subscriptions(collect: Collect, listeners: Any, heard: Verdict, settled: Verdict) -> None:
    """Only a confirmed subscription hears; one that was deleted is none."""
    world = a_world()
    routed(at(world), listeners=listeners)

    found = judge(collect(world))

    assert (found[HEARD].verdict, found[SETTLED].verdict) == (heard, settled)
    assert (
        settled is not Verdict.FAIL
        or only(found[SETTLED]).reason == "alerts waits for: email new@example.com"
    )


# ---------------------------------------------------------------- printed fixes


@pytest.mark.exhaustive
@pytest.mark.parametrize("organized", [False, True])
def test_open_topic_is_closed_and_still_delivers(mend: Mend, collect: Collect, organized: bool) -> None:
    """The open statement is bound, AWS services that act for the account still publish, the rest stays."""
    world = a_world()
    if organized:
        world.organize(ACCOUNT, (STRANGER,))
    topic = routed(at(world), {**opened(), "Sid": "Open"})
    world.account().region(HERE).add_detector()
    before = judge(collect(world, wanted=None))["signal.guardduty-high"].verdict

    found = mend(world, PRIVATE)
    after = judge(collect(world, wanted=None))["signal.guardduty-high"].verdict

    assert found[PRIVATE].verdict is Verdict.PASS
    assert before is after is Verdict.PASS
    statements = json.loads(at(world).sns["topics"][topic]["Attributes"]["Policy"])["Statement"]
    assert statements[0] == default_topic_statement(topic)
    assert [item.get("Sid") for item in statements[1:]] == ["Open", "OpenOfServices"]


def test_listener_is_subscribed(mend: Mend) -> None:
    """The printed command subscribes the address that the user names; then it is up to its owner."""
    world = a_world()
    topic = routed(at(world), listeners=())

    found = mend(world, HEARD, SETTLED, needs={"ALERT_EMAIL": "soc@example.com"})

    [made] = at(world).sns["topics"][topic]["Subscriptions"].values()
    assert made["Attributes"]["Endpoint"] == "soc@example.com"
    assert found[HEARD].verdict is found[SETTLED].verdict is Verdict.FAIL
    made["Attributes"]["PendingConfirmation"] = "false"
    assert mend(world, HEARD)[HEARD].verdict is Verdict.PASS


@pytest.mark.parametrize("address", ["--debug@example.com", "a'b$(x)@example.com", "file:///etc/passwd"])
def test_confirmation_is_sent_again(mend: Mend, address: str) -> None:
    """The same address is subscribed again, whatever it looks like, and nothing else is."""
    world = a_world()
    topic = routed(at(world), listeners=[MAIL, {**WAITING, "Endpoint": address}])

    mend(world, SETTLED)

    known = at(world).sns["topics"][topic]["Subscriptions"].values()
    assert sorted(item["Attributes"]["Endpoint"] for item in known) == sorted([MAIL["Endpoint"], address])


def test_web_hook_that_waits_gets_steps(collect: Collect) -> None:
    """The evidence does not keep a web hook's whole address: no command is made up."""
    world = a_world()
    routed(at(world), listeners=[{**WAITING, "Protocol": "https", "Endpoint": "https://example.com/hunter2"}])

    fix = only(judge(collect(world))[SETTLED]).fix

    assert fix and not fix.argv and "confirm" in fix.steps[0] and "hunter2" not in str(fix)


def test_services_may_still_publish_by_name(collect: Collect) -> None:
    """The statement that AWS's console writes for rules is not open to strangers."""
    world = a_world()
    allow = allow_service("events.amazonaws.com", "sns:Publish", at(world).arn("sns", "alerts"))
    routed(at(world), allow)

    assert judge(collect(world))[PRIVATE].verdict is Verdict.PASS


def test_encrypted_topics(collect: Collect) -> None:
    """A topic with a key passes, one without fails with steps, because a wrong key would silence it."""
    verdicts = []
    for key in ("alias/alerts", None):
        world = a_world()
        topic = at(world).add_topic("[/]", kms=key, subscriptions=[MAIL])
        at(world).add_event_rule("findings", pattern=FINDINGS, targets=[topic])
        evidence = collect(world)
        found = judge(evidence)[SECRET]
        verdicts.append(found.verdict)
        refused = replay(evidence, denied={"sns:GetTopicAttributes"})
        assert judge(refused)[SECRET].verdict is Verdict.UNKNOWN

    assert verdicts == [Verdict.PASS, Verdict.FAIL]
    fix = only(found).fix
    assert fix and fix.steps and not fix.argv
