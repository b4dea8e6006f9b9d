"""The register of services: one line each. A service is one folder below; the signals are a folder of their own."""

from __future__ import annotations

import functools
import importlib

from postureaudit.resources import ResourceType
from postureaudit.services.base import Service

_MODULES = {
    "organizations": "postureaudit.services.organizations",
    "cloudtrail": "postureaudit.services.cloudtrail",
    "config": "postureaudit.services.config",
    "guardduty": "postureaudit.services.guardduty",
    "securityhub": "postureaudit.services.securityhub",
    "account": "postureaudit.services.account",
    "vpc": "postureaudit.services.vpc",
    "securitylake": "postureaudit.services.securitylake",
    "securityincidentresponse": "postureaudit.services.securityincidentresponse",
    "firewallmanager": "postureaudit.services.firewallmanager",
    "inspector": "postureaudit.services.inspector",
    "macie": "postureaudit.services.macie",
    "accessanalyzer": "postureaudit.services.accessanalyzer",
    "detective": "postureaudit.services.detective",
    "signal": "postureaudit.signals.service",
}
NAMES = tuple(_MODULES)
_SHARED = {"others": "Others"}  # columns that several services share, and their titles


@functools.lru_cache(maxsize=1)
def all_services() -> tuple[Service, ...]:
    """Every registered service, in the order reports show them."""
    return tuple(importlib.import_module(module).SERVICE for module in _MODULES.values())


def types() -> dict[str, ResourceType]:
    """Every resource type by its name."""
    return {kind.name: kind for service in all_services() for kind in service.types}


def service(name: str) -> Service:
    """The service of this name; KeyError when there is none."""
    return next(service for service in all_services() if service.name == name)


def column(prefix: str) -> str:
    """The column of a report in which the checks of this id prefix stand; the prefix where there is none."""
    found = next((item for item in all_services() if prefix in (item.name, *item.prefixes)), None)
    return prefix if found is None else found.column or found.name


def columns() -> dict[str, str]:
    """The columns of a report in order, and their titles: services that many accounts do without share one."""
    found: dict[str, str] = {}
    for item in all_services():
        name = item.column or item.name
        found.pop(name, None)  # a shared column stands where the last that shares it does
        found[name] = _SHARED.get(item.column, item.title)
    return found
