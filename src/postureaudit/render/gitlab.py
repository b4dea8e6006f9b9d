"""GitLab code quality: one entry a finding with an open gap, at the file that stands for the audit."""

from __future__ import annotations

from postureaudit.findings import Severity
from postureaudit.render import Style, indented
from postureaudit.render.neutral import neutral
from postureaudit.render.summary import headline
from postureaudit.report import Report

_SEVERITY = {
    Severity.CRITICAL: "blocker",
    Severity.HIGH: "critical",
    Severity.MEDIUM: "major",
    Severity.LOW: "minor",
    Severity.INFO: "info",
}


def render(report: Report, style: Style) -> str:
    """The list that GitLab reads (Code Quality report format): fingerprints are unique in it."""
    found = [
        {
            "description": neutral(f"{headline(gap)} (account {gap.account})"),
            "check_name": gap.check,
            "fingerprint": gap.fingerprint,
            "severity": _SEVERITY[gap.severity],
            "location": {"path": style.anchor, "lines": {"begin": style.anchor_line}},
        }
        for gap in report.gaps()
    ]
    return indented.dumps(found)
