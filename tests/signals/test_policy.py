"""A resource policy lets a caller in, keeps it out, or leaves it open."""

from __future__ import annotations

import contextlib
import copy
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postureaudit.errors import PolicyError
from postureaudit.signals import senders
from postureaudit.signals.policy import Either, Request, allows, decide

OURS, THEIRS = "111122223333", "444455556666"
TOPIC = f"arn:aws:sns:eu-west-1:{OURS}:alerts"
QUEUE = f"arn:aws:sqs:eu-west-1:{OURS}:alerts"
FUNCTION = f"arn:aws:lambda:eu-west-1:{OURS}:function:page"
KEY = f"arn:aws:kms:eu-west-1:{OURS}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
BUS = f"arn:aws:events:eu-west-1:{THEIRS}:event-bus/central"
RULE = f"arn:aws:events:eu-west-1:{OURS}:rule/findings"
OTHER_RULE = f"arn:aws:events:eu-west-1:{OURS}:rule/other"
ALARM = f"arn:aws:cloudwatch:eu-west-1:{OURS}:alarm:root-login"
TRAIL = f"arn:aws:cloudtrail:eu-west-1:{OURS}:trail/all"
ROLE = f"arn:aws:iam::{OURS}:role/forwarder"
SESSION = f"arn:aws:sts::{OURS}:assumed-role/forwarder/x"
ROOT = f"arn:aws:iam::{OURS}:root"
EVENTS: dict[str, Any] = {"Service": "events.amazonaws.com"}


def policy(*statements: dict[str, Any], version: str = "2012-10-17") -> dict[str, Any]:
    return {"Version": version, "Statement": list(statements)}


def allow(
    principal: Any = EVENTS, action: Any = "sns:Publish", resource: Any = "*", **more: Any
) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource, **more}


def deny(principal: Any = "*", action: Any = "*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {**allow(principal, action, resource, **more), "Effect": "Deny"}


def request(principal: str = "events.amazonaws.com", action: str = "sns:Publish", **context: Any) -> Request:
    resource = {"sqs": QUEUE, "lambda": FUNCTION, "kms": KEY}.get(action.split(":")[0], TOPIC)
    return Request(principal=principal, action=action, resource=resource, context=context)


def with_context(context: dict[str, Any]) -> Request:
    return Request(principal="events.amazonaws.com", action="sns:Publish", resource=TOPIC, context=context)


DEFAULT_TOPIC_POLICY = {
    "Version": "2008-10-17",
    "Id": "__default_policy_ID",
    "Statement": [
        {
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": ["SNS:GetTopicAttributes", "SNS:Subscribe", "SNS:Publish"],
            "Resource": TOPIC,
            "Condition": {"StringEquals": {"AWS:SourceOwner": OURS}},
        }
    ],
}
PUBLISH_EVENTS = allow(resource=TOPIC, Sid="Allow_Publish_Events")
ROOT_ONLY_KEY = policy(allow({"AWS": ROOT}, "kms:*"))
EVENTS_KEY = policy(
    allow({"AWS": ROOT}, "kms:*"),
    allow(EVENTS, ["kms:Decrypt", "kms:GenerateDataKey"], Sid="AllowEventBridge"),
)
AWS_MANAGED_KEY = policy(
    allow(
        {"AWS": "*"},
        ["kms:Decrypt", "kms:GenerateDataKey*"],
        Condition={
            "StringEquals": {"kms:CallerAccount": OURS, "kms:ViaService": "sns.eu-west-1.amazonaws.com"}
        },
    ),
    allow({"AWS": ROOT}, ["kms:Describe*", "kms:Get*", "kms:List*"]),
)
TLS_ONLY = deny(
    action="sns:Publish", resource=TOPIC, Sid="TlsOnly", Condition={"Bool": {"aws:SecureTransport": "false"}}
)
BUS_ORGANIZATION = policy(
    allow(
        "*",
        "events:PutEvents",
        BUS,
        Condition={"StringEquals": {"aws:PrincipalOrgID": "o-abc"}},
        Sid="Organization",
    )
)


def bound(key: str, value: Any, operator: str = "ArnEquals") -> dict[str, Any]:
    return {"Condition": {operator: {key: value}}}


def lambda_permission(rule: str) -> dict[str, Any]:
    return policy(
        allow(
            EVENTS, "lambda:InvokeFunction", FUNCTION, Sid="trust", **bound("AWS:SourceArn", rule, "ArnLike")
        )
    )


TO_SNS = senders.events_to_sns(RULE, TOPIC)
TO_SQS = senders.events_to_sqs(RULE, QUEUE)
TO_LAMBDA = senders.events_to_lambda(RULE, FUNCTION)
FROM_ALARM = senders.alarm_to_sns(ALARM, TOPIC)
GENERATE, DECRYPT = senders.events_to_kms(RULE, KEY, TOPIC)
GENERATE_FOR_QUEUE, _ = senders.events_to_kms(RULE, KEY, QUEUE)
FROM_ALARM_GENERATE, _ = senders.alarm_to_kms(ALARM, KEY)
ACL, PUT = senders.cloudtrail_to_s3(TRAIL, "logs")
TO_BUS = senders.events_to_bus(RULE, BUS)
TO_BUS_AS_ROLE = senders.events_to_bus(RULE, BUS, role_arn=ROLE, organization="o-abc")

TRAIL_BUCKET = policy(
    allow(
        {"Service": "cloudtrail.amazonaws.com"},
        "s3:GetBucketAcl",
        "arn:aws:s3:::logs",
        **bound("aws:SourceArn", TRAIL, "StringEquals"),
    ),
    allow(
        {"Service": "cloudtrail.amazonaws.com"},
        "s3:PutObject",
        f"arn:aws:s3:::logs/AWSLogs/{OURS}/*",
        Condition={"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control", "aws:SourceArn": TRAIL}},
    ),
)

