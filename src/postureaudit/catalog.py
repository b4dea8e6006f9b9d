"""checks.yaml, proven usable: every check compiled, linted against AWS's shapes and tied to its calls."""

from __future__ import annotations

import functools
import hashlib
import shlex
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from importlib import resources as package_files
from pathlib import Path
from typing import Any

import msgspec

from postureaudit import compliance, expressions, strict_yaml
from postureaudit.errors import CatalogError, UsageError
from postureaudit.evidence import Json
from postureaudit.findings import Severity
from postureaudit.resources import ResourceType, ScopeKind

NEEDS: Mapping[str, str] = {
    "LOG_BUCKET": "the bucket in your log archive account",
    "KMS_KEY_ARN": "the ARN of the KMS key to encrypt with",
    "ALERT_TOPIC_ARN": "the ARN of the SNS topic that alerts people",
    "ALERT_EMAIL": "the address that security alerts go to",
    "ADMIN_ACCOUNT": "the id of your security tooling account",
    "ACCESS_LOG_BUCKET": "the bucket that keeps S3 access logs",
    "CONFIG_BUCKET": "the bucket in your log archive account that receives Config history",
    "LOG_GROUP_ARN": "the ARN of the log group that CloudTrail writes to",
    "LOG_ROLE_ARN": "the ARN of the role that CloudTrail writes logs with",
    "REMEDIATION_ROLE_ARN": "the ARN of the role that remediations run with",
    "AGGREGATOR_ROLE_ARN": "the ARN of the role that the Config aggregator uses",
    "MALWARE_ROLE_ARN": "the ARN of the role that S3 malware scans use",
    "PROTECTED_BUCKET": "the bucket whose uploads are to be scanned",
    "FINDINGS_BUCKET": "the bucket that keeps exported findings",
    "LAKE_ACCOUNT": "the id of the account that runs Security Lake, as a rule your log archive account",
    "SECURITY_CONTACT_NAME": "the name of the people that AWS calls about security",
    "SECURITY_CONTACT_TITLE": "what these people are, such as security operations",
    "SECURITY_CONTACT_PHONE": "the phone number that AWS calls about security, with its country code",
}
TOP_LEVEL = ("Partition", "Leader", "Account", "Region", "Param")
WIDTH = {ScopeKind.RESOURCE: 0, ScopeKind.REGION: 1, ScopeKind.ACCOUNT: 2, ScopeKind.ORGANIZATION: 2}


class Variant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way to fix: commands as argv templates, or steps with the reason why no command is safe.

    `mender` names a function of a service that works the commands out, where no template can say them.
    `for_each` is the path of a list: the commands are printed for each item, as {Item.<field>}.
    """

    when: str = ""
    for_each: str = ""
    command: str = ""
    commands: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    mender: str = ""
    effect: str = ""
    cost: str = ""
    undo: str = ""
    permissions: tuple[str, ...] = ()
    account: str = ""
    region: str = ""
    after: tuple[str, ...] = ()

    def templates(self) -> tuple[tuple[str, ...], ...]:
        """The commands, each as its shell words."""
        return tuple(
            tuple(shlex.split(text)) for text in (*((self.command,) * bool(self.command)), *self.commands)
        )


class Check(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One block of checks.yaml. `otherwise` is what a report says when `applies_when` is false."""

    id: str
    title: str
    severity: Severity
    resource: str
    pass_when: str
    why: str
    fix: tuple[Variant, ...]
    applies_when: str = ""
    otherwise: str = ""
    reason: str = ""
    requires: tuple[str, ...] = ()
    parameters: dict[str, Json] = msgspec.field(default_factory=dict)
    maps_to: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    examples: dict[str, list[dict[str, Json]]] = msgspec.field(default_factory=dict)
    topic: str = ""  # what it is about, where one resource type serves a family of checks
    origin: str = "builtin"
    line: int = 0  # in its checks file, for messages

    @property
    def service(self) -> str:
        """The service prefix of the id, by which reports group."""
        return self.id.partition(".")[0]

    def expressions(self) -> tuple[str, ...]:
        """The expressions that decide the verdict."""
        return (self.pass_when, *((self.applies_when,) if self.applies_when else ()))


