"""The services around the four: KMS, Logs, EC2, workloads, Inspector, Macie, Access Analyzer, FMS, SSM."""

from __future__ import annotations

from ..faults import AwsError
from ..world import Call, Json, now
from .registry import handles, manager


def _key(call: Call, given: Json, foreign: bool = False) -> Json:
    """A key of the caller in this region, or one that another account shares."""
    wanted = given["KeyId"]
    name = wanted.rpartition("/")[2]
    own = call.here.kms["keys"].get(name)
    parts = wanted.split(":")
    if own and (len(parts) < 6 or parts[4] == call.account.id):
        return dict(own) if foreign else own
    if len(parts) >= 6 and parts[4] != call.account.id:
        other = call.world.accounts.get(parts[4])
        found = (
            other.regions[call.region].kms["keys"].get(name)
            if other and call.region in other.regions
            else None
        )
        if foreign and found and found["shared"]:
            return dict(found)
        text = f"User: {call.arn} is not authorized to perform: kms:{call.operation} on resource: {wanted}"
        raise AwsError("AccessDeniedException", text)
    raise AwsError("NotFoundException", f"Key '{wanted}' does not exist")


@handles("kms:DescribeKey")
def _describe_key(call: Call, given: Json) -> Json:
    return {"KeyMetadata": _key(call, given, foreign=True)["metadata"]}


@handles("kms:GetKeyPolicy")
def _key_policy(call: Call, given: Json) -> Json:
    return {"Policy": _key(call, given)["policy"], "PolicyName": "default"}


def _rotatable(call: Call, given: Json) -> Json:
    key = _key(call, given)
    metadata = key["metadata"]
    if metadata["KeySpec"] != "SYMMETRIC_DEFAULT" or metadata["Origin"] != "AWS_KMS":
        raise AwsError("UnsupportedOperationException", "")
    if call.operation == "EnableKeyRotation" and metadata["KeyState"] != "Enabled":
        raise AwsError("KMSInvalidStateException", f"{metadata['Arn']} is {metadata['KeyState']}.")
    return key


@handles("kms:GetKeyRotationStatus")
def _rotation(call: Call, given: Json) -> Json:
    key = _rotatable(call, given)
    period = {"RotationPeriodInDays": 365, "NextRotationDate": now(days=-100)} if key["rotation"] else {}
    return {"KeyId": key["metadata"]["Arn"], "KeyRotationEnabled": key["rotation"], **period}


@handles("kms:EnableKeyRotation")
def _rotate(call: Call, given: Json) -> Json:
    _rotatable(call, given)["rotation"] = True
    return {}


@handles("logs:DescribeLogGroups")
def _groups(call: Call, given: Json) -> Json:
    prefix, part = given.get("logGroupNamePrefix", ""), given.get("logGroupNamePattern", "")
    wanted = given.get("logGroupIdentifiers")
    return {
        "logGroups": [
            group
            for name, group in sorted(call.here.logs["groups"].items())
            if name.startswith(prefix)
            and part in name
            and (not wanted or name in wanted or group["logGroupArn"] in wanted)
        ]
    }


def _group(call: Call, given: Json) -> Json:
    name = given["logGroupName"]
    if name not in call.here.logs["groups"]:
        raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
    found: Json = call.here.logs["groups"][name]
    return found


@handles("logs:DescribeMetricFilters")
def _metric_filters(call: Call, given: Json) -> Json:
    if given.get("logGroupName"):
        _group(call, given)
    found = call.here.logs["metric_filters"]
    return {
        "metricFilters": [item for item in found if given.get("logGroupName") in (None, item["logGroupName"])]
    }


@handles("logs:DescribeSubscriptionFilters")
def _subscriptions(call: Call, given: Json) -> Json:
    _group(call, given)
    found = call.here.logs["subscription_filters"]
    return {"subscriptionFilters": [item for item in found if item["logGroupName"] == given["logGroupName"]]}


@handles("logs:DescribeAccountPolicies")
def _account_policies(call: Call, given: Json) -> Json:
    return {"accountPolicies": []}


