"""A checks file read whole: its checks, what it changes of others, and every mistake with its line."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from postureaudit import expressions
from postureaudit.catalog import Check
from postureaudit.conform import NOT_WRITTEN, conform
from postureaudit.errors import CatalogError
from postureaudit.evidence import Json
from postureaudit.findings import Severity
from postureaudit.problems import At, Lines, Problem, near

SECTIONS = ("checks", "severities", "parameters", "disable")  # as in a configuration file
_OTHER_WORDS = ("off", "skip", "exclude")  # for disable
ID = re.compile(r"[a-z0-9-]+\.[a-z0-9-]+")  # as in waivers
_FALLBACK: Mapping[str, Json] = {
    "id": "?",
    "severity": "info",
    "fix": [],
}  # where a field is missing or wrong


class ChecksFile(msgspec.Struct, frozen=True, kw_only=True):
    """A user's checks file. `severities`, `parameters` and `disable` change checks by id.

    `places` are the paths of the checks' blocks by id, `broken` the parts of each that could not be read.
    """

    name: str
    checks: tuple[Check, ...] = ()
    severities: dict[str, Severity] = msgspec.field(default_factory=dict)
    parameters: dict[str, dict[str, Json]] = msgspec.field(default_factory=dict)
    disable: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    lines: Lines = msgspec.field(default_factory=dict)
    places: dict[str, At] = msgspec.field(default_factory=dict)
    broken: dict[str, tuple[At, ...]] = msgspec.field(default_factory=dict)

    def line(self, check: str, at: At) -> int:
        """The line of a field of a check, or of a field of the file where `check` is no check of it."""
        return line_of((*self.places.get(check, ()), *at), self.lines)

    def hides(self, check: str, at: At) -> bool:
        """Whether a mistake there may follow from one that is told already."""
        return any(at[: len(broken)] == broken[: len(at)] for broken in self.broken.get(check, ()))


def line_of(at: At, lines: Mapping[At, int]) -> int:
    """The line of the innermost part of a path that stands in the file; a family's row has its block's."""
    while at and at not in lines:
        at = at[:-1]
    return lines.get(at, 1)


def load(path: Path) -> ChecksFile:
    """Read a checks file. Raises CatalogError when it cannot be read at all."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogError(
            f"cannot read {path}: {getattr(error, 'strerror', None) or error}", hint="name a checks file"
        ) from error
    return read(text, name=str(path), origin="custom")


def read(text: str, *, name: str, origin: str = "builtin") -> ChecksFile:
    """The checks of a file's text. Every mistake of structure is in `problems`; lint proves the rest."""
    from postureaudit import strict_yaml

    data, lines, mistakes = strict_yaml.load_all(text)
    reader = _Reader(lines, origin)
    for mistake in mistakes:
        owner = reader.owner(mistake.line, data)
        reader.problems.append(Problem(owner, mistake.text, mistake.hint, line=mistake.line))
    match data:
        case list():
            reader.read_checks(data, ())
        case dict():
            reader.read_sections(data)
        case _ if not mistakes:
            hint = 'a list of checks, each starting with "- id:", or a mapping with ' + ", ".join(SECTIONS)
            reader.tell("", "a checks file is a list of checks or a mapping", (), hint)
    return reader.file(name)


def located_expressions(check: Check) -> Iterator[tuple[At, str]]:
    """Every JMESPath expression of a check with its path."""
    yield ("pass_when",), check.pass_when
    if check.applies_when:
        yield ("applies_when",), check.applies_when
    for index, variant in enumerate(check.fix):
        for field, text in (("when", variant.when), ("for_each", variant.for_each)):
            if text:
                yield ("fix", index, field), text


