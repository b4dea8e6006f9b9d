"""Macie's organization settings, kept region by region: who administers, what turns itself on, who is left out."""

from __future__ import annotations

import msgspec

from postureaudit.evidence import Refusal
from postureaudit.resources import View, malformed, member
from postureaudit.services.administrators import (
    DELEGATES,
    POSITION,
    Administrator,
    administers,
    look_for,
    others,
)
from postureaudit.services.macie import account
from postureaudit.services.macie.asks import MEMBERS

PRINCIPAL = "macie.amazonaws.com"
_SETTINGS = "macie2:DescribeOrganizationConfiguration"
AUTO_ENABLE = (*POSITION, *account.MANAGER, _SETTINGS)
ADMINISTRATOR = (*AUTO_ENABLE, *DELEGATES)
DELEGATION = (*ADMINISTRATOR, "macie2:ListOrganizationAdminAccounts")
MEMBERSHIP = (*AUTO_ENABLE, MEMBERS.call, "organizations:ListAccounts")


class AutoEnable(msgspec.Struct, frozen=True, kw_only=True):
    """Whether Macie turns itself on in new accounts; `Full`: no member can be added."""

    On: bool
    Full: bool


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """An account by its id."""

    Id: str


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """Whether every active account of the organization is an enabled member; `Missing` is for people.

    `Paused` are members whose Macie is suspended .
    """

    All: bool | Refusal
    Missing: list[str]
    Paused: list[Listed]


def admin(view: View, region: str) -> str | Refusal:
    """The delegated administrator that the management account is told, "" for nobody."""
    found = member(view.outcome("macie2:ListOrganizationAdminAccounts", region), "adminAccounts", [])
    if isinstance(found, Refusal):
        return found
    return next((str(item.get("accountId")) for item in found if item.get("status") == "ENABLED"), "")


def administrator(view: View, region: str) -> Administrator:
    """Whether the organization's settings are this account's to read, or whose they are; none where Macie is off."""
    if account.session(view, region).Status == "off":
        return Administrator(Here=False, Where="Macie is off in this account here")
    above = account.manager(view, region)
    named = admin(view, region)
    known = above.Account or (named if isinstance(named, str) else "")
    return Administrator(
        Here=administers(view, auto_enable(view, region), above, PRINCIPAL),
        Where=look_for(view, "Macie's administrator account", known),
        Account=known if isinstance(known, str) and known != view.account else "",
    )


def auto_enable(view: View, region: str) -> AutoEnable | Refusal:
    """Whether new accounts get Macie."""
    outcome = view.outcome(_SETTINGS, region)
    found = member(outcome, "autoEnable")
    if isinstance(found, Refusal):
        return found
    if not isinstance(found, bool):
        return malformed(_SETTINGS, region, "settings without autoEnable")
    return AutoEnable(On=found, Full=member(outcome, "maxAccountLimitReached") is True)


def membership(view: View, region: str) -> Membership:
    """Every active account but this one is a member whose relationship is enabled, or has the region turned off."""
    listed = member(view.outcome(MEMBERS.call, region, **MEMBERS.params), "members", [])
    if isinstance(listed, Refusal):
        return Membership(All=listed, Missing=[], Paused=[])
    accounts = others(view)
    if isinstance(accounts, Refusal):
        return Membership(All=accounts, Missing=[], Paused=[])
    status = {str(item.get("accountId")): str(item.get("relationshipStatus")) for item in listed}
    fine = ("Enabled", "RegionDisabled")  # there is nothing to watch in a region that is off
    missing = {item: status.get(item, "not a member") for item in accounts if status.get(item) not in fine}
    return Membership(
        All=not missing,
        Missing=[f"{item} ({why})" for item, why in missing.items()],
        Paused=[Listed(Id=item) for item, why in missing.items() if why == "Paused"],
    )
