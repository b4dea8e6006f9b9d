"""CloudTrail's resources: the region's coverage, the account, the organization, and each trail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Literal

import msgspec

from postureaudit.evidence import Absent, Json, Refusal
from postureaudit.resources import (
    Facet,
    Resource,
    ResourceType,
    ScopeKind,
    Shape,
    View,
    all_of,
    any_of,
    body,
    facts,
    malformed,
    member,
)
from postureaudit.services import buckets
from postureaudit.services.cloudtrail import bucket_fixes, coverage, delivery, investigation, searching
from postureaudit.services.cloudtrail.asks import key_account, key_asks, rotatable, rotation_ask
from postureaudit.services.cloudtrail.coverage import EVENT_CALLS, LIST_CALLS, STATUS_CALLS, Trail
from postureaudit.services.cloudtrail.selectors import EXCLUDABLE, READ, WRITE
from postureaudit.services.organizations import (
    DELEGATION_CALLS,
    LOG_ARCHIVE_CALLS,
    Delegated,
    acts_as_audit,
    delegation,
    is_log_archive,
    position,
)


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """What is recorded in a region, all logging trails together."""

    Logging: bool | Refusal
    ManagementReads: bool | Refusal
    ManagementWrites: bool | Refusal
    NothingLeftOut: bool | Refusal
    LeftOut: list[str]


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """The account's own trail that a fix would change; "" when it has none.

    For a region it is the one that logs there, if one does (`Here`), and `Logging` is whether it does so in the
    regions that it reaches; for the account, the multi-region one at home comes first.
    """

    TrailARN: str
    HomeRegion: str
    Logging: bool | Refusal
    Here: bool | Refusal
    S3BucketName: str


class AccountTrails(msgspec.Struct, frozen=True, kw_only=True):
    """What the trails record, in every audited region."""

    MultiRegion: bool | Refusal
    S3Writes: bool | Refusal
    S3Reads: bool | Refusal
    Lambda: bool | Refusal
    Insights: bool | Refusal


class Lake(msgspec.Struct, frozen=True, kw_only=True):
    """CloudTrail Lake's event data stores, but for those that wait for their deletion."""

    Present: bool | Refusal
    Encrypted: bool | Refusal
    Unencrypted: list[str]


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """The trail's bucket. `SameAccount` is relative to the trail's owner; KeptDays 36500 means for ever.

    `SizedDays` is what rules for objects of some sizes alone leave of log files, if they reach them; `SizesSpare` is
    true where there is no such rule, else unknown: nobody knows how large log files will be.

    `Owner` is the account that is proven to own it, "" for another: only there can it be changed, whoever owns the
    trail. `InArchive` and `Wanted` are as in buckets.Owner.
    `AtHome`: the audited account is the log archive, whose own trail may write to its own bucket.
    """

    Name: str
    Exists: bool | Refusal
    SameAccount: bool | Refusal
    Owner: str | Refusal
    InArchive: bool | Refusal
    Wanted: str
    AtHome: bool | Refusal
    Public: bool | Refusal
    SourceRestricted: bool | Refusal
    AccessLogging: bool | Refusal
    TamperProof: bool | Refusal
    KeptDays: int | Refusal
    SizedDays: int | Refusal
    SizesSpare: bool | Refusal
    Region: str


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """The trail's KMS key: its state as KMS says (or "NotFound", "None"), and the region it is in."""

    State: (
        Annotated[str, Shape("kms:DescribeKey", "KeyMetadata.KeyState")]
        | Literal["NotFound", "None"]
        | Refusal
    )
    Region: str


class Rotation(msgspec.Struct, frozen=True, kw_only=True):
    """`Can`: AWS can rotate the trail's key, and this account may ask whether it does; `Why` not.

    `Primary` is the region of the key's primary where it is a replica, which rotates with it; else "".
    """

    Can: bool | Refusal
    On: bool | Refusal
    Why: str
    Primary: str = ""


def regions(view: View) -> Iterator[Resource]:
    """One place a region: what is recorded there."""
    for region in view.regions:
        found = Coverage(
            Logging=coverage.covered(view, region),
            ManagementReads=coverage.covered(view, region, coverage.recording("management", READ)),
            ManagementWrites=coverage.covered(view, region, coverage.recording("management", WRITE)),
            NothingLeftOut=all_of(coverage.management(view, region, source=source) for source in EXCLUDABLE),
            LeftOut=coverage.left_out(view, region),
        )
        yield Resource(
            type="cloudtrail.region",
            account=view.account,
            region=region,
            facts=facts(
                Coverage=found,
                Candidate=_candidate(view, region),
                Present=_present(view),
                Selectors=_selectors(view, region),
            ),
        )


