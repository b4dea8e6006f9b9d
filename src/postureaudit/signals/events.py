"""The signals that the tracer follows, each as the event documents that AWS really sends."""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from postureaudit import compiled
from postureaudit.evidence import Json

FILE = Path(__file__).parent / "events.yaml"
# CIS AWS Foundations Benchmark: its monitoring section is 4 up to version 5.0 and 5 since 6.0.
_CIS_SECTION = {
    "cis-1.4": "4",
    "cis-3.0": "4",
    "cis-4.0.1": "4",
    "cis-5.0": "4",
    "cis-6.0": "5",
    "cis-7.0": "5",
}
# AWS's own controls for the same calls (Security Hub's CloudWatch.1 to .14) are numbered as CIS 1.4 was, but that
# the root user comes first; none is about the organization.
_CONTROLS = {"1": "CloudWatch.2", "2": "CloudWatch.3", "3": "CloudWatch.1"}
_CONTROLS |= {str(number): f"CloudWatch.{number}" for number in range(4, 15)}
# What alerting as such answers to, whatever the signal.
_ALERTING = {
    "nist-800-53-r5": ("AU-6(1)", "SI-4(5)", "SI-4(12)", "IR-4(1)", "IR-6(1)"),
    "pci-4.0.1": ("10.4.1.1", "12.10.5"),
    "iso-27001-2022": ("A.5.25", "A.5.26", "A.8.16"),
    "soc-2": ("CC7.3", "CC7.4"),
}
# That a control which detects is turned off or fails must be noticed and handled at once (PCI DSS 10.7.2).
_TAMPERING = {**_ALERTING, "pci-4.0.1": ("10.4.1.1", "10.7.2", "12.10.5")}
# GuardDuty severity to ASFF label (GuardDuty user guide, "Findings and Security Hub"; 9.0 and up is CRITICAL).
_LABELS = ((9.0, "CRITICAL", 90), (7.0, "HIGH", 70), (4.0, "MEDIUM", 40), (0.0, "LOW", 1))


