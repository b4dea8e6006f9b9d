"""What mends a broken hop: the command with the merged document, and what it changes in the model."""

from __future__ import annotations

import functools
import itertools
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ParamSpec

from postureaudit import fixes
from postureaudit.asks import Ask
from postureaudit.evidence import Json
from postureaudit.resources import View
from postureaudit.services import cloudtrail
from postureaudit.services.base import Need, Remedy
from postureaudit.signals import asks
from postureaudit.signals.arns import Arn
from postureaudit.signals.events import Signal
from postureaudit.signals.model import Change, Mend, Route, stopping

_SID = "PostureAuditAlerts"
ALERT_TOPIC = Need("ALERT_TOPIC_ARN")
P = ParamSpec("P")


def _or_steps(make: Callable[P, Mend]) -> Callable[P, Mend]:
    """A mend whose command cannot be filled in (a description of two lines) is steps that say why."""

    @functools.wraps(make)
    def made(*args: P.args, **kwargs: P.kwargs) -> Mend:
        try:
            return make(*args, **kwargs)
        except fixes.NoCommand as error:
            return Mend(steps=(f"No command can be filled in: {error}.",))

    return made


@_or_steps
def enable_rule(rule: Mapping[str, Json], rules: Mapping[str, Json], region: str) -> Mend:
    """Turn a disabled rule on."""
    bus = str(rule.get("EventBusName") or asks.DEFAULT)
    options = {"--name": rule["Name"], "--event-bus-name": bus, "--region": region}
    body = _replaced(rules, "Rules", "Name", rule["Name"], {"State": "ENABLED"})
    return Mend(
        argv=(fixes.command("events", "enable-rule", options),),
        effect="writes; the rule matches again",
        undo=fixes.shell(fixes.command("events", "disable-rule", options)),
        permissions=("events:EnableRule",),
        changes=(_change(asks.rules_ask(bus, region), region, body),),
    )


@_or_steps
def widen_rule(
    rule: Mapping[str, Json], rules: Mapping[str, Json], pattern: Mapping[str, Json], region: str
) -> Mend:
    """Give a rule a pattern that takes the event as well."""
    bus = str(rule.get("EventBusName") or asks.DEFAULT)
    text = json.dumps(pattern)
    options = {"--name": rule["Name"], "--event-bus-name": bus, "--event-pattern": text}
    kept = {
        "--state": rule.get("State"),
        "--description": rule.get("Description"),
        "--role-arn": rule.get("RoleArn"),
        "--region": region,
    }
    before = {**options, "--event-pattern": str(rule.get("EventPattern"))}
    body = _replaced(rules, "Rules", "Name", rule["Name"], {"EventPattern": text})
    return Mend(
        argv=(fixes.command("events", "put-rule", {**options, **_given(kept)}),),
        effect="writes; replaces the rule's pattern",
        undo=fixes.shell(fixes.command("events", "put-rule", {**before, **_given(kept)})),
        permissions=("events:PutRule",),
        changes=(_change(asks.rules_ask(bus, region), region, body),),
        whole=True,
    )


@_or_steps
def point_rule(
    rule: Mapping[str, Json], present: Iterable[Mapping[str, Json]], region: str, *, gone: str = ""
) -> Mend:
    """Point a rule at the topic that alerts people, in place of the target `gone` or beside those it has."""
    bus = str(rule.get("EventBusName") or asks.DEFAULT)
    listed = {str(item.get("Id")): item for item in present}
    names = itertools.chain(("alerts",), (f"alerts-{number}" for number in range(2, 200)))
    before = listed.get(gone, {})
    target = gone if before else next(name for name in names if name not in listed)
    kept = {name: before[name] for name in ("DeadLetterConfig", "RetryPolicy") if name in before}

    def line(verb: str, options: dict[str, Json]) -> tuple[str, ...]:
        base = {"--rule": rule["Name"], "--event-bus-name": bus}
        return fixes.command("events", verb, {**base, **options, "--region": region})

    added = fixes.shell(line("remove-targets", {"--ids": [target]}))
    what = "replaces the target that is gone" if before else "adds a target"
    return Mend(
        argv=(line("put-targets", {"--targets": [{"Id": target, "Arn": ALERT_TOPIC, **kept}]}),),
        effect=f"writes; {what}; the topic's policy must let events.amazonaws.com publish",
        undo="none needed: the target led nowhere" if before else added,
        permissions=("events:PutTargets",),
    )


