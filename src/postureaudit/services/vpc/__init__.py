"""VPCs: whether what travels in them, and the names that are looked up from them, can be looked at afterwards."""

from __future__ import annotations

from postureaudit.services.base import Service
from postureaudit.services.vpc.asks import collect
from postureaudit.services.vpc.documents import DOCUMENTS
from postureaudit.services.vpc.resources import TYPES

SERVICE = Service(
    name="vpc",
    title="VPC",
    collect=collect,
    types=TYPES,
    documents=DOCUMENTS,
    prefixes=("route53resolver",),
    column="others",
)
