"""Event patterns match what EventBridge matches, refuse what it refuses, and say why an event does not match."""

from __future__ import annotations

import doctest
import itertools
import json
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from postureaudit.errors import PostureAuditError
from postureaudit.signals import event_pattern
from postureaudit.signals.event_pattern import PatternError, compile, explain, matches, may_take, missed

# Patterns and events with the answers of AWS's own engine (github.com/aws/event-ruler).
CASES = [
    json.loads(line)
    for line in (Path(__file__).parent / "event_pattern_cases.jsonl").read_text("utf-8").splitlines()
]

# Where the engine answers what no document says, and each cause is an accident of its byte machine:
# - a `cidr` on a JSON number: the digits are compared as if they were an address in hexadecimal;
# - two operators that share a state machine leak into each other, while each alone answers false.
ODDITIES = {"cidr-num", "oracle-bug-wild-eic"}

# What the engine says of each refused case, in our words.
REASONS = {
    "wild-double-star": "name: wildcard has two * in a row, at character 2",
    "wild-bad-escape": "name: wildcard has an invalid escape, at character 2",
    "num-bad-order": 'a: numeric cannot be ["<", 5, ">", 0]',
    "num-bad-bottom": "a: numeric range ends at 1, not above its beginning at 5",
    "ab-mixed-list": "only strings or only numbers",
    "ab-null-val": "b: anything-but wants a string or a number",
    "cidr-host": "IPv4 takes less than 32",
    "cidr-bad": "needs one slash",
    "or-single": "$or: needs at least two objects",
    "or-reserved": "numeric is a reserved name",
    "inv-empty-pattern": "the pattern: an object must not be empty",
    "inv-empty-array": "a: a list of values must not be empty",
    "inv-scalar": "a: must be an object or a list of values, not 1",
    "inv-two-ops": 'exactly one key, this one has "prefix" and "suffix"',
    "inv-unknown-op": 'name: there is no operator "regex"',
    "inv-empty-obj": "o: an object must not be empty",
    "inv-nested-array": "a: a value must be a string, a number, true, false or null, not a list",
}


def finding(severity: float = 8, **more: Any) -> dict[str, Any]:
    """A GuardDuty finding as EventBridge sees it."""
    return {
        "source": "aws.guardduty",
        "detail-type": "GuardDuty Finding",
        "resources": [],
        "detail": {"severity": severity, "service": {"archived": False}, **more},
    }


def one(test: Any, value: Any) -> bool:
    """Does this one entry of a list match this value of an event?"""
    return matches({"x": [test]}, {"x": value})


def sentence(pattern: Any, event: dict[str, Any]) -> str:
    found = explain(pattern, event)
    return found.sentence() if found else ""


# --- the engine's answers ------------------------------------------------------------------------------------


def test_all_cases_are_here():
    """190 answers of the engine; ours differ in the two that are known accidents, and in no other."""
    assert len(CASES) == 190
    assert {case["id"] for case in CASES if "postureaudit_expect" in case} == ODDITIES
    assert {case["id"] for case in CASES if case["expect"] == "invalid"} == REASONS.keys()


