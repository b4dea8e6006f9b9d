"""Trimmed models say of every call that we make what botocore's own models say."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import botocore
import botocore.loaders
import botocore.model
import botocore.session
import msgspec
import pytest
from scripts import make_models

from postureaudit.aws import models
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


def test_shipped_data_was_cut_from_the_pinned_botocore() -> None:
    """Whoever installs what we tested with pays for no model that is not called: run scripts/make_models.py."""
    pins = Path(__file__).parents[2] / "requirements-dev.txt"
    [pinned] = re.findall(r"^botocore==([\d.]+)", pins.read_text("utf-8"), re.MULTILINE)
    shipped = msgspec.json.decode(make_models.TARGET.read_bytes(), type=models.CutData)

    assert shipped.botocore == pinned
    if botocore.__version__ == pinned:
        assert make_models.TARGET.read_bytes() == make_models.made(), "run: python scripts/make_models.py"


def test_shipped_data_is_what_cutting_now_would_give() -> None:
    """Of a file that is the one it was cut from, nothing is missing and nothing added; botocore reads no file whole."""
    nothing = models.CutData(botocore="", files={})

    for path in map(str, make_models.paths()):
        assert models.load(path) == models.load(path, cut=nothing), path


def test_a_model_that_changed_is_read_whole(tmp_path: Path) -> None:
    """Another file under the same name, by size or by content, is not taken for the one that was cut."""
    path = tmp_path / "kms" / "2014-11-01" / "service-2"
    path.parent.mkdir(parents=True)
    full: Any = LOADER.load_service_model("kms", "service-2")
    changed = {**full, "metadata": {**full["metadata"], "serviceId": "Changed"}}
    file = Path(f"{path}.json.gz")
    file.write_bytes(gzip.compress(json.dumps(changed).encode()))
    kept = msgspec.Raw(b'{"stale": true}')
    same_size = models.Cut(file.stat().st_size, "0" * 64, kept)

    def loaded(known: models.Cut) -> Any:
        return models.load(str(path), cut=models.CutData("1", {"kms/2014-11-01/service-2": known}))

    assert loaded(same_size)["metadata"]["serviceId"] == "Changed"
    assert models.load(str(path))["metadata"]["serviceId"] == "Changed"
    assert set(loaded(same_size)["operations"]) == {"DescribeKey", "GetKeyPolicy", "GetKeyRotationStatus"}


@pytest.mark.filterwarnings("ignore:Fetching the endpoint_resolver component")
def test_regions_and_endpoints_are_the_same_with_less_of_botocores_data() -> None:
    """The cut endpoints.json names the same regions and hosts of every service that is asked."""
    whole, slim = botocore.session.Session(), botocore.session.Session()
    models.slim(slim)
    resolvers = [core.get_component("endpoint_resolver") for core in (whole, slim)]

    for service in SERVICES:
        prefix = whole.get_service_model(service).endpoint_prefix
        for partition in ("aws", "aws-cn", "aws-us-gov"):
            regions = [core.get_available_regions(service, partition) for core in (whole, slim)]
            assert regions[0] == regions[1]
            for region in ("us-east-1", "cn-north-1", "us-gov-west-1"):
                hosts = [each.construct_endpoint(prefix, region, partition) for each in resolvers]
                assert hosts[0] == hosts[1]
    assert slim.get_component("data_loader").list_available_services("service-2")
