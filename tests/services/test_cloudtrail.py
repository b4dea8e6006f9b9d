"""CloudTrail judged by meaning: selectors, stopped trails, members, and whose bucket it is."""

from __future__ import annotations

import datetime
import json
from typing import Any

import msgspec
import pytest

from postureaudit import catalog, evaluate, fixes
from postureaudit.evidence import Answer, Evidence, Refusal, RefusalKind
from postureaudit.findings import Finding, Fix, Verdict
from postureaudit.resources import Resource
from postureaudit.services.cloudtrail.documents import DOCUMENTS
from postureaudit.services.cloudtrail.selectors import READ, WRITE, records, selected
from tests.conftest import Collect, Mend, judge
from tests.fakeaws import Fault, World
from tests.fakeaws.scenarios import mixed
from tests.fakeaws.world import ACCOUNT, ARCHIVE, Region, trail_policy

KMS, RDS = "kms.amazonaws.com", "rdsdata.amazonaws.com"


def basic(kind: str = "All", management: bool = True, **more: Any) -> dict[str, Any]:
    return {"ReadWriteType": kind, "IncludeManagementEvents": management, **more}


def advanced(category: str = "Management", **fields: dict[str, list[str]]) -> dict[str, Any]:
    """An advanced selector; field names with a dot are written with two underscores."""
    rest = [{"Field": name.replace("__", "."), **operators} for name, operators in fields.items()]
    return {"FieldSelectors": [{"Field": "eventCategory", "Equals": [category]}, *rest]}


S3 = {"resources__type": {"Equals": ["AWS::S3::Object"]}}


@pytest.mark.parametrize(
    ("selectors", "reads", "writes"),
    [
        pytest.param([basic()], True, True, id="basic all"),
        pytest.param([basic("ReadOnly")], True, False, id="basic read-only"),
        pytest.param([basic("ReadOnly"), basic("WriteOnly")], True, True, id="basic split in one trail"),
        pytest.param([basic(management=False)], False, False, id="basic data only"),
        pytest.param(
            [basic(ExcludeManagementEventSources=[KMS])], True, True, id="an exclusion is another check"
        ),
        pytest.param([advanced()], True, True, id="advanced all"),
        pytest.param([advanced(readOnly={"Equals": ["true"]})], True, False, id="advanced reads"),
        pytest.param([advanced(readOnly={"NotEquals": ["true"]})], False, True, id="advanced not reads"),
        pytest.param([advanced("Data", **S3)], False, False, id="advanced data only"),
        pytest.param(
            [advanced(eventName={"Equals": ["StopLogging"]})], False, False, id="narrowed by event name"
        ),
        pytest.param([advanced(eventSource={"Equals": [KMS]})], False, False, id="narrowed to one source"),
        pytest.param(
            [advanced(eventSource={"NotEquals": ["ec2.amazonaws.com"]})], False, False, id="leaves out EC2"
        ),
        pytest.param(
            [
                {
                    "FieldSelectors": [
                        {"Field": "eventCategory", "Equals": ["Management"]},
                        {"Field": "eventSource", "NotEquals": ["ec2.amazonaws.com"]},
                        {"Field": "eventSource", "NotEquals": [KMS]},
                    ]
                }
            ],
            False,
            False,
            id="one field twice",
        ),
        pytest.param(
            [advanced(**{"userIdentity.arn": {"NotEquals": ["x"]}})], False, False, id="leaves out a user"
        ),
    ],
)
def test_management_selectors(selectors: list[dict[str, Any]], reads: bool, writes: bool) -> None:
    """What a selector list records of management events, in full or not at all."""
    key = "AdvancedEventSelectors" if "FieldSelectors" in selectors[0] else "EventSelectors"

    found = selected({"S3BucketName": "b"}, Answer({key: selectors}), "aws")

    assert not isinstance(found, Refusal)
    assert records(found, "management", READ) is reads
    assert records(found, "management", WRITE) is writes


