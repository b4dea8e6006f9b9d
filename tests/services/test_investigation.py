"""Whether CloudTrail's everyday questions can be answered, how far back, and the queries that ask them."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from postureaudit import catalog, fixes, services
from postureaudit.cli.explaining import page
from postureaudit.evidence import Answer, Evidence, Record
from postureaudit.findings import Finding, Verdict
from postureaudit.render import Style
from postureaudit.render.investigation import block
from postureaudit.resources import View
from postureaudit.services.cloudtrail import investigation, queries, searching
from postureaudit.services.cloudtrail.searching import HISTORY, LOG_GROUP, QUESTIONS, STORE, Place
from tests.conftest import Collect, judge
from tests.fakeaws import FakeAws, Fault, World
from tests.fakeaws.world import ACCOUNT, ARCHIVE, Region
from tests.replay import replay

HERE, THERE = "us-east-1", "eu-west-1"
CHECKS = tuple(f"cloudtrail.searchable-{item.id}" for item in QUESTIONS)
WANTED = catalog.calls(catalog.builtin(), CHECKS, services.types())
HOSTILE = ("--debug", "file:///etc/passwd", "x,roleARN=arn:aws:iam::666666666666:role/evil", "[/]", "a'b$(x)")


SERVICE = "cloudtrail"  # whose calls a walk of these tests makes


def a_world(*regions: str, **fields: Any) -> World:
    world = World(**fields)
    world.account(regions=regions or (HERE, THERE))
    return world


def at(world: World, name: str = HERE) -> Region:
    return world.account().region(name)


def logged(
    world: World, name: str = "trail", *, days: int | None = 400, at_region: str = HERE, **trail: Any
) -> str:
    """A trail that delivers to a log group of this retention; its ARN."""
    region = at(world, at_region)
    group: dict[str, Any] = trail.pop("group", {})
    region.add_log_group(name, days, **group)
    return region.add_trail(
        trail.pop("trail", f"trail-{at_region}"),
        CloudWatchLogsLogGroupArn=region.arn("logs", f"log-group:{name}:*"),
        CloudWatchLogsRoleArn=world.account().arn("iam", "role/trail"),
        **trail,
    )


@pytest.fixture
def walked(collect: Collect) -> Callable[[World], Evidence]:
    return lambda world: collect(world, wanted=WANTED)


def verdicts(evidence: Evidence) -> dict[str, str]:
    """The verdict of each question, by its id."""
    found = judge(evidence, *CHECKS)
    return {name.partition("-")[2]: found[name].verdict.value for name in CHECKS}


def all_of_them(verdict: str) -> dict[str, str]:
    return {item.id: verdict for item in QUESTIONS}


def only(finding: Finding) -> Any:
    [place] = finding.places
    return place


# ---------------------------------------------------------------- where events can be searched


def test_event_history_alone_is_not_enough(walked: Callable[[World], Evidence]) -> None:
    """Without a log group or a data store, each question reaches 90 days back: known, and a gap."""
    world = a_world()
    at(world).add_trail("main")

    evidence = walked(world)

    assert verdicts(evidence) == all_of_them("fail")
    place = only(judge(evidence, *CHECKS)[CHECKS[0]])
    assert place.reason == f"90 days back; in no place but event history: {THERE}, {HERE}"


def test_log_group_of_a_multi_region_trail_answers_everything(walked: Callable[[World], Evidence]) -> None:
    """Every region's events are in one log group that keeps them for more than a year, or for ever."""
    one, two = a_world(), a_world()
    logged(one, days=400)
    logged(two, days=None)

    assert verdicts(walked(one)) == verdicts(walked(two)) == all_of_them("pass")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"days": 90}, all_of_them("fail"), id="short retention"),
        pytest.param({"logging": False}, all_of_them("fail"), id="stopped"),
        pytest.param(
            {"selectors": [{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}]},
            {"deletions": "pass", "access": "fail", "iam-changes": "pass"},
            id="writes only",
        ),
        pytest.param(
            {"multi": False, "IncludeGlobalServiceEvents": True},
            {"deletions": "fail", "access": "fail", "iam-changes": "pass"},
            id="one region, with global events",
        ),
        pytest.param(
            {"IncludeGlobalServiceEvents": False},
            {"deletions": "pass", "access": "pass", "iam-changes": "fail"},
            id="no global events",
        ),
        pytest.param({"group": {"logGroupClass": "INFREQUENT_ACCESS"}}, all_of_them("pass"), id="infrequent"),
        pytest.param({"group": {"logGroupClass": "DELIVERY"}}, all_of_them("fail"), id="cannot be queried"),
        pytest.param({"group": {"logGroupClass": "ESSENTIALS"}}, all_of_them("unknown"), id="unknown class"),
        pytest.param(
            {"status": {"LatestCloudWatchLogsDeliveryError": "AccessDenied"}}, all_of_them("fail"), id="error"
        ),
        pytest.param(
            {"status_in": {THERE: {"LatestCloudWatchLogsDeliveryError": "AccessDenied"}}},
            {"deletions": "fail", "access": "fail", "iam-changes": "pass"},
            id="error in one region",
        ),
        pytest.param(
            {"status": {"LatestCloudWatchLogsDeliveryTime": "2024-01-01T00:00:00Z"}},
            all_of_them("fail"),
            id="delivers no more",
        ),
        pytest.param(
            {"group": {"retentionPolicyName": "p"}, "days": None}, all_of_them("unknown"), id="account policy"
        ),
    ],
)
def test_what_a_log_group_answers(
    walked: Callable[[World], Evidence], changes: dict[str, Any], expected: dict[str, str]
) -> None:
    """Each question by what it needs: writes everywhere, reads too, IAM's events at home; and that they arrive."""
    world = a_world()
    logged(world, **changes)

    assert verdicts(walked(world)) == expected


