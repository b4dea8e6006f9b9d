"""Security Incident Response: memberships, which live in one region and are listed only there."""

from __future__ import annotations

from typing import Any

from ..faults import AwsError
from ..world import Call, Json, Region, now
from .registry import handles, manager

TRIAGE_ROLE = "AWSServiceRoleForSecurityIncidentResponse_Triage"


def add_sir_membership(
    region: Region,
    name: str = "m-abcdefghijkl",
    *,
    status: str = "Active",
    triage: bool = True,
    role: bool = True,
    whole: bool = True,
    covered: tuple[str, ...] = (),
) -> str:
    """A membership, with the role for triage in its account; `covered` are accounts, where not the whole."""
    region.securityir["memberships"][name] = {
        "membershipId": name,
        "accountId": region.account.id,
        "region": region.name,
        "membershipArn": region.arn("security-ir", f"membership/{name}"),
        "membershipStatus": status,
        "membershipName": "responders",
        "membershipActivationTimestamp": now(days=90),
        "customerType": "Organization",
        "incidentResponseTeam": [
            {"name": f"Responder {index}", "jobTitle": "Responder", "email": f"r{index}@example.com"}
            for index in (1, 2)
        ],
        "optInFeatures": [{"featureName": "Triage", "isEnabled": triage}],
        "membershipAccountsConfigurations": {"coverEntireOrganization": whole, "organizationalUnits": []},
    }
    region.securityir["covered"] = list(covered)
    if role:
        region.account.add_role(TRIAGE_ROLE, "triage.security-ir.amazonaws.com")
    return name


def _known(call: Call, given: Json) -> Json:
    found: Json | None = call.here.securityir["memberships"].get(given["membershipId"])
    if found is None:
        raise AwsError("ResourceNotFoundException", "The membership was not found.", 404)
    return found


@handles("security-ir:ListMemberships")
def _list(call: Call, given: Json) -> Json:
    names = ("membershipId", "accountId", "region", "membershipArn", "membershipStatus")
    known = call.here.securityir["memberships"].values()
    return {"items": [{name: item[name] for name in names} for item in known]}


@handles("security-ir:GetMembership")
def _get(call: Call, given: Json) -> Json:
    return _known(call, given)


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
    whole = _known(call, given)["membershipAccountsConfigurations"]["coverEntireOrganization"]
    covered = set(call.here.securityir["covered"])
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
