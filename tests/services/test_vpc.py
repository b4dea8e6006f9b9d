"""VPCs one by one: flow logs and query logs that are there, that record, and that arrive."""

from __future__ import annotations

from typing import Any

import pytest

from postureaudit import catalog, evaluate
from postureaudit.findings import Finding, Place, Verdict
from tests.conftest import Collect, Mend, judge
from tests.fakeaws import Fault, World
from tests.fakeaws.handlers.vpc import add_config, add_profile, add_query_logs, add_vpc, flow_log
from tests.fakeaws.world import ARCHIVE, Region
from tests.replay import replay

HERE, THERE = "us-east-1", "eu-west-1"
FLOW, ACCEPTED, QUERIES = "vpc.flow-logs", "vpc.flow-logs-accepted", "route53resolver.query-logs"
EVIL = "x,roleARN=arn:aws:iam::666666666666:role/evil"


def a_world(*regions: str, **fields: Any) -> World:
    world = World(**fields)
    world.account(regions=regions or (HERE,))
    return world


def at(world: World, name: str = HERE) -> Region:
    return world.account().region(name)


def only(finding: Finding) -> Place:
    [place] = finding.places
    return place


@pytest.mark.parametrize(
    ("traffic", "fields", "rejected", "accepted"),
    [
        ("ALL", {}, Verdict.PASS, Verdict.PASS),
        ("REJECT", {}, Verdict.PASS, Verdict.FAIL),
        ("ACCEPT", {}, Verdict.FAIL, Verdict.NOT_APPLICABLE),
        ("ALL", {"DeliverLogsStatus": "FAILED"}, Verdict.FAIL, Verdict.NOT_APPLICABLE),
        ("ALL", {"DeliverLogsErrorMessage": "Rate limited"}, Verdict.FAIL, Verdict.NOT_APPLICABLE),
        ("ALL", {"FlowLogStatus": "INACTIVE"}, Verdict.FAIL, Verdict.NOT_APPLICABLE),
        ("ALL", {"DeliverLogsStatus": ""}, Verdict.UNKNOWN, Verdict.UNKNOWN),
        ("", {}, Verdict.FAIL, Verdict.NOT_APPLICABLE),
    ],
)
def test_flow_logs_by_what_they_record(
    collect: Collect, traffic: str, fields: dict[str, str], rejected: Verdict, accepted: Verdict
) -> None:
    """A log counts when it is active, delivers, and has the traffic; one that does not say so is unknown."""
    world = a_world()
    add_vpc(at(world), traffic=traffic, log=fields)

    found = judge(collect(world))

    assert (found[FLOW].verdict, found[ACCEPTED].verdict) == (rejected, accepted)
    assert only(found[FLOW]).resource == "vpc-1"


def test_one_good_log_is_enough_and_a_subnets_log_is_not(collect: Collect) -> None:
    """A broken log beside one that works hides nothing; a subnet's log leaves out what is added later."""
    world = a_world()
    here = at(world)
    add_vpc(here, "vpc-1", traffic="ALL", log={"DeliverLogsStatus": "FAILED"})
    here.ec2["flow_logs"].append(flow_log(here, "vpc-1", "ALL", LogDestination="arn:aws:s3:::other"))
    add_vpc(here, "vpc-2")
    here.ec2["flow_logs"].append(flow_log(here, "subnet-1", "ALL"))

    found = judge(collect(world))[FLOW]

    assert [place.verdict for place in found.places] == [Verdict.PASS, Verdict.FAIL]


def test_shared_vpc_is_its_owners(collect: Collect) -> None:
    """A participant may not see a shared VPC's logs: not judged here, and nothing is asked for it."""
    world = a_world()
    add_vpc(at(world), OwnerId=ARCHIVE)

    found = judge(collect(world))

    assert only(found[FLOW]).verdict is Verdict.NOT_APPLICABLE and ARCHIVE in only(found[FLOW]).reason
    assert not any(call[3] == "DescribeFlowLogs" for call in world.calls)


def test_regions_without_a_vpc_have_no_place(collect: Collect) -> None:
    """Where no VPC is, nothing can travel."""
    world = a_world(HERE, THERE)
    add_vpc(at(world, THERE), traffic="ALL", queries=True)
    none = a_world()

    found, other = judge(collect(world)), judge(collect(none))

    assert only(found[FLOW]).region == only(found[QUERIES]).region == THERE
    assert only(other[FLOW]).reason == only(other[QUERIES]).reason == "no VPC here"


def test_empty_vpcs_can_be_spared(collect: Collect) -> None:
    """By default every VPC counts, as CIS wants it; with the parameter, those that have an interface do."""
    world = a_world()
    add_vpc(at(world), "vpc-empty")
    add_vpc(at(world), "vpc-used", interfaces=3)
    evidence = collect(world)
    tuned = catalog.builtin().tuned(
        parameters={FLOW: {"judge_empty": False}, QUERIES: {"judge_empty": False}}
    )

    by_default = judge(evidence)
    spared = {item.check: item for item in evaluate.evaluate(evidence, tuned, ids=(FLOW, QUERIES))}

    for name in (FLOW, QUERIES):
        assert [place.verdict for place in by_default[name].places] == [Verdict.FAIL, Verdict.FAIL], name
        assert [place.verdict for place in spared[name].places] == [Verdict.NOT_APPLICABLE, Verdict.FAIL], (
            name
        )
    assert "network interfaces in it: no" in by_default[FLOW].places[0].reason


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({}, Verdict.PASS),
        ({"Status": "ACTION_NEEDED", "Error": "ACCESS_DENIED"}, Verdict.FAIL),
        ({"Status": "FAILED"}, Verdict.FAIL),
        ({"Error": "DESTINATION_NOT_FOUND"}, Verdict.FAIL),
    ],
)
def test_query_logs_by_association(collect: Collect, fields: dict[str, str], verdict: Verdict) -> None:
    """An association counts when it is active without an error."""
    world = a_world()
    add_vpc(at(world))
    add_query_logs(at(world), "vpc-1", **fields)

    found = judge(collect(world))[QUERIES]

    assert found.verdict is verdict
    if fields:
        place = only(found)
        assert place.fix and not place.fix.argv and "rqlc-1" in place.reason


