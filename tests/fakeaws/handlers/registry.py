"""Where handlers are kept, and what several of them need."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from typing import Any

from ..faults import AwsError
from ..world import Call, Json

Handler = Callable[[Call, dict[str, Any]], dict[str, Any]]
HANDLERS: dict[str, Handler] = {}


def handles(*calls: str) -> Callable[[Handler], Handler]:
    """Register the handler of `service:Operation`."""

    def register(function: Handler) -> Handler:
        HANDLERS.update(dict.fromkeys(calls, function))
        return function

    return register


def pick(known: dict[str, Any], names: Iterable[str] | None, missing: str) -> list[Any]:
    """The values of the named keys, or all; the error `missing` for a name that is not there."""
    wanted = list(names or known)
    for name in wanted:
        if name not in known:
            raise AwsError(missing, f"Cannot find '{name}'.")
    return [known[name] for name in wanted]


def only(fields: Json, *names: str) -> Json:
    """The named fields that are there."""
    return {name: fields[name] for name in names if name in fields}


def manager(call: Call) -> str | None:
    """The management account of the caller's organization."""
    org = call.world.organization
    if org is None or call.account.id not in {item["Id"] for item in org["Accounts"]}:
        return None
    return str(org["Organization"]["MasterAccountId"])


def is_administrator(call: Call, principal: str) -> bool:
    """Whether the caller manages the organization or is the principal's delegated administrator."""
    org = call.world.organization
    return manager(call) == call.account.id or (
        manager(call) is not None and call.account.id in (org or {})["Delegated"].get(principal, [])
    )


def tools_own(call: Call, name: str) -> Any:
    """A matcher of the tool itself, for want of a second one."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        what = f"{call.service}:{call.operation}"
        call.world.missing.append(what)
        raise AwsError("NotImplementedByFake", what, 501) from None
