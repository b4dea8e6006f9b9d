"""What the state is made of: plain dicts in AWS's spelling, and times."""

from __future__ import annotations

import copy
import datetime
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]


def now(**ago: float) -> datetime.datetime:
    """The time, so many days or minutes ago."""
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0) - datetime.timedelta(**ago)


def fresh(**defaults: Any) -> Callable[[], Json]:
    """A factory of state dicts of one service in one region."""
    return lambda: copy.deepcopy(defaults)
