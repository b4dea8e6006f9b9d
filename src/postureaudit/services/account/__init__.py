"""The account's contacts: whom AWS calls when it sees something wrong in it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from postureaudit.asks import Ask, Collection, Scope
from postureaudit.evidence import Absent, Refusal
from postureaudit.resources import (
    Facet,
    Resource,
    ResourceType,
    ScopeKind,
    View,
    body,
    facts,
    malformed,
    member,
)
from postureaudit.services.base import Service

CONTACTS = ("account:GetAlternateContact",)
PRIMARY = ("account:GetContactInformation",)


class Contacts(msgspec.Struct, frozen=True, kw_only=True):
    """Which alternate contacts are set; `Missing` names, of the two beside security, those that are not."""

    Security: bool | Refusal
    Others: bool | Refusal
    Missing: list[str]


class Primary(msgspec.Struct, frozen=True, kw_only=True):
    """The phone number of the account's owner: whether AWS verifies it at all, and in which state it is."""

    Verifiable: bool | Refusal
    Phone: str | Refusal


def collect(scope: Scope) -> Collection:
    """Ask once for each contact. Names, addresses and numbers are sensitive: they are dropped as they arrive."""
    if not scope.first:
        return
    yield [
        *(
            Ask("account:GetAlternateContact", region=scope.leader, AlternateContactType=kind)
            for kind in ("SECURITY", "OPERATIONS", "BILLING")
        ),
        Ask("account:GetContactInformation", region=scope.leader),
    ]


def contact(view: View, kind: str) -> bool | Refusal:
    """Whether this alternate contact is set (API reference, GetAlternateContact: not found where it is not)."""
    outcome = view.outcome("account:GetAlternateContact", view.leader, AlternateContactType=kind)
    found = member(outcome, "AlternateContact", {})
    if isinstance(found, Refusal):
        return found
    if isinstance(outcome, Absent):
        return False
    if found.get("AlternateContactType") != kind:
        return malformed("account:GetAlternateContact", view.leader, f"no {kind} contact in the answer")
    return True


def contacts(view: View) -> Contacts:
    """The three alternate contacts."""
    others = {kind: contact(view, kind) for kind in ("OPERATIONS", "BILLING")}
    hidden = [found for found in others.values() if isinstance(found, Refusal)]
    missing = [kind for kind, found in others.items() if found is False]
    return Contacts(
        Security=contact(view, "SECURITY"),
        Others=False if missing else (hidden[0] if hidden else True),
        Missing=missing,
    )


def primary(view: View) -> Primary:
    """The owner's phone number. Accounts for which AWS gives no state have no verification."""
    found = body(view.outcome("account:GetContactInformation", view.leader))
    if isinstance(found, Refusal):
        return Primary(Verifiable=found, Phone=found)
    state = str(found.get("VerificationStatus") or "NOT_SUPPORTED")
    return Primary(Verifiable=state != "NOT_SUPPORTED", Phone=state)


def produce(view: View) -> Iterator[Resource]:
    """One place: the account."""
    yield Resource(
        type="account.account",
        account=view.account,
        region=None,
        facts=facts(Contacts=contacts(view), Primary=primary(view)),
    )


ACCOUNT = ResourceType(
    name="account.account",
    scope=ScopeKind.ACCOUNT,
    none="no account audited",
    facets=(
        Facet(name="Contacts", calls=CONTACTS, shape=Contacts),
        Facet(name="Primary", calls=PRIMARY, shape=Primary),
    ),
    produce=produce,
)
SERVICE = Service(name="account", title="Account", collect=collect, types=(ACCOUNT,), column="others")
