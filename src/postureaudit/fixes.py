"""From a check's fix templates to commands that are safe to paste."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jmespath
import msgspec

from postureaudit import expressions, terraform
from postureaudit.catalog import NEEDS, Check, Variant
from postureaudit.characters import acts
from postureaudit.evidence import Json, Refusal
from postureaudit.findings import Fix, Place
from postureaudit.resources import Resource
from postureaudit.services.base import Document, Need, Remedy

# A path that begins with a facet, or a function of such paths.
_PLACEHOLDER = re.compile(r"\{([A-Z][A-Za-z0-9_.\[\]]*|[a-z_]+\([A-Z][A-Za-z0-9_., \[\]]*\))\}")
_CLOSED = (
    "Account",
    "Region",
    "Partition",
    "Leader",
)  # digits and lower-case letters: safe inside an argument
_HOSTILE = (
    "-",
    "file://",
    "fileb://",
    "http://",
    "https://",
)  # what the AWS CLI would take for more than text
_MARK = "\x00"  # stands around a need's name inside an argument; no AWS name can hold it


class NoCommand(Exception):
    """A command cannot be filled in: the reason, for people."""


def fix(
    check: Check,
    resource: Resource,
    env: Mapping[str, Json],
    documents: Mapping[str, Document],
    needs: Mapping[str, str],
    menders: Mapping[str, Callable[[], Remedy]] | None = None,
) -> Fix | None:
    """The fix for one failing place: the first variant whose condition holds; steps where it is unknown."""
    variant, unsure = _choose(check.fix, env)
    if variant is None:
        return None
    named = fill(variant.account, env)  # an owner that is not known reads "?" or "none"
    common: dict[str, Any] = {
        "effect": variant.effect,
        "cost": variant.cost,
        "permissions": variant.permissions,
        "after": variant.after,
        "account": named if re.fullmatch(r"[0-9]{12}", named) else resource.owner or resource.account,
        "region": fill(variant.region, env) or resource.region,
    }
    if unsure:
        reason = f"No command is sure to fit: {unsure}. Let that call through and audit again."
        return Fix(steps=(reason,), **common)
    if variant.mender:
        return _worked_out((menders or {})[variant.mender], needs, common)
    if variant.steps:
        return Fix(steps=tuple(fill(step, env) for step in variant.steps), **common)
    try:
        argvs = [
            _argv(template, scope, documents, needs)
            for scope in _scopes(variant, env)
            for template in variant.templates()
        ]
    except NoCommand as error:
        return Fix(steps=(f"No command can be filled in: {error}.",), **common)
    missing = tuple(dict.fromkeys(name for argv in argvs for name in _needs(argv)))
    return Fix(
        argv=None if missing else tuple(argvs),
        shell="\n".join(shell(argv) for argv in argvs),
        steps=tuple(fill(step, env) for step in variant.first),
        undo=_undo(variant.undo, env, documents, needs),
        needs=missing,
        terraform=_terraform(check, variant, resource, env, documents, needs),
        **common,
    )


def _terraform(
    check: Check,
    variant: Variant,
    resource: Resource,
    env: Mapping[str, Json],
    documents: Mapping[str, Document],
    needs: Mapping[str, str],
) -> str:
    """The resource that does what the commands do; "" where there is none or a value is missing."""
    if variant.terraform is None:
        return ""

    def find(name: str) -> Json | terraform.Variable:
        kind, _, rest = name.partition(".")
        if kind == "Need":
            return needs.get(rest) or terraform.Variable(rest)
        if kind == "Doc":
            document = documents[rest](env)
            if isinstance(document, list) and all(isinstance(item, str) for item in document):
                return document  # HCL has lists of its own
            return _document(document, needs)
        found = _find(name, env)
        return None if isinstance(found, Refusal) else found

    try:
        return terraform.block(variant.terraform, check.id, resource.id, find)
    except (terraform.Unwritable, NoCommand):
        return ""


def _worked_out(mender: Callable[[], Remedy], needs: Mapping[str, str], common: Mapping[str, Any]) -> Fix:
    try:
        remedy = mender()
    except NoCommand as error:
        return Fix(steps=(f"No command can be filled in: {error}.",), **common)
    argvs = [fill_needs(argv, needs) for argv in remedy.argv]
    missing = needed(argvs)
    return Fix(
        argv=None if missing or not argvs else tuple(argvs),
        shell="\n".join(shell(argv) for argv in argvs),
        steps=remedy.steps,
        undo=remedy.undo,
        needs=missing,
        **{
            **common,
            "effect": remedy.effect,
            "cost": remedy.cost or common["cost"],
            "permissions": remedy.permissions,
        },
    )


def combined(places: Iterable[Place]) -> Fix | None:
    """One fix for a finding: every distinct command of its open gaps once, loops where regions differ only.

    What its places do not have in common is kept apart: where they belong to several accounts there is no argv,
    and the shell text and the steps say which account each is for.
    """
    fixes = [place.fix for place in places if place.fix and not place.waiver]
    if not fixes:
        return None
    one_account = len({found.account for found in fixes}) == 1
    runnable = one_account and all(found.argv for found in fixes)
    return Fix(
        argv=tuple(dict.fromkeys(argv for found in fixes for argv in found.argv or ())) if runnable else None,
        shell=_by_account(fixes),
        steps=tuple(
            dict.fromkeys(
                step if one_account else f"In {_named(found.account)}: {step}"
                for found in fixes
                for step in found.steps
            )
        ),
        effect=_distinct(found.effect for found in fixes),
        cost=_distinct(found.cost for found in fixes),
        undo=_by_account([msgspec.structs.replace(found, shell=found.undo) for found in fixes]),
        permissions=tuple(dict.fromkeys(name for found in fixes for name in found.permissions)),
        needs=tuple(dict.fromkeys(name for found in fixes for name in found.needs)),
        account=fixes[0].account if one_account else "",
        region=fixes[0].region if len({found.region for found in fixes}) == 1 else None,
        after=tuple(dict.fromkeys(name for found in fixes for name in found.after)),
        terraform=terraform.distinct(found.terraform for found in fixes) if one_account else "",
    )


def _by_account(fixes: list[Fix]) -> str:
    """The shell text of these fixes; with several accounts, each one's under a comment that names it."""
    accounts = list(dict.fromkeys(found.account for found in fixes))
    if len(accounts) == 1:
        return "\n".join(loops(fixes))
    texts = {name: loops(found for found in fixes if found.account == name) for name in accounts}
    return "\n".join(
        line for name, found in texts.items() if found for line in (f"# in {_named(name)}", *found)
    )


