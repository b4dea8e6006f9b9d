"""GuardDuty judged by meaning: suspended detectors, plans nobody needs, filters that hide, and who administers."""

from __future__ import annotations

from typing import Any

import pytest

from postureaudit.findings import Finding, Place, Verdict
from postureaudit.services.guardduty import filters
from tests.conftest import Collect, Mend, judge
from tests.fakeaws import Fault, World
from tests.fakeaws.world import ACCOUNT, AGENTS, ARCHIVE, PLANS, Region, now
from tests.replay import replay

HERE, THERE = "us-east-1", "eu-west-1"
MEMBER = "222233334444"
WORKLOADS = {"eks": ["prod"], "ecs": ["web"], "functions": ["api"], "db_instances": ["db"]}


def a_world(*regions: str, **fields: Any) -> World:
    """A world whose account has few regions."""
    world = World(**fields)
    world.account(regions=regions or (HERE,))
    return world


def at(world: World, name: str = HERE, account: str = ACCOUNT) -> Region:
    return world.account(account).region(name)


def busy(world: World, name: str = HERE) -> Region:
    """A region in which everything runs that GuardDuty can watch."""
    region = at(world, name)
    region.workloads |= WORKLOADS
    region.ec2["instances"] = ["i-1"]
    world.add_bucket("uploads", region=name)
    return region


def in_organization(world: World, *, manager: str, admin: str, others: tuple[str, ...] = (MEMBER,)) -> None:
    """An organization of these accounts, with GuardDuty's administrator in every region of the world's account."""
    names = [name for name in dict.fromkeys((manager, ACCOUNT, admin, *others)) if name]
    world.organize(manager, tuple(name for name in names if name != manager))
    if admin:
        world.organization["Delegated"] = {"guardduty.amazonaws.com": [admin]}
    for region in world.account(manager).regions.values():
        region.guardduty["org_admins"] = [admin] if admin else []


def only(finding: Finding) -> Place:
    [place] = finding.places
    return place


def place(finding: Finding, region: str) -> Place:
    return next(item for item in finding.places if item.region == region)


def steps(finding: Finding) -> str:
    """The steps of the fix; there must be no command."""
    found = only(finding).fix
    assert found and not found.argv and not found.shell
    return " ".join(found.steps)


def a_finding(severity: float, *, archived: bool = False) -> dict[str, Any]:
    return {
        "Id": f"{severity}-{archived}",
        "Severity": severity,
        "Service": {"Archived": archived},
        "CreatedAt": str(now()),
    }


# ---------------------------------------------------------------- the detector


def test_a_detector_replaced_during_the_walk_is_unknown(collect: Collect) -> None:
    """ "Not owned by the current account" on the way is no empty list: neither a gap nor a pass comes of it."""
    stale = "The request is rejected because the input detectorId is not owned by the current account."
    world = a_world(
        faults=[
            Fault(service="guardduty", operation=name, code="BadRequestException", message=stale, status=400)
            for name in (
                "ListFilters",
                "ListPublishingDestinations",
                "ListFindings",
                "GetAdministratorAccount",
            )
        ]
    )
    busy(world).add_detector()

    found = judge(collect(world))

    for name in ("suppression-filters", "publishing-destination", "open-high-findings"):
        assert found[f"guardduty.{name}"].verdict is Verdict.UNKNOWN, name


def test_suspended_detector_is_off_though_its_plans_say_enabled(collect: Collect) -> None:
    """A suspended detector watches nothing: its region fails, and what its plans claim is not judged."""
    world = a_world()
    busy(world).add_detector(status="DISABLED")

    found = judge(collect(world))

    assert found["guardduty.enabled"].verdict is Verdict.FAIL
    assert only(found["guardduty.enabled"]).reason.endswith("suspended")
    assert found["guardduty.s3-protection"].verdict is Verdict.NOT_APPLICABLE
    assert found["guardduty.finding-frequency"].verdict is Verdict.NOT_APPLICABLE


