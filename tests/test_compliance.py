"""Frameworks: what may be mapped to, what --framework chooses, and what a run says of each requirement."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from postureaudit import catalog, compliance, lint
from postureaudit.compliance import Framework, Requirement, Standing
from postureaudit.errors import UsageError
from postureaudit.findings import Finding, Place, Severity, Verdict, Waived
from postureaudit.render import Style, renderer
from postureaudit.render.requirements import lines
from tests.conftest import Ran
from tests.render import zoo

FRAMEWORKS = tuple(compliance.load())
WAIVER = Waived(id="W-1", owner="alice", reason="known", expires="2027-01-01")


def a_finding(*places: str, check: str = "a.b", number: str = "1") -> Finding:
    """A finding on requirement "1" with these places: a verdict, or "waived" for a gap that is accepted."""
    made = [
        Place(
            fingerprint=f"pa1:{index}",
            region="us-east-1",
            resource=str(index),
            verdict=Verdict.FAIL if place == "waived" else Verdict(place),
            waiver=WAIVER if place == "waived" else None,
        )
        for index, place in enumerate(places)
    ]
    verdicts = [place.verdict for place in made]
    order = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.PASS, Verdict.NOT_APPLICABLE)
    return Finding(
        fingerprint="pa1:x",
        check=check,
        title="",
        severity=Severity.HIGH,
        verdict=next(verdict for verdict in order if verdict in verdicts),
        account="111122223333",
        why="",
        service="a",
        waived="waived" in places and "fail" not in places,
        maps_to={"own": (number,)},
        places=tuple(made),
    )


def a_framework(**requirements: str) -> Framework:
    return Framework(
        id="own",
        short="OWN 1",
        name="A framework",
        version="1",
        source="https://example.com",
        checked="2026-11-25",
        basis="made up",
        requirements=requirements or {"1": "Somebody looks"},
    )


def judged(*findings: Finding, mapped: tuple[str, ...] = ("a.b",)) -> Requirement:
    """What these findings say of requirement "1"."""
    maps_to = {name: {"own": ("1",)} for name in mapped}
    return compliance.summarize(a_framework(), findings, maps_to).requirements[0]


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_framework_chooses_exactly_its_checks(name: str) -> None:
    """--framework takes every check with that key in maps_to, and no other."""
    found = catalog.builtin()

    assert found.select(frameworks=[name]) == {check.id for check in found.checks if name in check.maps_to}


def test_two_frameworks_choose_the_checks_of_both() -> None:
    """Frameworks add up; with a service they narrow it."""
    found = catalog.builtin()
    one, other = (found.select(frameworks=[name]) for name in ("cis-7.0", "pci-4.0.1"))

    assert found.select(frameworks=["cis-7.0", "pci-4.0.1"]) == one | other
    assert found.select(frameworks=["cis-7.0"], services=["config"]) == {
        name for name in one if name.startswith("config.")
    }


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("cis", "cis-7.0, cis-6.0, cis-5.0, cis-4.0.1, cis-3.0, cis-1.4"),
        ("CIS 7.0", "cis-7.0"),
        ("nist", "nist-800-53-r5"),
        ("soc2", "soc-2"),
        ("cis-4.0", "cis-4.0.1"),
        ("hipaa", "fsbp"),
    ],
)
def test_unknown_framework_names_near_ones(given: str, said: str) -> None:
    """A framework that does not exist is refused with those that may be meant."""
    with pytest.raises(UsageError) as caught:
        catalog.builtin().select(frameworks=[given])

    assert said in caught.value.hint


def test_every_check_answers_to_something() -> None:
    """Each shipped check maps to at least one requirement."""
    assert [check.id for check in catalog.builtin().checks if not check.maps_to] == []


@pytest.mark.parametrize(
    ("maps_to", "said"),
    [
        ('{cis-7.0: ["4.11"]}', "cis-7.0 has no requirement '4.11' in our area; did you mean 4.1"),
        ("{fsbp: [Cloudtrail.1]}", "did you mean CloudTrail.1"),
        ("{sra: [SRA-CONFIG-99]}", "sra has no requirement 'SRA-CONFIG-99'"),
        ("{fsbp: [Config.1, Config.1]}", "fsbp Config.1 is there twice"),
        ("{cis-8.0: []}", "knows no framework 'cis-8.0'"),
    ],
)
def test_lint_finds_numbers_that_do_not_exist(maps_to: str, said: str) -> None:
    """A misspelt number or framework in maps_to is a mistake, with near ones."""
    block = catalog.path().read_text("utf-8").split("\n\n")[0].replace("cloudtrail.enabled", "own.x")
    [check] = catalog.parse(re.sub(r"maps_to: .*", f"maps_to: {maps_to}", block), name="own.yaml")

    problems = lint.lint(catalog.builtin().extended([check]), only=["own.x"])

    assert len(problems) == 1 and said in problems[0].sentence()


def test_frameworks_say_where_they_come_from() -> None:
    """Each names its source, and has titles of its own for every number."""
    for item in compliance.load().values():
        assert item.source.startswith("https://") and re.fullmatch(r"\d{4}-\d\d-\d\d", item.checked)
        assert item.basis and all(title.strip() for title in item.requirements.values())


def test_parts_belong_to_requirements_and_are_told() -> None:
    """Where only a part of a requirement is checked, its title says which: met is never said of more."""
    for item in compliance.load().values():
        assert set(item.parts) <= set(item.requirements)
        covered = {"a.b": {item.id: tuple(item.requirements)}}
        for mapped, shown in ((covered, True), ({}, False)):
            summary = compliance.summarize(item, (), mapped)
            told = {found.number: found.title for found in summary.requirements}
            assert all(
                told[number].endswith(f"(here: {part})") is shown for number, part in item.parts.items()
            )


def test_cis_keeps_its_wording_from_version_to_version() -> None:
    """What maps to the newest CIS benchmark maps to the older ones that have the same requirement."""
    known = compliance.load()
    for check in catalog.builtin().checks:
        for number in check.maps_to.get("cis-7.0", ()):
            title = known["cis-7.0"].requirements[number]
            for name in (name for name in known if name.startswith("cis-")):
                same = [other for other, said in known[name].requirements.items() if said == title]
                assert set(same) <= set(check.maps_to.get(name, ())), (check.id, name, title)


@pytest.mark.parametrize(
    ("findings", "standing"),
    [
        ([["pass"]], Standing.MET),
        ([["pass"], ["fail"]], Standing.GAP),
        ([["pass"], ["unknown"]], Standing.UNKNOWN),
        ([["unknown"], ["fail"]], Standing.GAP),
        ([["pass"], ["not_applicable"]], Standing.MET),
        ([["not_applicable"], ["not_applicable"]], Standing.NOT_APPLICABLE),
        ([["waived"]], Standing.WAIVED),
        ([["waived"], ["pass"]], Standing.WAIVED),
        ([["waived", "fail"]], Standing.GAP),
        ([["waived"], ["unknown"]], Standing.UNKNOWN),
        ([["waived", "unknown"]], Standing.UNKNOWN),
        ([], Standing.NOT_JUDGED),
    ],
)
def test_standing_of_a_requirement(findings: list[list[str]], standing: Standing) -> None:
    """An open gap first, then what could not be read, then what is accepted: a waiver hides no blindness."""
    made = [a_finding(*places, check=f"a.{index}") for index, places in enumerate(findings)]

    assert judged(*made).standing is standing
    assert judged(*reversed(made)).standing is standing


def test_requirement_without_a_check_is_not_covered() -> None:
    """Nobody mapped to it: that is said, and it counts neither as met nor as a gap."""
    summary = compliance.summarize(a_framework(), [], {"a.b": {"other": ("1",)}})

    assert summary.requirements[0].standing is Standing.NOT_COVERED
    assert summary.headline() == "OWN 1  0 of 0 met"


def test_requirement_names_its_checks() -> None:
    """The checks that map, those with a gap, those accepted and those in the dark; two accounts count once."""
    found = judged(
        a_finding("fail", "unknown", check="a.b"),
        a_finding("fail", check="a.b"),
        a_finding("waived", check="a.c"),
        a_finding("unknown", check="a.d"),
        mapped=("a.b", "a.c", "a.d", "a.e"),
    )

    assert (found.checks, found.gaps, found.waived, found.unknown) == (
        ("a.b", "a.c", "a.d", "a.e"),
        ("a.b",),
        ("a.c",),
        ("a.b", "a.d"),
    )


def test_headline_counts_what_was_judged() -> None:
    """What does not apply, was not chosen or is not covered is left out of "of"."""
    numbers = {str(number): "x" for number in range(1, 8)}
    said = {"1": "pass", "2": "fail", "3": "fail", "4": "unknown", "5": "waived", "6": "not_applicable"}
    findings = [a_finding(verdict, number=number, check=f"a.{number}") for number, verdict in said.items()]
    summary = compliance.summarize(a_framework(**numbers), findings, {})

    assert summary.headline() == "OWN 1  1 of 5 met, 2 gaps, 1 unknown, 1 waived"


@pytest.mark.parametrize("width", [60, 80, 140])
@pytest.mark.parametrize("details", [False, True])
def test_block_keeps_the_width_and_obeys_nobody(width: int, details: bool) -> None:
    """No line is wider than the terminal; a title or check from a user's file is text, not markup or escape codes."""
    title = "[/]\x1b[2J" + "a long requirement that has to be folded " * 4
    numbers = {"1": title, "2": "nobody looks", "3": "met"}
    mapped = {"a.b": {"own": ("1",)}, "a.c": {"own": ("3",)}}
    findings = [a_finding("fail", check="a.\x9b2J"), a_finding("pass", check="a.c", number="3")]
    summary = compliance.summarize(a_framework(**numbers), findings, mapped)

    text = [line.plain for line in lines(summary, Style(width=width, details=details))]

    assert all(len(line) <= width for line in text)
    assert not {"\x1b", "\x9b"} & set("".join(text)) and "[/]" in "".join(text)
    assert any("1 of 2 met, 1 gap" in line for line in text)
    assert any(" 3  met: a.c" in line for line in text) is details
    assert any("not covered" in line for line in text)


