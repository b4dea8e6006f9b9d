"""A redacted report tells nobody whose account it is, and still groups with the next one."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import msgspec
import pytest

from postureaudit import __file__ as package
from postureaudit.findings import Verdict
from postureaudit.redact import KINDS, Redactor
from postureaudit.render import FORMATS, Style, renderer
from postureaudit.report import Report
from tests.render.zoo import ACCOUNT, ZOO, a_report

KEY = b"k" * 32
# Twelve digits that are no part of a hexadecimal fingerprint and of no time in milliseconds.
DIGITS = re.compile(r"(?<![0-9a-f])[0-9]{12}(?![0-9a-f])")


@pytest.fixture(scope="module")
def demo_report(demo_report: Report) -> Report:
    """A part of the demo's report that has a name of every kind: all gaps, and every tenth of the rest."""
    others = [item for item in demo_report.findings if item.verdict is not Verdict.FAIL]
    failing = [item for item in demo_report.findings if item.verdict is Verdict.FAIL]
    return msgspec.structs.replace(
        demo_report,
        findings=(*(item for at, item in enumerate(failing) if at % 2 == 0 or item.waived), *others[::10]),
        routes=demo_report.routes[::12],
        blind=demo_report.blind[:3],
    )


@pytest.fixture(scope="module")
def redacted(demo_report: Report) -> Report:
    """The demo's report with every kind of name replaced."""
    return Redactor(KINDS, KEY).report(demo_report)


def _names_of(report: Report) -> set[str]:
    """What must not be told: accounts, their names, resources, and whoever asked or owns a waiver."""
    header = report.evidence.header
    found = {item.id for item in header.accounts} | {item.name for item in header.accounts if item.name}
    found |= {header.caller.rpartition("/")[2]}
    for finding in report.findings:
        for place in finding.places:
            found |= {place.resource} if place.resource not in (None, "*") else set()
            found |= {place.waiver.owner} if place.waiver else set()
    return {name for name in found if len(name) > 3}


@pytest.mark.parametrize("name", FORMATS)
def test_no_format_tells_a_name(name: str, demo_report: Report, redacted: Report) -> None:
    """Accounts, resources and people are gone from every format; what is wrong with them is not."""
    text = renderer(name)(redacted, Style(top=0, details=True))
    before = renderer(name)(demo_report, Style(top=0, details=True))

    secret = {
        item for item in _names_of(demo_report) if re.search(rf"(?<![\w-]){re.escape(item)}(?![\w-])", text)
    }
    assert secret == set() and not DIGITS.search(text)
    assert text != before and len(text) > len(before) / 3


def test_the_same_key_gives_the_same_names(demo_report: Report, redacted: Report) -> None:
    """Tickets of the next run have the same keys; with another key they do not."""
    again = Redactor(KINDS, KEY).report(demo_report)
    other = Redactor(KINDS, b"o" * 32).report(demo_report)

    keys = [
        {item.fingerprint for item in report.findings} for report in (redacted, again, other, demo_report)
    ]
    places = {place.fingerprint for item in redacted.findings for place in item.places}
    assert keys[0] == keys[1] and not keys[0] & keys[2] and not keys[0] & keys[3]
    assert len(places) == sum(len(item.places) for item in redacted.findings)
    assert redacted.counts() == demo_report.counts()


def test_a_command_with_a_pseudonym_is_not_offered_to_run(redacted: Report) -> None:
    """argv is null; the shell text still shows which command it would be."""
    document = json.loads(renderer("json")(redacted, Style()))
    fixes = [item["fix"] for item in document["findings"] if item["fix"]]

    assert fixes and all(fix["argv"] is None for fix in fixes)
    assert any(re.search(r"^aws cloudtrail [a-z-]+ ", fix["shell"], re.MULTILINE) for fix in fixes)
    assert document["run"]["evidence_sha256"].startswith("sha256:")


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_are_chosen_one_by_one(kind: str, demo_report: Report) -> None:
    """What was not asked for stays readable."""
    text = renderer("json")(Redactor([kind], KEY).report(demo_report), Style())

    account = demo_report.evidence.header.accounts[0].id
    assert (account in text) is (kind != "accounts")
    assert ("bob@example.com" in text) is (kind != "principals")


@pytest.mark.parametrize("animal", ZOO)
def test_hostile_names_are_redacted_too(animal: str) -> None:
    """A name with markup or line ends in it is replaced as a whole where it names a resource."""
    report = Redactor(KINDS, KEY).report(a_report(ZOO[animal]))

    places = [place for finding in report.findings for place in finding.places]
    assert all(re.fullmatch(r"name-[a-z]{12}", str(place.resource)) for place in places)
    assert ACCOUNT not in renderer("json")(report, Style())


def test_a_run_over_the_command_line(cli: object, saved: object) -> None:
    """--redact takes a list; an unknown kind and a key that is too short are usage errors."""
    run, file = cli, saved
    assert callable(run) and callable(file)
    path = str(file("empty"))

    fine = run("report", path, "--no-config", "--redact", "accounts,arns", "-o", "json=-")
    wrong = run("report", path, "--no-config", "--redact", "account", "-o", "json=-")

    assert fine.code == 3 and ACCOUNT not in fine.out and "names are redacted" in fine.err
    assert wrong.code == 2 and "accounts, arns, principals" in wrong.err