def test_log_group_that_got_nothing_yet_is_unknown(walked: Callable[[World], Evidence]) -> None:
    """A trail that was given its log group a moment ago may have had no time to deliver."""
    world = a_world()
    logged(world, trail="main")
    del at(world).cloudtrail["trails"]["main"]["Status"]["LatestCloudWatchLogsDeliveryTime"]

    assert verdicts(walked(world)) == all_of_them("unknown")


def test_log_group_that_is_gone_answers_nothing(walked: Callable[[World], Evidence]) -> None:
    """A trail that names a deleted log group delivers to no place."""
    world = a_world()
    logged(world)
    at(world).logs["groups"].clear()

    assert verdicts(walked(world)) == all_of_them("fail")


def test_reads_and_writes_of_two_trails_meet_in_one_group(walked: Callable[[World], Evidence]) -> None:
    """Two trails that deliver half each to one log group answer together."""
    world = a_world()
    for kind in ("ReadOnly", "WriteOnly"):
        logged(world, trail=kind, selectors=[{"ReadWriteType": kind, "IncludeManagementEvents": True}])

    assert verdicts(walked(world)) == all_of_them("pass")


def test_each_region_may_have_its_own_place(walked: Callable[[World], Evidence]) -> None:
    """Trails of one region each, with a log group each: every region has its place."""
    world = a_world()
    logged(world, multi=False, IncludeGlobalServiceEvents=True)
    logged(world, multi=False, at_region=THERE)

    assert verdicts(walked(world)) == all_of_them("pass")


@pytest.mark.parametrize(
    ("store", "expected"),
    [
        ({"RetentionPeriod": 2557}, all_of_them("pass")),
        ({"RetentionPeriod": 90}, all_of_them("fail")),
        ({"Status": "STOPPED_INGESTION"}, all_of_them("fail")),
        ({"Status": "PENDING_DELETION"}, all_of_them("fail")),
        ({"Status": "STARTING_INGESTION"}, all_of_them("unknown")),
        (
            {"MultiRegionEnabled": False},
            {"deletions": "fail", "access": "fail", "iam-changes": "pass"},
        ),
        (
            {
                "AdvancedEventSelectors": [
                    {
                        "FieldSelectors": [
                            {"Field": "eventCategory", "Equals": ["Management"]},
                            {"Field": "readOnly", "Equals": ["false"]},
                        ]
                    }
                ]
            },
            {"deletions": "pass", "access": "fail", "iam-changes": "pass"},
        ),
        (
            {
                "AdvancedEventSelectors": [
                    {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["ConfigurationItem"]}]}
                ]
            },
            all_of_them("fail"),
        ),
    ],
)
def test_what_an_event_data_store_answers(
    walked: Callable[[World], Evidence], store: dict[str, Any], expected: dict[str, str]
) -> None:
    """A data store answers by its regions, its selectors, its retention, and whether it takes events in."""
    world = a_world()
    at(world).add_store("lake", **store)

    assert verdicts(walked(world)) == expected


