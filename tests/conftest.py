"""Evidence of a fake account, collected by the real walk in this process; and the CLI as a child process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

import tests.fakeaws.child.sitecustomize  # noqa: F401 - lets S3 Control's account-prefixed host be found
from postureaudit import catalog, evaluate, services
from postureaudit.evidence import Evidence
from postureaudit.findings import Finding
from tests.fakeaws import FakeAws, World

Collect = Callable[..., Evidence]


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


@pytest.fixture
def collect(monkeypatch: pytest.MonkeyPatch) -> Collect:
    """Walk a world's account with the real collectors."""

    def walk_it(world: World, **options: Any) -> Evidence:
        from postureaudit.aws.session import open_session
        from postureaudit.aws.walk import walk

        timeouts = {name: options.pop(name) for name in ("read_timeout",) if name in options}
        with FakeAws(world) as aws:
            for name, value in aws.env().items():
                if name.startswith("AWS_"):
                    monkeypatch.setenv(name, value)
            found = walk(
                open_session(**timeouts), [item.collect for item in services.all_services()], **options
            )
        assert world.bugs == []
        return found

    return walk_it


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
