"""A report around findings, for the tests of what is written from one."""

from __future__ import annotations

from collections.abc import Sequence

from postureaudit.evidence import Evidence
from postureaudit.findings import Finding
from postureaudit.gate import decide
from postureaudit.report import Report


def a_report(evidence: Evidence, findings: Sequence[Finding]) -> Report:
    """The report of these findings; nothing gates."""
    decision = decide(tuple(findings), fail_on=None, exit_zero=True, allow_unknown=frozenset())
    return Report(
        evidence=evidence,
        digest="",
        findings=tuple(findings),
        decision=decision,
        exit_code=0,
        fail_on=None,
        today="2026-01-01",
        seconds=0,
    )
