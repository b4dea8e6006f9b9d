"""One self-contained HTML file: summary, heat map, gaps with their commands, signal routes; no request leaves it."""

from __future__ import annotations

import base64
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from postureaudit import __version__, services
from postureaudit.compliance import CAVEAT, Standing
from postureaudit.findings import Finding, Place, Severity, Verdict
from postureaudit.render import Style, blindspots, investigation
from postureaudit.render.neutral import neutral
from postureaudit.render.routes_svg import drawings
from postureaudit.render.summary import baseline_line, fix_lines, open_places, references, roles
from postureaudit.render.table import result_line
from postureaudit.report import Report

_NAMED = 12  # places of one account and check that are named; the rest is counted
_REASONS = 4  # reasons of one account and check that are told
_ALL = 3  # from so many regions on, "all regions" is said instead of naming them


def render(report: Report, style: Style) -> str:
    """The page. Every text goes through autoescape; the policy admits this page's own style and script by hash."""
    folder = files("postureaudit.render") / "page"
    css, script, template = ((folder / f"report.{kind}").read_text("utf-8") for kind in ("css", "js", "html"))
    # jinja2's own escaping makes text inert; finalize makes it visible as well.
    environment = jinja2.Environment(
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
    )
    environment.filters["lines"] = _lines
    policy = "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_hash(css)}'",
            f"script-src '{_hash(script)}'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    # The style and script are files of ours, whose bytes the policy names: they stand in the page as they are.
    return environment.from_string(template).render(
        policy=policy, css=Markup(css), script=Markup(script), **_model(report, style)
    )


