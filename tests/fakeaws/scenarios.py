"""Ready worlds: nothing on, everything right, and gaps of many kinds."""

from __future__ import annotations

from collections.abc import Callable

from .faults import SCP, Fault
from .handlers.accessanalyzer import analyzer
from .handlers.config import add_aggregator, add_organization_pack, add_organization_rule
from .handlers.detective import graph
from .handlers.firewallmanager import add_policy
from .handlers.macie import session as macie_session
from .handlers.securityhub import aggregator, aggregator_v2, hub_v2
from .handlers.securityir import add_sir_membership
from .handlers.securitylake import add_lake
from .handlers.vpc import add_query_logs, add_vpc
from .responding import respond
from .world import ACCOUNT, AI, ARCHIVE, CIS_3, FSBP, REGIONS, Account, Json, Region, World, trail_policy

BLOCK = dict.fromkeys(
    ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
)
PRODUCTS = ("guardduty", "config", "inspector", "macie", "firewall-manager", "access-analyzer", "health")
SCANS = ("ec2", "ecr", "lambda", "lambdaCode")
# Service principals of those whom one account administers, beside those that run_adjacent delegates.
ADMINISTERED = tuple(
    f"{item}.amazonaws.com"
    for item in (
        *("cloudtrail", "config", "guardduty", "securityhub", "config-multiaccountsetup"),
        *("access-analyzer", "detective", "inspector2", "macie"),
    )
)
_HOME = "us-east-1"


def selectors_of_everything() -> list[Json]:
    """Advanced selectors: management, S3 objects and Lambda calls."""

    def data(kind: str) -> Json:
        fields = {"eventCategory": "Data", "resources.type": kind}
        return {"Name": kind, "FieldSelectors": [{"Field": f, "Equals": [v]} for f, v in fields.items()]}

    management = {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}
    return [{"Name": "Management", **management}, data("AWS::S3::Object"), data("AWS::Lambda::Function")]


def empty(regions: tuple[str, ...] = REGIONS) -> World:
    """One account in which nothing is on; the default VPC of one region is there."""
    world = World()
    account = world.account(regions=regions)
    account.phone = "UNVERIFIED"
    add_vpc(account.region(_HOME), IsDefault=True)
    return world


def well_configured(*, readable: bool = False, regions: tuple[str, ...] = REGIONS) -> World:
    """A standalone account without a gap. Its trail's bucket is a log archive's: HeadBucket answers 200,
    settings are refused unless `readable`."""
    world = World()
    account = world.account(regions=regions)
    account.aliases, account.block = ["prod"], dict(BLOCK)
    furnish_contacts(account)
    add_vpc(account.region(_HOME), traffic="ALL", queries=True, interfaces=1)
    add_sir_membership(account.region(_HOME))
    furnish_trail(world, account, readable)
    home = account.region(_HOME)
    home.workloads |= {"eks": ["prod"], "ecs": ["web"], "functions": ["api"], "db_clusters": ["orders"]}
    home.workloads["ecr"] = ["web"]
    home.ec2["instances"] = ["i-1"]
    world.add_bucket("uploads", block=dict(BLOCK))
    home.add_plan("uploads")
    for region in account.regions.values():
        furnish_config(account, region.name)
        region.add_detector()
        region.add_destination("org-findings")
        region.add_hub(standards=(FSBP, CIS_3, AI), products=PRODUCTS)
        region.securityhub["v2"] = hub_v2(region)
        add_lake(region)
        furnish_scans(region)
        furnish_macie(region)
        region.accessanalyzer["analyzers"].append(analyzer(region))
        region.detective["graphs"] = [graph(region)]
        if region is home:
            region.accessanalyzer["analyzers"] += [
                analyzer(region, "unused", "ACCOUNT_UNUSED_ACCESS"),
                analyzer(region, "internal", "ACCOUNT_INTERNAL_ACCESS"),
            ]
            region.securityhub["aggregator"] = aggregator(region)
            region.securityhub["aggregator_v2"] = aggregator_v2(region)
    return world


