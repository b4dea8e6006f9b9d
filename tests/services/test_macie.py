"""Macie judged by meaning: off or refused, paused, what findings are kept and sent, and who decides."""

from __future__ import annotations

from typing import Any

import pytest

from postureaudit.findings import Verdict
from tests.conftest import Collect, Mend, judge
from tests.fakeaws import Fault, World
from tests.fakeaws.handlers.macie import session
from tests.fakeaws.world import ACCOUNT, ARCHIVE
from tests.replay import replay
from tests.services.worlds import (
    BOSS,
    HERE,
    MEMBER,
    THERE,
    a_world,
    at,
    in_organization,
    only,
    open_checks,
    steps,
    suspend,
)

PRINCIPAL = "macie.amazonaws.com"
KEY = f"arn:aws:kms:us-east-1:{ARCHIVE}:key/k"
BOTH = {"publishPolicyFindings": True, "publishClassificationFindings": True}
OWN = (
    "automated-discovery",
    "publishes-policy-findings",
    "publishes-classification-findings",
    "classification-export",
    "export-separate-account",
)
NEEDS = {"FINDINGS_BUCKET": "findings", "KMS_KEY_ARN": KEY, "ADMIN_ACCOUNT": ARCHIVE}


def good(world: World, name: str = HERE, account: str = ACCOUNT, **state: Any) -> World:
    """Macie is on in a region, with everything that the checks ask for, beside a hub."""
    region = at(world, name, account)
    region.macie2 |= {"session": session(region), "publication": dict(BOTH), "discovery": ["ENABLED", "ALL"]}
    region.macie2 |= {"export": {"bucketName": "findings", "kmsKeyArn": KEY}, **state}
    region.add_hub(products=("macie",))
    if "findings" not in world.buckets:
        world.add_bucket("findings", owner=ARCHIVE, head={ACCOUNT})
    return world


# ---------------------------------------------------------------- the session


def test_everything_in_order(collect: Collect) -> None:
    """A standalone account with everything on has no gap, and no organization to speak of."""
    found = judge(collect(good(a_world())))

    assert {found[f"macie.{name}"].verdict for name in ("enabled", *OWN)} == {Verdict.PASS}
    assert found["macie.members-enabled"].verdict is Verdict.NOT_APPLICABLE


def test_off_and_refused_have_the_same_code(collect: Collect) -> None:
    """ "Macie is not enabled" is a gap and ends the asking; a missing permission, with the same code, is unknown."""
    off, refused = a_world(), good(a_world())
    refused.faults.append(
        Fault(
            service="macie2",
            operation="GetMacieSession",
            code="AccessDeniedException",
            message="User: arn:aws:sts::1:x is not authorized to perform: macie2:GetMacieSession",
            status=403,
        )
    )

    found, hidden = judge(collect(off)), judge(collect(refused))

    assert found["macie.enabled"].verdict is Verdict.FAIL
    assert {call[3] for call in off.calls if call[2] == "macie2"} == {"GetMacieSession"}
    assert {found[f"macie.{name}"].verdict for name in OWN} == {Verdict.NOT_APPLICABLE}
    assert {hidden[f"macie.{name}"].verdict for name in ("enabled", *OWN)} == {Verdict.UNKNOWN}


def test_macie_turned_off_during_the_walk_is_unknown(collect: Collect) -> None:
    """ "Macie is not enabled" from a later call is no empty answer."""
    world = good(a_world())
    world.faults.append(
        Fault(
            service="macie2",
            operation="Get[!M]*",
            code="AccessDeniedException",
            message="Macie is not enabled",
            status=403,
        )
    )

    found = judge(collect(world))

    assert {found[f"macie.{name}"].verdict for name in OWN} == {Verdict.UNKNOWN}


def test_paused_is_a_gap(collect: Collect) -> None:
    """A suspended Macie looks at nothing; its settings are not judged."""
    world = good(a_world())
    at(world).macie2["session"]["status"] = "PAUSED"

    found = judge(collect(world))

    assert only(found["macie.enabled"]).reason.endswith("PAUSED")
    assert found["macie.automated-discovery"].verdict is Verdict.NOT_APPLICABLE


# ---------------------------------------------------------------- findings and results


@pytest.mark.parametrize(
    ("state", "failing"),
    [
        ({"discovery": ["DISABLED", "NONE"]}, {"automated-discovery"}),
        (
            {"publication": BOTH | {"publishPolicyFindings": False}},
            {"publishes-policy-findings"},
        ),
        (
            {"publication": BOTH | {"publishClassificationFindings": False}},
            {"publishes-classification-findings"},
        ),
        ({"export": None}, {"classification-export"}),
        ({"export": {"bucketName": "own", "kmsKeyArn": KEY}}, {"export-separate-account"}),
        ({"export": {"bucketName": "gone", "kmsKeyArn": KEY}}, {"export-separate-account"}),
    ],
    ids=str,
)
def test_each_setting_has_its_own_check(collect: Collect, state: dict[str, Any], failing: set[str]) -> None:
    """One setting wrong is one gap."""
    world = good(a_world(), **state)
    world.add_bucket("own")

    found = judge(collect(world))

    assert {name for name in OWN if found[f"macie.{name}"].verdict is Verdict.FAIL} == failing


