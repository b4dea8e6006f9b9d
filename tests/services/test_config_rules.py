"""Config's rules, packs and remediations in depth: triggers, periods, functions, sets, and the organization's own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from postureaudit import catalog, evaluate, services
from postureaudit.evidence import Absent, Answer, Evidence, Record, Refusal
from postureaudit.findings import Finding
from postureaudit.services.config import asks, documents
from tests.conftest import Collect, Mend
from tests.fakeaws import FakeAws, World
from tests.fakeaws.handlers.config import add_organization_pack, add_organization_rule
from tests.fakeaws.world import ACCOUNT, ARCHIVE, now
from tests.services.test_config import (
    AT,
    DENIED,
    HOME,
    HOSTILE,
    OTHER,
    RAN,
    Answers,
    a_recorder,
    a_rule,
    but,
    config,
    everything,
    evidence,
    finding,
    hours_ago,
    on,
    only,
    organized,
    recording,
    two_regions,
    verdict,
)

BUCKET, INSTANCE, USER = "AWS::S3::Bucket", "AWS::EC2::Instance", "AWS::IAM::User"
CHANGE = {"EventSource": "aws.config", "MessageType": "ConfigurationItemChangeNotification"}
DAILY = {"EventSource": "aws.config", "MessageType": "ScheduledNotification"}
FUNCTION = f"arn:aws:lambda:{HOME}:{ACCOUNT}:function:judge"


def scoped(*kinds: str, **fields: Any) -> dict[str, Any]:
    """A Guard rule that only a change of these types triggers."""
    source = {"Owner": "CUSTOM_POLICY", "SourceDetails": [CHANGE]}
    return {**a_rule(Source=source), "Scope": {"ComplianceResourceTypes": list(kinds)}, **fields}


def with_rules(*rules: dict[str, Any], group: Any = None, status: dict[str, Any] | None = None) -> Answers:
    """A region that records `group`, with these rules, each with the same evaluation status."""
    statuses = [
        {"ConfigRuleName": rule["ConfigRuleName"], **(RAN if status is None else status)} for rule in rules
    ]
    return config(
        a_recorder(group or everything()),
        on(),
        DescribeConfigRules={"ConfigRules": list(rules)},
        DescribeConfigRuleEvaluationStatus={"ConfigRulesEvaluationStatus": statuses},
    )


def and_also(found: Evidence, call: str, region: str, outcome: Any, **params: Any) -> Evidence:
    """The evidence with one more answer."""
    body = outcome if isinstance(outcome, Answer | Absent | Refusal) else Answer(outcome)
    record = Record(call=call, params=params, account=ACCOUNT, region=region, at=AT, outcome=body)
    return Evidence(found.header, [*found, record])


def judged(found: Evidence, check: str) -> Finding:
    """What a check of Config says of evidence."""
    [made] = evaluate.evaluate(found, catalog.builtin(), ids=[f"config.{check}"])
    return made


OLD = {"FirstEvaluationStarted": True, "LastSuccessfulEvaluationTime": hours_ago(400)}
LATELY = {**OLD, "LastSuccessfulEvaluationTime": hours_ago(5)}


@pytest.mark.parametrize(
    ("rule", "group", "status", "expected"),
    [
        pytest.param(scoped(BUCKET), everything(), OLD, "pass", id="everything is recorded"),
        pytest.param(scoped(BUCKET), only(BUCKET), OLD, "pass", id="listed"),
        pytest.param(scoped(BUCKET), only(INSTANCE), OLD, "fail", id="not listed"),
        pytest.param(scoped(BUCKET), but(INSTANCE), OLD, "pass", id="not excluded"),
        pytest.param(scoped(BUCKET), but(BUCKET), OLD, "fail", id="excluded"),
        pytest.param(scoped(BUCKET, INSTANCE), only(BUCKET), LATELY, "fail", id="one of two is never seen"),
        pytest.param(scoped(USER), only(BUCKET), OLD, "pass", id="IAM is recorded in one region"),
        pytest.param(
            scoped(BUCKET, MaximumExecutionFrequency="One_Hour"), only(INSTANCE), OLD, "pass", id="periodic"
        ),
        pytest.param(
            {**scoped(BUCKET), "Source": {"Owner": "CUSTOM_LAMBDA", "SourceDetails": [CHANGE, DAILY]}},
            only(INSTANCE),
            OLD,
            "pass",
            id="on change and daily",
        ),
        pytest.param(
            a_rule(Scope={"ComplianceResourceTypes": [BUCKET]}),
            only(INSTANCE),
            LATELY,
            "pass",
            id="a managed rule that is evaluated all the same",
        ),
        pytest.param(
            a_rule(Scope={"ComplianceResourceTypes": [BUCKET]}),
            only(INSTANCE),
            OLD,
            "fail",
            id="a managed rule that is not",
        ),
        pytest.param(a_rule(), only(INSTANCE), OLD, "not_applicable", id="no scope"),
        pytest.param(
            scoped(BUCKET, CreatedBy="x.amazonaws.com"),
            only(INSTANCE),
            OLD,
            "not_applicable",
            id="a service's",
        ),
        pytest.param(
            scoped(BUCKET), {"recordingStrategy": {"useOnly": "NEW"}}, OLD, "unknown", id="a new strategy"
        ),
    ],
)
def test_a_rule_needs_what_it_looks_at(rule: dict[str, Any], group: Any, status: Any, expected: str) -> None:
    """A rule that only a change triggers never sees a type that is not recorded."""
    answers = with_rules(rule, group=group, status=status)

    assert verdict(answers, "rules-can-evaluate") == expected


def test_rules_can_evaluate_names_what_is_missing() -> None:
    """The reason names rule and types; a recorder that is off is another check's gap; a refusal decides nothing."""
    answers = with_rules(scoped(BUCKET, INSTANCE, ConfigRuleName="mine"), group=only("AWS::EC2::VPC"))
    [place] = finding({HOME: answers}, "rules-can-evaluate").places
    off = {
        **answers,
        "DescribeConfigurationRecorderStatus": {"ConfigurationRecordersStatus": [on(recording=False)]},
    }
    managed = with_rules(a_rule(Scope={"ComplianceResourceTypes": [BUCKET]}), group=only(INSTANCE))
    hidden = {**managed, "DescribeConfigRuleEvaluationStatus": DENIED}

    assert "mine: AWS::EC2::Instance, AWS::S3::Bucket" in place.reason
    assert verdict(off, "rules-can-evaluate") == "not_applicable"
    assert verdict(hidden, "rules-can-evaluate") == "unknown"


