"""What `explain` says of a check, from the check itself and the resource type it judges."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from postureaudit import services
from postureaudit.catalog import Check, Variant, reads

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
    if check.applies_when:
        lines += entry("Applies", f"{check.applies_when} (else: {check.otherwise or 'not applicable'})")
    if check.requires:
        lines += entry("Requires", ", ".join(check.requires))
    lines += more
    lines += entry("Reads", "  ".join(reads(check, kinds)))
    lines += entry("Unknown", "where one of these is refused and the other answers do not decide")
    lines += entry("N/A", f"{kind.none}, or the service is not offered in the region")
    mapped = "; ".join(f"{name} {', '.join(numbers)}" for name, numbers in check.maps_to.items())
    lines += entry("Maps to", mapped or "-")
    for variant in check.fix:
        lines += _variant(variant)
    return "\n".join(lines)


def _variant(variant: Variant) -> Iterator[str]:
    yield ""
    when = f" (when {variant.when})" if variant.when else ""
    for command in (*((variant.command,) if variant.command else ()), *variant.commands):
        yield f"Fix{when}"
        yield f"         {command}"
        when = ""
    if variant.mender:
        yield from entry(
            "Fix", "worked out for each place from what was read, and proven on it before it is printed"
        )
    for index, step in enumerate(variant.steps, 1):
        yield from entry(f"Step {index}", step)
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
