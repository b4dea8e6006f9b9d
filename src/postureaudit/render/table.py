"""The terminal report: who and where, a map of regions by service, the gaps with their fixes, the result."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterable, Iterator

from rich.text import Text

from postureaudit import __version__, services
from postureaudit.findings import Finding, Fix, Place, Verdict
from postureaudit.render import Style, blindspots, investigation, requirements
from postureaudit.render.lines import COLORS, beside, console, finished, fold, heading, packed, wrapped
from postureaudit.render.matrix import ASCII, UTF, Matrix
from postureaudit.render.neutral import neutral
from postureaudit.render.summary import baseline_line, roles
from postureaudit.report import Report, Unseen

_SHORT = {"critical": "CRIT", "high": "HIGH", "medium": "MED", "low": "LOW", "info": "INFO"}
_WIDE = 120  # from here on regions are not collapsed and the gaps stand beside the map
_SHUT = 3  # services that a region refuses alike, from which on they share a line
_SIGNAL = "signal"
_SIGNALS = 5  # lost signals shown, unless details are asked for
_PANE = 60  # columns for the gaps beside the map
_COMMANDS = 3  # commands shown of one gap, unless details are asked for


def render(report: Report, style: Style) -> str:
    """The whole report as text; with escape codes only when the style has colour."""
    page = _Page(report, style)
    out = io.StringIO()
    screen = console(style, out)
    for line in page.lines():
        shown = neutral(line.plain)  # the last border: some place may print a region or call as it came
        screen.print(line if shown == line.plain else Text(shown), soft_wrap=True)
    return finished(out, style)


class _Page:
    def __init__(self, report: Report, style: Style) -> None:
        self.report = report
        self.style = style
        self.findings = report.findings
        self.wide = style.width >= _WIDE
        header = report.evidence.header
        known = services.columns()
        self.titles = {name: known.get(name, name) for name in self._services()}
        self.matrix = Matrix(
            self.findings,
            header.regions.audited,
            header.leader,
            self.titles,
            width=style.width - _PANE if self.wide else style.width,
            collapse=not self.wide,
            glyphs=ASCII if style.ascii else UTF,
        )

    def lines(self) -> Iterator[Text]:
        yield from self._head()
        yield Text()
        table = list(self.matrix.lines())
        if self.wide:
            table = beside(table, list(self._overview()), self.style.width)
        yield from table
        yield Text()
        yield from self._gaps()
        yield from blindspots.block(self.report.blind, self.style)
        yield from self._response()
        yield from investigation.block(self.report.investigation, self.style)
        for summary in self.report.frameworks:
            yield from requirements.lines(summary, self.style)
        yield from self._not_evaluated()
        yield from self._waived()
        yield from self._baseline()
        yield from self._changed()
        yield from self._result()

    def _head(self) -> Iterator[Text]:
        header = self.report.evidence.header
        account = ", ".join(
            neutral(item.id + (f" ({item.name})" if item.name else "")) for item in header.accounts
        )
        caller = neutral(header.caller.split(":")[-1])
        counted = f"{len(header.regions.audited)} regions"
        if header.regions.not_enabled:
            counted += f" ({len(header.regions.not_enabled)} not enabled)"
        if header.regions.excluded:
            counted += f" ({len(header.regions.excluded)} left out)"
        parts = (
            f"postureaudit {__version__}",
            f"account {account}",
            *map(neutral, roles(self.report)),
            f"partition {header.partition}",
            f"identity {caller}",
            "read-only guard: on",
            f"{counted}, {header.calls} calls, {self.report.seconds:.1f} s",
            f"as of {header.ended}",
        )
        yield from packed(parts, self.style.width)

    def _services(self) -> list[str]:
        """The report's columns: services, each with the checks of its other prefixes."""
        ordered = sorted(self.findings, key=_service_order)
        return list(dict.fromkeys(services.column(item.service) for item in ordered))

    def _overview(self) -> Iterator[Text]:
        """The right pane of a wide terminal: the gaps, one line each, and the services' counts."""
        gaps = self._sorted_gaps()
        places = sum(len(_open(gap)) for gap in gaps)
        yield Text(f"TOP GAPS ({len(gaps)} in {places} places)", style="bold")
        for gap in gaps[:12]:
            line = Text(f"{_SHORT[gap.severity.value]:5}", style=COLORS[gap.severity.value])
            line.append(f"{neutral(gap.check)[:34]:35}")
            line.append(self._where(gap, short=True)[:16])
            yield line
        if lost := self._lost_signals():
            line = Text(f"{_SHORT[lost[0].severity.value]:5}", style=COLORS[lost[0].severity.value])
            yield line.append(f"{len(lost)} of {self._traced()} signals reach nobody somewhere")
        yield Text()
        yield Text("SERVICE            pass  gap  unkn  waived", style="bold")
        for name, title in self.titles.items():
            own = [item for item in self.findings if services.column(item.service) == name]
            mine = [place for item in own for place in item.places]
            failing = [place for place in mine if place.verdict is Verdict.FAIL]
            waived = sum(bool(place.waiver) for place in failing)
            passed = sum(place.verdict is Verdict.PASS for place in mine)
            unseen = sum(place.verdict is Verdict.UNKNOWN for place in mine)
            yield Text(f"{title[:17]:18}{passed:5}{len(failing) - waived:5}{unseen:6}{waived:8}")

    def _sorted_gaps(self) -> list[Finding]:
        """The gaps one by one; those of signals are told together."""
        return [gap for gap in self._ranked() if gap.service != _SIGNAL]

    def _lost_signals(self) -> list[Finding]:
        return [gap for gap in self._ranked() if gap.service == _SIGNAL]

    def _ranked(self) -> list[Finding]:
        """The gaps that matter most first; before them those that are new against a baseline, which close the gate."""
        return sorted(
            self.report.gaps(),
            key=lambda gap: (
                not self.report.fresh(gap),
                -gap.severity.rank,
                -len(_open(gap)),
                gap.check,
            ),
        )

    def _traced(self) -> int:
        return sum(item.service == _SIGNAL for item in self.findings)

    def _response(self) -> Iterator[Text]:
        """What reaches nobody, in one block: an account without any alerting fails every signal everywhere."""
        lost = self._lost_signals()
        if not lost:
            return
        places = sum(len(_open(gap)) for gap in lost)
        count = f"{len(lost)} of {self._traced()} signals"
        yield from heading(f"RESPONSE  {count} reach nobody, in {places} places", self.style.width)
        limit = len(lost) if self.style.details or self.style.top == 0 else _SIGNALS
        for gap in lost[:limit]:
            yield from self._lost(gap)
        if len(lost) > limit:
            yield Text(f"   ... and {len(lost) - limit} more (--top 0)", style="dim")
        yield Text(
            "   more  postureaudit trace shows each route, where it breaks and what mends it", style="dim"
        )
        yield Text()

    def _lost(self, gap: Finding) -> Iterator[Text]:
        reasons = list(dict.fromkeys(neutral(place.reason) for place in _open(gap)))
        head = Text(f"   {gap.severity.value.upper():9}", style=COLORS[gap.severity.value])
        head.append(neutral(gap.check.partition(".")[2]), style="bold")
        head.append(f"  {self._where(gap)}")
        yield head
        more = f" (and {len(reasons) - 1} other reasons)" if len(reasons) > 1 else ""
        for line in wrapped(reasons[0] + more, self.style.width - 10):
            yield Text("         " + line.plain, style="dim")

    def _gaps(self) -> Iterator[Text]:
        gaps = self._sorted_gaps()
        if not gaps:
            return
        shown = gaps if self.style.top == 0 else gaps[: self.style.top]
        places = sum(len(_open(gap)) for gap in gaps)
        rest = "" if len(shown) == len(gaps) else f"; showing {len(shown)} (--top 0 for all)"
        yield from heading(f"TOP GAPS  {len(gaps)} gaps in {places} places{rest}", self.style.width)
        yield Text()
        for number, gap in enumerate(shown, 1):
            yield from self._gap(number, gap)
            yield Text()

    def _gap(self, number: int, gap: Finding) -> Iterator[Text]:
        head = Text(f"{number:<3}")
        head.append(f"{gap.severity.value.upper():9} ", style=COLORS[gap.severity.value])
        head.append(neutral(gap.check), style="bold")
        head.append(f"   {self._where(gap)}{'   new' * self.report.fresh(gap)}")
        yield head
        reasons = list(dict.fromkeys(neutral(place.reason) for place in _open(gap) if place.reason))
        texts = [f"Wanted: {gap.title}.", *(reasons if self.style.details else reasons[:2])]
        if len(reasons) > 2 and not self.style.details:
            texts.append(f"... and {len(reasons) - 2} more like this (--details)")
        for text in texts:
            yield from wrapped(text, self.style.width)
        if gap.fix is not None:
            yield from self._fix(gap, gap.fix)
        yield Text(f"   more  postureaudit explain {gap.check}", style="dim")

    def _fix(self, gap: Finding, fix: Fix) -> Iterator[Text]:
        before = self._before(gap, fix)
        label = " | ".join(
            part
            for part in (
                fix.effect,
                f"cost: {fix.cost}" if fix.cost else "",
                f"needs {', '.join(fix.permissions)}" if fix.permissions else "",
                f"run it in account {fix.account}" if fix.account not in ("", gap.account) else "",
                f"after {', '.join(before)}" if before else "",
            )
            if part
        )
        if fix.shell:
            yield from wrapped(f"fix   {neutral(label)}", self.style.width, dim=True)
            lines = fix.shell.splitlines()
            is_loop = any(line.startswith("for region in") for line in lines)
            limit = len(lines) if self.style.details or is_loop else _COMMANDS
            for line in lines[:limit]:
                for part in fold(line, self.style.width - 3):
                    yield Text("   " + neutral(part), style="")
            if len(lines) > limit:
                yield Text(f"   ... and {len(lines) - limit} more (--details, or -o json)", style="dim")
        if fix.steps:
            yield Text("   no safe one-line command:" if not fix.shell else "   and by hand:", style="dim")
            for index, step in enumerate(fix.steps[: None if self.style.details else 4], 1):
                yield from wrapped(f"{index}. {neutral(step)}", self.style.width)

    def _before(self, gap: Finding, fix: Fix) -> list[str]:
        """The other gaps of the account whose fixes come first."""
        still_open = {other.check for other in self.report.gaps() if other.account == gap.account}
        return [name for name in fix.after if name in still_open]

    def _where(self, gap: Finding, *, short: bool = False) -> str:
        places = _open(gap)
        regions = sorted({place.region for place in places if place.region})
        if not regions:
            return "account-wide"
        if len(places) == 1 and places[0].resource and not short:
            return f"{regions[0]}  {neutral(places[0].resource)}"
        if len(regions) == 1:
            return regions[0]
        label = next(
            (f" {key}" for key, group in self.matrix.groups.items() if set(group) == set(regions)), ""
        )
        return f"{len(regions)} regions{label}"

    def _not_evaluated(self) -> Iterator[Text]:
        unknown = [place for item in self.findings for place in item.having(Verdict.UNKNOWN)]
        if not unknown:
            return
        total = sum(len(item.places) for item in self.findings)
        share = 100 * len(unknown) / total
        head = (
            f"NOT EVALUATED  {len(unknown)} of {total} results ({share:.1f} %)",
            "this audit is INCOMPLETE",
        )
        for line in packed(head, self.style.width, between=": "):
            yield Text(line.plain, style="bold " + COLORS["unknown"])
        for text in _refused(self.report.unseen()):
            yield from wrapped(text, self.style.width)
        silent = sum(not place.blind for place in unknown)
        if silent:
            yield from wrapped(f"{silent} results where AWS's answer does not decide", self.style.width)
        yield Text()

    def _waived(self) -> Iterator[Text]:
        seen: dict[str, tuple[Place, set[str], set[str]]] = {}
        for finding in self.findings:
            for place in finding.places:
                if place.waiver:
                    entry = seen.setdefault(place.waiver.id, (place, set(), set()))
                    entry[1].add(finding.check)
                    entry[2].add(place.region or "account-wide")
        for name, (place, checks, regions) in sorted(seen.items()):
            assert place.waiver is not None
            where = sorted(regions)[0] if len(regions) == 1 else f"{len(regions)} regions"
            what = sorted(checks)[0] if len(checks) == 1 else f"{len(checks)} checks"
            parts = (
                f"WAIVED  {name}  {what}",
                f"{where}, until {place.waiver.expires} ({place.waiver.owner})",
            )
            for index, line in enumerate(packed(map(neutral, parts), self.style.width, between="  ")):
                yield Text("        " * (index > 0) + line.plain, style=COLORS["waived"])
        for warning in self.report.warnings:
            yield Text(neutral(f"WARNING  {warning}"), style="yellow")

    def _baseline(self) -> Iterator[Text]:
        """The run against the baseline, by place."""
        told = baseline_line(self.report)
        if not told:
            return
        parts = f"BASELINE  {told}".split(", ")
        for index, line in enumerate(packed(parts, self.style.width, between=", ")):
            yield Text("          " * (index > 0) + line.plain)

    def _changed(self) -> Iterator[Text]:
        for change in self.report.changes:
            yield Text(neutral(f"CHANGED  {change}"), style="yellow")

    def _result(self) -> Iterator[Text]:
        parts = result_line(self.report).split(" | ")
        for index, line in enumerate(packed(parts, self.style.width, between=" | ")):
            yield from heading(("        " if index else "") + line.plain, self.style.width)


