"""What still decides Security Lake's checks when a call is refused."""

_SEEN = "a lake that is seen is this account's, wherever it stands"

DECIDED = {
    ("organizations:DescribeOrganization", "securitylake.enabled"): _SEEN,
    ("organizations:DescribeOrganization", "securitylake.healthy"): _SEEN,
    ("organizations:ListDelegatedAdministrators", "securitylake.*"): _SEEN,
    ("organizations:ListAccounts", "securitylake.log-sources"): "an account on its own has no others",
}
