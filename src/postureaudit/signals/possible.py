"""Whether an event pattern that is about detection can match any event: what AWS never sends is no match.

Only what AWS's documentation closes is judged: which service sends a detail-type, the values of a few fields, the kind
of a severity. A pattern that names events we have no sample of (a finding type, another call) may match; that is for
the tracer, not a mistake.
"""

from __future__ import annotations

import copy
import functools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from postureaudit.evidence import Json
from postureaudit.signals import event_pattern, events
from postureaudit.signals.event_matchers import Text, one_of
from postureaudit.signals.event_pattern import PatternError
from postureaudit.signals.event_syntax import Branch, Field

_CALL, _SIGN_IN = "AWS API Call via CloudTrail", "AWS Console Sign In via CloudTrail"
_FINDING, _IMPORTED = "GuardDuty Finding", "Security Hub Findings - Imported"
_COMPLIANCE = "Config Rules Compliance Change"
_TENTHS = tuple(number / 10 for number in range(101))

# Fields whose values AWS documents in full, by detail-type. A field that stands here for other detail-types only is
# in no event of this one.
_VALUES: Mapping[str, Mapping[str, tuple[Json, ...]]] = {
    # https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-severity.html
    _FINDING: {"detail.severity": _TENTHS},
    # https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-syntax.html
    _IMPORTED: {
        "detail.findings.Severity.Label": ("INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"),
        "detail.findings.Severity.Normalized": tuple(range(101)),
        "detail.findings.Workflow.Status": ("NEW", "NOTIFIED", "RESOLVED", "SUPPRESSED"),
        "detail.findings.RecordState": ("ACTIVE", "ARCHIVED"),
        "detail.findings.Compliance.Status": ("PASSED", "WARNING", "FAILED", "NOT_AVAILABLE"),
    },
    # https://docs.aws.amazon.com/config/latest/APIReference/API_EvaluationResult.html
    _COMPLIANCE: {
        "detail.newEvaluationResult.complianceType": (
            *("COMPLIANT", "NON_COMPLIANT", "NOT_APPLICABLE", "INSUFFICIENT_DATA"),
        ),
    },
    _CALL: {"detail.eventSource": ()},  # the source's own, see _domain
    _SIGN_IN: {"detail.eventSource": ("signin.amazonaws.com",)},
}
_CLOSED = {name for fields in _VALUES.values() for name in fields}


class Doubt(msgspec.Struct, frozen=True):
    """Why a pattern matches no event, in one sentence; or, where `sure` is false, why nobody can tell."""

    reason: str
    sure: bool = True


@functools.lru_cache(maxsize=8192)
def doubt(text: str) -> Doubt | None:
    """What is wrong with a rule's pattern; None for one that can match, or that is not about detection at all."""
    try:
        pattern = event_pattern.compile(text)
    except PatternError as error:  # EventBridge has accepted it
        return Doubt(f"its pattern is not understood: {error.message}", sure=False) if _named(text) else None
    reasons = [_impossible(branch) for branch in pattern.branches]
    return Doubt(reasons[0]) if all(reasons) and any(map(_about, pattern.branches)) else None


def corrected(text: str) -> dict[str, Json] | None:
    """The pattern with its misspelt values put right; None where that does not make it one that can match."""
    document: dict[str, Any] = json.loads(text)
    found = copy.deepcopy(document)
    sources, types = _strings(found.get("source")), _strings(found.get("detail-type"))
    right_types = [_meant(item, _types()) or item for item in types]
    owners = sorted({_owners()[item] for item in right_types if item in _owners()})
    right_sources = [_meant(item, _sources()) or item for item in sources]
    if sources and len(right_types) == len(owners) == 1 and owners[0] not in right_sources:
        right_sources = owners
    if sources and _call_sources(found) and right_types == [_CALL]:
        right_sources = _call_sources(found)
    for name, values in (("source", right_sources), ("detail-type", right_types)):
        if values:
            found[name] = list(dict.fromkeys(values))
    for kind in right_types:
        for path, allowed in _VALUES.get(kind, {}).items():
            _put_right(found, path, allowed)
    if _CALL in right_types:
        _put_right(found, "detail.eventName", _event_names(frozenset(right_sources)))
    if found == document or doubt(json.dumps(found)) is not None:
        return None
    return found


def _named(text: str) -> bool:
    return any(f'"{source}"' in text for source in _sources())


def _about(branch: Branch) -> bool:
    """Whether a branch names a source or detail-type of detection, spelt right or wrong."""
    fields = {field.name: field for field in branch.fields}
    sources, types = _literals(fields.get("source")) or (), _literals(fields.get("detail-type")) or ()
    return any(_meant(item, _sources()) for item in sources) or any(_meant(item, _types()) for item in types)


def _impossible(branch: Branch) -> str:
    """Why a branch matches no event; "" where it may."""
    fields = {field.name: field for field in branch.fields}
    found = [_never(fields, source, kind) for source, kind in _heads(fields)]
    return min(found)[1] if found and all(reason for _, reason in found) else ""


def _heads(fields: Mapping[str, Field]) -> Iterator[tuple[str, str]]:
    """The (source, detail-type) that a branch asks for; "" stands for one that we know nothing of."""
    types = _literals(fields.get("detail-type"))
    for kind in types if types is not None else _fitting(fields.get("detail-type"), _types()):
        sources = _literals(fields.get("source"))
        if sources is None:
            known = _fitting(fields.get("source"), _sources())
            owner = _owners().get(kind)
            sources = tuple(item for item in known if item == owner) if owner else ("",)
        for source in sources:
            yield source, kind


