"""What `explain` says of a GuardDuty finding type, and of what is lost without a check's plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from postureaudit.cli.explain import entry
from postureaudit.render.neutral import neutral
from postureaudit.services.guardduty import blindspots
from postureaudit.services.guardduty.blindspots import Region, Sight
from postureaudit.services.guardduty.catalogue import FindingType, catalogue

_SAID = {
    Sight.BLIND: "Blind",
    Sight.BY_HAND: "By hand",
    Sight.UNKNOWN: "Unknown",
    Sight.RAISED: "Raised",
}

_HERE = {
    Sight.BLIND: "none of them can be raised",
    Sight.BY_HAND: "by hand alone",
    Sight.UNKNOWN: "not known",
}


def known(name: str) -> FindingType | None:
    """The finding type of this name, however its letters are cased."""
    found = {item.casefold(): item for item in catalogue().types}
    return catalogue().types.get(found.get(name.casefold(), ""))


def text(item: FindingType, seen: Sequence[Region] | None) -> str:
    """The page of one finding type; with evidence, where it can be raised and where never."""
    table = catalogue()
    varies = " (varies with the context)" if item.varies and item.severity != "varies" else ""
    lines = [f"{item.name}   {item.severity.upper()}{varies}   GuardDuty finding type", ""]
    lines += entry("Category", item.category)
    lines += entry("Tactic", item.tactic or "none: AWS bases this threat purpose on no MITRE ATT&CK tactic")
    word = " and " if item.together else " or "
    sources = [table.sources[name] for name in item.sources]
    lines += entry(
        "Needs", word.join(f"{one.title} ({one.name})" for one in sources) + ", and a detector that is on"
    )
    if item.more:
        lines += entry(
            "Widened", "where they are on, by " + ", ".join(table.sources[name].title for name in item.more)
        )
    if item.listed:
        lines += entry("Lists", "raised from a threat list of your own; whether there is one is not read")
    checks = dict.fromkeys(one.check for one in sources if one.check)
    lines += entry("On by", "the fix of " + ", ".join(("guardduty.enabled", *checks)))
    lines += _where(item, seen)
    lines += entry("Source", f"Amazon GuardDuty User Guide, as of {table.as_of}")
    return "\n".join(lines)


def _where(item: FindingType, seen: Sequence[Region] | None) -> Iterator[str]:
    if seen is None:
        yield from entry("Here", "--from evidence.json or --demo says in which regions it cannot be raised")
        return
    for sight, label in _SAID.items():
        for reason, regions in _reasons(item, seen, sight).items():
            yield from entry(label, neutral(f"{' '.join(regions)}{': ' if reason else ''}{reason}"))
    if not seen:
        yield from entry("Here", "nobody asked for detectors: the evidence does not say")


def _reasons(item: FindingType, seen: Sequence[Region], sight: Sight) -> dict[str, list[str]]:
    several = len({region.account for region in seen}) > 1
    found: dict[str, list[str]] = {}
    for region in seen:
        if region.types[item.name] is sight:
            name = f"{region.account}/{region.region}" if several else region.region
            found.setdefault(_reason(item, region, sight), []).append(name)
    return found


def _reason(item: FindingType, region: Region, sight: Sight) -> str:
    if sight is Sight.RAISED:
        return ""
    if sight is Sight.UNKNOWN:
        return region.reason or "GuardDuty does not say whether what it needs is on"
    missing = next((one for one in region.missing if item.name in (*one.types, *one.by_hand)), None)
    if missing is None or not missing.name:
        return region.reason
    said = f"{missing.title} {missing.said}"
    return said + (", so only a scan that somebody starts raises it" if sight is Sight.BY_HAND else "")


def lost(check: str, seen: Sequence[Region] = ()) -> list[str]:
    """The lines of a check's page that say what GuardDuty cannot raise without what it wants, and where it cannot."""
    lines = _lost(check)
    types = blindspots.without(check) or catalogue().types
    for sight, word in _HERE.items() if lines else ():
        where = [one.region for one in seen if all(one.types[name] is sight for name in types)]
        if where:
            lines += entry("Here", neutral(f"{word} in {' '.join(where)}"))
    return lines


def _lost(check: str) -> list[str]:
    if check == "guardduty.enabled":
        total = len(catalogue().types)
        return entry("Blind", f"without a detector, none of {total} finding types can be raised")
    found = blindspots.without(check)
    blind = [name for name, sight in found.items() if sight is Sight.BLIND]
    by_hand = [name for name, sight in found.items() if sight is Sight.BY_HAND]
    lines: list[str] = []
    if blind:
        families, rest = blindspots.blind_families(blind)
        what = f"{len(blind)} finding type{'s' if len(blind) > 1 else ''}"
        lines += entry("Blind", f"without it, {what} can never be raised: " + ", ".join((*families, *rest)))
        whole = [
            name
            for name in catalogue().categories
            if all(item.name in found for item in catalogue().types.values() if item.category == name)
        ]
        if whole:
            lines += entry("", f"of these categories there is nothing left: {', '.join(whole)}")
    if by_hand:
        families, rest = blindspots.blind_families(by_hand)
        lines += entry("By hand", "only a scan that somebody starts raises " + ", ".join((*families, *rest)))
    return lines
