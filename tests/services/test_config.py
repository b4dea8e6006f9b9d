"""Config judged by meaning: recorders, global types, deliveries, rules, packs, remediation and aggregators."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest

from postureaudit import catalog, evaluate
from postureaudit.evidence import (
    Absent,
    Account,
    Answer,
    Evidence,
    Header,
    Outcome,
    Record,
    Refusal,
    RefusalKind,
    Regions,
)
from postureaudit.findings import Finding, Verdict
from postureaudit.services.config import asks, recorder
from tests.conftest import Collect, Mend, judge
from tests.fakeaws import Fault, World
from tests.fakeaws.handlers.config import add_aggregator
from tests.fakeaws.world import ACCOUNT, ARCHIVE, now

HOME, OTHER = "us-east-1", "eu-west-1"
AT = "2026-11-24T12:00:00Z"
LINKED = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
IAM = list(recorder.GLOBAL_TYPES)
DENIED = Refusal(RefusalKind.DENIED, code="AccessDeniedException")
HOSTILE = ("--debug", "file:///etc/passwd", "x,roleARN=arn:aws:iam::666666666666:role/evil", "[/]", "a'b$(x)")


def hours_ago(hours: float) -> str:
    """An ISO time before the records were made."""
    at = datetime.datetime.fromisoformat(AT.replace("Z", "+00:00"))
    return (at - datetime.timedelta(hours=hours)).isoformat()


def everything(*, globals_too: bool = False) -> dict[str, Any]:
    """A recording group of all types."""
    strategy = {"useOnly": recorder.ALL}
    return {"allSupported": True, "includeGlobalResourceTypes": globals_too, "recordingStrategy": strategy}


def only(*kinds: str) -> dict[str, Any]:
    """A recording group of a list of types."""
    return {
        "allSupported": False,
        "resourceTypes": list(kinds),
        "recordingStrategy": {"useOnly": recorder.INCLUDED},
    }


def but(*kinds: str) -> dict[str, Any]:
    """A recording group of all types but those named; allSupported is false there."""
    left_out = {"resourceTypes": list(kinds)}
    strategy = {"useOnly": recorder.NOT_EXCLUDED}
    return {"allSupported": False, "exclusionByResourceTypes": left_out, "recordingStrategy": strategy}


def a_recorder(group: dict[str, Any] | None = None, mode: Any = None, **fields: Any) -> dict[str, Any]:
    """A recorder as AWS describes it."""
    modes = {} if mode is None else {"recordingMode": mode}
    return {
        "name": "default",
        "roleARN": LINKED,
        "recordingGroup": everything() if group is None else group,
        **modes,
        **fields,
    }


def on(**fields: Any) -> dict[str, Any]:
    """The status of a recorder that records."""
    return {
        "name": "default",
        "recording": True,
        "lastStatus": "SUCCESS",
        "lastStartTime": hours_ago(900),
        **fields,
    }


Answers = dict[str, Any]  # "config:Operation": body, outcome, or {region: body or outcome}


def config(
    recorders: Any = None, status: Any = None, *, channel: Any = None, delivered: Any = None, **lists: Any
) -> Answers:
    """Answers of one region: a recorder, its status, a channel and its status, and lists by operation."""
    found: Answers = {
        "DescribeConfigurationRecorders": {
            "ConfigurationRecorders": [] if recorders is None else [recorders]
        },
        "DescribeConfigurationRecorderStatus": {
            "ConfigurationRecordersStatus": [] if status is None else [status]
        },
        "DescribeDeliveryChannels": {"DeliveryChannels": [] if channel is None else [channel]},
        "DescribeDeliveryChannelStatus": {"DeliveryChannelsStatus": [] if delivered is None else [delivered]},
    }
    return {**found, **lists}


def evidence(answers: dict[str, Answers], *, excluded: tuple[str, ...] = ()) -> Evidence:
    """Evidence of regions whose parameterless Config calls gave these answers."""
    records = []
    for region, calls in answers.items():
        for operation, given in calls.items():
            outcome: Outcome = given if isinstance(given, Answer | Absent | Refusal) else Answer(given)
            call = f"config:{operation}"
            records.append(
                Record(call=call, params={}, account=ACCOUNT, region=region, at=AT, outcome=outcome)
            )
    header = Header(
        tool_version="0",
        started=AT,
        ended=AT,
        partition="aws",
        caller=f"arn:aws:iam::{ACCOUNT}:user/a",
        accounts=(Account(id=ACCOUNT),),
        regions=Regions(audited=tuple(answers), excluded=excluded),
        leader=HOME,
    )
    return Evidence(header, records)


def verdict(answers: Answers, check: str, **parameters: Any) -> str:
    """The verdict of a check in the one region of these answers."""
    return finding({HOME: answers}, check, **parameters).verdict.value


def finding(
    answers: dict[str, Answers], check: str, *, excluded: tuple[str, ...] = (), **parameters: Any
) -> Finding:
    """What a check says of these regions."""
    name = f"config.{check}"
    tuned = catalog.builtin().tuned(parameters={name: parameters})
    [found] = evaluate.evaluate(evidence(answers, excluded=excluded), tuned, ids=[name])
    return found


@pytest.mark.parametrize(
    ("group", "expected", "left_out"),
    [
        pytest.param(everything(), "pass", [], id="all supported"),
        pytest.param(but(), "pass", [], id="nothing excluded"),
        pytest.param(but(*IAM), "pass", [], id="only the global IAM types excluded"),
        pytest.param(but("AWS::EC2::Instance"), "fail", ["AWS::EC2::Instance"], id="a type excluded"),
        pytest.param(but("AWS::EC2::VPC", *IAM), "fail", ["AWS::EC2::VPC"], id="IAM types are not named"),
        pytest.param(only("AWS::S3::Bucket"), "fail", [], id="a list"),
        pytest.param({"allSupported": True}, "pass", [], id="old, all supported"),
        pytest.param(
            {"allSupported": False, "resourceTypes": ["AWS::S3::Bucket"]}, "fail", [], id="old list"
        ),
        pytest.param({}, "unknown", [], id="AWS does not say"),
        pytest.param({"recordingStrategy": {"useOnly": "NEW_STRATEGY"}}, "unknown", [], id="a new strategy"),
    ],
)
def test_recording_group(group: dict[str, Any], expected: str, left_out: list[str]) -> None:
    """What a recorder records is judged by meaning, whatever form it has."""
    found = finding({HOME: config(a_recorder(group), on())}, "all-resource-types")

    assert found.verdict == expected
    assert left_out == found.places[0].facts.get("Settings.NotRecorded", left_out)
    assert all(name in found.places[0].reason for name in left_out)


def test_settings_are_judged_while_the_recorder_is_stopped() -> None:
    """A stopped recorder with a list of types has both gaps."""
    stopped = config(a_recorder(only("AWS::S3::Bucket")), on(recording=False))

    assert verdict(stopped, "recorder-on") == "fail"
    assert verdict(stopped, "all-resource-types") == "fail"
    assert verdict(stopped, "recorder-healthy") == "not_applicable"


@pytest.mark.parametrize("others", [{"servicePrincipal": "x.amazonaws.com"}, {"connectorArn": "arn:aws:x"}])
def test_recorders_of_others_do_not_count(others: dict[str, str]) -> None:
    """A service-linked recorder or one of another cloud is not the account's own."""
    theirs = config(a_recorder(only("AWS::S3::Bucket"), **others), on())

    assert verdict(theirs, "recorder-on") == "fail"
    assert verdict(theirs, "all-resource-types") == "not_applicable"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"lastStatus": "SUCCESS"}, "pass"),
        ({"lastStatus": "Success"}, "pass"),
        ({"lastStatus": "FAILURE", "lastErrorCode": "AccessDenied"}, "fail"),
        ({"lastStatus": "PENDING", "lastStartTime": hours_ago(2)}, "unknown"),
        ({"lastStatus": "Pending", "lastStartTime": hours_ago(48)}, "fail"),
        ({"lastStatus": None, "lastStartTime": hours_ago(2)}, "unknown"),
        ({"lastStatus": "NotApplicable"}, "unknown"),
    ],
)
def test_recorder_status(status: dict[str, Any], expected: str) -> None:
    """AWS spells a status in two ways; a start of today may still be pending, one of last week not."""
    assert verdict(config(a_recorder(), on(**status)), "recorder-healthy") == expected


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (None, "pass"),
        ({"recordingFrequency": "CONTINUOUS", "recordingModeOverrides": []}, "pass"),
        ({"recordingFrequency": "DAILY"}, "fail"),
        (
            {
                "recordingFrequency": "CONTINUOUS",
                "recordingModeOverrides": [
                    {"recordingFrequency": "DAILY", "resourceTypes": ["AWS::EC2::VPC"]}
                ],
            },
            "fail",
        ),
        (
            {
                "recordingFrequency": "CONTINUOUS",
                "recordingModeOverrides": [
                    {"recordingFrequency": "CONTINUOUS", "resourceTypes": ["AWS::EC2::VPC"]}
                ],
            },
            "pass",
        ),
    ],
)
def test_recording_frequency(mode: Any, expected: str) -> None:
    """Daily by default or for some types is not continuous."""
    assert verdict(config(a_recorder(mode=mode), on()), "continuous-recording") == expected