@pytest.mark.parametrize(
    ("rule", "hours", "expected"),
    [
        pytest.param(a_rule(MaximumExecutionFrequency="TwentyFour_Hours"), 30, "pass", id="a day"),
        pytest.param(a_rule(MaximumExecutionFrequency="TwentyFour_Hours"), 71, "pass", id="late"),
        pytest.param(a_rule(MaximumExecutionFrequency="TwentyFour_Hours"), 73, "fail", id="too late"),
        pytest.param(a_rule(MaximumExecutionFrequency="One_Hour"), 25, "pass", id="an hour, late"),
        pytest.param(a_rule(MaximumExecutionFrequency="One_Hour"), 27, "fail", id="an hour, too late"),
        pytest.param(a_rule(), 9999, "pass", id="no period told"),
        pytest.param(scoped(BUCKET), 9999, "pass", id="on change: nothing changed"),
    ],
)
def test_a_periodic_rule_is_stale_after_two_periods_and_a_day(
    rule: dict[str, Any], hours: float, expected: str
) -> None:
    """What ran long ago against its own period no longer looks."""
    answers = with_rules(rule, status={**RAN, "LastSuccessfulInvocationTime": hours_ago(hours)})
    found = finding({HOME: answers}, "rules-healthy")

    assert found.verdict == expected
    assert expected == "pass" or "has not run for" in found.places[0].reason


