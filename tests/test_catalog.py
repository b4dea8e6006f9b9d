"""The shipped catalogue is usable, and broken ones are refused with file and line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from postureaudit import catalog, lint
from postureaudit.errors import CatalogError, UsageError
from tests.conftest import Ran

IDS = (Path(__file__).parent / "golden" / "check_ids.txt").read_text().split()
GOOD = catalog.path().read_text("utf-8").split("\n\n")[0]


def test_ids_are_the_published_ones() -> None:
    """Tickets, waivers and baselines name these ids: none is ever renamed."""
    found = [check.id for check in catalog.builtin().checks]

    assert found == IDS


def test_shipped_checks_have_no_problem() -> None:
    """Every path, enum, requirement, fix and example of checks.yaml holds, and nothing passes on empty facts."""
    assert lint.lint(catalog.builtin()) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Coverage.Logging", "Coverage.Loging", "has no 'Loging'"),
        ("cloudtrail.region", "cloudtrail.regoin", "no resource type"),
        ("{Logging: false}", "{Logging: true}", "fail example 1 gives pass"),
        ("--is-multi-region-trail", "--is-multi-regional", "has no option --is-multi-regional"),
        ("{Need.LOG_BUCKET}", "{Need.BUCKET}", "no such need"),
        ("{Need.LOG_BUCKET}", "x-{Candidate.TrailARN}", "may not stand inside"),
        ("{fsbp: ", "{fsbpp: ", "knows no framework"),
    ],
)
def test_lint_names_the_mistake(tmp_path: Path, old: str, new: str, said: str) -> None:
    """A misspelt field, option, need or framework, and an example that lies, are found offline."""
    assert old in GOOD
    text = GOOD.replace("id: cloudtrail.enabled", "id: own.enabled").replace(old, new)

    checks = catalog.parse(text, name="own.yaml")
    problems = lint.lint(catalog.builtin().extended(checks), only=["own.enabled"])

    assert any(said in problem.text for problem in problems), problems


def test_lint_knows_enums_and_types() -> None:
    """A value that AWS never answers and a comparison of a boolean with text are mistakes."""
    text = GOOD.replace("cloudtrail.enabled", "own.x").replace("cloudtrail.region", "cloudtrail.trail")
    text = text.replace("pass_when: Coverage.Logging", "pass_when: Trail.IsMultiRegionTrail == 'true'")

    checks = catalog.parse(text, name="own.yaml")
    problems = [item.text for item in lint.lint(catalog.builtin().extended(checks), only=["own.x"])]

    assert any("is a boolean and is compared with the string" in item for item in problems)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- id: a.b\n- id: a.b\n", "a check has a title"),
        ("nope: 1\n", "no section 'nope'"),
        ("1\n", "is a list of checks"),
        ("- [", "not YAML"),
    ],
)
def test_broken_files_are_refused_with_file_and_line(text: str, said: str) -> None:
    """A checks file that cannot be used says where and why."""
    with pytest.raises(CatalogError, match=r"own\.yaml:") as caught:
        catalog.parse(text, name="own.yaml")

    assert said in caught.value.message


def test_selection() -> None:
    """Families, severities and frameworks choose; unknown names are refused with near ones."""
    found = catalog.builtin()

    trails = frozenset(check.id for check in found.checks if check.service == "cloudtrail")
    assert found.select(only=["cloudtrail.*"]) == trails
    assert "cloudtrail.log-validation" in found.select(frameworks=["cis-7.0"])
    assert "cloudtrail.insights" not in found.select(frameworks=["cis-7.0"])
    with pytest.raises(UsageError) as caught:
        found.select(only=["cloudtrail.enabeld"])
    assert "cloudtrail.enabled" in caught.value.hint


def test_lint_command(cli: object, tmp_path: Path) -> None:
    """`checks lint` proves a user's own file and says what is wrong with it."""
    assert callable(cli)
    own = tmp_path / "own.yaml"
    own.write_text(GOOD.replace("id: cloudtrail.enabled", "id: own.enabled"))
    good: Ran = cli("checks", "lint", str(own))
    own.write_text(own.read_text().replace("Coverage.Logging", "Coverage.Loging"))
    bad: Ran = cli("checks", "lint", str(own))

    own.write_text(GOOD.replace("Coverage.Logging", "Coverage.Loging"))
    copy: Ran = cli("checks", "lint", str(own))

    assert (good.code, bad.code, copy.code) == (0, 2, 2)
    assert f"{own}:6: own.enabled: Coverage has no 'Loging'; did you mean Logging?" in bad.err
    assert "Traceback" not in bad.err
    assert "cloudtrail.enabled: Coverage has no 'Loging'" in copy.err
    assert f"{own}:2: cloudtrail.enabled: check cloudtrail.enabled is one of postureaudit's own" in copy.err


def test_check_that_is_off_still_stands_behind_others() -> None:
    """Switching a check off hides its verdict; what requires it is not judged without it."""
    tuned = catalog.builtin().tuned(off=["cloudtrail.bucket-exists"])

    assert "cloudtrail.bucket-exists" not in tuned.select()
    behind = [check.id for check in tuned.with_required(["cloudtrail.bucket-not-public"])]
    assert behind == ["cloudtrail.bucket-exists", "cloudtrail.bucket-not-public"]


def test_parameter_has_the_type_of_its_default() -> None:
    """Text for a number is refused wherever parameters come from; a whole number is a number."""
    found = catalog.builtin()

    with pytest.raises(UsageError, match="days is a whole number, not text"):
        found.tuned(parameters={"config.retention": {"days": "365"}})
    with pytest.raises(UsageError, match="each of identifiers is text, not a whole number"):
        found.tuned(parameters={"config.required-rules": {"identifiers": [3]}})
    found.tuned(parameters={"guardduty.suppression-filters": {"severity": 8}})


def test_a_sentence_names_parameters_that_there_are() -> None:
    """What a report tells the reader to set can be set."""
    for check in catalog.builtin().checks:
        named = set(re.findall(r"\(parameter (\w+)", f"{check.otherwise} {check.reason}"))
        assert named <= set(check.parameters), check.id
