"""The written script: readable, whole, never executable, and it runs nothing that it should not."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import hcl2
import pytest

from postureaudit import plan
from postureaudit.cli import folder
from postureaudit.errors import UsageError
from postureaudit.evidence import Account, Evidence, Header, Regions
from postureaudit.findings import Finding
from postureaudit.render import script
from tests import scripts
from tests.conftest import Ran
from tests.fakeaws import FakeAws, World
from tests.reports import a_report
from tests.test_plan import ONE, ORDER, TWO, a_gap

EVIDENCE = Evidence(
    Header(
        tool_version="0",
        started="2026-11-24T00:00:00Z",
        ended="2026-11-24T00:00:01Z\nrm -rf /",
        partition="aws",
        caller=f"arn:aws:iam::{ONE}:user/a",
        accounts=(Account(id=ONE, name="a"), Account(id=TWO, name="b")),
        regions=Regions(audited=("eu-west-1", "us-east-1")),
        leader="us-east-1",
    ),
    (),
)
DOCUMENT = json.dumps({"TopicArn": "it's", "AttributeName": "x" * 60}, separators=(",", ":"))


def written(findings: list[Finding], where: Path) -> dict[str, str]:
    files = script.files(a_report(EVIDENCE, findings), plan.make(findings, ORDER))
    folder.write(where, files)
    return files


def quoted(argv: tuple[str, ...]) -> str:
    return shlex.join(argv)


def some_gaps() -> list[Finding]:
    """Two accounts, two regions, a need, a document, a name that is not shy, and a gap for people."""
    need = 'aws cloudtrail create-trail --s3-bucket-name "${LOG_BUCKET:?the bucket}" --region us-east-1'
    document = quoted(
        ("aws", "sns", "set-topic-attributes", "--region", "us-east-1", "--cli-input-json", DOCUMENT)
    )
    name = quoted(("aws", "events", "enable-rule", "--name", "a 'b' $(touch owned)", "--region", "us-east-1"))
    return [
        *(
            a_gap(
                "guardduty.enabled",
                f"aws guardduty create-detector --region {region}",
                region=region,
                effect="writes",
            )
            for region in ("eu-west-1", "us-east-1")
        ),
        a_gap(
            "cloudtrail.enabled",
            need,
            needs=("LOG_BUCKET",),
            effect="e\ntouch owned",
            undo="u\n$(touch owned)",
        ),
        a_gap("sns.topic-not-public", document, undo="aws sns undo", permissions=("sns:SetTopicAttributes",)),
        a_gap("eventbridge.targets-exist", name, cost="none", steps=("Ask\ntouch owned",)),
        a_gap(
            "guardduty.enabled",
            "aws guardduty create-detector --region eu-west-1",
            account=TWO,
            region="eu-west-1",
        ),
        a_gap(
            "config.rules-healthy", "", steps=("Look at [x](javascript:1) <b>\x1b[2J",), resource="<script>"
        ),
    ]


def test_script_runs_the_section_of_its_account_only(tmp_path: Path) -> None:
    """In order, with loops, every word whole; the other account's section is skipped and named."""
    where = tmp_path / "fixes"
    files = written(some_gaps(), where)

    done, argvs = scripts.run(str(where / "fixes.sh"), where, caller=ONE, LOG_BUCKET="org-logs")
    other, theirs = scripts.run(str(where / "fixes.sh"), where, caller=TWO)
    nobody, none = scripts.run(str(where / "fixes.sh"), where, caller="123123123123")

    assert done.returncode == 0, done.stderr
    assert f"skipped what is for {TWO}" in done.stderr
    assert [argv[1:3] for argv in argvs] == [
        ("cloudtrail", "create-trail"),
        ("guardduty", "create-detector"),
        ("guardduty", "create-detector"),
        ("sns", "set-topic-attributes"),
        ("events", "enable-rule"),
    ]
    assert argvs[0][4] == "org-logs" and [argv[-1] for argv in argvs[1:3]] == ["eu-west-1", "us-east-1"]
    assert argvs[4][4] == "a 'b' $(touch owned)"
    [name] = [name for name in files if name.endswith(".json")]
    assert argvs[3][-1] == f"file://{name}" and json.loads(files[name]) == json.loads(DOCUMENT)
    assert (other.returncode, len(theirs)) == (0, 1)
    assert (nobody.returncode, none) == (1, []) and "nothing was run" in nobody.stderr
    assert not list(tmp_path.rglob("owned"))


@pytest.mark.parametrize("value", [None, "", "--debug", 'a"b', "a\\b", "file:///etc/hostname"])
def test_script_refuses_to_begin_without_what_only_the_user_knows(tmp_path: Path, value: str | None) -> None:
    """Nothing runs, not even what needs no parameter, and the message says which and what it is."""
    where = tmp_path / "fixes"
    written(some_gaps(), where)

    given = {} if value is None else {"LOG_BUCKET": value}
    done, argvs = scripts.run(str(where / "fixes.sh"), where, **given)

    assert done.returncode == 2 and argvs == []
    assert "LOG_BUCKET" in done.stderr and "the bucket in your log archive account" in done.stderr


