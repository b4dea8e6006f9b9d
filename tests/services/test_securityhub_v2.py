"""Security Hub V2 beyond one region: its aggregator, its administrator, and the policy that keeps it on."""

from __future__ import annotations

import pytest

from postureaudit.findings import Verdict
from tests.conftest import Collect, Mend, judge
from tests.fakeaws import Fault, World
from tests.fakeaws.handlers.securityhub import aggregator_v2, hub_v2
from tests.fakeaws.world import ACCOUNT, ARCHIVE
from tests.replay import replay
from tests.services.worlds import BOSS, HERE, THERE, a_world, at, in_organization, only, steps

PRINCIPAL = "securityhub.amazonaws.com"
FURTHER = "ap-south-1"


def second(*regions: str, mode: str = "", linked: tuple[str, ...] = ()) -> World:
    """Three regions with V2 on in some, and an aggregator in the first where a mode is given."""
    world = a_world(HERE, THERE, FURTHER)
    for name in regions:
        at(world, name).securityhub["v2"] = hub_v2(at(world, name))
    if mode:
        fields = {"LinkedRegions": list(linked)} if linked else {}
        at(world).securityhub["aggregator_v2"] = aggregator_v2(at(world), RegionLinkingMode=mode, **fields)
    return world


@pytest.mark.parametrize(
    ("mode", "linked", "verdict"),
    [
        ("", (), "fail"),
        ("ALL_REGIONS", (), "pass"),
        ("NO_REGIONS", (), "fail"),
        ("SPECIFIED_REGIONS", (THERE,), "pass"),  # V2 is off in the third region
        ("SPECIFIED_REGIONS", (FURTHER,), "fail"),
        ("ALL_REGIONS_EXCEPT_SPECIFIED", (THERE,), "fail"),
        ("ALL_REGIONS_EXCEPT_SPECIFIED", ("sa-east-1",), "pass"),
    ],
)
def test_every_region_with_v2_is_linked(
    collect: Collect, mode: str, linked: tuple[str, ...], verdict: str
) -> None:
    """The home region needs no link, a region where V2 is off needs none either."""
    finding = judge(collect(second(HERE, THERE, mode=mode, linked=linked)))["securityhub.v2-aggregator"]

    assert finding.verdict == verdict
    assert verdict == "pass" or THERE in only(finding).reason


@pytest.mark.parametrize("regions", [(), (HERE,)], ids=["off", "one region"])
def test_nothing_to_bring_together(collect: Collect, regions: tuple[str, ...]) -> None:
    """V2 in no region, or in one, needs no aggregator."""
    finding = judge(collect(second(*regions)))["securityhub.v2-aggregator"]

    assert finding.verdict is Verdict.NOT_APPLICABLE


def test_refused_calls_are_unknown(collect: Collect) -> None:
    """A region that does not say whether V2 is on may be left out; a refused aggregator is none that is missing."""
    evidence = collect(second(HERE, THERE, mode="SPECIFIED_REGIONS", linked=(THERE,)))
    world = second(HERE, THERE, mode="SPECIFIED_REGIONS", linked=(THERE,))
    world.faults.append(Fault(service="securityhub", operation="DescribeSecurityHubV2", region=FURTHER))

    found = [
        judge(replay(evidence, denied={call}))["securityhub.v2-aggregator"].verdict
        for call in ("securityhub:ListAggregatorsV2", "securityhub:GetAggregatorV2")
    ]
    hidden = judge(collect(world))["securityhub.v2-aggregator"].verdict

    assert [*found, hidden] == [Verdict.UNKNOWN] * 3


@pytest.mark.parametrize(
    ("manager", "admin", "verdict"),
    [(BOSS, ARCHIVE, "not_applicable"), (BOSS, ACCOUNT, "fail"), (ACCOUNT, ARCHIVE, "not_applicable")],
)
def test_the_administrator_decides(collect: Collect, manager: str, admin: str, verdict: str) -> None:
    """In an organization the delegated administrator brings findings together; others are sent there."""
    world = second(HERE, THERE)
    in_organization(world, PRINCIPAL, manager=manager, admin=admin)

    assert judge(collect(world))["securityhub.v2-aggregator"].verdict == verdict


@pytest.mark.parametrize(
    ("admins", "verdict"), [([], "fail"), ([ACCOUNT], "fail"), ([ARCHIVE], "pass")], ids=str
)
def test_delegated_administrator_of_v2(collect: Collect, admins: list[str], verdict: str) -> None:
    """Who administers CSPM administers V2, but for the management account, which cannot."""
    world = second(HERE)
    in_organization(world, PRINCIPAL, manager=ACCOUNT, admin="", others=(ARCHIVE,))
    for region in world.account().regions.values():
        region.securityhub["org_admins"] = list(admins)

    assert judge(collect(world))["securityhub.v2-delegated-admin"].verdict == verdict


