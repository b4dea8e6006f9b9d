"""Which account has which role in the organization: management, audit, log archive, and what this one is."""

from __future__ import annotations

from collections import Counter

import msgspec

from postureaudit.evidence import Answer, Json, Refusal, RefusalKind
from postureaudit.resources import View
from postureaudit.services import buckets
from postureaudit.services.organizations.accounts import (
    DELEGATION_CALLS,
    delegations,
    not_delegated,
    position,
)

# Service principals of what finds or records, by the names people know (service authorization reference).
PRINCIPALS = {
    "access-analyzer.amazonaws.com": "Access Analyzer",
    "account.amazonaws.com": "Account Management",
    "cloudtrail.amazonaws.com": "CloudTrail",
    "config.amazonaws.com": "Config",
    "config-multiaccountsetup.amazonaws.com": "Config",
    "detective.amazonaws.com": "Detective",
    "fms.amazonaws.com": "Firewall Manager",
    "guardduty.amazonaws.com": "GuardDuty",
    "inspector2.amazonaws.com": "Inspector",
    "macie.amazonaws.com": "Macie",
    "security-ir.amazonaws.com": "Security Incident Response",
    "securityhub.amazonaws.com": "Security Hub",
    "securitylake.amazonaws.com": "Security Lake",
}
# Whose administrators need not be the security account: AWS's Security Reference Architecture gives Security Lake to
# the log archive, and account.amazonaws.com is about contacts.
ELSEWHERE = ("account.amazonaws.com", "securitylake.amazonaws.com")
# What wanted_administrator and acts_as_audit read beside what the caller named.
AUDIT_CALLS = ("organizations:DescribeOrganization",)
# What is_log_archive reads, and what apart does.
LOG_ARCHIVE_CALLS = (*AUDIT_CALLS, "cloudtrail:DescribeTrails", *buckets.OWNER_CALLS)
APART_CALLS = (*DELEGATION_CALLS, *LOG_ARCHIVE_CALLS)


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """An account in a role, "" where there is none, and how that is known: "given" or "found by ..."."""

    Account: str | Refusal
    How: str


