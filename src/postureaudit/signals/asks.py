"""What to ask about the ways of signals: rules that may concern them, then only what their targets lead to."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping

from postureaudit.asks import Ask, Collection, Fork, Scope
from postureaudit.evidence import Json, Record
from postureaudit.services import cloudtrail
from postureaudit.signals import event_pattern, events, roles
from postureaudit.signals.arns import Arn

BUSES = Ask("events:ListEventBuses")
# Without AlarmTypes only metric alarms come back (API reference, DescribeAlarms).
ALARMS = Ask("cloudwatch:DescribeAlarms", AlarmTypes=["MetricAlarm", "CompositeAlarm", "LogAlarm"])
MUTES = Ask("cloudwatch:ListAlarmMuteRules")
DEFAULT = "default"  # the bus that AWS services send to
_LONGEST = 8  # hops to follow from one rule


def collect(scope: Scope) -> Collection:
    """Follow the rules of every bus and the log groups of trails to whoever hears of them."""
    (listed,) = yield [
        BUSES,
        Fork([_bus(scope, DEFAULT, scope.region, ()), _groups(scope), _notifications(scope)]),
    ]
    others = other_buses(str(name) for name in listed.pick("EventBuses[].Name"))
    yield [Fork(_bus(scope, name, scope.region, ()) for name in others)]


def other_buses(names: Iterable[str]) -> list[str]:
    """The buses beside the default one that rules of the account's own may send to; a partner's gets that partner's."""
    return [name for name in sorted(names) if name != DEFAULT and not name.startswith("aws.partner/")]


def rules_ask(bus: str, region: str) -> Ask:
    """The rules of a bus, in its region."""
    return Ask("events:ListRules", region=region, EventBusName=bus)


def targets_ask(rule: Mapping[str, Json], region: str) -> Ask:
    """The targets of a rule."""
    return Ask(
        "events:ListTargetsByRule",
        region=region,
        Rule=rule["Name"],
        EventBusName=rule.get("EventBusName") or DEFAULT,
    )


def filters_ask(group: str, region: str) -> Ask:
    """The metric filters of a log group."""
    return Ask("logs:DescribeMetricFilters", region=region, logGroupName=group)


ALL_FILTERS = Ask("logs:DescribeMetricFilters")  # of every log group of a region
# A field of CloudTrail's records, as a filter about them names it.
_OF_RECORDS = re.compile(r"\$\.(eventName|eventSource|userIdentity|errorCode)\b")


def of_records(item: Mapping[str, Json]) -> bool:
    """Whether a metric filter is written for CloudTrail's records, going by the fields that it names."""
    return bool(_OF_RECORDS.search(str(item.get("filterPattern"))))


def mute_ask(arn: str) -> Ask:
    """A mute rule, with the alarms that it silences."""
    parts = Arn.parse(arn)
    name = parts.resource.replace(":", "/").rpartition("/")[2]
    return Ask("cloudwatch:GetAlarmMuteRule", region=parts.region or None, AlarmMuteRuleName=name)


def topic_asks(arn: str) -> tuple[Ask, Ask]:
    """A topic's attributes and its subscriptions, in its region."""
    region = Arn.parse(arn).region
    return (
        Ask("sns:GetTopicAttributes", region=region, TopicArn=arn),
        Ask("sns:ListSubscriptionsByTopic", region=region, TopicArn=arn),
    )


def subscription_ask(arn: str) -> Ask:
    """The filter policy of a confirmed subscription."""
    return Ask("sns:GetSubscriptionAttributes", region=Arn.parse(arn).region, SubscriptionArn=arn)


def key_ask(key: str, region: str) -> Ask:
    """A KMS key by id, ARN or alias, where the key is."""
    return Ask("kms:DescribeKey", region=Arn.parse(key).region or region, KeyId=key)


def key_policy_ask(arn: str) -> Ask:
    """A key's policy, by the key's ARN: an alias is not taken here (API reference, GetKeyPolicy)."""
    return Ask("kms:GetKeyPolicy", region=Arn.parse(arn).region, KeyId=arn, PolicyName="default")


