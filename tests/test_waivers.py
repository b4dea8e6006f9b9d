"""A waiver covers what it says, for a time."""

from __future__ import annotations

import datetime

import pytest

from postureaudit import waivers
from postureaudit.errors import WaiverError
from postureaudit.findings import Finding, Place, Severity, Verdict

TODAY = datetime.date(2026, 11, 24)


def a_gap(resource: str) -> Finding:
    place = Place(fingerprint="f", region="us-east-1", resource=resource, verdict=Verdict.FAIL)
    return Finding(
        fingerprint="f",
        check="config.rules-healthy",
        title="t",
        severity=Severity.HIGH,
        verdict=Verdict.FAIL,
        account="111122223333",
        why="w",
        service="config",
        places=(place,),
    )


def a_waiver(**fields: object) -> waivers.Waiver:
    base = {"id": "W", "check": "config.*", "reason": "r", "owner": "o", "expires": "2026-12-31"}
    return waivers.Waiver(**{**base, **fields})  # type: ignore[arg-type]  # fields of many types


@pytest.mark.parametrize(
    ("glob", "name", "covered"),
    [
        ("rule[ab]", "rule[ab]", True),
        ("rule[ab]", "rulea", False),
        ("rule*", "rule-a", True),
        ("rule", "rule-a", False),
        ("rule?", "rule1", True),
    ],
)
def test_a_name_written_out_means_itself(glob: str, name: str, covered: bool) -> None:
    """Brackets are no wildcard: a waiver for one resource never covers its neighbour."""
    [found] = waivers.apply([a_gap(name)], [a_waiver(resources=(glob,))], today=TODAY).findings

    assert found.waived is covered


@pytest.mark.parametrize(
    "fields",
    [
        {"expires": "9999-12-31"},
        {"created": "2099-01-01", "expires": "2099-06-01"},
        {"expires": "2027-11-26"},
    ],
)
def test_no_waiver_outlasts_a_year(fields: dict[str, str]) -> None:
    """Without created, or with one in the future, a waiver can't last longer either."""
    with pytest.raises(WaiverError, match="366 days"):
        waivers.apply([a_gap("x")], [a_waiver(**fields)], today=TODAY)


@pytest.mark.parametrize(
    "text", ["version: 1\nwaivers: 5", "version: 1\nwaivers: {a: b}", "version: 1\nwaivers: abc"]
)
def test_waivers_is_a_list(text: str) -> None:
    """Anything else is refused with file:line."""
    with pytest.raises(WaiverError, match=r"w\.yaml:"):
        waivers.parse(text, name="w.yaml")
