"""Filter patterns match the right CloudTrail events, and nobody guesses where AWS's user guide is silent."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postureaudit.signals import log_filter
from postureaudit.signals.log_filter import FilterError, compile, decide, explain, matches, verdict
from postureaudit.signals.log_filter_regex import BadRegex, Regex
from postureaudit.signals.log_filter_tree import (
    And,
    Columns,
    Comparison,
    Each,
    Everything,
    Keyword,
    Node,
    Operator,
    Or,
    Selector,
    State,
    Word,
)

GUIDE_EVENT = {
    "eventType": "UpdateTrail",
    "sourceIPAddress": "111.111.111.111",
    "arrayKey": ["value", "another value"],
    "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
    "SomeObject": None,
    "ThisFlag": True,
    "cluster.name": "c",
    "bandwidth": 80,
    "number": [1000, 0.5],
    "errorCode": 400,
}
GUIDE_OBJECT = {
    "user": {"id": 1, "email": "John.Stiles@example.com"},
    "users": [{"id": 2, "email": "John.Doe@example.com"}, {"id": 3, "email": "Jane.Doe@example.com"}],
    "actions": ["GET", "PUT", "DELETE"],
    "coordinates": [[0, 1, 2], [4, 5, 6], [7, 8, 9]],
}


@pytest.mark.parametrize(
    "text",
    [
        '{ $.eventType = "UpdateTrail" }',
        "{ $.eventType = UpdateTrail }",
        "{$.eventType=UpdateTrail}",
        " { ( ( $.eventType=\n\tUpdateTrail ) ) } ",
        "{ $.eventType = Update* }",
        '{ $.eventType = "*Trail" }',
        "{ $.eventType = *dateTr* }",
        "{ $.eventType = * }",
        "{ $.sourceIPAddress != 123.123.* }",
        "{ $.sourceIPAddress = 111.111.* }",
        '{ $.arrayKey[0] = "value" }',
        "{ $.eventType = %Trail% }",
        "{ $.eventType != %^Trail% }",
        "{ $.arrayKey[*] = %val.{2}% }",
        "{ $.* = %111\\.111\\.111\\.1[0-9]{1,2}% }",
        "{ $.['cluster.name'] = \"c\" }",
        "{ $.objectList[*].id = 2 }",
        "{ $.objectList[1].id = 2 }",
        "{ $.SomeObject IS NULL }",
        "{ $.ThisFlag IS TRUE }",
        "{ $.SomeOtherObject NOT EXISTS }",
        "{ $.eventType.deeper NOT EXISTS }",
        "{ $.arrayKey[2] NOT EXISTS }",
        "{ $.bandwidth > 75 }",
        "{ $.bandwidth >= 80 && $.bandwidth <= +80.0 && $.bandwidth < 8.1e1 }",
        "{ $.errorCode = 400}",
        "{ $.errorCode = 4* }",
        "{ $.errorCode != 500 }",
        "{ $.errorCode != 5* }",
        "{ $.number[0] = 1e+3 }",
        "{ $.number[0] != 1e-3 }",
        "{ $.number[1] = .5 }",
    ],
)
def test_examples_of_the_guide_match(text: str):
    """What the user guide says of its sample event, in its spellings and in denser ones."""
    assert decide(text, GUIDE_EVENT) == log_filter.Decision(True)


@pytest.mark.parametrize(
    "text",
    [
        '{ $.eventType = "updatetrail" }',
        "{ $.eventType = Update }",
        "{ $.eventType = *Update }",
        "{ $.sourceIPAddress != 111.* }",
        "{ $.arrayKey[1] = value }",
        "{ $.arrayKey[7] = value }",
        "{ $.eventType[0] = UpdateTrail }",
        "{ $.missing = * }",
        "{ $.missing > 1 }",
        "{ $.missing IS NULL }",
        "{ $.missing IS FALSE }",
        "{ $.SomeObject NOT EXISTS }",
        "{ $.eventType IS TRUE }",
        "{ $.ThisFlag IS FALSE }",
        "{ $.bandwidth > 80 }",
        "{ $.eventType > 1 }",
        "{ $.errorCode != 400 }",
        "{ $.errorCode = 40 }",
        "{ $.errorCode = *5 }",
        "{ $.arrayKey = value }",
        "{ $.arrayKey != value }",
        "{ $.objectList[0] != value }",
        "{ $.arrayKey[*] = nothing }",
        "{ $.eventType = %^Trail% }",
        "{ $.eventType != %Trail% }",
    ],
)
def test_other_values_do_not_match(text: str):
    """False for certain, and with a reason."""
    decision = decide(text, GUIDE_EVENT)

    assert decision.value is False
    assert decision.reasons


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }', True),
        (
            '{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch" '
            '&& $.actions[2] = "nonmatch" }',
            True,
        ),
        (
            '{ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch") '
            '&& $.actions[2] = "nonmatch" }',
            False,
        ),
        ('{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }', False),
        ("{ $.user.id = 1 || $.user.id = 2 && $.user.id = 3 }", True),
        ("{ $.user.id = 3 && $.user.id = 2 || $.user.id = 1 }", True),
    ],
)
def test_and_binds_tighter_than_or(text: str, expected: bool):
    """() > && > ||, with the examples of the guide."""
    assert decide(text, GUIDE_OBJECT).value is expected


ODD = {
    "text": "500",
    "number": 500,
    "flag": True,
    "said": "true",
    "null": None,
    "list": [1],
    "nothing": [],
    "name": "Create-Policy",
    "quote": 'a"b',
    "path": "a\\b",
    "both": ["a", "b"],
}


@pytest.mark.parametrize(
    "text",
    [
        "{ $.missing != x }",
        "{ $.missing.deeper != 5 }",
        '{ $.number = "500" }',
        "{ $.number != abc }",
        '{ $.number != "1" }',
        "{ $.number = %5% }",
        "{ $.text = 500.0 }",
        "{ $.text > 1 }",
        "{ $.text != 501 }",
        "{ $.flag = true }",
        "{ $.flag != false }",
        "{ $.flag = * }",
        "{ $.said IS TRUE }",
        "{ $.null = null }",
        "{ $.null != x }",
        "{ $.null = * }",
        "{ $.name = Create-Policy }",
        "{ $.name = Cr*cy }",
        "{ $.name != Cr*cy }",
        '{ $.path = "a\\\\b" }',
        "{ $.both[*] != a }",
        "{ $.nothing[*] != a }",
        "{ $.nothing[*] NOT EXISTS }",
        "{ $.text = 500 || $.list = 1 }",
        "{ $.missing != x && $.text = 500 }",
        "{ $.missing != x || $.text = 1 }",
    ],
)
def test_what_the_guide_does_not_say_is_unsure(text: str):
    """None with a reason, and no match for who needs proof."""
    decision = decide(text, ODD)

    assert decision.value is None
    assert decision.reasons
    assert not matches(text, ODD)
    assert explain(text, ODD).startswith("unsure: ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ $.missing != x && $.text = 1 }", False),
        ("{ $.missing != x || $.text = 500 }", True),
        ("{ $.flag = false }", False),
        ("{ $.null = x }", False),
        ("{ $.list = 1 && $.text = 500 }", False),
        ("{ $.list NOT EXISTS || $.text = 500 }", True),
        ("{ $.name = Delete*cy }", False),
        ("{ $.name != Delete*cy }", True),
        ('{ $.name = "Create-Policy" }', True),
        ("{ $.name = Delete-Policy }", False),
        ('{ $.quote = "a\\"b" }', True),
        ("{ $.both[*] != c }", True),
        ("{ $.both[*] = b }", True),
        ("{ $.list[*] != 1 }", False),
        ("{ $.missing[*] NOT EXISTS }", True),
    ],
)
def test_what_hangs_on_nothing_unsaid_is_certain(text: str, expected: bool):
    """A false side of && and a true side of || decide, and so do readings that agree."""
    assert decide(text, ODD).value is expected


@pytest.mark.parametrize(
    ("text", "event", "expected"),
    [
        (
            "{ $.eventName = CreateTrail }",
            {"eventName": "StopLogging"},
            "$.eventName is 'StopLogging', the filter wants CreateTrail",
        ),
        (
            "{ ($.eventName = A) || ($.eventName = B) || ($.eventName = C) }",
            {"eventName": "StopLogging"},
            "$.eventName is 'StopLogging', the filter wants A, B or C",
        ),
        (
            "{ $.a = 1 && $.b != x* && $.c = 3 && $.d NOT EXISTS && $.e IS NULL && $.f > 7 }",
            {"a": 2, "b": "xy", "c": 3, "d": [], "e": {}},
            "$.a is 2, the filter wants 1; $.b is 'xy', the filter wants anything but x*; $.d is an array, the filter "
            "wants it not to exist; $.e is an object, the filter wants null; $.f is missing, the filter wants > 7",
        ),
        ("{ $.a = x }", {"a": "x"}, "the event matches the filter"),
        (
            '{ $.a.m != "Yes" }',
            {},
            "unsure: $.a.m is missing, and AWS does not say whether != holds then",
        ),
        ("ERROR", {"a": "fine"}, "ERROR is not in the event, the filter wants it there"),
        ("-fine", {"a": "fine"}, "fine is in the event, the filter wants it not to be there"),
        (
            "{ $.a = x }",
            {"a": "\x1b[31m\n" + "y" * 200},
            "$.a is '\\x1b[31m\\n" + "y" * 71 + "...', the filter wants x",
        ),
    ],
)
def test_explain_names_what_failed(text: str, event: dict[str, Any], expected: str):
    """One sentence a selector, with what is there and what the filter wants."""
    assert explain(text, event) == expected


STOP_LOGGING = {"eventName": "StopLogging", "eventSource": "cloudtrail.amazonaws.com", "userAgent": "aws cli"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("  ", True),
        ('""', True),
        ('" "', True),
        ("StopLogging", True),
        ('"StopLogging"', True),
        ('"cloudtrail.amazonaws.com"', True),
        ('"aws cli"', True),
        ("StopLogging cloudtrail", True),
        ("StopLogging DeleteTrail", False),
        ("stoplogging", False),
        ("?DeleteTrail ?StopLogging", True),
        ("?DeleteTrail ?UpdateTrail", False),
        ("?DeleteTrail StopLogging", True),
        ("?StopLogging DeleteTrail", False),
        ("-DeleteTrail", True),
        ("StopLogging -cloudtrail", False),
        ('StopLogging - "aws cli"', False),
        ("%Stop[A-Z]%", True),
        ("%Stop[0-9]%", False),
        ('"\\"eventName\\""', True),
        ("Logging", None),
        ("-Logging", None),
        ("cloudtrail.amazonaws.com", None),
        ("Stop*", None),
        ("%Stop% cloudtrail", None),
        ('"\\"eventName\\":\\"StopLogging\\""', None),
        ("[a, b]", None),
        ("[..., status = 4*]", None),
    ],
)
def test_terms_are_looked_for_in_the_text_of_the_event(text: str, expected: bool | None):
    """The unstructured forms: all terms, any of the optional ones, none of the excluded ones."""
    assert decide(text, STOP_LOGGING).value is expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "ends too early"),
        ("{ }", "character 3 does not fit"),
        ("{ $.a = 1", "ends too early"),
        ("{ $.a = 1 } x", "does not fit: 'x'"),
        ("{ ($.a = 1 }", "does not fit: '}'"),
        ("{ $.a }", "does not fit: '}'"),
        ("{ $.a = }", "does not fit: '}'"),
        ("{ $.a = 1 && }", "does not fit: '}'"),
        ("{ a = 1 }", "does not fit: 'a = 1 }'"),
        ("{ $.a == 1 }", "equality is written ="),
        ("{ $.a = 'Root' }", "double quotation marks"),
        ('{ $.a = "Root }', "quotation mark is not closed"),
        ("{ $.a = %Root }", "regular expression is not closed"),
        ("{ $.a EXISTS }", "EXISTS without NOT is not supported"),
        ("{ $.a IS NOT NULL }", "IS NOT is not supported"),
        ("{ $.a not exists }", "written in capitals"),
        ("{ !($.a = 1) }", "there is no !"),
        ("{ $.a = 1 AND $.b = 2 }", "joined by && and ||"),
        ("{ $.a = 1 | $.b = 2 }", "joined by && and ||"),
        ("{ $. a = 1 }", "does not fit"),
        ("{ $ .a = 1 }", "a blank inside a selector"),
        ("{ $[0] = 1 }", "an array position follows a property"),
        ("{ $.a[*].* = 1 }", "one wildcard"),
        ("{ $.a[*]=1 || $.b[*]=1 || $.c[*]=1 || $.d[*]=1 }", "more than 3 wildcard selectors"),
        ("{ $.a=%a% || $.b=%b% || $.c=%c% }", "more than 2 regular expressions"),
        ("{ $.a > x }", "> wants a number"),
        ('{ $.a <= "5" }', "<= wants a number"),
        ("{ $.a < 4* }", "< wants a number"),
        ("{ $.a >= %4% }", ">= wants a number"),
        ("{ $.a = %(b)% }", r"write \x28"),
        ("{ $.a = ü }", "does not fit"),
        ("[a, b", "is not closed"),
        ('ERROR "', "quotation mark is not closed"),
        ("-", "ends too early"),
        ("?-a", "does not fit"),
        ("x" * 1025, "1025 characters"),
        ("{" + "(" * 200 + "$.a=1" + ")" * 200 + "}", "nested deeper than 40"),
    ],
)  # fmt: skip
def test_a_broken_filter_is_refused_with_a_reason(text: str, reason: str):
    """What CloudWatch Logs refuses, or its guide does not describe; the hint says what to do."""
    with pytest.raises(FilterError, match=re.escape(reason)) as refusal:
        compile(text)

    assert refusal.value.hint


@pytest.mark.parametrize(
    ("regex", "hits", "misses"),
    [
        ("^[hc]at", ["hat", "cats"], ["a hat", "bat"]),
        ("[hc]at$", ["a hat"], ["hats"]),
        ("colou?r", ["color", "colour"], ["colouur"]),
        ("[abcx-z]", ["y", "b"], ["d", "w"]),
        ("^a{3,5}$", ["aaa", "aaaaa"], ["aa", "aaaaaa"]),
        ("^a{,2}$", ["", "aa"], ["aaa"]),
        ("^a{2,}$", ["aa", "aaaaaaa"], ["a"]),
        ("gra|ey", ["gray", "grey"], ["gry"]),
        ("^starting|^initializing|^shutting down", ["starting", "shutting down"], ["skipping initializing"]),
        ("abcc|ab[^c]$", ["abcc ...", "aba"], ["aac"]),
        (r"\[.\]", ["[a]", "x[]]"], ["[]"]),
        (r"10\.10\.0\.1", ["10.10.0.1"], ["10010,051"]),
        ("ab*c", ["ac", "abbbc"], ["adc"]),
        ("^ab+c$", ["abc", "abbc"], ["ac"]),
        (r"^\d\D\s\S\w\W$", ["1a bc."], ["aa bc."]),
        (r"\x28\x3A", ["(:"], [":("]),
        (r"[\d\-.]x", ["1x", "-x", ".x"], ["ax"]),
    ],
)
def test_regexes_of_the_guide(regex: str, hits: list[str], misses: list[str]):
    """The operators, with the examples of the guide."""
    assert [Regex(regex).found_in(text) for text in hits + misses] == [True] * len(hits) + [False] * len(
        misses
    )


@pytest.mark.parametrize(
    "regex",
    [
        *(
            "",
            "a!",
            "(a)",
            "é",
            "a**",
            "a+?",
            "*a",
            "|a",
            "a|",
            "a^b",
            "a$b",
            "[",
            "[]",
            "[a",
            "[z-a]",
            r"[\d-z]",
        ),
        *(
            "a{",
            "a{}",
            "a{x}",
            "a{3,2}",
            "a{,}",
            "]",
            "}",
            "\\",
            r"\q",
            r"\x2",
            r"\xFF",
            "a{99999}",
            "a{9999}b{9999}",
        ),
    ],
)
def test_other_regexes_are_refused(regex: str):
    """What is not in the guide's list, or makes no sense."""
    with pytest.raises(BadRegex):
        Regex(regex)


