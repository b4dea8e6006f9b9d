"""docs/coverage.md: nothing of this area is left out without a reason, and what the page says is so."""

from __future__ import annotations

import fnmatch
from collections import Counter

import pytest
from scripts import coverage_page

from postureaudit import catalog, compliance

COVERAGE = coverage_page.load()
BUILTIN = {check.id: check for check in catalog.builtin().checks}
SOURCES = {source.id: source for source in COVERAGE.sources}
CONTROLS = {name: COVERAGE.controls(source) for name, source in SOURCES.items()}
# What the catalogues had on the day they were read; a control that is taken out of the page is missed here.
COUNTS = {
    "security-hub": 59,
    "config-rules": 3,
    "sra-verify": 192,
    "prowler": 142,
    "scoutsuite": 27,
    "cloudsploit": 52,
}


@pytest.mark.parametrize("name", SOURCES)
def test_every_control_has_checks_or_a_reason(name: str) -> None:
    """One or the other, never both, and a title."""
    wrong = [
        number
        for number, control in CONTROLS[name].items()
        if bool(control.checks) == bool(control.reason) or not control.title
    ]

    assert wrong == [], "needs checks or a reason, not both (a mapped control needs no reason), and a title"


@pytest.mark.parametrize("name", SOURCES)
def test_checks_on_the_page_exist(name: str) -> None:
    """No id of ours that is not in the catalogue (or coming)."""
    known = COVERAGE.mapped()

    assert [
        (number, check)
        for number, control in CONTROLS[name].items()
        for check in control.checks
        if check not in known
    ] == []


@pytest.mark.parametrize("name", [source.id for source in COVERAGE.sources if source.framework])
def test_checks_that_are_named_for_a_framework_map_to_it_or_differ(name: str) -> None:
    """A check that answers a control of a framework says so in maps_to, unless its verdict is another."""
    source = SOURCES[name]
    claimed = [
        (number, check)
        for number, control in source.controls.items()
        for check in control.checks
        if check in BUILTIN
        and not control.differs
        and number not in BUILTIN[check].maps_to.get(source.framework, ())
    ]

    assert claimed == []


def test_checks_that_are_there_are_not_coming() -> None:
    """What was announced and has arrived is taken out of the list, so that its real maps_to counts."""
    assert sorted(set(COVERAGE.coming) & set(BUILTIN)) == []


def test_every_check_is_on_the_page() -> None:
    """Each check answers a control of another catalogue, or is ours alone with the reason why it is there."""
    known = COVERAGE.mapped()
    claimed = {
        check
        for source in COVERAGE.sources
        if source.rival
        for control in CONTROLS[source.id].values()
        for check in control.checks
    }

    assert sorted(set(known) - claimed - set(COVERAGE.alone())) == [], "say under ours_alone why it is there"
    assert [glob for glob in COVERAGE.ours_alone if not fnmatch.filter(set(known) - claimed, glob)] == [], (
        "others have these too"
    )


def test_reasons_and_notes_are_used() -> None:
    """A reason or a note that nothing refers to is left over."""
    used = Counter(
        word
        for source in COVERAGE.sources
        for control in source.controls.values()
        for word in (control.reason, control.differs)
    )

    assert [key for key in (*COVERAGE.reasons, *COVERAGE.notes) if not used[key]] == []


def test_nothing_was_taken_out() -> None:
    """The catalogues have as many controls on the page as they had when they were read."""
    assert {name: len(CONTROLS[name]) for name in COUNTS} == COUNTS


def test_requirements_that_nothing_covers_are_explained() -> None:
    """What a report calls not covered has its reason on the page, for the frameworks that are there."""
    mapped = COVERAGE.mapped()
    for source in (item for item in COVERAGE.sources if item.framework):
        for number in compliance.load()[source.framework].requirements:
            if not any(number in maps_to.get(source.framework, ()) for maps_to in mapped.values()):
                control = CONTROLS[source.id][number]
                assert control.reason or control.differs, (source.id, number)