REAL = {
    "default topic policy, rule": (DEFAULT_TOPIC_POLICY, TO_SNS, False),
    "default topic policy, alarm": (DEFAULT_TOPIC_POLICY, FROM_ALARM, True),
    "default topic policy, alarm of another account": (
        DEFAULT_TOPIC_POLICY,
        senders.alarm_to_sns(ALARM.replace(OURS, THEIRS), TOPIC),
        False,
    ),
    "default topic policy with AWS's statement for rules": (
        {**DEFAULT_TOPIC_POLICY, "Statement": [*DEFAULT_TOPIC_POLICY["Statement"], PUBLISH_EVENTS]},
        TO_SNS,
        True,
    ),
    "topic bound to another rule": (policy(allow(**bound("aws:SourceArn", OTHER_RULE))), TO_SNS, False),
    "topic bound to this rule": (policy(allow(**bound("aws:SourceArn", RULE))), TO_SNS, True),
    "topic open to a whole account": (
        policy(allow({"AWS": "*"}, **bound("aws:SourceAccount", OURS, "StringEquals"))),
        TO_SNS,
        True,
    ),
    "topic open to an organization": (
        policy(allow({"AWS": "*"}, **bound("aws:PrincipalOrgID", "o-abc", "StringEquals"))),
        FROM_ALARM,
        False,
    ),
    "topic over TLS only, rule": (policy(PUBLISH_EVENTS, TLS_ONLY), TO_SNS, True),
    "topic through one endpoint only": (
        policy(PUBLISH_EVENTS, deny(**bound("aws:sourceVpce", "vpce-1", "StringNotEquals"))),
        TO_SNS,
        False,
    ),
    "topic for another account's alarms": (
        policy(
            allow({"AWS": "*"}, **bound("aws:SourceArn", f"arn:aws:cloudwatch:*:{THEIRS}:alarm:*", "ArnLike"))
        ),
        FROM_ALARM,
        False,
    ),
    "topic for alarms, as CloudWatch documents it": (
        policy(
            allow(
                {"Service": "cloudwatch.amazonaws.com"},
                "SNS:Publish",
                TOPIC,
                Condition={
                    "ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:eu-west-1:{OURS}:alarm:*"},
                    "StringEquals": {"aws:SourceAccount": OURS},
                },
            )
        ),
        FROM_ALARM,
        True,
    ),
    "alarm with an umlaut, bound to an ARN": (
        policy(
            allow(
                {"Service": "cloudwatch.amazonaws.com"},
                **bound("aws:SourceArn", "arn:aws:*:*:*:*", "ArnLike"),
            )
        ),
        senders.alarm_to_sns(ALARM + "ä", TOPIC),
        None,
    ),
    "topic for the wrong service": (policy(allow({"Service": "cloudwatch.amazonaws.com"})), TO_SNS, False),
    "topic for the account itself": (policy(allow({"AWS": ROOT}, "sns:*")), TO_SNS, False),
    "queue bound to this rule": (
        policy(allow(EVENTS, "sqs:SendMessage", QUEUE, **bound("aws:SourceArn", RULE))),
        TO_SQS,
        True,
    ),
    "queue bound to another rule": (
        policy(allow(EVENTS, "sqs:SendMessage", QUEUE, **bound("aws:SourceArn", OTHER_RULE))),
        TO_SQS,
        False,
    ),
    "queue as the SNS console writes it": (
        policy(allow({"AWS": "*"}, "SQS:SendMessage", QUEUE, **bound("aws:SourceArn", TOPIC))),
        senders.sns_to_sqs(TOPIC, QUEUE),
        True,
    ),
    "function bound to this rule": (lambda_permission(RULE), TO_LAMBDA, True),
    "function bound to an alarm": (
        policy(
            allow(
                {"Service": senders.ALARMS_TO_LAMBDA},
                "lambda:InvokeFunction",
                **bound("aws:SourceArn", ALARM),
            )
        ),
        senders.alarm_to_lambda(ALARM, FUNCTION),
        True,
    ),
    "function bound to another rule": (lambda_permission(OTHER_RULE), TO_LAMBDA, False),
    "function bound to a topic": (
        policy(
            allow({"Service": "sns.amazonaws.com"}, "lambda:InvokeFunction", **bound("aws:SourceArn", TOPIC))
        ),
        senders.sns_to_lambda(TOPIC, FUNCTION),
        True,
    ),
    "function for everyone, as AWS": (policy(allow({"AWS": "*"}, "lambda:InvokeFunction")), TO_LAMBDA, None),
    "function for everyone": (policy(allow("*", "lambda:InvokeFunction")), TO_LAMBDA, True),
    "key with only root": (ROOT_ONLY_KEY, GENERATE, False),
    "key with EventBridge, first call": (EVENTS_KEY, GENERATE, True),
    "key with EventBridge, second call": (EVENTS_KEY, DECRYPT, True),
    "key with EventBridge, alarm": (EVENTS_KEY, FROM_ALARM_GENERATE, False),
    "key that only encrypts": (policy(allow(EVENTS, "kms:GenerateDataKey*")), DECRYPT, False),
    "key bound to the account: not for topics": (
        policy(allow(EVENTS, "kms:*", **bound("aws:SourceAccount", OURS, "StringEquals"))),
        GENERATE,
        False,
    ),
    "key bound to this rule: not for topics": (
        policy(allow(EVENTS, "kms:*", **bound("aws:SourceArn", RULE))),
        GENERATE,
        False,
    ),
    "key bound to the account: not said for queues": (
        policy(allow(EVENTS, "kms:*", **bound("aws:SourceAccount", OURS, "StringEquals"))),
        GENERATE_FOR_QUEUE,
        None,
    ),
    "key that AWS manages, rule": (AWS_MANAGED_KEY, GENERATE, False),
    "key that AWS manages, alarm": (AWS_MANAGED_KEY, FROM_ALARM_GENERATE, False),
    "key open by way of the topic's service": (
        policy(
            allow(EVENTS, "kms:*", **bound("kms:ViaService", "sns.eu-west-1.amazonaws.com", "StringEquals"))
        ),
        GENERATE,
        None,
    ),
    "bus for the organization, with a role": (BUS_ORGANIZATION, TO_BUS_AS_ROLE, True),
    "bus for the organization, without a role": (BUS_ORGANIZATION, TO_BUS, False),
    "bus for another organization": (
        BUS_ORGANIZATION,
        senders.events_to_bus(RULE, BUS, role_arn=ROLE, organization="o-else"),
        False,
    ),
    "bus for an organization, ours unknown": (
        BUS_ORGANIZATION,
        senders.events_to_bus(RULE, BUS, role_arn=ROLE),
        None,
    ),
    "bus for the account": (policy(allow({"AWS": OURS}, "events:PutEvents", BUS)), TO_BUS, True),
    "bus for the account, as a role of it": (
        policy(allow({"AWS": ROOT}, "events:PutEvents", BUS)),
        TO_BUS_AS_ROLE,
        True,
    ),
    "bus for one rule": (
        policy(allow({"AWS": ROOT}, "events:PutEvents", BUS, **bound("aws:SourceArn", RULE))),
        TO_BUS,
        True,
    ),
    "bus without that region": (
        policy(
            allow({"AWS": ROOT}, "events:PutEvents", BUS),
            deny(
                {"AWS": "*"},
                "events:PutEvents",
                BUS,
                **bound("aws:SourceArn", "arn:aws:events:eu-west-1:*:*"),
            ),
        ),
        TO_BUS,
        False,
    ),
    "bus for one source": (
        policy(
            allow(
                {"AWS": OURS},
                "events:PutEvents",
                BUS,
                **bound("events:source", "aws.guardduty", "StringEquals"),
            )
        ),
        senders.events_to_bus(RULE, BUS, source="aws.guardduty"),
        True,
    ),
    "trail's bucket, looked at": (TRAIL_BUCKET, ACL, True),
    "trail's bucket, written to": (TRAIL_BUCKET, PUT, True),
    "trail's bucket, another trail": (
        TRAIL_BUCKET,
        senders.cloudtrail_to_s3(TRAIL + "2", "logs")[1],
        False,
    ),
    "trail's bucket, another account's files": (
        TRAIL_BUCKET,
        senders.cloudtrail_to_s3(TRAIL, "logs", account=THEIRS)[1],
        False,
    ),
    "trail's bucket with a prefix nobody allowed": (
        TRAIL_BUCKET,
        senders.cloudtrail_to_s3(TRAIL, "logs", prefix="p")[1],
        False,
    ),
    "trail's bucket over TLS only": (
        policy(*TRAIL_BUCKET["Statement"], deny(**bound("aws:SecureTransport", "false", "Bool"))),
        PUT,
        True,
    ),
    "trail's topic": (
        policy(
            allow({"Service": "cloudtrail.amazonaws.com"}, **bound("aws:SourceArn", TRAIL, "StringEquals"))
        ),
        senders.cloudtrail_to_sns(TRAIL, TOPIC),
        True,
    ),
    "perimeter that spares services": (
        policy(
            allow("*"),
            deny(
                Condition={
                    "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-abc"},
                    "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
                }
            ),
        ),
        TO_SNS,
        True,
    ),
    "perimeter that forgets services": (
        policy(allow("*"), deny(**bound("aws:PrincipalOrgID", "o-abc", "StringNotEquals"))),
        TO_SNS,
        False,
    ),
    "perimeter by the source's organization": (
        policy(allow(), deny(**bound("aws:SourceOrgID", "o-abc", "StringNotEquals"))),
        senders.events_to_sns(RULE, TOPIC, organization="o-abc"),
        True,
    ),
    "perimeter by an organization we do not know": (
        policy(allow(), deny(**bound("aws:SourceOrgID", "o-abc", "StringNotEquals"))),
        TO_SNS,
        None,
    ),
}