def furnish_macie(region: Region) -> None:
    """Macie on, discovering, publishing, and keeping its results in the log archive."""
    region.macie2 |= {
        "session": macie_session(region),
        "discovery": ["ENABLED", "ALL"],
        "publication": {"publishPolicyFindings": True, "publishClassificationFindings": True},
        "export": {"bucketName": "org-findings", "kmsKeyArn": f"arn:aws:kms:{region.name}:{ARCHIVE}:key/k"},
    }


def furnish_contacts(account: Account) -> None:
    """People whom AWS calls about security, operations and billing."""
    person = {
        "Name": "SOC",
        "Title": "Security",
        "EmailAddress": "soc@example.com",
        "PhoneNumber": "+15550100",
    }
    for kind in ("SECURITY", "OPERATIONS", "BILLING"):
        account.contacts[kind] = {"AlternateContactType": kind, **person}


def furnish_trail(world: World, account: Account, readable: bool, *, bucket: str = "org-trail-logs") -> None:
    """A trail of everything at home, with its group, its key, and the log archive's buckets."""
    home = account.region(_HOME)
    home.add_log_group("cloudtrail", 400)
    arn = home.add_trail(
        "main",
        bucket=bucket,
        advanced=selectors_of_everything(),
        insights=("ApiCallRateInsight", "ApiErrorRateInsight"),
        KmsKeyId=home.add_key(),
        LogFileValidationEnabled=True,
        CloudWatchLogsLogGroupArn=home.arn("logs", "log-group:cloudtrail:*"),
        CloudWatchLogsRoleArn=account.arn("iam", "role/CloudTrailToLogs"),
    )
    rules = [{"ID": "keep", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 2557}}]
    sse: Json = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": home.arn("kms", "key/1")}
    world.add_bucket(
        bucket,
        ARCHIVE,
        head={account.id},
        readers={account.id} if readable else set(),
        policy=trail_policy(bucket, arn),
        block=dict(BLOCK),
        versioning="Enabled",
        lock={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 365}},
        },
        logging="org-access-logs",
        lifecycle=rules,
        encryption=[{"ApplyServerSideEncryptionByDefault": sse, "BucketKeyEnabled": True}],
    )
    for name in ("org-config-logs", "org-findings", "org-access-logs"):
        world.add_bucket(name, ARCHIVE, head={account.id}, block=dict(BLOCK))


def furnish_config(account: Account, name: str) -> None:
    """Config with all that it can have in a region, delivering to the log archive's bucket."""
    region = account.region(name)
    region.add_recorder(global_types=name == _HOME)
    region.add_channel("org-config-logs")
    region.add_rule("cloudtrail-enabled", "CLOUD_TRAIL_ENABLED", MaximumExecutionFrequency="TwentyFour_Hours")
    scope = {"ComplianceResourceTypes": ["AWS::S3::Bucket"]}
    region.add_rule("s3-bucket-public-read-prohibited", "S3_BUCKET_PUBLIC_READ_PROHIBITED", Scope=scope)
    region.add_rule(
        "securityhub-iam-root", "IAM_ROOT_ACCESS_KEY_CHECK", CreatedBy="securityhub.amazonaws.com"
    )
    region.add_pack()
    region.add_remediation("s3-bucket-public-read-prohibited")
    region.config["executions"]["s3-bucket-public-read-prohibited"] = [
        {"ResourceKey": {"resourceType": "AWS::S3::Bucket", "resourceId": "b"}, "State": "SUCCEEDED"}
    ]
    region.config["retention"] = [{"Name": "default", "RetentionPeriodInDays": 2557}]
    region.config["counts"] = {"AWS::IAM::Role": 20, "AWS::S3::Bucket": 4}
    if name == _HOME:
        sources = [{"AccountIds": [account.id], "AllAwsRegions": True}]
        add_aggregator(region, "all", AccountAggregationSources=sources)


