"""The entry point: answers --version before anything is imported, then runs the command line."""

from __future__ import annotations

import sys


def main() -> None:
    """Run postureaudit and exit with its code."""
    if sys.argv[1:] == ["--version"]:
        from postureaudit import __version__

        print(f"postureaudit {__version__}")
        return
    from postureaudit.cli.main import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
