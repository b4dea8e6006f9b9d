"""Which finding types GuardDuty can never raise: joined from what detectors say, and never guessed."""

from __future__ import annotations

from typing import Any

import pytest

from postureaudit import catalog, shapes
from postureaudit.cli.explaining import page
from postureaudit.cli.main import run
from postureaudit.errors import CatalogError, EvidenceError
from postureaudit.evidence import (
    Account,
    Answer,
    Evidence,
    Header,
    Outcome,
    Record,
    Refusal,
    RefusalKind,
    Regions,
)
from postureaudit.render import Style
from postureaudit.render import blindspots as rendering
from postureaudit.resources import View
from postureaudit.services.guardduty import blindspots
from postureaudit.services.guardduty.blindspots import Region, Sight, State
from postureaudit.services.guardduty.catalogue import catalogue, parse

SERVICE = "guardduty"  # whose calls a walk of these tests makes

ACCOUNT = "111122223333"
DENIED = Refusal(RefusalKind.DENIED, code="AccessDeniedException")
FOUNDATIONAL = ("FLOW_LOGS", "CLOUD_TRAIL", "DNS_LOGS")
PLANS = (
    "S3_DATA_EVENTS",
    "EKS_AUDIT_LOGS",
    "EBS_MALWARE_PROTECTION",
    "RDS_LOGIN_EVENTS",
    "LAMBDA_NETWORK_LOGS",
    "RUNTIME_MONITORING",
    "AI_PROTECTION",
)
S3 = {
    "Discovery:S3/AnomalousBehavior",
    "Discovery:S3/MaliciousIPCaller",
    "Discovery:S3/MaliciousIPCaller.Custom",
    "Discovery:S3/TorIPCaller",
    "Exfiltration:S3/AnomalousBehavior",
    "Exfiltration:S3/MaliciousIPCaller",
    "Impact:S3/AnomalousBehavior.Delete",
    "Impact:S3/AnomalousBehavior.Permission",
    "Impact:S3/AnomalousBehavior.Write",
    "Impact:S3/MaliciousIPCaller",
    "PenTest:S3/KaliLinux",
    "PenTest:S3/ParrotLinux",
    "PenTest:S3/PentooLinux",
    "UnauthorizedAccess:S3/MaliciousIPCaller.Custom",
    "UnauthorizedAccess:S3/TorIPCaller",
    "AttackSequence:S3/CompromisedData",
}


def features(*off: str, without: tuple[str, ...] = (), agents: str = "ENABLED") -> list[dict[str, Any]]:
    """All features on but those off, or not named at all; Runtime Monitoring with its three agents."""
    found: list[dict[str, Any]] = []
    for name in (*FOUNDATIONAL, *PLANS):
        if name not in without:
            found.append({"Name": name, "Status": "DISABLED" if name in off else "ENABLED"})
    for item in found:
        if item["Name"] == "RUNTIME_MONITORING":
            names = ("EKS_ADDON_MANAGEMENT", "ECS_FARGATE_AGENT_MANAGEMENT", "EC2_AGENT_MANAGEMENT")
            item["AdditionalConfiguration"] = [{"Name": name, "Status": agents} for name in names]
    return found


def detector(*off: str, status: str = "ENABLED", **more: Any) -> Answer:
    return Answer({"Status": status, "Features": features(*off, **more)})


def evidence(regions: dict[str, Outcome | None], *, scans: str = "ACTIVE") -> Evidence:
    """What GetDetector says in each region; None where there is no detector. A malware plan of this status each."""
    header = Header(
        tool_version="0",
        started="2026-11-25T00:00:00Z",
        ended="2026-11-25T00:00:01Z",
        partition="aws",
        caller=f"arn:aws:iam::{ACCOUNT}:user/a",
        accounts=(Account(id=ACCOUNT, name="prod"),),
        regions=Regions(audited=tuple(regions)),
        leader=next(iter(regions)),
    )
    records = []

    def add(call: str, region: str, outcome: Outcome, **params: Any) -> None:
        records.append(
            Record(
                call=f"guardduty:{call}",
                params=params,
                account=ACCOUNT,
                region=region,
                at=header.ended,
                outcome=outcome,
            )
        )

    for region, outcome in regions.items():
        add("ListDetectors", region, Answer({"DetectorIds": [] if outcome is None else ["d1"]}))
        if outcome is not None:
            add("GetDetector", region, outcome, DetectorId="d1")
        plans = [{"MalwareProtectionPlanId": "p1"}] if scans else []
        add("ListMalwareProtectionPlans", region, Answer({"MalwareProtectionPlans": plans}))
        if scans:
            add("GetMalwareProtectionPlan", region, Answer({"Status": scans}), MalwareProtectionPlanId="p1")
    return Evidence(header, records)


