"""Markdown for pull requests, tickets and wikis: the summary, the gaps with their fixes, what was not evaluated."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from postureaudit.compliance import CAVEAT, Standing, Summary
from postureaudit.findings import Finding, Fix
from postureaudit.render import Style, blindspots, investigation
from postureaudit.render.neutral import neutral
from postureaudit.render.summary import (
    baseline_line,
    fix_lines,
    open_places,
    reasons,
    references,
    roles,
    run_line,
    subject,
    waived_places,
    where,
)
from postureaudit.render.table import result_line
from postureaudit.report import Report

_MANY = 25  # places of one gap that are listed
# Trackers look for people and issues in the text that is shown, behind Markdown's escapes; this breaks the word.
_CALLED = re.compile(r"((?<![A-Za-z0-9])\\[@!$~](?=[A-Za-z0-9])|\\#(?=[0-9]))")
_APART = "&#8203;"  # a zero width space
_ACTIVE = re.compile(r"([\\`*_{}\[\]()#+!|<>~@&$:-])")


def render(report: Report, style: Style) -> str:
    """The whole report as GitHub flavoured Markdown."""
    return "\n".join(_lines(report, style)) + "\n"


def text(value: str) -> str:
    """A stranger's text as Markdown that shows it and does nothing: no link, no mention, no markup, one line."""
    escaped = _ACTIVE.sub(r"\\\1", neutral(value.replace("\n", " ")))
    return _CALLED.sub(rf"\1{_APART}", escaped).replace("www.", "www\\.")


def code(value: str, *, cell: bool = False) -> str:
    """Inline code; its ticks are longer than any inside. In a table a pipe is escaped: it would end the cell."""
    shown = neutral(value.replace("\n", " "))
    shown = shown.replace("|", "\\|") if cell else shown
    ticks = "`" * (1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}" if shown else ""


def fence(lines: Iterable[str], language: str = "sh") -> Iterator[str]:
    """A code block whose fence is longer than any inside; its lines keep what they say."""
    shown = [neutral(line) for line in lines]
    longest = max((len(run) for line in shown for run in re.findall("`+", line)), default=0)
    ticks = "`" * max(3, longest + 1)
    yield from (f"{ticks}{language}", *shown, ticks)


def body(finding: Finding) -> list[str]:
    """One finding as a section's lines: places, why, fix, undo, references. What a ticket carries."""
    places = open_places(finding) or waived_places(finding)
    lines = [text(finding.why), ""]
    lines += [f"**Where** ({len(places)})", ""]
    for place in places[:_MANY]:
        lines.append(f"- {code(subject(place))}" + (f": {text(place.reason)}" if place.reason else ""))
    if len(places) > _MANY:
        lines.append(f"- and {len(places) - _MANY} more")
    lines.append("")
    if finding.fix:
        lines += _fix(finding.fix)
    if mapped := references(finding):
        lines += ["**References** " + ", ".join(text(item) for item in mapped), ""]
    return lines


def _fix(fix: Fix) -> Iterator[str]:
    yield from ("**Fix**", "")
    if fix.shell:
        yield from fence(fix.shell.splitlines())
        yield ""
    for index, step in enumerate(fix.steps, 1):
        yield f"{index}. {text(step)}"
    if fix.steps:
        yield ""
    for label, value in fix_lines(fix):
        if label == "Undo" and ("aws " in value or "\n" in value):
            yield from ("- Undo:", "", *fence(value.splitlines()), "")
        else:
            yield f"- {label}: {text(value)}"
    yield ""


