"""One organization seen from each kind of its accounts: nothing is a gap that an account cannot have."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from postureaudit import catalog, services
from postureaudit.evidence import Evidence, Named, Refusal, RefusalKind
from postureaudit.findings import Finding, Verdict
from postureaudit.resources import ScopeKind, View
from postureaudit.services import organizations
from tests.conftest import Judged, judge, walk_world
from tests.fakeaws.landing_zone import ALONE, AUDIT, HOME, MANAGEMENT, MEMBER, bare, landing_zone
from tests.fakeaws.world import ARCHIVE
from tests.replay import replay

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


# Of its own trail's bucket an account is told nothing where the log archive does not let it read.
_BUCKET = {
    f"cloudtrail.bucket-{name}"
    for name in ("not-public", "source-restricted", "access-logging", "tamper-proof", "retention")
}


@pytest.mark.parametrize("view", VIEWS)
def test_what_nobody_tells_an_account_is_no_unknown(found: dict[str, Judged], view: str) -> None:
    """Of another account's trail nothing is unknown: what only its owner is told, others are sent there for."""
    unknown = {name for name in CHECKS if found[view][name].verdict is Verdict.UNKNOWN}

    assert unknown == (_BUCKET if view in ("standalone", "management") else set())
    if view in ("audit", "member"):
        assert all(MANAGEMENT in reasons(found[view][name]) for name in _BUCKET)


@pytest.mark.parametrize("kind", [RefusalKind.THROTTLED, RefusalKind.EXPIRED, RefusalKind.NETWORK])
def test_an_outage_is_unknown_in_a_member_too(seen: dict[str, Evidence], kind: RefusalKind) -> None:
    """Only what AWS tells no other account is another's; a call that failed is asked again."""
    names = ("cloudtrail.management-events", "cloudtrail.kms-key-usable")
    denied = {"cloudtrail:GetEventSelectors", "kms:DescribeKey"}

    judged = judge(replay(seen["member"], denied=denied, refusal=Refusal(kind)), *names)

    assert {judged[name].verdict for name in names} == {Verdict.UNKNOWN}


def test_whether_a_signal_is_recorded_elsewhere_is_unknown(seen: dict[str, Evidence]) -> None:
    """What follows after the trail is in this account alone, so nobody else answers for the signal."""
    name = "signal.root-console-login"

    assert judge(seen["member"], name)[name].verdict is Verdict.UNKNOWN


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


# ---------------------------------------------------------------- accounts that the caller names

LAKE = "securitylake.delegated-admin"  # the log archive's, by AWS's Security Reference Architecture
ADMINISTRATORS = [
    *(name for name in ORGANIZATION if name.endswith("delegated-admin") and name != LAKE),
    "firewallmanager.administrator",
]
APART = "organizations.separate-accounts"
NAMED = {"audit_account": AUDIT, "log_archive_account": ARCHIVE}


def reasons(finding: Finding) -> str:
    return " ".join(place.reason for place in finding.places)


def steps(finding: Finding) -> str:
    assert finding.fix and not finding.fix.argv, finding.check
    return " ".join(finding.fix.steps)


def test_the_named_accounts_administer(seen: dict[str, Evidence]) -> None:
    """The management account is told of every service that the account that was named has it."""
    judged = judge(
        seen["management"].naming(**NAMED), *ADMINISTRATORS, LAKE, "organizations.separate-accounts"
    )

    assert {finding.verdict for finding in judged.values()} == {Verdict.PASS}


@pytest.mark.parametrize("name", [*ADMINISTRATORS, LAKE])
def test_another_account_than_the_named_one_administers(seen: dict[str, Evidence], name: str) -> None:
    """Where another has it, the gap names both, and the fix is no command that AWS would refuse or that ends
    something."""
    evidence = seen["management"].naming(audit_account=MEMBER, log_archive_account=MEMBER)

    gap = judge(evidence, name)[name]

    assert gap.verdict is Verdict.FAIL
    assert (ARCHIVE if name == LAKE else AUDIT) in reasons(gap) and MEMBER in reasons(gap)
    # Organizations takes further administrators of these
    if name in ("cloudtrail.delegated-admin", "config.delegated-admin"):
        assert gap.fix and MEMBER in gap.fix.shell
    else:
        assert MEMBER in steps(gap)


@pytest.mark.parametrize(
    ("view", "own"), [("audit", "audit_account"), ("archive", "log_archive_account"), ("member", "")]
)
def test_the_named_account_answers_for_itself(seen: dict[str, Evidence], view: str, own: str) -> None:
    """It is asked what others are sent to the management account for, and passes."""
    judged = judge(seen[view].naming(**NAMED), *ADMINISTRATORS, LAKE)

    ours = [name for name in judged if (name == LAKE) == (view == "archive")] if own else []
    for name, finding in judged.items():
        told = name == "cloudtrail.delegated-admin" and view == "archive"  # being delegated for the lake
        expected = Verdict.PASS if name in ours or told else Verdict.NOT_APPLICABLE
        assert finding.verdict is expected, name
        assert finding.verdict is Verdict.PASS or MANAGEMENT in reasons(finding)


@pytest.mark.parametrize("name", [*ADMINISTRATORS, LAKE])
def test_a_named_account_that_administers_nothing(seen: dict[str, Evidence], name: str) -> None:
    """A member that should administer says that it does not, and whom to ask; a list that is refused proves nothing."""
    evidence = seen["member"].naming(audit_account=MEMBER, log_archive_account=MEMBER)

    finding = judge(evidence, name)[name]

    if name in ("cloudtrail.delegated-admin", "config.delegated-admin"):
        assert finding.verdict is Verdict.UNKNOWN
    else:
        assert finding.verdict is Verdict.FAIL and MEMBER in reasons(finding)
        assert MANAGEMENT in steps(finding)


