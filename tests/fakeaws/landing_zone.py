"""One organization as AWS's Security Reference Architecture draws it, to be looked at from each of its accounts."""

from __future__ import annotations

from .handlers.accessanalyzer import analyzer
from .handlers.config import add_aggregator, add_organization_pack, add_organization_rule
from .handlers.detective import graph
from .handlers.securityhub import aggregator, aggregator_v2, hub_v2
from .handlers.securityir import TRIAGE_ROLE, add_sir_membership
from .handlers.securitylake import add_lake
from .handlers.vpc import add_vpc
from .responding import respond
from .scenarios import (
    ADMINISTERED,
    BLOCK,
    PRODUCTS,
    furnish_config,
    furnish_contacts,
    furnish_macie,
    furnish_scans,
    furnish_trail,
    join_neighbours,
    run_adjacent,
    run_neighbours,
)
from .world import ACCOUNT, AI, ARCHIVE, CIS_3, FSBP, PLANS, Account, Region, World

MANAGEMENT, AUDIT, MEMBER, SUSPENDED = ACCOUNT, "222200002222", "333300003333", "444400004444"
ACTIVE = (MANAGEMENT, AUDIT, ARCHIVE, MEMBER)
ALONE = "555500005555"  # an account of somebody else's, in no organization
HOME, OTHER = "us-east-1", "eu-west-1"
POLICY = '{"securityhub":{"enable_in_regions":["ALL_SUPPORTED"],"disable_in_regions":[]}}'


def landing_zone(
    view_from: str = MANAGEMENT, *, regions: tuple[str, ...] = (HOME, OTHER), responds: bool = False
) -> World:
    """Everything right: one organization trail and every bucket and lake in the log archive, all else run by the audit
    account; if it `responds`, every account has rules and a topic, and those with a trail alarms.

    SUSPENDED is closed and no member of anything. `view_from` is the account whose credentials the child gets; ALONE
    has the same settings, what it needs of its own, and no organization.
    """
    world = World(default=view_from)
    for name in (MANAGEMENT, AUDIT, ARCHIVE, MEMBER, SUSPENDED, ALONE):
        world.account(name, regions=regions)
    world.organize(
        MANAGEMENT,
        (AUDIT, ARCHIVE, MEMBER, SUSPENDED),
        access=ADMINISTERED,
        delegated={name: [AUDIT] for name in ADMINISTERED},
    )
    assert world.organization
    world.organization["Accounts"][-1]["State"] = "SUSPENDED"
    furnish_trail(world, world.account(ALONE), readable=False, bucket="others-trail-logs")
    furnish_trail(world, world.account(MANAGEMENT), readable=False)
    world.account(MANAGEMENT).region(HOME).cloudtrail["trails"]["main"]["Trail"]["IsOrganizationTrail"] = True
    for name in ("org-trail-logs", "org-config-logs", "org-findings"):
        world.buckets[name]["head"] = {MANAGEMENT, AUDIT, ARCHIVE, MEMBER, ALONE}
    for name in (MANAGEMENT, AUDIT, ARCHIVE, MEMBER, ALONE):
        _furnish(world, world.account(name))
    for name in regions:
        _administered(world, name)
        _alone(world.account(ALONE).region(name))
    run_adjacent(world, world.account(AUDIT), ACTIVE, lake=world.account(ARCHIVE))
    world.account(ARCHIVE).region(HOME).add_plan("org-trail-logs")
    home = world.account(AUDIT).region(HOME)
    home.securityhub["policies"] = [{"Id": "1", "Name": "all", "ServiceEnabled": True}]
    role = world.account(AUDIT).arn("iam", "role/aggregate")
    source = {"RoleArn": role, "AllAwsRegions": True}
    add_aggregator(home, "organization", OrganizationAggregationSource=source)
    add_organization_pack(home, "baseline")
    add_organization_rule(home, "trails")
    for name in (AUDIT, ALONE):
        home = world.account(name).region(HOME)
        home.securityhub["aggregator"] = aggregator(home)
        home.securityhub["aggregator_v2"] = aggregator_v2(home)
    for name in (*ACTIVE, ALONE) if responds else ():
        respond(world, account=world.account(name), alarms=name in (MANAGEMENT, ALONE))
    return world