def test_nothing_to_publish_to(collect: Collect) -> None:
    """Where Security Hub is off, nothing is asked about sending to it; where that is refused, nothing is known."""
    world = good(a_world(), publication=dict.fromkeys(BOTH, False))
    at(world).securityhub["hub"] = None
    evidence = collect(world)

    off = judge(evidence)["macie.publishes-policy-findings"]
    hidden = judge(replay(evidence, denied={"securityhub:DescribeHub"}))["macie.publishes-policy-findings"]

    assert (off.verdict, hidden.verdict) == (Verdict.NOT_APPLICABLE, Verdict.UNKNOWN)


def test_settings_without_their_fields_are_unknown(collect: Collect) -> None:
    """An answer that does not say what is published, or whether discovery is on, decides nothing."""
    evidence = collect(good(a_world()))
    for record in evidence:
        if record.call in (
            "macie2:GetFindingsPublicationConfiguration",
            "macie2:GetAutomatedDiscoveryConfiguration",
        ):
            record.outcome.body.clear()  # type: ignore[union-attr]  # it is an answer

    found = judge(evidence)

    for name in ("publishes-policy-findings", "publishes-classification-findings", "automated-discovery"):
        assert found[f"macie.{name}"].verdict is Verdict.UNKNOWN, name


# ---------------------------------------------------------------- the organization


def member_world(status: str = "ENABLED") -> World:
    """The world's account is a member of ARCHIVE, Macie's administrator."""
    world = good(a_world(), discovery=["DISABLED", "NONE"], export=None, admin=ARCHIVE)
    at(world).macie2["session"]["status"] = status
    in_organization(world, PRINCIPAL, manager=BOSS, admin=ARCHIVE)
    at(world, account=BOSS).macie2["org_admins"] = [ARCHIVE]
    return world


def test_member_is_sent_to_its_administrator(collect: Collect) -> None:
    """What the administrator decides is not asked of a member; what a member publishes is its own."""
    found = judge(collect(member_world()))
    paused = judge(collect(member_world("PAUSED")))

    for name in (
        *("automated-discovery", "classification-export"),
        *("auto-enable-members", "auto-enable-discovery", "members-enabled"),
    ):
        assert found[f"macie.{name}"].verdict is Verdict.NOT_APPLICABLE
        assert ARCHIVE in only(found[f"macie.{name}"]).reason, name
    assert found["macie.publishes-policy-findings"].verdict is Verdict.PASS
    assert BOSS in only(found["macie.delegated-admin"]).reason
    assert ARCHIVE in steps(paused["macie.enabled"])


def test_unknown_administrator_leaves_its_settings_open(collect: Collect) -> None:
    """Without GetAdministratorAccount nobody knows whose discovery counts."""
    found = judge(replay(collect(good(a_world())), denied={"macie2:GetAdministratorAccount"}))

    assert found["macie.automated-discovery"].verdict is Verdict.UNKNOWN
    assert found["macie.classification-export"].verdict is Verdict.UNKNOWN


def test_account_of_an_organization_that_is_nobodys_member(collect: Collect) -> None:
    """A member account that is not delegated does not administer Macie: Organizations' own refusal says so."""
    world = good(a_world())
    in_organization(world, PRINCIPAL, manager=BOSS, admin="")
    evidence = collect(world)

    found = judge(evidence)
    hidden = judge(replay(evidence, denied={"organizations:ListDelegatedAdministrators"}))

    assert found["macie.members-enabled"].verdict is Verdict.NOT_APPLICABLE
    assert hidden["macie.members-enabled"].verdict is Verdict.UNKNOWN
    assert found["macie.automated-discovery"].verdict is Verdict.PASS


def admin_world(**members: str) -> World:
    """The world's account is Macie's administrator; `members` are relations by account, written a222233334444."""
    world = a_world()
    in_organization(world, PRINCIPAL, manager=BOSS, admin=ACCOUNT)
    at(world, account=BOSS).macie2["org_admins"] = [ACCOUNT]
    given = {f"a{BOSS}": "Enabled", f"a{MEMBER}": "Enabled"} | members
    return good(
        world,
        members={name.removeprefix("a"): status for name, status in given.items()},
        org={"autoEnable": True},
    )


