"""The fake AWS answers what AWS answers, also when a service is off, refused or cut in pages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.config
import botocore.exceptions
import jmespath
import pytest

from tests.fakeaws import FakeAws, Fault, World, env
from tests.fakeaws.clients import Serve, refused, serving
from tests.fakeaws.fixes import AUTOMATION, FIXES, MEMBER, ROLE
from tests.fakeaws.scenarios import SCENARIOS, empty, mixed, organization, well_configured
from tests.fakeaws.world import ACCOUNT, ARCHIVE, trail_policy
from tests.parts import part


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve worlds to boto3."""
    with serving() as start:
        yield start


def test_what_is_off_looks_as_on_aws(serve: Serve) -> None:
    """Every service that is off answers with its own error or its own empty list."""
    client = serve(empty())

    assert client("guardduty").list_detectors()["DetectorIds"] == []
    assert client("config").describe_configuration_recorders()["ConfigurationRecorders"] == []
    assert client("config").describe_configuration_recorder_status()["ConfigurationRecordersStatus"] == []
    assert client("accessanalyzer").list_analyzers()["analyzers"] == []
    state = client("inspector2").batch_get_account_status()["accounts"][0]["state"]
    assert state["status"] == "DISABLED"
    hub = client("securityhub")
    off = ("InvalidAccessException", f"Account {ACCOUNT} is not subscribed to AWS Security Hub", 401)
    assert refused(hub.describe_hub) == refused(hub.list_finding_aggregators) == off
    assert refused(hub.describe_security_hub_v2)[0] == "ResourceNotFoundException"
    assert refused(client("macie2").get_macie_session) == (
        "AccessDeniedException",
        "Macie is not enabled",
        403,
    )
    found = refused(client("config").list_discovered_resources, resourceType="AWS::S3::Bucket")
    assert found[0] == "NoAvailableConfigurationRecorderException"
    assert refused(client("fms").get_admin_account)[0] == "ResourceNotFoundException"
    code, text, _ = refused(client("guardduty").get_detector, DetectorId="a" * 32)
    assert code == "BadRequestException" and "not owned by the current account" in text
    assert refused(client("organizations").describe_organization)[0] == "AWSOrganizationsNotInUseException"


def test_trail_selectors_and_insights(serve: Serve) -> None:
    """A new trail has one All selector and no other key; without Insights the call is an error."""
    world = World()
    arn = world.account().region("us-east-1").add_trail()
    client = serve(world)("cloudtrail")

    found = client.get_event_selectors(TrailName=arn)
    assert found["EventSelectors"][0]["ReadWriteType"] == "All" and "AdvancedEventSelectors" not in found
    assert refused(client.get_insight_selectors, TrailName=arn)[0] == "InsightNotEnabledException"
    assert refused(client.get_trail_status, Name="nobody")[0] == "TrailNotFoundException"


def test_trails_cast_shadows(serve: Serve) -> None:
    """Multi-region trails show everywhere, others at home; status is by ARN and by region; writes at home."""
    world = World()
    home = world.account().region("us-east-1")
    wide = home.add_trail("wide", status_in={"eu-west-1": {"IsLogging": False}})
    home.add_trail("narrow", multi=False)
    client = serve(world)
    there = client("cloudtrail", "eu-west-1")

    assert [item["Name"] for item in there.describe_trails()["trailList"]] == ["wide"]
    assert there.describe_trails(includeShadowTrails=False)["trailList"] == []
    assert not there.get_trail_status(Name=wide)["IsLogging"]
    assert client("cloudtrail").get_trail_status(Name="wide")["IsLogging"]
    assert refused(there.get_trail_status, Name="wide")[0] == "TrailNotFoundException"
    assert refused(there.start_logging, Name=wide)[0] == "InvalidHomeRegionException"


def test_members_of_an_organization(serve: Serve) -> None:
    """A member sees the organization's trail as a shadow, may not read its selectors, nor list accounts."""
    client = serve(organization(members=(MEMBER,)))
    trail = client("cloudtrail", "eu-west-1", MEMBER)
    organizations = client("organizations", account=MEMBER)

    [seen] = trail.describe_trails()["trailList"]
    assert seen["IsOrganizationTrail"] and f":{ACCOUNT}:" in seen["TrailARN"]
    assert trail.get_trail_status(Name=seen["TrailARN"])["IsLogging"]
    assert refused(trail.get_event_selectors, TrailName=seen["TrailARN"])[0] == "TrailNotFoundException"
    assert organizations.describe_organization()["Organization"]["MasterAccountId"] == ACCOUNT
    assert refused(organizations.list_accounts)[0] == "AccessDeniedException"
    found = refused(client("config", account=MEMBER).describe_organization_conformance_packs)
    assert found[0] == "OrganizationAccessDeniedException"