def _present(view: View) -> bool | Refusal:
    """Whether the account has a trail of its own in any audited region."""
    if coverage.own(view):
        return True
    return any_of(
        found if isinstance(found, Refusal) else False
        for found in (coverage.listed(view, region) for region in view.regions)
    )


def _candidate(view: View, region: str = "") -> Candidate:
    own = coverage.own(view, region)
    if not own:
        return Candidate(TrailARN="", HomeRegion="", Logging=False, Here=False, S3BucketName="")
    first = own[0]
    where = region if region and coverage.reaches(first, region) else first.home
    return Candidate(
        TrailARN=first.arn,
        HomeRegion=first.home,
        Logging=coverage.logging(view, first, where),
        Here=coverage.logs_in(view, first, region or first.home),
        S3BucketName=str(first.body.get("S3BucketName") or ""),
    )


def _selectors(view: View, region: str = "") -> Json | Refusal:
    """The candidate's selectors as AWS gives them, for the documents that merge."""
    own = coverage.own(view, region)
    if not own:
        return {}
    outcome = view.outcome("cloudtrail:GetEventSelectors", own[0].home, TrailName=own[0].arn)
    found = body(outcome)
    if isinstance(found, Refusal) or found.get("EventSelectors") or found.get("AdvancedEventSelectors"):
        return found
    return {"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": True}]}


def _insight_selectors(view: View) -> Json | Refusal:
    """The candidate's Insights as AWS gives them, for the document that merges."""
    own = coverage.own(view)
    if not own or own[0].body.get("HasInsightSelectors") is False:
        return {}
    return body(view.outcome("cloudtrail:GetInsightSelectors", own[0].home, TrailName=own[0].arn))


def account(view: View) -> Iterator[Resource]:
    """One place: what the account's trails record in every audited region."""
    found = AccountTrails(
        MultiRegion=_anywhere(view, _multi_region, multi=True),
        S3Writes=coverage.everywhere(view, "s3", WRITE),
        S3Reads=coverage.everywhere(view, "s3", READ),
        # Invoke is the one data event of functions, and CloudTrail calls it a write: WriteOnly records them all.
        Lambda=coverage.everywhere(view, "lambda", WRITE),
        Insights=_anywhere(view, _insights),
    )
    yield Resource(
        type="cloudtrail.account",
        account=view.account,
        region=None,
        facts=facts(
            Trails=found,
            Candidate=_candidate(view),
            Present=_present(view),
            Lake=_lake(view),
            Selectors=_selectors(view),
            Insights=_insight_selectors(view),
            Investigation=view.memo(investigation.investigation),
        ),
    )


def _anywhere(
    view: View, fact: Callable[[View, Trail], bool | Refusal], *, multi: bool = False
) -> bool | Refusal:
    """Whether one of the trails has the fact; a region that refused its list may hide one that has.

    A multi-region trail is listed in every region, so one region's list shows all that `multi` asks for.
    """
    hidden = [found for region in view.regions if isinstance(found := coverage.listed(view, region), Refusal)]
    if multi and len(hidden) < len(view.regions):
        hidden = []
    return any_of([*(fact(view, trail) for trail in coverage.trails(view)), *hidden])


def _multi_region(view: View, trail: Trail) -> bool | Refusal:
    if not trail.multi or trail.body.get("IncludeGlobalServiceEvents") is not True:
        return False
    return coverage.logging(view, trail, trail.home)


def _insights(view: View, trail: Trail) -> bool | Refusal:
    """Both kinds of Insights on management events are on, on a trail that logs."""
    found = member(
        view.outcome("cloudtrail:GetInsightSelectors", trail.home, TrailName=trail.arn),
        "InsightSelectors",
        [],
    )
    if isinstance(found, Refusal):
        on: bool | Refusal = False
        if trail.body.get("HasInsightSelectors") is not False:
            on = coverage.its_own(view, trail.arn, found)
    else:
        on = {"ApiCallRateInsight", "ApiErrorRateInsight"} <= {
            item.get("InsightType")
            for item in found
            if "Management" in (item.get("EventCategories") or ["Management"])
        }
    return all_of([coverage.logging(view, trail, trail.home), on])


