"""What to ask about a region's VPCs: their flow logs, their query logs, and whether anything is in them."""

from __future__ import annotations

from postureaudit.asks import Ask, Collection, Fork, Scope

VPCS = "ec2:DescribeVpcs"
FLOW_LOGS = "ec2:DescribeFlowLogs"
INTERFACES = "ec2:DescribeNetworkInterfaces"
ASSOCIATIONS = "route53resolver:ListResolverQueryLogConfigAssociations"
CONFIGS = "route53resolver:ListResolverQueryLogConfigs"
PROFILES = "route53profiles:ListProfileAssociations"
PROFILE_RESOURCES = "route53profiles:ListProfileResourceAssociations"


def collect(scope: Scope) -> Collection:
    """Ask for the VPCs; only where the account has some of its own is there more to ask."""
    (listed,) = yield [Ask(VPCS)]
    own = [str(item["VpcId"]) for item in listed.pick("Vpcs[]") if item.get("OwnerId") == scope.account]
    if not own:
        return
    yield [
        Ask(FLOW_LOGS),
        Ask(ASSOCIATIONS),
        Ask(CONFIGS),
        *(interfaces_ask(vpc) for vpc in own),
        Fork([_profiles()]),
    ]


def _profiles() -> Collection:
    """The Route 53 Profiles that are associated with VPCs here, and what each brings with it."""
    (listed,) = yield [Ask(PROFILES)]
    names = sorted({str(name) for name in listed.pick("ProfileAssociations[].ProfileId")})
    yield [Ask(PROFILE_RESOURCES, ProfileId=name) for name in names]


def interfaces_ask(vpc: str) -> Ask:
    """Whether a network interface is in the VPC: the first page with one is enough."""
    return Ask(INTERFACES, until="NetworkInterfaces[]", Filters=[{"Name": "vpc-id", "Values": [vpc]}])
