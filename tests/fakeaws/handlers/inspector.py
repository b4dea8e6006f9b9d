"""Inspector: what is scanned in an account and region, members, the organization's settings; and ECR's repositories."""

from __future__ import annotations

from typing import Any

from ..faults import AwsError
from ..world import Call, Json, now
from .registry import handles, manager

_ANSWERED = {"EC2": "ec2", "ECR": "ecr", "LAMBDA": "lambda", "LAMBDA_CODE": "lambdaCode"}
_TYPES = (*_ANSWERED.values(), "codeRepository")
_POLICY = "BLOCKED_BY_ORGANIZATION_POLICY"


def _denied(text: str) -> AwsError:
    return AwsError("AccessDeniedException", text, 403)


def _delegated(call: Call) -> str | None:
    """The organization's Inspector administrator in this region."""
    boss = manager(call)
    region = call.world.accounts[boss].regions.get(call.region) if boss else None
    admins = region.inspector2["org_admins"] if region else []
    return str(admins[0]) if admins else None


def _there(call: Call, account: str) -> Any:
    """The region in another account of the world."""
    return call.world.account(account).region(call.region).inspector2


def _entry(account: str, found: Json) -> Json:
    """An account's state: a type whose status is None is not offered, `blocked` are held by a policy."""

    def state(name: str, status: str) -> Json:
        code = _POLICY if name in found["blocked"] else "ALREADY_ENABLED"
        return {"status": status, "errorCode": code, "errorMessage": "none"}

    status: Json = {name: found["status"].get(name, "DISABLED") for name in _TYPES}
    whole = next(
        (word for word in ("ENABLED", "ENABLING", "SUSPENDED") if word in status.values()), "DISABLED"
    )
    return {
        "accountId": account,
        "state": state("", whole),
        "resourceState": {name: state(name, word) for name, word in status.items() if word},
    }


@handles("inspector2:BatchGetAccountStatus")
def _status(call: Call, given: Json) -> Json:
    accounts: list[Json] = []
    failed: list[Json] = []
    for account in given.get("accountIds") or [call.account.id]:
        if account == call.account.id:
            accounts.append(_entry(account, call.here.inspector2))
        elif call.here.inspector2["members"].get(account) == "ENABLED":
            accounts.append(_entry(account, _there(call, account)))
        else:
            text = {"errorCode": "ACCESS_DENIED", "errorMessage": "The account is not a member."}
            failed.append({"accountId": account, **text})
    return {"accounts": accounts, "failedAccounts": failed}


def _set(call: Call, given: Json, word: str) -> Json:
    done: list[Json] = []
    failed: list[Json] = []
    for account in given.get("accountIds") or [call.account.id]:
        own = account == call.account.id
        if not own and call.here.inspector2["members"].get(account) != "ENABLED":
            text = {"errorCode": "ACCESS_DENIED", "errorMessage": "The account is not a member."}
            failed.append({"accountId": account, **text})
            continue
        found = call.here.inspector2 if own else _there(call, account)
        names = [_ANSWERED.get(kind, "codeRepository") for kind in given["resourceTypes"]]
        if set(names) & set(found["blocked"]):
            failed.append(
                {"accountId": account, "errorCode": _POLICY, "errorMessage": "A policy forbids it."}
            )
            continue
        found["status"] |= dict.fromkeys(names, word)
        if found["status"].get("lambdaCode") == "ENABLED" and found["status"].get("lambda") != "ENABLED":
            raise AwsError("ValidationException", "LAMBDA_CODE needs LAMBDA.")
        shown = {name: found["status"].get(name) or "DISABLED" for name in _TYPES}
        done.append({"accountId": account, "status": "ENABLING", "resourceStatus": shown})
    return {"accounts": done, "failedAccounts": failed}


@handles("inspector2:Enable")
def _enable(call: Call, given: Json) -> Json:
    return _set(call, given, "ENABLED")


@handles("inspector2:Disable")
def _disable(call: Call, given: Json) -> Json:
    return _set(call, given, "DISABLED")


@handles("inspector2:GetDelegatedAdminAccount")
def _admin(call: Call, given: Json) -> Json:
    admin = _delegated(call)
    if admin is None:
        raise AwsError("ResourceNotFoundException", "No delegated administrator was found.", 404)
    status = _there(call, admin)["members"].get(call.account.id, "REMOVED")
    if call.account.id == admin:
        status = "ENABLED"
    return {"delegatedAdmin": {"accountId": admin, "relationshipStatus": status}}


@handles("inspector2:ListDelegatedAdminAccounts")
def _admins(call: Call, given: Json) -> Json:
    if manager(call) != call.account.id:
        raise _denied("Invoking account does not have access to list delegated admin accounts")
    admins = call.here.inspector2["org_admins"]
    return {"delegatedAdminAccounts": [{"accountId": item, "status": "ENABLED"} for item in admins]}


@handles("inspector2:EnableDelegatedAdminAccount")
def _enable_admin(call: Call, given: Json) -> Json:
    if manager(call) != call.account.id:
        raise _denied("Invoking account does not have access to enable a delegated admin account")
    admin = given["delegatedAdminAccountId"]
    known = {item for region in call.account.regions.values() for item in region.inspector2["org_admins"]}
    if known - {admin}:
        raise AwsError("ConflictException", "Another account is the delegated administrator.", 409)
    call.here.inspector2["org_admins"] = [admin]
    found = _there(call, admin)["status"]
    found |= {name: "ENABLED" for name in ("ec2", "ecr", "lambda") if found.get(name, "") is not None}
    return {"delegatedAdminAccountId": admin}


def _administered(call: Call) -> Json:
    if _delegated(call) != call.account.id:
        raise _denied("Invoking account does not have access to the organization configuration")
    return call.here.inspector2


@handles("inspector2:DescribeOrganizationConfiguration")
def _org(call: Call, given: Json) -> Json:
    found = _administered(call)["org"] or {"autoEnable": dict.fromkeys(_TYPES, False)}
    return {"maxAccountLimitReached": False, **found}


@handles("inspector2:UpdateOrganizationConfiguration")
def _update_org(call: Call, given: Json) -> Json:
    state = _administered(call)
    state["org"] = {**(state["org"] or {}), "autoEnable": given["autoEnable"]}
    return {"autoEnable": given["autoEnable"]}


@handles("inspector2:ListMembers")
def _members(call: Call, given: Json) -> Json:
    admin = {"delegatedAdminAccountId": call.account.id, "updatedAt": now(days=9)}
    return {
        "members": [
            {"accountId": account, "relationshipStatus": status, **admin}
            for account, status in _administered(call)["members"].items()
            if status == "ENABLED" or not given.get("onlyAssociated", True)
        ]
    }


@handles("inspector2:AssociateMember")
def _associate(call: Call, given: Json) -> Json:
    _administered(call)["members"][given["accountId"]] = "ENABLED"
    return {"accountId": given["accountId"]}


@handles("ecr:DescribeRepositories")
def _repositories(call: Call, given: Json) -> Json:
    return {
        "repositories": [
            {"repositoryName": name, "repositoryArn": call.here.arn("ecr", f"repository/{name}")}
            for name in call.here.workloads["ecr"]
        ]
    }
