"""From an event bus on: which rules take the event, and where their targets lead."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from postureaudit.errors import PolicyError
from postureaudit.evidence import Json, Refusal
from postureaudit.resources import View, member
from postureaudit.signals import asks, event_pattern, mends, policy, roles, senders, targets
from postureaudit.signals.arns import Arn
from postureaudit.signals.event_pattern import Mismatch, PatternError
from postureaudit.signals.model import Hop, Mend, Road, State, distinct
from postureaudit.signals.targets import Parcel, Sender

CALLS = (
    "events:ListEventBuses",
    "events:ListRules",
    "events:ListTargetsByRule",
    *targets.CALLS,
    *roles.CALLS,
)
_LONGEST = 8  # buses in a row
ENABLED = ("ENABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")
# Fields that say which event this is. A rule that fails in one of them was not made for it: it is no broken road.
_IDENTITY = frozenset(
    (
        *("source", "detail-type", "detail.eventName", "detail.eventSource", "detail.type"),
        *("detail.configRuleName", "detail.configRuleARN", "detail.resourceType", "detail.resourceId"),
        *("detail.messageType", "detail.findings.ProductArn", "detail.findings.ProductName"),
        *(
            "detail.findings.GeneratorId",
            "detail.findings.Types",
            "detail.findings.Id",
            "detail.findings.Title",
        ),
        *(
            "detail.findings.Resources.Type",
            "detail.findings.Compliance.SecurityControlId",
            "detail.userIdentity.type",
        ),
        *("detail.errorCode", "detail.errorMessage", "detail.actionName", "resources"),
    )
)

# Fields whose value in the sample says something of every such event: a pattern that takes it takes them all.
_TYPICAL = (
    *("account", "region", "detail.severity", "detail.accountId", "detail.region", "detail.awsRegion"),
    *("detail.newEvaluationResult.complianceType", "detail.eventType", "detail.readOnly"),
    *("detail.findings.Severity.Label", "detail.findings.Severity.Normalized", "detail.findings.RecordState"),
    *(
        "detail.findings.Workflow.Status",
        "detail.findings.WorkflowState",
        "detail.findings.Compliance.Status",
    ),
    *("detail.findings.severity", "detail.findings.severity_id", "detail.findings.status"),
    *("detail.findings.status_id", "detail.findings.AwsAccountId", "detail.findings.Region"),
)


class Rules:
    """The rules of one bus that may concern a signal, read once."""

    def __init__(self, view: View, bus: str, region: str) -> None:
        ask = asks.rules_ask(bus, region)
        self.bus, self.region = bus, region
        self._about: dict[tuple[str, str, Json], list[dict[str, Any]]] = {}
        outcome = view.outcome(ask.call, region, **ask.params)
        listed = member(outcome, "Rules", [])
        self.refusal = listed if isinstance(listed, Refusal) else None
        self.body: dict[str, Json] = {} if self.refusal else {"Rules": listed}
        self.rules: tuple[dict[str, Any], ...] = ()
        if not isinstance(listed, Refusal):
            self.rules = tuple(
                item
                for item in sorted(listed, key=lambda item: str(item.get("Name")))
                if not item.get("ManagedBy") and asks.concerns(item.get("EventPattern") or "")
            )

    def about(self, event: Mapping[str, Json]) -> list[dict[str, Any]]:
        """The rules that take events of this source and detail-type, without those for other API calls."""
        head = (str(event["source"]), str(event["detail-type"]))
        call = event["detail"].get("eventName")
        key = (*head, call)
        if key not in self._about:
            self._about[key] = [
                item
                for item in self.rules
                if asks.takes(item["EventPattern"], head)
                and call in (_calls(item["EventPattern"]) or (call,))
            ]
        return self._about[key]


def roads(
    view: View, event: Mapping[str, Json], region: str, bus: str = asks.DEFAULT, seen: tuple[str, ...] = ()
) -> list[Road]:
    """Every road of an event from a bus on; also those that a rule made for it breaks."""
    here = f"{region}/{bus}@{view.account}"
    if here in seen:
        reason = "the event comes round to a bus where it was before"
        return [(Hop(kind="bus", name=bus, region=region, state=State.BROKEN, reason=reason),)]
    if len(seen) >= _LONGEST:
        reason = f"more than {_LONGEST} buses in a row are not followed"
        return [(Hop(kind="bus", name=bus, region=region, state=State.UNKNOWN, reason=reason),)]
    rules = view.once(("rules of a bus", bus, region), lambda: Rules(view, bus, region))
    if rules.refusal is not None:
        return [(targets.unknown("bus", bus, region, rules.refusal),)]
    found: list[Road] = []
    for rule in rules.about(event):
        found += _rule(view, rules, rule, event, (*seen, here))
    return distinct(found)


def _rule(
    view: View, rules: Rules, rule: Mapping[str, Any], event: Mapping[str, Json], seen: tuple[str, ...]
) -> list[Road]:
    name, region = str(rule["Name"]), rules.region
    try:
        pattern = _pattern(str(rule["EventPattern"]))
        missed = event_pattern.missed(pattern, event)
    except PatternError as error:
        return [(_hop(name, region, State.UNKNOWN, f"its pattern is not understood: {error.message}"),)]
    if missed in _IDENTITY:
        return []
    if missed is not None:
        mismatch = event_pattern.explain(pattern, event)
        assert mismatch is not None, "it is the same question"
        key = ("missed", region, rules.bus, name, mismatch.sentence(), str(mismatch.has))
        return [(view.once(key, lambda: _missed(rules, rule, mismatch)),)]
    if rule.get("State") not in ENABLED:
        off = ("off", region, rules.bus, name)
        mend = view.once(off, lambda: mends.enable_rule(rule, rules.body, region))
        return [(_hop(name, region, State.BROKEN, "the rule is disabled", mend=mend),)]
    if event["detail"].get("readOnly") is True and rule.get("State") != ENABLED[1]:
        reason = "the rule gets no read-only events: its state must be ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
        return [(_hop(name, region, State.BROKEN, reason),)]
    on = ("targets", region, str(rule.get("EventBusName")), name)
    listed = view.once(on, lambda: _targets(view, rule, region))
    if isinstance(listed, Refusal):
        return [(_hop(name, region), targets.unknown("target", name, region, listed))]
    if not listed:
        mend = mends.point_rule(rule, (), region)
        return [(_hop(name, region, State.BROKEN, "the rule has no target", mend=mend),)]
    return [road for target in listed for road in _target(view, rule, target, listed, event, region, seen)]


def _targets(view: View, rule: Mapping[str, Any], region: str) -> list[dict[str, Any]] | Refusal:
    """The targets of a rule, in order."""
    ask = asks.targets_ask(rule, region)
    listed = member(view.outcome(ask.call, region, **ask.params), "Targets", [])
    return listed if isinstance(listed, Refusal) else sorted(listed, key=lambda item: str(item.get("Id")))


def _target(
    view: View,
    rule: Mapping[str, Any],
    target: Mapping[str, Any],
    listed: Sequence[Mapping[str, Any]],
    event: Mapping[str, Json],
    region: str,
    seen: tuple[str, ...],
) -> list[Road]:
    rewritten = any(name in target for name in ("Input", "InputPath", "InputTransformer"))
    hop = _hop(str(rule["Name"]), region)
    role = str(target.get("RoleArn") or "")
    if not target.get("DeadLetterConfig"):
        hop = msgspec.structs.replace(hop, weakness="no dead-letter queue")

    def forward(arn: str) -> list[Road]:
        parts = Arn.parse(arn)
        head = (str(event["source"]), str(event["detail-type"]))
        start = view.once(
            ("entered", str(rule.get("Arn")), role, arn, region, head, seen),
            lambda: _entered(view, str(rule.get("Arn")), role, arn, region, head, seen),
        )
        if start[-1].state is State.BROKEN:
            return [start]
        other = view.other(parts.account)
        tails = roads(other or view, event, parts.region, parts.name, seen)
        if not tails:
            reason = "no rule on this bus takes the event"
            return [(*start[:-1], msgspec.structs.replace(start[-1], state=State.BROKEN, reason=reason))]
        if other is not None:
            tails = [targets.abroad(tail, parts.account) for tail in tails]
        return [(*start, *tail) for tail in tails]

    tails = targets.deliver(
        view,
        str(target.get("Arn")),
        Sender(kind="rule", arn=str(rule.get("Arn")), role=role),
        Parcel(body=None if rewritten else event),
        forward,
    )
    return [(hop, *_mended(view, tail, rule, target, listed, region)) for tail in tails]


def _entered(
    view: View,
    rule: str,
    role: str,
    arn: str,
    region: str,
    head: tuple[str, str],
    seen: tuple[str, ...],
) -> Road:
    """Whether a rule's event gets onto another bus: the bus is there, and lets the sender in."""
    parts = Arn.parse(arn)
    there = view.other(parts.account) or view
    bus = Hop(kind="bus", name=parts.name if there is view else arn, region=parts.region)

    def stopped(reason: str, state: State = State.BROKEN) -> Road:
        return (*start, msgspec.structs.replace(bus, state=state, reason=reason))

    start: Road = (roles.may(view, role, "events:PutEvents", arn),) if role else ()
    if f"{parts.region}/{parts.name}@{there.account}" in seen:
        return (*start, bus)  # roads() says so
    if len(seen) > 1:
        # EventBridge user guide, eb-bus-to-bus: "EventBridge can't route events received from a sender event bus
        # to a third event bus". The page is about one region; of several AWS says nothing.
        reason = "EventBridge does not route an event that came from another bus to a third one"
        one = all(item.startswith(f"{parts.region}/") for item in seen)
        return stopped(reason if one else f"{reason} in one region; of several AWS says nothing", _sure(one))
    listed = member(there.outcome(asks.BUSES.call, parts.region, **asks.BUSES.params), "EventBuses", [])
    if isinstance(listed, Refusal):
        return (*start, targets.unknown("bus", bus.name, parts.region, listed))
    found = next((item for item in listed if item.get("Name") == parts.name), None)
    if found is None:
        return stopped(f"the bus {targets.MISSING}")
    if there is not view:
        return _let_in(
            bus, start, found.get("Policy"), role or f"arn:{view.partition}:iam::{view.account}:root", arn
        )
    source, detail_type = head
    request = senders.events_to_bus(rule, arn, role_arn=role, source=source, detail_type=detail_type)
    if role:
        hop = targets.denied(found["Policy"], request, *_named(bus)) if found.get("Policy") else None
        return (*start, hop or bus)
    if parts.region != region:
        return stopped("the target is a bus in another region, and no role is named that may send to it")
    try:
        verdict = policy.allows(found.get("Policy") or '{"Statement": []}', request)
    except PolicyError:
        verdict = None
    if verdict is True:
        return (bus,)
    return stopped(
        "no role is named that may send to it, and its policy does not let every rule in", State.UNKNOWN
    )


