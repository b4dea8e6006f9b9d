"""The report of the demo's account, judged once for the tests of all formats."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from postureaudit import __file__ as package
from postureaudit import catalog, evaluate, waivers
from postureaudit.evidence import load
from postureaudit.findings import Severity
from postureaudit.gate import decide
from postureaudit.report import Report
from postureaudit.resources import View
from postureaudit.services.cloudtrail import investigation
from postureaudit.services.guardduty import blindspots
from postureaudit.signals import service as signals


@pytest.fixture(scope="session")
def demo_report() -> Report:
    """A report with gaps, waived gaps, unknowns and routes."""
    folder = Path(package).parent / "data"
    evidence = load(folder / "demo.json.gz")
    views = {account.id: View(evidence, account.id) for account in evidence.header.accounts}
    found = evaluate.evaluate(evidence, catalog.builtin(), views=views)
    accepted = waivers.parse((folder / "demo-waivers.yaml").read_text(), name="demo")
    applied = waivers.apply(found, accepted, today=datetime.date(2026, 11, 25))
    names = {check.topic for check in catalog.builtin().checks}
    return Report(
        evidence=evidence,
        digest="sha256:demo",
        findings=applied.findings,
        decision=decide(applied.findings),
        exit_code=3,
        fail_on=Severity.LOW,
        today="2026-11-25",
        seconds=1.0,
        blind=tuple(region for view in views.values() for region in blindspots.regions(view)),
        investigation=tuple(
            found for view in views.values() if (found := investigation.account(view)) is not None
        ),
        routes=tuple(route for view in views.values() for route in signals.routes_of(view, names)),
    )
