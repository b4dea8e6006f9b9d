"""The terminal report of many accounts: a map of accounts by service, the gaps they share, and what was not seen."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterator, Sequence

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from postureaudit import __version__
from postureaudit.findings import Severity
from postureaudit.org.summary import Cell, Organization, Row
from postureaudit.render import Style
from postureaudit.render.lines import COLORS, console, finished, packed, wrapped
from postureaudit.render.matrix import ASCII, UTF
from postureaudit.render.neutral import neutral

_ROWS = 40  # rows of the map; the rest is in organization.json
_SIGNALS = 8
_NAMED = 3  # accounts named beside a gap
_LABELS = (28, 20, 14)  # columns for an account and its name
_FITS = ((len(Severity), 2), (2, 2), (1, 2), (1, 1))  # severities in a cell, columns between cells


def render(found: Organization, style: Style, *, folder: str, seconds: float, code: int) -> str:
    """The report as text. `folder` is where the accounts' findings are, `code` the exit code to name."""
    out = io.StringIO()
    screen = console(style, out)
    for line in _lines(found, style, folder):
        shown = neutral(line.plain)
        screen.print(line if shown == line.plain else Text(shown), soft_wrap=True)
    screen.print(Text(result_line(found, seconds=seconds, code=code), style="bold"), soft_wrap=True)
    return finished(out, style)


def result_line(found: Organization, *, seconds: float, code: int) -> str:
    """The last line: GAPS, BLIND or CLEAN over all accounts, the counts, the gate and the exit code."""
    word = "GAPS" if found.by_severity else "CLEAN" if found.complete else "BLIND"
    counts = (
        "  ".join(f"{count} {severity}" for severity, count in found.by_severity.items()) or "no open gaps"
    )
    refused = len(found.refused())
    parts = [
        f"{word}  {counts}",
        f"{len(found.accounts)} accounts" + (f", {refused} not entered" if refused else ""),
        *([f"{found.counts['unknown']} not evaluated"] if found.counts["unknown"] else []),
        *([f"tolerated: {', '.join(found.tolerated)}"] if found.tolerated else []),
        f"fail-on: {found.fail_on}",
        f"exit {code}",
        f"{seconds:.1f} s",
    ]
    return "RESULT  " + " | ".join(parts)


def _lines(found: Organization, style: Style, folder: str) -> Iterator[Text]:
    inactive = [f"{found.inactive} not active, not audited"] if found.inactive else []
    head = (
        f"postureaudit {__version__}",
        f"organization {found.organization or '(accounts by name)'}",
        f"{len(found.accounts)} accounts, {found.regions} regions",
        *inactive,
        f"identity {neutral(found.caller.split(':')[-1])}",
        "read-only guard: on",
        f"{found.calls} calls",
        f"as of {found.started}",
    )
    yield from packed(head, style.width)
    yield Text()
    yield from _map(found, style)
    yield Text()
    yield from _gaps(found, style)
    yield from _signals(found, style)
    yield from _blind(found, style)
    for warning in found.warnings:
        yield from wrapped(f"warning: {neutral(warning)}", style.width)
    if found.baseline is not None:
        yield Text("BASELINE  " + ", ".join(f"{count} {name}" for name, count in found.baseline.items()))
    yield Text(
        f"Findings of each account: {neutral(folder)}/accounts/ID/findings.jsonl   all together: organization.json"
    )
    yield Text()


def _map(found: Organization, style: Style) -> Iterator[Text]:
    """Accounts by service; accounts that are alike share a row."""
    glyphs = ASCII if style.ascii else UTF
    groups: dict[tuple[object, ...], list[Row]] = defaultdict(list)
    for row in found.accounts:
        groups[_likeness(row, found)].append(row)
    shown = sorted(groups.values(), key=lambda rows: (-_weight(rows[0]), rows[0].account))
    label, fit = _fitting(shown[:_ROWS], found, style, glyphs)
    most, gap = fit
    table = [[Text(title) for title in found.columns.values()]]
    table += [_cells(rows[0], found, most, glyphs) for rows in shown[:_ROWS]]
    widths = [max(cell_len(line[at].plain) for line in table) for at in range(len(found.columns))]
    labels = ["account", *(_label(rows) for rows in shown[:_ROWS])]
    for number, (name, line) in enumerate(zip(labels, table, strict=True)):
        text = Text(set_cell_size(name, label), style="bold" if number == 0 else "")
        for width, cell in zip(widths, line, strict=True):
            text.append(" " * gap)
            text.append_text(cell)
            text.append(" " * (width - cell_len(cell.plain)))
        text.rstrip()
        yield text
    if len(shown) > _ROWS:
        rest = sum(len(rows) for rows in shown[_ROWS:])
        yield Text(f"and {rest} more accounts with less", style="dim")
    legend = (
        f"{glyphs['pass']} pass",
        f"{glyphs['fail']} checks with gaps by severity (C H M L I)",
        f"{glyphs['unknown']} not evaluated",
        f"{glyphs['waived']} waived",
        f"{glyphs['none']} not applicable",
    )
    yield from packed(legend, style.width)
    for rows in shown[:_ROWS]:
        if len(rows) > 2:
            yield from wrapped(f"{_label(rows)}: {_listed([row.account for row in rows], 12)}", style.width)