def _lines(report: Report, style: Style) -> Iterator[str]:
    yield from ("# AWS detection and response", "", text(run_line(report)), "")
    for role in roles(report):
        yield from (text(role), "")
    yield from (f"**{text(result_line(report))}**", "")
    if compared := baseline_line(report):
        yield from (f"Against the baseline: {text(compared)}", "")
    yield from _counts(report)
    for summary in report.frameworks:
        yield from _requirements(summary)
    gaps = sorted(report.gaps(), key=lambda gap: not report.fresh(gap))
    if gaps:
        yield from (
            f"## Gaps ({len(gaps)})",
            "",
            "| severity | check | where | why |",
            "| --- | --- | --- | --- |",
        )
        for gap in gaps:
            first = next(iter(reasons(open_places(gap))), gap.title)
            cells = (
                gap.severity.value + " (new)" * report.fresh(gap),
                code(gap.check, cell=True),
                text(where(open_places(gap))),
                text(first),
            )
            yield f"| {' | '.join(cells)} |"
        yield ""
        shown = gaps if style.details or style.top == 0 else gaps[: style.top]
        for gap in shown:
            yield from (f"### {text(gap.check)}: {text(gap.title)}", "", *body(gap))
        if len(shown) < len(gaps):
            yield from (f"The other {len(gaps) - len(shown)} are in the table above (--top 0 shows all).", "")
    yield from _lists(report, style)
    yield from _not_evaluated(report)
    yield from _waived(report)
    for warning in (*report.warnings, *report.changes):
        yield f"- {text(warning)}"


def _lists(report: Report, style: Style) -> Iterator[str]:
    """What GuardDuty cannot raise, and which questions nobody could answer for long."""
    headline, causes, strangers = blindspots.sentences(report.blind, style)
    if headline:
        yield from ("## Blind spots", "", text(f"{headline}."), "")
        yield from (f"- {text(sentence)}" for sentence in (*causes, *strangers))
        yield ""
    several = len(report.investigation) > 1
    told = [
        (f"{account.account}: " if several else "") + sentence
        for account in report.investigation
        for sentence in investigation.sentences(account)
    ]
    if told:
        yield from ("## Investigation", "", *(f"- {text(sentence)}" for sentence in told), "")


def _counts(report: Report) -> Iterator[str]:
    counts = report.counts()
    names = ("fail", "unknown", "waived", "pass", "not_applicable")
    yield "| " + " | ".join(name.replace("_", " ") for name in names) + " |"
    yield "| " + " | ".join("---:" for _ in names) + " |"
    yield "| " + " | ".join(str(counts[name]) for name in names) + " |"
    yield ""


def _requirements(summary: Summary) -> Iterator[str]:
    yield from (f"## {text(summary.headline())}", "", "| requirement | about | stands | checks |")
    yield "| --- | --- | --- | --- |"
    for standing in Standing:
        for item in summary.having(standing):
            checks = ", ".join(code(name, cell=True) for name in item.telling())
            yield f"| {text(item.number)} | {text(item.title)} | {standing.words} | {checks} |"
    yield from ("", CAVEAT, "")


def _not_evaluated(report: Report) -> Iterator[str]:
    unseen = report.unseen()
    if report.complete():
        return
    yield from ("## Not evaluated: this audit is incomplete", "")
    if unseen:
        several = len(report.evidence.header.accounts) > 1
        head, line = ("| account ", "| --- ") if several else ("", "")
        yield from (f"{head}| region | call | refused as | checks |", f"{line}| --- | --- | --- | ---: |")
        for item in unseen:
            account = f"| {text(item.account)} " if several else ""
            kind = item.kind.replace("_", " ") + (f" ({item.code})" if item.code else "")
            where = f"{account}| {text(item.region)} | {code(item.call, cell=True)}"
            yield f"{where} | {text(kind)} | {len(item.affects)} |"
    yield ""


def _waived(report: Report) -> Iterator[str]:
    found = [
        (place.waiver, finding.check, place)
        for finding in report.findings
        for place in finding.places
        if place.waiver
    ]
    if not found:
        return
    yield from (f"## Waived ({len(found)})", "", "| waiver | check | where | until | owner | reason |")
    yield "| --- | --- | --- | --- | --- | --- |"
    for waiver, check, place in found:
        cells = (waiver.id, check, subject(place), waiver.expires, waiver.owner, waiver.reason)
        yield "| " + " | ".join(text(cell) for cell in cells) + " |"
    yield ""
