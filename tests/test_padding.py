"""No padding: two checks that always agree are one. What looks alike in the scenarios is shown to be able to differ."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from postureaudit import catalog, lint_examples
from postureaudit.catalog import Check
from postureaudit.findings import Verdict
from postureaudit.signals import events
from postureaudit.signals.event_pattern import matches
from tests.conftest import judge, walk_world
from tests.fakeaws.scenarios import SCENARIOS

CHECKS = {check.id: check for check in catalog.builtin().checks}
SETTLED = {Verdict.PASS, Verdict.FAIL, Verdict.NOT_APPLICABLE}
REGIONS = {
    "mixed": ("us-east-1", "us-east-2", "us-west-2", "eu-west-1", "eu-central-1", "ap-south-1", "sa-east-1"),
}
FEW = ("us-east-1", "eu-west-1")

# Checks of one resource type that agree at every place of every scenario, and what tells them apart elsewhere.
# That they can differ is proven from their examples (test_checks_can_differ); a group that is gone is taken out.
ALIKE: dict[tuple[str, ...], str] = {
    (
        "cloudtrail.multi-region",
        "cloudtrail.s3-data-events-write",
        "cloudtrail.s3-data-events-read",
        "cloudtrail.lambda-data-events",
    ): "management events alone are the default of a multi-region trail, and each kind of data event is paid for apart",
    ("cloudtrail.log-validation", "cloudtrail.kms-encryption"): "two settings of a trail, set apart",
    (
        "cloudtrail.bucket-source-restricted",
        "cloudtrail.bucket-retention",
    ): "a bucket's policy and its lifecycle",
    (
        "cloudtrail.bucket-access-logging",
        "cloudtrail.bucket-tamper-proof",
    ): "a bucket's access logs and its object lock",
    ("cloudtrail.organization-trail", "cloudtrail.delegated-admin"): "a trail, and who may administer it",
    (
        "config.recorder-healthy",
        "config.delivery-healthy",
    ): "recording and delivering fail apart: a role, a bucket",
    (
        "config.service-linked-role",
        "config.delivery-channel",
        "config.retention",
    ): "a recorder's role, where it delivers, and how long history is kept",
    (
        "config.rules-healthy",
        "config.remediation",
        "config.remediation-healthy",
    ): "whether a rule can evaluate, whether its finding is mended, and whether the mending works",
    ("config.aggregator", "config.aggregator-healthy"): "an aggregator may be there and fail to collect",
    (
        "guardduty.eks-audit-logs",
        "guardduty.lambda-network-logs",
    ): "two plans, for clusters and for functions",
    (
        "guardduty.ebs-malware-protection",
        "guardduty.ecs-agent",
        "guardduty.ec2-agent",
    ): "a plan for disks, and the agents on two kinds of machine",
    (
        "guardduty.rds-login-events",
        "guardduty.runtime-monitoring",
        "guardduty.eks-agent",
    ): "a plan for databases, one for machines, and its agent on clusters",
    (
        "guardduty.auto-enable-members",
        "guardduty.auto-enable-plans",
        "guardduty.members-enabled",
    ): "the detector and each plan turn on apart, and neither looks back at accounts that were there before",
    ("securityhub.standard-fsbp", "securityhub.standards-ready"): "one standard, and all that are enabled",
    (
        "securityhub.integration-inspector",
        "securityhub.integration-macie",
        "securityhub.integration-access-analyzer",
    ): "each product is accepted apart",
    ("securityhub.central-configuration", "securityhub.members-enabled"): "policies, and who is a member",
    (
        "eventbridge.rules-match",
        "eventbridge.rules-have-targets",
        "eventbridge.targets-exist",
    ): "a rule's pattern, whether it has a target, and whether that is still there",
    (
        "sns.topic-not-public",
        "sns.topic-encrypted",
        "sns.topic-has-confirmed-subscription",
        "sns.subscriptions-confirmed",
    ): "a topic's policy, its key, whether anyone listens, and whether anyone still waits to",
    (
        "cloudtrail.searchable-deletions",
        "cloudtrail.searchable-access",
        "cloudtrail.searchable-iam-changes",
    ): "a store may hold writes and no reads, or regions without the one that global services report to",
    ("account.security-contact", "account.other-contacts"): "each contact is registered apart",
    (
        "organizations.all-features",
        "organizations.service-access",
        "organizations.one-administrator",
    ): "a mode of the organization, what may work in it, and who runs that",
    (
        "firewallmanager.policies-active",
        "firewallmanager.policies-remediate",
    ): "a policy in force may only report",
    ("alarms.can-notify", "alarms.can-ring"): "an alarm's actions and its threshold",
    (
        "config.all-resource-types",
        "config.required-types",
    ): "a recorder may leave out types that nobody requires",
    (
        "config.required-rules",
        "config.required-packs",
    ): "single rules, and packs, each by a list of one's own",
    (
        "config.delegated-admin",
        "config.organization-deployments",
    ): "who administers Config, and whether what it rolled out arrived",
    (
        "securityhub.delegated-admin",
        "securityhub.v2-delegated-admin",
    ): "the two hubs are delegated apart, and the management account can take only the first itself",
    (
        "inspector.lambda-scanning",
        "inspector.lambda-code-scanning",
    ): "packages, and one's own code: two switches",
    (
        "inspector.auto-enable-members",
        "inspector.members-enabled",
    ): "accounts that join, and those that are there",
    (
        "macie.automated-discovery",
        "macie.export-separate-account",
    ): "looking into buckets, and where the results are kept",
    (
        "macie.auto-enable-members",
        "macie.auto-enable-discovery",
        "macie.members-enabled",
    ): "Macie and its discovery turn on apart, and neither looks back at accounts that were there before",
    (
        "accessanalyzer.unused-access",
        "accessanalyzer.internal-access",
    ): "two kinds of analyzer, each paid for apart",
    (
        "detective.auto-enable-members",
        "detective.members-enabled",
    ): "accounts that join, and those that are there",
}


def pairs() -> Iterator[Any]:
    """All pairs of checks of one resource type, but for signals: those are told apart by their events."""
    by_type: dict[str, list[Check]] = defaultdict(list)
    for check in CHECKS.values():
        if not check.topic:
            by_type[check.resource].append(check)
    for own in by_type.values():
        yield from itertools.combinations(own, 2)


def merged(one: Any, other: Any) -> Any:
    """Both examples' facts in one; where they say different things, the second's."""
    if isinstance(one, dict) and isinstance(other, dict):
        return {
            key: merged(one[key], other[key]) if key in one and key in other else {**one, **other}[key]
            for key in (*one, *(key for key in other if key not in one))
        }
    return other


def differ(one: Check, other: Check) -> bool:
    """Whether some facts, put together from both checks' examples, give them two settled and different verdicts."""
    for mine, theirs in itertools.product(
        itertools.chain(*one.examples.values()), itertools.chain(*other.examples.values())
    ):
        for facts in (merged(mine, theirs), merged(theirs, mine)):
            found = {lint_examples.example_verdict(check, facts) for check in (one, other)}
            if len(found) == 2 and found <= SETTLED:
                return True
    return False


