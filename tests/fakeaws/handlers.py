"""What each operation answers, as AWS's documentation and models say; a missing one is an error, not a guess."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.fakeaws.world import Failure, World

Handler = Callable[[World, str, dict[str, Any]], dict[str, Any]]
HANDLERS: dict[str, Handler] = {}


def handles(call: str) -> Callable[[Handler], Handler]:
    def register(function: Handler) -> Handler:
        HANDLERS[call] = function
        return function

    return register


@handles("sts:GetCallerIdentity")
def _identity(world: World, region: str, given: dict[str, Any]) -> dict[str, Any]:
    arn = f"arn:aws:sts::{world.account}:assumed-role/SecurityAudit/alice"
    return {"UserId": "AROAEXAMPLE:alice", "Account": world.account, "Arn": arn}


@handles("iam:ListAccountAliases")
def _aliases(world: World, region: str, given: dict[str, Any]) -> dict[str, Any]:
    return {"AccountAliases": [world.alias] if world.alias else [], "IsTruncated": False}


@handles("ec2:DescribeRegions")
def _regions(world: World, region: str, given: dict[str, Any]) -> dict[str, Any]:
    found = [{"RegionName": name, "OptInStatus": "opt-in-not-required"} for name in world.regions]
    if given.get("AllRegions") == "true":
        found += [{"RegionName": name, "OptInStatus": "not-opted-in"} for name in world.not_enabled]
    return {"Regions": found}


@handles("account:ListRegions")
def _list_regions(world: World, region: str, given: dict[str, Any]) -> dict[str, Any]:
    on = [{"RegionName": name, "RegionOptStatus": "ENABLED_BY_DEFAULT"} for name in world.regions]
    return {
        "Regions": on + [{"RegionName": name, "RegionOptStatus": "DISABLED"} for name in world.not_enabled]
    }


@handles("organizations:DescribeOrganization")
def _organization(world: World, region: str, given: dict[str, Any]) -> dict[str, Any]:
    if world.organization is None:
        raise Failure("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
    return {"Organization": world.organization}


def _managed(world: World) -> None:
    if world.organization is None:
        raise Failure("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
    if world.organization["MasterAccountId"] != world.account:
        raise Failure("AccessDeniedException", "You don't have permissions to access this resource.")


@handles("organizations:ListAccounts")
def _accounts(world: World, region: str, given: dict[str, Any]) -> dict[str, Any]:
    _managed(world)
    return {"Accounts": world.members}


@handles("organizations:ListDelegatedAdministrators")
def _admins(world: World, region: str, given: dict[str, Any]) -> dict[str, Any]:
    _managed(world)
    ids = world.admins.get(given.get("ServicePrincipal", ""), [])
    return {"DelegatedAdministrators": [{"Id": item, "State": "ACTIVE"} for item in ids]}


@handles("cloudtrail:DescribeTrails")
def _trails(world: World, region: str, given: dict[str, Any]) -> dict[str, Any]:
    shadows = given.get("includeShadowTrails", True)
    bodies = [trail["body"] for trail in world.trails.values()]
    return {
        "trailList": [
            body
            for body in bodies
            if body["HomeRegion"] == region or (shadows and body["IsMultiRegionTrail"])
        ]
    }


def _trail(world: World, name: str) -> dict[str, Any]:
    if name not in world.trails:
        raise Failure("TrailNotFoundException", f"Unknown trail: {name}", 404)
    return world.trails[name]


def _of_another(world: World, trail: dict[str, Any]) -> bool:
    return bool(trail["body"]["TrailARN"].split(":")[4] != world.account)


@handles("cloudtrail:GetTrailStatus")
def _status(world: World, region: str, given: dict[str, Any]) -> dict[str, Any]:
    trail = _trail(world, given["Name"])
    by_region = trail.get("status_in", {})
    return {**trail["status"], **by_region.get(region, {})}


@handles("cloudtrail:GetEventSelectors")
def _selectors(world: World, region: str, given: dict[str, Any]) -> dict[str, Any]:
    trail = _trail(world, given["TrailName"])
    if _of_another(world, trail):
        raise Failure("TrailNotFoundException", "the trail belongs to another account", 404)
    advanced = any("FieldSelectors" in item for item in trail["selectors"])
    key = "AdvancedEventSelectors" if advanced else "EventSelectors"
    return {"TrailARN": given["TrailName"], key: trail["selectors"]}


@handles("cloudtrail:GetInsightSelectors")
def _insights(world: World, region: str, given: dict[str, Any]) -> dict[str, Any]:
    trail = _trail(world, given["TrailName"])
    if not trail["insights"]:
        raise Failure("InsightNotEnabledException", "Trail ARN does not have Insights enabled.")
    return {
        "TrailARN": given["TrailName"],
        "InsightSelectors": [{"InsightType": name} for name in trail["insights"]],
    }


@handles("cloudtrail:ListEventDataStores")
def _stores(world: World, region: str, given: dict[str, Any]) -> dict[str, Any]:
    return {
        "EventDataStores": [
            {"EventDataStoreArn": s["EventDataStoreArn"]} for s in world.stores.get(region, [])
        ]
    }


@handles("cloudtrail:GetEventDataStore")
def _store(world: World, region: str, given: dict[str, Any]) -> dict[str, Any]:
    for store in world.stores.get(region, []):
        if store["EventDataStoreArn"] == given["EventDataStore"]:
            return store
    raise Failure("EventDataStoreNotFoundException", "no such store", 404)


def _owned(world: World, arn: str, region: str) -> dict[str, Any]:
    """The trail to be changed: writes are accepted in its home region only."""
    trail = _trail(world, arn)
    if trail["body"]["HomeRegion"] != region:
        raise Failure("InvalidHomeRegionException", "The trail's home region is another")
    return trail


@handles("cloudtrail:StartLogging")
def _start(world: World, region: str, given: dict[str, Any]) -> dict[str, Any]:
    name = given["Name"]
    arn = name if name.startswith("arn:") else f"arn:aws:cloudtrail:{region}:{world.account}:trail/{name}"
    _owned(world, arn, region)["status"]["IsLogging"] = True
    return {}


@handles("cloudtrail:CreateTrail")
def _create(world: World, region: str, given: dict[str, Any]) -> dict[str, Any]:
    if given["S3BucketName"] not in world.buckets:
        raise Failure("S3BucketDoesNotExistException", "no such bucket", 404)
    arn = world.add_trail(
        given["Name"],
        home=region,
        bucket=given["S3BucketName"],
        multi=given.get("IsMultiRegionTrail", False),
        logging=False,
        LogFileValidationEnabled=given.get("EnableLogFileValidation", False),
    )
    return {"Name": given["Name"], "TrailARN": arn}


@handles("cloudtrail:UpdateTrail")
def _update(world: World, region: str, given: dict[str, Any]) -> dict[str, Any]:
    body = _owned(world, given["Name"], region)["body"]
    for name, value in given.items():
        if name == "EnableLogFileValidation":
            body["LogFileValidationEnabled"] = value
        elif name != "Name":
            body[name] = value
    return {"Name": body["Name"], "TrailARN": body["TrailARN"]}


@handles("cloudtrail:PutEventSelectors")
def _put_selectors(world: World, region: str, given: dict[str, Any]) -> dict[str, Any]:
    trail = _owned(world, given["TrailName"], region)
    trail["selectors"] = given.get("AdvancedEventSelectors") or given["EventSelectors"]
    trail["body"]["HasCustomEventSelectors"] = True
    return {"TrailARN": given["TrailName"]}


@handles("cloudtrail:PutInsightSelectors")
def _put_insights(world: World, region: str, given: dict[str, Any]) -> dict[str, Any]:
    trail = _owned(world, given["TrailName"], region)
    trail["insights"] = tuple(item["InsightType"] for item in given["InsightSelectors"])
    return {"TrailARN": given["TrailName"]}


@handles("s3:ListBuckets")
def _list_buckets(world: World, region: str, given: dict[str, Any]) -> dict[str, Any]:
    mine = [name for name, bucket in sorted(world.buckets.items()) if bucket["owner"] == world.account]
    return {"Buckets": [{"Name": name, "BucketRegion": world.buckets[name]["region"]} for name in mine]}


@handles("s3:HeadBucket")
def _head(world: World, region: str, given: dict[str, Any]) -> dict[str, Any]:
    bucket = world.buckets.get(given["Bucket"])
    if bucket is None:
        raise Failure("404", "", 404)
    expected = given.get("ExpectedBucketOwner")
    readable = bucket["owner"] == world.account or bucket.get("readable")
    if not readable or (expected and expected != bucket["owner"]):
        raise Failure("403", "", 403)
    return {"BucketRegion": bucket["region"]}


def _bucket(world: World, region: str, given: dict[str, Any]) -> dict[str, Any]:
    """The bucket, if this region is its own and its owner lets this account read its settings."""
    bucket = world.buckets.get(given["Bucket"])
    if bucket is None:
        raise Failure("NoSuchBucket", "The specified bucket does not exist", 404)
    if bucket["owner"] != world.account and not bucket.get("readable"):
        raise Failure("AccessDenied", "Access Denied", 403)
    if bucket["region"] != region:
        raise Failure("PermanentRedirect", f"use region {bucket['region']}", 301)
    return bucket


@handles("s3:GetBucketPolicy")
def _policy(world: World, region: str, given: dict[str, Any]) -> dict[str, Any]:
    text = _bucket(world, region, given).get("policy")
    if not text:
        raise Failure("NoSuchBucketPolicy", "The bucket policy does not exist", 404)
    return {"Policy": text}


@handles("s3:GetBucketPolicyStatus")
def _policy_status(world: World, region: str, given: dict[str, Any]) -> dict[str, Any]:
    bucket = _bucket(world, region, given)
    if not bucket.get("policy"):
        raise Failure("NoSuchBucketPolicy", "The bucket policy does not exist", 404)
    return {"PolicyStatus": {"IsPublic": bool(bucket.get("policy_public"))}}


@handles("s3:GetBucketAcl")
def _acl(world: World, region: str, given: dict[str, Any]) -> dict[str, Any]:
    bucket = _bucket(world, region, given)
    grants: list[dict[str, Any]] = [
        {"Grantee": {"Type": "CanonicalUser", "ID": "f" * 64}, "Permission": "FULL_CONTROL"}
    ]
    if group := bucket.get("acl_public"):
        name = group if isinstance(group, str) else "AllUsers"
        uri = f"http://acs.amazonaws.com/groups/global/{name}"
        grants.append({"Grantee": {"Type": "Group", "URI": uri}, "Permission": "READ"})
    return {"Owner": {"ID": "f" * 64}, "Grants": grants}


@handles("s3:GetPublicAccessBlock")
def _block(world: World, region: str, given: dict[str, Any]) -> dict[str, Any]:
    found = _bucket(world, region, given).get("block")
    if not found:
        raise Failure("NoSuchPublicAccessBlockConfiguration", "not found", 404)
    return {"PublicAccessBlockConfiguration": found}


@handles("s3control:GetPublicAccessBlock")
def _account_block(world: World, region: str, given: dict[str, Any]) -> dict[str, Any]:
    if not world.account_block:
        raise Failure("NoSuchPublicAccessBlockConfiguration", "not found", 404)
    return {"PublicAccessBlockConfiguration": world.account_block}


@handles("s3:GetBucketVersioning")
def _versioning(world: World, region: str, given: dict[str, Any]) -> dict[str, Any]:
    return dict(_bucket(world, region, given).get("versioning") or {})


@handles("s3:GetObjectLockConfiguration")
def _lock(world: World, region: str, given: dict[str, Any]) -> dict[str, Any]:
    if not _bucket(world, region, given).get("lock"):
        raise Failure("ObjectLockConfigurationNotFoundError", "not found", 404)
    return {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}}


@handles("s3:GetBucketLogging")
def _logging(world: World, region: str, given: dict[str, Any]) -> dict[str, Any]:
    target = _bucket(world, region, given).get("logging")
    return {"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": ""}} if target else {}


@handles("s3:GetBucketLifecycleConfiguration")
def _lifecycle(world: World, region: str, given: dict[str, Any]) -> dict[str, Any]:
    days = _bucket(world, region, given).get("lifecycle")
    if not days:
        raise Failure("NoSuchLifecycleConfiguration", "not found", 404)
    return {
        "Rules": [{"ID": "old", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": days}}]
    }


@handles("kms:DescribeKey")
def _key(world: World, region: str, given: dict[str, Any]) -> dict[str, Any]:
    found = world.keys.get(given["KeyId"])
    if found is None:
        raise Failure("AccessDeniedException", "not authorized to perform: kms:DescribeKey")
    return {"KeyMetadata": found}


@handles("logs:DescribeLogGroups")
def _groups(world: World, region: str, given: dict[str, Any]) -> dict[str, Any]:
    prefix = given.get("logGroupNamePrefix", "")
    return {
        "logGroups": [
            group
            for (where, name), group in sorted(world.groups.items())
            if where == region and name.startswith(prefix)
        ]
    }


@handles("logs:PutRetentionPolicy")
def _retention(world: World, region: str, given: dict[str, Any]) -> dict[str, Any]:
    world.groups[(region, given["logGroupName"])]["retentionInDays"] = given["retentionInDays"]
    return {}
