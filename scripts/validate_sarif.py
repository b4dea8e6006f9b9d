"""Have Microsoft's validator judge our SARIF with GitHub's rules; its exit code is always 0, so its own log is read.

Usage: python scripts/validate_sarif.py FOLDER, where `npm install --prefix FOLDER` put
@microsoft/sarif-multitool-linux. Exits 1 when it reports an error or a warning.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from postureaudit.cli.main import run
from postureaudit.render import Style, renderer

TOOL = "node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool"


def main(tools: Path) -> int:
    """Validate the demo's report and the zoo of hostile names."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.render.zoo import a_report

    with tempfile.TemporaryDirectory() as folder:
        demo, zoo = Path(folder) / "demo.sarif", Path(folder) / "zoo.sarif"
        run(["demo", "--no-config", "-q", "-o", f"sarif={demo}"])
        zoo.write_text(renderer("sarif")(a_report(), Style()), encoding="utf-8")
        return 1 if sum(len(told(tools, file)) for file in (demo, zoo)) else 0


def told(tools: Path, file: Path) -> list[str]:
    """What the validator says of a file, printed as well."""
    log = file.with_suffix(".log.sarif")
    binary = tools / TOOL
    binary.chmod(0o755)
    subprocess.run(
        [binary, "validate", file, "--rule-kind", "Sarif;Ghas", "--level", "Error;Warning", "--output", log],
        env={**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"},
        check=True,
        capture_output=True,
    )
    [found] = json.loads(log.read_text(encoding="utf-8-sig"))["runs"]
    notes = [f"{item['ruleId']} {json.dumps(item['message'])}" for item in found.get("results", [])]
    notes += [
        json.dumps(note)
        for invocation in found.get("invocations", [])
        for note in invocation.get("toolConfigurationNotifications", [])
        if note.get("level") in ("error", "warning")
    ]
    print(f"{file.name}: {len(notes)} errors and warnings by Microsoft's validator with GitHub's rules")
    for note in notes:
        print(f"  {note}")
    return notes


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
