"""The action's shell part, run by bash as a runner would, on the demo's evidence and with hostile inputs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DEMO = ROOT / "src" / "postureaudit" / "data" / "demo.json.gz"


def _run(folder: Path, **inputs: str) -> tuple[int, dict[str, str], str]:
    """Exit code, outputs and what was printed."""
    files = {"GITHUB_OUTPUT": folder / "out", "GITHUB_STEP_SUMMARY": folder / "summary"}
    program = Path(sys.executable).with_name("postureaudit")
    env = {"PATH": os.environ["PATH"], "POSTURE_PROGRAM": str(program), "POSTURE_COMMAND": "report"}
    env |= {name: str(path) for name, path in files.items()} | inputs
    done = subprocess.run(
        ["bash", ROOT / "templates" / "github-action.sh"],
        env=env, cwd=folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    lines = files["GITHUB_OUTPUT"].read_text().splitlines() if files["GITHUB_OUTPUT"].exists() else []
    return done.returncode, dict(line.split("=", 1) for line in lines), done.stdout + done.stderr


def test_gaps_fail_after_everything_is_written(tmp_path: Path) -> None:
    """Gaps are exit 3, with result, SARIF, report and summary there."""
    code, outputs, said = _run(tmp_path, POSTURE_EVIDENCE=str(DEMO))
    assert (code, outputs["exit-code"]) == (3, "3"), said
    assert all((tmp_path / outputs[name]).stat().st_size > 1000 for name in ("result", "sarif", "report"))
    assert (tmp_path / "summary").read_text() == (tmp_path / outputs["report"]).read_text()


@pytest.mark.parametrize(("allow", "expected"), [("false", 4), ("true", 0)])
def test_blind_is_four_unless_allowed(tmp_path: Path, allow: str, expected: int) -> None:
    """Without a gate the demo is blind: exit 4, or a warning where that is allowed; the output says 4 either way."""
    code, outputs, said = _run(
        tmp_path, POSTURE_EVIDENCE=str(DEMO), POSTURE_FAIL_ON="none", POSTURE_ALLOW_BLIND=allow
    )
    assert (code, outputs["exit-code"]) == (expected, "4"), said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("POSTURE_EVIDENCE", "$(touch pwned)"),
        ("POSTURE_FAIL_ON", "low; touch pwned"),
        ("POSTURE_SERVICES", "* `touch pwned`"),
        ("POSTURE_COMMAND", "audit; touch pwned"),
        ("POSTURE_ANCHOR", "a\nresult=forged"),
        ("POSTURE_OUTPUT_DIR", "-rf"),
    ],
)
def test_a_hostile_input_is_only_an_argument(tmp_path: Path, name: str, value: str) -> None:
    """Nothing of an input is run, and no input forges an output or passes."""
    code, outputs, _ = _run(tmp_path, **{"POSTURE_EVIDENCE": str(DEMO), name: value})
    assert code in (1, 2)
    assert not (tmp_path / "pwned").exists()
    assert outputs.get("result", "") == ""
