"""The commands: parse, wire, print, exit. They decide nothing themselves."""

from __future__ import annotations

import datetime
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from postureaudit import __version__
from postureaudit.cli import choices, collecting, completing, options, permissions, reporting
from postureaudit.cli.doctor import doctor
from postureaudit.cli.messages import say, show_trace
from postureaudit.errors import PostureAuditError, UsageError

if TYPE_CHECKING:
    from postureaudit.evidence import Evidence


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
            show_trace(error)
        say(error.message, error.hint)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        say("interrupted")
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        if debug:
            show_trace(error)
        say(f"cannot write: {error.strerror or error}", "check the disk and the output path")
        return 1
    except Exception as error:
        if debug:
            show_trace(error)
        from postureaudit.aws.hidden import hidden

        text = f"internal error: {type(error).__name__}: {hidden(str(error))}"
        say(text, "report it with what --debug shows" if debug else "run again with --debug and report it")
        return 1


@click.group(context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "POSTUREAUDIT"})
@click.version_option(__version__, prog_name="postureaudit", message="%(prog)s %(version)s")
def main() -> None:
    """Audit AWS detection and response in every region, read-only.

    Exit codes: 0 complete and clean; 1 did not run; 2 usage; 3 gaps; 4 blind (something could not be read);
    130 interrupted, 143 terminated, 141 output closed.
    """


@main.command()
@options.selection
@options.asking
@options.organization
@options.reporting
def audit(**given: Any) -> None:
    """Collect, judge and report. The only question asked of you is the exit code.

    With --org, --account or --accounts-file: of many accounts, each with its own role.
    """
    given = choices.with_settings(given)
    from postureaudit.cli import organization

    if organization.is_wanted(given):
        organization.audit(given)
        return
    catalog, ids = choices.chosen_catalog(given)
    reporting.prove(given)
    evidence, code = collecting.collect(given, catalog, ids)
    reporting.report(evidence, catalog, ids, given, interrupted=code)


@main.command()
@options.selection
@options.asking
@click.option("-o", "--output", "path", type=click.Path(path_type=Path), required=True)
@click.option("-q", "--quiet", is_flag=True)
@click.option("--debug", is_flag=True)
def collect(path: Path, **given: Any) -> None:
    """Ask AWS and keep the answers in a file (.json or .json.gz). Judges nothing."""
    from postureaudit import evidence as files

    given = choices.with_settings(given)
    catalog, ids = choices.chosen_catalog(given)
    evidence, code = collecting.collect(given, catalog, ids)
    files.save(evidence, path)
    reporting.warn_of_lost(evidence, given)
    if not given["quiet"]:
        refused = len(evidence.refusals())
        click.echo(f"wrote {path}: {len(evidence)} answers, {refused} of them refusals", err=True)
    if code:
        raise click.exceptions.Exit(code)


@main.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--verify", is_flag=True, help="Refuse a file that was altered.")
@options.selection
@options.naming
@options.reporting
def report(path: Path, verify: bool, **given: Any) -> None:
    """Judge saved evidence, of one account or a directory of many. Needs no network and no credentials."""
    from postureaudit import evidence as files

    given = choices.with_settings(given)
    if path.is_dir():
        from postureaudit.cli import organization

        organization.report(path, given)
        return
    catalog, ids = choices.chosen_catalog(given)
    evidence = choices.renamed(files.load(path, verify=verify), given)
    reporting.report(evidence, catalog, ids, given)


@main.command()
@click.option(
    "--signal",
    "signals",
    metavar="NAME",
    multiple=True,
    help="Only this signal (guardduty-high).",
    shell_complete=completing.from_names(completing.signals),
)
@click.option("--from", "path", type=click.Path(path_type=Path), help="Trace saved evidence, not AWS.")
@click.option("--demo", "made_up", is_flag=True, help="Trace the demo's account.")
@click.option("--verify-with-aws", "verify", is_flag=True, help="Have AWS match the events too (read-only).")
@click.option("--checks", "checks_file", type=click.Path(path_type=Path), hidden=True)
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file.")
@click.option("--no-config", is_flag=True, help="Ignore configuration files.")
@options.asking
@options.reporting
def trace(signals: tuple[str, ...], path: Path | None, made_up: bool, verify: bool, **given: Any) -> None:
    """Follow each signal to whoever hears of it, or to the hop where it dies, and say what mends that."""
    from postureaudit import evidence as files

    chosen: dict[str, Any] = {"only": [f"signal.{name}" for name in signals] or ["signal.*"]}
    chosen |= {"skip": (), "chosen": (), "frameworks": (), "severity": "info"}
    given = {**choices.with_settings({**given, "no_config": given["no_config"] or made_up}), **chosen}
    given["outputs"] = given["outputs"] or ("trace=-",)
    catalog, ids = choices.chosen_catalog(given)
    reporting.prove(given)
    if made_up or path:
        saved = choices.renamed(files.load(path) if path else _demo(), given)
        evidence = choices.narrowed(saved, given["regions"], given["exclude"])
        code = 0
    else:
        evidence, code = collecting.collect(given, catalog, ids)
    names = {catalog.check(name).topic for name in ids}
    said = collecting.second_opinion(given, evidence, names) if verify and not (made_up or code) else []
    reporting.report(evidence, catalog, ids, given, gate=not made_up, interrupted=code, warnings=said)


