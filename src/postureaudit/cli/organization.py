"""Many accounts for a command: who they are, where their files are, what is written, and the exit code."""

from __future__ import annotations

import datetime
import functools
import hashlib
import json
import os
import re
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from postureaudit.cli import choices, reporting
from postureaudit.cli.messages import say
from postureaudit.cli.options import IN_FLIGHT_EACH
from postureaudit.errors import Interrupted, PostureAuditError, UsageError

if TYPE_CHECKING:
    from postureaudit.aws.session import Session
    from postureaudit.catalog import Catalog
    from postureaudit.engines.dask import Dask
    from postureaudit.engines.local import Local
    from postureaudit.org.collect import Collected, Entry
    from postureaudit.org.store import Run, Store
    from postureaudit.org.summary import Organization
    from postureaudit.report import Report

ROLE = "OrganizationAccountAccessRole"  # what Organizations makes in accounts that it creates
_MERGED_WARNING = 500  # accounts from which on one report of all is worth a word


def is_wanted(given: Mapping[str, Any]) -> bool:
    """Whether the command is about several accounts. Raises UsageError for options that only make sense then."""
    if given["org"] or given["account_ids"] or given["accounts_file"]:
        return True
    alone = {
        "--ou": given["ous"],
        "--exclude-account": given["exclude_accounts"],
        "--role-name": given["role_name"],
        "--output-dir": given["output_dir"],
        "--resume": given["resume"],
        "--scheduler": given["scheduler"],
    }
    for option, value in alone.items():
        if value:
            raise UsageError(
                f"{option} is about several accounts", hint="add --org, --account or --accounts-file"
            )
    return False


def audit(given: Mapping[str, Any]) -> None:
    """Collect every account into the output directory, judge them, report, exit."""
    _prove(given)
    catalog, ids = choices.chosen_catalog(given)
    from postureaudit.org import run as runs

    stages = runs.Stages()
    with _Ended() as ended:
        try:
            session = _session(given)
            store, run, entry = _begun(given, catalog, ids, session)
        except PostureAuditError as error:
            if ended.code:  # whatever failed after the signal failed because of it
                raise Interrupted(ended.code) from error
            raise
        _say_where(given, store, run, entry)
        with _engine(given, session, entry, run) as engine, _Progress(given) as progress:
            ended.engine = engine
            done = runs.collect(engine, store, run, entry, progress)
            engine.settle()
            stages.end("collect")
            if ended.code:
                raise Interrupted(
                    ended.code,
                    f"stopped: {len(done)} of {len(run.accounts)} accounts are read",
                    hint=f"go on with: --resume --output-dir {store.root}",
                )
            _judge(given, catalog, ids, store, run, done, engine, progress, stages, ended)


def report(path: Path, given: Mapping[str, Any]) -> None:
    """Judge the accounts in an output directory again: no network, no credentials."""
    from postureaudit.engines.local import Local
    from postureaudit.org import run as runs
    from postureaudit.org.collect import known
    from postureaudit.org.store import Store

    _prove(given)
    catalog, ids = choices.chosen_catalog(given)
    store = Store(path)
    run = store.run()
    done: dict[str, Collected] = {}
    missing = []
    for account in run.accounts:
        if (found := known(store, account.id)) is not None:
            done[account.id] = found
        elif not store.evidence(account.id).is_file():
            missing.append(account.id)
    if missing:
        raise UsageError(
            f"{len(missing)} of {len(run.accounts)} accounts in {path} are not read yet",
            hint=f"go on with: postureaudit audit --org --resume --output-dir {path}",
        )
    stages = runs.Stages()
    with (
        Local(_processes(given, len(run.accounts))) as engine,
        _Ended() as ended,
        _Progress(given) as progress,
    ):
        ended.engine = engine
        _judge(given, catalog, ids, store, run, done, engine, progress, stages, ended)


