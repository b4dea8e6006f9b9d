"""Every kind of refusal, and a record that is not there: nothing false, and nothing that is not told."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from postureaudit import catalog, evaluate
from postureaudit.evidence import Evidence, Record, Refusal, RefusalKind
from postureaudit.findings import Finding, Severity, Verdict
from postureaudit.gate import decide
from postureaudit.report import unseen
from tests.conftest import walk_world
from tests.fakeaws.scenarios import SCENARIOS
from tests.parts import part
from tests.replay import replay
from tests.still_decided import STILL_DECIDED
from tests.test_refusals import CALLS, FEW, READS_IN_ALL, verdicts

DECIDED = (Verdict.PASS, Verdict.FAIL)
# "missing" is a file without the record; "elsewhere" is never recorded.
KINDS = ["missing", *(kind.value for kind in RefusalKind if kind is not RefusalKind.ELSEWHERE)]


@pytest.fixture(scope="module", params=["responding", pytest.param("mixed", marks=pytest.mark.exhaustive)])
def account(request: pytest.FixtureRequest) -> tuple[Evidence, dict[str, Finding]]:
    """An account's evidence, collected once, and its findings; nothing is unknown in the responding one."""
    with pytest.MonkeyPatch.context() as patch:
        evidence = replay(walk_world(patch, SCENARIOS[request.param]()), regions=FEW)
    return evidence, {item.check: item for item in evaluate.evaluate(evidence, catalog.builtin())}


def without(evidence: Evidence, call: str, kind: str) -> Evidence:
    """The evidence in which this call was refused wherever it was answered, and what hangs on it never asked."""
    if kind == "missing":
        return Evidence(evidence.header, [record for record in evidence if record.call != call])
    refusal = Refusal(RefusalKind(kind), "Code", "what AWS said")
    walked = replay(evidence, denied={call}, refusal=refusal, regions=FEW)

    def as_before(record: Record) -> Record:
        known = evidence.find(record.call, record.account, record.region, record.params)
        return known if known is not None and isinstance(known.outcome, Refusal) else record

    return Evidence(walked.header, map(as_before, walked))


def judged(evidence: Evidence, call: str) -> dict[str, Finding]:
    ids = [name for name, calls in READS_IN_ALL.items() if call in calls]
    return {item.check: item for item in evaluate.evaluate(evidence, catalog.builtin(), ids=ids)}


def told(evidence: Evidence, findings: Mapping[str, Finding]) -> set[tuple[str, str, str]]:
    """(call, kind, check) of the list of what could not be read."""
    listed = unseen(evidence, tuple(findings.values()))
    return {(item.call, item.kind, check) for item in listed for check in item.affects}


@pytest.mark.parametrize("case", part([f"{call} {kind}" for call in CALLS for kind in KINDS], of=60))
def test_no_kind_of_refusal_makes_or_hides_a_verdict(
    account: tuple[Evidence, dict[str, Finding]], case: str
) -> None:
    """What a refused answer hides is unknown and named with its call and kind; no verdict turns, and none vanishes."""
    (evidence, found), (call, kind) = account, case.split()
    hidden = without(evidence, call, kind)

    after = judged(hidden, call)

    before, listed = verdicts(found), told(hidden, after)
    asked, refused = {record.call for record in evidence}, {record.call for record in evidence.refusals()}
    for place, verdict in verdicts(after).items():
        was, check = before.get(place), place[0]
        if verdict is was:
            continue
        family = check.partition(".")[0] + ".*"
        known = {(call, check), (call, family), (call, "*")} & set(STILL_DECIDED)
        if verdict in DECIDED:
            needless = known and was is Verdict.NOT_APPLICABLE and verdict is Verdict.PASS
            assert needless, f"{place} turned from {was} to {verdict}"
        elif verdict is Verdict.UNKNOWN:
            expected = "not_collected" if kind == "missing" else kind
            named = {item[:2] for item in listed if item[2] == check}
            older = any(name in refused or name not in asked for name, _ in named)
            older = older or (kind == "not_in_region" and {what for _, what in named} == {"not_collected"})
            assert (call, expected) in named or older, f"{place} is unknown for {named}, not for {call}"
        elif was in DECIDED:
            assert kind == "not_in_region", f"{place} turned from {was} to {verdict}: it should be unknown"
    gating = [item for item in after.values() if item.severity is not Severity.INFO]
    unknown = any(item.having(Verdict.UNKNOWN) for item in gating)
    assert decide(after.values()).code != 0 or not unknown