def seen(regions: dict[str, Outcome | None], **more: Any) -> tuple[Region, ...]:
    return blindspots.regions(View(evidence(regions, **more), ACCOUNT))


def one(outcome: Outcome | None, **more: Any) -> Region:
    [region] = seen({"us-west-1": outcome}, **more)
    return region


def blind(region: Region) -> set[str]:
    return set(region.of(Sight.BLIND))


# ---------------------------------------------------------------- the table


def test_table_is_whole() -> None:
    """204 active types, as AWS's table counts them; every category has one and every source raises one."""
    table = catalogue()

    assert len(table.types) == 204
    assert {item.category for item in table.types.values()} == set(table.categories)
    used = {name for item in table.types.values() for name in (*item.sources, *item.more)}
    assert used == set(table.sources)


def test_sources_are_names_that_guardduty_gives() -> None:
    """Every feature is one of GetDetector's, every check one of the catalogue's, and none of either is left out."""
    table = catalogue()
    features = set(shapes.leaf(shapes.output("guardduty:GetDetector", "Features[].Name")).enum)
    ours = {item.name for item in table.sources.values() if item.kind in ("scan", "started")}

    assert {name for name in features if not table.knows(name)} == set()
    assert set(table.sources) - ours <= features
    assert all(item.check in catalog.builtin() for item in table.sources.values() if item.check)


def test_tactic_is_what_aws_names() -> None:
    """A threat purpose that AWS bases on a tactic has it; Recon and Trojan have none, whatever they resemble."""
    types = catalogue().types

    assert types["Exfiltration:S3/AnomalousBehavior"].tactic == "TA0010 Exfiltration"
    assert types["Recon:EC2/Portscan"].tactic is None
    assert types["Trojan:EC2/DropPoint"].tactic is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("any: [DNS_LOGS]", "any: [DNS_LOG]", "DNS_LOG, which is no source"),
        ('type: "Trojan:EC2/DropPoint"', 'type: "Torjan:EC2/DropPoint"', "no known category"),
        ('type: "Trojan:EC2/DropPoint"', 'type: "Trojan:EC2/DropPoint!DNS"', "stands there twice"),
        ("severity: critical", "severity: dire", "no severity 'dire'"),
    ],
)
def test_broken_table_is_refused(old: str, new: str, said: str) -> None:
    """A misspelt source, category or severity and a type that is there twice are refused by name."""
    from importlib.resources import files

    text = (files("postureaudit") / "data" / "guardduty-findings.yaml").read_text("utf-8")
    assert old in text

    with pytest.raises(CatalogError, match="guardduty-findings") as caught:
        parse(text.replace(old, new, 1))

    assert said in caught.value.message


# ---------------------------------------------------------------- the join


def test_s3_protection_off_in_one_region() -> None:
    """Exactly the types that need it are blind there, and nothing is blind anywhere else."""
    east, west = seen({"us-east-1": detector(), "us-west-1": detector("S3_DATA_EVENTS")})

    assert blind(east) == set()
    assert blind(west) == S3
    [missing] = west.missing
    assert (missing.name, missing.state, missing.check) == (
        "S3_DATA_EVENTS",
        "off",
        "guardduty.s3-protection",
    )
    assert set(missing.types) == S3


