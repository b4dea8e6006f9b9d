"""A page for each signal, with the event that is traced, and the list of all: docs/reference/signals/."""

from __future__ import annotations

import json
from collections.abc import Iterator

from postureaudit.signals import events
from postureaudit.signals.events import Place, Signal
from scripts.markdown_text import code, fence, page, plain, table

_KINDS = {
    "guardduty": "GuardDuty raises it",
    "securityhub": "Security Hub raises it",
    "securityhub-v2": "Security Hub raises it, in the OCSF form of its second version",
    "config": "AWS Config raises it",
    "api-call": "CloudTrail records the call, so an EventBridge rule or a metric filter can see it",
    "sign-in": "CloudTrail records the sign-in, so an EventBridge rule or a metric filter can see it",
}


def pages() -> Iterator[tuple[str, str]]:
    """Each page's path in docs/ and its text."""
    yield "reference/signals/index.md", _overview()
    for signal in events.signals():
        yield f"reference/signals/{signal.id}.md", _signal(signal)


def _overview() -> str:
    found = events.signals()
    rows = (
        (f"[`{item.id}`]({item.id}.md)", item.severity, plain(item.title), _KINDS[item.kind].split(",")[0])
        for item in found
    )
    return page(
        "Signals",
        [
            f"The {len(found)} events that are followed from their source to someone who acts. "
            "[Signals explained](../../explanation/signals.md) says how.",
            "",
            *table(("Signal", "Severity", "What must hold", "Source"), rows),
        ],
    )


def _signal(signal: Signal) -> str:
    first = signal.members[0]
    place = _place(leader_only=signal.leader_only or first.leader_only)
    of_family = " (the first of the family)" * (len(signal.members) > 1)
    lines = [
        "[All signals](index.md)",
        "",
        f"**{plain(signal.title)}.** Severity: **{signal.severity}**. {_KINDS[signal.kind]}. "
        f"Its check is [`signal.{signal.id}`](../checks/signal/{signal.id}.md).",
        "",
        plain(signal.why),
        "",
    ]
    if signal.leader_only:
        lines += [
            "The event exists only in the region of the partition's global services (`us-east-1` in `aws`).",
            "",
        ]
    lines += fence(f"postureaudit trace --demo --signal {signal.id}", "sh")
    if len(signal.members) > 1:
        names = ", ".join(code(member.name) for member in signal.members)
        lines += [f"It is a family: each of these events must get through: {names}.", ""]
    lines += [
        "## The event",
        "",
        f"The document that is matched against rules and filters{of_family}, as AWS sends it "
        f"([source]({signal.doc})); account, region and time are those of the place that is traced.",
        "",
        *fence(json.dumps(events.document(first.template, place), indent=2), "json"),
        "## What a new rule needs",
        "",
        "The part of an EventBridge pattern that takes the event's `detail`:",
        "",
        *fence(json.dumps(signal.pattern), "json"),
    ]
    if signal.filter:
        lines += [
            "A CloudWatch Logs metric filter on the trail's log group:",
            "",
            *fence(signal.filter, "text"),
        ]
    return page(code(signal.id), lines)


def _place(*, leader_only: bool) -> Place:
    """An account and a day for the example; what exists only in one region is shown there."""
    region = "us-east-1" if leader_only else "eu-west-1"
    return Place(account="111122223333", region=region, partition="aws", time="2026-11-24T09:53:00Z")