@pytest.mark.parametrize(("document", "call", "verdict"), REAL.values(), ids=REAL)
def test_what_aws_services_send(document: Any, call: Request, verdict: bool | None):
    """Policies as AWS documents or generates them, and the calls that services make."""
    assert allows(document, call) is verdict
    assert allows(json.dumps(document), call) is verdict


PRINCIPALS = {
    "everyone, a service": ("*", "events.amazonaws.com", True),
    "everyone, a role": ("*", ROLE, True),
    "every account, a role": ({"AWS": "*"}, ROLE, True),
    "a list of services": (
        {"Service": ["a.amazonaws.com", "events.amazonaws.com"]},
        "events.amazonaws.com",
        True,
    ),
    "two kinds": ({"AWS": ROOT, "Service": "events.amazonaws.com"}, "events.amazonaws.com", True),
    "another service": ({"Service": "sns.amazonaws.com"}, "events.amazonaws.com", False),
    "a service in a longer name": ({"Service": "events.rds.amazonaws.com"}, "events.amazonaws.com", False),
    "a regional name": ({"Service": "sns.af-south-1.amazonaws.com"}, "sns.amazonaws.com", None),
    "two regions": ({"Service": "sns.af-south-1.amazonaws.com"}, "sns.eu-south-1.amazonaws.com", False),
    "a Chinese name": ({"Service": "events.amazonaws.com.cn"}, "events.amazonaws.com", None),
    "any service": ({"Service": "*"}, "events.amazonaws.com", None),
    "a service, a role": ({"Service": "events.amazonaws.com"}, ROLE, False),
    "federated, a service": ({"Federated": "accounts.google.com"}, "events.amazonaws.com", False),
    "federated, a session": ({"Federated": "accounts.google.com"}, SESSION, None),
    "canonical user, a service": ({"CanonicalUser": "79a5"}, "events.amazonaws.com", False),
    "canonical user, an account": ({"CanonicalUser": "79a5"}, ROOT, None),
    "a kind that does not exist": ({"Robot": "x"}, "events.amazonaws.com", None),
    "nothing at all": ({}, "events.amazonaws.com", None),
    "an empty list": ({"Service": []}, "events.amazonaws.com", None),
    "an ARN without its kind": (ROOT, ROOT, None),
    "the account by number": ({"AWS": OURS}, ROLE, True),
    "the account by ARN": ({"AWS": ROOT}, SESSION, True),
    "another account": ({"AWS": THEIRS}, ROLE, False),
    "another partition": ({"AWS": f"arn:aws-cn:iam::{OURS}:root"}, ROLE, False),
    "the role": ({"AWS": ROLE}, ROLE, True),
    "the role of a session": ({"AWS": f"arn:aws:iam::{OURS}:role/path/forwarder"}, SESSION, True),
    "another role": ({"AWS": f"{ROLE}2"}, ROLE, False),
    "another role of a session": ({"AWS": f"{ROLE}2"}, SESSION, False),
    "a session of the role": ({"AWS": SESSION}, ROLE, None),
    "another session": ({"AWS": SESSION + "y"}, SESSION, False),
    "a role, someone in its account": ({"AWS": ROLE}, OURS, None),
    "a role, someone in another account": ({"AWS": ROLE}, THEIRS, False),
    "a deleted role": ({"AWS": "AROAEXAMPLE1234567890"}, ROLE, False),
    "part of an ARN": ({"AWS": f"arn:aws:iam::{OURS}:role/*"}, ROLE, None),
    "a caller of no known kind": ({"AWS": ROOT}, "somebody", None),
}


