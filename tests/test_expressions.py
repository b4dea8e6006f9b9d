"""Expressions hold, do not hold, or nobody knows."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postureaudit import catalog, expressions
from postureaudit.evidence import Refusal, RefusalKind

REFUSED = Refusal(RefusalKind.DENIED, call="cloudtrail:GetTrailStatus", region="eu-west-1")


@pytest.mark.parametrize(
    "text",
    [
        "A == null",
        "A.B == null",
        "A.B.C != 'x'",
        "length(A) == `0`",
        "length(A.B[]) == `0`",
        "not_null(A, `true`)",
        "!A",
        "A[0] == null",
        "A[?B == 'c'] == `[]`",
        "contains(A, 'x')",
        "contains_all(A, L)",
        "A.* == `[]`",
        "L[?B == 'c'] == `[]`",
        "length(L) == `2`",
        "L[].B == `[]`",
        "L == `[]`",
        "type(A) == 'null'",
        "A && `true`",
        "A || `false`",
        "A || A",
        "[A] == `[]`",
        "{x: A} == `{}`",
        "all_true(L[].B)",
        "A | `1` == `2`",
        "A.[`1`] == `[1]`",
    ],
)
def test_refused_is_not_null(text: str) -> None:
    """Nothing turns what AWS refused to say into a yes or a no."""
    facts = {"A": REFUSED, "L": [{"B": "c"}, {"B": REFUSED}]}

    assert expressions.compile(text).holds(facts) == REFUSED


@pytest.mark.parametrize(("text", "holds"), [("A && `false`", False), ("`true` || A", True)])
def test_a_real_side_decides(text: str, holds: bool) -> None:
    """A real false decides "and", a real true decides "or", whatever is unknown beside it."""
    assert expressions.compile(text).holds({"A": REFUSED}) is holds


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("Nope || `true`", True),
        ("`true` || Nope", True),
        ("S > `1` || `true`", True),
        ("Nope && `false`", False),
        ("`false` && S > `1`", False),
        ("Nope || A", REFUSED),
        ("A && S > `1`", REFUSED),
    ],
)
def test_a_side_that_means_nothing_is_for_the_other_to_decide(text: str, holds: bool | Refusal) -> None:
    """Which side comes first changes no verdict; what is refused is named before what is merely unclear."""
    assert expressions.compile(text).holds({"A": REFUSED, "S": "text"}) == holds


@pytest.mark.parametrize(
    "text",
    [
        "Nope",
        "length(Nope) > `0`",
        "Nope > `1`",
        "'a' > 'b'",
        "!Nope",
        "Nope || `false`",
        "S",
        "any_true(`[]`)",
    ],
)
def test_neither_true_nor_false_is_unknown(text: str) -> None:
    """A missing field, a wrong type and an empty "all" are never a verdict."""
    assert expressions.compile(text).holds({"S": "text"}) is None


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("version_at_least('3.0.0', '1.4')", True),
        ("version_at_least('3.0', '3.0.0')", True),
        ("version_at_least('1.2.0', '3.0.0')", False),
        ("version_at_least('10.0.0', '9.0.0')", True),
        ("version_at_least('x', '1')", None),
        ("contains_all(`[1, true]`, `[1]`)", True),
        ("contains_all(`[1]`, `[true]`)", False),
        ("contains_all(`[1]`, `[]`)", None),
        ("equals_loose('SUCCESS', 'Success')", True),
        ("equals_loose('Not_Applicable', 'NotApplicable')", True),
        ("`1` == `true`", False),
        ("`[1]` == `[true]`", False),
        ('`{"a": [0]}` == `{"a": [false]}`', False),
        ('`[1, "a"]` == `[1, "a"]`', True),
        ("all_true(`[true, true]`)", True),
        ("any_true(`[false, true]`)", True),
        ("all_true(`[true, 1]`)", None),
        ('contains_all(`["a", "b"]`, `["b"]`)', True),
        ('contains_all(`["a"]`, `["a", "b"]`)', False),
        ('contains_all(`["a"]`, `[]`)', None),
    ],
)
def test_functions(text: str, holds: bool | None) -> None:
    """The extra functions, and an equality that keeps 1 and true apart."""
    assert expressions.compile(text).holds({}) is holds


@pytest.mark.parametrize(
    "text",
    [
        "A ==",
        "nope(A)",
        "a" + "|a" * 700,
        "A" * 3000,
        "(" * 200 + "A" + ")" * 200 if False else "!" * 100 + "A",
    ],
)
def test_unusable_expressions_are_refused_at_load(text: str) -> None:
    """What does not parse, does not exist or is absurdly large never reaches evaluation."""
    with pytest.raises(expressions.ExpressionError):
        expressions.compile(text)


@pytest.mark.parametrize(
    "text",
    [
        "A" + " | [@, @]" * 40,
        "A" + " | [@, @]" * 40 + " | length(@) == `2`",
        "A" + " | {x: @, y: @}" * 40 + " == `1`",
        "'aaaaaaaaaa'" + " | join('', [@, @])" * 40 + " | length(@) > `2`",
        "B" + " | [@[], @[]][]" * 40 + " | length(@) > `2`",
        "B" + " | map(&[@, @], @)" * 20 + " == `1`",
        "B[?A" + " | [@, @]" * 20 + "] == `1`",
        "B" + " | [merge({a: @}, {b: @}), @][]" * 12,
        "A" + ".[" + "A," * 40 + "A]" + ".[" + "A," * 40 + "A]",
        "!(A" + " | [@, @]" * 20 + " == `1`)",
    ],
)
def test_multiplying_expression_is_refused_at_load(text: str) -> None:
    """An expression that doubles its items or its text at each step is refused before it meets any data."""
    with pytest.raises(expressions.ExpressionError, match="multiplies"):
        expressions.compile(text)


@pytest.mark.parametrize(
    "text",
    [
        "B" + " | [@, @][]" * 9 + " | length(@) > `2`",
        "B[*].[@, @, @] | [][] | map(&[@, @, @, @, @], @) | length(@) > `1`",
        "sort_by(B, &to_string(@)) | [@, @, @, @][] | length(@) > `2`",
        "S" + " | join('', [@, @])" * 9 + " | length(@) > `2`",
        "S" + " | to_string([@])" * 20 + " | length(@) > `2`",
        "B[*].[L, L, L][][] | length(@) > `1`",
    ],
)
def test_costly_evaluation_is_stopped(text: str) -> None:
    """What may be written, and costs too much with much data, ends as unknown, at once."""
    facts = {"B": [{"L": [0] * 50, "n": number} for number in range(3000)], "S": '"\\' * 1_000_000}
    expression = expressions.compile(text)
    started = time.process_time()

    assert expression.holds(facts) is None
    assert time.process_time() - started < 5  # on a slow machine; unbounded it takes hours


def test_no_shipped_check_comes_near_the_limits() -> None:
    """The bounds are ten times what the catalogue's own expressions need."""
    texts = {text for check in catalog.builtin().checks for text in check.expressions()}

    assert (
        max(expressions._copies(expressions.compile(text).tree) for text in texts) * 10
        < expressions.MAX_COPIES
    )


