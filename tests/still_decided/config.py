"""What still decides Config's checks when a call is refused."""

DECIDED = {
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
}
