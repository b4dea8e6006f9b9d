"""AWS Config: recorders, channels, rules, packs, remediation, aggregators, retention, organization resources."""

from __future__ import annotations

from typing import Any

from ..faults import AwsError
from ..world import Call, Json, now
from .registry import handles, is_administrator, manager, only, pick

_PRINCIPAL = "config.amazonaws.com"
_MULTI_ACCOUNT = "config-multiaccountsetup.amazonaws.com"
_LINKED_PREFIX = "AWSConfigurationRecorderFor"


def _customer(item: Json) -> bool:
    return "servicePrincipal" not in item["recorder"] and "connectorArn" not in item["recorder"]


def _recorders(call: Call, given: Json) -> list[Json]:
    """The recorders asked for: without arguments only the customer managed one."""
    known = call.here.config["recorders"]
    names, principal, arn = (
        given.get(key) for key in ("ConfigurationRecorderNames", "ServicePrincipal", "Arn")
    )
    if arn:
        found = [item for item in known.values() if item["recorder"]["arn"] == arn]
    elif principal:
        found = [item for item in known.values() if item["recorder"].get("servicePrincipal") == principal]
    elif names:
        found = pick(known, names, "NoSuchConfigurationRecorderException")
    else:
        return [item for item in known.values() if _customer(item)]
    if not found:
        raise AwsError("NoSuchConfigurationRecorderException", "Cannot find the configuration recorder.")
    return found


@handles("config:DescribeConfigurationRecorders")
def _describe_recorders(call: Call, given: Json) -> Json:
    return {"ConfigurationRecorders": [item["recorder"] for item in _recorders(call, given)]}


@handles("config:DescribeConfigurationRecorderStatus")
def _recorder_status(call: Call, given: Json) -> Json:
    return {
        "ConfigurationRecordersStatus": [
            {"arn": item["recorder"]["arn"], **only(item["recorder"], "servicePrincipal"), **item["status"]}
            for item in _recorders(call, given)
        ]
    }


@handles("config:ListConfigurationRecorders")
def _list_recorders(call: Call, given: Json) -> Json:
    found = [item["recorder"] for item in call.here.config["recorders"].values()]
    names = ("arn", "name", "servicePrincipal", "recordingScope")
    return {"ConfigurationRecorderSummaries": [only(item, *names) for item in found]}


@handles("config:PutConfigurationRecorder")
def _put_recorder(call: Call, given: Json) -> Json:
    wanted, known = given["ConfigurationRecorder"], call.here.config["recorders"]
    name = wanted.get("name", "default")
    if any(_customer(item) and other != name for other, item in known.items()):
        text = f"Failed to put configuration recorder '{name}' because the maximum number of 1 is reached."
        raise AwsError("MaxNumberOfConfigurationRecordersExceededException", text)
    if not wanted.get("roleARN"):
        raise AwsError("InvalidRoleException", "The role is null or empty.")
    group = _group(wanted.get("recordingGroup") or {"allSupported": True})
    old = known.get(name)
    call.here.add_recorder(
        name,
        recording=bool(old and old["status"]["recording"]),
        group=group,
        role=wanted["roleARN"],
        frequency=(wanted.get("recordingMode") or {}).get("recordingFrequency", "CONTINUOUS"),
    )
    if mode := wanted.get("recordingMode"):
        known[name]["recorder"]["recordingMode"] = {"recordingModeOverrides": [], **mode}
    if old:
        known[name]["status"] = old["status"]
    else:
        known[name]["status"] = {"name": name, "recording": False, "lastStatus": "PENDING"}
    return {}


def _group(group: Json) -> Json:
    """A recording group with what AWS fills in."""
    types = group.get("resourceTypes") or []
    strategy = (group.get("recordingStrategy") or {}).get("useOnly")
    everything = bool(group.get("allSupported"))
    if everything and types:
        raise AwsError("InvalidRecordingGroupException", "allSupported and resourceTypes exclude each other.")
    derived = "ALL_SUPPORTED_RESOURCE_TYPES" if everything else "INCLUSION_BY_RESOURCE_TYPES"
    base = {
        "allSupported": False,
        "includeGlobalResourceTypes": False,
        "resourceTypes": [],
        "exclusionByResourceTypes": {"resourceTypes": []},
    }
    return {**base, **group, "recordingStrategy": {"useOnly": strategy or derived}}


