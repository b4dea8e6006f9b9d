"""Walk recorded evidence again, without a network: what a collector asks is answered from the record."""

from __future__ import annotations

from collections.abc import Set

import msgspec

from postureaudit import services
from postureaudit.asks import Ask, Collection, Fork, Scope
from postureaudit.evidence import Answer, Evidence, Key, Outcome, Record, Refusal, RefusalKind, canonical

DENIED = Refusal(RefusalKind.DENIED, code="AccessDeniedException", message="not authorized")


def replay(
    evidence: Evidence,
    *,
    denied: Set[str] = frozenset(),
    refusal: Refusal = DENIED,
    regions: tuple[str, ...] = (),
) -> Evidence:
    """The evidence of the same account when these calls are refused: what hangs on them is never asked.

    `regions` are those that are still audited (default: all of them).
    """
    header = evidence.header
    if regions:
        audited = tuple(name for name in header.regions.audited if name in regions)
        header = msgspec.structs.replace(
            header, regions=msgspec.structs.replace(header.regions, audited=audited)
        )
    kept: dict[Key, Record] = {}

    def answer(ask: Ask, scope: Scope) -> Record:
        region = ask.region or scope.region
        account = ask.account or scope.account
        key = (ask.call, canonical(ask.params), account, region)
        known = evidence.find(ask.call, account, region, ask.params)
        outcome: Outcome = known.outcome if known else Answer({})
        assert known or denied, f"never recorded: {key}"
        if ask.call in denied:
            outcome = refusal
        kept[key] = Record(
            call=ask.call,
            params=ask.params,
            account=account,
            region=region,
            at=known.at if known else header.ended,
            outcome=outcome,
        )
        return kept[key]

    def run(collection: Collection, scope: Scope) -> None:
        batch = next(collection, None)
        while batch is not None:
            records = []
            for item in batch:
                match item:
                    case Fork(collections=collections):
                        for other in collections:
                            run(other, scope)
                    case Ask():
                        records.append(answer(item, scope))
            try:
                batch = collection.send(records)
            except StopIteration:
                batch = None

    for account in header.accounts:
        first = header.leader if header.leader in header.regions.audited else header.regions.audited[0]
        for region in header.regions.audited:
            scope = Scope(
                partition=header.partition,
                account=account.id,
                region=region,
                leader=header.leader,
                regions=header.regions.audited,
                first=region == first,
                log_archive=evidence.named.log_archive_account,
                archive=evidence.named.log_archive_account if evidence.named.log_archive_role else "",
            )
            for service in services.all_services():
                run(service.collect(scope), scope)
    return Evidence(header, kept.values())
