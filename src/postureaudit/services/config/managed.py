"""AWS's managed rules that postureaudit can deploy by name: periodic, and without a parameter that one must choose."""

from __future__ import annotations

# Source: developer guide, "List of AWS Config Managed Rules", the page of each: trigger type Periodic, parameters
# none or optional. With the set detection-and-response of checks.yaml.
PERIODIC = frozenset(
    {
        *("CLOUD_TRAIL_ENABLED", "MULTI_REGION_CLOUD_TRAIL_ENABLED", "CLOUD_TRAIL_ENCRYPTION_ENABLED"),
        *("CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED", "CLOUD_TRAIL_CLOUD_WATCH_LOGS_ENABLED"),
        *("GUARDDUTY_ENABLED_CENTRALIZED", "SECURITYHUB_ENABLED", "VPC_FLOW_LOGS_ENABLED"),
        *("ROOT_ACCOUNT_MFA_ENABLED", "IAM_ROOT_ACCESS_KEY_CHECK"),
    }
)
# Regions without a rule, as its page says.
_NOT_IN = {
    "GUARDDUTY_ENABLED_CENTRALIZED": ("ap-east-2", "ap-southeast-6", "ap-southeast-7", "mx-central-1"),
    "IAM_ROOT_ACCESS_KEY_CHECK": (
        *("ap-east-2", "ap-southeast-5", "ap-southeast-7", "ca-west-1", "eu-central-2", "eu-south-2"),
        *("il-central-1", "me-central-1", "mx-central-1"),
    ),
    "ROOT_ACCOUNT_MFA_ENABLED": (
        *("ca-west-1", "cn-north-1", "cn-northwest-1", "il-central-1", "me-central-1"),
        *("us-gov-east-1", "us-gov-west-1"),
    ),
}


def not_offered(region: str) -> list[str]:
    """The identifiers of these rules that AWS does not offer in a region."""
    return sorted(name for name, regions in _NOT_IN.items() if region in regions)