def test_region_without_a_detector_asks_for_no_workload(collect: Collect) -> None:
    """Where GuardDuty is off there is one gap a region, and nothing more is asked."""
    world = a_world(HERE, THERE)

    found = judge(collect(world))

    assert [item.verdict.value for item in found["guardduty.enabled"].places] == ["fail", "fail"]
    assert only(found["guardduty.eks-agent"]).reason == "no detector here"
    assert not {call[2] for call in world.calls} & {"eks", "ecs", "rds"}  # Inspector asks for functions


def test_refused_list_is_unknown_for_everything(collect: Collect) -> None:
    """Without ListDetectors, one place "*" stands for a detector that may be there."""
    world = a_world(faults=[Fault(service="guardduty", operation="ListDetectors")])
    busy(world).add_detector()

    found = judge(collect(world))

    assert found["guardduty.enabled"].verdict is Verdict.UNKNOWN
    assert only(found["guardduty.rds-login-events"]).resource == "*"
    assert found["guardduty.rds-login-events"].verdict is Verdict.UNKNOWN
    assert found["guardduty.open-high-findings"].verdict is Verdict.UNKNOWN


def test_detector_without_its_features_is_unknown(collect: Collect) -> None:
    """An answer that lacks the features says nothing about any plan."""
    world = a_world()
    busy(world).add_detector(Features=[])

    found = judge(collect(world))

    assert found["guardduty.foundational-sources"].verdict is Verdict.UNKNOWN
    assert found["guardduty.s3-protection"].verdict is Verdict.UNKNOWN


def test_foundational_source_off_or_unsaid(collect: Collect) -> None:
    """A source that AWS calls off is a gap; one that it does not name is unknown, unless another is off."""
    off, unsaid = a_world(), a_world()
    at(off).add_detector(off=("DNS_LOGS",))
    at(unsaid).add_detector(missing=("DNS_LOGS",))

    one, two = (judge(collect(world))["guardduty.foundational-sources"] for world in (off, unsaid))

    assert (one.verdict, only(one).reason) == (Verdict.FAIL, "off: DNS_LOGS")
    assert two.verdict is Verdict.UNKNOWN


# ---------------------------------------------------------------- plans and workloads

PLAN_OF = {
    "s3-protection": ("S3_DATA_EVENTS", "s3"),
    "eks-audit-logs": ("EKS_AUDIT_LOGS", "eks"),
    "ebs-malware-protection": ("EBS_MALWARE_PROTECTION", "ec2"),
    "rds-login-events": ("RDS_LOGIN_EVENTS", "rds"),
    "lambda-network-logs": ("LAMBDA_NETWORK_LOGS", "lambda"),
    "runtime-monitoring": ("RUNTIME_MONITORING", "ec2"),
    "eks-agent": ("EKS_ADDON_MANAGEMENT", "eks"),
    "ecs-agent": ("ECS_FARGATE_AGENT_MANAGEMENT", "ecs"),
    "ec2-agent": ("EC2_AGENT_MANAGEMENT", "ec2"),
}


def test_each_plan_is_judged_by_its_own_workload(collect: Collect) -> None:
    """Off fails where the workload is, off does not apply where it is not; on passes."""
    world = a_world(HERE, THERE)
    busy(world).add_detector(off=(*PLANS, *AGENTS))
    at(world, THERE).add_detector(off=(*PLANS, *AGENTS))

    off = judge(collect(world))
    at(world).add_detector()
    on = judge(collect(world))

    for name in PLAN_OF:
        finding = off[f"guardduty.{name}"]
        assert place(finding, HERE).verdict is Verdict.FAIL, name
        assert place(finding, THERE).verdict is Verdict.NOT_APPLICABLE, name
        assert "here: no" in place(finding, THERE).reason
        assert place(on[f"guardduty.{name}"], HERE).verdict is Verdict.PASS, name


