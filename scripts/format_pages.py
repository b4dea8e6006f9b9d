"""docs/reference/evidence.md from our types, result.md and files.md from the published JSON Schemas."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from postureaudit import evidence, strict_yaml
from scripts.markdown_text import code, page, plain, table

_MEMBERS = Path(__file__).with_name("members.yaml")
_EVIDENCE = """`postureaudit collect -o FILE` writes it, and `audit` keeps the same in memory. It is one JSON document,
packed with gzip where the name ends in `.gz`, with mode 0600, complete or not there. `report`, `trace --from` and
`explain --from` read it without network and credentials, and give the same findings as the live run.

## What is in it

The file has three members: `header`, `records` and `sha256`.

`sha256` is the SHA-256 of the JSON text of `{"header": ..., "records": [...]}` with sorted keys and without spaces, as
`sha256:` and 64 hex digits. `postureaudit report FILE --verify` refuses a file whose content does not fit it. It shows
that a file was altered or damaged; who can write the file can also write a new digest, so keep the digest elsewhere
(a JSON result has it in `run.evidence_sha256`) where that matters.

A record is one ask of AWS and what came of it. Its key is the call, the parameters as JSON with sorted keys, the
account and the region; a key stands in a file once. Ages ("hours since the last delivery") are counted from
`at`, never from today.

## What is not in it

- `ResponseMetadata`, and anything that is bytes or a stream.
- Every member that AWS's own models mark as sensitive.
- The values of settings in which people keep passwords: `Environment`, `Code`, `Content`, and EventBridge's `Input`,
  `InputTransformer` and `HttpParameters`, in Lambda, ECS, EKS, EventBridge and SSM. The member stays, empty: that it is
  set can matter.
- The path and query of web hooks (an SNS subscription's or an API destination's URL): scheme and host stay, the whole
  is kept as a hash.
- Objects, log events, secrets and function code are never asked for.

What stays describes an account's defences: names, ARNs, policies, e-mail addresses of subscriptions. Treat the file as
you treat an audit report, and see [Share a report](../guides/redaction.md) before you hand it on.

## Versions

A reader takes files of the same major version. The present one is `{version}`.

"""


def pages() -> Iterator[tuple[str, str]]:
    """Each page's path in docs/ and its text."""
    yield "reference/evidence.md", page("Evidence", list(_evidence()))
    yield "reference/result.md", page("JSON result", list(_result()))
    yield "reference/files.md", page("Files", list(_files()))


def _evidence() -> Iterator[str]:
    yield _EVIDENCE.replace("{version}", evidence.SCHEMA_VERSION)
    yield "## Header"
    yield ""
    yield _doc(evidence.Header)
    yield ""
    yield from _members(evidence.Header)
    for kind in (evidence.Account, evidence.Regions, evidence.Named):
        yield f"### {kind.__name__}"
        yield ""
        yield _doc(kind)
        yield ""
        yield from _members(kind)
    yield "## Record"
    yield ""
    yield _doc(evidence.Record)
    yield ""
    yield from _members(evidence.Record)
    yield "## Outcome"
    yield ""
    yield "One of three, told apart by the member `is`."
    yield ""
    for outcome in (evidence.Answer, evidence.Absent, evidence.Refusal):
        yield f"### {outcome.__name__}"
        yield ""
        yield f"`is` is `{outcome.__struct_config__.tag}`. {_doc(outcome)}"
        yield ""
        yield from _members(outcome)
    yield "## Kinds of refusal"
    yield ""
    yield plain(_first(evidence.RefusalKind))
    yield ""
    yield from table(
        ("Kind", "Meaning"), ((code(kind.value), _KINDS[kind.value]) for kind in evidence.RefusalKind)
    )


