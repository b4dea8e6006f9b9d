"""postureaudit beside Prowler, sra-verify and ScoutSuite: the same account, the same endpoint, turn by turn.

python benchmarks/side_by_side.py [--cache FOLDER] [--tools prowler sraverify scoutsuite] [--regions 17] [--check]

Each program is installed from PyPI into an environment of its own below --cache (a temporary folder by default; kept
otherwise). It needs `uv` or Python's venv, and a Python from 3.10 to 3.12 for Prowler.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import answers  # noqa: E402
import measure  # noqa: E402
import serving  # noqa: E402

SERVICES = ("cloudtrail", "config", "guardduty", "securityhub")
# Ours / each of the others. We make more calls than they do, so CPU and memory are not to be more than theirs.
BARS = {"wall": 0.25, "cpu": 1.0, "rss": 1.25}


@dataclass(frozen=True)
class Tool:
    """A program: what it is asked to do, how, and how to count what it found."""

    name: str
    asked: str
    commands: Callable[
        [Path, Path, tuple[str, ...]], list[list[str]]
    ]  # (its python's folder, output, regions)
    findings: Callable[[Path], int]
    ok: tuple[int, ...] = (0,)
    package: str = ""


def _ours(services: tuple[str, ...]) -> Callable[[Path, Path, tuple[str, ...]], list[list[str]]]:
    def commands(_: Path, out: Path, __: tuple[str, ...]) -> list[list[str]]:
        command = [
            sys.executable,
            "-m",
            "postureaudit",
            "audit",
            "--no-config",
            "-q",
            "-o",
            f"json={out / 'o.json'}",
        ]
        return [[*command, *(word for name in services for word in ("-s", name))]]

    return commands


def _our_findings(out: Path) -> int:
    found = json.loads((out / "o.json").read_text())
    return sum(len(item["places"]) for item in found["findings"])


def _prowler(where: Path, out: Path, regions: tuple[str, ...]) -> list[list[str]]:
    command = [str(where / "prowler"), "aws", "-s", *SERVICES, "-b", "--no-color", "-M", "json-ocsf", "csv"]
    return [[*command, "-o", str(out), "-F", "prowler", "-z", "-f", *regions]]


def _prowler_findings(out: Path) -> int:
    return len(json.loads((out / "prowler.ocsf.json").read_text()))


def _sraverify(all_at_once: bool) -> Callable[[Path, Path, tuple[str, ...]], list[list[str]]]:
    def commands(where: Path, out: Path, regions: tuple[str, ...]) -> list[list[str]]:
        command = [str(where / "sraverify"), "--regions", ",".join(regions), "--account-type", "all"]
        command += ["--audit-account", answers.SECURITY, "--log-archive-account", answers.ARCHIVE]
        if all_at_once:
            return [[*command, "--output", str(out / "all.csv")]]
        names = ("CloudTrail", "Config", "GuardDuty", "Security Hub CSPM")
        return [
            [*command, "--service", name, "--output", str(out / f"{name.split()[0]}.csv")] for name in names
        ]

    return commands


def _rows(out: Path) -> int:
    count = 0
    for path in out.glob("*.csv"):
        with path.open(newline="") as file:
            count += max(sum(1 for _ in csv.reader(file)) - 1, 0)
    return count


def _scout(where: Path, out: Path, regions: tuple[str, ...]) -> list[list[str]]:
    command = [str(where / "scout"), "aws", "--services", "cloudtrail", "config", "--no-browser", "-f"]
    return [[*command, "--report-dir", str(out), "--report-name", "scout", "-r", *regions]]


def _scout_findings(out: Path) -> int:
    text = next(out.glob("scoutsuite-results/scoutsuite_results_*.js")).read_text()
    found = json.loads(text[text.index("{") :])
    return sum(len(service.get("findings", {})) for service in found["services"].values())


TOOLS = (
    Tool(
        "postureaudit",
        "CloudTrail, Config, GuardDuty, Security Hub, and the buckets and keys behind",
        _ours(SERVICES),
        _our_findings,
        ok=(0, 3, 4),
    ),
    Tool("prowler", "the same four services", _prowler, _prowler_findings, package="prowler"),
    Tool(
        "sraverify",
        "the same four, one run each: it takes one --service",
        _sraverify(False),
        _rows,
        package="sraverify",
    ),
    Tool(
        "scoutsuite",
        "CloudTrail and Config: it has no GuardDuty and no Security Hub",
        _scout,
        _scout_findings,
        ok=(0, 200),
        package="scoutsuite",
    ),
    Tool("postureaudit, all", "everything it knows", _ours(()), _our_findings, ok=(0, 3, 4)),
    Tool("sraverify, all", "everything it knows", _sraverify(True), _rows, package="sraverify"),
)


def main() -> None:
    """Install, serve, run in turns, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    serving.add_places(parser, latency=50)
    parser.add_argument(
        "--tools", nargs="+", default=["prowler", "sraverify"], help="scoutsuite as well, if wanted"
    )
    parser.add_argument("--cache", type=Path, help="keep the programs here")
    parser.add_argument("--python", help="for the others' environments; Prowler takes no 3.13")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--show", action="store_true", help="the calls of each, by operation")
    parser.add_argument("--check", action="store_true", help="exit 1 when a bar is missed")
    given = parser.parse_args()
    bars = measure.Bars()
    with tempfile.TemporaryDirectory(prefix="postureaudit-side-") as name:
        cache = given.cache or Path(name)
        folders = {tool: installed(tool, cache, given.python) for tool in given.tools}
        chosen = [tool for tool in TOOLS if not tool.package or tool.package in folders]
        rows: dict[str, list[dict[str, Any]]] = {tool.name: [] for tool in chosen}
        place = serving.placed(given)
        with serving.serving(**place, state="configured", accounts=4, lenient=True) as served:
            env = served.env("real")
            for number in range(-1, given.runs):  # the first is a warm-up: answers and byte code are made
                for tool in chosen:
                    row = measured(
                        tool, folders.get(tool.package, Path()), Path(name), place["regions"], env, served
                    )
                    if number >= 0:
                        rows[tool.name].append(row)
    print(f"{given.regions} regions, {given.latency:g} ms, a management account, {given.runs} runs, medians")
    for tool in chosen:
        tell(tool, rows[tool.name], given.show)
    compare(chosen, rows, bars)
    sys.exit(bars.code(given.check))


