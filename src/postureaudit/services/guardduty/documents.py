"""Documents that GuardDuty's fixes carry: what is set now with what is missing added, or what the user names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from postureaudit.evidence import Json, Refusal
from postureaudit.services.base import Need
from postureaudit.services.guardduty.filters import bounded

_AGENTS = {
    "EKS_ADDON_MANAGEMENT": "HasClusters",
    "ECS_FARGATE_AGENT_MANAGEMENT": "HasTasks",
    "EC2_AGENT_MANAGEMENT": "HasInstances",
}


def runtime(env: Mapping[str, Json]) -> Json | Refusal:
    """Runtime Monitoring with the agents of what runs here. UpdateDetector leaves the other features as they are."""
    agents = [
        {"Name": name, "Status": "ENABLED"} for name, facet in _AGENTS.items() if env.get(facet) is True
    ]
    return [{"Name": "RUNTIME_MONITORING", "Status": "ENABLED", "AdditionalConfiguration": agents}]


def destination(env: Mapping[str, Json]) -> Json | Refusal:
    """The bucket and the key that the user names."""
    return {
        "DestinationArn": Need("FINDINGS_BUCKET", prefix=f"arn:{env.get('Partition')}:s3:::"),
        "KmsKeyArn": Need("KMS_KEY_ARN"),
    }


def protected_bucket(env: Mapping[str, Json]) -> Json | Refusal:
    """The bucket whose uploads are to be scanned."""
    return {"S3Bucket": {"BucketName": Need("PROTECTED_BUCKET")}}


def filter_bounded(env: Mapping[str, Json]) -> Json | Refusal:
    """The criteria of the filter that hides most, below the severity that must stay visible."""
    found = env.get("Suppression")
    if not isinstance(found, Mapping):
        return found if isinstance(found, Refusal) else None
    return bounded(found["Criteria"], float(env["Param"]["severity"]))


def filter_before(env: Mapping[str, Json]) -> Json | Refusal:
    """The criteria of that filter as they are."""
    found = env.get("Suppression")
    return found["Criteria"] if isinstance(found, Mapping) else found


def organization_before(env: Mapping[str, Json]) -> Json | Refusal:
    """The organization's features as they are: what an update does not name may be lost."""
    found = env.get("AutoEnable")
    if not isinstance(found, Mapping):
        return found if isinstance(found, Refusal) else None
    return [_given(item) for item in _without_legacy(found["Features"])]


def organization_features(env: Mapping[str, Json]) -> Json | Refusal:
    """The same features, and those that the check asks for on: for all accounts, or new ones, as members are."""
    found, membership = env.get("AutoEnable"), env.get("Membership")
    if not isinstance(found, Mapping) or not isinstance(membership, Mapping):
        return found if isinstance(found, Refusal) else None
    wanted = set(env["Param"]["plans"]) & set(found["Off"])
    value = membership["Target"]
    return [
        {**_given(item), "AutoEnable": value} if item.get("Name") in wanted else _given(item)
        for item in _without_legacy(found["Features"])
    ]


def _without_legacy(features: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """UpdateOrganizationConfiguration refuses EKS_RUNTIME_MONITORING beside RUNTIME_MONITORING."""
    names = {item.get("Name") for item in features}
    legacy = "EKS_RUNTIME_MONITORING" if "RUNTIME_MONITORING" in names else None
    return [item for item in features if item.get("Name") != legacy]


def _given(item: Mapping[str, Any]) -> dict[str, Any]:
    """A feature of the answer as the update takes it."""
    extras = [
        {key: extra[key] for key in ("Name", "AutoEnable") if key in extra}
        for extra in item.get("AdditionalConfiguration") or []
    ]
    own = {key: item[key] for key in ("Name", "AutoEnable") if key in item}
    return {**own, "AdditionalConfiguration": extras} if extras else own


DOCUMENTS = {
    "guardduty_runtime": runtime,
    "guardduty_destination": destination,
    "guardduty_protected_bucket": protected_bucket,
    "guardduty_filter": filter_bounded,
    "guardduty_filter.before": filter_before,
    "guardduty_organization_features": organization_features,
    "guardduty_organization_features.before": organization_before,
}
