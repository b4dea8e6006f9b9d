"""Dask distributed: the same batches on the workers of a cluster, done again elsewhere where a worker is lost."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import as_completed
from typing import Any, TypeVar

from postureaudit.errors import PostureAuditError, UsageError
from postureaudit.org.batches import batches
from postureaudit.org.collect import STOP

R = TypeVar("R")
_RETRIES = 3


class Dask:
    """The workers behind a scheduler ("tcp://host:8786"), which see the output directory under the same path.

    A task carries a role's name and an external id, never a key: each worker finds the caller's credentials where it
    runs (environment, profile, instance or task role).
    """

    def __init__(self, scheduler: str) -> None:
        try:
            distributed: Any = importlib.import_module("distributed")
        except ImportError as error:
            raise UsageError(
                "--engine dask needs Dask, which is not installed",
                hint="run: pip install 'postureaudit[dask]'",
            ) from error
        try:
            self._client = distributed.Client(scheduler, timeout=15, set_as_default=False)
        except (OSError, ValueError) as error:
            raise PostureAuditError(
                f"no Dask scheduler answers at {scheduler}: {error}",
                hint="start one with: dask scheduler, and workers with: dask worker ADDRESS",
            ) from error
        self._executor = self._client.get_executor(retries=_RETRIES, pure=False)
        threads = sum(self._client.nthreads().values())
        self.parts = max(threads, 1)

    def __enter__(self) -> Dask:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, function: Callable[..., R], batches: Sequence[tuple[Any, ...]]) -> Iterator[R]:
        """Each batch's result as it is there, in no order. A batch is the function's arguments."""
        futures = [self._executor.submit(function, *batch) for batch in batches]
        for future in as_completed(futures):
            if STOP.is_set():
                for other in futures:
                    other.cancel()
                return
            try:
                yield future.result()
            except Exception as error:
                if type(error).__module__.startswith("distributed"):
                    raise PostureAuditError(
                        f"the Dask cluster gave up: {error}",
                        hint="go on with --resume once its workers are there",
                    ) from error
                raise

    def spread(
        self,
        work: Callable[[Iterable[Any]], R],
        items: Sequence[Any],
        at_once: int,
        tick: Callable[[], None] | None = None,
    ) -> Iterator[R]:
        """The work's results for all items, in batches; `tick` is called after each."""
        for found in self.run(work, [(batch,) for batch in batches(items, self.parts, at_once)]):
            if tick:
                tick()
            yield found

    def stop(self) -> None:
        """Begin no further batch; what runs by now ends by itself."""
        STOP.set()

    def settle(self) -> None:
        """Between two stages there is nothing to do: the workers are others' to end."""

    def close(self) -> None:
        self._executor.shutdown(wait=False)
        self._client.close()
