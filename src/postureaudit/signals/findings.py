"""Does a filter of findings match a finding: GuardDuty's filter criteria and Security Hub's automation rules."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase

from postureaudit.evidence import Json


def guardduty_filter(criteria: Mapping[str, Json], finding: Mapping[str, Json]) -> bool | None:
    """Whether a GuardDuty filter matches a finding; None when a criterion is not understood.

    All criteria must hold; the values of one condition are alternatives (GuardDuty API reference, Condition).
    """
    criterion = criteria.get("Criterion") or {}
    return _all(_guardduty(name, condition, finding) for name, condition in criterion.items())


def hub_criteria(criteria: Mapping[str, Json], finding: Mapping[str, Json]) -> bool | None:
    """Whether the criteria of a Security Hub automation rule match an ASFF finding; None when not understood.

    Criteria are joined by AND, the filters of one field by OR for positive and AND for negative comparisons
    (Security Hub API reference, StringFilter). An empty set of criteria is no rule.
    """
    if not criteria:
        return None
    return _all(_hub(name, filters, finding) for name, filters in criteria.items())


_EQ, _NE = ("Eq", "Equals"), ("Neq", "NotEquals")
_ORDER: Mapping[str, Callable[[float, float], bool]] = {
    "Gt": operator.gt,
    "GreaterThan": operator.gt,
    "Gte": operator.ge,
    "GreaterThanOrEqual": operator.ge,
    "Lt": operator.lt,
    "LessThan": operator.lt,
    "Lte": operator.le,
    "LessThanOrEqual": operator.le,
}


def _guardduty(field: str, condition: Mapping[str, Json], finding: Mapping[str, Json]) -> bool | None:
    values = list(_at(finding, field.split(".")))
    texts = {_text(value) for value in values}
    results: list[bool | None] = []
    for name, wanted in condition.items():
        if wanted is None or wanted == []:
            continue
        if name in _EQ:
            results.append(bool(texts & {_text(item) for item in wanted}))
        elif name in _NE:
            results.append(not texts & {_text(item) for item in wanted})
        elif name == "Matches":
            results.append(any(fnmatchcase(text, str(item)) for text in texts for item in wanted))
        elif name == "NotMatches":
            results.append(not any(fnmatchcase(text, str(item)) for text in texts for item in wanted))
        elif name in _ORDER:
            numbers = [float(value) for value in values if _is_number(value)]
            results.append(
                any(_ORDER[name](number, float(wanted)) for number in numbers) if numbers else _none(values)
            )
        else:
            results.append(None)
    return _all(results)


def _none(values: list[Json]) -> bool | None:
    """An order on a field that is missing does not hold; on text (a time) it is not judged."""
    return None if values else False


def _hub(name: str, filters: Iterable[Mapping[str, Json]], finding: Mapping[str, Json]) -> bool | None:
    path = _FIELDS.get(name, (name,))
    values = [_text(value) for value in _at(finding, path)]
    positive: list[bool | None] = []
    negative: list[bool | None] = []
    for item in filters:
        comparison, wanted = item.get("Comparison"), _text(item.get("Value"))
        match comparison:
            case "EQUALS" if "Key" not in item:
                positive.append(wanted in values)
            case "PREFIX":
                positive.append(any(value.startswith(wanted) for value in values))
            case "CONTAINS" if "Key" not in item:
                positive.append(any(wanted in value for value in values))
            case "NOT_EQUALS" if "Key" not in item:
                negative.append(wanted not in values)
            case "PREFIX_NOT_EQUALS":
                negative.append(not any(value.startswith(wanted) for value in values))
            case "NOT_CONTAINS" if "Key" not in item:
                negative.append(not any(wanted in value for value in values))
            case None if {"Gt", "Gte", "Lt", "Lte", "Eq"} & set(item):
                positive.append(_ordered(item, values))
            case None if "DateRange" in item:
                positive.append(True)  # a finding of this moment lies within any range of days
            case _:
                positive.append(None)
    return _all([_any(positive) if positive else True, *negative])


def _ordered(item: Mapping[str, Json], values: Iterable[str]) -> bool | None:
    numbers = [float(value) for value in values if _is_number(value)]
    tests = {**_ORDER, "Eq": operator.eq}
    return _all(
        any(tests[name](number, float(wanted)) for number in numbers)
        for name, wanted in item.items()
        if name in tests and wanted is not None
    )


# Criteria that the API names otherwise than ASFF (API reference, AutomationRulesFindingFilters).
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "SeverityLabel": ("Severity", "Label"),
    "WorkflowStatus": ("Workflow", "Status"),
    "ComplianceStatus": ("Compliance", "Status"),
    "ComplianceSecurityControlId": ("Compliance", "SecurityControlId"),
    "ComplianceAssociatedStandardsId": ("Compliance", "AssociatedStandards", "StandardsId"),
    "Type": ("Types",),
    "ResourceType": ("Resources", "Type"),
    "ResourceId": ("Resources", "Id"),
    "ResourcePartition": ("Resources", "Partition"),
    "ResourceRegion": ("Resources", "Region"),
    "NoteText": ("Note", "Text"),
    "NoteUpdatedBy": ("Note", "UpdatedBy"),
    "RelatedFindingsProductArn": ("RelatedFindings", "ProductArn"),
    "RelatedFindingsId": ("RelatedFindings", "Id"),
}


def _at(value: Json, path: Iterable[str]) -> Iterable[Json]:
    """Every value at a path; lists on the way are entered."""
    steps = list(path)
    if isinstance(value, list):
        for item in value:
            yield from _at(item, steps)
    elif not steps:
        if value is not None:
            yield value
    elif isinstance(value, dict) and steps[0] in value:
        yield from _at(value[steps[0]], steps[1:])


def _text(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _is_number(value: Json) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return not isinstance(value, bool)


def _all(results: Iterable[bool | None]) -> bool | None:
    found = list(results)
    return False if False in found else None if None in found else True


def _any(results: Iterable[bool | None]) -> bool | None:
    found = list(results)
    return True if True in found else None if None in found else False
