"""What still decides Security Hub's checks when a call is refused."""

_TOLD = "ListOrganizationAdminAccounts, in the management account"

DECIDED: dict[tuple[str, str], str] = {
    (
        "securityhub:ListOrganizationAdminAccounts",
        "securityhub.delegated-admin",
    ): "DescribeOrganizationConfiguration answers the administrator only",
    ("securityhub:DescribeHub", "securityhub.delegated-admin"): _TOLD,
    ("securityhub:GetAdministratorAccount", "securityhub.delegated-admin"): f"{_TOLD}; or its own settings",
    ("securityhub:DescribeOrganizationConfiguration", "securityhub.delegated-admin"): _TOLD,
    ("securityhub:GetAggregatorV2", "securityhub.v2-aggregator"): "ListAggregatorsV2 lists none",
    ("config:ListConfigurationRecorders", "securityhub.needs-config"): "the account's own recorder records",
    ("securityhub:BatchGetAutomationRules", "securityhub.automation-rules-safe"): "no rule is on",
    **{
        (f"organizations:{call}", f"securityhub.{name}"): answer
        for call in ("ListDelegatedAdministrators", "ListDelegatedServicesForAccount")
        for name, answer in (
            ("v2-aggregator", "DescribeOrganization: a standalone account decides for itself"),
            ("v2-policy", "DescribeEffectivePolicy"),
            ("v2-delegated-admin", "ListOrganizationAdminAccounts"),
        )
    },
}
