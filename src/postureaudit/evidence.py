"""What AWS said: answers, absences and refusals as immutable records, with load, save and verify."""

from __future__ import annotations

import datetime
import gzip
import hashlib
import os
import re
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Union

import msgspec

from postureaudit.errors import EvidenceError, OutputError

Json = Any  # plain JSON as AWS spells it: dict, list, str, int, float, bool, None

SCHEMA_VERSION = "1.0"
ENTER = "sts:AssumeRole"  # how another account is entered
MAX_BYTES = 1 << 30  # a larger file is refused: it is not one of ours


class RefusalKind(StrEnum):
    """Why there is no answer. Each leads to UNKNOWN (not_in_region: not_applicable where botocore agrees).

    `elsewhere` is no refusal of a call but what is made of one: AWS tells only another account, and the message says
    where to look; not_applicable.
    """

    DENIED = "denied"
    SCP_DENIED = "scp_denied"
    REGION_DISABLED = "region_disabled"
    NOT_IN_REGION = "not_in_region"
    THROTTLED = "throttled"
    EXPIRED = "expired"
    NETWORK = "network"
    TIMEOUT = "timeout"
    TRUNCATED = "truncated"
    MALFORMED = "malformed"
    NOT_COLLECTED = "not_collected"
    ERROR = "error"
    ELSEWHERE = "elsewhere"


class Answer(msgspec.Struct, frozen=True, tag="answer", tag_field="is"):
    """AWS answered: the body in AWS's own spelling, all pages joined, without ResponseMetadata."""

    body: dict[str, Json]


class Absent(msgspec.Struct, frozen=True, tag="absent", tag_field="is"):
    """AWS said "there is none" (no bucket policy, hub off): knowledge, not failure."""

    code: str
    message: str = ""


class Refusal(msgspec.Struct, frozen=True, tag="refusal", tag_field="is"):
    """There is no answer, and why. In facts, a Refusal stands where the unknown value would be."""

    kind: RefusalKind
    code: str = ""
    message: str = ""
    call: str = ""
    region: str = ""

    def reason(self) -> str:
        """One line for people: the call, where, and what AWS said; where no call is to blame, the message."""
        if not self.call:
            return self.message or self.kind.value.replace("_", " ")
        where = f" in {self.region}" if self.region else ""
        code = f" ({self.code})" if self.code else ""
        return f"{self.call}{where}: {self.kind.value.replace('_', ' ')}{code}"

    def parts(self) -> tuple[Refusal, ...]:
        """Every refusal that this one stands for, the one that it shows first."""
        return (self,)


class Joined(Refusal, frozen=True, tag="joined", tag_field="is"):
    """Several refusals that hide one fact: it reads as the heaviest, and keeps the others. Never recorded."""

    also: tuple[Refusal, ...] = ()

    def parts(self) -> tuple[Refusal, ...]:
        shown = Refusal(self.kind, self.code, self.message, self.call, self.region)
        return (shown, *self.also)


_LIGHT = (RefusalKind.NOT_IN_REGION, RefusalKind.ELSEWHERE)


def heavier(first: Refusal | None, second: Refusal) -> Refusal:
    """Two refusals as one, which shows the first, unless only the second hides an answer; it keeps both.

    "Not offered in this region" reads as not applicable, as does what only another account is told; neither may hide
    that something else was denied.
    """
    if first is None:
        return second
    lighter = first.kind is RefusalKind.NOT_IN_REGION and first.region != second.region
    lighter = lighter or (first.kind is RefusalKind.ELSEWHERE and second.kind is not RefusalKind.ELSEWHERE)
    ahead, behind = (second, first) if lighter else (first, second)
    shown, *others = dict.fromkeys((*ahead.parts(), *behind.parts()))
    also = [part for part in others if part.kind not in _LIGHT and not _follows(part, shown)]
    if not also:
        return shown
    return Joined(shown.kind, shown.code, shown.message, shown.call, shown.region, tuple(also))


