"""The walk: read-only by construction, bounded retries, whole pages, and botocore's insides where expected."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore.exceptions as failed
import pytest

import postureaudit
from postureaudit.asks import Ask, Collection, Scope
from postureaudit.aws import guard, pages, regions, session
from postureaudit.aws.allowed import ALLOWED
from postureaudit.aws.outcomes import classify
from postureaudit.aws.walk import walk
from postureaudit.errors import CredentialsError, PostureAuditError
from postureaudit.evidence import Absent, Answer, Record, Refusal, RefusalKind
from tests.conftest import Collect
from tests.fakeaws import Fault, World

SOURCES = sorted(Path(postureaudit.__file__).parent.rglob("*.py"))


def test_guard_refuses_everything_that_is_not_listed() -> None:
    """A write, and an unknown read, raise what no "except Exception" swallows."""
    for service, name in (("cloudtrail", "StopLogging"), ("s3", "GetObject"), ("cloudtrail", "LookupEvents")):
        model = SimpleNamespace(service_model=SimpleNamespace(service_name=service), name=name)
        with pytest.raises(guard.ReadOnlyViolation):
            guard.refuse_unlisted(model=model)
    assert not issubclass(guard.ReadOnlyViolation, Exception)


def test_allow_list_names_reads_that_exist() -> None:
    """Every allowed call is an operation of botocore's, and its verb only reads.

    Two calls test a pattern against an event and keep nothing; the service authorization reference lists both as Read.
    """
    from postureaudit import shapes

    for call in ALLOWED:
        shapes.operation(call)
    for call in ALLOWED - {"events:TestEventPattern", "logs:TestMetricFilter"}:
        assert call.partition(":")[2].startswith(("Get", "List", "Describe", "Head", "BatchGet")), call


def test_clients_are_made_in_one_place() -> None:
    """Only aws/clients.py and aws/session.py make clients: another session would bypass the guard."""
    makers = set()
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text("utf-8"))):
            called = node.func if isinstance(node, ast.Call) else None
            if isinstance(called, ast.Attribute) and called.attr in ("create_client", "client", "resource"):
                makers.add(source.name)
    assert makers == {"clients.py", "session.py"}


def test_private_parts_of_botocore_are_where_we_expect_them(
    collect: Collect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All clients share one HTTP session; when botocore moves, this test says so before users do."""
    opened: list[session.Session] = []
    real = session.open_session
    monkeypatch.setattr(session, "open_session", lambda **given: opened.append(real(**given)) or opened[-1])
    collect(World())

    [made] = opened
    sessions = {id(client._endpoint.http_session) for client in made.clients._clients.values()}
    assert len(made.clients._clients) > 3 and len(sessions) == 1
    assert [type(http).__name__ for http in made.clients._https.values()] == ["SharedHTTP"]


