"""boto3 clients of a served world, for the tests of the fake itself."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import botocore.config
import botocore.exceptions

from .server import FakeAws, resolve_account_hosts
from .world import World

Client = Callable[..., Any]
Serve = Callable[[World], Client]


@contextlib.contextmanager
def serving() -> Iterator[Serve]:
    """Serve worlds; what comes back makes clients of one, and afterwards the fakes must have no bug."""
    resolve_account_hosts()
    servers: list[FakeAws] = []

    def start(world: World) -> Client:
        server = FakeAws(world).start()
        servers.append(server)

        def client(
            service: str, region: str = "us-east-1", account: str | None = None, patience: float = 20
        ) -> Any:
            key, secret = world.credentials(account)
            config = botocore.config.Config(retries={"total_max_attempts": 1}, read_timeout=patience)
            return boto3.client(
                service,
                region_name=region,
                endpoint_url=server.url,
                aws_access_key_id=key,
                aws_secret_access_key=secret,
                config=config,
            )

        return client

    yield start
    for server in servers:
        server.stop()
        assert server.bugs == []


def refused(call: Callable[..., Any], **given: Any) -> tuple[str, str, int]:
    """(code, message, HTTP status) of the error that a call gives."""
    try:
        call(**given)
    except botocore.exceptions.ClientError as error:
        answer = error.response
        meta = answer["ResponseMetadata"]
        return answer["Error"]["Code"], answer["Error"]["Message"], meta["HTTPStatusCode"]
    raise AssertionError("the call was not refused")
