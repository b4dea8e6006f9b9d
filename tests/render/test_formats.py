"""Every format parses, shows a stranger's text visibly and inertly, and is what its reader's validator wants."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import msgspec
import pytest
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st

from postureaudit.findings import Verdict
from postureaudit.render import FORMATS, MACHINE, Style, renderer
from postureaudit.render.neutral import neutral
from postureaudit.report import Report
from tests.render.zoo import ZOO, a_report

DATA = Path(__file__).parents[1] / "data"
JUNIT = [xmlschema.XMLSchema(str(DATA / name)) for name in ("junit-10.xsd", "junit-10-older.xsd")]
# No file may carry these raw: C0 but tab, line feed and carriage return; C1; bidi and other format characters.
ACTIVE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def shown(name: str, report: Report, **style: Any) -> str:
    """The report in this format."""
    return renderer(name)(report, Style(**style))


def _json_lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


PARSERS: dict[str, Callable[[str], Any]] = {
    "json": json.loads,
    "jsonl": _json_lines,
    "sarif": json.loads,
    "gitlab": json.loads,
    "asff": json.loads,
    "tickets": json.loads,
    "ocsf": _json_lines,
    "junit": ElementTree.fromstring,
    "csv": lambda text: list(csv.DictReader(io.StringIO(text, newline=""))),
}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("animal", ZOO)
def test_no_format_obeys_a_name(name: str, animal: str) -> None:
    """Each file parses, holds no active character, and no line of it is a command to a CI runner."""
    text = shown(name, a_report(ZOO[animal]), top=0, details=True)

    assert not ACTIVE.search(text)
    if name in PARSERS:
        assert PARSERS[name](text)
    own = {"::error", "::warning", "::notice"} if name == "github" else set()
    commands = [line for line in text.splitlines() if line.startswith(("::", "##["))]
    assert all(any(line.startswith(f"{word} file=") for word in own) for line in commands)


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"trace", "github", "gitlab"}))
def test_a_name_stays_visible(name: str) -> None:
    """What is made inert is not hidden: a reader sees what the name holds."""
    text = shown(name, a_report("a\x1b[2Jb"), top=0, details=True)

    # JSON keeps the raw truth behind an escape; formats for people show the same six characters.
    assert "\\u001b" in text.replace("\\\\u", "\\u")


@settings(max_examples=25)
@given(st.text(min_size=1, max_size=20))
def test_any_text_in_any_format(name: str) -> None:
    """Whatever Unicode a name holds, every format parses and stays inert."""
    report = a_report(name)
    for kind in FORMATS:
        text = shown(kind, report)
        text.encode()
        assert not ACTIVE.search(text)
        if kind in PARSERS:
            assert PARSERS[kind](text)


@pytest.mark.parametrize("name", FORMATS)
def test_same_report_gives_same_bytes(name: str) -> None:
    """No clock, no set order, no counter of its own."""
    assert shown(name, a_report()) == shown(name, a_report())


def test_machine_formats_are_those_that_parse() -> None:
    """What programs read leaves standard output to it alone."""
    assert set(PARSERS) == MACHINE


def test_jsonl_starts_with_the_run_and_ends_with_the_summary() -> None:
    """A file without its last line is a run that was cut off; each place is one line."""
    report = a_report()
    first, *middle, last = PARSERS["jsonl"](shown("jsonl", report))

    assert (first["type"], last["type"]) == ("run", "summary") and last["complete"] is False
    results = [line for line in middle if line["type"] == "result"]
    assert len(results) == sum(len(finding.places) for finding in report.findings)
    assert len({line["fingerprint"] for line in results}) == len(results)


def test_csv_has_a_row_a_place_and_no_formula() -> None:
    """A spreadsheet opens every cell as text."""
    report = a_report()
    rows = PARSERS["csv"](shown("csv", report))

    assert len(rows) == sum(len(finding.places) for finding in report.findings)
    assert not [
        cell for row in rows for cell in row.values() if cell.lstrip().startswith(("=", "+", "-", "@"))
    ]
    assert {row["verdict"] for row in rows} == {"fail", "unknown", "pass", "not_applicable"}


def test_junit_is_what_jenkins_takes() -> None:
    """A gap is a failure, what was not evaluated an error, what is waived or does not apply is skipped."""
    text = shown("junit", a_report())
    for schema in JUNIT:
        schema.validate(text)
    root = ElementTree.fromstring(text)

    for state, per_name in (("failure", 1), ("error", 1), ("skipped", 2)):
        assert len(root.findall(f".//testcase/{state}")) == per_name * len(ZOO) * 2
    assert root.attrib["failures"] == str(len(ZOO) * 2)


def test_junit_of_the_whole_demo(demo_report: Report) -> None:
    """The demo's report is valid too, and its counts add up."""
    text = shown("junit", demo_report)
    for schema in JUNIT:
        schema.validate(text)
    suites = ElementTree.fromstring(text).findall("testsuite")
    assert sum(int(suite.attrib["tests"]) for suite in suites) == sum(
        len(finding.places) for finding in demo_report.findings
    )


