"""Security Hub's resources: the region, the hub in it, the account, and the organization."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from postureaudit.evidence import Answer, Refusal
from postureaudit.resources import Facet, Resource, ResourceType, ScopeKind, Shape, View, body, facts
from postureaudit.services.administrators import DELEGATES
from postureaudit.services.administrators import Delegation as SecondDelegation
from postureaudit.services.organizations import (
    MEMBER_CALLS,
    POLICY_CALLS,
    POSITION_CALLS,
    Policy,
    Position,
    policy,
    position,
)
from postureaudit.services.organizations.policies import SECURITYHUB, SECURITYHUB_CSPM
from postureaudit.services.securityhub import administration, automation, imports, second, standards
from postureaudit.services.securityhub.administration import Administrator, Aggregator, on
from postureaudit.services.securityhub.asks import HUB
from postureaudit.services.securityhub.automation import Rules
from postureaudit.services.securityhub.imports import RECORDER_CALLS, Products
from postureaudit.services.securityhub.organization import (
    Central,
    Delegation,
    Members,
    administers,
    central,
    central_here,
    delegation,
    members,
)
from postureaudit.services.securityhub.standards import Controls, Standards

Producer = Callable[[View, str], "bool | Refusal"]

HUB_CALLS = ("securityhub:DescribeHub",)
ADMINISTRATOR_CALLS = (*HUB_CALLS, "securityhub:GetAdministratorAccount")
SETTING_CALLS = (*HUB_CALLS, "securityhub:DescribeOrganizationConfiguration")
STANDARD_CALLS = (*HUB_CALLS, "securityhub:GetEnabledStandards")
AGGREGATOR_CALLS = (*HUB_CALLS, "securityhub:ListFindingAggregators")
# Each facet that says whether a producer of findings is on, the call behind it and how it is read.
PRODUCERS: dict[str, tuple[str, Producer]] = {
    "GuardDutyOn": ("guardduty:ListDetectors", imports.guardduty),
    "ConfigOn": ("config:DescribeConfigurationRecorderStatus", imports.config),
    "InspectorOn": ("inspector2:BatchGetAccountStatus", imports.inspector),
    "MacieOn": ("macie2:GetMacieSession", imports.macie),
    "FirewallManagerOn": ("fms:GetAdminAccount", imports.firewall_manager),
    "AccessAnalyzerOn": ("accessanalyzer:ListAnalyzers", imports.access_analyzer),
}


def regions(view: View) -> Iterator[Resource]:
    """One place a region: whether Security Hub is on, in either generation."""
    for region in view.regions:
        second = view.outcome("securityhub:DescribeSecurityHubV2", region)
        yield Resource(
            type="securityhub.region",
            account=view.account,
            region=region,
            facts=facts(
                On=on(view, region),
                V2=second if isinstance(second, Refusal) else isinstance(second, Answer),
                Recording=imports.recording(view, region),
                Administrator=administration.administrator(view, region),
                Central=_any_central(view),
                Policy=policy(view, SECURITYHUB_CSPM, region),
                PolicyV2=policy(view, SECURITYHUB, region),
            ),
        )


def _any_central(view: View) -> bool | Refusal:
    """Whether this account's configuration policies rule anywhere: they may rule where the hub is off."""
    found = [central_here(view, region) for region in view.regions]
    if any(item is True for item in found):
        return True
    known = [item for item in found if not isinstance(item, Refusal)]
    return False if known else found[0]


def hubs(view: View) -> Iterator[Resource]:
    """One place a region where the hub is on; "*" where AWS would not say whether it is."""
    for region in view.regions:
        state = on(view, region)
        if isinstance(state, Refusal):
            hidden = {facet.name: state for facet in HUBS.facets}
            yield Resource(
                type="securityhub.hub", id="*", account=view.account, region=region, facts=dict(hidden)
            )
        elif state:
            yield _hub(view, region)


def _hub(view: View, region: str) -> Resource:
    hub = body(view.outcome(HUB.call, region))
    auto_enable = not isinstance(hub, Refusal) and hub.get("AutoEnableControls") is True
    return Resource(
        type="securityhub.hub",
        account=view.account,
        region=region,
        facts=facts(
            Hub=hub,
            Standards=standards.standards(view, region),
            Controls=standards.controls(view, region, auto_enable=auto_enable),
            Products=imports.products(view, region),
            Recording=imports.recording(view, region),
            Rules=automation.rules(view, region),
            Administrator=administration.administrator(view, region),
            Central=central_here(view, region),
            Policy=policy(view, SECURITYHUB_CSPM, region),
            **{name: read(view, region) for name, (_, read) in PRODUCERS.items()},
        ),
    )


def account(view: View) -> Iterator[Resource]:
    """One place: what brings the regions' findings together."""
    yield Resource(
        type="securityhub.account",
        account=view.account,
        region=None,
        facts=facts(
            Aggregator=administration.aggregator(view),
            Administrator=administration.administrator(view),
            Position=position(view),
            Second=second.second(view),
            SecondAggregator=second.aggregator(view),
            SecondPolicy=second.policy(view),
        ),
    )