@pytest.mark.parametrize("written", [lambda pattern: pattern, json.dumps], ids=["mapping", "text"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_engine_says_so(case, written):
    """Each pattern matches, does not match or is refused, as AWS's engine says."""
    pattern = written(case["pattern"])
    expected = case["postureaudit_expect"] if case["id"] in ODDITIES else case["expect"]

    if expected == "invalid":
        with pytest.raises(PatternError) as refused:
            compile(pattern)
        assert REASONS[case["id"]] in refused.value.message
    else:
        assert matches(pattern, case["event"]) is expected
        assert (explain(pattern, case["event"]) is None) is expected


@pytest.mark.parametrize(
    "case", [case for case in CASES if case["id"] in ODDITIES], ids=lambda case: case["id"]
)
def test_the_oddities_are_accidents(case):
    """Where we leave the engine, every entry of the list, taken alone, is false by the user guide."""
    [(field, tests)] = case["pattern"].items()

    assert case["expect"] is True
    assert not any(matches({field: [test]}, case["event"]) for test in tests)


# --- what the cases leave open -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("test", "value", "expected"),
    [
        (300, 300.0, True),
        (3.0e2, 300, True),
        (0.1, 0.1, True),
        (0.3, 0.1 + 0.2, False),
        (123456789012, 123456789012, True),
        (12345678901234567890, 12345678901234567890, True),
        (12345678901234567890, 12345678901234567891, False),
        (0, -0.0, True),
        (1, True, False),
        (1, float("nan"), False),
        (True, 1, False),
        (None, "", False),
        (None, [], False),
        ("", None, False),
        ("2001:db8::1", "2001:0db8:0::1", True),
        ("10.0.0.5", "10.0.0.50", False),
        ({"exactly": "a"}, "a", True),
        ({"numeric": [">=", 7]}, "8", False),
        ({"numeric": ["=", 3.0e2]}, 300, True),
        ({"numeric": [">", 1]}, float("inf"), False),
        ({"numeric": ["<=", 8.9]}, 8.9, True),
        ({"prefix": {"equals-ignore-case": "aws."}}, "AWS.guardduty", True),
        ({"prefix": {"equals-ignore-case": "aws."}}, "xAWS.", False),
        ({"suffix": {"equals-ignore-case": ".PNG"}}, "a.png", True),
        ({"suffix": {"equals-ignore-case": ".PNG"}}, "png", False),
        ({"equals-ignore-case": "straße"}, "STRASSE", True),
        ({"equals-ignore-case": "k"}, "\N{KELVIN SIGN}", False),
        (
            {"equals-ignore-case": "\N{DESERET CAPITAL LETTER LONG I}"},
            "\N{DESERET SMALL LETTER LONG I}",
            False,
        ),
        ({"equals-ignore-case": ""}, "", True),
        ({"anything-but": {"equals-ignore-case": ["a", ""]}}, "A", False),
        ({"anything-but": {"wildcard": ""}}, "x", True),
        ({"anything-but": {"suffix": ".png"}}, 7, True),
        ({"anything-but": 1}, True, True),
        ({"anything-but": "x"}, {"y": 1}, False),
        ({"anything-but": "x"}, [], False),
        ({"wildcard": ""}, "", True),
        ({"wildcard": ""}, "x", False),
        ({"wildcard": "*a*"}, "bab", True),
        ({"wildcard": "ab*ba"}, "aba", False),
        ({"wildcard": "a*b*c"}, "abbbcc", True),
        ({"wildcard": "a*b*c"}, "acb", False),
        ({"wildcard": "*\\**"}, "a*b", True),
        ({"wildcard": "*\\**"}, "ab", False),
        ({"wildcard": "*"}, "two\nlines", True),
        ({"cidr": "10.0.0.0/8"}, "10.255.255.255", True),
        ({"cidr": "10.0.0.0/8"}, "::1", False),
        ({"cidr": "::/0"}, "2001:db8::1", True),
        ({"cidr": "::/0"}, "fe80::1%eth0", False),
        ({"exists": True}, [None], True),
        ({"exists": False}, [{}], True),
        ({"exists": False}, [1], False),
        ("b", [["a"], ["b"]], True),
    ],
)
def test_operators(test, value, expected):
    """Each operator as the user guide has it."""
    assert one(test, value) is expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not valid JSON"),
        ("[1, 2]", "not a JSON object"),
        ('{"a": [1]', "line 1, column 10"),
        ('{"a": [NaN]}', "NaN is no JSON number"),
        ('{"a": [1e99999999999999999999]}', "number out of all range"),
        ('{"a": [1], "a": [2]}', "a: stands in the pattern more than once"),
        ('{"a.b": [1], "a": {"b": [2]}}', "a.b: stands in the pattern more than once"),
        ('{"a": [1], "$or": [{"a": [2]}, {"b": [3]}]}', "a: stands in the pattern more than once"),
        ('{"a": [{"prefix": "x", "prefix": "y"}]}', "exactly one key"),
        ('{"a": [{}]}', "exactly one key, this one has none"),
        ('{"a": null}', "a: must be an object or a list of values, not null"),
        ('{"detail": {"severity": 8}}', "detail.severity: must be an object or a list"),
        ('{"a": {"prefix": "x"}}', "a.prefix: must be an object or a list"),
        ('{"a": [{"prefix": 1}]}', "a: prefix wants a string, not 1"),
        ('{"a": [{"suffix": ["x"]}]}', "a: suffix wants a string, not a list"),
        ('{"a": [{"prefix": {"wildcard": "x"}}]}', "a: prefix wants a string or equals-ignore-case"),
        ('{"a": [{"equals-ignore-case": ["x"]}]}', "equals-ignore-case wants a string"),
        ('{"a": [{"wildcard": "x\\\\"}]}', "invalid escape, at character 2"),
        ('{"a": [{"wildcard": {}}]}', "wildcard wants a string, not an object"),
        ('{"a": [{"exists": "true"}]}', 'exists must be either true or false, not "true"'),
        ('{"a": [{"numeric": 7}]}', "numeric wants a list, not 7"),
        ('{"a": [{"numeric": []}]}', "numeric cannot be []"),
        ('{"a": [{"numeric": [">"]}]}', 'numeric cannot be [">"]'),
        ('{"a": [{"numeric": ["!=", 1]}]}', 'numeric cannot be ["!=", 1]'),
        ('{"a": [{"numeric": ["=", "7"]}]}', 'numeric = wants a number, not "7"'),
        ('{"a": [{"numeric": ["=", true]}]}', "numeric = wants a number, not true"),
        ('{"a": [{"numeric": ["=", 1, "<", 2]}]}', 'numeric cannot be ["=", 1, "<", 2]'),
        ('{"a": [{"numeric": [">", 1, "<", 1]}]}', "ends at 1, not above its beginning at 1"),
        ('{"a": [{"numeric": ["<", 1e309]}]}', "numeric < cannot compare 1E+309"),
        ('{"a": [{"numeric": ["=", 1E-325]}]}', "numeric = cannot compare 1E-325"),
        ('{"a": [{"anything-but": []}]}', "only strings or only numbers"),
        ('{"a": [{"anything-but": [true]}]}', "only strings or only numbers"),
        ('{"a": [{"anything-but": {"numeric": ["=", 1]}}]}', 'anything-but cannot hold "numeric"'),
        ('{"a": [{"anything-but": {"prefix": ""}}]}', "anything-but prefix must not be an empty string"),
        (
            '{"a": [{"anything-but": {"suffix": ["x", ""]}}]}',
            "anything-but suffix must not be an empty string",
        ),
        (
            '{"a": [{"anything-but": {"prefix": [1]}}]}',
            "anything-but prefix wants a string or a list of strings",
        ),
        ('{"a": [{"anything-but": {"wildcard": "a**"}}]}', "two * in a row"),
        ('{"a": [{"cidr": "foo/8"}]}', "no IP address before its slash"),
        ('{"a": [{"cidr": "10.0.0.0/"}]}', "needs one slash"),
        ('{"a": [{"cidr": "10.0.0.0/8/8"}]}', "needs one slash"),
        ('{"a": [{"cidr": "10.0.0.0/x"}]}', "needs a number of mask bits"),
        ('{"a": [{"cidr": "2001:db8::1/128"}]}', "IPv6 takes less than 128"),
        ('{"$or": {"a": [1]}}', "$or: must be a list of objects, not an object"),
        ('{"$or": [{"a": [1]}, 2]}', "$or: only objects may stand in its list"),
        ('{"d": {"$or": [{"a": [1]}, {}]}}', "d: an object must not be empty"),
        ('{"$or": [{"a": [1]}, {"b": {"cidr": [1]}}]}', "b.cidr: cidr is a reserved name"),
    ],
)
def test_refusals(text, reason):
    """What EventBridge refuses is a PatternError that names the field and the reason."""
    with pytest.raises(PatternError) as refused:
        compile(text)

    assert isinstance(refused.value, PostureAuditError)
    assert reason in refused.value.message


