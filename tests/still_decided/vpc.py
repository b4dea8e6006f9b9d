"""What still decides the checks of VPCs when a call is refused."""

DECIDED = {
    ("ec2:DescribeNetworkInterfaces", "vpc.flow-logs"): "every VPC counts, unless empty ones are spared",
    ("ec2:DescribeNetworkInterfaces", "route53resolver.query-logs"): "the same",
    ("route53profiles:ListProfileAssociations", "route53resolver.query-logs"): "an association of its own",
    (
        "route53profiles:ListProfileResourceAssociations",
        "route53resolver.query-logs",
    ): "an association of its own, or no profile",
    (
        "route53resolver:ListResolverQueryLogConfigs",
        "route53resolver.query-logs",
    ): "no association is active, and no profile is associated",
}
