"""Build the documentation into site/, and refuse one that would load anything from elsewhere.

Usage: python scripts/build_site.py. Needs the dependency group `docs`; no network. Exits 1 for a broken link, a picture
that is not there, or a page that loads a font, script, style or picture from another place.
"""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "site"
# What a browser fetches by itself; a link (a href) is followed by people only.
_FETCHED = {
    "script": ("src",),
    "img": ("src", "srcset"),
    "iframe": ("src",),
    "source": ("src", "srcset"),
    "video": ("src", "poster"),
    "audio": ("src",),
    "object": ("data",),
    "embed": ("src",),
}
_LINKED = ("stylesheet", "preload", "preconnect", "dns-prefetch", "icon", "modulepreload", "manifest")
_OUTSIDE = re.compile(r"^(https?:)?//", re.IGNORECASE)
_IN_STYLE = re.compile(r"(?:url\(\s*[\"']?|@import\s+[\"'])((?:https?:)?//[^\"')\s]+)", re.IGNORECASE)


class _Fetches(HTMLParser):
    """Collects what a page makes a browser fetch from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        names = _FETCHED.get(tag, ())
        if tag == "link" and any(rel in _LINKED for rel in given.get("rel", "").split()):
            names = ("href",)
        self.found += [given[name] for name in names if _OUTSIDE.match(given.get(name, ""))]
        self.found += _IN_STYLE.findall(given.get("style", ""))


def outside(folder: Path) -> list[str]:
    """What the pages and styles of a built site load from elsewhere, each with its file."""
    found = []
    for path in sorted(folder.rglob("*.html")):
        page = _Fetches()
        page.feed(path.read_text("utf-8"))
        found += [f"{path.relative_to(folder)}: {address}" for address in page.found]
    for path in sorted((*folder.rglob("*.css"), *folder.rglob("*.svg"))):
        found += [
            f"{path.relative_to(folder)}: {item}" for item in _IN_STYLE.findall(path.read_text("utf-8"))
        ]
    return found


def main() -> int:
    """Build and look."""
    built = subprocess.run([sys.executable, "-m", "zensical", "build", "--clean", "--strict"], cwd=ROOT)
    if built.returncode:
        return 1
    loads = outside(SITE)
    for line in loads:
        print(f"loads from elsewhere: {line}", file=sys.stderr)
    if not loads:
        print(f"{len(list(SITE.rglob('*.html')))} pages in site/, nothing from elsewhere")
    return 1 if loads else 0


if __name__ == "__main__":
    sys.exit(main())
