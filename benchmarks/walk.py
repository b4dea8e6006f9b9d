"""Our walk against the usual boto3 walk and against the least that its calls can cost: the same calls on the same
endpoint, turn by turn; prints the ratios.

python benchmarks/walk.py [--regions 17] [--latency 100] [--profile europe] [--hang REGION] [--cli] [--check]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import measure  # noqa: E402
import serving  # noqa: E402

ROUND_TRIPS = 5  # two to open a connection, three levels of calls
OWN = {"sts:GetCallerIdentity", "ec2:DescribeRegions", "iam:ListAccountAliases", "account:ListRegions"}
BARS = {  # by profile: ours / usual in wall and CPU, ours / limit, megabytes
    "even": {"wall": 0.25, "cpu": 0.15, "limit": 3.5, "rss": 90.0},
    "europe": {"wall": 0.25, "cpu": 0.15, "limit": 2.5, "rss": 100.0},
}
READ_TIMEOUT = 30.0  # seconds: what a call that is never answered may take (postureaudit.aws.clients)


def main() -> None:
    """Parse, serve, run in turns, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    serving.add_places(parser)
    parser.add_argument("--threads", type=int, default=192, help="of our walk (192 is the product's default)")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--hosts", choices=("real", "one"), default="real", help="one: AWS_ENDPOINT_URL")
    parser.add_argument("--without-usual", action="store_true", help="ours and the least only")
    parser.add_argument("--hang", metavar="REGION", help="this region never answers: how do the others fare?")
    parser.add_argument("--cli", action="store_true", help="the whole `postureaudit audit` of a real account")
    parser.add_argument("--state", choices=("empty", "configured"), default="configured", help="with --cli")
    parser.add_argument("--check", action="store_true", help="exit 1 when a bar is missed")
    given = parser.parse_args()
    bars = measure.Bars()
    if given.hang:
        hanging(given, bars)
    elif given.cli:
        whole_command(given, bars)
    else:
        compare(given, bars)
    sys.exit(bars.code(given.check))


def child(script: str, *args: str, env: dict[str, str]) -> dict[str, Any]:
    """Run one walk in a fresh process."""
    done = measure.run([sys.executable, str(HERE / script), *args], env, interval=0.02)
    found: dict[str, Any] = json.loads(done.out)
    # From outside, with the start of the interpreter: what someone waits for and pays.
    return {**found, "wall": done.wall, "cpu": done.cpu, "rss_mb": max(found["rss_mb"], done.rss)}


def compare(given: argparse.Namespace, bars: measure.Bars) -> None:
    """The three walks in turn."""
    walks = {
        "usual": ("usual_walk.py",),
        "ours": ("aimed_walk.py", str(given.threads)),
        "least": ("least_walk.py",),
    }
    if given.without_usual:
        del walks["usual"]
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in walks}
    stats: dict[str, dict[str, Any]] = {}
    with serving.serving(**serving.placed(given)) as served:
        env = served.env(given.hosts)
        child("aimed_walk.py", str(given.threads), env=env)  # warm-up: byte code
        served.stats(reset=True)
        for _ in range(given.runs):
            for name, (script, *args) in walks.items():
                rows[name].append(child(script, *args, env=env))
                stats[name] = served.stats(reset=True)
    where = f"{given.regions} regions, {'30-290' if given.profile == 'europe' else f'{given.latency:g}'} ms"
    print(f"{where}, TLS, hosts: {given.hosts}, {given.threads} threads, {given.runs} runs, medians")
    middle = {
        name: {key: measure.median(run[key] for run in runs) for key in ("calls", "wall", "cpu", "rss_mb")}
        for name, runs in rows.items()
    }
    for name, found in middle.items():
        seen = stats[name]
        print(
            f"{name:6} {found['calls']:5.0f} calls  wall {found['wall']:6.2f} s  cpu {found['cpu']:6.2f} s  "
            f"{found['rss_mb']:4.0f} MB  {seen['connections']:4} connections, {seen['peak_in_flight']:3} in flight, "
            f"endpoint {seen['cpu']:.2f} s cpu"
        )
    asked = {
        name: {key: n for key, n in seen["counts"].items() if key not in OWN} for name, seen in stats.items()
    }
    for name in asked:
        if name != "ours":
            bars.holds(f"ours makes the same calls as the {name} walk", asked[name] == asked["ours"])
    bars.holds("no refusals in ours", rows["ours"][-1]["refusals"] == 0)
    print(f"the least walk ran on {rows['least'][-1]['loop']}")

    bar = BARS[given.profile]
    if "usual" in rows:
        for key in ("wall", "cpu"):
            ratios = [a[key] / u[key] for a, u in zip(rows["ours"], rows["usual"], strict=True)]
            bars.at_most(f"{key} ours / usual", measure.median(ratios), bar[key])
    farthest = max(serving.placed(given)["latencies"].values())
    ratios, limits = [], []
    for ours, least in zip(rows["ours"], rows["least"], strict=True):
        limits.append(max(ROUND_TRIPS * farthest, least["cpu"]))
        ratios.append(ours["wall"] / limits[-1])
    print(
        f"limit {measure.median(limits):.2f} s: the longer of {ROUND_TRIPS} round trips "
        f"({ROUND_TRIPS * farthest:.2f} s) and the least CPU ({middle['least']['cpu']:.2f} s)"
    )
    bars.at_most("wall ours / limit", measure.median(ratios), bar["limit"])
    bars.at_most("peak memory", middle["ours"]["rss_mb"], bar["rss"], unit=" MB", digits=0)


