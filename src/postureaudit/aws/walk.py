"""The walk: every ask of every (account, region, service) on one bounded pool, and every outcome kept."""

from __future__ import annotations

import datetime
import functools
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from postureaudit import __version__
from postureaudit.asks import Ask, Collection, Fork, Scope
from postureaudit.aws import answers, guard, outcomes, regions
from postureaudit.aws.calls import Calls, Refused
from postureaudit.aws.hidden import hidden
from postureaudit.aws.session import Session
from postureaudit.aws.workers import Workers
from postureaudit.evidence import (
    Account,
    Evidence,
    Header,
    Key,
    Named,
    Outcome,
    Record,
    Refusal,
    RefusalKind,
    Regions,
    canonical,
)

PER_SERVICE = 4  # requests in flight for one (account, region, service): below AWS's published limits
PER_REGION = 16  # and for one (account, region): a region that hangs never holds all workers
_NO_ANSWER = (RefusalKind.TIMEOUT, RefusalKind.NETWORK)


class Progress(msgspec.Struct, frozen=True):
    """How far the walk is: asks done, asks known, and what is being waited for."""

    done: int
    total: int
    label: str = ""


_ALIASES = Ask("iam:ListAccountAliases")

Collector = Callable[[Scope], Collection]


def walk(
    session: Session,
    collectors: Sequence[Collector],
    *,
    only: Sequence[str] = (),
    exclude: Sequence[str] = (),
    wanted: frozenset[str] | None = None,
    max_workers: int = 64,
    timeout: float | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
    named: Named | None = None,
    workers: Workers | None = None,
    name: str = "",
) -> Evidence:
    """Collect the evidence of the session's account in all its enabled regions.

    `only` and `exclude` are region globs; `wanted` the calls that the selected checks need (None: all).
    `timeout` bounds the whole walk in seconds: what is left is a refusal of kind timeout. Setting `stop`
    ends it early; calls in flight finish, the rest is not_collected. `named` are the accounts that the caller named:
    the log archive is asked with its own role where the session has one. `workers` are the threads to make the calls
    with, where walks of several accounts share them; at most `max_workers` of them at once. `name` is what people call
    the account, its alias unless said. Raises as regions.choose does.
    """
    started = _now()
    named = named or Named()
    run = _Run(session, wanted, max_workers, timeout, on_progress, stop or threading.Event(), named, workers)
    try:
        run.ask(_ALIASES, session.leader)
        seen = run.all((ask, session.leader) for ask in (regions.DESCRIBE, regions.LIST))
        found = regions.choose(seen, only=only, exclude=exclude)
        run.collect(collectors, found)
        alias = name or run.alias()
    finally:
        run.close()
    header = Header(
        tool_version=__version__,
        started=started,
        ended=_now(),
        partition=session.partition,
        caller=session.caller,
        accounts=(Account(id=session.account, name=alias),),
        regions=found,
        leader=session.leader,
        calls=run.calls.sent,
        interrupted="interrupted" if run.stop.is_set() else "; ".join(run.broken),
        named=msgspec.UNSET if named == Named() else named,
    )
    return Evidence(header, run.records())


def extend(
    session: Session,
    evidence: Evidence,
    collectors: Sequence[Collector],
    *,
    wanted: frozenset[str] | None = None,
    max_workers: int = 64,
    timeout: float | None = None,
    stop: threading.Event | None = None,
    workers: Workers | None = None,
) -> Evidence:
    """The evidence of the session's account with what more collectors ask. What it knows is not asked again."""
    header = evidence.header
    run = _Run(
        session, wanted, max_workers, timeout, None, stop or threading.Event(), evidence.named, workers
    )
    run.knows(evidence)
    try:
        run.collect(collectors, header.regions)
    finally:
        run.close()
    broken = (
        "interrupted" if run.stop.is_set() else "; ".join([*filter(None, [header.interrupted]), *run.broken])
    )
    header = msgspec.structs.replace(header, calls=header.calls + run.calls.sent, interrupted=broken)
    return Evidence(header, run.records())


def ask_all(session: Session, asks: Iterable[Ask], *, stop: threading.Event | None = None) -> list[Record]:
    """Make these asks in the leader region, or where each is aimed, and wait for their records, in order."""
    run = _Run(session, None, 16, None, None, stop or threading.Event(), Named(), None)
    try:
        return run.all((ask, ask.region or session.leader) for ask in asks)
    finally:
        run.close(wait=True)


