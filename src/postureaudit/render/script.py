"""The plan as files: one POSIX script in order, the JSON documents that it reads, steps for people, Terraform."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator

import msgspec

from postureaudit import __version__, fixes, shapes, terraform
from postureaudit.catalog import NEEDS
from postureaudit.findings import Fix
from postureaudit.plan import Plan, Task
from postureaudit.render.neutral import neutral
from postureaudit.report import Report

SCRIPT, STEPS = "fixes.sh", "steps.md"
_TOPIC = "ALERT_TOPIC_ARN"
_DOCUMENT = 60  # a document shorter than this stays in its command


def files(report: Report, plan: Plan) -> dict[str, str]:
    """Every file by its name inside the folder. Names come from us alone, never from AWS's text."""
    plan, elsewhere = without_far_topics(plan)
    documents = _Documents()
    script = (
        "\n".join(
            [*_head(report, plan), *_sections(report, plan, documents), *_later(plan), *_far(elsewhere)]
        )
        + "\n"
    )
    found = {SCRIPT: script, **documents.files}
    if plan.by_hand:
        found[STEPS] = "\n".join(_steps(plan.by_hand)) + "\n"
    return {**found, **_terraform(plan)}


def without_far_topics(plan: Plan) -> tuple[Plan, tuple[Task, ...]]:
    """The plan without what waits for one topic in several regions: rules and alarms reach their own region's only."""
    waiting = [task for task in plan.ready if _TOPIC in _unset(task.fix)]
    regions: dict[str, set[str | None]] = {}
    for task in waiting:
        regions.setdefault(task.fix.account, set()).add(task.fix.region)
    far = tuple(task for task in waiting if len(regions[task.fix.account]) > 1)
    ready = tuple(task for task in plan.ready if task not in far)
    return msgspec.structs.replace(plan, ready=ready), far


