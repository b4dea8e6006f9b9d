"""One target in this process, under libFuzzer, which ends the process itself: python -m fuzz.inside TARGET OPTION..."""

from __future__ import annotations

import sys

import atheris


def main() -> None:
    """Fuzz the target with libFuzzer's own options."""
    with atheris.instrument_imports(include=["postureaudit", "jmespath", "lark"]):
        from fuzz.targets import TARGETS
    atheris.Setup([sys.argv[0], *sys.argv[2:]], TARGETS[sys.argv[1]])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
