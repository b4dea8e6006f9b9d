"""What each format looked like when it was last looked at: a change in a report is seen in review."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from postureaudit.render import FORMATS, Style, renderer
from tests.render.zoo import a_report

FOLDER = Path(__file__).parents[1] / "golden" / "formats"
NAMES = ("main", "[/]<b>=1+1|", "a\x1b[2J$(id)")


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_is_as_it_was(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set UPDATE_GOLDEN=1 to write what is wanted now, and read the difference before you commit it."""
    import postureaudit

    for module in (postureaudit, *(__import__(FORMATS[kind], fromlist=["render"]) for kind in FORMATS)):
        if hasattr(module, "__version__"):
            monkeypatch.setattr(module, "__version__", "1.2.3")
    report = msgspec.structs.replace(a_report(*NAMES), evidence_digest="sha256:" + "0" * 64)
    text = renderer(name)(report, Style(width=80, top=0, anchor="policy.yaml"))
    file = FOLDER / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        FOLDER.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())

    assert text.encode() == file.read_bytes()