def test_delegation_matters_where_v2_is_on(collect: Collect) -> None:
    """Without V2 nobody is asked to delegate it; a member is sent to the management account."""
    off, member = second(), second(HERE)
    in_organization(off, PRINCIPAL, manager=ACCOUNT, admin="")
    in_organization(member, PRINCIPAL, manager=BOSS, admin="")

    found = [judge(collect(world))["securityhub.v2-delegated-admin"] for world in (off, member)]

    assert {item.verdict for item in found} == {Verdict.NOT_APPLICABLE}
    assert BOSS in only(found[1]).reason


@pytest.mark.parametrize(
    ("content", "verdict"),
    [
        (None, "not_applicable"),
        ('{"securityhub":{"enable_in_regions":["ALL_SUPPORTED"],"disable_in_regions":[]}}', "pass"),
        (
            '{"securityhub":{"enable_in_regions":{"@@assign":["ALL_SUPPORTED"]},"disable_in_regions":[]}}',
            "pass",
        ),
        (
            '{"securityhub":{"enable_in_regions":["ALL_SUPPORTED"],"disable_in_regions":["eu-west-1"]}}',
            "fail",
        ),
        ('{"securityhub":{"enable_in_regions":["us-east-1"],"disable_in_regions":[]}}', "fail"),
        ('{"securityhub":{"enable_in_regions":"ALL_SUPPORTED","disable_in_regions":[]}}', "unknown"),
        ("not JSON", "unknown"),
        ("[]", "unknown"),
    ],
)
def test_policy_of_the_organization(collect: Collect, content: str | None, verdict: str) -> None:
    """Every audited region is enabled and none disabled; a policy that cannot be read decides nothing."""
    world = second(HERE)
    organization = in_organization(world, PRINCIPAL, manager=BOSS, admin="")
    assert organization is None and world.organization
    if content is not None:
        world.organization["Effective"][(ACCOUNT, "SECURITYHUB_POLICY")] = content

    assert judge(collect(world))["securityhub.v2-policy"].verdict == verdict


# ---------------------------------------------------------------- printed fixes


@pytest.mark.parametrize(
    ("mode", "linked"),
    [
        ("", ()),
        ("SPECIFIED_REGIONS", ("sa-east-1",)),
        ("NO_REGIONS", ()),
        ("ALL_REGIONS_EXCEPT_SPECIFIED", (THERE,)),
    ],
)
def test_printed_fixes_close_the_gaps(mend: Mend, mode: str, linked: tuple[str, ...]) -> None:
    """An aggregator is made or widened, and regions that are linked already stay so."""
    world = second(HERE, THERE, FURTHER, mode=mode, linked=linked)

    found = mend(world, "securityhub.v2-aggregator")

    assert found["securityhub.v2-aggregator"].verdict is Verdict.PASS
    kept = set(linked) if mode == "SPECIFIED_REGIONS" else set()
    assert set(at(world).securityhub["aggregator_v2"]["LinkedRegions"]) == {THERE, FURTHER} | kept


@pytest.mark.parametrize("own", [[], [ACCOUNT]], ids=["nobody", "the management account"])
def test_delegation_is_printed(mend: Mend, own: list[str]) -> None:
    """The account is the user's to name where Security Hub CSPM has none that can take the task."""
    world = second(HERE)
    in_organization(world, PRINCIPAL, manager=ACCOUNT, admin="", others=(ARCHIVE,))
    at(world).securityhub["org_admins"] = own

    found = mend(world, "securityhub.v2-delegated-admin", needs={"ADMIN_ACCOUNT": ARCHIVE})

    assert found["securityhub.v2-delegated-admin"].verdict is Verdict.PASS


def test_ai_standard_is_enabled_where_config_records(mend: Mend) -> None:
    """The command enables the standard, and only where it can run."""
    recording, silent = a_world(), a_world()
    for world in (recording, silent):
        at(world).add_hub()
    at(recording).add_recorder()

    found = mend(recording, "securityhub.standard-ai")["securityhub.standard-ai"]
    other = mend(silent, "securityhub.standard-ai")["securityhub.standard-ai"]

    assert found.verdict is Verdict.PASS
    assert "config.recorder-on" in steps(other)
