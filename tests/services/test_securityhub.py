"""Security Hub judged by meaning: standards that check, controls that are on, rules that hide, and members."""

from __future__ import annotations

import json
from typing import Any

import pytest

from postureaudit import catalog, evaluate, services
from postureaudit.evidence import (
    Account,
    Answer,
    Evidence,
    Header,
    Json,
    Outcome,
    Record,
    Refusal,
    RefusalKind,
    Regions,
)
from postureaudit.findings import Finding, Verdict
from postureaudit.services.securityhub.automation import is_unsafe
from tests.conftest import Collect, Mend, judge
from tests.fakeaws import Fault, World
from tests.fakeaws.handlers.securityhub import aggregator
from tests.fakeaws.world import ACCOUNT, ARCHIVE, CIS_1, CIS_3, FSBP, NIST, Region

MEMBER = "222233334444"
WEST, EAST = "eu-west-1", "us-east-1"
AT = "2026-12-01T12:00:00Z"
DENIED = Refusal(RefusalKind.DENIED, code="AccessDeniedException")


def seen(*records: tuple[str, dict[str, Json], Json], region: str = WEST) -> Evidence:
    """Evidence of one region whose hub is on: (call, parameters, answer or outcome)."""
    known = {("securityhub:DescribeHub", "{}"): ({}, {"HubArn": "h", "AutoEnableControls": True})}
    known |= {(call, json.dumps(params)): (params, found) for call, params, found in records}
    header = Header(
        tool_version="0",
        started=AT,
        ended=AT,
        partition="aws",
        caller="arn:aws:iam::111122223333:user/a",
        accounts=(Account(id=ACCOUNT),),
        regions=Regions(audited=(region,)),
        leader=EAST,
    )
    outcomes: dict[tuple[str, str], Outcome] = {
        key: found if isinstance(found, Refusal) else Answer(found) for key, (_, found) in known.items()
    }
    return Evidence(
        header,
        [
            Record(call=key[0], params=known[key][0], account=ACCOUNT, region=region, at=AT, outcome=outcome)
            for key, outcome in outcomes.items()
        ],
    )


def subscription(name: str, status: str = "READY", **more: Json) -> dict[str, Json]:
    """A standards subscription as GetEnabledStandards gives it."""
    standard = f"arn:aws:securityhub:{WEST}::standards/{name}"
    if name == CIS_1:
        standard = f"arn:aws:securityhub:::ruleset/{name}"
    return {
        "StandardsArn": standard,
        "StandardsSubscriptionArn": f"arn:aws:securityhub:{WEST}:{ACCOUNT}:subscription/{name}",
        "StandardsStatus": status,
        **more,
    }


def enabled(*subscriptions: dict[str, Json]) -> tuple[str, dict[str, Json], Json]:
    return ("securityhub:GetEnabledStandards", {}, {"StandardsSubscriptions": list(subscriptions)})


def verdicts(finding: Finding) -> dict[str | None, str]:
    return {place.region: place.verdict.value for place in finding.places}


CIS_5 = "cis-aws-foundations-benchmark/v/5.0.0"
CIS_14 = "cis-aws-foundations-benchmark/v/1.4.0"


@pytest.mark.parametrize(
    ("subscriptions", "fsbp", "cis", "ready"),
    [
        pytest.param([], "fail", "fail", "fail", id="integrations only"),
        pytest.param([subscription(FSBP), subscription(CIS_3)], "pass", "pass", "pass", id="both"),
        pytest.param([subscription(FSBP), subscription(CIS_5)], "pass", "pass", "pass", id="newer CIS"),
        pytest.param([subscription(FSBP), subscription(CIS_1)], "pass", "fail", "pass", id="CIS 1.2.0"),
        pytest.param([subscription(CIS_14), subscription(CIS_5)], "fail", "pass", "pass", id="two CIS"),
        pytest.param([subscription(FSBP, "INCOMPLETE")], "fail", "fail", "fail", id="incomplete"),
        pytest.param([subscription(FSBP, "FAILED")], "fail", "fail", "fail", id="failed"),
        pytest.param([subscription(FSBP, "DELETING")], "fail", "fail", "fail", id="being disabled"),
        pytest.param([subscription(FSBP, "PENDING")], "unknown", "fail", "unknown", id="being set up"),
        pytest.param([subscription(CIS_5, "PENDING")], "fail", "unknown", "unknown", id="CIS being set up"),
        pytest.param(
            [subscription(CIS_3), subscription(CIS_5, "PENDING")],
            "fail",
            "pass",
            "unknown",
            id="one is enough",
        ),
        pytest.param([subscription(FSBP, "LIMBO")], "unknown", "fail", "unknown", id="a status AWS adds"),
        pytest.param([subscription(FSBP, Provider="Azure")], "fail", "fail", "fail", id="for Azure only"),
    ],
)
def test_standards(subscriptions: list[dict[str, Json]], fsbp: str, cis: str, ready: str) -> None:
    """A standard counts when it is READY; one that AWS is still setting up proves nothing."""
    found = judge(seen(enabled(*subscriptions)))

    assert found["securityhub.standard-fsbp"].verdict == fsbp
    assert found["securityhub.standard-cis"].verdict == cis
    assert found["securityhub.standards-ready"].verdict == ready