def test_refused_list_of_data_stores_may_hide_one(walked: Callable[[World], Evidence]) -> None:
    """A data store of any region may take all events: unknown, unless a place that is seen keeps them long enough."""
    fault = Fault(service="cloudtrail", operation="ListEventDataStores", region=THERE)
    short, long = a_world(faults=[fault]), a_world(faults=[fault])
    logged(short, days=90)
    logged(long, days=400)

    assert verdicts(walked(short)) == all_of_them("unknown")
    assert verdicts(walked(long)) == all_of_them("pass")


def test_refused_trails_of_one_region_hide_nothing_of_another(walked: Callable[[World], Evidence]) -> None:
    """Where one region is known to have event history alone, a region that refused changes nothing."""
    fault = Fault(service="cloudtrail", operation="DescribeTrails", region=THERE)
    world = a_world(faults=[fault])

    assert verdicts(walked(world)) == all_of_them("fail")


def test_nothing_is_known_when_everything_is_refused(walked: Callable[[World], Evidence]) -> None:
    """Event history is always there, and is neither a pass nor a gap on its own."""
    world = a_world()
    logged(world)

    assert verdicts(replay(walked(world), denied=set(WANTED))) == all_of_them("unknown")


def test_log_group_of_another_account(walked: Callable[[World], Evidence]) -> None:
    """An organization's trail that delivers elsewhere is asked about there; a store of one's own counts here."""
    world = a_world()
    region = at(world)
    foreign = f"arn:aws:logs:{HERE}:{ARCHIVE}:log-group:org:*"
    region.add_trail("org", CloudWatchLogsLogGroupArn=foreign, CloudWatchLogsRoleArn="arn:aws:iam::1:role/x")

    found = judge(walked(world), *CHECKS)
    assert {item.verdict for item in found.values()} == {Verdict.NOT_APPLICABLE}
    assert only(found[CHECKS[0]]).reason == f"the events are in a log group of account {ARCHIVE}: look there"

    region.add_store("lake", RetentionPeriod=400)
    assert verdicts(walked(world)) == all_of_them("pass")


def test_security_lake_is_shown_where_the_evidence_has_it(walked: Callable[[World], Evidence]) -> None:
    """A lake that collects management events is a place; it is not judged, for nothing here asks for it."""
    evidence = walked(a_world())
    lake = {
        "region": HERE,
        "createStatus": "COMPLETED",
        "dataLakeArn": f"arn:aws:securitylake:{HERE}:1:data-lake/d",
    }
    source = {
        "account": ACCOUNT,
        "region": HERE,
        "sources": [{"awsLogSource": {"sourceName": "CLOUD_TRAIL_MGMT"}}],
    }
    more = [
        Record(
            call=f"securitylake:{name}", params={}, account=ACCOUNT, region=HERE, at="", outcome=Answer(body)
        )
        for name, body in (
            ("ListDataLakes", {"dataLakes": [lake]}),
            ("ListLogSources", {"sources": [source]}),
        )
    ]

    found = investigation.account(View(Evidence(evidence.header, [*evidence, *more]), ACCOUNT))

    assert found
    kinds = [
        [(place.kind, place.reaches(item.question.id)) for place in item.places] for item in found.answered
    ]
    assert all((searching.LAKE, (HERE,)) in item for item in kinds)
    assert all(item.reach.Days == 90 for item in found.answered)


# ---------------------------------------------------------------- the fix


