"""For each check a small world that has its gap: the proof of every fix begins here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.fakeaws import World
from tests.fakeaws.handlers.securityhub import aggregator
from tests.fakeaws.policies import allow_service, policy, topic_policy
from tests.fakeaws.scenarios import empty, organization, well_configured
from tests.fakeaws.world import ACCOUNT, ALL_MANAGEMENT, ARCHIVE, CIS_1, PLANS, Region, now, trail_policy
from tests.gaps_around import AROUND, RULE, only_here

HOME, OTHER = "us-east-1", "eu-west-1"
FINDINGS = {"source": ["aws.guardduty"], "detail-type": ["GuardDuty Finding"], "detail": {"severity": [8]}}
KEY = "99999999-2222-3333-4444-555555555555"


def needs(world: World, account: str = ACCOUNT) -> dict[str, str]:
    """What only its owner knows, made in the world: a log archive's buckets, a key, a topic that people hear."""
    here = world.account(account).region(HOME)
    for name in ("archive-logs", "archive-config", "archive-findings", "archive-access"):
        owner = ACCOUNT if name == "archive-access" else ARCHIVE
        world.add_bucket(
            name, owner, head={ACCOUNT}, readers={ACCOUNT}, policy=trail_policy(name, "", bound=False)
        )
    topic = here.arn("sns", "people")
    rules = allow_service(
        "events.amazonaws.com", "sns:Publish", topic, source_arn=here.arn("events", "rule/*")
    )
    here.add_topic(
        "people",
        policy=topic_policy(topic, rules),
        subscriptions=[{"Protocol": "email", "Endpoint": "soc@example.com"}],
    )
    here.add_log_group("management-events", 400)
    role = here.account.add_role("CloudTrailToLogs", "cloudtrail.amazonaws.com")
    return {
        "LOG_BUCKET": "archive-logs",
        "CONFIG_BUCKET": "archive-config",
        "FINDINGS_BUCKET": "archive-findings",
        "ACCESS_LOG_BUCKET": "archive-access",
        "PROTECTED_BUCKET": "uploads",
        "KMS_KEY_ARN": here.add_key(
            KEY,
            policy=policy(
                allow_service("events.amazonaws.com", ["kms:GenerateDataKey*", "kms:Decrypt"], "*")
            ),
        ),
        "ALERT_TOPIC_ARN": topic,
        "ALERT_EMAIL": "soc@example.com",
        "ADMIN_ACCOUNT": ARCHIVE,
        "LOG_GROUP_ARN": here.arn("logs", "log-group:management-events:*"),
        "LOG_ROLE_ARN": role,
        "REMEDIATION_ROLE_ARN": here.account.arn("iam", "role/remediate"),
        "AGGREGATOR_ROLE_ARN": here.account.arn("iam", "role/aggregate"),
        "MALWARE_ROLE_ARN": here.account.arn("iam", "role/scan"),
        "LAKE_ACCOUNT": ARCHIVE,
        "SECURITY_CONTACT_NAME": "Security",
        "SECURITY_CONTACT_TITLE": "Security operations",
        "SECURITY_CONTACT_PHONE": "+15550100",
    }


def good(*regions: str) -> World:
    """Everything on in one region, or in these."""
    return well_configured(readable=True, regions=regions or (HOME,))


def bare() -> World:
    """Nothing on."""
    return empty((HOME,))


def _with_trail(**fields: Any) -> tuple[World, Region]:
    """Everything on, but another trail."""
    world = good()
    home = world.account().region(HOME)
    home.cloudtrail["trails"].clear()
    home.add_trail("own", **fields)
    return world, home


