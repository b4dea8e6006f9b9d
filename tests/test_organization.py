"""Many accounts: which ones, what is read once, who cannot be entered, and what one's settings mean in another."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from postureaudit import evidence as files
from postureaudit.org.batches import batches
from postureaudit.org.collect import Entry
from postureaudit.org.names import Names, wanted
from tests.conftest import Ran
from tests.fakeaws import FakeAws, World
from tests.fakeaws.landing_zone import (
    ARCHIVE,
    AUDIT,
    HOME,
    MANAGEMENT,
    MEMBER,
    OTHER,
    SUSPENDED,
    landing_zone,
)
from tests.fakeaws.policies import allow_service, policy, topic_policy

Cli = Callable[..., Ran]
ROLE = ("--org", "--role-name", "Audit", "--workers", "1", "--no-config")
FEW = ("-c", "cloudtrail.*", "-c", "guardduty.enabled")
# What the caller's own account is asked for each time: who it is, and the role of an account that is to be read.
START = ("GetCallerIdentity", "AssumeRole")
BUS_EVENTS = {"source": ["aws.guardduty"], "detail-type": ["GuardDuty Finding"]}


@pytest.fixture
def org(cli: Cli, tmp_path: Path) -> Callable[..., tuple[Ran, dict[str, Any]]]:
    """Audit an organization in this process; what it said, and organization.json."""

    def run(world: World, *args: str) -> tuple[Ran, dict[str, Any]]:
        folder = tmp_path / "run"
        done = cli("audit", *ROLE, "--output-dir", str(folder), *args, world=world)
        assert (world.bugs, world.missing) == ([], [])
        path = folder / "organization.json"
        return done, json.loads(path.read_text()) if path.is_file() else {}

    return run


def findings(folder: Path, account: str) -> dict[tuple[str, str | None], tuple[str, str]]:
    """(verdict, reason) of each check and region, as the account's own file has them."""
    lines = map(json.loads, (folder / "accounts" / account / "findings.jsonl").read_text().splitlines())
    return {
        (line["check"], line["region"]): (line["verdict"], line["reason"])
        for line in lines
        if line["type"] == "result"
    }


def test_active_accounts_are_audited(org: Any) -> None:
    """Every active account of the organization is in the result; one that is suspended is counted, not asked."""
    world = landing_zone()

    done, found = org(world, *FEW)

    assert [row["account"] for row in found["accounts"]] == sorted([MANAGEMENT, AUDIT, ARCHIVE, MEMBER])
    assert [row["name"] for row in found["accounts"] if row["account"] == MEMBER] == ["account-3333"]
    assert found["inactive"] == 1 and SUSPENDED not in {call[0] for call in world.calls}
    assert done.code == 0 and "RESULT  CLEAN" in done.out


def test_an_account_that_cannot_be_entered_is_unknown(org: Any, tmp_path: Path) -> None:
    """It has no pass and no gap, its reason is AWS's own, and the run says so and is blind."""
    world = landing_zone()
    world.no_assume.add(f"arn:aws:iam::{MEMBER}:role/Audit")

    done, found = org(world)

    [row] = [row for row in found["accounts"] if row["account"] == MEMBER]
    verdicts = {verdict for verdict, _ in findings(tmp_path / "run", MEMBER).values()}
    assert row["state"] == "refused" and "is not authorized to perform: sts:AssumeRole" in row["reason"]
    assert verdicts == {"unknown", "not_applicable"}
    assert ("sts:AssumeRole", "denied") in {(item["call"], item["kind"]) for item in found["blind"]}
    assert not found["complete"] and f"account {MEMBER}" in done.out and "1 not entered" in done.out
    assert "pass" not in {verdict for verdict, _ in findings(tmp_path / "run", MEMBER).values()}


def test_blindness_in_one_account_is_exit_4(org: Any) -> None:
    """Without a gap anywhere, an account that could not be entered gates."""
    world = landing_zone()
    world.no_assume.add(f"arn:aws:iam::{MEMBER}:role/Audit")

    done, _ = org(world, *FEW)

    assert done.code == 4


