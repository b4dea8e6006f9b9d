"""A page for each check, one for each service and the list of all: docs/reference/checks/."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import yaml

from postureaudit import compliance, services, terraform
from postureaudit.aws import allowed
from postureaudit.catalog import Catalog, Check, Variant, calls, reads
from postureaudit.evidence import Json
from postureaudit.resources import ResourceType, ScopeKind
from scripts.markdown_text import code, fence, page, plain, said, table

_SCOPES = {
    ScopeKind.REGION: "each audited region",
    ScopeKind.ACCOUNT: "the account",
    ScopeKind.ORGANIZATION: "the organization",
    ScopeKind.RESOURCE: "each resource of this type",
}
_TITLES = {
    "accessanalyzer": "IAM Access Analyzer",
    "account": "Account",
    "alarms": "CloudWatch alarms",
    "cloudtrail": "CloudTrail",
    "config": "AWS Config",
    "detective": "Detective",
    "eventbridge": "EventBridge",
    "firewallmanager": "Firewall Manager",
    "guardduty": "GuardDuty",
    "inspector": "Inspector",
    "macie": "Macie",
    "organizations": "Organizations",
    "route53resolver": "Route 53 Resolver",
    "securityhub": "Security Hub",
    "securityincidentresponse": "Security Incident Response",
    "securitylake": "Security Lake",
    "signal": "Signals",
    "sns": "SNS",
    "vpc": "VPC",
}
_EXAMPLES = {
    "pass": "Passes",
    "fail": "Fails",
    "unknown": "Unknown",
    "not_applicable": "Not applicable",
}


def title(service: str) -> str:
    """What people call a service, by its prefix in check ids."""
    return _TITLES.get(service, service)


def path(check: str) -> str:
    """The page of a check, in docs/reference/checks/."""
    service, _, rest = check.partition(".")
    return f"{service}/{rest}.md"


def pages(catalog: Catalog) -> Iterator[tuple[str, str]]:
    """Each page's path in docs/ and its text."""
    kinds = services.types()
    yield "reference/checks/index.md", _overview(catalog)
    for service in catalog.services():
        yield f"reference/checks/{service}/index.md", _service(service, catalog, kinds)
    for check in catalog.checks:
        yield f"reference/checks/{path(check.id)}", _check(check, catalog, kinds)


def _overview(catalog: Catalog) -> str:
    def rows() -> Iterator[tuple[str, str, str]]:
        for service in catalog.services():
            found = [check for check in catalog.checks if check.service == service]
            counts = [
                f"{sum(check.severity.value == level for check in found)} {level}"
                for level in ("critical", "high", "medium", "low", "info")
                if any(check.severity.value == level for check in found)
            ]
            yield f"[{title(service)}]({service}/index.md)", str(len(found)), ", ".join(counts)

    lines = [
        f"All {len(catalog.checks)} checks, by service. Families (a check a GuardDuty plan, a Security Hub "
        "integration, a signal) are written out: each id below is one that `-c`, waivers and tickets take.",
        "",
        *table(("Service", "Checks", "Severities"), rows()),
    ]
    for service in catalog.services():
        lines += [f"## {title(service)}", "", *_list(service, catalog, f"{service}/")]
    return page("Checks", lines)


def _list(service: str, catalog: Catalog, folder: str) -> list[str]:
    return table(
        ("Check", "Severity", "What must hold"),
        (
            (
                f"[`{check.id}`]({folder}{check.id.partition('.')[2]}.md)",
                check.severity.value,
                plain(check.title),
            )
            for check in catalog.checks
            if check.service == service
        ),
    )


def _service(service: str, catalog: Catalog, kinds: Mapping[str, ResourceType]) -> str:
    ids = [check.id for check in catalog.checks if check.service == service]
    asked = sorted(calls(catalog, ids, kinds))
    lines = [
        "[All checks](../index.md)",
        "",
        *_list(service, catalog, ""),
        "## Calls",
        "",
        "What these checks, those that they require and their fixes' commands are read from. All are reads "
        "of settings.",
        "",
        *_calls(asked),
    ]
    return page(f"{title(service)} checks", lines)


def _calls(asked: list[str]) -> list[str]:
    if not asked:
        return ["None.", ""]
    return table(
        ("Call", "Permission"),
        ((code(call), ", ".join(code(action) for action in _actions(call))) for call in asked),
    )


def _actions(call: str) -> tuple[str, ...]:
    found = allowed.IAM_ACTIONS[call]
    return (found,) if isinstance(found, str) else tuple(found)


