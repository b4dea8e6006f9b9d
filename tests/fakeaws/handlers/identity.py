"""STS, IAM, Account, and the regions as EC2 lists them."""

from __future__ import annotations

from typing import Any

from ..faults import AwsError
from ..world import NOT_ENABLED, Call, Json, now
from .registry import handles

LINKED = {
    "config.amazonaws.com": "AWSServiceRoleForConfig",
    "guardduty.amazonaws.com": "AWSServiceRoleForAmazonGuardDuty",
    "malware-protection.guardduty.amazonaws.com": "AWSServiceRoleForAmazonGuardDutyMalwareProtection",
    "securityhub.amazonaws.com": "AWSServiceRoleForSecurityHub",
    "cloudtrail.amazonaws.com": "AWSServiceRoleForCloudTrail",
    "remediation.config.amazonaws.com": "AWSServiceRoleForConfigRemediation",
    "triage.security-ir.amazonaws.com": "AWSServiceRoleForSecurityIncidentResponse_Triage",
    "config-conforms.amazonaws.com": "AWSServiceRoleForConfigConforms",
}


@handles("sts:GetCallerIdentity")
def _identity(call: Call, given: Json) -> Json:
    return {"UserId": "AROAEXAMPLE:alice", "Account": call.account.id, "Arn": call.arn}


@handles("sts:AssumeRole")
def _assume(call: Call, given: Json) -> Json:
    arn, session = given["RoleArn"], given["RoleSessionName"]
    account = arn.split(":")[4]
    if account not in call.world.accounts or arn in call.world.no_assume:
        text = f"User: {call.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}"
        raise AwsError("AccessDenied", text, 403)
    key = f"ASIA{account}{len(call.world.sessions):06d}"
    assumed = f"arn:aws:sts::{account}:assumed-role/{arn.rpartition('/')[2]}/{session}"
    call.world.sessions[key] = assumed
    secret = {"AccessKeyId": key, "SecretAccessKey": "secret", "SessionToken": "token"}
    return {
        "Credentials": {**secret, "Expiration": now(hours=-1)},
        "AssumedRoleUser": {"AssumedRoleId": f"AROAEXAMPLE:{session}", "Arn": assumed},
    }


@handles("iam:ListAccountAliases")
def _aliases(call: Call, given: Json) -> Json:
    return {"AccountAliases": call.account.aliases, "IsTruncated": False}


@handles("iam:GetAccountSummary")
def _summary(call: Call, given: Json) -> Json:
    token = call.account.token_version
    return {"SummaryMap": {"GlobalEndpointTokenVersion": token, "AccountMFAEnabled": 1, "Users": 0}}


@handles("iam:GetRole")
def _role(call: Call, given: Json) -> Json:
    name = given["RoleName"]
    if name not in call.account.roles:
        raise AwsError("NoSuchEntity", f"The role with name {name} cannot be found.", 404)
    return {"Role": call.account.roles[name]}


@handles("iam:ListRolePolicies")
def _role_policies(call: Call, given: Json) -> Json:
    _role(call, given)
    names = sorted(call.account.role_policies.get(given["RoleName"], {}))
    return {"PolicyNames": names, "IsTruncated": False}


@handles("iam:GetRolePolicy")
def _role_policy(call: Call, given: Json) -> Json:
    known = call.account.role_policies.get(given["RoleName"], {})
    if given["PolicyName"] not in known:
        text = f"The role policy with name {given['PolicyName']} cannot be found."
        raise AwsError("NoSuchEntity", text, 404)
    return {**given, "PolicyDocument": known[given["PolicyName"]]}


@handles("iam:ListAttachedRolePolicies")
def _attached(call: Call, given: Json) -> Json:
    _role(call, given)
    return {"AttachedPolicies": [], "IsTruncated": False}


