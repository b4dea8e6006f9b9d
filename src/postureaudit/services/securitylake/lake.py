"""The facts of a region's data lake: whether it is there and well, what flows in, and what new accounts bring."""

from __future__ import annotations

import msgspec

from postureaudit.evidence import Absent, Json, Refusal
from postureaudit.resources import View, malformed, member
from postureaudit.services.organizations import members
from postureaudit.services.securitylake import asks
from postureaudit.services.standing import DELEGATES, Standing, standing

PRINCIPAL, TITLE = "securitylake.amazonaws.com", "Security Lake"
LAKE_CALLS = (*DELEGATES, asks.LAKES)
SOURCE_CALLS = (*LAKE_CALLS, asks.SOURCES, "organizations:ListAccounts")
AUTO_CALLS = (*LAKE_CALLS, asks.AUTO)
# What an investigation asks for first; S3 data events, Lambda, EKS and WAF logs are large and wanted by choice.
FIRST = ("CLOUD_TRAIL_MGMT", "ROUTE53", "SH_FINDINGS", "VPC_FLOW")
ALL_SOURCES = (*FIRST, "EKS_AUDIT", "LAMBDA_EXECUTION", "S3_DATA", "WAF")


class Lake(msgspec.Struct, frozen=True, kw_only=True):
    """The region's lake. `Healthy`: it was set up, and its last change did not fail; `Trouble` is AWS's word."""

    Here: bool | Refusal
    Healthy: bool | Refusal
    Trouble: str


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """`Everywhere` are the AWS sources that flow in from every account that the lake is for.

    `Missing` names, of the four that an investigation asks for first, those that some account lacks; `Lacking` are
    the accounts that lack each source that is not everywhere.
    """

    Everywhere: list[str] | Refusal
    Missing: list[str]
    Lacking: dict[str, list[str]]


class Auto(msgspec.Struct, frozen=True, kw_only=True):
    """The sources that accounts which join the organization bring of themselves in this region."""

    Sources: list[str] | Refusal


def lake(view: View, region: str) -> Lake:
    """Whether the region has a lake of this account (API reference, DataLakeResource)."""
    outcome = view.outcome(asks.LAKES, region, **asks.here(region))
    found = member(outcome, "dataLakes", [])
    if isinstance(outcome, Absent):  # the organization's lake is not this account's to see
        mine = seat(view).Mine
        found = malformed(asks.LAKES, region, outcome.message) if mine is True else mine or []
    if isinstance(found, Refusal):
        return Lake(Here=found, Healthy=found, Trouble="")
    here = [item for item in found if item.get("region") == region]
    if not here:
        mine = seat(view).Mine  # "none" matters only where a lake would be seen
        return Lake(Here=mine if isinstance(mine, Refusal) else False, Healthy=False, Trouble="")
    created = str(here[0].get("createStatus") or "")
    change = here[0].get("updateStatus") or {}
    failed = change.get("status") == "FAILED"
    why = (change.get("exception") or {}).get("reason") if failed else created
    healthy: bool | Refusal = False if failed else created == "COMPLETED"
    if not created and not failed:
        healthy = malformed(asks.LAKES, region, "a lake without its status")
    return Lake(Here=True, Healthy=healthy, Trouble=str(why or "the last change failed"))


def seat(view: View) -> Standing:
    """Where this account stands towards the organization's lake."""
    return view.once("securitylake", lambda: standing(view, PRINCIPAL, TITLE))


def sources(view: View, region: str) -> Sources:
    """What flows in, account by account (API reference, DataLakeSource)."""
    listed = member(view.outcome(asks.SOURCES, region, **asks.here(region)), "sources", [])
    accounts = _accounts(view)
    if isinstance(listed, Refusal) or isinstance(accounts, Refusal):
        hidden = listed if isinstance(listed, Refusal) else accounts
        assert isinstance(hidden, Refusal)
        return Sources(Everywhere=hidden, Missing=[], Lacking={})
    flowing: dict[str, set[str]] = {}
    for item in listed:
        if item.get("region") != region:
            continue
        for name in _names(item.get("sources") or []):
            flowing.setdefault(name, set()).add(str(item.get("account")))
    lacking = {
        name: sorted(set(accounts) - flowing.get(name, set())) for name in sorted({*flowing, *ALL_SOURCES})
    }
    return Sources(
        Everywhere=[name for name, without in lacking.items() if not without],
        Missing=[f"{name} from {' '.join(lacking[name])}" for name in FIRST if lacking[name]],
        Lacking={name: without for name, without in lacking.items() if without},
    )


def _names(items: list[Json]) -> list[str]:
    """The AWS sources in a list; custom ones have no such name."""
    return [str(item["awsLogSource"]["sourceName"]) for item in items if item.get("awsLogSource")]


def _accounts(view: View) -> list[str] | Refusal:
    """The accounts that the lake is for: this one, or every active one of the organization."""
    organized = seat(view).Organized
    if isinstance(organized, Refusal):
        return organized
    if not organized:
        return [view.account]
    found = members(view)
    return found if isinstance(found, Refusal) else [str(item.get("Id")) for item in found]


def auto(view: View, region: str) -> Auto:
    """What new accounts bring (API reference, GetDataLakeOrganizationConfiguration)."""
    found = member(view.outcome(asks.AUTO, region), "autoEnableNewAccount", [])
    if isinstance(found, Refusal):
        return Auto(Sources=found)
    mine = [item for item in found if item.get("region") == region]
    return Auto(
        Sources=sorted({str(one.get("sourceName")) for item in mine for one in item.get("sources") or []})
    )
