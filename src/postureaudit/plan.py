"""All fixes of a run in the order in which they can be applied, each command once."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from postureaudit.catalog import Check
from postureaudit.findings import Finding, Fix, Place, Verdict

# Writes that replace a whole thing: what it is, and the options that say which one. Two of them for the same thing,
# worked out from the same evidence, undo each other: the second does not know of the first. What switches a thing on
# stands beside what replaces it, because a replacement carries the switch as it was.
_REPLACES: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("cloudtrail", "put-event-selectors"): ("selectors", "--trail-name"),
    ("cloudtrail", "put-insight-selectors"): ("insights", "--trail-name"),
    ("cloudwatch", "enable-alarm-actions"): ("alarm", "--alarm-names"),
    ("cloudwatch", "put-composite-alarm"): ("alarm", "--alarm-name"),
    ("cloudwatch", "put-metric-alarm"): ("alarm", "--alarm-name"),
    ("configservice", "put-configuration-aggregator"): ("aggregator", "--configuration-aggregator-name"),
    ("configservice", "put-configuration-recorder"): ("recorder",),
    ("configservice", "put-delivery-channel"): ("channel",),
    ("events", "enable-rule"): ("rule", "--name", "--event-bus-name"),
    ("events", "put-permission"): ("bus", "--event-bus-name"),
    ("events", "put-rule"): ("rule", "--name", "--event-bus-name"),
    ("guardduty", "update-filter"): ("filter", "--detector-id", "--filter-name"),
    ("guardduty", "update-organization-configuration"): ("organization", "--detector-id"),
    ("inspector2", "update-organization-configuration"): ("organization",),
    ("kms", "put-key-policy"): ("key", "--key-id"),
    ("logs", "put-metric-filter"): ("metric filter", "--log-group-name", "--filter-name"),
    ("macie2", "put-classification-export-configuration"): ("export",),
    ("macie2", "put-findings-publication-configuration"): ("publication",),
    ("macie2", "update-automated-discovery-configuration"): ("discovery",),
    ("s3api", "put-bucket-lifecycle-configuration"): ("lifecycle", "--bucket"),
    ("s3api", "put-bucket-logging"): ("logging", "--bucket"),
    ("s3api", "put-bucket-policy"): ("policy", "--bucket"),
    ("securityhub", "update-aggregator-v2"): ("aggregator of V2", "--aggregator-v2-arn"),
    ("securityhub", "update-finding-aggregator"): ("finding aggregator", "--finding-aggregator-arn"),
    ("securityhub", "update-organization-configuration"): ("organization",),
    ("sns", "set-subscription-attributes"): ("subscription", "--subscription-arn", "--attribute-name"),
    ("sns", "set-topic-attributes"): ("topic", "--topic-arn", "--attribute-name"),
    ("sqs", "set-queue-attributes"): ("queue", "--queue-url"),
}


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One fix and the checks that it closes, the first in the plan's order first; `resource` is one place's subject.

    Its shell text lacks the commands that the plan has already: a role of the account is made once.
    """

    checks: tuple[str, ...]
    title: str
    severity: str
    resource: str
    fix: Fix

    @property
    def check(self) -> str:
        return self.checks[0]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The fixes of open gaps, account by account, each account's in the order in which they can be applied.

    `ready` are commands; `later` those that would replace what one of `ready` writes, or that come after such a
    one: audit again before them; `by_hand` what has no command.
    """

    ready: tuple[Task, ...] = ()
    later: tuple[Task, ...] = ()
    by_hand: tuple[Task, ...] = ()


def order(checks: Iterable[Check]) -> tuple[str, ...]:
    """The ids of checks in which what a fix comes `after` stands before it; otherwise as in the catalogue."""
    known = {check.id: check for check in checks}
    found: dict[str, None] = {}

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in found or name in path or name not in known:
            return
        for before in following(known[name]):
            visit(before, (*path, name))
        found[name] = None

    for name in known:
        visit(name, ())
    return tuple(found)


def following(check: Check) -> tuple[str, ...]:
    """The checks whose fixes come before this one's: what it requires, and what any of its variants comes after."""
    named = (name for variant in check.fix for name in variant.after)
    return tuple(dict.fromkeys((*check.requires, *named)))


def cycles(checks: Iterable[Check]) -> dict[str, tuple[str, ...]]:
    """The checks whose fix comes, by way of others, after itself: each with that way."""
    known = {check.id: following(check) for check in checks}
    found = {}
    for start in known:
        ways: list[tuple[str, ...]] = [(start,)]
        seen = {start}
        while ways:
            way = ways.pop()
            for name in known.get(way[-1], ()):
                if name == start:
                    found[start] = (*way, start)
                    ways.clear()
                    break
                if name not in seen:
                    seen.add(name)
                    ways.append((*way, name))
    return found


