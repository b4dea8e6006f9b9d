"""The requests that AWS services really make when they deliver, as far as AWS documents them.

What is documented stands in the request as a value, or as None where AWS says that the key is not sent. A key that
may be sent or not, or whose value AWS does not tell, is an Either or left out, so that a policy that depends on it
is unknown. Each function says which is which, and where AWS says so.

Every request of a service principal shares what `_service` knows.
An encrypted target needs the answer to all requests of the matching `..._to_kms` as well.
"""

from __future__ import annotations

from collections.abc import Mapping

from postureaudit.signals.policy import Either, Request, Value

_EVENTS, _ALARMS = "events.amazonaws.com", "cloudwatch.amazonaws.com"
_CLOUDTRAIL, _SNS = "cloudtrail.amazonaws.com", "sns.amazonaws.com"
ALARMS_TO_LAMBDA = "lambda.alarms.cloudwatch.amazonaws.com"


def events_to_sns(rule_arn: str, topic_arn: str, *, organization: str = "") -> Request:
    """An EventBridge rule publishes to a topic, without an execution role.

    Documented: the default topic policy does not let EventBridge publish, so aws:SourceOwner is not sent
    (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-troubleshooting.html#eb-no-messages-published-sns);
    aws:SourceArn is the rule and aws:SourceAccount its account
    (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html). An older sentence, "You can't
    use Condition blocks in Amazon SNS topic policies for EventBridge", still stands on eb-use-resource-based.html;
    we follow the page that names the keys.
    """
    context = _source(rule_arn) | {"aws:SourceOwner": None}
    return _service(_EVENTS, "sns:Publish", topic_arn, context, organization)


def events_to_sqs(rule_arn: str, queue_arn: str, *, organization: str = "") -> Request:
    """An EventBridge rule sends to a queue, as a target or as a dead-letter queue, without an execution role.

    Documented: aws:SourceArn is the rule
    (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-sqs-permissions),
    aws:SourceAccount its account (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html).
    """
    return _service(_EVENTS, "sqs:SendMessage", queue_arn, _source(rule_arn), organization)


def events_to_lambda(rule_arn: str, function_arn: str, *, organization: str = "") -> Request:
    """An EventBridge rule invokes a function, without an execution role.

    Documented: aws:SourceArn is the rule
    (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-lambda-permissions),
    aws:SourceAccount its account (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html).
    """
    return _service(_EVENTS, "lambda:InvokeFunction", function_arn, _source(rule_arn), organization)


def events_to_kms(rule_arn: str, key_arn: str, target_arn: str) -> tuple[Request, ...]:
    """An EventBridge rule uses the key of the encrypted topic or queue `target_arn`.

    Documented: kms:GenerateDataKey and kms:Decrypt as events.amazonaws.com
    (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-troubleshooting.html#eb-sqs-encrypted); for topics
    "Adding the aws:SourceAccount, aws:SourceArn, and aws:SourceOrgID to a AWS KMS policy is not supported", so they
    are not sent (https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services).
    Undocumented: aws:SourceArn and aws:SourceAccount for queues; kms:ViaService and the encryption context.
    Inferred: kms:CallerAccount is not sent: event sources cannot use alias/aws/sns (same page, "use a customer managed
    key"), whose policy lets in everyone by the service (kms:ViaService) and by the account (kms:CallerAccount);
    tried with an alarm: https://repost.aws/questions/QUCsVSJa5QRDunCEGlwztZsg.
    """
    if target_arn.split(":")[2:3] == ["sns"]:
        source: dict[str, Value] = {"aws:SourceArn": None, "aws:SourceAccount": None, "aws:SourceOrgID": None}
    else:
        source = _perhaps_source(rule_arn)
    return _key_use(_EVENTS, key_arn, source)


