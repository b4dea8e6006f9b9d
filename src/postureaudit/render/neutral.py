"""A stranger's text made visible and inert: the border of every format for people."""

from __future__ import annotations

import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def neutral(text: str) -> str:
    """The text with control, format, surrogate and unassigned characters written as \\uXXXX."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(char) if unicodedata.category(char) in _HIDDEN else char for char in text)


def lines(text: str) -> str:
    """The same for text whose line ends are ours, such as commands: they stay line ends."""
    return "\n".join(neutral(line) for line in text.split("\n"))


def _shown(char: str) -> str:
    point = ord(char)
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"
