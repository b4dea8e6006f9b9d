"""GuardDuty's resources: the region, its detector, and the organization's settings there."""

from __future__ import annotations

from collections.abc import Iterator

from postureaudit.evidence import Refusal
from postureaudit.resources import Facet, Resource, ResourceType, ScopeKind, View, facts
from postureaudit.services import workloads
from postureaudit.services.guardduty import detector, organization
from postureaudit.services.guardduty.filters import Suppression
from postureaudit.services.organizations import (
    POLICY_CALLS,
    POSITION_CALLS,
    Policy,
    Position,
    policy,
    position,
)
from postureaudit.services.organizations.policies import GUARDDUTY


def regions(view: View) -> Iterator[Resource]:
    """One place a region, also where GuardDuty is off."""
    for region in view.regions:
        yield Resource(
            type="guardduty.region",
            account=view.account,
            region=region,
            facts=facts(
                Detector=detector.detector(view, region),
                Manager=detector.manager(view, region),
                Administers=detector.administers(view, region),
                Position=position(view),
                Policy=policy(view, GUARDDUTY, region),
                OpenHigh=detector.open_high(view, region),
                MalwarePlans=detector.malware_plans(view, region),
                HasBuckets=workloads.has_buckets(view, region),
            ),
        )


def detectors(view: View) -> Iterator[Resource]:
    """One place a region that has a detector; "*" where the list was refused."""
    for region in view.regions:
        found = detector.detector_id(view, region)
        if isinstance(found, Refusal):
            yield Resource(
                type="guardduty.detector",
                id="*",
                account=view.account,
                region=region,
                facts={facet.name: found for facet in DETECTOR.facets},
            )
        elif found:
            yield _detector(view, region)


def _detector(view: View, region: str) -> Resource:
    return Resource(
        type="guardduty.detector",
        account=view.account,
        region=region,
        facts=facts(
            Detector=detector.detector(view, region),
            Manager=detector.manager(view, region),
            Policy=policy(view, GUARDDUTY, region),
            Plans=detector.plans(view, region),
            Sources=detector.sources(view, region),
            Export=detector.export(view, region),
            Targets=detector.targets(view, region),
            Suppression=detector.suppression(view, region),
            HasBuckets=workloads.has_buckets(view, region),
            HasClusters=workloads.has_clusters(view, region),
            HasTasks=workloads.has_tasks(view, region),
            HasInstances=workloads.has_instances(view, region),
            HasMachines=workloads.has_machines(view, region),
            HasFunctions=workloads.has_functions(view, region),
            HasDatabases=workloads.has_databases(view, region),
        ),
    )


def organizations(view: View) -> Iterator[Resource]:
    """One place a region: GuardDuty keeps the organization's settings by region."""
    alone = position(view).Role == "standalone"
    for region in view.regions:
        yield Resource(
            type="guardduty.organization",
            account=view.account,
            region=region,
            elsewhere="this account is in no organization" if alone else "",
            facts=facts(
                Detector=detector.detector(view, region),
                Delegation=organization.delegation(view, region),
                Administrator=organization.administrator(view, region),
                AutoEnable=organization.auto_enable(view, region),
                Membership=organization.membership(view, region),
            ),
        )


REGION = ResourceType(
    name="guardduty.region",
    scope=ScopeKind.REGION,
    none="no region audited",
    facets=(
        Facet(name="Detector", calls=detector.DETECTOR, shape=detector.Detector),
        Facet(name="Manager", calls=detector.MANAGER, shape=detector.Manager),
        Facet(name="Administers", calls=detector.SETTINGS, shape=bool),
        Facet(name="Position", calls=POSITION_CALLS, shape=Position),
        Facet(name="Policy", calls=POLICY_CALLS, shape=Policy),
        Facet(name="OpenHigh", calls=detector.FINDINGS, shape=bool),
        Facet(name="MalwarePlans", calls=detector.MALWARE_PLANS, shape=detector.MalwarePlans),
        Facet(name="HasBuckets", calls=workloads.BUCKETS, shape=bool),
    ),
    produce=regions,
)
DETECTOR = ResourceType(
    name="guardduty.detector",
    scope=ScopeKind.RESOURCE,
    none="no detector here",
    facets=(
        Facet(name="Detector", calls=detector.DETECTOR, shape=detector.Detector),
        Facet(name="Manager", calls=detector.MANAGER, shape=detector.Manager),
        Facet(name="Policy", calls=(*detector.LIST, *POLICY_CALLS), shape=Policy),
        Facet(name="Plans", calls=detector.DETECTOR, shape=detector.Plans),
        Facet(name="Sources", calls=detector.DETECTOR, shape=detector.Sources),
        Facet(name="Export", calls=detector.EXPORT, shape=detector.Export),
        Facet(name="Targets", calls=detector.TARGETS, shape=list[str]),
        Facet(name="Suppression", calls=detector.FILTERS, shape=Suppression),
        Facet(name="HasBuckets", calls=(*detector.LIST, *workloads.BUCKETS), shape=bool),
        Facet(name="HasClusters", calls=(*detector.LIST, *workloads.CLUSTERS), shape=bool),
        Facet(name="HasTasks", calls=(*detector.LIST, *workloads.TASKS), shape=bool),
        Facet(name="HasInstances", calls=(*detector.LIST, *workloads.INSTANCES), shape=bool),
        Facet(
            name="HasMachines",
            calls=(*detector.LIST, *workloads.INSTANCES, *workloads.CLUSTERS, *workloads.TASKS),
            shape=bool,
        ),
        Facet(name="HasFunctions", calls=(*detector.LIST, *workloads.FUNCTIONS), shape=bool),
        Facet(name="HasDatabases", calls=(*detector.LIST, *workloads.DATABASES), shape=bool),
    ),
    produce=detectors,
)
ORGANIZATION = ResourceType(
    name="guardduty.organization",
    scope=ScopeKind.ORGANIZATION,
    none="no organization",
    facets=(
        Facet(name="Detector", calls=(*POSITION_CALLS, *detector.DETECTOR), shape=detector.Detector),
        Facet(name="Delegation", calls=organization.DELEGATION, shape=organization.Delegation),
        Facet(name="Administrator", calls=organization.ADMINISTRATOR, shape=organization.Administrator),
        Facet(name="AutoEnable", calls=organization.AUTO_ENABLE, shape=organization.AutoEnable),
        Facet(name="Membership", calls=organization.MEMBERSHIP, shape=organization.Membership),
    ),
    produce=organizations,
)
TYPES = (REGION, DETECTOR, ORGANIZATION)
