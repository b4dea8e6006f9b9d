"""The log archive account: asked with its own role, proven to hold the logs, and where its bucket is mended."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import jsonschema
import pytest

from postureaudit import __file__ as package
from postureaudit import catalog, services
from postureaudit.asks import Ask, Collection, Scope
from postureaudit.aws.guard import ReadOnlyViolation
from postureaudit.evidence import Evidence, Named, Refusal
from postureaudit.findings import Finding, Verdict
from postureaudit.report import unseen
from tests.conftest import Collect, Judged, Mend, Ran, judge, walk_world
from tests.fakeaws import World
from tests.fakeaws.landing_zone import AUDIT, HOME, MANAGEMENT, landing_zone
from tests.fakeaws.scenarios import furnish_trail
from tests.fakeaws.world import ACCOUNT, ARCHIVE

Cli = Callable[..., Ran]
SCHEMA = json.loads((Path(package).parent / "schemas" / "result.json").read_text())
ROLE = f"arn:aws:iam::{ARCHIVE}:role/SecurityAudit"
WITH_ROLE = Named(log_archive_account=ARCHIVE, log_archive_role=ROLE)
GIVEN = Named(log_archive_account=ARCHIVE)
BUCKET = [
    "bucket-separate-account",
    "bucket-exists",
    "bucket-not-public",
    "bucket-source-restricted",
    "bucket-access-logging",
    "bucket-tamper-proof",
    "bucket-retention",
]
IDS = [f"cloudtrail.{name}" for name in BUCKET]
WANTED = catalog.calls(catalog.builtin(), IDS, services.types())


def archived(**bucket: object) -> World:
    """An account whose trail delivers to a bucket of ARCHIVE that lets it in for nothing but HeadBucket."""
    world = World()
    account = world.account(regions=(HOME,))
    world.account(ARCHIVE, regions=(HOME,))
    furnish_trail(world, account, readable=False)
    world.buckets["org-trail-logs"] |= bucket
    return world


def verdicts(found: Mapping[str, Finding]) -> dict[str, str]:
    return {name.partition(".")[2]: item.verdict.value for name, item in found.items()}


def seen(collect: Collect, world: World, named: Named | None = None) -> Judged:
    return judge(collect(world, wanted=WANTED, named=named), *IDS)


def test_its_role_reads_what_is_hidden_from_the_trail(collect: Collect) -> None:
    """Without the role the bucket's settings are unknown; with it they are judged, from records of that account."""
    world = archived()

    without = verdicts(seen(collect, world))
    evidence = collect(world, wanted=WANTED, named=WITH_ROLE)

    assert {name for name, verdict in without.items() if verdict == "unknown"} == set(BUCKET[2:])
    assert set(verdicts(judge(evidence, *IDS)).values()) == {"pass"}
    theirs = {record.call for record in evidence if record.account == ARCHIVE}
    assert {"s3:ListBuckets", "s3:GetBucketPolicy", "s3control:GetPublicAccessBlock"} <= theirs
    assert {record.account for record in evidence} == {ACCOUNT, ARCHIVE}
    asked = {operation for who, _, _, operation, _ in world.calls if who == ARCHIVE}
    assert asked <= {call.partition(":")[2] for call in theirs} | {"GetCallerIdentity"}


@pytest.mark.parametrize(
    ("bucket", "gap"),
    [
        ({"public": True, "block": {}}, "bucket-not-public"),
        ({"logging": None}, "bucket-access-logging"),
        ({"lock": None}, "bucket-tamper-proof"),
        ({"lifecycle": 90}, "bucket-retention"),
    ],
)
def test_its_role_finds_what_is_wrong(collect: Collect, bucket: dict[str, object], gap: str) -> None:
    """A gap of the log archive's bucket is a gap of the trail, to be closed in the log archive account."""
    found = seen(collect, archived(**bucket), WITH_ROLE)

    assert {name for name, verdict in verdicts(found).items() if verdict != "pass"} == {gap}
    fix = found[f"cloudtrail.{gap}"].fix
    assert fix and fix.account == ARCHIVE