def _named(account: str) -> str:
    """An account as a comment may name it: an owner is read from an ARN, which may hold anything."""
    return f"account {account}" if re.fullmatch(r"[0-9]{12}", account) else "the owner's account"


def _distinct(texts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(text for text in texts if text))


def loops(fixes: Iterable[Fix]) -> list[str]:
    """Shell text that runs these fixes: equal commands once, and one loop where only the region differs.

    What comes first in several regions alike (a role of the account) is run once, before the loop.
    """
    found = [item for item in fixes if item.shell]
    regions_of: dict[str, set[str | None]] = {}
    for item in found:
        for line in item.shell.splitlines():
            regions_of.setdefault(line, set()).add(item.region)
    families: dict[tuple[str, str], list[Fix]] = {}
    for item in found:
        lines = item.shell.splitlines()
        shared = next((at for at, line in enumerate(lines) if len(regions_of[line]) < 2), len(lines))
        rest = msgspec.structs.replace(item, shell="\n".join(lines[shared:]))
        families.setdefault(("\n".join(lines[:shared]), _without_region(rest)), []).append(rest)
    texts = []
    for (head, family), members in families.items():
        texts += [head] if head else []
        regions = list(dict.fromkeys(item.region for item in members if item.region))
        if len(regions) > 1 and "\x01" in family:
            commands = "\n".join("  " + line for line in family.replace("\x01", '"$region"').splitlines())
            texts.append(f'export AWS_PAGER=""\nfor region in {" ".join(regions)}; do\n{commands}\ndone')
        else:
            texts += [item.shell for item in members if item.shell]
    return list(dict.fromkeys(texts))


def _without_region(found: Fix) -> str:
    """The shell text with its --region argument taken out, if that is the only place the region stands."""
    if not found.region:
        return found.shell
    text = found.shell.replace(f"--region {found.region}", "--region \x01")
    if text.count("\x01") != len(text.splitlines()):
        return found.shell  # a name holds the same words: it is not one command in many regions
    return text if found.region not in text else found.shell


