"""What to ask Inspector in a region: what it scans, what there is to scan, and who administers it."""

from __future__ import annotations

from collections.abc import Iterable

from postureaudit.asks import Ask, Collection, Fork, Scope
from postureaudit.evidence import Answer
from postureaudit.services import administrators, workloads

STATUS = Ask("inspector2:BatchGetAccountStatus")
MEMBERS = Ask("inspector2:ListMembers", onlyAssociated=False)
POLICY = "INSPECTOR_POLICY"
_ACCOUNTS_A_CALL = 100  # accountIds of BatchGetAccountStatus


def collect(scope: Scope) -> Collection:
    """Ask what is scanned and what is there; in an organization, who administers and what a policy sets."""
    yield [
        STATUS,
        *workloads.scanned(),
        Fork(
            [
                administrators.ask_management(scope, Ask("inspector2:ListDelegatedAdminAccounts")),
                administrators.ask_organized(scope, _organization(scope)),
            ]
        ),
    ]


def policy_ask(leader: str) -> Ask:
    """The Inspector policy that Organizations works out for this account; any account may ask for its own."""
    return Ask("organizations:DescribeEffectivePolicy", region=leader, PolicyType=POLICY)


def _organization(scope: Scope) -> Collection:
    """Only the delegated administrator is told the organization's settings, and only it has members."""
    admin, _ = yield [Ask("inspector2:GetDelegatedAdminAccount"), policy_ask(scope.leader)]
    if admin.pick("delegatedAdmin.accountId") not in ([], [scope.account]):
        return
    (settings,) = yield [Ask("inspector2:DescribeOrganizationConfiguration")]
    if not isinstance(settings.outcome, Answer):
        return
    (members,) = yield [MEMBERS]
    yield [*status_asks(members.pick("members[?relationshipStatus=='ENABLED'].accountId"))]


def status_asks(accounts: Iterable[str]) -> Iterable[Ask]:
    """The questions about the status of members, as many accounts a call as AWS takes."""
    ids = sorted(set(accounts))
    for start in range(0, len(ids), _ACCOUNTS_A_CALL):
        chunk = ids[start : start + _ACCOUNTS_A_CALL]
        yield Ask("inspector2:BatchGetAccountStatus", accountIds=chunk)
