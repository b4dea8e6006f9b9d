"""A log bucket: does it exist, whose is it, and is what it keeps safe; three-valued throughout."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from postureaudit.asks import Ask, Collection, Fork, Scope
from postureaudit.evidence import Absent, Answer, Json, Outcome, Record, Refusal, RefusalKind
from postureaudit.resources import View, all_of, any_of, body, member, not_

NEVER = 36500  # days: stands for "is never deleted"

OWNER_CALLS = ("s3:ListBuckets", "s3:HeadBucket")
SETTING_CALLS = (
    *OWNER_CALLS,
    "s3:GetBucketPolicy",
    "s3:GetBucketPolicyStatus",
    "s3:GetBucketAcl",
    "s3:GetPublicAccessBlock",
    "s3control:GetPublicAccessBlock",
    "s3:GetBucketVersioning",
    "s3:GetObjectLockConfiguration",
    "s3:GetBucketLogging",
    "s3:GetBucketLifecycleConfiguration",
)
_SETTINGS = tuple(
    call for call in SETTING_CALLS if call not in (*OWNER_CALLS, "s3control:GetPublicAccessBlock")
)
_EVERYONE = (
    "http://acs.amazonaws.com/groups/global/AllUsers",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
)


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """Whose a bucket is. `SameAccount` is relative to the account that writes to it.

    `Account` is the account that is proven to own it: this one, the log archive or another that was read in the same
    run; "" for any other.
    `InArchive`: it is in the log archive account that the caller named, true where none was; `Wanted` adds that to a
    sentence, where it is wanted and not known to be so.
    """

    Name: str
    Exists: bool | Refusal
    SameAccount: bool | Refusal
    Account: str | Refusal = ""
    InArchive: bool | Refusal = True
    Wanted: str = ""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """Days until a lifecycle rule deletes an object: by any size, and by some sizes alone (NEVER: no rule does)."""

    Days: int | Refusal
    SizedDays: int | Refusal
    SizesSpare: bool | Refusal


def owner_asks(scope: Scope, bucket: str) -> list[Ask | Fork]:
    """The questions that settle existence and ownership (S3 user guide, HeadBucket).

    Where the caller named the log archive account, the same is asked for it; with its own role, by it.
    """
    asks: list[Ask | Fork] = [
        Ask("s3:ListBuckets", region=scope.leader),
        Ask("s3:HeadBucket", region=scope.leader, Bucket=bucket),
        Ask("s3:HeadBucket", region=scope.leader, Bucket=bucket, ExpectedBucketOwner=scope.account),
    ]
    archive = scope.log_archive
    if archive and archive != scope.account:
        asks.append(Ask("s3:HeadBucket", region=scope.leader, Bucket=bucket, ExpectedBucketOwner=archive))
    if scope.archive:
        asks += [
            Ask("s3:ListBuckets", region=scope.leader, account=archive),
            Ask(
                "s3:HeadBucket",
                region=scope.leader,
                account=archive,
                Bucket=bucket,
                ExpectedBucketOwner=archive,
            ),
        ]
    return asks


def collect(scope: Scope, bucket: str, home: str) -> Collection:
    """Ask whose the bucket is, then, in its own region, how it is set up.

    A bucket that is not this account's is asked about as the log archive too, where there is a role for that.
    """
    records = yield owner_asks(scope, bucket)
    region = _region(bucket, records) or home
    mine = any(item.get("Name") == bucket for item in records[0].get("Buckets") or [])
    archive = "" if mine else scope.archive
    yield [
        *(Ask(call, region=region, Bucket=bucket) for call in _SETTINGS),
        Ask("s3control:GetPublicAccessBlock", region=scope.leader, AccountId=scope.account),
        *(Ask(call, region=region, account=archive, Bucket=bucket) for call in _SETTINGS if archive),
        *(
            Ask("s3control:GetPublicAccessBlock", region=scope.leader, account=name, AccountId=name)
            for name in [archive]
            if name
        ),
    ]


def _region(bucket: str, records: Iterable[Record | None]) -> str:
    """The region that a HeadBucket or a listing names, "" where none does."""
    for record in filter(None, records):
        if region := record.get("BucketRegion"):
            return str(region)
        entries = [item for item in record.get("Buckets") or [] if item.get("Name") == bucket]
        if entries and entries[0].get("BucketRegion"):
            return str(entries[0]["BucketRegion"])
    return ""


def owner(view: View, bucket: str, *, writer: str) -> Owner:
    """Existence and ownership, relative to the account `writer`."""
    listed = member(view.outcome("s3:ListBuckets", view.leader), "Buckets", [])
    head = view.outcome("s3:HeadBucket", view.leader, Bucket=bucket)
    owned = view.outcome("s3:HeadBucket", view.leader, Bucket=bucket, ExpectedBucketOwner=view.account)
    mine = _mine(bucket, listed, owned)
    archive = view.named.log_archive_account
    archived = _archived(view, bucket, mine, head)
    exists = True if archived is True else _exists(mine, listed, head, owned)
    same = _same(mine, head, view, writer)
    if archived is True and archive != view.account:
        same = writer == archive
    elif (known := view.bucket_owner(bucket)) and mine is not True:
        exists, same = True, writer == known
    return Owner(
        Name=bucket,
        Exists=exists,
        SameAccount=same,
        Account=_account(view, bucket, mine, archived),
        InArchive=archived if archive else True,
        Wanted=f"; it is not in log archive account {archive}" if archive and archived is False else "",
    )


def _account(view: View, bucket: str, mine: bool | Refusal, archived: bool | Refusal) -> str | Refusal:
    """The account that is proven to own the bucket; "" where it is some other, or nobody's."""
    if mine is True:
        return view.account
    if archived is True:
        return view.named.log_archive_account
    if known := view.bucket_owner(bucket):
        return known
    return mine if isinstance(mine, Refusal) else ""


