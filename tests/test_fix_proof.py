"""Every fix is proven: a world with the gap, the printed commands run by the real AWS CLI, no gap, nothing worse."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from zlib import crc32

import pytest

from postureaudit import catalog, evaluate
from postureaudit.catalog import Catalog
from postureaudit.findings import Finding, Verdict
from tests import aws_cli
from tests.conftest import walk_world
from tests.fakeaws import World
from tests.fix_exceptions import EXCEPTIONS
from tests.gaps import GAPS, PARAMETERS, needs
from tests.gaps_by_way import NOT_LED_TO, WAY_PARAMETERS, WAYS

ALL = tuple(check.id for check in catalog.builtin().checks)
SIGNALS = tuple(name for name in ALL if name.startswith("signal."))
PROVEN = {
    check: world
    for world, (_, names) in GAPS.items()
    for name in names.split()
    for check in (SIGNALS if name == "signal" else (name,))
}
# The worlds whose gaps tests/test_fixpoint.py closes all together, by the same commands.
TOGETHER = {"bare", "nobody hears"}
# CI runs every proof; a tenth of the others runs always. Whether a check is in it depends on its id alone: a new check
# moves no other in or out.
TENTH = sorted(
    name for name, world in PROVEN.items() if world not in TOGETHER and crc32(name.encode()) % 10 == 7
)


@functools.cache
def checks(world: str) -> Catalog:
    return catalog.builtin().tuned(parameters={**PARAMETERS, **WAY_PARAMETERS.get(world, {})})


def audited(
    patch: pytest.MonkeyPatch, world: World, given: dict[str, str], name: str = ""
) -> dict[str, Finding]:
    """Every check on a world. Few threads: beside a server in this process, more of them only wait for each other."""
    found = evaluate.evaluate(walk_world(patch, world, max_workers=4), checks(name), needs=given)
    return {item.check: item for item in found}


def worse(before: dict[str, Finding], after: dict[str, Finding]) -> list[str]:
    """The places that passed and do not, or were unknown and fail. A question that did not arise before is no loss."""
    bad = {Verdict.PASS: (Verdict.FAIL, Verdict.UNKNOWN), Verdict.UNKNOWN: (Verdict.FAIL,)}
    old = {place.fingerprint: place.verdict for item in before.values() for place in item.places}
    return [
        f"{item.check} in {place.region}: {place.reason}"
        for item in after.values()
        for place in item.places
        if place.verdict in bad.get(old.get(place.fingerprint, place.verdict), ())
    ]


def commands(found: Finding) -> list[tuple[str, ...]]:
    return list(found.fix.argv or ()) if found.fix else []


def run(patch: pytest.MonkeyPatch, world: World, argvs: Iterable[tuple[str, ...]]) -> None:
    """Run commands as they are printed; each must succeed."""
    with aws_cli.serving(patch, world, account=world.default) as aws:
        for argv in argvs:
            code, _, said = aws.run(argv)
            assert code == 0, (argv, said)


_FIRST: dict[str, dict[str, Finding]] = {}


def prove(patch: pytest.MonkeyPatch, check: str, name: str) -> dict[str, Finding]:
    """The gap of a check closes by its own commands alone, in a few audits where it goes place by place.

    Returns what was found before.
    """
    world = {**GAPS, **WAYS}[name][0]()
    given = needs(world, world.default)
    if name not in _FIRST:
        _FIRST[name] = audited(patch, world, given, name)
    before = _FIRST[name]
    assert before[check].verdict is Verdict.FAIL, (check, before[check].places[0])
    assert commands(before[check]), before[check].fix
    found = before
    for _ in range(3):
        run(patch, world, commands(found[check]))
        found = audited(patch, world, given, name)
        if found[check].verdict is not Verdict.FAIL:
            break
    assert found[check].verdict is Verdict.PASS, [place.reason for place in found[check].having(Verdict.FAIL)]
    assert worse(before, found) == []
    return before


@pytest.mark.parametrize("check", TENTH)
def test_fix_closes_its_gap(monkeypatch: pytest.MonkeyPatch, check: str) -> None:
    """State with the gap, the printed fix run, audited again: pass, and no other check is worse."""
    prove(monkeypatch, check, PROVEN[check])


@pytest.mark.exhaustive
@pytest.mark.parametrize("check", [name for name in PROVEN if name not in TENTH])
def test_every_fix_closes_its_gap(monkeypatch: pytest.MonkeyPatch, check: str) -> None:
    """The same for every other check that can be closed by a command."""
    prove(monkeypatch, check, PROVEN[check])


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("world", "check", "number"),
    [(world, *way.split(":")) for world, (_, ways) in WAYS.items() for way in ways.split()],
)
def test_every_other_way_closes_its_gap(
    monkeypatch: pytest.MonkeyPatch, world: str, check: str, number: str
) -> None:
    """The same for the other commands of a check; the world leads to the one that it is for."""
    before = prove(monkeypatch, check, world)

    variant = catalog.builtin().check(check).fix[int(number)]
    assert variant.effect in {place.fix.effect for place in before[check].places if place.fix}


@pytest.mark.exhaustive
def test_every_command_is_run_by_a_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variant of a fix that has a command is led to by no world."""
    ways = {way for _, names in WAYS.values() for way in names.split()}
    for name, (make, _) in GAPS.items():
        if name not in _FIRST:
            world = make()
            _FIRST[name] = audited(monkeypatch, world, needs(world, world.default))
    printed = {
        (item.check, place.fix.effect)
        for found in _FIRST.values()
        for item in found.values()
        for place in item.having(Verdict.FAIL)
        if place.fix and place.fix.argv
    }
    missing = {
        f"{check.id}:{number}"
        for check in catalog.builtin().checks
        for number, variant in enumerate(check.fix)
        if variant.templates() and (check.id, variant.effect) not in printed
    }

    assert missing - ways == NOT_LED_TO


def test_every_check_is_proven_or_excepted() -> None:
    """No check is forgotten, and none is both."""
    assert set(PROVEN) | set(EXCEPTIONS) == set(ALL)
    assert set(PROVEN) & set(EXCEPTIONS) == set()


def test_tenth_has_every_kind_of_fix() -> None:
    """What always runs has commands that are filled in, that carry documents and that are worked out."""
    variants = [variant for name in TENTH for variant in catalog.builtin().check(name).fix]
    words = [word for variant in variants for template in variant.templates() for word in template]

    assert any(variant.mender for variant in variants)
    assert any(word.startswith("{Doc.") for word in words) and any(
        word.startswith("{Need.") for word in words
    )
    assert {name.partition(".")[0] for name in TENTH} >= {"cloudtrail", "config", "securityhub", "macie"}
    others = sum(world not in TOGETHER for world in PROVEN.values())
    assert others / 15 < len(TENTH) < others / 7


def test_exceptions_are_still_needed() -> None:
    """An excepted check has steps everywhere, or a command that waits for a person. The table only shrinks."""
    waits = {"sns.topic-has-confirmed-subscription", "sns.subscriptions-confirmed"}
    by_command = {
        name
        for name in EXCEPTIONS
        if any(variant.command or variant.commands for variant in catalog.builtin().check(name).fix)
    }
    by_mender = {
        name for name in EXCEPTIONS if any(item.mender for item in catalog.builtin().check(name).fix)
    }

    assert by_command == set() and by_mender == waits
