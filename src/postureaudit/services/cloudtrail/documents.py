"""Documents that CloudTrail's fixes carry: what is set now, with what is missing added. They replace, so they merge."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from postureaudit.evidence import Json, Refusal
from postureaudit.resources import malformed
from postureaudit.services.base import Document, Need
from postureaudit.services.cloudtrail import bucket_fixes

_ALL_MANAGEMENT = {
    "Name": "All management events",
    "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}],
}


def management(env: Mapping[str, Json]) -> Json | Refusal:
    """Advanced selectors: all management events, and the data selectors there are."""
    found = _as_advanced(env)
    if isinstance(found, Refusal):
        return found
    return [_ALL_MANAGEMENT, *(item for item in found if _category(item) != "Management")]


def s3_and_lambda(env: Mapping[str, Json]) -> Json | Refusal:
    """Advanced selectors: what there is, and all S3 and Lambda data events but those of the trail's own bucket."""
    found = _as_advanced(env)
    if isinstance(found, Refusal):
        return found
    candidate = env.get("Candidate") or {}
    own = f"arn:{env.get('Partition')}:s3:::{candidate.get('S3BucketName')}/"
    kept = [item for item in found if not _is_all_of(item)]
    if not any(_category(item) == "Management" for item in kept):
        kept.insert(0, _ALL_MANAGEMENT)
    objects = {
        "Name": "All S3 object events but those of the trail's bucket",
        "FieldSelectors": [
            {"Field": "eventCategory", "Equals": ["Data"]},
            {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
            {"Field": "resources.ARN", "NotStartsWith": [own]},
        ],
    }
    functions = {
        "Name": "All Lambda invocations",
        "FieldSelectors": [
            {"Field": "eventCategory", "Equals": ["Data"]},
            {"Field": "resources.type", "Equals": ["AWS::Lambda::Function"]},
        ],
    }
    return [*kept, objects, functions]


def selectors_before(env: Mapping[str, Json]) -> Json | Refusal:
    """PutEventSelectors' whole input with the present selectors, in the format that they have."""
    found, candidate = env.get("Selectors"), env.get("Candidate")
    if isinstance(found, Refusal) or isinstance(candidate, Refusal):
        return found if isinstance(found, Refusal) else candidate
    if not isinstance(found, Mapping) or not isinstance(candidate, Mapping):
        return malformed("cloudtrail:GetEventSelectors", "", "no selectors")
    kind = "AdvancedEventSelectors" if found.get("AdvancedEventSelectors") else "EventSelectors"
    return {"TrailName": candidate["TrailARN"], kind: copy.deepcopy(list(found.get(kind) or []))}


def insights(env: Mapping[str, Json]) -> Json | Refusal:
    """The present Insights, with both kinds on management events added: those on data events stay."""
    found = insights_before(env)
    if isinstance(found, Refusal):
        return found
    kinds = ("ApiCallRateInsight", "ApiErrorRateInsight")
    kept = {str(item.get("InsightType")): item for item in found}
    added = {kind: _with_management(kept.get(kind, {"InsightType": kind})) for kind in kinds}
    return list({**kept, **added}.values())


def insights_before(env: Mapping[str, Json]) -> Json | Refusal:
    """The present Insights."""
    found = env.get("Insights")
    if isinstance(found, Refusal):
        return found
    if not isinstance(found, Mapping):
        return malformed("cloudtrail:GetInsightSelectors", "", "no selectors")
    return copy.deepcopy(list(found.get("InsightSelectors") or []))


def _with_management(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without categories, Insights are on management events (API reference, InsightSelector)."""
    categories = item.get("EventCategories") or ["Management"]
    return item if "Management" in categories else {**item, "EventCategories": ["Management", *categories]}


def _is_all_of(item: Mapping[str, Any]) -> bool:
    fields = {field.get("Field"): field for field in item.get("FieldSelectors") or []}
    return (
        _category(item) == "Data"
        and set(fields) == {"eventCategory", "resources.type"}
        and fields["resources.type"].get("Equals") in (["AWS::S3::Object"], ["AWS::Lambda::Function"])
    )


def _category(item: Mapping[str, Any]) -> str:
    for field in item.get("FieldSelectors") or []:
        if field.get("Field") == "eventCategory":
            return str((field.get("Equals") or [""])[0])
    return ""


def _as_advanced(env: Mapping[str, Json]) -> list[dict[str, Any]] | Refusal:
    """The present selectors in the advanced format; a Refusal where a selector cannot be carried over."""
    found = env.get("Selectors")
    if isinstance(found, Refusal):
        return found
    if not isinstance(found, Mapping):
        return malformed("cloudtrail:GetEventSelectors", "", "no selectors")
    if found.get("AdvancedEventSelectors"):
        return copy.deepcopy(list(found["AdvancedEventSelectors"]))
    advanced: list[dict[str, Any]] = []
    for item in found.get("EventSelectors") or []:
        kinds = {"ReadOnly": ["true"], "WriteOnly": ["false"]}.get(item.get("ReadWriteType", "All"))
        only = [{"Field": "readOnly", "Equals": kinds}] if kinds else []
        if item.get("IncludeManagementEvents", True):
            left_out = item.get("ExcludeManagementEventSources") or []
            sources = [{"Field": "eventSource", "NotEquals": left_out}] if left_out else []
            advanced.append(
                {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}, *only, *sources]}
            )
        for resource in item.get("DataResources") or []:
            advanced.append(_data(resource, only, str(env.get("Partition"))))
    return advanced


def _data(resource: Mapping[str, Any], only: list[dict[str, Any]], partition: str) -> dict[str, Any]:
    kind, values = str(resource.get("Type")), list(resource.get("Values") or [])
    whole = {f"arn:{partition}:s3", f"arn:{partition}:s3:::", f"arn:{partition}:lambda"}
    narrow = [] if whole & set(values) else [{"Field": "resources.ARN", "StartsWith": values}]
    fields = [{"Field": "eventCategory", "Equals": ["Data"]}, {"Field": "resources.type", "Equals": [kind]}]
    return {"FieldSelectors": [*fields, *only, *narrow]}


def block_public(env: Mapping[str, Json]) -> Json | Refusal:
    """All four settings of a public access block."""
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    return dict.fromkeys(names, True)


def bucket_logging(env: Mapping[str, Json]) -> Json | Refusal:
    """Access logging into the bucket that the user names, under the bucket's own prefix."""
    bucket = env.get("Bucket")
    if not isinstance(bucket, Mapping):
        return malformed("cloudtrail:DescribeTrails", "", "no bucket")
    return {
        "LoggingEnabled": {"TargetBucket": Need("ACCESS_LOG_BUCKET"), "TargetPrefix": f"{bucket['Name']}/"}
    }


def bucket_logging_before(env: Mapping[str, Json]) -> Json | Refusal:
    """No access logging, as it is where the check fails."""
    return {}


# The only values that PutRetentionPolicy takes (CloudWatch Logs API reference, retentionInDays).
_RETENTIONS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)


def log_retention(env: Mapping[str, Json]) -> Json | Refusal:
    """The shortest retention that CloudWatch Logs offers and that is long enough; None where none is."""
    wanted = env["Param"]["days"]
    return next((days for days in _RETENTIONS if days >= wanted), None)


DOCUMENTS: Mapping[str, Document] = {
    **bucket_fixes.DOCUMENTS,
    "block_public": block_public,
    "bucket_logging": bucket_logging,
    "bucket_logging.before": bucket_logging_before,
    "management_selectors": management,
    "data_selectors": s3_and_lambda,
    "insight_selectors": insights,
    "insight_selectors.before": insights_before,
    "event_selectors_input.before": selectors_before,
    "log_retention": log_retention,
}