@pytest.mark.parametrize(("status", "verdict"), [("CREATED", Verdict.PASS), ("FAILED", Verdict.FAIL)])
def test_configuration_that_failed_logs_nothing(collect: Collect, status: str, verdict: Verdict) -> None:
    """An association with a configuration that AWS could not set up is none."""
    world = a_world()
    add_vpc(at(world))
    add_config(at(world), Status=status)
    add_query_logs(at(world), "vpc-1")

    assert judge(collect(world))[QUERIES].verdict is verdict


def test_profile_brings_query_logs(collect: Collect) -> None:
    """A Route 53 Profile with a query logging configuration logs every VPC it is associated with."""
    world = a_world(HERE, THERE)
    for name in (HERE, THERE):
        add_vpc(at(world, name))
    config = at(world).arn("route53resolver", "resolver-query-log-config/rqlc-9")
    add_profile(at(world), "vpc-1", config)
    add_profile(at(world, THERE), "vpc-1", at(world).arn("route53resolver", "resolver-rule/rslvr-1"))

    found = judge(collect(world))[QUERIES]

    assert {place.region: place.verdict for place in found.places} == {
        HERE: Verdict.PASS,
        THERE: Verdict.FAIL,
    }


def test_refusals(collect: Collect) -> None:
    """What a refusal may hide is unknown: the list of VPCs as "*", a profile that may log, a log that may be there."""
    world = a_world()
    add_vpc(at(world), "vpc-1", interfaces=1)
    evidence = collect(world)

    for call, name in (
        ("ec2:DescribeVpcs", FLOW),
        ("ec2:DescribeFlowLogs", FLOW),
        ("ec2:DescribeVpcs", QUERIES),
        ("route53profiles:ListProfileAssociations", QUERIES),
        ("route53resolver:ListResolverQueryLogConfigAssociations", QUERIES),
    ):
        found = judge(replay(evidence, denied={call}))[name]
        assert found.verdict is Verdict.UNKNOWN, (call, name)
        assert only(found).resource == ("*" if call.endswith("Vpcs") else "vpc-1")


def test_refused_profiles_do_not_hide_an_association(collect: Collect) -> None:
    """A VPC that is associated itself passes, whoever may read profiles."""
    world = a_world(faults=[Fault(service="route53profiles")])
    add_vpc(at(world), queries=True)

    assert judge(collect(world))[QUERIES].verdict is Verdict.PASS


def test_commands_close_the_gaps(mend: Mend) -> None:
    """The logs are made in the bucket that the user names, whatever the configurations there are called."""
    world = a_world()
    add_vpc(at(world), "vpc-1", traffic="REJECT")
    add_vpc(at(world), "vpc-2")

    found = mend(world, FLOW, ACCEPTED, QUERIES, needs={"LOG_BUCKET": "org-vpc-logs"})

    assert {found[name].verdict for name in (FLOW, ACCEPTED, QUERIES)} == {Verdict.PASS}
    [config] = at(world).route53resolver["configs"]
    assert config["AssociationCount"] == 2 and config["DestinationArn"] == "arn:aws:s3:::org-vpc-logs"


@pytest.mark.parametrize("name", ["--debug", "file:///etc/passwd", EVIL, "[/]", "a'b$(x)"])
def test_hostile_names_stay_text(mend: Mend, name: str) -> None:
    """A configuration's id and a VPC's are arguments, whatever they look like."""
    world = a_world()
    add_vpc(at(world), f"vpc-{name}")
    add_config(at(world), name)

    found = mend(world, FLOW, QUERIES, needs={"LOG_BUCKET": "org-vpc-logs"})

    assert {found[name].verdict for name in (FLOW, QUERIES)} == {Verdict.PASS}


def test_broken_log_is_mended_not_doubled(collect: Collect) -> None:
    """Where a log is there and does not deliver, no command makes a second one."""
    world = a_world()
    add_vpc(at(world), traffic="ALL", log={"DeliverLogsErrorMessage": "Access error"})

    place = only(judge(collect(world))[FLOW])

    assert place.fix and not place.fix.argv and "Access error" in place.fix.steps[0]


def test_a_configuration_that_is_stuck_is_not_spread(collect: Collect) -> None:
    """Where another VPC's queries do not arrive, no VPC is associated with the same configuration."""
    world = a_world()
    for name, config, fields in (
        ("vpc-1", "rqlc-stuck", {"Error": "ACCESS_DENIED"}),
        ("vpc-2", "rqlc-stuck", {}),
        ("vpc-3", "rqlc-well", {}),
    ):
        add_vpc(at(world), name)
        add_query_logs(at(world), name, config, **fields)
    add_vpc(at(world), "vpc-4")

    places = judge(collect(world))[QUERIES].places

    assert [place.verdict.value for place in places] == ["fail", "pass", "pass", "fail"]
    assert places[3].fix and "rqlc-well" in places[3].fix.shell
