"""How a trail's deliveries are doing, and the log group that it delivers to."""

from __future__ import annotations

import msgspec

from postureaudit.evidence import Outcome, Refusal, RefusalKind, heavier
from postureaudit.resources import View, body, malformed, member
from postureaudit.services import buckets
from postureaudit.services.cloudtrail import coverage
from postureaudit.services.cloudtrail.asks import group_asks, log_group
from postureaudit.services.cloudtrail.coverage import Trail
from postureaudit.services.times import age_hours

NEVER = buckets.NEVER
_FIRST = 24  # hours that a trail gets for its first delivery after it was started


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """How a delivery is doing: on, its last error ("" for none), hours since the last one (null: never).

    `On` and `AgeHours` are the home region's: a region where nothing happens delivers nothing, and is not ill.
    `Error` is the home region's, else that of any region that lists the trail ("AccessDenied in eu-west-1"): a
    multi-region trail delivers from each region on its own, and GetTrailStatus tells of the one it is asked in.
    """

    On: bool | Refusal
    Error: str | Refusal
    AgeHours: float | Refusal | None


class LogGroup(msgspec.Struct, frozen=True, kw_only=True):
    """The trail's log group: RetentionDays 36500 means for ever."""

    Name: str
    Region: str
    RetentionDays: int | Refusal


def delivery(view: View, trail: Trail, status: Outcome, when: str, error: str) -> Delivery:
    """A delivery at the trail's home, with the errors of the other regions."""
    found = body(status)
    if isinstance(found, Refusal):
        return Delivery(On=found, Error=found, AgeHours=found)
    record = view.record("cloudtrail:GetTrailStatus", trail.home, Name=trail.arn)
    at = record.at if record else ""
    age = age_hours(found.get(when), at)
    started = age_hours(found.get("StartLoggingTime"), at)
    if started is not None and started <= _FIRST and (age is None or age > started):
        age = None  # it was started a while ago and has had no time to deliver since
    elif age is None and when == "LatestDeliveryTime":
        age = started  # never; digests and logs may have been turned on later than the trail: not known
    return Delivery(On=found.get("IsLogging") is True, Error=_error(view, trail, error), AgeHours=age)


def _error(view: View, trail: Trail, name: str) -> str | Refusal:
    """The error of the first region that reports one; "" when none does, or the refusal that may hide one.

    Where the trail is stopped, an error is an old one: that it records nothing there is another check's finding.
    """
    hidden: Refusal | None = None
    for region in (trail.home, *sorted(trail.seen_in - {trail.home})):
        found = body(coverage.status(view, trail, region))
        if isinstance(found, Refusal):
            hidden = heavier(hidden, found)
        elif found.get(name) and (region == trail.home or found.get("IsLogging") is True):
            return str(found[name]) if region == trail.home else f"{found[name]} in {region}"
    return "" if hidden is None else hidden


def foreign(view: View, trail: Trail, call: str, region: str, owner: str) -> Refusal:
    """What is not known of a trail's log group in another account."""
    text = f"the log group is in account {owner}"
    hidden = Refusal(RefusalKind.NOT_COLLECTED, message=text, call=call, region=region)
    found = coverage.its_own(view, trail.arn, hidden, f"account {owner}")
    assert isinstance(found, Refusal)
    return found


def group(view: View, trail: Trail) -> LogGroup:
    for ask in group_asks(trail.body):
        name, region = str(ask.params["logGroupNamePrefix"]), str(ask.region)
        groups = member(view.outcome(ask.call, region, **ask.params), "logGroups", [])
        if isinstance(groups, Refusal):
            return LogGroup(Name=name, Region=region, RetentionDays=groups)
        owner = log_group(trail.body)[2]
        days: int | Refusal = malformed(ask.call, region, "no such log group")
        if owner != view.account:
            days = foreign(view, trail, ask.call, region, owner)
        for item in groups:
            if item.get("logGroupName") != name or owner != view.account:
                continue
            if item.get("retentionPolicyName") and not item.get("retentionInDays"):
                days = malformed(ask.call, region, "an account policy sets the retention")
            else:
                days = int(item.get("retentionInDays") or NEVER)
        return LogGroup(Name=name, Region=region, RetentionDays=days)
    return LogGroup(Name="", Region="", RetentionDays=0)