@pytest.mark.parametrize(
    "role", ["role/own", "role/AWSServiceRoleForConfig", "role/aws-service-role/x/AWSServiceRoleForConfig"]
)
def test_only_the_service_linked_role_will_do(role: str) -> None:
    """A role that is merely called so is not Config's own."""
    own = config(a_recorder(roleARN=f"arn:aws:iam::{ACCOUNT}:{role}"), on())

    assert verdict(own, "service-linked-role") == "fail"
    assert verdict(config(a_recorder(), on()), "service-linked-role") == "pass"


DAILY_IAM = {
    "recordingFrequency": "CONTINUOUS",
    "recordingModeOverrides": [{"recordingFrequency": "DAILY", "resourceTypes": ["AWS::IAM::Role"]}],
}
WITH, WITHOUT = config(a_recorder(everything(globals_too=True)), on()), config(a_recorder(), on())
REFUSED = {**WITH, "DescribeConfigurationRecorders": DENIED}


@pytest.mark.parametrize(
    ("home", "other", "expected"),
    [
        pytest.param(WITH, WITHOUT, "pass", id="in one region"),
        pytest.param(WITHOUT, WITH, "pass", id="in another region than the leader"),
        pytest.param(WITHOUT, WITHOUT, "fail", id="nowhere"),
        pytest.param(WITH, WITH, "fail", id="twice"),
        pytest.param(
            config(a_recorder(but()), on()), config(a_recorder(but()), on()), "fail", id="exclusion has them"
        ),
        pytest.param(
            config(a_recorder(but()), on()), config(a_recorder(but(*IAM)), on()), "pass", id="excluded"
        ),
        pytest.param(config(a_recorder(only(*IAM)), on()), WITHOUT, "pass", id="by name"),
        pytest.param(config(a_recorder(only(*IAM[:3])), on()), WITHOUT, "fail", id="three of four"),
        pytest.param(
            config(a_recorder(everything(globals_too=True), DAILY_IAM), on()), WITHOUT, "fail", id="daily"
        ),
        pytest.param(
            config(a_recorder(everything(globals_too=True)), on(recording=False)), WITHOUT, "fail", id="off"
        ),
        pytest.param(WITHOUT, REFUSED, "unknown", id="perhaps where it is hidden"),
        pytest.param(WITH, REFUSED, "unknown", id="perhaps a second time"),
    ],
)
def test_global_types(home: Answers, other: Answers, expected: str) -> None:
    """The four IAM types are recorded continuously in exactly one region."""
    assert finding({HOME: home, OTHER: other}, "global-types-once").verdict == expected


