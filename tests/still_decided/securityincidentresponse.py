"""What still decides Security Incident Response's checks when a call is refused."""

_SEEN = "a membership that is seen is this account's, wherever it stands"

DECIDED = {
    ("organizations:DescribeOrganization", "securityincidentresponse.membership"): _SEEN,
    ("organizations:DescribeOrganization", "securityincidentresponse.proactive-response"): _SEEN,
    **{
        (f"organizations:{call}", f"securityincidentresponse.{name}"): _SEEN
        for call in ("ListDelegatedAdministrators", "ListDelegatedServicesForAccount")
        for name in ("membership", "proactive-response", "covers-organization")
    },
    ("organizations:ListAccounts", "securityincidentresponse.covers-organization"): _SEEN,
    (
        "security-ir:BatchGetMemberAccountDetails",
        "securityincidentresponse.covers-organization",
    ): "the membership covers the entire organization",
    ("iam:GetRole", "securityincidentresponse.proactive-response"): "the feature is off",
}