@pytest.mark.parametrize("name", ["audit_account", "log_archive_account"])
def test_one_account_for_both(seen: dict[str, Evidence], name: str) -> None:
    """An audit account that is the log archive as well is a gap, from wherever both are known."""
    both = {"audit_account": AUDIT, "log_archive_account": AUDIT}
    for view in ("management", "audit", "member"):
        assert judge(seen[view].naming(**both))[APART].verdict is Verdict.FAIL
        assert judge(seen[view].naming(**{name: both[name]}))[APART].verdict is (
            Verdict.FAIL if name == "log_archive_account" and view != "member" else Verdict.NOT_APPLICABLE
        )


ITSELF = ("inspector", "macie", "detective")


@pytest.mark.parametrize("named", [{}, {"audit_account": MANAGEMENT}])
def test_the_management_account_is_no_security_account(
    monkeypatch: pytest.MonkeyPatch, named: dict[str, str]
) -> None:
    """These services let it administer itself, AWS advises against: a gap, without a one-liner."""
    names = [f"{service}.delegated-admin" for service in ITSELF] + ["firewallmanager.administrator"]
    world = landing_zone(regions=(HOME,))
    here = world.account(MANAGEMENT).region(HOME)
    here.inspector2["org_admins"] = here.macie2["org_admins"] = here.detective["org_admins"] = [MANAGEMENT]
    assert world.organization
    world.organization["FirewallManager"] = MANAGEMENT
    wanted = catalog.calls(catalog.builtin(), names, services.types())

    judged = judge(walk_world(monkeypatch, world, wanted=wanted, named=Named(**named)), *names)

    for name in names:
        assert judged[name].verdict is Verdict.FAIL and "AWS advises against" in reasons(judged[name])
        assert "your audit account" in steps(judged[name])


def test_who_runs_the_lake_is_not_taken_for_the_audit_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log archive that is delegated for Security Lake alone keeps logs, and administers nothing else."""
    world = landing_zone(ARCHIVE, regions=(HOME,))
    assert world.organization
    world.organization["Delegated"] = {"securitylake.amazonaws.com": [ARCHIVE]}
    wanted = catalog.calls(catalog.builtin(), [APART], services.types())

    evidence = walk_world(monkeypatch, world, wanted=wanted)

    finding = judge(evidence, APART)[APART]
    assert finding.verdict is Verdict.NOT_APPLICABLE and "--audit-account" in reasons(finding)
    assert organizations.roles(View(evidence, ARCHIVE)).Audit.Account == ""


def test_an_audit_account_that_keeps_the_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the account that administers holds the organization trail's bucket, nobody has to be named for the gap."""
    world = landing_zone(AUDIT, regions=(HOME,))
    world.buckets["org-trail-logs"]["owner"] = AUDIT
    wanted = catalog.calls(catalog.builtin(), [APART], services.types())

    finding = judge(walk_world(monkeypatch, world, wanted=wanted), APART)[APART]

    assert finding.verdict is Verdict.FAIL and AUDIT in reasons(finding)


# ---------------------------------------------------------------- nothing done for the organization


@pytest.fixture(scope="module")
def undone() -> Iterator[dict[str, Judged]]:
    """The organization for which nothing was done, as its accounts see it."""
    with pytest.MonkeyPatch.context() as patch:
        yield {
            name: judge(walk_world(patch, bare(VIEWS[name])), *CHECKS)
            for name in ("management", "audit", "member")
        }


def test_gaps_of_the_organization_are_its_management_accounts(undone: dict[str, Judged]) -> None:
    """What nobody did for the organization is a gap where it can be done, and nowhere else."""
    gaps = {
        view: {name for name in ORGANIZATION if found[name].verdict is Verdict.FAIL}
        for view, found in undone.items()
    }

    assert gaps["audit"] == gaps["member"] == set()
    assert gaps["management"] == {
        *ADMINISTRATORS,
        LAKE,
        "cloudtrail.organization-trail",
        "config.aggregator",
        "organizations.service-access",
    }
    for view in ("audit", "member"):
        assert [name for name in ORGANIZATION if not sent(undone[view][name])] == []


def test_gaps_of_a_member_are_its_own_to_close(undone: dict[str, Judged]) -> None:
    """Every gap of a member has a command, or steps in the account itself; but that nobody sees its findings."""
    steps_only = {
        name
        for name in CHECKS
        if undone["member"][name].verdict is Verdict.FAIL
        and MANAGEMENT in " ".join(fix.steps if (fix := undone["member"][name].fix) else ())
    }

    assert steps_only == {"guardduty.centrally-managed"}
    assert undone["management"]["securityhub.v2-policy"].verdict is Verdict.FAIL
    assert undone["member"]["securityhub.v2-policy"].verdict is Verdict.NOT_APPLICABLE


def test_commands_name_the_accounts_that_were_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was named need not be set again: the audit account administers, the log archive runs the lake."""
    names = [*ADMINISTRATORS, LAKE]
    wanted = catalog.calls(catalog.builtin(), names, services.types())

    judged = judge(walk_world(monkeypatch, bare(), wanted=wanted, named=Named(**NAMED)), *names)

    for name in names:
        fix = judged[name].fix
        assert fix and fix.argv and not fix.needs, name
        assert (ARCHIVE if name == LAKE else AUDIT) in fix.argv[-1], name
