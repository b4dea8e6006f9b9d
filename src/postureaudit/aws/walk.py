"""The walk: every ask of every (account, region, service) on one bounded pool, and every outcome kept."""

from __future__ import annotations

import datetime
import queue
import random
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from postureaudit import __version__
from postureaudit.asks import Ask, Collection, Fork, Scope
from postureaudit.aws import answers, guard, outcomes, pages, regions
from postureaudit.aws.hidden import hidden
from postureaudit.aws.session import Session
from postureaudit.evidence import (
    Account,
    Answer,
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

MAX_ATTEMPTS = 4
PER_SERVICE = 4  # requests in flight for one (account, region, service): below AWS's published limits
PER_REGION = 16  # and for one (account, region): a region that hangs never holds all workers
_NO_ANSWER = (RefusalKind.TIMEOUT, RefusalKind.NETWORK)
_BACKOFF = 0.5  # seconds; full jitter up to twice as much with each attempt


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
) -> Evidence:
    """Collect the evidence of the session's account in all its enabled regions.

    `only` and `exclude` are region globs; `wanted` the calls that the selected checks need (None: all).
    `timeout` bounds the whole walk in seconds: what is left is a refusal of kind timeout. Setting `stop`
    ends it early; calls in flight finish, the rest is not_collected. `named` are the accounts that the caller named:
    the log archive is asked with its own role where the session has one. Raises as regions.choose does.
    """
    started = _now()
    named = named or Named()
    run = _Run(session, wanted, max_workers, timeout, on_progress, stop or threading.Event(), named)
    try:
        seen = run.all((ask, session.leader) for ask in (regions.DESCRIBE, regions.LIST, _ALIASES))
        found = regions.choose(seen[:2], only=only, exclude=exclude)
        run.collect(collectors, found)
        name = run.alias()
    finally:
        run.close()
    header = Header(
        tool_version=__version__,
        started=started,
        ended=_now(),
        partition=session.partition,
        caller=session.caller,
        accounts=(Account(id=session.account, name=name),),
        regions=found,
        leader=session.leader,
        calls=run.calls,
        interrupted="interrupted" if run.stop.is_set() else "; ".join(run.broken),
        named=msgspec.UNSET if named == Named() else named,
    )
    return Evidence(header, run.records())


class _Task:
    """A collector on its way: resumed when all asks of its batch are back."""

    __slots__ = ("batch", "generator", "missing", "scope")

    def __init__(self, generator: Collection, scope: Scope) -> None:
        self.generator = generator
        self.scope = scope
        self.batch: list[Key] = []
        self.missing = 0


