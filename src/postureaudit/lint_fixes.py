"""What a fix prints, proven offline: commands and options that the AWS CLI has, and placeholders that can be filled."""

from __future__ import annotations

import functools
import re
import shlex
from collections.abc import Callable, Iterator
from typing import Any

from postureaudit import expressions, fixes, lint_expressions, lint_types, services, shapes, terraform
from postureaudit.catalog import NEEDS, Check, Variant
from postureaudit.lint_types import Type
from postureaudit.problems import At, near
from postureaudit.resources import ResourceType

Found = tuple[At, str, str]
_BRACED = re.compile(r"\{[A-Za-z][A-Za-z0-9_., ()\[\]]*\}")  # what is meant as a placeholder
_TOLD = re.compile(
    r"\baws ([a-z][a-z0-9-]*) ([a-z]+(?:-[a-z0-9]+)+)\b"
)  # a command that a sentence tells to run
_PERMISSION = re.compile(r"[a-z0-9-]+:[A-Z][A-Za-z0-9]*")


def problems(check: Check, kind: ResourceType, sees: Type, readable: Callable[[At], bool]) -> Iterator[Found]:
    """Every problem of a check's fixes and sentences."""
    for field in ("reason", "otherwise"):
        yield from _sentence_problems(getattr(check, field), (field,), sees)
    if not check.fix:
        yield ("fix",), "has no fix", "say how to close the gap: a command, or steps"
        return
    if check.fix[-1].when:
        at = ("fix", len(check.fix) - 1, "when")
        yield at, "the last fix variant must fit always: it has a when", "add one without"
    for index, variant in enumerate(check.fix):
        base = ("fix", index)
        if readable((*base, "when")) and readable(base):
            yield from _way_problems(variant, base)
        over = _over(variant, sees, readable((*base, "for_each")))
        for at, text in _commands(variant):
            if readable((*base, *at)):
                for found in _command_problems(text, over):
                    yield ((*base, *at), *found)
        for at, text in _sentences(variant):
            yield from _sentence_problems(text, (*base, *at), over)
        for at, said, hint in _terraform_problems(variant, over):
            yield (*base, *at), said, hint
        for place, name in enumerate(variant.permissions):
            if not _PERMISSION.fullmatch(name):
                yield (
                    (*base, "permissions", place),
                    f"{name!r} is no IAM action",
                    "such as guardduty:CreateDetector",
                )


def _way_problems(variant: Variant, base: At) -> Iterator[Found]:
    ways = (variant.command, variant.commands, variant.steps, variant.mender)
    if sum(map(bool, ways)) != 1:
        yield base, "a fix variant is a command, commands, steps or a mender", "exactly one of them"
    menders = {name for service in services.all_services() for name in service.menders}
    if variant.mender and variant.mender not in menders:
        yield (
            (*base, "mender"),
            f"no service has the mender {variant.mender!r}",
            near(variant.mender, menders),
        )
    if variant.first and not variant.templates():
        yield (*base, "first"), "first stands before commands only", "put it among the steps"
    if not variant.steps and not variant.mender and not variant.effect:
        yield base, "a fix command says its effect", "such as effect: writes; the detector is on"


def _terraform_problems(variant: Variant, sees: Type) -> Iterator[Found]:
    """What is wrong with the Terraform beside the commands."""
    template = variant.terraform
    if template is None:
        return
    at = ("terraform",)
    if not variant.templates():
        yield at, "terraform stands beside commands only", "add a command, or take it out"
    for said in terraform.problems(template):
        yield at, said, ""
    for name in (*terraform.holes(template.arguments), *terraform.holes(template.region)):
        for said, hint in _placeholder_problems(name, sees, documents=True):
            yield at, said, hint


def _over(variant: Variant, sees: Type, readable: bool) -> Type:
    """What the commands see: with an item of the list that they are for."""
    names = dict(sees.source)
    if variant.for_each:
        names["Item"] = (
            lint_expressions.result(variant.for_each, sees).item() if readable else lint_types.ANYTHING
        )
    return Type(sees.kinds, (), names, sees.name)


def _commands(variant: Variant) -> Iterator[tuple[At, str]]:
    if variant.command:
        yield ("command",), variant.command
    for index, text in enumerate(variant.commands):
        yield ("commands", index), text
    if variant.undo.startswith("aws "):
        yield ("undo",), variant.undo


