"""GuardDuty: is it on, does it watch what is there, and does anyone get to see what it finds."""

from __future__ import annotations

from postureaudit.services.base import Service
from postureaudit.services.guardduty.asks import collect
from postureaudit.services.guardduty.documents import DOCUMENTS
from postureaudit.services.guardduty.resources import TYPES

SERVICE = Service(name="guardduty", title="GuardDuty", collect=collect, types=TYPES, documents=DOCUMENTS)