def test_refusal_says_what_next():
    """The most common slip, a value without its list, is answered with the line to write."""
    with pytest.raises(PatternError) as refused:
        compile('{"detail": {"eventName": "StopLogging"}}')

    assert refused.value.hint == 'write "eventName": ["StopLogging"]'


@pytest.mark.parametrize("pattern", [{1: ["x"]}, {"x": [object()]}, {"x": {"y": {1, 2}}}, {"x": [{2: 1}]}])
def test_what_json_cannot_say_is_refused(pattern):
    """A mapping may hold what no JSON does; that is refused, not guessed at."""
    with pytest.raises(PatternError):
        compile(pattern)


def test_an_object_that_stands_twice_is_both():
    """The engine reads by path: two halves of `detail` are one, as long as no field stands twice."""
    text = '{"detail": {"a": [1]}, "detail": {"b": [2]}}'

    assert matches(text, {"detail": {"a": 1, "b": 2}})
    assert not matches(text, {"detail": {"a": 0, "b": 2}})


def test_too_many_combinations():
    """The choices of several $or multiply; AWS stops at a thousand, and so do we before counting on."""
    choices = [{"$or": [{f"{level}-{n}": [n]} for n in range(11)]} for level in "abc"]

    with pytest.raises(PatternError, match="more than 1000 combinations"):
        compile({str(at): choice for at, choice in enumerate(choices)})


