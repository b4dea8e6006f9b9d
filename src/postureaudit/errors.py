"""What postureaudit raises on purpose: each error says what went wrong and what to do next."""

from __future__ import annotations


class PostureAuditError(Exception):
    """A foreseen failure: one sentence, and a hint with the next step. The CLI exits with `exit_code`."""

    exit_code = 1
    answered = ""  # the Date of AWS's answer, where one is behind the failure

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(PostureAuditError):
    """The caller asked for something that does not exist or contradicts itself (exit 2)."""

    exit_code = 2


class CatalogError(UsageError):
    """A checks file cannot be used: file, line and reason stand in the message (exit 2)."""


class WaiverError(UsageError):
    """A waivers file cannot be used (exit 2)."""


class BaselineError(UsageError):
    """A baseline file cannot be used (exit 2)."""


class ResultError(UsageError):
    """A JSON result of an earlier run cannot be used (exit 2)."""


class ConfigError(UsageError):
    """A configuration file cannot be used (exit 2)."""


class CredentialsError(PostureAuditError):
    """No usable credentials, or the wrong account: the audit did not run (exit 1)."""


class Interrupted(PostureAuditError):
    """A signal ended the audit before there was anything to report (exit 130 or 143)."""

    def __init__(
        self,
        exit_code: int,
        message: str = "interrupted before there was anything to report",
        *,
        hint: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.exit_code = exit_code


class EvidenceError(PostureAuditError):
    """An evidence file is missing, unreadable, altered or from a newer version (exit 1)."""


class PolicyError(PostureAuditError):
    """A text that should be an AWS policy document is none (exit 1)."""


class OutputError(PostureAuditError):
    """A report could not be written (exit 1)."""
