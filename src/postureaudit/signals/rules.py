"""The EventBridge rules and buses of a region, judged for what is broken or open whatever the signal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from postureaudit import fixes
from postureaudit.evidence import Absent, Answer, Refusal, RefusalKind, heavier
from postureaudit.resources import Facet, Resource, ResourceType, ScopeKind, View, facts, member
from postureaudit.services import organizations
from postureaudit.services.base import Remedy
from postureaudit.signals import asks, mends, possible, strangers
from postureaudit.signals.arns import Arn
from postureaudit.signals.buses import ENABLED
from postureaudit.signals.model import Mend

RULE_CALLS = (asks.BUSES.call, "events:ListRules")
TARGET_CALLS = (*RULE_CALLS, "events:ListTargetsByRule")
# What tells whether a target is there.
THERE_CALLS = (
    *("sns:GetTopicAttributes", "lambda:GetFunctionConfiguration", "sqs:GetQueueUrl"),
    *("stepfunctions:DescribeStateMachine", "events:DescribeApiDestination"),
)
ORGANIZATION_CALLS = ("organizations:DescribeOrganization",)
_PUT = ("events:PutEvents",)


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """`Any`: an enabled rule takes events like a signal's. `Named`: one at least names detection, if misspelt.

    `Possible`: each has a pattern that some event can match; `Impossible` says of the others why not.
    """

    Any: bool | Refusal
    Named: bool | Refusal
    Possible: bool | Refusal
    Impossible: list[str]


class Targets(msgspec.Struct, frozen=True, kw_only=True):
    """`Complete`: each of those rules has a target; `Without` names the others."""

    Complete: bool | Refusal
    Without: list[str]


class Ends(msgspec.Struct, frozen=True, kw_only=True):
    """`There`: no target of those rules is gone; `Gone` names rule and target."""

    There: bool | Refusal
    Gone: list[str]


class Buses(msgspec.Struct, frozen=True, kw_only=True):
    """`Closed`: no bus lets strangers put events; `Open` names those that do."""

    Closed: bool | Refusal
    Open: list[str]


class Organization(msgspec.Struct, frozen=True, kw_only=True):
    """The organization's id; "" for an account without one."""

    Id: str | Refusal


class Rule(msgspec.Struct, frozen=True):
    """An enabled rule of the account's own that names detection, and the bus's listing that it stands in."""

    body: dict[str, Any]
    region: str
    listing: dict[str, Any]

    @property
    def name(self) -> str:
        """The rule's name, with its bus where that is not the default one."""
        bus = str(self.body.get("EventBusName") or asks.DEFAULT)
        own = str(self.body["Name"])
        return own if bus == asks.DEFAULT else f"{own} (bus {bus})"

    @property
    def pattern(self) -> str:
        return str(self.body.get("EventPattern") or "")

    @property
    def counts(self) -> bool:
        """Whether its pattern takes events of a signal's source and detail-type."""
        return asks.concerns(self.pattern)


def produce(view: View) -> Iterator[Resource]:
    """One place for each audited region."""
    organization = Organization(Id=organization_id(view))
    for region in view.regions:
        yield Resource(
            type="eventbridge.region",
            account=view.account,
            region=region,
            facts=facts(
                Rules=_rules(view, region),
                Targets=_targets(view, region),
                Ends=_ends(view, region),
                Buses=_buses(view, region),
                Organization=organization,
            ),
        )


def organization_id(view: View) -> str | Refusal:
    """The id of the account's organization, "" where it has none."""
    found = organizations.position(view).OrganizationId
    return found if isinstance(found, Refusal) else found or ""


def buses(view: View, region: str) -> tuple[list[str], Refusal | None]:
    """The names of the buses that the account's own events may be on, and what hides others."""
    listed = member(view.outcome(asks.BUSES.call, region), "EventBuses", [])
    if isinstance(listed, Refusal):
        return [asks.DEFAULT], listed
    return [asks.DEFAULT, *asks.other_buses(str(item.get("Name")) for item in listed)], None


def enabled(view: View, region: str) -> tuple[list[Rule], Refusal | None]:
    """Every enabled rule of the region with an event pattern that is not a service's own, and what hides others."""
    return view.once(("enabled rules", region), lambda: _enabled(view, region))


def _enabled(view: View, region: str) -> tuple[list[Rule], Refusal | None]:
    names, hidden = buses(view, region)
    found: list[Rule] = []
    for bus in names:
        ask = asks.rules_ask(bus, region)
        listed = member(view.outcome(ask.call, region, **ask.params), "Rules", [])
        if isinstance(listed, Refusal):
            hidden = heavier(hidden, listed)
            continue
        found += [
            Rule(item, region, {"Rules": listed})
            for item in listed
            if item.get("State") in ENABLED and not item.get("ManagedBy") and item.get("EventPattern")
        ]
    return sorted(found, key=lambda rule: rule.name), hidden


def targets(view: View, rule: Rule) -> list[dict[str, Any]] | Refusal:
    """The targets of a rule."""
    ask = asks.targets_ask(rule.body, rule.region)
    found: list[dict[str, Any]] | Refusal = member(
        view.outcome(ask.call, rule.region, **ask.params), "Targets", []
    )
    return found


