"""The printed mend of each broken hop, run by the real AWS CLI: the next audit says that the signal reaches."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from postureaudit.findings import Finding, Verdict
from tests.conftest import Collect, Mend, judge, walk_world
from tests.fakeaws import World
from tests.fakeaws.policies import allow_service, policy
from tests.parts import part
from tests.signals.worlds import (
    ALARM_CASES,
    CRITICAL,
    HERE,
    HIGH,
    HUB_CASES,
    RULE_CASES,
    STOP,
    WANTED,
    Change,
    a_topic,
    again,
    aim,
    alarm,
    at,
    by_alarm,
    by_hub,
    by_rule,
    rule,
    topic,
)

CASES: dict[str, tuple[Callable[[], World], str, Change]] = {
    **{name: (by_rule, HIGH, case[0]) for name, case in RULE_CASES.items()},
    **{f"alarm: {name}": (by_alarm, STOP, case[0]) for name, case in ALARM_CASES.items()},
    **{f"hub: {name}": (by_hub, HIGH, case[0]) for name, case in HUB_CASES.items()},
}
# Where no command is sure to mend it, steps say what to do.
BY_HAND = {
    *("detector suspended", "no detector", "hub: hub off", "topic policy denies"),
    *("bus in a loop", "third bus", "bus without a rule"),
    *(
        "alarm: muted",
        "alarm: composite muted",
        "alarm: trail stopped",
        "alarm: trail stopped beside another",
    ),
    *("alarm: trail leaves writes out", "alarm: trail leaves writes out beside another"),
    *("alarm: trail cannot deliver", "alarm: log group deleted"),
}
CONFIRM = {"no subscription", "only pending subscriptions"}


@pytest.fixture
def collect(monkeypatch: pytest.MonkeyPatch) -> Collect:
    """Walk with the calls of routes only."""
    return lambda world, **options: walk_world(monkeypatch, world, **{"wanted": WANTED, **options})


def needs(world: World) -> dict[str, str]:
    """What only the user knows: a topic that people hear, a key that publishers may use, an address."""
    here = at(world)
    use = ["kms:GenerateDataKey*", "kms:Decrypt"]
    allowed = (allow_service(f"{name}.amazonaws.com", use, "*") for name in ("events", "cloudwatch"))
    key = here.add_key("99999999-2222-3333-4444-555555555555", policy=policy(*allowed))
    return {
        "ALERT_TOPIC_ARN": a_topic(here, "people"),
        "KMS_KEY_ARN": key,
        "ALERT_EMAIL": "soc@example.com",
    }


def fixed(world: World, mend: Mend, name: str) -> Finding:
    return mend(world, f"signal.{name}", needs=needs(world))[f"signal.{name}"]


@pytest.mark.exhaustive
@pytest.mark.parametrize("case", [name for name in CASES if name not in BY_HAND | CONFIRM])
def test_printed_mend_makes_the_signal_reach(mend: Mend, case: str) -> None:
    """The commands run, and the next audit follows the signal to someone who hears it."""
    make, name, change = CASES[case]
    world = make()
    change(at(world))

    found = fixed(world, mend, name)

    assert found.verdict is Verdict.PASS, found.places[0].reason


@pytest.mark.parametrize("case", part(sorted(BY_HAND), of=3))
def test_what_no_command_mends_has_steps(mend: Mend, case: str) -> None:
    """No command is printed, and the steps name the hop."""
    make, name, change = CASES[case]
    world = make()
    change(at(world))

    [place] = fixed(world, mend, name).places

    assert place.verdict is Verdict.FAIL and place.fix
    assert place.fix.steps and not place.fix.argv


@pytest.mark.parametrize("case", sorted(CONFIRM))
def test_new_subscription_has_to_be_confirmed(mend: Mend, case: str) -> None:
    """A command subscribes an address; until somebody confirms, nobody hears, and the reason says so."""
    make, name, change = CASES[case]
    world = make()
    change(at(world))

    [place] = fixed(world, mend, name).places

    assert place.verdict is Verdict.FAIL
    assert "pending, none confirmed" in place.reason


# ---------------------------------------------------------------- what a mend leaves alone


def sids(text: str) -> list[str]:
    return [item.get("Sid", "") for item in json.loads(text)["Statement"]]


def test_topic_policy_keeps_its_statements(mend: Mend) -> None:
    """One statement more, and the ones before it as they were."""
    world = by_rule()
    RULE_CASES["topic policy without events"][0](at(world))
    before = json.loads(topic(at(world))["Attributes"]["Policy"])["Statement"]

    fixed(world, mend, HIGH)

    after = json.loads(topic(at(world))["Attributes"]["Policy"])["Statement"]
    assert after[:-1] == before and after[-1]["Principal"] == {"Service": "events.amazonaws.com"}


def test_two_rules_without_permission_are_mended_by_one_statement(mend: Mend) -> None:
    """The mend of one rule serves the next one too: none undoes another's."""
    world = by_rule()
    here = at(world)
    RULE_CASES["topic policy without events"][0](here)
    here.add_event_rule("config", pattern={"source": ["aws.config"]}, targets=[here.arn("sns", "alerts")])
    here.add_recorder()

    found = mend(world, f"signal.{HIGH}", "signal.config-noncompliant", needs=needs(world))

    assert {item.verdict for item in found.values()} == {Verdict.PASS}
    assert len(sids(topic(here)["Attributes"]["Policy"])) == 2


