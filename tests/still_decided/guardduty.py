"""What still decides GuardDuty's checks when a call is refused."""

_ON = "GetDetector says that the plan is on, whatever runs there"

_ITSELF = "DescribeOrganizationConfiguration answers the administrator only"
_SETTING = "the administrator's own settings and members, whatever policies there are"

DECIDED = {
    **{
        (f"guardduty:{call}", f"guardduty.{name}"): _ITSELF
        for call in ("GetAdministratorAccount", "ListOrganizationAdminAccounts")
        for name in ("auto-enable-members", "auto-enable-plans", "members-enabled", "delegated-admin")
    },
    ("guardduty:GetAdministratorAccount", "guardduty.centrally-managed"): _ITSELF,
    **{
        ("organizations:DescribeEffectivePolicy", f"guardduty.{name}"): _SETTING
        for name in ("auto-enable-members", "auto-enable-plans", "members-enabled")
    },
    ("guardduty:GetDetector", "guardduty.enabled"): "ListDetectors lists none",
    ("guardduty:GetFilter", "guardduty.suppression-filters"): "ListFilters lists none",
    (
        "guardduty:GetAdministratorAccount",
        "guardduty.suppression-filters",
    ): "GetFilter shows one that hides everything",
    ("guardduty:GetAdministratorAccount", "guardduty.publishing-destination"): "ListPublishingDestinations",
    ("guardduty:DescribeOrganizationConfiguration", "guardduty.centrally-managed"): "GetAdministratorAccount",
    (
        "guardduty:GetMalwareProtectionPlan",
        "guardduty.s3-malware-protection",
    ): "ListMalwareProtectionPlans lists none",
    ("organizations:DescribeOrganization", "guardduty.centrally-managed"): "GetAdministratorAccount",
    ("organizations:DescribeOrganization", "guardduty.delegated-admin"): "ListOrganizationAdminAccounts",
    **{
        (
            f"guardduty:{call}",
            "guardduty.delegated-admin",
        ): "ListOrganizationAdminAccounts, in the management account"
        for call in ("ListDetectors", "DescribeOrganizationConfiguration")
    },
    ("s3:ListBuckets", "guardduty.s3-protection"): _ON,
    ("s3:ListBuckets", "guardduty.s3-malware-protection"): "an active plan, whatever buckets there are",
    ("eks:ListClusters", "guardduty.eks-audit-logs"): _ON,
    ("eks:ListClusters", "guardduty.eks-agent"): _ON,
    ("ecs:ListClusters", "guardduty.ecs-agent"): _ON,
    ("ec2:DescribeInstances", "guardduty.ebs-malware-protection"): _ON,
    ("ec2:DescribeInstances", "guardduty.ec2-agent"): _ON,
    ("eks:ListClusters", "guardduty.runtime-monitoring"): _ON,
    (
        "ecs:ListClusters",
        "guardduty.runtime-monitoring",
    ): f"{_ON}; or instances or EKS clusters are there",
    (
        "ec2:DescribeInstances",
        "guardduty.runtime-monitoring",
    ): f"{_ON}; or EKS or ECS clusters are there",
    ("lambda:ListFunctions", "guardduty.lambda-network-logs"): _ON,
    ("rds:DescribeDBInstances", "guardduty.rds-login-events"): _ON,
    ("rds:DescribeDBClusters", "guardduty.rds-login-events"): f"{_ON}; or an instance is there",
}
