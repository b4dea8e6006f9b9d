"""CloudTrail: trails with their shadows, status in each region, selectors, Insights and event data stores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..faults import AwsError
from ..world import ALL_MANAGEMENT, Call, Json, trail_status
from .registry import handles, is_administrator, manager, only

_PRINCIPAL = "cloudtrail.amazonaws.com"
_BODY = (
    *(
        "S3BucketName",
        "S3KeyPrefix",
        "IncludeGlobalServiceEvents",
        "IsMultiRegionTrail",
        "IsOrganizationTrail",
    ),
    *("CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn", "KmsKeyId"),
)


def _all(call: Call) -> Iterator[Json]:
    """Every trail that the account has, in any region, then its organization's."""
    org = call.world.organization or {"Accounts": []}
    same = {item["Id"] for item in org["Accounts"]}
    owners = [call.account, *(a for a in list(call.world.accounts.values()) if a is not call.account)]
    for owner in owners:
        for region in owner.regions.values():
            for trail in region.cloudtrail["trails"].values():
                shared = trail["Trail"]["IsOrganizationTrail"] and {owner.id, call.account.id} <= same
                if owner is call.account or shared:
                    yield trail


def _mine(call: Call, trail: Json) -> bool:
    return bool(trail["Trail"]["TrailARN"].split(":")[4] == call.account.id)


def _body(trail: Json) -> Json:
    """A trail as AWS shows it."""
    custom = trail["EventSelectors"] is not None or trail["AdvancedEventSelectors"] is not None
    insights = bool(trail["InsightSelectors"])
    return {"HasCustomEventSelectors": custom, "HasInsightSelectors": insights, **trail["Trail"]}


def _find(call: Call, name: str) -> Json:
    """The trail of an ARN, or of a name in this region."""
    for trail in _all(call):
        body = trail["Trail"]
        if name == body["TrailARN"]:
            return trail
        if name == body["Name"] and body["HomeRegion"] == call.region and _mine(call, trail):
            return trail
    text = f"Unknown trail: {name} for the user: {call.account.id}"
    raise AwsError("TrailNotFoundException", text)


def _own(call: Call, name: str) -> Json:
    trail = _find(call, name)
    if not _mine(call, trail):
        text = f"Unknown trail: {name} for the user: {call.account.id}"
        raise AwsError("TrailNotFoundException", text)
    return trail


def _at_home(call: Call, name: str) -> Json:
    """The trail to be changed, which only its owner can, in its home region."""
    trail = _own(call, name)
    home = trail["Trail"]["HomeRegion"]
    if home != call.region:
        text = f"Trail {name} must be updated in its home region {home}."
        raise AwsError("InvalidHomeRegionException", text)
    return trail


@handles("cloudtrail:DescribeTrails")
def _describe(call: Call, given: Json) -> Json:
    shadows = given.get("includeShadowTrails", True)
    wanted = given.get("trailNameList") or []
    found = []
    for trail in _all(call):
        body = trail["Trail"]
        home = body["HomeRegion"] == call.region
        seen = home if _mine(call, trail) else home and shadows
        if not (seen or (shadows and body["IsMultiRegionTrail"])):
            continue
        if not wanted or body["TrailARN"] in wanted or body["Name"] in wanted:
            found.append(_body(trail))
    return {"trailList": found}


@handles("cloudtrail:ListTrails")
def _list(call: Call, given: Json) -> Json:
    return {
        "Trails": [
            only(trail["Trail"], "TrailARN", "Name", "HomeRegion")
            for trail in _all(call)
            if _mine(call, trail)
        ]
    }


@handles("cloudtrail:GetTrail")
def _get(call: Call, given: Json) -> Json:
    return {"Trail": _body(_find(call, given["Name"]))}


@handles("cloudtrail:GetTrailStatus")
def _status(call: Call, given: Json) -> Json:
    trail = _find(call, given["Name"])
    return {**trail["Status"], **trail["StatusIn"].get(call.region, {})}


@handles("cloudtrail:GetEventSelectors")
def _selectors(call: Call, given: Json) -> Json:
    trail = _own(call, given["TrailName"])
    arn = trail["Trail"]["TrailARN"]
    if trail["AdvancedEventSelectors"] is not None:
        return {"TrailARN": arn, "AdvancedEventSelectors": trail["AdvancedEventSelectors"]}
    return {"TrailARN": arn, "EventSelectors": trail["EventSelectors"] or ALL_MANAGEMENT}


