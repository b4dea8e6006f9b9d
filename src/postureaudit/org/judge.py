"""Judging accounts from their files and the index: the other unit of work, pure but for the files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from postureaudit.catalog import Catalog
from postureaudit.evidence import write_whole
from postureaudit.judging import Judging, judge
from postureaudit.org import index as indexes
from postureaudit.org.collect import STOP
from postureaudit.org.store import Store
from postureaudit.org.summary import Summary, summarize
from postureaudit.render import Style, jsonl
from postureaudit.report import Report


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """How accounts are judged, so that it may travel: `catalog` makes the catalogue in force where the work is done.

    `options` is a digest of all that decides the verdicts. `write` is given each report (for one file an account), and
    `keep` says that the caller wants the reports back.
    """

    by: Judging
    options: str
    catalog: Callable[[], Catalog]
    write: Callable[[Report], None] | None = None
    keep: bool = False


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """One account that was judged, with its report where the caller wanted it."""

    account: str
    done: bool = True
    report: Report | None = None


def judge_accounts(task: Task, accounts: Sequence[str], folder: str) -> list[Judged]:
    """Judge these accounts one after the other."""
    return [judge_account(task, account, folder) for account in accounts]


def judge_account(task: Task, account: str, folder: str) -> Judged:
    """Judge one account: its findings as JSON lines and its summary are in its folder then.

    Nothing is done again where the summary says that it was made from the same evidence, index and options.
    """
    if STOP.is_set():
        return Judged(account=account, done=False)
    store = Store(Path(folder))
    index = indexes.load(store.index)
    inputs = _inputs(store, account, index.digest, task.options)
    if not task.keep and task.write is None:
        before = store.read(store.summary(account), Summary)
        if before is not None and before.inputs == inputs and store.findings(account).is_file():
            return Judged(account=account)
    evidence = index.beside(store.load(account))
    report, applied = judge(evidence, _catalog(task), task.by)
    write_whole(store.findings(account), jsonl.render(report, Style()).encode("ascii"), mode=0o600)
    if task.write is not None:
        task.write(report)
    store.write(store.summary(account), summarize(report, applied, inputs))
    return Judged(account=account, report=light(report) if task.keep else None)


def light(report: Report) -> Report:
    """A report without the answers behind it: the refusals stay, which say what was not seen."""
    from postureaudit.evidence import Evidence

    digest = report.evidence_digest or report.evidence.digest()
    slim = Evidence(report.evidence.header, report.evidence.refusals())
    return msgspec.structs.replace(report, evidence=slim, evidence_digest=digest)


def _inputs(store: Store, account: str, index: str, options: str) -> str:
    evidence = hashlib.sha256(store.evidence(account).read_bytes()).hexdigest()
    return hashlib.sha256("\x1f".join((evidence, index, options)).encode()).hexdigest()


_catalogs: dict[str, Catalog] = {}  # of this process, by the digest of the options; one at a time


def adopt(options: str, catalog: Catalog) -> None:
    """Use this catalogue for these options, here and in processes that are forked from here."""
    _catalogs.clear()
    _catalogs[options] = catalog


def _catalog(task: Task) -> Catalog:
    if task.options not in _catalogs:
        adopt(task.options, task.catalog())
    return _catalogs[task.options]
