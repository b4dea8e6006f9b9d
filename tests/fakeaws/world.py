"""The state behind the fake: accounts, regions and what is on in them, as plain dicts in AWS's spelling."""

from __future__ import annotations

import functools
import hashlib
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .basics import Json as Json
from .basics import fresh
from .basics import now as now
from .faults import Fault
from .pipeline import Pipeline

ACCOUNT = "111122223333"
ARCHIVE = "999988887777"
REGIONS = (
    *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1"),
    *("eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3"),
    *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2"),
)
NOT_ENABLED = ("af-south-1", "eu-south-1", "me-south-1")
FOUNDATIONAL = ("CLOUD_TRAIL", "DNS_LOGS", "FLOW_LOGS")
PLANS = (
    *("S3_DATA_EVENTS", "EKS_AUDIT_LOGS", "EBS_MALWARE_PROTECTION", "RDS_LOGIN_EVENTS"),
    *("LAMBDA_NETWORK_LOGS", "RUNTIME_MONITORING"),
)
AGENTS = ("EKS_ADDON_MANAGEMENT", "ECS_FARGATE_AGENT_MANAGEMENT", "EC2_AGENT_MANAGEMENT")
ALL_MANAGEMENT: list[dict[str, Any]] = [
    {
        "ReadWriteType": "All",
        "IncludeManagementEvents": True,
        "DataResources": [],
        "ExcludeManagementEventSources": [],
    }
]
FSBP = "aws-foundational-security-best-practices/v/1.0.0"
CIS_1 = "cis-aws-foundations-benchmark/v/1.2.0"  # its ARN has no region and calls it a ruleset
CIS_3 = "cis-aws-foundations-benchmark/v/3.0.0"
NIST = "nist-800-53/v/5.0.0"
AI = "ai-security-best-practices/v/1.0.0"
STANDARDS = {
    FSBP: "AWS Foundational Security Best Practices v1.0.0",
    CIS_3: "CIS AWS Foundations Benchmark v3.0.0",
    CIS_1: "CIS AWS Foundations Benchmark v1.2.0",
    "cis-aws-foundations-benchmark/v/1.4.0": "CIS AWS Foundations Benchmark v1.4.0",
    "cis-aws-foundations-benchmark/v/5.0.0": "CIS AWS Foundations Benchmark v5.0.0",
    AI: "AI Security Best Practices v1.0.0",
    NIST: "NIST Special Publication 800-53 Revision 5",
    "pci-dss/v/4.0.1": "PCI DSS v4.0.1",
}