@pytest.mark.parametrize(
    ("wanted", "subscriptions", "verdict"),
    [
        ([], [], "not_applicable"),
        ([NIST], [subscription(NIST)], "pass"),
        ([NIST, "pci-dss/v/4.0.1"], [subscription(NIST)], "fail"),
        ([NIST], [subscription(NIST, "INCOMPLETE")], "fail"),
        ([NIST], [subscription(NIST, "PENDING")], "unknown"),
        ([CIS_1], [subscription(CIS_1)], "pass"),
    ],
)
def test_required_standards(wanted: list[str], subscriptions: list[dict[str, Json]], verdict: str) -> None:
    """Each required standard must be ready; without the parameter the check does not apply."""
    checks = catalog.builtin().tuned(parameters={"securityhub.required-standards": {"standards": wanted}})

    [finding] = evaluate.evaluate(
        seen(enabled(*subscriptions)), checks, ids=["securityhub.required-standards"]
    )

    assert finding.verdict == verdict


def control(name: str, status: str = "ENABLED", severity: str = "CRITICAL", **more: Json) -> dict[str, Json]:
    """A control as DescribeStandardsControls gives it."""
    return {
        "StandardsControlArn": f"arn:aws:securityhub:{WEST}:{ACCOUNT}:control/{FSBP}/{name}",
        "ControlId": name,
        "ControlStatus": status,
        "SeverityRating": severity,
        **more,
    }


def listed(*controls: dict[str, Json], standard: str = FSBP) -> tuple[str, dict[str, Json], Json]:
    arn = f"arn:aws:securityhub:{WEST}:{ACCOUNT}:subscription/{standard}"
    params = {"StandardsSubscriptionArn": arn}
    return ("securityhub:DescribeStandardsControls", params, {"Controls": list(controls)})


SHUT = {"StandardsControlsUpdatable": "NOT_READY_FOR_UPDATES"}
FRESH = {"ControlStatusUpdatedAt": "2026-11-29T12:00:00Z"}
OLD = {"ControlStatusUpdatedAt": "2026-10-01T12:00:00Z"}


@pytest.mark.parametrize(
    ("subscriptions", "controls", "verdict"),
    [
        pytest.param([subscription(FSBP)], [control("IAM.4")], "pass", id="on"),
        pytest.param([subscription(FSBP)], [control("IAM.4", "DISABLED", **OLD)], "fail", id="off"),
        pytest.param(
            [subscription(FSBP)],
            [control("IAM.4", "DISABLED", DisabledReason="n/a", **FRESH)],
            "fail",
            id="off with a reason",
        ),
        pytest.param(
            [subscription(FSBP)],
            [control("IAM.4", "DISABLED", **FRESH)],
            "unknown",
            id="new, AWS turns it on",
        ),
        pytest.param(
            [subscription(FSBP)],
            [control("S3.1", "DISABLED", "HIGH", **OLD), control("IAM.4")],
            "pass",
            id="off and not critical",
        ),
        pytest.param([subscription(FSBP)], [], "unknown", id="an empty list is no answer"),
        pytest.param([subscription(FSBP, **SHUT)], [], "unknown", id="not ready for updates"),
        pytest.param(
            [subscription(FSBP, **SHUT), subscription(CIS_3)], [control("IAM.4")], "unknown", id="one is not"
        ),
        pytest.param([subscription(FSBP, "INCOMPLETE", **SHUT)], [], "not_applicable", id="none runs"),
        pytest.param([], [], "not_applicable", id="no standard"),
        pytest.param([subscription(FSBP, Provider="GCP")], [], "not_applicable", id="for GCP only"),
    ],
)
def test_critical_controls(
    subscriptions: list[dict[str, Json]], controls: list[dict[str, Json]], verdict: str
) -> None:
    """A critical control that is off is a gap; what AWS does not list is not "none is off"."""
    standard = (
        subscriptions[-1]["StandardsSubscriptionArn"].partition("subscription/")[2] if subscriptions else ""
    )

    found = judge(seen(enabled(*subscriptions), listed(*controls, standard=standard)))

    assert found["securityhub.critical-controls-on"].verdict == verdict


