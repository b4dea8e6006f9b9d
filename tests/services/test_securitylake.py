"""Security Lake: seen only by the account that runs it, and judged by what flows in."""

from __future__ import annotations

from typing import Any

import pytest

from postureaudit.findings import Finding, Verdict
from tests.conftest import Collect, Mend, judge
from tests.fakeaws import Fault, World
from tests.fakeaws.handlers.securitylake import PRINCIPAL, add_lake
from tests.fakeaws.world import ACCOUNT, ARCHIVE, Region
from tests.replay import replay

HERE, MEMBER = "us-east-1", "222233334444"
ON, WELL, SOURCES, AUTO, ADMIN = (
    f"securitylake.{name}" for name in ("enabled", "healthy", "log-sources", "auto-enable", "delegated-admin")
)


def a_world(manager: str = "", admin: str = "", **fields: Any) -> World:
    """One region; with a `manager`, an organization of three accounts in which `admin` runs the lake."""
    world = World(**fields)
    for name in (ACCOUNT, ARCHIVE, MEMBER):
        world.account(name, regions=(HERE,))
    if manager:
        members = tuple(name for name in (ACCOUNT, ARCHIVE, MEMBER) if name != manager)
        world.organize(manager, members, delegated={PRINCIPAL: [admin]} if admin else {})
    return world


def at(world: World) -> Region:
    return world.account().region(HERE)


def reason(finding: Finding) -> str:
    [place] = finding.places
    return place.reason


def test_account_on_its_own(collect: Collect) -> None:
    """Off is one gap, and nothing behind it is judged; a good lake passes, also where accounts cannot join."""
    off = judge(collect(a_world()))
    world = a_world()
    add_lake(at(world))
    on = judge(collect(world))

    assert [off[name].verdict.value for name in (ON, WELL, SOURCES, AUTO, ADMIN)] == [
        "fail",
        *["not_applicable"] * 4,
    ]
    assert [on[name].verdict.value for name in (ON, WELL, SOURCES, AUTO, ADMIN)] == [
        *["pass"] * 3,
        *["not_applicable"] * 2,
    ]


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({"createStatus": "FAILED"}, Verdict.FAIL),
        ({"createStatus": "PENDING"}, Verdict.FAIL),
        ({"updateStatus": {"status": "FAILED", "exception": {"reason": "AccessDenied"}}}, Verdict.FAIL),
        ({"updateStatus": {"status": "COMPLETED"}}, Verdict.PASS),
        ({"createStatus": ""}, Verdict.UNKNOWN),
    ],
)
def test_health(collect: Collect, fields: dict[str, Any], verdict: Verdict) -> None:
    """A lake is well when it was set up and its last change did not fail."""
    world = a_world()
    add_lake(at(world), **fields)

    found = judge(collect(world))

    assert (found[ON].verdict, found[WELL].verdict) == (Verdict.PASS, verdict)


def test_members_and_the_manager_are_told_where_to_look(collect: Collect) -> None:
    """The organization's lake is its delegated administrator's: what others do not see is no gap."""
    manager = judge(collect(a_world(manager=ACCOUNT, admin=ARCHIVE)))
    member = judge(collect(a_world(manager=ARCHIVE, admin=MEMBER)))
    nobody = judge(collect(a_world(manager=ACCOUNT)))

    assert manager[ADMIN].verdict is Verdict.PASS and nobody[ADMIN].verdict is Verdict.FAIL
    for found, text in (
        (manager, f"delegated administrator account {ARCHIVE}"),
        (member, "the account that administers"),
        (nobody, "no account is delegated"),
    ):
        assert found[ON].verdict is Verdict.NOT_APPLICABLE and text in reason(found[ON])
    assert ARCHIVE in reason(member[ADMIN])


def test_every_account_has_to_flow_in(collect: Collect) -> None:
    """The administrator's lake is for every active account of the organization."""
    world = a_world(manager=ARCHIVE, admin=ACCOUNT)
    add_lake(at(world), ACCOUNT, ARCHIVE, auto=("CLOUD_TRAIL_MGMT",))

    found = judge(collect(world))

    assert (found[ON].verdict, found[SOURCES].verdict, found[AUTO].verdict) == (
        Verdict.PASS,
        Verdict.FAIL,
        Verdict.FAIL,
    )
    assert f"CLOUD_TRAIL_MGMT from {MEMBER}" in reason(found[SOURCES])


def test_missing_permission_is_not_the_administrators_answer(collect: Collect) -> None:
    """Both come as AccessDeniedException: only the text about the organization says that the lake is another's."""
    world = a_world(faults=[Fault(service="securitylake")])

    assert judge(collect(world))[ON].verdict is Verdict.UNKNOWN


def test_refusals(collect: Collect) -> None:
    """A missing permission is unknown, though it has the code of the administrator's answer."""
    world = a_world(manager=ARCHIVE, admin=ACCOUNT)
    add_lake(at(world), ACCOUNT, ARCHIVE, MEMBER)
    evidence = collect(world)

    for call, names in (
        ("securitylake:ListDataLakes", (ON, WELL, SOURCES, AUTO)),
        ("securitylake:ListLogSources", (SOURCES,)),
        ("securitylake:GetDataLakeOrganizationConfiguration", (AUTO,)),
        ("organizations:ListAccounts", (SOURCES,)),
    ):
        found = judge(replay(evidence, denied={call}))
        assert {found[name].verdict for name in names} == {Verdict.UNKNOWN}, call


def test_commands_let_the_logs_flow(mend: Mend) -> None:
    """The commands add what is wanted and not there, for the accounts that lack it, and delegate."""
    world = a_world(manager=ARCHIVE, admin=ACCOUNT)
    add_lake(at(world), ACCOUNT, sources=("CLOUD_TRAIL_MGMT", "WAF"), auto=("WAF",))

    found = mend(world, ON, SOURCES, AUTO)

    assert {found[name].verdict for name in (ON, SOURCES, AUTO)} == {Verdict.PASS}
    assert "WAF" not in at(world).securitylake["sources"][MEMBER]
    assert set(at(world).securitylake["auto"]) == {
        "WAF",
        "CLOUD_TRAIL_MGMT",
        "VPC_FLOW",
        "ROUTE53",
        "SH_FINDINGS",
    }


def test_command_delegates(mend: Mend) -> None:
    """The management account names who runs the lake."""
    world = a_world(manager=ACCOUNT)

    found = mend(world, ADMIN, needs={"LAKE_ACCOUNT": ARCHIVE})

    assert found[ADMIN].verdict is Verdict.PASS
