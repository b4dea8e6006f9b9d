"""What each operation answers, a module for each service."""

from . import (  # noqa: F401 - they register
    accessanalyzer,
    alarms,
    cloudtrail,
    config,
    detective,
    events,
    firewallmanager,
    guardduty,
    identity,
    inspector,
    kms,
    logs,
    macie,
    messaging,
    organizations,
    others,
    responders,
    s3,
    securityhub,
    securityir,
    securitylake,
    vpc,
)
from .registry import HANDLERS

__all__ = ["HANDLERS"]