@pytest.mark.parametrize("name", sorted(PLAN_OF))
def test_refused_workload(collect: Collect, name: str) -> None:
    """When AWS refuses to list the workload, a plan that is on passes and one that is off is unknown."""
    services = ("ec2", "eks", "ecs", "rds", "lambda", "s3")
    faults = [
        Fault(service=item, operation=operation)
        for item in services
        for operation in ("List*", "DescribeInstances", "DescribeDB*")
    ]
    on, off = a_world(faults=faults), a_world(faults=list(faults))
    busy(on).add_detector()
    busy(off).add_detector(off=(PLAN_OF[name][0],))

    verdicts = [judge(collect(world))[f"guardduty.{name}"].verdict.value for world in (on, off)]

    assert verdicts == ["pass", "unknown"]


def test_plan_that_the_region_lacks_is_no_gap(collect: Collect) -> None:
    """A plan missing from AWS's list is not offered in the region; that is not "off"."""
    world = a_world()
    busy(world).add_detector(missing=("LAMBDA_NETWORK_LOGS",))

    found = only(judge(collect(world))["guardduty.lambda-network-logs"])

    assert found.verdict is Verdict.NOT_APPLICABLE
    assert "offered in this region: no" in found.reason


@pytest.mark.parametrize(
    ("engine", "verdict"),
    [
        ("aurora-mysql", "fail"),
        ("aurora-postgresql", "fail"),
        ("postgres", "fail"),
        ("mysql", "not_applicable"),
        ("neptune", "not_applicable"),
        ("docdb", "not_applicable"),
    ],
)
def test_only_supported_engines_need_rds_protection(collect: Collect, engine: str, verdict: str) -> None:
    """RDS Protection watches Aurora and RDS for PostgreSQL; other engines are no workload of it."""
    world = a_world()
    at(world).add_detector(off=("RDS_LOGIN_EVENTS",))
    at(world).workloads["db_instances"] = [
        {"DBInstanceIdentifier": f"mysql-{number}", "Engine": "mysql"} for number in range(5)
    ] + [{"DBInstanceIdentifier": "db", "Engine": engine}]
    world.page_size = 2

    assert judge(collect(world))["guardduty.rds-login-events"].verdict == verdict


def test_cluster_without_instances_is_a_database(collect: Collect) -> None:
    """A serverless or limitless Aurora cluster may show no instance."""
    world = a_world()
    at(world).add_detector(off=("RDS_LOGIN_EVENTS",))
    at(world).workloads["db_clusters"] = ["orders"]

    assert judge(collect(world))["guardduty.rds-login-events"].verdict is Verdict.FAIL


def test_terminated_instances_are_no_workload(collect: Collect) -> None:
    """Instances that are terminated need no protection any more."""
    world = a_world()
    at(world).add_detector(off=("EBS_MALWARE_PROTECTION",))
    at(world).ec2["instances"] = [{"InstanceId": "i-1", "State": {"Name": "terminated"}}]

    assert judge(collect(world))["guardduty.ebs-malware-protection"].verdict is Verdict.NOT_APPLICABLE


def test_agent_of_a_plan_that_is_off_is_off(collect: Collect) -> None:
    """Agents that stay ENABLED under a disabled Runtime Monitoring are not managed."""
    world = a_world()
    busy(world).add_detector()
    runtime = next(
        item for item in at(world).guardduty["detector"]["Features"] if item["Name"] == "RUNTIME_MONITORING"
    )
    runtime["Status"] = "DISABLED"

    found = judge(collect(world))

    assert {found[f"guardduty.{name}"].verdict for name in ("eks-agent", "ecs-agent", "ec2-agent")} == {
        Verdict.FAIL
    }