def _shown(value: Any) -> Any:
    """Text with control and bidi characters made visible, before it is escaped."""
    return neutral(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _lines(text: str) -> Markup:
    """Commands, whose line ends are ours: no name with a line end in it ever becomes a command."""
    return Markup("\n").join(neutral(line) for line in text.split("\n"))


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _model(report: Report, style: Style) -> dict[str, Any]:
    header, counts = report.evidence.header, report.counts()
    known = services.columns()
    names = list(known)
    columns = sorted(
        {services.column(item.service) for item in report.findings},
        key=lambda name: names.index(name) if name in names else len(names),
    )
    gaps = report.gaps()
    return {
        "version": __version__,
        "header": header,
        "report": report,
        "complete": report.complete(),
        "result": result_line(report),
        "digest": report.evidence_digest or report.evidence.digest(),
        "severities": [(item.value, report.by_severity().get(item.value, 0)) for item in Severity],
        "counts": [(name, counts[name]) for name in ("unknown", "waived", "pass", "not_applicable")],
        "columns": [(name, known.get(name, name)) for name in columns],
        "regions": list(_heat_map(report, columns)),
        "accounts": list(_account_map(report, columns)) if len(header.accounts) > 1 else [],
        "checks": [_check(name, found, report) for name, found in _by_check(gaps, report)],
        "frameworks": sorted({name for gap in gaps for name in gap.maps_to}),
        "requirements": [
            (summary, [item for standing in Standing for item in summary.having(standing)])
            for summary in report.frameworks
        ],
        "caveat": CAVEAT,
        "services": [(name, known.get(name, name)) for name in columns],
        "signals": list(drawings(report.routes)),
        "roles": list(roles(report)),
        "compared": baseline_line(report),
        "blind": _blind(report, style),
        "investigation": [
            (account.account, list(investigation.sentences(account))) for account in report.investigation
        ],
        "unseen": list(_unseen(report)),
        "waived": list(_waived(report)),
    }


def _by_check(gaps: Iterable[Finding], report: Report) -> list[tuple[str, list[Finding]]]:
    """Gaps of one check over all accounts together: what a baseline does not know first, then the gravest, then
    what is open in most places."""
    found: dict[str, list[Finding]] = defaultdict(list)
    for gap in gaps:
        found[gap.check].append(gap)
    weight = {name: sum(len(open_places(gap)) for gap in items) for name, items in found.items()}
    return sorted(
        found.items(),
        key=lambda pair: (
            not any(map(report.fresh, pair[1])),
            -pair[1][0].severity.rank,
            -weight[pair[0]],
            pair[0],
        ),
    )


def _check(name: str, found: list[Finding], report: Report) -> dict[str, Any]:
    first, regions = found[0], report.evidence.header.regions.audited
    return {
        "id": name,
        "title": first.title,
        "severity": first.severity.value,
        "service": services.column(first.service),
        "why": first.why,
        "references": references(first),
        "frameworks": sorted(first.maps_to),
        "places": sum(len(open_places(gap)) for gap in found),
        "new": sum(not place.known for gap in found for place in open_places(gap)) if report.baseline else 0,
        "accounts": [_in_account(gap, regions) for gap in sorted(found, key=lambda gap: gap.account)],
    }


def _in_account(gap: Finding, regions: Sequence[str]) -> dict[str, Any]:
    places = open_places(gap)
    reasons = list(dict.fromkeys(place.reason for place in places if place.reason))
    fix = gap.fix
    return {
        "account": gap.account,
        "where": list(_where(places, regions)),
        "reasons": reasons[:_REASONS],
        "more_reasons": max(0, len(reasons) - _REASONS),
        "shell": fix.shell if fix else "",
        "steps": fix.steps if fix else (),
        "notes": list(fix_lines(fix)),
        "fingerprint": gap.fingerprint,
    }


def _where(places: Sequence[Place], regions: Sequence[str]) -> Iterator[str]:
    """The places by name, few words for many: all regions, or each region with its resources."""
    by_region: dict[str, list[str]] = defaultdict(list)
    for place in places:
        by_region[place.region or "account-wide"].append(place.resource or "")
    plain = {name for name, subjects in by_region.items() if subjects == [""]}
    if len(regions) >= _ALL and plain >= set(regions):
        yield f"all {len(regions)} regions"
        by_region = {name: subjects for name, subjects in by_region.items() if name not in set(regions)}
    told = 0
    for name, subjects in sorted(by_region.items()):
        for subject in sorted(subjects):
            if told == _NAMED:
                yield f"and {sum(map(len, by_region.values())) - told} more"
                return
            told += 1
            yield f"{name} {subject}".strip()


class _Cell:
    """What stands in one cell of a map: gaps by severity, unknowns, waived and passed places."""

    __slots__ = ("passed", "severities", "unknown", "waived")

    def __init__(self) -> None:
        self.severities: dict[Severity, int] = defaultdict(int)
        self.unknown = self.waived = self.passed = 0

    def add(self, finding: Finding, place: Place) -> None:
        match place.verdict:
            case Verdict.FAIL if place.waiver:
                self.waived += 1
            case Verdict.FAIL:
                self.severities[finding.severity] += 1
            case Verdict.UNKNOWN:
                self.unknown += 1
            case Verdict.PASS:
                self.passed += 1

    def document(self) -> dict[str, str]:
        """Its class, what it shows, and the same in words for a screen reader."""
        worst = next((item for item in Severity if self.severities.get(item)), None)
        parts = [f"{count} {item.value}" for item in Severity if (count := self.severities.get(item, 0))]
        if self.unknown:
            parts.append(f"{self.unknown} not evaluated")
        if self.waived:
            parts.append(f"{self.waived} waived")
        words = ", ".join(parts)
        if worst:
            shown = " ".join(
                f"{count}{item.value[0].upper()}"
                for item in Severity
                if (count := self.severities.get(item, 0))
            )
            return {
                "kind": worst.value,
                "shown": f"✗ {shown}" + (" ?" if self.unknown else ""),
                "words": words,
            }
        if self.unknown:
            return {"kind": "unknown", "shown": f"? {self.unknown}", "words": words}
        if self.waived:
            return {"kind": "waived", "shown": f"~ {self.waived}", "words": words}
        if self.passed:
            return {"kind": "pass", "shown": "✓", "words": f"{self.passed} pass"}
        return {"kind": "none", "shown": "·", "words": "not applicable"}


def _cells(pairs: Iterable[tuple[str, Finding, Place]], columns: Sequence[str]) -> dict[str, list[_Cell]]:
    """Cells by row and column: each pair says in which row the place stands."""
    index = {name: at for at, name in enumerate(columns)}
    rows: dict[str, list[_Cell]] = defaultdict(lambda: [_Cell() for _ in columns])
    for row, finding, place in pairs:
        rows[row][index[services.column(finding.service)]].add(finding, place)
    return rows


def _heat_map(report: Report, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    header = report.evidence.header
    audited = set(header.regions.audited)
    wide = "account-wide"
    rows = _cells(
        (
            (place.region if place.region in audited else wide, finding, place)
            for finding in report.findings
            for place in finding.places
        ),
        columns,
    )
    ordered = sorted(header.regions.audited, key=lambda name: (name != header.leader, name))
    for name in (wide, *ordered):
        if name in rows:
            yield {"name": name, "cells": [cell.document() for cell in rows[name]]}


def _account_map(report: Report, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    names = {item.id: item.name for item in report.evidence.header.accounts}
    rows = _cells(((item.account, item, place) for item in report.findings for place in item.places), columns)
    for account in sorted(rows):
        label = f"{account} {names.get(account, '')}".strip()
        yield {"name": label, "cells": [cell.document() for cell in rows[account]]}


_SEES = {
    "all": ("●", "every finding type", "pass"),
    "some": ("◐", "some", "medium"),
    "none": ("○", "none: blind", "high"),
    "unknown": ("?", "not known", "unknown"),
}


def _blind(report: Report, style: Style) -> dict[str, Any]:
    """GuardDuty's categories by region; regions that see alike share a column."""
    groups = blindspots.alike(report.blind)
    headline, causes, strangers = blindspots.sentences(report.blind, style)
    rows = zip(*(group[0].standings() for group in groups), strict=True)
    return {
        "headline": headline,
        "causes": [*causes, *strangers],
        "columns": [blindspots.letter(index) for index in range(len(groups))],
        "groups": [
            {"label": blindspots.letter(index), "names": list(blindspots.names(group, report.blind))}
            for index, group in enumerate(groups)
        ],
        "rows": [
            {
                "category": row[0].category,
                "tactic": row[0].tactic or "",
                "cells": [
                    {
                        "shown": _SEES[cell.word][0],
                        "words": f"{_SEES[cell.word][1]} ({cell.raised} of {cell.total})",
                        "kind": _SEES[cell.word][2],
                    }
                    for cell in row
                ],
            }
            for row in rows
        ],
    }


def _unseen(report: Report) -> Iterator[dict[str, Any]]:
    """Refused calls, those of several regions in one row."""
    found: dict[tuple[str, str, str, str], list[Any]] = defaultdict(list)
    for item in report.unseen():
        found[(item.account, item.call, item.kind, item.code)].append(item)
    for (account, call, kind, code), items in sorted(found.items()):
        regions = sorted({item.region for item in items})
        yield {
            "account": account,
            "call": call,
            "kind": kind.replace("_", " ") + (f" ({code})" if code else ""),
            "where": regions[0] if len(regions) == 1 else f"{len(regions)} regions",
            "regions": " ".join(regions),
            "checks": len({check for item in items for check in item.affects}),
        }


def _waived(report: Report) -> Iterator[dict[str, Any]]:
    found: dict[str, tuple[Place, set[str], set[str]]] = {}
    for finding in report.findings:
        for place in finding.places:
            if place.waiver:
                entry = found.setdefault(place.waiver.id, (place, set(), set()))
                entry[1].add(finding.check)
                entry[2].add(place.region or "account-wide")
    for _, (place, checks, regions) in sorted(found.items()):
        yield {"waiver": place.waiver, "checks": sorted(checks), "regions": sorted(regions)}