def function_asks(arn: str) -> tuple[Ask, Ask, Ask]:
    """A function's state, its policy and its reserved concurrency; a version or alias has its own policy."""
    found = Arn.parse(arn)
    name, qualifier = found.function()
    only = {"Qualifier": qualifier} if qualifier else {}
    return (
        Ask("lambda:GetFunctionConfiguration", region=found.region, FunctionName=name, **only),
        Ask("lambda:GetPolicy", region=found.region, FunctionName=name, **only),
        Ask("lambda:GetFunctionConcurrency", region=found.region, FunctionName=name),
    )


def queue_ask(arn: str) -> Ask:
    """A queue's address, by which its attributes are asked."""
    found = Arn.parse(arn)
    return Ask("sqs:GetQueueUrl", region=found.region, QueueName=found.resource)


def queue_attributes_ask(url: str, region: str) -> Ask:
    """A queue's policy and key."""
    return Ask("sqs:GetQueueAttributes", region=region, QueueUrl=url, AttributeNames=["All"])


def machine_ask(arn: str) -> Ask:
    """A state machine's status."""
    return Ask("stepfunctions:DescribeStateMachine", region=Arn.parse(arn).region, stateMachineArn=arn)


def destination_ask(arn: str) -> Ask:
    """An API destination's state and its ARN: one made again under the same name has another."""
    parts = Arn.parse(arn)
    return Ask("events:DescribeApiDestination", region=parts.region, Name=parts.name.partition("/")[0])


def concerns(pattern: str) -> bool:
    """Whether a rule's pattern may be about one of the signals, going by source and detail-type alone."""
    return bool(pattern and _concerned(pattern))


def takes(pattern: str, head: tuple[str, str]) -> bool:
    """Whether a rule's pattern takes events of this (source, detail-type)."""
    return head in _concerned(pattern)


@functools.lru_cache(maxsize=8192)
def _concerned(pattern: str) -> frozenset[tuple[str, str]]:
    try:
        ready = event_pattern.compile(pattern)
    except event_pattern.PatternError:
        return _heads()  # EventBridge has accepted it: what we cannot read may be about anything
    return frozenset(
        head
        for head in _heads()
        if event_pattern.may_take(ready, {"source": head[0], "detail-type": head[1]})
    )


@functools.lru_cache(maxsize=1)
def _heads() -> frozenset[tuple[str, str]]:
    """(source, detail-type) of every event that a signal may be."""
    found = {
        (member.template["source"], member.template["detail-type"])
        for signal in events.signals()
        for member in signal.members
    }
    return frozenset({*found, ("aws.securityhub", "Security Hub Findings - Imported")})


def _bus(scope: Scope, bus: str, region: str, seen: tuple[tuple[str, str], ...]) -> Collection:
    """The rules of a bus that may concern a signal, and where their targets lead."""
    if (bus, region) in seen or len(seen) > _LONGEST:
        return
    (rules,) = yield [rules_ask(bus, region)]
    yield [
        Fork(
            _rule(scope, rule, region, (*seen, (bus, region)))
            for rule in rules.pick("Rules[]")
            if not rule.get("ManagedBy") and concerns(rule.get("EventPattern") or "")
        )
    ]


def _rule(
    scope: Scope, rule: Mapping[str, Json], region: str, seen: tuple[tuple[str, str], ...]
) -> Collection:
    (targets,) = yield [targets_ask(rule, region)]
    found = targets.pick("Targets[]")
    own = {str(item["RoleArn"]) for item in found if item.get("RoleArn")}
    yield [
        *followed(scope, (str(item["Arn"]) for item in found), seen),
        Fork(
            roles.collect(role, scope.leader)
            for role in sorted(own)
            if Arn.parse(role).account == scope.account
        ),
    ]


