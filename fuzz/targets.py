"""The targets: only declared errors, bounded time, the same answer twice, and no doubt that turns into a yes."""

from __future__ import annotations

import functools
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from fuzz.drawing import Drawn
from postureaudit import (
    baseline,
    catalog,
    checks_file,
    evaluate,
    expressions,
    lint,
    results,
    services,
    settings,
    waivers,
)
from postureaudit import evidence as files
from postureaudit.errors import EvidenceError, PolicyError, PostureAuditError
from postureaudit.evidence import Answer, Evidence, Outcome, Record, Refusal, RefusalKind
from postureaudit.findings import Verdict
from postureaudit.resources import MISREAD, View
from postureaudit.services import organizations
from postureaudit.services.cloudtrail import investigation
from postureaudit.services.guardduty import blindspots
from postureaudit.signals import event_pattern, log_filter, policy
from postureaudit.signals import service as signals
from postureaudit.signals.event_pattern import PatternError
from postureaudit.signals.log_filter import FilterError

Target = Callable[[bytes], None]
SECONDS = 5.0  # of CPU that one input may take; a matcher's takes milliseconds
REFUSED = Refusal(RefusalKind.DENIED, call="x:Y", region="us-east-1")
DECIDED = (Verdict.PASS, Verdict.FAIL)

_EVENT_WORDS = (
    *("source", "detail", "detail-type", "severity", "userIdentity", "type", "a", "b", "a.b", "$or", "items"),
    *("aws.guardduty", "Root", "GuardDuty Finding", "10.0.0.1", "*", "a*b", "=", ">", "<=", ">=", "<", ""),
    *("prefix", "suffix", "equals-ignore-case", "wildcard", "anything-but", "numeric", "exists", "cidr"),
)
_TOPICS = (
    "guardduty-high",
    "securityhub-critical",
    "root-console-login",
    "config-noncompliant",
    "config-change",
)
_POLICY_WORDS = (
    *("Version", "Id", "Statement", "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction"),
    *("Resource", "NotResource", "Condition", "Allow", "Deny", "*", "AWS", "Service", "Federated"),
    *(
        "sns:Publish",
        "sns:*",
        "sns:p?blish",
        "arn:aws:sns:us-east-1:111122223333:alerts",
        "arn:aws:sns:*:*:a*",
    ),
    *("events.amazonaws.com", "111122223333", "arn:aws:iam::111122223333:root", "2012-10-17", "2008-10-17"),
    *("StringEquals", "StringNotLike", "ArnLike", "Null", "Bool", "DateLessThan", "NumericLessThan"),
    *("ForAllValues:StringLike", "ForAnyValue:StringEquals", "IpAddress", "StringEqualsIfExists"),
    *("aws:SourceArn", "aws:SourceAccount", "aws:username", "${aws:username}", "true", "false", "7"),
)
_CALL = policy.Request(
    principal="events.amazonaws.com",
    action="sns:Publish",
    resource="arn:aws:sns:us-east-1:111122223333:alerts",
    context={
        "aws:SourceArn": "arn:aws:events:us-east-1:111122223333:rule/r",
        "aws:SourceAccount": "111122223333",
        "aws:PrincipalOrgID": None,
    },
)


@contextmanager
def bounded() -> Iterator[None]:
    """Fail when what is inside takes longer than any honest input does."""
    start = time.process_time()
    yield
    spent = time.process_time() - start
    assert spent < SECONDS, f"took {spent:.1f} s of CPU"


def event_patterns(data: bytes) -> None:
    """A pattern as text and as a mapping give one answer, the same each time, and an explanation where it is no."""
    drawn = Drawn(data)
    if drawn.number(2):
        text, _, behind = drawn.rest().partition("\n")
        event = _object(behind)
    else:
        text = json.dumps(drawn.object(_EVENT_WORDS))
        event = drawn.object(_EVENT_WORDS)
    event = event or {"source": "aws.guardduty", "detail": {"severity": 7.5, "items": [{"a": 1}, {"b": "x"}]}}

    def outcome(pattern: Any) -> tuple[bool, str] | str:
        try:
            found, why = event_pattern.matches(pattern, event), event_pattern.explain(pattern, event)
        except PatternError:
            return "refused"
        assert found is (why is None), "an explanation for a match, or none for what is no match"
        return found, why.sentence() if why else ""

    with bounded():
        said = outcome(text)
        event_pattern._compile_text.cache_clear()
        assert outcome(text) == said, "another answer the second time"
        plain = _once(text)
        if plain is not None:
            assert outcome(plain) == said, "another answer as a mapping"


