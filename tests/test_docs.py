"""What the documentation says is so: links lead somewhere, commands parse and run, files fit their schemas."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import hcl2
import jsonschema
import pytest
import yaml

from postureaudit import __file__ as package
from postureaudit import strict_yaml
from postureaudit.cli.main import main, run
from tests import documents
from tests.documents import DOCS, ROOT, Command, Document
from tests.fakeaws import FakeAws
from tests.fakeaws.landing_zone import landing_zone

WRITTEN = documents.paths(written=True)
# Hosts that pages may name. Nothing is fetched in tests: a new host is read by a person first.
HOSTS = {
    *("docs.aws.amazon.com", "github.com", "pkg.go.dev", "semver.org", "www.dask.org"),
    *("distributed.dask.org", "docs.dask.org", "kubernetes.dask.org"),
}
SCHEMAS = {"waivers.yaml": "waivers", ".postureaudit.yaml": "config"}
_ASK_AWS = ("audit", "collect", "doctor")
_PLACEHOLDER = "own.yaml"


class _AnyTag(yaml.SafeLoader):
    """YAML with tags of others in it, such as CloudFormation's !Sub."""


_AnyTag.add_multi_constructor("!", lambda loader, suffix, node: getattr(node, "value", None))


def test_every_link_inside_leads_somewhere() -> None:
    """The file is there, and the heading in it."""
    broken = []
    for page in documents.pages():
        for link in page.links:
            if re.match(r"[a-z]+:", link):
                continue
            name, _, anchor = link.partition("#")
            target = (page.path.parent / name).resolve() if name else page.path
            if not target.is_file() or (anchor and anchor not in documents.document(target).anchors):
                broken.append(f"{page.name}: {link}")

    assert broken == []


def test_pages_of_the_site_link_only_to_each_other() -> None:
    """What lies outside docs/ is not on the site."""
    outside = [
        f"{page.name}: {link}"
        for page in documents.pages()
        if page.path.is_relative_to(DOCS)
        for link in page.links
        if not re.match(r"[a-z]+:|#", link)
        and not (page.path.parent / link.partition("#")[0]).resolve().is_relative_to(DOCS)
    ]

    assert outside == []


def test_every_link_outside_can_be_one() -> None:
    """HTTPS, to a host that was looked at."""
    wrong = []
    for page in documents.pages():
        for link in page.links:
            if re.match(r"[a-z]+:", link):
                parts = urlsplit(link)
                if parts.scheme != "https" or parts.hostname not in HOSTS or re.search(r"[\s<>{}]", link):
                    wrong.append(f"{page.name}: {link}")

    assert wrong == []


def test_every_page_can_be_found() -> None:
    """A page of docs/ is linked from another one, or is the first."""
    linked = {
        (page.path.parent / link.partition("#")[0]).resolve()
        for page in documents.pages()
        for link in page.links
        if not re.match(r"[a-z]+:|#", link)
    }

    assert [
        page.name for page in documents.pages() if page.path.is_relative_to(DOCS) and page.path not in linked
    ] in (
        [],
        ["docs/index.md"],
    )


def test_every_written_page_is_in_the_navigation() -> None:
    """And what is there exists. The page of one check or signal is reached from its list."""
    config = yaml.load((ROOT / "mkdocs.yml").read_text("utf-8"), Loader=_AnyTag)
    named = set(_nav(config["nav"]))
    lists = {"reference/checks/index.md", "reference/signals/index.md"}
    wanted = {
        name
        for page in documents.pages()
        if page.path.is_relative_to(DOCS)
        and (name := page.path.relative_to(DOCS).as_posix())
        and (name in lists or not name.startswith(("reference/checks/", "reference/signals/")))
    }

    assert named == wanted


def _nav(entries: list[dict[str, Any]]) -> Iterator[str]:
    for entry in entries:
        for value in entry.values():
            yield from [value] if isinstance(value, str) else _nav(value)