def test_delegated_administration(serve: Serve) -> None:
    """Only the delegated administrator reads the organization's configuration; others get the known texts."""
    client = serve(organization(members=(MEMBER,)))
    mine, theirs = client("guardduty"), client("guardduty", account=ARCHIVE)
    [detector], [other] = mine.list_detectors()["DetectorIds"], theirs.list_detectors()["DetectorIds"]

    code, text, _ = refused(mine.describe_organization_configuration, DetectorId=detector)
    assert code == "BadRequestException" and "master permission" in text
    members = theirs.get_member_detectors(DetectorId=other, AccountIds=[MEMBER])
    assert members["MemberDataSourceConfigurations"] == [] and len(members["UnprocessedAccounts"]) == 1
    found = theirs.describe_organization_configuration(DetectorId=other)
    assert found["AutoEnableOrganizationMembers"] == "NONE"
    assert mine.list_organization_admin_accounts()["AdminAccounts"][0]["AdminAccountId"] == ARCHIVE
    hub = client("securityhub")
    assert refused(hub.describe_organization_configuration) == (
        "InvalidAccessException",
        f"Account {ACCOUNT} is not an administrator for this organization",
        401,
    )
    assert refused(hub.list_configuration_policies)[0] == "AccessDeniedException"
    assert not client("securityhub", account=ARCHIVE).describe_organization_configuration()["AutoEnable"]


def test_buckets_of_others(serve: Serve) -> None:
    """HeadBucket tells missing, foreign and own apart; settings of a foreign bucket are refused."""
    world = well_configured()
    world.add_bucket("secret", ARCHIVE)
    world.add_bucket("mine", region="eu-west-1")
    s3 = serve(world)("s3")

    assert [item["Name"] for item in s3.list_buckets(MaxBuckets=9)["Buckets"]] == ["mine", "uploads"]
    assert refused(s3.head_bucket, Bucket="nowhere")[::2] == ("404", 404)
    assert refused(s3.head_bucket, Bucket="secret")[::2] == ("403", 403)
    assert s3.head_bucket(Bucket="org-trail-logs")["BucketRegion"] == "us-east-1"
    owner = {"Bucket": "org-trail-logs", "ExpectedBucketOwner": ACCOUNT}
    assert refused(s3.head_bucket, **owner)[0] == "403"
    assert refused(s3.get_bucket_policy, Bucket="org-trail-logs")[0] == "AccessDenied"
    assert s3.head_bucket(Bucket="mine")["BucketRegion"] == "eu-west-1"


def test_absent_bucket_settings(serve: Serve) -> None:
    """What a bucket lacks is an error with AWS's own code, or an empty answer."""
    world = World()
    world.add_bucket("bare", region="eu-west-1")
    client = serve(world)
    s3 = client("s3", "eu-west-1")

    codes = {
        name: refused(getattr(s3, name), Bucket="bare")[0]
        for name in (
            *("get_bucket_policy", "get_bucket_policy_status", "get_public_access_block"),
            *("get_object_lock_configuration", "get_bucket_lifecycle_configuration"),
        )
    }
    assert codes == {
        "get_bucket_policy": "NoSuchBucketPolicy",
        "get_bucket_policy_status": "NoSuchBucketPolicy",
        "get_public_access_block": "NoSuchPublicAccessBlockConfiguration",
        "get_object_lock_configuration": "ObjectLockConfigurationNotFoundError",
        "get_bucket_lifecycle_configuration": "NoSuchLifecycleConfiguration",
    }
    assert "Status" not in s3.get_bucket_versioning(Bucket="bare")
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket="bare")
    assert s3.get_bucket_location(Bucket="bare")["LocationConstraint"] == "eu-west-1"
    assert s3.get_bucket_acl(Bucket="bare")["Grants"][0]["Permission"] == "FULL_CONTROL"
    found = refused(client("s3control").get_public_access_block, AccountId=ACCOUNT)
    assert found[0] == "NoSuchPublicAccessBlockConfiguration"