def test_sarif_is_one_result_a_finding(demo_report: Report) -> None:
    """Seventeen regions with the same gap are one result; its fingerprint is the ticket's, whatever the order."""
    document = PARSERS["sarif"](shown("sarif", demo_report, anchor="infra/policy file.yaml", anchor_line=7))
    [run] = document["runs"]
    failing = [item for item in demo_report.findings if item.verdict is Verdict.FAIL]

    assert len(run["results"]) == len(failing)
    hashes = [item["partialFingerprints"]["primaryLocationLineHash"] for item in run["results"]]
    assert sorted(hashes) == sorted(item.fingerprint.replace(":", "-") + ":1" for item in failing)
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        [location] = result["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"] == "infra/policy%20file.yaml"
        assert location["physicalLocation"]["region"] == {"startLine": 7}
    waived = [item for item in run["results"] if item.get("suppressions")]
    assert len(waived) == sum(item.waived for item in failing)
    told = run["invocations"][0]["toolExecutionNotifications"]
    assert len(told) == len(demo_report.unseen()) > 0


def test_sarif_fits_what_github_takes(demo_report: Report) -> None:
    """Tags, scores and texts are within what code scanning documents."""
    [run] = PARSERS["sarif"](shown("sarif", demo_report))["runs"]

    for rule in run["tool"]["driver"]["rules"]:
        assert len(rule["properties"]["tags"]) <= 20
        assert 0.1 <= float(rule["properties"]["security-severity"]) <= 10
        assert len(rule["shortDescription"]["text"]) <= 1024 and rule["help"]["text"].endswith(".")


def test_ocsf_is_a_compliance_finding(demo_report: Report) -> None:
    """Class 2003 with the cloud profile by OCSF's own schema; times are milliseconds."""
    from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema("1.4.0")).get_class_schema(
        "compliance_finding", ["cloud"]
    )
    check = jsonschema.Draft202012Validator(schema)
    events = PARSERS["ocsf"](shown("ocsf", a_report())) + PARSERS["ocsf"](shown("ocsf", demo_report))[::20]

    for event in events:
        assert [error.message for error in check.iter_errors(event)] == []
        assert event["time"] > 10**12 and event["type_uid"] == 200301
    assert list(check.iter_errors({**events[0], "nonsense": 1}))
    assert {event["compliance"]["status"] for event in events} == {"Pass", "Fail", "Unknown"}


def test_asff_is_what_the_model_takes(demo_report: Report) -> None:
    """By botocore's model of BatchImportFindings, its enums, and the lengths that Security Hub documents."""
    import botocore.session
    from botocore.validate import ParamValidator

    model = botocore.session.get_session().get_service_model("securityhub")
    shape = model.operation_model("BatchImportFindings").input_shape
    found = PARSERS["asff"](shown("asff", a_report())) + PARSERS["asff"](shown("asff", demo_report))[::20]

    report = ParamValidator().validate({"Findings": found[:100]}, shape)
    assert not report.has_errors(), report.generate_report()
    for item in found:
        assert len(item["Title"]) <= 256 and 0 < len(item["Description"]) <= 1024
        assert all(len(resource["Id"]) <= 512 for resource in item["Resources"])
        assert len(json.dumps(item)) < 240_000
        for path, value in (
            (("Compliance", "Status"), item["Compliance"]["Status"]),
            (("Workflow", "Status"), item["Workflow"]["Status"]),
            (
                ("FindingProviderFields", "Severity", "Label"),
                item["FindingProviderFields"]["Severity"]["Label"],
            ),
        ):
            inner = shape.members["Findings"].member
            for name in path:
                inner = inner.members[name]
            assert value in inner.enum
    assert {item["Compliance"]["Status"] for item in found} == {"PASSED", "FAILED", "NOT_AVAILABLE"}


def test_tickets_carry_all_that_a_tracker_wants(demo_report: Report) -> None:
    """One a finding with an open gap: key, title, body with places, why, fix and undo, and when it was first seen."""
    seen = {demo_report.gaps()[0].fingerprint: "2026-01-01T00:00:00Z"}
    import msgspec

    tickets = PARSERS["tickets"](shown("tickets", msgspec.structs.replace(demo_report, first_seen=seen)))[
        "tickets"
    ]

    assert [item["key"] for item in tickets] == [gap.fingerprint for gap in demo_report.gaps()]
    assert (
        tickets[0]["first_seen"]
        == "2026-01-01T00:00:00Z"
        < tickets[0]["last_seen"]
        == tickets[1]["first_seen"]
    )
    for ticket, gap in zip(tickets, demo_report.gaps(), strict=True):
        assert len(ticket["title"]) <= 200 and ticket["severity"] == gap.severity.value
        wanted = ("**Where**", "**Fix**", *(["- Undo"] if gap.fix and gap.fix.undo else []))
        assert [text for text in wanted if text not in ticket["body"]] == []


