"""Detective's resources: the region, and the organization's settings there."""

from __future__ import annotations

from collections.abc import Iterator

from postureaudit.resources import Facet, Resource, ResourceType, ScopeKind, View, facts
from postureaudit.services.administrators import POSITION, Administrator, Delegation, delegation
from postureaudit.services.detective import graphs
from postureaudit.services.organizations import Position, position


def regions(view: View) -> Iterator[Resource]:
    """One place a region, also where Detective is off."""
    for region in view.regions:
        yield Resource(
            type="detective.region",
            account=view.account,
            region=region,
            facts=facts(Graph=graphs.graph(view, region), Position=position(view)),
        )


def organizations(view: View) -> Iterator[Resource]:
    """One place a region: Detective keeps the organization's settings by region."""
    alone = position(view).Role == "standalone"
    for region in view.regions:
        yield Resource(
            type="detective.organization",
            account=view.account,
            region=region,
            elsewhere="this account is in no organization" if alone else "",
            facts=facts(
                Graph=graphs.graph(view, region),
                Delegation=delegation(view, region, graphs.admin, graphs.administrator),
                Administrator=graphs.administrator(view, region),
                AutoEnable=graphs.auto_enable(view, region),
                Membership=graphs.membership(view, region),
            ),
        )


REGION = ResourceType(
    name="detective.region",
    scope=ScopeKind.REGION,
    none="no region audited",
    facets=(
        Facet(name="Graph", calls=graphs.GRAPH, shape=graphs.Graph),
        Facet(name="Position", calls=POSITION, shape=Position),
    ),
    produce=regions,
)
ORGANIZATION = ResourceType(
    name="detective.organization",
    scope=ScopeKind.ORGANIZATION,
    none="no organization",
    facets=(
        Facet(name="Graph", calls=graphs.GRAPH, shape=graphs.Graph),
        Facet(name="Delegation", calls=graphs.DELEGATION, shape=Delegation),
        Facet(name="Administrator", calls=graphs.ADMINISTRATOR, shape=Administrator),
        Facet(name="AutoEnable", calls=graphs.AUTO_ENABLE, shape=bool),
        Facet(name="Membership", calls=graphs.MEMBERSHIP, shape=graphs.Membership),
    ),
    produce=organizations,
)
TYPES = (REGION, ORGANIZATION)
