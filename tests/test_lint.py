"""Lint finds every mistake of a checks file, on the line where it stands, and one misspelt letter anywhere."""

from __future__ import annotations

import copy
import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
import yaml

import postureaudit
from postureaudit import catalog, checks_file, expressions, lint, lint_types, services
from postureaudit.catalog import Check
from postureaudit.cli.main import run
from postureaudit.errors import UsageError
from postureaudit.problems import Problem

SHIPPED = catalog.builtin()
SCHEMA = json.loads((Path(postureaudit.__file__).parent / "schemas" / "checks.json").read_text())
GOOD = """\
- id: own.trail
  title: The trail signs its log files
  severity: medium
  resource: cloudtrail.trail
  requires: [cloudtrail.enabled]
  parameters: {hours: 24}
  applies_when: Trail.HomeRegion == Region
  otherwise: it lives in {Trail.HomeRegion}
  pass_when: Trail.LogFileValidationEnabled
  reason: "{Trail.Name} does not sign"
  why: Nobody can prove what is not signed.
  fix:
    - when: Trail.IsMultiRegionTrail
      command: aws cloudtrail update-trail --name {Trail.TrailARN} --enable-log-file-validation --region {Region}
      effect: writes
      undo: aws cloudtrail update-trail --name {Trail.TrailARN} --no-enable-log-file-validation --region {Region}
      permissions: [cloudtrail:UpdateTrail]
      after: [cloudtrail.enabled]
    - steps: ["Look at {Trail.Name}."]
  maps_to: {cis-5.0: ["3.2"]}
  examples:
    pass:
      - {Region: eu-west-1, Trail: {HomeRegion: eu-west-1, LogFileValidationEnabled: true}}
    fail:
      - {Region: eu-west-1, Trail: {HomeRegion: eu-west-1, LogFileValidationEnabled: false}}
"""
REGION = """\
- id: own.region
  title: The detector publishes often
  severity: low
  resource: guardduty.region
  parameters: {frequency: FIFTEEN_MINUTES}
  pass_when: Detector.Frequency == Param.frequency
  why: An hour is long.
  fix: [{steps: [Set it.]}]
  examples:
    pass: [{Detector: {Frequency: FIFTEEN_MINUTES}}]
    fail: [{Detector: {Frequency: ONE_HOUR}}]
"""


def problems(text: str) -> list[Problem]:
    """What lint says of a user's file."""
    return lint.lint_file(checks_file.read(text, name="own.yaml", origin="custom"), SHIPPED)[1]


def test_good_files_have_no_problem() -> None:
    """What the mistakes below are made in is without one, and fits the published schema."""
    for text in (GOOD, REGION):
        assert problems(text) == []
        jsonschema.validate(yaml.safe_load(text), SCHEMA)


