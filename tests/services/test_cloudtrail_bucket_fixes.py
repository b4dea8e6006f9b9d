"""Fixes of a trail's bucket write whole documents: what was there stays, run by the real AWS CLI."""

from __future__ import annotations

import json
from typing import Any

import pytest

from postureaudit.findings import Verdict
from postureaudit.services.cloudtrail import bucket_fixes
from tests.conftest import Collect, Mend, judge, walk_world
from tests.fakeaws import World
from tests.fakeaws.world import ACCOUNT, ARCHIVE, trail_policy

HOME = "us-east-1"
DELIVERY, DIGEST = "cloudtrail.delivery-healthy", "cloudtrail.digest-healthy"
EVENTS = "cloudtrail.management-events"
BOUND, KEPT = "cloudtrail.bucket-source-restricted", "cloudtrail.bucket-retention"
OTHERS: dict[str, Any] = {
    "Version": "2012-10-17",
    "Id": "ours",
    "Statement": [
        {
            "Sid": "Tls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": "arn:aws:s3:::own-logs/*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
        {
            "Sid": "AWSCloudTrailWrite",
            "Effect": "Allow",
            "Principal": {"Service": "logging.s3.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::own-logs/access/*",
        },
    ],
}


@pytest.fixture
def collect(monkeypatch: pytest.MonkeyPatch) -> Collect:
    """Walk with the calls of the trails' checks."""
    from postureaudit import catalog, services

    wanted = catalog.calls(catalog.builtin(), [DELIVERY, DIGEST, BOUND, KEPT, EVENTS], services.types())
    return lambda world, **options: walk_world(monkeypatch, world, **{"wanted": wanted, **options})


def a_world(
    *, owner: str = ACCOUNT, status: dict[str, Any] | None = None, **bucket: Any
) -> tuple[World, str]:
    """A trail in one region that delivers into `own-logs`, and its ARN."""
    world = World()
    world.account(regions=(HOME,))
    arn = (
        world.account()
        .region(HOME)
        .add_trail("main", bucket="own-logs", LogFileValidationEnabled=True, status=status or {})
    )
    world.add_bucket("own-logs", owner, **bucket)
    return world, arn


def statements(world: World) -> list[dict[str, Any]]:
    return list(json.loads(world.buckets["own-logs"]["policy"])["Statement"])


@pytest.mark.parametrize("check", [DELIVERY, DIGEST])
@pytest.mark.parametrize("policy", [json.dumps(OTHERS), None], ids=["others", "none"])
def test_trail_is_let_in_and_the_rest_of_the_policy_stays(mend: Mend, check: str, policy: str | None) -> None:
    """Two statements join the policy, under names that are free; the gap closes."""
    errors = {"LatestDeliveryError": "AccessDenied", "LatestDigestDeliveryError": "AccessDenied"}
    world, arn = a_world(status=errors, policy=policy)

    found = mend(world, check)

    assert found[check].verdict is Verdict.PASS
    after = json.loads(world.buckets["own-logs"]["policy"])
    before = OTHERS["Statement"] if policy else []
    assert after["Statement"][: len(before)] == before and after.get("Id") == ("ours" if policy else None)
    added = after["Statement"][len(before) :]
    assert [item["Action"] for item in added] == ["s3:GetBucketAcl", "s3:PutObject"]
    assert all(item["Condition"]["StringEquals"]["aws:SourceArn"] == arn for item in added)
    assert added[1]["Resource"] == f"arn:aws:s3:::own-logs/AWSLogs/{ACCOUNT}/*"
    assert len({item["Sid"] for item in after["Statement"]}) == len(after["Statement"])


def test_undo_puts_the_present_policy_back(collect: Collect) -> None:
    """With a policy the undo carries it whole; without one it takes the new one away."""
    errors = {"LatestDeliveryError": "AccessDenied"}

    undone = [
        judge(collect(a_world(status=errors, policy=policy)[0]), DELIVERY)[DELIVERY].fix
        for policy in (json.dumps(OTHERS), None)
    ]

    assert undone[0] and undone[1]
    assert json.dumps(OTHERS, separators=(",", ":")) in undone[0].undo
    assert undone[1].undo.startswith("aws s3api delete-bucket-policy --bucket own-logs")


@pytest.mark.parametrize(
    "why", ["the bucket is another account's", "the trail is let in already", "an organization's trail"]
)
def test_no_policy_is_written_where_that_would_not_help(collect: Collect, why: str) -> None:
    """Steps say where to look: the command would be refused, change nothing, or not be enough."""
    errors = {"LatestDeliveryError": "AccessDenied"}
    owner = ARCHIVE if why.startswith("the bucket") else ACCOUNT
    world, arn = a_world(status=errors, owner=owner, readers={ACCOUNT}, head={ACCOUNT})
    trail = world.account().region(HOME).cloudtrail["trails"]["main"]["Trail"]
    trail["IsOrganizationTrail"] = why.startswith("an org")
    if why.startswith("the trail"):
        world.buckets["own-logs"]["policy"] = trail_policy("own-logs", arn)

    fix = judge(collect(world), DELIVERY)[DELIVERY].fix

    assert fix and not fix.argv and fix.steps


def loose(resource: str | list[str], **condition: Any) -> dict[str, Any]:
    base = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "s3:PutObject"}
    return {**base, "Resource": resource, **({"Condition": condition} if condition else {})}


ACL = {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}
FOLDERS = [f"arn:aws:s3:::own-logs/AWSLogs/{name}/*" for name in (ACCOUNT, ARCHIVE)]


def test_statements_are_bound_to_the_accounts_whose_folders_they_name(mend: Mend) -> None:
    """A trail of another account that writes there goes on writing; the statement's other conditions stay."""
    bound = {
        **loose(FOLDERS[0]),
        "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:cloudtrail:*:111122223333:trail/x"}},
    }
    policy = {**OTHERS, "Statement": [*OTHERS["Statement"], loose(FOLDERS, **ACL), bound]}
    world, _ = a_world(policy=json.dumps(policy))

    found = mend(world, BOUND)

    assert found[BOUND].verdict is Verdict.PASS
    after = statements(world)
    assert after[:2] == OTHERS["Statement"] and after[3] == bound
    arns = [f"arn:aws:cloudtrail:*:{name}:trail/*" for name in (ACCOUNT, ARCHIVE)]
    assert after[2] == {**loose(FOLDERS), "Condition": {**ACL, "ArnLike": {"aws:SourceArn": arns}}}


