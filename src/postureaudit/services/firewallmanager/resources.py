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
from postureaudit.services.administrators import Delegation, as_managed, look
from postureaudit.services.organizations import acts_as_audit, look_in_management, position
from postureaudit.services.standing import POSITION, alone

ADMINISTRATOR_CALL = "fms:GetAdminAccount"
POLICIES_CALL = "fms:ListPolicies"
ADMINISTRATOR = (*POSITION, ADMINISTRATOR_CALL)


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
        where = look("the account that administers Firewall Manager", administrator(view).Account)
        if "no default admin" in text:
            where = alone(view) or f"Firewall Manager has no administrator: {look_in_management(view)}"
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


def delegation(view: View) -> Delegation:
    """Who administers Firewall Manager, as it says itself to the management account and to its administrator."""
    role, found = position(view).Role, body(view.outcome(ADMINISTRATOR_CALL, view.leader))
    named: list[str] | Refusal = found if isinstance(found, Refusal) else []
    if not isinstance(found, Refusal) and found.get("AdminAccount"):
        named = [str(found["AdminAccount"])]
    here = role if isinstance(role, Refusal) else role == "management" or acts_as_audit(view)
    return as_managed(view, here, named, [])


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
        elsewhere=alone(view),
        facts=facts(Delegation=delegation(view), Administrator=administrator(view)),
    )


REGION = ResourceType(
    name="firewallmanager.region",
    scope=ScopeKind.REGION,
    none="no region audited",
    facets=(Facet(name="Policies", calls=(*ADMINISTRATOR, POLICIES_CALL), shape=Policies),),
    produce=regions,
)
ORGANIZATION = ResourceType(
    name="firewallmanager.organization",
    scope=ScopeKind.ORGANIZATION,
    none="no organization",
    facets=(
        Facet(name="Delegation", calls=ADMINISTRATOR, shape=Delegation),
        Facet(name="Administrator", calls=ADMINISTRATOR, shape=Administrator),
    ),
    produce=organizations,
)
TYPES = (REGION, ORGANIZATION)