def _archived(view: View, bucket: str, mine: bool | Refusal, head: Outcome) -> bool | Refusal:
    """Whether the bucket is in the log archive account that the caller named; False where none was named.

    HeadBucket with that account as the expected owner proves it by 200, and disproves it by 403 only where the same
    caller gets 200 without it. The log archive's own list of buckets decides as well.
    """
    archive = view.named.log_archive_account
    if not archive or mine is True:
        return bool(archive) and archive == view.account
    if archive == view.account:
        return mine
    if known := view.bucket_owner(bucket):
        return known == archive
    probed = view.outcome("s3:HeadBucket", view.leader, Bucket=bucket, ExpectedBucketOwner=archive)
    listed = member(view.outcome_as(archive, "s3:ListBuckets", view.leader), "Buckets", [])
    asked = view.outcome_as(archive, "s3:HeadBucket", view.leader, Bucket=bucket, ExpectedBucketOwner=archive)
    if isinstance(probed, Answer) or isinstance(asked, Answer):
        return True
    if not isinstance(listed, Refusal):
        return any(isinstance(item, dict) and item.get("Name") == bucket for item in listed)
    if any(isinstance(item, Absent) for item in (probed, asked)):
        return False
    if isinstance(head, Answer) and isinstance(probed, Refusal) and probed.code == "403":
        return False
    if view.named.log_archive_role:
        return listed
    return probed if isinstance(probed, Refusal) else listed


def _mine(bucket: str, listed: Json | Refusal, owned: Outcome) -> bool | Refusal:
    """Whether the bucket belongs to the account that asks. A 403 without the listing proves nothing."""
    if isinstance(listed, Refusal):
        if isinstance(owned, Answer):
            return True
        return False if isinstance(owned, Absent) else listed
    return any(isinstance(item, dict) and item.get("Name") == bucket for item in listed)


def _exists(mine: bool | Refusal, listed: Json | Refusal, head: Outcome, owned: Outcome) -> bool | Refusal:
    if mine is True or isinstance(head, Answer):
        return True
    if isinstance(head, Absent) or isinstance(owned, Absent):
        return False
    if isinstance(head, Refusal) and head.code == "403" and not isinstance(listed, Refusal):
        return True  # not ours, and S3 says "forbidden": somebody else's
    return head


