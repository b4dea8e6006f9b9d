"""What to ask about trails: how each is set up and doing, and the bucket, key and log group behind it."""

from __future__ import annotations

from collections.abc import Mapping

from postureaudit.asks import Ask, Collection, Fork, Scope
from postureaudit.evidence import Json
from postureaudit.services import buckets

TRAILS = Ask("cloudtrail:DescribeTrails", includeShadowTrails=True)


def collect(scope: Scope) -> Collection:
    """Ask for the trails seen from here and the event data stores, then follow each one."""
    (trails,) = yield [TRAILS, Fork([_stores(scope)])]
    yield [Fork(_trail(scope, trail) for trail in trails.pick("trailList[]") if trail.get("TrailARN"))]


def _trail(scope: Scope, trail: Mapping[str, Json]) -> Collection:
    arn, home = trail["TrailARN"], home_region(trail)
    yield [
        Ask("cloudtrail:GetTrailStatus", Name=arn),
        Ask("cloudtrail:GetTrailStatus", region=home, Name=arn),
        Ask("cloudtrail:GetEventSelectors", region=home, TrailName=arn),
        Ask("cloudtrail:GetInsightSelectors", region=home, TrailName=arn),
        *key_asks(trail),
        *key_asks(trail, account=scope.archive if key_account(trail) == scope.archive else ""),
        *group_asks(trail),
        Fork([_rotation(scope, trail)]),
        *([Fork([buckets.collect(scope, trail["S3BucketName"], home)])] if trail.get("S3BucketName") else []),
    ]


def _rotation(scope: Scope, trail: Mapping[str, Json]) -> Collection:
    """Whether the trail's key rotates, where it can: only its own account may ask (KMS API reference)."""
    for ask in key_asks(trail):
        (described,) = yield [ask]
        for key in described.pick("KeyMetadata"):
            if rotatable(key) and key.get("AWSAccountId") == scope.account:
                yield [rotation_ask(ask)]


def rotatable(key: Mapping[str, Json]) -> bool:
    """Whether AWS can rotate a key by itself: a customer's, symmetric, with key material that AWS made.

    (KMS developer guide, "Rotate AWS KMS keys".)
    """
    return (key.get("KeyManager"), key.get("Origin"), key.get("KeySpec")) == (
        "CUSTOMER",
        "AWS_KMS",
        "SYMMETRIC_DEFAULT",
    )


def rotation_ask(key: Ask) -> Ask:
    """The question whether a key rotates, from the one that describes it."""
    return Ask("kms:GetKeyRotationStatus", region=key.region, KeyId=key.params["KeyId"])


def _stores(scope: Scope) -> Collection:
    (listed,) = yield [Ask("cloudtrail:ListEventDataStores")]
    yield [
        Ask("cloudtrail:GetEventDataStore", EventDataStore=arn)
        for arn in listed.pick("EventDataStores[].EventDataStoreArn")
    ]


def home_region(trail: Mapping[str, Json]) -> str:
    """A trail's home region: as AWS says, or as its ARN says (arn:aws:cloudtrail:REGION:ACCOUNT:trail/NAME)."""
    return str(trail.get("HomeRegion") or str(trail.get("TrailARN", ":::")).split(":")[3])


def key_account(trail: Mapping[str, Json]) -> str:
    """The account that the ARN of the trail's key names; "" where it is no ARN."""
    parts = str(trail.get("KmsKeyId") or "").split(":")
    return parts[4] if len(parts) > 4 else ""


def key_asks(trail: Mapping[str, Json], *, account: str | None = None) -> list[Ask]:
    """The question about the trail's KMS key, in the key's own region; as another account, or as none for ""."""
    key = trail.get("KmsKeyId")
    if not key or account == "":
        return []
    parts = str(key).split(":")
    region = parts[3] if len(parts) > 3 and parts[3] else home_region(trail)
    return [Ask("kms:DescribeKey", region=region, account=account, KeyId=key)]


def log_group(trail: Mapping[str, Json]) -> tuple[str, str, str]:
    """(name, region, account) of the trail's log group; empty where it has none.

    Its ARN is arn:aws:logs:REGION:ACCOUNT:log-group:NAME:*.
    """
    parts = str(trail.get("CloudWatchLogsLogGroupArn") or "").split(":")
    return (parts[6], parts[3], parts[4]) if len(parts) >= 7 else ("", "", "")


def group_asks(trail: Mapping[str, Json]) -> list[Ask]:
    """The question about the trail's log group, in the group's region."""
    name, region, _ = log_group(trail)
    return [Ask("logs:DescribeLogGroups", region=region, logGroupNamePrefix=name)] if name else []