def test_block_shows_the_first_and_counts_the_rest() -> None:
    """--top limits the lines; what is left out is counted."""
    numbers = {str(number): "x" for number in range(12)}
    findings = [a_finding("fail", number=number, check=f"a.{number}") for number in numbers]
    summary = compliance.summarize(a_framework(**numbers), findings, {})

    def shown(top: int) -> str:
        return "\n".join(line.plain for line in lines(summary, Style(width=80, top=top)))

    assert "... and 9 more (--top 0)" in shown(3) and shown(3).count("gap ") == 3
    assert "more" not in shown(0).replace("for more", "") and shown(0).count("gap ") == 12


def test_reports_show_the_chosen_frameworks(cli: Callable[..., Ran], tmp_path: Path) -> None:
    """The table has a block, the JSON a list that its schema describes; without --framework there is neither."""
    schema = json.loads(cli("schema", "result").out)
    both = ("--framework", "cis-7.0", "--framework", "cis-1.4", "--service", "securityhub")
    table = cli("demo", *both, "-o", "table", "-o", f"json={tmp_path / 'result.json'}")
    chosen = json.loads((tmp_path / "result.json").read_text())
    plain = cli("demo", "--check", "config.recorder-on", "-o", "json", "--quiet").json

    jsonschema.validate(chosen, schema)
    jsonschema.validate(plain, schema)
    older, newer = chosen["frameworks"]
    verdicts = {item["number"]: item["verdict"] for item in newer["requirements"]}
    assert (older["id"], newer["id"]) == ("cis-1.4", "cis-7.0")
    assert (verdicts["4.10"], verdicts["5.16"], verdicts["4.3"]) == ("not_covered", "fail", "not_judged")
    assert sum(newer["counts"].values()) == len(newer["requirements"])
    assert plain["frameworks"] == []
    heads = [line for line in table.out.splitlines() if line.startswith("CIS ")]
    assert [head.split("  ")[0] for head in heads] == ["CIS 1.4", "CIS 7.0"]


