"""Macie in one region, for the account itself: its session, its administrator, and what it does with findings."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from postureaudit.evidence import Absent, Answer, Refusal
from postureaudit.resources import Shape, View, malformed, member
from postureaudit.services import buckets
from postureaudit.services.administrators import Manager
from postureaudit.services.macie.asks import MANAGED

SESSION = ("macie2:GetMacieSession",)
MANAGER = (*SESSION, "macie2:GetAdministratorAccount")
DISCOVERY = (*MANAGER, "macie2:GetAutomatedDiscoveryConfiguration")
PUBLICATION = (*SESSION, "macie2:GetFindingsPublicationConfiguration")
EXPORT = (*SESSION, "macie2:GetClassificationExportConfiguration")
EXPORT_OWNER = (*EXPORT, *buckets.OWNER_CALLS)
HUB = (*SESSION, "securityhub:DescribeHub")


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Whether Macie works here: `Status` is "off", or AWS's word."""

    On: bool | Refusal
    Status: Annotated[str, Shape("macie2:GetMacieSession", "status")] | Literal["off"] | Refusal


class Discovery(msgspec.Struct, frozen=True, kw_only=True):
    """Automated sensitive data discovery; `Members` is ALL, NEW or NONE ("" for an account without members)."""

    On: bool | Refusal
    Members: (
        Annotated[str, Shape("macie2:GetAutomatedDiscoveryConfiguration", "autoEnableOrganizationMembers")]
        | Literal[""]
        | Refusal
    )


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """Which findings Macie sends to Security Hub."""

    Policy: bool
    Sensitive: bool


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """Where the results of sensitive data discovery are kept beyond Macie's 90 days ("" where nowhere)."""

    Present: bool
    Bucket: str
    KeyPrefix: str
    KmsKeyArn: str


def session(view: View, region: str) -> Session:
    """The session. PAUSED is a suspended Macie: it keeps its settings and looks at nothing."""
    outcome = view.outcome("macie2:GetMacieSession", region)
    match outcome:
        case Absent():
            return Session(On=False, Status="off")
        case Refusal():
            return Session(On=outcome, Status=outcome)
        case Answer():
            status = outcome.body.get("status")
    if status not in ("ENABLED", "PAUSED"):
        hidden = malformed("macie2:GetMacieSession", region, "a session without a status")
        return Session(On=hidden, Status=hidden)
    return Session(On=status == "ENABLED", Status=status)


def manager(view: View, region: str) -> Manager:
    """The administrator that this account is a member of, by Organizations or by invitation."""
    if session(view, region).Status == "off":
        return Manager(Managed=False, Account="")
    found = member(view.outcome("macie2:GetAdministratorAccount", region), "administrator", {})
    if isinstance(found, Refusal):
        return Manager(Managed=found, Account=found)
    account = str(found.get("accountId") or "")
    managed = account not in ("", view.account) and found.get("relationshipStatus") in MANAGED
    return Manager(Managed=managed, Account=account)


def discovery(view: View, region: str) -> Discovery:
    """Whether Macie samples objects by itself: told to administrators and standalone accounts only."""
    call = "macie2:GetAutomatedDiscoveryConfiguration"
    outcome = view.outcome(call, region)
    status = member(outcome, "status")
    if not isinstance(status, Refusal) and status not in ("ENABLED", "DISABLED"):
        status = malformed(call, region, "a configuration without a status")
    if isinstance(status, Refusal):
        return Discovery(On=status, Members=status)
    return Discovery(
        On=status == "ENABLED", Members=str(member(outcome, "autoEnableOrganizationMembers") or "")
    )


def publication(view: View, region: str) -> Publication | Refusal:
    """What is sent to Security Hub; sensitive data findings are not, unless that was turned on."""
    call = "macie2:GetFindingsPublicationConfiguration"
    found = member(view.outcome(call, region), "securityHubConfiguration", {})
    if isinstance(found, Refusal):
        return found
    policy, sensitive = found.get("publishPolicyFindings"), found.get("publishClassificationFindings")
    if not isinstance(policy, bool) or not isinstance(sensitive, bool):
        return malformed(call, region, "settings that do not say what is published")
    return Publication(Policy=policy, Sensitive=sensitive)


def export(view: View, region: str) -> Export | Refusal:
    """Where results are kept. AWS takes no destination without a KMS key (API reference, S3Destination)."""
    found = member(view.outcome("macie2:GetClassificationExportConfiguration", region), "configuration", {})
    if isinstance(found, Refusal):
        return found
    destination = found.get("s3Destination") or {}
    bucket, key = (str(destination.get(name) or "") for name in ("bucketName", "kmsKeyArn"))
    return Export(
        Present=bool(bucket and key),
        Bucket=bucket,
        KeyPrefix=str(destination.get("keyPrefix") or ""),
        KmsKeyArn=key,
    )


def export_owner(view: View, region: str) -> buckets.Owner | Refusal:
    """Whose the bucket is that results are kept in."""
    found = export(view, region)
    if isinstance(found, Refusal):
        return found
    if not found.Bucket:
        return buckets.Owner(Name="", Exists=False, SameAccount=False)
    return buckets.owner(view, found.Bucket, writer=view.account)


def hub_on(view: View, region: str) -> bool | Refusal:
    """Whether Security Hub CSPM is on here, to take findings in."""
    outcome = view.outcome("securityhub:DescribeHub", region)
    return outcome if isinstance(outcome, Refusal) else isinstance(outcome, Answer)
