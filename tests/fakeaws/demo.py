"""The demo's account: the management account of an organization, well set up once and left alone since."""

from __future__ import annotations

from .faults import SCP, Fault
from .handlers.securityhub import aggregator
from .responding import respond
from .scenarios import organization
from .world import CIS_3, FSBP, Account, Json, World

HOME = "us-east-1"


def demo() -> World:
    """Some twenty gaps of every kind, a region closed by a policy, and calls that the role may not make."""
    world = organization(members=("222233334444", "333344445555"))
    account = respond(world).account()
    account.aliases = ["acme-production"]
    _trail(world, account)
    _config(account)
    _guardduty(account)
    _securityhub(account)
    _response(account)
    world.faults += [
        Fault(region="sa-east-1", message=SCP, status=403),
        Fault(service="events", operation="ListRules", region="ap-northeast-1"),
        Fault(service="securityhub", operation="ListAutomationRules", region="eu-west-3"),
    ]
    return world


def _trail(world: World, account: Account) -> None:
    """Delivering, and thinner than it was: no reads of objects, no Insights, logs for three months."""
    home = account.region(HOME)
    trail = home.cloudtrail["trails"]["main"]
    trail["InsightSelectors"] = []
    for item in trail["AdvancedEventSelectors"]:
        if item["Name"] == "AWS::S3::Object":
            item["FieldSelectors"].append({"Field": "readOnly", "Equals": ["false"]})
    home.logs["groups"]["cloudtrail"]["retentionInDays"] = 90
    bucket = world.buckets["org-trail-logs"]
    bucket["logging"] = None
    bucket["lock"] = None
    assert world.organization is not None
    world.organization["Delegated"].pop("cloudtrail.amazonaws.com", None)


def _config(account: Account) -> None:
    """Stopped in one region, daily in another, undelivered in a third, narrowed in a fourth."""
    account.region("us-west-1").config["recorders"]["default"]["status"]["recording"] = False
    account.region("eu-west-2").config["recorders"]["default"]["recorder"]["recordingMode"] = {
        "recordingFrequency": "DAILY",
        "recordingModeOverrides": [],
    }
    late = account.region("ap-southeast-1")
    late.config["channels"].clear()
    late.add_channel("org-config-logs", status="FAILURE")
    narrow = account.region("ca-central-1").config["recorders"]["default"]["recorder"]
    narrow["recordingGroup"] = {
        "allSupported": False,
        "includeGlobalResourceTypes": False,
        "resourceTypes": [],
        "exclusionByResourceTypes": {"resourceTypes": ["AWS::EC2::NetworkInterface"]},
        "recordingStrategy": {"useOnly": "EXCLUSION_BY_RESOURCE_TYPES"},
    }


def _guardduty(account: Account) -> None:
    """Off where nobody looks, plans off beside their workloads, a filter that hides too much, a dead export.

    The management account itself was never enrolled with the security account.
    """
    for region in account.regions.values():
        region.guardduty["admin"] = region.securityhub["admin"] = None
    for name in ("ap-northeast-3", "ap-south-1"):
        account.region(name).guardduty["detector"] = None
    stockholm = account.region("eu-north-1")
    stockholm.workloads |= {"eks": ["checkout"], "db_clusters": ["orders"]}
    for feature in stockholm.guardduty["detector"]["Features"]:
        if feature["Name"] in ("EKS_AUDIT_LOGS", "RDS_LOGIN_EVENTS"):
            feature["Status"] = "DISABLED"
    account.region("us-west-2").add_filter("noise from the build farm", {"type": {"Eq": [_MINING]}})
    account.region("eu-central-1").guardduty["destinations"].clear()
    account.region("eu-central-1").add_destination(
        "org-findings", status="UNABLE_TO_PUBLISH_FIX_DESTINATION_PROPERTY"
    )
    account.region("eu-west-1").guardduty["findings"] = [_finding()]


_MINING = "CryptoCurrency:EC2/BitcoinTool.B!DNS"


def _finding() -> Json:
    return {
        "Id": "f" * 32,
        "AccountId": "111122223333",
        "Arn": "arn:aws:guardduty:eu-west-1:111122223333:detector/d/finding/f",
        "CreatedAt": "2026-11-20T04:11:00Z",
        "Region": "eu-west-1",
        "Resource": {},
        "SchemaVersion": "2.0",
        "Service": {"Archived": False},
        "Severity": 8.0,
        "Type": "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS",
        "UpdatedAt": "2026-11-20T04:11:00Z",
    }


def _securityhub(account: Account) -> None:
    """Off in one region, a standard that cannot run in another, findings of one product not taken."""
    account.region("eu-west-3").securityhub["products"] = []
    off = account.region("ap-northeast-2").securityhub
    off["hub"], off["standards"], off["products"] = None, {}, []
    half = account.region("us-east-2")
    half.securityhub["standards"] = {}
    half.add_standard(FSBP)
    half.add_standard(CIS_3, status="INCOMPLETE", reason="NO_AVAILABLE_CONFIGURATION_RECORDER")
    home = account.region(HOME)
    linked = {"RegionLinkingMode": "SPECIFIED_REGIONS", "Regions": ["eu-west-1", "eu-central-1"]}
    home.securityhub["aggregator"] = aggregator(home, **linked)


def _response(account: Account) -> None:
    """A pattern that ends at 8.9, an alarm without actions, a rule that somebody switched off."""
    home = account.region(HOME)
    rules = home.events["buses"]["default"]["rules"]
    rules["guardduty-findings"]["rule"]["EventPattern"] = (
        '{"source": ["aws.guardduty"], "detail-type": ["GuardDuty Finding"],'
        ' "detail": {"severity": [{"numeric": [">=", 4, "<=", 8.9]}]}}'
    )
    rules["securityhub-findings"]["rule"]["State"] = "DISABLED"
    home.cloudwatch["metric"]["OrganizationsChanges"]["AlarmActions"] = []
    home.cloudwatch["metric"]["KeyDisabledOrDeleted"]["ActionsEnabled"] = False
    account.region("eu-west-2").events["buses"]["default"]["rules"]["forward-security"]["targets"] = {}