def test_units_and_exclusions_choose_accounts(org: Any) -> None:
    """--ou takes the units below as well; --exclude-account takes out; an account that is nowhere is a mistake."""
    world = landing_zone()
    assert world.organization
    top, below = "ou-abcd-11111111", "ou-abcd-22222222"
    world.organization["Units"] = {
        top: {"Name": "Security", "Accounts": [AUDIT]},
        below: {"Name": "Logs", "Accounts": [ARCHIVE], "Parent": top},
    }

    _, found = org(world, *FEW, "--ou", top)
    assert [row["account"] for row in found["accounts"]] == [AUDIT, ARCHIVE]


def test_accounts_by_name_need_no_organization(cli: Cli, tmp_path: Path) -> None:
    """A file of accounts is enough; Organizations is not asked for a list."""
    world = landing_zone(MEMBER)
    listed = tmp_path / "accounts.txt"
    listed.write_text(f"# ours\n{ARCHIVE}  the log archive\n{MEMBER}, own account\n")
    args = ("--accounts-file", str(listed), "--role-name", "Audit", "--workers", "1", "--no-config")

    done = cli("audit", *args, "--output-dir", str(tmp_path / "run"), *FEW, world=world)

    found = json.loads((tmp_path / "run" / "organization.json").read_text())
    assert {row["account"]: row["name"] for row in found["accounts"]} == {
        ARCHIVE: "the log archive",
        MEMBER: "own account",
    }
    assert done.code in (0, 3) and found["organization"] == ""


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--org", "--exclude-account", "000000000000"), "not in the organization"),
        (("--org", "--ou", "Security"), "no id of a unit"),
        (("--account", "12"), "no account id"),
        (("--role-name", "Audit"), "about several accounts"),
        (("--org", "--engine", "dask"), "--scheduler"),
        (("--org", "--resume"), "--output-dir"),
        (("--org", "--redact", "accounts"), "not for several accounts"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_mistakes_are_usage_errors(cli: Cli, tmp_path: Path, args: tuple[str, ...], said: str) -> None:
    """What contradicts itself or names what is not there ends with 2 and a sentence."""
    done = cli("audit", *args, "--no-config", world=landing_zone(), cwd=tmp_path)

    assert done.code == 2 and said in done.err


def test_a_directory_is_begun_once(org: Any, cli: Cli, tmp_path: Path) -> None:
    """Another run does not write over it; --resume with other options does not mix two runs."""
    org(landing_zone(), *FEW)
    folder = str(tmp_path / "run")

    again = cli("audit", *ROLE, "--output-dir", folder, *FEW, world=landing_zone())
    others = cli("audit", *ROLE, "--output-dir", folder, "-c", "config.*", "--resume", world=landing_zone())

    assert (again.code, others.code) == (2, 2)
    assert "is not empty" in again.err and "other options" in others.err


def test_resume_reads_nothing_twice(org: Any, cli: Cli, tmp_path: Path) -> None:
    """What is there is not asked again, were it deleted in part; the result is the same."""
    _, first = org(landing_zone(), *FEW)
    folder = tmp_path / "run"
    kept = {
        item: (folder / "accounts" / item / "findings.jsonl").read_bytes() for item in (AUDIT, MANAGEMENT)
    }
    for name in ("evidence.json.gz", "collected.json", "summary.json", "findings.jsonl"):
        (folder / "accounts" / MEMBER / name).unlink()
    (folder / "organization.json").unlink()
    world = landing_zone()

    done = cli("audit", *ROLE, "--output-dir", str(folder), *FEW, "--resume", world=world)

    asked = {call[0] for call in world.calls if call[3] not in START}
    second = json.loads((folder / "organization.json").read_text())
    assert done.code == 0 and asked == {MEMBER}
    assert second == first
    assert {item: (folder / "accounts" / item / "findings.jsonl").read_bytes() for item in kept} == kept


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.parametrize("after", [1, 3])
def test_a_run_that_is_killed_goes_on(tmp_path: Path, after: int) -> None:
    """kill -9 once some accounts are read, then --resume: the result of a run that nobody disturbed."""

    def command(folder: Path, *more: str) -> list[str]:
        own = ("--org", "--role-name", "Audit", "--no-config", "--workers", "2", "-q", *FEW)
        return [sys.executable, "-m", "postureaudit", "audit", *own, "--output-dir", str(folder), *more]

    def result(folder: Path) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((folder / "organization.json").read_text())
        return {name: value for name, value in found.items() if name != "started"}

    whole, cut = tmp_path / "whole", tmp_path / "cut"
    with FakeAws(landing_zone()) as aws:
        subprocess.run(command(whole), env=aws.env(), check=False, capture_output=True)
        child = subprocess.Popen(
            command(cut), env=aws.env(), start_new_session=True, stderr=subprocess.DEVNULL
        )
        while child.poll() is None and len(list(cut.glob("accounts/*/collected.json"))) < after:
            time.sleep(0.005)
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        done = subprocess.run(command(cut, "--resume"), env=aws.env(), check=False, capture_output=True)

    assert done.returncode == 0, done.stderr
    assert result(cut) == result(whole)


def test_evidence_of_each_account_can_be_judged_alone(org: Any, cli: Cli, tmp_path: Path) -> None:
    """The directory is judged again without AWS, and so is one account's file."""
    _, first = org(landing_zone(), *FEW)
    folder = tmp_path / "run"

    again = cli("report", str(folder), *FEW, "--no-config", "-o", f"json={tmp_path}/all.json")
    alone = cli("report", str(folder / "accounts" / MEMBER / "evidence.json.gz"), *FEW, "--no-config")

    whole = json.loads((tmp_path / "all.json").read_text())
    assert (again.code, alone.code) == (0, 0)
    assert json.loads((folder / "organization.json").read_text()) == first
    assert {item["account"] for item in whole["findings"]} == {MANAGEMENT, AUDIT, ARCHIVE, MEMBER}


def test_no_key_is_kept(org: Any, tmp_path: Path) -> None:
    """Neither the caller's credentials nor those of a role are in any file, and every file is the owner's alone."""
    org(landing_zone(), *FEW, "--external-id", "external-canary")

    for path in (tmp_path / "run").rglob("*"):
        if path.is_file():
            data = path.read_bytes() if path.suffix != ".gz" else repr(list(_records(path))).encode()
            assert b"external-canary" not in data and b"ASIA" not in data and b"SessionToken" not in data
            assert path.stat().st_mode & 0o077 == 0, path
        else:
            assert path.stat().st_mode & 0o077 == 0, path


def _records(path: Path) -> list[Any]:
    import gzip

    return [gzip.decompress(path.read_bytes())]


def test_jsonl_holds_every_account(org: Any, tmp_path: Path) -> None:
    """One stream of all accounts: who they are first, the total last, each account's lines between."""
    org(
        landing_zone(),
        *FEW,
        "-o",
        f"jsonl={tmp_path}/all.jsonl",
        "-o",
        f"sarif={tmp_path}/one-{{account}}.sarif",
    )

    lines = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    assert (lines[0]["type"], lines[-1]["type"]) == ("organization", "total")
    assert {line["account"] for line in lines if line["type"] == "result"} == {
        MANAGEMENT,
        AUDIT,
        ARCHIVE,
        MEMBER,
    }
    assert (tmp_path / f"one-{MEMBER}.sarif").is_file()


def test_the_result_fits_its_schema(org: Any) -> None:
    """organization.json is what `postureaudit schema organization` describes, gaps and blindness included."""
    import jsonschema
    from scripts.make_schemas import organization

    world = landing_zone()
    world.no_assume.add(f"arn:aws:iam::{MEMBER}:role/Audit")
    world.account(AUDIT).region(HOME).guardduty["detector"]["Status"] = "DISABLED"
    _, found = org(world, *FEW)

    jsonschema.validate(found, organization())
    [gap] = [gap for gap in found["gaps"] if gap["check"] == "guardduty.enabled"]
    assert gap["accounts"] == [AUDIT] and gap["places"] == 1


@pytest.mark.slow
def test_a_signal_stops_a_run_that_can_go_on(tmp_path: Path) -> None:
    """SIGTERM: exit 143, no account half-read, and a sentence with how to go on."""
    folder = tmp_path / "run"
    own = (
        "--org",
        "--role-name",
        "Audit",
        "--no-config",
        "--workers",
        "2",
        *FEW,
        "--output-dir",
        str(folder),
    )
    with FakeAws(landing_zone()) as aws:
        command = [sys.executable, "-m", "postureaudit", "audit", *own]
        child = subprocess.Popen(command, env=aws.env(), stderr=subprocess.PIPE, text=True)
        while child.poll() is None and not (folder / "run.json").exists():
            time.sleep(0.005)
        child.send_signal(signal.SIGTERM)
        _, said = child.communicate(timeout=60)
        done = subprocess.run([*command, "--resume"], env=aws.env(), check=False, capture_output=True)

    assert child.returncode == 143 and "--resume" in said
    assert done.returncode == 0, done.stderr


def test_hostile_account_names_stay_text(org: Any) -> None:
    """A name with markup and escape codes is shown as it is written."""
    world = landing_zone()
    assert world.organization
    world.organization["Accounts"][3]["Name"] = "[red]x[/red]\x1b[31m"
    world.account(MEMBER).region(HOME).guardduty["detector"]["Status"] = "DISABLED"

    done, _ = org(world, *FEW)

    assert "[red]x" in done.out and "\x1b" not in done.out


# ---------------------------------------------------------------- one account's settings in another


def test_a_members_trail_is_covered_by_its_owner(org: Any, tmp_path: Path) -> None:
    """What the organization's trail records is read from the account that owns it, and counts in each member."""
    world = landing_zone()
    world.account(MANAGEMENT).region(HOME).cloudtrail["trails"]["main"]["Trail"][
        "HasCustomEventSelectors"
    ] = True

    org(world, "-c", "cloudtrail.management-events", "-c", "cloudtrail.log-validation")

    found = findings(tmp_path / "run", MEMBER)
    assert found["cloudtrail.management-events", HOME][0] == "pass"
    assert found["cloudtrail.management-events", OTHER][0] == "pass"
    assert f"its own account {MANAGEMENT}" in found["cloudtrail.log-validation", HOME][1]


def test_a_bucket_is_judged_by_what_its_owner_says(org: Any, tmp_path: Path) -> None:
    """Settings that are refused to the trail's account are asked of the account that holds the bucket."""
    world = landing_zone()
    names = ("bucket-separate-account", "bucket-not-public", "bucket-retention")
    org(world, *(part for name in names for part in ("-c", f"cloudtrail.{name}")))
    good = findings(tmp_path / "run", MANAGEMENT)

    assert good["cloudtrail.bucket-separate-account", HOME][0] == "pass"
    assert good["cloudtrail.bucket-not-public", HOME][0] == "pass"
    assert good["cloudtrail.bucket-retention", HOME][0] == "pass"


def test_an_open_bucket_in_the_log_archive_is_a_gap_of_the_trail(org: Any, tmp_path: Path) -> None:
    """Nobody could see it from the trail's account alone."""
    world = landing_zone()
    world.account(ARCHIVE).block = {}
    world.buckets["org-trail-logs"] |= {
        "block": {},
        "acl": [{"Grantee": {"Type": "Group", "URI": EVERYONE}, "Permission": "READ"}],
    }

    org(world, "-c", "cloudtrail.bucket-not-public")

    assert findings(tmp_path / "run", MANAGEMENT)["cloudtrail.bucket-not-public", HOME][0] == "fail"


EVERYONE = "http://acs.amazonaws.com/groups/global/AllUsers"


def _hub_and_spoke(*, invites: bool = True, rule: bool = True, topic: bool = True) -> World:
    """The member's findings go by a rule to a bus of the audit account, and there to a topic that people read."""
    world = landing_zone()
    for account in (MEMBER, MANAGEMENT, ARCHIVE):
        world.account(account).region(HOME).guardduty["admin"] = None
    spoke, hub = world.account(MEMBER).region(HOME), world.account(AUDIT).region(HOME)
    arn = f"arn:aws:events:{HOME}:{AUDIT}:event-bus/security"
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{MEMBER}:root"},
        "Action": "events:PutEvents",
        "Resource": arn,
    }
    hub.add_bus("security", policy=policy(statement) if invites else None)
    role = world.account(MEMBER).add_role(
        "forward",
        "events.amazonaws.com",
        {"put": {"Statement": [{"Effect": "Allow", "Action": "events:PutEvents", "Resource": arn}]}},
    )
    spoke.add_event_rule("forward", pattern=BUS_EVENTS, targets=[{"Id": "bus", "Arn": arn, "RoleArn": role}])
    alerts = hub.arn("sns", "alerts")
    allow = allow_service("events.amazonaws.com", "sns:Publish", alerts)
    people = [{"Protocol": "email", "Endpoint": "soc@example.com", "confirmed": topic}]
    hub.add_topic("alerts", policy=topic_policy(alerts, allow), subscriptions=people)
    if rule:
        hub.add_event_rule("tell", pattern=BUS_EVENTS, bus="security", targets=[alerts])
    return world