@pytest.mark.parametrize("plan", [name for name in PLANS if name != "EBS_MALWARE_PROTECTION"])
def test_each_plan_takes_its_own_types_along(plan: str) -> None:
    """Without a plan, the types that only it raises are blind: those that name it, and no other source that is on."""
    region = one(detector(plan))

    table = catalogue().types
    expected = {
        name
        for name, item in table.items()
        if plan in item.sources and (item.together or set(item.sources) <= {plan, "EKS_RUNTIME_MONITORING"})
    }
    assert blind(region) == expected
    assert expected and {item.name for item in region.missing} == {plan}


def test_plan_that_is_not_offered_is_named_as_that() -> None:
    """A plan that GuardDuty does not list cannot raise anything; nobody can turn it on, either."""
    region = one(detector(without=("LAMBDA_NETWORK_LOGS",)))

    assert {item.partition("/")[0].partition(":")[2] for item in blind(region)} == {"Lambda"}
    assert [item.state for item in region.missing] == ["not_offered"]


def test_foundational_source_that_is_not_named_is_unknown() -> None:
    """GuardDuty reads these of itself: what it does not name is not "not offered"."""
    region = one(detector(without=("DNS_LOGS",)))

    assert not blind(region)
    assert "Trojan:EC2/DGADomainRequest.B" in region.of(Sight.UNKNOWN)
    assert "Trojan:EC2/DropPoint" in region.of(Sight.RAISED)


@pytest.mark.parametrize(
    ("outcome", "word"),
    [(None, "missing"), (detector(status="DISABLED"), "suspended")],
    ids=["missing", "suspended"],
)
def test_no_detector_sees_nothing(outcome: Outcome | None, word: str) -> None:
    """Without a detector, or with a suspended one, every type is blind, whatever its plans say."""
    region = one(outcome)

    assert region.detector == word
    assert blind(region) == set(catalogue().types)
    assert {item.word for item in region.standings()} == {"none"}


@pytest.mark.parametrize("refused", ["ListDetectors", "GetDetector"])
def test_refused_answer_is_unknown_and_never_blind(refused: str) -> None:
    """Whoever may not look does not know: no type is blind, and the refusal is told."""
    whole = evidence({"us-west-1": detector("S3_DATA_EVENTS")})
    records = [
        Record(
            call=item.call,
            params=item.params,
            account=item.account,
            region=item.region,
            at=item.at,
            outcome=DENIED if item.call.endswith(refused) else item.outcome,
        )
        for item in whole
    ]

    [region] = blindspots.regions(View(Evidence(whole.header, records), ACCOUNT))

    assert region.detector == "unknown" and refused in region.reason
    assert set(region.types.values()) == {Sight.UNKNOWN}
    assert list(rendering.block([region], Style(width=80))) == []


def test_region_without_guardduty_is_blind_and_says_so() -> None:
    """Where botocore knows of no GuardDuty, nothing can be raised: no refusal hides that."""
    whole = evidence({"us-west-1": None})
    gone = Refusal(RefusalKind.NOT_IN_REGION)
    record = next(item for item in whole if item.call == "guardduty:ListDetectors")
    changed = Record(
        call=record.call, params={}, account=ACCOUNT, region="us-west-1", at=record.at, outcome=gone
    )

    [region] = blindspots.regions(View(Evidence(whole.header, [changed]), ACCOUNT))

    assert (region.detector, region.reason) == ("not_offered", "GuardDuty is not offered here")
    assert list(rendering.block([region], Style(width=80))) == []
    assert "is not offered here" in _text([region], width=100, details=True)


def test_unknown_features_are_named_and_not_guessed() -> None:
    """A feature and a setting that this version does not know are named; what it knows stands as before."""
    new = {"Name": "QUANTUM_PROTECTION", "Status": "ENABLED"}
    rds = {"Name": "RDS_LOGIN_EVENTS", "Status": "ENABLED"}
    rds["AdditionalConfiguration"] = [{"Name": "RDS_DATA_RISK", "Status": "ENABLED"}]  # type: ignore[assignment]
    given = [new, rds, *(item for item in features() if item["Name"] != "RDS_LOGIN_EVENTS")]

    region = one(Answer({"Status": "ENABLED", "Features": given}))

    assert region.strangers == ("QUANTUM_PROTECTION", "RDS_DATA_RISK")
    assert not blind(region) and not region.of(Sight.UNKNOWN)
    assert "QUANTUM_PROTECTION that this version does not know, in us-west-1" in _text([region], width=200)


