"""What a VPC's flow logs and DNS query logs record, and whether the records arrive."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from postureaudit.evidence import Json, Refusal, RefusalKind
from postureaudit.resources import View, any_of, malformed, member
from postureaudit.services.vpc import asks

FLOW_CALLS = (asks.VPCS, asks.FLOW_LOGS)
QUERY_CALLS = (asks.VPCS, asks.ASSOCIATIONS, asks.CONFIGS, asks.PROFILES, asks.PROFILE_RESOURCES)
_CONFIG = ":resolver-query-log-config/"


class FlowLogs(msgspec.Struct, frozen=True, kw_only=True):
    """The VPC's own flow logs; those of its subnets and interfaces leave out what is added later.

    `Rejected` and `Accepted`: a log that is active and delivers has this traffic. `Broken` are the logs that
    do not deliver, with AWS's words.
    """

    Rejected: bool | Refusal
    Accepted: bool | Refusal
    AnyBroken: bool | Refusal
    Broken: list[str]


class QueryLogs(msgspec.Struct, frozen=True, kw_only=True):
    """Whether DNS queries from the VPC are logged, by an association of its own or by a Route 53 Profile.

    `Broken` are associations that do not deliver. `Config` is the region's logging configuration that a fix
    associates: of those that work for every VPC, the one that most use ("" where there is none).
    """

    On: bool | Refusal
    AnyBroken: bool | Refusal
    Broken: list[str]
    Config: str | Refusal
    Destination: str


def flow_logs(view: View, region: str, vpc: str) -> FlowLogs:
    """What the flow logs of one VPC record (EC2 API reference, FlowLog)."""
    listed = member(view.outcome(asks.FLOW_LOGS, region), "FlowLogs", [])
    if isinstance(listed, Refusal):
        return FlowLogs(Rejected=listed, Accepted=listed, AnyBroken=listed, Broken=[])
    own = [item for item in listed if item.get("ResourceId") == vpc]
    broken = [_named(item) for item in own if _delivers(item, region) is False]
    return FlowLogs(
        Rejected=any_of(_delivers(item, region) for item in own if item.get("TrafficType") != "ACCEPT"),
        Accepted=any_of(_delivers(item, region) for item in own if item.get("TrafficType") != "REJECT"),
        AnyBroken=bool(broken),
        Broken=sorted(broken),
    )


def _delivers(log: Mapping[str, Json], region: str) -> bool | Refusal:
    """Active, and its last delivery worked: FlowLogStatus ACTIVE, DeliverLogsStatus SUCCESS or FAILED."""
    if log.get("TrafficType") not in ("ALL", "ACCEPT", "REJECT"):
        return malformed(asks.FLOW_LOGS, region, "a flow log without its type of traffic")
    if log.get("FlowLogStatus") != "ACTIVE" or log.get("DeliverLogsErrorMessage"):
        return False
    if not log.get("DeliverLogsStatus"):
        return malformed(asks.FLOW_LOGS, region, "a flow log without its delivery status")
    return bool(log["DeliverLogsStatus"] == "SUCCESS")


def _named(log: Mapping[str, Json]) -> str:
    why = log.get("DeliverLogsErrorMessage") or log.get("DeliverLogsStatus") or log.get("FlowLogStatus")
    return f"{log.get('FlowLogId')} to {log.get('LogDestination') or log.get('LogGroupName')} ({why})"


def query_logs(view: View, region: str, vpc: str) -> QueryLogs:
    """Whether Resolver logs the VPC's queries (Route 53 developer guide, "Resolver query logging")."""
    configs = member(view.outcome(asks.CONFIGS, region), "ResolverQueryLogConfigs", [])
    listed = member(view.outcome(asks.ASSOCIATIONS, region), "ResolverQueryLogConfigAssociations", [])
    direct: bool | Refusal
    broken: list[str] = []
    if isinstance(listed, Refusal):
        direct = listed
    else:
        own = [item for item in listed if item.get("ResourceId") == vpc]
        states = [(item, _logs(item, configs)) for item in own]
        direct = any_of(state for _, state in states)
        broken = sorted(_why(item) for item, state in states if state is False)
    chosen: dict[str, Json] | Refusal
    if isinstance(configs, Refusal) or isinstance(listed, Refusal):
        chosen = configs if isinstance(configs, Refusal) else listed
    else:
        chosen = _chosen(configs, listed)
    return QueryLogs(
        On=any_of([direct, _by_profile(view, region, vpc, configs)]),
        AnyBroken=listed if isinstance(listed, Refusal) else bool(broken),
        Broken=broken,
        Config=chosen if isinstance(chosen, Refusal) else str(chosen.get("Id") or ""),
        Destination="" if isinstance(chosen, Refusal) else str(chosen.get("DestinationArn") or ""),
    )


def _logs(association: Mapping[str, Json], configs: list[dict[str, Json]] | Refusal) -> bool | Refusal:
    """An association logs when it is ACTIVE without an error, and so is what it is associated with."""
    if association.get("Status") != "ACTIVE" or association.get("Error") not in (None, "", "NONE"):
        return False
    return _works(str(association.get("ResolverQueryLogConfigId")), configs)


def _works(name: str, configs: list[dict[str, Json]] | Refusal) -> bool | Refusal:
    """A configuration that another account shares need not be listed here: its association speaks for it."""
    if isinstance(configs, Refusal):
        return configs
    return all(item.get("Status") == "CREATED" for item in configs if item.get("Id") == name)


def _why(association: Mapping[str, Json]) -> str:
    words = [association.get("Status"), association.get("Error"), association.get("ErrorMessage")]
    shown = ", ".join(str(word) for word in words if word and word != "NONE")
    return f"{association.get('ResolverQueryLogConfigId')} ({shown})"


def _by_profile(
    view: View, region: str, vpc: str, configs: list[dict[str, Json]] | Refusal
) -> bool | Refusal:
    """A Route 53 Profile of the VPC brings a query logging configuration with it."""
    listed = member(view.outcome(asks.PROFILES, region), "ProfileAssociations", [])
    if isinstance(listed, Refusal):
        return False if listed.kind is RefusalKind.NOT_IN_REGION else listed
    found: list[bool | Refusal] = []
    for item in listed:
        if item.get("ResourceId") != vpc or item.get("Status") != "COMPLETE":
            continue
        outcome = view.outcome(asks.PROFILE_RESOURCES, region, ProfileId=str(item.get("ProfileId")))
        brought = member(outcome, "ProfileResourceAssociations", [])
        if isinstance(brought, Refusal):
            found.append(brought)
            continue
        arns = [str(one.get("ResourceArn")) for one in brought if one.get("Status") == "COMPLETE"]
        found += [_works(arn.rpartition("/")[2], configs) for arn in arns if _CONFIG in arn]
    return any_of(found)


def _chosen(configs: list[dict[str, Json]], associations: list[dict[str, Json]]) -> dict[str, Json]:
    """The configuration that works for all that use it, and most VPCs do; {} where there is none."""
    stuck = {
        item.get("ResolverQueryLogConfigId") for item in associations if _logs(item, configs) is not True
    }
    working = [
        item
        for item in configs
        if item.get("Status") == "CREATED" and item.get("Id") and item["Id"] not in stuck
    ]
    ordered = sorted(working, key=lambda item: (-int(item.get("AssociationCount") or 0), str(item["Id"])))
    return ordered[0] if ordered else {}
