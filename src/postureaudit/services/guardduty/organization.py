"""GuardDuty's organization settings, which it keeps region by region: who administers, what is turned on for whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec

from postureaudit.evidence import Absent, Answer, Json, Refusal
from postureaudit.resources import Shape, View, malformed, member
from postureaudit.services.administrators import look_for
from postureaudit.services.guardduty import detector
from postureaudit.services.guardduty.asks import ALL_MEMBERS
from postureaudit.services.organizations import (
    MEMBER_CALLS,
    POLICY_CALLS,
    POSITION_CALLS,
    acts_as_audit,
    gap,
    look_in_management,
    members,
    policy,
    position,
    wanted_administrator,
)
from postureaudit.services.organizations.policies import GUARDDUTY

DELEGATION = (*POSITION_CALLS, "guardduty:ListOrganizationAdminAccounts", *detector.SETTINGS)
ADMINISTRATOR = (*DELEGATION, *POLICY_CALLS)
AUTO_ENABLE = (*POSITION_CALLS, *detector.SETTINGS)
MEMBERSHIP = (*AUTO_ENABLE, "guardduty:ListMembers", *MEMBER_CALLS)


class Delegation(msgspec.Struct, frozen=True, kw_only=True):
    """The delegated administrator, as the management account sees it, or the audit account that should be it.

    `Here` says whether this is one of the two; `Account` is the administrator in this region, `Other` the one in other
    regions that may be it here too ("" where there is none). `Delegated`: the one here may be it, which is the audit
    account where the caller named one, else any but the management account (`Self`: that took the task itself).
    `Manages`: this is the management account. `Gap` is what is wrong and `To` whom to delegate to, for people.
    """

    Here: bool | Refusal
    Delegated: bool | Refusal
    Account: str | Refusal
    Other: str | Refusal
    Where: str
    Self: bool
    Manages: bool
    ManagementAccount: str
    Gap: str
    To: str


class Administrator(msgspec.Struct, frozen=True, kw_only=True):
    """Whether this account administers GuardDuty for the organization here, and if not, where to look.

    `ByPolicy`: a GuardDuty policy of Organizations sets accounts up, in place of GuardDuty's own settings.
    """

    Here: bool | Refusal
    ByPolicy: bool | Refusal
    Where: str


class AutoPlans(msgspec.Struct, frozen=True, kw_only=True):
    """Whether each plan turns on by itself for members (NEW or ALL); true where it is not offered."""

    S3_DATA_EVENTS: bool
    EKS_AUDIT_LOGS: bool
    EBS_MALWARE_PROTECTION: bool
    RDS_LOGIN_EVENTS: bool
    LAMBDA_NETWORK_LOGS: bool
    RUNTIME_MONITORING: bool
    AI_PROTECTION: bool


class AutoEnable(msgspec.Struct, frozen=True, kw_only=True):
    """What the organization's settings turn on: `Members` is ALL, NEW or NONE; `Features` as AWS gives them."""

    Members: Annotated[
        str, Shape("guardduty:DescribeOrganizationConfiguration", "AutoEnableOrganizationMembers")
    ]
    Plans: AutoPlans
    Off: list[str]
    Features: list[dict[str, Json]]


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """Whether every active account of the organization is an enabled member; `Missing` are those that are not.

    Accounts that are suspended or closed are left out; the management account is in: it runs things like any other.
    `Target` is what a fix writes for members: the present setting where it suffices, else ALL.
    """

    All: bool | Refusal
    Missing: list[str]
    Target: str | Refusal


def delegation(view: View, region: str) -> Delegation:
    """Who is delegated here. Only the management account may ask (API reference, ListOrganizationAdminAccounts).

    The organization's management account can be the administrator, which AWS advises against (user guide,
    "Considerations and recommendations for using GuardDuty with AWS Organizations").
    """
    where, wanted = position(view), wanted_administrator(view)
    outcome = view.outcome("guardduty:ListOrganizationAdminAccounts", region)
    here: bool | Refusal
    match outcome:
        case Answer():
            here = True
        case Absent():
            here = acts_as_audit(view)
        case Refusal():
            here = where.Role if isinstance(where.Role, Refusal) else where.Role == "management"
            here = acts_as_audit(view) or here
    account = _admin(view, region)
    if not isinstance(outcome, Answer) and acts_as_audit(view):
        ours, above = detector.administers(view, region), detector.manager(view, region).Account
        account = ours if isinstance(ours, Refusal) else view.account if ours else ""
        if ours is False and isinstance(above, str):
            account = above
    manager = where.ManagementAccount if isinstance(where.ManagementAccount, str) else ""
    others = [found for name in view.regions if isinstance(found := _admin(view, name), str) and found]
    fit = [found for found in others if found == wanted or (not wanted and found != manager)]
    return Delegation(
        Here=here,
        Delegated=account if isinstance(account, Refusal) else _fits(account, wanted, manager),
        Account=account,
        Other=fit[0] if fit else "",
        Where=look_in_management(view),
        Self=bool(manager) and account == manager,
        Manages=where.Role == "management",
        ManagementAccount=manager,
        Gap=gap([account] if isinstance(account, str) and account else [], wanted)
        + (f"; in other regions to {fit[0]}" if fit else ""),
        To=f"the audit account {wanted}" if wanted else "a security account",
    )


