"""The metric filters of the CIS AWS Foundations Benchmark, section 4 (3 in version 1.2), as people write them.

Sources: CIS 1.2 to 5.0, the remediation pages of Security Hub's CloudWatch controls, and the Terraform modules
terraform-aws-modules/cloudwatch (cis-alarms) and nozaq/secure-baseline (alarm-baseline).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from postureaudit.signals.log_filter import decide, verdict


def called(name: str, source: str = "ec2", **more: Any) -> dict[str, Any]:
    """A CloudTrail event of a user who calls an API."""
    identity = {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ana", "accountId": "111122223333"}
    event = {
        "eventVersion": "1.11",
        "userIdentity": identity,
        "eventTime": "2026-02-03T04:05:06Z",
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "203.0.113.7",
        "userAgent": "aws-cli/2.30",
        "requestParameters": None,
        "responseElements": None,
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": "111122223333",
    }
    return event | more


def signed_in(
    mfa: str | None, *, result: str = "Success", who: str = "IAMUser", **more: Any
) -> dict[str, Any]:
    """A CloudTrail event of a sign-in to the console."""
    additional = {"LoginTo": "https://console.aws.amazon.com/console/home", "MobileVersion": "No"}
    return called(
        "ConsoleLogin",
        "signin",
        userIdentity={"type": who, "accountId": "111122223333"},
        responseElements={"ConsoleLogin": result},
        additionalEventData=additional | ({} if mfa is None else {"MFAUsed": mfa}),
        eventType="AwsConsoleSignIn",
        **more,
    )


def root(name: str = "CreateAccessKey", **more: Any) -> dict[str, Any]:
    """A CloudTrail event of the root user."""
    identity = {"type": "Root", "arn": "arn:aws:iam::111122223333:root"}
    return called(name, "iam", **{"userIdentity": identity, **more})


def any_of(names: str, form: str = "($.eventName = {})", joined: str = " || ") -> str:
    return joined.join(form.format(name) for name in names.split())


def names(names: str) -> tuple[str, ...]:
    """The three spellings people use for a list of calls."""
    return (
        "{ " + any_of(names) + " }",
        "{" + any_of(names, "($.eventName={})", "||") + "}",
        "{ " + any_of(names, '$.eventName = "{}"', " || ") + " }",
    )


def names_of(source: str, names: str) -> tuple[str, ...]:
    return (
        f"{{ ($.eventSource = {source}.amazonaws.com) && ({any_of(names)}) }}",
        f"{{($.eventSource={source}.amazonaws.com)&&({any_of(names, '($.eventName={})', '||')})}}",
        f'{{ ($.eventSource = "{source}.amazonaws.com") && ({any_of(names, "$.eventName={}", "||")}) }}',
    )


class Control(NamedTuple):
    """A benchmark's item: its filters, and events that must and must not match."""

    title: str
    filters: tuple[str, ...]
    hits: list[dict[str, Any]]
    misses: list[dict[str, Any]]


IAM = (
    "DeleteGroupPolicy DeleteRolePolicy DeleteUserPolicy PutGroupPolicy PutRolePolicy PutUserPolicy CreatePolicy "
    "DeletePolicy CreatePolicyVersion DeletePolicyVersion AttachRolePolicy DetachRolePolicy AttachUserPolicy "
    "DetachUserPolicy AttachGroupPolicy DetachGroupPolicy"
)
TRAIL = "CreateTrail UpdateTrail DeleteTrail StartLogging StopLogging"
KMS = "DisableKey ScheduleKeyDeletion"
S3 = (
    "PutBucketAcl PutBucketPolicy PutBucketCors PutBucketLifecycle PutBucketReplication DeleteBucketPolicy "
    "DeleteBucketCors DeleteBucketLifecycle DeleteBucketReplication"
)
CONFIG = "StopConfigurationRecorder DeleteDeliveryChannel PutDeliveryChannel PutConfigurationRecorder"
GROUPS = (
    "AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress RevokeSecurityGroupIngress "
    "RevokeSecurityGroupEgress CreateSecurityGroup DeleteSecurityGroup"
)
NACL = (
    "CreateNetworkAcl CreateNetworkAclEntry DeleteNetworkAcl DeleteNetworkAclEntry ReplaceNetworkAclEntry "
    "ReplaceNetworkAclAssociation"
)
GATEWAYS = (
    "CreateCustomerGateway DeleteCustomerGateway AttachInternetGateway CreateInternetGateway DeleteInternetGateway "
    "DetachInternetGateway"
)
ROUTES = (
    "CreateRoute CreateRouteTable ReplaceRoute ReplaceRouteTableAssociation DeleteRouteTable DeleteRoute "
    "DisassociateRouteTable"
)
VPC = (
    "CreateVpc DeleteVpc ModifyVpcAttribute AcceptVpcPeeringConnection CreateVpcPeeringConnection "
    "DeleteVpcPeeringConnection RejectVpcPeeringConnection AttachClassicLinkVpc DetachClassicLinkVpc "
    "DisableVpcClassicLink EnableVpcClassicLink"
)
ORGANIZATIONS = (
    "AcceptHandshake AttachPolicy CreateAccount CreateOrganizationalUnit CreatePolicy DeclineHandshake "
    "DeleteOrganization DeleteOrganizationalUnit DeletePolicy DetachPolicy DisablePolicyType EnablePolicyType "
    "InviteAccountToOrganization LeaveOrganization MoveAccount RemoveAccountFromOrganization UpdatePolicy "
    "UpdateOrganizationalUnit"
)


