"""The register of output formats: one line each. A renderer turns a Report into text."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import msgspec

from postureaudit.report import Report

FORMATS = {
    "table": "postureaudit.render.table",
    "json": "postureaudit.render.json",
    "trace": "postureaudit.render.trace",
}
MACHINE = frozenset({"json"})  # formats whose readers are programs: the RESULT line goes to stderr then


class Style(msgspec.Struct, frozen=True, kw_only=True):
    """How to draw for people: columns, whether colour may be used, ASCII glyphs only, gaps to show (0: all)."""

    width: int = 100
    color: bool = False
    ascii: bool = False
    top: int = 10
    details: bool = False


def renderer(name: str) -> Callable[[Report, Style], str]:
    """The renderer of a format. KeyError for a format that is not registered."""
    found: Callable[[Report, Style], str] = importlib.import_module(FORMATS[name]).render
    return found
