"""The places where CloudTrail's events can be searched: log groups, event data stores, event history, Security Lake."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from postureaudit.evidence import Answer, Json, Refusal, RefusalKind
from postureaudit.resources import View, all_of, any_of, body, malformed, member
from postureaudit.services.cloudtrail import coverage, selectors
from postureaudit.services.cloudtrail.asks import group_asks, log_group
from postureaudit.services.cloudtrail.coverage import EVENT_CALLS, Trail
from postureaudit.services.cloudtrail.delivery import NEVER, delivery, foreign
from postureaudit.services.cloudtrail.selectors import READ, WRITE

STORE_CALLS = ("cloudtrail:ListEventDataStores", "cloudtrail:GetEventDataStore")
CALLS = (*EVENT_CALLS, "logs:DescribeLogGroups", *STORE_CALLS)
# "Viewing recent management events": every region keeps them for 90 days, whatever is set up, and nobody can stop it.
HISTORY_DAYS = 90
LOG_GROUP, STORE, HISTORY, LAKE = "log group", "event data store", "event history", "Security Lake"
_FRESH = 24  # hours since the last delivery, as cloudtrail.cloudwatch-logs has it by default
# Log classes that CloudWatch Logs Insights can query ("Log classes"); DELIVERY only passes events on.
_QUERIED = {"STANDARD": True, "INFREQUENT_ACCESS": True, "": True, "DELIVERY": False}


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """An everyday question. `kinds` of management events answer it; `source` narrows them; `globally`: IAM's events,
    which CloudTrail records in the partition's leader region alone."""

    id: str
    title: str
    kinds: tuple[str, ...]
    source: str = ""
    globally: bool = False


QUESTIONS = (
    Question(id="deletions", title="Who deleted a resource?", kinds=(WRITE,)),
    Question(
        id="access",
        title="Was there unauthorized access, or a console sign-in without MFA?",
        kinds=(READ, WRITE),
    ),
    Question(
        id="iam-changes",
        title="What changed in IAM?",
        kinds=(WRITE,),
        source="iam.amazonaws.com",
        globally=True,
    ),
)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where events can be searched. `days` are kept (36500: for ever); `since` is the day of its making, before which
    it holds nothing ("" where that is not known); `answers` says of each question which regions' events arrive here."""

    kind: str
    name: str
    region: str
    account: str
    days: int | Refusal
    since: str
    answers: dict[str, dict[str, bool | Refusal]]

    def reaches(self, question: str) -> tuple[str, ...]:
        """The regions whose events are known to arrive here."""
        return tuple(name for name, found in self.answers[question].items() if found is True)


def needed(view: View, question: Question) -> tuple[str, ...]:
    """The regions whose events answer a question."""
    return (view.leader,) if question.globally else view.regions


def places(view: View) -> tuple[Place, ...]:
    """Every place where CloudTrail's events can be searched, but for event history, which is everywhere."""
    return view.memo(_places)


def _places(view: View) -> tuple[Place, ...]:
    return (*_groups(view), *_stores(view))


def history(view: View) -> Place:
    """The event history of each region: management events of 90 days, always."""
    return Place(
        kind=HISTORY,
        name="",
        region="",
        account=view.account,
        days=HISTORY_DAYS,
        since="",
        answers={item.id: dict.fromkeys(needed(view, item), True) for item in QUESTIONS},
    )


def _groups(view: View) -> Iterable[Place]:
    writers: dict[tuple[str, str, str], list[Trail]] = {}
    for trail in coverage.trails(view):
        name, region, account = log_group(trail.body)
        if name:
            writers.setdefault((account, region, name), []).append(trail)
    for (account, region, name), trails in sorted(writers.items()):
        found = _group(view, trails[0], account)
        there: bool | Refusal = True
        settings: Mapping[str, Json] = {}
        if isinstance(found, Refusal):
            days: int | Refusal = found
        elif found is None:
            there, days = False, 0
        else:
            settings, days = found, _retention(found, region)
            there = _queried(found, region)
        yield Place(
            kind=LOG_GROUP,
            name=name,
            region=region,
            account=account,
            days=days,
            since=_day(settings.get("creationTime")),
            answers={
                question.id: {
                    where: all_of([there, _arrives(view, trails, where, question)])
                    for where in needed(view, question)
                }
                for question in QUESTIONS
            },
        )


def _group(view: View, trail: Trail, account: str) -> Mapping[str, Json] | Refusal | None:
    """The log group as CloudWatch Logs describes it; None where it is not there."""
    for ask in group_asks(trail.body):
        name, region = str(ask.params["logGroupNamePrefix"]), str(ask.region)
        if account != view.account:
            return foreign(view, trail, ask.call, region, account)
        groups = member(view.outcome(ask.call, region, **ask.params), "logGroups", [])
        if isinstance(groups, Refusal):
            return groups
        return next((item for item in groups if item.get("logGroupName") == name), None)
    return None


def _retention(group: Mapping[str, Json], region: str) -> int | Refusal:
    if group.get("retentionPolicyName") and not group.get("retentionInDays"):
        return malformed("logs:DescribeLogGroups", region, "an account policy sets the retention")
    return int(group.get("retentionInDays") or NEVER)


def _queried(group: Mapping[str, Json], region: str) -> bool | Refusal:
    kind = str(group.get("logGroupClass") or "")
    if kind in _QUERIED:
        return _QUERIED[kind]
    return malformed(
        "logs:DescribeLogGroups", region, f"whether log class {kind} can be queried is not known"
    )


