"""GuardDuty: the one detector of a region, its plans, destinations, filters, members and malware plans."""

from __future__ import annotations

from typing import Any

from ..faults import AwsError
from ..world import FOUNDATIONAL, PLANS, Call, Json, feature, now
from .registry import handles, manager, only

_OWNED = "The request is rejected because the input detectorId is not owned by the current account."
_MASTER = "The request failed because you do not have required AWS Organization master permission."
_NEW_PLANS = ("AI_PROTECTION", "AI_ANALYST", "EKS_RUNTIME_MONITORING")


def _bad(text: str) -> AwsError:
    return AwsError("BadRequestException", text, 400)


def _state(call: Call, given: Json) -> Json:
    """The region's GuardDuty, when the detector is the caller's."""
    found = call.here.guardduty
    if found["detector"] is None or found["detector"]["DetectorId"] != given["DetectorId"]:
        raise _bad(_OWNED)
    return found


def _delegated(call: Call) -> str | None:
    """The organization's GuardDuty administrator in this region."""
    boss = manager(call)
    region = call.world.accounts[boss].regions.get(call.region) if boss else None
    admins = region.guardduty["org_admins"] if region else []
    return str(admins[0]) if admins else None


@handles("guardduty:ListDetectors")
def _list(call: Call, given: Json) -> Json:
    detector = call.here.guardduty["detector"]
    return {"DetectorIds": [detector["DetectorId"]] if detector else []}


@handles("guardduty:GetDetector")
def _get(call: Call, given: Json) -> Json:
    detector = {k: v for k, v in _state(call, given)["detector"].items() if k != "DetectorId"}
    return {**detector, "DataSources": _sources(detector["Features"])}


def _sources(features: list[Json]) -> Json:
    """The legacy view of the features."""
    status = {item["Name"]: item["Status"] for item in features}
    off = "DISABLED"
    volumes = {"EbsVolumes": {"Status": status.get("EBS_MALWARE_PROTECTION", off)}}
    return {
        "CloudTrail": {"Status": status.get("CLOUD_TRAIL", "ENABLED")},
        "DNSLogs": {"Status": status.get("DNS_LOGS", "ENABLED")},
        "FlowLogs": {"Status": status.get("FLOW_LOGS", "ENABLED")},
        "S3Logs": {"Status": status.get("S3_DATA_EVENTS", off)},
        "Kubernetes": {"AuditLogs": {"Status": status.get("EKS_AUDIT_LOGS", off)}},
        "MalwareProtection": {"ScanEc2InstanceWithFindings": volumes},
    }


@handles("guardduty:CreateDetector")
def _create(call: Call, given: Json) -> Json:
    if call.here.guardduty["detector"]:
        raise _bad("The request is rejected because a detector already exists for the current account.")
    found = call.here.add_detector(
        status="ENABLED" if given["Enable"] else "DISABLED",
        frequency=given.get("FindingPublishingFrequency", "SIX_HOURS"),
        off=("RUNTIME_MONITORING",),
        Tags=given.get("Tags", {}),
    )
    _merge(call.here.guardduty["detector"], given.get("Features") or [])
    call.account.add_role("AWSServiceRoleForAmazonGuardDuty", "guardduty.amazonaws.com")
    return {"DetectorId": found}


@handles("guardduty:UpdateDetector")
def _update(call: Call, given: Json) -> Json:
    detector = _state(call, given)["detector"]
    if "Enable" in given:
        detector["Status"] = "ENABLED" if given["Enable"] else "DISABLED"
    if "FindingPublishingFrequency" in given:
        detector["FindingPublishingFrequency"] = given["FindingPublishingFrequency"]
    _merge(detector, given.get("Features") or [])
    return {}


def _merge(detector: Json, features: list[Json]) -> None:
    """Set the named features and leave the others, as AWS does."""
    names = {item["Name"] for item in features}
    if {"EKS_RUNTIME_MONITORING", "RUNTIME_MONITORING"} <= names:
        raise _bad(
            "The request is rejected because both EKS_RUNTIME_MONITORING and RUNTIME_MONITORING are given."
        )
    if wrong := names - set(PLANS) - set(_NEW_PLANS):
        reason = "cannot be set" if wrong & set(FOUNDATIONAL) else "is not known"
        raise _bad(f"The request is rejected because the feature {sorted(wrong)[0]} {reason}.")
    for item in features:
        known = next((old for old in detector["Features"] if old["Name"] == item["Name"]), None)
        if known is None:
            known = feature(item["Name"], "DISABLED")
            detector["Features"].append(known)
        known |= {"Status": item["Status"], "UpdatedAt": now()}
        for extra in item.get("AdditionalConfiguration", []):
            others = [old for old in known.get("AdditionalConfiguration", []) if old["Name"] != extra["Name"]]
            known["AdditionalConfiguration"] = [*others, {**extra, "UpdatedAt": now()}]


@handles("guardduty:ListFilters")
def _filters(call: Call, given: Json) -> Json:
    return {"FilterNames": list(_state(call, given)["filters"])}