def _same(mine: bool | Refusal, head: Outcome, view: View, writer: str) -> bool | Refusal:
    if writer == view.account:
        if mine is False and isinstance(head, Refusal) and head.code != "403":
            return head
        return mine
    if mine is True:
        return False  # ours, and somebody else's trail writes to it
    return Refusal(
        RefusalKind.NOT_COLLECTED, message=f"only account {writer} can tell", call="s3:ListBuckets"
    )


def _records(view: View, bucket: str) -> list[Record | None]:
    """The records that may name the bucket's region, those of HeadBucket first."""
    archive = view.named.log_archive_account
    found = [view.record("s3:HeadBucket", view.leader, Bucket=bucket)]
    found += [
        view.record("s3:HeadBucket", view.leader, Bucket=bucket, ExpectedBucketOwner=name)
        for name in (view.account, archive)
        if name
    ]
    if archive:
        params: dict[str, Json] = {"Bucket": bucket, "ExpectedBucketOwner": archive}
        found += [
            view.evidence.find("s3:HeadBucket", archive, view.leader, params),
            view.evidence.find("s3:ListBuckets", archive, view.leader, {}),
        ]
    if owner := view.other(view.bucket_owner(bucket)):
        found += [
            owner.record("s3:HeadBucket", view.leader, Bucket=bucket),
            owner.record("s3:ListBuckets", view.leader),
        ]
    return [*found, view.record("s3:ListBuckets", view.leader)]


def _unread() -> Refusal:

    return Refusal(RefusalKind.NOT_COLLECTED)