@_or_steps
def allow_topic(arn: str, attributes: Mapping[str, Json], principal: str, source: str) -> Mend:
    """Let a service publish to a topic: its present policy with one statement more."""
    merged = _with_statement(attributes.get("Policy"), principal, "sns:Publish", arn, _kindred(source))
    ask = asks.topic_asks(arn)[0]
    options = {"--topic-arn": arn, "--attribute-name": "Policy"}
    region = Arn.parse(arn).region
    before = str(attributes.get("Policy") or "{}")
    return Mend(
        argv=(
            fixes.command(
                "sns", "set-topic-attributes", {**options, "--attribute-value": merged, "--region": region}
            ),
        ),
        effect="writes; the topic's policy with one statement more",
        undo=fixes.shell(
            fixes.command(
                "sns", "set-topic-attributes", {**options, "--attribute-value": before, "--region": region}
            )
        ),
        permissions=("sns:SetTopicAttributes",),
        changes=(_change(ask, region, {"Attributes": {**attributes, "Policy": merged}}),),
    )


@_or_steps
def allow_queue(arn: str, url: str, attributes: Mapping[str, Json], principal: str, source: str) -> Mend:
    """Let a service send to a queue: its present policy with one statement more."""
    merged = _with_statement(attributes.get("Policy"), principal, "sqs:SendMessage", arn, _kindred(source))
    region = Arn.parse(arn).region
    options = {"--queue-url": url, "--attributes": {"Policy": merged}, "--region": region}
    return Mend(
        argv=(fixes.command("sqs", "set-queue-attributes", options),),
        effect="writes; the queue's policy with one statement more",
        undo="put the present policy back (aws sqs get-queue-attributes shows it; keep its output first)",
        permissions=("sqs:SetQueueAttributes",),
        changes=(
            _change(
                asks.queue_attributes_ask(url, region),
                region,
                {"Attributes": {**attributes, "Policy": merged}},
            ),
        ),
    )


@_or_steps
def allow_function(arn: str, policy: str | None, principal: str, source: str) -> Mend:
    """Let a service invoke a function."""
    found = Arn.parse(arn)
    name, qualifier = found.function()
    _, ask, _ = asks.function_asks(arn)
    only = {"--qualifier": qualifier} if qualifier else {}
    # A statement for each source, and an id for each statement: a second one of the same id is refused.
    sid = _free_sid(policy, _SID + "-" + re.sub(r"[^A-Za-z0-9_-]", "-", Arn.parse(source).name)[:60])
    base = {"--function-name": name, "--statement-id": sid, **only}
    options = {
        **base,
        "--action": "lambda:InvokeFunction",
        "--principal": principal,
        "--source-arn": source,
        "--region": found.region,
    }
    condition = {"ArnLike": {"AWS:SourceArn": source}}
    merged = _with_statement(policy, principal, "lambda:InvokeFunction", arn, condition)
    return Mend(
        argv=(fixes.command("lambda", "add-permission", options),),
        effect="writes; adds one statement to the function's policy",
        undo=fixes.shell(fixes.command("lambda", "remove-permission", {**base, "--region": found.region})),
        permissions=("lambda:AddPermission",),
        changes=(_change(ask, found.region, {"Policy": merged}),),
    )


@_or_steps
def free_function(arn: str) -> Mend:
    """Take away a reserved concurrency of nought, with which a function never runs."""
    found = Arn.parse(arn)
    name, _ = found.function()
    _, _, ask = asks.function_asks(arn)
    options = {"--function-name": name, "--region": found.region}
    return Mend(
        argv=(fixes.command("lambda", "delete-function-concurrency", options),),
        effect="writes; the function may run again",
        undo=fixes.shell(
            fixes.command(
                "lambda",
                "put-function-concurrency",
                {"--function-name": name, "--reserved-concurrent-executions": "0", "--region": found.region},
            )
        ),
        permissions=("lambda:DeleteFunctionConcurrency",),
        changes=(_change(ask, found.region, {}),),
    )


