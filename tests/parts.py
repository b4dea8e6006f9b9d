"""Long matrices in two parts: one that always runs, and the rest, which CI runs with -m exhaustive."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from zlib import crc32

import pytest


def part(cases: Iterable[Any], *, of: int) -> list[Any]:
    """The cases as parameters; but for one in `of`, they run with -m exhaustive only.

    Which part a case is in depends on its name alone: a new case moves no other.
    """
    return [
        case
        if crc32(str(case).encode()) % of == 0
        else pytest.param(case, id=str(case), marks=pytest.mark.exhaustive)
        for case in cases
    ]
