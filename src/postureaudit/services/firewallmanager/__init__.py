"""Firewall Manager's hub: who administers it, and whether its policies are in force. What they say is not judged."""

from __future__ import annotations

from postureaudit.asks import Ask, Collection, Scope
from postureaudit.services.base import Service
from postureaudit.services.firewallmanager.resources import ADMINISTRATOR_CALL, POLICIES_CALL, TYPES


def collect(scope: Scope) -> Collection:
    """Ask for the policies here, and once, where Firewall Manager keeps it, for the administrator."""
    yield [
        Ask(POLICIES_CALL),
        *([Ask(ADMINISTRATOR_CALL, region=scope.leader)] if scope.first else []),
    ]


SERVICE = Service(
    name="firewallmanager",
    title="Firewall Manager",
    collect=collect,
    types=TYPES,
    column="others",
)
