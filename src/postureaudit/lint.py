"""Prove a catalogue before anyone relies on it: paths, enums, requirements, fixes and examples."""

from __future__ import annotations

import types as python_types
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from postureaudit import compliance, evaluate, expressions, fixes, services, shapes
from postureaudit.catalog import NEEDS, TOP_LEVEL, WIDTH, Catalog, Check
from postureaudit.errors import PostureAuditError
from postureaudit.evidence import Json, Refusal, RefusalKind
from postureaudit.findings import Verdict
from postureaudit.resources import Facet, Resource, ResourceType, Shape

REFUSED = "?refused"  # in an example, stands for an answer that AWS refused
_ANY = object()  # a shape that is not declared further


class Problem(msgspec.Struct, frozen=True):
    """Something a checks file must not have: the check's id and one sentence."""

    check: str
    text: str


def lint(catalog: Catalog, *, only: Iterable[str] | None = None) -> list[Problem]:
    """Every problem of these checks (default: all), in the order of the catalogue."""
    wanted = None if only is None else set(only)
    kinds = services.types()
    problems: list[Problem] = []
    for check in catalog.checks:
        if wanted is not None and check.id not in wanted:
            continue
        problems += [Problem(check.id, text) for text in _problems(check, catalog, kinds)]
    return problems


def _problems(check: Check, catalog: Catalog, kinds: Mapping[str, ResourceType]) -> Iterator[str]:
    kind = kinds.get(check.resource)
    if kind is None:
        yield f"there is no resource type {check.resource!r}; there is: {', '.join(sorted(kinds))}"
        return
    for text in check.expressions():
        yield from expression_problems(text, kind, check.parameters)
    yield from _required_problems(check, catalog, kinds)
    yield from _fix_problems(check, kind)
    for _, text, hint in compliance.problems(check.maps_to):
        yield f"{text}; {hint}" if hint else text
    yield from _example_problems(check)


def expression_problems(text: str, kind: ResourceType, parameters: Mapping[str, Json]) -> Iterator[str]:
    """What is wrong with an expression on this resource type: paths that are not there, impossible comparisons."""
    tree = expressions.compile(text).tree
    for at in expressions.paths(tree):
        try:
            resolve(at, kind, parameters)
        except shapes.ShapeError as error:
            yield f"{'.'.join(at)}: {error.message}"
    yield from _comparison_problems(tree, kind, parameters)


def resolve(at: tuple[str, ...], kind: ResourceType, parameters: Mapping[str, Json]) -> Any:
    """The shape at a path: a botocore shape, a Python type, or _ANY. Raises ShapeError when there is none."""
    head, rest = at[0], at[1:]
    if head == "Param":
        if rest and rest[0] not in parameters:
            raise shapes.ShapeError(f"the check has no parameter {rest[0]!r}")
        return _ANY
    if head in TOP_LEVEL or head == "Owner":
        return str
    facet = kind.facet(head)
    if facet is None:
        names = sorted(found.name for found in kind.facets)
        raise shapes.ShapeError(f"{kind.name} has no {head!r}; it has: {', '.join(names)}")
    shape = _start(facet)
    for step in rest:
        shape = _descend(shape, step)
    return shape


def _start(facet: Facet) -> Any:
    if isinstance(facet.shape, Shape):
        return shapes.output(facet.shape.call, facet.shape.path)
    return facet.shape


def _descend(shape: Any, step: str) -> Any:
    if shape is _ANY or shape is Any:
        return _ANY
    if hasattr(shape, "type_name"):
        found = shapes.descend(shape, step)
        if found is None:
            names = ", ".join(shapes.members(shape)[:20])
            raise shapes.ShapeError(
                f"AWS's answer has no {step!r} there" + (f"; it has: {names}" if names else "")
            )
        return found
    options = [found for option in _options(shape) if (found := _python_step(option, step)) is not None]
    if not options:
        raise shapes.ShapeError(f"{getattr(shape, '__name__', shape)} has no {step!r}")
    return options[0]