def calls(names: str, source: str = "ec2") -> list[dict[str, Any]]:
    return [called(name, source) for name in names.split()]


CONTROLS = [
    Control(
        "4.1 unauthorized API calls",
        (
            '{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }',
            '{($.errorCode="*UnauthorizedOperation")||($.errorCode="AccessDenied*")}',
            "{ ($.errorCode = *UnauthorizedOperation) || ($.errorCode = AccessDenied*) }",
            '{ ($.errorCode ="*UnauthorizedOperation") || ($.errorCode ="AccessDenied*") && '
            '($.sourceIPAddress!="delivery.logs.amazonaws.com") && ($.eventName!="HeadBucket") }',
            '{(($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*")) && '
            '(($.sourceIPAddress!="delivery.logs.amazonaws.com") && ($.eventName!="HeadBucket"))}',
        ),
        [
            called("RunInstances", errorCode="Client.UnauthorizedOperation"),
            called("GetObject", "s3", errorCode="AccessDenied"),
            called("PutConfigRule", "config", errorCode="AccessDeniedException"),
        ],
        [
            called("RunInstances"),
            called("RunInstances", errorCode="Client.InvalidParameterValue"),
            called("GetObject", "s3", errorCode="NoSuchKey"),
        ],
    ),
    Control(
        "4.2 console sign-in without MFA",
        (
            '{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") }',
            '{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") && '
            '($.userIdentity.type = "IAMUser") && ($.responseElements.ConsoleLogin = "Success") }',
            '{($.eventName="ConsoleLogin")&&($.additionalEventData.MFAUsed !="Yes")&&'
            '($.userIdentity.type="IAMUser")&&($.responseElements.ConsoleLogin="Success")}',
            "{ $.eventName = ConsoleLogin && $.additionalEventData.MFAUsed = No }",
        ),
        [signed_in("No")],
        [signed_in("Yes"), called("RunInstances"), called("AssumeRole", "sts")],
    ),
    Control(
        "4.3 use of the root user",
        (
            '{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && '
            '$.eventType != "AwsServiceEvent" }',
            '{$.userIdentity.type="Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType !="AwsServiceEvent"}',
            "{ ($.userIdentity.type = Root) && ($.userIdentity.invokedBy NOT EXISTS) && "
            "($.eventType != AwsServiceEvent) }",
        ),
        [root(), root("ConsoleLogin", eventType="AwsConsoleSignIn")],
        [
            called("CreateAccessKey", "iam"),
            root(userIdentity={"type": "Root", "invokedBy": "support.amazonaws.com"}),
            root(eventType="AwsServiceEvent"),
        ],
    ),
    Control(
        "4.4 IAM policy changes",
        names(IAM),
        calls(IAM, "iam"),
        [called("GetPolicy", "iam"), called("CreateRole", "iam"), called("StopLogging", "cloudtrail")],
    ),
    Control(
        "4.5 CloudTrail changes",
        names(TRAIL),
        calls(TRAIL, "cloudtrail"),
        [
            called("DescribeTrails", "cloudtrail"),
            called("PutEventSelectors", "cloudtrail"),
            called("CreateVpc"),
        ],
    ),
    Control(
        "4.6 console authentication failures",
        (
            '{ ($.eventName = ConsoleLogin) && ($.errorMessage = "Failed authentication") }',
            '{($.eventName=ConsoleLogin)&&($.errorMessage="Failed authentication")}',
            '{ $.eventName = "ConsoleLogin" && $.errorMessage = "Failed auth*" }',
        ),
        [signed_in("No", result="Failure", errorMessage="Failed authentication")],
        [
            signed_in("No"),
            signed_in("No", result="Failure", errorMessage="No username found in supplied account"),
            called("GetObject", "s3", errorMessage="Failed authentication"),
        ],
    ),
    Control(
        "4.7 KMS keys disabled or deleted",
        names_of("kms", KMS),
        calls(KMS, "kms"),
        [called("EnableKey", "kms"), called("DisableKey", "example"), called("Decrypt", "kms")],
    ),
    Control(
        "4.8 S3 bucket policy changes",
        names_of("s3", S3),
        calls(S3, "s3"),
        [called("GetBucketPolicy", "s3"), called("PutBucketPolicy", "s3express"), called("PutObject", "s3")],
    ),
    Control(
        "4.9 AWS Config changes",
        names_of("config", CONFIG),
        calls(CONFIG, "config"),
        [called("StartConfigurationRecorder", "config"), called("PutDeliveryChannel", "example")],
    ),
    Control(
        "4.10 security group changes",
        names(GROUPS),
        calls(GROUPS),
        [called("DescribeSecurityGroups"), called("ModifySecurityGroupRules")],
    ),
    Control("4.11 network ACL changes", names(NACL), calls(NACL), [called("DescribeNetworkAcls")]),
    Control("4.12 gateway changes", names(GATEWAYS), calls(GATEWAYS), [called("CreateNatGateway")]),
    Control(
        "4.13 route table changes",
        (
            *names(ROUTES),
            f"{{ ($.eventSource = ec2.amazonaws.com) && ({any_of(ROUTES)}) }}",
            f"{{$.eventSource=ec2.amazonaws.com && ({any_of(ROUTES, '$.eventName={}', '||')})}}",
        ),
        calls(ROUTES),
        [called("DescribeRouteTables"), called("AssociateRouteTable")],
    ),
    Control("4.14 VPC changes", names(VPC), calls(VPC), [called("DescribeVpcs"), called("CreateSubnet")]),
    Control(
        "4.15 Organizations changes",
        (
            *names_of("organizations", ORGANIZATIONS),
            "{ ($.eventSource = organizations.amazonaws.com) && ("
            + any_of(ORGANIZATIONS, '($.eventName = "{}")')
            + ") }",
        ),
        calls(ORGANIZATIONS, "organizations"),
        [called("CreatePolicy", "iam"), called("DescribeOrganization", "organizations")],
    ),
]
CASES = [
    pytest.param(control, text, id=f"{control.title}-{number}")
    for control in CONTROLS
    for number, text in enumerate(control.filters, start=1)
]


