"""botocore's service models cut to what is called, without documentation: less memory, and quicker clients."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterable
from typing import Any

from postureaudit.aws.allowed import ALLOWED, FOR_CREDENTIALS


def slim(core: Any) -> None:
    """Let a botocore session load its models trimmed, through its own loader."""
    from botocore.loaders import JSONFileLoader

    class SlimFileLoader(JSONFileLoader):  # type: ignore[misc]  # botocore ships no types
        """Reads what botocore would read, and keeps of a service's model the operations that may be called."""

        def load_file(self, file_path: str) -> Any:
            for suffix, opener in ((".json", open), (".json.gz", gzip.open)):
                if os.path.isfile(file_path + suffix):
                    with opener(file_path + suffix, "rb") as stream:
                        found = json.loads(stream.read(), object_pairs_hook=_without_documentation)
                    return trimmed(found, _service(file_path))
            return None

    core.get_component("data_loader").file_loader = SlimFileLoader()


def trimmed(model: Any, service: str) -> Any:
    """A service model with the operations of the allow-list alone and the shapes that they reach.

    What is no service model, and the model of a service of which nothing is listed, stays as it is.
    """
    wanted = _LISTED.get(service)
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


_LISTED = _listed()


def _service(file_path: str) -> str:
    """The service of ".../data/SERVICE/VERSION/service-2"; "" for any other file."""
    parts = file_path.replace(os.sep, "/").split("/")
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