def _options(shape: Any) -> tuple[Any, ...]:
    """The members of a union but for Refusal and None; the type itself when it is no union."""
    if typing.get_origin(shape) in (typing.Union, python_types.UnionType):
        return tuple(option for option in typing.get_args(shape) if option not in (Refusal, type(None)))
    return (shape,)


def _python_step(shape: Any, step: str) -> Any | None:
    origin, arguments = typing.get_origin(shape), typing.get_args(shape)
    if shape is Any or shape is object:
        return _ANY
    if origin in (list, tuple) or shape in (list, tuple):
        return (arguments[0] if arguments else _ANY) if step == "[]" else None
    if origin is dict or shape is dict or (isinstance(origin, type) and issubclass(origin, Mapping)):
        return arguments[1] if arguments else _ANY
    if isinstance(shape, type) and issubclass(shape, msgspec.Struct):
        hints = typing.get_type_hints(shape)
        return hints.get(step, _ANY) if step in shape.__struct_fields__ else None
    return None


def _comparison_problems(
    node: dict[str, Any], kind: ResourceType, parameters: Mapping[str, Json]
) -> Iterator[str]:
    """Comparisons of a path with a literal that the path can never equal (only outside projections)."""
    if node["type"] == "comparator":
        left, right = node["children"]
        for path_node, literal in ((left, right), (right, left)):
            if literal["type"] == "literal":
                yield from _literal_problems(path_node, literal["value"], kind, parameters)
    for child in node.get("children", []):
        if isinstance(child, dict) and node["type"] not in ("filter_projection", "projection"):
            yield from _comparison_problems(child, kind, parameters)


def _literal_problems(
    node: dict[str, Any], literal: Any, kind: ResourceType, parameters: Mapping[str, Json]
) -> Iterator[str]:
    at = _plain_path(node)
    if at is None or literal is None:
        return
    try:
        shape = resolve(at, kind, parameters)
    except shapes.ShapeError:
        return  # told already
    if not hasattr(shape, "type_name"):
        return
    leaf = shapes.leaf(shape)
    given = {bool: "boolean", str: "string", int: "number", float: "number"}.get(type(literal), "")
    name = ".".join(at)
    if given and leaf.type != given:
        yield f"{name} is a {leaf.type} and is compared with the {given} {literal!r}"
    elif leaf.enum and literal not in leaf.enum:
        yield f"{name} is never {literal!r}; AWS's model lists: {', '.join(leaf.enum)}"


def _plain_path(node: dict[str, Any]) -> tuple[str, ...] | None:
    if node["type"] == "field":
        return (node["value"],)
    if node["type"] == "subexpression" and all(child["type"] == "field" for child in node["children"]):
        return tuple(child["value"] for child in node["children"])
    found = expressions.paths(node) if node["type"] == "subexpression" else []
    return found[-1] if found and "[]" not in found[-1] else None


def _required_problems(check: Check, catalog: Catalog, kinds: Mapping[str, ResourceType]) -> Iterator[str]:
    own = WIDTH[kinds[check.resource].scope]
    for name in check.requires:
        if name not in catalog:
            yield f"requires {name!r}, which does not exist"
            continue
        other = kinds.get(catalog.check(name).resource)
        if other is not None and WIDTH[other.scope] < own:
            yield f"requires {name!r}, which has a narrower scope"
    if check.id in _reachable(check.requires, catalog):
        yield "requires itself by way of others"


def _reachable(names: Iterable[str], catalog: Catalog) -> set[str]:
    found: set[str] = set()
    todo = [name for name in names if name in catalog]
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += [other for other in catalog.check(name).requires if other in catalog]
    return found


