"""The organization itself: its features, whom it trusts, and who administers security in it."""

from __future__ import annotations

import pytest

from postureaudit import catalog, evaluate
from postureaudit.findings import Verdict
from tests.conftest import Collect, Mend, judge
from tests.fakeaws import Fault, World
from tests.fakeaws.world import ACCOUNT, ARCHIVE
from tests.replay import replay

HERE, MEMBER = "us-east-1", "222233334444"
IN_USE, FEATURES, ACCESS, ONE = (
    f"organizations.{name}" for name in ("in-use", "all-features", "service-access", "one-administrator")
)
FOUR = tuple(f"{name}.amazonaws.com" for name in ("cloudtrail", "config", "guardduty", "securityhub"))


def a_world(manager: str = ACCOUNT, access: tuple[str, ...] = FOUR, **delegated: list[str]) -> World:
    """An organization that trusts `access` and in which services (their short names) are delegated."""
    world = World()
    for name in (ACCOUNT, ARCHIVE, MEMBER):
        world.account(name, regions=(HERE,))
    if manager:
        names = {f"{name.replace('_', '-')}.amazonaws.com": ids for name, ids in delegated.items()}
        members = tuple(name for name in (ACCOUNT, ARCHIVE, MEMBER) if name != manager)
        world.organize(manager, members, access=access, delegated=names)
    return world


def test_account_on_its_own(collect: Collect) -> None:
    """No organization is no gap, unless one is wanted; then it is."""
    evidence = collect(a_world(manager=""))
    tuned = catalog.builtin().tuned(parameters={IN_USE: {"wanted": True}})

    found = judge(evidence)
    [wanted] = evaluate.evaluate(evidence, tuned, ids=[IN_USE])

    assert {found[name].verdict for name in (IN_USE, FEATURES, ACCESS, ONE)} == {Verdict.NOT_APPLICABLE}
    assert wanted.verdict is Verdict.FAIL


def test_member_is_told_where_to_look(collect: Collect) -> None:
    """A member is in an organization; the organization's settings are its management account's."""
    found = judge(collect(a_world(manager=ARCHIVE)))

    assert found[IN_USE].verdict is Verdict.PASS
    for name in (FEATURES, ACCESS, ONE):
        assert found[name].verdict is Verdict.NOT_APPLICABLE, name
        assert ARCHIVE in found[name].places[0].reason


def test_billing_alone_is_a_gap(collect: Collect) -> None:
    """Without all features, whom the organization trusts is not asked."""
    world = a_world(access=())
    world.organization["Organization"]["FeatureSet"] = "CONSOLIDATED_BILLING"

    found = judge(collect(world))

    assert (found[FEATURES].verdict, found[ACCESS].verdict) == (Verdict.FAIL, Verdict.NOT_APPLICABLE)


def test_access_of_what_is_used(collect: Collect) -> None:
    """The four services need trusted access, and so does every service with a delegated administrator."""
    good = judge(collect(a_world(guardduty=[ARCHIVE])))
    four = judge(collect(a_world(access=FOUR[1:])))
    more = judge(collect(a_world(macie=[ARCHIVE])))

    assert good[ACCESS].verdict is Verdict.PASS
    assert four[ACCESS].places[0].reason == "no trusted access for: cloudtrail.amazonaws.com"
    assert more[ACCESS].places[0].reason == "no trusted access for: macie.amazonaws.com"


@pytest.mark.parametrize(
    ("delegated", "verdict"),
    [
        ({}, Verdict.NOT_APPLICABLE),
        ({"guardduty": [ARCHIVE]}, Verdict.NOT_APPLICABLE),
        ({"guardduty": [ARCHIVE], "securityhub": [ARCHIVE]}, Verdict.PASS),
        ({"guardduty": [ARCHIVE], "config": [MEMBER, ARCHIVE]}, Verdict.PASS),
        ({"guardduty": [ARCHIVE], "config": [MEMBER]}, Verdict.FAIL),
        ({"guardduty": [ARCHIVE], "macie": [ARCHIVE], "securitylake": [MEMBER]}, Verdict.PASS),
    ],
)
def test_one_administrator(collect: Collect, delegated: dict[str, list[str]], verdict: Verdict) -> None:
    """One account has to be among the administrators of each service; Security Lake may be the log archive's."""
    assert judge(collect(a_world(**delegated)))[ONE].verdict is verdict


def test_refusals(collect: Collect) -> None:
    """A refused list is unknown; where AWS refuses to say what this account is, so is everything."""
    evidence = collect(a_world(access=(), guardduty=[ARCHIVE], config=[MEMBER]))

    for call, names in (
        ("organizations:DescribeOrganization", (IN_USE, FEATURES, ACCESS, ONE)),
        ("organizations:ListAWSServiceAccessForOrganization", (ACCESS,)),
        ("organizations:ListDelegatedAdministrators", (ONE,)),
    ):
        found = judge(replay(evidence, denied={call}))
        assert {found[name].verdict for name in names} == {Verdict.UNKNOWN}, call


def test_hidden_administrator_of_one_service(collect: Collect) -> None:
    """Whom one account serves hides whether the administrators differ."""
    for name in (MEMBER, ARCHIVE):
        world = a_world(guardduty=[ARCHIVE], config=[name], macie=[ARCHIVE])
        world.faults.append(
            Fault(service="organizations", operation="ListDelegatedServicesForAccount", times=1)
        )
        assert judge(collect(world))[ONE].verdict is Verdict.UNKNOWN


def test_command_gives_access(mend: Mend) -> None:
    """The command turns trusted access on for each service that lacks it."""
    world = a_world(access=FOUR[2:], detective=[ARCHIVE])

    found = mend(world, ACCESS)

    assert found[ACCESS].verdict is Verdict.PASS
    assert set(world.organization["Access"]) == {*FOUR, "detective.amazonaws.com"}
