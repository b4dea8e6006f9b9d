"""Connections opened while STS is asked who this is, to where the walk will ask first.

A new connection costs two round trips before a request can be sent on it, and until the account and its regions are
known there is nothing else to do. Nothing is sent here: a connection carries no credentials, and one that cannot be
opened is opened again, and its failure told, by the call that needs it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from postureaudit.asks import Ask, Collection, Scope, first_asks
from postureaudit.aws import regions
from postureaudit.aws.clients import Clients
from postureaudit.aws.workers import Workers

PER_HOST = 2  # connections: what is asked third is answered sooner on one of these than on a third
_NOBODY = "000000000000"


class Ahead:
    """What to open: the hosts of the collectors' first asks, in the regions that every account has.

    `only` and `exclude` are region globs and `wanted` the calls that are needed, as for the walk; `workers` are the
    walk's threads, which have nothing else to do yet.
    """

    def __init__(
        self,
        collectors: Sequence[Callable[[Scope], Collection]],
        workers: Workers,
        *,
        only: Sequence[str] = (),
        exclude: Sequence[str] = (),
        wanted: frozenset[str] | None = None,
    ) -> None:
        self._collectors = collectors
        self._workers = workers
        self._only, self._exclude, self._wanted = only, exclude, wanted

    def begin(self, clients: Clients, partition: str, leader: str) -> None:
        """Start opening, and return at once."""
        self._workers.submit(self._open, clients, partition, leader)

    def _open(self, clients: Clients, partition: str, leader: str) -> None:
        asked: Counter[tuple[str, str]] = Counter()
        try:
            for ask, region in self._asks(partition, leader):
                asked[ask.service, region] += 1
                if asked[ask.service, region] <= PER_HOST:
                    opening = clients.opening(ask.service, ask.operation, region, most=PER_HOST)
                    if opening is not None:
                        self._workers.submit(opening)
        except Exception:  # the walk meets the same, and tells it
            return

    def _asks(self, partition: str, leader: str) -> Iterator[tuple[Ask, str]]:
        """What will be asked first, and in which region."""
        for ask in (regions.DESCRIBE, regions.LIST):
            yield ask, leader
        everywhere = regions.always(partition, only=self._only, exclude=self._exclude)
        for region in everywhere:
            scope = Scope(
                partition=partition,
                account=_NOBODY,
                region=region,
                leader=leader,
                regions=everywhere,
                first=region == (leader if leader in everywhere else everywhere[0]),
            )
            for collect in self._collectors:
                for ask in first_asks(collect(scope)):
                    if self._wanted is None or ask.call in self._wanted:
                        yield ask, ask.region or region