@handles("iam:CreateServiceLinkedRole")
def _linked(call: Call, given: Json) -> Json:
    principal = given["AWSServiceName"]
    name = LINKED.get(principal)
    if name is None:
        raise AwsError("InvalidInput", f"{principal} is not a valid service")
    if name in call.account.roles:
        text = f"Service role name {name} has been taken in this account, please try a different suffix."
        raise AwsError("InvalidInput", text)
    call.account.add_role(name, principal)
    return {"Role": call.account.roles[name]}


@handles("ec2:DescribeRegions")
def _regions(call: Call, given: Json) -> Json:
    listed = [*call.account.regions, *(NOT_ENABLED if given.get("AllRegions") else ())]
    wanted = given.get("RegionNames") or dict.fromkeys(listed)
    found = [
        {"RegionName": name, "Endpoint": f"ec2.{name}.amazonaws.com", "OptInStatus": _opt_in(call, name)}
        for name in dict.fromkeys(listed)
        if name in wanted
    ]
    return {"Regions": found}


def _opt_in(call: Call, name: str) -> str:
    if name not in call.account.regions:
        return "not-opted-in"
    return "opted-in" if name in NOT_ENABLED or name in call.account.opt_status else "opt-in-not-required"


def _status(call: Call, name: str) -> str:
    if name in call.account.opt_status:
        return call.account.opt_status[name]
    if name not in call.account.regions:
        return "DISABLED"
    return "ENABLED" if name in NOT_ENABLED else "ENABLED_BY_DEFAULT"


@handles("account:ListRegions")
def _list_regions(call: Call, given: Json) -> Json:
    _same_account(call, given)
    wanted: Any = given.get("RegionOptStatusContains")
    names = dict.fromkeys([*call.account.regions, *NOT_ENABLED, *call.account.opt_status])
    found = [{"RegionName": name, "RegionOptStatus": _status(call, name)} for name in names]
    return {"Regions": [item for item in found if not wanted or item["RegionOptStatus"] in wanted]}


@handles("account:GetRegionOptStatus")
def _opt_status(call: Call, given: Json) -> Json:
    return {"RegionName": given["RegionName"], "RegionOptStatus": _status(call, given["RegionName"])}


@handles("account:GetAlternateContact")
def _contact(call: Call, given: Json) -> Json:
    kind = given["AlternateContactType"]
    owner = _same_account(call, given)
    if kind not in call.world.account(owner).contacts:
        text = "No contact of the inputted alternate contact type found."
        raise AwsError("ResourceNotFoundException", text, 404)
    return {"AlternateContact": call.world.account(owner).contacts[kind]}


@handles("account:PutAlternateContact")
def _put_contact(call: Call, given: Json) -> Json:
    owner = _same_account(call, given)
    body = {name: value for name, value in given.items() if name != "AccountId"}
    call.world.account(owner).contacts[given["AlternateContactType"]] = body
    return {}


@handles("account:DeleteAlternateContact")
def _delete_contact(call: Call, given: Json) -> Json:
    owner = _same_account(call, given)
    if call.world.account(owner).contacts.pop(given["AlternateContactType"], None) is None:
        raise AwsError("ResourceNotFoundException", "No contact of this type found.", 404)
    return {}


@handles("account:GetContactInformation")
def _contact_information(call: Call, given: Json) -> Json:
    owner = call.world.account(_same_account(call, given))
    known = {
        "FullName": "Example Corp",
        "AddressLine1": "1 Main Street",
        "City": "Springfield",
        "PostalCode": "12345",
        "CountryCode": "US",
        "PhoneNumber": "+15550100",
    }
    state = {"VerificationStatus": owner.phone} if owner.phone else {}
    return {"ContactInformation": known, **state}


def _same_account(call: Call, given: Json) -> str:
    """The account meant: the caller's, or (for the management account) a member's."""
    wanted = str(given.get("AccountId") or call.account.id)
    org = call.world.organization
    managed = org is not None and org["Organization"]["MasterAccountId"] == call.account.id
    if wanted != call.account.id and not managed:
        raise AwsError("AccessDeniedException", "User is not authorized to access this resource", 403)
    return wanted