@pytest.mark.parametrize(
    ("world", "verdict", "said"),
    [
        (_hub_and_spoke, "pass", ""),
        (lambda: _hub_and_spoke(invites=False), "fail", "policy"),
        (lambda: _hub_and_spoke(rule=False), "fail", "no rule on this bus takes the event"),
        (lambda: _hub_and_spoke(topic=False), "fail", "none confirmed"),
    ],
    ids=["reaches", "not let in", "no rule there", "nobody hears"],
)
def test_events_are_followed_onto_a_bus_of_another_account(
    org: Any, tmp_path: Path, world: Callable[[], World], verdict: str, said: str
) -> None:
    """The rule, the bus that lets it in, the rules there, and whoever hears: each hop in the account where it is."""
    org(world(), "-c", "signal.guardduty-critical", "-r", HOME)

    found = findings(tmp_path / "run", MEMBER)["signal.guardduty-critical", HOME]
    assert found[0] == verdict and said in found[1]


def test_a_bus_of_an_account_that_is_not_read_leaves(org: Any, tmp_path: Path) -> None:
    """Never a pass: what is there was not seen."""
    org(_hub_and_spoke(), "-c", "signal.guardduty-critical", "-r", HOME, "--exclude-account", AUDIT)

    verdict, reason = findings(tmp_path / "run", MEMBER)["signal.guardduty-critical", HOME]
    assert verdict == "unknown" and f"account {AUDIT}" in reason


