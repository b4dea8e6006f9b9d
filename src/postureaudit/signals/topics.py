"""The topics that rules about signals and alarms on trails' metrics send to: who may publish, and who listens."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from postureaudit import fixes
from postureaudit.evidence import Absent, Refusal, heavier
from postureaudit.resources import Facet, Resource, ResourceType, ScopeKind, View, facts, member
from postureaudit.services.base import Remedy
from postureaudit.signals import alarms, asks, mends, rules, strangers, watchers
from postureaudit.signals.arns import Arn
from postureaudit.signals.model import Mend
from postureaudit.signals.targets import subscriber

CALLS = (*rules.TARGET_CALLS, *watchers.CALLS)
# What harms when a stranger may do it: forge alerts, read them, or take them away.
_HARMFUL = (
    *("sns:Publish", "sns:Subscribe", "sns:SetTopicAttributes", "sns:AddPermission", "sns:RemovePermission"),
    "sns:DeleteTopic",
)


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """`Closed`: the topic's policy lets no stranger do harm; `Open` names the actions that it does."""

    Topic: str
    Closed: bool | Refusal
    Open: list[str]


class Subscriptions(msgspec.Struct, frozen=True, kw_only=True):
    """`Any`: there are some. `Confirmed`: one at least is. `Settled`: none waits; `Pending` names those that do."""

    Topic: str
    Any: bool | Refusal
    Confirmed: bool | Refusal
    Settled: bool | Refusal
    Pending: list[str]


class Encryption(msgspec.Struct, frozen=True, kw_only=True):
    """`On`: messages are encrypted with a KMS key; `Key` names it ("" for none)."""

    Topic: str
    On: bool | Refusal
    Key: str | Refusal


def produce(view: View) -> Iterator[Resource]:
    """One topic each that is there; "*" in a region where a refusal may hide some."""
    organization = rules.Organization(Id=rules.organization_id(view))
    for region in view.regions:
        found, hidden = _used(view, region)
        for arn in found:
            if any(
                isinstance(view.outcome(ask.call, region, **ask.params), Absent)
                for ask in asks.topic_asks(arn)
            ):
                continue  # eventbridge.targets-exist and alarms.can-notify say so
            yield Resource(
                type="sns.topic",
                id=Arn.parse(arn).resource,
                account=view.account,
                region=region,
                facts=facts(
                    Policy=_policy(view, arn),
                    Subscriptions=_subscriptions(view, arn),
                    Encryption=_encryption(view, arn),
                    Organization=organization,
                ),
            )
        if hidden is not None:
            yield Resource(
                type="sns.topic",
                id="*",
                account=view.account,
                region=region,
                facts=facts(
                    Policy=Policy(Topic="*", Closed=hidden, Open=[]),
                    Subscriptions=Subscriptions(
                        Topic="*", Any=hidden, Confirmed=hidden, Settled=hidden, Pending=[]
                    ),
                    Encryption=Encryption(Topic="*", On=hidden, Key=hidden),
                    Organization=organization,
                ),
            )


def _used(view: View, region: str) -> tuple[list[str], Refusal | None]:
    """The ARNs of the topics of this account and region that alerts are sent to, and what hides others."""
    found, hidden = rules.enabled(view, region)
    ends: list[str] = []
    for rule in found:
        listed = rules.targets(view, rule) if rule.counts else []
        if isinstance(listed, Refusal):
            hidden = heavier(hidden, listed)
        else:
            ends += [str(item.get("Arn")) for item in listed]
    rung, unseen = watchers.watchers(view, region)
    for item in rung:
        for alarm in (item.body, *alarms.parents(item.body, item.listing)):
            ends += [str(arn) for arn in alarm.get("AlarmActions") or []]
    own = {
        arn
        for arn in ends
        if (parts := Arn.parse(arn)).service == "sns"
        and (parts.account, parts.region) == (view.account, region)
    }
    return sorted(own), hidden if unseen is None else heavier(hidden, unseen)


def _attributes(view: View, arn: str) -> dict[str, Any] | Refusal:
    ask, _ = asks.topic_asks(arn)
    found: dict[str, Any] | Refusal = member(
        view.outcome(ask.call, ask.region or "", **ask.params), "Attributes", {}
    )
    return found


def _policy(view: View, arn: str) -> Policy:
    attributes, name = _attributes(view, arn), Arn.parse(arn).resource
    if isinstance(attributes, Refusal):
        return Policy(Topic=name, Closed=attributes, Open=[])
    found = strangers.may(attributes.get("Policy"), _HARMFUL, arn)
    if isinstance(found, Refusal):
        return Policy(Topic=name, Closed=found, Open=[])
    return Policy(Topic=name, Closed=not found, Open=found)


def _encryption(view: View, arn: str) -> Encryption:
    """The topic's key (SNS API reference, GetTopicAttributes: KmsMasterKeyId only where one is set)."""
    attributes, name = _attributes(view, arn), Arn.parse(arn).resource
    if isinstance(attributes, Refusal):
        return Encryption(Topic=name, On=attributes, Key=attributes)
    key = str(attributes.get("KmsMasterKeyId") or "")
    return Encryption(Topic=name, On=bool(key), Key=key)


