"""Files that a stranger can put in the way: each is taken, or refused in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fuzz.targets import TARGETS
from hypothesis import given, settings
from hypothesis import strategies as st

from postureaudit import baseline, results
from postureaudit import settings as configuration
from postureaudit.errors import PostureAuditError

SEEDS = Path(__file__).parent.parent / "fuzz" / "seeds"
QUICK = [name for name in TARGETS if name != "judged"]
DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    ("load", "text"),
    [
        (results.load, f'{{"schema_version": "1.0", "other": {DEEP}}}'),
        (results.load, DEEP),
        (baseline.load, f'{{"version": 1, "findings": {DEEP}}}'),
    ],
    ids=["result", "list", "baseline"],
)
def test_deep_files_are_refused(load: Callable[[Path], Any], text: str, tmp_path: Path) -> None:
    """Brackets without end exhaust nobody's stack."""
    (tmp_path / "file").write_text(text)

    with pytest.raises(PostureAuditError):
        load(tmp_path / "file")


@pytest.mark.parametrize("text", ["tool = 1", "[tool]\nother = 1", f"a = {'[' * 5000}"])
def test_a_strange_pyproject_is_none_of_ours(text: str, tmp_path: Path) -> None:
    """A file that nobody named, and that says nothing of us, is passed by."""
    (tmp_path / "pyproject.toml").write_text(text)
    (tmp_path / ".git").touch()

    assert configuration.find(tmp_path) is None


@pytest.mark.parametrize("text", ["tool = 1", "[tool]\npostureaudit = 3", f"a = {'[' * 5000}"])
def test_a_strange_pyproject_that_is_named_is_no_traceback(text: str, tmp_path: Path) -> None:
    """Who names it is told, or gets what it says: nothing."""
    path = tmp_path / "pyproject.toml"
    path.write_text(text)

    try:
        assert configuration.load(path, found=True) == configuration.Settings()
    except PostureAuditError as error:
        assert "pyproject.toml" in str(error)


@pytest.mark.parametrize("seed", sorted(SEEDS.rglob("*")), ids=lambda path: f"{path.parent.name}-{path.name}")
def test_seeds_of_the_fuzzer_keep_the_promises(seed: Path) -> None:
    """Every seed, and every input that once broke a promise, goes through its target."""
    if seed.is_file():
        TARGETS[seed.parent.name](seed.read_bytes())


@pytest.mark.parametrize("name", QUICK)
@given(data=st.binary(max_size=200))
@settings(max_examples=25)
def test_any_bytes_keep_the_promises(name: str, data: bytes) -> None:
    """What the fuzzer does for hours, for a moment: only our own errors, the same answer twice, bounded time."""
    TARGETS[name](data)


@given(data=st.binary(min_size=20, max_size=200))
@settings(max_examples=8)
def test_any_answer_gets_a_verdict(data: bytes) -> None:
    """Answers with anything in them: a verdict for each check, and a refusal more turns none round."""
    TARGETS["judged"](data)