def test_script_says_effect_cost_undo_and_permissions_in_comments(tmp_path: Path) -> None:
    """Each fix has them, and no text of anybody's leaves its comment."""
    text = written(some_gaps(), tmp_path / "fixes")["fixes.sh"]

    for wanted in (
        "# effect  writes",
        "# cost    none",
        "# undo    aws sns undo",
        "# needs   sns:SetTopicAttributes",
        "# by hand Ask",
    ):
        assert wanted in text
    assert [line for line in text.splitlines() if "touch owned" in line and not line.startswith("#")] == [
        "aws events enable-rule --name 'a '\"'\"'b'\"'\"' $(touch owned)' --region us-east-1"
    ]
    assert "rm -rf /" in text and not [line for line in text.splitlines() if line.startswith("rm")]
    assert text.startswith("#!/bin/sh\n") and "\nset -eu\n" in text and 'export AWS_PAGER=""' in text


def test_script_is_clean_for_shells_and_shellcheck(tmp_path: Path) -> None:
    """sh -n and, where it is installed, shellcheck find nothing."""
    where = tmp_path / "fixes"
    written(some_gaps(), where)

    subprocess.run(["sh", "-n", str(where / "fixes.sh")], check=True)
    checker = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if checker is None:
        pytest.skip("shellcheck is not installed")
    done = subprocess.run([checker, str(where / "fixes.sh")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_nothing_is_executable_and_steps_have_no_mark_up(tmp_path: Path) -> None:
    """Files are the owner's to read; what has no command is in steps.md as plain text."""
    where = tmp_path / "fixes"
    files = written(some_gaps(), where)

    modes = {stat.S_IMODE(path.stat().st_mode) for path in where.rglob("*") if path.is_file()}
    assert modes == {0o600} and stat.S_IMODE(where.stat().st_mode) == 0o700
    steps = files["steps.md"]
    assert "\\[x\\](javascript:1) \\<b\\>" in steps and "\\<script\\>" in steps and "\x1b" not in steps


def test_what_is_left_for_the_next_audit_is_named(tmp_path: Path) -> None:
    """A fix that would undo another is not in the script but in a comment at its end."""
    line = "aws configservice put-delivery-channel --delivery-channel '{}' --region us-east-1"
    gaps = [
        a_gap("config.bucket-separate-account", line),
        a_gap("config.delivery-healthy", line.replace("{}", "{ }")),
    ]

    text = written(gaps, tmp_path / "fixes")["fixes.sh"]

    assert text.count("aws configservice") == 1 and f"# config.delivery-healthy in account {ONE}" in text


@pytest.mark.parametrize("regions", [("us-east-1",), ("eu-west-1", "us-east-1")])
def test_one_topic_is_not_pointed_at_from_several_regions(tmp_path: Path, regions: tuple[str, ...]) -> None:
    """AWS refuses a topic of another region: while nobody has said which it is, such fixes are named, not run."""
    line = 'aws events put-targets --targets \'[{"Arn":"\'"${ALERT_TOPIC_ARN:?a topic}"\'"}]\' --region '
    gaps = [
        a_gap("eventbridge.targets-exist", line + region, region=region, needs=("ALERT_TOPIC_ARN",))
        for region in regions
    ]
    where = tmp_path / "fixes"
    text = written(gaps, where)["fixes.sh"]

    done, argvs = scripts.run(str(where / "fixes.sh"), where, ALERT_TOPIC_ARN="arn:aws:sns:us-east-1:1:t")

    assert done.returncode == 0, done.stderr
    assert len(argvs) == (1 if len(regions) == 1 else 0)
    assert ("--set ALERT_TOPIC_ARN" in text) == (len(regions) > 1)
    if len(regions) == 1:
        far, none = scripts.run(str(where / "fixes.sh"), where, ALERT_TOPIC_ARN="arn:aws:sns:eu-west-1:1:t")
        assert (far.returncode, none) == (2, []) and "a topic in us-east-1" in far.stderr


def test_no_gap_gives_a_script_that_runs_nothing(tmp_path: Path) -> None:
    """It is still a script."""
    where = tmp_path / "fixes"
    written([], where)

    done, argvs = scripts.run(str(where / "fixes.sh"), where)
    assert (done.returncode, argvs) == (0, [])


def test_terraform_files_are_hcl_with_their_variables(tmp_path: Path) -> None:
    """One file a check and account; every variable that they name is declared once."""
    block = 'resource "aws_x" "{}" {{\n  bucket = var.log_bucket\n}}\n'
    gaps = [
        a_gap(
            "cloudtrail.enabled",
            f"aws a --region {region}",
            region=region,
            account=account,
            terraform=block.format(region),
        )
        for region in ("one", "two")
        for account in (ONE, TWO)
    ]

    files = written(gaps, tmp_path / "fixes")

    found = {name: hcl2.loads(text) for name, text in files.items() if name.endswith(".tf")}
    for account in (ONE, TWO):
        base = f"terraform/{account}"
        assert len(found[f"{base}/cloudtrail.enabled.tf"]["resource"]) == 2
        assert [list(item) for item in found[f"{base}/variables.tf"]["variable"]] == [['"log_bucket"']]
        assert found[f"{base}/versions.tf"]["terraform"]


# ---------------------------------------------------------------- the folder


def test_folder_takes_its_own_output_again(tmp_path: Path) -> None:
    """A second run replaces the first whole: what is no longer written is gone."""
    where = tmp_path / "fixes"
    folder.write(where, {"a.txt": "1", "sub/b.txt": "2"})
    folder.write(where, {"a.txt": "3"})

    assert sorted(path.name for path in where.rglob("*")) == [folder.MARK, "a.txt"]
    assert (where / "a.txt").read_text() == "3" and [path.name for path in tmp_path.iterdir()] == ["fixes"]


def _a_stranger(where: Path) -> None:
    (where / "mine.txt").write_text("x")


def _an_edit(where: Path) -> None:
    (where / "a.txt").write_text("edited")


def _a_link(where: Path) -> None:
    (where / "a.txt").unlink()
    (where / "a.txt").symlink_to("/etc/hostname")


def _a_folder(where: Path) -> None:
    (where / "empty").mkdir()


def _no_mark(where: Path) -> None:
    (where / folder.MARK).unlink()


def _a_bad_mark(where: Path) -> None:
    (where / folder.MARK).write_text('{"files": [1]}')


@pytest.mark.parametrize("change", [_a_stranger, _an_edit, _a_link, _a_folder, _no_mark, _a_bad_mark])
def test_folder_of_somebody_else_is_left_alone(tmp_path: Path, change: Any) -> None:
    """A file of somebody's, an edit or a link: refused before anything is touched."""
    where = tmp_path / "fixes"
    folder.write(where, {"a.txt": "1"})
    change(where)
    before = sorted(path.name for path in where.rglob("*"))

    with pytest.raises(UsageError):
        folder.write(where, {"a.txt": "2"})

    assert sorted(path.name for path in where.rglob("*")) == before


def test_folder_is_no_link_no_file_and_has_a_parent(tmp_path: Path) -> None:
    """Each is refused with a sentence; an empty folder is taken."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "file").write_text("x")
    for name in ("link", "file", "no/where"):
        with pytest.raises(UsageError):
            folder.write(tmp_path / name, {"a.txt": "1"})

    folder.write(tmp_path / "real", {"a.txt": "1"})
    assert (tmp_path / "real" / "a.txt").read_text() == "1" and not (tmp_path / "real.old").exists()


def test_folder_is_whole_or_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk is full half-way, the earlier files are still there, and nothing half-written is."""
    from postureaudit.errors import OutputError

    where = tmp_path / "fixes"
    folder.write(where, {"a.txt": "1"})

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space"):
        folder.write(where, {"a.txt": "2", "b.txt": "3"})

    assert (where / "a.txt").read_text() == "1" and [path.name for path in tmp_path.iterdir()] == ["fixes"]


# ---------------------------------------------------------------- the command


def test_demo_writes_its_fixes(cli: Any, tmp_path: Path) -> None:
    """From the command line: a folder, a sentence on stderr, and no fix that the demo's waivers cover."""
    where = tmp_path / "fixes"

    done: Ran = cli("demo", "--write-fixes", str(where), "-o", "json=-", "-q", world=World())
    again: Ran = cli("demo", "--write-fixes", str(tmp_path), world=World())

    assert done.code == 0 and (where / "fixes.sh").is_file()
    text = (where / "fixes.sh").read_text()
    waived = [
        place["fix"]["shell"]
        for item in done.json["findings"]
        for place in item["places"]
        if place["waiver"] and place["fix"] and place["fix"]["shell"]
    ]
    assert waived and not [
        line for shell in waived for line in shell.splitlines() if line in text.splitlines()
    ]
    assert any(item["fix"]["terraform"] for item in done.json["findings"] if item["fix"])
    assert again.code == 2 and "did not write" in again.err


@pytest.mark.exhaustive
def test_written_script_is_run_by_the_aws_cli_itself(cli: Any, tmp_path: Path) -> None:
    """Audit, write, run with the real aws program on the PATH, audit again: the gaps are gone."""
    world = World()
    world.account(regions=("us-east-1", "eu-west-1"))
    checks = ("-c", "guardduty.enabled", "-c", "securityhub.enabled", "-c", "config.recorder-on")
    where = tmp_path / "fixes"
    given = ("--set", "CONFIG_BUCKET=archive")
    world.add_bucket("archive", TWO, head={ONE})

    first: Ran = cli("audit", *checks, *given, "--write-fixes", str(where), "-q", world=world)
    with FakeAws(world) as aws:
        tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["sh", str(where / "fixes.sh")],
            env={**aws.env(), "PATH": tools},
            capture_output=True,
            text=True,
            check=False,
        )
    last: Ran = cli("audit", *checks, "-q", world=world)

    assert (first.code, done.returncode, last.code) == (3, 0, 0), (done.stderr, last.out)