@handles("config:StartConfigurationRecorder")
def _start(call: Call, given: Json) -> Json:
    [item] = pick(
        call.here.config["recorders"],
        [given["ConfigurationRecorderName"]],
        "NoSuchConfigurationRecorderException",
    )
    if not call.here.config["channels"]:
        raise AwsError(
            "NoAvailableDeliveryChannelException",
            "Delivery channel is not available to start configuration recorder.",
        )
    item["status"] |= {"recording": True, "lastStatus": "SUCCESS", "lastStartTime": now()}
    return {}


@handles("config:StopConfigurationRecorder")
def _stop(call: Call, given: Json) -> Json:
    [item] = pick(
        call.here.config["recorders"],
        [given["ConfigurationRecorderName"]],
        "NoSuchConfigurationRecorderException",
    )
    item["status"] |= {"recording": False, "lastStopTime": now()}
    return {}


@handles("config:DescribeDeliveryChannels")
def _channels(call: Call, given: Json) -> Json:
    found = pick(
        call.here.config["channels"], given.get("DeliveryChannelNames"), "NoSuchDeliveryChannelException"
    )
    return {"DeliveryChannels": [item["channel"] for item in found]}


@handles("config:DescribeDeliveryChannelStatus")
def _channel_status(call: Call, given: Json) -> Json:
    found = pick(
        call.here.config["channels"], given.get("DeliveryChannelNames"), "NoSuchDeliveryChannelException"
    )
    return {"DeliveryChannelsStatus": [item["status"] for item in found]}


@handles("config:PutDeliveryChannel")
def _put_channel(call: Call, given: Json) -> Json:
    channel, known = dict(given["DeliveryChannel"]), call.here.config["channels"]
    name = channel.pop("name", "default")
    if not any(_customer(item) for item in call.here.config["recorders"].values()):
        raise AwsError(
            "NoAvailableConfigurationRecorderException", "Configuration recorder is not available."
        )
    if set(known) - {name}:
        raise AwsError("MaxNumberOfDeliveryChannelsExceededException", "The maximum number of 1 is reached.")
    bucket = channel.pop("s3BucketName", "")
    if bucket not in call.world.buckets:
        raise AwsError(
            "NoSuchBucketException", f"Cannot find a S3 bucket with an input bucket name '{bucket}'."
        )
    known.pop(name, None)
    call.here.add_channel(bucket, name=name, **channel)
    if "configSnapshotDeliveryProperties" not in channel:
        known[name]["channel"].pop("configSnapshotDeliveryProperties")
        known[name]["status"]["configSnapshotDeliveryInfo"] = {}
    return {}


def _rules(call: Call, given: Json) -> list[Json]:
    return pick(call.here.config["rules"], given.get("ConfigRuleNames"), "NoSuchConfigRuleException")


@handles("config:DescribeConfigRules")
def _describe_rules(call: Call, given: Json) -> Json:
    return {"ConfigRules": _rules(call, given)}


@handles("config:DescribeConfigRuleEvaluationStatus")
def _evaluation(call: Call, given: Json) -> Json:
    names = ("ConfigRuleName", "ConfigRuleArn", "ConfigRuleId")
    status = call.here.config["evaluation"]
    return {
        "ConfigRulesEvaluationStatus": [
            {**only(rule, *names), **status.get(rule["ConfigRuleName"], {})} for rule in _rules(call, given)
        ]
    }


@handles("config:DescribeComplianceByConfigRule")
def _compliance(call: Call, given: Json) -> Json:
    known, wanted = call.here.config["compliance"], given.get("ComplianceTypes")
    found = []
    for rule in _rules(call, given):
        name = rule["ConfigRuleName"]
        kind = known.get(name, "INSUFFICIENT_DATA")
        if not wanted or kind in wanted:
            found.append({"ConfigRuleName": name, "Compliance": {"ComplianceType": kind}})
    return {"ComplianceByConfigRules": found}


@handles("config:PutConfigRule")
def _put_rule(call: Call, given: Json) -> Json:
    rule = dict(given["ConfigRule"])
    if not call.here.config["recorders"]:
        raise AwsError(
            "NoAvailableConfigurationRecorderException", "Configuration recorder is not available."
        )
    name = rule.pop("ConfigRuleName")
    identifier = rule["Source"].get("SourceIdentifier", "")
    call.here.add_rule(name, identifier, compliance="INSUFFICIENT_DATA", **rule)
    call.here.config["evaluation"][name] = {"FirstEvaluationStarted": False, "FirstActivatedTime": now()}
    return {}


