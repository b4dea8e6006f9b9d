"""Checks whose gap no printed command closes by itself, each with the reason. This table may only shrink.

tests/test_fix_proof.py fails for an entry that is no longer needed and for a check that is neither here nor proven.
"""

EXCEPTIONS: dict[str, str] = {
    "cloudtrail.bucket-tamper-proof": "object lock cannot be taken back; its owner decides for how long",
    "cloudtrail.lake-kms": "an event data store's key can never be changed or taken off",
    "config.recorder-healthy": "the cause is a role, an organization policy or a bucket",
    "config.rules-healthy": "each rule's error has a cause of its own",
    "config.required-rules": "managed rules differ in their trigger and parameters",
    "config.conformance-packs-healthy": "AWS does not give a pack's template back",
    "config.remediation-healthy": "the cause is the role, the document or the resource",
    "config.aggregator-healthy": "the cause lies in the source account",
    "guardduty.foundational-sources": "no API turns these sources on",
    "guardduty.publishing-healthy": "the bucket's and the key's owner lets GuardDuty in",
    "guardduty.centrally-managed": "only the administrator account adds members",
    "guardduty.open-high-findings": "a person deals with a finding; archiving it alone would hide it",
    "securityhub.needs-config": "config.recorder-on is its fix",
    "securityhub.central-configuration": "new accounts get nothing while it is half set up",
    "sns.topic-has-confirmed-subscription": "the recipient confirms, not the command",
    "sns.subscriptions-confirmed": "the recipient confirms, not the command",
}
