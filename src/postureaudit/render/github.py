"""GitHub Actions: annotations on standard output, which the runner reads as workflow commands."""

from __future__ import annotations

from postureaudit.findings import Finding, Severity, Verdict
from postureaudit.render import Style
from postureaudit.render.neutral import neutral
from postureaudit.render.summary import headline, open_places, reasons
from postureaudit.render.table import result_line
from postureaudit.report import Report

_SHOWN = 9  # GitHub shows ten annotations of a step; the tenth says how many there are
_LEVEL = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning"}
SUMMARY_BYTES = 1_000_000  # GitHub refuses a step summary above 1 MiB


def render(report: Report, style: Style) -> str:
    """At most ten annotations: the gravest gaps (new ones first), and that not all could be read; then the result."""
    gaps = sorted(
        report.gaps(), key=lambda gap: (not report.fresh(gap), -gap.severity.rank, gap.check, gap.account)
    )
    unknown = sum(bool(item.having(Verdict.UNKNOWN)) for item in report.findings)
    shown = _SHOWN - bool(unknown)
    lines = [_annotation(gap, style) for gap in gaps[:shown]]
    if unknown:
        message = f"this audit is incomplete: {unknown} checks could not be evaluated everywhere"
        lines.append(f"::warning {_at(style)}title=postureaudit::{message}")
    rest = len(gaps) - shown
    if rest > 0:
        lines.append(f"::warning {_at(style)}title=postureaudit::{rest} more gaps, see the step summary")
    return "\n".join([*lines, result_line(report)]) + "\n"


def _annotation(gap: Finding, style: Style) -> str:
    level = _LEVEL.get(gap.severity, "notice")
    message = "\n".join((headline(gap), *reasons(open_places(gap))[:3]))
    title = _property(f"{gap.severity.value} {gap.check}")
    return f"::{level} {_at(style)}title={title}::{_data(message)}"


def _at(style: Style) -> str:
    return f"file={_property(style.anchor)},line={style.anchor_line},"


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
    fence = ""
    for line in kept.splitlines():
        if fence:
            fence = "" if line == fence else fence
        elif line.startswith("```"):
            fence = line[: len(line) - len(line.lstrip("`"))]
    if fence:  # the note is no part of the commands
        kept += f"\n{fence}"
    return kept + "\n\nThe rest is left out: GitHub takes 1 MiB. Write the whole with -o markdown=FILE.\n"