def test_legacy_eks_runtime_monitoring_counts_for_eks_only(collect: Collect) -> None:
    """EKS_RUNTIME_MONITORING with its agent is enough for the EKS agent, not for Runtime Monitoring."""
    world = a_world()
    busy(world).add_detector(off=("RUNTIME_MONITORING", *AGENTS))
    at(world).guardduty["detector"]["Features"].append(
        {
            "Name": "EKS_RUNTIME_MONITORING",
            "Status": "ENABLED",
            "AdditionalConfiguration": [{"Name": "EKS_ADDON_MANAGEMENT", "Status": "ENABLED"}],
        }
    )

    found = judge(collect(world))

    assert found["guardduty.eks-agent"].verdict is Verdict.PASS
    assert found["guardduty.ecs-agent"].verdict is Verdict.FAIL
    assert found["guardduty.runtime-monitoring"].verdict is Verdict.FAIL


def test_ai_protection_and_unknown_features(collect: Collect) -> None:
    """AI Protection applies where AWS lists it; names that nobody knows yet change nothing."""
    world = a_world()
    at(world).add_detector()
    features = at(world).guardduty["detector"]["Features"]
    features += [{"Name": "AI_PROTECTION", "Status": "DISABLED"}, {"Name": "AI_ANALYST", "Status": "ENABLED"}]

    found = judge(collect(world))

    assert found["guardduty.ai-protection"].verdict is Verdict.FAIL
    assert found["guardduty.enabled"].verdict is Verdict.PASS


def test_plan_set_by_a_policy_is_mended_in_the_policy(collect: Collect) -> None:
    """Where an Organizations policy sets the plan, the fix names the policy and prints no command."""
    world = a_world()
    busy(world).add_detector(off=("S3_DATA_EVENTS",))
    for item in at(world).guardduty["detector"]["Features"]:
        if item["Name"] == "S3_DATA_EVENTS":
            item["ManagedBy"] = "GUARDDUTY_POLICY"

    assert "GuardDuty policy" in steps(judge(collect(world))["guardduty.s3-protection"])


# ---------------------------------------------------------------- malware plans


@pytest.mark.parametrize(
    ("bucket", "plan", "verdict"),
    [
        (THERE, None, "not_applicable"),
        (HERE, None, "fail"),
        (HERE, "ACTIVE", "pass"),
        (HERE, "WARNING", "fail"),
        (HERE, "ERROR", "fail"),
    ],
)
def test_malware_plans_need_no_detector(
    collect: Collect, bucket: str, plan: str | None, verdict: str
) -> None:
    """A region with buckets needs an active plan, GuardDuty on or not; one in trouble fails with its status."""
    world = a_world()
    world.add_bucket("uploads", region=bucket)
    if plan:
        at(world).add_plan("uploads", status=plan)

    found = only(judge(collect(world))["guardduty.s3-malware-protection"])

    assert found.verdict == verdict
    assert verdict != "fail" or not plan or f"uploads: {plan}" in found.reason


# ---------------------------------------------------------------- export and frequency


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        ("PUBLISHING", "pass"),
        ("PENDING_VERIFICATION", "fail"),
        ("UNABLE_TO_PUBLISH_FIX_DESTINATION_PROPERTY", "fail"),
        ("STOPPED", "fail"),
    ],
)
def test_publishing_is_the_only_good_status(collect: Collect, status: str, verdict: str) -> None:
    """A destination that is not publishing keeps nothing, whatever else it is called."""
    world = a_world()
    at(world).add_detector()
    at(world).add_destination("findings", status=status)

    found = judge(collect(world))

    assert found["guardduty.publishing-destination"].verdict is Verdict.PASS
    assert found["guardduty.publishing-healthy"].verdict == verdict
    assert verdict == "pass" or "arn:aws:s3:::findings" in only(found["guardduty.publishing-healthy"]).reason


# ---------------------------------------------------------------- suppression filters