def test_fixes_of_another_accounts_hops_are_words(org: Any, tmp_path: Path) -> None:
    """No command for one account is printed for a hop of another."""
    org(_hub_and_spoke(topic=False), "-c", "signal.guardduty-critical", "-r", HOME)

    lines = (tmp_path / "run" / "accounts" / MEMBER / "findings.jsonl").read_text().splitlines()
    [place] = [line for line in map(json.loads, lines) if line["type"] == "result"]
    commands = [" ".join(argv) for argv in place["fix"]["argv"] or []]
    assert not any(AUDIT in command for command in commands)
    assert any(AUDIT in step for step in place["fix"]["steps"])


@pytest.mark.parametrize("rule", [True, False], ids=["a rule there", "no rule there"])
def test_findings_are_followed_to_the_administrator(org: Any, tmp_path: Path, rule: bool) -> None:
    """A member's finding is the administrator's event too: rules there count, and are missed where there are none."""
    world = landing_zone()
    hub = world.account(AUDIT).region(HOME)
    alerts = hub.arn("sns", "alerts")
    allow = allow_service("events.amazonaws.com", "sns:Publish", alerts)
    people = [{"Protocol": "email", "Endpoint": "soc@example.com"}]
    hub.add_topic("alerts", policy=topic_policy(alerts, allow), subscriptions=people)
    if rule:
        hub.add_event_rule("tell", pattern=BUS_EVENTS, targets=[alerts])

    org(world, "-c", "signal.guardduty-critical", "-r", HOME)

    found = findings(tmp_path / "run", MEMBER)["signal.guardduty-critical", HOME]
    assert found[0] == ("pass" if rule else "fail")


