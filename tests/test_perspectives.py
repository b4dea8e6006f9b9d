"""One organization seen from each kind of its accounts: nothing is a gap that an account cannot have."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from postureaudit import catalog, services
from postureaudit.evidence import Evidence
from postureaudit.findings import Finding, Verdict
from postureaudit.resources import ScopeKind, View
from postureaudit.services import organizations
from tests.conftest import judge, walk_world
from tests.fakeaws.landing_zone import ALONE, AUDIT, HOME, MANAGEMENT, MEMBER, landing_zone
from tests.fakeaws.world import ARCHIVE

VIEWS = {
    "standalone": ALONE,
    "management": MANAGEMENT,
    "audit": AUDIT,
    "archive": ARCHIVE,
    "member": MEMBER,
}
ORGANIZATION = [
    check.id
    for check in catalog.builtin().checks
    if services.types()[check.resource].scope is ScopeKind.ORGANIZATION
]
# What each check says in the landing zone: standalone, management, audit, archive, member.
EXPECTED = {
    "cloudtrail.organization-trail": "n/a pass pass pass pass",
    "cloudtrail.delegated-admin": "n/a pass pass n/a n/a",
    "config.aggregator": "n/a n/a pass n/a n/a",
    "config.aggregator-healthy": "n/a n/a pass n/a n/a",
    "config.delegated-admin": "n/a pass pass n/a n/a",
    "guardduty.delegated-admin": "n/a pass n/a n/a n/a",
    "guardduty.auto-enable-members": "n/a n/a pass n/a n/a",
    "guardduty.auto-enable-plans": "n/a n/a pass n/a n/a",
    "guardduty.members-enabled": "n/a n/a pass n/a n/a",
    "securityhub.central-configuration": "n/a n/a pass n/a n/a",
    "securityhub.delegated-admin": "n/a pass n/a n/a n/a",
    "securityhub.members-enabled": "n/a n/a pass n/a n/a",
}
# What an account is sent to for what it cannot answer.
WHERE = ("look in", "this account is in no organization")
# Checks that have nothing to do with the organization and that the landing zone leaves out.
OURS = ("cloudtrail.", "config.", "guardduty.", "securityhub.")


WANTED = catalog.calls(
    catalog.builtin(),
    [check.id for check in catalog.builtin().checks if check.id.startswith(OURS)],
    services.types(),
)


def short(finding: Finding) -> str:
    return "n/a" if finding.verdict is Verdict.NOT_APPLICABLE else finding.verdict.value


@pytest.fixture(scope="module")
def seen() -> Iterator[dict[str, Evidence]]:
    """The landing zone, walked from each kind of account."""
    with pytest.MonkeyPatch.context() as patch:
        yield {
            name: walk_world(patch, landing_zone(account, regions=(HOME,)), wanted=WANTED)
            for name, account in VIEWS.items()
        }


@pytest.mark.parametrize("name", EXPECTED)
def test_landing_zone_seen_from_each_account(seen: dict[str, Evidence], name: str) -> None:
    """Who can answer says so; who cannot is told where to look; nobody reports what is right as a gap."""
    found = {view: judge(evidence, name)[name] for view, evidence in seen.items()}

    assert " ".join(short(found[view]) for view in VIEWS) == EXPECTED[name]
    for place in (place for finding in found.values() for place in finding.places):
        if place.verdict is Verdict.NOT_APPLICABLE:
            assert place.reason.startswith(WHERE), place.reason


@pytest.mark.parametrize("view", [name for name in VIEWS if name != "standalone"])
def test_landing_zone_has_no_gap_anywhere(seen: dict[str, Evidence], view: str) -> None:
    """Nothing about logs, detection and their administration is a gap in any account of the organization."""
    ids = [check.id for check in catalog.builtin().checks if check.id.startswith(OURS)]

    found = judge(seen[view], *ids)

    assert {name for name, item in found.items() if item.verdict is Verdict.FAIL} == set()


@pytest.mark.parametrize(
    ("view", "own"),
    [
        ("standalone", ["standalone"]),
        ("management", ["management account of o-exampleorg1"]),
        (
            "audit",
            [
                "delegated administrator of CloudTrail, Config, GuardDuty, Security Hub",
                "member of o-exampleorg1",
            ],
        ),
        ("archive", ["log archive", "member of o-exampleorg1"]),
        ("member", ["member of o-exampleorg1"]),
    ],
)
def test_roles_are_found(seen: dict[str, Evidence], view: str, own: list[str]) -> None:
    """Each account knows what it is, and who the others are as far as anyone tells it."""
    found = organizations.roles(View(seen[view], VIEWS[view]))

    assert found.Own == own
    assert found.Audit.Account == ("" if view == "standalone" else AUDIT)
    assert found.Management.Account == ("" if view == "standalone" else MANAGEMENT)
    assert found.LogArchive.Account == (ARCHIVE if view == "archive" else "")
    assert view != "member" or found.Audit.How == "found by GuardDuty, Security Hub"