_PIECES = ["a", "b", ".", "[ab]", "[^a]", "a*", "b+", ".?", "a{0,2}", "b{2}", "a{1,}", "|"]


@given(
    st.sampled_from(["", "^"]), st.lists(st.sampled_from(_PIECES), min_size=1, max_size=7),
    st.sampled_from(["", "$"]), st.text("abc", max_size=7),
)  # fmt: skip
def test_regexes_find_what_python_finds(start: str, pieces: list[str], end: str, text: str):
    """The same answer as Python's own engine, which may be slow but is well tested."""
    pattern = start + "".join(pieces) + end
    try:
        regex = Regex(pattern)
    except BadRegex:
        return

    assert regex.found_in(text) is bool(re.search(pattern.replace("$", r"\Z"), text))


_names = st.from_regex(r"[A-Za-z0-9_-]{1,6}", fullmatch=True)
_selectors = st.builds(
    lambda first, rest: Selector((first, *rest)),
    _names | st.from_regex(r"[a-z.: ]{1,6}", fullmatch=True),
    st.lists(_names | st.integers(0, 99), max_size=3),
)
_numbers = st.from_regex(r"[+-]?[0-9]{1,4}(\.[0-9]{1,3})?(e[+-]?[0-9])?", fullmatch=True).map(Word)
_words = st.from_regex(r"[A-Za-z*][A-Za-z0-9_.*]{0,8}", fullmatch=True).map(Word)
_quoted = st.text(st.characters(exclude_characters='"\\', exclude_categories=["Cs"]), max_size=12).map(
    lambda text: Word(text, quoted=True)
)
_leaves = (
    st.builds(
        Comparison,
        _selectors,
        st.sampled_from([Operator.EQUAL, Operator.UNEQUAL]),
        _words | _quoted | _numbers,
    )
    | st.builds(Comparison, _selectors, st.sampled_from(Operator), _numbers)
    | st.builds(State, _selectors, st.sampled_from(Keyword))
)
_nodes = st.recursive(
    _leaves,
    lambda inner: st.builds(
        lambda kind, parts: kind(tuple(parts)),
        st.sampled_from([And, Or]),
        st.lists(inner, min_size=2, max_size=3),
    ),
    max_leaves=6,
)


