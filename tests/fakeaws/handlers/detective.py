"""Detective: the behavior graph of a region, its members, invitations, and the organization's settings."""

from __future__ import annotations

from typing import Any

from ..faults import AwsError
from ..world import Call, Json, now
from .registry import handles, manager


def _denied(text: str) -> AwsError:
    return AwsError("AccessDeniedException", text, 403)


def graph(region: Any) -> Json:
    """A graph as ListGraphs shows it."""
    return {"Arn": region.arn("detective", "graph:" + "e" * 32), "CreatedTime": now(days=90)}


def _own(call: Call, given: Json) -> Json:
    """The region's Detective, when the graph is the caller's."""
    if given["GraphArn"] not in {item["Arn"] for item in call.here.detective["graphs"]}:
        raise _denied("The caller is not the administrator of the behavior graph.")
    return call.here.detective


@handles("detective:ListGraphs")
def _graphs(call: Call, given: Json) -> Json:
    return {"GraphList": call.here.detective["graphs"]}


@handles("detective:CreateGraph")
def _create_graph(call: Call, given: Json) -> Json:
    found = graph(call.here)
    call.here.detective["graphs"] = [found]
    return {"GraphArn": found["Arn"]}


@handles("detective:ListInvitations")
def _invitations(call: Call, given: Json) -> Json:
    return {
        "Invitations": [
            {
                "AccountId": call.account.id,
                "GraphArn": f"arn:aws:detective:{call.region}:{admin}:graph:{'e' * 32}",
                "AdministratorId": admin,
                "Status": status,
                "InvitationType": "ORGANIZATION" if manager(call) else "INVITATION",
            }
            for admin, status in call.here.detective["invitations"].items()
        ]
    }


@handles("detective:ListOrganizationAdminAccounts")
def _admins(call: Call, given: Json) -> Json:
    if manager(call) != call.account.id:
        raise _denied("The caller is not the organization management account.")
    admins = call.here.detective["org_admins"]
    return {"Administrators": [{"AccountId": item, "DelegationTime": now(days=90)} for item in admins]}


@handles("detective:EnableOrganizationAdminAccount")
def _enable_admin(call: Call, given: Json) -> Json:
    if manager(call) != call.account.id:
        raise _denied("The caller is not the organization management account.")
    call.here.detective["org_admins"] = [given["AccountId"]]
    there = call.world.account(given["AccountId"]).region(call.region)
    there.detective["graphs"] = there.detective["graphs"] or [graph(there)]
    return {}


def _administered(call: Call, given: Json) -> Json:
    """The caller's graph, for the organization's administrator only."""
    boss = manager(call)
    region = call.world.accounts[boss].regions.get(call.region) if boss else None
    if region is None or call.account.id not in region.detective["org_admins"]:
        raise _denied("The caller is not the Detective administrator of an organization.")
    return _own(call, given)


@handles("detective:DescribeOrganizationConfiguration")
def _org(call: Call, given: Json) -> Json:
    return {"AutoEnable": _administered(call, given)["auto_enable"]}


@handles("detective:UpdateOrganizationConfiguration")
def _update_org(call: Call, given: Json) -> Json:
    _administered(call, given)["auto_enable"] = given["AutoEnable"]
    return {}


@handles("detective:ListMembers")
def _members(call: Call, given: Json) -> Json:
    return {
        "MemberDetails": [
            {"AccountId": account, "GraphArn": given["GraphArn"], "Status": status}
            for account, status in _own(call, given)["members"].items()
        ]
    }
