"""What to ask about Config: recorder, channel, rules, packs, remediation and aggregators, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from postureaudit.asks import Ask, Collection, Fork, Scope
from postureaudit.evidence import Json, Refusal
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
ORGANIZATION_PACKS = Ask("config:DescribeOrganizationConformancePackStatuses")
ORGANIZATION_RULES = Ask("config:DescribeOrganizationConfigRuleStatuses")
MULTI_ACCOUNT = (
    "config-multiaccountsetup.amazonaws.com"  # whom the organization's rules and packs are delegated to
)

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
        Fork([_channel(scope), _rules(scope), _aggregators(), _organization(scope)]),
    ]


def _channel(scope: Scope) -> Collection:
    (channels,) = yield [CHANNELS]
    yield [
        ask
        for bucket in channels.pick("DeliveryChannels[].s3BucketName")
        for ask in buckets.owner_asks(scope, bucket)
    ]


def _rules(scope: Scope) -> Collection:
    (rules,) = yield [RULES]
    functions = rules.pick("ConfigRules[?Source.Owner=='CUSTOM_LAMBDA'].Source.SourceIdentifier")
    batch = [*remediation_asks(rules.pick("ConfigRules[]"))]
    answers = yield [
        *batch,
        *(ask for function in functions if (ask := function_ask(str(function), scope.account))),
    ]
    yield [
        ask
        for answer in answers[: len(batch)]
        for remediation in answer.pick("RemediationConfigurations[]")
        for ask in (
            document_ask(remediation),
            execution_ask(remediation),
            assumed_role_ask(remediation, scope.account, scope.leader),
        )
        if ask is not None
    ]


def _organization(scope: Scope) -> Collection:
    """What the organization deploys, asked where it is deployed from: nobody else sees it (API reference)."""
    organization, admins = yield [
        Ask("organizations:DescribeOrganization", region=scope.leader),
        Ask("organizations:ListDelegatedAdministrators", region=scope.leader),
    ]
    manager = organization.get("Organization", {}).get("MasterAccountId")
    hidden = isinstance(organization.outcome, Refusal)
    if manager != scope.account and not hidden:
        if scope.account not in admins.pick("DelegatedAdministrators[].Id"):
            return
        (delegated,) = yield [
            Ask(
                "organizations:ListDelegatedServicesForAccount",
                region=scope.leader,
                AccountId=scope.account,
            )
        ]
        if MULTI_ACCOUNT not in delegated.pick("DelegatedServices[].ServicePrincipal"):
            return
    packs, rules = yield [ORGANIZATION_PACKS, ORGANIZATION_RULES]
    yield [
        *(
            ask
            for item in packs.pick("OrganizationConformancePackStatuses[]")
            if (ask := pack_accounts_ask(item))
        ),
        *(ask for item in rules.pick("OrganizationConfigRuleStatuses[]") if (ask := rule_accounts_ask(item))),
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


def function_ask(arn: str, account: str) -> Ask | None:
    """Whether a custom rule's function is there; None where it is not this account's."""
    parts = arn.split(":")
    if len(parts) < 7 or parts[2] != "lambda" or parts[4] != account or not parts[6]:
        return None
    only = {"Qualifier": parts[7]} if len(parts) > 7 else {}
    return Ask("lambda:GetFunctionConfiguration", region=parts[3], FunctionName=parts[6], **only)


def assumed_role_ask(remediation: Mapping[str, Json], account: str, leader: str) -> Ask | None:
    """Whether the role that a remediation runs with is there; None where it names none of this account's."""
    given = (remediation.get("Parameters") or {}).get("AutomationAssumeRole") or {}
    named = (given.get("StaticValue") or {}).get("Values") or [""]
    parts = str(named[0]).split(":", 5)
    if len(parts) < 6 or parts[2] != "iam" or parts[4] != account or not parts[5].startswith("role/"):
        return None
    return Ask("iam:GetRole", region=leader, RoleName=parts[5].rpartition("/")[2])


def pack_accounts_ask(status: Mapping[str, Json]) -> Ask | None:
    """In which accounts an organization's pack failed: the first page of them."""
    if not str(status.get("Status")).endswith("_FAILED"):
        return None
    return Ask(
        "config:GetOrganizationConformancePackDetailedStatus",
        until="OrganizationConformancePackDetailedStatuses[]",
        OrganizationConformancePackName=status["OrganizationConformancePackName"],
        Filters={"Status": status["Status"]},
    )


def rule_accounts_ask(status: Mapping[str, Json]) -> Ask | None:
    """In which accounts an organization's rule failed: the first page of them."""
    if not str(status.get("OrganizationRuleStatus")).endswith("_FAILED"):
        return None
    return Ask(
        "config:GetOrganizationConfigRuleDetailedStatus",
        until="OrganizationConfigRuleDetailedStatus[]",
        OrganizationConfigRuleName=status["OrganizationConfigRuleName"],
        Filters={"MemberAccountRuleStatus": status["OrganizationRuleStatus"]},
    )


def document_ask(remediation: Mapping[str, Json]) -> Ask:
    """Whether the remediation's SSM document is there; AWS's own are known by name in every account."""
    version = remediation.get("TargetVersion")
    only = {"DocumentVersion": version} if version else {}
    return Ask("ssm:DescribeDocument", Name=remediation["TargetId"], **only)


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
