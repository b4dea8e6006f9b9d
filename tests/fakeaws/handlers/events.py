"""EventBridge: buses, rules on each of them, their targets, and API destinations."""

from __future__ import annotations

import json
from typing import Any

from ..faults import AwsError
from ..world import Call, Json, now
from .registry import handles, only, tools_own

_NEEDS_A_ROLE = ("states", "kinesis", "firehose", "ssm", "execute-api", "ecs", "batch")
_EVENT_FIELDS = ("id", "account", "source", "time", "region", "resources", "detail-type")


def _missing(text: str) -> AwsError:
    return AwsError("ResourceNotFoundException", text)


def _invalid(text: str) -> AwsError:
    return AwsError("ValidationException", text)


def _bus(call: Call, given: Json, key: str = "EventBusName") -> Json:
    """The bus named (or meant by ARN), by default the default one."""
    wanted = given.get(key) or "default"
    if wanted.startswith("arn:"):
        _, _, _, region, account, rest = wanted.split(":", 5)
        if (region, account) != (call.region, call.account.id):
            text = f"User: {call.arn} is not authorized to perform: events:{call.operation} on resource: "
            raise AwsError("AccessDeniedException", text + wanted)
        wanted = rest.partition("/")[2]
    if wanted not in call.here.events["buses"]:
        raise _missing(f"Event bus {wanted} does not exist.")
    found: Json = call.here.events["buses"][wanted]
    return found


def _rule(call: Call, given: Json, key: str = "Name") -> Json:
    bus, name = _bus(call, given), given[key]
    if name not in bus["rules"]:
        raise _missing(f"Rule {name} does not exist on EventBus {bus['bus']['Name']}.")
    found: Json = bus["rules"][name]
    return found


def _own(rule: Json) -> Json:
    """The rule, when it is not a service's own."""
    if "ManagedBy" in rule["rule"]:
        name = rule["rule"]["Name"]
        raise AwsError("ManagedRuleException", f"Rule {name} is a managed rule and can't be modified.")
    return rule


@handles("events:ListEventBuses")
def _buses(call: Call, given: Json) -> Json:
    names = ("Name", "Arn", "Description", "Policy", "CreationTime", "LastModifiedTime")
    known, prefix = call.here.events["buses"], given.get("NamePrefix", "")
    return {"EventBuses": [only(known[n]["bus"], *names) for n in sorted(known) if n.startswith(prefix)]}


@handles("events:DescribeEventBus")
def _describe_bus(call: Call, given: Json) -> Json:
    return dict(_bus(call, given, "Name")["bus"])


@handles("events:CreateEventBus")
def _create_bus(call: Call, given: Json) -> Json:
    if given["Name"] in call.here.events["buses"]:
        text = f"Event bus {given['Name']} already exists."
        raise AwsError("ResourceAlreadyExistsException", text)
    kept = only(given, "Description", "KmsKeyIdentifier", "DeadLetterConfig", "LogConfig")
    return {"EventBusArn": call.here.add_bus(given["Name"], **kept), **kept}


@handles("events:PutPermission")
def _permit(call: Call, given: Json) -> Json:
    bus = _bus(call, given)["bus"]
    bus["LastModifiedTime"] = now()
    if "Policy" in given:
        _document(given["Policy"])
        bus["Policy"] = given["Policy"]
        return {}
    if not {"Action", "Principal", "StatementId"} <= set(given):
        raise _invalid("Action, Principal and StatementId are required without a Policy.")
    who = given["Principal"]
    statement: Json = {"Sid": given["StatementId"], "Effect": "Allow"}
    statement["Principal"] = "*" if who == "*" else {"AWS": f"arn:aws:iam::{who}:root"}
    statement |= {"Action": given["Action"], "Resource": bus["Arn"]}
    if rule := given.get("Condition"):
        statement["Condition"] = {rule["Type"]: {rule["Key"]: rule["Value"]}}
    kept = [item for item in _statements(bus) if item.get("Sid") != statement["Sid"]]
    bus["Policy"] = json.dumps({"Version": "2012-10-17", "Statement": [*kept, statement]})
    return {}


