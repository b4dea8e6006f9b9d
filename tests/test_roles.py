"""Roles that the caller names, what Organizations says of them, and what its policies leave to an account."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from postureaudit import catalog, services
from postureaudit import evidence as files
from postureaudit.cli import choices
from postureaudit.cli.main import run
from postureaudit.errors import ConfigError, EvidenceError, UsageError
from postureaudit.evidence import Answer, Evidence, Header, Named, Record, Refusal, RefusalKind, Regions
from postureaudit.findings import Finding, Verdict
from postureaudit.resources import View
from postureaudit.services import organizations
from postureaudit.services.organizations import policies
from postureaudit.settings import load
from tests.conftest import Collect, Judged, Mend, judge
from tests.fakeaws import World
from tests.fakeaws.landing_zone import AUDIT, HOME, MANAGEMENT, MEMBER, bare, landing_zone
from tests.fakeaws.world import ARCHIVE
from tests.replay import replay

DELEGATED = [f"{name}.delegated-admin" for name in ("cloudtrail", "config", "guardduty", "securityhub")]
WANTED = catalog.calls(catalog.builtin(), DELEGATED, services.types())
POLICY = "organizations:DescribeEffectivePolicy"


def delegation(collect: Collect, world: World, **named: str) -> Judged:
    return judge(collect(world, wanted=WANTED, named=Named(**named)), *DELEGATED)


def verdicts(found: Judged) -> dict[str, str]:
    return {name: found[name].verdict.value for name in DELEGATED}


def found_in(collect: Collect, world: World, *names: str) -> Judged:
    """The findings of these checks, from the calls that they need."""
    wanted = catalog.calls(catalog.builtin(), names, services.types())
    return judge(collect(world, wanted=wanted), *names)


def reason(finding: Finding) -> str:
    return " ".join(place.reason for place in finding.places)


def steps(finding: Finding) -> str:
    assert finding.fix and not finding.fix.argv, finding.check
    return " ".join(finding.fix.steps)


# ---------------------------------------------------------------- the delegated administrator


def test_the_audit_account_is_the_administrator(collect: Collect) -> None:
    """The management account is told who is delegated: the account that was named passes, another is a gap."""
    right = delegation(collect, landing_zone(regions=(HOME,)), audit_account=AUDIT)
    wrong = delegation(collect, landing_zone(regions=(HOME,)), audit_account=MEMBER)

    assert set(verdicts(right).values()) == {"pass"}
    assert set(verdicts(wrong).values()) == {"fail"}
    for name in DELEGATED:
        assert AUDIT in reason(wrong[name]) and f"audit account {MEMBER}" in reason(wrong[name])
    for name in DELEGATED[2:]:  # one administrator only: another has to give way first
        assert MEMBER in steps(wrong[name])
    for name in DELEGATED[:2]:
        fix = wrong[name].fix
        assert fix and fix.argv and MEMBER in fix.argv[-1]


def test_fixes_name_the_audit_account(mend: Mend) -> None:
    """Where nobody is delegated, the printed commands delegate the account that was named, with no need left."""
    world = bare()

    found = mend(world, *DELEGATED, wanted=WANTED, named=Named(audit_account=AUDIT))

    assert {item.verdict for item in found.values()} == {Verdict.PASS}
    assert world.organization and set(map(tuple, world.organization["Delegated"].values())) == {(AUDIT,)}


@pytest.mark.parametrize("named", [{}, {"audit_account": MANAGEMENT}])
def test_the_management_account_is_no_security_account(collect: Collect, named: dict[str, str]) -> None:
    """GuardDuty and Security Hub let it administer itself, AWS advises against: a gap, without a one-liner."""
    world = landing_zone(regions=(HOME,))
    region = world.account(MANAGEMENT).region(HOME)
    region.guardduty["org_admins"] = region.securityhub["org_admins"] = [MANAGEMENT]

    found = delegation(collect, world, **named)

    for name in DELEGATED[2:]:
        assert found[name].verdict is Verdict.FAIL
        assert "security account" in steps(found[name])


def test_the_audit_account_answers_for_itself(collect: Collect) -> None:
    """Named as the audit account, a member is judged where others are sent to the management account."""
    unnamed = delegation(collect, landing_zone(AUDIT, regions=(HOME,)))
    named = delegation(collect, landing_zone(AUDIT, regions=(HOME,)), audit_account=AUDIT)

    assert list(verdicts(unnamed).values()) == ["pass", "pass", "not_applicable", "not_applicable"]
    assert set(verdicts(named).values()) == {"pass"}


def test_an_audit_account_that_administers_nothing(collect: Collect) -> None:
    """It cannot delegate itself: GuardDuty and Security Hub say that it is not the one, Organizations says nothing."""
    found = delegation(collect, bare(AUDIT), audit_account=AUDIT)

    assert list(verdicts(found).values()) == ["unknown", "unknown", "fail", "fail"]
    for name in DELEGATED[2:]:
        assert MANAGEMENT in steps(found[name]) and AUDIT in steps(found[name])


def test_another_administrator_than_the_audit_account_is_named(collect: Collect) -> None:
    """A member that was named as the audit account says which account administers in its place."""
    found = delegation(collect, landing_zone(MEMBER, regions=(HOME,)), audit_account=MEMBER)

    for name in DELEGATED[2:]:
        assert found[name].verdict is Verdict.FAIL
        assert f"delegated to {AUDIT}, not to the audit account {MEMBER}" in reason(found[name])


def test_an_aggregator_takes_a_delegated_account(collect: Collect) -> None:
    """The named audit account is asked for the aggregator; the command would be refused before it is delegated."""
    wanted = catalog.calls(catalog.builtin(), ["config.aggregator"], services.types())
    world = bare(AUDIT)
    world.organize(MANAGEMENT, (AUDIT,), delegated={"guardduty.amazonaws.com": [AUDIT]})
    named = Named(audit_account=AUDIT)

    first = judge(collect(world, wanted=wanted, named=named), "config.aggregator")["config.aggregator"]
    assert world.organization
    world.organization["Delegated"]["config.amazonaws.com"] = [AUDIT]
    second = judge(collect(world, wanted=wanted, named=named), "config.aggregator")["config.aggregator"]

    assert first.verdict is second.verdict is Verdict.FAIL
    assert "config.delegated-admin" in steps(first) and MANAGEMENT in steps(first)
    assert second.fix and "put-configuration-aggregator" in second.fix.shell


def test_what_a_delegated_account_cannot_mend_is_sent_to_who_can(collect: Collect) -> None:
    """A delegated administrator is told of services that nobody administers, and may not delegate them."""
    world = landing_zone(AUDIT, regions=(HOME,))
    assert world.organization
    del world.organization["Delegated"]["cloudtrail.amazonaws.com"]

    gap = delegation(collect, world)["cloudtrail.delegated-admin"]

    assert gap.verdict is Verdict.FAIL and MANAGEMENT in steps(gap)


# ---------------------------------------------------------------- what each account is sent elsewhere for

BARE = {
    MANAGEMENT: {
        "cloudtrail.organization-trail": "fail",
        "cloudtrail.delegated-admin": "fail",
        "config.aggregator": "fail",
        "config.delegated-admin": "fail",
        "guardduty.delegated-admin": "fail",
        "securityhub.delegated-admin": "fail",
    }
}
SENT = (
    "cloudtrail.organization-trail",
    "cloudtrail.delegated-admin",
    "config.aggregator",
    "config.aggregator-healthy",
    "config.delegated-admin",
    "guardduty.delegated-admin",
    "guardduty.auto-enable-members",
    "guardduty.auto-enable-plans",
    "guardduty.members-enabled",
    "securityhub.central-configuration",
    "securityhub.delegated-admin",
    "securityhub.members-enabled",
)


@pytest.mark.parametrize("account", [MANAGEMENT, AUDIT, ARCHIVE, MEMBER])
def test_nothing_done_for_the_organization(collect: Collect, account: str) -> None:
    """The gaps are the management account's; every other account is told where to look."""
    wanted = catalog.calls(catalog.builtin(), SENT, services.types())

    found = judge(collect(bare(account), wanted=wanted), *SENT)

    for name in SENT:
        expected = BARE.get(account, {}).get(name, "not_applicable")
        assert found[name].verdict == expected, name
        assert expected == "fail" or "look in" in reason(found[name]) or account == MANAGEMENT, name


