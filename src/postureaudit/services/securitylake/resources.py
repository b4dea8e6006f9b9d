"""Security Lake's resources: the region's lake, and who runs it for the organization."""

from __future__ import annotations

from collections.abc import Iterator

from postureaudit.resources import Facet, Resource, ResourceType, ScopeKind, View, facts
from postureaudit.services.administrators import Chosen, Delegation, by_organizations
from postureaudit.services.organizations import wanted_log_archive
from postureaudit.services.securitylake.lake import (
    AUTO_CALLS,
    LAKE_CALLS,
    PRINCIPAL,
    SOURCE_CALLS,
    Auto,
    Lake,
    Sources,
    auto,
    lake,
    seat,
    sources,
)
from postureaudit.services.standing import DELEGATES, Standing, alone


def regions(view: View) -> Iterator[Resource]:
    """One place a region. A lake that is seen is judged; where none is, it may be another account's to have one."""
    for region in view.regions:
        found = lake(view, region)
        yield Resource(
            type="securitylake.region",
            account=view.account,
            region=region,
            elsewhere="" if found.Here is True else seat(view).Elsewhere,
            facts=facts(
                Lake=found, Sources=sources(view, region), Auto=auto(view, region), Standing=seat(view)
            ),
        )


def organizations(view: View) -> Iterator[Resource]:
    """One place: whether an account is delegated, which is the log archive where one was named.

    (AWS Security Reference Architecture, "Log Archive account": Security Lake.)
    """
    keeper = Chosen(wanted_log_archive(view), "log archive account")
    yield Resource(
        type="securitylake.organization",
        account=view.account,
        region=None,
        elsewhere=alone(view),
        facts=facts(Delegation=by_organizations(view, PRINCIPAL, keeper)),
    )


REGION = ResourceType(
    name="securitylake.region",
    scope=ScopeKind.REGION,
    none="no region audited",
    facets=(
        Facet(name="Lake", calls=LAKE_CALLS, shape=Lake),
        Facet(name="Sources", calls=SOURCE_CALLS, shape=Sources),
        Facet(name="Auto", calls=AUTO_CALLS, shape=Auto),
        Facet(name="Standing", calls=DELEGATES, shape=Standing),
    ),
    produce=regions,
)
ORGANIZATION = ResourceType(
    name="securitylake.organization",
    scope=ScopeKind.ORGANIZATION,
    none="no organization",
    facets=(Facet(name="Delegation", calls=DELEGATES, shape=Delegation),),
    produce=organizations,
)
TYPES = (REGION, ORGANIZATION)
