"""The JSON result, schema 1.0: its own wire types, the same bytes for the same input."""

from __future__ import annotations

from typing import Any

import msgspec

from postureaudit import __version__
from postureaudit.compliance import Standing, Summary
from postureaudit.evidence import Refusal
from postureaudit.findings import Finding, Fix, Place, Verdict
from postureaudit.render import Style, indented
from postureaudit.report import Report
from postureaudit.services.cloudtrail import investigation
from postureaudit.services.cloudtrail.searching import Place as SearchPlace
from postureaudit.services.guardduty import blindspots
from postureaudit.services.organizations import Found, Roles
from postureaudit.signals.model import Route

SCHEMA_VERSION = "1.0"


def render(report: Report, style: Style) -> str:
    """The whole result as indented JSON, ASCII only, with a final newline."""
    return indented.dumps(document(report))


def document(report: Report) -> dict[str, Any]:
    """The result as plain data, in the order readers look for it."""
    header, counts = report.evidence.header, report.counts()
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "postureaudit", "version": __version__, "checks_digest": report.digest},
        "run": {
            "started": header.started,
            "ended": header.ended,
            "partition": header.partition,
            "caller": header.caller,
            "accounts": [
                {"id": item.id, "name": item.name, "roles": _roles(report.roles.get(item.id))}
                for item in header.accounts
            ],
            "regions": msgspec.to_builtins(header.regions),
            "calls": header.calls,
            "evidence_sha256": report.evidence_digest or report.evidence.digest(),
            "waivers_as_of": report.today,
            "changes": list(report.changes),
        },
        "summary": {
            "complete": report.complete(),
            "exit_code": report.exit_code,
            "fail": counts["fail"],
            "unknown": counts["unknown"],
            "waived": counts["waived"],
            "pass": counts["pass"],
            "not_applicable": counts["not_applicable"],
            "by_severity": report.by_severity(),
            "tolerated": list(report.decision.tolerated),
            "baseline": _baseline(report),
        },
        "findings": [_finding(item, report) for item in report.findings],
        "frameworks": [_framework(item) for item in report.frameworks],
        "signals": [route_document(item) for item in report.routes],
        "blind_spots": [_blind(item) for item in report.blind],
        "investigation": [_investigation(item) for item in report.investigation],
        "unknown": [msgspec.to_builtins(item) for item in report.unseen()],
    }


def _roles(roles: Roles | None) -> dict[str, Any] | None:
    """What is known of the organization, and of this account in it; null where its answers cannot be read."""
    if roles is None:
        return None

    def account(found: Found) -> dict[str, Any]:
        known = found.Account if isinstance(found.Account, str) else ""
        return {"account": known or None, "how": found.How}

    return {
        "own": list(roles.Own),
        "delegated_administrator_of": list(roles.Delegated),
        "management": account(roles.Management),
        "audit": account(roles.Audit),
        "log_archive": account(roles.LogArchive),
    }


def route_document(route: Route) -> dict[str, Any]:
    """What becomes of one signal in one region, with the hops of the road that decides."""
    return {
        "signal": route.signal,
        "severity": route.severity.value,
        "account": route.account,
        "region": route.region,
        "outcome": route.outcome.value,
        "reason": route.reason,
        "weakest": route.weakest,
        "missing": list(route.missing),
        "hops": [
            {
                "kind": hop.kind,
                "name": hop.name,
                "region": hop.region,
                "state": hop.state.value,
                "reason": hop.reason,
                "weakness": hop.weakness,
            }
            for hop in route.hops
        ],
    }


def _baseline(report: Report) -> dict[str, Any] | None:
    found = report.baseline
    if found is None:
        return None
    return {
        "new": found.new,
        "old": found.old,
        "resolved": list(found.resolved),
        "not_rechecked": list(found.not_rechecked),
    }


