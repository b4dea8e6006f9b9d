"""Worlds for the commands that the worlds of tests/gaps.py do not lead to: a fix has one for each case."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.fakeaws import World
from tests.fakeaws.handlers.config import add_aggregator
from tests.fakeaws.handlers.securityhub import aggregator, aggregator_v2
from tests.fakeaws.handlers.securityir import add_sir_membership
from tests.fakeaws.handlers.vpc import add_config, add_vpc
from tests.fakeaws.world import ACCOUNT, ARCHIVE, CIS_1, Region
from tests.gaps import HOME, OTHER, good

LINKED = "AWSServiceRoleForConfig"
Make = Callable[[], World]


def home_of(world: World) -> Region:
    return world.account().region(HOME)


def with_trail(*regions: str, **fields: Any) -> World:
    """Everything on, but another trail into the log archive."""
    world = good(*regions)
    home_of(world).cloudtrail["trails"].clear()
    home_of(world).add_trail("own", **{"bucket": "org-trail-logs", **fields})
    return world


def lost_key(**fields: Any) -> World:
    """A trail whose key is as these fields say, or gone."""
    world = with_trail()
    arn = home_of(world).arn("kms", "key/22222222-2222-3333-4444-555555555555")
    if fields:
        home_of(world).add_key(arn.rpartition("/")[2], **fields)
    home_of(world).cloudtrail["trails"]["own"]["Trail"]["KmsKeyId"] = arn
    return world


def shut_bucket() -> World:
    """A trail whose bucket, of the same account, has no policy at all."""
    errors = {"LatestDeliveryError": "AccessDenied", "LatestDigestDeliveryError": "AccessDenied"}
    world = with_trail(bucket="own-logs", status=errors, LogFileValidationEnabled=True)
    world.add_bucket("own-logs")
    return world


def recorder(*, role: bool, channel: bool, there: str = "") -> World:
    """A region without a recorder, or with one that is stopped or has its own role."""
    world = good()
    home = home_of(world)
    home.config["recorders"].clear()
    if there == "stopped":
        home.add_recorder(recording=False, global_types=True)
    if there == "own role":
        home.add_recorder(role=world.account().arn("iam", "role/own"), global_types=True)
    if not role:
        world.account().roles.pop(LINKED)
    if not channel:
        home.config["channels"].clear()
    return world


def manual_remediation() -> World:
    """The one remediation waits for a person."""
    world = good()
    for items in home_of(world).config["remediations"].values():
        for item in items if isinstance(items, list) else [items]:
            item["Automatic"] = False
    return world


def narrow_aggregator() -> World:
    """An aggregator of the organization that takes one region in."""
    world = good()
    world.account(ARCHIVE, regions=(HOME,))
    world.organize(ACCOUNT, (ARCHIVE,), access=("config.amazonaws.com",))
    source = {"RoleArn": world.account().arn("iam", "role/aggregate"), "AwsRegions": [OTHER]}
    add_aggregator(home_of(world), "few", OrganizationAggregationSource=source)
    return world


def suspended() -> World:
    """A detector that is off, and Macie that pauses."""
    world = good()
    home_of(world).guardduty |= {"detector": None, "destinations": {}, "filters": {}, "plans": {}}
    home_of(world).add_detector(status="DISABLED")
    home_of(world).macie2["session"]["status"] = "PAUSED"
    return world


def half_delegated() -> World:
    """A management account that delegated everything in one region of two."""
    world = good(HOME, OTHER)
    world.account(ARCHIVE, regions=(HOME, OTHER))
    world.organize(ACCOUNT, (ARCHIVE,))
    other = world.account().region(OTHER)
    for state in (other.guardduty, other.inspector2, other.macie2, other.detective, other.securityhub):
        state["org_admins"] = [ARCHIVE]
    for region in world.account(ARCHIVE).regions.values():
        region.add_hub()
    return world


def short_group() -> World:
    """A trail whose log group keeps events for a month."""
    group = f"arn:aws:logs:{HOME}:{ACCOUNT}:log-group:short:*"
    world = with_trail(CloudWatchLogsLogGroupArn=group, CloudWatchLogsRoleArn="x")
    home_of(world).add_log_group("short", 30)
    return world


def no_hub() -> World:
    """Config records, and there is no hub."""
    world = good()
    for name in ("standards", "controls"):
        home_of(world).securityhub[name].clear()
    home_of(world).securityhub |= {"hub": None, "products": []}
    return world


def controls_off(*names: str) -> World:
    """A hub with some critical controls off."""
    world = good()
    home = home_of(world)
    for name in ("standards", "controls"):
        home.securityhub[name].clear()
    home.add_hub(standards=(CIS_1,))
    [controls] = home.securityhub["controls"].values()
    controls.update(dict.fromkeys(names, "DISABLED"))
    return world


def linking(mode: str, *regions: str) -> World:
    """Two regions, and an aggregator that links these."""
    world = good(HOME, OTHER)
    fields = {"RegionLinkingMode": mode, **({"Regions": list(regions)} if regions else {})}
    home_of(world).securityhub["aggregator"] = aggregator(home_of(world), **fields)
    return world


def linking_v2(mode: str, *regions: str) -> World:
    """The same for Security Hub V2."""
    world = good(HOME, OTHER)
    fields = {"RegionLinkingMode": mode, **({"LinkedRegions": list(regions)} if regions else {})}
    home_of(world).securityhub["aggregator_v2"] = aggregator_v2(home_of(world), **fields)
    return world


def second_vpc() -> World:
    """A VPC whose names nobody logs, beside a configuration that is there."""
    world = good()
    add_config(home_of(world), "rqlc-there")
    add_vpc(home_of(world), "vpc-2", traffic="ALL")
    return world


def no_triage_role() -> World:
    """A membership that is to respond by itself, without its role."""
    world = good()
    home_of(world).responders["memberships"].clear()
    world.account().roles.pop("AWSServiceRoleForSecurityIncidentResponse_Triage")
    add_sir_membership(home_of(world), role=False)
    return world


# Each world with the checks, and the number of the fix variant, that it leads to.
WAYS: dict[str, tuple[Make, str]] = {
    "stopped trail": (
        lambda: with_trail(logging=False),
        "cloudtrail.enabled:0 cloudtrail.delivery-healthy:0",
    ),
    "trail of one region": (lambda: with_trail(HOME, OTHER, multi=False), "cloudtrail.enabled:1"),
    "key to be deleted": (lambda: lost_key(KeyState="PendingDeletion"), "cloudtrail.kms-key-usable:1"),
    "key that is gone": (lost_key, "cloudtrail.kms-key-usable:3"),
    "shut bucket": (shut_bucket, "cloudtrail.delivery-healthy:2 cloudtrail.digest-healthy:1"),
    "stopped recorder": (lambda: recorder(role=True, channel=True, there="stopped"), "config.recorder-on:0"),
    "channel without recorder": (lambda: recorder(role=True, channel=True), "config.recorder-on:2"),
    "role without channel": (lambda: recorder(role=True, channel=False), "config.recorder-on:3"),
    "channel without role": (lambda: recorder(role=False, channel=True), "config.recorder-on:4"),
    "own role": (
        lambda: recorder(role=False, channel=True, there="own role"),
        "config.service-linked-role:1",
    ),
    "manual remediation": (manual_remediation, "config.remediation:0"),
    "narrow aggregator": (narrow_aggregator, "config.aggregator:1"),
    "suspended": (suspended, "guardduty.enabled:2 macie.enabled:1"),
    "half delegated": (
        half_delegated,
        "guardduty.delegated-admin:3 securityhub.delegated-admin:2 "
        "inspector.delegated-admin:2 macie.delegated-admin:2 detective.delegated-admin:2",
    ),
    "short group": (short_group, "cloudtrail.log-group-retention:0"),
    "no hub": (no_hub, "securityhub.enabled:2"),
    "a control off": (lambda: controls_off("IAM.4"), "securityhub.critical-controls-on:2"),
    "many controls off": (
        lambda: controls_off("IAM.4", "IAM.6", "Config.1"),
        "securityhub.critical-controls-on:4",
    ),
    "no region": (lambda: linking("NO_REGIONS"), "securityhub.aggregator:1"),
    "left out": (
        lambda: linking("ALL_REGIONS_EXCEPT_SPECIFIED", OTHER, "sa-east-1"),
        "securityhub.aggregator-all-regions:0",
    ),
    "another region": (lambda: linking_v2("SPECIFIED_REGIONS", "sa-east-1"), "securityhub.v2-aggregator:1"),
    "all but one": (
        lambda: linking_v2("ALL_REGIONS_EXCEPT_SPECIFIED", OTHER),
        "securityhub.v2-aggregator:2",
    ),
    "second VPC": (second_vpc, "route53resolver.query-logs:1"),
    "no triage role": (no_triage_role, "securityincidentresponse.proactive-response:0"),
}
# What a user's file asks for beyond tests/gaps.py, where only that leads to the command.
WAY_PARAMETERS: dict[str, dict[str, dict[str, Any]]] = {
    "manual remediation": {"config.remediation": {"automatic": True}},
    "short group": {"cloudtrail.log-group-retention": {"days": 4000}},
}
# Whoever administers Security Hub CSPM administers V2, so that the fake AWS never lacks only the second. The command is
# the next one's, with an account that was read.
NOT_LED_TO = {"securityhub.v2-delegated-admin:2"}
