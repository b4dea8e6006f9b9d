"""What runs in a region: instances, clusters and databases."""

from __future__ import annotations

from ..world import Call, Json
from .registry import handles


@handles("ec2:DescribeInstances")
def _instances(call: Call, given: Json) -> Json:
    known = call.here.ec2["instances"]
    found = [
        item if isinstance(item, dict) else {"InstanceId": item, "State": {"Name": "running"}}
        for item in known
    ]
    for wanted in given.get("Filters") or []:
        if wanted["Name"] == "instance-state-name":
            found = [item for item in found if item["State"]["Name"] in wanted["Values"]]
    own = {"ReservationId": "r-1", "OwnerId": call.account.id}
    return {"Reservations": [{**own, "Instances": [item]} for item in found]}


@handles("eks:ListClusters")
def _eks(call: Call, given: Json) -> Json:
    return {"clusters": call.here.workloads["eks"]}


@handles("ecs:ListClusters")
def _ecs(call: Call, given: Json) -> Json:
    return {"clusterArns": [call.here.arn("ecs", f"cluster/{name}") for name in call.here.workloads["ecs"]]}


@handles("rds:DescribeDBInstances")
def _instances_db(call: Call, given: Json) -> Json:
    return {
        "DBInstances": [
            item if isinstance(item, dict) else {"DBInstanceIdentifier": item, "Engine": "aurora-postgresql"}
            for item in call.here.workloads["db_instances"]
        ]
    }


@handles("rds:DescribeDBClusters")
def _clusters_db(call: Call, given: Json) -> Json:
    return {
        "DBClusters": [
            item if isinstance(item, dict) else {"DBClusterIdentifier": item, "Engine": "aurora-postgresql"}
            for item in call.here.workloads["db_clusters"]
        ]
    }
