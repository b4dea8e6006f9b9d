"""Waivers: a gap accepted for a while, with an owner and a reason. They never make a pass, and they expire."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from postureaudit.errors import WaiverError
from postureaudit.findings import Finding, Place, Verdict, Waived

if TYPE_CHECKING:
    from postureaudit.catalog import Catalog
    from postureaudit.results import Result, SeenFinding

LONGEST = 366  # days from created to expires
SOON = 14  # days before expiry from which a warning is given


class Waiver(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One accepted gap. `check` is an id or a family ("config.*"); regions and resources are anchored globs
    with * and ?."""

    id: str
    check: str
    reason: str
    owner: str
    expires: str
    created: str = ""
    ticket: str = ""
    accounts: tuple[str, ...] = ("*",)
    regions: tuple[str, ...] = ("*",)
    resources: tuple[str, ...] = ("*",)
    covers: tuple[str, ...] = ("gap",)

    def fits(self, finding: Finding, place: Place) -> bool:
        """Whether it is for this place, whatever the day."""
        return self.covering(finding.check, finding.account, place.region, place.resource, place.verdict)

    def covering(
        self, check: str, account: str, region: str | None, resource: str | None, verdict: Verdict
    ) -> bool:
        """Whether it is for a place with this verdict, whatever the day."""
        verdicts = {"gap": Verdict.FAIL, "unknown": Verdict.UNKNOWN}
        return (
            fnmatchcase(check, self.check)
            and verdict in [verdicts[name] for name in self.covers]
            and _any(account, self.accounts)
            and _any(region or "", self.regions)
            and _any(resource or "", self.resources)
        )


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """Findings with their waivers, the warnings to print, and how many waivers were used."""

    findings: tuple[Finding, ...]
    warnings: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    used: tuple[str, ...] = ()


