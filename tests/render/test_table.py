"""The terminal report shows a stranger's text and never obeys it."""

from __future__ import annotations

import msgspec
import pytest

from postureaudit import catalog, evaluate, services
from postureaudit.evidence import Account, Answer, Evidence, Header, Record, Regions
from postureaudit.gate import decide
from postureaudit.render import Style
from postureaudit.render.matrix import UTF, Matrix
from postureaudit.render.table import render
from postureaudit.report import Report
from postureaudit.services.organizations import Found, Roles

ACCOUNT = "111122223333"


def a_report(region: str) -> Report:
    """The report of a trail that claims to be at home in this region."""
    trail = {
        "TrailARN": f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/[/red]x",
        "HomeRegion": region,
        "S3BucketName": "b",
    }
    header = Header(
        tool_version="0",
        started="2026-11-24T00:00:00Z",
        ended="2026-11-24T00:00:01Z",
        partition="aws",
        caller=f"arn:aws:iam::{ACCOUNT}:user/\x1b]0;x\x07",
        accounts=(Account(id=ACCOUNT, name="[/]\x1b[2J"),),
        regions=Regions(audited=("us-east-1",)),
        leader="us-east-1",
    )
    record = Record(
        call="cloudtrail:DescribeTrails",
        params={"includeShadowTrails": True},
        account=ACCOUNT,
        region="us-east-1",
        at=header.started,
        outcome=Answer({"trailList": [trail]}),
    )
    evidence = Evidence(header, [record])
    findings = evaluate.evaluate(evidence, catalog.builtin())
    return Report(
        evidence=evidence,
        digest="",
        findings=findings,
        decision=decide(findings),
        exit_code=3,
        fail_on=None,
        today="2026-11-24",
        seconds=1.0,
    )


@pytest.mark.parametrize("width", [60, 80, 140])
@pytest.mark.parametrize("region", ["eu\x1b[31m-west-1", "eu\u202e-west-1", "eu\x9b2J", "[/]"])
def test_no_name_acts_on_the_terminal(region: str, width: int) -> None:
    """Escape codes, bidi marks and markup in regions, names and ARNs are shown, not obeyed."""
    text = render(a_report(region), Style(width=width, top=0, details=True))

    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(text)
    assert "[/red]x" in text


def test_checks_of_hops_stand_with_the_signals() -> None:
    """Rules, topics and alarms have no columns of their own: they are what a response is made of."""
    text = render(a_report("us-east-1"), Style(width=80, top=0))

    [head] = [line for line in text.splitlines() if line.startswith(" Region")]
    assert head.split("  ")[-1].strip() == "Response"
    assert not {"eventbridge", "sns", "alarms"} & set(head.split())


def test_services_that_share_a_column_stand_before_the_response() -> None:
    """What many accounts do without shares one column, and is found by any of its check ids."""
    assert list(services.columns())[-2:] == ["others", "signal"]
    shared = ("account", "vpc", "route53resolver", "securitylake", "firewallmanager", "organizations")
    assert {services.column(prefix) for prefix in shared} == {"others"}


def test_table_without_room_is_a_list() -> None:
    """Where not even one severity a cell has room, each region is told in lines of its own."""
    titles = {f"service-{index}": "x" * 20 for index in range(6)}

    narrow, wide = (
        [
            line.plain
            for line in Matrix(
                [], ["us-east-1"], "us-east-1", titles, width=width, collapse=True, glyphs=UTF
            ).lines()
        ]
        for width in (80, 200)
    )

    assert not any(line.startswith(" Region") for line in narrow)
    assert any(line.startswith(" Region") for line in wide)


def test_an_organization_of_any_name() -> None:
    """What the account is stands in the head, and an organization's id acts on no terminal."""
    none = Found(Account="", How="")
    own = Roles(
        Management=none,
        Audit=none,
        LogArchive=none,
        Own=["management account of o-[/]\x1b[2J"],
        Delegated=[],
    )
    report = msgspec.structs.replace(a_report("us-east-1"), roles={ACCOUNT: own})

    text = render(report, Style(width=200, color=False, ascii=True))

    assert "role management account of o-[/]" in text
    assert "\x1b" not in text