def write(node: Node, blank: str) -> str:
    """A filter's text, in parentheses wherever a condition is no comparison."""
    match node:
        case And(parts) | Or(parts):
            sign = "&&" if isinstance(node, And) else "||"
            return f"{blank}{sign}{blank}".join(f"({blank}{write(part, blank)}{blank})" for part in parts)
        case Comparison(selector, operator, value):
            return f"{selector}{blank}{operator}{blank}{value}"
        case State(selector, keyword):
            return f"{selector} {keyword}"


@given(_nodes, st.sampled_from(["", " ", " \n\t"]))
def test_a_written_filter_is_read_back(node: Node, blank: str):
    """Blanks mean nothing outside quotation marks."""
    text = f"{{{blank}{write(node, blank)}{blank}}}"
    if len(text) <= 1024:
        assert compile(text).tree == node


@given(st.text(max_size=60) | st.text("{}()[]$.\"%*=!<>&|?-\\ aISNOTEXULR01'", max_size=40))
def test_any_text_is_a_filter_or_refused(text: str):
    """Never anything but FilterError, and a filter always gives an answer."""
    for pattern in (text, f"{{ {text} }}", f"{{ $.a = {text} }}", f'{{ $.a = "{text}" }}', f"%{text}%"):
        try:
            assert decide(pattern, {"a": "x", "b": [1, None]}).value in (True, False, None)
        except FilterError as error:
            assert error.message and error.hint


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


