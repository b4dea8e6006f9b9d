"""What to ask about Config: recorder, channel, rules, packs, remediation and aggregators, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from postureaudit.asks import Ask, Collection, Fork, Scope
from postureaudit.evidence import Json
from postureaudit.services import buckets

# Without arguments both answer for the customer managed recorder only (API reference, the operations).
RECORDERS = Ask("config:DescribeConfigurationRecorders")
RECORDER_STATUS = Ask("config:DescribeConfigurationRecorderStatus")
CHANNELS = Ask("config:DescribeDeliveryChannels")
CHANNEL_STATUS = Ask("config:DescribeDeliveryChannelStatus")
RETENTION = Ask("config:DescribeRetentionConfigurations")
RULES = Ask("config:DescribeConfigRules")
RULE_STATUS = Ask("config:DescribeConfigRuleEvaluationStatus")
PACKS = Ask("config:DescribeConformancePacks")
PACK_STATUS = Ask("config:DescribeConformancePackStatus")
AGGREGATORS = Ask("config:DescribeConfigurationAggregators")

_NAMES = 25  # rule names that DescribeRemediationConfigurations takes at most (API reference)


def collect(scope: Scope) -> Collection:
    """Ask for all of Config in this region; what hangs on an answer is asked as soon as that answer is there."""
    yield [
        RECORDERS,
        RECORDER_STATUS,
        CHANNEL_STATUS,
        RETENTION,
        RULE_STATUS,
        PACKS,
        PACK_STATUS,
        role_ask(scope.leader),
        Fork([_channel(scope), _rules(), _aggregators()]),
    ]


def _channel(scope: Scope) -> Collection:
    (channels,) = yield [CHANNELS]
    yield [
        ask
        for bucket in channels.pick("DeliveryChannels[].s3BucketName")
        for ask in buckets.owner_asks(scope, bucket)
    ]


def _rules() -> Collection:
    (rules,) = yield [RULES]
    answers = yield [*remediation_asks(rules.pick("ConfigRules[]"))]
    yield [
        ask
        for answer in answers
        for remediation in answer.pick("RemediationConfigurations[]")
        for ask in (document_ask(remediation), execution_ask(remediation))
    ]


def _aggregators() -> Collection:
    (listed,) = yield [AGGREGATORS]
    yield [
        ask
        for aggregator in listed.pick("ConfigurationAggregators[?OrganizationAggregationSource]")
        for ask in source_asks(aggregator)
    ]


def role_ask(leader: str) -> Ask:
    """Whether the service-linked role is there: once an account, where IAM lives."""
    return Ask("iam:GetRole", region=leader, RoleName="AWSServiceRoleForConfig")


def remediation_asks(rules: Iterable[Mapping[str, Json]]) -> list[Ask]:
    """The questions about the remediations of these rules, 25 names each.

    Security Hub's rules are left out: they can have none (API reference, PutRemediationConfigurations), and
    there are hundreds. Those of conformance packs can, through the pack's template.
    """
    names = sorted(
        str(rule["ConfigRuleName"]) for rule in rules if rule.get("CreatedBy") != "securityhub.amazonaws.com"
    )
    return [
        Ask("config:DescribeRemediationConfigurations", ConfigRuleNames=names[start : start + _NAMES])
        for start in range(0, len(names), _NAMES)
    ]


def document_ask(remediation: Mapping[str, Json]) -> Ask:
    """Whether the remediation's SSM document is there; AWS's own are known by name in every account."""
    return Ask("ssm:DescribeDocument", Name=remediation["TargetId"])


def execution_ask(remediation: Mapping[str, Json]) -> Ask:
    """How the remediation's last execution on each resource went, up to the first that failed."""
    return Ask(
        "config:DescribeRemediationExecutionStatus",
        until="RemediationExecutionStatuses[?State=='FAILED']",
        ConfigRuleName=remediation["ConfigRuleName"],
    )


def source_asks(aggregator: Mapping[str, Json]) -> list[Ask]:
    """Whether an aggregator has sources that fail or lag, and any that arrive: first hits, not the whole list."""
    name = aggregator["ConfigurationAggregatorName"]
    return [
        Ask(
            "config:DescribeConfigurationAggregatorSourcesStatus",
            until="AggregatedSourceStatusList[]",
            ConfigurationAggregatorName=name,
            UpdateStatus=status,
        )
        for status in (["FAILED", "OUTDATED"], ["SUCCEEDED"])
    ]