def test_who_is_delegated_takes_few_calls(collect: Collect) -> None:
    """One call, and one more for each delegated account, whatever the number of services."""
    world = landing_zone(regions=(HOME,))

    evidence = collect(world, wanted=WANTED)

    made = [operation for _, _, service, operation, _ in world.calls if service == "organizations"]
    assert sorted(made) == [
        "DescribeOrganization",
        "ListDelegatedAdministrators",
        "ListDelegatedServicesForAccount",  # of the audit account
        "ListDelegatedServicesForAccount",  # and of the log archive
    ]
    view = View(evidence, MANAGEMENT)
    assert organizations.delegated(view, "config.amazonaws.com") == [AUDIT]
    assert organizations.delegated(view, "securitylake.amazonaws.com") == [ARCHIVE]
    assert organizations.delegated(view, "account.amazonaws.com") == []


@pytest.mark.parametrize(
    "call", ["organizations:ListDelegatedAdministrators", "organizations:ListDelegatedServicesForAccount"]
)
def test_a_refused_list_is_nobodys_absence(collect: Collect, call: str) -> None:
    """Half of an answer does not say that no account administers a service."""
    evidence = replay(collect(landing_zone(regions=(HOME,)), wanted=WANTED), denied={call})

    assert isinstance(organizations.delegated(View(evidence, MANAGEMENT), "config.amazonaws.com"), Refusal)
    assert judge(evidence, *DELEGATED)["config.delegated-admin"].verdict is Verdict.UNKNOWN


