"""Connections opened ahead: where the walk asks first, in the regions that every account has, and nothing sent."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from postureaudit import catalog, services
from postureaudit.asks import Ask, Collection, Scope
from postureaudit.aws import ahead, descriptors, regions
from postureaudit.aws.session import LEADERS, open_session
from postureaudit.aws.walk import walk
from postureaudit.aws.workers import Workers
from postureaudit.errors import CredentialsError
from tests.aws import transports
from tests.fakeaws import FakeAws, World

COLLECTORS = [service.collect for service in services.all_services()]


class Openings:
    """In place of clients: what was to be opened."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str, str]] = []

    def opening(self, service: str, operation: str, region: str, *, most: int) -> Callable[[], None] | None:
        if service == "s3":  # which has no direct path
            return None
        assert most == ahead.PER_HOST
        return lambda: self.found.append((service, operation, region))


def opened(partition: str = "aws", collectors: Any = COLLECTORS, **where: Any) -> list[tuple[str, str, str]]:
    """What is opened for these collectors."""
    made = Openings()
    ahead.Ahead(collectors, AtOnce(), **where).begin(made, partition, LEADERS[partition])  # type: ignore[arg-type]  # as much of it as is used
    return made.found


class AtOnce(Workers):
    """Does what is handed over before it returns."""

    def __init__(self) -> None:
        super().__init__(0)

    def submit(self, function: Callable[..., None], *args: Any) -> None:
        function(*args)


@pytest.mark.parametrize(("partition", "count"), [("aws", 17), ("aws-cn", 2), ("aws-us-gov", 2)])
def test_first_asks_of_every_region(partition: str, count: int) -> None:
    """What finds the regions comes first; then each region's services, at most two connections to a host."""
    found = opened(partition)
    leader = LEADERS[partition]

    assert found[:2] == [("ec2", "DescribeRegions", leader), ("account", "ListRegions", leader)]
    assert len({region for _, _, region in found}) == count
    everywhere = {service for service, _, region in found if region != leader}
    assert {"cloudtrail", "config", "guardduty", "securityhub", "events"} <= everywhere
    assert {"iam", "organizations"}.isdisjoint(everywhere), "a global service is asked in one region"
    assert max(Counter((service, region) for service, _, region in found).values()) == ahead.PER_HOST


def test_a_partition_whose_regions_are_not_known() -> None:
    """Only what finds the regions is opened."""
    assert {call for _, call, _ in opened("aws-iso")} == {"DescribeRegions", "ListRegions"}


def test_only_what_is_wanted() -> None:
    """The regions' globs and the calls of the chosen checks hold here too."""
    found = opened(only=["eu-*"], exclude=["eu-west-*"], wanted=frozenset({"cloudtrail:DescribeTrails"}))

    assert set(found[2:]) == {
        ("cloudtrail", "DescribeTrails", region) for region in ("eu-central-1", "eu-north-1")
    }
    assert {region for _, _, region in opened(only=["ap-east-1"])} == {"us-east-1"}


def test_a_collector_that_fails_is_the_walk_s_to_tell() -> None:
    """Nothing comes of it here."""

    def broken(scope: Scope) -> Collection:
        yield [Ask("cloudtrail:DescribeTrails")]

    def worse(scope: Scope) -> Collection:
        raise RuntimeError(scope.region)
        yield []

    assert ("cloudtrail", "DescribeTrails", "us-east-1") in opened(collectors=[broken, worse])


def test_the_walk_asks_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """With connections opened ahead, evidence and calls are what they are without; to one endpoint, two are opened."""
    wanted = catalog.calls(catalog.builtin(), ["cloudtrail.enabled"], services.types())
    seen = []
    for prepared in (False, True):
        with FakeAws(World()) as aws:
            for name, value in aws.env().items():
                monkeypatch.setenv(name, value)
            workers = Workers(8)
            made = ahead.Ahead(COLLECTORS, workers, wanted=wanted) if prepared else None
            session = open_session(ahead=made)
            evidence = walk(session, COLLECTORS, wanted=wanted, workers=workers, max_workers=8)
            workers.close(wait=True)
        seen.append({(record.key, type(record.outcome)) for record in evidence})
        assert evidence.header.calls > 0 and not evidence.header.interrupted
    assert seen[0] == seen[1]


def test_no_credentials_no_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials nothing is opened."""
    monkeypatch.setattr(ahead.Ahead, "begin", lambda *_: pytest.fail("opened"))
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nowhere")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(CredentialsError):
        open_session(ahead=ahead.Ahead(COLLECTORS, Workers(1)))


def test_regions_that_every_account_has_are_regions() -> None:
    """botocore knows each of them in its partition."""
    import botocore.session

    core = botocore.session.Session()
    for partition in ("aws", "aws-cn", "aws-us-gov"):
        assert set(regions.always(partition)) <= set(core.get_available_regions("ec2", partition))


@pytest.mark.parametrize(
    ("soft", "hard", "after"), [(256, 4096, 2048), (256, 512, 512), (256, -1, 2048), (4096, 8192, 4096)]
)
def test_room_for_connections(monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, after: int) -> None:
    """The limit of open files is raised as far as it may be, never lowered; what it stays at bounds what waits idle."""
    resource = pytest.importorskip("resource")
    limits = [soft, hard]
    monkeypatch.setattr(resource, "getrlimit", lambda _: tuple(limits))
    monkeypatch.setattr(resource, "setrlimit", lambda _, given: limits.__setitem__(slice(0, 2), given))

    assert descriptors.left_beside(192, most=512) == min(512, max(0, soft - 192 - 64))
    descriptors.allow_many()

    assert limits == [after, hard]
    assert descriptors.left_beside(192, most=512) == min(512, after - 192 - 64)


def test_prepared_clients_make_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is prepared before a fork is not made again after it, and boto3's connections are left to the parent."""
    made = transports.clients(monkeypatch, direct=True)
    made.prepare(["sts:AssumeRole", "cloudtrail:DescribeTrails", "s3:ListBuckets"])
    before = dict(made._operations)
    monkeypatch.setattr(made, "_make", lambda service: pytest.fail(service))
    closed: list[str] = []
    for http in made._https.values():
        monkeypatch.setattr(http, "close", lambda: closed.append("closed"))

    made.forked()

    assert made._way("cloudtrail", "DescribeTrails") is before["cloudtrail", "DescribeTrails"]
    assert made._way("s3", "ListBuckets") is None
    assert closed == ["closed"]


def test_regions_do_not_wait_for_the_accounts_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """IAM is one endpoint for the world, and far from most: its answer names the account, and nothing depends on it."""
    from postureaudit.aws.clients import Clients

    asked, named = threading.Event(), []
    real = Clients.answer

    def answer(self: Clients, service: str, operation: str, *args: Any, **kwargs: Any) -> Any:
        if operation == "ListAccountAliases":
            named.append(asked.wait(10))
        elif operation == "DescribeTrails":
            asked.set()
        return real(self, service, operation, *args, **kwargs)

    monkeypatch.setattr(Clients, "answer", answer)
    with FakeAws(World()) as aws:
        for name, value in aws.env().items():
            monkeypatch.setenv(name, value)
        wanted = frozenset({"cloudtrail:DescribeTrails"})
        walk(open_session(), COLLECTORS, wanted=wanted, only=["us-east-1"])

    assert named == [True]