@dataclass
class Region(Pipeline):
    """What one account has in one region."""

    name: str
    account: Account = field(repr=False)
    cloudtrail: Json = field(default_factory=fresh(trails={}, stores={}))
    config: Json = field(default_factory=fresh(
        recorders={}, channels={}, rules={}, packs={}, remediations={}, executions={}, aggregators={},
        retention=[], counts={}, org_rules={}, org_packs={}, compliance={}, evaluation={}, pack_compliance={},
    ))  # fmt: skip
    guardduty: Json = field(default_factory=fresh(
        detector=None, filters={}, destinations={}, plans={}, admin=None, members={}, org_admins=[],
        org=None, findings=[], coverage={},
    ))  # fmt: skip
    securityhub: Json = field(default_factory=fresh(
        hub=None, standards={}, controls={}, associations={}, products=[], aggregator=None, admin=None,
        members=[], org_admins=[], org=None, policies=[], automation_rules=[], v2=None, aggregator_v2=None,
        automation_rules_v2=[], org_admins_v2=[],
    ))  # fmt: skip
    logs: Json = field(default_factory=fresh(groups={}, metric_filters=[], subscription_filters=[]))
    kms: Json = field(default_factory=fresh(keys={}, aliases={}))
    ec2: Json = field(default_factory=fresh(vpcs=[], interfaces={}, flow_logs=[], instances=[]))
    route53resolver: Json = field(
        default_factory=fresh(configs=[], associations=[], profiles=[], profile_resources={})
    )
    workloads: Json = field(
        default_factory=fresh(eks=[], ecs=[], ecr=[], functions=[], db_instances=[], db_clusters=[])
    )
    macie2: Json = field(default_factory=fresh(
        session=None, export=None, discovery=["DISABLED", "NONE"], admin=None, members={}, org_admins=[], org=None,
        publication={"publishPolicyFindings": True, "publishClassificationFindings": False},
    ))  # fmt: skip
    inspector2: Json = field(
        default_factory=fresh(status={}, blocked=[], members={}, org_admins=[], org=None)
    )
    detective: Json = field(default_factory=fresh(
        graphs=[], invitations={}, members={}, org_admins=[], auto_enable=False,
    ))  # fmt: skip
    fms: Json = field(default_factory=fresh(policies=[]))
    securitylake: Json = field(default_factory=fresh(lake=None, sources={}, auto=[]))
    accessanalyzer: Json = field(default_factory=fresh(analyzers=[]))
    events: Json = field(default_factory=fresh(buses={}, archives={}, connections={}, destinations={}))
    sns: Json = field(default_factory=fresh(topics={}))
    sqs: Json = field(default_factory=fresh(queues={}))
    cloudwatch: Json = field(default_factory=fresh(metric={}, composite={}, log={}, mute_rules={}))
    responders: Json = field(
        default_factory=fresh(machines={}, documents={}, streams={}, delivery_streams={}, memberships={})
    )

    def __post_init__(self) -> None:
        self.add_bus("default")  # every region has it from the start

    def arn(self, service: str, rest: str) -> str:
        """An ARN of this account and region."""
        return f"arn:aws:{service}:{self.name}:{self.account.id}:{rest}"

    def add_trail(
        self,
        name: str = "main",
        *,
        bucket: str = "trail-logs",
        multi: bool = True,
        logging: bool = True,
        selectors: list[Json] | None = None,
        advanced: list[Json] | None = None,
        insights: tuple[str, ...] = (),
        status: Json | None = None,
        status_in: dict[str, Json] | None = None,
        **trail: Any,
    ) -> str:
        """A trail homed here; its ARN. `selectors` in either format; `status(_in)` overrides GetTrailStatus."""
        arn = self.arn("cloudtrail", f"trail/{name}")
        if selectors and "FieldSelectors" in selectors[0]:
            selectors, advanced = None, selectors
        body = {
            "Name": name,
            "S3BucketName": bucket,
            "IncludeGlobalServiceEvents": multi,
            "IsMultiRegionTrail": multi,
            "HomeRegion": self.name,
            "TrailARN": arn,
            "LogFileValidationEnabled": False,
            "IsOrganizationTrail": False,
            **trail,
        }
        self.cloudtrail["trails"][name] = {
            "Trail": body,
            "EventSelectors": selectors,
            "AdvancedEventSelectors": advanced,
            "InsightSelectors": [{"InsightType": kind} for kind in insights],
            "Status": {**trail_status(body, logging), **(status or {})},
            "StatusIn": status_in or {},
            "Tags": [],
        }
        return arn

    def add_store(self, name: str = "lake", **fields: Any) -> str:
        """An event data store; returns its ARN."""
        arn = self.arn("cloudtrail", f"eventdatastore/{name}")
        self.cloudtrail["stores"][arn] = {
            "EventDataStoreArn": arn,
            "Name": name,
            "Status": "ENABLED",
            "AdvancedEventSelectors": [
                {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}
            ],
            "MultiRegionEnabled": True,
            "OrganizationEnabled": False,
            "RetentionPeriod": 365,
            "TerminationProtectionEnabled": True,
            **fields,
        }
        return arn

    def add_recorder(
        self,
        name: str = "default",
        *,
        recording: bool = True,
        group: Json | None = None,
        global_types: bool = False,
        frequency: str = "CONTINUOUS",
        role: str | None = None,
        last_status: str = "SUCCESS",
        **fields: Any,
    ) -> None:
        """A configuration recorder of everything, or of `group`."""
        everything = {
            "allSupported": True,
            "includeGlobalResourceTypes": global_types,
            "resourceTypes": [],
            "exclusionByResourceTypes": {"resourceTypes": []},
            "recordingStrategy": {"useOnly": "ALL_SUPPORTED_RESOURCE_TYPES"},
        }
        linked = self.account.arn("iam", "role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig")
        status: Json = {"name": name, "recording": recording, "lastStatus": last_status}
        status |= {"lastStartTime": now(days=30), "lastStatusChangeTime": now(hours=1)}
        self.config["recorders"][name] = {
            "recorder": {
                "arn": self.arn("config", f"configuration-recorder/{name}/{'a' * 16}"),
                "name": name,
                "roleARN": role or linked,
                "recordingGroup": group or everything,
                "recordingMode": {"recordingFrequency": frequency, "recordingModeOverrides": []},
                "recordingScope": "PAID",
                **fields,
            },
            "status": status,
        }
        self.account.add_role("AWSServiceRoleForConfig", "config.amazonaws.com")

    def add_channel(self, bucket: str = "config-logs", *, status: str = "SUCCESS", **fields: Any) -> None:
        """A delivery channel, with its three status blocks."""
        name = fields.pop("name", "default")
        channel = {
            "name": name,
            "s3BucketName": bucket,
            "configSnapshotDeliveryProperties": {"deliveryFrequency": "TwentyFour_Hours"},
            **fields,
        }
        at = now(hours=2)
        block = {"lastStatus": status, "lastAttemptTime": at, "lastSuccessfulTime": at}
        if status == "FAILURE":
            block = {"lastStatus": status, "lastAttemptTime": at, "lastErrorCode": "AccessDenied"}
        stream = {"lastStatus": status if "snsTopicARN" in channel else "Not_Applicable"}
        self.config["channels"][name] = {
            "channel": channel,
            "status": {
                "name": name,
                "configSnapshotDeliveryInfo": block if "configSnapshotDeliveryProperties" in channel else {},
                "configHistoryDeliveryInfo": block,
                "configStreamDeliveryInfo": {**stream, "lastStatusChangeTime": at},
            },
        }

    def add_rule(
        self,
        name: str,
        identifier: str = "CLOUD_TRAIL_ENABLED",
        *,
        compliance: str = "COMPLIANT",
        **fields: Any,
    ) -> None:
        """A Config rule that has been evaluated."""
        self.config["rules"][name] = {
            "ConfigRuleName": name,
            "ConfigRuleArn": self.arn("config", f"config-rule/config-rule-{len(self.config['rules']):06d}"),
            "ConfigRuleId": f"config-rule-{len(self.config['rules']):06d}",
            "Source": {"Owner": "AWS", "SourceIdentifier": identifier},
            "ConfigRuleState": "ACTIVE",
            "EvaluationModes": [{"Mode": "DETECTIVE"}],
            **fields,
        }
        self.config["compliance"][name] = compliance
        self.config["evaluation"][name] = {
            "FirstEvaluationStarted": True,
            "LastSuccessfulInvocationTime": now(hours=3),
            "LastSuccessfulEvaluationTime": now(hours=3),
        }

    def add_pack(self, name: str = "security-baseline", *, state: str = "CREATE_COMPLETE") -> None:
        """A conformance pack in a state."""
        self.config["packs"][name] = {
            "state": state,
            "detail": {
                "ConformancePackName": name,
                "ConformancePackArn": self.arn(
                    "config", f"conformance-pack/{name}/conformance-pack-{'a' * 9}"
                ),
                "ConformancePackId": f"conformance-pack-{'a' * 9}",
                "ConformancePackInputParameters": [],
                "LastUpdateRequestedTime": now(days=20),
            },
        }
        self.config["pack_compliance"][name] = "COMPLIANT"

    def add_remediation(self, rule: str, *, automatic: bool = True, **fields: Any) -> None:
        """A remediation of a rule, and the role that it runs with."""
        self.account.add_role("Fix", "ssm.amazonaws.com")
        self.config["remediations"][rule] = {
            "ConfigRuleName": rule,
            "TargetType": "SSM_DOCUMENT",
            "TargetId": "AWS-DisableS3BucketPublicReadWrite",
            "Parameters": {
                "AutomationAssumeRole": {"StaticValue": {"Values": [self.account.arn("iam", "role/Fix")]}},
                "S3BucketName": {"ResourceValue": {"Value": "RESOURCE_ID"}},
            },
            "Automatic": automatic,
            "MaximumAutomaticAttempts": 5,
            "RetryAttemptSeconds": 60,
            "Arn": self.arn("config", f"remediation-configuration/{rule}/{'b' * 8}"),
            **fields,
        }

    def add_detector(
        self,
        *,
        status: str = "ENABLED",
        frequency: str = "FIFTEEN_MINUTES",
        off: tuple[str, ...] = (),
        missing: tuple[str, ...] = (),
        **fields: Any,
    ) -> str:
        """A detector with every plan but those `off` (or not offered: `missing`); returns its id."""
        found = hashlib.sha256(f"{self.account.id}/{self.name}".encode()).hexdigest()[:32]
        features: list[Json] = []
        for name in (*FOUNDATIONAL, *PLANS):
            if name not in missing:
                features.append(feature(name, "DISABLED" if name in off else "ENABLED", off=off))
        self.guardduty["detector"] = {
            "DetectorId": found,
            "CreatedAt": "2025-01-01T00:00:00.000Z",
            "UpdatedAt": "2025-01-01T00:00:00.000Z",
            "FindingPublishingFrequency": frequency,
            "ServiceRole": self.account.arn(
                "iam", "role/aws-service-role/guardduty.amazonaws.com/AWSServiceRoleForAmazonGuardDuty"
            ),
            "Status": status,
            "Tags": {},
            "Features": features,
            **fields,
        }
        return found

    def add_destination(self, bucket: str = "findings", *, status: str = "PUBLISHING", **fields: Any) -> None:
        """A publishing destination of the detector."""
        found = f"{len(self.guardduty['destinations']) + 1:032x}"
        self.guardduty["destinations"][found] = {
            "DestinationId": found,
            "DestinationType": "S3",
            "Status": status,
            "PublishingFailureStartTimestamp": 0 if status == "PUBLISHING" else 1_700_000_000_000,
            "DestinationProperties": {
                "DestinationArn": f"arn:aws:s3:::{bucket}",
                "KmsKeyArn": self.arn("kms", "key/11111111-2222-3333-4444-555555555555"),
            },
            **fields,
        }

    def add_filter(self, name: str, criteria: Json, *, action: str = "ARCHIVE") -> None:
        """A findings filter; ARCHIVE makes it a suppression rule."""
        self.guardduty["filters"][name] = {
            "Name": name,
            "Description": "",
            "Action": action,
            "Rank": len(self.guardduty["filters"]) + 1,
            "FindingCriteria": {"Criterion": criteria},
        }

    def add_plan(self, bucket: str, *, status: str = "ACTIVE") -> str:
        """A malware protection plan of a bucket."""
        found = f"{len(self.guardduty['plans']) + 1:020x}"
        self.guardduty["plans"][found] = {
            "Arn": self.arn("guardduty", f"malware-protection-plan/{found}"),
            "Role": self.account.arn("iam", "role/GuardDutyMalwareS3"),
            "ProtectedResource": {"S3Bucket": {"BucketName": bucket, "ObjectPrefixes": []}},
            "Actions": {"Tagging": {"Status": "ENABLED"}},
            "CreatedAt": now(days=9),
            "Status": status,
            "StatusReasons": [],
            "Tags": {},
        }
        return found

    def add_hub(
        self, *, standards: tuple[str, ...] = (FSBP, CIS_3), products: tuple[str, ...] = (), **fields: Any
    ) -> None:
        """Security Hub CSPM with standards (their name and version) and product subscriptions."""
        self.securityhub["hub"] = {
            "HubArn": self.arn("securityhub", "hub/default"),
            "SubscribedAt": "2025-01-01T00:00:00.000Z",
            "AutoEnableControls": True,
            "ControlFindingGenerator": "SECURITY_CONTROL",
            **fields,
        }
        for name in standards:
            self.add_standard(name)
        for name in products:
            self.securityhub["products"].append(self.arn("securityhub", f"product-subscription/aws/{name}"))

    def add_standard(self, name: str, *, status: str = "READY", reason: str = "") -> str:
        """A standards subscription; returns its ARN."""
        arn = self.arn("securityhub", f"subscription/{name}")
        found: Json = {
            "StandardsSubscriptionArn": arn,
            "StandardsArn": standard_arn(name, self.name),
            "StandardsInput": {},
            "StandardsStatus": status,
            "StandardsControlsUpdatable": "READY_FOR_UPDATES"
            if status == "READY"
            else "NOT_READY_FOR_UPDATES",
        }
        if reason:
            found["StandardsStatusReason"] = {"StatusReasonCode": reason}
        self.securityhub["standards"][arn] = found
        self.securityhub["controls"].setdefault(
            arn,
            dict.fromkeys(("CloudTrail.1", "Config.1", "GuardDuty.1", "IAM.4", "IAM.6", "S3.1"), "ENABLED"),
        )
        return arn

    def add_automation_rule(
        self, name: str, criteria: Json, update: Json | None = None, *, status: str = "ENABLED"
    ) -> str:
        """An automation rule that suppresses what it matches, or applies `update`; returns its ARN."""
        rules = self.securityhub["automation_rules"]
        arn = self.arn("securityhub", f"automation-rule/{len(rules) + 1:08x}-0000-0000-0000-000000000000")
        fields = update or {"Workflow": {"Status": "SUPPRESSED"}}
        rules.append(
            {
                "RuleArn": arn,
                "RuleStatus": status,
                "RuleOrder": len(rules) + 1,
                "RuleName": name,
                "Description": "",
                "IsTerminal": False,
                "Criteria": criteria,
                "Actions": [{"Type": "FINDING_FIELDS_UPDATE", "FindingFieldsUpdate": fields}],
            }
        )
        return arn

    def add_log_group(self, name: str, retention: int | None = None, **fields: Any) -> str:
        """A log group; returns its ARN."""
        arn = self.arn("logs", f"log-group:{name}")
        group = {"logGroupName": name, "arn": f"{arn}:*", "logGroupArn": arn, "logGroupClass": "STANDARD"}
        keep = {"retentionInDays": retention} if retention else {}
        self.logs["groups"][name] = {
            **group,
            "creationTime": 1_700_000_000_000,
            "storedBytes": 1,
            **keep,
            **fields,
        }
        return arn

    def add_key(self, name: str = "11111111-2222-3333-4444-555555555555", **fields: Any) -> str:
        """A customer key; `rotation=`, `policy=`, `shared=True` (other accounts may describe it); its ARN."""
        arn = self.arn("kms", f"key/{name}")
        rotation, policy = fields.pop("rotation", True), fields.pop("policy", None)
        shared = fields.pop("shared", False)
        metadata = {
            "AWSAccountId": self.account.id,
            "KeyId": name,
            "Arn": arn,
            "CreationDate": now(days=400),
            "Enabled": fields.get("KeyState", "Enabled") == "Enabled",
            "Description": "",
            "KeyUsage": "ENCRYPT_DECRYPT",
            "KeyState": "Enabled",
            "Origin": "AWS_KMS",
            "KeyManager": "CUSTOMER",
            "KeySpec": "SYMMETRIC_DEFAULT",
            "MultiRegion": False,
            **fields,
        }
        text = policy or key_policy(self.account.id)
        self.kms["keys"][name] = {
            "metadata": metadata,
            "rotation": rotation,
            "policy": text,
            "shared": shared,
        }
        return arn