@_or_steps
def allow_key(key_arn: str, policy: str, principal: str) -> Mend:
    """Let a service use the key of an encrypted topic or queue: its present policy with one statement more."""
    merged = _with_statement(policy, principal, ["kms:GenerateDataKey*", "kms:Decrypt"], "*", {})
    ask = asks.key_policy_ask(key_arn)
    where = Arn.parse(key_arn).region
    base = {"--key-id": key_arn, "--policy-name": "default"}
    return Mend(
        argv=(fixes.command("kms", "put-key-policy", {**base, "--policy": merged, "--region": where}),),
        effect="writes; the key's policy with one statement more",
        undo=fixes.shell(
            fixes.command("kms", "put-key-policy", {**base, "--policy": policy, "--region": where})
        ),
        permissions=("kms:PutKeyPolicy",),
        changes=(_change(ask, where, {"Policy": merged, "PolicyName": "default"}),),
    )


@_or_steps
def enable_key(describe: Ask, arn: str, metadata: Mapping[str, Json]) -> Mend:
    """Turn a disabled key on, or take back that it will be deleted."""
    options = {"--key-id": arn, "--region": Arn.parse(arn).region}
    pending = metadata.get("KeyState") == "PendingDeletion"
    cancel = (fixes.command("kms", "cancel-key-deletion", options),) if pending else ()
    return Mend(
        argv=(*cancel, fixes.command("kms", "enable-key", options)),
        effect="writes; the key can be used again",
        undo=fixes.shell(fixes.command("kms", "disable-key", options)),
        permissions=(*(("kms:CancelKeyDeletion",) if pending else ()), "kms:EnableKey"),
        changes=(
            _change(
                describe,
                Arn.parse(arn).region,
                {"KeyMetadata": {**metadata, "KeyState": "Enabled", "Enabled": True}},
            ),
        ),
    )


@_or_steps
def own_key(arn: str) -> Mend:
    """Encrypt a topic with a key whose policy can let services in; alias/aws/sns never can."""
    options = {
        "--topic-arn": arn,
        "--attribute-name": "KmsMasterKeyId",
        "--attribute-value": Need("KMS_KEY_ARN"),
        "--region": Arn.parse(arn).region,
    }
    return Mend(
        argv=(fixes.command("sns", "set-topic-attributes", options),),
        effect="writes; the key's policy must let the publishing service use it",
        undo="set KmsMasterKeyId back to alias/aws/sns",
        permissions=("sns:SetTopicAttributes",),
    )


@_or_steps
def subscribe(arn: str) -> Mend:
    """Subscribe somebody who hears the topic; the address has to confirm."""
    options = {
        "--topic-arn": arn,
        "--protocol": "email",
        "--notification-endpoint": Need("ALERT_EMAIL"),
        "--region": Arn.parse(arn).region,
    }
    return Mend(
        argv=(fixes.command("sns", "subscribe", options),),
        effect="writes; the recipient must confirm before anything arrives",
        undo="aws sns unsubscribe with the subscription's ARN",
        permissions=("sns:Subscribe",),
        changes=(
            _change(
                asks.topic_asks(arn)[1],
                Arn.parse(arn).region,
                {
                    "Subscriptions": [
                        {
                            "SubscriptionArn": f"{arn}:new",
                            "Protocol": "email",
                            "Endpoint": "new",
                            "TopicArn": arn,
                        }
                    ]
                },
            ),
            _change(asks.subscription_ask(f"{arn}:new"), Arn.parse(arn).region, {"Attributes": {}}),
        ),
    )


