"""Security Incident Response's resources: the account's membership, and who runs it for the organization."""

from __future__ import annotations

from collections.abc import Iterator

from postureaudit.resources import Facet, Resource, ResourceType, ScopeKind, View, facts
from postureaudit.services.administrators import Delegation, by_organizations
from postureaudit.services.securityincidentresponse import membership
from postureaudit.services.standing import DELEGATES, Standing, alone


def accounts(view: View) -> Iterator[Resource]:
    """One place. A membership that is seen is judged; where none is, it may be another account's to have one."""
    found = membership.membership(view)
    seat = membership.seat(view)
    yield Resource(
        type="securityincidentresponse.account",
        account=view.account,
        region=None,
        elsewhere="" if found.Active is True else seat.Elsewhere,
        facts=facts(
            Membership=found,
            Cover=membership.cover(view, found),
            Triage=membership.triage(view, found),
            Standing=seat,
        ),
    )


def organizations(view: View) -> Iterator[Resource]:
    """One place: whether an account is delegated, which is the audit account where one was named."""
    yield Resource(
        type="securityincidentresponse.organization",
        account=view.account,
        region=None,
        elsewhere=alone(view),
        facts=facts(
            Delegation=by_organizations(view, membership.PRINCIPAL),
            Membership=membership.membership(view),
        ),
    )


ACCOUNT = ResourceType(
    name="securityincidentresponse.account",
    scope=ScopeKind.ACCOUNT,
    none="no account audited",
    facets=(
        Facet(name="Membership", calls=membership.CALLS, shape=membership.Membership),
        Facet(name="Cover", calls=membership.COVER_CALLS, shape=membership.Cover),
        Facet(name="Triage", calls=membership.TRIAGE_CALLS, shape=membership.Triage),
        Facet(name="Standing", calls=DELEGATES, shape=Standing),
    ),
    produce=accounts,
)
ORGANIZATION = ResourceType(
    name="securityincidentresponse.organization",
    scope=ScopeKind.ORGANIZATION,
    none="no organization",
    facets=(
        Facet(name="Delegation", calls=DELEGATES, shape=Delegation),
        Facet(name="Membership", calls=membership.CALLS, shape=membership.Membership),
    ),
    produce=organizations,
)
TYPES = (ACCOUNT, ORGANIZATION)
