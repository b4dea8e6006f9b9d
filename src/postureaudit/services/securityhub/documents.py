"""Documents that Security Hub's fixes carry: lists of standards, regions, rules and accounts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from postureaudit.evidence import Json, Refusal
from postureaudit.services.base import Document
from postureaudit.services.securityhub.standards import AI, CIS, FSBP, standard_arn

_FSBP, _AI = f"{FSBP}1.0.0", f"{AI}1.0.0"


def _requests(env: Mapping[str, Json], names: Iterable[str]) -> Json | Refusal:
    """StandardsSubscriptionRequests for standards; null where there is nothing to enable."""
    partition, region = str(env.get("Partition")), str(env.get("Region"))
    return [{"StandardsArn": standard_arn(item, partition, region)} for item in names] or None


def _subscriptions(env: Mapping[str, Json], names: Iterable[str]) -> Json | Refusal:
    """The subscriptions that enabling these standards makes: what the undo disables."""
    base = f"arn:{env.get('Partition')}:securityhub:{env.get('Region')}:{env.get('Account')}:subscription"
    return [f"{base}/{item}" for item in names] or None


def _cis(env: Mapping[str, Json]) -> list[str]:
    return [f"{CIS}{(env.get('Param') or {}).get('version')}"]


def _required(env: Mapping[str, Json]) -> list[str]:
    """The wanted standards that are not enabled."""
    found = env.get("Standards")
    enabled = found.get("Names") or [] if isinstance(found, Mapping) else []
    wanted = (env.get("Param") or {}).get("standards") or []
    return [str(item) for item in wanted if item not in enabled]


def _list(facet: str, field: str) -> Document:
    """A list that a facet already holds, as it is."""

    def document(env: Mapping[str, Json]) -> Json | Refusal:
        found = env.get(facet)
        return found if isinstance(found, Refusal) else (found or {}).get(field) or None

    return document


def _rules(status: str) -> Document:
    """UpdateAutomationRulesRequestItems that turn the unsafe rules off, or on again."""

    def document(env: Mapping[str, Json]) -> Json | Refusal:
        found = env.get("Rules")
        if isinstance(found, Refusal):
            return found
        return [
            {"RuleArn": arn, "RuleStatus": status} for arn in (found or {}).get("UnsafeArns") or []
        ] or None

    return document


def _members(env: Mapping[str, Json]) -> Json | Refusal:
    """AccountDetails of the organization's accounts that are no members."""
    found = env.get("Members")
    if isinstance(found, Refusal):
        return found
    return [{"AccountId": item} for item in (found or {}).get("Accounts") or []] or None


DOCUMENTS: Mapping[str, Document] = {
    "securityhub_fsbp": lambda env: _requests(env, [_FSBP]),
    "securityhub_fsbp.before": lambda env: _subscriptions(env, [_FSBP]),
    "securityhub_ai": lambda env: _requests(env, [_AI]),
    "securityhub_ai.before": lambda env: _subscriptions(env, [_AI]),
    "securityhub_cis": lambda env: _requests(env, _cis(env)),
    "securityhub_cis.before": lambda env: _subscriptions(env, _cis(env)),
    "securityhub_required": lambda env: _requests(env, _required(env)),
    "securityhub_required.before": lambda env: _subscriptions(env, _required(env)),
    "securityhub_excluded_regions": _list("Aggregator", "Kept"),
    "securityhub_linked_regions.before": _list("Aggregator", "Regions"),
    "securityhub_second_regions": _list("SecondAggregator", "Wanted"),
    "securityhub_second_regions.before": _list("SecondAggregator", "Linked"),
    "securityhub_unsafe_rules": _rules("DISABLED"),
    "securityhub_unsafe_rules.before": _rules("ENABLED"),
    "securityhub_missing_members": _members,
    "securityhub_missing_members.before": _list("Members", "Accounts"),
}