def equals(*values: str, comparison: str = "EQUALS") -> list[dict[str, str]]:
    return [{"Value": value, "Comparison": comparison} for value in values]


SUPPRESS = {"Workflow": {"Status": "SUPPRESSED"}}


@pytest.mark.parametrize(
    ("criteria", "update", "unsafe"),
    [
        pytest.param({}, SUPPRESS, True, id="everything"),
        pytest.param({"ProductName": equals("GuardDuty")}, SUPPRESS, True, id="a whole product"),
        pytest.param({"SeverityLabel": equals("CRITICAL", "HIGH")}, SUPPRESS, True, id="by severity"),
        pytest.param({"SeverityLabel": equals("LOW", "INFORMATIONAL")}, SUPPRESS, False, id="low ones"),
        pytest.param(
            {"SeverityLabel": equals("LOW", comparison="NOT_EQUALS")}, SUPPRESS, True, id="all but low"
        ),
        pytest.param(
            {"SeverityLabel": equals("CRITICAL", comparison="NOT_EQUALS")}, SUPPRESS, False, id="spared"
        ),
        pytest.param({"SeverityLabel": equals("CRIT", comparison="PREFIX")}, SUPPRESS, True, id="by prefix"),
        pytest.param({"ComplianceStatus": equals("PASSED")}, SUPPRESS, False, id="passed checks"),
        pytest.param({"ComplianceStatus": equals("FAILED")}, SUPPRESS, True, id="failed checks"),
        pytest.param({"RecordState": equals("ARCHIVED")}, SUPPRESS, False, id="archived ones"),
        pytest.param({"WorkflowStatus": equals("NEW")}, SUPPRESS, True, id="new ones"),
        pytest.param({"WorkflowStatus": equals("RESOLVED")}, SUPPRESS, False, id="resolved ones"),
        pytest.param({"AwsAccountId": equals(MEMBER)}, SUPPRESS, False, id="one account"),
        pytest.param(
            {"AwsAccountId": equals(MEMBER, comparison="NOT_EQUALS")},
            SUPPRESS,
            True,
            id="all accounts but one",
        ),
        pytest.param(
            {"ResourceId": equals("arn:aws:", comparison="PREFIX")}, SUPPRESS, True, id="every ARN begins so"
        ),
        pytest.param(
            {"ResourceId": equals("arn:aws:s3:::x", comparison="PREFIX")}, SUPPRESS, False, id="one bucket"
        ),
        pytest.param({"Title": equals("Root login")}, SUPPRESS, False, id="one title"),
        pytest.param(
            {"ResourceTags": [{"Key": "env", "Value": "a", "Comparison": "EQUALS"}]},
            SUPPRESS,
            False,
            id="one tag",
        ),
        pytest.param({}, {"Workflow": {"Status": "RESOLVED"}}, True, id="resolves"),
        pytest.param({}, {"Severity": {"Label": "LOW"}}, True, id="lowers"),
        pytest.param({}, {"Severity": {"Normalized": 40}}, True, id="lowers by number"),
        pytest.param({}, {"Severity": {"Label": "CRITICAL"}}, False, id="raises"),
        pytest.param({}, {"Workflow": {"Status": "NOTIFIED"}}, False, id="only marks"),
        pytest.param({}, {"UserDefinedFields": {"team": "a"}}, False, id="only adds"),
    ],
)
def test_automation_rules(criteria: dict[str, Any], update: dict[str, Any], unsafe: bool) -> None:
    """A rule is unsafe when it hides open critical findings and names only kinds of findings."""
    actions = [{"Type": "FINDING_FIELDS_UPDATE", "FindingFieldsUpdate": update}]
    rule = {"RuleStatus": "ENABLED", "Criteria": criteria, "Actions": actions}

    assert is_unsafe(rule, "aws") is unsafe
    assert is_unsafe({**rule, "RuleStatus": "DISABLED"}, "aws") is False


