"""What to ask Macie in a region: whether it is on, then what it does with its findings, and who administers it."""

from __future__ import annotations

from postureaudit.asks import Ask, Collection, Fork, Scope
from postureaudit.evidence import Answer, Record
from postureaudit.services import administrators, buckets

MEMBERS = Ask("macie2:ListMembers", onlyAssociated="false")  # with their relationship, whatever it is
# Relationships in which the administrator decides; a paused member is resumed by its administrator.
MANAGED = ("Enabled", "Paused")


def collect(scope: Scope) -> Collection:
    """Ask whether Macie is on and follow it; the management account is told the administrator without."""
    delegation = administrators.ask_management(scope, Ask("macie2:ListOrganizationAdminAccounts"))
    (session,) = yield [Ask("macie2:GetMacieSession"), Fork([delegation])]
    if isinstance(session.outcome, Answer):
        yield [
            Ask("macie2:GetFindingsPublicationConfiguration"),
            Ask("securityhub:DescribeHub"),
            Fork([_export(scope), _relation(scope)]),
        ]


def _export(scope: Scope) -> Collection:
    """Where results are kept, and whose the bucket is."""
    (export,) = yield [Ask("macie2:GetClassificationExportConfiguration")]
    yield [
        ask
        for bucket in export.pick("configuration.s3Destination.bucketName")
        for ask in buckets.owner_asks(scope, bucket)
    ]


def _relation(scope: Scope) -> Collection:
    """What AWS tells standalone accounts and administrators only, unless this account is known to be a member."""
    (above,) = yield [Ask("macie2:GetAdministratorAccount")]
    if not is_member(above, scope.account):
        yield [
            Ask("macie2:GetAutomatedDiscoveryConfiguration"),
            Fork([administrators.ask_organized(scope, _organization())]),
        ]


def is_member(above: Record, account: str) -> bool:
    """Whether an answer of GetAdministratorAccount names another account that administers this one."""
    found = above.get("administrator") or {}
    return found.get("accountId") not in (None, "", account) and found.get("relationshipStatus") in MANAGED


def _organization() -> Collection:
    """Only the administrator is told the organization's settings, and only it has members."""
    (settings,) = yield [Ask("macie2:DescribeOrganizationConfiguration")]
    if isinstance(settings.outcome, Answer):
        yield [MEMBERS]
