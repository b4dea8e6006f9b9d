"""Which accounts there are: those of the organization, of some of its units, or those that the caller names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from postureaudit.asks import Ask
from postureaudit.aws.session import Session
from postureaudit.aws.walk import ask_all
from postureaudit.errors import PostureAuditError, UsageError
from postureaudit.evidence import Absent, Account, Record, Refusal

_DESCRIBE = Ask("organizations:DescribeOrganization")
_LIST = Ask("organizations:ListAccounts")


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
    described, everyone = ask_all(session, [_DESCRIBE, _LIST])
    if isinstance(described.outcome, Absent):
        raise UsageError(
            f"account {session.account} is in no organization",
            hint="name accounts with --account instead of --org",
        )
    rows = _rows([everyone]) if not ous else _rows(_below(session, ous))
    active = {str(row.get("Id")): str(row.get("Name") or "") for row in rows if _is_active(row)}
    organization = described.get("Organization") or {}
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


def _below(session: Session, ous: Sequence[str]) -> list[Record]:
    """The lists of accounts of these units and of all below them, level by level."""
    for name in ous:
        if not re.fullmatch(r"ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}|r-[0-9a-z]{4,32}", name):
            raise UsageError(
                f"--ou {name!r} is no id of a unit", hint="such as ou-ab12-11111111, or r-ab12 for the root"
            )
    found: list[Record] = []
    seen: set[str] = set()
    level = list(dict.fromkeys(ous))
    while level:
        seen.update(level)
        records = ask_all(
            session,
            [
                Ask(call, ParentId=name)
                for call in (
                    "organizations:ListAccountsForParent",
                    "organizations:ListOrganizationalUnitsForParent",
                )
                for name in level
            ],
        )
        found += records[: len(level)]
        _told(records)
        level = [
            name
            for record in records[len(level) :]
            for name in record.pick("OrganizationalUnits[].Id")
            if name not in seen
        ]
    return found


def _rows(records: Iterable[Record]) -> list[dict[str, Any]]:
    records = list(records)
    _told(records)
    rows = [row for record in records for row in record.pick("Accounts[]")]
    return sorted({str(row.get("Id")): row for row in rows}.values(), key=lambda row: str(row.get("Id")))


def _told(records: Iterable[Record]) -> None:
    """Raise PostureAuditError for a list that was refused: half an organization would look like the whole."""
    for record in records:
        if isinstance(record.outcome, Refusal):
            raise PostureAuditError(
                f"cannot list the organization's accounts: {record.outcome.reason()}",
                hint="use credentials of the management account or of a delegated administrator, or name --account",
            )
