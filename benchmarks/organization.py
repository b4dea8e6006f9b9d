"""An organization of many accounts: wall, CPU and memory by stage, growth, throttles, and what a kill costs.

python benchmarks/organization.py --accounts 100 --regions 17 [--check]       with --services, some of the calls
python benchmarks/organization.py --accounts 200 1000 --regions 2 --check       growth from the first to the last
python benchmarks/organization.py --accounts 100 --regions 2 --kill-at 0.3 0.8  SIGKILL, then --resume
python benchmarks/organization.py --accounts 20 --regions 17 --throttle         the endpoint keeps AWS's limits
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import answers  # noqa: E402
import limits  # noqa: E402
import measure  # noqa: E402
import places  # noqa: E402
import serving  # noqa: E402
from postureaudit.org.collect import Entry  # noqa: E402

ROLE = "Audit"
BARS = {(100, 17): (60.0, 160.0)}  # by (accounts, regions): seconds, megabytes
GROWTH = 1.1  # times the accounts' growth: 5.5 from 200 to 1,000
MORE_MEMORY = 30.0  # megabytes
SPREAD = (
    1.05  # a request more in twenty than an uninterrupted run: what a kill may cost beside accounts half-read
)
TIMES = {"started", "ended", "at", "seconds", "generated", "evidence_sha256", "inputs", "AgeHours"}
OWN = (answers.MANAGEMENT, answers.SECURITY, answers.ARCHIVE)


def main() -> None:
    """Parse, serve, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    serving.add_places(parser, latency=50)
    parser.add_argument("--accounts", type=int, nargs="+", default=[100])
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--threads", type=int, default=96, help="a process (96 is the product's default)")
    parser.add_argument("--state", choices=("empty", "configured"), default="configured")
    parser.add_argument("--hosts", choices=("real", "one"), default="one")
    parser.add_argument(
        "--refusing", type=float, default=0.0, help="the share of accounts that let nobody in"
    )
    parser.add_argument("--throttle", action="store_true", help="the endpoint enforces AWS's limits")
    parser.add_argument(
        "--kill-at", type=float, nargs="*", default=[], metavar="FRACTION", help="of the whole work"
    )
    parser.add_argument("--services", nargs="*", default=[], help="these services' checks alone [all]")
    parser.add_argument("--engine", nargs="*", default=[], help="further options of postureaudit audit")
    parser.add_argument("--check", action="store_true", help="exit 1 when a bar is missed")
    given = parser.parse_args()
    bars = measure.Bars()
    runs = []
    for count in given.accounts:
        ids = answers.account_ids(count)
        refusing = ids[len(ids) - math.floor(count * given.refusing) :] if given.refusing else ()
        with (
            serving.serving(
                **serving.placed(given),
                state=given.state,
                accounts=count,
                throttle=given.throttle,
                refusing=refusing,
            ) as served,
            tempfile.TemporaryDirectory(prefix="postureaudit-org-") as name,
        ):
            organization = Organization(given, served, ids, Path(name))
            runs.append(organization.whole(bars, refusing))
            for fraction in given.kill_at:
                organization.killed(fraction, bars)
    if len(runs) > 1:
        grown(given, runs, bars)
    sys.exit(bars.code(given.check))


def grown(given: argparse.Namespace, runs: list[measure.Run], bars: measure.Bars) -> None:
    """From the first size to the last."""
    factor = given.accounts[-1] / given.accounts[0]
    name = f"{given.accounts[0]} to {given.accounts[-1]} accounts"
    bars.at_most(f"{name}: time grows", runs[-1].wall / runs[0].wall, GROWTH * factor, unit="x")
    bars.at_most(f"{name}: cpu grows", runs[-1].cpu / runs[0].cpu, GROWTH * factor, unit="x")
    more = runs[-1].rss - runs[0].rss
    bars.at_most(f"{name}: the largest process grows", more, MORE_MEMORY, unit=" MB", digits=0)
    more = runs[-1].pss_sum - runs[0].pss_sum
    bars.at_most(f"{name}: all processes together grow", more, MORE_MEMORY, unit=" MB", digits=0)


class Organization:
    """Audits of one simulated organization."""

    def __init__(
        self, given: argparse.Namespace, served: serving.Served, ids: tuple[str, ...], folder: Path
    ) -> None:
        self.given, self.served, self.ids, self.folder = given, served, ids, folder
        self.env = served.env(given.hosts)

    def command(self, name: str, *more: str) -> list[str]:
        """The audit that writes into a directory of this name."""
        found = [sys.executable, "-m", "postureaudit", "audit", "--org", "--role-name", ROLE, "--no-config"]
        found += ["--output-dir", str(self.folder / name), "--workers", str(self.given.workers)]
        found += ["--max-workers", str(self.given.threads), "-q", "--exit-zero"]
        found += ["-o", f"jsonl={self.folder / name}.jsonl", *self.given.engine]
        found += [word for service in self.given.services for word in ("--service", service)]
        return [*found, *more]

    def warm(self) -> None:
        """Have the endpoint make its answers: one account of each kind, all regions."""
        some = [word for name in self.ids[:5] for word in ("--account", name)]
        measure.run(self.command("warm", *some), self.env, ok=(0, 3, 4))
        self.served.stats(reset=True)

    def whole(self, bars: measure.Bars, refusing: tuple[str, ...]) -> measure.Run:
        """One uninterrupted run."""
        given, count = self.given, len(self.ids)
        self.warm()
        run = measure.run(self.command("whole"), self.env, ok=(0, 3, 4))
        self.stats = seen = self.served.stats(reset=True)
        print(
            f"\n{count} accounts x {given.regions} regions, {given.state}, {given.workers} processes, "
            f"{given.threads} threads, {self.where()}, checks of {' '.join(given.services) or 'all services'}: "
            f"{seen['requests'] / count / given.regions:.0f} calls a region"
        )
        print(
            f"{seen['requests']} requests in {run.wall:.1f} s ({seen['requests'] / run.wall:.0f} a second), "
            f"{run.cpu:.1f} s cpu; endpoint {seen['cpu']:.1f} s cpu, {seen['connections']} connections, "
            f"{seen['peak_in_flight']} in flight"
        )
        print(
            f"memory: largest process {run.rss:.0f} MB, all {run.processes} processes {run.rss_sum:.0f} MB "
            f"(shared pages counted once: {run.pss_sum:.0f} MB)"
        )
        for stage in self.stages("whole"):
            print(
                f"  {stage['name']:8} {stage['seconds']:7.2f} s  {stage['cpu']:7.2f} s cpu  "
                f"largest process so far {stage['peak_mib']:.0f} MB"
            )
        self.sound(bars, refusing)
        if given.throttle:
            self.throttled(bars)
        if (count, given.regions) in BARS:
            seconds, megabytes = BARS[count, given.regions]
            bars.at_most("seconds", run.wall, seconds, unit=" s", digits=1)
            bars.at_most(
                "memory of all processes, shared pages once", run.pss_sum, megabytes, unit=" MB", digits=0
            )
        return run

    def where(self) -> str:
        """How far AWS is, in words."""
        far = "30-290 ms" if self.given.profile == "europe" else f"{self.given.latency:g} ms"
        return f"{far}, hosts: {self.given.hosts}"

    def stages(self, name: str) -> list[dict[str, Any]]:
        """What the product says of its stages, if it does."""
        try:
            found = json.loads((self.folder / name / "stages.json").read_text())
        except OSError:
            return []
        return [{"name": stage, **figures} for stage, figures in found.items()]

    def sound(self, bars: measure.Bars, refusing: tuple[str, ...]) -> None:
        """What the run says of itself."""
        seen = self.stats
        found = json.loads((self.folder / "whole" / "organization.json").read_text())
        counts = found["counts"]
        print(f"verdicts: {counts}")
        wrong = seen["bugs"][:2] + seen["missing"][:5]
        bars.holds("nothing that the endpoint could not answer", not wrong, "; ".join(wrong))
        bars.holds("every account is in the result", len(found["accounts"]) == len(self.ids))
        refused = [row["account"] for row in found["accounts"] if row["state"] == "refused"]
        bars.holds(f"{len(refusing)} accounts let nobody in", sorted(refused) == sorted(refusing))
        blind = {f"{item['call']} {item['kind']}" for item in found["blind"]}
        blind -= {"sts:AssumeRole denied"} if refusing else set()
        bars.holds("no call is unknown", not blind, ", ".join(sorted(blind)[:5]))

    def throttled(self, bars: measure.Bars) -> None:
        """How near the run came to AWS's limits, as the server counted."""
        seen = self.stats
        total = sum(seen["throttles"].values())
        peaks = sorted(seen["peak_tps"].items(), key=lambda item: -item[1])[:8]
        print(
            "most requests in a second, of one account and region: " + ", ".join(f"{k} {n}" for k, n in peaks)
        )
        print(f"published limits: {', '.join(f'{k} {r}/s' for k, (r, _) in limits.PUBLISHED.items())}")
        guesses = (f"{name or 'others'} {rate}/s" for name, (rate, _) in limits.GUESSED.items())
        print(f"guesses: {', '.join(guesses)}")
        detail = ", ".join(f"{name} {count}" for name, count in sorted(seen["throttles"].items())[:5])
        bars.at_most(
            f"throttles {f'({detail}) ' if detail else ''}in a thousand requests",
            1000 * total / max(seen["requests"], 1),
            1,
        )

    def killed(self, fraction: float, bars: measure.Bars) -> None:
        """Kill everything at a point of the run, go on with --resume, and compare with the uninterrupted run."""
        name = f"killed-{fraction:g}"
        goal = fraction * 2 * len(self.ids)
        folder = self.folder / name

        def there(_: int, __: float) -> bool:
            return len(self.files(folder, "collected.json")) + len(self.files(folder, "summary.json")) >= goal

        first = measure.run(
            self.command(name), self.env, interval=0.02, pss_every=10**9, during=there, ok=(0, 3, 4)
        )
        time.sleep(0.3)
        before = self.served.stats(reset=True)
        read = self.files(folder, "collected.json")
        judged = self.files(folder, "summary.json")
        print(
            f"\nkilled (signal {-first.code}) at {fraction:g} of the work: {len(read)} accounts read, {len(judged)} "
            f"judged, {before['requests']} requests"
        )
        if first.code != -9:
            bars.holds("the run was killed before it ended", False)
            return
        second = measure.run(self.command(name, "--resume"), self.env, ok=(0, 3, 4))
        after = self.served.stats(reset=True)
        print(f"resumed: {second.wall:.1f} s, {after['requests']} requests")
        twice = sum(after["accounts"].get(account, 0) for account in read if account not in OWN)
        bars.holds("what was read is not read again", twice == 0, f"{twice} requests")
        total = before["requests"] + after["requests"]
        regions = places.regions(self.given.regions)
        entry = Entry(partition="aws", leader="", own="", role_name=ROLE, regions=regions)
        half = self.given.workers * entry.at_once * math.ceil(self.stats["requests"] / len(self.ids))
        most = (self.stats["requests"] * SPREAD + half) / self.stats["requests"]
        bars.at_most("requests of both parts / of an uninterrupted run", total / self.stats["requests"], most)
        differing = self.differing("whole", name)
        bars.holds("the result is that of the uninterrupted run", not differing, "; ".join(differing[:3]))

    def files(self, folder: Path, name: str) -> set[str]:
        """The accounts that have such a file."""
        return {path.parent.name for path in folder.glob(f"accounts/*/{name}")}

    def differing(self, one: str, other: str) -> list[str]:
        """The files of two runs that differ in more than times."""
        found = []
        names = [
            f"accounts/{name}/{file}" for name in self.ids for file in ("findings.jsonl", "summary.json")
        ]
        for name in [*names, "organization.json"]:
            if where := _difference(_plain(self.folder / one / name), _plain(self.folder / other / name)):
                found.append(f"{name}{where}")
        if where := _difference(_plain(self.folder / f"{one}.jsonl"), _plain(self.folder / f"{other}.jsonl")):
            found.append(f"the jsonl report{where}")
        return found


def _difference(one: Any, other: Any) -> str:
    """Where two JSON values differ first, and how; "" where they do not."""
    if isinstance(one, dict) and isinstance(other, dict) and set(one) == set(other):
        parts = ((f".{key}", value, other[key]) for key, value in one.items())
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        parts = ((f"[{number}]", *pair) for number, pair in enumerate(zip(one, other, strict=True)))
    else:
        return "" if one == other else f": {str(one)[:80]} and {str(other)[:80]}"
    return next((name + inner for name, a, b in parts if (inner := _difference(a, b))), "")


def _plain(path: Path) -> list[Any]:
    """A file's JSON values without times, and without digests of what holds times."""

    def without(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: without(item) for key, item in value.items() if key.rpartition(".")[2] not in TIMES}
        return [without(item) for item in value] if isinstance(value, list) else value

    return [without(json.loads(line)) for line in path.read_text().splitlines() if line.strip()]


if __name__ == "__main__":
    main()
