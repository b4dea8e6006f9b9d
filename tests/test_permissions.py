"""The printed IAM policies: enough, not more, and within what IAM accepts."""

from __future__ import annotations

import ast
import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from postureaudit import catalog, permissions, services
from postureaudit.aws import organization
from postureaudit.aws.allowed import IAM_ACTIONS
from postureaudit.findings import Verdict
from postureaudit.results import Unanswered
from tests.conftest import Ran, judge, walk_world
from tests.fakeaws import Fault
from tests.fakeaws.scenarios import SCENARIOS

ROOT = Path(__file__).parent.parent
Cli = Callable[..., Ran]


def actions_of(found: Any) -> set[str]:
    documents = found if isinstance(found, list) else [found]
    statements = [item for document in documents for item in document["Statement"]]
    return {
        action
        for item in statements
        for action in (item["Action"] if isinstance(item["Action"], list) else [item["Action"]])
    }


@pytest.mark.parametrize(
    "name", [*(pytest.param(n, marks=pytest.mark.exhaustive) for n in SCENARIOS if n != "mixed"), "mixed"]
)
def test_policy_allows_every_call_that_an_audit_makes(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Whatever an audit asked of the account is in the policy that is printed for it."""
    allowed = actions_of(cli("iam-policy", "--no-config").json)
    world = SCENARIOS[name]()
    every = [check.id for check in catalog.builtin().checks]
    wanted = catalog.calls(catalog.builtin(), every, services.types())
    walk_world(monkeypatch, world, wanted=wanted)
    made = {f"{service}:{operation}" for _, _, service, operation, _ in world.calls}
    assert len(made) > (50 if name == "empty" else 60)  # where nothing is on, less is asked
    assert permissions.actions(made) - allowed == set()


def test_policy_of_a_choice_allows_what_that_choice_asks_and_no_other_service(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fewer checks, fewer actions: all that is asked for them, and none of what is not read for them."""
    allowed = actions_of(cli("iam-policy", "--no-config", "-c", "guardduty.enabled").json)
    world = SCENARIOS["mixed"]()
    wanted = catalog.calls(catalog.builtin(), ["guardduty.enabled"], services.types())
    walk_world(monkeypatch, world, wanted=wanted)
    made = {f"{service}:{operation}" for _, _, service, operation, _ in world.calls}
    assert permissions.actions(made) <= allowed
    assert allowed < actions_of(cli("iam-policy", "--no-config").json)
    assert not any(action.startswith(("config:", "securityhub:", "s3:")) for action in allowed)


CHOSEN = ("guardduty.enabled", "securityhub.enabled")


def test_every_action_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deny one action: what turns unknown are checks that say they read it, and each call made for them counts."""
    known = catalog.builtin()
    ids = [check.id for check in known.checks if check.id in CHOSEN]
    assert len(ids) == len(CHOSEN)
    wanted = catalog.calls(known, ids, services.types())
    reads = {
        check.id: set(catalog.reads(check, services.types())) for check in known.checks if check.id in ids
    }
    regions = ("us-east-1",)
    options: dict[str, Any] = {"wanted": wanted, "only": regions}
    plain = SCENARIOS["empty"]()
    before = judge(walk_world(monkeypatch, plain, **options), *ids)
    assert [name for name in ids if before[name].verdict is Verdict.UNKNOWN] == []
    turned: dict[str, set[str]] = {}
    for call in sorted(wanted):
        service, _, operation = call.partition(":")
        world = SCENARIOS["empty"]()
        world.faults.append(Fault(service=service, operation=operation))
        after = judge(walk_world(monkeypatch, world, **options), *ids)
        turned[call] = {name for name in ids if after[name].verdict is Verdict.UNKNOWN}
    assert {call: names for call, names in turned.items() if any(call not in reads[n] for n in names)} == {}
    # What says whether a service is on decides its own check, and nothing else's.
    assert turned["guardduty:ListDetectors"] == {"guardduty.enabled"}
    assert turned["securityhub:DescribeHub"] == {"securityhub.enabled"}


def test_documents_fit_into_managed_policies_and_lose_nothing() -> None:
    """What one policy does not hold goes into more: each within IAM's 6,144 characters, together they are all."""
    names = {*permissions.actions(IAM_ACTIONS), *(f"example:Describe{number:040}" for number in range(100))}
    found = permissions.documents(names)
    assert len(found) > 1 and actions_of(found) == names
    for document in found:
        text = json.dumps(document, indent=4)
        assert len("".join(text.split())) <= 6144
    assert len({document["Statement"][0]["Sid"] for document in found}) == len(found)
    small = permissions.documents(names, most=400)
    assert actions_of(small) == names and max(map(permissions.size, small)) <= 400


def test_supplement_is_what_securityaudit_lacks(cli: Cli) -> None:
    """With SecurityAudit beside it, nothing is missing and nothing is said twice."""
    policy = permissions.managed()
    whole = actions_of(cli("iam-policy", "--no-config").json)
    rest = actions_of(cli("iam-policy", "--no-config", "--supplement-to", "SecurityAudit").json)
    assert rest == whole - policy.allows and rest | policy.allows >= whole
    assert {"account:ListRegions", "cloudtrail:GetEventDataStore", "macie2:GetMacieSession"} <= rest
    assert "guardduty:ListDetectors" not in rest


def test_managed_policy_data_is_current() -> None:
    """The data is what scripts/make_managed_policies.py writes of the SecurityAudit that moto ships."""
    spec = importlib.util.spec_from_file_location("make", ROOT / "scripts" / "make_managed_policies.py")
    assert spec and spec.loader
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    assert make.PLACE.read_text("utf-8") == make.made()


def test_missing_prints_the_denied_calls_of_a_result(cli: Cli, tmp_path: Path) -> None:
    """A run that was denied two calls, one of them by a control policy, gives a policy of the other one alone."""
    world = SCENARIOS["empty"]()
    world.faults.append(Fault(service="guardduty", operation="ListDetectors"))
    world.faults.append(
        Fault(
            service="securityhub",
            operation="DescribeHub",
            message="not authorized with an explicit deny in a service control policy",
        )
    )
    result = tmp_path / "result.json"
    chosen = ("-c", "guardduty.enabled", "-c", "securityhub.enabled", "-r", "us-east-1")
    assert cli("audit", "--no-config", *chosen, "-o", f"json={result}", world=world).code in (3, 4)
    ran = cli("iam-policy", "--missing", str(result))
    assert actions_of(ran.json) == {"guardduty:ListDetectors"}
    assert "securityhub:DescribeHub is refused by a service or resource control policy" in ran.err


@pytest.mark.parametrize("kind", ["throttled", "timeout", "network", "region_disabled", "error", "expired"])
def test_what_no_permission_mends_is_in_no_policy(kind: str) -> None:
    """A time-out is no missing permission."""
    row = Unanswered(call="guardduty:ListDetectors", account="111122223333", region="us-east-1", kind=kind)
    assert permissions.denied([row]).actions == frozenset()


def test_organization_policy_lists_and_enters_accounts(cli: Cli) -> None:
    """--org adds what listing accounts asks, and entering the named role alone; --trust is the other side."""
    found = cli("iam-policy", "--no-config", "-c", "guardduty.enabled", "--org", "--role-name", "Audit").json
    assert actions_of(found) >= {"organizations:ListAccounts", "sts:AssumeRole"}
    [enter] = [item for item in found["Statement"] if item["Action"] == "sts:AssumeRole"]
    assert enter["Resource"] == "arn:aws:iam::*:role/Audit"
    trust = cli("iam-policy", "--trust", "111122223333", "--external-id", "x1").json["Statement"][0]
    assert trust["Principal"] == {"AWS": "arn:aws:iam::111122223333:root"}
    assert trust["Condition"] == {"StringEquals": {"sts:ExternalId": "x1"}}


def test_listing_is_what_the_organization_is_asked() -> None:
    """The calls that list accounts are those that aws/organization.py makes."""
    tree = ast.parse(Path(organization.__file__).read_text("utf-8"))
    texts = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert {text for text in texts if text in IAM_ACTIONS} == permissions.LISTING


def test_always_is_what_a_walk_without_checks_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A walk that no check needs anything of makes exactly the calls that every policy has."""
    world = SCENARIOS["empty"]()
    walk_world(monkeypatch, world, wanted=frozenset())
    made = {f"{service}:{operation}" for _, _, service, operation, _ in world.calls}
    assert made - {"sts:GetCallerIdentity"} == permissions.ALWAYS


def test_verifying_is_what_a_second_opinion_asks() -> None:
    """Of the allowed calls, those that are tests of a pattern."""
    assert {
        call for call in IAM_ACTIONS if call.partition(":")[2].startswith("Test")
    } == permissions.VERIFYING
