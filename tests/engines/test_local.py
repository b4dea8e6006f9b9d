"""Processes of this machine: each item is worked on once, whoever takes it, and again where a process was killed."""

from __future__ import annotations

import functools
import os
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from postureaudit.engines.local import Local
from postureaudit.org.collect import STOP, Collected, Entry, _each

ENTRY = Entry(partition="aws", leader="us-east-1", own="111122223333", role_name="Audit")
pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


def noted(folder: str, items: Iterable[int]) -> list[int]:
    """In a process: take items, and leave a file for each that says which process had it."""
    found = []
    for item in items:
        with Path(folder, str(item)).open("a") as stream:
            stream.write(f"{os.getpid()}\n")
        time.sleep(0.005)
        found.append(item)
    return found


def killed_once(folder: str, items: Iterable[int]) -> list[int]:
    """As above, but the first process to have item 5 is killed there."""
    found = []
    for item in items:
        if item == 5 and not Path(folder, "killed").exists():
            Path(folder, "killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        found += noted(folder, [item])
    return found


@pytest.mark.parametrize("workers", [1, 2])
def test_every_item_is_taken_once(tmp_path: Path, workers: int) -> None:
    """By whichever process has room; and again from the start for a second round on the same processes."""
    ticks = []
    work = functools.partial(noted, str(tmp_path))
    with Local(workers) as engine:
        for _ in range(2):
            found = list(engine.spread(work, list(range(40)), 1, lambda: ticks.append(1)))
            assert sorted(item for part in found for item in part) == list(range(40))
    by = [(tmp_path / str(item)).read_text().split() for item in range(40)]

    assert all(len(processes) == 2 for processes in by)
    assert len({process for processes in by for process in processes}) == workers
    assert bool(ticks) == (workers > 1)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_items_of_a_killed_process_are_taken_again(tmp_path: Path) -> None:
    """Nothing is missing in the end, although a process is gone with what it had."""
    work = functools.partial(killed_once, str(tmp_path))
    with Local(2) as engine:
        found = list(engine.spread(work, list(range(40)), 1, lambda: None))

    assert (tmp_path / "killed").exists()
    assert {item for part in found for item in part} == set(range(40))
    assert not STOP.is_set()


def test_an_item_waits_until_there_is_room() -> None:
    """No more are taken than are worked on: what is left may go to others. An error of one is the caller's."""
    taken: list[int] = []

    def items() -> Iterable[int]:
        for number in range(30):
            taken.append(number)
            yield number

    def work(number: int) -> Collected:
        assert len(taken) <= len(done) + ENTRY.at_once
        done.append(number)
        return Collected(account=str(number), state="read")

    done: list[int] = []
    assert len(_each(ENTRY, items(), work)) == 30

    def fail(number: int) -> Collected:
        raise RuntimeError(number)

    with pytest.raises(RuntimeError):
        _each(ENTRY, [1], fail)