# One mistake each: what is replaced, by what, the line, a part of the sentence, and a part of the hint.
MISTAKES = [
    (
        "Look at {Trail.Name}.",
        "Run aws cloudtrail stop-loging.",
        19,
        "no command 'stop-loging'",
        "stop-logging",
    ),
    ("Look at {Trail.Name}.", "Look at {Doc.config_rule}.", 19, "in a command, not in a sentence", ""),
    ("severity: medium", "severety: medium", 3, "has no field 'severety'", "did you mean severity"),
    ("severity: medium", "severity: mediun", 3, "no severity 'mediun'", "did you mean medium"),
    ("  title: The trail signs its log files\n", "", 1, "a check has a title", ""),
    ("title: The trail signs its log files", "title: 3.10", 2, "title is text, not a number", "quote it"),
    ("title: The trail signs its log files", 'title: ""', 2, "title is empty", ""),
    ("requires: [cloudtrail.enabled]", "requires: cloudtrail.enabled", 5, "requires is a list", "write ["),
    (
        "requires: [cloudtrail.enabled]",
        "requires: [cloudtrail.enabeld]",
        5,
        "does not exist",
        "cloudtrail.enabled",
    ),
    ("requires: [cloudtrail.enabled]", "requires: [own.trail]", 5, "requires itself", ""),
    ("requires: [cloudtrail.enabled]", "requires: [yes]", 5, "read as a switch", 'write "yes"'),
    ("resource: cloudtrail.trail", "resource: cloudtrail.trial", 4, "no resource type", "cloudtrail.trail"),
    ("id: own.trail", "id: own", 1, "an id is service.name", ""),
    ("id: own.trail", "id: cloudtrail.enabled", 1, "is one of postureaudit's own", "another id"),
    (
        "HomeRegion == Region\n",
        "HomeRegoin == Region\n",
        7,
        "Trail has no 'HomeRegoin'",
        "did you mean HomeRegion",
    ),
    ("in {Trail.HomeRegion}", "in {Trial.HomeRegion}", 8, "has no 'Trial'", "did you mean Trail"),
    ("in {Trail.HomeRegion}", "in {trail.HomeRegion}", 8, "is no placeholder", "did you mean Trail"),
    (
        "when: Trail.LogFileValidationEnabled",
        "when: Trail.LogFileValidatonEnabled",
        9,
        "has no",
        "LogFileValidationE",
    ),
    (
        "when: Trail.LogFileValidationEnabled",
        "when: Trail.LogFileValidationEnabled == 'true'",
        9,
        "boolean",
        "",
    ),
    ("when: Trail.LogFileValidationEnabled", "when: Trail.Name", 9, "gives a string, not a boolean", ""),
    (
        "when: Trail.LogFileValidationEnabled",
        "when: contians(Trail.Name, 'x')",
        9,
        "no such function",
        "contains",
    ),
    ("when: Trail.LogFileValidationEnabled", "when: contains(Trail.Name)", 9, "takes 2 arguments", ""),
    ("when: Trail.LogFileValidationEnabled", "when: Trail.Name > `3`", 9, "only numbers are ordered", ""),
    ("when: Trail.LogFileValidationEnabled", "when: Trail.Name && `true`", 9, "&& takes true or false", ""),
    (
        "when: Trail.LogFileValidationEnabled",
        "when: Param.hour > `3`",
        9,
        "Param has no 'hour'",
        "did you mean hours",
    ),
    ("when: Trail.LogFileValidationEnabled", "when: Trail.(", 9, "not JMESPath", ""),
    ("when: Trail.LogFileValidationEnabled", "when: Region.x", 9, "Region is a string has no 'x'", ""),
    ("{Trail.Name} does", "{Trail.Nam} does", 10, "Trail has no 'Nam'", "did you mean Name"),
    ("when: Trail.IsMultiRegionTrail", "when: Trail.IsMultiRegionTrial", 13, "has no", "IsMultiRegionTrail"),
    (
        "when: Trail.IsMultiRegionTrail",
        "wen: Trail.IsMultiRegionTrail",
        13,
        "has no field 'wen'",
        "did you mean when",
    ),
    (
        "command: aws cloudtrail update",
        "comand: aws cloudtrail update",
        14,
        "has no field 'comand'",
        "command",
    ),
    (
        "--name {Trail.TrailARN} --enable",
        "--nam {Trail.TrailARN} --enable",
        14,
        "no option --nam",
        "did you mean name",
    ),
    ("--name {Trail.TrailARN} --enable", "--enable", 14, "needs --name", ""),
    ("--name {Trail.TrailARN} --enable", "--name --enable", 14, "--name takes a value", ""),
    ("command: aws cloudtrail", "command: aws cloudtrial", 14, "no service 'cloudtrial'", "cloudtrail"),
    (
        "aws cloudtrail update-trail --name {Trail.TrailARN} --e",
        "aws cloudtrail update-trial --name {Trail.TrailARN} --e",
        14,
        "no command 'update-trial'",
        "update-trail",
    ),
    (
        "--name {Trail.TrailARN} --enable",
        "--name {Trail.TrailARM} --enable",
        14,
        "has no 'TrailARM'",
        "TrailARN",
    ),
    (
        "--name {Trail.TrailARN} --enable",
        "--name {Need.LOG_BUKET} --enable",
        14,
        "no such need",
        "LOG_BUCKET",
    ),
    (
        "--name {Trail.TrailARN} --enable",
        "--name {Doc.config_rul} --enable",
        14,
        "registers this document",
        "config_rule",
    ),
    ("--name {Trail.TrailARN} --enable", "--name x{Trail.Name} --enable", 14, "may not stand inside", ""),
    ("--name {Trail.TrailARN} --enable", "--name 'x --enable", 14, "not a command line", ""),
    ("effect: writes", "effect: [writes]", 15, "effect is text, not a list", ""),
    ("--no-enable-log", "--no-enabel-log", 16, "no option", "no-enable-log-file-validation"),
    ("[cloudtrail:UpdateTrail]", "[UpdateTrail]", 17, "is no IAM action", ""),
    ("after: [cloudtrail.enabled]", "after: [cloudtrail.enable]", 18, "does not exist", "cloudtrail.enabled"),
    ('steps: ["Look at {Trail.Name}."]', "mender: rout", 19, "no service has the mender", ""),
    (
        'steps: ["Look at {Trail.Name}."]',
        "when: Trail.IsMultiRegionTrail\n      steps: [x]",
        19,
        "must fit always",
        "",
    ),
    ("cis-5.0: [", "cis-5: [", 20, "knows no framework 'cis-5'", "cis-5.0"),
    ('cis-5.0: ["3.2"]', "cis-5.0: [3.10]", 20, "is text, not a number", "quote it"),
    (
        "LogFileValidationEnabled: true",
        "LogFileValidationEnabld: true",
        23,
        "names what is not there",
        "LogFileVal",
    ),
    ("LogFileValidationEnabled: true", "LogFileValidationEnabled: 'true'", 23, "as a string", ""),
    (
        "LogFileValidationEnabled: true",
        "LogFileValidationEnabled: false",
        23,
        "pass example 1 gives fail",
        "",
    ),
    ("    fail:\n", "    fial:\n", 24, "knows no verdict 'fial'", "did you mean fail"),
    ("  examples:", "  examples: {}\n  x:", 21, "needs at least one pass example", ""),
    ("- id: own.trail", "- id: &a own.trail", 1, "anchors and aliases", "write the value out"),
    ("  severity: medium", "  severity: medium\n  severity: low", 4, "is there twice", "keep one"),
    ("parameters: {hours: 24}", "parameters: {hours: 024}", 6, "another number", 'write "024"'),
]


