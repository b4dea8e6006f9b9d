"""Documents that Inspector's fixes carry: resource types, the organization's settings, and members."""

from __future__ import annotations

from collections.abc import Mapping

from postureaudit.evidence import Json, Refusal
from postureaudit.services.inspector.account import TYPES

_STANDARD = (
    "EC2",
    "ECR",
    "LAMBDA",
)  # what the console turns on by default; code scanning has a price of its own


def missing_types(env: Mapping[str, Json]) -> Json | Refusal:
    """The standard types that are offered here and off."""
    found = env.get("Scans")
    if not isinstance(found, Mapping):
        return found if isinstance(found, Refusal) else None
    return [name for name in _STANDARD if found[name]["Offered"] and found[name]["On"] is False] or None


def offered_types(env: Mapping[str, Json]) -> Json | Refusal:
    """The standard types that are offered here."""
    found = env.get("Scans")
    if not isinstance(found, Mapping):
        return found if isinstance(found, Refusal) else None
    return [name for name in _STANDARD if found[name]["Offered"]]


def auto_enable(env: Mapping[str, Json]) -> Json | Refusal:
    """The organization's settings, with the wanted types on; those that are not offered are not named."""
    found = env.get("AutoEnable")
    if not isinstance(found, Mapping):
        return found if isinstance(found, Refusal) else None
    wanted = {TYPES[name]: True for name in found["Off"] if name in (env.get("Param") or {}).get("types", [])}
    return {**_given(found["Settings"]), **wanted}


def auto_enable_before(env: Mapping[str, Json]) -> Json | Refusal:
    """The organization's settings as they are."""
    found = env.get("AutoEnable")
    return _given(found["Settings"]) if isinstance(found, Mapping) else found


def _given(settings: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in settings.items() if isinstance(value, bool)}


def members_off(env: Mapping[str, Json]) -> Json | Refusal:
    """The ids of members that are not scanned, as many as one call takes."""
    found = env.get("Membership")
    return (found["Off"] or None) if isinstance(found, Mapping) else found


DOCUMENTS = {
    "inspector_types": missing_types,
    "inspector_offered_types": offered_types,
    "inspector_auto_enable": auto_enable,
    "inspector_auto_enable.before": auto_enable_before,
    "inspector_members_off": members_off,
}
