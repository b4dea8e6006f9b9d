"""What a report shows, whatever its format: the run, the findings, what was not evaluated, and the decision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from postureaudit.baseline import Compared
from postureaudit.compliance import Summary
from postureaudit.evidence import Evidence
from postureaudit.findings import Finding, Severity, Verdict
from postureaudit.gate import Decision
from postureaudit.services.cloudtrail import investigation
from postureaudit.services.guardduty import blindspots
from postureaudit.signals.model import Route


class Unseen(msgspec.Struct, frozen=True, kw_only=True):
    """A refused call and the checks it leaves unknown."""

    call: str
    account: str
    region: str
    kind: str
    code: str
    affects: tuple[str, ...]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a renderer needs; `seconds` is how long the run took, `today` the day waivers were judged on."""

    evidence: Evidence
    digest: str  # of the checks
    findings: tuple[Finding, ...]
    decision: Decision
    exit_code: int
    fail_on: Severity | None
    today: str
    seconds: float
    warnings: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()  # of the signals that were asked for
    investigation: tuple[investigation.Account, ...] = ()  # where CloudTrail's checks were asked for
    blind: tuple[blindspots.Region, ...] = ()  # what GuardDuty sees, where its checks were asked for
    changes: tuple[str, ...] = ()  # what a user's files made different from the shipped catalogue
    baseline: Compared | None = None  # the run against a baseline, where one was given
    evidence_digest: str = ""  # of the evidence as it was collected, where this one is redacted
    first_seen: dict[str, str] | None = None  # by fingerprint, from an earlier result
    frameworks: tuple[Summary, ...] = ()  # those that were chosen

    def counts(self) -> Counter[str]:
        """Findings by verdict; a finding whose gaps are all waived counts as "waived", not as "fail"."""
        return Counter("waived" if item.waived else item.verdict.value for item in self.findings)

    def by_severity(self) -> dict[str, int]:
        """Open gaps by severity, most severe first; severities without one are left out."""
        found = Counter(item.severity for item in self.gaps())
        return {severity.value: found[severity] for severity in Severity if found[severity]}

    def gaps(self) -> tuple[Finding, ...]:
        """The findings with an open gap, in report order."""
        return tuple(item for item in self.findings if item.verdict is Verdict.FAIL and not item.waived)

    def complete(self) -> bool:
        """Nothing in scope is unknown."""
        return not any(item.having(Verdict.UNKNOWN) for item in self.findings)

    def unseen(self) -> tuple[Unseen, ...]:
        """The refusals that leave a check unknown, by region and call."""
        return unseen(self.evidence, self.findings)


def unseen(evidence: Evidence, findings: Sequence[Finding]) -> tuple[Unseen, ...]:
    """Each refused call once, with the checks that are unknown because of it."""
    affected: dict[tuple[str, str, str, str], set[str]] = {}
    for finding in findings:
        for place in finding.having(Verdict.UNKNOWN):
            for call, region, kind in (item for item in place.blind if item[0]):
                affected.setdefault((finding.account, region, call, kind), set()).add(finding.check)
    codes = {
        (record.account, record.region, record.call): getattr(record.outcome, "code", "")
        for record in evidence.refusals()
    }
    return tuple(
        Unseen(
            call=call,
            account=account,
            region=region,
            kind=kind,
            code=codes.get((account, region, call), ""),
            affects=tuple(sorted(checks)),
        )
        for (account, region, call, kind), checks in sorted(affected.items())
    )