@given(_nodes, st.dictionaries(st.sampled_from("abcABC01"), _json, max_size=4))
def test_any_event_gets_an_answer(node: Node, event: dict[str, Any]):
    """Whatever the event, a reason stands beside each answer but a match."""
    text = f"{{ {write(node, ' ')} }}"
    if len(text) <= 1024:
        decision = decide(text, event)
        assert (decision.value is True) is not bool(decision.reasons)


_WORDS = (
    "a",
    "a-b",
    "a/b",
    "a*",
    "*",
    "1",
    "1e0",
    "true",
    '"a"',
    '"1"',
    '"a*"',
    '""',
    '"a b"',
    r'"a\""',
    "%a%",
)
_CONDITIONS = (
    *(f"{sign} {word}" for sign in ("=", "!=") for word in _WORDS),
    *(f"{sign} 1" for sign in ("<", ">", "<=", ">=")),
    *("IS NULL", "IS TRUE", "IS FALSE", "NOT EXISTS"),
)
_VALUES: tuple[Any, ...] = (
    *(
        "a",
        "ab",
        "a-b",
        "a/b",
        "1",
        "1.0",
        "true",
        'a"',
        'a\\"',
        "a b",
        "",
        "*",
        1,
        1.0,
        2,
        True,
        False,
        None,
    ),
    *([], ["a"], [1, "a"], {}, {"b": "a"}, {"b": None, "c": 1}),
)
_EVENTS: tuple[dict[str, Any], ...] = ({}, *({"a": value} for value in _VALUES), {"a": {"b": ["a"]}, "c": 1})


