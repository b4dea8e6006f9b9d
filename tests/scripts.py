"""Runs a written fixes.sh with `aws` replaced by a program that notes its argv, byte by byte."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

# Notes how many words there are and then the words, each ended by NUL: nothing in a word can look like two.
_NOTER = """#!/bin/sh
if [ "$1 $2" = "sts get-caller-identity" ]; then echo "$CALLER"; exit 0; fi
printf '%s\\0' "$#" "$@" >> "$NOTES"
"""


def run(
    script: str, folder: Path, *, caller: str = "111122223333", **variables: str
) -> tuple[subprocess.CompletedProcess[str], list[tuple[str, ...]]]:
    """A shell script run in a folder, and the argv of every aws command that it ran, "aws" first."""
    tools = folder.parent / f"{folder.name}-tools"
    tools.mkdir(exist_ok=True)
    noter, notes = tools / "aws", tools / "notes"
    noter.write_text(_NOTER)
    noter.chmod(0o700)
    notes.write_bytes(b"")
    environment: Mapping[str, str] = {
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "NOTES": str(notes),
        "CALLER": caller,
        **variables,
    }
    command = ["sh", script] if script.endswith(".sh") else ["sh", "-c", script]
    done = subprocess.run(
        command, cwd=folder.parent, env=environment, capture_output=True, text=True, check=False
    )
    return done, noted(notes.read_bytes())


def noted(data: bytes) -> list[tuple[str, ...]]:
    """The argvs in the notes."""
    words = data.decode().split("\0")[:-1]
    found = []
    while words:
        count = int(words[0])
        found.append(("aws", *words[1 : count + 1]))
        words = words[count + 1 :]
    return found