def _fix_problems(check: Check, kind: ResourceType) -> Iterator[str]:
    if not check.fix:
        yield "has no fix"
        return
    if check.fix[-1].when:
        yield "the last fix variant must fit always: it has a when"
    documents = {name for service in services.all_services() for name in service.documents}
    menders = {name for service in services.all_services() for name in service.menders}
    for variant in check.fix:
        ways = (variant.command, variant.commands, variant.steps, variant.mender)
        if sum(map(bool, ways)) != 1:
            yield "a fix variant is a command, commands, steps or a mender"
        if variant.mender and variant.mender not in menders:
            yield f"no service has the mender {variant.mender!r}"
        if variant.when:
            yield from expression_problems(variant.when, kind, check.parameters)
        if variant.for_each:
            yield from expression_problems(variant.for_each, kind, check.parameters)
        for template in variant.templates():
            yield from _template_problems(template, check, kind, documents, item=variant.for_each)
        if not variant.steps and not variant.mender and not variant.effect:
            yield "a fix command says its effect"
    for text in (check.reason, check.otherwise, *(step for found in check.fix for step in found.steps)):
        for name in fixes._PLACEHOLDER.findall(text):
            yield from _placeholder_problems(name, check, kind, documents)


def _template_problems(
    template: tuple[str, ...], check: Check, kind: ResourceType, documents: set[str], *, item: str = ""
) -> Iterator[str]:
    if template[:1] != ("aws",):
        yield f"a fix command starts with aws: {' '.join(template[:3])}"
        return
    for word in template:
        if "<" in word:
            yield f"a fix command holds {word!r}, which nobody can paste"
        whole = fixes._PLACEHOLDER.fullmatch(word)
        for name in fixes._PLACEHOLDER.findall(word):
            if whole is None and name not in fixes._CLOSED:
                yield f"{{{name}}} may not stand inside the argument {word!r}"
            listed = f"{item}[].{name.removeprefix('Item.')}" if item and name.startswith("Item.") else name
            yield from _placeholder_problems(listed, check, kind, documents)
    try:
        service, operation = shapes.cli_operation(template[1], template[2])
        known = shapes.operation(f"{service}:{operation}").input_shape
    except (shapes.ShapeError, IndexError) as error:
        yield str(error)
        return
    yield from _option_problems(template, known)


def _option_problems(template: tuple[str, ...], shape: Any) -> Iterator[str]:
    import botocore

    names = {botocore.xform_name(name, "-") for name in shape.members} if shape else set()
    for word in template[3:]:
        option = word.removeprefix("--")
        known = {*names, "region", "cli-input-json"}
        if word.startswith("--") and option not in known and option.removeprefix("no-") not in names:
            yield f"aws {template[1]} {template[2]} has no option {word}"


def _placeholder_problems(name: str, check: Check, kind: ResourceType, documents: set[str]) -> Iterator[str]:
    head, _, rest = name.partition(".")
    if head == "Need" and rest not in NEEDS:
        yield f"{{{name}}}: no such need; there is: {', '.join(NEEDS)}"
    elif head == "Doc" and rest not in documents:
        yield f"{{{name}}}: no service registers this document"
    elif head not in ("Need", "Doc"):
        try:
            yield from expression_problems(name, kind, check.parameters)
        except expressions.ExpressionError as error:
            yield f"{{{name}}}: {error.message}"


def _example_problems(check: Check) -> Iterator[str]:
    for verdict in ("pass", "fail"):
        if not check.examples.get(verdict):
            yield f"needs at least one {verdict} example"
    for name, examples in check.examples.items():
        if name not in list(Verdict):
            yield f"examples knows no verdict {name!r}"
            continue
        for index, example in enumerate(examples, 1):
            found = example_verdict(check, example)
            if found != name:
                yield f"{name} example {index} gives {found}"
    try:
        empty = example_verdict(check, {})
    except PostureAuditError as error:
        empty = str(error)
    if empty == Verdict.PASS:
        yield "passes on empty facts"


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
    if "Param" in example:
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
