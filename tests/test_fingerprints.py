"""Fingerprints are names that tickets, waivers and baselines keep: these vectors may never change."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postureaudit.findings import fingerprint, place_fingerprint

VECTORS = {
    ("aws", "111122223333", "guardduty.enabled"): "pa1:bc19fdf858032479d2a0b9e396aba2fa",
    ("aws-cn", "111122223333", "guardduty.enabled"): "pa1:5a74aeefb3d28d8684252a4bff14482b",
    (
        "aws",
        "111122223333",
        "config.rules-healthy",
        "eu-west-1",
        "rule-a",
    ): "pa1:3493656842b6b1dc03b0273f366d67e0",
    ("aws", "111122223333", "config.rules-healthy", None, ""): "pa1:1fb3fea57d1ce1bca82e5d976acbd2c4",
    (
        "aws",
        "111122223333",
        "config.rules-healthy",
        "eu-west-1",
        "\ud800[/]\n",
    ): "pa1:34386eea4d9a33820c2cc854ef4fbc1f",
}


@pytest.mark.parametrize("fields", VECTORS, ids=lambda fields: "/".join(map(ascii, fields)))
def test_golden_vectors(fields: tuple[str, ...]) -> None:
    """A changed hash opens every ticket anew and voids every baseline."""
    made = fingerprint(*fields) if len(fields) == 3 else place_fingerprint(*fields)

    assert made == VECTORS[fields]


@given(st.lists(st.tuples(*[st.text(max_size=6)] * 5), min_size=2, max_size=6, unique=True))
def test_no_two_places_share_a_name(places: list[tuple[str, str, str, str, str]]) -> None:
    """Whatever the names: ("ab", "c") and ("a", "bc") stay apart. U+001F, the separator, is in no name of AWS's."""
    clean = {tuple(part.replace("\x1f", "") for part in place) for place in places}
    made = [place_fingerprint(*place) for place in clean]

    assert all(one != two for one, two in itertools.combinations(made, 2))
