"""Who administers a service for the organization, where the service keeps it region by region in calls of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from postureaudit.asks import Ask, Collection, Scope
from postureaudit.evidence import Refusal
from postureaudit.resources import View, malformed
from postureaudit.services import organizations
from postureaudit.services.organizations import (
    DELEGATION_CALLS,
    POSITION_CALLS,
    acts_as_audit,
    delegated,
    members,
    not_delegated,
    position,
    wanted_administrator,
)

POSITION = POSITION_CALLS
DELEGATES = DELEGATION_CALLS

Admin = Callable[[View, str], "str | Refusal"]
Itself = Callable[[View, str], "Administrator"]


class Chosen(NamedTuple):
    """The account that the caller wants a task to be delegated to, "" for any, and what people call it."""

    account: str
    title: str


class Delegation(msgspec.Struct, frozen=True, kw_only=True):
    """The delegated administrator, as the management account sees it, or the account that should be it.

    `Here` says whether this is one of them; `Account` is the administrator in this region, `Other` the one in other
    regions ("" where there is none); `Where` is where to look instead. `Delegated`: one may be it, which is the
    account that the caller named for it, else any but the management account. `Gap` is what is wrong, for people;
    `Taken` the administrator that may not be it, else "". `Manages`: this is the management account, the only one that
    can change it; `To` whom to delegate to, for people.
    """

    Here: bool | Refusal
    Delegated: bool | Refusal
    Account: str | Refusal
    Other: str
    Where: str
    Gap: str = ""
    Taken: str = ""
    Manages: bool = False
    To: str = ""


class Administrator(msgspec.Struct, frozen=True, kw_only=True):
    """Whether this account administers the service for the organization here, and if not, where to look.

    `Account` is the one that does, "" where that is this one or not known.
    """

    Here: bool | Refusal
    Where: str
    Account: str = ""


class Manager(msgspec.Struct, frozen=True, kw_only=True):
    """The administrator account that this account is a member of; `Account` is "" where there is none."""

    Managed: bool | Refusal
    Account: str | Refusal


def ask_management(scope: Scope, ask: Ask) -> Collection:
    """Ask what only the management account is told, there."""
    (organization,) = yield [_organization(scope)]
    if organization.pick("Organization.MasterAccountId") == [scope.account]:
        yield [ask]


def ask_organized(scope: Scope, asks: Collection) -> Collection:
    """Ask what only an account of an organization is told, there."""
    (organization,) = yield [_organization(scope)]
    if organization.pick("Organization.MasterAccountId"):
        yield from asks


def _organization(scope: Scope) -> Ask:
    return Ask("organizations:DescribeOrganization", region=scope.leader)


def delegation(view: View, region: str, admin: Admin, administrator: Itself) -> Delegation:
    """Who is delegated in a region. `admin` reads the service's own answer there, "" for nobody, in the management
    account; `administrator` what an account is told of itself, for the one that should be it."""
    where = position(view)
    if acts_as_audit(view):
        found = administrator(view, region)
        ours = [view.account] if found.Here is True else [found.Account] if found.Account else []
        return as_managed(view, True, found.Here if isinstance(found.Here, Refusal) else ours, [])
    here = where.Role if isinstance(where.Role, Refusal) else where.Role == "management"
    account = admin(view, region) if here is True else ""
    others = [admin(view, name) for name in view.regions] if here is True else []
    named = account if isinstance(account, Refusal) else [account] if account else []
    fit = [found for found in others if isinstance(found, str) and found]
    return as_managed(view, here, named, fit)


def as_managed(
    view: View,
    here: bool | Refusal,
    named: list[str] | Refusal,
    others: list[str],
    *,
    to: Chosen | None = None,
) -> Delegation:
    """The delegation of a service to these accounts, `others` being those it is delegated to elsewhere.

    `to` is the account that should be it, the audit account unless another is meant.
    """
    where, chosen = position(view), to or Chosen(wanted_administrator(view), "audit account")
    wanted, manager = chosen.account, where.ManagementAccount
    known = [] if isinstance(named, Refusal) else named
    right = named if isinstance(named, Refusal) else any(_fits(item, wanted, manager) for item in known)
    fit = [account for account in others if _fits(account, wanted, manager)]
    other = fit[0] if fit else ""
    gap = organizations.gap(known, wanted if right is False else "", chosen.title)
    if not known and wanted == view.account:  # which is told of itself alone
        gap = f"the {chosen.title} {wanted} does not have it"
    elif known == [manager] and not wanted:
        gap = f"the management account {manager} took it itself, which AWS advises against"
    return Delegation(
        Here=here,
        Delegated=right,
        Account=named if isinstance(named, Refusal) else next(iter(named), ""),
        Other=other,
        Where=look("the management account", manager if isinstance(manager, str) else ""),
        Gap=gap + (f"; in other regions to {other}" if other else ""),
        Taken=known[0] if known and right is False else "",
        Manages=where.Role == "management",
        To=f"the {chosen.title} {wanted}" if wanted else f"your {chosen.title}",
    )


def _fits(account: str, wanted: str, manager: str | Refusal | None) -> bool:
    """Whether an account may have a task: the wanted one, else any but the management account.

    (AWS Security Reference Architecture, "Org Management account": delegate what can be delegated.)
    """
    return account == wanted if wanted else account != manager


def by_organizations(view: View, principal: str, to: Chosen | None = None) -> Delegation:
    """The delegation of a service that leaves it to Organizations; the account that should be it is asked, too."""
    where, chosen = position(view), to or Chosen(wanted_administrator(view), "audit account")
    ours = where.Role == "member" and chosen.account == view.account
    here = where.Role if isinstance(where.Role, Refusal) else where.Role == "management" or ours
    named = delegated(view, principal)
    if ours and isinstance(named, Refusal) and is_delegate(view, principal) is False:
        named = []
    return as_managed(view, here, named, [], to=chosen)


def look(what: str, account: str | Refusal) -> str:
    """Where a question is answered that cannot be asked here."""
    return f"look in {what}" + (f" {account}" if isinstance(account, str) and account else "")


def look_for(view: View, what: str, account: str | Refusal) -> str:
    """Where the administrator answers; where it is not known, who knows it."""
    where = position(view)
    known = isinstance(account, str) and account
    if known or where.Role == "standalone" or isinstance(where.Role, Refusal):
        return look(what, account)
    if where.Role == "management":
        return f"{look(what, account)}, once there is one"
    return f"{look(what, account)}, which management account {where.ManagementAccount} knows"


def administers(view: View, settings: object, manager: Manager, principal: str) -> bool | Refusal:
    """Whether this account administers a service here: only the administrator is told the organization's settings.

    `settings` is what was read of them; a refusal proves nothing by itself. An account that is another's member
    is none, nor is one that Organizations does not name for the service (its service principal).
    """
    role = position(view).Role
    if role == "standalone":
        return False
    if not isinstance(settings, Refusal):
        return True
    if isinstance(role, Refusal):
        return role
    if manager.Managed is True:
        return False
    return False if is_delegate(view, principal) is False else settings


def is_delegate(view: View, principal: str) -> bool | Refusal:
    """Whether Organizations names this account as a delegated administrator of a service, wherever."""
    found = delegated(view, principal)
    if not isinstance(found, Refusal):
        return view.account in found
    if position(view).Role == "member" and not_delegated(found):
        return False
    return found


def others(view: View) -> list[str] | Refusal:
    """The organization's active accounts but this one, sorted."""
    found = members(view)
    if isinstance(found, Refusal):
        return found
    ids = [str(item.get("Id")) for item in found]
    if view.account not in ids:
        text = "the list of accounts lacks the one that asks"
        return malformed("organizations:ListAccounts", view.leader, text)
    return sorted(set(ids) - {view.account})