class Settings:
    """How a bucket is set up, read on demand: every answer is a value or the Refusal that hides it."""

    def __init__(self, view: View, bucket: str, home: str) -> None:
        self._view = view
        self._bucket = bucket
        found = owner(view, bucket, writer=view.account)
        self.mine, self.account = found.SameAccount, found.Account
        self._archive = view.named.log_archive_account if view.named.log_archive_role else ""
        self._owner = None if self.mine is True else view.other(view.bucket_owner(bucket))
        self.region = _region(bucket, _records(view, bucket)) or home

    def _ask(self, operation: str) -> Outcome:
        """What this account is told, or, where it is refused, the log archive: names of buckets are global."""
        own = self._view.outcome(f"s3:{operation}", self.region, Bucket=self._bucket)
        if isinstance(own, Refusal) and self._owner is not None:
            return self._owner.outcome(f"s3:{operation}", self.region, Bucket=self._bucket)
        if not isinstance(own, Refusal) or not self._archive or self.mine is True:
            return own
        return self._view.outcome_as(self._archive, f"s3:{operation}", self.region, Bucket=self._bucket)

    def public(self) -> bool | Refusal:
        """Anyone can reach it by policy or by ACL, and no public access block stops that."""
        by_policy = all_of([self._policy_public(), not_(self._blocked("RestrictPublicBuckets"))])
        by_acl = all_of([self._acl_public(), not_(self._blocked("IgnorePublicAcls"))])
        return any_of([by_policy, by_acl])

    def _blocked(self, setting: str) -> bool | Refusal:
        """A public access block stops it: the bucket's own, or that of the account which is proven to own it."""
        owner = self.account if isinstance(self.account, str) else self._view.account
        call = "s3control:GetPublicAccessBlock"
        account = (
            self._view.outcome_as(owner, call, self._view.leader, AccountId=owner)
            if self._owner is None
            else self._owner.outcome(call, self._view.leader, AccountId=owner)
        )
        own, theirs = (
            found if isinstance(found, Refusal) else found.get(setting) is True
            for outcome in (self._ask("GetPublicAccessBlock"), account)
            for found in [member(outcome, "PublicAccessBlockConfiguration", {})]
        )
        known = self.account if isinstance(self.account, Refusal) else bool(self.account)
        return any_of([own, all_of([known, theirs])])

    def _policy_public(self) -> bool | Refusal:
        status = self._ask("GetBucketPolicyStatus")
        match status:
            case Answer(body={"PolicyStatus": {"IsPublic": bool(public)}}):
                return public
            case Absent():
                return False
        statements = self.statements()
        if isinstance(statements, Refusal):
            return statements
        open_ones = [item for item in statements if _allows_everyone(item)]
        if any(not item.get("Condition") for item in open_ones):
            return True
        if open_ones:  # conditions can close it: only AWS's own judgement would settle that
            return status if isinstance(status, Refusal) else _unread()
        return False

    def _acl_public(self) -> bool | Refusal:
        grants = member(self._ask("GetBucketAcl"), "Grants", [])
        if isinstance(grants, Refusal):
            return grants
        return any((item.get("Grantee") or {}).get("URI") in _EVERYONE for item in grants)

    def policy(self) -> dict[str, Any] | Refusal:
        """The bucket policy; {} when there is none."""
        text = member(self._ask("GetBucketPolicy"), "Policy", "{}")
        if isinstance(text, Refusal):
            return text
        try:
            found = json.loads(text)
        except ValueError:
            return _unread()
        return found if isinstance(found, dict) else _unread()

    def statements(self) -> list[dict[str, Any]] | Refusal:
        """The statements of the bucket policy; an empty list when there is none."""
        found = self.policy()
        if isinstance(found, Refusal):
            return found
        return [item for item in many(found.get("Statement", [])) if isinstance(item, dict)]

    def lifecycle(self) -> dict[str, Json] | Refusal:
        """The lifecycle configuration as AWS gives it; {} when there is none."""
        return body(self._ask("GetBucketLifecycleConfiguration"))

    def source_restricted(self, service: str) -> bool | Refusal:
        """Every statement that lets the service write names where the writing comes from; at least one does."""
        statements = self.statements()
        if isinstance(statements, Refusal):
            return statements
        writers = [item for item in statements if lets_write(item, service)]
        return bool(writers) and all(names_source(item) for item in writers)

    def access_logging(self) -> bool | Refusal:
        found = member(self._ask("GetBucketLogging"), "LoggingEnabled")
        return found if isinstance(found, Refusal) else bool(found)

    def tamper_proof(self) -> bool | Refusal:
        """Object lock keeps what arrives, or versions are kept and deleting one takes a second factor.

        Object lock without a default retention locks nothing that CloudTrail delivers.
        """
        lock = member(self._ask("GetObjectLockConfiguration"), "ObjectLockConfiguration", {})
        versioning = self._ask("GetBucketVersioning")
        status, mfa = member(versioning, "Status"), member(versioning, "MFADelete")
        return any_of(
            [
                lock if isinstance(lock, Refusal) else _locks(lock),
                status if isinstance(status, Refusal) else status == "Enabled" and mfa == "Enabled",
            ]
        )

    def kept(self, folders: Iterable[str]) -> Kept:
        """How long current objects below one of these folders are kept by the lifecycle rules.

        A folder is the beginning of a key; a part that ends in * stands for any that begins so.
        """
        rules = member(self._ask("GetBucketLifecycleConfiguration"), "Rules", [])
        if isinstance(rules, Refusal):
            return Kept(Days=rules, SizedDays=rules, SizesSpare=rules)
        wanted = tuple(folders)
        strange = [rule.get("Status") for rule in rules if rule.get("Status") not in ("Enabled", "Disabled")]
        if strange:  # whether such a rule deletes anything is not known
            text = f"a lifecycle rule has the status {strange[0]}"
            hidden = Refusal(
                RefusalKind.MALFORMED, "", text, "s3:GetBucketLifecycleConfiguration", self.region
            )
            return Kept(Days=hidden, SizedDays=hidden, SizesSpare=hidden)
        found = [(_sizes(rule), expires(rule)) for rule in rules if covers(rule, wanted)]
        sized = [days for sizes, days in found if sizes == _SOME]
        unsure = Refusal(
            RefusalKind.NOT_COLLECTED,
            message="a lifecycle rule deletes objects by their size, and may delete log files",
        )
        return Kept(
            Days=min((days for sizes, days in found if sizes == _ALL), default=NEVER),
            SizedDays=min(sized, default=NEVER),
            SizesSpare=unsure if sized else True,
        )


def many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _principals(statement: dict[str, Any], kind: str) -> list[Any]:
    principal = statement.get("Principal")
    return many(principal.get(kind)) if isinstance(principal, dict) else many(principal)


def _allows_everyone(statement: dict[str, Any]) -> bool:
    if statement.get("Effect") != "Allow":
        return False
    return "*" in _principals(statement, "AWS") or "NotPrincipal" in statement