def poor_trail() -> World:
    """A trail of one region that records some writes, plain, into a bucket of its own account that is badly kept."""
    writes = {"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True, "DataResources": []}
    world, _ = _with_trail(multi=False, bucket="own-logs", selectors=[writes])
    loose = allow_service(
        "cloudtrail.amazonaws.com", "s3:PutObject", f"arn:aws:s3:::own-logs/AWSLogs/{ACCOUNT}/*"
    )
    check = allow_service("cloudtrail.amazonaws.com", "s3:GetBucketAcl", "arn:aws:s3:::own-logs")
    world.add_bucket("own-logs", policy=policy(check, loose), public=True, lifecycle=90)
    world.account().block = None
    return world


def narrow_trail() -> World:
    """A trail that leaves KMS events out, with a log group that forgets."""
    left_out = [{**ALL_MANAGEMENT[0], "ExcludeManagementEventSources": ["kms.amazonaws.com"]}]
    group = f"arn:aws:logs:{HOME}:{ACCOUNT}:log-group:short:*"
    world, home = _with_trail(
        bucket="org-trail-logs",
        selectors=left_out,
        CloudWatchLogsLogGroupArn=group,
        CloudWatchLogsRoleArn="x",
    )
    home.add_log_group("short", 30)
    return world


def refused_trail() -> World:
    """A trail whose bucket, of the same account, does not let it in."""
    errors = {"LatestDeliveryError": "AccessDenied", "LatestDigestDeliveryError": "AccessDenied"}
    world, _ = _with_trail(bucket="own-logs", status=errors, LogFileValidationEnabled=True)
    world.add_bucket(
        "own-logs", policy=policy(allow_service("logging.s3.amazonaws.com", "s3:PutObject", "*"))
    )
    return world


def lost_bucket() -> World:
    """A trail into a bucket that is gone."""
    return _with_trail(bucket="gone")[0]


def disabled_key() -> World:
    """A trail whose key is disabled."""
    world, home = _with_trail(bucket="org-trail-logs")
    arn = home.add_key("22222222-2222-3333-4444-555555555555", KeyState="Disabled")
    home.cloudtrail["trails"]["own"]["Trail"]["KmsKeyId"] = arn
    return world


def no_delegation() -> World:
    """A management account that delegates nothing and whose trail is its own."""
    world = good()
    world.account(ARCHIVE, regions=(HOME,))
    world.organize(ACCOUNT, (ARCHIVE, "222233334444"))
    world.account(ARCHIVE).region(HOME).add_hub()
    return world


def administrator() -> World:
    """The administrator of GuardDuty and Security Hub, whose members are not all in, with nothing automatic."""
    world = organization(regions=(HOME,))
    world.default = ARCHIVE
    only_here(world.account(ARCHIVE))
    there = world.account(ARCHIVE).region(HOME)
    there.add_recorder(global_types=True)
    features = [{"Name": name, "AutoEnable": "NONE"} for name in PLANS]
    there.guardduty["org"] = {
        "AutoEnable": False,
        "AutoEnableOrganizationMembers": "NONE",
        "Features": features,
    }
    there.guardduty["members"] = {ACCOUNT: "Enabled"}
    there.securityhub["members"] = [ACCOUNT]
    return world


def poor_config() -> World:
    """A recorder of one type, once a day, with a role of its own, into a bucket of its own account, that forgets."""
    world = good()
    home = world.account().region(HOME)
    for name in ("recorders", "channels", "rules", "packs", "remediations"):
        home.config[name].clear()
    one = {
        "allSupported": False,
        "includeGlobalResourceTypes": False,
        "resourceTypes": ["AWS::S3::Bucket"],
        "recordingStrategy": {"useOnly": "INCLUSION_BY_RESOURCE_TYPES"},
    }
    home.add_recorder(group=one, frequency="DAILY", role=world.account().arn("iam", "role/own"))
    world.add_bucket("own-config")
    home.add_channel("own-config")
    home.config["retention"] = [{"Name": "default", "RetentionPeriodInDays": 30}]
    return world


def no_channel() -> World:
    """A recorder that is off, without a channel; a rule without a remediation."""
    world = good()
    home = world.account().region(HOME)
    home.config["channels"].clear()
    home.config["recorders"]["default"]["status"]["recording"] = False
    home.config["remediations"].clear()
    return world


def old_history() -> World:
    """A channel whose history is old, because no snapshot is scheduled; no conformance pack."""
    world = good()
    world.account().region(HOME).config["packs"].clear()
    channel = world.account().region(HOME).config["channels"]["default"]
    del channel["channel"]["configSnapshotDeliveryProperties"]
    channel["status"]["configSnapshotDeliveryInfo"] = {}
    last = {"lastStatus": "SUCCESS", "lastSuccessfulTime": now(hours=80)}
    channel["status"]["configHistoryDeliveryInfo"] = last
    return world


def doubled_types() -> World:
    """Both regions record the global types."""
    world = good(HOME, OTHER)
    world.account().region(OTHER).config["recorders"].clear()
    world.account().region(OTHER).add_recorder(global_types=True)
    return world


def plans_off() -> World:
    """A slow detector with everything off, a filter that hides all, no export, among busy machines."""
    world = good()
    home = world.account().region(HOME)
    home.guardduty |= {"detector": None, "destinations": {}, "filters": {}, "plans": {}}
    agents = ("EKS_ADDON_MANAGEMENT", "ECS_FARGATE_AGENT_MANAGEMENT", "EC2_AGENT_MANAGEMENT")
    home.add_detector(frequency="SIX_HOURS", off=(*PLANS, *agents))
    home.guardduty["detector"]["Features"].append({"Name": "AI_PROTECTION", "Status": "DISABLED"})
    home.add_filter("hush", {"type": {"Eq": ["UnauthorizedAccess:EC2/SSHBruteForce"]}})
    return world


def poor_hub() -> World:
    """A hub with an old benchmark, a critical control off, nothing joined, and a rule that hides everything."""
    world = good()
    world.organize(ACCOUNT, (ARCHIVE,), delegated={"securityhub.amazonaws.com": [ACCOUNT]})
    assert world.organization
    world.organization["FirewallManager"] = ARCHIVE
    home = world.account().region(HOME)
    for name in ("standards", "controls"):
        home.securityhub[name].clear()
    home.securityhub["products"] = []
    home.add_hub(
        standards=(CIS_1,), products=(), AutoEnableControls=False, ControlFindingGenerator="STANDARD_CONTROL"
    )
    [controls] = home.securityhub["controls"].values()
    controls.update(dict.fromkeys(("IAM.4", "IAM.6"), "DISABLED"))
    home.add_automation_rule("hush", {"ProductName": [{"Value": "GuardDuty", "Comparison": "EQUALS"}]})
    return world


def no_standard() -> World:
    """A hub without a standard."""
    world = good()
    home = world.account().region(HOME)
    for name in ("standards", "controls"):
        home.securityhub[name].clear()
    home.add_hub(standards=())
    return world


def apart() -> World:
    """Two regions' hubs, of both kinds, which nothing joins."""
    world = good(HOME, OTHER)
    world.account().region(HOME).securityhub |= {"aggregator": None, "aggregator_v2": None}
    return world


def listed_regions() -> World:
    """An aggregator of listed regions."""
    world = good(HOME, OTHER)
    home = world.account().region(HOME)
    home.securityhub["aggregator"] = aggregator(home, RegionLinkingMode="SPECIFIED_REGIONS", Regions=[OTHER])
    return world


def bad_rules() -> World:
    """A rule that never matches, one without a target, one whose targets are gone, and an open bus."""
    world = good()
    home = world.account().region(HOME)
    topic = home.add_topic("alerts", subscriptions=[{"Protocol": "email", "Endpoint": "soc@example.com"}])
    quoted = {**FINDINGS, "detail": {"severity": ["8"]}}
    bus = home.arn("events", "event-bus/default")
    anyone = {
        "Sid": "Open",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "events:PutEvents",
        "Resource": bus,
    }
    home.add_bus("default", policy=policy(anyone))
    home.add_event_rule("quoted", pattern=quoted, targets=[topic])
    home.add_event_rule("idle", pattern=FINDINGS)
    home.add_event_rule("lost", pattern=FINDINGS, targets=[home.arn("sns", "deleted")])
    return world


def bad_topic() -> World:
    """A topic that anyone may publish to, which nobody has confirmed to hear."""
    world = good()
    home = world.account().region(HOME)
    topic = home.arn("sns", "alerts")
    anyone = {"Sid": "Open", "Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": topic}
    waiting = {"Protocol": "email", "Endpoint": "new@example.com", "PendingConfirmation": "true"}
    home.add_topic("alerts", policy=topic_policy(topic, anyone), subscriptions=[waiting])
    home.add_event_rule("findings", pattern=FINDINGS, targets=[topic])
    return world


def bad_alarms() -> World:
    """Alarms on a trail's metric that want five events and are switched off."""
    world = good()
    home = world.account().region(HOME)
    pattern = '{ $.userIdentity.type = "Root" && $.eventType != "AwsServiceEvent" }'
    home.add_metric_filter("cloudtrail", "root", pattern, "Root")
    topic = home.add_topic("alerts", subscriptions=[{"Protocol": "email", "Endpoint": "soc@example.com"}])
    home.add_alarm("root", "Root", threshold=5, actions=[topic], enabled=False)
    return world


# The check ids, in short, that each world proves; "signal" stands for every signal.
GAPS: dict[str, tuple[Callable[[], World], str]] = {
    "bare": (
        bare,
        "cloudtrail.enabled cloudtrail.multi-region config.recorder-on guardduty.enabled securityhub.enabled "
        "securityhub.v2-enabled inspector.enabled macie.enabled accessanalyzer.external-access "
        "accessanalyzer.unused-access detective.enabled account.security-contact vpc.flow-logs "
        "route53resolver.query-logs",
    ),
    "poor trail": (
        poor_trail,
        "cloudtrail.management-events cloudtrail.log-validation cloudtrail.kms-encryption cloudtrail.cloudwatch-logs "
        "cloudtrail.bucket-separate-account cloudtrail.bucket-not-public cloudtrail.bucket-source-restricted "
        "cloudtrail.bucket-access-logging cloudtrail.bucket-retention cloudtrail.s3-data-events-write "
        "cloudtrail.s3-data-events-read cloudtrail.lambda-data-events cloudtrail.insights",
    ),
    "narrow trail": (narrow_trail, "cloudtrail.no-excluded-sources cloudtrail.log-group-retention"),
    "refused trail": (refused_trail, "cloudtrail.delivery-healthy cloudtrail.digest-healthy"),
    "lost bucket": (lost_bucket, "cloudtrail.bucket-exists"),
    "disabled key": (disabled_key, "cloudtrail.kms-key-usable"),
    "no delegation": (
        no_delegation,
        "cloudtrail.organization-trail cloudtrail.delegated-admin config.delegated-admin config.aggregator "
        "guardduty.delegated-admin securityhub.delegated-admin",
    ),
    "administrator": (
        administrator,
        "guardduty.auto-enable-members guardduty.auto-enable-plans guardduty.members-enabled "
        "securityhub.members-enabled",
    ),
    "poor config": (
        poor_config,
        "config.all-resource-types config.continuous-recording config.service-linked-role "
        "config.bucket-separate-account config.retention config.rules-present",
    ),
    "no channel": (no_channel, "config.delivery-channel config.remediation"),
    "old history": (old_history, "config.delivery-healthy config.conformance-packs"),
    "doubled types": (doubled_types, "config.global-types-once"),
    "plans off": (
        plans_off,
        "guardduty.s3-protection guardduty.eks-audit-logs guardduty.ebs-malware-protection "
        "guardduty.rds-login-events guardduty.lambda-network-logs guardduty.runtime-monitoring guardduty.eks-agent "
        "guardduty.ecs-agent guardduty.ec2-agent guardduty.ai-protection guardduty.s3-malware-protection "
        "guardduty.finding-frequency guardduty.publishing-destination guardduty.suppression-filters",
    ),
    "poor hub": (
        poor_hub,
        "securityhub.standard-fsbp securityhub.standard-cis securityhub.auto-enable-controls "
        "securityhub.consolidated-findings securityhub.critical-controls-on securityhub.integration-guardduty "
        "securityhub.integration-config securityhub.integration-inspector securityhub.integration-macie "
        "securityhub.integration-firewall-manager securityhub.integration-access-analyzer "
        "securityhub.automation-rules-safe",
    ),
    "no standard": (
        no_standard,
        "securityhub.standards-ready securityhub.required-standards securityhub.standard-ai",
    ),
    "apart": (apart, "securityhub.aggregator securityhub.v2-aggregator"),
    "listed regions": (listed_regions, "securityhub.aggregator-all-regions"),
    "bad rules": (
        bad_rules,
        "eventbridge.rules-match eventbridge.rules-have-targets eventbridge.targets-exist eventbridge.bus-not-public",
    ),
    "bad topic": (bad_topic, "sns.topic-not-public"),
    "bad alarms": (bad_alarms, "alarms.can-notify alarms.can-ring"),
    "nobody hears": (good, "signal"),
    **AROUND,
}
# What a user's file asks for, where a check asks for nothing by itself.
PARAMETERS: dict[str, dict[str, Any]] = {
    "securityhub.required-standards": {"standards": [CIS_1]},
    "config.required-rules": {"identifiers": [RULE]},
}