class _Run:
    """The scheduler's state. One thread (the caller's) drives collectors; workers only make calls."""

    def __init__(
        self,
        session: Session,
        wanted: frozenset[str] | None,
        max_workers: int,
        timeout: float | None,
        on_progress: Callable[[Progress], None] | None,
        stop: threading.Event,
        named: Named,
    ) -> None:
        self.session = session
        self.named = named
        self.wanted = wanted
        self.stop = stop
        self.calls = 0
        self._lock = threading.Lock()
        self._deadline = time.monotonic() + timeout if timeout else None
        self._expired: Refusal | None = None
        self.broken: list[str] = []  # collectors that failed: what they did not ask is unknown
        self._violation: BaseException | None = None
        self._progress = on_progress
        self._workers = max_workers
        self._pool = ThreadPoolExecutor(max_workers, thread_name_prefix="aws")
        self._done: queue.SimpleQueue[tuple[Key, Outcome, str]] = queue.SimpleQueue()
        self._records: dict[Key, Record] = {}
        self._asked: dict[Key, Ask] = {}
        self._waiting: dict[Key, list[_Task]] = defaultdict(list)
        self._queued: dict[tuple[str, str], deque[tuple[Key, Ask]]] = defaultdict(deque)
        self._flying: dict[tuple[str, str], int] = defaultdict(int)
        self._flying_in: dict[str, int] = defaultdict(int)
        self._running = 0
        self._enabled: frozenset[str] = frozenset()
        self._heard: set[tuple[str, str]] = set()  # (region, service) that has answered, were it to refuse
        self._silent: dict[tuple[str, str], Refusal] = {}  # what timed out and never answered

    def all(self, asks: Iterable[tuple[Ask, str]]) -> list[Record]:
        """Make these asks, each in its region, and wait for them; the `wanted` filter does not apply."""
        keys = [self._want(ask, region, forced=True) for ask, region in asks]
        self._drain()
        return [self._records[key] for key in keys]

    def collect(self, collectors: Sequence[Collector], found: Regions) -> None:
        self._enabled = frozenset(found.audited)
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
                self._start(collector(scope), scope)
        self._drain()

    def alias(self) -> str:
        """The account's alias for people, "" when there is none or it may not be read."""
        for record in self._records.values():
            if record.call == "iam:ListAccountAliases":
                return str(next(iter(record.get("AccountAliases") or []), ""))
        return ""

    def records(self) -> list[Record]:
        return list(self._records.values())

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

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
        if self.wanted is not None and ask.call not in self.wanted and not forced:
            self._records[key] = self._record(key, ask, Refusal(RefusalKind.NOT_COLLECTED), _now())
        else:
            self._queued[(region, ask.service)].append((key, ask))
        return key

    def _drain(self) -> None:
        """Make all queued asks and resume collectors until nothing is left to do."""
        self._submit()
        while self._running or any(self._queued.values()):
            if self._running:
                self._take()
            self._submit()

    def _take(self) -> None:
        """Wait a moment for an outcome, then keep all that are there."""
        try:
            self._finish(*self._done.get(timeout=0.2))
            while True:
                self._finish(*self._done.get_nowait())
        except queue.Empty:
            return

    def _finish(self, key: Key, outcome: Outcome, at: str) -> None:
        if self._violation is not None:
            raise self._violation
        ask = self._asked[key]
        self._running -= 1
        self._flying[(key[3], ask.service)] -= 1
        self._flying_in[key[3]] -= 1
        self._listen((key[3], ask.service), outcome)
        self._keep(key, ask, outcome, at)

    def _listen(self, where: tuple[str, str], outcome: Outcome) -> None:
        """Remember who answers. What never did is not waited for again: a dead region costs one time-out."""
        if not isinstance(outcome, Refusal) or outcome.kind not in _NO_ANSWER:
            self._heard.add(where)
            self._silent.pop(where, None)
        elif where not in self._heard:
            self._silent[where] = outcome

    def _silence(self, region: str, service: str) -> Refusal | None:
        """The time-out that stands for the next ask too: this endpoint's, or that of a region that is all silent."""
        found = self._silent.get((region, service))
        if found is None and not any(place == region for place, _ in self._heard):
            silent = [refusal for (place, _), refusal in self._silent.items() if place == region]
            found = silent[0] if len(silent) > 1 else None
        if found is None:
            return None
        return msgspec.structs.replace(found, message="not tried: an earlier call there was not answered")

    def _keep(self, key: Key, ask: Ask, outcome: Outcome, at: str) -> None:
        own = key[2] == self.session.account  # the log archive's role may end before the audit does
        if own and isinstance(outcome, Refusal) and outcome.kind is RefusalKind.EXPIRED:
            self._expired = self._expired or outcome
        self._records[key] = self._record(key, ask, outcome, at)
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
        ended = self._ended()
        if ended is not None:
            while any(self._queued.values()):
                for line in list(self._queued.values()):
                    while line:
                        key, ask = line.popleft()
                        self._keep(key, ask, ended, _now())
            return
        for (region, service), line in list(self._queued.items()):
            while line and (silence := self._silence(region, service)) is not None:
                key, ask = line.popleft()
                self._keep(key, ask, silence, _now())
            while (
                line
                and self._running < self._workers
                and self._flying[(region, service)] < PER_SERVICE
                and self._flying_in[region] < PER_REGION
            ):
                key, ask = line.popleft()
                self._running += 1
                self._flying[(region, service)] += 1
                self._flying_in[region] += 1
                self._pool.submit(self._work, key, ask)

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
            outcome = self._answer(ask, key[3], self._credentials(ask, key[2]))
        except _Refused as refused:
            outcome = refused.outcome
        except Exception as error:
            outcome = Refusal(RefusalKind.MALFORMED, type(error).__name__, hidden(str(error))[:200])
        except BaseException as error:  # a call outside the allow-list: the whole run ends with it
            self._violation = error
            outcome = Refusal(RefusalKind.ERROR, type(error).__name__, hidden(str(error))[:200])
        self._done.put((key, outcome, _now()))

    def _credentials(self, ask: Ask, account: str) -> Any:
        """The credentials to ask with. Raises _Refused where the log archive's role cannot be assumed."""
        archive = self.session.archive
        if account == self.session.account or archive is None:
            return self.session.credentials
        guard.refuse_elsewhere(ask.call)
        if archive.refusal is not None:
            raise _Refused(archive.refusal)
        return archive.credentials

    def _answer(self, ask: Ask, region: str, credentials: Any) -> Outcome:
        model = self.session.clients.model(ask.service, ask.operation)

        def page(params: dict[str, Any]) -> dict[str, Any]:
            raw = self._request(ask, region, params, credentials)
            found = answers.plain(raw, model.output_shape, ask.service)
            return found if isinstance(found, dict) else {}

        try:
            return Answer(pages.read_all(ask.call, ask.params, pages.token_of(model), ask.until, page))
        except _Refused as refused:
            return refused.outcome
        except pages.Truncated as error:
            return Refusal(RefusalKind.TRUNCATED, message=str(error))

    def _request(self, ask: Ask, region: str, params: dict[str, Any], credentials: Any) -> dict[str, Any]:
        """One request with bounded retries: throttles, 5xx and broken connections back off, a time-out ends it."""
        attempt = 0
        while True:
            attempt += 1
            with self._lock:
                self.calls += 1
            try:
                return self.session.clients.call(
                    ask.service, ask.operation, params, region=region, credentials=credentials
                )
            except Exception as error:
                outcome, status = self._outcome(error, ask, region)
                retry = outcomes.is_retryable(outcome, status)
                limit = MAX_ATTEMPTS
                if isinstance(outcome, Refusal) and outcome.kind is RefusalKind.NETWORK:
                    retry, limit = True, 3
                if not retry or attempt >= limit or self._ended() is not None:
                    raise _Refused(outcome) from error
            self.stop.wait(random.uniform(0.05, _BACKOFF * 2**attempt))

    def _outcome(self, error: Exception, ask: Ask, region: str) -> tuple[Any, int]:
        import botocore.exceptions as failed
        import botocore.parsers

        text = hidden(str(error))[:300]
        match error:
            case failed.ClientError():
                detail = error.response.get("Error", {})
                status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)
                code, message = str(detail.get("Code", "")), str(detail.get("Message", ""))
                found = outcomes.classify(ask.service, ask.operation, code, message, status=status)
                return self._in_an_enabled_region(found, region), status
            case failed.ConnectTimeoutError() | failed.ReadTimeoutError():
                return Refusal(RefusalKind.TIMEOUT, type(error).__name__, text), 0
            case failed.EndpointConnectionError() if not self.session.offered(ask.service, region):
                return Refusal(RefusalKind.NOT_IN_REGION, type(error).__name__, text), 0
            case failed.HTTPClientError() | failed.ConnectionError():
                return Refusal(RefusalKind.NETWORK, type(error).__name__, text), 0
            case (
                botocore.parsers.ResponseParserError()
                | ValueError()
                | LookupError()
                | TypeError()
                | AttributeError()
            ):
                return Refusal(RefusalKind.MALFORMED, type(error).__name__, text), 0
            case (
                failed.NoCredentialsError()
                | failed.CredentialRetrievalError()
                | failed.SSOError()
                | failed.TokenRetrievalError()
                | failed.LoginError()
            ):
                return Refusal(RefusalKind.EXPIRED, type(error).__name__, text), 0
            case _:
                return Refusal(RefusalKind.ERROR, type(error).__name__, text), 0

    def _in_an_enabled_region(self, outcome: Outcome, region: str) -> Outcome:
        """What "not enabled" means in a region that the account has enabled: it does not know these credentials.

        Tokens of STS's global endpoint are not valid in regions that were opted into (STS API reference,
        "Activating and deactivating AWS STS in an AWS Region").
        """
        if not isinstance(outcome, Refusal) or outcome.kind is not RefusalKind.REGION_DISABLED:
            return outcome
        if region not in self._enabled:
            return outcome
        message = (
            "the region is enabled and does not know these credentials: "
            "use a token of a regional STS endpoint (AWS_STS_REGIONAL_ENDPOINTS=regional)"
        )
        return msgspec.structs.replace(outcome, kind=RefusalKind.DENIED, message=message)


class _Refused(Exception):
    def __init__(self, outcome: Any) -> None:
        super().__init__(outcome)
        self.outcome: Outcome = outcome


def _now() -> str:
    return answers.iso(datetime.datetime.now(datetime.UTC))