def test_facets_that_read_who_is_delegated_name_both_calls() -> None:
    """A check that asks for one of the two calls alone would always be unknown."""
    one, other = organizations.DELEGATION_CALLS[1:]
    for kind in services.types().values():
        for facet in kind.facets:
            assert (one in facet.calls) == (other in facet.calls), (kind.name, facet.name)


# ---------------------------------------------------------------- organization policies


def ruled(kind: str, content: Any, view_from: str = MEMBER) -> World:
    """The landing zone, in which a policy governs the account that is looked from."""
    world = landing_zone(view_from, regions=(HOME,))
    assert world.organization
    world.organization["Effective"][(view_from, kind)] = json.dumps(content)
    return world


def test_a_guardduty_policy_is_changed_where_it_is(collect: Collect) -> None:
    """What a GuardDuty policy sets is changed in the policy; the steps name the management account."""
    world = ruled("GUARDDUTY_POLICY", {"guardduty": {"default": {"foundational": {"status": "enabled"}}}})
    region = world.account(MEMBER).region(HOME)
    region.add_detector(status="DISABLED")
    region.workloads["functions"] = ["api"]
    off = found_in(collect, world, "guardduty.enabled")["guardduty.enabled"]
    region.add_detector()
    for item in region.guardduty["detector"]["Features"]:
        if item["Name"] == "LAMBDA_NETWORK_LOGS":
            item |= {"Status": "DISABLED", "ManagedBy": "GUARDDUTY_POLICY"}
    name = "guardduty.lambda-network-logs"
    plan = found_in(collect, world, name)[name]

    assert (off.verdict, plan.verdict) == (Verdict.FAIL, Verdict.FAIL)
    for finding in (off, plan):
        assert "GuardDuty policy" in steps(finding) and MANAGEMENT in steps(finding)


