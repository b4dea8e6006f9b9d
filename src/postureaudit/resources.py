"""What the answers mean: resources with facts, and the types that declare where each fact comes from."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from postureaudit.evidence import (
    Absent,
    Answer,
    Evidence,
    Json,
    Neighbours,
    Outcome,
    Record,
    Refusal,
    RefusalKind,
    heavier,
)

T = TypeVar("T")
# What reading an answer raises when its parts are of other types than AWS gives them. Live answers are parsed by
# AWS's models; a saved file may hold anything.
MISREAD = (TypeError, AttributeError, LookupError, ValueError, ArithmeticError, RecursionError)


class ScopeKind(StrEnum):
    """What one place of a check is."""

    REGION = "region"
    ACCOUNT = "account"
    ORGANIZATION = "organization"
    RESOURCE = "resource"


class Shape(msgspec.Struct, frozen=True):
    """The shape of a facet in AWS's spelling: a path into an operation's output, as "trailList[]".

    In a field of a Struct it says which of AWS's words a text can be: Annotated[str, Shape(call, path)], beside a
    Literal of what we add; lint then knows a misspelt one.
    """

    call: str
    path: str


class Facet(msgspec.Struct, frozen=True, kw_only=True):
    """A named part of a resource's facts.

    `calls` are all AWS calls it is read from, with those that lead to them. `shape` is an AWS output
    shape, or a msgspec.Struct of ours for a joined fact, or a plain Python type such as bool.
    """

    name: str
    calls: tuple[str, ...]
    shape: Shape | Any
    doc: str = ""


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that checks judge, at one place.

    `id` is a stable subject: a name or ARN that survives re-creation ("" where the place is the region or
    account itself, "*" where the listing was refused). `facts` maps facet names to plain JSON in which a
    Refusal stands wherever AWS refused to say. `owner` is the account that owns it when that is not this
    one. `topic` is what a check with the same `topic` is about (a signal), where a type serves a family of
    checks. `elsewhere` says why no check of this type applies here ("look in the management account").
    """

    type: str
    id: str = ""
    account: str
    region: str | None
    facts: dict[str, Json]
    owner: str = ""
    elsewhere: str = ""
    topic: str = ""


class ResourceType(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of resource, declared once: lint, needed calls, the IAM policy and `explain` derive from it."""

    name: str
    scope: ScopeKind
    none: str  # what a check says when there is no such resource: "no trail here"
    facets: tuple[Facet, ...]
    produce: Callable[[View], Iterable[Resource]]

    def facet(self, name: str) -> Facet | None:
        return next((facet for facet in self.facets if facet.name == name), None)


class View:
    """Evidence as one account sees it: what `produce` functions read."""

    def __init__(self, evidence: Evidence, account: str, neighbours: Neighbours | None = None) -> None:
        self.evidence = evidence
        self.account = account
        self._neighbours = neighbours or evidence.neighbours
        if self._neighbours is not None:  # a road that comes back finds this view, not one from outside
            self._neighbours.views.setdefault(account, self)
        self.partition = evidence.header.partition
        self.leader = evidence.header.leader
        self.regions = evidence.header.regions.audited
        self.named = evidence.named
        self.first = self.leader if self.leader in self.regions else (self.regions or (self.leader,))[0]
        self._memo: dict[Any, Any] = {}

    def outcome(self, call: str, region: str, /, **params: Json) -> Outcome:
        """The outcome of this very ask; not_collected when it was never made."""
        return self.evidence.outcome(call, self.account, region, params)

    def outcome_as(self, account: str, call: str, region: str, /, **params: Json) -> Outcome:
        """The outcome of an ask that was made as another account (`Ask(..., account=...)`)."""
        return self.evidence.outcome(call, account, region, params)

    def other(self, account: str) -> View | None:
        """Another account that was read in the same run, as it sees itself; None for one that was not."""
        found = self._neighbours
        if found is None or account == self.account:
            return None
        if account not in found.views and account in found.accounts:
            View(found.accounts[account], account, found)
        view: View | None = found.views.get(account)
        return view

    def bucket_owner(self, bucket: str) -> str:
        """The account of the same run that lists a bucket as its own; "" where none is known to."""
        return "" if self._neighbours is None else self._neighbours.buckets.get(bucket, "")

    def record(self, call: str, region: str, /, **params: Json) -> Record | None:
        """The record of this very ask: its `at` is what ages are computed against."""
        return self.evidence.find(call, self.account, region, params)

    def memo(self, function: Callable[[View], T]) -> T:
        """Compute a fact of the whole account once."""
        if function not in self._memo:
            self._memo[function] = function(self)
        found: T = self._memo[function]
        return found

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, made once for this key; for facts that several things share."""
        if key not in self._memo:
            self._memo[key] = make()
        found: T = self._memo[key]
        return found


def body(outcome: Outcome) -> dict[str, Json] | Refusal:
    """The answer's body, {} for what AWS says is absent, or the refusal itself."""
    match outcome:
        case Answer(body=found):
            return found
        case Absent():
            return {}
        case Refusal():
            return outcome


def member(outcome: Outcome, name: str, default: Json = None) -> Json:
    """A top-level member of the answer: the default when absent, the Refusal when refused.

    Where the default is a list or an object, anything else is malformed: it is not "none".
    """
    found = body(outcome)
    if isinstance(found, Refusal):
        return found
    value = found.get(name, default)
    if isinstance(default, list | dict):
        if value is None:
            return default
        if not isinstance(value, type(default)):
            return Refusal(RefusalKind.MALFORMED, message=f"{name} is no {type(default).__name__}")
    return value


def any_of(values: Iterable[bool | Refusal]) -> bool | Refusal:
    """True if one is true; else the refusal that counts; else False. Three-valued "or"."""
    unknown: Refusal | None = None
    for value in values:
        if isinstance(value, Refusal):
            unknown = heavier(unknown, value)
        elif value:
            return True
    return False if unknown is None else unknown


def all_of(values: Iterable[bool | Refusal]) -> bool | Refusal:
    """False if one is false; else the refusal that counts; else True. Three-valued "and"."""
    unknown: Refusal | None = None
    for value in values:
        if isinstance(value, Refusal):
            unknown = heavier(unknown, value)
        elif not value:
            return False
    return True if unknown is None else unknown


def not_(value: bool | Refusal) -> bool | Refusal:
    """Three-valued "not"."""
    return value if isinstance(value, Refusal) else not value


def facts(**facets: msgspec.Struct | Json) -> dict[str, Json]:
    """Facets as a resource keeps them: our Structs as plain dicts in which a Refusal stays what it is."""
    return {name: _plain(value) for name, value in facets.items()}


def _plain(value: Any) -> Json:
    match value:
        case Refusal():
            return value
        case msgspec.Struct():
            return {name: _plain(item) for name, item in msgspec.structs.asdict(value).items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case dict():
            return {name: _plain(item) for name, item in value.items()}
        case _:
            return value


def malformed(call: str, region: str, message: str) -> Refusal:
    """A refusal for an answer that does not have the parts it must have."""
    return Refusal(RefusalKind.MALFORMED, message=message, call=call, region=region)