def make(findings: Iterable[Finding], ordered: Sequence[str]) -> Plan:
    """The plan of all open gaps. `ordered` are check ids as order() gives them; the findings' order means nothing."""
    rank = {name: index for index, name in enumerate(ordered)}
    tasks = sorted(
        _tasks(findings), key=lambda task: (rank.get(task.check, len(rank)), task.check, _where(task))
    )
    merged = _merged(tasks)
    first = {task.fix.account: index for index, task in reversed(list(enumerate(merged)))}
    merged.sort(
        key=lambda task: (first[task.fix.account], task.fix.account)
    )  # stable: each account's order stays
    ready, later = _apart([task for task in merged if task.fix.shell])
    return Plan(
        ready=tuple(_once(ready)),
        later=tuple(later),
        by_hand=tuple(task for task in merged if not task.fix.shell and task.fix.steps),
    )


def is_account(text: str) -> bool:
    """Whether this is an account's number; an owner is read from an ARN, which may hold anything."""
    return re.fullmatch(r"[0-9]{12}", text) is not None


def _tasks(findings: Iterable[Finding]) -> Iterator[Task]:
    for finding in findings:
        for place in finding.having(Verdict.FAIL):
            if place.fix is not None and not place.waiver:
                yield Task(
                    checks=(finding.check,),
                    title=finding.title,
                    severity=finding.severity.value,
                    resource=place.resource or "",
                    fix=_by_owner(place, place.fix),
                )


def _by_owner(place: Place, fix: Fix) -> Fix:
    """The fix; where nobody can say whose account it is for, what it would run becomes a step."""
    if is_account(fix.account) or not fix.shell:
        return fix
    return Fix(
        steps=(f"In the account that owns {place.resource}: {fix.shell}",), account="", region=fix.region
    )


def _where(task: Task) -> tuple[str, ...]:
    fix = task.fix
    return (fix.account, fix.region or "", task.resource, fix.shell, *fix.steps)


def _merged(tasks: Iterable[Task]) -> list[Task]:
    """Equal fixes of one account as one task, at the place of the first, for the checks of all."""
    found: dict[tuple[str, str, tuple[str, ...]], Task] = {}
    for task in tasks:
        key = (task.fix.account, task.fix.shell, task.fix.steps)
        if (same := found.get(key)) is None:
            found[key] = task
            continue
        after = tuple(dict.fromkeys((*same.fix.after, *task.fix.after)))
        checks = tuple(dict.fromkeys((*same.checks, *task.checks)))
        found[key] = msgspec.structs.replace(
            same, checks=checks, fix=msgspec.structs.replace(same.fix, after=after)
        )
    return list(found.values())


def _apart(tasks: Iterable[Task]) -> tuple[list[Task], list[Task]]:
    """The tasks that one audit can apply, and those that need another one before them."""
    ready: list[Task] = []
    later: list[Task] = []
    written: dict[tuple[str, ...], str] = {}
    for task in tasks:
        own = {key: line for line in task.fix.shell.splitlines() if (key := _replaced(task, line))}
        clash = any(written.get(key, line) != line for key, line in own.items())
        if clash or any(_waits(task, other) for other in later):
            later.append(task)
            continue
        written |= own
        ready.append(task)
    return ready, later


def _waits(task: Task, other: Task) -> bool:
    """Whether a task comes after this one, of the same account, and of the same region where both have one."""
    here = {task.fix.region, other.fix.region}
    return (
        task.fix.account == other.fix.account
        and bool(set(task.fix.after) & set(other.checks))
        and (len(here) == 1 or None in here)
    )


def _replaced(task: Task, line: str) -> tuple[str, ...]:
    """What a command replaces as a whole: the account, the kind of thing and its name; () for other commands."""
    words = shlex.split(line)
    found = _REPLACES.get((words[1], words[2])) if len(words) > 2 else None
    if found is None:
        return ()
    kind, *options = found
    given = {word: words[index + 1] for index, word in enumerate(words[:-1]) if word.startswith("--")}
    inside = _document(given.get("--cli-input-json", ""))
    given |= {name: str(value) for name, value in inside.items()}
    if words[1] == "events":
        given.setdefault("--event-bus-name", "default")
    if words[1] != "s3api":  # a bucket's name says where it is
        options.append("--region")
    return (task.fix.account, words[1], kind, *(_one(given.get(name, "")) for name in options))


def _one(value: str) -> str:
    """The one name in a JSON list of names; other values as they are."""
    try:
        found = json.loads(value)
    except ValueError:
        return value
    return str(found[0]) if isinstance(found, list) and len(found) == 1 else value


def _document(text: str) -> dict[str, object]:
    """A command's whole input by option: AlarmName is what --alarm-name says."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    named = found.items() if isinstance(found, dict) else ()
    return {"--" + re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower(): value for name, value in named}


def _once(tasks: Iterable[Task]) -> Iterator[Task]:
    """The tasks without the commands that one before them has run in the same account."""
    ran: set[tuple[str, str]] = set()
    for task in tasks:
        lines = [line for line in task.fix.shell.splitlines() if (task.fix.account, line) not in ran]
        ran |= {(task.fix.account, line) for line in lines}
        if lines:
            yield msgspec.structs.replace(task, fix=msgspec.structs.replace(task.fix, shell="\n".join(lines)))
