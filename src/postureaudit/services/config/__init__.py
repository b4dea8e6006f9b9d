"""AWS Config: what is recorded, whether it arrives, and what rules, packs and remediation make of it."""

from __future__ import annotations

from postureaudit.services.base import Service
from postureaudit.services.config.asks import collect
from postureaudit.services.config.documents import DOCUMENTS
from postureaudit.services.config.resources import TYPES

SERVICE = Service(name="config", title="Config", collect=collect, types=TYPES, documents=DOCUMENTS)
