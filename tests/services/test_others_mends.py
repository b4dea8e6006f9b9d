"""The commands for the services around the four, run together: every gap closes, and nothing else gets worse."""

from __future__ import annotations

import pytest

from postureaudit import catalog
from postureaudit.findings import Verdict
from tests.conftest import Collect, Mend, judge
from tests.fakeaws import World
from tests.fakeaws.handlers.securityir import add_sir_membership
from tests.fakeaws.handlers.securitylake import PRINCIPAL, add_lake
from tests.fakeaws.handlers.vpc import add_vpc
from tests.fakeaws.world import ACCOUNT, ARCHIVE

HERE, MEMBER = "us-east-1", "222233334444"
OURS = {
    *("account", "vpc", "route53resolver", "securitylake", "securityincidentresponse"),
    *("firewallmanager", "organizations"),
}
NEEDS = {
    "SECURITY_CONTACT_NAME": "SOC",
    "SECURITY_CONTACT_TITLE": "Security",
    "SECURITY_CONTACT_PHONE": "+15550100",
    "ALERT_EMAIL": "soc@example.com",
    "LOG_BUCKET": "org-logs",
    "LAKE_ACCOUNT": ARCHIVE,
    "ADMIN_ACCOUNT": MEMBER,
}
IDS = tuple(check.id for check in catalog.builtin().checks if check.service in OURS)


def a_world(manager: str) -> World:
    """One region of an organization in which little is set up; where another manages it, the lake is this account's."""
    world = World()
    for name in (ACCOUNT, ARCHIVE, MEMBER):
        world.account(name, regions=(HERE,))
    members = tuple(name for name in (ACCOUNT, ARCHIVE, MEMBER) if name != manager)
    delegated = {} if manager == ACCOUNT else {PRINCIPAL: [ACCOUNT], "security-ir.amazonaws.com": [ACCOUNT]}
    world.organize(manager, members, delegated=delegated)
    here = world.account().region(HERE)
    add_vpc(here, traffic="REJECT")
    add_vpc(here, "vpc-2", interfaces=1)
    if manager != ACCOUNT:
        add_lake(here, ACCOUNT, sources=("WAF",), auto=())
        add_sir_membership(here, triage=False, role=False, whole=False)
    return world


@pytest.mark.exhaustive
def test_commands_together(collect: Collect, mend: Mend) -> None:
    """In the management account and in the one that runs the services, no check passes before and fails after."""
    for manager in (ACCOUNT, ARCHIVE):
        world = a_world(manager)
        before = judge(collect(world))
        was = {name: before[name].verdict for name in before}

        mended = mend(world, *IDS, needs=NEEDS)
        after = judge(collect(world))

        worse = {name for name in was if was[name] is Verdict.PASS and after[name].verdict is Verdict.FAIL}
        assert worse == set(), manager
        left = {name for name, found in mended.items() if found.verdict is Verdict.FAIL}
        for name in left:
            fix = mended[name].fix
            assert fix and fix.steps and not fix.argv, name
        closed = {name for name in IDS if was[name] is Verdict.FAIL} - left
        assert {"account.security-contact", "vpc.flow-logs", "route53resolver.query-logs"} <= closed
