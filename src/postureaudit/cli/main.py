"""The commands: parse, wire, print, exit. They decide nothing themselves."""

from __future__ import annotations

import datetime
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from postureaudit import __version__
from postureaudit.errors import PostureAuditError, UsageError

if TYPE_CHECKING:
    from postureaudit.catalog import Catalog
    from postureaudit.evidence import Evidence
    from postureaudit.findings import Finding, Severity

_SEVERITIES = ("critical", "high", "medium", "low", "info")


def run(args: Sequence[str]) -> int:
    """Run the command line and give its exit code; a foreseen failure is one sentence and a next step."""
    debug = "--debug" in args
    try:
        if "_POSTUREAUDIT_COMPLETE" in os.environ:
            main.main(args=list(args), prog_name="postureaudit")
        # Not main.main(): it turns a closed pipe into exit 1, which means something else here.
        with main.make_context("postureaudit", list(args)) as context:
            main.invoke(context)
        sys.stdout.flush()
        return 0
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except PostureAuditError as error:
        if debug:
            raise
        _say(error.message, error.hint)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        _say("interrupted")
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        if debug:
            raise
        _say(f"cannot write: {error.strerror or error}", "check the disk and the output path")
        return 1
    except Exception as error:
        if debug:
            raise
        _say(f"internal error: {type(error).__name__}: {error}", "run again with --debug and report it")
        return 1


def _say(message: str, hint: str = "") -> None:
    """A sentence for stderr, with a stranger's characters made visible."""
    from postureaudit.render.neutral import neutral

    print(f"postureaudit: {neutral(' '.join(message.split()))}", file=sys.stderr)
    if hint:
        print(f"  {neutral(hint)}", file=sys.stderr)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "POSTUREAUDIT"})
@click.version_option(__version__, prog_name="postureaudit", message="%(prog)s %(version)s")
def main() -> None:
    """Audit AWS detection and response in every region, read-only.

    Exit codes: 0 complete and clean; 1 did not run; 2 usage; 3 gaps; 4 blind (something could not be read);
    130 interrupted, 143 terminated, 141 output closed.
    """


