"""Whether CloudTrail's everyday questions can be answered here, and how far back."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from postureaudit.evidence import Refusal, heavier
from postureaudit.resources import View
from postureaudit.services.cloudtrail import coverage
from postureaudit.services.cloudtrail.asks import log_group
from postureaudit.services.cloudtrail.delivery import NEVER, group
from postureaudit.services.cloudtrail.searching import (
    HISTORY_DAYS,
    LOG_GROUP,
    QUESTIONS,
    Place,
    Question,
    history,
    needed,
    places,
    security_lakes,
    stores_of,
)


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """How far back a question can be answered.

    `Days` back in every region at least; `Settled`: no further than this, whatever a refused answer hides (36500: no
    region is settled). `Hidden` is the refusal that stands between the two, else false. `Missing` are the regions
    whose events are known to be in no place but event history. `Elsewhere` is the account
    whose log group has the events.
    """

    Days: int
    Settled: int
    Hidden: bool | Refusal
    Missing: list[str]
    Elsewhere: str


class Collector(msgspec.Struct, frozen=True, kw_only=True):
    """The account's own trail that would bring the events, and its log group; `Group` is "" where it has none."""

    TrailARN: str
    HomeRegion: str
    Multi: bool
    Group: str
    Days: int | Refusal


class Investigation(msgspec.Struct, frozen=True, kw_only=True):
    """How far back each question reaches."""

    Deletions: Reach
    Access: Reach
    IamChanges: Reach
    Collector: Collector


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """A question, the regions that it needs, how far back it reaches, and the places that have its events."""

    question: Question
    regions: tuple[str, ...]
    reach: Reach
    places: tuple[Place, ...]


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """What an account can answer. `ended` is when the evidence was complete: ages count back from there."""

    account: str
    partition: str
    leader: str
    ended: str
    answered: tuple[Answered, ...]


def account(view: View) -> Account | None:
    """The three questions of an account; None where nobody asked for its trails."""
    if not any(view.evidence.of("cloudtrail:DescribeTrails", view.account, name) for name in view.regions):
        return None
    known = (*places(view), *security_lakes(view))
    return Account(
        account=view.account,
        partition=view.partition,
        leader=view.leader,
        ended=view.evidence.header.ended,
        answered=tuple(
            Answered(
                question=question,
                regions=needed(view, question),
                reach=reach(view, question),
                places=tuple(
                    place
                    for place in (*known, history(view))
                    if any(found is not False for found in place.answers[question.id].values())
                ),
            )
            for question in QUESTIONS
        ),
    )


def investigation(view: View) -> Investigation:
    """The facts of the three questions."""
    found = [reach(view, question) for question in QUESTIONS]
    return Investigation(Deletions=found[0], Access=found[1], IamChanges=found[2], Collector=_collector(view))


def _collector(view: View) -> Collector:
    own = coverage.own(view)
    if not own:
        return Collector(TrailARN="", HomeRegion="", Multi=False, Group="", Days=0)
    return Collector(
        TrailARN=own[0].arn,
        HomeRegion=own[0].home,
        Multi=own[0].multi,
        Group=log_group(own[0].body)[0],
        Days=group(view, own[0]).RetentionDays,
    )


def reach(view: View, question: Question) -> Reach:
    """How far back a question can be answered in all regions that it needs."""
    known: dict[str, int] = {}
    found_in: set[str] = set()
    hidden: dict[str, Refusal] = {}
    for region in needed(view, question):
        known[region] = HISTORY_DAYS
        for place in places(view):
            arrives = place.answers[question.id].get(region, False)
            if isinstance(arrives, Refusal):
                hidden[region] = heavier(hidden.get(region), arrives)
            elif arrives and isinstance(place.days, Refusal):
                hidden[region] = heavier(hidden.get(region), place.days)
            elif arrives and not isinstance(place.days, Refusal):
                known[region] = max(known[region], place.days)
            if arrives is True:
                found_in.add(region)
        for refusal in _unlisted(view, region):
            hidden[region] = heavier(hidden.get(region), refusal)
    days = min(known.values(), default=HISTORY_DAYS)
    joined: Refusal | None = None
    for region, refusal in hidden.items():
        if known[region] < NEVER:
            joined = heavier(joined, refusal)
    return Reach(
        Days=days,
        Settled=min((found for region, found in known.items() if region not in hidden), default=NEVER),
        Hidden=False if joined is None else joined,
        Missing=[region for region in known if region not in found_in],
        Elsewhere=_elsewhere(view, question) if days <= HISTORY_DAYS else "",
    )


def _unlisted(view: View, region: str) -> Iterable[Refusal]:
    """Lists that were refused and may hide a place: trails of this region, data stores of any region."""
    trails = coverage.listed(view, region)
    if isinstance(trails, Refusal):
        yield trails
    for name in view.regions:
        stores = stores_of(view, name)
        if isinstance(stores, Refusal):
            yield stores


def _elsewhere(view: View, question: Question) -> str:
    """The account whose log group gets the events of every region that the question needs; "" for none."""
    for place in places(view):
        if place.kind == LOG_GROUP and place.account not in ("", view.account):
            found = place.answers[question.id]
            if all(found.get(region) is True for region in needed(view, question)):
                return place.account
    return ""
