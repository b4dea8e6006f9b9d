"""Whether a service that one account runs for its organization is this account's to show, or where to look."""

from __future__ import annotations

import msgspec

from postureaudit.evidence import Refusal
from postureaudit.resources import View
from postureaudit.services.organizations import DELEGATION_CALLS, POSITION_CALLS, delegated, position

POSITION = POSITION_CALLS
DELEGATES = DELEGATION_CALLS


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where this account stands towards a service that has one delegated administrator.

    `Mine`: what the service runs would be seen here, because this account is its administrator or on its own.
    `Elsewhere` says where to look when it is not. `Organized`: it is in an organization. `Manages`: it may say who
    is delegated; `Delegated` whether somebody is.
    """

    Mine: bool | Refusal
    Elsewhere: str
    Organized: bool | Refusal
    Manages: bool | Refusal
    Delegated: bool | Refusal


def standing(view: View, principal: str, title: str) -> Standing:
    """Towards the service of this principal, called `title` for people."""
    where = position(view)
    if isinstance(where.Role, Refusal):
        hidden = where.Role
        return Standing(Mine=hidden, Elsewhere="", Organized=hidden, Manages=hidden, Delegated=hidden)
    if where.Role == "standalone":
        return Standing(Mine=True, Elsewhere="", Organized=False, Manages=False, Delegated=False)
    admins = delegated(view, principal)
    manages = where.Role == "management"
    if isinstance(admins, list) and view.account in admins:
        return Standing(Mine=True, Elsewhere="", Organized=True, Manages=manages, Delegated=True)
    text = f"look in the account that administers {title} for the organization"
    if isinstance(admins, list) and admins:
        text = f"look in {title}'s delegated administrator account {' '.join(admins)}"
    elif isinstance(admins, list):
        text = f"no account is delegated to run {title} for the organization"
    return Standing(
        Mine=False,
        Elsewhere=text,
        Organized=True,
        Manages=manages,
        Delegated=admins if isinstance(admins, Refusal) else bool(admins),
    )


def at_management(view: View) -> str:
    """Where to look for what only the management account decides; "" where that is here, or not known."""
    where = position(view)
    if where.Role == "standalone":
        return "this account is in no organization"
    return f"look in the management account {where.ManagementAccount}" if where.Role == "member" else ""
