"""postureaudit's own walk over the same calls."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections import Counter, defaultdict

STARTED = time.perf_counter()

from mix import FIRST, SECOND  # noqa: E402 - its import is part of what is measured
from postureaudit.asks import Ask, Collection, Fork, Scope  # noqa: E402 - the same
from postureaudit.aws.ahead import Ahead  # noqa: E402 - the same
from postureaudit.aws.session import open_session  # noqa: E402 - the same
from postureaudit.aws.walk import walk  # noqa: E402 - the same
from postureaudit.aws.workers import Workers  # noqa: E402 - the same
from postureaudit.evidence import Evidence  # noqa: E402 - the same


def chain(service: str, second: list[tuple[str, str, dict[str, object]]]) -> Collection:
    """One service's calls: its second level follows its first at once."""
    yield [Ask(f"{name}:{operation}", **params) for name, operation, params in FIRST if name == service]
    if second:
        yield [Ask(f"{name}:{operation}", **params) for name, operation, params in second]


def collect(scope: Scope) -> Collection:
    """Every service of the mix in one region; kms and logs hang on the trail."""
    follows = {
        "cloudtrail": ("cloudtrail", "kms", "logs"),
        "guardduty": ("guardduty",),
        "securityhub": ("securityhub",),
    }
    names = dict.fromkeys(name for name, _, _ in FIRST)
    yield [Fork(chain(name, [ask for ask in SECOND if ask[0] in follows.get(name, ())]) for name in names)]


def outcomes(evidence: Evidence) -> dict[str, Counter[str]]:
    """How each region's calls ended."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for record in evidence:
        kind = getattr(record.outcome, "kind", None)
        found[record.region][kind.value if kind else type(record.outcome).__name__] += 1
    return found


def main() -> None:
    threads = int(sys.argv[1])
    workers = Workers(threads)
    session = open_session(max_workers=threads, ahead=Ahead([collect], workers))
    evidence = walk(session, [collect], max_workers=threads, workers=workers)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    json.dump(
        {
            "calls": evidence.header.calls,
            "wall": time.perf_counter() - STARTED,
            "cpu": usage.ru_utime + usage.ru_stime,
            "rss_mb": usage.ru_maxrss / 1024,
            "refusals": len(evidence.refusals()),
            **({"regions": outcomes(evidence)} if "--outcomes" in sys.argv else {}),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
