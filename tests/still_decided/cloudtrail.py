"""What still decides CloudTrail's checks when a call is refused."""

_SEARCHABLE = ("deletions", "access", "iam-changes")
_STORE = "a multi-region event data store keeps the events, or there is no place for them"
_GROUP = "a log group keeps every region's events"

DECIDED = {
    ("cloudtrail:GetEventSelectors", "cloudtrail.enabled"): "selectors do not change whether a trail logs",
    ("cloudtrail:GetEventSelectors", "cloudtrail.multi-region"): "GetTrailStatus and DescribeTrails",
    ("cloudtrail:GetEventSelectors", "cloudtrail.insights"): "GetInsightSelectors",
    (
        "cloudtrail:GetEventSelectors",
        "cloudtrail.management-events",
    ): "HasCustomEventSelectors=false, or no trail logs",
    ("cloudtrail:GetEventSelectors", "cloudtrail.no-excluded-sources"): "no trail logs management events",
    ("cloudtrail:GetEventSelectors", "cloudtrail.s3-data-events-write"): "a region without a logging trail",
    ("cloudtrail:GetEventSelectors", "cloudtrail.s3-data-events-read"): "a region without a logging trail",
    ("cloudtrail:GetEventSelectors", "cloudtrail.lambda-data-events"): "a region without a logging trail",
    (
        "cloudtrail:GetTrailStatus",
        "*",
    ): "no trail at all (DescribeTrails), or a trail whose settings fail already",
    ("cloudtrail:GetInsightSelectors", "*"): "HasInsightSelectors=false, or facts of the other trail fields",
    ("cloudtrail:GetEventDataStore", "*"): "ListEventDataStores lists none, or other facts",
    ("organizations:DescribeOrganization", "*"): "an organization trail that is seen",
    ("organizations:ListDelegatedAdministrators", "cloudtrail.organization-trail"): "DescribeTrails",
    ("organizations:ListDelegatedServicesForAccount", "cloudtrail.organization-trail"): "DescribeTrails",
    ("s3:ListBuckets", "*"): "HeadBucket says the bucket is there, or not; settings are read by name",
    ("s3:HeadBucket", "*"): "ListBuckets says whose the bucket is; settings are read by name",
    ("s3:GetBucketPolicy", "*"): "GetBucketPolicyStatus, or settings that are not in the policy",
    ("s3:GetBucketPolicyStatus", "*"): "GetBucketPolicy has no open statement, or other settings",
    ("s3:GetBucketAcl", "*"): "a public access block, or other settings",
    ("s3:GetPublicAccessBlock", "*"): "neither policy nor ACL is public, or other settings",
    ("s3control:GetPublicAccessBlock", "*"): "the bucket's own block, or neither policy nor ACL is public",
    ("s3:GetBucketVersioning", "*"): "object lock, or other settings",
    ("s3:GetObjectLockConfiguration", "*"): "versioning with MFA delete, or other settings",
    ("s3:GetBucketLogging", "*"): "other settings of the bucket",
    ("s3:GetBucketLifecycleConfiguration", "*"): "other settings of the bucket",
    ("kms:DescribeKey", "*"): "the trail names no key",
    ("kms:GetKeyRotationStatus", "cloudtrail.kms-key-rotation"): "the key cannot rotate, or is none",
    ("logs:DescribeLogGroups", "*"): "the trail names no log group",
    **{
        (f"cloudtrail:{call}", f"cloudtrail.searchable-{name}"): decides
        for name in _SEARCHABLE
        for call, decides in (
            ("DescribeTrails", _STORE),
            ("GetTrailStatus", _STORE),
            ("GetEventSelectors", f"{_STORE}; or HasCustomEventSelectors=false"),
            ("ListEventDataStores", _GROUP),
            ("GetEventDataStore", f"{_GROUP}; or ListEventDataStores lists none"),
        )
    },
}