def organization(
    *,
    members: tuple[str, ...] = ("222233334444",),
    admin: str = ARCHIVE,
    regions: tuple[str, ...] = REGIONS,
) -> World:
    """The default account manages an organization; `admin` is delegated for everything; members are empty."""
    world = well_configured(readable=True, regions=regions)
    world.organize(
        ACCOUNT,
        (admin, *members),
        access=ADMINISTERED,
        delegated={name: [admin] for name in ADMINISTERED},
    )
    account, delegate = world.account(), world.account(admin)
    for name, region in account.regions.items():
        run_neighbours(region, delegate.region(name), (ACCOUNT, *members))
        region.guardduty["org_admins"] = region.securityhub["org_admins"] = [admin]
        region.guardduty["admin"] = region.securityhub["admin"] = admin
        there = delegate.region(name)
        there.add_detector()
        there.guardduty["members"] = dict.fromkeys((ACCOUNT, *members), "Enabled")
        there.add_hub()
        there.securityhub["members"] = [ACCOUNT, *members]
    account.region(_HOME).responders["memberships"].clear()
    run_adjacent(world, delegate, (ACCOUNT, admin, *members))
    assert world.organization
    everywhere = '{"securityhub":{"enable_in_regions":["ALL_SUPPORTED"],"disable_in_regions":[]}}'
    world.organization["Effective"][(ACCOUNT, "SECURITYHUB_POLICY")] = everywhere
    trail = account.region(_HOME).cloudtrail["trails"]["main"]["Trail"]
    trail["IsOrganizationTrail"] = True
    add_organization_pack(account.region(_HOME), "baseline")
    add_organization_rule(account.region(_HOME), "trails")
    return world


def run_adjacent(
    world: World, delegate: Account, accounts: tuple[str, ...], *, lake: Account | None = None
) -> None:
    """The delegated administrator runs Security Incident Response, Firewall Manager and, unless `lake` does, Security
    Lake, for all these accounts."""
    org = world.organization
    assert org is not None
    keeper = lake or delegate
    for service, admin in (("securitylake", keeper), ("security-ir", delegate), ("fms", delegate)):
        name = f"{service}.amazonaws.com"
        org["Access"].append(name)
        org["Delegated"][name] = [admin.id]
    for region in keeper.regions.values():
        add_lake(region, *accounts)
    add_sir_membership(delegate.region(_HOME))
    org["FirewallManager"] = delegate.id
    add_policy(delegate.region(_HOME))


def run_neighbours(here: Region, there: Region, members: tuple[str, ...]) -> None:
    """What the administrator of Inspector, Macie, Detective and Access Analyzer has on in a region, `here` being the
    management account's; it turns new members on."""
    admin = there.account.id
    furnish_scans(there)
    there.accessanalyzer["analyzers"] = [
        analyzer(there, "external", "ORGANIZATION"),
        analyzer(there, "unused", "ORGANIZATION_UNUSED_ACCESS"),
        analyzer(there, "internal", "ORGANIZATION_INTERNAL_ACCESS"),
    ]
    here.inspector2["org_admins"] = [admin]
    there.inspector2["members"] = dict.fromkeys(members, "ENABLED")
    there.inspector2["org"] = {"autoEnable": dict.fromkeys(SCANS, True)}
    here.macie2["org_admins"] = here.detective["org_admins"] = [admin]
    furnish_macie(there)
    there.macie2 |= {"members": dict.fromkeys(members, "Enabled"), "org": {"autoEnable": True}}
    there.detective |= {
        "graphs": [graph(there)],
        "members": dict.fromkeys(members, "ENABLED"),
        "auto_enable": True,
    }
    join_neighbours(here, admin)


def join_neighbours(here: Region, admin: str) -> None:
    """The region's account is a member of Macie's and Detective's administrator."""
    here.macie2["admin"] = admin
    here.detective |= {"graphs": [], "invitations": {admin: "ENABLED"}}


def furnish_scans(region: Region) -> None:
    """Inspector scans all that it can."""
    region.inspector2["status"] = dict.fromkeys(SCANS, "ENABLED")


def responding() -> World:
    """The readable archive's account, in which every signal of every region reaches someone."""
    return respond(well_configured(readable=True))


