"""What GuardDuty cannot raise, as terminal lines: in short, and as a map of categories by region."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.text import Text

from postureaudit.render import Style
from postureaudit.render.lines import COLORS, heading, packed, wrapped
from postureaudit.render.neutral import neutral
from postureaudit.services.guardduty import blindspots
from postureaudit.services.guardduty.blindspots import Missing, Region
from postureaudit.services.guardduty.catalogue import catalogue

UTF = {"all": "●", "some": "◐", "none": "○", "unknown": "?"}
ASCII = {"all": "+", "some": "~", "none": "X", "unknown": "?"}
_STYLES = {"all": COLORS["pass"], "some": "yellow", "none": COLORS["fail"], "unknown": COLORS["unknown"]}
_MOOT = ("not_offered", "idle")
_SHORT = 6  # families named in a line, unless details are asked for
_NAMED = 2  # regions named, before they are counted
_COLUMN = 3  # width of a column of the map


def block(seen: Sequence[Region], style: Style) -> Iterator[Text]:
    """What can never be raised where, one entry a cause and its regions; nothing where nothing is.

    What AWS does not offer in a region, or what has nothing to watch there, is told with the details alone.
    """
    text, causes, strangers = sentences(seen, style)
    if not text:
        return
    yield from heading(f"BLIND SPOTS  {text}", style.width)
    for cause in causes:
        yield from wrapped(neutral(cause), style.width)
    for stranger in strangers:
        yield from wrapped(neutral(stranger), style.width, dim=True)
    if style.details:
        yield Text()
        yield from matrix(seen, style)
        yield from _notes(seen, style)
    if causes:
        more = "more  postureaudit explain Exfiltration:S3/AnomalousBehavior: what a finding type needs"
        more += "" if style.details else "; --details for a map"
        yield from wrapped(more, style.width, dim=True)
    yield Text()


def sentences(seen: Sequence[Region], style: Style) -> tuple[str, list[str], list[str]]:
    """A headline, a sentence a cause, and one for each feature that is not known; "" and none where all is seen."""
    told = [
        (missing, where)
        for missing, where in _causes(seen)
        if style.details or (missing.types and missing.state not in _MOOT)
    ]
    strangers = list(_strangers(seen))
    causes = [f"{_where(regions)}: {_cause(missing, style)}" for missing, regions in told]
    blind = {id(region): region for missing, where in told if missing.types for region in where}
    if blind:
        total, where = len(catalogue().types), _count(list(blind.values()))
        return f"some of GuardDuty's {total} finding types can never be raised in {where}", causes, strangers
    unknown = "GuardDuty reports what this version does not know"
    return unknown if told or strangers else "", causes, strangers


def matrix(seen: Sequence[Region], style: Style) -> Iterator[Text]:
    """Categories by region; regions that are alike share a column, whose letter the legend explains."""
    glyphs = ASCII if style.ascii else UTF
    groups = alike(seen)
    labels = [letter(index) for index in range(len(groups))]
    first = max(len(name) for name in catalogue().categories) + 5
    fit = max(1, (style.width - first) // _COLUMN)
    for start in range(0, len(groups), fit):
        shown, heads = groups[start : start + fit], labels[start : start + fit]
        yield Text(f"   {'category':{first - 3}}" + "".join(f"{name:{_COLUMN}}" for name in heads).rstrip())
        standings = [group[0].standings() for group in shown]
        for row in zip(*standings, strict=True):
            line = Text(f"   {row[0].category:{first - 3}}")
            for index, cell in enumerate(row):
                gap = " " * (_COLUMN - 1) if index < len(row) - 1 else ""
                line.append(glyphs[cell.word], style=_STYLES[cell.word])
                line.append(gap)
            yield line
    legend = (
        f"{glyphs['all']} every finding type",
        f"{glyphs['some']} some",
        f"{glyphs['none']} none: blind",
        f"{glyphs['unknown']} not known",
    )
    for line in packed(legend, style.width - 3):
        yield Text("   " + line.plain, style="dim")
    for label, group in zip(labels, groups, strict=True):
        for index, line in enumerate(packed(names(group, seen), style.width - 6, between=" ")):
            yield Text(f"   {label if index == 0 else '':{_COLUMN}}" + line.plain, style="dim")


def _causes(seen: Sequence[Region]) -> list[tuple[Missing, list[Region]]]:
    """What is missing, with the regions of one account that miss it alike: what can be mended first."""
    found: dict[tuple[str, Missing], list[Region]] = {}
    for region in seen:
        for missing in region.missing:
            found.setdefault((region.account, missing), []).append(region)
    return sorted(
        ((missing, where) for (_, missing), where in found.items()),
        key=lambda item: (
            item[0].state in _MOOT,
            -len(item[0].types),
            item[1][0].region,
            item[0].name,
        ),
    )


def _cause(missing: Missing, style: Style) -> str:
    if not missing.name:
        return f"none at all: {missing.title}"
    title = missing.title if missing.name == blindspots.PLAN else f"{missing.title} ({missing.name})"
    head = f"{title} {missing.said}"
    families, rest = blindspots.blind_families(missing.types)
    shown = families if style.details else families[:_SHORT]
    lost = list(shown)
    if len(families) > len(shown):
        lost.append(f"and {len(families) - len(shown)} more")
    if rest:
        lost += (
            rest if style.details or len(rest) <= _NAMED else [f"{len(rest)} types of families seen in part"]
        )
    if not lost:
        return f"{head}: {len(missing.by_hand)} finding types only by a scan that somebody starts"
    return f"{head}: no finding of {', '.join(lost)}"


def _strangers(seen: Sequence[Region]) -> Iterator[str]:
    found: dict[str, list[Region]] = {}
    for region in seen:
        for name in region.strangers:
            found.setdefault(name, []).append(region)
    for name, where in sorted(found.items()):
        yield (
            f"GuardDuty reports a feature {name} that this version does not know, in {_where(where)}: "
            "what it raises is not counted"
        )


def _notes(seen: Sequence[Region], style: Style) -> Iterator[Text]:
    found: dict[str, list[Region]] = {}
    for region in seen:
        for note in (
            *region.notes,
            *((f"not known: {region.reason}",) if region.detector == "unknown" else ()),
        ):
            found.setdefault(note, []).append(region)
    for note, where in found.items():
        yield from wrapped(neutral(f"{_where(where)}: {note}"), style.width, dim=True)


def alike(seen: Iterable[Region]) -> list[list[Region]]:
    """Regions whose categories all stand alike."""
    found: dict[object, list[Region]] = {}
    for region in seen:
        found.setdefault(tuple(item.word for item in region.standings()), []).append(region)
    return list(found.values())


def letter(index: int) -> str:
    """A, B, ..., Z, AA, AB, ..."""
    before = letter(index // 26 - 1) if index >= 26 else ""
    return before + chr(ord("A") + index % 26)


def names(group: Iterable[Region], seen: Sequence[Region]) -> Iterator[str]:
    """The group's regions, with their accounts where the report has several."""
    several = len({region.account for region in seen}) > 1
    for region in group:
        yield neutral(f"{region.account}/{region.region}" if several else region.region)


def _where(group: Sequence[Region]) -> str:
    names = [region.region for region in group]
    return ", ".join(names) if len(names) <= _NAMED else f"{len(names)} regions"


def _count(regions: Sequence[Region]) -> str:
    return regions[0].region if len(regions) == 1 else f"{len(regions)} regions"
