"""This machine's processors: batches of accounts in processes of their own, or one after the other in this one."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import multiprocessing
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from postureaudit.errors import PostureAuditError
from postureaudit.org.collect import STOP

R = TypeVar("R")
_TICK = 1.0  # seconds
_LOCKED = 30.0  # seconds
# For gc.set_threshold: answers are many small objects and hardly ever in circles (tests/test_flat.py).
_SELDOM = (20_000, 10, 10)
_ARENA_MAX, _MMAP_THRESHOLD = -8, -3  # M_ARENA_MAX and M_MMAP_THRESHOLD of malloc.h
_TRIES = 3  # a process that is killed takes its batch with it: the batch is done again


class Local:
    """`workers` processes; 1 is this process itself."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.parts = workers
        self._pool: ProcessPoolExecutor | None = None
        self._taken: Any = None  # how many items the pool's processes have taken

    def __enter__(self) -> Local:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(
        self,
        function: Callable[..., R],
        batches: Sequence[tuple[Any, ...]],
        tick: Callable[[], None] | None = None,
    ) -> Iterator[R]:
        """Each batch's result as it is there, in no order. A batch is the function's arguments.

        `tick` is called about once a second meanwhile.
        """
        if self.workers == 1:
            for batch in batches:
                yield function(*batch)
            return
        left = dict(enumerate(batches))
        for attempt in range(_TRIES):
            try:
                for number, result in self._finished(function, left, tick):
                    del left[number]
                    yield result
                return
            except BrokenProcessPool as error:
                self.close()
                if attempt == _TRIES - 1 or STOP.is_set():
                    raise PostureAuditError(
                        "the processes that do the work end again and again",
                        hint="memory may be short: try --workers 1, then go on with --resume",
                    ) from error

    def spread(
        self,
        work: Callable[[Iterable[Any]], R],
        items: Sequence[Any],
        at_once: int,
        tick: Callable[[], None] | None = None,
    ) -> Iterator[R]:
        """The work's results for all items: each process takes the next one whenever it has room for it.

        `tick` is called about once a second. What a process that was killed had taken is taken again.
        """
        if self.workers == 1:
            yield work(items)
            return
        if self._taken is not None:
            self._taken.value = 0
        yield from self.run(_of_all, [(work, items)] * self.workers, tick)

    def stop(self) -> None:
        """Have the processes end: what is not read by now is left."""
        STOP.set()
        for child in multiprocessing.active_children():
            child.terminate()

    def settle(self) -> None:
        """Let the processes end between two stages: what they took is known then, and their memory free."""
        self.close()

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def _finished(
        self,
        function: Callable[..., R],
        left: dict[int, tuple[Any, ...]],
        tick: Callable[[], None] | None,
    ) -> Iterator[tuple[int, R]]:
        if self._pool is None:
            # A forked process has all that this one has imported, and needs no credentials found again.
            gc.freeze()  # what is here now is not looked at again, so that its pages stay shared
            way = "fork" if sys.platform == "linux" else "spawn"
            context = multiprocessing.get_context(way)
            self._taken = context.Value("q", 0)
            self._pool = ProcessPoolExecutor(
                self.workers, context, initializer=_begin, initargs=(self._taken,)
            )
        futures: dict[Future[R], int] = {
            self._pool.submit(function, *batch): number for number, batch in left.items()
        }
        running = set(futures)
        while running:
            ended, running = wait(running, _TICK if tick else None, FIRST_COMPLETED)
            for future in ended:
                if not future.cancelled():
                    yield futures[future], future.result()
            if tick:
                tick()


class _Process:
    taken: Any = None  # how many items the processes have taken, all together


def _of_all(work: Callable[[Iterable[Any]], R], items: Sequence[Any]) -> R:
    """In a process of the pool: the work's result for the items that no other process takes."""
    return work(_taken_of(items))


def _taken_of(items: Sequence[Any]) -> Iterator[Any]:
    while True:
        lock = _Process.taken.get_lock()
        if not lock.acquire(timeout=_LOCKED):  # whoever held it was killed in that very moment
            raise PostureAuditError("a process that does the work was killed", hint="go on with --resume")
        number = _Process.taken.value
        _Process.taken.value = number + 1
        lock.release()
        if number >= len(items):
            return
        yield items[number]


def _begin(taken: Any) -> None:
    """In a new process: a signal ends it gently, and the one that was meant for its parent too."""
    _Process.taken = taken
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: STOP.set())
    gc.set_threshold(*_SELDOM)
    _one_heap()


def _one_heap() -> None:
    """Have glibc's malloc keep two heaps, not one a thread: what one thread freed, another uses (mallopt(3))."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError, AttributeError):  # another C library
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_ARENA_MAX, 2)
        mallopt(_MMAP_THRESHOLD, 128 * 1024)
