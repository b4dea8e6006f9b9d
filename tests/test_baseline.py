"""A baseline lets old debt pass and nothing else; what was not looked at again is never called resolved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from postureaudit import baseline, diff, results
from postureaudit.errors import BaselineError, ResultError
from postureaudit.findings import Finding, Place, Severity, Verdict, fingerprint, overall, place_fingerprint
from postureaudit.gate import CLEAN, GAPS, decide

ACCOUNT, CHECK = "111122223333", "config.recorder-on"
GONE = "gone"


def a_finding(check: str = CHECK, **regions: str) -> Finding:
    """The finding of a check with these verdicts by region (eu_west_1="fail")."""
    places = tuple(
        Place(
            fingerprint=place_fingerprint("aws", ACCOUNT, check, name.replace("_", "-"), ""),
            region=name.replace("_", "-"),
            resource=None,
            verdict=Verdict(verdict),
        )
        for name, verdict in regions.items()
        if verdict != GONE
    )
    return Finding(
        fingerprint=fingerprint("aws", ACCOUNT, check),
        check=check,
        title="t",
        severity=Severity.HIGH,
        verdict=overall([place.verdict for place in places]),
        account=ACCOUNT,
        why="w",
        service="config",
        places=places,
    )


def a_result(
    *findings: Finding, regions: tuple[str, ...] = ("eu-west-1", "us-east-1"), day: int = 1
) -> results.Result:
    """The JSON result of these findings."""
    document: dict[str, Any] = {
        "schema_version": "1.0",
        "run": {"ended": f"2026-11-{day:02}T00:00:00Z", "regions": {"audited": list(regions)}},
        "findings": [msgspec.to_builtins(finding) for finding in findings],
    }
    return msgspec.convert(document, results.Result)


def test_a_known_gap_does_not_gate_and_a_new_one_does() -> None:
    """The gate asks for places: the same check in another region is new."""
    old = baseline.of(a_result(a_finding(eu_west_1="fail", us_east_1="pass")))

    same = baseline.compare(old, [a_finding(eu_west_1="fail", us_east_1="pass")], whole=True)
    more = baseline.compare(old, [a_finding(eu_west_1="fail", us_east_1="fail")], whole=True)

    assert (decide(same.findings).code, same.new, same.old) == (CLEAN, 0, 1)
    assert (decide(more.findings).code, more.new, more.old) == (GAPS, 1, 1)


@pytest.mark.parametrize(
    ("now", "whole", "state"),
    [
        ({"eu_west_1": "pass"}, True, "resolved"),
        ({"eu_west_1": "not_applicable"}, True, "resolved"),
        ({"eu_west_1": "unknown"}, True, "not_rechecked"),
        ({"eu_west_1": GONE, "us_east_1": "pass"}, True, "resolved"),
        ({"eu_west_1": GONE, "us_east_1": "pass"}, False, "not_rechecked"),
        ({"eu_west_1": GONE, "us_east_1": "unknown"}, True, "not_rechecked"),
        (None, True, "not_rechecked"),
    ],
)
def test_only_what_was_seen_again_is_resolved(now: dict[str, str] | None, whole: bool, state: str) -> None:
    """Unknown, not selected, and gone from a partial run are not checked again."""
    old = baseline.of(a_result(a_finding(eu_west_1="fail")))
    other = a_finding("config.retention", eu_west_1="pass")

    found = baseline.compare(old, [a_finding(**now) if now else other], whole=whole)

    assert {name: len(getattr(found, name)) for name in ("resolved", "not_rechecked")} == {
        "resolved": int(state == "resolved"),
        "not_rechecked": int(state == "not_rechecked"),
    }


def test_a_baseline_holds_no_names_and_reads_back(tmp_path: Path) -> None:
    """It can be committed: fingerprints only, sorted; waived gaps are not in it."""
    finding = a_finding(eu_west_1="fail")
    written = baseline.of(a_result(finding))
    file = tmp_path / "baseline.json"
    file.write_text(written.text())

    assert baseline.load(file) == written
    assert not any(word in written.text() for word in (ACCOUNT, CHECK, "eu-west-1"))
    waived = msgspec.to_builtins(finding)
    waived["places"][0]["waiver"] = {"id": "W", "owner": "o", "reason": "r", "expires": "2026-12-31"}
    covered = {**msgspec.to_builtins(a_result(finding)), "findings": [waived]}
    assert baseline.of(msgspec.convert(covered, results.Result)).findings == {}


def test_pruning_takes_out_what_is_resolved_and_nothing_else() -> None:
    """A stale entry would let the gap come back unseen; one that was not looked at stays."""
    old = baseline.of(a_result(a_finding(eu_west_1="fail", us_east_1="fail", ap_south_1="fail")))

    left, gone = baseline.pruned(old, a_result(a_finding(eu_west_1="pass", us_east_1="unknown")))

    assert (gone, len(left.places())) == (1, 2)
    there = a_finding(eu_west_1="pass", us_east_1="fail")
    part = a_result(there)
    part = msgspec.structs.replace(
        part,
        run=msgspec.structs.replace(
            part.run, regions=type(part.run.regions)(("eu-west-1",), ("ap-south-1",))
        ),
    )
    assert baseline.pruned(old, part)[1] == 1


def test_pruning_takes_out_all_that_a_comparison_calls_resolved() -> None:
    """A place that is gone from a whole run is resolved, and is not told again after the pruning."""
    old = baseline.of(a_result(a_finding(eu_west_1="fail", us_east_1="fail")))
    now = a_finding(us_east_1="fail")

    left, gone = baseline.pruned(old, a_result(now))

    assert gone == len(baseline.compare(old, [now], whole=True).resolved) == 1
    assert baseline.compare(left, [now], whole=True).resolved == ()


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"version": 2, "findings": {}}', '{"version": 1, "findings": []}']
)
def test_a_file_that_is_no_baseline(tmp_path: Path, text: str) -> None:
    """One sentence and a next step, exit 2."""
    file = tmp_path / "b.json"
    file.write_text(text)

    with pytest.raises(BaselineError, match=r"baseline") as told:
        baseline.load(file)
    assert told.value.exit_code == 2 and told.value.hint


@pytest.mark.parametrize("text", ["", "[]", '{"schema_version": "1.0"}', "{"])
def test_a_file_that_is_no_result(tmp_path: Path, text: str) -> None:
    """The same for a JSON result; one of another major version is refused as well."""
    file = tmp_path / "r.json"
    file.write_text(text)
    with pytest.raises(ResultError):
        results.load(file)

    document = msgspec.to_builtins(a_result(a_finding(eu_west_1="fail")))
    file.write_text(json.dumps({**document, "schema_version": "2.0"}))
    with pytest.raises(ResultError, match=r"2\.0"):
        results.load(file)


@pytest.mark.parametrize(
    ("before", "after", "regions", "state"),
    [
        ({"eu_west_1": "pass"}, {"eu_west_1": "fail"}, ("eu-west-1",), "new"),
        ({}, {"eu_west_1": "fail"}, ("eu-west-1",), "new"),
        ({"eu_west_1": "fail"}, {"eu_west_1": "fail"}, ("eu-west-1",), "still"),
        ({"eu_west_1": "fail"}, {"eu_west_1": "pass"}, ("eu-west-1",), "fixed"),
        ({"eu_west_1": "fail"}, {"eu_west_1": "unknown"}, ("eu-west-1",), "not_rechecked"),
        ({"eu_west_1": "fail"}, {"us_east_1": "pass"}, ("us-east-1",), "not_rechecked"),
        ({"eu_west_1": "fail"}, {"us_east_1": "pass"}, ("eu-west-1", "us-east-1"), "fixed"),
        ({"eu_west_1": "fail"}, {}, ("eu-west-1",), "not_rechecked"),
    ],
)
def test_diff(before: dict[str, str], after: dict[str, str], regions: tuple[str, ...], state: str) -> None:
    """A gap is fixed only where the new result looked."""
    old = a_result(*([a_finding(**before)] if before else []))
    new = a_result(*([a_finding(**after)] if after else []), regions=regions, day=2)

    [change] = diff.diff(old, new)

    assert {name: getattr(change, name) for name in ("new", "fixed", "still", "not_rechecked")} == {
        **dict.fromkeys(("new", "fixed", "still", "not_rechecked"), ()),
        state: ("eu-west-1",),
    }


def test_first_seen_goes_on_from_result_to_result() -> None:
    """The first result dates a gap by its own run; later ones keep that day."""
    first = a_result(a_finding(eu_west_1="fail"))

    assert first.first_seen() == {a_finding().fingerprint: "2026-11-01T00:00:00Z"}
    document = msgspec.to_builtins(a_result(a_finding(eu_west_1="fail"), day=9))
    document["findings"][0]["first_seen"] = "2026-11-01T00:00:00Z"
    assert set(msgspec.convert(document, results.Result).first_seen().values()) == {"2026-11-01T00:00:00Z"}