def _lake(view: View) -> Lake:
    present: list[bool | Refusal] = []
    encrypted: list[bool | Refusal] = []
    names = []
    for region in view.regions:
        listed = member(view.outcome("cloudtrail:ListEventDataStores", region), "EventDataStores", [])
        if isinstance(listed, Refusal):
            present.append(listed)
            encrypted.append(listed)
            continue
        for arn in (item.get("EventDataStoreArn") for item in listed):
            store = body(view.outcome("cloudtrail:GetEventDataStore", region, EventDataStore=arn))
            if isinstance(store, Refusal):
                present.append(store)
                encrypted.append(store)
            elif store.get("Status") != "PENDING_DELETION":
                present.append(True)
                encrypted.append(bool(store.get("KmsKeyId")))
                names += [] if store.get("KmsKeyId") else [str(arn)]
    return Lake(Present=any_of(present), Encrypted=all_of(encrypted), Unencrypted=names)


def organization(view: View) -> Iterator[Resource]:
    """One place: does a trail record every account of the organization.

    A member that sees no such trail is sent to the management account, unless it administers CloudTrail or was named
    as the audit account: an organization trail is listed in every account of the organization.
    """
    where = position(view)
    trail = _anywhere(view, _organization_trail, multi=True)
    admins = delegation(view, "cloudtrail.amazonaws.com")
    ours = acts_as_audit(view) or view.account in admins.Accounts
    here: bool | Refusal = where.Role == "management" or ours or trail is True
    if isinstance(where.Role, Refusal):  # whether "no" matters depends on where this account stands
        trail, here = trail is True or where.Role, here or where.Role
    yield Resource(
        type="cloudtrail.organization",
        account=view.account,
        region=None,
        elsewhere="this account is in no organization" if where.Role == "standalone" else "",
        facts=facts(OrganizationTrail=trail, JudgedHere=here, Delegation=admins, Candidate=_candidate(view)),
    )


def _organization_trail(view: View, trail: Trail) -> bool | Refusal:
    if trail.body.get("IsOrganizationTrail") is not True or not trail.multi:
        return False
    return coverage.logging(view, trail, trail.home)


def trails(view: View) -> Iterator[Resource]:
    """One place a trail, in its home region; "*" for each region whose list was refused."""
    hidden = []
    for region in view.regions:
        found = coverage.listed(view, region)
        if isinstance(found, Refusal):
            hidden.append((region, found))
    for trail in coverage.trails(view):
        yield _trail(view, trail)
    for region, refusal in hidden:
        yield Resource(
            type="cloudtrail.trail",
            id="*",
            account=view.account,
            region=region,
            facts={facet.name: refusal for facet in TRAIL.facets},
        )


def _trail(view: View, trail: Trail) -> Resource:
    status = coverage.status(view, trail, trail.home)
    return Resource(
        type="cloudtrail.trail",
        id=trail.arn,
        account=view.account,
        region=trail.home,
        owner="" if trail.owner == view.account else trail.owner,
        elsewhere=f"it is judged in its own account {trail.owner}" if view.other(trail.owner) else "",
        facts=facts(
            Trail=trail.body,
            Delivery=delivery.delivery(view, trail, status, "LatestDeliveryTime", "LatestDeliveryError"),
            Digest=delivery.delivery(
                view, trail, status, "LatestDigestDeliveryTime", "LatestDigestDeliveryError"
            ),
            Logs=delivery.delivery(
                view,
                trail,
                status,
                "LatestCloudWatchLogsDeliveryTime",
                "LatestCloudWatchLogsDeliveryError",
            ),
            Bucket=_bucket(view, trail),
            BucketPolicy=bucket_fixes.policy(
                _settings(view, trail), trail.body, trail.owner or view.account, view.partition
            ),
            Lifecycle=_settings(view, trail).lifecycle(),
            Folders=_folders(trail),
            Key=_key(view, trail),
            Rotation=_rotation(view, trail),
            LogGroup=delivery.group(view, trail),
            HasLogGroup=bool(trail.body.get("CloudWatchLogsLogGroupArn")),
            HasKey=bool(trail.body.get("KmsKeyId")),
            Validated=trail.body.get("LogFileValidationEnabled") is True,
        ),
    )