@pytest.mark.parametrize(
    ("criterion", "reach"),
    [
        pytest.param({}, 10.0, id="everything"),
        pytest.param({"severity": {"Gte": 1}}, 10.0, id="from below only"),
        pytest.param({"severity": {"Lt": 7}}, 6.9, id="below 7"),
        pytest.param({"severity": {"LessThan": 7, "GreaterThanOrEqual": 4}}, 6.9, id="between"),
        pytest.param({"severity": {"Lte": 7}}, 7.0, id="7 itself"),
        pytest.param({"severity": {"LessThanOrEqual": 6}}, 6.0, id="up to 6"),
        pytest.param({"severity": {"Eq": ["2", "5"]}}, 5.0, id="a list of low ones"),
        pytest.param({"severity": {"Equals": ["5", "8"]}}, 8.0, id="a list with a high one"),
        pytest.param({"severity": {"Eq": ["Low"]}}, 10.0, id="unreadable"),
        pytest.param({"severity": {"Neq": ["8"]}}, 10.0, id="all but one"),
        pytest.param({"severity": {"Eq": [], "Lt": 4, "Gt": None}}, 3.9, id="unset conditions"),
        pytest.param({"type": {"Eq": ["Recon:EC2/Portscan"]}}, 10.0, id="one type"),
        pytest.param(
            {"type": {"Eq": ["Recon:EC2/Portscan"]}, "severity": {"Lt": 5}}, 4.9, id="type and bound"
        ),
    ],
)
def test_how_severe_a_finding_a_filter_can_hide(criterion: dict[str, Any], reach: float) -> None:
    """Only a bound on severity keeps severe findings visible; other fields narrow, they do not bound."""
    found = filters.rule({"Name": "hush", "Action": "ARCHIVE", "FindingCriteria": {"Criterion": criterion}})

    assert found and found.HidesUpTo == reach


def test_filters_that_archive_nothing_do_not_count(collect: Collect) -> None:
    """A saved view (NOOP) hides nothing."""
    world = a_world()
    at(world).add_detector()
    at(world).add_filter("view", {"severity": {"Gte": 7}}, action="NOOP")

    assert judge(collect(world))["guardduty.suppression-filters"].verdict is Verdict.PASS


def test_filter_that_was_refused_may_hide_anything(collect: Collect) -> None:
    """A filter that may not be read is unknown, unless another one hides everything already."""
    world = a_world()
    at(world).add_detector()
    at(world).add_filter("low", {"severity": {"Lt": 4}})
    evidence = collect(world)

    refused = judge(replay(evidence, denied={"guardduty:GetFilter"}))["guardduty.suppression-filters"]

    assert judge(evidence)["guardduty.suppression-filters"].verdict is Verdict.PASS
    assert refused.verdict is Verdict.UNKNOWN


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["--debug", "file:///etc/passwd", "x,roleARN=arn:a", "[/]", "a'b$(x)"])
def test_filter_with_a_hostile_name_is_bounded(mend: Mend, name: str) -> None:
    """The printed command bounds the filter whatever its name is, keeps its criteria and stays a suppression."""
    world = a_world()
    at(world).add_detector()
    at(world).add_destination()
    at(world).add_filter(name, {"type": {"Eq": ["Recon:EC2/Portscan"]}, "severity": {"Gte": 4}})
    at(world).add_filter("second", {})

    found = mend(world, "guardduty.suppression-filters")

    assert found["guardduty.suppression-filters"].verdict is Verdict.PASS
    kept = at(world).guardduty["filters"][name]
    assert kept["Action"] == "ARCHIVE"
    assert kept["FindingCriteria"]["Criterion"] == {
        "type": {"Eq": ["Recon:EC2/Portscan"]},
        "severity": {"Gte": 4, "Lt": 7},
    }


def test_filter_for_severe_findings_only_gets_steps(collect: Collect) -> None:
    """A filter that asks for severe findings cannot be bounded: nothing would be left of it."""
    world = a_world()
    at(world).add_detector()
    at(world).add_filter("severe", {"severity": {"Gte": 8}})

    finding = judge(collect(world))["guardduty.suppression-filters"]

    assert "severe" in steps(finding)


# ---------------------------------------------------------------- findings


