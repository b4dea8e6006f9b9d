"""What the caller chose: the command line over the environment over a configuration file, and the checks it means."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from postureaudit.errors import UsageError

if TYPE_CHECKING:
    from postureaudit.catalog import Catalog
    from postureaudit.evidence import Evidence, Named


def with_settings(given: dict[str, Any]) -> dict[str, Any]:
    """The options with what the configuration file sets where the command line is silent."""
    from postureaudit import settings

    named = given.get("config")
    path = named or (None if given.get("no_config") else settings.find(Path.cwd(), home=_home()))
    if path is None:
        found = settings.Settings()
    else:
        found = settings.load(path, found=named is None)
        if not given.get("quiet"):
            narrowed = ", ".join(
                name.replace("_", "-") for name in settings.NARROWING if getattr(found, name)
            )
            click.echo(f"using {path}" + (f", which narrows {narrowed}" if narrowed else ""), err=True)
    merged = {"parameters": {}, "check_parameters": {}, "severities": {}, "off": (), **given}
    pairs = {
        "regions": found.regions,
        "exclude": found.exclude_regions,
        "only": found.check,
        "skip": found.skip,
        "chosen": found.services,
        "frameworks": found.frameworks,
        "fail_on": found.fail_on,
        "profile": found.profile,
        "role_arn": found.role_arn,
        "external_id": found.external_id,
        "audit_account": found.audit_account,
        "log_archive_account": found.log_archive_account,
        "log_archive_role": found.log_archive_role,
        "log_archive_external_id": found.log_archive_external_id,
        "waivers_file": Path(found.waivers) if found.waivers else None,
        "checks_file": Path(found.checks_file) if found.checks_file else None,
        "baseline_file": Path(found.baseline) if found.baseline else None,
    }
    for name, value in pairs.items():
        if value and not merged.get(name):
            merged[name] = value
    merged.update(
        settings_file=path,
        parameters=found.parameters,
        check_parameters=found.check_parameters,
        severities=found.severities,
        off=found.disable,
    )
    accounts(merged)  # what cannot be an account is said before anything else is done
    return merged


def accounts(given: Mapping[str, Any]) -> Named:
    """The accounts that the caller named, and the log archive's role. Raises UsageError for what cannot be."""
    from postureaudit.evidence import Named

    found = Named(
        audit_account=given.get("audit_account") or "",
        log_archive_account=given.get("log_archive_account") or "",
        log_archive_role=given.get("log_archive_role") or "",
    )
    for option, value in (
        ("--audit-account", found.audit_account),
        ("--log-archive-account", found.log_archive_account),
    ):
        if value and not re.fullmatch(r"[0-9]{12}", value):
            raise UsageError(f"{option} {value!r} is no account id", hint="an account id has 12 digits")
    if given.get("log_archive_external_id") and not found.log_archive_role:
        raise UsageError(
            "--log-archive-external-id is of no use alone", hint="name the role with --log-archive-role"
        )
    if not found.log_archive_role:
        return found
    match = re.fullmatch(r"arn:aws[a-z-]*:iam::([0-9]{12}):role/[\w+=,.@/-]+", found.log_archive_role)
    if match is None:
        raise UsageError(
            f"--log-archive-role {found.log_archive_role!r} is no ARN of a role",
            hint="such as arn:aws:iam::111122223333:role/SecurityAudit",
        )
    if found.log_archive_account not in ("", match[1]):
        raise UsageError(
            f"--log-archive-role is in account {match[1]}, not in {found.log_archive_account}",
            hint="correct --log-archive-account or --log-archive-role",
        )
    return Named(
        audit_account=found.audit_account,
        log_archive_account=match[1],
        log_archive_role=found.log_archive_role,
    )


def renamed(evidence: Evidence, given: Mapping[str, Any]) -> Evidence:
    """Saved evidence for a caller who names other accounts than were named when it was collected."""
    found = accounts(given)
    return evidence.naming(audit_account=found.audit_account, log_archive_account=found.log_archive_account)


def _home() -> Path | None:
    """The user's configuration folder (XDG base directory specification)."""
    named = os.environ.get("XDG_CONFIG_HOME")
    if named:
        return Path(named)
    return Path(os.environ["HOME"]) / ".config" if os.environ.get("HOME") else None


def with_own(path: Path | None) -> Catalog:
    """The shipped catalogue with the caller's checks file, if there is one. Raises UsageError for a mistake in it."""
    from postureaudit import catalog, checks_file, lint

    if path is None:
        return catalog.builtin()
    found, problems = lint.lint_file(checks_file.load(path), catalog.builtin())
    if problems:
        first = problems[0]
        raise UsageError(
            f"{path}:{first.line}: {first.check or 'file'}: {first.sentence()}",
            hint=f"see all with: postureaudit checks lint {path}",
        )
    return found


def chosen_catalog(given: Mapping[str, Any]) -> tuple[Catalog, frozenset[str]]:
    """The catalogue in force and the ids chosen from it."""
    from postureaudit.findings import Severity

    found = with_own(given.get("checks_file"))
    try:
        found = found.tuned(
            severities=given["severities"], parameters=given["check_parameters"], off=given["off"]
        )
    except UsageError as error:  # only a file that was named on purpose may set these
        raise UsageError(f"{given['config']}: {error.message}", hint=error.hint) from error
    ids = found.select(
        only=given["only"],
        skip=given["skip"],
        services=given["chosen"],
        at_least=Severity(given["severity"]),
        frameworks=given["frameworks"],
    )
    if not ids:
        raise UsageError("no check fits all of these choices", hint="see: postureaudit checks list")
    return found, ids


def needs(given: Sequence[str]) -> dict[str, str]:
    from postureaudit.catalog import NEEDS

    found = {}
    for item in given:
        name, equals, value = item.partition("=")
        if not equals or name not in NEEDS:
            raise UsageError(
                f"--set {item!r} names nothing that a fix needs", hint=f"there is: {', '.join(NEEDS)}"
            )
        found[name] = value
    return found


def narrowed(evidence: Evidence, only: Sequence[str], exclude: Sequence[str]) -> Evidence:
    """The evidence of these regions alone. Raises UsageError for a glob that fits none of them."""
    from fnmatch import fnmatchcase

    import msgspec

    from postureaudit.evidence import Evidence

    regions = evidence.header.regions
    for glob in (*only, *exclude):
        if not any(fnmatchcase(name, glob) for name in regions.audited):
            raise UsageError(
                f"the evidence has no region {glob!r}", hint=f"it has: {', '.join(regions.audited)}"
            )
    audited = tuple(
        name
        for name in regions.audited
        if (not only or any(fnmatchcase(name, glob) for glob in only))
        and not any(fnmatchcase(name, glob) for glob in exclude)
    )
    left_out = tuple(name for name in regions.audited if name not in audited)
    if not audited:
        raise UsageError("no region is left", hint=f"there is: {', '.join(regions.audited)}")
    kept = msgspec.structs.replace(regions, audited=audited, excluded=(*regions.excluded, *left_out))
    return Evidence(msgspec.structs.replace(evidence.header, regions=kept), evidence)
