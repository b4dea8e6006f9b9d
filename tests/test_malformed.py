"""Answers with wrong types in a saved file: unknown, in one sentence; never a traceback, never a pass or a gap."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import botocore.session
import msgspec
import pytest
from click.testing import CliRunner

from postureaudit import catalog, evaluate, services
from postureaudit.cli.main import main
from postureaudit.evidence import Answer, Evidence, Record, save
from postureaudit.findings import Verdict
from tests.conftest import walk_world
from tests.fakeaws.scenarios import mixed
from tests.parts import part
from tests.replay import replay

NASTY = (7, "x", [7], [None], {"x": 7})


@pytest.fixture(scope="module")
def demo() -> Evidence:
    """Two regions of an account in which something of everything is set up."""
    with pytest.MonkeyPatch.context() as patch:
        return replay(walk_world(patch, mixed()), regions=("us-east-1", "eu-west-1"))


def twisted(value: Any, nasty: Any, depth: int) -> Any:
    """An answer in which everything at this depth is something else."""
    if depth == 0:
        return nasty
    match value:
        case dict():
            return {name: twisted(item, nasty, depth - 1) for name, item in value.items()}
        case list():
            return [twisted(item, nasty, depth - 1) for item in value]
        case _:
            return value


def changed(evidence: Evidence, nasty: Any, depth: int) -> Iterator[Record]:
    for record in evidence:
        body = twisted(record.outcome.body, nasty, depth) if isinstance(record.outcome, Answer) else None
        outcome = record.outcome if body is None else Answer(body)
        yield Record(
            call=record.call,
            params=record.params,
            account=record.account,
            region=record.region,
            at=record.at,
            outcome=outcome,
        )


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("nasty", NASTY, ids=json.dumps)
def test_wrong_types_are_no_traceback(demo: Evidence, nasty: Any, depth: int) -> None:
    """Whatever stands where AWS puts something else, each check has a verdict."""
    evidence = Evidence(demo.header, changed(demo, nasty, depth))

    found = evaluate.evaluate(evidence, catalog.builtin())

    assert len(found) == len(catalog.builtin().checks)


def test_what_cannot_be_read_is_unknown(demo: Evidence) -> None:
    """A type whose resources cannot be made leaves all its checks unknown, everywhere, and says why."""
    for depth, name in ((1, "cloudtrail.trail"), (2, "cloudtrail.trail")):
        evidence = Evidence(demo.header, changed(demo, 7, depth))
        ids = [check.id for check in catalog.builtin().checks if check.resource == name]

        found = evaluate.evaluate(evidence, catalog.builtin(), ids=ids)

        assert not {place.verdict for item in found for place in item.places} & {Verdict.PASS, Verdict.FAIL}


def test_a_producer_that_fails_costs_its_own_checks(demo: Evidence) -> None:
    """One unreadable answer leaves the other types' verdicts as they are."""
    bad = [
        Record(
            call=record.call,
            params=record.params,
            account=record.account,
            region=record.region,
            at=record.at,
            outcome=Answer({"DetectorIds": [7], "Features": [7], "Status": "ENABLED"}),
        )
        if record.call == "guardduty:GetDetector"
        else record
        for record in demo
    ]

    found = {item.check: item for item in evaluate.evaluate(Evidence(demo.header, bad), catalog.builtin())}
    before = {item.check: item for item in evaluate.evaluate(demo, catalog.builtin())}

    plans = found["guardduty.s3-protection"]
    assert plans.verdict is Verdict.UNKNOWN
    assert all("not as AWS gives it" in place.reason for place in plans.places)
    same = [name for name in found if name.startswith(("cloudtrail.", "config.", "securityhub."))]
    assert all(found[name].verdict is before[name].verdict for name in same)


