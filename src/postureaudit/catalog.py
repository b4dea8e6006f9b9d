"""checks.yaml, proven usable: every check compiled, linted against AWS's shapes and tied to its calls."""

from __future__ import annotations

import functools
import hashlib
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

import msgspec

from postureaudit import compiled, compliance, expressions, terraform
from postureaudit.errors import CatalogError, UsageError
from postureaudit.evidence import Json
from postureaudit.findings import Severity
from postureaudit.problems import near
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
    `for_each` is the path of a list: the commands are printed for each item, as {Item.<field>}. `after` are checks
    whose fixes come first; `first` is what somebody does by hand before the commands. `terraform` is one resource that
    does the same as the commands.
    """

    when: str = ""
    for_each: str = ""
    command: str = ""
    commands: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    mender: str = ""
    first: tuple[str, ...] = ()
    effect: str = ""
    cost: str = ""
    undo: str = ""
    permissions: tuple[str, ...] = ()
    account: str = ""
    region: str = ""
    after: tuple[str, ...] = ()
    terraform: terraform.Template | None = None

    def templates(self) -> tuple[tuple[str, ...], ...]:
        """The commands, each as its shell words."""
        return tuple(map(_words, (*((self.command,) * bool(self.command)), *self.commands)))


@functools.lru_cache(maxsize=4096)
def _words(text: str) -> tuple[str, ...]:
    return tuple(shlex.split(text))


class Check(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One block of checks.yaml. `otherwise` is what a report says when `applies_when` is false.

    `sets` are lists with names; a parameter's list that holds such a name has its members instead.
    """

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
    sets: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    maps_to: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    examples: dict[str, list[dict[str, Json]]] = msgspec.field(default_factory=dict)
    topic: str = ""  # what it is about, where one resource type serves a family of checks
    origin: str = "builtin"
    line: int = 0  # in its checks file, for messages

    @property
    def service(self) -> str:
        """The service prefix of the id, by which reports group."""
        return self.id.partition(".")[0]

    def arguments(self) -> dict[str, Json]:
        """The parameters with the members of the sets that they name."""
        if not self.sets:
            return self.parameters
        return {
            name: [member for item in value for member in self._members(item)]
            if isinstance(value, list)
            else value
            for name, value in self.parameters.items()
        }

    def _members(self, item: Json) -> tuple[Json, ...]:
        return self.sets.get(item, (item,)) if isinstance(item, str) else (item,)

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
            raise UsageError(f"no check {name!r}", hint=near(name, self._by_id))
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
            raise UsageError(f"no service {name!r}", hint=near(name, self.services()))
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
                    raise UsageError(f"no checks {name!r}", hint=near(name[:-2], self.services()))
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
            for name, value in given.items():
                if text := misfit(check, name, value):
                    raise UsageError(f"check {check.id}: {text[0]}", hint=text[1])
            severity = severities.get(check.id, check.severity)
            if severity is not check.severity:
                changes.append(f"{check.id} is {severity.value}, by default {check.severity.value}")
            changes += [
                f"{check.id} has {name} = {value}, by default {check.parameters.get(name)}"
                for name, value in given.items()
            ]
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


def misfit(check: Check, name: str, value: Json) -> tuple[str, str] | None:
    """Why a check cannot take this value for a parameter, and a hint; None when it can.

    A value has the type of the default; a list has items of the type of the default's, text where that is empty.
    """
    if name not in check.parameters:
        return f"there is no parameter {name!r}", near(name, check.parameters) or "it has none"
    default = check.parameters[name]
    if isinstance(default, list) and isinstance(value, list):
        wanted = default[0] if default else ""
        wrong = next((item for item in value if _type(item) != _type(wanted)), None)
        if wrong is None:
            slips = (
                item
                for item in value
                if isinstance(item, str)
                and item not in check.sets
                and get_close_matches(item, check.sets, cutoff=0.8)
            )
            slip = next(slips, None) if check.sets else None
            return None if slip is None else (f"there is no set {slip!r}", near(slip, check.sets))
        return f"each of {name} is {_type(wanted)}, not {_type(wrong)} ({wrong})", "quote it"
    if _type(value) in (_type(default), "a whole number" if isinstance(default, float) else _type(default)):
        return None
    return f"{name} is {_type(default)}, not {_type(value)} ({value})", f"by default it is {default}"


def _type(value: Json) -> str:
    match value:
        case None:
            return "empty"
        case bool():
            return "true or false"
        case int():
            return "a whole number"
        case float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "a mapping"


def path() -> Path:
    """Where checks.yaml is: inside the wheel, or at the root of the checkout."""
    here = Path(__file__).resolve()
    inside = here.parent / "checks.yaml"
    return inside if inside.is_file() else here.parents[2] / "checks.yaml"


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
    checks = compiled.read("checks", sources(text), list[Check])
    if checks is None:
        checks = parse(text, name=str(file))
    return Catalog(checks, "sha256:" + hashlib.sha256(text.encode()).hexdigest())


def sources(text: str) -> dict[str, str]:
    """What the checks of the shipped file with this text are made from: `each: signals` fills in the signals' rows."""
    from postureaudit.signals import events

    return {"checks.yaml": text, events.FILE.name: events.FILE.read_text("utf-8")}


def parse(text: str, *, name: str) -> list[Check]:
    """Checks from the text of a checks file. Structure only: lint proves the expressions. Raises CatalogError."""
    from postureaudit import checks_file

    found = checks_file.read(text, name=name)
    for problem in found.problems:
        check = f"check {problem.check}: " if problem.check else ""
        raise CatalogError(f"{name}:{problem.line}: {check}{problem.text}", hint=problem.hint)
    return list(found.checks)


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
            *variant.first,
            variant.undo,
            variant.account,
            variant.region,
            *(
                f"{{{name}}}"
                for name in terraform.holes(variant.terraform.arguments if variant.terraform else {})
            ),
        ]
        for expression in filter(None, (variant.when, variant.for_each)):
            found |= {at[0] for at in _paths(expression)}
    for text in texts:
        for part in text.split("{")[1:]:
            found |= {
                name.partition(".")[0]
                for name in re.findall(r"[A-Za-z_][A-Za-z0-9_.]*", part.partition("}")[0])
            }
    return found


def _calls(kind: ResourceType, facets: Iterable[str]) -> tuple[str, ...]:
    wanted = set(facets)
    return tuple(sorted({call for facet in kind.facets if facet.name in wanted for call in facet.calls}))


def _paths(text: str) -> list[tuple[str, ...]]:
    return expressions.paths(expressions.compile(text).tree)
