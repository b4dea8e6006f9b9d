"""A waiver covers what it says, for a time."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from postureaudit import catalog, waivers
from postureaudit.errors import WaiverError
from postureaudit.findings import Finding, Place, Severity, Verdict
from postureaudit.results import Result, SeenFinding, SeenPlace
from tests.test_lint import GOOD

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


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"expires": "2026-11-01", "check": "config.retention"}, "expired on 2026-11-01"),
        ({"check": "config.recorder-onn"}, "did you mean config.recorder-on"),
        ({"check": "confg.*"}, "did you mean config"),
        ({"check": "config.*"}, "too broad"),
    ],
)
def test_lint_tells_what_a_reviewer_should_know(fields: dict[str, object], told: str) -> None:
    """Expired, for no check, and a whole family everywhere are told; a narrow one that lives is not."""
    good = a_waiver(check="config.recorder-on", regions=("eu-west-1",))

    [problem] = waivers.lint([good, a_waiver(id="X", **fields)], catalog.builtin(), today=TODAY)

    assert told in problem and "waiver X" in problem


def test_lint_tells_an_unused_waiver_by_a_result() -> None:
    """A waiver that matches no place of the result is told; one that does is not."""
    seen = SeenPlace(fingerprint="p", region="eu-west-1", resource=None, verdict=Verdict.FAIL)
    finding = SeenFinding(
        fingerprint="f",
        check="config.recorder-on",
        title="t",
        severity=Severity.HIGH,
        verdict=Verdict.FAIL,
        account="111122223333",
        places=(seen,),
    )
    document = {
        "schema_version": "1.0",
        "run": {"ended": "", "regions": {"audited": []}},
        "findings": [finding],
    }
    result = msgspec.convert(msgspec.to_builtins(document), Result)
    pair = [
        a_waiver(id=name, check="config.recorder-on", regions=(name,)) for name in ("eu-west-1", "eu-west-2")
    ]

    [problem] = waivers.lint(pair, catalog.builtin(), today=TODAY, result=result)

    assert "waiver eu-west-2 matches nothing" in problem


def test_a_waiver_of_checks_that_were_not_chosen_is_not_called_unused() -> None:
    """A run of some checks says nothing about the waivers of others."""
    other = a_waiver(id="X", check="guardduty.enabled")

    applied = waivers.apply([a_gap("r")], [a_waiver(), other], today=TODAY)

    assert (applied.unused, applied.warnings) == ((), ())


@pytest.mark.parametrize(
    ("fields", "verdict", "left_out"),
    [
        ({"accounts": ("999988887777",)}, "pass", ()),
        ({"accounts": ("111122223333", "999988887777")}, "pass", ()),
        ({"regions": ("eu-*",)}, "pass", ("eu-west-1",)),
        ({}, "unknown", ()),
        ({"resources": ("rule-*",)}, "unknown", ()),
    ],
)
def test_a_waiver_is_not_unused_where_nobody_looked(
    fields: dict[str, object], verdict: str, left_out: tuple[str, ...]
) -> None:
    """Another account's, one of a region that was left out, one of what is unknown now: none is to be removed."""
    gap = a_gap("*")
    places = (msgspec.structs.replace(gap.places[0], verdict=Verdict(verdict)),)
    finding = msgspec.structs.replace(gap, places=places, verdict=Verdict(verdict))

    applied = waivers.apply([finding], [a_waiver(**fields)], today=TODAY, left_out=left_out)

    assert (applied.unused, applied.warnings) == ((), ())


def test_a_waiver_of_what_passes_now_is_unused() -> None:
    """Where all of it was looked at and nothing failed, it is told."""
    gap = a_gap("r")
    places = (msgspec.structs.replace(gap.places[0], verdict=Verdict.PASS),)
    finding = msgspec.structs.replace(gap, places=places, verdict=Verdict.PASS)

    applied = waivers.apply([finding], [a_waiver(regions=("us-*",))], today=TODAY, left_out=("eu-west-1",))

    assert applied.unused == ("W",)


def test_waivers_of_own_checks_are_linted(cli: Callable[..., Any], tmp_path: Path) -> None:
    """A waiver for a check of one's own file is for a check that exists, once the file is named."""
    waivers, checks = tmp_path / "w.yaml", tmp_path / "own.yaml"
    until = datetime.date.today() + datetime.timedelta(30)
    waivers.write_text(
        f"version: 1\nwaivers:\n  - {{id: W, check: own.trail, owner: a, reason: b, expires: {until}}}\n"
    )
    checks.write_text(GOOD)

    assert cli("waivers", "lint", str(waivers)).code == 2
    named = cli("waivers", "lint", str(waivers), "--checks", str(checks))
    assert (named.code, named.err) == (0, "")
