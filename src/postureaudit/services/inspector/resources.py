"""Inspector's resources: the region, and the organization's settings there."""

from __future__ import annotations

from collections.abc import Iterator

from postureaudit.resources import Facet, Resource, ResourceType, ScopeKind, View, facts
from postureaudit.services import workloads
from postureaudit.services.administrators import Administrator, Delegation, Manager, delegation
from postureaudit.services.inspector import account, organization
from postureaudit.services.organizations import position


def regions(view: View) -> Iterator[Resource]:
    """One place a region, also where Inspector is off."""
    for region in view.regions:
        yield Resource(
            type="inspector.region",
            account=view.account,
            region=region,
            facts=facts(
                State=account.state(view, region),
                Scans=account.scans(view, region),
                Manager=account.manager(view, region),
                Ruled=account.ruled(view, region),
                HasInstances=workloads.has_instances(view, region),
                HasRepositories=workloads.has_repositories(view, region),
                HasFunctions=workloads.has_functions(view, region),
            ),
        )


def organizations(view: View) -> Iterator[Resource]:
    """One place a region: Inspector keeps the organization's settings by region."""
    alone = position(view).Role == "standalone"
    for region in view.regions:
        yield Resource(
            type="inspector.organization",
            account=view.account,
            region=region,
            elsewhere="this account is in no organization" if alone else "",
            facts=facts(
                Delegation=delegation(view, region, organization.admin, organization.administrator),
                Administrator=organization.administrator(view, region),
                AutoEnable=organization.auto_enable(view, region),
                Membership=organization.membership(view, region),
                Scans=account.scans(view, region),
                Ruled=account.ruled(view, region),
            ),
        )


REGION = ResourceType(
    name="inspector.region",
    scope=ScopeKind.REGION,
    none="no region audited",
    facets=(
        Facet(name="State", calls=account.STATUS_CALLS, shape=account.State),
        Facet(name="Scans", calls=account.STATUS_CALLS, shape=account.Scans),
        Facet(name="Manager", calls=account.MANAGER_CALLS, shape=Manager),
        Facet(name="Ruled", calls=account.POLICY_CALLS, shape=bool),
        Facet(name="HasInstances", calls=workloads.INSTANCES, shape=bool),
        Facet(name="HasRepositories", calls=workloads.REPOSITORIES, shape=bool),
        Facet(name="HasFunctions", calls=workloads.FUNCTIONS, shape=bool),
    ),
    produce=regions,
)
ORGANIZATION = ResourceType(
    name="inspector.organization",
    scope=ScopeKind.ORGANIZATION,
    none="no organization",
    facets=(
        Facet(name="Delegation", calls=organization.DELEGATION, shape=Delegation),
        Facet(name="Administrator", calls=organization.ADMINISTRATOR, shape=Administrator),
        Facet(name="AutoEnable", calls=organization.AUTO_ENABLE, shape=organization.AutoEnable),
        Facet(name="Membership", calls=organization.MEMBERSHIP, shape=organization.Membership),
        Facet(name="Scans", calls=account.STATUS_CALLS, shape=account.Scans),
        Facet(name="Ruled", calls=account.POLICY_CALLS, shape=bool),
    ),
    produce=organizations,
)
TYPES = (REGION, ORGANIZATION)