def _refused(unseen: Iterable[Unseen]) -> Iterator[str]:
    """What was refused: a region that refuses several services in one line, the rest call by call."""
    shut: dict[tuple[str, str], list[Unseen]] = defaultdict(list)
    for item in unseen:
        shut[(item.region, item.kind)].append(item)
    groups: dict[tuple[str, str, str], list[Unseen]] = defaultdict(list)
    for (region, kind), items in sorted(shut.items()):
        names = sorted({item.call.partition(":")[0] for item in items})
        if len(names) < _SHUT:
            for item in items:
                groups[(item.call, item.kind, item.code)].append(item)
            continue
        checks = len({check for item in items for check in item.affects})
        yield f"{region:16} {', '.join(names)}  {kind.replace('_', ' ')}: {checks} checks"
    for (call, kind, code), items in sorted(groups.items()):
        regions = sorted({item.region for item in items})
        where = regions[0] if len(regions) == 1 else f"{len(regions)} regions"
        checks = len({check for item in items for check in item.affects})
        reason = f" ({neutral(code)[:40]})" if code else ""
        yield f"{where:16} {call}  {kind.replace('_', ' ')}{reason}: {checks} checks"


def result_line(report: Report) -> str:
    """The last line: GAPS, BLIND or CLEAN, the counts, the gate and the exit code."""
    found = report.by_severity()
    if report.exit_code == 130:
        word = "INTERRUPTED"
    elif found:
        word = "GAPS"
    else:
        word = "BLIND" if not report.complete() else "CLEAN"
    counts = "  ".join(f"{count} {name}" for name, count in found.items()) or "no open gaps"
    unknown = sum(len(item.having(Verdict.UNKNOWN)) for item in report.findings)
    parts = [
        f"{word}  {counts}",
        *([f"{unknown} not evaluated"] if unknown else []),
        *([f"tolerated: {', '.join(report.decision.tolerated)}"] if report.decision.tolerated else []),
        f"fail-on: {report.fail_on.value if report.fail_on else 'none'}",
        f"exit {report.exit_code}",
        f"{report.seconds:.1f} s",
    ]
    return "RESULT  " + " | ".join(parts)


def _open(finding: Finding) -> list[Place]:
    return [place for place in finding.having(Verdict.FAIL) if not place.waiver]


def _service_order(finding: Finding) -> int:
    names, column = list(services.columns()), services.column(finding.service)
    return names.index(column) if column in names else len(names)
