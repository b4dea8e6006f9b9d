"""What every service package offers: a collector, resource types and the documents its fixes carry."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from postureaudit.asks import Collection, Scope
from postureaudit.evidence import Json, Refusal
from postureaudit.resources import Resource, ResourceType, View

Document = Callable[[Mapping[str, Json]], Json | Refusal]


class Need(msgspec.Struct, frozen=True):
    """A value that only the user knows (a bucket, a role), inside a fix document; `name` as in `--set`.

    `prefix` is text before it, such as the start of an ARN.
    """

    name: str
    prefix: str = ""


class Remedy(msgspec.Struct, frozen=True, kw_only=True):
    """A fix that is worked out rather than filled in: commands as argv, or steps where no command is safe."""

    argv: tuple[tuple[str, ...], ...] = ()
    steps: tuple[str, ...] = ()
    effect: str = ""
    cost: str = ""
    undo: str = ""
    permissions: tuple[str, ...] = ()


Mender = Callable[[View, Resource, Mapping[str, str]], Remedy]


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """One service: how to ask, what the answers mean, and the JSON documents that its fixes need.

    `collect` runs once for each account and region. A document is a pure function of what a check's
    expressions see (facets, Partition, Account, Region, Param). A mender works out the fix of one resource from
    the evidence and the values that only the user knows, for fixes that no template can say. `prefixes` are those of
    check ids that reports show in its column, beside its own name; `column` is the one it shares with other services,
    where it has none of its own.
    """

    name: str
    title: str
    collect: Callable[[Scope], Collection]
    types: tuple[ResourceType, ...] = ()
    prefixes: tuple[str, ...] = ()
    column: str = ""
    documents: Mapping[str, Document] = msgspec.field(default_factory=dict)
    menders: Mapping[str, Mender] = msgspec.field(default_factory=dict)
