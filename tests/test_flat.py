"""Thousands of accounts are judged in one process: nothing of an account stays when it is done."""

from __future__ import annotations

import datetime
import functools
import gc
import importlib
import pkgutil
import time
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

import postureaudit
from postureaudit import catalog
from postureaudit.evidence import Evidence, Record, load, loads, save
from postureaudit.judging import Judging, judge
from postureaudit.resources import View
from tests.conftest import walk_world
from tests.fakeaws import Fault, World
from tests.replay import replay

DEMO = Path(postureaudit.__file__).parent / "data" / "demo.json.gz"
ACCOUNT = "111122223333"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The demo's account in two regions, as text."""
    file = tmp_path_factory.mktemp("flat") / "demo.json"
    save(replay(load(DEMO), regions=("us-east-1", "eu-west-1")), file)
    return file.read_text("utf-8")


@pytest.fixture
def _nothing_collected() -> Iterator[None]:
    """What is not let go by itself stays."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def numbered(written: str, number: int) -> Evidence:
    """The same account under another id."""
    return loads(written.replace(ACCOUNT, f"{number:012}").encode(), name="demo")


def judged(evidence: Evidence) -> int:
    """How many findings an account has."""
    ids = frozenset(check.id for check in catalog.builtin().checks)
    report, _ = judge(evidence, catalog.builtin(), Judging(ids=ids, today=datetime.date(2026, 1, 1)))
    return len(report.findings)


def views() -> int:
    return sum(isinstance(item, View) for item in gc.get_objects())


@pytest.mark.usefixtures("_nothing_collected")
def test_a_judged_account_is_let_go(written: str) -> None:
    """Its evidence and its views are gone at once, without the garbage collector: they stand in no circle."""
    evidence = numbered(written, 1)
    alive, before = weakref.ref(evidence), views()

    assert judged(evidence) > 100
    del evidence

    assert (alive(), views() - before) == (None, 0)


@pytest.mark.usefixtures("_nothing_collected")
def test_accounts_in_sight_of_each_other_are_let_go(written: str) -> None:
    """An account that is judged beside others leaves nothing of itself with them."""
    other = numbered(written, 2)
    evidence = numbered(written, 1).beside({f"{2:012}": other}, {})
    alive, before = weakref.ref(evidence), views()

    assert judged(evidence) > 100
    del evidence

    assert (alive(), views() - before) == (None, 0)


@pytest.mark.usefixtures("_nothing_collected")
def test_a_walked_account_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read of an account is gone with its evidence: refused calls and collectors leave no circle either."""
    refused = [
        Fault(service="guardduty", operation="ListDetectors", code="AccessDeniedException", status=403)
    ]
    walk_world(monkeypatch, World(faults=refused))
    gc.collect()
    before = sum(isinstance(item, Record) for item in gc.get_objects())

    evidence = walk_world(monkeypatch, World(faults=refused))
    assert len(evidence) > 100 and evidence.refusals()
    del evidence

    for _ in range(100):  # a thread may be about to end
        left = sum(isinstance(item, Record) for item in gc.get_objects()) - before
        if left <= 0:
            break
        time.sleep(0.02)
    assert left <= 0


@pytest.mark.exhaustive
@pytest.mark.usefixtures("_nothing_collected")
def test_many_accounts_take_no_more_memory_than_few(written: str) -> None:
    """After some accounts, each other one leaves no object behind but words in caches that are bounded."""
    counts = []
    for number in range(1, 15):
        assert judged(numbered(written, number)) > 100
        counts.append(len(gc.get_objects()))

    assert (counts[-1] - counts[4]) / 10 < 50


def test_every_cache_is_bounded() -> None:
    """Text of accounts comes by without end: no cache keeps all of it."""
    unbounded = {
        f"{module.__name__}.{name}"
        for found in pkgutil.walk_packages(postureaudit.__path__, "postureaudit.")
        if not found.name.endswith("__main__")
        for module in [importlib.import_module(found.name)]
        for name, item in vars(module).items()
        if isinstance(item, functools._lru_cache_wrapper) and item.cache_parameters()["maxsize"] is None
    }

    assert unbounded == {"postureaudit.signals.log_filter_syntax._parser"}, "it takes no argument"