def test_global_types_twice_is_certain_beside_a_hidden_region() -> None:
    """Two regions that record them are a gap, whatever a third one hides."""
    found = finding({HOME: WITH, OTHER: WITH, "eu-west-2": REFUSED}, "global-types-once")

    assert found.verdict is Verdict.FAIL


def test_global_types_more_regions_on_purpose() -> None:
    """Who wants them in several regions says so by the parameter."""
    assert finding({HOME: WITH, OTHER: WITH}, "global-types-once", regions=2).verdict is Verdict.PASS


def test_global_types_where_they_cannot_be_recorded() -> None:
    """A region that Config reached after February 2022 records none, and is not asked to."""
    everywhere = config(a_recorder(but()), on())

    assert finding({HOME: WITH, "il-central-1": everywhere}, "global-types-once").verdict is Verdict.PASS
    assert finding({"il-central-1": everywhere}, "global-types-once").verdict is Verdict.NOT_APPLICABLE


def test_what_is_left_out_of_the_run_is_not_missing() -> None:
    """An audit of one region cannot say that nothing records the global types, nor that no pack is deployed."""
    packs = {"DescribeConformancePacks": {"ConformancePackDetails": []}}
    answers = {OTHER: {**WITHOUT, **packs}}

    for check in ("global-types-once", "conformance-packs"):
        assert finding(answers, check).verdict is Verdict.FAIL
        assert finding(answers, check, excluded=(HOME,)).verdict is Verdict.UNKNOWN


def delivered(history: Any = None, snapshot: Any = None, stream: Any = None) -> dict[str, Any]:
    """The channel's status; each delivery as (status, hours since the last success)."""

    def block(given: Any) -> dict[str, Any]:
        if given is None:
            return {}
        code = {"lastErrorCode": "AccessDenied"} if given[0].lower() == "failure" else {}
        when = {} if given[1] is None else {"lastSuccessfulTime": hours_ago(given[1])}
        return {"lastStatus": given[0], **code, **when}

    return {
        "name": "default",
        "configHistoryDeliveryInfo": block(history),
        "configSnapshotDeliveryInfo": block(snapshot),
        "configStreamDeliveryInfo": block(stream),
    }