def test_function_gets_a_statement_for_each_rule(mend: Mend) -> None:
    """A permission of another source stays, and its id is not taken."""
    world = by_rule()
    here = at(world)
    aim(here, here.add_function("f"))
    here.add_event_rule(
        "config", pattern={"source": ["aws.config"]}, targets=[here.arn("lambda", "function:f")]
    )
    here.add_recorder()

    found = mend(world, f"signal.{HIGH}", "signal.config-noncompliant", needs=needs(world))

    assert {item.verdict for item in found.values()} == {Verdict.PASS}


def test_target_that_is_gone_is_replaced_and_others_stay(mend: Mend) -> None:
    """The missing topic's place is taken; a log group that keeps a copy, and the dead-letter queue, are kept."""
    world = by_rule()
    here = at(world)
    queue = {"Arn": here.arn("sqs", "dlq")}
    log = {"Id": "log", "Arn": here.arn("logs", "log-group:/aws/events/copy")}
    aim(here, log, {"Id": "gone", "Arn": here.arn("sns", "gone"), "DeadLetterConfig": queue})

    found = fixed(world, mend, HIGH)

    assert found.verdict is Verdict.PASS
    targets = rule(here)["targets"]
    assert targets["log"] == log
    assert targets["gone"]["DeadLetterConfig"] == queue and targets["gone"]["Arn"].endswith(":people")


def test_alarm_elsewhere_is_left_alone(mend: Mend) -> None:
    """An alarm on a namesake in another namespace may be wanted there: it gets a sister with the same actions."""
    world = by_alarm()
    alarm(at(world)).update(Namespace="Other", Threshold=7.0)
    before = dict(alarm(at(world)))

    found = fixed(world, mend, STOP)

    assert found.verdict is Verdict.PASS
    assert alarm(at(world)) == before


def test_new_alarm_takes_no_name_that_is_taken(mend: Mend) -> None:
    """An alarm of the metric's name that watches something else is not replaced."""
    world = by_alarm()
    here = at(world)
    here.cloudwatch["metric"].clear()
    here.add_alarm("Stops", "CPU", "AWS/EC2")
    before = dict(here.cloudwatch["metric"]["Stops"])

    found = fixed(world, mend, STOP)

    assert found.verdict is Verdict.PASS and here.cloudwatch["metric"]["Stops"] == before


def test_actions_off_stays_off_elsewhere(mend: Mend) -> None:
    """Only the alarm on the road gets its actions back."""
    world = by_alarm()
    here = at(world)
    alarm(here).update(ActionsEnabled=False)
    here.add_alarm("other", "CPU", "AWS/EC2", enabled=False)

    fixed(world, mend, STOP)

    assert alarm(here)["ActionsEnabled"] and not here.cloudwatch["metric"]["other"]["ActionsEnabled"]


def test_rule_bound_to_one_instance_is_not_widened_by_the_sample(mend: Mend) -> None:
    """A pattern on a resource id would take the sample's id and no real one: there is no such command."""
    world = by_rule()
    wanted: dict[str, Any] = {"resource": {"instanceDetails": {"instanceId": ["i-00000000000000000"]}}}
    rule(at(world))["rule"]["EventPattern"] = json.dumps({"source": ["aws.guardduty"], "detail": wanted})

    [place] = fixed(world, mend, HIGH).places

    assert place.verdict is Verdict.FAIL and "instanceId" in place.reason
    assert place.fix and not place.fix.argv
    assert place.region == HERE


def test_two_faults_in_a_row_are_mended_together(mend: Mend) -> None:
    """A disabled rule, a topic that refuses and a filter that drops: the commands of all of them are printed."""
    world = by_rule()
    here = at(world)
    again(
        here, subscriptions=[{"Protocol": "email", "Endpoint": "a@b.example", "filter_policy": {"a": ["b"]}}]
    )
    RULE_CASES["topic policy without events"][0](here)
    RULE_CASES["rule disabled"][0](here)

    assert fixed(world, mend, HIGH).verdict is Verdict.PASS


def test_a_range_that_ends_too_early_goes_on(mend: Mend) -> None:
    """Every finding of the signal lies past the range's end: one command for the rule, with one range."""
    world = by_rule()
    numbers = {"severity": [{"numeric": [">=", 4, "<=", 8.9]}]}
    rule(at(world))["rule"]["EventPattern"] = json.dumps({"source": ["aws.guardduty"], "detail": numbers})

    finding = fixed(world, mend, CRITICAL)

    after = json.loads(rule(at(world))["rule"]["EventPattern"])
    assert finding.verdict is Verdict.PASS
    assert after["detail"]["severity"] == [{"numeric": [">=", 4]}]


def test_one_command_a_rule_that_undoes_all_of_it(collect: Collect) -> None:
    """A pattern that misses two things of the event is replaced once, and its undo is the pattern of today."""
    world = by_rule()
    wrong = {"source": ["aws.guardduty"], "region": ["eu-west-1"], "detail": {"severity": [3]}}
    rule(at(world))["rule"]["EventPattern"] = json.dumps(wrong)

    [fix] = [place.fix for place in judge(collect(world), f"signal.{HIGH}")[f"signal.{HIGH}"].places]

    assert fix and len(fix.argv) == 1
    assert json.loads(fix.argv[0][fix.argv[0].index("--event-pattern") + 1])["region"] == ["eu-west-1", HERE]
    assert fix.undo.count("put-rule") == 1 and '"severity": [3]' in fix.undo