def events_to_bus(
    rule_arn: str,
    bus_arn: str,
    *,
    role_arn: str = "",
    organization: str = "",
    source: str = "",
    detail_type: str = "",
) -> Request:
    """An EventBridge rule puts events on a bus in another account or region, with or without an execution role.

    Documented: the caller is the rule's account, or the role; aws:SourceArn is the rule; a bus policy may name the
    event's source and detail-type (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus-perms.html).
    Whom an organization lets in "must specify a RoleArn": without one there is no aws:PrincipalOrgID
    (https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutPermission.html).
    Undocumented: aws:SourceArn and aws:SourceAccount with a role.
    `organization` is that of the role's account, `source` and `detail_type` are the event's; "" is unknown.
    """
    account, partition = _account(rule_arn), rule_arn.split(":")[1]
    context: dict[str, Value] = {
        "aws:SourceArn": Either((rule_arn, None)) if role_arn else rule_arn,
        "aws:SourceAccount": Either((account, None)),
        "aws:PrincipalAccount": account,
        "aws:SecureTransport": "true",
        "aws:RequestedRegion": bus_arn.split(":")[3],
    }
    if role_arn:
        context |= {"aws:PrincipalArn": role_arn, "aws:PrincipalAccount": _account(role_arn)}
    if organization or not role_arn:
        context["aws:PrincipalOrgID"] = organization if role_arn else None
    if source:
        context["events:source"] = source
    if detail_type:
        context["events:detail-type"] = detail_type
    return Request(
        principal=role_arn or f"arn:{partition}:iam::{account}:root",
        action="events:PutEvents",
        resource=bus_arn,
        context=context,
    )


def alarm_to_sns(alarm_arn: str, topic_arn: str, *, organization: str = "") -> Request:
    """A CloudWatch alarm publishes to a topic.

    Documented: cloudwatch.amazonaws.com with aws:SourceArn, the alarm, unless its name has characters outside ASCII,
    and aws:SourceAccount, its account
    (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html).
    aws:SourceOwner is the alarm's account: the default topic policy admits the owner's AWS resources by it
    (https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html#source-account-versus-source-owner).
    The key is deprecated, and no page names the services that still send it; that alarms do is well known.
    """
    context = _source(alarm_arn) | {"aws:SourceOwner": _account(alarm_arn)}
    if not alarm_arn.isascii():
        del context["aws:SourceArn"]
    return _service(_ALARMS, "sns:Publish", topic_arn, context, organization)


def alarm_to_lambda(alarm_arn: str, function_arn: str, *, organization: str = "") -> Request:
    """A CloudWatch alarm invokes a function.

    Documented: lambda.alarms.cloudwatch.amazonaws.com with aws:SourceArn, the alarm, and aws:SourceAccount, its account
    (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html).
    """
    return _service(ALARMS_TO_LAMBDA, "lambda:InvokeFunction", function_arn, _source(alarm_arn), organization)


def alarm_to_kms(alarm_arn: str, key_arn: str) -> tuple[Request, ...]:
    """A CloudWatch alarm uses the key of an encrypted topic.

    Documented: kms:GenerateDataKey* and kms:Decrypt as cloudwatch.amazonaws.com, with a customer managed key
    (https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services).
    That page leaves aws:SourceArn and aws:SourceAccount to each service, and CloudWatch says nothing of them here:
    undocumented, as are kms:ViaService and the encryption context. kms:CallerAccount: see `events_to_kms`.
    """
    return _key_use(_ALARMS, key_arn, _perhaps_source(alarm_arn))


def cloudtrail_to_s3(
    trail_arn: str, bucket: str, *, account: str = "", prefix: str = "", organization: str = ""
) -> tuple[Request, ...]:
    """A trail looks at its bucket and writes the log files of `account` (by default its own) to it.

    Documented: s3:GetBucketAcl and s3:PutObject under PREFIX/AWSLogs/[ORGANIZATION/]ACCOUNT/, aws:SourceArn, the
    trail, and s3:x-amz-acl bucket-owner-full-control
    (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html).
    Undocumented: aws:SourceAccount.
    `organization` is for organization trails only: their files have its id in their path.
    """
    partition = trail_arn.split(":")[1]
    arn = f"arn:{partition}:s3:::{bucket}"
    folders = [
        prefix.strip("/"),
        "AWSLogs",
        organization,
        account or _account(trail_arn),
        "CloudTrail",
        "log",
    ]
    source = _arn_and_perhaps_account(trail_arn)
    return (
        _service(_CLOUDTRAIL, "s3:GetBucketAcl", arn, source, organization),
        _service(
            _CLOUDTRAIL,
            "s3:PutObject",
            f"{arn}/{'/'.join(filter(None, folders))}",
            source | {"s3:x-amz-acl": "bucket-owner-full-control"},
            organization,
        ),
    )


