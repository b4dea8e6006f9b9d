"""From evidence to reports and an exit code: judge, apply waivers, decide, write every output."""

from __future__ import annotations

import datetime
import os
import stat
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from postureaudit.cli import choices
from postureaudit.cli.messages import say
from postureaudit.errors import UsageError

if TYPE_CHECKING:
    from postureaudit.catalog import Catalog
    from postureaudit.evidence import Evidence
    from postureaudit.findings import Severity
    from postureaudit.judging import Judging
    from postureaudit.redact import Redactor
    from postureaudit.report import Report


def prove(given: Mapping[str, Any]) -> None:
    """Read what the report will need before AWS is asked: a mistake in a file may not cost the walk. Raises UsageError
    and the errors of those files."""
    from postureaudit import baseline, results, waivers

    formats(given["outputs"], given["fixes_folder"])
    _anchor(given)
    _redactor(given)
    choices.needs(given["needs"])
    if given["waivers_file"] and not given["no_waivers"]:
        waivers.load(given["waivers_file"])
    if given["baseline_file"]:
        baseline.load(given["baseline_file"])
    if given["previous"]:
        results.load(given["previous"])


def report(
    evidence: Evidence,
    catalog: Catalog,
    ids: frozenset[str],
    given: Mapping[str, Any],
    *,
    accepted: Sequence[Any] | None = None,
    today: datetime.date | None = None,
    gate: bool = True,
    interrupted: int = 0,
    warnings: Sequence[str] = (),
) -> None:
    """Judge, apply waivers, decide, write every output, exit."""
    from postureaudit.judging import judge

    outputs = formats(given["outputs"], given["fixes_folder"])
    warn_of_lost(evidence, given)
    by = judging(given, ids, accepted=accepted, today=today)
    redactor = _redactor(given, [waiver.owner for waiver in by.accepted])
    made, _ = judge(evidence, catalog, by, gate=gate, interrupted=interrupted, warnings=warnings)
    if given["fixes_folder"]:
        write_fixes(made, catalog, given)
    if redactor:
        made = redactor.report(made)
    write(made, outputs, given)
    if made.exit_code:
        raise click.exceptions.Exit(made.exit_code)


def _redactor(given: Mapping[str, Any], people: Sequence[str] = ()) -> Redactor | None:
    """What turns names into pseudonyms; without a key file its key is for this run alone."""
    if not given["redact"]:
        return None
    import secrets

    from postureaudit.redact import KINDS, Redactor

    kinds = [kind.strip() for kind in given["redact"].split(",")]
    for kind in kinds:
        if kind not in KINDS:
            raise UsageError(f"--redact knows no {kind!r}", hint=f"there is: {', '.join(KINDS)}")
    path = given["redact_key_file"]
    try:
        key = path.read_bytes() if path else secrets.token_bytes(32)
    except OSError as error:
        raise UsageError(
            f"cannot read {path}: {error.strerror}", hint="name a file with a secret of yours"
        ) from error
    if len(key.strip()) < 16:
        raise UsageError(f"the key in {path} is too short", hint="make one with: openssl rand -hex 32")
    return Redactor(kinds, key, people)


def judging(
    given: Mapping[str, Any],
    ids: frozenset[str],
    *,
    accepted: Sequence[Any] | None = None,
    today: datetime.date | None = None,
) -> Judging:
    """By what the caller wants evidence to be judged, with the files read that say so."""
    from postureaudit import baseline, results, waivers
    from postureaudit.judging import Judging

    if accepted is None:
        file = None if given["no_waivers"] else given["waivers_file"]
        accepted = waivers.load(file) if file else ()
    return Judging(
        ids=ids,
        today=today or datetime.datetime.now(datetime.UTC).date(),
        needs={**given["parameters"], **choices.needs(given["needs"])},
        accepted=tuple(accepted),
        baseline=baseline.load(given["baseline_file"]) if given["baseline_file"] else None,
        fail_on=_fail_on(given["fail_on"]),
        exit_zero=given["exit_zero"],
        allow_unknown=frozenset(given["allow_unknown"]),
        strict_waivers=given["strict_waivers"],
        frameworks=tuple(given["frameworks"]),
        first_seen=results.load(given["previous"]).first_seen() if given["previous"] else None,
    )


