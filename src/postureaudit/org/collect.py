"""Collecting accounts to files: the unit of work that threads, processes and Dask have in common."""

from __future__ import annotations

import datetime
import math
import os
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

import msgspec

from postureaudit import __version__, services
from postureaudit.aws.allowed import ALLOWED
from postureaudit.aws.session import ASSUME
from postureaudit.errors import PostureAuditError
from postureaudit.evidence import (
    ENTER,
    Account,
    Evidence,
    Header,
    Named,
    Record,
    Refusal,
    RefusalKind,
    Regions,
)
from postureaudit.org.names import Follow, Names, Wanted, names
from postureaudit.org.store import Store

if TYPE_CHECKING:
    from postureaudit.aws.session import Session
    from postureaudit.aws.workers import Workers

T = TypeVar("T")
_OPEN = 50  # (account, region) pairs that a process has open: enough to have always something to ask
STOP = (
    threading.Event()
)  # set by whoever ends this process early: no account is begun, none half-read is kept


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """How accounts are entered and asked: names and numbers, never a key, so that it may travel in a task.

    The caller's own credentials are found where the work is done (`profile`, `caller_role`, environment); each other
    account's by assuming `role_name` there. `wanted` are the calls that the chosen checks need, None for all.
    `own` is the caller's account, which needs no role. `regions` is the caller's, for accounts that say nothing.
    """

    partition: str
    leader: str
    own: str
    role_name: str
    session_name: str = "postureaudit"
    external_id: str | None = None
    profile: str | None = None
    caller_role: str | None = None
    region: str | None = None
    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    wanted: tuple[str, ...] | None = None
    regions: tuple[str, ...] = ()
    max_workers: int = 64
    timeout: float | None = None
    named: Named = Named()

    @property
    def at_once(self) -> int:
        """How many accounts a process has open: few with many regions, many with few. Each is kept until it is read."""
        return max(3, min(16, math.ceil(_OPEN / max(1, len(self.regions)))))

    def role(self, account: str) -> str:
        """The ARN of the role in an account; a role name may have a path (audit/ReadOnly)."""
        return f"arn:{self.partition}:iam::{account}:role/{self.role_name.lstrip('/')}"


