"""One paragraph of the terminal report: which everyday questions have nothing but event history to answer them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from postureaudit.render import Style
from postureaudit.render.lines import wrapped
from postureaudit.render.neutral import neutral
from postureaudit.services.cloudtrail.investigation import Account, Answered
from postureaudit.services.cloudtrail.searching import HISTORY_DAYS


def block(accounts: Sequence[Account], style: Style) -> Iterator[Text]:
    """Nothing where every question is known to reach further back than event history."""
    told = False
    for account in accounts:
        for index, sentence in enumerate(sentences(account)):
            if index == 0:
                told = True
                name = f"  {neutral(account.account)}" if len(accounts) > 1 else ""
                yield Text(f"INVESTIGATION{name}", style="bold")
            yield from wrapped(neutral(sentence), style.width)
    if told:
        more = (
            "more  postureaudit explain investigation --from evidence.json: where to look, with the queries"
        )
        yield from wrapped(more, style.width, dim=True)
        yield Text()


def sentences(account: Account) -> Iterator[str]:
    """What an account can answer by event history alone, one sentence for questions that have the same answer."""
    short = [
        item for item in account.answered if item.reach.Days <= HISTORY_DAYS and not item.reach.Elsewhere
    ]
    for answer, items in _alike(short).items():
        yield f"{' '.join(item.question.title for item in items)} {answer}"


def _alike(items: Sequence[Answered]) -> dict[str, list[Answered]]:
    """Questions that have the same answer."""
    found: dict[str, list[Answered]] = {}
    for item in items:
        found.setdefault(_answer(item), []).append(item)
    return found


def _answer(item: Answered) -> str:
    sure = "" if item.reach.Hidden is False else " for certain"
    missing, where = item.reach.Missing, f"{HISTORY_DAYS} days back{sure}"
    if not missing:
        return f"{where}."
    if len(missing) == len(item.regions) and len(missing) > 1:
        named = f"all {len(missing)} regions"
    else:
        named = ", ".join(missing) if len(missing) <= 3 else f"{len(missing)} of {len(item.regions)} regions"
    return f"{where}; in {named} by event history alone."
