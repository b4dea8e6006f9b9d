"""AWS's own opinion of what matches: the questions to ask it, and where it disagrees with ours."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from typing import Any

import msgspec

from postureaudit.asks import Ask, Collection, Scope
from postureaudit.evidence import Answer, Json, Record, Refusal, canonical
from postureaudit.resources import View
from postureaudit.signals import asks, decisions, event_pattern, events, rules, sources, watchers
from postureaudit.signals.event_pattern import PatternError
from postureaudit.signals.events import Place
from postureaudit.signals.log_filter import FilterError

PATTERN, FILTER = "events:TestEventPattern", "logs:TestMetricFilter"
MOST = 300  # questions of one run: AWS documents no limit of its own for either call
_MESSAGES = 50  # events that TestMetricFilter takes (API reference)


class About(msgspec.Struct, frozen=True, kw_only=True):
    """One event that a question is about, and our own answer; None where we cannot tell."""

    signal: str
    event: str  # the member of the signal, as its route names it
    ours: bool | None


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One call that has AWS match events: a rule's pattern with one event, or a metric filter with up to 50.

    `kind` is "rule" or "metric filter", `name` what it is called, `region` where it is asked.
    """

    kind: str
    name: str
    region: str
    call: str
    params: dict[str, Json]
    about: tuple[About, ...]

    @property
    def ask(self) -> Ask:
        """The call itself, aimed at the region."""
        return Ask(self.call, region=self.region, **self.params)


class Disagreement(msgspec.Struct, frozen=True, kw_only=True):
    """Where AWS answers otherwise than we do, in one sentence.

    `theirs` is None for a note: AWS gave no answer. `ours` is None where we could not tell and AWS can.
    """

    kind: str
    name: str
    region: str
    signal: str
    event: str
    ours: bool | None
    theirs: bool | None
    sentence: str

    @property
    def note(self) -> bool:
        """Whether this says only that AWS was not heard, or knew what we did not."""
        return self.ours is None or self.theirs is None


def questions(view: View, names: Set[str]) -> list[Question]:
    """What to ask AWS about these signals: every enabled rule that takes such events, every trail's metric filter.

    Equal questions are asked once, in the first region that has them. The first event of every signal comes before
    the second of any, so that the first MOST of them say something of each.
    """
    found: dict[tuple[str, str], Question] = {}
    for _, question in sorted(_all(view, names), key=lambda pair: pair[0]):
        found.setdefault((question.call, canonical(question.params)), question)
    return list(found.values())


def collector(asked: Sequence[Question]) -> Callable[[Scope], Collection]:
    """What walk() runs to ask these questions: all of them from the first region, each aimed at its own."""

    def collect(scope: Scope) -> Collection:
        if scope.first:
            yield [question.ask for question in asked]

    return collect


def disagreements(asked: Sequence[Question], records: Iterable[Record]) -> list[Disagreement]:
    """Where AWS's answers differ from ours, in the order of the questions. `records` may be whole evidence."""
    answers = {(record.call, canonical(record.params), record.region): record for record in records}
    return [
        found
        for question in asked
        for found in _compared(
            question, answers.get((question.call, canonical(question.params), question.region))
        )
    ]


def _all(view: View, names: Set[str]) -> Iterator[tuple[int, Question]]:
    """Every question, with how far back in its signal the event stands."""
    for region in view.regions:
        found, _ = rules.enabled(view, region)
        for rule in found:
            if rule.counts:
                yield from _of_rule(view, rule, names)
        for item in watchers.filters(view, region)[0]:
            yield from ((0, question) for question in _of_filter(view, item, region, names))


def _of_rule(view: View, rule: rules.Rule, names: Set[str]) -> Iterator[tuple[int, Question]]:
    # Where a pattern does not look at the region, one region's event stands for all.
    regional = "region" in rule.pattern.lower() or "arn:" in rule.pattern
    place = sources.place_of(view, rule.region if regional else view.leader)
    for signal in events.signals():
        if signal.id not in names:
            continue
        for rank, item in enumerate(signal.members):
            head = (str(item.template["source"]), str(item.template["detail-type"]))
            if not asks.takes(rule.pattern, head):
                continue
            event = events.document(item.template, place)
            about = About(signal=signal.id, event=item.name, ours=_matches(rule.pattern, event))
            question = Question(
                kind="rule",
                name=rule.name,
                region=rule.region,
                call=PATTERN,
                params={"EventPattern": rule.pattern, "Event": json.dumps(event)},
                about=(about,),
            )
            yield rank, question


def _matches(pattern: str, event: Mapping[str, Json]) -> bool | None:
    try:
        return event_pattern.matches(pattern, event)
    except PatternError:
        return None


def _of_filter(view: View, item: Mapping[str, Any], region: str, names: Set[str]) -> Iterator[Question]:
    """The questions about a metric filter: as many events in each as the call takes."""
    text = str(item.get("filterPattern") or "")
    place = sources.place_of(view, region)
    wanted = [
        (about, events.document(events.member(about).template["detail"], place))
        for about in watchers.recorded()
        if about[0] in names
    ]
    for start in range(0, len(wanted), _MESSAGES):
        part = wanted[start : start + _MESSAGES]
        yield Question(
            kind="metric filter",
            name=str(item.get("filterName")),
            region=region,
            call=FILTER,
            params={
                "filterPattern": text,
                "logEventMessages": [json.dumps(record) for _, record in part],
            },
            about=tuple(
                About(signal=about[0], event=about[1], ours=_takes(text, about, place)) for about, _ in part
            ),
        )


def _takes(text: str, about: tuple[str, str], place: Place) -> bool | None:
    try:
        return decisions.decided(text, about, place).value
    except FilterError:
        return None


def _compared(question: Question, record: Record | None) -> Iterator[Disagreement]:
    if record is None or not isinstance(record.outcome, Answer):
        refused = record.outcome if record is not None else None
        why = refused.reason() if isinstance(refused, Refusal) else f"{question.call} was not asked"
        sentence = f"AWS gave no opinion of {question.kind} {question.name}: {why}"
        yield _said(question, question.about[0], None, sentence)
        return
    for about, theirs in zip(question.about, _theirs(question, record.outcome.body), strict=True):
        if theirs is None:
            sentence = f"AWS's answer about {question.kind} {question.name} does not say whether it matches"
        elif about.ours is None:
            word = "matches" if theirs else "does not match"
            sentence = f"{question.kind} {question.name} {word} {about.event}, says AWS; we could not tell"
        elif about.ours is not theirs:
            ours, other = ("matches", "does not") if about.ours else ("does not match", "does")
            sentence = f"{question.kind} {question.name}: we say it {ours} {about.event}, AWS says it {other}"
        else:
            continue
        yield _said(question, about, theirs, sentence)


def _theirs(question: Question, body: Mapping[str, Json]) -> list[bool | None]:
    """AWS's answer for each event that was asked about."""
    if question.call == PATTERN:
        result = body.get("Result")
        return [result if isinstance(result, bool) else None]
    listed = body.get("matches")
    if not isinstance(listed, list):
        return [None] * len(question.about)
    # By the text: from which number the events are counted is not documented.
    messages: list[str] = question.params["logEventMessages"]
    matched = {item.get("eventMessage") for item in listed}
    if not matched <= set(messages):
        return [None] * len(messages)
    return [message in matched for message in messages]


def _said(question: Question, about: About, theirs: bool | None, sentence: str) -> Disagreement:
    return Disagreement(
        kind=question.kind,
        name=question.name,
        region=question.region,
        signal=about.signal,
        event=about.event,
        ours=about.ours,
        theirs=theirs,
        sentence=sentence,
    )
