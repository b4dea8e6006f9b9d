"""Where the hub is on, who administers it, and what brings the regions' findings together."""

from __future__ import annotations

import functools

import msgspec

from postureaudit.evidence import Absent, Answer, Json, Refusal, heavier
from postureaudit.resources import View, all_of, any_of, body, malformed, member
from postureaudit.services.securityhub.asks import HUB, aggregator_ask, home_region

_TAKES_IN_NEW = ("ALL_REGIONS", "ALL_REGIONS_EXCEPT_SPECIFIED")


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
    return functools.reduce(heavier, hidden) if hidden else ""


def aggregator(view: View) -> Aggregator:
    """The account's finding aggregator and what it links."""
    where = administrator(view)
    states = {region: on(view, region) for region in view.regions}
    matters = all_of([any_of(states.values()), len(view.regions) > 1])
    regions_on = [region for region, state in states.items() if state is True]
    first = view.first if view.first in regions_on else next(iter(regions_on), view.first)
    arn = view.memo(aggregator_arn)
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
        Links=mode if isinstance(mode, Refusal) else mode in _TAKES_IN_NEW or bool(regions),
        AllRegions=mode if isinstance(mode, Refusal) else mode in _TAKES_IN_NEW and not left_out,
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


def aggregator_arn(view: View) -> str | Refusal:
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
    return "" if answers or not hidden else functools.reduce(heavier, hidden)