def lets_write(statement: dict[str, Any], service: str) -> bool:
    actions, others = (
        any(fnmatchcase("s3:putobject", str(action).lower()) for action in many(statement.get(name)))
        for name in ("Action", "NotAction")
    )
    writes = actions or ("NotAction" in statement and not others)
    return statement.get("Effect") == "Allow" and service in _principals(statement, "Service") and writes


def names_source(statement: dict[str, Any]) -> bool:
    """A condition fixes the source, at least its account or organization, by an exact or pattern operator.

    aws:SourceArn is what AWS recommends; aws:SourceAccount and aws:SourceOrgID keep strangers out as well. Keys are
    case-insensitive. A pattern that leaves the account open lets a stranger's trail in.
    """
    conditions = statement.get("Condition") or {}
    for operator, keys in conditions.items() if isinstance(conditions, dict) else ():
        if operator.lower() not in ("stringequals", "stringlike", "arnequals", "arnlike"):
            continue
        for key, values in keys.items() if isinstance(keys, dict) else ():
            names = _NAMES.get(key.lower())
            if names and many(values) and all(names(str(item)) for item in many(values)):
                return True
    return False


def _names_account(arn: str) -> bool:
    parts = arn.split(":")
    return len(parts) >= 6 and re.fullmatch(r"\d{12}", parts[4]) is not None


_NAMES: dict[str, Callable[[str], bool]] = {
    "aws:sourcearn": _names_account,
    "aws:sourceaccount": lambda value: re.fullmatch(r"\d{12}", value) is not None,
    "aws:sourceorgid": lambda value: re.fullmatch(r"o-[a-z0-9]{10,32}", value) is not None,
}


def _locks(lock: dict[str, Any]) -> bool:
    retention = (lock.get("Rule") or {}).get("DefaultRetention") or {}
    return lock.get("ObjectLockEnabled") == "Enabled" and bool(
        retention.get("Days") or retention.get("Years")
    )


def covers(rule: dict[str, Any], folders: tuple[str, ...]) -> bool:
    """An enabled rule that deletes current objects and can reach a folder; log files carry no tags."""
    if rule.get("Status") != "Enabled" or not isinstance(rule.get("Expiration"), dict):
        return False
    chosen = rule.get("Filter") or {}
    both = chosen.get("And") or {}
    if chosen.get("Tag") or both.get("Tags"):
        return False
    reach = rule.get("Prefix") or chosen.get("Prefix") or both.get("Prefix") or ""
    return any(_meet(reach, folder) for folder in folders)


_ALL, _SOME, _NONE = "all", "some", "none"
_LARGEST = 50 * 2**40  # bytes of the largest object that S3 keeps


def _sizes(rule: dict[str, Any]) -> str:
    """Whether a rule is for objects of all sizes, of some, or of none that a file can have (bytes, both exclusive)."""
    chosen = rule.get("Filter") or {}
    both = chosen.get("And") or {}
    above, below = (
        next((part[name] for part in (chosen, both) if isinstance(part.get(name), int)), None)
        for name in ("ObjectSizeGreaterThan", "ObjectSizeLessThan")
    )
    low, high = above or 0, _LARGEST + 1 if below is None else below
    if high - low < 2 or low >= _LARGEST:
        return _NONE
    return _ALL if low == 0 and high > _LARGEST else _SOME


def _meet(reach: str, folder: str) -> bool:
    """Whether a key can begin with both. Only the last part of either is the beginning of a name."""
    ours, theirs = folder.split("/"), reach.split("/")
    for index, (own, other) in enumerate(zip(ours, theirs, strict=False)):
        own_open = own.endswith("*") or index == len(ours) - 1
        other_open = index == len(theirs) - 1
        own = own.removesuffix("*")
        same = own == other
        if not (same or (own_open and other.startswith(own)) or (other_open and own.startswith(other))):
            return False
    return True


def expires(rule: dict[str, Any]) -> int:
    expiration = rule["Expiration"]
    if isinstance(expiration.get("Days"), int):
        return int(expiration["Days"])
    return 0 if expiration.get("Date") else NEVER
