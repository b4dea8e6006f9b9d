"""Metric filters of the CIS items spelt in many ways, judged by what becomes of the signal, not by their text."""
# ruff: noqa: E501 - one filter, one line

from __future__ import annotations

import json

import pytest

from postureaudit.evidence import Evidence
from postureaudit.signals import asks
from postureaudit.signals.model import Change, Outcome, applied
from tests.fakeaws.world import ACCOUNT
from tests.signals.worlds import HERE, by_alarm, traced, walked

ROOT, TRAIL, KEYS, MFA = "root-api-call", "cloudtrail-change", "kms-key-disabled", "console-login-without-mfa"

EQUIVALENT = (
    (ROOT, '{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType != "AwsServiceEvent" }'),
    (ROOT, '{($.eventType!="AwsServiceEvent")&&($.userIdentity.invokedBy NOT EXISTS)&&($.userIdentity.type="Root")}'),
    (ROOT, "{ $.userIdentity.type = Root }"),
    (ROOT, '{ $.userIdentity.arn = "*:root" }'),
    (TRAIL, "{ ($.eventName = CreateTrail) || ($.eventName = UpdateTrail) || ($.eventName = DeleteTrail) || ($.eventName = StartLogging) || ($.eventName = StopLogging) }"),
    (TRAIL, "{ ($.eventName = St*) || ($.eventName = *Trail) }"),
    (TRAIL, '{ ($.eventSource = "cloudtrail.amazonaws.com") && ($.readOnly IS FALSE) }'),
    (KEYS, '{ (($.eventName = "DisableKey") || ($.eventName = "ScheduleKeyDeletion")) && ($.eventSource = "kms.amazonaws.com") }'),
    (KEYS, "{ ($.eventSource = kms.amazonaws.com && $.eventName = DisableKey) || ($.eventSource = kms.amazonaws.com && $.eventName = ScheduleKeyDeletion) }"),
    (MFA, '{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") }'),
)  # fmt: skip
BROKEN = (
    (ROOT, '{ $.userIdentity.type = "root" }'),  # values are case-sensitive
    (ROOT, '{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy = * }'),
    (ROOT, '{ $.userIdentity.type = "Root" && $.eventType = "AwsServiceEvent" }'),
    (ROOT, '{ $.userIdentity.type = "Root" && $.eventName = "ConsoleLogin" }'),
    (TRAIL, "{ ($.eventName = CreateTrail) && ($.eventName = UpdateTrail) && ($.eventName = DeleteTrail) }"),
    (TRAIL, "{ ($.eventName = CreateTrail) || ($.eventName = UpdateTrail) || ($.eventName = DeleteTrail) || ($.eventName = StartLogging) }"),
    (KEYS, '{ ($.eventSource = "cloudtrail.amazonaws.com") && (($.eventName = DisableKey) || ($.eventName = ScheduleKeyDeletion)) }'),
    (KEYS, "{ ($.eventSource = kms.amazonaws.com) && (($.eventName = DisableKey) || ($.eventName = ScheduleKeyDeletion)) && ($.errorCode = *) }"),
    (MFA, '{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed = "Yes") }'),
    (MFA, '{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "No") }'),
)  # fmt: skip


@pytest.fixture(scope="module")
def recorded() -> Evidence:
    return walked(by_alarm())


def outcome(recorded: Evidence, name: str, text: str) -> Outcome:
    """What becomes of the signal when the filter has this pattern."""
    ask = asks.filters_ask("trail", HERE)
    body = json.loads(json.dumps(recorded.find(ask.call, ACCOUNT, HERE, ask.params).outcome.body))  # type: ignore[union-attr]
    body["metricFilters"][0]["filterPattern"] = text
    change = Change(call=ask.call, region=HERE, params=ask.params, body=body)
    return traced(applied(recorded, ACCOUNT, [change]), name).outcome


@pytest.mark.parametrize(("name", "text"), EQUIVALENT)
def test_equivalent_filter_reaches(recorded: Evidence, name: str, text: str) -> None:
    """However it is spelt, a filter that takes every event of the item reaches."""
    assert outcome(recorded, name, text) is Outcome.REACHES


@pytest.mark.parametrize(("name", "text"), BROKEN)
def test_subtly_broken_filter_does_not_reach(recorded: Evidence, name: str, text: str) -> None:
    """A filter that looks right and misses an event of the item does not."""
    assert outcome(recorded, name, text) in (Outcome.BROKEN, Outcome.NO_ROUTE)
