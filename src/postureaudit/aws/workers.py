"""The threads that make calls: one set a process, shared by every walk in it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any


class Workers:
    """At most `count` threads that run what is handed to them, first come first served.

    A plain queue and daemon threads: a pool of futures costs about as much a call as the call itself. What is handed
    over must not raise; what does raise ends its thread, and the next submit starts another.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._queue: queue.SimpleQueue[tuple[Callable[..., None], tuple[Any, ...]] | None] = (
            queue.SimpleQueue()
        )
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()
        self._idle = 0

    def submit(self, function: Callable[..., None], *args: Any) -> None:
        """Have a thread call `function(*args)`."""
        with self._lock:
            if self._idle <= self._queue.qsize() and len(self._threads) < self.count:
                thread = threading.Thread(target=self._serve, name="aws", daemon=True)
                self._threads.add(thread)
                thread.start()
        self._queue.put((function, args))

    def close(self, *, wait: bool = False) -> None:
        """Let the threads end once the queue is empty; with `wait`, until they have (before a fork, for example)."""
        with self._lock:
            threads = list(self._threads)
        for _ in threads:
            self._queue.put(None)
        for thread in threads if wait else ():
            thread.join()

    def _serve(self) -> None:
        try:
            while True:
                with self._lock:
                    self._idle += 1
                task = self._queue.get()
                with self._lock:
                    self._idle -= 1
                if task is None:
                    return
                function, args = task
                function(*args)
                del task, function, args  # a thread that waits holds no account's answers
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())
