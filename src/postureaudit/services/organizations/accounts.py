"""What Organizations says: the account's position, the organization's accounts, and who is delegated what."""

from __future__ import annotations

from typing import Literal

import msgspec

from postureaudit.asks import Ask, Collection, Scope
from postureaudit.evidence import Absent, Answer, Json, Refusal
from postureaudit.resources import View, body, malformed, member
from postureaudit.services.organizations.policies import POLICY_TYPES, policy_ask

# What a facet reads that asks these functions: for its `calls`.
POSITION_CALLS = ("organizations:DescribeOrganization",)
MEMBER_CALLS = (*POSITION_CALLS, "organizations:ListAccounts")
DELEGATION_CALLS = (
    *POSITION_CALLS,
    "organizations:ListDelegatedAdministrators",
    "organizations:ListDelegatedServicesForAccount",
)


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """`Role` is "standalone", "management", "member", or the refusal that hides it."""

    Role: Literal["standalone", "management", "member"] | Refusal
    ManagementAccount: str | Refusal | None
    OrganizationId: str | Refusal | None


def collect(scope: Scope) -> Collection:
    """Ask once, where Organizations lives: the organization, its accounts, delegated administrators and policies.

    Who is delegated what takes one call and one more for each delegated account, however many services there are.
    """
    if not scope.first:
        return
    here, _, admins = yield [
        Ask("organizations:DescribeOrganization", region=scope.leader),
        Ask("organizations:ListAccounts", region=scope.leader),
        Ask("organizations:ListDelegatedAdministrators", region=scope.leader),
    ]
    if isinstance(here.outcome, Absent):
        return
    yield [
        *(
            Ask("organizations:ListDelegatedServicesForAccount", region=scope.leader, AccountId=account)
            for account in admins.pick("DelegatedAdministrators[].Id")
        ),
        *(policy_ask(kind, scope.leader) for kind in POLICY_TYPES),
    ]


def position(view: View) -> Position:
    """Whether this account is alone, manages its organization, or is a member of it."""
    outcome = view.outcome("organizations:DescribeOrganization", view.leader)
    if isinstance(outcome, Absent):
        return Position(Role="standalone", ManagementAccount=None, OrganizationId=None)
    found = member(outcome, "Organization", {})
    if isinstance(found, Refusal):
        return Position(Role=found, ManagementAccount=found, OrganizationId=found)
    manager = found.get("MasterAccountId")
    if not manager:
        hidden = malformed("organizations:DescribeOrganization", view.leader, "no management account")
        return Position(Role=hidden, ManagementAccount=hidden, OrganizationId=hidden)
    role: Literal["management", "member"] = "management" if manager == view.account else "member"
    return Position(Role=role, ManagementAccount=manager, OrganizationId=found.get("Id"))


def look_in_management(view: View) -> str:
    """Where to look for what only the management account is told: for `Resource.elsewhere`."""
    account = position(view).ManagementAccount
    return "look in the management account" + (f" {account}" if isinstance(account, str) else "")


def not_delegated(refusal: Refusal) -> bool:
    """Whether Organizations tells a member that it is delegated for nothing.

    A missing permission reads "is not authorized to perform" (API reference, "can be called only from the management
    account or by a member account that is a delegated administrator").
    """
    return "you don't have permissions to access this resource" in refusal.message.lower()


def delegations(view: View) -> dict[str, list[str]] | Refusal:
    """The delegated administrators by account id, each with the service principals that it administers.

    Only the management account and delegated administrators may ask (API reference, both operations). An account
    that stopped being one between the two calls is refused, and hides the whole.
    """
    outcome = view.outcome("organizations:ListDelegatedAdministrators", view.leader)
    if isinstance(outcome, Absent) or position(view).Role == "standalone":
        return {}
    listed = member(outcome, "DelegatedAdministrators", [])
    if isinstance(listed, Refusal):
        return listed
    found: dict[str, list[str]] = {}
    for account in (str(item.get("Id")) for item in listed):
        call = "organizations:ListDelegatedServicesForAccount"
        services = view.outcome(call, view.leader, AccountId=account)
        if not isinstance(services, Answer):
            return services if isinstance(services, Refusal) else malformed(call, view.leader, services.code)
        names = member(services, "DelegatedServices", [])
        if isinstance(names, Refusal):
            return names
        found[account] = sorted(str(item.get("ServicePrincipal")) for item in names)
    return found


def delegated(view: View, principal: str) -> list[str] | Refusal:
    """The account ids delegated to administer a service; only management and delegated accounts may ask."""
    found = view.memo(delegations)
    if isinstance(found, Refusal):
        return found
    return [account for account, principals in found.items() if principal in principals]


def members(view: View) -> list[dict[str, Json]] | Refusal:
    """The organization's active accounts. `State` replaced `Status` in 2026 (API reference, Account).

    Accounts that are suspended, being closed or closed run nothing: no service counts them as missing members.
    """
    found = body(view.outcome("organizations:ListAccounts", view.leader))
    if isinstance(found, Refusal):
        return found
    accounts = found.get("Accounts") or []
    return [item for item in accounts if (item.get("State") or item.get("Status")) == "ACTIVE"]
