"""Suppression rules: how severe a finding an archive filter can hide."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from postureaudit.evidence import Json, Refusal

HIGH = 7.0  # where high severity begins
WORST = 10.0  # the highest severity there is (GuardDuty user guide, "Severity levels of GuardDuty findings")
_STEP = 0.1  # severities have one decimal
_OLD = {"Eq": "Equals", "Neq": "NotEquals", "Gt": "GreaterThan", "Gte": "GreaterThanOrEqual"}
_OLD |= {"Lt": "LessThan", "Lte": "LessThanOrEqual"}
_UPPER = ("Lt", "Lte", "LessThan", "LessThanOrEqual")
_LOWER = ("Gt", "Gte", "GreaterThan", "GreaterThanOrEqual")


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """An archive filter: `HidesUpTo` is the highest severity it can hide, `Narrowed` the other fields it asks for."""

    Name: str
    HidesUpTo: float
    Narrowed: list[str]
    Criteria: dict[str, Json]
    Boundable: bool

    def text(self) -> str:
        """One line for people."""
        narrowed = f", narrowed by {', '.join(self.Narrowed)}" if self.Narrowed else ""
        return f"{self.Name} (severity up to {self.HidesUpTo:g}{narrowed})"


class Suppression(msgspec.Struct, frozen=True, kw_only=True):
    """What archive filters hide: `HidesUpTo` is 0 where there is none; `Worst` is the one that hides most."""

    HidesUpTo: float | Refusal
    Rules: list[str]
    Worst: str
    Criteria: dict[str, Json]
    Boundable: bool


def rule(body: Mapping[str, Json]) -> Rule | None:
    """An archive filter as GetFilter gives it; None for one that hides nothing."""
    if body.get("Action") != "ARCHIVE":
        return None
    criteria = dict(body.get("FindingCriteria") or {})
    fields = dict(criteria.get("Criterion") or {})
    severity = _known(fields.get("severity") or {})
    return Rule(
        Name=str(body.get("Name")),
        HidesUpTo=_hides_up_to(severity),
        Narrowed=sorted(str(name) for name in fields if name != "severity"),
        Criteria=criteria,
        Boundable=bounded(criteria, HIGH) is not None,
    )


def suppression(found: Iterable[Rule | Refusal | None]) -> Suppression:
    """All archive filters together. A filter that was refused may hide anything, unless another does already."""
    known = list(found)
    rules = sorted(
        (item for item in known if isinstance(item, Rule)), key=lambda item: (-item.HidesUpTo, item.Name)
    )
    refused = next((item for item in known if isinstance(item, Refusal)), None)
    worst = rules[0] if rules else None
    reach = worst.HidesUpTo if worst else 0.0
    return Suppression(
        HidesUpTo=reach if refused is None or reach >= WORST else refused,
        Rules=[item.text() for item in rules],
        Worst=worst.Name if worst else "",
        Criteria=worst.Criteria if worst else {},
        Boundable=worst.Boundable if worst else False,
    )


def bounded(criteria: Mapping[str, Json], severity: float) -> dict[str, Json] | None:
    """The same criteria, and severity below this; None where they ask for more severe findings only."""
    fields: dict[str, Any] = dict(criteria.get("Criterion") or {})
    present = _known(fields.get("severity") or {})
    lower = {name: value for name, value in present.items() if name in _LOWER}
    limit = math.floor(severity)
    if not set(present) <= {*_UPPER, *_LOWER} or any(value >= limit for value in lower.values()):
        return None
    below = "Lt" if lower and all(name in _OLD for name in lower) else "LessThan"
    return {**criteria, "Criterion": {**fields, "severity": {**lower, below: limit}}}


def _known(condition: Mapping[str, Any]) -> dict[str, Any]:
    """The conditions that are set: AWS may spell out the others as null or []."""
    return {name: value for name, value in condition.items() if value not in (None, [])}


def _hides_up_to(severity: Mapping[str, Any]) -> float:
    """The highest severity that fits all conditions; what cannot be read as a bound is none."""
    current = {_OLD.get(name, name): value for name, value in severity.items()}
    bounds = [WORST]
    if isinstance(below := current.get("LessThan"), int | float):
        bounds.append(round(below - _STEP, 1))
    if isinstance(most := current.get("LessThanOrEqual"), int | float):
        bounds.append(float(most))
    if equal := current.get("Equals"):
        try:
            bounds.append(max(float(value) for value in equal))
        except (TypeError, ValueError):
            bounds.append(WORST)
    return max(0.0, min(bounds))
