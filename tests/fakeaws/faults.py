"""Answers to give instead of the real ones: refusals, delays, cut connections and expiring credentials."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

SCP = "User is not authorized to perform this action with an explicit deny in a service control policy"


class AwsError(Exception):
    """An error that AWS would answer with."""

    def __init__(
        self, code: str, message: str = "", status: int = 400, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status, self.headers = code, message, status, headers or {}


class FakeBug(Exception):
    """The fake itself is wrong: an answer that AWS's model does not allow."""


@dataclass
class Fault:
    """What happens to calls that fit the globs.

    `action` is error, hang, drop, garbage, answer (with `body`, as it is), cut (the beginning of an answer that never
    comes) or expire_after_n (then `times` calls pass and all later ones are refused as expired). With a `delay` (or
    `seconds`) and no `code`, "error" and "hang" are only slow answers; "hang" without one never answers.
    """

    account: str = "*"
    region: str = "*"
    service: str = "*"
    operation: str = "*"
    code: str = ""
    message: str = ""
    status: int = 0
    times: int | None = None
    delay: float | None = None
    action: str = "error"
    body: bytes = b""
    after: int = 0  # calls to let through first
    seconds: float | None = None  # the same as delay

    def __post_init__(self) -> None:
        self.delay = self.delay or self.seconds

    def fits(self, account: str, region: str, service: str, operation: str) -> bool:
        """Whether this fault is about the call (GetCallerIdentity needs no right: only its own faults deny it)."""
        if service == "sts" and self.service == "*" and self.action == "error" and not self._is_expiry():
            return False
        pairs = zip(
            (account, region, service, operation),
            (self.account, self.region, self.service, self.operation),
            strict=True,
        )
        return all(fnmatchcase(text, glob) for text, glob in pairs)

    def due(self) -> bool:
        """Count a fitting call; True when the fault strikes."""
        if self.action == "expire_after_n":
            self.times = (self.times or 0) - 1
            return self.times < 0
        if self.after > 0:
            self.after -= 1
            return False
        if self.times is not None:
            self.times -= 1
            return self.times >= 0
        return True

    def _is_expiry(self) -> bool:
        return any(word in self.code for word in ("Expired", "Token", "Signature", "Throttl"))
