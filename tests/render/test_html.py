"""The HTML page as a file: its policy names its own style and script, it points nowhere, its colours can be read."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from postureaudit.render import Style, renderer
from postureaudit.report import Report
from tests.render.zoo import a_report

CSS = (files("postureaudit.render") / "page" / "report.css").read_text()


class Elements(HTMLParser):
    """Every element with its attributes, and the text of style and script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.inner: dict[str, str] = {}
        self._in = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._in = tag if tag in ("style", "script") else ""

    def handle_endtag(self, tag: str) -> None:
        self._in = ""

    def handle_data(self, data: str) -> None:
        if self._in:
            self.inner[self._in] = self.inner.get(self._in, "") + data


def test_the_policy_admits_this_style_and_script_alone(demo_report: Report) -> None:
    """No 'unsafe-inline': a style or script that a name smuggled in would not run even if it got there."""
    page = Elements(renderer("html")(demo_report, Style()))
    [policy] = [
        attrs["content"] for tag, attrs in page.found if attrs.get("http-equiv") == "Content-Security-Policy"
    ]

    assert policy is not None and policy.startswith("default-src 'none';") and "unsafe" not in policy
    for kind, text in page.inner.items():
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert sorted(page.inner) == ["script", "style"]


def test_the_page_points_nowhere() -> None:
    """No address but its own anchors, no handler in an attribute, one script, one style."""
    page = Elements(renderer("html")(a_report(), Style()))

    for tag, attrs in page.found:
        assert not {
            name for name in attrs if name.startswith("on") or name in ("src", "style", "action", "srcset")
        }
        assert attrs.get("href", "#").startswith("#"), (tag, attrs)
    tags = [tag for tag, _ in page.found]
    assert (tags.count("script"), tags.count("style"), tags.count("meta")) == (1, 1, 5)


def _luminance(color: str) -> float:
    """Relative luminance of "#rrggbb" (WCAG 2.2)."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, two: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_every_text_can_be_read(theme: int) -> None:
    """4.5 to 1 for each colour of text on each ground it stands on (WCAG AA)."""
    blocks = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    colors = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", blocks[theme]))
    states = ("critical", "high", "medium", "low", "info", "pass", "unknown", "waived")

    pairs = [(name, ground) for name in ("ink", "soft", "link") for ground in ("page", "panel")]
    pairs += [(name, f"{name}-bg") for name in states] + [(name, "page") for name in states]
    pairs += [("ink", f"{name}-bg") for name in states] + [
        ("link", "unknown-bg"),
        *((name, "panel") for name in states),
    ]
    assert len(colors) > 15
    low = {pair: round(_contrast(*(colors[name] for name in pair)), 2) for pair in pairs}
    assert {pair: ratio for pair, ratio in low.items() if ratio < 4.5} == {}


def test_services_are_called_as_in_the_terminal(demo_report: Report) -> None:
    """The same columns under the same names, in the same order."""
    from postureaudit import services
    from postureaudit.render import Style, renderer

    text = renderer("html")(demo_report, Style())
    head = text[text.index('<table class="heat">') :].partition("</thead>")[0]
    found = [part.partition("<")[0] for part in head.split('<th scope="col">')[2:]]

    titles = list(services.columns().values())
    assert "Others" in found and found == [title for title in titles if title in found]
