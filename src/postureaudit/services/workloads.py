"""What runs in a region: whether, not how many, so that a plan nobody needs there is no gap."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from postureaudit.asks import Ask, Scope
from postureaudit.evidence import Json, Refusal
from postureaudit.resources import View, any_of, malformed, member

BUCKETS = ("s3:ListBuckets",)
CLUSTERS = ("eks:ListClusters",)
TASKS = ("ecs:ListClusters",)
INSTANCES = ("ec2:DescribeInstances",)
FUNCTIONS = ("lambda:ListFunctions",)
REPOSITORIES = ("ecr:DescribeRepositories",)
DATABASES = ("rds:DescribeDBInstances", "rds:DescribeDBClusters")
# GuardDuty user guide, "RDS Protection": Aurora MySQL, Aurora PostgreSQL (Limitless too), RDS for PostgreSQL.
ENGINES = ("aurora-mysql", "aurora-postgresql", "postgres")
_LIVING: dict[str, Json] = {
    "Filters": [
        {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]},
    ]
}
_ENGINE = "[?{}]".format(" || ".join(f"Engine=='{name}'" for name in ENGINES))


def asks(scope: Scope) -> list[Ask]:
    """Every question about what runs in the region; all independent, each ends at the first thing found."""
    return [
        Ask("s3:ListBuckets", region=scope.leader),
        Ask("eks:ListClusters", until="clusters[]"),
        Ask("ecs:ListClusters", until="clusterArns[]"),
        *_code(),
        Ask("rds:DescribeDBInstances", until=f"DBInstances{_ENGINE}"),
        Ask("rds:DescribeDBClusters", until=f"DBClusters{_ENGINE}"),
    ]


def scanned() -> list[Ask]:
    """Whether there is something in the region that has software to scan: machines, images, functions."""
    return [*_code(), Ask("ecr:DescribeRepositories", until="repositories[]")]


def _code() -> list[Ask]:
    return [
        Ask("ec2:DescribeInstances", until="Reservations[].Instances[]", **_LIVING),
        Ask("lambda:ListFunctions", until="Functions[]"),
    ]


def has_buckets(view: View, region: str) -> bool | Refusal:
    """A bucket of the account is in this region (S3 API reference, ListBuckets: Bucket.BucketRegion)."""
    found = member(view.outcome("s3:ListBuckets", view.leader), "Buckets", [])
    if isinstance(found, Refusal):
        return found
    return any_of(
        item["BucketRegion"] == region
        if item.get("BucketRegion")
        else malformed("s3:ListBuckets", view.leader, "a bucket without its region")
        for item in found
    )


def has_clusters(view: View, region: str) -> bool | Refusal:
    """An EKS cluster is here."""
    return _some(member(view.outcome("eks:ListClusters", region), "clusters", []))


def has_tasks(view: View, region: str) -> bool | Refusal:
    """An ECS cluster is here."""
    return _some(member(view.outcome("ecs:ListClusters", region), "clusterArns", []))


def has_instances(view: View, region: str) -> bool | Refusal:
    """An EC2 instance that is not terminated is here."""
    found = member(view.outcome("ec2:DescribeInstances", region, **_LIVING), "Reservations", [])
    return _some(found, lambda item: bool(item.get("Instances")))


def has_functions(view: View, region: str) -> bool | Refusal:
    """A Lambda function is here."""
    return _some(member(view.outcome("lambda:ListFunctions", region), "Functions", []))


def has_repositories(view: View, region: str) -> bool | Refusal:
    """An ECR repository is here."""
    return _some(member(view.outcome("ecr:DescribeRepositories", region), "repositories", []))


def has_databases(view: View, region: str) -> bool | Refusal:
    """A database of an engine in ENGINES is here, as an instance or as a cluster."""
    listings = (("rds:DescribeDBInstances", "DBInstances"), ("rds:DescribeDBClusters", "DBClusters"))
    return any_of(
        _some(member(view.outcome(call, region), name, []), lambda item: item.get("Engine") in ENGINES)
        for call, name in listings
    )


def has_machines(view: View, region: str) -> bool | Refusal:
    """Something that a runtime agent can watch is here: EC2 instances, EKS or ECS clusters."""
    return any_of(found(view, region) for found in (has_instances, has_clusters, has_tasks))


def _some(found: Iterable[Any] | Refusal, fits: Callable[[Any], bool] = lambda item: True) -> bool | Refusal:
    return found if isinstance(found, Refusal) else any(fits(item) for item in found)
