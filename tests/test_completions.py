"""Tab offers what the catalogue holds, in real shells, without loading what is slow."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from scripts import make_names

from postureaudit.cli import completing

ENV = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": "/nonexistent"}


def test_names_are_the_catalogues() -> None:
    """names.json is what `python scripts/make_names.py` writes."""
    assert make_names.TARGET.read_text("utf-8") == make_names.text()


def _bash(words: list[str]) -> list[str]:
    """What bash has in COMPREPLY after Tab on the last word."""
    line = f"""
eval "$(postureaudit completions bash)"
COMP_WORDS=({shlex.join(words)}); COMP_CWORD={len(words) - 1}
_postureaudit_completion postureaudit
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(
        ["bash", "--norc", "-c", line], env=ENV, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["explain", "cloudtrail.ena"], {"cloudtrail.enabled"}),
        (["audit", "--check", "macie.*"], {"macie.*"}),
        (["audit", "--framework", "cis-7"], {"cis-7.0"}),
        (["trace", "--signal", "guardduty-c"], {"guardduty-critical"}),
        (["audit", "--service", "secur"], {"securityhub", "securitylake", "securityincidentresponse"}),
        (["audit", "-o", "js"], {"json", "jsonl"}),
        (["completions", ""], {"bash", "zsh", "fish"}),
    ],
)
def test_bash_offers(words: list[str], offered: set[str]) -> None:
    """Bash, with the printed script, offers exactly the names that begin so."""
    assert set(_bash(["postureaudit", *words])) == offered


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
def test_fish_offers() -> None:
    """fish, with the printed script, offers the check."""
    line = "postureaudit completions fish | source; complete -C 'postureaudit explain cloudtrail.ena'"
    done = subprocess.run(
        ["fish", "--no-config", "-c", line], env=ENV, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == ["cloudtrail.enabled"]


@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")
def test_zsh_takes_the_script() -> None:
    """zsh loads the printed script and completes `postureaudit` with its function."""
    line = 'autoload -U compinit; compinit -D; eval "$(postureaudit completions zsh)"; print $_comps[postureaudit]'
    done = subprocess.run(
        ["zsh", "-fc", line], env=ENV, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "_postureaudit_completion"


def test_a_press_of_tab_loads_nothing_slow() -> None:
    """No boto3, rich, YAML or catalogue is imported to complete a word."""
    code = (
        "import sys\nsys.argv[1:] = []\n"
        "from postureaudit.cli.main import run\n"
        "try:\n    run([])\nexcept SystemExit:\n    pass\n"
        "slow = {'boto3', 'botocore', 'rich', 'yaml', 'lark', 'jinja2', 'postureaudit.catalog'}\n"
        "print(sorted(slow & set(sys.modules)))"
    )
    env = {
        **ENV,
        "_POSTUREAUDIT_COMPLETE": "bash_complete",
        "COMP_WORDS": "postureaudit explain config.rec",
        "COMP_CWORD": "2",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60, check=True
    )
    first, *_, last = done.stdout.splitlines()
    assert (first.partition(",")[2].partition(".")[0], last) == ("config", "[]")


def test_every_named_shell_has_a_script() -> None:
    """Each shell that the command names gets a script that asks this program."""
    assert all("_POSTUREAUDIT_COMPLETE" in completing.script(shell) for shell in completing.SHELLS)
