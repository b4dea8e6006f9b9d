"""What `explain` says of a check, from the check itself and the resource type it judges; checks by requirement."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from postureaudit import compliance, services, terraform
from postureaudit.catalog import Catalog, Check, Variant, reads

_WIDTH = 79


def text(check: Check, *, more: Sequence[str] = ()) -> str:
    """The page of one check, 79 columns wide; commands keep their placeholders, and are not folded.

    `more` are lines that others have to say of it.
    """
    kinds = services.types()
    kind = kinds[check.resource]
    lines = [f"{check.id}   {check.severity.value.upper()}   scope: {kind.scope.value}", check.title, ""]
    lines += entry("Why", check.why)
    lines += entry("Passes", check.pass_when)
    if check.parameters:
        lines += entry("Param", ", ".join(f"{name} = {value}" for name, value in check.parameters.items()))
    for name, members in check.sets.items():
        lines += entry("Set", f"{name}: {', '.join(members)}")
    if check.applies_when:
        lines += entry("Applies", f"{check.applies_when} (else: {check.otherwise or 'not applicable'})")
    if check.requires:
        lines += entry("Requires", ", ".join(check.requires))
    lines += more
    lines += entry("Reads", "  ".join(reads(check, kinds)))
    lines += entry("Unknown", "where one of these is refused and the other answers do not decide")
    lines += entry("N/A", f"{kind.none}, or the service is not offered in the region")
    label = "Maps to"
    if not check.maps_to:
        lines += entry(label, "-")
    for name, numbers in check.maps_to.items():
        lines += entry(label, f"{name}  " + "; ".join(_titled(name, number) for number in numbers))
        label = ""
    for variant in check.fix:
        lines += _variant(variant)
    return "\n".join(lines)


def requirements(name: str, catalog: Catalog) -> str:
    """A framework's requirements, each with the checks that map to it, or that none does."""
    framework = compliance.load()[name]
    lines = [f"{framework.name}: the requirements about detection, logging, response and their organization"]
    for item in compliance.summarize(framework, (), catalog.mapped()).requirements:
        lines.append(f"{item.number}  {item.title}")
        lines += [f"    {catalog.check(check).severity.value:8}  {check}" for check in item.checks]
        if not item.checks:
            lines.append("    not covered by postureaudit")
    return "\n".join(lines)


def _titled(name: str, number: str) -> str:
    """A requirement's number with what it is about, in our words."""
    framework = compliance.load().get(name)
    return f"{number} {framework.about(number) if framework else ''}".rstrip()


def _variant(variant: Variant) -> Iterator[str]:
    yield ""
    when = f" (when {variant.when})" if variant.when else ""
    for command in (*((variant.command,) if variant.command else ()), *variant.commands):
        yield f"Fix{when}"
        yield f"         {command}"
        when = ""
    for step in variant.first:
        yield from entry("First", step)
    if variant.mender:
        yield from entry(
            "Fix", "worked out for each place from what was read, and proven on it before it is printed"
        )
    for index, step in enumerate(variant.steps, 1):
        yield from entry(f"Step {index}", step)
    if variant.terraform is not None:
        yield "Terraform"
        yield from (f"         {line}" for line in terraform.shown(variant.terraform).splitlines())
    for label, value in (
        ("Effect", variant.effect),
        ("Cost", variant.cost),
        ("Undo", variant.undo),
        ("Needs", ", ".join(variant.permissions)),
    ):
        if value:
            yield from entry(label, value)


def entry(label: str, value: str) -> list[str]:
    """A label and its text, folded beside it."""
    return textwrap.wrap(
        value,
        _WIDTH,
        initial_indent=f"{label:9}",
        subsequent_indent=" " * 9,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [label]