@handles("config:StartConfigRulesEvaluation")
def _start_evaluation(call: Call, given: Json) -> Json:
    names = given.get("ConfigRuleNames") or []
    if len(names) > 25:
        raise AwsError("ValidationException", "Member must have length less than or equal to 25")
    for rule in pick(call.here.config["rules"], names, "NoSuchConfigRuleException"):
        status = call.here.config["evaluation"].setdefault(rule["ConfigRuleName"], {})
        times = dict.fromkeys(("LastSuccessfulInvocationTime", "LastSuccessfulEvaluationTime"), now())
        status.update({"FirstEvaluationStarted": True, **times})
    return {}


def _packs(call: Call, given: Json) -> list[Json]:
    names = given.get("ConformancePackNames")
    return pick(call.here.config["packs"], names, "NoSuchConformancePackException")


@handles("config:DescribeConformancePacks")
def _describe_packs(call: Call, given: Json) -> Json:
    return {"ConformancePackDetails": [item["detail"] for item in _packs(call, given)]}


@handles("config:DescribeConformancePackStatus")
def _pack_status(call: Call, given: Json) -> Json:
    names = ("ConformancePackName", "ConformancePackId", "ConformancePackArn", "LastUpdateRequestedTime")
    return {
        "ConformancePackStatusDetails": [
            {
                **only(item["detail"], *names),
                "ConformancePackState": item["state"],
                "StackArn": call.here.arn("cloudformation", "stack/awsconfigconforms/1"),
                "LastUpdateCompletedTime": item["detail"]["LastUpdateRequestedTime"],
            }
            for item in _packs(call, given)
        ]
    }


@handles("config:GetConformancePackComplianceSummary")
def _pack_summary(call: Call, given: Json) -> Json:
    known = call.here.config["pack_compliance"]
    names = [item["detail"]["ConformancePackName"] for item in _packs(call, given)]
    return {
        "ConformancePackComplianceSummaryList": [
            {
                "ConformancePackName": name,
                "ConformancePackComplianceStatus": known.get(name, "INSUFFICIENT_DATA"),
            }
            for name in names
        ]
    }


@handles("config:PutConformancePack")
def _put_pack(call: Call, given: Json) -> Json:
    if not any(
        given.get(key) for key in ("TemplateBody", "TemplateS3Uri", "TemplateSSMDocumentDetails", "Source")
    ):
        raise AwsError("ConformancePackTemplateValidationException", "A template is required.")
    if not any(item["status"]["recording"] for item in call.here.config["recorders"].values()):
        raise AwsError(
            "NoAvailableConfigurationRecorderException", "Configuration recorder is not available."
        )
    name = given["ConformancePackName"]
    call.here.add_pack(name)
    return {"ConformancePackArn": call.here.config["packs"][name]["detail"]["ConformancePackArn"]}


@handles("config:DescribeRemediationConfigurations")
def _remediations(call: Call, given: Json) -> Json:
    known = call.here.config["remediations"]
    return {"RemediationConfigurations": [known[name] for name in given["ConfigRuleNames"] if name in known]}


@handles("config:DescribeRemediationExecutionStatus")
def _executions(call: Call, given: Json) -> Json:
    name = given["ConfigRuleName"]
    if name not in call.here.config["remediations"]:
        raise AwsError("NoSuchRemediationConfigurationException", "No RemediationConfiguration exists")
    return {"RemediationExecutionStatuses": call.here.config["executions"].get(name, [])}


@handles("config:DescribeRemediationExceptions")
def _exceptions(call: Call, given: Json) -> Json:
    return {"RemediationExceptions": []}


@handles("config:PutRemediationConfigurations")
def _put_remediations(call: Call, given: Json) -> Json:
    for item in given["RemediationConfigurations"]:
        name = item["ConfigRuleName"]
        if name not in call.here.config["rules"]:
            raise AwsError("NoSuchConfigRuleException", f"The ConfigRule '{name}' does not exist.")
        _check_automatic(item)
        arn = call.here.arn("config", f"remediation-configuration/{name}/{'c' * 8}")
        call.here.config["remediations"][name] = {"Arn": arn, "Automatic": False, **item}
    return {"FailedBatches": []}


def _check_automatic(item: Json) -> None:
    needed = ("MaximumAutomaticAttempts", "RetryAttemptSeconds")
    if not item.get("Automatic"):
        return
    if not all(item.get(key) for key in needed) or "AutomationAssumeRole" not in item.get("Parameters", {}):
        text = "Automatic remediation needs AutomationAssumeRole, MaximumAutomaticAttempts and RetryAttemptSeconds."
        raise AwsError("InvalidParameterValueException", text)


@handles("config:DescribeConfigurationAggregators")
def _aggregators(call: Call, given: Json) -> Json:
    names, known = given.get("ConfigurationAggregatorNames"), call.here.config["aggregators"]
    found = pick(known, names, "NoSuchConfigurationAggregatorException")
    return {"ConfigurationAggregators": [item["aggregator"] for item in found]}


