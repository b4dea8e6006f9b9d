"""Which events are recorded where, all trails together: a stopped trail covers nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from postureaudit.evidence import Json, Outcome, Refusal, RefusalKind
from postureaudit.resources import View, all_of, any_of, body, member
from postureaudit.services.cloudtrail import selectors
from postureaudit.services.cloudtrail.asks import TRAILS, home_region
from postureaudit.services.cloudtrail.selectors import EXCLUDABLE, READ, WRITE, Selected

T = TypeVar("T")
LIST_CALLS = ("cloudtrail:DescribeTrails",)
STATUS_CALLS = (*LIST_CALLS, "cloudtrail:GetTrailStatus")
EVENT_CALLS = (*STATUS_CALLS, "cloudtrail:GetEventSelectors")


class Trail(msgspec.Struct, frozen=True):
    """A trail as AWS describes it, with what it records and the regions that listed it."""

    arn: str
    home: str
    body: dict[str, Json]
    records: tuple[Selected, ...] | Refusal
    seen_in: frozenset[str]

    @property
    def owner(self) -> str:
        return self.arn.split(":")[4] if self.arn.count(":") >= 5 else ""

    @property
    def multi(self) -> bool:
        return self.body.get("IsMultiRegionTrail") is True


def listed(view: View, region: str) -> list[dict[str, Json]] | Refusal:
    """The trails that a region lists, shadows included; the refusal when it would not say."""
    found = member(view.outcome(TRAILS.call, region, **TRAILS.params), "trailList", [])
    if isinstance(found, Refusal):
        return found
    return [item for item in found if isinstance(item, dict) and item.get("TrailARN")]


def trails(view: View) -> tuple[Trail, ...]:
    """Every trail that any audited region lists, once, by ARN."""
    return view.memo(_trails)


def _trails(view: View) -> tuple[Trail, ...]:
    bodies: dict[str, dict[str, Json]] = {}
    seen: dict[str, set[str]] = {}
    for region in view.regions:
        found = listed(view, region)
        for item in [] if isinstance(found, Refusal) else found:
            bodies.setdefault(item["TrailARN"], item)
            seen.setdefault(item["TrailARN"], set()).add(region)
    return tuple(
        Trail(arn, home_region(item), item, _records(view, item), frozenset(seen[arn]))
        for arn, item in sorted(bodies.items())
    )


def _records(view: View, item: dict[str, Json]) -> tuple[Selected, ...] | Refusal:
    home = home_region(item)
    outcome = _asked(view, "cloudtrail:GetEventSelectors", home, item["TrailARN"], "TrailName")
    found = selectors.selected(item, outcome, view.partition)
    return its_own(view, str(item["TrailARN"]), found) if isinstance(found, Refusal) else found


# What an account reads of a trail, bucket or key that is not its own where only the owner is told.
_NOT_TOLD = (RefusalKind.DENIED, RefusalKind.NOT_COLLECTED)
_NO_SUCH_TRAIL = "TrailNotFoundException"


def its_own(view: View, arn: str, found: T, where: str = "") -> T | Refusal:
    """A fact of a trail; what only its owner is told of an organization's trail, another account is sent there for.

    GetEventSelectors and GetInsightSelectors know no trail of another account, and its key, log group and bucket are
    its owner's or the log archive's to show. `where` is the account to look in, the owner's unless another is said.
    """
    owner = arn.split(":")[4] if arn.count(":") >= 5 else ""
    if not isinstance(found, Refusal) or owner in ("", view.account):
        return found
    if found.kind not in _NOT_TOLD and found.code != _NO_SUCH_TRAIL:
        return found
    text = f"AWS tells this only in the account of the organization's trail: look in {where or f'account {owner}'}"
    return Refusal(RefusalKind.ELSEWHERE, found.code, text, found.call, found.region)


def status(view: View, trail: Trail, region: str) -> Outcome:
    """GetTrailStatus of a trail, asked in a region: it answers for that region only."""
    return _asked(view, "cloudtrail:GetTrailStatus", region, trail.arn, "Name")


def _asked(view: View, call: str, region: str, arn: str, name: str) -> Outcome:
    """What this account is told of a trail, else what its owner is, where that account was read in the same run."""
    outcome = view.outcome(call, region, **{name: arn})
    owner = view.other(arn.split(":")[4]) if arn.count(":") >= 5 else None
    if owner is None or not isinstance(outcome, Refusal):
        return outcome
    told = owner.outcome(call, region, **{name: arn})
    return outcome if isinstance(told, Refusal) else told


def logging(view: View, trail: Trail, region: str) -> bool | Refusal:
    """Whether the trail records this region's events.

    A multi-region trail that is logging where it could be asked covers a region that refused to answer.
    """
    here = _is_logging(status(view, trail, region))
    if not isinstance(here, Refusal) or not trail.multi:
        return here
    others = [
        _is_logging(status(view, trail, name)) for name in sorted({trail.home, *trail.seen_in} - {region})
    ]
    return True if True in others else here


def _is_logging(outcome: Outcome) -> bool | Refusal:
    found = body(outcome)
    return found if isinstance(found, Refusal) else found.get("IsLogging") is True


def covered(
    view: View, region: str, fact: Callable[[Trail], bool | Refusal] = lambda trail: True
) -> bool | Refusal:
    """Whether a trail that logs in this region has the fact: true, false, or the refusal that hides it."""
    here = listed(view, region)
    unlisted = isinstance(here, Refusal)  # a list that was given shows every trail that records there
    candidates = [trail for trail in trails(view) if region in trail.seen_in or (unlisted and trail.multi)]
    found: list[bool | Refusal] = [
        all_of([logging(view, trail, region), fact(trail)]) for trail in candidates
    ]
    return any_of([*found, *([here] if isinstance(here, Refusal) else [])])


def recording(category: str, *kinds: str, source: str = "") -> Callable[[Trail], bool | Refusal]:
    """A fact for covered(): the trail records all events of this category, kinds and source."""

    def fact(trail: Trail) -> bool | Refusal:
        if isinstance(trail.records, Refusal):
            return trail.records
        return all(selectors.records(trail.records, category, kind, source) for kind in kinds)

    return fact


def management(view: View, region: str, *, source: str = "") -> bool | Refusal:
    """Reads and writes are both recorded here, whichever trail does it."""
    return all_of(
        covered(view, region, recording("management", kind, source=source)) for kind in (READ, WRITE)
    )


def writes(trail: Trail, *, source: str, globally: bool = False) -> bool | Refusal:
    """The trail records the changes that callers of this event source make.

    `globally`: the event belongs to a global service (IAM, Organizations, root sign-in), which a trail leaves out
    unless it includes global service events.
    """
    if globally and trail.body.get("IncludeGlobalServiceEvents") is not True:
        return False
    return recording("management", WRITE, source=source)(trail)


def everywhere(view: View, category: str, kind: str) -> bool | Refusal:
    """All data events of this category and kind are recorded in every audited region."""
    return all_of(covered(view, region, recording(category, kind)) for region in view.regions)


def left_out(view: View, region: str) -> list[str]:
    """The excludable sources that no logging trail is known to record here."""
    return [source for source in EXCLUDABLE if management(view, region, source=source) is False]


def own(view: View, region: str = "") -> tuple[Trail, ...]:
    """The trails of the account being judged, the best one to build on first: multi-region, logging, at home.

    For a region: before all others those that log there, then those that would if they were started.
    """
    mine = [trail for trail in trails(view) if trail.owner == view.account]

    def rank(trail: Trail) -> tuple[bool, bool, bool, bool, bool, str]:
        here = not region or logs_in(view, trail, region) is True
        near = not region or reaches(trail, region)
        on = logging(view, trail, trail.home) is True
        return (not here, not near, not trail.multi, not on, trail.home != view.leader, trail.arn)

    return tuple(sorted(mine, key=rank))


def reaches(trail: Trail, region: str) -> bool:
    """Whether the trail is made to record this region, be it logging or not."""
    return trail.multi or region in trail.seen_in or region == trail.home


def logs_in(view: View, trail: Trail, region: str) -> bool | Refusal:
    """Whether the trail reaches this region and logs there."""
    return logging(view, trail, region) if reaches(trail, region) else False
