"""One account's verdicts in a few numbers, and all accounts' numbers as the organization's."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from postureaudit import gate, services
from postureaudit.evidence import ENTER, Refusal
from postureaudit.findings import Finding, Severity, Verdict
from postureaudit.report import Report
from postureaudit.waivers import Applied

_SHOWN = 5  # accounts named beside what many of them share


class Cell(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One account and service: checks with an open gap by severity, checks that pass, are unknown or waived."""

    gaps: dict[Severity, int] = {}
    passed: int = 0
    unknown: int = 0
    waived: int = 0


class Gap(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A check with an open gap in one account: in how many places, and how many of them the baseline knows."""

    check: str
    places: int
    known: int = 0


class Blind(msgspec.Struct, frozen=True, kw_only=True):
    """A call that was refused in one account: in how many regions, and the checks that it leaves unknown."""

    call: str
    kind: str
    code: str
    regions: int
    affects: tuple[str, ...]


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What one account's report comes to. `inputs` names what it was made from: the same gives the same.

    `signals` counts the regions of each signal by outcome. `state` is "refused" for an account that could not be
    entered: all of it is unknown, for `reason`.
    """

    account: str
    name: str
    inputs: str
    state: Literal["read", "refused"]
    reason: str = ""
    roles: tuple[str, ...] = ()
    regions: int = 0
    calls: int = 0
    interrupted: str = ""
    cells: dict[str, Cell] = {}
    gaps: tuple[Gap, ...] = ()
    blind: tuple[Blind, ...] = ()
    signals: dict[str, dict[str, int]] = {}
    counts: dict[str, int] = {}
    complete: bool = True
    code: int = 0
    gating: int = 0
    tolerated: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    waivers_used: tuple[str, ...] = ()
    waivers_unused: tuple[str, ...] = ()
    resolved: tuple[str, ...] = ()


def summarize(report: Report, applied: Applied, inputs: str) -> Summary:
    """The summary of one account's report."""
    header = report.evidence.header
    account = header.accounts[0]
    entry = [record.outcome for record in report.evidence.refusals() if record.call == ENTER]
    refused = next((outcome for outcome in entry if isinstance(outcome, Refusal)), None)
    signals: dict[str, Counter[str]] = defaultdict(Counter)
    for route in report.routes:
        signals[route.signal][route.outcome.value] += 1
    unused = [text for text in applied.warnings if text.endswith("matches nothing: remove it")]
    roles = report.roles.get(account.id)
    return Summary(
        account=account.id,
        name=account.name,
        inputs=inputs,
        state="refused" if refused else "read",
        reason=(refused.message or refused.reason()) if refused else "",
        roles=tuple(roles.Own) if roles else (),
        regions=len(header.regions.audited),
        calls=header.calls,
        interrupted=header.interrupted,
        cells=_cells(report.findings),
        gaps=tuple(
            Gap(check=item.check, places=len(open_), known=sum(place.known for place in open_))
            for item in report.gaps()
            if (open_ := [place for place in item.having(Verdict.FAIL) if not place.waiver])
        ),
        blind=_blind(report),
        signals={name: dict(found) for name, found in sorted(signals.items())},
        counts=dict(report.counts()),
        complete=report.complete(),
        code=report.decision.code,
        gating=report.decision.gaps,
        tolerated=report.decision.tolerated,
        warnings=tuple(text for text in report.warnings if text not in unused),
        waivers_used=applied.used,
        waivers_unused=applied.unused,
        resolved=report.baseline.resolved if report.baseline else (),
    )


def _cells(findings: Iterable[Finding]) -> dict[str, Cell]:
    gaps: dict[str, Counter[Severity]] = defaultdict(Counter)
    others: dict[str, Counter[str]] = defaultdict(Counter)
    for finding in findings:
        column = services.column(finding.service)
        if finding.verdict is Verdict.FAIL and not finding.waived:
            gaps[column][finding.severity] += 1
        else:
            others[column]["waived" if finding.waived else finding.verdict.value] += 1
    return {
        column: Cell(
            gaps={severity: gaps[column][severity] for severity in Severity if gaps[column][severity]},
            passed=others[column]["pass"],
            unknown=others[column]["unknown"],
            waived=others[column]["waived"],
        )
        for column in sorted({*gaps, *others})
    }


def _blind(report: Report) -> tuple[Blind, ...]:
    regions: Counter[tuple[str, str, str]] = Counter()
    affects: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for item in report.unseen():
        key = (item.call, item.kind, item.code)
        regions[key] += 1
        affects[key].update(item.affects)
    return tuple(
        Blind(
            call=key[0], kind=key[1], code=key[2], regions=regions[key], affects=tuple(sorted(affects[key]))
        )
        for key in sorted(regions)
    )


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One account of the matrix."""

    account: str
    name: str
    state: Literal["read", "refused"]
    reason: str
    roles: tuple[str, ...]
    regions: int
    cells: dict[str, Cell]
    code: int


class SharedGap(msgspec.Struct, frozen=True, kw_only=True):
    """A check with gaps in several accounts: all of them by id, and the places they have together."""

    check: str
    title: str
    severity: Severity
    accounts: tuple[str, ...]
    places: int
    known: int = 0


class SharedBlind(msgspec.Struct, frozen=True, kw_only=True):
    """A refused call over all accounts: how many, a few of them by id, and the checks it leaves unknown."""

    call: str
    kind: str
    code: str
    accounts: int
    regions: int
    examples: tuple[str, ...]
    affects: tuple[str, ...]


class Lost(msgspec.Struct, frozen=True, kw_only=True):
    """A signal over all accounts and regions: places by outcome, and accounts in which it does not reach everywhere."""

    signal: str
    severity: Severity
    outcomes: dict[str, int]
    accounts: int


class Organization(msgspec.Struct, frozen=True, kw_only=True):
    """All accounts of a run together. `code` is the exit code of the verdicts; `counts` are findings by verdict."""

    schema_version: str = "1.0"
    tool_version: str
    checks_digest: str
    started: str
    caller: str
    organization: str
    management: str
    inactive: int
    regions: int
    calls: int
    code: int
    fail_on: str
    complete: bool
    counts: dict[str, int]
    by_severity: dict[Severity, int]
    columns: dict[str, str]
    accounts: tuple[Row, ...]
    gaps: tuple[SharedGap, ...]
    signals: tuple[Lost, ...]
    blind: tuple[SharedBlind, ...]
    tolerated: tuple[str, ...]
    warnings: tuple[str, ...]
    baseline: dict[str, int] | None = None

    def refused(self) -> tuple[Row, ...]:
        """The accounts that could not be entered."""
        return tuple(row for row in self.accounts if row.state == "refused")


class Tally:
    """Adds up summaries one by one: of each account only its row of the matrix is kept."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.counts: Counter[str] = Counter()
        self.calls = self.regions = 0
        self.complete = True
        self.codes: set[int] = set()
        self.gaps: dict[str, list[str]] = defaultdict(list)
        self.places: Counter[str] = Counter()
        self.known: Counter[str] = Counter()
        self.blind: dict[tuple[str, str, str], list[str]] = defaultdict(list)
        self.blind_regions: Counter[tuple[str, str, str]] = Counter()
        self.affects: dict[tuple[str, str, str], set[str]] = defaultdict(set)
        self.outcomes: dict[str, Counter[str]] = defaultdict(Counter)
        self.lost_in: Counter[str] = Counter()
        self.tolerated: set[str] = set()
        self.warnings: dict[str, None] = {}
        self.used: set[str] = set()
        self.unused: set[str] = set()
        self.resolved: set[str] = set()

    def add(self, item: Summary) -> None:
        """Add one account."""
        self.rows.append(
            Row(
                account=item.account,
                name=item.name,
                state=item.state,
                reason=item.reason,
                roles=item.roles,
                regions=item.regions,
                cells=item.cells,
                code=item.code,
            )
        )
        self.counts.update(item.counts)
        self.complete = self.complete and item.complete and item.state == "read"
        self.calls += item.calls
        self.regions = max(self.regions, item.regions)
        self.codes.add(item.code)
        for gap in item.gaps:
            self.gaps[gap.check].append(item.account)
            self.places[gap.check] += gap.places
            self.known[gap.check] += gap.known
        for blind in item.blind:
            key = (blind.call, blind.kind, blind.code)
            self.blind[key].append(item.account)
            self.blind_regions[key] += blind.regions
            self.affects[key].update(blind.affects)
        for name, outcomes in item.signals.items():
            self.outcomes[name].update(outcomes)
            self.lost_in[name] += any(outcome != "reaches" for outcome in outcomes)
        self.tolerated.update(item.tolerated)
        self.warnings.update(dict.fromkeys(item.warnings))
        if item.interrupted:
            self.warnings[f"account {item.account} is not whole: {item.interrupted}"] = None
        self.used.update(item.waivers_used)
        self.unused.update(item.waivers_unused)
        self.resolved.update(item.resolved)

    def code(self) -> int:
        """Gaps before blindness, as for one account."""
        return next((code for code in (gate.GAPS, gate.BLIND) if code in self.codes), gate.CLEAN)

    def shared_gaps(self, titles: Mapping[str, tuple[str, Severity]]) -> tuple[SharedGap, ...]:
        """The gaps, those of most weight and in most accounts first."""
        found = [
            SharedGap(
                check=check,
                title=titles[check][0],
                severity=titles[check][1],
                accounts=tuple(sorted(accounts)),
                places=self.places[check],
                known=self.known[check],
            )
            for check, accounts in self.gaps.items()
        ]
        return tuple(sorted(found, key=lambda gap: (-gap.severity.rank, -len(gap.accounts), gap.check)))

    def shared_blind(self) -> tuple[SharedBlind, ...]:
        """The refused calls, those in most accounts first."""
        found = [
            SharedBlind(
                call=key[0],
                kind=key[1],
                code=key[2],
                accounts=len(accounts),
                regions=self.blind_regions[key],
                examples=tuple(sorted(accounts)[:_SHOWN]),
                affects=tuple(sorted(self.affects[key])),
            )
            for key, accounts in self.blind.items()
        ]
        return tuple(
            sorted(found, key=lambda item: (-item.accounts, -len(item.affects), item.call, item.kind))
        )

    def lost(self, titles: Mapping[str, tuple[str, Severity]]) -> tuple[Lost, ...]:
        """The signals, those that matter most first."""
        found = [
            Lost(
                signal=name,
                severity=titles[f"signal.{name}"][1],
                outcomes=dict(sorted(outcomes.items())),
                accounts=self.lost_in[name],
            )
            for name, outcomes in self.outcomes.items()
        ]
        return tuple(sorted(found, key=lambda item: (-item.severity.rank, -item.accounts, item.signal)))