def test_idle_rules_are_started_by_what_is_printed(mend: Mend) -> None:
    """Rules that are only late are evaluated again, whatever their names."""
    world = two_regions()
    region = recording(world)
    for name in ("late", *HOSTILE):
        region.add_rule(name, MaximumExecutionFrequency="One_Hour")
        region.config["evaluation"][name]["LastSuccessfulInvocationTime"] = now(hours=60)

    assert mend(world, "config.rules-healthy")["config.rules-healthy"].verdict == "pass"


def test_a_rule_with_an_error_is_not_started() -> None:
    """Beside one with an error, no command is printed: the first thing is what AWS says."""
    late = a_rule("late", MaximumExecutionFrequency="One_Hour")
    answers = with_rules(
        late, a_rule("broken"), status={**RAN, "LastSuccessfulInvocationTime": hours_ago(99)}
    )
    statuses = answers["DescribeConfigRuleEvaluationStatus"]["ConfigRulesEvaluationStatus"]
    statuses[1] |= {"LastErrorCode": "AccessDenied", "LastFailedInvocationTime": hours_ago(1)}
    [place] = finding({HOME: answers}, "rules-healthy").places

    assert place.fix and not place.fix.argv
    assert "late: due every 1 hours" in place.reason and "broken: AccessDenied" in place.reason


def test_the_error_of_a_rule_is_in_the_reason() -> None:
    """AWS's code and message, so that nobody must ask again."""
    error = {"LastErrorCode": "AccessDenied", "LastErrorMessage": "no lambda:InvokeFunction"}
    answers = with_rules(a_rule(), status={**RAN, **error, "LastFailedInvocationTime": hours_ago(1)})

    [place] = finding({HOME: answers}, "rules-healthy").places
    assert "r: AccessDenied (no lambda:InvokeFunction)" in place.reason


@pytest.mark.parametrize(
    ("arn", "outcome", "expected"),
    [
        (FUNCTION, {"State": "Active"}, "pass"),
        (FUNCTION, {"State": "Failed"}, "fail"),
        (FUNCTION, Absent("ResourceNotFoundException"), "fail"),
        (FUNCTION, DENIED, "unknown"),
        (f"{FUNCTION}:live", Absent("ResourceNotFoundException"), "fail"),
        (FUNCTION.replace(ACCOUNT, ARCHIVE), None, "pass"),
        ("no-arn", None, "pass"),
    ],
)
def test_function_of_a_custom_rule(arn: str, outcome: Any, expected: str) -> None:
    """A rule whose function is gone shows its last result for ever; another account's function is not looked at."""
    rule = a_rule(Source={"Owner": "CUSTOM_LAMBDA", "SourceIdentifier": arn, "SourceDetails": [CHANGE]})
    answers = with_rules(rule)
    answers["DescribeConfigRuleEvaluationStatus"] = {"ConfigRulesEvaluationStatus": []}
    found = evidence({HOME: answers})
    ask = asks.function_ask(arn, ACCOUNT)
    assert (ask is None) == (outcome is None)
    if ask is not None:
        found = and_also(found, ask.call, str(ask.region), outcome, **ask.params)

    assert judged(found, "rules-healthy").verdict == expected