def _follows(part: Refusal, shown: Refusal) -> bool:
    """Whether an ask was never made because of the refusal before it: it is that refusal once more."""
    if part.kind is not RefusalKind.NOT_COLLECTED or part.code or part.message:
        return False
    near = part.region == shown.region or part.call.partition(":")[0] == shown.call.partition(":")[0]
    return near and shown.kind is not RefusalKind.NOT_COLLECTED


Outcome = Union[Answer, Absent, Refusal]  # noqa: UP007 - msgspec reads this form on every Python we support


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One ask and its outcome. `at` is ISO 8601 UTC: ages are computed against it, never against now."""

    call: str
    params: dict[str, Json]
    account: str
    region: str
    at: str
    outcome: Outcome

    @property
    def key(self) -> Key:
        return (self.call, canonical(self.params), self.account, self.region)

    def pick(self, expression: str) -> list[Json]:
        """What a JMESPath finds in the answer, as a list; empty when there is no answer."""
        if not isinstance(self.outcome, Answer):
            return []
        import jmespath

        found = jmespath.search(expression, self.outcome.body)
        if found is None:
            return []
        return found if isinstance(found, list) else [found]

    def get(self, name: str, default: Json = None) -> Json:
        """A top-level member of the answer, or the default when there is none."""
        return self.outcome.body.get(name, default) if isinstance(self.outcome, Answer) else default


Key = tuple[str, str, str, str]


class Regions(msgspec.Struct, frozen=True, kw_only=True):
    """The regions of one account: audited, present but not enabled, and left out by the caller's choice."""

    audited: tuple[str, ...]
    not_enabled: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """An audited account: its 12 digits and a name people know (alias or Organizations name; may be "")."""

    id: str
    name: str = ""