def _bucket(view: View, trail: Trail) -> Bucket | Refusal:
    name = str(trail.body.get("S3BucketName") or "")
    if not name:
        return malformed("cloudtrail:DescribeTrails", trail.home, "a trail without a bucket")
    owner = buckets.owner(view, name, writer=trail.owner or view.account)
    settings = _settings(view, trail)
    kept = settings.kept(_folders(trail))
    found = Bucket(
        Name=name,
        Exists=owner.Exists,
        SameAccount=owner.SameAccount,
        Owner=owner.Account,
        InArchive=owner.InArchive,
        Wanted=owner.Wanted,
        AtHome=all_of([owner.SameAccount, is_log_archive(view)]),
        Public=settings.public(),
        SourceRestricted=settings.source_restricted("cloudtrail.amazonaws.com"),
        AccessLogging=settings.access_logging(),
        TamperProof=settings.tamper_proof(),
        KeptDays=kept.Days,
        SizedDays=kept.SizedDays,
        SizesSpare=kept.SizesSpare,
        Region=settings.region,
    )
    if (
        view.named.log_archive_role
    ):  # the log archive was asked, and what it refuses is not told anywhere else
        return found
    archive = f"account {trail.owner}, or in the log archive that holds bucket {name}"
    told = {
        item: coverage.its_own(view, trail.arn, value, archive)
        for item, value in msgspec.structs.asdict(found).items()
        if item != "Exists"
    }
    return msgspec.structs.replace(found, **told)


def _settings(view: View, trail: Trail) -> buckets.Settings:
    return buckets.Settings(view, str(trail.body.get("S3BucketName") or ""), trail.home)


def _folders(trail: Trail) -> tuple[str, ...]:
    """Where the trail's files lie, digests and Insights too: [PREFIX/]AWSLogs/[ORGANIZATION/]ACCOUNT/CloudTrail*."""
    paths = [f"AWSLogs/{trail.owner}/CloudTrail"]
    if trail.body.get("IsOrganizationTrail") is True:
        paths = ["AWSLogs/*/CloudTrail", "AWSLogs/o-*/*/CloudTrail"]
    before = str(trail.body.get("S3KeyPrefix") or "").strip("/")
    return tuple(f"{before}/{path}" if before else path for path in paths)


def _key(view: View, trail: Trail) -> Key:
    for ask in key_asks(trail.body):
        region = ask.region or trail.home
        outcome = view.outcome(ask.call, region, **ask.params)
        named = view.named
        if (
            isinstance(outcome, Refusal)
            and named.log_archive_role
            and key_account(trail.body) != view.account
        ):
            outcome = view.outcome_as(named.log_archive_account, ask.call, region, **ask.params)
        owner = view.other(key_account(trail.body))
        if isinstance(outcome, Refusal) and owner is not None:
            outcome = owner.outcome(ask.call, region, **ask.params)
        if isinstance(outcome, Absent):
            return Key(State="NotFound", Region=region)
        found = coverage.its_own(view, trail.arn, member(outcome, "KeyMetadata", {}))
        state = found if isinstance(found, Refusal) else str(found.get("KeyState") or "NotFound")
        return Key(State=state, Region=region)
    return Key(State="None", Region="")


def _rotation(view: View, trail: Trail) -> Rotation:
    for ask in key_asks(trail.body):
        region = ask.region or trail.home
        outcome = view.outcome(ask.call, region, **ask.params)
        key = coverage.its_own(view, trail.arn, member(outcome, "KeyMetadata", {}))
        if isinstance(key, Refusal):
            return Rotation(Can=key, On=key, Why="")
        owner = str(key.get("AWSAccountId") or "")
        if not key or not rotatable(key):
            return Rotation(Can=False, On=False, Why="AWS cannot rotate this key by itself")
        if owner != view.account:
            return Rotation(Can=False, On=False, Why=f"the key belongs to account {owner}: look there")
        if key.get("KeyState") not in ("Enabled", "Disabled"):
            return Rotation(Can=False, On=False, Why=f"the state of the key: {key.get('KeyState')}")
        asked = rotation_ask(ask)
        found = member(view.outcome(asked.call, region, **asked.params), "KeyRotationEnabled")
        if not isinstance(found, bool | Refusal):
            found = malformed(asked.call, region, "no rotation status")
        several = key.get("MultiRegionConfiguration") or {}
        replica = several.get("MultiRegionKeyType") == "REPLICA"
        primary = str((several.get("PrimaryKey") or {}).get("Region") or "?") if replica else ""
        return Rotation(Can=True, On=found, Why="", Primary=primary)
    return Rotation(Can=False, On=False, Why="the trail uses no KMS key")


_POSITION = ("organizations:DescribeOrganization",)

