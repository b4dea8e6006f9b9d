"""Inspector's organization settings, kept region by region: who administers, what turns itself on, who is left out."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from postureaudit.evidence import Json, Refusal
from postureaudit.resources import View, all_of, malformed, member
from postureaudit.services.administrators import (
    DELEGATES,
    Administrator,
    administers,
    look_for,
    others,
)
from postureaudit.services.inspector.account import MANAGER_CALLS, STATUS_CALLS, TYPES, manager, on
from postureaudit.services.inspector.asks import MEMBERS, status_asks

PRINCIPAL = "inspector2.amazonaws.com"
_SETTINGS = "inspector2:DescribeOrganizationConfiguration"
AUTO_ENABLE = (*MANAGER_CALLS, _SETTINGS)
ADMINISTRATOR = (*AUTO_ENABLE, *DELEGATES)
DELEGATION = (*ADMINISTRATOR, "inspector2:ListDelegatedAdminAccounts")
MEMBERSHIP = (*AUTO_ENABLE, MEMBERS.call, *STATUS_CALLS, "organizations:ListAccounts")


class AutoEnable(msgspec.Struct, frozen=True, kw_only=True):
    """What turns itself on for new members. `Types` are the types that do, or that are not offered here.

    `Off` are the others, `Settings` the answer's autoEnable as it is, `Full` that no member can be added.
    """

    Types: list[str]
    Off: list[str]
    Settings: dict[str, Json]
    Full: bool


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """An account by its id."""

    Id: str


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """Whether every active account of the organization is a member that is scanned; `Missing` is for people.

    `Strangers` are accounts that are no members , `Off` members that are not scanned.
    """

    All: bool | Refusal
    Missing: list[str]
    Strangers: list[Listed]
    Off: list[str]


def admin(view: View, region: str) -> str | Refusal:
    """The delegated administrator that the management account is told, "" for nobody."""
    found = member(
        view.outcome("inspector2:ListDelegatedAdminAccounts", region), "delegatedAdminAccounts", []
    )
    if isinstance(found, Refusal):
        return found
    return next((str(item.get("accountId")) for item in found if item.get("status") == "ENABLED"), "")


def administrator(view: View, region: str) -> Administrator:
    """Whether the organization's settings are this account's to read, or whose they are."""
    above = manager(view, region)
    return Administrator(
        Here=administers(view, auto_enable(view, region), above, PRINCIPAL),
        Where=look_for(view, "Inspector's delegated administrator account", above.Account),
        Account=above.Account if isinstance(above.Account, str) and above.Account != view.account else "",
    )


def auto_enable(view: View, region: str) -> AutoEnable | Refusal:
    """What turns itself on; a type that the answer does not name is not offered in the region."""
    outcome = view.outcome(_SETTINGS, region)
    found, full = member(outcome, "autoEnable", {}), member(outcome, "maxAccountLimitReached")
    if isinstance(found, Refusal):
        return found
    if not isinstance(found.get("ec2"), bool):
        return malformed(_SETTINGS, region, "settings without a resource type")
    off = [name for name, answered in TYPES.items() if found.get(answered) is False]
    return AutoEnable(
        Types=[name for name in TYPES if name not in off], Off=off, Settings=found, Full=full is True
    )


def membership(view: View, region: str) -> Membership:
    """Every active account but this one is an enabled member, and something of it is scanned.

    An account that has the region turned off runs nothing there, and AWS takes no such member.
    """
    listed = member(view.outcome(MEMBERS.call, region, **MEMBERS.params), "members", [])
    if isinstance(listed, Refusal):
        return Membership(All=listed, Missing=[], Strangers=[], Off=[])
    accounts = others(view)
    if isinstance(accounts, Refusal):
        return Membership(All=accounts, Missing=[], Strangers=[], Off=[])
    relations = {str(item.get("accountId")): str(item.get("relationshipStatus")) for item in listed}
    strangers = [item for item in accounts if relations.get(item) not in ("ENABLED", "REGION_DISABLED")]
    states = _states(view, region, [item for item, status in relations.items() if status == "ENABLED"])
    scanned = {item: states[item] for item in accounts if item in states}
    off = [item for item, state in scanned.items() if state is False]
    return Membership(
        All=all_of([not strangers, *scanned.values()]),
        Missing=[
            *(f"{item} ({relations.get(item, 'not a member')})" for item in strangers),
            *(f"{item} (nothing is scanned)" for item in off),
        ],
        Strangers=[Listed(Id=item) for item in strangers],
        Off=off[:100],
    )


def _states(view: View, region: str, accounts: list[str]) -> dict[str, bool | Refusal]:
    """Whether Inspector is on in each of these members."""
    found: dict[str, bool | Refusal] = {}
    for ask in status_asks(accounts):
        answered = member(view.outcome(ask.call, region, **ask.params), "accounts", [])
        known: Mapping[str, Json] = (
            {} if isinstance(answered, Refusal) else {str(item.get("accountId")): item for item in answered}
        )
        for name in ask.params["accountIds"]:
            if isinstance(answered, Refusal):
                found[name] = answered
            elif name in known:
                found[name] = on(known[name].get("state") or {}, region)
            else:
                found[name] = malformed(ask.call, region, f"no status of member {name}")
    return found