@pytest.mark.parametrize(
    ("rules", "identifiers", "expected"),
    [
        ([], [], "not_applicable"),
        ([a_rule()], ["CLOUD_TRAIL_ENABLED"], "pass"),
        ([a_rule(CreatedBy="config-conforms.amazonaws.com")], ["CLOUD_TRAIL_ENABLED"], "pass"),
        ([a_rule(ConfigRuleState="DELETING")], ["CLOUD_TRAIL_ENABLED"], "fail"),
        ([a_rule(ConfigRuleState="DELETING_RESULTS")], ["CLOUD_TRAIL_ENABLED"], "pass"),
        ([a_rule()], ["CLOUD_TRAIL_ENABLED", "ENCRYPTED_VOLUMES"], "fail"),
        ([a_rule()], ["detection-and-response"], "fail"),
        (
            [
                a_rule(name, name)
                for name in catalog.builtin().check("config.required-rules").sets["detection-and-response"]
            ],
            ["detection-and-response"],
            "pass",
        ),
    ],
)
def test_required_rules(rules: list[Any], identifiers: list[str], expected: str) -> None:
    """By identifier or by the set's name, whoever deployed them; a rule that is being deleted is none."""
    assert verdict(with_rules(*rules), "required-rules", identifiers=identifiers) == expected


@pytest.mark.parametrize(
    ("identifier", "region"),
    [
        ("GUARDDUTY_ENABLED_CENTRALIZED", "mx-central-1"),
        ("IAM_ROOT_ACCESS_KEY_CHECK", "eu-central-2"),
        ("ROOT_ACCOUNT_MFA_ENABLED", "us-gov-west-1"),
    ],
)
def test_required_rule_that_aws_does_not_offer_there(identifier: str, region: str) -> None:
    """In a region without a rule nobody can be asked to deploy it."""
    answers = {name: with_rules() for name in (HOME, region)}
    found = finding(answers, "required-rules", identifiers=[identifier])

    assert {place.region: place.verdict.value for place in found.places} == {HOME: "fail", region: "pass"}


@pytest.mark.parametrize(("region", "has"), [(HOME, True), ("eu-central-2", False)])
def test_pack_has_no_rule_that_its_region_lacks(region: str, has: bool) -> None:
    """AWS deploys no pack with such a rule."""
    template = json.dumps(documents.DOCUMENTS["config_pack"]({"RecordingRegion": region}))

    assert ("IAM_ROOT_ACCESS_KEY_CHECK" in template) is has
    assert "S3_BUCKET_PUBLIC_READ_PROHIBITED" in template


def test_rule_that_is_being_deleted_is_not_the_accounts_own() -> None:
    """A region whose last rule is going has none."""
    assert verdict(with_rules(a_rule(ConfigRuleState="DELETING")), "rules-present") == "fail"
    assert verdict(with_rules(a_rule(RuleEvaluationVisibility="INTERNAL")), "rules-present") == "fail"


@pytest.mark.parametrize(
    ("names", "wanted", "expected"),
    [
        ([], [], "not_applicable"),
        (["baseline"], ["baseline"], "pass"),
        (["OrgConformsPack-baseline-1a2b3c4d"], ["baseline"], "pass"),
        (["OrgConformsPack-baseline-two-1a2b3c4d"], ["baseline"], "fail"),
        (["baseline"], ["baseline", "cis"], "fail"),
    ],
)
def test_required_packs(names: list[str], wanted: list[str], expected: str) -> None:
    """A pack is required by its name, or by the name that the organization gave it."""
    packs = {"ConformancePackDetails": [{"ConformancePackName": name} for name in names]}
    answers = config(a_recorder(), on(), DescribeConformancePacks=packs)
    found = finding({HOME: answers}, "required-packs", names=wanted)

    assert found.verdict == expected
    assert expected != "fail" or wanted[-1] in found.places[0].reason.partition(";")[0]


def test_failed_pack_of_the_organization_is_called_so() -> None:
    """The reader looks where it was deployed from."""
    name = "OrgConformsPack-baseline-1a2b3c4d"
    answers = config(
        a_recorder(),
        on(),
        DescribeConformancePacks={"ConformancePackDetails": [{"ConformancePackName": name}]},
        DescribeConformancePackStatus={
            "ConformancePackStatusDetails": [
                {"ConformancePackName": name, "ConformancePackState": "CREATE_FAILED"}
            ]
        },
    )

    [place] = finding({HOME: answers}, "conformance-packs-healthy").places
    assert f"{name} (the organization's): CREATE_FAILED" in place.reason