def _let_in(bus: Hop, start: Road, document: object, sender: str, arn: str) -> Road:
    """A bus of another account lets the sender's role in, or its account: by its policy, which names either.

    A rule that was made before EventBridge asked for a role sends as its account (EventBridge user guide, "Sending and
    receiving events between AWS accounts").
    """
    stopped = targets.invited(document, sender, "events:PutEvents", arn)
    if stopped is None:
        return (*start, bus)
    return (*start, msgspec.structs.replace(stopped, kind="bus", name=bus.name, region=bus.region))


def _sure(certain: bool) -> State:
    return State.BROKEN if certain else State.UNKNOWN


def _named(hop: Hop) -> tuple[str, str, str]:
    return hop.kind, hop.name, hop.region


def _mended(
    view: View,
    tail: Road,
    rule: Mapping[str, Any],
    target: Mapping[str, Any],
    listed: Sequence[Mapping[str, Any]],
    region: str,
) -> Road:
    """A target that is not there is mended at the rule: it gets one that is. One that is there stays."""
    first = tail[0]
    missing = first.reason.endswith(targets.MISSING)
    if first.state is State.BROKEN and first.mend is None and (missing or first.kind not in ("role", "bus")):
        gone = str(target.get("Id")) if missing and first.kind != "role" else ""
        key = ("pointed", region, str(rule.get("EventBusName")), str(rule["Name"]), gone)
        mend = view.once(key, lambda: mends.point_rule(rule, listed, region, gone=gone))
        return (msgspec.structs.replace(first, mend=mend), *tail[1:])
    return tail