@pytest.mark.parametrize(
    ("selectors", "covered"),
    [
        ([basic(DataResources=[{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}])], True),
        ([basic(DataResources=[{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::"]}])], True),
        ([basic(DataResources=[{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::one/"]}])], False),
        ([advanced("Data", **S3)], True),
        ([advanced("Data", **S3, resources__ARN={"StartsWith": ["arn:aws:s3:::one/"]})], False),
        ([advanced("Data", **S3, resources__ARN={"NotStartsWith": ["arn:aws:s3:::own/"]})], True),
        ([advanced("Data", **S3, resources__ARN={"NotStartsWith": ["arn:aws:s3:::other/"]})], False),
        ([advanced("Data", **S3, resources__ARN={"NotStartsWith": ["arn:aws:s3:::own"]})], False),
        ([advanced("Data", **S3, eventName={"Equals": ["GetObject"]})], False),
    ],
)
def test_s3_data_selectors(selectors: list[dict[str, Any]], covered: bool) -> None:
    """All buckets means all: only the trail's own bucket may be left out."""
    key = "AdvancedEventSelectors" if "FieldSelectors" in selectors[0] else "EventSelectors"

    found = selected({"S3BucketName": "own"}, Answer({key: selectors}), "aws")

    assert not isinstance(found, Refusal)
    assert records(found, "s3", WRITE) is covered


def test_default_selectors_are_proven_without_reading_them() -> None:
    """A member judges an organization trail by HasCustomEventSelectors; otherwise the refusal stands."""
    refused = Refusal(RefusalKind.DENIED)

    default = selected({"HasCustomEventSelectors": False}, refused, "aws")

    assert not isinstance(default, Refusal) and records(default, "management", READ)
    assert selected({"HasCustomEventSelectors": True}, refused, "aws") == refused


def home(world: World, name: str = "us-east-1") -> Region:
    """A region of the world's account."""
    return world.account().region(name)


def verdicts(finding: Finding) -> dict[str | None, str]:
    return {place.region: place.verdict.value for place in finding.places}


def test_reads_and_writes_split_over_two_trails_cover_together(collect: Collect) -> None:
    """Half from one trail and half from another are whole; half alone is a gap."""
    world = World()
    home(world).add_trail("reads", selectors=[basic("ReadOnly")])
    home(world, "eu-west-1").add_trail("writes", multi=False, selectors=[basic("WriteOnly")])

    found = verdicts(judge(collect(world))["cloudtrail.management-events"])

    assert found.pop("eu-west-1") == "pass"
    assert set(found.values()) == {"fail"}


def test_source_left_out_by_one_trail_is_covered_by_another(collect: Collect) -> None:
    """Exclusions count only when every logging trail leaves the source out."""
    world = World()
    home(world).add_trail("one", selectors=[basic(ExcludeManagementEventSources=[KMS])])
    alone = judge(collect(world))["cloudtrail.no-excluded-sources"]
    home(world).add_trail("two", selectors=[advanced(eventSource={"NotEquals": [RDS]})])
    together = judge(collect(world))["cloudtrail.no-excluded-sources"]

    assert (alone.verdict, together.verdict) == (Verdict.FAIL, Verdict.PASS)


def test_fix_changes_the_trail_that_records_the_region(mend: Mend, collect: Collect) -> None:
    """With a trail of its own in each region, a region's gap is closed in the trail that logs there."""
    world = World()
    world.account(regions=("us-east-1", "eu-west-1"))
    world.add_bucket("trail-logs")
    home(world).add_trail("first", multi=False)
    world.account().region("eu-west-1").add_trail("second", multi=False, selectors=[basic("WriteOnly")])
    stopped = world.account().region("us-east-1").add_trail("stopped", logging=False)

    place = next(
        item
        for item in judge(collect(world))["cloudtrail.management-events"].places
        if item.region == "eu-west-1"
    )

    assert place.fix and place.fix.argv and stopped not in place.fix.argv[0]
    assert "second" in place.fix.argv[0][4]
    assert mend(world, "cloudtrail.management-events")["cloudtrail.management-events"].verdict is Verdict.PASS


def test_stopped_trail_covers_nothing(collect: Collect) -> None:
    """A trail that does not log is no trail; the fix starts it at home."""
    world = World()
    arn = home(world, "eu-west-1").add_trail("main", logging=False)

    finding = judge(collect(world))["cloudtrail.enabled"]

    assert set(verdicts(finding).values()) == {"fail"}
    assert finding.places[0].fix and finding.places[0].fix.argv == (
        ("aws", "cloudtrail", "start-logging", "--name", arn, "--region", "eu-west-1"),
    )


def test_multi_region_trail_covers_a_region_that_refused(collect: Collect) -> None:
    """A logging multi-region trail seen elsewhere covers it; a single-region trail leaves it unknown."""
    fault = Fault(region="sa-east-1")
    one, two = World(faults=[fault]), World(faults=[fault])
    home(one).add_trail("all")
    home(two).add_trail("home", multi=False)

    covered, unknown = (verdicts(judge(collect(world))["cloudtrail.enabled"]) for world in (one, two))

    assert covered["sa-east-1"] == "pass"
    assert unknown["sa-east-1"] == "unknown"


def test_delivery_that_fails_in_one_region_is_a_gap(collect: Collect) -> None:
    """A multi-region trail delivers from each region on its own: its home may be well while another is not."""
    world = World()
    world.add_bucket("trail-logs")
    home(world).add_trail(status_in={"eu-west-1": {"LatestDeliveryError": "AccessDenied"}})

    found = judge(collect(world))["cloudtrail.delivery-healthy"]

    assert found.verdict is Verdict.FAIL
    assert "AccessDenied in eu-west-1" in found.places[0].reason


def test_delivery_in_a_region_that_refused_is_unknown(collect: Collect) -> None:
    """A region that does not tell how the trail is doing may hide an error; one that is known stays a gap."""
    fault = Fault(
        service="cloudtrail", operation="GetTrailStatus", region="sa-east-1", code="AccessDeniedException"
    )
    world = World(faults=[fault])
    world.add_bucket("trail-logs")
    home(world).add_trail()
    assert judge(collect(world))["cloudtrail.delivery-healthy"].verdict is Verdict.UNKNOWN

    home(world).cloudtrail["trails"]["main"]["Status"]["LatestDeliveryError"] = "NoSuchBucket"

    assert judge(collect(world))["cloudtrail.delivery-healthy"].verdict is Verdict.FAIL


def test_trail_stopped_in_one_region_only(collect: Collect) -> None:
    """GetTrailStatus answers for one region: where it says no, the region is not covered."""
    world = World()
    home(world).add_trail("all", status_in={"eu-west-3": {"IsLogging": False}})

    found = verdicts(judge(collect(world))["cloudtrail.enabled"])

    assert found.pop("eu-west-3") == "fail"
    assert set(found.values()) == {"pass"}


def test_member_of_an_organization(collect: Collect) -> None:
    """A member that sees the organization's trail is covered by it; its settings are its owner's to mend."""
    world = World()
    world.organize(ARCHIVE, (ACCOUNT,))
    world.account(ARCHIVE).region("us-east-1").add_trail("org", bucket="org-logs", IsOrganizationTrail=True)
    world.add_bucket("org-logs", owner=ARCHIVE)

    found = judge(collect(world))

    assert found["cloudtrail.enabled"].verdict is Verdict.PASS
    assert found["cloudtrail.management-events"].verdict is Verdict.PASS
    assert found["cloudtrail.organization-trail"].verdict is Verdict.PASS
    assert found["cloudtrail.delegated-admin"].verdict is Verdict.NOT_APPLICABLE
    [place] = found["cloudtrail.log-validation"].places
    assert (place.owner, place.fix and place.fix.account) == (ARCHIVE, ARCHIVE)
    [place] = found["cloudtrail.bucket-separate-account"].places
    assert place.verdict is Verdict.NOT_APPLICABLE and f"look in account {ARCHIVE}" in place.reason


LOCK = {
    "ObjectLockEnabled": "Enabled",
    "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 365}},
}
LISTING = Fault(service="s3", operation="ListBuckets", code="AccessDenied")
GONE = Fault(service="s3", operation="GetBucket*", code="NoSuchBucket", status=404)
OPEN = {"policy": '{"Statement":[]}', "public": True}


def acl(group: str) -> list[dict[str, Any]]:
    """An ACL that lets a group of everybody read."""
    uri = f"http://acs.amazonaws.com/groups/global/{group}"
    return [{"Grantee": {"Type": "Group", "URI": uri}, "Permission": "READ"}]


BLOCK = dict.fromkeys(
    ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
)


@pytest.mark.parametrize(
    ("bucket", "faults", "check", "verdict"),
    [
        pytest.param({}, [], "bucket-separate-account", "fail", id="same account"),
        pytest.param({"owner": ARCHIVE}, [], "bucket-separate-account", "pass", id="another account"),
        pytest.param(
            {"owner": ARCHIVE}, [LISTING], "bucket-separate-account", "unknown", id="no listing and 403"
        ),
        pytest.param({}, [LISTING], "bucket-separate-account", "fail", id="no listing, ours by HeadBucket"),
        pytest.param(None, [], "bucket-exists", "fail", id="missing"),
        pytest.param(None, [LISTING], "bucket-exists", "fail", id="missing, no listing"),
        pytest.param({"owner": ARCHIVE}, [LISTING], "bucket-exists", "unknown", id="forbidden, no listing"),
        pytest.param(None, [], "bucket-separate-account", "not_applicable", id="missing is another check"),
        pytest.param({}, [], "bucket-not-public", "pass", id="private"),
        pytest.param(OPEN, [], "bucket-not-public", "fail", id="public by policy"),
        pytest.param({**OPEN, "block": BLOCK}, [], "bucket-not-public", "pass", id="saved by its block"),
        pytest.param({"acl": acl("AllUsers")}, [], "bucket-not-public", "fail", id="AllUsers"),
        pytest.param(
            {"acl": acl("AuthenticatedUsers")}, [], "bucket-not-public", "fail", id="AuthenticatedUsers"
        ),
        pytest.param(
            OPEN,
            [Fault(service="s3", operation="GetPublicAccessBlock")],
            "bucket-not-public",
            "unknown",
            id="block?",
        ),
        pytest.param({"owner": ARCHIVE}, [], "bucket-not-public", "unknown", id="foreign bucket"),
        pytest.param(
            {"region": "ap-south-1", "lock": LOCK}, [], "bucket-tamper-proof", "pass", id="another region"
        ),
        pytest.param({"versioning": "Enabled"}, [], "bucket-tamper-proof", "fail", id="versions alone"),
        pytest.param(
            {"lock": {"ObjectLockEnabled": "Enabled"}}, [], "bucket-tamper-proof", "fail", id="locks nothing"
        ),
        pytest.param({}, [GONE], "bucket-not-public", "unknown", id="gone before its policy was read"),
        pytest.param({}, [GONE], "bucket-retention", "unknown", id="gone before its lifecycle was read"),
        pytest.param({"lifecycle": 30}, [], "bucket-retention", "fail", id="deleted after 30 days"),
    ],
)
def test_bucket(
    collect: Collect, bucket: dict[str, Any] | None, faults: list[Fault], check: str, verdict: str
) -> None:
    """Whose the bucket is and how it is set up, and what a refused answer leaves open."""
    world = World(faults=list(faults))
    home(world).add_trail("main", bucket="logs")
    if bucket is not None:
        world.add_bucket("logs", **bucket)

    assert judge(collect(world))[f"cloudtrail.{check}"].verdict == verdict


def test_account_block_saves_a_public_bucket(collect: Collect) -> None:
    """The account's public access block counts as the bucket's own does."""
    world = World()
    world.account().block = BLOCK
    home(world).add_trail("main", bucket="logs")
    world.add_bucket("logs", **OPEN)

    assert judge(collect(world))["cloudtrail.bucket-not-public"].verdict is Verdict.PASS


def test_account_block_says_nothing_of_a_foreign_bucket(collect: Collect) -> None:
    """Our account's block does not reach a bucket in the log archive account: its policy stays unknown."""
    world = World()
    world.account().block = BLOCK
    home(world).add_trail("main", bucket="logs")
    world.add_bucket("logs", owner=ARCHIVE)

    assert judge(collect(world))["cloudtrail.bucket-not-public"].verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("bound", [True, False])
def test_bucket_policy_names_the_trail(collect: Collect, bound: bool) -> None:
    """The policy binds CloudTrail by aws:SourceArn, in any case of letters."""
    world = World()
    arn = home(world).add_trail("main", bucket="logs")
    world.add_bucket("logs", policy=trail_policy("logs", arn, bound=bound))

    found = judge(collect(world))["cloudtrail.bucket-source-restricted"]

    assert found.verdict is (Verdict.PASS if bound else Verdict.FAIL)


@pytest.mark.parametrize(
    ("source", "action", "verdict"),
    [
        ("arn:aws:cloudtrail:us-east-1:111122223333:trail/main", "s3:PutObject", Verdict.PASS),
        ("arn:aws:cloudtrail:*:111122223333:trail/*", "s3:PutObject", Verdict.PASS),
        ("arn:aws:cloudtrail:*:*:trail/*", "s3:PutObject", Verdict.FAIL),
        ("arn:aws:cloudtrail:us-east-1:*", "s3:PutObject", Verdict.FAIL),
        ("arn:aws:cloudtrail:*", "s3:Put*", Verdict.FAIL),
    ],
)
def test_source_that_names_no_account_binds_nothing(
    collect: Collect, source: str, action: str, verdict: Verdict
) -> None:
    """A pattern that leaves the account open lets a stranger's trail write."""
    world = World()
    home(world).add_trail("main", bucket="logs")
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": action,
        "Resource": "arn:aws:s3:::logs/*",
        "Condition": {"ArnLike": {"aws:SourceArn": source}},
    }
    world.add_bucket("logs", policy=json.dumps({"Statement": [statement]}))

    assert judge(collect(world))["cloudtrail.bucket-source-restricted"].verdict is verdict


@pytest.mark.parametrize("action", ["s3:P*", "s3:?utObject", "s3:*Object"])
def test_any_pattern_that_lets_the_service_write_counts(collect: Collect, action: str) -> None:
    """A bound statement beside an open one, however its action is spelt, does not bind."""
    world = World()
    arn = home(world).add_trail("main", bucket="logs")
    bound = json.loads(trail_policy("logs", arn))
    loose = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": action}
    bound["Statement"].append({**loose, "Resource": "arn:aws:s3:::logs/*"})
    world.add_bucket("logs", policy=json.dumps(bound))

    assert judge(collect(world))["cloudtrail.bucket-source-restricted"].verdict is Verdict.FAIL


def test_region_that_does_not_list_the_trail_is_not_covered(collect: Collect) -> None:
    """Where AWS lists no trail, a multi-region trail seen elsewhere does not record (a region just enabled)."""
    world = World()
    home(world).add_trail("all")
    evidence = collect(world)
    records = [
        msgspec.structs.replace(record, outcome=Answer({"trailList": []}))
        if (record.call, record.region) == ("cloudtrail:DescribeTrails", "eu-west-1")
        else record
        for record in evidence
        if (record.call, record.region) != ("cloudtrail:GetTrailStatus", "eu-west-1")
    ]

    found = verdicts(judge(Evidence(evidence.header, records))["cloudtrail.enabled"])

    assert found.pop("eu-west-1") == "fail"
    assert set(found.values()) == {"pass"}


def ago(**when: float) -> str:
    """A moment before now, as evidence keeps it."""
    moment = datetime.datetime.now(datetime.UTC) - datetime.timedelta(**when)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    ("status", "check", "verdict"),
    [
        pytest.param(
            {"StartLoggingTime": ago(days=90)}, "delivery-healthy", "fail", id="never delivered in 90 days"
        ),
        pytest.param({"StartLoggingTime": ago(hours=1)}, "delivery-healthy", "unknown", id="just started"),
        pytest.param(
            {"StartLoggingTime": ago(hours=1), "LatestDeliveryTime": ago(days=30)},
            "delivery-healthy",
            "unknown",
            id="just started again",
        ),
        pytest.param(
            {"StartLoggingTime": ago(days=90), "LatestDeliveryTime": ago(days=30)},
            "delivery-healthy",
            "fail",
            id="stopped delivering",
        ),
        pytest.param(
            {"StartLoggingTime": ago(days=90)}, "digest-healthy", "unknown", id="validation just turned on"
        ),
        pytest.param(
            {"StartLoggingTime": ago(days=90)}, "cloudwatch-logs", "unknown", id="log group just named"
        ),
        pytest.param(
            {"StartLoggingTime": ago(days=90), "LatestDigestDeliveryTime": ago(days=3)},
            "digest-healthy",
            "fail",
            id="digests stopped",
        ),
    ],
)
def test_delivery_is_judged_from_when_it_could_begin(
    collect: Collect, status: dict[str, str], check: str, verdict: str
) -> None:
    """A trail, digest or log group that was turned on a moment ago has had no time to deliver."""
    world = World()
    home(world).add_log_group("trail", 400)
    home(world).add_trail(
        "main",
        LogFileValidationEnabled=True,
        CloudWatchLogsLogGroupArn=f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:trail:*",
    )
    evidence = collect(world)
    records = [
        msgspec.structs.replace(record, outcome=Answer({"IsLogging": True, **status}))
        if record.call == "cloudtrail:GetTrailStatus"
        else record
        for record in evidence
    ]

    assert judge(Evidence(evidence.header, records))[f"cloudtrail.{check}"].verdict == verdict


@pytest.mark.parametrize(
    ("rule_prefix", "more", "verdict"),
    [
        ("", {}, "fail"),
        ("AWSLogs/", {}, "fail"),
        (f"AWSLogs/{ACCOUNT}/Cloud", {}, "fail"),
        (f"AWSLogs/{ACCOUNT}/CloudTrail-Digest/", {}, "fail"),
        (f"AWSLogs/{ACCOUNT}/vpcflowlogs/", {}, "pass"),
        (f"AWSLogs/{ARCHIVE}/CloudTrail/", {}, "pass"),
        ("AWSLogs/", {"S3KeyPrefix": "trail"}, "pass"),
        ("trail/AWSLogs/", {"S3KeyPrefix": "trail"}, "fail"),
        (f"AWSLogs/o-abc/{ARCHIVE}/CloudTrail/", {"IsOrganizationTrail": True}, "fail"),
        (f"AWSLogs/o-abc/{ARCHIVE}/Config/", {"IsOrganizationTrail": True}, "pass"),
    ],
)
def test_lifecycle_rule_counts_where_the_trail_writes(
    collect: Collect, rule_prefix: str, more: dict[str, Any], verdict: str
) -> None:
    """A rule on other services' or other accounts' folders of a shared bucket deletes none of the trail's files."""
    world = World()
    home(world).add_trail("main", bucket="logs", **more)
    rule = {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": rule_prefix}, "Expiration": {"Days": 30}}
    world.add_bucket("logs", lifecycle=[rule])

    assert judge(collect(world))["cloudtrail.bucket-retention"].verdict == verdict


def test_insights_on_data_events_alone_are_not_insights_on_management_events(collect: Collect) -> None:
    """Since 2025 Insights is on by category; the check and its fix are about management events."""
    world = World()
    home(world).add_trail("main", insights=("ApiCallRateInsight", "ApiErrorRateInsight"))
    evidence = collect(world)

    def verdict(categories: list[str]) -> Verdict:
        selectors = [
            {"InsightType": kind, "EventCategories": categories}
            for kind in ("ApiCallRateInsight", "ApiErrorRateInsight")
        ]
        records = [
            msgspec.structs.replace(record, outcome=Answer({"InsightSelectors": selectors}))
            if record.call == "cloudtrail:GetInsightSelectors"
            else record
            for record in evidence
        ]
        return judge(Evidence(evidence.header, records))["cloudtrail.insights"].verdict

    assert (verdict(["Data"]), verdict(["Management", "Data"])) == (Verdict.FAIL, Verdict.PASS)


def test_retention_by_account_policy_is_not_for_ever(collect: Collect) -> None:
    """A log group without days of its own under an account's retention policy: how long is not known."""
    world = World()
    home(world).add_log_group("trail", retentionPolicyName="short")
    home(world).add_trail(
        "main", CloudWatchLogsLogGroupArn=f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:trail:*"
    )

    assert judge(collect(world))["cloudtrail.log-group-retention"].verdict is Verdict.UNKNOWN


def test_store_that_stops_ingesting_is_still_there(collect: Collect) -> None:
    """An event data store keeps its events until it waits for its deletion."""
    world = World()
    home(world).add_store(Status="STOPPING_INGESTION")

    assert judge(collect(world))["cloudtrail.lake-kms"].verdict is Verdict.FAIL


NEEDS = {
    "LOG_BUCKET": "archive-logs",
    "KMS_KEY_ARN": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/k",
    "LOG_GROUP_ARN": f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:new:*",
    "LOG_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/trail",
}
MENDED = (
    "enabled multi-region management-events no-excluded-sources log-validation s3-data-events-write "
    "s3-data-events-read lambda-data-events insights log-group-retention bucket-separate-account kms-encryption"
)


def two_gaps() -> World:
    """One stopped trail with narrow selectors, in a bucket of its own account."""
    world = World()
    home(world).add_log_group("trail", 30)
    home(world).add_trail(
        "main",
        multi=False,
        logging=False,
        bucket="own-logs",
        CloudWatchLogsLogGroupArn=f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:trail:*",
        selectors=[basic("WriteOnly", ExcludeManagementEventSources=[KMS])],
    )
    world.add_bucket("own-logs")
    home(world).add_key("k")
    world.add_bucket("archive-logs", owner=ARCHIVE, policy=trail_policy("archive-logs", "", bound=False))
    return world


def nothing_but_a_bucket() -> World:
    """An empty account, and a log archive's bucket."""
    world = World()
    home(world).add_key("k")
    world.add_bucket("archive-logs", owner=ARCHIVE, policy=trail_policy("archive-logs", "", bound=False))
    return world


@pytest.mark.parametrize("world", [nothing_but_a_bucket(), two_gaps()])
def test_printed_fixes_close_the_gaps(mend: Mend, world: World) -> None:
    """Each printed command, run by the real AWS CLI until nothing is left to run, closes its gap."""
    found = mend(world, *(f"cloudtrail.{name}" for name in MENDED.split()), needs=NEEDS)

    assert {name for name, item in found.items() if item.verdict is Verdict.FAIL} == set()


def test_data_event_fix_keeps_management_events_and_leaves_out_its_own_bucket(collect: Collect) -> None:
    """Replacing the selectors must not end management logging, nor log the log bucket without end."""
    finding = judge(collect(mixed()))["cloudtrail.lambda-data-events"]

    assert finding.fix and finding.fix.argv
    document = finding.fix.argv[0][finding.fix.argv[0].index("--advanced-event-selectors") + 1]
    assert '"Management"' in document and '"NotStartsWith"' in document


@pytest.mark.parametrize("name", ["cloudtrail.bucket-not-public", "cloudtrail.bucket-access-logging"])
def test_a_bucket_is_changed_in_its_owner_account_only(name: str) -> None:
    """A bucket whose owner is proven is changed there, whoever owns the trail; anybody else's gets steps only."""
    check = catalog.builtin().check(name)

    def made(owner: str | Refusal) -> Fix:
        bucket = {"Name": "logs", "Region": "eu-west-1", "Owner": owner}
        place = Resource(
            type=check.resource, account=ACCOUNT, owner=ARCHIVE, region="us-east-1", facts={"Bucket": bucket}
        )
        env = evaluate.environment(check, place, "aws", "us-east-1")
        found = fixes.fix(check, place, env, DOCUMENTS, {"ACCESS_LOG_BUCKET": "access"})
        assert found is not None
        return found

    for owner in (ACCOUNT, "444455556666"):
        assert made(owner).argv and made(owner).account == owner
    assert made("").argv is None and "another account" in made("").steps[0]
    hidden = made(Refusal(RefusalKind.DENIED, call="s3:ListBuckets"))
    assert (hidden.argv, hidden.account) == (None, ARCHIVE)


def test_insights_that_are_on_stay_on() -> None:
    """The selectors replace those there are: the ones on data events are carried along, for the undo too."""
    data = {"InsightType": "ApiCallRateInsight", "EventCategories": ["Data"]}
    env = {"Insights": {"InsightSelectors": [data]}}

    assert DOCUMENTS["insight_selectors"](env) == [
        {"InsightType": "ApiCallRateInsight", "EventCategories": ["Management", "Data"]},
        {"InsightType": "ApiErrorRateInsight"},
    ]
    assert DOCUMENTS["insight_selectors.before"](env) == [data]
    refused = Refusal(RefusalKind.DENIED, call="cloudtrail:GetInsightSelectors")
    assert DOCUMENTS["insight_selectors"]({"Insights": refused}) is refused


@pytest.mark.parametrize(
    ("days", "command"),
    [
        (365, "put-retention-policy --log-group-name g --retention-in-days 365"),
        (200, "put-retention-policy --log-group-name g --retention-in-days 365"),
        (1000, "put-retention-policy --log-group-name g --retention-in-days 1096"),
        (4000, "delete-retention-policy --log-group-name g"),
    ],
)
def test_retention_is_one_that_cloudwatch_logs_takes(days: int, command: str) -> None:
    """The next longer one of the few values that the API accepts; none at all where none is long enough."""
    check = catalog.builtin().check("cloudtrail.log-group-retention")
    group = {"Name": "g", "Region": "eu-west-1", "RetentionDays": 90}
    place = Resource(type=check.resource, account=ACCOUNT, region="eu-west-1", facts={"LogGroup": group})
    env = {**evaluate.environment(check, place, "aws", "us-east-1"), "Param": {"days": days}}

    found = fixes.fix(check, place, env, DOCUMENTS, {})

    assert found and found.shell == f"aws logs {command} --region eu-west-1"


@pytest.mark.parametrize(
    ("condition", "verdict"),
    [
        ({"StringEquals": {"AWS:SourceAccount": ACCOUNT}}, Verdict.PASS),
        ({"StringEquals": {"aws:SourceOrgID": "o-a1b2c3d4e5"}}, Verdict.PASS),
        ({"StringLike": {"aws:SourceAccount": "*"}}, Verdict.FAIL),
        ({"StringLike": {"aws:SourceOrgID": "o-*"}}, Verdict.FAIL),
        ({"StringEqualsIfExists": {"aws:SourceAccount": ACCOUNT}}, Verdict.FAIL),
        ({"StringEquals": {"aws:SourceAccount": []}}, Verdict.FAIL),
    ],
)
def test_an_account_or_organization_binds_too(
    collect: Collect, condition: dict[str, Any], verdict: Verdict
) -> None:
    """What keeps a stranger's trail out is enough, whichever of the keys says it."""
    world = World()
    home(world).add_trail("main", bucket="logs")
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::logs/*",
        "Condition": condition,
    }
    world.add_bucket("logs", policy=json.dumps({"Statement": [statement]}))

    assert judge(collect(world))["cloudtrail.bucket-source-restricted"].verdict is verdict


@pytest.mark.parametrize(
    ("sizes", "days", "verdict"),
    [
        ({"ObjectSizeGreaterThan": 0}, 30, "fail"),
        ({"ObjectSizeGreaterThan": 1000}, 30, "unknown"),
        ({"ObjectSizeLessThan": 1000}, 30, "unknown"),
        (
            {"And": {"Prefix": "AWSLogs/", "ObjectSizeGreaterThan": 5, "ObjectSizeLessThan": 500}},
            30,
            "unknown",
        ),
        ({"ObjectSizeGreaterThan": 1000}, 400, "pass"),
        ({"ObjectSizeLessThan": 1}, 30, "pass"),
        ({"ObjectSizeGreaterThan": 50 * 2**40}, 30, "pass"),
    ],
)
def test_a_rule_for_some_sizes_may_spare_log_files(
    collect: Collect, sizes: dict[str, Any], days: int, verdict: str
) -> None:
    """Nobody knows how large log files are: unknown, unless no file or every file has such a size."""
    world = World()
    home(world).add_trail("main", bucket="logs")
    rule = {"ID": "old", "Status": "Enabled", "Filter": sizes, "Expiration": {"Days": days}}
    world.add_bucket("logs", lifecycle=[rule])

    assert judge(collect(world))["cloudtrail.bucket-retention"].verdict == verdict


@pytest.mark.parametrize(("kind", "verdict"), [("WriteOnly", "pass"), ("ReadOnly", "fail")])
def test_invocations_are_writes(collect: Collect, kind: str, verdict: str) -> None:
    """Invoke has readOnly false: a selector for writes records every invocation, one for reads none."""
    world = World()
    functions = {"Type": "AWS::Lambda::Function", "Values": ["arn:aws:lambda"]}
    home(world).add_trail("main", selectors=[basic(kind, DataResources=[functions])])

    assert judge(collect(world))["cloudtrail.lambda-data-events"].verdict == verdict


def test_log_group_makes_events_searchable(mend: Mend) -> None:
    """A trail without a log group gets one, and the group's own check keeps its events long enough to search them."""
    world = World()
    world.account(regions=("us-east-1", "eu-west-1"))
    arn = home(world).add_trail("main")
    world.add_bucket("trail-logs", policy=trail_policy("trail-logs", arn))
    home(world).add_log_group("new", 30)
    needs = {
        "LOG_GROUP_ARN": home(world).arn("logs", "log-group:new:*"),
        "LOG_ROLE_ARN": world.account().arn("iam", "role/trail"),
    }
    names = [f"cloudtrail.searchable-{item}" for item in ("deletions", "access", "iam-changes")]

    found = mend(world, *names, "cloudtrail.log-group-retention", needs=needs)

    assert {found[name].verdict for name in names} == {Verdict.PASS}