REGION = ResourceType(
    name="cloudtrail.region",
    scope=ScopeKind.REGION,
    none="no region audited",
    facets=(
        Facet(name="Coverage", calls=EVENT_CALLS, shape=Coverage),
        Facet(name="Candidate", calls=STATUS_CALLS, shape=Candidate),
        Facet(name="Present", calls=LIST_CALLS, shape=bool),
        Facet(name="Selectors", calls=EVENT_CALLS, shape=Shape("cloudtrail:GetEventSelectors", "")),
    ),
    produce=regions,
)
ACCOUNT = ResourceType(
    name="cloudtrail.account",
    scope=ScopeKind.ACCOUNT,
    none="no account audited",
    facets=(
        Facet(name="Trails", calls=(*EVENT_CALLS, "cloudtrail:GetInsightSelectors"), shape=AccountTrails),
        Facet(name="Candidate", calls=STATUS_CALLS, shape=Candidate),
        Facet(name="Present", calls=LIST_CALLS, shape=bool),
        Facet(
            name="Lake", calls=("cloudtrail:ListEventDataStores", "cloudtrail:GetEventDataStore"), shape=Lake
        ),
        Facet(name="Selectors", calls=EVENT_CALLS, shape=Shape("cloudtrail:GetEventSelectors", "")),
        Facet(
            name="Insights",
            calls=(*STATUS_CALLS, "cloudtrail:GetInsightSelectors"),
            shape=Shape("cloudtrail:GetInsightSelectors", ""),
        ),
        Facet(name="Investigation", calls=searching.CALLS, shape=investigation.Investigation),
    ),
    produce=account,
)
ORGANIZATION = ResourceType(
    name="cloudtrail.organization",
    scope=ScopeKind.ORGANIZATION,
    none="no organization",
    facets=(
        Facet(name="OrganizationTrail", calls=(*STATUS_CALLS, *_POSITION), shape=bool),
        Facet(
            name="JudgedHere",
            calls=(*STATUS_CALLS, *DELEGATION_CALLS),
            shape=bool,
            doc="false in a member account that sees no organization trail and does not administer CloudTrail",
        ),
        Facet(name="Delegation", calls=DELEGATION_CALLS, shape=Delegated),
        Facet(name="Candidate", calls=STATUS_CALLS, shape=Candidate),
    ),
    produce=organization,
)
TRAIL = ResourceType(
    name="cloudtrail.trail",
    scope=ScopeKind.RESOURCE,
    none="no trail here",
    facets=(
        Facet(name="Trail", calls=LIST_CALLS, shape=Shape("cloudtrail:DescribeTrails", "trailList[]")),
        Facet(name="Delivery", calls=STATUS_CALLS, shape=delivery.Delivery),
        Facet(name="Digest", calls=STATUS_CALLS, shape=delivery.Delivery),
        Facet(name="Logs", calls=STATUS_CALLS, shape=delivery.Delivery),
        Facet(name="Bucket", calls=(*LIST_CALLS, *buckets.SETTING_CALLS, *LOG_ARCHIVE_CALLS), shape=Bucket),
        Facet(
            name="BucketPolicy",
            calls=(*LIST_CALLS, *buckets.OWNER_CALLS, *LOG_ARCHIVE_CALLS, "s3:GetBucketPolicy"),
            shape=bucket_fixes.Policy,
        ),
        Facet(
            name="Lifecycle",
            calls=(
                *LIST_CALLS,
                *buckets.OWNER_CALLS,
                *LOG_ARCHIVE_CALLS,
                "s3:GetBucketLifecycleConfiguration",
            ),
            shape=Shape("s3:GetBucketLifecycleConfiguration", ""),
        ),
        Facet(name="Folders", calls=LIST_CALLS, shape=list[str], doc="where the trail's files lie"),
        Facet(name="Key", calls=(*LIST_CALLS, "kms:DescribeKey"), shape=Key),
        Facet(
            name="Rotation",
            calls=(*LIST_CALLS, "kms:DescribeKey", "kms:GetKeyRotationStatus"),
            shape=Rotation,
        ),
        Facet(name="LogGroup", calls=(*LIST_CALLS, "logs:DescribeLogGroups"), shape=delivery.LogGroup),
        Facet(name="HasLogGroup", calls=LIST_CALLS, shape=bool),
        Facet(name="HasKey", calls=LIST_CALLS, shape=bool),
        Facet(name="Validated", calls=LIST_CALLS, shape=bool),
    ),
    produce=trails,
)
TYPES = (REGION, ACCOUNT, ORGANIZATION, TRAIL)
