"""A fake AWS for all four services and what they depend on, reached over HTTP through AWS_ENDPOINT_URL."""

from .faults import Fault
from .server import FakeAws, env, resolve_account_hosts
from .world import World

__all__ = ["FakeAws", "Fault", "World", "env", "resolve_account_hosts"]