def test_a_bucket_in_an_arn_is_a_name() -> None:
    """ARNs of S3, SNS and SQS start with the name; a bucket has one pseudonym, with a key behind it or not."""
    redactor = Redactor(["arns"], KEY)

    whole, inside = redactor.text("arn:aws:s3:::org-logs"), redactor.text("arn:aws:s3:::org-logs/AWSLogs")
    subscription = redactor.text("arn:aws:sns:us-east-1:111122223333:alerts:1f0e")
    detector = redactor.text("--detector-id 2ed30ac2213fb2bac1714363b28e162a")

    assert "org-logs" not in whole and inside.startswith(f"{whole}/")
    assert "AWSLogs" not in inside and "alerts" not in subscription
    assert redactor.text("arn:aws:s3:::org-logs/*") == f"{whole}/*" and "2ed30" not in detector


def test_roles_stay_with_their_account(demo_report: Report) -> None:
    """What an account is in its organization is told under its pseudonym, without the organization's id."""
    from postureaudit.services.organizations import Found, Roles

    account = demo_report.evidence.header.accounts[0].id
    found = Found(Account="999988887777", How="found by GuardDuty")
    roles = Roles(
        Management=found,
        Audit=found,
        LogArchive=found,
        Own=["management account of o-abcdefghij"],
        Delegated=[],
    )
    report = Redactor(KINDS, KEY).report(msgspec.structs.replace(demo_report, roles={account: roles}))

    [shown] = json.loads(renderer("json")(report, Style()))["run"]["accounts"]
    assert shown["roles"]["own"][0].startswith("management account of org-")
    assert "999988887777" not in json.dumps(shown)


def test_a_baseline_keeps_no_fingerprint_of_the_account(demo_report: Report) -> None:
    """Hashes of an account's id can be tried out: those of places that are gone are renamed as well."""
    from postureaudit.baseline import Compared

    here = demo_report.findings[0].places[0].fingerprint
    gone = "pa1:" + "0" * 32
    compared = Compared(
        findings=demo_report.findings, new=1, old=0, resolved=(here, gone), not_rechecked=(gone,)
    )
    report = Redactor(KINDS, KEY).report(msgspec.structs.replace(demo_report, baseline=compared))

    assert report.baseline is not None and (report.baseline.new, len(report.baseline.resolved)) == (1, 2)
    assert not {here, gone} & {*report.baseline.resolved, *report.baseline.not_rechecked}
    assert report.findings[0].places[0].fingerprint in report.baseline.resolved


def test_keys_of_facts_and_owners_of_waivers_are_names_too() -> None:
    """A mapping of AWS's may have ARNs as keys; an owner without an address is still somebody."""
    report = a_report("main")
    arn = f"arn:aws:iam::{ACCOUNT}:role/x"
    findings = tuple(
        msgspec.structs.replace(
            item,
            places=tuple(
                msgspec.structs.replace(
                    place,
                    facts={"By": {arn: "on"}},
                    waiver=place.waiver and msgspec.structs.replace(place.waiver, owner="Bob Smith"),
                )
                for place in item.places
            ),
        )
        for item in report.findings
    )
    told = ("waiver W expired on 2026-01-01: ask Bob Smith",)
    plain = msgspec.structs.replace(report, findings=findings, warnings=told)

    text = renderer("json")(Redactor(KINDS, KEY, ["Bob Smith"]).report(plain), Style())
    shown = renderer("markdown")(Redactor(KINDS, KEY, ["Bob Smith"]).report(plain), Style())

    assert ACCOUNT not in text and "Bob Smith" not in text + shown and "ask owner" in shown.replace("\\", "")


def test_a_refused_call_keeps_its_name() -> None:
    """Where a resource is called like a service, sentences about its calls still say which."""
    report = Redactor(KINDS, KEY).report(a_report("config"))

    text = Redactor.text
    redactor = Redactor(KINDS, KEY)
    redactor.report(a_report("config"))
    assert text(redactor, "config:DescribeConfigRules in eu-west-1: denied").startswith("config:Describe")
    assert text(redactor, "config").startswith("name-") and report.findings


def test_places_to_search_are_names(demo_report: Report) -> None:
    """A log group that only the investigation tells is a pseudonym too."""
    groups = {
        place.name
        for account in demo_report.investigation
        for answered in account.answered
        for place in answered.places
        if place.name
    }
    text = renderer("json")(
        Redactor(KINDS, KEY).report(msgspec.structs.replace(demo_report, findings=(), routes=())), Style()
    )

    assert groups and not [name for name in groups if f'"name": "{name}"' in text]


def test_a_name_that_only_a_sentence_tells(demo_report: Report) -> None:
    """A bucket that was asked about is a name without its ARN; "default" stays the word that it is."""
    from postureaudit.evidence import Answer, Evidence, Record

    header = demo_report.evidence.header
    asked = Record(
        call="s3:GetBucketPolicy",
        params={"Bucket": "org-config-logs"},
        account=ACCOUNT,
        region="us-east-1",
        at=header.ended,
        outcome=Answer({}),
    )
    redactor = Redactor(["arns"], KEY)
    redactor.report(msgspec.structs.replace(demo_report, evidence=Evidence(header, [asked])))

    told = redactor.text("bucket org-config-logs has a default retention")
    assert "org-config" not in told and told.endswith("has a default retention")


@pytest.mark.parametrize("name", ["json", "tickets"])
def test_a_redacted_result_is_of_the_published_schema(name: str, redacted: Report) -> None:
    """A pseudonym is a valid account."""
    schema = "result" if name == "json" else name
    folder = Path(package).parent / "schemas"
    whole = msgspec.structs.replace(redacted, digest="sha256:" + "0" * 64)
    document = json.loads(renderer(name)(whole, Style()))

    jsonschema.validate(document, json.loads((folder / f"{schema}.json").read_text()))
