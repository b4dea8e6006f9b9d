"""Markdown that GitHub and the site read alike: escaped text, code, tables, and pages that say what made them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

MADE = "<!-- Made by: python scripts/make_docs.py. Change what it is made from, not this page. -->"
_HOLE = re.compile(r"(\{[A-Za-z][^{}\s]*\})")
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$])")


def plain(text: str) -> str:
    """Text of ours in which nothing is markup."""
    return _SPECIAL.sub(r"\\\1", text)


def said(text: str) -> str:
    """The same with {placeholders} in it, which are shown as code."""
    return "".join(code(part) if _HOLE.fullmatch(part) else plain(part) for part in _HOLE.split(text))


def code(text: str) -> str:
    """A span of code, also around text with backticks in it."""
    if "`" not in text:
        return f"`{text}`"
    return f"`` {text} ``"


def fence(text: str, language: str = "") -> list[str]:
    """A block of code, and an empty line after it."""
    return [f"```{language}", *text.rstrip("\n").splitlines(), "```", ""]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table, and an empty line after it; cells are Markdown already."""
    lines = [f"| {' | '.join(head)} |", "|" + " --- |" * len(head)]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows), ""]


def page(title: str, lines: Iterable[str]) -> str:
    """A whole page."""
    return "\n".join([f"# {title}", "", MADE, "", *lines]).rstrip("\n") + "\n"


def anchor(title: str) -> str:
    """The anchor of a heading, as GitHub and the site make it."""
    kept = "".join(char for char in title.lower() if char.isalnum() or char in " -_")
    return kept.replace(" ", "-")
