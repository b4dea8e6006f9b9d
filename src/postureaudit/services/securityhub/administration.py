"""Who administers Security Hub, what spans regions, and what the organization's accounts get."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from postureaudit.evidence import Absent, Answer, Json, Refusal, RefusalKind
from postureaudit.resources import View, all_of, any_of, body, malformed, member
from postureaudit.services import organizations
from postureaudit.services.securityhub.asks import HUB, MEMBERS, aggregator_ask, home_region, policy_ask

_LINKS_NEW = ("ALL_REGIONS", "ALL_REGIONS_EXCEPT_SPECIFIED")
_ACCOUNTS_A_CALL = 50  # AccountDetails of CreateMembers


class Administrator(msgspec.Struct, frozen=True, kw_only=True):
    """The account that administers this account's hub; `Own` when that is the account itself."""

    AccountId: str | Refusal
    Own: bool | Refusal


class Aggregator(msgspec.Struct, frozen=True, kw_only=True):
    """The finding aggregator that every region lists ("" and empty where there is none).

    `Matters` is whether the hub is on and more than one region audited; `Elsewhere` says why not.
    `Home` is its home region, or the one a new one would have. `Excluded` are audited regions that it
    leaves out, `Kept` the ones it leaves out beside them.
    """

    Matters: bool | Refusal
    Elsewhere: str
    Links: bool | Refusal
    AllRegions: bool | Refusal
    FindingAggregatorArn: str
    Home: str
    RegionLinkingMode: str | Refusal
    Regions: list[str]
    Excluded: list[str]
    Kept: list[str]


class Delegation(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a security account administers Security Hub in every audited region.

    `Missing` are the regions where none does, `AdminAccount` the one that does elsewhere. `Self`: the
    management account took the task itself, which has to be undone before another can have it.
    """

    Everywhere: bool | Refusal
    Missing: list[str]
    AdminAccount: str
    Self: bool


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


def on(view: View, region: str) -> bool | Refusal:
    """Whether Security Hub CSPM is on in a region ("not subscribed" is an answer)."""
    match view.outcome(HUB.call, region):
        case Answer():
            return True
        case Absent():
            return False
        case Refusal() as refusal:
            return refusal


def administrator(view: View, region: str = "") -> Administrator:
    """The administrator in a region; where its hub is off, or for the whole account, as other regions say."""
    found = _relation(view, region) if region and on(view, region) is True else view.memo(_anywhere)
    if isinstance(found, Refusal):
        return Administrator(AccountId=found, Own=found)
    return Administrator(AccountId=found or view.account, Own=found in ("", view.account))


def _relation(view: View, region: str) -> str | Refusal:
    """The administrator's account id, "" when the account is nobody's member."""
    found = member(view.outcome("securityhub:GetAdministratorAccount", region), "Administrator", {})
    if isinstance(found, Refusal):
        return found
    enabled = str(found.get("MemberStatus") or "Enabled").casefold() == "enabled"
    return str(found.get("AccountId") or "") if enabled else ""


def _anywhere(view: View) -> str | Refusal:
    """Membership is made in every region alike: the first region that names an administrator, or any answer."""
    found = [_relation(view, region) for region in view.regions if on(view, region) is True]
    named = [item for item in found if isinstance(item, str)]
    if named:
        return next((item for item in named if item), "")
    hidden = [item for item in found if isinstance(item, Refusal)]
    hidden += [item for item in (on(view, region) for region in view.regions) if isinstance(item, Refusal)]
    return hidden[0] if hidden else ""


def aggregator(view: View) -> Aggregator:
    """The account's finding aggregator and what it links."""
    where = administrator(view)
    states = {region: on(view, region) for region in view.regions}
    matters = all_of([any_of(states.values()), len(view.regions) > 1])
    regions_on = [region for region, state in states.items() if state is True]
    first = view.first if view.first in regions_on else next(iter(regions_on), view.first)
    arn = view.memo(_aggregator_arn)
    if isinstance(arn, Refusal) or not arn:
        found: dict[str, Json] | Refusal = (
            arn if isinstance(arn, Refusal) else {"RegionLinkingMode": "NO_REGIONS"}
        )
    else:
        ask = aggregator_ask(arn)
        found = body(view.outcome(ask.call, str(ask.region), **ask.params))
        if not isinstance(found, Refusal) and not found.get("RegionLinkingMode"):
            found = malformed(ask.call, str(ask.region), "an aggregator that is listed and not there")
    mode = found if isinstance(found, Refusal) else str(found["RegionLinkingMode"])
    regions = [] if isinstance(found, Refusal) else sorted(found.get("Regions") or [])
    excluded = regions if mode == "ALL_REGIONS_EXCEPT_SPECIFIED" else []
    left_out = [region for region in excluded if region in view.regions]
    return Aggregator(
        Matters=matters,
        Elsewhere=_elsewhere(where, regions_on, view),
        Links=mode if isinstance(mode, Refusal) else mode in _LINKS_NEW or bool(regions),
        AllRegions=mode if isinstance(mode, Refusal) else mode in _LINKS_NEW and not left_out,
        FindingAggregatorArn="" if isinstance(arn, Refusal) else arn,
        Home=home_region(arn) if isinstance(arn, str) and arn else first,
        RegionLinkingMode=mode,
        Regions=regions,
        Excluded=left_out,
        Kept=[region for region in excluded if region not in view.regions],
    )


def _elsewhere(where: Administrator, regions_on: list[str], view: View) -> str:
    if where.Own is False:
        return f"look in Security Hub's administrator account {where.AccountId}"
    return "only one region is audited" if regions_on else "Security Hub is off in every audited region"


def _aggregator_arn(view: View) -> str | Refusal:
    """The one aggregator, which any region lists; "" when there is none (API, ListFindingAggregators)."""
    listed = [
        member(view.outcome("securityhub:ListFindingAggregators", region), "FindingAggregators", [])
        for region in view.regions
        if on(view, region) is True
    ]
    answers = [item for item in listed if not isinstance(item, Refusal)]
    for item in (entry for answer in answers for entry in answer):
        return str(item.get("FindingAggregatorArn") or "")
    hidden = [item for item in listed if isinstance(item, Refusal)]
    hidden += [item for item in (on(view, region) for region in view.regions) if isinstance(item, Refusal)]
    return "" if answers or not hidden else hidden[0]


def delegation(view: View) -> Delegation:
    """Who administers Security Hub for the organization, as the management account is told in each region."""
    found = {region: _delegates(view, region) for region in view.regions}
    named = [item for admins in found.values() if isinstance(admins, list) for item in admins]
    others = [item for item in named if item != view.account]
    return Delegation(
        Everywhere=all_of(
            admins if isinstance(admins, Refusal) else any(item != view.account for item in admins)
            for admins in found.values()
        ),
        Missing=[region for region, admins in found.items() if admins in ([], [view.account])],
        AdminAccount=next(iter(others), ""),
        Self=view.account in named,
    )


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
        else "this account does not administer Security Hub for an organization"
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
    arn = view.memo(_aggregator_arn)
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