_KINDS = {
    "denied": "The identity may not call it.",
    "scp_denied": "A service control policy of the organization forbids it.",
    "region_disabled": "The region is not enabled for the account.",
    "not_in_region": "The service is not offered there; not applicable where botocore's data agrees.",
    "throttled": "AWS asked to slow down until the retries were used up.",
    "expired": "The credentials ran out.",
    "network": "No connection, or it broke.",
    "timeout": "No answer in time, or the whole run's time was over.",
    "truncated": "More pages were there than could be followed.",
    "malformed": "The answer does not have the parts that it must have.",
    "not_collected": "The evidence does not have that call: it was collected for other checks.",
    "error": "Any other error of AWS.",
    "elsewhere": "AWS tells only another account; the message says which. Never in a file.",
}


def _first(kind: type) -> str:
    return " ".join((inspect.getdoc(kind) or "").split("\n\n")[0].split())


def _doc(kind: type) -> str:
    """What a type's docstring says, as Markdown: its code spans stay."""
    return " ".join((inspect.getdoc(kind) or "").split())


def _members(kind: type) -> list[str]:
    found = msgspec.inspect.type_info(kind)
    assert isinstance(found, msgspec.inspect.StructType)
    rows = [
        (code(field.encode_name), _type(field.type), "yes" if field.required else "")
        for field in found.fields
    ]
    return table(("Member", "Type", "Required"), rows)


def _type(kind: msgspec.inspect.Type) -> str:
    match kind:
        case msgspec.inspect.StructType():
            return kind.cls.__name__.lower()
        case msgspec.inspect.EnumType():
            return "one of the kinds below"
        case msgspec.inspect.VarTupleType() | msgspec.inspect.ListType():
            return f"list of {_type(kind.item_type)}"
        case msgspec.inspect.DictType():
            return "object"
        case msgspec.inspect.UnionType():
            names = [_type(item) for item in kind.types]
            return " or ".join(dict.fromkeys(names))
        case msgspec.inspect.StrType():
            return "text"
        case msgspec.inspect.IntType():
            return "number"
        case _:
            return type(kind).__name__.removesuffix("Type").lower()


def meanings() -> dict[str, dict[str, dict[str, str]]]:
    """What members mean: by schema, part and path."""
    found: dict[str, dict[str, dict[str, str]]] = strict_yaml.load(
        _MEMBERS.read_text("utf-8"), name="scripts/members.yaml"
    )
    return found


def members(name: str) -> dict[str, list[str]]:
    """The paths of all members of a schema, by part."""
    whole = schema(name)
    parts = dict(whole["properties"]) if name == "result" else {"": whole}
    parts |= {key: body for key, body in whole.get("$defs", {}).items() if "properties" in body}
    return {key: [path for path, _ in _paths("", part)] for key, part in parts.items()}


