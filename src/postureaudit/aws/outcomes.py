"""What an AWS error means: a known "there is none", or a refusal of a known kind; never a guess."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import NamedTuple

from postureaudit.aws.hidden import hidden
from postureaudit.evidence import Absent, Refusal, RefusalKind

_MAX_MESSAGE = 500


class _Row(NamedTuple):
    service: str
    operation: str  # glob
    code: str
    text: str = ""  # a part of the message, in lower case


# Errors that are answers. Each row: botocore service, operation, error code, part of the message.
# Sources: the operations' declared errors in botocore's models, and the services' API references.
ABSENT = (
    # "Not subscribed" and the like are knowledge where the question is whether it is so. From a call that follows
    # one which said that it is on, they mean that something changed in between: a refusal, never an empty list.
    _Row("securityhub", "DescribeHub", "InvalidAccessException", "not subscribed to aws security hub"),
    _Row(
        *("securityhub", "DescribeOrganizationConfiguration", "InvalidAccessException"),
        "is not an administrator for this organization",
    ),
    _Row("securityhub", "DescribeSecurityHubV2", "ResourceNotFoundException"),
    _Row("securityhub", "GetFindingAggregator", "ResourceNotFoundException"),
    *(
        _Row("guardduty", operation, "BadRequestException", "required aws organization master permission")
        for operation in ("DescribeOrganizationConfiguration", "ListOrganizationAdminAccounts")
    ),
    _Row("config", "GetDiscoveredResourceCounts", "NoAvailableConfigurationRecorderException"),
    # API reference, OrganizationAccessDeniedException: what all of these answer to a member that administers nothing.
    *(
        _Row("config", operation, "OrganizationAccessDeniedException")
        for operation in (
            "DescribeOrganizationConfigRuleStatuses",
            "DescribeOrganizationConformancePackStatuses",
        )
    ),
    _Row("cloudtrail", "GetInsightSelectors", "InsightNotEnabledException"),
    _Row("macie2", "GetMacieSession", "AccessDeniedException", "macie is not enabled"),
    # "The specified resource wasn't found" (API reference): the operation has no parameter that could be wrong.
    _Row("macie2", "GetAdministratorAccount", "ResourceNotFoundException"),
    # Declared by an operation without parameters: what is not there is the administrator.
    _Row("inspector2", "GetDelegatedAdminAccount", "ResourceNotFoundException"),
    _Row("organizations", "*", "AWSOrganizationsNotInUseException"),
    _Row("organizations", "DescribeEffectivePolicy", "EffectivePolicyNotFoundException"),
    _Row("account", "GetAlternateContact", "ResourceNotFoundException"),
    # The organization's lake is its delegated administrator's to see; a missing permission reads "is not authorized to
    # perform" (what an account that is not it was told: sra-verify 0.3.3, services/securitylake/base.py).
    _Row(
        *("securitylake", "ListDataLakes", "AccessDeniedException"),
        "sufficient permissions to perform this operation for your organization",
    ),
    _Row("fms", "GetAdminAccount", "ResourceNotFoundException"),
    _Row("fms", "*", "AccessDeniedException", "no default admin could be found"),
    # Firewall Manager is on, and this account is not its administrator (aws-nuke #992, terraform #30545).
    *(
        _Row("fms", "ListPolicies", "AccessDeniedException", f"is only available to {who} firewall manager")
        for who in ("aws", "administration account in aws")
    ),
    _Row("iam", "GetRole", "NoSuchEntity"),
    _Row("logs", "DescribeMetricFilters", "ResourceNotFoundException"),
    _Row("kms", "DescribeKey", "NotFoundException"),
    _Row("kms", "GetKeyPolicy", "NotFoundException"),
    _Row("ssm", "DescribeDocument", "InvalidDocument"),
    _Row("sns", "*", "NotFound"),
    _Row("sns", "*", "NotFoundException"),
    _Row("sqs", "*", "AWS.SimpleQueueService.NonExistentQueue"),
    _Row("sqs", "*", "QueueDoesNotExist"),
    _Row("lambda", "GetPolicy", "ResourceNotFoundException"),
    _Row("lambda", "GetFunctionConfiguration", "ResourceNotFoundException"),
    _Row("lambda", "GetFunctionConcurrency", "ResourceNotFoundException"),
    _Row("stepfunctions", "DescribeStateMachine", "StateMachineDoesNotExist"),
    _Row("events", "DescribeApiDestination", "ResourceNotFoundException"),
    _Row("events", "ListTargetsByRule", "ResourceNotFoundException"),
    _Row("events", "ListRules", "ResourceNotFoundException"),
    _Row("s3", "HeadBucket", "404"),
    _Row("s3", "GetBucketPolicy", "NoSuchBucketPolicy"),
    _Row("s3", "GetBucketPolicyStatus", "NoSuchBucketPolicy"),
    _Row("s3", "GetPublicAccessBlock", "NoSuchPublicAccessBlockConfiguration"),
    _Row("s3", "GetObjectLockConfiguration", "ObjectLockConfigurationNotFoundError"),
    _Row("s3", "GetBucketEncryption", "ServerSideEncryptionConfigurationNotFoundError"),
    _Row("s3", "GetBucketLifecycleConfiguration", "NoSuchLifecycleConfiguration"),
    _Row("s3control", "GetPublicAccessBlock", "NoSuchPublicAccessBlockConfiguration"),
)

_THROTTLED = {
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "TooManyRequests",
    "LimitExceededException",
    "SlowDown",
    "BandwidthLimitExceeded",
    "PriorRequestNotComplete",
    "EC2ThrottledException",
    "429",
}
_EXPIRED = {
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestExpired",
    "TokenRefreshRequired",
    "RequestTimeTooSkewed",
}
_NOT_KNOWN_HERE = {
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "AuthFailure",
    "InvalidToken",
    "InvalidAccessKeyId",
    "InvalidSecurity",
    "OptInRequired",
}
_DENIED = {
    "AccessDenied",
    "AccessDeniedException",
    "AccessDeniedForDependencyException",
    "UnauthorizedOperation",
    "AuthorizationError",
    "AuthorizationErrorException",
    "UnauthorizedException",
    "NotAuthorized",
    "Forbidden",
    "AllAccessDisabled",
    "InvalidAccessException",
    "401",
    "403",
}
_POLICY = ("service control policy", "resource control policy")


def classify(service: str, operation: str, code: str, message: str, *, status: int = 0) -> Absent | Refusal:
    """Name what an error code and message of one operation mean. Whatever is not listed is an error."""
    lower = message.lower()
    for row in ABSENT:
        if (
            row.service == service
            and fnmatchcase(operation, row.operation)
            and row.code == code
            and row.text in lower
        ):
            return Absent(code, _short(message))
    return Refusal(_kind(code, lower, status), code, _short(message))


def is_skewed(code: str, message: str) -> bool:
    """Whether a request was refused for the time it was signed at: this machine's clock is off, not the credentials.

    AWS takes a signature within minutes of its own time (IAM User Guide, "Signature Version 4 request signature
    expiration"), so that no evidence can carry a time that is further off.
    """
    lower = message.lower()
    told = "expired" in lower or "not yet current" in lower
    return code == "RequestTimeTooSkewed" or ("signature" in code.lower() and told)


def is_retryable(outcome: Absent | Refusal, status: int) -> bool:
    """Throttles and the server's own failures may go away."""
    if isinstance(outcome, Absent):
        return False
    return outcome.kind is RefusalKind.THROTTLED or (status in (500, 502, 503, 504) and not _is_html(outcome))


def _is_html(outcome: Refusal) -> bool:
    return outcome.message.lstrip().lower().startswith(("<!doctype", "<html"))


def _kind(code: str, lower: str, status: int) -> RefusalKind:
    if code in _EXPIRED or is_skewed(code, lower):
        return RefusalKind.EXPIRED
    if code in _THROTTLED:
        return RefusalKind.THROTTLED
    if code in _NOT_KNOWN_HERE:
        return RefusalKind.REGION_DISABLED
    if code in _DENIED or (status in (401, 403) and "denied" in lower):
        return RefusalKind.SCP_DENIED if any(policy in lower for policy in _POLICY) else RefusalKind.DENIED
    return RefusalKind.ERROR


def _short(message: str) -> str:
    text = hidden(message)
    return text if len(text) <= _MAX_MESSAGE else text[:_MAX_MESSAGE] + "..."
