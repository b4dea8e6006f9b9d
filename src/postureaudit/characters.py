"""Which characters of a stranger's text do more than show themselves."""

from __future__ import annotations

import unicodedata


def acts(char: str) -> bool:
    """Whether a character acts on a terminal or cannot be written."""
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")
