"""From a rule, an alarm or a topic to its target: does it exist, does it admit the sender, does anyone hear it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

import msgspec

from postureaudit.evidence import Absent, Json, Outcome, Refusal
from postureaudit.resources import View, body, member
from postureaudit.signals import asks, event_pattern, mends, policy, roles, senders
from postureaudit.signals.arns import Arn
from postureaudit.signals.model import Hop, Mend, Road, State
from postureaudit.signals.policy import PolicyError, Request

TOPIC_CALLS = (
    "sns:GetTopicAttributes",
    "sns:ListSubscriptionsByTopic",
    "sns:GetSubscriptionAttributes",
)
KEY_CALLS = ("kms:DescribeKey", "kms:GetKeyPolicy")
FUNCTION_CALLS = ("lambda:GetFunctionConfiguration", "lambda:GetPolicy", "lambda:GetFunctionConcurrency")
QUEUE_CALLS = ("sqs:GetQueueUrl", "sqs:GetQueueAttributes")
CALLS = (
    *(*TOPIC_CALLS, *KEY_CALLS, *FUNCTION_CALLS, *QUEUE_CALLS),
    "stepfunctions:DescribeStateMachine",
    "events:DescribeApiDestination",
)
MISSING = "does not exist"  # how the reason ends of a target that is gone
_MAIL = ("email", "email-json")
# Services that take an event with the target's role and act on it; whether they do is theirs to say.
_ACTORS = {
    "ssm": "Systems Manager",
    "ssm-incidents": "Incident Manager",
    "codebuild": "CodeBuild",
    "ecs": "ECS",
    "batch": "Batch",
    "chatbot": "Amazon Q Developer in chat",
}
_MACHINES = ("automate", "autoscaling", "ec2")  # what an alarm stops, starts or scales


class Sender(msgspec.Struct, frozen=True, kw_only=True):
    """Who delivers: an EventBridge rule, a CloudWatch alarm or an SNS topic, by its ARN."""

    kind: str  # "rule", "alarm" or "topic"
    arn: str
    role: str = ""  # the role that a rule delivers with; then the target's own policy is not asked

    def admitted(self, view: View, action: str, resource: str, document: object = None) -> Hop | None:
        """The role's hop, where a role delivers. The target's own policy can still deny it."""
        if not self.role:
            return None
        hop = roles.may(view, self.role, action, resource)
        if hop.state is State.OK and Arn.parse(self.role).account != Arn.parse(resource).account:
            return invited(document, self.role, action, resource) or hop
        if hop.state is not State.OK or not document:
            return hop
        request = Request(principal=self.role, action=action, resource=resource)
        return denied(document, request, hop.kind, hop.name, hop.region) or hop

    @property
    def principal(self) -> str:
        names = {"rule": "events", "alarm": "cloudwatch", "topic": "sns"}
        return f"{names[self.kind]}.amazonaws.com"


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """What is delivered: the message's body where it is known, and whether the target rewrites it."""

    body: Mapping[str, Json] | None


Forward = Callable[[str], list[Road]]  # from a bus of this account on


