"""What to ask GuardDuty in a region: its one detector and what hangs on it, malware plans, the organization."""

from __future__ import annotations

from postureaudit.asks import Ask, Collection, Fork, Scope
from postureaudit.evidence import Answer, Json
from postureaudit.services import workloads

# Findings of high and critical severity that nobody archived (GuardDuty user guide, "Severity levels").
OPEN_HIGH: dict[str, Json] = {
    "FindingCriteria": {
        "Criterion": {"service.archived": {"Eq": ["false"]}, "severity": {"Gte": 7}},
    }
}
ALL_MEMBERS: dict[str, Json] = {"OnlyAssociated": "false"}  # with their relationship, whatever it is


def collect(scope: Scope) -> Collection:
    """Ask for the detector, then follow it; malware plans and administrators need none."""
    (listed, _, _) = yield [
        Ask("guardduty:ListDetectors"),
        Ask("guardduty:ListOrganizationAdminAccounts"),
        Ask("s3:ListBuckets", region=scope.leader),
        Fork([_malware_plans()]),
    ]
    for detector in listed.pick("DetectorIds[]")[:1]:
        yield [
            Ask("guardduty:GetDetector", DetectorId=detector),
            Ask("guardduty:GetAdministratorAccount", DetectorId=detector),
            Ask("guardduty:ListFindings", until="FindingIds[]", DetectorId=detector, **OPEN_HIGH),
            *workloads.asks(scope),
            Fork([_filters(detector), _destinations(detector), _members(detector)]),
        ]


def _malware_plans() -> Collection:
    (listed,) = yield [Ask("guardduty:ListMalwareProtectionPlans")]
    yield [
        Ask("guardduty:GetMalwareProtectionPlan", MalwareProtectionPlanId=plan)
        for plan in listed.pick("MalwareProtectionPlans[].MalwareProtectionPlanId")
    ]


def _filters(detector: str) -> Collection:
    (listed,) = yield [Ask("guardduty:ListFilters", DetectorId=detector)]
    yield [
        Ask("guardduty:GetFilter", DetectorId=detector, FilterName=name)
        for name in listed.pick("FilterNames[]")
    ]


def _destinations(detector: str) -> Collection:
    (listed,) = yield [Ask("guardduty:ListPublishingDestinations", DetectorId=detector)]
    yield [
        Ask("guardduty:DescribePublishingDestination", DetectorId=detector, DestinationId=destination)
        for destination in listed.pick("Destinations[].DestinationId")
    ]


def _members(detector: str) -> Collection:
    """Only the organization's administrator gets an answer, and only it has members to list."""
    (organization,) = yield [Ask("guardduty:DescribeOrganizationConfiguration", DetectorId=detector)]
    if isinstance(organization.outcome, Answer):
        yield [Ask("guardduty:ListMembers", DetectorId=detector, **ALL_MEMBERS)]