def test_metric_filters_on_the_organizations_trail_serve_its_members(org: Any, tmp_path: Path) -> None:
    """A member's calls are in the log group of the trail's owner, whose alarms ring for them."""
    world = landing_zone(responds=True)
    home = world.account(MEMBER).region(HOME)
    home.events["buses"]["default"]["rules"].clear()

    org(world, "-c", "signal.root-console-login", "-r", HOME)

    assert findings(tmp_path / "run", MEMBER)["signal.root-console-login", HOME][0] == "pass"


# ---------------------------------------------------------------- the pure parts


def test_a_bucket_that_two_accounts_claim_is_nobodys() -> None:
    """S3 rules that out; should evidence say so, neither is believed."""
    claims = [Names(account=name, owned=("logs",)) for name in (AUDIT, ARCHIVE)]

    named, owners = wanted([*claims, Names(account=MEMBER, buckets=("logs",))])

    assert owners == {} and named == {}


@pytest.mark.parametrize(("regions", "at_once"), [(0, 16), (1, 16), (2, 16), (5, 10), (17, 3), (34, 3)])
def test_accounts_open_at_once(regions: int, at_once: int) -> None:
    """About fifty regions are open in a process, whatever the accounts have."""
    entry = Entry(
        partition="aws",
        leader="us-east-1",
        own="111122223333",
        role_name="Audit",
        regions=tuple(f"r{n}" for n in range(regions)),
    )

    assert entry.at_once == at_once


