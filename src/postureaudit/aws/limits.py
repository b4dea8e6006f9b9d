"""How fast an account may be asked: token buckets a (region, service), below what AWS allows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple


class Rate(NamedTuple):
    """Requests a second, and how many may come at once after a pause."""

    per_second: float
    burst: float


# Below AWS's published quotas, each a tenth or more, because requests bunch up on their way:
# CloudTrail user guide, "Quotas in AWS CloudTrail": Get, Describe and List calls 10 a second, account and region.
# Security Hub API reference, "Introduction": all other calls 10 a second, burst 30; its finding calls 3, burst 6.
# SNS endpoints and quotas: list calls 30 a second. EventBridge quotas: 50 a second for what is not listed there.
# CloudWatch Logs quotas: DescribeLogGroups 10, DescribeMetricFilters and TestMetricFilter 5. CloudWatch: alarms 9.
# Lambda quotas: control plane calls 15 a second, all together; GetPolicy 15.
# For the services that publish none (AWS Config, GuardDuty, Organizations and others) the values are ours, modest.
_RATES: Mapping[str, Rate] = {
    "cloudtrail": Rate(9, 8),
    "securityhub": Rate(9, 24),
    "sns": Rate(25, 25),
    "events": Rate(40, 40),
    "logs:DescribeLogGroups": Rate(9, 8),
    "logs:DescribeMetricFilters": Rate(4.5, 4),
    "logs:TestMetricFilter": Rate(4.5, 4),
    "cloudwatch": Rate(8, 8),
    "lambda": Rate(13, 12),
    "organizations": Rate(5, 10),
    "config": Rate(15, 20),
    "guardduty": Rate(15, 20),
}
_OTHERS = Rate(20, 20)


class _Bucket:
    __slots__ = ("at", "rate", "tokens")

    def __init__(self, rate: Rate, at: float) -> None:
        self.rate, self.tokens, self.at = rate, rate.burst, at


class Limits:
    """The buckets of one walk: a place is (account, region, service) or an operation that has a quota of its own."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, str, str], _Bucket] = {}

    def reserve(self, account: str, region: str, call: str) -> float:
        """Take one request's place and say in how many seconds it may be sent: 0 for at once."""
        name = call if call in _RATES else call.partition(":")[0]
        with self._lock:
            now = self._clock()
            bucket = self._buckets.get((account, region, name))
            if bucket is None:
                bucket = self._buckets[account, region, name] = _Bucket(_RATES.get(name, _OTHERS), now)
            rate = bucket.rate
            bucket.tokens = min(rate.burst, bucket.tokens + (now - bucket.at) * rate.per_second) - 1
            bucket.at = now
            return max(0.0, -bucket.tokens / rate.per_second)

    def slow(self, account: str, region: str, call: str) -> None:
        """AWS throttled a request: somebody else asks there too, so ask half as often from now on."""
        name = call if call in _RATES else call.partition(":")[0]
        with self._lock:
            bucket = self._buckets.get((account, region, name))
            if bucket is not None:
                bucket.rate = Rate(max(bucket.rate.per_second / 2, 0.5), bucket.rate.burst)
                bucket.tokens = min(bucket.tokens, 0.0)
