"""The facts of a region's detector: its state, plans, administrator, export, filters and open findings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from postureaudit.evidence import Answer, Json, Refusal
from postureaudit.resources import Shape, View, all_of, body, malformed, member
from postureaudit.services.guardduty import filters
from postureaudit.services.guardduty.asks import OPEN_HIGH

LIST = ("guardduty:ListDetectors",)
DETECTOR = (*LIST, "guardduty:GetDetector")
MANAGER = (*LIST, "guardduty:GetAdministratorAccount")
SETTINGS = (*MANAGER, "guardduty:DescribeOrganizationConfiguration")
EXPORT = (*LIST, "guardduty:ListPublishingDestinations")
TARGETS = (*EXPORT, "guardduty:DescribePublishingDestination")
FILTERS = (*MANAGER, "guardduty:ListFilters", "guardduty:GetFilter")
FINDINGS = (*LIST, "guardduty:ListFindings")
MALWARE_PLANS = ("guardduty:ListMalwareProtectionPlans", "guardduty:GetMalwareProtectionPlan")
FOUNDATIONAL = ("FLOW_LOGS", "CLOUD_TRAIL", "DNS_LOGS")


class Detector(msgspec.Struct, frozen=True, kw_only=True):
    """The region's detector. `Id` and `Frequency` are "" where it is missing."""

    Id: str | Refusal
    Present: bool | Refusal
    Enabled: bool | Refusal
    State: Literal["missing", "suspended", "on"] | Refusal
    Frequency: (
        Annotated[str, Shape("guardduty:GetDetector", "FindingPublishingFrequency")] | Literal[""] | Refusal
    )


class Manager(msgspec.Struct, frozen=True, kw_only=True):
    """The administrator account that this account is a member of; `Account` is "" where there is none."""

    Managed: bool | Refusal
    Account: str | Refusal


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A protection plan or agent. A plan that AWS does not list is not offered in the region."""

    Offered: bool
    On: bool
    ManagedBy: Annotated[str, Shape("guardduty:GetDetector", "Features[].ManagedBy")] | Literal[""]


class Plans(msgspec.Struct, frozen=True, kw_only=True):
    """Every plan and agent by the name that AWS gives it."""

    S3_DATA_EVENTS: Plan
    EKS_AUDIT_LOGS: Plan
    EBS_MALWARE_PROTECTION: Plan
    RDS_LOGIN_EVENTS: Plan
    LAMBDA_NETWORK_LOGS: Plan
    RUNTIME_MONITORING: Plan
    EKS_RUNTIME_MONITORING: Plan
    AI_PROTECTION: Plan
    EKS_ADDON_MANAGEMENT: Plan
    ECS_FARGATE_AGENT_MANAGEMENT: Plan
    EC2_AGENT_MANAGEMENT: Plan


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """The foundational data sources, which GuardDuty reads of itself."""

    On: bool | Refusal
    Off: list[str]


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """Where findings are exported to: `Statuses` are AWS's words, one a destination."""

    Present: bool | Refusal
    Healthy: bool | Refusal
    Statuses: list[str]


class MalwarePlans(msgspec.Struct, frozen=True, kw_only=True):
    """Malware protection plans for S3: `Troubled` are those that are not active, with AWS's reasons."""

    Present: bool | Refusal
    Healthy: bool | Refusal
    Troubled: list[str]


def detector_id(view: View, region: str) -> str | Refusal:
    """The id of the one detector that a region can have; "" where there is none."""
    found = member(view.outcome("guardduty:ListDetectors", region), "DetectorIds", [])
    if isinstance(found, Refusal):
        return found
    return str(found[0]) if found else ""


def detector(view: View, region: str) -> Detector:
    """Whether the detector is there, and whether it watches."""
    found = detector_id(view, region)
    if isinstance(found, Refusal):
        return Detector(Id=found, Present=found, Enabled=found, State=found, Frequency=found)
    if not found:
        return Detector(Id="", Present=False, Enabled=False, State="missing", Frequency="")
    settings = _settings(view, region, found)
    if isinstance(settings, Refusal):
        return Detector(Id=found, Present=True, Enabled=settings, State=settings, Frequency=settings)
    on = settings.get("Status") == "ENABLED"
    return Detector(
        Id=found,
        Present=True,
        Enabled=on,
        State="on" if on else "suspended",
        Frequency=str(settings.get("FindingPublishingFrequency") or "")
        or malformed("guardduty:GetDetector", region, "no publishing frequency"),
    )