@pytest.mark.parametrize(
    "name", ["--debug", "file:///etc/passwd", "x,roleARN=arn:aws:iam::6:role/e", "[/]", "a'b$(x)"]
)
def test_unsafe_rule_is_turned_off_whatever_its_name(mend: Mend, name: str) -> None:
    """The gap names the rule as text; the command knows it by its ARN only, and closes the gap."""
    world = small()
    rules = world.account().region(WEST)
    rules.add_hub()
    rules.add_automation_rule(name, {"ProductName": equals("GuardDuty")})
    rules.add_automation_rule("fine", {"Title": equals("Root login")})

    found = mend(world, "securityhub.automation-rules-safe")

    assert found["securityhub.automation-rules-safe"].verdict is Verdict.PASS
    assert [item["RuleStatus"] for item in rules.securityhub["automation_rules"]] == ["DISABLED", "ENABLED"]


def test_rule_left_unprocessed_is_unknown() -> None:
    """A rule that is listed and not described may be the one that hides: no pass."""
    arn = f"arn:aws:securityhub:{WEST}:{ACCOUNT}:automation-rule/1"
    rules = {"AutomationRulesMetadata": [{"RuleArn": arn, "RuleStatus": "ENABLED"}]}
    found = judge(
        seen(
            ("securityhub:ListAutomationRules", {}, rules),
            ("securityhub:BatchGetAutomationRules", {"AutomationRulesArns": [arn]}, {"Rules": []}),
            ("securityhub:GetAdministratorAccount", {}, {}),
        )
    )

    assert found["securityhub.automation-rules-safe"].verdict is Verdict.UNKNOWN


def small(*, account: str = ACCOUNT) -> World:
    """A world whose account has two regions."""
    world = World(default=account)
    world.account(account, regions=(EAST, WEST))
    return world


def both(world: World, account: str = ACCOUNT) -> list[Region]:
    return list(world.account(account).regions.values())


def test_off_refused_and_on(collect: Collect) -> None:
    """Off is a gap in its region, refused is unknown, and a hub's own checks apply only where it is on."""
    world = small()
    world.account().region(WEST).add_hub()
    off = judge(collect(world))
    world.faults.append(Fault(service="securityhub", operation="DescribeHub", region=EAST))
    refused = judge(collect(world))

    assert verdicts(off["securityhub.enabled"]) == {EAST: "fail", WEST: "pass"}
    assert verdicts(off["securityhub.standard-fsbp"]) == {WEST: "pass"}
    assert verdicts(refused["securityhub.enabled"]) == {EAST: "unknown", WEST: "pass"}
    assert verdicts(refused["securityhub.standard-fsbp"]) == {EAST: "unknown", WEST: "pass"}


def test_hub_that_is_off_is_asked_nothing_more(collect: Collect) -> None:
    """Where the hub is off, one call says so; V2 is asked on its own."""
    world = small()
    collect(world)

    asked = {call[3] for call in world.calls if call[2] == "securityhub"}
    assert asked == {"DescribeHub", "DescribeSecurityHubV2"}


LINKED = "AWSConfigurationRecorderForSecurityHubCSPM"