def test_a_guardduty_policy_takes_the_place_of_auto_enable(collect: Collect) -> None:
    """Where a policy sets accounts up, GuardDuty's own settings may be off; who is no member is a gap all the same."""
    world = ruled("GUARDDUTY_POLICY", {"guardduty": {"default": {"foundational": {}}, HOME: {"x": 1}}}, AUDIT)
    region = world.account(AUDIT).region(HOME)
    region.guardduty["org"] = None
    del region.guardduty["members"][MEMBER]

    auto = ("guardduty.auto-enable-members", "guardduty.auto-enable-plans")
    found = found_in(collect, world, *auto, "guardduty.members-enabled")

    for name in auto:
        assert found[name].verdict is Verdict.NOT_APPLICABLE and MANAGEMENT in reason(found[name])
    assert found["guardduty.members-enabled"].verdict is Verdict.FAIL
    assert "policy" in steps(found["guardduty.members-enabled"])


CSPM = {
    "securityhub": {
        "cspm_enablement": {"enable_in_regions": {"@@assign": ["ALL_SUPPORTED"]}, "disable_in_regions": []}
    }
}


@pytest.mark.parametrize(
    ("kind", "content", "names"),
    [
        ("SECURITYHUB_CSPM_POLICY", CSPM, ("enabled", "standard-fsbp", "auto-enable-controls")),
        ("SECURITYHUB_POLICY", {"securityhub": {"enable_in_regions": [HOME]}}, ("v2-enabled",)),
    ],
)
def test_a_security_hub_policy_is_changed_where_it_is(
    collect: Collect, kind: str, content: Any, names: tuple[str, ...]
) -> None:
    """What a policy of Organizations sets up is not changed account by account."""
    world = ruled(kind, content)
    region = world.account(MEMBER).region(HOME)
    region.securityhub |= {"hub": None, "v2": None}
    found = dict(found_in(collect, world, f"securityhub.{names[0]}"))
    region.securityhub |= {"standards": {}, "controls": {}}
    region.add_hub(standards=(), AutoEnableControls=False)
    if names[1:]:
        found |= dict(found_in(collect, world, *(f"securityhub.{name}" for name in names[1:])))

    for name in names:
        finding = found[f"securityhub.{name}"]
        assert finding.verdict is Verdict.FAIL
        assert "policy of AWS Organizations" in steps(finding) and MANAGEMENT in steps(finding)


def test_no_effective_policy_is_an_answer(collect: Collect) -> None:
    """ "The effective policy can't be found" says that there is none; a refusal does not."""
    evidence = collect(landing_zone(MEMBER, regions=(HOME,)), wanted={POLICY, *WANTED})

    assert policies.policy(View(evidence, MEMBER), policies.GUARDDUTY, HOME).Governs is False
    refused = replay(evidence, denied={POLICY})
    assert isinstance(policies.policy(View(refused, MEMBER), policies.GUARDDUTY, HOME).Governs, Refusal)


def effective(content: str, *, kind: str = policies.GUARDDUTY) -> View:
    """A member that Organizations gives this effective policy."""
    ask = policies.policy_ask(kind, HOME)
    bodies: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("organizations:DescribeOrganization", {}, {"Organization": {"MasterAccountId": MANAGEMENT}}),
        (ask.call, ask.params, {"EffectivePolicy": {"PolicyContent": content, "PolicyType": kind}}),
    ]
    at = "2026-11-24T00:00:00Z"
    header = Header(
        tool_version="0",
        started=at,
        ended=at,
        partition="aws",
        caller="arn:aws:iam::333300003333:user/x",
        accounts=(files.Account(id=MEMBER),),
        regions=Regions(audited=(HOME,)),
        leader=HOME,
    )
    records = [
        Record(call=call, params=params, account=MEMBER, region=HOME, at=at, outcome=Answer(body))
        for call, params, body in bodies
    ]
    return View(Evidence(header, records), MEMBER)


