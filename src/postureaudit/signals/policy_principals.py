"""Whether the Principal of a policy statement covers a caller: yes, no, or not known."""

from __future__ import annotations

import re
from typing import Any

from postureaudit.evidence import Json
from postureaudit.signals.policy_conditions import Match, any_of, not_, strings


def principals(statement: dict[str, Any], caller: str, action: str) -> Match:
    """Principal or NotPrincipal, exactly one of the two.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
    """
    match [key for key in ("Principal", "NotPrincipal") if key in statement]:
        case [key]:
            named = _named(statement[key], caller, action)
        case _:
            return Match(None, "does not have one of Principal and NotPrincipal")
    met = named if key == "Principal" else _left_out(statement[key], named, caller)
    if met is None:
        return Match(None, f"has a {key} of which it is not known whether it covers {caller}")
    return Match(met, "is for another caller")


def _named(element: Json, caller: str, action: str) -> bool | None:
    """ "*" alone is "all principals", and AWS lists its services among the principals."""
    if element == "*":
        return True
    if not isinstance(element, dict) or not element:
        return None
    return any_of(
        _names(kind, item, caller, action)
        for kind, value in element.items()
        for item in (value if isinstance(value, list) and value else [value])
    )


def _left_out(element: Json, named: bool | None, caller: str) -> bool | None:
    """NotPrincipal covers who is not named. AWS may look at the account before the role in it, so that both have to
    stand there; where only one does, what happens is up to the service.
    """
    if named is not True or _is_service(caller):
        return not_(named)
    account = _account(caller)
    listed = strings(element.get("AWS")) if isinstance(element, dict) else []
    whole = any(item == account or (_ROOT.fullmatch(item) and f"::{account}:" in item) for item in listed)
    return False if whole and caller in listed else None


_ROOT = re.compile(r"arn:[a-z-]+:iam::[0-9]{12}:root")


def _names(kind: str, name: Json, caller: str, action: str) -> bool | None:
    if not isinstance(name, str):
        return None
    if _is_service(caller):
        match kind:
            case "Service":
                return _same_service(name, caller)
            case "AWS":
                return _everyone_and_services(action) if name == "*" else False
            case "Federated" | "CanonicalUser":
                return False
        return None
    match kind:
        case "AWS" if _account(caller):
            return _same_identity(name, caller)
        case "Service":
            return False if _account(caller) else None
    return None  # a session may be federated, and an account has a canonical user id


def _everyone_and_services(action: str) -> bool | None:
    """Whether {"AWS": "*"} covers AWS services.

    The Principal page says that "*" and {"AWS": "*"} are the same for anonymous users, and nothing of services.
    For SNS and SQS AWS documents policies that rely on it: the default topic policy ("grants access to your topic
    to all other AWS services", https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html) and the
    queue policy that the SNS console writes. Elsewhere it is not known.
    """
    return True if action.lower().startswith(("sns:", "sqs:")) else None


_SERVICE = re.compile(r"([a-z0-9.-]+?)(?:\.([a-z]{2}(?:-[a-z]+)+-[0-9]))?\.amazonaws\.com(\.cn)?")
_IDENTITY = re.compile(r"arn:(aws[a-z-]*):(iam|sts)::([0-9]{12}):(.+)")
_UNIQUE_ID = re.compile(r"A[A-Z0-9]{2}A[A-Z0-9]{12,}")


def _is_service(principal: str) -> bool:
    return bool(_SERVICE.fullmatch(principal))


def _same_service(name: str, principal: str) -> bool | None:
    """A service has one name for all regions, or one a region, or another ending in China.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-services
    Whether one form stands for the other differs from service to service: unknown.
    """
    if name == principal:
        return True
    wanted, actual = _SERVICE.fullmatch(name), _SERVICE.fullmatch(principal)
    if wanted is None or actual is None:
        return None
    if wanted[1] != actual[1]:
        return False
    return False if wanted[2] and actual[2] and wanted[2] != actual[2] else None


def _account(principal: str) -> str:
    """The account of a principal that is an account or in one; else nothing."""
    if re.fullmatch(r"[0-9]{12}", principal):
        return principal
    found = _IDENTITY.fullmatch(principal)
    return found[3] if found else ""


def _same_identity(name: str, principal: str) -> bool | None:
    """An account (its number or root ARN) stands for everyone in it; a role also for its sessions.

    AWS shows a unique id in place of the ARN of an identity that was deleted; it never matches again.
    No part of an ARN may be a wildcard here.
    """
    if name in ("*", _account(principal)):
        return True
    if re.fullmatch(r"[0-9]{12}", name) or _UNIQUE_ID.fullmatch(name):
        return False
    wanted, actual = _IDENTITY.fullmatch(name), _IDENTITY.fullmatch(principal)
    if wanted is None or re.search(r"[*?]", name):
        return None
    if wanted[3] != _account(principal) or (actual and wanted[1] != actual[1]):
        return False
    if name == principal or wanted[4] == "root":
        return True
    if actual is None or actual[4] == "root":
        return None  # someone in that account, but who?
    role, other = _role(wanted[4]), _role(actual[4])
    if not role or role != other:
        return None if actual[4].startswith("federated-user/") else False
    if wanted[2] == "iam":
        return actual[2] == "sts"  # two roles of one name differ in their path, and only one can exist
    return None if actual[2] == "iam" else False


def _role(rest: str) -> str:
    """The name of a role from "role/path/NAME" or "assumed-role/NAME/session"; of anything else, nothing."""
    match rest.split("/"):
        case ["role", *_, name]:
            return name
        case ["assumed-role", name, _]:
            return name
    return ""