def _sentences(variant: Variant) -> Iterator[tuple[At, str]]:
    for index, text in enumerate(variant.steps):
        yield ("steps", index), text
    for index, text in enumerate(variant.first):
        yield ("first", index), text
    if not variant.undo.startswith("aws "):
        yield ("undo",), variant.undo
    for field in ("account", "region", "effect", "cost"):
        yield (field,), getattr(variant, field)


def _sentence_problems(text: str, at: At, sees: Type) -> Iterator[Found]:
    for said, hint in _text_problems(text, sees, documents=False):
        yield at, said, hint
    for service, command in _TOLD.findall(text):
        try:
            shapes.cli_operation(service, command)
        except shapes.ShapeError as error:
            yield at, error.message, error.hint


def _text_problems(text: str, sees: Type, *, documents: bool) -> Iterator[tuple[str, str]]:
    for braced in dict.fromkeys(_BRACED.findall(text)):
        name = braced[1:-1]
        if fixes._PLACEHOLDER.fullmatch(braced) is None:
            names = sees.names() or {}
            yield (
                f"{braced} is no placeholder: a facet begins with a capital",
                near(name.partition(".")[0].capitalize(), names),
            )
        else:
            yield from _placeholder_problems(name, sees, documents=documents)


def _placeholder_problems(name: str, sees: Type, *, documents: bool) -> Iterator[tuple[str, str]]:
    head, _, rest = name.partition(".")
    if head in ("Need", "Doc") and not documents:
        yield f"{{{name}}} stands in a command, not in a sentence", ""
    elif head == "Need":
        if rest not in NEEDS:
            yield f"{{{name}}}: no such need", near(rest, NEEDS)
    elif head == "Doc":
        known = {key for service in services.all_services() for key in service.documents}
        if rest not in known:
            yield f"{{{name}}}: no service registers this document", near(rest, known)
    else:
        try:
            yield from lint_expressions.problems(name, sees)
        except expressions.ExpressionError as error:
            yield f"{{{name}}}: {error.message}", ""


def _command_problems(text: str, sees: Type) -> Iterator[tuple[str, str]]:
    try:
        template = tuple(shlex.split(text))
    except ValueError as error:
        yield f"not a command line: {error}", ""
        return
    if template[:1] != ("aws",):
        yield f"a fix command starts with aws: {' '.join(template[:3])}", ""
        return
    for word in template:
        if "<" in word:
            yield f"a fix command holds {word!r}, which nobody can paste", "use a placeholder"
        whole = fixes._PLACEHOLDER.fullmatch(word)
        for name in fixes._PLACEHOLDER.findall(word):
            if whole is None and name not in fixes._CLOSED:
                yield f"{{{name}}} may not stand inside the argument {word!r}", "make it a whole argument"
    yield from _text_problems(text, sees, documents=True)
    yield from _invocation(template)


@functools.lru_cache(maxsize=2048)
def _invocation(template: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Told once for each command: a family prints the same one many times."""
    return tuple(_option_problems(template))


def _option_problems(template: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """A service, command or option that the AWS CLI does not have, and one that it misses."""
    if len(template) < 3:
        yield f"not a whole command: {' '.join(template)}", "aws SERVICE COMMAND --OPTION ..."
        return
    try:
        service, operation = shapes.cli_operation(template[1], template[2])
        shape: Any = shapes.operation(f"{service}:{operation}").input_shape
    except shapes.ShapeError as error:
        yield error.message, error.hint
        return
    names = shapes.cli_options(shape)
    flags = {name for name, member in names.items() if member in shapes.booleans(shape)}
    command = f"aws {template[1]} {template[2]}"
    given: set[str] = set()
    for option, values in _options(template[3:]):
        flag = option.removeprefix("no-") if option.removeprefix("no-") in flags else ""
        given |= {option, flag}
        if not option:
            yield f"{command} takes no {values[0]!r}: options begin with --", ""
        elif option not in {*names, "region", "cli-input-json"} and not flag:
            known = {*names, *(f"no-{name}" for name in flags), "region"}
            yield f"{command} has no option --{option}", near(option, known)
        elif bool(values) == bool(flag):
            yield f"--{option} takes {'no value' if flag else 'a value'}", ""
    required = (
        {name for name, member in names.items() if member in shape.required_members} if shape else set()
    )
    for name in sorted(required - given) if "cli-input-json" not in given else ():
        yield f"{command} needs --{name}", ""


def _options(words: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
    """Each option without dashes with its values; "" for words that stand before the first."""
    option = ""
    values: list[str] = []
    for word in words:
        if word.startswith("--"):
            if option or values:
                yield option, values
            option, values = word.removeprefix("--"), []
        else:
            values = [*values, word]
    if option or values:
        yield option, values