def log_filters(data: bytes) -> None:
    """A filter has one answer, with its reasons unless it is yes; `matches` is a certain yes."""
    drawn = Drawn(data)
    text, _, behind = drawn.rest().partition("\0")
    event = _object(behind) or {
        "eventName": "ConsoleLogin",
        "userIdentity": {"type": "Root", "n": 4},
        "list": [{"a": 1}, {"a": None}, "x"],
        "a": True,
    }
    with bounded():
        try:
            found = log_filter.decide(text, event)
        except FilterError:
            return
        log_filter.compile.cache_clear()
        assert log_filter.decide(text, event) == found, "another answer the second time"
        assert log_filter.matches(text, event) is (found.value is True)
        assert bool(found.reasons) is (found.value is not True), "a no without a reason"


def policies(data: bytes) -> None:
    """A policy has one answer whatever the order of its statements; a deny more never opens it."""
    drawn = Drawn(data)
    document: Any
    if drawn.number(2):
        document = drawn.rest()
    else:
        document = {
            "Version": drawn.one(("2012-10-17", "2008-10-17")),
            "Statement": [drawn.object(_POLICY_WORDS) for _ in range(drawn.number(4))],
        }
    with bounded():
        try:
            found = policy.decide(document, _CALL)
        except PolicyError:
            return
        assert found.verdict in (True, False, None) and found.reason
        assert policy.decide(document, _CALL) == found, "another answer the second time"
        plain = _once(document) if isinstance(document, str) else document
        if not isinstance(plain, dict):
            return
        if isinstance(plain.get("Statement"), list):
            turned = {**plain, "Statement": plain["Statement"][::-1]}
            assert policy.allows(turned, _CALL) is found.verdict, "the order of statements counts"
            denied = {**plain, "Statement": [*plain["Statement"], {"Effect": "Deny", "Action": "*"}]}
            assert policy.allows(denied, _CALL) is not True or found.verdict is True, "a deny opens"
        unknown = msgspec.structs.replace(_CALL, context={})
        less = policy.allows(plain, unknown)
        assert less is None or found.verdict is None or less is found.verdict, "knowing less turns the answer"


def jmespaths(data: bytes) -> None:
    """An expression is refused at load or has an answer in bounded time; hiding a fact never makes a verdict."""
    drawn = Drawn(data)
    text = drawn.rest()
    facts = {
        "A": {"B": [{"c": "x", "d": 1}, {"c": None, "d": 2.5}], "E": "3.0.0", "F": True},
        "L": [1, 2, [3, [4]]],
        "B": True,
        "S": "x" * 2000,
        "N": 7,
    }
    with bounded():
        try:
            expression = expressions.compile(text)
        except expressions.ExpressionError:
            return
        before = expression.holds(facts)
        assert repr(expression.holds(facts)) == repr(before), "another answer the second time"
        expressions.paths(expression.tree)
        for name in facts:
            after = expression.holds({**facts, name: REFUSED})
            if isinstance(after, bool):
                assert after is before, f"without {name} it turned from {before} to {after}"


def evidence_files(data: bytes) -> None:
    """A file is refused in one sentence, or what is read, saved and read again is the same."""
    with bounded():
        try:
            found = files.loads(data, name="x")
        except EvidenceError as error:
            assert len(error.message) < 2000
            return
        path = _folder() / "evidence.json"
        files.save(found, path)
        again = files.load(path, verify=True)
        assert (
            again.digest() == found.digest() and list(again) == list(found) and again.header == found.header
        )


def own_files(data: bytes) -> None:
    """Waivers, settings, results, baselines and checks that a user hands in: taken, or refused in one sentence."""
    drawn = Drawn(data)
    kind = drawn.number(6)
    text = drawn.rest()
    path = _folder() / ("pyproject.toml" if kind == 2 else "file")
    path.write_text(text, encoding="utf-8", errors="replace")
    with bounded():
        try:
            match kind:
                case 0:
                    waivers.load(path)
                case 1 | 2:
                    settings.load(path, found=True)
                case 3:
                    results.load(path)
                case 4:
                    baseline.load(path)
                case _:
                    lint.lint_file(checks_file.load(path), catalog.builtin())
        except PostureAuditError as error:
            assert error.message and "\n" not in error.message.strip()


