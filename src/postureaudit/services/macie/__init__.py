"""Macie: is it on, does it look into the buckets, and does anyone get to see and keep what it finds."""

from __future__ import annotations

from postureaudit.services.base import Service
from postureaudit.services.macie.asks import collect
from postureaudit.services.macie.documents import DOCUMENTS
from postureaudit.services.macie.resources import TYPES

SERVICE = Service(
    name="macie", title="Macie", collect=collect, types=TYPES, documents=DOCUMENTS, column="others"
)
