"""Tickets: one JSON object a check and account with an open gap, ready for an issue tracker."""

from __future__ import annotations

from typing import Any

from postureaudit.findings import Finding, Severity
from postureaudit.render import Style, indented
from postureaudit.render import markdown as md
from postureaudit.render.neutral import neutral
from postureaudit.render.summary import open_places, references, where
from postureaudit.report import Report

SCHEMA_VERSION = "1.0"
_TITLE = 200  # characters; trackers cut at about 255
_PRIORITY = {
    Severity.CRITICAL: "P1",
    Severity.HIGH: "P2",
    Severity.MEDIUM: "P3",
    Severity.LOW: "P4",
    Severity.INFO: "P5",
}


def render(report: Report, style: Style) -> str:
    """An object with the schema version and the tickets, gravest first; `key` is the finding's fingerprint."""
    found = {
        "schema_version": SCHEMA_VERSION,
        "complete": report.complete(),
        "tickets": [_ticket(report, gap) for gap in report.gaps()],
    }
    return indented.dumps(found)


def _ticket(report: Report, gap: Finding) -> dict[str, Any]:
    ended = report.evidence.header.ended
    places = open_places(gap)
    title = neutral(f"[{gap.account}] {gap.title} ({where(places)})")
    return {
        "key": gap.fingerprint,
        "check": gap.check,
        "account": gap.account,
        "title": title if len(title) <= _TITLE else title[: _TITLE - 3] + "...",
        "body": "\n".join(md.body(gap)) + f"\nkey: {md.code(gap.fingerprint)}\n",
        "severity": gap.severity.value,
        "priority": _PRIORITY[gap.severity],
        "labels": ["aws", "security", gap.service, gap.severity.value],
        "references": list(references(gap)),
        "places": [
            {"key": place.fingerprint, "region": place.region, "resource": place.resource} for place in places
        ],
        "first_seen": (report.first_seen or {}).get(gap.fingerprint, ended),
        "last_seen": ended,
    }
