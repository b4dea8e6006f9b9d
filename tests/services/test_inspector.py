"""Inspector judged by meaning: what is scanned where something runs, policies that rule, and members left out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from postureaudit.findings import Verdict
from postureaudit.services.inspector.asks import status_asks
from tests.conftest import Collect, Mend, judge
from tests.fakeaws import Fault, World
from tests.fakeaws.world import ACCOUNT, ARCHIVE
from tests.replay import replay
from tests.services.worlds import (
    BOSS,
    HERE,
    MEMBER,
    THERE,
    a_world,
    at,
    in_organization,
    only,
    open_checks,
    place,
    steps,
    suspend,
)

PRINCIPAL = "inspector2.amazonaws.com"
SCANS = {
    "ec2-scanning": ("ec2", "DescribeInstances"),
    "ecr-scanning": ("ecr", "DescribeRepositories"),
    "lambda-scanning": ("lambda", "ListFunctions"),
    "lambda-code-scanning": ("lambdaCode", "ListFunctions"),
}
ALL_ON = dict.fromkeys(("ec2", "ecr", "lambda", "lambdaCode"), "ENABLED")


def busy(world: World, name: str = HERE, **status: str | None) -> World:
    """Everything that Inspector scans runs in a region; `status` by AWS's names."""
    region = at(world, name)
    region.ec2["instances"] = ["i-1"]
    region.workloads |= {"ecr": ["web"], "functions": ["api"]}
    region.inspector2["status"] = dict(status)
    return world


# ---------------------------------------------------------------- what is scanned


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        ({}, "fail"),
        ({"ec2": "SUSPENDED"}, "fail"),
        ({"ec2": "DISABLING"}, "fail"),
        ({"ec2": "ENABLING"}, "unknown"),
        ({"codeRepository": "ENABLED"}, "pass"),
    ],
    ids=str,
)
def test_on_means_that_something_is_scanned(collect: Collect, status: dict[str, str], verdict: str) -> None:
    """Off and suspended are gaps, one scanned type is enough, and what AWS is turning on decides nothing yet."""
    world = a_world()
    at(world).inspector2["status"] = status

    assert judge(collect(world))["inspector.enabled"].verdict == verdict


def test_each_scan_is_judged_by_its_own_workload(collect: Collect) -> None:
    """Off fails where the workload is and does not apply where it is not; on passes."""
    world = busy(a_world(HERE, THERE))
    off = judge(collect(world))
    at(world).inspector2["status"] = dict(ALL_ON)
    on = judge(collect(world))

    for name in SCANS:
        finding = off[f"inspector.{name}"]
        assert place(finding, HERE).verdict is Verdict.FAIL, name
        assert "DISABLED" in place(finding, HERE).reason
        assert place(finding, THERE).verdict is Verdict.NOT_APPLICABLE, name
        assert place(on[f"inspector.{name}"], HERE).verdict is Verdict.PASS, name


@pytest.mark.parametrize("name", sorted(SCANS))
def test_refused_workload(collect: Collect, name: str) -> None:
    """When AWS refuses to list the workload, a scan that is on passes and one that is off is unknown."""
    answered, operation = SCANS[name]
    found = []
    for status in ({}, {answered: "ENABLED"}):
        world = busy(a_world(), **status)
        world.faults.append(Fault(operation=operation))
        found.append(judge(collect(world))[f"inspector.{name}"].verdict.value)

    assert found == ["unknown", "pass"]


def test_scan_that_the_region_lacks_is_no_gap(collect: Collect) -> None:
    """A type missing from AWS's answer is not offered in the region, and no command asks for it."""
    world = busy(a_world(), **{"lambda": None, "lambdaCode": None})

    found = judge(collect(world))

    assert found["inspector.lambda-code-scanning"].verdict is Verdict.NOT_APPLICABLE
    fix = only(found["inspector.enabled"]).fix
    assert fix and fix.argv and '["EC2","ECR"]' in fix.argv[0]


def test_refused_status_is_unknown(collect: Collect) -> None:
    """Without BatchGetAccountStatus nothing passes and nothing fails."""
    world = busy(a_world())
    world.faults.append(Fault(service="inspector2", operation="BatchGetAccountStatus"))

    found = judge(collect(world))

    assert {found[f"inspector.{name}"].verdict for name in ("enabled", *SCANS)} == {Verdict.UNKNOWN}


def test_status_of_another_account_is_no_answer(collect: Collect) -> None:
    """An answer that lacks the account itself says nothing about it."""
    evidence = collect(busy(a_world()))
    for record in evidence:
        if record.call == "inspector2:BatchGetAccountStatus":
            record.outcome.body["accounts"][0]["accountId"] = MEMBER  # type: ignore[union-attr]  # it is an answer

    assert judge(evidence)["inspector.enabled"].verdict is Verdict.UNKNOWN


def ruling(region: str) -> str:
    """An effective policy that has EC2 scanned in this region."""
    return json.dumps({"inspector": {"enablement": {"ec2_scanning": {"enable_in_regions": [region]}}}})


