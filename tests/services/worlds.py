"""Small worlds, and places of findings, that the tests of several services share."""

from __future__ import annotations

from postureaudit.findings import Finding, Place, Verdict
from tests.fakeaws import World
from tests.fakeaws.world import ACCOUNT, Region

HERE, THERE = "us-east-1", "eu-west-1"
BOSS, MEMBER = "444455556666", "222233334444"


def a_world(*regions: str) -> World:
    """A world whose account has few regions (default: one)."""
    world = World()
    world.account(regions=regions or (HERE,))
    return world


def at(world: World, name: str = HERE, account: str = ACCOUNT) -> Region:
    """A region of an account."""
    return world.account(account).region(name)


def in_organization(
    world: World, principal: str, *, manager: str, admin: str, others: tuple[str, ...] = (MEMBER,)
) -> None:
    """An organization with the world's account in it, `admin` delegated for the principal ("" for nobody)."""
    names = [name for name in dict.fromkeys((manager, ACCOUNT, admin, *others)) if name]
    delegated = {principal: [admin]} if admin else {}
    world.organize(manager, tuple(name for name in names if name != manager), delegated=delegated)


def suspend(world: World, account: str) -> None:
    """Organizations suspends an account."""
    assert world.organization
    for item in world.organization["Accounts"]:
        if item["Id"] == account:
            item["State"] = "SUSPENDED"


def only(finding: Finding) -> Place:
    """The one place of a finding."""
    [place] = finding.places
    return place


def place(finding: Finding, region: str) -> Place:
    """The place in a region."""
    return next(item for item in finding.places if item.region == region)


def steps(finding: Finding) -> str:
    """The steps of the fix of the one place; there must be no command."""
    found = only(finding).fix
    assert found and not found.argv and not found.shell
    return " ".join(found.steps)


def verdicts(found: dict[str, Finding]) -> dict[str, str]:
    """Each check's verdict."""
    return {name: item.verdict.value for name, item in found.items()}


def open_checks(found: dict[str, Finding]) -> set[str]:
    """The checks with a gap or without an answer."""
    return {name for name, item in found.items() if item.verdict in (Verdict.FAIL, Verdict.UNKNOWN)}
