"""SNS topics and their subscriptions, and SQS queues."""

from __future__ import annotations

import json

from ..faults import AwsError
from ..world import Call, Json, now
from .registry import handles

_SETTABLE = (
    *("Policy", "KmsMasterKeyId", "DisplayName", "DeliveryPolicy", "SignatureVersion", "TracingConfig"),
    *("ContentBasedDeduplication", "MaximumMessageSize", "FifoTopic", "FifoThroughputScope", "ArchivePolicy"),
)
_FEEDBACK = ("SuccessFeedbackRoleArn", "FailureFeedbackRoleArn", "SuccessFeedbackSampleRate")
_PROTOCOLS = (*("http", "https", "email", "email-json", "sms", "sqs", "application", "lambda", "firehose"),)
_OF_A_SUBSCRIPTION = (
    *("DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy"),
    "SubscriptionRoleArn",
)


def _invalid(text: str) -> AwsError:
    return AwsError("InvalidParameter", f"Invalid parameter: {text}")


def _topic(call: Call, given: Json) -> Json:
    arn = given["TopicArn"]
    parts = arn.split(":")
    if len(parts) != 6:
        raise _invalid(f"TopicArn Reason: An ARN must have at least 6 elements, not {len(parts)}")
    if parts[3] != call.region:
        raise _invalid("TopicArn")
    if parts[4] != call.account.id:
        text = f"User: {call.arn} is not authorized to perform: SNS:{call.operation} on resource: {arn}"
        raise AwsError("AuthorizationError", text, 403)
    if arn not in call.here.sns["topics"]:
        raise AwsError("NotFound", "Topic does not exist", 404)
    found: Json = call.here.sns["topics"][arn]
    return found


@handles("sns:ListTopics")
def _topics(call: Call, given: Json) -> Json:
    return {"Topics": [{"TopicArn": arn} for arn in sorted(call.here.sns["topics"])]}


@handles("sns:GetTopicAttributes")
def _topic_attributes(call: Call, given: Json) -> Json:
    topic = _topic(call, given)
    listed = topic["Subscriptions"].values()
    there = [item["Attributes"] for item in listed if not item["Deleted"]]
    pending = sum(item["PendingConfirmation"] == "true" for item in there)
    retry = {"minDelayTarget": 20, "maxDelayTarget": 20, "numRetries": 3, "backoffFunction": "linear"}
    counts = {
        "SubscriptionsConfirmed": str(len(there) - pending),
        "SubscriptionsPending": str(pending),
        "SubscriptionsDeleted": str(len(listed) - len(there)),
        "EffectiveDeliveryPolicy": json.dumps({"http": {"defaultHealthyRetryPolicy": retry}}),
    }
    return {"Attributes": {**counts, **topic["Attributes"]}}


@handles("sns:CreateTopic")
def _create_topic(call: Call, given: Json) -> Json:
    attributes = dict(given.get("Attributes") or {})
    arn = call.here.arn("sns", given["Name"])
    if arn not in call.here.sns["topics"]:
        policy, kms = attributes.pop("Policy", None), attributes.pop("KmsMasterKeyId", None)
        call.here.add_topic(given["Name"], policy=policy, kms=kms, **attributes)
    return {"TopicArn": arn}


@handles("sns:DeleteTopic")
def _delete_topic(call: Call, given: Json) -> Json:
    call.here.sns["topics"].pop(given["TopicArn"], None)
    return {}


@handles("sns:SetTopicAttributes")
def _set_topic(call: Call, given: Json) -> Json:
    attributes, name = _topic(call, given)["Attributes"], given["AttributeName"]
    value = given.get("AttributeValue", "")
    if name not in _SETTABLE and not name.endswith(_FEEDBACK):
        raise _invalid("AttributeName")
    if name == "Policy":
        _check_policy(value, given["TopicArn"])
    if name == "KmsMasterKeyId" and not value:
        attributes.pop(name, None)
    else:
        attributes[name] = value
    return {}


