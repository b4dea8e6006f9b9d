"""Baselines: the gaps of one day, by fingerprint only, so that a gate can ask for what is new."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from postureaudit.errors import BaselineError
from postureaudit.findings import Finding, Verdict
from postureaudit.results import Result, SeenFinding

VERSION = 1


class Baseline(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Open gaps by fingerprint: each finding's with those of its places. No names: the file can be committed."""

    version: int
    findings: dict[str, tuple[str, ...]]

    def text(self) -> str:
        """The file: sorted, so that a change is a readable difference."""
        found = {key: sorted(places) for key, places in sorted(self.findings.items())}
        return json.dumps({"version": self.version, "findings": found}, indent=1) + "\n"

    def places(self) -> frozenset[str]:
        """The fingerprints of all places."""
        return frozenset(place for places in self.findings.values() for place in places)


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """A run against a baseline, by place: how many gaps are new, old, resolved, or could not be checked again."""

    findings: tuple[Finding, ...]
    new: int
    old: int
    resolved: tuple[str, ...]
    not_rechecked: tuple[str, ...]


def load(path: Path) -> Baseline:
    """Read a baseline. Raises BaselineError for a file that is none."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BaselineError(
            f"cannot read baseline {path}: {error.strerror}",
            hint="write one with: postureaudit baseline write",
        ) from error
    try:
        found = msgspec.json.decode(data, type=Baseline)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BaselineError(
            f"{path} is no baseline: {error}", hint="write one with: postureaudit baseline write"
        ) from error
    if found.version != VERSION:
        raise BaselineError(f"{path} is a baseline of version {found.version}", hint=f"this reads {VERSION}")
    return found


def of(result: Result) -> Baseline:
    """The open gaps of a result."""
    found = {
        item.fingerprint: tuple(place.fingerprint for place in item.places if place.open)
        for item in result.findings
    }
    return Baseline(version=VERSION, findings={key: places for key, places in found.items() if places})


def compare(baseline: Baseline, findings: Iterable[Finding], *, whole: bool) -> Compared:
    """Mark the gaps that the baseline knows.

    `whole` says that every region of the account was audited: only then is a place that is gone resolved. What is
    unknown now, or belongs to a check that did not run, was not checked again, and never counts as resolved.
    """
    known = baseline.places()
    marked = tuple(_marked(finding, known) for finding in findings)
    states = _states(baseline, {finding.fingerprint: finding for finding in marked}, whole=whole)
    failing = [
        place
        for item in marked
        for place in item.places
        if place.verdict is Verdict.FAIL and not place.waiver
    ]
    return Compared(
        findings=marked,
        new=sum(not place.known for place in failing),
        old=sum(place.known for place in failing),
        resolved=tuple(sorted(key for key, state in states.items() if state == "resolved")),
        not_rechecked=tuple(sorted(key for key, state in states.items() if state == "not re-checked")),
    )


def pruned(baseline: Baseline, result: Result) -> tuple[Baseline, int]:
    """The baseline without what a result shows as resolved, and how many that were.

    Resolved as compare() has it: it passes, does not apply any more, or is gone from a run of all regions.
    """
    whole = not result.run.regions.excluded
    states = _states(baseline, result.by_fingerprint(), whole=whole)
    kept = {
        key: tuple(place for place in places if states[place] != "resolved")
        for key, places in baseline.findings.items()
    }
    before, after = (sum(map(len, found.values())) for found in (baseline.findings, kept))
    found = {key: places for key, places in kept.items() if places}
    return Baseline(version=VERSION, findings=found), before - after


def _marked(finding: Finding, known: frozenset[str]) -> Finding:
    places = tuple(
        msgspec.structs.replace(place, known=True)
        if place.verdict is Verdict.FAIL and place.fingerprint in known
        else place
        for place in finding.places
    )
    return msgspec.structs.replace(finding, places=places)


def _states(
    baseline: Baseline, findings: Mapping[str, Finding] | Mapping[str, SeenFinding], *, whole: bool
) -> dict[str, str]:
    states: dict[str, str] = {}
    for key, places in baseline.findings.items():
        finding = findings.get(key)
        here: dict[str, Verdict] = (
            {} if finding is None else {place.fingerprint: place.verdict for place in finding.places}
        )
        blind = finding is None or Verdict.UNKNOWN in here.values()
        for name in places:
            verdict = here.get(name)
            if verdict is None:
                states[name] = "not re-checked" if blind or not whole else "resolved"
            elif verdict is Verdict.UNKNOWN:
                states[name] = "not re-checked"
            elif verdict is not Verdict.FAIL:
                states[name] = "resolved"
            else:
                states[name] = "old"
    return states
