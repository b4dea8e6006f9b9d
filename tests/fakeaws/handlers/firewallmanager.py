"""Firewall Manager: its default administrator, and the policies that only the administrator is told."""

from __future__ import annotations

from ..faults import AwsError
from ..world import Call, Json, Region
from .registry import handles, manager

PRINCIPAL = "fms.amazonaws.com"


def add_policy(
    region: Region, name: str = "baseline", *, remediates: bool = True, status: str = "ACTIVE"
) -> None:
    """A policy of the administrator in this region."""
    found = f"{len(region.fms['policies']) + 1:08x}-0000-0000-0000-000000000000"
    region.fms["policies"].append(
        {
            "PolicyArn": region.arn("fms", f"policy/{found}"),
            "PolicyId": found,
            "PolicyName": name,
            "ResourceType": "AWS::EC2::SecurityGroup",
            "SecurityServiceType": "SECURITY_GROUPS_COMMON",
            "RemediationEnabled": remediates,
            "DeleteUnusedFMManagedResources": True,
            "PolicyStatus": status,
        }
    )


def _nobody(call: Call) -> str:
    return f"No default admin could be found for account {call.account.id} in Region {call.region}"


@handles("fms:GetAdminAccount")
def _admin(call: Call, given: Json) -> Json:
    org = call.world.organization if manager(call) else None
    if not org or "FirewallManager" not in org:
        raise AwsError("ResourceNotFoundException", _nobody(call))
    return {"AdminAccount": org["FirewallManager"], "RoleStatus": org.get("FirewallManagerRole", "READY")}


@handles("fms:ListPolicies")
def _policies(call: Call, given: Json) -> Json:
    org = call.world.organization if manager(call) else None
    if not org or "FirewallManager" not in org:
        raise AwsError("AccessDeniedException", _nobody(call))
    if org["FirewallManager"] != call.account.id:
        text = "Operation ListPolicies is only available to AWS Firewall Manager Administrators"
        raise AwsError("AccessDeniedException", text)
    return {"PolicyList": call.here.fms["policies"]}


@handles("fms:AssociateAdminAccount")
def _associate(call: Call, given: Json) -> Json:
    org = call.world.organization
    if org is None or manager(call) != call.account.id:
        text = f"{call.account.id} is not the management account of the Organization"
        raise AwsError("InvalidOperationException", text)
    org["FirewallManager"] = given["AdminAccount"]
    org["Delegated"][PRINCIPAL] = [given["AdminAccount"]]  # Firewall Manager registers it with Organizations
    org["Access"] += [] if PRINCIPAL in org["Access"] else [PRINCIPAL]
    return {}
