"""One pager for every operation: follows any token, joins the lists, stops on a repeated token."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import jmespath

MAX_PAGES = 500

# (output member, input member), in the order they are tried. About 20 calls have a token and no paginator.
_TOKENS = (
    ("NextToken", "NextToken"),
    ("nextToken", "nextToken"),
    ("NextMarker", "Marker"),
    ("Marker", "Marker"),
    ("marker", "marker"),
    ("NextContinuationToken", "ContinuationToken"),
    ("ContinuationToken", "ContinuationToken"),
)
# Page sizes that a call needs to be paged at all, or to be paged in fewer requests.
_SIZES: Mapping[str, Mapping[str, int]] = {
    "s3:ListBuckets": {"MaxBuckets": 1000},
    "lambda:ListFunctions": {"MaxItems": 50},
    "ec2:DescribeInstances": {"MaxResults": 50},
    "securityhub:DescribeStandardsControls": {"MaxResults": 100},
    "config:DescribeConfigRuleEvaluationStatus": {"Limit": 50},
    "config:DescribeConformancePacks": {"Limit": 20},
    "config:DescribeConformancePackStatus": {"Limit": 20},
}


class Truncated(Exception):
    """AWS repeated a token or never stopped: what was read is not the whole."""


def read_all(
    call: str,
    params: Mapping[str, Any],
    token: tuple[str, str] | None,
    until: str | None,
    ask: Callable[[dict[str, Any]], dict[str, Any]],
) -> dict[str, Any]:
    """All pages of a call as one body: lists joined, the rest from the first page.

    `ask` makes one request. `until` ends at the first page where it finds something. Raises Truncated.
    """
    given = {**_SIZES.get(call, {}), **params}
    body = ask(given)
    if token is None:
        if _goes_on(body) and not (until is not None and jmespath.search(until, body)):
            raise Truncated("there are more pages, and the call takes no token to ask for them")
        return body
    whole, seen = body, set()
    for _ in range(MAX_PAGES):
        if until is not None and jmespath.search(until, body):
            break
        after = body.get(token[0])
        if not after or body.get("IsTruncated") is False:
            break
        if after in seen:
            raise Truncated("AWS repeated a page token")
        seen.add(after)
        body = ask({**given, token[1]: after})
        whole = _joined(whole, body)
    else:
        raise Truncated(f"more than {MAX_PAGES} pages")
    whole.pop(token[0], None)
    return whole


def _goes_on(body: Mapping[str, Any]) -> bool:
    """Whether an answer says that it is not the whole."""
    return any(body.get(after) for after, _ in _TOKENS) or body.get("IsTruncated") is True


def _joined(whole: dict[str, Any], page: Mapping[str, Any]) -> dict[str, Any]:
    joined = dict(whole)
    for name, value in page.items():
        if isinstance(value, list):
            before = joined.get(name)
            joined[name] = [*(before if isinstance(before, list) else []), *value]
        elif isinstance(value, dict) and isinstance(joined.get(name), dict):
            joined[name] = _joined(joined[name], value)
        elif name not in joined:
            joined[name] = value
    return joined


@functools.lru_cache(maxsize=1024)
def token_of(model: Any) -> tuple[str, str] | None:
    """The (output, input) token members of an operation, or None when it answers in one page."""
    outputs = model.output_shape.members if model.output_shape is not None else {}
    inputs = model.input_shape.members if model.input_shape is not None else {}
    for after, before in _TOKENS:
        if after in outputs and before in inputs:
            return after, before
    return None