def test_checks_can_differ() -> None:
    """For any two checks of one resource type there are facts on which one says another thing than the other."""
    assert [(one.id, other.id) for one, other in pairs() if not differ(one, other)] == []


def test_copy_of_a_check_is_padding() -> None:
    """The proof above is no formality: a check and its copy under another name cannot differ."""
    for check in CHECKS.values():
        assert not differ(check, msgspec.structs.replace(check, id="own.copy"))


def test_signals_can_differ() -> None:
    """For any two signals a rule that is made for one misses an event of the other."""
    place = events.Place(
        account="111122223333", region="us-east-1", partition="aws", time="2026-11-25T00:00:00Z"
    )
    documents = {
        signal.id: [events.document(member.template, place) for member in signal.members]
        for signal in events.signals()
    }
    rules = {
        signal.id: {
            "source": sorted({found["source"] for found in documents[signal.id]}),
            "detail-type": sorted({found["detail-type"] for found in documents[signal.id]}),
            "detail": signal.pattern,
        }
        for signal in events.signals()
    }

    def covers(one: str, other: str) -> bool:
        return all(matches(rules[one], event) for event in documents[other])

    assert [name for name in rules if not covers(name, name)] == []
    assert [
        (one, other)
        for one, other in itertools.combinations(rules, 2)
        if covers(one, other) and covers(other, one)
    ] == []


@pytest.mark.exhaustive
def test_checks_differ_in_the_scenarios(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over all scenarios, two checks of one type differ somewhere, or stand in the table with what tells them apart."""
    verdicts: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for name, scenario in SCENARIOS.items():
        found = judge(walk_world(monkeypatch, scenario(), only=REGIONS.get(name, FEW)))
        for check, finding in found.items():
            verdicts[check] += [
                (name, place.region or "", place.resource or "", place.verdict) for place in finding.places
            ]
    groups: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    for check in CHECKS.values():
        if not check.topic:
            groups[(check.resource, *sorted(verdicts[check.id]))].append(check.id)

    alike = [set(ids) for ids in groups.values() if len(ids) > 1]

    assert [ids for ids in alike if not any(ids <= set(told) for told in ALIKE)] == [], (
        "padding, or say why not"
    )
    assert [told for told in ALIKE if not any(len(ids & set(told)) > 1 for ids in alike)] == [], "take it out"
