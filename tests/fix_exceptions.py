"""Checks whose gap no printed command closes by itself, each with the reason. This table may only shrink.

tests/test_fix_proof.py fails for an entry that is no longer needed and for a check that is neither here nor proven.
"""

EXCEPTIONS: dict[str, str] = {
    "cloudtrail.bucket-tamper-proof": "object lock cannot be taken back; its owner decides for how long",
    "cloudtrail.lake-kms": "an event data store's key can never be changed or taken off",
    "config.recorder-healthy": "the cause is a role, an organization policy or a bucket",
    "config.conformance-packs-healthy": "AWS does not give a pack's template back",
    "config.required-packs": "only the user has the pack's template",
    "config.organization-deployments": "the cause lies in the accounts that the deployment failed in",
    "config.remediation-healthy": "the cause is the role, the document or the resource",
    "config.aggregator-healthy": "the cause lies in the source account",
    "guardduty.foundational-sources": "no API turns these sources on",
    "guardduty.publishing-healthy": "the bucket's and the key's owner lets GuardDuty in",
    "guardduty.centrally-managed": "only the administrator account adds members",
    "guardduty.open-high-findings": "a person deals with a finding; archiving it alone would hide it",
    "securityhub.needs-config": "config.recorder-on is its fix",
    "securityhub.central-configuration": "new accounts get nothing while it is half set up",
    "securityhub.v2-policy": "a policy for the whole organization: its owner decides for which accounts and regions",
    "organizations.in-use": "whoever invites an account rules it: both sides decide, and a person accepts",
    "organizations.all-features": "it cannot be taken back, and every invited account has to agree",
    "organizations.separate-accounts": "which account keeps the logs is the owner's to choose, and logs have to move",
    "organizations.one-administrator": "the administrator of a service is taken back before another comes",
    "account.other-contacts": "who answers for operations and for bills is not a security tool's to say",
    "account.phone-verified": "a person reads the code that AWS sends",
    "securitylake.enabled": "its regions, roles and how long it keeps what are decided together",
    "securitylake.healthy": "each exception has a cause of its own",
    "securityincidentresponse.membership": "a contract for a fee, with people who are named",
    "firewallmanager.policies-active": "the scope of its administrators is the owner's to widen",
    "firewallmanager.policies-remediate": "remediation changes resources in every account",
    "accessanalyzer.internal-access": "only the user knows which resources matter most",
    "detective.members-enabled": "create-members takes e-mail addresses, which are not read",
    "sns.topic-encrypted": "with a key that a sender may not use, SNS drops its messages",
    "sns.topic-has-confirmed-subscription": "the recipient confirms, not the command",
    "sns.subscriptions-confirmed": "the recipient confirms, not the command",
}
