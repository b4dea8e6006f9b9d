"""How many connections a process may hold open: macOS gives a shell 256 files, a walk wants several hundred."""

from __future__ import annotations

import sys

_WANTED = 2048
_OTHERS = 64  # files that are no connections: modules, evidence, the terminal


def allow_many() -> None:
    """Raise this process's limit of open files as far as it is allowed to and we need; children inherit it."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WANTED if hard == resource.RLIM_INFINITY else min(_WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):
            return


def left_beside(in_use: int, *, most: int) -> int:
    """How many connections may wait idle, at most `most`, while so many others are in use."""
    if sys.platform == "win32":
        return most
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return most if soft == resource.RLIM_INFINITY else max(0, min(most, soft - in_use - _OTHERS))