@pytest.mark.parametrize(("principal", "caller", "verdict"), PRINCIPALS.values(), ids=PRINCIPALS)
def test_principal(principal: Any, caller: str, verdict: bool | None):
    """Whom a Principal covers."""
    assert allows(policy(allow(principal)), request(caller)) is verdict


NOT_PRINCIPALS = {
    "all but a service, it": ("Deny", EVENTS, "events.amazonaws.com", True),
    "all but a role, a service": ("Deny", {"AWS": [ROLE, ROOT]}, "events.amazonaws.com", False),
    "all but a role and its account, the role": ("Deny", {"AWS": [ROLE, ROOT]}, ROLE, True),
    "all but a role, the role": ("Deny", {"AWS": ROLE}, ROLE, None),
    "all but an account, a role of it": ("Deny", {"AWS": ROOT}, ROLE, None),
    "all but another account": ("Deny", {"AWS": THEIRS}, ROLE, False),
    "all but something unknown": ("Deny", {"Robot": "x"}, ROLE, None),
    "allowed but for others": ("Allow", {"AWS": THEIRS}, "events.amazonaws.com", True),
    "allowed but for itself": ("Allow", EVENTS, "events.amazonaws.com", False),
}


@pytest.mark.parametrize(
    ("effect", "principal", "caller", "verdict"), NOT_PRINCIPALS.values(), ids=NOT_PRINCIPALS
)
def test_not_principal(effect: str, principal: Any, caller: str, verdict: bool | None):
    """NotPrincipal covers everyone else; of a role, its account has to be named as well."""
    statement = {"Effect": effect, "NotPrincipal": principal, "Action": "*", "Resource": "*"}
    others = [allow("*")] if effect == "Deny" else []

    assert allows(policy(statement, *others), request(caller)) is verdict


ELEMENTS = {
    "an action in another case": ({"Action": "SNS:publish"}, True),
    "a wildcard in an action": ({"Action": "sns:Pub*"}, True),
    "one character in an action": ({"Action": "sn?:Publis?"}, True),
    "all actions of a service": ({"Action": ["sqs:*", "sns:*"]}, True),
    "every action": ({"Action": "*"}, True),
    "brackets are no wildcards": ({"Action": "sns:[P]ublish"}, False),
    "another action": ({"Action": ["sns:Subscribe", "sqs:*"]}, False),
    "no action": ({"Action": []}, None),
    "an action that is no text": ({"Action": [7]}, None),
    "other actions": ({"Action": ..., "NotAction": "sns:Subscribe"}, True),
    "all but this action": ({"Action": ..., "NotAction": "SNS:Pub*"}, False),
    "both": ({"NotAction": "sns:Subscribe"}, None),
    "the resource": ({"Resource": TOPIC}, True),
    "the resource in another case": ({"Resource": TOPIC.upper()}, False),
    "a wildcard in a resource": ({"Resource": f"arn:aws:sns:*:{OURS}:al?rt*"}, True),
    "a wildcard across parts": ({"Resource": "arn:aws:sns:*:alerts"}, None),
    "an ARN cut short": ({"Resource": "arn:aws:sns"}, None),
    "an ARN cut short, with a wildcard": ({"Resource": "arn:aws:sns:*"}, True),
    "another resource": ({"Resource": [QUEUE, TOPIC + "2"]}, False),
    "other resources": ({"Resource": ..., "NotResource": QUEUE}, True),
    "all but this resource": ({"Resource": ..., "NotResource": TOPIC}, False),
    "no resource at all": ({"Resource": ...}, None),
    "an effect in another case": ({"Effect": "allow"}, None),
    "an element that does not exist": ({"Conditions": {}}, None),
    "a condition that is null": ({"Condition": None}, None),
    "a condition that is empty": ({"Condition": {}}, True),
    "a user's name in a resource": ({"Resource": TOPIC[:-6] + "${aws:username}"}, None),
    "a known variable in a resource": (
        {"Resource": "arn:aws:sns:eu-west-1:*:${aws:PrincipalTag/team}"},
        True,
    ),
    "a default in a resource": ({"Resource": "arn:aws:sns:eu-west-1:*:${aws:userid, 'alerts'}"}, True),
}


@pytest.mark.parametrize(("changes", "verdict"), ELEMENTS.values(), ids=ELEMENTS)
def test_elements(changes: dict[str, Any], verdict: bool | None):
    """Action, Resource, their opposites, and what is malformed. (... takes an element away.)"""
    statement = {key: value for key, value in {**allow(), **changes}.items() if value is not ...}

    assert (
        allows(policy(statement), with_context({"aws:PrincipalTag/team": "alerts", "aws:userid": None}))
        is verdict
    )


