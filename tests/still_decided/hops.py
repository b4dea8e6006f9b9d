"""What still decides the checks of rules, topics and alarms when a call is refused."""

_SEEN = "what other calls show is judged as before; a place of its own, or the region, is unknown for what is hidden"
_GAP = "a rule, target or alarm that is seen and broken is a gap whatever else is hidden"
_OTHER = "the targets are of other kinds"
_PARENT = "a composite alarm or another action tells someone"
_TOPIC = (
    *("topic-not-public", "topic-encrypted"),
    *("topic-has-confirmed-subscription", "subscriptions-confirmed"),
)

DECIDED = {
    **{
        (call, f"sns.{name}"): _SEEN
        for name in _TOPIC
        for call in (
            *("events:ListEventBuses", "events:ListRules", "events:ListTargetsByRule"),
            *("cloudtrail:DescribeTrails", "logs:DescribeMetricFilters", "cloudwatch:DescribeAlarms"),
        )
    },
    **{("sns:GetTopicAttributes", f"sns.{name}"): "the list of subscriptions decides" for name in _TOPIC[2:]},
    **{
        (call, f"eventbridge.{name}"): _GAP
        for name in ("rules-match", "rules-have-targets", "targets-exist")
        for call in ("events:ListEventBuses", "events:ListRules", "events:ListTargetsByRule")
    },
    ("sns:GetTopicAttributes", "eventbridge.targets-exist"): _OTHER,
    ("lambda:GetFunctionConfiguration", "eventbridge.targets-exist"): _OTHER,
    ("sqs:GetQueueUrl", "eventbridge.targets-exist"): _OTHER,
    ("stepfunctions:DescribeStateMachine", "eventbridge.targets-exist"): _OTHER,
    ("events:DescribeApiDestination", "eventbridge.targets-exist"): _OTHER,
    ("lambda:GetFunctionConfiguration", "alarms.can-notify"): _PARENT,
    ("sns:GetTopicAttributes", "alarms.can-notify"): _PARENT,
    ("sqs:GetQueueUrl", "alarms.can-notify"): _PARENT,
    ("stepfunctions:DescribeStateMachine", "alarms.can-notify"): _PARENT,
    ("events:DescribeApiDestination", "alarms.can-notify"): _PARENT,
    ("cloudtrail:DescribeTrails", "alarms.can-notify"): _SEEN,
    ("cloudtrail:DescribeTrails", "alarms.can-ring"): _SEEN,
}
