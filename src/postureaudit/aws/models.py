"""botocore's service models without their documentation: half the memory, and quicker to read."""

from __future__ import annotations

import gzip
import json
import os
from typing import Any


def slim(core: Any) -> None:
    """Let a botocore session load its models without documentation, through its own loader."""
    from botocore.loaders import JSONFileLoader

    class SlimFileLoader(JSONFileLoader):  # type: ignore[misc]  # botocore ships no types
        """Reads what botocore would read; text under "documentation" is emptied on the way."""

        def load_file(self, file_path: str) -> Any:
            for suffix, opener in ((".json", open), (".json.gz", gzip.open)):
                if os.path.isfile(file_path + suffix):
                    with opener(file_path + suffix, "rb") as stream:
                        return json.loads(stream.read(), object_pairs_hook=_without_documentation)
            return None

    core.get_component("data_loader").file_loader = SlimFileLoader()


def _without_documentation(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # The key stays, because botocore insists on it in places; and a structure's member may be called
    # "documentation" too: its value is an object, and stays what it is.
    return {
        name: "" if name == "documentation" and isinstance(value, str) else value for name, value in pairs
    }
