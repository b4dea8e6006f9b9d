"""Where the account stands in its organization: what organization checks of every service ask."""

from __future__ import annotations

import msgspec

from postureaudit.asks import Ask, Collection, Scope
from postureaudit.evidence import Absent, Json, Refusal
from postureaudit.resources import View, body, malformed, member
from postureaudit.services.base import Service

# Service principals as the service authorization and Organizations guides name them.
PRINCIPALS = (
    "access-analyzer.amazonaws.com",
    "account.amazonaws.com",
    "cloudtrail.amazonaws.com",
    "config.amazonaws.com",
    "config-multiaccountsetup.amazonaws.com",
    "detective.amazonaws.com",
    "fms.amazonaws.com",
    "guardduty.amazonaws.com",
    "inspector2.amazonaws.com",
    "macie.amazonaws.com",
    "security-ir.amazonaws.com",
    "securityhub.amazonaws.com",
    "securitylake.amazonaws.com",
)


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """`Role` is "standalone", "management", "member", or the refusal that hides it."""

    Role: str | Refusal
    ManagementAccount: str | Refusal | None
    OrganizationId: str | Refusal | None


def collect(scope: Scope) -> Collection:
    """Ask once, where Organizations lives: the organization, its accounts and delegated administrators."""
    if not scope.first:
        return
    yield [
        Ask("organizations:DescribeOrganization", region=scope.leader),
        Ask("organizations:ListAccounts", region=scope.leader),
        *(
            Ask("organizations:ListDelegatedAdministrators", region=scope.leader, ServicePrincipal=principal)
            for principal in PRINCIPALS
        ),
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
    role = "management" if manager == view.account else "member"
    return Position(Role=role, ManagementAccount=manager, OrganizationId=found.get("Id"))


def delegated(view: View, principal: str) -> list[str] | Refusal:
    """The account ids delegated to administer a service; only management and delegated accounts may ask."""
    found = member(
        view.outcome("organizations:ListDelegatedAdministrators", view.leader, ServicePrincipal=principal),
        "DelegatedAdministrators",
        [],
    )
    return found if isinstance(found, Refusal) else [str(item.get("Id")) for item in found]


def members(view: View) -> list[dict[str, Json]] | Refusal:
    """The organization's active accounts. `State` replaced `Status` in 2026 (API reference, Account)."""
    found = body(view.outcome("organizations:ListAccounts", view.leader))
    if isinstance(found, Refusal):
        return found
    accounts = found.get("Accounts") or []
    return [item for item in accounts if (item.get("State") or item.get("Status")) == "ACTIVE"]


from postureaudit.services.organizations import settings  # noqa: E402 - it is built on what stands above

SERVICE = Service(
    name="organizations",
    title="Organizations",
    collect=settings.ask,
    types=settings.TYPES,
    column="others",
)
