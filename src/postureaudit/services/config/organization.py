"""Config in the organization: who administers it, and whether one aggregator sees every account."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec

from postureaudit.asks import Ask
from postureaudit.evidence import Json, Refusal, RefusalKind
from postureaudit.resources import Resource, View, any_of, facts, member
from postureaudit.services.config import asks, health
from postureaudit.services.config.health import Health
from postureaudit.services.organizations import (
    acts_as_audit,
    delegated,
    delegation,
    look_in_management,
    position,
)
from postureaudit.services.times import age_hours

# Either principal makes an account administer Config: aggregators, or rules and packs of the organization
# (developer guide, "Register a Delegated Administrator").
PRINCIPALS = ("config.amazonaws.com", asks.MULTI_ACCOUNT)


class Aggregator(msgspec.Struct, frozen=True, kw_only=True):
    """The organization's aggregator. `Name` and `Region` are of the best one here, "" for none; `Allowed`: this account
    may make one.

    `JudgedHere` is false in a management account whose delegated administrator holds the aggregator; `Where` says so,
    for people.
    """

    Present: bool | Refusal
    Covers: bool | Refusal
    JudgedHere: bool | Refusal
    Allowed: bool | Refusal
    ManagementAccount: str
    Where: str
    Name: str
    Region: str
    Source: dict[str, Json]


class Deployments(msgspec.Struct, frozen=True, kw_only=True):
    """The rules and conformance packs that this account deploys to its organization, in all regions together.

    Nobody but the account that deployed them sees them. `Failing` names each that is not deployed everywhere, with the
    region, the first accounts that lack it, and AWS's error.
    """

    Present: bool | Refusal
    Healthy: bool | Refusal | None
    Names: list[str]
    Failing: list[str]


def organization(view: View) -> Iterator[Resource]:
    """One place; in a member account only where it administers Config or holds the organization's aggregator."""
    where = position(view)
    admins = [delegated(view, principal) for principal in PRINCIPALS]
    us = any_of(found if isinstance(found, Refusal) else view.account in found for found in admins)
    allowed = any_of([where.Role if isinstance(where.Role, Refusal) else where.Role == "management", us])
    aggregator = _aggregator(view, where.Role, admins[0], allowed)
    elsewhere = ""
    if where.Role == "standalone":
        elsewhere = "this account is in no organization"
    ours = us is True or acts_as_audit(view)
    if where.Role == "member" and not ours and aggregator.Covers is not True:
        elsewhere = look_in_management(view)
    yield Resource(
        type="config.organization",
        account=view.account,
        region=None,
        elsewhere=elsewhere,
        facts=facts(
            Aggregator=aggregator,
            AggregatorHealth=_health(view),
            Delegation=delegation(view, *PRINCIPALS),
            Deployments=_deployments(view, where.Role, admins[1]),
        ),
    )


def _listed(view: View, region: str) -> list[dict[str, Json]] | Refusal:
    """The aggregators of a region that collect from an organization."""
    found = member(view.outcome(asks.AGGREGATORS.call, region), "ConfigurationAggregators", [])
    if isinstance(found, Refusal):
        return found
    return [dict(item) for item in found if item.get("OrganizationAggregationSource")]


def _covers(view: View, body: dict[str, Json]) -> bool:
    """Whether it collects from every region, or from all that are audited."""
    source = body["OrganizationAggregationSource"]
    return source.get("AllAwsRegions") is True or set(view.regions) <= set(source.get("AwsRegions") or [])


def _all(view: View) -> list[tuple[str, dict[str, Json]]]:
    """Every aggregator that is known with its region, the best first: covering, in the leader region."""
    found = [
        (region, body)
        for region in view.regions
        for listed in [_listed(view, region)]
        if not isinstance(listed, Refusal)
        for body in listed
    ]
    return sorted(found, key=lambda item: (not _covers(view, item[1]), item[0] != view.leader, item[0]))


def _hidden(view: View) -> list[Refusal]:
    return [
        found for region in view.regions for found in [_listed(view, region)] if isinstance(found, Refusal)
    ]