@_or_steps
def unfilter(subscription: str, attributes: Mapping[str, Json]) -> Mend:
    """Take the filter policy off a subscription, so that every message comes through."""
    options = {"--subscription-arn": subscription, "--attribute-name": "FilterPolicy"}
    region = Arn.parse(subscription).region
    kept = {name: value for name, value in attributes.items() if name != "FilterPolicy"}
    before = str(attributes.get("FilterPolicy") or "{}")

    def line(value: str) -> tuple[str, ...]:
        return fixes.command(
            "sns", "set-subscription-attributes", {**options, "--attribute-value": value, "--region": region}
        )

    return Mend(
        argv=(line("{}"),),
        effect="writes; the subscriber gets every message of the topic",
        undo=fixes.shell(line(before)),
        permissions=("sns:SetSubscriptionAttributes",),
        changes=(_change(asks.subscription_ask(subscription), region, {"Attributes": kept}),),
    )


@_or_steps
def ring(alarm: Mapping[str, Json], alarms: Mapping[str, Json], region: str) -> Mend:
    """Turn an alarm's actions on."""
    kind = "MetricAlarms" if "Namespace" in alarm or "Metrics" in alarm else "CompositeAlarms"
    body = _replaced(alarms, kind, "AlarmName", alarm["AlarmName"], {"ActionsEnabled": True})
    options = {"--alarm-names": [alarm["AlarmName"]], "--region": region}
    return Mend(
        argv=(fixes.command("cloudwatch", "enable-alarm-actions", options),),
        effect="writes; the alarm tells someone again",
        undo=fixes.shell(fixes.command("cloudwatch", "disable-alarm-actions", options)),
        permissions=("cloudwatch:EnableAlarmActions",),
        changes=(_change(asks.ALARMS, region, body),),
    )


# What PutMetricAlarm takes of what DescribeAlarms gives (API reference, PutMetricAlarm).
_ALARM_INPUT = (
    *("AlarmName", "AlarmDescription", "ActionsEnabled", "OKActions", "AlarmActions"),
    *("InsufficientDataActions", "MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Dimensions"),
    *("Period", "Unit", "EvaluationPeriods", "DatapointsToAlarm", "Threshold", "ComparisonOperator"),
    *("TreatMissingData", "EvaluateLowSampleCountPercentile", "Metrics", "ThresholdMetricId"),
)


@_or_steps
def change_alarm(alarm: Mapping[str, Json], alarms: Mapping[str, Json], region: str, **fields: Json) -> Mend:
    """Put an alarm again with some fields changed; the rest stays as it is."""
    kept = {name: alarm[name] for name in _ALARM_INPUT if alarm.get(name) not in (None, [], "")}
    if fields.get("Statistic"):
        kept.pop("ExtendedStatistic", None)
    after = {name: value for name, value in {**kept, **fields}.items() if value is not None}
    known = {name: value for name, value in fields.items() if not fixes.has_need(value)}
    body = _replaced(alarms, "MetricAlarms", "AlarmName", alarm["AlarmName"], known)
    return Mend(
        argv=(fixes.document_command("cloudwatch", "put-metric-alarm", after, region),),
        effect="writes; the alarm with this changed, the rest as it is",
        undo=fixes.shell(fixes.document_command("cloudwatch", "put-metric-alarm", kept, region)),
        permissions=("cloudwatch:PutMetricAlarm",),
        changes=(_change(asks.ALARMS, region, body),) if len(known) == len(fields) else (),
    )


@_or_steps
def copy_alarm(alarm: Mapping[str, Json], alarms: Mapping[str, Json], region: str, **fields: Json) -> Mend:
    """An alarm like this one with some fields changed, beside it: what this one waits for may be wanted too."""
    kept = {name: alarm[name] for name in _ALARM_INPUT if alarm.get(name) not in (None, [], "")}
    if fields.get("Statistic"):
        kept.pop("ExtendedStatistic", None)
    name = free_name(f"{alarm['AlarmName']}-alert", alarms)
    after = {
        key: value for key, value in {**kept, **fields, "AlarmName": name}.items() if value not in (None, [])
    }
    arn = str(alarm.get("AlarmArn")).rpartition(":")[0] + f":{name}"
    made = {**after, "AlarmArn": arn, "StateValue": "INSUFFICIENT_DATA"}
    body = {**alarms, "MetricAlarms": [*(alarms.get("MetricAlarms") or []), made]}
    options = {"--alarm-names": [name], "--region": region}
    return Mend(
        argv=(fixes.document_command("cloudwatch", "put-metric-alarm", after, region),),
        effect="writes; a second alarm with the same actions, the first stays as it is",
        undo=fixes.shell(fixes.command("cloudwatch", "delete-alarms", options)),
        permissions=("cloudwatch:PutMetricAlarm",),
        changes=(_change(asks.ALARMS, region, body),),
    )


