"""The behavior graph that takes in what happens in an account, and the organization's settings, by region."""

from __future__ import annotations

import msgspec

from postureaudit.evidence import Refusal
from postureaudit.resources import View, malformed, member
from postureaudit.services.administrators import (
    DELEGATES,
    POSITION,
    Administrator,
    Manager,
    administers,
    look_for,
    others,
)
from postureaudit.services.detective.asks import members_ask, settings_ask

PRINCIPAL = "detective.amazonaws.com"
OWN = ("detective:ListGraphs",)
GRAPH = (*OWN, "detective:ListInvitations")
AUTO_ENABLE = (*POSITION, *OWN, "detective:DescribeOrganizationConfiguration")
ADMINISTRATOR = (*AUTO_ENABLE, *DELEGATES, "detective:ListInvitations")
DELEGATION = (*ADMINISTRATOR, "detective:ListOrganizationAdminAccounts")
MEMBERSHIP = (*AUTO_ENABLE, "detective:ListMembers", "organizations:ListAccounts")


class Graph(msgspec.Struct, frozen=True, kw_only=True):
    """Which behavior graph takes in what happens here: the account's own, or one that it is a member of.

    `Arn` is the own one's ("" where there is none); `Invitations` are "account (STATUS)" of those that it was
    asked to join, or joined.
    """

    Own: bool | Refusal
    Arn: str | Refusal
    Member: bool | Refusal
    Administrator: str
    Invitations: list[str]


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """Whether every active account of the organization is an enabled member; `Missing` is for people."""

    All: bool | Refusal
    Missing: list[str]


def own(view: View, region: str) -> str | Refusal:
    """The graph that this account administers (ListGraphs lists no others), "" where there is none."""
    found = member(view.outcome("detective:ListGraphs", region), "GraphList", [])
    if isinstance(found, Refusal):
        return found
    arn = str(found[0].get("Arn") or "") if found else ""
    return arn if arn or not found else malformed("detective:ListGraphs", region, "a graph without an ARN")


def graph(view: View, region: str) -> Graph:
    """The own graph, else what ListInvitations says: ENABLED is the one status in which data flows."""
    arn = own(view, region)
    if isinstance(arn, Refusal):
        return Graph(Own=arn, Arn=arn, Member=arn, Administrator="", Invitations=[])
    if arn:
        return Graph(Own=True, Arn=arn, Member=False, Administrator="", Invitations=[])
    found = member(view.outcome("detective:ListInvitations", region), "Invitations", [])
    if isinstance(found, Refusal):
        return Graph(Own=False, Arn="", Member=found, Administrator="", Invitations=[])
    joined = [str(item.get("AdministratorId")) for item in found if item.get("Status") == "ENABLED"]
    return Graph(
        Own=False,
        Arn="",
        Member=bool(joined),
        Administrator=next(iter(joined), ""),
        Invitations=sorted(f"{item.get('AdministratorId')} ({item.get('Status')})" for item in found),
    )


def admin(view: View, region: str) -> str | Refusal:
    """The delegated administrator that the management account is told, "" for nobody."""
    found = member(view.outcome("detective:ListOrganizationAdminAccounts", region), "Administrators", [])
    if isinstance(found, Refusal):
        return found
    return next((str(item.get("AccountId")) for item in found), "")


def administrator(view: View, region: str) -> Administrator:
    """Whether this account administers Detective for the organization: that account has a graph of its own."""
    found, named = graph(view, region), admin(view, region)
    above = found.Administrator or (named if isinstance(named, str) and named != view.account else "")
    nobodys = Manager(Managed=False, Account="")
    here: bool | Refusal = False
    if not isinstance(found.Arn, str):
        here = found.Arn
    elif found.Arn:
        here = administers(view, auto_enable(view, region), nobodys, PRINCIPAL)
    return Administrator(
        Here=here, Where=look_for(view, "Detective's administrator account", above), Account=above
    )


def auto_enable(view: View, region: str) -> bool | Refusal:
    """Whether new accounts of the organization become members by themselves."""
    arn = own(view, region)
    if isinstance(arn, Refusal):
        return arn
    ask = settings_ask(arn)
    found = member(view.outcome(ask.call, region, **ask.params), "AutoEnable")
    if isinstance(found, bool | Refusal):
        return found
    return malformed(ask.call, region, "settings without AutoEnable")


def membership(view: View, region: str) -> Membership:
    """Every active account but this one is a member whose data flows."""
    arn = own(view, region)
    if isinstance(arn, Refusal):
        return Membership(All=arn, Missing=[])
    ask = members_ask(arn)
    listed = member(view.outcome(ask.call, region, **ask.params), "MemberDetails", [])
    if isinstance(listed, Refusal):
        return Membership(All=listed, Missing=[])
    accounts = others(view)
    if isinstance(accounts, Refusal):
        return Membership(All=accounts, Missing=[])
    status = {str(item.get("AccountId")): _status(item) for item in listed}
    missing = {item: status.get(item, "not a member") for item in accounts if status.get(item) != "ENABLED"}
    return Membership(All=not missing, Missing=[f"{item} ({why})" for item, why in missing.items()])


def _status(item: dict[str, object]) -> str:
    reason = item.get("DisabledReason")
    return f"{item.get('Status')}" + (f", {reason}" if reason and item.get("Status") != "ENABLED" else "")
