"""Documents that the fixes of VPC logs carry: what to log, and the bucket that only the user knows."""

from __future__ import annotations

from collections.abc import Mapping

from postureaudit.evidence import Json, Refusal
from postureaudit.services.base import Need


def flow_log(env: Mapping[str, Json]) -> Json | Refusal:
    """A flow log of all traffic of the VPC, into the bucket."""
    vpc = env.get("Vpc")
    if not isinstance(vpc, Mapping):
        return vpc
    return {
        "ResourceType": "VPC",
        "ResourceIds": [vpc["VpcId"]],
        "TrafficType": "ALL",
        "LogDestinationType": "s3",
        "LogDestination": _bucket(env),
    }


def query_log_config(env: Mapping[str, Json]) -> Json | Refusal:
    """A query logging configuration of the region, the same for every VPC, into the bucket.

    The request id makes a second attempt the same attempt (API reference, CreateResolverQueryLogConfig).
    """
    return {
        "Name": "resolver-query-logs",
        "DestinationArn": _bucket(env),
        "CreatorRequestId": f"resolver-query-logs-{env.get('Account')}-{env.get('Region')}",
    }


def _bucket(env: Mapping[str, Json]) -> Need:
    return Need("LOG_BUCKET", prefix=f"arn:{env.get('Partition')}:s3:::")


DOCUMENTS = {"vpc_flow_log": flow_log, "vpc_query_log_config": query_log_config}
