"""CloudTrail: what is recorded, where it is kept, and whether it arrives."""

from __future__ import annotations

from postureaudit.services.base import Service
from postureaudit.services.cloudtrail.asks import collect
from postureaudit.services.cloudtrail.documents import DOCUMENTS
from postureaudit.services.cloudtrail.resources import TYPES

SERVICE = Service(name="cloudtrail", title="CloudTrail", collect=collect, types=TYPES, documents=DOCUMENTS)
