"""JUnit XML for CI servers: a suite a service, a case a check and place; what was not evaluated is an error."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from postureaudit import services
from postureaudit.findings import Finding, Place, Verdict
from postureaudit.render import Style
from postureaudit.render.neutral import neutral
from postureaudit.render.summary import remedy, subject
from postureaudit.report import Report

# Characters that XML 1.0 forbids even as references; neutral() makes all but these few visible already.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report, style: Style) -> str:
    """The report by Jenkins' schema (junit-10.xsd): failure is a gap, skipped is waived or not applicable."""
    root = ElementTree.Element("testsuites")
    known = {item.name: item.title for item in services.all_services()}
    totals: dict[str, int] = dict.fromkeys(("tests", "failures", "errors"), 0)
    for name in dict.fromkeys(finding.service for finding in report.findings):
        found = [finding for finding in report.findings if finding.service == name]
        suite = ElementTree.SubElement(root, "testsuite", name=_text(known.get(name, name)))
        places = [(finding, place) for finding in found for place in finding.places]
        counts = {
            "tests": len(places),
            "failures": sum(_state(place) == "failure" for _, place in places),
            "errors": sum(_state(place) == "error" for _, place in places),
            "skipped": sum(_state(place) == "skipped" for _, place in places),
        }
        for key, count in counts.items():
            suite.set(key, str(count))
            if key in totals:
                totals[key] += count
        suite.set("timestamp", report.evidence.header.ended.rstrip("Z"))
        suite.set("time", "0")
        for finding, place in places:
            _case(suite, finding, place)
    for key, count in totals.items():
        root.set(key, str(count))
    root.set("name", "postureaudit")
    ElementTree.indent(root, " ")
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _case(suite: ElementTree.Element, finding: Finding, place: Place) -> None:
    case = ElementTree.SubElement(
        suite,
        "testcase",
        classname=_text(f"{finding.account}.{finding.check}"),
        name=_text(f"{finding.title} [{subject(place)}]"),
        time="0",
    )
    state = _state(place)
    if not state:
        return
    reason = _text(place.reason or finding.title)
    if place.waiver:
        reason = (
            _text(f"waived by {place.waiver.id} ({place.waiver.owner}) until {place.waiver.expires}: ")
            + reason
        )
    element = ElementTree.SubElement(case, state, message=reason)
    if state != "skipped":
        element.set("type", finding.severity.value if state == "failure" else "not evaluated")
        element.text = _text(_detail(finding, place))


def _detail(finding: Finding, place: Place) -> str:
    lines = [finding.why, f"fingerprint: {finding.fingerprint}"]
    if place.fix:
        lines.append(remedy(place.fix))
    return "\n".join(lines)


def _state(place: Place) -> str:
    """The child of the case: "" for a pass."""
    match place.verdict:
        case Verdict.FAIL:
            return "skipped" if place.waiver else "failure"
        case Verdict.UNKNOWN:
            return "skipped" if place.waiver else "error"
        case Verdict.NOT_APPLICABLE:
            return "skipped"
        case _:
            return ""


def _text(text: str) -> str:
    return _ILLEGAL.sub("?", "\n".join(neutral(line) for line in text.split("\n")))