def _aggregator(
    view: View, role: str | Refusal, admins: list[str] | Refusal, allowed: bool | Refusal
) -> Aggregator:
    known, hidden = _all(view), _hidden(view)
    covers = any_of([*(_covers(view, body) for _, body in known), *hidden])
    judged: bool | Refusal = True
    if role == "management":
        judged = any_of([covers, admins if isinstance(admins, Refusal) else not admins])
    elif isinstance(role, Refusal):
        judged, covers = covers is True or role, covers is True or role
    region, body = known[0] if known else ("", {})
    return Aggregator(
        Present=any_of([bool(known), *hidden]),
        Covers=covers,
        JudgedHere=judged,
        Allowed=allowed,
        ManagementAccount=manager if isinstance(manager := position(view).ManagementAccount, str) else "",
        Where=f"look in the delegated administrator {', '.join(admins)}"
        if role == "management" and admins and not isinstance(admins, Refusal)
        else "no aggregator of the organization here (config.aggregator)",
        Name=str(body.get("ConfigurationAggregatorName") or ""),
        Region=region,
        Source=body.get("OrganizationAggregationSource") or {},
    )


def _health(view: View) -> Health:
    found = [health.aggregator(view, region, body) for region, body in _all(view)]
    return health.health(
        [*(item.Healthy for item in found), *_hidden(view)], [text for item in found for text in item.Failing]
    )


def _deployments(view: View, role: str | Refusal, admins: list[str] | Refusal) -> Deployments:
    """What is deployed from here. A member that administers nothing was not asked, and deploys nothing."""
    if role == "member" and (isinstance(admins, Refusal) or view.account not in admins):
        return Deployments(Present=False, Healthy=None, Names=[], Failing=[])
    known: list[bool | Refusal | None] = []
    present: list[bool | Refusal] = []
    names: list[str] = []
    failing: list[str] = []
    for region in view.regions:
        for kind in (_PACKS, _RULES):
            found = member(view.outcome(kind.ask.call, region), kind.listed, [])
            if isinstance(found, Refusal):
                if found.kind is not RefusalKind.NOT_IN_REGION:  # where Config is not, nothing is deployed
                    known.append(found)
                    present.append(found)
                continue
            present.append(bool(found))
            record = view.record(kind.ask.call, region)
            for item in found:
                name, status = str(item.get(kind.name)), str(item.get(kind.status))
                age = age_hours(item.get("LastUpdateTime"), record.at if record else "")
                names.append(f"{kind.word} {name} in {region}")
                fine: bool | None = status.endswith("_SUCCESSFUL")
                if status.endswith("_IN_PROGRESS") and (age is None or age <= health.DAY):
                    fine = None
                known.append(fine)
                if fine is False:
                    failing.append(
                        f"{kind.word} {name} in {region}: {status}{_accounts(view, region, kind, item)}"
                    )
    found_health = health.health(known, failing)
    return Deployments(Present=any_of(present), Healthy=found_health.Healthy, Names=names, Failing=failing)


class _Kind(msgspec.Struct, frozen=True, kw_only=True):
    """How AWS calls the parts of the answers about an organization's packs, or its rules."""

    word: str
    ask: Ask
    listed: str
    name: str
    status: str
    accounts: Callable[[Mapping[str, Json]], Ask | None]
    detailed: str


_PACKS = _Kind(
    word="pack",
    ask=asks.ORGANIZATION_PACKS,
    listed="OrganizationConformancePackStatuses",
    name="OrganizationConformancePackName",
    status="Status",
    accounts=asks.pack_accounts_ask,
    detailed="OrganizationConformancePackDetailedStatuses",
)
_RULES = _Kind(
    word="rule",
    ask=asks.ORGANIZATION_RULES,
    listed="OrganizationConfigRuleStatuses",
    name="OrganizationConfigRuleName",
    status="OrganizationRuleStatus",
    accounts=asks.rule_accounts_ask,
    detailed="OrganizationConfigRuleDetailedStatus",
)


def _accounts(view: View, region: str, kind: _Kind, item: Mapping[str, Json]) -> str:
    """The first accounts where it failed, with the first error, as far as AWS says."""
    ask = kind.accounts(item)
    found = member(view.outcome(ask.call, region, **ask.params), kind.detailed, []) if ask else []
    listed = [] if isinstance(found, Refusal) else found
    ids = sorted(str(one.get("AccountId")) for one in listed)
    error = next((str(one["ErrorCode"]) for one in (*listed, item) if one.get("ErrorCode")), "")
    where = f" in {', '.join(ids[:5])}{' ...' if len(ids) > 5 else ''}" if ids else ""
    return where + (f" ({error})" if error else "")
