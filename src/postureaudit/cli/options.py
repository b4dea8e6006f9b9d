"""The options that commands share: what to check, how to ask AWS, how to report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from postureaudit.cli import completing
from postureaudit.cli.completing import from_names

SEVERITIES = ("critical", "high", "medium", "low", "info")


def together(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """One decorator that adds these options, in this order."""

    def apply(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return apply


_many: dict[str, Any] = {"multiple": True}
_checks = from_names(completing.families_and_checks)
own_checks = click.option(
    "--checks",
    "checks_file",
    type=click.Path(path_type=Path),
    help="Your own checks file, which may tune others.",
)
selection = together(
    click.option(
        "-c",
        "--check",
        "only",
        metavar="ID",
        help="Only this check or family (config.*).",
        shell_complete=_checks,
        **_many,
    ),
    click.option("--skip", metavar="ID", help="Not this check or family.", shell_complete=_checks, **_many),
    click.option(
        "-s",
        "--service",
        "chosen",
        metavar="NAME",
        help="Only this service's checks.",
        shell_complete=from_names(completing.services),
        **_many,
    ),
    click.option("--severity", type=click.Choice(SEVERITIES), default="info", help="At least this severity."),
    click.option(
        "--framework",
        "frameworks",
        metavar="NAME",
        help="Only checks that map to it, summed up.",
        shell_complete=from_names(completing.frameworks),
        **_many,
    ),
    own_checks,
    click.option("--config", type=click.Path(path_type=Path), help="Configuration file."),
    click.option("--no-config", is_flag=True, help="Ignore configuration files."),
)
# What saved evidence may be judged by, whoever was named when it was collected.
naming = together(
    click.option("--audit-account", metavar="ID", help="The organization's security (audit) account."),
    click.option("--log-archive-account", metavar="ID", help="The account that keeps the logs."),
)
# More are answered no sooner: a process's threads wait for one another then (docs/explanation/speed.md).
IN_FLIGHT = 192  # one account: most of the time is spent waiting for far regions
IN_FLIGHT_EACH = 96  # many accounts, of each process: there is always something to do
asking = together(
    click.option("--profile", help="AWS profile."),
    click.option("-r", "--region", "regions", metavar="GLOB", help="Only these regions.", **_many),
    click.option("--exclude-region", "exclude", metavar="GLOB", help="Not these regions.", **_many),
    click.option("--role-arn", help="Assume this role."),
    click.option("--external-id", help="The role's external id."),
    click.option(
        "--role-session-name", default="postureaudit", show_default=True, help="What CloudTrail shows."
    ),
    click.option("--expect-account", metavar="ID", help="Stop unless the credentials are this account's."),
    naming,
    click.option("--log-archive-role", metavar="ARN", help="Read the log archive's bucket with this role."),
    click.option("--log-archive-external-id", help="That role's external id."),
    click.option(
        "--max-workers",
        type=click.IntRange(1, 256),
        help=f"Requests in flight. [{IN_FLIGHT}; for many accounts {IN_FLIGHT_EACH} a process]",
    ),
    click.option("--timeout", type=click.FloatRange(min=1), help="Seconds for the whole walk."),
    click.option("--progress", type=click.Choice(("auto", "plain", "none")), default="auto"),
)
organization = together(
    click.option("--org", is_flag=True, help="Audit every active account of the organization."),
    click.option("--account", "account_ids", metavar="ID", help="Only this account.", **_many),
    click.option(
        "--accounts-file",
        type=click.Path(path_type=Path),
        help="Accounts to audit: an id a line, then its name.",
    ),
    click.option("--ou", "ous", metavar="ID", help="Accounts below this organizational unit.", **_many),
    click.option("--exclude-account", "exclude_accounts", metavar="ID", help="Not this account.", **_many),
    click.option("--role-name", metavar="NAME", help="The role to assume in each account."),
    click.option(
        "--output-dir",
        type=click.Path(path_type=Path),
        help="Where evidence and findings of each account go; a new directory.",
    ),
    click.option("--resume", is_flag=True, help="Go on with the run in --output-dir: nothing is read twice."),
    click.option("--engine", type=click.Choice(("local", "dask")), default="local", show_default=True),
    click.option("--scheduler", metavar="ADDRESS", help="Dask's scheduler, such as tcp://127.0.0.1:8786."),
    click.option(
        "--workers", type=click.IntRange(1, 64), help="Processes for many accounts. [one a processor]"
    ),
)
reporting = together(
    click.option(
        "-o",
        "--output",
        "outputs",
        metavar="FORMAT[=PATH]",
        help="table, json, jsonl, sarif, junit, github, gitlab, markdown, html, csv, asff, ocsf, tickets, trace; "
        "- is stdout.",
        shell_complete=from_names(completing.formats),
        **_many,
    ),
    click.option(
        "--anchor",
        metavar="FILE[:LINE]",
        help="File of the repository at which sarif, gitlab and github put their results.",
    ),
    click.option(
        "--previous",
        type=click.Path(path_type=Path),
        help="An earlier JSON result: tickets keep the day they were first seen.",
    ),
    click.option(
        "--redact",
        metavar="KIND,...",
        help="Pseudonyms instead of names: accounts, arns, principals.",
    ),
    click.option(
        "--redact-key-file",
        type=click.Path(path_type=Path),
        help="The same key gives the same pseudonyms in the next run.",
    ),
    click.option("--fail-on", type=click.Choice((*SEVERITIES, "none")), help="Exit 3 from here on. [low]"),
    click.option("--exit-zero", is_flag=True, help="Gaps do not change the exit code."),
    click.option("--allow-unknown", metavar="NAME", help="Tolerate this blindness, by name.", **_many),
    click.option(
        "--baseline",
        "baseline_file",
        type=click.Path(path_type=Path),
        help="Gaps of an earlier day: they are shown and do not gate.",
    ),
    click.option("--waivers", "waivers_file", type=click.Path(path_type=Path), help="Waivers file."),
    click.option("--no-waivers", is_flag=True),
    click.option("--strict-waivers", is_flag=True, help="Exit 2 when a waiver matches nothing."),
    click.option("--set", "needs", metavar="NAME=VALUE", help="What only you know: LOG_BUCKET=...", **_many),
    click.option(
        "--write-fixes",
        "fixes_folder",
        metavar="DIR",
        type=click.Path(path_type=Path),
        help="Write all fixes into DIR, in order: a script to read and run, its documents, Terraform.",
    ),
    click.option(
        "--top", type=click.IntRange(0), default=10, show_default=True, help="Gaps to show (0: all)."
    ),
    click.option("--details", is_flag=True, help="Every reason and command."),
    click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto"),
    click.option("--ascii", "ascii_only", is_flag=True, help="No glyphs beyond ASCII."),
    click.option("-q", "--quiet", is_flag=True, help="No progress and no RESULT line on stderr."),
    click.option("--debug", is_flag=True, help="Tracebacks."),
)
