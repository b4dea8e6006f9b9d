"""Which page `explain` prints: of a check, of a GuardDuty finding type, or of an investigation."""

from __future__ import annotations

from postureaudit.catalog import Catalog, builtin
from postureaudit.cli import explain, explain_findings, explain_investigation
from postureaudit.errors import EvidenceError
from postureaudit.evidence import Evidence
from postureaudit.resources import MISREAD, View
from postureaudit.services.cloudtrail import investigation
from postureaudit.services.guardduty import blindspots

_SEARCHABLE = "cloudtrail.searchable-"


def page(name: str, evidence: Evidence | None, catalog: Catalog | None = None) -> str:
    """The page of a name; with evidence, what holds there. Raises UsageError for a name that there is not."""
    try:
        return _page(name, catalog or builtin(), evidence)
    except MISREAD as error:
        if evidence is None:
            raise
        raise EvidenceError(
            f"an answer in the evidence cannot be read: {type(error).__name__}",
            hint="collect again, or explain without --from",
        ) from error


def _page(name: str, catalog: Catalog, evidence: Evidence | None) -> str:
    views = [] if evidence is None else [View(evidence, account.id) for account in evidence.header.accounts]
    if name.casefold() == explain_investigation.TOPIC:
        return explain_investigation.general() if evidence is None else _investigation(views)
    seen = [region for view in views for region in blindspots.regions(view)]
    item = explain_findings.known(name)
    if item is not None:
        return explain_findings.text(item, None if evidence is None else seen)
    found = explain.text(catalog.check(name), more=explain_findings.lost(name, seen))
    if evidence is not None and name.startswith(_SEARCHABLE):
        found += "\n\n" + _investigation(views, only=name.removeprefix(_SEARCHABLE))
    return found


def _investigation(views: list[View], *, only: str = "") -> str:
    accounts = [account for view in views if (account := investigation.account(view)) is not None]
    if not accounts:
        return "Nobody asked for trails: the evidence does not say where events can be searched."
    return explain_investigation.text(accounts, only=only)
