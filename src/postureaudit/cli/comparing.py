"""Two results compared, as lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from postureaudit.diff import Change
from postureaudit.render.neutral import neutral

_SHOWN = 5  # places of one check in one state


def lines(changes: Sequence[Change]) -> Iterator[str]:
    """A line a check and state, what is new first, then the counts."""
    states = (("new", "new"), ("fixed", "fixed"), ("not_rechecked", "not re-checked"), ("still", "still"))
    for name, label in states:
        for change in changes:
            places: tuple[str, ...] = getattr(change, name)
            if places:
                more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
                where = ", ".join(neutral(place) for place in places[:_SHOWN])
                head = f"{label:14}  {change.severity:8}  {change.account}  {neutral(change.check)}"
                yield f"{head}  {len(places)}: {where}{more}"
    counts = ", ".join(
        f"{sum(len(getattr(item, name)) for item in changes)} {label}" for name, label in states
    )
    yield f"DIFF  {counts}"
