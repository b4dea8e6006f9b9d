"""Organization policies that set services up: which of them govern this account, and in which regions."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from postureaudit.asks import Ask
from postureaudit.evidence import Absent, Answer, Refusal
from postureaudit.resources import View, malformed

# (Organizations API reference, DescribeEffectivePolicy: any account of an organization may ask for its own.)
GUARDDUTY, SECURITYHUB, SECURITYHUB_CSPM, INSPECTOR = POLICY_TYPES = (
    "GUARDDUTY_POLICY",
    "SECURITYHUB_POLICY",
    "SECURITYHUB_CSPM_POLICY",
    "INSPECTOR_POLICY",
)
POLICY_CALLS = ("organizations:DescribeOrganization", "organizations:DescribeEffectivePolicy")
_LISTS = ("enable_in_regions", "disable_in_regions")
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d+")


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """An Organizations policy of one type, as it applies to this account in one region.

    `Governs`: it sets the service up here, so that what an account changes by itself is refused or undone. `Type`
    is AWS's name of it, `Where` the account to change it in, for people.
    """

    Governs: bool | Refusal
    Type: str
    Where: str


def policy_ask(kind: str, leader: str) -> Ask:
    """The question for this account's effective policy of a type."""
    return Ask("organizations:DescribeEffectivePolicy", region=leader, PolicyType=kind)


def policy(view: View, kind: str, region: str) -> Policy:
    """The policy of a type that applies to this account in a region."""
    return Policy(Governs=_governs(view, kind, region), Type=kind, Where=_where(view))


def _where(view: View) -> str:
    outcome = view.outcome("organizations:DescribeOrganization", view.leader)
    found = outcome.body.get("Organization") if isinstance(outcome, Answer) else None
    account = (found or {}).get("MasterAccountId")
    named = f" {account}" if account else ""
    return f"the management account{named}, or in the account that it lets manage these policies"


def _governs(view: View, kind: str, region: str) -> bool | Refusal:
    if isinstance(view.outcome("organizations:DescribeOrganization", view.leader), Absent):
        return False
    ask = policy_ask(kind, view.leader)
    outcome = view.outcome(ask.call, view.leader, **ask.params)
    match outcome:
        case Refusal():
            return outcome
        case Absent():
            return False
        case Answer(body={"EffectivePolicy": {"PolicyContent": str(text)}}):
            try:
                return _names(json.loads(text), region)
            except ValueError:
                return malformed(ask.call, view.leader, f"a {kind} that is no JSON")
        case _:
            return malformed(ask.call, view.leader, f"a {kind} without content")


def _names(content: Any, region: str) -> bool:
    """Whether a policy names the region: in its lists of regions, by a default, or by a block of its own.

    Security Hub and Inspector policies list regions to enable or disable (ALL_SUPPORTED is every one), GuardDuty
    policies have a `default` block and blocks by region. A region that is not named is left alone (Organizations user
    guide, "policy syntax and examples" of each type).
    """
    match content:
        case dict():
            named = [name for name in content if _REGION.fullmatch(str(name))]
            if content.get("default") or content.get(region):
                return True
            lists = [item for name in _LISTS for item in _items(content.get(name))]
            if region in lists or "ALL_SUPPORTED" in lists:
                return True
            return any(_names(item, region) for name, item in content.items() if name not in named)
        case list():
            return any(_names(item, region) for item in content)
        case _:
            return False


def _items(value: Any) -> list[str]:
    """The regions of a list, which an effective policy may still wrap in an operator such as @@assign."""
    if isinstance(value, dict):
        return [item for inner in value.values() for item in _items(inner)]
    return [str(item) for item in value] if isinstance(value, list) else []
