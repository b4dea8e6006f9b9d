"""Work in parts: how many items each part has."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
_TURNS = 8  # items a part at most, so many for each that is worked on at once


def batches(items: Sequence[T], parts: int, least: int = 1) -> list[list[T]]:
    """Items in batches, the first ones large and the last ones small: at the end one part waits for the others.

    A batch that is lost costs what of it was not done yet. `least` is how many items a part works on at once.
    """
    found: list[list[T]] = []
    at = 0
    while at < len(items):
        size = max(least, min(least * _TURNS, math.ceil((len(items) - at) / (parts * 2))))
        found.append(list(items[at : at + size]))
        at += size
    return found
