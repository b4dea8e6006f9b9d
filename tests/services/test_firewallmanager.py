"""Firewall Manager's hub: an administrator, and policies that are in force."""

from __future__ import annotations

from typing import Any

import pytest

from postureaudit.aws.outcomes import classify
from postureaudit.evidence import Absent, Refusal
from postureaudit.findings import Finding, Verdict
from tests.conftest import Collect, Mend, judge
from tests.fakeaws import Fault, World
from tests.fakeaws.handlers.firewallmanager import add_policy
from tests.fakeaws.world import ACCOUNT, ARCHIVE, Region

HERE = "us-east-1"
ADMIN, ACTIVE, REMEDIATE = (
    f"firewallmanager.{name}" for name in ("administrator", "policies-active", "policies-remediate")
)


def a_world(manager: str = "", admin: str = "", **fields: Any) -> World:
    """One region; with a `manager`, an organization in which `admin` administers Firewall Manager."""
    world = World(**fields)
    for name in (ACCOUNT, ARCHIVE):
        world.account(name, regions=(HERE,))
    if manager:
        world.organize(manager, tuple({ACCOUNT, ARCHIVE} - {manager}))
        if admin:
            world.organization["FirewallManager"] = admin
    return world


def at(world: World) -> Region:
    return world.account().region(HERE)


def reason(finding: Finding) -> str:
    [place] = finding.places
    return place.reason


def test_nobody_and_somebody_else(collect: Collect) -> None:
    """No administrator is the management account's gap; where another is, its policies are its to judge."""
    alone = judge(collect(a_world()))
    nobody = judge(collect(a_world(manager=ACCOUNT)))
    other = judge(collect(a_world(manager=ACCOUNT, admin=ARCHIVE)))
    member = judge(collect(a_world(manager=ARCHIVE)))

    assert [item[ADMIN].verdict.value for item in (alone, nobody, other, member)] == [
        *("not_applicable", "fail", "pass", "not_applicable")
    ]
    assert reason(nobody[ACTIVE]).startswith("Firewall Manager has no administrator: look in")
    assert reason(other[ACTIVE]) == f"look in the account that administers Firewall Manager {ARCHIVE}"
    assert other[ACTIVE].verdict is Verdict.NOT_APPLICABLE
    assert ARCHIVE in reason(member[ADMIN])


def test_role_that_is_not_ready(collect: Collect) -> None:
    """An administrator that is being taken down administers nothing, and naming it again is no fix."""
    world = a_world(manager=ACCOUNT, admin=ARCHIVE)
    world.organization["FirewallManagerRole"] = "DELETING"

    found = judge(collect(world))[ADMIN]

    assert found.verdict is Verdict.FAIL and found.fix and not found.fix.argv


@pytest.mark.parametrize(
    ("policies", "active", "remediate"),
    [
        ([], Verdict.NOT_APPLICABLE, Verdict.NOT_APPLICABLE),
        ([{}], Verdict.PASS, Verdict.PASS),
        ([{}, {"status": "OUT_OF_ADMIN_SCOPE"}], Verdict.FAIL, Verdict.PASS),
        ([{"status": ""}], Verdict.UNKNOWN, Verdict.PASS),
        ([{}, {"remediates": False}], Verdict.PASS, Verdict.FAIL),
    ],
)
def test_policies(
    collect: Collect, policies: list[dict[str, Any]], active: Verdict, remediate: Verdict
) -> None:
    """The administrator's policies are judged one by one; without any there is nothing to judge."""
    world = a_world(manager=ARCHIVE, admin=ACCOUNT)
    for index, fields in enumerate(policies):
        add_policy(at(world), f"[/]{index}", **fields)

    found = judge(collect(world))

    assert (found[ACTIVE].verdict, found[REMEDIATE].verdict) == (active, remediate)


def test_missing_permission_is_unknown(collect: Collect) -> None:
    """Firewall Manager says "not the administrator" with the code of a missing permission; only the text tells."""
    world = a_world(manager=ACCOUNT, admin=ARCHIVE, faults=[Fault(service="fms")])

    found = judge(collect(world))

    assert {found[name].verdict for name in (ADMIN, ACTIVE, REMEDIATE)} == {Verdict.UNKNOWN}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Operation ListPolicies is only available to AWS Firewall Manager Administrators", Absent),
        (
            "Operation: ListPolicies is only available to Administration account in AWS Firewall Manager.",
            Absent,
        ),
        ("User: x is not authorized to perform: fms:ListPolicies", Refusal),
    ],
)
def test_texts_of_firewall_manager(text: str, kind: type) -> None:
    """Both wordings that AWS has used are known, and no other."""
    assert isinstance(classify("fms", "ListPolicies", "AccessDeniedException", text), kind)


def test_command_names_the_administrator(mend: Mend) -> None:
    """The management account names who administers."""
    world = a_world(manager=ACCOUNT)

    found = mend(world, ADMIN, needs={"ADMIN_ACCOUNT": ARCHIVE})

    assert found[ADMIN].verdict is Verdict.PASS