def test_a_long_text_is_not_expensive() -> None:
    """A policy document is one value, however long."""
    assert expressions.compile("A == A && contains(A, 'x')").holds({"A": "x" * 50_000}) is True


@pytest.mark.parametrize("text", ["A[::0] == `1`", "ceil(to_number('1e400')) > `1`"])
def test_what_cannot_be_computed_is_unknown(text: str) -> None:
    """A slice without a step and an infinite number are no crash."""
    assert expressions.compile(text).holds({"A": [1]}) is None


def test_paths() -> None:
    """The paths an expression reads, with [] for a list's items."""
    tree = expressions.compile("A.B[?c == 'x'].d == E && length(F[].G) > Param.n").tree

    found = set(expressions.paths(tree))

    assert {("A", "B", "[]", "c"), ("A", "B", "[]", "d"), ("E",), ("F", "[]", "G"), ("Param", "n")} <= found


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ABC"), inner, max_size=3),
    max_leaves=8,
)
TEXTS = [
    "A == B",
    "A || B",
    "A && B",
    "!A",
    "A.B == C",
    "length(A) > `0`",
    "A[?B == 'a'] == `[]`",
    "A.B && C",
]


@given(facts=st.dictionaries(st.sampled_from("ABC"), json_values, max_size=3), text=st.sampled_from(TEXTS))
def test_adding_a_refusal_never_makes_a_pass(facts: dict[str, Any], text: str) -> None:
    """Hiding a fact turns a verdict into unknown, or leaves it; it never makes one."""
    expression = expressions.compile(text)
    before = expression.holds(facts)
    for name in "ABC":
        after = expression.holds({**facts, name: REFUSED})
        if isinstance(after, bool):
            assert after is before


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("without(A, B) == `[3]`", True),
        ("length(without(B, A)) == `0`", True),
        ("length(without(A, C)) == `0`", REFUSED),
        ("length(without(A, D)) == `0`", None),
    ],
)
def test_without(text: str, expected: Any) -> None:
    """What one list has and the other lacks; unknown beside a refusal, and where there is no list."""
    assert expressions.compile(text).holds({"A": [1, 2, 3], "B": [1, 2], "C": REFUSED, "D": None}) is expected