def _judge(
    given: Mapping[str, Any],
    catalog: Catalog,
    ids: frozenset[str],
    store: Store,
    run: Run,
    done: dict[str, Collected],
    engine: Local | Dask,
    progress: _Progress,
    stages: Any,
    ended: _Ended,
) -> None:
    from postureaudit.org import run as runs
    from postureaudit.org.judge import Task, adopt
    from postureaudit.org.merge import merged

    by = reporting.judging(given, ids)
    outputs = reporting.formats([item for item in given["outputs"] if "{account}" not in item], None)
    each = tuple(item for item in given["outputs"] if "{account}" in item)
    whole = [(name, path) for name, path in outputs if name not in ("table", "jsonl")]
    plain = dict(given)
    task = Task(
        by=by,
        options=_digest(
            [msgspec.to_builtins(by, order="deterministic"), catalog.digest, list(catalog.changes)]
        ),
        catalog=functools.partial(_catalog, plain),
        write=functools.partial(_write_one, plain, each) if each or given["fixes_folder"] else None,
        keep=bool(whole),
    )
    if whole and len(run.accounts) > _MERGED_WARNING and not given["quiet"]:
        say(
            "warning: a report of all accounts in one file is made in memory; jsonl is not, nor are {account} files"
        )
    adopt(task.options, catalog)
    reports: list[Report] = []
    runs.judge(engine, store, run, done, task, progress, reports.append)
    progress.clear()
    if ended.code:
        raise Interrupted(ended.code, "stopped while judging", hint="run it again with --resume")
    engine.settle()
    stages.end("judge")
    found = runs.add_up(store, run, catalog, ids, given["fail_on"] or "low")
    code = found.code
    if given["strict_waivers"] and any(
        text.endswith("matches nothing: remove it") for text in found.warnings
    ):
        code = 2
    store.write(store.organization, found)
    joined = merged(reports, by, catalog, code) if whole else None
    seconds = _since(run.started) if not stages.found else sum(stage.seconds for stage in stages.found)
    _write_all(given, outputs, found, joined, store, seconds, code)
    stages.end("report")
    _keep_stages(store, stages)
    if code:
        raise click.exceptions.Exit(code)


def _write_all(
    given: Mapping[str, Any],
    outputs: Sequence[tuple[str, str]],
    found: Organization,
    joined: Report | None,
    store: Store,
    seconds: float,
    code: int,
) -> None:
    """Files first, each whole or not at all; then standard output."""
    from postureaudit.evidence import write_whole
    from postureaudit.org.merge import json_lines
    from postureaudit.render import MACHINE, renderer

    for name, path in sorted(outputs, key=lambda item: item[1] == "-"):
        style = reporting.style(given, sys.stdout, file=path != "-")
        if name == "table":
            from postureaudit.render import organization

            text = organization.render(found, style, folder=str(store.root), seconds=seconds, code=code)
            chunks: Iterator[bytes] = iter([text.encode("utf-8", "backslashreplace")])
        elif name == "jsonl":
            chunks = json_lines(store, found)
        else:
            assert joined is not None, "every other format is made of the reports"
            chunks = iter([renderer(name)(joined, style).encode("utf-8", "backslashreplace")])
        if path == "-":
            sys.stdout.flush()
            sys.stdout.buffer.writelines(chunks)
            sys.stdout.buffer.flush()
            continue
        write_whole(Path(path), chunks, mode=reporting.mode_of(Path(path)))
        if not given["quiet"]:
            click.echo(f"wrote {path}", err=True)
    if joined is not None and any(name == "github" for name, _ in outputs):
        reporting.step_summary(joined, given)
    people = any(path == "-" and name not in MACHINE for name, path in outputs)
    if not people and not given["quiet"]:
        from postureaudit.render import organization

        for warning in found.warnings:
            say(f"warning: {warning}")
        click.echo(organization.result_line(found, seconds=seconds, code=code), err=True)


def _keep_stages(store: Store, stages: Any) -> None:
    from postureaudit.evidence import write_whole

    rows = {
        stage.name: {"seconds": stage.seconds, "cpu": stage.cpu, "peak_mib": stage.peak_mib}
        for stage in stages.found
    }
    write_whole(store.root / "stages.json", (json.dumps(rows, indent=1) + "\n").encode(), mode=0o600)


def _catalog(given: Mapping[str, Any]) -> Catalog:
    """The catalogue in force, in whatever process this is called."""
    return choices.chosen_catalog(given)[0]


def _write_one(given: Mapping[str, Any], outputs: Sequence[str], made: Report) -> None:
    """The files of one account: reports whose path has {account} in it, and its fixes."""
    account = made.evidence.header.accounts[0].id
    own = {**given, "quiet": True}
    if outputs:
        named = [item.replace("{account}", account) for item in outputs]
        reporting.write(made, reporting.formats(named, None), own)
    if given["fixes_folder"]:
        given["fixes_folder"].mkdir(mode=0o700, exist_ok=True)
        reporting.write_fixes(made, _catalog(given), {**own, "fixes_folder": given["fixes_folder"] / account})


def _for_one(item: str) -> str:
    return item.replace("{account}", "000000000000")