@pytest.mark.parametrize(
    ("recorder", "faults", "verdict"),
    [
        pytest.param(None, [], "fail", id="none"),
        pytest.param({}, [], "pass", id="the account's"),
        pytest.param({"recording": False}, [], "fail", id="stopped"),
        pytest.param(
            {"name": LINKED, "servicePrincipal": "securityhub.amazonaws.com"}, [], "pass", id="its own"
        ),
        pytest.param(
            {"name": "AWSConfigurationRecorderForX", "servicePrincipal": "x.amazonaws.com"},
            [],
            "fail",
            id="of another",
        ),
        pytest.param(
            {"recording": False}, [Fault(operation="ListConfigurationRecorders")], "unknown", id="its own?"
        ),
        pytest.param(
            {}, [Fault(operation="ListConfigurationRecorders")], "pass", id="the account's is enough"
        ),
    ],
)
def test_needs_config(
    collect: Collect, recorder: dict[str, Any] | None, faults: list[Fault], verdict: str
) -> None:
    """Config records with the account's recorder, or with the one that Security Hub keeps for itself."""
    world = small()
    world.faults = list(faults)
    region = world.account().region(WEST)
    region.add_hub()
    if recorder is not None:
        region.add_recorder(**recorder)

    assert judge(collect(world))["securityhub.needs-config"].verdict == verdict


@pytest.mark.parametrize(
    ("fields", "links", "everything"),
    [
        pytest.param(None, "fail", "not_applicable", id="none"),
        pytest.param({}, "pass", "pass", id="all regions"),
        pytest.param({"RegionLinkingMode": "NO_REGIONS"}, "fail", "not_applicable", id="links nothing"),
        pytest.param(
            {"RegionLinkingMode": "SPECIFIED_REGIONS", "Regions": [EAST]},
            "pass",
            "fail",
            id="a list of regions",
        ),
        pytest.param(
            {"RegionLinkingMode": "ALL_REGIONS_EXCEPT_SPECIFIED", "Regions": [EAST]},
            "pass",
            "fail",
            id="but one",
        ),
        pytest.param(
            {"RegionLinkingMode": "ALL_REGIONS_EXCEPT_SPECIFIED", "Regions": ["sa-east-1"]},
            "pass",
            "pass",
            id="but one that is not audited",
        ),
    ],
)
def test_aggregator(collect: Collect, fields: dict[str, Any] | None, links: str, everything: str) -> None:
    """Regions are linked, and those to come are too; it is read in its home region."""
    world = small()
    for region in both(world):
        region.add_hub()
    home = world.account().region(WEST)
    if fields is not None:
        home.securityhub["aggregator"] = aggregator(home, **fields)

    found = judge(collect(world))

    assert found["securityhub.aggregator"].verdict == links
    assert found["securityhub.aggregator-all-regions"].verdict == everything
    asked = {call[1] for call in world.calls if call[3] == "GetFindingAggregator"}
    assert asked == ({WEST} if fields is not None else set())


def test_aggregator_needs_more_than_one_region(collect: Collect) -> None:
    """With one audited region, or with the hub off everywhere, there is nothing to bring together."""
    world = small()
    off = judge(collect(world))["securityhub.aggregator"]
    world.account().region(WEST).add_hub()
    one = judge(collect(world, only=[WEST]))["securityhub.aggregator"]

    assert (off.verdict, one.verdict) == (Verdict.NOT_APPLICABLE, Verdict.NOT_APPLICABLE)
    assert "off" in off.places[0].reason and "only one region" in one.places[0].reason


def test_fix_of_an_aggregator_keeps_exclusions_that_are_not_audited(mend: Mend) -> None:
    """Taking one region off the list must not bring in another that was left out on purpose."""
    world = small()
    for region in both(world):
        region.add_hub()
    home = world.account().region(WEST)
    fields = {"RegionLinkingMode": "ALL_REGIONS_EXCEPT_SPECIFIED", "Regions": [EAST, "sa-east-1"]}
    home.securityhub["aggregator"] = aggregator(home, **fields)

    found = mend(world, "securityhub.aggregator-all-regions")

    assert found["securityhub.aggregator-all-regions"].verdict is Verdict.PASS
    assert home.securityhub["aggregator"]["Regions"] == ["sa-east-1"]


def org(world: World, *, admin: str = ARCHIVE, central: bool = False) -> None:
    """An organization of three whose Security Hub `admin` administers in every region."""
    names = ("securityhub.amazonaws.com",)
    for account in (ACCOUNT, ARCHIVE, MEMBER):
        world.account(account, regions=(EAST, WEST))
    world.organize(ACCOUNT, (ARCHIVE, MEMBER), access=names, delegated={names[0]: [admin]})
    for region in (EAST, WEST):
        for account in (ACCOUNT, ARCHIVE, MEMBER):
            here = world.account(account).region(region)
            here.add_hub()
            here.securityhub["admin"] = None if account == admin else admin
        world.account(ACCOUNT).region(region).securityhub["org_admins"] = [admin]
        boss = world.account(admin).region(region)
        boss.securityhub["members"] = dict.fromkeys((ACCOUNT, MEMBER), "Enabled")
        if central:
            setting = {"ConfigurationType": "CENTRAL", "Status": "ENABLED"}
            boss.securityhub["org"] = {"AutoEnable": False, "OrganizationConfiguration": setting}


