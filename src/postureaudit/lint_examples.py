"""A check's examples, proven: the facts that they name exist, and each gives the verdict that it stands under."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from postureaudit import evaluate, expressions, shapes
from postureaudit.catalog import TOP_LEVEL, Check
from postureaudit.evidence import Json, Refusal, RefusalKind
from postureaudit.findings import Verdict
from postureaudit.lint_types import Type
from postureaudit.problems import At, near
from postureaudit.resources import Resource

REFUSED = "?refused"  # in an example, stands for an answer that AWS refused
_REPEATED = 20  # an expression must bear lists this many times as long as its examples have

Found = tuple[At, str, str]


def shape_problems(check: Check, sees: Type) -> Iterator[Found]:
    """Facts that the resource type does not have, and values that they can never have."""
    for name, examples in check.examples.items():
        for index, example in enumerate(examples):
            at = ("examples", name, index)
            if isinstance(example, dict):
                for key, value in example.items():
                    if key == "Param":
                        yield from _parameter_problems(check, value, (*at, key))
                    else:
                        yield from _member_problems(sees, key, value, (*at, key))


def _parameter_problems(check: Check, given: Any, at: At) -> Iterator[Found]:
    for name in given if isinstance(given, dict) else ():
        if name not in check.parameters:
            yield (
                (*at, name),
                f"an example sets {name!r}, which is no parameter",
                near(name, check.parameters),
            )


def _member_problems(inside: Type, key: str, value: Json, at: At) -> Iterator[Found]:
    try:
        found = inside.member(key)
    except shapes.ShapeError as error:
        yield at, f"an example names what is not there: {error.message}", error.hint
        return
    yield from _value_problems(found, value, at)


def _value_problems(found: Type, value: Json, at: At) -> Iterator[Found]:
    if value is None or value == REFUSED or not found.kinds:
        return
    kind = _kind(value)
    if kind not in found.kinds:
        yield (
            at,
            f"an example has {found.name} as a {kind}, which is a {' or '.join(sorted(found.kinds))}",
            "",
        )
        return
    match value:
        case str() if found.values and value not in found.values:
            yield at, f"in an example {found.name} is {value!r}, which it never is", near(value, found.values)
        case dict():
            for key, item in value.items():
                yield from _member_problems(found, key, item, (*at, key))
        case list():
            for index, item in enumerate(value):
                yield from _value_problems(found.item(), item, (*at, index))
        case _:
            return


def _kind(value: Json) -> str:
    names = {bool: "boolean", int: "number", float: "number", str: "string", list: "array"}
    return names.get(type(value), "object")


def verdict_problems(check: Check) -> Iterator[Found]:
    """Examples that are missing or give another verdict; a check that passes on nothing, or costs too much."""
    for verdict in ("pass", "fail"):
        if not check.examples.get(verdict):
            yield ("examples",), f"needs at least one {verdict} example", "facts by facet, as in checks.yaml"
    for name, examples in check.examples.items():
        if name not in list(Verdict):
            known = [verdict.value for verdict in Verdict]
            yield ("examples", name), f"examples knows no verdict {name!r}", near(name, known)
            continue
        for index, example in enumerate(examples):
            found = example_verdict(check, example)
            if found != name:
                yield ("examples", name, index), f"{name} example {index + 1} gives {found}", ""
    if example_verdict(check, {}) == Verdict.PASS:
        yield ("pass_when",), "passes on empty facts", "ask for a fact that must be true"
    yield from _cost_problems(check)


def _cost_problems(check: Check) -> Iterator[Found]:
    for field, text in (("pass_when", check.pass_when), ("applies_when", check.applies_when)):
        for example in (item for items in check.examples.values() for item in items):
            facts = _longer({"Param": check.arguments(), **example})
            try:
                if text:
                    expressions.compile(text).value(facts)
            except expressions.TooExpensive:
                hint = "read each list once; join facts by && instead of multiplying lists"
                yield (
                    (field,),
                    f"multiplies items: too expensive for lists of {_REPEATED} times the example's",
                    hint,
                )
                break
            except expressions.Unclear:
                continue


def _longer(value: Json) -> Json:
    match value:
        case dict():
            return {key: _longer(item) for key, item in value.items()}
        case list():
            return [_longer(item) for item in value] * _REPEATED
        case _:
            return value


def example_verdict(check: Check, example: Mapping[str, Json]) -> str:
    """The verdict of a check on an example's facts."""
    facts = {key: _refused(value) for key, value in example.items() if key not in TOP_LEVEL}
    resource = Resource(
        type=check.resource,
        account=str(example.get("Account", "111122223333")),
        region=example.get("Region"),
        facts=facts,
    )
    tuned = check
    if isinstance(example.get("Param"), dict):
        tuned = msgspec.structs.replace(check, parameters={**check.parameters, **example["Param"]})
    return str(evaluate.judge(tuned, resource, str(example.get("Partition", "aws"))).verdict)


def _refused(value: Json) -> Json:
    match value:
        case str() if value == REFUSED:
            return Refusal(RefusalKind.DENIED, code="AccessDenied", call="example:Refused")
        case dict():
            return {key: _refused(item) for key, item in value.items()}
        case list():
            return [_refused(item) for item in value]
        case _:
            return value
