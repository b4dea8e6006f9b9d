"""One organization seen from each kind of its accounts: nothing is a gap that an account cannot have."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from postureaudit import catalog, services
from postureaudit.evidence import Evidence
from postureaudit.findings import Finding, Verdict
from postureaudit.resources import ScopeKind, View
from postureaudit.services import organizations
from tests.conftest import Judged, judge, walk_world
from tests.fakeaws.landing_zone import ALONE, AUDIT, HOME, MANAGEMENT, MEMBER, landing_zone
from tests.fakeaws.world import ARCHIVE

VIEWS = {
    "standalone": ALONE,
    "management": MANAGEMENT,
    "audit": AUDIT,
    "archive": ARCHIVE,
    "member": MEMBER,
}
# Alerting of an account's own, which the landing zone has when it `responds`; alarms watch a trail's log group, and
# stand in the account of the trail.
ROUTES = ("signal.", "eventbridge.", "sns.", "alarms.")
CHECKS = [check.id for check in catalog.builtin().checks if not check.id.startswith(ROUTES)]
ORGANIZATION = [
    check.id
    for check in catalog.builtin().checks
    if services.types()[check.resource].scope is ScopeKind.ORGANIZATION
]
_MANAGEMENT = "n/a pass n/a n/a n/a"
_AUDIT = "n/a n/a pass n/a n/a"
# What each check says in the landing zone: standalone, management, audit, archive, member.
EXPECTED = {
    "cloudtrail.organization-trail": "n/a pass pass pass pass",
    # who is delegated for anything is told who is for everything
    "cloudtrail.delegated-admin": "n/a pass pass pass n/a",
    "config.delegated-admin": "n/a pass pass n/a n/a",
    "organizations.separate-accounts": "n/a n/a n/a pass n/a",
    **dict.fromkeys(
        (
            *("guardduty.delegated-admin", "securityhub.delegated-admin", "securityhub.v2-delegated-admin"),
            *("inspector.delegated-admin", "macie.delegated-admin", "accessanalyzer.delegated-admin"),
            *("detective.delegated-admin", "firewallmanager.administrator"),
            *("securitylake.delegated-admin", "securityincidentresponse.delegated-admin"),
            *("organizations.all-features", "organizations.service-access"),
            "organizations.one-administrator",
        ),
        _MANAGEMENT,
    ),
    **dict.fromkeys(
        (
            *("config.aggregator", "config.aggregator-healthy", "config.organization-deployments"),
            *("guardduty.auto-enable-members", "guardduty.auto-enable-plans", "guardduty.members-enabled"),
            *("securityhub.central-configuration", "securityhub.members-enabled"),
            *("inspector.auto-enable-members", "inspector.members-enabled"),
            *("macie.auto-enable-members", "macie.auto-enable-discovery", "macie.members-enabled"),
            *("detective.auto-enable-members", "detective.members-enabled"),
        ),
        _AUDIT,
    ),
}
# What an account is sent to for what it cannot answer.
WHERE = ("look in", "look there", "this account is in no organization")


def short(finding: Finding) -> str:
    return "n/a" if finding.verdict is Verdict.NOT_APPLICABLE else finding.verdict.value


@pytest.fixture(scope="module")
def seen() -> Iterator[dict[str, Evidence]]:
    """The landing zone, walked from each kind of account."""
    with pytest.MonkeyPatch.context() as patch:
        yield {
            name: walk_world(patch, landing_zone(account, regions=(HOME,))) for name, account in VIEWS.items()
        }


@pytest.fixture(scope="module")
def found(seen: dict[str, Evidence]) -> dict[str, Judged]:
    """What each account is told."""
    return {view: judge(evidence, *CHECKS) for view, evidence in seen.items()}


def sent(finding: Finding) -> bool:
    """Whether every place says where to look."""
    return all(any(word in place.reason for word in WHERE) for place in finding.places)


def test_the_table_is_complete() -> None:
    """A check of the organization that joins the catalogue is looked at from every account."""
    assert sorted(EXPECTED) == sorted(ORGANIZATION)


@pytest.mark.parametrize("name", EXPECTED)
def test_landing_zone_seen_from_each_account(found: dict[str, Judged], name: str) -> None:
    """Who can answer says so; who cannot is told where to look; nobody reports what is right as a gap."""
    assert " ".join(short(found[view][name]) for view in VIEWS) == EXPECTED[name]
    for judged in found.values():
        assert judged[name].verdict is not Verdict.NOT_APPLICABLE or sent(judged[name])


@pytest.mark.parametrize("view", VIEWS)
def test_landing_zone_has_no_gap_anywhere(found: dict[str, Judged], view: str) -> None:
    """Nothing at all is a gap in any account where everything is right."""
    assert [name for name in CHECKS if found[view][name].verdict is Verdict.FAIL] == []


@pytest.mark.parametrize("view", [name for name in VIEWS if name != "standalone"])
def test_what_an_account_is_not_asked_is_asked_elsewhere(found: dict[str, Judged], view: str) -> None:
    """What a lone account answers, an account of an organization answers too, or is told where to look."""
    answered = [name for name in CHECKS if found["standalone"][name].verdict is Verdict.PASS]
    skipped = [name for name in answered if found[view][name].verdict is Verdict.NOT_APPLICABLE]

    # the log archive's own bucket is where it should be
    own = {"config.bucket-separate-account"} if view == "archive" else set()
    assert {name for name in skipped if not sent(found[view][name])} == own


@pytest.mark.exhaustive
@pytest.mark.parametrize("view", VIEWS)
def test_signals_have_no_gap_where_every_account_responds(monkeypatch: pytest.MonkeyPatch, view: str) -> None:
    """What an account sends on by itself arrives; what another account's trail decides is never a gap."""
    names = [check.id for check in catalog.builtin().checks if check.id.startswith(ROUTES)]
    world = landing_zone(VIEWS[view], regions=(HOME,), responds=True)

    judged = judge(walk_world(monkeypatch, world), *names)

    assert [name for name in names if judged[name].verdict is Verdict.FAIL] == []
    assert judged["signal.guardduty-critical"].verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("view", "own"),
    [
        ("standalone", ["standalone"]),
        ("management", ["management account of o-exampleorg1"]),
        (
            "audit",
            [
                "delegated administrator of Access Analyzer, CloudTrail, Config, Detective, Firewall Manager, "
                "GuardDuty, Inspector, Macie, Security Hub, Security Incident Response",
                "member of o-exampleorg1",
            ],
        ),
        (
            "archive",
            ["delegated administrator of Security Lake", "log archive", "member of o-exampleorg1"],
        ),
        ("member", ["member of o-exampleorg1"]),
    ],
)
def test_roles_are_found(seen: dict[str, Evidence], view: str, own: list[str]) -> None:
    """Each account knows what it is, and who the others are as far as anyone tells it."""
    said = organizations.roles(View(seen[view], VIEWS[view]))

    assert said.Own == own
    assert said.Audit.Account == ("" if view == "standalone" else AUDIT)
    assert said.Management.Account == ("" if view == "standalone" else MANAGEMENT)
    assert said.LogArchive.Account == (ARCHIVE if view == "archive" else "")
    assert view != "member" or said.Audit.How == "found by GuardDuty, Security Hub"