def judged(data: bytes) -> None:
    """Answers with anything in them: each check has a verdict, and one refusal turns none round."""
    drawn = Drawn(data)
    base, keys = _demo()
    changed: dict[Any, Record] = {}
    for _ in range(1 + drawn.number(3)):
        key = drawn.one_of_many(keys)
        changed[key] = _mutated(changed.get(key) or base[key], drawn)
    records = {**base, **changed}
    evidence = Evidence(_header(), records.values())
    _looks(evidence, drawn.one(_TOPICS))
    hidden = drawn.one_of_many(keys)
    about = _some(_reading({key[0] for key in (*changed, hidden)}), drawn)
    before = _verdicts(evidence, about)
    kind = drawn.one([kind for kind in RefusalKind if kind is not RefusalKind.ELSEWHERE])
    refused = msgspec.structs.replace(records[hidden], outcome=Refusal(kind, "Code", "said"))
    after = _verdicts(Evidence(_header(), {**records, hidden: refused}.values()), about)
    for place, verdict in after.items():
        was = before.get(place)
        if verdict in DECIDED and was in DECIDED:
            assert verdict is was, f"{place} turned from {was} to {verdict} without {hidden[0]} ({kind})"
        assert not (verdict in DECIDED and was is Verdict.UNKNOWN), f"{place} is known without {hidden[0]}"


TARGETS: dict[str, Target] = {
    "event_patterns": event_patterns,
    "log_filters": log_filters,
    "policies": policies,
    "jmespaths": jmespaths,
    "evidence_files": evidence_files,
    "own_files": own_files,
    "judged": judged,
}


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _once(text: str) -> dict[str, Any] | None:
    """A JSON object in which no name stands twice, as Python reads it; None for any other text.

    Floats are left out: as text they have digits that no float keeps.
    """

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in found}) != len(found):
            raise ValueError("a name stands twice")
        return dict(found)

    def no_float(digits: str) -> Any:
        raise ValueError(f"{digits} is a float")

    try:
        found = json.loads(text, object_pairs_hook=pairs, parse_float=no_float, parse_constant=no_float)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


@functools.cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="postureaudit-fuzz-"))


@functools.cache
def _demo() -> tuple[dict[Any, Record], list[Any]]:
    """The records of the demo's account in two regions, by key, and the keys of those that are answers."""
    path = Path(catalog.__file__).parent / "data" / "demo.json.gz"
    whole = files.load(path)
    records = {record.key: record for record in whole if record.region in ("us-east-1", "eu-west-1")}
    return records, [key for key, record in records.items() if isinstance(record.outcome, Answer)]


@functools.cache
def _header() -> files.Header:
    path = Path(catalog.__file__).parent / "data" / "demo.json.gz"
    header = files.load(path).header
    audited = tuple(name for name in header.regions.audited if name in ("us-east-1", "eu-west-1"))
    return msgspec.structs.replace(header, regions=msgspec.structs.replace(header.regions, audited=audited))


def _mutated(record: Record, drawn: Drawn) -> Record:
    """The record with one member of its answer replaced, or with no answer at all."""
    if not isinstance(record.outcome, Answer) or drawn.number(12) == 0:
        outcome: Outcome = drawn.one((Answer({}), files.Absent("Gone"), REFUSED))
        return msgspec.structs.replace(record, outcome=outcome)
    body = json.loads(json.dumps(record.outcome.body))
    at: Any = body
    for _ in range(8):
        names = list(at) if isinstance(at, dict) else list(range(len(at)))
        if not names:
            break
        name = drawn.one(names)
        if not isinstance(at[name], dict | list) or not at[name] or drawn.number(4) == 0:
            at[name] = drawn.json((*_EVENT_WORDS[:8], "ENABLED", "true", "2026-11-24T00:00:00Z", "NEW"))
            break
        at = at[name]
    return msgspec.structs.replace(record, outcome=Answer(body))


def _reading(called: set[str]) -> frozenset[str]:
    """The checks that read one of these calls, without the signals, each of which would trace all of them."""
    return frozenset(name for name, reads in _reads().items() if reads & called and name[:7] != "signal.")


def _some(names: frozenset[str], drawn: Drawn) -> frozenset[str]:
    """A few of them: all that read ListRules would take a second."""
    ordered = sorted(names)
    start = drawn.number(256) % len(ordered) if ordered else 0
    return frozenset((ordered[start:] + ordered[:start])[:6])


@functools.cache
def _reads() -> dict[str, frozenset[str]]:
    types = services.types()
    return {check.id: frozenset(catalog.reads(check, types)) for check in catalog.builtin().checks}


def _verdicts(evidence: Evidence, ids: frozenset[str]) -> dict[tuple[str, str, str], Verdict]:
    found = evaluate.evaluate(evidence, catalog.builtin(), ids=ids)
    assert len(found) == len(ids), "a check has no finding"
    return {
        (item.check, place.region or "", place.resource or ""): place.verdict
        for item in found
        for place in item.places
    }


def _looks(evidence: Evidence, topic: str) -> None:
    """What a report shows beside the findings: read, or not readable, and nothing else."""
    view = View(evidence, evidence.header.accounts[0].id)
    for look in (
        lambda: signals.routes_of(view, {topic}),
        lambda: list(blindspots.regions(view)),
        lambda: investigation.account(view),
        lambda: organizations.roles(view),
    ):
        with suppress(MISREAD):
            look()
