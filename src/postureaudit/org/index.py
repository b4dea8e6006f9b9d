"""What the accounts of a run say of what others name: built once, read by every verdict."""

from __future__ import annotations

import functools
import gzip
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from postureaudit.errors import EvidenceError
from postureaudit.evidence import Evidence, Header, Record, write_whole
from postureaudit.org.names import Names, wanted
from postureaudit.org.store import Store
from postureaudit.services import buckets, cloudtrail
from postureaudit.signals import routes

CALLS = frozenset(
    (
        *routes.CALLS,
        *buckets.SETTING_CALLS,
        *cloudtrail.EVENT_CALLS,
        *("kms:DescribeKey", "kms:GetKeyPolicy", "cloudtrail:GetInsightSelectors"),
    )
)


class _Part(msgspec.Struct, frozen=True):
    header: Header
    records: list[Record]


class _File(msgspec.Struct, frozen=True):
    accounts: dict[str, _Part]
    buckets: dict[str, str]


class Index:
    """The accounts that others name, each with the records that their verdicts may read; and whose each bucket is."""

    def __init__(self, accounts: Mapping[str, Evidence], buckets: Mapping[str, str], digest: str) -> None:
        self.accounts = accounts
        self.buckets = buckets
        self.digest = digest

    def beside(self, evidence: Evidence) -> Evidence:
        """An account's evidence with these accounts in sight."""
        return evidence.beside(self.accounts, self.buckets)


def build(store: Store, found: Iterable[Names]) -> str:
    """Write the index of a run; its digest. The accounts' evidence is read one after the other."""
    named, owners = wanted(found)
    parts = {}
    for account in named:
        evidence = store.load(account)
        parts[account] = _Part(
            msgspec.structs.replace(evidence.header, calls=0),
            [record for record in evidence if record.call in CALLS],
        )
    data = msgspec.json.encode(_File(parts, owners), order="deterministic")
    write_whole(store.index, gzip.compress(data, compresslevel=3, mtime=0), mode=0o600)
    return _digest(data)


def load(path: Path) -> Index:
    """Read an index; the same file is read once by a process."""
    try:
        stat = path.stat()
    except OSError as error:
        raise EvidenceError(
            f"cannot read {path}: {error.strerror}", hint="run again with --resume"
        ) from error
    return _load(path, stat.st_mtime_ns, stat.st_size)


@functools.lru_cache(maxsize=2)
def _load(path: Path, changed: int, size: int) -> Index:
    try:
        data = gzip.decompress(path.read_bytes())
        file = msgspec.json.decode(data, type=_File)
    except (OSError, EOFError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EvidenceError(f"cannot read {path}: {error}", hint="run again with --resume") from error
    accounts = {name: Evidence(part.header, part.records) for name, part in file.accounts.items()}
    return Index(accounts, file.buckets, _digest(data))


def _digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()
