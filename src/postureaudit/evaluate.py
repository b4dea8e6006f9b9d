"""Check by resource to finding: the only place where a verdict is made."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from postureaudit import expressions, fixes, services
from postureaudit.catalog import Catalog, Check
from postureaudit.evidence import Evidence, Json, Refusal, RefusalKind, heavier
from postureaudit.findings import Finding, Fix, Place, Verdict, fingerprint, overall, place_fingerprint
from postureaudit.resources import MISREAD, Resource, ResourceType, ScopeKind, View
from postureaudit.services import organizations
from postureaudit.services.base import Document, Mender

_MANY = 50  # facts shown of one list


class Judgement:
    """What a check says of one resource, and the refusals behind an UNKNOWN."""

    __slots__ = ("reason", "refusal", "verdict")

    def __init__(self, verdict: Verdict, reason: str = "", refusal: Refusal | None = None) -> None:
        self.verdict = verdict
        self.reason = reason
        self.refusal = refusal


def evaluate(
    evidence: Evidence,
    catalog: Catalog,
    *,
    ids: Iterable[str] | None = None,
    needs: Mapping[str, str] | None = None,
    views: Mapping[str, View] | None = None,
) -> tuple[Finding, ...]:
    """Judge evidence: one finding a check and account, most severe first, then by id and account.

    `ids` are the checks to report (default: all); what they require is judged too, not reported.
    `needs` are values that only the user knows, by name, for the fixes; `views` the accounts' views, where the caller
    has them, so that what is worked out here need not be worked out again.
    """
    wanted = catalog.select() if ids is None else frozenset(ids)
    checks = catalog.with_required(wanted)
    types = services.types()
    documents, menders = _documents(), _menders()
    findings = []
    for account in evidence.header.accounts:
        view = (views or {}).get(account.id) or View(evidence, account.id)
        produced: dict[str, list[Resource] | Refusal] = {}
        judged: dict[str, list[tuple[Resource, Judgement]]] = {}
        audit = organizations.wanted_administrator(view)  # what the caller named need not be set again
        keeper = organizations.wanted_log_archive(view)
        given = {"ADMIN_ACCOUNT": audit, "LAKE_ACCOUNT": keeper}
        known = {**{name: account for name, account in given.items() if account}, **(needs or {})}
        for check in checks:
            if check.resource not in produced:
                produced[check.resource] = _produced(types[check.resource], view)
            judged[check.id] = [
                (
                    resource,
                    _required(check, resource, judged, view)
                    or judge(check, resource, view.partition, view.leader),
                )
                for resource in _subjects(check, types[check.resource], produced[check.resource], view)
            ]
            if check.id in wanted:
                findings.append(
                    _finding(check, types[check.resource], judged[check.id], view, documents, menders, known)
                )
    return tuple(sorted(findings, key=lambda found: (-found.severity.rank, found.check, found.account)))


def _produced(kind: ResourceType, view: View) -> list[Resource] | Refusal:
    """The resources of a type, or the refusal that stands for all of them where an answer cannot be read."""
    try:
        return list(kind.produce(view))
    except MISREAD as error:
        text = f"an answer behind {kind.name} is not as AWS gives it ({type(error).__name__}: {error})"[:300]
        return Refusal(RefusalKind.MALFORMED, type(error).__name__, text)


def _subjects(
    check: Check, kind: ResourceType, found: list[Resource] | Refusal, view: View
) -> Iterator[Resource]:
    """What a check judges: the resources of its topic; "*" in each place where none could be made."""
    if not isinstance(found, Refusal):
        yield from (resource for resource in found if resource.topic == check.topic)
        return
    whole = kind.scope in (ScopeKind.ACCOUNT, ScopeKind.ORGANIZATION)
    for region in (None,) if whole else view.regions:
        yield Resource(
            type=kind.name,
            id="*",
            account=view.account,
            region=region,
            facts={facet.name: found for facet in kind.facets},
            topic=check.topic,
        )


def judge(check: Check, resource: Resource, partition: str, leader: str = "us-east-1") -> Judgement:
    """One check on one resource. No pass and no fail without proof."""
    if resource.elsewhere:
        return Judgement(Verdict.NOT_APPLICABLE, resource.elsewhere)
    env = environment(check, resource, partition, leader)
    holds = expressions.compile(check.pass_when).holds(env)
    if check.applies_when:
        applies = expressions.compile(check.applies_when).holds(env)
        if applies is False:
            reason = fixes.fill(check.otherwise, env) or f"only where {check.applies_when}"
            return Judgement(Verdict.NOT_APPLICABLE, reason)
        if applies is not True and holds is not True:
            if isinstance(applies, Refusal) and isinstance(holds, Refusal):
                applies = heavier(applies, holds)
            return _unknown(applies, check.applies_when)
    match holds:
        case True:
            return Judgement(Verdict.PASS)
        case False:
            return Judgement(Verdict.FAIL, fixes.fill(check.reason, env) or f"not so: {check.title}")
        case _:
            return _unknown(holds, check.pass_when)


def environment(check: Check, resource: Resource, partition: str, leader: str) -> dict[str, Json]:
    """What the expressions of a check see of a resource."""
    return {
        **resource.facts,
        "Partition": partition,
        "Leader": leader,
        "Account": resource.account,
        "Region": resource.region,
        "Owner": resource.owner or resource.account,
        "Param": check.arguments(),
    }


def _unknown(found: Refusal | None, text: str) -> Judgement:
    if found is None:
        return Judgement(Verdict.UNKNOWN, f"AWS's answer does not say: {text}")
    if found.kind is RefusalKind.NOT_IN_REGION:
        return Judgement(Verdict.NOT_APPLICABLE, "AWS does not offer the service in this region")
    if found.kind is RefusalKind.ELSEWHERE:
        return Judgement(Verdict.NOT_APPLICABLE, found.message)
    return Judgement(Verdict.UNKNOWN, found.reason(), found)


def _required(
    check: Check, resource: Resource, judged: Mapping[str, list[tuple[Resource, Judgement]]], view: View
) -> Judgement | None:
    """What the required checks leave to say of this resource; None when it is to be judged.

    Where one is unknown, so is this one, for all that hides either: who tolerates the one has not tolerated the other.
    """
    for name in check.requires:
        here = [
            judgement
            for other, judgement in judged[name]
            if other.region in (None, resource.region)
            and (other.type != resource.type or other.id == resource.id)
        ]
        if not here:
            continue
        match overall([judgement.verdict for judgement in here]):
            case Verdict.PASS:
                continue
            case Verdict.UNKNOWN:
                hidden = [found for found in here if found.verdict is Verdict.UNKNOWN]
                own = judge(check, resource, view.partition, view.leader)
                refusal: Refusal | None = None
                for found in (*hidden, own):
                    if found.refusal is not None:
                        refusal = heavier(refusal, found.refusal)
                return Judgement(Verdict.UNKNOWN, hidden[0].reason, refusal)
            case _:
                cause = next(found for found in here if found.verdict is not Verdict.PASS)
                return Judgement(Verdict.NOT_APPLICABLE, f"needs {name}: {cause.reason}")
    return None


def _finding(
    check: Check,
    kind: ResourceType,
    judged: list[tuple[Resource, Judgement]],
    view: View,
    documents: Mapping[str, Document],
    menders: Mapping[str, Mender],
    needs: Mapping[str, str],
) -> Finding:
    places = tuple(
        sorted(
            (_place(check, resource, found, view, documents, menders, needs) for resource, found in judged),
            key=lambda place: (place.region or "", place.resource or ""),
        )
    ) or (_nothing(check, kind, view),)
    return Finding(
        fingerprint=fingerprint(view.partition, view.account, check.id),
        check=check.id,
        title=check.title,
        severity=check.severity,
        verdict=overall([place.verdict for place in places]),
        account=view.account,
        why=check.why,
        service=check.service,
        maps_to=check.maps_to,
        places=places,
        fix=fixes.combined(place for place in places if place.verdict is Verdict.FAIL),
    )


def _documents() -> dict[str, Document]:
    return {name: made for service in services.all_services() for name, made in service.documents.items()}


def _menders() -> dict[str, Mender]:
    return {name: made for service in services.all_services() for name, made in service.menders.items()}


def _place(
    check: Check,
    resource: Resource,
    found: Judgement,
    view: View,
    documents: Mapping[str, Document],
    menders: Mapping[str, Mender],
    needs: Mapping[str, str],
) -> Place:
    certain = found.verdict in (Verdict.PASS, Verdict.FAIL)
    env = environment(check, resource, view.partition, view.leader) if certain else {}
    fix: Fix | None = None
    if found.verdict is Verdict.FAIL:
        work = {name: functools.partial(mender, view, resource, needs) for name, mender in menders.items()}
        try:
            fix = fixes.fix(check, resource, env, documents, needs, work)
        except MISREAD as error:
            text = f"No command can be filled in: an answer is not as AWS gives it ({type(error).__name__})."
            fix = Fix(steps=(text,), account=resource.owner or resource.account, region=resource.region)
    return Place(
        fingerprint=place_fingerprint(view.partition, view.account, check.id, resource.region, resource.id),
        region=resource.region,
        resource=resource.id or None,
        verdict=found.verdict,
        reason=found.reason,
        facts=_facts(check, env) if certain else {},
        owner=resource.owner,
        fix=fix,
        blind=_blind(found.refusal),
    )


def _blind(refusal: Refusal | None) -> tuple[tuple[str, str, str], ...]:
    """The refusals behind an UNKNOWN; what no call is to blame for is named only beside one that is."""
    parts = refusal.parts() if refusal else ()
    if not any(part.call for part in parts):
        return ()
    return tuple(dict.fromkeys((part.call, part.region, part.kind.value) for part in parts))


def _nothing(check: Check, kind: ResourceType, view: View) -> Place:
    """The one place of a check whose type has no resource here: not applicable, never a pass."""
    return Place(
        fingerprint=place_fingerprint(view.partition, view.account, check.id, None, ""),
        region=None,
        resource=None,
        verdict=Verdict.NOT_APPLICABLE,
        reason=kind.none,
    )


def _facts(check: Check, env: Mapping[str, Json]) -> dict[str, Any]:
    """What the verdict was read from, by path."""
    found: dict[str, Any] = {}
    for expression in _read(check.expressions()):
        try:
            value = expression.value(env)
        except (expressions.Unclear, expressions.TooExpensive):
            continue
        found[expression.text] = _shown(value)
    return found


@functools.lru_cache(maxsize=4096)
def _read(texts: tuple[str, ...]) -> tuple[expressions.Expression, ...]:
    """The longest paths that these expressions read, sorted; without what a place says anyway."""
    paths = {at for text in texts for at in expressions.paths(expressions.compile(text).tree)}
    found = []
    for at in sorted(paths):
        longer = any(other[: len(at)] == at and len(other) > len(at) for other in paths)
        if longer or at[0] in ("Region", "Account", "Partition", "Leader"):
            continue
        name = ".".join(at).replace(".[]", "[]").replace("..", ".")
        with contextlib.suppress(expressions.ExpressionError):
            found.append(expressions.compile(name))
    return tuple(found)


def _shown(value: Any) -> Any:
    """A fact as JSON: a refusal reads {"unknown": why}, a long list is cut."""
    match value:
        case Refusal():
            return {"unknown": value.reason()}
        case dict():
            return {str(key): _shown(item) for key, item in value.items()}
        case list() | tuple():
            return [_shown(item) for item in value[:_MANY]]
        case _:
            return value
