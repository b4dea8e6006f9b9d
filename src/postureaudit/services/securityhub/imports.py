"""What flows into a hub: which products it accepts, whether they are on, and whether Config records for it."""

from __future__ import annotations

import msgspec

from postureaudit.evidence import Json, Outcome, Refusal
from postureaudit.resources import View, any_of, body, malformed, member
from postureaudit.services.securityhub.asks import linked_recorders, recorder_ask

# The facet of a producer, and the product's name in subscription ARNs.
PRODUCTS = {
    "GuardDuty": "guardduty",
    "Config": "config",
    "Inspector": "inspector",
    "Macie": "macie",
    "FirewallManager": "firewall-manager",
    "AccessAnalyzer": "access-analyzer",
}
RECORDER_CALLS = ("config:DescribeConfigurationRecorderStatus", "config:ListConfigurationRecorders")
_ON = ("ENABLED", "ENABLING")


class Products(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the hub accepts the findings of each product (ListEnabledProductsForImport)."""

    GuardDuty: bool
    Config: bool
    Inspector: bool
    Macie: bool
    FirewallManager: bool
    AccessAnalyzer: bool


def products(view: View, region: str) -> Products | Refusal:
    """The subscriptions of a region, by the end of their ARN (product-subscription/aws/guardduty)."""
    found = member(
        view.outcome("securityhub:ListEnabledProductsForImport", region), "ProductSubscriptions", []
    )
    if isinstance(found, Refusal):
        return found
    accepted = {str(arn).partition(":product-subscription/")[2] for arn in found}
    return Products(**{facet: f"aws/{product}" in accepted for facet, product in PRODUCTS.items()})


def recording(view: View, region: str) -> bool | Refusal:
    """Whether Config records for Security Hub: the account's own recorder, or Security Hub's own.

    Source: Security Hub user guide, "Enabling and configuring AWS Config for Security Hub CSPM".
    """
    listed = member(
        view.outcome("config:ListConfigurationRecorders", region), "ConfigurationRecorderSummaries", []
    )
    linked: list[bool | Refusal] = [listed] if isinstance(listed, Refusal) else []
    for arn in [] if isinstance(listed, Refusal) else linked_recorders(listed):
        ask = recorder_ask(arn)
        linked.append(_recording(view.outcome(ask.call, region, **ask.params)))
    return any_of([config(view, region), *linked])


def config(view: View, region: str) -> bool | Refusal:
    """Whether the account's own recorder is recording (asked without arguments, AWS answers only that one)."""
    return _recording(view.outcome("config:DescribeConfigurationRecorderStatus", region))


def _recording(outcome: Outcome) -> bool | Refusal:
    found = member(outcome, "ConfigurationRecordersStatus", [])
    return found if isinstance(found, Refusal) else any(item.get("recording") is True for item in found)


def guardduty(view: View, region: str) -> bool | Refusal:
    """Whether there is a detector."""
    found = member(view.outcome("guardduty:ListDetectors", region), "DetectorIds", [])
    return found if isinstance(found, Refusal) else bool(found)


def inspector(view: View, region: str) -> bool | Refusal:
    """Whether Inspector is on for this account (asked without accounts, AWS answers the caller's)."""
    call = "inspector2:BatchGetAccountStatus"
    found = member(view.outcome(call, region), "accounts", [])
    if isinstance(found, Refusal):
        return found
    states = [item.get("state") or {} for item in found if item.get("accountId") == view.account]
    if not states:
        return malformed(call, region, "the account itself is not in the answer")
    return any(state.get("status") in _ON for state in states)


def macie(view: View, region: str) -> bool | Refusal:
    """Whether Macie is on and not paused ("Macie is not enabled" is an answer)."""
    found = member(view.outcome("macie2:GetMacieSession", region), "status")
    return found if isinstance(found, Refusal) else found == "ENABLED"


def firewall_manager(view: View, region: str) -> bool | Refusal:
    """Whether the organization has a Firewall Manager administrator, asked where the service lives."""
    found = body(view.outcome("fms:GetAdminAccount", view.leader))
    return found if isinstance(found, Refusal) else bool(found.get("AdminAccount"))


def access_analyzer(view: View, region: str) -> bool | Refusal:
    """Whether there is an analyzer that works."""
    found: Json | Refusal = member(view.outcome("accessanalyzer:ListAnalyzers", region), "analyzers", [])
    return found if isinstance(found, Refusal) else any(item.get("status") == "ACTIVE" for item in found)
