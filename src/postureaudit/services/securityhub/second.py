"""Security Hub V2 beyond one region: its own aggregator, its administrator, and the policy that turns it on."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import Any, Literal, cast

import msgspec

from postureaudit.evidence import Absent, Answer, Json, Refusal, heavier
from postureaudit.resources import View, all_of, any_of, body, malformed, member
from postureaudit.services.administrators import (
    DELEGATES,
    POSITION,
    Delegation,
    as_managed,
    by_organizations,
    is_delegate,
    look_for,
)
from postureaudit.services.organizations import acts_as_audit, look_in_management, position
from postureaudit.services.securityhub.asks import (
    SECOND_ADMINS,
    home_region,
    second_aggregator_ask,
    second_policy_ask,
)
from postureaudit.services.standing import alone

HUB = ("securityhub:DescribeSecurityHubV2",)
AGGREGATOR = (*HUB, "securityhub:ListAggregatorsV2", "securityhub:GetAggregatorV2")
DELEGATION = (*DELEGATES, SECOND_ADMINS.call)
POLICY = (*POSITION, "organizations:DescribeEffectivePolicy")
_PRINCIPAL = "securityhub.amazonaws.com"
_LIST = "securityhub:ListAggregatorsV2"
_ALL = "ALL_SUPPORTED"


class Second(msgspec.Struct, frozen=True, kw_only=True):
    """Where V2 is on, and whether this account is the one that decides what all regions have in common.

    That is a standalone account, or the organization's delegated administrator; `Where` says who else.
    """

    On: bool | Refusal
    SeveralRegions: bool | Refusal
    Decides: bool | Refusal
    Where: str


# AWS's model has no list of these (API reference, GetAggregatorV2).
Linking = Literal["", "NO_REGIONS", "SPECIFIED_REGIONS", "ALL_REGIONS", "ALL_REGIONS_EXCEPT_SPECIFIED"]


class Aggregator(msgspec.Struct, frozen=True, kw_only=True):
    """The account's aggregator of V2 ("" where there is none) and what it leaves out.

    `Left` are audited regions where V2 is on whose findings stay there, `Linked` the list as it is,
    `Wanted` the list with those added.
    """

    AggregatorV2Arn: str | Refusal
    All: bool | Refusal
    Mode: Linking
    Home: str
    Left: list[str]
    Linked: list[str]
    Wanted: list[str]


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What the organization's Security Hub policy says for this account; `Left` are audited regions it leaves out.

    `Where` is where to look for policies that rule others, for people.
    """

    Present: bool | Refusal
    All: bool | Refusal
    Left: list[str]
    Where: str


def on(view: View, region: str) -> bool | Refusal:
    """Whether V2 is on in a region."""
    outcome = view.outcome("securityhub:DescribeSecurityHubV2", region)
    return outcome if isinstance(outcome, Refusal) else isinstance(outcome, Answer)


def second(view: View) -> Second:
    """Where V2 is on, and who decides."""
    role = position(view).Role
    decides: bool | Refusal = is_delegate(view, _PRINCIPAL) if role in ("management", "member") else True
    states = [on(view, region) for region in view.regions]
    hidden = [state for state in states if isinstance(state, Refusal)]
    several: bool | Refusal = states.count(True) > 1
    if not several and hidden:
        several = functools.reduce(heavier, hidden)
    return Second(
        On=any_of(states),
        SeveralRegions=several,
        Decides=role if isinstance(role, Refusal) else decides,
        Where=alone(view) or look_for(view, "Security Hub's administrator account", ""),
    )


def aggregator(view: View) -> Aggregator:
    """The aggregator and the regions that it links; one of its own, beside that of Security Hub CSPM."""
    states = {region: on(view, region) for region in view.regions}
    known = [region for region, state in states.items() if state is True]
    home = view.first if view.first in known else next(iter(known), view.first)
    arn = _arn(view, states)
    found = _found(view, arn)
    if isinstance(found, Refusal):
        return Aggregator(AggregatorV2Arn=arn, All=found, Mode="", Home=home, Left=[], Linked=[], Wanted=[])
    home = home_region(arn) if isinstance(arn, str) and arn else home
    mode = cast(Linking, str(found.get("RegionLinkingMode") or "NO_REGIONS"))
    linked = sorted(str(region) for region in found.get("LinkedRegions") or [])
    left = {
        region: state
        for region, state in states.items()
        if state is not False and not _covers(mode, linked, region, home)
    }
    named = [region for region, state in left.items() if state is True]
    kept = linked if mode == "SPECIFIED_REGIONS" else [region for region in known if region not in named]
    return Aggregator(
        AggregatorV2Arn=arn,
        All=all_of(False if state is True else state for state in left.values()),
        Mode=mode,
        Home=home,
        Left=named,
        Linked=linked,
        Wanted=sorted({*kept, *named} - {home}),
    )


