"""Serve a scenario alone: python -m tests.fakeaws --scenario mixed --port 4566."""

from __future__ import annotations

import argparse
import contextlib
import threading

from .scenarios import SCENARIOS
from .server import FakeAws


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", choices=sorted(SCENARIOS), default="empty")
    parser.add_argument("--port", type=int, default=4566)
    given = parser.parse_args()
    with FakeAws(SCENARIOS[given.scenario](), given.port) as server, contextlib.suppress(KeyboardInterrupt):
        key, secret = server.world.credentials()
        print(
            f"export AWS_ENDPOINT_URL={server.url} AWS_ACCESS_KEY_ID={key} AWS_SECRET_ACCESS_KEY={secret}",
            flush=True,
        )
        threading.Event().wait()


if __name__ == "__main__":
    main()
