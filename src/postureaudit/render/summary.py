"""A finding in words that several formats share: where its gaps are, why, and what to do, as plain text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from postureaudit.findings import Finding, Fix, Place, Verdict
from postureaudit.render.neutral import lines
from postureaudit.report import Report


def open_places(finding: Finding) -> tuple[Place, ...]:
    """The places with a gap that no waiver covers."""
    return tuple(place for place in finding.having(Verdict.FAIL) if not place.waiver)


def waived_places(finding: Finding) -> tuple[Place, ...]:
    """The places with a gap that a waiver covers."""
    return tuple(place for place in finding.having(Verdict.FAIL) if place.waiver)


def where(places: Iterable[Place]) -> str:
    """The places in a few words: "account-wide", a region, a region and its resource, or how many regions."""
    found = list(places)
    regions = sorted({place.region for place in found if place.region})
    if not regions:
        return "account-wide"
    if len(regions) > 1:
        return f"{len(regions)} regions"
    subjects = sorted({place.resource for place in found if place.resource})
    return f"{regions[0]}: {subjects[0]}" if len(subjects) == 1 else regions[0]


def subject(place: Place) -> str:
    """One place by name: its resource where it has one, and its region."""
    return " ".join(part for part in (place.region or "account-wide", place.resource) if part)


def reasons(places: Iterable[Place]) -> tuple[str, ...]:
    """The distinct reasons of these places, in order."""
    return tuple(dict.fromkeys(place.reason for place in places if place.reason))


def headline(finding: Finding) -> str:
    """One sentence: what is not so, and where."""
    return f"{finding.title}: not so in {where(open_places(finding) or finding.having(Verdict.FAIL))}"


def references(finding: Finding) -> tuple[str, ...]:
    """The requirements of frameworks that the check maps to: "cis-7.0 4.2"."""
    return tuple(f"{name} {number}" for name, numbers in finding.maps_to.items() for number in numbers)


def fix_lines(fix: Fix | None) -> Iterator[tuple[str, str]]:
    """What a fix says beside its commands, as (label, text)."""
    if fix is None:
        return
    pairs = (
        ("Effect", fix.effect),
        ("Cost", fix.cost),
        ("Needs", ", ".join(fix.permissions)),
        ("Set first", ", ".join(fix.needs)),
        ("Account", fix.account),
        ("Undo", fix.undo),
    )
    yield from ((label, text) for label, text in pairs if text)


def remedy(fix: Fix) -> str:
    """The commands of a fix, one a line, and what is to be done by hand: inert text."""
    return lines("\n".join([*fix.shell.splitlines(), *(" ".join(step.split()) for step in fix.steps)]))


def roles(report: Report) -> Iterator[str]:
    """What each account is in its organization, as far as that is known."""
    several = len(report.roles) > 1
    for account, found in report.roles.items():
        if found.Own:
            yield f"role{f' of {account}:' if several else ''} {', '.join(found.Own)}"


def baseline_line(report: Report) -> str:
    """The run against the baseline, by place; "" without one."""
    found = report.baseline
    if found is None:
        return ""
    parts = [f"{found.new} new, {found.old} old"]
    if found.resolved:
        parts.append(f"{len(found.resolved)} resolved (postureaudit baseline prune)")
    if found.not_rechecked:
        parts.append(f"{len(found.not_rechecked)} not checked again")
    return ", ".join(parts)


def run_line(report: Report) -> str:
    """Who was audited, when, and over what."""
    header = report.evidence.header
    accounts = ", ".join(item.id + (f" ({item.name})" if item.name else "") for item in header.accounts)
    return f"account {accounts}, {len(header.regions.audited)} regions, as of {header.ended}"
