"""Evidence of a fake account, collected by the real walk in this process; and the CLI as a child process."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import hypothesis
import pytest

from postureaudit import catalog, evaluate, services
from postureaudit.evidence import Evidence, Named
from postureaudit.findings import Finding
from tests import aws_cli
from tests.fakeaws import FakeAws, World, resolve_account_hosts
from tests.fakeaws.scenarios import SCENARIOS

Collect = Callable[..., Evidence]
Mend = Callable[..., dict[str, Finding]]
resolve_account_hosts()
# How long one example takes says more about the machine; what must be fast has tests of its own.
hypothesis.settings.register_profile("unhurried", deadline=None, max_examples=50)
hypothesis.settings.load_profile("unhurried")
_LOADERS: list[Any] = []


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of many cases of one test that each walk a fake account, a part runs by default and the rest in CI.

    A quarter of three to eight cases, a twelfth of more; in which order they are taken depends on their names alone.
    """
    cases: dict[tuple[str, str], list[pytest.Item]] = defaultdict(list)
    for item in items:
        if isinstance(item, pytest.Function) and "collect" in item.fixturenames and hasattr(item, "callspec"):
            cases[(str(item.path), item.originalname)].append(item)
    for found in cases.values():
        of = 12 if len(found) > 8 else 4
        ordered = sorted(found, key=lambda item: crc32(item.name.encode()))
        for item in ordered[(len(found) + of - 1) // of :] if len(found) > 2 else ():
            item.add_marker(pytest.mark.exhaustive)


@pytest.fixture(autouse=True)
def _read_models_once(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Every walk of this process shares one loader: parsing AWS's models is most of a short walk."""
    from postureaudit.aws import models

    real = models.slim

    def shared(core: Any) -> None:
        if not _LOADERS:
            real(core)
            _LOADERS.append(core.get_component("data_loader"))
        core.register_component("data_loader", _LOADERS[0])

    monkeypatch.setattr(models, "slim", shared)
    # How long a throttled call waits is AWS's business; that it is asked again is ours.
    monkeypatch.setattr("postureaudit.aws.calls._BACKOFF", 0.02)
    if request.module.__name__ != "tests.aws.test_limits":  # the fake has no limits
        monkeypatch.setattr("postureaudit.aws.limits.Limits.reserve", lambda *_: 0.0)
    # The fake speaks plain HTTP: nothing needs the bundle of certificates, which takes longer to read than to walk.
    monkeypatch.setattr("ssl.SSLContext.load_verify_locations", lambda *_, **__: None)


@dataclass(frozen=True)
class Ran:
    """A finished child process."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Judged(Mapping[str, Finding]):
    """The findings of the shipped catalogue by check id, each judged when it is asked for."""

    def __init__(self, evidence: Evidence, ids: Sequence[str]) -> None:
        self._evidence = evidence
        self._ids = ids or [check.id for check in catalog.builtin().checks]
        self._found: dict[str, Finding] = {}

    def __getitem__(self, name: str) -> Finding:
        if name not in self._ids:
            raise KeyError(name)
        if name not in self._found:
            self._judge([name])
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        self._judge([name for name in self._ids if name not in self._found])
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def _judge(self, ids: Sequence[str]) -> None:
        if ids:
            made = evaluate.evaluate(self._evidence, catalog.builtin(), ids=ids)
            self._found |= {finding.check: finding for finding in made}


def judge(evidence: Evidence, *ids: str) -> Judged:
    """The findings of these checks, or of all."""
    return Judged(evidence, ids)


def walk_world(
    patch: pytest.MonkeyPatch, world: World, *, named: Named | None = None, **options: Any
) -> Evidence:
    """Walk a world's account with the real collectors; the fake must have no bug and lack no operation.

    `named` are the accounts that the caller names, with the role of the log archive.
    """
    from postureaudit.aws.session import open_session
    from postureaudit.aws.walk import walk

    timeouts = {name: options.pop(name) for name in ("read_timeout",) if name in options}
    options.setdefault(
        "max_workers", 6
    )  # more threads only wait for the server, which is in this process too
    with FakeAws(world) as aws:
        for name, value in aws.env().items():
            if name.startswith("AWS_"):
                patch.setenv(name, value)
        session = open_session(**timeouts)
        if named and named.log_archive_role:
            session.open_archive(named.log_archive_role, None)
        found = walk(session, [item.collect for item in services.all_services()], named=named, **options)
    assert (world.bugs, world.missing, found.header.interrupted) == ([], [], "")
    return found


@pytest.fixture
def collect(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Collect:
    """Walk a world's account with the real collectors; a service's own tests make only the calls of its checks."""
    stem = getattr(request.module, "SERVICE", request.path.stem.removeprefix("test_"))
    own = [check.id for check in catalog.builtin().checks if check.service in (stem, stem.partition("_")[0])]
    wanted = catalog.calls(catalog.builtin(), own, services.types()) if own else None

    def walk_it(world: World, **options: Any) -> Evidence:
        return walk_world(monkeypatch, world, **{"wanted": wanted, **options})

    return walk_it


@pytest.fixture
def mend(collect: Collect, monkeypatch: pytest.MonkeyPatch) -> Mend:
    """Run every printed command with the real AWS CLI, each in the account that its fix names, and audit again,
    until no check has a command left."""

    def mend_it(
        world: World, *ids: str, needs: dict[str, str] | None = None, **options: Any
    ) -> dict[str, Finding]:
        ran: set[tuple[str, ...]] = set()
        for _ in range(5):
            seen = collect(world, **options)
            found = evaluate.evaluate(seen, catalog.builtin(), ids=ids or None, needs=needs)
            commands = {argv: item.fix.account for item in found if item.fix for argv in item.fix.argv or ()}
            if not set(commands) - ran:
                break
            for name in dict.fromkeys(commands.values()):
                with aws_cli.serving(monkeypatch, world, account=name or None) as aws:
                    for argv in (argv for argv, account in commands.items() if account == name):
                        code, _, said = aws.run(argv)
                        assert code == 0, (argv, said)
                        ran.add(argv)
        return {item.check: item for item in found}

    return mend_it


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Run the command line against a world, or without any AWS: in this process, or as a child of its own.

    In this process it parses no model and imports nothing again. What depends on the process (pipes, signals, the
    encoding of its streams) takes `child=True`.
    """

    def run(
        *args: str,
        world: World | None = None,
        env: dict[str, str] | None = None,
        cwd: Any = None,
        child: bool = False,
    ) -> Ran:
        with FakeAws(world or World()) as aws:
            environment = {**aws.env(), **(env or {})}
            if child:
                return _child(args, environment, cwd)
            with monkeypatch.context() as patch:
                for name in os.environ:
                    patch.delenv(name)
                for name, value in environment.items():
                    patch.setenv(name, value)
                if cwd is not None:
                    patch.chdir(cwd)
                return _here(args, patch)

    return run


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The file of a scenario's evidence, collected once for each process that runs tests."""
    from postureaudit.evidence import save

    folder, made = tmp_path_factory.mktemp("evidence"), dict[str, Path]()

    def file(name: str) -> Path:
        if name not in made:
            with pytest.MonkeyPatch.context() as patch:
                made[name] = folder / f"{name}.json"
                save(walk_world(patch, SCENARIOS[name]()), made[name])
        return made[name]

    return file


def _child(args: Sequence[str], environment: dict[str, str], cwd: Any) -> Ran:
    command = [sys.executable, "-m", "postureaudit", *args]
    done = subprocess.run(
        command, env=environment, cwd=cwd, capture_output=True, text=True, timeout=120, check=False
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def _here(args: Sequence[str], patch: pytest.MonkeyPatch) -> Ran:
    from postureaudit.cli.main import run

    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    patch.setattr(sys, "stdout", out)
    patch.setattr(sys, "stderr", err)
    code = run(args)
    texts = [stream.buffer.getvalue().decode() for stream in (out, err)]  # type: ignore[attr-defined]  # BytesIO
    return Ran(code, *texts)