def _furnish(world: World, account: Account) -> None:
    """What every account has on for itself, or by its administrator."""
    account.block = dict(BLOCK)
    furnish_contacts(account)
    member = account.id not in (AUDIT, ALONE)
    for region in account.regions.values():
        furnish_config(account, region.name)
        region.config["aggregators"].clear()
        region.add_detector()
        region.add_hub(standards=(FSBP, CIS_3, AI), products=PRODUCTS)
        region.securityhub["v2"] = hub_v2(region)
        add_vpc(region, traffic="ALL", queries=True, interfaces=1)
        furnish_scans(region)
        furnish_macie(region)
        region.accessanalyzer["analyzers"] = [analyzer(region)]
        if member:
            region.guardduty["admin"] = region.securityhub["admin"] = AUDIT
            join_neighbours(region, AUDIT)
    if account.id != ALONE:
        assert world.organization
        world.organization["Effective"][(account.id, "SECURITYHUB_POLICY")] = POLICY
    if not member:
        account.add_role(TRIAGE_ROLE, "triage.security-ir.amazonaws.com")


def _alone(region: Region) -> None:
    """What an account that nobody administers has of its own."""
    region.accessanalyzer["analyzers"] += [
        analyzer(region, "unused", "ACCOUNT_UNUSED_ACCESS"),
        analyzer(region, "internal", "ACCOUNT_INTERNAL_ACCESS"),
    ]
    region.detective["graphs"] = [graph(region)]
    region.add_destination("org-findings")
    add_lake(region)
    if region.name == HOME:
        add_sir_membership(region)
        sources = [{"AccountIds": [ALONE], "AllAwsRegions": True}]
        add_aggregator(region, "all", AccountAggregationSources=sources)


def _administered(world: World, name: str) -> None:
    """The audit account administers a region: delegated by the management account, with every active account."""
    boss, region = world.account(MANAGEMENT).region(name), world.account(AUDIT).region(name)
    boss.guardduty["org_admins"] = boss.securityhub["org_admins"] = [AUDIT]
    active = tuple(account for account in ACTIVE if account != AUDIT)
    run_neighbours(boss, region, active)
    region.guardduty["members"] = {**dict.fromkeys(active, "Enabled"), SUSPENDED: "Removed"}
    region.guardduty["org"] = {
        "AutoEnable": True,
        "AutoEnableOrganizationMembers": "NEW",
        "Features": [{"Name": plan, "AutoEnable": "NEW"} for plan in PLANS],
    }
    region.securityhub["members"] = {**dict.fromkeys(active, "Enabled"), SUSPENDED: "AccountSuspended"}
    region.securityhub["org"] = {
        "AutoEnable": False,
        "AutoEnableStandards": "NONE",
        "OrganizationConfiguration": {"ConfigurationType": "CENTRAL", "Status": "ENABLED"},
    }
    region.add_destination("org-findings")


def bare(view_from: str = MANAGEMENT) -> World:
    """The same accounts, and nothing done for the organization: nobody delegated, no organization trail."""
    world = World(default=view_from)
    for name in (MANAGEMENT, AUDIT, ARCHIVE, MEMBER):
        account = world.account(name, regions=(HOME,))
        for region in account.regions.values():
            region.add_detector()
            region.add_hub()
            region.securityhub["v2"] = hub_v2(region)
            furnish_macie(region)
            add_vpc(region, interfaces=1)
    world.add_bucket("org-findings", ARCHIVE, head=set(ACTIVE), block=dict(BLOCK))
    world.organize(MANAGEMENT, (AUDIT, ARCHIVE, MEMBER))
    return world
