"""What a trail's bucket needs, as whole documents: writing a policy or a lifecycle replaces what is there."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from postureaudit.evidence import Json, Refusal
from postureaudit.resources import malformed
from postureaudit.services import buckets

_SERVICE = "cloudtrail.amazonaws.com"
_SIDS = ("AWSCloudTrailAclCheck", "AWSCloudTrailWrite")


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The bucket's policy, as a trail's fixes see it. `Document` is the whole of it, {} where there is none.

    `Lacks`: it does not let this trail in (for a trail of one account; an organization's is never said to lack it).
    `Bindable`: each statement that lets CloudTrail write from anywhere is for the folders of accounts that it names,
    so that binding it to the trails of those accounts keeps nobody out who writes there.
    """

    Document: dict[str, Json] | Refusal
    Any: bool | Refusal
    Lacks: bool | Refusal
    Bindable: bool | Refusal


def policy(settings: buckets.Settings, trail: Mapping[str, Json], owner: str, partition: str) -> Policy:
    """A trail's bucket policy, with what may be done about it."""
    found = settings.policy()
    if isinstance(found, Refusal):
        return Policy(Document=found, Any=found, Lacks=found, Bindable=found)
    statements = buckets.many(found.get("Statement"))
    lacks = trail.get("IsOrganizationTrail") is not True and not all(
        any(_admits(item, wanted, str(trail.get("TrailARN")), owner) for item in statements)
        for wanted in _statements(trail, owner, partition)
    )
    loose = [item for item in statements if _is_loose(item)]
    return Policy(
        Document=found,
        Any=bool(found),
        Lacks=lacks,
        Bindable=bool(loose) and all(_accounts(item) and _has_room(item) for item in loose),
    )


def admitting(env: Mapping[str, Json]) -> Json | Refusal:
    """The bucket's policy with the trail let in, and everything else kept."""
    found, trail = env.get("BucketPolicy"), env.get("Trail")
    if isinstance(found, Refusal) or not isinstance(found, Mapping) or not isinstance(trail, Mapping):
        return found if isinstance(found, Refusal) else malformed("s3:GetBucketPolicy", "", "no policy")
    if isinstance(found["Document"], Refusal):
        return found["Document"]
    owner, arn = str(env.get("Owner")), str(trail.get("TrailARN"))
    document = copy.deepcopy(found["Document"]) or {"Version": "2012-10-17"}
    present = buckets.many(document.get("Statement"))
    taken = {item.get("Sid") for item in present if isinstance(item, dict)}
    added = [
        {"Sid": _free(sid, taken), **wanted}
        for sid, wanted in zip(_SIDS, _statements(trail, owner, str(env.get("Partition"))), strict=True)
        if not any(_admits(item, wanted, arn, owner) for item in present)
    ]
    return {**document, "Statement": [*present, *added]}


def bound(env: Mapping[str, Json]) -> Json | Refusal:
    """The bucket's policy with each loose statement bound to the trails of the accounts whose folders it names."""
    found = before(env)
    if isinstance(found, Refusal) or found is None:
        return found
    document = copy.deepcopy(found)
    document["Statement"] = [
        _bind(item, str(env.get("Partition"))) if _is_loose(item) else item
        for item in buckets.many(document.get("Statement"))
    ]
    return document


def before(env: Mapping[str, Json]) -> Json | Refusal:
    """The bucket's policy as it is; None where there is none."""
    found = env.get("BucketPolicy")
    if not isinstance(found, Mapping):
        return found if isinstance(found, Refusal) else None
    return found["Document"] or None


def kept_longer(env: Mapping[str, Json]) -> Json | Refusal:
    """The bucket's lifecycle with what deletes the trail's files too early put off; every other rule as it is.

    A rule that moves objects on a date deletes none: AWS takes no rule with a date for one and days for the other.
    """
    found = env.get("Lifecycle")
    if isinstance(found, Refusal) or not isinstance(found, Mapping):
        return found if isinstance(found, Refusal) else None
    folders, days = tuple(env.get("Folders") or ()), env["Param"]["days"]
    rules = copy.deepcopy(list(found.get("Rules") or []))
    for rule in rules:
        if buckets.covers(rule, folders) and buckets.expires(rule) < days:
            del rule["Expiration"]
            if not any(item.get("Date") for item in rule.get("Transitions") or []):
                rule["Expiration"] = {"Days": days}
    return {"Rules": rules} if rules else None


def lifecycle(env: Mapping[str, Json]) -> Json | Refusal:
    """The bucket's lifecycle as it is."""
    found = env.get("Lifecycle")
    if isinstance(found, Refusal) or not isinstance(found, Mapping):
        return found if isinstance(found, Refusal) else None
    return {"Rules": found["Rules"]} if found.get("Rules") else None


