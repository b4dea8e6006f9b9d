"""Run a process and know what it cost: seconds, CPU seconds and memory, of it and of all that it starts."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


@dataclass(frozen=True)
class Run:
    """What a process and its children cost. Memory in megabytes: `rss` of the largest process, `rss_sum` of all at
    their common peak, `pss_sum` with what they share counted once (0 where the system does not tell)."""

    code: int
    wall: float
    cpu: float
    rss: float
    rss_sum: float
    pss_sum: float
    processes: int
    out: str
    err: str


def run(
    command: Sequence[str],
    env: Mapping[str, str],
    *,
    cwd: Path | None = None,
    interval: float = 0.05,
    pss_every: int = 10,
    during: Callable[[int, float], bool] | None = None,
    ok: Iterable[int] = (0,),
) -> Run:
    """Run a command in a process group of its own and measure the whole group.

    CPU is what the kernel accounts to the process and the children it waited for, so it is exact. Memory is sampled.
    `during(pid, seconds)` is called between samples; when it gives True, the group is killed (SIGKILL).
    Raises SystemExit with the end of its stderr when the exit code is none of `ok`.
    """
    import tempfile

    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, env=dict(env), stdout=out, stderr=err, cwd=cwd, start_new_session=True
        )
        sampler = _Sampler(process.pid)
        count, killed = 0, False
        usage = None
        try:
            while usage is None:
                found, status, used = os.wait4(process.pid, os.WNOHANG)
                if found:
                    usage = used
                    process.returncode = os.waitstatus_to_exitcode(status)
                    break
                sampler.sample(pss=count % pss_every == 0)
                count += 1
                if not killed and during is not None and during(process.pid, time.perf_counter() - started):
                    os.killpg(process.pid, signal.SIGKILL)
                    killed = True
                time.sleep(interval)
        except BaseException:  # an interrupted benchmark leaves nothing running
            if usage is None:
                os.killpg(process.pid, signal.SIGKILL)
            raise
        wall = time.perf_counter() - started
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
    if not killed and process.returncode not in set(ok):
        name = " ".join(map(str, command))
        raise SystemExit(f"{name}: exit code {process.returncode}\n{texts[1][-3000:]}{texts[0][-500:]}")
    return Run(
        code=process.returncode,
        wall=wall,
        cpu=usage.ru_utime + usage.ru_stime,
        rss=max(sampler.rss, usage.ru_maxrss / 1024),
        rss_sum=max(sampler.rss_sum, usage.ru_maxrss / 1024),
        pss_sum=sampler.pss_sum,
        processes=sampler.processes,
        out=texts[0],
        err=texts[1],
    )


class _Sampler:
    def __init__(self, leader: int) -> None:
        self.leader = leader
        self.rss = self.rss_sum = self.pss_sum = 0.0
        self.processes = 1

    def sample(self, *, pss: bool) -> None:
        found = tree(self.leader)
        sizes = [size for size in map(_rss, found) if size]
        if not sizes:
            return
        self.processes = max(self.processes, len(sizes))
        self.rss = max(self.rss, *sizes)
        self.rss_sum = max(self.rss_sum, sum(sizes))
        if pss:
            self.pss_sum = max(self.pss_sum, sum(map(_pss, found)))


def tree(leader: int) -> list[int]:
    """A process and all below it."""
    found, todo = [], [leader]
    while todo:
        pid = todo.pop()
        found.append(pid)
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                todo += [int(child) for child in task.read_text().split()]
            except OSError:
                continue
    return found


def _rss(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / 2**20
    except (OSError, IndexError):
        return 0.0


def _pss(pid: int) -> float:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def median(values: Iterable[float]) -> float:
    return statistics.median(list(values))


class Bars:
    """What must hold: each is printed with what was found, and the misses are remembered."""

    def __init__(self) -> None:
        self.missed: list[str] = []

    def at_most(self, name: str, found: float, bar: float, *, unit: str = "", digits: int = 2) -> None:
        """Print a figure and its bar."""
        good = found <= bar
        mark = "ok" if good else "MISSED"
        print(f"{name}: {found:.{digits}f}{unit}  (bar {bar:g}{unit}) {mark}")
        if not good:
            self.missed.append(name)

    def holds(self, name: str, good: bool, detail: str = "") -> None:
        """Print whether something holds."""
        print(f"{name}: {'yes' if good else 'NO'}{f'  ({detail})' if detail else ''}")
        if not good:
            self.missed.append(name)

    def code(self, check: bool) -> int:
        """The exit code: 1 when a bar was missed and that matters."""
        if self.missed and check:
            print(f"missed: {'; '.join(self.missed)}")
        return 1 if self.missed and check else 0