CONTEXT = {
    "aws:SourceArn": RULE,
    "aws:SourceAccount": OURS,
    "aws:SourceOrgID": None,
    "aws:SecureTransport": "true",
    "aws:CurrentTime": "2026-05-01T12:00:00Z",
    "aws:EpochTime": "1777636800",
    "aws:SourceIp": "203.0.113.7",
    "aws:MultiFactorAuthAge": "300",
    "aws:TagKeys": ["team", "cost"],
    "aws:Empty": [],
    "x:Binary": "QmluYXJ5",
    "x:Maybe": Either(("yes", None)),
    "x:Star": "al*",
    "x:Name": "findings",
}
CONDITIONS = {
    "equal": ({"StringEquals": {"aws:SourceAccount": OURS}}, True),
    "equal, key in another case": ({"StringEquals": {"AWS:sourceaccount": OURS}}, True),
    "one of several values": ({"StringEquals": {"aws:SourceAccount": [THEIRS, OURS]}}, True),
    "a number for a text": ({"StringEquals": {"aws:SourceAccount": int(OURS)}}, True),
    "equal takes no wildcard": ({"StringEquals": {"aws:SourceArn": "arn:*"}}, False),
    "unequal": ({"StringNotEquals": {"aws:SourceAccount": THEIRS}}, True),
    "unequal to none of several": ({"StringNotEquals": {"aws:SourceAccount": [THEIRS, OURS]}}, False),
    "two keys, one fails": (
        {"StringEquals": {"aws:SourceAccount": OURS, "aws:SourceArn": OTHER_RULE}},
        False,
    ),
    "two operators, one fails": (
        {"StringEquals": {"aws:SourceAccount": OURS}, "Bool": {"aws:SecureTransport": "false"}},
        False,
    ),
    "one fails, one is unknown": (
        {"StringEquals": {"aws:username": "x"}, "Bool": {"aws:SecureTransport": "false"}},
        False,
    ),
    "one holds, one is unknown": (
        {"StringEquals": {"aws:username": "x"}, "Bool": {"aws:SecureTransport": "true"}},
        None,
    ),
    "equal but for case": ({"StringEqualsIgnoreCase": {"x:Name": "FINDINGS"}}, True),
    "unequal even but for case": ({"StringNotEqualsIgnoreCase": {"x:Name": "FINDINGS"}}, False),
    "like": ({"StringLike": {"aws:SourceArn": "arn:*:rule/find????"}}, True),
    "like is about case": ({"StringLike": {"x:Name": "Find*"}}, False),
    "like is about the whole": ({"StringLike": {"x:Name": "find"}}, False),
    "not like": ({"StringNotLike": {"x:Name": ["a*", "b*"]}}, True),
    "ARN": ({"ArnEquals": {"aws:SourceArn": RULE}}, True),
    "ARN with wildcards": ({"ArnEquals": {"aws:SourceArn": "arn:aws:events:*:*:rule/*"}}, True),
    "ARN, one wildcard for two parts": (
        {"ArnLike": {"aws:SourceArn": "arn:aws:events:*:rule/findings"}},
        False,
    ),
    "ARN cut short": ({"ArnLike": {"aws:SourceArn": "arn:aws:events:*"}}, None),
    "ARN cut short of another service": ({"ArnLike": {"aws:SourceArn": "arn:aws:s3:*"}}, False),
    "ARN that is only a wildcard": ({"ArnLike": {"aws:SourceArn": "*"}}, None),
    "ARN operator on what is none": ({"ArnLike": {"x:Name": "arn:aws:s3:::x"}}, None),
    "ARN, not": ({"ArnNotLike": {"aws:SourceArn": OTHER_RULE}}, True),
    "number": ({"NumericEquals": {"aws:MultiFactorAuthAge": "300.0"}}, True),
    "number, not": ({"NumericNotEquals": {"aws:MultiFactorAuthAge": 300}}, False),
    "number, less": ({"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}}, True),
    "number, less or equal": ({"NumericLessThanEquals": {"aws:MultiFactorAuthAge": 300}}, True),
    "number, greater": ({"NumericGreaterThan": {"aws:MultiFactorAuthAge": 300}}, False),
    "number, greater or equal": ({"NumericGreaterThanEquals": {"aws:MultiFactorAuthAge": 300}}, True),
    "number that is none": ({"NumericLessThan": {"aws:MultiFactorAuthAge": "soon"}}, None),
    "number that is NaN": ({"NumericLessThan": {"aws:MultiFactorAuthAge": "nan"}}, None),
    "date before": ({"DateLessThan": {"aws:CurrentTime": "2026-06-01"}}, True),
    "date at or before": ({"DateLessThanEquals": {"aws:CurrentTime": "2026-05-01T12:00:00+00:00"}}, True),
    "date after": ({"DateGreaterThan": {"aws:CurrentTime": "2026-06-01T00:00:00Z"}}, False),
    "date at or after, in seconds": (
        {"DateGreaterThanEquals": {"aws:EpochTime": "2026-01-01T00:00:00Z"}},
        True,
    ),
    "date, equal": ({"DateEquals": {"aws:CurrentTime": "1777636800"}}, True),
    "date, not": ({"DateNotEquals": {"aws:CurrentTime": "2026-05-01T12:00:00Z"}}, False),
    "date of four digits": ({"DateLessThan": {"aws:CurrentTime": "2030"}}, None),
    "true": ({"Bool": {"aws:SecureTransport": True}}, True),
    "false": ({"Bool": {"aws:SecureTransport": "False"}}, False),
    "neither": ({"Bool": {"aws:SecureTransport": "yes"}}, None),
    "binary": ({"BinaryEquals": {"x:Binary": "QmluYXJ5"}}, True),
    "binary, other": ({"BinaryEquals": {"x:Binary": "AAAA"}}, False),
    "binary that is none": ({"BinaryEquals": {"x:Binary": "!"}}, None),
    "address": ({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, True),
    "address, several": ({"IpAddress": {"aws:SourceIp": ["2001:db8::/32", "203.0.113.7"]}}, True),
    "address, not": ({"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, False),
    "address that is none": ({"IpAddress": {"aws:SourceIp": "home"}}, None),
    "absent: equal": ({"StringEquals": {"aws:SourceOrgID": "o-abc"}}, False),
    "absent: unequal": ({"StringNotEquals": {"aws:SourceOrgID": "o-abc"}}, True),
    "absent: if it exists": ({"StringEqualsIfExists": {"aws:SourceOrgID": "o-abc"}}, True),
    "absent: unequal if it exists": ({"StringNotEqualsIfExists": {"aws:SourceOrgID": "o-abc"}}, True),
    "absent: all values": ({"ForAllValues:StringEquals": {"aws:SourceOrgID": "o-abc"}}, True),
    "absent: any value": ({"ForAnyValue:StringEquals": {"aws:SourceOrgID": "o-abc"}}, False),
    "absent: any value unequal": ({"ForAnyValue:StringNotEquals": {"aws:SourceOrgID": "o-abc"}}, False),
    "absent: null": ({"Null": {"aws:SourceOrgID": "true"}}, True),
    "absent: not null": ({"Null": {"aws:SourceOrgID": False}}, False),
    "present: null": ({"Null": {"aws:SourceArn": "true"}}, False),
    "present: not null": ({"Null": {"aws:SourceArn": "false"}}, True),
    "present: if it exists": ({"ArnLikeIfExists": {"aws:SourceArn": OTHER_RULE}}, False),
    "unknown: equal": ({"StringEquals": {"aws:username": "x"}}, None),
    "unknown: unequal": ({"StringNotEquals": {"aws:username": "x"}}, None),
    "unknown: null": ({"Null": {"aws:username": "true"}}, None),
    "unknown: if it exists": ({"StringLikeIfExists": {"aws:username": "*"}}, None),
    "unknown: all values": ({"ForAllValues:StringLike": {"aws:username": "*"}}, None),
    "maybe: it": ({"StringEquals": {"x:Maybe": "yes"}}, None),
    "maybe: another": ({"StringEquals": {"x:Maybe": "no"}}, False),
    "maybe: it, if it exists": ({"StringEqualsIfExists": {"x:Maybe": "yes"}}, True),
    "maybe: null": ({"Null": {"x:Maybe": "true"}}, None),
    "all values": ({"ForAllValues:StringLike": {"aws:TagKeys": ["team", "co*", "x"]}}, True),
    "all values, one is missing": ({"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}, False),
    "all values unequal": ({"ForAllValues:StringNotEquals": {"aws:TagKeys": ["owner"]}}, True),
    "any value": ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["cost"]}}, True),
    "any value, none": ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["owner"]}}, False),
    "several values without a set operator": ({"StringEquals": {"aws:TagKeys": "team"}}, None),
    "no values: all": ({"ForAllValues:StringEquals": {"aws:Empty": "x"}}, True),
    "no values: any": ({"ForAnyValue:StringEquals": {"aws:Empty": "x"}}, False),
    "no values: null": ({"Null": {"aws:Empty": "true"}}, None),
    "an operator that does not exist": ({"StringMatches": {"aws:SourceArn": "*"}}, None),
    "an operator in another case": ({"stringEquals": {"aws:SourceAccount": OURS}}, None),
    "a set operator that does not exist": ({"ForSomeValues:StringEquals": {"aws:TagKeys": "team"}}, None),
    "null if it exists": ({"NullIfExists": {"aws:SourceArn": "false"}}, None),
    "no values to compare with": ({"StringEquals": {"aws:SourceAccount": []}}, None),
    "an object to compare with": ({"StringEquals": {"aws:SourceAccount": {}}}, None),
    "keys that are a text": ({"StringEquals": "aws:SourceAccount"}, None),
    "variable": ({"StringLike": {"aws:SourceArn": "arn:*:${aws:SourceAccount}:rule/*"}}, True),
    "variable in an ARN": ({"ArnLike": {"aws:SourceArn": "arn:aws:events:*:*:rule/${x:Name}"}}, True),
    "variable that is unknown": ({"StringEquals": {"aws:SourceAccount": "${aws:PrincipalAccount}"}}, None),
    "variable that is unknown, beside one that fits": (
        {"StringEquals": {"aws:SourceAccount": ["${aws:PrincipalAccount}", OURS]}},
        True,
    ),
    "variable that is absent": ({"StringNotEquals": {"aws:SourceAccount": "${aws:SourceOrgID}"}}, None),
    "variable with a wildcard in it": ({"StringLike": {"x:Name": "${x:Star}"}}, None),
    "variable that stands for a star": ({"StringLike": {"x:Star": "al${*}"}}, True),
    "a star that stands for itself": ({"StringLike": {"x:Name": "find${*}"}}, False),
    "variable that is open": ({"StringLike": {"x:Name": "find${"}}, None),
    "brackets are no wildcards": ({"StringLike": {"x:Name": "[f]indings"}}, False),
}


@pytest.mark.parametrize(("condition", "verdict"), CONDITIONS.values(), ids=CONDITIONS)
def test_conditions(condition: Any, verdict: bool | None):
    """Every operator, on keys that are present, absent, perhaps absent and unknown."""
    call = with_context(CONTEXT)

    assert allows(policy(allow(Condition=condition)), call) is verdict
    denied = {True: False, False: True, None: None}[verdict]
    assert allows(policy(allow(), deny(Condition=condition)), call) is denied


VERSIONS = {
    "variables in the second": ("2012-10-17", "${aws:SourceAccount}", True),
    "plain text in the first": ("2008-10-17", "${aws:SourceAccount}", False),
    "no such version": ("2013-01-01", OURS, None),
}


@pytest.mark.parametrize(("version", "value", "verdict"), VERSIONS.values(), ids=VERSIONS)
def test_version(version: str, value: str, verdict: bool | None):
    """Only Version 2012-10-17 has policy variables."""
    statement = allow(**bound("aws:SourceAccount", value, "StringEquals"))

    assert allows(policy(statement, version=version), with_context(CONTEXT)) is verdict


def test_version_is_the_first_where_there_is_none():
    """Without a Version, ${...} is plain text."""
    document = policy(allow(**bound("aws:SourceAccount", "${aws:SourceAccount}", "StringEquals")))
    del document["Version"]

    assert allows(document, with_context(CONTEXT)) is False


COMBINED = {
    "one statement, not in a list": ({"Statement": allow()}, True),
    "no statements": (policy(), False),
    "only a deny": (policy(deny()), False),
    "an unknown deny, no allow": (policy(deny({"Robot": "x"})), False),
    "an unknown deny": (policy(allow(), deny({"Robot": "x"})), None),
    "an unknown deny, an unknown allow": (policy(allow({"Robot": "x"}), deny({"Robot": "x"})), None),
    "an unknown allow beside a known one": (policy(allow({"Robot": "x"}), allow()), True),
    "a deny beside an unknown one": (policy(allow(), deny({"Robot": "x"}), deny()), False),
    "a deny of something else": (policy(allow(), deny(action="sns:Subscribe")), True),
    "a statement that is none": ({"Statement": [allow(), "x"]}, None),
    "an effect that is none": (policy(allow(), allow(Effect="Perhaps")), None),
    "an effect that is none, of another action": (
        policy(allow(), allow(action="sqs:*", Effect="Perhaps")),
        True,
    ),
}


@pytest.mark.parametrize(("document", "verdict"), COMBINED.values(), ids=COMBINED)
def test_statements_together(document: Any, verdict: bool | None):
    """A deny wins; what is unknown is decided only by what is certain."""
    assert allows(document, request()) is verdict


@pytest.mark.parametrize(
    "document",
    [
        *(
            "",
            "{",
            "[]",
            "null",
            "7",
            '"x"',
            "{}",
            '{"Statement": 7}',
            '{"Statement": NaN}',
            b"\xff",
            None,
            7,
            [],
        ),
        '{"Statement": [{"Effect": "Deny", "Effect": "Allow"}]}',
        "[" * 100_000,
    ],
    ids=lambda document: repr(document)[:40],
)
def test_what_is_no_policy_is_an_error(document: Any):
    """Text that is no policy document raises, with a hint; it never answers."""
    with pytest.raises(PolicyError) as caught:
        allows(document, request())
    assert caught.value.hint


REASONS = {
    "allowed": (
        policy(PUBLISH_EVENTS),
        "statement 'Allow_Publish_Events' lets events.amazonaws.com call sns:Publish",
    ),
    "by number where there is no Sid": (
        policy(allow()),
        "statement 1 lets events.amazonaws.com call sns:Publish",
    ),
    "bound to another rule": (
        policy(allow(Sid="AllowEvents", **bound("aws:SourceArn", OTHER_RULE))),
        f"statement 'AllowEvents' is bound to aws:SourceArn {OTHER_RULE}",
    ),
    "default topic policy": (
        DEFAULT_TOPIC_POLICY,
        f"statement '__default_statement_ID' is bound to AWS:SourceOwner {OURS}",
    ),
    "many values": (
        policy(allow(**bound("aws:SourceAccount", ["1", "2", "3", "4", "5"], "StringEquals"))),
        "statement 1 is bound to aws:SourceAccount 1, 2, 3 and 2 more",
    ),
    "a negated operator": (
        policy(allow(**bound("aws:PrincipalServiceName", "events.amazonaws.com", "StringNotEquals"))),
        "statement 1 leaves out aws:PrincipalServiceName events.amazonaws.com",
    ),
    "null": (
        policy(allow(**bound("aws:PrincipalServiceName", "true", "Null"))),
        "statement 1 wants aws:PrincipalServiceName absent",
    ),
    "another resource": (policy(allow(resource=QUEUE)), "statement 1 is for another Resource"),
    "nobody": (policy(allow({"AWS": ROOT})), "no statement lets events.amazonaws.com call sns:Publish"),
    "denied": (
        policy(allow(), deny(Sid="No")),
        "statement 'No' denies events.amazonaws.com sns:Publish",
    ),
    "bound to this rule": (
        policy(allow(**bound("aws:SourceArn", RULE))),
        "statement 1 lets events.amazonaws.com call sns:Publish",
    ),
    "not known": (
        policy(allow(Sid="Home", **bound("aws:SourceIp", "10.0.0.0/8", "IpAddress"))),
        "statement 'Home' depends on aws:SourceIp, which is not known for this call, "
        "so it may or may not let events.amazonaws.com call sns:Publish",
    ),
    "may be denied": (
        policy(allow(Sid="Yes"), deny(Sid="Odd", Condition={"StringMatches": {"x": "y"}})),
        "statement 'Odd' has a condition 'StringMatches' that is not understood, so it may deny what statement 'Yes' "
        "allows",
    ),
}


@pytest.mark.parametrize(("document", "reason"), REASONS.values(), ids=REASONS)
def test_reason(document: Any, reason: str):
    """Each decision says in one sentence which statement decided, and why."""
    assert decide(document, TO_SNS).reason == reason


def test_decision_points_at_its_statement():
    """A mend can find the statement that decided."""
    found = decide(
        policy(allow({"AWS": ROOT}), allow(Sid="AllowEvents", **bound("aws:SourceArn", OTHER_RULE))), TO_SNS
    )

    assert (found.verdict, found.statement, found.sid) == (False, 1, "AllowEvents")


def test_strange_names_stay_on_one_line():
    """A Sid is a stranger's text: it is quoted, with what is not printable escaped."""
    assert decide(policy(allow(Sid="a\n\x1b[31m")), TO_SNS).reason.startswith(r"statement 'a\n\x1b[31m'")


def test_policy_is_not_changed():
    """Judging leaves the policy as it was."""
    document = policy(PUBLISH_EVENTS, TLS_ONLY)
    before = copy.deepcopy(document)

    decide(document, TO_SNS)

    assert document == before


def test_many_wildcards_take_no_time():
    """A pattern made to be slow is as quick as any other."""
    slow = "arn:aws:sns:eu-west-1:*:" + "*a" * 200 + "b"
    call = Request(principal="events.amazonaws.com", action="sns:Publish", resource=TOPIC + "a" * 5000)

    assert allows(policy(allow(resource=slow)), call) is False


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    ["aws:SourceArn", "aws:SourceAccount", "aws:SourceOrgID", "x:Maybe", "aws:username", "x:y"]
)
VALUES = st.sampled_from([RULE, OURS, "*", "yes", "true", "${aws:username}", "o-abc", "", "7", "2026-01-01"])
OPERATORS = st.sampled_from(
    [
        *(
            "StringEquals",
            "StringNotEquals",
            "StringLike",
            "ArnLike",
            "ArnNotEquals",
            "Bool",
            "Null",
            "IpAddress",
        ),
        *(
            "DateLessThan",
            "NumericLessThan",
            "BinaryEquals",
            "StringEqualsIfExists",
            "ForAllValues:StringLike",
        ),
        *("ForAnyValue:StringNotLike", "Strange"),
    ]
)
BLOCKS = st.dictionaries(
    OPERATORS,
    st.dictionaries(KEYS, VALUES | st.lists(VALUES, max_size=2), max_size=2),
    max_size=2,
)
PEOPLE = st.sampled_from(
    ["*", {"AWS": "*"}, EVENTS, {"AWS": ROOT}, {"AWS": [ROLE, OURS]}, {"Federated": "x"}, {"Service": "*"}]
)
CALLERS = st.sampled_from(["events.amazonaws.com", "sns.amazonaws.com", OURS, ROLE, SESSION, "x"])


