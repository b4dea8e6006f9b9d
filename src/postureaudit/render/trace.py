"""Routes drawn as trees, one for each signal, with regions that are alike drawn once."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from rich.text import Text
from rich.tree import Tree

from postureaudit.findings import Fix
from postureaudit.fixes import loops
from postureaudit.render import Style
from postureaudit.render.lines import console, finished, fold, wrapped
from postureaudit.render.neutral import neutral
from postureaudit.render.table import result_line
from postureaudit.report import Report
from postureaudit.signals.model import Outcome, Road, Route, State

_UTF = {"ok": "✓", "broken": "✗", "unknown": "?", "leaves": "→"}
_ASCII = {"ok": "ok", "broken": "X", "unknown": "?", "leaves": ">"}
_COLORS = {"ok": "green", "broken": "red", "unknown": "magenta", "leaves": "cyan"}
_WORDS = {
    Outcome.REACHES: ("ok", "reaches"),
    Outcome.BROKEN: ("broken", "broken"),
    Outcome.NO_ROUTE: ("broken", "no route"),
    Outcome.UNKNOWN: ("unknown", "unknown"),
    Outcome.LEAVES: ("leaves", "leaves the account: not verified"),
}
_LOOPS = 3  # commands or loops shown of one group, unless details are asked for
_ORDER = (Outcome.BROKEN, Outcome.NO_ROUTE, Outcome.UNKNOWN, Outcome.LEAVES, Outcome.REACHES)


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """A route, and what mends it where it does not reach."""

    route: Route
    fix: Fix | None = None


def render(report: Report, style: Style) -> str:
    """The routes as trees, those that do not reach first, each with what mends it, then the result line."""
    fixes = {
        (finding.account, finding.check.partition(".")[2], place.region): place.fix
        for finding in report.findings
        for place in finding.places
    }
    drawn = [
        Drawn(route=route, fix=fixes.get((route.account, route.signal, route.region)))
        for route in report.routes
    ]
    said = "".join(f"WARNING  {neutral(warning)}\n" for warning in report.warnings)
    return draw(drawn, style) + said + result_line(report) + "\n"


def draw(drawn: Sequence[Drawn], style: Style) -> str:
    """Routes as trees; regions that are alike are drawn once."""
    out = io.StringIO()
    screen = console(style, out)
    for group in alike(drawn):
        screen.print(_tree(group, style))
        for line in _mend(group, style):
            screen.print(line, soft_wrap=True)
        screen.print()
    screen.print(Text(summary(item.route for item in drawn), style="bold"), soft_wrap=True)
    return finished(out, style)


def _mend(group: Sequence[Drawn], style: Style) -> Iterator[Text]:
    """What mends the routes of a group: one loop where only the region differs, steps where no command is safe."""
    found = [item.fix for item in group if item.fix is not None]
    if not found:
        return
    texts = loops(found)
    if texts:
        needs = f"   needs {', '.join(found[0].permissions)}" if found[0].permissions else ""
        yield Text(neutral(f"   mend  {found[0].effect}{needs}"), style="dim")
    for text in texts[: None if style.details else _LOOPS]:
        for line in text.splitlines():
            for part in fold(line, style.width - 3):
                yield Text("   " + neutral(part))
    if len(texts) > _LOOPS and not style.details:
        yield Text(f"   ... and {len(texts) - _LOOPS} more (--details, or -o json)", style="dim")
    for step in dict.fromkeys(step for fix in found for step in fix.steps):
        yield from wrapped(neutral(step), style.width)


def summary(routes: Iterable[Route]) -> str:
    """One line: how many signals reach someone in every region where they can arise."""
    worst: dict[str, Outcome] = {}
    for route in routes:
        before = worst.get(route.signal, Outcome.REACHES)
        worst[route.signal] = min(before, route.outcome, key=_ORDER.index)
    counts = {found: sum(item is found for item in worst.values()) for found in _ORDER}
    parts = [f"{count} {_WORDS[found][1]}" for found, count in counts.items() if count]
    return f"SIGNALS  {counts[Outcome.REACHES]} of {len(worst)} reach someone everywhere: " + ", ".join(parts)


def alike(drawn: Iterable[Drawn]) -> list[list[Drawn]]:
    """Routes grouped where they differ in nothing but the region, in the order they are drawn."""
    groups: dict[tuple[Any, ...], list[Drawn]] = {}
    for item in drawn:
        route = item.route
        shape = [
            (hop.kind, _placeless(hop.name, route.region), hop.state, _placeless(hop.reason, route.region))
            for hop in route.hops
        ]
        key = (
            route.signal,
            route.outcome,
            _placeless(route.reason, route.region),
            tuple(shape),
            route.missing,
        )
        groups.setdefault(key, []).append(item)
    return sorted(
        groups.values(),
        key=lambda group: (
            _ORDER.index(group[0].route.outcome),
            -group[0].route.severity.rank,
            group[0].route.signal,
            group[0].route.region,
        ),
    )


def _placeless(text: str, region: str) -> str:
    return text.replace(region, "*")


def _tree(group: Sequence[Drawn], style: Style) -> Tree:
    route = group[0].route
    glyphs = _ASCII if style.ascii else _UTF
    state, word = _WORDS[route.outcome]
    head = Text.assemble(
        (f"{glyphs[state]} ", _COLORS[state]),
        (route.signal, "bold"),
        f"   {route.severity.value}   {word}   {_where(group)}",
    )
    tree = Tree(head, guide_style="dim", highlight=False)
    if route.missing:
        tree.add(Text(neutral(route.reason)))
    _grow(tree, route.hops, glyphs)
    if not route.hops and not route.missing:
        tree.add(Text(neutral(route.reason), style=_COLORS[state]))
    if route.weakest:
        tree.add(Text(neutral(f"weakest link: {route.weakest}"), style="yellow"))
    stops = [next((hop for hop in other if hop.state is not State.OK), None) for other in route.others]
    told = dict.fromkeys(
        f"another road: {hop.kind} {hop.name}: {hop.reason}" for hop in stops if hop and hop not in route.hops
    )
    for line in list(told)[:2]:
        tree.add(Text(neutral(line), style="dim"))
    return tree


def _grow(tree: Tree, road: Road, glyphs: dict[str, str]) -> None:
    """One branch a hop; what lies behind the hop that stops the signal is not drawn."""
    for hop in road:
        state = hop.state.value
        line = Text.assemble((f"{glyphs[state]} ", _COLORS[state]), f"{hop.kind} {neutral(hop.name)}")
        line.append(f"  {hop.region}", style="dim")
        if hop.reason:
            line.append(f"  {neutral(hop.reason)}", style=_COLORS[state])
        tree = tree.add(line)
        if hop.state in (State.BROKEN, State.UNKNOWN):
            break


def _where(group: Sequence[Drawn]) -> str:
    regions = [item.route.region for item in group]
    return regions[0] if len(regions) == 1 else f"{len(regions)} regions: {' '.join(regions)}"
