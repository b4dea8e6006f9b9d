"""One organization as AWS's Security Reference Architecture draws it, to be looked at from each of its accounts."""

from __future__ import annotations

from .handlers.config import add_aggregator
from .handlers.securityhub import aggregator, hub_v2
from .scenarios import BLOCK, PRODUCTS, furnish_config, furnish_trail
from .world import ACCOUNT, ARCHIVE, PLANS, World

MANAGEMENT, AUDIT, MEMBER, SUSPENDED = ACCOUNT, "222200002222", "333300003333", "444400004444"
ALONE = "555500005555"  # an account of somebody else's, in no organization
HOME, OTHER = "us-east-1", "eu-west-1"
PRINCIPALS = tuple(
    f"{name}.amazonaws.com"
    for name in ("cloudtrail", "config", "config-multiaccountsetup", "guardduty", "securityhub")
)


def landing_zone(view_from: str = MANAGEMENT, *, regions: tuple[str, ...] = (HOME, OTHER)) -> World:
    """Everything right: one organization trail and every bucket in the log archive, all else run by the audit account.

    SUSPENDED is closed and no member of anything. `view_from` is the account whose credentials the child gets; ALONE
    has the same settings and no organization.
    """
    world = World(default=view_from)
    for name in (MANAGEMENT, AUDIT, ARCHIVE, MEMBER, SUSPENDED, ALONE):
        world.account(name, regions=regions)
    others = (AUDIT, ARCHIVE, MEMBER, SUSPENDED)
    world.organize(MANAGEMENT, others, access=PRINCIPALS, delegated={name: [AUDIT] for name in PRINCIPALS})
    assert world.organization
    world.organization["Accounts"][-1]["State"] = "SUSPENDED"
    furnish_trail(world, world.account(MANAGEMENT), readable=False)
    world.account(MANAGEMENT).region(HOME).cloudtrail["trails"]["main"]["Trail"]["IsOrganizationTrail"] = True
    for name in ("org-trail-logs", "org-config-logs"):
        world.buckets[name]["head"] = {MANAGEMENT, AUDIT, ARCHIVE, MEMBER}
    for name in (MANAGEMENT, AUDIT, ARCHIVE, MEMBER, ALONE):
        account = world.account(name)
        account.block = dict(BLOCK)
        for region in account.regions.values():
            furnish_config(account, region.name)
            region.config["aggregators"].clear()
            region.add_detector()
            region.add_hub(products=PRODUCTS)
            region.securityhub["v2"] = hub_v2(region)
            if name not in (AUDIT, ALONE):
                region.guardduty["admin"] = region.securityhub["admin"] = AUDIT
    for name in regions:
        _administered(world, name)
    world.account(ARCHIVE).region(HOME).add_plan("org-trail-logs")
    home = world.account(AUDIT).region(HOME)
    home.securityhub["aggregator"] = aggregator(home)
    home.securityhub["policies"] = [{"Id": "1", "Name": "all", "ServiceEnabled": True}]
    role = world.account(AUDIT).arn("iam", "role/aggregate")
    source = {"RoleArn": role, "AllAwsRegions": True}
    add_aggregator(home, "organization", OrganizationAggregationSource=source)
    return world


def _administered(world: World, name: str) -> None:
    """The audit account administers a region: delegated by the management account, with every active account."""
    boss, region = world.account(MANAGEMENT).region(name), world.account(AUDIT).region(name)
    boss.guardduty["org_admins"] = boss.securityhub["org_admins"] = [AUDIT]
    active = (MANAGEMENT, ARCHIVE, MEMBER)
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
    world.organize(MANAGEMENT, (AUDIT, ARCHIVE, MEMBER))
    return world