@pytest.mark.parametrize(
    ("content", "governs"),
    [
        pytest.param(
            {"guardduty": {"default": {"foundational": {}}}}, True, id="a default is for every region"
        ),
        pytest.param({"guardduty": {HOME: {"foundational": {}}}}, True, id="a block of its own"),
        pytest.param({"guardduty": {"eu-west-1": {"default": {"x": 1}}}}, False, id="another region's block"),
        pytest.param({"guardduty": {}}, False, id="nothing"),
        pytest.param({"securityhub": {"enable_in_regions": [HOME]}}, True, id="listed"),
        pytest.param(
            {"securityhub": {"disable_in_regions": ["ALL_SUPPORTED"]}}, True, id="turned off everywhere"
        ),
        pytest.param({"securityhub": {"enable_in_regions": ["eu-west-1"]}}, False, id="another region"),
        pytest.param(CSPM, True, id="inside an operator"),
        pytest.param([], False, id="no object"),
    ],
)
def test_regions_of_a_policy(content: Any, governs: bool) -> None:
    """A policy governs the regions that it names; the others are left alone."""
    view = effective(json.dumps(content))

    assert policies.policy(view, policies.GUARDDUTY, HOME).Governs is governs


def test_a_policy_that_cannot_be_read_is_unknown() -> None:
    """Text that is no JSON is a refusal, not "no policy"."""
    found = policies.policy(effective("{"), policies.GUARDDUTY, HOME).Governs

    assert isinstance(found, Refusal) and found.kind is RefusalKind.MALFORMED


# ---------------------------------------------------------------- suspended members


def test_members_of_closed_accounts_are_no_gaps(collect: Collect) -> None:
    """Closed accounts may linger in the services' lists, or not; an active one that was removed is a gap."""
    wanted = ["guardduty.members-enabled", "securityhub.members-enabled"]
    calls = catalog.calls(catalog.builtin(), wanted, services.types())
    world = landing_zone(AUDIT, regions=(HOME,))
    assert world.organization
    for state in ("SUSPENDED", "PENDING_CLOSURE", "CLOSED", "PENDING_ACTIVATION"):
        world.organization["Accounts"][-1]["State"] = state
        assert {item.verdict for item in judge(collect(world, wanted=calls), *wanted).values()} == {
            Verdict.PASS
        }
    region = world.account(AUDIT).region(HOME)
    region.guardduty["members"][MEMBER] = region.securityhub["members"][MEMBER] = "Resigned"

    found = judge(collect(world, wanted=calls), *wanted)

    assert {item.verdict for item in found.values()} == {Verdict.FAIL}
    assert all(MEMBER in reason(item) and AUDIT not in reason(item) for item in found.values())


def test_the_management_account_has_to_be_a_member(collect: Collect) -> None:
    """It runs things like any other account, and is turned on by itself first."""
    world = landing_zone(AUDIT, regions=(HOME,))
    region = world.account(AUDIT).region(HOME)
    region.guardduty["org"]["AutoEnableOrganizationMembers"] = "ALL"
    del region.guardduty["members"][MANAGEMENT]

    name = "guardduty.members-enabled"
    found = found_in(collect, world, name)[name]

    assert found.verdict is Verdict.FAIL and MANAGEMENT in reason(found)
    assert "only after GuardDuty was turned on in it" in steps(found)


# ---------------------------------------------------------------- options, settings, saved evidence


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"audit_account": "12345"}, "--audit-account '12345'"),
        ({"log_archive_account": "arn:aws:iam::1:root"}, "--log-archive-account"),
        ({"log_archive_role": "SecurityAudit"}, "no ARN of a role"),
        ({"log_archive_role": "arn:aws:iam::1:role/x"}, "no ARN of a role"),
        ({"log_archive_external_id": "x"}, "of no use alone"),
        (
            {"log_archive_account": MEMBER, "log_archive_role": f"arn:aws:iam::{ARCHIVE}:role/x"},
            f"in account {ARCHIVE}, not in {MEMBER}",
        ),
    ],
)
def test_what_cannot_be_an_account_is_refused(given: dict[str, str], said: str) -> None:
    """A misspelt account is a usage error, before anything is asked."""
    with pytest.raises(UsageError) as caught:
        choices.accounts(given)

    assert said in caught.value.message and caught.value.hint


