"""What still decides who administers Inspector, Macie, Detective and Security Hub V2 when a call is refused."""

_TOLD = (
    "the management account is told by the service, the audit account by the settings that only it may read"
)
_SETTINGS = "DescribeOrganizationConfiguration answers the administrator only"
_OF_ORGANIZATIONS = (
    "organizations:ListDelegatedAdministrators",
    "organizations:ListDelegatedServicesForAccount",
)
_CALLS = {
    "inspector": (
        "inspector2:DescribeOrganizationConfiguration",
        "inspector2:GetDelegatedAdminAccount",
        "inspector2:ListDelegatedAdminAccounts",
    ),
    "macie": (
        "macie2:DescribeOrganizationConfiguration",
        "macie2:GetAdministratorAccount",
        "macie2:GetMacieSession",
        "macie2:ListOrganizationAdminAccounts",
    ),
    "detective": (
        "detective:DescribeOrganizationConfiguration",
        "detective:ListGraphs",
        "detective:ListInvitations",
        "detective:ListOrganizationAdminAccounts",
    ),
}
# What the administrator of the organization answers, and the call that says whose member an account is.
_ADMINISTERED = {
    "inspector": ("inspector2:GetDelegatedAdminAccount", ("auto-enable-members", "members-enabled")),
    "macie": (
        "macie2:GetAdministratorAccount",
        ("auto-enable-members", "auto-enable-discovery", "members-enabled"),
    ),
    "detective": ("detective:ListInvitations", ("auto-enable-members", "members-enabled")),
}

DECIDED = {
    **{
        (call, f"{service}.delegated-admin"): _TOLD
        for service, calls in _CALLS.items()
        for call in (*_OF_ORGANIZATIONS, *calls)
    },
    **{
        (call, f"{service}.{name}"): _SETTINGS
        for service, (above, names) in _ADMINISTERED.items()
        for call in (*_OF_ORGANIZATIONS, above)
        for name in names
    },
    (
        "securityhub:ListOrganizationAdminAccounts",
        "securityhub.v2-delegated-admin",
    ): "ListDelegatedAdministrators",
}