def test_recorders_that_hide(serve: Serve) -> None:
    """Without arguments only the customer's recorder shows; the list shows the service-linked one."""
    world = World()
    principal = "x.amazonaws.com"
    world.account().region("us-east-1").add_recorder(
        "AWSConfigurationRecorderForX", servicePrincipal=principal
    )
    config = serve(world)("config")

    assert config.describe_configuration_recorders()["ConfigurationRecorders"] == []
    [seen] = config.list_configuration_recorders()["ConfigurationRecorderSummaries"]
    assert seen["servicePrincipal"] == principal
    [one] = config.describe_configuration_recorders(Arn=seen["arn"])["ConfigurationRecorders"]
    assert one["name"] == "AWSConfigurationRecorderForX"


def test_regions_and_accounts(serve: Serve) -> None:
    """AllRegions is honoured, a region that is off refuses tokens, and AssumeRole leads elsewhere."""
    world = World()
    world.account(MEMBER)
    client = serve(world)

    assert len(client("ec2").describe_regions()["Regions"]) == 17
    everything = client("ec2").describe_regions(AllRegions=True)["Regions"]
    assert {item["OptInStatus"] for item in everything} == {"opt-in-not-required", "not-opted-in"}
    assert refused(client("guardduty", "me-south-1").list_detectors)[0] == "UnrecognizedClientException"
    assert refused(client("ec2", "me-south-1").describe_vpcs)[0] == "AuthFailure"
    statuses = {item["RegionOptStatus"] for item in client("account").list_regions()["Regions"]}
    assert statuses == {"ENABLED_BY_DEFAULT", "DISABLED"}
    role = f"arn:aws:iam::{MEMBER}:role/audit"
    made = client("sts").assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
    assert world.call(made["AccessKeyId"], "us-east-1", "sts", "x").account.id == MEMBER
    unknown = {"RoleArn": "arn:aws:iam::555555555555:role/audit", "RoleSessionName": "me"}
    assert refused(client("sts").assume_role, **unknown)[0] == "AccessDenied"


def test_every_answer_is_paged(serve: Serve) -> None:
    """Pages of two cut rules, regions, standards, detectors' lists and buckets, and tokens lead on."""
    world = well_configured()
    world.page_size = 2
    for number in range(5):
        world.add_bucket(f"own-{number}")
    client = serve(world)

    first = client("config").describe_config_rules()
    assert len(first["ConfigRules"]) == 2
    rest = client("config").describe_config_rules(NextToken=first["NextToken"])
    assert len(rest["ConfigRules"]) == 1 and "NextToken" not in rest
    for service, operation, key, count in (
        ("account", "list_regions", "Regions", 20),
        ("securityhub", "describe_standards", "Standards", 8),
        ("securityhub", "list_enabled_products_for_import", "ProductSubscriptions", 7),
        ("s3", "list_buckets", "Buckets", 6),
    ):
        pages = list(client(service).get_paginator(operation).paginate())
        assert sum(len(page[key]) for page in pages) == count and len(pages) == (count + 1) // 2
    assert refused(client("config").describe_config_rules, NextToken="x")[0] == "InvalidNextTokenException"


def test_faults(serve: Serve) -> None:
    """A fault refuses, counts, waits, cuts, garbles or expires, only where its globs say."""
    world = World(faults=[Fault(service="guardduty", region="eu-*", times=1)])
    client = serve(world)

    assert refused(client("guardduty", "eu-west-1").list_detectors)[::2] == ("AccessDeniedException", 403)
    assert client("guardduty", "eu-west-1").list_detectors()["DetectorIds"] == []
    assert client("guardduty").list_detectors()["DetectorIds"] == []
    world.faults = [Fault(service="ec2"), Fault(service="s3", code="SlowDown", status=503)]
    assert refused(client("ec2").describe_regions)[0] == "UnauthorizedOperation"
    assert refused(client("s3").list_buckets)[::2] == ("SlowDown", 503)
    world.faults = [Fault(action="drop")]
    with pytest.raises(botocore.exceptions.ConnectionClosedError):
        client("sts").get_caller_identity()
    world.faults = [Fault(action="garbage")]
    with pytest.raises(botocore.parsers.ResponseParserError):
        client("ec2").describe_regions()
    world.faults = [Fault(action="hang", service="config")]
    with pytest.raises(botocore.exceptions.ReadTimeoutError):
        client("config", patience=1).describe_configuration_recorders()
    world.faults = [Fault(action="expire_after_n", times=2)]
    assert [client("guardduty").list_detectors()["DetectorIds"] for _ in range(2)] == [[], []]
    assert refused(client("guardduty").list_detectors)[0] == "ExpiredTokenException"
    world.faults = [Fault(delay=0.2, service="guardduty")]
    started = time.monotonic()
    client("guardduty").list_detectors()
    assert time.monotonic() - started >= 0.2


