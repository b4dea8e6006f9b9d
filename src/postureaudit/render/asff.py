"""AWS Security Finding Format: a file for BatchImportFindings, which is a write and left to the reader."""

from __future__ import annotations

from typing import Any

from postureaudit import __version__
from postureaudit.findings import Finding, Place, Verdict
from postureaudit.render import Style, indented
from postureaudit.render.neutral import neutral
from postureaudit.render.summary import references, remedy
from postureaudit.report import Report

# Security Hub user guide, "Required and optional ASFF attributes": characters that a member may hold.
_TITLE, _DESCRIPTION, _REMEDIATION, _REQUIREMENTS = 256, 1024, 512, 32
_STATUS = {Verdict.PASS: "PASSED", Verdict.FAIL: "FAILED", Verdict.UNKNOWN: "NOT_AVAILABLE"}
_LABEL = {"critical": "CRITICAL", "high": "HIGH", "medium": "MEDIUM", "low": "LOW", "info": "INFORMATIONAL"}


def render(report: Report, style: Style) -> str:
    """A JSON list of findings, one a place: `aws securityhub batch-import-findings` takes 100 of them a call."""
    found = [
        finding_document(report, finding, place)
        for finding in report.findings
        for place in finding.places
        if place.verdict in _STATUS
    ]
    return indented.dumps(found)


def finding_document(report: Report, finding: Finding, place: Place) -> dict[str, Any]:
    """One place of a finding as ASFF. `Id` is the place's fingerprint, so that a second import updates the first."""
    header = report.evidence.header
    region = place.region or header.leader
    arn = f"arn:{header.partition}:securityhub:{region}:{finding.account}:product/{finding.account}/default"
    status = _STATUS[place.verdict]
    found: dict[str, Any] = {
        "SchemaVersion": "2018-10-08",
        "Id": f"{finding.account}/{region}/{place.fingerprint}",
        "ProductArn": arn,
        "ProductName": "postureaudit",
        "CompanyName": "postureaudit",
        "GeneratorId": finding.check,
        "AwsAccountId": finding.account,
        "Region": region,
        "Types": ["Software and Configuration Checks/AWS Security Best Practices"],
        "CreatedAt": header.ended,
        "UpdatedAt": header.ended,
        "Title": _cut(finding.title, _TITLE),
        "Description": _cut(f"{place.reason or finding.title}. {finding.why}", _DESCRIPTION),
        "FindingProviderFields": {
            "Severity": {"Label": "INFORMATIONAL" if status != "FAILED" else _LABEL[finding.severity.value]},
            "Types": ["Software and Configuration Checks/AWS Security Best Practices"],
        },
        "Resources": [_resource(finding, place, header.partition, region)],
        "Compliance": {"Status": status},
        "RecordState": "ACTIVE" if status != "PASSED" else "ARCHIVED",
        "Workflow": {"Status": "SUPPRESSED" if place.waiver else "NEW" if status != "PASSED" else "RESOLVED"},
        "ProductFields": {
            "postureaudit/Version": __version__,
            "postureaudit/Check": finding.check,
            "postureaudit/Finding": finding.fingerprint,
        },
    }
    if mapped := references(finding):
        found["Compliance"]["RelatedRequirements"] = [_cut(item, 64) for item in mapped[:_REQUIREMENTS]]
    if place.fix:
        text = remedy(place.fix)
        if not text or len(text) > _REMEDIATION:  # half a command is worse than none
            text = f"postureaudit explain {finding.check}"
        found["Remediation"] = {"Recommendation": {"Text": text}}
    if place.waiver:
        found["Note"] = {
            "Text": _cut(f"{place.waiver.id} until {place.waiver.expires}: {place.waiver.reason}", 512),
            "UpdatedBy": _cut(place.waiver.owner, 512),
            "UpdatedAt": header.ended,
        }
    return found


def _resource(finding: Finding, place: Place, partition: str, region: str) -> dict[str, Any]:
    account = f"AWS::::Account:{finding.account}"
    return {
        "Type": "Other" if place.resource else "AwsAccount",
        "Id": _cut(place.resource, 512) if place.resource else account,
        "Partition": partition,
        "Region": region,
    }


def _cut(text: str, length: int) -> str:
    shown = neutral(" ".join(text.split()))
    return shown if len(shown) <= length else shown[: length - 3] + "..."
