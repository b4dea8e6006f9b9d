"""OCSF compliance findings (class 2003, schema 1.4.0) as JSON lines, for Security Lake and SIEMs."""

from __future__ import annotations

import datetime
import json
from typing import Any

from postureaudit import __version__
from postureaudit.findings import Finding, Place, Severity, Verdict
from postureaudit.render import Style
from postureaudit.render.neutral import neutral
from postureaudit.render.summary import references, remedy
from postureaudit.report import Report

VERSION = "1.4.0"
_CLASS, _CATEGORY, _CREATE = 2003, 2, 1
_SEVERITY = {
    Severity.INFO: (1, "Informational"),
    Severity.LOW: (2, "Low"),
    Severity.MEDIUM: (3, "Medium"),
    Severity.HIGH: (4, "High"),
    Severity.CRITICAL: (5, "Critical"),
}
_COMPLIANCE = {Verdict.PASS: (1, "Pass"), Verdict.FAIL: (3, "Fail"), Verdict.UNKNOWN: (0, "Unknown")}


def render(report: Report, style: Style) -> str:
    """One event a line and place; places that do not apply are left out. Times are milliseconds since 1970."""
    return "".join(
        json.dumps(event(report, finding, place), ensure_ascii=True) + "\n"
        for finding in report.findings
        for place in finding.places
        if place.verdict in _COMPLIANCE
    )


def event(report: Report, finding: Finding, place: Place) -> dict[str, Any]:
    """One place of a finding as a Compliance Finding event with the cloud profile."""
    header = report.evidence.header
    when = milliseconds(header.ended)
    failed = place.verdict is Verdict.FAIL
    severity = _SEVERITY[finding.severity if failed else Severity.INFO]
    compliance_id, compliance = _COMPLIANCE[place.verdict]
    status = (3, "Suppressed") if place.waiver else (1, "New") if failed else (4, "Resolved")
    if place.verdict is Verdict.UNKNOWN and not place.waiver:
        status = (0, "Unknown")
    found: dict[str, Any] = {
        "activity_id": _CREATE,
        "activity_name": "Create",
        "category_uid": _CATEGORY,
        "category_name": "Findings",
        "class_uid": _CLASS,
        "class_name": "Compliance Finding",
        "type_uid": _CLASS * 100 + _CREATE,
        "type_name": "Compliance Finding: Create",
        "time": when,
        "severity_id": severity[0],
        "severity": severity[1],
        "status_id": status[0],
        "status": status[1],
        "message": neutral(place.reason or finding.title),
        "metadata": {
            "version": VERSION,
            "profiles": ["cloud"],
            "product": {"name": "postureaudit", "vendor_name": "postureaudit", "version": __version__},
            "uid": place.fingerprint,
        },
        "cloud": {
            "provider": "AWS",
            "account": {"uid": finding.account, "type": "AWS Account", "type_id": 10},
            **({"region": place.region} if place.region else {}),
        },
        "compliance": {
            "control": finding.check,
            "status_id": compliance_id,
            "status": compliance,
            "requirements": list(references(finding)),
            "standards": list(finding.maps_to) or ["postureaudit"],
        },
        "finding_info": {
            "uid": place.fingerprint,
            "title": finding.title,
            "desc": finding.why,
            "created_time": when,
            "types": [finding.check],
        },
        "resources": [_resource(finding, place, header.partition)],
    }
    if place.fix:
        found["remediation"] = {"desc": remedy(place.fix)}
    return found


def _resource(finding: Finding, place: Place, partition: str) -> dict[str, Any]:
    found = {
        "uid": neutral(place.resource) if place.resource else finding.account,
        "type": "AWS resource" if place.resource else "AWS account",
        "cloud_partition": partition,
    }
    return {**found, "region": place.region} if place.region else found


def milliseconds(text: str) -> int:
    """An ISO 8601 time as milliseconds since 1970."""
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)
