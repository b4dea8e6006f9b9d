"""The read-only guard: in front of every AWS call, and deaf to arguments."""

from __future__ import annotations

from typing import Any

from postureaudit.aws.allowed import ALLOWED, FOR_CREDENTIALS


class ReadOnlyViolation(BaseException):
    """A call outside the allow-list was about to be made.

    Not an Exception: no handler that catches what goes wrong may swallow it.
    """


def install(events: Any) -> None:
    """Put the guard first in line on a botocore session's or client's event system."""
    events.register_first("before-call", refuse_unlisted, unique_id="postureaudit-read-only")


def refuse_unlisted(model: Any, **_: Any) -> None:
    """botocore's before-call hook: raise unless (service, operation) is in the allow-list."""
    call = f"{model.service_model.service_name}:{model.name}"
    if call not in ALLOWED and call not in FOR_CREDENTIALS:
        raise ReadOnlyViolation(f"{call} is not in the read-only allow-list")
