"""Trimmed models say of every call that we make what botocore's own models say."""

from __future__ import annotations

from typing import Any

import botocore.loaders
import botocore.model
import pytest

from postureaudit.aws.allowed import ALLOWED
from postureaudit.aws.models import trimmed

LOADER = botocore.loaders.Loader()
SERVICES = sorted({call.partition(":")[0] for call in ALLOWED})


def described(shape: Any, seen: tuple[str, ...] = ()) -> Any:
    """A shape as plain data, as deep as it goes."""
    if shape is None or shape.name in seen:
        return None if shape is None else shape.name
    inner = (*seen, shape.name)
    match shape.type_name:
        case "structure":
            parts: Any = {name: described(member, inner) for name, member in shape.members.items()}
        case "list":
            parts = described(shape.member, inner)
        case "map":
            parts = (described(shape.key, inner), described(shape.value, inner))
        case _:
            parts = None
    return shape.name, shape.type_name, shape.serialization, shape.metadata, parts


@pytest.mark.parametrize("service", SERVICES)
def test_trimmed_model_is_complete(service: str) -> None:
    """Inputs, outputs and errors of each allowed operation are all there, and nothing else is."""
    full = LOADER.load_service_model(service, "service-2")
    whole, small = (botocore.model.ServiceModel(item, service) for item in (full, trimmed(full, service)))
    wanted = {call.partition(":")[2] for call in ALLOWED if call.partition(":")[0] == service}

    assert wanted <= set(small.operation_names)
    for name in wanted:
        ours, theirs = small.operation_model(name), whole.operation_model(name)
        assert described(ours.input_shape) == described(theirs.input_shape)
        assert described(ours.output_shape) == described(theirs.output_shape)
        assert [item.name for item in ours.error_shapes] == [item.name for item in theirs.error_shapes]
        assert (ours.http, ours.metadata, ours.endpoint) == (theirs.http, theirs.metadata, theirs.endpoint)


def test_other_files_stay_as_they_are() -> None:
    """Paginators, endpoint rules and services of which nothing is listed are not touched."""
    paginators = {"pagination": {"ListThings": {}}}
    model = {"operations": {"Do": {}}, "shapes": {}, "metadata": {}}

    assert trimmed(paginators, "ec2") is paginators
    assert trimmed(model, "braket") is model
