"""Regions by service: what passes, what fails how badly, what was not evaluated; regions that are alike share a row."""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.cells import cell_len
from rich.text import Text

from postureaudit import services
from postureaudit.findings import Finding, Place, Severity, Verdict
from postureaudit.render.lines import COLORS, packed

UTF = {"pass": "✓", "fail": "✗", "unknown": "?", "waived": "~", "none": "·", "rule": "─"}
ASCII = {"pass": "ok", "fail": "X", "unknown": "?", "waived": "~", "none": ".", "rule": "-"}
_NARROW = 80  # below, one line a region
_FITS = (
    (len(Severity), 2),
    (2, 2),
    (1, 2),
    (1, 1),
)  # severities in a cell and columns between cells, tried in turn


class Matrix:
    """The table of one report. `titles` are the columns by service, `collapse` whether like regions share a row."""

    def __init__(
        self,
        findings: Iterable[Finding],
        regions: Sequence[str],
        leader: str,
        titles: Mapping[str, str],
        *,
        width: int,
        collapse: bool,
        glyphs: Mapping[str, str],
    ) -> None:
        self.columns = list(titles)
        self.titles = [titles[column] for column in self.columns]
        self.width = width
        self.glyphs = glyphs
        self.groups: dict[str, tuple[str, ...]] = {}
        self._regions = regions
        self._leader = leader
        self._collapse = collapse
        self._places = _by_place(findings, frozenset(regions))
        self._gap = 2
        self._drawable = True
        self._rows = self._fitting()

    def lines(self) -> Iterator[Text]:
        """The table, its legend, and the names of collapsed regions."""
        yield from self._drawn() if self._drawable else self._listed()
        g = self.glyphs
        legend = (
            f"{g['pass']} pass",
            f"{g['fail']} gap by severity (C H M L I)",
            f"{g['unknown']} not evaluated",
            f"{g['waived']} waived",
            f"{g['none']} n/a",
        )
        for line in packed(legend, min(self.width, 100)):
            yield Text(" " + line.plain, style="dim")
        for label, regions in self.groups.items():
            lines = textwrap.wrap(" ".join(regions), min(self.width, 100) - 6, break_on_hyphens=False)
            for index, part in enumerate(lines):
                yield Text((f" {label} " if index == 0 else "     ") + part, style="dim")

    def _fitting(self) -> list[tuple[str, list[Text]]]:
        """The rows with as many severities in a cell as the width has room for; where it has none at all, a list."""
        found: list[tuple[str, list[Text]]] = []
        self._drawable = self.width >= _NARROW
        for most, self._gap in _FITS:
            self.groups = {}
            found = self._all_rows(most)
            if not self._drawable or self._first(found) + sum(self._widths(found)) - self._gap <= self.width:
                return found
        self._drawable = False
        return found

    def _first(self, rows: Sequence[tuple[str, list[Text]]]) -> int:
        return max([cell_len(name) for name, _ in rows] + [12]) + 2

    def _widths(self, rows: Sequence[tuple[str, list[Text]]]) -> list[int]:
        """The width of each column, gap included."""
        found = []
        for index, title in enumerate(self.titles):
            widest = max([cell_len(cells[index].plain) for _, cells in rows] + [cell_len(title)])
            found.append(widest + self._gap)
        return found

    def _drawn(self) -> Iterator[Text]:
        first, widths = self._first(self._rows), self._widths(self._rows)
        head = "".join(title.ljust(width) for title, width in zip(self.titles, widths, strict=True))
        yield Text((" Region".ljust(first) + head).rstrip())
        rule = self.glyphs["rule"] * (first - 1 + sum(widths) - self._gap)
        yield Text(" " + rule, style="dim")
        for name, cells in self._rows:
            line = Text((" " + name).ljust(first))
            for cell, width in zip(cells, widths, strict=True):
                line.append_text(cell)
                line.append(" " * (width - cell_len(cell.plain)))
            line.rstrip()
            yield line
        yield Text(" " + rule, style="dim")

    def _listed(self) -> Iterator[Text]:
        for name, cells in self._rows:
            row = Text(f" {name}:")
            for column, cell in zip(self.columns, cells, strict=True):
                if cell.plain == self.glyphs["none"]:
                    continue
                shown = Text.assemble(f"  {column} ", cell)
                if cell_len(row.plain) + cell_len(shown.plain) > self.width:
                    yield row
                    row = Text("  ")
                row.append_text(shown)
            yield row

    def _all_rows(self, most: int) -> list[tuple[str, list[Text]]]:
        ordered = sorted(self._regions, key=lambda name: (name != self._leader, name))
        rows = [("account-wide", self._cells(None, most))]
        cells = {region: self._cells(region, most) for region in ordered}
        alike: dict[str, list[str]] = defaultdict(list)
        for region in ordered:
            alike["|".join(cell.plain for cell in cells[region])].append(region)
        for regions in alike.values():
            if len(regions) > 2 and self._collapse:
                label = f"[{chr(ord('a') + len(self.groups) % 26)}]"
                self.groups[label] = tuple(regions)
                rows.append((f"{len(regions)} alike  {label}", cells[regions[0]]))
                continue
            rows += [(name + (" (home)" if name == self._leader else ""), cells[name]) for name in regions]
        return rows

    def _cells(self, region: str | None, most: int) -> list[Text]:
        return [self._cell(self._places.get((region, column), ()), most) for column in self.columns]

    def _cell(self, places: Iterable[tuple[Finding, Place]], most: int) -> Text:
        severities: dict[Severity, int] = defaultdict(int)
        counts = dict.fromkeys(("pass", "unknown", "waived"), 0)
        for finding, place in places:
            if place.verdict is Verdict.FAIL and not place.waiver:
                severities[finding.severity] += 1
            elif place.verdict is Verdict.FAIL:
                counts["waived"] += 1
            elif place.verdict is not Verdict.NOT_APPLICABLE:
                counts[place.verdict.value] += 1
        shown = [severity for severity in Severity if severities[severity]]
        if shown:
            cell = Text(self.glyphs["fail"], style=COLORS["fail"])
            for severity in shown[:most]:
                part = f" {severities[severity]}{severity.value[0].upper()}"
                cell.append(part, style=COLORS[severity.value])
            if rest := sum(severities[severity] for severity in shown[most:]):
                cell.append(f" +{rest}", style="dim")
            if counts["unknown"]:
                cell.append(f" {self.glyphs['unknown']}", style=COLORS["unknown"])
            return cell
        for name in ("unknown", "waived"):
            if counts[name]:
                return Text(f"{self.glyphs[name]} {counts[name]}", style=COLORS[name])
        name = "pass" if counts["pass"] else "none"
        return Text(self.glyphs[name], style=COLORS[name])


def _by_place(
    findings: Iterable[Finding], audited: frozenset[str]
) -> dict[tuple[str | None, str], list[tuple[Finding, Place]]]:
    """Places by region and service; a place outside the audited regions counts as account-wide."""
    found: dict[tuple[str | None, str], list[tuple[Finding, Place]]] = defaultdict(list)
    for finding in findings:
        for place in finding.places:
            region = place.region if place.region in audited else None
            found[(region, services.column(finding.service))].append((finding, place))
    return found