class Apart(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the audit account and the log archive are two accounts.

    `Known`: both are, as the caller named them, or as Organizations and the organization trail's bucket show them;
    `Why` says what is not known. The two accounts are "" where they are not.
    """

    Known: bool | Refusal
    Two: bool | Refusal
    Audit: str
    LogArchive: str
    Why: str


class Roles(msgspec.Struct, frozen=True, kw_only=True):
    """Who does what in the organization, and what this account is, in words ("management account of o-1").

    `Own` is empty where nothing is known. `Delegated` are the services that this account administers.
    """

    Management: Found
    Audit: Found
    LogArchive: Found
    Own: list[str]
    Delegated: list[str]


def roles(view: View) -> Roles:
    """The roles, each from what the caller named, else from what Organizations and the services say."""
    return view.memo(_roles)


def _roles(view: View) -> Roles:
    where = position(view)
    manager = where.ManagementAccount
    administered = _administered(view)
    archive = _log_archive(view)
    audit = _audit(view)
    own: list[str] = []
    if where.Role == "standalone":
        own.append("standalone")
    if where.Role == "management":
        own.append(f"management account of {where.OrganizationId}")
    if administered:
        own.append(f"delegated administrator of {', '.join(administered)}")
    if view.account == audit.Account and audit.How == "given":
        own.append("audit account (given)")
    if view.account == archive.Account:
        own.append("log archive" + (" (given)" if archive.How == "given" else ""))
    if where.Role == "member":
        own.append(f"member of {where.OrganizationId}")
    return Roles(
        Management=Found(
            Account=manager or "", How="found by Organizations" if isinstance(manager, str) else ""
        ),
        Audit=audit,
        LogArchive=archive,
        Own=own,
        Delegated=administered,
    )


def said(view: View) -> str:
    """This account's roles for a report's head; "" where nothing is known."""
    return ", ".join(roles(view).Own)


def wanted_administrator(view: View) -> str:
    """The account that has to be every service's delegated administrator; "" where any but the management account is.

    The management account is never wanted: Organizations does not take it for most services, and AWS advises against
    it for the others (AWS Security Reference Architecture, "Security Tooling account").
    """
    named = view.named.audit_account
    return "" if named == position(view).ManagementAccount else named


def wanted_log_archive(view: View) -> str:
    """The account that the caller named as log archive; "" where none was, or the management account was."""
    named = view.named.log_archive_account
    return "" if named == position(view).ManagementAccount else named


def acts_as_audit(view: View) -> bool:
    """Whether the caller named this member as the audit account: it is asked what others are sent elsewhere for."""
    return view.account == view.named.audit_account and position(view).Role == "member"


def is_log_archive(view: View) -> bool | Refusal:
    """Whether this account is the log archive: named so, or the owner of the organization trail's bucket.

    An organization trail is listed in every account and, being multi-region, in every region: one list shows it.
    """
    account = roles(view).LogArchive.Account
    if view.named.log_archive_account or account == view.account:
        return account == view.account
    if position(view).Role in ("standalone", "management") or isinstance(account, Refusal):
        return account if isinstance(account, Refusal) else False
    listed = [
        record.outcome
        for region in view.regions
        for record in view.evidence.of("cloudtrail:DescribeTrails", view.account, region)
    ]
    hidden = [item for item in listed if isinstance(item, Refusal)]
    if not listed:
        return Refusal(RefusalKind.NOT_COLLECTED, call="cloudtrail:DescribeTrails", region=view.first)
    return hidden[0] if len(hidden) == len(listed) else False


def apart(view: View) -> Apart:
    """Whether one account holds the logs and another administers, as far as both are known here.

    Only the account that holds the organization trail's bucket is known to be the log archive without being named;
    nobody else is told whose a foreign bucket is. The audit account is the one that administers most of the security
    services, as Organizations says.
    """
    archive = roles(view).LogArchive.Account
    audit = view.named.audit_account or _most_delegated(view)
    if not isinstance(archive, Refusal) and not archive:
        text = "which account is the log archive is not known here: name it with --log-archive-account"
        return Apart(Known=False, Two=False, Audit="", LogArchive="", Why=f"{text}, or look in that account")
    if isinstance(archive, Refusal) or isinstance(audit, Refusal):
        hidden = next(item for item in (archive, audit) if isinstance(item, Refusal))
        return Apart(Known=hidden, Two=hidden, Audit="", LogArchive="", Why="")
    if not audit:
        text = "which account is the audit account is not known here: name it with --audit-account"
        manager = position(view).ManagementAccount
        where = f", or look in the management account {manager}" if isinstance(manager, str) else ""
        return Apart(Known=False, Two=False, Audit="", LogArchive=archive, Why=text + where)
    return Apart(Known=True, Two=audit != archive, Audit=audit, LogArchive=archive, Why="")


def _most_delegated(view: View) -> str | Refusal:
    """The account that most security services are delegated to; "" for a tie, or where this account is not told."""
    listed = view.memo(delegations)
    if isinstance(listed, Refusal):
        told = position(view).Role != "member" or not not_delegated(listed)
        return listed if told else ""
    counts = Counter(
        {
            account: len({name for name in principals if name in PRINCIPALS and name not in ELSEWHERE})
            for account, principals in listed.items()
        }
    )
    ranked = [item for item in counts.most_common(2) if item[1]]
    alone = len(ranked) == 1 or (len(ranked) == 2 and ranked[0][1] > ranked[1][1])
    return ranked[0][0] if alone else ""


def _services(view: View) -> dict[str, str]:
    """Each service's delegated administrator, as far as anyone says: by Organizations, the service, or itself."""
    found: dict[str, str] = {}
    listed = view.memo(delegations)
    for account, principals in ({} if isinstance(listed, Refusal) else listed).items():
        found |= {PRINCIPALS[name]: account for name in principals if name in PRINCIPALS}
    for service, title, named in (
        ("guardduty", "GuardDuty", "AdminAccountId"),
        ("securityhub", "Security Hub", "AccountId"),
    ):
        for item in _members_of(view, f"{service}:ListOrganizationAdminAccounts", "AdminAccounts"):
            found.setdefault(title, str(item.get(named)))
        if _answers_settings(view, service):
            found[title] = view.account
        for item in _members_of(view, f"{service}:GetAdministratorAccount", "Administrator"):
            if item.get("AccountId"):
                found.setdefault(title, str(item["AccountId"]))
    return found


def _members_of(view: View, call: str, name: str) -> list[dict[str, Json]]:
    """What a call's answers hold under a name, in all regions."""
    found: list[dict[str, Json]] = []
    for region in view.regions:
        for record in view.evidence.of(call, view.account, region):
            value = record.get(name)
            found += [item for item in (value if isinstance(value, list) else [value]) if item]
    return [item for item in found if isinstance(item, dict)]


def _answers_settings(view: View, service: str) -> bool:
    """Only an organization's administrator is told its settings (API reference, DescribeOrganizationConfiguration)."""
    call = f"{service}:DescribeOrganizationConfiguration"
    return any(
        isinstance(record.outcome, Answer)
        for region in view.regions
        for record in view.evidence.of(call, view.account, region)
    )


def _administered(view: View) -> list[str]:
    """The services that this account is delegated to administer, by name."""
    return sorted(title for title, account in _services(view).items() if account == view.account)


def _audit(view: View) -> Found:
    """The account that was named, else the one that most services are delegated to; a tie names none."""
    if view.named.audit_account:
        return Found(Account=view.named.audit_account, How="given")
    aside = {PRINCIPALS[name] for name in ELSEWHERE}
    by_service = {title: admin for title, admin in _services(view).items() if title not in aside}
    ranked = Counter(by_service.values()).most_common(2)
    if ranked and (len(ranked) == 1 or ranked[0][1] > ranked[1][1]):
        account = ranked[0][0]
        names = sorted(title for title, admin in by_service.items() if admin == account)
        return Found(Account=account, How=f"found by {', '.join(names)}")
    listed = view.memo(delegations)
    return Found(Account=listed if isinstance(listed, Refusal) and not ranked else "", How="")


def _log_archive(view: View) -> Found:
    """The account that was named, else this one where it holds the organization trail's bucket and no trail of it.

    Whose a foreign bucket is AWS tells nobody: it is proven for accounts that can be asked (services/buckets.py).
    A Refusal where AWS does not say whether the bucket is this account's.
    """
    if view.named.log_archive_account:
        return Found(Account=view.named.log_archive_account, How="given")
    trails = [
        item
        for region in view.regions
        for record in view.evidence.of("cloudtrail:DescribeTrails", view.account, region)
        for item in record.get("trailList") or []
        if isinstance(item, dict) and item.get("IsOrganizationTrail") is True and item.get("S3BucketName")
    ]
    hidden: Refusal | None = None
    for item in trails:
        mine = buckets.owner(view, str(item["S3BucketName"]), writer=view.account).SameAccount
        if str(item.get("TrailARN") or "").split(":")[4:5] == [view.account]:
            continue
        if mine is True:
            return Found(Account=view.account, How="found by CloudTrail and S3")
        hidden = mine if isinstance(mine, Refusal) else hidden
    return Found(Account=hidden or "", How="")
