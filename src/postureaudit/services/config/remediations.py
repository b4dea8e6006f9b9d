"""Managed rules for which AWS publishes an automation document that mends what the rule finds."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class Remedy(msgspec.Struct, frozen=True, kw_only=True):
    """A document, the parameter that takes the resource's id, and fixed values of others.

    `subject` is "" where a document takes more than anyone but the user can know: then no command is printed.
    """

    document: str
    subject: str = ""
    fixed: Mapping[str, str] = msgspec.field(default_factory=dict)
    not_in: tuple[str, ...] = ()  # partitions that do not have the document


_PUBLIC_BUCKET = Remedy(document="AWS-DisableS3BucketPublicReadWrite", subject="S3BucketName")
_ACCOUNT_BLOCK = Remedy(document="AWSConfigRemediation-ConfigureS3PublicAccessBlock", subject="AccountId")

# Sources: Systems Manager Automation runbook reference, one page a document, and AWS's sample conformance packs
# "with Remediation" (awslabs/aws-config-rules). Documents that delete or stop resources are left out on purpose.
REMEDIES: Mapping[str, Remedy] = {
    "S3_BUCKET_PUBLIC_READ_PROHIBITED": _PUBLIC_BUCKET,
    "S3_BUCKET_PUBLIC_WRITE_PROHIBITED": _PUBLIC_BUCKET,
    "S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED": Remedy(
        document="AWSConfigRemediation-ConfigureS3BucketPublicAccessBlock", subject="BucketName"
    ),
    "S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS": _ACCOUNT_BLOCK,
    "S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS_PERIODIC": _ACCOUNT_BLOCK,
    "S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED": Remedy(
        document="AWS-EnableS3BucketEncryption", subject="BucketName", fixed={"SSEAlgorithm": "AES256"}
    ),
    "INCOMING_SSH_DISABLED": Remedy(
        document="AWS-DisablePublicAccessForSecurityGroup", subject="GroupId", not_in=("aws-cn",)
    ),
    "VPC_DEFAULT_SECURITY_GROUP_CLOSED": Remedy(
        document="AWSConfigRemediation-RemoveVPCDefaultSecurityGroupRules", subject="GroupId"
    ),
    "S3_BUCKET_VERSIONING_ENABLED": Remedy(document="AWS-ConfigureS3BucketVersioning"),
    "S3_BUCKET_LOGGING_ENABLED": Remedy(document="AWS-ConfigureS3BucketLogging"),
    "S3_BUCKET_SSL_REQUESTS_ONLY": Remedy(document="AWSConfigRemediation-RestrictBucketSSLRequestsOnly"),
    "EC2_IMDSV2_CHECK": Remedy(document="AWSConfigRemediation-EnforceEC2InstanceIMDSv2"),
    "EC2_EBS_ENCRYPTION_BY_DEFAULT": Remedy(document="AWSConfigRemediation-EnableEbsEncryptionByDefault"),
    "CMK_BACKING_KEY_ROTATION_ENABLED": Remedy(document="AWSConfigRemediation-EnableKeyRotation"),
    "KMS_CMK_NOT_SCHEDULED_FOR_DELETION": Remedy(document="AWSConfigRemediation-CancelKeyDeletion"),
    "CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED": Remedy(
        document="AWSConfigRemediation-EnableCloudTrailLogFileValidation"
    ),
    "IAM_USER_UNUSED_CREDENTIALS_CHECK": Remedy(
        document="AWSConfigRemediation-RevokeUnusedIAMUserCredentials"
    ),
    "IAM_PASSWORD_POLICY": Remedy(document="AWSConfigRemediation-SetIAMPasswordPolicy"),
    "VPC_FLOW_LOGS_ENABLED": Remedy(document="AWS-EnableVPCFlowLogs"),
}


def remedy(identifier: str, partition: str) -> Remedy | None:
    """AWS's document for a managed rule's identifier, where the partition has it."""
    found = REMEDIES.get(identifier)
    return None if found is None or partition in found.not_in else found