@pytest.mark.parametrize(
    ("frequency", "status", "expected"),
    [
        (None, delivered(("SUCCESS", 3)), "pass"),
        (None, delivered(("Success", 3), stream=("Not_Applicable", None)), "pass"),
        (None, delivered(("SUCCESS", 3), stream=("FAILURE", None)), "fail"),
        (None, delivered(("FAILURE", 3)), "fail"),
        (None, delivered(("SUCCESS", 30)), "fail"),
        (None, delivered(), "fail"),
        ("TwentyFour_Hours", delivered(("SUCCESS", 70), ("SUCCESS", 3)), "pass"),
        ("TwentyFour_Hours", delivered(("SUCCESS", 70), ("SUCCESS", 25)), "pass"),
        ("TwentyFour_Hours", delivered(("SUCCESS", 3), ("SUCCESS", 30)), "fail"),
        ("TwentyFour_Hours", delivered(("SUCCESS", 3), ("FAILURE", 2)), "fail"),
        ("TwentyFour_Hours", delivered(("FAILURE", 3), ("SUCCESS", 2)), "fail"),
        ("TwentyFour_Hours", delivered(("SUCCESS", 3)), "pass"),
        (None, delivered(("SUCCESS", 3), ("FAILURE", 90)), "pass"),
    ],
)
def test_deliveries(frequency: str | None, status: dict[str, Any], expected: str) -> None:
    """The last attempt worked, and the snapshot (or, without one, the history) is fresh."""
    properties = {"configSnapshotDeliveryProperties": {"deliveryFrequency": frequency}} if frequency else {}
    channel = {"name": "default", "s3BucketName": "b", **properties}

    found = config(a_recorder(), on(), channel=channel, delivered=status)

    assert verdict(found, "delivery-healthy") == expected


def test_a_channel_of_today_has_not_failed_to_deliver() -> None:
    """Nothing delivered within the first day is no gap yet, and no pass."""
    channel = {"name": "default", "s3BucketName": "b"}
    started = config(a_recorder(), on(lastStartTime=hours_ago(2)), channel=channel, delivered=delivered())

    assert verdict(started, "delivery-healthy") == "unknown"


@pytest.mark.parametrize(
    ("days", "expected"), [(None, "pass"), (2557, "pass"), (365, "pass"), (364, "fail"), (30, "fail")]
)
def test_retention(days: int | None, expected: str) -> None:
    """Never set means seven years; short means a gap."""
    found = [] if days is None else [{"Name": "default", "RetentionPeriodInDays": days}]
    answers = config(a_recorder(), on(), DescribeRetentionConfigurations={"RetentionConfigurations": found})

    assert verdict(answers, "retention") == expected


def a_rule(name: str = "r", identifier: str = "CLOUD_TRAIL_ENABLED", **fields: Any) -> dict[str, Any]:
    """A managed rule that is active."""
    source = {"Owner": "AWS", "SourceIdentifier": identifier}
    return {"ConfigRuleName": name, "ConfigRuleState": "ACTIVE", "Source": source, **fields}


RAN = {"FirstEvaluationStarted": True, "LastSuccessfulInvocationTime": hours_ago(3)}


@pytest.mark.parametrize(
    ("rule", "status", "expected"),
    [
        pytest.param({}, RAN, "pass", id="ran"),
        pytest.param({"ConfigRuleState": "EVALUATING"}, RAN, "pass", id="running now"),
        pytest.param({"ConfigRuleState": "DELETING"}, RAN, "not_applicable", id="being deleted"),
        pytest.param({"ConfigRuleState": "DELETING_RESULTS"}, RAN, "unknown", id="losing its results"),
        pytest.param(
            {},
            {**RAN, "LastErrorCode": "AccessDenied", "LastFailedInvocationTime": hours_ago(2)},
            "fail",
            id="failed after the last success",
        ),
        pytest.param(
            {},
            {**RAN, "LastErrorCode": "AccessDenied", "LastFailedInvocationTime": hours_ago(200)},
            "pass",
            id="an old error",
        ),
        pytest.param(
            {},
            {**RAN, "LastErrorCode": "X", "LastFailedEvaluationTime": hours_ago(2)},
            "fail",
            id="invoked, but never evaluated",
        ),
        pytest.param(
            {},
            {"FirstEvaluationStarted": False, "FirstActivatedTime": hours_ago(2)},
            "unknown",
            id="just made",
        ),
        pytest.param(
            {},
            {"FirstEvaluationStarted": False, "FirstActivatedTime": hours_ago(200)},
            "fail",
            id="never ran",
        ),
        pytest.param({}, None, "unknown", id="no status"),
        pytest.param(
            {"Source": {"Owner": "CUSTOM_LAMBDA"}}, None, "pass", id="AWS gives no status of Lambda rules"
        ),
        pytest.param(
            {"CreatedBy": "securityhub.amazonaws.com"}, None, "not_applicable", id="a service's rule"
        ),
    ],
)
def test_rule_health(rule: dict[str, Any], status: dict[str, Any] | None, expected: str) -> None:
    """The account's own rules are active and without an error newer than their last success."""
    statuses = [] if status is None else [{"ConfigRuleName": "r", **status}]
    answers = config(
        a_recorder(),
        on(),
        DescribeConfigRules={"ConfigRules": [a_rule(**rule)]},
        DescribeConfigRuleEvaluationStatus={"ConfigRulesEvaluationStatus": statuses},
    )

    assert verdict(answers, "rules-healthy") == expected