def test_calls_are_logged_and_gaps_are_loud(serve: Serve) -> None:
    """Each call is on record; an operation nobody taught the fake is a 501 of its own."""
    world = World()
    client = serve(world)
    client("logs", "eu-west-1").describe_log_groups(logGroupNamePrefix="x")

    assert world.calls == [(ACCOUNT, "eu-west-1", "logs", "DescribeLogGroups", {"logGroupNamePrefix": "x"})]
    assert refused(client("sqs").list_message_move_tasks, SourceArn="x")[::2] == ("NotImplementedByFake", 501)
    assert world.missing == ["sqs:ListMessageMoveTasks"]


def test_a_wrong_fake_is_loud() -> None:
    """An answer that AWS's model does not allow is a recorded bug, not an answer."""
    world = World()
    world.account().region("us-east-1").logs["groups"]["g"] = {"logGroupName": 5, "nonsense": 1}
    with FakeAws(world) as server:
        given = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "endpoint_url": server.url}
        config = botocore.config.Config(retries={"total_max_attempts": 1})
        client = boto3.client("logs", "us-east-1", config=config, **given)
        assert refused(client.describe_log_groups)[::2] == ("FakeAwsBug", 500)

    assert "nonsense" in server.bugs[0] and "logGroupName" in server.bugs[0]


def test_inputs_are_checked(serve: Serve) -> None:
    """Lists longer than AWS takes are refused, which botocore does not do."""
    config = serve(World())("config")

    found = refused(config.describe_remediation_configurations, ConfigRuleNames=[f"r{n}" for n in range(26)])
    assert found[0] == "ValidationException" and "at most 25" in found[1]


@pytest.mark.parametrize("name", part(sorted(SCENARIOS), of=3))
def test_scenarios_are_fresh_and_valid(serve: Serve, name: str) -> None:
    """Every scenario answers the first questions in every region."""
    world = SCENARIOS[name]()
    client = serve(world)

    for region in world.account().regions:
        if name == "mixed" and region == "sa-east-1":
            continue
        client("cloudtrail", region).describe_trails()
        client("config", region).describe_configuration_recorders()
        for detector in client("guardduty", region).list_detectors()["DetectorIds"]:
            client("guardduty", region).get_detector(DetectorId=detector)
        if world.account().region(region).securityhub["hub"]:
            client("securityhub", region).get_enabled_standards()


def test_guardduty_features_merge(serve: Serve) -> None:
    """UpdateDetector changes what it names; a new detector has every plan but runtime monitoring."""
    guardduty = serve(World())("guardduty")
    detector = guardduty.create_detector(Enable=True)["DetectorId"]
    features = [{"Name": "RUNTIME_MONITORING", "Status": "ENABLED"}]

    def off() -> list[str]:
        found = guardduty.get_detector(DetectorId=detector)["Features"]
        return [item["Name"] for item in found if item["Status"] == "DISABLED"]

    assert off() == ["RUNTIME_MONITORING"]
    guardduty.update_detector(DetectorId=detector, Features=features)
    assert off() == []
    assert refused(guardduty.create_detector, Enable=True)[0] == "BadRequestException"


def world_to_fix() -> World:
    """An account that manages an organization, with a trail, buckets, a key and a log group to repair."""
    world = World()
    account = world.account()
    world.organize(ACCOUNT, (MEMBER,))
    home = account.region("us-east-1")
    arn = home.add_trail("org", multi=False, logging=False)
    for name in ("trail-logs", "config-logs", "other", "access"):
        world.add_bucket(name, policy=trail_policy(name, arn))
    home.add_key(rotation=False)
    home.add_log_group("trail", 30)
    home.ec2["vpcs"].append("vpc-1")
    home.add_function("gd-responder")
    home.securityhub["automation_rules"].append(
        {
            "RuleArn": AUTOMATION,
            "RuleStatus": "ENABLED",
            "RuleOrder": 1,
            "RuleName": "hush",
            "Description": "",
            "IsTerminal": False,
            "Criteria": {"ProductName": [{"Value": "GuardDuty", "Comparison": "EQUALS"}]},
            "Actions": [
                {
                    "Type": "FINDING_FIELDS_UPDATE",
                    "FindingFieldsUpdate": {"Workflow": {"Status": "SUPPRESSED"}},
                }
            ],
        }
    )
    return world


