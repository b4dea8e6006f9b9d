"""Below AWS's limits: how many requests a second leave, and what a throttled one teaches."""

from __future__ import annotations

import threading
import time

import pytest

from postureaudit.aws.limits import Limits
from postureaudit.aws.workers import Workers

PUBLISHED = {  # requests a second and at once, as AWS counts them (see aws/limits.py for the pages)
    "cloudtrail:GetTrailStatus": (10, 10),
    "securityhub:DescribeHub": (10, 30),
    "sns:ListSubscriptionsByTopic": (30, 30),
    "events:ListRules": (50, 50),
    "logs:DescribeMetricFilters": (5, 5),
    "cloudwatch:DescribeAlarms": (9, 9),
    "lambda:GetPolicy": (15, 15),
}


@pytest.mark.parametrize("call", PUBLISHED)
def test_requests_stay_below_the_published_limit(call: str) -> None:
    """However many are wanted at once, a bucket of AWS's own size and rate never runs dry."""
    now = [0.0]
    limits = Limits(lambda: now[0])
    sent = sorted(limits.reserve("111122223333", "eu-west-1", call) for _ in range(200))

    rate, burst = PUBLISHED[call]
    tokens, at = float(burst), 0.0
    for moment in sent:
        tokens = min(burst, tokens + (moment - at) * rate) - 1
        at = moment
        assert tokens >= 0, (call, moment)


def test_places_do_not_wait_for_one_another() -> None:
    """Each account, region and service has limits of its own."""
    limits = Limits(lambda: 0.0)
    for _ in range(50):
        limits.reserve("111122223333", "eu-west-1", "cloudtrail:DescribeTrails")

    assert limits.reserve("111122223333", "eu-west-2", "cloudtrail:DescribeTrails") == 0
    assert limits.reserve("444455556666", "eu-west-1", "cloudtrail:DescribeTrails") == 0
    assert limits.reserve("111122223333", "eu-west-1", "config:DescribeConfigRules") == 0


def test_a_throttled_place_is_asked_half_as_often() -> None:
    """Somebody else uses the quota as well: what is left is less than AWS's number."""
    now = [0.0]
    limits = Limits(lambda: now[0])
    limits.reserve("1", "r", "config:DescribeConfigRules")
    limits.slow("1", "r", "config:DescribeConfigRules")

    waits = [limits.reserve("1", "r", "config:DescribeConfigRules") for _ in range(15)]

    assert waits[-1] == pytest.approx(2.0, rel=0.01)


def test_workers_are_no_more_than_wanted() -> None:
    """A hundred tasks run on four threads, each once, and closing waits for them."""
    workers, seen, lock = Workers(4), list[str](), threading.Lock()

    def task() -> None:
        time.sleep(0.001)
        with lock:
            seen.append(threading.current_thread().name + str(threading.get_ident()))

    for _ in range(100):
        workers.submit(task)
    workers.close(wait=True)

    assert len(seen) == 100 and 1 <= len(set(seen)) <= 4