class _Task:
    """A collector on its way: resumed when all asks of its batch are back."""

    __slots__ = ("batch", "generator", "missing", "scope")

    def __init__(self, generator: Collection, scope: Scope) -> None:
        self.generator = generator
        self.scope = scope
        self.batch: list[Key] = []
        self.missing = 0


class _Run:
    """The scheduler's state, kept by whoever holds its lock: a worker goes on with it when its call is done."""

    def __init__(
        self,
        session: Session,
        wanted: frozenset[str] | None,
        max_workers: int,
        timeout: float | None,
        on_progress: Callable[[Progress], None] | None,
        stop: threading.Event,
        named: Named,
        workers: Workers | None,
    ) -> None:
        self.session = session
        self.named = named
        self.wanted = wanted
        self.stop = stop
        self.calls = Calls(session, stop, lambda: self._ended() is not None)
        self.broken: list[str] = []  # collectors that failed: what they did not ask is unknown
        self._lock = threading.RLock()
        self._idle = threading.Event()
        self._deadline = time.monotonic() + timeout if timeout else None
        self._expired: Refusal | None = None
        self._failed: BaseException | None = None  # what ends the whole run
        self._progress = on_progress
        self._most = max_workers
        self._own = None if workers else Workers(max_workers)
        self._workers: Workers = workers or self._own  # type: ignore[assignment]  # one of the two is there
        self._records: dict[Key, Record] = {}
        self._asked: dict[Key, Ask] = {}
        self._waiting: dict[Key, list[_Task]] = defaultdict(list)
        self._queued: dict[str, dict[str, deque[tuple[Key, Ask]]]] = {}  # by region and service
        self._changed: set[str] = set()  # regions in which something may be sent now
        self._held = False  # all workers were busy: any region may have something to send
        self._awaited: set[Key] = set()  # what a caller waits for
        self._lines = 0  # asks that are queued
        self._turn = 0
        self._flying: dict[tuple[str, str], int] = defaultdict(int)
        self._flying_in: dict[str, int] = defaultdict(int)
        self._running = 0
        self._heard: set[tuple[str, str]] = set()  # (region, service) that has answered, were it to refuse
        self._heard_in: set[str] = set()
        self._silent: dict[tuple[str, str], Refusal] = {}  # what timed out and never answered

    def knows(self, evidence: Evidence) -> None:
        """Take over what an earlier walk was told; what it did not ask is asked when a collector wants it."""
        for record in evidence:
            if getattr(record.outcome, "kind", None) is not RefusalKind.NOT_COLLECTED:
                self._records[record.key] = record

    def ask(self, ask: Ask, region: str) -> Key:
        """Queue this ask; the `wanted` filter does not apply."""
        with self._lock:
            return self._want(ask, region, forced=True)

    def all(self, asks: Iterable[tuple[Ask, str]]) -> list[Record]:
        """Make these asks, each in its region, and wait for them; the `wanted` filter does not apply."""
        keys = [self.ask(ask, region) for ask, region in asks]
        with self._lock:
            self._awaited = {key for key in keys if key not in self._records}
        self._drain(keys)
        return [self._records[key] for key in keys]

    def collect(self, collectors: Sequence[Collector], found: Regions) -> None:
        self.calls.enabled = frozenset(found.audited)
        leader = self.session.leader
        first = leader if leader in found.audited else found.audited[0]
        named, own = self.named.log_archive_account, self.session.account
        has_role = self.session.archive is not None and self.session.archive.account == named != own
        for region in sorted(found.audited, key=lambda name: name != first):
            scope = Scope(
                partition=self.session.partition,
                account=self.session.account,
                region=region,
                leader=leader,
                regions=found.audited,
                first=region == first,
                log_archive=named,
                archive=named if has_role else "",
            )
            for collector in collectors:
                with self._lock:
                    self._start(collector(scope), scope)
            with self._lock:
                self._submit()
        self._drain()

    def alias(self) -> str:
        """The account's alias for people, "" when there is none or it may not be read."""
        for record in self._records.values():
            if record.call == "iam:ListAccountAliases":
                return str(next(iter(record.get("AccountAliases") or []), ""))
        return ""

    def records(self) -> list[Record]:
        return list(self._records.values())

    def close(self, *, wait: bool = False) -> None:
        """Let the threads go, and what is known with this run: `calls` asks it whether it has ended."""
        self.calls.close()
        if self._own is not None:
            self._own.close(wait=wait)

    def _start(self, generator: Collection, scope: Scope) -> None:
        self._resume(_Task(generator, scope), first=True)

    def _resume(self, task: _Task, *, first: bool = False) -> None:
        """Run a collector until it waits for an answer that is not there yet."""
        while True:
            try:
                records = [self._records[key] for key in task.batch]
                batch = next(task.generator) if first else task.generator.send(records)
            except StopIteration:
                return
            except Exception as error:  # one service's bug must not cost the others their answers
                self._break(task, error)
                return
            first = False
            task.batch = []
            for item in batch:
                match item:
                    case Fork(collections=collections):
                        for collection in collections:
                            self._start(collection, task.scope)
                    case Ask():
                        try:
                            task.batch.append(self._want(item, item.region or task.scope.region))
                        except ValueError as error:
                            self._break(task, error)
                            return
            missing = {key for key in task.batch if key not in self._records}
            if missing:
                task.missing = len(missing)
                for key in missing:
                    self._waiting[key].append(task)
                return

    def _break(self, task: _Task, error: Exception) -> None:
        name = getattr(task.generator, "__qualname__", "collector")
        self.broken.append(f"{name} in {task.scope.region}: {type(error).__name__}: {error}"[:300])

    def _want(self, ask: Ask, region: str, *, forced: bool = False) -> Key:
        """Queue an ask unless it was made already; an ask that no check needs is answered at once.

        Raises ValueError for an ask that was made with another `until`: its record may be shorter than this one's;
        and for one as an account that there is no role of.
        """
        account = ask.account or self.session.account
        archive = self.session.archive
        if account != self.session.account and (archive is None or account != archive.account):
            raise ValueError(f"{ask.call} is asked as account {account}, for which there is no role")
        key = (ask.call, canonical(ask.params), account, region)
        if key in self._asked:
            if self._asked[key].until != ask.until:
                raise ValueError(
                    f"{ask.call} is asked until {self._asked[key].until!r} and until {ask.until!r}"
                )
            return key
        self._asked[key] = ask
        if key in self._records:
            return key
        if self.wanted is not None and ask.call not in self.wanted and not forced:
            self._records[key] = self._record(key, ask, Refusal(RefusalKind.NOT_COLLECTED), _now())
        else:
            self._queued.setdefault(region, {}).setdefault(ask.service, deque()).append((key, ask))
            self._changed.add(region)
            self._lines += 1
        return key

    def _drain(self, keys: Sequence[Key] = ()) -> None:
        """Wait for these records, or until all queued asks are made and no collector has more.

        Whoever waits looks after the deadline.
        """
        while True:
            with self._lock:
                self._submit()
                if self._failed is not None:
                    raise self._failed
                if (not self._running and not self._lines) or (keys and not self._awaited):
                    return
                self._idle.clear()
            self._idle.wait(0.2)

    def _finish(self, key: Key, outcome: Outcome, at: str) -> None:
        """A worker's call is done: keep what it says, go on with who waited for it, and send what may be sent now."""
        ask = self._asked[key]
        with self._lock:
            self._running -= 1
            self._flying[(key[3], ask.service)] -= 1
            self._flying_in[key[3]] -= 1
            self._changed.add(key[3])
            if self._failed is None:
                try:
                    self._listen((key[3], ask.service), outcome)
                    self._keep(key, ask, outcome, at)
                    self._submit()
                except BaseException as error:  # whoever waits has to hear of it
                    self._failed = error
            if self._failed is not None or (not self._running and not self._lines):
                self._idle.set()

    def _listen(self, where: tuple[str, str], outcome: Outcome) -> None:
        """Remember who answers. What never did is not waited for again: a dead region costs one time-out."""
        if not isinstance(outcome, Refusal) or outcome.kind not in _NO_ANSWER:
            self._heard.add(where)
            self._heard_in.add(where[0])
            self._silent.pop(where, None)
        elif where not in self._heard:
            self._silent[where] = outcome

    def _silence(self, region: str, service: str) -> Refusal | None:
        """The time-out that stands for the next ask too: this endpoint's, or that of a region that is all silent."""
        found = self._silent.get((region, service))
        if found is None and self._silent and region not in self._heard_in:
            # Where nothing else was heard meanwhile, a time-out tells of the region; a name not found, of a service.
            silent = [refusal for (place, _), refusal in self._silent.items() if place == region]
            timed_out = [refusal for refusal in silent if refusal.kind is RefusalKind.TIMEOUT]
            found = timed_out[0] if timed_out else silent[0] if len(silent) > 1 else None
        if found is None:
            return None
        return msgspec.structs.replace(found, message="not tried: an earlier call there was not answered")

    def _keep(self, key: Key, ask: Ask, outcome: Outcome, at: str) -> None:
        own = key[2] == self.session.account  # the log archive's role may end before the audit does
        if own and isinstance(outcome, Refusal) and outcome.kind is RefusalKind.EXPIRED:
            self._expired = self._expired or outcome
        self._records[key] = self._record(key, ask, outcome, at)
        if key in self._awaited:
            self._awaited.remove(key)
            if not self._awaited:
                self._idle.set()
        if self._progress:
            self._progress(Progress(len(self._records), len(self._asked), f"{key[3]} {ask.service}"))
        for task in self._waiting.pop(key, ()):
            task.missing -= 1
            if not task.missing:
                self._resume(task)

    def _record(self, key: Key, ask: Ask, outcome: Outcome, at: str) -> Record:
        if isinstance(outcome, Refusal):
            outcome = msgspec.structs.replace(
                outcome, call=outcome.call or key[0], region=outcome.region or key[3]
            )
        return Record(call=key[0], params=ask.params, account=key[2], region=key[3], at=at, outcome=outcome)

    def _submit(self) -> None:
        """Hand queued asks to workers, within the caps; refuse them all once the walk has to end."""
        while self._changed or (self._held and self._running < self._most):
            ended = self._ended() if self._lines else None
            regions = self._in_turn() if self._held or ended else sorted(self._changed)
            self._changed.clear()
            self._held = False
            for region in regions:
                for service, line in list(self._queued.get(region, {}).items()):
                    self._send(region, service, line, ended)
                if self._held:
                    break
        if self._lines and self._ended() is not None:
            self._changed.update(self._queued)
            self._submit()

    def _in_turn(self) -> list[str]:
        """All regions with something queued, another one first each time, so that none waits for all others."""
        found = [region for region, lines in self._queued.items() if lines]
        self._turn += 1
        at = self._turn % max(len(found), 1)
        return found[at:] + found[:at]

    def _send(self, region: str, service: str, line: deque[tuple[Key, Ask]], ended: Refusal | None) -> None:
        """What may be sent of one (region, service)."""
        while line:
            refused = ended or self._silence(region, service)
            if refused is not None:
                key, ask = line.popleft()
                self._lines -= 1
                self._keep(key, ask, refused, _now())
                continue
            if self._running >= self._most:
                self._held = True
                return
            if self._flying[(region, service)] >= PER_SERVICE or self._flying_in[region] >= PER_REGION:
                return
            key, ask = line.popleft()
            self._lines -= 1
            self._running += 1
            self._flying[(region, service)] += 1
            self._flying_in[region] += 1
            self._workers.submit(self._work, key, ask)
        self._queued[region].pop(service, None)

    def _ended(self) -> Refusal | None:
        if self._expired is not None:
            skewed = outcomes.is_skewed(self._expired.code, self._expired.message)
            text = (
                "AWS refused the time of this machine's clock"
                if skewed
                else "the credentials expired during the audit"
            )
            return msgspec.structs.replace(self._expired, message=text)
        if self.stop.is_set():
            return Refusal(RefusalKind.NOT_COLLECTED, message="interrupted")
        if self._deadline is not None and time.monotonic() > self._deadline:
            return Refusal(RefusalKind.TIMEOUT, message="the time given with --timeout ran out")
        return None

    def _work(self, key: Key, ask: Ask) -> None:
        """A worker's part: one ask with its pages and retries. Whatever happens, an outcome comes back."""
        outcome: Outcome
        try:
            outcome = self.calls.answer(ask, key[2], key[3], self._credentials(ask, key[2]))
        except Refused as refused:
            outcome = refused.outcome
        except Exception as error:
            outcome = Refusal(RefusalKind.MALFORMED, type(error).__name__, hidden(str(error))[:200])
        except BaseException as error:  # a call outside the allow-list: the whole run ends with it
            self._failed = error
            outcome = Refusal(RefusalKind.ERROR, type(error).__name__, hidden(str(error))[:200])
        self._finish(key, outcome, _now())

    def _credentials(self, ask: Ask, account: str) -> Any:
        """The credentials to ask with. Raises Refused where the log archive's role cannot be assumed."""
        archive = self.session.archive
        if account == self.session.account or archive is None:
            return self.session.credentials
        guard.refuse_elsewhere(ask.call)
        if archive.refusal is not None:
            raise Refused(archive.refusal)
        return archive.credentials


def _now() -> str:
    return _second(int(time.time()))


@functools.lru_cache(maxsize=4)
def _second(stamp: int) -> str:
    return answers.iso(datetime.datetime.fromtimestamp(stamp, datetime.UTC))
