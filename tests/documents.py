"""The Markdown of this project as tests see it: headings, links and blocks of code."""

from __future__ import annotations

import functools
import itertools
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
NAMES = ("README.md", "CONTRIBUTING.md", "SECURITY.md")
_RUNNERS = ("uvx", "uv run", "pipx run", "uv run --no-sync")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text and the line on which it begins."""

    language: str
    text: str
    line: int


@dataclass(frozen=True)
class Command:
    """One call of postureaudit: its arguments, where stdout goes, and the exit code that the page says."""

    words: tuple[str, ...]
    output: str
    code: int
    line: int

    def __str__(self) -> str:
        return shlex.join(("postureaudit", *self.words))


@dataclass(frozen=True)
class Document:
    """A page, read once."""

    path: Path
    anchors: frozenset[str]
    links: tuple[str, ...]
    blocks: tuple[Block, ...]

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()


def paths(*, written: bool = False) -> list[Path]:
    """The files of all pages; with `written`, of those that people write and no script makes."""
    found = [*(ROOT / name for name in NAMES), *sorted(DOCS.rglob("*.md"))]
    if not written:
        return found
    return [path for path in found if "Made by: python scripts/make_docs.py" not in path.read_text("utf-8")]


@functools.cache
def pages(*, written: bool = False) -> tuple[Document, ...]:
    """Every page, or every written one."""
    return tuple(map(document, paths(written=written)))


@functools.cache
def document(path: Path) -> Document:
    """One page, parsed."""
    tokens = MarkdownIt("commonmark").enable("table").parse(path.read_text("utf-8"))
    links = [str(target) for token in tokens for target in _links(token)]
    blocks = [
        Block(token.info.partition(" ")[0], token.content, token.map[0] + 1 if token.map else 0)
        for token in tokens
        if token.type == "fence"
    ]
    return Document(path, frozenset(_anchors(tokens)), tuple(links), tuple(blocks))


def _links(token: Token) -> Iterator[str | int | float]:
    for child in token.children or ():
        if child.type == "link_open":
            yield child.attrs["href"]
        if child.type == "image":
            yield child.attrs["src"]


def _anchors(tokens: list[Token]) -> Iterator[str]:
    """The anchors of all headings, as GitHub makes them."""
    seen: dict[str, int] = {}
    for token, inline in itertools.pairwise(tokens):
        if token.type == "heading_open":
            text = "".join(
                child.content for child in inline.children or () if child.type in ("text", "code_inline")
            )
            name = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            count = seen.get(name, 0)
            seen[name] = count + 1
            yield f"{name}-{count}" if count else name


def commands(item: Document) -> list[Command]:
    """Every call of postureaudit in the shell blocks, console sessions and workflow steps of a page."""
    found = []
    for block in item.blocks:
        if block.language in ("sh", "console", "yaml"):
            found += list(_commands(block))
    return found


def _commands(block: Block) -> Iterator[Command]:
    lines = re.sub(r"\\\n\s*", " ", block.text)
    if block.language == "yaml":
        lines = re.sub(r"(?m)^(\s*)- (run|script): >-\n((?:\1  .*\n)+)", _folded, lines)
    for number, line in enumerate(lines.splitlines()):
        code = re.search(r"# exit (\d+)", line)
        for part in re.split(r"&&|\|(?!\|)|;", _code(line, block.language)):
            words = _words(part)
            if words is None:
                continue
            output = ""
            if ">" in words:
                at = words.index(">")
                words, output = words[:at], words[at + 1]
            yield Command(tuple(words), output, int(code[1]) if code else 0, block.line + number + 1)


def _folded(match: re.Match[str]) -> str:
    return "- run: " + " ".join(match[3].split()) + "\n"


def _code(line: str, language: str) -> str:
    """A line without its prompt, its YAML key and its comment."""
    text = line.strip()
    if language == "console":
        return text.removeprefix("$ ") if text.startswith("$ ") else ""
    if language == "yaml":
        text = re.sub(r"^- (run: |script: )?", "", text)
    return text


def _words(part: str) -> list[str] | None:
    """The arguments where a part of a line calls postureaudit, else None."""
    text = part.strip()
    for runner in sorted(_RUNNERS, key=len, reverse=True):
        text = text.removeprefix(f"{runner} ")
    if not re.match(r"postureaudit(\s|$)", text):
        return None
    lexer = shlex.shlex(text, posix=True, punctuation_chars=">")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    return list(lexer)[1:]
