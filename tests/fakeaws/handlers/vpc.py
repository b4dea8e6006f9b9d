"""VPCs with what is in them, their flow logs, Resolver query logs and Route 53 Profiles."""

from __future__ import annotations

from typing import Any

from ..faults import AwsError
from ..world import Call, Json, Region, now
from .registry import handles

_CREATED = "2026-01-01T00:00:00.000Z"


def add_vpc(
    region: Region,
    name: str = "vpc-1",
    *,
    traffic: str = "",
    log: Json | None = None,
    queries: bool = False,
    interfaces: int = 0,
    **fields: Any,
) -> str:
    """A VPC with so many network interfaces, a flow log of this `traffic` and, if wanted, query logs; its id."""
    vpc = {"OwnerId": region.account.id, "State": "available", "IsDefault": False, "VpcId": name, **fields}
    region.ec2["vpcs"].append(vpc)
    region.ec2["interfaces"][name] = [f"eni-{name}-{index}" for index in range(interfaces)]
    if traffic:
        region.ec2["flow_logs"].append(flow_log(region, name, traffic, **(log or {})))
    if queries:
        add_query_logs(region, name)
    return name


def flow_log(region: Region, resource: str, traffic: str, **fields: Any) -> Json:
    """A flow log that delivers."""
    return {
        "FlowLogId": f"fl-{len(region.ec2['flow_logs']):017x}",
        "FlowLogStatus": "ACTIVE",
        "DeliverLogsStatus": "SUCCESS",
        "ResourceId": resource,
        "TrafficType": traffic,
        "LogDestinationType": "s3",
        "LogDestination": "arn:aws:s3:::vpc-logs",
        "MaxAggregationInterval": 600,
        **fields,
    }


def add_config(region: Region, name: str = "rqlc-1", **fields: Any) -> str:
    """A query logging configuration of the region; its id."""
    region.route53resolver["configs"].append(
        {
            "Id": name,
            "OwnerId": region.account.id,
            "Status": "CREATED",
            "ShareStatus": "NOT_SHARED",
            "AssociationCount": 0,
            "Arn": region.arn("route53resolver", f"resolver-query-log-config/{name}"),
            "Name": name,
            "DestinationArn": "arn:aws:s3:::dns-logs",
            "CreatorRequestId": name,
            "CreationTime": _CREATED,
            **fields,
        }
    )
    return name


def add_query_logs(region: Region, vpc: str, config: str = "rqlc-1", **fields: Any) -> None:
    """The association of a VPC with a configuration, which is made where it is not there."""
    known = {item["Id"]: item for item in region.route53resolver["configs"]}
    if config not in known:
        add_config(region, config)
        known = {item["Id"]: item for item in region.route53resolver["configs"]}
    known[config]["AssociationCount"] += 1
    region.route53resolver["associations"].append(
        {
            "Id": f"rqlca-{vpc}",
            "ResolverQueryLogConfigId": config,
            "ResourceId": vpc,
            "Status": "ACTIVE",
            "Error": "NONE",
            "ErrorMessage": "",
            "CreationTime": _CREATED,
            **fields,
        }
    )


def add_profile(
    region: Region, vpc: str, *resources: str, name: str = "rp-1", status: str = "COMPLETE"
) -> None:
    """A Route 53 Profile that is associated with a VPC and brings these resources (ARNs)."""
    own = {"Status": status, "OwnerId": region.account.id, "ProfileId": name, "CreationTime": now(days=9)}
    state = region.route53resolver
    state["profiles"].append({**own, "Id": f"rpassoc-{vpc}", "Name": name, "ResourceId": vpc})
    state["profile_resources"][name] = [
        {**own, "Id": f"rpr-{index}", "Name": "r", "ResourceArn": arn, "ResourceType": "RESOLVER"}
        for index, arn in enumerate(resources)
    ]


@handles("ec2:DescribeVpcs")
def _vpcs(call: Call, given: Json) -> Json:
    own = {"OwnerId": call.account.id, "State": "available", "IsDefault": False}
    return {
        "Vpcs": [item if isinstance(item, dict) else {**own, "VpcId": item} for item in call.here.ec2["vpcs"]]
    }


