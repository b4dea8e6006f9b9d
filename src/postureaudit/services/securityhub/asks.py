"""What to ask about a hub: its standards and controls, what flows in, what changes findings, who administers it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from postureaudit.asks import Ask, Collection, Fork, Scope
from postureaudit.evidence import Answer, Json, Record

HUB = Ask("securityhub:DescribeHub")
MEMBERS = Ask("securityhub:ListMembers", OnlyAssociated=False)
# Organizations delegates V2 for all regions at once (user guide, "Designating a delegated administrator").
SECOND_ADMINS = Ask("securityhub:ListOrganizationAdminAccounts", Feature="SecurityHubV2")
RULES_A_CALL = 100  # AutomationRulesArns of BatchGetAutomationRules


def collect(scope: Scope) -> Collection:
    """Ask whether the hub is on and follow it; beside that V2, Config's recorders and the delegation."""
    yield [
        Ask("securityhub:DescribeSecurityHubV2"),
        Fork([_hub(scope), _second(), _recorders(), _organized(scope)]),
    ]


def _hub(scope: Scope) -> Collection:
    (hub,) = yield [HUB]
    if not isinstance(hub.outcome, Answer):
        return
    yield [
        Ask("securityhub:ListEnabledProductsForImport"),
        Ask("securityhub:GetAdministratorAccount"),
        *producer_asks(scope.leader),
        Fork([_standards(), _rules(), _aggregator(), _organization()]),
    ]


def producer_asks(leader: str) -> list[Ask | Fork]:
    """Whether the services whose findings Security Hub can import are on here (Firewall Manager: once)."""
    return [
        Ask("guardduty:ListDetectors"),
        Ask("inspector2:BatchGetAccountStatus"),
        Ask("macie2:GetMacieSession"),
        Ask("accessanalyzer:ListAnalyzers"),
        Ask("fms:GetAdminAccount", region=leader),
    ]


def _standards() -> Collection:
    (enabled,) = yield [Ask("securityhub:GetEnabledStandards")]
    yield [control_ask(item) for item in of_aws(enabled.get("StandardsSubscriptions")) if updatable(item)]


def of_aws(subscriptions: Json) -> list[dict[str, Json]]:
    """The subscriptions to standards for AWS that are not being disabled (there are some for Azure and GCP)."""
    return [
        item
        for item in subscriptions or []
        if item.get("Provider") in (None, "AWS") and item.get("StandardsStatus") != "DELETING"
    ]


def updatable(subscription: Mapping[str, Json]) -> bool:
    """Whether AWS lists the controls: where not, it answers an empty list (API, StandardsSubscription)."""
    return subscription.get("StandardsControlsUpdatable") != "NOT_READY_FOR_UPDATES"


def control_ask(subscription: Mapping[str, Json]) -> Ask:
    """The question about a standard's controls."""
    arn = subscription["StandardsSubscriptionArn"]
    return Ask("securityhub:DescribeStandardsControls", StandardsSubscriptionArn=arn)


def _rules() -> Collection:
    (listed,) = yield [Ask("securityhub:ListAutomationRules")]
    yield [*rule_asks(enabled_rules(listed.get("AutomationRulesMetadata")))]


def enabled_rules(metadata: Json) -> list[str]:
    """The ARNs of the automation rules that are on."""
    return [item["RuleArn"] for item in metadata or [] if item.get("RuleStatus") == "ENABLED"]


def rule_asks(arns: list[str]) -> Iterable[Ask]:
    """The questions about automation rules, a hundred at a time."""
    for start in range(0, len(arns), RULES_A_CALL):
        chunk = arns[start : start + RULES_A_CALL]
        yield Ask("securityhub:BatchGetAutomationRules", AutomationRulesArns=chunk)


def _aggregator() -> Collection:
    (listed,) = yield [Ask("securityhub:ListFindingAggregators")]
    yield [aggregator_ask(arn) for arn in _arns(listed)]


