"""Macie's resources: the region, and the organization's settings there."""

from __future__ import annotations

from collections.abc import Iterator

from postureaudit.resources import Facet, Resource, ResourceType, ScopeKind, View, facts
from postureaudit.services import buckets
from postureaudit.services.administrators import Administrator, Delegation, Manager, delegation
from postureaudit.services.macie import account, organization
from postureaudit.services.organizations import position


def regions(view: View) -> Iterator[Resource]:
    """One place a region, also where Macie is off."""
    for region in view.regions:
        yield Resource(
            type="macie.region",
            account=view.account,
            region=region,
            facts=facts(
                Session=account.session(view, region),
                Manager=account.manager(view, region),
                Discovery=account.discovery(view, region),
                Publication=account.publication(view, region),
                Export=account.export(view, region),
                Bucket=account.export_owner(view, region),
                HubOn=account.hub_on(view, region),
            ),
        )


def organizations(view: View) -> Iterator[Resource]:
    """One place a region: Macie keeps the organization's settings by region."""
    alone = position(view).Role == "standalone"
    for region in view.regions:
        yield Resource(
            type="macie.organization",
            account=view.account,
            region=region,
            elsewhere="this account is in no organization" if alone else "",
            facts=facts(
                Delegation=delegation(view, region, organization.admin, organization.administrator),
                Administrator=organization.administrator(view, region),
                AutoEnable=organization.auto_enable(view, region),
                Membership=organization.membership(view, region),
                Discovery=account.discovery(view, region),
            ),
        )


REGION = ResourceType(
    name="macie.region",
    scope=ScopeKind.REGION,
    none="no region audited",
    facets=(
        Facet(name="Session", calls=account.SESSION, shape=account.Session),
        Facet(name="Manager", calls=account.MANAGER, shape=Manager),
        Facet(name="Discovery", calls=account.DISCOVERY, shape=account.Discovery),
        Facet(name="Publication", calls=account.PUBLICATION, shape=account.Publication),
        Facet(name="Export", calls=account.EXPORT, shape=account.Export),
        Facet(name="Bucket", calls=account.EXPORT_OWNER, shape=buckets.Owner),
        Facet(name="HubOn", calls=account.HUB, shape=bool),
    ),
    produce=regions,
)
ORGANIZATION = ResourceType(
    name="macie.organization",
    scope=ScopeKind.ORGANIZATION,
    none="no organization",
    facets=(
        Facet(name="Delegation", calls=organization.DELEGATION, shape=Delegation),
        Facet(name="Administrator", calls=organization.ADMINISTRATOR, shape=Administrator),
        Facet(name="AutoEnable", calls=organization.AUTO_ENABLE, shape=organization.AutoEnable),
        Facet(name="Membership", calls=organization.MEMBERSHIP, shape=organization.Membership),
        Facet(name="Discovery", calls=account.DISCOVERY, shape=account.Discovery),
    ),
    produce=organizations,
)
TYPES = (REGION, ORGANIZATION)
