"""The unmodified command line against the fake AWS: what a user sees, and with which exit code."""

from __future__ import annotations

import datetime
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from postureaudit import __file__ as package
from postureaudit import catalog
from postureaudit.aws.allowed import ALLOWED
from postureaudit.render import FORMATS, MACHINE
from tests.conftest import Ran
from tests.fakeaws import FakeAws, Fault
from tests.fakeaws.scenarios import SCENARIOS, empty, mixed
from tests.render.test_formats import PARSERS

Cli = Callable[..., Ran]
Saved = Callable[[str], Path]
SCHEMA = json.loads((Path(package).parent / "schemas" / "result.json").read_text())
AUDIT = ("audit", "--no-config", "-o", "json=-")


@pytest.mark.parametrize(("name", "code"), [("empty", 3), ("mixed", 3)])
def test_scenarios(cli: Cli, name: str, code: int) -> None:
    """An empty account has gaps, a mixed one unknowns as well; the JSON fits its schema."""
    ran = cli(*AUDIT, world=SCENARIOS[name]())

    jsonschema.validate(ran.json, SCHEMA)
    assert ran.code == code == ran.json["summary"]["exit_code"], ran.err
    assert "RESULT" in ran.err and "\x1b" not in ran.out + ran.err


def test_well_configured_account_has_no_gap_and_no_hole(cli: Cli) -> None:
    """Every check of a careful engineer's account passes or does not apply."""
    ran = cli(*AUDIT, world=SCENARIOS["responding"]())

    jsonschema.validate(ran.json, SCHEMA)
    assert ran.code == 0 == ran.json["summary"]["exit_code"], ran.err
    verdicts = {item["check"]: item["verdict"] for item in ran.json["findings"]}
    assert {name for name, verdict in verdicts.items() if verdict not in ("pass", "not_applicable")} == set()
    assert {name for name, verdict in verdicts.items() if verdict == "not_applicable"} == {
        "cloudtrail.lake-kms",
        "cloudtrail.organization-trail",
        "cloudtrail.delegated-admin",
        "config.organization-deployments",
        "config.required-packs",
        "config.required-rules",
        "config.aggregator",
        "config.aggregator-healthy",
        "config.delegated-admin",
        "securityhub.required-standards",
        "securityhub.integration-firewall-manager",
        "securityhub.central-configuration",
        "securityhub.delegated-admin",
        "securityhub.members-enabled",
        "securityhub.v2-delegated-admin",
        "securityhub.v2-policy",
        "inspector.delegated-admin",
        "inspector.auto-enable-members",
        "inspector.members-enabled",
        "macie.delegated-admin",
        "macie.auto-enable-members",
        "macie.auto-enable-discovery",
        "macie.members-enabled",
        "accessanalyzer.organization-analyzer",
        "accessanalyzer.delegated-admin",
        "detective.delegated-admin",
        "detective.auto-enable-members",
        "detective.members-enabled",
        "guardduty.ai-protection",
        "guardduty.centrally-managed",
        "guardduty.delegated-admin",
        "guardduty.auto-enable-members",
        "guardduty.auto-enable-plans",
        "guardduty.members-enabled",
        "organizations.in-use",
        "organizations.all-features",
        "organizations.service-access",
        "organizations.one-administrator",
        "organizations.separate-accounts",
        "securitylake.auto-enable",
        "securitylake.delegated-admin",
        "securityincidentresponse.covers-organization",
        "securityincidentresponse.delegated-admin",
        "firewallmanager.administrator",
        "firewallmanager.policies-active",
        "firewallmanager.policies-remediate",
    }


@pytest.mark.exhaustive
def test_two_runs_are_byte_identical_and_paging_changes_nothing(cli: Cli, saved: Saved) -> None:
    """The same account gives the same findings, also when AWS answers in pages of two."""
    paged = mixed()
    paged.page_size = 2

    one = cli("report", str(saved("mixed")), "--no-config", "-o", "json=-").json["findings"]
    two = cli(*AUDIT, world=paged).json["findings"]

    ages = lambda text: [  # noqa: E731 - the age of a delivery is the one thing that grows between runs
        {**item, "places": [{**p, "facts": {}, "reason": ""} for p in item["places"]]} for item in text
    ]
    assert json.dumps(ages(one)) == json.dumps(ages(two))


