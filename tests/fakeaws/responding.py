"""A response pipeline without a gap: from every region's findings and calls to a topic that people read."""

from __future__ import annotations

from .basics import Json
from .pipeline import ENABLED_FOR_READS
from .policies import allow_service, policy, topic_policy
from .world import Account, Region, World

NAMESPACE = "CISBenchmark"
# The calls that blind detection or its alerts.
TAMPERING = (
    *("StopLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors"),
    *("StopConfigurationRecorder", "DeleteConfigurationRecorder", "DeleteDeliveryChannel"),
    *("DeleteDetector", "UpdateDetector", "DisassociateFromAdministratorAccount"),
    *("DisableSecurityHub", "BatchDisableStandards"),
    *("DeleteRule", "DisableRule", "RemoveTargets"),
    *("DeleteAlarms", "DisableAlarmActions", "DeleteMetricFilter", "Unsubscribe", "DeleteTopic"),
)
_FORWARDED = (
    *("GuardDuty Finding", "Security Hub Findings - Imported", "Findings Imported V2"),
    *("Config Rules Compliance Change", "AWS API Call via CloudTrail"),
    "AWS Console Sign In via CloudTrail",
)


def _any_of(*names: str) -> str:
    """A filter of calls by name."""
    return "{ " + " || ".join(f"($.eventName = {name})" for name in names) + " }"


def _of(source: str, *names: str) -> str:
    """A filter of one service's calls by name."""
    inner = " || ".join(f"($.eventName = {name})" for name in names)
    return f"{{ ($.eventSource = {source}.amazonaws.com) && ({inner}) }}"


# The 15 items of the CIS benchmark's monitoring section: number: (name, filter pattern).
CIS_FILTERS: dict[str, tuple[str, str]] = {
    "4.1": (
        "UnauthorizedApiCalls",
        '{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }',
    ),
    "4.2": (
        "ConsoleSignInWithoutMfa",
        '{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") && '
        '($.userIdentity.type = "IAMUser") && ($.responseElements.ConsoleLogin = "Success") }',
    ),
    "4.3": (
        "RootUsage",
        '{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && '
        '$.eventType != "AwsServiceEvent" }',
    ),
    "4.4": (
        "IamPolicyChanges",
        _any_of(
            *(f"{verb}{who}Policy" for verb in ("Delete", "Put") for who in ("Group", "Role", "User")),
            *("CreatePolicy", "DeletePolicy", "CreatePolicyVersion", "DeletePolicyVersion"),
            *(f"{verb}{who}Policy" for verb in ("Attach", "Detach") for who in ("Role", "User", "Group")),
        ),
    ),
    "4.5": (
        "CloudTrailChanges",
        _any_of("CreateTrail", "UpdateTrail", "DeleteTrail", "StartLogging", "StopLogging"),
    ),
    "4.6": (
        "ConsoleSignInFailures",
        '{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication") }',
    ),
    "4.7": ("KeyDisabledOrDeleted", _of("kms", "DisableKey", "ScheduleKeyDeletion")),
    "4.8": (
        "BucketPolicyChanges",
        _of(
            "s3",
            *(f"PutBucket{item}" for item in ("Acl", "Policy", "Cors", "Lifecycle", "Replication")),
            *(f"DeleteBucket{item}" for item in ("Policy", "Cors", "Lifecycle", "Replication")),
        ),
    ),
    "4.9": (
        "ConfigChanges",
        _of(
            "config",
            *("StopConfigurationRecorder", "DeleteDeliveryChannel"),
            *("PutDeliveryChannel", "PutConfigurationRecorder"),
        ),
    ),
    "4.10": (
        "SecurityGroupChanges",
        _any_of(
            *(
                f"{verb}SecurityGroup{way}"
                for verb in ("Authorize", "Revoke")
                for way in ("Ingress", "Egress")
            ),
            *("CreateSecurityGroup", "DeleteSecurityGroup", "ModifySecurityGroupRules"),
        ),
    ),
    "4.11": (
        "NetworkAclChanges",
        _any_of(
            *("CreateNetworkAcl", "CreateNetworkAclEntry", "DeleteNetworkAcl", "DeleteNetworkAclEntry"),
            *("ReplaceNetworkAclEntry", "ReplaceNetworkAclAssociation"),
        ),
    ),
    "4.12": (
        "GatewayChanges",
        _any_of(
            *("CreateCustomerGateway", "DeleteCustomerGateway", "AttachInternetGateway"),
            *("CreateInternetGateway", "DeleteInternetGateway", "DetachInternetGateway"),
        ),
    ),
    "4.13": (
        "RouteTableChanges",
        _of(
            "ec2",
            *("CreateRoute", "CreateRouteTable", "ReplaceRoute", "ReplaceRouteTableAssociation"),
            *("DeleteRouteTable", "DeleteRoute", "DisassociateRouteTable"),
        ),
    ),
    "4.14": (
        "VpcChanges",
        _any_of(
            *("CreateVpc", "DeleteVpc", "ModifyVpcAttribute", "AcceptVpcPeeringConnection"),
            *("CreateVpcPeeringConnection", "DeleteVpcPeeringConnection", "RejectVpcPeeringConnection"),
            *(
                "AttachClassicLinkVpc",
                "DetachClassicLinkVpc",
                "DisableVpcClassicLink",
                "EnableVpcClassicLink",
            ),
        ),
    ),
    "4.15": (
        "OrganizationsChanges",
        _of(
            "organizations",
            *("AcceptHandshake", "AttachPolicy", "CreateAccount", "CreateOrganizationalUnit", "CreatePolicy"),
            *("DeclineHandshake", "DeleteOrganization", "DeleteOrganizationalUnit", "DeletePolicy"),
            *("DetachPolicy", "DisablePolicyType", "EnablePolicyType", "InviteAccountToOrganization"),
            *("LeaveOrganization", "MoveAccount", "RemoveAccountFromOrganization", "UpdatePolicy"),
            "UpdateOrganizationalUnit",
        ),
    ),
}


