"""A run over many accounts: collect each, ask for what they name of one another, judge each, add up."""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

import msgspec

from postureaudit import __version__, services
from postureaudit.catalog import Catalog
from postureaudit.errors import PostureAuditError
from postureaudit.org import index
from postureaudit.org.batches import batches
from postureaudit.org.collect import STOP, Collected, Entry, collect_accounts, follow_accounts, known
from postureaudit.org.judge import Judged, Task, judge_accounts
from postureaudit.org.names import Names, wanted
from postureaudit.org.store import Run, Store
from postureaudit.org.summary import Organization, Summary, Tally
from postureaudit.report import Report

try:
    import resource
except ImportError:  # there is none on Windows
    resource = None  # type: ignore[assignment]  # and the functions below ask

R = TypeVar("R")
_ROUNDS = 3  # what is named by what is named: a topic behind a bus in a third account


class Engine(Protocol):
    """Where batches are worked off; `parts` of them at once."""

    parts: int

    def run(self, function: Callable[..., R], batches: Sequence[tuple[Any, ...]]) -> Iterator[R]:
        """Each batch's result as it is there, in no order. A batch is the function's arguments."""
        ...

    def spread(
        self,
        work: Callable[[Iterable[Any]], R],
        items: Sequence[Any],
        at_once: int,
        tick: Callable[[], None] | None = None,
    ) -> Iterator[R]:
        """The work's results for all items, in parts, each `at_once` of them; `tick` is called now and then."""
        ...


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """What one stage took: seconds on the clock and of the processors, and the largest process so far in MiB."""

    name: str
    seconds: float
    cpu: float
    peak_mib: float


OnProgress = Callable[[int, int, str], None]


class Stages:
    """Times the stages of a run, for stages.json."""

    def __init__(self) -> None:
        self.found: list[Stage] = []
        self._wall, self._cpu = time.monotonic(), _cpu()

    def end(self, name: str) -> None:
        """Note what has passed since the stage before."""
        wall, cpu = time.monotonic(), _cpu()
        self.found.append(
            Stage(
                name=name,
                seconds=round(wall - self._wall, 3),
                cpu=round(cpu - self._cpu, 3),
                peak_mib=round(_peak(), 1),
            )
        )
        self._wall, self._cpu = wall, cpu


def _cpu() -> float:
    if resource is None:
        return time.process_time()
    found = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        found += usage.ru_utime + usage.ru_stime
    return found


def _peak() -> float:
    if resource is None:
        return 0.0
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024  # getrusage(2): bytes there, KiB on Linux
    return max(
        resource.getrusage(who).ru_maxrss / unit for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )


def collect(
    engine: Engine, store: Store, run: Run, entry: Entry, on_progress: OnProgress
) -> dict[str, Collected]:
    """Collect every account that is not there yet, then what they name of one another. By account.

    Ends early where STOP is set: what is not there is missing in the result then.
    """
    done: dict[str, Collected] = {}
    for account in run.accounts:
        if (found := known(store, account.id)) is not None:
            done[account.id] = found
    left = [account for account in run.accounts if account.id not in done]
    on_progress(len(done), len(run.accounts), "collecting")
    before = len(done)

    def tick() -> None:
        there = sum(store.collected(account.id).is_file() for account in left)
        on_progress(before + there, len(run.accounts), "collecting")

    work = functools.partial(collect_accounts, entry, folder=str(store.root))
    for found_ in engine.spread(work, left, entry.at_once, tick):
        done.update({item.account: item for item in found_ if item.state != "stopped"})
    on_progress(len(done), len(run.accounts), "collecting")
    if not STOP.is_set():
        _follow(engine, store, entry, done, on_progress)
    return done


def _follow(
    engine: Engine, store: Store, entry: Entry, done: dict[str, Collected], on_progress: OnProgress
) -> None:
    """Ask the accounts that others name for it, until nothing new is named."""
    work = functools.partial(follow_accounts, entry, folder=str(store.root))
    for _ in range(_ROUNDS):
        named, _owners = wanted(_names(done))
        left = [
            (account, item)
            for account, item in named.items()
            if (item.buckets or item.arns) and done[account].followed != item
        ]
        if not left or STOP.is_set():
            return
        on_progress(0, len(left), "following")
        count = 0
        for found in engine.spread(work, left, entry.at_once):
            done.update({item.account: item for item in found if item.state == "read"})
            count += len(found)
            on_progress(count, len(left), "following")


def _names(done: dict[str, Collected]) -> list[Names]:
    return [item.names for _, item in sorted(done.items()) if item.names is not None]


def judge(
    engine: Engine,
    store: Store,
    run: Run,
    done: dict[str, Collected],
    task: Task,
    on_progress: OnProgress,
    on_report: Callable[[Report], None],
) -> None:
    """Build the index and judge every account; reports that were wanted back come in order of the accounts' ids."""
    index.build(store, _names(done))
    accounts = [account.id for account in run.accounts]
    folder, count = str(store.root), 0
    reports: dict[str, Report] = {}
    for found in engine.run(
        judge_accounts, [(task, batch, folder) for batch in batches(accounts, engine.parts)]
    ):
        count += _note(found, reports)
        on_progress(count, len(accounts), "judging")
    if count < len(accounts) and not STOP.is_set():
        raise PostureAuditError("not every account was judged", hint="run again with --resume")
    for name in sorted(reports):
        on_report(reports[name])


def _note(found: Sequence[Judged], reports: dict[str, Report]) -> int:
    reports.update({item.account: item.report for item in found if item.report is not None})
    return sum(item.done for item in found)


def add_up(store: Store, run: Run, catalog: Catalog, ids: frozenset[str], fail_on: str) -> Organization:
    """The organization's result from the summaries of its accounts, read one by one."""
    tally = Tally()
    for account in run.accounts:
        found = store.read(store.summary(account.id), Summary)
        if found is None:
            raise PostureAuditError(f"account {account.id} has no summary", hint="run again with --resume")
        tally.add(found)
    titles = {check.id: (check.title, check.severity) for check in catalog.checks}
    columns = services.columns()
    used = {name for row in tally.rows for name in row.cells}
    gaps = tally.shared_gaps(titles)
    by_severity: dict[Any, int] = {}
    for gap in gaps:
        by_severity[gap.severity] = by_severity.get(gap.severity, 0) + len(gap.accounts)
    unused = sorted(tally.unused - tally.used)
    return Organization(
        tool_version=__version__,
        checks_digest=catalog.digest,
        started=run.started,
        caller=run.caller,
        organization=run.organization,
        management=run.management,
        inactive=run.inactive,
        regions=tally.regions,
        calls=tally.calls,
        code=tally.code(),
        fail_on=fail_on,
        complete=tally.complete,
        counts={name: tally.counts[name] for name in ("fail", "unknown", "waived", "pass", "not_applicable")},
        by_severity=by_severity,
        columns={name: title for name, title in columns.items() if name in used},
        accounts=tuple(sorted(tally.rows, key=lambda row: row.account)),
        gaps=gaps,
        signals=tally.lost(titles),
        blind=tally.shared_blind(),
        tolerated=tuple(sorted(tally.tolerated)),
        warnings=(*tally.warnings, *(f"waiver {name} matches nothing: remove it" for name in unused)),
    )
