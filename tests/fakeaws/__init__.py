"""A fake AWS that the unmodified CLI reaches over HTTP through AWS_ENDPOINT_URL."""

from tests.fakeaws.server import FakeAws
from tests.fakeaws.world import Fault, World

__all__ = ["FakeAws", "Fault", "World"]
