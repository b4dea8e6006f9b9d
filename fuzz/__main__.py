"""Run a target, or all of them one after the other: python -m fuzz [TARGET ...] [--seconds N] [--replay FILE]."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent


def main() -> int:
    """Exit 0 when no target found anything; what a finding needs to be seen again is printed and kept."""
    from fuzz.targets import TARGETS

    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--replay", type=Path, help="run one input through one target")
    given = parser.parse_args()
    names = given.targets or list(TARGETS)
    if unknown := set(names) - set(TARGETS):
        parser.error(f"no target {', '.join(sorted(unknown))}; there is: {', '.join(TARGETS)}")
    if given.replay:
        TARGETS[names[0]](given.replay.read_bytes())
        return 0
    failed = [name for name in names if _apart(name, given.seconds)]
    print(f"fuzzed {len(names)} targets for {given.seconds} s each; failed: {', '.join(failed) or 'none'}")
    return 1 if failed else 0


def _apart(name: str, seconds: int) -> bool:
    """Fuzz a target in a process of its own, since libFuzzer ends its process; whether it failed."""
    seeds, finds = HERE / "seeds" / name, HERE / "finds"
    finds.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as corpus:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "fuzz.inside", name, f"-max_total_time={seconds}"),
                *("-timeout=30", "-rss_limit_mb=2048", "-max_len=4096", "-print_final_stats=1"),
                *(f"-artifact_prefix={finds}/{name}-", corpus, str(seeds)),
            ],
            check=False,
        )
    return done.returncode != 0


if __name__ == "__main__":
    sys.exit(main())
