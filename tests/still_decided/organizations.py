"""What still decides the organization's own checks when a call is refused."""

DECIDED = {
    (
        "organizations:ListDelegatedAdministrators",
        "organizations.service-access",
    ): "one of the four services has no trusted access, or all that could be delegated have it",
    **{
        (call, "organizations.separate-accounts"): "the caller named both accounts"
        for call in (
            "organizations:ListDelegatedAdministrators",
            "organizations:ListDelegatedServicesForAccount",
            "cloudtrail:DescribeTrails",
        )
    },
}
