"""What still decides Security Lake's checks when a call is refused."""

_SEEN = "a lake that is seen is this account's, wherever it stands"

DECIDED = {
    ("organizations:DescribeOrganization", "securitylake.enabled"): _SEEN,
    ("organizations:DescribeOrganization", "securitylake.healthy"): _SEEN,
    **{
        (f"organizations:{call}", f"securitylake.{name}"): _SEEN
        for call in ("ListDelegatedAdministrators", "ListDelegatedServicesForAccount")
        for name in ("enabled", "healthy", "log-sources", "auto-enable")
    },
    ("organizations:ListAccounts", "securitylake.log-sources"): "an account on its own has no others",
}
