"""The account's contacts: whom AWS calls."""

from __future__ import annotations

import pytest

from postureaudit.findings import Verdict
from tests.conftest import Collect, Mend, judge
from tests.fakeaws import Fault, World
from tests.fakeaws.world import ACCOUNT

HERE = "us-east-1"
SECURITY, OTHERS, PHONE = (
    f"account.{name}" for name in ("security-contact", "other-contacts", "phone-verified")
)
NEEDS = {
    "SECURITY_CONTACT_NAME": "a'b$(x)",
    "SECURITY_CONTACT_TITLE": "--debug",
    "SECURITY_CONTACT_PHONE": "+15550100",
    "ALERT_EMAIL": "soc@example.com",
}


def a_world() -> World:
    world = World()
    world.account(regions=(HERE, "eu-west-1"))
    return world


def contact(kind: str) -> dict[str, str]:
    return {"AlternateContactType": kind, "Name": "SOC", "EmailAddress": "soc@example.com"}


def test_each_contact_is_judged_by_itself(collect: Collect) -> None:
    """A missing security contact is a gap; a missing one for billing names billing and no other."""
    world = a_world()
    none = judge(collect(world))
    world.account().contacts |= {kind: contact(kind) for kind in ("SECURITY", "OPERATIONS")}
    some = judge(collect(world))

    assert [none[name].verdict for name in (SECURITY, OTHERS)] == [Verdict.FAIL, Verdict.FAIL]
    assert [some[name].verdict for name in (SECURITY, OTHERS)] == [Verdict.PASS, Verdict.FAIL]
    assert some[OTHERS].places[0].reason == "no alternate contact for: BILLING"


def test_it_is_asked_once_and_no_person_is_kept(collect: Collect) -> None:
    """Names and addresses are no part of the evidence, and one region makes the calls."""
    world = a_world()
    world.account().contacts["SECURITY"] = contact("SECURITY")

    evidence = collect(world)

    asked = [call for call in world.calls if call[3] == "GetAlternateContact"]
    assert len(asked) == 3 and {call[1] for call in asked} == {HERE}
    found = evidence.outcome(
        "account:GetAlternateContact", ACCOUNT, HERE, {"AlternateContactType": "SECURITY"}
    )
    assert "soc@example.com" not in repr(found) and "SECURITY" in repr(found)


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        ("VERIFIED", Verdict.PASS),
        ("UNVERIFIED", Verdict.FAIL),
        ("PENDING", Verdict.FAIL),
        ("NOT_SUPPORTED", Verdict.NOT_APPLICABLE),
        ("", Verdict.NOT_APPLICABLE),
    ],
)
def test_phone_number(collect: Collect, state: str, verdict: Verdict) -> None:
    """Only a number that AWS says is verified passes; where AWS verifies none there is nothing to judge."""
    world = a_world()
    world.account().phone = state

    assert judge(collect(world))[PHONE].verdict is verdict


def test_refusals_are_unknown(collect: Collect) -> None:
    """SecurityAudit may not read the contact information: that is no gap."""
    world = a_world()
    world.faults.append(Fault(service="account", operation="Get*"))

    found = judge(collect(world))

    assert {found[name].verdict for name in (SECURITY, OTHERS, PHONE)} == {Verdict.UNKNOWN}


def test_error_that_is_not_ours_is_no_contact_missing(collect: Collect) -> None:
    """Only "not found" means that there is none."""
    world = a_world()
    world.faults.append(Fault(service="account", operation="GetAlternateContact", code="ValidationException"))

    assert judge(collect(world))[SECURITY].verdict is Verdict.UNKNOWN


def test_command_sets_the_contact(mend: Mend) -> None:
    """The command runs with whatever the user names, and closes the gap."""
    world = a_world()

    found = mend(world, SECURITY, OTHERS, needs=NEEDS)

    assert found[SECURITY].verdict is Verdict.PASS and found[OTHERS].verdict is Verdict.FAIL
    assert world.account().contacts["SECURITY"]["Title"] == "--debug"
    assert found[OTHERS].fix and not found[OTHERS].fix.argv
