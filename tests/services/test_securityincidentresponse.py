"""Security Incident Response: one membership in one region, for some accounts or all."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from postureaudit.evidence import Evidence, Refusal, RefusalKind
from postureaudit.findings import Finding, Verdict
from tests.conftest import Collect, Mend, judge
from tests.fakeaws import World
from tests.fakeaws.handlers.securityir import add_sir_membership
from tests.fakeaws.world import ACCOUNT, ARCHIVE, Region
from tests.replay import replay

HERE, THERE, MEMBER = "us-east-1", "eu-west-1", "222233334444"
PRINCIPAL = "security-ir.amazonaws.com"
ACTIVE, PROACTIVE, COVERS, ADMIN = (
    f"securityincidentresponse.{name}"
    for name in ("membership", "proactive-response", "covers-organization", "delegated-admin")
)
ALL = (ACTIVE, PROACTIVE, COVERS, ADMIN)


def a_world(
    *regions: str, manager: str = "", admin: str = "", others: tuple[str, ...] = (MEMBER,), **fields: Any
) -> World:
    """One account; with a `manager`, an organization in which `admin` is delegated."""
    world = World(**fields)
    world.account(ACCOUNT, regions=regions or (HERE, THERE))
    if manager:
        names = dict.fromkeys((ACCOUNT, manager, admin or MEMBER, *others))
        for name in names:
            world.account(name, regions=regions or (HERE, THERE))
        members = tuple(name for name in names if name != manager)
        world.organize(manager, members, delegated={PRINCIPAL: [admin]} if admin else {})
    return world


def at(world: World, name: str = THERE) -> Region:
    return world.account().region(name)


def reason(finding: Finding) -> str:
    [place] = finding.places
    return place.reason


def test_a_membership_is_found_wherever_it_lives(collect: Collect) -> None:
    """It is listed in its own region only; an ended one is none."""
    none, ended, active = a_world(), a_world(), a_world()
    add_sir_membership(at(ended), status="Cancelled")
    add_sir_membership(at(active))

    found = [judge(collect(world)) for world in (none, ended, active)]

    assert [item[ACTIVE].verdict for item in found] == [Verdict.FAIL, Verdict.FAIL, Verdict.PASS]
    assert "Cancelled in eu-west-1" in reason(found[1][ACTIVE])
    assert found[0][PROACTIVE].verdict is Verdict.NOT_APPLICABLE
    assert (found[2][PROACTIVE].verdict, found[2][COVERS].verdict) == (Verdict.PASS, Verdict.NOT_APPLICABLE)


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [({"triage": False}, Verdict.FAIL), ({"role": False}, Verdict.FAIL), ({}, Verdict.PASS)],
)
def test_proactive_response(collect: Collect, fields: dict[str, bool], verdict: Verdict) -> None:
    """It takes the feature, and the role that the feature works with."""
    world = a_world()
    add_sir_membership(at(world), **fields)

    assert judge(collect(world))[PROACTIVE].verdict is verdict


def test_others_are_told_where_to_look(collect: Collect) -> None:
    """The organization's membership is its delegated administrator's."""
    manager = judge(collect(a_world(manager=ACCOUNT, admin=ARCHIVE)))
    member = judge(collect(a_world(manager=ARCHIVE, admin=MEMBER)))

    assert manager[ADMIN].verdict is Verdict.PASS
    assert ARCHIVE in reason(manager[ACTIVE]) and manager[ACTIVE].verdict is Verdict.NOT_APPLICABLE
    assert member[ACTIVE].verdict is member[ADMIN].verdict is Verdict.NOT_APPLICABLE


@pytest.mark.parametrize("size", [2, 130])
def test_cover_account_by_account(collect: Collect, size: int) -> None:
    """Without a membership for all, every active account has to be associated, however many there are."""
    others = tuple(f"3{index:011d}" for index in range(size))
    world = a_world(HERE, manager=ARCHIVE, admin=ACCOUNT, others=others)
    everyone = (ACCOUNT, ARCHIVE, *others)
    add_sir_membership(at(world, HERE), whole=False, covered=everyone)

    good = judge(collect(world))[COVERS]
    [membership] = at(world, HERE).responders["memberships"].values()
    membership["coveredAccounts"] = list(everyone[:-1])
    bad = judge(collect(world))[COVERS]

    assert (good.verdict, bad.verdict) == (Verdict.PASS, Verdict.FAIL)
    assert reason(bad) == f"not covered: {others[-1]}"


def test_refusals(collect: Collect) -> None:
    """A region that refuses may hide the membership; a setup that is refused is unknown."""
    world = a_world(HERE, manager=ARCHIVE, admin=ACCOUNT)
    add_sir_membership(at(world, HERE), whole=False, covered=(ACCOUNT, ARCHIVE, MEMBER))
    evidence = collect(world)

    for call, names in (
        ("security-ir:ListMemberships", (ACTIVE, PROACTIVE, COVERS)),
        ("security-ir:GetMembership", (PROACTIVE, COVERS)),
        ("security-ir:BatchGetMemberAccountDetails", (COVERS,)),
        ("organizations:ListAccounts", (COVERS,)),
        ("iam:GetRole", (PROACTIVE,)),
    ):
        found = judge(replay(evidence, denied={call}))
        assert {found[name].verdict for name in names} == {Verdict.UNKNOWN}, call


def test_regions_without_an_endpoint_hide_nothing(collect: Collect) -> None:
    """AWS has no endpoint in some regions, of which botocore knows nothing; where it has one, silence hides."""
    unreached = Refusal(RefusalKind.NETWORK, "EndpointConnectionError", "Could not connect")
    evidence, denied = collect(a_world(HERE, "us-west-1")), {"security-ir:ListMemberships"}
    verdicts = [
        judge(replay(evidence, denied=denied, refusal=unreached, regions=(name,)))[ACTIVE].verdict
        for name in ("us-west-1", HERE)
    ]

    assert verdicts == [Verdict.FAIL, Verdict.UNKNOWN]


def test_region_that_is_left_out_may_hide_it(collect: Collect) -> None:
    """Whoever audits one region of two does not know that there is no membership."""
    world = a_world()
    add_sir_membership(at(world, THERE))

    assert judge(collect(world, only=(HERE,)))[ACTIVE].verdict is Verdict.UNKNOWN


def test_commands(mend: Mend) -> None:
    """The membership is widened and made proactive, and the role is made."""
    world = a_world(HERE, manager=ARCHIVE, admin=ACCOUNT)
    add_sir_membership(at(world, HERE), whole=False, triage=False, role=False)

    found = mend(world, ACTIVE, PROACTIVE, COVERS)

    assert {found[name].verdict for name in (ACTIVE, PROACTIVE, COVERS)} == {Verdict.PASS}


def test_delegating(mend: Mend) -> None:
    """The management account delegates; where it holds the membership itself, no command ends that."""
    free, bound = a_world(manager=ACCOUNT), a_world(manager=ACCOUNT)
    add_sir_membership(at(bound))

    done = mend(free, ADMIN, needs={"ADMIN_ACCOUNT": MEMBER})
    held = mend(bound, ADMIN, needs={"ADMIN_ACCOUNT": MEMBER})

    assert done[ADMIN].verdict is Verdict.PASS
    assert held[ADMIN].verdict is Verdict.FAIL and held[ADMIN].fix and not held[ADMIN].fix.argv


@pytest.mark.parametrize("kind", [RefusalKind.NETWORK, RefusalKind.NOT_IN_REGION])
def test_partition_without_the_service_has_no_gap(collect: Collect, kind: RefusalKind) -> None:
    """Where AWS does not offer it anywhere, nobody can be a member: not applicable, and no gap."""
    evidence, denied = collect(a_world(HERE)), {"security-ir:ListMemberships"}
    refused = replay(evidence, denied=denied, refusal=Refusal(kind, "EndpointConnectionError"))
    header = msgspec.structs.replace(refused.header, partition="aws-cn")
    regions = msgspec.structs.replace(header.regions, audited=("cn-north-1",))
    moved = [msgspec.structs.replace(record, region="cn-north-1") for record in refused]
    there = Evidence(msgspec.structs.replace(header, regions=regions, leader="cn-north-1"), moved)

    assert judge(there)[ACTIVE].verdict is Verdict.NOT_APPLICABLE
