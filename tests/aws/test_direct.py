"""The direct request path sends what boto3 sends, and says of every answer what boto3 and `answers.plain` say."""

from __future__ import annotations

import functools
import json
import random
from collections.abc import Callable
from typing import Any

import botocore.exceptions as failed
import pytest

from postureaudit.aws import direct, guard, ordinary, signing
from postureaudit.aws.clients import Clients
from tests.aws.transports import (
    CALLS,
    CREDENTIALS,
    DIRECT,
    THROUGH_BOTO3,
    Built,
    Wire,
    clients,
    filled,
)

SIGNED_ANEW = ("authorization", "x-amz-date", "amz-sdk-invocation-id")
REGION = "eu-west-1"
ONE_OF_EACH = list({call.partition(":")[0]: call for call in DIRECT}.values())


def rest(values: list[Any]) -> list[Any]:
    """The cases of a matrix that CI runs apart."""
    return [pytest.param(value, marks=pytest.mark.exhaustive) for value in values]


@pytest.fixture(scope="module")
def ways() -> Any:
    """(Clients of the direct path, Clients of boto3's, the wire between)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ssl.SSLContext.load_verify_locations", lambda *_, **__: None)
        wire = Wire()
        wire.put_up(patch)
        yield clients(patch, direct=True), clients(patch, direct=False), wire


def outcome(ask: Callable[[], Any]) -> Any:
    """What a call gives: the answer, or the exception with all that the walk reads of it."""
    try:
        return json.dumps(ask())
    except failed.ClientError as error:
        response = {name: item for name, item in error.response.items() if name != "ResponseMetadata"}
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        # boto3's text ends in this note where it would repeat a call, were it told to; neither way does.
        said = str(error).replace(" (reached max retries: 0)", "")
        return type(error).__name__, said, repr(response), status
    except Exception as error:
        return type(error).__name__, str(error)


def both(ways: Any, call: str, params: dict[str, Any]) -> tuple[Any, Any]:
    """The outcomes of one call on the two ways."""
    service, _, operation = call.partition(":")
    given = {"region": REGION, "credentials": CREDENTIALS}
    ours, theirs = (
        outcome(functools.partial(way.answer, service, operation, params, **given)) for way in ways[:2]
    )
    return ours, theirs


def model_of(ways: Any, call: str) -> Any:
    service, _, operation = call.partition(":")
    return ways[0].model(service, operation)


def least(ways: Any, call: str) -> dict[str, Any]:
    """The parameters that a call requires."""
    shape = model_of(ways, call).input_shape
    return {} if shape is None else filled(shape, optional=False)


def test_which_calls_go_which_way(ways: Any) -> None:
    """All but S3's go the direct path, and all of those but IAM's (whose policies botocore decodes) are compiled."""
    made = {call: ways[0]._way(*call.split(":")) for call in CALLS}

    assert [call for call, way in made.items() if way is None] == THROUGH_BOTO3
    assert {call.partition(":")[0] for call in DIRECT if made[call]._convert is None} == {"iam"}
    assert all(ways[1]._way(*call.split(":")) is None for call in CALLS)


@pytest.mark.parametrize("optional", [False, True], ids=["required", "all"])
def test_requests_are_boto3s(ways: Any, optional: bool) -> None:
    """Method, URL, headers and body of every call; two signatures of one second are equal too."""
    wire = ways[2]
    compared = 0
    for call in DIRECT:
        shape = model_of(ways, call).input_shape
        params = {} if shape is None else filled(shape, optional=optional)
        both(ways, call, params)
        (ours, theirs) = wire.direct[-1], wire.boto3[-1]
        assert (ours[0], ours[1], ours[3]) == (theirs[0], theirs[1], theirs[3]), call
        signatures = [(each[2]["authorization"], each[2]["x-amz-date"]) for each in (ours, theirs)]
        heads = [{k: v for k, v in each[2].items() if k not in SIGNED_ANEW} for each in (ours, theirs)]
        assert heads[0] == heads[1], call
        assert set(ours[2]) == set(theirs[2]), call
        assert signatures[0][0].partition("Signature=")[0] == signatures[1][0].partition("Signature=")[0]
        if signatures[0][1] == signatures[1][1]:
            compared += 1
            assert signatures[0] == signatures[1], call
    assert compared > len(DIRECT) / 2


@pytest.mark.parametrize("style", [0, 1, 2, 3, *rest(list(range(4, 24)))])
def test_answers_are_boto3s(ways: Any, style: int) -> None:
    """Every call's answer with all its members, and with some, unknown ones, nulls and times of all kinds."""
    for call in DIRECT:
        model = model_of(ways, call)
        ways[2].answer(Built(model.service_model.resolved_protocol, style=style).answer(model))

        ours, theirs = both(ways, call, least(ways, call))

        assert ours == theirs, call
        assert isinstance(ours, str), call


