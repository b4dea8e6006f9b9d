"""Ages of what AWS reports, against the moment it was asked: never against now."""

from __future__ import annotations

import datetime


def age_hours(when: object, at: str) -> float | None:
    """Hours from an ISO 8601 time to the record's `at`; None when either is no time."""
    try:
        then = datetime.datetime.fromisoformat(str(when).replace("Z", "+00:00"))
        asked = datetime.datetime.fromisoformat(at.replace("Z", "+00:00"))
        return round((asked - then).total_seconds() / 3600, 2)
    except (ValueError, TypeError):
        return None