@dataclass
class Account:
    """One account: its regions, and what has no region."""

    id: str
    world: World = field(repr=False)
    regions: dict[str, Region] = field(default_factory=dict)
    aliases: list[str] = field(default_factory=list)
    roles: dict[str, Json] = field(default_factory=dict)
    role_policies: dict[str, dict[str, str]] = field(default_factory=dict)  # role: name: document
    block: dict[str, bool] | None = None  # the account's S3 public access block
    contacts: dict[str, Json] = field(default_factory=dict)
    phone: str = "VERIFIED"  # the state of the owner's number; "" where AWS gives none
    token_version: int = 2
    opt_status: dict[str, str] = field(default_factory=dict)  # region: ENABLING, ...
    notifications: Json = field(default_factory=fresh(configurations={}, rules={}, channels={}, contacts={}))

    def region(self, name: str) -> Region:
        """The state in an enabled region."""
        return self.regions[name]

    def arn(self, service: str, rest: str) -> str:
        """An ARN without a region."""
        return f"arn:aws:{service}::{self.id}:{rest}"

    def add_role(self, name: str, principal: str, policies: dict[str, Json] | None = None) -> str:
        """A role that a service may assume (service-linked when its name says so), and its inline policies;
        its ARN."""
        path = f"/aws-service-role/{principal}/" if name.startswith("AWSServiceRole") else "/"
        trust = {"Effect": "Allow", "Principal": {"Service": principal}, "Action": "sts:AssumeRole"}
        arn = self.arn("iam", f"role{path}{name}")
        self.roles[name] = {
            "Path": path,
            "RoleName": name,
            "RoleId": f"AROA{len(self.roles):016d}",
            "Arn": arn,
            "CreateDate": now(days=300),
            "AssumeRolePolicyDocument": json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        }
        self.role_policies[name] = {key: json.dumps(value) for key, value in (policies or {}).items()}
        return arn

    def add_contact(self, name: str, address: str, *, status: str = "active") -> str:
        """An e-mail contact of AWS User Notifications; its ARN."""
        arn = self.arn("notifications-contacts", f"emailcontact/{name}")
        at = now(days=9)
        found = {"arn": arn, "name": name, "address": address, "status": status}
        self.notifications["contacts"][arn] = {**found, "creationTime": at, "updateTime": at}
        return arn

    def add_notification(
        self,
        name: str,
        *,
        source: str,
        event_type: str,
        pattern: str = "",
        regions: tuple[str, ...] = ("us-east-1",),
        channels: tuple[str, ...] = (),
        status: str = "ACTIVE",
        rule_status: str = "ACTIVE",
    ) -> str:
        """A configuration of AWS User Notifications with one event rule; its ARN."""
        arn = self.arn("notifications", f"configuration/{name}")
        at = now(days=9)
        self.notifications["configurations"][arn] = {
            "arn": arn,
            "name": name,
            "description": name,
            "status": status,
            "creationTime": at,
            "aggregationDuration": "NONE",
        }
        rule = f"{arn}/rule/{name}"
        self.notifications["rules"][rule] = {
            "arn": rule,
            "notificationConfigurationArn": arn,
            "creationTime": at,
            "source": source,
            "eventType": event_type,
            "eventPattern": pattern,
            "regions": list(regions),
            "managedRules": [
                f"arn:aws:events:{region}:{self.id}:rule/AWSUserNotificationsManagedRule-{name}"
                for region in regions
            ],
            "statusSummaryByRegion": {region: {"status": rule_status, "reason": ""} for region in regions},
        }
        self.notifications["channels"][arn] = list(channels)
        return arn


