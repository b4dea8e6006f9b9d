"""Organizations: standalone accounts, members, delegated administrators and the management account."""

from __future__ import annotations

from ..faults import AwsError
from ..world import Call, Json, now
from .registry import handles, manager


def _member(call: Call) -> Json:
    org = call.world.organization
    if org is None or manager(call) is None:
        raise AwsError(
            "AWSOrganizationsNotInUseException", "Your account is not a member of an organization."
        )
    return org


def _managed(call: Call, delegates: bool = True) -> Json:
    org = _member(call)
    trusted = {item for ids in org["Delegated"].values() for item in ids} if delegates else set()
    if call.account.id not in {manager(call), *trusted}:
        raise AwsError("AccessDeniedException", "You don't have permissions to access this resource.")
    return org


@handles("organizations:DescribeOrganization")
def _organization(call: Call, given: Json) -> Json:
    return {"Organization": _member(call)["Organization"]}


@handles("organizations:ListAccounts")
def _accounts(call: Call, given: Json) -> Json:
    return {"Accounts": _managed(call)["Accounts"]}


@handles("organizations:DescribeAccount")
def _account(call: Call, given: Json) -> Json:
    found = [item for item in _managed(call)["Accounts"] if item["Id"] == given["AccountId"]]
    if not found:
        raise AwsError("AccountNotFoundException", "You specified an account that doesn't exist.")
    return {"Account": found[0]}


@handles("organizations:ListRoots")
def _roots(call: Call, given: Json) -> Json:
    org = _managed(call)
    base = f"arn:aws:organizations::{org['Organization']['MasterAccountId']}"
    types = org.get("RootPolicyTypes", [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}])
    arn = f"{base}:root/{org['Organization']['Id']}/r-abcd"
    return {"Roots": [{"Id": "r-abcd", "Arn": arn, "Name": "Root", "PolicyTypes": types}]}


@handles("organizations:ListDelegatedAdministrators")
def _admins(call: Call, given: Json) -> Json:
    org = _managed(call)
    wanted = given.get("ServicePrincipal")
    chosen = {account for name, ids in org["Delegated"].items() if wanted in (None, name) for account in ids}
    found = [item for item in org["Accounts"] if item["Id"] in chosen]
    return {"DelegatedAdministrators": [{**item, "DelegationEnabledDate": now(days=90)} for item in found]}


@handles("organizations:ListDelegatedServicesForAccount")
def _services(call: Call, given: Json) -> Json:
    delegated = _managed(call)["Delegated"]
    names = [name for name, ids in delegated.items() if given["AccountId"] in ids]
    if not names:
        raise AwsError(
            "AccountNotRegisteredException", "The account is not a registered delegated administrator."
        )
    return {
        "DelegatedServices": [
            {"ServicePrincipal": name, "DelegationEnabledDate": now(days=90)} for name in names
        ]
    }


@handles("organizations:ListAWSServiceAccessForOrganization")
def _access(call: Call, given: Json) -> Json:
    names = _managed(call)["Access"]
    return {
        "EnabledServicePrincipals": [
            {"ServicePrincipal": name, "DateEnabled": now(days=90)} for name in names
        ]
    }


@handles("organizations:DescribeEffectivePolicy")
def _effective(call: Call, given: Json) -> Json:
    org = _member(call)
    target = given.get("TargetId") or call.account.id
    if target != call.account.id:
        _managed(call)
    content = org["Effective"].get((target, given["PolicyType"]))
    if content is None:
        text = "The effective policy can't be found."
        raise AwsError("EffectivePolicyNotFoundException", text)
    policy = {"PolicyContent": content, "TargetId": target, "PolicyType": given["PolicyType"]}
    return {"EffectivePolicy": {**policy, "LastUpdatedTimestamp": now(days=3)}}


@handles("organizations:ListPolicies")
def _policies(call: Call, given: Json) -> Json:
    return {"Policies": _managed(call).get("Policies", {}).get(given["Filter"], [])}


@handles("organizations:EnableAWSServiceAccess")
def _enable(call: Call, given: Json) -> Json:
    access = _managed(call, delegates=False)["Access"]
    if given["ServicePrincipal"] not in access:
        access.append(given["ServicePrincipal"])
    return {}


@handles("organizations:RegisterDelegatedAdministrator")
def _register(call: Call, given: Json) -> Json:
    org, account = _managed(call, delegates=False), given["AccountId"]
    if account not in {item["Id"] for item in org["Accounts"]}:
        raise AwsError("AccountNotFoundException", "You specified an account that doesn't exist.")
    if account == manager(call):
        text = "You cannot register the management account as a delegated administrator."
        raise AwsError("ConstraintViolationException", text)
    ids = org["Delegated"].setdefault(given["ServicePrincipal"], [])
    if account in ids:
        raise AwsError("AccountAlreadyRegisteredException", "The account is already registered.")
    ids.append(account)
    return {}


@handles("organizations:ListAccountsForParent")
def _of_parent(call: Call, given: Json) -> Json:
    org = _managed(call)
    units = org.get("Units", {})
    if given["ParentId"] not in {"r-abcd", *units}:
        raise AwsError("ParentNotFoundException", "You specified parent that doesn't exist.")
    placed = {account: name for name, unit in units.items() for account in unit["Accounts"]}
    here = [item for item in org["Accounts"] if placed.get(item["Id"], "r-abcd") == given["ParentId"]]
    return {"Accounts": here}


@handles("organizations:ListOrganizationalUnitsForParent")
def _units(call: Call, given: Json) -> Json:
    org = _managed(call)
    base = f"arn:aws:organizations::{org['Organization']['MasterAccountId']}"
    found = [
        {"Id": name, "Name": unit["Name"], "Arn": f"{base}:ou/{org['Organization']['Id']}/{name}"}
        for name, unit in org.get("Units", {}).items()
        if unit.get("Parent", "r-abcd") == given["ParentId"]
    ]
    return {"OrganizationalUnits": found}
