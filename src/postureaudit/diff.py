"""Two results compared by name: which gaps are new, fixed, still there, or could not be checked again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from postureaudit.findings import Verdict
from postureaudit.results import Result, SeenFinding


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one check's gaps between two results: the places, as "region resource", by state."""

    fingerprint: str
    check: str
    title: str
    severity: str
    account: str
    new: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    still: tuple[str, ...] = ()
    not_rechecked: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """As plain data."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found


def diff(old: Result, new: Result) -> list[Change]:
    """What became of each gap: new, fixed, still there, or not checked again; gravest first, then by id.

    A gap is fixed only where the new result says so: its place passes, does not apply, or is gone from a finding whose
    region was audited and whose listing was read.
    """
    before, after = old.by_fingerprint(), new.by_fingerprint()
    audited = frozenset(new.run.regions.audited)
    found = []
    for key in {**after, **before}:
        item = after.get(key) or before[key]
        groups: dict[str, list[str]] = {"new": [], "fixed": [], "still": [], "not_rechecked": []}
        for state, place in _moved(before.get(key), after.get(key), audited):
            groups[state].append(place)
        if any(groups.values()):
            names = {name: tuple(sorted(places)) for name, places in groups.items()}
            found.append(
                Change(
                    fingerprint=key,
                    check=item.check,
                    title=item.title,
                    severity=item.severity.value,
                    account=item.account,
                    new=names["new"],
                    fixed=names["fixed"],
                    still=names["still"],
                    not_rechecked=names["not_rechecked"],
                )
            )
    rank = {item.fingerprint: -item.severity.rank for item in (*old.findings, *new.findings)}
    return sorted(found, key=lambda change: (rank[change.fingerprint], change.check, change.account))


def _moved(
    old: SeenFinding | None, new: SeenFinding | None, audited: frozenset[str]
) -> Iterator[tuple[str, str]]:
    before = (
        {place.fingerprint: place for place in old.places if place.verdict is Verdict.FAIL} if old else {}
    )
    after = {place.fingerprint: place for place in new.places} if new else {}
    for key, place in {**after, **before}.items():
        name = " ".join(part for part in (place.region or "account-wide", place.resource) if part)
        now = after.get(key)
        if key not in before:
            if now is not None and now.verdict is Verdict.FAIL:
                yield "new", name
        elif now is not None and now.verdict is Verdict.FAIL:
            yield "still", name
        elif now is None:
            gone = new is not None and _looked(place.region, new, audited)
            yield ("fixed" if gone else "not_rechecked"), name
        else:
            yield ("not_rechecked" if now.verdict is Verdict.UNKNOWN else "fixed"), name


def _looked(region: str | None, new: SeenFinding, audited: frozenset[str]) -> bool:
    """Whether a place that is gone would have been seen: its region was audited, and nothing there is hidden."""
    hidden = any(place.verdict is Verdict.UNKNOWN and place.region in (region, None) for place in new.places)
    return (region is None or region in audited) and not hidden
