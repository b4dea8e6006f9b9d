"""What a report shows, whatever its format: the run, the findings, what was not evaluated, and the decision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from postureaudit.baseline import Compared
from postureaudit.compliance import Summary
from postureaudit.evidence import Evidence, Record, Refusal
from postureaudit.findings import Finding, Severity, Verdict
from postureaudit.gate import Decision
from postureaudit.services.cloudtrail import investigation
from postureaudit.services.guardduty import blindspots
from postureaudit.services.organizations import Roles
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
    roles: Mapping[str, Roles] = {}  # by account: what is known of the organization
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

    def fresh(self, finding: Finding) -> bool:
        """Whether a baseline was given and does not know an open gap of this finding: it is why the gate closes."""
        return self.baseline is not None and any(
            not place.known and not place.waiver for place in finding.having(Verdict.FAIL)
        )

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
        (record.account, at[1], at[0]): getattr(record.outcome, "code", "")
        for record in evidence.refusals()
        for at in _refused(record)
    }
    # A finding's account is the audited one, whoever was asked for it (the log archive, with its own role).
    anyone = {key[1:]: code for key, code in codes.items()}
    return tuple(
        Unseen(
            call=call,
            account=account,
            region=region,
            kind=kind,
            code=codes.get((account, region, call), anyone.get((region, call), "")),
            affects=tuple(sorted(checks)),
        )
        for (account, region, call, kind), checks in sorted(affected.items())
    )


def _refused(record: Record) -> list[tuple[str, str]]:
    """(call, region) that a refused record stands under: its own, and that of the call which stood in its way."""
    outcome = record.outcome
    before = [(outcome.call, outcome.region)] if isinstance(outcome, Refusal) and outcome.call else []
    return [(record.call, record.region), *before]