def test_deep_nesting_is_refused():
    """However deep a pattern is nested, it is refused, not a RecursionError."""
    mapping: Any = [1]
    for _ in range(5000):
        mapping = {"a": mapping}

    for pattern in (mapping, '{"a":' * 200 + "[1]" + "}" * 200, '{"a":' * 90_000 + "[1]" + "}" * 90_000):
        with pytest.raises(PatternError, match="nested more than 100 levels"):
            compile(pattern)
    with pytest.raises(PatternError):
        compile('{"a":' + "[" * 90_000 + "]" * 90_000 + "}")


def test_deeply_nested_events_are_walked():
    """An event may be nested as it likes: what stands in its arrays is found, and nothing recurses."""
    lists: Any = "x"
    objects: Any = "x"
    for _ in range(3000):
        lists, objects = [lists], {"a": objects}

    assert matches({"a": ["x"]}, {"a": lists})
    assert not matches({"a": ["x"]}, {"a": objects})
    assert sentence({"a": {"a": ["x"]}}, {"a": objects}) == 'a.a is an object, the pattern wants "x"'


# --- rules as people write them ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("severity", "expected"), [(4, True), (4.0, True), (5.3, True), (8.9, True), (3.9, False), (9.0, False)]
)
def test_forty_severities(severity, expected):
    """The old way to say "4 and above": a list of numbers, whole ones twice. It stops short of 9."""
    steps = ", ".join(str(n / 10) for n in range(40, 90))
    pattern = f'{{"detail": {{"severity": [4, 5, 6, 7, 8, {steps}]}}}}'

    assert matches(pattern, finding(severity)) is expected


def test_security_hub_findings():
    """Conditions on one Security Hub finding are not met by two findings that share them."""
    pattern = {"detail": {"findings": {"Severity": {"Label": ["CRITICAL"]}, "Workflow": {"Status": ["NEW"]}}}}
    old = {"Severity": {"Label": "CRITICAL"}, "Workflow": {"Status": "RESOLVED"}}
    low = {"Severity": {"Label": "LOW"}, "Workflow": {"Status": "NEW"}}
    bad = {"Severity": {"Label": "CRITICAL"}, "Workflow": {"Status": "NEW"}}

    assert not matches(pattern, {"detail": {"findings": [old, low]}})
    assert matches(pattern, {"detail": {"findings": [old, low, bad]}})


def test_inner_arrays_are_consistent_too():
    """An array inside an array: both elements must be the same for all fields."""
    pattern = {"a": {"n": ["x"], "b": {"k": [1], "v": [2]}}}

    assert matches(pattern, {"a": [{"n": "y"}, {"n": "x", "b": [{"k": 1}, {"k": 1, "v": 2}]}]})
    assert not matches(pattern, {"a": [{"n": "x", "b": [{"k": 1}, {"v": 2}]}]})
    assert not matches(pattern, {"a": [{"n": "x"}, {"b": [{"k": 1, "v": 2}]}]})


