"""Who a rule may call: functions, state machines, documents, streams, and AWS's own ways to tell a human."""

from __future__ import annotations

import json

from ..faults import AwsError
from ..world import Call, Json
from .registry import handles, only

_WRITES = ("AddPermission", "PutFunctionConcurrency", "DeleteFunctionConcurrency")
_STATES = ("State", "StateReason", "StateReasonCode")
_UPDATES = ("LastUpdateStatus", "LastUpdateStatusReason", "LastUpdateStatusReasonCode")


def _missing(text: str, status: int = 404) -> AwsError:
    return AwsError("ResourceNotFoundException", text, status)


def _full(call: Call, item: str | Json) -> Json:
    """A function as the state has it: a name, a configuration, or all of Region.add_function."""
    if isinstance(item, dict) and "Configuration" in item:
        return item
    fields = {"FunctionName": item} if isinstance(item, str) else item
    name = fields["FunctionName"]
    base = {"FunctionArn": call.here.arn("lambda", f"function:{name}"), "Version": "$LATEST"}
    state = {"State": "Active", "LastUpdateStatus": "Successful"}
    return {"Configuration": {**base, **state, **fields}, "Policies": {"": []}, "Concurrency": None}


def _function(call: Call, given: Json) -> tuple[Json, str]:
    """(function, version or alias) of a name, a partial ARN or an ARN."""
    wanted = given["FunctionName"]
    parts = wanted.partition("function:")[2] if "function:" in wanted else wanted
    name, _, qualifier = parts.partition(":")
    qualifier = given.get("Qualifier") or qualifier
    qualifier = "" if qualifier == "$LATEST" else qualifier
    arn = call.here.arn("lambda", f"function:{name}")
    if wanted.startswith("arn:") and wanted.split(":")[3:5] != [call.region, call.account.id]:
        text = f"User: {call.arn} is not authorized to perform: lambda:{call.operation} on resource: {wanted}"
        raise AwsError("AccessDeniedException", text, 403)
    known = call.here.workloads["functions"]
    for place, item in enumerate(known):
        found = _full(call, item)
        if found["Configuration"]["FunctionName"] == name and qualifier in found["Policies"]:
            if call.operation in _WRITES:
                known[place] = found  # from here on all of it is state
            return found, qualifier
    raise _missing(f"Function not found: {arn}{':' * bool(qualifier)}{qualifier}")


@handles("lambda:ListFunctions")
def _functions(call: Call, given: Json) -> Json:
    found = []
    for item in call.here.workloads["functions"]:
        configuration = _full(call, item)["Configuration"]
        if isinstance(item, str):
            configuration = only(configuration, "FunctionName", "FunctionArn")
        # The list has neither of the states: those are in GetFunction(Configuration) only.
        found.append({k: v for k, v in configuration.items() if k not in (*_STATES, *_UPDATES)})
    return {"Functions": found}


def _configuration(call: Call, given: Json) -> Json:
    found, qualifier = _function(call, given)
    if not qualifier:
        return dict(found["Configuration"])
    arn = f"{found['Configuration']['FunctionArn']}:{qualifier}"
    return {**found["Configuration"], "FunctionArn": arn, "Version": "1"}


@handles("lambda:GetFunctionConfiguration")
def _get_configuration(call: Call, given: Json) -> Json:
    return _configuration(call, given)


@handles("lambda:GetFunction")
def _get_function(call: Call, given: Json) -> Json:
    limit = _function(call, given)[0]["Concurrency"]
    reserved = {} if limit is None else {"Concurrency": {"ReservedConcurrentExecutions": limit}}
    code = {"RepositoryType": "S3", "Location": "https://example.com/code.zip"}
    return {"Configuration": _configuration(call, given), "Code": code, **reserved}


@handles("lambda:GetFunctionConcurrency")
def _concurrency(call: Call, given: Json) -> Json:
    limit = _function(call, given)[0]["Concurrency"]
    return {} if limit is None else {"ReservedConcurrentExecutions": limit}


@handles("lambda:PutFunctionConcurrency")
def _reserve(call: Call, given: Json) -> Json:
    _function(call, given)[0]["Concurrency"] = given["ReservedConcurrentExecutions"]
    return {"ReservedConcurrentExecutions": given["ReservedConcurrentExecutions"]}


@handles("lambda:DeleteFunctionConcurrency")
def _unreserve(call: Call, given: Json) -> Json:
    _function(call, given)[0]["Concurrency"] = None
    return {}


@handles("lambda:GetPolicy")
def _policy(call: Call, given: Json) -> Json:
    found, qualifier = _function(call, given)
    statements = found["Policies"][qualifier]
    if not statements:
        raise _missing("The resource you requested does not exist.")
    document = {"Version": "2012-10-17", "Id": "default", "Statement": statements}
    return {
        "Policy": json.dumps(document),
        "RevisionId": f"{len(statements):08d}-0000-0000-0000-000000000000",
    }