def test_member_is_judged_in_its_administrator(collect: Collect) -> None:
    """What the administrator decides is not a member's gap; what is set up here is, and the fix says where."""
    world = World(default=MEMBER)
    org(world)
    for region in both(world, MEMBER):
        region.securityhub["hub"]["AutoEnableControls"] = False

    found = judge(collect(world))

    elsewhere = "aggregator automation-rules-safe central-configuration members-enabled delegated-admin"
    for name in elsewhere.split():
        [*places] = found[f"securityhub.{name}"].places
        assert {place.verdict for place in places} == {Verdict.NOT_APPLICABLE}, name
        assert all((ACCOUNT if name == "delegated-admin" else ARCHIVE) in place.reason for place in places)
    gap = found["securityhub.auto-enable-controls"]
    assert gap.verdict is Verdict.FAIL
    assert gap.fix and not gap.fix.argv and any(ARCHIVE in step for step in gap.fix.steps)


def test_unknown_administrator_leaves_its_checks_open(collect: Collect) -> None:
    """Whether the rules here are all the rules that apply is not known without GetAdministratorAccount."""
    world = small()
    for region in both(world):
        region.add_hub(AutoEnableControls=False)
    world.faults.append(Fault(operation="GetAdministratorAccount", service="securityhub"))

    found = judge(collect(world))

    assert found["securityhub.automation-rules-safe"].verdict is Verdict.UNKNOWN
    assert found["securityhub.aggregator"].verdict is Verdict.UNKNOWN
    gap = found["securityhub.auto-enable-controls"]
    assert gap.verdict is Verdict.FAIL and gap.fix and not gap.fix.argv


@pytest.mark.parametrize("central", [True, False])
def test_administrator(collect: Collect, central: bool) -> None:
    """The delegated administrator is judged for the organization; its AutoEnable=false is no gap when central."""
    world = World(default=ARCHIVE)
    org(world, central=central)
    home = world.account(ARCHIVE).region(EAST)
    home.securityhub["aggregator"] = aggregator(home)
    home.securityhub["policies"] = [{"Id": "1", "Name": "all", "ServiceEnabled": True}] if central else []

    found = judge(collect(world))

    wanted = Verdict.PASS if central else Verdict.FAIL
    assert found["securityhub.central-configuration"].verdict is wanted
    assert found["securityhub.members-enabled"].verdict is Verdict.PASS
    assert found["securityhub.delegated-admin"].verdict is Verdict.NOT_APPLICABLE
    assert found["securityhub.automation-rules-safe"].verdict is Verdict.PASS


def test_central_configuration_is_no_use_without_a_policy(collect: Collect) -> None:
    """Central without a policy configures nobody; a refused list of policies leaves it open."""
    world = World(default=ARCHIVE)
    org(world, central=True)
    home = world.account(ARCHIVE).region(EAST)
    home.securityhub["aggregator"] = aggregator(home)
    none = judge(collect(world))["securityhub.central-configuration"]
    world.faults.append(Fault(operation="ListConfigurationPolicies"))
    refused = judge(collect(world))["securityhub.central-configuration"]

    assert (none.verdict, refused.verdict) == (Verdict.FAIL, Verdict.UNKNOWN)


def test_centrally_managed_gap_is_closed_in_the_policy(collect: Collect) -> None:
    """Under central configuration the administrator's own hub is set by policy: no command."""
    world = World(default=ARCHIVE)
    org(world, central=True)
    for region in both(world, ARCHIVE):
        region.securityhub["hub"]["AutoEnableControls"] = False

    gap = judge(collect(world))["securityhub.auto-enable-controls"]

    assert gap.fix and not gap.fix.argv and "policy" in gap.fix.steps[0]