def _covers(mode: str, linked: list[str], region: str, home: str) -> bool:
    if mode == "ALL_REGIONS" or region == home:
        return True
    if mode == "ALL_REGIONS_EXCEPT_SPECIFIED":
        return region not in linked
    return mode == "SPECIFIED_REGIONS" and region in linked


def _found(view: View, arn: str | Refusal) -> Mapping[str, Json] | Refusal:
    if isinstance(arn, Refusal) or not arn:
        return arn if isinstance(arn, Refusal) else {}
    ask = second_aggregator_ask(arn)
    found = body(view.outcome(ask.call, str(ask.region), **ask.params))
    if not isinstance(found, Refusal) and not found.get("RegionLinkingMode"):
        return malformed(ask.call, str(ask.region), "an aggregator that is listed and not there")
    return found


def _arn(view: View, states: Mapping[str, bool | Refusal]) -> str | Refusal:
    """The one aggregator, which any region lists where V2 is on; "" when there is none."""
    listed = [
        member(view.outcome(_LIST, region), "AggregatorsV2", [])
        for region, state in states.items()
        if state is True
    ]
    answers = [item for item in listed if not isinstance(item, Refusal)]
    for item in (entry for answer in answers for entry in answer):
        return str(item.get("AggregatorV2Arn") or "")
    hidden = [item for item in (*listed, *states.values()) if isinstance(item, Refusal)]
    return "" if answers or not hidden else functools.reduce(heavier, hidden)


def delegation(view: View) -> Delegation:
    """Who administers V2 for the organization, as the management account is told.

    The audit account is told by Organizations, where the two generations have one service principal.
    """
    where = position(view)
    if acts_as_audit(view):
        return by_organizations(view, _PRINCIPAL)
    found: Any = member(
        view.outcome(SECOND_ADMINS.call, view.first, **SECOND_ADMINS.params), "AdminAccounts", []
    )
    own = member(view.outcome(SECOND_ADMINS.call, view.first), "AdminAccounts", [])
    named = found if isinstance(found, Refusal) else _enabled(found)
    first = [] if isinstance(own, Refusal) else _enabled(own)
    here = where.Role if isinstance(where.Role, Refusal) else where.Role == "management"
    return as_managed(view, here, named, [account for account in first if account != view.account])


def _enabled(admins: list[dict[str, Json]]) -> list[str]:
    return [str(item.get("AccountId")) for item in admins if item.get("Status") in (None, "ENABLED")]


def policy(view: View) -> Policy:
    """Whether the effective policy turns V2 on in every audited region.

    `disable_in_regions` wins over `enable_in_regions`, and ALL_SUPPORTED names all regions, those to come
    included (Organizations user guide, "Security Hub policy syntax and examples").
    """
    ask = second_policy_ask(view.leader)
    outcome = view.outcome(ask.call, view.leader, **ask.params)
    where = alone(view) or look_in_management(view)
    match outcome:
        case Absent():
            return Policy(Present=False, All=False, Left=list(view.regions), Where=where)
        case Refusal():
            return Policy(Present=outcome, All=outcome, Left=[], Where=where)
        case Answer():
            lists = _lists(outcome.body)
    if lists is None:
        hidden = malformed(ask.call, view.leader, "a policy that cannot be read")
        return Policy(Present=hidden, All=hidden, Left=[], Where=where)
    enabled, disabled = lists
    left = [
        region
        for region in view.regions
        if not {region, _ALL} & set(enabled) or {region, _ALL} & set(disabled)
    ]
    return Policy(Present=True, All=not left, Left=left, Where=where)


def _lists(answer: Mapping[str, Json]) -> tuple[list[str], list[str]] | None:
    """The two lists of regions of an effective policy; None for one that has another form."""
    try:
        content = json.loads(answer["EffectivePolicy"]["PolicyContent"])["securityhub"]
        found = [content[name] for name in ("enable_in_regions", "disable_in_regions")]
    except (TypeError, LookupError, ValueError, RecursionError):
        return None
    lists: list[Any] = [item.get("@@assign") if isinstance(item, dict) else item for item in found]
    enabled, disabled = lists
    if not _is_names(enabled) or not _is_names(disabled):
        return None
    return enabled, disabled


def _is_names(found: Any) -> bool:
    return isinstance(found, list) and all(isinstance(name, str) for name in found)