def test_full_answers_are_converted_and_not_parsed_again(ways: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison compares the converters: with botocore's parser out of reach they answer all the same."""
    monkeypatch.setattr(direct.Operation, "_parsed", lambda *_: pytest.fail("parsed by botocore"))
    for call in DIRECT:
        if not call.startswith("iam:"):
            model = model_of(ways, call)
            service, _, operation = call.partition(":")
            ways[2].answer(Built(model.service_model.resolved_protocol).answer(model))
            ways[0].answer(service, operation, least(ways, call), region=REGION, credentials=CREDENTIALS)


ODD_BODIES = {
    "empty": b"",
    "space": b"  ",
    "null": b"null",
    "list": b"[]",
    "text": b"hello",
    "cut": b'{"a": [1, 2',
    "no JSON in braces": b"{a: 1}",
    "control character": b'{"NextToken": "a\x01"}',
    "not UTF-8": b'{"NextToken": "\xff"}',
    "half a character": b'{"NextToken": "a\\ud800", "nextToken": "a\\ud800"}',
    "not a number": b'{"NextToken": NaN}',
    "empty object": b"{}",
    "byte order mark": b"\xef\xbb\xbf{}",
    "HTML": b"<html><body>Service Unavailable</body></html>",
    "empty element": b"<a/>",
    "elements": b"<a><b>1</b><b>2</b></a>",
    "cut element": b"<a><b>1</b>",
    "twice the result": b"<a><ListSubscriptionsByTopicResult/><ListSubscriptionsByTopicResult/></a>",
}


@pytest.mark.parametrize("body", ODD_BODIES.values(), ids=ODD_BODIES)
def test_odd_answers_are_boto3s(ways: Any, body: bytes) -> None:
    """What is no whole answer is refused, or read, as boto3 does it."""
    ways[2].answer(body)
    for call in ONE_OF_EACH:
        ours, theirs = both(ways, call, least(ways, call))
        assert ours == theirs, call


@pytest.mark.parametrize("body", ["cut", "no JSON in braces", "text", "empty", "list", "control character"])
def test_what_is_no_json_object_is_no_answer(ways: Any, body: str) -> None:
    """Neither way takes it for "there is none"."""
    ways[2].answer(ODD_BODIES[body])
    for call in ("cloudtrail:DescribeTrails", "guardduty:ListDetectors"):
        for found in both(ways, call, least(ways, call)):
            assert found == ("ResponseParserError", "the answer is not a whole JSON object")


@pytest.mark.parametrize(
    "union", [{}, {"a": 1}, {"a": 1, "b": 2}, {"kmsKeyArn": None}, {"__type": "x", "a": {}}], ids=json.dumps
)
def test_unions_that_are_none_are_boto3s(ways: Any, union: dict[str, Any]) -> None:
    """Of a tagged union exactly one member is set; one that is new to botocore is told by its name."""
    known = next(
        iter(
            model_of(ways, "accessanalyzer:ListAnalyzers")
            .output_shape.members["analyzers"]
            .member.members["configuration"]
            .members
        )
    )
    for found in (union, {**union, known: {}}, {known: {}, "new": {}}, {known: {}}):
        ways[2].answer(json.dumps({"analyzers": [{"arn": "a", "configuration": found}]}).encode())
        ours, theirs = both(ways, "accessanalyzer:ListAnalyzers", {})
        assert ours == theirs


def mutated(value: Any, chance: random.Random) -> Any:
    """A JSON value with something odd in one place of it."""
    odd = chance.choice(
        [None, 0, -1, 2.5, 1e300, "", "true", "12", [], [None], {}, {"a": None}, True, [[]], 2**70]
    )
    match value:
        case dict() if value and chance.random() < 0.9:
            name = chance.choice(list(value))
            return {**value, name: mutated(value[name], chance)}
        case list() if value and chance.random() < 0.9:
            place = chance.randrange(len(value))
            return [*value[:place], mutated(value[place], chance), *value[place + 1 :]]
    return odd


def assert_mutants_are_read_alike(ways: Any, seeds: range) -> None:
    for call in DIRECT:
        model = model_of(ways, call)
        protocol = model.service_model.resolved_protocol
        for seed in seeds:
            chance = random.Random(f"{call} {seed}")
            whole = Built(protocol, style=seed).answer(model)
            if protocol in ("json", "rest-json"):
                body = json.dumps(mutated(json.loads(whole), chance)).encode()
            else:
                start = chance.randrange(len(whole))
                body = whole[:start] + whole[start + chance.randrange(1, 9) :]
            ways[2].answer(body)
            ours, theirs = both(ways, call, least(ways, call))
            assert ours == theirs, (call, seed, body)


def test_answers_with_something_wrong_are_boto3s(ways: Any) -> None:
    """One value of another type, or some bytes less: the same answer or the same exception."""
    assert_mutants_are_read_alike(ways, range(2))


@pytest.mark.exhaustive
def test_many_answers_with_something_wrong_are_boto3s(ways: Any) -> None:
    """The same, sixty times for every call."""
    assert_mutants_are_read_alike(ways, range(2, 62))


def error_body(protocol: str, code: str, message: str) -> bytes:
    match protocol:
        case "ec2":
            found = (
                f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
            )
            return f"{found}<RequestID>r</RequestID></Response>".encode()
        case "query":
            found = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
            return f"<ErrorResponse>{found}<RequestId>r</RequestId></ErrorResponse>".encode()
    return json.dumps({"__type": f"com.amazonaws#{code}", "message": message, "Type": "t"}).encode()


@pytest.mark.parametrize("status", [400, 503, *rest([300, 301, 403, 404, 429, 500])])
def test_errors_are_boto3s(ways: Any, status: int) -> None:
    """Class, code, message and status, whether the error is in the model or not."""
    for call in DIRECT:
        model = model_of(ways, call)
        codes = ["AccessDeniedException", "Throttling", *[shape.name for shape in model.error_shapes][:2]]
        for code in codes if status == 400 else codes[-1:]:
            for body in (error_body(model.service_model.resolved_protocol, code, "no \u00e9"), b""):
                ways[2].answer(body, status, x_amzn_ErrorType=f"{code}:http://x/", x_amzn_RequestId="r")
                ours, theirs = both(ways, call, least(ways, call))
                assert ours == theirs, (call, code, body)


@pytest.mark.parametrize("body", [b"<html>gone</html>", b"<!doctype html>", b"{", b"nothing"])
@pytest.mark.parametrize("status", [404, 502])
def test_errors_of_what_stands_in_between_are_boto3s(ways: Any, status: int, body: bytes) -> None:
    """A gateway's page is no service's error, and is told as boto3 tells it."""
    ways[2].answer(body, status)
    for call in ONE_OF_EACH:
        ours, theirs = both(ways, call, least(ways, call))
        assert ours == theirs, call


def test_errors_of_former_query_services_keep_their_codes(ways: Any) -> None:
    """SQS and CloudWatch send the code that they had before in a header."""
    body = error_body("json", "QueueDoesNotExist", "none")
    ways[2].answer(body, 400, x_amzn_query_error="AWS.SimpleQueueService.NonExistentQueue;Sender")
    for call in ("sqs:GetQueueUrl", "cloudwatch:DescribeAlarms", "iam:GetRole"):
        ours, theirs = both(ways, call, least(ways, call))
        assert ours == theirs
        assert call != "sqs:GetQueueUrl" or "AWS.SimpleQueueService.NonExistentQueue" in str(ours)


def test_policies_of_iam_are_decoded(ways: Any) -> None:
    """botocore reads IAM's percent-encoded policies; so does the direct path."""
    role = "<RoleName>r</RoleName><AssumeRolePolicyDocument>%7B%22a%22%3A1%7D</AssumeRolePolicyDocument>"
    ways[2].answer(
        f"<GetRoleResponse><GetRoleResult><Role>{role}</Role></GetRoleResult></GetRoleResponse>".encode()
    )

    ours, theirs = both(ways, "iam:GetRole", {"RoleName": "r"})

    assert ours == theirs
    assert json.loads(ours)["Role"]["AssumeRolePolicyDocument"] == {"a": 1}


def test_call_gives_what_boto3_gives(ways: Any) -> None:
    """`Clients.call` has the times as datetimes and the response's metadata."""
    ways[2].answer(b'{"IsLogging": true, "LatestDeliveryTime": 1790000000}', x_amzn_RequestId="r")
    ours, theirs = (
        way.call("cloudtrail", "GetTrailStatus", {"Name": "t"}, region=REGION, credentials=CREDENTIALS)
        for way in ways[:2]
    )
    for name in ("RetryAttempts", "MaxAttemptsReached"):  # of repeats, which neither way makes
        theirs["ResponseMetadata"].pop(name, None)

    assert ours == theirs
    assert ours["LatestDeliveryTime"].year == 2026


SETTINGS = {
    "plain": {},
    "FIPS": {"AWS_USE_FIPS_ENDPOINT": "true"},
    "dual stack": {"AWS_USE_DUALSTACK_ENDPOINT": "true"},
    "endpoint": {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"},
    "endpoint below a path": {"AWS_ENDPOINT_URL": "https://proxy.example.com/aws"},
    "endpoint of one service": {"AWS_ENDPOINT_URL_CLOUDTRAIL": "https://[::1]:8443"},
    "in Lambda": {"AWS_LAMBDA_FUNCTION_NAME": "f", "_X_AMZN_TRACE_ID": "Root=1;Parent=2"},
    "signature preference": {"AWS_AUTH_SCHEME_PREFERENCE": "sigv4"},
}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_endpoints_are_boto3s(settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Host and signing region in every partition, and what the environment says about endpoints."""
    wire = Wire()
    wire.put_up(monkeypatch)
    pair = [clients(monkeypatch, direct=way, **settings) for way in (True, False)]
    for service in ("cloudtrail", "iam", "sts", "ecr", "notifications"):
        operation = next(call.partition(":")[2] for call in DIRECT if call.startswith(f"{service}:"))
        for region in ("us-east-1", "eu-west-1", "cn-north-1", "us-gov-west-1", "us-iso-east-1"):
            wire.answer(b"{}")
            sent = []
            for way in pair:
                wire.direct.clear()
                wire.boto3.clear()
                given = {"region": region, "credentials": CREDENTIALS}
                found = outcome(functools.partial(way.call, service, operation, {}, **given))
                [(method, url, headers, body)] = wire.direct + wire.boto3 or [("", str(found), {}, b"")]
                scope = headers.pop("authorization", "").partition(", SignedHeaders")[0]
                for name in SIGNED_ANEW:
                    headers.pop(name, None)
                sent.append((method, url, headers, body, scope))
            assert sent[0] == sent[1], (service, region)


def test_what_boto3s_path_is_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy, an endpoint below a path and a preferred signature are boto3's; plain settings are not."""
    wire = Wire()
    wire.put_up(monkeypatch)
    for settings, way in (
        ({}, "direct"),
        ({"HTTPS_PROXY": "http://proxy.example.com:3128"}, "boto3"),
        ({"HTTPS_PROXY": "http://proxy.example.com:3128", "NO_PROXY": "amazonaws.com"}, "direct"),
        (SETTINGS["endpoint below a path"], "boto3"),
        (SETTINGS["signature preference"], "boto3"),
        ({"POSTUREAUDIT_TRANSPORT": "botocore"}, "boto3"),
    ):
        with monkeypatch.context() as patch:
            made = clients(patch, **{"direct": True, **settings})  # type: ignore[arg-type]  # bool and strings
            wire.direct.clear()
            wire.boto3.clear()
            made.answer("kms", "DescribeKey", {"KeyId": "k"}, region=REGION, credentials=CREDENTIALS)
            assert (len(wire.direct), len(wire.boto3)) == ((1, 0) if way == "direct" else (0, 1)), settings


def made_direct(patch: pytest.MonkeyPatch) -> tuple[Clients, Wire]:
    wire = Wire()
    wire.put_up(patch)
    return clients(patch, direct=True), wire


def ask_for_key(made: Clients) -> dict[str, Any]:
    return made.answer("kms", "DescribeKey", {"KeyId": "k"}, region=REGION, credentials=CREDENTIALS)


@pytest.mark.parametrize("event", sorted(ordinary.KNOWN_HANDLERS))
def test_a_handler_that_somebody_registered_is_called(event: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin's event handlers work: a call that has one goes through boto3. moto's before-send is one."""
    made, wire = made_direct(monkeypatch)
    called = []
    made._core.register(event, lambda **_: called.append(1))

    ask_for_key(made)

    assert len(wire.boto3) == 1 and not wire.direct
    assert called or event == "after-call-error"


@pytest.mark.parametrize(
    "part",
    [
        "_resolve_endpoint_ruleset",
        "_emit_api_params",
        "_convert_to_request_dict",
        "_request_signer",
        "_ruleset_resolver",
    ],
)
def test_a_private_part_that_moved_leaves_boto3s_path(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the direct path takes of a client and does not find makes it step aside, and says nothing wrong."""
    made, _ = made_direct(monkeypatch)
    client = made._client("kms")
    stand_in = _Without(client, part)
    made._clients["kms"] = stand_in
    monkeypatch.setattr(
        made, "_through_boto3", lambda *_: {"KeyMetadata": {"KeyId": "through boto3", "KeyState": "Enabled"}}
    )

    assert ask_for_key(made)["KeyMetadata"]["KeyId"] == "through boto3"


class _Without:
    """A client that lacks a part."""

    def __init__(self, client: Any, part: str) -> None:
        self._of, self._part = client, part

    def __getattr__(self, name: str) -> Any:
        if name == self._part:
            raise AttributeError(name)
        return getattr(self._of, name)


def test_a_botocore_that_asks_otherwise_is_asked_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a service's first call the two requests are compared: a header that is new to us is boto3's to send."""
    made, wire = made_direct(monkeypatch)
    client = made._client("kms")
    real = client._endpoint.create_request

    def another(given: Any, model: Any) -> Any:
        found = real(given, model)
        found.headers["X-Amz-New"] = "1"
        return found

    monkeypatch.setattr(client._endpoint, "create_request", another)
    ask_for_key(made)
    ask_for_key(made)

    assert not wire.direct and [sent[2]["x-amz-new"] for sent in wire.boto3] == ["1", "1"]
    assert made._services["kms"].unlike


@pytest.mark.parametrize("is_direct", [True, False])
@pytest.mark.parametrize("method", ["answer", "call"])
def test_nothing_is_sent_that_is_not_listed(
    is_direct: bool, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The read-only guard stands before both paths."""
    wire = Wire()
    wire.put_up(monkeypatch)
    made = clients(monkeypatch, direct=is_direct)
    for service, operation in (("kms", "ScheduleKeyDeletion"), ("s3", "GetObject"), ("ec2", "RunInstances")):
        with pytest.raises(guard.ReadOnlyViolation):
            getattr(made, method)(service, operation, {}, region=REGION, credentials=CREDENTIALS)
    assert not wire.direct and not wire.boto3


def test_the_guard_stands_before_an_operation_that_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that was found once is no way around a list that has changed."""
    made, wire = made_direct(monkeypatch)
    ask_for_key(made)
    monkeypatch.setattr(guard, "ALLOWED", frozenset())

    with pytest.raises(guard.ReadOnlyViolation):
        ask_for_key(made)
    assert len(wire.direct) == 1


def test_a_call_without_credentials_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """An aim without credentials never falls back to others."""
    made, wire = made_direct(monkeypatch)

    with pytest.raises(failed.NoCredentialsError):
        made.answer("kms", "DescribeKey", {"KeyId": "k"}, region=REGION, credentials=None)
    assert not wire.direct and not wire.boto3


def test_parameters_that_are_no_json_go_through_boto3(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes and times are botocore's to serialize, or to refuse."""
    made, wire = made_direct(monkeypatch)
    ask_for_key(made)
    sent = len(wire.direct)

    with pytest.raises(TypeError):
        made.answer("kms", "DescribeKey", {"KeyId": b"k"}, region=REGION, credentials=CREDENTIALS)

    assert len(wire.direct) == sent and not wire.boto3


def test_header_that_would_end_early_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token with a line break in it cannot add headers."""
    made, wire = made_direct(monkeypatch)
    evil = type(CREDENTIALS)("AKID", "secret", "token\r\nX-Evil: 1")
    ask_for_key(made)
    wire.direct.clear()

    made.answer("kms", "DescribeKey", {"KeyId": "k"}, region=REGION, credentials=evil)

    assert not wire.direct


def test_memory_does_not_grow_with_accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a thousand accounts' calls, each in another region, a bounded number of requests is kept and nothing else."""
    made, _ = made_direct(monkeypatch)
    for number in range(1000):
        own = type(CREDENTIALS)(f"AKID{number}", "secret", "token")
        made.answer("kms", "DescribeKey", {"KeyId": f"k{number}"}, region=f"eu-x-{number}", credentials=own)

    way = made._operations[("kms", "DescribeKey")]
    assert way is not None
    assert way._prepared.cache_info().currsize == direct._KEPT_REQUESTS
    assert len(made._services["kms"].targets) == direct._KEPT_TARGETS
    assert signing._derived.cache_info().currsize == signing.KEPT_KEYS


def test_clients_behind_a_proxy_share_one_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same proxy, the same session: the CA bundle is read once there too, and another proxy is another session."""
    made = clients(monkeypatch, direct=True, HTTPS_PROXY="http://proxy.example.com:3128")
    first, second = (made._client(service)._endpoint.http_session for service in ("kms", "ec2"))
    monkeypatch.setenv("HTTPS_PROXY", "http://other.example.com:3128")
    third = made._client("sts")._endpoint.http_session

    assert first is second and first is not third
    assert (
        first._proxy_config.proxy_url_for("https://kms.eu-west-1.amazonaws.com")
        == "http://proxy.example.com:3128"
    )
    assert third._proxy_config.proxy_url_for("https://x.amazonaws.com") == "http://other.example.com:3128"
    manager = first._get_proxy_manager("http://proxy.example.com:3128")
    assert manager.connection_pool_kw["ssl_context"] is first._get_ssl_context()