def schema(name: str) -> dict[str, Any]:
    """A published JSON Schema."""
    text = (resources.files("postureaudit") / "schemas" / f"{name}.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def _result() -> Iterator[str]:
    whole, said = schema("result"), meanings()["result"]
    yield "`-o json=FILE` writes it: the whole run as one document, the same bytes for the same input."
    yield "`postureaudit schema result` prints its JSON Schema (draft 2020-12), from which this page is made."
    yield ""
    yield "```sh"
    yield "postureaudit demo -q -o json=result.json"
    yield "postureaudit schema result > result.schema.json"
    yield "```"
    yield ""
    yield "`schema_version` grows in its first part when a member changes its meaning or goes away, in its second"
    yield "when one is added. A reader ignores members that it does not know. Fingerprints name a finding and a place"
    yield "from run to run: they hold no text, severity, version, order or time."
    yield ""
    for name, part in whole["properties"].items():
        yield f"## {name}"
        yield ""
        yield from _part(part, whole, said.get(name, {}))
    shown = [name for name in ("finding", "place", "fix", "role") if name in whole["$defs"]]
    for name in shown:
        yield f"## A {name}"
        yield ""
        yield from _part(whole["$defs"][name], whole, said.get(name, {}))
    yield "## Words"
    yield ""
    rows = [
        (code(name), ", ".join(code(str(word)) for word in part["enum"]))
        for name, part in whole["$defs"].items()
        if "enum" in part
    ]
    yield from table(("Type", "Values"), rows)


_FILES = {
    "config": (
        "Settings",
        "`.postureaudit.yaml`, found from the working folder up to the one with `.git`, or named with "
        "`--config`; `[tool.postureaudit]` in pyproject.toml does the same. One that was merely found may not set "
        "what weakens the gate.",
    ),
    "waivers": (
        "Waivers",
        "Named with `--waivers` or in the settings: [waivers and baselines](../guides/waivers.md).",
    ),
    "baseline": (
        "Baseline",
        "Written by `postureaudit baseline write`: [waivers and baselines](../guides/waivers.md).",
    ),
    "checks": ("Checks", "Named with `--checks`: [checks of your own](../guides/own-checks.md)."),
    "tickets": ("Tickets", "Written by `-o tickets=FILE`: [tickets](../guides/tickets.md)."),
}


def _files() -> Iterator[str]:
    yield "The files that postureaudit reads and writes beside [evidence](evidence.md) and the"
    yield "[JSON result](result.md), from their JSON Schemas."
    yield "`postureaudit schema NAME` prints one; editors complete and check with it."
    yield ""
    for name, (title, said) in _FILES.items():
        whole, said_of = schema(name), meanings().get(name, {})
        yield f"## {title}"
        yield ""
        yield said
        yield ""
        yield f"Schema: `postureaudit schema {name}`."
        yield ""
        if "properties" in whole:
            yield from _part(whole, whole, said_of.get("", {}))
        for part, body in whole.get("$defs", {}).items():
            if "properties" in body and name != "result":
                yield f"### {title}: {part}"
                yield ""
                yield from _part(body, whole, said_of.get(part, {}))


def _part(part: Mapping[str, Any], whole: Mapping[str, Any], said: Mapping[str, str]) -> list[str]:
    lines: list[str] = []
    if about := part.get("description"):
        lines += [plain(about), ""]
    rows = [
        (
            code(path),
            _kind(inner, whole),
            "yes" if required else "",
            plain(inner.get("description", "") or said.get(path, "")),
        )
        for path, (inner, required) in _paths("", part)
    ]
    if rows:
        return [*lines, *table(("Member", "Type", "Required", "Meaning"), rows)]
    return [*lines, f"It is {_kind(part, whole)}.", ""]


def _paths(at: str, part: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Mapping[str, Any], bool]]]:
    """Each member below a part, and whether it must be there; what has a name in the schema stands elsewhere."""
    if part.get("type") == "array" or "items" in part:
        yield from _paths(f"{at}[]", part.get("items", {}))
        return
    required = part.get("required", ())
    for name, inner in part.get("properties", {}).items():
        path = f"{at}.{name}" if at else name
        yield path, (inner, name in required)
        yield from _paths(path, inner)


def _kind(part: Mapping[str, Any], whole: Mapping[str, Any]) -> str:
    if "$ref" in part:
        name = part["$ref"].rpartition("/")[2]
        body = whole["$defs"][name]
        if "properties" in body:
            return f"[{name}](#a-{name})" if name in ("finding", "place", "fix", "role") else name
        return f"{name}" if "enum" in body else _kind(body, whole)
    if "const" in part:
        return code(json.dumps(part["const"]))
    if "enum" in part:
        return ", ".join(code(json.dumps(item)) for item in part["enum"])
    if "oneOf" in part or "anyOf" in part:
        return " or ".join(
            dict.fromkeys(_kind(item, whole) for item in part.get("oneOf", part.get("anyOf", ())))
        )
    kinds = part.get("type", "anything")
    names = [kinds] if isinstance(kinds, str) else list(kinds)
    if "array" in names:
        inner = _kind(part["items"], whole) if part.get("items") else "anything"
        rest = [name for name in names if name != "array"]
        return " or ".join([f"list of {inner}", *rest])
    words = {"string": "text", "integer": "whole number", "boolean": "true or false"}
    return " or ".join(words.get(name, name) for name in names)