def followed(scope: Scope, arns: Iterable[str], seen: tuple[tuple[str, str], ...] = ()) -> list[Ask | Fork]:
    """Collectors for what these ARNs of this account lead to; another account's are not asked about."""
    found = []
    for text in dict.fromkeys(arns):
        arn = Arn.parse(text)
        if arn.account != scope.account:
            continue
        match arn.service:
            case "sns":
                found.append(_topic(scope, text))
            case "lambda":
                found.append(_asked(list(function_asks(text))))
            case "sqs":
                found.append(_queue(scope, text))
            case "states":
                found.append(_asked([machine_ask(text)]))
            case "events" if arn.kind == "api-destination":
                found.append(_asked([destination_ask(text)]))
            case "events" if arn.kind == "event-bus":
                found.append(_bus(scope, arn.name, arn.region, seen))
    return [Fork(found)]


def _asked(asks: list[Ask | Fork]) -> Collection:
    yield asks


def _topic(scope: Scope, arn: str) -> Collection:
    attributes, listed = yield list(topic_asks(arn))
    key = (attributes.get("Attributes") or {}).get("KmsMasterKeyId")
    subscriptions = listed.pick("Subscriptions[]")
    confirmed = [item for item in subscriptions if str(item.get("SubscriptionArn")).startswith("arn:")]
    yield [
        *([Fork([_key(key, Arn.parse(arn).region)])] if key else ()),
        *(subscription_ask(item["SubscriptionArn"]) for item in confirmed),
        *followed(scope, (str(item.get("Endpoint")) for item in confirmed)),
    ]


def _queue(scope: Scope, arn: str) -> Collection:
    region = Arn.parse(arn).region
    (address,) = yield [queue_ask(arn)]
    if not (url := address.get("QueueUrl")):
        return
    (found,) = yield [queue_attributes_ask(url, region)]
    if key := (found.get("Attributes") or {}).get("KmsMasterKeyId"):
        yield [Fork([_key(key, region)])]


def _key(key: str, region: str) -> Collection:
    (found,) = yield [key_ask(key, region)]
    arn = (found.get("KeyMetadata") or {}).get("Arn")
    if arn:
        yield [key_policy_ask(arn)]


def _groups(scope: Scope) -> Collection:
    """The metric filters of the log groups here that trails write to, the alarms, and whom those call.

    Also of groups that no trail writes to (any more): filters for CloudTrail's records wait there in vain.
    """
    trails, everywhere = yield [cloudtrail.TRAILS, ALL_FILTERS]
    names = {
        name
        for name, region, account in map(cloudtrail.log_group, trails.pick("trailList[]"))
        if name and account == scope.account and region == scope.region
    }
    if not names and not any(map(of_records, everywhere.pick("metricFilters[]"))):
        return
    yield from _watched(scope, sorted(names), scope.region)


def group(scope: Scope, name: str, region: str) -> Collection:
    """The metric filters of one log group, the alarms of its region, and whom those call."""
    return _watched(scope, [name], region)


def _watched(scope: Scope, names: Iterable[str], region: str) -> Collection:
    # Alarms may watch the group itself, by a query, where it has no metric filter.
    alarms_ask, mutes_ask = (Ask(item.call, region=region, **item.params) for item in (ALARMS, MUTES))
    *_, alarms, mutes = yield [*(filters_ask(name, region) for name in names), alarms_ask, mutes_ask]
    yield [
        *followed(scope, _actions(alarms)),
        *map(mute_ask, mutes.pick("AlarmMuteRuleSummaries[?Status == 'ACTIVE'].AlarmMuteRuleArn")),
    ]


def _actions(alarms: Record) -> list[str]:
    return [str(arn) for arn in alarms.pick("[MetricAlarms, CompositeAlarms][][].AlarmActions[]")]


def _notifications(scope: Scope) -> Collection:
    """AWS User Notifications: configurations, the events they take, and whom they tell. Asked once an account."""
    if not scope.first:
        return
    (listed,) = yield [Ask("notifications:ListNotificationConfigurations", region=scope.leader)]
    arns = [item["arn"] for item in listed.pick("notificationConfigurations[]") if item.get("arn")]
    if arns:
        calls = ("notifications:ListEventRules", "notifications:ListChannels")
        yield [
            *(
                Ask(call, region=scope.leader, notificationConfigurationArn=arn)
                for arn in arns
                for call in calls
            ),
            Ask("notificationscontacts:ListEmailContacts", region=scope.leader),
        ]
