"""The output directory of a run over many accounts: one folder an account, each file whole or not there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from postureaudit import evidence as files
from postureaudit.errors import EvidenceError, OutputError, UsageError
from postureaudit.evidence import Account, Evidence, write_whole

VERSION = "1.0"
T = TypeVar("T")


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What a run is about: written before the first account is asked, so that it can be gone on with.

    `options` is a digest of what decides which calls are made; `organization` and `management` are "" where accounts
    were named. `inactive` counts the organization's accounts that are suspended or being closed.
    """

    version: str = VERSION
    tool_version: str
    started: str
    caller: str
    partition: str
    leader: str
    regions: tuple[str, ...]
    accounts: tuple[Account, ...]
    options: str
    organization: str = ""
    management: str = ""
    inactive: int = 0


class Store:
    """The files of one run. Evidence names what is weak: folders are 0700, files 0600."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def index(self) -> Path:
        return self.root / "index.json.gz"

    @property
    def organization(self) -> Path:
        return self.root / "organization.json"

    def folder(self, account: str) -> Path:
        return self.root / "accounts" / account

    def evidence(self, account: str) -> Path:
        return self.folder(account) / "evidence.json.gz"

    def collected(self, account: str) -> Path:
        return self.folder(account) / "collected.json"

    def findings(self, account: str) -> Path:
        return self.folder(account) / "findings.jsonl"

    def summary(self, account: str) -> Path:
        return self.folder(account) / "summary.json"

    def begin(self, run: Run) -> None:
        """Make the folders of a new run. Raises UsageError for a directory that holds something."""
        if self.root.exists() and any(self.root.iterdir()):
            raise UsageError(
                f"{self.root} is not empty", hint="name a new directory, or go on with that run: --resume"
            )
        try:
            for folder in (self.root, self.root / "accounts"):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"cannot make {self.root}: {error.strerror}", hint="name another directory"
            ) from error
        self.write(self.root / "run.json", run)

    def run(self) -> Run:
        """The run of this directory. Raises UsageError where there is none, EvidenceError for another version's."""
        path = self.root / "run.json"
        if not path.is_file():
            raise UsageError(
                f"{self.root} holds no run over several accounts",
                hint="begin one with: postureaudit audit --org",
            )
        found = self.read(path, Run)
        if found is None or found.version.partition(".")[0] != VERSION.partition(".")[0]:
            raise EvidenceError(f"{path} is of another version", hint="begin a new run")
        return found

    def write(self, path: Path, value: msgspec.Struct) -> None:
        """Keep a value as JSON."""
        path.parent.mkdir(mode=0o700, exist_ok=True)
        write_whole(path, msgspec.json.encode(value, order="deterministic") + b"\n", mode=0o600)

    def read(self, path: Path, kind: type[T]) -> T | None:
        """A value that was kept; None where there is none, or none that can be read."""
        try:
            return msgspec.json.decode(path.read_bytes(), type=kind)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return None

    def load(self, account: str) -> Evidence:
        """The evidence of one account."""
        return files.load(self.evidence(account))

    def save(self, account: str, evidence: Evidence) -> None:
        """Keep the evidence of one account."""
        self.folder(account).mkdir(mode=0o700, exist_ok=True)
        files.save(evidence, self.evidence(account))

    def tidy(self) -> None:
        """Remove what a run that was killed left half-written."""
        for path in self._half_written():
            path.unlink(missing_ok=True)

    def _half_written(self) -> Iterator[Path]:
        yield from self.root.glob(".*.json*.*")
        yield from self.root.glob("accounts/*/.*.json*.*")