def _prove(given: Mapping[str, Any]) -> None:
    """Refuse what makes no sense for several accounts before anything is asked."""
    reporting.prove({**given, "outputs": [_for_one(item) for item in given["outputs"]], "fixes_folder": None})
    refused = {
        "--redact": given["redact"],
        "--log-archive-role": given.get("log_archive_role"),
        "-o trace": any(item.partition("=")[0] == "trace" for item in given["outputs"]),
    }
    hints = {
        "--redact": "redact the report of one account: postureaudit report DIR/accounts/ID/evidence.json.gz",
        "--log-archive-role": "leave it out: every account is asked with its own role",
        "-o trace": "trace one account: postureaudit trace --from DIR/accounts/ID/evidence.json.gz",
    }
    for option, value in refused.items():
        if value:
            raise UsageError(f"{option} is not for several accounts at once", hint=hints.get(option, ""))


def _session(given: Mapping[str, Any]) -> Session:
    from postureaudit.aws.session import open_session

    return open_session(
        profile=given["profile"],
        role_arn=given["role_arn"],
        external_id=given["external_id"] if given["role_arn"] else None,
        session_name=given["role_session_name"],
        expect_account=given["expect_account"],
        region=_region(),
        max_workers=given["max_workers"] or IN_FLIGHT_EACH,
    )


def _region() -> str | None:
    # botocore itself reads AWS_DEFAULT_REGION only; every other SDK reads AWS_REGION first.
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")


def _begun(
    given: Mapping[str, Any], catalog: Catalog, ids: frozenset[str], session: Session
) -> tuple[Store, Run, Entry]:
    """The run to work on: a new one, or with --resume the one in the output directory."""
    from postureaudit import __version__, services
    from postureaudit.aws import regions
    from postureaudit.aws.organization import listed
    from postureaudit.aws.walk import ask_all
    from postureaudit.catalog import calls
    from postureaudit.org.collect import Entry
    from postureaudit.org.store import Run, Store

    started = datetime.datetime.now(datetime.UTC)
    if given["resume"] and not given["output_dir"]:
        raise UsageError("--resume goes on with a run that has a directory", hint="name it with --output-dir")
    root = given["output_dir"] or Path(f"postureaudit-{started:%Y%m%dT%H%M%SZ}")
    store = Store(root)
    entry = Entry(
        partition=session.partition,
        leader=session.leader,
        own=session.account,
        role_name=given["role_name"] or ROLE,
        session_name=given["role_session_name"],
        external_id=given["external_id"],
        profile=given["profile"],
        caller_role=given["role_arn"],
        region=_region(),
        only=tuple(given["regions"]),
        exclude=tuple(given["exclude"]),
        wanted=tuple(sorted(calls(catalog, ids, services.types()))),
        max_workers=given["max_workers"] or IN_FLIGHT_EACH,
        timeout=given["timeout"],
        named=choices.accounts(given),
    )
    if not re.fullmatch(r"[\w+=,.@/-]{1,512}", entry.role_name):
        raise UsageError(f"--role-name {entry.role_name!r} is no name of a role", hint="such as PostureAudit")
    options = _digest(
        [
            [
                entry.role_name,
                entry.own,
                entry.only,
                entry.exclude,
                entry.wanted,
                msgspec.to_builtins(entry.named),
            ],
            [
                given["org"],
                sorted(given["ous"]),
                sorted(given["account_ids"]),
                sorted(given["exclude_accounts"]),
            ],
        ]
    )
    if given["resume"]:
        run = store.run()
        if run.options != options:
            raise UsageError(
                f"the run in {root} was begun with other options, other checks or other credentials",
                hint="give the same as then, or begin a new one in another directory",
            )
        store.tidy()
        return store, run, msgspec.structs.replace(entry, regions=run.regions)
    found = regions.choose(
        ask_all(session, [regions.DESCRIBE, regions.LIST]), only=given["regions"], exclude=given["exclude"]
    )
    named = _named_accounts(given)
    if given["org"]:
        chosen = listed(session, ous=given["ous"], only=sorted(named), exclude=given["exclude_accounts"])
        accounts, organization, management = chosen.accounts, chosen.organization, chosen.management
        inactive = chosen.inactive
    else:
        from postureaudit.evidence import Account

        left = sorted(set(named) - set(given["exclude_accounts"]))
        if not left:
            raise UsageError("no account is left to audit", hint="correct --account or --exclude-account")
        accounts = tuple(Account(id=name, name=named[name]) for name in left)
        organization, management, inactive = "", "", 0
    run = Run(
        tool_version=__version__,
        started=started.strftime("%Y-%m-%dT%H:%M:%SZ"),
        caller=session.caller,
        partition=session.partition,
        leader=session.leader,
        regions=found.audited,
        accounts=accounts,
        options=options,
        organization=organization,
        management=management,
        inactive=inactive,
    )
    store.begin(run)
    return store, run, msgspec.structs.replace(entry, regions=run.regions)


