"""The guides are true: their files are linted and used, and their commands say what the guide says."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest

from postureaudit import catalog, checks_file, evaluate, lint, services
from postureaudit.cli.main import run
from postureaudit.findings import Finding
from tests.conftest import Collect
from tests.fakeaws import FakeAws, World, scenarios

GUIDE = (Path(__file__).parents[1] / "docs" / "guides" / "own-checks.md").read_text("utf-8")
FILES = dict(re.findall(r"```yaml\n# ([a-z]+\.yaml)\n(.*?)```", GUIDE, flags=re.DOTALL))
SESSIONS = re.findall(r"```console\n(.*?)```", GUIDE, flags=re.DOTALL)
COMMANDS = [
    (command, [line for line in shown.splitlines() if line])
    for session in SESSIONS
    for command, shown in re.findall(
        r"^\$ (postureaudit .*)\n((?:(?!\$ ).*\n)*)", session, flags=re.MULTILINE
    )
]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The guide's files, where the reader would be."""
    for name, body in FILES.items():
        (tmp_path / name).write_text(f"# {name}\n{body}")
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("POSTUREAUDIT", "AWS_"))]:
        monkeypatch.delenv(name)
    return tmp_path


def test_the_guide_has_its_examples() -> None:
    """What is tested below is there."""
    assert set(FILES) == {"own.yaml", "wrong.yaml", "second.yaml", "family.yaml"}
    assert len(COMMANDS) == 6


@pytest.mark.parametrize(
    ("command", "shown"), COMMANDS, ids=[f"{at}-{item[0]}" for at, item in enumerate(COMMANDS)]
)
def test_each_command_says_what_the_guide_says(
    files: Path, capsys: pytest.CaptureFixture[str], command: str, shown: list[str]
) -> None:
    """Each command runs, and each line shown below it is in what it prints."""
    code = run(shlex.split(command)[1:])
    found = capsys.readouterr()

    assert code == (2 if "wrong" in command else 0)
    assert all(line in found.out + found.err for line in shown), found


def test_the_fix_of_the_second_example_works(collect: Collect, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command that the guide's check prints, run by the real AWS CLI, closes its gap; the bucket stays."""
    from awscli.clidriver import create_clidriver

    own, problems = lint.lint_file(
        checks_file.read(FILES["second.yaml"], name="second.yaml"), catalog.builtin()
    )
    wanted = catalog.calls(own, ["own.daily-snapshot"], services.types())
    world: World = scenarios.well_configured()
    channel = world.account().region("us-east-1").config["channels"]["default"]["channel"]
    channel["configSnapshotDeliveryProperties"] = {"deliveryFrequency": "One_Hour"}
    bucket = channel["s3BucketName"]

    def judged() -> Finding:
        evidence = collect(world, only=["us-east-1"], wanted=wanted)
        return evaluate.evaluate(evidence, own, ids=["own.daily-snapshot"])[0]

    before = judged()
    assert (problems, before.verdict) == ([], "fail")
    assert before.fix and before.fix.argv and len(before.fix.argv) == 1
    with FakeAws(world) as aws:
        for name, value in aws.env().items():
            if name.startswith("AWS_"):
                monkeypatch.setenv(name, value)
        assert create_clidriver().main(list(before.fix.argv[0][1:])) == 0
    assert judged().verdict == "pass"
    assert (
        world.account().region("us-east-1").config["channels"]["default"]["channel"]["s3BucketName"] == bucket
    )
