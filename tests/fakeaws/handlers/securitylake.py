"""Security Lake: the lake of a region, its sources, and what new accounts bring."""

from __future__ import annotations

from ..faults import AwsError
from ..world import Call, Json, Region
from .registry import handles, manager

PRINCIPAL = "securitylake.amazonaws.com"
SOURCES = ("CLOUD_TRAIL_MGMT", "ROUTE53", "SH_FINDINGS", "VPC_FLOW")


def add_lake(
    region: Region,
    *accounts: str,
    sources: tuple[str, ...] = SOURCES,
    auto: tuple[str, ...] = SOURCES,
    **fields: object,
) -> None:
    """A lake into which these sources flow from the accounts (default: its own); new accounts bring `auto`."""
    region.securitylake["lake"] = {
        "dataLakeArn": region.arn("securitylake", "data-lake/default"),
        "region": region.name,
        "createStatus": "COMPLETED",
        "encryptionConfiguration": {"kmsKeyId": "S3_MANAGED_KEY"},
        "s3BucketArn": f"arn:aws:s3:::aws-security-data-lake-{region.name}",
        **fields,
    }
    region.securitylake["sources"] = {name: list(sources) for name in accounts or (region.account.id,)}
    region.securitylake["auto"] = list(auto)


def _mine(call: Call) -> Json:
    """The state here, for the one account that the organization lets run the lake."""
    org = call.world.organization
    if manager(call) is not None and call.account.id not in (org or {})["Delegated"].get(PRINCIPAL, []):
        text = (
            "The request failed because you don't have sufficient permissions to perform this operation for your "
            "organization. Contact your administrator for assistance."
        )
        raise AwsError("AccessDeniedException", text, 403)
    return call.here.securitylake


@handles("securitylake:ListDataLakes")
def _lakes(call: Call, given: Json) -> Json:
    _mine(call)
    wanted = given.get("regions") or list(call.account.regions)
    lakes = [region.securitylake["lake"] for name, region in call.account.regions.items() if name in wanted]
    return {"dataLakes": [item for item in lakes if item]}


def _source(name: str) -> Json:
    return {"sourceName": name, "sourceVersion": "2.0"}


@handles("securitylake:ListLogSources")
def _sources(call: Call, given: Json) -> Json:
    _mine(call)
    wanted = given.get("regions") or list(call.account.regions)
    return {
        "sources": [
            {
                "account": account,
                "region": name,
                "sources": [{"awsLogSource": _source(item)} for item in items],
            }
            for name, region in call.account.regions.items()
            if name in wanted
            for account, items in region.securitylake["sources"].items()
        ]
    }


@handles("securitylake:CreateAwsLogSource")
def _add(call: Call, given: Json) -> Json:
    _mine(call)
    for item in given["sources"]:
        for region in item["regions"]:
            for account in item.get("accounts") or [call.account.id]:
                there = call.account.region(region).securitylake["sources"].setdefault(account, [])
                there += [] if item["sourceName"] in there else [item["sourceName"]]
    return {"failed": []}


@handles("securitylake:DeleteAwsLogSource")
def _remove(call: Call, given: Json) -> Json:
    _mine(call)
    for item in given["sources"]:
        for region in item["regions"]:
            for account, names in call.account.region(region).securitylake["sources"].items():
                if account in item.get("accounts", [account]) and item["sourceName"] in names:
                    names.remove(item["sourceName"])
    return {"failed": []}


@handles("securitylake:GetDataLakeOrganizationConfiguration")
def _auto(call: Call, given: Json) -> Json:
    _mine(call)
    found = {name: region.securitylake["auto"] for name, region in call.account.regions.items()}
    entries = [
        {"region": name, "sources": [_source(item) for item in items]}
        for name, items in found.items()
        if items
    ]
    return {"autoEnableNewAccount": entries} if entries else {}


@handles("securitylake:CreateDataLakeOrganizationConfiguration")
def _set_auto(call: Call, given: Json) -> Json:
    _mine(call)
    for item in given["autoEnableNewAccount"]:
        there = call.account.region(item["region"]).securitylake["auto"]
        there += [one["sourceName"] for one in item["sources"] if one["sourceName"] not in there]
    return {}


@handles("securitylake:DeleteDataLakeOrganizationConfiguration")
def _unset_auto(call: Call, given: Json) -> Json:
    _mine(call)
    for item in given["autoEnableNewAccount"]:
        there = call.account.region(item["region"]).securitylake["auto"]
        gone = {one["sourceName"] for one in item["sources"]}
        there[:] = [name for name in there if name not in gone]
    return {}


@handles("securitylake:RegisterDataLakeDelegatedAdministrator")
def _register(call: Call, given: Json) -> Json:
    org = call.world.organization
    if org is None or manager(call) != call.account.id or given["accountId"] == call.account.id:
        raise AwsError("AccessDeniedException", "Only the management account can do this, for another.", 403)
    org["Delegated"][PRINCIPAL] = [given["accountId"]]
    org["Access"] += [] if PRINCIPAL in org["Access"] else [PRINCIPAL]
    return {}


@handles("securitylake:DeregisterDataLakeDelegatedAdministrator")
def _deregister(call: Call, given: Json) -> Json:
    org = call.world.organization
    if org is None or manager(call) != call.account.id:
        raise AwsError("AccessDeniedException", "Only the management account can do this.", 403)
    org["Delegated"].pop(PRINCIPAL, None)
    return {}