class Member(msgspec.Struct, frozen=True):
    """One event of a signal: a name, the document with {placeholders}, and whether only the leader region has it."""

    name: str
    template: dict[str, Json]
    leader_only: bool = False


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """Something that must reach someone. A family has several members: each must get through.

    `kind` says which service raises it: guardduty, securityhub, securityhub-v2, config, api-call or sign-in.
    `pattern` and `filter` are what a new rule or metric filter needs to take it.
    `leader_only`: the event exists only in the region of the partition's global services.
    """

    id: str
    title: str
    severity: str
    why: str
    kind: str
    doc: str
    members: tuple[Member, ...]
    leader_only: bool = False
    maps_to: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    pattern: dict[str, Json] = msgspec.field(
        default_factory=dict
    )  # what a new rule's pattern wants of the detail
    filter: str = ""  # a new metric filter's pattern

    @property
    def by_cloudtrail(self) -> bool:
        """Whether the event comes out of CloudTrail: a metric filter can see it too."""
        return self.kind in ("api-call", "sign-in")


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where and when an event happens; `time` is ISO 8601 UTC."""

    account: str
    region: str
    partition: str
    time: str


FIELDS = ("account", "region", "partition", "time")  # of a Place


def document(template: Json, place: Place) -> Any:
    """The event itself: the template with account, region, partition and time filled in.

    Parts in which nothing is filled in are those of the template: the event is not to be changed.
    """
    fill = _filler(_Same(template))
    return template if fill is None else fill(place)


def marks(template: Json) -> frozenset[str]:
    """The fields of a place that are filled in anywhere in a template."""
    match template:
        case dict():
            return frozenset().union(*map(marks, template.values()))
        case list():
            return frozenset().union(*map(marks, template))
        case str():
            return frozenset(_MARK.findall(template))
        case _:
            return frozenset()


Filler = Callable[[Place], Any]


class _Same:
    """Something by what it is, not by what it equals; it stays alive as long as this does."""

    __slots__ = ("it",)

    def __init__(self, it: Any) -> None:
        self.it = it

    def __hash__(self) -> int:
        return id(self.it)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.it is self.it


@functools.lru_cache(maxsize=1024)
def _filler(template: _Same) -> Filler | None:
    """What fills a template in, worked out once; None where there is nothing to fill in."""
    return _filled(template.it)


def _filled(template: Any) -> Filler | None:
    match template:
        case dict():
            return _filled_parts(template, list(template.items()))
        case list():
            return _filled_parts(template, list(enumerate(template)))
        case str() if _MARK.search(template):
            texts, names = _MARK.split(template)[::2], _MARK.findall(template)
            given = operator.attrgetter(*names)
            if texts == ["", ""]:
                return given
            form = "%s".join(text.replace("%", "%%") for text in texts)
            return lambda place: form % given(place)
        case _:
            return None


def _filled_parts(template: Any, parts: list[tuple[Any, Any]]) -> Filler | None:
    changing = [(at, fill) for at, part in parts if (fill := _filled(part)) is not None]
    if not changing:
        return None

    def all_parts(place: Place) -> Any:
        found = template.copy()
        for at, inner in changing:
            found[at] = inner(place)
        return found

    return all_parts


def in_security_hub(kind: str, event: Mapping[str, Json], place: Place) -> dict[str, Json] | None:
    """The same finding as Security Hub sends it on, for what GuardDuty and Config raise; None for other kinds."""
    template = _hub_template(kind)
    if template is None:
        return None
    found: dict[str, Json] = document(template, place)
    if kind != "guardduty":
        return found
    severity = float(event["detail"]["severity"])
    label, normalized = next((label, number) for least, label, number in _LABELS if severity >= least)
    [finding, *others] = found["detail"]["findings"]
    given = {"Label": label, "Original": str(severity)}
    finding = {
        **finding,
        "Severity": {"Label": label, "Normalized": normalized, "Original": str(severity)},
        "FindingProviderFields": {**finding["FindingProviderFields"], "Severity": given},
    }
    return {**found, "detail": {**found["detail"], "findings": [finding, *others]}}


@functools.lru_cache(maxsize=64)
def _hub_template(kind: str) -> dict[str, Any] | None:
    name, kinds = f"{kind}-in-securityhub", _file()["kinds"]
    return _template(name, kinds) if name in kinds else None


@functools.lru_cache(maxsize=1)
def signals() -> tuple[Signal, ...]:
    """Every signal, in the order of events.yaml: what matters most first within a kind, the tamper calls last."""
    file = _file()
    found = [_signal(row, file["kinds"]) for row in file["signals"]]
    found += [_tamper(row, file["kinds"]) for row in file["tamper"]]
    return tuple(found)


def signal(name: str) -> Signal:
    """The signal of this id. KeyError when there is none."""
    return _by_id()[name]


@functools.lru_cache(maxsize=1)
def _by_id() -> Mapping[str, Signal]:
    return {item.id: item for item in signals()}


def member(about: tuple[str, str]) -> Member:
    """The event of this name of the signal of this id. KeyError when there is none."""
    return _members()[about]


@functools.lru_cache(maxsize=1)
def _members() -> Mapping[tuple[str, str], Member]:
    return {(item.id, found.name): found for item in signals() for found in item.members}


def rows() -> list[dict[str, Json]]:
    """What `each: signals` of a checks file fills in, one row a signal."""
    names = ("id", "title", "severity", "why")
    return [
        {
            **{name: getattr(item, name) for name in names},
            "maps_to": {framework: list(numbers) for framework, numbers in item.maps_to.items()},
        }
        for item in signals()
    ]


_MARK = re.compile(r"\{(account|region|partition|time)\}")


@functools.lru_cache(maxsize=1)
def _file() -> dict[str, Any]:
    found: dict[str, Any] = compiled.plain("events", FILE)
    return found


def _signal(row: Mapping[str, Any], kinds: Mapping[str, Any]) -> Signal:
    base = _laid_over(_template(row["kind"], kinds), row["event"])
    given = [
        *row.get("members", ()),
        *({"name": name, "event": _call(name)} for name in row.get("names", ())),
    ]
    members = [
        Member(item["name"], _laid_over(base, item["event"]), bool(item.get("global"))) for item in given
    ]
    return Signal(
        id=row["id"],
        title=row["title"],
        severity=row["severity"],
        why=row["why"],
        kind=row["kind"],
        doc=kinds[row["kind"]]["doc"],
        members=tuple(members) or (Member(row["id"], base),),
        leader_only=bool(row.get("global")),
        maps_to=_maps_to(row),
        pattern=row.get("pattern") or _calls_pattern(base, row["names"]),
        filter=row.get("filter") or (_calls_filter(base, row["names"]) if "names" in row else ""),
    )


def _tamper(row: Mapping[str, Any], kinds: Mapping[str, Any]) -> Signal:
    """A signal from one row of the tamper calls: "cloudtrail:StopLogging" is tamper-stop-logging."""
    service, _, name = row["call"].partition(":")
    event = _call(name)
    event["source"] = f"aws.{service}"
    event["detail"] |= {"eventSource": f"{service}.amazonaws.com", "requestParameters": row["parameters"]}
    template = _template("api-call", kinds)
    template["detail"]["requestParameters"] = {}
    return Signal(
        id=f"tamper-{_kebab(name)}",
        title=f"{name} reaches someone",
        severity=row["severity"],
        why=f"After {name}, {row['blinds']}: who does it wants to be unseen.",
        kind="api-call",
        doc=kinds["api-call"]["doc"],
        members=(Member(name, _laid_over(template, event)),),
        maps_to=dict(_TAMPERING),
        pattern=_calls_pattern(event, [name]),
        filter=_calls_filter(event, [name]),
    )


def _calls_pattern(event: Mapping[str, Any], names: list[str]) -> dict[str, Json]:
    return {"eventSource": [event["detail"]["eventSource"]], "eventName": list(names)}


def _calls_filter(event: Mapping[str, Any], names: list[str]) -> str:
    """A metric filter on calls of one event source; below the limit of 1,024 characters for every family."""
    calls = " || ".join(f"($.eventName = {name})" for name in names)
    return f"{{ ($.eventSource = {event['detail']['eventSource']}) && ({calls}) }}"


def _call(name: str) -> dict[str, Any]:
    return {"detail": {"eventName": name}}


def _maps_to(row: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The requirements that a signal answers to: by its CIS number, by its own, and as alerting as such."""
    found: dict[str, tuple[str, ...]] = {}
    if number := row.get("cis"):
        found |= {"fsbp": (_CONTROLS[number],)} if number in _CONTROLS else {}
        found |= {name: (f"{section}.{number}",) for name, section in _CIS_SECTION.items()}
    found |= _TAMPERING if row.get("tampering") else _ALERTING
    return found | {name: tuple(numbers) for name, numbers in row.get("maps_to", {}).items()}


def _kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


def _template(kind: str, kinds: Mapping[str, Any]) -> dict[str, Any]:
    """A kind's document; one that is "like" another lays its own parts over that one's."""
    own = kinds[kind]
    if "like" not in own:
        return _laid_over(own["event"], {})
    found = _laid_over(kinds[own["like"]]["event"], own["event"])
    [finding] = found["detail"]["findings"]
    found["detail"]["findings"] = [_laid_over(finding, own["finding"])]
    return found


def _laid_over(base: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of `base` with `patch` over it, as JSON Merge Patch does it (RFC 7386): null takes a member out."""
    found = {name: _copy(value) for name, value in base.items()}
    for name, value in patch.items():
        if value is None:
            found.pop(name, None)
        elif isinstance(value, Mapping):
            inner = found.get(name)
            found[name] = _laid_over(inner if isinstance(inner, Mapping) else {}, value)
        else:
            found[name] = _copy(value)
    return found


def _copy(value: Any) -> Any:
    match value:
        case dict():
            return {name: _copy(item) for name, item in value.items()}
        case list():
            return [_copy(item) for item in value]
        case _:
            return value
