"""Security Hub: is it on, do its standards run, do findings come in, and does nothing hide them."""

from __future__ import annotations

from postureaudit.services.base import Service
from postureaudit.services.securityhub.asks import collect
from postureaudit.services.securityhub.documents import DOCUMENTS
from postureaudit.services.securityhub.resources import TYPES

SERVICE = Service(name="securityhub", title="Security Hub", collect=collect, types=TYPES, documents=DOCUMENTS)