def _options(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def apply(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return apply


_many: dict[str, Any] = {"multiple": True}
selection = _options(
    click.option(
        "-c", "--check", "only", metavar="ID", help="Only this check or family (config.*).", **_many
    ),
    click.option("--skip", metavar="ID", help="Not this check or family.", **_many),
    click.option("-s", "--service", "chosen", metavar="NAME", help="Only this service's checks.", **_many),
    click.option(
        "--severity", type=click.Choice(_SEVERITIES), default="info", help="At least this severity."
    ),
    click.option("--framework", "frameworks", metavar="NAME", help="Only checks that map to it.", **_many),
    click.option(
        "--checks", "checks_file", type=click.Path(path_type=Path), help="Add your own checks file."
    ),
    click.option("--config", type=click.Path(path_type=Path), help="Configuration file."),
    click.option("--no-config", is_flag=True, help="Ignore configuration files."),
)
asking = _options(
    click.option("--profile", help="AWS profile."),
    click.option("-r", "--region", "regions", metavar="GLOB", help="Only these regions.", **_many),
    click.option("--exclude-region", "exclude", metavar="GLOB", help="Not these regions.", **_many),
    click.option("--role-arn", help="Assume this role."),
    click.option("--external-id", help="The role's external id."),
    click.option("--expect-account", metavar="ID", help="Stop unless the credentials are this account's."),
    click.option("--max-workers", type=click.IntRange(1, 256), default=64, show_default=True),
    click.option("--timeout", type=click.FloatRange(min=1), help="Seconds for the whole walk."),
    click.option("--progress", type=click.Choice(("auto", "plain", "none")), default="auto"),
)
reporting = _options(
    click.option(
        "-o", "--output", "outputs", metavar="FORMAT[=PATH]", help="table, json; - is stdout.", **_many
    ),
    click.option("--fail-on", type=click.Choice((*_SEVERITIES, "none")), help="Exit 3 from here on. [low]"),
    click.option("--exit-zero", is_flag=True, help="Gaps do not change the exit code."),
    click.option("--allow-unknown", metavar="NAME", help="Tolerate this blindness, by name.", **_many),
    click.option("--waivers", "waivers_file", type=click.Path(path_type=Path), help="Waivers file."),
    click.option("--no-waivers", is_flag=True),
    click.option("--strict-waivers", is_flag=True, help="Exit 2 when a waiver matches nothing."),
    click.option("--set", "needs", metavar="NAME=VALUE", help="What only you know: LOG_BUCKET=...", **_many),
    click.option(
        "--top", type=click.IntRange(0), default=10, show_default=True, help="Gaps to show (0: all)."
    ),
    click.option("--details", is_flag=True, help="Every reason and command."),
    click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto"),
    click.option("--ascii", "ascii_only", is_flag=True, help="No glyphs beyond ASCII."),
    click.option("-q", "--quiet", is_flag=True, help="No progress and no RESULT line on stderr."),
    click.option("--debug", is_flag=True, help="Tracebacks."),
)


@main.command()
@selection
@asking
@reporting
def audit(**given: Any) -> None:
    """Collect, judge and report. The only question asked of you is the exit code."""
    given = _with_settings(given)
    catalog, ids = _catalog(given)
    _formats(given["outputs"])
    evidence, code = _collect(given, catalog, ids)
    _report(evidence, catalog, ids, given, interrupted=code)


@main.command()
@selection
@asking
@click.option("-o", "--output", "path", type=click.Path(path_type=Path), required=True)
@click.option("-q", "--quiet", is_flag=True)
@click.option("--debug", is_flag=True)
def collect(path: Path, **given: Any) -> None:
    """Ask AWS and keep the answers in a file (.json or .json.gz). Judges nothing."""
    from postureaudit import evidence as files

    given = _with_settings(given)
    catalog, ids = _catalog(given)
    evidence, code = _collect(given, catalog, ids)
    files.save(evidence, path)
    if not given["quiet"]:
        refused = len(evidence.refusals())
        click.echo(f"wrote {path}: {len(evidence)} answers, {refused} of them refusals", err=True)
    if code:
        raise click.exceptions.Exit(code)


@main.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--verify", is_flag=True, help="Refuse a file that was altered.")
@selection
@reporting
def report(path: Path, verify: bool, **given: Any) -> None:
    """Judge saved evidence. Needs no network and no credentials."""
    from postureaudit import evidence as files

    given = _with_settings(given)
    catalog, ids = _catalog(given)
    _report(files.load(path, verify=verify), catalog, ids, given)


@main.command()
@selection
@reporting
def demo(**given: Any) -> None:
    """The full report of a made-up account: no credentials, no network. Exits 0."""
    from importlib.resources import files as package_files

    from postureaudit import evidence as files
    from postureaudit import waivers

    data = package_files("postureaudit") / "data"
    import gzip

    evidence = files.loads(gzip.decompress((data / "demo.json.gz").read_bytes()), name="demo evidence")
    accepted = waivers.parse((data / "demo-waivers.yaml").read_text("utf-8"), name="demo waivers")
    given = {**given, "no_config": True}
    catalog, ids = _catalog(_with_settings(given))
    day = datetime.date.fromisoformat(evidence.header.ended[:10])
    _report(evidence, catalog, ids, _with_settings(given), accepted=accepted, today=day, gate=False)


@main.command()
@click.argument("name", metavar="CHECK")
def explain(name: str) -> None:
    """Why a check exists, what it reads, when it is unknown, and how to fix what it finds."""
    from postureaudit.catalog import builtin
    from postureaudit.cli.explain import text

    catalog = builtin()
    click.echo(text(catalog.check(name)))


@main.group()
def checks() -> None:
    """The catalogue of checks."""


@checks.command("list")
@click.option("--output", type=click.Choice(("text", "json")), default="text")
def list_checks(output: str) -> None:
    """Every check: id, severity and what must hold."""
    from postureaudit.catalog import builtin

    found = builtin().checks
    if output == "json":
        import json

        rows = [
            {"id": c.id, "severity": c.severity.value, "title": c.title, "maps_to": c.maps_to} for c in found
        ]
        click.echo(json.dumps(rows, indent=1))
        return
    width = max(len(check.id) for check in found)
    for check in found:
        click.echo(f"{check.id:{width}}  {check.severity.value:8}  {check.title}")


@checks.command("lint")
@click.argument("path", type=click.Path(path_type=Path))
def lint_checks(path: Path) -> None:
    """Prove a checks file: fields, expressions, fixes and examples."""
    from postureaudit import catalog, lint

    found = catalog.load_file(path)
    base = catalog.builtin()
    extra = [check for check in found if check.id not in base]
    whole = base.extended(extra)
    problems = lint.lint(whole, only=[check.id for check in found])
    for problem in problems:
        click.echo(f"{path}: {problem.check}: {problem.text}", err=True)
    if problems:
        raise UsageError(f"{len(problems)} problems in {path}", hint="each line above names one")
    click.echo(f"{path}: {len(found)} checks, no problems")


@main.command()
@click.argument("name", type=click.Choice(("result", "waivers")))
def schema(name: str) -> None:
    """Print a JSON Schema: of the JSON result, or of a waivers file."""
    from importlib.resources import files as package_files

    click.echo((package_files("postureaudit") / "schemas" / f"{name}.json").read_text("utf-8"), nl=False)


def _with_settings(given: dict[str, Any]) -> dict[str, Any]:
    """The options with what the configuration file sets where the command line is silent."""
    from postureaudit import settings

    named = given.get("config")
    path = named or (None if given.get("no_config") else settings.find(Path.cwd()))
    if path is None:
        found = settings.Settings()
    else:
        found = settings.load(path, found=named is None)
        if not given.get("quiet"):
            click.echo(f"using {path}", err=True)
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
        "waivers_file": Path(found.waivers) if found.waivers else None,
        "checks_file": Path(found.checks_file) if found.checks_file else None,
    }
    for name, value in pairs.items():
        if value and not merged.get(name):
            merged[name] = value
    merged.update(
        parameters=found.parameters,
        check_parameters=found.check_parameters,
        severities=found.severities,
        off=found.off,
    )
    return merged


def _catalog(given: Mapping[str, Any]) -> tuple[Catalog, frozenset[str]]:
    """The catalogue in force and the ids chosen from it."""
    from postureaudit import catalog, lint
    from postureaudit.findings import Severity

    found = catalog.builtin()
    if given.get("checks_file"):
        own = catalog.load_file(given["checks_file"])
        found = found.extended(own)
        problems = lint.lint(found, only=[check.id for check in own])
        if problems:
            raise UsageError(
                f"{given['checks_file']}: {problems[0].check}: {problems[0].text}",
                hint=f"see all with: postureaudit checks lint {given['checks_file']}",
            )
    found = found.tuned(
        severities=given["severities"], parameters=given["check_parameters"], off=given["off"]
    )
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


def _collect(given: Mapping[str, Any], catalog: Catalog, ids: frozenset[str]) -> tuple[Evidence, int]:
    """Walk AWS. The second value is 130 or 143 when a signal ended the walk early."""
    from postureaudit import services
    from postureaudit.aws.session import open_session
    from postureaudit.aws.walk import walk
    from postureaudit.catalog import calls
    from postureaudit.cli.progress import Progress

    stop = threading.Event()
    code = [0]

    def end(number: int, _: object) -> None:
        if stop.is_set():
            os._exit(128 + number)
        code[0] = 128 + number
        stop.set()
        print("\nstopping: waiting for calls in flight (again to stop at once)", file=sys.stderr)

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        session = open_session(
            profile=given["profile"],
            role_arn=given["role_arn"],
            external_id=given["external_id"],
            expect_account=given["expect_account"],
            max_workers=given["max_workers"],
        )
        with Progress("none" if given["quiet"] else given["progress"]) as progress:
            evidence = walk(
                session,
                [service.collect for service in services.all_services()],
                only=given["regions"],
                exclude=given["exclude"],
                wanted=calls(catalog, ids, services.types()),
                max_workers=given["max_workers"],
                timeout=given["timeout"],
                on_progress=progress,
                stop=stop,
            )
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return evidence, code[0]


def _report(
    evidence: Evidence,
    catalog: Catalog,
    ids: frozenset[str],
    given: Mapping[str, Any],
    *,
    accepted: Sequence[Any] | None = None,
    today: datetime.date | None = None,
    gate: bool = True,
    interrupted: int = 0,
) -> None:
    """Judge, apply waivers, decide, write every output, exit."""
    from postureaudit import evaluate, waivers
    from postureaudit.gate import decide
    from postureaudit.report import Report

    outputs = _formats(given["outputs"])
    needs = {**given["parameters"], **_needs(given["needs"])}
    findings: tuple[Finding, ...] = evaluate.evaluate(evidence, catalog, ids=ids, needs=needs)
    if accepted is None:
        file = None if given["no_waivers"] else given["waivers_file"]
        accepted = waivers.load(file) if file else ()
    today = today or datetime.datetime.now(datetime.UTC).date()
    applied = waivers.apply(findings, accepted, today=today)
    fail_on = _fail_on(given["fail_on"])
    decision = decide(
        applied.findings,
        fail_on=fail_on,
        exit_zero=given["exit_zero"],
        allow_unknown=frozenset(given["allow_unknown"]),
    )
    code = decision.code if gate else 0
    if given["strict_waivers"] and applied.unused:
        code = 2
    made = Report(
        evidence=evidence,
        digest=catalog.digest,
        findings=applied.findings,
        decision=decision,
        exit_code=interrupted or code,
        fail_on=fail_on,
        today=today.isoformat(),
        seconds=_seconds(evidence),
        warnings=applied.warnings,
    )
    _write(made, outputs, given)
    if made.exit_code:
        raise click.exceptions.Exit(made.exit_code)


def _write(made: Any, outputs: Sequence[tuple[str, str]], given: Mapping[str, Any]) -> None:
    """Files first, each whole or not at all; then standard output."""
    from postureaudit.evidence import write_whole
    from postureaudit.render import MACHINE, renderer

    for name, path in sorted(outputs, key=lambda item: item[1] == "-"):
        if path != "-":
            text = renderer(name)(made, _style(given, sys.stdout, file=True))
            write_whole(Path(path), text.encode("utf-8", "backslashreplace"))
            if not given["quiet"]:
                click.echo(f"wrote {path}", err=True)
            continue
        style = _style(given, sys.stdout)
        sys.stdout.write(renderer(name)(made, style))
        sys.stdout.flush()
    if not any(name not in MACHINE and path == "-" for name, path in outputs) and not given["quiet"]:
        from postureaudit.render.table import result_line

        for warning in made.warnings:
            _say(f"warning: {warning}")
        click.echo(result_line(made), err=True)


def _style(given: Mapping[str, Any], stream: Any, *, file: bool = False) -> Any:
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
    return Style(
        width=max(width, 40),
        color=color and not file,
        ascii=ascii_only,
        top=given["top"],
        details=given["details"],
    )


def _formats(outputs: Sequence[str]) -> list[tuple[str, str]]:
    """(format, path) pairs; raises UsageError for an unknown format or two reports on one stdout."""
    from difflib import get_close_matches

    from postureaudit.render import FORMATS

    found = []
    for item in outputs or ("table=-",):
        name, _, path = item.partition("=")
        if name not in FORMATS:
            near = get_close_matches(name, FORMATS) or sorted(FORMATS)
            raise UsageError(f"no output format {name!r}", hint=f"there is: {', '.join(near)}")
        found.append((name, path or "-"))
        if path not in ("", "-") and not Path(path).parent.is_dir():
            raise UsageError(f"the folder of {path} does not exist", hint="create it first")
    paths = [path for _, path in found]
    if len(set(paths)) != len(paths):
        raise UsageError("two reports go to the same place", hint="give each its own: -o json=result.json")
    return found


def _needs(given: Sequence[str]) -> dict[str, str]:
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


def _fail_on(text: str | None) -> Severity | None:
    from postureaudit.findings import Severity

    return None if text == "none" else Severity(text or "low")


def _seconds(evidence: Evidence) -> float:
    started, ended = (
        datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
        for text in (evidence.header.started, evidence.header.ended)
    )
    return (ended - started).total_seconds()
