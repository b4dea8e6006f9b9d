"""Documents that Config's fixes carry: what is set now with what is missing added, because Config's writes replace."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from postureaudit.evidence import Json, Refusal
from postureaudit.resources import malformed
from postureaudit.services.base import Document, Need
from postureaudit.services.config import asks, managed, recorder
from postureaudit.services.config.remediations import remedy


def _merged(change: Callable[[dict[str, Any], Mapping[str, Json]], dict[str, Any]]) -> Document:
    """A document that is the present recorder with a change; a Refusal where there is no recorder to change."""

    def document(env: Mapping[str, Json]) -> Json | Refusal:
        found = env.get("Recorder")
        if isinstance(found, Refusal):
            return found
        if not isinstance(found, Mapping) or not found.get("name"):
            return malformed(asks.RECORDERS.call, str(env.get("Region") or ""), "no recorder")
        return change(dict(found), env)

    return document


def _settings(env: Mapping[str, Json]) -> Mapping[str, Json] | Refusal:
    found = env.get("Settings")
    return (
        found if isinstance(found, Mapping | Refusal) else malformed(asks.RECORDERS.call, "", "no settings")
    )


def new_recorder(env: Mapping[str, Json]) -> Json | Refusal:
    """A recorder of everything; of the global IAM types too where no other region is to record them."""
    settings = _settings(env)
    if isinstance(settings, Refusal):
        return settings
    return recorder.new(str(settings["LinkedRoleArn"]), with_global_types=settings["GlobalTypes"] is True)


def _with_linked_role(found: dict[str, Any], env: Mapping[str, Json]) -> dict[str, Any]:
    return {**recorder.writable(found), "roleARN": env["Settings"]["LinkedRoleArn"]}


def new_channel(env: Mapping[str, Json]) -> Json | Refusal:
    """A channel into the user's bucket, with a snapshot a day: a daily proof that delivery works."""
    return {
        "name": "default",
        "s3BucketName": Need("CONFIG_BUCKET"),
        "configSnapshotDeliveryProperties": {"deliveryFrequency": "TwentyFour_Hours"},
    }


def channel(env: Mapping[str, Json]) -> Json | Refusal:
    """The channel as it is."""
    found = env.get("Channel")
    if isinstance(found, Refusal):
        return found
    if not isinstance(found, Mapping) or not found.get("name"):
        return malformed(asks.CHANNELS.call, str(env.get("Region") or ""), "no channel")
    return dict(found)


def moved_channel(env: Mapping[str, Json]) -> Json | Refusal:
    """The channel as it is, into the user's bucket."""
    found = channel(env)
    return found if isinstance(found, Refusal) else {**found, "s3BucketName": Need("CONFIG_BUCKET")}


def daily_channel(env: Mapping[str, Json]) -> Json | Refusal:
    """The channel as it is, with a snapshot a day."""
    found = channel(env)
    if isinstance(found, Refusal):
        return found
    return {**found, "configSnapshotDeliveryProperties": {"deliveryFrequency": "TwentyFour_Hours"}}


def rule(env: Mapping[str, Json]) -> Json | Refusal:
    """A rule to begin with: a trail records the account."""
    return {
        "ConfigRuleName": "cloudtrail-enabled",
        "Source": {"Owner": "AWS", "SourceIdentifier": "CLOUD_TRAIL_ENABLED"},
        "MaximumExecutionFrequency": "TwentyFour_Hours",
    }


def pack(env: Mapping[str, Json]) -> Json | Refusal:
    """The template of a small pack, as text: Config reads JSON as it reads YAML.

    A pack with a rule that its region does not have is not deployed at all.
    """
    missing = managed.not_offered(str(env.get("RecordingRegion")))

    def item(name: str, identifier: str) -> dict[str, Any]:
        source = {"Owner": "AWS", "SourceIdentifier": identifier}
        return {
            "Type": "AWS::Config::ConfigRule",
            "Properties": {"ConfigRuleName": name, "Source": source},
        }

    rules = {
        "CloudTrailEnabled": ("pack-cloudtrail-enabled", "CLOUD_TRAIL_ENABLED"),
        "RootAccessKey": ("pack-iam-root-access-key-check", "IAM_ROOT_ACCESS_KEY_CHECK"),
        "PublicBuckets": ("pack-s3-bucket-public-read-prohibited", "S3_BUCKET_PUBLIC_READ_PROHIBITED"),
    }
    return {
        "Resources": {
            key: item(name, identifier)
            for key, (name, identifier) in rules.items()
            if identifier not in missing
        }
    }