def _is_same(text: str) -> int:
    """Compare both ways over all the events; how often the answer was true."""
    try:
        compile(text)
    except FilterError:
        return 0
    slow = [decide(text, event).value for event in _EVENTS]
    assert [verdict(text, event) for event in _EVENTS] == slow, text
    return slow.count(True)


@pytest.mark.parametrize("selector", ["$.a", "$.a.b", "$.a[0]", "$.a.*", "$.a[*]"])
def test_the_quick_verdict_of_a_condition_is_the_same(selector: str):
    """What is decided without reasons is what is decided with them: true, false or unsure."""
    assert sum(_is_same(f"{{ {selector} {condition} }}") for condition in _CONDITIONS) > 20


def test_the_quick_verdict_of_several_conditions_is_the_same():
    """In whatever order they stand, what decides ends it, and what is unsure is kept."""
    parts = ("$.a = a", "$.a != a", "$.a = true", "$.a.b IS NULL", "$.c = 1", "$.d NOT EXISTS")
    found = 0
    for one, sign, other, second, third in itertools.product(
        parts, ("&&", "||"), parts, ("&&", "||"), parts[1:3]
    ):
        found += _is_same(f"{{ ({one} {sign} {other}) {second} {third} }}")

    assert found > 100


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{ $.a = " + "a*" * 500 + "b }", "a" * 200_000),
        ('{ $.a = "' + "*" * 1000 + '" }', "a" * 200_000),
        ("{ $.a = %" + ".*" * 490 + "b% }", "a" * 200_000),
        ("{ $.a = %a{0,9999}b% }", "a" * 20_000),
        ("{ $.a > 1 }", "1" * 200_000),
        ("{ $.a = 1e9999 }", 10**4000),
        ("{ $.a = 4* }", 4 * 10**5000),
        ("aaa" * 300, "a" * 200_000),
        ("{ " + "$.a=1||" * 140 + "$.a=2 }", 3),
        ("{ " + "($.a=1||" * 40 + "$.a=2" + ")" * 40 + " }", 3),
    ],
    ids=[
        "wildcards", "stars", "regex", "repetition", "digits", "big number", "many digits", "overlapping term",
        "long choice", "deep parentheses",
    ],
)  # fmt: skip
def test_nothing_makes_it_slow(text: str, value: Any):
    """The longest filters on long values take no time that grows faster than both."""
    started = time.perf_counter()

    decide(text, {"a": value})

    assert time.perf_counter() - started < 20  # a slow machine takes 2; what backtracks would take years


def test_the_program_starts_without_the_parser():
    """Who reads no filter does not wait for lark, and the parser is built once."""
    code = (
        "import sys, postureaudit.__main__, postureaudit.signals.log_filter as f; assert 'lark' not in sys.modules;"
        "from postureaudit.signals import log_filter_syntax as s; f.compile('{$.a=1}'); assert 'lark' in sys.modules;"
        "assert s._parser() is s._parser(); assert f.compile('{$.a=1}') is f.compile('{$.a=1}')"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(("text", "tree"), [("", Everything()), ("[a]", Columns())])
def test_the_other_kinds_of_patterns(text: str, tree: object):
    """Neither is a JSON filter."""
    assert compile(text).tree == tree


def test_a_selector_is_shown_as_it_is_written():
    """Names that need brackets get them."""
    steps = ("a-b", 0, "c.d", Each.ELEMENT)

    assert str(Selector(steps)) == "$.a-b[0].['c.d'][*]"