def _missed(rules: Rules, rule: Mapping[str, Any], mismatch: Mismatch) -> Hop:
    """A rule that is about such events and lets this one through its pattern's holes."""
    mend = None
    if (wider := _widened(str(rule["EventPattern"]), mismatch)) is not None:
        mend = mends.widen_rule(rule, rules.body, wider, rules.region)
    return _hop(str(rule["Name"]), rules.region, State.BROKEN, mismatch.sentence(), mend=mend)


def _widened(text: str, mismatch: Mismatch) -> dict[str, Json] | None:
    """The pattern with one alternative more where the event fails; None where that is not one plain list."""
    document: dict[str, Json] = json.loads(text)
    *parents, last = mismatch.field.split(".")
    if mismatch.apart or mismatch.field not in _TYPICAL:
        return None
    inner: Json = document
    for step in parents:
        inner = inner.get(step) if isinstance(inner, dict) else None
    if not isinstance(inner, dict) or not isinstance(inner.get(last), list) or "$or" in text:
        return None
    match mismatch.has:
        case []:
            more: Json = {"exists": False}
        case [int() | float() as number, *_] if not isinstance(number, bool):
            inner[last] = _reaching(inner[last], number)
            return document
        case [value, *_]:
            more = value
    inner[last] = [*inner[last], more]
    return document


def _reaching(listed: list[Json], number: float) -> list[Json]:
    """A choice of numbers that takes all from this one on: a range that ends below it goes on without an end."""
    for at, item in enumerate(listed):
        match item:
            case {"numeric": [(">" | ">=") as above, low, "<" | "<=", high]} if (
                low < number and high <= number
            ):
                return [*listed[:at], {"numeric": [above, low]}, *listed[at + 1 :]]
    return [*listed, {"numeric": [">=", number]}]


def _hop(
    name: str, region: str, state: State = State.OK, reason: str = "", *, mend: Mend | None = None
) -> Hop:
    return Hop(kind="rule", name=name, region=region, state=state, reason=reason, mend=mend)


@functools.lru_cache(maxsize=8192)
def _calls(text: str) -> frozenset[str]:
    """The API calls that a pattern names one by one; empty where it does not, or says so in another way."""
    if '"eventName"' not in text or "$or" in text:
        return frozenset()
    try:
        found = json.loads(text)["detail"]["eventName"]
    except (ValueError, KeyError, TypeError):
        return frozenset()
    plain = isinstance(found, list) and all(isinstance(item, str) for item in found)
    return frozenset(found) if plain else frozenset()


@functools.lru_cache(maxsize=8192)
def _pattern(text: str) -> event_pattern.Pattern:
    return event_pattern.compile(text)