@pytest.mark.parametrize(
    "statement",
    [
        loose("arn:aws:s3:::own-logs/*"),
        loose("arn:aws:s3:::own-logs/AWSLogs/*"),
        loose("arn:aws:s3:::own-logs/AWSLogs/o-exampleorgid/*"),
        loose([FOLDERS[0], "arn:aws:s3:::own-logs/AWSLogs/*"]),
        loose(FOLDERS[0], StringLike={"aws:SourceArn": "*"}),
    ],
    ids=["bucket", "folder", "organization", "one of two", "its own key"],
)
def test_wider_statements_are_left_to_people(collect: Collect, statement: dict[str, Any]) -> None:
    """Trails that nobody listed may write there: no command binds them away."""
    world, _ = a_world(policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))

    found = judge(collect(world), BOUND)[BOUND]

    assert found.verdict is Verdict.FAIL
    assert found.fix and not found.fix.argv and found.fix.steps


RULES = [
    {"ID": "all", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 90}},
    {"ID": "elsewhere", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 1}},
    {
        "ID": "cold",
        "Status": "Enabled",
        "Filter": {"Prefix": "AWSLogs/"},
        "Transitions": [{"Days": 30, "StorageClass": "GLACIER"}],
        "Expiration": {"Days": 100},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 7},
    },
]


@pytest.mark.parametrize("size", ["varies_by_storage_class", None])
def test_lifecycle_keeps_its_other_rules(mend: Mend, size: str | None) -> None:
    """Only what deletes log files too early waits longer; transitions, other folders and the size rule stay."""
    world, _ = a_world(lifecycle=RULES, transition=size)

    found = mend(world, KEPT)

    assert found[KEPT].verdict is Verdict.PASS
    bucket = world.buckets["own-logs"]
    assert bucket["transition"] == (size or "all_storage_classes_128K")
    assert bucket["lifecycle"] == [
        {**RULES[0], "Expiration": {"Days": 365}},
        RULES[1],
        {**RULES[2], "Expiration": {"Days": 365}},
    ]


def test_rule_that_moves_objects_on_a_date_takes_no_days() -> None:
    """AWS refuses a rule with a date for moving and days for deleting: it moves on, and deletes nothing."""
    moves = {
        "ID": "a",
        "Status": "Enabled",
        "Filter": {},
        "Transitions": [{"Date": "2027-01-01", "StorageClass": "GLACIER"}],
    }
    rules = [{**moves, "Expiration": {"Date": "2028-01-01"}}]
    env = {"Lifecycle": {"Rules": rules}, "Folders": ["AWSLogs/"], "Param": {"days": 365}}

    assert bucket_fixes.kept_longer(env) == {"Rules": [moves]}


def test_undo_of_selectors_carries_the_present_ones(collect: Collect) -> None:
    """Basic selectors come back as basic selectors."""
    from postureaudit import catalog, services

    world = World()
    world.account(regions=(HOME,))
    present = [{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True, "DataResources": []}]
    world.account().region(HOME).add_trail("main", selectors=present)
    name = "cloudtrail.management-events"
    calls = catalog.calls(catalog.builtin(), [name], services.types())

    fix = judge(collect(world, wanted=calls), name)[name].fix

    assert fix and "put-event-selectors --cli-input-json" in fix.undo
    assert '"EventSelectors":[{' in fix.undo and '"ReadWriteType":"WriteOnly"' in fix.undo


def test_hand_made_data_selectors_stay_after_the_management_events_fix(
    mend: Mend,
) -> None:
    """The trail gets all management events; its own data selectors are there as they were."""
    own = {
        "Name": "Only the secret bucket's writes",
        "FieldSelectors": [
            {"Field": "eventCategory", "Equals": ["Data"]},
            {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
            {"Field": "readOnly", "Equals": ["false"]},
            {"Field": "resources.ARN", "StartsWith": ["arn:aws:s3:::secret/"]},
        ],
    }
    reads = [{"Field": "eventCategory", "Equals": ["Management"]}, {"Field": "readOnly", "Equals": ["true"]}]
    world = World()
    world.account(regions=(HOME,))
    trail = world.account().region(HOME)
    trail.add_trail("main", advanced=[{"Name": "Reads", "FieldSelectors": reads}, own])

    found = mend(world, EVENTS)

    assert found[EVENTS].verdict is Verdict.PASS
    kept = trail.cloudtrail["trails"]["main"]["AdvancedEventSelectors"]
    assert own in kept and len(kept) == 2
