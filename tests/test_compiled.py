"""What ships as YAML is read from JSON made of it, and from the YAML where the two do not belong together."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from scripts import make_compiled

from postureaudit import catalog, compiled


@pytest.fixture
def _unread() -> Iterator[None]:
    """The catalogue is read again in this test, and by the next one."""
    catalog.builtin.cache_clear()
    yield
    catalog.builtin.cache_clear()


def test_each_file_is_fresh() -> None:
    """Who changes the YAML runs: python scripts/make_compiled.py."""
    made = make_compiled.files()

    assert {file.stem: file.read_bytes() for file in compiled.FOLDER.iterdir()} == made


def test_the_checks_are_those_of_the_yaml() -> None:
    """To the type of every number: what is judged by is what is written."""
    text = catalog.path().read_text("utf-8")
    written = catalog.parse(text, name="checks.yaml")
    read = compiled.read("checks", catalog.sources(text), list[catalog.Check])

    assert read is not None
    assert msgspec.json.encode(read) == msgspec.json.encode(written)
    assert repr(read) == repr(written)


@pytest.mark.usefixtures("_unread")
def test_an_edited_file_is_read_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that somebody changes in a checkout is judged as it is written now, whatever was compiled."""
    text = catalog.path().read_text("utf-8")
    file = tmp_path / "checks.yaml"
    file.write_text(
        text.replace("title: A logging trail covers this region", "title: Another title"), "utf-8"
    )
    monkeypatch.setattr(catalog, "path", lambda: file)

    assert "Another title" in [check.title for check in catalog.builtin().checks]


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"of":{},"data":[]}', b"\xff\xfe", b"[" * 100_000, b'{"of":{"a":"b"}}']
)
def test_a_file_that_cannot_be_read_is_passed_over(tmp_path: Path, content: bytes) -> None:
    """One that is cut short, of another program or of another text gives nothing: the YAML is read."""
    (tmp_path / "it.json").write_bytes(content)

    assert compiled.read("it", {"it.yaml": "a: 1"}, object, folder=tmp_path) is None


def test_a_field_that_is_no_longer_known_is_passed_over(tmp_path: Path) -> None:
    """Data of another version of the program does not become a check with a part missing."""
    texts = {"checks.yaml": ""}
    (tmp_path / "checks.json").write_bytes(compiled.made(texts, [{"id": "a.b", "gone": 1}]))

    assert compiled.read("checks", texts, list[catalog.Check], folder=tmp_path) is None


def test_without_the_file_the_yaml_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain file gives the same either way."""
    file = make_compiled.PLAIN["frameworks"]
    kept = compiled.plain("frameworks", file)
    monkeypatch.setattr(compiled.read, "__kwdefaults__", {"folder": tmp_path})

    assert compiled.plain("frameworks", file) == kept
    assert len(kept) > 5


def test_judging_by_the_shipped_catalogue_reads_no_yaml() -> None:
    """Importing PyYAML alone takes longer than reading all checks does."""
    code = (
        "import sys; from postureaudit import catalog, judging; catalog.builtin().frameworks(); "
        "from postureaudit.signals import events; events.signals(); "
        "from postureaudit.services.guardduty import catalogue; catalogue.catalogue(); "
        "print(sorted(name for name in sys.modules if name in ('yaml', 'postureaudit.strict_yaml')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
