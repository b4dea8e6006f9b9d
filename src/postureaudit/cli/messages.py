"""Sentences for stderr."""

from __future__ import annotations

import sys


def say(message: str, hint: str = "") -> None:
    """A sentence for stderr, with a stranger's characters made visible."""
    from postureaudit.render.neutral import neutral

    print(f"postureaudit: {neutral(' '.join(message.split()))}", file=sys.stderr)
    if hint:
        print(f"  {neutral(hint)}", file=sys.stderr)


def show_trace(error: BaseException) -> None:
    """The traceback of an error for stderr, without what may be a credential in a text that it quotes."""
    import traceback

    from postureaudit.aws.hidden import hidden
    from postureaudit.render.neutral import neutral

    for line in hidden("".join(traceback.format_exception(error))).splitlines():
        print(neutral(line), file=sys.stderr)
