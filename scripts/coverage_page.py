"""docs/coverage.md: what others check in this area, what of ours answers it, and where we differ and why."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from postureaudit import catalog, compliance, strict_yaml

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "docs" / "coverage.yaml"
HEAD = """# Coverage

What other catalogues check about detection, logging, response and their organization in AWS: which check of
postureaudit answers it, where our verdict is another and why, and what we leave out for which reason.

This page is made by `python scripts/make_docs.py` from `docs/coverage.yaml`, the `maps_to` of `checks.yaml` and
`src/postureaudit/data/frameworks.yaml`. Each check has a [page of its own](reference/checks/index.md).
"""


class Control(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody else checks: answered by checks of ours, or left out for a reason."""

    title: str = ""
    checks: tuple[str, ...] = ()
    reason: str = ""
    differs: str = ""


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A catalogue: its controls by id. One with a `framework` takes ids, titles and checks from there as well."""

    id: str
    title: str
    about: str
    controls: dict[str, Control]
    rival: bool = False
    framework: str = ""


class Coverage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """docs/coverage.yaml. `coming` are checks that are being added, with what they map to."""

    reasons: dict[str, str]
    notes: dict[str, str]
    coming: dict[str, dict[str, tuple[str, ...]]]
    sources: tuple[Source, ...]
    ours_alone: dict[str, str]

    def mapped(self) -> dict[str, Mapping[str, Sequence[str]]]:
        """maps_to of every check there is, and of those that are coming."""
        return {**self.coming, **catalog.builtin().mapped()}

    def controls(self, source: Source) -> dict[str, Control]:
        """All controls of a source, whole: title and checks filled in, reasons and notes written out."""
        found: dict[str, Control] = {}
        known = compliance.load()[source.framework].requirements if source.framework else {}
        mapped = self.mapped()
        for number in (*known, *(number for number in source.controls if number not in known)):
            own = source.controls.get(number, Control())
            by_framework = [
                name for name, maps_to in mapped.items() if number in maps_to.get(source.framework, ())
            ]
            given = [name for glob in own.checks for name in (fnmatch.filter(mapped, glob) or [glob])]
            found[number] = msgspec.structs.replace(
                own,
                title=own.title or known.get(number, ""),
                checks=tuple(dict.fromkeys([*by_framework, *given])),
                reason=self.reasons.get(own.reason, own.reason),
                differs=self.notes.get(own.differs, own.differs),
            )
        return found

    def alone(self) -> dict[str, str]:
        """The checks that no rival has, each with what it is for."""
        claimed = {
            name
            for source in self.sources
            if source.rival
            for control in self.controls(source).values()
            for name in control.checks
        }
        rest = [name for name in self.mapped() if name not in claimed]
        return {name: said for glob, said in self.ours_alone.items() for name in fnmatch.filter(rest, glob)}


def load() -> Coverage:
    """The data behind the page."""
    data = strict_yaml.load(DATA.read_text("utf-8"), name="docs/coverage.yaml")
    return msgspec.convert(data, Coverage)


def page(coverage: Coverage) -> str:
    """The whole page as Markdown."""
    lines = [HEAD, *_overview(coverage)]
    for source in coverage.sources:
        lines += [
            "",
            f"## {source.title}",
            "",
            source.about,
            "",
            "| Control | It asks | Our check | Where we differ, or why not |",
        ]
        lines.append("| --- | --- | --- | --- |")
        lines += [_row(number, control) for number, control in coverage.controls(source).items()]
    lines += ["", "## Ours alone", "", "No catalogue above has these.", "", "| Check | Why it is there |"]
    lines.append("| --- | --- |")
    lines += [f"| {_link(name)} | {_cell(said)} |" for name, said in coverage.alone().items()]
    return "\n".join(lines) + "\n"


def _overview(coverage: Coverage) -> Iterator[str]:
    yield "| Catalogue | Controls | Answered | With another verdict | Left out |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for source in coverage.sources:
        controls = list(coverage.controls(source).values())
        answered = [item for item in controls if item.checks]
        differing = sum(bool(item.differs) for item in answered)
        cells = (len(controls), len(answered), differing, len(controls) - len(answered))
        anchor = "".join(
            char for char in source.title.lower().replace(" ", "-") if char.isalnum() or char == "-"
        )
        yield f"| [{source.title}](#{anchor}) | " + " | ".join(map(str, cells)) + " |"


def _row(number: str, control: Control) -> str:
    checks = "<br>".join(map(_link, control.checks)) or "-"
    return f"| {number} | {_cell(control.title)} | {checks} | {_cell(control.differs or control.reason)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _link(name: str) -> str:
    """A check's id with a link to its page; one that is coming has none."""
    if name not in catalog.builtin():
        return f"`{name}`"
    service, _, rest = name.partition(".")
    return f"[`{name}`](reference/checks/{service}/{rest}.md)"
