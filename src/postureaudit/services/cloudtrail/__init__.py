"""CloudTrail: what is recorded, where it is kept, and whether it arrives."""

from __future__ import annotations

from postureaudit.services.base import Service
from postureaudit.services.cloudtrail.asks import TRAILS, collect, log_group
from postureaudit.services.cloudtrail.coverage import (
    EVENT_CALLS,
    Trail,
    covered,
    listed,
    logging,
    status,
    trails,
    writes,
)
from postureaudit.services.cloudtrail.documents import DOCUMENTS
from postureaudit.services.cloudtrail.resources import TYPES

SERVICE = Service(name="cloudtrail", title="CloudTrail", collect=collect, types=TYPES, documents=DOCUMENTS)

__all__ = [
    "EVENT_CALLS",
    "SERVICE",
    "TRAILS",
    "Trail",
    "covered",
    "listed",
    "log_group",
    "logging",
    "status",
    "trails",
    "writes",
]