@dataclass(frozen=True)
class Call:
    """Who calls what, where."""

    world: World
    account: Account
    region: str
    service: str
    operation: str
    arn: str

    @functools.cached_property
    def here(self) -> Region:
        """The state in the called region."""
        return self.account.regions.get(self.region) or Region(self.region, self.account)


@dataclass
class World:
    """Everything; seed it, serve it, read `calls`, `bugs` and `missing` afterwards."""

    default: str = ACCOUNT
    accounts: dict[str, Account] = field(default_factory=dict)
    buckets: dict[str, Json] = field(default_factory=dict)
    organization: Json | None = None
    faults: list[Fault] = field(default_factory=list)
    page_size: int | None = None
    calls: list[tuple[str, str, str, str, Json]] = field(default_factory=list)
    bugs: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    sessions: dict[str, str] = field(default_factory=dict)  # access key: ARN
    no_assume: set[str] = field(default_factory=set)  # role ARNs that refuse
    failing_targets: dict[str, tuple[str, str]] = field(default_factory=dict)  # ARN: (code, message)
    # What TestEventPattern and TestMetricFilter ask: (pattern, event or message), both as text.
    test_event_pattern: Callable[[str, str], bool] | None = None
    test_metric_filter: Callable[[str, str], bool] | None = None
    lock: Any = field(default_factory=threading.RLock, repr=False)

    def account(self, name: str = ACCOUNT, regions: tuple[str, ...] = REGIONS) -> Account:
        """An account, made when it is new."""
        if name not in self.accounts:
            found = self.accounts[name] = Account(name, self)
            found.regions = {item: Region(item, found) for item in regions}
        return self.accounts[name]

    def credentials(self, account: str | None = None) -> tuple[str, str]:
        """(access key, secret) of an account."""
        return f"AKIA{account or self.default}", "secret"

    def call(self, key: str, region: str, service: str, operation: str) -> Call:
        """The call that a signature stands for; an unknown key is the default account's."""
        match = re.match(r"A[KS]IA(\d{12})", key)
        with self.lock:
            account = self.account(match[1] if match else self.default)
        arn = self.sessions.get(key, f"arn:aws:sts::{account.id}:assumed-role/SecurityAudit/alice")
        return Call(self, account, "us-east-1" if region == "aws-global" else region, service, operation, arn)

    def add_bucket(self, name: str, owner: str = ACCOUNT, region: str = "us-east-1", **settings: Any) -> Json:
        """A bucket: policy=, public=, acl=[grants], block=, versioning=, lock=, logging=, lifecycle=[rules],
        encryption=[rules], head={accounts that may HeadBucket}, readers={accounts that may read settings}."""
        self.account(owner)
        found = {"owner": owner, "region": region, "head": set(), "readers": set(), **settings}
        self.buckets[name] = found
        return found

    def organize(
        self,
        manager: str = ACCOUNT,
        members: tuple[str, ...] = (),
        *,
        access: tuple[str, ...] = (),
        delegated: dict[str, list[str]] | None = None,
    ) -> Json:
        """An organization: `access` are trusted service principals, `delegated` their administrators."""
        org, base = "o-exampleorg1", f"arn:aws:organizations::{manager}"
        for item in (manager, *members):
            self.account(item)
        self.organization = {
            "Organization": {
                "Id": org,
                "Arn": f"{base}:organization/{org}",
                "FeatureSet": "ALL",
                "MasterAccountId": manager,
                "MasterAccountArn": f"{base}:account/{org}/{manager}",
                "MasterAccountEmail": "root@example.com",
                "AvailablePolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}],
            },
            "Accounts": [
                {
                    "Id": item,
                    "Arn": f"{base}:account/{org}/{item}",
                    "Email": f"{item}@example.com",
                    "Name": f"account-{item[-4:]}",
                    "State": "ACTIVE",
                    "JoinedMethod": "CREATED",
                    "JoinedTimestamp": now(days=500),
                }
                for item in (manager, *members)
            ],
            "Access": list(access),
            "Delegated": delegated or {},
            "Effective": {},  # (account, policy type): content
        }
        return self.organization


