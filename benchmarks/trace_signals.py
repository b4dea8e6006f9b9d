"""Trace every signal through a region full of rules, in memory: CPU seconds, and whether they stay below the limit.

python benchmarks/trace_signals.py [--rules 500] [--targets 4] [--regions 1] [--check]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from postureaudit.evidence import Account, Answer, Evidence, Header, Record, Regions
from postureaudit.resources import View
from postureaudit.signals import asks, routes
from postureaudit.signals.events import signals

ACCOUNT, LEADER, LIMIT = "111122223333", "us-east-1", 1.0
NAMES = (LEADER, "eu-west-1", "eu-central-1", "us-west-2", "ap-south-1", "sa-east-1")
SOURCES = (
    "aws.guardduty",
    "aws.securityhub",
    "aws.config",
    "aws.cloudtrail",
    "aws.iam",
    "aws.ec2",
    "aws.s3",
    "app",
)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rules", type=int, default=500, help="rules a region")
    options.add_argument("--targets", type=int, default=4, help="targets a rule")
    options.add_argument("--regions", type=int, default=1)
    options.add_argument("--check", action="store_true", help=f"exit 1 above {LIMIT:g} s a region")
    chosen = options.parse_args()
    regions = NAMES[: chosen.regions]
    found = evidence(regions, chosen.rules, chosen.targets)

    started = time.process_time()
    outcomes = Counter(route.outcome.value for route in routes.routes(View(found, ACCOUNT)))
    seconds = time.process_time() - started

    size = f"{chosen.rules} rules and {chosen.rules * chosen.targets} targets each"
    print(f"{len(signals())} signals, {len(regions)} regions, {size}")
    print(f"{seconds:.2f} s of CPU; {dict(sorted(outcomes.items()))}")
    if chosen.check and seconds > LIMIT * len(regions):
        sys.exit(f"more than {LIMIT:g} s a region")


def evidence(regions: tuple[str, ...], rules: int, targets: int) -> Evidence:
    """An account with GuardDuty, Config and a trail, and rules of every kind: good, narrow, disabled and broken."""
    records = [
        Record(
            call=call,
            params=params,
            account=ACCOUNT,
            region=region,
            at="2026-01-01T00:00:00Z",
            outcome=Answer(body),
        )
        for region in regions
        for call, params, body in _region(region, rules, targets)
    ]
    header = Header(
        tool_version="0",
        started="2026-01-01T00:00:00Z",
        ended="2026-01-01T00:00:00Z",
        partition="aws",
        caller=f"arn:aws:sts::{ACCOUNT}:assumed-role/a/b",
        accounts=(Account(id=ACCOUNT),),
        regions=Regions(audited=regions),
        leader=LEADER,
    )
    return Evidence(header, records)


Call = tuple[str, dict[str, Any], dict[str, Any]]


def _region(region: str, rules: int, targets: int) -> Iterator[Call]:
    trail = f"arn:aws:cloudtrail:{LEADER}:{ACCOUNT}:trail/main"
    group = f"arn:aws:logs:{LEADER}:{ACCOUNT}:log-group:trail:*"
    listed = {
        "Name": "main",
        "TrailARN": trail,
        "HomeRegion": LEADER,
        "IsMultiRegionTrail": True,
        "IncludeGlobalServiceEvents": True,
        "HasCustomEventSelectors": False,
        "CloudWatchLogsLogGroupArn": group,
    }
    yield "guardduty:ListDetectors", {}, {"DetectorIds": ["d"]}
    yield "guardduty:GetDetector", {"DetectorId": "d"}, {"Status": "ENABLED"}
    yield "guardduty:ListFilters", {"DetectorId": "d"}, {"FilterNames": []}
    yield "config:DescribeConfigurationRecorders", {}, {"ConfigurationRecorders": [{"name": "default"}]}
    yield (
        "config:DescribeConfigurationRecorderStatus",
        {},
        {"ConfigurationRecordersStatus": [{"recording": True}]},
    )
    yield "securityhub:DescribeHub", {}, {"HubArn": "h"}
    yield (
        "securityhub:ListEnabledProductsForImport",
        {},
        {
            "ProductSubscriptions": [
                f"arn:aws:securityhub:{region}:{ACCOUNT}:product-subscription/aws/guardduty"
            ]
        },
    )
    yield "securityhub:ListAutomationRules", {}, {"AutomationRulesMetadata": []}
    yield "securityhub:ListFindingAggregators", {}, {"FindingAggregators": []}
    yield "cloudtrail:DescribeTrails", {"includeShadowTrails": True}, {"trailList": [listed]}
    yield "cloudtrail:GetTrailStatus", {"Name": trail}, {"IsLogging": True}
    yield (
        "cloudtrail:GetEventSelectors",
        {"TrailName": trail},
        {"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": True}]},
    )
    yield "notifications:ListNotificationConfigurations", {}, {"notificationConfigurations": []}
    if region == LEADER:
        yield from _alarms()
    found = [_rule(region, number) for number in range(rules)]
    yield asks.BUSES.call, asks.BUSES.params, {"EventBuses": [{"Name": "default"}]}
    yield "events:ListRules", {"EventBusName": "default"}, {"Rules": found}
    for number, rule in enumerate(found):
        aimed = [{"Id": str(item), "Arn": _topic(region, number * targets + item)} for item in range(targets)]
        yield "events:ListTargetsByRule", asks.targets_ask(rule, region).params, {"Targets": aimed}
    for number in range(rules * targets):
        yield from _heard(_topic(region, number), number)


def _topic(region: str, number: int) -> str:
    return f"arn:aws:sns:{region}:{ACCOUNT}:topic-{number}"


def _heard(topic: str, number: int) -> Iterator[Call]:
    """A topic: every third refuses, every second of the others has a confirmed subscription."""
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic,
    }
    policy = {"Version": "2012-10-17", "Statement": [allow] if number % 3 else []}
    confirmed = f"{topic}:1" if number % 2 else "PendingConfirmation"
    item = {"SubscriptionArn": confirmed, "Protocol": "email", "Endpoint": "soc@example.com"}
    about, heard = asks.topic_asks(topic)
    yield about.call, about.params, {"Attributes": {"Policy": json.dumps(policy)}}
    yield heard.call, heard.params, {"Subscriptions": [item]}
    if number % 2:
        ask = asks.subscription_ask(confirmed)
        yield ask.call, ask.params, {"Attributes": {}}


def _rule(region: str, number: int) -> dict[str, Any]:
    source = SOURCES[number % len(SOURCES)]
    detail: dict[str, Any] = {
        "aws.guardduty": {"severity": [{"numeric": [">=", number % 10]}]},
        "aws.securityhub": {
            "findings": {"Severity": {"Label": ["CRITICAL"]}, "ProductName": [f"product-{number}"]}
        },
        "aws.config": {
            "newEvaluationResult": {"complianceType": ["NON_COMPLIANT"]},
            "configRuleName": [{"prefix": f"rule-{number}"}],
        },
    }.get(source, {"eventName": ["StopLogging", f"Call{number}", {"prefix": "Delete"}]})
    return {
        "Name": f"rule-{number:04d}",
        "Arn": f"arn:aws:events:{region}:{ACCOUNT}:rule/rule-{number:04d}",
        "State": "ENABLED" if number % 5 else "DISABLED",
        "EventBusName": "default",
        "EventPattern": json.dumps({"source": [source], "detail": detail}),
    }


def _alarms() -> Iterator[Call]:
    """A metric filter and an alarm for each of forty signals."""
    wanted = [item for item in signals() if item.filter][:40]
    filters = [
        {
            "filterName": item.id,
            "filterPattern": item.filter,
            "metricTransformations": [{"metricName": item.id, "metricNamespace": "CIS", "metricValue": "1"}],
        }
        for item in wanted
    ]
    alarms = [
        {
            "AlarmName": item.id,
            "AlarmArn": f"arn:aws:cloudwatch:{LEADER}:{ACCOUNT}:alarm:{item.id}",
            "Namespace": "CIS",
            "MetricName": item.id,
            "Statistic": "Sum",
            "Threshold": 1.0,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "EvaluationPeriods": 1,
            "AlarmActions": [_topic(LEADER, 1)],
        }
        for item in wanted
    ]
    yield "logs:DescribeMetricFilters", {"logGroupName": "trail"}, {"metricFilters": filters}
    yield asks.ALARMS.call, asks.ALARMS.params, {"MetricAlarms": alarms}
    yield asks.MUTES.call, asks.MUTES.params, {"AlarmMuteRuleSummaries": []}


if __name__ == "__main__":
    main()