def respond(
    world: World, home: str = "us-east-1", *, account: Account | None = None, alarms: bool = True
) -> World:
    """Give an account (the world's default) a response: rules everywhere, one topic, and the CIS alarms."""
    account = account or world.account()
    here = account.region(home)
    topic = add_alert_topic(here)
    role = _forwarder(account, home)
    for region in account.regions.values():
        _add_dead_letters(region)
        if region is here:
            _add_alert_rules(region, topic)
        else:
            _forward(region, here.arn("events", "event-bus/default"), role)
    if alarms:
        add_cis_alarms(here, "cloudtrail", topic)
    return world


def add_alert_topic(region: Region) -> str:
    """The topic `security-alerts`: rules and alarms may publish, with its key, and a hook and a mailbox listen."""
    topic = region.arn("sns", "security-alerts")
    rules, alarms = region.arn("events", "rule/*"), region.arn("cloudwatch", "alarm:*")
    publish = ("sns:Publish", topic)
    allowed = (
        allow_service("events.amazonaws.com", *publish, source_arn=rules, sid="Rules"),
        allow_service("cloudwatch.amazonaws.com", *publish, source_arn=alarms, sid="Alarms"),
    )
    use = (["kms:GenerateDataKey*", "kms:Decrypt"], "*")
    senders = [allow_service(f"{name}.amazonaws.com", *use) for name in ("events", "cloudwatch")]
    owner: Json = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
    owner |= {"Principal": {"AWS": f"arn:aws:iam::{region.account.id}:root"}}
    key = region.add_key("a1e27000-0000-4000-8000-000000000000", policy=policy(owner, *senders))
    return region.add_topic(
        "security-alerts",
        policy=topic_policy(topic, *allowed),
        kms=key,
        subscriptions=[
            {"Protocol": "https", "Endpoint": "https://soc.example.com/alerts"},
            {"Protocol": "email", "Endpoint": "soc@example.com"},
        ],
    )


def add_cis_alarms(region: Region, group: str, topic: str) -> None:
    """A metric filter and an alarm for each CIS item."""
    for name, pattern in CIS_FILTERS.values():
        region.add_metric_filter(group, name, pattern, name, NAMESPACE)
        region.add_alarm(name, name, NAMESPACE, actions=[topic])


def _forwarder(account: Account, home: str) -> str:
    """The role that puts events on the home region's bus."""
    bus = account.region(home).arn("events", "event-bus/default")
    allow = {"Effect": "Allow", "Action": "events:PutEvents", "Resource": bus}
    document = {"Version": "2012-10-17", "Statement": [allow]}
    return account.add_role("ForwardSecurityEvents", "events.amazonaws.com", {"forward": document})


def _add_dead_letters(region: Region) -> None:
    queue = region.arn("sqs", "security-dlq")
    rules = region.arn("events", "rule/*")
    allow = allow_service("events.amazonaws.com", "sqs:SendMessage", queue, source_arn=rules)
    region.add_queue("security-dlq", policy=policy(allow))


def _target(region: Region, arn: str, **fields: str) -> Json:
    return {
        "Id": "alerts",
        "Arn": arn,
        **fields,
        "DeadLetterConfig": {"Arn": region.arn("sqs", "security-dlq")},
        "RetryPolicy": {"MaximumRetryAttempts": 8, "MaximumEventAgeInSeconds": 3600},
    }


def _forward(region: Region, bus: str, role: str) -> None:
    pattern = {"detail-type": list(_FORWARDED)}
    target = _target(region, bus, RoleArn=role)
    region.add_event_rule("forward-security", pattern=pattern, state=ENABLED_FOR_READS, targets=[target])


def _add_alert_rules(region: Region, topic: str) -> None:
    def add(name: str, pattern: Json, state: str = "ENABLED") -> None:
        region.add_event_rule(name, pattern=pattern, state=state, targets=[_target(region, topic)])

    add("guardduty-findings", {
        "source": ["aws.guardduty"],
        "detail-type": ["GuardDuty Finding"],
        "detail": {"severity": [{"numeric": [">=", 4]}]},
    })  # fmt: skip
    add("securityhub-findings", {
        "source": ["aws.securityhub"],
        "detail-type": ["Security Hub Findings - Imported"],
        "detail": {"findings": {"Severity": {"Label": ["HIGH", "CRITICAL"]}, "RecordState": ["ACTIVE"]}},
    })  # fmt: skip
    add("securityhub-v2-findings", {
        "source": ["aws.securityhub"],
        "detail-type": ["Findings Imported V2"],
    })  # fmt: skip
    add("config-compliance", {
        "source": ["aws.config"],
        "detail-type": ["Config Rules Compliance Change"],
        "detail": {"newEvaluationResult": {"complianceType": ["NON_COMPLIANT"]}},
    })  # fmt: skip
    add("api-calls", {
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {"$or": [
            {"eventName": list(TAMPERING)},
            {"userIdentity": {"type": ["Root"]}},
            {"errorCode": [{"wildcard": "*UnauthorizedOperation"}, {"prefix": "AccessDenied"}]},
        ]},
    }, ENABLED_FOR_READS)  # fmt: skip
    add("console-sign-ins", {
        "detail-type": ["AWS Console Sign In via CloudTrail"],
        "detail": {"$or": [
            {"userIdentity": {"type": ["Root"]}},
            {"additionalEventData": {"MFAUsed": ["No"]}},
            {"responseElements": {"ConsoleLogin": ["Failure"]}},
        ]},
    })  # fmt: skip