def _listed(view: View, arn: str) -> list[dict[str, Any]] | Refusal:
    _, ask = asks.topic_asks(arn)
    found: list[dict[str, Any]] | Refusal = member(
        view.outcome(ask.call, ask.region or "", **ask.params), "Subscriptions", []
    )
    return found


def _subscriptions(view: View, arn: str) -> Subscriptions:
    listed, name = _listed(view, arn), Arn.parse(arn).resource
    if isinstance(listed, Refusal):
        return Subscriptions(Topic=name, Any=listed, Confirmed=listed, Settled=listed, Pending=[])
    waiting = _waiting(listed)
    confirmed = any(str(item.get("SubscriptionArn")).startswith("arn:") for item in listed)
    return Subscriptions(
        Topic=name,
        Any=confirmed or bool(waiting),
        Confirmed=confirmed,
        Settled=not waiting,
        Pending=[subscriber(item) for item in waiting],
    )


def _waiting(listed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    pending = [item for item in listed if item.get("SubscriptionArn") == "PendingConfirmation"]
    return sorted(pending, key=lambda item: (str(item.get("Protocol")), str(item.get("Endpoint"))))


# ---------------------------------------------------------------- what mends them


def _arn(view: View, resource: Resource) -> str:
    """The ARN of a topic resource, as its senders spell it."""
    return f"arn:{view.partition}:sns:{resource.region}:{view.account}:{resource.id}"


def close(view: View, resource: Resource, needs: Mapping[str, str]) -> Remedy:
    """Bind the open statements to the organization or the account, and to the services that act for the account."""
    arn, organization = _arn(view, resource), rules.organization_id(view)
    attributes = _attributes(view, arn)
    if isinstance(organization, Refusal) or isinstance(attributes, Refusal):
        hidden = organization if isinstance(organization, Refusal) else attributes
        assert isinstance(hidden, Refusal)
        return Remedy(steps=(f"Whom to let in is not known: {hidden.reason()}.",))
    before = str(attributes.get("Policy") or "")
    after = strangers.bounded(before, _HARMFUL, arn, organization)
    if after is None:
        return Remedy(steps=(f"Rewrite the policy of {arn}: which statement to change is not plain enough.",))

    def line(policy: str) -> tuple[str, ...]:
        options = {"--topic-arn": arn, "--attribute-name": "Policy", "--attribute-value": policy}
        return fixes.command("sns", "set-topic-attributes", {**options, "--region": str(resource.region)})

    return rules.remedy(
        [
            Mend(
                argv=(line(json.dumps(after)),),
                effect=f"writes; replaces the policy, open statements bound to {organization or view.account} and "
                "to AWS services that act for this account; other accounts that publish have to be named",
                undo=fixes.shell(line(before)),
                permissions=("sns:SetTopicAttributes",),
            )
        ]
    )


def subscribe(view: View, resource: Resource, needs: Mapping[str, str]) -> Remedy:
    """Somebody who listens; the address has to confirm."""
    return rules.remedy([mends.subscribe(_arn(view, resource))])


def confirm(view: View, resource: Resource, needs: Mapping[str, str]) -> Remedy:
    """Send the confirmation again: only the recipient can confirm, and AWS forgets the request after some days."""
    arn = _arn(view, resource)
    listed = _listed(view, arn)
    waiting = [] if isinstance(listed, Refusal) else _waiting(listed)
    mails = [item for item in waiting if str(item.get("Protocol")).startswith("email")]
    found = [
        Mend(
            argv=(
                fixes.command(
                    "sns",
                    "subscribe",
                    {
                        "--topic-arn": arn,
                        "--protocol": item["Protocol"],
                        "--notification-endpoint": item["Endpoint"],
                        "--region": str(resource.region),
                    },
                ),
            ),
            effect="writes; sends the confirmation again, which the recipient has to follow",
            undo="none needed: SNS deletes a subscription that nobody confirms",
            permissions=("sns:Subscribe",),
        )
        for item in mails
    ]
    steps = [
        f"Let {subscriber(item)} confirm its subscription, or subscribe it again: no command is printed, because its "
        "address may hold a secret."
        for item in waiting
        if item not in mails
    ]
    return rules.remedy(found, *steps)


TOPIC = ResourceType(
    name="sns.topic",
    scope=ScopeKind.RESOURCE,
    none="no rule about signals and no alarm on a trail's metrics sends to a topic",
    facets=(
        Facet(name="Policy", calls=(*CALLS, "sns:GetTopicAttributes"), shape=Policy),
        Facet(
            name="Subscriptions",
            calls=(*CALLS, "sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic"),
            shape=Subscriptions,
        ),
        Facet(name="Encryption", calls=(*CALLS, "sns:GetTopicAttributes"), shape=Encryption),
        Facet(name="Organization", calls=rules.ORGANIZATION_CALLS, shape=rules.Organization),
    ),
    produce=produce,
)
MENDERS = {"sns_close": close, "sns_subscribe": subscribe, "sns_confirm": confirm}