def test_different_arrays_are_free():
    """Elements of different arrays go together, and plain values in an array go with everything."""
    event = {"a": [{"x": 0}, {"x": 1}], "b": [{"x": 2}, {"x": 3}], "t": ["p", "q"]}

    assert matches({"a": {"x": [1]}, "b": {"x": [2]}, "t": ["q"]}, event)


def test_absence_is_asked_of_the_entered_element():
    """exists: false beside a field of an array is about that field's element, in the engine's order of names."""
    event = {"list": [{"b": 1}, {"b": 2, "a": 0, "z": 0}]}

    assert matches({"list": {"b": [1], "z": [{"exists": False}]}}, event)
    assert not matches({"list": {"b": [2], "z": [{"exists": False}]}}, event)
    assert not matches({"list": {"b": [1], "a": [{"exists": False}]}}, event)


def test_or_beside_and_inside():
    """$or is one more condition beside its siblings, at any depth."""
    pattern = {
        "source": ["aws.guardduty"],
        "detail": {
            "$or": [
                {"severity": [{"numeric": [">=", 7]}]},
                {"type": [{"prefix": "Trojan:"}], "$or": [{"count": [1]}, {"count": [2]}]},
            ]
        },
    }

    assert matches(pattern, finding(8))
    assert matches(pattern, finding(2, type="Trojan:EC2/DropPoint", count=2))
    assert not matches(pattern, finding(2, type="Trojan:EC2/DropPoint", count=3))
    assert not matches(pattern, {**finding(8), "source": "aws.macie"})


# --- why not -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "event", "expected"),
    [
        (
            {"source": ["aws.guardduty"], "detail": {"severity": [{"numeric": [">=", 7]}]}},
            finding(5),
            "detail.severity is 5, the pattern wants numeric >= 7",
        ),
        ({"detail": {"severity": ["8"]}}, finding(8), 'detail.severity is 8, the pattern wants "8"'),
        (
            {"detail": {"type": ["x"]}, "source": ["aws.macie"]},
            finding(8),
            'detail.type is not in the event, the pattern wants "x"',
        ),
        ({"detail": ["x"]}, finding(8), 'detail is an object, the pattern wants "x"'),
        ({"resources": ["arn"]}, finding(8), 'resources is an empty list, the pattern wants "arn"'),
        (
            {"detail": {"findings": [{"exists": True}]}},
            finding(8, findings=[{"a": 1}]),
            "detail.findings is a list with no plain value in it, the pattern wants exists: true",
        ),
        (
            {"t": [{"prefix": "a"}, {"suffix": {"equals-ignore-case": "b"}}]},
            {"t": ["x", "y", "z"]},
            't has "x", "y" and "z", the pattern wants prefix "a" or suffix equals-ignore-case "b"',
        ),
        (
            {"t": list(range(10))},
            {"t": "x" * 200},
            't is "' + "x" * 78 + "…, the pattern wants 0, 1, 2, 3, 4 or 5 more",
        ),
        (
            {"a": {"x": [1], "y": [2]}},
            {"a": [{"x": 1}, {"y": 2}]},
            "a.y matches, but not in the same array element as a.x",
        ),
        (
            {"$or": [{"name": ["DeleteTrail"]}, {"name": ["StopLogging"]}]},
            {"name": "UpdateTrail"},
            'name is "UpdateTrail", the pattern wants "DeleteTrail" or "StopLogging"',
        ),
        (
            {"$or": [{"a": [1], "b": [2]}, {"a": [0], "c": [3]}]},
            {"a": 0, "b": 0, "c": 4},
            "c is 4, the pattern wants 3 (the nearest of 2 $or branches)",
        ),
        (
            {"l": {"b": [1], "z": [{"exists": False}]}},
            {"l": [{"b": 1, "z": 5}]},
            "l.z is 5, the pattern wants exists: false",
        ),
        ({"source": ["aws.guardduty"]}, finding(8), ""),
    ],
)
def test_explain(pattern, event, expected):
    """The sentence names the field, what the event has there and what the pattern wants."""
    assert sentence(pattern, event) == expected