def test_policy_rules(collect: Collect) -> None:
    """Where an Inspector policy of Organizations rules, or blocks, the fix names it and prints no command."""
    world = busy(a_world())
    in_organization(world, PRINCIPAL, manager=BOSS, admin="")
    assert world.organization
    world.organization["Effective"][(ACCOUNT, "INSPECTOR_POLICY")] = ruling(HERE)

    found = judge(collect(world))

    for name in ("enabled", *SCANS):
        assert "Inspector policy" in steps(found[f"inspector.{name}"])


def test_policy_of_another_region_rules_nothing_here(collect: Collect) -> None:
    """A region that the policy does not name is the account's own to set, and the organization's settings count."""
    world = busy(a_world())
    in_organization(world, PRINCIPAL, manager=BOSS, admin="")
    assert world.organization
    world.organization["Effective"][(ACCOUNT, "INSPECTOR_POLICY")] = ruling(THERE)
    administered = admin_world({"ec2": False, "ecr": False})
    assert administered.organization
    administered.organization["Effective"][(ACCOUNT, "INSPECTOR_POLICY")] = ruling(THERE)

    fix = only(judge(collect(world))["inspector.ec2-scanning"]).fix

    assert fix and fix.argv and fix.argv[0][2] == "enable"
    assert judge(collect(administered))["inspector.auto-enable-members"].verdict is Verdict.FAIL


def test_blocked_type(collect: Collect) -> None:
    """BLOCKED_BY_ORGANIZATION_POLICY is enough to know that no command helps, whatever else is refused."""
    world = busy(a_world())
    in_organization(world, PRINCIPAL, manager=BOSS, admin="")
    at(world).inspector2["blocked"] = ["ec2"]
    world.faults.append(Fault(operation="DescribeEffectivePolicy"))

    found = judge(collect(world))

    assert "Inspector policy" in steps(found["inspector.ec2-scanning"])
    assert "DescribeEffectivePolicy" in steps(found["inspector.ecr-scanning"])


# ---------------------------------------------------------------- the organization


def member_world() -> World:
    """The world's account is a member of ARCHIVE, Inspector's administrator."""
    world = busy(a_world())
    in_organization(world, PRINCIPAL, manager=BOSS, admin=ARCHIVE)
    at(world, account=BOSS).inspector2["org_admins"] = [ARCHIVE]
    at(world, account=ARCHIVE).inspector2["members"] = {ACCOUNT: "ENABLED"}
    return world


def test_member_is_sent_to_its_administrator(collect: Collect) -> None:
    """A member's fixes and organization checks name the accounts where they are answered."""
    found = judge(collect(member_world()))

    for name in ("enabled", *SCANS):
        assert ARCHIVE in steps(found[f"inspector.{name}"]), name
    for name, account in (
        ("auto-enable-members", ARCHIVE),
        ("members-enabled", ARCHIVE),
        ("delegated-admin", BOSS),
    ):
        assert found[f"inspector.{name}"].verdict is Verdict.NOT_APPLICABLE
        assert account in only(found[f"inspector.{name}"]).reason


def admin_world(auto: dict[str, bool] | None = None, **members: str) -> World:
    """The world's account is Inspector's administrator; `members` are relations by account, written a222233334444."""
    world = busy(a_world(), **ALL_ON)
    in_organization(world, PRINCIPAL, manager=BOSS, admin=ACCOUNT)
    at(world, account=BOSS).inspector2["org_admins"] = [ACCOUNT]
    given = {f"a{BOSS}": "ENABLED", f"a{MEMBER}": "ENABLED"} | members
    at(world).inspector2["members"] = {name.removeprefix("a"): status for name, status in given.items()}
    at(world).inspector2["org"] = {
        "autoEnable": auto or dict.fromkeys(("ec2", "ecr", "lambda", "lambdaCode"), True)
    }
    for account in (BOSS, MEMBER):
        at(world, account=account).inspector2["status"] = dict(ALL_ON)
    return world


@pytest.mark.parametrize(
    ("auto", "verdict"),
    [
        ({"ec2": True, "ecr": True, "lambda": True, "lambdaCode": True}, "pass"),
        ({"ec2": True, "ecr": True, "lambda": True}, "pass"),  # code scans are not offered here
        ({"ec2": True, "ecr": False, "lambda": True, "lambdaCode": True}, "fail"),
    ],
    ids=str,
)
def test_types_of_new_members(collect: Collect, auto: dict[str, bool], verdict: str) -> None:
    """Each offered type must turn itself on."""
    finding = judge(collect(admin_world(auto)))["inspector.auto-enable-members"]

    assert finding.verdict == verdict
    assert verdict == "pass" or "ECR" in only(finding).reason


def test_full_administrator(collect: Collect) -> None:
    """Beyond the limit of members nothing turns itself on, whatever the settings say."""
    world = admin_world()
    at(world).inspector2["org"]["maxAccountLimitReached"] = True

    assert "limit" in only(judge(collect(world))["inspector.auto-enable-members"]).reason


