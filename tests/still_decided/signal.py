"""What still decides a signal's route when a call is refused: a route is as sure as the hops that it needs."""

_SOURCE = "the source is off, or the signal comes from another service"
_ROAD = "another road reaches, no rule leads there, or a hop before it is broken"

DECIDED = {
    **dict.fromkeys(
        (
            ("guardduty:ListDetectors", "signal.*"),
            ("guardduty:GetDetector", "signal.*"),
            ("guardduty:ListFilters", "signal.*"),
            ("guardduty:GetFilter", "signal.*"),
            ("securityhub:DescribeHub", "signal.*"),
            ("securityhub:DescribeSecurityHubV2", "signal.*"),
            ("securityhub:ListEnabledProductsForImport", "signal.*"),
            ("securityhub:ListAutomationRules", "signal.*"),
            ("securityhub:BatchGetAutomationRules", "signal.*"),
            ("securityhub:ListFindingAggregators", "signal.*"),
            ("securityhub:GetFindingAggregator", "signal.*"),
            ("config:DescribeConfigurationRecorders", "signal.*"),
            ("config:DescribeConfigurationRecorderStatus", "signal.*"),
            ("cloudtrail:DescribeTrails", "signal.*"),
            ("cloudtrail:GetTrailStatus", "signal.*"),
            ("cloudtrail:GetEventSelectors", "signal.*"),
        ),
        _SOURCE,
    ),
    **dict.fromkeys(
        (
            ("events:ListRules", "signal.*"),
            ("events:ListTargetsByRule", "signal.*"),
            ("logs:DescribeMetricFilters", "signal.*"),
            ("cloudwatch:DescribeAlarms", "signal.*"),
            ("cloudwatch:ListAlarmMuteRules", "signal.*"),
            ("sns:GetTopicAttributes", "signal.*"),
            ("sns:ListSubscriptionsByTopic", "signal.*"),
            ("sns:GetSubscriptionAttributes", "signal.*"),
            ("kms:DescribeKey", "signal.*"),
            ("kms:GetKeyPolicy", "signal.*"),
            ("lambda:GetFunctionConfiguration", "signal.*"),
            ("lambda:GetPolicy", "signal.*"),
            ("lambda:GetFunctionConcurrency", "signal.*"),
            ("sqs:GetQueueUrl", "signal.*"),
            ("sqs:GetQueueAttributes", "signal.*"),
            ("stepfunctions:DescribeStateMachine", "signal.*"),
            ("iam:GetRole", "signal.*"),
            ("iam:ListRolePolicies", "signal.*"),
            ("iam:GetRolePolicy", "signal.*"),
            ("iam:ListAttachedRolePolicies", "signal.*"),
            ("iam:GetPolicy", "signal.*"),
            ("iam:GetPolicyVersion", "signal.*"),
            ("notifications:ListNotificationConfigurations", "signal.*"),
            ("notifications:ListEventRules", "signal.*"),
            ("notifications:ListChannels", "signal.*"),
            ("notificationscontacts:ListEmailContacts", "signal.*"),
        ),
        _ROAD,
    ),
}
