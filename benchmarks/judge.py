"""CPU of judging saved evidence, by stage: the demo's account, and a large one full of rules; no network.

python benchmarks/judge.py [--evidence FILE] [--rules 100] [--regions 6] [--runs 3] [--profile] [--check]

Each run is a process of its own that judges once, as a command does. The unit beside the seconds is this machine's
speed: the CPU of a fixed piece of Python. The digest is of all findings and routes: it must not change when the code
becomes faster.
"""

from __future__ import annotations

import argparse
import cProfile
import gzip
import hashlib
import json
import pstats
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

STAGES = ("catalogue", "load", "evaluate", "routes", "json")
# Judging (evaluate and routes together) in units of this machine's speed, see speed(): a quarter above what it was when
# the bars were set.
BARS = {"demo": 50.0, "large": 160.0}


def main() -> None:
    """Parse, run each in processes of its own, print; or be one of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--evidence", type=Path, help="this file, not the two")
    parser.add_argument("--rules", type=int, default=100, help="of the large account, a region")
    parser.add_argument("--regions", type=int, default=6, help="of the large account, at most 6")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--profile", action="store_true", help="where the time goes")
    parser.add_argument("--check", action="store_true", help="exit 1 when a bar is missed")
    parser.add_argument("--as", dest="part", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part:
        print(json.dumps(judged(given, given.part)))
        return
    import measure
    import serving

    bars = measure.Bars()
    for name in ["given"] if given.evidence else ["demo", "large"]:
        command = [
            sys.executable,
            __file__,
            "--as",
            name,
            "--rules",
            str(given.rules),
            "--regions",
            str(given.regions),
        ]
        command += ["--evidence", str(given.evidence)] if given.evidence else []
        runs = []
        for _ in range(given.runs):
            done = measure.run(command, serving.plain_env())
            runs.append({**json.loads(done.out), "rss": done.rss})
        last = runs[-1]
        print(f"{name}: {last['records']} answers, {last['findings']} findings, {last['routes']} routes")
        stages = {stage: measure.median(run["cpu"][stage] for run in runs) for stage in STAGES}
        print("  " + ", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in stages.items()))
        rss, unit = (measure.median(run[key] for run in runs) for key in ("rss", "unit"))
        print(f"  {rss:.0f} MB, unit {unit * 1000:.0f} ms, digest {last['digest'][:16]}")
        bars.holds("  every run has the same digest", len({run["digest"] for run in runs}) == 1)
        together = measure.median(
            (run["cpu"]["evaluate"] + run["cpu"]["routes"]) / run["unit"] for run in runs
        )
        if name in BARS:
            bars.at_most(f"  judging {name}, in units", together, BARS[name], digits=1)
        else:
            print(f"  judging, in units: {together:.1f}")
    if given.profile:
        for name in ["given"] if given.evidence else ["demo", "large"]:
            profile = cProfile.Profile()
            profile.runcall(judged, given, name)
            pstats.Stats(profile).sort_stats("tottime").print_stats(25)
    sys.exit(bars.code(given.check))


def speed() -> float:
    """CPU seconds of a fixed piece of Python: dictionaries, text and calls, as judging does."""

    def piece(number: int) -> int:
        found = {f"name-{item}": [item, str(item)] for item in range(100)}
        return sum(len(key) + value[0] for key, value in sorted(found.items()) if key.endswith("7")) + number

    started = time.process_time()
    for number in range(1000):
        piece(number)
    return time.process_time() - started


def judged(given: argparse.Namespace, name: str) -> dict[str, Any]:
    """CPU seconds by stage, in this process."""
    cpu: dict[str, float] = {}

    def timed(stage: str, function: Callable[[], Any]) -> Any:
        started = time.process_time()
        found = function()
        cpu[stage] = cpu.get(stage, 0.0) + time.process_time() - started
        return found

    import datetime

    from postureaudit import catalog as catalogs
    from postureaudit import evidence as files
    from postureaudit.evaluate import evaluate
    from postureaudit.judging import Judging, judge
    from postureaudit.render import Style, renderer
    from postureaudit.resources import View
    from postureaudit.signals import routes

    data = contents(given, name)
    catalog = timed("catalogue", catalogs.builtin)
    evidence = timed("load", lambda: files.loads(data, name=name))
    views = {account.id: View(evidence, account.id) for account in evidence.header.accounts}
    traced = timed("routes", lambda: [list(routes.routes(view)) for view in views.values()])
    findings = timed("evaluate", lambda: evaluate(evidence, catalog, views=views))
    ids = frozenset(check.id for check in catalog.checks)
    by = Judging(ids=ids, today=datetime.date(2026, 1, 1))
    report, _ = judge(evidence, catalog, by)
    text = timed("json", lambda: renderer("json")(report, Style()))
    document = json.loads(text)
    kept = json.dumps([document["findings"], document["signals"]], sort_keys=True)
    return {
        "cpu": cpu,
        "records": len(evidence),
        "findings": len(findings),
        "routes": sum(map(len, traced)),
        "digest": hashlib.sha256(kept.encode()).hexdigest(),
        "unit": speed(),
    }


def contents(given: argparse.Namespace, name: str) -> bytes:
    """The evidence as it is on disk, unpacked."""
    from importlib.resources import files as package_files

    from postureaudit import evidence as files

    if name == "given":
        data = given.evidence.read_bytes()
        return gzip.decompress(data) if given.evidence.suffix == ".gz" else data
    if name == "demo":
        return gzip.decompress((package_files("postureaudit") / "data" / "demo.json.gz").read_bytes())
    import tempfile

    import trace_signals

    made = trace_signals.evidence(trace_signals.NAMES[: given.regions], given.rules, 4)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.json"
        files.save(made, path)
        return path.read_bytes()


if __name__ == "__main__":
    main()
