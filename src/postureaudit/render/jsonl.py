"""JSON lines for log shippers: the run first, one line a place, the summary last; without it the run was cut off."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from postureaudit.render import Style
from postureaudit.render.json import document
from postureaudit.report import Report


def render(report: Report, style: Style) -> str:
    """One JSON object a line, ASCII only.

    `type` is "run", "result", "framework", "signal", "blind_spots", "investigation", "unknown" or "summary".
    """
    return "".join(json.dumps(line, ensure_ascii=True) + "\n" for line in _lines(document(report)))


def _lines(whole: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield {
        "type": "run",
        "schema_version": whole["schema_version"],
        "tool": whole["tool"],
        "run": whole["run"],
    }
    for finding in whole["findings"]:
        shared = {
            name: value
            for name, value in finding.items()
            if name not in ("places", "fix", "verdict", "why", "maps_to")
        }
        for place in finding["places"]:
            # The place's own fingerprint names the line; the finding's names the ticket.
            yield {
                "type": "result",
                **shared,
                **place,
                "fingerprint": place["fingerprint"],
                "finding": finding["fingerprint"],
                "waived": place["waiver"] is not None,
            }
    yield from ({"type": "framework", **item} for item in whole["frameworks"])
    yield from ({"type": "signal", **item} for item in whole["signals"])
    yield from ({"type": "blind_spots", **item} for item in whole["blind_spots"])
    yield from ({"type": "investigation", **item} for item in whole["investigation"])
    yield from ({"type": "unknown", **item} for item in whole["unknown"])
    yield {"type": "summary", **whole["summary"]}