@pytest.mark.exhaustive
def test_fix_commands_close_the_loop(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The unmodified AWS CLI changes the state as it would on AWS, and reads it back."""
    from awscli.clidriver import create_clidriver

    world = world_to_fix()
    with FakeAws(world) as server:
        for name, value in env(server).items():
            if name.startswith("AWS_"):
                monkeypatch.setenv(name, value)
        found: dict[str, str] = {}
        driver = create_clidriver()

        def run(line: str) -> Any:
            for mark, value in found.items():
                line = line.replace(mark, value)
            head, *rest = line.split("|")
            # CLI v1 has an address of its own for SQS, and heeds only the option.
            there = ["--endpoint-url", server.url] if head.startswith("sqs ") else []
            code = driver.main([*head.split(" "), *rest, *there, "--output", "json"])
            out, err = capfd.readouterr()
            assert code == 0, (line, err, world.bugs)
            return json.loads(out) if out.strip() else None

        for command, check, expression, wanted in FIXES:
            made = run(command) or {}
            for mark, key in (
                ("{D}", "DetectorId"),
                ("{A}", "FindingAggregatorArn"),
                ("{Q}", "QueueUrl"),
                ("{S}", "SubscriptionArn"),
            ):
                if key in made:
                    found[mark] = made[key]
            assert jmespath.search(expression, run(check)) == wanted, command
    assert (world.bugs, world.missing) == ([], [])


def test_preconditions_of_writes(serve: Serve) -> None:
    """A recorder needs a channel, a channel a bucket, a trail a willing bucket, standards a recorder."""
    world = World()
    world.add_bucket("closed")
    client = serve(world)
    config, trail, hub = client("config"), client("cloudtrail"), client("securityhub")
    recorder = {"name": "default", "roleARN": ROLE}

    config.put_configuration_recorder(ConfigurationRecorder=recorder)
    start = {"ConfigurationRecorderName": "default"}
    assert refused(config.start_configuration_recorder, **start)[0] == "NoAvailableDeliveryChannelException"
    channel = {"DeliveryChannel": {"name": "default", "s3BucketName": "nowhere"}}
    assert refused(config.put_delivery_channel, **channel)[0] == "NoSuchBucketException"
    missing, closed = {"Name": "new", "S3BucketName": "nowhere"}, {"Name": "new", "S3BucketName": "closed"}
    assert refused(trail.create_trail, **missing)[0] == "S3BucketDoesNotExistException"
    assert refused(trail.create_trail, **closed)[0] == "InsufficientS3BucketPolicyException"
    hub.enable_security_hub()
    found = hub.get_enabled_standards()["StandardsSubscriptions"][0]
    assert found["StandardsStatusReason"]["StatusReasonCode"] == "NO_AVAILABLE_CONFIGURATION_RECORDER"


def test_child_processes_reach_it() -> None:
    """With env() a child reaches even S3 Control, whose host carries the account."""
    world = mixed()
    world.account().block = {"BlockPublicAcls": True}
    code = (
        "import boto3; c = boto3.client('s3control');"
        f"print(c.get_public_access_block(AccountId='{ACCOUNT}')['PublicAccessBlockConfiguration'])"
    )
    with FakeAws(world) as server:
        done = subprocess.run([sys.executable, "-c", code], env=env(server), capture_output=True, text=True)

    assert "'BlockPublicAcls': True" in done.stdout, done.stderr


def test_it_serves_alone() -> None:
    """python -m tests.fakeaws serves a scenario on a port of its own and says how to reach it."""
    root = Path(__file__).resolve().parents[1]
    command = [sys.executable, "-m", "tests.fakeaws", "--scenario", "mixed", "--port", "0"]
    child = subprocess.Popen(command, cwd=root, env=dict(os.environ), stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        assert "AWS_ENDPOINT_URL=http://127.0.0.1:" in child.stdout.readline()
    finally:
        child.terminate()
        child.communicate(timeout=10)