@handles("ec2:DescribeNetworkInterfaces")
def _interfaces(call: Call, given: Json) -> Json:
    wanted = {value for item in given.get("Filters") or [] for value in item["Values"]}
    return {
        "NetworkInterfaces": [
            {"NetworkInterfaceId": name, "VpcId": vpc, "Status": "in-use"}
            for vpc, names in call.here.ec2["interfaces"].items()
            for name in names
            if not wanted or vpc in wanted
        ]
    }


@handles("ec2:DescribeFlowLogs")
def _flow_logs(call: Call, given: Json) -> Json:
    wanted = {
        value
        for item in given.get("Filter") or []
        if item["Name"] == "resource-id"
        for value in item["Values"]
    }
    found = call.here.ec2["flow_logs"]
    return {"FlowLogs": [item for item in found if not wanted or item["ResourceId"] in wanted]}


@handles("ec2:CreateFlowLogs")
def _create_flow_logs(call: Call, given: Json) -> Json:
    logs = call.here.ec2["flow_logs"]
    kept = ("ResourceId", "TrafficType", "LogDestination")
    made: list[str] = []
    failed: list[Json] = []
    for vpc in given["ResourceIds"]:
        fields = {
            name: given[name]
            for name in ("LogDestinationType", "LogDestination", "MaxAggregationInterval")
            if name in given
        }
        found = flow_log(call.here, vpc, given.get("TrafficType", "ALL"), **fields)
        if any(all(item.get(name) == found.get(name) for name in kept) for item in logs):
            text = "There is an existing Flow Log with the same configuration and log destination."
            failed.append({"ResourceId": vpc, "Error": {"Code": "FlowLogAlreadyExists", "Message": text}})
            continue
        logs.append(found)
        made.append(found["FlowLogId"])
    return {"FlowLogIds": made, "Unsuccessful": failed}


@handles("route53resolver:ListResolverQueryLogConfigs")
def _configs(call: Call, given: Json) -> Json:
    found = call.here.route53resolver["configs"]
    return {"ResolverQueryLogConfigs": found, "TotalCount": len(found), "TotalFilteredCount": len(found)}


@handles("route53resolver:ListResolverQueryLogConfigAssociations")
def _associations(call: Call, given: Json) -> Json:
    found = call.here.route53resolver["associations"]
    counted = {"TotalCount": len(found), "TotalFilteredCount": len(found)}
    return {"ResolverQueryLogConfigAssociations": found, **counted}


@handles("route53resolver:CreateResolverQueryLogConfig")
def _create_config(call: Call, given: Json) -> Json:
    configs = call.here.route53resolver["configs"]
    if any(item["CreatorRequestId"] == given["CreatorRequestId"] for item in configs):
        raise AwsError("ResourceExistsException", "The configuration exists already.")
    names = ("Name", "DestinationArn", "CreatorRequestId")
    add_config(call.here, f"rqlc-{len(configs):016x}", **{name: given[name] for name in names})
    return {"ResolverQueryLogConfig": configs[-1]}


@handles("route53resolver:AssociateResolverQueryLogConfig")
def _associate(call: Call, given: Json) -> Json:
    state = call.here.route53resolver
    if given["ResolverQueryLogConfigId"] not in {item["Id"] for item in state["configs"]}:
        raise AwsError("ResourceNotFoundException", "The configuration does not exist.")
    add_query_logs(call.here, given["ResourceId"], given["ResolverQueryLogConfigId"])
    return {"ResolverQueryLogConfigAssociation": state["associations"][-1]}


@handles("route53profiles:ListProfileAssociations")
def _profiles(call: Call, given: Json) -> Json:
    return {"ProfileAssociations": call.here.route53resolver["profiles"]}


@handles("route53profiles:ListProfileResourceAssociations")
def _profile_resources(call: Call, given: Json) -> Json:
    return {
        "ProfileResourceAssociations": call.here.route53resolver["profile_resources"].get(
            given["ProfileId"], []
        )
    }
