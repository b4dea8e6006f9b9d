"""The read-only guard: in front of every AWS call, and deaf to arguments."""

from __future__ import annotations

from typing import Any

from postureaudit.aws.allowed import ALLOWED, AS_LOG_ARCHIVE, FOR_CREDENTIALS


class ReadOnlyViolation(BaseException):
    """A call outside the allow-list was about to be made.

    Not an Exception: no handler that catches what goes wrong may swallow it.
    """


def install(events: Any) -> None:
    """Put the guard first in line on a botocore session's or client's event system."""
    events.register_first("before-call", refuse_unlisted, unique_id="postureaudit-read-only")


def refuse_elsewhere(call: str) -> None:
    """Raise unless a call may be made as the log archive, with that account's role."""
    if call not in AS_LOG_ARCHIVE:
        raise ReadOnlyViolation(f"{call} is not in the list of what may be asked as the log archive")


def refuse_unlisted(model: Any, **_: Any) -> None:
    """botocore's before-call hook: raise unless (service, operation) is in the allow-list."""
    refuse_call(model.service_model.service_name, model.name)


def refuse_call(service: str, operation: str) -> None:
    """The guard itself: raise unless (service, operation) is in the allow-list."""
    call = f"{service}:{operation}"
    if call not in ALLOWED and call not in FOR_CREDENTIALS:
        raise ReadOnlyViolation(f"{call} is not in the read-only allow-list")
