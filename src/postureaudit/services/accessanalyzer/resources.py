"""IAM Access Analyzer's resources: the region, the account, and the organization."""

from __future__ import annotations

from collections.abc import Iterator

from postureaudit.resources import Facet, Resource, ResourceType, ScopeKind, View, facts
from postureaudit.services.accessanalyzer import analyzers
from postureaudit.services.administrators import POSITION, Administrator, Delegation
from postureaudit.services.organizations import Position, position


def regions(view: View) -> Iterator[Resource]:
    """One place a region: what other accounts can reach is looked at region by region."""
    for region in view.regions:
        yield Resource(
            type="accessanalyzer.region",
            account=view.account,
            region=region,
            facts=facts(
                External=analyzers.kind(view, [region], analyzers.EXTERNAL, "external-access"),
                Organization=analyzers.kind(view, [region], ["ORGANIZATION"], "organization-external-access"),
                Administrator=analyzers.administrator(view),
            ),
        )


def account(view: View) -> Iterator[Resource]:
    """One place: IAM is global, one analyzer of unused access sees all of it from any region.

    A region that was left out of the run may have it: what nobody asked there is unknown.
    """
    others = (*view.regions, *view.evidence.header.regions.excluded)
    home = [view.first, *(region for region in others if region != view.first)]
    kinds = {
        name: analyzers.kind(view, home, [f"{zone}_{kind}_ACCESS"], f"{title}{kind.lower()}-access")
        for name, zone, kind, title in (
            ("Unused", "ACCOUNT", "UNUSED", ""),
            ("OrganizationUnused", "ORGANIZATION", "UNUSED", "organization-"),
            ("Internal", "ACCOUNT", "INTERNAL", ""),
            ("OrganizationInternal", "ORGANIZATION", "INTERNAL", "organization-"),
        )
    }
    yield Resource(
        type="accessanalyzer.account",
        account=view.account,
        region=None,
        facts=facts(Position=position(view), Administrator=analyzers.administrator(view), **kinds),
    )


def organization(view: View) -> Iterator[Resource]:
    """One place: Organizations keeps the delegated administrator for all regions."""
    alone = position(view).Role == "standalone"
    yield Resource(
        type="accessanalyzer.organization",
        account=view.account,
        region=None,
        elsewhere="this account is in no organization" if alone else "",
        facts=facts(Delegation=analyzers.delegation(view)),
    )


_LIST = (analyzers.LIST,)
REGION = ResourceType(
    name="accessanalyzer.region",
    scope=ScopeKind.REGION,
    none="no region audited",
    facets=(
        Facet(name="External", calls=_LIST, shape=analyzers.Kind),
        Facet(name="Organization", calls=_LIST, shape=analyzers.Kind),
        Facet(name="Administrator", calls=analyzers.ADMINISTRATOR, shape=Administrator),
    ),
    produce=regions,
)
ACCOUNT = ResourceType(
    name="accessanalyzer.account",
    scope=ScopeKind.ACCOUNT,
    none="no account audited",
    facets=(
        Facet(name="Position", calls=POSITION, shape=Position),
        Facet(name="Administrator", calls=analyzers.ADMINISTRATOR, shape=Administrator),
        *(
            Facet(name=name, calls=_LIST, shape=analyzers.Kind)
            for name in ("Unused", "OrganizationUnused", "Internal", "OrganizationInternal")
        ),
    ),
    produce=account,
)
ORGANIZATION = ResourceType(
    name="accessanalyzer.organization",
    scope=ScopeKind.ORGANIZATION,
    none="no organization",
    facets=(Facet(name="Delegation", calls=analyzers.ADMINISTRATOR, shape=Delegation),),
    produce=organization,
)
TYPES = (REGION, ACCOUNT, ORGANIZATION)
