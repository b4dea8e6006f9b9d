"""What a configuration recorder means: which resource types it records, how often, and with what changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from postureaudit.evidence import Json

ALL, INCLUDED, NOT_EXCLUDED = (
    "ALL_SUPPORTED_RESOURCE_TYPES",
    "INCLUSION_BY_RESOURCE_TYPES",
    "EXCLUSION_BY_RESOURCE_TYPES",
)
CONTINUOUS, DAILY = "CONTINUOUS", "DAILY"
# The types that the switch includeGlobalResourceTypes stands for (API reference, RecordingGroup).
GLOBAL_TYPES = ("AWS::IAM::Group", "AWS::IAM::Policy", "AWS::IAM::Role", "AWS::IAM::User")
# They cannot be recorded in regions that Config reached after February 2022 (API reference, RecordingGroup;
# developer guide, "Recording AWS Resources", Global resources). The list is derived from that rule.
WITHOUT_GLOBAL_TYPES = frozenset(
    {
        *("ap-east-2", "ap-south-2", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7"),
        *("ca-west-1", "eu-central-2", "eu-south-2", "il-central-1", "me-central-1", "mx-central-1"),
        *("me-west-1", "sa-west-1"),
    }
)

Recorder = Mapping[str, Json]


def strategy(recorder: Recorder) -> str:
    """The recording strategy by AWS's name; "" when the answer says none.

    Recorders older than the strategies have allSupported or resourceTypes only.
    """
    group = recorder.get("recordingGroup") or {}
    named = (group.get("recordingStrategy") or {}).get("useOnly")
    if named:
        return str(named)
    if group.get("allSupported") is True:
        return ALL
    return INCLUDED if group.get("resourceTypes") else ""


def excluded(recorder: Recorder) -> list[str]:
    """The types that the recorder leaves out by name, sorted."""
    group = recorder.get("recordingGroup") or {}
    return sorted((group.get("exclusionByResourceTypes") or {}).get("resourceTypes") or [])


def included(recorder: Recorder) -> list[str]:
    """The types that the recorder lists by name, sorted."""
    return sorted((recorder.get("recordingGroup") or {}).get("resourceTypes") or [])


def frequency(recorder: Recorder) -> str:
    """How often changes are recorded by default. Recorders older than the modes record continuously."""
    return str((recorder.get("recordingMode") or {}).get("recordingFrequency") or CONTINUOUS)


def overridden(recorder: Recorder, wanted: str) -> list[str]:
    """The types for which an override sets this frequency, sorted."""
    overrides = (recorder.get("recordingMode") or {}).get("recordingModeOverrides") or []
    return sorted(
        kind
        for item in overrides
        if item.get("recordingFrequency") == wanted
        for kind in item.get("resourceTypes") or []
    )


def global_types(recorder: Recorder, region: str) -> list[str]:
    """The global IAM types that the recorder records in this region.

    ALL_SUPPORTED leaves them out unless the switch is on; EXCLUSION has them unless they are excluded.
    """
    if region in WITHOUT_GLOBAL_TYPES:
        return []
    match strategy(recorder):
        case "ALL_SUPPORTED_RESOURCE_TYPES":
            on = (recorder.get("recordingGroup") or {}).get("includeGlobalResourceTypes") is True
            return list(GLOBAL_TYPES) if on else []
        case "INCLUSION_BY_RESOURCE_TYPES":
            return [kind for kind in GLOBAL_TYPES if kind in included(recorder)]
        case "EXCLUSION_BY_RESOURCE_TYPES":
            return [kind for kind in GLOBAL_TYPES if kind not in excluded(recorder)]
        case _:
            return []


def known(recorder: Recorder) -> bool:
    """Whether the strategy is one that is known here, or there is no recorder."""
    return not recorder or strategy(recorder) in (ALL, INCLUDED, NOT_EXCLUDED)


def unrecorded(kinds: Iterable[str], recorder: Recorder) -> list[str]:
    """Those of these types that the recorder leaves out, sorted; the global IAM types are left aside."""
    wanted = sorted({*kinds} - {*GLOBAL_TYPES})
    match strategy(recorder):
        case "INCLUSION_BY_RESOURCE_TYPES":
            return [kind for kind in wanted if kind not in included(recorder)]
        case "EXCLUSION_BY_RESOURCE_TYPES":
            return [kind for kind in wanted if kind in excluded(recorder)]
        case _:
            return []


def continuous(recorder: Recorder, kind: str) -> bool:
    """Whether each change of this type is recorded, not one state a day."""
    if kind in overridden(recorder, DAILY):
        return False
    return frequency(recorder) == CONTINUOUS or kind in overridden(recorder, CONTINUOUS)


def writable(recorder: Recorder) -> dict[str, Any]:
    """The recorder as PutConfigurationRecorder takes it: without what AWS sets, and without empty lists."""
    found: dict[str, Any] = {
        name: recorder[name]
        for name in ("name", "roleARN", "recordingGroup", "recordingMode")
        if name in recorder
    }
    group = dict(found.get("recordingGroup") or {})
    if not group.get("resourceTypes"):
        group.pop("resourceTypes", None)
    if not excluded(recorder):
        group.pop("exclusionByResourceTypes", None)
    mode = dict(found.get("recordingMode") or {})
    if not mode.get("recordingModeOverrides"):
        mode.pop("recordingModeOverrides", None)
    return {**found, "recordingGroup": group, **({"recordingMode": mode} if mode else {})}


def new(role: str, *, with_global_types: bool) -> dict[str, Any]:
    """A recorder of everything, continuously."""
    return {
        "name": "default",
        "roleARN": role,
        "recordingGroup": _everything(with_global_types=with_global_types),
        "recordingMode": {"recordingFrequency": CONTINUOUS},
    }


def recording_everything(recorder: Recorder, region: str) -> dict[str, Any]:
    """The recorder with every type recorded; the global IAM types stay as they are."""
    kept = global_types(recorder, region)
    if region in WITHOUT_GLOBAL_TYPES or len(kept) in (0, len(GLOBAL_TYPES)):
        return _grouped(recorder, _everything(with_global_types=bool(kept)))
    return _grouped(recorder, _but(kind for kind in GLOBAL_TYPES if kind not in kept))


def recording_continuously(recorder: Recorder) -> dict[str, Any]:
    """The recorder with every change recorded."""
    return {**writable(recorder), "recordingMode": {"recordingFrequency": CONTINUOUS}}


def with_global_types(recorder: Recorder) -> dict[str, Any]:
    """The recorder with the global IAM types recorded continuously, whatever else it records."""
    match strategy(recorder):
        case "INCLUSION_BY_RESOURCE_TYPES":
            group = _only({*included(recorder), *GLOBAL_TYPES})
        case "EXCLUSION_BY_RESOURCE_TYPES":
            left = [kind for kind in excluded(recorder) if kind not in GLOBAL_TYPES]
            group = _but(left) if left else _everything(with_global_types=True)
        case _:
            group = _everything(with_global_types=True)
    return {**_grouped(recorder, group), **_continuous_global_types(recorder)}


def without_global_types(recorder: Recorder) -> dict[str, Any] | None:
    """The recorder without the global IAM types; None when nothing would be left to record."""
    match strategy(recorder):
        case "INCLUSION_BY_RESOURCE_TYPES":
            left = [kind for kind in included(recorder) if kind not in GLOBAL_TYPES]
            return _grouped(recorder, _only(left)) if left else None
        case "EXCLUSION_BY_RESOURCE_TYPES":
            return _grouped(recorder, _but({*excluded(recorder), *GLOBAL_TYPES}))
        case _:
            return _grouped(recorder, _everything(with_global_types=False))


def _continuous_global_types(recorder: Recorder) -> dict[str, Any]:
    """A recording mode in which the global IAM types are continuous. AWS takes one override at most."""
    if all(continuous(recorder, kind) for kind in GLOBAL_TYPES):
        return {}
    if frequency(recorder) == CONTINUOUS:
        wanted, kinds = DAILY, [kind for kind in overridden(recorder, DAILY) if kind not in GLOBAL_TYPES]
    else:
        wanted, kinds = CONTINUOUS, sorted({*overridden(recorder, CONTINUOUS), *GLOBAL_TYPES})
    override = [{"recordingFrequency": wanted, "resourceTypes": kinds}] if kinds else []
    mode: dict[str, Any] = {"recordingFrequency": frequency(recorder)}
    return {"recordingMode": {**mode, **({"recordingModeOverrides": override} if override else {})}}


def _grouped(recorder: Recorder, group: dict[str, Any]) -> dict[str, Any]:
    return {**writable(recorder), "recordingGroup": group}


def _everything(*, with_global_types: bool) -> dict[str, Any]:
    return {
        "allSupported": True,
        "includeGlobalResourceTypes": with_global_types,
        "recordingStrategy": {"useOnly": ALL},
    }


def _only(kinds: Iterable[str]) -> dict[str, Any]:
    return {
        "allSupported": False,
        "includeGlobalResourceTypes": False,
        "resourceTypes": sorted(kinds),
        "recordingStrategy": {"useOnly": INCLUDED},
    }


def _but(kinds: Iterable[str]) -> dict[str, Any]:
    return {
        "allSupported": False,
        "includeGlobalResourceTypes": False,
        "exclusionByResourceTypes": {"resourceTypes": sorted(kinds)},
        "recordingStrategy": {"useOnly": NOT_EXCLUDED},
    }
