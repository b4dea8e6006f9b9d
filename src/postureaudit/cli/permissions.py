"""iam-policy: what the audit's role has to be allowed, as documents to paste."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from postureaudit.cli import choices, options
from postureaudit.cli.messages import say
from postureaudit.errors import UsageError


@click.command("iam-policy")
@options.selection
@click.option("--supplement-to", type=click.Choice(("SecurityAudit",)), help="Only what this policy lacks.")
@click.option(
    "--missing",
    "result",
    metavar="RESULT",
    type=click.Path(path_type=Path),
    help="Only what the run of this JSON result was denied.",
)
@click.option("--account", metavar="ID", help="With --missing: only what this account denied.")
@click.option("--org", "of_organization", is_flag=True, help="Also what audit --org needs where it starts.")
@click.option("--role-name", metavar="NAME", help="With --org: the role that it assumes in each account.")
@click.option("--log-archive", is_flag=True, help="The policy of the role that --log-archive-role names.")
@click.option("--verify-with-aws", "verify", is_flag=True, help="Also what trace --verify-with-aws asks.")
@click.option("--trust", metavar="ID", help="The trust policy of a role that this account may assume.")
@click.option("--external-id", help="With --trust: the external id that the caller has to name.")
@click.option(
    "--partition", type=click.Choice(("aws", "aws-cn", "aws-us-gov")), default="aws", show_default=True
)
@click.option(
    "--write",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A file for each policy.",
)
@click.option("-q", "--quiet", is_flag=True)
@click.option("--debug", is_flag=True, help="Tracebacks.")
def iam_policy(**given: Any) -> None:
    """The smallest IAM policy for the chosen checks. Needs no network and no credentials.

    One JSON document, or a list of them where IAM's 6,144 characters do not hold all: attach each as a policy.
    """
    from postureaudit import permissions

    _refuse_combinations(given)
    if given["trust"]:
        trusted = permissions.trust(given["trust"], given["external_id"], given["partition"])
        _print([trusted], given, "trust")
        return
    names, statements = _wanted(given)
    if given["supplement_to"]:
        managed = permissions.managed(given["supplement_to"])
        names -= managed.allows
        if not given["quiet"]:
            say(f"{managed.name} {managed.version} of {managed.updated} allows the rest")
    found = permissions.documents(names, statements=statements)
    if not found:
        say("no permission is missing")
        return
    _print(found, given, "postureaudit")


def _refuse_combinations(given: Mapping[str, Any]) -> None:
    alone = [name for name in ("result", "log_archive", "trust") if given[name]]
    if len(alone) > 1:
        raise UsageError(
            "--missing, --log-archive and --trust are three policies", hint="ask for one at a time"
        )
    for name, needs in (("account", "result"), ("role_name", "of_organization")):
        if given[name] and not given[needs]:
            option = {"result": "--missing", "of_organization": "--org"}[needs]
            raise UsageError(
                f"--{name.replace('_', '-')} is of no use without {option}", hint=f"add {option}"
            )
    if given["external_id"] and not given["trust"]:
        raise UsageError(
            "--external-id is of no use without --trust", hint="name the account that is trusted"
        )
    if given["of_organization"] and not given["role_name"]:
        raise UsageError("--org assumes a role in each account", hint="name it: --role-name NAME")
    if given["trust"] and not re.fullmatch(r"[0-9]{12}", given["trust"]):
        raise UsageError(f"--trust {given['trust']!r} is no account id", hint="an account id has 12 digits")
    if given["role_name"] and not re.fullmatch(r"[\w+=,.@/-]+", given["role_name"], re.ASCII):
        raise UsageError(
            f"--role-name {given['role_name']!r} is no name of a role", hint="such as PostureAudit"
        )


def _wanted(given: Mapping[str, Any]) -> tuple[frozenset[str], list[dict[str, Any]]]:
    """The actions, and the statements that are no plain reads."""
    from postureaudit import permissions, services
    from postureaudit.catalog import calls

    if given["result"]:
        return _missing(given), []
    if given["log_archive"]:
        return permissions.for_log_archive(), []
    catalog, ids = choices.chosen_catalog(choices.with_settings(dict(given)))
    needed = calls(catalog, ids, services.types()) | permissions.ALWAYS
    if given["verify"]:
        needed |= permissions.VERIFYING
    statements = []
    if given["of_organization"]:
        needed |= permissions.LISTING
        statements = [permissions.assume(given["role_name"], given["partition"])]
    return permissions.actions(needed), statements


def _missing(given: Mapping[str, Any]) -> frozenset[str]:
    from postureaudit import permissions, results

    unknown = results.load(given["result"]).unknown
    accounts = sorted({item.account for item in unknown})
    if given["account"]:
        unknown = tuple(item for item in unknown if item.account == given["account"])
    found = permissions.denied(unknown)
    if len(accounts) > 1 and not given["account"] and not given["quiet"]:
        say(f"accounts {', '.join(accounts)} did not answer all", "choose one: --account ID")
    for call in found.by_organization:
        say(f"{call} is refused by a service or resource control policy: no policy of the role mends that")
    for account in found.roles:
        say(f"the role in account {account} could not be assumed", "see: postureaudit iam-policy --trust ID")
    if found.actions and not given["quiet"]:
        say("a key, bucket, topic or queue may refuse by its own policy, too")
    return found.actions


def _print(documents: list[dict[str, Any]], given: Mapping[str, Any], stem: str) -> None:
    import json

    from postureaudit.evidence import write_whole

    folder: Path | None = given["folder"]
    texts = [json.dumps(document, indent=2) + "\n" for document in documents]
    if folder is None:
        click.echo(json.dumps(documents[0] if len(documents) == 1 else documents, indent=2))
        if len(documents) > 1 and not given["quiet"]:
            say(
                f"{len(documents)} policies: IAM holds 6,144 characters in one",
                "a file for each: --write DIR",
            )
        return
    for number, text in enumerate(texts, 1):
        path = folder / (f"{stem}-{number}.json" if len(texts) > 1 else f"{stem}.json")
        write_whole(path, text.encode())
        if not given["quiet"]:
            click.echo(f"wrote {path}", err=True)
