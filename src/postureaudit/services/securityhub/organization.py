"""What holds for the organization: who administers Security Hub, central configuration, and its members."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from postureaudit.evidence import Absent, Answer, Json, Refusal, RefusalKind
from postureaudit.resources import View, all_of, any_of, member
from postureaudit.services import organizations
from postureaudit.services.securityhub.administration import administrator, aggregator_arn, on
from postureaudit.services.securityhub.asks import MEMBERS, policy_ask

_ACCOUNTS_A_CALL = 50  # AccountDetails of CreateMembers


class Delegation(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a security account administers Security Hub in every audited region.

    It is the audit account where the caller named one, else any but the management account. `Missing` are the regions
    where it does not, `AdminAccount` the account that does elsewhere. `Self`: the management account took the task
    itself, `Wrong`: another account than the audit account has it; either has to be undone before another can have
    it. `Here`: this is the management account, or the audit account that should be it. `Gap` is what is wrong, `To`
    whom to delegate to, for people.
    """

    Here: bool | Refusal
    Everywhere: bool | Refusal
    Missing: list[str]
    AdminAccount: str
    Self: bool
    Wrong: bool
    Manages: bool
    Gap: str
    To: str


class Central(msgspec.Struct, frozen=True, kw_only=True):
    """Central configuration. `ByPolicy`: Organizations policies took its place; `Elsewhere` says where to look."""

    On: bool | Refusal
    HasPolicies: bool | Refusal
    ByPolicy: bool | Refusal
    Elsewhere: str


class Members(msgspec.Struct, frozen=True, kw_only=True):
    """Whether every active account is an enabled member in every region where this account's hub is on.

    `Missing` is for people ("222233334444 in eu-west-1"); `Accounts` are those missing in `Region`, the
    first of the regions, as many as one CreateMembers takes.
    """

    AllEnabled: bool | Refusal
    Missing: list[str]
    Region: str
    Accounts: list[str]


def delegation(view: View) -> Delegation:
    """Who administers Security Hub for the organization, as the management account is told in each region.

    The audit account knows of itself: only the administrator is told the organization's settings.
    """
    where, wanted = organizations.position(view), organizations.wanted_administrator(view)
    ours = organizations.acts_as_audit(view)
    found = {
        region: _ourselves(view, region) if ours else _delegates(view, region) for region in view.regions
    }
    named = [item for admins in found.values() if isinstance(admins, list) for item in admins]
    manager = where.ManagementAccount
    fit = [item for item in named if item == wanted or (not wanted and item != manager)]
    others = sorted(set(named) - set(fit))
    return Delegation(
        Here=where.Role if isinstance(where.Role, Refusal) else where.Role == "management" or ours,
        Everywhere=all_of(
            admins if isinstance(admins, Refusal) else any(item in fit for item in admins)
            for admins in found.values()
        ),
        Missing=[
            region
            for region, admins in found.items()
            if isinstance(admins, list) and not any(item in fit for item in admins)
        ],
        AdminAccount=next(iter(fit), ""),
        Self=manager in others,
        Wrong=any(item != manager for item in others),
        Manages=where.Role == "management",
        Gap=organizations.gap(others, wanted),
        To=f"the audit account {wanted}" if wanted else "a security account",
    )


def _ourselves(view: View, region: str) -> list[str] | Refusal:
    known = _settings_known(view, region)
    if isinstance(known, Refusal):
        return known
    above = administrator(view, region)
    if not known and above.Own is False and isinstance(above.AccountId, str):
        return [above.AccountId]
    return [view.account] if known else []


def _delegates(view: View, region: str) -> list[str] | Refusal:
    outcome = view.outcome("securityhub:ListOrganizationAdminAccounts", region)
    if isinstance(outcome, Absent):  # AWS's "not subscribed" says nothing of the organization
        return _open(outcome, "securityhub:ListOrganizationAdminAccounts", region)
    found = member(outcome, "AdminAccounts", [])
    if isinstance(found, Refusal):
        return found
    return [str(item.get("AccountId")) for item in found if item.get("Status") in (None, "ENABLED")]


def _open(outcome: Absent, call: str, region: str) -> Refusal:
    return Refusal(RefusalKind.NOT_COLLECTED, outcome.code, outcome.message, call, region)