def _settings(view: View, region: str, found: str) -> dict[str, Json] | Refusal:
    outcome = view.outcome("guardduty:GetDetector", region, DetectorId=found)
    settings = body(outcome)
    if not isinstance(settings, Refusal) and settings.get("Status") not in ("ENABLED", "DISABLED"):
        return malformed("guardduty:GetDetector", region, "a detector without a status")
    return settings


def _features(view: View, region: str) -> dict[str, dict[str, Json]] | Refusal:
    found = detector_id(view, region)
    settings = found if isinstance(found, Refusal) else _settings(view, region, found)
    if isinstance(settings, Refusal):
        return settings
    features = settings.get("Features")
    if not isinstance(features, list) or not features:
        return malformed("guardduty:GetDetector", region, "a detector without features")
    return {str(item.get("Name")): item for item in features}


def plans(view: View, region: str) -> Plans | Refusal:
    """What is on. An agent is on only with the plan it belongs to; the EKS agent has a legacy plan as well."""
    features = _features(view, region)
    if isinstance(features, Refusal):
        return features
    found = {name: _plan(features.get(name)) for name in Plans.__struct_fields__}
    for name in ("EKS_ADDON_MANAGEMENT", "ECS_FARGATE_AGENT_MANAGEMENT", "EC2_AGENT_MANAGEMENT"):
        found[name] = _agent(features.get("RUNTIME_MONITORING"), name)
    legacy = _agent(features.get("EKS_RUNTIME_MONITORING"), "EKS_ADDON_MANAGEMENT")
    if legacy.On:
        found["EKS_ADDON_MANAGEMENT"] = legacy
    return Plans(**found)


def _plan(feature: Mapping[str, Json] | None) -> Plan:
    if feature is None:
        return Plan(Offered=False, On=False, ManagedBy="")
    return Plan(
        Offered=True,
        On=feature.get("Status") == "ENABLED",
        ManagedBy=str(feature.get("ManagedBy") or ""),
    )


def _agent(feature: Mapping[str, Json] | None, name: str) -> Plan:
    whole = _plan(feature)
    extras = (feature or {}).get("AdditionalConfiguration") or []
    own = _plan(next((item for item in extras if item.get("Name") == name), None))
    return Plan(
        Offered=whole.Offered,
        On=whole.On and own.On,
        ManagedBy=own.ManagedBy or whole.ManagedBy,
    )


def sources(view: View, region: str) -> Sources:
    """Whether GuardDuty reads flow logs, CloudTrail and DNS logs (user guide, "Foundational data sources")."""
    features = _features(view, region)
    if isinstance(features, Refusal):
        return Sources(On=features, Off=[])
    states: list[bool | Refusal] = []
    for name in FOUNDATIONAL:
        known = name in features
        states.append(
            features[name].get("Status") == "ENABLED"
            if known
            else malformed("guardduty:GetDetector", region, f"no {name} among the features")
        )
    off = [name for name, on in zip(FOUNDATIONAL, states, strict=True) if on is False]
    return Sources(On=all_of(states), Off=off)


def manager(view: View, region: str) -> Manager:
    """The administrator account with an enabled relationship (API reference, GetAdministratorAccount)."""
    found = detector_id(view, region)
    if isinstance(found, Refusal):
        return Manager(Managed=found, Account=found)
    if not found:
        return Manager(Managed=False, Account="")
    outcome = view.outcome("guardduty:GetAdministratorAccount", region, DetectorId=found)
    above = member(outcome, "Administrator", {})
    if isinstance(above, Refusal):
        return Manager(Managed=above, Account=above)
    account = str((above or {}).get("AccountId") or "")
    enabled = str((above or {}).get("RelationshipStatus") or "").casefold() == "enabled"
    return Manager(Managed=bool(account) and account != view.account and enabled, Account=account)


def administers(view: View, region: str) -> bool | Refusal:
    """Whether this account is the organization's GuardDuty administrator here: only it may read the settings.

    (API reference, DescribeOrganizationConfiguration.) An account cannot be administrator and member at once.
    """
    found = detector_id(view, region)
    if isinstance(found, Refusal):
        return found
    if not found:
        return False
    outcome = view.outcome("guardduty:DescribeOrganizationConfiguration", region, DetectorId=found)
    if isinstance(outcome, Refusal):
        return False if manager(view, region).Managed is True else outcome
    return isinstance(outcome, Answer)


