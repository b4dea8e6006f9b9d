"""What one call costs in CPU: our clients against a bare boto3 client loop, the same calls, one process each.

python benchmarks/percall.py [--calls 1000] [--threads 1] [--check]

No latency; connections are open and clients made before the measured part, which is repeated. Both work with the same
number of threads on the same endpoint, turn by turn.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

BAR = 0.5  # ours / boto3, CPU of a call


def main() -> None:
    """Parse, serve, run in turns, print; or be one of the measured processes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--check", action="store_true", help="exit 1 when the bar is missed")
    parser.add_argument("--as", dest="part", choices=("boto3", "ours"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part:
        json.dump(measured(given), sys.stdout)
        return
    import measure
    import places
    import serving

    bars = measure.Bars()
    rows: dict[str, list[dict[str, Any]]] = {"boto3": [], "ours": []}
    latencies = places.latencies(("us-east-1",), profile="even", latency=0)
    with serving.serving(regions=("us-east-1",), latencies=latencies) as served:
        env = served.env("one")
        for number in range(given.runs):
            for name in rows if number % 2 else reversed(rows):
                command = [sys.executable, __file__, "--as", name]
                command += ["--calls", str(given.calls), "--threads", str(given.threads)]
                rows[name].append(json.loads(measure.run(command, env).out))
    for name, runs in rows.items():
        cpu, wall = (measure.median(run[key] for run in runs) for key in ("cpu", "wall"))
        print(f"{name:6} {cpu * 1000:6.3f} ms CPU a call, {1 / wall:6.0f} calls a second")
    print(f"{given.calls} calls, {given.threads} threads, {given.runs} runs, medians")
    ratios = [a["cpu"] / b["cpu"] for a, b in zip(rows["ours"], rows["boto3"], strict=True)]
    bars.at_most("CPU of a call, ours / boto3", measure.median(ratios), BAR)
    sys.exit(bars.code(given.check))


def measured(given: argparse.Namespace) -> dict[str, float]:
    """CPU and wall of one call of the mix, in this process."""
    import mix

    calls = [*mix.FIRST, *mix.SECOND]
    ask = ours(given.threads) if given.part == "ours" else bare(given.threads)

    def loop(share: int) -> None:
        for number in range(share):
            ask(*calls[number % len(calls)])

    with ThreadPoolExecutor(given.threads) as pool:
        barrier = threading.Barrier(given.threads)

        def warm(_: int) -> None:
            barrier.wait()
            loop(2 * len(calls))

        list(pool.map(warm, range(given.threads)))
        before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        list(pool.map(loop, [given.calls // given.threads] * given.threads))
        wall = time.perf_counter() - started
        after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    done = given.calls // given.threads * given.threads
    return {"cpu": cpu / done, "wall": wall / done}


def bare(threads: int) -> Any:
    """boto3's clients, as everyone uses them; one a service, because a client can be shared between threads."""
    import boto3
    import botocore
    import botocore.config

    import mix

    session = boto3.session.Session(region_name="us-east-1")
    config = botocore.config.Config(max_pool_connections=max(10, threads))
    names = {service for service, _, _ in (*mix.FIRST, *mix.SECOND)}
    clients = {name: session.client(name, config=config) for name in names}

    def ask(service: str, operation: str, params: dict[str, Any]) -> None:
        getattr(clients[service], botocore.xform_name(operation))(**params)

    return ask


def ours(threads: int) -> Any:
    """Our clients, as the walk uses them: what comes back is the plain answer that evidence keeps."""
    from postureaudit.aws.session import open_session

    session = open_session(max_workers=threads)
    clients, credentials = session.clients, session.credentials

    def ask(service: str, operation: str, params: dict[str, Any]) -> None:
        clients.answer(service, operation, params, region="us-east-1", credentials=credentials)

    return ask


if __name__ == "__main__":
    main()
