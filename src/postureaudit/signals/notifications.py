"""AWS User Notifications: the account's own rules that send events to e-mail contacts and chat channels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from postureaudit.evidence import Json, Refusal, RefusalKind
from postureaudit.resources import View, member
from postureaudit.signals import event_pattern, targets
from postureaudit.signals.event_pattern import PatternError
from postureaudit.signals.model import Hop, Road, State

CONFIGURATIONS = "notifications:ListNotificationConfigurations"
RULES = "notifications:ListEventRules"
CHANNELS = "notifications:ListChannels"
CONTACTS = "notificationscontacts:ListEmailContacts"
CALLS = (CONFIGURATIONS, RULES, CHANNELS, CONTACTS)


def roads(view: View, event: Mapping[str, Json], region: str) -> list[Road]:
    """The roads of an event through notification configurations.

    A service that refuses its list hides no road that people rely on unnoticed: where it cannot be read, the road
    is unknown.
    """
    listed = member(view.outcome(CONFIGURATIONS, view.leader), "notificationConfigurations", [])
    if isinstance(listed, Refusal):
        if listed.kind is RefusalKind.NOT_IN_REGION:
            return []  # the partition does not have the service
        return [(targets.unknown("notification", "AWS User Notifications", view.leader, listed),)]
    return [
        road
        for item in sorted(listed, key=lambda item: str(item.get("name")))
        if item.get("status") in ("ACTIVE", "PARTIALLY_ACTIVE")
        for road in _configuration(view, item, event, region)
    ]


def _configuration(view: View, item: Mapping[str, Any], event: Mapping[str, Json], region: str) -> list[Road]:
    arn, name = str(item.get("arn")), str(item.get("name"))
    rules = member(view.outcome(RULES, view.leader, notificationConfigurationArn=arn), "eventRules", [])
    if isinstance(rules, Refusal):
        return [(targets.unknown("notification", name, view.leader, rules),)]
    hop = Hop(kind="notification", name=name, region=region)
    takes = [_takes(rule, event, region) for rule in rules]
    if True not in takes:
        if None not in takes:
            return []
        reason = "its event pattern is not understood"
        return [(Hop(kind="notification", name=name, region=region, state=State.UNKNOWN, reason=reason),)]
    return [(hop, view.once(("channels", arn), lambda: _channels(view, arn, name)))]


def _takes(rule: Mapping[str, Any], event: Mapping[str, Json], region: str) -> bool | None:
    """Whether an event rule of User Notifications takes the event: source, type, region and pattern."""
    status = (rule.get("statusSummaryByRegion") or {}).get(region) or {}
    if region not in (rule.get("regions") or []) or status.get("status") in ("INACTIVE", "DELETING"):
        return False
    if (rule.get("source"), rule.get("eventType")) != (event["source"], event["detail-type"]):
        return False
    try:
        return event_pattern.matches(str(rule.get("eventPattern") or "{}"), event)
    except PatternError:
        return True if not rule.get("eventPattern") else None


def _channels(view: View, arn: str, name: str) -> Hop:
    channels = member(view.outcome(CHANNELS, view.leader, notificationConfigurationArn=arn), "channels", [])
    if isinstance(channels, Refusal):
        return targets.unknown("channel", name, view.leader, channels)
    mail = [channel for channel in channels if ":notifications-contacts:" in str(channel)]
    others = [channel for channel in channels if channel not in mail]
    if others:
        weakness = "a chat or mobile channel: whether it works is not tried"
        return Hop(kind="channel", name=str(others[0]), region=view.leader, weakness=weakness)
    contacts = member(view.outcome(CONTACTS, view.leader), "emailContacts", [])
    if mail and isinstance(contacts, Refusal):
        return targets.unknown("channel", name, view.leader, contacts)
    active = {str(item.get("arn")) for item in contacts or [] if item.get("status") == "active"}
    for channel in mail:
        if channel in active:
            weakness = "one e-mail address only" if len(mail) == 1 else "e-mail only"
            return Hop(kind="channel", name=str(channel), region=view.leader, weakness=weakness)
    reason = "its e-mail contact is not activated" if mail else "nobody is told: it has no channel"
    return Hop(kind="channel", name=name, region=view.leader, state=State.BROKEN, reason=reason)