def test_collect_and_report_give_what_audit_gives(cli: Cli, tmp_path: Path) -> None:
    """Saved evidence judged later is the live report; the file is private and verifies."""
    file = tmp_path / "evidence.json.gz"
    kept = cli("collect", "--no-config", "-o", str(file), world=mixed(), child=True)
    first = cli("report", str(file), "--verify", "-o", "json=-")
    second = cli("report", str(file), "--verify", "-o", "json=-", child=True)

    assert (kept.code, first.code) == (0, 3)
    assert file.stat().st_mode & 0o777 == 0o600
    assert first.out == second.out


def test_altered_evidence_is_refused(cli: Cli, saved: Saved, tmp_path: Path) -> None:
    """--verify refuses a changed file with one sentence and exit 1."""
    file = tmp_path / "evidence.json"
    file.write_text(saved("mixed").read_text().replace('"IsLogging":false', '"IsLogging":true'))

    ran = cli("report", str(file), "--verify", "-o", "json=-")

    assert ran.code == 1 and "altered" in ran.err and not ran.out


def test_everything_denied_is_never_clean(cli: Cli) -> None:
    """A principal with no rights but the regions: exit 4, and nothing passes or fails."""
    world = SCENARIOS["readable_archive"]()
    world.faults = [
        Fault(operation=operation)
        for operation in sorted({call.partition(":")[2] for call in ALLOWED})
        if operation not in ("DescribeRegions", "ListRegions", "GetCallerIdentity")
    ]

    ran = cli(*AUDIT, world=world)

    assert ran.code == 4
    assert {item["verdict"] for item in ran.json["findings"]} <= {"unknown", "not_applicable"}
    assert not ran.json["summary"]["complete"]


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("audit", "--check", "cloudtrail.enabeld"), 2, "cloudtrail.enabled"),
        (("audit", "--region", "eu-wst-1"), 2, "eu-west-1"),
        (("audit", "--service", "cloudtrial"), 2, "cloudtrail"),
        (("audit", "--framework", "cis-9"), 2, "cis"),
        (("audit", "-o", "yaml=-"), 2, "table"),
        (("audit", "-o", "json=-", "-o", "table=-"), 2, "same place"),
        (("audit", "-o", "json=/nowhere/x.json"), 2, "does not exist"),
        (("audit", "-o", "json=x.json", "-o", "sarif=./x.json"), 2, "same place"),
        (("audit", "-o", "json=/tmp"), 2, "is a folder"),
        (("audit", "-o", "sarif=x", "--anchor", "/etc/passwd:1"), 2, "inside the repository"),
        (("audit", "-o", "sarif=x", "--anchor", "C:\\repo\\policy.yaml:7"), 2, "inside the repository"),
        (("audit", "-o", "sarif=x", "--anchor", "../policy.yaml"), 2, "inside the repository"),
        (("audit", "--expect-account", "999999999999"), 1, "111122223333"),
        (("audit", "--profile", "nobody"), 1, "aws configure list-profiles"),
        (("audit", "--set", "BUCKET=x"), 2, "LOG_BUCKET"),
        (("audit", "--nope"), 2, "--nope"),
        (("report", "/nowhere/evidence.json"), 1, "collect -o"),
        (("explain", "cloudtrail.enabeld"), 2, "cloudtrail.enabled"),
        (("trace", "--demo", "--signal", "guardduty-hihg"), 2, "signal.guardduty-high"),
        (("trace", "--demo", "--region", "eu-wst-1"), 2, "the evidence has no region"),
    ],
)
def test_bad_input_is_one_sentence(cli: Cli, args: tuple[str, ...], code: int, said: str) -> None:
    """Bad input says what is wrong and what next: no traceback, nothing on stdout."""
    ran = cli(*args)

    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err and "Traceback" not in ran.err