class Named(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The accounts that the caller named: 12 digits, "" for none; with the role that read the log archive's bucket."""

    audit_account: str = ""
    log_archive_account: str = ""
    log_archive_role: str = ""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """Who collected what, when and where. `calls` counts requests sent to AWS, pages and retries included.

    `named` is left out of the file, and so of its SHA-256, where the caller named no account.
    """

    schema_version: str = SCHEMA_VERSION
    tool_version: str
    started: str
    ended: str
    partition: str
    caller: str
    accounts: tuple[Account, ...]
    regions: Regions
    leader: str
    calls: int = 0
    interrupted: str = ""
    named: Named | msgspec.UnsetType = msgspec.UNSET


class Neighbours:
    """The other accounts that were read in the same run, as far as somebody's settings lead to them.

    `accounts` holds what each says of what others name (buses, topics, buckets, trails), `buckets` which account owns a
    bucket that another one writes to. `views` belongs to whoever judges an account: what it works out of the others
    is worked out once, and gone with it.
    """

    def __init__(self, accounts: Mapping[str, Evidence], buckets: Mapping[str, str]) -> None:
        self.accounts = accounts
        self.buckets = buckets
        self.views: dict[str, Any] = {}


class Evidence:
    """All records of one run, immutable, indexed by (call, canonical parameters, account, region).

    `neighbours` are the other accounts of a run that read several; None where it read this one alone.
    """

    def __init__(
        self, header: Header, records: Iterable[Record], neighbours: Neighbours | None = None
    ) -> None:
        self.header = header
        self.neighbours = neighbours
        self._records: Mapping[Key, Record] = {
            record.key: record for record in sorted(records, key=lambda record: record.key)
        }
        self._by_call: dict[tuple[str, str, str], list[Record]] = {}
        for record in self._records.values():
            self._by_call.setdefault((record.call, record.account, record.region), []).append(record)
        # An account that could not be entered: why stands for all that it would say.
        self._closed = {
            account: records[0].outcome
            for (call, account, _), records in self._by_call.items()
            if call == ENTER and isinstance(records[0].outcome, Refusal)
        }

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records.values())

    def __len__(self) -> int:
        return len(self._records)

    @property
    def named(self) -> Named:
        """The accounts that the caller named."""
        return self.header.named if isinstance(self.header.named, Named) else Named()

    def naming(self, *, audit_account: str = "", log_archive_account: str = "") -> Evidence:
        """This evidence for a caller who names these accounts; "" leaves what was named before."""
        before = self.named
        archive = log_archive_account or before.log_archive_account
        named = Named(
            audit_account=audit_account or before.audit_account,
            log_archive_account=archive,
            # What a role of another account read says nothing of this one.
            log_archive_role=before.log_archive_role if archive == before.log_archive_account else "",
        )
        if named == self.named:
            return self
        return Evidence(msgspec.structs.replace(self.header, named=named), self, self.neighbours)

    def beside(self, accounts: Mapping[str, Evidence], buckets: Mapping[str, str]) -> Evidence:
        """This evidence with the other accounts of its run in sight. What it says itself stays what it is."""
        return Evidence(self.header, self, Neighbours(accounts, buckets))

    def find(self, call: str, account: str, region: str, params: dict[str, Json]) -> Record | None:
        """The record of this very ask, or None when it was never made."""
        return self._records.get((call, canonical(params), account, region))

    def outcome(self, call: str, account: str, region: str, params: dict[str, Json]) -> Outcome:
        """The outcome of this very ask; a Refusal of kind not_collected when it was never made.

        A refusal that came without its call and region is completed here, so that every reason names both.
        """
        record = self.find(call, account, region, params)
        if record is None and account in self._closed:
            return self._closed[account]
        if record is None:
            return Refusal(RefusalKind.NOT_COLLECTED, call=call, region=region)
        outcome = record.outcome
        if isinstance(outcome, Refusal) and not outcome.call:
            return msgspec.structs.replace(outcome, call=call, region=region)
        return outcome

    def of(self, call: str, account: str, region: str) -> list[Record]:
        """All records of one call in one place, whatever the parameters, in stable order."""
        return list(self._by_call.get((call, account, region), ()))

    def changed(self, answers: Iterable[tuple[str, str, str, dict[str, Json], dict[str, Json]]]) -> Evidence:
        """This evidence with other answers laid over it: each is (call, account, region, parameters, body)."""
        return _Changed(
            self,
            [
                Record(
                    call=call,
                    params=params,
                    account=account,
                    region=region,
                    at=self.header.ended,
                    outcome=Answer(body),
                )
                for call, account, region, params, body in answers
            ],
        )

    def refusals(self) -> list[Record]:
        """The records that are refusals, in stable order."""
        return [record for record in self if isinstance(record.outcome, Refusal)]

    def digest(self) -> str:
        """SHA-256 over the content, as "sha256:<hex>"."""
        return "sha256:" + hashlib.sha256(self._content()).hexdigest()

    def _content(self) -> bytes:
        document = {"header": self.header, "records": list(self)}
        return msgspec.json.encode(document, order="deterministic")


class _Changed(Evidence):
    """Evidence with a few records laid over those of another, which is not copied."""

    def __init__(self, base: Evidence, records: Iterable[Record]) -> None:
        super().__init__(base.header, records, base.neighbours)
        self._base = base
        self._closed = base._closed

    def __iter__(self) -> Iterator[Record]:
        below = (record for record in self._base if record.key not in self._records)
        return iter(sorted((*below, *self._records.values()), key=lambda record: record.key))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def find(self, call: str, account: str, region: str, params: dict[str, Json]) -> Record | None:
        own = super().find(call, account, region, params)
        return own if own is not None else self._base.find(call, account, region, params)

    def of(self, call: str, account: str, region: str) -> list[Record]:
        own = super().of(call, account, region)
        keys = {record.key for record in own}
        return [*(item for item in self._base.of(call, account, region) if item.key not in keys), *own]


class _File(msgspec.Struct, kw_only=True):
    header: Header
    records: list[Record]
    sha256: str = ""


def canonical(params: Mapping[str, Json]) -> str:
    """Parameters as JSON with sorted keys: equal parameters have equal text."""
    return msgspec.json.encode(dict(params), order="deterministic").decode() if params else "{}"


