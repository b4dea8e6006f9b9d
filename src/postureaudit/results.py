"""JSON results of earlier runs, read strictly: what a baseline, a comparison or a ticket's first day is made from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from postureaudit.errors import ResultError
from postureaudit.findings import Severity, Verdict

_MAX_BYTES = 1 << 29


class SeenPlace(msgspec.Struct, frozen=True, kw_only=True):
    """One place of a finding as a result tells it."""

    fingerprint: str
    region: str | None
    resource: str | None
    verdict: Verdict
    waiver: dict[str, str] | None = None

    @property
    def open(self) -> bool:
        """Whether it is a gap that no waiver covers."""
        return self.verdict is Verdict.FAIL and self.waiver is None


class SeenFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One finding as a result tells it; `first_seen` is ISO 8601, None where it has no gap."""

    fingerprint: str
    check: str
    title: str
    severity: Severity
    verdict: Verdict
    account: str
    places: tuple[SeenPlace, ...]
    first_seen: str | None = None


class Unanswered(msgspec.Struct, frozen=True, kw_only=True):
    """A call that was not answered, as a result tells it; `kind` is one of evidence.RefusalKind's values."""

    call: str
    account: str
    region: str
    kind: str
    code: str = ""


class _Regions(msgspec.Struct, frozen=True):
    audited: tuple[str, ...]
    excluded: tuple[str, ...] = ()


class _Run(msgspec.Struct, frozen=True):
    ended: str
    regions: _Regions


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A JSON result, schema 1.x: the parts that are compared."""

    schema_version: str
    run: _Run
    findings: tuple[SeenFinding, ...]
    unknown: tuple[Unanswered, ...] = ()

    def by_fingerprint(self) -> Mapping[str, SeenFinding]:
        """The findings by the name that stays the same from run to run."""
        return {item.fingerprint: item for item in self.findings}

    def first_seen(self) -> dict[str, str]:
        """The day each failing finding was first seen: as this result says, or when its run ended."""
        return {
            item.fingerprint: item.first_seen or self.run.ended
            for item in self.findings
            if item.verdict is Verdict.FAIL
        }


def load(path: Path) -> Result:
    """Read a JSON result. Raises ResultError for a file that is none, or of another major version."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ResultError(f"{path} is too large for a result", hint="name a file that -o json wrote")
        data = path.read_bytes()
    except OSError as error:
        raise ResultError(
            f"cannot read {path}: {error.strerror}", hint="name a file that -o json=FILE wrote"
        ) from error
    try:
        found = msgspec.json.decode(data, type=Result)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ResultError(
            f"{path} is no JSON result of postureaudit: {error}", hint="write one with -o json=FILE"
        ) from error
    if found.schema_version.partition(".")[0] != "1":
        raise ResultError(f"{path} has schema version {found.schema_version}", hint="this version reads 1.x")
    return found
