"""Progress on stderr: one changing line on a terminal, a plain line every ten seconds in CI."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from postureaudit.aws.walk import Progress as Step

_EVERY = {"live": 0.1, "plain": 10.0}  # seconds


class Progress:
    """Called with each step of the walk; a context manager that leaves the line clean."""

    def __init__(self, choice: str) -> None:
        dumb = os.environ.get("TERM") == "dumb" or bool(os.environ.get("CI"))
        live = sys.stderr.isatty() and not dumb
        self.mode = "live" if choice == "auto" and live else "plain" if choice != "none" else "none"
        self._next = time.monotonic() + _EVERY.get(self.mode, 0)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self.mode == "live":
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def __call__(self, step: Step) -> None:
        now = time.monotonic()
        if self.mode == "none" or now < self._next:
            return
        self._next = now + _EVERY[self.mode]
        if self.mode == "plain":
            print(f"collecting {step.done}/{step.total}  {step.label}", file=sys.stderr, flush=True)
            return
        filled = 24 * step.done // max(step.total, 1)
        bar = "#" * filled + "-" * (24 - filled)
        text = f"\r\x1b[Kcollecting [{bar}] {step.done}/{step.total}  {step.label:.36}"
        print(text, end="", file=sys.stderr, flush=True)