def save(evidence: Evidence, path: Path) -> None:
    """Write evidence to a .json or .json.gz file (0600), whole or not at all."""
    document = {"header": evidence.header, "records": list(evidence), "sha256": evidence.digest()}
    data = msgspec.json.encode(document, order="deterministic")
    if path.name.endswith(".gz"):
        data = gzip.compress(data, mtime=0)
    write_whole(path, data, mode=0o600)


def load(path: Path, *, verify: bool = False) -> Evidence:
    """Read an evidence file; with verify, refuse one whose content does not fit its SHA-256."""
    try:
        with gzip.open(path) if path.name.endswith(".gz") else path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise EvidenceError(
            f"cannot read evidence {path}: {getattr(error, 'strerror', None) or error}",
            hint="write one with: postureaudit collect -o evidence.json",
        ) from error
    if len(data) > MAX_BYTES:
        raise EvidenceError(f"{path} is larger than {MAX_BYTES >> 20} MiB", hint="it is not an evidence file")
    return loads(data, name=str(path), verify=verify)


def loads(data: bytes, *, name: str, verify: bool = False) -> Evidence:
    """Evidence from the text of an evidence file; `name` stands in the errors."""
    try:
        file = msgspec.json.decode(data, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EvidenceError(
            f"{name} is not an evidence file: {error}",
            hint="write one with: postureaudit collect -o evidence.json",
        ) from error
    if file.header.schema_version.partition(".")[0] != SCHEMA_VERSION.partition(".")[0]:
        raise EvidenceError(
            f"{name} has evidence schema {file.header.schema_version}, this version reads {SCHEMA_VERSION}",
            hint="upgrade postureaudit, or collect again",
        )
    evidence = Evidence(file.header, file.records)
    if problem := _problem(evidence, file.records):
        raise EvidenceError(
            f"{name} is not an evidence file: {problem}",
            hint="write one with: postureaudit collect -o evidence.json",
        )
    if verify and evidence.digest() != file.sha256:
        raise EvidenceError(
            f"{name} was altered: its content does not fit its SHA-256",
            hint="collect again, or read it without --verify if you changed it yourself",
        )
    return evidence


def _problem(evidence: Evidence, records: list[Record]) -> str:
    """What no evidence of ours has. Without an account or a region there is nothing to find, and all is clean."""
    header, regions = evidence.header, evidence.header.regions
    if not header.accounts or not all(re.fullmatch(r"\d{12}", item.id) for item in header.accounts):
        return "it names no account"
    names = (*regions.audited, *regions.not_enabled, *regions.excluded, header.leader, header.partition)
    given = (evidence.named.audit_account, evidence.named.log_archive_account)
    if not all(re.fullmatch(r"(\d{12})?", item) for item in given):
        return "it names an account that cannot be"
    if not regions.audited or not all(re.fullmatch(r"[a-z0-9-]{1,40}", name) for name in names):
        return "it names no region, or one that cannot be"
    for text in (header.started, header.ended):
        try:
            datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
        except ValueError:
            return f"{text!r} is no time"
    return "" if len(evidence) == len(records) else "a call stands in it twice"


def write_whole(path: Path, data: bytes | Iterable[bytes], *, mode: int = 0o644) -> None:
    """Write a file by way of a temporary one beside it, so that it is complete or not there."""
    temporary = ""
    chunks = (data,) if isinstance(data, bytes) else data
    try:
        if path.is_symlink():
            raise OutputError(f"{path} is a symbolic link", hint="name the real file")
        if path.exists() and not path.is_file() and not path.is_dir():
            with path.open("wb") as device:  # renaming a file onto /dev/null would be the end of /dev/null
                device.writelines(chunks)
            return
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as stream:
            stream.writelines(chunks)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise OutputError(
            f"cannot write {path}: {error.strerror or error}", hint="name a folder that exists and has room"
        ) from error
