"""ARNs taken apart: arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE."""

from __future__ import annotations

import functools

import msgspec


class Arn(msgspec.Struct, frozen=True):
    """The parts of an ARN; all empty for text that is none. `resource` is everything after the account."""

    partition: str = ""
    service: str = ""
    region: str = ""
    account: str = ""
    resource: str = ""

    @classmethod
    def parse(cls, text: object) -> Arn:
        """Take an ARN apart."""
        return _parsed(str(text))

    @property
    def kind(self) -> str:
        """The resource's type, where the ARN names one: "event-bus", "rule", "function"."""
        return self.resource.replace(":", "/").partition("/")[0]

    @property
    def name(self) -> str:
        """What follows the type, or the whole resource where there is no type."""
        return self.resource.replace(":", "/", 1).partition("/")[2] or self.resource

    def function(self) -> tuple[str, str]:
        """(name, qualifier) of a Lambda function's ARN: function:NAME or function:NAME:QUALIFIER."""
        parts = self.resource.split(":")
        return (parts[1] if len(parts) > 1 else "", parts[2] if len(parts) > 2 else "")


@functools.lru_cache(maxsize=8192)
def _parsed(text: str) -> Arn:
    parts = text.split(":", 5)
    return Arn(*parts[1:]) if len(parts) == 6 and parts[0] == "arn" else Arn()