def _check(check: Check, catalog: Catalog, kinds: Mapping[str, ResourceType]) -> str:
    kind = kinds[check.resource]
    lines = [
        f"[All checks](../index.md) › [{title(check.service)}](index.md)",
        "",
        f"**{plain(check.title)}.** Severity: **{check.severity.value}**. "
        f"It judges {_SCOPES[kind.scope]} ({code(kind.name)}).",
        "",
        plain(check.why),
        "",
    ]
    if check.service == "signal":
        lines += [f"The event that is traced: [{check.topic}](../../signals/{check.topic}.md).", ""]
    lines += [
        "## Verdict",
        "",
        "It passes when this holds ([how to read it](../../../guides/own-checks.md)):",
        "",
    ]
    lines += fence(check.pass_when, "text")
    if check.applies_when:
        lines += ["It applies when this holds; elsewhere it is *not applicable*:", ""]
        lines += fence(check.applies_when, "text")
        if check.otherwise:
            lines += [f"The report then says: {said(check.otherwise)}.", ""]
    if check.requires:
        lines += [
            f"It requires {', '.join(_to(name) for name in check.requires)}: where one of them does not "
            "pass, the question means nothing, and it is *not applicable* or *unknown*.",
            "",
        ]
    lines += [
        f"It is *not applicable* as well where there is nothing to judge ({plain(kind.none)}), or the "
        "service is not offered in the region.",
        "",
    ]
    if check.reason:
        lines += ["A gap's reason reads:", "", f"> {said(check.reason)}", ""]
    if check.parameters:
        lines += [
            "## Parameters",
            "",
            "Another value comes from `check-parameters` in a settings file, or from your own checks file.",
            "",
        ]
        lines += table(
            ("Name", "Default"),
            ((code(name), code(json.dumps(value))) for name, value in check.parameters.items()),
        )
        for name, members in check.sets.items():
            lines += [f"The set {code(name)} stands for: {', '.join(code(item) for item in members)}.", ""]
    asked = list(reads(check, kinds))
    lines += ["## What it reads", "", *_calls(asked)]
    lines += [
        "It is *unknown* where one of these calls is refused, throttled, expired or timed out, and what was "
        "read does not decide.",
        "",
    ]
    lines += ["## Examples", "", "`?refused` stands for an answer that AWS refused.", ""]
    for verdict, word in _EXAMPLES.items():
        if found := check.examples.get(verdict):
            lines += [f"{word}:", "", *fence(_yaml(found), "yaml")]
    lines += ["## Fix", ""]
    for number, variant in enumerate(check.fix, 1):
        lines += _variant(variant, number, len(check.fix))
    lines += _mapping(check)
    return page(code(check.id), lines)


def _to(name: str) -> str:
    return f"[`{name}`](../{path(name)})"


def _yaml(found: list[dict[str, Json]]) -> str:
    """Examples as checks.yaml has them: one a line, braces kept."""
    return "\n".join(
        f"- {yaml.safe_dump(item, default_flow_style=True, sort_keys=False, width=10_000, allow_unicode=True).strip()}"
        for item in found
    )


def _variant(variant: Variant, number: int, total: int) -> list[str]:
    lines: list[str] = []
    if total > 1:
        condition = f"When {code(variant.when)}" if variant.when else "Otherwise"
        lines += [f"### Case {number}", "", f"{condition}:", ""]
    elif variant.when:
        lines += [f"When {code(variant.when)}:", ""]
    if variant.first:
        lines += ["First, by hand:", "", *(f"- {said(step)}" for step in variant.first), ""]
    if variant.mender:
        lines += [
            "The commands are worked out for each place from what was read, and the result is traced again "
            "before they are printed.",
            "",
        ]
    if variant.for_each:
        lines += [f"For each of {code(variant.for_each)}:", ""]
    commands = (*((variant.command,) if variant.command else ()), *variant.commands)
    if commands:
        lines += fence("\n".join(commands), "text")
    if variant.steps:
        lines += [*(f"{index}. {said(step)}" for index, step in enumerate(variant.steps, 1)), ""]
    facts = (
        ("Effect", plain(variant.effect)),
        ("Cost", plain(variant.cost)),
        ("Undo", code(variant.undo) if variant.undo.startswith("aws ") else said(variant.undo)),
        ("Permissions", ", ".join(map(code, variant.permissions))),
        ("Fix first", ", ".join(map(_to, variant.after))),
        ("Run in account", code(variant.account) if variant.account else ""),
    )
    if any(value for _, value in facts):
        lines += [f"- {label}: {value}" for label, value in facts if value]
        lines.append("")
    if variant.terraform is not None:
        lines += ["In Terraform:", "", *fence(terraform.shown(variant.terraform), "hcl")]
    return lines


def _mapping(check: Check) -> list[str]:
    if not check.maps_to:
        return []
    known = compliance.load()
    return [
        "## Maps to",
        "",
        *table(
            ("Framework", "Requirement", "About"),
            (
                (known[name].name if name in known else name, number, plain(known[name].about(number)))
                for name, numbers in check.maps_to.items()
                for number in numbers
            ),
        ),
    ]
