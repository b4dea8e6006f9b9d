"""The usual boto3 walk: a thread per region, a client per service and region, calls one after the other."""

from __future__ import annotations

import json
import resource
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

STARTED = time.perf_counter()

import boto3  # noqa: E402 - its import is part of what is measured
import botocore  # noqa: E402 - the same

from mix import FIRST, SECOND  # noqa: E402 - the same

SESSION = boto3.session.Session()
MAKING = threading.Lock()


def region(name: str) -> int:
    """Make one region's calls; the number of calls."""
    clients: dict[str, object] = {}
    for service, operation, params in [*FIRST, *SECOND]:
        if service not in clients:
            with MAKING:  # making clients from one session is not thread-safe (boto3 guide, "Multithreading")
                clients[service] = SESSION.client(service, region_name=name)
        getattr(clients[service], botocore.xform_name(operation))(**params)
    return len(FIRST) + len(SECOND)


def main() -> None:
    boto3.client("sts", region_name="us-east-1").get_caller_identity()
    found = boto3.client("ec2", region_name="us-east-1").describe_regions(AllRegions=True)["Regions"]
    names = [item["RegionName"] for item in found]
    with ThreadPoolExecutor(len(names)) as pool:
        calls = sum(pool.map(region, names))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    json.dump(
        {
            "calls": calls,
            "wall": time.perf_counter() - STARTED,
            "cpu": usage.ru_utime + usage.ru_stime,
            "rss_mb": usage.ru_maxrss / 1024,
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