def gone(view: View, arn: str) -> bool | Refusal:
    """Whether a topic, function, queue, state machine or API destination of this account is gone; else False."""
    parts = Arn.parse(arn)
    if parts.account != view.account:
        return False
    match parts.service:
        case "sns":
            ask = asks.topic_asks(arn)[0]
        case "lambda":
            ask = asks.function_asks(arn)[0]
        case "sqs":
            ask = asks.queue_ask(arn)
        case "states":
            ask = asks.machine_ask(arn)
        case "events" if parts.kind == "api-destination":
            ask = asks.destination_ask(arn)
        case _:
            return False
    outcome = view.outcome(ask.call, parts.region, **ask.params)
    if isinstance(outcome, Answer) and parts.kind == "api-destination":
        return bool(outcome.body.get("ApiDestinationArn") != arn)  # one made again under the same name
    return outcome if isinstance(outcome, Refusal) else isinstance(outcome, Absent)


def verdict(bad: list[str], hidden: Refusal | None) -> bool | Refusal:
    """False for one that is bad, whatever is hidden; else what hides the rest; else True."""
    if bad:
        return False
    return True if hidden is None else hidden


def _rules(view: View, region: str) -> Rules:
    found, hidden = enabled(view, region)
    unread, bad = hidden, []
    for rule in found:
        doubt = possible.doubt(rule.pattern)
        if doubt is not None and doubt.sure:
            bad.append(f"{rule.name}: {doubt.reason}")
        elif doubt is not None:
            reason = f"rule {rule.name}: {doubt.reason}"
            unread = heavier(unread, Refusal(RefusalKind.NOT_COLLECTED, message=reason))
    about = any(rule.counts for rule in found)
    return Rules(
        Any=about or (hidden is not None and hidden),
        Named=about or bool(bad) or (hidden is not None and hidden),
        Possible=verdict(bad, unread),
        Impossible=bad,
    )


def _targets(view: View, region: str) -> Targets:
    found, hidden = enabled(view, region)
    bad = []
    for rule in found:
        listed = targets(view, rule) if rule.counts else None
        if isinstance(listed, Refusal):
            hidden = heavier(hidden, listed)
        elif listed == []:
            bad.append(rule.name)
    return Targets(Complete=verdict(bad, hidden), Without=bad)


def _ends(view: View, region: str) -> Ends:
    bad, hidden = [], enabled(view, region)[1]
    for rule, item, there in _each_target(view, region):
        if isinstance(there, Refusal):
            hidden = heavier(hidden, there)
        elif not there:
            bad.append(f"{rule.name} -> {item.get('Arn')}")
    return Ends(There=verdict(bad, hidden), Gone=bad)


def _each_target(view: View, region: str) -> Iterator[tuple[Rule, Mapping[str, Any], bool | Refusal]]:
    """Every target of the rules that count, and whether it is there; a refused list gives one of no name."""
    for rule in enabled(view, region)[0]:
        if not rule.counts:
            continue
        listed = targets(view, rule)
        if isinstance(listed, Refusal):
            yield rule, {}, listed
            continue
        for item in sorted(listed, key=lambda item: str(item.get("Id"))):
            found = gone(view, str(item.get("Arn")))
            yield rule, item, found if isinstance(found, Refusal) else not found


def _buses(view: View, region: str) -> Buses:
    listed = member(view.outcome(asks.BUSES.call, region), "EventBuses", [])
    if isinstance(listed, Refusal):
        return Buses(Closed=listed, Open=[])
    bad: list[str] = []
    hidden: Refusal | None = None
    for item in sorted(listed, key=lambda item: str(item.get("Name"))):
        found = strangers.may(item.get("Policy"), _PUT, str(item.get("Arn")))
        if isinstance(found, Refusal):
            hidden = heavier(hidden, found)
        elif found:
            bad.append(str(item.get("Name")))
    return Buses(Closed=verdict(bad, hidden), Open=bad)


# ---------------------------------------------------------------- what mends them


def remedy(found: list[Mend], *steps: str) -> Remedy:
    """The mends of several things as one fix."""
    return Remedy(
        argv=tuple(dict.fromkeys(argv for mend in found for argv in mend.argv)),
        steps=(*steps, *(step for mend in found for step in mend.steps)),
        effect="; ".join(dict.fromkeys(mend.effect for mend in found if mend.effect)),
        undo="\n".join(mend.undo for mend in reversed(found) if mend.undo),
        permissions=tuple(dict.fromkeys(name for mend in found for name in mend.permissions)),
    )


def correct(view: View, resource: Resource, needs: Mapping[str, str]) -> Remedy:
    """The patterns put right where it is plain what was meant."""
    found: list[Mend] = []
    steps = []
    for rule in enabled(view, str(resource.region))[0]:
        doubt = possible.doubt(rule.pattern)
        if doubt is None or not doubt.sure:
            continue
        if (after := possible.corrected(rule.pattern)) is not None:
            found.append(mends.widen_rule(rule.body, rule.listing, after, rule.region))
        else:
            steps.append(
                f"Rewrite the pattern of rule {rule.name}: {doubt.reason}. What was meant is not plain enough."
            )
    return remedy(found, *steps)


