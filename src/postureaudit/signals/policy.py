"""Whether the policy of an AWS resource lets a caller do something: yes, no, or not known.

Only the resource's own policy is judged. What the caller's identity policies, permissions boundaries,
service control and resource control policies or KMS grants add or take away is for others to say.

Rules from the IAM User Guide, "IAM JSON policy elements reference" and "Policy evaluation logic":
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html

Whatever is not understood (an element, an operator, a value) and whatever is not known of the request makes
the answer unknown, unless the rest of the policy decides. It never makes it a yes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn

import msgspec

from postureaudit.errors import PolicyError
from postureaudit.evidence import Json
from postureaudit.signals.policy_conditions import (
    Context,
    Either,
    Match,
    Value,
    any_of,
    conditions,
    every,
    glob,
    not_,
    resolve,
    strings,
)
from postureaudit.signals.policy_principals import principals

__all__ = ["Decision", "Either", "PolicyError", "Request", "Value", "allows", "decide"]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """Who does what to which resource.

    `principal` is a service principal ("events.amazonaws.com"), an account (12 digits or its root ARN) for
    someone unnamed in it, or the ARN of a role, a role session or a user. `action` names one action, without
    wildcards. `context` maps condition keys to what the call carries: a value or values, None for a key that is
    known to be absent, Either for a choice. A key that is not in it is unknown. senders.py builds real ones.
    """

    principal: str
    action: str
    resource: str
    context: Mapping[str, Value] = {}


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict, why in one sentence, and the statement (position from 0, Sid) it rests on, if it is one."""

    verdict: bool | None
    reason: str
    statement: int | None = None
    sid: str = ""


def allows(policy: Json, request: Request) -> bool | None:
    """True: an Allow certainly applies and no Deny can. False: a Deny certainly applies, or no Allow can.

    None: it depends on what is not known or not understood.
    Raises PolicyError for what is no policy document at all: no JSON object, no statements, an element twice.
    """
    return decide(policy, request).verdict


def decide(policy: Json, request: Request) -> Decision:
    """The same as `allows`, with the statement and the reason.

    An explicit deny wins over every allow; without an allow the answer is no, whatever a deny would say.
    """
    document = _document(policy)
    found = [_judge(document, index, request) for index in range(len(document.statements))]
    denies = [item for item in found if item.effect != "Allow"]
    grants = [item for item in found if item.effect != "Deny"]
    call = f"{request.principal} call {request.action}"

    if deny := _first(denies, True):
        return deny.decides(False, f"denies {request.principal} {request.action}")
    if grant := _first(grants, True):
        if doubt := _first(denies, None):
            return doubt.decides(None, f"{doubt.match.why}, so it may deny what {grant.label} allows")
        return grant.decides(True, f"lets {call}")
    if doubt := _first(grants, None):
        return doubt.decides(None, f"{doubt.match.why}, so it may or may not let {call}")
    nearest = max(grants, key=lambda item: (item.fits, _names(document, item, request)), default=None)
    if nearest and nearest.fits >= _WHOSE_AND_WHAT:
        return nearest.decides(False, nearest.match.why)
    return Decision(verdict=False, reason=f"no statement lets {call}")


def _names(document: _Document, item: _Judged, request: Request) -> bool:
    """Whether the statement is about this caller rather than about everyone: then it is the one to mend."""
    statement = document.statements[item.index]
    return isinstance(statement, dict) and request.principal in json.dumps(statement.get("Principal"))


_WHOSE_AND_WHAT = 2  # principal and action fit: then it is worth saying what does not


def parsed(policy: Json) -> dict[str, Json]:
    """A policy given as a document or as JSON text. PolicyError when it is none."""
    document = _parsed(policy) if isinstance(policy, str | bytes) else policy
    _document(document)
    found: dict[str, Json] = document
    return found


def statements(policy: Json) -> list[Json]:
    """Its statements."""
    return _document(policy).statements


class _Document(msgspec.Struct, frozen=True):
    statements: list[Json]
    version: Json


class _Judged(msgspec.Struct, frozen=True):
    index: int
    sid: str
    effect: str
    match: Match
    fits: int = 0

    @property
    def label(self) -> str:
        return f"statement {self.sid!r}" if self.sid else f"statement {self.index + 1}"

    def decides(self, verdict: bool | None, why: str) -> Decision:
        return Decision(verdict=verdict, reason=f"{self.label} {why}", statement=self.index, sid=self.sid)