@handles("config:DescribeConfigurationAggregatorSourcesStatus")
def _sources(call: Call, given: Json) -> Json:
    wanted = given.get("UpdateStatus")
    names, known = [given["ConfigurationAggregatorName"]], call.here.config["aggregators"]
    [item] = pick(known, names, "NoSuchConfigurationAggregatorException")
    return {
        "AggregatedSourceStatusList": [
            source for source in item["sources"] if not wanted or source["LastUpdateStatus"] in wanted
        ]
    }


@handles("config:DescribeAggregationAuthorizations")
def _authorizations(call: Call, given: Json) -> Json:
    return {"AggregationAuthorizations": []}


@handles("config:PutConfigurationAggregator")
def _put_aggregator(call: Call, given: Json) -> Json:
    kinds = ("AccountAggregationSources", "OrganizationAggregationSource")
    if sum(bool(given.get(kind)) for kind in kinds) != 1:
        raise AwsError("InvalidParameterValueException", "Give either account or organization sources.")
    source = given.get("OrganizationAggregationSource")
    if source and not is_administrator(call, _PRINCIPAL):
        raise AwsError(
            "OrganizationAccessDeniedException",
            "This action can only be performed by the management account or a delegated administrator.",
        )
    add_aggregator(call.here, given["ConfigurationAggregatorName"], **only(given, *kinds))
    return {
        "ConfigurationAggregator": call.here.config["aggregators"][given["ConfigurationAggregatorName"]][
            "aggregator"
        ]
    }


def add_aggregator(region: Any, name: str, *, status: str = "SUCCEEDED", **sources: Any) -> None:
    """An aggregator in a region (see Region), with the status of its sources."""
    ids = [item for source in sources.get("AccountAggregationSources", []) for item in source["AccountIds"]]
    kind = "ACCOUNT" if ids else "ORGANIZATION"
    region.config["aggregators"][name] = {
        "aggregator": {
            "ConfigurationAggregatorName": name,
            "ConfigurationAggregatorArn": region.arn("config", f"config-aggregator/{name}"),
            "CreationTime": now(days=60),
            "LastUpdatedTime": now(days=1),
            **sources,
        },
        "sources": [
            {
                "SourceId": item,
                "SourceType": kind,
                "AwsRegion": region.name,
                "LastUpdateStatus": status,
                "LastUpdateTime": now(hours=5),
            }
            for item in ids or [region.account.id]
        ],
    }


@handles("config:DescribeRetentionConfigurations")
def _retention(call: Call, given: Json) -> Json:
    known = {item["Name"]: item for item in call.here.config["retention"]}
    names = given.get("RetentionConfigurationNames")
    return {"RetentionConfigurations": pick(known, names, "NoSuchRetentionConfigurationException")}


@handles("config:PutRetentionConfiguration")
def _put_retention(call: Call, given: Json) -> Json:
    found = {"Name": "default", "RetentionPeriodInDays": given["RetentionPeriodInDays"]}
    call.here.config["retention"] = [found]
    return {"RetentionConfiguration": found}


@handles("config:GetDiscoveredResourceCounts")
def _counts(call: Call, given: Json) -> Json:
    wanted = given.get("resourceTypes")
    counts = {k: v for k, v in call.here.config["counts"].items() if not wanted or k in wanted}
    listed = [{"resourceType": kind, "count": number} for kind, number in counts.items()]
    return {"totalDiscoveredResources": sum(counts.values()), "resourceCounts": listed}


@handles("config:ListDiscoveredResources", "config:GetResourceConfigHistory")
def _discovered(call: Call, given: Json) -> Json:
    if not call.here.config["recorders"]:
        raise AwsError(
            "NoAvailableConfigurationRecorderException", "Configuration recorder is not available."
        )
    return {"resourceIdentifiers": []} if call.operation.startswith("List") else {"configurationItems": []}


def _administers(call: Call) -> Json:
    if manager(call) is None:
        raise AwsError("OrganizationAccessDeniedException", "The account is not part of an organization.")
    if not is_administrator(call, _MULTI_ACCOUNT):
        text = "This action can only be performed by the management account or a delegated administrator."
        raise AwsError("OrganizationAccessDeniedException", text)
    return call.here.config


@handles("config:DescribeOrganizationConfigRules")
def _org_rules(call: Call, given: Json) -> Json:
    names = given.get("OrganizationConfigRuleNames")
    found = pick(_administers(call)["org_rules"], names, "NoSuchOrganizationConfigRuleException")
    return {"OrganizationConfigRules": [item["rule"] for item in found]}


