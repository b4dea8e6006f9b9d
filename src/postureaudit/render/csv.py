"""CSV for spreadsheets: one row a place, in a fixed order of columns, with no cell that a spreadsheet would run."""

from __future__ import annotations

import csv
import io

from postureaudit.findings import Finding, Place
from postureaudit.render import Style
from postureaudit.render.neutral import neutral
from postureaudit.render.summary import references, remedy
from postureaudit.report import Report

COLUMNS = (
    "fingerprint",
    "check",
    "title",
    "severity",
    "verdict",
    "account",
    "region",
    "resource",
    "owner",
    "reason",
    "waiver",
    "waived_until",
    "fix",
    "place_fingerprint",
    "references",
    "in_baseline",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def render(report: Report, style: Style) -> str:
    """UTF-8 text with a header row and CRLF line ends (RFC 4180)."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for finding in report.findings:
        for place in finding.places:
            row = zip(COLUMNS, _row(finding, place), strict=True)
            # Line ends of a fix are ours and part of its commands; any other is a stranger's.
            writer.writerow([_cell(text, between="\n" if name == "fix" else " ; ") for name, text in row])
    return out.getvalue()


def _row(finding: Finding, place: Place) -> tuple[str, ...]:
    return (
        finding.fingerprint,
        finding.check,
        finding.title,
        finding.severity.value,
        place.verdict.value,
        finding.account,
        place.region or "",
        place.resource or "",
        place.owner,
        place.reason,
        place.waiver.id if place.waiver else "",
        place.waiver.expires if place.waiver else "",
        remedy(place.fix) if place.fix else "",
        place.fingerprint,
        "; ".join(references(finding)),
        "yes" if place.known else "",
    )


def _cell(text: str, *, between: str) -> str:
    """Inert text; what a spreadsheet would take for a formula starts with an apostrophe (OWASP)."""
    shown = between.join(neutral(line) for line in text.split("\n"))
    return "'" + shown if shown.lstrip().startswith(_FORMULA) else shown
