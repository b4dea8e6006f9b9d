"""YAML read strictly: no duplicate keys, no aliases, no surprise types, and every value knows its line."""

from __future__ import annotations

from typing import Any

import yaml

from postureaudit.errors import PostureAuditError, UsageError

MAX_BYTES = 1_000_000

try:
    from yaml import CSafeLoader as _Loader  # ten times as fast as the pure Python one
except ImportError:  # pragma: no cover - PyYAML without libyaml
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]  # the same interface

Lines = dict[tuple[Any, ...], int]


def load(text: str, *, name: str, error: type[PostureAuditError] = UsageError) -> Any:
    """Plain data from YAML text. Raises `error` with name:line for what is not strict."""
    return load_marked(text, name=name, error=error)[0]


def load_marked(text: str, *, name: str, error: type[PostureAuditError] = UsageError) -> tuple[Any, Lines]:
    """Data, and the 1-based line of each value by its path, such as (0, "pass_when")."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise error(f"{name}:1: larger than {MAX_BYTES // 1000} kB", hint="split the file")
    lines: Lines = {}
    loader = _Loader(text)
    try:
        _refuse_aliases(text, name, error)
        root = loader.get_single_node()
        return (None if root is None else _plain(root, (), loader, lines, name, error)), lines
    except yaml.YAMLError as cause:
        mark = getattr(cause, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = getattr(cause, "problem", None) or str(cause).splitlines()[0]
        raise error(f"{name}:{line}: not YAML: {problem}", hint="check indentation and quotes") from cause
    except RecursionError as cause:
        raise error(f"{name}:1: nested too deep") from cause
    finally:
        loader.dispose()


def _refuse_aliases(text: str, name: str, error: type[PostureAuditError]) -> None:
    if "&" not in text and "*" not in text:
        return
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise error(f"{name}:{line}: anchors and aliases are not allowed", hint="write the value out")


def _plain(
    node: Any, at: tuple[Any, ...], loader: Any, lines: Lines, name: str, error: type[PostureAuditError]
) -> Any:
    line = node.start_mark.line + 1
    lines[at] = line
    match node:
        case yaml.MappingNode():
            found: dict[Any, Any] = {}
            for key_node, value_node in node.value:
                key = _plain(key_node, (*at, "?"), loader, {}, name, error)
                key_line = key_node.start_mark.line + 1
                if not isinstance(key, str):
                    raise error(f"{name}:{key_line}: key {key!r} is not text", hint=f'quote it: "{key}"')
                if key in found:
                    raise error(f"{name}:{key_line}: key {key!r} is there twice", hint="keep one")
                found[key] = _plain(value_node, (*at, key), loader, lines, name, error)
                lines[(*at, key)] = key_line
            return found
        case yaml.SequenceNode():
            return [
                _plain(item, (*at, index), loader, lines, name, error)
                for index, item in enumerate(node.value)
            ]
        case _:
            return _scalar(node, loader, name, line, error)


def _scalar(node: Any, loader: Any, name: str, line: int, error: type[PostureAuditError]) -> Any:
    """A scalar by YAML 1.2's core types: yes, no, on, off and 012 are the traps of 1.1, and are refused."""
    text, tag = node.value, node.tag.rpartition(":")[2]
    match tag:
        case "str":
            return text
        case "null":
            return None
        case "bool":
            if text.casefold() in ("true", "false"):
                return text.casefold() == "true"
            raise error(
                f"{name}:{line}: {text} would be read as a switch", hint=f'write "{text}" or true/false'
            )
        case "int":
            if text.removeprefix("-").isdigit() and (
                text.lstrip("-") == "0" or not text.lstrip("-").startswith("0")
            ):
                return int(text)
            raise error(f"{name}:{line}: {text} would be read as another number", hint=f'write "{text}"')
        case "float":
            try:
                return float(text.replace("_", ""))
            except ValueError:
                raise error(f"{name}:{line}: {text} is not a plain number", hint=f'write "{text}"') from None
        case "timestamp":
            return text
        case _:
            raise error(f"{name}:{line}: the tag {node.tag} is not allowed")