def test_analyst_raises_nothing_and_is_no_stranger() -> None:
    """AI_ANALYST is a known feature without findings of its own."""
    given = [*features(), {"Name": "AI_ANALYST", "Status": "DISABLED"}]

    region = one(Answer({"Status": "ENABLED", "Features": given}))

    assert region.strangers == () and region.missing == ()


def test_unreadable_status_of_a_plan_is_unknown() -> None:
    """A status that is neither on nor off decides nothing."""
    given = [item if item["Name"] != "S3_DATA_EVENTS" else {"Name": "S3_DATA_EVENTS"} for item in features()]

    region = one(Answer({"Status": "ENABLED", "Features": given}))

    assert set(region.of(Sight.UNKNOWN)) == S3
    assert region.sources["S3_DATA_EVENTS"] is State.UNKNOWN


def test_malware_on_demand() -> None:
    """Without Malware Protection for EC2, a scan that somebody starts still finds malware: not blind, but by hand."""
    region = one(detector("EBS_MALWARE_PROTECTION"))

    assert not blind(region)
    assert set(region.of(Sight.BY_HAND)) == {
        f"Execution:{what}/{kind}"
        for what in ("EC2", "ECS", "Kubernetes", "Container")
        for kind in ("MaliciousFile", "SuspiciousFile")
    }
    assert "Execution:EC2/MaliciousFile!Snapshot" in region.of(Sight.RAISED)
    assert next(item.word for item in region.standings() if item.category == "Execution") == "some"


@pytest.mark.parametrize(
    ("status", "sight"),
    [("ACTIVE", Sight.RAISED), ("WARNING", Sight.RAISED), ("ERROR", Sight.BLIND), ("", Sight.BLIND)],
)
def test_uploads_need_a_plan_that_scans(status: str, sight: Sight) -> None:
    """A malware protection plan in error, or none, finds nothing in uploads; one with a warning works in part."""
    assert one(detector(), scans=status).types["Object:S3/MaliciousFile"] is sight


def test_malware_plan_where_there_is_no_bucket() -> None:
    """A plan is one bucket's: without a bucket nothing can be raised, and there is nothing to mend; details say so."""
    whole = evidence({"us-west-1": detector()}, scans="")
    buckets = Record(
        call="s3:ListBuckets",
        params={},
        account=ACCOUNT,
        region="us-west-1",
        at="",
        outcome=Answer({"Buckets": []}),
    )

    [region] = blindspots.regions(View(Evidence(whole.header, [*whole, buckets]), ACCOUNT))

    assert blind(region) == {"Object:S3/MaliciousFile"}
    assert [item.state for item in region.missing] == ["idle"]
    assert _text([region]) == ""
    assert "Malware Protection for S3 has no bucket to scan" in _text([region], details=True, width=200)


def test_older_runtime_monitoring_counts_for_eks() -> None:
    """With EKS_RUNTIME_MONITORING alone, runtime findings can be raised, for EKS only, which is told."""
    given = [*features("RUNTIME_MONITORING"), {"Name": "EKS_RUNTIME_MONITORING", "Status": "ENABLED"}]

    region = one(Answer({"Status": "ENABLED", "Features": given}))

    assert blind(region) == {"AttackSequence:ECS/CompromisedCluster"}
    assert any("watches EKS alone" in note for note in region.notes)


def test_unmanaged_agents_are_told_and_no_blindness() -> None:
    """Runtime Monitoring without managed agents may have agents all the same: what is known is said, nothing more."""
    region = one(detector(agents="DISABLED"))

    assert not blind(region)
    assert any("does not manage its agent on EKS, ECS on Fargate, EC2" in note for note in region.notes)