def hanging(given: argparse.Namespace, bars: measure.Bars) -> None:
    """One region accepts connections and never answers."""
    with serving.serving(**serving.placed(given), hang=[given.hang]) as served:
        env = served.env(given.hosts)
        found = child("aimed_walk.py", str(given.threads), "--outcomes", env=env)
    if given.hang not in found["regions"]:
        raise SystemExit(f"{given.hang} is none of the regions")
    others = {name: kinds for name, kinds in found["regions"].items() if name != given.hang}
    print(f"{given.regions} regions, {given.hang} never answers: {found['regions'][given.hang]}")
    unharmed = all(set(kinds) <= {"Answer", "Absent"} for kinds in others.values())
    bars.holds(f"every call of the other {len(others)} regions was answered", unharmed)
    bars.holds("the hanging region is all time-outs", set(found["regions"][given.hang]) == {"timeout"})
    bars.at_most("seconds until the end", found["wall"], READ_TIMEOUT + 5, unit=" s")


def whole_command(given: argparse.Namespace, bars: measure.Bars) -> None:
    """`postureaudit audit` with the whole catalogue, of a real account."""
    command = [sys.executable, "-m", "postureaudit", "audit", "--no-config", "--exit-zero"]
    command += ["--max-workers", str(given.threads), "-o", "json=-", "-q"]
    runs = []
    with serving.serving(**serving.placed(given), state=given.state) as served:
        env = served.env(given.hosts)
        measure.run(
            command, env, ok=(0, 3, 4)
        )  # warm-up: the endpoint makes its answers, Python its byte code
        served.stats(reset=True)
        for _ in range(given.runs):
            time.sleep(0.2)
            runs.append(measure.run(command, env, ok=(0, 3, 4)))
            seen = served.stats(reset=True)
    result = json.loads(runs[-1].out)
    print(f"`postureaudit audit`, {given.state} account, {given.regions} regions, {given.runs} runs, medians")
    wall, cpu = measure.median(run.wall for run in runs), measure.median(run.cpu for run in runs)
    memory = measure.median(run.rss for run in runs)
    print(
        f"{seen['requests']} requests in {wall:.2f} s, {cpu:.2f} s cpu, {memory:.0f} MB, "
        f"{seen['connections']} connections, {seen['peak_in_flight']} in flight, endpoint {seen['cpu']:.2f} s cpu"
    )
    print(
        f"verdicts: { {key: result['summary'][key] for key in ('fail', 'unknown', 'pass', 'not_applicable')} }"
    )
    bars.holds(
        "nothing that the endpoint could not answer",
        not (seen["bugs"] or seen["missing"]),
        str(seen["bugs"][:2] + seen["missing"][:5]),
    )
    unknown = {item["call"] for item in result["unknown"] if item["kind"] not in ("not_in_region",)}
    bars.holds("no call is unknown", not unknown, ", ".join(sorted(unknown)[:5]))


if __name__ == "__main__":
    main()
