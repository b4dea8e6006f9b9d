"""Joining facts that may be refused."""

from __future__ import annotations

from postureaudit import expressions
from postureaudit.evidence import Refusal, RefusalKind
from postureaudit.resources import all_of, any_of

NOT_HERE = Refusal(RefusalKind.NOT_IN_REGION, call="x:Y", region="ap-south-2")
DENIED = Refusal(RefusalKind.DENIED, call="x:Y", region="eu-west-1")
UNASKED = Refusal(RefusalKind.NOT_COLLECTED, call="x:Z", region="ap-south-2")


def test_not_offered_does_not_hide_a_denied_region() -> None:
    """A region without the service makes nothing not applicable while another region was denied."""
    assert any_of([NOT_HERE, DENIED]) == all_of([NOT_HERE, True, DENIED]) == DENIED
    for text in ("A && B", "A || B"):
        assert expressions.compile(text).holds({"A": NOT_HERE, "B": DENIED}) == DENIED


def test_what_follows_from_not_offered_is_not_offered() -> None:
    """The calls that were never made because the service is not there change nothing."""
    assert any_of([NOT_HERE, UNASKED]) == all_of([NOT_HERE, UNASKED]) == NOT_HERE
