"""AWS as a second opinion: what is asked, what is told of its answers, and what is not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from postureaudit.aws.session import open_session
from postureaudit.aws.walk import walk
from postureaudit.evidence import Answer, Evidence, Record, Refusal, RefusalKind
from postureaudit.resources import View
from postureaudit.signals import opinions
from postureaudit.signals.events import signals
from tests.conftest import Collect
from tests.fakeaws import FakeAws, Fault, World
from tests.fakeaws.world import ACCOUNT, Region

HERE, THERE = "us-east-1", "eu-west-1"
HIGH = {"source": ["aws.guardduty"], "detail": {"severity": [{"numeric": [">=", 7]}]}}
ROOT = "{ $.userIdentity.type = Root }"
FINDINGS = {"guardduty-critical", "guardduty-high", "guardduty-medium"}
ALL = {signal.id for signal in signals()}


def a_world(**fields: Any) -> World:
    world = World(**fields)
    world.account(regions=(HERE, THERE))
    return world


def at(world: World, name: str = HERE) -> Region:
    return world.account().region(name)


def with_filter(world: World, pattern: str = ROOT) -> None:
    region = at(world)
    region.add_log_group("trail", 400)
    group = region.arn("logs", "log-group:trail:*")
    region.add_trail(CloudWatchLogsLogGroupArn=group, CloudWatchLogsRoleArn="x")
    region.add_metric_filter("trail", "root", pattern, "Root")


def view_of(evidence: Evidence) -> View:
    return View(evidence, ACCOUNT)


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Ask a world's AWS the questions by the real walk."""

    def ask(world: World, asked: list[opinions.Question]) -> Evidence:
        with FakeAws(world) as aws:
            for name, value in aws.env().items():
                if name.startswith("AWS_"):
                    monkeypatch.setenv(name, value)
            found = walk(open_session(), [opinions.collector(asked)], wanted=None)
        assert (world.bugs, world.missing, found.header.interrupted) == ([], [], "")
        return found

    return ask


def test_agreement_is_silent(collect: Collect, heard: Any) -> None:
    """Every enabled rule and every trail's filter is asked about, and where AWS agrees nothing is said."""
    world = a_world()
    at(world).add_event_rule("high", pattern=HIGH)
    at(world, THERE).add_event_rule("sign-ins", pattern={"source": ["aws.signin"]})
    at(world).add_event_rule("off", pattern={"source": ["aws.iam"]}, state="DISABLED")
    with_filter(world)
    asked = opinions.questions(view_of(collect(world)), ALL)

    said = opinions.disagreements(asked, heard(world, asked))

    assert said == []
    assert {question.name for question in asked} == {"high", "sign-ins", "root"}
    assert {question.region for question in asked if question.name == "sign-ins"} == {THERE}
    tried = [call for call in world.calls if call[3] in ("TestEventPattern", "TestMetricFilter")]
    assert len(tried) == len(asked)


def test_disagreement_names_rule_signal_and_answers(collect: Collect, heard: Any) -> None:
    """Where AWS says otherwise, the sentence says what each of us says."""
    world = a_world()
    at(world).add_event_rule("high", pattern=HIGH)
    asked = opinions.questions(view_of(collect(world)), FINDINGS)
    world.test_event_pattern = lambda pattern, event: json.loads(event)["detail"]["severity"] != 8

    said = opinions.disagreements(asked, heard(world, asked))

    assert {(item.signal, item.ours, item.theirs, item.note) for item in said} == {
        ("guardduty-high", True, False, False),
        ("guardduty-medium", False, True, False),
    }
    assert said[0].sentence == f"rule high: we say it matches {said[0].event}, AWS says it does not"