def export(view: View, region: str) -> Export:
    """Whether findings are exported, and whether they arrive: PUBLISHING is the only good status."""
    found = detector_id(view, region)
    if isinstance(found, Refusal):
        return Export(Present=found, Healthy=found, Statuses=[])
    outcome = view.outcome("guardduty:ListPublishingDestinations", region, DetectorId=found)
    listed = member(outcome, "Destinations", [])
    if isinstance(listed, Refusal):
        return Export(Present=listed, Healthy=listed, Statuses=[])
    statuses = [str(item.get("Status")) for item in listed]
    return Export(
        Present=bool(statuses),
        Healthy=bool(statuses) and all(status == "PUBLISHING" for status in statuses),
        Statuses=sorted(statuses),
    )


def targets(view: View, region: str) -> list[str] | Refusal:
    """The ARNs that findings are exported to."""
    found = detector_id(view, region)
    if isinstance(found, Refusal):
        return found
    outcome = view.outcome("guardduty:ListPublishingDestinations", region, DetectorId=found)
    listed = member(outcome, "Destinations", [])
    if isinstance(listed, Refusal):
        return listed
    arns = []
    for item in listed:
        described = view.outcome(
            "guardduty:DescribePublishingDestination",
            region,
            DetectorId=found,
            DestinationId=item.get("DestinationId"),
        )
        properties = member(described, "DestinationProperties", {})
        if isinstance(properties, Refusal):
            return properties
        arns.append(str((properties or {}).get("DestinationArn") or ""))
    return sorted(arns)


def suppression(view: View, region: str) -> filters.Suppression | Refusal:
    """What this account's archive filters hide.

    A member's suppression rules are the administrator's (user guide, "Suppression rules"): where nobody can say
    whether there is an administrator, there may be rules that are not listed here.
    """
    found = detector_id(view, region)
    if isinstance(found, Refusal):
        return found
    names = member(view.outcome("guardduty:ListFilters", region, DetectorId=found), "FilterNames", [])
    if isinstance(names, Refusal):
        return names
    rules: list[filters.Rule | Refusal | None] = []
    for name in names:
        given = body(view.outcome("guardduty:GetFilter", region, DetectorId=found, FilterName=name))
        rules.append(given if isinstance(given, Refusal) else filters.rule({"Name": name, **given}))
    managed = manager(view, region).Managed
    return filters.suppression([*rules, managed if isinstance(managed, Refusal) else None])


def open_high(view: View, region: str) -> bool | Refusal:
    """Whether a finding of severity 7 and up is unarchived."""
    found = detector_id(view, region)
    if isinstance(found, Refusal):
        return found
    if not found:
        return False
    outcome = view.outcome("guardduty:ListFindings", region, DetectorId=found, **OPEN_HIGH)
    listed = member(outcome, "FindingIds", [])
    return listed if isinstance(listed, Refusal) else bool(listed)


def malware_plans(view: View, region: str) -> MalwarePlans:
    """The region's S3 malware protection plans; they need no detector."""
    listed = member(
        view.outcome("guardduty:ListMalwareProtectionPlans", region), "MalwareProtectionPlans", []
    )
    if isinstance(listed, Refusal):
        return MalwarePlans(Present=listed, Healthy=listed, Troubled=[])
    states: list[bool | Refusal] = []
    troubled = []
    for item in listed:
        plan = body(
            view.outcome(
                "guardduty:GetMalwareProtectionPlan",
                region,
                MalwareProtectionPlanId=item.get("MalwareProtectionPlanId"),
            )
        )
        states.append(plan if isinstance(plan, Refusal) else plan.get("Status") == "ACTIVE")
        if not isinstance(plan, Refusal) and plan.get("Status") != "ACTIVE":
            troubled.append(_trouble(plan))
    return MalwarePlans(Present=bool(listed), Healthy=all_of(states), Troubled=sorted(troubled))


def _trouble(plan: Mapping[str, Json]) -> str:
    bucket = ((plan.get("ProtectedResource") or {}).get("S3Bucket") or {}).get("BucketName")
    reasons = "; ".join(
        str(item.get("Message") or item.get("Code")) for item in plan.get("StatusReasons") or []
    )
    return f"{bucket}: {plan.get('Status')}" + (f" ({reasons})" if reasons else "")