def remediation(env: Mapping[str, Json]) -> Json | Refusal:
    """A remediation of one rule by AWS's own document, automatic where the check asks for it."""
    found = env.get("Remediation")
    if isinstance(found, Refusal):
        return found
    here = found if isinstance(found, Mapping) else {}
    known = remedy(str(here.get("Identifier")), str(env.get("Partition")))
    if known is None or not known.subject:
        return malformed(asks.RULES.call, str(env.get("Region") or ""), "no rule whose parameters are known")
    parameters: dict[str, Any] = {
        "AutomationAssumeRole": {"StaticValue": {"Values": [Need("REMEDIATION_ROLE_ARN")]}},
        known.subject: {"ResourceValue": {"Value": "RESOURCE_ID"}},
        **{name: {"StaticValue": {"Values": [value]}} for name, value in known.fixed.items()},
    }
    automatic = (env.get("Param") or {}).get("automatic") is True
    return [
        {
            "ConfigRuleName": here["Rule"],
            "TargetType": "SSM_DOCUMENT",
            "TargetId": known.document,
            "Parameters": parameters,
            "Automatic": automatic,
            **({"MaximumAutomaticAttempts": 5, "RetryAttemptSeconds": 60} if automatic else {}),
        }
    ]


def _manual(env: Mapping[str, Json]) -> dict[str, Any] | Refusal:
    found = env.get("Remediation")
    if isinstance(found, Refusal):
        return found
    present = dict((found or {}).get("Manual") or {})
    if not present:
        return malformed(asks.RULES.call, str(env.get("Region") or ""), "no remediation")
    return {name: value for name, value in present.items() if name not in ("Arn", "CreatedByService")}


def manual_remediation(env: Mapping[str, Json]) -> Json | Refusal:
    """The remediation that runs on request, as it is."""
    found = _manual(env)
    return found if isinstance(found, Refusal) else [found]


def automatic_remediation(env: Mapping[str, Json]) -> Json | Refusal:
    """The remediation that runs on request, run by itself. That takes a role in its parameters."""
    found = _manual(env)
    if isinstance(found, Refusal):
        return found
    role = {"AutomationAssumeRole": {"StaticValue": {"Values": [Need("REMEDIATION_ROLE_ARN")]}}}
    defaults = {"MaximumAutomaticAttempts": 5, "RetryAttemptSeconds": 60}
    return [
        {**defaults, **found, "Automatic": True, "Parameters": {**role, **(found.get("Parameters") or {})}}
    ]


def aggregation(env: Mapping[str, Json]) -> Json | Refusal:
    """The organization's accounts, in all regions; the role of the present aggregator is kept."""
    found = env.get("Aggregator")
    if isinstance(found, Refusal):
        return found
    present = found.get("Source") if isinstance(found, Mapping) else None
    role = (present or {}).get("RoleArn") or Need("AGGREGATOR_ROLE_ARN")
    return {"RoleArn": role, "AllAwsRegions": True}


def aggregation_before(env: Mapping[str, Json]) -> Json | Refusal:
    """What the present aggregator collects."""
    found = env.get("Aggregator")
    return found if isinstance(found, Refusal) else (found or {}).get("Source")


def required_rule(env: Mapping[str, Json]) -> Json | Refusal:
    """The managed rule of the item, once a day, under a name that no rule here has."""
    rules = env.get("Rules")
    if isinstance(rules, Refusal):
        return rules
    identifier = str(env.get("Item"))
    taken = (rules or {}).get("Names") or []
    plain = identifier.lower().replace("_", "-")
    name = next(name for name in (plain, *(f"{plain}-{at}" for at in range(2, 1000))) if name not in taken)
    return {
        "ConfigRuleName": name,
        "Source": {"Owner": "AWS", "SourceIdentifier": identifier},
        "MaximumExecutionFrequency": "TwentyFour_Hours",
    }


DOCUMENTS: Mapping[str, Document] = {
    "config_new_recorder": new_recorder,
    "config_recorder.before": _merged(lambda found, env: recorder.writable(found)),
    "config_everything": _merged(
        lambda found, env: recorder.recording_everything(found, str(env.get("Region")))
    ),
    "config_required_rule": required_rule,
    "config_continuous": _merged(lambda found, env: recorder.recording_continuously(found)),
    "config_linked_role": _merged(_with_linked_role),
    "config_global_types": _merged(lambda found, env: recorder.with_global_types(found)),
    "config_new_channel": new_channel,
    "config_channel.before": channel,
    "config_moved_channel": moved_channel,
    "config_daily_channel": daily_channel,
    "config_rule": rule,
    "config_pack": pack,
    "config_remediation": remediation,
    "config_automatic_remediation": automatic_remediation,
    "config_remediation.before": manual_remediation,
    "config_aggregation": aggregation,
    "config_aggregation.before": aggregation_before,
}