main.add_command(permissions.iam_policy)
main.add_command(doctor)


@main.command()
@options.selection
@options.reporting
def demo(**given: Any) -> None:
    """The full report of a made-up account: no credentials, no network. Exits 0."""
    from importlib.resources import files as package_files

    from postureaudit import waivers

    evidence = _demo()
    text = (package_files("postureaudit") / "data" / "demo-waivers.yaml").read_text("utf-8")
    given = choices.with_settings({**given, "no_config": True})
    own = given["no_waivers"] or given["waivers_file"]  # the caller's choice comes before the demo's waivers
    accepted = None if own else waivers.parse(text, name="demo waivers")
    catalog, ids = choices.chosen_catalog(given)
    day = datetime.date.fromisoformat(evidence.header.ended[:10])
    reporting.report(evidence, catalog, ids, given, accepted=accepted, today=day, gate=False)


def _demo() -> Evidence:
    """The evidence of the made-up account, which is shipped with the program."""
    import gzip
    from importlib.resources import files as package_files

    from postureaudit import evidence as files

    data = (package_files("postureaudit") / "data" / "demo.json.gz").read_bytes()
    return files.loads(gzip.decompress(data), name="demo evidence")


@main.command()
@click.argument(
    "name",
    metavar="CHECK|FINDING TYPE|investigation",
    shell_complete=completing.from_names(completing.check_ids),
)
@click.option("--from", "path", type=click.Path(path_type=Path), help="Say what holds in saved evidence.")
@click.option("--demo", "made_up", is_flag=True, help="Say what holds in the demo's account.")
@options.own_checks
def explain(name: str, path: Path | None, made_up: bool, checks_file: Path | None) -> None:
    """Why a check exists, what it reads, when it is unknown, and how to fix what it finds.

    Or what a GuardDuty finding type needs (Exfiltration:S3/AnomalousBehavior), or where CloudTrail's everyday
    questions can be answered (investigation).
    """
    from postureaudit import evidence as files
    from postureaudit.cli.explaining import page

    catalog = choices.with_own(checks_file)
    evidence = _demo() if made_up else files.load(path) if path else None
    click.echo(page(name, evidence, catalog))


@main.group()
def checks() -> None:
    """The catalogue of checks."""


@checks.command("list")
@click.option("--output", type=click.Choice(("text", "json")), default="text")
@click.option(
    "--framework",
    "frameworks",
    metavar="NAME",
    multiple=True,
    help="By its requirements.",
    shell_complete=completing.from_names(completing.frameworks),
)
@options.own_checks
def list_checks(output: str, frameworks: tuple[str, ...], checks_file: Path | None) -> None:
    """Every check: id, severity and what must hold. With --framework, by requirement, and what no check covers."""
    from postureaudit.cli import explain

    catalog = choices.with_own(checks_file)
    chosen = catalog.select(frameworks=frameworks)
    found = [check for check in catalog.checks if check.id in chosen]
    if output == "json":
        import json

        rows = [
            {"id": c.id, "severity": c.severity.value, "title": c.title, "maps_to": c.maps_to} for c in found
        ]
        click.echo(json.dumps(rows, indent=1))
        return
    if frameworks:
        click.echo("\n\n".join(explain.requirements(name, catalog) for name in dict.fromkeys(frameworks)))
        return
    width = max(len(check.id) for check in found)
    for check in found:
        click.echo(f"{check.id:{width}}  {check.severity.value:8}  {check.title}")


