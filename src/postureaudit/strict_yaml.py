"""YAML read strictly: no duplicate keys, no aliases, no surprise types, and every value knows its line."""

from __future__ import annotations

from typing import Any, NamedTuple

import yaml

from postureaudit.errors import PostureAuditError, UsageError
from postureaudit.problems import Lines

MAX_BYTES = 1_000_000

try:
    from yaml import CSafeLoader as _Loader  # ten times as fast as the pure Python one
except ImportError:  # pragma: no cover - PyYAML without libyaml
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]  # the same interface


class Mistake(NamedTuple):
    """Something that is YAML and not strict: its line, one sentence, and what to write instead."""

    line: int
    text: str
    hint: str


class _Ends(Exception):
    """A mistake after which nothing more can be read."""

    def __init__(self, line: int, text: str, hint: str = "") -> None:
        self.mistake = Mistake(line, text, hint)


def load(text: str, *, name: str, error: type[PostureAuditError] = UsageError) -> Any:
    """Plain data from YAML text. Raises `error` with name:line for what is not strict."""
    return load_marked(text, name=name, error=error)[0]


def load_marked(text: str, *, name: str, error: type[PostureAuditError] = UsageError) -> tuple[Any, Lines]:
    """Data, and the 1-based line of each value by its path, such as (0, "pass_when")."""
    data, lines, mistakes = load_all(text)
    for line, said, hint in mistakes:
        raise error(f"{name}:{line}: {said}", hint=hint)
    return data, lines


def load_all(text: str) -> tuple[Any, Lines, list[Mistake]]:
    """Data, lines and every mistake in order of the file; a value with a mistake is read as its text."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        return None, {}, [Mistake(1, f"larger than {MAX_BYTES // 1000} kB", "split the file")]
    lines: Lines = {}
    mistakes: list[Mistake] = []
    loader = _Loader(text)
    data = None
    try:
        _refuse_aliases(text)
        root = loader.get_single_node()
        data = None if root is None else _plain(root, (), lines, mistakes)
    except _Ends as end:
        mistakes.append(end.mistake)
    except yaml.YAMLError as cause:
        mark = getattr(cause, "problem_mark", None)
        problem = getattr(cause, "problem", None) or str(cause).splitlines()[0]
        line = mark.line + 1 if mark else 1
        mistakes.append(Mistake(line, f"not YAML: {problem}", "check indentation and quotes"))
    except RecursionError:
        mistakes.append(Mistake(1, "nested too deep", ""))
    finally:
        loader.dispose()
    return data, lines, sorted(mistakes, key=lambda found: found.line)


def _refuse_aliases(text: str) -> None:
    if "&" not in text and "*" not in text:
        return
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise _Ends(line, "anchors and aliases are not allowed", "write the value out")


def _plain(node: Any, at: tuple[Any, ...], lines: Lines, mistakes: list[Mistake]) -> Any:
    lines[at] = node.start_mark.line + 1
    match node:
        case yaml.MappingNode():
            found: dict[Any, Any] = {}
            for key_node, value_node in node.value:
                key = _plain(key_node, (*at, "?"), {}, mistakes)
                line = key_node.start_mark.line + 1
                if not isinstance(key, str):
                    mistakes.append(Mistake(line, f"key {key!r} is not text", f'quote it: "{key}"'))
                    key = str(key)
                if key in found:
                    mistakes.append(Mistake(line, f"key {key!r} is there twice", "keep one"))
                found[key] = _plain(value_node, (*at, key), lines, mistakes)
                lines[(*at, key)] = line
            return found
        case yaml.SequenceNode():
            return [_plain(item, (*at, index), lines, mistakes) for index, item in enumerate(node.value)]
        case _:
            return _scalar(node, mistakes)


def _scalar(node: Any, mistakes: list[Mistake]) -> Any:
    """A scalar by YAML 1.2's core types: yes, no, on, off and 012 are the traps of 1.1, and are refused."""
    text, tag = node.value, node.tag.rpartition(":")[2]
    said, hint = "", f'write "{text}"'
    match tag:
        case "str" | "timestamp":
            return text
        case "null":
            return None
        case "bool":
            if text.casefold() in ("true", "false"):
                return text.casefold() == "true"
            said, hint = f"{text} would be read as a switch", f'write "{text}" or true/false'
        case "int":
            if text.removeprefix("-").isdigit() and (
                text.lstrip("-") == "0" or not text.lstrip("-").startswith("0")
            ):
                return int(text)
            said = f"{text} would be read as another number"
        case "float":
            try:
                return float(text.replace("_", ""))
            except ValueError:
                said = f"{text} is not a plain number"
        case _:
            said, hint = f"the tag {node.tag} is not allowed", ""
    mistakes.append(Mistake(node.start_mark.line + 1, said, hint))
    return text
