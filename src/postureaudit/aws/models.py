"""botocore's data cut to what is called, without documentation: less memory, and quicker clients.

Of the botocore that this version was tested with, the cut data is in the package (data/botocore.json, made by
scripts/make_models.py). Each piece is used only where the installed file is the very one that it was cut from;
any other is read whole and cut then.
"""

from __future__ import annotations

import functools
import gzip
import json
import os
from collections.abc import Iterable, Mapping
from hashlib import sha256
from importlib.resources import files as package_files
from typing import Any

import msgspec

from postureaudit.aws.allowed import ALLOWED, FOR_CREDENTIALS

_SUFFIXES = ((".json", open), (".json.gz", gzip.open))


class Cut(msgspec.Struct, frozen=True):
    """One of botocore's files as it is kept here: the size and SHA-256 of the file on disk, and what was kept."""

    size: int
    sha256: str
    kept: msgspec.Raw


class CutData(msgspec.Struct, frozen=True):
    """data/botocore.json: the botocore release it was cut from, and its files by their path below botocore/data."""

    botocore: str
    files: dict[str, Cut]


def slim(core: Any) -> None:
    """Let a botocore session load its data trimmed, through its own loader."""
    from botocore.loaders import JSONFileLoader

    class SlimFileLoader(JSONFileLoader):  # type: ignore[misc]  # botocore ships no types
        """Reads what botocore would read, and keeps of a service's model the operations that may be called."""

        def load_file(self, file_path: str) -> Any:
            return load(file_path)

    loader = core.get_component("data_loader")
    loader.file_loader = SlimFileLoader()
    # botocore opens every one of its 420 folders only to know that a service exists: their names tell it too.
    folders = functools.lru_cache(maxsize=1)(lambda: _folders(loader.search_paths))
    loader.list_available_services = lambda type_name: folders()


def load(file_path: str, *, cut: CutData | None = None) -> Any:
    """What botocore would load from a path without its suffix, trimmed; None where there is no such file.

    `cut` replaces the package's own cut data.
    """
    for suffix, opener in _SUFFIXES:
        if not os.path.isfile(file_path + suffix):
            continue
        known = (cut or _shipped()).files.get(name_of(file_path))
        if known is not None and is_cut_from(known, file_path + suffix):
            return msgspec.json.decode(known.kept)
        with opener(file_path + suffix, "rb") as stream:
            found = json.loads(stream.read(), object_pairs_hook=_without_documentation)
        return trimmed(found, _service(file_path))
    return None


def is_cut_from(known: Cut, path: str) -> bool:
    """Whether a file on disk is the one that a piece of cut data was made of."""
    if os.path.getsize(path) != known.size:
        return False
    with open(path, "rb") as stream:
        return sha256(stream.read()).hexdigest() == known.sha256


def name_of(file_path: str) -> str:
    """The path below the data folder: ec2/2016-11-15/service-2, or endpoints."""
    parts = file_path.replace(os.sep, "/").split("/")
    return "/".join(parts[-3:]) if parts[-1] == "service-2" else parts[-1]


@functools.lru_cache(maxsize=1)
def _shipped() -> CutData:
    data = (package_files("postureaudit") / "data" / "botocore.json").read_bytes()
    return msgspec.json.decode(data, type=CutData)


def _folders(search_paths: Iterable[str]) -> list[str]:
    """The services that there may be data of; which files a service has is seen when they are loaded."""
    found: set[str] = set()
    for path in search_paths:
        if os.path.isdir(path):
            with os.scandir(path) as entries:
                found |= {entry.name for entry in entries if entry.is_dir()}
    return sorted(found)


def trimmed(model: Any, service: str) -> Any:
    """A service model with the operations of the allow-list alone and the shapes that they reach.

    Of endpoints.json the services of the allow-list are kept. What is neither, and the model of a service of which
    nothing is listed, stays as it is.
    """
    if service == _ENDPOINTS:
        return _trimmed_endpoints(model)
    wanted = LISTED.get(service)
    if not wanted or not isinstance(model, dict) or not {"operations", "shapes"} <= set(model):
        return model
    operations = {name: item for name, item in model["operations"].items() if name in wanted}
    shapes = model["shapes"]
    kept: dict[str, Any] = {}
    todo = [name for item in operations.values() for name in _references(item)]
    while todo:
        name = todo.pop()
        if name not in kept and name in shapes:
            kept[name] = shapes[name]
            todo += _references(shapes[name])
    return {**model, "operations": operations, "shapes": kept}


def _listed() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for call in ALLOWED | FOR_CREDENTIALS:
        service, _, operation = call.partition(":")
        found.setdefault(service, set()).add(operation)
    return {service: frozenset(operations) for service, operations in found.items()}


LISTED: Mapping[str, frozenset[str]] = _listed()
_ENDPOINTS = "endpoints"
# Under which names endpoints.json has them (the models' endpointPrefix), where they are not the service's own.
_PREFIXES = {
    "accessanalyzer": "access-analyzer",
    "cloudwatch": "monitoring",
    "ecr": "api.ecr",
    "detective": "api.detective",
    "notificationscontacts": "notifications-contacts",
    "sso": "portal.sso",
    "sso-oidc": "oidc",
    "stepfunctions": "states",
    "s3control": "s3-control",
}


def _trimmed_endpoints(data: Any) -> Any:
    """endpoints.json with the services of the allow-list alone; regions and partitions stay."""
    if not isinstance(data, dict) or "partitions" not in data:
        return data
    names = {*LISTED, *_PREFIXES.values()}
    partitions = [
        {
            **partition,
            "services": {name: item for name, item in partition["services"].items() if name in names},
        }
        for partition in data["partitions"]
    ]
    return {**data, "partitions": partitions}


def _service(file_path: str) -> str:
    """The service of ".../data/SERVICE/VERSION/service-2", "endpoints" of ".../endpoints"; "" for any other file."""
    parts = file_path.replace(os.sep, "/").split("/")
    if parts[-1] == _ENDPOINTS:
        return _ENDPOINTS
    return parts[-3] if parts[-1] == "service-2" and len(parts) > 3 else ""


def _references(item: Any) -> Iterable[str]:
    """The names of the shapes that a piece of a model refers to."""
    if isinstance(item, dict):
        if isinstance(item.get("shape"), str):
            yield item["shape"]
        for value in item.values():
            yield from _references(value)
    elif isinstance(item, list):
        for value in item:
            yield from _references(value)


def _without_documentation(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # The key stays, because botocore insists on it in places; and a structure's member may be called
    # "documentation" too: its value is an object, and stays what it is.
    return {
        name: "" if name == "documentation" and isinstance(value, str) else value for name, value in pairs
    }