class Collected(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one account: read, refused (it could not be entered), or stopped before it was read."""

    account: str
    state: Literal["read", "refused", "stopped"]
    reason: str = ""
    calls: int = 0
    answers: int = 0
    seconds: float = 0.0
    names: Names | None = None
    followed: Wanted | None = None  # what others name of it, where it was asked for that


def collect_accounts(entry: Entry, accounts: Iterable[Account], folder: str) -> list[Collected]:
    """Collect these accounts, several at once on the threads of this process; each is written when it is read."""
    return _each(entry, accounts, lambda account: collect_account(entry, account, folder))


def _each(entry: Entry, items: Iterable[T], work: Callable[[T], Collected]) -> list[Collected]:
    """Work on all items, some at once. One is taken when there is a thread for it: others may take from the same."""
    taking, source, found = threading.Lock(), iter(items), list[Collected]()

    def some() -> None:
        while True:
            with taking:
                item = next(source, None)
            if item is None:
                return
            found.append(work(item))

    with ThreadPoolExecutor(entry.at_once) as pool:
        for done in [pool.submit(some) for _ in range(entry.at_once)]:
            done.result()
    return found


def collect_account(entry: Entry, account: Account, folder: str) -> Collected:
    """Read one account into the output directory. What is there already is not read again."""
    from postureaudit.aws.walk import walk

    store = Store(Path(folder))
    if (done := known(store, account.id)) is not None:
        return done
    if STOP.is_set():
        return Collected(account=account.id, state="stopped")
    started = time.monotonic()
    session = _entered(entry, account.id)
    if isinstance(session, Refusal):
        return _refused(entry, store, account, session)
    try:
        found = walk(
            session,
            [service.collect for service in services.all_services()],
            only=entry.only,
            exclude=entry.exclude,
            wanted=_wanted(entry),
            max_workers=entry.max_workers,
            timeout=entry.timeout,
            stop=STOP,
            named=entry.named,
            workers=_workers(entry),
            name=account.name,
        )
    except PostureAuditError as error:
        refusal = Refusal(
            RefusalKind.ERROR, type(error).__name__, error.message[:500], call="ec2:DescribeRegions"
        )
        return _refused(entry, store, account, msgspec.structs.replace(refusal, region=entry.leader))
    if STOP.is_set():
        return Collected(account=account.id, state="stopped")
    return _kept(store, found, time.monotonic() - started)


def follow_accounts(entry: Entry, named: Iterable[tuple[str, Wanted]], folder: str) -> list[Collected]:
    """Ask each of these accounts for what others name of it, beside what it said already."""
    return _each(entry, named, lambda item: _follow(entry, item[0], item[1], folder))


def _follow(entry: Entry, account: str, named: Wanted, folder: str) -> Collected:
    from postureaudit.aws.walk import extend

    store = Store(Path(folder))
    done = known(store, account)
    if done is not None and done.followed == named:
        return done
    evidence = store.load(account)
    session = _entered(entry, account)
    if isinstance(session, Refusal) or STOP.is_set():  # what was read before stays; the rest is unknown
        return Collected(account=account, state="stopped")
    started = time.monotonic()
    more = extend(
        session,
        evidence,
        [Follow(named)],
        wanted=_wanted(entry),
        max_workers=entry.max_workers,
        timeout=entry.timeout,
        stop=STOP,
        workers=_workers(entry),
    )
    if STOP.is_set():
        return Collected(account=account, state="stopped")
    return _kept(store, more, time.monotonic() - started, named)


def known(store: Store, account: str) -> Collected | None:
    """What an earlier part of this run read of an account; None where it is still to be read, or was refused."""
    done = store.read(store.collected(account), Collected)
    if done is not None and done.state == "read" and store.evidence(account).is_file():
        return done
    if done is not None or not store.evidence(account).is_file():
        return None
    try:
        evidence = store.load(account)  # it ended between the two files
    except PostureAuditError:
        return None
    refused = any(record.call == ENTER for record in evidence.refusals())
    return None if refused else _kept(store, evidence, 0.0)


def _kept(store: Store, evidence: Evidence, seconds: float, followed: Wanted | None = None) -> Collected:
    account = evidence.header.accounts[0].id
    store.save(account, evidence)
    done = Collected(
        account=account,
        state="read",
        calls=evidence.header.calls,
        answers=len(evidence),
        seconds=round(seconds, 3),
        names=names(evidence),
        followed=followed,
    )
    store.write(store.collected(account), done)
    return done


def _refused(entry: Entry, store: Store, account: Account, refusal: Refusal) -> Collected:
    """An account that could not be entered: evidence in which that stands for everything, so that all is unknown."""
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    header = Header(
        tool_version=__version__,
        started=now,
        ended=now,
        partition=entry.partition,
        caller=entry.role(account.id),
        accounts=(account,),
        regions=Regions(audited=entry.regions or (entry.leader,)),
        leader=entry.leader,
        named=msgspec.UNSET if entry.named == Named() else entry.named,
    )
    record = Record(
        call=ENTER,
        params={"RoleArn": entry.role(account.id)},
        account=account.id,
        region=entry.leader,
        at=now,
        outcome=refusal,
    )
    store.save(account.id, Evidence(header, [record]))
    done = Collected(account=account.id, state="refused", reason=refusal.message or refusal.reason())
    store.write(store.collected(account.id), done)
    return done


def _wanted(entry: Entry) -> frozenset[str] | None:
    return None if entry.wanted is None else frozenset(entry.wanted)


class _Process:
    """What the accounts collected by one process share: the caller's session and the threads."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.pid = 0
        self.session: Session | None = None
        self.entry: Entry | None = None
        self.workers: Workers | None = None


_process = _Process()


def adopt(session: Session, entry: Entry) -> None:
    """Use this session for the caller: a process that is forked from here need not find credentials again, nor read
    botocore's models for its calls."""
    session.clients.prepare([ASSUME, *(ALLOWED if entry.wanted is None else entry.wanted)])
    _process.session, _process.entry, _process.pid, _process.workers = session, entry, os.getpid(), None


def _caller(entry: Entry) -> Session:
    """The caller's session in this process. Raises CredentialsError where it has none, or another account's."""
    from postureaudit.aws.session import open_session

    with _process.lock:
        same = _process.session is not None and _process.entry == entry
        if not same or _process.session is None:
            _process.session = open_session(
                profile=entry.profile,
                role_arn=entry.caller_role,
                external_id=entry.external_id if entry.caller_role else None,
                session_name=entry.session_name,
                expect_account=entry.own,
                region=entry.region,
                max_workers=entry.max_workers,
            )
        elif _process.pid != os.getpid():
            # Forked: neither connections nor threads are shared between processes.
            _process.session.clients.forked()
            _process.workers = None
        _process.entry, _process.pid = entry, os.getpid()
        return _process.session


def _workers(entry: Entry) -> Workers:
    from postureaudit.aws.workers import Workers

    with _process.lock:
        if _process.workers is None or _process.workers.count != entry.max_workers:
            _process.workers = Workers(entry.max_workers)
        return _process.workers


def _entered(entry: Entry, account: str) -> Session | Refusal:
    session = _caller(entry)
    if account == entry.own:
        return session
    return session.enter(entry.role(account), entry.external_id, entry.session_name)
