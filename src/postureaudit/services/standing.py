"""Whether a service that one account runs for its organization is this account's to show, or where to look."""

from __future__ import annotations

import msgspec

from postureaudit.evidence import Refusal
from postureaudit.resources import View
from postureaudit.services.administrators import is_delegate, look_for
from postureaudit.services.organizations import (
    DELEGATION_CALLS,
    POSITION_CALLS,
    delegated,
    look_in_management,
    position,
)

POSITION = POSITION_CALLS
DELEGATES = DELEGATION_CALLS


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where this account stands towards a service that has one delegated administrator.

    `Mine`: what the service runs would be seen here, because this account is its administrator or on its own.
    `Elsewhere` says where to look when it is not. `Organized`: it is in an organization.
    """

    Mine: bool | Refusal
    Elsewhere: str
    Organized: bool | Refusal


def standing(view: View, principal: str, title: str) -> Standing:
    """Towards the service of this principal, called `title` for people."""
    where = position(view)
    if isinstance(where.Role, Refusal):
        hidden = where.Role
        return Standing(Mine=hidden, Elsewhere="", Organized=hidden)
    if where.Role == "standalone":
        return Standing(Mine=True, Elsewhere="", Organized=False)
    admins, mine = delegated(view, principal), is_delegate(view, principal)
    if mine is True or isinstance(mine, Refusal):  # who may not ask can be the administrator all the same
        return Standing(Mine=mine, Elsewhere="", Organized=True)
    text = look_for(view, f"the account that administers {title} for the organization", "")
    if isinstance(admins, list) and admins:
        text = f"look in {title}'s delegated administrator account {' '.join(admins)}"
    elif isinstance(admins, list):
        text = f"no account is delegated to run {title} for the organization: {look_in_management(view)}"
    return Standing(Mine=False, Elsewhere=text, Organized=True)


def alone(view: View) -> str:
    """Why no question about the organization applies to an account that is in none; "" for the others."""
    return "this account is in no organization" if position(view).Role == "standalone" else ""
