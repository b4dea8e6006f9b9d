"""The benchmarks run: each as small as it can be. How fast anything is, is theirs to say, not this file's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent.parent / "benchmarks"


def run(name: str, *words: str, seconds: float = 120) -> str:
    """What a benchmark prints. It must not fail; bars are not checked."""
    done = subprocess.run(
        [sys.executable, str(HERE / name), *words],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.mark.exhaustive
def test_walks_make_the_same_calls() -> None:
    """The usual walk, ours and the least ask the endpoint for exactly the same."""
    out = run("walk.py", "--regions", "2", "--latency", "1", "--runs", "1")

    assert "ours makes the same calls as the usual walk: yes" in out
    assert "ours makes the same calls as the least walk: yes" in out
    assert "no refusals in ours: yes" in out
    assert "wall ours / limit" in out


@pytest.mark.exhaustive
def test_organization_is_audited_killed_and_gone_on_with() -> None:
    """Two accounts in two regions: the endpoint answers all, and what a killed run has read is not read again."""
    out = run("organization.py", "--accounts", "2", "--regions", "2", "--latency", "1", "--kill-at", "0.5")

    assert "nothing that the endpoint could not answer: yes" in out
    assert "what was read is not read again: yes" in out
    assert "the result is that of the uninterrupted run: yes" in out


@pytest.mark.exhaustive
def test_calls_are_counted_alone() -> None:
    """A call's CPU is measured for both kinds of clients."""
    out = run("percall.py", "--runs", "1", "--calls", "25")

    assert "CPU of a call, ours / boto3" in out


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("name", "words", "says"),
    [
        ("startup.py", ("--runs", "1"), "--help loads none of"),
        ("judge.py", ("--runs", "1", "--rules", "5", "--regions", "1"), "judging large, in units"),
        ("trace_signals.py", ("--rules", "5"), "s of CPU"),
        (
            "walk.py",
            ("--cli", "--regions", "2", "--latency", "1", "--runs", "1"),
            "nothing that the endpoint could not answer: yes",
        ),
    ],
)
def test_each_runs(name: str, words: tuple[str, ...], says: str) -> None:
    """Each of the others comes to its end and prints its figure."""
    assert says in run(name, *words)


def test_limits_give_what_aws_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eleven CloudTrail calls at once: ten are answered, and another one a tenth of a second later."""
    monkeypatch.syspath_prepend(str(HERE))
    from limits import Limits

    limits = Limits()
    given = [limits.allows("1", "us-east-1", "cloudtrail:DescribeTrails", 5.0) for _ in range(11)]

    assert given == [True] * 10 + [False]
    assert limits.allows("1", "us-east-1", "cloudtrail:GetTrailStatus", 5.11)
    assert limits.allows("2", "us-east-1", "cloudtrail:DescribeTrails", 5.0)


def test_results_that_differ_in_times_alone_are_equal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A verdict that differs is seen, a time is not."""
    monkeypatch.syspath_prepend(str(HERE))
    from organization import _difference, _plain

    values = [
        {"check": "a", "verdict": "pass", "at": "2026-01-01"},
        {"check": "a", "verdict": "pass", "at": "2027-01-01"},
        {"check": "a", "verdict": "fail", "at": "2026-01-01"},
    ]
    for number, value in enumerate(values):
        (tmp_path / str(number)).write_text(json.dumps(value) + "\n")
    plain = [_plain(tmp_path / str(number)) for number in range(3)]

    assert _difference(plain[0], plain[1]) == ""
    assert _difference(plain[0], plain[2]) == "[0].verdict: pass and fail"
