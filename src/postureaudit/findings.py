"""Severities, verdicts, places and findings, and the fingerprints that name them from run to run."""

from __future__ import annotations

from enum import StrEnum
from hashlib import sha256

import msgspec

from postureaudit.evidence import Json


class Severity(StrEnum):
    """How much a gap matters, most first; `rank` grows with weight."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        return len(Severity) - list(Severity).index(self)


class Verdict(StrEnum):
    """What a check says of a place. People call a fail a gap."""

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"


class Waived(msgspec.Struct, frozen=True, kw_only=True):
    """The waiver that covers a place, as every report quotes it. Dates are ISO (YYYY-MM-DD)."""

    id: str
    owner: str
    reason: str
    expires: str
    ticket: str = ""


class Fix(msgspec.Struct, frozen=True, kw_only=True):
    """How to close a gap at one place: commands, or steps and why no command is safe.

    `argv` is the truth, one list a command, None while a parameter that only the user knows is missing
    (`needs` lists those); `shell` is POSIX, one command a line; `steps` beside them are what no command does. `after`
    names checks to fix first. `terraform` is HCL that does the same as the commands, "" where no one resource does;
    what only the user knows is a variable in it.
    """

    argv: tuple[tuple[str, ...], ...] | None = None
    shell: str = ""
    steps: tuple[str, ...] = ()
    effect: str = ""
    cost: str = ""
    undo: str = ""
    permissions: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    account: str = ""
    region: str | None = None
    after: tuple[str, ...] = ()
    terraform: str = ""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One region or resource that a check judged.

    `resource` is the stable subject (None where the place is the region or the account itself),
    `facts` what the verdict was read from, `fingerprint` names the place.
    """

    fingerprint: str
    region: str | None
    resource: str | None
    verdict: Verdict
    reason: str = ""
    facts: dict[str, Json] = msgspec.field(default_factory=dict)
    owner: str = ""
    waiver: Waived | None = None
    fix: Fix | None = None
    blind: tuple[tuple[str, str, str], ...] = ()  # (call, region, kind) of all refusals behind UNKNOWN
    known: bool = False  # a gap that the baseline has


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One check's verdict on one account, with its places inside: one ticket."""

    fingerprint: str
    check: str
    title: str
    severity: Severity
    verdict: Verdict
    account: str
    why: str
    service: str
    waived: bool = False
    maps_to: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    places: tuple[Place, ...] = ()
    fix: Fix | None = None

    def having(self, verdict: Verdict) -> tuple[Place, ...]:
        """The places with this verdict."""
        return tuple(place for place in self.places if place.verdict is verdict)


def fingerprint(partition: str, account: str, check: str) -> str:
    """Name a finding so that tomorrow's run gives it the same name."""
    return _named(partition, account, check)


def place_fingerprint(partition: str, account: str, check: str, region: str | None, subject: str) -> str:
    """Name a place; the subject must survive re-creation (a region, a name; never a random id)."""
    return _named(partition, account, check, region or "", subject)


def _named(*fields: str) -> str:
    # U+001F is in no id and no ARN, so ("ab", "c") and ("a", "bc") stay apart.
    return "pa1:" + sha256("\x1f".join(("pa1", *fields)).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def overall(verdicts: list[Verdict]) -> Verdict:
    """The verdict of a finding: fail if a place fails, else unknown, else pass, else not_applicable."""
    for verdict in (Verdict.FAIL, Verdict.UNKNOWN, Verdict.PASS):
        if verdict in verdicts:
            return verdict
    return Verdict.NOT_APPLICABLE