def deliver(
    view: View, arn: str, sender: Sender, parcel: Parcel, forward: Forward | None = None
) -> list[Road]:
    """The roads from a target on. Each ends with who acts, or with the hop that stops it."""
    parts = Arn.parse(arn)
    if not parts.service:
        return [(_stop("target", arn, "", f"{arn!r} is no ARN"),)]
    if parts.service in _MACHINES:
        return [(_stop("action", arn, parts.region, "it acts on machines and tells nobody"),)]
    if parts.account not in ("", view.account):
        other = view.other(parts.account)
        if other is None or parts.service not in ("sns", "lambda", "sqs", "events"):
            reason = f"it belongs to account {parts.account}, which is not read here"
            return [(Hop(kind="target", name=arn, region=parts.region, state=State.LEAVES, reason=reason),)]
        if parts.kind == "event-bus" and forward:
            return forward(arn)
        if sender.kind == "rule" and not sender.role:
            # EventBridge user guide, "Sending events to an AWS service in another account": with an execution role.
            reason = (
                f"it belongs to account {parts.account}, and the target names no role to deliver there with"
            )
            return [(Hop(kind="target", name=arn, region=parts.region, state=State.UNKNOWN, reason=reason),)]
        return [abroad(road, parts.account) for road in deliver(other, arn, sender, parcel)]
    home = Arn.parse(sender.arn).region
    if sender.kind == "rule" and parts.region not in ("", home) and parts.kind != "event-bus":
        reason = f"EventBridge reaches from {home} into another region by way of an event bus only"
        return [(_stop("target", arn, parts.region, reason),)]
    match parts.service:
        case "sns":
            return _topic(view, arn, sender, parcel)
        case "lambda":
            return [view.once(("function", arn, sender), lambda: _function(view, arn, sender))]
        case "sqs":
            return [view.once(("queue", arn, sender), lambda: _queue(view, arn, sender))]
        case "states":
            return [view.once(("machine", arn, sender), lambda: _machine(view, arn, sender))]
        case "events" if parts.kind == "event-bus" and forward:
            return forward(arn)
        case "events" if parts.kind == "api-destination":
            return [_destination(view, arn, sender)]
        case "logs":
            return [(_stop("log group", parts.resource, parts.region, "a log group tells nobody"),)]
        case "kinesis" | "firehose":
            reason = "it is a stream: who reads it is not seen from here"
            return [
                (Hop(kind="stream", name=parts.name, region=parts.region, state=State.LEAVES, reason=reason),)
            ]
        case service if service in _ACTORS:
            return [(_end(_ACTORS[service], parts.resource, parts.region, "what it does is not tried"),)]
        case _:
            reason = f"the tracer does not know what {parts.service} does with an event"
            return [(Hop(kind="target", name=arn, region=parts.region, state=State.UNKNOWN, reason=reason),)]


def abroad(road: Road, account: str) -> Road:
    """A road in another account: its hops say so, and what mends them is done there, by hand."""
    return tuple(
        msgspec.structs.replace(
            hop,
            name=hop.name
            if f":{account}:" in hop.name or account in hop.name
            else f"{hop.name} (account {account})",
            mend=mends.elsewhere(
                f"In account {account}: {hop.kind} {hop.name} in {hop.region}: {hop.reason}."
            )
            if hop.mend
            else None,
        )
        for hop in road
    )


def invited(document: object, role: str, action: str, resource: str) -> Hop | None:
    """The hop that stops a role of another account: a resource has to let it, or its account, in by its own policy.

    None where it does (IAM user guide, "Cross-account policy evaluation logic").
    """
    owner = Arn.parse(role)
    hop = Hop(kind="policy", name=resource, region=Arn.parse(resource).region)
    root = f"arn:{owner.partition}:iam::{owner.account}:root"
    found = []
    for principal in (role, root):
        try:
            request = Request(principal=principal, action=action, resource=resource)
            found.append(policy.decide(document or '{"Statement": []}', request))
        except PolicyError as error:
            return msgspec.structs.replace(hop, state=State.UNKNOWN, reason=error.message)
    if any(item.reason.find("denies") >= 0 and item.verdict is False for item in found):
        return msgspec.structs.replace(
            hop, state=State.BROKEN, reason=f"its policy refuses {role}: a statement denies"
        )
    if any(item.verdict is True for item in found):
        return None
    sure = all(item.verdict is False for item in found)
    reason = f"its policy lets neither {role} nor account {owner.account} in"
    unsure = f"whether its policy lets {role} in is not certain: {found[0].reason}"
    return msgspec.structs.replace(
        hop, state=State.BROKEN if sure else State.UNKNOWN, reason=reason if sure else unsure
    )


def _end(kind: str, name: str, region: str, weakness: str = "") -> Hop:
    return Hop(kind=kind, name=name, region=region, weakness=weakness)


def _stop(kind: str, name: str, region: str, reason: str, mend: Mend | None = None) -> Hop:
    return Hop(kind=kind, name=name, region=region, state=State.BROKEN, reason=reason, mend=mend)


def unknown(kind: str, name: str, region: str, refusal: Refusal) -> Hop:
    """A hop that a refused call hides."""
    return Hop(
        kind=kind, name=name, region=region, state=State.UNKNOWN, reason=refusal.reason(), refusal=refusal
    )