def test_explain_fields():
    """Reports can also read the parts of the sentence."""
    found = explain({"detail": {"severity": [{"numeric": [">", 7, "<", 9]}]}}, finding(5))

    assert found is not None
    assert (found.field, found.has, found.wants) == ("detail.severity", (5,), "numeric > 7 and < 9")


def test_the_documented_example():
    """The example in the module's docstring is true."""
    assert doctest.testmod(event_pattern).failed == 0
    assert doctest.testmod(event_pattern).attempted > 0


# --- laws ----------------------------------------------------------------------------------------------------

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["*", "a*b", "\\", "10.0.0.1", "::1/0", "10.0.0.0/8", "=", ">", "<=", "aws.guardduty"])
)
OPERATORS = [
    *(
        "prefix",
        "suffix",
        "equals-ignore-case",
        "wildcard",
        "anything-but",
        "numeric",
        "exists",
        "cidr",
        "exactly",
    ),
    "regex",
]
NAMES = st.sampled_from(["a", "b", "a.b", "", ".", "$or", *OPERATORS])
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)
# Nearly patterns: lists where lists belong, operators where operators do, and anything for what they hold.
OPERANDS = JSON | st.lists(st.sampled_from(["=", ">", ">=", "<", "<="]) | st.integers(-3, 3), max_size=4)
ENTRIES = SCALARS | st.dictionaries(
    st.sampled_from(OPERATORS),
    OPERANDS | st.dictionaries(st.sampled_from(OPERATORS), OPERANDS, max_size=1),
    max_size=1,
)
NEARLY = st.recursive(
    st.dictionaries(NAMES, st.lists(ENTRIES, min_size=1, max_size=2), min_size=1, max_size=2),
    lambda inner: st.dictionaries(
        NAMES, inner | st.lists(inner, min_size=2, max_size=2), min_size=1, max_size=2
    ),
    max_leaves=4,
)
# Keys without dots: those can be written in more than one way, and then stand in a pattern twice.
KEYS = st.sampled_from("abcd")
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
EVENTS = st.dictionaries(
    KEYS,
    st.recursive(
        LEAVES,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
        max_leaves=10,
    ),
    max_size=4,
)
TESTS = st.sampled_from(
    [
        *(1, "a", None, True),
        {"prefix": "a"},
        {"numeric": [">", 0]},
        {"anything-but": "a"},
        {"exists": True},
        {"exists": False},
        {"wildcard": "*a*"},
        {"equals-ignore-case": "A"},
    ]
)
FIELDS = st.recursive(
    st.lists(TESTS, min_size=1, max_size=3),
    lambda inner: st.dictionaries(KEYS, inner, min_size=1, max_size=3),
    max_leaves=6,
)
PATTERNS = st.dictionaries(KEYS, FIELDS, min_size=1, max_size=3)
CHOICES = st.lists(PATTERNS, min_size=2, max_size=3)


def shuffled(value: Any, draw: Any) -> Any:
    """The same JSON with the keys of every object in another order."""
    if isinstance(value, dict):
        return {key: shuffled(value[key], draw) for key in draw(st.permutations(list(value)))}
    return [shuffled(item, draw) for item in value] if isinstance(value, list) else value


def literal(value: Any) -> Any:
    """The pattern that asks for just this value: one element of each array, every leaf in a list."""
    if isinstance(value, dict):
        fields = {key: literal(item) for key, item in value.items()}
        return {key: item for key, item in fields.items() if item is not None} or None
    if isinstance(value, list):
        return literal(value[0]) if value else None
    return [value]


