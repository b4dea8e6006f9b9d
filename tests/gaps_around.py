"""For each check of the services around the four, and of what joined them since, a small world that has its gap."""

from __future__ import annotations

from collections.abc import Callable

from tests.fakeaws import World
from tests.fakeaws.handlers.securityir import add_sir_membership
from tests.fakeaws.handlers.securitylake import add_lake
from tests.fakeaws.handlers.vpc import add_vpc
from tests.fakeaws.scenarios import organization, well_configured
from tests.fakeaws.world import ACCOUNT, ARCHIVE, Account, Region, now

HOME = "us-east-1"
RULE = "SECURITYHUB_ENABLED"


def _good() -> tuple[World, Region]:
    world = well_configured(readable=True, regions=(HOME,))
    return world, world.account().region(HOME)


def unsearchable_trail() -> World:
    """A trail of all regions that delivers to no log group, under a key that never rotates."""
    world, home = _good()
    home.cloudtrail["trails"].clear()
    key = home.add_key("33333333-2222-3333-4444-555555555555", rotation=False)
    home.add_trail("own", bucket="org-trail-logs", KmsKeyId=key, LogFileValidationEnabled=True)
    return world


def narrow_recorder() -> World:
    """A recorder of one type, with a rule that judges another, one that has not run for long, and one missing."""
    world, home = _good()
    home.config["recorders"].clear()
    group = {
        "allSupported": False,
        "includeGlobalResourceTypes": False,
        "resourceTypes": ["AWS::S3::Bucket"],
        "recordingStrategy": {"useOnly": "INCLUSION_BY_RESOURCE_TYPES"},
    }
    home.add_recorder(group=group)
    change = {"EventSource": "aws.config", "MessageType": "ConfigurationItemChangeNotification"}
    source = {"Owner": "CUSTOM_POLICY", "SourceDetails": [change]}
    scope = {"ComplianceResourceTypes": ["AWS::EC2::Instance"]}
    home.add_rule("machines", Source=source, Scope=scope)
    home.add_rule("late", "CLOUD_TRAIL_ENABLED", MaximumExecutionFrequency="One_Hour")
    home.config["evaluation"]["late"]["LastSuccessfulInvocationTime"] = now(hours=60)
    return world


def idle_inspector() -> World:
    """Inspector looks at code repositories, and at nothing that runs here."""
    world, home = _good()
    home.inspector2["status"] = {"codeRepository": "ENABLED"}
    return world


def quiet_macie() -> World:
    """Macie is on, looks for nothing by itself, tells nobody, and keeps nothing."""
    world, home = _good()
    home.macie2 |= {
        "discovery": ["DISABLED", "NONE"],
        "publication": {"publishPolicyFindings": False, "publishClassificationFindings": False},
        "export": None,
    }
    return world


def own_export() -> World:
    """Macie's results stay in the account that they describe."""
    world, home = _good()
    world.add_bucket("own-results")
    home.macie2["export"] = {"bucketName": "own-results", "kmsKeyArn": home.arn("kms", "key/k")}
    return world


def dry_lake() -> World:
    """A security data lake of web traffic, and a VPC that logs what it rejects."""
    world, home = _good()
    add_lake(home, sources=("WAF",))
    add_vpc(home, "vpc-2", traffic="REJECT", queries=True)
    return world


def only_here(account: Account) -> None:
    """The account has no region but one: walks of all are dear, and prove the same."""
    account.regions = {HOME: account.region(HOME)}


def nothing_automatic() -> World:
    """The account that administers the services around the four; accounts are left out, and none joins by itself."""
    world = organization(regions=(HOME,))
    world.default = ARCHIVE
    only_here(world.account(ARCHIVE))
    there = world.account(ARCHIVE).region(HOME)
    there.add_recorder(global_types=True)
    there.inspector2["org"] = {
        "autoEnable": {"ec2": False, "ecr": True, "lambda": False, "codeRepository": False}
    }
    there.inspector2["members"].pop(ACCOUNT)
    there.macie2 |= {"org": {"autoEnable": False}, "discovery": ["ENABLED", "NONE"]}
    there.macie2["members"][ACCOUNT] = "Paused"
    there.detective["auto_enable"] = False
    there.accessanalyzer["analyzers"].clear()
    add_lake(there, ARCHIVE, ACCOUNT, "222233334444", auto=("WAF",))
    there.responders["memberships"].clear()
    there.account.roles.pop("AWSServiceRoleForSecurityIncidentResponse_Triage")
    add_sir_membership(there, triage=False, role=False, whole=False)
    return world


def no_membership() -> World:
    """A management account that delegates nothing, in which Security Incident Response is not set up either."""
    world, home = _good()
    world.account(ARCHIVE, regions=(HOME,))
    world.organize(ACCOUNT, (ARCHIVE,))
    home.responders["memberships"].clear()
    return world


# The check ids, in short, that each world proves, as in tests/gaps.py.
AROUND: dict[str, tuple[Callable[[], World], str]] = {
    "unsearchable trail": (
        unsearchable_trail,
        "cloudtrail.kms-key-rotation cloudtrail.searchable-deletions cloudtrail.searchable-access "
        "cloudtrail.searchable-iam-changes",
    ),
    "narrow recorder": (
        narrow_recorder,
        "config.required-types config.rules-can-evaluate config.rules-healthy config.required-rules",
    ),
    "idle inspector": (
        idle_inspector,
        "inspector.ec2-scanning inspector.ecr-scanning inspector.lambda-scanning inspector.lambda-code-scanning",
    ),
    "quiet macie": (
        quiet_macie,
        "macie.automated-discovery macie.publishes-policy-findings macie.publishes-classification-findings "
        "macie.classification-export",
    ),
    "own export": (own_export, "macie.export-separate-account"),
    "dry lake": (dry_lake, "securitylake.log-sources vpc.flow-logs-accepted"),
    "nothing automatic": (
        nothing_automatic,
        "inspector.auto-enable-members inspector.members-enabled macie.auto-enable-members "
        "macie.auto-enable-discovery macie.members-enabled detective.auto-enable-members "
        "accessanalyzer.organization-analyzer securitylake.auto-enable "
        "securityincidentresponse.proactive-response securityincidentresponse.covers-organization",
    ),
    "no membership": (
        no_membership,
        "securityincidentresponse.delegated-admin securitylake.delegated-admin firewallmanager.administrator "
        "inspector.delegated-admin macie.delegated-admin detective.delegated-admin accessanalyzer.delegated-admin "
        "organizations.service-access securityhub.v2-delegated-admin",
    ),
}