def test_the_account_block_of_the_log_archive_counts(collect: Collect) -> None:
    """A public bucket is none behind the public access block of the account that owns it."""
    world = archived(public=True, block={})
    world.account(ARCHIVE).block = dict.fromkeys(("RestrictPublicBuckets", "IgnorePublicAcls"), True)

    assert seen(collect, world, WITH_ROLE)["cloudtrail.bucket-not-public"].verdict is Verdict.PASS
    assert seen(collect, world)["cloudtrail.bucket-not-public"].verdict is Verdict.UNKNOWN


def test_printed_fixes_close_the_gaps_in_the_log_archive(mend: Mend) -> None:
    """The printed commands are run in the account that they name, and close the gaps of its bucket."""
    world = archived(public=True, block={}, logging=None)

    found = mend(world, *IDS, needs={"ACCESS_LOG_BUCKET": "org-access-logs"}, wanted=WANTED, named=WITH_ROLE)

    assert set(verdicts(found).values()) == {"pass"}
    writers = {who for who, _, _, operation, _ in world.calls if operation.startswith("Put")}
    assert writers == {ARCHIVE}


def test_a_role_that_cannot_be_assumed_is_named(collect: Collect) -> None:
    """The audit goes on; what the role would have read is unknown, and the reason is AssumeRole."""
    world = archived()
    world.no_assume.add(ROLE)

    evidence = collect(world, wanted=WANTED, named=WITH_ROLE)
    found = judge(evidence, *IDS)

    assert found["cloudtrail.bucket-separate-account"].verdict is Verdict.PASS  # HeadBucket proves it
    hidden = {name for name, item in found.items() if item.verdict is Verdict.UNKNOWN}
    assert hidden == set(IDS[2:])
    for name in hidden:
        [place] = found[name].places
        assert "sts:AssumeRole" in place.reason and "AccessDenied" in place.reason
    [blind] = [item for item in unseen(evidence, tuple(found.values())) if item.call == "sts:AssumeRole"]
    assert (set(blind.affects), blind.code, blind.account) == (hidden, "AccessDenied", ACCOUNT)


def test_credentials_of_the_role_that_end_do_not_end_the_audit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Expired credentials of the log archive's role hide its bucket, and nothing else."""
    from tests.fakeaws import Fault

    world = archived()
    world.faults.append(
        Fault(account=ARCHIVE, service="s3", code="ExpiredToken", message="The token has expired", status=400)
    )

    found = judge(walk_world(monkeypatch, world, wanted=WANTED, named=WITH_ROLE), *IDS)

    assert found["cloudtrail.bucket-exists"].verdict is Verdict.PASS
    assert found["cloudtrail.bucket-retention"].verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("bucket", "named", "verdict"),
    [
        pytest.param({}, None, "pass", id="another account, none named"),
        pytest.param({}, GIVEN, "pass", id="proven by HeadBucket"),
        pytest.param({"head": set()}, GIVEN, "unknown", id="forbidden: some other account"),
        pytest.param({"head": set()}, WITH_ROLE, "pass", id="listed by the log archive"),
        pytest.param({"owner": AUDIT}, GIVEN, "fail", id="let in, and not that account's"),
        pytest.param({"owner": AUDIT, "head": set()}, WITH_ROLE, "fail", id="not listed by the log archive"),
        pytest.param({"owner": ACCOUNT}, GIVEN, "fail", id="the account's own"),
        pytest.param(
            {"owner": ACCOUNT}, Named(log_archive_account=ACCOUNT), "n/a", id="it is the log archive"
        ),
    ],
)
def test_the_bucket_has_to_be_in_the_named_account(
    collect: Collect, bucket: dict[str, object], named: Named | None, verdict: str
) -> None:
    """Where a log archive was named, the bucket must be provably there."""
    found = seen(collect, archived(**bucket), named)["cloudtrail.bucket-separate-account"]

    assert found.verdict.value == verdict.replace("n/a", "not_applicable")
    if verdict == "fail" and bucket != {"owner": ACCOUNT}:
        assert f"not in log archive account {ARCHIVE}" in found.places[0].reason