@given(pattern=NEARLY | JSON.filter(lambda value: not isinstance(value, str)), event=EVENTS)
def test_any_json_is_matched_or_refused(pattern, event):
    """Whatever a rule may hold: an answer, or a PatternError; as a mapping and as its text the same."""

    def outcome(written: Any) -> tuple[bool, str] | str:
        try:
            return matches(written, event), sentence(written, event)
        except PatternError:
            return "refused"

    said = outcome(pattern)

    assert outcome(json.dumps(pattern)) == said


@given(st.text())
def test_any_text_is_a_pattern_or_refused(text):
    """Text that is no pattern is refused."""
    with pytest.raises(PatternError):
        compile(text)


@given(pattern=PATTERNS, choices=CHOICES, event=EVENTS, data=st.data())
def test_order_of_keys_does_not_matter(pattern, choices, event, data):
    """A pattern and an event mean the same in any order of their keys."""
    whole = {"n": pattern, "$or": choices}
    event = {"n": event, **event}
    expected = matches(whole, event)

    assert matches(shuffled(whole, data.draw), shuffled(event, data.draw)) is expected


@given(pattern=PATTERNS, event=EVENTS, extra=EVENTS)
def test_fields_the_pattern_does_not_name_are_ignored(pattern, event, extra):
    """More fields in the event, at the top or in each object, change no answer."""

    def grown(value: Any) -> Any:
        if isinstance(value, dict):
            return {**{key: grown(item) for key, item in value.items()}, "extra": extra}
        return [grown(item) for item in value] if isinstance(value, list) else value

    assert matches(pattern, grown(event)) is matches(pattern, event)


@given(EVENTS)
def test_a_literal_pattern_matches_its_event(event):
    """The pattern made of an event's own values matches it, as a mapping and as text."""
    pattern = literal(event)
    assume(pattern is not None)

    assert matches(pattern, event)
    assert matches(json.dumps(pattern), event)


@given(choices=CHOICES, event=EVENTS)
def test_or_is_a_choice(choices, event):
    """$or matches when one of its objects would."""
    assert matches({"$or": choices}, event) is any(matches(choice, event) for choice in choices)


def worlds(value: Any) -> list[Any]:
    """All ways to keep one object or list of each array, beside its plain values."""
    if isinstance(value, dict):
        kept = itertools.product(*(worlds(item) for item in value.values()))
        return [dict(zip(value, items, strict=True)) for items in kept]
    if isinstance(value, list):
        plain = [item for item in value if not isinstance(item, dict | list)]
        inner = [world for item in value if isinstance(item, dict | list) for world in worlds(item)]
        return [[*plain, world] for world in inner] or [plain]
    return [value]


def single_fields(pattern: Any) -> list[Any]:
    """The pattern's fields, each as a pattern of its own."""
    if isinstance(pattern, list):
        return [pattern]
    return [{key: field} for key, inner in pattern.items() for field in single_fields(inner)]


# Rows with rows inside: two names and two numbers, so that they often match, and often apart.
BITS = st.integers(0, 1)
ROW = {"x": BITS | st.lists(BITS, max_size=2), "y": BITS}
ROWS = st.lists(st.fixed_dictionaries({}, optional=ROW), max_size=3)
TABLES = st.lists(st.fixed_dictionaries({}, optional={**ROW, "rows": ROWS}) | ROWS, max_size=3)
ASKED = {"x": BITS.map(lambda bit: [bit]), "y": BITS.map(lambda bit: [bit])}
ROW_PATTERNS = st.fixed_dictionaries(ASKED, optional={"rows": st.fixed_dictionaries(ASKED)})


@given(pattern=st.fixed_dictionaries({"t": ROW_PATTERNS}), event=st.fixed_dictionaries({"t": TABLES}))
def test_array_consistency_is_the_slow_definition(pattern, event):
    """All fields match in one world in which every array has but one object, and in no event otherwise."""
    every = worlds(event)
    fields = single_fields(pattern)

    assert matches(pattern, event) is any(all(matches(field, world) for field in fields) for world in every)


@given(pattern=PATTERNS, event=EVENTS)
def test_an_explanation_names_a_field_of_the_pattern(pattern, event):
    """There is an explanation exactly when there is no match; where the event has no arrays it is a cause."""
    found = explain(pattern, event)

    assert (found is None) is matches(pattern, event)
    if found is not None:
        inner: Any = pattern
        for step in found.field.split("."):
            inner = inner[step]
        assert isinstance(inner, list)
        assert found.apart or not matches({found.field: inner}, event) or {"exists": False} in inner


