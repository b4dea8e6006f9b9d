"""Sentences for stderr."""

from __future__ import annotations

import sys


def say(message: str, hint: str = "") -> None:
    """A sentence for stderr, with a stranger's characters made visible."""
    from postureaudit.render.neutral import neutral

    print(f"postureaudit: {neutral(' '.join(message.split()))}", file=sys.stderr)
    if hint:
        print(f"  {neutral(hint)}", file=sys.stderr)
