"""The analyzers of an account, by what they look for, and which account looks for the whole organization."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from postureaudit.evidence import Json, Refusal
from postureaudit.resources import View, any_of, malformed, member
from postureaudit.services.administrators import (
    DELEGATES,
    Administrator,
    Delegation,
    by_organizations,
    is_delegate,
    look_for,
)
from postureaudit.services.organizations import delegated, position

LIST = "accessanalyzer:ListAnalyzers"
PRINCIPAL = "access-analyzer.amazonaws.com"
ADMINISTRATOR = DELEGATES
EXTERNAL = ("ACCOUNT", "ORGANIZATION")
_STATUSES = ("ACTIVE", "CREATING", "DISABLED", "FAILED")


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """The analyzers of some types. Only ACTIVE ones look; `Trouble` are the others, with AWS's reasons.

    `Free` is a name that no analyzer has, for a new one; `Home` the region of that one.
    """

    Active: bool | Refusal
    Present: bool | Refusal
    Trouble: list[str]
    Free: str
    Home: str


def kind(view: View, regions: Iterable[str], types: Iterable[str], name: str) -> Kind:
    """What there is of these types in these regions; the first is where a new one goes."""
    home, *_ = regions = list(regions)
    wanted = set(types)
    active: list[bool | Refusal] = []
    present: list[bool | Refusal] = []
    trouble = []
    for region in regions:
        listed = member(view.outcome(LIST, region), "analyzers", [])
        if isinstance(listed, Refusal):
            active.append(listed)
            present.append(listed)
            continue
        for item in listed:
            if item.get("type") in wanted:
                active.append(_active(item, region))
                present.append(True)
                trouble += [_trouble(item)] if item.get("status") != "ACTIVE" else []
    return Kind(
        Active=any_of(active),
        Present=any_of(present),
        Trouble=sorted(trouble),
        Free=_free(view, home, name),
        Home=home,
    )


def _active(item: Mapping[str, Json], region: str) -> bool | Refusal:
    status = item.get("status")
    return (
        status == "ACTIVE" if status in _STATUSES else malformed(LIST, region, "an analyzer without a status")
    )


def _trouble(item: Mapping[str, Json]) -> str:
    code = (item.get("statusReason") or {}).get("code")
    return f"{item.get('name')} is {item.get('status')}" + (f" ({code})" if code else "")


def _free(view: View, region: str, name: str) -> str:
    """A name that is not taken: analyzers of all types share them."""
    listed = member(view.outcome(LIST, region), "analyzers", [])
    taken = set() if isinstance(listed, Refusal) else {item.get("name") for item in listed}
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name}-{number}"
    return found


def administrator(view: View) -> Administrator:
    """The account that looks for the whole organization: the delegated one, else the management account."""
    where = position(view)
    named = delegated(view, PRINCIPAL)
    known = named[0] if isinstance(named, list) and named else ""
    here: bool | Refusal
    if isinstance(where.Role, Refusal):
        here = where.Role
    elif where.Role == "management":
        here = named if isinstance(named, Refusal) else not named
    else:
        here = where.Role == "member" and is_delegate(view, PRINCIPAL)
    alone = where.Role == "standalone"
    text = (
        "this account is in no organization"
        if alone
        else look_for(view, "Access Analyzer's administrator account", known)
    )
    return Administrator(Here=here, Where=text)


def delegation(view: View) -> Delegation:
    """Who is delegated, as Organizations says."""
    return by_organizations(view, PRINCIPAL)