@given(pattern=PATTERNS | st.fixed_dictionaries({"$or": CHOICES}), event=EVENTS)
def test_the_field_alone_is_that_of_the_explanation(pattern, event):
    """Who asks for the field alone is told the same."""
    try:
        found = explain(pattern, event)
    except PatternError:
        return

    assert missed(pattern, event) == (found and found.field)


@given(pattern=PATTERNS, first=st.sampled_from(["a", "b", ""]), second=st.sampled_from(["a", "1"]))
def test_what_a_pattern_may_take_goes_by_its_other_fields(pattern, first, second):
    """As far as two plain fields go, a pattern takes what it would take if it had no others."""
    plain = {"a": first, "b": second}
    rest = {name: value for name, value in pattern.items() if name in plain}

    assert may_take(compile(pattern), plain) is (not rest or matches(rest, plain))


@pytest.mark.parametrize(
    ("pattern", "taken"),
    [
        ({"a": ["x"], "c": ["y"]}, True),
        ({"a": ["z"], "c": ["y"]}, False),
        ({"$or": [{"a": ["z"]}, {"c": ["y"]}]}, True),
        ({"$or": [{"a": ["z"]}, {"a": ["x"], "c": ["y"]}]}, True),
        ({"$or": [{"a": ["z"]}, {"a": ["w"], "c": ["y"]}]}, False),
        ({"a": {"b": ["x"]}}, False),
        ({"a": {"b": [{"exists": False}]}}, True),
    ],
)
def test_what_a_pattern_may_take(pattern, taken):
    """One branch suffices, and a field inside a plain one is not there."""
    assert may_take(compile(pattern), {"a": "x"}) is taken


@given(st.text("ab*"), st.text("ab"))
def test_wildcard_is_the_slow_definition(pattern, text):
    """The one-pass matcher agrees with the definition of a wildcard, tried out at every place."""
    assume("**" not in pattern)

    def slow(rest: str, left: str) -> bool:
        if not rest:
            return not left
        if rest[0] == "*":
            return any(slow(rest[1:], left[at:]) for at in range(len(left) + 1))
        return left[:1] == rest[0] and slow(rest[1:], left[1:])

    assume(pattern.count("*") < 6)
    assert one({"wildcard": pattern}, text) is slow(pattern, text)


# --- cost ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "test",
    [
        {"wildcard": "a*" * 1000 + "b"},
        {"anything-but": {"wildcard": ["*a" * 1000 + "*c*b"]}},
        {"equals-ignore-case": "a" * 20_000 + "b"},
    ],
    ids=["wildcard", "anything-but", "ignore-case"],
)
def test_no_pattern_is_slow(test):
    """Patterns that make a backtracking matcher take years are answered at once."""
    pattern = compile({"x": [test]})
    event = {"x": "a" * 20_000}
    start = time.process_time()

    matches(pattern, event)

    assert time.process_time() - start < 0.1


def test_many_elements_are_not_multiplied():
    """Independent arrays do not multiply: fifty elements in each of ten arrays are five hundred looks."""
    names = [f"f{n}" for n in range(10)]
    pattern = compile({**{name: {"v": [{"exists": True}]} for name in names}, "z": ["no"]})
    event = {name: [{"v": n} for n in range(50)] for name in names}
    start = time.process_time()

    assert not matches(pattern, event)

    assert time.process_time() - start < 0.5


def test_numbers_of_any_size():
    """Numbers that no float and no str() of Python can hold are compared all the same."""
    huge = 10**5000

    assert one(huge, huge)
    assert not one({"numeric": [">", 1]}, huge)
    assert one(Decimal("1e400"), Decimal("1E+400"))
    assert matches('{"x": [1' + "0" * 5000 + "]}", {"x": huge})
    assert sentence({"x": [1]}, {"x": huge}).startswith("x is 1000")
