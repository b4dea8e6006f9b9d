"""From findings to an exit code: 3 for gaps, 4 for blindness, 0 only when everything in scope was seen."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from postureaudit.findings import Finding, Place, Severity, Verdict

GAPS, BLIND, CLEAN = 3, 4, 0


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The exit code of the verdicts, how many gaps gate, how many unknowns, and what was tolerated by name."""

    code: int
    gaps: int
    unknown: int
    tolerated: tuple[str, ...] = ()


def decide(
    findings: Iterable[Finding],
    *,
    fail_on: Severity | None = Severity.LOW,
    exit_zero: bool = False,
    allow_unknown: frozenset[str] = frozenset(),
) -> Decision:
    """3 when an unwaived gap at or above `fail_on` is open, else 4 when a check there is unknown, else 0.

    A finding whose open gaps the baseline all knows does not gate.

    `fail_on` None: no gap gates, and any unknown is 4. `exit_zero` takes 3 out. `allow_unknown` names
    checks, services, regions, calls or refusal kinds whose unknowns are tolerated; an unknown with several refusals
    behind it is tolerated when each of them is.
    """
    gaps = unknown = 0
    tolerated: set[str] = set()
    for finding in findings:
        counts = fail_on is None or finding.severity.rank >= fail_on.rank
        gaps += bool(fail_on is not None and counts and _new(finding))
        for place in finding.having(Verdict.UNKNOWN):
            names = _tolerated(finding, place, allow_unknown)
            tolerated |= names
            unknown += bool(counts and not names and not place.waiver)
    code = GAPS if gaps and not exit_zero else BLIND if unknown else CLEAN
    return Decision(code=code, gaps=gaps, unknown=unknown, tolerated=tuple(sorted(tolerated)))


def _new(finding: Finding) -> bool:
    """Whether a place has a gap that neither a waiver covers nor the baseline knows."""
    return any(not place.waiver and not place.known for place in finding.having(Verdict.FAIL))


def _tolerated(finding: Finding, place: Place, allowed: frozenset[str]) -> set[str]:
    """The names by which an unknown place is tolerated: the check, or one for each refusal behind it; else none."""
    names = allowed & {
        finding.check,
        finding.service,
        f"{finding.service}.*",
        *([place.region] if place.region else []),
    }
    if names:
        return set(names)
    behind = [allowed & {name for name in refused if name} for refused in place.blind]
    return set().union(*behind) if all(behind) else set()