@pytest.mark.parametrize("status", ["Removed", "Created", None])
def test_account_that_is_no_enabled_member(mend: Mend, status: str | None) -> None:
    """An account of the organization that left, or never came, is a gap; the printed command makes it a member."""
    world = World(default=ARCHIVE)
    org(world)
    for region in both(world, ARCHIVE):
        region.securityhub["members"] = {ACCOUNT: "Enabled"} | ({MEMBER: status} if status else {})

    found = mend(world, "securityhub.members-enabled")

    assert found["securityhub.members-enabled"].verdict is Verdict.PASS


def test_suspended_account_need_not_be_a_member(collect: Collect) -> None:
    """An account that is closed or suspended reports nothing, and is not missed."""
    world = World(default=ARCHIVE)
    org(world)
    assert world.organization
    world.organization["Accounts"][2]["State"] = "SUSPENDED"
    for region in both(world, ARCHIVE):
        region.securityhub["members"] = [ACCOUNT]

    assert judge(collect(world))["securityhub.members-enabled"].verdict is Verdict.PASS


def test_delegation_in_every_region(mend: Mend) -> None:
    """An administrator in one region is not one in all; the command names the one that is there already."""
    world = World()
    org(world)
    world.account().region(WEST).securityhub["org_admins"] = []

    found = mend(world, "securityhub.delegated-admin")

    assert found["securityhub.delegated-admin"].verdict is Verdict.PASS
    assert world.account().region(WEST).securityhub["org_admins"] == [ARCHIVE]


def test_management_account_that_administers_itself(collect: Collect) -> None:
    """The management account is not a security account, and undoing it is no one-liner."""
    world = World()
    org(world, admin=ACCOUNT)

    gap = judge(collect(world))["securityhub.delegated-admin"]

    assert gap.verdict is Verdict.FAIL and gap.fix and not gap.fix.argv


def test_nobody_is_delegated(mend: Mend) -> None:
    """Without an administrator the command asks for one, and goes on region by region."""
    world = World()
    org(world)
    for region in both(world):
        region.securityhub["org_admins"] = []
        region.securityhub["admin"] = None

    found = mend(world, "securityhub.delegated-admin", needs={"ADMIN_ACCOUNT": ARCHIVE})

    assert found["securityhub.delegated-admin"].verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("product", "turn_on"),
    [
        ("guardduty", lambda here: here.add_detector()),
        ("config", lambda here: here.add_recorder()),
        ("inspector", lambda here: here.inspector2["status"].update(ec2="ENABLED")),
        ("macie", lambda here: here.macie2.update(session={"status": "ENABLED"})),
        ("access-analyzer", lambda here: here.accessanalyzer["analyzers"].append(ANALYZER)),
    ],
)
def test_integration(collect: Collect, product: str, turn_on: Any) -> None:
    """It applies where the producer is on: then the hub must accept its findings, whatever it was before."""
    world = small()
    here = world.account().region(WEST)
    here.add_hub()
    off = judge(collect(world))[f"securityhub.integration-{product}"]
    turn_on(here)
    deaf = judge(collect(world))[f"securityhub.integration-{product}"]
    here.securityhub["products"].append(here.arn("securityhub", f"product-subscription/aws/{product}"))
    hears = judge(collect(world))[f"securityhub.integration-{product}"]

    assert [item.verdict.value for item in (off, deaf, hears)] == ["not_applicable", "fail", "pass"]


ANALYZER = {"arn": "arn:x", "name": "a", "type": "ACCOUNT", "status": "ACTIVE", "createdAt": AT}


def test_firewall_manager_integration(collect: Collect) -> None:
    """Firewall Manager is on where the organization has an administrator for it."""
    world = World()
    org(world)
    assert world.organization
    world.organization["FirewallManager"] = ARCHIVE

    assert judge(collect(world))["securityhub.integration-firewall-manager"].verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [
        (DENIED, "unknown"),
        (Refusal(RefusalKind.NOT_IN_REGION), "not_applicable"),
        ({"status": "PAUSED"}, "not_applicable"),
    ],
)
def test_producer_that_cannot_be_asked(outcome: Json, verdict: str) -> None:
    """A refused producer is unknown even where the hub would accept; one not offered here does not apply."""
    arn = f"arn:aws:securityhub:{WEST}:{ACCOUNT}:product-subscription/aws/macie"
    found = judge(
        seen(
            ("securityhub:ListEnabledProductsForImport", {}, {"ProductSubscriptions": [arn]}),
            ("macie2:GetMacieSession", {}, outcome),
        )
    )

    assert found["securityhub.integration-macie"].verdict == verdict


