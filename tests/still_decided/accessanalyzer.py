"""What still decides IAM Access Analyzer's checks when a call is refused."""

_ALONE = "DescribeOrganization: a standalone account decides for itself"

DECIDED = {
    (f"organizations:{call}", f"accessanalyzer.{name}"): _ALONE
    for call in ("ListDelegatedAdministrators", "ListDelegatedServicesForAccount")
    for name in ("unused-access", "internal-access")
}
