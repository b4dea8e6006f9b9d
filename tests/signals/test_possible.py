"""Patterns about detection that can match nothing are told; patterns about events we have no sample of are not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from postureaudit.signals.possible import corrected, doubt

GUARDDUTY = {"source": ["aws.guardduty"], "detail-type": ["GuardDuty Finding"]}
HUB = {"source": ["aws.securityhub"], "detail-type": ["Security Hub Findings - Imported"]}
CALL = {"source": ["aws.iam"], "detail-type": ["AWS API Call via CloudTrail"]}


def findings(**fields: Any) -> dict[str, Any]:
    return {**HUB, "detail": {"findings": fields}}


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        pytest.param({**GUARDDUTY, "detail": {"severity": ["8"]}}, "detail.severity is a number", id="text"),
        pytest.param(
            {**GUARDDUTY, "detail": {"severity": [{"numeric": [">", 10]}]}}, "detail.severity", id="too severe"
        ),
        pytest.param({**GUARDDUTY, "detail-type": ["GuardDuty Findings"]}, "spelt GuardDuty Finding", id="plural"),
        pytest.param({**GUARDDUTY, "detail-type": ["guardduty finding"]}, "spelt GuardDuty Finding", id="case"),
        pytest.param({**GUARDDUTY, "source": ["aws.GuardDuty"]}, "spelt aws.guardduty", id="source's case"),
        pytest.param({**GUARDDUTY, "source": ["aws.securityhub"]}, "comes from aws.guardduty", id="whose"),
        pytest.param({**HUB, "detail-type": ["Security Hub Findings Imported"]}, "spelt", id="dash"),
        pytest.param(findings(Severity={"Label": ["critical"]}), "the pattern wants", id="label's case"),
        pytest.param(findings(Severity={"Label": ["SEVERE"]}), "INFORMATIONAL", id="no label"),
        pytest.param(
            {"source": ["aws.securityhub"], "detail": {"findings": {"Severity": {"Label": ["High"]}}}},
            "INFORMATIONAL",
            id="without a detail-type",
        ),
        pytest.param({**GUARDDUTY, "detail": {"findings": {"RecordState": ["ACTIVE"]}}}, "is in no", id="alien field"),
        pytest.param(
            {"source": ["aws.config"], "detail": {"newEvaluationResult": {"complianceType": ["NONCOMPLIANT"]}}},
            "NON_COMPLIANT",
            id="compliance",
        ),
        pytest.param(
            {**CALL, "source": ["aws.cloudtrail"], "detail": {"eventSource": ["iam.amazonaws.com"]}},
            "cloudtrail.amazonaws.com",
            id="IAM's calls under CloudTrail's name",
        ),
        pytest.param({**CALL, "detail": {"eventName": ["createpolicy", "DELETEPOLICY"]}}, "CreatePolicy", id="calls"),
        pytest.param(
            {**GUARDDUTY, "detail": {"$or": [{"severity": ["8"]}, {"severity": ["9"]}]}}, "number", id="$or"
        ),
    ],
)  # fmt: skip
def test_impossible(pattern: dict[str, Any], said: str) -> None:
    """What AWS never sends is named with what it does send."""
    found = doubt(json.dumps(pattern))

    assert found and found.sure and said in found.reason


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param(GUARDDUTY, id="all findings"),
        pytest.param({**GUARDDUTY, "detail": {"severity": [8, "9"]}}, id="one value of two"),
        pytest.param({**GUARDDUTY, "detail": {"severity": [{"anything-but": ["8"]}]}}, id="anything but a text"),
        pytest.param({**GUARDDUTY, "detail": {"severity": [8.3]}}, id="a tenth"),
        pytest.param({**GUARDDUTY, "detail": {"type": ["Recon:EC2/Portscan"]}}, id="a finding type"),
        pytest.param({**GUARDDUTY, "detail": {"findings": {"x": [{"exists": False}]}}}, id="absent, and wanted so"),
        pytest.param(
            {"source": ["aws.guardduty"], "detail-type": ["GuardDuty Malware Protection Object Scan Result"]},
            id="another detail-type",
        ),
        pytest.param({**HUB, "detail-type": ["Security Hub Findings - Custom Action"]}, id="custom action"),
        pytest.param(
            {"source": ["aws.ec2"], "detail-type": ["EC2 Instance State-change Notification"]}, id="not detection"
        ),
        pytest.param({"source": ["my.app"], "detail-type": ["GuardDuty Finding"]}, id="an app's own"),
        pytest.param({"detail-type": ["AWS API Call via CloudTrail"]}, id="every call"),
        pytest.param(
            {"detail-type": ["AWS API Call via CloudTrail"], "detail": {"eventSource": ["lambda.amazonaws.com"]}},
            id="a service without a signal",
        ),
        pytest.param({**CALL, "detail": {"eventName": ["ListUsers"]}}, id="a call without a signal"),
        pytest.param({**CALL, "detail": {"eventName": ["createpolicy", "CreatePolicy"]}}, id="one spelt right"),
        pytest.param({"source": [{"prefix": "aws."}], "detail": {"severity": ["8"]}}, id="anybody's"),
        pytest.param({"account": ["111122223333"]}, id="everything"),
        pytest.param(
            {**GUARDDUTY, "detail": {"$or": [{"severity": ["8"]}, {"type": ["x"]}]}}, id="one branch is possible"
        ),
        pytest.param(findings(Severity={"Label": [{"equals-ignore-case": "critical"}]}), id="whatever the case"),
    ],
)  # fmt: skip
def test_possible(pattern: dict[str, Any]) -> None:
    """A pattern that may match an event of which we have no sample is not called a mistake."""
    assert doubt(json.dumps(pattern)) is None


def test_not_understood_is_unsure() -> None:
    """A pattern that EventBridge took and we cannot read is unknown, if it is about detection."""
    strange = {"source": ["aws.guardduty"], "detail": {"severity": [{"new-operator": 7}]}}
    found = doubt(json.dumps(strange))

    assert found and not found.sure
    assert doubt(json.dumps({**strange, "source": ["my.app"]})) is None


@pytest.mark.parametrize(
    ("pattern", "after"),
    [
        ({**GUARDDUTY, "detail": {"severity": ["8", "8.5"]}}, {**GUARDDUTY, "detail": {"severity": [8, 8.5]}}),
        ({**GUARDDUTY, "detail-type": ["GuardDuty Findings"]}, GUARDDUTY),
        ({**GUARDDUTY, "source": ["aws.securityhub"]}, GUARDDUTY),
        (findings(Severity={"Label": ["critical", "High"]}), findings(Severity={"Label": ["CRITICAL", "HIGH"]})),
        (
            {**CALL, "source": ["aws.cloudtrail"], "detail": {"eventSource": ["iam.amazonaws.com"]}},
            {**CALL, "detail": {"eventSource": ["iam.amazonaws.com"]}},
        ),
        (
            {**CALL, "detail": {"eventName": ["createpolicy", "ListUsers"]}},
            {**CALL, "detail": {"eventName": ["CreatePolicy", "ListUsers"]}},
        ),
        (findings(Severity={"Label": ["SEVERE"]}), None),
        ({**GUARDDUTY, "detail": {"$or": [{"severity": ["8"]}, {"severity": ["9"]}]}}, None),
    ],
)  # fmt: skip
def test_corrected(pattern: dict[str, Any], after: dict[str, Any] | None) -> None:
    """A slip of the pen is put right; where it is not plain what was meant, nobody guesses."""
    assert corrected(json.dumps(pattern)) == after
