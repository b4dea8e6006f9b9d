"""The account's own VPCs, region by region."""

from __future__ import annotations

from collections.abc import Iterator

from postureaudit.evidence import Refusal
from postureaudit.resources import Facet, Resource, ResourceType, ScopeKind, Shape, View, facts, member
from postureaudit.services.vpc import asks
from postureaudit.services.vpc.logs import FLOW_CALLS, QUERY_CALLS, FlowLogs, QueryLogs, flow_logs, query_logs


def vpcs(view: View) -> Iterator[Resource]:
    """One place a VPC; "*" where the list was refused.

    Only the owner of a shared VPC may see its logs (VPC user guide, "Responsibilities and permissions for owners
    and participants"): elsewhere it is not judged.
    """
    for region in view.regions:
        listed = member(view.outcome(asks.VPCS, region), "Vpcs", [])
        if isinstance(listed, Refusal):
            yield Resource(
                type="vpc.vpc",
                id="*",
                account=view.account,
                region=region,
                facts={facet.name: listed for facet in VPC.facets},
            )
            continue
        for item in sorted(listed, key=lambda item: str(item["VpcId"])):
            name, owner = str(item["VpcId"]), str(item.get("OwnerId") or view.account)
            if owner != view.account:
                where = f"the VPC is shared by account {owner}: look there"
                yield Resource(
                    type="vpc.vpc", id=name, account=view.account, region=region, elsewhere=where, facts={}
                )
                continue
            yield Resource(
                type="vpc.vpc",
                id=name,
                account=view.account,
                region=region,
                facts=facts(
                    Vpc=item,
                    FlowLogs=flow_logs(view, region, name),
                    QueryLogs=query_logs(view, region, name),
                    InUse=in_use(view, region, name),
                ),
            )


def in_use(view: View, region: str, vpc: str) -> bool | Refusal:
    """Whether a network interface is in the VPC: without one, no traffic and no query can arise."""
    ask = asks.interfaces_ask(vpc)
    found = member(view.outcome(ask.call, region, **ask.params), "NetworkInterfaces", [])
    return found if isinstance(found, Refusal) else bool(found)


VPC = ResourceType(
    name="vpc.vpc",
    scope=ScopeKind.RESOURCE,
    none="no VPC here",
    facets=(
        Facet(name="Vpc", calls=(asks.VPCS,), shape=Shape(asks.VPCS, "Vpcs[]")),
        Facet(name="FlowLogs", calls=FLOW_CALLS, shape=FlowLogs),
        Facet(name="QueryLogs", calls=QUERY_CALLS, shape=QueryLogs),
        Facet(name="InUse", calls=(asks.VPCS, asks.INTERFACES), shape=bool),
    ),
    produce=vpcs,
)
TYPES = (VPC,)