def test_no_credentials(cli: Cli) -> None:
    """Without credentials the audit does not run, and says how to get some."""
    ran = cli("audit", env={"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""})

    assert ran.code == 1 and "no AWS credentials" in ran.err


def test_expired_credentials_stop_the_walk(cli: Cli) -> None:
    """The first expiry ends the asking; what is known is reported, the rest is unknown."""
    world = SCENARIOS["responding"]()
    world.faults = [
        Fault(service="cloudtrail", code="ExpiredTokenException", message="The token has expired", after=5)
    ]

    ran = cli(*AUDIT, "--max-workers", "4", world=world)

    kinds = {item["kind"] for item in ran.json["unknown"]}
    assert ran.code == 4 and "expired" in kinds and kinds <= {"expired", "not_collected"}
    assert len(world.calls) < 200, "of some 880"


def test_gate_options(cli: Cli, saved: Saved) -> None:
    """--fail-on, --exit-zero and --allow-unknown change the exit code and nothing else."""

    def gate(name: str, *options: str) -> Ran:
        return cli("report", str(saved(name)), "--no-config", "-o", "json=-", *options)

    assert gate("empty").code == 3
    assert gate("empty", "--fail-on", "none").code == 0
    assert gate("empty", "--exit-zero").code == 0
    assert gate("mixed", "--exit-zero").code == 4
    tolerant = gate("mixed", "--exit-zero", "--allow-unknown", "scp_denied")
    assert tolerant.code == 0 and tolerant.json["summary"]["tolerated"] == ["scp_denied"]


def test_found_config_cannot_weaken_the_gate(cli: Cli, tmp_path: Path) -> None:
    """A file from a pull request may not lower the gate; the same file named on purpose may."""
    file = tmp_path / ".postureaudit.yaml"
    file.write_text("fail-on: none\n")

    found = cli("audit", world=empty(), cwd=tmp_path)
    named = cli("audit", "--config", str(file), world=empty(), cwd=tmp_path)

    assert (found.code, named.code) == (2, 0)
    assert "only found" in found.err


def test_what_a_config_changes_is_in_every_report(cli: Cli, saved: Saved, tmp_path: Path) -> None:
    """A severity, a threshold and a check switched off by a file are told by table and JSON."""
    file = tmp_path / "c.yaml"
    file.write_text(
        "severities: {cloudtrail.insights: high}\ndisable: [cloudtrail.lake-kms]\n"
        "check-parameters: {cloudtrail.bucket-retention: {days: 30}}\n"
    )

    ran = cli(
        "report", str(saved("empty")), "--config", str(file), "-o", "json=-", "-o", f"table={tmp_path / 't'}"
    )
    table = (tmp_path / "t").read_text()

    assert "cloudtrail.lake-kms" not in {item["check"] for item in ran.json["findings"]}
    assert len(ran.json["run"]["changes"]) == 3
    assert all(change in table for change in ran.json["run"]["changes"])


def test_waived_gap_stays_and_does_not_gate(cli: Cli, saved: Saved, tmp_path: Path) -> None:
    """A waiver keeps the verdict fail, counts under waived, and no longer gates."""
    file = tmp_path / "waivers.yaml"
    until = datetime.date.today() + datetime.timedelta(90)
    file.write_text(
        "version: 1\nwaivers:\n"
        + "".join(
            f"  - {{id: W-{number}, check: {name}.*, owner: a@example.com, reason: new account,"
            f" expires: {until}}}\n"
            for number, name in enumerate(catalog.builtin().services())
        )
    )

    ran = cli("report", str(saved("empty")), "--no-config", "-o", "json=-", "--waivers", str(file))

    assert ran.code == 0
    assert ran.json["summary"]["fail"] == 0 and ran.json["summary"]["waived"] > 0
    assert all(item["verdict"] == "fail" for item in ran.json["findings"] if item["waived"])


@pytest.mark.parametrize("width", [60, 80, 140])
def test_terminal_report_fits_its_width(cli: Cli, saved: Saved, width: int) -> None:
    """No line but a command's own long word is wider than the terminal."""
    ran = cli("report", str(saved("mixed")), "--no-config", env={"COLUMNS": str(width)})

    wide = [
        line
        for line in ran.out.splitlines()
        if len(line) > width and not any(text in line for text in ("arn:", "{", "more  postureaudit"))
    ]
    assert wide == []
    assert "TOP GAPS" in ran.out and "NOT EVALUATED" in ran.out and "\nRESULT  GAPS" in ran.out


@pytest.mark.exhaustive
def test_ascii_report_is_ascii(cli: Cli) -> None:
    """--ascii, and a stdout that cannot take glyphs, give plain characters."""
    one = cli("trace", "--demo", "--ascii")
    two = cli("audit", "--no-config", world=mixed(), env={"PYTHONIOENCODING": "ascii"}, child=True)

    assert one.out.isascii() and two.out.isascii() and two.code == 3


@pytest.mark.exhaustive
def test_hanging_region_harms_no_other(collect: Callable[..., Any]) -> None:
    """A region that does not answer is unknown; the others are judged."""
    from tests.conftest import judge

    world = SCENARIOS["readable_archive"]()
    world.faults = [Fault(region="eu-west-3", action="hang", seconds=60)]
    started = time.monotonic()

    found = judge(collect(world, read_timeout=2.0), "cloudtrail.enabled")["cloudtrail.enabled"]

    by_region = {place.region: place.verdict.value for place in found.places}
    assert set(by_region.values()) <= {"pass", "unknown"} and by_region["us-east-1"] == "pass"
    assert time.monotonic() - started < 10, "a dead region costs one time-out"
    assert sum(call[1] == "eu-west-3" for call in world.calls) < 20


def test_interrupt_prints_what_is_known() -> None:
    """The first Ctrl-C stops asking, reports the rest as unknown, and exits 130."""
    world = SCENARIOS["readable_archive"]()
    world.faults = [Fault(service="cloudtrail", action="hang", seconds=1.5)]
    with FakeAws(world) as aws:
        child = subprocess.Popen(
            [sys.executable, "-m", "postureaudit", *AUDIT],
            env=aws.env(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        deadline = time.monotonic() + 20
        while not any(call[2] == "cloudtrail" for call in world.calls) and time.monotonic() < deadline:
            time.sleep(0.05)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)

    assert child.returncode == 130, err
    assert json.loads(out)["summary"]["exit_code"] == 130


def test_closed_pipe_is_141(cli: Cli) -> None:
    """`postureaudit checks list | head` ends quietly."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "postureaudit", "checks", "list"],
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write)

    assert done.returncode == 141 and b"Traceback" not in done.stderr


def test_demo_needs_nothing(cli: Cli) -> None:
    """The demo shows gaps, unknowns and waivers without AWS, and exits 0."""
    ran = cli("demo", env={"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ACCESS_KEY_ID": ""})

    assert ran.code == 0
    assert all(
        text in ran.out
        for text in ("TOP GAPS", "NOT EVALUATED", "WAIVED  W-0001", "WAIVED  W-0002", "RESULT")
    )


def test_demo_without_waivers(cli: Cli) -> None:
    """The demo's own waivers are put aside like any other."""
    plain, bare = (
        cli("demo", "-q", "-s", "cloudtrail", *more, "-o", "json=-") for more in ((), ("--no-waivers",))
    )

    assert plain.json["summary"]["waived"] > bare.json["summary"]["waived"] == 0


def test_trace_shows_where_a_signal_dies(cli: Cli) -> None:
    """The demo's pattern ends at 8.9: the tree names the rule, the reason and the command that widens it."""
    ran = cli(
        "trace", "--demo", "--signal", "guardduty-critical", "--region", "us-east-1", env={"COLUMNS": "120"}
    )

    assert ran.code == 0
    assert "guardduty-critical" in ran.out and "the rule is disabled" in ran.out
    assert "aws events enable-rule --name securityhub-findings" in ran.out
    assert "SIGNALS  0 of 1 reach someone everywhere" in ran.out


@pytest.mark.exhaustive
def test_trace_of_saved_evidence_is_the_audit_of_signals(cli: Cli, tmp_path: Path) -> None:
    """Live, from a file and as JSON: the same routes, in the published schema, with the same exit code."""
    file = str(tmp_path / "evidence.json")
    assert (
        cli("collect", "--no-config", "-c", "signal.*", "-o", file, world=SCENARIOS["responding"]()).code == 0
    )

    live = cli("trace", "--no-config", "-o", "json=-", world=SCENARIOS["responding"]())
    saved = cli("trace", "--no-config", "--from", file, "-o", "json=-")
    drawn = cli("trace", "--no-config", "--from", file, "--region", "us-*")

    jsonschema.validate(live.json, SCHEMA)
    assert (live.code, saved.code, drawn.code) == (0, 0, 0)
    assert live.json["signals"] == saved.json["signals"]
    assert {item["outcome"] for item in live.json["signals"]} == {"reaches"}
    assert "42 of 42 reach someone everywhere" in drawn.out


def test_second_opinion_of_aws(cli: Cli) -> None:
    """--verify-with-aws asks AWS to match the events; where it disagrees, the report says so."""
    world = SCENARIOS["responding"]()
    world.test_event_pattern = lambda pattern, text: "aws.config" not in pattern
    asked = ("trace", "--no-config", "--verify-with-aws", "--signal", "config-noncompliant")

    ran = cli(*asked, "--signal", "guardduty-high", world=world, env={"COLUMNS": "200"})

    [line] = [line for line in ran.out.splitlines() if line.startswith("WARNING")]
    assert ran.code == 0 and "config-compliance" in line
    assert any(call[3] == "TestEventPattern" for call in world.calls)


@pytest.mark.parametrize("args", [("--version",), ("--help",)])
def test_help_and_version_load_little(args: tuple[str, ...]) -> None:
    """--version and --help import neither boto3 nor rich nor yaml."""
    code = (
        "import sys\nfrom postureaudit.__main__ import main\n"
        f"sys.argv = ['postureaudit', *{list(args)!r}]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print([n for n in ('boto3', 'botocore', 'rich', 'yaml') if n in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stderr.strip().splitlines()[-1] == "[]"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_during_the_listing_of_regions(number: signal.Signals, code: int) -> None:
    """It ends as a signal does, not as an account whose regions cannot be learned."""
    world = empty()
    world.faults = [
        Fault(operation=name, code="ThrottlingException", status=400, delay=1)
        for name in ("DescribeRegions", "ListRegions")
    ]
    with FakeAws(world) as aws:
        command = [sys.executable, "-m", "postureaudit", *AUDIT]
        child = subprocess.Popen(
            command, env=aws.env(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        deadline = time.monotonic() + 60
        while not any("DescribeRegions" in call for call in world.calls) and time.monotonic() < deadline:
            time.sleep(0.05)
        child.send_signal(number)
        _, err = child.communicate(timeout=60)
    assert (child.returncode, "regions:" in err) == (code, False), err


def test_a_collector_that_broke_is_named(cli: Cli, saved: Saved, tmp_path: Path) -> None:
    """What the walk could not ask because of a bug is said on stderr, also when saved evidence is judged."""
    path, broken = tmp_path / "evidence.json", "collect in us-east-1: KeyError: 'Nope'"
    document = json.loads(saved("empty").read_text())
    document["header"]["interrupted"] = broken
    path.write_text(json.dumps(document))

    ran = cli("report", str(path), "--no-config", "-o", "json=-")

    assert f"warning: the evidence is not whole: {broken}" in ran.err
    assert broken not in cli("report", str(path), "--no-config", "-o", "json=-", "-q").err


def test_aws_region_chooses_the_partition(cli: Cli) -> None:
    """AWS_REGION comes before AWS_DEFAULT_REGION, as in every SDK but botocore."""
    world = empty()

    cli("audit", "--no-config", "-q", world=world, env={"AWS_REGION": "cn-north-1", "AWS_DEFAULT_REGION": ""})

    assert {call[1] for call in world.calls if call[2] == "sts"} == {"cn-northwest-1"}


@pytest.mark.parametrize("option", ["--waivers", "--baseline", "--previous", "--redact-key-file"])
def test_a_bad_file_costs_no_walk(cli: Cli, tmp_path: Path, option: str) -> None:
    """What only the report needs is read before AWS is asked."""
    file, world = tmp_path / "f", empty()
    file.write_text("nonsense")

    ran = cli("audit", "--no-config", "--redact", "accounts", option, str(file), world=world)

    assert (ran.code, ran.out, list(world.calls)) == (2, "", [])


def test_a_file_format_on_stdout_is_utf_8(cli: Cli) -> None:
    """It says so itself, whatever the terminal's encoding."""
    ran = cli("demo", "-q", "-o", "html=-", env={"PYTHONIOENCODING": "ascii"}, child=True)

    assert ran.code == 0 and '<meta charset="utf-8">' in ran.out and "✗" in ran.out


def test_baseline_diff_and_first_seen(cli: Cli, saved: Saved, tmp_path: Path) -> None:
    """Today's gaps become a baseline that lets the same account pass; a result says what changed since."""
    before, base, after = (str(tmp_path / name) for name in ("before.json", "base.json", "after.json"))
    mixed_file, empty_file = str(saved("mixed")), str(saved("empty"))
    cli("report", mixed_file, "--no-config", "-s", "config", "-o", f"json={before}")
    wrote = cli("baseline", "write", before, "-o", base)

    again = (
        "report",
        mixed_file,
        "--no-config",
        "-s",
        "config",
        "--allow-unknown",
        "config",
        "--baseline",
        base,
    )
    same = cli(*again, "--previous", before, "-o", f"json={after}", "-o", "table=-")
    other = cli("report", empty_file, "--no-config", "-s", "config", "--baseline", base, "-o", "json=-")

    assert (wrote.code, same.code, other.code) == (0, 0, 3)
    assert "BASELINE  0 new, " in same.out
    jsonschema.validate(json.loads(Path(after).read_text()), SCHEMA)
    jsonschema.validate(other.json, SCHEMA)
    ended = json.loads(Path(before).read_text())["run"]["ended"]
    kept = json.loads(Path(after).read_text())["findings"]
    assert {item["first_seen"] for item in kept if item["verdict"] == "fail"} == {ended}
    assert cli("diff", before, after).code == 0
    Path(after).write_text(json.dumps(other.json))
    changed = cli("diff", before, after)
    assert changed.code == 3 and "new" in changed.out and changed.out.splitlines()[-1].startswith("DIFF  ")
    assert cli("baseline", "prune", base, before).code == 0


def test_many_reports_of_one_run(cli: Cli, saved: Saved, tmp_path: Path) -> None:
    """Each goes where it was sent; the step summary is added to; what stdout shows parses whatever stderr says."""
    summary, sarif = tmp_path / "summary.md", tmp_path / "r.sarif"
    summary.write_text("before\n")
    env = {"GITHUB_STEP_SUMMARY": str(summary), "FORCE_COLOR": "1"}
    wanted = ("-o", "json=-", "-o", f"sarif={sarif}", "-o", f"github={tmp_path / 'g'}")

    ran = cli("report", str(saved("empty")), "--no-config", *wanted, "--anchor", "a/b.yaml:3", env=env)

    [result, *_] = json.loads(sarif.read_text())["runs"][0]["results"]
    where = result["locations"][0]["physicalLocation"]
    assert ran.json["summary"]["exit_code"] == 3 and "\x1b" not in ran.out
    assert (where["artifactLocation"]["uri"], where["region"]["startLine"]) == ("a/b.yaml", 3)
    assert summary.read_text().startswith("before\n# AWS detection and response")
    assert "file=a/b.yaml,line=3" in (tmp_path / "g").read_text()


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"trace"}))
def test_every_format_on_stdout(cli: Cli, saved: Saved, tmp_path: Path, name: str) -> None:
    """What programs read parses and has no escape code, while warnings are told and colour is asked for."""
    waivers = tmp_path / "w.yaml"
    until = datetime.date.today() - datetime.timedelta(3)
    waivers.write_text(
        f"version: 1\nwaivers:\n  - {{id: W, check: config.retention, owner: a, reason: b, expires: {until}}}\n"
    )
    options = ("--no-config", "-s", "config", "--waivers", str(waivers), "-o", f"{name}=-")

    asked = cli("report", str(saved("mixed")), *options, env={"FORCE_COLOR": "1", "NO_COLOR": ""})
    plain = cli("report", str(saved("mixed")), *options, env={"FORCE_COLOR": "1", "NO_COLOR": "1"})

    assert asked.code == plain.code == 3 and "\x1b" not in plain.out + plain.err
    if name in MACHINE:
        assert "warning: waiver W" in asked.err and "RESULT" in asked.err
        assert PARSERS[name](asked.out) and asked.out == plain.out
    assert ("\x1b" in asked.out) is (name == "table")


@pytest.mark.parametrize("name", ["json", "sarif", "html"])
def test_a_killed_run_leaves_no_report_that_looks_whole(saved: Saved, tmp_path: Path, name: str) -> None:
    """kill -9 while a report is written: the file is not there, or still the one from before."""
    file = tmp_path / f"report.{name}"
    file.write_text("before")
    code = (
        "import os, signal, sys\nfrom postureaudit.cli.main import run\n"
        "os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"run(['report', {str(saved('empty'))!r}, '--no-config', '-s', 'config', '-o', {f'{name}={file}'!r}])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)

    assert done.returncode == -signal.SIGKILL
    assert file.read_text() == "before"
