"""What event selectors mean: which management and data events a trail really records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from postureaudit.evidence import Answer, Json, Outcome, Refusal
from postureaudit.resources import malformed

READ, WRITE = "read", "write"
# The only management event sources that a trail may leave out (CloudTrail user guide, "Excluding AWS KMS
# or Amazon RDS Data API events"). Leaving out any other makes coverage partial.
EXCLUDABLE = ("kms.amazonaws.com", "rdsdata.amazonaws.com")
_KINDS = {"All": {READ, WRITE}, "ReadOnly": {READ}, "WriteOnly": {WRITE}}
_TYPES = {"AWS::S3::Object": "s3", "AWS::Lambda::Function": "lambda"}


class Selected(msgspec.Struct, frozen=True):
    """What one selector records in full: management or a data type, kinds of events, sources left out."""

    category: str  # "management", "s3" or "lambda"
    kinds: frozenset[str]
    excluded: frozenset[str] = frozenset()


DEFAULT = (Selected("management", frozenset({READ, WRITE})),)


def selected(trail: Mapping[str, Json], outcome: Outcome, partition: str) -> tuple[Selected, ...] | Refusal:
    """What a trail records, from GetEventSelectors or, where that is refused, from HasCustomEventSelectors.

    HasCustomEventSelectors=false proves the default: all management events, no data events
    (API reference, Trail). It is how a member judges an organization trail.
    """
    match outcome:
        case Answer(body=body) if body.get("AdvancedEventSelectors"):
            return tuple(_advanced(body["AdvancedEventSelectors"], trail, partition))
        case Answer(body=body) if body.get("EventSelectors"):
            return tuple(_basic(body["EventSelectors"], partition))
    if trail.get("HasCustomEventSelectors") is False:
        return DEFAULT
    if isinstance(outcome, Refusal):
        return outcome
    return malformed("cloudtrail:GetEventSelectors", str(trail.get("HomeRegion", "")), "no selectors")


def records(found: Iterable[Selected], category: str, kind: str, source: str = "") -> bool:
    """Whether one of the selectors records all events of this category and kind (from this source)."""
    return any(
        item.category == category and kind in item.kinds and source not in item.excluded for item in found
    )


def _basic(selectors: Iterable[Json], partition: str) -> Iterable[Selected]:
    for item in selectors:
        kinds = frozenset(_KINDS.get(item.get("ReadWriteType", "All"), set()))
        if item.get("IncludeManagementEvents", True):
            left_out = frozenset(item.get("ExcludeManagementEventSources") or ())
            if left_out <= set(EXCLUDABLE):
                yield Selected("management", kinds, left_out)
        for resource in item.get("DataResources") or []:
            category = _TYPES.get(resource.get("Type", ""))
            if category and set(resource.get("Values") or ()) & _all_of_type(category, partition):
                yield Selected(category, kinds)


def _all_of_type(category: str, partition: str) -> set[str]:
    if category == "s3":
        return {f"arn:{partition}:s3", f"arn:{partition}:s3:", f"arn:{partition}:s3:::"}
    return {f"arn:{partition}:lambda"}


def _advanced(selectors: Iterable[Json], trail: Mapping[str, Json], partition: str) -> Iterable[Selected]:
    for item in selectors:
        given = item.get("FieldSelectors") or []
        fields = {field.get("Field"): field for field in given}
        if len(fields) < len(given):
            continue  # a field named twice narrows twice: not all events, whatever the last one says
        category = _only(fields.pop("eventCategory", {}))
        kinds = _kinds(fields.pop("readOnly", None))
        if category == "Management":
            left_out = _left_out(fields.pop("eventSource", None))
            if left_out is not None and not fields:
                yield Selected("management", kinds, left_out)
        elif category == "Data":
            kind = _TYPES.get(_only(fields.pop("resources.type", {})))
            if kind == "s3" and _leaves_out_own_bucket(fields.get("resources.ARN"), trail, partition):
                fields.pop("resources.ARN")
            if kind and not fields:
                yield Selected(kind, kinds)


def _operators(field: Mapping[str, Json]) -> dict[str, list[str]]:
    return {name: values for name, values in field.items() if name != "Field" and values}


def _only(field: Mapping[str, Json]) -> str:
    """The single value of an Equals condition, or "" for anything else."""
    match _operators(field):
        case {"Equals": [str(value)], **rest} if not rest:
            return value
        case _:
            return ""


def _kinds(field: Mapping[str, Json] | None) -> frozenset[str]:
    if field is None:
        return frozenset({READ, WRITE})
    names = {"true": {READ}, "false": {WRITE}}
    match _operators(field):
        case {"Equals": list(values), **rest} if not rest:
            return frozenset(kind for value in values for kind in names.get(str(value), ()))
        case {"NotEquals": list(values), **rest} if not rest:
            gone = {kind for value in values for kind in names.get(str(value), ())}
            return frozenset({READ, WRITE} - gone)
        case _:
            return frozenset()


def _left_out(field: Mapping[str, Json] | None) -> frozenset[str] | None:
    """The sources that a condition on eventSource leaves out; None when it narrows in another way."""
    if field is None:
        return frozenset()
    match _operators(field):
        case {"NotEquals": list(values), **rest} if not rest and set(values) <= set(EXCLUDABLE):
            return frozenset(values)
        case _:
            return None


def _leaves_out_own_bucket(
    field: Mapping[str, Any] | None, trail: Mapping[str, Json], partition: str
) -> bool:
    """Leaving out the trail's own bucket is right: recording it would log every delivery, without end.

    Without the slash it would leave out every bucket whose name begins like the trail's.
    """
    if field is None:
        return False
    own = f"arn:{partition}:s3:::{trail.get('S3BucketName')}"
    match _operators(field):
        case {"NotStartsWith": list(values), **rest} if not rest:
            return all(value == f"{own}/" for value in values)
        case _:
            return False
