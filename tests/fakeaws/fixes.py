# ruff: noqa: E501 - a command stays on one line
"""AWS CLI commands that change the state, each with the command that reads it back and what it must say."""

from __future__ import annotations

import json
from typing import Any

from .policies import allow_service, policy, topic_policy
from .world import ACCOUNT, NIST

MEMBER = "222233334444"
TRAIL = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/org"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/x"
HUB = "arn:aws:securityhub:us-east-1::"
RULE = "s3-bucket-public-read-prohibited"
PARAMETERS = (
    '{"AutomationAssumeRole":{"StaticValue":{"Values":["' + ROLE + '"]}},'
    '"S3BucketName":{"ResourceValue":{"Value":"RESOURCE_ID"}}}'
)
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:security-alerts"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:security-dlq"
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:gd-responder"
EVENT_RULE = f"arn:aws:events:us-east-1:{ACCOUNT}:rule"
AUTOMATION = f"arn:aws:securityhub:us-east-1:{ACCOUNT}:automation-rule/1"
_EVENTS = "events.amazonaws.com"
FINDINGS = '{"source":["aws.guardduty"],"detail-type":["GuardDuty Finding"],"detail":{"severity":[{"numeric":[">=",7]}]}}'
HUB_FINDINGS = '{"source":["aws.securityhub"],"detail-type":["Security Hub Findings - Imported"],"detail":{"findings":{"Severity":{"Label":["HIGH","CRITICAL"]},"Workflow":{"Status":["NEW"]},"RecordState":["ACTIVE"]}}}'
TARGETS = json.dumps(
    [
        {
            "Id": "sns",
            "Arn": TOPIC,
            "DeadLetterConfig": {"Arn": QUEUE},
            "RetryPolicy": {"MaximumRetryAttempts": 8, "MaximumEventAgeInSeconds": 3600},
        }
    ]
)
ALLOWING = topic_policy(TOPIC, allow_service(_EVENTS, "sns:Publish", TOPIC, source_arn=f"{EVENT_RULE}/*"))
DEAD_LETTERS = json.dumps({"Policy": policy(allow_service(_EVENTS, "sqs:SendMessage", QUEUE))})
KEY_POLICY = policy(
    {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "kms:*",
        "Resource": "*",
    },
    allow_service(_EVENTS, ["kms:Decrypt", "kms:GenerateDataKey*"], "*"),
)
# (command, command that reads back, JMESPath of it, wanted); {D} is the detector, {A} the aggregator, {Q} the queue's URL, {S} a subscription.
FIXES: tuple[tuple[str, str, str, Any], ...] = (
    (
        "cloudtrail create-trail|--name|new|--s3-bucket-name|trail-logs|--is-multi-region-trail|--enable-log-file-validation",
        "cloudtrail describe-trails|--trail-name-list|new",
        "trailList[0].[IsMultiRegionTrail,LogFileValidationEnabled]",
        [True, True],
    ),
    (
        f"cloudtrail start-logging|--name|{TRAIL}",
        f"cloudtrail get-trail-status|--name|{TRAIL}",
        "IsLogging",
        True,
    ),
    (
        f"cloudtrail update-trail|--name|{TRAIL}|--is-multi-region-trail|--include-global-service-events|--kms-key-id|{KEY}",
        f"cloudtrail get-trail|--name|{TRAIL}",
        "Trail.[IsMultiRegionTrail,KmsKeyId]",
        [True, KEY],
    ),
    (
        f"cloudtrail update-trail|--name|{TRAIL}|--cloud-watch-logs-log-group-arn|arn:aws:logs:us-east-1:{ACCOUNT}:log-group:trail:*|--cloud-watch-logs-role-arn|{ROLE}",
        f"cloudtrail get-trail|--name|{TRAIL}",
        "Trail.CloudWatchLogsRoleArn",
        ROLE,
    ),
    (
        f'cloudtrail put-event-selectors|--trail-name|{TRAIL}|--event-selectors|[{{"ReadWriteType":"All","IncludeManagementEvents":true,"DataResources":[]}}]',
        f"cloudtrail get-event-selectors|--trail-name|{TRAIL}",
        "EventSelectors[0].ReadWriteType",
        "All",
    ),
    (
        f'cloudtrail put-event-selectors|--trail-name|{TRAIL}|--advanced-event-selectors|[{{"FieldSelectors":[{{"Field":"eventCategory","Equals":["Management"]}}]}}]',
        f"cloudtrail get-event-selectors|--trail-name|{TRAIL}",
        "[length(AdvancedEventSelectors),EventSelectors]",
        [1, None],
    ),
    (
        f'cloudtrail put-insight-selectors|--trail-name|{TRAIL}|--insight-selectors|[{{"InsightType":"ApiCallRateInsight"}}]',
        f"cloudtrail get-insight-selectors|--trail-name|{TRAIL}",
        "length(InsightSelectors)",
        1,
    ),
    (
        "organizations enable-aws-service-access|--service-principal|cloudtrail.amazonaws.com",
        "organizations list-aws-service-access-for-organization",
        "EnabledServicePrincipals[0].ServicePrincipal",
        "cloudtrail.amazonaws.com",
    ),
    (
        f"cloudtrail update-trail|--name|{TRAIL}|--is-organization-trail|--s3-bucket-name|other",
        f"cloudtrail get-trail|--name|{TRAIL}",
        "Trail.[IsOrganizationTrail,S3BucketName]",
        [True, "other"],
    ),
    (
        "s3api put-public-access-block|--bucket|trail-logs|--public-access-block-configuration|BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true",
        "s3api get-public-access-block|--bucket|trail-logs",
        "PublicAccessBlockConfiguration.BlockPublicPolicy",
        True,
    ),
    (
        "s3api put-bucket-versioning|--bucket|trail-logs|--versioning-configuration|Status=Enabled",
        "s3api get-bucket-versioning|--bucket|trail-logs",
        "Status",
        "Enabled",
    ),
    (
        's3api put-bucket-policy|--bucket|trail-logs|--policy|{"Version":"2012-10-17","Statement":[]}',
        "s3api get-bucket-policy|--bucket|trail-logs",
        "contains(Policy,'2012')",
        True,
    ),
    (
        's3api put-bucket-logging|--bucket|trail-logs|--bucket-logging-status|{"LoggingEnabled":{"TargetBucket":"access","TargetPrefix":"t/"}}',
        "s3api get-bucket-logging|--bucket|trail-logs",
        "LoggingEnabled.TargetBucket",
        "access",
    ),
    (
        's3api put-object-lock-configuration|--bucket|trail-logs|--object-lock-configuration|{"ObjectLockEnabled":"Enabled","Rule":{"DefaultRetention":{"Mode":"GOVERNANCE","Days":365}}}',
        "s3api get-object-lock-configuration|--bucket|trail-logs",
        "ObjectLockConfiguration.Rule.DefaultRetention.Days",
        365,
    ),
    (
        f's3api put-bucket-encryption|--bucket|trail-logs|--server-side-encryption-configuration|{{"Rules":[{{"ApplyServerSideEncryptionByDefault":{{"SSEAlgorithm":"aws:kms","KMSMasterKeyID":"{KEY}"}},"BucketKeyEnabled":true}}]}}',
        "s3api get-bucket-encryption|--bucket|trail-logs",
        "ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm",
        "aws:kms",
    ),
    (
        f"kms enable-key-rotation|--key-id|{KEY}",
        f"kms get-key-rotation-status|--key-id|{KEY}",
        "KeyRotationEnabled",
        True,
    ),
    (
        "logs put-retention-policy|--log-group-name|trail|--retention-in-days|365",
        "logs describe-log-groups|--log-group-name-prefix|trail",
        "logGroups[0].retentionInDays",
        365,
    ),
    (
        "logs put-metric-filter|--log-group-name|trail|--filter-name|f|--filter-pattern|{ $.eventName = CreateTrail }|--metric-transformations|metricName=m,metricNamespace=n,metricValue=1",
        "logs describe-metric-filters|--log-group-name|trail",
        "metricFilters[0].metricTransformations[0].metricName",
        "m",
    ),
    (
        "iam create-service-linked-role|--aws-service-name|config.amazonaws.com",
        "iam get-role|--role-name|AWSServiceRoleForConfig",
        "Role.RoleName",
        "AWSServiceRoleForConfig",
    ),
    (
        f'configservice put-configuration-recorder|--configuration-recorder|{{"name":"default","roleARN":"{ROLE}","recordingGroup":{{"allSupported":true,"includeGlobalResourceTypes":true}},"recordingMode":{{"recordingFrequency":"DAILY"}}}}',
        "configservice describe-configuration-recorders",
        "ConfigurationRecorders[0].[recordingMode.recordingFrequency,recordingGroup.recordingStrategy.useOnly]",
        ["DAILY", "ALL_SUPPORTED_RESOURCE_TYPES"],
    ),
    (
        'configservice put-delivery-channel|--delivery-channel|{"name":"default","s3BucketName":"config-logs"}',
        "configservice describe-delivery-channels",
        "DeliveryChannels[0].s3BucketName",
        "config-logs",
    ),
    (
        "configservice start-configuration-recorder|--configuration-recorder-name|default",
        "configservice describe-configuration-recorder-status",
        "ConfigurationRecordersStatus[0].recording",
        True,
    ),
    (
        f'configservice put-config-rule|--config-rule|{{"ConfigRuleName":"{RULE}","Source":{{"Owner":"AWS","SourceIdentifier":"S3_BUCKET_PUBLIC_READ_PROHIBITED"}},"Scope":{{"ComplianceResourceTypes":["AWS::S3::Bucket"]}}}}',
        f"configservice describe-config-rules|--config-rule-names|{RULE}",
        "ConfigRules[0].[ConfigRuleState,Scope.ComplianceResourceTypes[0]]",
        ["ACTIVE", "AWS::S3::Bucket"],
    ),
    (
        "configservice put-conformance-pack|--conformance-pack-name|base|--template-body|Resources: {}",
        "configservice describe-conformance-pack-status",
        "ConformancePackStatusDetails[0].ConformancePackState",
        "CREATE_COMPLETE",
    ),
    (
        f'configservice put-remediation-configurations|--remediation-configurations|[{{"ConfigRuleName":"{RULE}","TargetType":"SSM_DOCUMENT","TargetId":"AWS-DisableS3BucketPublicReadWrite","Parameters":{PARAMETERS},"Automatic":true,"MaximumAutomaticAttempts":5,"RetryAttemptSeconds":60}}]',
        f"configservice describe-remediation-configurations|--config-rule-names|{RULE}",
        "RemediationConfigurations[0].Automatic",
        True,
    ),
    (
        f'configservice put-configuration-aggregator|--configuration-aggregator-name|o|--organization-aggregation-source|{{"RoleArn":"{ROLE}","AllAwsRegions":true}}',
        "configservice describe-configuration-aggregators",
        "ConfigurationAggregators[0].OrganizationAggregationSource.AllAwsRegions",
        True,
    ),
    (
        "configservice put-retention-configuration|--retention-period-in-days|2557",
        "configservice describe-retention-configurations",
        "RetentionConfigurations[0].RetentionPeriodInDays",
        2557,
    ),
    (
        "configservice put-organization-conformance-pack|--organization-conformance-pack-name|o|--template-body|Resources: {}",
        "configservice describe-organization-conformance-packs",
        "OrganizationConformancePacks[0].OrganizationConformancePackName",
        "o",
    ),
    (
        'guardduty create-detector|--enable|--finding-publishing-frequency|SIX_HOURS|--features|[{"Name":"RDS_LOGIN_EVENTS","Status":"DISABLED"}]',
        "guardduty get-detector|--detector-id|{D}",
        "[Status,length(Features[?Status=='ENABLED'])]",
        ["ENABLED", 7],
    ),
    (
        'guardduty update-detector|--detector-id|{D}|--finding-publishing-frequency|FIFTEEN_MINUTES|--features|[{"Name":"RDS_LOGIN_EVENTS","Status":"ENABLED"}]',
        "guardduty get-detector|--detector-id|{D}",
        "[FindingPublishingFrequency,length(Features[?Status=='ENABLED'])]",
        ["FIFTEEN_MINUTES", 8],
    ),
    (
        f"guardduty create-publishing-destination|--detector-id|{{D}}|--destination-type|S3|--destination-properties|DestinationArn=arn:aws:s3:::other,KmsKeyArn={KEY}",
        "guardduty list-publishing-destinations|--detector-id|{D}",
        "Destinations[0].Status",
        "PUBLISHING",
    ),
    (
        f"guardduty enable-organization-admin-account|--admin-account-id|{ACCOUNT}",
        "guardduty list-organization-admin-accounts",
        "AdminAccounts[0].AdminStatus",
        "ENABLED",
    ),
    (
        'guardduty update-organization-configuration|--detector-id|{D}|--auto-enable-organization-members|ALL|--features|[{"Name":"S3_DATA_EVENTS","AutoEnable":"ALL"}]',
        "guardduty describe-organization-configuration|--detector-id|{D}",
        "[AutoEnableOrganizationMembers,Features[?Name=='S3_DATA_EVENTS'].AutoEnable|[0]]",
        ["ALL", "ALL"],
    ),
    (
        f'guardduty create-malware-protection-plan|--role|{ROLE}|--protected-resource|{{"S3Bucket":{{"BucketName":"other"}}}}|--actions|Tagging={{Status=ENABLED}}',
        "guardduty list-malware-protection-plans",
        "length(MalwareProtectionPlans)",
        1,
    ),
    (
        "securityhub enable-security-hub|--enable-default-standards|--control-finding-generator|SECURITY_CONTROL",
        "securityhub get-enabled-standards",
        "StandardsSubscriptions[*].StandardsStatus",
        ["READY", "READY"],
    ),
    (
        f"securityhub batch-enable-standards|--standards-subscription-requests|StandardsArn={HUB}standards/{NIST}",
        "securityhub get-enabled-standards",
        "length(StandardsSubscriptions)",
        3,
    ),
    (
        "securityhub update-security-hub-configuration|--no-auto-enable-controls",
        "securityhub describe-hub",
        "AutoEnableControls",
        False,
    ),
    (
        "securityhub create-finding-aggregator|--region-linking-mode|SPECIFIED_REGIONS|--regions|eu-west-1",
        "securityhub get-finding-aggregator|--finding-aggregator-arn|{A}",
        "[RegionLinkingMode,Regions]",
        ["SPECIFIED_REGIONS", ["eu-west-1"]],
    ),
    (
        "securityhub update-finding-aggregator|--finding-aggregator-arn|{A}|--region-linking-mode|ALL_REGIONS",
        "securityhub get-finding-aggregator|--finding-aggregator-arn|{A}",
        "RegionLinkingMode",
        "ALL_REGIONS",
    ),
    (
        f"securityhub enable-import-findings-for-product|--product-arn|{HUB}product/aws/detective",
        "securityhub list-enabled-products-for-import",
        "length(ProductSubscriptions[?contains(@,'aws/detective')])",
        1,
    ),
    (
        f"securityhub enable-organization-admin-account|--admin-account-id|{ACCOUNT}",
        "securityhub list-organization-admin-accounts",
        "AdminAccounts[0].Status",
        "ENABLED",
    ),
    (
        "securityhub update-organization-configuration|--auto-enable|--auto-enable-standards|DEFAULT",
        "securityhub describe-organization-configuration",
        "AutoEnable",
        True,
    ),
    ("securityhub enable-security-hub-v2", "securityhub describe-security-hub-v2", "HubV2Arn!=null", True),
    (
        "securityhub create-aggregator-v2|--region-linking-mode|ALL_REGIONS",
        "securityhub list-aggregators-v2",
        "length(AggregatorsV2)",
        1,
    ),
    (
        "inspector2 enable|--resource-types|EC2|LAMBDA",
        "inspector2 batch-get-account-status",
        "accounts[0].resourceState.lambda.status",
        "ENABLED",
    ),
    ("macie2 enable-macie|--status|ENABLED", "macie2 get-macie-session", "status", "ENABLED"),
    (
        "accessanalyzer create-analyzer|--analyzer-name|a|--type|ACCOUNT",
        "accessanalyzer list-analyzers|--type|ACCOUNT",
        "analyzers[0].status",
        "ACTIVE",
    ),
    (
        "ec2 create-flow-logs|--resource-type|VPC|--resource-ids|vpc-1|--traffic-type|ALL|--log-destination-type|s3|--log-destination|arn:aws:s3:::other",
        "ec2 describe-flow-logs|--filter|Name=resource-id,Values=vpc-1",
        "FlowLogs[0].FlowLogStatus",
        "ACTIVE",
    ),
    (
        "account put-alternate-contact|--alternate-contact-type|SECURITY|--name|S|--title|SOC|--email-address|s@example.com|--phone-number|+15555550100",
        "account get-alternate-contact|--alternate-contact-type|SECURITY",
        "AlternateContact.AlternateContactType",
        "SECURITY",
    ),
    (
        f"organizations register-delegated-administrator|--account-id|{MEMBER}|--service-principal|config.amazonaws.com",
        "organizations list-delegated-administrators|--service-principal|config.amazonaws.com",
        "DelegatedAdministrators[0].Id",
        MEMBER,
    ),
    (
        "sns create-topic|--name|security-alerts",
        "sns list-topics",
        "Topics[0].TopicArn",
        TOPIC,
    ),
    (
        "sqs create-queue|--queue-name|security-dlq",
        "sqs get-queue-url|--queue-name|security-dlq",
        "QueueUrl",
        f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/security-dlq",
    ),
    (
        f"cloudwatch put-metric-alarm|--alarm-name|CloudTrailConfigChanges|--metric-name|CloudTrailConfigChanges|--namespace|CISBenchmark|--statistic|Sum|--period|300|--evaluation-periods|1|--threshold|1|--comparison-operator|GreaterThanOrEqualToThreshold|--treat-missing-data|notBreaching|--alarm-actions|{TOPIC}",
        "cloudwatch describe-alarms|--alarm-names|CloudTrailConfigChanges",
        "MetricAlarms[0].[AlarmActions[0],StateValue,ActionsEnabled]",
        [TOPIC, "INSUFFICIENT_DATA", True],
    ),
    (
        "cloudwatch disable-alarm-actions|--alarm-names|CloudTrailConfigChanges",
        "cloudwatch describe-alarms-for-metric|--metric-name|CloudTrailConfigChanges|--namespace|CISBenchmark",
        "MetricAlarms[0].ActionsEnabled",
        False,
    ),
    (
        "cloudwatch enable-alarm-actions|--alarm-names|CloudTrailConfigChanges",
        "cloudwatch describe-alarms|--alarm-names|CloudTrailConfigChanges",
        "MetricAlarms[0].ActionsEnabled",
        True,
    ),
    (
        f"cloudwatch put-composite-alarm|--alarm-name|any|--alarm-rule|ALARM(CloudTrailConfigChanges)|--alarm-actions|{TOPIC}",
        "cloudwatch describe-alarms|--alarm-types|CompositeAlarm",
        "[CompositeAlarms[0].AlarmRule,length(MetricAlarms)]",
        ["ALARM(CloudTrailConfigChanges)", 0],
    ),
    (
        f"sns subscribe|--topic-arn|{TOPIC}|--protocol|email|--notification-endpoint|security@example.com|--return-subscription-arn",
        f"sns list-subscriptions-by-topic|--topic-arn|{TOPIC}",
        "Subscriptions[*].SubscriptionArn",
        ["PendingConfirmation"],
    ),
    (
        'sns set-subscription-attributes|--subscription-arn|{S}|--attribute-name|FilterPolicy|--attribute-value|{"severity":["HIGH"]}',
        "sns get-subscription-attributes|--subscription-arn|{S}",
        "Attributes.[FilterPolicy,FilterPolicyScope,PendingConfirmation]",
        ['{"severity":["HIGH"]}', "MessageAttributes", "true"],
    ),
    (
        "sns set-subscription-attributes|--subscription-arn|{S}|--attribute-name|FilterPolicy|--attribute-value|{}",
        "sns get-subscription-attributes|--subscription-arn|{S}",
        "Attributes.FilterPolicy",
        None,
    ),
    (
        f"events put-rule|--name|guardduty-high-severity|--state|DISABLED|--event-pattern|{FINDINGS}",
        "events describe-rule|--name|guardduty-high-severity",
        "[State,EventPattern]",
        ["DISABLED", FINDINGS],
    ),
    (
        f"events put-targets|--rule|guardduty-high-severity|--targets|{TARGETS}",
        "events list-targets-by-rule|--rule|guardduty-high-severity",
        "Targets[0].DeadLetterConfig.Arn",
        QUEUE,
    ),
    (
        f"sns set-topic-attributes|--topic-arn|{TOPIC}|--attribute-name|Policy|--attribute-value|{ALLOWING}",
        f"sns get-topic-attributes|--topic-arn|{TOPIC}",
        "contains(Attributes.Policy,'events.amazonaws.com')",
        True,
    ),
    (
        f"sns set-topic-attributes|--topic-arn|{TOPIC}|--attribute-name|KmsMasterKeyId|--attribute-value|{KEY}",
        f"sns get-topic-attributes|--topic-arn|{TOPIC}",
        "Attributes.KmsMasterKeyId",
        KEY,
    ),
    (
        f"kms put-key-policy|--key-id|{KEY}|--policy-name|default|--policy|{KEY_POLICY}",
        f"kms get-key-policy|--key-id|{KEY}|--policy-name|default",
        "contains(Policy,'events.amazonaws.com')",
        True,
    ),
    (
        f"events put-rule|--name|securityhub-critical|--state|ENABLED|--event-pattern|{HUB_FINDINGS}",
        "events list-rules|--name-prefix|securityhub",
        "Rules[0].[State,EventBusName]",
        ["ENABLED", "default"],
    ),
    (
        f"events put-targets|--rule|securityhub-critical|--targets|Id=responder,Arn={FUNCTION}",
        "events list-targets-by-rule|--rule|securityhub-critical",
        "Targets[0].Arn",
        FUNCTION,
    ),
    (
        f"lambda add-permission|--function-name|{FUNCTION}|--statement-id|events-securityhub-critical|--action|lambda:InvokeFunction|--principal|events.amazonaws.com|--source-arn|{EVENT_RULE}/securityhub-critical",
        "lambda get-policy|--function-name|gd-responder",
        "contains(Policy,'events.amazonaws.com')",
        True,
    ),
    (
        "lambda put-function-concurrency|--function-name|gd-responder|--reserved-concurrent-executions|0",
        "lambda get-function-concurrency|--function-name|gd-responder",
        "ReservedConcurrentExecutions",
        0,
    ),
    (
        "lambda delete-function-concurrency|--function-name|gd-responder",
        "lambda get-function|--function-name|gd-responder",
        "[Concurrency,Configuration.State]",
        [None, "Active"],
    ),
    (
        "events enable-rule|--name|guardduty-high-severity",
        "events describe-rule|--name|guardduty-high-severity",
        "State",
        "ENABLED",
    ),
    (
        "events remove-targets|--rule|guardduty-high-severity|--ids|sns",
        "events list-targets-by-rule|--rule|guardduty-high-severity",
        "length(Targets)",
        0,
    ),
    (
        f"sqs set-queue-attributes|--queue-url|{{Q}}|--attributes|{DEAD_LETTERS}",
        "sqs get-queue-attributes|--queue-url|{Q}|--attribute-names|Policy",
        "contains(Attributes.Policy,'events.amazonaws.com')",
        True,
    ),
    (
        "events create-event-bus|--name|security",
        "events list-event-buses",
        "EventBuses[*].Name",
        ["default", "security"],
    ),
    (
        f"events put-permission|--event-bus-name|security|--action|events:PutEvents|--principal|{MEMBER}|--statement-id|member",
        "events describe-event-bus|--name|security",
        f"contains(Policy,'{MEMBER}')",
        True,
    ),
    (
        "logs delete-metric-filter|--log-group-name|trail|--filter-name|f",
        "logs describe-metric-filters|--log-group-name|trail",
        "length(metricFilters)",
        0,
    ),
    (
        'guardduty create-filter|--detector-id|{D}|--name|hush|--action|ARCHIVE|--finding-criteria|{"Criterion":{"severity":{"Gte":1}}}',
        "guardduty get-filter|--detector-id|{D}|--filter-name|hush",
        "Action",
        "ARCHIVE",
    ),
    (
        "guardduty update-filter|--detector-id|{D}|--filter-name|hush|--action|NOOP",
        "guardduty get-filter|--detector-id|{D}|--filter-name|hush",
        "Action",
        "NOOP",
    ),
    (
        "guardduty delete-filter|--detector-id|{D}|--filter-name|hush",
        "guardduty list-filters|--detector-id|{D}",
        "length(FilterNames)",
        0,
    ),
    (
        f'securityhub batch-update-automation-rules|--update-automation-rules-request-items|[{{"RuleArn":"{AUTOMATION}","RuleStatus":"DISABLED"}}]',
        "securityhub list-automation-rules",
        "AutomationRulesMetadata[0].RuleStatus",
        "DISABLED",
    ),
    (
        f"securityhub disable-import-findings-for-product|--product-subscription-arn|arn:aws:securityhub:us-east-1:{ACCOUNT}:product-subscription/aws/detective",
        "securityhub list-enabled-products-for-import",
        "length(ProductSubscriptions[?contains(@,'aws/detective')])",
        0,
    ),
)