def test_gitlab_fingerprints_are_unique(demo_report: Report) -> None:
    """GitLab drops an entry whose fingerprint is there already."""
    found = PARSERS["gitlab"](shown("gitlab", demo_report, anchor="a.yaml"))

    assert len({item["fingerprint"] for item in found}) == len(found) == len(demo_report.gaps())
    assert {item["severity"] for item in found} <= {"info", "minor", "major", "critical", "blocker"}
    assert {item["location"]["path"] for item in found} == {"a.yaml"}


def test_github_shows_ten_annotations_at_most(demo_report: Report) -> None:
    """The runner drops the eleventh without a word; ours says how many there are."""
    lines = shown("github", demo_report).splitlines()
    annotations = [line for line in lines if line.startswith("::")]

    assert len(annotations) == 10 and "more gaps" in annotations[-1]
    assert all(line.count("::") >= 2 and "\n" not in line for line in annotations)


def test_github_tells_that_not_all_was_read(demo_report: Report) -> None:
    """A blind run without a gap is no silent one."""
    blind = tuple(item for item in demo_report.findings if item.verdict is Verdict.UNKNOWN)
    text = shown("github", msgspec.structs.replace(demo_report, findings=blind))

    assert text.startswith("::warning file=") and "::this audit is incomplete: " in text
    assert "incomplete" in shown("github", demo_report)


def test_step_summary_ends_outside_the_commands() -> None:
    """A block of commands that is cut is closed before the note."""
    from postureaudit.render.github import step_summary

    cut = step_summary("````sh\n```\n" + "aws x\n" * 400_000)

    assert cut.splitlines()[-4:-1] == ["aws x", "````", ""]


def test_jsonl_has_all_parts_of_the_result(demo_report: Report) -> None:
    """What the JSON result lists, JSON lines tell as well."""
    kinds = {line["type"] for line in PARSERS["jsonl"](shown("jsonl", demo_report))}

    assert kinds == {"run", "result", "signal", "blind_spots", "investigation", "unknown", "summary"}


def test_step_summary_is_cut_at_a_line() -> None:
    """GitHub refuses a summary above 1 MiB: it ends at a whole line and says so."""
    from postureaudit.render.github import SUMMARY_BYTES, step_summary

    cut = step_summary("| é |\n" * 400_000)

    assert len(cut.encode()) < SUMMARY_BYTES + 200 and cut.splitlines()[-1].startswith("The rest is left out")
    assert set(cut.splitlines()[:-2]) == {"| é |"}
    assert step_summary("short\n") == "short\n"


@pytest.mark.parametrize("animal", ZOO)
def test_markdown_renders_a_name_as_text(animal: str) -> None:
    """By CommonMark: no link, image, HTML or emphasis that a name brought along."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    tokens = parser.parse(shown("markdown", a_report(ZOO[animal]), top=0))
    inner = [child for token in tokens for child in token.children or []]

    assert not {token.type for token in (*tokens, *inner)} & {
        "html_block",
        "html_inline",
        "link_open",
        "image",
    }
    rows = [token for token in tokens if token.type == "tr_open"]
    cells = [token for token in tokens if token.type in ("td_open", "th_open")]
    assert rows and cells
    assert neutral(ZOO[animal].replace("\n", " ")).strip()[:3] in "".join(token.content for token in inner)


@pytest.mark.parametrize("name", ["asff", "ocsf", "junit", "csv"])
def test_two_commands_are_two_lines(name: str) -> None:
    """What is pasted from a report is what the fix says: no command runs on into the next, no quoted text changes."""
    commands = ("aws events put-rule --name 'two  blanks'", "aws events put-targets --rule x")
    report = a_report("main")
    places = tuple(
        msgspec.structs.replace(
            place, fix=place.fix and msgspec.structs.replace(place.fix, shell="\n".join(commands), steps=())
        )
        for place in report.findings[0].places
    )
    finding = msgspec.structs.replace(report.findings[0], places=places)
    found = PARSERS[name](shown(name, msgspec.structs.replace(report, findings=(finding,))))

    fix = {
        "asff": lambda: found[0]["Remediation"]["Recommendation"]["Text"],
        "ocsf": lambda: found[0]["remediation"]["desc"],
        "junit": lambda: found.find(".//failure").text.partition("\n")[2].partition("\n")[2],
        "csv": lambda: found[0]["fix"],
    }[name]()
    assert fix == "\n".join(commands)


def _organized(report: Report) -> Report:
    """The report of an account whose role is known, against a baseline that knows no gap of it."""
    from postureaudit.baseline import Compared
    from postureaudit.services.organizations import Found, Roles

    none = Found(Account="", How="")
    roles = Roles(Management=none, Audit=none, LogArchive=none, Own=["member of o-exampleorg1"], Delegated=[])
    account = report.evidence.header.accounts[0].id
    old = report.gaps()[:-1]
    known = tuple(
        msgspec.structs.replace(
            item, places=tuple(msgspec.structs.replace(place, known=item in old) for place in item.places)
        )
        for item in report.findings
    )
    compared = Compared(findings=known, new=1, old=7, resolved=("pa1:x",), not_rechecked=())
    return msgspec.structs.replace(report, findings=known, roles={account: roles}, baseline=compared)


@pytest.mark.parametrize("name", ["table", "markdown", "html"])
def test_people_are_told_all_that_a_run_found(name: str, demo_report: Report) -> None:
    """The account's role, what the baseline says, what GuardDuty cannot raise, and what nobody could look up."""
    report = _organized(demo_report)
    text = re.sub(r"\s+", " ", shown(name, report, top=0).replace("\\", ""))

    for wanted in (
        "member of o-exampleorg1",
        "1 new",
        "finding types can never be raised in",
        "90 days back",
    ):
        assert wanted in text


