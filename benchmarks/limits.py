"""AWS's limits as the endpoint keeps them: token buckets by account, region and what AWS counts together."""

from __future__ import annotations

# (requests a second, burst). Where AWS publishes no burst, one second's worth.
PUBLISHED = {
    # CloudTrail user guide, "Quotas": Get, Describe and List calls, taken here as one bucket for all of them.
    "cloudtrail": (10, 10),
    # Security Hub API reference, "Introduction".
    "securityhub": (10, 30),
    # EventBridge quotas; SNS endpoints and quotas (list calls); CloudWatch Logs quotas; CloudWatch quotas.
    "events": (50, 50),
    "sns": (30, 30),
    "logs:DescribeLogGroups": (10, 10),
    "logs:DescribeMetricFilters": (5, 5),
    "cloudwatch:DescribeAlarms": (9, 9),
    # Lambda quotas: control plane calls, all together.
    "lambda": (15, 15),
}
# AWS publishes none for these: guesses, on the low side of what such calls are known to bear.
GUESSED = {
    "config": (20, 40),
    "guardduty": (20, 40),
    "organizations": (10, 20),
    "sts:AssumeRole": (100, 200),
    "logs": (20, 20),
    "": (50, 100),  # everything else
}
_RATES = {**GUESSED, **PUBLISHED}


class Limits:
    """Token buckets. `allows` takes a token where there is one."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[str, str, str], list[float]] = {}
        self._names: dict[str, str] = {}

    def allows(self, account: str, region: str, operation: str, now: float) -> bool:
        """Whether AWS would have answered this request at this time."""
        name = self._names.get(operation)
        if name is None:
            service = operation.partition(":")[0]
            name = operation if operation in _RATES else service
            self._names[operation] = name
        rate, burst = _RATES.get(name) or _RATES[""]
        bucket = self._buckets.get((account, region, name))
        if bucket is None:
            bucket = self._buckets[account, region, name] = [burst, now]
        tokens = min(burst, bucket[0] + (now - bucket[1]) * rate)
        bucket[0], bucket[1] = tokens, now
        if tokens < 1:
            return False
        bucket[0] = tokens - 1
        return True