@handles("events:RemovePermission")
def _forbid(call: Call, given: Json) -> Json:
    bus = _bus(call, given)["bus"]
    wanted, everything = given.get("StatementId"), given.get("RemoveAllPermissions", False)
    kept = [item for item in _statements(bus) if not everything and item.get("Sid") != wanted]
    if not everything and len(kept) == len(_statements(bus)):
        raise _missing(f"Statement with the provided id {wanted} does not exist.")
    bus.pop("Policy", None)
    if kept:
        bus["Policy"] = json.dumps({"Version": "2012-10-17", "Statement": kept})
    return {}


def _statements(bus: Json) -> list[Json]:
    return list(json.loads(bus.get("Policy", "{}")).get("Statement", []))


def _document(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise _invalid("The policy is not valid JSON.") from None


@handles("events:ListRules")
def _rules(call: Call, given: Json) -> Json:
    known, prefix = _bus(call, given)["rules"], given.get("NamePrefix", "")
    return {"Rules": [known[name]["rule"] for name in sorted(known) if name.startswith(prefix)]}


@handles("events:DescribeRule")
def _describe_rule(call: Call, given: Json) -> Json:
    return {**_rule(call, given)["rule"], "CreatedBy": call.account.id}


@handles("events:PutRule")
def _put_rule(call: Call, given: Json) -> Json:
    bus, name = _bus(call, given), given["Name"]
    if not {"EventPattern", "ScheduleExpression"} & set(given):
        raise _invalid("Parameter(s) EventPattern or ScheduleExpression must be specified.")
    if "ScheduleExpression" in given and bus["bus"]["Name"] != "default":
        raise _invalid("ScheduleExpression is supported only on the default event bus.")
    if "EventPattern" in given:
        _pattern(given["EventPattern"])
    old = bus["rules"].get(name)
    if old:
        _own(old)
    state = given.get("State", "ENABLED")
    fields = {key: given[key] for key in ("Description", "RoleArn") if key in given}
    arn = call.here.add_event_rule(
        name,
        pattern=given.get("EventPattern"),
        schedule=given.get("ScheduleExpression"),
        state=state,
        bus=bus["bus"]["Name"],
        targets=list(old["targets"].values()) if old else (),
        **fields,
    )
    return {"RuleArn": arn}


def _pattern(text: str) -> None:
    """Refuse what is no pattern: an object, not empty, whose leaves are lists."""

    def sound(value: Any) -> bool:
        return bool(value) and all(
            sound(item) if isinstance(item, dict) else isinstance(item, list) and bool(item)
            for item in value.values()
        )

    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not sound(found):
        raise AwsError("InvalidEventPatternException", "Event pattern is not valid.")


@handles("events:EnableRule", "events:DisableRule")
def _switch(call: Call, given: Json) -> Json:
    rule = _own(_rule(call, given))["rule"]
    rule["State"] = "ENABLED" if call.operation == "EnableRule" else "DISABLED"
    return {}


@handles("events:DeleteRule")
def _delete_rule(call: Call, given: Json) -> Json:
    rules = _bus(call, given)["rules"]
    rule = rules.get(given["Name"])
    if rule is None:
        return {}
    if not given.get("Force"):
        _own(rule)
    if rule["targets"]:
        raise _invalid("Rule can't be deleted since it has targets.")
    del rules[given["Name"]]
    return {}


@handles("events:ListTargetsByRule")
def _targets(call: Call, given: Json) -> Json:
    return {"Targets": list(_rule(call, given, "Rule")["targets"].values())}


@handles("events:PutTargets")
def _put_targets(call: Call, given: Json) -> Json:
    targets = _own(_rule(call, given, "Rule"))["targets"]
    for item in given["Targets"]:
        _check(call, item)
    if len(targets.keys() | {item["Id"] for item in given["Targets"]}) > 5:
        raise AwsError("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
    failed = []
    for item in given["Targets"]:
        if item["Arn"] in call.world.failing_targets:
            code, text = call.world.failing_targets[item["Arn"]]
            failed.append({"TargetId": item["Id"], "ErrorCode": code, "ErrorMessage": text})
        else:
            targets[item["Id"]] = item
    return {"FailedEntryCount": len(failed), "FailedEntries": failed}


def _check(call: Call, target: Json) -> None:
    """Refuse what AWS refuses of a target (never whether the target exists: nobody checks that)."""
    parts = target["Arn"].split(":", 5)
    if len(parts) < 6:
        raise _invalid(
            f"Parameter {target['Arn']} is not valid. Reason: Provided Arn is not in correct format."
        )
    service, region, account, rest = parts[2:]
    if "RoleArn" not in target and service in _NEEDS_A_ROLE:
        raise _invalid(f"RoleArn is required for target {target['Arn']}.")
    foreign = (region, account) != (call.region, call.account.id)
    if service == "events" and rest.startswith("event-bus/") and foreign and "RoleArn" not in target:
        owner = call.world.accounts.get(account)
        buses = owner.regions[region].events["buses"] if owner and region in owner.regions else {}
        policy = buses.get(rest.partition("/")[2], {}).get("bus", {}).get("Policy", "")
        if call.account.id not in policy and '"*"' not in policy:
            text = f"User: {call.arn} is not authorized to perform: events:PutEvents on resource: "
            raise AwsError("AccessDeniedException", text + target["Arn"])
    elif service != "events" and region and region != call.region:
        raise _invalid(
            f"Parameter {target['Arn']} is not valid. Reason: Provided Arn is not in correct format."
        )


@handles("events:RemoveTargets")
def _remove_targets(call: Call, given: Json) -> Json:
    rule = _rule(call, given, "Rule")
    if not given.get("Force"):
        _own(rule)
    for name in given["Ids"]:
        rule["targets"].pop(name, None)
    return {"FailedEntryCount": 0, "FailedEntries": []}


@handles("events:TestEventPattern")
def _test(call: Call, given: Json) -> Json:
    _pattern(given["EventPattern"])
    try:
        event = json.loads(given["Event"])
    except ValueError:
        event = None
    if not isinstance(event, dict) or any(name not in event for name in _EVENT_FIELDS):
        raise _invalid("Parameter Event is not valid.")
    if call.world.test_event_pattern:
        return {"Result": call.world.test_event_pattern(given["EventPattern"], given["Event"])}
    matcher = tools_own(call, "postureaudit.signals.event_pattern")
    return {"Result": bool(matcher.matches(given["EventPattern"], event))}


@handles("events:ListArchives")
def _archives(call: Call, given: Json) -> Json:
    found = call.here.events["archives"].values()
    source, prefix, state = given.get("EventSourceArn"), given.get("NamePrefix", ""), given.get("State")
    return {
        "Archives": [
            item
            for item in found
            if item["ArchiveName"].startswith(prefix)
            and source in (None, item["EventSourceArn"])
            and state in (None, item["State"])
        ]
    }


@handles("events:ListConnections")
def _connections(call: Call, given: Json) -> Json:
    prefix, state = given.get("NamePrefix", ""), given.get("ConnectionState")
    found = call.here.events["connections"].values()
    return {
        "Connections": [
            item
            for item in found
            if item["Name"].startswith(prefix) and state in (None, item["ConnectionState"])
        ]
    }


@handles("events:ListApiDestinations")
def _destinations(call: Call, given: Json) -> Json:
    prefix, connection = given.get("NamePrefix", ""), given.get("ConnectionArn")
    found = call.here.events["destinations"].values()
    listed = [item for item in found if item["Name"].startswith(prefix)]
    return {
        "ApiDestinations": [
            {key: value for key, value in item.items() if key != "Description"}
            for item in listed
            if connection in (None, item["ConnectionArn"])
        ]
    }


@handles("events:DescribeApiDestination")
def _destination(call: Call, given: Json) -> Json:
    if given["Name"] not in call.here.events["destinations"]:
        raise _missing(f"Failed to describe the api-destination(s). Reason: {given['Name']} does not exist.")
    return dict(call.here.events["destinations"][given["Name"]])
