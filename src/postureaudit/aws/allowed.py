"""The reviewed list of AWS calls this program may make: reads of settings only, each with its IAM action."""

from __future__ import annotations

from collections.abc import Mapping

_SAME = {
    "account": (
        "account",
        ["GetAlternateContact", "GetContactInformation", "GetRegionOptStatus", "ListRegions"],
    ),
    "accessanalyzer": ("access-analyzer", ["ListAnalyzers"]),
    "cloudtrail": (
        "cloudtrail",
        [
            "DescribeTrails",
            "GetEventDataStore",
            "GetEventSelectors",
            "GetInsightSelectors",
            "GetTrail",
            "GetTrailStatus",
            "ListEventDataStores",
            "ListTrails",
        ],
    ),
    "config": (
        "config",
        [
            "DescribeComplianceByConfigRule",
            "DescribeConfigRuleEvaluationStatus",
            "DescribeConfigRules",
            "DescribeConfigurationAggregatorSourcesStatus",
            "DescribeConfigurationAggregators",
            "DescribeConfigurationRecorderStatus",
            "DescribeConfigurationRecorders",
            "DescribeConformancePackStatus",
            "DescribeConformancePacks",
            "DescribeDeliveryChannelStatus",
            "DescribeDeliveryChannels",
            "DescribeOrganizationConfigRuleStatuses",
            "DescribeOrganizationConfigRules",
            "DescribeOrganizationConformancePackStatuses",
            "DescribeOrganizationConformancePacks",
            "DescribeRemediationConfigurations",
            "DescribeRemediationExecutionStatus",
            "DescribeRetentionConfigurations",
            "GetConformancePackComplianceSummary",
            "GetDiscoveredResourceCounts",
            "GetOrganizationConfigRuleDetailedStatus",
            "GetOrganizationConformancePackDetailedStatus",
            "ListConfigurationRecorders",
        ],
    ),
    "cloudwatch": ("cloudwatch", ["DescribeAlarms", "GetAlarmMuteRule", "ListAlarmMuteRules"]),
    "detective": (
        "detective",
        [
            "DescribeOrganizationConfiguration",
            "ListGraphs",
            "ListInvitations",
            "ListMembers",
        ],
    ),
    "ec2": (
        "ec2",
        [
            "DescribeFlowLogs",
            "DescribeInstances",
            "DescribeNetworkInterfaces",
            "DescribeRegions",
            "DescribeVpcs",
        ],
    ),
    "ecr": ("ecr", ["DescribeRepositories"]),
    "ecs": ("ecs", ["ListClusters"]),
    "eks": ("eks", ["ListClusters"]),
    "events": (
        "events",
        [
            "DescribeApiDestination",
            "ListEventBuses",
            "ListRules",
            "ListTargetsByRule",
            "TestEventPattern",
        ],
    ),
    "fms": ("fms", ["GetAdminAccount", "ListPolicies"]),
    "guardduty": (
        "guardduty",
        [
            "DescribeOrganizationConfiguration",
            "DescribePublishingDestination",
            "GetAdministratorAccount",
            "GetCoverageStatistics",
            "GetDetector",
            "GetFilter",
            "GetFindingsStatistics",
            "GetMalwareProtectionPlan",
            "GetMemberDetectors",
            "ListDetectors",
            "ListFilters",
            "ListFindings",
            "ListMalwareProtectionPlans",
            "ListMembers",
            "ListOrganizationAdminAccounts",
            "ListPublishingDestinations",
        ],
    ),
    "iam": (
        "iam",
        [
            "GetPolicy",
            "GetPolicyVersion",
            "GetRole",
            "GetRolePolicy",
            "ListAccountAliases",
            "ListAttachedRolePolicies",
            "ListRolePolicies",
        ],
    ),
    "inspector2": (
        "inspector2",
        [
            "BatchGetAccountStatus",
            "DescribeOrganizationConfiguration",
            "GetDelegatedAdminAccount",
            "ListDelegatedAdminAccounts",
            "ListMembers",
        ],
    ),
    "kms": ("kms", ["DescribeKey", "GetKeyPolicy", "GetKeyRotationStatus"]),
    "lambda": (
        "lambda",
        ["GetFunctionConcurrency", "GetFunctionConfiguration", "GetPolicy", "ListFunctions"],
    ),
    "logs": ("logs", ["DescribeLogGroups", "DescribeMetricFilters", "TestMetricFilter"]),
    "macie2": (
        "macie2",
        [
            "DescribeOrganizationConfiguration",
            "GetAdministratorAccount",
            "GetAutomatedDiscoveryConfiguration",
            "GetClassificationExportConfiguration",
            "GetFindingsPublicationConfiguration",
            "GetMacieSession",
            "ListMembers",
            "ListOrganizationAdminAccounts",
        ],
    ),
    "notifications": (
        "notifications",
        ["ListChannels", "ListEventRules", "ListNotificationConfigurations"],
    ),
    "notificationscontacts": ("notifications-contacts", ["ListEmailContacts"]),
    "organizations": (
        "organizations",
        [
            "DescribeEffectivePolicy",
            "DescribeOrganization",
            "ListAWSServiceAccessForOrganization",
            "ListAccounts",
            "ListAccountsForParent",
            "ListDelegatedAdministrators",
            "ListDelegatedServicesForAccount",
            "ListOrganizationalUnitsForParent",
        ],
    ),
    "rds": ("rds", ["DescribeDBClusters", "DescribeDBInstances"]),
    "route53profiles": (
        "route53profiles",
        ["ListProfileAssociations", "ListProfileResourceAssociations"],
    ),
    "route53resolver": (
        "route53resolver",
        ["ListResolverQueryLogConfigAssociations", "ListResolverQueryLogConfigs"],
    ),
    "s3": (
        "s3",
        [
            "GetBucketAcl",
            "GetBucketLocation",
            "GetBucketLogging",
            "GetBucketPolicy",
            "GetBucketPolicyStatus",
            "GetBucketVersioning",
        ],
    ),
    "security-ir": (
        "security-ir",
        ["BatchGetMemberAccountDetails", "GetMembership", "ListMemberships"],
    ),
    "securityhub": (
        "securityhub",
        [
            "BatchGetAutomationRules",
            "DescribeHub",
            "DescribeOrganizationConfiguration",
            "DescribeSecurityHubV2",
            "DescribeStandards",
            "DescribeStandardsControls",
            "GetAdministratorAccount",
            "GetAggregatorV2",
            "GetEnabledStandards",
            "GetFindingAggregator",
            "ListAggregatorsV2",
            "ListAutomationRules",
            "ListConfigurationPolicies",
            "ListEnabledProductsForImport",
            "ListFindingAggregators",
            "ListMembers",
            "ListOrganizationAdminAccounts",
            "ListStandardsControlAssociations",
        ],
    ),
    "securitylake": (
        "securitylake",
        ["GetDataLakeOrganizationConfiguration", "ListDataLakes", "ListLogSources"],
    ),
    "sns": (
        "sns",
        ["GetSubscriptionAttributes", "GetTopicAttributes", "ListSubscriptionsByTopic"],
    ),
    "sqs": ("sqs", ["GetQueueAttributes", "GetQueueUrl"]),
    "ssm": ("ssm", ["DescribeDocument"]),
    "stepfunctions": ("states", ["DescribeStateMachine"]),
    "sts": ("sts", ["GetCallerIdentity"]),
}

