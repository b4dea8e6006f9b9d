"""Whether what is set up works: deliveries, packs, remediations and aggregators, by their last results."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping

import msgspec

from postureaudit.evidence import Absent, Json, Outcome, Refusal, heavier
from postureaudit.expressions import loose
from postureaudit.resources import View, malformed, member
from postureaudit.services.config import asks
from postureaudit.services.times import age_hours

DAY = 24.0  # hours that AWS gets to finish what was just made, before it counts as stuck
_SLACK = 2.0  # hours that a scheduled snapshot may be late
PERIODS = {"One_Hour": 1, "Three_Hours": 3, "Six_Hours": 6, "Twelve_Hours": 12, "TwentyFour_Hours": 24}
_DONE = ("CREATE_COMPLETE", "UPDATE_COMPLETE")
_OF_ORGANIZATION = re.compile(r"OrgConformsPack-(.+)-[a-z0-9]{8}")

Bodies = list[dict[str, Json]]


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """How the channel's deliveries are doing.

    `Failing` names the deliveries whose last attempt failed, with AWS's error code. `AgeHours` is the age of the
    delivery that must be fresh: the snapshot where one is scheduled, else the history, else (never delivered)
    the time since the recorder started; null when there is nothing to go by. `DueHours` is how old a scheduled
    snapshot may be.
    """

    Failing: list[str]
    AgeHours: float | Refusal | None
    DueHours: float
    Scheduled: bool


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """`Healthy` is null while AWS has not finished; `Failing` names what is not healthy, and why."""

    Healthy: bool | Refusal | None
    Failing: list[str]


def health(known: Iterable[bool | Refusal | None], failing: Iterable[str]) -> Health:
    """One result of many: false if one is, else what is refused, else true if one is and none is open."""
    values = list(known)
    if False in values:
        together: bool | Refusal | None = False
    elif refusals := [value for value in values if isinstance(value, Refusal)]:
        together = functools.reduce(heavier, refusals)
    else:
        together = None if None in values or not values else True
    return Health(Healthy=together, Failing=list(failing))


def delivery(
    view: View, region: str, channel: Mapping[str, Json], status: Mapping[str, Json] | Refusal
) -> Delivery | Refusal:
    """The deliveries of a channel; `status` is the recorder's.

    Config writes a history file only when something changed (developer guide, "Delivery channel"), so a history
    that is old proves nothing where a scheduled snapshot is fresh.
    """
    call = asks.CHANNEL_STATUS.call
    found = member(view.outcome(call, region), "DeliveryChannelsStatus", [])
    if isinstance(found, Refusal):
        return found
    here = next((item for item in found if item.get("name") == channel.get("name")), None)
    if here is None:
        return malformed(call, region, "no status of the channel")
    record = view.record(call, region)
    at = record.at if record else ""
    period = PERIODS.get(
        str((channel.get("configSnapshotDeliveryProperties") or {}).get("deliveryFrequency"))
    )
    kinds = {
        "history": here.get("configHistoryDeliveryInfo") or {},
        **({"snapshot": here.get("configSnapshotDeliveryInfo") or {}} if period else {}),
    }
    ages = [
        age_hours(kinds[kind].get("lastSuccessfulTime"), at)
        for kind in ("snapshot", "history")
        if kind in kinds
    ]
    age: float | Refusal | None = next((found for found in ages if found is not None), None)
    if age is None:
        started = status if isinstance(status, Refusal) else age_hours(status.get("lastStartTime"), at)
        age = started if isinstance(started, Refusal) or (started or 0) > DAY else None
    stream = {"notifications": here.get("configStreamDeliveryInfo") or {}}
    return Delivery(
        Failing=[
            f"{kind} ({info.get('lastErrorCode') or 'no error code'})"
            for kind, info in {**kinds, **stream}.items()
            if loose(str(info.get("lastStatus") or "")) == "failure"
        ],
        AgeHours=age,
        DueHours=period + _SLACK if period else 0.0,
        Scheduled=period is not None,
    )


def packs(view: View, region: str) -> Health | Refusal:
    """The conformance packs: deployed. One that AWS works on for less than a day is not decided."""
    call = asks.PACK_STATUS.call
    found = member(view.outcome(call, region), "ConformancePackStatusDetails", [])
    if isinstance(found, Refusal):
        return found
    record = view.record(call, region)
    at = record.at if record else ""
    known: list[bool | Refusal | None] = []
    failing = []
    for item in found:
        state = str(item.get("ConformancePackState") or "")
        age = age_hours(item.get("LastUpdateRequestedTime"), at)
        fine: bool | None = state in _DONE
        if state.endswith("_IN_PROGRESS") and (age is None or age <= DAY):
            fine = None
        known.append(fine)
        if fine is False:
            name, why = str(item.get("ConformancePackName")), item.get("ConformancePackStatusReason")
            whose = " (the organization's)" if organization_pack(name) else ""
            failing.append(f"{name}{whose}: {state}" + (f" ({why})" if why else ""))
    return health(known, failing)


def organization_pack(name: str) -> str:
    """The name that the organization gave a pack which it deployed here; "" for a pack of the account's own.

    In an account such a pack is called OrgConformsPack-<name>-<eight characters>.
    """
    found = _OF_ORGANIZATION.fullmatch(name)
    return found[1] if found else ""


def remediations(view: View, region: str, configured: Bodies) -> Health:
    """The remediations: the document and the role exist, and no last execution on a resource failed."""
    known: list[bool | Refusal | None] = []
    failing = []
    for item in configured:
        document, execution = asks.document_ask(item), asks.execution_ask(item)
        there = view.outcome(document.call, region, **document.params)
        ran = member(
            view.outcome(execution.call, region, **execution.params), "RemediationExecutionStatuses", []
        )
        role = asks.assumed_role_ask(item, view.account, view.leader)
        assumed = None if role is None else view.outcome(role.call, view.leader, **role.params)
        trouble = _document_trouble(there, item)
        if not trouble and role and isinstance(assumed, Absent):
            trouble = f"role {role.params['RoleName']} does not exist"
        if not trouble and not isinstance(ran, Refusal):
            trouble = next((_step(found) for found in ran if found.get("State") == "FAILED"), "")
        failing += [f"{item.get('ConfigRuleName')}: {trouble}"] if trouble else []
        refusal = next((found for found in (there, ran, assumed) if isinstance(found, Refusal)), None)
        known.append(False if trouble else refusal or True)
    return health(known, failing)


def _document_trouble(there: Outcome, item: Mapping[str, Json]) -> str:
    name = f"document {item.get('TargetId')}"
    if isinstance(there, Absent):
        version = item.get("TargetVersion")
        return f"{name}{f' version {version}' if version else ''} does not exist"
    found = member(there, "Document", {})
    if isinstance(found, Refusal):
        return ""
    if found.get("Status") in ("Failed", "Deleting"):
        return f"{name} is {found['Status']}"
    kind = found.get("DocumentType")
    return f"{name} is a {kind} document, not Automation" if kind not in (None, "Automation") else ""


def _step(execution: Mapping[str, Json]) -> str:
    """A failed execution: its step and what AWS said of it."""
    steps = execution.get("StepDetails") or []
    failed: Mapping[str, Json] = next((step for step in steps if step.get("State") == "FAILED"), {})
    said = str(failed.get("ErrorMessage") or "")[:120]
    where = f" in step {failed['Name']}" if failed.get("Name") else ""
    return f"its last execution failed{where}" + (f" ({said})" if said else "")


def aggregator(view: View, region: str, body: Mapping[str, Json]) -> Health:
    """An aggregator's sources: none failed or outdated, and at least one arrives."""
    bad, good = (
        member(view.outcome(ask.call, region, **ask.params), "AggregatedSourceStatusList", [])
        for ask in asks.source_asks(body)
    )
    if not isinstance(bad, Refusal) and bad:
        lagging = [f"{item.get('SourceId')} in {item.get('AwsRegion')}: {_why(item)}" for item in bad]
        return Health(Healthy=False, Failing=lagging)
    for found in (bad, good):
        if isinstance(found, Refusal):
            return Health(Healthy=found, Failing=[])
    return Health(Healthy=True if good else None, Failing=[])


def _why(source: Mapping[str, Json]) -> str:
    return " ".join(str(source[name]) for name in ("LastUpdateStatus", "LastErrorCode") if source.get(name))