def _arns(listed: Record) -> list[str]:
    return [str(arn) for arn in listed.pick("FindingAggregators[].FindingAggregatorArn")]


def aggregator_ask(arn: str) -> Ask:
    """The question about an aggregator, in its home region (arn:aws:securityhub:REGION:ACCOUNT:...)."""
    return Ask("securityhub:GetFindingAggregator", region=home_region(arn), FindingAggregatorArn=arn)


def home_region(arn: str) -> str:
    """The home region that an aggregator's ARN names; "" for an ARN that is none."""
    return arn.split(":")[3] if arn.count(":") >= 5 else ""


def _organization() -> Collection:
    """The organization's settings: only its administrator is told them, and only it has members and policies."""
    organization, listed = yield [
        Ask("securityhub:DescribeOrganizationConfiguration"),
        Ask("securityhub:ListFindingAggregators"),
    ]
    if not isinstance(organization.outcome, Answer):
        return
    central = organization.pick("OrganizationConfiguration.ConfigurationType") == ["CENTRAL"]
    yield [MEMBERS, *(policy_ask(arn) for arn in _arns(listed) if central)]


def policy_ask(arn: str) -> Ask:
    """The question about configuration policies: AWS answers it in the home region only."""
    return Ask("securityhub:ListConfigurationPolicies", region=home_region(arn))


def _recorders() -> Collection:
    """Config's recorders: the account's own (asked without arguments), and Security Hub's service-linked one."""
    _, listed = yield [
        Ask("config:DescribeConfigurationRecorderStatus"),
        Ask("config:ListConfigurationRecorders"),
    ]
    yield [recorder_ask(arn) for arn in linked_recorders(listed.get("ConfigurationRecorderSummaries"))]


def linked_recorders(summaries: Json) -> list[str]:
    """The ARNs of the recorders that Security Hub CSPM made for itself, those for other clouds left out.

    Where Security Hub (V2) is on beside it, CSPM records with AWSConfigurationRecorderForSecurityHubCSPM
    and the account needs none of its own (Security Hub user guide, "Enabling and configuring AWS Config").
    """
    return [
        item["arn"]
        for item in summaries or []
        if item.get("servicePrincipal") == "securityhub.amazonaws.com" and not item.get("provider")
    ]


def recorder_ask(arn: str) -> Ask:
    """The question whether a service-linked recorder is recording."""
    return Ask("config:DescribeConfigurationRecorderStatus", Arn=arn)


def _second() -> Collection:
    """Security Hub V2 has an aggregator of its own, which any region lists where V2 is on."""
    (hub,) = yield [Ask("securityhub:DescribeSecurityHubV2")]
    if isinstance(hub.outcome, Answer):
        (listed,) = yield [Ask("securityhub:ListAggregatorsV2")]
        yield [second_aggregator_ask(arn) for arn in listed.pick("AggregatorsV2[].AggregatorV2Arn")]


def second_aggregator_ask(arn: str) -> Ask:
    """The question about an aggregator of V2: AWS answers it in its home region only."""
    return Ask("securityhub:GetAggregatorV2", region=home_region(arn), AggregatorV2Arn=arn)


def second_policy_ask(leader: str) -> Ask:
    """The Security Hub policy that Organizations works out for this account; any account may ask for its own."""
    return Ask("organizations:DescribeEffectivePolicy", region=leader, PolicyType="SECURITYHUB_POLICY")


def _organized(scope: Scope) -> Collection:
    """Who administers Security Hub for the organization, which the management account is told, and V2's policy."""
    (organization,) = yield [Ask("organizations:DescribeOrganization", region=scope.leader)]
    manager = organization.pick("Organization.MasterAccountId")
    asks = [Ask("securityhub:ListOrganizationAdminAccounts")] if manager == [scope.account] else []
    if scope.first and asks:
        asks.append(SECOND_ADMINS)
    if scope.first and manager:
        asks.append(second_policy_ask(scope.leader))
    yield [*asks]