def weak() -> World:
    """Hubs with an old benchmark, one to three critical controls off and nothing joined; off in one region."""
    world = World()
    off = {EAST: ["IAM.4"], WEST: ["IAM.4", "IAM.6"], "eu-central-1": ["IAM.4", "IAM.6", "Config.1"]}
    for region in world.account(regions=(*off, "eu-north-1")).regions.values():
        region.add_recorder()
        region.add_detector()
        if region.name in off:
            region.add_hub(
                standards=(CIS_1,), AutoEnableControls=False, ControlFindingGenerator="STANDARD_CONTROL"
            )
            [controls] = region.securityhub["controls"].values()
            controls.update(dict.fromkeys(off[region.name], "DISABLED"))
    return world


MENDED = (
    "enabled standard-fsbp standard-cis required-standards standards-ready auto-enable-controls consolidated-findings "
    "critical-controls-on needs-config aggregator aggregator-all-regions integration-guardduty integration-config "
    "v2-enabled automation-rules-safe"
)


@pytest.mark.exhaustive
@pytest.mark.parametrize("world", [weak(), World()])
def test_printed_fixes_close_the_gaps(mend: Mend, world: World) -> None:
    """Each printed command, run by the real AWS CLI until nothing is left to run, closes its gap."""
    if not world.accounts:
        for region in world.account(regions=(EAST, WEST)).regions.values():
            region.add_recorder()

    found = mend(world, *(f"securityhub.{name}" for name in MENDED.split()))

    assert {name for name, item in found.items() if item.verdict is Verdict.FAIL} == set()


def test_required_standards_are_enabled_by_the_printed_command(collect: Collect) -> None:
    """The command carries only what is missing, and knows CIS 1.2.0 by its odd ARN."""
    wanted = {"securityhub.required-standards": {"standards": [FSBP, NIST, CIS_1]}}
    world = small()
    for region in both(world):
        region.add_recorder()
        region.add_hub(standards=(FSBP,))

    checks = catalog.builtin().tuned(parameters=wanted)
    [finding] = evaluate.evaluate(collect(world), checks, ids=["securityhub.required-standards"])

    fix = finding.places[0].fix
    assert fix and fix.argv
    document = json.loads(fix.argv[0][fix.argv[0].index("--standards-subscription-requests") + 1])
    assert [item["StandardsArn"] for item in document] == [
        f"arn:aws:securityhub:{WEST}::standards/{NIST}",
        f"arn:aws:securityhub:::ruleset/{CIS_1}",
    ]


def test_no_standard_is_enabled_before_config_records(collect: Collect) -> None:
    """Without a recorder a standard ends INCOMPLETE: the hub goes on without, and the standard's fix waits."""
    world = small()
    world.account().region(WEST).add_hub(standards=())

    found = judge(collect(world))

    on, fsbp = found["securityhub.enabled"].fix, found["securityhub.standard-fsbp"].fix
    assert on and on.argv and "--no-enable-default-standards" in on.argv[0]
    assert fsbp and not fsbp.argv and "config.recorder-on" in fsbp.steps[0]


@pytest.mark.exhaustive
def test_each_check_alone_gives_the_same_verdict(collect: Collect) -> None:
    """The calls that a check declares are all it needs, also in the organization's administrator."""
    world = World(default=ARCHIVE)
    org(world, central=True)
    home = world.account(ARCHIVE).region(EAST)
    home.securityhub["aggregator"] = aggregator(home)
    home.securityhub["policies"] = [{"Id": "1", "Name": "all", "ServiceEnabled": True}]
    home.add_automation_rule("hush", {})
    whole = judge(collect(world))

    for check in catalog.builtin().checks:
        if check.service == "securityhub":
            wanted = catalog.calls(catalog.builtin(), [check.id], services.types())
            alone = judge(collect(world, wanted=wanted), check.id)[check.id]
            assert verdicts(alone) == verdicts(whole[check.id]), check.id