def _first(found: Iterable[_Judged], met: bool | None) -> _Judged | None:
    return next((item for item in found if item.match.met is met), None)


def _document(policy: Json) -> _Document:
    """A policy as a dict or as JSON text. An empty list of statements is a policy that allows nothing."""
    document = _parsed(policy) if isinstance(policy, str | bytes) else policy
    if not isinstance(document, dict):
        raise PolicyError("the policy is not a JSON object", hint="read it again from AWS")
    match document.get("Statement"):
        case list(statements):
            return _Document(statements, document.get("Version", _FIRST_VERSION))
        case dict(statement):
            return _Document([statement], document.get("Version", _FIRST_VERSION))
    raise PolicyError("the policy has no statements", hint="read it again from AWS")


# Without Version AWS takes the first. Only 2012-10-17 has policy variables.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html
_FIRST_VERSION, _VERSION = "2008-10-17", "2012-10-17"


def _parsed(text: str | bytes) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_json)
    except (ValueError, RecursionError) as error:
        raise PolicyError(f"the policy is not JSON: {error}", hint="read it again from AWS") from error


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names are all different: which of two AWS would take is not documented."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _no_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


_ELEMENTS = {
    *("Sid", "Effect", "Condition"),
    *("Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource"),
}


def _judge(document: _Document, index: int, request: Request) -> _Judged:
    """One statement: does it apply to the request?"""
    statement = document.statements[index]
    if not isinstance(statement, dict):
        return _Judged(index, "", "", Match(None, "is not understood"))
    context, variables = Context(request.context), document.version == _VERSION
    parts = [
        principals(statement, request.principal, request.action),
        _listed(statement, "Action", lambda pattern: _action(pattern, request.action)),
        _listed(
            statement,
            "Resource",
            lambda pattern: _resource(pattern, request.resource, context, variables=variables),
        ),
        conditions(statement.get("Condition", {}), context, variables=variables),
    ]
    doubts = [
        Match(None, f"has {what} that is not understood")
        for what, wrong in (
            ("a Version", document.version not in (_FIRST_VERSION, _VERSION)),
            ("an Effect", statement.get("Effect") not in ("Allow", "Deny")),
            ("an element", not _ELEMENTS.issuperset(statement)),
        )
        if wrong
    ]
    sid, effect = statement.get("Sid"), statement.get("Effect")
    return _Judged(
        index=index,
        sid=sid if isinstance(sid, str) else "",
        effect=effect if effect in ("Allow", "Deny") else "",
        match=every([*parts, *doubts]),
        fits=next((position for position, part in enumerate(parts) if part.met is not True), len(parts)),
    )


def _listed(statement: dict[str, Any], name: str, fits: Callable[[str], bool | None]) -> Match:
    """Action or NotAction, Resource or NotResource: exactly one of the two, a text or a list of texts.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notaction.html
    A missing element is unknown: where a policy may go without it is up to each service.
    """
    match [key for key in (name, f"Not{name}") if key in statement]:
        case [key]:
            found = strings(statement[key])
        case _:
            return Match(None, f"does not have one of {name} and Not{name}")
    if not found:
        return Match(None, f"has a {key} that is not understood")
    met = any_of(fits(item) for item in found)
    if key != name:
        met = not_(met)
    return Match(met, f"names a {key} that may or may not fit" if met is None else f"is for another {name}")


def _action(pattern: str, action: str) -> bool:
    """Actions are case-insensitive, with * and ? as wildcards.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
    """
    return glob(pattern.lower().replace("[", "[[]"), action.lower())


def _resource(pattern: str, arn: str, context: Context, *, variables: bool) -> bool | None:
    """Resources are case-sensitive; a wildcard reaches across colons in the last of the six parts only.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    That page completes an ARN of fewer parts with wildcards, but says so of identity-based policies only.
    Where that or the colons would make the difference, the answer is unknown.
    """
    wanted = resolve(pattern, context, form="pattern", variables=variables)
    if wanted is None:
        return None
    if wanted == "*":
        return True
    whole = glob(wanted, arn)
    parts = all(
        glob(part, value) for part, value in zip(wanted.split(":", 5), arn.split(":", 5), strict=False)
    )
    return whole if whole == parts else None