@handles("logs:CreateLogGroup")
def _create_group(call: Call, given: Json) -> Json:
    if given["logGroupName"] in call.here.logs["groups"]:
        raise AwsError("ResourceAlreadyExistsException", "The specified log group already exists")
    call.here.add_log_group(given["logGroupName"])
    return {}


@handles("logs:PutRetentionPolicy")
def _retention(call: Call, given: Json) -> Json:
    _group(call, given)["retentionInDays"] = given["retentionInDays"]
    return {}


@handles("logs:PutMetricFilter")
def _put_metric_filter(call: Call, given: Json) -> Json:
    _group(call, given)
    kept = [
        item
        for item in call.here.logs["metric_filters"]
        if (item["logGroupName"], item["filterName"]) != (given["logGroupName"], given["filterName"])
    ]
    call.here.logs["metric_filters"] = [*kept, {**given, "creationTime": 1_700_000_000_000}]
    return {}


@handles("ec2:DescribeInstances")
def _instances(call: Call, given: Json) -> Json:
    found = [{"InstanceId": item, "State": {"Name": "running"}} for item in call.here.ec2["instances"]]
    own = {"ReservationId": "r-1", "OwnerId": call.account.id}
    return {"Reservations": [{**own, "Instances": [item]} for item in found]}


@handles("ec2:DescribeVpcs")
def _vpcs(call: Call, given: Json) -> Json:
    own = {"OwnerId": call.account.id, "State": "available", "IsDefault": False}
    return {"Vpcs": [{**own, "VpcId": item} for item in call.here.ec2["vpcs"]]}


@handles("ec2:DescribeFlowLogs")
def _flow_logs(call: Call, given: Json) -> Json:
    wanted = {
        value
        for item in given.get("Filter") or []
        if item["Name"] == "resource-id"
        for value in item["Values"]
    }
    found = call.here.ec2["flow_logs"]
    return {"FlowLogs": [item for item in found if not wanted or item["ResourceId"] in wanted]}


@handles("ec2:CreateFlowLogs")
def _create_flow_logs(call: Call, given: Json) -> Json:
    made = []
    for vpc in given["ResourceIds"]:
        found = {
            "FlowLogId": f"fl-{len(call.here.ec2['flow_logs']):017x}",
            "FlowLogStatus": "ACTIVE",
            "DeliverLogsStatus": "SUCCESS",
            "ResourceId": vpc,
            "TrafficType": given.get("TrafficType", "ALL"),
            "LogDestinationType": given.get("LogDestinationType", "cloud-watch-logs"),
            "LogDestination": given.get("LogDestination", ""),
            "MaxAggregationInterval": given.get("MaxAggregationInterval", 600),
        }
        call.here.ec2["flow_logs"].append(found)
        made.append(found["FlowLogId"])
    return {"FlowLogIds": made, "Unsuccessful": []}


@handles("eks:ListClusters")
def _eks(call: Call, given: Json) -> Json:
    return {"clusters": call.here.workloads["eks"]}


@handles("ecs:ListClusters")
def _ecs(call: Call, given: Json) -> Json:
    return {"clusterArns": [call.here.arn("ecs", f"cluster/{name}") for name in call.here.workloads["ecs"]]}


@handles("lambda:ListFunctions")
def _functions(call: Call, given: Json) -> Json:
    names = call.here.workloads["functions"]
    return {
        "Functions": [
            {"FunctionName": n, "FunctionArn": call.here.arn("lambda", f"function:{n}")} for n in names
        ]
    }


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


_INSPECTED = ("ec2", "ecr", "lambda", "lambdaCode", "codeRepository")


@handles("inspector2:BatchGetAccountStatus")
def _inspector(call: Call, given: Json) -> Json:
    status = call.here.inspector2["status"]
    error = {"errorCode": "ALREADY_ENABLED", "errorMessage": "none"}

    def state(on: bool) -> Json:
        return {"status": "ENABLED", **error} if on else {"status": "DISABLED", **error}

    found = {
        "accountId": call.account.id,
        "state": state(any(value == "ENABLED" for value in status.values())),
        "resourceState": {name: state(status.get(name) == "ENABLED") for name in _INSPECTED},
    }
    return {"accounts": [found], "failedAccounts": []}


