"""From evidence to a report: verdicts, waivers, baseline and the decision, by what the caller chose."""

from __future__ import annotations

import contextlib
import datetime
import gc
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from postureaudit import baseline as baselines
from postureaudit import compliance, evaluate, waivers
from postureaudit.baseline import Baseline
from postureaudit.catalog import Catalog
from postureaudit.evidence import Evidence
from postureaudit.findings import Severity
from postureaudit.gate import decide
from postureaudit.report import Report
from postureaudit.resources import MISREAD, View
from postureaudit.services import organizations
from postureaudit.services.cloudtrail import investigation
from postureaudit.services.guardduty import blindspots
from postureaudit.services.organizations import Roles
from postureaudit.signals import service as signals
from postureaudit.signals.model import Route
from postureaudit.waivers import Applied, Waiver


class Judging(msgspec.Struct, frozen=True, kw_only=True):
    """By what evidence is judged: the checks to report, what only the user knows, what is accepted, what gates.

    `today` is the day on which waivers are judged; `first_seen` days by fingerprint, from an earlier result.
    """

    ids: frozenset[str]
    today: datetime.date
    needs: dict[str, str] = {}
    accepted: tuple[Waiver, ...] = ()
    baseline: Baseline | None = None
    fail_on: Severity | None = Severity.LOW
    exit_zero: bool = False
    allow_unknown: frozenset[str] = frozenset()
    strict_waivers: bool = False
    frameworks: tuple[str, ...] = ()
    first_seen: dict[str, str] | None = None


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Without the garbage collector, a fifth of the time: judging leaves nothing to it (see tests/test_flat.py)."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


@_uncollected()
def judge(
    evidence: Evidence,
    catalog: Catalog,
    by: Judging,
    *,
    gate: bool = True,
    interrupted: int = 0,
    warnings: Iterable[str] = (),
) -> tuple[Report, Applied]:
    """The report of this evidence, and what became of the waivers. `interrupted` is a cut-short run's exit code."""
    views = {account.id: View(evidence, account.id) for account in evidence.header.accounts}
    found = evaluate.evaluate(evidence, catalog, ids=by.ids, needs=by.needs, views=views)
    header = evidence.header
    applied = waivers.apply(found, by.accepted, today=by.today, left_out=header.regions.excluded)
    compared = None
    if by.baseline is not None:
        whole = not header.regions.excluded and not header.interrupted
        compared = baselines.compare(by.baseline, applied.findings, whole=whole)
    findings = compared.findings if compared else applied.findings
    decision = decide(findings, fail_on=by.fail_on, exit_zero=by.exit_zero, allow_unknown=by.allow_unknown)
    code = decision.code if gate else 0
    if by.strict_waivers and applied.unused:
        code = 2
    report = Report(
        evidence=evidence,
        digest=catalog.digest,
        findings=findings,
        decision=decision,
        exit_code=interrupted or code,
        fail_on=by.fail_on,
        today=by.today.isoformat(),
        seconds=_seconds(evidence),
        warnings=(*warnings, *applied.warnings),
        routes=_routes(views.values(), {catalog.check(name).topic for name in by.ids}),
        blind=_blind(views.values(), by.ids),
        investigation=_investigation(views.values(), by.ids),
        roles=_roles(views),
        changes=catalog.changes,
        baseline=compared,
        first_seen=by.first_seen,
        frameworks=compliance.summaries(by.frameworks, findings, catalog.mapped()),
    )
    if evidence.neighbours is not None:
        evidence.neighbours.views.clear()  # they and the views of these accounts hold each other
    return report, applied


def _routes(views: Iterable[View], topics: set[str]) -> tuple[Route, ...]:
    """The routes of the signals that were asked for; none where a saved answer cannot be read: its checks say so."""
    try:
        return tuple(route for view in views for route in signals.routes_of(view, topics))
    except MISREAD:
        return ()


def _blind(views: Iterable[View], ids: frozenset[str]) -> tuple[blindspots.Region, ...]:
    """What GuardDuty can raise where; nothing where its checks were not asked for, or an answer cannot be read."""
    if not any(name.startswith("guardduty.") for name in ids):
        return ()
    try:
        return tuple(region for view in views for region in blindspots.regions(view))
    except MISREAD:
        return ()


def _investigation(views: Iterable[View], ids: frozenset[str]) -> tuple[investigation.Account, ...]:
    """Where events can be searched; nothing where nobody asked for it, or an answer cannot be read."""
    if not any(name.startswith("cloudtrail.searchable-") for name in ids):
        return ()
    try:
        found = [investigation.account(view) for view in views]
    except MISREAD:
        return ()
    return tuple(account for account in found if account is not None)


def _roles(views: Mapping[str, View]) -> dict[str, Roles]:
    """The roles of each account; none where a saved answer cannot be read: its checks say so."""
    try:
        return {name: organizations.roles(view) for name, view in views.items()}
    except MISREAD:
        return {}


def _seconds(evidence: Evidence) -> float:
    started, ended = (
        datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
        for text in (evidence.header.started, evidence.header.ended)
    )
    return (ended - started).total_seconds()
