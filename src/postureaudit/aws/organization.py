"""Which accounts there are: those of the organization, of some of its units, or those that the caller names."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from postureaudit.asks import Ask
from postureaudit.aws.calls import Calls
from postureaudit.aws.session import Session
from postureaudit.errors import PostureAuditError, UsageError
from postureaudit.evidence import Absent, Account, Answer, Outcome, Refusal


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """The accounts to audit, in order of their ids; the organization's id and management account, "" where not known;
    and how many accounts are left out because they are not active."""

    accounts: tuple[Account, ...]
    organization: str = ""
    management: str = ""
    inactive: int = 0


def listed(
    session: Session, *, ous: Sequence[str] = (), only: Sequence[str] = (), exclude: Iterable[str] = ()
) -> Listed:
    """The active accounts of the session's organization.

    `ous` are ids of organizational units or of the root: their accounts, those of the units below them included.
    `only` are account ids to keep, `exclude` those to leave out. Raises PostureAuditError where Organizations refuses
    the list, and UsageError for an account that is not in it.
    """
    calls = Calls(session, threading.Event(), lambda: False)

    def ask(call: str, **params: str) -> dict[str, Any]:
        # Names of accounts are marked sensitive: they are asked for here alone, for people to read.
        outcome = calls.answer(
            Ask(call, **params), session.account, session.leader, session.credentials, raw=True
        )
        if isinstance(outcome, Absent):
            raise UsageError(
                f"account {session.account} is in no organization",
                hint="name accounts with --account instead of --org",
            )
        return _told(call, outcome)

    organization = ask("organizations:DescribeOrganization").get("Organization") or {}
    rows = _below(ask, ous) if ous else ask("organizations:ListAccounts").get("Accounts") or []
    rows = sorted({str(row.get("Id")): row for row in rows}.values(), key=lambda row: str(row.get("Id")))
    active = {str(row.get("Id")): str(row.get("Name") or "") for row in rows if _is_active(row)}
    excluded = set(exclude)
    known = {str(row.get("Id")) for row in rows}
    for name in (*only, *excluded):
        if name not in known:
            raise UsageError(
                f"account {name} is not in the organization" + (" or not in these units" if ous else ""),
                hint="see the ids with: aws organizations list-accounts",
            )
    chosen = [name for name in sorted(active) if (not only or name in only) and name not in excluded]
    if not chosen:
        raise UsageError(
            "no active account is left to audit", hint="correct --account, --ou or --exclude-account"
        )
    return Listed(
        accounts=tuple(Account(id=name, name=active[name]) for name in chosen),
        organization=str(organization.get("Id") or ""),
        management=str(organization.get("MasterAccountId") or ""),
        inactive=len(rows) - len(active),
    )


def _is_active(row: dict[str, Any]) -> bool:
    # `State` replaced `Status` in 2026 (API reference, Account).
    return (row.get("State") or row.get("Status")) == "ACTIVE"


def _below(ask: Callable[..., dict[str, Any]], ous: Sequence[str]) -> list[dict[str, Any]]:
    """The accounts of these units and of all below them."""
    for name in ous:
        if not re.fullmatch(r"ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}|r-[0-9a-z]{4,32}", name):
            raise UsageError(
                f"--ou {name!r} is no id of a unit", hint="such as ou-ab12-11111111, or r-ab12 for the root"
            )
    found: list[dict[str, Any]] = []
    left, seen = list(dict.fromkeys(ous)), set[str]()
    while left:
        name = left.pop()
        if name in seen:
            continue
        seen.add(name)
        found += ask("organizations:ListAccountsForParent", ParentId=name).get("Accounts") or []
        below = ask("organizations:ListOrganizationalUnitsForParent", ParentId=name)
        left += [str(item.get("Id")) for item in below.get("OrganizationalUnits") or []]
    return found


def _told(call: str, outcome: Outcome) -> dict[str, Any]:
    """The answer. Raises PostureAuditError for a refusal: half an organization would look like the whole."""
    if isinstance(outcome, Answer):
        return outcome.body
    reason = f"{outcome.reason()} {outcome.message}" if isinstance(outcome, Refusal) else outcome.code
    raise PostureAuditError(
        f"cannot list the organization's accounts: {call}: {reason}",
        hint="use credentials of the management account or of a delegated administrator, or name --account",
    )