@pytest.mark.parametrize(
    ("findings", "verdict"),
    [
        ([], "pass"),
        ([a_finding(6.9), a_finding(8, archived=True)], "pass"),
        ([a_finding(7)], "fail"),
    ],
)
def test_open_findings(collect: Collect, findings: list[dict[str, Any]], verdict: str) -> None:
    """Severity 7 and up, and not archived."""
    world = a_world()
    at(world).add_detector()
    at(world).guardduty["findings"] = findings

    assert judge(collect(world))["guardduty.open-high-findings"].verdict == verdict


# ---------------------------------------------------------------- organizations


def member_world(*, detector: dict[str, Any] | None = None) -> World:
    """The world's account is a member of ARCHIVE, GuardDuty's administrator."""
    world = a_world()
    in_organization(world, manager="444455556666", admin=ARCHIVE)
    busy(world).add_detector(**(detector or {}))
    at(world).guardduty["admin"] = ARCHIVE
    return world


def test_member_is_sent_to_its_administrator(collect: Collect) -> None:
    """What the administrator decides is not asked of a member, and no fix prints a command that AWS would refuse."""
    found = judge(
        collect(
            member_world(
                detector={"off": (*PLANS, *AGENTS), "frequency": "SIX_HOURS"},
            )
        )
    )

    assert found["guardduty.centrally-managed"].verdict is Verdict.PASS
    for name in ("publishing-destination", "suppression-filters"):
        assert found[f"guardduty.{name}"].verdict is Verdict.NOT_APPLICABLE
        assert ARCHIVE in only(found[f"guardduty.{name}"]).reason
    for name in (*PLAN_OF, "finding-frequency"):
        assert ARCHIVE in steps(found[f"guardduty.{name}"]), name
    for name in ("auto-enable-members", "auto-enable-plans", "members-enabled"):
        assert ARCHIVE in only(found[f"guardduty.{name}"]).reason
    assert "444455556666" in only(found["guardduty.delegated-admin"]).reason


def test_suspended_member_is_started_by_its_administrator(collect: Collect) -> None:
    """A suspended member's fix names the administrator."""
    found = judge(collect(member_world(detector={"status": "DISABLED"})))

    assert ARCHIVE in steps(found["guardduty.enabled"])


def test_unknown_administrator_leaves_filters_and_export_open(collect: Collect) -> None:
    """Without GetAdministratorAccount nobody knows whether the rules that count are elsewhere."""
    evidence = collect(member_world(detector={"off": ("S3_DATA_EVENTS",)}))

    found = judge(replay(evidence, denied={"guardduty:GetAdministratorAccount"}))

    assert found["guardduty.suppression-filters"].verdict is Verdict.UNKNOWN
    assert found["guardduty.publishing-destination"].verdict is Verdict.UNKNOWN
    assert "GetAdministratorAccount" in steps(found["guardduty.s3-protection"])


def test_account_of_an_organization_that_nobody_administers(collect: Collect) -> None:
    """In an organization, an account without an administrator keeps its findings to itself."""
    world = a_world()
    in_organization(world, manager="444455556666", admin="")
    at(world).add_detector()

    finding = judge(collect(world))["guardduty.centrally-managed"]

    assert finding.verdict is Verdict.FAIL
    assert "444455556666" in steps(finding)


def admin_world(settings: dict[str, Any] | None = None, **members: str) -> World:
    """The world's account is GuardDuty's administrator; `members` are statuses by account, written a222233334444."""
    world = a_world()
    in_organization(world, manager="444455556666", admin=ACCOUNT)
    at(world).add_detector()
    at(world).guardduty["members"] = {
        name.removeprefix("a"): status for name, status in ({"a444455556666": "Enabled"} | members).items()
    }
    features = [{"Name": name, "AutoEnable": "ALL"} for name in PLANS]
    at(world).guardduty["org"] = {
        "AutoEnable": True,
        "AutoEnableOrganizationMembers": "ALL",
        "Features": features,
        **(settings or {}),
    }
    return world