def _named_accounts(given: Mapping[str, Any]) -> dict[str, str]:
    """Account ids with the names that a file gives them. Raises UsageError for what is no id."""
    found = dict.fromkeys(given["account_ids"], "")
    path = given["accounts_file"]
    if path:
        try:
            lines = path.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(
                f"cannot read {path}: {error}", hint="one account id a line, then its name"
            ) from error
        for number, line in enumerate(lines, 1):
            text = line.partition("#")[0].strip()
            if not text:
                continue
            name, *rest = re.split(r"[\s,;]+", text, maxsplit=1)
            if not re.fullmatch(r"[0-9]{12}", name):
                raise UsageError(
                    f"{path}:{number}: {name!r} is no account id", hint="an account id has 12 digits"
                )
            found[name] = rest[0].strip(" \"'") if rest else ""
    for name in (*given["account_ids"], *given["exclude_accounts"]):
        if not re.fullmatch(r"[0-9]{12}", name):
            raise UsageError(f"{name!r} is no account id", hint="an account id has 12 digits")
    if path and not found:
        raise UsageError(f"{path} names no account", hint="one account id a line, then its name")
    return found


def _say_where(given: Mapping[str, Any], store: Store, run: Run, entry: Entry) -> None:
    if given["quiet"]:
        return
    click.echo(f"{len(run.accounts)} accounts; evidence goes to {store.root}", err=True)
    if not given["role_name"] and len(run.accounts) > 1:
        click.echo(
            f"assuming {ROLE}, which is an administrator's: deploy a read-only role and name it with --role-name",
            err=True,
        )


def _engine(given: Mapping[str, Any], session: Session, entry: Entry, run: Run) -> Local | Dask:
    if given["engine"] == "dask":
        from postureaudit.engines.dask import Dask

        if not given["scheduler"]:
            raise UsageError("--engine dask needs --scheduler", hint="such as tcp://127.0.0.1:8786")
        return Dask(given["scheduler"])
    if given["scheduler"]:
        raise UsageError("--scheduler goes with --engine dask", hint="add --engine dask")
    from postureaudit.engines.local import Local
    from postureaudit.org.collect import adopt

    adopt(session, entry)
    return Local(_processes(given, len(run.accounts)))


def _processes(given: Mapping[str, Any], accounts: int) -> int:
    """As many processes as there are processors, for a few accounts none of their own."""
    if given.get("workers"):
        return int(given["workers"])
    return 1 if accounts < 4 else max(1, min(os.cpu_count() or 1, 8, accounts))


class _Ended:
    """Takes SIGINT and SIGTERM while a run is on: the first stops it gently, a second one at once."""

    def __init__(self) -> None:
        self.code = 0
        self.engine: Local | Dask | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> _Ended:
        from postureaudit.org.collect import STOP

        STOP.clear()
        self._before = {
            number: signal.signal(number, self._end) for number in (signal.SIGINT, signal.SIGTERM)
        }
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _end(self, number: int, _: object) -> None:
        if self.code:
            os._exit(128 + number)
        self.code = 128 + number
        print("\nstopping: what is being read is left (again to stop at once)", file=sys.stderr)
        if self.engine is not None:
            self.engine.stop()
        else:
            from postureaudit.org.collect import STOP

            STOP.set()


class _Progress:
    """How many accounts are done, on stderr."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        from postureaudit.cli.progress import Progress

        self._progress = Progress("none" if given["quiet"] else given.get("progress", "auto"))

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def __call__(self, done: int, total: int, label: str) -> None:
        from postureaudit.aws.walk import Progress as Step

        self._progress(Step(done, total, f"accounts ({label})"))

    def clear(self) -> None:
        self._progress.__exit__(None, None, None)


def _since(started: str) -> float:
    begun = datetime.datetime.fromisoformat(started.replace("Z", "+00:00"))
    return (datetime.datetime.now(datetime.UTC) - begun).total_seconds()


def _digest(parts: Sequence[Any]) -> str:
    text = json.dumps(parts, sort_keys=True, default=str)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
