"""Who administers a service for the organization, and whether that is the account that should."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from postureaudit.evidence import Refusal, heavier
from postureaudit.resources import View, any_of
from postureaudit.services.organizations.accounts import delegated, look_in_management, position
from postureaudit.services.organizations.roles import acts_as_audit, wanted_administrator


class Delegated(msgspec.Struct, frozen=True, kw_only=True):
    """The delegated administrators of a service, as Organizations names them.

    `Right`: one of them may be it: the account that the caller named as audit account (`Wanted`), else any. `Here`:
    this account is told, or is the one that should be; `Where` says where to look otherwise. `Manages`: it is the
    management account, the only one that can change this. `Gap` is what is wrong, `To` whom to delegate to, for people.
    """

    Here: bool | Refusal
    Where: str
    Right: bool | Refusal
    Accounts: list[str]
    Wanted: str
    To: str
    Gap: str
    Manages: bool
    ManagementAccount: str


def delegation(view: View, *principals: str) -> Delegated:
    """Who is delegated to administer what any of these service principals stands for."""
    where, wanted = position(view), wanted_administrator(view)
    listed = [delegated(view, principal) for principal in principals]
    known = sorted({account for found in listed if not isinstance(found, Refusal) for account in found})
    right = any_of(
        found if isinstance(found, Refusal) else (wanted in found if wanted else bool(found))
        for found in listed
    )
    told = not any(isinstance(found, Refusal) for found in listed)
    here: bool | Refusal = told or where.Role == "management" or acts_as_audit(view)
    if isinstance(where.Role, Refusal):  # whether "no" matters depends on where this account stands
        right = right is True or _joined(where.Role, right)
        here = here or where.Role
    return Delegated(
        Here=here,
        Where=look_in_management(view),
        Right=right,
        Accounts=known,
        Wanted=wanted,
        To=f"the audit account {wanted}" if wanted else "a security account",
        Gap=gap(known, wanted),
        Manages=where.Role == "management",
        ManagementAccount=where.ManagementAccount if isinstance(where.ManagementAccount, str) else "",
    )


def _joined(hidden: Refusal, other: bool | Refusal) -> Refusal:
    return heavier(hidden, other) if isinstance(other, Refusal) else hidden


def gap(accounts: Iterable[str], wanted: str, title: str = "audit account") -> str:
    """What is wrong where these accounts administer a service, and the wanted one ("" for any) does not.

    `title` is what people call the wanted one.
    """
    named = ", ".join(accounts)
    if not named:
        return "no account is delegated" + (f"; the {title} is {wanted}" if wanted else "")
    return f"delegated to {named}" + (f", not to the {title} {wanted}" if wanted else "")
