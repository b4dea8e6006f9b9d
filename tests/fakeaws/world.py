"""The state behind the fake: accounts, regions, trails, buckets, keys and log groups, in AWS's spelling."""

from __future__ import annotations

import datetime
import json
import threading
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

ACCOUNT = "111122223333"
ARCHIVE = "999988887777"
REGIONS = (
    *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1"),
    *("eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3"),
    *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2"),
)
ALL_MANAGEMENT = [{"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": []}]
ALL_EVENTS = [
    {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]},
    *(
        {
            "FieldSelectors": [
                {"Field": "eventCategory", "Equals": ["Data"]},
                {"Field": "resources.type", "Equals": [kind]},
            ]
        }
        for kind in ("AWS::S3::Object", "AWS::Lambda::Function")
    ),
]


class Failure(Exception):
    """An error that AWS would answer with."""

    def __init__(self, code: str, message: str = "", status: int = 400) -> None:
        super().__init__(code)
        self.code, self.message, self.status = code, message, status


@dataclass
class Fault:
    """An answer to give instead. The first four are globs; `times` is how often, None for always."""

    service: str = "*"
    operation: str = "*"
    region: str = "*"
    account: str = "*"
    code: str = "AccessDeniedException"
    message: str = "User is not authorized to perform this action"
    status: int = 403
    action: str = "error"  # or "hang", "drop", "garbage"
    times: int | None = None
    after: int = 0  # calls to let through first
    seconds: float = 1.0  # for "hang"

    def fits(self, account: str, region: str, service: str, operation: str) -> bool:
        pairs = (
            (account, self.account),
            (region, self.region),
            (service, self.service),
            (operation, self.operation),
        )
        return all(fnmatchcase(text, glob) for text, glob in pairs)


@dataclass
class World:
    """One organization's worth of state. Seed it with the add_ methods; read `calls` afterwards."""

    account: str = ACCOUNT
    regions: tuple[str, ...] = REGIONS
    not_enabled: tuple[str, ...] = ("af-south-1", "me-south-1")
    trails: dict[str, dict[str, Any]] = field(
        default_factory=dict
    )  # by ARN: body, selectors, insights, status
    buckets: dict[str, dict[str, Any]] = field(default_factory=dict)  # by name
    keys: dict[str, dict[str, Any]] = field(default_factory=dict)  # by ARN
    groups: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)  # (region, name)
    stores: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # by region
    account_block: dict[str, bool] | None = None
    alias: str = ""
    organization: dict[str, Any] | None = None
    members: list[dict[str, Any]] = field(default_factory=list)
    admins: dict[str, list[str]] = field(default_factory=dict)  # service principal: account ids
    faults: list[Fault] = field(default_factory=list)
    page_size: int | None = None
    calls: list[tuple[str, str, str, str]] = field(
        default_factory=list
    )  # account, region, service, operation
    bugs: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add_bucket(
        self, name: str, *, owner: str | None = None, region: str = "us-east-1", **settings: Any
    ) -> str:
        """A bucket with S3 settings by operation: policy=, acl=, block=, versioning=, lock=, logging=, lifecycle=."""
        self.buckets[name] = {"owner": owner or self.account, "region": region, **settings}
        return name

    def add_trail(
        self,
        name: str = "main",
        *,
        home: str = "us-east-1",
        bucket: str = "trail-logs",
        owner: str | None = None,
        multi: bool = True,
        logging: bool = True,
        selectors: list[dict[str, Any]] | None = None,
        insights: tuple[str, ...] = (),
        status: dict[str, Any] | None = None,
        **body: Any,
    ) -> str:
        """A trail; returns its ARN. `selectors` in either format; `status` overrides GetTrailStatus."""
        arn = f"arn:aws:cloudtrail:{home}:{owner or self.account}:trail/{name}"
        now = datetime.datetime.now(datetime.UTC)
        custom = selectors is not None
        self.trails[arn] = {
            "body": {
                "Name": name,
                "S3BucketName": bucket,
                "IncludeGlobalServiceEvents": multi,
                "IsMultiRegionTrail": multi,
                "HomeRegion": home,
                "TrailARN": arn,
                "LogFileValidationEnabled": False,
                "HasCustomEventSelectors": custom,
                "HasInsightSelectors": bool(insights),
                "IsOrganizationTrail": False,
                **body,
            },
            "selectors": ALL_MANAGEMENT if selectors is None else selectors,
            "insights": insights,
            "status": {
                "IsLogging": logging,
                "LatestDeliveryTime": now,
                "LatestDigestDeliveryTime": now,
                "LatestCloudWatchLogsDeliveryTime": now,
                "StartLoggingTime": now - datetime.timedelta(days=30),
                **(status or {}),
            },
        }
        return arn

    def join(self, *, manager: str, ids: tuple[str, ...] = ()) -> None:
        """Make the account part of an organization that `manager` manages."""
        self.organization = {
            "Id": "o-exampleorg1",
            "Arn": f"arn:aws:organizations::{manager}:organization/o-exampleorg1",
            "FeatureSet": "ALL",
            "MasterAccountId": manager,
            "MasterAccountArn": f"arn:aws:organizations::{manager}:account/o-exampleorg1/{manager}",
            "MasterAccountEmail": "root@example.com",
        }
        self.members = [
            {"Id": item, "Name": f"account-{item[-4:]}", "State": "ACTIVE"} for item in (manager, *ids)
        ]


