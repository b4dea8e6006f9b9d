"""Config in one region: its recorder, channel, rules, packs and remediation as facts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec

from postureaudit.evidence import Absent, Answer, Json, Refusal
from postureaudit.expressions import loose
from postureaudit.resources import Resource, Shape, View, all_of, facts, malformed, member
from postureaudit.services import buckets
from postureaudit.services.config import asks, health, recorder
from postureaudit.services.config.health import Bodies, Delivery, Health
from postureaudit.services.config.remediations import remedy
from postureaudit.services.config.rules import evaluated, identifier, own, summary, triggers
from postureaudit.services.organizations import is_log_archive
from postureaudit.services.times import age_hours

_STRATEGY = "ConfigurationRecorders[].recordingGroup.recordingStrategy.useOnly"
FOR_EVER = 2557  # days: what Config keeps where no retention was ever set, seven years (developer guide)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the recorder is set to, also while it is stopped. `Listed` are the types of a recorder that records a list.

    `Everything` and `NotRecorded` leave the global IAM types aside. `GlobalTypes` says whether a recorder made
    here should record them: they belong in one region.
    """

    Present: bool
    Strategy: Annotated[str, Shape(asks.RECORDERS.call, _STRATEGY)] | Literal[""]
    Everything: bool | Refusal
    NotRecorded: list[str]
    Listed: list[str]
    Continuous: bool
    Daily: list[str]
    LinkedRole: bool
    LinkedRoleArn: str
    GlobalTypes: bool


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """How the recorder is doing. `LastStatus` is null while a start of the last day is pending, or nothing is known."""

    On: bool
    LastStatus: str | None
    Error: str


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """For how many days configuration history is kept; 2557 where nothing was ever set."""

    Days: int | Refusal


class Packs(msgspec.Struct, frozen=True, kw_only=True):
    """The conformance packs of a region; `Deployed` has those of the organization by the name that it gave them."""

    Present: bool
    Names: list[str]
    Deployed: list[str]


class Remediation(msgspec.Struct, frozen=True, kw_only=True):
    """Rules that AWS's own documents could mend, and whether any rule has a remediation, automatic or not.

    `Manual` is a remediation that runs on request only, {} for none. `Rule` is the rule of that one, else the first
    own rule for which every parameter of AWS's `Document` is known, "" for none.
    """

    Available: list[str]
    Present: bool | Refusal
    Automatic: bool | Refusal
    Manual: dict[str, Json]
    Rule: str
    Document: str
    Identifier: str


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """The channel's bucket, as in buckets.Owner. `AtHome`: the account is the log archive and it is its own."""

    Name: str
    Exists: bool | Refusal
    SameAccount: bool | Refusal
    InArchive: bool | Refusal
    Wanted: str
    AtHome: bool | Refusal


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the service-linked role of Config exists."""

    Exists: bool


def customer(view: View, region: str) -> dict[str, Json] | Refusal:
    """The customer managed recorder of a region, {} when there is none.

    Recorders of services and of third-party clouds are not the account's own.
    """
    found = member(view.outcome(asks.RECORDERS.call, region), "ConfigurationRecorders", [])
    if isinstance(found, Refusal):
        return found
    own = [item for item in found if not item.get("servicePrincipal") and not item.get("connectorArn")]
    return dict(own[0]) if own else {}


def status_of(view: View, region: str) -> dict[str, Json] | Refusal:
    """The status of the customer managed recorder of a region, {} when there is no recorder."""
    here = customer(view, region)
    if isinstance(here, Refusal) or not here:
        return here
    call = asks.RECORDER_STATUS.call
    found = member(view.outcome(call, region), "ConfigurationRecordersStatus", [])
    if isinstance(found, Refusal):
        return found
    for item in found:
        if item.get("name") == here.get("name") and not item.get("servicePrincipal"):
            return dict(item)
    return malformed(call, region, "no status of the recorder")


def is_on(view: View, region: str) -> bool | Refusal:
    """Whether the customer managed recorder records here."""
    status = status_of(view, region)
    return status if isinstance(status, Refusal) else status.get("recording") is True


def keeper(view: View) -> str:
    """The region that is to record the global IAM types; "" when no audited region can."""
    return view.memo(_keeper)


def _keeper(view: View) -> str:
    """The one that does already (the leader first), else the leader, else the first that can."""
    able = [region for region in view.regions if region not in recorder.WITHOUT_GLOBAL_TYPES]
    able.sort(key=lambda region: region != view.leader)
    recording = [region for region in able if is_on(view, region) is True and recorded(view, region)]
    whole = [region for region in recording if len(recorded(view, region)) == len(recorder.GLOBAL_TYPES)]
    return next(iter((*whole, *recording, *able)), "")


def recorded(view: View, region: str) -> list[str]:
    """The global IAM types that the region's recorder is set to record; empty where that is not known."""
    here = customer(view, region)
    return [] if isinstance(here, Refusal) else recorder.global_types(here, region)


