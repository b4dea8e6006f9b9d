"""What AWS's own models say of an operation: read offline from botocore, loaded only when asked for."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import msgspec

from postureaudit.errors import PostureAuditError
from postureaudit.evidence import Json
from postureaudit.problems import near

_CLI_NAMES = {"configservice": "config"}  # where the AWS CLI names a service otherwise than botocore


class ShapeError(PostureAuditError):
    """A call or path that AWS's models do not have."""


class Leaf(msgspec.Struct, frozen=True):
    """What a path ends at: a JSON type name, and the values AWS's model lists for it (may be empty)."""

    type: str
    enum: tuple[str, ...] = ()


@functools.lru_cache(maxsize=64)
def _model(service: str) -> Any:
    import botocore.exceptions
    import botocore.loaders
    import botocore.model

    loader = _loader()
    try:
        description = loader.load_service_model(service, "service-2")
    except (botocore.exceptions.UnknownServiceError, botocore.exceptions.DataNotFoundError) as error:
        raise ShapeError(f"botocore has no service {service!r}") from error
    return botocore.model.ServiceModel(description, service)


@functools.lru_cache(maxsize=1)
def _loader() -> Any:
    import botocore.loaders

    return botocore.loaders.Loader()


def operation(call: str) -> Any:
    """botocore's OperationModel of "service:Operation". Raises ShapeError when there is none."""
    service, _, name = call.partition(":")
    model = _model(service)
    if name not in model.operation_names:
        raise ShapeError(f"{service} has no operation {name!r}")
    return model.operation_model(name)


def output(call: str, path: str) -> Any:
    """The botocore shape that a dotted path ("trailList[]", "") leads to in an operation's output."""
    shape = operation(call).output_shape
    for step in _steps(path):
        shape = descend(shape, step)
        if shape is None:
            raise ShapeError(f"{call} has no {path!r} in its output")
    return shape


def descend(shape: Any, step: str) -> Any | None:
    """One step down a shape: a member's name, "[]" for a list's item, "*" for a map's value; None if none."""
    match shape.type_name:
        case "structure":
            return shape.members.get(step)
        case "list":
            return shape.member if step == "[]" else None
        case "map":
            return shape.value
        case _:
            return None


def leaf(shape: Any) -> Leaf:
    """The JSON type of a shape: string, boolean, number, array or object; timestamps are strings here."""
    names = {"structure": "object", "map": "object", "list": "array", "boolean": "boolean"}
    numbers = {"integer", "long", "float", "double"}
    kind = "number" if shape.type_name in numbers else names.get(shape.type_name, "string")
    return Leaf(kind, tuple(shape.enum) if shape.type_name == "string" else ())


def members(shape: Any) -> list[str]:
    """The names one can go to from here, for a hint."""
    return sorted(shape.members) if shape.type_name == "structure" else []


def _steps(path: str) -> list[str]:
    steps: list[str] = []
    for part in filter(None, path.split(".")):
        name = part.removesuffix("[]")
        steps += ([name] if name else []) + (["[]"] if part.endswith("[]") else [])
    return steps


def cli_operation(service: str, command: str) -> tuple[str, str]:
    """(botocore service, operation) of an AWS CLI command such as ("s3api", "put-bucket-logging")."""
    botocore_service = {"s3api": "s3"}.get(service, _CLI_NAMES.get(service, service))
    try:
        names = _cli_commands(botocore_service)
    except ShapeError as error:
        known = [
            name for name in _loader().list_available_services("service-2") if name not in ("s3", "config")
        ]
        hint = near(service, [*known, "s3api", "configservice"])
        raise ShapeError(f"the AWS CLI has no service {service!r}", hint=hint) from error
    if command not in names:
        raise ShapeError(f"aws {service} has no command {command!r}", hint=near(command, names))
    return botocore_service, names[command]


@functools.lru_cache(maxsize=64)
def _cli_commands(service: str) -> Mapping[str, str]:
    import botocore

    return {botocore.xform_name(name, "-"): name for name in _model(service).operation_names}


def cli_options(shape: Any) -> dict[str, str]:
    """The AWS CLI's options for an operation's input, without dashes, with the member that each sets."""
    import botocore

    return {botocore.xform_name(name, "-"): name for name in shape.members} if shape else {}


def booleans(shape: Any) -> set[str]:
    """The members that the AWS CLI takes as a pair of flags, --x and --no-x."""
    return (
        {name for name, member in shape.members.items() if member.type_name == "boolean"} if shape else set()
    )


def takes_structure(service: str, command: str, option: str) -> bool:
    """Whether an option of an AWS CLI command takes a structure, a list or a map, not text."""
    import botocore

    shape = operation(":".join(cli_operation(service, command))).input_shape
    found = {"--" + botocore.xform_name(name, "-"): member for name, member in shape.members.items()}
    return option in found and found[option].type_name in ("structure", "list", "map")


def cli_input(
    argv: tuple[str, ...], values: frozenset[int] = frozenset()
) -> tuple[dict[str, Json], list[str]]:
    """The API input that an AWS CLI command line stands for, and the global options left over.

    `values` are the places in argv that hold values whatever they look like. Takes long options only, as our
    fixes print them. Raises ShapeError for an option the operation lacks.
    """
    import botocore

    service, command = argv[1], argv[2]
    rest = list(enumerate(argv))[3:]
    model = operation(":".join(cli_operation(service, command)))
    shape = model.input_shape
    by_option: Mapping[str, str] = (
        {"--" + botocore.xform_name(name, "-"): name for name in shape.members} if shape else {}
    )
    found: dict[str, Json] = {}
    others: list[str] = []
    while rest:
        option = rest.pop(0)[1]
        negative = "--" + option.removeprefix("--no-")
        if option in ("--region", "--profile", "--output"):
            others += [option, rest.pop(0)[1]]
        elif option in by_option and shape.members[by_option[option]].type_name == "boolean":
            found[by_option[option]] = True
        elif option.startswith("--no-") and negative in by_option:
            found[by_option[negative]] = False
        elif option in by_option:
            words = []
            while rest and (rest[0][0] in values or not rest[0][1].startswith("--")):
                words.append(rest.pop(0)[1])
            found[by_option[option]] = _value(shape.members[by_option[option]], words)
        else:
            raise ShapeError(f"aws {service} {command} has no option {option}")
    return found, others


def _value(shape: Any, values: list[str]) -> Json:
    """An option's words as the API wants them."""
    match shape.type_name:
        case "list" if len(values) != 1 or not values[0].startswith("["):
            return list(values)
        case "structure" | "list" | "map":
            return msgspec.json.decode(values[0])
        case "integer" | "long":
            return int(values[0])
        case "float" | "double":
            return float(values[0])
        case _:
            return values[0]
