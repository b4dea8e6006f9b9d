"""One decision stands for all places that a metric filter cannot tell apart, and for no other."""

from __future__ import annotations

import json
from typing import Any

import pytest

from postureaudit.signals import decisions, events, log_filter, watchers
from postureaudit.signals.events import Place
from postureaudit.signals.log_filter import FilterError

HERE = Place(account="111122223333", region="us-east-1", partition="aws", time="2026-01-01T00:00:00Z")
PLACES = (
    HERE,
    Place(account="222200002222", region="us-east-1", partition="aws", time="2026-01-01T00:00:00Z"),
    Place(account="111122223333", region="eu-west-1", partition="aws", time="2026-01-01T00:00:00Z"),
    Place(account="111122223333", region="us-east-1", partition="aws-cn", time="2026-01-01T00:00:00Z"),
    Place(account="111122223333", region="us-east-1", partition="aws", time="2026-02-02T00:00:00Z"),
)
FILTERS = {
    "the call": "{ $.eventName = StopLogging || $.eventName = DeleteTrail }",
    "the region": '{ $.awsRegion = "us-east-1" }',
    "not the region": '{ ($.eventName = "*") && ($.awsRegion != "eu-west-1") }',
    "the account": '{ $.recipientAccountId = "111122223333" }',
    "an account inside": '{ $.userIdentity.arn = "arn:aws:*:1111*" }',
    "the partition": '{ $.userIdentity.arn = "arn:aws-cn:*" }',
    "the time": '{ $.eventTime = "2026-01*" }',
    "a regex on the region": "{ $.awsRegion = %^us-% }",
    "any field of the caller": '{ $.userIdentity.* = "111122223333" }',
    "a container": "{ ($.userIdentity IS NULL) || ($.eventName = StopLogging) }",
    "parameters": '{ $.requestParameters.name = "*us-east-1*" }',
    "words": "StopLogging",
    "words with a place": '"eu-west-1"',
    "everything": "",
    "columns": "[a, b]",
}


@pytest.mark.parametrize("name", FILTERS)
def test_a_decision_is_that_of_the_record(name: str) -> None:
    """Wherever an event happens, a filter takes its record or not as if nothing had been decided before."""
    text = FILTERS[name]
    for about in watchers.recorded():
        for place in PLACES:
            record = events.document(events.member(about).template["detail"], place)

            assert decisions.decided(text, about, place).value is log_filter.decide(text, record).value, (
                about,
                place,
            )


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("the call", set()),
        ("the region", {"region"}),
        ("the account", {"account"}),
        ("an account inside", {"account", "partition"}),
        ("the time", {"time"}),
        ("words", {"account", "partition", "region", "time"}),
        ("everything", set()),
    ],
)
def test_what_a_filter_looks_at(name: str, wanted: set[str]) -> None:
    """Only what stands where its selectors lead: for other places one answer is enough."""
    assert decisions.looks(FILTERS[name], ("tamper-stop-logging", "StopLogging")) == wanted


def test_an_unsure_decision_keeps_its_reasons() -> None:
    """What AWS does not say is told."""
    found = decisions.decided("{ $.nothing != a }", ("tamper-stop-logging", "StopLogging"), HERE)

    assert found.value is None
    assert "$.nothing is missing" in found.reasons[0]


def test_a_pattern_that_is_not_understood_is_refused_each_time() -> None:
    """The refusal is remembered, its exception is not: an exception holds whoever met it."""
    found = []
    for _ in range(2):
        with pytest.raises(FilterError, match="ends too early") as caught:
            decisions.decided("{ $.a = ", ("tamper-stop-logging", "StopLogging"), HERE)
        found.append(caught.value)

    assert found[0] is not found[1]
    assert found[0].hint


def test_an_event_is_its_template_filled_in() -> None:
    """Text by text, as if nothing were shared; and the template stays as it was."""

    def filled(value: Any) -> Any:
        match value:
            case dict():
                return {key: filled(item) for key, item in value.items()}
            case list():
                return [filled(item) for item in value]
            case str():
                for field in events.FIELDS:
                    value = value.replace(f"{{{field}}}", getattr(place, field))
                return value
            case _:
                return value

    odd = {"a": "100% of {region}{region} in {account}", "b": ["{time}", "{other}", 1, None], "c": {"d": {}}}
    templates = [odd, *(member.template for signal in events.signals() for member in signal.members)]
    before = json.dumps(templates)
    for place in PLACES:
        for template in templates:
            assert json.dumps(events.document(template, place)) == json.dumps(filled(template))
    assert json.dumps(templates) == before