@pytest.mark.parametrize(
    ("count", "parts", "least"), [(1, 2, 1), (100, 2, 3), (1000, 8, 16), (7, 4, 1), (0, 2, 3)]
)
def test_batches(count: int, parts: int, least: int) -> None:
    """Every account once and in order; none larger than the one before, and none too small to keep a process busy."""
    found = batches(range(count), parts, least)

    assert [item for batch in found for item in batch] == list(range(count))
    sizes = [len(batch) for batch in found]
    assert sizes == sorted(sizes, reverse=True)
    assert all(least <= size <= 8 * least for size in sizes[:-1])


def test_accounts_outside_the_run_are_not_followed() -> None:
    """What an account outside names stays outside."""
    arn = f"arn:aws:sns:{HOME}:999900009999:alerts"

    named, _ = wanted([Names(account=MEMBER, arns=(arn,), accounts=("999900009999",))])

    assert named == {}


def test_neighbours_change_nothing_that_is_known(org: Any, tmp_path: Path, cli: Cli) -> None:
    """Beside the others an account's verdicts are what they are alone, or known where they were not."""
    org(landing_zone(), "-c", "cloudtrail.*", "-c", "config.*")
    folder = tmp_path / "run"

    for account in (MANAGEMENT, MEMBER, ARCHIVE):
        alone = cli(
            *("report", str(folder / "accounts" / account / "evidence.json.gz"), "--no-config"),
            *("-c", "cloudtrail.*", "-c", "config.*", "-o", f"jsonl={tmp_path}/{account}.jsonl"),
        )
        assert alone.code in (0, 3, 4)
        lines = map(json.loads, (tmp_path / f"{account}.jsonl").read_text().splitlines())
        before = {(x["check"], x["region"]): x["verdict"] for x in lines if x["type"] == "result"}
        for key, (verdict, reason) in findings(folder, account).items():
            if before[key] in ("pass", "fail") and "its own account" not in reason:
                assert verdict == before[key], (account, key, reason)


def test_evidence_of_an_account_that_said_nothing_is_whole() -> None:
    """It loads, and each question has the reason why nobody answered."""
    from postureaudit.evidence import ENTER, Account, Evidence, Header, Record, Refusal, RefusalKind, Regions

    header = Header(
        tool_version="0",
        started="2026-01-01T00:00:00Z",
        ended="2026-01-01T00:00:00Z",
        partition="aws",
        caller="arn:aws:iam::111122223333:role/x",
        accounts=(Account(id=MEMBER),),
        regions=Regions(audited=(HOME,)),
        leader=HOME,
    )
    refusal = Refusal(RefusalKind.DENIED, "AccessDenied", "no", call=ENTER, region=HOME)
    record = Record(call=ENTER, params={}, account=MEMBER, region=HOME, at=header.ended, outcome=refusal)

    found = Evidence(header, [record]).outcome("cloudtrail:DescribeTrails", MEMBER, HOME, {})

    assert found == refusal and files.ENTER == ENTER
