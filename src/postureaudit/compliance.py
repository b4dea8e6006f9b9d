"""Compliance frameworks: what their requirements are about, and what a run's findings say of each."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path

import msgspec

from postureaudit import compiled
from postureaudit.findings import Finding, Verdict

FILE = Path(__file__).parent / "data" / "frameworks.yaml"


class Framework(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One block of data/frameworks.yaml.

    `id` is what --framework takes, `short` what a report's heading says. `requirements` are those in the area
    of this program, number to a title in our own words, in the framework's order. `basis` says what the
    numbers were compared with on the ISO date `checked`. `parts` says of a number what alone is checked here,
    where the requirement asks for more.
    """

    id: str
    short: str
    name: str
    version: str
    source: str
    checked: str
    basis: str
    requirements: dict[str, str]
    parts: dict[str, str] = {}

    def about(self, number: str) -> str:
        """What a requirement is about, and which part of it is checked here; "" for one that is not listed."""
        part = self.parts.get(number)
        return self.requirements.get(number, "") + (f" (here: {part})" if part else "")


class Standing(StrEnum):
    """What a run says of a requirement, what needs an answer first.

    WAIVED is a gap that waivers accept, all of it. NOT_JUDGED has checks, none of which was chosen; NOT_COVERED
    has none.
    """

    GAP = "fail"
    UNKNOWN = "unknown"
    WAIVED = "waived"
    MET = "pass"
    NOT_APPLICABLE = "not_applicable"
    NOT_JUDGED = "not_judged"
    NOT_COVERED = "not_covered"

    @property
    def words(self) -> str:
        """As reports for people say it."""
        return _WORDS[self]


_WORDS = {
    Standing.GAP: "gap",
    Standing.UNKNOWN: "unknown",
    Standing.WAIVED: "waived",
    Standing.MET: "met",
    Standing.NOT_APPLICABLE: "does not apply",
    Standing.NOT_JUDGED: "not judged",
    Standing.NOT_COVERED: "not covered by postureaudit",
}
CAVEAT = "Met means that what is checked here passed; a framework asks for more than a program can see."
COUNTED = (Standing.GAP, Standing.UNKNOWN, Standing.WAIVED, Standing.MET)  # what "12 of 18 met" is out of


class Requirement(msgspec.Struct, frozen=True, kw_only=True):
    """A requirement in a run: `checks` are the ids that map to it, `gaps` and `unknown` those that say so."""

    number: str
    title: str
    standing: Standing
    checks: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    waived: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    def telling(self) -> tuple[str, ...]:
        """The checks behind its standing: those with a gap, in the dark or waived, else all that map to it."""
        behind = {Standing.GAP: self.gaps, Standing.UNKNOWN: self.unknown, Standing.WAIVED: self.waived}
        return behind.get(self.standing, self.checks)


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """A framework in a run, requirement by requirement."""

    framework: Framework
    requirements: tuple[Requirement, ...]

    def counts(self) -> Counter[Standing]:
        """Requirements by standing."""
        return Counter(item.standing for item in self.requirements)

    def having(self, standing: Standing) -> tuple[Requirement, ...]:
        """The requirements of this standing, in the framework's order."""
        return tuple(item for item in self.requirements if item.standing is standing)

    def headline(self) -> str:
        """Such as "CIS 7.0  12 of 18 met, 4 gaps, 2 unknown"; what does not apply or was not asked is left out."""
        counts = self.counts()
        parts = [f"{counts[Standing.MET]} of {sum(counts[item] for item in COUNTED)} met"]
        if gaps := counts[Standing.GAP]:
            parts.append(f"{gaps} gap" + "s" * (gaps != 1))
        for standing in (Standing.UNKNOWN, Standing.WAIVED):
            if counts[standing]:
                parts.append(f"{counts[standing]} {standing.value}")
        return f"{self.framework.short}  {', '.join(parts)}"


@functools.lru_cache(maxsize=1)
def load() -> Mapping[str, Framework]:
    """The shipped frameworks by id, in order."""
    data = compiled.plain("frameworks", FILE)
    return {item.id: item for item in msgspec.convert(data, list[Framework])}


