"""Security Lake: whether logs of every account come together where they can be searched."""

from __future__ import annotations

from postureaudit.services.base import Service
from postureaudit.services.securitylake.asks import collect
from postureaudit.services.securitylake.documents import DOCUMENTS
from postureaudit.services.securitylake.resources import TYPES

SERVICE = Service(
    name="securitylake",
    title="Security Lake",
    collect=collect,
    types=TYPES,
    documents=DOCUMENTS,
    column="others",
)
