"""Build the wheel and the sdist, prove what is in them, and run the wheel in clean environments outside the checkout.

Needs `uv`. Every Python of 3.11 to 3.14 that uv finds is used; one that is missing is named, not passed over. With
--keep DIR the two files are left there. Exits 1 at the first thing that is not so.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
EPOCH = "1577836800"
IN_WHEEL = (
    "checks.yaml",
    "py.typed",
    "data/demo.json.gz",
    "data/demo-waivers.yaml",
    "data/frameworks.yaml",
    "data/names.json",
    "schemas/result.json",
    "schemas/checks.json",
    "signals/events.yaml",
)
NEVER = re.compile(
    r"(^|/)(uv\.lock|\.env|\.git|\.venv[^/]*|__pycache__|id_rsa|credentials)(/|$)|\.pem$|\.pyc$"
)
MACHINE = re.compile(rb"/(?:home|Users)/[a-z][\w-]*/|/root/|\bfile:///\w")
SECRET = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY|\bpypi-AgE[\w-]{20}|\bghp_\w{36}")


class Wrong(Exception):
    """A package is not as it should be."""


def run(*command: str | Path, cwd: Path, codes: tuple[int, ...] = (0,), **env: str) -> str:
    """Run a command in a folder and give what it printed; raise Wrong with its words when it fails."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**kept, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in codes:
        raise Wrong(
            f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    return done.stdout


def expect(fact: bool, said: str) -> None:
    """Raise Wrong unless it is so (assert can be switched off)."""
    if not fact:
        raise Wrong(said)


def build(source: Path, target: Path, *what: str) -> list[Path]:
    """Build what is asked for, at a fixed time, and give the files."""
    run("uv", "build", "--quiet", *what, "--out-dir", target, source, cwd=source, SOURCE_DATE_EPOCH=EPOCH)
    return sorted(path for path in target.iterdir() if path.suffix in (".whl", ".gz"))


def check_contents(wheel: Path, sdist: Path) -> None:
    """What must be in is in; tests, secrets, locks and paths of a machine are out."""
    with zipfile.ZipFile(wheel) as archive:
        inside = {name: archive.read(name) for name in archive.namelist()}
    for name in IN_WHEEL:
        expect(f"postureaudit/{name}" in inside, f"{wheel.name} lacks {name}")
    strangers = [n for n in inside if not re.match(r"postureaudit(-[\w.]+\.dist-info)?/", n)]
    expect(not strangers, f"{wheel.name} holds {strangers}")
    with tarfile.open(sdist) as archive:
        files = [member for member in archive.getmembers() if member.isfile()]
        source = {file.name: archive.extractfile(file).read() for file in files}  # type: ignore[union-attr]  # isfile
    for needed in ("checks.yaml", "pyproject.toml", "LICENSE", "README.md", "tests/conftest.py"):
        expect(any(n.partition("/")[2] == needed for n in source), f"{sdist.name} lacks {needed}")
    for archive_name, held in ((wheel.name, inside), (sdist.name, source)):
        for name, data in held.items():
            expect(not NEVER.search(name), f"{archive_name} holds {name}")
            inner = name.partition("/")[2]
            if not inner.startswith(
                ("tests/", "scripts/", "benchmarks/")
            ):  # tests hold hostile text on purpose
                for rule in (MACHINE, SECRET):
                    hit = rule.search(data)
                    expect(hit is None, f"{archive_name}: {name} holds {hit.group() if hit else ''!r}")


def check_installed(program: Path, folder: Path) -> None:
    """The installed program does its work in an empty folder, without network or credentials."""
    expect("RESULT" in run(program, "demo", cwd=folder), "demo printed no result")
    expect(
        "guardduty-critical" in run(program, "trace", "--demo", cwd=folder), "trace --demo names no signal"
    )
    expect(
        "cloudtrail.enabled" in run(program, "explain", "cloudtrail.enabled", cwd=folder), "explain is empty"
    )
    expect(len(run(program, "checks", "list", cwd=folder).splitlines()) > 200, "checks list is short")
    for shell in ("bash", "zsh", "fish"):
        expect(
            "_POSTUREAUDIT_COMPLETE" in run(program, "completions", shell, cwd=folder),
            f"no script for {shell}",
        )
    python = program.with_name("python")
    where = "import postureaudit, pathlib; print(pathlib.Path(postureaudit.__file__).parent / 'data/demo.json.gz')"
    evidence = run(python, "-I", "-c", where, cwd=folder).strip()
    made = folder / "result.json"
    run(
        program, "report", evidence, "--exit-zero", "-o", f"json={made}", cwd=folder, codes=(4,)
    )  # the demo is partly blind
    expect(made.stat().st_size > 10_000, "report wrote no result")


def check_everything(scratch: Path) -> list[Path]:
    """All of it; gives the wheel and the sdist."""
    sdist, wheel = build(ROOT, scratch / "first")
    if sdist.suffix == ".whl":
        sdist, wheel = wheel, sdist
    check_contents(wheel, sdist)
    print(f"contents: {wheel.name}, {sdist.name}")

    unpacked = scratch / "elsewhere" / "unpacked"
    with tarfile.open(sdist) as archive:
        archive.extractall(unpacked, filter="data")
    [source] = unpacked.iterdir()
    [again] = build(source, scratch / "second", "--wheel")
    expect(
        again.read_bytes() == wheel.read_bytes(),
        "the sdist builds another wheel, or the build is not reproducible",
    )
    print("reproducible: the sdist, unpacked elsewhere, builds the same wheel byte for byte")

    tried = 0
    for version in PYTHONS:
        found = subprocess.run(
            ["uv", "python", "find", "--no-project", "--no-python-downloads", version],
            capture_output=True, text=True, check=False, cwd=scratch,
        )  # fmt: skip
        if found.returncode:
            print(f"Python {version}: uv finds none, NOT TRIED")
            continue
        folder = scratch / f"run-{version}"
        folder.mkdir()
        home = scratch / f"venv-{version}"
        run("uv", "venv", "--quiet", "--no-project", "--python", found.stdout.strip(), home, cwd=folder)
        run("uv", "pip", "install", "--quiet", "--python", home / "bin/python", wheel, cwd=folder)
        check_installed(home / "bin" / "postureaudit", folder)
        print(f"Python {version}: demo, trace, explain, checks list, completions, report")
        tried += 1
    expect(tried > 0, "no Python was found")
    return [wheel, sdist]


def main() -> int:
    """Check, say what was done, and leave the files where --keep says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, help="Leave the wheel and the sdist in this folder.")
    keep: Path | None = parser.parse_args().keep
    with tempfile.TemporaryDirectory() as scratch:
        try:
            made = check_everything(Path(scratch))
        except Wrong as wrong:
            print(f"check_packages: {wrong}", file=sys.stderr)
            return 1
        if keep:
            keep.mkdir(parents=True, exist_ok=True)
            for file in made:
                shutil.copy(file, keep)
    return 0


if __name__ == "__main__":
    sys.exit(main())