@pytest.mark.parametrize(
    ("old", "new", "line", "said", "hint"), MISTAKES, ids=[f"{item[2]}-{item[3]}" for item in MISTAKES]
)
def test_each_mistake_is_named_with_its_line(old: str, new: str, line: int, said: str, hint: str) -> None:
    """The sentence, the line of the very field and the near name."""
    assert old in GOOD
    found = problems(GOOD.replace(old, new, 1))

    fitting = [item for item in found if said in item.text]
    assert fitting, found
    assert fitting[0].line == line and hint in fitting[0].hint, fitting


def test_all_mistakes_are_told_at_once() -> None:
    """Ten mistakes in one check, one of them in a block below: each is told, none hides another."""
    text = GOOD
    picked = [
        item
        for item in MISTAKES
        if item[3]
        in (
            "has no field 'severety'",
            "has no 'Trial'",
            "has no field 'wen'",
            "no option",
            "does not exist",
            "knows no framework 'cis-5'",
            "names what is not there",
        )
    ]
    for old, new, *_ in picked:
        text = text.replace(old, new, 1)
    text += REGION.replace("Detector.Frequency", "Detector.Frequncy")
    found = problems(text)

    for *_, line, said, _hint in picked:
        assert any(said in item.text and item.line == line for item in found), (said, found)
    assert any("Frequncy" in item.text and item.check == "own.region" for item in found)
    assert [item.line for item in found] == sorted(item.line for item in found)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("frequency: FIFTEEN", "frequency: FIFTEN", "Detector.Frequency is never 'FIFTEN_MINUTES'"),
        ("== Param.frequency", "== 'SIX_HOUR'", "Detector.Frequency is never 'SIX_HOUR'"),
        ("== Param.frequency", "== `3`", "is a string and is compared with the number"),
        ("Frequency: ONE_HOUR", "Frequency: ONE_HUOR", "which it never is"),
        (
            "pass_when: Detector.Frequency == Param.frequency",
            "pass_when: Region != 'x'",
            "passes on empty facts",
        ),
        (
            "pass_when: Detector.Frequency == Param.frequency",
            "pass_when: >-\n    [Detector][]"
            + ".[@, @, @, @, @, @, @, @][]" * 6
            + " | [0].Frequency == 'ONE_HOUR'",
            "more than 1000-fold",
        ),
        (
            "pass_when: Detector.Frequency == Param.frequency",
            "pass_when: >-\n    [Detector][]"
            + ".[@, @, @, @, @, @, @, @][]" * 3
            + " | [?Frequency != 'SIX_HOURS']" * 20
            + " | [0].Frequency == 'ONE_HOUR'",
            "too expensive for lists",
        ),
    ],
)
def test_words_of_aws_and_cost(old: str, new: str, said: str) -> None:
    """A word that AWS never says is found wherever it stands; so is what passes on nothing, or costs too much."""
    assert old in REGION
    found = [item.text for item in problems(REGION.replace(old, new, 1))]

    assert any(said in text for text in found), found


