"""Inspector: is the software of what runs here scanned, and does the organization see what is found."""

from __future__ import annotations

from postureaudit.services.base import Service
from postureaudit.services.inspector.asks import collect
from postureaudit.services.inspector.documents import DOCUMENTS
from postureaudit.services.inspector.resources import TYPES

SERVICE = Service(
    name="inspector",
    title="Inspector",
    collect=collect,
    types=TYPES,
    documents=DOCUMENTS,
    column="others",
)