def _admits(
    document: object, requests: Sequence[Request], kind: str, name: str, region: str, mend: Callable[[], Mend]
) -> Hop:
    """Whether a resource's policy lets the sender in. What is not understood is unknown, never yes."""
    for request in requests:
        try:
            found = policy.decide(document, request)
        except PolicyError as error:
            return Hop(kind=kind, name=name, region=region, state=State.UNKNOWN, reason=error.message)
        if found.verdict is None:
            return Hop(kind=kind, name=name, region=region, state=State.UNKNOWN, reason=found.reason)
        if not found.verdict:
            denied = found.reason.find("denies") >= 0
            repair = (
                mends.elsewhere(
                    f"Take the statement that denies {request.principal} out of the policy of {name}."
                )
                if denied
                else mend()
            )
            return _stop(kind, name, region, f"its policy refuses: {found.reason}", repair)
    return Hop(kind=kind, name=name, region=region)


def _welcome(
    role: Hop | None, document: object, request: Request, own: Hop, mend: Callable[[], Mend]
) -> Road:
    """The role's hop and the target's, or the target's alone, which its own policy decides."""
    if role is not None:
        return (role, own) if role.state is State.OK else (role,)
    return (_admits(document or '{"Statement": []}', [request], own.kind, own.name, own.region, mend),)


def denied(document: object, request: Request, kind: str, name: str, region: str) -> Hop | None:
    """The hop of a policy that denies, or may deny, what an identity of this account may do by its own policies."""
    everyone = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    try:
        whole = policy.parsed(document)
        found = policy.decide({**whole, "Statement": [*policy.statements(whole), everyone]}, request)
    except PolicyError as error:
        return Hop(kind=kind, name=name, region=region, state=State.UNKNOWN, reason=error.message)
    if found.verdict is True:
        return None
    state = State.UNKNOWN if found.verdict is None else State.BROKEN
    reason = f"the policy of {request.resource}: {found.reason}"
    return Hop(kind=kind, name=name, region=region, state=state, reason=reason)


# ---------------------------------------------------------------- SNS


def _topic(view: View, arn: str, sender: Sender, parcel: Parcel) -> list[Road]:
    start, there = view.once(("topic", arn, sender), lambda: _admission(view, arn, sender))
    if not there:
        return [start]
    return [(*start, *tail) for tail in _listeners(view, arn, parcel)]


def _admission(view: View, arn: str, sender: Sender) -> tuple[Road, bool]:
    """The topic's own hops, and whether it is there at all: its policy and its key."""
    region = Arn.parse(arn).region
    ask, _ = asks.topic_asks(arn)
    outcome = view.outcome(ask.call, region, **ask.params)
    attributes = member(outcome, "Attributes", {})
    if isinstance(attributes, Refusal):
        return (unknown("topic", arn, region, attributes),), False
    if isinstance(outcome, Absent):
        return (_stop("topic", arn, region, f"the topic {MISSING}"),), False
    request = (senders.events_to_sns if sender.kind == "rule" else senders.alarm_to_sns)(sender.arn, arn)
    role = sender.admitted(view, "sns:Publish", arn, attributes.get("Policy"))
    own = _welcome(
        role,
        attributes.get("Policy"),
        request,
        Hop(kind="topic", name=arn, region=region),
        lambda: mends.allow_topic(arn, attributes, sender.principal, sender.arn),
    )
    if key := attributes.get("KmsMasterKeyId"):
        return (*own, _key(view, str(key), sender, arn, region, mends.own_key(arn))), True
    return own, True


def _listeners(view: View, arn: str, parcel: Parcel) -> list[Road]:
    """The subscribers' roads, worked out once where no filter looks into the message."""
    key = ("heard", arn)
    if view.once(("filtered", arn), lambda: _by_body(view, arn)):
        return _subscribers(view, arn, parcel)
    return view.once(key, lambda: _subscribers(view, arn, parcel))


def _by_body(view: View, arn: str) -> bool:
    region = Arn.parse(arn).region
    _, listing = asks.topic_asks(arn)
    listed = member(view.outcome(listing.call, region, **listing.params), "Subscriptions", [])
    for item in [] if isinstance(listed, Refusal) else listed:
        if str(item.get("SubscriptionArn")).startswith("arn:"):
            ask = asks.subscription_ask(str(item["SubscriptionArn"]))
            found = member(view.outcome(ask.call, region, **ask.params), "Attributes", {})
            if not isinstance(found, Refusal) and found.get("FilterPolicyScope") == "MessageBody":
                return True
    return False