def test_root_use_is_seen_by_either_source() -> None:
    """A type of two sources is blind only without both; an attack sequence on S3 needs both."""
    states = dict.fromkeys(catalogue().sources, State.ON)
    types = catalogue().types

    for off, root, data in (
        ("S3_DATA_EVENTS", Sight.RAISED, Sight.BLIND),
        ("CLOUD_TRAIL", Sight.RAISED, Sight.BLIND),
    ):
        given = {**states, off: State.OFF}
        assert blindspots.sight(types["Policy:IAMUser/RootCredentialUsage"], given) is root
        assert blindspots.sight(types["AttackSequence:S3/CompromisedData"], given) is data
    both = {**states, "S3_DATA_EVENTS": State.OFF, "CLOUD_TRAIL": State.OFF}
    assert blindspots.sight(types["Policy:IAMUser/RootCredentialUsage"], both) is Sight.BLIND
    hidden = {**states, "S3_DATA_EVENTS": State.OFF, "CLOUD_TRAIL": State.UNKNOWN}
    assert blindspots.sight(types["Policy:IAMUser/RootCredentialUsage"], hidden) is Sight.UNKNOWN
    assert blindspots.sight(types["AttackSequence:S3/CompromisedData"], hidden) is Sight.BLIND


# ---------------------------------------------------------------- what is shown


def _text(regions: Any, *, width: int = 80, details: bool = False, ascii_only: bool = True) -> str:
    style = Style(width=width, details=details, ascii=ascii_only)
    return "\n".join(line.plain for line in rendering.block(regions, style))


def test_nothing_is_said_where_nothing_is_blind() -> None:
    """All plans on: no block; AI Protection that AWS does not offer is told with the details alone."""
    assert _text([one(detector())]) == ""
    lacking = [one(detector(without=("AI_PROTECTION",)))]
    assert _text(lacking) == ""
    assert "AI Protection (AI_PROTECTION) is not offered" in _text(lacking, details=True, width=200)


def test_block_names_the_region_the_families_and_the_plan() -> None:
    """One sentence a cause, in the width there is."""
    regions = seen({"us-east-1": detector(), "us-west-1": detector("S3_DATA_EVENTS")})

    assert _text(regions).splitlines() == [
        "BLIND SPOTS  some of GuardDuty's 204 finding types can never be raised in",
        "        us-west-1",
        "   us-west-1: S3 Protection (S3_DATA_EVENTS) is off: no finding of",
        "   AttackSequence:S3, Discovery:S3, Exfiltration:S3, Impact:S3, PenTest:S3,",
        "   UnauthorizedAccess:S3",
        "   more  postureaudit explain Exfiltration:S3/AnomalousBehavior: what a finding",
        "   type needs; --details for a map",
    ]
    assert max(len(line) for line in _text(regions, width=140).splitlines()) > 100


MAP = """\
   category             A  B  C
   AttackSequence       +  ~  X
   Backdoor             +  +  X
   Behavior             +  +  X
   CredentialAccess     +  +  X
   CryptoCurrency       +  +  X
   DefenseEvasion       +  +  X
   Discovery            +  ~  X
   Execution            +  +  X
   Exfiltration         +  ~  X
   Impact               +  ~  X
   InitialAccess        +  +  X
   Object               +  +  X
   PenTest              +  ~  X
   Persistence          +  +  X
   Policy               +  +  X
   PrivilegeEscalation  +  +  X
   Recon                +  +  X
   Stealth              +  +  X
   Trojan               +  +  X
   UnauthorizedAccess   +  ~  X
   + every finding type   ~ some   X none: blind   ? not known
   A  us-east-1 eu-west-1
   B  us-west-1
   C  eu-north-1"""


@pytest.mark.parametrize("width", [80, 140])
def test_map_of_categories_by_region(width: int) -> None:
    """Regions that are alike share a column; the same map at both widths, and glyphs only where they can be shown."""
    regions = seen(
        {
            "us-east-1": detector(),
            "us-west-1": detector("S3_DATA_EVENTS"),
            "eu-west-1": detector(),
            "eu-north-1": None,
        }
    )

    drawn = [line.plain for line in rendering.matrix(regions, Style(width=width, ascii=True))]

    assert "\n".join(drawn) == MAP
    glyphs = "\n".join(line.plain for line in rendering.matrix(regions, Style(width=width)))
    assert {"●", "◐", "○"} <= set(glyphs)