def shell(argv: Iterable[str]) -> str:
    """An argv as one line for a POSIX shell; a need becomes ${NAME:?what it is}, which stops while unset."""
    return " ".join(_quoted(argument) for argument in argv)


def command(service: str, operation: str, options: Mapping[str, Json]) -> tuple[str, ...]:
    """An AWS CLI command as argv, from long options and their values: text, or a document serialised whole.

    Values that the CLI would misread travel inside --cli-input-json. A Need stays marked until it is known.
    Raises NoCommand for a name with control characters.
    """
    words = ["aws", service, operation]
    values = set()
    for option, value in options.items():
        words.append(option)
        values.add(len(words))
        words.append(_option(option, value))
    hostile = any(words[index].startswith(_HOSTILE) for index in values)
    return _as_document(words, frozenset(values)) if hostile else tuple(words)


def _option(name: str, value: Json) -> str:
    match value:
        case str():
            return _text(name, value)
        case Need(name=need, prefix=prefix):
            return prefix + _need(need, {})  # the value itself, which is no JSON document
        case _:
            return _document(value, {})


def document_command(
    service: str, operation: str, document: Mapping[str, Json], region: str
) -> tuple[str, ...]:
    """An AWS CLI command whose whole input is one document."""
    return ("aws", service, operation, "--region", region, "--cli-input-json", _document(dict(document), {}))