def _likeness(row: Row, found: Organization) -> tuple[object, ...]:
    cells = [row.cells.get(column, Cell()) for column in found.columns]
    shown = [(tuple(cell.gaps.items()), bool(cell.passed), cell.unknown, cell.waived) for cell in cells]
    return (row.state, *shown)


def _weight(row: Row) -> int:
    """Accounts that could not be entered first, then by gaps, weighed by severity."""
    gaps = 10**9 if row.state == "refused" else 0
    for cell in row.cells.values():
        gaps += sum(count * int(10**severity.rank) for severity, count in cell.gaps.items())
    return gaps


def _label(rows: Sequence[Row]) -> str:
    if len(rows) > 2:
        return f"{len(rows)} alike: {rows[0].account} ..."
    if len(rows) == 2:
        return f"{rows[0].account}, {rows[1].account}"
    return f"{rows[0].account} {neutral(rows[0].name)}".rstrip()


def _fitting(
    shown: Sequence[Sequence[Row]], found: Organization, style: Style, glyphs: dict[str, str]
) -> tuple[int, tuple[int, int]]:
    """The width of the first column, and how full the cells may be, so that a row fits."""
    for label in _LABELS:
        for most, gap in _FITS:
            rows = [_cells(rows[0], found, most, glyphs) for rows in shown]
            widths = [
                max([cell_len(title), *(cell_len(line[at].plain) for line in rows)])
                for at, title in enumerate(found.columns.values())
            ]
            if label + sum(widths) + gap * len(widths) < style.width:
                return label, (most, gap)
    return _LABELS[-1], _FITS[-1]


def _cells(row: Row, found: Organization, most: int, glyphs: dict[str, str]) -> list[Text]:
    return [_cell(row.cells.get(column, Cell()), most, glyphs) for column in found.columns]


def _cell(cell: Cell, most: int, glyphs: dict[str, str]) -> Text:
    if cell.gaps:
        text = Text(glyphs["fail"], style=COLORS["fail"])
        ordered = sorted(cell.gaps.items(), key=lambda item: -item[0].rank)
        for severity, count in ordered[:most]:
            text.append(f" {count}{severity.value[0].upper()}", style=COLORS[severity.value])
        if rest := sum(count for _, count in ordered[most:]):
            text.append(f" +{rest}", style="dim")
        if cell.unknown:
            text.append(f" {glyphs['unknown']}", style=COLORS["unknown"])
        return text
    for name, count in (("unknown", cell.unknown), ("waived", cell.waived)):
        if count:
            return Text(f"{glyphs[name]} {count}", style=COLORS[name])
    name = "pass" if cell.passed else "none"
    return Text(glyphs[name], style=COLORS[name])


def _gaps(found: Organization, style: Style) -> Iterator[Text]:
    gaps = [gap for gap in found.gaps if not gap.check.startswith("signal.")]
    if not gaps:
        return
    total = len(found.accounts)
    shown = gaps[: style.top] if style.top else gaps
    yield Text(
        f"GAPS ({len(gaps)} checks in {len({name for gap in gaps for name in gap.accounts})} accounts)",
        style="bold",
    )
    for gap in shown:
        line = Text(f"{gap.severity.value.upper():9}", style=COLORS[gap.severity.value])
        line.append(f"{gap.check}  {len(gap.accounts)} of {total} accounts, {gap.places} places")
        yield line
        yield from wrapped(gap.title, style.width)
        yield from wrapped(
            _listed(gap.accounts, _NAMED if not style.details else len(gap.accounts)), style.width, dim=True
        )
    if len(gaps) > len(shown):
        yield Text(f"and {len(gaps) - len(shown)} more: --top 0 shows all", style="dim")
    yield Text(
        "What closes a gap in one account: postureaudit report DIR/accounts/ID/evidence.json.gz --details",
        style="dim",
    )
    yield Text()


def _listed(accounts: Sequence[str], most: int) -> str:
    named = ", ".join(accounts[:most])
    return named + (f" and {len(accounts) - most} more" if len(accounts) > most else "")


def _signals(found: Organization, style: Style) -> Iterator[Text]:
    lost = [item for item in found.signals if item.accounts]
    if not found.signals:
        return
    yield Text(
        f"SIGNALS  {len(lost)} of {len(found.signals)} do not reach somebody from everywhere", style="bold"
    )
    shown = lost if style.details else lost[:_SIGNALS]
    for item in shown:
        line = Text(f"{item.severity.value.upper():9}", style=COLORS[item.severity.value])
        outcomes = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in item.outcomes.items())
        where = f"{item.accounts} account{'s' * (item.accounts > 1)}"
        line.append(f"{item.signal}  in {where} ({outcomes})")
        yield line
    if len(lost) > len(shown):
        yield Text(f"and {len(lost) - len(shown)} more: --details shows all", style="dim")
    yield Text()


def _blind(found: Organization, style: Style) -> Iterator[Text]:
    if not found.blind and not found.refused():
        return
    yield Text("NOT EVALUATED", style="bold")
    for row in found.refused()[: None if style.details else 10]:
        yield from wrapped(f"account {row.account} {neutral(row.name)}: {neutral(row.reason)}", style.width)
    for item in found.blind[: None if style.details else 10]:
        code = f" {neutral(item.code)}" if item.code else ""
        where = f"{item.accounts} accounts" if item.accounts > 1 else f"account {item.examples[0]}"
        text = f"{item.call}: {item.kind.replace('_', ' ')}{code} in {where}; {len(item.affects)} checks"
        yield from wrapped(text, style.width)
    yield Text()