@pytest.mark.exhaustive
def test_a_client_without_the_shared_session_answers_the_same(
    collect: Collect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plain boto3 path is kept as a fallback and gives equal answers."""
    from postureaudit.aws import clients

    def answers() -> dict[object, str]:
        world = World()
        world.add_bucket("logs")
        times = re.compile(r"20\d\d-\d\d-\d\dT[\d:]+Z")
        return {record.key: times.sub("at some time", repr(record.outcome)) for record in collect(world)}

    shared = answers()
    monkeypatch.setattr(clients.Clients, "_share_http", lambda self, client: None)

    assert answers() == shared


def test_throttling_is_retried_and_then_unknown(collect: Collect) -> None:
    """Two throttles are recovered from; throttling that does not end is a refusal of that kind."""
    fault = Fault(
        service="cloudtrail", operation="DescribeTrails", region="eu-west-1", code="ThrottlingException"
    )
    fault.status, fault.times = 400, 2
    recovered = collect(World(faults=[fault]))
    fault.times = None
    given_up = collect(World(faults=[fault]))

    def outcome(evidence: object) -> object:
        return next(
            r.outcome for r in evidence if r.call == "cloudtrail:DescribeTrails" and r.region == "eu-west-1"
        )  # type: ignore[attr-defined]  # an Evidence

    assert isinstance(outcome(recovered), Answer)
    assert getattr(outcome(given_up), "kind", None) is RefusalKind.THROTTLED


@pytest.mark.parametrize(
    ("action", "kind"), [("drop", RefusalKind.NETWORK), ("garbage", RefusalKind.MALFORMED)]
)
def test_broken_answers_are_refusals(collect: Collect, action: str, kind: RefusalKind) -> None:
    """A closed connection and an answer that is none never look like "nothing there"."""
    world = World(faults=[Fault(service="cloudtrail", operation="DescribeTrails", action=action)])

    found = [record.outcome for record in collect(world) if record.call == "cloudtrail:DescribeTrails"]

    assert {getattr(outcome, "kind", None) for outcome in found} == {kind}


def test_pages_are_joined_and_a_repeated_token_is_truncation() -> None:
    """All pages make one list; AWS repeating a token is not the end of the list."""
    batches = iter([{"Items": [1], "NextToken": "a"}, {"Items": [2], "NextToken": "b"}, {"Items": [3]}])
    token = ("NextToken", "NextToken")

    assert pages.read_all("x:Y", {}, token, None, lambda params: next(batches)) == {"Items": [1, 2, 3]}
    with pytest.raises(pages.Truncated):
        pages.read_all("x:Y", {}, token, None, lambda params: {"Items": [1], "NextToken": "a"})


def test_until_stops_at_the_first_page_that_has_something() -> None:
    """Whether, not how many: an empty page goes on, a full one ends."""
    batches = iter([{"Items": [], "NextToken": "a"}, {"Items": [1], "NextToken": "b"}])

    found = pages.read_all("x:Y", {}, ("NextToken", "NextToken"), "Items", lambda params: next(batches))

    assert found == {"Items": [1]}


DENIED = "User: arn:aws:sts::1:x is not authorized to perform: macie2:GetMacieSession"
NO_HUB = "Account 1 is not subscribed to AWS Security Hub"
NO_ADMIN = "Account 1 is not an administrator for this organization"
NO_MASTER = "The request failed because you do not have required AWS Organization master permission."
STALE = "The request is rejected because the input detectorId is not owned by the current account."
SCP = "is not authorized with an explicit deny in a service control policy"


@pytest.mark.parametrize(
    ("service", "operation", "code", "message", "expected"),
    [
        ("macie2", "GetMacieSession", "AccessDeniedException", "Macie is not enabled", Absent),
        ("macie2", "GetMacieSession", "AccessDeniedException", DENIED, "denied"),
        ("securityhub", "DescribeHub", "InvalidAccessException", NO_HUB, Absent),
        ("securityhub", "GetEnabledStandards", "InvalidAccessException", NO_HUB, "denied"),
        ("securityhub", "DescribeOrganizationConfiguration", "InvalidAccessException", NO_ADMIN, Absent),
        ("securityhub", "ListMembers", "InvalidAccessException", NO_ADMIN, "denied"),
        ("guardduty", "ListOrganizationAdminAccounts", "BadRequestException", NO_MASTER, Absent),
        ("guardduty", "DescribeOrganizationConfiguration", "BadRequestException", NO_MASTER, Absent),
        ("guardduty", "ListMembers", "BadRequestException", NO_MASTER, "error"),
        ("guardduty", "ListFilters", "BadRequestException", STALE, "error"),
        ("guardduty", "DescribeOrganizationConfiguration", "BadRequestException", STALE, "error"),
        ("securityhub", "DescribeHub", "InvalidAccessException", "something new", "denied"),
        ("s3", "GetBucketPolicy", "NoSuchBucketPolicy", "", Absent),
        ("s3", "GetBucketAcl", "NoSuchBucketPolicy", "", "error"),
        ("cloudtrail", "DescribeTrails", "AccessDeniedException", SCP, "scp_denied"),
        ("cloudtrail", "DescribeTrails", "UnrecognizedClientException", "", "region_disabled"),
        ("cloudtrail", "DescribeTrails", "ExpiredTokenException", "", "expired"),
        ("cloudtrail", "DescribeTrails", "InvalidSignatureException", "Signature not yet current", "expired"),
        ("s3", "GetBucketPolicy", "NoSuchBucket", "", "error"),
        ("cloudtrail", "DescribeTrails", "404", "<!doctype html>", "error"),
        ("cloudtrail", "DescribeTrails", "BrandNewException", "", "error"),
    ],
)
def test_errors_are_classified_by_known_rows_only(
    service: str, operation: str, code: str, message: str, expected: object
) -> None:
    """The same code means "none" or "denied" by its message; whatever is not listed is an error."""
    found = classify(service, operation, code, message)

    if isinstance(found, Refusal):
        assert found.kind.value == expected
    else:
        assert isinstance(found, Absent) and expected is Absent


class AnySession:
    """A session whose calls are answered by a function."""

    leader, partition, account, caller = (
        "us-east-1",
        "aws",
        "111122223333",
        "arn:aws:iam::111122223333:user/x",
    )
    credentials = output_shape = input_shape = archive = None

    def __init__(self, answer: Callable[[str], dict[str, Any]]) -> None:
        self.clients = self
        self.found = answer

    def offered(self, service: str, region: str) -> bool:
        return True

    def model(self, service: str, operation: str) -> Any:
        return self

    def answer(self, service: str, operation: str, params: Any, **_: Any) -> dict[str, Any]:
        if operation in ("DescribeRegions", "ListRegions"):
            return {"Regions": [{"RegionName": "us-east-1", "OptInStatus": "opt-in-not-required"}]}
        return self.found(f"{service}:{operation}")


def trails(scope: Scope) -> Collection:
    yield [Ask("cloudtrail:DescribeTrails")]


def test_a_collector_that_fails_costs_only_its_own_answers() -> None:
    """One service's bug leaves what it did not ask unknown; the others' answers are kept."""

    def broken(scope: Scope) -> Collection:
        (record,) = yield [Ask("config:DescribeConfigRules")]
        record.outcome.body["Nope"]  # type: ignore[union-attr]  # the bug
        yield [Ask("config:DescribeDeliveryChannels")]

    evidence = walk(AnySession(lambda call: {}), [broken, trails])  # type: ignore[arg-type]  # a stand-in

    assert isinstance(evidence.outcome("cloudtrail:DescribeTrails", "111122223333", "us-east-1", {}), Answer)
    lost = evidence.outcome("config:DescribeDeliveryChannels", "111122223333", "us-east-1", {})
    assert isinstance(lost, Refusal) and lost.kind is RefusalKind.NOT_COLLECTED
    assert "broken in us-east-1: KeyError" in evidence.header.interrupted


def test_a_call_outside_the_allow_list_ends_the_run() -> None:
    """The guard's violation is no refusal among others."""

    def answer(call: str) -> dict[str, Any]:
        if call == "cloudtrail:DescribeTrails":
            raise guard.ReadOnlyViolation(call)
        return {}

    with pytest.raises(guard.ReadOnlyViolation):
        walk(AnySession(answer), [trails])  # type: ignore[arg-type]  # a stand-in


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (failed.EndpointConnectionError(endpoint_url="https://x"), RefusalKind.NETWORK),
        (failed.SSLError(endpoint_url="https://x", error="e"), RefusalKind.NETWORK),
        (failed.ProxyConnectionError(proxy_url="http://x"), RefusalKind.NETWORK),
        (failed.ConnectTimeoutError(endpoint_url="https://x"), RefusalKind.TIMEOUT),
        (failed.UnauthorizedSSOTokenError(), RefusalKind.EXPIRED),
        (failed.TokenRetrievalError(provider="sso", error_msg="e"), RefusalKind.EXPIRED),
        (failed.LoginRefreshRequired(), RefusalKind.EXPIRED),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_errors_without_an_answer(
    error: Exception, kind: RefusalKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No way through is the network's; a login that ran out stops the walk as expired credentials do."""

    def answer(call: str) -> dict[str, Any]:
        raise error

    evidence = walk(AnySession(answer), [trails])  # type: ignore[arg-type]  # a stand-in

    found = evidence.outcome("cloudtrail:DescribeTrails", "111122223333", "us-east-1", {})
    assert isinstance(found, Refusal) and found.kind is kind


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (failed.UnauthorizedSSOTokenError(), "aws sso login --profile p"),
        (failed.TokenRetrievalError(provider="sso", error_msg="e"), "aws sso login --profile p"),
        (failed.LoginRefreshRequired(), "aws login --profile p"),
        (failed.LoginTokenLoadError(error_msg="e"), "aws login --profile p"),
        (failed.NoCredentialsError(), "--profile"),
        (failed.RefreshWithMFAUnsupportedError(), "sign in again"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_credentials_that_fail_say_what_to_run(error: Exception, said: str) -> None:
    """One sentence and one command for each way in which credentials fail."""
    assert said in session._explained(error, "p", None).hint


def test_enabled_region_that_knows_no_token_is_a_matter_of_credentials(collect: Collect) -> None:
    """The code of a region that is off, from one that is on, is a refusal that says what to do about it."""
    world = World()
    code = "UnrecognizedClientException"
    world.faults = [Fault(service="cloudtrail", region="eu-west-1", code=code, status=400)]

    found = [
        record.outcome
        for record in collect(world)
        if record.call == "cloudtrail:DescribeTrails" and record.region == "eu-west-1"
    ]

    [refusal] = found
    assert isinstance(refusal, Refusal) and refusal.kind is RefusalKind.DENIED
    assert "regional STS endpoint" in refusal.message


def test_credentials_that_expire_while_regions_are_listed_say_so() -> None:
    """It is not the right to list regions that is missing."""

    def answer(outcome: Refusal) -> Record:
        return Record(
            call="ec2:DescribeRegions", params={}, account="1", region="us-east-1", at="", outcome=outcome
        )

    with pytest.raises(CredentialsError, match="expired"):
        regions.choose([answer(Refusal(RefusalKind.EXPIRED, "ExpiredToken"))])
    with pytest.raises(PostureAuditError, match=r"DescribeRegions \(timeout\)"):
        regions.choose([answer(Refusal(RefusalKind.TIMEOUT))])


def test_a_token_that_nothing_takes_is_truncation() -> None:
    """An operation with a token in its output alone: an answer that goes on is not taken for the whole."""
    more: dict[str, Any] = {"Items": [1], "NextToken": "a"}

    with pytest.raises(pages.Truncated):
        pages.read_all("x:Y", {}, None, None, lambda params: more)
    assert pages.read_all("x:Y", {}, None, "Items", lambda params: more) == more
    assert pages.read_all("x:Y", {}, None, None, lambda params: {"Items": [1]}) == {"Items": [1]}


def test_one_ask_has_one_end() -> None:
    """Two collectors that stop the same ask at different places would share the shorter answer: one of them breaks."""

    def hasty(scope: Scope) -> Collection:
        yield [Ask("lambda:ListFunctions", until="Functions[]")]

    def whole(scope: Scope) -> Collection:
        yield [Ask("lambda:ListFunctions")]
        yield [Ask("lambda:GetPolicy", FunctionName="f")]

    evidence = walk(AnySession(lambda call: {}), [hasty, whole])  # type: ignore[arg-type]  # a stand-in

    assert "lambda:ListFunctions is asked until" in evidence.header.interrupted
    assert len(evidence.of("lambda:GetPolicy", "111122223333", "us-east-1")) == 0
