"""The pages and pictures of docs/ that a script makes are what it makes today, and nothing else stands among them."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest
from scripts import build_site, cli_page, format_pages, make_docs, pictures

from postureaudit import __file__ as package
from postureaudit import catalog
from postureaudit.signals import events

made = functools.cache(make_docs.texts)
_STALE = "run: python scripts/make_docs.py"


def test_every_generated_page_is_fresh() -> None:
    """Each page is there, byte by byte as the script makes it."""
    stale = [
        name
        for name, text in made().items()
        if not (make_docs.FOLDER / name).is_file() or (make_docs.FOLDER / name).read_text("utf-8") != text
    ]

    assert stale == [], _STALE


def test_no_page_is_left_over() -> None:
    """A check or signal that has gone has no page."""
    assert make_docs.left_over(made()) == [], _STALE


def test_each_check_and_signal_has_a_page() -> None:
    """One each, families literally."""
    checks = {f"reference/checks/{check.id.replace('.', '/', 1)}.md" for check in catalog.builtin().checks}
    signals = {f"reference/signals/{signal.id}.md" for signal in events.signals()}

    assert checks | signals <= set(made())


def test_each_option_is_on_the_page_of_the_command_line() -> None:
    """Every option of every command, with the variable that click really reads."""
    text = made()["reference/cli.md"]
    missing = []
    for context in cli_page.commands():
        _, _, section = text.partition(f"\n## {context.command_path}\n")
        section = section.partition("\n## ")[0]
        for option in context.command.get_params(context):
            if option.param_type_name != "option" or getattr(option, "hidden", False):
                continue
            variable = f"{context.auto_envvar_prefix}_{option.name.upper()}" if option.name != "help" else ""
            missing += [
                (context.command_path, name)
                for name in (*option.opts, *([variable] if variable else []))
                if f"`{name}`" not in section
            ]

    assert missing == []


def test_a_variable_of_the_page_is_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """POSTUREAUDIT_DEMO_TOP works as the page says."""
    from postureaudit.cli.main import run

    assert "`POSTUREAUDIT_DEMO_TOP`" in made()["reference/cli.md"]
    monkeypatch.setenv("POSTUREAUDIT_DEMO_TOP", "1")

    assert run(["demo", "--no-config", "-q"]) == 0
    assert "showing 1 (--top 0 for all)" in capsys.readouterr().out


def test_variables_that_the_program_reads_are_on_the_page() -> None:
    """Those of its own that no option has."""
    sources = Path(package).parent.rglob("*.py")
    read = {
        name for file in sources for name in re.findall(r"_?POSTUREAUDIT_[A-Z]+", file.read_text("utf-8"))
    }

    assert read and [name for name in read if f"`{name}`" not in made()["reference/cli.md"]] == []


@pytest.mark.parametrize("name", ["images/report.svg", "images/trace.svg"])
def test_pictures_say_what_the_program_says(name: str) -> None:
    """Word by word; how rich draws them may differ from version to version."""
    kept = (make_docs.FOLDER / name).read_text("utf-8")

    assert pictures.words(kept) == pictures.words(pictures.picture(name)), _STALE


@pytest.mark.parametrize(
    "file", sorted((make_docs.FOLDER / "images").glob("*.svg")), ids=lambda file: file.name
)
def test_pictures_load_nothing(file: Path) -> None:
    """No font, no script, no address but the names of SVG itself: they render on GitHub and without a network."""
    text = file.read_text("utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")

    assert [
        word for word in ("http:", "https:", "@font-face", "<script", "<image", "@import") if word in text
    ] == []


@pytest.mark.parametrize("name", format_pages.meanings())
def test_meanings_are_of_members_that_there_are(name: str) -> None:
    """A member that has gone, or has a description of its own, is taken out of scripts/members.yaml."""
    known = format_pages.members(name)

    assert [
        (part, path)
        for part, said in format_pages.meanings()[name].items()
        for path in said
        if path not in known.get(part, ())
    ] == []


def test_a_site_that_loads_from_elsewhere_is_refused(tmp_path: Path) -> None:
    """A script, style, font or picture of another host; a link that a reader may follow is none."""
    (tmp_path / "good.html").write_text(
        '<a href="https://example.com">x</a><img src="a.svg"><link rel="canonical" href="https://x">'
    )
    (tmp_path / "bad.html").write_text(
        '<script src="https://cdn.example.com/a.js"></script><img src="//example.com/b.png">'
        '<link rel="stylesheet" href="https://fonts.example.com/c">'
    )
    (tmp_path / "bad.css").write_text("@font-face { src: url(https://fonts.example.com/d.woff2) }")

    assert build_site.outside(tmp_path) == [
        "bad.html: https://cdn.example.com/a.js",
        "bad.html: //example.com/b.png",
        "bad.html: https://fonts.example.com/c",
        "bad.css: https://fonts.example.com/d.woff2",
    ]
