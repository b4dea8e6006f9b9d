"""A clock that is off: AWS refuses what it signs, so that no age is ever judged by it, and the user is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from postureaudit.aws.outcomes import classify, is_skewed
from postureaudit.evidence import RefusalKind
from tests.fakeaws import Fault
from tests.fakeaws.scenarios import SCENARIOS

Cli = Callable[..., Any]
BEHIND = (
    "Signature expired: 20261125T000000Z is now earlier than 20261125T235500Z (20261126T000000Z - 5 min.)"
)
AHEAD = "Signature not yet current: 20261127T000000Z is still later than 20261126T000500Z (20261126T000000Z + 5 min.)"
APART = "The difference between the request time and the current time is too large."
EXPIRED = "The security token included in the request is expired"
# What the protocols answer: JSON, query (and S3's own).
SKEWED = [
    ("InvalidSignatureException", BEHIND),
    ("InvalidSignatureException", AHEAD),
    ("SignatureDoesNotMatch", BEHIND),
    ("RequestTimeTooSkewed", APART),
]


@pytest.mark.parametrize(("code", "message"), SKEWED)
def test_a_refused_time_is_the_clocks(code: str, message: str) -> None:
    """It ends the walk as an expiry does, and is told apart from one."""
    found = classify("guardduty", "ListDetectors", code, message, status=403)

    assert getattr(found, "kind", None) is RefusalKind.EXPIRED and is_skewed(code, message)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ExpiredTokenException", EXPIRED),
        ("ExpiredToken", "The provided token has expired."),
        (
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided.",
        ),
        ("AccessDenied", "Request has expired"),
    ],
)
def test_other_refusals_are_not_the_clocks(code: str, message: str) -> None:
    """A token that ran out and a wrong secret have their own words."""
    assert not is_skewed(code, message)


@pytest.mark.parametrize(("code", "message"), SKEWED)
def test_a_clock_that_is_off_is_said_before_anything_is_asked(cli: Cli, code: str, message: str) -> None:
    """Who this is, is the first question: nothing is judged, and the message names the clock."""
    world = SCENARIOS["empty"]()
    world.faults = [Fault(code=code, message=message, status=403, service="sts")]

    ran = cli("audit", "--no-config", world=world)

    assert (ran.code, ran.out) == (1, "") and "clock is off" in ran.err and "set the clock" in ran.err


@pytest.mark.parametrize(
    ("code", "message", "said"),
    [
        *((code, message, "set the clock") for code, message in SKEWED[:3:2]),
        ("ExpiredToken", EXPIRED, "sign in again"),
    ],
)
def test_what_ended_the_walk_is_said(cli: Cli, code: str, message: str, said: str) -> None:
    """A walk that ends early says on stderr why and what to do; its report is blind, not clean."""
    world = SCENARIOS["responding"]()
    world.faults = [Fault(code=code, message=message, status=403, action="expire_after_n", times=12)]

    ran = cli("audit", "--no-config", "--region", "us-east-1", "-s", "cloudtrail", "-ojson=-", world=world)

    assert ran.code == 4 and said in ran.err
    assert "expired" in {item["kind"] for item in ran.json["unknown"]}