@pytest.mark.parametrize(
    ("settings", "members", "auto", "enabled"),
    [
        pytest.param({}, {"a222233334444": "Enabled"}, "pass", "pass", id="all"),
        pytest.param({}, {}, "pass", "fail", id="all, one not yet"),
        pytest.param(
            {"AutoEnableOrganizationMembers": "NEW"}, {"a222233334444": "Enabled"}, "pass", "pass", id="new"
        ),
        pytest.param(
            {"AutoEnableOrganizationMembers": "NEW"}, {"a222233334444": "Removed"}, "fail", "fail", id="old"
        ),
        pytest.param(
            {"AutoEnableOrganizationMembers": "NONE"}, {"a222233334444": "Enabled"}, "fail", "pass", id="none"
        ),
    ],
)
def test_members_of_the_administrator(
    collect: Collect, settings: dict[str, Any], members: dict[str, str], auto: str, enabled: str
) -> None:
    """ALL, or NEW with every active account enabled; an account that is suspended or removed is named."""
    found = judge(collect(admin_world(settings, **members)))

    assert found["guardduty.auto-enable-members"].verdict == auto
    assert found["guardduty.members-enabled"].verdict == enabled
    assert found["guardduty.centrally-managed"].verdict is Verdict.PASS
    assert enabled == "pass" or MEMBER in only(found["guardduty.members-enabled"]).reason


def test_suspended_accounts_need_no_guardduty(collect: Collect) -> None:
    """An account that Organizations has suspended does not count."""
    world = admin_world()
    for item in world.organization["Accounts"]:
        if item["Id"] == MEMBER:
            item["State"] = "SUSPENDED"

    assert judge(collect(world))["guardduty.members-enabled"].verdict is Verdict.PASS


def test_refused_account_list_hides_who_is_missing(collect: Collect) -> None:
    """Without the organization's accounts nobody can say that none is left out."""
    evidence = collect(admin_world({"AutoEnableOrganizationMembers": "NEW"}, a222233334444="Enabled"))

    found = judge(replay(evidence, denied={"organizations:ListAccounts"}))

    assert found["guardduty.members-enabled"].verdict is Verdict.UNKNOWN
    assert found["guardduty.auto-enable-members"].verdict is Verdict.UNKNOWN
    assert found["guardduty.auto-enable-plans"].verdict is Verdict.PASS


def test_plans_of_new_members(collect: Collect) -> None:
    """Each offered plan must turn itself on; one that AWS does not list is not offered here."""
    features = [{"Name": name, "AutoEnable": "NEW"} for name in PLANS if name != "RDS_LOGIN_EVENTS"]
    good = judge(collect(admin_world({"Features": features})))["guardduty.auto-enable-plans"]
    features[0]["AutoEnable"] = "NONE"
    bad = judge(collect(admin_world({"Features": features})))["guardduty.auto-enable-plans"]

    assert good.verdict is Verdict.PASS
    assert (bad.verdict, "S3_DATA_EVENTS" in only(bad).reason) == (Verdict.FAIL, True)


def test_paged_features_are_read_to_the_end(collect: Collect) -> None:
    """DescribeOrganizationConfiguration is paged: a plan on the last page counts."""
    features = [{"Name": name, "AutoEnable": "ALL"} for name in PLANS]
    features[-1] = {"Name": PLANS[-1], "AutoEnable": "NONE"}
    world = admin_world({"Features": features})
    world.page_size = 2

    assert judge(collect(world))["guardduty.auto-enable-plans"].verdict is Verdict.FAIL


# ---------------------------------------------------------------- printed fixes

NEEDS = {
    "FINDINGS_BUCKET": "findings",
    "KMS_KEY_ARN": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/k",
    "MALWARE_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/scan",
    "PROTECTED_BUCKET": "uploads",
    "ADMIN_ACCOUNT": ARCHIVE,
}


def off_everywhere() -> World:
    """Two busy regions: nothing on in one, a suspended detector with nothing on in the other."""
    world = a_world(HERE, THERE)
    world.add_bucket("findings", owner=ARCHIVE)
    busy(world)
    at(world, THERE).workloads |= WORKLOADS
    at(world, THERE).add_detector(status="DISABLED", frequency="SIX_HOURS", off=(*PLANS, *AGENTS))
    return world