class _Reader:
    """Collects what a file says, and what is wrong with it."""

    def __init__(self, lines: Lines, origin: str) -> None:
        self.problems: list[Problem] = []
        self.checks: list[Check] = []
        self.sections: dict[str, Any] = {}
        self._lines = lines
        self._origin = origin
        self._places: dict[str, At] = {}
        self._broken: dict[str, tuple[At, ...]] = {}

    def file(self, name: str) -> ChecksFile:
        return ChecksFile(
            name=name,
            checks=tuple(self.checks),
            problems=tuple(sorted(self.problems, key=lambda problem: problem.line)),
            lines=self._lines,
            places=self._places,
            broken=self._broken,
            **self.sections,
        )

    def owner(self, line: int, data: Any) -> str:
        """The id of the check that a line of the file belongs to."""
        blocks = data.get("checks") if isinstance(data, dict) else data
        head: At = ("checks",) if isinstance(data, dict) else ()
        found = ""
        for index, block in enumerate(blocks if isinstance(blocks, list) else ()):
            if isinstance(block, dict) and self._lines.get((*head, index), line + 1) <= line:
                found = str(block.get("id", ""))
        return found

    def tell(self, check: str, text: str, at: At, hint: str = "", base: At = ()) -> None:
        self.problems.append(Problem(check, text, hint, at, line_of((*base, *at), self._lines)))

    def read_sections(self, data: dict[str, Any]) -> None:
        for key in data:
            if key not in SECTIONS:
                meant = "did you mean disable?" if key in _OTHER_WORDS else near(key, SECTIONS)
                self.tell("", f"a checks file has no section {key!r}", (key,), meant)
        if data.get("checks") is not None:
            self.read_checks(data["checks"], ("checks",))
        wanted = {
            "severities": dict[str, Severity],
            "parameters": dict[str, dict[str, Any]],
            "disable": tuple[str, ...],
        }
        for name, kind in wanted.items():
            if data.get(name) is None:
                continue
            faults = list(conform(data[name], kind, (name,)))
            for at, text, hint in faults:
                self.tell("", text, at, hint)
            if not faults:
                self.sections[name] = msgspec.convert(data[name], kind)

    def read_checks(self, blocks: Any, head: At) -> None:
        if not isinstance(blocks, list):
            self.tell("", "checks is a list", head, 'each check starts with "- id:"')
            return
        for index, block in enumerate(blocks):
            base = (*head, index)
            if not isinstance(block, dict):
                self.tell("", "a check is a mapping", base, 'it starts with "- id:"')
                continue
            for row in self._rows(block, base):
                self._read_check(row, base)

    def _rows(self, block: dict[str, Any], base: At) -> Iterator[dict[str, Any]]:
        """A block's checks: itself, or one a row of its `each`."""
        name, rows = str(block.get("id", "?")), block.get("each")
        if "each" not in block:
            yield block
            return
        if rows == "signals":
            from postureaudit.signals import events

            rows = events.rows()
        if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
            self.tell(
                name, "each takes a list of mappings", ("each",), "such as [{plan: S3}, {plan: EKS}]", base
            )
            return
        rest = {key: value for key, value in block.items() if key != "each"}
        told: set[tuple[At, str]] = set()
        for row in rows:
            lacking: list[tuple[At, str]] = []
            filled = _filled(rest, row, (), lacking)
            for at, key in lacking:
                if (at, key) not in told:
                    told.add((at, key))
                    self.tell(name, f"a row of each lacks {key!r}", at, near(key, row), base)
            if not lacking:
                yield filled

    def _read_check(self, row: dict[str, Any], base: At) -> None:
        name = row["id"] if isinstance(row.get("id"), str) else "?"
        faults: list[tuple[At, str, str]] = []
        try:
            check = msgspec.convert(row, Check)
        except msgspec.ValidationError:
            faults = list(conform(row, Check, ()))
        if not faults and any(field in row for field in NOT_WRITTEN):
            faults = [((field,), f"has no field {field!r}", "") for field in NOT_WRITTEN if field in row]
        for at, text, hint in faults:
            self.tell(name, text, at, hint, base)
        if faults:
            check = msgspec.convert(_repaired(row, [at for at, _, _ in faults]), Check)
        broken = {at for at, _, _ in faults}
        if ("id",) not in broken and ID.fullmatch(name) is None:
            self.tell(name, "an id is service.name, in lower case", ("id",), 'such as "own.trail-name"', base)
        if name in self._places:
            first = line_of(self._places[name], self._lines)
            self.tell(
                name, f"check {name} is there twice (line {first})", ("id",), "give one another id", base
            )
            return
        for field in ("title", "why", "pass_when", "resource"):
            if (field,) not in broken and not getattr(check, field).strip():
                self.tell(name, f"{field} is empty", (field,), base=base)
                broken.add((field,))
        broken |= self._uncompiled(check, broken, base)
        self._places[name] = base
        self._broken[name] = tuple(broken)
        line = line_of(base, self._lines)
        self.checks.append(msgspec.structs.replace(check, line=line, origin=self._origin))

    def _uncompiled(self, check: Check, broken: set[At], base: At) -> set[At]:
        """The fields whose expression or command does not parse; each is told."""
        bad: set[At] = set()
        for at, text in located_expressions(check):
            if at in broken:
                continue
            try:
                expressions.compile(text)
            except expressions.ExpressionError as error:
                self.tell(check.id, f"{error.message}: {text}", at, error.hint, base)
                bad.add(at)
        for index, variant in enumerate(check.fix):
            try:
                variant.templates()
            except ValueError as error:
                at = ("fix", index, "command" if variant.command else "commands")
                self.tell(check.id, f"not a command line: {error}", at, base=base)
                bad.add(at)
        return bad


def _filled(value: Any, row: Mapping[str, Any], at: At, lacking: list[tuple[At, str]]) -> Any:
    """A family's block with <<key>> replaced; a string that is only <<key>> takes the value as it is."""
    match value:
        case dict():
            return {
                _filled(key, row, (*at, key), lacking): _filled(item, row, (*at, key), lacking)
                for key, item in value.items()
            }
        case list():
            return [_filled(item, row, (*at, index), lacking) for index, item in enumerate(value)]
        case str() if value.startswith("<<") and value.endswith(">>") and value[2:-2] in row:
            return row[value[2:-2]]
        case str():
            for key, item in row.items():
                value = value.replace(f"<<{key}>>", str(item))
            if "<<" in value:
                names = re.findall(r"<<([^<>]*)", value)
                lacking.extend((at, name) for name in names or [value])
            return value
        case _:
            return value


def _repaired(row: dict[str, Any], wrong: list[At]) -> dict[str, Any]:
    """The row without what is wrong, and with something harmless where a field must be."""
    found = copy.deepcopy(row)
    for at in wrong:
        # Only a field of the check or of a fix variant can go alone; a part of a value takes the value with it.
        keep = at[:3] if at[:1] == ("fix",) and len(at) > 2 else at[:1]
        parent: Any = found
        for step in keep[:-1]:
            parent = parent[step] if parent is not None else None
        if isinstance(parent, dict):
            parent.pop(keep[-1], None)
    if isinstance(found.get("fix"), list):
        found["fix"] = [item if isinstance(item, dict) else {} for item in found["fix"]]
    for field in msgspec.structs.fields(Check):
        if field.required:
            found.setdefault(field.name, _FALLBACK.get(field.name, ""))
    return found
