"""KMS: keys, their policies and their aliases."""

from __future__ import annotations

import json

from ..faults import AwsError
from ..world import Call, Json, now
from .registry import handles


def _key(call: Call, given: Json, foreign: bool = False) -> Json:
    """A key of the caller in this region, or (with `foreign`) by alias or one that another account shares."""
    wanted = given["KeyId"]
    parts = wanted.split(":")
    account = parts[4] if len(parts) >= 6 else call.account.id
    owner = call.world.accounts.get(account)
    there = owner.regions.get(call.region) if owner else None
    name = wanted.rpartition(":")[2].removeprefix("key/")
    if name.startswith("alias/"):
        if not foreign:
            raise AwsError("NotFoundException", f"Invalid keyId '{wanted}'")
        if name.startswith("alias/aws/") and account == call.account.id:
            call.here.add_managed_key(name.removeprefix("alias/aws/"))  # made when first asked for
        name = there.kms["aliases"].get(name, name) if there else name
    found: Json | None = there.kms["keys"].get(name) if there else None
    if account != call.account.id and not (foreign and found and found["shared"]):
        text = f"User: {call.arn} is not authorized to perform: kms:{call.operation} on resource: {wanted}"
        raise AwsError("AccessDeniedException", text)
    if found is None and name.startswith("alias/"):
        raise AwsError("NotFoundException", f"Alias {call.here.arn('kms', name)} is not found.")
    if found is None:
        raise AwsError("NotFoundException", f"Key '{wanted}' does not exist")
    return found


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


@handles("kms:EnableKey")
def _enable(call: Call, given: Json) -> Json:
    metadata = _key(call, given)["metadata"]
    if metadata["KeyState"] not in ("Enabled", "Disabled"):
        raise AwsError("KMSInvalidStateException", f"{metadata['Arn']} is pending deletion.")
    metadata |= {"KeyState": "Enabled", "Enabled": True}
    return {}


@handles("kms:CancelKeyDeletion")
def _cancel_deletion(call: Call, given: Json) -> Json:
    metadata = _key(call, given)["metadata"]
    if metadata["KeyState"] != "PendingDeletion":
        raise AwsError("KMSInvalidStateException", f"{metadata['Arn']} is not pending deletion.")
    metadata["KeyState"] = "Disabled"
    return {"KeyId": metadata["Arn"]}


@handles("kms:PutKeyPolicy")
def _put_key_policy(call: Call, given: Json) -> Json:
    key = _key(call, given)
    if key["metadata"]["KeyManager"] == "AWS":
        text = (
            f"User: {call.arn} is not authorized to perform: kms:PutKeyPolicy on resource: "
            f"{key['metadata']['Arn']} because no resource-based policy allows the kms:PutKeyPolicy action"
        )
        raise AwsError("AccessDeniedException", text)
    try:
        statements = json.loads(given["Policy"])["Statement"]
    except (ValueError, KeyError, TypeError):
        raise AwsError("MalformedPolicyDocumentException", "Policy contains a syntax error.") from None
    open_ended = any("PutKeyPolicy" in str(item) or "kms:*" in str(item) for item in statements)
    if not open_ended and not given.get("BypassPolicyLockoutSafetyCheck"):
        text = "The new key policy will not allow you to update the key policy in the future."
        raise AwsError("MalformedPolicyDocumentException", text)
    key["policy"] = given["Policy"]
    return {}


@handles("kms:ListAliases")
def _aliases(call: Call, given: Json) -> Json:
    wanted = given.get("KeyId", "").rpartition("/")[2]
    return {
        "Aliases": [
            {"AliasName": name, "AliasArn": call.here.arn("kms", name), "TargetKeyId": key}
            for name, key in sorted(call.here.kms["aliases"].items())
            if wanted in ("", key)
        ],
        "Truncated": False,
    }