def test_printed_fixes_close_the_gaps(mend: Mend, collect: Collect) -> None:
    """Each printed command, run by the real AWS CLI until nothing is left to run, closes its gap and opens none."""
    world = off_everywhere()
    first = judge(collect(world))
    before = failing(first)

    mend(world, *(name for name in first if name.startswith("guardduty.")), needs=NEEDS)
    after = failing(judge(collect(world)))

    assert {name for name in after if name.startswith("guardduty.")} == set()
    assert after <= before


def failing(found: dict[str, Finding]) -> set[str]:
    return {name for name, item in found.items() if item.verdict in (Verdict.FAIL, Verdict.UNKNOWN)}


def test_turning_one_plan_on_leaves_the_others(mend: Mend) -> None:
    """The printed command names one plan; what was off and is not needed stays off."""
    world = a_world()
    at(world).add_detector(off=("RDS_LOGIN_EVENTS", "LAMBDA_NETWORK_LOGS", "RUNTIME_MONITORING"))
    at(world).workloads["db_instances"] = ["db"]

    mend(world, "guardduty.rds-login-events")

    status = {item["Name"]: item["Status"] for item in at(world).guardduty["detector"]["Features"]}
    assert status["RDS_LOGIN_EVENTS"] == "ENABLED"
    assert status["LAMBDA_NETWORK_LOGS"] == status["RUNTIME_MONITORING"] == "DISABLED"


@pytest.mark.parametrize("members", ["NONE", "NEW"])
def test_organization_fixes_close_the_gaps(mend: Mend, members: str) -> None:
    """The administrator's fixes add what is missing and keep what the settings say of other plans."""
    features = [{"Name": name, "AutoEnable": "NONE"} for name in PLANS]
    features[1] = {"Name": PLANS[1], "AutoEnable": "NEW"}
    features.append({"Name": "AI_PROTECTION", "AutoEnable": "NONE"})
    extra = [{"Name": name, "AutoEnable": "NONE"} for name in AGENTS]
    features[5] = {"Name": PLANS[5], "AutoEnable": "NONE", "AdditionalConfiguration": extra}
    features.append({"Name": "EKS_RUNTIME_MONITORING", "AutoEnable": "NONE"})
    world = admin_world({"AutoEnableOrganizationMembers": members, "Features": features})

    ids = ("guardduty.auto-enable-members", "guardduty.auto-enable-plans", "guardduty.members-enabled")
    found = mend(world, *ids)

    assert {found[name].verdict for name in ids} == {Verdict.PASS}
    auto = {item["Name"]: item["AutoEnable"] for item in at(world).guardduty["org"]["Features"]}
    assert auto["AI_PROTECTION"] == "NONE"
    assert auto[PLANS[1]] == "NEW"
    assert at(world).guardduty["org"]["AutoEnableOrganizationMembers"] == "ALL"


def test_delegation_follows_the_other_regions(mend: Mend, collect: Collect) -> None:
    """Where another region has an administrator, the same account is delegated here; else the user names one."""
    world = a_world(HERE, THERE)
    in_organization(world, manager=ACCOUNT, admin="")
    at(world, THERE).guardduty["org_admins"] = [ARCHIVE]

    first = place(judge(collect(world))["guardduty.delegated-admin"], HERE)
    found = mend(world, "guardduty.delegated-admin")

    assert first.fix and first.fix.argv and ARCHIVE in first.fix.argv[0]
    assert found["guardduty.delegated-admin"].verdict is Verdict.PASS
    at(world, HERE).guardduty["org_admins"] = at(world, THERE).guardduty["org_admins"] = []
    last = judge(collect(world))["guardduty.delegated-admin"]
    assert last.fix and last.fix.needs == ("ADMIN_ACCOUNT",)