def test_every_command_is_one() -> None:
    """Its command, arguments and options are those that click knows, on every page."""
    wrong, seen = [], 0
    for page in documents.pages():
        for command in documents.commands(page):
            seen += 1
            try:
                _parse(command)
            except click.exceptions.Exit:
                pass  # --version and --help
            except click.ClickException as error:
                wrong.append(f"{page.name}:{command.line}: {command}: {error.format_message()}")

    assert seen > 100
    assert wrong == []


def _parse(command: Command) -> None:
    """Parse the words as click would, and run nothing."""
    words, found = list(command.words), main
    context = main.make_context("postureaudit", [], resilient_parsing=True)
    if not words or words[0].startswith("-"):
        main.make_context("postureaudit", words)
        return
    while isinstance(found, click.Group):
        name = words.pop(0) if words else ""
        inner = found.get_command(context, name)
        if inner is None:
            raise click.UsageError(f"no command {name!r}")
        found = inner
    found.make_context("postureaudit", words, parent=context)


def _offline(command: Command) -> bool:
    """Whether a command can run without AWS, on the demo's evidence."""
    if not command.words or command.words[0] in _ASK_AWS:
        return False
    own = (_PLACEHOLDER, "today")  # what these work on is made in tests of their own
    if any(word.partition("/")[0] in own for word in command.words):
        return False
    return command.words[0] != "trace" or "--demo" in command.words or "--from" in command.words


RUNNABLE = [
    path
    for path in WRITTEN
    if re.search(r"```(sh|console)\n(.*\n)*?[^`]*postureaudit ", path.read_text("utf-8"))
]
_OWN = ("own-checks.md", "organizations.md", "scaling.md")  # they have tests of their own, or need a cluster


