"""A terminal report's block on a framework that was asked for: which of its requirements are met."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from rich.text import Text

from postureaudit.compliance import Requirement, Standing, Summary
from postureaudit.render import Style
from postureaudit.render.lines import COLORS, heading
from postureaudit.render.neutral import neutral

_OPEN = {Standing.GAP: "gap", Standing.UNKNOWN: "unknown", Standing.WAIVED: "waived"}
_SETTLED = {
    Standing.MET: "met",
    Standing.NOT_APPLICABLE: "n/a",
    Standing.NOT_JUDGED: "not judged",
    Standing.NOT_COVERED: "not covered",
}
_COLORS = {Standing.GAP: "fail", Standing.UNKNOWN: "unknown", Standing.WAIVED: "waived", Standing.MET: "pass"}
_NAMED = 3  # checks named on a line, unless details are asked for
_CAVEAT = "Met means that what is checked here passed; a framework asks for more than a program can see."


def lines(summary: Summary, style: Style) -> Iterator[Text]:
    """The framework's headline and a line for each requirement that is not met; with details, for every one."""
    yield from heading(summary.headline(), style.width)
    shown = {**_OPEN, **_SETTLED} if style.details else _OPEN
    rows = [(label, item) for standing, label in shown.items() for item in summary.having(standing)]
    limit = len(rows) if style.details or style.top == 0 else style.top
    wide = max((len(label) for label, _ in rows[:limit]), default=0)
    numbers = max((len(item.number) for _, item in rows[:limit]), default=0)
    for label, item in rows[:limit]:
        head = f"   {label:{wide}}  {neutral(item.number):{numbers}}  "
        yield from _row(head, _said(item, style), style.width, COLORS[_COLORS.get(item.standing, "none")])
    if len(rows) > limit:
        yield Text(f"   ... and {len(rows) - limit} more (--top 0)", style="dim")
    if not style.details:
        for standing, label in (
            (Standing.NOT_COVERED, "not covered by postureaudit"),
            (Standing.NOT_JUDGED, "not judged"),
        ):
            if found := summary.having(standing):
                yield from _row(f"   {label}: ", ", ".join(item.number for item in found), style.width, "dim")
    yield from _row("   ", _CAVEAT, style.width, "dim")
    yield Text()


def _said(item: Requirement, style: Style) -> str:
    """The title, and the checks that say so: of an open gap those with one, else those that could not be decided."""
    names = {
        Standing.GAP: item.gaps,
        Standing.UNKNOWN: item.unknown,
        Standing.WAIVED: item.waived,
    }.get(item.standing, item.checks)
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
