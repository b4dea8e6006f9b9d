"""Our walk against the usual boto3 walk: the same calls, the same endpoint, turn by turn; prints the ratios."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
BARS = {"wall": 0.4, "cpu": 0.3}
RSS_BAR = 110


def counts(url: str, bundle: Path) -> dict[str, int]:
    """How often the endpoint was asked for each operation so far."""
    import ssl

    context = ssl.create_default_context(cafile=str(bundle))
    with urllib.request.urlopen(url + "/_stats", context=context) as answer:
        found: dict[str, int] = json.load(answer)["counts"]
    return found


def child(script: str, *args: str, env: dict[str, str]) -> dict[str, Any]:
    """Run one walk in a fresh process."""
    done = subprocess.run(
        [sys.executable, str(HERE / script), *args], env=env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{script} failed:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    """Parse, serve, run in turns, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--regions", type=int, default=17)
    parser.add_argument("--latency", type=float, default=100, help="milliseconds")
    parser.add_argument("--threads", type=int, default=128)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--check", action="store_true", help="exit 1 when a bar is missed")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sys.path.insert(0, str(HERE))
        from endpoint import certificate

        server, bundle = certificate(Path(folder))
        command = [
            sys.executable,
            str(HERE / "endpoint.py"),
            str(server),
            str(given.latency),
            str(given.regions),
        ]
        endpoint = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert endpoint.stdout is not None
            url = f"https://127.0.0.1:{endpoint.stdout.readline().strip()}"
            missed = compare(url, bundle, given)
        finally:
            endpoint.terminate()
            endpoint.wait()
    sys.exit(1 if missed and given.check else 0)


def compare(url: str, bundle: Path, given: argparse.Namespace) -> bool:
    """Run both walks in turn; True when a bar is missed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    env = {
        **kept,
        "AWS_ENDPOINT_URL": url,
        "AWS_CA_BUNDLE": str(bundle),
        "AWS_ACCESS_KEY_ID": "AKIABENCH",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "PYTHONPATH": str(HERE.parent / "src"),
    }
    child("aimed_walk.py", str(given.threads), env=env)  # warm-up: byte code
    before = counts(url, bundle)
    rows: dict[str, list[dict[str, Any]]] = {"usual": [], "aimed": []}
    per_walk: dict[str, dict[str, int]] = {}
    for _ in range(given.runs):
        for name, script, args in (
            ("usual", "usual_walk.py", ()),
            ("aimed", "aimed_walk.py", (str(given.threads),)),
        ):
            rows[name].append(child(script, *args, env=env))
            after = counts(url, bundle)
            per_walk[name] = {
                key: after[key] - before.get(key, 0) for key in after if after[key] != before.get(key, 0)
            }
            before = after
    own = {"GetCallerIdentity", "DescribeRegions", "ListAccountAliases", "POST /listRegions"}
    same = {key: value for key, value in per_walk["usual"].items() if key not in own} == {
        key: value for key, value in per_walk["aimed"].items() if key not in own
    }
    print(
        f"{given.regions} regions, {given.latency:g} ms, TLS, {given.threads} threads, {given.runs} runs, medians"
    )
    print(f"same calls: {same}; refusals in ours: {rows['aimed'][-1]['refusals']}")
    middle = {
        name: {key: statistics.median(run[key] for run in runs) for key in ("calls", "wall", "cpu", "rss_mb")}
        for name, runs in rows.items()
    }
    for name, found in middle.items():
        times = f"wall {found['wall']:6.2f} s  cpu {found['cpu']:6.2f} s"
        print(f"{name:6} {found['calls']:5.0f} calls  {times}  {found['rss_mb']:5.0f} MB")
    missed = not same
    for key, bar in BARS.items():
        ratio = statistics.median(a[key] / u[key] for a, u in zip(rows["aimed"], rows["usual"], strict=True))
        missed = missed or ratio > bar
        print(f"{key:5} ours / usual: {ratio:.2f}  (bar {bar})")
    print(f"peak memory: {middle['aimed']['rss_mb']:.0f} MB  (bar {RSS_BAR})")
    return missed or middle["aimed"]["rss_mb"] > RSS_BAR


if __name__ == "__main__":
    main()
