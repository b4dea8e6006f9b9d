"""Names that try to break out of a command stay one value: in the report's text, in the script, in the CLI's parser."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from postureaudit import catalog, evaluate, plan
from postureaudit.cli import folder
from postureaudit.evidence import Evidence
from postureaudit.findings import Finding, Verdict
from postureaudit.render import script
from tests import aws_cli, scripts
from tests.conftest import walk_world
from tests.fakeaws import World
from tests.fakeaws.handlers.config import add_aggregator
from tests.fakeaws.handlers.detective import graph
from tests.fakeaws.handlers.macie import session
from tests.fakeaws.handlers.vpc import add_config, add_vpc
from tests.fakeaws.world import ACCOUNT, ARCHIVE, Region
from tests.gaps import FINDINGS, HOME, needs
from tests.reports import a_report

EVIL = "arn:aws:iam::666666666666:role/evil"
NAMES = {
    "spaces and quotes": "a b 'c' \"d\"",
    "shell": "$(touch owned)`touch owned`;touch owned",
    "option": "--debug",
    "file": "file:///etc/hostname",
    "markup": "[/]",
    "shorthand": f"x,roleARN={EVIL}",
    "json": '{"a": "b"}',
}
FAMILIES = {
    *("cloudtrail", "config", "guardduty", "eventbridge", "alarms", "signal", "securityhub"),
    *("vpc", "route53resolver", "macie", "detective"),
}


def a_world(name: str) -> World:
    """One region in which everything that can have a name has this one, and a gap."""
    world = World()
    home = world.account(regions=(HOME,)).region(HOME)
    world.account(ARCHIVE, regions=(HOME,))
    world.organize(ACCOUNT, (ARCHIVE,))
    logs = name if ":" not in name else "trail"  # a colon would end it in the ARN; AWS lets no group have one
    home.add_log_group(logs, 30)
    group = home.arn("logs", f"log-group:{logs}:*")
    home.add_trail(name, bucket="trail-logs", CloudWatchLogsLogGroupArn=group, CloudWatchLogsRoleArn="x")
    world.add_bucket("trail-logs")
    home.add_recorder(name, recording=False, frequency="DAILY", role=home.account.arn("iam", f"role/{name}"))
    home.add_channel("config-logs", name=name, s3KeyPrefix=name)
    home.add_rule(name, "S3_BUCKET_PUBLIC_READ_PROHIBITED")
    source = {"RoleArn": home.account.arn("iam", f"role/{name}"), "AwsRegions": [HOME]}
    add_aggregator(home, name, OrganizationAggregationSource=source)
    home.add_detector(frequency="SIX_HOURS")
    home.add_filter(name, {"type": {"Eq": ["UnauthorizedAccess:EC2/SSHBruteForce"]}})
    home.add_hub(AutoEnableControls=False)
    home.add_automation_rule(name, {"ProductName": [{"Value": "GuardDuty", "Comparison": "EQUALS"}]})
    topic = home.add_topic("alerts", subscriptions=[{"Protocol": "email", "Endpoint": "soc@example.com"}])
    quoted = {**FINDINGS, "detail": {"severity": ["8"]}}
    home.add_event_rule(name, pattern=quoted, targets=[topic], Description=name)
    pattern = '{ $.userIdentity.type = "Root" && $.eventType != "AwsServiceEvent" }'
    home.add_metric_filter(logs, name, pattern, name)
    home.add_alarm(name, name, threshold=5, actions=[topic], enabled=False, AlarmDescription=name)
    add_around(home, name)
    return world


def add_around(home: Region, name: str) -> None:
    """The same for the services around the four."""
    add_vpc(home, name)
    add_config(home, name)
    home.macie2 |= {
        "session": session(home),
        "export": {"bucketName": "trail-logs", "kmsKeyArn": name, "keyPrefix": name},
    }
    home.detective |= {"graphs": [{**graph(home), "Arn": name}], "org_admins": [ACCOUNT]}


class Seen:
    """The findings of such a world and what is written from them, made once for all tests of a name."""

    def __init__(self, patch: pytest.MonkeyPatch, name: str) -> None:
        world = a_world(name)
        given = needs(world)
        self.evidence: Evidence = walk_world(patch, world)
        self.findings: tuple[Finding, ...] = evaluate.evaluate(self.evidence, catalog.builtin(), needs=given)
        self.fixes = [
            place.fix
            for item in self.findings
            for place in item.having(Verdict.FAIL)
            if place.fix and place.fix.argv
        ]
        self.plan = plan.make(self.findings, plan.order(catalog.builtin().checks))


_SEEN: dict[str, Seen] = {}


ALWAYS = ("shell",)  # CI runs the others


@pytest.fixture(
    params=[pytest.param(name, marks=[] if name in ALWAYS else pytest.mark.exhaustive) for name in NAMES]
)
def seen(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Seen]:
    kind = request.param
    if kind not in _SEEN:
        _SEEN[kind] = Seen(monkeypatch, NAMES[kind])
    return NAMES[kind], _SEEN[kind]


def test_report_text_is_the_argv(seen: tuple[str, Seen], tmp_path: Path) -> None:
    """The shell text of every fix, run with another aws, gives the argv byte for byte; nothing else runs."""
    name, found = seen
    wanted = [argv for fix in found.fixes for argv in fix.argv or ()]

    done, argvs = scripts.run("\n".join(fix.shell for fix in found.fixes), tmp_path / "work")

    assert done.returncode == 0, done.stderr
    assert argvs == wanted
    assert not list(tmp_path.rglob("owned"))
    assert {check.partition(".")[0] for check in named(found, name)} >= FAMILIES - {"securityhub", "signal"}


def named(found: Seen, name: str) -> set[str]:
    """The checks whose fixes carry the name, as it is or as JSON text."""
    text = json.dumps(name)[1:-1]
    return {
        item.check
        for item in found.findings
        for argv in (item.fix.argv if item.fix else None) or ()
        if any(name in word or text in word or json.dumps(text)[1:-1] in word for word in argv)
    }


def test_script_runs_the_same_argv(seen: tuple[str, Seen], tmp_path: Path) -> None:
    """The written script, its documents read back, gives each of the plan's commands once, in order."""
    _, found = seen
    where = tmp_path / "fixes"
    folder.write(where, script.files(a_report(found.evidence, found.findings), found.plan))
    by_line = {fixed.shell: fixed.argv for fixed in found.fixes if fixed.argv and len(fixed.argv) == 1}

    done, argvs = scripts.run(str(where / script.SCRIPT), where)

    assert done.returncode == 0, done.stderr
    assert not list(tmp_path.rglob("owned"))
    ran = [tuple(read_back(where, argv)) for argv in argvs]
    lines = [line for task in found.plan.ready for line in task.fix.shell.splitlines()]
    assert len(ran) == len(lines)
    for line, argv in zip(lines, ran, strict=True):
        if line in by_line:
            assert argv == tuple(compact(word) for word in (by_line[line] or [()])[0])