def test_a_new_rule_beside_others_changes_nothing() -> None:
    """A rule that has not run yet leaves the verdict to the others, and failing ones are named."""
    rules = [a_rule("new"), a_rule("good"), a_rule("bad")]
    new = {"ConfigRuleName": "new", "FirstEvaluationStarted": False, "FirstActivatedTime": hours_ago(1)}
    good = {"ConfigRuleName": "good", **RAN}
    bad = {"ConfigRuleName": "bad", **RAN, "LastErrorCode": "Boom", "LastFailedInvocationTime": hours_ago(1)}

    def answers(*statuses: Any) -> Answers:
        listed = {
            "ConfigRules": [
                rule for rule in rules if rule["ConfigRuleName"] in {s["ConfigRuleName"] for s in statuses}
            ]
        }
        done = {"ConfigRulesEvaluationStatus": list(statuses)}
        return config(a_recorder(), on(), DescribeConfigRules=listed, DescribeConfigRuleEvaluationStatus=done)

    assert verdict(answers(new, good), "rules-healthy") == "pass"
    [place] = finding({HOME: answers(new, good, bad)}, "rules-healthy").places
    assert place.reason == "not healthy: bad: Boom"


def test_rules_of_services_are_not_your_own_but_run() -> None:
    """Security Hub's rules do not make a baseline of yours; a required rule may run in a pack."""
    rules = [a_rule("securityhub-x", "ROOT_ACCOUNT_MFA_ENABLED", CreatedBy="securityhub.amazonaws.com")]
    answers = config(a_recorder(), on(), DescribeConfigRules={"ConfigRules": rules})

    assert verdict(answers, "rules-present") == "fail"
    assert verdict(answers, "required-rules") == "not_applicable"
    assert verdict(answers, "required-rules", identifiers=["ROOT_ACCOUNT_MFA_ENABLED"]) == "pass"
    assert verdict(answers, "required-rules", identifiers=["ROOT_ACCOUNT_MFA_ENABLED", "X"]) == "fail"
    answers["DescribeConfigRules"] = {"ConfigRules": [a_rule("x", "X", ConfigRuleState="DELETING")]}
    assert verdict(answers, "required-rules", identifiers=["X"]) == "fail"
    answers["DescribeConfigRules"] = DENIED
    assert verdict(answers, "required-rules", identifiers=["X"]) == "unknown"


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (["CREATE_COMPLETE", "UPDATE_COMPLETE"], "pass"),
        (["CREATE_COMPLETE", "UPDATE_FAILED"], "fail"),
        (["DELETE_FAILED"], "fail"),
        (["CREATE_IN_PROGRESS"], "unknown"),
        (["CREATE_IN_PROGRESS", "CREATE_FAILED"], "fail"),
        ([], "not_applicable"),
    ],
)
def test_pack_states(states: list[str], expected: str) -> None:
    """Every pack is deployed; one that AWS still works on is not decided."""
    names = [f"pack-{index}" for index in range(len(states))]
    answers = config(
        DescribeConformancePacks={
            "ConformancePackDetails": [{"ConformancePackName": name} for name in names]
        },
        DescribeConformancePackStatus={
            "ConformancePackStatusDetails": [
                {
                    "ConformancePackName": name,
                    "ConformancePackState": state,
                    "LastUpdateRequestedTime": hours_ago(1),
                }
                for name, state in zip(names, states, strict=True)
            ]
        },
    )

    assert verdict(answers, "conformance-packs-healthy") == expected


def test_pack_stuck_for_days_is_broken() -> None:
    """What AWS has worked on since last week does not get done."""
    status = {
        "ConformancePackName": "p",
        "ConformancePackState": "CREATE_IN_PROGRESS",
        "LastUpdateRequestedTime": hours_ago(99),
    }
    answers = config(
        DescribeConformancePacks={"ConformancePackDetails": [{"ConformancePackName": "p"}]},
        DescribeConformancePackStatus={"ConformancePackStatusDetails": [status]},
    )

    assert verdict(answers, "conformance-packs-healthy") == "fail"