@pytest.mark.parametrize("name", ["table", "markdown", "github", "html"])
def test_what_is_new_comes_first(name: str, demo_report: Report) -> None:
    """Against a baseline, the gap that closes the gate is not lost behind older ones."""
    report = _organized(demo_report)
    [new] = [gap for gap in report.gaps() if report.fresh(gap)]
    text = shown(name, report)

    text = text[text.find('<h2 id="gaps-title"') :] if name == "html" else text
    others = [text.find(gap.check) for gap in report.gaps() if gap is not new and gap.service != "signal"]
    assert 0 < text.find(new.check) < min(at for at in others if at >= 0)


def test_markdown_calls_nobody() -> None:
    """GitHub and GitLab look for mentions and issues behind Markdown's escapes, and make links of bare addresses."""
    from postureaudit.render.markdown import code, text

    assert "@everyone" not in text("@everyone").replace("\\", "")
    assert "#12" not in text("see #12, org/repo#12").replace("\\", "")
    assert "www.evil" not in text("www.evil.example") and "alice\\@example" in text("alice@example.com")
    assert (code("a|b"), code("a|b", cell=True)) == ("`a|b`", "`a\\|b`")


def test_sarif_help_is_of_its_own_account(demo_report: Report) -> None:
    """Beside a result no other account's places and commands stand, and none where nothing is known."""
    [first] = [item for item in a_report("main").findings if item.check == "cloudtrail.enabled"]
    other = msgspec.structs.replace(first, account="999988887777", fingerprint="pa1:" + "0" * 32)
    blind = next(item for item in demo_report.findings if item.verdict is Verdict.UNKNOWN)

    def helps(*findings: Any) -> str:
        [run] = PARSERS["sarif"](shown("sarif", msgspec.structs.replace(demo_report, findings=findings)))[
            "runs"
        ]
        [rule] = run["tool"]["driver"]["rules"]
        return str(rule["help"]["markdown"])

    assert "**Where**" in helps(first) and "start-logging" in helps(first)
    assert not [word for word in ("**Where**", "start-logging") if word in helps(first, other)]
    assert "**Where**" not in helps(blind)


def test_markdown_says_which_account_refused(demo_report: Report) -> None:
    """With several accounts in a report a region alone tells nothing."""
    from postureaudit.evidence import Account, Evidence

    header = demo_report.evidence.header
    more = msgspec.structs.replace(header, accounts=(*header.accounts, Account(id="999988887777", name="b")))
    both = msgspec.structs.replace(demo_report, evidence=Evidence(more, list(demo_report.evidence)))

    assert "| account | region | call |" in shown("markdown", both)
    assert f"| {header.accounts[0].id} | sa" in shown("markdown", both)
    assert "| account | region |" not in shown("markdown", demo_report)


def test_sarif_says_what_is_new(demo_report: Report) -> None:
    """A viewer that hides old results hides those the baseline knows; without a baseline nothing is said."""
    report = _organized(demo_report)
    [run] = PARSERS["sarif"](shown("sarif", report))["runs"]
    states = {item["ruleId"]: item.get("baselineState") for item in run["results"]}

    assert [name for name, state in states.items() if state == "new"] == [report.gaps()[-1].check]
    assert list(states.values()).count("unchanged") == len(report.gaps()) - 1
    assert "baselineState" not in shown("sarif", demo_report)
