"""Where the account stands in its organization: what organization checks of every service ask."""

from __future__ import annotations

from postureaudit.services.base import Service
from postureaudit.services.organizations import settings
from postureaudit.services.organizations.accounts import (
    DELEGATION_CALLS,
    MEMBER_CALLS,
    POSITION_CALLS,
    Position,
    collect,
    delegated,
    delegations,
    look_in_management,
    members,
    not_delegated,
    position,
)
from postureaudit.services.organizations.delegation import Delegated, delegation, gap
from postureaudit.services.organizations.policies import POLICY_CALLS, Policy, policy
from postureaudit.services.organizations.roles import (
    AUDIT_CALLS,
    LOG_ARCHIVE_CALLS,
    PRINCIPALS,
    Found,
    Roles,
    acts_as_audit,
    is_log_archive,
    roles,
    said,
    wanted_administrator,
    wanted_log_archive,
)

SERVICE = Service(
    name="organizations",
    title="Organizations",
    collect=settings.ask,
    types=settings.TYPES,
    column="others",
)

__all__ = [
    "AUDIT_CALLS",
    "DELEGATION_CALLS",
    "LOG_ARCHIVE_CALLS",
    "MEMBER_CALLS",
    "POLICY_CALLS",
    "POSITION_CALLS",
    "PRINCIPALS",
    "SERVICE",
    "Delegated",
    "Found",
    "Policy",
    "Position",
    "Roles",
    "acts_as_audit",
    "collect",
    "delegated",
    "delegation",
    "delegations",
    "gap",
    "is_log_archive",
    "look_in_management",
    "members",
    "not_delegated",
    "policy",
    "position",
    "roles",
    "said",
    "wanted_administrator",
    "wanted_log_archive",
]
