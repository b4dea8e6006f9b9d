"""A terminal report's block on a framework that was asked for: which of its requirements are met."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from rich.text import Text

from postureaudit.compliance import CAVEAT, Requirement, Standing, Summary
from postureaudit.render import Style
from postureaudit.render.lines import COLORS, heading
from postureaudit.render.neutral import neutral

_OPEN = (Standing.GAP, Standing.UNKNOWN, Standing.WAIVED)
_COLORS = {Standing.GAP: "fail", Standing.UNKNOWN: "unknown", Standing.WAIVED: "waived", Standing.MET: "pass"}
_NAMED = 3  # checks named on a line, unless details are asked for


def lines(summary: Summary, style: Style) -> Iterator[Text]:
    """The framework's headline and a line for each requirement that is not met; with details, for every one."""
    yield from heading(summary.headline(), style.width)
    shown = tuple(Standing) if style.details else _OPEN
    rows = [(standing.words, item) for standing in shown for item in summary.having(standing)]
    limit = len(rows) if style.details or style.top == 0 else style.top
    wide = max((len(label) for label, _ in rows[:limit]), default=0)
    numbers = max((len(item.number) for _, item in rows[:limit]), default=0)
    for label, item in rows[:limit]:
        head = f"   {label:{wide}}  {neutral(item.number):{numbers}}  "
        yield from _row(head, _said(item, style), style.width, COLORS[_COLORS.get(item.standing, "none")])
    if len(rows) > limit:
        yield Text(f"   ... and {len(rows) - limit} more (--top 0)", style="dim")
    if not style.details:
        for standing in (Standing.NOT_COVERED, Standing.NOT_JUDGED):
            if found := summary.having(standing):
                numbered = ", ".join(item.number for item in found)
                yield from _row(f"   {standing.words}: ", numbered, style.width, "dim")
    yield from _row("   ", CAVEAT, style.width, "dim")
    yield Text()


def _said(item: Requirement, style: Style) -> str:
    """The title, and the checks that say so: of an open gap those with one, else those that could not be decided."""
    names = item.telling()
    shown = names if style.details else names[:_NAMED]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return neutral(item.title + (f": {', '.join(shown)}{more}" if shown else ""))


def _row(head: str, text: str, width: int, color: str) -> Iterator[Text]:
    """Text behind its head, wrapped under itself."""
    indent = " " * min(len(head), width // 2)
    folded = textwrap.wrap(
        text, width - 1, initial_indent=head, subsequent_indent=indent, break_on_hyphens=False
    )
    for index, line in enumerate(folded or [head.rstrip()]):
        yield Text(line, style=color if index == 0 or color == "dim" else "")