def test_map_of_many_different_regions_is_folded() -> None:
    """More columns than fit stand below each other; every line keeps the width."""
    names = [f"xx-test-{number}" for number in range(1, 31)]
    plans = ["S3_DATA_EVENTS", "EKS_AUDIT_LOGS", "RDS_LOGIN_EVENTS", "LAMBDA_NETWORK_LOGS", "AI_PROTECTION"]
    given = {
        name: detector(*(plan for bit, plan in enumerate(plans) if number >> bit & 1))
        for number, name in enumerate(names)
    }

    drawn = [line.plain for line in rendering.matrix(seen(given), Style(width=60, ascii=True))]

    assert max(map(len, drawn)) <= 60
    assert sum(line.startswith("   category") for line in drawn) > 1


def test_region_names_of_strangers_do_not_act() -> None:
    """A feature's name is a stranger's text: it is shown, not obeyed."""
    given = [*features(), {"Name": "\x1b[31mX", "Status": "ENABLED"}]

    text = _text([one(Answer({"Status": "ENABLED", "Features": given}))], width=200)

    assert "\x1b" not in text and "\\u001b[31mX" in text


# ---------------------------------------------------------------- explain


def test_explain_a_plan_says_what_is_lost() -> None:
    """The page of S3 Protection names the families that are blind without it, and where that is so."""
    given = evidence({"us-east-1": detector(), "us-west-1": detector("S3_DATA_EVENTS")})

    text = " ".join(page("guardduty.s3-protection", given).split())

    assert "16 finding types can never be raised: AttackSequence:S3, Discovery:S3, Exfiltration:S3" in text
    assert "none of them can be raised in us-west-1" in text


@pytest.mark.parametrize(
    "check",
    sorted({item.check for item in catalogue().sources.values() if item.check} | {"guardduty.enabled"}),
)
def test_every_plan_has_something_to_lose(check: str) -> None:
    """Each check that turns a source on says which findings that is for."""
    text = page(check, None)

    assert "\nBlind " in text or "\nBy hand " in text


def test_explain_a_finding_type() -> None:
    """What it needs, how severe it is, what it is a sign of, what turns it on; with evidence, where it is blind."""
    given = evidence({"us-east-1": detector(), "us-west-1": detector("S3_DATA_EVENTS"), "eu-west-1": None})

    text = " ".join(page("exfiltration:s3/anomalousbehavior", given).split())

    assert text.startswith("Exfiltration:S3/AnomalousBehavior HIGH GuardDuty finding type")
    assert "TA0010 Exfiltration" in text and "S3 Protection (S3_DATA_EVENTS)" in text
    assert "the fix of guardduty.enabled, guardduty.s3-protection" in text
    assert "Blind us-west-1: S3 Protection is off Blind eu-west-1: there is no detector" in text
    assert "Raised us-east-1" in text


def test_explain_without_evidence_says_how_to_get_it() -> None:
    """Without evidence, no region is claimed to see or not to see."""
    text = page("Recon:EC2/Portscan", None)

    assert "--from evidence.json" in text and "Raised" not in text
    assert "none: AWS bases this threat purpose on no MITRE ATT&CK tactic" in " ".join(text.split())


def test_explain_command(capsys: pytest.CaptureFixture[str]) -> None:
    """A finding type, the demo's account, and a name that there is not: what the command line makes of each."""
    assert run(["explain", "Exfiltration:S3/AnomalousBehavior", "--demo"]) == 0
    assert "S3 Protection (S3_DATA_EVENTS)" in capsys.readouterr().out
    assert run(["explain", "investigation", "--demo"]) == 0
    assert "aws cloudtrail lookup-events" in capsys.readouterr().out
    assert run(["explain", "Exfiltration:S3/Nothing"]) == 2


def test_explain_refuses_evidence_that_cannot_be_read() -> None:
    """A file whose answers are of other types than AWS's is no reason for a traceback, and none for a claim."""
    broken = evidence({"us-west-1": Answer({"Status": "ENABLED", "Features": ["S3_DATA_EVENTS"]})})

    with pytest.raises(EvidenceError, match="cannot be read"):
        page("Exfiltration:S3/AnomalousBehavior", broken)