def regions(view: View) -> Iterator[Resource]:
    """One place a region, also where Config is off."""
    for region in view.regions:
        channel = _channel(view, region)
        rules = _rules(view, region)
        here = customer(view, region)
        yield Resource(
            type="config.region",
            account=view.account,
            region=region,
            facts=facts(
                Recorder=here,
                Settings=_settings(view, region),
                Status=_status(view, region),
                Channel=channel,
                HasChannel=channel if isinstance(channel, Refusal) else bool(channel),
                Delivery=_delivery(view, region, channel),
                Bucket=_bucket(view, channel),
                Retention=_retention(view, region),
                Rules=summary(rules, region),
                Triggers=triggers(view, region, rules, here),
                RuleHealth=rules if isinstance(rules, Refusal) else evaluated(view, region, rules),
                Packs=packs(view, region),
                PackHealth=health.packs(view, region),
                Remediation=_remediation(view, region, rules),
                RemediationHealth=_remediation_health(view, region, rules),
                Role=_role(view),
            ),
        )


def _settings(view: View, region: str) -> Settings | Refusal:
    here = customer(view, region)
    if isinstance(here, Refusal):
        return here
    role = "role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
    arn = f"arn:{view.partition}:iam::{view.account}:{role}"
    strategy = recorder.strategy(here)
    left_out = [kind for kind in recorder.excluded(here) if kind not in recorder.GLOBAL_TYPES]
    everything: bool | Refusal = strategy == recorder.ALL or (
        strategy == recorder.NOT_EXCLUDED and not left_out
    )
    if here and strategy not in (recorder.ALL, recorder.INCLUDED, recorder.NOT_EXCLUDED):
        everything = malformed(asks.RECORDERS.call, region, f"recording strategy {strategy!r}")
    daily = recorder.overridden(here, recorder.DAILY)
    return Settings(
        Present=bool(here),
        Strategy=strategy,
        Everything=everything,
        NotRecorded=left_out if strategy == recorder.NOT_EXCLUDED else [],
        Listed=recorder.included(here) if strategy == recorder.INCLUDED else [],
        Continuous=recorder.frequency(here) == recorder.CONTINUOUS and not daily,
        Daily=daily if recorder.frequency(here) == recorder.CONTINUOUS else ["all types by default"],
        LinkedRole=here.get("roleARN") == arn,
        LinkedRoleArn=arn,
        GlobalTypes=region == keeper(view),
    )


def _status(view: View, region: str) -> Status | Refusal:
    found = status_of(view, region)
    if isinstance(found, Refusal):
        return found
    last: str | None = str(found.get("lastStatus") or "none")
    if loose(str(last)) not in ("success", "failure"):
        record = view.record(asks.RECORDER_STATUS.call, region)
        started = age_hours(found.get("lastStartTime"), record.at if record else "")
        stuck = loose(str(last)) in ("pending", "none") and started is not None and started > health.DAY
        last = last if stuck else None
    error = " ".join(str(found[name]) for name in ("lastErrorCode", "lastErrorMessage") if found.get(name))
    return Status(On=found.get("recording") is True, LastStatus=last, Error=error)


def _channel(view: View, region: str) -> dict[str, Json] | Refusal:
    """The delivery channel; there is at most one a region (developer guide). {} when there is none."""
    found = member(view.outcome(asks.CHANNELS.call, region), "DeliveryChannels", [])
    if isinstance(found, Refusal):
        return found
    return dict(found[0]) if found else {}


def _delivery(view: View, region: str, channel: dict[str, Json] | Refusal) -> Delivery | Refusal:
    if isinstance(channel, Refusal):
        return channel
    if not channel:
        return Delivery(Failing=[], AgeHours=None, DueHours=0.0, Scheduled=False)
    return health.delivery(view, region, channel, status_of(view, region))


