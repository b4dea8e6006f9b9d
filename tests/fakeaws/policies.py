"""Resource policies: the ones AWS makes by itself, and statements that let a service in."""

from __future__ import annotations

import json

from .basics import Json

_TOPIC_ACTIONS = (
    *("GetTopicAttributes", "SetTopicAttributes", "AddPermission", "RemovePermission", "DeleteTopic"),
    *("Subscribe", "ListSubscriptionsByTopic", "Publish"),
)


def policy(*statements: Json) -> str:
    """A policy document of statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def as_text(document: Json | str | None) -> str | None:
    """A policy given as a document or as its text."""
    return json.dumps(document) if isinstance(document, dict) else document


def allow_service(
    service: str,
    action: str | list[str],
    resource: str,
    *,
    source_arn: str | list[str] | None = None,
    source_account: str | None = None,
    sid: str | None = None,
) -> Json:
    """A statement that lets a service principal act on a resource, for a source or for anyone's."""
    found: Json = {"Effect": "Allow", "Principal": {"Service": service}, "Action": action}
    found["Resource"] = resource
    conditions: Json = {}
    if source_arn:
        conditions["ArnLike"] = {"aws:SourceArn": source_arn}
    if source_account:
        conditions["StringEquals"] = {"aws:SourceAccount": source_account}
    if conditions:
        found["Condition"] = conditions
    return {"Sid": sid, **found} if sid else found


def default_topic_statement(topic: str) -> Json:
    """What a topic's policy says until somebody replaces it: the owner's principals, and no service."""
    return {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{name}" for name in _TOPIC_ACTIONS],
        "Resource": topic,
        "Condition": {"StringEquals": {"AWS:SourceOwner": topic.split(":")[4]}},
    }


def topic_policy(topic: str, *statements: Json) -> str:
    """A topic's policy: the default statement, and what is added to it."""
    found = {"Version": "2008-10-17", "Id": "__default_policy_ID"}
    return json.dumps({**found, "Statement": [default_topic_statement(topic), *statements]})


def managed_key_policy(service: str, region: str, account: str) -> str:
    """The policy of an AWS managed key: through its service and for its account only; nobody may change it."""
    through = {
        "Sid": f"Allow access through {service.upper()} for all principals in the account that are "
        f"authorized to use {service.upper()}",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [
            *("kms:Decrypt", "kms:GenerateDataKey*", "kms:CreateGrant", "kms:ListGrants", "kms:DescribeKey"),
        ],
        "Resource": "*",
        "Condition": {
            "StringEquals": {
                "kms:ViaService": f"{service}.{region}.amazonaws.com",
                "kms:CallerAccount": account,
            }
        },
    }
    metadata = {
        "Sid": "Allow direct access to key metadata to the account",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"],
        "Resource": "*",
    }
    found = {"Version": "2012-10-17", "Id": f"auto-{service}-1"}
    return json.dumps({**found, "Statement": [through, metadata]})
