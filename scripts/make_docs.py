"""Make all generated pages and pictures of docs/, and take away those that nothing makes any more.

Usage: python scripts/make_docs.py. A test fails when one of them is stale.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from postureaudit import catalog  # noqa: E402 - the path above makes it importable
from scripts import check_pages, cli_page, coverage_page, format_pages, pictures, signal_pages  # noqa: E402 - the same

FOLDER = ROOT / "docs"
_OURS = ("reference/checks", "reference/signals")  # folders in which every page is made here


def texts() -> dict[str, str]:
    """Each generated page by its path in docs/."""
    return {
        "coverage.md": coverage_page.page(coverage_page.load()),
        **dict(check_pages.pages(catalog.builtin())),
        **dict(signal_pages.pages()),
        **dict(cli_page.pages()),
        **dict(format_pages.pages()),
    }


def left_over(made: dict[str, str]) -> list[Path]:
    """Pages in our folders that are made no more: their check or signal has gone."""
    return [
        path
        for folder in _OURS
        for path in sorted((FOLDER / folder).rglob("*.md"))
        if path.relative_to(FOLDER).as_posix() not in made
    ]


def main() -> None:
    """Write what has changed."""
    made = texts()
    for path in left_over(made):
        path.unlink()
    for name, text in {**made, **pictures.pictures()}.items():
        file = FOLDER / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists() or file.read_text("utf-8") != text:
            file.write_text(text, "utf-8")
            print(f"docs/{name}")


if __name__ == "__main__":
    main()