@checks.command("lint")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--output", type=click.Choice(("text", "json")), default="text", help="json is for editors.")
def lint_checks(path: Path, output: str) -> None:
    """Prove a checks file: fields, expressions, fixes, examples and what it changes of other checks."""
    import msgspec

    from postureaudit import catalog, checks_file, lint

    file = checks_file.load(path)
    shipped = path.resolve() == catalog.path().resolve()
    _, problems = lint.lint_file(file, catalog.Catalog((), "") if shipped else catalog.builtin())
    if output == "json":
        rows = [{"file": str(path), **msgspec.to_builtins(problem)} for problem in problems]
        click.echo(msgspec.json.format(msgspec.json.encode(rows), indent=1).decode())
    else:
        for problem in problems:
            where = f"{path}:{problem.line}: {problem.check or 'file'}"
            click.echo(f"{where}: {problem.sentence()}", err=True)
    if problems:
        count = f"{len(problems)} problem{'s' * (len(problems) > 1)}"
        raise UsageError(f"{count} in {path}", hint="each line above names one")
    if output == "text":
        click.echo(f"{path}: {len(file.checks)} checks, no problems")


@main.group("baseline")
def baselines() -> None:
    """Today's gaps as a file of fingerprints, so that a gate can ask for what is new."""


@baselines.command("write")
@click.argument("result", type=click.Path(path_type=Path))
@click.option("-o", "--output", "path", type=click.Path(path_type=Path), required=True)
def write_baseline(result: Path, path: Path) -> None:
    """Keep the open gaps of RESULT, a file that -o json=FILE wrote."""
    from postureaudit import baseline, results
    from postureaudit.evidence import write_whole

    found = baseline.of(results.load(result))
    write_whole(path, found.text().encode())
    click.echo(f"wrote {path}: {len(found.places())} gaps of {len(found.findings)} checks", err=True)


@baselines.command("prune")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("result", type=click.Path(path_type=Path))
def prune_baseline(file: Path, result: Path) -> None:
    """Take out of FILE what RESULT shows as resolved; what was not checked again stays."""
    from postureaudit import baseline, results
    from postureaudit.evidence import write_whole

    found, gone = baseline.pruned(baseline.load(file), results.load(result))
    if gone:
        write_whole(file, found.text().encode())
    click.echo(f"{file}: {gone} resolved and taken out, {len(found.places())} left", err=True)


@main.command("diff")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--output", type=click.Choice(("text", "json")), default="text")
@click.option("--exit-zero", is_flag=True, help="New gaps do not change the exit code.")
def compare_results(old: Path, new: Path, output: str, exit_zero: bool) -> None:
    """What changed between two JSON results. Exits 3 when a gap is new."""
    from postureaudit import diff, results
    from postureaudit.cli.comparing import lines

    found = diff.diff(results.load(old), results.load(new))
    if output == "json":
        import json

        click.echo(json.dumps([change.document() for change in found], indent=1))
    else:
        for line in lines(found):
            click.echo(line)
    if any(change.new for change in found) and not exit_zero:
        raise click.exceptions.Exit(3)


@main.group("waivers")
def waivers_group() -> None:
    """Gaps that are accepted for a while."""


@waivers_group.command("lint")
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--result", type=click.Path(path_type=Path), help="A JSON result: tells which match nothing in it."
)
@options.own_checks
def lint_waivers(path: Path, result: Path | None, checks_file: Path | None) -> None:
    """Expired, unused and too broad waivers. Exits 2 when there is one."""
    from postureaudit import results, waivers

    today = datetime.datetime.now(datetime.UTC).date()
    found = waivers.load(path)
    seen = results.load(result) if result else None
    problems = waivers.lint(found, choices.with_own(checks_file), today=today, result=seen)
    for problem in problems:
        click.echo(f"{path}: {problem}", err=True)
    if problems:
        raise UsageError(f"{len(problems)} problems in {path}", hint="each line above names one")
    click.echo(f"{path}: {len(found)} waivers, no problems")


@main.command()
@click.argument(
    "name",
    type=click.Choice(("result", "organization", "tickets", "config", "waivers", "baseline", "checks")),
)
def schema(name: str) -> None:
    """Print a JSON Schema: of the JSON result, of an organization's, of tickets, or of a file that you write."""
    from importlib.resources import files as package_files

    click.echo((package_files("postureaudit") / "schemas" / f"{name}.json").read_text("utf-8"), nl=False)


@main.command()
@click.argument("shell", type=click.Choice(completing.SHELLS))
def completions(shell: str) -> None:
    """Print the script that completes commands, options and ids: eval "$(postureaudit completions bash)"."""
    click.echo(completing.script(shell), nl=False)