def free_name(name: str, alarms: Mapping[str, Json]) -> str:
    """A name that no alarm has yet: PutMetricAlarm would replace that alarm."""
    taken = {
        item.get("AlarmName")
        for kind in ("MetricAlarms", "CompositeAlarms", "LogAlarms")
        for item in alarms.get(kind) or []
    }
    numbered = (f"{name}-{number}" for number in itertools.count(2))
    return next(item for item in itertools.chain([name], numbered) if item not in taken)


@_or_steps
def act(alarm: Mapping[str, Json], region: str, present: Iterable[str] = ()) -> Mend:
    """Let a composite alarm call the topic that alerts people."""
    names = ("AlarmName", "AlarmRule", "AlarmDescription", "OKActions", "InsufficientDataActions")
    kept = {name: alarm[name] for name in names if alarm.get(name)}
    after = {**kept, "AlarmActions": [*present, ALERT_TOPIC], "ActionsEnabled": True}
    return Mend(
        argv=(fixes.document_command("cloudwatch", "put-composite-alarm", after, region),),
        effect="writes; the alarm with this changed, the rest as it is",
        undo=fixes.shell(fixes.document_command("cloudwatch", "put-composite-alarm", kept, region)),
        permissions=("cloudwatch:PutCompositeAlarm",),
    )


@_or_steps
def new_alarm(name: str, region: str, **metric: Json) -> Mend:
    """An alarm on a metric that nothing watches, which one event rings."""
    document = {
        "AlarmName": name,
        **metric,
        "Statistic": "Sum",
        "Period": 300,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
        "AlarmActions": [ALERT_TOPIC],
    }
    return Mend(
        argv=(fixes.document_command("cloudwatch", "put-metric-alarm", document, region),),
        effect="writes; a new alarm, to the topic that alerts people",
        undo=fixes.shell(
            fixes.command("cloudwatch", "delete-alarms", {"--alarm-names": [name], "--region": region})
        ),
        permissions=("cloudwatch:PutMetricAlarm",),
    )


@_or_steps
def unarchive(detector: str, name: str, found: Mapping[str, Json], region: str) -> Mend:
    """Keep a GuardDuty filter and let it archive nothing."""
    base = {"--detector-id": detector, "--filter-name": name, "--region": region}
    ask = Ask("guardduty:GetFilter", DetectorId=detector, FilterName=name)
    return Mend(
        argv=(fixes.command("guardduty", "update-filter", {**base, "--action": "NOOP"}),),
        effect="writes; the filter archives nothing any more",
        undo=fixes.shell(fixes.command("guardduty", "update-filter", {**base, "--action": "ARCHIVE"})),
        permissions=("guardduty:UpdateFilter",),
        changes=(_change(ask, region, {**found, "Action": "NOOP"}),),
    )


@_or_steps
def disable_automation(
    rule: Mapping[str, Json], params: Mapping[str, Json], body: Mapping[str, Json], region: str
) -> Mend:
    """Turn a Security Hub automation rule off."""

    def line(status: str) -> tuple[str, ...]:
        items = [{"RuleArn": rule["RuleArn"], "RuleStatus": status}]
        return fixes.command(
            "securityhub",
            "batch-update-automation-rules",
            {"--update-automation-rules-request-items": items, "--region": region},
        )

    changed = _replaced(body, "Rules", "RuleArn", rule["RuleArn"], {"RuleStatus": "DISABLED"})
    return Mend(
        argv=(line("DISABLED"),),
        effect="writes; the rule suppresses nothing any more",
        undo=fixes.shell(line("ENABLED")),
        permissions=("securityhub:BatchUpdateAutomationRules",),
        changes=(
            Change(
                call="securityhub:BatchGetAutomationRules", region=region, params=dict(params), body=changed
            ),
        ),
    )


