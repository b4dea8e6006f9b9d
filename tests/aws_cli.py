"""The real AWS CLI inside this process: one driver for all tests, because reading its models takes longest."""

from __future__ import annotations

import contextlib
import functools
import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.fakeaws import FakeAws, World


@functools.lru_cache(maxsize=1)
def driver() -> Any:
    from awscli.clidriver import create_clidriver

    driver = create_clidriver()
    driver.session.set_stream_logger = lambda *_, **__: None  # each run would add handlers, which stay
    return driver


class Cli:
    """Runs argv lists as a shell would, in one account's name."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or Path.cwd()

    def run(self, argv: Sequence[str]) -> tuple[int, str, str]:
        """The exit code, standard output and standard error of one command."""
        # The CLI's version 1 has an address of its own for SQS.
        there = ["--endpoint-url", os.environ["AWS_ENDPOINT_URL"]] if "sqs" in argv[1:2] else []
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), contextlib.chdir(self._folder):
            code = driver().main([*argv[1:], *there])
        return int(code), out.getvalue(), err.getvalue()


@contextlib.contextmanager
def serving(
    patch: pytest.MonkeyPatch, world: World, *, account: str | None = None, folder: Path | None = None
) -> Iterator[Cli]:
    """A world that the CLI reaches; its files are read from `folder`."""
    with FakeAws(world) as aws:
        for name, value in aws.env(account).items():
            if name.startswith("AWS_"):
                patch.setenv(name, value)
        driver().session._credentials = (
            None  # it keeps the keys it found first; worlds have keys of their own
        )
        yield Cli(folder)
