"""The HTML report in a real browser: filters, copying, keyboard, names that try to act, and an organization's size."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from postureaudit.render import Style, renderer
from postureaudit.render.neutral import neutral
from postureaudit.report import Report
from tests.browser.conftest import Watched
from tests.render.zoo import ZOO, a_report

pytestmark = pytest.mark.browser
Show = Callable[..., Watched]


def test_nothing_leaves_the_page_and_nothing_is_logged(show: Show, demo_report: Report) -> None:
    """One request, for the file itself; no error on the console."""
    watched = show(demo_report)
    watched.page.wait_for_load_state("networkidle")

    assert watched.errors == []
    assert [url for url in watched.requests if not url.startswith(("file:", "data:"))] == []
    assert len([url for url in watched.requests if url.startswith("file:")]) == 1


def test_filters_show_what_they_say(show: Show, demo_report: Report) -> None:
    """Severity, service, framework and text; the count is told to a screen reader as well."""
    page = show(demo_report).page
    gaps = demo_report.gaps()

    def shown() -> set[str]:
        return set(page.locator(".gap:not([hidden]) > summary > code").all_text_contents())

    assert shown() == {gap.check for gap in gaps}
    page.select_option("#f-severity", "critical")
    assert shown() == {gap.check for gap in gaps if gap.severity.value == "critical"}
    page.select_option("#f-severity", "")
    page.select_option("#f-service", "guardduty")
    assert shown() == {gap.check for gap in gaps if gap.service == "guardduty"}
    page.select_option("#f-service", "")
    page.select_option("#f-framework", "cis-7.0")
    assert shown() == {gap.check for gap in gaps if "cis-7.0" in gap.maps_to}
    page.select_option("#f-framework", "")
    page.fill("#f-text", "ReCords this region")
    found = shown()
    assert "config.recorder-on" in found and len(found) < len(gaps) / 2
    assert page.locator("#f-count").inner_text() == f"{len(found)} of {len(gaps)} checks"
    assert page.locator("#f-count").get_attribute("aria-live") == "polite"


def test_copy_gives_the_exact_command(show: Show, demo_report: Report) -> None:
    """What lands on the clipboard is the shell text, byte by byte, for every gap."""
    page = show(demo_report).page
    page.evaluate("for (const gap of document.querySelectorAll('.gap')) gap.open = true")

    for gap in demo_report.gaps():
        if gap.fix is None or not gap.fix.shell:
            continue
        block = page.locator(".gap", has=page.locator(f"summary > code:text-is('{gap.check}')"))
        block.locator("button.copy").click()
        page.wait_for_function("() => document.querySelector('button.copy') !== null")
        assert page.evaluate("() => navigator.clipboard.readText()") == gap.fix.shell


@pytest.mark.parametrize("animal", ZOO)
def test_no_name_becomes_an_element(show: Show, animal: str) -> None:
    """A hostile name is text: no element, no handler, no dialog, and a reader sees it."""
    watched = show(a_report(ZOO[animal]))
    page = watched.page
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")

    assert watched.errors == []
    assert (
        page.locator("script").count() == 1 and page.locator("img, iframe, object, embed, base").count() == 0
    )
    attributes = "() => [...document.querySelectorAll('*')].flatMap(e => [...e.attributes].map(a => a.name))"
    assert [name for name in page.evaluate(attributes) if name.lower().startswith("on")] == []
    links = page.evaluate("() => [...document.querySelectorAll('a')].map(a => a.getAttribute('href'))")
    assert all(link.startswith("#") for link in links)
    assert neutral(ZOO[animal]).split("\\u000a")[0].strip() in page.locator("body").inner_text()


def test_keyboard_and_screen_reader(show: Show, demo_report: Report) -> None:
    """Tab reaches the gaps and Enter opens one; sections have names; a map's cells are told in words."""
    page = show(demo_report).page

    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.textContent") == "Skip to the gaps"
    first = page.locator(".gap > summary").first
    first.focus()
    page.keyboard.press("Enter")
    assert page.locator(".gap").first.get_attribute("open") is not None
    for name in ("Summary", "Regions by service", "Gaps", "Not evaluated"):
        assert page.get_by_role("region", name=name, exact=True).count() == 1
    assert page.get_by_role("combobox", name="Severity").count() == 1
    words = page.locator(".heat td .sr").all_inner_texts()
    assert words and all(words)


def test_signal_routes_are_drawn(show: Show, demo_report: Report) -> None:
    """Each signal has a drawing with as many boxes as hops, and the same in words."""
    page = show(demo_report).page

    assert page.locator(".signal").count() == len({route.signal for route in demo_report.routes})
    drawn = page.locator("svg[role=img]")
    assert drawn.count() > 0
    for label in page.locator("svg[role=img]").evaluate_all(
        "list => list.map(e => e.getAttribute('aria-label'))"
    ):
        assert label
    assert page.locator("svg .hop.broken rect").count() > 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_themes_and_print(show: Show, demo_report: Report, scheme: str) -> None:
    """The page's colours follow the reader's; printed, the gaps are open and the filters gone."""
    page = show(demo_report, color_scheme=scheme).page

    page_color = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert page_color == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 26)"}[scheme]
    page.emulate_media(media="print")
    assert page.locator(".filters").is_hidden()
    page.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".gap:not([open])").count() == 0


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_does_not_scroll_sideways(show: Show, demo_report: Report, width: int) -> None:
    """On a telephone too: wide tables scroll inside their own box."""
    page = show(demo_report, viewport={"width": width, "height": 800}).page

    assert page.evaluate("() => document.documentElement.scrollWidth") <= width


def test_an_organization_opens_fast(show: Show, organization_report: Report) -> None:
    """Fifty accounts of seventeen regions: under ten megabytes, open in under two seconds, and filters at once."""
    text = renderer("html")(organization_report, Style())
    started = time.monotonic()
    page: Any = show(organization_report).page
    page.wait_for_selector("#f-count")
    timing = page.evaluate("() => performance.getEntriesByType('navigation')[0].loadEventEnd")
    asked = time.monotonic()
    page.select_option("#f-account", "100000000007")

    assert len(text.encode()) < 10_000_000
    assert 0 < timing < 2000, f"{timing} ms, {asked - started:.1f} s with writing the page"
    assert time.monotonic() - asked < 2
    assert page.locator(".in-account:not([hidden])").count() <= len(
        {gap.check for gap in organization_report.gaps()}
    )