class Catalog:
    """All checks of a run, in order. `changes` says, one sentence each, what a user's files made different."""

    def __init__(
        self,
        checks: Sequence[Check],
        digest: str,
        *,
        changes: Iterable[str] = (),
        off: frozenset[str] = frozenset(),
    ) -> None:
        self.checks = tuple(checks)
        self.digest = digest
        self.changes = tuple(changes)
        self.off = off  # switched off: never selected, and judged only where another check requires it
        self._by_id = {check.id: check for check in checks}

    def check(self, name: str) -> Check:
        """The check of this id. Raises UsageError with near names."""
        if name not in self._by_id:
            raise UsageError(f"no check {name!r}", hint=_near(name, self._by_id))
        return self._by_id[name]

    def __contains__(self, name: str) -> bool:
        return name in self._by_id

    def services(self) -> tuple[str, ...]:
        """The service prefixes in use, in order of appearance."""
        return tuple(dict.fromkeys(check.service for check in self.checks))

    def frameworks(self) -> tuple[str, ...]:
        """The frameworks that checks map to."""
        used = {name for check in self.checks for name in check.maps_to}
        return tuple(name for name in compliance.load() if name in used)

    def mapped(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """What each check that is not switched off maps to, by its id."""
        return {check.id: check.maps_to for check in self.checks if check.id not in self.off}

    def select(
        self,
        *,
        only: Iterable[str] = (),
        skip: Iterable[str] = (),
        services: Iterable[str] = (),
        at_least: Severity = Severity.INFO,
        frameworks: Iterable[str] = (),
    ) -> frozenset[str]:
        """The ids that fit all the choices. A family ("guardduty.*") names all of its checks.

        Raises UsageError with near names for an id, service or framework that does not exist.
        """
        wanted, unwanted = self._ids(only), self._ids(skip)
        services, frameworks = set(services), set(frameworks)
        for name in sorted(services - set(self.services())):
            raise UsageError(f"no service {name!r}", hint=_near(name, self.services()))
        for name in sorted(frameworks - set(self.frameworks()) if frameworks else ()):
            raise UsageError(f"no framework {name!r}", hint=compliance.near(name, self.frameworks()))
        return frozenset(
            check.id
            for check in self.checks
            if check.id not in self.off
            and (not wanted or check.id in wanted)
            and check.id not in unwanted
            and (not services or check.service in services)
            and check.severity.rank >= at_least.rank
            and (not frameworks or frameworks & set(check.maps_to))
        )

    def _ids(self, names: Iterable[str]) -> frozenset[str]:
        found: set[str] = set()
        for name in names:
            if name.endswith(".*"):
                family = [check.id for check in self.checks if check.id.startswith(name[:-1])]
                if not family:
                    raise UsageError(f"no checks {name!r}", hint=_near(name[:-2], self.services()))
                found.update(family)
            else:
                found.add(self.check(name).id)
        return frozenset(found)

    def with_required(self, ids: Iterable[str]) -> tuple[Check, ...]:
        """These checks and all that they require, the required first."""
        ordered: dict[str, Check] = {}

        def visit(name: str) -> None:
            if name not in ordered:
                check = self.check(name)
                for required in check.requires:
                    visit(required)
                ordered[name] = check

        for check in self.checks:
            if check.id in set(ids):
                visit(check.id)
        return tuple(ordered.values())

    def tuned(
        self,
        *,
        severities: Mapping[str, Severity] | None = None,
        parameters: Mapping[str, Mapping[str, Json]] | None = None,
        off: Iterable[str] = (),
    ) -> Catalog:
        """This catalogue with a user's severities and parameters, and with checks switched off.

        What is off is not reported. It still stands behind the checks that require it: a bucket that does
        not exist is no private one.
        """
        severities, parameters = severities or {}, parameters or {}
        gone = self._ids(off)
        for name in (*severities, *parameters):
            self.check(name)
        checks = []
        changes = [*self.changes, *(f"{name} is switched off" for name in sorted(gone))]
        for check in self.checks:
            given = parameters.get(check.id, {})
            severity = severities.get(check.id, check.severity)
            if severity is not check.severity:
                changes.append(f"{check.id} is {severity.value}, by default {check.severity.value}")
            changes += [
                f"{check.id} has {name} = {value}, by default {check.parameters.get(name)}"
                for name, value in given.items()
            ]
            for name in given:
                if name not in check.parameters:
                    raise UsageError(
                        f"check {check.id} has no parameter {name!r}", hint=_near(name, check.parameters)
                    )
            checks.append(
                msgspec.structs.replace(
                    check,
                    severity=severity,
                    parameters={**check.parameters, **given},
                )
            )
        return Catalog(checks, self.digest, changes=changes, off=self.off | gone)

    def extended(self, checks: Sequence[Check]) -> Catalog:
        """This catalogue with a user's own checks added. Raises UsageError for an id that is taken."""
        for check in checks:
            if check.id in self:
                raise UsageError(f"check {check.id} exists already", hint="give your check another id")
        plain = [msgspec.structs.replace(check, line=0) for check in checks]
        text = msgspec.json.encode([self.digest, *plain], order="deterministic")
        added = [f"{check.id} is a check of your own" for check in checks]
        return Catalog(
            (*self.checks, *checks),
            "sha256:" + hashlib.sha256(text).hexdigest(),
            changes=(*self.changes, *added),
            off=self.off,
        )


def path() -> Path:
    """Where checks.yaml is: inside the wheel, or at the root of the checkout."""
    inside = Path(str(package_files.files("postureaudit"))) / "checks.yaml"
    return inside if inside.is_file() else Path(__file__).resolve().parents[2] / "checks.yaml"


@functools.lru_cache(maxsize=1)
def builtin() -> Catalog:
    """The catalogue that ships with postureaudit."""
    file = path()
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise CatalogError(
            f"cannot read {file}: {error.strerror}", hint="install postureaudit again"
        ) from error
    checks = parse(text, name=str(file))
    return Catalog(checks, "sha256:" + hashlib.sha256(text.encode()).hexdigest())


def load_file(file: Path) -> list[Check]:
    """A user's own checks file; its checks carry origin "custom". Raises CatalogError with file:line."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogError(
            f"cannot read {file}: {getattr(error, 'strerror', None) or error}", hint="name a checks file"
        ) from error
    return [msgspec.structs.replace(check, origin="custom") for check in parse(text, name=str(file))]


def parse(text: str, *, name: str) -> list[Check]:
    """Checks from the text of a checks file. Structure only: lint() proves the expressions."""
    data, lines = strict_yaml.load_marked(text, name=name, error=CatalogError)
    if not isinstance(data, list):
        raise CatalogError(f"{name}:1: a checks file is a list of checks", hint='each starts with "- id:"')
    checks: list[Check] = []
    seen: dict[str, int] = {}
    for index, block in enumerate(data):
        line = lines.get((index,), 1)
        for row in _rows(block, name, line):
            check = msgspec.structs.replace(_check(row, name, index, lines), line=line)
            if check.id in seen:
                raise CatalogError(f"{name}:{line}: check {check.id} is there twice (line {seen[check.id]})")
            seen[check.id] = line
            checks.append(check)
    return checks


def _rows(block: Any, name: str, line: int) -> list[dict[str, Any]]:
    """A block's checks: itself, or one a row of its `each`."""
    if not isinstance(block, dict):
        raise CatalogError(f"{name}:{line}: a check is a mapping", hint='it starts with "- id:"')
    rows = block.get("each")
    if rows is None:
        return [block]
    if rows == "signals":
        from postureaudit.signals import events

        rows = events.rows()
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise CatalogError(f"{name}:{line}: each takes a list of mappings")
    rest = {key: value for key, value in block.items() if key != "each"}
    return [_filled(rest, row, f"{name}:{line}") for row in rows]


def _filled(value: Any, row: Mapping[str, Any], where: str) -> Any:
    """A family's block with <<key>> replaced; a string that is only <<key>> takes the value as it is."""
    match value:
        case dict():
            return {_filled(key, row, where): _filled(item, row, where) for key, item in value.items()}
        case list():
            return [_filled(item, row, where) for item in value]
        case str() if value.startswith("<<") and value.endswith(">>") and value[2:-2] in row:
            return row[value[2:-2]]
        case str():
            for key, item in row.items():
                value = value.replace(f"<<{key}>>", str(item))
            if "<<" in value:
                raise CatalogError(f"{where}: a row of each lacks a value for {value!r}")
            return value
        case _:
            return value


def _check(row: dict[str, Any], name: str, index: int, lines: Mapping[tuple[Any, ...], int]) -> Check:
    for key in row:
        if key not in Check.__struct_fields__ or key in ("origin", "line"):
            line = lines.get((index, key), lines.get((index,), 1))
            raise CatalogError(
                f"{name}:{line}: check {row.get('id', '?')} has no field {key!r}",
                hint=_near(str(key), Check.__struct_fields__),
            )
    try:
        check = msgspec.convert(row, Check)
        for variant in check.fix:
            variant.templates()
    except (msgspec.ValidationError, ValueError) as error:
        line = lines.get((index,), 1)
        raise CatalogError(f"{name}:{line}: check {row.get('id', '?')}: {error}") from error
    conditions = (text for variant in check.fix for text in (variant.when, variant.for_each) if text)
    for text in (*check.expressions(), *conditions):
        try:
            expressions.compile(text)
        except expressions.ExpressionError as error:
            line = lines.get((index, "pass_when"), lines.get((index,), 1))
            raise CatalogError(f"{name}:{line}: check {check.id}: {error.message}: {text}") from error
    return check


def reads(check: Check, types: Mapping[str, ResourceType]) -> tuple[str, ...]:
    """The AWS calls that the verdict of a check is read from, sorted."""
    return _calls(types[check.resource], {at[0] for text in check.expressions() for at in _paths(text)})


def calls(catalog: Catalog, ids: Iterable[str], types: Mapping[str, ResourceType]) -> frozenset[str]:
    """The AWS calls that these checks, what they require and their fixes need."""
    found: set[str] = set()
    for check in catalog.with_required(ids):
        kind = types[check.resource]
        if any("{Doc." in text for variant in check.fix for text in (variant.command, *variant.commands)):
            facets = {facet.name for facet in kind.facets}
        else:
            facets = {at[0] for text in check.expressions() for at in _paths(text)} | placeholders(check)
        found.update(_calls(kind, facets))
    return frozenset(found)


def placeholders(check: Check) -> set[str]:
    """The first names of all {placeholders} in a check's texts, and of what its fixes' conditions read."""
    texts = [check.reason, check.otherwise]
    found: set[str] = set()
    for variant in check.fix:
        texts += [
            variant.command,
            *variant.commands,
            *variant.steps,
            variant.undo,
            variant.account,
            variant.region,
        ]
        for expression in filter(None, (variant.when, variant.for_each)):
            found |= {at[0] for at in _paths(expression)}
    for text in texts:
        found |= {part.partition("}")[0].partition(".")[0] for part in text.split("{")[1:]}
    return found


def _calls(kind: ResourceType, facets: Iterable[str]) -> tuple[str, ...]:
    wanted = set(facets)
    return tuple(sorted({call for facet in kind.facets if facet.name in wanted for call in facet.calls}))


def _paths(text: str) -> list[tuple[str, ...]]:
    return expressions.paths(expressions.compile(text).tree)


def _near(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = get_close_matches(name, names, n=3, cutoff=0.5)
    return f"did you mean {', '.join(near)}?" if near else f"there is: {', '.join(names[:12])}"