def _subscribers(view: View, arn: str, parcel: Parcel) -> list[Road]:
    region = Arn.parse(arn).region
    _, listing = asks.topic_asks(arn)
    listed = member(view.outcome(listing.call, region, **listing.params), "Subscriptions", [])
    if isinstance(listed, Refusal):
        return [(unknown("subscription", arn, region, listed),)]
    confirmed = [item for item in listed if str(item.get("SubscriptionArn")).startswith("arn:")]
    if not confirmed:
        pending = sum(item.get("SubscriptionArn") == "PendingConfirmation" for item in listed)
        reason = (
            f"nobody hears the topic: {pending} subscription{'s' * (pending > 1)} pending, none confirmed"
            if pending
            else "nobody hears the topic: it has no subscription"
        )
        return [(_stop("subscription", arn, region, reason, mends.subscribe(arn)),)]
    weakness = _weakness(confirmed)
    return [
        _subscription(view, item, arn, region, parcel, weakness)
        for item in sorted(
            confirmed, key=lambda item: (str(item.get("Protocol")), str(item.get("SubscriptionArn")))
        )
    ]


def _weakness(confirmed: Sequence[Mapping[str, Json]]) -> str:
    if len(confirmed) == 1:
        protocol = confirmed[0].get("Protocol")
        return "one e-mail address only" if protocol in _MAIL else f"one subscription only ({protocol})"
    return "e-mail only" if all(item.get("Protocol") in _MAIL for item in confirmed) else ""


def subscriber(item: Mapping[str, Json]) -> str:
    """A subscription for people; of a web hook the host alone, because its path often is a password."""
    protocol, endpoint = str(item.get("Protocol")), str(item.get("Endpoint"))
    host = urlsplit(endpoint).hostname if protocol in ("http", "https") else None
    return f"{protocol} {host or endpoint}"


def _subscription(
    view: View, item: Mapping[str, Json], topic: str, region: str, parcel: Parcel, weakness: str
) -> Road:
    protocol, endpoint = str(item.get("Protocol")), str(item.get("Endpoint"))
    name = subscriber(item)
    ask = asks.subscription_ask(str(item["SubscriptionArn"]))
    attributes = member(view.outcome(ask.call, region, **ask.params), "Attributes", {})
    if isinstance(attributes, Refusal):
        return (unknown("subscription", name, region, attributes),)
    hop = _filtered(attributes, str(item["SubscriptionArn"]), name, region, parcel)
    hop = msgspec.structs.replace(hop, weakness=weakness) if hop.state is State.OK else hop
    sender = Sender(kind="topic", arn=topic)
    if protocol in ("lambda", "sqs", "firehose"):
        [tail] = deliver(view, endpoint, sender, Parcel(body=None))
        return (hop, *tail)
    return (hop,)


def _filtered(
    attributes: Mapping[str, Json], subscription: str, name: str, region: str, parcel: Parcel
) -> Hop:
    """Whether the subscription's filter policy lets the message through (SNS developer guide, "Message filtering").

    EventBridge and alarms send no message attributes, so a policy on attributes drops all that it does not let be
    absent.
    """
    text = attributes.get("FilterPolicy")
    if not text or text == "{}":
        return Hop(kind="subscription", name=name, region=region)
    on_body = attributes.get("FilterPolicyScope") == "MessageBody"
    if on_body and parcel.body is None:
        reason = "it filters by the message's body, which is rewritten on the way"
        return Hop(kind="subscription", name=name, region=region, state=State.UNKNOWN, reason=reason)
    try:
        mismatch = event_pattern.explain(str(text), parcel.body if on_body and parcel.body else {})
    except event_pattern.PatternError as error:
        reason = f"its filter policy is not understood: {error.message}"
        return Hop(kind="subscription", name=name, region=region, state=State.UNKNOWN, reason=reason)
    if mismatch is None:
        return Hop(kind="subscription", name=name, region=region)
    what = "body" if on_body else "attributes, of which there are none"
    reason = f"its filter policy drops the message by its {what}: {mismatch.sentence()}"
    return _stop("subscription", name, region, reason, mends.unfilter(subscription, attributes))