def two_regions() -> World:
    """An account of two regions, with nothing on and a log archive's bucket."""
    world = World()
    world.account(regions=(HOME, OTHER))
    world.add_bucket("archive", ARCHIVE)
    return world


def recording(world: World, region: str = HOME, **fields: Any) -> Any:
    """A region with a recorder and a channel into the log archive."""
    found = world.account().region(region)
    found.add_recorder(**fields)
    found.add_channel("archive")
    return found


def place(found: dict[str, Finding], check: str, region: str = HOME) -> str:
    """The verdict of a check in a region."""
    [here] = [place for place in found[f"config.{check}"].places if place.region == region]
    return here.verdict.value


@pytest.mark.parametrize(
    ("bucket", "faults", "expected"),
    [
        pytest.param({"owner": ARCHIVE}, [], "pass", id="another account"),
        pytest.param({}, [], "fail", id="same account"),
        pytest.param(None, [], "fail", id="missing"),
        pytest.param(
            {"owner": ARCHIVE},
            [Fault(service="s3", operation="ListBuckets")],
            "unknown",
            id="403 proves nothing",
        ),
    ],
)
def test_bucket(collect: Collect, bucket: dict[str, Any] | None, faults: list[Fault], expected: str) -> None:
    """Whose bucket receives the history; one that is gone receives nothing."""
    world = two_regions()
    world.faults = faults
    recording(world)
    world.account().region(HOME).config["channels"].clear()
    world.account().region(HOME).add_channel("history")
    if bucket is not None:
        world.add_bucket("history", **bucket)

    assert place(judge(collect(world)), "bucket-separate-account") == expected


def test_remediations_of_many_rules_are_asked_in_chunks(collect: Collect) -> None:
    """AWS takes 25 names at a time; Security Hub's rules are not asked about."""
    world = two_regions()
    region = recording(world)
    for number in range(60):
        region.add_rule(f"rule-{number:02}")
    region.add_rule("securityhub-x", CreatedBy="securityhub.amazonaws.com")
    region.add_rule("s3", "S3_BUCKET_PUBLIC_READ_PROHIBITED")
    region.add_remediation("s3")
    world.page_size = 20

    found = judge(collect(world))

    asked = [
        given["ConfigRuleNames"]
        for *_, call, given in world.calls
        if call == "DescribeRemediationConfigurations"
    ]
    assert sorted(len(names) for names in asked) == [11, 25, 25]
    assert not any("securityhub-x" in names for names in asked)
    assert place(found, "remediation") == place(found, "remediation-healthy") == "pass"
    assert place(found, "rules-healthy") == "pass"


@pytest.mark.parametrize(
    ("fields", "executions", "expected"),
    [
        ({}, ["SUCCEEDED"], "pass"),
        ({}, [], "pass"),
        ({}, ["SUCCEEDED", "FAILED"], "fail"),
        ({"TargetId": "Own-Document-That-Is-Gone"}, ["SUCCEEDED"], "fail"),
    ],
)
def test_remediation_health(
    collect: Collect, fields: dict[str, str], executions: list[str], expected: str
) -> None:
    """The document exists, and no last execution failed."""
    world = two_regions()
    region = recording(world)
    region.add_rule("s3", "S3_BUCKET_PUBLIC_READ_PROHIBITED")
    region.add_remediation("s3", **fields)
    region.config["executions"]["s3"] = [
        {"ResourceKey": {"resourceType": "AWS::S3::Bucket", "resourceId": f"b{number}"}, "State": state}
        for number, state in enumerate(executions)
    ]

    found = judge(collect(world))

    assert place(found, "remediation-healthy") == expected
    assert place(found, "remediation-healthy", OTHER) == "not_applicable"


def test_manual_remediation_where_automatic_is_asked(collect: Collect) -> None:
    """With the parameter, a remediation on request is not enough."""
    world = two_regions()
    region = recording(world)
    region.add_rule("s3", "S3_BUCKET_PUBLIC_READ_PROHIBITED")
    region.add_remediation("s3", automatic=False)
    tuned = catalog.builtin().tuned(parameters={"config.remediation": {"automatic": True}})

    seen = collect(world)
    [strict] = evaluate.evaluate(seen, tuned, ids=["config.remediation"])

    assert judge(seen)["config.remediation"].verdict is Verdict.PASS
    assert strict.verdict is Verdict.FAIL
    assert strict.fix and strict.fix.argv
    [changed] = json.loads(strict.fix.argv[0][-3])
    present = region.config["remediations"]["s3"]
    assert changed == {**{name: present[name] for name in present if name != "Arn"}, "Automatic": True}


