"""Filter patterns for unstructured events: terms looked for in the JSON text of an event."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from postureaudit.evidence import Json
from postureaudit.signals.log_filter_outcome import YES, Fail, Outcome, all_of, any_of, negated, unsure
from postureaudit.signals.log_filter_regex import Regex
from postureaudit.signals.log_filter_tree import Term, Terms
from postureaudit.signals.log_filter_values import unescaped


def search(terms: Terms, event: Mapping[str, Json]) -> Outcome:
    """Terms for unstructured events, looked for in the event's JSON text."""
    messages = _messages(event)
    every = terms.wanted + terms.unwanted + terms.options
    if len(every) > 1 and any(isinstance(term.value, Regex) for term in every):
        return unsure(
            "AWS knows a regex as a filter of its own, and does not say what it does beside other terms"
        )
    if terms.options:
        return any_of([_term(term, messages) for term in terms.options])
    wanted = [_term(term, messages) for term in terms.wanted]
    unwanted = [_excluded(term, messages) for term in terms.unwanted]
    return all_of(wanted + unwanted)


def _messages(event: Mapping[str, Json]) -> tuple[str, ...]:
    """The text of the event: CloudTrail writes it without blanks, but the guide does not say so."""
    return tuple(
        json.dumps(dict(event), ensure_ascii=False, separators=separators)
        for separators in ((",", ":"), (", ", ": "))
    )


def _excluded(term: Term, messages: Sequence[str]) -> Outcome:
    outcome = negated(_term(term, messages))
    if outcome.value is not False:
        return outcome
    return Outcome(False, fails=(Fail(str(term.value), "in the event", "it not to be there"),))


def _term(term: Term, messages: Sequence[str]) -> Outcome:
    """ "Messages contain the word": a word that is only part of a longer one is not certain."""
    value = term.value
    if isinstance(value, Regex):
        found: set[bool | None] = {value.found_in(message) for message in messages}
    else:
        if value.quoted and not value.text.strip():
            return YES
        texts = [value.text.replace('\\"', '"'), unescaped(value.text)] if value.quoted else [value.text]
        found = {_contains(message, text) for message in messages for text in texts}
        if found != {False} and not value.quoted and not value.text.replace("_", "").isalnum():
            return unsure(f"AWS wants double quotation marks around {value}")
        if not value.quoted and "*" in value.text:
            return unsure(f"AWS knows no wildcard in terms such as {value}")
    if found == {True}:
        return YES
    if found == {False}:
        return Outcome(False, fails=(Fail(str(value), "not in the event", "it there"),))
    return unsure(
        f"{value} is in the event only within a longer word, or depending on how its JSON is written"
    )


def _contains(message: str, text: str) -> bool | None:
    """Whether a text is in the message: True as words of their own, None within longer words, False not at all."""
    at, within = message.find(text), False
    while at >= 0:
        end = at + len(text)
        if not (_joined(message, at) or _joined(message, end)):
            return True
        within, at = True, message.find(text, at + 1)
    return None if within else False


def _joined(message: str, at: int) -> bool:
    """Whether the characters on both sides of this place belong to one word."""
    pair = message[max(at - 1, 0) : at + 1]
    return len(pair) == 2 and all(char.isalnum() or char == "_" for char in pair)
