"""What to ask Detective in a region: the account's own behavior graph, else those that it is a member of."""

from __future__ import annotations

from postureaudit.asks import Ask, Collection, Fork, Scope
from postureaudit.evidence import Answer
from postureaudit.services import administrators


def collect(scope: Scope) -> Collection:
    """Ask for the graph and follow it; an account without one may be a member of somebody's."""
    delegation = administrators.ask_management(scope, Ask("detective:ListOrganizationAdminAccounts"))
    (graphs,) = yield [Ask("detective:ListGraphs"), Fork([delegation])]
    found = graphs.pick("GraphList[].Arn")[:1]
    for graph in found:
        yield [Fork([administrators.ask_organized(scope, _organization(graph))])]
    if not found:
        yield [Ask("detective:ListInvitations")]


def settings_ask(graph: str) -> Ask:
    """The organization's settings: only Detective's administrator is told them."""
    return Ask("detective:DescribeOrganizationConfiguration", GraphArn=graph)


def members_ask(graph: str) -> Ask:
    """The members of a graph, whatever their status."""
    return Ask("detective:ListMembers", GraphArn=graph)


def _organization(graph: str) -> Collection:
    (settings,) = yield [settings_ask(graph)]
    if isinstance(settings.outcome, Answer):
        yield [members_ask(graph)]
