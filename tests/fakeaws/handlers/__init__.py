"""What each operation answers, a module for each service."""

from . import cloudtrail, config, guardduty, identity, organizations, others, s3, securityhub  # noqa: F401 - they register
from .registry import HANDLERS

__all__ = ["HANDLERS"]
