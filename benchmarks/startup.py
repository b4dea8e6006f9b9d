"""What it costs to start: commands that ask nothing of AWS, against a bare interpreter; and what they must not load.

python benchmarks/startup.py [--runs 9] [--check]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import measure  # noqa: E402
import serving  # noqa: E402

# Command: (times the CPU of `python -c pass`, modules that it must not import). 0: no bar, printed for comparison.
COMMANDS: dict[tuple[str, ...], tuple[float, tuple[str, ...]]] = {
    ("--version",): (1.5, ("botocore", "boto3", "rich", "yaml", "click", "jmespath")),
    ("--help",): (6.0, ("botocore", "boto3", "rich", "yaml", "jmespath")),
    ("explain", "guardduty.enabled"): (0, ("botocore", "boto3", "rich", "yaml")),
    ("checks", "list"): (0, ("botocore", "boto3", "rich", "yaml")),
    ("demo",): (0, ("botocore", "boto3")),  # its waivers are YAML
}
_LOADED = """
import sys
sys.argv = ["postureaudit", *sys.argv[1:]]
from postureaudit.__main__ import main
try:
    main()
except SystemExit:
    pass
finally:
    sys.stdout.flush()
    print("LOADED", *sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


def main() -> None:
    """Run each command in turns with the bare interpreter, and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--check", action="store_true", help="exit 1 when a bar is missed")
    given = parser.parse_args()
    env = serving.plain_env()
    bars = measure.Bars()
    python = sys.executable
    lines = {("bare",): [python, "-c", "pass"]}
    lines |= {words: [python, "-m", "postureaudit", *words] for words in COMMANDS}
    for line in lines.values():
        measure.run(line, env, interval=0.005)  # byte code, and what is kept between runs
    found: dict[tuple[str, ...], list[measure.Run]] = {words: [] for words in lines}
    for _ in range(given.runs):
        for words, line in lines.items():
            found[words].append(measure.run(line, env, interval=0.005))
    bare = measure.median(run.cpu for run in found[("bare",)])
    print(f"python -c pass: {bare * 1000:.0f} ms CPU; {given.runs} runs, medians")
    for words, (bar, unwanted) in COMMANDS.items():
        name = " ".join(words)
        pairs = zip(found[words], found[("bare",)], strict=True)
        ratio = measure.median(run.cpu / other.cpu for run, other in pairs)
        cpu = measure.median(run.cpu for run in found[words])
        if bar:
            bars.at_most(f"{name}: {cpu * 1000:.0f} ms CPU, times bare", ratio, bar, digits=1)
        else:
            print(f"{name}: {cpu * 1000:.0f} ms CPU, times bare: {ratio:.1f}")
        loaded = measure.run([python, "-c", _LOADED, *words], env).err.rpartition("LOADED ")[2].split()
        surplus = sorted(set(unwanted) & set(loaded))
        bars.holds(f"{name} loads none of {', '.join(unwanted)}", not surplus, ", ".join(surplus))
    sys.exit(bars.code(given.check))


if __name__ == "__main__":
    main()
