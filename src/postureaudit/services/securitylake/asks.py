"""What to ask Security Lake in a region: the lake, and where there is one, what flows into it."""

from __future__ import annotations

from postureaudit.asks import Ask, Collection, Scope
from postureaudit.evidence import Json

LAKES = "securitylake:ListDataLakes"
SOURCES = "securitylake:ListLogSources"
AUTO = "securitylake:GetDataLakeOrganizationConfiguration"


def here(region: str) -> dict[str, Json]:
    """The parameter by which a question is about one region."""
    return {"regions": [region]}


def collect(scope: Scope) -> Collection:
    """Ask for the lake; its sources, and what new accounts bring, only where it is."""
    (lakes,) = yield [Ask(LAKES, **here(scope.region))]
    if lakes.pick("dataLakes[]"):
        yield [Ask(SOURCES, **here(scope.region)), Ask(AUTO)]