def feature(name: str, status: str, off: tuple[str, ...] = ()) -> Json:
    """A GuardDuty feature as GetDetector shows it."""
    found: Json = {"Name": name, "Status": status, "UpdatedAt": now(days=100)}
    if name == "RUNTIME_MONITORING":
        found["AdditionalConfiguration"] = [
            {"Name": item, "Status": "DISABLED" if item in off else status, "UpdatedAt": now(days=100)}
            for item in AGENTS
        ]
    return found


def standard_arn(name: str, region: str) -> str:
    """The ARN of a standard as DescribeStandards gives it."""
    if name == CIS_1:
        return f"arn:aws:securityhub:::ruleset/{name}"
    return f"arn:aws:securityhub:{region}::standards/{name}"


def trail_status(trail: Json, logging: bool) -> Json:
    """What GetTrailStatus says of a healthy trail, or of one that never logged."""
    if not logging:
        return {"IsLogging": False}
    found = {"IsLogging": True, "LatestDeliveryTime": now(minutes=6), "StartLoggingTime": now(days=90)}
    if trail.get("LogFileValidationEnabled"):
        found["LatestDigestDeliveryTime"] = now(minutes=40)
    if trail.get("CloudWatchLogsLogGroupArn"):
        found["LatestCloudWatchLogsDeliveryTime"] = now(minutes=5)
    return found


def key_policy(account: str) -> str:
    """A key policy that lets its account and CloudTrail use the key."""
    allow = {"Effect": "Allow", "Resource": "*"}
    root = {**allow, "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "kms:*"}
    trail = {
        **allow,
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": ["kms:GenerateDataKey*", "kms:DescribeKey"],
        "Condition": {"StringLike": {"aws:SourceArn": f"arn:aws:cloudtrail:*:{account}:trail/*"}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [root, trail]})


def trail_policy(bucket: str, trail: str, *, bound: bool = True) -> str:
    """A bucket policy that lets CloudTrail write, bound to a trail by aws:SourceArn or not."""
    base: Json = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}}
    if bound:
        base["Condition"] = {"StringEquals": {"aws:SourceArn": trail}}
    plain = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    check = {**base, "Sid": "AclCheck", "Action": "s3:GetBucketAcl", "Resource": f"arn:aws:s3:::{bucket}"}
    write = {**base, "Sid": "Write", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/AWSLogs/*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [check, write, plain]})
