"""What a collector asks for: the words that services and the AWS walk have in common."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator

import msgspec

from postureaudit.evidence import Json, Record, canonical


class Ask:
    """One read-only AWS call: botocore service and operation, parameters, and where.

    `call` is "<botocore service>:<Operation>", such as "cloudtrail:DescribeTrails". `region` aims the
    call elsewhere than the collector's own region (a trail's home, a bucket's region), `account` has it made as
    another account (only `Scope.archive`, and only what aws/allowed.py lets a log archive be asked). `until` is a
    JMESPath that ends paging at the first page where it finds something: whether, not how many.
    Identical asks are made once.
    """

    __slots__ = ("account", "call", "params", "region", "until")

    def __init__(
        self,
        call: str,
        /,
        *,
        region: str | None = None,
        until: str | None = None,
        account: str | None = None,
        **params: Json,
    ) -> None:
        self.call = call
        self.region = region
        self.account = account
        self.until = until
        self.params: dict[str, Json] = params

    def __repr__(self) -> str:
        return f"Ask({self.call!r}, region={self.region!r}, {canonical(self.params)})"

    @property
    def service(self) -> str:
        return self.call.partition(":")[0]

    @property
    def operation(self) -> str:
        return self.call.partition(":")[2]


class Fork:
    """Collectors to run beside this one; the one that forks goes on at once and gets no record for it."""

    __slots__ = ("collections",)

    def __init__(self, collections: Iterable[Collection]) -> None:
        self.collections: tuple[Collection, ...] = tuple(collections)


Batch = list[Ask | Fork]
# A collector yields batches; it is sent one Record for each Ask of the batch, in order (none for a Fork).
Collection = Generator[Batch, list[Record], None]


def first_asks(collection: Collection) -> Iterator[Ask]:
    """What a collector and those that it forks ask before they know anything. The collector is closed."""
    batch = next(collection, [])
    collection.close()
    for item in batch:
        match item:
            case Ask():
                yield item
            case Fork(collections=collections):
                for each in collections:
                    yield from first_asks(each)


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Where a collector stands: one account, one region.

    `leader` is the region that holds the partition's global services (us-east-1 in aws), `regions` all
    regions of this run, `first` whether this is the region that makes the account-wide asks
    (the leader if it is audited, else the first in order). `log_archive` is the log archive account that the
    caller named, `archive` the same where there is a role to ask it with; "" for none.
    """

    partition: str
    account: str
    region: str
    leader: str
    regions: tuple[str, ...]
    first: bool
    log_archive: str = ""
    archive: str = ""

    def arn(self, service: str, resource: str, *, region: str | None = None) -> str:
        """Build an ARN of this account in this partition; pass region="" for a global service."""
        where = self.region if region is None else region
        return f"arn:{self.partition}:{service}:{where}:{self.account}:{resource}"