def test_filter_is_asked_about_many_events_at_once(collect: Collect, heard: Any) -> None:
    """One call takes fifty events; each answer is held against our own."""
    world = a_world()
    with_filter(world)
    asked = opinions.questions(view_of(collect(world)), ALL)
    world.test_metric_filter = lambda pattern, message: json.loads(message)["eventName"] == "StopLogging"

    said = opinions.disagreements(asked, heard(world, asked))

    assert all(len(question.about) <= 50 for question in asked) and len(asked) < 5
    assert ("tamper-stop-logging", "StopLogging", False, True) in {
        (item.signal, item.event, item.ours, item.theirs) for item in said
    }
    assert any(item.signal == "root-api-call" and item.ours and item.theirs is False for item in said)


def test_refusal_is_a_note(collect: Collect, heard: Any) -> None:
    """A refused question is told as such, and is no disagreement."""
    world = a_world(faults=[Fault(service="events", operation="TestEventPattern")])
    at(world).add_event_rule("high", pattern=HIGH)
    asked = opinions.questions(view_of(collect(world)), {"guardduty-high"})

    [said, *rest] = opinions.disagreements(asked, heard(world, asked))

    assert said.note and said.theirs is None and "events:TestEventPattern" in said.sentence
    assert all(item.note for item in rest)


def test_what_we_could_not_tell_is_a_note(collect: Collect, heard: Any) -> None:
    """A pattern that we do not understand is asked about, and AWS's answer told."""
    world = a_world()
    strange = {"source": ["aws.guardduty"], "detail": {"severity": [{"newer-than": 7}]}}
    at(world).add_event_rule("strange", pattern=strange)
    asked = opinions.questions(view_of(collect(world)), {"guardduty-high"})
    world.test_event_pattern = lambda pattern, event: True

    said = opinions.disagreements(asked, heard(world, asked))

    assert {(item.note, item.ours, item.theirs) for item in said} == {(True, None, True)}


def test_equal_questions_are_asked_once_and_few(collect: Collect) -> None:
    """The same rule in two regions is one question; the first event of each signal comes before the second of any."""
    world = a_world()
    pattern = {"detail-type": ["AWS API Call via CloudTrail"]}
    for name in (HERE, THERE):
        at(world, name).add_event_rule("calls", pattern=pattern)
    view = view_of(collect(world))

    everything = opinions.questions(view, ALL)
    few = everything[:20]

    assert len({json.dumps(question.params) for question in everything}) == len(everything)
    assert len({question.region for question in everything}) == 1
    firsts = {signal.members[0].name for signal in signals() if signal.by_cloudtrail}
    assert len(few) == 20 and {question.about[0].event for question in few} <= firsts


def test_rule_that_looks_at_the_region_is_asked_in_each(collect: Collect) -> None:
    """Where the pattern names the region, the event of its own region is asked about."""
    world = a_world()
    for name in (HERE, THERE):
        at(world, name).add_event_rule("here", pattern={**HIGH, "region": [name]})

    asked = opinions.questions(view_of(collect(world)), {"guardduty-high"})

    assert {(question.region, question.about[0].ours) for question in asked} == {(THERE, True), (HERE, True)}


@pytest.mark.parametrize(
    "outcome",
    [
        Answer({}),
        Answer({"matches": [{"eventMessage": "something else"}]}),
        Refusal(RefusalKind.THROTTLED),
    ],
)
def test_answer_that_says_nothing_is_a_note(outcome: Any) -> None:
    """An answer without the result, or about another event, is no opinion."""
    about = opinions.About(signal="root-api-call", event="x", ours=True)
    params = {"filterPattern": ROOT, "logEventMessages": ["{}"]}
    question = opinions.Question(
        kind="metric filter", name="root", region=HERE, call=opinions.FILTER, params=params, about=(about,)
    )
    record = Record(
        call=opinions.FILTER,
        params=params,
        account=ACCOUNT,
        region=HERE,
        at="2026-01-01T00:00:00Z",
        outcome=outcome,
    )

    [said] = opinions.disagreements([question], [record])

    assert said.note and said.theirs is None
    assert opinions.disagreements([question], [])[0].sentence.endswith("was not asked")