@handles("inspector2:Enable")
def _inspect(call: Call, given: Json) -> Json:
    names = {"EC2": "ec2", "ECR": "ecr", "LAMBDA": "lambda", "LAMBDA_CODE": "lambdaCode"}
    status = call.here.inspector2["status"]
    status |= {names.get(kind, "codeRepository"): "ENABLED" for kind in given["resourceTypes"]}
    shown = {name: status.get(name, "DISABLED") for name in _INSPECTED}
    done = {"accountId": call.account.id, "status": "ENABLING", "resourceStatus": shown}
    return {"accounts": [done], "failedAccounts": []}


@handles("macie2:GetMacieSession")
def _macie(call: Call, given: Json) -> Json:
    if call.here.macie2["session"] is None:
        raise AwsError("AccessDeniedException", "Macie is not enabled", 403)
    return dict(call.here.macie2["session"])


@handles("macie2:EnableMacie")
def _enable_macie(call: Call, given: Json) -> Json:
    call.here.macie2["session"] = {
        "findingPublishingFrequency": given.get("findingPublishingFrequency", "FIFTEEN_MINUTES"),
        "status": given.get("status", "ENABLED"),
        "createdAt": now(),
        "updatedAt": now(),
        "serviceRole": call.account.arn(
            "iam", "role/aws-service-role/macie.amazonaws.com/AWSServiceRoleForAmazonMacie"
        ),
    }
    return {}


@handles("accessanalyzer:ListAnalyzers")
def _analyzers(call: Call, given: Json) -> Json:
    found = call.here.accessanalyzer["analyzers"]
    return {"analyzers": [item for item in found if given.get("type") in (None, item["type"])]}


@handles("accessanalyzer:CreateAnalyzer")
def _create_analyzer(call: Call, given: Json) -> Json:
    arn = call.here.arn("access-analyzer", f"analyzer/{given['analyzerName']}")
    found = {"arn": arn, "name": given["analyzerName"], "type": given["type"]}
    call.here.accessanalyzer["analyzers"].append({**found, "createdAt": now(), "status": "ACTIVE"})
    return {"arn": arn}


@handles("fms:GetAdminAccount")
def _fms(call: Call, given: Json) -> Json:
    org = call.world.organization if manager(call) else None
    if not org or "FirewallManager" not in org:
        text = f"No default admin could be found for account {call.account.id} in Region {call.region}"
        raise AwsError("ResourceNotFoundException", text)
    return {"AdminAccount": org["FirewallManager"], "RoleStatus": "READY"}


@handles("fms:ListPolicies")
def _fms_policies(call: Call, given: Json) -> Json:
    org = call.world.organization if manager(call) else None
    if not org or "FirewallManager" not in org:
        text = f"No default admin could be found for account {call.account.id} in Region {call.region}"
        raise AwsError("AccessDeniedException", text)
    if org["FirewallManager"] != call.account.id:
        text = "Operation ListPolicies is only available to AWS Firewall Manager Administrators"
        raise AwsError("AccessDeniedException", text)
    return {"PolicyList": []}


@handles("detective:ListGraphs")
def _graphs(call: Call, given: Json) -> Json:
    return {"GraphList": call.here.detective["graphs"]}


@handles("detective:CreateGraph")
def _create_graph(call: Call, given: Json) -> Json:
    arn = call.here.arn("detective", "graph:" + "e" * 32)
    call.here.detective["graphs"] = [{"Arn": arn, "CreatedTime": now()}]
    return {"GraphArn": arn}


@handles("ssm:DescribeDocument")
def _document(call: Call, given: Json) -> Json:
    name = given["Name"]
    if not name.startswith(("AWS-", "AWSConfigRemediation-", "AWSSupport-")):
        raise AwsError("InvalidDocument", f"Document with name {name} does not exist.")
    return {"Document": {"Name": name, "Owner": "Amazon", "Status": "Active", "DocumentType": "Automation"}}
