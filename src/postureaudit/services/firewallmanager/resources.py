"""Firewall Manager's resources: its policies in a region, and the organization's default administrator."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from postureaudit.evidence import Absent, Refusal
from postureaudit.resources import (
    Facet,
    Resource,
    ResourceType,
    ScopeKind,
    View,
    body,
    facts,
    malformed,
    member,
)
from postureaudit.services.organizations import position
from postureaudit.services.standing import POSITION, at_management

ADMINISTRATOR_CALL = "fms:GetAdminAccount"
POLICIES_CALL = "fms:ListPolicies"


class Policies(msgspec.Struct, frozen=True, kw_only=True):
    """The policies that this account administers in a region.

    `Any`: there are some; where there are none, `Elsewhere` says why. `Active`: none is out of its administrator's
    scope, `Inactive` names those that are. `Remediating`: each mends what does not comply, `Passive` names the others.
    """

    Any: bool | Refusal
    Elsewhere: str
    Active: bool | Refusal
    Inactive: list[str]
    Remediating: bool | Refusal
    Passive: list[str]


class Administrator(msgspec.Struct, frozen=True, kw_only=True):
    """The default administrator account and the state of its role; "" where there is none."""

    Ready: bool | Refusal
    Account: str
    Role: str


def policies(view: View, region: str) -> Policies:
    """What is administered here. Only an administrator is told (API reference, ListPolicies)."""
    outcome = view.outcome(POLICIES_CALL, region)
    found = member(outcome, "PolicyList", [])
    if isinstance(found, Refusal):
        return Policies(Any=found, Elsewhere="", Active=found, Inactive=[], Remediating=found, Passive=[])
    inactive = sorted(str(item.get("PolicyName")) for item in found if item.get("PolicyStatus") != "ACTIVE")
    passive = sorted(
        str(item.get("PolicyName")) for item in found if item.get("RemediationEnabled") is not True
    )
    unsaid = [item for item in found if not item.get("PolicyStatus")]
    active: bool | Refusal = not inactive
    if unsaid and len(unsaid) == len(inactive):
        active = malformed(POLICIES_CALL, region, "a policy without its status")
    where = "this account administers no policy here"
    if isinstance(outcome, Absent):
        text = outcome.message.lower()
        where = "look in the account that administers Firewall Manager"
        if "no default admin" in text:
            where = "Firewall Manager has no administrator"
    return Policies(
        Any=bool(found),
        Elsewhere=where,
        Active=active,
        Inactive=inactive,
        Remediating=not passive,
        Passive=passive,
    )


def administrator(view: View) -> Administrator:
    """The default administrator (API reference, GetAdminAccount: RoleStatus READY)."""
    role = position(view).Role
    found = role if isinstance(role, Refusal) else body(view.outcome(ADMINISTRATOR_CALL, view.leader))
    if isinstance(found, Refusal):
        return Administrator(Ready=found, Account="", Role="")
    account, state = str(found.get("AdminAccount") or ""), str(found.get("RoleStatus") or "")
    return Administrator(Ready=bool(account) and state == "READY", Account=account, Role=state)


def regions(view: View) -> Iterator[Resource]:
    """One place a region."""
    for region in view.regions:
        yield Resource(
            type="firewallmanager.region",
            account=view.account,
            region=region,
            facts=facts(Policies=policies(view, region)),
        )


def organizations(view: View) -> Iterator[Resource]:
    """One place: the organization, as its management account sees it."""
    yield Resource(
        type="firewallmanager.organization",
        account=view.account,
        region=None,
        elsewhere=at_management(view),
        facts=facts(Administrator=administrator(view)),
    )


REGION = ResourceType(
    name="firewallmanager.region",
    scope=ScopeKind.REGION,
    none="no region audited",
    facets=(Facet(name="Policies", calls=(POLICIES_CALL,), shape=Policies),),
    produce=regions,
)
ORGANIZATION = ResourceType(
    name="firewallmanager.organization",
    scope=ScopeKind.ORGANIZATION,
    none="no organization",
    facets=(Facet(name="Administrator", calls=(*POSITION, ADMINISTRATOR_CALL), shape=Administrator),),
    produce=organizations,
)
TYPES = (REGION, ORGANIZATION)