def _fits(account: str, wanted: str, manager: str) -> bool:
    return account == wanted if wanted else account not in ("", manager)


def _admin(view: View, region: str) -> str | Refusal:
    outcome = view.outcome("guardduty:ListOrganizationAdminAccounts", region)
    found = member(outcome, "AdminAccounts", [])
    if isinstance(found, Refusal):
        return found
    enabled = [item.get("AdminAccountId") for item in found if item.get("AdminStatus") == "ENABLED"]
    return str(enabled[0]) if enabled else ""


def administrator(view: View, region: str) -> Administrator:
    """Whether the organization's settings are this account's to read, or whose they are."""
    known = [_admin(view, region), detector.manager(view, region).Account]
    account = next((found for found in known if isinstance(found, str) and found), None)
    ruled = policy(view, GUARDDUTY, region)
    here = detector.administers(view, region)
    by_policy = here is True and ruled.Governs is True
    return Administrator(
        Here=here,
        ByPolicy=ruled.Governs,
        Where=f"a GuardDuty policy of Organizations sets accounts up: look in {ruled.Where}"
        if by_policy
        else look_for(view, "GuardDuty's delegated administrator account", account or ""),
    )


def _settings(view: View, region: str) -> dict[str, Json] | Refusal:
    found = detector.detector_id(view, region)
    if isinstance(found, Refusal):
        return found
    outcome = view.outcome("guardduty:DescribeOrganizationConfiguration", region, DetectorId=found)
    match outcome:
        case Answer(body=settings):
            return settings
        case Refusal():
            return outcome
        case _:
            return malformed("guardduty:DescribeOrganizationConfiguration", region, "not the administrator")


def auto_enable(view: View, region: str) -> AutoEnable | Refusal:
    """What turns on by itself. The boolean AutoEnable is the older form of NEW."""
    settings = _settings(view, region)
    if isinstance(settings, Refusal):
        return settings
    features = settings.get("Features")
    if not isinstance(features, list) or not features:
        return malformed("guardduty:DescribeOrganizationConfiguration", region, "no features")
    named = {str(item.get("Name")): item for item in features}
    auto = {name: _auto(named.get(name)) for name in AutoPlans.__struct_fields__}
    return AutoEnable(
        Members=str(
            settings.get("AutoEnableOrganizationMembers") or ("NEW" if settings.get("AutoEnable") else "NONE")
        ),
        Plans=AutoPlans(**auto),
        Off=sorted(name for name, on in auto.items() if not on),
        Features=features,
    )


def _auto(feature: Mapping[str, Json] | None) -> bool:
    return feature is None or feature.get("AutoEnable") in ("NEW", "ALL")


def membership(view: View, region: str) -> Membership:
    """Every active account but this one is a member with an enabled relationship."""
    missing = _missing(view, region)
    auto = auto_enable(view, region)
    target = auto if isinstance(auto, Refusal) else "ALL"
    if (
        not isinstance(auto, Refusal)
        and auto.Members == "NEW"
        and (isinstance(missing, Refusal) or not missing)
    ):
        target = "NEW"
    if isinstance(missing, Refusal):
        return Membership(All=missing, Missing=[], Target=target)
    return Membership(
        All=not missing,
        Missing=[f"{account} ({why})" for account, why in sorted(missing.items())],
        Target=target,
    )


def _missing(view: View, region: str) -> dict[str, str] | Refusal:
    """Active accounts that are not enabled members, and what GuardDuty says of them."""
    found = detector.detector_id(view, region)
    if isinstance(found, Refusal):
        return found
    outcome = view.outcome("guardduty:ListMembers", region, DetectorId=found, **ALL_MEMBERS)
    listed, accounts = member(outcome, "Members", []), members(view)
    if isinstance(listed, Refusal):
        return listed
    if isinstance(accounts, Refusal):
        return accounts
    ids = [str(item.get("Id")) for item in accounts]
    if view.account not in ids:
        text = "the list of accounts lacks the one that asks"
        return malformed("organizations:ListAccounts", view.leader, text)
    status = {str(item.get("AccountId")): str(item.get("RelationshipStatus")) for item in listed}
    return {
        account: status.get(account, "not a member")
        for account in ids
        if account != view.account and status.get(account, "").casefold() != "enabled"
    }