def _statements(
    trail: Mapping[str, Json], owner: str, partition: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What CloudTrail needs (user guide, "Amazon S3 bucket policy for CloudTrail"), for this trail alone."""
    bucket, arn = f"arn:{partition}:s3:::{trail.get('S3BucketName')}", trail.get("TrailARN")
    prefix = str(trail.get("S3KeyPrefix") or "").strip("/")
    folder = f"{prefix}/AWSLogs/{owner}" if prefix else f"AWSLogs/{owner}"
    base = {"Effect": "Allow", "Principal": {"Service": _SERVICE}}
    full = {"s3:x-amz-acl": "bucket-owner-full-control", "aws:SourceArn": arn}
    return (
        {
            **base,
            "Action": "s3:GetBucketAcl",
            "Resource": bucket,
            "Condition": {"StringEquals": {"aws:SourceArn": arn}},
        },
        {
            **base,
            "Action": "s3:PutObject",
            "Resource": f"{bucket}/{folder}/*",
            "Condition": {"StringEquals": full},
        },
    )


def _admits(item: Any, wanted: Mapping[str, Any], arn: str, owner: str) -> bool:
    """Whether a present statement surely allows what the wanted one does; conditions that are not known do not."""
    if not isinstance(item, dict) or item.get("Effect") != "Allow" or "NotAction" in item:
        return False
    principal = item.get("Principal")
    services = buckets.many(principal.get("Service")) if isinstance(principal, dict) else []
    action, resource = wanted["Action"].lower(), wanted["Resource"]
    return (
        _SERVICE in services
        and any(fnmatchcase(action, str(name).lower()) for name in buckets.many(item.get("Action")))
        and any(_pattern(str(name), resource) for name in buckets.many(item.get("Resource")))
        and all(
            _fits(operator, key.lower(), buckets.many(values), arn, owner)
            for operator, keys in (item.get("Condition") or {}).items()
            for key, values in keys.items()
        )
    )


def _pattern(pattern: str, resource: str) -> bool:
    """Whether a Resource covers another one, in which * stands for anything."""
    return fnmatchcase(resource, re.sub(r"\[", "[[]", pattern))


def _fits(operator: str, key: str, values: list[Any], arn: str, owner: str) -> bool:
    given = {
        "s3:x-amz-acl": "bucket-owner-full-control",
        "aws:sourcearn": arn,
        "aws:sourceaccount": owner,
    }.get(key)
    if given is None:
        return False
    match operator.lower():
        case "stringequals":
            return given in values
        case "stringlike" | "arnlike" | "arnequals":
            return any(_pattern(str(value), given) for value in values)
        case _:
            return False


def _is_loose(item: Any) -> bool:
    return isinstance(item, dict) and buckets.lets_write(item, _SERVICE) and not buckets.names_source(item)


def _accounts(item: Mapping[str, Any]) -> list[str]:
    """The accounts whose folders alone a statement is for; [] where one of its resources is wider."""
    found = [
        re.fullmatch(r"arn:[a-z-]+:s3:::[^/*?]+/(?:[^*?]+/)?AWSLogs/([0-9]{12})/[^?]*", str(name))
        for name in buckets.many(item.get("Resource"))
    ]
    accounts = [match[1] for match in found if match]
    return accounts if len(accounts) == len(found) else []


def _has_room(item: Mapping[str, Any]) -> bool:
    """Whether the key can be added: a statement that names it already, if loosely, is its author's to mend."""
    conditions = item.get("Condition") or {}
    return isinstance(conditions, dict) and not any(
        key.lower() == "aws:sourcearn" for keys in conditions.values() for key in keys
    )


def _bind(item: Mapping[str, Any], partition: str) -> dict[str, Any]:
    conditions = dict(item.get("Condition") or {})
    arns = [f"arn:{partition}:cloudtrail:*:{account}:trail/*" for account in dict.fromkeys(_accounts(item))]
    conditions["ArnLike"] = {**(conditions.get("ArnLike") or {}), "aws:SourceArn": arns}
    return {**item, "Condition": conditions}


def _free(sid: str, taken: Iterable[Any]) -> str:
    used = set(taken)
    return next(
        name for number in range(1, 999) if (name := sid + (str(number) if number > 1 else "")) not in used
    )


DOCUMENTS = {
    "trail_bucket_policy": admitting,
    "trail_bucket_policy.before": before,
    "trail_bucket_bound": bound,
    "trail_bucket_kept": kept_longer,
    "trail_bucket_kept.before": lifecycle,
}
