"""The IAM policies that calls need: as few actions as the chosen checks read, in documents that IAM accepts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any

import msgspec

from postureaudit.aws.allowed import AS_LOG_ARCHIVE, IAM_ACTIONS
from postureaudit.aws.regions import DESCRIBE, LIST
from postureaudit.evidence import RefusalKind
from postureaudit.results import Unanswered

# IAM quotas, "IAM and AWS STS quotas, characters": a managed policy has 6,144, white space not counted.
MOST_CHARACTERS = 6144
# What every audit asks, whichever checks are chosen: the regions, and the account's name for people.
ALWAYS = frozenset({DESCRIBE.call, LIST.call, "iam:ListAccountAliases"})
# What a second opinion asks (`trace --verify-with-aws`).
VERIFYING = frozenset({"events:TestEventPattern", "logs:TestMetricFilter"})
# What listing an organization's accounts asks (aws/organization.py).
LISTING = frozenset(
    {
        "organizations:DescribeOrganization",
        "organizations:ListAccounts",
        "organizations:ListAccountsForParent",
        "organizations:ListOrganizationalUnitsForParent",
    }
)
# "No permissions are required to perform this operation" (STS API reference, GetCallerIdentity).
_FREE = frozenset({"sts:GetCallerIdentity"})
_VERSION = "2012-10-17"

Document = dict[str, Any]


class Managed(msgspec.Struct, frozen=True):
    """An AWS managed policy, as far as it matters: which of the actions that this program may need it allows."""

    name: str
    version: str
    updated: str
    source: str
    allows: frozenset[str]


class Denied(msgspec.Struct, frozen=True):
    """What a run was refused: the actions that a policy could allow, and the calls that no policy of ours mends."""

    actions: frozenset[str]
    by_organization: tuple[
        str, ...
    ]  # a service or resource control policy refuses: only its owner changes that
    roles: tuple[str, ...]  # accounts whose role could not be assumed


def actions(calls: Iterable[str]) -> frozenset[str]:
    """The IAM actions of these calls; what needs no permission has none. Raises KeyError for one that is not listed."""
    return frozenset(IAM_ACTIONS[call] for call in calls if call not in _FREE)


def for_log_archive() -> frozenset[str]:
    """The actions that the log archive's role needs."""
    return actions(AS_LOG_ARCHIVE)


def managed(name: str = "SecurityAudit") -> Managed:
    """What an AWS managed policy allows of this program's actions, of the day that the data names."""
    data = (files("postureaudit") / "data" / "managed_policies.json").read_bytes()
    return msgspec.json.decode(data, type=dict[str, Managed])[name]


def documents(
    names: Iterable[str], *, statements: Sequence[Document] = (), most: int = MOST_CHARACTERS
) -> list[Document]:
    """Policy documents that allow these actions, each within IAM's quota, the same for the same actions.

    Resource is "*": most of these reads list what is there and know no resource, and an audit that names its resources
    would not see the new ones. `statements` stand in the first document, before the actions.
    """
    found: list[Document] = []
    rest = sorted(set(names))
    before = list(statements)
    while rest or before:
        fits = len(rest)
        while fits and size(_document(before, rest[:fits], len(found))) > most:
            fits -= 1
        if not fits and rest and not before:
            raise ValueError(f"an action is longer than a policy may be: {rest[0]}")
        found.append(_document(before, rest[:fits], len(found)))
        rest, before = rest[fits:], []
    return found


def size(document: Document) -> int:
    """How many characters IAM counts of a document: all but white space."""
    return len("".join(msgspec.json.encode(document).decode().split()))


def assume(role_name: str, partition: str = "aws") -> Document:
    """The statement that lets a management account's principal enter the audited accounts' role."""
    return {
        "Sid": "PostureAuditEnter",
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Resource": f"arn:{partition}:iam::*:role/{role_name.lstrip('/')}",
    }


def trust(account: str, external_id: str | None = None, partition: str = "aws") -> Document:
    """The trust policy of an audited account's role: who of `account` may assume it is that account's to say."""
    statement: Document = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{partition}:iam::{account}:root"},
        "Action": "sts:AssumeRole",
    }
    if external_id:
        statement["Condition"] = {"StringEquals": {"sts:ExternalId": external_id}}
    return {"Version": _VERSION, "Statement": [statement]}


def denied(unanswered: Iterable[Unanswered]) -> Denied:
    """What a policy mends of the calls that a run was not answered; time-outs and the like are none of it."""
    found: set[str] = set()
    organization: set[str] = set()
    roles: set[str] = set()
    for item in unanswered:
        if item.kind == RefusalKind.SCP_DENIED:
            organization.add(item.call)
        elif item.kind != RefusalKind.DENIED:
            continue
        elif item.call == "sts:AssumeRole":
            roles.add(item.account)
        elif item.call in IAM_ACTIONS:
            found |= actions([item.call])
    return Denied(frozenset(found), tuple(sorted(organization)), tuple(sorted(roles)))


def _document(before: Sequence[Document], names: Sequence[str], index: int) -> Document:
    reads: Mapping[str, Any] = {
        "Sid": "PostureAudit" + (str(index + 1) if index else ""),
        "Effect": "Allow",
        "Action": list(names),
        "Resource": "*",
    }
    return {"Version": _VERSION, "Statement": [*before, *([dict(reads)] if names else [])]}