@handles("cloudtrail:GetInsightSelectors")
def _insights(call: Call, given: Json) -> Json:
    trail = _own(call, given["TrailName"]) if given.get("TrailName") else {"InsightSelectors": []}
    if not trail["InsightSelectors"]:
        text = "Trail ARN does not have Insights enabled. Edit the trail settings to enable Insights."
        raise AwsError("InsightNotEnabledException", text)
    return {"TrailARN": trail["Trail"]["TrailARN"], "InsightSelectors": trail["InsightSelectors"]}


@handles("cloudtrail:ListTags")
def _tags(call: Call, given: Json) -> Json:
    return {
        "ResourceTagList": [
            {"ResourceId": arn, "TagsList": _own(call, arn)["Tags"]} for arn in given["ResourceIdList"]
        ]
    }


@handles("cloudtrail:ListEventDataStores")
def _stores(call: Call, given: Json) -> Json:
    found = call.here.cloudtrail["stores"].values()
    return {"EventDataStores": [only(item, "EventDataStoreArn", "Name") for item in found]}


@handles("cloudtrail:GetEventDataStore")
def _store(call: Call, given: Json) -> Json:
    wanted = given["EventDataStore"]
    for arn, store in call.here.cloudtrail["stores"].items():
        if wanted in (arn, arn.rpartition("/")[2]):
            return dict(store)
    raise AwsError("EventDataStoreNotFoundException", "The specified event data store was not found.")


@handles("cloudtrail:StartQuery")
def _start_query(call: Call, given: Json) -> Json:
    """The query is parsed by nobody here: that its data store is there is all that is looked at."""
    wanted = given["QueryStatement"].partition(" FROM ")[2].split()[0]
    if not any(arn.endswith(f"/{wanted}") for arn in call.here.cloudtrail["stores"]):
        raise AwsError("EventDataStoreNotFoundException", "The specified event data store was not found.")
    return {"QueryId": "11111111-2222-3333-4444-555555555555"}


@handles("cloudtrail:LookupEvents")
def _lookup(call: Call, given: Json) -> Json:
    attributes = given.get("LookupAttributes") or []
    if len(attributes) > 1:
        raise AwsError("InvalidLookupAttributesException", "You can only give one lookup attribute.")
    return {"Events": call.here.cloudtrail.get("events", [])}


@handles("cloudtrail:GetEventConfiguration")
def _configuration(call: Call, given: Json) -> Json:
    arn = _own(call, given["TrailName"])["Trail"]["TrailARN"]
    return {"TrailARN": arn, "MaxEventSize": "Standard", "ContextKeySelectors": []}


@handles("cloudtrail:ListChannels")
def _channels(call: Call, given: Json) -> Json:
    return {"Channels": []}


def _check(call: Call, given: Json, new: bool) -> None:
    """AWS's own preconditions of a trail."""
    if bucket := given.get("S3BucketName"):
        found = call.world.buckets.get(bucket)
        if found is None:
            raise AwsError("S3BucketDoesNotExistException", f"S3 bucket {bucket} does not exist!")
        if _PRINCIPAL not in (found.get("policy") or ""):
            text = f"Incorrect S3 bucket policy is detected for bucket: {bucket}"
            raise AwsError("InsufficientS3BucketPolicyException", text)
    if given.get("IsOrganizationTrail"):
        _check_organization(call)
    if group := given.get("CloudWatchLogsLogGroupArn"):
        if not group.endswith(":*"):
            raise AwsError(
                "InvalidCloudWatchLogsLogGroupArnException", "CloudTrail cannot validate the log group ARN."
            )
        if new and not given.get("CloudWatchLogsRoleArn"):
            raise AwsError("InvalidCloudWatchLogsRoleArnException", "You must specify a role ARN.")
    if (key := given.get("KmsKeyId")) and not _key_exists(call, key):
        raise AwsError("KmsKeyNotFoundException", "CloudTrail can't access the specified KMS key.")


