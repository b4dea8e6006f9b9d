"""S3 and S3 Control: who owns a bucket, who may look at it, and what is not configured."""

from __future__ import annotations

import hashlib
from typing import Any

from ..faults import AwsError
from ..world import Call, Json, now
from .registry import HANDLERS, handles

_TEXT = {
    "NoSuchBucketPolicy": "The bucket policy does not exist",
    "NoSuchPublicAccessBlockConfiguration": "The public access block configuration was not found",
    "ObjectLockConfigurationNotFoundError": "Object Lock configuration does not exist for this bucket",
    "NoSuchLifecycleConfiguration": "The lifecycle configuration does not exist",
    "ServerSideEncryptionConfigurationNotFoundError": "The server side encryption configuration was not found",
    "OwnershipControlsNotFoundError": "The bucket ownership controls were not found",
}


def _absent(code: str) -> AwsError:
    return AwsError(code, _TEXT[code], 404)


def _owner_id(account: str) -> str:
    return hashlib.sha256(account.encode()).hexdigest()


@handles("s3:ListBuckets")
def _list(call: Call, given: Json) -> Json:
    mine = sorted(name for name, item in call.world.buckets.items() if item["owner"] == call.account.id)
    prefix, region = given.get("Prefix") or "", given.get("BucketRegion")
    buckets = [
        {"Name": name, "CreationDate": now(days=400), "BucketRegion": call.world.buckets[name]["region"]}
        for name in mine
        if name.startswith(prefix) and region in (None, "", call.world.buckets[name]["region"])
    ]
    return {"Buckets": buckets, "Owner": {"ID": _owner_id(call.account.id)}}


@handles("s3:HeadBucket")
def _head(call: Call, given: Json) -> Json:
    bucket = call.world.buckets.get(given["Bucket"])
    if bucket is None:
        raise AwsError("404", "Not Found", 404)
    where = {"x-amz-bucket-region": bucket["region"]}
    if bucket["region"] != call.region:
        raise AwsError("301", "Moved Permanently", 301, where)
    allowed = {bucket["owner"], *bucket["head"], *bucket["readers"]}
    expected = given.get("ExpectedBucketOwner")
    if call.account.id not in allowed or expected not in (None, "", bucket["owner"]):
        raise AwsError("403", "Forbidden", 403, where)
    return {"BucketRegion": bucket["region"]}


def _bucket(call: Call, given: Json, write: bool = False) -> Json:
    """The bucket, when its owner lets the caller and this is its region."""
    bucket: Json | None = call.world.buckets.get(given["Bucket"])
    if bucket is None:
        raise AwsError("NoSuchBucket", "The specified bucket does not exist", 404)
    where = {"x-amz-bucket-region": bucket["region"]}
    if bucket["region"] != call.region:
        text = "The bucket you are attempting to access must be addressed using the specified endpoint."
        raise AwsError("PermanentRedirect", text, 301, where)
    allowed = {bucket["owner"]} | (set() if write else set(bucket["readers"]))
    expected = given.get("ExpectedBucketOwner")
    if call.account.id not in allowed or expected not in (None, "", bucket["owner"]):
        raise AwsError("AccessDenied", "Access Denied", 403, where)
    return bucket


@handles("s3:GetBucketLocation")
def _location(call: Call, given: Json) -> Json:
    bucket = _bucket(call, given)
    if bucket["owner"] != call.account.id:
        raise AwsError("AccessDenied", "Access Denied", 403)
    return {} if bucket["region"] == "us-east-1" else {"LocationConstraint": bucket["region"]}


@handles("s3:GetBucketPolicyStatus")
def _policy_status(call: Call, given: Json) -> Json:
    bucket = _bucket(call, given)
    if not bucket.get("policy"):
        raise _absent("NoSuchBucketPolicy")
    return {"PolicyStatus": {"IsPublic": bool(bucket.get("public"))}}


@handles("s3:GetBucketAcl")
def _acl(call: Call, given: Json) -> Json:
    bucket = _bucket(call, given)
    owner = _owner_id(bucket["owner"])
    grant = {"Grantee": {"ID": owner, "Type": "CanonicalUser"}, "Permission": "FULL_CONTROL"}
    return {"Owner": {"ID": owner}, "Grants": [grant, *bucket.get("acl", [])]}


@handles("s3:GetBucketVersioning")
def _versioning(call: Call, given: Json) -> Json:
    found = _bucket(call, given).get("versioning") or {}
    return {"Status": found} if isinstance(found, str) else dict(found)


@handles("s3:GetBucketLogging")
def _logging(call: Call, given: Json) -> Json:
    target = _bucket(call, given).get("logging")
    if isinstance(target, str):
        target = {"TargetBucket": target, "TargetPrefix": given["Bucket"] + "/"}
    return {"LoggingEnabled": target} if target else {}


