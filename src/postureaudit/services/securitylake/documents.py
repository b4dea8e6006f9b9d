"""Documents that Security Lake's fixes carry: the sources that are wanted and not there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from postureaudit.evidence import Json, Refusal


def sources(env: Mapping[str, Json]) -> Json | Refusal:
    """The wanted sources, each for the accounts that lack it."""
    found = env.get("Sources")
    if not isinstance(found, Mapping):
        return found
    if isinstance(found["Everywhere"], Refusal):
        return found["Everywhere"]
    param: Mapping[str, Any] = env["Param"]
    return [
        {"accounts": found["Lacking"][name], "regions": [env.get("Region")], "sourceName": name}
        for name in param["sources"]
        if name in found["Lacking"]
    ]


def auto(env: Mapping[str, Json]) -> Json | Refusal:
    """What new accounts are to bring here; AWS merges it with what is set."""
    found = env.get("Auto")
    if not isinstance(found, Mapping):
        return found
    if isinstance(found["Sources"], Refusal):
        return found["Sources"]
    param: Mapping[str, Any] = env["Param"]
    missing = [{"sourceName": name} for name in param["sources"] if name not in found["Sources"]]
    return [{"region": env.get("Region"), "sources": missing}]


DOCUMENTS = {"securitylake_sources": sources, "securitylake_auto": auto}
