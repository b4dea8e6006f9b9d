"""The same organization on a Dask cluster of this machine and on local processes, and with one worker killed.

python benchmarks/dask_engine.py [--accounts 60] [--regions 2] [--workers 2] [--kill-at 0.3] [--check]

The cluster is a scheduler and workers in processes of their own, as `dask scheduler` and `dask worker` start them.
Needs the extra: pip install 'postureaudit[dask]'.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import answers  # noqa: E402
import measure  # noqa: E402
import organization  # noqa: E402
import serving  # noqa: E402

SLOWER = 2.0  # times local processes: what a scheduler may cost on one machine
AGAIN = 0.35  # of all requests: what one of two workers may have had in hand


def main() -> None:
    """Parse, serve, run on both, kill, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    serving.add_places(parser, regions=2, latency=50)
    parser.add_argument("--accounts", type=int, default=60)
    parser.add_argument("--workers", type=int, default=2, help="processes, of either kind")
    parser.add_argument("--threads", type=int, default=96, help="a process")
    parser.add_argument("--state", choices=("empty", "configured"), default="configured")
    parser.add_argument("--hosts", choices=("real", "one"), default="one")
    parser.add_argument("--kill-at", type=float, default=0.3, help="of the accounts read")
    parser.add_argument("--check", action="store_true", help="exit 1 when a bar is missed")
    given = parser.parse_args()
    if importlib.util.find_spec("distributed") is None:
        raise SystemExit("Dask is not installed: pip install 'postureaudit[dask]'")
    given.engine, given.services = [], []
    bars = measure.Bars()
    ids = answers.account_ids(given.accounts)
    with (
        serving.serving(**serving.placed(given), state=given.state, accounts=given.accounts) as served,
        tempfile.TemporaryDirectory(prefix="postureaudit-dask-") as name,
    ):
        found = organization.Organization(given, served, ids, Path(name))
        found.warm()
        local = measure.run(found.command("whole"), found.env, ok=(0, 3, 4))
        asked = served.stats(reset=True)["requests"]
        print(f"{given.accounts} accounts x {given.regions} regions, {found.where()}, {asked} requests")
        print(
            f"local, {given.workers} processes: {local.wall:.1f} s, {local.cpu:.1f} s cpu, {local.pss_sum:.0f} MB"
        )
        with cluster(given, found.env, Path(name)) as (address, pids):
            more = ("--engine", "dask", "--scheduler", address)
            before = sum(map(_cpu, pids()))
            run = measure.run(found.command("dask", *more), found.env, ok=(0, 3, 4))
            cpu = sum(map(_cpu, pids())) - before
            memory = sum(map(measure._pss, pids())) + run.pss_sum
            served.stats(reset=True)
            print(
                f"dask, {given.workers} workers: {run.wall:.1f} s, {run.cpu:.1f} s cpu here and {cpu:.1f} s in the "
                f"cluster, {memory:.0f} MB with it"
            )
            bars.at_most("wall, dask / local", run.wall / local.wall, SLOWER)
            differing = found.differing("whole", "dask")
            bars.holds("the result is that of local processes", not differing, "; ".join(differing[:3]))
            killing(given, found, served, address, asked, bars)
    sys.exit(bars.code(given.check))


def killing(
    given: argparse.Namespace,
    found: organization.Organization,
    served: serving.Served,
    address: str,
    asked: int,
    bars: measure.Bars,
) -> None:
    """SIGKILL for one worker, by its process id, while accounts are read."""
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        workers = sorted(client.run(os.getpid).values())
    killed: list[int] = []

    def there(_: int, __: float) -> bool:
        read = len(found.files(found.folder / "killed", "collected.json"))
        if not killed and read >= given.kill_at * given.accounts:
            os.kill(workers[0], signal.SIGKILL)
            killed.append(read)
        return False

    more = ("--engine", "dask", "--scheduler", address)
    run = measure.run(found.command("killed", *more), found.env, interval=0.02, during=there, ok=(0, 3, 4))
    requests = served.stats(reset=True)["requests"]
    bars.holds("a worker was killed", bool(killed), f"{killed[0]} accounts were read" if killed else "")
    print(f"with one of {len(workers)} workers killed: {run.wall:.1f} s, {requests} requests")
    bars.at_most("requests made again / all", (requests - asked) / asked, AGAIN)
    differing = found.differing("whole", "killed")
    bars.holds("the result is the same", not differing, "; ".join(differing[:3]))


@contextlib.contextmanager
def cluster(given: argparse.Namespace, env: dict[str, str], folder: Path) -> Iterator[tuple[str, object]]:
    """A scheduler and its workers; the address, and a function that gives all their process ids."""
    env = {**env, "DASK_DISTRIBUTED__WORKER__DAEMON": "False"}
    file = folder / "scheduler.json"
    start = [sys.executable, "-m", "dask"]
    common = {"env": env, "cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    processes = [
        subprocess.Popen(
            [
                *start,
                "scheduler",
                "--host",
                "127.0.0.1",
                "--port",
                "0",
                "--no-dashboard",
                "--scheduler-file",
                str(file),
            ],
            **common,  # type: ignore[call-overload]  # the values fit
        )
    ]
    try:
        end = time.monotonic() + 60
        while not file.exists():
            if time.monotonic() > end or processes[0].poll() is not None:
                raise SystemExit("the scheduler did not start")
            time.sleep(0.1)
        address = json.loads(file.read_text())["address"]
        command = [
            *start,
            "worker",
            address,
            "--nworkers",
            str(given.workers),
            "--nthreads",
            "1",
            "--no-dashboard",
        ]
        command += ["--local-directory", str(folder / "dask-space")]
        processes.append(subprocess.Popen(command, **common))  # type: ignore[call-overload]  # the same
        _wait(address, given.workers)

        def pids() -> list[int]:
            return [pid for process in processes for pid in measure.tree(process.pid)]

        yield address, pids
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait()


def _wait(address: str, workers: int) -> None:
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(workers, timeout=60)


def _cpu(pid: int) -> float:
    """CPU seconds of a process so far, with the children it has waited for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