def test_a_row_of_a_family_lacks_a_key() -> None:
    """Each row needs every key that the block uses."""
    text = REGION.replace(
        "- id: own.region\n",
        "- each: [{name: a, word: ONE_HOUR}, {name: b, wrod: SIX_HOURS}]\n  id: own.<<name>>\n",
    )
    text = text.replace("{Frequency: ONE_HOUR}", "{Frequency: <<word>>}")
    [found] = problems(text)

    assert ("lacks 'word'" in found.text, found.hint, found.line) == (True, "did you mean wrod?", 12)


FILE = """\
checks: []
severities: {cloudtrail.insights: high}
parameters:
  cloudtrail.bucket-retention: {days: 730}
  guardduty.finding-frequency: {frequency: ONE_HOUR}
  guardduty.suppression-filters: {severity: 8}
disable:
  - securityhub.*
  - cloudtrail.lake-kms
"""


def test_a_file_overrides_severities_and_parameters_and_switches_off() -> None:
    """The catalogue has what the file sets, and says each change."""
    found, said = lint.lint_file(checks_file.read(FILE, name="own.yaml"), SHIPPED)

    assert said == []
    jsonschema.validate(yaml.safe_load(FILE), SCHEMA)
    assert found.check("cloudtrail.insights").severity.value == "high"
    assert found.check("cloudtrail.bucket-retention").parameters == {"days": 730}
    assert not any(name.startswith("securityhub.") for name in found.select())
    assert "cloudtrail.bucket-retention has days = 730, by default 365" in found.changes
    assert "cloudtrail.lake-kms is switched off" in found.changes
    assert len(found.changes) == 5 + sum(check.service == "securityhub" for check in SHIPPED.checks)


