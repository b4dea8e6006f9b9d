"""IAM Access Analyzer judged by meaning: only active analyzers look, and the organization's belong to one account."""

from __future__ import annotations

import pytest

from postureaudit.findings import Verdict
from tests.conftest import Collect, Mend, judge
from tests.fakeaws import Fault, World
from tests.fakeaws.handlers.accessanalyzer import analyzer
from tests.fakeaws.world import ACCOUNT, ARCHIVE
from tests.replay import replay
from tests.services.worlds import (
    BOSS,
    HERE,
    THERE,
    a_world,
    at,
    in_organization,
    only,
    open_checks,
    place,
    steps,
    verdicts,
)

PRINCIPAL = "access-analyzer.amazonaws.com"


def having(world: World, *kinds: str, status: str = "ACTIVE", name: str = HERE) -> World:
    """Analyzers of these types in a region."""
    region = at(world, name)
    region.accessanalyzer["analyzers"] += [analyzer(region, kind.lower(), kind, status) for kind in kinds]
    return world


@pytest.mark.parametrize(
    ("kind", "status", "verdict"),
    [
        ("ACCOUNT", "ACTIVE", "pass"),
        ("ORGANIZATION", "ACTIVE", "pass"),
        ("ACCOUNT", "CREATING", "fail"),
        ("ACCOUNT", "DISABLED", "fail"),
        ("ACCOUNT", "FAILED", "fail"),
        ("ACCOUNT_UNUSED_ACCESS", "ACTIVE", "fail"),
        ("ORGANIZATION_INTERNAL_ACCESS", "ACTIVE", "fail"),
    ],
)
def test_only_an_active_analyzer_of_external_access_counts(
    collect: Collect, kind: str, status: str, verdict: str
) -> None:
    """The type and the status both matter; in each region anew."""
    world = having(a_world(HERE, THERE), kind, status=status)

    finding = judge(collect(world))["accessanalyzer.external-access"]

    assert place(finding, HERE).verdict == verdict
    assert place(finding, THERE).verdict is Verdict.FAIL


def test_dead_analyzer_beside_a_living_one(collect: Collect) -> None:
    """One that works is enough."""
    world = having(having(a_world(), "ACCOUNT", status="FAILED"), "ORGANIZATION")

    assert judge(collect(world))["accessanalyzer.external-access"].verdict is Verdict.PASS


def test_dead_analyzer_is_explained(collect: Collect) -> None:
    """Why it is dead is said, and no command deletes its archive rules."""
    world = a_world()
    dead = analyzer(at(world), "[/]--debug", "ACCOUNT", "FAILED", "SERVICE_LINKED_ROLE_CREATION_FAILED")
    at(world).accessanalyzer["analyzers"] = [dead]

    finding = judge(collect(world))["accessanalyzer.external-access"]

    assert "[/]--debug is FAILED (SERVICE_LINKED_ROLE_CREATION_FAILED)" in steps(finding)


def test_refused_and_nameless_status_are_unknown(collect: Collect) -> None:
    """A refused list hides everything; a status that AWS does not have decides nothing."""
    refused, odd = a_world(), having(a_world(), "ACCOUNT")
    refused.faults.append(Fault(service="accessanalyzer"))
    evidence = collect(odd)
    for record in evidence:
        if record.call == "accessanalyzer:ListAnalyzers":
            record.outcome.body["analyzers"][0]["status"] = "SLEEPING"  # type: ignore[union-attr]  # it is an answer
    names = [f"accessanalyzer.{name}" for name in ("external-access", "unused-access", "internal-access")]

    found = judge(collect(refused), *names)

    assert set(verdicts(dict(found)).values()) == {"unknown"}
    assert judge(evidence)["accessanalyzer.external-access"].verdict is Verdict.UNKNOWN


def test_every_page_is_read(collect: Collect) -> None:
    """The analyzer on the last page counts."""
    world = having(a_world(), "ACCOUNT_UNUSED_ACCESS", "ACCOUNT_INTERNAL_ACCESS", "ACCOUNT")
    world.page_size = 1

    assert judge(collect(world))["accessanalyzer.external-access"].verdict is Verdict.PASS


def test_unused_access_is_looked_at_from_anywhere(collect: Collect) -> None:
    """IAM is global: one region is enough, and a refused region hides nothing that another shows."""
    world = having(a_world(HERE, THERE), "ACCOUNT_UNUSED_ACCESS", name=THERE)
    one = judge(collect(world))["accessanalyzer.unused-access"].verdict
    world.faults.append(Fault(service="accessanalyzer", region=HERE))
    two = judge(collect(world))["accessanalyzer.unused-access"].verdict
    world.faults.append(Fault(service="accessanalyzer", region=THERE))
    three = judge(collect(world))["accessanalyzer.unused-access"].verdict

    assert (one, two, three) == (Verdict.PASS, Verdict.PASS, Verdict.UNKNOWN)


def test_unused_access_may_be_looked_at_from_a_region_left_out(collect: Collect) -> None:
    """A run of one region sees no analyzer of another: that is no gap, and no second one is to be paid for."""
    world = having(a_world(HERE, THERE), "ACCOUNT_UNUSED_ACCESS", name=THERE)

    found = judge(collect(world, only=[HERE]))
    seen = judge(collect(world, only=[THERE]))

    assert found["accessanalyzer.unused-access"].verdict is Verdict.UNKNOWN
    assert found["accessanalyzer.external-access"].verdict is Verdict.FAIL
    assert seen["accessanalyzer.unused-access"].verdict is Verdict.PASS