def test_every_format_with_room_shows_the_requirements() -> None:
    """Markdown and the HTML page have a table, JSON lines a line, with what each requirement is about."""
    report = zoo.a_report("x")
    style = Style(width=100)
    [framework] = report.frameworks
    shown = {name: renderer(name)(report, style) for name in ("markdown", "html", "jsonl", "table")}

    assert framework.headline() == "CIS 7.0  0 of 1 met, 1 gap"
    assert "| 4.1 | CloudTrail records every region | gap | `x` |" in shown["markdown"]
    assert "<td>CloudTrail records every region</td>" in shown["html"]
    kinds = [json.loads(line)["type"] for line in shown["jsonl"].splitlines()]
    assert kinds.count("framework") == 1
    assert "gap  4.1  CloudTrail records every region: x" in shown["table"]


def test_checks_by_requirement(cli: Callable[..., Ran]) -> None:
    """`checks list --framework` goes through the requirements; `explain` says what they are about."""
    listed = cli("checks", "list", "--framework", "cis-7.0")
    explained = cli("explain", "config.recorder-on")

    assert "4.10  Web front ends log their requests\n    not covered by postureaudit" in listed.out
    assert "4.2  CloudTrail signs its log files\n    medium    cloudtrail.log-validation" in listed.out
    assert "cis-7.0  4.3 AWS Config records every region" in explained.out