def _fitting(field: Field | None, known: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(item for item in known if field is None or field.fits(item)))


def _never(fields: Mapping[str, Field], source: str, kind: str) -> tuple[int, str]:
    """Why no event of this source and detail-type matches; "" where one may. The number says which reason to tell."""
    for name, value, known in (("source", source, _sources()), ("detail-type", kind, _types())):
        meant = _meant(value, known)
        if meant and meant != value:
            return 1, f"no event has the {name} {value}; it is spelt {meant}"
    owner = _owners().get(kind)
    if owner and source.startswith("aws.") and source != owner:
        return 2, f"{kind} comes from {owner}, not from {source}"
    if kind not in _types() or (not source and kind == _CALL):
        return 0, ""
    for name, field in fields.items():
        values = _domain(name, source, kind)
        if values is None or field.may_be_absent() or any(map(field.fits, values)):
            continue
        if not values:
            return 3, f"{name} is in no {kind}"
        shown = ", ".join(map(str, values[:6])) if isinstance(values[0], str) else "a number"
        return 0, f"{name} is {shown}; the pattern wants {one_of(field.matchers)}"
    return 0, _misspelt_call(fields, source) if kind == _CALL else ""


def _misspelt_call(fields: Mapping[str, Field], source: str) -> str:
    """Why no call matches: every name that the pattern has differs from a call's by case alone."""
    names = _literals(fields.get("detail.eventName")) or ()
    known = _event_names(frozenset([source]))
    meant = [_cased(name, known) for name in names]
    if not names or not all(right and right != name for right, name in zip(meant, names, strict=True)):
        return ""
    return f"no call is named {names[0]}; it is spelt {meant[0]}"


def _cased(value: str, known: tuple[str, ...]) -> str:
    return next((item for item in known if item.lower() == value.lower()), "")


def _domain(name: str, source: str, kind: str) -> tuple[Json, ...] | None:
    """Every value that a field may have in such events; None where that is not known."""
    if name not in _CLOSED:
        return None
    if kind == _CALL and name == "detail.eventSource":
        found = _event_sources().get(source)
        return (found,) if found else None
    return _VALUES.get(kind, {}).get(name, ())


def _literals(field: Field | None) -> tuple[str, ...] | None:
    """The texts that a field names, where it names nothing but texts."""
    if field is None or not all(isinstance(item, Text) for item in field.matchers):
        return None
    return tuple(item.text for item in field.matchers if isinstance(item, Text))


def _meant(value: str, known: frozenset[str] | tuple[Json, ...]) -> str:
    """The known name that a value is, or is but for case, punctuation and a plural; "" for another."""
    if value in known:
        return value
    same = sorted(str(item) for item in known if _plain(str(item)) == _plain(value))
    return same[0] if len(same) == 1 else ""


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", re.sub(r"s\b", "", text.lower()))


def _put_right(document: dict[str, Any], path: str, allowed: tuple[Json, ...]) -> None:
    """Change a list of the pattern in place: misspelt texts, and numbers that are written as texts."""
    *parents, last = path.split(".")
    inner: Any = document
    for step in parents:
        inner = inner.get(step) if isinstance(inner, dict) else None
    if not isinstance(inner, dict) or not isinstance(inner.get(last), list):
        return
    inner[last] = [_right(item, allowed) for item in inner[last]]


def _right(value: Json, allowed: tuple[Json, ...]) -> Json:
    if not isinstance(value, str) or not allowed:
        return value
    if isinstance(allowed[0], str):
        return _meant(value, allowed) or value
    try:
        number = float(value)
    except ValueError:
        return value
    return int(number) if number.is_integer() else number


def _strings(value: Json) -> list[str]:
    return value if isinstance(value, list) and all(isinstance(item, str) for item in value) else []


def _call_sources(document: Mapping[str, Any]) -> list[str]:
    """The sources of the services whose calls a pattern names by detail.eventSource."""
    detail = document.get("detail")
    named = _strings(detail.get("eventSource")) if isinstance(detail, dict) else []
    owners = {service: source for source, service in _event_sources().items()}
    return [owners[item] for item in named] if all(item in owners for item in named) else []


@functools.lru_cache(maxsize=1)
def _samples() -> tuple[dict[str, Any], ...]:
    return tuple(member.template for signal in events.signals() for member in signal.members)


@functools.lru_cache(maxsize=1)
def _sources() -> frozenset[str]:
    return frozenset(str(event["source"]) for event in _samples())


@functools.lru_cache(maxsize=1)
def _types() -> frozenset[str]:
    return frozenset(str(event["detail-type"]) for event in _samples())


@functools.lru_cache(maxsize=1)
def _owners() -> dict[str, str]:
    """Who sends what; every service's calls arrive as _CALL."""
    return {
        str(event["detail-type"]): str(event["source"])
        for event in _samples()
        if event["detail-type"] != _CALL
    }


@functools.lru_cache(maxsize=1)
def _event_sources() -> dict[str, str]:
    """The event source of each source's calls: "aws.iam" is iam.amazonaws.com."""
    return {
        str(event["source"]): str(event["detail"]["eventSource"])
        for event in _samples()
        if event["detail-type"] == _CALL
    }


@functools.lru_cache(maxsize=64)
def _event_names(sources: frozenset[str]) -> tuple[str, ...]:
    """The calls that our samples know of these sources; of all, where there are none."""
    found = {
        str(event["detail"]["eventName"])
        for event in _samples()
        if event["detail-type"] == _CALL and (not sources or event["source"] in sources)
    }
    return tuple(sorted(found))
