"""What a checks file must not have: one sentence each, where it stands, and what was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

import msgspec

At = tuple[Any, ...]  # a path, such as ("fix", 0, "when")
Lines = dict[At, int]  # by path, where in the file a value stands


class Problem(msgspec.Struct, frozen=True):
    """A mistake: the check's id ("" for one of the whole file), one sentence, a hint, the path and the line.

    `at` is the path of the field within the check; `line` counts from 1, 0 where no file is known.
    """

    check: str
    text: str
    hint: str = ""
    at: At = ()
    line: int = 0

    def sentence(self) -> str:
        """The sentence with its hint."""
        return self.text + (f"; {self.hint}" if self.hint else "")


def near(name: str, known: Iterable[str], *, shown: int = 12) -> str:
    """A hint: the near names of a misspelt one, else some of those that exist."""
    names = sorted(known)
    close = get_close_matches(name, names, n=3, cutoff=0.5)
    if close:
        return f"did you mean {', '.join(close)}?"
    more = ", ..." if len(names) > shown else ""
    return f"there is: {', '.join(names[:shown])}{more}" if names else ""