class _Documents:
    """JSON arguments as files of their own, each once."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self._names: dict[str, str] = {}

    def moved(self, line: str) -> str:
        """A command with its long JSON arguments in files. One that waits for a need stays as it is."""
        words = shlex.split(line)
        if shlex.join(words) != line:
            return line
        for index in range(4, len(words)):
            if len(words[index]) > _DOCUMENT and words[index - 1].startswith("--"):
                text = _laid_out(words, index)
                if text is not None:
                    words[index] = f"file://{self._name(text, words[2])}"
        return shlex.join(words)

    def _name(self, text: str, operation: str) -> str:
        if text not in self._names:
            number = len(self._names) + 1
            self._names[text] = f"{number:03}-{re.sub(r'[^a-z0-9-]', '', operation)}.json"
            self.files[self._names[text]] = text
        return self._names[text]


def _laid_out(words: list[str], index: int) -> str | None:
    """A JSON argument as its file holds it, laid out for reading where it is no text to AWS; None for other words."""
    try:
        value = json.loads(words[index])
    except ValueError:
        return None
    if not isinstance(value, dict | list):
        return None
    if words[index - 1] == "--cli-input-json" or shapes.takes_structure(words[1], words[2], words[index - 1]):
        return json.dumps(value, indent=1) + "\n"
    return words[index]


def _head(report: Report, plan: Plan) -> Iterator[str]:
    header = report.evidence.header
    yield "#!/bin/sh"
    yield f"# Fixes for the gaps that postureaudit {__version__} found, in the order in which they can be applied."
    yield f"# Evidence of {neutral(header.ended)}, SHA-256 {neutral(report.evidence.digest())}."
    yield "#"
    yield "# Read it first, take out what you do not want, then run: sh fixes.sh"
    yield "# It changes AWS. It stops at the first command that fails. Afterwards audit again."
    yield "# Each account has a section, which is skipped unless the credentials are that account's."
    if plan.by_hand:
        yield f"# What no command can close is in {STEPS}."
    yield "# A $ inside single quotes is part of a name or a pattern."
    yield "# shellcheck disable=SC2016"
    yield "set -eu"
    yield 'export AWS_PAGER=""'
    yield 'cd -- "$(dirname -- "$0")"'
    yield "if [ ! -f ./fixes.sh ]; then"
    yield "  echo 'fixes.sh: run it as: sh fixes.sh (it reads the files beside it)' >&2"
    yield "  exit 2"
    yield "fi"
    yield "ran=0"


def _sections(report: Report, plan: Plan, documents: _Documents) -> Iterator[str]:
    header = report.evidence.header
    region = header.regions.audited[0] if header.regions.audited else header.leader
    accounts = list(dict.fromkeys(task.fix.account for task in plan.ready))
    for account in accounts:
        groups = list(_groups(task for task in plan.ready if task.fix.account == account))
        yield ""
        yield f"# ================ account {account}"
        yield f"caller=$(aws sts get-caller-identity --query Account --output text --region {shlex.quote(region)})"
        yield f'if [ "$caller" != {account} ]; then'
        yield f'  echo "fixes.sh: these are the credentials of account $caller: skipped what is for {account}" >&2'
        yield "else"
        yield "ran=1"
        yield from _given(groups)
        for number, group in enumerate(groups, 1):
            yield ""
            yield from _comment(f"{number} of {len(groups)}", group)
            yield f"echo {shlex.quote(f'{number}/{len(groups)} {neutral(group[0].check)}')} >&2"
            moved = [
                msgspec.structs.replace(
                    task.fix, shell="\n".join(documents.moved(line) for line in task.fix.shell.splitlines())
                )
                for task in group
            ]
            for text in fixes.loops(moved):
                yield text.removeprefix('export AWS_PAGER=""\n')
        yield "fi"
    yield ""
    if accounts:
        yield 'if [ "$ran" = 0 ]; then'
        yield "  echo 'fixes.sh: nothing was run' >&2"
        yield "  exit 1"
        yield "fi"
    else:
        yield "# No gap has a command."


def _given(groups: list[list[Task]]) -> Iterator[str]:
    """Refuse the section while something that only the user knows is not set, or would be more than text."""
    names = list(dict.fromkeys(name for group in groups for task in group for name in _unset(task.fix)))
    if not names:
        return
    yield "missing=0"
    for name in names:
        yield f"case ${{{name}:-}} in"
        unset, wrong = (
            shlex.quote(text)
            for text in (
                f"{SCRIPT}: set {name} first: {NEEDS[name]}",
                f"{SCRIPT}: {name} is not {NEEDS[name]}",
            )
        )
        yield f"  '') echo {unset} >&2; missing=1 ;;"
        yield f"  -*|*://*|*'\"'*|*\\\\*) echo {wrong} >&2; missing=1 ;;"
        yield "esac"
        if name == _TOPIC:
            yield from _same_region(groups)
    yield 'if [ "$missing" = 1 ]; then exit 2; fi'


def _same_region(groups: Iterable[list[Task]]) -> Iterator[str]:
    """Refuse a topic of another region than that of the one whose rules and alarms are to reach it."""
    [region] = {task.fix.region for group in groups for task in group if _TOPIC in _unset(task.fix)}
    if region:
        wrong = shlex.quote(f"{SCRIPT}: {_TOPIC} is not the ARN of a topic in {region}")
        yield f"case ${{{_TOPIC}:-}} in"
        yield f"  ''|arn:*:sns:{region}:*) ;;"
        yield f"  *) echo {wrong} >&2; missing=1 ;;"
        yield "esac"


def _unset(fix: Fix) -> list[str]:
    return [name for name in fix.needs if f"${{{name}:?" in fix.shell]


def _groups(tasks: Iterable[Task]) -> Iterator[list[Task]]:
    """Neighbours that close the same checks in the same way: one comment and, where they can be, one loop."""
    group: list[Task] = []
    for task in tasks:
        if group and _alike(group[0]) != _alike(task):
            yield group
            group = []
        group.append(task)
    if group:
        yield group


def _alike(task: Task) -> tuple[object, ...]:
    return (task.check, task.fix.effect, task.fix.cost, task.fix.permissions)


def _comment(number: str, group: list[Task]) -> Iterator[str]:
    first = group[0]
    checks = list(dict.fromkeys(name for task in group for name in task.checks))
    undo = fixes.loops(msgspec.structs.replace(task.fix, shell=task.fix.undo) for task in reversed(group))
    yield f"# ---------------- {number}: {neutral(first.check)} ({first.severity})"
    yield f"# {neutral(first.title)}"
    by_hand = dict.fromkeys(step for task in group for step in task.fix.steps)
    for label, value in (
        ("closes", ", ".join(checks) if len(checks) > 1 else ""),
        ("effect", first.fix.effect),
        ("cost", first.fix.cost or "none known"),
        ("needs", ", ".join(first.fix.permissions)),
        ("undo", "\n".join(text.removeprefix('export AWS_PAGER=""\n') for text in undo) or "none"),
        ("by hand", "\n".join(by_hand)),
    ):
        if value:
            yield from commented(f"{label:7} {value}")


def commented(text: str) -> Iterator[str]:
    """Text as comments: whatever it holds, each of its lines is one."""
    for index, line in enumerate(text.splitlines()):
        yield f"# {'        ' * (index > 0)}{neutral(line)}".rstrip()


def _later(plan: Plan) -> Iterator[str]:
    if not plan.later:
        return
    yield ""
    yield "# Left for the next audit: each replaces something that a command above replaces too, or comes after such"
    yield "# a one, and was worked out before. Audit again, and write the fixes again."
    for name in dict.fromkeys(f"{task.check} in account {task.fix.account}" for task in plan.later):
        yield from commented(name)


def _far(tasks: tuple[Task, ...]) -> Iterator[str]:
    if not tasks:
        return
    yield ""
    yield f"# Left out, because one topic cannot serve several regions. Audit again with --set {_TOPIC}=... and write"
    yield "# the fixes again: then what is in the topic's region has commands, and the rest has steps."
    for name in dict.fromkeys(f"{task.check} in {task.fix.region or 'the account'}" for task in tasks):
        yield from commented(name)


def _steps(tasks: Iterable[Task]) -> Iterator[str]:
    yield "# What no command can close"
    before: tuple[str, ...] = ()
    for task in tasks:
        if task.checks != before:
            before = task.checks
            yield f"\n## {_marked(', '.join(task.checks))} ({task.severity})\n\n{_marked(task.title)}."
        account = f"account {task.fix.account}" if task.fix.account else ""
        where = (account, task.fix.region or "", task.resource)
        yield f"\nIn {_marked(', '.join(filter(None, where)))}:\n"
        for index, step in enumerate(task.fix.steps, 1):
            yield f"{index}. {_marked(step)}"


def _marked(text: str) -> str:
    """Text in which Markdown sees no mark-up."""
    return re.sub(r"([\\`*_\[\]<>#|!&~])", r"\\\1", neutral(text))


def _terraform(plan: Plan) -> dict[str, str]:
    """One file a check and account, where one resource closes the gap; with the variables they name."""
    texts: dict[tuple[str, str], list[Task]] = {}
    for task in plan.ready:
        if task.fix.terraform:
            texts.setdefault((task.fix.account, task.check), []).append(task)
    found: dict[str, str] = {}
    for (account, check), tasks in texts.items():
        head = (tasks[0].title, f"Instead of the commands for {check} in {SCRIPT}, not beside them.")
        body = terraform.distinct(task.fix.terraform for task in tasks)
        lines = [line for text in head for line in commented(text)]
        found[f"terraform/{account}/{_plain(check)}.tf"] = "\n".join([*lines, "", body])
    for account in dict.fromkeys(account for account, _ in texts):
        own = [text for name, text in found.items() if name.startswith(f"terraform/{account}/")]
        used = [name for name in NEEDS if any(re.search(rf"var\.{name.lower()}\b", text) for text in own)]
        found[f"terraform/{account}/versions.tf"] = terraform.versions()
        if used:
            declared = (terraform.variable(name, NEEDS[name]) for name in used)
            found[f"terraform/{account}/variables.tf"] = "\n".join(declared)
    return found


def _plain(check: str) -> str:
    return re.sub(r"[^a-z0-9.-]", "-", check.lower())