@pytest.mark.parametrize(
    ("owner", "named", "verdict"),
    [
        (ARCHIVE, None, "pass"),
        (ARCHIVE, GIVEN, "pass"),
        (AUDIT, GIVEN, "fail"),
        (MANAGEMENT, Named(log_archive_account=MANAGEMENT), "not_applicable"),
    ],
)
def test_config_delivers_to_the_named_account(
    collect: Collect, owner: str, named: Named | None, verdict: str
) -> None:
    """Config's bucket has to be there as well."""
    world = archived()
    world.account().region(HOME).add_recorder()
    world.account().region(HOME).add_channel("org-config-logs")
    world.buckets["org-config-logs"]["owner"] = owner
    name = "config.bucket-separate-account"
    wanted = catalog.calls(catalog.builtin(), [name], services.types())

    assert judge(collect(world, wanted=wanted, named=named), name)[name].verdict == verdict


def test_the_log_archive_itself_may_keep_its_own_logs(collect: Collect) -> None:
    """The account that holds the organization trail's bucket is the log archive, without being named."""
    name = "config.bucket-separate-account"
    wanted = catalog.calls(catalog.builtin(), [name], services.types())
    evidence = collect(landing_zone(ARCHIVE, regions=(HOME,)), wanted=wanted)

    [place] = judge(evidence, name)[name].places

    assert place.verdict is Verdict.NOT_APPLICABLE and "log archive" in place.reason


def test_the_key_of_the_log_archive_is_read_with_its_role(collect: Collect) -> None:
    """A trail's key that lives in the log archive is described there."""
    world = archived()
    key = world.account(ARCHIVE).region(HOME).add_key("k")
    world.account().region(HOME).cloudtrail["trails"]["main"]["Trail"]["KmsKeyId"] = key
    name = "cloudtrail.kms-key-usable"
    wanted = catalog.calls(catalog.builtin(), [name], services.types())

    without, with_role = (
        judge(collect(world, wanted=wanted, named=named), name)[name].verdict for named in (GIVEN, WITH_ROLE)
    )

    assert (without, with_role) == (Verdict.UNKNOWN, Verdict.PASS)


