"""A Dask cluster works off the same accounts to the same result, also when one of its workers is killed."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from postureaudit.org.collect import Entry
from tests.fakeaws import FakeAws
from tests.fakeaws.landing_zone import landing_zone

CHECKS = ("-c", "cloudtrail.*", "-c", "signal.guardduty-critical")


def test_a_task_carries_no_key() -> None:
    """What travels names a role and an external id; there is no place for a key in it."""
    fields = set(Entry.__struct_fields__)
    entry = Entry(
        partition="aws", leader="us-east-1", own="111122223333", role_name="Audit", external_id="ours"
    )

    assert not fields & {"credentials", "access_key", "secret_key", "token", "session"}
    assert pickle.loads(pickle.dumps(entry)) == entry


@contextmanager
def cluster(env: dict[str, str], folder: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler and two workers on this machine: (address, the workers' nannies)."""
    dask = (
        [sys.executable, "-m", "distributed.cli.dask_scheduler"],
        [sys.executable, "-m", "distributed.cli.dask_worker"],
    )
    file = folder / "scheduler.json"
    quiet: dict[str, Any] = {"env": env, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    own = ["--host", "127.0.0.1", "--no-dashboard"]
    started = [subprocess.Popen([*dask[0], *own, "--port", "0", "--scheduler-file", str(file)], **quiet)]
    try:
        deadline = time.monotonic() + 60
        while not file.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        address = json.loads(file.read_text())["address"]
        workers = [
            subprocess.Popen(
                [*dask[1], address, *own, "--nthreads", "2", "--local-directory", str(folder / f"w{number}")],
                **quiet,
            )
            for number in range(2)
        ]
        started += workers
        yield address, workers
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(30)


def _audit(env: dict[str, str], folder: Path, *more: str) -> subprocess.Popen[bytes]:
    own = ["--org", "--role-name", "Audit", "--no-config", "-q", "--output-dir", str(folder), *CHECKS, *more]
    return subprocess.Popen(
        [sys.executable, "-m", "postureaudit", "audit", *own], env=env, stderr=subprocess.PIPE
    )


def _result(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "organization.json").read_text())
    return {name: value for name, value in found.items() if name != "started"}


def _children(pid: int) -> list[int]:
    return [int(item) for item in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.exhaustive
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="finds the workers' processes in /proc")
def test_a_killed_worker_changes_nothing(tmp_path: Path) -> None:
    """Its accounts are done again by the other, or by itself once it is back; the result is that of this machine."""
    pytest.importorskip("distributed")
    with FakeAws(landing_zone(responds=True)) as aws:
        env = {**os.environ, **aws.env()}
        local = _audit(env, tmp_path / "local", "--workers", "1")
        local.communicate(timeout=120)
        with cluster(env, tmp_path) as (address, workers):
            run = _audit(env, tmp_path / "dask", "--engine", "dask", "--scheduler", address)
            while run.poll() is None and not list((tmp_path / "dask").glob("accounts/*/collected.json")):
                time.sleep(0.02)
            for pid in _children(workers[0].pid):
                os.kill(pid, signal.SIGKILL)
            _, said = run.communicate(timeout=120)

    assert run.returncode == local.returncode, said
    assert _result(tmp_path / "dask") == _result(tmp_path / "local")
