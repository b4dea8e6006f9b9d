"""Deny each call in turn: what its answer hides is unknown, and everything else keeps its verdict."""

from __future__ import annotations

import msgspec
import pytest

from postureaudit import catalog, services
from postureaudit.evidence import Evidence, Refusal, RefusalKind
from postureaudit.findings import Finding, Verdict
from tests.conftest import judge
from tests.fakeaws import World
from tests.fakeaws.world import SCENARIOS

CALLS = sorted(
    catalog.calls(catalog.builtin(), [check.id for check in catalog.builtin().checks], services.types())
)
# Checks that read a call and are decided without it, with the answer that decides (in any scenario below).
STILL_DECIDED = {
    ("cloudtrail:GetEventSelectors", "cloudtrail.enabled"): "selectors do not change whether a trail logs",
    ("cloudtrail:GetEventSelectors", "cloudtrail.multi-region"): "GetTrailStatus and DescribeTrails",
    ("cloudtrail:GetEventSelectors", "cloudtrail.insights"): "GetInsightSelectors",
    (
        "cloudtrail:GetEventSelectors",
        "cloudtrail.management-events",
    ): "HasCustomEventSelectors=false, or no trail logs",
    ("cloudtrail:GetEventSelectors", "cloudtrail.no-excluded-sources"): "no trail logs management events",
    ("cloudtrail:GetEventSelectors", "cloudtrail.s3-data-events-write"): "a region without a logging trail",
    ("cloudtrail:GetEventSelectors", "cloudtrail.s3-data-events-read"): "a region without a logging trail",
    ("cloudtrail:GetEventSelectors", "cloudtrail.lambda-data-events"): "a region without a logging trail",
    (
        "cloudtrail:GetTrailStatus",
        "*",
    ): "no trail at all (DescribeTrails), or a trail whose settings fail already",
    ("cloudtrail:GetInsightSelectors", "*"): "HasInsightSelectors=false, or facts of the other trail fields",
    ("cloudtrail:GetEventDataStore", "*"): "ListEventDataStores lists none, or other facts",
    ("organizations:DescribeOrganization", "*"): "an organization trail that is seen",
    ("organizations:ListDelegatedAdministrators", "cloudtrail.organization-trail"): "DescribeTrails",
    ("s3:ListBuckets", "*"): "HeadBucket says the bucket is there, or not; settings are read by name",
    ("s3:HeadBucket", "*"): "ListBuckets says whose the bucket is; settings are read by name",
    ("s3:GetBucketPolicy", "*"): "GetBucketPolicyStatus, or settings that are not in the policy",
    ("s3:GetBucketPolicyStatus", "*"): "GetBucketPolicy has no open statement, or other settings",
    ("s3:GetBucketAcl", "*"): "a public access block, or other settings",
    ("s3:GetPublicAccessBlock", "*"): "neither policy nor ACL is public, or other settings",
    ("s3control:GetPublicAccessBlock", "*"): "the bucket's own block, or neither policy nor ACL is public",
    ("s3:GetBucketVersioning", "*"): "object lock, or other settings",
    ("s3:GetObjectLockConfiguration", "*"): "versioning with MFA delete, or other settings",
    ("s3:GetBucketLogging", "*"): "other settings of the bucket",
    ("s3:GetBucketLifecycleConfiguration", "*"): "other settings of the bucket",
    ("kms:DescribeKey", "*"): "the trail names no key",
    ("logs:DescribeLogGroups", "*"): "the trail names no log group",
}


def denied(evidence: Evidence, call: str) -> Evidence:
    """The same evidence with every answer to one call refused."""
    refusal = Refusal(RefusalKind.DENIED, code="AccessDeniedException", message="not authorized")
    records = [
        msgspec.structs.replace(record, outcome=refusal) if record.call == call else record
        for record in evidence
    ]
    return Evidence(evidence.header, records)


def verdicts(findings: dict[str, Finding]) -> dict[tuple[str, str, str], Verdict]:
    return {
        (name, place.region or "", place.resource or ""): place.verdict
        for name, finding in findings.items()
        for place in finding.places
    }


@pytest.fixture(scope="module")
def scenarios() -> dict[str, Evidence]:
    """The evidence of every scenario, collected once."""
    found: dict[str, Evidence] = {}
    patch = pytest.MonkeyPatch()
    from postureaudit.aws.session import open_session
    from postureaudit.aws.walk import walk
    from tests.fakeaws import FakeAws

    for name, make in SCENARIOS.items():
        world: World = make()
        with FakeAws(world) as aws:
            for key, value in aws.env().items():
                if key.startswith("AWS_"):
                    patch.setenv(key, value)
            found[name] = walk(open_session(), [item.collect for item in services.all_services()])
    patch.undo()
    return found


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
def test_denying_one_call(scenarios: dict[str, Evidence], scenario: str, call: str) -> None:
    """No verdict turns round; what reads the call is unknown or stands in the table with what decides it."""
    evidence = scenarios[scenario]
    kinds = services.types()
    before = verdicts(judge(evidence))
    after = verdicts(judge(denied(evidence, call)))
    required = {
        check.id: {item.id for item in catalog.builtin().with_required([check.id])}
        for check in catalog.builtin().checks
    }
    readers = {
        check.id
        for check in catalog.builtin().checks
        if any(call in catalog.reads(catalog.builtin().check(name), kinds) for name in required[check.id])
    }

    for place, verdict in after.items():
        was = before.get(place)
        if place[0] not in readers:
            assert verdict is was, f"{place} does not read {call}"
        elif verdict in (Verdict.PASS, Verdict.FAIL):
            assert verdict is was, f"{place} turned from {was} to {verdict} without {call}"
            known = {(call, place[0]), (call, "*")} & set(STILL_DECIDED)
            assert known or call not in catalog.reads(catalog.builtin().check(place[0]), kinds), (
                f"{place} is {verdict} without {call}: say in the table what decides it"
            )


@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
def test_denying_everything_leaves_no_verdict(scenarios: dict[str, Evidence], scenario: str) -> None:
    """Nothing passes and nothing fails when every call was refused."""
    evidence = scenarios[scenario]
    for call in CALLS:
        evidence = denied(evidence, call)

    assert set(verdicts(judge(evidence)).values()) <= {Verdict.UNKNOWN, Verdict.NOT_APPLICABLE}


def test_evidence_of_another_call_is_not_touched(scenarios: dict[str, Evidence]) -> None:
    """Judging changes nothing in the evidence."""
    evidence = scenarios["mixed"]
    before = evidence.digest()

    judge(evidence)

    assert evidence.digest() == before


def test_every_call_is_allowed() -> None:
    """What the checks need is in the reviewed read-only list."""
    from postureaudit.aws.allowed import ALLOWED

    assert set(CALLS) <= ALLOWED
