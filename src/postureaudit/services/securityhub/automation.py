"""Automation rules: which of them take critical findings out of sight wholesale.

A rule is unsafe when it is on, hides what it matches, can match a finding that is critical and open, and
names nothing narrower than kinds of findings.

- It hides when it sets the workflow status to SUPPRESSED or RESOLVED, or a severity below CRITICAL.
- It can match when its criteria for severity, compliance, record state and workflow status all admit such
  a finding. A passed check is informational, so a rule for PASSED findings hides nothing.
- Severity, product, company, status, region, time and score criteria only name kinds of findings. Any other
  criterion narrows (a resource, a generator, a title, an account, a tag ...), if it says what to match
  rather than what not to, and more than how every ARN begins.

How several filters on one field combine: Security Hub API reference, StringFilter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from postureaudit.evidence import Json, Refusal
from postureaudit.resources import View, malformed, member
from postureaudit.services.securityhub.asks import enabled_rules, rule_asks

_OPEN_AND_CRITICAL = {
    "SeverityLabel": ("CRITICAL",),
    "ComplianceStatus": ("FAILED", "WARNING", "NOT_AVAILABLE"),
    "RecordState": ("ACTIVE",),
    "WorkflowStatus": ("NEW", "NOTIFIED"),
}
_KINDS = {
    *_OPEN_AND_CRITICAL,
    *("ProductArn", "ProductName", "CompanyName"),
    *("ResourcePartition", "ResourceRegion", "ResourceProvider", "ResourceOwnerOrgId"),
    *("FirstObservedAt", "LastObservedAt", "CreatedAt", "UpdatedAt", "NoteUpdatedAt"),
    *("Confidence", "Criticality"),
}
_NEGATIVE = ("NOT_EQUALS", "PREFIX_NOT_EQUALS", "NOT_CONTAINS")


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """The automation rules of a region: `Unsafe` are names, for people; `UnsafeArns` for the fix."""

    Safe: bool | Refusal
    Unsafe: list[str]
    UnsafeArns: list[str]


def rules(view: View, region: str) -> Rules:
    """Judge the rules that are on in a region."""
    listed = member(view.outcome("securityhub:ListAutomationRules", region), "AutomationRulesMetadata", [])
    if isinstance(listed, Refusal):
        return Rules(Safe=listed, Unsafe=[], UnsafeArns=[])
    arns = enabled_rules(listed)
    bodies: dict[str, dict[str, Json]] = {}
    refusal: Refusal | None = None
    for ask in rule_asks(arns):
        found = member(view.outcome(ask.call, region, **ask.params), "Rules", [])
        if isinstance(found, Refusal):
            refusal = refusal or found
        else:
            bodies |= {str(item.get("RuleArn")): item for item in found}
    if refusal is None and set(arns) - set(bodies):
        refusal = malformed("securityhub:BatchGetAutomationRules", region, "a rule was left unprocessed")
    unsafe = {arn: rule for arn, rule in sorted(bodies.items()) if is_unsafe(rule, view.partition)}
    return Rules(
        Safe=False if unsafe else True if refusal is None else refusal,
        Unsafe=[str(rule.get("RuleName")) for rule in unsafe.values()],
        UnsafeArns=list(unsafe),
    )


def is_unsafe(rule: Mapping[str, Json], partition: str) -> bool:
    """Whether a rule hides critical findings without naming anything narrower than kinds of findings."""
    criteria = rule.get("Criteria") or {}
    return (
        rule.get("RuleStatus") == "ENABLED"
        and any(_hides(action.get("FindingFieldsUpdate") or {}) for action in rule.get("Actions") or [])
        and all(
            any(_admits(criteria.get(field) or [], value) for value in values)
            for field, values in _OPEN_AND_CRITICAL.items()
        )
        and not any(
            _narrows(filters or [], partition) for field, filters in criteria.items() if field not in _KINDS
        )
    )


def _hides(update: Mapping[str, Json]) -> bool:
    if (update.get("Workflow") or {}).get("Status") in ("SUPPRESSED", "RESOLVED"):
        return True
    severity = update.get("Severity") or {}
    label, number = severity.get("Label"), severity.get("Normalized")
    return label != "CRITICAL" if label else isinstance(number, int) and number < 90


def _admits(filters: Iterable[Mapping[str, Json]], value: str) -> bool:
    """Whether filters on one field let a value through: one of the positive ones, and every negative one."""
    positive = [item for item in filters if item.get("Comparison") not in _NEGATIVE]
    negative = [item for item in filters if item.get("Comparison") in _NEGATIVE]
    return (not positive or any(_fits(item, value) for item in positive)) and all(
        _fits(item, value) for item in negative
    )


def _fits(item: Mapping[str, Json], value: str) -> bool:
    wanted = str(item.get("Value") or "")
    match item.get("Comparison"):
        case "EQUALS" | None:
            return value == wanted
        case "PREFIX":
            return value.startswith(wanted)
        case "CONTAINS":
            return wanted in value
        case "NOT_EQUALS":
            return value != wanted
        case "PREFIX_NOT_EQUALS":
            return not value.startswith(wanted)
        case "NOT_CONTAINS":
            return wanted not in value
        case _:  # CONTAINS_WORD, and what AWS may add: it could fit
            return True


def _narrows(filters: Iterable[Mapping[str, Json]], partition: str) -> bool:
    """Whether filters on one field say what to match, each of them more than how every ARN begins."""
    positive = [item for item in filters if item.get("Comparison") not in _NEGATIVE]
    start = f"arn:{partition}:"
    return bool(positive) and not any(
        item.get("Comparison") in ("PREFIX", "CONTAINS")
        and "Key" not in item
        and start.startswith(str(item.get("Value") or ""))
        for item in positive
    )
