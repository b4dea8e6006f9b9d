"""doctor: whether an audit would work from here, and what is missing for it."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from postureaudit.cli import choices, collecting, options

if TYPE_CHECKING:
    from postureaudit.aws.doctor import Diagnosis


@click.command()
@options.selection
@options.asking
@click.option("-o", "--output", type=click.Choice(("text", "json")), default="text", show_default=True)
@click.option("-q", "--quiet", is_flag=True)
@click.option("--debug", is_flag=True, help="Tracebacks.")
def doctor(output: str, **given: Any) -> None:
    """Say who asks, which regions there are, which calls are refused, and what would mend that.

    Each call that needs no names is made once, in one region. Exit codes: 0 all is well; 1 no audit is possible
    (credentials, clock, network); 4 something would be unknown.
    """
    from postureaudit import services
    from postureaudit.aws import doctor as examining
    from postureaudit.catalog import calls

    given = choices.with_settings(given)
    catalog, ids = choices.chosen_catalog(given)
    wanted = calls(catalog, ids, services.types())
    found = examining.examine(
        lambda: collecting.opened(given),
        [service.collect for service in services.all_services()],
        wanted,
        environment=os.environ,
        now=lambda: datetime.datetime.now(datetime.UTC),
        timeout=given["timeout"],
    )
    # One of the two lists of regions is enough, and the account's alias decides nothing.
    blind = any(item.call in wanted for item in found.refused)
    code = 1 if found.problem or found.is_skewed else 4 if blind else 0
    if output == "json":
        click.echo(json.dumps(_document(found, code, given), indent=1))
    else:
        from postureaudit.render.neutral import neutral

        for line in _lines(found, given):
            click.echo(neutral(line))
    if code:
        raise click.exceptions.Exit(code)


def _policy(found: Diagnosis) -> list[dict[str, Any]]:
    from postureaudit import permissions

    return permissions.documents(permissions.denied(found.refused).actions)


def _document(found: Diagnosis, code: int, given: Mapping[str, Any]) -> dict[str, Any]:
    import msgspec

    file = given.get("settings_file")
    return {
        **msgspec.to_builtins(found),
        "clock_is_wrong": found.is_skewed,
        "policy": _policy(found),
        "settings_file": str(file) if file else None,
        "exit_code": code,
    }


def _lines(found: Diagnosis, given: Mapping[str, Any]) -> Iterator[str]:
    yield from _who(found)
    if found.skew is None:
        yield "clock        AWS gave no time to compare with"
    elif found.is_skewed:
        way = "ahead of" if found.skew > 0 else "behind"
        yield f"clock        WRONG: {abs(found.skew):.0f} s {way} AWS, which refuses more than 300 s: set it (NTP)"
    else:
        yield f"clock        within {max(1, round(abs(found.skew)))} s of AWS's"
    if found.regions:
        names = (*found.regions.audited, *found.regions.excluded)
        yield f"regions      {len(names)} enabled: {', '.join(sorted(names))}"
        if found.regions.not_enabled:
            yield f"             {len(found.regions.not_enabled)} not enabled: {', '.join(found.regions.not_enabled)}"
        refused = {item.call for item in found.refused}
        yield f"calls        {found.tried} tried in one region, {len(refused)} refused"
        for item in found.refused:
            yield f"  {item.call} {item.region}: {item.kind}{f' ({item.code})' if item.code else ''}"
        if found.untried:
            yield f"             {len(found.untried)} not tried: they need names of what the others find"
        yield from _mends(found)
    file = given.get("settings_file")
    yield f"settings     {file or 'no settings file'}"
    yield f"versions     {', '.join(f'{name} {text}' for name, text in found.versions.items())}"
    for name, text in found.environment.items():
        yield f"environment  {name}={text}"


def _who(found: Diagnosis) -> Iterator[str]:
    if found.problem:
        yield f"PROBLEM      {found.problem}"
        if found.hint:
            yield f"             {found.hint}"
    if not found.caller:
        return
    yield f"caller       {found.caller}"
    yield f"account      {found.account} (partition {found.partition})"
    yield f"credentials  found by {found.found_by or 'a way botocore does not name'}"
    yield f"             {f'they end at {found.expires}' if found.expires else 'when they end is not known'}"


def _mends(found: Diagnosis) -> Iterator[str]:
    """The policy to add, and what none would mend."""
    from postureaudit import permissions

    denied = permissions.denied(found.refused)
    for call in denied.by_organization:
        yield f"  {call}: refused by a service or resource control policy; no policy of the role mends that"
    for document in permissions.documents(denied.actions):
        yield "policy to add"
        yield from json.dumps(document, indent=2).splitlines()