@pytest.mark.parametrize(
    ("group", "types", "expected"),
    [
        pytest.param(everything(), None, "pass", id="everything"),
        pytest.param(only(BUCKET), None, "fail", id="a list without the AI types"),
        pytest.param(only(BUCKET, INSTANCE), [BUCKET], "pass", id="a list with what is wanted"),
        pytest.param(but(INSTANCE), None, "pass", id="another type is left out"),
        pytest.param(but("AWS::SageMaker::Model"), None, "fail", id="one of them is left out"),
        pytest.param(only(BUCKET), [], "not_applicable", id="nothing required"),
        pytest.param({"recordingStrategy": {"useOnly": "NEW"}}, None, "unknown", id="a new strategy"),
        pytest.param({"allSupported": False}, None, "unknown", id="AWS does not say"),
    ],
)
def test_required_types(group: Any, types: list[str] | None, expected: str) -> None:
    """Who records a list records what matters; by default the AI and ML types."""
    given = {} if types is None else {"types": types}

    assert verdict(config(a_recorder(group), on()), "required-types", **given) == expected


ROLE = f"arn:aws:iam::{ACCOUNT}:role/service/Fix"


def remediated(document: Any, role: Any = None, ran: Any = None, **fields: Any) -> Evidence:
    """A rule with a remediation, and what AWS says of its document, its role and its executions."""
    remediation = {
        "ConfigRuleName": "r",
        "TargetType": "SSM_DOCUMENT",
        "TargetId": "Own",
        "Automatic": True,
        **fields,
    }
    if role is not None:
        remediation["Parameters"] = {"AutomationAssumeRole": {"StaticValue": {"Values": [ROLE]}}}
    found = evidence({HOME: with_rules(a_rule())})
    listed = {"RemediationConfigurations": [remediation]}
    found = and_also(found, "config:DescribeRemediationConfigurations", HOME, listed, ConfigRuleNames=["r"])
    for ask, outcome in (
        (asks.document_ask(remediation), document),
        (asks.execution_ask(remediation), {"RemediationExecutionStatuses": ran or []}),
        (asks.assumed_role_ask(remediation, ACCOUNT, HOME), role),
    ):
        if ask is not None:
            found = and_also(found, ask.call, HOME, outcome, **ask.params)
    return found


ACTIVE: dict[str, Any] = {"Document": {"Status": "Active", "DocumentType": "Automation"}}
FAILED = {
    "State": "FAILED",
    "StepDetails": [
        {"Name": "Check", "State": "SUCCEEDED"},
        {"Name": "Block", "State": "FAILED", "ErrorMessage": "no s3"},
    ],
}


@pytest.mark.parametrize(
    ("found", "expected", "said"),
    [
        pytest.param(remediated(ACTIVE), "pass", "", id="well"),
        pytest.param(remediated(ACTIVE, {"Role": {"RoleName": "Fix"}}), "pass", "", id="with a role"),
        pytest.param(
            remediated(ACTIVE, Absent("NoSuchEntity")),
            "fail",
            "role Fix does not exist",
            id="its role is gone",
        ),
        pytest.param(remediated(ACTIVE, DENIED), "unknown", "iam:GetRole", id="its role is hidden"),
        pytest.param(
            remediated(Absent("InvalidDocument"), TargetVersion="7"),
            "fail",
            "version 7 does not exist",
            id="its version is gone",
        ),
        pytest.param(
            remediated({"Document": {"Status": "Failed"}}),
            "fail",
            "document Own is Failed",
            id="its document failed",
        ),
        pytest.param(
            remediated({"Document": {"Status": "Active", "DocumentType": "Command"}}),
            "fail",
            "not Automation",
            id="a command",
        ),
        pytest.param(
            remediated(ACTIVE, ran=[FAILED]), "fail", "failed in step Block (no s3)", id="a failed step"
        ),
        pytest.param(remediated(DENIED, ran=[FAILED]), "fail", "step Block", id="failed, whatever is hidden"),
    ],
)
def test_remediation_in_depth(found: Evidence, expected: str, said: str) -> None:
    """Document, version, kind, role and the last step, each named in the reason."""
    result = judged(found, "remediation-healthy")

    assert (result.verdict, said in result.places[0].reason) == (expected, True), result.places[0].reason