@_or_steps
def import_product(product: str, body: Mapping[str, Json], place: Any) -> Mend:
    """Let Security Hub take a product's findings."""
    arn = f"arn:{place.partition}:securityhub:{place.region}::product/aws/{product}"
    made = (
        f"arn:{place.partition}:securityhub:{place.region}:{place.account}:product-subscription/aws/{product}"
    )
    ask = Ask("securityhub:ListEnabledProductsForImport")
    return Mend(
        argv=(
            fixes.command(
                "securityhub",
                "enable-import-findings-for-product",
                {"--product-arn": arn, "--region": place.region},
            ),
        ),
        effect="writes; Security Hub takes the product's findings",
        undo=fixes.shell(
            fixes.command(
                "securityhub",
                "disable-import-findings-for-product",
                {"--product-subscription-arn": made, "--region": place.region},
            )
        ),
        permissions=("securityhub:EnableImportFindingsForProduct",),
        changes=(
            _change(
                ask,
                place.region,
                {**body, "ProductSubscriptions": [*(body.get("ProductSubscriptions") or []), made]},
            ),
        ),
    )


def new_route(view: View, signal: Signal, region: str, needs: Mapping[str, str]) -> Remedy:
    """A way for a signal that has none.

    What CloudTrail records is told from the log group of a trail of every region, once for all regions, where
    there is one; everything else by an EventBridge rule in its own region, to the topic that alerts people.
    """
    if signal.filter and (group := _log_group(view)):
        return _new_filter(signal, *group)
    topic = needs.get("ALERT_TOPIC_ARN")
    if topic and Arn.parse(topic).region != region:
        there = Arn.parse(topic).region
        return Remedy(
            steps=(
                f"EventBridge reaches {topic} only from {there}. In {region}, forward the event with a rule to the "
                f"default event bus of {there}, with a role that may call events:PutEvents there; "
                f"in {there}, let a rule send it to the topic.",
            )
        )
    name = f"postureaudit-{signal.id}"
    event = signal.members[0].template
    heads = {
        "source": sorted({str(item.template["source"]) for item in signal.members}),
        "detail-type": [event["detail-type"]],
    }
    pattern = json.dumps({**heads, "detail": signal.pattern})
    rule = fixes.command(
        "events",
        "put-rule",
        {"--name": name, "--event-pattern": pattern, "--state": "ENABLED", "--region": region},
    )
    target = fixes.command(
        "events",
        "put-targets",
        {"--rule": name, "--targets": [{"Id": "alerts", "Arn": ALERT_TOPIC}], "--region": region},
    )
    removed = (
        fixes.command("events", "remove-targets", {"--rule": name, "--ids": ["alerts"], "--region": region}),
        fixes.command("events", "delete-rule", {"--name": name, "--region": region}),
    )
    return Remedy(
        argv=(rule, target),
        effect="writes; a new rule to the topic, whose policy must let events.amazonaws.com publish",
        cost="none for AWS events; SNS by message",
        undo="\n".join(fixes.shell(argv) for argv in removed),
        permissions=("events:PutRule", "events:PutTargets"),
    )


def _log_group(view: View) -> tuple[str, str] | None:
    """The log group, in this account, of a multi-region trail that logs; (name, region)."""
    for trail in cloudtrail.trails(view):
        name, region, account = cloudtrail.log_group(trail.body)
        if (
            name
            and account == view.account
            and trail.multi
            and cloudtrail.logging(view, trail, trail.home) is True
        ):
            return name, region
    return None