def measured(
    tool: Tool,
    where: Path,
    folder: Path,
    regions: tuple[str, ...],
    env: dict[str, str],
    served: serving.Served,
) -> dict[str, Any]:
    """One run of a program: all its commands, one after the other."""
    out = Path(tempfile.mkdtemp(dir=folder))
    if tool.package:
        env = {**env, "PYTHONPATH": str(HERE / "hosts")}
    served.stats(reset=True)
    runs = [measure.run(command, env, cwd=out, ok=tool.ok) for command in tool.commands(where, out, regions)]
    seen = served.stats(reset=True)
    found = {
        "wall": sum(run.wall for run in runs),
        "cpu": sum(run.cpu for run in runs),
        "rss": max(run.rss for run in runs),
        "codes": [run.code for run in runs],
        "findings": tool.findings(out),
        "stats": seen,
    }
    shutil.rmtree(out)
    if not found["findings"]:
        raise SystemExit(f"{tool.name} printed no finding:\n{runs[-1].err[-2000:]}{runs[-1].out[-2000:]}")
    return found


def tell(tool: Tool, rows: list[dict[str, Any]], show: bool) -> None:
    """A program's line, and what it was asked to do."""
    wall, cpu, rss = (measure.median(row[key] for row in rows) for key in ("wall", "cpu", "rss"))
    last = rows[-1]
    seen = last["stats"]
    print(
        f"{tool.name:17} {wall:6.1f} s  {cpu:6.1f} s cpu  {rss:4.0f} MB  {seen['requests']:5} calls  "
        f"{seen['connections']:4} connections  {seen['peak_in_flight']:3} in flight  {last['findings']:5} findings  "
        f"exit {' '.join(map(str, last['codes']))}\n{'':17} asked for: {tool.asked}"
    )
    if show:
        services = Counter(
            name.partition(":")[0] for name in seen["counts"] for _ in range(seen["counts"][name])
        )
        print(f"{'':17} calls: " + ", ".join(f"{name} {count}" for name, count in services.most_common()))
        print(f"{'':17} answered with nothing, being unknown to the fake AWS: {seen['missing'][:9]}")


def compare(chosen: list[Tool], rows: dict[str, list[dict[str, Any]]], bars: measure.Bars) -> None:
    """Ours over each of the others that were asked for the same."""
    for tool in chosen:
        if not tool.package:
            continue
        mine = rows["postureaudit, all" if tool.name.endswith("all") else "postureaudit"]
        for key, bar in BARS.items():
            ratio = measure.median(a[key] / b[key] for a, b in zip(mine, rows[tool.name], strict=True))
            if tool.name == "scoutsuite":
                print(f"{key}, ours / {tool.name}: {ratio:.2f} (it makes fewer calls)")
            else:
                bars.at_most(f"{key}, ours / {tool.name}", ratio, bar)


def installed(name: str, cache: Path, python: str | None) -> Path:
    """The folder of a program's commands, installed from PyPI where it is not there."""
    folder = cache / name
    commands = folder / ("Scripts" if os.name == "nt" else "bin")
    if (folder / "complete").exists():
        return commands
    print(f"installing {name} from PyPI ...", file=sys.stderr)
    uv = shutil.which("uv")
    python = python or _python()
    if uv:
        subprocess.run([uv, "venv", "-q", "--clear", "--python", python, str(folder)], check=True)
        subprocess.run([uv, "pip", "install", "-q", "--python", str(commands / "python"), name], check=True)
    else:
        subprocess.run([python, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([str(commands / "python"), "-m", "pip", "install", "-q", name], check=True)
    (folder / "complete").touch()
    return commands


def _python() -> str:
    if sys.version_info < (3, 13):
        return sys.executable
    found = next(filter(None, map(shutil.which, ("python3.12", "python3.11", "python3.10"))), None)
    if found is None:
        raise SystemExit("Prowler needs Python 3.12 or older: name one with --python")
    return found


if __name__ == "__main__":
    main()
