"""Write src/postureaudit/data/compiled/: what ships as YAML, as JSON that is read in a hundredth of the time.

Usage: python scripts/make_compiled.py, after checks.yaml, signals/events.yaml or a YAML file in data/ has changed. A
test fails when a file is stale; until then the YAML itself is read.
"""

from __future__ import annotations

from typing import Any

import msgspec

from postureaudit import catalog, compiled, compliance, strict_yaml
from postureaudit.services.guardduty import catalogue
from postureaudit.signals import events

PLAIN = {"events": events.FILE, "frameworks": compliance.FILE, "guardduty-findings": catalogue.FILE}


def files() -> dict[str, bytes]:
    """Each file's name without its suffix, and what is to stand in it."""
    found = {}
    for name, path in PLAIN.items():
        text = path.read_text("utf-8")
        found[name] = compiled.made({path.name: text}, strict_yaml.load(text, name=path.name))
    text = catalog.path().read_text("utf-8")
    checks = [written(check) for check in catalog.parse(text, name="checks.yaml")]
    return {**found, "checks": compiled.made(catalog.sources(text), checks)}


def written(value: msgspec.Struct) -> dict[str, Any]:
    """A Struct as it is read back, without the fields that stand as they do by default."""
    found = {}
    for field in msgspec.structs.fields(value):
        item = getattr(value, field.name)
        made = field.default_factory
        if item != (field.default if made is msgspec.NODEFAULT else made()):
            fixes = field.name == "fix"
            found[field.name] = [written(variant) for variant in item] if fixes else msgspec.to_builtins(item)
    return found


if __name__ == "__main__":
    compiled.FOLDER.mkdir(exist_ok=True)
    for name, data in files().items():
        (compiled.FOLDER / f"{name}.json").write_bytes(data)
