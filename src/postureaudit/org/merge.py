"""The reports of many accounts as one: for the formats that hold all of them in a file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence

import msgspec

from postureaudit import compliance, gate
from postureaudit.baseline import Compared
from postureaudit.catalog import Catalog
from postureaudit.evidence import Account, Evidence, Header, Regions
from postureaudit.findings import Verdict
from postureaudit.gate import Decision
from postureaudit.judging import Judging
from postureaudit.org.store import Store
from postureaudit.org.summary import Organization
from postureaudit.report import Report


def merged(reports: Sequence[Report], by: Judging, catalog: Catalog, code: int) -> Report:
    """One report of all accounts. Its regions are those of any; its evidence holds what was refused."""
    headers = [report.evidence.header for report in reports]
    evidence = Evidence(
        _header(headers), (record for report in reports for record in report.evidence.refusals())
    )
    findings = tuple(
        sorted(
            (finding for report in reports for finding in report.findings),
            key=lambda found: (-found.severity.rank, found.check, found.account),
        )
    )
    digests = "\n".join(report.evidence_digest for report in reports)
    decisions = [report.decision for report in reports]
    return Report(
        evidence=evidence,
        evidence_digest="sha256:" + hashlib.sha256(digests.encode()).hexdigest(),
        digest=catalog.digest,
        findings=findings,
        decision=Decision(
            code=next(
                (item for item in (gate.GAPS, gate.BLIND) if any(d.code == item for d in decisions)),
                gate.CLEAN,
            ),
            gaps=sum(item.gaps for item in decisions),
            unknown=sum(item.unknown for item in decisions),
            tolerated=tuple(sorted({name for item in decisions for name in item.tolerated})),
        ),
        exit_code=code,
        fail_on=by.fail_on,
        today=by.today.isoformat(),
        seconds=max((report.seconds for report in reports), default=0.0),
        warnings=tuple(dict.fromkeys(text for report in reports for text in report.warnings)),
        routes=tuple(route for report in reports for route in report.routes),
        blind=tuple(region for report in reports for region in report.blind),
        investigation=tuple(account for report in reports for account in report.investigation),
        roles={name: roles for report in reports for name, roles in report.roles.items()},
        changes=catalog.changes,
        baseline=_compared(reports, by),
        first_seen=by.first_seen,
        frameworks=compliance.summaries(by.frameworks, findings, catalog.mapped()),
    )


def _header(headers: Sequence[Header]) -> Header:
    first = headers[0]
    names = ("audited", "not_enabled", "excluded")
    regions = {
        name: {region for header in headers for region in getattr(header.regions, name)} for name in names
    }
    audited = regions["audited"]
    return msgspec.structs.replace(
        first,
        started=min(header.started for header in headers),
        ended=max(header.ended for header in headers),
        accounts=tuple(Account(id=item.id, name=item.name) for header in headers for item in header.accounts),
        regions=Regions(
            audited=tuple(sorted(audited)),
            not_enabled=tuple(sorted(regions["not_enabled"] - audited)),
            excluded=tuple(sorted(regions["excluded"] - audited)),
        ),
        calls=sum(header.calls for header in headers),
        interrupted="; ".join(header.interrupted for header in headers if header.interrupted),
    )


def _compared(reports: Sequence[Report], by: Judging) -> Compared | None:
    """The accounts' comparisons with one baseline: what one of them checked is not unchecked in the others."""
    if by.baseline is None:
        return None
    each = [report.baseline for report in reports if report.baseline is not None]
    resolved = {name for item in each for name in item.resolved}
    old = {
        place.fingerprint
        for item in each
        for finding in item.findings
        for place in finding.places
        if place.known and place.verdict is Verdict.FAIL
    }
    return Compared(
        findings=(),
        new=sum(item.new for item in each),
        old=sum(item.old for item in each),
        resolved=tuple(sorted(resolved)),
        not_rechecked=tuple(sorted(by.baseline.places() - resolved - old)),
    )


def json_lines(store: Store, found: Organization) -> Iterator[bytes]:
    """All accounts' findings as JSON lines, read file by file: "organization" first, "total" last.

    Each account has its "run" line before its results and its "summary" line behind them, as in its own file.
    """
    whole = msgspec.to_builtins(found)
    head = {
        name: whole[name]
        for name in ("schema_version", "tool_version", "checks_digest", "organization", "caller")
    }
    accounts = [{"id": row.account, "name": row.name, "state": row.state} for row in found.accounts]
    yield json.dumps({"type": "organization", **head, "accounts": accounts}).encode() + b"\n"
    for row in found.accounts:
        with store.findings(row.account).open("rb") as stream:
            yield from stream
    total = {"counts": found.counts, "by_severity": whole["by_severity"], "complete": found.complete}
    yield json.dumps({"type": "total", "exit_code": found.code, **total}).encode() + b"\n"
