"""A fixed zoo of hostile names, and a report in which a stranger's text stands wherever AWS's text can stand."""

from __future__ import annotations

import msgspec

from postureaudit import compliance
from postureaudit.evidence import Account, Answer, Evidence, Header, Record, Refusal, RefusalKind, Regions
from postureaudit.findings import (
    Finding,
    Fix,
    Place,
    Severity,
    Verdict,
    Waived,
    fingerprint,
    overall,
    place_fingerprint,
)
from postureaudit.fixes import shell
from postureaudit.gate import decide
from postureaudit.report import Report
from postureaudit.signals.model import Hop, Outcome, Route

ACCOUNT = "111122223333"
ZOO = {
    "markup": "[/]",
    "style": "[bold red]PASS[/]",
    "escape": "\x1b[2J\x1b[31mred",
    "osc8": "\x1b]8;;https://evil.example/\x1b\\click\x1b]8;;\x1b\\",
    "c1": "a\x9b2Jb",
    "bidi": "safe\u202egpj.exe",
    "formula": "=cmd|' /C calc'!A0",
    "at": "@SUM(1+1)",
    "script": "<script>alert(1)</script>",
    "attribute": '" onmouseover="alert(1)',
    "entity": "&lt;b&gt;&#x1b;",
    "file": "file:///etc/passwd",
    "option": "--debug",
    "substitution": "$(touch /tmp/pwned)`id`",
    "newline": "one\ntwo",
    "command": "\n::error title=x::forged",
    "old command": "##[error]forged",
    "cdata": "]]><x/>",
    "pipe": "a|b",
    "ticks": "``` ` ````",
    "mention": "@everyone #123 http://evil.example ![x](http://evil.example/x.png)",
    "percent": "100%25 %0A",
    "quotes": "a'b\"c\\",
    "surrogate": "half \ud800",
    "null": "nul \x00 end",
    "json": '{"a": "\\u0000"}',
    "jinja": "{{ 7*7 }}{% raw %}",
    "wide": "名前" * 50,
    "role": "x,roleARN=arn:aws:iam::666666666666:role/evil",
}


def a_report(*names: str) -> Report:
    """A report on one account: for each name a place with each verdict, and the name in each field of text."""
    names = names or tuple(ZOO.values())
    findings = tuple(_finding(check, names) for check in ("cloudtrail.enabled", "config.recorder-on"))
    first = names[0].encode("utf-8", "backslashreplace").decode()  # as the walk keeps what is no Unicode
    header = Header(
        tool_version="0",
        started="2026-11-24T00:00:00Z",
        ended="2026-11-24T00:00:12Z",
        partition="aws",
        caller=f"arn:aws:sts::{ACCOUNT}:assumed-role/Audit/{first}",
        accounts=(Account(id=ACCOUNT, name=first),),
        regions=Regions(audited=("eu-west-1", "us-east-1")),
        leader="us-east-1",
    )
    refused = Refusal(RefusalKind.DENIED, first, first, "config:DescribeConfigRules", "eu-west-1")
    records = [_record(header, "cloudtrail:DescribeTrails", Answer({"trailList": [{"Name": first}]}))]
    records.append(_record(header, refused.call, refused))
    return Report(
        evidence=Evidence(header, records),
        digest="sha256:0",
        findings=findings,
        decision=decide(findings),
        exit_code=3,
        fail_on=Severity.LOW,
        today="2026-11-24",
        seconds=12.0,
        warnings=tuple(f"waiver {name} matches nothing" for name in names),
        routes=tuple(_route(name) for name in names),
        changes=tuple(f"{name} is switched off" for name in names),
        frameworks=compliance.summaries(
            ["cis-7.0"], [msgspec.structs.replace(findings[0], check=name) for name in names], {}
        ),
    )


def _record(header: Header, call: str, outcome: Answer | Refusal) -> Record:
    return Record(
        call=call, params={}, account=ACCOUNT, region="eu-west-1", at=header.started, outcome=outcome
    )


def _finding(check: str, names: tuple[str, ...]) -> Finding:
    places = tuple(
        _place(check, verdict, name, waived=waived)
        for name in names
        for verdict, waived in (
            (Verdict.FAIL, False),
            (Verdict.FAIL, True),
            (Verdict.UNKNOWN, False),
            (Verdict.PASS, False),
            (Verdict.NOT_APPLICABLE, False),
        )
    )
    return Finding(
        fingerprint=fingerprint("aws", ACCOUNT, check),
        check=check,
        title="A logging trail covers this region",
        severity=Severity.HIGH,
        verdict=overall([place.verdict for place in places]),
        account=ACCOUNT,
        why="Without a trail nobody can reconstruct an intrusion.",
        service=check.partition(".")[0],
        maps_to={"cis-7.0": ("4.1",), "nist-800-53-r5": ("SI-7(1)",)},
        places=places,
        fix=_fix(names),
    )


def _place(check: str, verdict: Verdict, name: str, *, waived: bool) -> Place:
    waiver = Waived(id="W-1", owner=name, reason=name, expires="2026-12-31", ticket=name) if waived else None
    subject = f"{verdict.value}{'-waived' * waived}-{name}"
    return Place(
        fingerprint=place_fingerprint("aws", ACCOUNT, check, "eu-west-1", subject),
        region="eu-west-1",
        resource=subject,
        verdict=verdict,
        reason=f"no trail but {name}",
        facts={"Name": name, "List": [name]},
        owner=name,
        waiver=waiver,
        fix=_fix((name,)) if verdict is Verdict.FAIL else None,
        blind=(("config:DescribeConfigRules", "eu-west-1", "denied"),) if verdict is Verdict.UNKNOWN else (),
    )


def _fix(names: tuple[str, ...]) -> Fix:
    plain = [name for name in names if name.isprintable() and not name.startswith(("-", "file:"))]
    argvs = tuple(("aws", "cloudtrail", "start-logging", "--name", name) for name in plain)
    return Fix(
        argv=argvs or None,
        shell="\n".join(shell(argv) for argv in argvs),
        steps=tuple(f"Rename {name}." for name in names),
        effect="writes; starts logging",
        cost="none",
        undo="\n".join(shell(argv) for argv in argvs),
        permissions=("cloudtrail:StartLogging",),
        account=ACCOUNT,
        region="eu-west-1",
    )


def _route(name: str) -> Route:
    return Route(
        signal="guardduty-high",
        severity=Severity.HIGH,
        account=ACCOUNT,
        region="eu-west-1",
        outcome=Outcome.BROKEN,
        reason=f"the rule {name} is disabled",
        hops=(Hop(kind="rule", name=name, region="eu-west-1", reason=name),),
        missing=(name,),
        weakest=name,
    )
