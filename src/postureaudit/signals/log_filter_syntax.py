"""How a CloudWatch Logs filter pattern is written: from its text to a tree, or the reason why not.

The rules are those of the CloudWatch Logs user guide, "Filter pattern syntax for metric filters, subscription filters,
filter log events, and Live Tail" (FilterAndPatternSyntax.html and matching-terms-json-log-events.html).
Each class and function names the rule it follows.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NoReturn

from postureaudit.errors import PostureAuditError
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
    Term,
    Terms,
    Tree,
    Word,
    leaves,
)

if TYPE_CHECKING:
    import lark

    _Branch = lark.Tree[lark.Token] | lark.Token

MAX_LENGTH = 1024  # API reference, PutMetricFilter: filterPattern
MAX_DEPTH = 40  # parentheses; the guide names no limit
MAX_WILDCARDS = 3  # "up to three wildcard selectors in a filter pattern with compound expressions"
MAX_REGEXES = 2  # "a limit of 2 regex for each filter pattern"

_GUIDE = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html"
_GRAMMAR = r"""
    fields: "{" any "}"
    any: all ("||" all)*
    all: _one ("&&" _one)*
    _one: group | comparison | test
    group: "(" any ")"
    comparison: selector OPERATOR (QUOTED | REGEX | BARE)
    test: selector (IS (NULL | TRUE | FALSE) | NOT EXISTS)
    selector: ROOT (NAME | BRACKETED | FIELDS | INDEX | ELEMENTS)+

    terms: term+
    term: (MINUS | OPTION)? (QUOTED | REGEX | TERM)

    ROOT: "$"
    NAME: /\.[A-Za-z0-9_-]+/
    BRACKETED: /\.\['[^']+'\]/
    FIELDS: ".*"
    INDEX: /\[[0-9]{1,9}\]/
    ELEMENTS: "[*]"
    OPERATOR: "!=" | "<=" | ">=" | "=" | "<" | ">"
    QUOTED: /"([^"\\]|\\.)*"/
    REGEX: /%[^%]*%/
    BARE: /[-A-Za-z0-9_.*+:\/@#~,;?]+/
    IS: /IS(?=\s)/
    NOT: /NOT(?=\s)/
    NULL: /NULL(?![\w.-])/
    TRUE: /TRUE(?![\w.-])/
    FALSE: /FALSE(?![\w.-])/
    EXISTS: /EXISTS(?![\w.-])/
    MINUS: "-"
    OPTION: "?"
    TERM: /[^\s"%?-][^\s"%]*/
    SPACE: /\s+/
    %ignore SPACE
"""


class FilterError(PostureAuditError):
    """A filter pattern that CloudWatch Logs would refuse, or that its user guide does not describe.

    A filter that is deployed has been accepted: there the error means that we cannot read it, not that it is broken.
    """


def parse(text: str) -> Tree:
    """Read a filter pattern. Raises FilterError."""
    if len(text) > MAX_LENGTH:
        raise FilterError(
            f"a filter pattern of {len(text)} characters", hint=f"CloudWatch Logs takes {MAX_LENGTH} at most"
        )
    match text.strip()[:1]:
        case "":
            return Everything()
        case "{":
            return _fields(text)
        case "[":
            if text.rstrip()[-1] != "]":
                raise FilterError("the [ of a space-delimited pattern is not closed", hint=_GUIDE)
            return Columns()
        case _:
            return _terms(text)


@functools.cache
def _parser() -> lark.Lark:
    import lark  # only who reads a filter pays for it

    return lark.Lark(_GRAMMAR, parser="lalr", start=["fields", "terms"])


def _read(text: str, start: str) -> lark.Tree[lark.Token]:
    import lark

    try:
        return _parser().parse(text, start=start)
    except lark.exceptions.UnexpectedInput as error:
        over = isinstance(error, lark.UnexpectedToken) and error.token.type == "$END"
        at = error.pos_in_stream
        _refuse(text, len(text) if over or at is None else at, error)


def _fields(text: str) -> Node:
    node = _any(_read(text, "fields").children[0], 0)
    found = list(leaves(node))
    if sum(leaf.selector.wild for leaf in found) > MAX_WILDCARDS:
        raise FilterError(f"more than {MAX_WILDCARDS} wildcard selectors in one filter", hint=_GUIDE)
    if sum(isinstance(leaf, Comparison) and isinstance(leaf.value, Regex) for leaf in found) > MAX_REGEXES:
        raise FilterError(f"more than {MAX_REGEXES} regular expressions in one filter", hint=_GUIDE)
    return node


def _any(tree: _Branch, depth: int) -> Node:
    parts = tuple(_all(part, depth) for part in _branches(tree))
    return parts[0] if len(parts) == 1 else Or(parts)


def _all(tree: _Branch, depth: int) -> Node:
    parts = tuple(_one(part, depth) for part in _branches(tree))
    return parts[0] if len(parts) == 1 else And(parts)


def _one(tree: lark.Tree[lark.Token], depth: int) -> Node:
    if tree.data == "group":
        if depth == MAX_DEPTH:
            raise FilterError(
                f"parentheses nested deeper than {MAX_DEPTH}", hint="take the superfluous ones out"
            )
        return _any(tree.children[0], depth + 1)
    at, *rest = tree.children
    selector, tokens = _selector(at), [str(token) for token in rest]
    if tree.data == "test":
        return State(selector, Keyword(" ".join(tokens)))
    operator, value = Operator(tokens[0]), _value(tokens[1])
    if operator not in (Operator.EQUAL, Operator.UNEQUAL) and (
        isinstance(value, Regex) or value.number is None
    ):
        raise FilterError(f"{selector} {operator} {value}: {operator} wants a number", hint=_GUIDE)
    return Comparison(selector, operator, value)


def _selector(tree: _Branch) -> Selector:
    """ "Set off property selectors with a dollar sign followed by a period. Place arrays after property selectors.
    If the JSON property contains a period, then the bracket notation may be used": $.['cluster.name'].
    """
    root, *tokens = _tokens(tree)
    steps: list[str | int | Each] = []
    end = root.end_pos
    for token in tokens:
        if token.start_pos != end:
            raise FilterError(
                f"a blank inside a selector, before {token}", hint="write $.name, without blanks"
            )
        end = token.end_pos
        match token.type:
            case "NAME":
                steps.append(token[1:])
            case "BRACKETED":
                steps.append(token[3:-2])
            case "INDEX":
                steps.append(int(token[1:-1]))
            case _:
                steps.append(Each(str(token)))
    selector = Selector(tuple(steps))
    if isinstance(steps[0], int) or steps[0] is Each.ELEMENT:
        raise FilterError(f"{selector}: an array position follows a property", hint="write $.name[0]")
    if sum(isinstance(step, Each) for step in steps) > 1:
        raise FilterError(f"{selector}: one wildcard is all a selector may have", hint=_GUIDE)
    return selector


def _value(token: str) -> Word | Regex:
    if token.startswith('"'):
        return Word(token[1:-1], quoted=True)
    if not token.startswith("%"):
        return Word(token)
    try:
        return Regex(token[1:-1])
    except BadRegex as error:
        raise FilterError(
            f"{token}: {error}", hint=f"what a regex may contain: {_GUIDE}#regex-expressions"
        ) from error


def _terms(text: str) -> Tree:
    """ "Place a question mark before optional terms", "a minus symbol before the terms that you want to exclude".

    "If you combine ? with other filter patterns, all question mark terms will be ignored."
    """
    kinds: dict[str, list[Term]] = {"": [], "-": [], "?": []}
    for tree in _branches(_read(text, "terms")):
        *sign, value = [str(token) for token in _tokens(tree)]
        kinds["".join(sign)].append(Term(_value(value)))
    wanted, unwanted, options = (tuple(kinds[sign]) for sign in ("", "-", "?"))
    if wanted and not unwanted and not options and all(_blank(term) for term in wanted):
        return Everything()  # "You can match everything in your log events with double quotation marks."
    return Terms(wanted, unwanted) if wanted or unwanted else Terms(options=options)


def _blank(term: Term) -> bool:
    return isinstance(term.value, Word) and term.value.quoted and not term.value.text.strip()


def _refuse(text: str, at: int, cause: Exception) -> NoReturn:
    """Say where the text stops being a filter pattern, and why."""
    before, after = text[:at].rstrip(), text[at:].lstrip()
    if not after:
        raise FilterError(
            f"the filter pattern ends too early: {text.strip()[-40:]!r}", hint=_GUIDE
        ) from cause
    reason, hint = _reason(before, after)
    why = f"; {reason}" if reason else ""
    raise FilterError(f"character {at + 1} does not fit: {after[:40]!r}{why}", hint=hint) from cause


def _reason(before: str, after: str) -> tuple[str, str]:
    """What people get wrong, and what to do about it."""
    match after[0], _word(after).upper():
        case _, "NOT" if before.endswith("IS"):
            return "IS NOT is not supported", "use NOT EXISTS or !="
        case _, "EXISTS" if _word(after) == "EXISTS":
            return "EXISTS without NOT is not supported", "$.name = * wants any text or number there"
        case _, "IS" | "NOT" | "EXISTS" | "NULL" | "TRUE" | "FALSE":
            return "keywords are written in capitals", "IS NULL, IS TRUE, IS FALSE, NOT EXISTS"
        case _, "AND" | "OR":
            return "conditions are joined by && and ||", "write && for and, || for or"
        case (("&" | "|"), _) if not before.endswith(("&&", "||")):
            return "conditions are joined by && and ||", "write && for and, || for or"
        case "=", _ if before.endswith("="):
            return "equality is written =", "take one = out"
        case "!", _:
            return "there is no ! before a condition", "use != or NOT EXISTS"
        case "'", _:
            return "text stands in double quotation marks, not in single ones", 'write "..."'
        case '"', _ if after.count('"') == 1:
            return "the quotation mark is not closed", 'write \\" for the character'
        case "%", _ if after.count("%") == 1:
            return "the regular expression is not closed", "end it with %"
        case _:
            return "", _GUIDE


def _word(text: str) -> str:
    return text[: next((n for n, char in enumerate(text) if not char.isalnum()), len(text))]


def _branches(tree: _Branch) -> list[lark.Tree[lark.Token]]:
    import lark

    return (
        [child for child in tree.children if isinstance(child, lark.Tree)]
        if isinstance(tree, lark.Tree)
        else []
    )


def _tokens(tree: _Branch) -> list[lark.Token]:
    import lark

    return (
        [child for child in tree.children if isinstance(child, lark.Token)]
        if isinstance(tree, lark.Tree)
        else []
    )