@pytest.mark.parametrize(
    "path",
    [
        # The README's commands always run; those of the guides run in CI.
        pytest.param(path, id=path.name, marks=() if path.name == "README.md" else pytest.mark.exhaustive)
        for path in RUNNABLE
        if path.name not in _OWN
    ],
)
def test_what_can_run_runs(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One after the other, on the demo's evidence and the page's own files, each exits as the page says."""
    page = documents.document(path)
    ran = 0
    _settle(page, tmp_path, monkeypatch)
    wrong = []
    for command in documents.commands(page):
        if not _offline(command):
            continue
        ran += 1
        code = run(command.words)
        shown = capsys.readouterr()
        if command.output:
            Path(command.output).write_text(shown.out)
        if code != command.code:
            wrong.append(
                f"{page.name}:{command.line}: {command}: exit {code}, said {command.code}: {shown.err[-300:]}"
            )

    assert ran
    assert wrong == []


@pytest.mark.exhaustive
def test_the_guide_of_organizations_runs(tmp_path: Path) -> None:
    """Its commands, one after the other, on a made-up organization that has gaps: each finds them."""
    page = documents.document(DOCS / "guides" / "organizations.md")
    wanted = [
        item for item in documents.commands(page) if not {"--ou", "--log-archive-role"} & set(item.words)
    ]
    (tmp_path / "accounts.txt").write_text("111122223333 production\n222200002222 audit\n")
    wrong = []
    with FakeAws(landing_zone()) as aws:
        environment = {**os.environ, **aws.env(), "HOME": str(tmp_path), "COLUMNS": "100"}
        for command in wanted:
            ran = subprocess.run(
                [sys.executable, "-m", "postureaudit", *command.words],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
            )
            if ran.returncode != (command.code or 3):
                wrong.append(
                    f"{page.name}:{command.line}: {command}: exit {ran.returncode}: {ran.stderr[-300:]}"
                )
    made = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    told = documents.document(page.path).path.read_text("utf-8")

    assert len(wanted) >= 8
    assert wrong == []
    assert {
        "today/run.json",
        "today/organization.json",
        "111122223333.html",
        "all.jsonl",
        "tickets.json",
    } <= made
    for file in {path.split("/")[-1] for path in made if path.startswith("today/")}:
        assert f"`{file}`" in told or f"/{file}`" in told, file


def _settle(page: Document, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader's folder: the evidence, the files that the page shows, and a key where it makes one."""
    monkeypatch.chdir(folder)
    for name in [name for name in os.environ if name.startswith(("POSTUREAUDIT", "AWS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("COLUMNS", "100")
    shutil.copy(Path(package).parent / "data" / "demo.json.gz", folder / "evidence.json.gz")
    for name, text in _files(page):
        if name != ".postureaudit.yaml":  # it would change the commands beside it
            (folder / name).write_text(text)
    (folder / "redact.key").write_text("0123456789abcdef" * 4)


def _files(page: Document) -> list[tuple[str, str]]:
    """The files that a page shows: blocks that begin with their name as a comment."""
    return [
        (match[1], block.text)
        for block in page.blocks
        if block.language == "yaml" and (match := re.match(r"# (\.?[a-z-]+\.yaml)\n", block.text))
    ]


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.name)
def test_blocks_of_data_are_data(path: Path) -> None:
    """YAML, JSON and HCL parse; what is a file of ours fits its schema."""
    page = documents.document(path)
    for block in page.blocks:
        if block.language == "json":
            json.loads(block.text)
        if block.language == "hcl":
            assert hcl2.loads(block.text)
        if block.language == "yaml" and not re.match(r"# wrong", block.text):
            yaml.load(block.text, Loader=_AnyTag)
    for name, text in _files(page):
        if name in SCHEMAS:
            data = strict_yaml.load(text, name=name)
            schema = json.loads((Path(package).parent / "schemas" / f"{SCHEMAS[name]}.json").read_text())
            jsonschema.validate(data, schema)


def test_json_of_generated_pages_parses() -> None:
    """The events of the signals are what can be sent."""
    blocks = [block for page in documents.pages() for block in page.blocks if block.language == "json"]

    assert len(blocks) >= 84
    for block in blocks:
        json.loads(block.text)


def test_exit_codes_are_told_alike() -> None:
    """The README's table is that of the reference page."""
    rows = [
        {tuple(row) for row in re.findall(r"(?m)^\| ([0-9, ]+) \| (.*) \|$", path.read_text("utf-8"))}
        for path in (ROOT / "README.md", DOCS / "reference" / "exit-codes.md")
    ]

    assert rows[0] and rows[0] == rows[1]


def test_frameworks_are_told_whole() -> None:
    """The guide names every framework that --framework takes."""
    from postureaudit import compliance

    text = (DOCS / "guides" / "frameworks.md").read_text("utf-8")
    [table] = re.findall(r"\| Name \| Framework \|.*?\n\n", text, re.DOTALL)

    assert set(re.findall(r"`([a-z0-9.-]+)`", table)) == set(compliance.load())


def test_benchmarks_that_pages_name_are_there() -> None:
    """The file, and each option in it or in what all of them share."""
    folder = ROOT / "benchmarks"
    shared = (folder / "serving.py").read_text("utf-8")
    named = [
        command
        for page in documents.pages(written=True)
        for command in re.findall(r"`(?:python )?benchmarks/(\w+\.py[^`]*)`", page.path.read_text("utf-8"))
    ]
    wrong = []
    for command in named:
        name, *words = command.split()
        text = (folder / name).read_text("utf-8") if (folder / name).is_file() else ""
        missing = [word for word in words if word.startswith("--") and f'"{word}"' not in text + shared]
        wrong += [command] if not text or missing else []

    assert len(named) >= 14
    assert wrong == []


def test_no_page_names_this_machine() -> None:
    """No path of a developer's, no address of a package index."""
    for page in documents.pages():
        text = page.path.read_text("utf-8")
        assert not re.search(r"/(root|home|work|tmp/bash)/|simple/|index-url", text), page.name