def warn_of_lost(evidence: Evidence, given: Mapping[str, Any]) -> None:
    """Say on stderr that the walk did not ask all that it should have: what is missing is unknown."""
    from postureaudit.aws import outcomes
    from postureaudit.evidence import Refusal, RefusalKind

    if given["quiet"]:
        return
    if evidence.header.interrupted:
        say(f"warning: the evidence is not whole: {evidence.header.interrupted}")
    own = {account.id for account in evidence.header.accounts}
    refused = [item.outcome for item in evidence.refusals() if item.account in own]
    expired = [found for found in refused if isinstance(found, Refusal) and found.kind is RefusalKind.EXPIRED]
    if any(outcomes.is_skewed(found.code, found.message) for found in expired):
        say(
            "warning: AWS refused the time of this machine's clock: what was not answered by then is unknown",
            "set the clock, then run the audit again",
        )
    elif expired:
        say(
            "warning: the credentials expired during the audit: what was not answered by then is unknown",
            "sign in again, then run the audit again",
        )


def write_fixes(made: Report, catalog: Catalog, given: Mapping[str, Any]) -> None:
    """The fixes of all open gaps as files, none of them executable."""
    from postureaudit import plan
    from postureaudit.cli import folder
    from postureaudit.render import script

    found = plan.make(made.findings, plan.order(catalog.checks))
    folder.write(given["fixes_folder"], script.files(made, found))
    if not given["quiet"]:
        kept, far = script.without_far_topics(found)
        later = len(found.later) + len(far)
        left = f", {later} left for the next audit" if later else ""
        by_hand = f", {len(found.by_hand)} to do by hand" if found.by_hand else ""
        click.echo(
            f"wrote {given['fixes_folder']}: {len(kept.ready)} fixes with commands{left}{by_hand}; "
            "read fixes.sh before you run it",
            err=True,
        )


def write(made: Any, outputs: Sequence[tuple[str, str]], given: Mapping[str, Any]) -> None:
    """Files first, each whole or not at all; then standard output."""
    from postureaudit.evidence import write_whole
    from postureaudit.render import MACHINE, SCREEN, renderer

    for name, path in sorted(outputs, key=lambda item: item[1] == "-"):
        if path != "-":
            text = renderer(name)(made, style(given, sys.stdout, file=True))
            # It names what is weak: for its owner, unless the file was there and is for others too.
            write_whole(Path(path), text.encode("utf-8", "backslashreplace"), mode=mode_of(Path(path)))
            if not given["quiet"]:
                click.echo(f"wrote {path}", err=True)
            continue
        text = renderer(name)(made, style(given, sys.stdout))
        if name in SCREEN:
            sys.stdout.write(text)
            sys.stdout.flush()
            continue
        # A file format has one encoding, whatever the terminal's, and its own line ends.
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
        sys.stdout.buffer.flush()
    if any(name == "github" for name, _ in outputs):
        step_summary(made, given)
    if not any(name not in MACHINE and path == "-" for name, path in outputs) and not given["quiet"]:
        from postureaudit.render.table import result_line

        for warning in made.warnings:
            say(f"warning: {warning}")
        click.echo(result_line(made), err=True)


def mode_of(path: Path) -> int:
    """The permissions of a report: those of the file that it replaces, else its owner's alone."""
    return stat.S_IMODE(path.stat().st_mode) if path.is_file() else 0o600


