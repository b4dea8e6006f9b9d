"""Macie: the session of a region, what it publishes and keeps, discovery, members and the organization's settings."""

from __future__ import annotations

from typing import Any

from ..faults import AwsError
from ..world import Call, Json, now
from .registry import handles, manager, only


def _denied(text: str) -> AwsError:
    return AwsError("AccessDeniedException", text, 403)


def _on(call: Call) -> Json:
    """The region's Macie, when it is on or paused."""
    if call.here.macie2["session"] is None:
        raise _denied("Macie is not enabled")
    return call.here.macie2


def session(region: Any, status: str = "ENABLED") -> Json:
    """A session as GetMacieSession shows it."""
    role = "role/aws-service-role/macie.amazonaws.com/AWSServiceRoleForAmazonMacie"
    return {
        "findingPublishingFrequency": "FIFTEEN_MINUTES",
        "status": status,
        "createdAt": now(days=9),
        "updatedAt": now(),
        "serviceRole": region.account.arn("iam", role),
    }


@handles("macie2:GetMacieSession")
def _session(call: Call, given: Json) -> Json:
    return dict(_on(call)["session"])


@handles("macie2:EnableMacie")
def _enable(call: Call, given: Json) -> Json:
    if call.here.macie2["session"] is not None:
        raise AwsError("ConflictException", "Macie has already been enabled", 409)
    frequency = given.get("findingPublishingFrequency", "FIFTEEN_MINUTES")
    found = session(call.here, given.get("status", "ENABLED"))
    call.here.macie2["session"] = found | {"findingPublishingFrequency": frequency}
    return {}


@handles("macie2:UpdateMacieSession")
def _update(call: Call, given: Json) -> Json:
    if call.here.macie2["admin"]:
        raise _denied("The request failed because the account is a member account.")
    _on(call)["session"] |= only(given, "status", "findingPublishingFrequency")
    return {}


@handles("macie2:GetFindingsPublicationConfiguration")
def _publication(call: Call, given: Json) -> Json:
    return {"securityHubConfiguration": dict(_on(call)["publication"])}


@handles("macie2:PutFindingsPublicationConfiguration")
def _publish(call: Call, given: Json) -> Json:
    _on(call)["publication"] = dict(given["securityHubConfiguration"])
    return {}


@handles("macie2:GetClassificationExportConfiguration")
def _export(call: Call, given: Json) -> Json:
    found = _on(call)["export"]
    return {"configuration": {"s3Destination": found} if found else {}}


@handles("macie2:PutClassificationExportConfiguration")
def _put_export(call: Call, given: Json) -> Json:
    destination = given["configuration"].get("s3Destination") or {}
    if destination.get("bucketName") not in call.world.buckets:
        raise AwsError("ValidationException", "The specified bucket doesn't exist.")
    _on(call)["export"] = destination
    return {"configuration": given["configuration"]}


def _decides(call: Call) -> Json:
    """The region's Macie, unless the account is a member of an administrator."""
    if _on(call)["admin"]:
        raise _denied("The request failed because the account is a member account.")
    return call.here.macie2


@handles("macie2:GetAutomatedDiscoveryConfiguration")
def _discovery(call: Call, given: Json) -> Json:
    status, members = _decides(call)["discovery"]
    return {"status": status, "autoEnableOrganizationMembers": members, "lastUpdatedAt": now(days=9)}


@handles("macie2:UpdateAutomatedDiscoveryConfiguration")
def _discover(call: Call, given: Json) -> Json:
    state = _decides(call)
    state["discovery"] = [
        given["status"],
        given.get("autoEnableOrganizationMembers", state["discovery"][1]),
    ]
    return {}


@handles("macie2:GetAdministratorAccount")
def _administrator(call: Call, given: Json) -> Json:
    admin = _on(call)["admin"]
    if not admin:
        return {}
    status = "Paused" if call.here.macie2["session"]["status"] == "PAUSED" else "Enabled"
    return {"administrator": {"accountId": admin, "relationshipStatus": status, "invitedAt": now(days=9)}}


@handles("macie2:ListOrganizationAdminAccounts")
def _admins(call: Call, given: Json) -> Json:
    if manager(call) != call.account.id:
        raise _denied("The request failed because you must be a user of the management account.")
    admins = call.here.macie2["org_admins"]
    return {"adminAccounts": [{"accountId": item, "status": "ENABLED"} for item in admins]}


@handles("macie2:EnableOrganizationAdminAccount")
def _enable_admin(call: Call, given: Json) -> Json:
    if manager(call) != call.account.id:
        raise _denied("The request failed because you must be a user of the management account.")
    admin = given["adminAccountId"]
    if call.here.macie2["org_admins"] not in ([], [admin]):
        raise AwsError("ConflictException", "Another account is the administrator.", 409)
    call.here.macie2["org_admins"] = [admin]
    there = call.world.account(admin).region(call.region)
    there.macie2["session"] = there.macie2["session"] or session(there)
    return {}


def _administered(call: Call) -> Json:
    """The region's Macie, for the organization's administrator only."""
    boss = manager(call)
    region = call.world.accounts[boss].regions.get(call.region) if boss else None
    if region is None or call.account.id not in region.macie2["org_admins"]:
        raise _denied("The request failed because you must be the Macie administrator of an organization.")
    return _on(call)


@handles("macie2:DescribeOrganizationConfiguration")
def _org(call: Call, given: Json) -> Json:
    return {"autoEnable": False, "maxAccountLimitReached": False, **(_administered(call)["org"] or {})}


@handles("macie2:UpdateOrganizationConfiguration")
def _update_org(call: Call, given: Json) -> Json:
    state = _administered(call)
    state["org"] = {**(state["org"] or {}), "autoEnable": given["autoEnable"]}
    return {}


@handles("macie2:ListMembers")
def _members(call: Call, given: Json) -> Json:
    return {
        "members": [
            {"accountId": account, "relationshipStatus": status, "administratorAccountId": call.account.id}
            for account, status in _on(call)["members"].items()
            if status == "Enabled" or given.get("onlyAssociated") == "false"
        ]
    }


@handles("macie2:UpdateMemberSession")
def _member_session(call: Call, given: Json) -> Json:
    if given["id"] not in _on(call)["members"]:
        raise AwsError("ResourceNotFoundException", "The account is not a member.", 404)
    call.here.macie2["members"][given["id"]] = "Enabled" if given["status"] == "ENABLED" else "Paused"
    return {}
