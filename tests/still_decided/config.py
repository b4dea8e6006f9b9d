"""What still decides Config's checks when a call is refused."""

_BUCKET = "ListBuckets: the bucket is another account's, or there is no organization"

DECIDED = {
    **{
        (f"organizations:{call}", f"config.{name}"): "the organization's aggregator is here"
        for call in ("ListDelegatedAdministrators", "ListDelegatedServicesForAccount")
        for name in ("aggregator", "aggregator-healthy")
    },
    **{
        (
            f"organizations:{call}",
            "config.organization-deployments",
        ): "DescribeOrganization: the management account sees what it deployed itself"
        for call in ("ListDelegatedAdministrators", "ListDelegatedServicesForAccount")
    },
    **{
        (
            f"config:GetOrganization{what}",
            "config.organization-deployments",
        ): "the status of each is successful"
        for what in ("ConfigRuleDetailedStatus", "ConformancePackDetailedStatus")
    },
    ("cloudtrail:DescribeTrails", "config.bucket-separate-account"): _BUCKET,
    ("config:DescribeConfigurationAggregators", "config.delegated-admin"): "ListDelegatedAdministrators",
    (
        "config:DescribeConfigurationRecorderStatus",
        "config.global-types-once",
    ): "no recorder anywhere (DescribeConfigurationRecorders)",
    (
        "config:DescribeConfigurationRecorderStatus",
        "config.recorder-on",
    ): "no recorder here (DescribeConfigurationRecorders)",
    (
        "config:DescribeConformancePacks",
        "config.conformance-packs-healthy",
    ): "DescribeConformancePackStatus: every pack is deployed",
    (
        "config:DescribeConfigRuleEvaluationStatus",
        "config.rules-can-evaluate",
    ): "DescribeConfigurationRecorders: every type that a rule names is recorded",
    ("lambda:GetFunctionConfiguration", "config.rules-healthy"): "no rule has a function of its own",
    **{
        (
            f"config:{call}",
            "config.organization-deployments",
        ): "the summary says that the deployment succeeded"
        for call in (
            "GetOrganizationConfigRuleDetailedStatus",
            "GetOrganizationConformancePackDetailedStatus",
        )
    },
}