def _check_organization(call: Call) -> None:
    if manager(call) is None:
        raise AwsError("OrganizationsNotInUseException", "The account is not part of an organization.")
    if not is_administrator(call, _PRINCIPAL):
        text = "This account is not the management account of an organization."
        raise AwsError("NotOrganizationMasterAccountException", text)
    if _PRINCIPAL not in (call.world.organization or {})["Access"]:
        text = "Trusted access for CloudTrail is not enabled in the organization."
        raise AwsError("CloudTrailAccessNotEnabledException", text)


def _key_exists(call: Call, key: str) -> bool:
    if key.startswith("alias/"):
        return True
    name = key.rpartition("/")[2]
    accounts = call.world.accounts.values()
    return any(name in region.kms["keys"] for account in accounts for region in account.regions.values())


def _apply(call: Call, trail: Json, given: Json) -> None:
    body = trail["Trail"]
    for name in _BODY:
        if name in given and given[name] != "":
            body[name] = given[name]
        elif name in given:
            body.pop(name, None)
    if "EnableLogFileValidation" in given:
        body["LogFileValidationEnabled"] = given["EnableLogFileValidation"]
    if topic := given.get("SnsTopicName"):
        arn = topic if topic.startswith("arn:") else call.here.arn("sns", topic)
        body |= {"SnsTopicARN": arn, "SnsTopicName": arn}
    if trail["Status"]["IsLogging"]:
        trail["Status"] = {**trail_status(body, True), **trail["Status"]}


def _shown(trail: Json) -> Json:
    hidden = {"HasCustomEventSelectors", "HasInsightSelectors", "HomeRegion"}
    return {name: value for name, value in _body(trail).items() if name not in hidden}


@handles("cloudtrail:CreateTrail")
def _create(call: Call, given: Json) -> Json:
    name = given["Name"]
    if name in call.here.cloudtrail["trails"]:
        raise AwsError(
            "TrailAlreadyExistsException", f"Trail {name} already exists for customer: {call.account.id}"
        )
    _check(call, given, new=True)
    call.here.add_trail(name, bucket=given["S3BucketName"], multi=False, logging=False)
    trail = call.here.cloudtrail["trails"][name]
    trail["Trail"]["IncludeGlobalServiceEvents"] = True
    trail["Tags"] = given.get("TagsList", [])
    _apply(call, trail, given)
    return _shown(trail)


@handles("cloudtrail:UpdateTrail")
def _update(call: Call, given: Json) -> Json:
    trail = _at_home(call, given["Name"])
    _check(call, given, new="CloudWatchLogsRoleArn" not in trail["Trail"])
    _apply(call, trail, given)
    return _shown(trail)


@handles("cloudtrail:StartLogging")
def _start(call: Call, given: Json) -> Json:
    trail = _at_home(call, given["Name"])
    trail["Status"] = {**trail_status(trail["Trail"], True), **trail["Status"], "IsLogging": True}
    for status in trail["StatusIn"].values():
        status.pop("IsLogging", None)
    return {}


@handles("cloudtrail:StopLogging")
def _stop(call: Call, given: Json) -> Json:
    _at_home(call, given["Name"])["Status"]["IsLogging"] = False
    return {}


@handles("cloudtrail:PutEventSelectors")
def _put_selectors(call: Call, given: Json) -> Json:
    trail = _at_home(call, given["TrailName"])
    basic, advanced = given.get("EventSelectors"), given.get("AdvancedEventSelectors")
    if bool(basic) == bool(advanced):
        raise AwsError("InvalidEventSelectorsException", "Give either basic or advanced event selectors.")
    defaults: dict[str, Any] = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": []}
    filled = [{**defaults, "ExcludeManagementEventSources": [], **item} for item in basic] if basic else None
    trail["EventSelectors"], trail["AdvancedEventSelectors"] = filled, advanced
    key = "EventSelectors" if basic else "AdvancedEventSelectors"
    return {"TrailARN": trail["Trail"]["TrailARN"], key: filled or advanced}


@handles("cloudtrail:PutInsightSelectors")
def _put_insights(call: Call, given: Json) -> Json:
    trail = _at_home(call, given["TrailName"])
    trail["InsightSelectors"] = given["InsightSelectors"]
    return {"TrailARN": trail["Trail"]["TrailARN"], "InsightSelectors": given["InsightSelectors"]}
