"""Chromium, and pages in it that are watched for what they should not do."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from postureaudit.findings import fingerprint
from postureaudit.render import Style, renderer
from postureaudit.report import Report
from tests.render.conftest import demo_report as demo_report

QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@dataclass
class Watched:
    """A page, what it logged as an error, and every request that it made."""

    page: Any
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Debian's Chromium, headless."""
    from playwright.sync_api import sync_playwright

    binary = shutil.which("chromium")
    assert binary, "install Debian's chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def show(chromium: Any, tmp_path: Path) -> Iterator[Callable[..., Watched]]:
    """Open a report's page."""
    contexts = []

    def open_page(report: Report, **options: Any) -> Watched:
        file = tmp_path / "report.html"
        file.write_text(renderer("html")(report, Style()), encoding="utf-8")
        context = chromium.new_context(permissions=["clipboard-read", "clipboard-write"], **options)
        contexts.append(context)
        watched = Watched(context.new_page())
        watched.page.on("console", lambda message: watched.errors.append(f"{message.type}: {message.text}"))
        watched.page.on("pageerror", lambda error: watched.errors.append(str(error)))
        watched.page.on("dialog", lambda dialog: watched.errors.append(f"dialog: {dialog.message}"))
        watched.page.on("request", lambda request: watched.requests.append(request.url))
        watched.page.goto(file.as_uri())
        return watched

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def organization_report(demo_report: Report) -> Report:
    """The demo's findings and routes in fifty accounts of seventeen regions."""
    accounts = [f"{number:012}" for number in range(100_000_000_000, 100_000_000_050)]
    header = demo_report.evidence.header
    known = header.accounts[0]
    evidence = demo_report.evidence
    evidence.header = msgspec.structs.replace(
        header,
        accounts=tuple(
            msgspec.structs.replace(known, id=name, name=f"team-{name[-2:]}") for name in accounts
        ),
    )
    findings = tuple(
        msgspec.structs.replace(item, account=name, fingerprint=fingerprint("aws", name, item.check))
        for name in accounts
        for item in demo_report.findings
    )
    routes = tuple(
        msgspec.structs.replace(route, account=name) for name in accounts for route in demo_report.routes
    )
    return msgspec.structs.replace(demo_report, findings=findings, routes=routes)