@handles("s3:GetBucketLifecycleConfiguration")
def _lifecycle(call: Call, given: Json) -> Json:
    rules = _bucket(call, given).get("lifecycle")
    if not rules:
        raise _absent("NoSuchLifecycleConfiguration")
    if isinstance(rules, int):
        rules = [{"ID": "old", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": rules}}]
    size = _bucket(call, given).get("transition") or "all_storage_classes_128K"
    return {"Rules": rules, "TransitionDefaultMinimumObjectSize": size}


@handles("s3:GetBucketEncryption")
def _encryption(call: Call, given: Json) -> Json:
    rules = _bucket(call, given).get("encryption")
    default = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]
    return {"ServerSideEncryptionConfiguration": {"Rules": rules or default}}


def _settings(operation: str, key: str, output: str, code: str) -> None:
    """A Get and a Put of one setting that is an error when it is absent."""

    @handles(f"s3:Get{operation}")
    def get(call: Call, given: Json) -> Json:
        found = _bucket(call, given).get(key)
        if not found:
            raise _absent(code)
        return {output: found}

    @handles(f"s3:Put{operation}")
    def put(call: Call, given: Json) -> Json:
        _bucket(call, given, write=True)[key] = given[output]
        return {}


_settings("BucketPolicy", "policy", "Policy", "NoSuchBucketPolicy")
_settings(
    "PublicAccessBlock", "block", "PublicAccessBlockConfiguration", "NoSuchPublicAccessBlockConfiguration"
)
_settings(
    "ObjectLockConfiguration", "lock", "ObjectLockConfiguration", "ObjectLockConfigurationNotFoundError"
)
_settings("BucketOwnershipControls", "ownership", "OwnershipControls", "OwnershipControlsNotFoundError")
_PUT_LOCK = HANDLERS["s3:PutObjectLockConfiguration"]


_PUT_POLICY = HANDLERS["s3:PutBucketPolicy"]


@handles("s3:PutBucketPolicy")
def _put_policy(call: Call, given: Json) -> Json:
    """A trail that was refused tries again and delivers, as soon as a policy names CloudTrail."""
    done = _PUT_POLICY(call, given)
    for region in call.account.regions.values() if "cloudtrail.amazonaws.com" in given["Policy"] else ():
        for trail in region.cloudtrail["trails"].values():
            if trail["Trail"]["S3BucketName"] == given["Bucket"]:
                for kind in ("Delivery", "DigestDelivery"):
                    if trail["Status"].get(f"Latest{kind}Error") == "AccessDenied":
                        del trail["Status"][f"Latest{kind}Error"]
                        trail["Status"][f"Latest{kind}Time"] = now(hours=0)
    return done


@handles("s3:DeleteBucketPolicy")
def _delete_policy(call: Call, given: Json) -> Json:
    _bucket(call, given, write=True)["policy"] = None
    return {}


@handles("s3:PutObjectLockConfiguration")
def _put_lock(call: Call, given: Json) -> Json:
    if _bucket(call, given, write=True).get("versioning") != "Enabled":
        text = "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"
        raise AwsError("InvalidBucketState", text, 409)
    return _PUT_LOCK(call, given)


@handles("s3:PutBucketVersioning")
def _put_versioning(call: Call, given: Json) -> Json:
    _bucket(call, given, write=True)["versioning"] = given["VersioningConfiguration"].get("Status")
    return {}


@handles("s3:PutBucketLogging")
def _put_logging(call: Call, given: Json) -> Json:
    bucket, wanted = _bucket(call, given, write=True), given["BucketLoggingStatus"].get("LoggingEnabled")
    if wanted and call.world.buckets.get(wanted["TargetBucket"], {}).get("owner") != bucket["owner"]:
        text = "The target bucket for logging does not exist or is not owned by you"
        raise AwsError("InvalidTargetBucketForLogging", text)
    bucket["logging"] = wanted
    return {}


@handles("s3:PutBucketEncryption")
def _put_encryption(call: Call, given: Json) -> Json:
    _bucket(call, given, write=True)["encryption"] = given["ServerSideEncryptionConfiguration"]["Rules"]
    return {}


@handles("s3:PutBucketLifecycleConfiguration")
def _put_lifecycle(call: Call, given: Json) -> Json:
    bucket = _bucket(call, given, write=True)
    bucket["lifecycle"] = given["LifecycleConfiguration"]["Rules"]
    bucket["transition"] = given.get("TransitionDefaultMinimumObjectSize")
    return {}


@handles("s3:CreateBucket")
def _create(call: Call, given: Json) -> Json:
    name: Any = given["Bucket"]
    if name in call.world.buckets:
        own = call.world.buckets[name]["owner"] == call.account.id
        raise AwsError("BucketAlreadyOwnedByYou" if own else "BucketAlreadyExists", "It exists already.", 409)
    blocked = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    block, place = dict.fromkeys(blocked, True), given.get("CreateBucketConfiguration") or {}
    region = place.get("LocationConstraint") or call.region
    call.world.add_bucket(name, call.account.id, region, block=block)
    return {"Location": f"/{name}"}


@handles("s3control:GetPublicAccessBlock")
def _account_block(call: Call, given: Json) -> Json:
    if given["AccountId"] != call.account.id:
        raise AwsError("AccessDenied", "Access Denied", 403)
    if not call.account.block:
        raise _absent("NoSuchPublicAccessBlockConfiguration")
    return {"PublicAccessBlockConfiguration": call.account.block}


@handles("s3control:PutPublicAccessBlock")
def _put_account_block(call: Call, given: Json) -> Json:
    call.account.block = given["PublicAccessBlockConfiguration"]
    return {}
