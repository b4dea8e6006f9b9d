"""AWS Security Incident Response: whether AWS's responders are called, for which accounts, and how early."""

from __future__ import annotations

from postureaudit.services.base import Service
from postureaudit.services.securityincidentresponse.asks import collect
from postureaudit.services.securityincidentresponse.resources import TYPES

SERVICE = Service(
    name="securityincidentresponse",
    title="Security Incident Response",
    collect=collect,
    types=TYPES,
    column="others",
)
