"""The signals are real events, and what would be set up for each of them takes every one of its members."""

from __future__ import annotations

import json

import pytest

from postureaudit.signals import event_pattern, events, log_filter
from postureaudit.signals.events import Member, Place, Signal

PLACE = Place(account="111122223333", region="eu-west-1", partition="aws-cn", time="2026-11-24T10:00:00Z")
MEMBERS = [
    pytest.param(signal, member, id=f"{signal.id}-{member.name}")
    for signal in events.signals()
    for member in signal.members
]
COUNTS = {
    "iam-policy-change": 16,
    "organizations-change": 18,
    "s3-bucket-policy-change": 9,
    "security-group-change": 7,
    "nacl-change": 6,
    "gateway-change": 6,
    "route-table-change": 7,
    "vpc-change": 11,
    "cloudtrail-change": 5,
    "config-change": 4,
    "kms-key-disabled": 2,
}


def test_families_have_every_call_of_the_benchmark() -> None:
    """CIS names the calls of each item: none is left out."""
    found = {signal.id: len(signal.members) for signal in events.signals()}

    assert {name: found[name] for name in COUNTS} == COUNTS
    assert len(found) == 42 and sum(name.startswith("tamper-") for name in found) == 20


@pytest.mark.parametrize(("signal", "member"), MEMBERS)
def test_event_is_filled_in(signal: Signal, member: Member) -> None:
    """Account, region, partition and time stand in the event; nothing is left of the template."""
    event = events.document(member.template, PLACE)
    text = json.dumps(event)

    assert not any(mark in text for mark in ("{account}", "{region}", "{partition}", "{time}"))
    assert (event["account"], event["region"], event["time"]) == (PLACE.account, PLACE.region, PLACE.time)
    assert "arn:aws:" not in text
    assert signal.doc.startswith("https://docs.aws.amazon.com/")
    if signal.by_cloudtrail:
        record = event["detail"]
        assert record["eventName"] and record["eventSource"].endswith(".amazonaws.com")
        assert event["source"] == "aws." + record["eventSource"].partition(".")[0]


@pytest.mark.parametrize(("signal", "member"), MEMBERS)
def test_new_rule_takes_the_event(signal: Signal, member: Member) -> None:
    """The pattern that a fix prints matches every member of its signal."""
    event = events.document(member.template, PLACE)

    assert event_pattern.explain({"detail": signal.pattern}, event) is None


@pytest.mark.parametrize(("signal", "member"), [item for item in MEMBERS if item.values[0].by_cloudtrail])
def test_new_metric_filter_takes_the_event(signal: Signal, member: Member) -> None:
    """So does the metric filter, which fits into what CloudWatch Logs accepts."""
    event = events.document(member.template, PLACE)

    assert log_filter.decide(signal.filter, event["detail"]).value is True
    assert len(signal.filter) <= 1024


@pytest.mark.parametrize(
    ("name", "label"), [("critical", "CRITICAL"), ("high", "HIGH"), ("medium", "MEDIUM")]
)
def test_guardduty_finding_in_security_hub(name: str, label: str) -> None:
    """GuardDuty's severities become Security Hub's labels."""
    event = events.document(events.signal(f"guardduty-{name}").members[0].template, PLACE)

    found = events.in_security_hub("guardduty", event, PLACE)

    assert found is not None
    [finding] = found["detail"]["findings"]
    assert finding["Severity"]["Label"] == label and finding["ProductName"] == "GuardDuty"