def _new_filter(signal: Signal, group: str, region: str) -> Remedy:
    name, space = f"postureaudit-{signal.id}", "postureaudit"
    transformation = [{"metricName": name, "metricNamespace": space, "metricValue": "1"}]
    options = {
        "--log-group-name": group,
        "--filter-name": name,
        "--filter-pattern": signal.filter,
        "--metric-transformations": transformation,
        "--region": region,
    }
    removed = {"--log-group-name": group, "--filter-name": name, "--region": region}
    alarm = new_alarm(name, region, MetricName=name, Namespace=space)
    return Remedy(
        argv=(fixes.command("logs", "put-metric-filter", options), *alarm.argv),
        effect="writes; a metric filter and an alarm, which cover every region that the trail records",
        cost="one custom metric and one alarm",
        undo="\n".join((alarm.undo, fixes.shell(fixes.command("logs", "delete-metric-filter", removed)))),
        permissions=("logs:PutMetricFilter", "cloudwatch:PutMetricAlarm"),
    )


def by_hand(route: Route) -> Remedy:
    """Where the tracer knows no command: what to look at."""
    sources = {
        "GuardDuty": "guardduty.enabled",
        "Security Hub": "securityhub.enabled",
        "AWS Config": "config.recorder-on",
    }
    hop = stopping(route.hops)
    if hop is None:
        return Remedy(steps=(f"{route.reason}.",))
    if hop.kind in ("source", "hub") and hop.name in sources:
        return Remedy(steps=(f"{hop.reason}: close {sources[hop.name]} first.",))
    if hop.kind in ("source", "trail"):
        return Remedy(
            steps=(f"{hop.reason}: close cloudtrail.enabled and cloudtrail.management-events first.",)
        )
    return Remedy(
        steps=(f"{hop.kind} {hop.name} in {hop.region}: {hop.reason}.", "No command is sure to mend it.")
    )


@_or_steps
def elsewhere(*steps: str) -> Mend:
    """Steps, where no command of this kind mends it."""
    return Mend(steps=steps)


def _change(ask: Ask, region: str, body: Mapping[str, Json]) -> Change:
    return Change(call=ask.call, region=ask.region or region, params=ask.params, body=dict(body))


def _replaced(
    body: Mapping[str, Json], members: str, key: str, name: object, fields: Mapping[str, Json]
) -> dict[str, Json]:
    """A listing in which one item has these fields."""
    items = [{**item, **fields} if item.get(key) == name else item for item in body.get(members) or []]
    return {**body, members: items}


def _kindred(source: str) -> dict[str, Json]:
    """A condition for all rules (alarms, ...) of the source's account and region.

    Mends of several rules print one and the same policy: it may be put twice, and none undoes another's.
    """
    found = Arn.parse(source)
    kind = re.match(r"[a-z-]+[/:]", found.resource)
    every = f"{kind[0]}*" if kind and found.service in ("events", "cloudwatch") else found.resource
    arn = f"arn:{found.partition}:{found.service}:{found.region}:{found.account}:{every}"
    return {"ArnLike": {"aws:SourceArn": arn}}


def _free_sid(policy: object, sid: str) -> str:
    document: dict[str, Any] = json.loads(str(policy)) if policy else {}
    present = document.get("Statement") or []
    taken = {item.get("Sid") for item in (present if isinstance(present, list) else [present])}
    numbered = (f"{sid}{number}" for number in itertools.count(2))
    return next(name for name in itertools.chain([sid], numbered) if name not in taken)


def _with_statement(
    policy: object, principal: str, action: Json, resource: str, condition: Mapping[str, Json]
) -> str:
    """A policy's text with one Allow statement more; the present ones stay as they are."""
    document: dict[str, Any] = json.loads(str(policy)) if policy else {"Version": "2012-10-17"}
    present = document.get("Statement") or []
    statements: list[Any] = present if isinstance(present, list) else [present]
    added = {
        "Sid": _free_sid(policy, _SID),
        "Effect": "Allow",
        "Principal": {"Service": principal},
        "Action": action,
        "Resource": resource,
        **({"Condition": condition} if condition else {}),
    }
    return json.dumps({**document, "Statement": [*statements, added]})


def _given(options: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in options.items() if value}