@pytest.mark.parametrize(
    ("change", "failing"),
    [
        ({}, set()),
        ({"org": {"autoEnable": False}}, {"auto-enable-members"}),
        ({"org": {"autoEnable": True, "maxAccountLimitReached": True}}, {"auto-enable-members"}),
        ({"discovery": ["ENABLED", "NEW"]}, set()),
        ({"discovery": ["ENABLED", "NONE"]}, {"auto-enable-discovery"}),
        ({"discovery": ["DISABLED", "NONE"]}, {"automated-discovery"}),
        ({"members": {BOSS: "Enabled", MEMBER: "Paused"}}, {"members-enabled"}),
        ({"members": {BOSS: "Enabled", MEMBER: "Removed"}}, {"members-enabled"}),
        ({"members": {BOSS: "Enabled"}}, {"members-enabled"}),
        ({"members": {BOSS: "Enabled", MEMBER: "RegionDisabled"}}, set()),
    ],
    ids=str,
)
def test_administrator(collect: Collect, change: dict[str, Any], failing: set[str]) -> None:
    """Each of the organization's settings has its check; who is left out is named."""
    world = admin_world()
    at(world).macie2 |= change
    world.page_size = 1

    found = judge(collect(world))

    assert {name for name in found if found[name].verdict is Verdict.FAIL and name.startswith("macie.")} == {
        f"macie.{name}" for name in failing
    }
    if "members-enabled" in failing:
        assert MEMBER in only(found["macie.members-enabled"]).reason


def test_administrator_whose_macie_is_off(collect: Collect) -> None:
    """Where Macie is off there are no settings of the organization: the gap is that it is off."""
    world = admin_world()
    at(world).macie2["session"] = None

    found = judge(collect(world))

    assert found["macie.enabled"].verdict is Verdict.FAIL
    assert found["macie.members-enabled"].verdict is Verdict.NOT_APPLICABLE


def test_suspended_accounts_need_no_macie(collect: Collect) -> None:
    """An account that Organizations has suspended does not count."""
    world = admin_world(**{f"a{MEMBER}": "Removed"})
    suspend(world, MEMBER)

    assert judge(collect(world))["macie.members-enabled"].verdict is Verdict.PASS


@pytest.mark.parametrize(
    "call",
    ["macie2:ListMembers", "organizations:ListAccounts", "macie2:DescribeOrganizationConfiguration"],
)
def test_refused_on_the_way_to_members(collect: Collect, call: str) -> None:
    """Whatever hides members or accounts leaves the question open."""
    found = judge(replay(collect(admin_world()), denied={call}))

    assert found["macie.members-enabled"].verdict is Verdict.UNKNOWN


# ---------------------------------------------------------------- printed fixes


@pytest.mark.exhaustive
def test_printed_fixes_close_the_gaps(mend: Mend, collect: Collect) -> None:
    """Each printed command, run by the real AWS CLI, closes its gap and opens none; a strange prefix is kept."""
    prefix = "--debug/[/]/a'b$(x)"
    world = good(
        a_world(HERE, THERE),
        publication=dict.fromkeys(BOTH, False),
        discovery=["DISABLED", "NONE"],
        export={"bucketName": "own", "kmsKeyArn": "file:///etc/passwd", "keyPrefix": prefix},
    )
    world.add_bucket("own")
    at(world).macie2["session"]["status"] = "PAUSED"
    at(world, THERE).add_hub(products=("macie",))
    before = open_checks(dict(judge(collect(world, wanted=None))))

    found = mend(world, "macie.enabled", *(f"macie.{name}" for name in OWN), needs=NEEDS)
    after = open_checks(dict(judge(collect(world, wanted=None))))

    assert {item.verdict for item in found.values()} == {Verdict.PASS}
    assert after < before
    assert at(world).macie2["export"]["keyPrefix"] == prefix


def test_organization_fixes_close_the_gaps(mend: Mend) -> None:
    """The administrator's commands turn on what is off; an account that is no member needs its e-mail address."""
    world = admin_world(**{f"a{MEMBER}": "Paused"})
    at(world).macie2 |= {"org": {"autoEnable": False}, "discovery": ["ENABLED", "NONE"]}
    names = ("macie.auto-enable-members", "macie.auto-enable-discovery", "macie.members-enabled")

    found = mend(world, *names)
    at(world).macie2["members"].pop(MEMBER)
    missing = mend(world, "macie.members-enabled")["macie.members-enabled"]

    assert {item.verdict for item in found.values()} == {Verdict.PASS}
    assert MEMBER in steps(missing)


def test_delegation_follows_the_other_regions(mend: Mend, collect: Collect) -> None:
    """Where another region has an administrator, the same account is delegated here; else the user names one."""
    world = a_world(HERE, THERE)
    in_organization(world, PRINCIPAL, manager=ACCOUNT, admin="", others=(ARCHIVE,))
    at(world, THERE).macie2["org_admins"] = [ARCHIVE]

    found = mend(world, "macie.delegated-admin")

    assert found["macie.delegated-admin"].verdict is Verdict.PASS
    at(world, HERE).macie2["org_admins"] = at(world, THERE).macie2["org_admins"] = []
    named = mend(world, "macie.delegated-admin", needs=NEEDS)
    assert named["macie.delegated-admin"].verdict is Verdict.PASS