@handles("config:DescribeOrganizationConfigRuleStatuses")
def _org_rule_status(call: Call, given: Json) -> Json:
    names = given.get("OrganizationConfigRuleNames")
    found = pick(_administers(call)["org_rules"], names, "NoSuchOrganizationConfigRuleException")
    return {"OrganizationConfigRuleStatuses": [item["status"] for item in found]}


@handles("config:GetOrganizationConfigRuleDetailedStatus")
def _org_rule_accounts(call: Call, given: Json) -> Json:
    [item] = pick(
        _administers(call)["org_rules"],
        [given["OrganizationConfigRuleName"]],
        "NoSuchOrganizationConfigRuleException",
    )
    wanted = (given.get("Filters") or {}).get("MemberAccountRuleStatus")
    key = "MemberAccountRuleStatus"
    found = [{**account, "ConfigRuleName": "OrgConfigRule-x"} for account in item["accounts"]]
    return {"OrganizationConfigRuleDetailedStatus": [one for one in found if wanted in (None, one[key])]}


def add_organization_rule(region: Any, name: str, status: str = "CREATE_SUCCESSFUL", **accounts: str) -> None:
    """A rule deployed to the organization from this region, and the accounts ("a<id>") with another status."""
    region.config["org_rules"][name] = {
        "rule": {
            "OrganizationConfigRuleName": name,
            "OrganizationConfigRuleArn": region.arn("config", f"organization-config-rule/{name}-aaaaaaaa"),
            "OrganizationManagedRuleMetadata": {"RuleIdentifier": "CLOUD_TRAIL_ENABLED"},
        },
        "status": {
            "OrganizationConfigRuleName": name,
            "OrganizationRuleStatus": status,
            "LastUpdateTime": now(days=9),
        },
        "accounts": [
            {"AccountId": account[1:], "MemberAccountRuleStatus": found, "ErrorCode": "NoRecorder"}
            for account, found in accounts.items()
        ],
    }


def add_organization_pack(
    region: Any, name: str, status: str = "CREATE_SUCCESSFUL", *, days: int = 9, **accounts: str
) -> None:
    """A pack deployed to the organization from this region, and the accounts ("a<id>") with another status."""
    region.config["org_packs"][name] = {
        "pack": {
            "OrganizationConformancePackName": name,
            "OrganizationConformancePackArn": region.arn(
                "config", f"organization-conformance-pack/{name}-aaaaaaaa"
            ),
            "LastUpdateTime": now(days=days),
        },
        "status": {
            "OrganizationConformancePackName": name,
            "Status": status,
            "LastUpdateTime": now(days=days),
        },
        "accounts": [
            {"AccountId": account[1:], "Status": found, "ErrorCode": "NoRecorder"}
            for account, found in accounts.items()
        ],
    }


def _org_packs(call: Call, given: Json) -> list[Json]:
    names = given.get("OrganizationConformancePackNames")
    return pick(_administers(call)["org_packs"], names, "NoSuchOrganizationConformancePackException")


@handles("config:DescribeOrganizationConformancePacks")
def _describe_org_packs(call: Call, given: Json) -> Json:
    return {"OrganizationConformancePacks": [item["pack"] for item in _org_packs(call, given)]}


@handles("config:DescribeOrganizationConformancePackStatuses")
def _org_pack_status(call: Call, given: Json) -> Json:
    return {"OrganizationConformancePackStatuses": [item["status"] for item in _org_packs(call, given)]}


@handles("config:GetOrganizationConformancePackDetailedStatus")
def _org_pack_accounts(call: Call, given: Json) -> Json:
    name = given["OrganizationConformancePackName"]
    [item] = _org_packs(call, {"OrganizationConformancePackNames": [name]})
    wanted = (given.get("Filters") or {}).get("Status")
    found = [{**one, "ConformancePackName": f"OrgConformsPack-{name}-aaaaaaaa"} for one in item["accounts"]]
    return {
        "OrganizationConformancePackDetailedStatuses": [
            one for one in found if wanted in (None, one["Status"])
        ]
    }


@handles("config:PutOrganizationConformancePack")
def _put_org_pack(call: Call, given: Json) -> Json:
    _administers(call)
    name = given["OrganizationConformancePackName"]
    add_organization_pack(call.here, name, days=0)
    return {
        "OrganizationConformancePackArn": call.here.config["org_packs"][name]["pack"][
            "OrganizationConformancePackArn"
        ]
    }