def member(key: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return values.map(lambda value: {key: value})


def statements(
    people: st.SearchStrategy[Any], blocks: st.SearchStrategy[Any]
) -> st.SearchStrategy[dict[str, Any]]:
    """Statements of well-formed parts, with who is in them and on which conditions."""
    parts = (
        member("Effect", st.sampled_from(["Allow", "Deny"])),
        member("Principal", people) | member("NotPrincipal", people),
        member("Action", st.sampled_from(["*", "sns:*", ["sns:publish"], "sqs:*"]))
        | member("NotAction", st.just("sqs:*")),
        member("Resource", st.sampled_from(["*", TOPIC, "arn:aws:sns:*:alerts", "${x}"])),
        st.just({}) | member("Condition", blocks),
    )
    return st.tuples(*parts).map(lambda found: {key: value for part in found for key, value in part.items()})


def oddly(statement: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    return {**statement, key: value}


GOOD = statements(PEOPLE, BLOCKS)
ELEMENT_NAMES = st.sampled_from(["Effect", "Principal", "Action", "Resource", "Condition", "Sid", "Other"])
ODD = st.builds(oddly, GOOD, ELEMENT_NAMES, JSON)
STATEMENTS = st.one_of(GOOD, GOOD, GOOD, ODD)
POLICIES = st.lists(st.one_of(GOOD, GOOD, GOOD, GOOD, ODD, JSON), max_size=3).map(
    lambda found: policy(*found)
)
CALLS = CALLERS.map(
    lambda caller: Request(principal=caller, action="sns:Publish", resource=TOPIC, context=CONTEXT)
)
RANK = {False: 0, None: 1, True: 2}


@given(JSON, CALLS)
def test_any_json_is_an_answer_or_an_error(document: Any, call: Request):
    """Whatever the document is, the answer is not yes, or it is an error: never a crash."""
    for form in (document, json.dumps(document)):
        with contextlib.suppress(PolicyError):
            assert allows(form, call) is not True


@given(st.text() | st.binary(), CALLS)
def test_any_text_is_an_answer_or_an_error(text: str | bytes, call: Request):
    """Whatever the text is, the answer is not yes, or it is an error: never a crash."""
    with contextlib.suppress(PolicyError):
        assert allows(text, call) is not True


@given(POLICIES, CALLS, st.randoms(use_true_random=False))
def test_order_of_statements_is_irrelevant(document: dict[str, Any], call: Request, shuffled: random.Random):
    """Statements in any order give the same verdict."""
    statements = list(document["Statement"])
    shuffled.shuffle(statements)

    assert allows(policy(*statements), call) is allows(document, call)


@given(POLICIES, CALLS, STATEMENTS)
def test_a_deny_never_opens(document: dict[str, Any], call: Request, statement: dict[str, Any]):
    """One more Deny, whatever it says, never moves the verdict towards yes."""
    more = policy(*document["Statement"], {**statement, "Effect": "Deny"})

    assert RANK[allows(more, call)] <= RANK[allows(document, call)]


@given(POLICIES, CALLS, STATEMENTS)
def test_an_allow_never_closes(document: dict[str, Any], call: Request, statement: dict[str, Any]):
    """One more Allow, whatever it says, never moves the verdict towards no."""
    more = policy(*document["Statement"], {**statement, "Effect": "Allow"})

    assert RANK[allows(more, call)] >= RANK[allows(document, call)]


@given(POLICIES, CALLS, st.data())
def test_a_condition_on_an_allow_never_opens(document: dict[str, Any], call: Request, data: st.DataObject):
    """One more condition on one Allow, understood or not, never moves the verdict towards yes."""
    grants = [
        index
        for index, item in enumerate(document["Statement"])
        if isinstance(item, dict)
        and item.get("Effect") == "Allow"
        and isinstance(item.get("Condition", {}), dict)
    ]
    if not grants:
        return
    more = copy.deepcopy(document)
    chosen = more["Statement"][data.draw(st.sampled_from(grants))]
    operator = data.draw(OPERATORS.filter(lambda name: name not in chosen.get("Condition", {})))
    chosen["Condition"] = {**chosen.get("Condition", {}), operator: {data.draw(KEYS): data.draw(VALUES)}}

    assert RANK[allows(more, call)] <= RANK[allows(document, call)]


@given(POLICIES, CALLS, st.sampled_from(sorted(CONTEXT)))
def test_knowing_less_never_turns_the_verdict(document: dict[str, Any], call: Request, forgotten: str):
    """A key that is not known leaves the verdict as it was, or unknown; it never makes up another."""
    context = {key: value for key, value in CONTEXT.items() if key != forgotten}
    less = Request(principal=call.principal, action=call.action, resource=call.resource, context=context)

    assert allows(document, less) in (None, allows(document, call))