def trail_policy(bucket: str, trail: str, *, bound: bool = True) -> str:
    """A bucket policy that lets CloudTrail write, bound to a trail by aws:SourceArn or not."""
    condition = {"Condition": {"StringEquals": {"AWS:SourceArn": trail}}} if bound else {}
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/AWSLogs/*",
        **condition,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def empty() -> World:
    """An account in which nothing is on."""
    return World()


def well_configured() -> World:
    """An account in which a careful engineer finds no gap: its bucket is in a log archive it may read."""
    world = World(alias="prod")
    world.join(manager=ACCOUNT, ids=(ARCHIVE,))
    world.admins = {"cloudtrail.amazonaws.com": [ARCHIVE]}
    key = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
    world.keys[key] = {"KeyId": key.rpartition("/")[2], "Arn": key, "KeyState": "Enabled"}
    world.groups[("us-east-1", "trail")] = {"logGroupName": "trail", "retentionInDays": 400}
    arn = world.add_trail(
        "org",
        bucket="org-logs",
        selectors=ALL_EVENTS,
        insights=("ApiCallRateInsight", "ApiErrorRateInsight"),
        KmsKeyId=key,
        LogFileValidationEnabled=True,
        IsOrganizationTrail=True,
        CloudWatchLogsLogGroupArn=f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:trail:*",
        CloudWatchLogsRoleArn=f"arn:aws:iam::{ACCOUNT}:role/trail",
    )
    world.add_bucket(
        "org-logs",
        owner=ARCHIVE,
        region="eu-central-1",
        readable=True,
        policy=trail_policy("org-logs", arn),
        block=dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
        ),
        lock=True,
        logging="access-logs",
    )
    return world


def mixed() -> World:
    """Gaps of many kinds: a stopped trail, a narrow one, a public bucket, a missing key, a refused region."""
    world = World(alias="staging")
    world.join(manager=ACCOUNT, ids=(ARCHIVE,))
    world.groups[("us-east-1", "trail")] = {"logGroupName": "trail", "retentionInDays": 30}
    main = world.add_trail(
        "main",
        multi=False,
        IncludeGlobalServiceEvents=True,
        CloudWatchLogsLogGroupArn=f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:trail:*",
        CloudWatchLogsRoleArn=f"arn:aws:iam::{ACCOUNT}:role/trail",
        selectors=[
            {
                "ReadWriteType": "All",
                "IncludeManagementEvents": True,
                "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}],
                "ExcludeManagementEventSources": ["kms.amazonaws.com"],
            }
        ],
    )
    world.add_bucket("trail-logs", policy=trail_policy("trail-logs", main, bound=False), lifecycle=90)
    world.add_trail(
        "writes",
        home="eu-west-1",
        multi=False,
        bucket="writes-logs",
        selectors=[{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}],
    )
    world.add_bucket("writes-logs", region="eu-west-1", acl_public=True)
    world.add_trail("old", home="eu-central-1", multi=False, bucket="deleted-long-ago", logging=False)
    gone = f"arn:aws:kms:ap-south-1:{ACCOUNT}:key/aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
    world.keys[gone] = {"KeyId": gone.rpartition("/")[2], "Arn": gone, "KeyState": "PendingDeletion"}
    world.add_trail(
        "mumbai",
        home="ap-south-1",
        multi=False,
        bucket="trail-logs",
        KmsKeyId=gone,
        LogFileValidationEnabled=True,
        status={"LatestDeliveryError": "KMS.DisabledException"},
    )
    world.stores["us-west-2"] = [
        {
            "EventDataStoreArn": f"arn:aws:cloudtrail:us-west-2:{ACCOUNT}:eventdatastore/s1",
            "Status": "ENABLED",
        }
    ]
    world.faults.append(
        Fault(
            region="sa-east-1",
            message="User is not authorized to perform this action with an explicit deny in a service control policy",
        )
    )
    return world


SCENARIOS = {"empty": empty, "well_configured": well_configured, "mixed": mixed}