def _blind(region: blindspots.Region) -> dict[str, Any]:
    """What GuardDuty cannot raise in a region, and what is missing for it."""
    return {
        "account": region.account,
        "region": region.region,
        "detector": region.detector,
        "reason": region.reason,
        "types": {
            "blind": list(region.of(blindspots.Sight.BLIND)),
            "by_hand": list(region.of(blindspots.Sight.BY_HAND)),
            "unknown": list(region.of(blindspots.Sight.UNKNOWN)),
            "total": len(region.types),
        },
        "categories": [
            {
                "category": item.category,
                "tactic": item.tactic,
                "sees": item.word,
                "total": item.total,
                "raised": item.raised,
                "by_hand": item.by_hand,
                "blind": item.blind,
                "unknown": item.unknown,
            }
            for item in region.standings()
        ],
        "missing": [
            {
                "feature": item.name or None,
                "title": item.title,
                "state": item.state,
                "check": item.check,
                "blind": len(item.types),
                "by_hand": len(item.by_hand),
            }
            for item in region.missing
        ],
        "unknown_features": list(region.strangers),
        "notes": list(region.notes),
    }


def _investigation(account: investigation.Account) -> dict[str, Any]:
    """How far back each question can be answered, and the places where its events can be searched."""
    return {
        "account": account.account,
        "questions": [
            {
                "question": item.question.id,
                "title": item.question.title,
                "check": f"cloudtrail.searchable-{item.question.id}",
                "regions": list(item.regions),
                "days": item.reach.Days,
                "hidden": item.reach.Hidden.reason() if isinstance(item.reach.Hidden, Refusal) else None,
                "missing": list(item.reach.Missing),
                "elsewhere": item.reach.Elsewhere or None,
                "places": [_searched(place, item.question.id) for place in item.places],
            }
            for item in account.answered
        ],
    }


def _framework(summary: Summary) -> dict[str, Any]:
    """A framework that was chosen, requirement by requirement; `checks` are all that map to it."""
    counts, framework = summary.counts(), summary.framework
    return {
        "id": framework.id,
        "title": framework.name,
        "version": framework.version,
        "source": framework.source,
        "counts": {standing.value: counts[standing] for standing in Standing},
        "requirements": [
            {
                "number": item.number,
                "title": item.title,
                "verdict": item.standing.value,
                "checks": list(item.checks),
                "gaps": list(item.gaps),
                "waived": list(item.waived),
                "unknown": list(item.unknown),
            }
            for item in summary.requirements
        ],
    }


def _searched(place: SearchPlace, question: str) -> dict[str, Any]:
    return {
        "kind": place.kind.replace(" ", "_").lower(),
        "name": place.name or None,
        "region": place.region or None,
        "account": place.account or None,
        "days": None if isinstance(place.days, Refusal) else place.days,
        "since": place.since or None,
        "regions": list(place.reaches(question)),
        "unknown": [name for name, found in place.answers[question].items() if isinstance(found, Refusal)],
    }


def _finding(finding: Finding, report: Report) -> dict[str, Any]:
    known = report.first_seen
    first = None if known is None else known.get(finding.fingerprint, report.evidence.header.ended)
    return {
        "fingerprint": finding.fingerprint,
        "check": finding.check,
        "title": finding.title,
        "severity": finding.severity.value,
        "verdict": finding.verdict.value,
        "waived": finding.waived,
        "account": finding.account,
        "why": finding.why,
        "maps_to": msgspec.to_builtins(finding.maps_to),
        "first_seen": first if finding.verdict is Verdict.FAIL else None,
        "places": [_place(place) for place in finding.places],
        "fix": _fix(finding.fix),
    }


def _place(place: Place) -> dict[str, Any]:
    return {
        "fingerprint": place.fingerprint,
        "region": place.region,
        "resource": place.resource,
        "verdict": place.verdict.value,
        "reason": place.reason,
        "facts": place.facts,
        "owner": place.owner or None,
        "waiver": msgspec.to_builtins(place.waiver) if place.waiver else None,
        "in_baseline": place.known,
        "fix": _fix(place.fix),
    }


def _fix(fix: Fix | None) -> dict[str, Any] | None:
    if fix is None:
        return None
    return {
        "argv": None if fix.argv is None else [list(argv) for argv in fix.argv],
        "shell": fix.shell,
        "steps": list(fix.steps),
        "effect": fix.effect,
        "cost": fix.cost,
        "undo": fix.undo,
        "permissions": list(fix.permissions),
        "needs": list(fix.needs),
        "account": fix.account,
        "region": fix.region,
        "after": list(fix.after),
        "terraform": fix.terraform,
    }