def near(name: str, known: Iterable[str]) -> str:
    """The hint for a framework that does not exist: "cis" means the CIS versions, newest first."""
    names = list(known)
    plain = name.lower().replace(" ", "-")
    starts = [item for item in reversed(names) if plain and item.startswith(plain)]
    close = starts or get_close_matches(plain, names, n=3, cutoff=0.5)
    return f"did you mean {', '.join(close)}?" if close else f"there is: {', '.join(names)}"


def problems(maps_to: Mapping[str, Sequence[str]]) -> Iterator[tuple[tuple[str, str], str, str]]:
    """What is wrong with a check's maps_to: frameworks and numbers that do not exist, numbers given twice.

    Each as where it is ("maps_to" and the framework), a sentence, and a hint or "".
    """
    known = load()
    for name, numbers in maps_to.items():
        at = ("maps_to", name)
        if name not in known:
            yield at, f"maps_to knows no framework {name!r}", f"it knows: {', '.join(known)}"
            continue
        for number in numbers:
            if number not in known[name].requirements:
                close = get_close_matches(number, known[name].requirements, n=3, cutoff=0.5)
                hint = f"did you mean {', '.join(close)}?" if close else "frameworks.yaml lists those that do"
                yield at, f"maps_to: {name} has no requirement {number!r} in our area", hint
        for number, times in Counter(numbers).items():
            if times > 1:
                yield at, f"maps_to: {name} {number} is there twice", ""


def summaries(
    names: Iterable[str], findings: Sequence[Finding], mapped: Mapping[str, Mapping[str, Sequence[str]]]
) -> tuple[Summary, ...]:
    """A summary for each of these frameworks, in the order of the file."""
    chosen = set(names)
    return tuple(summarize(item, findings, mapped) for item in load().values() if item.id in chosen)


def summarize(
    framework: Framework, findings: Iterable[Finding], mapped: Mapping[str, Mapping[str, Sequence[str]]]
) -> Summary:
    """Each requirement with what the findings say of it. `mapped` is maps_to of every check there is, by id.

    Not met if one check has an open gap; else unknown if one could not be decided; else waived, if a waiver accepts
    what fails: it never hides that something else is unknown.
    """
    by_number: dict[str, list[Finding]] = {}
    for finding in findings:
        for number in finding.maps_to.get(framework.id, ()):
            by_number.setdefault(number, []).append(finding)
    checks: dict[str, list[str]] = {}
    for check, maps_to in mapped.items():
        for number in maps_to.get(framework.id, ()):
            checks.setdefault(number, []).append(check)
    return Summary(
        framework=framework,
        requirements=tuple(
            _requirement(
                number,
                framework.about(number) if number in checks else title,
                by_number.get(number, []),
                tuple(checks.get(number, ())),
            )
            for number, title in framework.requirements.items()
        ),
    )


def _requirement(number: str, title: str, own: Sequence[Finding], checks: tuple[str, ...]) -> Requirement:
    failing = [item for item in own if item.verdict is Verdict.FAIL]
    return Requirement(
        number=number,
        title=title,
        standing=_standing(own) if own else Standing.NOT_JUDGED if checks else Standing.NOT_COVERED,
        checks=checks,
        gaps=_names(item for item in failing if not item.waived),
        waived=_names(item for item in failing if item.waived),
        # A finding with a gap may have places that nobody could read as well.
        unknown=_names(item for item in own if item.having(Verdict.UNKNOWN)),
    )


def _standing(own: Sequence[Finding]) -> Standing:
    verdicts = {item.verdict for item in own}
    if any(item.verdict is Verdict.FAIL and not item.waived for item in own):
        return Standing.GAP
    if Verdict.UNKNOWN in verdicts or any(item.waived and item.having(Verdict.UNKNOWN) for item in own):
        return Standing.UNKNOWN
    if Verdict.FAIL in verdicts:
        return Standing.WAIVED
    return Standing.MET if Verdict.PASS in verdicts else Standing.NOT_APPLICABLE


def _names(findings: Iterable[Finding]) -> tuple[str, ...]:
    """The checks of findings, each once: several accounts may have one each."""
    return tuple(dict.fromkeys(item.check for item in findings))