def organization(view: View) -> Iterator[Resource]:
    """One place: the organization's settings, told to its management account and its administrator only."""
    where = position(view)
    yield Resource(
        type="securityhub.organization",
        account=view.account,
        region=None,
        elsewhere="this account is in no organization" if where.Role == "standalone" else "",
        facts=facts(
            Position=where,
            Delegation=delegation(view),
            Administers=administers(view),
            Central=central(view),
            Members=members(view),
            Second=second.second(view),
            SecondDelegation=second.delegation(view),
        ),
    )


REGION = ResourceType(
    name="securityhub.region",
    scope=ScopeKind.REGION,
    none="no region audited",
    facets=(
        Facet(name="On", calls=HUB_CALLS, shape=bool),
        Facet(name="V2", calls=("securityhub:DescribeSecurityHubV2",), shape=bool),
        Facet(name="Recording", calls=RECORDER_CALLS, shape=bool),
        Facet(name="Administrator", calls=ADMINISTRATOR_CALLS, shape=Administrator),
        Facet(name="Central", calls=SETTING_CALLS, shape=bool),
        Facet(name="Policy", calls=POLICY_CALLS, shape=Policy),
        Facet(name="PolicyV2", calls=POLICY_CALLS, shape=Policy),
    ),
    produce=regions,
)
HUBS = ResourceType(
    name="securityhub.hub",
    scope=ScopeKind.RESOURCE,
    none="Security Hub is off in every audited region",
    facets=(
        Facet(name="Hub", calls=HUB_CALLS, shape=Shape("securityhub:DescribeHub", "")),
        Facet(name="Standards", calls=STANDARD_CALLS, shape=Standards),
        Facet(
            name="Controls",
            calls=(*STANDARD_CALLS, "securityhub:DescribeStandardsControls"),
            shape=Controls,
        ),
        Facet(
            name="Products",
            calls=(*HUB_CALLS, "securityhub:ListEnabledProductsForImport"),
            shape=Products,
        ),
        Facet(name="Recording", calls=(*HUB_CALLS, *RECORDER_CALLS), shape=bool),
        Facet(
            name="Rules",
            calls=(*HUB_CALLS, "securityhub:ListAutomationRules", "securityhub:BatchGetAutomationRules"),
            shape=Rules,
        ),
        Facet(name="Administrator", calls=ADMINISTRATOR_CALLS, shape=Administrator),
        Facet(name="Central", calls=SETTING_CALLS, shape=bool),
        Facet(name="Policy", calls=(*HUB_CALLS, *POLICY_CALLS), shape=Policy),
        *(Facet(name=name, calls=(*HUB_CALLS, call), shape=bool) for name, (call, _) in PRODUCERS.items()),
    ),
    produce=hubs,
)
ACCOUNT = ResourceType(
    name="securityhub.account",
    scope=ScopeKind.ACCOUNT,
    none="no account audited",
    facets=(
        Facet(
            name="Aggregator",
            calls=(*AGGREGATOR_CALLS, "securityhub:GetFindingAggregator"),
            shape=Aggregator,
        ),
        Facet(name="Administrator", calls=ADMINISTRATOR_CALLS, shape=Administrator),
        Facet(name="Position", calls=POSITION_CALLS, shape=Position),
        Facet(name="Second", calls=(*second.HUB, *DELEGATES), shape=second.Second),
        Facet(name="SecondAggregator", calls=second.AGGREGATOR, shape=second.Aggregator),
        Facet(name="SecondPolicy", calls=second.POLICY, shape=second.Policy),
    ),
    produce=account,
)
ORGANIZATION = ResourceType(
    name="securityhub.organization",
    scope=ScopeKind.ORGANIZATION,
    none="no organization",
    facets=(
        Facet(name="Position", calls=POSITION_CALLS, shape=Position),
        Facet(
            name="Delegation",
            calls=(
                *POSITION_CALLS,
                "securityhub:ListOrganizationAdminAccounts",
                *SETTING_CALLS,
                *ADMINISTRATOR_CALLS,
            ),
            shape=Delegation,
        ),
        Facet(name="Administers", calls=(*POSITION_CALLS, *SETTING_CALLS), shape=bool),
        Facet(
            name="Central",
            calls=(
                *SETTING_CALLS,
                "securityhub:ListFindingAggregators",
                "securityhub:ListConfigurationPolicies",
            ),
            shape=Central,
        ),
        Facet(
            name="Members",
            calls=(*SETTING_CALLS, "securityhub:ListMembers", *MEMBER_CALLS),
            shape=Members,
        ),
        Facet(name="Second", calls=(*second.HUB, *DELEGATES), shape=second.Second),
        Facet(name="SecondDelegation", calls=second.DELEGATION, shape=SecondDelegation),
    ),
    produce=organization,
)
TYPES = (REGION, HUBS, ACCOUNT, ORGANIZATION)
