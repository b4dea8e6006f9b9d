"""Prove checks before anyone relies on them: what they read, require and print, and what their examples say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from postureaudit import compliance, lint_examples, lint_expressions, lint_fixes, lint_types, plan, services
from postureaudit.catalog import WIDTH, Catalog, Check, misfit
from postureaudit.checks_file import ChecksFile, located_expressions
from postureaudit.errors import PostureAuditError
from postureaudit.problems import At, Problem, near
from postureaudit.resources import ResourceType

__all__ = ["Problem", "lint", "lint_file"]

Found = tuple[At, str, str]  # a path in the check, a sentence, a hint


def lint(catalog: Catalog, *, only: Iterable[str] | None = None) -> list[Problem]:
    """Every problem of these checks (default: all), in the order of the catalogue. Their expressions must parse."""
    wanted = None if only is None else set(only)
    kinds, rounds = services.types(), plan.cycles(catalog.checks)
    return [
        Problem(check.id, text, hint, at, check.line)
        for check in catalog.checks
        if wanted is None or check.id in wanted
        for at, text, hint in (*_problems(check, catalog, kinds), *_cycle_problems(check, rounds))
    ]


def lint_file(file: ChecksFile, base: Catalog) -> tuple[Catalog, list[Problem]]:
    """The catalogue with a user's file, and every problem of the file, by line."""
    problems = list(file.problems)
    for check in file.checks:
        if check.id in base:
            text = f"check {check.id} is one of postureaudit's own"
            problems.append(_located(file, check.id, (("id",), text, "give your check another id")))
    own = {check.id for check in file.checks}
    others = [check for check in base.checks if check.id not in own]
    catalog = Catalog(others, base.digest, changes=base.changes, off=base.off).extended(file.checks)
    kinds, rounds = services.types(), plan.cycles(catalog.checks)
    for check in file.checks:
        problems += [
            _located(file, check.id, found)
            for found in (*_problems(check, catalog, kinds, file), *_cycle_problems(check, rounds))
            if not file.hides(check.id, found[0])
        ]
    overrides = [_located(file, "", found) for found in _override_problems(file, catalog, kinds)]
    problems += overrides
    if not overrides:
        catalog = catalog.tuned(severities=file.severities, parameters=file.parameters, off=file.disable)
    return catalog, sorted(dict.fromkeys(problems), key=lambda problem: problem.line)


def _located(file: ChecksFile, check: str, found: Found) -> Problem:
    at, text, hint = found
    return Problem(check, text, hint, at, file.line(check, at))


def _problems(
    check: Check, catalog: Catalog, kinds: Mapping[str, ResourceType], file: ChecksFile | None = None
) -> Iterator[Found]:
    """What is wrong with a check. What the file could not read of it is passed over."""

    def readable(at: At) -> bool:
        return file is None or not file.hides(check.id, at)

    kind = kinds.get(check.resource)
    if kind is None:
        yield ("resource",), f"there is no resource type {check.resource!r}", near(check.resource, kinds)
        return
    sees = lint_types.top(kind, check.parameters)
    wrong = False
    for at, text in located_expressions(check):
        if readable(at):
            wanted = "array" if at[-1] == "for_each" else "boolean"
            for said, hint in lint_expressions.problems(text, sees, wanted=wanted):
                wrong = True
                yield at, said, hint
    for name, value in check.parameters.items():
        if fault := misfit(check, name, value):
            yield ("parameters", name), *fault
    yield from _reference_problems(check, catalog, kinds)
    if readable(("fix",)) or check.fix:
        yield from lint_fixes.problems(check, kind, sees, readable)
    yield from compliance.problems(check.maps_to)
    yield from lint_examples.shape_problems(check, sees)
    if not wrong and readable(("pass_when",)) and readable(("applies_when",)):
        yield from lint_examples.verdict_problems(check)


def _reference_problems(check: Check, catalog: Catalog, kinds: Mapping[str, ResourceType]) -> Iterator[Found]:
    """Checks that it names and that do not exist, or cannot stand before it."""
    known = [other.id for other in catalog.checks]
    own = WIDTH[kinds[check.resource].scope]
    for index, name in enumerate(check.requires):
        at = ("requires", index)
        if name not in catalog:
            yield at, f"requires {name!r}, which does not exist", near(name, known)
            continue
        other = kinds.get(catalog.check(name).resource)
        if other is not None and WIDTH[other.scope] < own:
            yield (
                at,
                f"requires {name!r}, which has a narrower scope",
                "require one of the same or a wider scope",
            )
    if check.id in _reachable(check.requires, catalog):
        yield ("requires",), "requires itself by way of others", ""
    for number, variant in enumerate(check.fix):
        for index, name in enumerate(variant.after):
            if name not in catalog:
                yield (
                    ("fix", number, "after", index),
                    f"comes after {name!r}, which does not exist",
                    near(name, known),
                )


def _cycle_problems(check: Check, rounds: Mapping[str, tuple[str, ...]]) -> Iterator[Found]:
    """A fix that comes after itself has no place in a plan."""
    if check.id in rounds:
        way = " after ".join(rounds[check.id])
        yield ("fix",), f"its fix comes after itself: {way}", "take one of these out of after or requires"


def _reachable(names: Iterable[str], catalog: Catalog) -> set[str]:
    found: set[str] = set()
    todo = [name for name in names if name in catalog]
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += [other for other in catalog.check(name).requires if other in catalog]
    return found


def _override_problems(
    file: ChecksFile, catalog: Catalog, kinds: Mapping[str, ResourceType]
) -> Iterator[Found]:
    """What is wrong with the severities, parameters and switches that a file sets."""
    known = [check.id for check in catalog.checks]
    for section, names in (("severities", file.severities), ("parameters", file.parameters)):
        for name in names:
            if name not in catalog:
                yield (section, name), f"{section}: no check {name!r}", near(name, known)
    for index, name in enumerate(file.disable):
        try:
            catalog.select(only=[name])
        except PostureAuditError as error:
            yield ("disable", index), f"disable: {error.message}", error.hint
    for name, given in file.parameters.items():
        if name in catalog:
            yield from _parameter_problems(catalog.check(name), given, kinds)


def _parameter_problems(
    check: Check, given: Mapping[str, Any], kinds: Mapping[str, ResourceType]
) -> Iterator[Found]:
    fitting = {}
    for name, value in given.items():
        if fault := misfit(check, name, value):
            yield ("parameters", check.id, name), f"{check.id}: {fault[0]}", fault[1]
        else:
            fitting[name] = value
    kind = kinds.get(check.resource)
    if kind is None:
        return
    before = lint_types.top(kind, check.parameters)
    for name, value in fitting.items():
        tuned = lint_types.top(kind, {**check.parameters, name: value})
        for _, text in located_expressions(check):
            known = set(lint_expressions.problems(text, before))
            for said, hint in lint_expressions.problems(text, tuned):
                if (said, hint) in known:
                    continue
                yield ("parameters", check.id, name), f"{check.id}: with {name} = {value}, {said}", hint