def deploying(*, admin: str = "", manager: str = ACCOUNT) -> World:
    """An organization whose default account records; `admin` deploys rules and packs."""
    world = organized(manager=manager)
    if admin and world.organization:
        world.organization["Delegated"]["config-multiaccountsetup.amazonaws.com"] = [admin]
    recording(world)
    return world


def deployments(collect: Collect, world: World) -> Finding:
    """What config.organization-deployments says of the default account of a world."""
    wanted = catalog.calls(catalog.builtin(), ["config.organization-deployments"], services.types())
    return judged(collect(world, wanted=wanted), "organization-deployments")


def test_deployments_of_the_organization(collect: Collect) -> None:
    """Packs and rules of all regions; the reason names region, status, account and AWS's error."""
    world = deploying()
    add_organization_pack(world.account().region(OTHER), "baseline")
    add_organization_rule(world.account().region(HOME), "trails")
    assert deployments(collect, world).verdict == "pass"

    add_organization_pack(
        world.account().region(OTHER),
        "stuck",
        "UPDATE_FAILED",
        **{f"a{ARCHIVE}": "UPDATE_FAILED", "a1": "CREATE_SUCCESSFUL"},
    )
    add_organization_rule(
        world.account().region(HOME), "odd", "CREATE_FAILED", **{f"a{ARCHIVE}": "CREATE_FAILED"}
    )
    found = deployments(collect, world)
    assert found.verdict == "fail"
    for said in (
        f"pack stuck in {OTHER}: UPDATE_FAILED in {ARCHIVE} (NoRecorder)",
        f"rule odd in {HOME}: CREATE_FAILED in {ARCHIVE} (NoRecorder)",
    ):
        assert said in found.places[0].reason


@pytest.mark.parametrize(
    ("packs", "rules", "expected"),
    [
        pytest.param([], [], "not_applicable", id="none"),
        pytest.param([("a", "CREATE_SUCCESSFUL", 9)], [], "pass", id="deployed"),
        pytest.param([("a", "UPDATE_IN_PROGRESS", 2)], [], "unknown", id="on its way"),
        pytest.param([("a", "UPDATE_IN_PROGRESS", 40)], [], "fail", id="stuck"),
        pytest.param(DENIED, [], "unknown", id="hidden"),
        pytest.param(
            DENIED,
            [{"OrganizationConfigRuleName": "r", "OrganizationRuleStatus": "DELETE_FAILED"}],
            "fail",
            id="hidden beside a gap",
        ),
        pytest.param(
            Absent("OrganizationAccessDeniedException"),
            Absent("OrganizationAccessDeniedException"),
            "not_applicable",
            id="not from here",
        ),
    ],
)
def test_deployments_in_the_management_account(packs: Any, rules: Any, expected: str) -> None:
    """What AWS works on for less than a day is undecided; a refusal hides what it may hide."""
    found = evidence({HOME: config()})
    us = {"Organization": {"Id": "o-1", "MasterAccountId": ACCOUNT}}
    found = and_also(found, "organizations:DescribeOrganization", HOME, us)
    for principal in ("config.amazonaws.com", asks.MULTI_ACCOUNT):
        nobody = {"DelegatedAdministrators": []}
        call = "organizations:ListDelegatedAdministrators"
        found = and_also(found, call, HOME, nobody, ServicePrincipal=principal)
    if isinstance(packs, list):
        listed = [
            {"OrganizationConformancePackName": name, "Status": status, "LastUpdateTime": hours_ago(hours)}
            for name, status, hours in packs
        ]
        packs = {"OrganizationConformancePackStatuses": listed}
    rules = {"OrganizationConfigRuleStatuses": rules} if isinstance(rules, list) else rules
    found = and_also(found, asks.ORGANIZATION_PACKS.call, HOME, packs)
    found = and_also(found, asks.ORGANIZATION_RULES.call, HOME, rules)

    assert judged(found, "organization-deployments").verdict == expected