def administers(view: View) -> bool | Refusal:
    """Whether this account is the organization's administrator: only it is told the organization's settings."""
    if organizations.position(view).Role == "standalone":
        return False
    return any_of(_settings_known(view, region) for region in view.regions)


def _settings_known(view: View, region: str) -> bool | Refusal:
    state = on(view, region)
    if state is not True:
        return state
    found = view.outcome("securityhub:DescribeOrganizationConfiguration", region)
    return found if isinstance(found, Refusal) else isinstance(found, Answer)


def _setting(view: View, region: str) -> dict[str, Json] | Refusal:
    state = on(view, region)
    if state is not True:
        return state if isinstance(state, Refusal) else {}
    found = member(
        view.outcome("securityhub:DescribeOrganizationConfiguration", region), "OrganizationConfiguration", {}
    )
    return found if isinstance(found, Refusal) else dict(found or {})


def central_here(view: View, region: str) -> bool | Refusal:
    """Whether this account's configuration policies rule in a region: then no account sets itself up."""
    found = _setting(view, region)
    return found if isinstance(found, Refusal) else found.get("ConfigurationType") == "CENTRAL"


def central(view: View) -> Central:
    """Central configuration, which the home region and its linked regions all show."""
    settings = {region: _setting(view, region) for region in view.regions}
    where = administrator(view)
    look = (
        f"look in Security Hub's administrator account {where.AccountId}"
        if where.Own is False
        else f"no account administers Security Hub here: {organizations.look_in_management(view)}"
    )
    by_policy = any_of(_central_is(item, "DISABLED") for item in settings.values())
    return Central(
        On=any_of(_central_on(item, region) for region, item in settings.items()),
        HasPolicies=_has_policies(view),
        ByPolicy=by_policy,
        Elsewhere="Security Hub policies in Organizations rule every account" if by_policy is True else look,
    )


def _central_is(found: dict[str, Json] | Refusal, status: str) -> bool | Refusal:
    if isinstance(found, Refusal):
        return found
    return found.get("ConfigurationType") == "CENTRAL" and found.get("Status") == status


def _central_on(found: dict[str, Json] | Refusal, region: str) -> bool | Refusal:
    pending = _central_is(found, "PENDING")
    if pending is True:
        call = "securityhub:DescribeOrganizationConfiguration"
        return Refusal(RefusalKind.NOT_COLLECTED, "PENDING", "AWS is still setting this up", call, region)
    return pending if isinstance(pending, Refusal) else _central_is(found, "ENABLED")


def _has_policies(view: View) -> bool | Refusal:
    arn = view.memo(aggregator_arn)
    if isinstance(arn, Refusal) or not arn:
        return arn if isinstance(arn, Refusal) else False
    ask = policy_ask(arn)
    found = member(view.outcome(ask.call, str(ask.region)), "ConfigurationPolicySummaries", [])
    return found if isinstance(found, Refusal) else bool(found)


def members(view: View) -> Members:
    """Compare the organization's active accounts with the members of every region whose hub is on."""
    accounts = organizations.members(view)
    if isinstance(accounts, Refusal):
        return Members(AllEnabled=accounts, Missing=[], Region="", Accounts=[])
    wanted = sorted(str(item.get("Id")) for item in accounts if item.get("Id") != view.account)
    missing: dict[str, list[str]] = {}
    states: list[bool | Refusal] = []
    for region in view.regions:
        state = on(view, region)
        found = _enabled_members(view, region) if state is True else state
        if isinstance(found, Refusal):
            states.append(found)
        elif not isinstance(found, bool):
            missing[region] = [item for item in wanted if item not in found]
            states.append(not missing[region])
    first = next((region for region, gone in missing.items() if gone), "")
    return Members(
        AllEnabled=all_of(states),
        Missing=[f"{item} in {region}" for region, gone in missing.items() for item in gone],
        Region=first,
        Accounts=missing[first][:_ACCOUNTS_A_CALL] if first else [],
    )


def _enabled_members(view: View, region: str) -> set[str] | Refusal:
    found: Iterable[Json] | Refusal = member(
        view.outcome(MEMBERS.call, region, **MEMBERS.params), "Members", []
    )
    if isinstance(found, Refusal):
        return found
    return {str(i.get("AccountId")) for i in found if str(i.get("MemberStatus")).casefold() == "enabled"}
