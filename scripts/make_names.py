"""Make data/names.json: the names that a shell completes, so that no catalogue is built for a press of Tab."""

from __future__ import annotations

import json
from pathlib import Path

from postureaudit import catalog, compliance

TARGET = Path(__file__).resolve().parents[1] / "src" / "postureaudit" / "data" / "names.json"


def text() -> str:
    """The file as it should be."""
    checks = catalog.builtin().checks
    names = {
        "checks": [check.id for check in checks],
        "services": list(dict.fromkeys(check.service for check in checks)),
        "frameworks": list(compliance.load()),
    }
    return json.dumps(names, indent=1) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text(), "utf-8")
