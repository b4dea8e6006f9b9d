"""What `explain investigation` prints: the three questions, where they can be answered, and how to ask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from postureaudit import fixes
from postureaudit.cli.explain import entry
from postureaudit.evidence import Refusal
from postureaudit.findings import Fix
from postureaudit.render.neutral import neutral
from postureaudit.services.cloudtrail.delivery import NEVER
from postureaudit.services.cloudtrail.investigation import Account, Answered
from postureaudit.services.cloudtrail.queries import DAYS, query, window
from postureaudit.services.cloudtrail.searching import HISTORY, HISTORY_DAYS, QUESTIONS, Place

TOPIC = "investigation"


def general() -> str:
    """The topic without evidence: which questions, and where they could be answered."""
    lines = ["Investigation   CloudTrail's everyday questions", ""]
    for number, question in enumerate(QUESTIONS, 1):
        lines += [f"{number}  {question.title}", f"         cloudtrail.searchable-{question.id}"]
    lines.append("")
    lines += entry(
        "Where",
        "log groups that a logging trail delivers to, CloudTrail Lake's event data stores, and event history: "
        f"{HISTORY_DAYS} days of management events, region by region, always there",
    )
    lines += entry(
        "More",
        "postureaudit explain investigation --from evidence.json (or --demo) says how far back, in which regions "
        "not, and prints the queries with the names filled in",
    )
    return "\n".join(lines)


def text(accounts: Sequence[Account], *, only: str = "") -> str:
    """The questions of each account (or one of them), with the queries. Nothing here is run."""
    return "\n".join(line for account in accounts for line in _account(account, only)).rstrip()


def _account(account: Account, only: str) -> Iterator[str]:
    start, end = window(account.ended)
    yield f"Investigation   account {neutral(account.account)}   as of {neutral(account.ended)}"
    yield from entry(
        "Queries",
        f"only read, and are yours to run; they look at the {DAYS} days from {start:%Y-%m-%d %H:%M} to "
        f"{end:%Y-%m-%d %H:%M} UTC ({int(start.timestamp())} to {int(end.timestamp())}): change the times as needed",
    )
    for number, answered in enumerate(account.answered, 1):
        if only in ("", answered.question.id):
            yield ""
            yield from _question(number, answered, account)
    yield ""


def _question(number: int, answered: Answered, account: Account) -> Iterator[str]:
    yield f"{number}  {answered.question.title}"
    yield from entry("Check", f"cloudtrail.searchable-{answered.question.id}")
    yield from entry("Back", _back(answered))
    if answered.reach.Missing:
        yield from entry(
            "Missing", f"nothing but event history is known for {_named(answered.reach.Missing, answered)}"
        )
    for place in answered.places:
        yield from _place(place, answered, account)


def _back(answered: Answered) -> str:
    days = kept(answered.reach.Days)
    hidden = answered.reach.Hidden
    where = answered.regions[0] if len(answered.regions) == 1 else f"{len(answered.regions)} regions"
    if isinstance(hidden, Refusal):
        return f"{days} at least, in {neutral(where)}; further is not known: {neutral(hidden.reason())}"
    return f"{days}, in {neutral(where)}"


def kept(days: int) -> str:
    """A time that events are kept, in words."""
    return "for ever" if days >= NEVER else f"{days} days"


def _place(place: Place, answered: Answered, account: Account) -> Iterator[str]:
    found = place.answers[answered.question.id]
    has = [name for name in answered.regions if found.get(name) is True]
    unsure = [name for name in answered.regions if isinstance(found.get(name), Refusal)]
    label = f"{place.kind} {neutral(place.name)}".strip() + (
        f" in {neutral(place.region)}" if place.region else ""
    )
    days = neutral(place.days.reason()) if isinstance(place.days, Refusal) else kept(place.days)
    since = f", made on {place.since}" if place.since else ""
    covers = _named(has, answered) if has else "no region"
    more = f"; not known for {_named(unsure, answered)}" if unsure else ""
    each = ", each asked on its own" if place.kind == HISTORY and len(has) > 1 else ""
    yield from entry("Place", f"{label}: kept {days}{since}; events of {covers}{each}{more}")
    if place.account not in ("", account.account):
        yield from entry("", f"ask it in account {neutral(place.account)}")
        return
    if place.kind == HISTORY:
        has = answered.reach.Missing or has[:1]
    if has:
        yield from _commands(place, answered, account, has if place.kind == HISTORY else has[:1])


def _commands(place: Place, answered: Answered, account: Account, regions: Sequence[str]) -> Iterator[str]:
    made = [query(place, answered.question.id, account.ended, region) for region in regions]
    count = len(made[0].argv)
    for index in range(count):
        one = [
            Fix(shell=fixes.shell(item.argv[index]), account=account.account, region=region)
            for item, region in zip(made, regions, strict=True)
        ]
        for command in fixes.loops(one):
            yield from (f"         {neutral(line)}" for line in command.splitlines())
    yield from entry("", neutral(made[0].why))


def _named(regions: Sequence[str], answered: Answered) -> str:
    if len(regions) == len(answered.regions) > 3:
        return f"all {len(regions)} regions"
    shown = [neutral(name) for name in regions[:20]]
    return " ".join(shown) + (f" and {len(regions) - 20} more" if len(regions) > 20 else "")
