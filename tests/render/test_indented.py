"""Indented JSON is what the standard library writes, byte for byte."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postureaudit.render import indented

_TEXTS = st.text(st.characters(), max_size=6) | st.sampled_from(
    ["", "/", '"', "\\", "\u2028", "\x7f", "é", "😀"]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.just(10**400) | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=12,
)


@given(_VALUES)
def test_it_is_what_the_standard_library_writes(value: Any) -> None:
    """Numbers keep their spelling, what is empty stays on its line, and everything is ASCII."""
    assert indented.dumps(value) == json.dumps(value, indent=1) + "\n"


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\udc00\ud800"])
def test_half_a_character_is_written_too(text: str) -> None:
    """A name that is no Unicode text does not stop a report."""
    assert indented.dumps({text: [text]}) == json.dumps({text: [text]}, indent=1) + "\n"


@pytest.mark.parametrize("value", [{}, [], {"a": {}, "b": []}, [[]], float("nan"), [1e300, -0.0, 1e-7, 1.0]])
def test_what_is_odd_is_the_same(value: Any) -> None:
    """Empty things, numbers that are none, and floats."""
    assert indented.dumps(value) == json.dumps(value, indent=1) + "\n"