def test_short_retention_is_the_other_checks_to_mend(walked: Callable[[World], Evidence]) -> None:
    """No command is printed twice under two names: the steps name the check that has it."""
    world = a_world()
    logged(world, days=90)

    place = only(judge(walked(world), *CHECKS)[CHECKS[0]])

    assert place.fix and not place.fix.argv
    assert "cloudtrail.log-group-retention" in " ".join(place.fix.steps)


# ---------------------------------------------------------------- the queries


def places(name: str = "trail") -> tuple[Place, ...]:
    everywhere = {item.id: {HERE: True} for item in QUESTIONS}
    store = f"arn:aws:cloudtrail:{HERE}:{ACCOUNT}:eventdatastore/lake"

    def place(kind: str, text: str, region: str) -> Place:
        return Place(
            kind=kind, name=text, region=region, account=ACCOUNT, days=400, since="", answers=everywhere
        )

    return (place(LOG_GROUP, name, HERE), place(STORE, store, HERE), place(HISTORY, "", ""))


ENDED = "2026-11-25T01:02:03.456Z"


def test_queries_run_in_the_real_cli(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Every printed query is parsed by the AWS CLI and understood by the service, whatever the log group is called."""
    from awscli.clidriver import create_clidriver

    world = a_world(HERE)
    for name in ("trail", *HOSTILE):
        at(world).add_log_group(name)
    at(world).add_store("lake")
    at(world).cloudtrail["events"] = [_event("DeleteBucket"), _event("PutObject")]
    found = [*places(), *(place for name in HOSTILE for place in places(name)[:1])]
    asked = [argv for place in found for one in QUESTIONS for argv in _asked(place, one.id)]
    assert len(asked) == 3 + 3 + 4 + 3 * len(HOSTILE)

    with FakeAws(world) as aws:
        for key, value in aws.env().items():
            if key.startswith("AWS_"):
                monkeypatch.setenv(key, value)
        driver = create_clidriver()
        for argv in asked:
            code = driver.main(list(argv[1:]))
            assert code == 0, (argv, capfd.readouterr().err)
    out = capfd.readouterr().out
    assert (world.bugs, world.missing) == ([], [])
    assert (
        "DeleteBucket" in out and out.count("PutObject") == 1
    )  # it was asked for by "what changed in IAM" alone


def _asked(place: Place, question: str) -> tuple[tuple[str, ...], ...]:
    return queries.query(place, question, ENDED, HERE).argv


def _event(name: str) -> dict[str, Any]:
    return {
        "EventId": name,
        "EventName": name,
        "EventTime": "2026-11-24T00:00:00Z",
        "Username": "alice",
        "Resources": [{"ResourceName": "b"}],
        "CloudTrailEvent": "{}",
    }


def test_queries_do_nothing_but_read() -> None:
    """The operations of every query read, and are none that this program is allowed to make itself."""
    from postureaudit.aws.allowed import ALLOWED

    asked = {
        queries.query(place, question.id, ENDED, HERE).argv[0][1:3]
        for place in places()
        for question in QUESTIONS
    }

    assert asked == {("logs", "start-query"), ("cloudtrail", "start-query"), ("cloudtrail", "lookup-events")}
    assert not {"logs:StartQuery", "cloudtrail:StartQuery", "cloudtrail:LookupEvents"} & set(ALLOWED)


def test_same_evidence_prints_the_same_query() -> None:
    """Times are counted from the evidence, not from now: seconds since 1970, seven days up to its end."""
    argv = queries.query(places()[0], "deletions", ENDED, HERE).argv[0]

    assert argv[argv.index("--end-time") + 1] == "1795568523"
    assert argv[argv.index("--start-time") + 1] == str(1795568523 - 7 * 86400)
    assert all(text.isascii() for text in (*queries.INSIGHTS.values(), *queries.SQL.values()))


def test_name_that_sql_cannot_hold_gives_no_command() -> None:
    """An ARN that is no data store's is never put into SQL."""
    place = msgspec.structs.replace(places()[1], name="arn:aws:cloudtrail:x:1:eventdatastore/a; DROP")

    found = queries.query(place, "access", ENDED, HERE)

    assert found.argv == () and "no command can be filled in" in found.why


# ---------------------------------------------------------------- what is shown


def test_page_pastes_into_a_shell(walked: Callable[[World], Evidence], tmp_path: Path) -> None:
    """Every command on the page, loops too, reaches `aws` as the arguments that were meant."""
    world = a_world()
    logged(world, "a'b$(x)", multi=False, IncludeGlobalServiceEvents=True)
    evidence = walked(world)
    text = page("investigation", evidence)
    lines = [
        line[9:]
        for line in text.splitlines()
        if line.startswith(" " * 9) and line.strip().split()[0] in ("aws", "for", "export", "done")
    ]

    done = subprocess.run(
        ["sh", "-eu", "-c", 'aws() { printf "%s\\037" "$@"; printf "\\n"; }\n' + "\n".join(lines)],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"]},
        cwd=tmp_path,
    )

    ran = [tuple(line.split("\x1f")[:-1]) for line in done.stdout.splitlines()]
    found = investigation.account(View(evidence, ACCOUNT))
    assert found
    group = next(item for item in found.answered[0].places if item.kind == LOG_GROUP)
    for question in QUESTIONS:
        for argv in queries.query(group, question.id, found.ended, HERE).argv:
            assert argv[1:] in ran and shlex.split(fixes.shell(argv)) == list(argv)
    history = next(item for item in found.answered[0].places if item.kind == HISTORY)
    assert queries.query(history, "deletions", found.ended, THERE).argv[0][1:] in ran


def test_page_says_how_far_back_and_where_not(walked: Callable[[World], Evidence]) -> None:
    """Days, the regions that are missing, the day before which a log group holds nothing."""
    world = a_world()
    logged(world, multi=False, IncludeGlobalServiceEvents=True)

    text = " ".join(page("investigation", walked(world)).split())

    assert (
        "1 Who deleted a resource? Check cloudtrail.searchable-deletions Back 90 days, in 2 regions" in text
    )
    assert f"Missing nothing but event history is known for {THERE}" in text
    assert f"log group trail in {HERE}: kept 400 days, made on 2023-11-14; events of {HERE}" in text
    assert f"3 What changed in IAM? Check cloudtrail.searchable-iam-changes Back 400 days, in {HERE}" in text


def test_page_of_a_check_has_its_own_question_alone(walked: Callable[[World], Evidence]) -> None:
    """`explain cloudtrail.searchable-access --from` prints the check and the one question that it is about."""
    world = a_world()
    logged(world)
    evidence = walked(world)

    text = page("cloudtrail.searchable-access", evidence)

    assert text.startswith("cloudtrail.searchable-access") and "console sign-in without MFA?" in text
    assert "Who deleted a resource?" not in text
    assert "start-query" not in page("cloudtrail.searchable-access", None)
    assert "--from evidence.json" in page("investigation", None)


@pytest.mark.parametrize("name", ["[/]\x1b[31m", "a\u202eb"])
def test_page_shows_hostile_names_and_obeys_none(walked: Callable[[World], Evidence], name: str) -> None:
    """A name that would act on a terminal is written out, and no command carries it."""
    world = a_world()
    logged(world, name)

    text = page("investigation", walked(world))

    assert "\x1b" not in text and "\u202e" not in text
    assert "no command can be filled in" in text


def test_table_says_it_in_a_line_or_not_at_all(walked: Callable[[World], Evidence]) -> None:
    """What event history alone answers is told with its regions; an account that can be searched has no such line."""
    short, long = a_world(), a_world()
    logged(short, multi=False, IncludeGlobalServiceEvents=True)
    logged(long)

    def lines(world: World) -> list[str]:
        found = investigation.account(View(walked(world), ACCOUNT))
        assert found
        return [line.plain for line in block([found], Style(width=140))]

    assert lines(long) == []
    told = lines(short)
    assert told[0] == "INVESTIGATION"
    assert f"90 days back; in {THERE} by event history alone." in " ".join(" ".join(told).split())
    assert "What changed in IAM?" not in " ".join(told)