@pytest.mark.parametrize(("control", "text"), CASES)
def test_the_filter_matches_its_events(control: Control, text: str):
    """Each spelling takes all the events of its item, for certain."""
    assert [decide(text, event).value for event in control.hits] == [True] * len(control.hits)


@pytest.mark.parametrize(("control", "text"), CASES)
def test_the_filter_matches_no_other_event(control: Control, text: str):
    """No spelling takes an event that is near, for certain."""
    assert [decide(text, event).value for event in control.misses] == [False] * len(control.misses)


@pytest.mark.parametrize(("control", "text"), CASES)
def test_the_quick_verdict_is_the_same(control: Control, text: str):
    """Without reasons a filter takes the same events."""
    events = [*control.hits, *control.misses]

    assert [verdict(text, event) for event in events] == [decide(text, event).value for event in events]


def test_all_fifteen_items_are_here():
    """4.16 is Security Hub, which is no filter."""
    assert [control.title.split()[0] for control in CONTROLS] == [f"4.{number}" for number in range(1, 16)]


def test_a_sign_in_that_says_nothing_of_mfa_is_unsure():
    """The benchmark's filter says != "Yes", and AWS does not say what that means for a field that is missing."""
    text = '{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") }'

    decision = decide(text, signed_in(None, who="AssumedRole"))

    assert decision.value is None
    assert "$.additionalEventData.MFAUsed is missing" in decision.reasons[0]