@handles("lambda:AddPermission")
def _permit(call: Call, given: Json) -> Json:
    found, qualifier = _function(call, given)
    statements = found["Policies"][qualifier]
    if any(item.get("Sid") == given["StatementId"] for item in statements):
        text = (
            f"The statement id ({given['StatementId']}) provided already exists. Please provide a new "
            "statement id, or remove the existing statement."
        )
        raise AwsError("ResourceConflictException", text, 409)
    who = given["Principal"]
    statement: Json = {"Sid": given["StatementId"], "Effect": "Allow"}
    if who == "*":
        statement["Principal"] = "*"
    elif who.isdigit():
        statement["Principal"] = {"AWS": f"arn:aws:iam::{who}:root"}
    else:
        statement["Principal"] = {"AWS" if who.startswith("arn:") else "Service": who}
    arn = found["Configuration"]["FunctionArn"]
    statement |= {"Action": given["Action"], "Resource": f"{arn}:{qualifier}" if qualifier else arn}
    conditions: Json = {}
    if "SourceAccount" in given:
        conditions["StringEquals"] = {"AWS:SourceAccount": given["SourceAccount"]}
    if "PrincipalOrgID" in given:
        conditions.setdefault("StringEquals", {})["aws:PrincipalOrgID"] = given["PrincipalOrgID"]
    if "SourceArn" in given:
        conditions["ArnLike"] = {"AWS:SourceArn": given["SourceArn"]}
    if conditions:
        statement["Condition"] = conditions
    statements.append(statement)
    return {"Statement": json.dumps(statement)}


@handles("lambda:RemovePermission")
def _forbid(call: Call, given: Json) -> Json:
    found, qualifier = _function(call, given)
    statements = found["Policies"][qualifier]
    kept = [item for item in statements if item.get("Sid") != given["StatementId"]]
    if len(kept) == len(statements):
        raise _missing("No policy is associated with the given resource.")
    statements[:] = kept
    return {}


@handles("stepfunctions:DescribeStateMachine")
def _machine(call: Call, given: Json) -> Json:
    arn = given["stateMachineArn"]
    if arn not in call.here.responders["machines"]:
        raise AwsError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
    return dict(call.here.responders["machines"][arn])


@handles("ssm:DescribeDocument")
def _document(call: Call, given: Json) -> Json:
    name = given["Name"].rpartition("/")[2] if given["Name"].startswith("arn:") else given["Name"]
    if name in call.here.responders["documents"]:
        return {"Document": call.here.responders["documents"][name]}
    if not name.startswith(("AWS-", "AWSConfigRemediation-", "AWSSupport-")):
        raise AwsError("InvalidDocument", f"Document with name {name} does not exist.")
    return {"Document": {"Name": name, "Owner": "Amazon", "Status": "Active", "DocumentType": "Automation"}}


@handles("kinesis:DescribeStreamSummary")
def _stream(call: Call, given: Json) -> Json:
    name = given.get("StreamName") or given.get("StreamARN", "").rpartition("/")[2]
    if name not in call.here.responders["streams"]:
        text = f"Stream {name} under account {call.account.id} not found."
        raise _missing(text, 400)
    return {"StreamDescriptionSummary": call.here.responders["streams"][name]}


@handles("firehose:DescribeDeliveryStream")
def _delivery_stream(call: Call, given: Json) -> Json:
    name = given["DeliveryStreamName"]
    if name not in call.here.responders["delivery_streams"]:
        raise _missing(f"Firehose {name} under account {call.account.id} not found.", 400)
    return {"DeliveryStreamDescription": call.here.responders["delivery_streams"][name]}


@handles("notifications:ListNotificationConfigurations")
def _configurations(call: Call, given: Json) -> Json:
    state = call.account.notifications
    source, channel, status = (given.get(key) for key in ("eventRuleSource", "channelArn", "status"))
    return {
        "notificationConfigurations": [
            item
            for arn, item in state["configurations"].items()
            if status in (None, item["status"])
            and channel in (None, *state["channels"].get(arn, []))
            and source in (None, *(rule["source"] for rule in _rules_of(call, arn)))
        ]
    }


def _rules_of(call: Call, arn: str) -> list[Json]:
    rules = call.account.notifications["rules"].values()
    return [item for item in rules if item["notificationConfigurationArn"] == arn]


def _known(call: Call, kind: str, arn: str) -> Json:
    known: Json = call.account.notifications[kind]
    if arn not in known:
        raise _missing("The resource does not exist.")
    return dict(known[arn])


@handles("notifications:GetNotificationConfiguration")
def _notification(call: Call, given: Json) -> Json:
    return _known(call, "configurations", given["arn"])


@handles("notifications:ListEventRules")
def _event_rules(call: Call, given: Json) -> Json:
    _known(call, "configurations", given["notificationConfigurationArn"])
    return {"eventRules": _rules_of(call, given["notificationConfigurationArn"])}


@handles("notifications:GetEventRule")
def _event_rule(call: Call, given: Json) -> Json:
    return _known(call, "rules", given["arn"])


@handles("notifications:ListChannels")
def _channels(call: Call, given: Json) -> Json:
    arn = given["notificationConfigurationArn"]
    _known(call, "configurations", arn)
    return {"channels": call.account.notifications["channels"].get(arn, [])}


@handles("notificationscontacts:ListEmailContacts")
def _contacts(call: Call, given: Json) -> Json:
    return {"emailContacts": list(call.account.notifications["contacts"].values())}


@handles("notificationscontacts:GetEmailContact")
def _contact(call: Call, given: Json) -> Json:
    return {"emailContact": _known(call, "contacts", given["arn"])}
