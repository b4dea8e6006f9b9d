"""What a proxy, a torn connection or a mistake of AWS's says in place of an answer is never "there is none"."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from postureaudit.asks import Ask, Collection, Scope
from postureaudit.aws.allowed import ALLOWED
from postureaudit.aws.session import open_session
from postureaudit.aws.walk import walk
from postureaudit.evidence import Refusal, RefusalKind
from tests.fakeaws import FakeAws, Fault, World
from tests.parts import part

PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><p>Guest network</p></body></html>"
XML = b'<?xml version="1.0"?><Response><Status>blocked</Status></Response>'
STRANGE = {
    "empty": b"",
    "blank": b" \n",
    "half an object": b'{"trailList": [{"Name": "a"',
    "half a document": b'<?xml version="1.0"?><DescribeVpcsResponse><vpcSet><item>',
    "page": PAGE,
    "well-formed page": b"<html><body><p>blocked</p></body></html>",
    "another's XML": XML,
    "another's object": b'{"message": "blocked by policy", "ok": true}',
    "list": b"[]",
    "null": b"null",
    "number": b"7",
    "text": b"blocked",
    "not text": b"\x00\xff\xfe",
}
# One call of each protocol that botocore speaks with what is audited, and of each service that offers another first.
CALLS = {
    "cloudtrail:DescribeTrails": {},
    "guardduty:ListDetectors": {},
    "cloudwatch:DescribeAlarms": {},
    "fms:ListPolicies": {},
    "rds:DescribeDBInstances": {},
    "iam:ListRolePolicies": {"RoleName": "r"},
    "ec2:DescribeVpcs": {},
    "s3:ListBuckets": {},
    "s3:GetBucketVersioning": {"Bucket": "b"},
    "s3:GetPublicAccessBlock": {"Bucket": "b"},
}
WRONG = {
    "cloudtrail:DescribeTrails": (b'{"trailList": 7}', b'{"trailList": "x"}', b'{"trailList": {"a": 1}}'),
    "guardduty:ListDetectors": (b'{"detectorIds": 7}', b'{"detectorIds": true}'),
    "cloudwatch:DescribeAlarms": (b'{"MetricAlarms": 7}', b'{"MetricAlarms": [7]}'),
}


def asked(monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any]) -> dict[str, Any]:
    """The outcomes of all CALLS, each answered by the fault."""

    def collector(scope: Scope) -> Collection:
        yield [Ask(call, **params) for call, params in CALLS.items()]

    faults = [Fault(service=call.split(":")[0], operation=call.split(":")[1], **fault) for call in CALLS]
    world = World(faults=faults)
    with FakeAws(world) as aws:
        for name, value in aws.env().items():
            if name.startswith("AWS_"):
                monkeypatch.setenv(name, value)
        evidence = walk(open_session(read_timeout=5), [collector], only=["us-east-1"], max_workers=8)
    return {record.call: record.outcome for record in evidence if record.call in CALLS}


@pytest.mark.parametrize("body", part(STRANGE, of=3))
def test_what_is_no_answer_is_a_refusal(monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """In every protocol: malformed, never an empty answer."""
    found = asked(monkeypatch, {"action": "answer", "body": STRANGE[body]})

    assert len(found) == len(CALLS)
    # S3's own handler takes a torn answer for an error of S3's.
    fine = {
        call: (RefusalKind.MALFORMED, *([RefusalKind.ERROR] if call[:3] == "s3:" else [])) for call in CALLS
    }
    assert not {call: found[call] for call in CALLS if getattr(found[call], "kind", None) not in fine[call]}


@pytest.mark.parametrize("status", [403, 404, 407, 502, 503])
def test_pages_of_proxies_are_refusals(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    """An error page is no word of AWS's, whatever its number."""
    found = asked(monkeypatch, {"action": "answer", "body": PAGE, "status": status})

    assert all(isinstance(outcome, Refusal) for outcome in found.values()), found


def test_half_an_answer_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that ends before the announced length."""
    found = asked(monkeypatch, {"action": "cut"})

    assert all(isinstance(outcome, Refusal) for outcome in found.values()), found


@pytest.mark.parametrize("at", range(3))
def test_members_of_another_type_are_refusals_or_kept(monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """What AWS's model cannot read is malformed, or kept as it is: nothing of it is an empty list."""
    for call, bodies in WRONG.items():
        if at < len(bodies):
            found = asked(monkeypatch, {"action": "answer", "body": bodies[at]})[call]
            assert (isinstance(found, Refusal) and found.kind is RefusalKind.MALFORMED) or any(
                found.body.values()
            )


def test_true_answers_pass() -> None:
    """Every call that is made has names by which its answer is known, or none that a proxy could imitate."""
    from postureaudit.aws.clients import _named

    core = boto3.session.Session()._session
    bare = set()
    for call in ALLOWED:
        service, _, name = call.partition(":")
        output = core.get_service_model(service).operation_model(name).output_shape
        if output is None or not _named(output):
            bare.add(call)

    assert bare <= {"s3:HeadBucket", "s3:GetBucketPolicy"}
