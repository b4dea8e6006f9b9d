"""Security Incident Response: memberships, which live in one region and are listed only there."""

from __future__ import annotations

from typing import Any

from ..faults import AwsError
from ..world import Call, Json, Region
from .registry import handles, manager, only

TRIAGE_ROLE = "AWSServiceRoleForSecurityIncidentResponse_Triage"


def add_sir_membership(
    region: Region,
    *,
    status: str = "Active",
    triage: bool = True,
    role: bool = True,
    whole: bool = True,
    covered: tuple[str, ...] = (),
) -> str:
    """A membership, with the role for triage in its account; `covered` are accounts, where not the whole."""
    if role:
        region.account.add_role(TRIAGE_ROLE, "triage.security-ir.amazonaws.com")
    return region.add_membership(
        status=status,
        customerType="Organization",
        optInFeatures=[{"featureName": "Triage", "isEnabled": triage}],
        membershipAccountsConfigurations={"coverEntireOrganization": whole, "organizationalUnits": []},
        coveredAccounts=list(covered),  # the fake's own
    )


def _known(call: Call, given: Json) -> Json:
    found: Json | None = call.here.responders["memberships"].get(given["membershipId"])
    if found is None:
        raise AwsError("ResourceNotFoundException", "The membership was not found.", 404)
    return found


@handles("security-ir:ListMemberships")
def _list(call: Call, given: Json) -> Json:
    names = ("membershipId", "accountId", "region", "membershipArn", "membershipStatus")
    return {"items": [only(item, *names) for item in call.here.responders["memberships"].values()]}


@handles("security-ir:GetMembership")
def _get(call: Call, given: Json) -> Json:
    return {name: value for name, value in _known(call, given).items() if name != "coveredAccounts"}


@handles("security-ir:UpdateMembership")
def _update(call: Call, given: Json) -> Json:
    found: dict[str, Any] = _known(call, given)
    if "optInFeatures" in given:
        found["optInFeatures"] = given["optInFeatures"]
    if "membershipAccountsConfigurationsUpdate" in given:
        whole = given["membershipAccountsConfigurationsUpdate"]["coverEntireOrganization"]
        found["membershipAccountsConfigurations"]["coverEntireOrganization"] = whole
    return {}


@handles("security-ir:BatchGetMemberAccountDetails")
def _members(call: Call, given: Json) -> Json:
    known = _known(call, given)
    whole = known["membershipAccountsConfigurations"]["coverEntireOrganization"]
    covered = set(known["coveredAccounts"])
    organized = "Organization" if manager(call) else "Unrelated"

    def state(name: str) -> str:
        return "Associated" if whole or name in covered else "Unassociated"

    return {
        "items": [
            {"accountId": name, "relationshipStatus": state(name), "relationshipType": organized}
            for name in given["accountIds"]
        ],
        "errors": [],
    }
