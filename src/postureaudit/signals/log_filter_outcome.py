"""Three-valued truth with its reasons: a part of a filter pattern holds, fails, or AWS does not say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec


class Fail(msgspec.Struct, frozen=True):
    """A comparison that did not hold."""

    where: str
    found: str
    wants: str

    def __str__(self) -> str:
        return f"{self.where} is {self.found}, the filter wants {self.wants}"


class Outcome(msgspec.Struct, frozen=True):
    """The truth of a part of a filter; `fails` says why it is False, `doubts` why it is None."""

    value: bool | None
    fails: tuple[Fail, ...] = ()
    doubts: tuple[str, ...] = ()


YES, NO = Outcome(True), Outcome(False)


def unsure(why: str) -> Outcome:
    return Outcome(None, doubts=(why,))


def unless(doubtful: bool, why: str) -> Outcome:
    """False, unless that hangs on what AWS does not say."""
    return unsure(why) if doubtful else NO


def all_of(parts: Sequence[Outcome]) -> Outcome:
    """True when all are; False when one is, whatever the unsure ones may be."""
    if failed := [part for part in parts if part.value is False]:
        return Outcome(False, fails=tuple(fail for part in failed for fail in part.fails))
    return Outcome(None, doubts=doubts) if (doubts := _doubts(parts)) else YES


def any_of(parts: Sequence[Outcome]) -> Outcome:
    """True when one is, whatever the unsure ones may be; False when all are."""
    if any(part.value for part in parts):
        return YES
    if doubts := _doubts(parts):
        return Outcome(None, doubts=doubts)
    return Outcome(False, fails=tuple(fail for part in parts for fail in part.fails))


def negated(outcome: Outcome) -> Outcome:
    return outcome if outcome.value is None else Outcome(not outcome.value)


def _doubts(parts: Iterable[Outcome]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(doubt for part in parts for doubt in part.doubts))


def sentences(fails: Iterable[Fail]) -> Iterable[str]:
    """One sentence a selector: what it is, and all that the filter would have taken."""
    wants: dict[tuple[str, str], list[str]] = {}
    for fail in fails:
        wants.setdefault((fail.where, fail.found), []).append(fail.wants)
    for (where, found), wanted in wants.items():
        *rest, last = dict.fromkeys(wanted)
        yield str(Fail(where, found, f"{', '.join(rest)} or {last}" if rest else last))
