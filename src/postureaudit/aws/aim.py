"""Aims a shared boto3 client at a region and an account, call by call."""

from __future__ import annotations

import contextvars
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_aim: contextvars.ContextVar[tuple[str, Any]] = contextvars.ContextVar("aim")


@contextmanager
def aimed(region: str, credentials: Any) -> Iterator[None]:
    """Within, calls of every client with `install`ed aim go to this region and are signed with these credentials."""
    token = _aim.set((region, credentials))
    try:
        yield
    finally:
        _aim.reset(token)


def install(events: Any, service_id: str) -> None:
    """Make a client's calls take aim.

    botocore's before-endpoint-resolution event sets the region that the endpoint rules see, and the region and
    credentials that sign. Ours comes first, so that S3's own redirect to a bucket's region can still correct it.
    """
    events.register_first(f"before-endpoint-resolution.{service_id}", _take_aim)


def _take_aim(builtins: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    region, credentials = _aim.get()
    builtins["AWS::Region"] = region
    context["signing"] = {**context.get("signing", {}), "region": region, "request_credentials": credentials}