def organized(*, manager: str = ACCOUNT, admin: str = "", **aggregator: Any) -> World:
    """An organization of two accounts; `admin` administers Config; an aggregator of the default account."""
    world = two_regions()
    world.account(ARCHIVE, regions=(HOME, OTHER))
    delegated = {"config.amazonaws.com": [admin]} if admin else {}
    world.organize(manager, (ARCHIVE if manager == ACCOUNT else ACCOUNT,), delegated=delegated)
    if aggregator:
        status = aggregator.pop("status", "SUCCEEDED")
        source = {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/a", **aggregator}
        add_aggregator(
            world.account().region(OTHER), "org", status=status, OrganizationAggregationSource=source
        )
    return world


@pytest.mark.parametrize(
    ("world", "expected"),
    [
        pytest.param(organized(), "fail n/a fail", id="nothing"),
        pytest.param(
            organized(AllAwsRegions=True), "pass pass fail", id="aggregator in the management account"
        ),
        pytest.param(organized(AwsRegions=[HOME, OTHER]), "pass pass fail", id="every audited region"),
        pytest.param(organized(AwsRegions=[HOME]), "fail pass fail", id="one region"),
        pytest.param(organized(AllAwsRegions=True, status="OUTDATED"), "pass fail fail", id="outdated"),
        pytest.param(organized(AllAwsRegions=True, status="FAILED"), "pass fail fail", id="failed"),
        pytest.param(organized(admin=ARCHIVE), "n/a n/a pass", id="the delegated administrator has it"),
        pytest.param(organized(manager=ARCHIVE), "n/a n/a n/a", id="a member"),
        pytest.param(organized(manager=ARCHIVE, admin=ACCOUNT), "fail n/a pass", id="delegated, nothing"),
        pytest.param(
            organized(manager=ARCHIVE, admin=ACCOUNT, AllAwsRegions=True), "pass pass pass", id="delegated"
        ),
    ],
)
def test_organization(collect: Collect, world: World, expected: str) -> None:
    """Aggregators are judged where they can be; elsewhere the report says where to look."""
    found = judge(collect(world))

    names = ("aggregator", "aggregator-healthy", "delegated-admin")
    verdicts = [found[f"config.{name}"].verdict.value.replace("not_applicable", "n/a") for name in names]
    assert " ".join(verdicts) == expected
    assert all(item.places[0].region is None for name in names for item in [found[f"config.{name}"]])


def test_refused_regions_leave_the_aggregator_open(collect: Collect) -> None:
    """An aggregator may be in the region that would not say."""
    world = organized()
    world.faults = [Fault(service="config", region=OTHER)]

    found = judge(collect(world))

    assert found["config.aggregator"].verdict is Verdict.UNKNOWN
    assert place(found, "recorder-on", OTHER) == "unknown"


NEEDS = {
    "CONFIG_BUCKET": "archive",
    "REMEDIATION_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/fix",
    "AGGREGATOR_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/aggregator",
    "ADMIN_ACCOUNT": ARCHIVE,
}


def nothing() -> World:
    """Config off in both regions."""
    return two_regions()


def half() -> World:
    """A stopped daily recorder of a list with a role and bucket of its own; beside it a recorder without a channel."""
    world = two_regions()
    world.add_bucket("own")
    world.account().add_role("fix", "ssm.amazonaws.com")
    home = world.account().region(HOME)
    home.add_recorder(
        recording=False,
        group=only("AWS::S3::Bucket", "AWS::IAM::Role"),
        frequency="DAILY",
        role=f"arn:aws:iam::{ACCOUNT}:role/own",
    )
    home.add_channel("own", s3KeyPrefix="prefix", snsTopicARN=f"arn:aws:sns:{HOME}:{ACCOUNT}:t")
    home.config["retention"] = [{"Name": "default", "RetentionPeriodInDays": 30}]
    home.add_rule("s3", "S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED")
    world.account().region(OTHER).add_recorder(
        recording=False, group=but("AWS::EC2::Instance", "AWS::IAM::User")
    )
    return world


def too_much() -> World:
    """Both regions record the global types; a history is old because no snapshot is scheduled."""
    world = two_regions()
    recording(world, global_types=True)
    other = recording(world, OTHER, group=but("AWS::EC2::Instance"))
    del other.config["channels"]["default"]["channel"]["configSnapshotDeliveryProperties"]
    status = other.config["channels"]["default"]["status"]
    status["configSnapshotDeliveryInfo"] = {}
    status["configHistoryDeliveryInfo"] = {"lastStatus": "SUCCESS", "lastSuccessfulTime": now(hours=80)}
    return world


def left_over() -> World:
    """A channel whose recorder was deleted, under a name that is not the default."""
    world = two_regions()
    world.account().region(HOME).add_channel("archive", name="old")
    return world


@pytest.mark.parametrize(
    "world",
    [nothing(), half(), too_much(), left_over(), organized(), organized(AwsRegions=[HOME])],
    ids=["nothing", "half", "too-much", "left-over", "organization", "one-region"],
)
def test_printed_fixes_close_the_gaps(mend: Mend, world: World) -> None:
    """Each printed command, run by the real AWS CLI until nothing is left to run, closes its gap."""
    names = [check.id for check in catalog.builtin().checks if check.service == "config"]
    found = mend(world, *names, needs=NEEDS)

    assert {name: item.places for name, item in found.items() if item.verdict is Verdict.FAIL} == {}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names(mend: Mend, name: str) -> None:
    """A recorder, channel, rule or aggregator whose name looks like something else is an argument like any other."""
    world = organized()
    region = world.account().region(HOME)
    region.add_recorder(name, recording=False, group=only("AWS::S3::Bucket"))
    region.add_channel("archive", name=name)
    region.add_rule(name, "S3_BUCKET_PUBLIC_READ_PROHIBITED")
    source = {"RoleArn": NEEDS["AGGREGATOR_ROLE_ARN"], "AwsRegions": [HOME]}
    add_aggregator(region, name, OrganizationAggregationSource=source)
    checks = ("recorder-on", "all-resource-types", "remediation", "aggregator")

    found = mend(world, *(f"config.{check}" for check in checks), needs=NEEDS)

    assert {check: found[f"config.{check}"].verdict for check in checks} == dict.fromkeys(
        checks, Verdict.PASS
    )
    assert list(region.config["recorders"]) == [name]
    assert region.config["recorders"][name]["recorder"]["roleARN"] == LINKED
    assert list(region.config["aggregators"]) == [name]


def test_fix_keeps_what_is_not_its_business(collect: Collect) -> None:
    """A write replaces: the channel keeps its prefix and topic, the recorder its role and mode."""
    seen = collect(half())

    def document(check: str) -> Any:
        [found] = evaluate.evaluate(seen, catalog.builtin(), ids=[f"config.{check}"], needs=NEEDS)
        [fix] = [place.fix for place in found.places if place.region == HOME]
        assert fix and fix.argv
        return json.loads(fix.argv[-1][-3])

    assert document("bucket-separate-account") == {
        "name": "default",
        "s3BucketName": "archive",
        "s3KeyPrefix": "prefix",
        "snsTopicARN": f"arn:aws:sns:{HOME}:{ACCOUNT}:t",
        "configSnapshotDeliveryProperties": {"deliveryFrequency": "TwentyFour_Hours"},
    }
    whole, linked = document("all-resource-types"), document("service-linked-role")
    assert whole["roleARN"].endswith(":role/own")
    assert whole["recordingMode"] == {"recordingFrequency": "DAILY"}
    assert linked["recordingGroup"]["resourceTypes"] == ["AWS::S3::Bucket", "AWS::IAM::Role"]


def test_merged_recorders() -> None:
    """Each change of a recorder leaves the rest of it as it is."""
    mixed = a_recorder(but("AWS::EC2::VPC", "AWS::IAM::User"), DAILY_IAM, arn="arn:x", recordingScope="PAID")

    whole = recorder.recording_everything(mixed, HOME)
    assert recorder.excluded(whole) == ["AWS::IAM::User"]
    assert set(whole) == {"name", "roleARN", "recordingGroup", "recordingMode"}
    assert recorder.global_types(recorder.with_global_types(mixed), HOME) == IAM
    assert all(recorder.continuous(recorder.with_global_types(mixed), kind) for kind in IAM)
    assert recorder.excluded(recorder.with_global_types(mixed)) == ["AWS::EC2::VPC"]
    without = recorder.without_global_types(mixed)
    assert without and recorder.global_types(without, HOME) == []
    assert recorder.without_global_types(a_recorder(only(*IAM))) is None
    daily = recorder.with_global_types(a_recorder(mode={"recordingFrequency": "DAILY"}))
    assert recorder.frequency(daily) == "DAILY" and recorder.overridden(daily, "CONTINUOUS") == IAM


def test_new_recorder_records_global_types_in_one_region_only(collect: Collect) -> None:
    """Of the recorders that the fix makes, the leader's alone has the global IAM types."""
    found = judge(collect(two_regions()))["config.recorder-on"]

    documents = {place.region: place.fix.shell for place in found.places if place.fix}
    assert '"includeGlobalResourceTypes":true' in documents[HOME]
    assert '"includeGlobalResourceTypes":false' in documents[OTHER]


def test_asks_are_the_same_whoever_builds_them() -> None:
    """What is asked for and what is read back are one thing: names sorted, 25 at a time."""
    rules = [a_rule(f"r{number:02}") for number in reversed(range(26))]

    one, two = asks.remediation_asks(rules)

    assert one.params["ConfigRuleNames"] == [f"r{number:02}" for number in range(25)]
    assert two.params["ConfigRuleNames"] == ["r25"]
