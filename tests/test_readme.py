"""What the README says of the catalogue, the formats and the frameworks is so."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from postureaudit import catalog, compliance
from postureaudit.render import FORMATS

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
_NUMBERS = {"ten": 10, "nine": 9, "eleven": 11, "twelve": 12}


def test_counts_of_checks() -> None:
    """Each count in the first paragraphs is the catalogue's."""
    found = Counter(check.service for check in catalog.builtin().checks)
    four = sum(found[name] for name in ("cloudtrail", "config", "guardduty", "securityhub"))
    hops = sum(found[name] for name in ("eventbridge", "sns", "alarms"))
    rest = sum(found.values()) - four - hops - found["signal"]

    [text] = re.findall(r"It audits CloudTrail.*?(?=\nThen it)", README, re.DOTALL)
    told = [int(word) if word.isdigit() else _NUMBERS[word] for word in re.findall(r"with (\w+)\b", text)]
    assert told == [four, hops, rest]
    assert f"{found['signal']} events that matter" in README


def test_formats_and_frameworks_are_named() -> None:
    """Every format but the tree of `trace`, and every framework, can be found in the README."""
    [formats] = re.findall(r"\*\*Reports\*\*.*?\n\n", README, re.DOTALL)
    [frameworks] = re.findall(r"\*\*Frameworks\*\*.*?\n\n", README, re.DOTALL)

    assert set(re.findall(r"`([a-z]+)`", formats)) == set(FORMATS) - {"trace"}
    named = set(re.findall(r"`(?:--framework )?([a-z0-9.-]+)`", frameworks))
    assert named | {"cis-3.0", "cis-4.0.1", "cis-5.0"} == set(compliance.load()), (
        "cis-1.4 to cis-6.0 is a range"
    )