def _bucket(view: View, channel: dict[str, Json] | Refusal) -> Bucket | Refusal:
    if isinstance(channel, Refusal):
        return channel
    found = (
        buckets.owner(view, str(channel.get("s3BucketName")), writer=view.account)
        if channel
        else buckets.Owner(Name="", Exists=False, SameAccount=False)
    )
    return Bucket(
        Name=found.Name,
        Exists=found.Exists,
        SameAccount=found.SameAccount,
        InArchive=found.InArchive,
        Wanted=found.Wanted,
        AtHome=all_of([found.SameAccount, is_log_archive(view)]),
    )


def _retention(view: View, region: str) -> Retention:
    call = asks.RETENTION.call
    found = member(view.outcome(call, region), "RetentionConfigurations", [])
    if isinstance(found, Refusal):
        return Retention(Days=found)
    days = found[0].get("RetentionPeriodInDays") if found else FOR_EVER
    return Retention(Days=days if isinstance(days, int) else malformed(call, region, "no period"))


def _rules(view: View, region: str) -> Bodies | Refusal:
    found = member(view.outcome(asks.RULES.call, region), "ConfigRules", [])
    return found if isinstance(found, Refusal) else [dict(item) for item in found]


def packs(view: View, region: str) -> Packs | Refusal:
    """The conformance packs that the region lists, those of the organization included."""
    found = member(view.outcome(asks.PACKS.call, region), "ConformancePackDetails", [])
    if isinstance(found, Refusal):
        return found
    names = sorted(str(item.get("ConformancePackName")) for item in found)
    deployed = sorted({health.organization_pack(name) or name for name in names})
    return Packs(Present=bool(names), Names=names, Deployed=deployed)


def _configured(view: View, region: str, rules: Bodies) -> tuple[Bodies, Refusal | None]:
    """The remediations that are known, and the refusal that may hide others."""
    known: Bodies = []
    hidden = None
    for ask in asks.remediation_asks(rules):
        found = member(view.outcome(ask.call, region, **ask.params), "RemediationConfigurations", [])
        if isinstance(found, Refusal):
            hidden = hidden or found
        else:
            known += found
    return known, hidden


def _remediation(view: View, region: str, rules: Bodies | Refusal) -> Remediation | Refusal:
    if isinstance(rules, Refusal):
        return rules
    known, hidden = _configured(view, region, rules)
    names = {
        str(rule["ConfigRuleName"]): identifier(rule)
        for rule in sorted(own(rules), key=lambda rule: str(rule["ConfigRuleName"]))
        if remedy(identifier(rule), view.partition)
    }
    exact = [
        (name, kind, found.document)
        for name, kind in names.items()
        if (found := remedy(kind, view.partition)) and found.subject
    ]
    rule, kind, document = exact[0] if exact else ("", "", "")
    manual = _manual(known)
    if manual:
        rule, kind, document = str(manual["ConfigRuleName"]), "", str(manual["TargetId"])
    automatic = any(item.get("Automatic") is True for item in known)
    return Remediation(
        Available=list(names),
        Present=bool(known) or hidden or False,
        Automatic=automatic or hidden or False,
        Manual=manual,
        Rule=rule,
        Document=document,
        Identifier=kind,
    )


def _manual(known: Bodies) -> dict[str, Json]:
    """The first remediation of the account's own that runs on request only; those of packs cannot be changed."""
    mine = [item for item in known if item.get("Automatic") is not True and not item.get("CreatedByService")]
    return min(mine, key=lambda item: str(item["ConfigRuleName"]), default={})


def _remediation_health(view: View, region: str, rules: Bodies | Refusal) -> Health | Refusal:
    if isinstance(rules, Refusal):
        return rules
    known, hidden = _configured(view, region, rules)
    found = health.remediations(view, region, known)
    if hidden is not None and found.Healthy is not False:
        return Health(Healthy=hidden, Failing=found.Failing)
    return found


def _role(view: View) -> Role | Refusal:
    ask = asks.role_ask(view.leader)
    match view.outcome(ask.call, view.leader, **ask.params):
        case Answer():
            return Role(Exists=True)
        case Absent():
            return Role(Exists=False)
        case Refusal() as refusal:
            return refusal
