"""IAM Access Analyzer: does anyone look who can reach what is here, from outside, from inside, and for nothing."""

from __future__ import annotations

from postureaudit.asks import Ask, Collection, Scope
from postureaudit.services.accessanalyzer.resources import TYPES
from postureaudit.services.base import Service


def collect(scope: Scope) -> Collection:
    """Ask for the region's analyzers, of every type; who is delegated, Organizations tells."""
    yield [Ask("accessanalyzer:ListAnalyzers")]


SERVICE = Service(
    name="accessanalyzer", title="IAM Access Analyzer", collect=collect, types=TYPES, column="others"
)
