"""The facts of the membership: active, whom it covers, and whether AWS triages findings by itself."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from postureaudit.evidence import Absent, Json, Refusal, RefusalKind
from postureaudit.resources import View, all_of, any_of, body, malformed, member
from postureaudit.services.organizations import members
from postureaudit.services.securityincidentresponse import asks
from postureaudit.services.standing import DELEGATES, Standing, standing

PRINCIPAL, TITLE = "security-ir.amazonaws.com", "Security Incident Response"
CALLS = (*DELEGATES, asks.LIST)
SETUP_CALLS = (*CALLS, asks.GET)
COVER_CALLS = (*SETUP_CALLS, asks.MEMBERS, "organizations:ListAccounts")
TRIAGE_CALLS = (*SETUP_CALLS, asks.ROLE)
# The regions with an endpoint (AWS General Reference, "AWS Security Incident Response endpoints and quotas"); botocore
# lists none. An endpoint elsewhere that is not reached is taken for one that is not there.
REGIONS = frozenset(
    {
        *("us-east-1", "us-east-2", "us-west-2", "ca-central-1", "sa-east-1", "af-south-1", "ap-east-1"),
        *("ap-south-1", "ap-south-2", "ap-northeast-1", "ap-northeast-2", "ap-southeast-1"),
        *("ap-southeast-2", "ap-southeast-3", "ap-southeast-4"),
        *("eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3"),
    }
)


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """The account's membership. `Id` and `Region` are "" where none is active; `Others` names ended ones."""

    Active: bool | Refusal
    Id: str
    Region: str
    Others: list[str]


class Cover(msgspec.Struct, frozen=True, kw_only=True):
    """Whether every account of the organization is covered; `Missing` are those that are not."""

    All: bool | Refusal
    Missing: list[str]


class Triage(msgspec.Struct, frozen=True, kw_only=True):
    """`OptedIn`: AWS triages GuardDuty's and Security Hub's findings; `Role`: it may, in this account."""

    OptedIn: bool | Refusal
    Role: bool | Refusal


def seat(view: View) -> Standing:
    """Where this account stands towards the organization's membership."""
    return view.once("security-ir", lambda: standing(view, PRINCIPAL, TITLE))


def membership(view: View) -> Membership:
    """The active membership among those of all audited regions (API reference, ListMemberships).

    Where no audited region has the service, as in a partition without it, there is nothing to be a member of.
    """
    states: list[bool | Refusal] = []
    offered = view.partition == "aws"  # which has the service, whatever regions are audited
    absent = 0
    others: list[str] = []
    for region in view.regions:
        found = member(view.outcome(asks.LIST, region), "items", [])
        if isinstance(found, Refusal):
            if not _not_there(found, region):
                states.append(found)
            elif found.kind is RefusalKind.NOT_IN_REGION:
                absent += 1
            continue
        offered = True
        for item in found:
            if item.get("membershipStatus") == "Active":
                return Membership(Active=True, Id=str(item["membershipId"]), Region=region, Others=[])
            others.append(f"{item.get('membershipStatus')} in {region}")
    if unseen := view.evidence.header.regions.excluded:
        text = f"a membership may be in a region that was not audited: {' '.join(sorted(unseen))}"
        states.append(Refusal(RefusalKind.NOT_COLLECTED, message=text))
    if not states and (not offered or absent == len(view.regions)):
        states.append(Refusal(RefusalKind.NOT_IN_REGION, call=asks.LIST, region=view.first))
    active = any_of(states)
    mine = seat(view).Mine
    if active is False and isinstance(mine, Refusal):
        active = mine
    return Membership(Active=active, Id="", Region="", Others=others)


def _not_there(refusal: Refusal, region: str) -> bool:
    if refusal.kind is RefusalKind.NOT_IN_REGION:
        return True
    return region not in REGIONS and refusal.kind in (RefusalKind.NETWORK, RefusalKind.TIMEOUT)


def _setup(view: View, found: Membership) -> Mapping[str, Json] | Refusal:
    """How the active membership is set up; {} where there is none."""
    if isinstance(found.Active, Refusal):
        return found.Active
    if not found.Active:
        return {}
    outcome = view.outcome(asks.GET, found.Region, membershipId=found.Id)
    if isinstance(outcome, Absent):
        return malformed(asks.GET, found.Region, "the membership is listed and not found")
    return body(outcome)


def cover(view: View, found: Membership) -> Cover:
    """Every active account is covered, by a membership for the whole organization or one by one."""
    setup = _setup(view, found)
    if isinstance(setup, Refusal):
        return Cover(All=setup, Missing=[])
    if (setup.get("membershipAccountsConfigurations") or {}).get("coverEntireOrganization") is True:
        return Cover(All=True, Missing=[])
    accounts = members(view)
    if isinstance(accounts, Refusal):
        return Cover(All=accounts, Missing=[])
    covered = _covered(view, found)
    states = {str(item.get("Id")): covered.get(str(item.get("Id")), False) for item in accounts}
    missing = sorted(name for name, state in states.items() if state is False)
    return Cover(All=all_of(states.values()), Missing=missing)


def _covered(view: View, found: Membership) -> dict[str, bool | Refusal]:
    """Whether each account is associated; what an error hides is unknown."""
    everyone = member(view.outcome("organizations:ListAccounts", view.leader), "Accounts", [])
    ids = [] if isinstance(everyone, Refusal) else [str(item.get("Id")) for item in everyone]
    covered: dict[str, bool | Refusal] = {}
    for part in asks.parts(ids):
        answer = body(view.outcome(asks.MEMBERS, found.Region, membershipId=found.Id, accountIds=part))
        if isinstance(answer, Refusal):
            covered |= dict.fromkeys(part, answer)
            continue
        for item in answer.get("items") or []:
            covered[str(item.get("accountId"))] = item.get("relationshipStatus") == "Associated"
        for item in answer.get("errors") or []:
            text = f"account {item.get('accountId')}: {item.get('error')}"
            covered[str(item.get("accountId"))] = malformed(asks.MEMBERS, found.Region, text)
    return covered


def triage(view: View, found: Membership) -> Triage:
    """Whether findings are triaged (API reference, OptInFeature Triage), and the role for it is here."""
    setup = _setup(view, found)
    if isinstance(setup, Refusal):
        return Triage(OptedIn=setup, Role=setup)
    features = {item.get("featureName"): item.get("isEnabled") for item in setup.get("optInFeatures") or []}
    outcome = view.outcome(asks.ROLE, view.leader, RoleName=asks.TRIAGE_ROLE)
    role = member(outcome, "Role", {})
    return Triage(
        OptedIn=features.get("Triage") is True,
        Role=role if isinstance(role, Refusal) else bool(role),
    )