def step_summary(made: Any, given: Mapping[str, Any]) -> None:
    """Add the Markdown report to the summary of the GitHub Actions step, where the runner names a file for it."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    from postureaudit.render import renderer
    from postureaudit.render.github import step_summary

    text = step_summary(renderer("markdown")(made, style(given, sys.stdout, file=True)))
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(text)


def _anchor(given: Mapping[str, Any]) -> tuple[str, int]:
    """The file and line that stand for the audit in a code review: as named, else the settings or waivers in use.

    Raises UsageError for a path that is none of the repository's: code reviews take relative ones alone.
    """
    if given["anchor"]:
        name, colon, line = given["anchor"].rpartition(":")
        if colon and line.isascii() and line.isdigit() and int(line) > 0:
            return _in_repository(name), int(line)
        return _in_repository(given["anchor"]), 1
    for path in (given.get("settings_file"), given["waivers_file"]):
        if path and Path(path).resolve().is_relative_to(Path.cwd()):
            return Path(path).resolve().relative_to(Path.cwd()).as_posix(), 1
    return ".postureaudit.yaml", 1


def _in_repository(name: str) -> str:
    """A path with / between its parts, relative to the repository; an absolute one below this folder is made so."""
    from pathlib import PurePosixPath, PureWindowsPath

    path = Path(name)
    if path.is_absolute() and path.is_relative_to(Path.cwd()):
        return path.relative_to(Path.cwd()).as_posix()
    windows = PureWindowsPath(name)
    found = windows.as_posix() if windows.drive or os.sep == "\\" else name
    if PurePosixPath(found).is_absolute() or windows.drive or ".." in PurePosixPath(found).parts or not name:
        raise UsageError(
            f"--anchor {name!r} is no path inside the repository", hint="such as infra/policy.yaml:12"
        )
    return PurePosixPath(found).as_posix()


def style(given: Mapping[str, Any], stream: Any, *, file: bool = False) -> Any:
    """Width, colour and glyphs, from the options, the environment and the terminal."""
    import shutil

    from postureaudit.render import Style

    environment = os.environ
    tty = not file and stream.isatty()
    choice = given["color"]
    wanted = environment.get("FORCE_COLOR") or environment.get("CLICOLOR_FORCE")
    color = choice == "always" or (
        choice == "auto" and not environment.get("NO_COLOR") and (bool(wanted) or tty)
    )
    columns = environment.get("COLUMNS", "")
    width = int(columns) if columns.isdigit() and int(columns) > 0 else 0
    width = width or (shutil.get_terminal_size((100, 24)).columns if tty else 100)
    try:
        "✗·─".encode("utf-8" if file else (stream.encoding or "ascii"))
        ascii_only = given["ascii_only"]
    except (UnicodeEncodeError, LookupError):
        ascii_only = True
    anchor, anchor_line = _anchor(given)
    return Style(
        anchor=anchor,
        anchor_line=anchor_line,
        width=max(width, 40),
        color=color and not file,
        ascii=ascii_only,
        top=given["top"],
        details=given["details"],
    )


def formats(outputs: Sequence[str], fixes_folder: Path | None) -> list[tuple[str, str]]:
    """(format, path) pairs; raises UsageError for an unknown format, two reports in one place, a place that cannot be
    written, or a folder for the fixes that cannot be."""
    from difflib import get_close_matches

    from postureaudit.cli import folder
    from postureaudit.render import FORMATS

    if fixes_folder:
        folder.prove(fixes_folder)
    found = []
    for item in outputs or ("table=-",):
        name, _, path = item.partition("=")
        if name not in FORMATS:
            near = get_close_matches(name, FORMATS) or sorted(FORMATS)
            raise UsageError(f"no output format {name!r}", hint=f"there is: {', '.join(near)}")
        found.append((name, path or "-"))
        if path not in ("", "-"):
            _prove_file(Path(path))
    paths = [path if path == "-" else os.path.realpath(path) for _, path in found]
    if len(set(paths)) != len(paths):
        raise UsageError("two reports go to the same place", hint="give each its own: -o json=result.json")
    return found


def _prove_file(path: Path) -> None:
    if not path.parent.is_dir():
        raise UsageError(f"the folder of {path} does not exist", hint="create it first")
    if path.is_dir():
        raise UsageError(f"{path} is a folder", hint="name a file in it")
    if path.is_symlink():
        raise UsageError(f"{path} is a symbolic link", hint="name the real file; - is standard output")


def _fail_on(text: str | None) -> Severity | None:
    from postureaudit.findings import Severity

    return None if text == "none" else Severity(text or "low")