def _arrives(view: View, trails: Iterable[Trail], region: str, question: Question) -> bool | Refusal:
    """Whether all kinds of a question's events come from this region, whichever of the trails brings them."""
    found = list(trails)
    return all_of(
        any_of(
            all_of(
                [
                    coverage.logs_in(view, trail, region),
                    _records(trail, question, kind),
                    _delivers(view, trail, region),
                ]
            )
            for trail in found
        )
        for kind in question.kinds
    )


def _records(trail: Trail, question: Question, kind: str) -> bool | Refusal:
    if question.globally:
        return coverage.writes(trail, source=question.source, globally=True)
    return coverage.recording("management", kind, source=question.source)(trail)


def _delivers(view: View, trail: Trail, region: str) -> bool | Refusal:
    """Whether what the trail records in a region gets to its log group.

    The last delivery is the home region's: a region where nothing happens delivers nothing, and is not ill.
    """
    name = "LatestCloudWatchLogsDeliveryError"
    here = body(coverage.status(view, trail, region))
    if isinstance(here, Refusal):
        if not trail.multi:
            return here
    elif here.get(name):
        return False
    home = coverage.status(view, trail, trail.home)
    age = delivery(view, trail, home, "LatestCloudWatchLogsDeliveryTime", name).AgeHours
    match age:
        case Refusal():
            return age
        case None:
            return malformed(
                "cloudtrail:GetTrailStatus", trail.home, "nothing was delivered to the log group yet"
            )
        case _:
            return age <= _FRESH


def stores_of(view: View, region: str) -> list[dict[str, Json]] | Refusal:
    """A region's data stores; none where CloudTrail Lake is not offered."""
    listed = member(view.outcome("cloudtrail:ListEventDataStores", region), "EventDataStores", [])
    if isinstance(listed, Refusal):
        return [] if listed.kind is RefusalKind.NOT_IN_REGION else listed
    return [item for item in listed if item.get("EventDataStoreArn")]


def _stores(view: View) -> Iterable[Place]:
    for region in view.regions:
        listed = stores_of(view, region)
        for item in [] if isinstance(listed, Refusal) else listed:
            arn = str(item["EventDataStoreArn"])
            yield _store(view, region, arn, body(view.outcome(STORE_CALLS[1], region, EventDataStore=arn)))


def _store(view: View, region: str, arn: str, store: Mapping[str, Json] | Refusal) -> Place:
    days: int | Refusal
    if isinstance(store, Refusal):
        takes: bool | Refusal = store
        days, multi = store, True
        picked: Any = store
    else:
        takes = _takes(store, region)
        kept = store.get("RetentionPeriod")
        days = (
            kept if isinstance(kept, int) and kept > 0 else malformed(STORE_CALLS[1], region, "no retention")
        )
        multi = store.get("MultiRegionEnabled") is True
        picked = selectors.selected({"HomeRegion": region}, Answer(dict(store)), view.partition)

    def records(question: Question) -> bool | Refusal:
        if isinstance(picked, Refusal):
            return picked
        return all(selectors.records(picked, "management", kind, question.source) for kind in question.kinds)

    return Place(
        kind=STORE,
        name=arn,
        region=region,
        account=arn.split(":")[4] if arn.count(":") >= 5 else "",
        days=days,
        since="",  # a trail's older events can be imported: the day of its making says nothing
        answers={
            question.id: {
                where: all_of([multi or where == region, takes, records(question)])
                for where in needed(view, question)
            }
            for question in QUESTIONS
        },
    )


def _takes(store: Mapping[str, Json], region: str) -> bool | Refusal:
    """Whether the data store takes new events in."""
    match store.get("Status"):
        case "ENABLED":
            return True
        case "STOPPED_INGESTION" | "STOPPING_INGESTION" | "PENDING_DELETION":
            return False
        case status:
            return malformed(STORE_CALLS[1], region, f"the event data store is {status}")


def security_lakes(view: View) -> tuple[Place, ...]:
    """Security Lake's copies of CloudTrail's management events, where the evidence holds its answers.

    They are shown and not judged: nothing here asks for them. `securitylake:ListDataLakes` gives the lakes and how
    long each keeps its objects, `securitylake:ListLogSources` the regions whose events are collected.
    """
    lakes = _answered(view, "securitylake:ListDataLakes", "dataLakes")
    sources = _answered(view, "securitylake:ListLogSources", "sources")
    taken = {
        str(item.get("region"))
        for item in sources
        if item.get("account") == view.account
        for source in item.get("sources") or []
        if (source.get("awsLogSource") or {}).get("sourceName") == "CLOUD_TRAIL_MGMT"
    }
    found: dict[str, Place] = {}
    for lake in lakes:
        region = str(lake.get("region"))
        if lake.get("createStatus") != "COMPLETED" or region not in taken:
            continue
        expiry = ((lake.get("lifecycleConfiguration") or {}).get("expiration") or {}).get("days")
        found[region] = Place(
            kind=LAKE,
            name=str(lake.get("dataLakeArn") or ""),
            region=region,
            account=view.account,
            days=int(expiry) if expiry else NEVER,
            since="",
            answers={item.id: {where: where == region for where in needed(view, item)} for item in QUESTIONS},
        )
    return tuple(found[region] for region in sorted(found))


def _answered(view: View, call: str, name: str) -> list[Mapping[str, Json]]:
    found: list[Mapping[str, Json]] = []
    for region in view.regions:
        for record in view.evidence.of(call, view.account, region):
            listed = member(record.outcome, name, [])
            found += (
                [] if isinstance(listed, Refusal) else [item for item in listed if isinstance(item, dict)]
            )
    return found


def _day(millis: Json) -> str:
    """The UTC day of a time in milliseconds, "" for what is none."""
    if not isinstance(millis, int | float) or not 0 < millis < 4e12:
        return ""
    return datetime.datetime.fromtimestamp(millis / 1000, datetime.UTC).date().isoformat()
