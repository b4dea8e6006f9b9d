"""The organization itself: its feature set, the services it trusts, and whether one account administers security."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from postureaudit.asks import Ask, Collection, Fork, Scope
from postureaudit.evidence import Refusal
from postureaudit.resources import Facet, Resource, ResourceType, ScopeKind, View, facts, malformed, member
from postureaudit.services.organizations.accounts import (
    DELEGATION_CALLS,
    POSITION_CALLS,
    Position,
    collect,
    delegated,
    position,
)
from postureaudit.services.organizations.roles import APART_CALLS, ELSEWHERE, PRINCIPALS, Apart, apart

ACCESS = (*POSITION_CALLS, "organizations:ListAWSServiceAccessForOrganization")
DELEGATES = DELEGATION_CALLS
# The services of this audit that work for a whole organization only with trusted access (Organizations user guide,
# "AWS services that you can use with AWS Organizations").
TRUSTED = (
    "cloudtrail.amazonaws.com",
    "config.amazonaws.com",
    "guardduty.amazonaws.com",
    "securityhub.amazonaws.com",
)


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """A service by its principal."""

    Principal: str


class Trust(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the security services, and all that have a delegated administrator, have trusted access."""

    All: bool | Refusal
    Missing: list[Service]
    Named: list[str]


class Delegates(msgspec.Struct, frozen=True, kw_only=True):
    """The accounts that administer the security services.

    `Several`: two services at least have a delegated administrator. `Together`: one account is among the
    administrators of each of them. `Named` says who administers what.
    """

    Several: bool | Refusal
    Together: bool | Refusal
    Named: list[str]


def ask(scope: Scope) -> Collection:
    """Ask what other services ask about the organization as well, and once for the services that it trusts."""
    yield [Fork([collect(scope)])]
    if scope.first:
        yield [Ask("organizations:ListAWSServiceAccessForOrganization", region=scope.leader)]


def feature_set(view: View) -> str | Refusal:
    """ALL or CONSOLIDATED_BILLING; "" where there is no organization."""
    outcome = view.outcome("organizations:DescribeOrganization", view.leader)
    found = member(outcome, "Organization", {})
    if isinstance(found, Refusal) or not found:
        return found or ""
    return str(found.get("FeatureSet") or "") or malformed(
        "organizations:DescribeOrganization", view.leader, "no feature set"
    )


def trust(view: View) -> Trust:
    """The services without trusted access, among those that need it."""
    listed = member(
        view.outcome("organizations:ListAWSServiceAccessForOrganization", view.leader),
        "EnabledServicePrincipals",
        [],
    )
    if isinstance(listed, Refusal):
        return Trust(All=listed, Missing=[], Named=[])
    enabled = {str(item.get("ServicePrincipal")) for item in listed}
    delegates = {name: delegated(view, name) for name in PRINCIPALS if name not in enabled}
    missing = [
        name for name, found in delegates.items() if name in TRUSTED or (isinstance(found, list) and found)
    ]
    hidden = [found for found in delegates.values() if isinstance(found, Refusal)]
    whole: bool | Refusal = False if missing else (hidden[0] if hidden else True)
    return Trust(All=whole, Missing=[Service(Principal=name) for name in missing], Named=missing)


def delegates(view: View) -> Delegates:
    """Who administers the security services, as Organizations names them."""
    known: dict[str, set[str]] = {}
    hidden: Refusal | None = None
    for name in PRINCIPALS:
        if name in ELSEWHERE:
            continue
        found = delegated(view, name)
        if isinstance(found, Refusal):
            hidden = found
        elif found:
            known[name] = set(found)
    common = set.intersection(*known.values()) if known else set()
    apart = len(known) > 1 and not common
    return Delegates(
        Several=True if len(known) > 1 else (hidden if hidden is not None else False),
        Together=False if apart else (hidden if hidden is not None else True),
        Named=[f"{name.partition('.')[0]}: {' '.join(sorted(ids))}" for name, ids in sorted(known.items())],
    )


def elsewhere(view: View) -> str:
    """Where to look instead, for what only the management account can be told or change; "" where that is here."""
    where = position(view)
    if where.Role == "standalone":
        return "this account is in no organization"
    if where.Role == "member":
        return f"look in the management account {where.ManagementAccount}"
    return ""


def organizations(view: View) -> Iterator[Resource]:
    """One place: the organization, as its management account sees it."""
    role = position(view).Role
    seen: Delegates | Refusal = role if isinstance(role, Refusal) else delegates(view)
    trusted: Trust | Refusal = role if isinstance(role, Refusal) else trust(view)
    yield Resource(
        type="organizations.organization",
        account=view.account,
        region=None,
        elsewhere=elsewhere(view),
        facts=facts(FeatureSet=feature_set(view), Trust=trusted, Delegates=seen),
    )


def roles(view: View) -> Iterator[Resource]:
    """One place: the accounts that hold the logs and that administer, seen from any account of the organization."""
    alone = position(view).Role == "standalone"
    yield Resource(
        type="organizations.roles",
        account=view.account,
        region=None,
        elsewhere="this account is in no organization" if alone else "",
        facts=facts(Position=position(view), Apart=apart(view)),
    )


def accounts(view: View) -> Iterator[Resource]:
    """One place: this account."""
    yield Resource(
        type="organizations.account",
        account=view.account,
        region=None,
        facts=facts(Position=position(view)),
    )


ACCOUNT = ResourceType(
    name="organizations.account",
    scope=ScopeKind.ACCOUNT,
    none="no account audited",
    facets=(Facet(name="Position", calls=POSITION_CALLS, shape=Position),),
    produce=accounts,
)
ORGANIZATION = ResourceType(
    name="organizations.organization",
    scope=ScopeKind.ORGANIZATION,
    none="no organization",
    facets=(
        Facet(name="FeatureSet", calls=POSITION_CALLS, shape=str),
        Facet(name="Trust", calls=(*ACCESS, *DELEGATION_CALLS), shape=Trust),
        Facet(name="Delegates", calls=DELEGATES, shape=Delegates),
    ),
    produce=organizations,
)
ROLES = ResourceType(
    name="organizations.roles",
    scope=ScopeKind.ORGANIZATION,
    none="no organization",
    facets=(
        Facet(name="Position", calls=POSITION_CALLS, shape=Position),
        Facet(name="Apart", calls=APART_CALLS, shape=Apart),
    ),
    produce=roles,
)
TYPES: tuple[ResourceType, ...] = (ACCOUNT, ORGANIZATION, ROLES)
