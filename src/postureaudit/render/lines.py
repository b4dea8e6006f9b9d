"""Lines of terminal text: wrapped, packed, folded so that commands paste back, and set side by side."""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Iterable, Iterator

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from postureaudit.render import Style

COLORS = {
    "critical": "bold red",
    "high": "red",
    "medium": "yellow",
    "low": "cyan",
    "info": "blue",
    "pass": "green",
    "unknown": "magenta",
    "waived": "dim",
    "none": "dim",
    "fail": "red",
}
_WORD = re.compile(r"(?:'[^']*'|\"[^\"]*\"|\\.|[^\s'\"])+")


def console(style: Style, out: io.StringIO) -> Console:
    """A rich console that writes plain text, or escape codes where the style has colour, and reads no markup."""
    return Console(
        file=out,
        width=style.width,
        markup=False,
        emoji=False,
        highlight=False,
        force_terminal=style.color,
        color_system="standard" if style.color else None,
        no_color=not style.color,
        legacy_windows=False,
        safe_box=style.ascii,
    )


_GUIDES = str.maketrans({"├": "|", "└": "`", "│": "|", "─": "-"})


def finished(out: io.StringIO, style: Style) -> str:
    """What the console wrote; in ASCII alone where the style wants that, whatever names hold."""
    text = out.getvalue()
    if not style.ascii:
        return text
    return text.translate(_GUIDES).encode("ascii", "backslashreplace").decode()


def fold(command: str, width: int) -> list[str]:
    """A shell line folded at word borders with a backslash: it pastes back as the one command it is."""
    indent = len(command) - len(command.lstrip())
    words = _WORD.findall(command)
    lines: list[str] = []
    line = " " * indent
    for word in words:
        joined = f"{line} {word}" if line.strip() else line + word
        if line.strip() and cell_len(joined) > width - 2:
            lines.append(line + " \\")
            joined = " " * (indent + 2) + word
        line = joined
    return [*lines, line]


def wrapped(text: str, width: int, *, dim: bool = False) -> Iterator[Text]:
    """Text as indented lines within the width."""
    for line in textwrap.wrap(
        text, width - 1, initial_indent="   ", subsequent_indent="   ", break_on_hyphens=False
    ):
        yield Text(line, style="dim" if dim else "")


def heading(text: str, width: int) -> Iterator[Text]:
    """A line in bold, wrapped where it must be."""
    if cell_len(text) <= width:
        yield Text(text, style="bold")
        return
    for line in textwrap.wrap(text, width - 1, subsequent_indent="        ", break_on_hyphens=False):
        yield Text(line, style="bold")


def packed(parts: Iterable[str], width: int, *, between: str = "   ") -> Iterator[Text]:
    """Parts on as few lines as fit."""
    line = ""
    for part in parts:
        joined = f"{line}{between}{part}" if line else part
        if line and cell_len(joined) > width - 1:
            yield Text(line)
            joined = part
        line = joined
    yield Text(line)


def beside(left: list[Text], right: list[Text], width: int) -> list[Text]:
    """Two panes; the left keeps its lines, the right stands beside it where it fits."""
    edge = max(cell_len(line.plain) for line in left) + 3
    if width - edge < 56:
        return left
    lines = []
    for index in range(max(len(left), len(right))):
        line = left[index].copy() if index < len(left) else Text()
        if index < len(right):
            line.append(" " * (edge - cell_len(line.plain)))
            line.append_text(right[index])
        lines.append(line)
    return lines