@pytest.mark.parametrize(
    ("old", "new", "line", "said", "hint"),
    [
        ("insights: high", "insihgts: high", 2, "no check 'cloudtrail.insihgts'", "cloudtrail.insights"),
        ("insights: high", "insights: hihg", 2, "no severity 'hihg'", "did you mean high"),
        ("{days: 730}", "{day: 730}", 4, "no parameter 'day'", "did you mean days"),
        ("{days: 730}", '{days: "730"}', 4, "days is a whole number, not text", "by default it is 365"),
        ("{days: 730}", "{days: true}", 4, "days is a whole number, not true or false", ""),
        ("{days: 730}", "730", 4, "is a mapping", ""),
        ("frequency: ONE_HOUR", "frequency: ONE_HUOR", 5, "is never 'ONE_HUOR'", "ONE_HOUR"),
        ("securityhub.*", "securityhbu.*", 8, "no checks 'securityhbu.*'", "securityhub"),
        ("lake-kms", "lake-kmz", 9, "no check 'cloudtrail.lake-kmz'", "cloudtrail.lake-kms"),
        ("severities:", "severity:", 2, "no section 'severity'", "did you mean severities"),
        ("checks: []", "checks: {}", 1, "checks is a list", ""),
        ("disable:", '"off":', 7, "no section 'off'", "did you mean disable"),
        ("disable:", "off:", 7, "would be read as a switch", 'write "off"'),
    ],
)
def test_mistakes_in_overrides(old: str, new: str, line: int, said: str, hint: str) -> None:
    """A misspelt id, severity or parameter, and a value of another type, are told with their line."""
    assert old in FILE
    found = [item for item in problems(FILE.replace(old, new, 1)) if said in item.text]

    assert found and found[0].line == line and hint in found[0].hint, problems(FILE.replace(old, new, 1))


def test_lint_as_json_is_for_editors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """File, line, check, sentence and hint of each mistake, on standard output; the exit code is the same."""
    file = tmp_path / "own.yaml"
    file.write_text(GOOD.replace("HomeRegion == Region", "HomeRegoin == Region"))

    code = run(["checks", "lint", str(file), "--output", "json"])
    [row] = json.loads(capsys.readouterr().out)

    assert (code, row["file"], row["line"], row["check"]) == (2, str(file), 7, "own.trail")
    assert (row["text"], row["hint"]) == ("Trail has no 'HomeRegoin'", "did you mean HomeRegion?")


def test_own_checks_are_explained_and_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a report points to can be read: explain and list know the file's checks, and what it switched off."""
    file = tmp_path / "own.yaml"
    indented = GOOD.replace("\n", "\n  ").rstrip(" ")
    file.write_text(f"checks:\n  {indented}disable: [cloudtrail.insights]\n")

    assert run(["explain", "own.trail", "--checks", str(file)]) == 0
    assert run(["checks", "list", "--checks", str(file)]) == 0
    said = capsys.readouterr().out
    assert "Trail.LogFileValidationEnabled" in said and "own.trail " in said
    assert "cloudtrail.insights" not in said
    assert run(["schema", "checks"]) == 0
    assert json.loads(capsys.readouterr().out) == SCHEMA


def test_a_set_stands_for_its_members(capsys: pytest.CaptureFixture[str]) -> None:
    """A parameter's list may name a set of its check; explain shows the members; a misspelt set is no identifier."""
    tuned = SHIPPED.tuned(
        parameters={"config.required-rules": {"identifiers": ["detection-and-response", "X"]}}
    )
    given = tuned.check("config.required-rules").arguments()["identifiers"]
    assert "GUARDDUTY_ENABLED_CENTRALIZED" in given and given[-1] == "X" and len(given) == 11

    with pytest.raises(UsageError, match="there is no set 'detection-and-respnse'") as caught:
        SHIPPED.tuned(parameters={"config.required-rules": {"identifiers": ["detection-and-respnse"]}})
    assert "detection-and-response" in caught.value.hint
    assert run(["explain", "config.required-rules"]) == 0
    assert "detection-and-response: CLOUD_TRAIL_ENABLED" in capsys.readouterr().out


def test_shipped_catalogue_fits_the_published_schema() -> None:
    """What editors complete is what the program reads: same fields, and checks.yaml fits."""
    jsonschema.validate(yaml.safe_load(catalog.path().read_text("utf-8")), SCHEMA)
    defined = SCHEMA["$defs"]
    assert {*defined["check"]["properties"]} == {*Check.__struct_fields__, "each"} - {"origin", "line"}
    assert {*defined["variant"]["properties"]} == {*catalog.Variant.__struct_fields__}