def load(path: Path) -> tuple[Waiver, ...]:
    """Read a waivers file. Raises WaiverError with file:line for anything that is not strict."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WaiverError(
            f"cannot read waivers {path}: {getattr(error, 'strerror', None) or error}",
            hint="name a waivers file",
        ) from error
    return parse(text, name=str(path))


def parse(text: str, *, name: str) -> tuple[Waiver, ...]:
    """Waivers from the text of a waivers file."""
    from postureaudit import strict_yaml

    data, lines = strict_yaml.load_marked(text, name=name, error=WaiverError)
    if not isinstance(data, dict) or data.get("version") != 1 or set(data) - {"version", "waivers"}:
        raise WaiverError(f"{name}:1: a waivers file has version: 1 and waivers:", hint="see the README")
    found: dict[str, Waiver] = {}
    listed = data.get("waivers") or []
    if not isinstance(listed, list):
        raise WaiverError(
            f"{name}:{lines.get(('waivers',), 1)}: waivers is a list", hint='each starts with "- id:"'
        )
    for index, item in enumerate(listed):
        line = lines.get(("waivers", index), 1)
        waiver = _waiver(item, f"{name}:{line}")
        if waiver.id in found:
            raise WaiverError(f"{name}:{line}: waiver {waiver.id!r} is there twice")
        found[waiver.id] = waiver
    return tuple(found.values())


def _waiver(item: Any, where: str) -> Waiver:
    try:
        waiver = msgspec.convert(item, Waiver)
    except msgspec.ValidationError as error:
        raise WaiverError(
            f"{where}: {error}", hint='account ids are quoted: accounts: ["111122223333"]'
        ) from error
    problem = _problem(waiver)
    if problem:
        raise WaiverError(f"{where}: waiver {waiver.id!r}: {problem}")
    return waiver


def _problem(waiver: Waiver) -> str:
    if not (waiver.id and waiver.owner.strip() and waiver.reason.strip()):
        return "id, owner and reason may not be empty"
    if not re.fullmatch(r"[a-z0-9-]+\.([a-z0-9-]+|\*)", waiver.check):
        return f'check {waiver.check!r} is neither an id nor a family such as "config.*"'
    if set(waiver.covers) - {"gap", "unknown"} or not waiver.covers:
        return "covers takes gap and unknown"
    if any(account != "*" and not re.fullmatch(r"\d{12}", account) for account in waiver.accounts):
        return "an account is 12 digits in quotes"
    expires, created = _day(waiver.expires), _day(waiver.created) if waiver.created else None
    if expires is None or (waiver.created and created is None):
        return "created and expires are days: 2026-12-31"
    if created and not datetime.timedelta(0) <= expires - created <= datetime.timedelta(LONGEST):
        return f"expires at most {LONGEST} days after created"
    return ""


def _day(text: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return None


def apply(
    findings: Iterable[Finding],
    waivers: Sequence[Waiver],
    *,
    today: datetime.date,
    left_out: Iterable[str] = (),
) -> Applied:
    """Mark the places that a waiver covers on this day. Verdicts stay what they are.

    A waiver that covers nothing is unused only where this run looked: not for checks, accounts or regions that are not
    in it (`left_out` are regions of the account that were not audited), and not where a place of it is unknown now.

    Raises WaiverError for a waiver that outlasts a year from this day: it would never come up again.
    """
    for waiver in waivers:
        if datetime.date.fromisoformat(waiver.expires) - today > datetime.timedelta(LONGEST):
            raise WaiverError(
                f"waiver {waiver.id!r} lasts until {waiver.expires}, more than {LONGEST} days from today",
                hint="choose an earlier day; it can be renewed",
            )
    findings, used, left_out = tuple(findings), set[str](), tuple(left_out)
    marked = tuple(_marked(finding, waivers, today, used) for finding in findings)
    warnings, unused = [], []
    for waiver in waivers:
        left = (datetime.date.fromisoformat(waiver.expires) - today).days
        ticket = f" ({waiver.ticket})" if waiver.ticket else ""
        if left < 0:
            warnings.append(
                f"waiver {waiver.id} for {waiver.check} expired on {waiver.expires}: ask {waiver.owner}{ticket}"
            )
        elif waiver.id not in used and not _looked(waiver, findings, left_out):
            continue  # that says nothing about it
        elif waiver.id not in used:
            unused.append(waiver.id)
            warnings.append(f"waiver {waiver.id} for {waiver.check} matches nothing: remove it")
        elif left <= SOON:
            warnings.append(f"waiver {waiver.id} expires in {left} days: ask {waiver.owner}{ticket}")
    return Applied(findings=marked, warnings=tuple(warnings), unused=tuple(unused), used=tuple(sorted(used)))


def lint(
    waivers: Sequence[Waiver], catalog: Catalog, *, today: datetime.date, result: Result | None = None
) -> list[str]:
    """What a reviewer should know, a sentence each: expired, for no check that exists, too broad, or unused.

    Too broad is a family of checks in every account, region and resource. Unused is told by a JSON result.
    """
    from postureaudit.errors import UsageError

    problems = []
    for waiver in waivers:
        where = f"waiver {waiver.id}"
        if datetime.date.fromisoformat(waiver.expires) < today:
            problems.append(f"{where} expired on {waiver.expires}: renew or remove it (ask {waiver.owner})")
        try:
            catalog.select(only=[waiver.check])
        except UsageError as error:
            problems.append(f"{where}: {error.message}; {error.hint}")
            continue
        if (
            waiver.check.endswith(".*")
            and (waiver.accounts, waiver.regions, waiver.resources) == (("*",),) * 3
        ):
            problems.append(f"{where} is too broad: all of {waiver.check} everywhere; name checks or places")
        if (
            result is not None
            and not any(_hits(waiver, item) for item in result.findings)
            and _looked(waiver, result.findings, result.run.regions.excluded)
        ):
            problems.append(f"{where} matches nothing in the result: remove it")
    return problems


def _hits(waiver: Waiver, seen: SeenFinding) -> bool:
    return any(
        waiver.covering(seen.check, seen.account, place.region, place.resource, place.verdict)
        for place in seen.places
    )


def _looked(
    waiver: Waiver, findings: Sequence[Finding] | Sequence[SeenFinding], left_out: Iterable[str]
) -> bool:
    """Whether a run looked at all that a waiver is for: its checks, accounts and regions, each with an answer."""
    own = [item for item in findings if fnmatchcase(item.check, waiver.check)]
    accounts = {item.account for item in own}
    if not any(_any(name, waiver.accounts) for name in accounts):
        return False
    if any(account != "*" and account not in accounts for account in waiver.accounts):
        return False  # one file for several accounts: another run may need it
    if any(_any(name, waiver.regions) for name in left_out):
        return False
    return not any(
        place.verdict is Verdict.UNKNOWN
        and _any(place.region or "", waiver.regions)
        and (place.resource == "*" or _any(place.resource or "", waiver.resources))
        for item in own
        if _any(item.account, waiver.accounts)
        for place in item.places
    )


def _marked(finding: Finding, waivers: Sequence[Waiver], today: datetime.date, used: set[str]) -> Finding:
    from postureaudit import fixes

    places = tuple(_covered(finding, place, waivers, today, used) for place in finding.places)
    failing = [place for place in places if place.verdict is Verdict.FAIL]
    return msgspec.structs.replace(
        finding,
        places=places,
        waived=bool(failing) and all(place.waiver for place in failing),
        fix=fixes.combined(failing),
    )


def _covered(
    finding: Finding, place: Place, waivers: Sequence[Waiver], today: datetime.date, used: set[str]
) -> Place:
    for waiver in waivers:
        if today <= datetime.date.fromisoformat(waiver.expires) and waiver.fits(finding, place):
            used.add(waiver.id)
            quoted = Waived(
                id=waiver.id,
                owner=waiver.owner,
                reason=waiver.reason,
                expires=waiver.expires,
                ticket=waiver.ticket,
            )
            return msgspec.structs.replace(place, waiver=quoted)
    return place


def _any(text: str, globs: Iterable[str]) -> bool:
    # Only * and ? are wildcards: a name with [ ] in it, written out, means itself.
    return any(fnmatchcase(text, glob.replace("[", "[[]")) for glob in globs)
