"""A role that a target is delivered with: does it exist, may EventBridge take it, and may it do what is asked."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from postureaudit.asks import Ask, Collection
from postureaudit.evidence import Absent, Json, Refusal
from postureaudit.resources import View, member
from postureaudit.signals import policy
from postureaudit.signals.arns import Arn
from postureaudit.signals.model import Hop, State
from postureaudit.signals.policy import PolicyError, Request

CALLS = (
    *("iam:GetRole", "iam:ListRolePolicies", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies"),
    *("iam:GetPolicy", "iam:GetPolicyVersion"),
)


def collect(arn: str, leader: str) -> Collection:
    """Ask for a role, its own policies and those attached to it. IAM lives in the leader region."""
    name = arn.rpartition("/")[2]
    _, inline, attached = yield list(_role_asks(name, leader))
    policies = attached.pick("AttachedPolicies[].PolicyArn")
    found = yield [
        *(Ask("iam:GetPolicy", region=leader, PolicyArn=item) for item in policies),
        *(
            Ask("iam:GetRolePolicy", region=leader, RoleName=name, PolicyName=item)
            for item in inline.pick("PolicyNames[]")
        ),
    ]
    yield [
        Ask("iam:GetPolicyVersion", region=leader, PolicyArn=item, VersionId=version)
        for item, record in zip(policies, found, strict=False)
        if (version := (record.get("Policy") or {}).get("DefaultVersionId"))
    ]


def may(view: View, arn: str, action: str, resource: str) -> Hop:
    """Whether EventBridge can deliver with this role. Service control policies are not seen from here."""
    return view.once(("role", arn, action, resource), lambda: _may(view, arn, action, resource))


def _may(view: View, arn: str, action: str, resource: str) -> Hop:
    name = arn.rpartition("/")[2]
    if (owner := Arn.parse(arn).account) != view.account:
        if (other := view.other(owner)) is not None:
            return may(other, arn, action, resource)
        reason = f"it belongs to account {owner}, which is not read here"
        return Hop(kind="role", name=arn, region=view.leader, state=State.LEAVES, reason=reason)
    role, _, _ = _role_asks(name, view.leader)
    outcome = view.outcome(role.call, view.leader, **role.params)
    found = member(outcome, "Role", {})
    if isinstance(found, Refusal):
        return _unknown(name, view, found)
    if isinstance(outcome, Absent):
        return _broken(name, view, "the role does not exist")
    trust = Request(principal="events.amazonaws.com", action="sts:AssumeRole", resource=arn)
    # A trust policy is about its own role and names no resource.
    trusts = _many(_parsed(found.get("AssumeRolePolicyDocument")).get("Statement"))
    document = {"Version": "2012-10-17", "Statement": [{"Resource": "*", **item} for item in trusts]}
    if (hop := _judged(document, trust, name, view, "does not trust EventBridge")) is not None:
        return hop
    if found.get("PermissionsBoundary"):
        reason = "its permissions boundary is not worked out"
        return Hop(kind="role", name=name, region=view.leader, state=State.UNKNOWN, reason=reason)
    statements = _statements(view, name)
    if isinstance(statements, Refusal):
        return _unknown(name, view, statements)
    wanted = Request(principal=arn, action=action, resource=resource)
    own = {"Version": "2012-10-17", "Statement": statements}
    hop = _judged(own, wanted, name, view, f"may not call {action} on {resource}")
    return hop or Hop(kind="role", name=name, region=view.leader)


def _role_asks(name: str, leader: str) -> tuple[Ask, Ask, Ask]:
    return (
        Ask("iam:GetRole", region=leader, RoleName=name),
        Ask("iam:ListRolePolicies", region=leader, RoleName=name),
        Ask("iam:ListAttachedRolePolicies", region=leader, RoleName=name),
    )


def _judged(document: Any, request: Request, name: str, view: View, problem: str) -> Hop | None:
    """The hop that a policy stops; None where it lets the request through."""
    try:
        verdict = policy.decide(document or {"Statement": []}, request).verdict
    except PolicyError as error:
        return Hop(kind="role", name=name, region=view.leader, state=State.UNKNOWN, reason=error.message)
    if verdict is None:
        reason = f"whether it {problem.replace('does not', 'does').replace('may not', 'may')} depends on conditions"
        return Hop(kind="role", name=name, region=view.leader, state=State.UNKNOWN, reason=reason)
    return None if verdict else _broken(name, view, f"the role {problem}")


def _statements(view: View, name: str) -> list[Json] | Refusal:
    """Every statement of the role's policies, each made to be about everyone: whose policies they are is settled."""
    documents: list[Any] = []
    _, inline, attached = _role_asks(name, view.leader)
    names = member(view.outcome(inline.call, view.leader, **inline.params), "PolicyNames", [])
    listed = member(view.outcome(attached.call, view.leader, **attached.params), "AttachedPolicies", [])
    for found in (names, listed):
        if isinstance(found, Refusal):
            return found
    for item in names:
        document = member(
            view.outcome("iam:GetRolePolicy", view.leader, RoleName=name, PolicyName=item), "PolicyDocument"
        )
        documents.append(document)
    for item in listed:
        documents.append(_attached(view, str(item.get("PolicyArn"))))
    for document in documents:
        if isinstance(document, Refusal):
            return document
    return [
        {**statement, "Principal": "*"}
        for document in documents
        for statement in _many(_parsed(document).get("Statement"))
    ]


def _attached(view: View, arn: str) -> Json | Refusal:
    found = member(view.outcome("iam:GetPolicy", view.leader, PolicyArn=arn), "Policy", {})
    if isinstance(found, Refusal):
        return found
    version = str(found.get("DefaultVersionId"))
    outcome = view.outcome("iam:GetPolicyVersion", view.leader, PolicyArn=arn, VersionId=version)
    held = member(outcome, "PolicyVersion", {})
    return held if isinstance(held, Refusal) else held.get("Document")


def _parsed(document: Any) -> dict[str, Json]:
    """A policy document as plain data: IAM sends text, which botocore reads."""
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except ValueError:
            return {"Statement": [{"Effect": "?"}]}  # not understood: the judge says unknown
    return document if isinstance(document, dict) else {}


def _many(value: Any) -> Iterable[dict[str, Json]]:
    return value if isinstance(value, list) else [value] if isinstance(value, dict) else []


def _unknown(name: str, view: View, refusal: Refusal) -> Hop:
    return Hop(
        kind="role",
        name=name,
        region=view.leader,
        state=State.UNKNOWN,
        reason=refusal.reason(),
        refusal=refusal,
    )


def _broken(name: str, view: View, reason: str) -> Hop:
    return Hop(kind="role", name=name, region=view.leader, state=State.BROKEN, reason=reason)