def cloudtrail_to_sns(trail_arn: str, topic_arn: str) -> Request:
    """A trail announces new log files.

    Documented: aws:SourceArn is the trail
    (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-permissions-for-sns-notifications.html).
    Undocumented: aws:SourceAccount and aws:SourceOwner.
    """
    context = _arn_and_perhaps_account(trail_arn)
    context["aws:SourceOwner"] = context["aws:SourceAccount"]
    return _service(_CLOUDTRAIL, "sns:Publish", topic_arn, context)


def sns_to_lambda(topic_arn: str, function_arn: str) -> Request:
    """A topic invokes a subscribed function.

    Documented: sns.amazonaws.com with aws:SourceArn, the topic
    (https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html). Undocumented: aws:SourceAccount.
    In regions that have to be switched on the principal has the region in its name: such a statement is unknown.
    """
    return _service(_SNS, "lambda:InvokeFunction", function_arn, _arn_and_perhaps_account(topic_arn))


def sns_to_sqs(topic_arn: str, queue_arn: str) -> Request:
    """A topic sends to a subscribed queue.

    Documented: sns.amazonaws.com with aws:SourceArn, the topic
    (https://docs.aws.amazon.com/sns/latest/dg/subscribe-sqs-queue-to-sns-topic.html).
    Undocumented: aws:SourceAccount.
    """
    return _service(_SNS, "sqs:SendMessage", queue_arn, _arn_and_perhaps_account(topic_arn))


def sns_to_kms(topic_arn: str, key_arn: str) -> tuple[Request, ...]:
    """A topic uses the key of an encrypted queue that is subscribed to it.

    Documented: kms:GenerateDataKey and kms:Decrypt as sns.amazonaws.com, with a customer managed key
    (https://docs.aws.amazon.com/sns/latest/dg/sns-enable-encryption-for-topic-sqs-queue-subscriptions.html).
    Undocumented: aws:SourceArn and aws:SourceAccount. kms:CallerAccount: see `events_to_kms`.
    """
    return _key_use(_SNS, key_arn, _perhaps_source(topic_arn))


def _service(
    principal: str, action: str, resource: str, context: Mapping[str, Value], organization: str = ""
) -> Request:
    """What every direct call of a service principal carries.

    Documented (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html):
    aws:PrincipalIsAWSService and aws:PrincipalServiceName; aws:ViaAWSService, which is about calls with a caller's
    own credentials; aws:PrincipalOrgID and aws:PrincipalOrgPaths only for members of an organization,
    aws:CalledVia... only for calls with a caller's credentials, aws:SourceVpc and aws:SourceVpce only through an
    endpoint; aws:SourceOrgID, if the source's account is in an organization (`organization`; "" is unknown).
    Inferred: the call is over TLS: AWS recommends denying anything else on trail buckets, topics and queues.
    Not known: aws:SourceIp, aws:PrincipalArn, aws:PrincipalAccount, aws:SourceOrgPaths, aws:ResourceAccount.
    """
    always: dict[str, Value] = {
        "aws:PrincipalIsAWSService": "true",
        "aws:PrincipalServiceName": principal,
        "aws:ViaAWSService": "false",
        "aws:SecureTransport": "true",
        **dict.fromkeys(
            (
                *("aws:PrincipalOrgID", "aws:PrincipalOrgPaths"),
                *("aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast"),
                *("aws:SourceVpc", "aws:SourceVpce"),
            )
        ),
    }
    if region := resource.split(":")[3]:
        always["aws:RequestedRegion"] = region
    if organization:
        always["aws:SourceOrgID"] = organization
    return Request(principal=principal, action=action, resource=resource, context=always | dict(context))


def _key_use(principal: str, key_arn: str, source: Mapping[str, Value]) -> tuple[Request, ...]:
    context = {**source, "kms:CallerAccount": None}
    return tuple(
        _service(principal, action, key_arn, context) for action in ("kms:GenerateDataKey", "kms:Decrypt")
    )


def _source(arn: str) -> dict[str, Value]:
    return {"aws:SourceArn": arn, "aws:SourceAccount": _account(arn)}


def _arn_and_perhaps_account(arn: str) -> dict[str, Value]:
    return {"aws:SourceArn": arn, "aws:SourceAccount": Either((_account(arn), None))}


def _perhaps_source(arn: str) -> dict[str, Value]:
    return {"aws:SourceArn": Either((arn, None)), "aws:SourceAccount": Either((_account(arn), None))}


def _account(arn: str) -> str:
    return arn.split(":")[4]