# Where IAM names the action otherwise than the API (service authorization reference, Amazon S3 and Amazon Detective).
_OTHER = {
    "detective:ListOrganizationAdminAccounts": "detective:ListOrganizationAdminAccount",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
    "s3control:GetPublicAccessBlock": "s3:GetAccountPublicAccessBlock",
}

IAM_ACTIONS: Mapping[str, str] = {
    **{
        f"{service}:{operation}": f"{prefix}:{operation}"
        for service, (prefix, operations) in _SAME.items()
        for operation in operations
    },
    **_OTHER,
}
ALLOWED: frozenset[str] = frozenset(IAM_ACTIONS)

# What may be asked as the log archive, with that account's own role: whose a log bucket is and how it is set up, and
# the key that encrypts it. Nothing else in that account is this program's business.
AS_LOG_ARCHIVE: frozenset[str] = frozenset(
    {
        "s3:ListBuckets",
        "s3:HeadBucket",
        "s3:GetBucketPolicy",
        "s3:GetBucketPolicyStatus",
        "s3:GetBucketAcl",
        "s3:GetPublicAccessBlock",
        "s3:GetBucketVersioning",
        "s3:GetObjectLockConfiguration",
        "s3:GetBucketLogging",
        "s3:GetBucketLifecycleConfiguration",
        "s3control:GetPublicAccessBlock",
        "kms:DescribeKey",
    }
)

# What obtaining credentials may call, and nothing else: role sessions and IAM Identity Center.
FOR_CREDENTIALS: frozenset[str] = frozenset(
    {
        "sts:AssumeRole",
        "sts:AssumeRoleWithWebIdentity",
        "sts:AssumeRoleWithSAML",
        "sts:GetCallerIdentity",
        "sso:GetRoleCredentials",
        "sso-oidc:CreateToken",
        "signin:CreateOAuth2Token",
    }
)
