"""Deny each call in turn: what its answer hides is unknown, and everything else keeps its verdict."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from postureaudit import catalog, services
from postureaudit.evidence import Evidence, Named
from postureaudit.findings import Finding, Verdict
from tests.conftest import judge, walk_world
from tests.fakeaws.landing_zone import AUDIT, MEMBER, landing_zone
from tests.fakeaws.scenarios import SCENARIOS
from tests.fakeaws.world import ARCHIVE
from tests.parts import part
from tests.replay import replay
from tests.still_decided import STILL_DECIDED

CALLS = sorted(
    catalog.calls(catalog.builtin(), [check.id for check in catalog.builtin().checks], services.types())
)


Verdicts = dict[tuple[str, str, str], Verdict]


def verdicts(findings: Mapping[str, Finding]) -> Verdicts:
    return {
        (name, place.region or "", place.resource or ""): place.verdict
        for name, finding in findings.items()
        for place in finding.places
    }


# Where each scenario has something of its own: fewer regions, the same questions.
REGIONS = {
    "mixed": ("us-east-1", "us-east-2", "us-west-2", "eu-west-1", "eu-central-1", "ap-south-1", "sa-east-1"),
}
NAMES = sorted(set(SCENARIOS) - {"readable_archive"})  # the responding account is that one and more
# The organization's other accounts, with everything named that a caller can name.
NAMED = Named(
    audit_account=AUDIT,
    log_archive_account=ARCHIVE,
    log_archive_role=f"arn:aws:iam::{ARCHIVE}:role/SecurityAudit",
)
VIEWS = {"audit": AUDIT, "archive": ARCHIVE, "member": MEMBER}
# The others are judged by those who change what is asked, and by CI.
EVERY = [
    name if name == "mixed" else pytest.param(name, marks=pytest.mark.exhaustive) for name in (*NAMES, *VIEWS)
]
FEW = ("us-east-1", "eu-west-1", "sa-east-1")
CHECKS = {check.id: check for check in catalog.builtin().checks}
KINDS = services.types()
READS = {name: frozenset(catalog.reads(check, KINDS)) for name, check in CHECKS.items()}
# What a check reads with all that it requires.
READS_IN_ALL = {
    name: frozenset().union(*(READS[item.id] for item in catalog.builtin().with_required([name])))
    for name in CHECKS
}


@pytest.fixture(scope="module")
def scenario(request: pytest.FixtureRequest) -> tuple[Evidence, Verdicts]:
    """The evidence of a scenario, collected once, and its verdicts."""
    name = str(request.param)
    with pytest.MonkeyPatch.context() as patch:
        if name in VIEWS:
            whole = walk_world(patch, landing_zone(VIEWS[name]), named=NAMED)
        else:
            whole = walk_world(patch, SCENARIOS[name]())
    evidence = replay(whole, regions=REGIONS.get(name, FEW))
    return evidence, verdicts(judge(evidence))


@pytest.mark.parametrize("scenario", EVERY, indirect=True)
@pytest.mark.parametrize("call", part(CALLS, of=10))
def test_denying_one_call(
    request: pytest.FixtureRequest, scenario: tuple[Evidence, Verdicts], call: str
) -> None:
    """No verdict turns round; what reads the call is unknown or stands in the table with what decides it."""
    evidence, before = scenario
    # That nothing else changes is looked at in one scenario, where everything is judged.
    everything = request.node.callspec.params["scenario"] == "mixed"
    ids = [] if everything else [name for name, calls in READS_IN_ALL.items() if call in calls]

    after = verdicts(judge(replay(evidence, denied={call}), *ids))

    assert after

    for place, verdict in after.items():
        was, check = before.get(place), place[0]
        if call not in READS_IN_ALL[check]:
            assert verdict is was, f"{place} does not read {call}"
        elif verdict in (Verdict.PASS, Verdict.FAIL):
            family = check.partition(".")[0] + ".*"
            known = {(call, check), (call, family), (call, "*")} & set(STILL_DECIDED)
            # A plan that is on passes where nobody may say whether it is needed.
            needless = known and was is Verdict.NOT_APPLICABLE and verdict is Verdict.PASS
            assert verdict is was or needless, f"{place} turned from {was} to {verdict} without {call}"
            assert known or call not in READS[check], (
                f"{place} is {verdict} without {call}: say in the table what decides it"
            )


@pytest.mark.parametrize(
    "scenario",
    [name if name == "mixed" else pytest.param(name, marks=pytest.mark.exhaustive) for name in NAMES],
    indirect=True,
)
def test_denying_everything_leaves_no_verdict(scenario: tuple[Evidence, Verdicts]) -> None:
    """Nothing passes and nothing fails when every call was refused."""
    evidence, _ = scenario

    found = verdicts(judge(replay(evidence, denied=set(CALLS))))

    assert set(found.values()) <= {Verdict.UNKNOWN, Verdict.NOT_APPLICABLE}


@pytest.mark.parametrize("scenario", ["mixed"], indirect=True)
def test_evidence_is_not_touched(scenario: tuple[Evidence, Verdicts]) -> None:
    """Judging changes nothing in the evidence."""
    evidence, _ = scenario
    before = evidence.digest()

    judge(evidence)

    assert evidence.digest() == before


def test_every_call_is_allowed() -> None:
    """What the checks need is in the reviewed read-only list."""
    from postureaudit.aws.allowed import ALLOWED

    assert set(CALLS) <= ALLOWED
