"""Detective judged by meaning: a graph of one's own or of an administrator, and who is in it."""

from __future__ import annotations

import pytest

from postureaudit.findings import Verdict
from tests.conftest import Collect, Mend, judge
from tests.fakeaws import World
from tests.fakeaws.handlers.detective import graph
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
    steps,
    suspend,
)

PRINCIPAL = "detective.amazonaws.com"


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        ("ENABLED", "pass"),
        ("INVITED", "fail"),
        ("VERIFICATION_IN_PROGRESS", "fail"),
        ("ACCEPTED_BUT_DISABLED", "fail"),
    ],
)
def test_member_of_a_graph(collect: Collect, status: str, verdict: str) -> None:
    """Data flows into an administrator's graph in one status only; no command accepts a stranger's invitation."""
    world = a_world()
    at(world).detective["invitations"] = {ARCHIVE: status}

    finding = judge(collect(world))["detective.enabled"]

    assert finding.verdict == verdict
    if verdict == "fail":
        assert f"{ARCHIVE} ({status})" in only(finding).reason
        assert "only if that is your security account" in steps(finding)


def test_own_graph_needs_no_invitation(collect: Collect) -> None:
    """Where the account has a graph, nobody asks for invitations."""
    world = a_world()
    at(world).detective["graphs"] = [graph(at(world))]

    assert judge(collect(world))["detective.enabled"].verdict is Verdict.PASS
    assert "ListInvitations" not in {call[3] for call in world.calls}


@pytest.mark.parametrize("call", ["detective:ListGraphs", "detective:ListInvitations"])
def test_refused_list_is_unknown(collect: Collect, call: str) -> None:
    """SecurityAudit may not list invitations: without them nobody knows of a membership."""
    found = judge(replay(collect(a_world()), denied={call}))

    assert found["detective.enabled"].verdict is Verdict.UNKNOWN


def test_account_of_an_organization_is_enabled_by_its_administrator(collect: Collect) -> None:
    """In an organization a graph of one account is the second best: both ways are told."""
    world = a_world()
    in_organization(world, PRINCIPAL, manager=BOSS, admin=ARCHIVE)

    found = judge(collect(world))

    assert "create-members" in steps(found["detective.enabled"])
    assert found["detective.members-enabled"].verdict is Verdict.NOT_APPLICABLE
    assert BOSS in only(found["detective.delegated-admin"]).reason


def admin_world(*, auto: bool = True, **members: str) -> World:
    """The world's account is Detective's administrator; `members` are statuses by account, written a222233334444."""
    world = a_world()
    in_organization(world, PRINCIPAL, manager=BOSS, admin=ACCOUNT)
    at(world, account=BOSS).detective["org_admins"] = [ACCOUNT]
    given = {f"a{BOSS}": "ENABLED", f"a{MEMBER}": "ENABLED"} | members
    at(world).detective |= {
        "graphs": [graph(at(world))],
        "members": {name.removeprefix("a"): status for name, status in given.items()},
        "auto_enable": auto,
    }
    return world


@pytest.mark.parametrize("status", ["ENABLED", "INVITED", "ACCEPTED_BUT_DISABLED"])
def test_members(collect: Collect, status: str) -> None:
    """Every active account is an enabled member; the other is named with its status."""
    world = admin_world(**{f"a{MEMBER}": status})
    world.page_size = 1

    finding = judge(collect(world))["detective.members-enabled"]

    assert finding.verdict is (Verdict.PASS if status == "ENABLED" else Verdict.FAIL)
    assert status == "ENABLED" or f"{MEMBER} ({status})" in steps(finding)


def test_suspended_accounts_need_no_detective(collect: Collect) -> None:
    """An account that Organizations has suspended does not count."""
    world = admin_world(**{f"a{MEMBER}": "INVITED"})
    suspend(world, MEMBER)

    assert judge(collect(world))["detective.members-enabled"].verdict is Verdict.PASS


@pytest.mark.parametrize(
    "call",
    [
        "detective:ListGraphs",
        "detective:DescribeOrganizationConfiguration",
        "detective:ListMembers",
        "organizations:ListAccounts",
    ],
)
def test_refused_on_the_way_to_members(collect: Collect, call: str) -> None:
    """Whatever hides members or accounts leaves the question open."""
    found = judge(replay(collect(admin_world()), denied={call}))

    assert found["detective.members-enabled"].verdict is Verdict.UNKNOWN


def test_printed_fixes_close_the_gaps(mend: Mend, collect: Collect) -> None:
    """A graph is created where there is none, new accounts join by themselves; no other check is worse."""
    world = a_world(HERE, THERE)
    before = open_checks(dict(judge(collect(world, wanted=None))))

    found = mend(world, "detective.enabled")
    after = open_checks(dict(judge(collect(world, wanted=None))))
    auto = mend(admin_world(auto=False), "detective.auto-enable-members")

    assert found["detective.enabled"].verdict is Verdict.PASS
    assert after < before
    assert auto["detective.auto-enable-members"].verdict is Verdict.PASS


def test_delegation_follows_the_other_regions(mend: Mend) -> None:
    """Where another region has an administrator, the same account is delegated here; else the user names one."""
    world = a_world(HERE, THERE)
    in_organization(world, PRINCIPAL, manager=ACCOUNT, admin="", others=(ARCHIVE,))
    at(world, THERE).detective["org_admins"] = [ARCHIVE]

    found = mend(world, "detective.delegated-admin")

    assert found["detective.delegated-admin"].verdict is Verdict.PASS
    at(world, HERE).detective["org_admins"] = at(world, THERE).detective["org_admins"] = []
    named = mend(world, "detective.delegated-admin", needs={"ADMIN_ACCOUNT": ARCHIVE})
    assert named["detective.delegated-admin"].verdict is Verdict.PASS
