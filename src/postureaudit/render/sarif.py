"""SARIF 2.1.0 for code scanning: one result a check and account, at the file that stands for the audit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from postureaudit import __version__
from postureaudit.findings import Finding, Severity, Verdict
from postureaudit.render import Style, indented
from postureaudit.render import markdown as md
from postureaudit.render.neutral import neutral
from postureaudit.render.summary import headline, open_places, reasons, references, subject, waived_places
from postureaudit.report import Report, Unseen

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
# What the checks rest on: the tool itself has no page of its own yet.
_ABOUT = "https://docs.aws.amazon.com/prescriptive-guidance/latest/security-reference-architecture/"
_MANY = 100  # places of one result that are listed as related subjects
_TAGS = 20  # GitHub refuses more tags on a rule
# GitHub orders by this number: over 9.0 critical, 7.0 high, 4.0 medium, below low; 0.0 would be none.
_SCORE = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "2.0",
    Severity.INFO: "0.5",
}
_LEVEL = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning"}


def render(report: Report, style: Style) -> str:
    """The log as indented JSON, ASCII only."""
    return indented.dumps(document(report, style))


def document(report: Report, style: Style) -> dict[str, Any]:
    """One run: rules for checks with a gap or an unknown, a result for each gap, a notification for each refusal."""
    told = sorted(
        (item for item in report.findings if item.verdict in (Verdict.FAIL, Verdict.UNKNOWN)),
        key=lambda item: (item.check, item.account),
    )
    rules: dict[str, list[Finding]] = {}
    for item in told:
        rules.setdefault(item.check, []).append(item)
    index = {name: at for at, name in enumerate(rules)}
    gaps = [item for item in told if item.verdict is Verdict.FAIL]
    header = report.evidence.header
    scanned = "/".join(item.id for item in header.accounts)
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "postureaudit",
                        "fullName": f"postureaudit {__version__}",
                        "version": __version__,
                        "semanticVersion": __version__,
                        "informationUri": _ABOUT,
                        "rules": [_rule(own) for own in rules.values()],
                    }
                },
                "automationDetails": {"id": f"postureaudit/{scanned}/"},
                "columnKind": "utf16CodeUnits",
                "originalUriBaseIds": {"SRCROOT": {"description": {"text": "The root of the repository."}}},
                "invocations": [
                    {
                        "executionSuccessful": report.exit_code in (0, 3, 4),
                        "exitCode": report.exit_code,
                        "startTimeUtc": header.started,
                        "endTimeUtc": header.ended,
                        "toolExecutionNotifications": [_notification(item) for item in report.unseen()],
                    }
                ],
                "results": [
                    {**_result(item, index[item.check], style), **_baseline(item, report)} for item in gaps
                ],
            }
        ],
    }


def _rule(own: Sequence[Finding]) -> dict[str, Any]:
    """The check. A code review shows its help beside each result: places and commands only where they are the one's."""
    finding = own[0]
    alone = len(own) == 1 and finding.verdict is Verdict.FAIL
    text = md.body(finding) if alone else [md.text(finding.why), ""]
    tags = ["security", "aws", finding.service, *references(finding)]
    return {
        "id": finding.check,
        "name": "".join(part.capitalize() for part in finding.check.replace(".", "-").split("-")),
        "shortDescription": {"text": _sentence(finding.title)},
        "fullDescription": {"text": _sentence(finding.why)},
        "defaultConfiguration": {"level": _level(finding.severity)},
        "help": {
            "text": _sentence(f"{finding.why} More: postureaudit explain {finding.check}"),
            "markdown": "\n".join([*text, f"More: `postureaudit explain {finding.check}`"]),
        },
        "properties": {
            "tags": list(dict.fromkeys(tags))[:_TAGS],
            "precision": "very-high",
            "security-severity": _SCORE[finding.severity],
        },
    }


def _result(finding: Finding, rule: int, style: Style) -> dict[str, Any]:
    waived = waived_places(finding)
    places = open_places(finding) or waived
    text = ". ".join([headline(finding), *(reason.rstrip(".") for reason in reasons(places)[:5])])
    result: dict[str, Any] = {
        "ruleId": finding.check,
        "ruleIndex": rule,
        "level": _level(finding.severity),
        "message": {"text": _sentence(f"{text} (account {finding.account})")},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": style.anchor_uri(), "uriBaseId": "SRCROOT"},
                    "region": {"startLine": style.anchor_line},
                },
                "logicalLocations": [
                    {"fullyQualifiedName": neutral(f"{finding.account}/{subject(place)}"), "kind": "resource"}
                    for place in places[:_MANY]
                ],
            }
        ],
        # The only fingerprint GitHub reads; it wants a count behind the colon.
        "partialFingerprints": {"primaryLocationLineHash": f"{finding.fingerprint.replace(':', '-')}:1"},
        "properties": {
            "account": finding.account,
            "severity": finding.severity.value,
            "places": [place.fingerprint for place in places],
        },
    }
    if finding.waived:
        result["suppressions"] = [
            {
                "kind": "external",
                "status": "accepted",
                "justification": neutral(
                    f"{waiver.id} until {waiver.expires} ({waiver.owner}): {waiver.reason}"
                ),
            }
            for waiver in {place.waiver.id: place.waiver for place in waived if place.waiver}.values()
        ]
    return result


def _baseline(finding: Finding, report: Report) -> dict[str, str]:
    """SARIF 2.1.0, 3.27.24: what a baseline that was given says of a result."""
    if report.fresh(finding):
        return {"baselineState": "new"}
    return {"baselineState": "unchanged"} if any(place.known for place in finding.places) else {}


def _notification(item: Unseen) -> dict[str, Any]:
    code = f" ({item.code})" if item.code else ""
    kind = item.kind.replace("_", " ")
    text = f"{item.call} in {item.region} of account {item.account} was not answered: {kind}{code}."
    return {
        "level": "error",
        "message": {"text": neutral(f"{text} It leaves unknown: {', '.join(item.affects[:20])}.")},
        "descriptor": {"id": "not-evaluated"},
    }


def _level(severity: Severity) -> str:
    return _LEVEL.get(severity, "note")


def _sentence(text: str) -> str:
    shown = neutral(" ".join(text.split()))
    return shown if shown.endswith(".") else shown + "."
