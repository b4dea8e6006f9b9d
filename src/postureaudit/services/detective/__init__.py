"""Detective: can anyone follow a finding back to what led to it, in every account."""

from __future__ import annotations

from postureaudit.services.base import Service
from postureaudit.services.detective.asks import collect
from postureaudit.services.detective.resources import TYPES

SERVICE = Service(name="detective", title="Detective", collect=collect, types=TYPES, column="others")
