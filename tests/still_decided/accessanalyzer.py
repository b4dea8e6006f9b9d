"""What still decides IAM Access Analyzer's checks when a call is refused."""

_ALONE = "DescribeOrganization: a standalone account decides for itself"

DECIDED = {
    ("organizations:ListDelegatedAdministrators", "accessanalyzer.unused-access"): _ALONE,
    ("organizations:ListDelegatedAdministrators", "accessanalyzer.internal-access"): _ALONE,
}
