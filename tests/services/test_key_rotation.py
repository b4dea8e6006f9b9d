"""The keys of trails rotate, where AWS can rotate them and this account may ask."""

from __future__ import annotations

from typing import Any

import pytest

from postureaudit.findings import Finding, Verdict
from tests.conftest import Collect, Mend, judge
from tests.fakeaws import World
from tests.fakeaws.world import ACCOUNT, ARCHIVE, Region
from tests.replay import replay

SERVICE = "cloudtrail"  # whose calls a walk of these tests makes

HERE = "us-east-1"
ROTATES = "cloudtrail.kms-key-rotation"
REPLICA = {
    "MultiRegionKeyType": "REPLICA",
    "PrimaryKey": {"Arn": "arn:aws:kms:eu-west-1:111122223333:key/1", "Region": "eu-west-1"},
}


def a_world(**key: Any) -> World:
    """A trail in one region with a key; without any settings of the key, the trail has none."""
    world = World()
    world.account(regions=(HERE,))
    arn = at(world).add_key(**key) if key else None
    at(world).add_trail("main", **({"KmsKeyId": arn} if arn else {}))
    return world


def at(world: World, account: str = ACCOUNT) -> Region:
    return world.account(account, regions=(HERE,)).region(HERE)


def reason(finding: Finding) -> str:
    [place] = finding.places
    return place.reason


@pytest.mark.parametrize(
    ("key", "verdict"),
    [
        ({"rotation": True}, Verdict.PASS),
        ({"rotation": False}, Verdict.FAIL),
        ({"rotation": False, "KeyState": "Disabled"}, Verdict.FAIL),
        ({"rotation": False, "KeyState": "PendingDeletion"}, Verdict.NOT_APPLICABLE),
        ({"rotation": False, "Origin": "EXTERNAL"}, Verdict.NOT_APPLICABLE),
        ({}, Verdict.NOT_APPLICABLE),
    ],
)
def test_rotation(collect: Collect, key: dict[str, Any], verdict: Verdict) -> None:
    """A key that AWS can rotate has to rotate; others have nothing to judge."""
    assert judge(collect(a_world(**key)))[ROTATES].verdict is verdict


def test_another_accounts_key_is_judged_there(collect: Collect) -> None:
    """No account may ask whether another's key rotates: it is not asked, and not judged."""
    world = a_world()
    arn = at(world, ARCHIVE).add_key("99999999-2222-3333-4444-555555555555", shared=True, rotation=False)
    at(world).add_trail("main", KmsKeyId=arn)

    found = judge(collect(world))[ROTATES]

    assert found.verdict is Verdict.NOT_APPLICABLE and ARCHIVE in reason(found)
    assert not any(call[3] == "GetKeyRotationStatus" for call in world.calls)


def test_refusals(collect: Collect) -> None:
    """A key that nobody may describe, or whose rotation is refused, is unknown."""
    evidence = collect(a_world(rotation=False))

    for call in ("kms:DescribeKey", "kms:GetKeyRotationStatus"):
        assert judge(replay(evidence, denied={call}))[ROTATES].verdict is Verdict.UNKNOWN, call


def test_command_lets_it_rotate(mend: Mend) -> None:
    """The key rotates afterwards; a disabled key and a replica take no such command."""
    done = mend(a_world(rotation=False), ROTATES)
    held = [
        mend(a_world(rotation=False, **fields), ROTATES)
        for fields in (
            {"KeyState": "Disabled"},
            {"MultiRegion": True, "MultiRegionConfiguration": REPLICA},
        )
    ]

    assert done[ROTATES].verdict is Verdict.PASS
    for found in held:
        fix = found[ROTATES].fix
        assert found[ROTATES].verdict is Verdict.FAIL and fix and fix.steps and not fix.argv