def _check_policy(text: str, arn: str) -> None:
    try:
        statements = json.loads(text)["Statement"]
    except (ValueError, KeyError, TypeError):
        raise _invalid("Policy Error: null") from None
    for item in statements if isinstance(statements, list) else [statements]:
        resources = item.get("Resource", [])
        if any(one != arn for one in ([resources] if isinstance(resources, str) else resources)):
            raise _invalid("Policy statement resource must match the topic")


@handles("sns:ListSubscriptionsByTopic")
def _by_topic(call: Call, given: Json) -> Json:
    return {"Subscriptions": [_listed(item) for item in _topic(call, given)["Subscriptions"].values()]}


@handles("sns:ListSubscriptions")
def _subscriptions(call: Call, given: Json) -> Json:
    topics = call.here.sns["topics"].values()
    return {"Subscriptions": [_listed(item) for topic in topics for item in topic["Subscriptions"].values()]}


def _listed(item: Json) -> Json:
    """A subscription as lists show it: one that nobody confirmed has a word in place of its ARN."""
    found = {key: item["Attributes"][key] for key in ("Owner", "Protocol", "Endpoint", "TopicArn")}
    if item["Deleted"]:
        return {**found, "SubscriptionArn": "Deleted"}
    pending = item["Attributes"]["PendingConfirmation"] == "true"
    arn = "PendingConfirmation" if pending else item["Attributes"]["SubscriptionArn"]
    return {**found, "SubscriptionArn": arn}


def _subscription(call: Call, given: Json) -> tuple[Json, str]:
    """(the subscriptions of its topic, the ARN)."""
    arn = given["SubscriptionArn"]
    parts = arn.split(":")
    if len(parts) < 6:
        raise _invalid(f"SubscriptionArn Reason: An ARN must have at least 6 elements, not {len(parts)}")
    topic = call.here.sns["topics"].get(arn.rpartition(":")[0], {"Subscriptions": {}})
    known: Json = topic["Subscriptions"]
    if arn not in known or known[arn]["Deleted"]:
        raise AwsError("NotFound", "Subscription does not exist", 404)
    return known, arn


@handles("sns:GetSubscriptionAttributes")
def _subscription_attributes(call: Call, given: Json) -> Json:
    known, arn = _subscription(call, given)
    return {"Attributes": known[arn]["Attributes"]}


@handles("sns:SetSubscriptionAttributes")
def _set_subscription(call: Call, given: Json) -> Json:
    known, arn = _subscription(call, given)
    attributes, name, value = (
        known[arn]["Attributes"],
        given["AttributeName"],
        given.get("AttributeValue", ""),
    )
    if name not in _OF_A_SUBSCRIPTION:
        raise _invalid("AttributeName")
    if name == "FilterPolicy" and value in ("", "{}"):
        attributes.pop("FilterPolicy", None)
        attributes.pop("FilterPolicyScope", None)
        return {}
    attributes[name] = value
    if name == "FilterPolicy":
        attributes.setdefault("FilterPolicyScope", "MessageAttributes")
    return {}


@handles("sns:Subscribe")
def _subscribe(call: Call, given: Json) -> Json:
    topic, protocol, endpoint = _topic(call, given), given["Protocol"], given.get("Endpoint", "")
    if protocol not in _PROTOCOLS:
        raise _invalid(f"Amazon SNS does not support this protocol string: {protocol}")
    for arn, item in topic["Subscriptions"].items():
        known = item["Attributes"]
        if (known["Protocol"], known["Endpoint"]) == (protocol, endpoint) and not item["Deleted"]:
            return {"SubscriptionArn": _shown(known, arn, given)}
    own = ":" in endpoint and endpoint.split(":")[4:5] == [call.account.id]
    confirmed = protocol in ("sms", "application") or (protocol in ("sqs", "lambda", "firehose") and own)
    attributes = dict(given.get("Attributes") or {})
    if "FilterPolicy" in attributes:
        attributes.setdefault("FilterPolicyScope", "MessageAttributes")
    arn = call.here.add_subscription(
        given["TopicArn"], Protocol=protocol, Endpoint=endpoint, confirmed=confirmed, **attributes
    )
    return {"SubscriptionArn": _shown(topic["Subscriptions"][arn]["Attributes"], arn, given)}