# ---------------------------------------------------------------- KMS


def _key(view: View, key: str, sender: Sender, target: str, region: str, own: Mend) -> Hop:
    """Whether the sender may use the key that encrypts a topic or queue."""
    describe = asks.key_ask(key, region)
    where = describe.region or region
    outcome = view.outcome(describe.call, where, **describe.params)
    found = member(outcome, "KeyMetadata", {})
    if key.endswith(("alias/aws/sns", "alias/aws/sqs")):
        reason = f"{key.rpartition(':')[2]} is AWS's own key, whose policy lets no service publish"
        return _stop("key", key, where, reason, own)
    if isinstance(found, Refusal):
        return unknown("key", key, where, found)
    if isinstance(outcome, Absent):
        return _stop("key", key, where, f"the key {MISSING}", own)
    if found.get("KeyManager") == "AWS":
        return _stop("key", key, where, "it is AWS's own key, whose policy lets no service publish", own)
    arn = str(found.get("Arn") or key)
    if (state := found.get("KeyState")) != "Enabled":
        mend = mends.enable_key(describe, arn, found) if state in ("Disabled", "PendingDeletion") else own
        return _stop("key", key, where, f"the key's state is {state}: nothing can be encrypted with it", mend)
    ask = asks.key_policy_ask(arn)
    text = member(view.outcome(ask.call, where, **ask.params), "Policy")
    if isinstance(text, Refusal):
        return unknown("key", key, where, text)
    if sender.role:
        return _key_of_role(view, text, sender, arn, key, where)
    match sender.kind:
        case "rule":
            requests = senders.events_to_kms(sender.arn, arn, target)
        case "alarm":
            requests = senders.alarm_to_kms(sender.arn, arn)
        case _:
            requests = senders.sns_to_kms(sender.arn, arn)
    return _admits(
        text or '{"Statement": []}',
        requests,
        "key",
        key,
        where,
        lambda: mends.allow_key(arn, str(text), sender.principal),
    )


def _key_of_role(view: View, text: Json, sender: Sender, arn: str, key: str, where: str) -> Hop:
    """Whether a role may use a key: the key's policy names it, or leaves it to the account's own policies."""
    account = f"arn:{view.partition}:iam::{Arn.parse(sender.role).account or view.account}:root"
    for action in ("kms:GenerateDataKey", "kms:Decrypt"):
        named, left = (
            policy.decide(text or '{"Statement": []}', Request(principal=who, action=action, resource=arn))
            for who in (sender.role, account)
        )
        if named.verdict is True:
            continue
        if left.verdict is not True or named.reason.find("denies") >= 0:
            sure = named.verdict is False and left.verdict is False
            state = State.BROKEN if sure else State.UNKNOWN
            reason = f"its policy for the role {sender.role}: {named.reason}"
            return Hop(kind="key", name=key, region=where, state=state, reason=reason)
        hop = roles.may(view, sender.role, action, arn)
        if hop.state is not State.OK:
            return hop
    return Hop(kind="key", name=key, region=where)


# ---------------------------------------------------------------- Lambda, SQS, Step Functions, API destinations


def _function(view: View, arn: str, sender: Sender) -> Road:
    region = Arn.parse(arn).region
    state_ask, policy_ask, limit_ask = asks.function_asks(arn)
    outcome = view.outcome(state_ask.call, region, **state_ask.params)
    state = member(outcome, "State", "Active")
    if isinstance(state, Refusal):
        return (unknown("function", arn, region, state),)
    if isinstance(outcome, Absent):
        return (_stop("function", arn, region, f"the function {MISSING}"),)
    if state == "Failed":
        return (_stop("function", arn, region, "the function's state is Failed: it cannot run"),)
    limit = member(view.outcome(limit_ask.call, region, **limit_ask.params), "ReservedConcurrentExecutions")
    if isinstance(limit, Refusal):
        return (unknown("function", arn, region, limit),)
    if limit == 0:
        reason = "its reserved concurrency is 0: it never runs"
        return (_stop("function", arn, region, reason, mends.free_function(arn)),)
    text = member(view.outcome(policy_ask.call, region, **policy_ask.params), "Policy")
    if isinstance(text, Refusal):
        return (unknown("function", arn, region, text),)
    principal = senders.ALARMS_TO_LAMBDA if sender.kind == "alarm" else sender.principal
    return _welcome(
        sender.admitted(view, "lambda:InvokeFunction", arn, text),
        text,
        _invocation(sender, arn),
        Hop(kind="function", name=arn, region=region),
        lambda: mends.allow_function(arn, text, principal, sender.arn),
    )