@handles("guardduty:GetFilter")
def _filter(call: Call, given: Json) -> Json:
    known = _state(call, given)["filters"]
    if given["FilterName"] not in known:
        raise _bad("The request is rejected since no such resource found.")
    return dict(known[given["FilterName"]])


@handles("guardduty:UpdateFilter")
def _update_filter(call: Call, given: Json) -> Json:
    known = _state(call, given)["filters"]
    if given["FilterName"] not in known:
        raise _bad("The request is rejected since no such resource found.")
    known[given["FilterName"]] |= only(given, "Description", "Action", "Rank", "FindingCriteria")
    return {"Name": given["FilterName"]}


@handles("guardduty:CreateFilter")
def _create_filter(call: Call, given: Json) -> Json:
    known = _state(call, given)["filters"]
    if given["Name"] in known:
        raise _bad("The request is rejected because a filter with the given name already exists.")
    call.here.add_filter(given["Name"], {}, action=given.get("Action", "NOOP"))
    known[given["Name"]] |= only(given, "Description", "Rank", "FindingCriteria")
    return {"Name": given["Name"]}


@handles("guardduty:DeleteFilter")
def _delete_filter(call: Call, given: Json) -> Json:
    known = _state(call, given)["filters"]
    if given["FilterName"] not in known:
        raise _bad("The request is rejected since no such resource found.")
    del known[given["FilterName"]]
    return {}


@handles("guardduty:ListPublishingDestinations")
def _destinations(call: Call, given: Json) -> Json:
    names = ("DestinationId", "DestinationType", "Status")
    return {"Destinations": [only(item, *names) for item in _state(call, given)["destinations"].values()]}


@handles("guardduty:DescribePublishingDestination")
def _destination(call: Call, given: Json) -> Json:
    known = _state(call, given)["destinations"]
    if given["DestinationId"] not in known:
        raise _bad("The request is rejected because the publishing destination does not exist.")
    return dict(known[given["DestinationId"]])


@handles("guardduty:CreatePublishingDestination")
def _create_destination(call: Call, given: Json) -> Json:
    known, properties = _state(call, given)["destinations"], given["DestinationProperties"]
    if known:
        raise _bad("The request failed because a destination already exists.")
    bucket = properties.get("DestinationArn", "").rpartition(":::")[2].partition("/")[0]
    if bucket not in call.world.buckets or not properties.get("KmsKeyArn"):
        raise _bad(
            "The request failed because GuardDuty has no permission to the KMS key or the destination."
        )
    call.here.add_destination(bucket, DestinationProperties=properties)
    return {"DestinationId": list(known)[-1]}


@handles("guardduty:UpdatePublishingDestination")
def _update_destination(call: Call, given: Json) -> Json:
    found = _state(call, given)["destinations"][given["DestinationId"]]
    found["DestinationProperties"] |= given.get("DestinationProperties") or {}
    found |= {"Status": "PUBLISHING", "PublishingFailureStartTimestamp": 0}
    return {}


@handles("guardduty:ListMalwareProtectionPlans")
def _plans(call: Call, given: Json) -> Json:
    return {
        "MalwareProtectionPlans": [{"MalwareProtectionPlanId": item} for item in call.here.guardduty["plans"]]
    }


@handles("guardduty:GetMalwareProtectionPlan")
def _plan(call: Call, given: Json) -> Json:
    known = call.here.guardduty["plans"]
    if given["MalwareProtectionPlanId"] not in known:
        raise AwsError("ResourceNotFoundException", "The requested resource can't be found.", 404)
    return dict(known[given["MalwareProtectionPlanId"]])


@handles("guardduty:CreateMalwareProtectionPlan")
def _create_plan(call: Call, given: Json) -> Json:
    bucket = given["ProtectedResource"]["S3Bucket"]["BucketName"]
    if call.world.buckets.get(bucket, {}).get("owner") != call.account.id:
        raise _bad("The request is rejected because the bucket does not exist or belongs to another account.")
    return {"MalwareProtectionPlanId": call.here.add_plan(bucket)}


@handles("guardduty:GetAdministratorAccount")
def _administrator(call: Call, given: Json) -> Json:
    admin = _state(call, given)["admin"]
    if admin is None:
        return {"Administrator": {}}
    found = {"AccountId": admin, "RelationshipStatus": "Enabled", "InvitedAt": "2025-01-01T00:00:00.000Z"}
    return {"Administrator": found}


@handles("guardduty:ListMembers")
def _members(call: Call, given: Json) -> Json:
    found = _state(call, given)["members"]
    return {
        "Members": [
            _member(call, name, status)
            for name, status in found.items()
            if given.get("OnlyAssociated") != "true" or status in ("Enabled", "Disabled")
        ]
    }


def _member(call: Call, account: str, status: str) -> Json:
    return {
        "AccountId": account,
        "DetectorId": f"{int(account):032x}",
        "MasterId": call.account.id,
        "AdministratorId": call.account.id,
        "Email": f"{account}@example.com",
        "RelationshipStatus": status,
        "InvitedAt": "2025-01-01T00:00:00.000Z",
        "UpdatedAt": "2025-01-01T00:00:00.000Z",
    }