def point(view: View, resource: Resource, needs: Mapping[str, str]) -> Remedy:
    """A target for each rule that has none: the topic that alerts people, where that is in this region."""
    region = str(resource.region)
    without = [rule for rule in enabled(view, region)[0] if rule.counts and targets(view, rule) == []]
    return _at_topic(region, needs, lambda: [mends.point_rule(rule.body, [], region) for rule in without])


def replace(view: View, resource: Resource, needs: Mapping[str, str]) -> Remedy:
    """Take targets that are gone off a rule that has others; where it has none, the alert topic takes their place."""
    region = str(resource.region)
    dead: dict[str, tuple[Rule, list[Mapping[str, Any]]]] = {}
    alive: set[str] = set()
    for rule, item, there in _each_target(view, region):
        if there is False:
            dead.setdefault(rule.name, (rule, []))[1].append(item)
        else:
            alive.add(rule.name)
    detached = [_detach(rule, items) for name, (rule, items) in dead.items() if name in alive]
    alone = [(rule, items) for name, (rule, items) in dead.items() if name not in alive]
    if not alone:
        return remedy(detached)

    def pointed() -> list[Mend]:
        found = list(detached)
        for rule, (first, *rest) in alone:
            found.append(mends.point_rule(rule.body, [first, *rest], region, gone=str(first["Id"])))
            found += [_detach(rule, rest)] if rest else []
        return found

    return _at_topic(region, needs, pointed, *detached)


def _at_topic(region: str, needs: Mapping[str, str], make: Callable[[], list[Mend]], *others: Mend) -> Remedy:
    """Rules reach a topic of their own region only."""
    topic = needs.get(mends.ALERT_TOPIC.name, "")
    if topic and Arn.parse(topic).region != region:
        return remedy(
            list(others),
            f"The topic {topic} is in another region, and a rule's topic has to be in {region}: name one there, or "
            f"forward the events to the default bus of {Arn.parse(topic).region}.",
        )
    return remedy(make())


def _detach(rule: Rule, items: list[Mapping[str, Any]]) -> Mend:
    bus = str(rule.body.get("EventBusName") or asks.DEFAULT)
    base = {"--rule": rule.body["Name"], "--event-bus-name": bus}
    names = [str(item["Id"]) for item in items]
    return Mend(
        argv=(fixes.command("events", "remove-targets", {**base, "--ids": names, "--region": rule.region}),),
        effect="writes; takes off targets that are gone",
        undo="none needed: they led nowhere",
        permissions=("events:RemoveTargets",),
    )


def close(view: View, resource: Resource, needs: Mapping[str, str]) -> Remedy:
    """Bind the open statements of each open bus to the organization, or to the account where it has none."""
    region = str(resource.region)
    organization = organization_id(view)
    if isinstance(organization, Refusal):
        return Remedy(steps=(f"Whom to let in is not known: {organization.reason()}.",))
    listed = member(view.outcome(asks.BUSES.call, region), "EventBuses", [])
    found: list[Mend] = []
    steps = []
    for item in sorted(listed, key=lambda item: str(item.get("Name"))):
        name, arn, policy = str(item.get("Name")), str(item.get("Arn")), str(item.get("Policy") or "")
        if not strangers.may(policy, _PUT, arn):
            continue
        after = strangers.bounded(policy, _PUT, arn, organization)
        if after is None:
            steps.append(f"Rewrite the policy of bus {name}: which statement to change is not plain enough.")
        else:
            found.append(_permission(name, policy, after, region, organization or view.account))
    return remedy(found, *steps)


def _permission(name: str, before: str, after: Mapping[str, Any], region: str, whom: str) -> Mend:
    def line(policy: str) -> tuple[str, ...]:
        options = {"--event-bus-name": name, "--policy": policy, "--region": region}
        return fixes.command("events", "put-permission", options)

    senders = (
        "a rule of another account needs a role to send"
        if whom.startswith("o-")
        else "another account that is to send has to be named"
    )
    return Mend(
        argv=(line(json.dumps(after)),),
        effect=f"writes; replaces the policy, open statements bound to {whom}: {senders}",
        undo=fixes.shell(line(before)),
        permissions=("events:PutPermission",),
    )


REGION = ResourceType(
    name="eventbridge.region",
    scope=ScopeKind.REGION,
    none="no region audited",
    facets=(
        Facet(name="Rules", calls=RULE_CALLS, shape=Rules),
        Facet(name="Targets", calls=TARGET_CALLS, shape=Targets),
        Facet(name="Ends", calls=(*TARGET_CALLS, *THERE_CALLS), shape=Ends),
        Facet(name="Buses", calls=(asks.BUSES.call,), shape=Buses),
        Facet(name="Organization", calls=ORGANIZATION_CALLS, shape=Organization),
    ),
    produce=produce,
)
MENDERS = {
    "eventbridge_patterns": correct,
    "eventbridge_targets": point,
    "eventbridge_gone": replace,
    "eventbridge_buses": close,
}
