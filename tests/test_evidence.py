"""Evidence files: what is none of ours is refused, and what is written is whole."""

from __future__ import annotations

import gzip
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from postureaudit import evidence as files
from postureaudit.errors import EvidenceError

HEADER: dict[str, Any] = {
    "schema_version": "1.0",
    "tool_version": "0",
    "started": "2026-11-24T00:00:00Z",
    "ended": "2026-11-24T00:00:01Z",
    "partition": "aws",
    "caller": "arn:aws:iam::111122223333:user/x",
    "accounts": [{"id": "111122223333"}],
    "regions": {"audited": ["us-east-1"]},
    "leader": "us-east-1",
}
RECORD = {
    "call": "cloudtrail:DescribeTrails",
    "params": {},
    "account": "111122223333",
    "region": "us-east-1",
    "at": "2026-11-24T00:00:00Z",
    "outcome": {"is": "answer", "body": {}},
}


def a_file(records: list[Any] | None = None, **header: Any) -> bytes:
    return json.dumps({"header": {**HEADER, **header}, "records": records or [RECORD]}).encode()


def test_a_plain_file_is_read() -> None:
    """The smallest evidence there is."""
    assert len(files.loads(a_file(), name="x")) == 1


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(a_file(accounts=[]), id="no account: it would be clean"),
        pytest.param(a_file(accounts=[{"id": "1; rm -rf ~"}]), id="no account id"),
        pytest.param(a_file(regions={"audited": []}), id="no region: it would be clean"),
        pytest.param(a_file(regions={"audited": ["\x1b[2J"]}), id="escape codes for a region"),
        pytest.param(a_file(leader="x y"), id="no leader"),
        pytest.param(a_file(partition="aws:evil"), id="no partition"),
        pytest.param(a_file(ended="yesterday"), id="no time"),
        pytest.param(a_file(records=[RECORD, {**RECORD, "at": "2026"}]), id="two answers to one call"),
        pytest.param(b"[]", id="another document"),
        pytest.param(b"\xff", id="no text"),
        pytest.param(b"[" * 100_000, id="deep"),
    ],
)
def test_what_is_no_evidence_is_refused(data: bytes) -> None:
    """One sentence, exit 1: never a traceback, and never a clean report of nothing."""
    with pytest.raises(EvidenceError):
        files.loads(data, name="x")


def test_corrupt_and_endless_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged archive, an archive that blows up, and a device that never ends."""
    damaged, bomb = tmp_path / "damaged.json.gz", tmp_path / "bomb.json.gz"
    packed = bytearray(gzip.compress(a_file() * 50))
    packed[15:25] = b"\xff" * 10
    damaged.write_bytes(packed)
    bomb.write_bytes(gzip.compress(b" " * 100_000))
    monkeypatch.setattr(files, "MAX_BYTES", 10_000)

    for path in (damaged, bomb, Path("/dev/zero")):
        with pytest.raises(EvidenceError):
            files.load(path)


def test_a_device_is_written_to_and_stays_a_device(tmp_path: Path) -> None:
    """Writing a report to a pipe or to /dev/null may not put a file in its place."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    files.write_whole(pipe, b"report")

    assert os.read(reader, 10) == b"report"
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    os.close(reader)
