"""GitHub Actions: annotations on standard output, which the runner reads as workflow commands."""

from __future__ import annotations

from postureaudit.findings import Finding, Severity
from postureaudit.render import Style
from postureaudit.render.neutral import neutral
from postureaudit.render.summary import headline, open_places, reasons
from postureaudit.render.table import result_line
from postureaudit.report import Report

_SHOWN = 9  # GitHub shows ten annotations of a step; the tenth says how many there are
_LEVEL = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning"}
SUMMARY_BYTES = 1_000_000  # GitHub refuses a step summary above 1 MiB


def render(report: Report, style: Style) -> str:
    """At most ten annotations, the gravest gaps first, and the result in plain words."""
    gaps = sorted(report.gaps(), key=lambda gap: (-gap.severity.rank, gap.check))
    lines = [_annotation(gap, style) for gap in gaps[:_SHOWN]]
    rest = len(gaps) - _SHOWN
    if rest > 0:
        lines.append(f"::warning title=postureaudit::{rest} more gaps, see the step summary")
    return "\n".join([*lines, result_line(report)]) + "\n"


def _annotation(gap: Finding, style: Style) -> str:
    level = _LEVEL.get(gap.severity, "notice")
    message = "\n".join((headline(gap), *reasons(open_places(gap))[:3]))
    place = f"file={_property(style.anchor)},line={style.anchor_line},"
    title = _property(f"{gap.severity.value} {gap.check}")
    return f"::{level} {place}title={title}::{_data(message)}"


def _data(text: str) -> str:
    """A message as the runner wants it: percent first, then line ends."""
    shown = "\n".join(neutral(line) for line in text.split("\n"))
    return shown.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def step_summary(markdown: str) -> str:
    """The Markdown report as GitHub takes it: cut at a line, with a note, where it is too long."""
    raw = markdown.encode()
    if len(raw) <= SUMMARY_BYTES:
        return markdown
    kept = raw[:SUMMARY_BYTES].rsplit(b"\n", 1)[0].decode("utf-8", "ignore")
    return kept + "\n\nThe rest is left out: GitHub takes 1 MiB. Write the whole with -o markdown=FILE.\n"
