"""Every benchmark, one after the other, with its bars.

python benchmarks/all.py [--quick] [--check]

--quick makes each as small as it can be: it shows that they run, not how fast anything is.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SUITE = (
    ("startup.py",),
    ("percall.py",),
    ("judge.py",),
    ("trace_signals.py",),
    ("walk.py",),
    ("walk.py", "--regions", "34", "--profile", "europe"),
    ("walk.py", "--cli"),
    ("walk.py", "--hang", "eu-west-1"),
    (
        *("organization.py", "--accounts", "100", "--regions", "17"),
        *("--services", "cloudtrail", "config", "guardduty"),
    ),
    ("organization.py", "--accounts", "100", "--regions", "17", "--throttle"),
    ("organization.py", "--accounts", "200", "1000", "--regions", "2"),
    ("organization.py", "--accounts", "100", "--regions", "2", "--kill-at", "0.3", "0.8"),
    ("dask_engine.py",),
    ("side_by_side.py",),
)
QUICK = (
    ("startup.py", "--runs", "1"),
    ("percall.py", "--runs", "1", "--calls", "50"),
    ("judge.py", "--runs", "1", "--rules", "5", "--regions", "1"),
    ("trace_signals.py", "--rules", "5"),
    ("walk.py", "--regions", "2", "--latency", "5", "--runs", "1"),
    ("walk.py", "--cli", "--regions", "2", "--latency", "5", "--runs", "1"),
    ("organization.py", "--accounts", "5", "--regions", "2", "--latency", "5", "--kill-at", "0.5"),
)


def main() -> None:
    """Run them; exit 1 when one failed, with --check also when one missed a bar."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--check", action="store_true", help="exit 1 when a bar is missed")
    given = parser.parse_args()
    failed = []
    for name, *words in QUICK if given.quick else SUITE:
        if name == "dask_engine.py" and importlib.util.find_spec("distributed") is None:
            print("\n== dask_engine.py: left out, Dask is not installed")
            continue
        print(f"\n== {name} {' '.join(words)}", flush=True)
        command = [sys.executable, str(HERE / name), *words, *(["--check"] if given.check else [])]
        if subprocess.run(command, check=False).returncode:
            failed.append(" ".join([name, *words]))
    if failed:
        sys.exit(f"failed: {'; '.join(failed)}")


if __name__ == "__main__":
    main()