def test_a_hostile_file_ends_as_a_report(demo: Evidence, tmp_path: Path) -> None:
    """The command line judges such a file and is blind, or has gaps: it does not break."""
    path = tmp_path / "evidence.json"
    save(Evidence(demo.header, changed(demo, [7], 2)), path)

    ran = CliRunner().invoke(main, ["report", str(path), "-o", "json", "--no-config"])

    assert ran.exit_code in (3, 4), ran.output
    assert json.loads(ran.stdout)["findings"]


def test_every_type_has_a_place_for_what_cannot_be_read() -> None:
    """The stand-in needs each type's facets."""
    assert all(kind.facets for kind in services.types().values())


def renewed(value: Any, shape: Any) -> Any:
    """An answer in which each word of a closed list is one that AWS has added since."""
    match value, getattr(shape, "type_name", ""):
        case dict(), "structure":
            return {name: renewed(item, shape.members.get(name)) for name, item in value.items()}
        case dict(), "map":
            return {name: renewed(item, shape.value) for name, item in value.items()}
        case list(), "list":
            return [renewed(item, shape.member) for item in value]
        case str(), "string" if getattr(shape, "enum", None):
            return "BRAND_NEW"
        case _:
            return value


def with_strangers(value: Any) -> Any:
    """An answer in which every object has a member that nobody knows yet."""
    match value:
        case dict():
            return {
                **{name: with_strangers(item) for name, item in value.items()},
                "BrandNew": {"Status": "ON"},
            }
        case list():
            return [with_strangers(item) for item in value]
        case _:
            return value


def verdicts(evidence: Evidence, *ids: str) -> dict[tuple[str, str, str], Verdict]:
    found = evaluate.evaluate(evidence, catalog.builtin(), ids=ids or None)
    return {
        (item.check, place.region or "", place.resource or ""): place.verdict
        for item in found
        for place in item.places
    }


def rebuilt(evidence: Evidence, change: Callable[[Record, Any], Any]) -> Evidence:
    records = [
        msgspec.structs.replace(record, outcome=Answer(change(record, record.outcome.body)))
        if isinstance(record.outcome, Answer)
        else record
        for record in evidence
    ]
    return Evidence(evidence.header, records)


# A part of the word is the name of a thing rather than a state: what is not known is not there, and that passes.
NEW_WORDS_MAY_PASS: set[tuple[str, str]] = set()
CALLS = sorted(
    catalog.calls(catalog.builtin(), [check.id for check in catalog.builtin().checks], services.types())
)


@pytest.mark.parametrize("call", part(CALLS, of=8))
def test_a_word_that_is_new_at_aws_never_passes(demo: Evidence, call: str) -> None:
    """A state, type or level that did not exist when this was written is a gap, unknown, or nothing: no proof."""
    service, _, name = call.partition(":")
    shape = _model(service).operation_model(name).output_shape
    types = services.types()
    ids = [check.id for check in catalog.builtin().checks if call in catalog.reads(check, types)]
    before = verdicts(demo, *ids)

    after = verdicts(
        rebuilt(demo, lambda record, body: renewed(body, shape) if record.call == call else body), *ids
    )

    passing = {place for place, verdict in after.items() if verdict is Verdict.PASS} if ids else set()
    new = {place for place in passing if before.get(place) not in (Verdict.PASS, Verdict.NOT_APPLICABLE)}
    assert not {place for place in new if (call, place[0]) not in NEW_WORDS_MAY_PASS}


def test_members_that_are_new_at_aws_change_nothing(demo: Evidence) -> None:
    """What AWS adds to its answers is ignored until somebody reads it."""
    calls = {"sns:GetTopicAttributes", "sqs:GetQueueAttributes", "sns:GetSubscriptionAttributes"}  # open maps

    after = verdicts(
        rebuilt(demo, lambda record, body: body if record.call in calls else with_strangers(body))
    )

    before = verdicts(demo)
    assert {
        place: (before.get(place), now) for place, now in after.items() if before.get(place) is not now
    } == {}


@functools.cache
def _model(service: str) -> Any:
    return botocore.session.Session().get_service_model(service)