def test_deployments_seen_by_a_member(collect: Collect) -> None:
    """A member is sent to the management account; the delegated administrator is judged itself."""
    member = deployments(collect, deploying(manager=ARCHIVE))
    assert (member.verdict, member.places[0].reason) == (
        "not_applicable",
        f"look in the management account {ARCHIVE}",
    )

    world = deploying(manager=ARCHIVE, admin=ACCOUNT)
    add_organization_pack(world.account().region(HOME), "baseline", "CREATE_FAILED")
    assert deployments(collect, world).verdict == "fail"


def test_required_rules_are_deployed_by_what_is_printed(
    collect: Collect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The printed commands, run by the real AWS CLI, add the missing rules; a rule of that name stays what it is."""
    from awscli.clidriver import create_clidriver

    world = two_regions()
    region = recording(world)
    region.add_rule("cloud-trail-enabled", "ENCRYPTED_VOLUMES")
    required = {"identifiers": ["CLOUD_TRAIL_ENABLED", "SECURITYHUB_ENABLED"]}
    tuned = catalog.builtin().tuned(parameters={"config.required-rules": required})
    ids = ["config.required-rules"]
    wanted = catalog.calls(tuned, ids, services.types())

    [before] = evaluate.evaluate(collect(world, wanted=wanted, only=[HOME]), tuned, ids=ids)
    assert before.fix and before.fix.argv and len(before.fix.argv) == 2
    with FakeAws(world) as aws:
        for key, value in aws.env().items():
            if key.startswith("AWS_"):
                monkeypatch.setenv(key, value)
        driver = create_clidriver()
        for argv in before.fix.argv:
            assert driver.main(list(argv[1:])) == 0
    [after] = evaluate.evaluate(collect(world, wanted=wanted, only=[HOME]), tuned, ids=ids)

    assert after.verdict == "pass"
    assert region.config["rules"]["cloud-trail-enabled"]["Source"]["SourceIdentifier"] == "ENCRYPTED_VOLUMES"
    assert (
        region.config["rules"]["cloud-trail-enabled-2"]["Source"]["SourceIdentifier"] == "CLOUD_TRAIL_ENABLED"
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text(name: str) -> None:
    """A rule or function whose name looks like something else is named, and never part of a command of its own."""
    answers = with_rules(scoped(BUCKET, ConfigRuleName=name), group=only(INSTANCE))
    [place] = finding({HOME: answers}, "rules-can-evaluate").places

    assert place.reason.endswith(f"{name}: {BUCKET}")
    assert place.fix and place.fix.argv and all(name not in argv for argv in place.fix.argv)
    required = finding({HOME: answers}, "required-rules", identifiers=[name])
    assert not (required.fix and required.fix.argv)


def test_required_rules_that_nobody_knows_are_steps() -> None:
    """A managed rule whose parameters are not known here is named, not deployed."""
    [place] = finding(
        {HOME: with_rules()}, "required-rules", identifiers=["ENCRYPTED_VOLUMES", "REQUIRED_TAGS"]
    ).places

    assert place.fix and not place.fix.argv
    assert "ENCRYPTED_VOLUMES, REQUIRED_TAGS" in place.fix.steps[0]
