"""The register of output formats: one line each. A renderer turns a Report into text."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from urllib.parse import quote

import msgspec

from postureaudit.report import Report

FORMATS = {
    "table": "postureaudit.render.table",
    "json": "postureaudit.render.json",
    "jsonl": "postureaudit.render.jsonl",
    "sarif": "postureaudit.render.sarif",
    "junit": "postureaudit.render.junit",
    "github": "postureaudit.render.github",
    "gitlab": "postureaudit.render.gitlab",
    "markdown": "postureaudit.render.markdown",
    "html": "postureaudit.render.html",
    "csv": "postureaudit.render.csv",
    "asff": "postureaudit.render.asff",
    "ocsf": "postureaudit.render.ocsf",
    "tickets": "postureaudit.render.tickets",
    "trace": "postureaudit.render.trace",
}
MACHINE = frozenset(
    {"json", "jsonl", "sarif", "junit", "gitlab", "csv", "asff", "ocsf", "tickets"}
)  # formats whose readers are programs: the RESULT line goes to stderr then
SCREEN = frozenset({"table", "trace"})  # drawn for a terminal, in its encoding; every other format is UTF-8


class Style(msgspec.Struct, frozen=True, kw_only=True):
    """How to draw for people: columns, whether colour may be used, ASCII glyphs only, gaps to show (0: all).

    `anchor` and `anchor_line` are the file of the repository, by its relative path, at which formats for code
    reviews put what concerns no file.
    """

    width: int = 100
    color: bool = False
    ascii: bool = False
    top: int = 10
    details: bool = False
    anchor: str = ".postureaudit.yaml"
    anchor_line: int = 1

    def anchor_uri(self) -> str:
        """The anchor as a relative URI reference."""
        return quote(self.anchor, safe="/~-._")


def renderer(name: str) -> Callable[[Report, Style], str]:
    """The renderer of a format. KeyError for a format that is not registered."""
    found: Callable[[Report, Style], str] = importlib.import_module(FORMATS[name]).render
    return found