# ------------------------------------------------------- one letter of every name in the shipped catalogue
TOKEN = re.compile(r"'[^']*'|`[^`]*`|[A-Za-z_][A-Za-z0-9_]*")
PLACEHOLDER = re.compile(r"\{([A-Za-z][A-Za-z0-9_., ()\[\]]*)\}")


def misspelt(word: str, at: int) -> str:
    """The word with one letter changed to one that makes no other name."""
    letter = word[at]
    other = ("Q" if letter != "Q" else "W") if letter.isupper() else ("q" if letter != "q" else "w")
    return word[:at] + other + word[at + 1 :]


def of_expression(text: str) -> Iterator[str]:
    """The expression with one letter of one name, function or quoted text changed, each in turn."""
    for match in TOKEN.finditer(text):
        word = match[0]
        if not word.startswith("`") and word != "''":
            at = len(word) // 2 if word[0] != "'" else len(word) - 2
            yield text[: match.start()] + misspelt(word, at) + text[match.end() :]


def of_sentence(text: str) -> Iterator[tuple[str, str]]:
    """The text with the first and the middle letter of each name in each placeholder changed, each in turn."""
    for placeholder in PLACEHOLDER.finditer(text):
        for match in re.finditer(r"[A-Za-z0-9_]+", placeholder[1]):
            start = placeholder.start(1) + match.start()
            for at in {0, len(match[0]) // 2}:
                word = misspelt(match[0], at)
                yield placeholder[0] + word, text[:start] + word + text[start + len(match[0]) :]


def of_command(text: str) -> Iterator[tuple[str, str]]:
    """The command with a letter of its service, of its command and of each option changed, each in turn."""
    for match in re.finditer(r"(?<=^aws )[a-z0-9-]+ [a-z0-9-]+|--[a-z0-9-]+", text):
        for at in {2, len(match[0]) - 1} if " " in match[0] else {len(match[0]) - 1}:
            word = misspelt(match[0], at)
            yield f"{text.split()[1:3]} {word}", text[: match.start()] + word + text[match.end() :]


def of_references(check: Check) -> Iterator[tuple[tuple[Any, ...], str]]:
    """The names of other things that a check refers to, each with one letter changed."""
    yield ("resource",), misspelt(check.resource, len(check.resource) // 3)
    for index, name in enumerate(check.requires):
        yield ("requires", index), misspelt(name, len(name) - 2)
    for number, variant in enumerate(check.fix):
        if variant.mender:
            yield ("fix", number, "mender"), misspelt(variant.mender, 1)
        for index, name in enumerate(variant.after):
            yield ("fix", number, "after", index), misspelt(name, len(name) - 2)


def texts(check: Check) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Every text of a check that has placeholders."""
    for field in ("reason", "otherwise"):
        yield (field,), getattr(check, field)
    for index, variant in enumerate(check.fix):
        for field in ("command", "undo", "account", "region"):
            yield ("fix", index, field), getattr(variant, field)
        for field in ("commands", "steps", "first"):
            for place, text in enumerate(getattr(variant, field)):
                yield ("fix", index, field, place), text


def changed(value: Any, at: tuple[Any, ...], text: str) -> Any:
    """A check with another text at a path."""
    if not at:
        return text
    head, rest = at[0], at[1:]
    if isinstance(value, tuple):
        return (*value[:head], changed(value[head], rest, text), *value[head + 1 :])
    return msgspec.structs.replace(value, **{head: changed(getattr(value, head), rest, text)})


def noticed(check: Check) -> bool:
    """Whether lint finds something in this check, put in the place of the one with its id."""
    for _, text in checks_file.located_expressions(check):
        try:
            expressions.compile(text)
        except expressions.ExpressionError:
            return True
    others = [check if check.id == other.id else other for other in SHIPPED.checks]
    return bool(lint.lint(catalog.Catalog(others, ""), only=[check.id]))


@functools.cache
def mutants() -> list[tuple[str, tuple[Any, ...], str]]:
    """(id, path, text) of every mutant; what is alike on one resource type is changed once."""
    found: dict[tuple[Any, ...], tuple[str, tuple[Any, ...], str]] = {}
    for check in SHIPPED.checks:
        for at, text in checks_file.located_expressions(check):
            for mutant in of_expression(text):
                found.setdefault((check.resource, at[-1], mutant), (check.id, at, mutant))
        for at, text in texts(check):
            commands = of_command(text) if text.startswith("aws ") else ()
            field = next(step for step in reversed(at) if isinstance(step, str))
            for key, mutant in of_sentence(text):
                found.setdefault((check.resource, field, key), (check.id, at, mutant))
            for key, mutant in commands:
                found.setdefault((field, key), (check.id, at, mutant))
        for at, name in of_references(check):
            found.setdefault((check.resource, at[-1], name), (check.id, at, name))
    return list(found.values())


# A fifth of the mutants at a time: one always, the others in CI.
@pytest.mark.parametrize(
    "part", [0, *(pytest.param(part, marks=pytest.mark.exhaustive) for part in range(1, 5))]
)
def test_one_misspelt_letter_anywhere_is_noticed(part: int) -> None:
    """Each name, function, word, placeholder, option and reference of checks.yaml, one letter changed: lint says so."""
    chosen = mutants()[part::5]
    survivors = [
        (name, at, text) for name, at, text in chosen if not noticed(changed(SHIPPED.check(name), at, text))
    ]

    assert len(chosen) > 300
    assert survivors == []


def test_no_name_is_left_out() -> None:
    """Every name that an expression reads is among those that are changed."""
    for check in SHIPPED.checks:
        for _, text in checks_file.located_expressions(check):
            read = {step for path in expressions.paths(expressions.compile(text).tree) for step in path}
            assert read - {"[]", "*"} <= {match[0] for match in TOKEN.finditer(text)}, text


def test_types_of_every_facet_are_known() -> None:
    """No facet is declared with a shape that lint cannot read."""
    for kind in services.types().values():
        for name, found in lint_types.top(kind, {}).source.items():
            assert found.kinds or name == "Param", (kind.name, name)


def paths(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every path into plain data."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*at, key)
        yield from paths(item, (*at, key))


SETS = """\
- id: own.types
  title: The types that we need are recorded
  severity: low
  resource: config.region
  parameters: {types: [core]}
  sets: {core: ["AWS::S3::Bucket", "AWS::IAM::Role"]}
  pass_when: contains_all(Settings.Listed, Param.types)
  reason: "missing: {without(Param.types, Settings.Listed)}"
  why: They change most.
  fix: [{steps: [Record them.]}]
  examples:
    pass: [{Settings: {Listed: ["AWS::S3::Bucket", "AWS::IAM::Role"]}}]
    fail: [{Settings: {Listed: ["AWS::S3::Bucket"]}}]
"""


def test_a_check_of_ones_own_has_sets() -> None:
    """Sets work as in the shipped catalogue, and a misspelt one is told on its line."""
    assert problems(SETS) == []
    jsonschema.validate(yaml.safe_load(SETS), SCHEMA)
    [found, *_] = problems(SETS.replace("types: [core]", "types: [corre]"))
    assert (found.text, found.hint, found.line) == ("there is no set 'corre'", "did you mean core?", 5)


@pytest.mark.parametrize("text", [GOOD, REGION, FILE, SETS], ids=["check", "detector", "overrides", "sets"])
def test_no_value_anywhere_breaks_lint(text: str) -> None:
    """Whatever stands in the place of a value, lint ends with sentences, never with a traceback."""
    whole = yaml.safe_load(text)
    odd: list[Any] = [None, True, 3, "", "x {X.y} <<z>>", [], [None], {}, {"x": {}}]
    for at in list(paths(whole)):
        for value in odd:
            data = copy.deepcopy(whole)
            parent = data
            for step in at[:-1]:
                parent = parent[step]
            parent[at[-1]] = value
            for item in problems(json.dumps(data)):
                assert item.text and item.line == 1, (at, value, item)