def _shown(attributes: Json, arn: str, given: Json) -> str:
    """What Subscribe answers: two words of English until the subscription is confirmed."""
    pending = attributes["PendingConfirmation"] == "true"
    return "pending confirmation" if pending and not given.get("ReturnSubscriptionArn") else arn


@handles("sns:Unsubscribe")
def _unsubscribe(call: Call, given: Json) -> Json:
    known, arn = _subscription(call, given)
    if known[arn]["Attributes"]["PendingConfirmation"] == "true":
        raise _invalid(
            "SubscriptionArn Reason: This subscription is pending confirmation and cannot be deleted"
        )
    known[arn]["Deleted"] = True
    return {}


def _queue(call: Call, given: Json) -> Json:
    """The queue that a URL names; its region is that of the call, as the address of the service is."""
    owner, _, name = given["QueueUrl"].rstrip("/").rpartition("/")
    account = owner.rpartition("/")[2]
    if account != call.account.id and account in call.world.accounts:
        text = f"User: {call.arn} is not authorized to perform: sqs:{call.operation.lower()} on resource: "
        raise AwsError(
            "AccessDeniedException",
            f"{text}arn:aws:sqs:{call.region}:{account}:{name}",
            403,
            {"x-amzn-query-error": "AccessDenied;Sender"},
        )
    return _named(call, name)


def _named(call: Call, name: str) -> Json:
    if name not in call.here.sqs["queues"]:
        raise AwsError(
            "com.amazonaws.sqs#QueueDoesNotExist",
            "The specified queue does not exist.",
            400,
            {"x-amzn-query-error": "AWS.SimpleQueueService.NonExistentQueue;Sender"},
        )
    found: Json = call.here.sqs["queues"][name]
    return found


def _url(call: Call, name: str) -> str:
    return f"https://sqs.{call.region}.amazonaws.com/{call.account.id}/{name}"


@handles("sqs:GetQueueUrl")
def _queue_url(call: Call, given: Json) -> Json:
    owner = given.get("QueueOwnerAWSAccountId") or call.account.id
    _named(call, given["QueueName"] if owner == call.account.id else "")
    return {"QueueUrl": _url(call, given["QueueName"])}


@handles("sqs:ListQueues")
def _queues(call: Call, given: Json) -> Json:
    prefix = given.get("QueueNamePrefix", "")
    names = sorted(name for name in call.here.sqs["queues"] if name.startswith(prefix))
    return {"QueueUrls": [_url(call, name) for name in names]} if names else {}


@handles("sqs:GetQueueAttributes")
def _queue_attributes(call: Call, given: Json) -> Json:
    queue, wanted = _queue(call, given), given.get("AttributeNames") or []
    found = {key: value for key, value in queue.items() if "All" in wanted or key in wanted}
    return {"Attributes": found} if found else {}


@handles("sqs:SetQueueAttributes")
def _set_queue(call: Call, given: Json) -> Json:
    queue = _queue(call, given)
    for name, value in given["Attributes"].items():
        if name.startswith("Approximate") or name in ("QueueArn", "CreatedTimestamp", "All"):
            raise AwsError("InvalidAttributeName", f"Unknown Attribute {name}.")
        if name == "Policy" and value:
            try:
                json.loads(value)
            except ValueError:
                text = "Invalid value for the parameter Policy."
                raise AwsError("InvalidAttributeValue", text) from None
        queue[name] = value
        if not value:
            del queue[name]
        if name == "KmsMasterKeyId":
            queue["SqsManagedSseEnabled"] = "false"
    queue["LastModifiedTimestamp"] = str(int(now().timestamp()))
    return {}


@handles("sqs:CreateQueue")
def _create_queue(call: Call, given: Json) -> Json:
    name, attributes = given["QueueName"], dict(given.get("Attributes") or {})
    if name not in call.here.sqs["queues"]:
        policy, kms = attributes.pop("Policy", None), attributes.pop("KmsMasterKeyId", None)
        call.here.add_queue(name, policy=policy, kms=kms, **attributes)
    return {"QueueUrl": _url(call, name)}
