"""AWS's table of finding types: what each one needs to be on, how severe it is, and what it is a sign of."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from postureaudit import compiled
from postureaudit.errors import CatalogError

T = TypeVar("T")
FILE = Path(__file__).parents[2] / "data" / "guardduty-findings.yaml"


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What findings are made from: a feature by GetDetector's name, or a scan.

    `kind` is "foundational" (GuardDuty reads it of itself), "plan", "scan" (a malware protection plan) or
    "started" (a scan that somebody starts). `check` is the check that wants it on, "" where there is none.
    """

    name: str
    title: str
    kind: str
    check: str


class Category(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A threat purpose, and the MITRE ATT&CK tactic that AWS bases it on (null: none)."""

    name: str
    tactic: str | None


class FindingType(msgspec.Struct, frozen=True, kw_only=True):
    """A finding type. `sources` raise it: one of them, or all where `together`; `more` add signals to it."""

    name: str
    category: str
    tactic: str | None
    severity: str
    varies: bool
    sources: tuple[str, ...]
    together: bool
    more: tuple[str, ...]

    @property
    def family(self) -> str:
        """Threat purpose and resource, as "Exfiltration:S3"."""
        return self.name.partition("/")[0]

    @property
    def listed(self) -> bool:
        """Whether it is raised from a threat list of the user's own ("GuardDuty finding format", .Custom)."""
        return self.name.endswith(".Custom")


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """The whole table, with the day it was read from AWS's documentation."""

    as_of: str
    sources: dict[str, Source]
    without_findings: frozenset[str]
    categories: dict[str, Category]
    types: dict[str, FindingType]

    def knows(self, feature: str) -> bool:
        """Whether a feature, or a setting of one, that GuardDuty names is one of this table."""
        return feature in self.sources or feature in self.without_findings

    def families(self) -> dict[str, tuple[str, ...]]:
        """The types of each family."""
        found: dict[str, list[str]] = {}
        for item in self.types.values():
            found.setdefault(item.family, []).append(item.name)
        return {name: tuple(types) for name, types in found.items()}


class _Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    type: str
    severity: str
    varies: bool = False
    any: tuple[str, ...] = ()
    all: tuple[str, ...] = ()
    more: tuple[str, ...] = ()


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    as_of: str
    sources: tuple[Source, ...]
    without_findings: tuple[str, ...]
    categories: tuple[Category, ...]
    types: tuple[_Row, ...]


@functools.lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """The table that is shipped."""
    return _joined(compiled.plain("guardduty-findings", FILE))


def parse(text: str) -> Catalogue:
    """The table from the text of its file. Raises CatalogError for what does not fit together."""
    from postureaudit import strict_yaml

    return _joined(strict_yaml.load(text, name=FILE.name, error=CatalogError))


def _joined(data: Any) -> Catalogue:
    try:
        file = msgspec.convert(data, _File)
    except msgspec.ValidationError as error:
        raise CatalogError(f"{FILE.name}: {error}") from error
    sources = _once([(item.name, item) for item in file.sources], "source")
    categories = _once([(item.name, item) for item in file.categories], "category")
    types = _once([(row.type, _type(row, sources, categories)) for row in file.types], "finding type")
    return Catalogue(
        as_of=file.as_of,
        sources=sources,
        without_findings=frozenset(file.without_findings),
        categories=categories,
        types=types,
    )


_SEVERITIES = ("low", "medium", "high", "critical", "varies")


def _type(row: _Row, sources: Mapping[str, Source], categories: Mapping[str, Category]) -> FindingType:
    category = row.type.partition(":")[0]
    if category not in categories:
        raise CatalogError(f"{FILE.name}: {row.type} is of no known category")
    if row.severity not in _SEVERITIES:
        raise CatalogError(f"{FILE.name}: {row.type} has no severity {row.severity!r}")
    if bool(row.any) == bool(row.all):
        raise CatalogError(f"{FILE.name}: {row.type} names its sources as any or as all")
    for name in (*row.any, *row.all, *row.more):
        if name not in sources:
            raise CatalogError(f"{FILE.name}: {row.type} needs {name}, which is no source")
    return FindingType(
        name=row.type,
        category=category,
        tactic=categories[category].tactic,
        severity=row.severity,
        varies=row.varies or row.severity == "varies",
        sources=row.any or row.all,
        together=bool(row.all),
        more=row.more,
    )


def _once(pairs: list[tuple[str, T]], what: str) -> dict[str, T]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise CatalogError(f"{FILE.name}: a {what} stands there twice")
    return found