@pytest.mark.parametrize("command", ["audit", "collect", "trace", "report"])
def test_exit_code_of_a_misspelt_account(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2 and one sentence, whatever the command."""
    more = {"collect": ["-o", str(tmp_path / "e.json")], "report": [str(tmp_path / "e.json")]}

    assert run([command, "--no-config", "--audit-account", "1111", *more.get(command, [])]) == 2
    assert "12 digits" in capsys.readouterr().err


def test_the_role_says_which_account_it_is() -> None:
    """With the role alone, its account is the log archive."""
    given = {"log_archive_role": f"arn:aws-us-gov:iam::{ARCHIVE}:role/path/x"}

    assert choices.accounts(given).log_archive_account == ARCHIVE


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        (f"audit-account: '{AUDIT}'", False),
        (f"log-archive-role: arn:aws:iam::{ARCHIVE}:role/x", False),
        ("log-archive-external-id: x", False),
        (f"log-archive-account: '{ARCHIVE}'", True),
    ],
)
def test_settings_that_a_found_file_may_hold(tmp_path: Path, text: str, allowed: bool) -> None:
    """What is acted with, or stands in a command, comes from a file named on purpose."""
    path = tmp_path / ".postureaudit.yaml"
    path.write_text(text)

    assert load(path, found=False)
    if allowed:
        assert load(path, found=True).log_archive_account == ARCHIVE
    else:
        with pytest.raises(ConfigError, match="only found"):
            load(path, found=True)


def test_saved_evidence_keeps_who_was_named(collect: Collect, tmp_path: Path) -> None:
    """A report of the file finds what the audit found; it may name other accounts, not what their role read."""
    role = f"arn:aws:iam::{ARCHIVE}:role/x"
    named = Named(audit_account=MEMBER, log_archive_account=ARCHIVE, log_archive_role=role)
    live = collect(landing_zone(regions=(HOME,)), wanted=WANTED, named=named)
    path = tmp_path / "evidence.json.gz"
    files.save(live, path)

    saved = files.load(path, verify=True)

    assert saved.named == named
    assert verdicts(judge(saved, *DELEGATED)) == verdicts(judge(live, *DELEGATED))
    again = saved.naming(audit_account=AUDIT, log_archive_account=MEMBER)
    assert again.named == Named(audit_account=AUDIT, log_archive_account=MEMBER)
    assert set(verdicts(judge(again, *DELEGATED)).values()) == {"pass"}
    assert saved.naming() is saved


def test_files_without_named_accounts_still_load(collect: Collect, tmp_path: Path) -> None:
    """A file that names nobody has no such member, and one from before fits its SHA-256."""
    path = tmp_path / "evidence.json"
    files.save(collect(bare(), wanted=WANTED), path)

    assert "named" not in json.loads(path.read_text())["header"]
    assert files.load(path, verify=True).named == Named()


def test_a_named_account_that_cannot_be_is_no_evidence_of_ours(collect: Collect, tmp_path: Path) -> None:
    """What a file names stands in printed commands: it is an account id or nothing."""
    path = tmp_path / "evidence.json"
    files.save(collect(bare(), wanted=WANTED), path)
    document = json.loads(path.read_text())
    document["header"]["named"] = {"audit_account": "$(x)"}
    path.write_text(json.dumps(document))

    with pytest.raises(EvidenceError, match="names an account that cannot be"):
        files.load(path)


def test_settings_name_the_accounts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file named on purpose gives what the command line leaves open, and what cannot be is refused there too."""
    path = tmp_path / "config.yaml"
    path.write_text(f"audit-account: '{AUDIT}'\nlog-archive-role: arn:aws:iam::{ARCHIVE}:role/x\n")
    given = choices.with_settings({"config": path, "audit_account": MEMBER})

    assert choices.accounts(given) == Named(
        audit_account=MEMBER,
        log_archive_account=ARCHIVE,
        log_archive_role=f"arn:aws:iam::{ARCHIVE}:role/x",
    )
    path.write_text("log-archive-account: '1'\n")
    with pytest.raises(UsageError, match="no account id"):
        choices.with_settings({"config": path})
    assert "using" in capsys.readouterr().err
