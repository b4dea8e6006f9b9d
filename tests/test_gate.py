"""What gates: gaps first, then blindness, of which only what is named is tolerated."""

from __future__ import annotations

from postureaudit import catalog, evaluate
from postureaudit.evidence import Joined, Refusal, RefusalKind, heavier
from postureaudit.findings import Finding, Place, Severity, Verdict
from postureaudit.gate import BLIND, CLEAN, decide
from postureaudit.resources import Resource, all_of

SCP = Refusal(RefusalKind.SCP_DENIED, "AccessDenied", call="cloudtrail:GetEventSelectors", region="us-east-1")
DENIED = Refusal(RefusalKind.DENIED, "AccessDenied", call="cloudtrail:GetTrailStatus", region="eu-west-1")


def unknown(*behind: Refusal) -> Finding:
    blind = tuple((item.call, item.region, item.kind.value) for item in behind)
    return Finding(
        fingerprint="pa1:x",
        check="cloudtrail.enabled",
        title="",
        severity=Severity.HIGH,
        verdict=Verdict.UNKNOWN,
        account="111122223333",
        why="",
        service="cloudtrail",
        places=(
            Place(
                fingerprint="pa1:y", region="sa-east-1", resource=None, verdict=Verdict.UNKNOWN, blind=blind
            ),
        ),
    )


def test_each_refusal_behind_an_unknown_has_to_be_named() -> None:
    """Tolerating what an SCP denies does not tolerate the denied call behind it."""
    finding = unknown(SCP, DENIED)

    assert decide([finding], allow_unknown=frozenset({"scp_denied"})).code == BLIND
    both = decide([finding], allow_unknown=frozenset({"scp_denied", "cloudtrail:GetTrailStatus"}))
    assert (both.code, both.tolerated) == (CLEAN, ("cloudtrail:GetTrailStatus", "scp_denied"))
    assert decide([finding], allow_unknown=frozenset({"cloudtrail"})).code == CLEAN
    assert decide([finding], allow_unknown=frozenset({"sa-east-1"})).code == CLEAN
    assert decide([unknown()], allow_unknown=frozenset({"scp_denied"})).code == BLIND


def test_a_joined_fact_keeps_every_refusal() -> None:
    """It shows one refusal, the heavier, and still knows the others, each once."""
    found = all_of([True, SCP, DENIED, SCP])

    assert isinstance(found, Joined) and found.kind is RefusalKind.SCP_DENIED
    assert found.parts() == (SCP, DENIED)
    assert heavier(SCP, SCP) is SCP or heavier(SCP, SCP) == SCP


def test_what_another_account_is_told_hides_no_refusal() -> None:
    """ "Look there" reads as not applicable, so it gives way to a call that was denied, whichever comes first."""
    elsewhere = Refusal(RefusalKind.ELSEWHERE, message="look in account 999988887777")

    for found in (all_of([elsewhere, SCP]), all_of([SCP, elsewhere])):
        assert found == SCP
    assert all_of([elsewhere, False]) is False
    check = catalog.builtin().check("cloudtrail.management-events")
    facts = {"Coverage": {"ManagementReads": elsewhere, "ManagementWrites": elsewhere}}
    place = Resource(type=check.resource, account="111122223333", region="eu-west-1", facts=facts)
    judged = evaluate.judge(check, place, "aws")
    assert (judged.verdict, judged.reason) == (Verdict.NOT_APPLICABLE, elsewhere.message)


def test_a_place_names_all_that_its_expression_could_not_read() -> None:
    """Facts of both sides of an "and" stand behind the unknown place."""
    check = catalog.builtin().check("cloudtrail.management-events")
    facts = {"Coverage": {"ManagementReads": SCP, "ManagementWrites": DENIED}}
    place = Resource(type=check.resource, account="111122223333", region="eu-west-1", facts=facts)

    found = evaluate.judge(check, place, "aws")

    assert found.refusal is not None and found.refusal.parts() == (SCP, DENIED)