# ---------------------------------------------------------------- the organization


@pytest.mark.parametrize(
    ("manager", "admin", "kinds", "expected"),
    [
        pytest.param(
            *(BOSS, ARCHIVE, ()),
            {"organization-analyzer": "not_applicable", "unused-access": "not_applicable"},
            id="member",
        ),
        pytest.param(
            *(BOSS, ARCHIVE, ("ACCOUNT_UNUSED_ACCESS",)),
            {"unused-access": "pass", "internal-access": "not_applicable"},
            id="member with its own",
        ),
        pytest.param(
            *(BOSS, ACCOUNT, ("ACCOUNT", "ACCOUNT_UNUSED_ACCESS", "ACCOUNT_INTERNAL_ACCESS")),
            {"organization-analyzer": "fail", "unused-access": "fail", "internal-access": "fail"},
            id="administrator of itself only",
        ),
        pytest.param(
            *(BOSS, ACCOUNT, ("ORGANIZATION", "ORGANIZATION_UNUSED_ACCESS", "ORGANIZATION_INTERNAL_ACCESS")),
            {
                "organization-analyzer": "pass",
                "unused-access": "pass",
                "internal-access": "pass",
                "external-access": "pass",
                "delegated-admin": "not_applicable",
            },
            id="administrator",
        ),
        pytest.param(
            *(ACCOUNT, "", ()),
            {"organization-analyzer": "fail", "unused-access": "fail", "delegated-admin": "fail"},
            id="management account alone",
        ),
        pytest.param(
            *(ACCOUNT, ARCHIVE, ()),
            {
                "organization-analyzer": "not_applicable",
                "unused-access": "not_applicable",
                "delegated-admin": "pass",
            },
            id="management account that delegated",
        ),
    ],
)
def test_who_looks_for_the_organization(
    collect: Collect, manager: str, admin: str, kinds: tuple[str, ...], expected: dict[str, str]
) -> None:
    """The organization's analyzers are asked of its administrator; others are sent there, and need not pay twice."""
    world = having(a_world(), *kinds)
    in_organization(world, PRINCIPAL, manager=manager, admin=admin)

    found = judge(collect(world))

    assert {name: found[f"accessanalyzer.{name}"].verdict.value for name in expected} == expected


def test_members_are_told_where_to_look(collect: Collect) -> None:
    """The reason names the account, where this one may know it."""
    world = a_world()
    in_organization(world, PRINCIPAL, manager=ACCOUNT, admin=ARCHIVE)

    assert ARCHIVE in only(judge(collect(world))["accessanalyzer.organization-analyzer"]).reason


def test_refused_delegation_leaves_the_organization_open(collect: Collect) -> None:
    """A missing permission does not make an account one that is not delegated."""
    world = a_world()
    in_organization(world, PRINCIPAL, manager=BOSS, admin="")
    evidence = replay(collect(world), denied={"organizations:ListDelegatedAdministrators"})

    found = judge(evidence)

    assert found["accessanalyzer.organization-analyzer"].verdict is Verdict.UNKNOWN
    assert found["accessanalyzer.unused-access"].verdict is Verdict.UNKNOWN


# ---------------------------------------------------------------- printed fixes


@pytest.mark.exhaustive
@pytest.mark.parametrize("admin", ["", ACCOUNT])
def test_printed_fixes_close_the_gaps(mend: Mend, collect: Collect, admin: str) -> None:
    """Each printed command, run by the real AWS CLI, closes its gap and opens none; no taken name is used."""
    world = a_world(HERE, THERE)
    if admin:
        in_organization(world, PRINCIPAL, manager=BOSS, admin=admin)
    region = at(world)
    region.accessanalyzer["analyzers"] = [
        analyzer(region, name, "ACCOUNT_INTERNAL_ACCESS")
        for name in ("external-access", "external-access-2", "organization-unused-access")
    ]
    before = open_checks(dict(judge(collect(world, wanted=None))))
    names = ("external-access", "organization-analyzer", "unused-access")

    found = mend(world, *(f"accessanalyzer.{name}" for name in names))
    after = open_checks(dict(judge(collect(world, wanted=None))))

    assert {item.verdict for item in found.values()} <= {Verdict.PASS, Verdict.NOT_APPLICABLE}
    assert found["accessanalyzer.external-access"].verdict is Verdict.PASS
    assert found["accessanalyzer.unused-access"].verdict is Verdict.PASS
    assert after < before


def test_delegation_needs_an_account(mend: Mend) -> None:
    """The account that is to administer is the user's to name."""
    world = a_world()
    in_organization(world, PRINCIPAL, manager=ACCOUNT, admin="", others=(ARCHIVE,))

    asked = mend(world, "accessanalyzer.delegated-admin")["accessanalyzer.delegated-admin"]
    found = mend(world, "accessanalyzer.delegated-admin", needs={"ADMIN_ACCOUNT": ARCHIVE})

    assert asked.fix and asked.fix.needs == ("ADMIN_ACCOUNT",)
    assert found["accessanalyzer.delegated-admin"].verdict is Verdict.PASS
