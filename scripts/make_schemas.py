"""Write the JSON Schemas that follow from our own types: of settings, a baseline and an organization's result.

Usage: python scripts/make_schemas.py. A test fails when a shipped schema is stale.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from postureaudit.baseline import Baseline
from postureaudit.catalog import NEEDS
from postureaudit.org.summary import Organization
from postureaudit.settings import Settings

FOLDER = Path(__file__).parents[1] / "src" / "postureaudit" / "schemas"
_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def config() -> dict[str, Any]:
    """Of the settings file: keys with hyphens, as people write them."""
    whole = msgspec.json.schema(Settings)
    body = whole["$defs"].pop("Settings")
    body["properties"] = {name.replace("_", "-"): shape for name, shape in body["properties"].items()}
    body["properties"]["parameters"]["propertyNames"] = {"enum": sorted(NEEDS)}
    body["properties"]["fail-on"]["enum"] = ["", "critical", "high", "medium", "low", "info", "none"]
    return {"$schema": _DRAFT, **body, "title": "postureaudit settings", "$defs": whole["$defs"]}


def baseline() -> dict[str, Any]:
    """Of a baseline file."""
    body = msgspec.json.schema(Baseline)["$defs"]["Baseline"]
    key = {"type": "string", "pattern": "^pa1:[0-9a-f]{32}$"}
    body["properties"]["version"] = {"const": 1}
    body["properties"]["findings"] |= {
        "propertyNames": key,
        "additionalProperties": {"type": "array", "items": key, "minItems": 1},
    }
    return {"$schema": _DRAFT, **body, "title": "postureaudit baseline, version 1"}


def organization() -> dict[str, Any]:
    """Of organization.json: the result of a run over many accounts."""
    whole = msgspec.json.schema(Organization)
    body = whole["$defs"].pop("Organization")
    body["properties"]["schema_version"] = {"type": "string", "pattern": "^1\\."}
    return {"$schema": _DRAFT, **body, "title": "postureaudit organization result", "$defs": whole["$defs"]}


def texts() -> dict[str, str]:
    """Each file's name and text."""
    return {
        f"{make.__name__}.json": json.dumps(make(), indent=1) + "\n"
        for make in (config, baseline, organization)
    }


if __name__ == "__main__":
    for name, text in texts().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