def _invocation(sender: Sender, arn: str) -> Request:
    match sender.kind:
        case "rule":
            return senders.events_to_lambda(sender.arn, arn)
        case "alarm":
            return senders.alarm_to_lambda(sender.arn, arn)
        case _:
            return senders.sns_to_lambda(sender.arn, arn)


def _queue(view: View, arn: str, sender: Sender) -> Road:
    region = Arn.parse(arn).region
    ask = asks.queue_ask(arn)
    outcome = view.outcome(ask.call, region, **ask.params)
    url = member(outcome, "QueueUrl")
    if isinstance(url, Refusal):
        return (unknown("queue", arn, region, url),)
    if isinstance(outcome, Absent) or not url:
        return (_stop("queue", arn, region, f"the queue {MISSING}"),)
    more = asks.queue_attributes_ask(str(url), region)
    attributes = member(view.outcome(more.call, region, **more.params), "Attributes", {})
    if isinstance(attributes, Refusal):
        return (unknown("queue", arn, region, attributes),)
    make = senders.events_to_sqs if sender.kind == "rule" else senders.sns_to_sqs
    *role, hop = _welcome(
        sender.admitted(view, "sqs:SendMessage", arn, attributes.get("Policy")),
        attributes.get("Policy"),
        make(sender.arn, arn),
        Hop(kind="queue", name=arn, region=region),
        lambda: mends.allow_queue(arn, str(url), attributes, sender.principal, sender.arn),
    )
    if hop.state is State.OK:
        hop = msgspec.structs.replace(hop, weakness="a queue: who reads it is not seen from here")
    if key := attributes.get("KmsMasterKeyId"):
        return (
            *role,
            hop,
            _key(
                view,
                str(key),
                sender,
                arn,
                region,
                mends.elsewhere("Encrypt the queue with a key of your own, or by SSE-SQS."),
            ),
        )
    return (*role, hop)


def _machine(view: View, arn: str, sender: Sender) -> Road:
    region = Arn.parse(arn).region
    ask = asks.machine_ask(arn)
    outcome: Outcome = view.outcome(ask.call, region, **ask.params)
    status = member(outcome, "status")
    if isinstance(status, Refusal):
        return (unknown("state machine", arn, region, status),)
    if isinstance(outcome, Absent):
        return (_stop("state machine", arn, region, f"the state machine {MISSING}"),)
    if status != "ACTIVE":
        return (_stop("state machine", arn, region, f"its status is {status}"),)
    role = sender.admitted(view, "states:StartExecution", arn)
    return (*((role,) if role else ()), _end("state machine", arn, region))


def _destination(view: View, arn: str, sender: Sender) -> Road:
    """An API destination: EventBridge calls it with the target's role, while its connection is authorized."""
    parts = Arn.parse(arn)
    ask = asks.destination_ask(arn)
    outcome: Outcome = view.outcome(ask.call, parts.region, **ask.params)
    found = body(outcome)
    if isinstance(found, Refusal):
        return (unknown("destination", parts.name, parts.region, found),)
    if found.get("ApiDestinationArn") != arn:
        return (_stop("destination", parts.name, parts.region, f"the API destination {MISSING}"),)
    if (state := found.get("ApiDestinationState")) != "ACTIVE":
        reason = f"its state is {state}: its connection is not authorized"
        return (_stop("destination", parts.name, parts.region, reason),)
    role = sender.admitted(view, "events:InvokeApiDestination", arn)
    end = _end("destination", parts.name, parts.region, "whether it answers is not tried")
    return (*((role,) if role else ()), end)