@handles("guardduty:GetMemberDetectors")
def _member_detectors(call: Call, given: Json) -> Json:
    members = _state(call, given)["members"]
    found: list[Json] = []
    unknown: list[Json] = []
    for account in given["AccountIds"]:
        region = (
            call.world.accounts[account].regions.get(call.region) if account in call.world.accounts else None
        )
        detector = region.guardduty["detector"] if region else None
        if account not in members or detector is None:
            unknown.append(
                {
                    "AccountId": account,
                    "Result": "The request is rejected because the account is not a member.",
                }
            )
            continue
        features = detector["Features"]
        found.append({"AccountId": account, "DataSources": _sources(features), "Features": features})
    return {"MemberDataSourceConfigurations": found, "UnprocessedAccounts": unknown}


@handles("guardduty:ListOrganizationAdminAccounts")
def _org_admins(call: Call, given: Json) -> Json:
    if manager(call) != call.account.id:
        raise _bad(_MASTER)
    admins = call.here.guardduty["org_admins"]
    return {"AdminAccounts": [{"AdminAccountId": item, "AdminStatus": "ENABLED"} for item in admins]}


@handles("guardduty:EnableOrganizationAdminAccount")
def _enable_admin(call: Call, given: Json) -> Json:
    if manager(call) != call.account.id:
        raise _bad(_MASTER)
    admin = given["AdminAccountId"]
    if call.here.guardduty["org_admins"] not in ([], [admin]):
        raise _bad("The request is rejected because another account is already the delegated administrator.")
    call.here.guardduty["org_admins"] = [admin]
    region = call.world.account(admin).region(call.region)
    if region.guardduty["detector"] is None:
        region.add_detector(frequency="SIX_HOURS")
    return {}


@handles("guardduty:DescribeOrganizationConfiguration")
def _org_config(call: Call, given: Json) -> Json:
    state = _state(call, given)
    if _delegated(call) != call.account.id:
        raise _bad(_MASTER)
    return {"MemberAccountLimitReached": False, **(state["org"] or _default_org())}


def _default_org() -> Json:
    features = [{"Name": name, "AutoEnable": "NONE"} for name in PLANS]
    return {"AutoEnable": False, "AutoEnableOrganizationMembers": "NONE", "Features": features}


@handles("guardduty:UpdateOrganizationConfiguration")
def _update_org(call: Call, given: Json) -> Json:
    state = _state(call, given)
    if _delegated(call) != call.account.id:
        raise _bad(_MASTER)
    members = given.get("AutoEnableOrganizationMembers", "NONE")
    found: dict[str, Any] = {**_default_org(), **(state["org"] or {})}
    wanted = {item["Name"]: item for item in given.get("Features") or []}
    found["Features"] = [wanted.pop(item["Name"], item) for item in found["Features"]] + list(wanted.values())
    state["org"] = {**found, "AutoEnable": members != "NONE", "AutoEnableOrganizationMembers": members}
    if members == "ALL":  # on AWS within 24 hours
        accounts = (call.world.organization or {})["Accounts"]
        active = [item["Id"] for item in accounts if item["State"] == "ACTIVE"]
        state["members"] |= dict.fromkeys([name for name in active if name != call.account.id], "Enabled")
    return {}


@handles("guardduty:ListFindings")
def _list_findings(call: Call, given: Json) -> Json:
    fields = given.get("FindingCriteria", {}).get("Criterion", {})
    lowest = fields.get("severity", {}).get("Gte", 0)
    archived = fields.get("service.archived", {}).get("Eq", ["true", "false"])
    return {
        "FindingIds": [
            item["Id"]
            for item in _state(call, given)["findings"]
            if item["Severity"] >= lowest
            and str(item.get("Service", {}).get("Archived", False)).lower() in archived
        ]
    }


@handles("guardduty:GetFindings")
def _get_findings(call: Call, given: Json) -> Json:
    return {
        "Findings": [item for item in _state(call, given)["findings"] if item["Id"] in given["FindingIds"]]
    }


@handles("guardduty:GetFindingsStatistics")
def _statistics(call: Call, given: Json) -> Json:
    counted: dict[str, int] = {}
    for item in _state(call, given)["findings"]:
        counted[str(item["Severity"])] = counted.get(str(item["Severity"]), 0) + 1
    if given.get("GroupBy") == "SEVERITY":
        grouped = [{"Severity": float(key), "TotalFindings": number} for key, number in counted.items()]
        return {"FindingStatistics": {"GroupedBySeverity": grouped}}
    return {"FindingStatistics": {"CountBySeverity": counted}}


@handles("guardduty:GetCoverageStatistics")
def _coverage(call: Call, given: Json) -> Json:
    found = _state(call, given)["coverage"]
    keys = {
        "COUNT_BY_RESOURCE_TYPE": "CountByResourceType",
        "COUNT_BY_COVERAGE_STATUS": "CountByCoverageStatus",
    }
    return {"CoverageStatistics": {keys[kind]: found.get(keys[kind], {}) for kind in given["StatisticsType"]}}