def test_policy_makes_auto_enable_needless(collect: Collect) -> None:
    """Where a policy rules, new accounts get what it says: the older setting is not asked for."""
    world = admin_world({"ec2": False, "ecr": False})
    assert world.organization
    world.organization["Effective"][(ACCOUNT, "INSPECTOR_POLICY")] = ruling(HERE)

    found = judge(collect(world))

    assert found["inspector.auto-enable-members"].verdict is Verdict.NOT_APPLICABLE
    assert found["inspector.members-enabled"].verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"members": {MEMBER: "REMOVED"}}, "REMOVED", id="removed"),
        pytest.param({"members": {MEMBER: "CREATED"}}, "CREATED", id="created"),
        pytest.param({"status": {}}, "nothing is scanned", id="off"),
        pytest.param({"status": {"ec2": "SUSPENDED"}}, "nothing is scanned", id="suspended"),
    ],
)
def test_members_left_out(collect: Collect, change: dict[str, Any], said: str) -> None:
    """A member that is gone, or of which nothing is scanned, is named."""
    world = admin_world()
    at(world).inspector2["members"] |= change.get("members", {})
    if "status" in change:
        at(world, account=MEMBER).inspector2["status"] = change["status"]
    world.page_size = 1

    place_ = only(judge(collect(world))["inspector.members-enabled"])

    assert place_.verdict is Verdict.FAIL
    assert f"{MEMBER} ({said})" in place_.reason


def test_suspended_accounts_need_no_inspector(collect: Collect) -> None:
    """An account that Organizations has suspended does not count."""
    world = admin_world(**{f"a{MEMBER}": "REMOVED"})
    suspend(world, MEMBER)

    assert judge(collect(world))["inspector.members-enabled"].verdict is Verdict.PASS


def test_account_that_has_the_region_off_needs_no_inspector(collect: Collect) -> None:
    """Nothing runs where an account has turned the region off, and AWS takes no member there."""
    world = admin_world(**{f"a{MEMBER}": "REGION_DISABLED"})

    assert judge(collect(world))["inspector.members-enabled"].verdict is Verdict.PASS


@pytest.mark.parametrize(
    "call",
    ["inspector2:ListMembers", "organizations:ListAccounts", "inspector2:DescribeOrganizationConfiguration"],
)
def test_refused_on_the_way_to_members(collect: Collect, call: str) -> None:
    """Whatever hides members or accounts leaves the question open: an empty list comes of no refusal."""
    evidence = collect(admin_world())

    assert judge(replay(evidence, denied={call}))["inspector.members-enabled"].verdict is Verdict.UNKNOWN


def test_members_are_asked_a_hundred_at_a_time() -> None:
    """BatchGetAccountStatus takes 100 accounts."""
    ids = [f"{number:012d}" for number in range(250)]

    asked = [len(ask.params["accountIds"]) for ask in status_asks(ids)]

    assert asked == [100, 100, 50]


# ---------------------------------------------------------------- printed fixes


@pytest.mark.exhaustive
def test_printed_fixes_close_the_gaps(mend: Mend, collect: Collect) -> None:
    """Each printed command, run by the real AWS CLI, closes its gap and opens none."""
    world = busy(a_world(HERE, THERE))
    busy(world, THERE, ec2="ENABLED", **{"lambda": "SUSPENDED"})
    before = open_checks(dict(judge(collect(world, wanted=None))))
    names = [f"inspector.{name}" for name in ("enabled", *SCANS)]

    found = mend(world, *names)
    after = open_checks(dict(judge(collect(world, wanted=None))))

    assert {item.verdict for item in found.values()} == {Verdict.PASS}
    assert after < before


def test_organization_fixes_close_the_gaps(mend: Mend) -> None:
    """The administrator's fixes keep what the settings say of other types, take members in, and turn them on."""
    auto = {"ec2": False, "ecr": True, "lambda": True, "codeRepository": False}
    world = admin_world(auto, **{f"a{MEMBER}": "REMOVED"})
    at(world, account=MEMBER).inspector2["status"] = {}
    names = ("inspector.auto-enable-members", "inspector.members-enabled")

    found = mend(world, *names)

    assert {item.verdict for item in found.values()} == {Verdict.PASS}
    assert at(world).inspector2["org"]["autoEnable"] == {**auto, "ec2": True}
    assert at(world, account=MEMBER).inspector2["status"]["ec2"] == "ENABLED"


def test_delegation_follows_the_other_regions(mend: Mend, collect: Collect) -> None:
    """AWS takes one administrator for all regions: where another has one, it is named; else the user names one."""
    world = a_world(HERE, THERE)
    in_organization(world, PRINCIPAL, manager=ACCOUNT, admin="", others=(ARCHIVE,))
    at(world, THERE).inspector2["org_admins"] = [ARCHIVE]

    found = mend(world, "inspector.delegated-admin")

    assert found["inspector.delegated-admin"].verdict is Verdict.PASS
    at(world, HERE).inspector2["org_admins"] = at(world, THERE).inspector2["org_admins"] = []
    last = judge(collect(world))["inspector.delegated-admin"]
    assert last.fix and last.fix.needs == ("ADMIN_ACCOUNT",)
    named = mend(world, "inspector.delegated-admin", needs={"ADMIN_ACCOUNT": ARCHIVE})
    assert named["inspector.delegated-admin"].verdict is Verdict.PASS
