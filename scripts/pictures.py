"""docs/images/*.svg: what the terminal shows of the demo, drawn from the real renderers' own output."""

from __future__ import annotations

import contextlib
import io
import os
import re
from unittest import mock
from xml.etree import ElementTree

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from postureaudit.cli.main import run

_WIDTH = 100
# Rich's own frame without its web font: GitHub and closed networks load nothing.
_FORMAT = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width;
}}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: system-ui, sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
_THEME = TerminalTheme(
    (22, 27, 34),
    (214, 220, 228),
    [
        (72, 79, 88),
        (255, 123, 114),
        (86, 211, 100),
        (227, 179, 65),
        (121, 192, 255),
        (210, 168, 255),
        (86, 212, 221),
        (214, 220, 228),
    ],
    [
        (110, 118, 129),
        (255, 161, 152),
        (126, 231, 135),
        (242, 204, 96),
        (165, 214, 255),
        (226, 197, 255),
        (179, 240, 255),
        (255, 255, 255),
    ],
)


def pictures() -> dict[str, str]:
    """Each picture by its path in docs/."""
    return {name: picture(name) for name in ("images/report.svg", "images/trace.svg")}


def picture(name: str) -> str:
    """One of them."""
    if name == "images/report.svg":
        command, cut = ["demo", "--top", "2"], _cut_report
    else:
        command, cut = ["trace", "--demo", "--signal", "guardduty-critical"], _cut_trace
    return _svg(cut(_shown(command)), f"postureaudit {' '.join(command)}", name.rpartition("/")[2][:-4])


def words(svg: str) -> str:
    """What a picture says, without how it is drawn: what two versions of rich agree on."""
    tree = ElementTree.fromstring(svg)
    texts = ["".join(item.itertext()) for item in tree.iter("{http://www.w3.org/2000/svg}text")]
    return re.sub(r"\s+", " ", " ".join(texts)).strip()


def _shown(command: list[str]) -> list[str]:
    """What a command prints, in colour, a line each. Nothing of this machine's environment is in it."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("POSTUREAUDIT", "AWS_"))
    }
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with (
        mock.patch.dict(os.environ, {**kept, "COLUMNS": str(_WIDTH), "LINES": "50"}, clear=True),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        code = run([*command, "--no-config", "--color", "always"])
    if code:
        raise RuntimeError(f"{' '.join(command)} exits {code}")
    out.seek(0)
    return out.read().splitlines()


def _plain(line: str) -> str:
    return Text.from_ansi(line).plain


def _cut_report(lines: list[str]) -> list[str]:
    """The head, the map, the first gap, signals that reach nobody, the result; dots where something is left out."""
    starts = {_plain(line).split("  ")[0]: number for number, line in enumerate(lines)}
    gap, response = starts["2"], starts["RESPONSE"]
    return [
        *lines[:gap],
        "...",
        "",
        *lines[response : response + 6],
        "   ...",
        "",
        *lines[starts["RESULT"] :],
    ]


def _cut_trace(lines: list[str]) -> list[str]:
    """The first route and the sum."""
    empty = [number for number, line in enumerate(lines) if not _plain(line).strip()]
    return [*lines[: empty[0]], "", "...", *lines[empty[-1] :]]


def _svg(lines: list[str], title: str, name: str) -> str:
    console = Console(
        record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    for line in lines:
        console.print(Text.from_ansi(line, no_wrap=True), overflow="fold", soft_wrap=False)
    found = console.export_svg(title=title, theme=_THEME, code_format=_FORMAT, unique_id=name)
    return "\n".join(line.rstrip() for line in found.splitlines()) + "\n"
