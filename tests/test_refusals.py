"""Deny each call in turn: what its answer hides is unknown, and everything else keeps its verdict."""

from __future__ import annotations

import pytest

from postureaudit import catalog, services
from postureaudit.evidence import Evidence
from postureaudit.findings import Finding, Verdict
from tests.conftest import judge, walk_world
from tests.fakeaws.scenarios import SCENARIOS
from tests.replay import replay
from tests.still_decided import STILL_DECIDED

CALLS = sorted(
    catalog.calls(catalog.builtin(), [check.id for check in catalog.builtin().checks], services.types())
)


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
    with pytest.MonkeyPatch.context() as patch:
        for name, make in SCENARIOS.items():
            found[name] = walk_world(patch, make())
    return found


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
def test_denying_one_call(scenarios: dict[str, Evidence], scenario: str, call: str) -> None:
    """No verdict turns round; what reads the call is unknown or stands in the table with what decides it."""
    evidence = scenarios[scenario]
    kinds = services.types()
    before = verdicts(judge(evidence))
    after = verdicts(judge(replay(evidence, denied={call})))
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
            known = {(call, place[0]), (call, "*")} & set(STILL_DECIDED)
            # A plan that is on passes, whatever the workload that AWS no longer lists.
            on = verdict is Verdict.PASS and was is Verdict.NOT_APPLICABLE and (call, place[0]) in known
            assert verdict is was or on, f"{place} turned from {was} to {verdict} without {call}"
            assert known or call not in catalog.reads(catalog.builtin().check(place[0]), kinds), (
                f"{place} is {verdict} without {call}: say in the table what decides it"
            )


@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
def test_denying_everything_leaves_no_verdict(scenarios: dict[str, Evidence], scenario: str) -> None:
    """Nothing passes and nothing fails when every call was refused."""
    evidence = replay(scenarios[scenario], denied=set(CALLS))

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
