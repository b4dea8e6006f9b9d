"""What Inspector scans in a region, for the account itself."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from postureaudit.evidence import Json, Refusal, RefusalKind
from postureaudit.resources import View, all_of, any_of, malformed, member
from postureaudit.services.administrators import POSITION, Manager
from postureaudit.services.inspector.asks import STATUS
from postureaudit.services.organizations import policy, position
from postureaudit.services.organizations.policies import INSPECTOR

STATUS_CALLS = (STATUS.call,)
MANAGER_CALLS = (*POSITION, "inspector2:GetDelegatedAdminAccount")
POLICY_CALLS = (*POSITION, "organizations:DescribeEffectivePolicy")
_OFF = ("DISABLED", "DISABLING", "SUSPENDED", "SUSPENDING")
# AWS's names of resource types in requests, and in the answers' members.
TYPES = {"EC2": "ec2", "ECR": "ecr", "LAMBDA": "lambda", "LAMBDA_CODE": "lambdaCode"}
_BLOCKED = "BLOCKED_BY_ORGANIZATION_POLICY"


class State(msgspec.Struct, frozen=True, kw_only=True):
    """Whether Inspector scans anything here: `Status` is AWS's word, `On` that at least one type is scanned."""

    On: bool | Refusal
    Status: str | Refusal


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """The scanning of one resource type. One that AWS does not list is not offered in the region.

    `Blocked`: a policy of Organizations keeps it as it is (API reference, ErrorCode).
    """

    Offered: bool
    On: bool | Refusal
    Status: str
    Blocked: bool


class Scans(msgspec.Struct, frozen=True, kw_only=True):
    """The scanning of each resource type, by the name that AWS gives it."""

    EC2: Scan
    ECR: Scan
    LAMBDA: Scan
    LAMBDA_CODE: Scan


def state(view: View, region: str) -> State:
    """Whether Inspector is on: the account's status, and at least one type that it scans."""
    found = _own(view, region)
    if isinstance(found, Refusal):
        return State(On=found, Status=found)
    types = [on(item, region) for item in _types(found).values()]
    return State(On=all_of([on(found["state"], region), any_of(types)]), Status=str(found["state"]["status"]))


def scans(view: View, region: str) -> Scans | Refusal:
    """What is scanned, type by type."""
    found = _own(view, region)
    if isinstance(found, Refusal):
        return found
    types = _types(found)
    return Scans(**{name: _scan(types.get(answered), region) for name, answered in TYPES.items()})


def _own(view: View, region: str) -> dict[str, Json] | Refusal:
    """The account's own entry: asked without accounts, AWS answers the caller's."""
    accounts = member(view.outcome(STATUS.call, region), "accounts", [])
    if isinstance(accounts, Refusal):
        return accounts
    own = next((item for item in accounts if item.get("accountId") == view.account), None)
    return own or malformed(STATUS.call, region, "the account itself is not in the answer")


def _types(account: Mapping[str, Json]) -> dict[str, dict[str, Json]]:
    return {name: item for name, item in account["resourceState"].items() if item}


def _scan(item: Mapping[str, Json] | None, region: str) -> Scan:
    if item is None:
        return Scan(Offered=False, On=False, Status="not offered", Blocked=False)
    return Scan(
        Offered=True,
        On=on(item, region),
        Status=str(item["status"]),
        Blocked=item.get("errorCode") == _BLOCKED,
    )


def on(item: Mapping[str, Json], region: str) -> bool | Refusal:
    """Whether a status means on; ENABLING decides nothing yet."""
    status = item.get("status")
    if status == "ENABLED":
        return True
    if status in _OFF:
        return False
    if status == "ENABLING":
        text = "AWS is still turning this on: audit again later"
        return Refusal(RefusalKind.NOT_COLLECTED, "ENABLING", text, STATUS.call, region)
    return malformed(STATUS.call, region, "a status that is none")


def manager(view: View, region: str) -> Manager:
    """The administrator that this account is a member of (API reference, GetDelegatedAdminAccount)."""
    if position(view).Role == "standalone":
        return Manager(Managed=False, Account="")
    found = member(view.outcome("inspector2:GetDelegatedAdminAccount", region), "delegatedAdmin", {})
    if isinstance(found, Refusal):
        return Manager(Managed=found, Account=found)
    account = str(found.get("accountId") or "")
    enabled = found.get("relationshipStatus") == "ENABLED"
    return Manager(Managed=bool(account) and account != view.account and enabled, Account=account)


def ruled(view: View, region: str) -> bool | Refusal:
    """Whether an Inspector policy of Organizations sets what is scanned in this account here.

    Such a policy takes precedence over the administrator's and the account's own settings, in the regions that it
    names (Inspector user guide, "Managing multiple accounts").
    """
    return policy(view, INSPECTOR, region).Governs