def needed(argvs: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """The names of what only the user knows, marked in these commands, in order."""
    return tuple(dict.fromkeys(name for argv in argvs for name in _needs(argv)))


def fill_needs(argv: Iterable[str], needs: Mapping[str, str]) -> tuple[str, ...]:
    """A command with the marked names that are known filled in; inside a document as JSON text."""
    return tuple(
        "".join(
            _known(part, needs, inside=word.startswith(("{", "["))) if index % 2 else part
            for index, part in enumerate(word.split(_MARK))
        )
        for word in argv
    )


def _known(name: str, needs: Mapping[str, str], *, inside: bool) -> str:
    value = needs.get(name)
    if not value:
        return f"{_MARK}{name}{_MARK}"
    return json.dumps(value)[1:-1] if inside else value


def _quoted(argument: str) -> str:
    if _MARK not in argument:
        return shlex.quote(argument)
    parts = argument.split(_MARK)
    return "".join(
        f'"${{{part}:?{NEEDS[part]}}}"' if index % 2 else (shlex.quote(part) if part else "")
        for index, part in enumerate(parts)
    )


def fill(text: str, env: Mapping[str, Json]) -> str:
    """A sentence with its {placeholders} as plain text; what is unknown reads "?"."""
    return _PLACEHOLDER.sub(lambda match: _plain(_find(match[1], env)), text)


def _plain(value: Json | Refusal) -> str:
    match value:
        case Refusal():
            return "?"
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case list():
            return (
                ", ".join(_plain(item) for item in value[:10]) + (" ..." if len(value) > 10 else "") or "none"
            )
        case dict():
            return ", ".join(str(key) for key in value)
        case _:
            return str(value)


def _choose(variants: Iterable[Variant], env: Mapping[str, Json]) -> tuple[Variant | None, str]:
    """The first variant that fits, and what makes the choice unsure ("" when it is sure)."""
    for variant in variants:
        if not variant.when:
            return variant, ""
        match expressions.compile(variant.when).holds(env):
            case True:
                return variant, ""
            case Refusal() as refusal:
                return variant, refusal.reason()
            case None:
                return variant, f"AWS's answer does not say whether {variant.when}"
    return None, ""


def _scopes(variant: Variant, env: Mapping[str, Json]) -> list[Mapping[str, Json]]:
    """What the commands see: once, or once an item of the list that they are for."""
    if not variant.for_each:
        return [env]
    items = _find(variant.for_each, env)
    if isinstance(items, Refusal):
        raise NoCommand(items.reason())
    if not isinstance(items, list) or not items:
        raise NoCommand(f"there is nothing in {variant.for_each}")
    return [{**env, "Item": item} for item in items]


def _argv(
    template: Iterable[str],
    env: Mapping[str, Json],
    documents: Mapping[str, Document],
    needs: Mapping[str, str],
) -> tuple[str, ...]:
    words: list[str] = []
    values: set[int] = set()
    hostile = False
    for word in template:
        match = _PLACEHOLDER.fullmatch(word)
        if match is None:
            words.append(_inside(word, env))
            continue
        text = _argument(match[1], env, documents, needs)
        hostile = hostile or text.startswith(_HOSTILE)
        values.add(len(words))
        words.append(text)
    return _as_document(words, frozenset(values)) if hostile else tuple(words)


def _inside(word: str, env: Mapping[str, Json]) -> str:
    def value(match: re.Match[str]) -> str:
        if match[1] not in _CLOSED:
            raise NoCommand(f"{match[1]} may not stand inside an argument")
        return _text(match[1], _find(match[1], env))

    return _PLACEHOLDER.sub(value, word)


def _argument(
    name: str, env: Mapping[str, Json], documents: Mapping[str, Document], needs: Mapping[str, str]
) -> str:
    kind, _, rest = name.partition(".")
    if kind == "Need":
        return _need(rest, needs)
    if kind == "Doc":
        if rest not in documents:
            raise NoCommand(f"there is no document {rest}")
        return _document(documents[rest](env), needs)
    return _text(name, _find(name, env))


def _document(value: Json | Refusal, needs: Mapping[str, str]) -> str:
    """A document as one JSON argument; what only the user knows stays marked."""
    if value is None:
        raise NoCommand("its document cannot be built from what was read")
    if (refusal := expressions.refusal_in(value)) is not None:
        raise NoCommand(refusal.reason())
    return _json(_marked(value, needs))


def _json(value: Any) -> str:
    """JSON in ASCII, so that nothing in a name acts on a terminal; a need's marks stay marks."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    # An escaped backslash is consumed first: the six characters \u0000 in a name are text, not a mark.
    return re.sub(r"\\\\|\\u0000", lambda match: _MARK if match[0] == r"\u0000" else match[0], text)


def has_need(value: Any) -> bool:
    """Whether something that only the user knows stands in a value."""
    match value:
        case Need():
            return True
        case dict():
            return any(has_need(item) for item in value.values())
        case list() | tuple():
            return any(has_need(item) for item in value)
        case _:
            return False


def _marked(value: Any, needs: Mapping[str, str]) -> Any:
    match value:
        case Need(name=name, prefix=prefix):
            return prefix + _need(name, needs)
        case str() if _MARK in value:
            raise NoCommand("a name in its document holds control characters")
        case dict():
            return {key: _marked(item, needs) for key, item in value.items()}
        case list() | tuple():
            return [_marked(item, needs) for item in value]
        case _:
            return value


def _need(name: str, needs: Mapping[str, str]) -> str:
    if name not in NEEDS:
        raise NoCommand(f"nobody knows what {name} is")
    return needs.get(name) or f"{_MARK}{name}{_MARK}"


def _needs(argv: Iterable[str]) -> list[str]:
    return [name for argument in argv for name in argument.split(_MARK)[1::2]]


def _as_document(words: list[str], values: frozenset[int]) -> tuple[str, ...]:
    """The same command with everything inside --cli-input-json, where no value is more than text."""
    from postureaudit import shapes

    try:
        found, others = shapes.cli_input(tuple(words), values)
    except (shapes.ShapeError, ValueError, IndexError) as error:
        raise NoCommand("a name that the AWS CLI would misread stands in it") from error
    return (*words[:3], *others, "--cli-input-json", _json(found))


def _text(name: str, value: Json | Refusal) -> str:
    match value:
        case Refusal():
            raise NoCommand(value.reason())
        case None:
            raise NoCommand(f"AWS gave no {name}")
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case str():
            if not value.isprintable() and any(map(acts, value)):
                raise NoCommand(f"{name} holds control characters")
            return value
        case _:
            return _document(value, {})


def _find(name: str, env: Mapping[str, Json]) -> Json | Refusal:
    try:
        return expressions.compile(name).value(env)
    except (
        expressions.ExpressionError,
        expressions.Unclear,
        expressions.TooExpensive,
        jmespath.exceptions.JMESPathError,
    ):
        return None


def _undo(
    text: str, env: Mapping[str, Json], documents: Mapping[str, Document], needs: Mapping[str, str]
) -> str:
    if not text.startswith("aws "):
        return fill(text, env)
    try:
        return shell(_argv(shlex.split(text), env, documents, needs))
    except NoCommand as error:
        return f"no command can be filled in: {error}"
