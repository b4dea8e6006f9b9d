"""Evidence of a fake account, collected by the real walk in this process; and the CLI as a child process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from postureaudit import catalog, evaluate, services
from postureaudit.evidence import Evidence
from postureaudit.findings import Finding
from tests.fakeaws import FakeAws, World, resolve_account_hosts

Collect = Callable[..., Evidence]
Mend = Callable[..., dict[str, Finding]]
resolve_account_hosts()


@dataclass(frozen=True)
class Ran:
    """A finished child process."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def judge(evidence: Evidence, *ids: str) -> dict[str, Finding]:
    """The findings of the shipped catalogue by check id."""
    found = evaluate.evaluate(evidence, catalog.builtin(), ids=ids or None)
    return {finding.check: finding for finding in found}


def walk_world(patch: pytest.MonkeyPatch, world: World, **options: Any) -> Evidence:
    """Walk a world's account with the real collectors; the fake must have no bug and lack no operation."""
    from postureaudit.aws.session import open_session
    from postureaudit.aws.walk import walk

    timeouts = {name: options.pop(name) for name in ("read_timeout",) if name in options}
    with FakeAws(world) as aws:
        for name, value in aws.env().items():
            if name.startswith("AWS_"):
                patch.setenv(name, value)
        found = walk(open_session(**timeouts), [item.collect for item in services.all_services()], **options)
    assert (world.bugs, world.missing, found.header.interrupted) == ([], [], "")
    return found


@pytest.fixture
def collect(monkeypatch: pytest.MonkeyPatch) -> Collect:
    """Walk a world's account with the real collectors."""

    def walk_it(world: World, **options: Any) -> Evidence:
        return walk_world(monkeypatch, world, **options)

    return walk_it


@pytest.fixture
def mend(collect: Collect, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Mend:
    """Run every printed command with the real AWS CLI, audit again, until no check has a command left."""
    from awscli.clidriver import create_clidriver

    def mend_it(world: World, *ids: str, needs: dict[str, str] | None = None) -> dict[str, Finding]:
        ran: set[tuple[str, ...]] = set()
        for _ in range(5):
            found = evaluate.evaluate(collect(world), catalog.builtin(), ids=ids or None, needs=needs)
            commands = dict.fromkeys(argv for item in found if item.fix for argv in item.fix.argv or ())
            if not set(commands) - ran:
                break
            with FakeAws(world) as aws:
                for name, value in aws.env().items():
                    if name.startswith("AWS_"):
                        monkeypatch.setenv(name, value)
                driver = create_clidriver()
                for argv in commands:
                    code = driver.main(list(argv[1:]))
                    assert code == 0, (argv, capfd.readouterr().err)
                    ran.add(argv)
        return {item.check: item for item in found}

    return mend_it


@pytest.fixture
def cli() -> Callable[..., Ran]:
    """Run the unmodified command line, against a world or without any AWS."""

    def run(
        *args: str, world: World | None = None, env: dict[str, str] | None = None, cwd: Any = None
    ) -> Ran:
        command = [sys.executable, "-m", "postureaudit", *args]
        with FakeAws(world or World()) as aws:
            environment = {**aws.env(), **(env or {})}
            done = subprocess.run(
                command, env=environment, cwd=cwd, capture_output=True, text=True, timeout=120, check=False
            )
        return Ran(done.returncode, done.stdout, done.stderr)

    return run
