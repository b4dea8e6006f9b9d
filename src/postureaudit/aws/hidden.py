"""Texts of others without the secrets that stand in some: errors quote headers, requests and lines of files."""

from __future__ import annotations

import re

_NAMES = (
    r"x-amz-security-token|aws[_-]?session[_-]?token|aws[_-]?secret[_-]?access[_-]?key|aws[_-]?security[_-]?token"
    r"|session[_-]?token|secret[_-]?access[_-]?key|access[_-]?token|refresh[_-]?token|client[_-]?secret"
    r"|authorization|password|passwd"
)
_RULES = (
    # AWS's answer to a wrong signature repeats the request, with the session token among its headers.
    (re.compile(r"The Canonical String for this request should have been.*", re.DOTALL), "(cut)"),
    (re.compile(r"(Encoded authorization failure message: )\S+"), r"\1(cut)"),
    # Python's http.client quotes a header that has a line break in it: a token that was copied with one.
    (re.compile(r"(Invalid header (?:value|name)\s*).*", re.DOTALL), r"\1(hidden)"),
    (re.compile(rf"(?i)((?:{_NAMES})[\"']?\s*[:=]\s*b?[\"']?)[^\s\"',;&)}}]+"), r"\1(hidden)"),
    # A secret key is 40 characters long, a token hundreds.
    (re.compile(r"(?<![A-Za-z0-9+/=_%-])[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/=_%-])"), "(hidden)"),
    (re.compile(r"[A-Za-z0-9+/=_%-]{100,}"), "(hidden)"),
)


def hidden(text: str) -> str:
    """The text with whatever may be a credential, or quotes one, taken out."""
    for pattern, instead in _RULES:
        text = pattern.sub(instead, text)
    return text
