"""What the policy of a bus or topic lets a stranger do: any principal of an account and organization nobody named."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping
from typing import Any

from postureaudit.evidence import Json, Refusal, RefusalKind
from postureaudit.signals.arns import Arn
from postureaudit.signals.policy import Decision, Either, PolicyError, Request, Value, decide

# Nobody's: AWS documents account ids as 12 digits and organization ids as o- with 10 characters or more.
_ACCOUNT, _ORGANIZATION = "000000000000", "o-0000000000"
_ADDRESS = "192.0.2.1"  # TEST-NET-1 (RFC 5737)
# Whoever calls chooses these as it likes, so that a condition on them keeps nobody out.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html
_FREE = frozenset(
    {
        *("events:source", "events:detail-type", "events:eventbusinvocation"),
        *("sns:protocol", "aws:useragent", "aws:referer", "aws:multifactorauthpresent"),
    }
)
_FREE_KINDS = ("aws:principaltag/", "aws:requesttag/")


def may(policy: str | None, actions: Iterable[str], arn: str) -> list[str] | Refusal:
    """Those of the actions that a stranger may do by a resource's policy; a Refusal where that is not decided.

    What one action certainly allows counts, whatever is unknown of the others.
    """
    if not policy:
        return []
    try:
        document = _without_free_choice(policy)
        found = {action: _decided(document, action, arn) for action in actions}
    except PolicyError as error:
        return Refusal(RefusalKind.NOT_COLLECTED, message=error.message)
    allowed = [action for action, decision in found.items() if decision.verdict]
    unsure = next((item.reason for item in found.values() if item.verdict is None), "")
    if unsure and not allowed:
        return Refusal(RefusalKind.NOT_COLLECTED, message=f"the policy of {arn}: {unsure}")
    return allowed


def bounded(policy: str, actions: Iterable[str], arn: str, organization: str) -> dict[str, Json] | None:
    """The policy with the statements that let strangers in bound to the organization, or, without one, to the account.

    AWS services that act for the account keep their access, by aws:SourceAccount, where the statement is one of a
    topic, because topics are published to by services. None where that does not keep strangers out.
    """
    account, partition = Arn.parse(arn).account, Arn.parse(arn).partition
    document: dict[str, Any] = json.loads(policy)
    present = document.get("Statement")
    statements: list[Any] = present if isinstance(present, list) else [present]
    found: list[Any] = []
    for item in statements:
        alone = json.dumps({**document, "Statement": [item]})
        if isinstance(item, dict) and item.get("Effect") == "Allow" and may(alone, actions, arn):
            found += _closed(item, account, partition, organization, services=Arn.parse(arn).service == "sns")
        else:
            found.append(item)
    after = {**document, "Statement": found}
    return after if may(json.dumps(after), actions, arn) == [] else None


def _closed(
    item: Mapping[str, Any], account: str, partition: str, organization: str, *, services: bool
) -> list[dict[str, Any]]:
    if organization:
        first = _with(item, "aws:PrincipalOrgID", organization)
    else:
        first = {**item, "Principal": {"AWS": f"arn:{partition}:iam::{account}:root"}}
        first.pop("NotPrincipal", None)
    if not services:
        return [first]
    second = _with(item, "aws:SourceAccount", account)
    if "Sid" in second:
        second["Sid"] = f"{second['Sid']}OfServices"
    return [first, second]


def _with(item: Mapping[str, Any], key: str, value: str) -> dict[str, Any]:
    condition = copy.deepcopy(item.get("Condition") or {})
    condition["StringEquals"] = {**condition.get("StringEquals", {}), key: value}
    return {**item, "Condition": condition}


def _decided(document: Json, action: str, arn: str) -> Decision:
    """A call of the stranger's own, and one that a service makes for it: the most that one of them may."""
    found = [decide(document, request) for request in _requests(action, arn)]
    for verdict in (True, None):
        for decision in found:
            if decision.verdict is verdict:
                return decision
    return found[0]


def _requests(action: str, arn: str) -> tuple[Request, Request]:
    target = Arn.parse(arn)
    known: dict[str, Value] = {
        "aws:PrincipalAccount": _ACCOUNT,
        "aws:PrincipalArn": f"arn:{target.partition}:iam::{_ACCOUNT}:role/stranger",
        "aws:PrincipalOrgID": _ORGANIZATION,
        "aws:PrincipalOrgPaths": (f"{_ORGANIZATION}/r-0000/ou-0000-00000000/",),
        "aws:PrincipalIsAWSService": "false",
        "aws:PrincipalServiceName": None,
        "aws:SourceOwner": Either((None, _ACCOUNT)),
        "aws:SourceIp": _ADDRESS,
        "aws:SourceVpc": None,
        "aws:SourceVpce": None,
        "aws:SecureTransport": "true",
        "aws:RequestedRegion": target.region,
        "aws:ResourceAccount": target.account,
        "sns:Endpoint": "https://stranger.invalid/",
    }
    direct = {"aws:SourceArn": None, "aws:SourceAccount": None, "aws:SourceOrgID": None}
    through = {
        "aws:SourceArn": f"arn:{target.partition}:events:{target.region}:{_ACCOUNT}:rule/stranger",
        "aws:SourceAccount": _ACCOUNT,
        "aws:SourceOrgID": _ORGANIZATION,
    }
    who = f"arn:{target.partition}:iam::{_ACCOUNT}:root"
    return (
        Request(principal=who, action=action, resource=arn, context={**known, **direct}),
        Request(principal=who, action=action, resource=arn, context={**known, **through}),
    )


def _without_free_choice(policy: str) -> Json:
    """The policy as it binds somebody who chooses the free keys to suit it: no such condition, no such deny."""
    try:
        document = json.loads(policy)
    except ValueError:
        return policy  # decide says what is wrong with it
    if not isinstance(document, dict):
        return policy
    present = document.get("Statement")
    if not isinstance(present, list | dict):
        return policy
    found = []
    for item in present if isinstance(present, list) else [present]:
        condition = item.get("Condition") if isinstance(item, dict) else None
        if not isinstance(condition, dict):
            found.append(item)
            continue
        kept = {
            operator: {key: value for key, value in keys.items() if not _free(key)}
            if isinstance(keys, dict)
            else keys
            for operator, keys in condition.items()
        }
        if kept == condition:
            found.append(item)
        elif item.get("Effect") == "Allow":
            found.append({**item, "Condition": {name: keys for name, keys in kept.items() if keys}})
    return {**document, "Statement": found}


def _free(key: str) -> bool:
    return key.lower() in _FREE or key.lower().startswith(_FREE_KINDS)