def mixed() -> World:
    """Gaps of many kinds: see the functions below, one for each service; sa-east-1 is denied by an SCP."""
    world = World()
    account = world.account()
    account.aliases = ["staging"]
    _bad_trails(world, account)
    _bad_config(world, account)
    _bad_guardduty(account)
    _bad_securityhub(account)
    _bad_logs(account)
    _bad_neighbours(account)
    world.faults.append(Fault(region="sa-east-1", message=SCP, status=403))
    return world


def _bad_trails(world: World, account: Account) -> None:
    """A single-region trail without KMS events, a write-only one, a dead one, one with a failing delivery."""
    home = account.region(_HOME)
    home.add_log_group("trail", 30)
    objects = [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]
    basic = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": objects}
    main = home.add_trail(
        "main",
        multi=False,
        IncludeGlobalServiceEvents=True,
        CloudWatchLogsLogGroupArn=home.arn("logs", "log-group:trail:*"),
        CloudWatchLogsRoleArn=account.arn("iam", "role/trail"),
        selectors=[{**basic, "ExcludeManagementEventSources": ["kms.amazonaws.com"]}],
    )
    world.add_bucket("trail-logs", policy=trail_policy("trail-logs", main, bound=False), lifecycle=90)
    ireland = account.region("eu-west-1")
    write_only = {"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True, "DataResources": []}
    writes = ireland.add_trail("writes", multi=False, bucket="writes-logs", selectors=[write_only])
    group = {
        "Grantee": {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"},
        "Permission": "READ",
    }
    policy = trail_policy("writes-logs", writes)
    world.add_bucket("writes-logs", region="eu-west-1", policy=policy, public=True, acl=[group])
    account.region("eu-central-1").add_trail("old", multi=False, bucket="deleted-long-ago", logging=False)
    mumbai = account.region("ap-south-1")
    mumbai.add_trail(
        "mumbai",
        multi=False,
        KmsKeyId=mumbai.add_key(
            "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", KeyState="PendingDeletion", rotation=False
        ),
        LogFileValidationEnabled=True,
        status={"LatestDeliveryError": "KMS.DisabledException"},
    )
    account.region("us-west-2").add_store("lake")


def _bad_config(world: World, account: Account) -> None:
    """Recording right in us-east-1, partial, daily, stopped or undelivered elsewhere, off in the rest."""
    world.add_bucket("config-logs")
    for name in (_HOME, "us-east-2", "us-west-2", "eu-west-1", "eu-central-1"):
        account.region(name).add_channel(
            "config-logs", status="FAILURE" if name == "eu-west-1" else "SUCCESS"
        )
    account.region(_HOME).add_recorder(global_types=True)
    account.region("us-east-2").add_recorder(recording=False)
    account.region("us-west-2").add_recorder(frequency="DAILY")
    account.region("eu-west-1").add_recorder(last_status="FAILURE")
    only_s3 = {
        "allSupported": False,
        "includeGlobalResourceTypes": False,
        "resourceTypes": ["AWS::S3::Bucket"],
        "recordingStrategy": {"useOnly": "INCLUSION_BY_RESOURCE_TYPES"},
    }
    account.region("eu-central-1").add_recorder(group=only_s3)
    linked = account.region("eu-west-2")
    principal = "resource-explorer-2.amazonaws.com"
    linked.add_recorder(
        "AWSConfigurationRecorderForResourceExplorer", servicePrincipal=principal, recordingScope="INTERNAL"
    )
    home = account.region(_HOME)
    home.add_rule("securityhub-x", "IAM_ROOT_ACCESS_KEY_CHECK", CreatedBy="securityhub.amazonaws.com")
    home.add_rule(
        "s3-bucket-public-read-prohibited", "S3_BUCKET_PUBLIC_READ_PROHIBITED", compliance="NON_COMPLIANT"
    )
    home.add_remediation("s3-bucket-public-read-prohibited", automatic=False)
    home.add_pack("broken", state="CREATE_FAILED")


def _bad_guardduty(account: Account) -> None:
    """Good in us-east-1 but slow and unexported, plans off, suspended, a broken export; off in the rest."""
    account.region(_HOME).add_detector(frequency="SIX_HOURS")
    account.region("eu-west-1").add_detector(off=("RDS_LOGIN_EVENTS", "RUNTIME_MONITORING"))
    account.region("eu-west-1").workloads |= {"eks": ["prod"], "functions": ["api"], "db_instances": ["db"]}
    account.region("us-west-2").add_detector(status="DISABLED")
    central = account.region("eu-central-1")
    central.add_detector(missing=("LAMBDA_NETWORK_LOGS",))
    central.add_destination(status="UNABLE_TO_PUBLISH_FIX_DESTINATION_PROPERTY")
    central.add_filter("hush", {"severity": {"Gte": 1}})


def _bad_securityhub(account: Account) -> None:
    """Standards incomplete or missing, no integrations, an aggregation of listed regions; off in the rest."""
    home = account.region(_HOME)
    home.add_hub(products=("guardduty",))
    linked = {"RegionLinkingMode": "SPECIFIED_REGIONS", "Regions": ["eu-west-1"]}
    home.securityhub["aggregator"] = aggregator(home, **linked)
    arn = next(iter(home.securityhub["controls"]))
    home.securityhub["controls"][arn]["CloudTrail.1"] = "DISABLED"
    account.region("eu-west-1").add_hub(standards=(), AutoEnableControls=False)
    account.region("us-west-2").add_hub(standards=(FSBP,), ControlFindingGenerator="STANDARD_CONTROL")
    east = account.region("us-east-2")
    east.add_hub(standards=())
    east.add_standard(CIS_3, status="INCOMPLETE", reason="NO_AVAILABLE_CONFIGURATION_RECORDER")


def _bad_logs(account: Account) -> None:
    """VPCs that log all, what they reject, into a wall, and nothing; a lake without DNS logs, and a stuck one."""
    ireland = account.region("eu-west-1")
    add_vpc(account.region(_HOME), traffic="ALL", queries=True, interfaces=2)
    add_vpc(ireland, "vpc-rejects", traffic="REJECT", interfaces=1)
    stuck = {"DeliverLogsStatus": "FAILED", "DeliverLogsErrorMessage": "Access error"}
    add_vpc(ireland, "vpc-stuck", traffic="ALL", log=stuck, interfaces=1)
    add_query_logs(ireland, "vpc-stuck", Status="ACTION_NEEDED", Error="ACCESS_DENIED")
    add_vpc(account.region("us-west-2"), IsDefault=True)
    add_sir_membership(ireland, triage=False)
    add_lake(account.region(_HOME), sources=("CLOUD_TRAIL_MGMT", "VPC_FLOW"))
    add_lake(ireland, updateStatus={"status": "FAILED", "exception": {"reason": "AccessDenied"}})


def _bad_neighbours(account: Account) -> None:
    """Inspector scans machines but not images, Macie keeps all to itself; suspended elsewhere, or off."""
    home = account.region(_HOME)
    home.workloads["ecr"] = ["web"]
    home.ec2["instances"] = ["i-1"]
    home.inspector2["status"] = {"ec2": "ENABLED", "lambda": "ENABLING", "lambdaCode": None}
    account.region("eu-west-1").inspector2["status"] = {"ec2": "SUSPENDED"}
    home.macie2 |= {
        "session": macie_session(home),
        "export": {"bucketName": "trail-logs", "kmsKeyArn": home.arn("kms", "key/k")},
    }
    home.detective["invitations"] = {"666666666666": "INVITED"}
    home.accessanalyzer["analyzers"] = [analyzer(home, "dead", status="DISABLED")]
    west = account.region("us-west-2")
    west.accessanalyzer["analyzers"] = [analyzer(west)]
    west.macie2["session"] = macie_session(west, "PAUSED")


SCENARIOS: dict[str, Callable[[], World]] = {
    "empty": empty,
    "well_configured": well_configured,
    "readable_archive": lambda: well_configured(readable=True),
    "mixed": mixed,
    "organization": organization,
    "responding": responding,
}