def read_back(where: Path, argv: tuple[str, ...]) -> Iterator[str]:
    """The words with our own files' text in place of their names."""
    files = {f"file://{path.name}": path for path in where.glob("[0-9]*.json")}
    for word in argv:
        yield compact(files[word].read_text() if word in files else word)


def compact(word: str) -> str:
    try:
        value = json.loads(word)
    except ValueError:
        return word
    return json.dumps(value) if isinstance(value, dict | list) else word


@pytest.mark.exhaustive
def test_real_cli_reads_each_name_as_one_value(
    seen: tuple[str, Seen], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The AWS CLI's own parser, stopped before anything is sent, makes no value of a part of a name."""
    name, found = seen
    world = World()
    world.account(regions=(HOME,))
    read: list[dict[str, Any]] = []
    with aws_cli.serving(monkeypatch, world) as aws, _stopped(read):
        for fix in found.fixes:
            for argv in fix.argv or ():
                code, _, said = aws.run(argv)
                assert code == 0, (argv, said)
    values = [value for params in read for value in texts(params)]
    assert len(read) == sum(len(fix.argv or ()) for fix in found.fixes)
    assert name in values or any(name in value for value in values)
    assert EVIL not in values
    hostname = Path("/etc/hostname")
    assert not hostname.is_file() or hostname.read_text() not in values


def texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for item in value.values():
                yield from texts(item)
        case list():
            for item in value:
                yield from texts(item)


@contextlib.contextmanager
def _stopped(read: list[dict[str, Any]]) -> Iterator[None]:
    """The CLI notes each operation's parameters and gets an empty answer in place of a call."""
    session = aws_cli.driver().session

    def note(params: dict[str, Any], **_: Any) -> None:
        read.append(dict(params))

    def answer(**_: Any) -> tuple[Any, dict[str, Any]]:
        return SimpleNamespace(status_code=200), {"ResponseMetadata": {}}

    session.register("before-parameter-build.*.*", note, unique_id="noting")
    session.register("before-call.*.*", answer, unique_id="answering")
    try:
        yield
    finally:
        session.unregister("before-parameter-build.*.*", unique_id="noting")
        session.unregister("before-call.*.*", unique_id="answering")


def test_name_of_two_lines_gives_no_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A newline is in no command, and in no comment: every line of the script is ours."""
    found = Seen(monkeypatch, "x\ntouch owned\n# ")
    files = script.files(a_report(found.evidence, found.findings), found.plan)
    folder.write(tmp_path / "fixes", files)

    assert not [line for line in files[script.SCRIPT].splitlines() if line.strip().startswith("touch owned")]
    done, _ = scripts.run(str(tmp_path / "fixes" / script.SCRIPT), tmp_path / "fixes")
    assert done.returncode == 0, done.stderr
    assert not list(tmp_path.rglob("owned"))