@pytest.mark.parametrize("call", ["cloudtrail:DescribeTrails", "iam:ListAccountAliases"])
def test_nothing_else_is_asked_of_the_log_archive(monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """The guard lets the log archive be asked about buckets and a key, whatever the credentials would allow."""
    walked(monkeypatch, Ask("s3:ListBuckets", region=HOME, account=ARCHIVE))

    with pytest.raises(ReadOnlyViolation, match="log archive"):
        walked(monkeypatch, Ask(call, region=HOME, account=ARCHIVE))


def test_an_ask_as_a_stranger_is_never_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are credentials for two accounts; an ask as a third breaks its collector before any call."""
    evidence = walked(monkeypatch, Ask("s3:ListBuckets", region=HOME, account="000000000000"))

    assert "000000000000" in evidence.header.interrupted
    assert {record.account for record in evidence} == {ACCOUNT}


def walked(patch: pytest.MonkeyPatch, ask: Ask) -> Evidence:
    """Make one ask in a walk that has the log archive's role."""
    from postureaudit.aws.session import open_session
    from postureaudit.aws.walk import walk
    from tests.fakeaws import FakeAws

    def collector(scope: Scope) -> Collection:
        yield [ask]

    with FakeAws(archived()) as aws:
        for name, value in aws.env().items():
            if name.startswith("AWS_"):
                patch.setenv(name, value)
        session = open_session()
        session.open_archive(ROLE, None)
        return walk(session, [collector], named=WITH_ROLE)


def test_every_refusal_of_the_log_archive_keeps_its_call(collect: Collect) -> None:
    """A bucket of a third account is refused to the role too: the reason names the call, not the role."""
    world = archived(owner=AUDIT)

    evidence = collect(world, wanted=WANTED, named=WITH_ROLE)

    refused = [
        record for record in evidence if record.account == ARCHIVE and isinstance(record.outcome, Refusal)
    ]
    assert refused and {item.outcome.call for item in refused} == {item.call for item in refused}  # type: ignore[union-attr]  # they are refusals


def test_its_external_id_is_given(collect: Collect) -> None:
    """The role's trust policy may ask for one."""
    from postureaudit.aws.session import open_session
    from tests.fakeaws import FakeAws

    world = archived()
    with FakeAws(world) as aws, pytest.MonkeyPatch.context() as patch:
        for name, value in aws.env().items():
            if name.startswith("AWS_"):
                patch.setenv(name, value)
        open_session().open_archive(ROLE, "secret-handshake")

    [given] = [item for _, _, _, operation, item in world.calls if operation == "AssumeRole"]
    assert (given["RoleArn"], given["ExternalId"]) == (ROLE, "secret-handshake")


def test_the_audits_own_role_may_open_the_log_archive(collect: Collect) -> None:
    """Where the starting credentials may not assume the role, those of --role-arn are tried."""
    from postureaudit.aws.session import open_session
    from tests.fakeaws import FakeAws, Fault

    world = archived()
    first = f"arn:aws:iam::{ACCOUNT}:role/Audit"
    with FakeAws(world) as aws, pytest.MonkeyPatch.context() as patch:
        for name, value in aws.env().items():
            if name.startswith("AWS_"):
                patch.setenv(name, value)
        session = open_session(role_arn=first)
        world.faults.append(Fault(service="sts", operation="AssumeRole", times=1))
        session.open_archive(ROLE, None)

    assert session.archive and session.archive.refusal is None
    assert [item["RoleArn"] for _, _, _, operation, item in world.calls if operation == "AssumeRole"][
        -1
    ] == ROLE


def test_a_role_of_another_account_ends_the_audit(monkeypatch: pytest.MonkeyPatch) -> None:
    """What STS says of the role has to fit its ARN: nothing is read from an account that was not named."""
    from postureaudit.aws.clients import Clients
    from postureaudit.aws.session import open_session
    from postureaudit.errors import CredentialsError
    from tests.fakeaws import FakeAws

    with FakeAws(archived()) as aws:
        for name, value in aws.env().items():
            if name.startswith("AWS_"):
                monkeypatch.setenv(name, value)
        session = open_session()
        monkeypatch.setattr(Clients, "call", lambda *_, **__: {"Account": AUDIT})

        with pytest.raises(CredentialsError, match=AUDIT):
            session.open_archive(ROLE, None)

    assert session.archive is None


def test_from_the_command_line(cli: Cli, tmp_path: Path) -> None:
    """The options reach the walk; a saved file gives the same findings, and who is who stands in both reports."""
    world = landing_zone(regions=(HOME,))
    world.buckets["org-trail-logs"] |= {"logging": None}
    named = ("--log-archive-role", ROLE, "--audit-account", AUDIT)
    checks = ("--no-config", "--check", "cloudtrail.*", "--check", "guardduty.delegated-admin")
    path, result = tmp_path / "evidence.json", tmp_path / "result.json"

    live = cli("audit", *checks, *named, "-o", "json=-", world=world)
    kept = cli("collect", *checks, *named, "-o", str(path), world=world)
    table = cli("report", str(path), *checks, "-o", f"json={result}", "-o", "table", env={"COLUMNS": "100"})
    saved = json.loads(result.read_text())

    assert (live.code, kept.code, table.code) == (3, 0, 3), live.err
    jsonschema.validate(live.json, SCHEMA)
    for one, other in zip(
        live.json["findings"], saved["findings"], strict=True
    ):  # facts hold ages: two walks
        assert {name: one[name] for name in ("check", "verdict", "fix")} == {
            name: other[name] for name in ("check", "verdict", "fix")
        }
    [gap] = [item for item in live.json["findings"] if item["verdict"] == "fail"]
    assert (gap["check"], gap["fix"]["account"]) == ("cloudtrail.bucket-access-logging", ARCHIVE)
    [account] = saved["run"]["accounts"]
    assert account["roles"] == {
        "own": ["management account of o-exampleorg1"],
        "delegated_administrator_of": [],
        "management": {"account": MANAGEMENT, "how": "found by Organizations"},
        "audit": {"account": AUDIT, "how": "given"},
        "log_archive": {"account": ARCHIVE, "how": "given"},
    }
    assert "role management account of o-exampleorg1" in table.out
    assert f"run it in account {ARCHIVE}" in table.out
